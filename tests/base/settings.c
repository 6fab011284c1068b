#include "base/settings.h"

#include <stdlib.h>
#include <unistd.h>

#include "test.h"

static const char *written(const char *content)
{
	static char file[] = "/tmp/mailmoor-settings-XXXXXX";
	size_t      len = strlen(content);
	int         fd;

	memcpy(file + sizeof file - 7, "XXXXXX", 6);
	fd = mkstemp(file);
	EXPECT(fd >= 0 && write(fd, content, len) == (ssize_t)len);
	close(fd);
	return file;
}

static bool read_text(struct settings *s, const char *content, struct error *err)
{
	const char *file = written(content);
	bool        fine = settings_read(s, file, err);

	unlink(file);
	return fine;
}

static void clear_environment(void)
{
	static const char *const names[] = { "MAILMOOR_NET_RESOLVER", "MAILMOOR_NET_CA_FILE", "MAILMOOR_NET_CONNECT_TO", "MAILMOOR_NET_ALLOW", "MAILMOOR_NET_EGRESS_ADDRESSES" };

	for (size_t i = 0; i < COUNT(names); i++)
		unsetenv(names[i]);
}

TEST(defaults)
{
	struct settings s;
	struct error    err = { 0 };

	clear_environment();
	EXPECT(settings_read(&s, NULL, &err));
	for (int i = 0; i < SETTINGS; i++) {
		const char *otherwise = setting_rows[i].otherwise;

		EXPECT_ROW(!s.given[i] && (otherwise ? s.value[i] && strcmp(s.value[i], otherwise) == 0 : !s.value[i]), setting_rows[i].key);
	}
	settings_release(&s);
	settings_release(&s);
}

TEST(a_file)
{
	struct settings s;
	struct error    err = { 0 };

	clear_environment();
	EXPECT(read_text(&s, "# a word\n; another\n[net]\nresolver = 127.0.0.1:5353\nallow=127.0.0.0/8, 10.0.0.0/8\n\n[NET]\nCA_FILE = /etc/my ca.pem \n", &err));
	EXPECT_TEXT(s.value[SETTING_NET_RESOLVER], "127.0.0.1:5353");
	EXPECT_TEXT(s.value[SETTING_NET_ALLOW], "127.0.0.0/8, 10.0.0.0/8");
	EXPECT_TEXT(s.value[SETTING_NET_CA_FILE], "/etc/my ca.pem");
	EXPECT(s.given[SETTING_NET_ALLOW] && !s.given[SETTING_NET_CONNECT_TO] && !s.value[SETTING_NET_CONNECT_TO]);
	settings_release(&s);
}

TEST(what_is_wrong_is_said_with_its_line)
{
	static const struct { const char *content, *said; } rows[] = {
		{ "[net]\nresolver = 127.0.0.1\nresolvr = 127.0.0.2\n",  "line 3: [net] resolvr" },
		{ "[nett]\nresolver = 127.0.0.1\n",                      "line 2: [nett] resolver" },
		{ "resolver = 127.0.0.1\n",                              "line 1: [] resolver" },
		{ "[net]\n\n# x\nresolver 127.0.0.1\n",                  "line 4: not KEY = VALUE" },
		{ "[net\nresolver = 127.0.0.1\n",                        "line 1: not KEY = VALUE" },
		/* of several the first, with its own name */
		{ "[net]\nfirst = 1\nsecond = 2\n",                      "line 2: [net] first" },
		{ "[net]\nresolver\nsecond = 2\n",                       "line 2: not KEY = VALUE" },
	};

	clear_environment();
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct settings s;
		struct error    err = { 0 };
		const char     *line;

		EXPECT_ROW(!read_text(&s, rows[i].content, &err), rows[i].content);
		EXPECT_ROW(err.fault == FAULT_MALFORMED, rows[i].content);
		line = strstr(err.text, "line ");
		EXPECT_TEXT(line, rows[i].said);
		settings_release(&s);
	}
}

