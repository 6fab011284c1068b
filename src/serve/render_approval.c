/* What only an administrator of an organisation at Microsoft or Google can do, with the values of the case: facts M A.7, A.8, E.2; G A.6;
 * ARTICLES S32-S41.
 *
 * Lines for PowerShell are pasted by people who may do anything: what stands between their quotes is quoted for PowerShell. */
#include "serve/render.h"

#include <string.h>

#define LINES 4
#define STEPS 4

/* Lines: Microsoft Graph PowerShell, or Exchange Online's; {names} as filled() has them. */
struct remedy {
	const char *key;                        /* "page/approval.KEY", its steps "….1", "….2"            */
	const char *at;                         /* path in the portal, NULL: none                         */
	const char *line[LINES], *undo[LINES];  /* no undo: it only reads                                 */
	bool        consents;                   /* the consent URL is its first step                      */
	bool        wants_verified;             /* of no use without a verified publisher                 */
};

#define CONNECT(scopes) "Connect-MgGraph -TenantId '{tenant}' -Scopes '" scopes "'"
#define OUR_APP         "$app = Get-MgServicePrincipal -Filter \"appId eq '{app}'\""
#define EXCHANGE        "Connect-ExchangeOnline"
#define OUR_POLICY      "$policy = Get-ApplicationAccessPolicy | Where-Object AppId -eq '{app}'"
#define BLADE           "/#view/Microsoft_AAD_IAM/"
#define CONSENT_SETTINGS BLADE "ConsentPoliciesMenuBlade/~/"
#define APPS            BLADE "StartboardApplicationsMenuBlade/~/"

static const struct remedy consent = {
	.key = "consent", .consents = true,
	.line = {
		CONNECT("Application.ReadWrite.All,DelegatedPermissionGrant.ReadWrite.All"),
		OUR_APP "; if (-not $app) { $app = New-MgServicePrincipal -AppId '{app}' }",
		"$graph = Get-MgServicePrincipal -Filter \"appId eq '00000003-0000-0000-c000-000000000000'\"",
		"New-MgOauth2PermissionGrant -ClientId $app.Id -ConsentType AllPrincipals -ResourceId $graph.Id -Scope '{scopes}'",
	},
	.undo = {
		"Get-MgOauth2PermissionGrant -Filter \"clientId eq '$($app.Id)'\" | Where-Object ConsentType -eq AllPrincipals"
		" | ForEach-Object { Remove-MgOauth2PermissionGrant -OAuth2PermissionGrantId $_.Id }",
	},
};

static const struct remedy workflow = {
	.key = "workflow", .at = CONSENT_SETTINGS "AdminConsentSettings",
	.line = {
		CONNECT("Policy.ReadWrite.ConsentRequest,User.Read"),
		"$me = Invoke-MgGraphRequest -Uri 'v1.0/me'",
		"Update-MgPolicyAdminConsentRequestPolicy -IsEnabled:$true -NotifyReviewers:$true -RemindersEnabled:$true -RequestDurationInDays 30"
		" -Reviewers @(@{ Query = \"/users/$($me.id)\"; QueryType = 'MicrosoftGraph' })",
	},
	.undo = { "Update-MgPolicyAdminConsentRequestPolicy -IsEnabled:$false -NotifyReviewers:$false -RemindersEnabled:$false -RequestDurationInDays 30 -Reviewers @()" },
};

static const struct remedy publishers = {
	.key = "publishers", .at = CONSENT_SETTINGS "UserSettings", .wants_verified = true,
	.line = {
		CONNECT("Policy.ReadWrite.Authorization"),
		"$before = (Get-MgPolicyAuthorizationPolicy).DefaultUserRolePermissions.PermissionGrantPoliciesAssigned; $before",
		"Update-MgPolicyAuthorizationPolicy -DefaultUserRolePermissions @{ PermissionGrantPoliciesAssigned = @('ManagePermissionGrantsForSelf.microsoft-user-default-low') }",
	},
	.undo = { "Update-MgPolicyAuthorizationPolicy -DefaultUserRolePermissions @{ PermissionGrantPoliciesAssigned = @($before) }" },
};

static const struct remedy requests = { .key = "requests", .at = APPS "AccessRequests" };

