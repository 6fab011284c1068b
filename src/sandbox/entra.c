/* Entra by path: what is told of a tenant, and who answers the rest. */
#include "sandbox/entra.h"

#include <ctype.h>
#include <strings.h>

#include "sandbox/text.h"

static bool is(const char *text, const char *other)
{
	return strcmp(text, other) == 0;
}

bool tenant_is_known(struct sandbox *s, const char *tenant)
{
	static const char *const generic[] = { "common", "organizations", "consumers" };

	for (size_t i = 0; i < COUNT(generic); i++)
		if (is(tenant, generic[i]))
			return true;
	if (orders_at(&s->orders, tenant, ORDER_NO_TENANT))
		return false;
	return strcasecmp(tenant, CLOUD_TENANT) == 0 || strcasecmp(tenant, CLOUD_PERSONAL) == 0 || cloud_has_domain(s, tenant);
}

/* -- where people are sent back to -------------------------------------------------------------------------------- */

static bool is_this_machine(struct slice uri)
{
	static const char *const begins[] = { "http://localhost", "http://127.0.0.1" };

	for (size_t i = 0; i < COUNT(begins); i++)
		if (slice_starts(uri, begins[i])) {
			struct slice rest = slice_from(uri, strlen(begins[i]));

			return !rest.len || *rest.at == '/' || *rest.at == ':';
		}
	return false;
}

bool redirect_is_registered(const struct sandbox *s, const char *uri)
{
	for (size_t i = 0; i < SANDBOX_REDIRECTS && s->redirect_uri[i]; i++)
		if (is(s->redirect_uri[i], uri))
			return true;
	return is_this_machine(slice_str(uri));
}

/* -- what is told of a tenant -------------------------------------------------------------------------------------- */

/* What stands in the issuer's name: only the documents that are for everybody have a blank there (facts M A.6). */
static const char *issuer_of(const char *tenant)
{
	return is(tenant, "common") || is(tenant, "organizations") ? "{tenantid}"
	     : is(tenant, "consumers") || strcasecmp(tenant, CLOUD_PERSONAL) == 0 ? CLOUD_PERSONAL : CLOUD_TENANT;
}

static void add_words(cJSON *o, const char *name, const char *const words[], int count)
{
	cJSON_AddItemToObject(o, name, cJSON_CreateStringArray(words, count));
}

static const struct { const char *name, *path; } endpoints[] = {
	{ "token_endpoint", "oauth2/v2.0/token" }, { "authorization_endpoint", "oauth2/v2.0/authorize" },
	{ "device_authorization_endpoint", "oauth2/v2.0/devicecode" }, { "end_session_endpoint", "oauth2/v2.0/logout" },
	{ "jwks_uri", "discovery/v2.0/keys" },
};

static void answer_configuration(struct sandbox *s, struct request *r, struct reply *reply, const char *tenant)
{
	static const char *const modes[] = { "query", "fragment", "form_post" }, *const types[] = { "code", "id_token", "code id_token" };
	static const char *const how[] = { "client_secret_post", "private_key_jwt", "client_secret_basic" }, *const algs[] = { "RS256" };
	static const char *const scopes[] = { "openid", "profile", "email", "offline_access" }, *const subjects[] = { "pairwise" };
	cJSON *o;

	if (!tenant_is_known(s, tenant)) {
		refuse_tenant(r, reply);
		return;
	}
	o = cJSON_CreateObject();
	for (size_t i = 0; i < COUNT(endpoints); i++)
		cJSON_AddStringToObject(o, endpoints[i].name, arena_print(r->work, "https://" ENTRA_HOST "/%s/%s", tenant, endpoints[i].path));
	cJSON_AddStringToObject(o, "issuer", arena_print(r->work, "https://" ENTRA_HOST "/%s/v2.0", issuer_of(tenant)));
	cJSON_AddStringToObject(o, "userinfo_endpoint", "https://" GRAPH_HOST "/oidc/userinfo");
	add_words(o, "token_endpoint_auth_methods_supported", how, COUNT(how));
	add_words(o, "response_modes_supported", modes, COUNT(modes));
	add_words(o, "response_types_supported", types, COUNT(types));
	add_words(o, "subject_types_supported", subjects, COUNT(subjects));
	add_words(o, "id_token_signing_alg_values_supported", algs, COUNT(algs));
	add_words(o, "scopes_supported", scopes, COUNT(scopes));
	cJSON_AddStringToObject(o, "tenant_region_scope", "EU");
	cJSON_AddStringToObject(o, "cloud_instance_name", "microsoftonline.com");
	cJSON_AddStringToObject(o, "cloud_graph_host_name", "graph.windows.net");
	cJSON_AddStringToObject(o, "msgraph_host", GRAPH_HOST);
	reply_json(reply, 200, o);
}

