/* Every page with made-up data, in every language: whole, well-formed, nothing left unsaid and nothing foreign let in. */
#include "serve/render.h"

#include <ctype.h>

#include "serve/samples.h"
#include "test.h"

static const char *const voids[] = { "input", "meta", "link", "img", NULL };

static bool is_void(struct slice tag)
{
	for (size_t i = 0; voids[i]; i++)
		if (slice_is(tag, voids[i]))
			return true;
	return false;
}

struct reading {
	struct slice open[PAGE_DEEPEST];
	size_t       depth;
	const char  *fault;
};

/* `<name attribute="value" …>`, as page.c writes it and in no other way. */
static void read_tag(struct reading *r, struct slice tag)
{
	struct slice rest = tag, name;
	bool         closing = slice_starts(tag, "/");

	if (closing)
		rest = slice_from(rest, 1);
	name = slice_cut(&rest, ' ');
	for (size_t i = 0; i < name.len; i++)
		if (!isalnum((unsigned char)name.at[i]))
			r->fault = "a tag of no name";
	if (closing) {
		if (!r->depth || !slice_equal(r->open[r->depth - 1], name))
			r->fault = "closes what is not open";
		else
			r->depth--;
	} else if (!is_void(name)) {
		if (r->depth == PAGE_DEEPEST)
			r->fault = "too deep";
		else
			r->open[r->depth++] = name;
	}
	while (rest.len) {
		struct slice attribute = slice_cut(&rest, '=');

		for (size_t i = 0; i < attribute.len; i++)
			if (!islower((unsigned char)attribute.at[i]) && attribute.at[i] != '-' && strncmp(attribute.at, "viewBox", 7) != 0)
				r->fault = "an attribute of no name";
		if (slice_starts(attribute, "on") || slice_is(attribute, "style"))
			r->fault = "script or style inside a page";
		if (!slice_starts(rest, "\""))
			r->fault = "an attribute without quotes";
		rest = slice_from(rest, 1);
		slice_cut(&rest, '"');
		if (slice_starts(rest, " "))
			rest = slice_from(rest, 1);
	}
}

static const char *misformed(struct slice html)
{
	struct reading r = { .depth = 0 };

	slice_cut(&html, '\n');          /* the doctype */
	while (html.len && !r.fault) {
		struct slice text = slice_cut(&html, '<');

		if (slice_find(text, '>') < text.len)
			return "a bracket in a text";
		if (html.at)
			read_tag(&r, slice_cut(&html, '>'));
	}
	return r.fault ? r.fault : r.depth ? "something was left open" : NULL;
}

static void render(const struct sample *s, const struct language *lang, struct arena *job, const char **html)
{
	struct buffer out;

	buffer_init(&out, PAGE_BYTES);
	EXPECT_ROW(sample_render(s, lang, job, &out), s->name);
	*html = arena_copy(job, buffer_held(&out));
	buffer_release(&out);
}

static const char *row_of(const struct sample *s, const struct language *lang, const char *what, struct arena *job)
{
	return arena_print(job, "%s.%s: %s", s->name, lang->tag, what);
}

TEST(every_page_is_well_formed)
{
	for (size_t n = 0; samples[n].name; n++)
		for (size_t l = 0; language_at(l); l++) {
			CLEANUP(arena) struct arena *job = arena_new();
			const char *html, *fault;

			render(&samples[n], language_at(l), job, &html);
			fault = misformed(slice_str(html));
			EXPECT_ROW(!fault, row_of(&samples[n], language_at(l), fault ? fault : "", job));
		}
}

/* The check itself would find these. */
TEST(the_check_finds_faults)
{
	static const char *const rows[] = { "x\n<p>", "x\n<p></b>", "x\n</p>", "x\n<p>a > b</p>", "x\n<p onclick=\"x\"></p>", "x\n<p style=\"x\"></p>", "x\n<p a=b></p>", "x\n<<p></p>" };

	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_ROW(misformed(slice_str(rows[i])), rows[i]);
	EXPECT(!misformed(slice_str("x\n<p a=\"1\" b=\"\"><input type=\"text\">a</p>")));
}

