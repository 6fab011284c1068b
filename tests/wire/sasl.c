#include "wire/sasl.h"

#include "test.h"

static const char *encoded(struct arena *arena, const char *text)
{
	return base64_encode(arena, slice_str(text));
}

static const char *decoded(struct arena *arena, const char *text)
{
	struct slice out;

	return text && base64_decode(arena, slice_str(text), &out) ? arena_copy(arena, out) : NULL;
}

/* -- base64 ------------------------------------------------------------------------------------------------------- */

TEST(base64_of_rfc_4648)
{
	static const struct { const char *text, *base64; } rows[] = {
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "fooba",
		  "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" }, { "\xff\xef\xbe", "/+++" },
	};
	CLEANUP(arena) struct arena *arena = arena_new();
	struct slice out;

	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t bare = strcspn(rows[i].base64, "=");

		EXPECT_TEXT(encoded(arena, rows[i].text), rows[i].base64);
		EXPECT_TEXT(decoded(arena, rows[i].base64), rows[i].text);
		EXPECT_ROW(base64_decode(arena, slice(rows[i].base64, bare), &out), rows[i].base64);
		EXPECT_ROW(slice_equal(out, slice_str(rows[i].text)), rows[i].base64);
	}
}

TEST(base64_survives_every_byte)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	char         bytes[256];
	struct slice out;

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)i;
	for (size_t len = 0; len <= sizeof bytes; len++) {
		EXPECT(base64_decode(arena, slice_str(base64_encode(arena, slice(bytes, len))), &out));
		EXPECT(slice_equal(out, slice(bytes, len)));
	}
}

TEST(base64_takes_nothing_else)
{
	static const char *const rows[] = {
		"Z", "=", "==", "====", "Zg=", "Zg===", "Zm8==", "Zm9v=", "Zm9v====", "Zm9vY", "Z===", "Zg==Zg==",
		  "Zm 9", "Zm9\n",
		"Zm9-", "Zm9_", "Zh==", "Zm9", "Zm9v\xc3", "Z=g=",
	};
	CLEANUP(arena) struct arena *arena = arena_new();
	struct slice out;

	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_ROW(!base64_decode(arena, slice_str(rows[i]), &out), rows[i]);
	EXPECT(!base64_decode(arena, slice("Zm9\0", 4), &out));
}

/* -- choosing ----------------------------------------------------------------------------------------------------- */

TEST(the_best_mechanism_is_chosen)
{
	static const struct { const char *offered; bool password, token; const char *name; } rows[] = {
		{ "PLAIN LOGIN",                              true,  false, "PLAIN"         },
		{ "LOGIN plain",                              true,  false, "PLAIN"         },
		{ "CRAM-MD5 SCRAM-SHA-1 LOGIN",               true,  false, "LOGIN"         },
		{ "CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256",       true,  false, "SCRAM-SHA-256" },
		{ "SCRAM-SHA-1 CRAM-MD5",                     true,  false, "SCRAM-SHA-1"   },
		{ "NTLM CRAM-MD5",                            true,  false, "CRAM-MD5"      },
		{ "PLAIN XOAUTH2 OAUTHBEARER",                true,  true,  "OAUTHBEARER"   },
		{ "PLAIN XOAUTH2",                            true,  true,  "XOAUTH2"       },
		{ "PLAIN",                                    true,  true,  "PLAIN"         },
		{ "PLAIN XOAUTH2",                            true,  false, "PLAIN"         },
		{ "PLAIN XOAUTH2",                            false, true,  "XOAUTH2"       },
		{ "PLAIN",                                    false, true,  NULL            },
		{ "XOAUTH2",                                  true,  false, NULL            },
		{ "XOAUTH2 PLAIN",                            false, false, NULL            },
		{ "PLAIN-CLIENTTOKEN XOAUTH X-PLAIN",         true,  true,  NULL            },
		{ "SCRAM-SHA-256-PLUS  NTLM GSSAPI ",         true,  true,  NULL            },
		{ "",                                         true,  true,  NULL            },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct sasl_mechanism *m = sasl_choose(slice_str(rows[i].offered), rows[i].password,
			rows[i].token);

		EXPECT_ROW((m != NULL) == (rows[i].name != NULL), rows[i].offered);
		if (m)
			EXPECT_TEXT(m->name, rows[i].name);
	}
}

TEST(mechanisms_are_found_by_name)
{
	EXPECT_TEXT(sasl_find("scram-sha-256")->name, "SCRAM-SHA-256");
	EXPECT(sasl_find("XOAUTH2")->by_token && sasl_find("XOAUTH2")->client_first);
	EXPECT(!sasl_find("LOGIN")->client_first && sasl_find("LOGIN")->clear);
	EXPECT(!sasl_find("SCRAM-SHA-1")->clear && !sasl_find("CRAM-MD5")->clear && sasl_find("PLAIN")->clear);
	EXPECT(!sasl_find("NTLM") && !sasl_find("") && !sasl_find("PLAI"));
}

