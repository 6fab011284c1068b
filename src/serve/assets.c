#include "serve/assets.h"

#include <assert.h>
#include <string.h>

const char *asset_path(const char *name)
{
	for (size_t i = 0; i < asset_count; i++)
		if (strcmp(assets[i].name, name) == 0)
			return assets[i].path;
	assert(!"an asset of that name");
	return "#";
}

const struct asset *asset_at(const char *path)
{
	for (size_t i = 0; i < asset_count; i++)
		if (strcmp(assets[i].path, path) == 0)
			return &assets[i];
	return NULL;
}
