#include "wire/dav.h"

#include <ctype.h>
#include <stdlib.h>

/* -- requests ----------------------------------------------------------------------------------------------------- */

#define BEGIN(name) "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<" name " xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\" xmlns:s=\"http://calendarserver.org/ns/\">"

static const char *const questions[] = {
	[DAV_WHO] = "<d:current-user-principal/><d:resourcetype/><d:displayname/><c:calendar-home-set/><c:supported-calendar-component-set/>"
	            "<d:current-user-privilege-set/>",
	[DAV_LIST] = "<d:resourcetype/><d:displayname/><c:supported-calendar-component-set/><d:current-user-privilege-set/><d:sync-token/>"
	             "<s:getctag/><d:supported-report-set/>",
	[DAV_ETAGS] = "<d:getetag/><d:resourcetype/>",
};

bool dav_propfind(struct buffer *out, enum dav_question question)
{
	return buffer_print(out, BEGIN("d:propfind") "<d:prop>%s</d:prop></d:propfind>", questions[question]);
}

/* What a peer gave us as XML goes back to it as XML; nothing that XML cannot say ever came that way. */
static bool add_escaped(struct buffer *out, const char *text)
{
	bool fits = true;

	for (const char *c = text; fits && *c; c++) {
		static const struct { char byte; const char *text; } escapes[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" } };
		const char *escaped = NULL;

		for (size_t i = 0; i < COUNT(escapes); i++)
			if (*c == escapes[i].byte)
				escaped = escapes[i].text;
		fits = escaped ? buffer_add_str(out, escaped) : buffer_add(out, slice(c, 1));
	}
	return fits;
}

bool dav_sync(struct buffer *out, const char *token)
{
	return buffer_add_str(out, BEGIN("d:sync-collection") "<d:sync-token>") && add_escaped(out, token)
	    && buffer_add_str(out, "</d:sync-token><d:sync-level>1</d:sync-level><d:prop><d:getetag/></d:prop></d:sync-collection>");
}

bool dav_query(struct buffer *out, const char *start, const char *end, bool data)
{
	if (!buffer_print(out, BEGIN("c:calendar-query") "<d:prop><d:getetag/>%s</d:prop><c:filter><c:comp-filter name=\"VCALENDAR\">"
	                  "<c:comp-filter name=\"VEVENT\">", data ? "<c:calendar-data/>" : ""))
		return false;
	if (start && !buffer_print(out, "<c:time-range start=\"%s\" end=\"%s\"/>", start, end))
		return false;
	return buffer_add_str(out, "</c:comp-filter></c:comp-filter></c:filter></c:calendar-query>");
}

bool dav_multiget(struct buffer *out, const char *const *href, size_t count)
{
	bool fits = buffer_add_str(out, BEGIN("c:calendar-multiget") "<d:prop><d:getetag/><c:calendar-data/></d:prop>");

	for (size_t i = 0; fits && i < count; i++)
		fits = buffer_add_str(out, "<d:href>") && add_escaped(out, href[i]) && buffer_add_str(out, "</d:href>");
	return fits && buffer_add_str(out, "</c:calendar-multiget>");
}

/* -- lines and paths ---------------------------------------------------------------------------------------------- */

int dav_status(struct slice line)
{
	struct slice       rest = slice_trim(line);
	unsigned long long n;

	if (!slice_starts(rest, "HTTP/"))
		return 0;
	rest = slice_trim(slice_from(rest, slice_find(rest, ' ')));
	if (rest.len < 3 || !slice_number(slice_upto(rest, 3), 599, &n) || n < 100 || (rest.len > 3 && rest.at[3] != ' '))
		return 0;
	return (int)n;
}

static int hex(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : -1;
}

/* The next byte of a path, decoded. */
static int path_byte(const char **at)
{
	const char *c = *at;
	int         high = c[0] == '%' ? hex(c[1]) : -1, low = high >= 0 ? hex(c[2]) : -1;

	if (low >= 0) {
		*at += 3;
		return high * 16 + low;
	}
	*at += *c != '\0';
	return (unsigned char)*c;
}

bool dav_same_path(const char *a, const char *b)
{
	while (*a || *b) {
		/* a last slash is the only thing that one may have and the other not */
		if (!*a || !*b)
			return strcmp(*a ? a : b, "/") == 0;
		if (path_byte(&a) != path_byte(&b))
			return false;
	}
	return true;
}