TEST(every_page_says_its_language_and_has_one_title)
{
	for (size_t n = 0; samples[n].name; n++)
		for (size_t l = 0; language_at(l); l++) {
			CLEANUP(arena) struct arena *job = arena_new();
			const char *html, *first;

			render(&samples[n], language_at(l), job, &html);
			first = strstr(html, "<h1");
			EXPECT_ROW(strstr(html, arena_print(job, "<html lang=\"%s\">", language_at(l)->tag)), row_of(&samples[n], language_at(l), "lang", job));
			EXPECT_ROW(first && !strstr(first + 1, "<h1"), row_of(&samples[n], language_at(l), "h1", job));
			EXPECT_ROW(!strstr(html, "page/") && !strstr(html, "(null)") && !strstr(html, "{product}"), row_of(&samples[n], language_at(l), "a text without its words", job));
		}
}

/* No two elements may have one id, and what a label or a description leads to has to be there. */
TEST(ids_are_unique_and_references_lead_somewhere)
{
	static const char *const references[] = { " for=\"", " aria-labelledby=\"", " aria-describedby=\"" };

	for (size_t n = 0; samples[n].name; n++) {
		CLEANUP(arena) struct arena *job = arena_new();
		const char *html, *at;

		render(&samples[n], language_english(), job, &html);
		for (at = html; (at = strstr(at, " id=\"")) != NULL; at++) {
			const char *id = arena_copy(job, slice(at, strcspn(at + 5, "\"") + 6));

			EXPECT_ROW(!strstr(at + 1, id), id);
		}
		for (size_t i = 0; i < COUNT(references); i++)
			for (at = html; (at = strstr(at, references[i])) != NULL; at++) {
				struct slice ids = slice(at + strlen(references[i]), strcspn(at + strlen(references[i]), "\""));

				while (ids.len) {
					struct slice one = slice_cut(&ids, ' ');

					EXPECT_ROW(strstr(html, arena_print(job, " id=\"%.*s\"", (int)one.len, one.at)), samples[n].name);
				}
			}
	}
}

/* -- help ----------------------------------------------------------------------------------------------------------- */

static const char *render_help_of(enum cause cause, const struct language *lang, struct arena *job)
{
	struct buffer out;
	struct page   p;
	const char   *html;

	buffer_init(&out, PAGE_BYTES);
	page_init(&p, &out, lang, job);
	EXPECT(render_help(&p, &(struct help_page){ .cause = cause, .csrf = "a\"b" }));
	html = arena_copy(job, buffer_held(&out));
	buffer_release(&out);
	return html;
}

TEST(each_cause_has_its_help_in_each_language)
{
	for (unsigned c = CAUSE_NONE + 1; c < CAUSE_COUNT; c++)
		for (size_t l = 0; language_at(l); l++) {
			CLEANUP(arena) struct arena *job = arena_new();
			const char *html = render_help_of((enum cause)c, language_at(l), job), *id = cause_row((enum cause)c)->id;
			struct told t;

			tell_cause((enum cause)c, language_at(l), job, &t);
			EXPECT_ROW(!misformed(slice_str(html)), id);
			EXPECT_ROW(strstr(html, arena_print(job, "/help/%s/feedback?lang=%s", id, language_at(l)->tag)), id);
			EXPECT_ROW(strstr(html, "value=\"a&quot;b\""), id);
			for (size_t i = 0; i < t.links; i++)
				EXPECT_ROW(strstr(html, arena_print(job, "<a href=\"%s\"", t.link[i])), id);
			/* every placeholder has its word: braces are left only where a command of PowerShell has them */
			for (const char *at = html; (at = strchr(at, '{')) != NULL; at++)
				EXPECT_ROW(!islower((unsigned char)at[1]), id);
		}
}

TEST(the_names_of_values_are_in_the_catalogue)
{
	for (size_t k = 0; k < catalogue_key_count; k++) {
		struct slice rest = slice_str(catalogues[0].texts[k]);

		if (strncmp(catalogue_keys[k], "ui/", 3) == 0 || strncmp(catalogue_keys[k], "page/", 5) == 0)
			continue;
		while (slice_cut(&rest, '{'), rest.at) {
			char key[64];

			snprintf(key, sizeof key, "page/value.%.*s", (int)slice_find(rest, '}'), rest.at);
			EXPECT_ROW(catalogue_text(language_english(), key), key);
		}
	}
}

