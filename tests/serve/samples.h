/* samples.h -- made-up data for every page, shared by the tests of the renderings and by the program that writes them to files. */
#ifndef TESTS_SERVE_SAMPLES_H
#define TESTS_SERVE_SAMPLES_H

#include "serve/render.h"

struct sample {
	const char *name;                         /* NULL ends the list */
	bool      (*render)(struct page *);
};

static bool sample_help_index(struct page *p)
{
	return render_help_index(p);
}

static bool sample_help(struct page *p)
{
	return render_help(p, &(struct help_page){ .cause = CAUSE_TLS_NAME_MISMATCH, .csrf = "t0ken" });
}

static bool sample_help_thanked(struct page *p)
{
	return render_help(p, &(struct help_page){ .cause = CAUSE_MICROSOFT_REST_NOT_ENABLED, .csrf = "t0ken", .thanked = true });
}

static bool sample_help_unknown(struct page *p)
{
	return render_help_unknown(p);
}

static const struct sample samples[] = {
	{ "help-index",    sample_help_index    },
	{ "help",          sample_help          },
	{ "help-thanked",  sample_help_thanked  },
	{ "help-unknown",  sample_help_unknown  },
	{ NULL,            NULL                 },
};

static inline bool sample_render(const struct sample *s, const struct language *lang, struct arena *job, struct buffer *out)
{
	struct page p;

	page_init(&p, out, lang, job);
	return s->render(&p);
}

#endif
