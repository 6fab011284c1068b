#include "connect/grant.h"

#include "base/json.h"

/* Unix seconds; 0: it does not say, or nothing that could be. */
static int64_t time_in(const cJSON *json, const char *member)
{
	double at = json_number(json, member, 0);

	return at > 0 && at < 1e11 ? (int64_t)at : 0;
}

bool grant_read(struct slice secret, struct arena *into, struct oauth_grant *g)
{
	cJSON *json = json_read(secret, GRANT_MOST, NULL);
	bool   fine;

	*g = (struct oauth_grant){ 0 };
	if (cJSON_IsObject(json))
		*g = (struct oauth_grant){ json_copy(json, "access_token", into), json_copy(json, "refresh_token", into),
			json_copy(json, "scope", into), time_in(json, "expires_at"), time_in(json, "granted_at") };
	fine = g->access_token || g->refresh_token || (cJSON_IsObject(json) && !json->child);
	if (!fine)
		*g = (struct oauth_grant){ 0 };
	json_forget(json);
	return fine;
}

/* Not copied: cJSON would give its copy back unwiped. */
static void add_text(cJSON *json, const char *member, const char *text)
{
	if (text)
		cJSON_AddItemToObject(json, member, cJSON_CreateStringReference(text));
}

struct slice grant_write(const struct oauth_grant *g, struct arena *into)
{
	cJSON *json = cJSON_CreateObject();
	char  *out = arena_get(into, GRANT_MOST);
	bool   fits;

	add_text(json, "access_token", g->access_token);
	add_text(json, "refresh_token", g->refresh_token);
	add_text(json, "scope", g->scope);
	if (g->expires_at > 0)
		cJSON_AddNumberToObject(json, "expires_at", (double)g->expires_at);
	if (g->granted_at > 0)
		cJSON_AddNumberToObject(json, "granted_at", (double)g->granted_at);
	/* straight into the arena: what cJSON prints into memory of its own is moved about in pieces that are not wiped */
	fits = cJSON_PrintPreallocated(json, out, (int)GRANT_MOST, false);
	cJSON_Delete(json);
	return fits ? slice_str(out) : slice(NULL, 0);
}