TEST(the_index_lists_each_cause_once)
{
	CLEANUP(arena) struct arena *job = arena_new();
	const char *html;

	render(&samples[0], language_english(), job, &html);
	for (unsigned c = CAUSE_NONE + 1; c < CAUSE_COUNT; c++) {
		const char *link = arena_print(job, "href=\"/help/%s?lang=en\"", cause_row((enum cause)c)->id), *at = strstr(html, link);

		EXPECT_ROW(at && !strstr(at + 1, link), link);
	}
}

/* -- what is foreign ------------------------------------------------------------------------------------------------ */

/* Every script and image is one of ours, and no byte of the worst got through as it was. */
TEST(hostile_words_stay_words)
{
	for (size_t n = 0; samples[n].name; n++)
		for (size_t l = 0; language_at(l); l++) {
			CLEANUP(arena) struct arena *job = arena_new();
			const char *html, *at;

			render(&samples[n], language_at(l), job, &html);
			for (at = html; (at = strstr(at, "<script")) != NULL; at++)
				EXPECT_ROW(strncmp(at, "<script src=\"/assets/", 21) == 0, samples[n].name);
			for (at = html; (at = strstr(at, "<img")) != NULL; at++)
				EXPECT_ROW(strncmp(at, "<img src=\"/assets/", 18) == 0, samples[n].name);
			for (at = html; *at; at++)
				EXPECT_ROW((unsigned char)*at >= 0x20 || *at == '\n', samples[n].name);
			EXPECT_ROW(!strstr(html, "\xe2\x80\xae") && !strstr(html, "\xff"), samples[n].name);
		}
}

static const char *named(const char *name, const struct language *lang, struct arena *job)
{
	const char *html = NULL;

	for (size_t n = 0; samples[n].name; n++)
		if (strcmp(samples[n].name, name) == 0)
			render(&samples[n], lang, job, &html);
	EXPECT_ROW(html, name);
	return html;
}

TEST(and_they_are_there_to_be_read)
{
	static const char *const rows[] = { "connect-hostile", "progress-hostile", "failed-hostile", "handover-hostile", "admin-hostile" };

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(arena) struct arena *job = arena_new();

		EXPECT_ROW(strstr(named(rows[i], language_english(), job), "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;amp;"), rows[i]);
	}
}

/* -- the form --------------------------------------------------------------------------------------------------------- */

TEST(the_form_asks_for_what_is_needed_and_keeps_no_password)
{
	CLEANUP(arena) struct arena *job = arena_new();
	const char *fresh = named("connect", language_english(), job), *wrong = named("connect-wrong", language_english(), job);

	EXPECT(strstr(fresh, "<form class=\"card\" method=\"post\" action=\"" TOKEN_PATH "\" data-find=\"" TOKEN_PATH "/find.json?lang=en\">"));
	EXPECT(strstr(fresh, "<input type=\"hidden\" name=\"csrf\" value=\"t0ken\">"));
	EXPECT(strstr(fresh, "value=\"ann@birch.example\"") && strstr(fresh, "readonly=\"\""));
	EXPECT(strstr(fresh, "<details class=\"more\">") && strstr(wrong, "<details class=\"more\" open=\"\">"));
	EXPECT(!strstr(fresh, "aria-invalid") && !strstr(wrong, "readonly"));
	EXPECT(strstr(wrong, "aria-describedby=\"password-wrong password-hint\"") && strstr(wrong, "role=\"alert\"") && strstr(wrong, "href=\"#smtp_host\""));
	for (unsigned i = 0; i < INPUTS; i++)
		EXPECT_ROW(strstr(fresh, arena_print(job, "name=\"%s\"", connect_input_name((enum connect_input)i))), connect_input_name((enum connect_input)i));
}

