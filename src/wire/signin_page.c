#include "wire/signin_page.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "wire/http.h"

#define LOOKED_AT     ((size_t)128 * 1024)      /* of a body: sign-in pages with all their styles and scripts are half of that */
#define LONGEST_MARK  100
#define LONGEST_TITLE 100
#define LONGEST_BUILD 24

const char *signin_page_name(enum signin_page page)
{
	static const char *const name[] = {
		[PAGE_NONE] = "none",           [PAGE_OWA] = "owa",             [PAGE_GATEWAY] = "gateway",
		[PAGE_ADFS] = "adfs",           [PAGE_MICROSOFT] = "microsoft", [PAGE_FORMS] = "forms",
		[PAGE_EWS_FAULT] = "ews_fault", [PAGE_GATEWAY_FAULT] = "gateway_fault",
		[PAGE_SERVICE] = "service",     [PAGE_HTML] = "html",
	};

	return name[page];
}

/* What is looked at, and where what is found is written down. */
struct look {
	struct slice        fields, html;      /* `html` is empty when the body is something else */
	struct arena       *into;
	struct signin_seen *out;
};

static bool found(struct look *l, enum signin_page page, const char *kind, struct slice what)
{
	l->out->page = page;
	l->out->mark = arena_print(l->into, "%s %s", kind, arena_copy(l->into, slice_upto(what, LONGEST_MARK)));
	return true;
}

/* -- where a redirect, a form or a refresh leads ------------------------------------------------------------------ */

/* The beginning of a path, the more telling first (facts M C.5, C.5.1). A query is not looked at: in it portals carry where one
 * came from. */
static const struct { const char *path; enum signin_page page; } paths[] = {
	{ "/ews/genericerrorpage.htm",       PAGE_EWS_FAULT     },
	{ "/ews/services.wsdl",              PAGE_SERVICE       },
	{ "/internalsite/internalerror.asp", PAGE_GATEWAY_FAULT },
	{ "/internalsite/initparams.asp",    PAGE_GATEWAY_FAULT },
	{ "/internalsite/",                  PAGE_GATEWAY       },
	{ "/cookieauth.dll",                 PAGE_GATEWAY       },
	{ "/adfs/",                          PAGE_ADFS          },
	{ "/_forms/",                        PAGE_FORMS         },
	{ "/owa/",                           PAGE_OWA           },
	{ "/exchweb/bin/auth/",              PAGE_OWA           },
};

static const char *const microsoft_hosts[] = {
	"login.microsoftonline.com", "login.microsoft.com", "login.windows.net", "sts.windows.net", "login.live.com",
	"login.microsoftonline.us", "login.partner.microsoftonline.cn", "login.chinacloudapi.cn",
};

/* Names that a form's action has without a path in front of it: it stands in /owa/auth/ itself. */
static const char *const owa_actions[] = { "owaauth.dll", "auth.owa" };

static struct slice host_of(struct slice url)
{
	struct slice rest = slice_from(url, slice_search(url, "//") + 2);
	size_t       n = 0;

	while (n < rest.len && !strchr("/?#:", rest.at[n]))
		n++;
	return slice_upto(rest, n);
}

static bool is_absolute(struct slice url)
{
	return slice_starts(url, "https://") || slice_starts(url, "http://") || slice_starts(url, "//");
}

static struct slice path_of(struct slice url)
{
	size_t n = 0;

	if (is_absolute(url)) {
		url = slice_from(url, slice_search(url, "//") + 2);
		url = slice_from(url, slice_find(url, '/'));
	}
	while (n < url.len && !strchr("?#;", url.at[n]))
		n++;
	return slice_upto(url, n);
}

static bool leads_to_microsoft(struct slice url)
{
	for (size_t i = 0; is_absolute(url) && i < COUNT(microsoft_hosts); i++)
		if (slice_is(host_of(url), microsoft_hosts[i]))
			return true;
	return false;
}

/* "/owa" too is at "/owa/". */
static bool lies_at(struct slice path, const char *place)
{
	size_t len = strlen(place);

	return slice_starts(path, place) || (place[len - 1] == '/' && path.len == len - 1 && strncasecmp(path.at, place, path.len) == 0);
}

static bool judge_url(struct look *l, const char *kind, struct slice url)
{
	struct slice path = path_of(url);

	if (leads_to_microsoft(url))
		return found(l, PAGE_MICROSOFT, kind, host_of(url));
	for (size_t i = 0; i < COUNT(paths); i++)
		if (lies_at(path, paths[i].path))
			return found(l, paths[i].page, kind, path);
	return false;
}

/* -- fields ------------------------------------------------------------------------------------------------------- */

static bool is_build(struct slice text)
{
	size_t dots = 0;

	for (size_t i = 0; i < text.len; i++) {
		dots += text.at[i] == '.';
		if (!isdigit((unsigned char)text.at[i]) && text.at[i] != '.')
			return false;
		if (text.at[i] == '.' && (i == 0 || text.at[i - 1] == '.'))
			return false;
	}
	return dots >= 2 && text.len <= LONGEST_BUILD && text.at[text.len - 1] != '.';
}

