/* catalogue.h -- the texts of causes and reports, in every language there is.
 *
 * Keys are "ID/title", "ID/why", "ID/why.plain", "ID/fix.1" … "ID/fix.6" for the causes of model/causes.def, and "ui/…"
 * for the words around them; po/en.po has them all. English is the source and stands in where a translation is missing.
 * Everything returned here is constant and lives as long as the program, but for what catalogue_fill() writes.
 */
#ifndef DIAGNOSE_CATALOGUE_H
#define DIAGNOSE_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

struct language {
	const char *tag;          /* "th"                                          */
	const char *name;         /* its own for itself: "suomi"                   */
	const char *changed;      /* "2026-11-21", when its texts last changed     */
	bool        reviewed;     /* a person has read it over                     */
};

/* By a tag or the name of a locale, in any case: "th", "th_TH.UTF-8", "de-AT". The narrowest one there is: "de-AT"
 * finds "de" when there is no "de-AT". NULL when there is none. */
const struct language *language_find(const char *tag);
const struct language *language_english(void);
const struct language *language_at(size_t n);              /* NULL past the last; 0 is English */

/* NULL when no language has such a key. */
const char *catalogue_text(const struct language *, const char *key);

struct value {
	const char *name, *text;
};

/* Puts the values in place of their {names}. False when one has no value (none of that name, NULL, or empty): then
 * nothing is written. Braces inside a value mean nothing, and a brace that belongs to no name stays as it is. */
bool catalogue_fill(struct arena *, const char *text, const struct value *, size_t count, const char **out);

/* -- what tools/po2c.py writes, for catalogue.c alone ------------------------------------------------------------- */

struct catalogue {
	struct language           language;     /* first: a language leads to its catalogue */
	const char *const        *texts;        /* one for each key, NULL where missing     */
};

extern const char *const      catalogue_keys[];      /* in the order of strcmp() */
extern const size_t           catalogue_key_count;
extern const struct catalogue catalogues[];          /* English first            */
extern const size_t           catalogue_count;

#endif