/* What was found is said to be so, beside its field and in one line; what was not is not. */
TEST(what_was_found_is_said_to_be_found)
{
	CLEANUP(arena) struct arena *job = arena_new();
	const char *fresh = named("connect", language_english(), job), *found = named("connect-found", language_english(), job);

	EXPECT(strstr(found, "Found for you: mail.birch.example."));
	EXPECT(strstr(found, "<span class=\"hint found\" id=\"ews_url-found\">") && strstr(found, "aria-describedby=\"ews_url-hint ews_url-found\""));
	EXPECT(strstr(found, "name=\"found_ews_url\" value=\"https://mail.birch.example/EWS/Exchange.asmx\""));
	EXPECT(strstr(found, "<span class=\"hint found\" id=\"imap_host-found\" hidden=\"\">") && strstr(found, "value=\"exchange\" selected=\"\""));
	EXPECT(!strstr(fresh, "Found for you:") && !strstr(fresh, "aria-describedby=\"ews_url-hint ews_url-found\"") && strstr(fresh, "name=\"found_ews_url\""));
	/* Enter presses the first button: it connects */
	EXPECT(strstr(fresh, "type=\"submit\"") < strstr(fresh, "<noscript><button"));
}

/* Even if a handler filled one in by mistake, the sample with every value shows where values go. */
TEST(a_password_is_never_written_back)
{
	CLEANUP(arena) struct arena *job = arena_new();
	const char *html = named("connect-hostile", language_english(), job), *at = strstr(html, "name=\"password\"");

	EXPECT(at && strncmp(at, "name=\"password\" type=\"password\" maxlength=", 42) == 0);
}

TEST(what_will_be_read_stored_and_sent_is_said_before)
{
	for (size_t l = 0; language_at(l); l++) {
		CLEANUP(arena) struct arena *job = arena_new();
		const char *html = named("connect", language_at(l), job);
		static const char *const keys[] = { "page/connect.read", "page/connect.stored", "page/connect.sent", "page/connect.until", "page/connect.stored.text" };

		for (size_t i = 0; i < COUNT(keys); i++)
			EXPECT_ROW(strstr(html, catalogue_text(language_at(l), keys[i])), keys[i]);
	}
}

TEST(a_link_that_does_not_open_says_which_and_what_to_do)
{
	static const struct { const char *page, *title; } rows[] = {
		{ "link-unknown", "page/link.unknown" }, { "link-expired", "page/link.expired" }, { "link-used", "page/link.used" }, { "link-elsewhere", "page/link.elsewhere" },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t l = 0; language_at(l); l++) {
			CLEANUP(arena) struct arena *job = arena_new();

			EXPECT_ROW(strstr(named(rows[i].page, language_at(l), job), catalogue_text(language_at(l), rows[i].title)), rows[i].page);
		}
	{
		CLEANUP(arena) struct arena *job = arena_new();

		EXPECT(strstr(named("link-expired", language_english(), job), "22 November 2026, 09:30 UTC"));
	}
}

/* -- while it works, and after ------------------------------------------------------------------------------------------ */

TEST(the_checklist_goes_on_with_and_without_scripts)
{
	CLEANUP(arena) struct arena *job = arena_new();
	const char *html = named("progress", language_find("de"), job);

	EXPECT(strstr(html, "content=\"2; url=" TOKEN_PATH "/progress\""));
	EXPECT(strstr(html, "data-progress=\"" TOKEN_PATH "/progress.json?lang=de\""));
	EXPECT(strstr(html, "role=\"status\" aria-live=\"polite\"") && strstr(html, "Jetzt: SMTP-Anmeldung"));
	EXPECT(strstr(html, "<li class=\"failed\"><span class=\"label\">IMAP-Zertifikat</span> <span class=\"unseen\">Fehler</span> <span class=\"text\">"));
	EXPECT(strstr(named("progress-none", language_english(), job), "It is about to begin."));
}

TEST(a_result_leads_back_and_on)
{
	CLEANUP(arena) struct arena *job = arena_new();
	const char *good = named("connected", language_english(), job), *bad = named("failed", language_english(), job);

	EXPECT(strstr(good, "href=\"https://crm.birch.example/settings?tab=email&amp;account=acc_7gk2m4x9q8w1e3r5t7y9u2&amp;state=connected#mail\""));
	EXPECT(!strstr(named("connected-calendar", language_english(), job), "k7h2m9@bcc.birch.example"));
	EXPECT(strstr(good, "k7h2m9@bcc.birch.example") && strstr(good, "The server wants the user name in another form."));
	EXPECT(strstr(bad, "The certificate is for another name.") && strstr(bad, "Who can put it right: Your administrator"));
	EXPECT(strstr(bad, "<a class=\"button\" href=\"" TOKEN_PATH "\">Try again</a>"));
	EXPECT(strstr(bad, "<a class=\"button quiet\" href=\"" TOKEN_PATH "/administrator\">Hand it to the administrator</a>"));
	EXPECT(strstr(bad, "href=\"/help/tls.name_mismatch?lang=en\"") && strstr(bad, "<span translate=\"no\">tls.san</span>"));
	EXPECT(strstr(bad, "href=\"/help/net.intercepted?lang=en\""));
}