/* The first number path segment behind "/owa/" or "/owa/auth/": "/owa/auth/15.1.1913/themes/…". */
static struct slice build_in_path(struct slice text)
{
	for (size_t at; (at = slice_search(text, "/owa/")) < text.len;) {
		struct slice segment;

		text = slice_from(text, at + strlen("/owa/"));
		if (slice_starts(text, "auth/"))
			text = slice_from(text, strlen("auth/"));
		segment = slice_upto(text, slice_find(slice_upto(text, LONGEST_BUILD + 1), '/'));
		if (segment.len < text.len && is_build(segment))
			return segment;
	}
	return slice(NULL, 0);
}

static void read_build(struct look *l, struct slice location)
{
	struct slice build;

	if (!http_header_in(l->fields, "X-OWA-Version", &build) || !is_build(build))
		build = build_in_path(location);
	if (!build.at)
		build = build_in_path(l->html);
	if (build.at)
		l->out->build = arena_copy(l->into, build);
}

/* -- the page ----------------------------------------------------------------------------------------------------- */

/* Some say nothing about what they send, and some say what is not true; what begins like a page is one. */
static bool is_html(struct slice fields, struct slice body)
{
	static const char *const beginnings[] = { "<!doctype html", "<html", "<head", "<body" };
	struct slice type, start;

	if (http_header_in(fields, "Content-Type", &type) && slice_has(type, "html"))
		return true;
	start = slice_starts(body, "\xef\xbb\xbf") ? slice_from(body, 3) : body;
	start = slice_trim(start);
	for (size_t i = 0; i < COUNT(beginnings); i++)
		if (slice_starts(start, beginnings[i]))
			return true;
	return false;
}

/* What follows the "=" of an attribute: in quotation marks of either kind, or up to a blank or the end of the tag. */
static struct slice attribute_value(struct slice s)
{
	size_t n = 0;

	s = slice_trim(s);
	if (s.len && (s.at[0] == '"' || s.at[0] == '\'')) {
		char quote = s.at[0];

		s = slice_from(s, 1);
		return slice_trim(slice_upto(s, slice_find(s, quote)));
	}
	while (n < s.len && !isspace((unsigned char)s.at[n]) && s.at[n] != '>')
		n++;
	return slice_upto(s, n);
}

/* The tag at the start of `s`, as far as it is there. */
static struct slice tag_of(struct slice s)
{
	return slice_upto(s, slice_find(s, '>'));
}

/* The value of `name` in a tag; at == NULL when it is not there. */
static struct slice attribute(struct slice tag, const char *name)
{
	for (size_t at; (at = slice_search(tag, name)) < tag.len;) {
		bool         separate = at > 0 && strchr(" \t\r\n\"'", tag.at[at - 1]);
		struct slice rest = slice_trim(slice_from(tag, at + strlen(name)));

		if (separate && rest.len && rest.at[0] == '=')
			return attribute_value(slice_from(rest, 1));
		tag = slice_from(tag, at + strlen(name));
	}
	return slice(NULL, 0);
}

/* The next tag of that name ("<form"), taken from `*rest`; at == NULL when there is none. */
static struct slice next_tag(struct slice *rest, const char *name)
{
	struct slice tag;

	*rest = slice_from(*rest, slice_search(*rest, name));
	if (rest->len == 0)
		return slice(NULL, 0);
	tag = tag_of(*rest);
	*rest = slice_from(*rest, tag.len);
	return tag;
}

static bool judge_action(struct look *l, struct slice action)
{
	struct slice path = path_of(action);

	if (judge_url(l, "form", action))
		return true;
	for (size_t i = 0; i < COUNT(owa_actions); i++)
		if (slice_is(path, owa_actions[i]))
			return found(l, PAGE_OWA, "form", path);
	return false;
}

static bool judge_forms(struct look *l)
{
	struct slice rest = l->html, tag;

	while ((tag = next_tag(&rest, "<form")).at)
		if (judge_action(l, attribute(tag, "action")))
			return true;
	return false;
}

static bool judge_refresh(struct look *l)
{
	struct slice rest = l->html, tag;

	while ((tag = next_tag(&rest, "<meta")).at) {
		struct slice content = attribute(tag, "content");

		content = slice_from(content, slice_search(content, "url="));
		if (slice_is(attribute(tag, "http-equiv"), "refresh") && content.len
		    && judge_url(l, "refresh", attribute_value(slice_from(content, strlen("url=")))))
			return true;
	}
	return false;
}

static bool has_password_field(const struct look *l)
{
	struct slice rest = l->html, tag;

	while ((tag = next_tag(&rest, "<input")).at)
		if (slice_is(attribute(tag, "type"), "password"))
			return true;
	return false;
}

/* Marks of a page that asks for a name and a password. Behind a form of ISA or TMG, which has the first of them too, there is no
 * X-OWA-Version (Exchange's own health monitor tells them apart by that). */
