/* What the daemon shows Microsoft of itself: a secret or a certificate, and whether it is taken. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "diagnose/catalogue.h"
#include "flow_signin.h"
#include "serve/doctor_parts.h"
#include "serve/registration.h"

#define ENDS_SOON ((int64_t)30 * 24 * 3600)

static const char renew[] = "Certificates & secrets, Upload certificate: a new one may stand beside the old; then client_certificate and client_key, "
                            "and systemctl restart mailmoor.";

static const char *day_of(int64_t unix_s, struct arena *into)
{
	time_t    when = (time_t)unix_s;
	struct tm tm;
	char      text[16];

	gmtime_r(&when, &tm);
	strftime(text, sizeof text, "%Y-%m-%d", &tm);
	return arena_str(into, text);
}

void check_client_certificate(struct doctor *d)
{
	int64_t      now = clock_unix_ms() / 1000;
	const char  *print, *day;

	if (d->unread.fault) {
		doctor_say(d, CHECK_CLIENT_CERTIFICATE, REMARK_FAILED, "The daemon does not start so: mailmoor.conf(5), section microsoft.", "%s", d->unread.text);
		return;
	}
	if (!d->app.certificate) {
		doctor_say(d, CHECK_CLIENT_CERTIFICATE, REMARK_SKIPPED, NULL, "none is named ([microsoft] client_certificate)");
		return;
	}
	print = oauth_certificate_print(d->app.certificate);
	day = day_of(oauth_certificate_ends(d->app.certificate), d->job);
	if (oauth_certificate_ends(d->app.certificate) <= now)
		doctor_say(d, CHECK_CLIENT_CERTIFICATE, REMARK_FAILED, renew, "%s has ended on %s", print, day);
	else if (oauth_certificate_begins(d->app.certificate) > now)
		doctor_say(d, CHECK_CLIENT_CERTIFICATE, REMARK_FAILED, renew, "%s is not valid yet", print);
	else if (oauth_certificate_ends(d->app.certificate) - now < ENDS_SOON)
		doctor_say(d, CHECK_CLIENT_CERTIFICATE, REMARK_WARNED, renew, "%s is good until %s", print, day);
	else
		doctor_say(d, CHECK_CLIENT_CERTIFICATE, REMARK_PASSED, NULL, "%s is good until %s", print, day);
}

/* Only what its owner can put right by what is registered is a failure of this machine's. */
static void say_refused(struct doctor *d, const struct verdict *v)
{
	struct arena *job = d->job;
	const char   *id = v->findings ? cause_row(v->finding[0].cause)->id : "unknown.answer";
	const char   *title = catalogue_text(language_english(), arena_print(job, "%s/title", id));
	bool          ours = v->findings && v->finding[0].who == WHO_OPERATOR && v->finding[0].certainty == PROVEN;

	doctor_say(d, CHECK_CLIENT, ours ? REMARK_FAILED : REMARK_WARNED, arena_print(job, "mailmoor causes %s", id), "%s", title ? title : id);
}

/* Asked as a browser would, without anybody signing in (facts G A.6). */
void check_google_page(struct doctor *d)
{
	const struct signin_place *place = &signin_places[SIGNIN_GOOGLE];
	const char     *base = d->settings.value[SETTING_WEB_BASE_URL], *code, *to;
	struct apps     apps = registered_as(&d->app);
	struct inquiry *q;
	bool            known;

	if (!apps.google->client_id || !base) {
		doctor_say(d, CHECK_GOOGLE_PAGE, REMARK_SKIPPED, NULL, "there is none");
		return;
	}
	to = arena_print(d->job, "%s%s", base, place->callback);
	q = inquiry_new(signin_provider(place->name), &apps, to, RIGHTS_FULL, DOCTOR_WAIT_MS);
	doctor_converse(d, inquiry_step, q, DOCTOR_WAIT_MS + 1000);
	code = inquiry_end(q, d->job, &known);
	if (code)
		doctor_say(d, CHECK_GOOGLE_PAGE, REMARK_FAILED, "mailmoor causes google.app_misregistered", "Google's sign-in page says %s, for client %s and redirect URI %s",
		           code, apps.google->client_id, to);
	else if (known)
		doctor_say(d, CHECK_GOOGLE_PAGE, REMARK_PASSED, NULL, "Google's sign-in page knows it");
	else
		doctor_say(d, CHECK_GOOGLE_PAGE, REMARK_WARNED, "Is accounts.google.com reached from here?", "Google's sign-in page did not say whether it knows it");
}

void check_client(struct doctor *d)
{
	const struct microsoft_app *app = &d->app.microsoft;
	struct app_check           *c;
	struct verdict              v;
	bool                        well;

	if (!app->client_id || (!app->client_secret && !app->certificate)) {
		doctor_say(d, CHECK_CLIENT, REMARK_SKIPPED, NULL, "there is none");
		return;
	}
	if (!app_check_can(app)) {
		doctor_say(d, CHECK_CLIENT, REMARK_SKIPPED, NULL, "only an organisation can be asked whether it is taken, and [microsoft] tenant names none");
		return;
	}
	c = app_check_new(app, DOCTOR_WAIT_MS);
	doctor_converse(d, app_check_step, c, DOCTOR_WAIT_MS + 1000);
	report_free(app_check_end(c, &well, &v));
	if (well)
		doctor_say(d, CHECK_CLIENT, REMARK_PASSED, NULL, "%s takes it", app->tenant);
	else
		say_refused(d, &v);
}
