#include "provider/google_knock.h"

#include "test.h"

/* As Google was seen to send it (facts G A.6). */
#define BLOB "Cg5pbnZhbGlkX2NsaWVudBIfVGhlIE9BdXRoIGNsaWVudCB3YXMgbm90IGZvdW5kLiCRAw=="
#define ERROR_PAGE "https://accounts.google.com/signin/oauth/error?authError="

static const struct { const char *location, *body; int status; enum google_known known; const char *code; } rows[] = {
	{ ERROR_PAGE BLOB "&client_id=x&flowName=GeneralOAuthFlow", "", 302, GOOGLE_REFUSED, "invalid_client" },
	{ ERROR_PAGE "Cg5pbnZhbGlkX2NsaWVudBIfVGhlIE9BdXRoIGNsaWVudCB3YXMgbm90IGZvdW5kLiCRAw%3D%3D&client_id=x", "", 303, GOOGLE_REFUSED, "invalid_client" },
	{ "/signin/oauth/error?authError=" BLOB, "", 302, GOOGLE_REFUSED, "invalid_client" },
	{ NULL, "<p>Error 400: redirect_uri_mismatch</p>", 400, GOOGLE_REFUSED, "redirect_uri_mismatch" },
	{ "https://accounts.google.com/v3/signin/identifier?continue=x", "", 302, GOOGLE_KNOWN, NULL },
	{ "https://accounts.google.com/signin/identifier?x", "", 302, GOOGLE_KNOWN, NULL },
	/* whose matter that is nobody can say before somebody signs in */
	{ NULL, "<p>Error 403: access_denied</p>", 403, GOOGLE_NOT_TOLD, NULL }, { NULL, "<p>Error 400: policy_enforced</p>", 400, GOOGLE_NOT_TOLD, NULL },
	/* none of these blocks anybody */
	{ "https://portal.hotel.example/?to=/v3/signin/", "", 302, GOOGLE_NOT_TOLD, NULL }, { NULL, "<p>Error 400: redirect_uri_mismatch</p>", 200, GOOGLE_NOT_TOLD, NULL },
	{ NULL, "", 503, GOOGLE_NOT_TOLD, NULL }, { "", "", 302, GOOGLE_NOT_TOLD, NULL }, { ERROR_PAGE, "", 302, GOOGLE_NOT_TOLD, NULL },
	{ ERROR_PAGE "%%%", "", 302, GOOGLE_NOT_TOLD, NULL }, { NULL, "", 0, GOOGLE_NOT_TOLD, NULL }, { NULL, "", 200, GOOGLE_NOT_TOLD, NULL },
};

TEST(what_google_answers_to_who_has_never_been_there)
{
	CLEANUP(arena) struct arena *job = arena_new();

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char       *code;
		enum google_known known = google_knock_read(rows[i].status, slice_str(rows[i].location), slice_str(rows[i].body), job, &code);

		EXPECT_ROW(known == rows[i].known, rows[i].location ? rows[i].location : rows[i].body);
		EXPECT_ROW(code ? rows[i].code && strcmp(code, rows[i].code) == 0 : !rows[i].code, rows[i].location ? rows[i].location : rows[i].body);
	}
}

/* Cut anywhere it is refused by the same word, or tells nothing: never another, and never that we are known. */
TEST(cut_at_every_byte)
{
	static const char whole[] = ERROR_PAGE BLOB;
	CLEANUP(arena) struct arena *job = arena_new();

	for (size_t cut = 0; cut < sizeof whole; cut++) {
		const char       *code;
		enum google_known known = google_knock_read(302, slice(whole, cut), slice(NULL, 0), job, &code);

		EXPECT_ROW(known == GOOGLE_NOT_TOLD || (known == GOOGLE_REFUSED && strcmp(code, "invalid_client") == 0), arena_copy(job, slice(whole, cut)));
	}
}
