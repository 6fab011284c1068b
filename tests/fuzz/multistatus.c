/* Any bytes as an answer of a WebDAV server: what is told of it keeps the promises of dav.h, in pieces as at once. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "wire/dav.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_resource(void *self, const struct dav_resource *r)
{
	size_t *sum = self;

	assert(r->href && *r->href && strlen(r->href) <= DAV_TEXT && r->homes <= DAV_HOMES && r->data.len <= DAV_DATA);
	assert(r->status == 0 || (r->status >= 100 && r->status < 600));
	assert(r->status == 0 || (r->status >= 200 && r->status < 300) || (!r->traits && !r->etag && !r->data.at && !r->homes));
	*sum = *sum * 31 + strlen(r->href) + r->traits + r->data.len + (r->etag ? strlen(r->etag) : 0) + (size_t)r->status;
	assert(dav_same_path(r->href, r->href));
}

static size_t read_it(struct slice bytes, size_t piece, struct error *err)
{
	CLEANUP(arena) struct arena *job = arena_new();
	size_t                       sum = 1;
	struct dav_reader           *r = dav_reader_new(job, on_resource, &sum);
	bool                         fine = true;

	for (size_t at = 0; fine && at < bytes.len; at += piece)
		fine = dav_feed(r, slice_upto(slice_from(bytes, at), piece), err);
	if (fine && dav_finish(r, err))
		sum = sum * 31 + dav_answer(r)->resources + 1;
	else
		assert(err->fault == FAULT_BROKEN || err->fault == FAULT_TOO_BIG);
	dav_reader_free(r);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes = slice((const char *)data, size);
	struct error whole = { 0 }, pieces = { 0 };

	assert(read_it(bytes, size ? size : 1, &whole) == read_it(bytes, 3, &pieces));
	assert(whole.fault == pieces.fault);
	assert(dav_status(bytes) < 600);
	return 0;
}
