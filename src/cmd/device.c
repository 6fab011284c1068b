#include "cmd/device.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "cmd/command.h"
#include "cmd/wrap.h"

#define INDENT 4

static void on_signal(int number)
{
	(void)number;
	flow_stop();
	/* who presses it again means it */
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
}

/* -- the code ----------------------------------------------------------------------------------------------------- */

static const char *who(const struct device_signin *d)
{
	return d->username ? d->username : d->address;
}

static void show_json(const struct device_signin *d, const struct oauth_device *told)
{
	cJSON *o = cJSON_CreateObject(), *code = cJSON_AddObjectToObject(o, "device_code");
	char  *text;

	cJSON_AddStringToObject(code, "address", who(d));
	cJSON_AddStringToObject(code, "page", told->page);
	cJSON_AddStringToObject(code, "code", told->user_code);
	cJSON_AddNumberToObject(code, "expires_in", told->expires_in);
	text = cJSON_PrintUnformatted(o);
	fprintf(stderr, "%s\n", text);
	free(text);
	cJSON_Delete(o);
}

static void say(const struct device_signin *d, const char *key, const struct value *values, size_t count)
{
	CLEANUP(arena) struct arena *work = arena_new();
	const char *text = catalogue_text(d->lang, key);

	if (catalogue_fill(work, text, values, count, &text))
		print_wrapped(stdout, text, 0, 0);
}

static void show(void *self, const struct oauth_device *told)
{
	const struct device_signin *d = self;
	char                        minutes[12];

	if (d->json) {
		show_json(d, told);
		return;
	}
	snprintf(minutes, sizeof minutes, "%d", (told->expires_in + 59) / 60);
	say(d, "ui/device.page", &(struct value){ "address", who(d) }, 1);
	printf("\n%*s%s\n\n", INDENT, "", told->page);
	say(d, "ui/device.code", NULL, 0);
	printf("\n%*s%s\n\n", INDENT, "", told->user_code);
	say(d, "ui/device.lasts", &(struct value){ "minutes", minutes }, 1);
	fputc('\n', stdout);
	fflush(stdout);
}

/* -- the whole ---------------------------------------------------------------------------------------------------- */

struct report *device_sign_in(const struct device_signin *d, struct verdict *v, struct signin_result *out, struct error *err)
{
	const struct apps           apps = { .microsoft = d->app };
	const struct signin_request q = { .at = signin_provider("microsoft"), .apps = &apps, .address = d->address, .username = d->username,
		.rights = d->rights, .show = show, .viewer = (void *)d, .timeout_ms = d->timeout_ms };

	if (!d->app->client_id) {
		fail(err, FAULT_MALFORMED, "--device-code needs a registration at Microsoft Entra: [microsoft] client_id in the settings");
		return NULL;
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	return signin_now(&q, d->net, v, out, err);
}

int device_print_failure(const struct device_signin *d, const struct report *r, const struct verdict *v, bool verbose)
{
	struct checklist list;

	if (d->json) {
		print_json(stdout, r, v, d->lang);
		return exit_status_of(v);
	}
	checklist_init(&list, stdout, d->lang, verbose);
	for (size_t i = 0; i < r->step_count; i++)
		checklist_watch(&list, r, (int)i);
	print_verdict(&list, r, v);
	return exit_status_of(v);
}
