#include "diagnose/catalogue.h"

#include <stdio.h>

#include "model/causes.h"
#include "test.h"

static const char *row(const struct language *l, const char *key)
{
	static char name[200];

	snprintf(name, sizeof name, "%s: %s", l->tag, key);
	return name;
}

static bool key_ends(const char *key, const char *end)
{
	return slice_ends(slice_str(key), end);
}

TEST(the_languages_of_the_design_are_there)
{
	static const char *const tags[] = { "de", "en", "fi", "nl", "pl", "th" };

	EXPECT_TEXT(language_english()->tag, "en");
	EXPECT(language_at(0) == language_english());
	EXPECT(language_at(catalogue_count) == NULL);
	for (size_t i = 0; i < COUNT(tags); i++)
		EXPECT_ROW(language_find(tags[i]) != NULL, tags[i]);
}

TEST(a_language_is_found_by_tag_or_locale)
{
	static const struct { const char *name, *tag; } names[] = {
		{ "en",              "en" },
		{ "EN",              "en" },
		{ "en-GB",           "en" },
		{ "en_US.UTF-8",     "en" },
		{ "En_us@calendar",  "en" },
		{ "en-Latn-GB-oed",  "en" },
		{ "",                NULL },
		{ "C",               NULL },
		{ "C.UTF-8",         NULL },
		{ "POSIX",           NULL },
		{ "e",               NULL },
		{ "eng",             NULL },
		{ "xx",              NULL },
		{ "xx-en",           NULL },
		{ "-en",             NULL },
		{ ".en",             NULL },
		{ "en--",            "en" },
		{ "en-aaaaaaaa-bbbbbbbb-cccccccc-dddddddd-e",           NULL },
		{ "ennnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn", NULL },
	};

	EXPECT(language_find(NULL) == NULL);
	for (size_t i = 0; i < COUNT(names); i++) {
		const struct language *found = language_find(names[i].name);

		EXPECT_ROW((found == NULL) == (names[i].tag == NULL), names[i].name);
		EXPECT_ROW(!found || strcmp(found->tag, names[i].tag) == 0, names[i].name);
	}
	for (size_t i = 0; language_at(i); i++) {
		char locale[60];

		snprintf(locale, sizeof locale, "%s_ZZ.UTF-8", language_at(i)->tag);
		EXPECT_ROW(language_find(locale) == language_at(i), locale);
	}
}

TEST(a_language_says_its_name_and_its_date)
{
	for (size_t i = 0; language_at(i); i++) {
		const struct language *l = language_at(i);
		unsigned               year, month, day;

		EXPECT_ROW(*l->name, l->tag);
		EXPECT_ROW(strlen(l->changed) == 10 && sscanf(l->changed, "%4u-%2u-%2u", &year, &month, &day) == 3, l->tag);
	}
}

TEST(keys_are_in_order)
{
	EXPECT(catalogue_key_count > 0);
	for (size_t i = 1; i < catalogue_key_count; i++)
		EXPECT_ROW(strcmp(catalogue_keys[i - 1], catalogue_keys[i]) < 0, catalogue_keys[i]);
}

TEST(a_key_that_is_not_there_has_no_text)
{
	static const char *const keys[] = {
		"", "ui", "ui/", "tls.expired", "tls.expired/", "tls.expired/fix.9", "zzz/title",
	};

	for (size_t i = 0; i < COUNT(keys); i++)
		EXPECT_ROW(catalogue_text(language_english(), keys[i]) == NULL, keys[i]);
	EXPECT_TEXT(catalogue_text(language_english(), "tls.expired/title"), "The server's certificate has expired.");
	EXPECT_TEXT(catalogue_text(language_english(), "ui/proof"), "Proof");
}

/* Not catalogue_text(): English must not hide a hole. */
static const char *own_text(size_t language, const char *key)
{
	for (size_t i = 0; i < catalogue_key_count; i++)
		if (strcmp(catalogue_keys[i], key) == 0)
			return catalogues[language].texts[i];
	return NULL;
}

static const char *cause_text(size_t language, enum cause cause, const char *part)
{
	char key[100];

	snprintf(key, sizeof key, "%s/%s", cause_row(cause)->id, part);
	return own_text(language, key);
}

TEST(every_cause_has_its_texts_in_every_language)
{
	static const char *const parts[] = { "title", "why", "fix.1" };

	for (size_t l = 0; l < catalogue_count; l++)
		for (unsigned cause = CAUSE_NONE + 1; cause < CAUSE_COUNT; cause++)
			for (size_t p = 0; p < COUNT(parts); p++)
				EXPECT_ROW(cause_text(l, (enum cause)cause, parts[p]) != NULL,
				           row(language_at(l), cause_row((enum cause)cause)->id));
}

TEST(no_text_is_for_a_cause_that_does_not_exist)
{
	for (size_t i = 0; i < catalogue_key_count; i++) {
		char id[100];

		snprintf(id, sizeof id, "%.*s", (int)strcspn(catalogue_keys[i], "/"), catalogue_keys[i]);
		EXPECT_ROW(strcmp(id, "ui") == 0 || strcmp(id, "page") == 0 || cause_find(id) != CAUSE_NONE, catalogue_keys[i]);
	}
}