/* -- exchanges ---------------------------------------------------------------------------------------------------- */

#define GOOGLE_TOKEN "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"
#define RFC7628_TOKEN "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="
#define GOOGLE_REFUSAL \
	"eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIG1hYyIsInNjb3BlIjoiaHR0cHM6Ly9tYWlsLmdvb2dsZS5jb20vIn0K"
#define RFC7628_REFUSAL \
	"eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIiwic2NvcGUiOiJleGFtcGxlX3Njb3BlIiwib3BlbmlkLWNvbmZpZ3VyYXRpb24i" \
	"OiJodHRwczovL2V4YW1wbGUuY29tLy53ZWxsLWtub3duL29wZW5pZC1jb25maWd1cmF0aW9uIn0="

static const struct sasl_credentials rfc7628 = {
	.user = "user@example.com", .token = RFC7628_TOKEN, .host = "server.example.com", .port = 143,
};

TEST(initial_responses)
{
	static const struct { const char *mechanism; struct sasl_credentials who; const char *base64; } rows[] = {
		/* RFC 4616 §4 */
		{ "PLAIN", { .user = "tim", .password = "tanstaaftanstaaf" }, "AHRpbQB0YW5zdGFhZnRhbnN0YWFm" },
		{ "PLAIN", { .user = "Kurt", .authzid = "Ursel", .password = "xipj3plmq" },
		  "VXJzZWwAS3VydAB4aXBqM3BsbXE=" },
		{ "PLAIN", { .user = "u", .password = "gr\xc3\xbc\xc3\x9f" }, "AHUAZ3LDvMOf" },
		{ "PLAIN", { .user = "u", .password = "" }, "AHUA" },
		/* Google's "The SASL XOAUTH2 mechanism" */
		{ "XOAUTH2", { .user = "someuser@example.com", .token = GOOGLE_TOKEN },
		  "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRj"
		  "Mk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ==" },
		/* RFC 7628 §4.1 */
		{ "OAUTHBEARER", { .user = "user@example.com", .token = RFC7628_TOKEN, .host = "server.example.com",
		  .port = 143 },
		  "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9"
		  "QmVhcmVyIHZGOWRmdDRxbVRj"
		  "Mk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB" },
		{ "LOGIN", { .user = "u", .password = "p" }, NULL },
		{ "CRAM-MD5", { .user = "u", .password = "p" }, NULL },
		/* a field of the message cannot be smuggled in, and a nonce ends at a comma */
		{ "XOAUTH2", { .user = "a\1auth=Bearer x", .token = "t" }, NULL },
		{ "OAUTHBEARER", { .user = "a", .token = "t\1" }, NULL },
		{ "OAUTHBEARER", { .user = "a", .token = "t", .host = "h\r" }, NULL },
		{ "SCRAM-SHA-1", { .user = "u", .password = "p", .nonce = "a,b" }, NULL },
		{ "SCRAM-SHA-1", { .user = "u", .password = "p", .nonce = "" }, NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(sasl) struct sasl *s = sasl_new(sasl_find(rows[i].mechanism), &rows[i].who);
		const char *initial = sasl_initial(s);

		EXPECT_ROW((initial == NULL) == (rows[i].base64 == NULL), rows[i].mechanism);
		if (initial)
			EXPECT_TEXT(initial, rows[i].base64);
	}
}

TEST(names_are_escaped_and_what_is_missing_is_left_out)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	struct sasl_credentials who = { .user = "a,b=c", .token = "t", .password = "p", .nonce = "n" };
	CLEANUP(sasl) struct sasl *bearer = sasl_new(sasl_find("OAUTHBEARER"), &who);
	CLEANUP(sasl) struct sasl *scram = sasl_new(sasl_find("SCRAM-SHA-256"), &who);

	EXPECT_TEXT(decoded(arena, sasl_initial(bearer)), "n,a=a=2Cb=3Dc,\1auth=Bearer t\1\1");
	EXPECT_TEXT(decoded(arena, sasl_initial(scram)), "n,,n=a=2Cb=3Dc,r=n");
}

TEST(a_server_without_initial_responses_asks_for_it)
{
	CLEANUP(sasl) struct sasl *s = sasl_new(sasl_find("PLAIN"), &(struct sasl_credentials){ .user = "tim",
		.password = "x" });

	EXPECT(!sasl_answer(s, slice_str("Zm9v")));
	EXPECT_TEXT(sasl_answer(s, slice_str("")), "AHRpbQB4");
	EXPECT(!sasl_answer(s, slice_str("")));
	EXPECT(sasl_proven(s));
}

