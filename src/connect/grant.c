#include "connect/grant.h"

#include "base/json.h"

bool grant_read(struct slice secret, struct arena *into, struct microsoft_grant *g)
{
	cJSON *json = json_read(secret, GRANT_MOST, NULL);
	double ends;
	bool   fine;

	*g = (struct microsoft_grant){ 0 };
	if (cJSON_IsObject(json)) {
		ends = json_number(json, "expires_at", 0);
		*g = (struct microsoft_grant){ json_copy(json, "access_token", into), json_copy(json, "refresh_token", into),
			json_copy(json, "scope", into), ends > 0 && ends < 1e11 ? (int64_t)ends : 0 };
	}
	fine = g->access_token || g->refresh_token || (cJSON_IsObject(json) && !json->child);
	if (!fine)
		*g = (struct microsoft_grant){ 0 };
	json_forget(json);
	return fine;
}

/* Not copied: cJSON would give its copy back unwiped. */
static void add_text(cJSON *json, const char *member, const char *text)
{
	if (text)
		cJSON_AddItemToObject(json, member, cJSON_CreateStringReference(text));
}

struct slice grant_write(const struct microsoft_grant *g, struct arena *into)
{
	cJSON *json = cJSON_CreateObject();
	char  *out = arena_get(into, GRANT_MOST);
	bool   fits;

	add_text(json, "access_token", g->access_token);
	add_text(json, "refresh_token", g->refresh_token);
	add_text(json, "scope", g->scope);
	if (g->expires_at > 0)
		cJSON_AddNumberToObject(json, "expires_at", (double)g->expires_at);
	/* straight into the arena: what cJSON prints into memory of its own is moved about in pieces that are not wiped */
	fits = cJSON_PrintPreallocated(json, out, (int)GRANT_MOST, false);
	cJSON_Delete(json);
	return fits ? slice_str(out) : slice(NULL, 0);
}