TEST(something_can_be_said_when_no_value_is_known)
{
	for (size_t l = 0; l < catalogue_count; l++)
		for (unsigned cause = CAUSE_NONE + 1; cause < CAUSE_COUNT; cause++) {
			const char *id = cause_row((enum cause)cause)->id;
			const char *plain = cause_text(l, (enum cause)cause, "why.plain");
			bool        step = false;

			EXPECT_ROW(!strchr(cause_text(l, (enum cause)cause, "title"), '{'), id);
			EXPECT_ROW(plain ? !strchr(plain, '{') : !strchr(cause_text(l, (enum cause)cause, "why"), '{'), id);
			for (int n = 1; n <= 6; n++) {
				char        part[8];
				const char *text;

				snprintf(part, sizeof part, "fix.%d", n);
				text = cause_text(l, (enum cause)cause, part);
				step = step || (text && !strchr(text, '{'));
			}
			EXPECT_ROW(step, id);
		}
}

enum mark { MARK_PLACEHOLDER, MARK_BACKTICK, MARK_URL, MARK_COUNT };

/* The next {placeholder}, `command` or URL at or after `*text`, which is moved behind it; empty when there is none. */
static struct slice next_mark(enum mark mark, const char **text)
{
	static const char *const opens[] = { "{", "`", "http" }, *const closes[] = { "}", "`", " `<>\n" };
	const char *from = strstr(*text, opens[mark]);
	size_t      len;

	/* "plain http" is a word, "http://" is not */
	while (from && mark == MARK_URL && strncmp(from, "http://", 7) != 0 && strncmp(from, "https://", 8) != 0)
		from = strstr(from + 1, opens[mark]);

	if (!from)
		return slice(NULL, 0);
	len = 1 + strcspn(from + 1, closes[mark]);
	*text = from + len + (mark != MARK_URL && from[len]);
	while (mark == MARK_URL && strchr(".,;:)", from[len - 1]))
		len--;
	return slice(from, len);
}

/* Every mark of `text` stands in `other` as well. */
static bool marks_within(enum mark mark, const char *text, const char *other)
{
	for (struct slice m; (m = next_mark(mark, &text)).at;) {
		const char *rest = other;
		bool        found = false;

		for (struct slice o; !found && (o = next_mark(mark, &rest)).at;)
			found = slice_equal(m, o);
		if (!found)
			return false;
	}
	return true;
}

TEST(marks_are_told_apart)
{
	static const struct { const char *a, *b; bool same; } pairs[] = {
		{ "Use {host}.",                     "{host} käyttöön.",                    true  },
		{ "Use {host}.",                     "Use it.",                             false },
		{ "Use {host} or {port}.",           "{port}, {host}",                      true  },
		{ "Run `a b`, then `c`.",            "`c`, `a b`",                          true  },
		{ "Run `a b`.",                      "Run `a  b`.",                         false },
		{ "Run `a b`.",                      "Run a b.",                            false },
		{ "See https://example.org/a.",      "(https://example.org/a)",             true  },
		{ "See https://example.org/a.",      "See https://example.org/b.",           false },
		{ "See `https://example.org/a`.",    "See https://example.org/a.",           false },
	};

	for (size_t i = 0; i < COUNT(pairs); i++) {
		bool same = true;

		for (int mark = 0; mark < MARK_COUNT; mark++)
			same = same && marks_within((enum mark)mark, pairs[i].a, pairs[i].b)
			            && marks_within((enum mark)mark, pairs[i].b, pairs[i].a);
		EXPECT_ROW(same == pairs[i].same, pairs[i].b);
	}
}

TEST(no_translation_loses_a_placeholder_a_command_or_a_url)
{
	for (size_t l = 1; l < catalogue_count; l++)
		for (size_t k = 0; k < catalogue_key_count; k++) {
			const char *english = catalogues[0].texts[k], *text = catalogues[l].texts[k];

			EXPECT_ROW(text, row(language_at(l), catalogue_keys[k]));
			for (int mark = 0; mark < MARK_COUNT; mark++)
				EXPECT_ROW(marks_within((enum mark)mark, english, text)
				           && marks_within((enum mark)mark, text, english),
				           row(language_at(l), catalogue_keys[k]));
		}
}

/* Sessions that are parked ask for news in steps of their own. */
TEST(the_steps_of_watching_have_names)
{
	static const char *const keys[] = { "ui/step.imap.watch", "ui/step.exchange.watch", "ui/step.microsoft.watch" };

	for (size_t l = 0; language_at(l); l++)
		for (size_t i = 0; i < COUNT(keys); i++)
			EXPECT_ROW(catalogue_text(language_at(l), keys[i]), keys[i]);
}

