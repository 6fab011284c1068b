#include "serve/signed_link.h"

#include <stdlib.h>
#include <unistd.h>

#include "test.h"

#define ID "lnk_7gk2m4x9q8w1e3r5t7y9u2"

static struct vault *opened(void)
{
	char          folder[] = "/tmp/mailmoor-link-XXXXXX", file[64];
	struct error  err = { 0 };
	struct vault *v;

	EXPECT(mkdtemp(folder));
	snprintf(file, sizeof file, "%s/key", folder);
	v = vault_open(file, true, &err);
	unlink(file);
	rmdir(folder);
	EXPECT(v);
	return v;
}

TEST(what_is_signed_is_read)
{
	CLEANUP(vault) struct vault *v = opened();
	CLEANUP(arena) struct arena *job = arena_new();
	const char *of;
	int64_t     expires;

	EXPECT(signed_link_read(v, signed_link(v, ID, 1796549400123, job), job, &of, &expires));
	EXPECT_TEXT(of, ID);
	EXPECT(expires == 1796549400000);
	EXPECT(!slice_starts(slice_str(signed_link(v, ID, 1796549400123, job)), "lnk_"));        /* nothing that logs would name */
}

/* One character more, less or other, anywhere: no link. */
TEST(what_is_changed_is_refused)
{
	CLEANUP(vault) struct vault *v = opened();
	CLEANUP(arena) struct arena *job = arena_new();
	const char *link = signed_link(v, ID, 1796549400000, job), *of;
	int64_t     expires;

	for (size_t i = 0; link[i]; i++) {
		char *other = arena_str(job, link);

		other[i] = other[i] == '1' ? '2' : '1';
		EXPECT_ROW(!signed_link_read(v, other, job, &of, &expires), other);
		other[i] = '\0';
		EXPECT_ROW(!signed_link_read(v, other, job, &of, &expires), other);
		EXPECT_ROW(!signed_link_read(v, link + i + 1, job, &of, &expires), link + i + 1);
	}
	EXPECT(!signed_link_read(v, arena_print(job, "%s0", link), job, &of, &expires));
	EXPECT(!signed_link_read(v, "..", job, &of, &expires) && !signed_link_read(v, "", job, &of, &expires));
	EXPECT(!signed_link_read(v, "99999999999999999999." ID ".00", job, &of, &expires));
}

TEST(another_key_signs_nothing_for_us)
{
	CLEANUP(vault) struct vault *v = opened(), *w = opened();
	CLEANUP(arena) struct arena *job = arena_new();
	const char *of;
	int64_t     expires;

	EXPECT(!signed_link_read(w, signed_link(v, ID, 1796549400000, job), job, &of, &expires));
}
