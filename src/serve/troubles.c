#include "serve/troubles.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/queue.h>

struct host {
	char             *name, *report;
	struct outcome    outcome;
	bool              learnt;
	unsigned          mailboxes;
	LIST_ENTRY(host)  all;
};

struct troubles {
	pthread_mutex_t  lock;
	LIST_HEAD(, host) all;          /* few: those that are down now */
};

struct troubles *troubles_new(void)
{
	struct troubles *t = must_alloc(sizeof *t);

	pthread_mutex_init(&t->lock, NULL);
	return t;
}

static void host_free(struct host *h)
{
	free(h->name);
	free(h->report);
	free(h);
}

void troubles_free(struct troubles *t)
{
	struct host *next;

	if (!t)
		return;
	for (struct host *h = LIST_FIRST(&t->all); h; h = next) {
		next = LIST_NEXT(h, all);
		host_free(h);
	}
	pthread_mutex_destroy(&t->lock);
	free(t);
}

static struct host *find(struct troubles *t, const char *name)
{
	struct host *h;

	LIST_FOREACH(h, &t->all, all)
		if (strcmp(h->name, name) == 0)
			return h;
	return NULL;
}

void trouble_join(struct troubles *t, const char *host)
{
	struct host *h;

	pthread_mutex_lock(&t->lock);
	h = find(t, host);
	if (!h) {
		h = must_alloc(sizeof *h);
		h->name = must_copy(host);
		LIST_INSERT_HEAD(&t->all, h, all);
	}
	h->mailboxes++;
	pthread_mutex_unlock(&t->lock);
}

void trouble_leave(struct troubles *t, const char *host)
{
	struct host *h;

	pthread_mutex_lock(&t->lock);
	h = find(t, host);
	if (h && --h->mailboxes == 0) {
		LIST_REMOVE(h, all);
		host_free(h);
	}
	pthread_mutex_unlock(&t->lock);
}

void trouble_learn(struct troubles *t, const char *host, const struct outcome *o, const char *report)
{
	struct host *h;

	pthread_mutex_lock(&t->lock);
	h = find(t, host);
	if (h) {
		free(h->report);
		h->report = report ? must_copy(report) : NULL;
		h->outcome = *o;
		h->learnt = true;
	}
	pthread_mutex_unlock(&t->lock);
}

bool trouble_of(struct troubles *t, const char *host, struct arena *into, struct trouble *out)
{
	struct host *h;
	bool         learnt;

	pthread_mutex_lock(&t->lock);
	h = find(t, host);
	learnt = h && h->learnt;
	if (learnt)
		*out = (struct trouble){ .outcome = h->outcome, .report = h->report ? arena_str(into, h->report) : NULL,
		                         .mailboxes = h->mailboxes };
	pthread_mutex_unlock(&t->lock);
	return learnt;
}
