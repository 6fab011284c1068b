/* samples.c -- every page of the daemon that works without scripts, made of made-up data: to be looked at, and for the accessibility test.
 *
 *     samples FOLDER      writes PAGE.LANG.html for each page and language, and the assets where the pages look for them
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "serve/assets.h"
#include "serve/samples.h"

static void write_file(const char *path, struct slice bytes)
{
	FILE *f = fopen(path, "w");

	if (!f || fwrite(bytes.at, 1, bytes.len, f) != bytes.len || fclose(f) != 0) {
		perror(path);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	CLEANUP(arena) struct arena *job = arena_new();

	if (argc != 2) {
		fprintf(stderr, "usage: samples FOLDER\n");
		return 2;
	}
	mkdir(argv[1], 0755);
	mkdir(arena_print(job, "%s/assets", argv[1]), 0755);
	for (size_t i = 0; i < asset_count; i++)
		write_file(arena_print(job, "%s%s", argv[1], assets[i].path), slice((const char *)assets[i].bytes, assets[i].len));
	for (size_t n = 0; samples[n].name; n++)
		for (size_t l = 0; language_at(l); l++) {
			struct buffer out;

			buffer_init(&out, PAGE_BYTES);
			if (!sample_render(&samples[n], language_at(l), job, &out))
				return 1;
			write_file(arena_print(job, "%s/%s.%s.html", argv[1], samples[n].name, language_at(l)->tag), buffer_held(&out));
			buffer_release(&out);
		}
	return 0;
}