static const struct remedy assign = {
	.key = "assign", .at = APPS "AppAppsPreview",
	.line = {
		CONNECT("Application.Read.All,AppRoleAssignment.ReadWrite.All,User.Read.All"),
		OUR_APP,
		"$user = Get-MgUser -UserId '{address}'",
		"New-MgServicePrincipalAppRoleAssignedTo -ServicePrincipalId $app.Id -ResourceId $app.Id -PrincipalId $user.Id -AppRoleId '00000000-0000-0000-0000-000000000000'",
	},
	.undo = {
		"Get-MgServicePrincipalAppRoleAssignedTo -ServicePrincipalId $app.Id | Where-Object PrincipalId -eq $user.Id"
		" | ForEach-Object { Remove-MgServicePrincipalAppRoleAssignedTo -ServicePrincipalId $app.Id -AppRoleAssignmentId $_.Id }",
	},
};

static const struct remedy everybody = {
	.key = "everybody", .at = APPS "AppAppsPreview",
	.line = { CONNECT("Application.ReadWrite.All"), OUR_APP, "Update-MgServicePrincipal -ServicePrincipalId $app.Id -AppRoleAssignmentRequired:$false" },
	.undo = { "Update-MgServicePrincipal -ServicePrincipalId $app.Id -AppRoleAssignmentRequired:$true" },
};

static const struct remedy policy = {
	.key = "policy", .at = "/#view/Microsoft_AAD_ConditionalAccess/ConditionalAccessBlade/~/Policies",
	.line = {
		CONNECT("AuditLog.Read.All,Policy.Read.All"),
		"Get-MgAuditLogSignIn -Filter \"userPrincipalName eq '{address}' and appId eq '{app}'\" -Top 5"
		" | ForEach-Object { $_.AppliedConditionalAccessPolicies } | Where-Object Result -eq failure | Format-Table DisplayName, Id, EnforcedGrantControls",
	},
};

static const struct remedy enable = {
	.key = "enable", .at = APPS "AppAppsPreview",
	.line = { CONNECT("Application.ReadWrite.All"), OUR_APP, "Update-MgServicePrincipal -ServicePrincipalId $app.Id -AccountEnabled:$true" },
	.undo = { "Update-MgServicePrincipal -ServicePrincipalId $app.Id -AccountEnabled:$false" },
};

static const struct remedy exclude = {
	.key = "exclude",
	.line = { EXCHANGE, "Test-ApplicationAccessPolicy -Identity '{address}' -AppId '{app}'", OUR_POLICY "; $policy | Format-Table AccessRight, ScopeName, Description",
	          "Add-DistributionGroupMember -Identity ($policy | Where-Object AccessRight -eq RestrictAccess).ScopeIdentity -Member '{address}'" },
	.undo = { "Remove-DistributionGroupMember -Identity ($policy | Where-Object AccessRight -eq RestrictAccess).ScopeIdentity -Member '{address}' -Confirm:$false" },
};

static const struct remedy submission = {
	.key = "submission",
	.line = { EXCHANGE, "Set-CASMailbox -Identity '{address}' -SmtpClientAuthenticationDisabled $false" },
	.undo = { "Set-CASMailbox -Identity '{address}' -SmtpClientAuthenticationDisabled $true" },
};

/* Google has no line for it: it is done in the console. */
static const struct remedy trust = { .key = "trust", .at = "/ac/owl" };

/* Best first. */
static const struct case_row {
	const char       *cause;
	const struct remedy *remedy[3];
} cases[] = {
	{ "microsoft.admin_approval_required", { &consent, &workflow, &publishers } },
	{ "microsoft.admin_approval_pending",  { &requests, &consent } },
	{ "microsoft.user_not_assigned",       { &assign, &everybody } },
	{ "microsoft.conditional_access",      { &policy } },
	{ "microsoft.app_not_allowed",         { &enable, &exclude } },
	{ "smtp.auth_off",                     { &submission } },
	{ "google.app_blocked_by_admin",       { &trust } },
	{ "google.advanced_protection",        { &trust } },
};

static const char *told_value(const struct retold_cause *c, const char *name)
{
	for (size_t i = 0; i < c->told.values; i++)
		if (strcmp(c->told.value[i].name, name) == 0)
			return c->told.value[i].text;
	return "";
}

/* Other servers have their own ways to switch that on. */
static bool is_at_microsoft(const struct retold_cause *c)
{
	struct slice host = slice_str(told_value(c, "host"));

	return approval_place(c) || slice_ends(host, ".office365.com") || slice_ends(host, ".outlook.com");
}

