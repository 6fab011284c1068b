/* exchange_stream.h -- a connection on which Exchange says at once that something happened in a folder (GetStreamingEvents, 2010 SP1
 * and later; facts M C.3), held for half an hour at a time.
 *
 * What goes over it is a hint and nothing else: whoever is told that it stirred asks SyncFolderItems, over another line. So no event
 * needs to be believed, kept or counted through, and none that was missed is lost.
 *
 * It is opened out of an exchange_session that is signed in: ask for a subscription, ask what is new, then open the stream, in that
 * order, so that nothing falls between. The session's line becomes the stream's (NTLM signed that very line in), all else of it is given
 * back. Held it is the structs and the line; a reader exists only while an envelope is under way.
 *
 * A peer may say what it likes: an envelope takes constant room however long it is, 16 MiB without news end the stream, and so does
 * more than 150 s without a whole envelope that is well (a heartbeat is due every 45 s). Nothing of this stops anybody: what is wrong
 * stands in `trouble`, and polling goes on.
 */
#ifndef PROVIDER_EXCHANGE_STREAM_H
#define PROVIDER_EXCHANGE_STREAM_H

#include "provider/exchange.h"

enum exchange_trouble {
	EXCHANGE_NO_TROUBLE,
	EXCHANGE_CLOSED,           /* as was to be expected, after its time; the subscription is still good */
	EXCHANGE_BROKEN,           /* the line was lost, or what came was none of it                        */
	EXCHANGE_LOST,             /* the server has forgotten the subscription, or will not say why        */
	EXCHANGE_BUSY,             /* too many of them, or too much to do                                   */
	EXCHANGE_NOT_OFFERED,      /* not by this server, or not for this mailbox: never asked again        */
};

enum exchange_heard { EXCHANGE_DUE, EXCHANGE_STIRRED, EXCHANGE_OVER };

/* Of a stream that is heard for several mailboxes: which of them it is about, as soon as that is known. Neither closes the stream. */
struct exchange_ears {
	void *self;
	void (*stirred)(void *, const char *subscription);
	void (*lost)(void *, const char *subscription, const char *code, int64_t now_ms);      /* that one; the stream goes on */
};

struct exchange_stream {
	/* in */
	const struct exchange_ears *ears;          /* NULL: it is one mailbox's                             */
	/* out */
	enum exchange_trouble    trouble;          /* the last                                              */
	bool                     troubled;         /* there is a new one; the reader sets it back           */
	char                     why[64];          /* the server's code, or what is wrong, in a few words   */
	enum exchange_heard      heard;            /* how the last wait ended                               */
	unsigned                 notifications;    /* envelopes that told of something; the reader sets it back */
	/* its own */
	struct exchange_session *session;          /* whose line it is; NULL: no stream stands              */
	char                    *subscription;     /* NULL: none                                            */
	char                    *cookies;          /* by which a front end finds the server that has it; NULL */
	struct ews_reader       *reader;           /* of the envelope under way                             */
	struct arena            *job;              /*   and what it says                                    */
	bool                     stirred, tells;   /* something happened; and in the envelope under way      */
	int64_t                  opened_ms, alive_ms;
	int64_t                  next_ms;          /* not to be opened again before                         */
	uint64_t                 bytes;            /* since there was something new                         */
	unsigned                 failures;         /* in a row                                              */
};

struct exchange_stream *exchange_stream_new(void);
void                    exchange_stream_free(struct exchange_stream *);      /* closes; NULL is fine */

/* Neither stands nor is hopeless, and its time has come. */
bool           exchange_stream_wanted(const struct exchange_stream *, int64_t now_ms);
static inline bool exchange_stream_stands(const struct exchange_stream *s)
{
	return s && s->session;
}

/* A question on an open session; its answer by exchange_answer_step(), and then taken. After the taking `subscription` or `trouble`. */
void           exchange_stream_subscribe(struct exchange_stream *, struct exchange_session *, const struct ews_folder *);
void           exchange_stream_subscribed(struct exchange_stream *, struct exchange_session *, const struct want *);

/* With its subscription, or with several. WANT_NOTHING: exchange_stream_stands(), and then the session is the stream's, on the heap as
 * it was; or `trouble`, and it is as it was. The second answer of a login that is refused is the caller's to see. */
void           exchange_stream_ask(struct exchange_stream *, struct exchange_session *);
void           exchange_stream_ask_for(struct exchange_stream *, struct exchange_session *, const char *const *subscription, size_t count);
enum want_kind exchange_stream_open_step(struct exchange_stream *, struct exchange_session *, struct want *);

/* Until something happens, the stream is over, or `until_ms` (of want.now_ms): see `heard`. Never fails. */
enum want_kind exchange_stream_wait_step(struct exchange_stream *, int64_t until_ms, struct want *);

/* -- for who has many (exchange_group.h) -- */

/* With what it knows of the way to the server that has the subscriptions, for a question just asked. */
void           exchange_stream_add_affinity(const struct exchange_stream *, struct exchange_session *);
/* Its line goes, and nothing is wrong. */
void           exchange_stream_close(struct exchange_stream *, int64_t now_ms);
void           exchange_stream_forget(struct exchange_stream *);                      /* its subscription */
/* The same of one that the server has lost, by that code; `served`: it was of use before. */
void           exchange_stream_lose(struct exchange_stream *, const char *code, bool served, int64_t now_ms);

#endif
