/* app_texts.h -- the words of the pages that need scripts, as one JSON file for each language: {"page/app.add": "Add a mailbox", …}.
 *
 * Its address carries a hash of its content, like that of an asset, so that a browser may keep it for ever.
 */
#ifndef SERVE_APP_TEXTS_H
#define SERVE_APP_TEXTS_H

#include "diagnose/catalogue.h"

/* "/assets/texts-de-0f3ac9d2b1e4.json" */
const char *app_texts_path(const struct language *, struct arena *into);

/* The file of that path; NULL when there is none. */
const char *app_texts_at(const char *path, struct arena *into);

#endif
