#include "serve/progress.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#define STEPS_MOST 128      /* of one verification that are shown */
#define ACCOUNT    40
#define STEP_ID    40

struct shown {
	char            id[STEP_ID];
	int             ms;
	enum step_state state;
};

struct progress {
	struct progress_board *board;
	char                   account[ACCOUNT];
	bool                   ended, forgotten;
	size_t                 count;
	struct shown           step[STEPS_MOST];
	TAILQ_ENTRY(progress)  all;
};

struct progress_board {
	pthread_mutex_t          lock;
	TAILQ_HEAD(, progress)   all;       /* oldest first */
	size_t                   count;
};

struct progress_board *progress_board_new(void)
{
	struct progress_board *b = must_alloc(sizeof *b);

	pthread_mutex_init(&b->lock, NULL);
	TAILQ_INIT(&b->all);
	return b;
}

static void take_off(struct progress_board *b, struct progress *p)
{
	TAILQ_REMOVE(&b->all, p, all);
	b->count--;
}

/* One that is still written to is freed by its writer. */
static void forget(struct progress_board *b, struct progress *p)
{
	take_off(b, p);
	p->forgotten = true;
	if (p->ended)
		free(p);
}

void progress_board_free(struct progress_board *b)
{
	struct progress *next;

	if (!b)
		return;
	for (struct progress *p = TAILQ_FIRST(&b->all); p; p = next) {
		next = TAILQ_NEXT(p, all);
		assert(p->ended);
		free(p);
	}
	pthread_mutex_destroy(&b->lock);
	free(b);
}

static struct progress *find(struct progress_board *b, const char *account)
{
	struct progress *p;

	TAILQ_FOREACH(p, &b->all, all)
		if (strcmp(p->account, account) == 0)
			return p;
	return NULL;
}

static void make_room(struct progress_board *b)
{
	struct progress *p;

	TAILQ_FOREACH(p, &b->all, all)
		if (p->ended || b->count > 2 * PROGRESS_MOST) {
			forget(b, p);
			return;
		}
}

struct progress *progress_begin(struct progress_board *b, const char *account)
{
	struct progress *p = must_alloc(sizeof *p), *old;

	p->board = b;
	snprintf(p->account, sizeof p->account, "%s", account);
	pthread_mutex_lock(&b->lock);
	old = find(b, account);
	if (old)
		forget(b, old);
	if (b->count >= PROGRESS_MOST)
		make_room(b);
	TAILQ_INSERT_TAIL(&b->all, p, all);
	b->count++;
	pthread_mutex_unlock(&b->lock);
	return p;
}

void progress_watch(void *self, const struct report *r, int step)
{
	struct progress *p = self;

	if (step >= STEPS_MOST)
		return;
	pthread_mutex_lock(&p->board->lock);
	for (; p->count <= (size_t)step; p->count++)
		snprintf(p->step[p->count].id, sizeof p->step[p->count].id, "%s", r->step[p->count].id);
	p->step[step].state = r->step[step].state;
	p->step[step].ms = r->step[step].ms;
	pthread_mutex_unlock(&p->board->lock);
}

void progress_end(struct progress *p)
{
	struct progress_board *b = p->board;
	bool                   forgotten;

	pthread_mutex_lock(&b->lock);
	p->ended = true;
	forgotten = p->forgotten;
	pthread_mutex_unlock(&b->lock);
	if (forgotten)
		free(p);
}

static cJSON *step_json(const struct shown *s, const struct language *lang)
{
	CLEANUP(arena) struct arena *work = arena_new();
	const char *label = catalogue_text(lang, arena_print(work, "ui/step.%s", s->id));
	cJSON      *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "id", s->id);
	cJSON_AddStringToObject(o, "label", label ? label : s->id);
	cJSON_AddStringToObject(o, "state", step_state_name(s->state));
	cJSON_AddNumberToObject(o, "ms", s->ms);
	return o;
}

bool progress_json(struct progress_board *b, const char *account, const struct language *lang, cJSON **steps_out, bool *done_out)
{
	struct progress *p;

	pthread_mutex_lock(&b->lock);
	p = find(b, account);
	if (p) {
		*steps_out = cJSON_CreateArray();
		for (size_t i = 0; i < p->count; i++)
			cJSON_AddItemToArray(*steps_out, step_json(&p->step[i], lang));
		*done_out = p->ended;
	}
	pthread_mutex_unlock(&b->lock);
	return p != NULL;
}
