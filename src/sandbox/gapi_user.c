/* Whose account it is. */
#include "sandbox/gapi.h"

/* The older interface says "id" where the newer ones say "sub". */
void gapi_user_info(struct gapi_ask *a)
{
	bool   old = slice_starts(slice_str(a->path), "oauth2/v2/");
	cJSON *o;

	if (!a->account) {
		gapi_refuse(a, "authError", NULL);
		return;
	}
	o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, old ? "id" : "sub", google_sub(a->work, a->account));
	if (gscope_has(a->token->scope, "userinfo.profile")) {
		cJSON_AddStringToObject(o, "name", a->account->display);
		cJSON_AddStringToObject(o, "picture", "https://lh3.googleusercontent.com/a/default-user=s96-c");
	}
	if (gscope_has(a->token->scope, "userinfo.email")) {
		cJSON_AddStringToObject(o, "email", a->account->mail);
		cJSON_AddBoolToObject(o, old ? "verified_email" : "email_verified", true);
	}
	if (google_domain(a->account))
		cJSON_AddStringToObject(o, "hd", google_domain(a->account));
	gapi_give(a, o);
}