#define FORM_MARK "57a118c6-2da9-419d-be9a-f92b0f9a418b"

static bool judge_marks(struct look *l)
{
	static const struct { const char *kind, *text; enum signin_page page; } marks[] = {
		{ "comment", "OwaPage = ASP.auth_logon",    PAGE_OWA     },
		{ "script",  "a_sLgn",                      PAGE_OWA     },
		{ "page",    "You have created a service.", PAGE_SERVICE },
	};

	for (size_t i = 0; i < COUNT(marks); i++)
		if (slice_has(l->html, marks[i].text))
			return found(l, marks[i].page, marks[i].kind, slice_str(marks[i].text));
	return false;
}

static bool judge_html(struct look *l)
{
	struct slice version;

	if (slice_has(l->html, FORM_MARK)) {
		bool owa = http_header_in(l->fields, "X-OWA-Version", &version);

		return found(l, owa ? PAGE_OWA : PAGE_GATEWAY, "comment", slice_str(FORM_MARK));
	}
	return judge_forms(l) || judge_marks(l) || judge_refresh(l);
}

/* -- what IIS says beside the status ------------------------------------------------------------------------------ */

/* "403.6" at the start of `s`, a number of that status and nothing longer; its length or 0. */
static size_t sub_status_length(struct slice s, const char *status)
{
	size_t n = strlen(status) + 1, digits = 0;

	if (!slice_starts(s, status) || s.len < n || s.at[n - 1] != '.')
		return 0;
	while (n + digits < s.len && isdigit((unsigned char)s.at[n + digits]))
		digits++;
	n += digits;
	return digits == 0 || digits > 3 || (n < s.len && s.at[n] == '.') ? 0 : n;
}

/* "HTTP Error 403.6", and where another language is spoken: "403.6 - ". */
static void read_sub_status(struct look *l, int status)
{
	struct slice rest = l->html;
	char         number[16];

	if (status < 400 || status > 599)
		return;
	snprintf(number, sizeof number, "%d", status);
	for (size_t at; (at = slice_search(rest, number)) < rest.len; rest = slice_from(rest, at + 1)) {
		struct slice before = slice_upto(rest, at), behind = slice_from(rest, at);
		size_t       len = sub_status_length(behind, number);
		bool         named = slice_ends(before, "HTTP Error ") || slice_starts(slice_from(behind, len), " - ");

		if (len && named && !(at && (isdigit((unsigned char)rest.at[at - 1]) || rest.at[at - 1] == '.'))) {
			l->out->iis_status = arena_copy(l->into, slice_upto(behind, len));
			return;
		}
	}
}

/* -- the title ---------------------------------------------------------------------------------------------------- */

static void read_title(struct look *l)
{
	struct slice rest = l->html, tag = next_tag(&rest, "<title");
	char        *title = arena_get(l->into, LONGEST_TITLE + 2);
	size_t       len = 0;

	rest = slice_from(rest, 1);
	rest = slice_trim(slice_upto(rest, slice_find(rest, '<')));
	for (size_t i = 0; tag.at && i < rest.len && len <= LONGEST_TITLE; i++) {
		bool space = (unsigned char)rest.at[i] <= ' ' || rest.at[i] == 0x7f;

		if (!space)
			title[len++] = rest.at[i];
		else if (len && title[len - 1] != ' ')
			title[len++] = ' ';
	}
	if (len > LONGEST_TITLE) {
		len = LONGEST_TITLE;
		while (len && ((unsigned char)title[len] & 0xc0) == 0x80)      /* not in the middle of a character */
			len--;
	}
	while (len && title[len - 1] == ' ')
		len--;
	title[len] = '\0';
	l->out->title = len ? title : NULL;
}

/* -- all of it ---------------------------------------------------------------------------------------------------- */

void signin_page_read(int status, struct slice location, struct slice fields, struct slice body, struct arena *into,
                      struct signin_seen *out)
{
	struct look l = { .fields = fields, .into = into, .out = out, .html = slice("", 0) };

	*out = (struct signin_seen){ .page = PAGE_NONE };
	location = slice_trim(location);
	body = slice_upto(body, LOOKED_AT);
	if (is_html(fields, body))
		l.html = body;
	read_build(&l, location);
	read_sub_status(&l, status);
	read_title(&l);
	if (location.len && judge_url(&l, "location", location))
		return;
	if (judge_html(&l))
		return;
	if (status == 440)
		found(&l, PAGE_FORMS, "status", slice_str("440"));
	else if (has_password_field(&l))
		found(&l, PAGE_FORMS, "field", slice_str("password"));
	else if (!l.html.len && slice_has(slice_upto(body, 1024), ":definitions") && slice_has(body, "http://schemas.xmlsoap.org/wsdl/"))
		found(&l, PAGE_SERVICE, "document", slice_str("WSDL"));
	else if (l.html.len && location.len == 0)
		out->page = PAGE_HTML;
}
