#include "sandbox/letters.h"

#include <stdlib.h>

#include <curl/curl.h>

#define LETTER_MS   3000
#define TRIES       3
#define ANSWER_MOST 4096

struct letter {
	char          *url, *authorization, *body;
	struct letter *next;
};

struct letters {
	struct sandbox *sandbox;
	struct letter  *head, *tail;
	pthread_t       thread;
};

/* -- over the line ----------------------------------------------------------------------------------------------------- */

static size_t take_answer(char *bytes, size_t one, size_t count, void *self)
{
	return buffer_add(self, slice(bytes, one * count)) ? one * count : 0;
}

long letter_post(const char *url, const char *type, const char *authorization, const char *body, long ms, struct buffer *answer)
{
	CURL              *c = curl_easy_init();
	struct curl_slist *head = curl_slist_append(NULL, type);
	long               status = 0;

	if (authorization)
		head = curl_slist_append(head, authorization);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, ms);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, head);
	curl_easy_setopt(c, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_answer);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, answer);
	if (curl_easy_perform(c) == CURLE_OK)
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(head);
	curl_easy_cleanup(c);
	return status;
}

static bool deliver(const struct letter *l)
{
	struct buffer answer;
	long          status;

	buffer_init(&answer, ANSWER_MOST);
	status = letter_post(l->url, "Content-Type: application/json", l->authorization, l->body, LETTER_MS, &answer);
	buffer_release(&answer);
	return status >= 200 && status < 300;
}

/* -- one after another --------------------------------------------------------------------------------------------------- */

static void letter_free(struct letter *l)
{
	free(l->url);
	free(l->authorization);
	free(l->body);
	free(l);
}

static void *write_letters(void *self)
{
	struct letters *n = self;
	struct sandbox *s = n->sandbox;

	pthread_mutex_lock(&s->lock);
	while (!s->stopping) {
		struct letter *l = n->head;

		if (!l) {
			pthread_cond_wait(&s->news, &s->lock);
			continue;
		}
		n->head = l->next;
		pthread_mutex_unlock(&s->lock);
		for (int tries = 0; tries < TRIES && !deliver(l); tries++)
			;
		letter_free(l);
		pthread_mutex_lock(&s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

struct letters *letters_new(struct sandbox *s)
{
	struct letters *n = must_alloc(sizeof *n);

	n->sandbox = s;
	if (pthread_create(&n->thread, NULL, write_letters, n) == 0)
		return n;
	free(n);
	return NULL;
}

void letters_free(struct letters *n)
{
	struct letter *l;

	if (!n)
		return;
	pthread_join(n->thread, NULL);
	while ((l = n->head)) {
		n->head = l->next;
		letter_free(l);
	}
	free(n);
}

void letters_send(struct letters *n, const char *url, const char *authorization, const char *body)
{
	struct letter *l = must_alloc(sizeof *l);

	l->url = must_copy(url);
	l->authorization = authorization ? must_copy(authorization) : NULL;
	l->body = must_copy(body);
	if (n->head)
		n->tail->next = l;
	else
		n->head = l;
	n->tail = l;
	pthread_cond_broadcast(&n->sandbox->news);
}