TEST(a_file_that_is_not_there)
{
	struct settings s;
	struct error    err = { 0 };

	EXPECT(!settings_read(&s, "/nonexistent/mailmoor.conf", &err));
	EXPECT(err.fault == FAULT_LOCAL && strstr(err.text, "/nonexistent/mailmoor.conf"));
	settings_release(&s);
}

/* Command line before environment before file before default. */
TEST(precedence)
{
	struct settings s;
	struct error    err = { 0 };

	clear_environment();
	setenv("MAILMOOR_NET_ALLOW", "10.0.0.0/8", 1);
	setenv("MAILMOOR_NET_EGRESS_ADDRESSES", "198.51.100.7", 1);
	setenv("MAILMOOR_NET_NOTHING", "x", 1);
	EXPECT(read_text(&s, "[net]\nallow = 127.0.0.0/8\nresolver = 127.0.0.1\n", &err));
	EXPECT_TEXT(s.value[SETTING_NET_ALLOW], "10.0.0.0/8");
	EXPECT_TEXT(s.value[SETTING_NET_RESOLVER], "127.0.0.1");
	EXPECT_TEXT(s.value[SETTING_NET_EGRESS], "198.51.100.7");
	EXPECT(s.given[SETTING_NET_ALLOW] && s.given[SETTING_NET_EGRESS]);
	settings_set(&s, SETTING_NET_ALLOW, "192.168.0.0/16");
	settings_set(&s, SETTING_NET_CA_FILE, "ca.pem");
	EXPECT_TEXT(s.value[SETTING_NET_ALLOW], "192.168.0.0/16");
	EXPECT(s.given[SETTING_NET_CA_FILE]);
	settings_release(&s);
	clear_environment();
	unsetenv("MAILMOOR_NET_NOTHING");
}

/* connect_to and resolver take several: a line may be long. Cut in silence, the last one would be somebody else's. */
TEST(a_long_line_is_not_cut)
{
	char            content[1200] = "[net]\nconnect_to =";
	struct settings s;
	struct error    err = { 0 };
	size_t          n = strlen(content), begin = n + 1;

	clear_environment();
	for (int i = 0; i < 20; i++)
		n += (size_t)snprintf(content + n, sizeof content - n, " mail%02d.birch.example:993=127.64.0.%d:1993", i, i);
	content[n] = '\n';
	EXPECT(read_text(&s, content, &err));
	content[n] = '\0';
	EXPECT_TEXT(s.value[SETTING_NET_CONNECT_TO], content + begin);
	settings_release(&s);
}

TEST(a_setting_may_be_set_to_nothing)
{
	struct settings s;
	struct error    err = { 0 };

	clear_environment();
	setenv("MAILMOOR_NET_ALLOW", "", 1);
	EXPECT(settings_read(&s, NULL, &err));
	EXPECT_TEXT(s.value[SETTING_NET_ALLOW], "");
	EXPECT(s.given[SETTING_NET_ALLOW]);
	settings_release(&s);
	clear_environment();
}

TEST(where_each_comes_from)
{
	struct settings s;
	struct error    err = { 0 };

	clear_environment();
	setenv("MAILMOOR_NET_ALLOW", "10.0.0.0/8", 1);
	EXPECT(read_text(&s, "[net]\nresolver = 192.0.2.1\nallow = 127.0.0.0/8\n", &err));
	settings_set(&s, SETTING_NET_CA_FILE, "/etc/ca.pem");
	EXPECT(s.from[SETTING_NET_RESOLVER] == FROM_FILE && s.from[SETTING_NET_ALLOW] == FROM_ENVIRONMENT);
	EXPECT(s.from[SETTING_NET_CA_FILE] == FROM_COMMAND_LINE && s.from[SETTING_WEB_LISTEN] == FROM_DEFAULT);
	settings_release(&s);
	clear_environment();
}