/* -- what an administrator at Microsoft does ---------------------------------------------------------------------------- */

static const char *ways_of(const char *address, struct arena *job)
{
	struct buffer out;
	struct page   p;
	struct retold r;
	struct approval a = sample_ways;
	const char   *html;

	a.address = address;
	buffer_init(&out, PAGE_BYTES);
	page_init(&p, &out, language_english(), job);
	EXPECT(retell(report_assign, p.lang, job, &r, NULL));
	page_open(&p, "main", NULL);
	render_ways(&p, &r.cause[0], &a);
	page_close(&p, "main");
	html = arena_copy(job, buffer_held(&out));
	buffer_release(&out);
	return html;
}

TEST(lines_to_paste_name_that_mailbox_and_do_nothing_else)
{
	CLEANUP(arena) struct arena *job = arena_new();
	static const char *const unfit[] = { "a$(x)b@x.example", "a`b@x.example", "\"a b\"@x.example", "a\nb@x.example", "a\xe2\x80\x9d;x@x.example" };

	EXPECT(strstr(ways_of("anna@x.example", job), "Get-MgUser -UserId &#39;anna@x.example&#39;</p>"));
	EXPECT(strstr(ways_of("o'neill@x.example", job), "Get-MgUser -UserId &#39;o&#39;&#39;neill@x.example&#39;</p>"));
	EXPECT(strstr(ways_of("o\xe2\x80\x99n@x.example", job), "&#39;o\xe2\x80\x99\xe2\x80\x99n@x.example&#39;"));
	/* a name of ours in it is only a name */
	EXPECT(strstr(ways_of("{app}{address}@x.example", job), "Get-MgUser -UserId &#39;{app}{address}@x.example&#39;</p>"));
	/* the others get none, rather than another one's */
	for (size_t i = 0; i < COUNT(unfit); i++)
		EXPECT_ROW(!strstr(ways_of(unfit[i], job), "PowerShell") && strstr(ways_of(unfit[i], job), "Users and groups"), unfit[i]);
}

TEST(what_was_left_unticked_at_google_is_named_and_leads_back_there)
{
	CLEANUP(arena) struct arena *job = arena_new();
	const char *html = named("unticked", language_english(), job), *lost = named("google-lost", language_english(), job);

	EXPECT(strstr(html, "Gmail: read, compose and send mail.") && strstr(html, "Google Calendar: see and edit the calendars."));
	EXPECT(strstr(html, "class=\"button quiet\" href=\"" TOKEN_PATH "\""));
	EXPECT(strstr(html, "action=\"" TOKEN_PATH "/google\"") && strstr(html, "value=\"ann@birch.example\"") && !strstr(html, "/google/said"));
	EXPECT(strstr(lost, "action=\"" TOKEN_PATH "/google/said\"") && strstr(lost, "What does Google&#39;s page say?") && !strstr(lost, "AADSTS"));
}

TEST(the_trusted_apps_of_a_workspace_are_its_administrators_matter)
{
	CLEANUP(arena) struct arena *job = arena_new();
	const char *html = named("admin-trust", language_english(), job), *done = named("admin-trusted", language_english(), job);
	const char *waits = named("blocked", language_english(), job), *once = named("protected", language_english(), job);

	EXPECT(strstr(html, "4815-mailmoor.apps.googleusercontent.com") && strstr(html, "https://www.googleapis.com/auth/gmail.modify https://www.googleapis.com/auth/calendar"));
	EXPECT(strstr(html, "administrator of birch.example") && strstr(html, "https://admin.google.com/ac/owl") && strstr(html, "Client ID"));
	EXPECT(!strstr(html, "Entra") && !strstr(html, "PowerShell") && strstr(html, "Check again now"));
	EXPECT(!strstr(done, "admin.google.com") && strstr(done, "data-every=\"5000\""));
	EXPECT(strstr(waits, "you sign in once more") && strstr(waits, TOKEN_PATH "/administrator") && !strstr(waits, "API controls"));
	EXPECT(strstr(once, "Your administrator has done their part.") && strstr(once, "action=\"" TOKEN_PATH "/google\""));
}

