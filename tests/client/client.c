#include "client/client.h"

#include <stdlib.h>

#include "test.h"

#define KEY "mm_0123456789012345678901234567890123456789"

static struct client *of_settings(struct settings *s, const char *listen, const char *base_url, const char *url, struct error *err)
{
	EXPECT(settings_read(s, NULL, err));
	if (listen)
		settings_set(s, SETTING_WEB_LISTEN, listen);
	if (base_url)
		settings_set(s, SETTING_WEB_BASE_URL, base_url);
	return client_new(s, url, KEY, "en", err);
}

TEST(where_the_daemon_is)
{
	static const struct { const char *listen, *base_url, *url, *base; enum fault fault; } rows[] = {
		{ NULL,                      NULL,                       NULL,                        "http://127.0.0.1:8325",         0 },
		{ "0.0.0.0:80",              NULL,                       NULL,                        "http://127.0.0.1:80",           0 },
		{ "[::]:8080",               NULL,                       NULL,                        "http://[::1]:8080",             0 },
		{ "10.0.0.5:81 127.0.0.1:1", NULL,                       NULL,                        "http://10.0.0.5:81",            0 },
		{ "127.0.0.1:0",             NULL,                       NULL,                        NULL,                            FAULT_MALFORMED },
		{ "",                        NULL,                       NULL,                        NULL,                            FAULT_MALFORMED },
		{ NULL,                      "https://mail.example.org", NULL,                        "https://mail.example.org:443",  0 },
		{ NULL,                      "https://m.example/moor/",  NULL,                        "https://m.example:443/moor",    0 },
		{ NULL,                      "http://mail.example.org",  NULL,                        NULL,                            FAULT_NOT_ALLOWED },
		{ NULL,                      "https://mail.example.org", "http://localhost:5/",       "http://127.0.0.1:5",            0 },
		{ NULL,                      NULL,                       "http://127.9.9.9:5",        "http://127.9.9.9:5",            0 },
		{ NULL,                      NULL,                       "http://[::1]:5",            "http://[::1]:5",                0 },
		{ NULL,                      NULL,                       "http://192.168.0.1",        NULL,                            FAULT_NOT_ALLOWED },
		{ NULL,                      NULL,                       "http://127.0.0.1.x.org",    NULL,                            FAULT_NOT_ALLOWED },
		{ NULL,                      NULL,                       "https://192.168.0.1",       "https://192.168.0.1:443",       0 },
		{ NULL,                      NULL,                       "ftp://127.0.0.1",           NULL,                            FAULT_MALFORMED },
		{ NULL,                      NULL,                       "127.0.0.1:8325",            NULL,                            FAULT_MALFORMED },
		{ NULL,                      NULL,                       "https://u:p@m.example",     NULL,                            FAULT_MALFORMED },
		{ NULL,                      NULL,                       "https://m.example/?a=b",    NULL,                            FAULT_MALFORMED },
		{ NULL,                      NULL,                       "",                          NULL,                            FAULT_MALFORMED },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct settings s;
		struct error    err = { 0 };
		struct client  *c = of_settings(&s, rows[i].listen, rows[i].base_url, rows[i].url, &err);
		const char     *row = rows[i].url ? rows[i].url : rows[i].base_url ? rows[i].base_url : rows[i].listen ? rows[i].listen : "(default)";

		EXPECT_ROW(err.fault == rows[i].fault && !c == !rows[i].base, row);
		EXPECT_ROW(!c || strcmp(client_base(c), rows[i].base) == 0, row);
		EXPECT_ROW(!strstr(err.text, KEY), row);
		client_free(c);
		settings_release(&s);
	}
}

TEST(nobody_there)
{
	struct settings s;
	struct error    err = { 0 };
	struct client  *c = of_settings(&s, NULL, NULL, "http://127.0.0.1:1", &err);
	cJSON          *answer;

	EXPECT(c && !client_call(c, "GET", "/v1/accounts", NULL, &answer, &err));
	EXPECT(!answer && err.fault == FAULT_NETWORK && strstr(err.text, "http://127.0.0.1:1"));
	err = (struct error){ 0 };
	EXPECT(!client_list(c, "/v1/accounts", &err) && err.fault == FAULT_NETWORK);
	client_free(c);
	settings_release(&s);
}

TEST(called_off)
{
	struct settings s;
	struct error    err = { 0 };
	struct client  *c = of_settings(&s, NULL, NULL, "http://127.0.0.1:1", &err);

	EXPECT(c && client_wait(c, 1));
	client_stop();
	EXPECT(!client_wait(c, 60000));
	EXPECT(!client_call(c, "GET", "/", NULL, NULL, &err) && err.fault == FAULT_CANCELLED);
	client_free(c);
	client_stop();      /* nobody listens any more */
	client_free(NULL);
	settings_release(&s);
}

TEST(words)
{
	CLEANUP(arena) struct arena *work = arena_new();

	EXPECT_TEXT(client_word("ann+x@birch.example/../?#", work), "ann%2Bx%40birch.example%2F..%2F%3F%23");
}
