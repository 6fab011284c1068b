/* folder.h -- a folder of a test's own, for a store and its keys; it goes with whatever lies in it then. */
#ifndef TESTS_SERVE_FOLDER_H
#define TESTS_SERVE_FOLDER_H

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "test.h"

#define FOLDER_PATH 40

static inline void folder_make(char path[FOLDER_PATH], const char *whose)
{
	snprintf(path, FOLDER_PATH, "/tmp/mailmoor-%s-XXXXXX", whose);
	EXPECT(mkdtemp(path));
}

static inline void folder_remove(const char *path)
{
	DIR           *d = opendir(path);
	struct dirent *e;
	char           file[FOLDER_PATH + 257];

	EXPECT(d);
	while ((e = readdir(d)))
		if (e->d_name[0] != '.') {
			snprintf(file, sizeof file, "%s/%s", path, e->d_name);
			unlink(file);
		}
	closedir(d);
	EXPECT(rmdir(path) == 0);
}

#endif