static void answer_keys(struct sandbox *s, struct request *r, struct reply *reply, const char *tenant)
{
	(void)tenant;
	reply_json(reply, 200, jwks_of(s->cloud, r->work));
}

/* Which names mean the same cloud: clients ask that before they believe an authority. */
static void answer_instances(struct request *r, struct reply *reply)
{
	static const char *const aliases[] = { ENTRA_HOST, "login.windows.net", "login.microsoft.com", "sts.windows.net" };
	cJSON *o = cJSON_CreateObject(), *one = cJSON_CreateObject();

	(void)r;
	cJSON_AddStringToObject(o, "tenant_discovery_endpoint", "https://" ENTRA_HOST "/common/v2.0/.well-known/openid-configuration");
	cJSON_AddStringToObject(o, "api-version", "1.1");
	cJSON_AddItemToArray(cJSON_AddArrayToObject(o, "metadata"), one);
	cJSON_AddStringToObject(one, "preferred_network", ENTRA_HOST);
	cJSON_AddStringToObject(one, "preferred_cache", "login.windows.net");
	add_words(one, "aliases", aliases, COUNT(aliases));
	reply_json(reply, 200, o);
}

static void answer_realm(struct sandbox *s, struct request *r, struct reply *reply)
{
	const char *login = request_query(r, "login"), *at = login ? strrchr(login, '@') : NULL;
	bool        ours = at && tenant_is_known(s, at + 1) && strchr(at, '.');

	reply->type = "text/xml; charset=utf-8";
	buffer_print(&reply->body, "<RealmInfo Success=\"true\"><State>%d</State><UserState>1</UserState><Login>%s</Login><NameSpaceType>%s</NameSpaceType>%s</RealmInfo>",
	             ours ? 4 : 1, escaped(r->work, login ? login : ""), ours ? "Managed" : "Unknown",
	             ours ? arena_print(r->work, "<DomainName>%s</DomainName><FederationBrandName>Contoso</FederationBrandName>", s->cloud->domain) : "");
}

/* -- by path --------------------------------------------------------------------------------------------------------- */

/* Behind "/TENANT/". */
static const struct {
	const char *path;
	void      (*answer)(struct sandbox *, struct request *, struct reply *, const char *tenant);
} paths[] = {
	{ "oauth2/v2.0/authorize", answer_authorize }, { "oauth2/v2.0/token", answer_token }, { "oauth2/v2.0/devicecode", answer_device_code },
	{ "oauth2/v2.0/logout", answer_logout }, { "v2.0/.well-known/openid-configuration", answer_configuration },
	{ "discovery/v2.0/keys", answer_keys }, { "v2.0/adminconsent", answer_admin_consent }, { "adminconsent", answer_admin_consent_v1 },
	{ "adminconsent/decision", answer_admin_decision }, { "login", answer_login }, { "consent", answer_consent },
};

static void not_found(struct reply *reply)
{
	screen_begin(reply, 404, "Not Found");
	screen_end(reply);
}

void answer_entra(struct sandbox *s, struct request *r, struct reply *reply)
{
	struct slice rest = slice_str(*r->path == '/' ? r->path + 1 : r->path), first = slice_cut(&rest, '/');
	char        *tenant = arena_copy(r->work, first);

	for (char *c = tenant; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	if (is(tenant, "getuserrealm.srf")) {
		answer_realm(s, r, reply);
		return;
	}
	if (slice_is(rest, "discovery/instance")) {
		answer_instances(r, reply);
		return;
	}
	for (size_t i = 0; i < COUNT(paths); i++)
		if (slice_is(rest, paths[i].path)) {
			paths[i].answer(s, r, reply, tenant);
			return;
		}
	not_found(reply);
}
