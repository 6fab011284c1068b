/* transcript.h -- a conversation with servers, written down beforehand, and played against the code.
 *
 *     S: * OK ready                        the server says a line
 *     C: a1 CAPABILITY                     we must say exactly this; … stands for any text
 *     S: {TAG} OK done                     {TAG}: the first word of what we said last
 *     S: * 1 FETCH (BODY[HEADER] {}        {}: the size of the literal that follows …
 *     L: From: <ann@birch.example>           … line by line, each with its CRLF
 *     L:
 *     S: )
 *     smtp C: EHLO …                       with several lines, whose turn it is: transcript_line() names them
 *     C: …                                 alone: any number of lines, up to the one that the next C: matches
 *     -- tls                               the handshake must come here; without it, it may come anywhere
 *     -- connect refused                     likewise; a second word is how it ends (came_name())
 *     -- wait 300                          we must pause here, for that long; other pauses need not be written down
 *     -- late 1500                         what the server says next comes that many milliseconds later
 *     -- silence                           it says nothing, until we give up
 *     -- end · -- reset                    it closes, or cuts, the connection
 *     -- called off                        somebody presses Ctrl-C
 *
 * Empty lines and those that begin with # are left out. What happens stands in the order in which it happens. Where the
 * two part, the test fails with the number and the text of the line in the script. Names that transcript_set() knows are
 * put in for {NAME}.
 *
 * Time is counted, not spent. transcript_run() plays one conversation and answers CONNECT, TLS, READ, WRITE, TIME, GATE
 * and COMMIT (begun, and waited for where we stand, taking no counted time); for conversations that look up names or have children, give transcript_answer() to world_lines().
 */
#ifndef TESTS_TRANSCRIPT_H
#define TESTS_TRANSCRIPT_H

#include "base/arena.h"
#include "base/want.h"

struct transcript;

struct transcript *transcript_new(const char *script);          /* copied */
void               transcript_free(struct transcript *);
DEFINE_CLEANUP(transcript)

void transcript_set(struct transcript *, const char *name, const char *value);
void transcript_title(struct transcript *, const char *title);  /* said in front of a failure */
void transcript_line(struct transcript *, const char *name, struct line *);
void transcript_opened(struct transcript *, struct line *);     /* as if connected and shaken hands on before */
void transcript_piecemeal(struct transcript *);                 /* the server's words come one byte a READ */
void transcript_life(struct transcript *, int ms);              /* the whole: every wait ends there */

/* What a handshake answers; verified TLS 1.3 unless changed. */
struct tls_answer *transcript_tls(struct transcript *);

/* To the end, which must be the script's end as well. True for WANT_NOTHING, false with `err` for WANT_FAILED. */
bool transcript_run(struct transcript *, enum want_kind (*step)(void *, struct want *, struct error *), void *self,
                    struct error *err);

/* CONNECT, TLS, READ, WRITE of one want: as world_lines() wants it. transcript_end() then fails the test when something
 * was not played, or was said besides. */
enum came transcript_answer(void *transcript, struct want *);
void      transcript_end(struct transcript *);

int64_t     transcript_now(const struct transcript *);
const char *transcript_said(const struct transcript *);         /* all that we said, on all lines, CRLF made LF */

#endif