static const struct case_row *row_of(const struct retold_cause *c)
{
	for (size_t i = 0; i < COUNT(cases); i++)
		if (strcmp(cases[i].cause, cause_row(c->cause)->id) == 0)
			return is_at_microsoft(c) ? &cases[i] : NULL;
	return NULL;
}

bool approval_has(const struct retold_cause *c)
{
	return row_of(c) != NULL;
}

const struct signin_place *approval_place(const struct retold_cause *c)
{
	struct slice rest = slice_str(cause_row(c->cause)->id), name = slice_cut(&rest, '.');

	for (size_t i = 0; i < SIGNIN_PLACES; i++)
		if (slice_is(name, signin_places[i].name))
			return &signin_places[i];
	return NULL;
}

bool approval_asks_for_consent(const struct retold_cause *c)
{
	const struct case_row *row = row_of(c);

	for (size_t i = 0; row && i < COUNT(row->remedy) && row->remedy[i]; i++)
		if (row->remedy[i]->consents)
			return true;
	return false;
}

/* -- lines to paste ----------------------------------------------------------------------------------------------- */

/* Within '…' of PowerShell only the quote itself means anything, in each of its typographic forms, and OData doubles it as well. What means
 * something within "…" is not quoted: such an address gets no lines, rather than those of somebody else's. */
static bool is_quotable(const char *text)
{
	for (const char *c = text ? text : ""; *c; c++)
		if ((unsigned char)*c < 0x20 || strchr("\"$`", *c) || strncmp(c, "\xe2\x80\x9c", 3) == 0 || strncmp(c, "\xe2\x80\x9d", 3) == 0
		    || strncmp(c, "\xe2\x80\x9e", 3) == 0)
			return false;
	return true;
}

static void add_quoted(struct buffer *b, const char *text)
{
	static const char *const quotes[] = { "'", "\xe2\x80\x98", "\xe2\x80\x99", "\xe2\x80\x9a", "\xe2\x80\x9b" };

	for (const char *c = text; *c;) {
		struct slice one = slice(c, 1);

		for (size_t i = 0; i < COUNT(quotes); i++)
			if (slice_starts(slice_str(c), quotes[i])) {
				one = slice(c, strlen(quotes[i]));
				buffer_add(b, one);
			}
		buffer_add(b, one);
		c += one.len;
	}
}

static const char *filled(struct page *p, const char *line, const struct approval *a)
{
	const struct { const char *name, *text; } values[] = { { "{tenant}", a->tenant }, { "{app}", a->app }, { "{address}", a->address }, { "{scopes}", a->scopes } };
	struct buffer b;
	const char   *done;

	buffer_init(&b, PAGE_BYTES);
	while (*line) {
		size_t i = 0;

		while (i < COUNT(values) && !slice_starts(slice_str(line), values[i].name))
			i++;
		if (i == COUNT(values)) {
			buffer_add(&b, slice(line++, 1));
			continue;
		}
		add_quoted(&b, values[i].text);
		line += strlen(values[i].name);
	}
	done = arena_copy(p->job, buffer_held(&b));
	buffer_release(&b);
	return done;
}

static bool may_be_pasted(const struct remedy *w, const struct approval *a)
{
	return w->line[0] && is_quotable(a->address) && is_quotable(a->tenant) && is_quotable(a->app);
}

static void lines(struct page *p, const char *const line[LINES], const struct approval *a)
{
	for (size_t i = 0; i < LINES && line[i]; i++)
		page_element(p, "p", filled(p, line[i], a), "class", "copy", "translate", "no", NULL);
}

static void powershell(struct page *p, const struct remedy *w, const struct approval *a)
{
	if (!may_be_pasted(w, a))
		return;
	page_open(p, "details", "class", "more", NULL);
	page_element(p, "summary", page_word(p, "approval.powershell"), NULL);
	lines(p, w->line, a);
	if (w->undo[0])
		page_element(p, "h4", page_word(p, "admin.undo"), NULL);
	else
		page_element(p, "p", page_word(p, "approval.reads"), "class", "small", NULL);
	lines(p, w->undo, a);
	page_close(p, "details");
}

/* -- one way ------------------------------------------------------------------------------------------------------ */