TEST(login_answers_two_questions_whatever_they_say)
{
	static const char *const prompts[][2] = {
		{ "VXNlcm5hbWU6", "UGFzc3dvcmQ6" }, { "VXNlciBOYW1lAA==", "UGFzc3dvcmQA" }, { "", "" }, { "Username:",
		  "Password:" },
	};

	for (size_t i = 0; i < COUNT(prompts); i++) {
		struct sasl_credentials who = { .user = "tim", .password = "tanstaaf" };
		CLEANUP(sasl) struct sasl *s = sasl_new(sasl_find("LOGIN"), &who);

		EXPECT_TEXT(sasl_answer(s, slice_str(prompts[i][0])), "dGlt");
		EXPECT_TEXT(sasl_answer(s, slice_str(prompts[i][1])), "dGFuc3RhYWY=");
		EXPECT(!sasl_answer(s, slice_str(prompts[i][1])));
	}
}

/* RFC 2195 §2 */
TEST(cram_md5)
{
	struct sasl_credentials who = { .user = "tim", .password = "tanstaaftanstaaf" };
	CLEANUP(sasl) struct sasl *s = sasl_new(sasl_find("CRAM-MD5"), &who);

	EXPECT(!sasl_answer(s, slice_str("")));
	EXPECT(!sasl_answer(s, slice_str("no base64")));
	EXPECT_TEXT(sasl_answer(s, slice_str("PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+")),
	            "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw");
	EXPECT(!sasl_answer(s, slice_str("PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+")));
}

TEST(a_refused_token_has_a_reason_and_gets_a_nod)
{
	static const struct { const char *mechanism, *challenge, *nod, *reason; } rows[] = {
		{ "XOAUTH2", GOOGLE_REFUSAL, "",
		  "{\"status\":\"401\",\"schemes\":\"bearer mac\",\"scope\":\"https://mail.google.com/\"}" },
		/* RFC 7628 §4.3 */
		{ "OAUTHBEARER", RFC7628_REFUSAL, "AQ==", "{\"status\":\"invalid_token\",\"scope\":\"example_scope\","
		  "\"openid-configuration\":\"https://example.com/.well-known/openid-configuration\"}" },
		{ "XOAUTH2", "", "", "" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(sasl) struct sasl *s = sasl_new(sasl_find(rows[i].mechanism), &rfc7628);

		sasl_initial(s);
		EXPECT_TEXT(sasl_reason(s), "");
		EXPECT(!sasl_answer(s, slice_str("{\"status\"}")));
		EXPECT_TEXT(sasl_answer(s, slice_str(rows[i].challenge)), rows[i].nod);
		EXPECT_TEXT(sasl_reason(s), rows[i].reason);
		EXPECT(!sasl_answer(s, slice_str(rows[i].challenge)));
	}
}

/* -- SCRAM -------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *mechanism;
	const char *nonce, *client_first, *server_first, *client_final, *server_final;
} scrams[] = {
	/* RFC 5802 §5 */
	{ "SCRAM-SHA-1", "fyko+d2lbbFgONRv9qkxdawL", "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
	  "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
	  "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
	  "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=" },
	/* RFC 7677 §3 */
	{ "SCRAM-SHA-256", "rOprNGfwEbeRWgbNEkqO", "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
	  "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
	  "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
	  "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=" },
};

static struct sasl *scram(size_t i)
{
	return sasl_new(sasl_find(scrams[i].mechanism),
	                &(struct sasl_credentials){ .user = "user", .password = "pencil", .nonce = scrams[i].nonce });
}

static const char *answer(struct sasl *s, struct arena *arena, const char *challenge)
{
	return decoded(arena, sasl_answer(s, slice_str(encoded(arena, challenge))));
}

TEST(scram_proves_both_sides)
{
	for (size_t i = 0; i < COUNT(scrams); i++) {
		CLEANUP(arena) struct arena *arena = arena_new();
		CLEANUP(sasl) struct sasl *s = scram(i);

		EXPECT_TEXT(decoded(arena, sasl_initial(s)), scrams[i].client_first);
		EXPECT_TEXT(answer(s, arena, scrams[i].server_first), scrams[i].client_final);
		EXPECT(!sasl_proven(s));
		EXPECT_TEXT(answer(s, arena, scrams[i].server_final), "");
		EXPECT(sasl_proven(s));
		EXPECT(!answer(s, arena, scrams[i].server_final));
	}
}

