#include "connect/app.h"

#include <sys/stat.h>

#include "connect/credentials.h"
#include "wire/google_push.h"

static bool is_for_us_alone(const char *file, struct error *err)
{
	struct stat is;

	if (stat(file, &is) == 0 && is.st_mode & (S_IROTH | S_IWOTH))
		return fail(err, FAULT_LOCAL, "%s: everybody can read the key in it (chmod o= %s)", file, file);
	return true;
}

static bool read_certificate(struct app *a, const char *certificate_file, const char *key_file, struct error *err)
{
	struct buffer certificate, key;
	struct error  why = { 0 };
	bool          fine;

	buffer_init(&certificate, ASSERTION_PEM);
	buffer_init(&key, ASSERTION_PEM);
	fine = is_for_us_alone(key_file, err) && credentials_read_file(certificate_file, &certificate, err)
	    && credentials_read_file(key_file, &key, err);
	if (fine) {
		a->certificate = oauth_certificate_read(buffer_held(&certificate), buffer_held(&key), &why);
		if (!a->certificate)
			fine = fail(err, why.fault, "%s, %s: %s", certificate_file, key_file, why.text);
	}
	buffer_release(&certificate);
	buffer_release(&key);
	return fine;
}

static bool read_service(struct app *a, const char *file, struct error *err)
{
	struct buffer text;
	struct error  why = { 0 };
	bool          fine;

	buffer_init(&text, SERVICE_FILE);
	fine = is_for_us_alone(file, err) && credentials_read_file(file, &text, err);
	if (fine) {
		a->google.service = a->service = service_account_read(buffer_held(&text), &why);
		if (!a->service)
			fine = fail(err, why.fault, "%s: %s", file, why.text);
	}
	buffer_release(&text);
	return fine;
}

/* One that is empty is not said. */
static const char *said(const struct settings *s, enum setting which)
{
	return s->value[which] && *s->value[which] ? s->value[which] : NULL;
}

/* Without the one nothing is pushed, and without the other nothing proves that it was. */
static bool pushes_are_fine(const struct google_app *g, struct error *err)
{
	if (!g->topic != !g->pusher)
		return fail(err, FAULT_LOCAL, "[google] pubsub_topic and pubsub_account belong together");
	if (g->topic && !google_is_topic(g->topic))
		return fail(err, FAULT_MALFORMED, "[google] pubsub_topic = %s: not projects/PROJECT/topics/TOPIC", g->topic);
	return !g->pusher || strchr(g->pusher, '@') || fail(err, FAULT_MALFORMED, "[google] pubsub_account = %s: no address", g->pusher);
}

bool app_read(struct app *a, const struct settings *s, struct error *err)
{
	const char *certificate = said(s, SETTING_MICROSOFT_CERT), *key = said(s, SETTING_MICROSOFT_KEY);

	*a = (struct app){ .microsoft = {
		.client_id = said(s, SETTING_MICROSOFT_ID), .client_secret = said(s, SETTING_MICROSOFT_SECRET),
		.tenant = said(s, SETTING_MICROSOFT_TENANT), .authority = said(s, SETTING_MICROSOFT_AUTHORITY),
	}, .google = { .client_id = said(s, SETTING_GOOGLE_ID), .client_secret = said(s, SETTING_GOOGLE_SECRET),
		.topic = said(s, SETTING_GOOGLE_TOPIC), .pusher = said(s, SETTING_GOOGLE_PUSHER) } };
	if (said(s, SETTING_MICROSOFT_RIGHTS) && !rights_find(s->value[SETTING_MICROSOFT_RIGHTS], &a->rights))
		return fail(err, FAULT_MALFORMED, "[microsoft] rights = %s: not full, read or calendar", s->value[SETTING_MICROSOFT_RIGHTS]);
	if (said(s, SETTING_GOOGLE_SERVICE) && !read_service(a, s->value[SETTING_GOOGLE_SERVICE], err))
		return false;
	if (said(s, SETTING_GOOGLE_RIGHTS) && !rights_find(s->value[SETTING_GOOGLE_RIGHTS], &a->google_rights))
		return fail(err, FAULT_MALFORMED, "[google] rights = %s: not full, read or calendar", s->value[SETTING_GOOGLE_RIGHTS]);
	if (!pushes_are_fine(&a->google, err))
		return false;
	if (!certificate && !key)
		return true;
	if (!certificate || !key)
		return fail(err, FAULT_LOCAL, "[microsoft] client_certificate and client_key belong together");
	if (!read_certificate(a, certificate, key, err))
		return false;
	a->microsoft.certificate = a->certificate;
	return true;
}

void app_release(struct app *a)
{
	oauth_certificate_free(a->certificate);
	service_account_free(a->service);
	*a = (struct app){ 0 };
}
