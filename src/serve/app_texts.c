#include "serve/app_texts.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/slice.h"

#define HASH_SHOWN 12

/* Of these the app uses all, of the others one by one. */
static const char *const prefixes[] = { "page/app.", "page/who.", "ui/step.", "ui/state.", "ui/certainty." };
static const char *const single[] = {
	"page/help.who", "page/progress.list", "page/progress.running", "page/result.help", "page/result.again", "page/result.checked", "page/result.ruled_out",
	"ui/links", "ui/proof", "ui/seen_once", "ui/what_to_do",
};

static void add(cJSON *o, const struct language *lang, const char *key)
{
	cJSON_AddStringToObject(o, key, catalogue_text(lang, key));
}

static const char *texts_of(const struct language *lang, struct arena *into)
{
	cJSON      *o = cJSON_CreateObject();
	char       *text;
	const char *kept;

	for (size_t i = 0; i < catalogue_key_count; i++)
		for (size_t p = 0; p < COUNT(prefixes); p++)
			if (slice_starts(slice_str(catalogue_keys[i]), prefixes[p]))
				add(o, lang, catalogue_keys[i]);
	for (size_t i = 0; i < COUNT(single); i++)
		add(o, lang, single[i]);
	text = cJSON_PrintUnformatted(o);
	if (!text)
		exit(70);
	kept = arena_str(into, text);
	free(text);
	cJSON_Delete(o);
	return kept;
}

static const char *path_of(const struct language *lang, const char *texts, struct arena *into)
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	char          hex[sizeof hash * 2 + 1];

	crypto_hash_sha256(hash, (const unsigned char *)texts, strlen(texts));
	return arena_print(into, "/assets/texts-%s-%.*s.json", lang->tag, HASH_SHOWN, sodium_bin2hex(hex, sizeof hex, hash, sizeof hash));
}

const char *app_texts_path(const struct language *lang, struct arena *into)
{
	return path_of(lang, texts_of(lang, into), into);
}

const char *app_texts_at(const char *path, struct arena *into)
{
	const struct language *lang;

	for (size_t i = 0; (lang = language_at(i)); i++) {
		const char *texts;

		if (!slice_starts(slice_str(path), arena_print(into, "/assets/texts-%s-", lang->tag)))
			continue;
		texts = texts_of(lang, into);
		if (strcmp(path_of(lang, texts, into), path) == 0)
			return texts;
	}
	return NULL;
}