TEST(scram_with_another_identity_binds_its_header)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	struct sasl_credentials who = { .user = "u", .authzid = "a", .password = "p", .nonce = "n" };
	CLEANUP(sasl) struct sasl *s = sasl_new(sasl_find("SCRAM-SHA-1"), &who);

	EXPECT_TEXT(decoded(arena, sasl_initial(s)), "n,a=a,n=u,r=n");
	EXPECT(strncmp(answer(s, arena, "r=nX,s=QSXC,i=1"), "c=bixhPWEs,r=nX,p=", 18) == 0);
}

TEST(scram_trusts_no_false_proof)
{
	static const char *const finals[] = {
		"", "v=", "v", "x=rmF9pqV8S7suAoZWja4dJRkFsKQ=", "v=rmF9pqV8S7suAoZWja4dJRkFsK",
		  "v=smF9pqV8S7suAoZWja4dJRkFsKQ=",
		"v=rmF9pqV8S7suAoZWja4dJRkFsKQAAA==", "v=rmF9pqV8S7suAoZWja4dJRkFsKU=", "v= ",
		/* right for the other mechanism only */
		"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
	};

	for (size_t i = 0; i < COUNT(finals); i++) {
		CLEANUP(arena) struct arena *arena = arena_new();
		CLEANUP(sasl) struct sasl *s = scram(0);

		sasl_initial(s);
		EXPECT_TEXT(answer(s, arena, scrams[0].server_first), scrams[0].client_final);
		EXPECT_ROW(!answer(s, arena, finals[i]), finals[i]);
		EXPECT_ROW(!sasl_proven(s), finals[i]);
	}
}

TEST(scram_hears_the_servers_no)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	CLEANUP(sasl) struct sasl *s = scram(0);

	sasl_initial(s);
	answer(s, arena, scrams[0].server_first);
	EXPECT_TEXT(answer(s, arena, "e=invalid-proof,x=y"), "");
	EXPECT_TEXT(sasl_reason(s), "invalid-proof");
	EXPECT(!sasl_proven(s));
}

TEST(scram_is_not_proven_by_silence)
{
	CLEANUP(sasl) struct sasl *s = scram(1);

	EXPECT(!sasl_proven(s));
	sasl_initial(s);
	EXPECT(!sasl_answer(s, slice_str("")) && !sasl_proven(s));
}

TEST(scram_takes_no_nonsense_first)
{
	static const struct { const char *first; bool good; } rows[] = {
		{ "r=abcX,s=QSXC,i=1",              true  },
		{ "r=abcX,s=QSXC,i=4096,x=y",       true  },
		{ "r=abc,s=QSXC,i=4096",            false },      /* the server adds nothing       */
		{ "r=abX,s=QSXC,i=4096",            false },      /* not our nonce                 */
		{ "r=ABCX,s=QSXC,i=4096",           false },
		{ "r=Xabc,s=QSXC,i=4096",           false },
		{ "r=abc X,s=QSXC,i=4096",          false },
		{ "r=abcX\xff,s=QSXC,i=4096",       false },
		{ "r=,s=QSXC,i=4096",               false },
		{ "m=ext,r=abcX,s=QSXC,i=4096",     false },
		{ "s=QSXC,r=abcX,i=4096",           false },
		{ "r=abcX,s=,i=4096",               false },
		{ "r=abcX,s=Q!XC,i=4096",           false },
		{ "r=abcX,i=4096",                  false },
		{ "r=abcX,s=QSXC",                  false },
		{ "r=abcX,s=QSXC,i=",               false },
		{ "r=abcX,s=QSXC,i=0",              false },
		{ "r=abcX,s=QSXC,i=-1",             false },
		{ "r=abcX,s=QSXC,i=1e3",            false },
		{ "r=abcX,s=QSXC,i=1000001",        false },
		{ "r=abcX,s=QSXC,i=18446744073709551617", false },
		{ "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=", false },
		{ "e=other-error",                  false },
		{ ",,,",                            false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(arena) struct arena *arena = arena_new();
		struct sasl_credentials who = { .user = "u", .password = "p", .nonce = "abc" };
		CLEANUP(sasl) struct sasl *s = sasl_new(sasl_find("SCRAM-SHA-256"), &who);

		sasl_initial(s);
		for (size_t cut = 0; cut < strlen("r=abcX,s=QSXC,i="); cut++)
			if (cut < strlen(rows[i].first))
				EXPECT_ROW(!sasl_answer(s, slice_str(base64_encode(arena, slice(rows[i].first,
					cut)))), rows[i].first);
		EXPECT_ROW((answer(s, arena, rows[i].first) != NULL) == rows[i].good, rows[i].first);
	}
}

TEST(giving_up_halfway_is_fine)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	struct sasl *s = scram(0);

	sasl_initial(s);
	answer(s, arena, scrams[0].server_first);
	sasl_free(s);
	sasl_free(scram(1));
	sasl_free(NULL);
}