TEST(every_way_can_be_undone_or_only_reads)
{
	static const struct { const char *name, *does, *undoes; } rows[] = {
		{ "admin-approval", "New-MgOauth2PermissionGrant", "Remove-MgOauth2PermissionGrant" },
		{ "admin-approval", "AdminConsentRequestPolicy -IsEnabled:$true", "AdminConsentRequestPolicy -IsEnabled:$false" },
		{ "admin-verified", "microsoft-user-default-low", "@($before)" },
		{ "admin-assign", "New-MgServicePrincipalAppRoleAssignedTo", "Remove-MgServicePrincipalAppRoleAssignedTo" },
		{ "admin-assign", "AppRoleAssignmentRequired:$false", "AppRoleAssignmentRequired:$true" },
		{ "admin-policy", "AppliedConditionalAccessPolicies", "These lines only read" },
		{ "admin-disabled", "AccountEnabled:$true", "AccountEnabled:$false" },
		{ "admin-disabled", "Add-DistributionGroupMember", "Remove-DistributionGroupMember" },
		{ "admin-smtp", "SmtpClientAuthenticationDisabled $false", "SmtpClientAuthenticationDisabled $true" },
	};
	CLEANUP(arena) struct arena *job = arena_new();
	const char *pending = named("admin-request", language_english(), job), *wicked = named("admin-wicked", language_english(), job);

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *html = named(rows[i].name, language_english(), job), *does = strstr(html, rows[i].does);

		EXPECT_ROW(does && strstr(does, rows[i].undoes), rows[i].does);
	}
	EXPECT(strstr(named("admin-approval", language_english(), job), "This way does not work for this app") && !strstr(named("admin-verified", language_english(), job), "does not work for this app"));
	EXPECT(strstr(pending, "#view/Microsoft_AAD_IAM/StartboardApplicationsMenuBlade/~/AccessRequests") && strstr(pending, "/v2.0/adminconsent?"));
	EXPECT(!strstr(wicked, "PowerShell") && !strstr(wicked, "href=\"javascript:"));
	EXPECT(!strstr(named("admin-approved", language_english(), job), "cannot connect") && strstr(named("admin-approved", language_english(), job), "data-every=\"5000\""));
}

TEST(a_result_waits_for_the_administrator_or_offers_the_sign_in)
{
	CLEANUP(arena) struct arena *job = arena_new();
	const char *waits = named("failed-approval", language_english(), job), *soon = named("failed-soon", language_english(), job);
	const char *once = named("failed-once-more", language_english(), job), *lost = named("failed-lost", language_english(), job);

	EXPECT(strstr(waits, "data-watch=\"" TOKEN_PATH "/state.json\"") && strstr(waits, "data-cause=\"microsoft.admin_approval_required\""));
	EXPECT(strstr(waits, "<a class=\"button\" href=\"" TOKEN_PATH "/administrator\">") && strstr(waits, "<noscript><meta http-equiv=\"refresh\" content=\"15; url="));
	EXPECT(strstr(soon, "<noscript><meta http-equiv=\"refresh\" content=\"10; url=" TOKEN_PATH "/result\"") && strstr(soon, "data-reload=\"10000\""));
	EXPECT(strstr(once, "action=\"" TOKEN_PATH "/microsoft\"") && strstr(once, "value=\"anna@contoso.example\"") && !strstr(once, "http-equiv=\"refresh\""));
	EXPECT(strstr(lost, "name=\"said\"") && strstr(lost, "/microsoft/said"));
}

