#include "base/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

void random_bytes(void *at, size_t len)
{
	char *next = at;

	while (len) {
		ssize_t got = getrandom(next, len, 0);

		if (got <= 0) {
			perror("mailmoor: random numbers");
			exit(70);
		}
		next += got;
		len -= (size_t)got;
	}
}

const char *random_text(struct arena *into, size_t len)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	char             *text = arena_get(into, len + 1);

	random_bytes(text, len);
	for (size_t i = 0; i < len; i++)
		text[i] = letters[(unsigned char)text[i] % (sizeof letters - 1)];
	return text;
}