/* Texts that may be the same in another language: made of names and signs alone, or of words that languages share. */
static bool may_be_equal(const char *key)
{
	static const char *const keys[] = {
		"send.as_denied/fix.1", "ui/seconds", "ui/minutes", "ui/hours", "ui/date", "ui/step.imap.open", "ui/step.exchange.inbox",
		"ui/step.microsoft.inbox", "ui/step.exchange.autodiscover", "ui/month.", "ui/date_time",
		"page/group.exchange", "page/group.google", "page/value.", "page/same.", "page/app.op.host",
	};

	for (size_t i = 0; i < COUNT(keys); i++)
		if (slice_starts(slice_str(key), keys[i]))
			return true;
	return false;
}

TEST(a_translation_is_not_the_english_text)
{
	for (size_t l = 1; l < catalogue_count; l++)
		for (size_t k = 0; k < catalogue_key_count; k++) {
			const char *text = catalogues[l].texts[k];

			EXPECT_ROW(text && (may_be_equal(catalogue_keys[k]) || strcmp(text, catalogues[0].texts[k]) != 0),
			           row(language_at(l), catalogue_keys[k]));
		}
}

static bool has_any(const char *text, const char *const *pieces)
{
	for (; *pieces; pieces++)
		if (strstr(text, *pieces))
			return true;
	return false;
}

/* A text in the wrong file would pass all other tests: so each language shows something only it would have. */
TEST(a_translation_is_in_its_own_language)
{
	static const struct {
		const char *tag, *part;
		int         percent;
		const char *pieces[14];
	} signs[] = {
		{ "th", "/title", 100, { "\xe0\xb8", "\xe0\xb9" } },
		{ "th", "/why",   100, { "\xe0\xb8", "\xe0\xb9" } },
		{ "pl", "/why",    95, { "ą", "ć", "ę", "ł", "ń", "ó", "ś", "ź", "ż" } },
		{ "fi", "/why",    90, { "ä", "ö" } },
		{ "de", "/why",    95, { " der ", " die ", " das ", "Der ", "Die ", "Das ", " ist ", " nicht ", " und " } },
		{ "nl", "/why",    95, { " de ", " het ", "De ", "Het ", " een ", " van " } },
	};

	for (size_t s = 0; s < COUNT(signs); s++) {
		const struct language *l = language_find(signs[s].tag);
		int                    texts = 0, hits = 0;

		EXPECT_ROW(l, signs[s].tag);
		for (size_t k = 0; k < catalogue_key_count; k++)
			if (key_ends(catalogue_keys[k], signs[s].part)) {
				texts++;
				hits += has_any(catalogue_text(l, catalogue_keys[k]), signs[s].pieces);
			}
		EXPECT_ROW(texts >= CAUSE_COUNT - 1 && hits * 100 >= texts * signs[s].percent, row(l, signs[s].part));
	}
}

TEST(values_take_the_place_of_their_names)
{
	static const struct value values[] = {
		{ "host", "mail.example.org" }, { "port", "993" }, { "braces", "{port}" }, { "a1_b", "x" },
		{ "empty", "" }, { "null", NULL },
	};
	static const struct { const char *text, *filled; } texts[] = {
		{ "",                                   ""                                        },
		{ "nothing to fill",                    "nothing to fill"                         },
		{ "{host}",                             "mail.example.org"                        },
		{ "{host}:{port}, {host}",              "mail.example.org:993, mail.example.org"  },
		{ "a{a1_b}b",                           "axb"                                     },
		{ "`--imap {host}:{port}`",             "`--imap mail.example.org:993`"           },
		{ "ไปที่ {host} แล้ว",                     "ไปที่ mail.example.org แล้ว"                 },
		{ "{braces}",                           "{port}"                                  },
		{ "{",                                  "{"                                       },
		{ "}{",                                 "}{"                                      },
		{ "{}",                                 "{}"                                      },
		{ "{ host }",                           "{ host }"                                },
		{ "{Host}",                             "{Host}"                                  },
		{ "{1a}",                               "{1a}"                                    },
		{ "{host",                              "{host"                                   },
		{ "{{host}}",                           "{mail.example.org}"                      },
		{ "{hos}",                              NULL                                      },
		{ "{hostt}",                            NULL                                      },
		{ "{host} {unknown}",                   NULL                                      },
		{ "{empty}",                            NULL                                      },
		{ "{null}",                             NULL                                      },
	};

	for (size_t i = 0; i < COUNT(texts); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		const char *out = "untouched";
		bool        filled = catalogue_fill(job, texts[i].text, values, COUNT(values), &out);

		EXPECT_ROW(filled == (texts[i].filled != NULL), texts[i].text);
		EXPECT_TEXT(out, texts[i].filled ? texts[i].filled : "untouched");
	}
}

TEST(every_text_can_be_filled)
{
	CLEANUP(arena) struct arena *job = arena_new();

	for (size_t l = 0; l < catalogue_count; l++)
		for (size_t k = 0; k < catalogue_key_count; k++) {
			const char *text = catalogue_text(language_at(l), catalogue_keys[k]), *out;

			EXPECT_ROW(catalogue_fill(job, text, NULL, 0, &out) == (strchr(text, '{') == NULL), catalogue_keys[k]);
		}
}
