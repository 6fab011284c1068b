/* assets.h -- the files of web/, built into the program by tools/embed.py.
 *
 * The address of an asset carries a hash of its bytes, so that a browser may keep it for ever: another content has another address.
 */
#ifndef SERVE_ASSETS_H
#define SERVE_ASSETS_H

#include <stddef.h>

struct asset {
	const char          *name;       /* "style.css"                          */
	const char          *path;       /* "/assets/style-0f3ac9d2b1e4.css"     */
	const char          *type;       /* "text/css; charset=utf-8"            */
	const unsigned char *bytes;
	size_t               len;
};

/* In the order of their names. */
extern const struct asset assets[];
extern const size_t       asset_count;

/* Where a browser finds it. Asked only for those there are: a name in the code without its file is a fault of the build. */
const char *asset_path(const char *name);

/* NULL when there is none at that path. */
const struct asset *asset_at(const char *path);

#endif