/* What a server said never becomes a link, though it looks like one; the provider's own page does. */
TEST(links_of_a_peer_stay_text)
{
	CLEANUP(arena) struct arena *job = arena_new();
	const char *html = named("failed-password", language_english(), job);

	EXPECT(strstr(html, "<a href=\"https://myaccount.google.com/apppasswords\""));
	EXPECT(strstr(html, "<code translate=\"no\">Application-specific password required: https://support.google.com/accounts/answer/185833 (Failure)</code>"));
}

TEST(each_state_has_its_result)
{
	static const struct { const char *page, *key; } rows[] = {
		{ "failed-partial", "page/result.partial" }, { "failed-confirm", "page/result.confirm.do" }, { "failed-sign-in", "ui/verdict.unfinished_sign_in" },
		{ "failed-none", "page/result.none" }, { "failed-paused", "page/result.paused.text" }, { "connected", "page/result.connected" },
		{ "failed-calendar", "page/result.partial.calendar" }, { "connected-calendar", "page/result.connected.calendar" },
		{ "admin", "page/admin.state.needs" }, { "admin-checking", "page/admin.state.connecting" }, { "admin-done", "page/admin.nothing" },
		{ "admin-removed", "page/admin.state.removed" }, { "admin-unknown", "page/admin.addresses.none" }, { "trouble", "page/trouble.lead" },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t l = 0; language_at(l); l++) {
			CLEANUP(arena) struct arena *job = arena_new();

			EXPECT_ROW(strstr(named(rows[i].page, language_at(l), job), catalogue_text(language_at(l), rows[i].key)), rows[i].page);
		}
	{
		CLEANUP(arena) struct arena *job = arena_new();

		EXPECT(strstr(named("failed-waiting", language_english(), job), "next on 22 November 2026, 10:30 UTC"));
	}
}

/* -- the administrator ------------------------------------------------------------------------------------------------- */

TEST(the_administrators_page_says_all_that_is_needed)
{
	CLEANUP(arena) struct arena *job = arena_new();
	const char *html = named("admin", language_english(), job), *sending = named("admin-sending", language_find("de"), job),
	           *learnt_ones = named("admin-learnt", language_english(), job);

	EXPECT(strstr(html, "<li translate=\"no\">203.0.113.9</li>") && strstr(html, "<li translate=\"no\">2001:db8::9</li>"));
	EXPECT(!strstr(html, "one server only"));
	EXPECT(strstr(learnt_ones, "<li translate=\"no\">203.0.113.9</li>") && strstr(learnt_ones, "<li>2001:db8::9 (named by one server only)</li>"));
	EXPECT(strstr(learnt_ones, "as mail servers have seen them") && !strstr(learnt_ones, "Only from these addresses"));
	EXPECT(strstr(html, "What is needed, and no more") && strstr(html, "Take the addresses off the list again."));
	EXPECT(strstr(html, "<form class=\"buttons\" method=\"post\" action=\"/admin/t\">") && strstr(html, "Check again now"));
	EXPECT(!strstr(html, "/admin/t/administrator") && strstr(html, "data-watch=\"/admin/t/state.json\" data-state=\"needs_admin\""));
	EXPECT(strstr(sending, "<code translate=\"no\">Set-CASMailbox ann@contoso.example -SmtpClientAuthenticationDisabled $true</code>"));
	EXPECT(!strstr(sending, catalogue_text(language_find("de"), "page/admin.addresses")));
	EXPECT(!strstr(named("admin-checking", language_english(), job), "Check again now"));
	EXPECT(!strstr(named("admin-done", language_english(), job), "Check again now"));
}

TEST(the_mail_to_the_administrator_is_one_address_line)
{
	CLEANUP(arena) struct arena *job = arena_new();
	const char *html = named("handover-hostile", language_english(), job), *at = strstr(html, "href=\"mailto:");
	size_t      len = at ? strcspn(at + 6, "\"") : 0;

	EXPECT(at && strncmp(at + 6, "mailto:?subject=Please%20help%20to%20connect%20%22%3E%3Cscript", 61) == 0);
	for (size_t i = 6; i < len; i++)
		EXPECT(isalnum((unsigned char)at[i]) || strchr("%?&;=:-._~", at[i]));
	EXPECT(strstr(html, "%0D%0A%0D%0Ahttps%3A%2F%2Fmail.example.org%2Fadmin%2Fx"));
}
