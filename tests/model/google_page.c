#include "model/google_page.h"

#include "test.h"

/* as it was recorded (facts G A.6) */
#define RECORDED "Cg5pbnZhbGlkX2NsaWVudBIfVGhlIE9BdXRoIGNsaWVudCB3YXMgbm90IGZvdW5kLiCRAw"

static const struct { const char *blob, *code, *text; int status; } blobs[] = {
	{ RECORDED "==", "invalid_client", "The OAuth client was not found.", 401 },
	{ RECORDED, "invalid_client", "The OAuth client was not found.", 401 },
	{ RECORDED "%3D%3d", "invalid_client", "The OAuth client was not found.", 401 },
	{ "Cg9wb2xpY3lfZW5mb3JjZWQSDkFjY2VzcyBibG9ja2VkIJAD", "policy_enforced", "Access blocked", 400 },
	/* fields of other numbers and kinds before it */
	{ "GAcpMTIzNDU2Nzg1YWJjZAoMb3JnX2ludGVybmFsEgF4IJMD", "org_internal", "x", 403 },
	/* both alphabets */
	{ "Cg9pbnZhbGlkX3JlcXVlc3QSCMO8w77Dvz8-IJAD", "invalid_request", "\xc3\xbc\xc3\xbe\xc3\xbf?>", 400 },
	{ "Cg9pbnZhbGlkX3JlcXVlc3QSCMO8w77Dvz8+IJAD", "invalid_request", "\xc3\xbc\xc3\xbe\xc3\xbf?>", 400 },
	/* no code; a code that is none; no base64; a length that leads out of it */
	{ "EgF4IJAD", NULL, NULL, 0 },
	{ "CgpOb3QgQSBDb2RlEgF4IJAD", NULL, NULL, 0 },
	{ "Cg9wb2xpY3lfZW5mb3JjZWQ!", NULL, NULL, 0 },
	{ "Cv__________AQ", NULL, NULL, 0 },
	{ "====", NULL, NULL, 0 },
	{ "", NULL, NULL, 0 },
};

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

TEST(blobs_are_read)
{
	for (size_t i = 0; i < COUNT(blobs); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct google_page           p;
		bool                         fine = google_page_decode(slice_str(blobs[i].blob), job, &p);

		EXPECT_ROW(fine == (blobs[i].code != NULL), blobs[i].blob);
		EXPECT_ROW(!fine || (same(p.code, blobs[i].code) && same(p.text, blobs[i].text) && p.status == blobs[i].status), blobs[i].blob);
	}
}

/* Cut short it is nothing, or says less: never something else. */
TEST(a_blob_cut_at_every_byte)
{
	for (size_t len = 0; len < sizeof RECORDED - 1; len++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct google_page           p;

		if (google_page_decode(slice(RECORDED, len), job, &p))
			EXPECT(same(p.code, "invalid_client") && (!p.text || same(p.text, "The OAuth client was not found.")) && (!p.status || p.status == 401 || p.status == 17));
	}
}

TEST(a_blob_that_is_too_long)
{
	CLEANUP(arena) struct arena *job = arena_new();
	char              *text = arena_get(job, GOOGLE_PAGE_BLOB + 2);
	struct google_page p;

	memset(text, 'A', GOOGLE_PAGE_BLOB + 1);
	EXPECT(!google_page_decode(slice_str(text), job, &p));
}

static const struct { const char *text, *code; int status; } texts[] = {
	{ "https://accounts.google.com/signin/oauth/error?authError=" RECORDED "%3D%3D&client_id=1&flowName=GeneralOAuthFlow", "invalid_client", 401 },
	{ "see https://accounts.google.com/signin/oauth/error?authError=" RECORDED " and what it says", "invalid_client", 401 },
	{ "authError=nonsense then authError=" RECORDED, "invalid_client", 401 },
	{ "Access blocked\nann@birch.example\nError 400: policy_enforced", "policy_enforced", 400 },
	{ "Fehler 403: access_denied", "access_denied", 403 },
	{ "\xe0\xb8\x82\xe0\xb9\x89\xe0\xb8\xad\xe0\xb8\x9c\xe0\xb8\xb4\xe0\xb8\x94 403 :  ORG_INTERNAL.", "ORG_INTERNAL", 403 },
	{ "error 400: something_else", NULL, 0 },
	{ "access_denied", NULL, 0 },
	{ "1400: policy_enforced", NULL, 0 },
	{ "200: policy_enforced", NULL, 0 },
	{ "400 policy_enforced", NULL, 0 },
	{ "Error 400: policy_enforced_more", NULL, 0 },
	{ "authError=", NULL, 0 },
	{ ":policy_enforced", NULL, 0 },
};

TEST(texts_are_searched)
{
	for (size_t i = 0; i < COUNT(texts); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct google_page           p;
		bool                         found = google_page_find(slice_str(texts[i].text), job, &p);

		EXPECT_ROW(found == (texts[i].code != NULL), texts[i].text);
		EXPECT_ROW(!found || (same(p.code, texts[i].code) && p.status == texts[i].status), texts[i].text);
	}
}