static void steps(struct page *p, const struct remedy *w, const struct approval *a)
{
	const char *at = strrchr(a->address, '@'), *domain = at ? at + 1 : a->tenant;

	page_open(p, "ol", "class", "steps", "role", "list", NULL);
	for (int i = 1; i <= STEPS; i++) {
		const char *key = arena_print(p->job, "approval.%s.%d", w->key, i);

		if (!catalogue_text(p->lang, arena_print(p->job, "page/%s", key)))
			break;
		page_open(p, "li", NULL);
		page_prose(p, page_phrase(p, key, "domain", domain, "app", a->app, "address", a->address, NULL), NULL, 0);
		page_close(p, "li");
	}
	page_close(p, "ol");
}

static void consent_link(struct page *p, const struct approval *a)
{
	page_open(p, "div", "class", "buttons", NULL);
	page_element(p, "a", page_word(p, "approval.consent.button"), "class", "button", "href", a->consent_door ? a->consent_door : a->consent_url, "rel", "noreferrer", NULL);
	page_close(p, "div");
	page_element(p, "p", page_word(p, "approval.consent.hand"), NULL);
	page_element(p, "p", a->consent_url, "class", "copy", "translate", "no", NULL);
}

static void portal_link(struct page *p, const struct remedy *w, const struct approval *a)
{
	const char *url = arena_print(p->job, "%s%s", a->portal, w->at);

	page_open(p, "p", NULL);
	page_element(p, "a", page_word(p, a->tenant ? "approval.portal" : "approval.console"), "href", url, "rel", "noreferrer", NULL);
	page_close(p, "p");
}

static void way(struct page *p, const struct remedy *w, const struct approval *a)
{
	page_element(p, "h3", page_word(p, arena_print(p->job, "approval.%s", w->key)), NULL);
	if (w->wants_verified && !a->verified) {
		page_element(p, "p", page_word(p, "approval.unverified"), "class", "notice", NULL);
		return;
	}
	steps(p, w, a);
	if (w->consents && a->consent_url)
		consent_link(p, a);
	if (w->at)
		portal_link(p, w, a);
	powershell(p, w, a);
}

/* What all of it is about, to be compared with what Microsoft's pages show. */
static void particulars(struct page *p, const struct approval *a)
{
	const struct { const char *key, *text; } rows[] = { { "approval.tenant", a->tenant }, { a->tenant ? "approval.app" : "approval.client", a->app }, { "approval.scopes", a->scopes } };

	page_open(p, "dl", "class", "facts", NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!rows[i].text)
			continue;
		page_open(p, "div", NULL);
		page_element(p, "dt", page_word(p, rows[i].key), NULL);
		page_open(p, "dd", NULL);
		page_element(p, "code", rows[i].text, "translate", "no", NULL);
		page_close(p, "dd");
		page_close(p, "div");
	}
	page_close(p, "dl");
}

void render_ways(struct page *p, const struct retold_cause *c, const struct approval *a)
{
	const struct case_row *row = row_of(c);
	bool                   several = row->remedy[1] != NULL;

	page_open(p, "p", NULL);
	page_prose(p, c->told.why, NULL, 0);
	page_close(p, "p");
	if (approval_place(c))
		particulars(p, a);
	page_element(p, "h2", catalogue_text(p->lang, "ui/what_to_do"), NULL);
	if (several)
		page_element(p, "p", page_word(p, "approval.one_is_enough"), NULL);
	for (size_t i = 0; i < COUNT(row->remedy) && row->remedy[i]; i++)
		way(p, row->remedy[i], a);
	render_documentation(p, &c->told, "h3");
}

/* -- not approved ------------------------------------------------------------------------------------------------- */

bool render_consent_refused(struct page *p, const struct refused_page *r)
{
	const struct retold_cause *c = r->report && r->report->causes ? &r->report->cause[0] : NULL;
	bool                       declined = c && strcmp(cause_row(c->cause)->id, "microsoft.consent_declined") == 0;

	page_begin(p, &(struct frame){ .title = page_word(p, "consent.refused"), .path = r->path });
	render_sign(p, ICON_WARNED);
	page_element(p, "h1", page_word(p, "consent.refused"), NULL);
	page_element(p, "p", declined || !c ? page_word(p, "consent.declined") : c->told.title, "class", "lead", NULL);
	if (c && !declined) {
		page_open(p, "div", "class", "card", NULL);
		render_remedy(p, c);
		render_help_link(p, c->cause);
		page_close(p, "div");
	}
	page_open(p, "div", "class", "buttons", NULL);
	page_element(p, "a", page_word(p, "consent.back"), "class", "button", "href", r->path, NULL);
	page_close(p, "div");
	if (c)
		render_proof(p, r->report);
	return page_end(p);
}
