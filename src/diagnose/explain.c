#include "diagnose/explain.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "diagnose/explain_caldav.h"
#include "diagnose/explain_exchange.h"
#include "diagnose/explain_google.h"
#include "diagnose/explain_microsoft.h"
#include "model/causes.h"
#include "model/facts.h"
#include "model/hosters.h"

/* -- a text made fit to be searched ---------------------------------------------------------------------------------- */

/* The same text twice, byte for byte at the same places; `low` in small letters. Both end in NUL and hold no other. */
struct pasted {
	struct arena *job;
	char         *text, *low;
	size_t        len;
};

/* What word processors and browsers make of blanks and quotes. */
static size_t plain_sign(const char *at, size_t left, char *out)
{
	static const struct { const char *bytes; char plain; } signs[] = {
		{ "\xc2\xa0", ' ' },       { "\xe2\x80\x98", '\'' }, { "\xe2\x80\x99", '\'' }, { "\xe2\x80\x9c", '"' },
		{ "\xe2\x80\x9d", '"' },   { "\xe2\x80\x9e", '"' },  { "\xe2\x80\xaf", ' ' },  { "\xc2\xab", '"' },
		{ "\xc2\xbb", '"' },       { "\xe2\x80\x91", '-' },
	};

	for (size_t i = 0; (unsigned char)at[0] >= 0x80 && i < COUNT(signs); i++) {
		size_t len = strlen(signs[i].bytes);

		if (len <= left && memcmp(at, signs[i].bytes, len) == 0) {
			*out = signs[i].plain;
			return len;
		}
	}
	*out = *at;
	return 1;
}

/* A bounce's fields may go on in the next line (RFC 3464 2.1, RFC 5322 2.2.3). */
static bool is_field(const char *line, size_t len)
{
	static const char *const fields[] = {
		"diagnostic-code:", "status:", "action:", "remote-mta:", "reporting-mta:", "final-recipient:", "original-recipient:",
	};

	for (size_t i = 0; i < COUNT(fields); i++)
		if (slice_starts(slice(line, len), fields[i]))
			return true;
	return false;
}

static void unfold(struct pasted *p)
{
	size_t to = 0;
	bool   field = is_field(p->text, p->len);

	for (size_t i = 0; i < p->len; i++) {
		p->text[to++] = p->text[i];
		if (p->text[i] != '\n')
			continue;
		if (field && (p->text[i + 1] == ' ' || p->text[i + 1] == '\t')) {
			p->text[to - 1] = ' ';
			i += strspn(p->text + i + 1, " \t");
		} else {
			field = is_field(p->text + i + 1, p->len - i - 1);
		}
	}
	p->len = to;
	p->text[to] = '\0';
}

static void pasted_init(struct pasted *p, struct arena *job, struct slice raw)
{
	*p = (struct pasted){ .job = job, .text = arena_get(job, raw.len + 1), .low = arena_get(job, raw.len + 1) };
	for (size_t i = 0; i < raw.len;) {
		char sign;

		i += plain_sign(raw.at + i, raw.len - i, &sign);
		if (sign != '\r' && sign != '\0')
			p->text[p->len++] = sign;
	}
	unfold(p);
	for (size_t i = 0; i < p->len; i++)
		p->low[i] = (char)tolower((unsigned char)p->text[i]);
}

/* Do these words (in small letters) stand in low[from, end), not as a part of longer words? Where: in `*at`. */
static bool stands(const struct pasted *p, size_t from, size_t end, const char *words, size_t *at)
{
	size_t len = strlen(words);

	while (from < end) {
		const char *hit = memmem(p->low + from, end - from, words, len);
		size_t      i;

		if (!hit)
			return false;
		i = (size_t)(hit - p->low);
		if ((i == 0 || !isalnum((unsigned char)words[0]) || !isalnum((unsigned char)p->low[i - 1]))
		    && (!isalnum((unsigned char)words[len - 1]) || !isalnum((unsigned char)p->low[i + len]))) {
			*at = i;
			return true;
		}
		from = i + 1;
	}
	return false;
}

static bool stands_any(const struct pasted *p, size_t from, size_t end, const char *const words[], size_t count)
{
	size_t at;

	for (size_t i = 0; i < count; i++)
		if (stands(p, from, end, words[i], &at))
			return true;
	return false;
}

/* -- what was found -------------------------------------------------------------------------------------------------- */

#define ALSO 4
#define LONGEST_REPLY 1400              /* no more of a reply is kept: report.h cuts there anyway */

struct reply {
	int         worth;              /* how sure it is that this is a reply, and the decisive one; 0: none */
	char        status[8], code[24], enhanced[12];
	const char *text;
};

struct seen {
	struct reply imap, smtp, words;
	const char  *words_step;        /* which step the words of no known protocol go to */
	const char  *also[ALSO];
	size_t       alsos;
	const char  *stage, *greeting, *action;
	char         status[12];        /* the Status field of a bounce */
	const char  *host;
	size_t       hosts_asked;
};

static void copy_word(char *out, size_t size, struct slice word)
{
	word = slice_upto(word, size - 1);
	memcpy(out, word.at, word.len);
	out[word.len] = '\0';
}

/* Quotes and brackets that belonged to whoever quoted it. */
static struct slice without_tail(struct slice s)
{
	s = slice_trim(s);
	while (s.len && strchr("'\"`>,", s.at[s.len - 1]))
		s.len--;
	if (s.len && s.at[s.len - 1] == ')' && slice_find(s, '(') == s.len)
		s.len--;
	while (s.len && strchr("'\"`", s.at[s.len - 1]))
		s.len--;
	return slice_trim(s);
}

/* -- SMTP ------------------------------------------------------------------------------------------------------------ */

static bool is_known_code(const char *digits)
{
	static const char known[] = " 421 432 450 451 452 454 455 458 500 501 502 503 504 521 523 525 530 534 535 538 "
	                            "550 551 552 553 554 555 556 571 ";
	char code[6] = { ' ', digits[0], digits[1], digits[2], ' ', '\0' };

	return strstr(known, code) != NULL;
}

/* "5.7.139", and nothing that goes on like a version or an address; its length, or 0. */
static size_t enhanced_length(const char *at)
{
	size_t i = 2;

	if ((at[0] != '2' && at[0] != '4' && at[0] != '5') || at[1] != '.')
		return 0;
	for (int part = 0; part < 2; part++) {
		size_t start = i;

		while (isdigit((unsigned char)at[i]))
			i++;
		if (i == start || i - start > 3 || (part == 0 && at[i++] != '.'))
			return 0;
	}
	return isalnum((unsigned char)at[i]) || (at[i] == '.' && isdigit((unsigned char)at[i + 1])) ? 0 : i;
}

/* What stands between a code and its text: " ", "-", or a Python tuple's ", b'". */
static size_t separator_length(const char *at)
{
	size_t i = 0;

	if (at[0] == ' ' || at[0] == '-') {
		i = 1;
		while (i < 4 && at[i] == ' ')
			i++;
		return i;
	}
	if (at[0] != ',' || at[1] != ' ')
		return 0;
	i = at[2] == 'b' || at[2] == 'u' ? 3 : 2;
	return at[i] == '\'' || at[i] == '"' ? i + 1 : 0;
}

static const char *const mail_words[] = {
	"smtp", "esmtp", "mail", "said", "relay", "rcpt", "recipient", "sender", "auth", "authentication", "mailbox", "mailer",
	"bounce", "bounced", "deliver", "delivered", "delivery", "server", "response", "responded", "remote", "login", "password",
	"command", "message", "user",
};

struct line {
	size_t start, end;
	size_t first;                   /* where something is said: behind quoting signs and a speaker's letter */
	int    speaks_of_mail;          /* -1: not looked yet */
};

static bool speaks_of_mail(const struct pasted *p, struct line *l)
{
	if (l->speaks_of_mail < 0)
		l->speaks_of_mail = stands_any(p, l->start, l->end, mail_words, COUNT(mail_words));
	return l->speaks_of_mail;
}

/* "S: 550", "<< 550", "> a1 NO": nothing but signs, or a speaker's letter, before it in its line. */
static size_t first_said(const struct pasted *p, size_t start, size_t end)
{
	size_t i = start;

	while (i < end && strchr(" \t<>-|'\"`", p->text[i]))
		i++;
	if (i + 1 < end && p->text[i + 1] == ':' && p->low[i] == 's')
		for (i += 2; i < end && p->text[i] == ' ';)
			i++;
	return i;
}

/* "HTTP/1.1 503 Service Unavailable" is another protocol's. */
static bool is_http(const struct pasted *p, const struct line *l, size_t at)
{
	size_t from = at - l->start > 12 ? at - 12 : l->start;

	return slice_has(slice(p->low + from, at - from), "http");
}

/* A code without an enhanced one must stand where replies stand. */
static bool is_placed(const struct pasted *p, struct line *l, size_t at, bool tuple)
{
	char before = at > l->start ? p->text[at - 1] : '\0';
	char before_that = at > l->start + 1 ? p->text[at - 2] : '\0';

	if (is_http(p, l, at))
		return false;
	if (at == l->first || tuple)
		return true;
	return (strchr("'\"(;", before) || (before == ' ' && strchr(":;'\"", before_that))) && speaks_of_mail(p, l);
}

/* A reply while its lines are being joined. */
struct joined {
	char  *text;
	size_t len;
};

static void add_char(struct joined *j, char c)
{
	if (c == '\t' || c == '\n')
		c = ' ';
	if (j->len < LONGEST_REPLY && !(c == ' ' && j->len && j->text[j->len - 1] == ' '))
		j->text[j->len++] = c;
}

static void add_str(struct joined *j, const char *text)
{
	while (*text)
		add_char(j, *text++);
}

/* "550-5.1.1 " where a line of the same reply begins: its length, or 0. */
static size_t same_code(const char *at, const struct reply *r)
{
	size_t code = strlen(r->code), enhanced = strlen(r->enhanced);

	if (strncmp(at, r->code, code) != 0 || (at[code] != '-' && at[code] != ' '))
		return 0;
	return code + 1 + (enhanced && strncmp(at + code + 1, r->enhanced, enhanced) == 0 ? enhanced : 0);
}

/* Where the reply goes on behind the end of a line, or 0: the next line has the same code, or it is indented and the
 * first was not, as mailers print long replies. */
static size_t next_line(const struct pasted *p, const struct line *l, size_t end, const struct reply *r)
{
	size_t blanks, next;

	if (p->text[end] != '\n')
		return 0;
	blanks = strspn(p->text + end + 1, " \t<>");
	next = end + 1 + blanks;
	if (same_code(p->text + next, r))
		return next + same_code(p->text + next, r);
	return blanks && !strchr(" \t", p->text[l->start]) && p->text[next] != '\n' && p->text[next] != '\0' ? next : 0;
}

/* The lines of one reply joined, without the codes of all lines but the first, so that sentences run on. Python's "\n" and
 * Postfix's one-line form ("550-5.1.1 … 550-5.1.1 …") have their lines within a line. */
static const char *smtp_reply_text(struct pasted *p, const struct line *l, size_t at, const struct reply *r)
{
	struct joined j = { .text = arena_get(p->job, LONGEST_REPLY + 1) };
	size_t        end = l->end, enhanced = strlen(r->enhanced), i = at + strlen(r->code);

	add_str(&j, r->code);
	add_str(&j, " ");
	i += separator_length(p->text + i);
	while (j.len < LONGEST_REPLY) {
		if (i >= end) {
			i = next_line(p, l, end, r);
			if (i == 0)
				break;
			end = i + strcspn(p->text + i, "\n");
			add_char(&j, ' ');
		} else if (p->text[i - 1] == ' ' && same_code(p->text + i, r)) {
			i += same_code(p->text + i, r);
		} else if (p->text[i] == '\\' && p->text[i + 1] == 'n') {
			add_char(&j, ' ');
			i += 2;
			if (enhanced && strncmp(p->text + i, r->enhanced, enhanced) == 0)
				i += enhanced;
		} else {
			add_char(&j, p->text[i++]);
		}
	}
	return arena_copy(p->job, without_tail(slice(j.text, j.len)));
}

enum { WORTH_PLACED = 1, WORTH_ENHANCED = 2, WORTH_PERMANENT = 4 };

static void smtp_code(struct pasted *p, struct line *l, size_t at, struct seen *s)
{
	const char  *text = p->text + at;
	size_t       gap, enh;
	struct reply r = { 0 };

	if ((text[0] != '4' && text[0] != '5') || !isdigit((unsigned char)text[1]) || !isdigit((unsigned char)text[2]))
		return;
	if (at > l->start && (isalnum((unsigned char)p->text[at - 1]) || strchr(".-+_/", p->text[at - 1])))
		return;
	gap = separator_length(text + 3);
	if (gap == 0)
		return;
	enh = text[3 + gap] == text[0] ? enhanced_length(text + 3 + gap) : 0;
	if (!enh && (!is_known_code(text) || !(isalpha((unsigned char)text[3 + gap]) || strchr("<#(\"", text[3 + gap]))
	             || !is_placed(p, l, at, text[3] == ',')))
		return;
	r.worth = WORTH_PLACED + (enh ? WORTH_ENHANCED : 0) + (text[0] == '5' ? WORTH_PERMANENT : 0);
	if (r.worth <= s->smtp.worth)
		return;
	copy_word(r.code, sizeof r.code, slice(text, 3));
	copy_word(r.enhanced, sizeof r.enhanced, slice(text + 3 + gap, enh));
	r.text = smtp_reply_text(p, l, at, &r);
	s->smtp = r;
}

/* What Postfix and Exim say of the command that was refused. */
static void smtp_stage(const struct pasted *p, struct seen *s)
{
	static const struct { const char *words, *stage; } stages[] = {
		{ "in reply to rcpt to command", "rcpt" },    { "in reply to mail from command", "mail" },
		{ "in reply to end of data command", "data" }, { "in reply to data command", "data" },
		{ "after rcpt to", "rcpt" },                  { "after pipelined rcpt to", "rcpt" },
		{ "after mail from", "mail" },                { "after pipelined mail from", "mail" },
		{ "after end of data", "data" },              { "after pipelined end of data", "data" },
	};
	size_t at;

	for (size_t i = 0; i < COUNT(stages) && !s->stage; i++)
		if (stands(p, 0, p->len, stages[i].words, &at))
			s->stage = stages[i].stage;
}

/* -- a bounce's fields (RFC 3464) and Postfix's "dsn=" ------------------------------------------------------------------ */

static void bounce_field(const struct pasted *p, const struct line *l, struct seen *s)
{
	struct slice line = slice(p->text + l->start, l->end - l->start), value;
	size_t       len;

	if (slice_starts(line, "status:")) {
		value = slice_trim(slice_from(line, strlen("status:")));
		len = value.len ? enhanced_length(value.at) : 0;
		if (len && value.at[0] != '2' && !s->status[0])
			copy_word(s->status, sizeof s->status, slice(value.at, len));
	} else if (slice_starts(line, "action:") && !s->action) {
		value = slice_trim(slice_from(line, strlen("action:")));
		s->action = arena_copy(p->job, slice_upto(value, 20));
	}
}

static void postfix_dsn(const struct pasted *p, struct seen *s)
{
	size_t at, len;

	if (s->status[0] || !stands(p, 0, p->len, "dsn=", &at))
		return;
	len = enhanced_length(p->text + at + strlen("dsn="));
	if (len && p->text[at + strlen("dsn=")] != '2')
		copy_word(s->status, sizeof s->status, slice(p->text + at + strlen("dsn="), len));
}

/* -- IMAP ------------------------------------------------------------------------------------------------------------ */

/* Codes that are words of no other trade are known wherever they stand in brackets; the others where a server speaks. */
static const struct { const char *code; bool alone; } imap_codes[] = {
	{ "AUTHENTICATIONFAILED", true }, { "AUTHORIZATIONFAILED", true }, { "PRIVACYREQUIRED", true }, { "CONTACTADMIN", true },
	{ "OVERQUOTA", true },            { "WEBALERT", true },            { "NOPERM", true },          { "SERVERBUG", true },
	{ "NONEXISTENT", true },          { "ALERT", false },              { "LIMIT", false },          { "UNAVAILABLE", false },
	{ "EXPIRED", false },             { "INUSE", false },              { "CORRUPTION", false },     { "THROTTLED", false },
};

/* The code in "[CODE …] text" at the bracket, or NULL. */
static const char *imap_code_at(const char *bracket, bool alone_only)
{
	for (size_t i = 0; i < COUNT(imap_codes); i++) {
		size_t len = strlen(imap_codes[i].code);

		if ((imap_codes[i].alone || !alone_only) && strncasecmp(bracket + 1, imap_codes[i].code, len) == 0
		    && (bracket[1 + len] == ']' || bracket[1 + len] == ' '))
			return imap_codes[i].code;
	}
	return NULL;
}

/* Phrases with which programs introduce a server's words; in small letters, each ends in a colon. */
static const char *const intros[] = {
	"response:", "responded:", "responded with:", "server said:", "server replied:", "server responded:", "server response:",
	"imap error:", "smtp error:", "server error:", "server message:", "imaplib.error:", "said:", "reply:", "replied:", "answered:",
	"error message:", "imapclient.exceptions.loginerror:",
};

#define SIGNS_BETWEEN 6                 /* between an introduction and what it introduces: " (b'" */

/* Does the text before `at` end in one of those? Looks back over a few signs, and no further than the longest of them. */
static bool is_introduced(const struct pasted *p, const struct line *l, size_t at)
{
	size_t signs = 0;

	while (signs < SIGNS_BETWEEN && at > l->start && strchr(" '\"`(", p->text[at - 1]))
		at--, signs++;
	/* Python's b'…' */
	if (signs && at > l->start + 1 && p->text[at - 1] == 'b' && p->text[at - 2] == ' ')
		at -= 2;
	for (size_t i = 0; i < COUNT(intros); i++) {
		size_t len = strlen(intros[i]);

		if (at >= l->start + len && memcmp(p->low + at - len, intros[i], len) == 0
		    && (at == l->start + len || !isalnum((unsigned char)p->low[at - len - 1])))
			return true;
	}
	return false;
}

/* "a1 ", "A0001 ", "1.14 ": a tag as clients make them has a digit in it; "* " is none. Its length with the blank, or 0. */
static size_t tag_length(const char *at)
{
	size_t i = 0;
	bool   digit = false;

	while (i < 16 && (isalnum((unsigned char)at[i]) || at[i] == '.' || at[i] == '_')) {
		digit |= isdigit((unsigned char)at[i]) != 0;
		i++;
	}
	return digit && at[i] == ' ' ? i + 1 : 0;
}

static const char *imap_status_at(const char *at)
{
	static const char *const words[] = { "NO", "BAD", "BYE" };

	for (size_t i = 0; i < COUNT(words); i++)
		if (strncmp(at, words[i], strlen(words[i])) == 0 && at[strlen(words[i])] == ' ')
			return words[i];
	return NULL;
}

static void imap_reply(const struct pasted *p, const struct line *l, size_t at, const char *status, bool untagged, int worth,
                       struct seen *s)
{
	struct slice text;
	size_t       bracket = status ? strlen(status) + 1 : 0;
	const char  *code;

	if (worth <= s->imap.worth && !(untagged && s->alsos < ALSO))
		return;
	text = without_tail(slice_upto(slice(p->text + at, l->end - at), LONGEST_REPLY));
	code = text.len > bracket && text.at[bracket] == '[' ? imap_code_at(text.at + bracket, false) : NULL;
	if (untagged && s->alsos < ALSO)
		s->also[s->alsos++] = arena_print(p->job, "* %.*s", (int)text.len, text.at);
	if (worth <= s->imap.worth)
		return;
	s->imap = (struct reply){ .worth = worth, .text = arena_copy(p->job, text) };
	copy_word(s->imap.status, sizeof s->imap.status, slice_str(status ? status : ""));
	copy_word(s->imap.code, sizeof s->imap.code, slice_str(code ? code : ""));
}

enum { WORTH_UNTAGGED = 1, WORTH_CODE, WORTH_BARE, WORTH_TAGGED };

/* At a place where an utterance begins: after a line's first signs, an introduction, a quote. */
static void imap_utterance(const struct pasted *p, const struct line *l, size_t at, struct seen *s)
{
	const char *text = p->text + at;
	size_t      tag = tag_length(text);
	const char *status;

	if (text[0] == '*' && text[1] == ' ' && (status = imap_status_at(text + 2)))
		imap_reply(p, l, at + 2, status, true, WORTH_UNTAGGED, s);
	else if (tag && (status = imap_status_at(text + tag)))
		imap_reply(p, l, at + tag, status, false, WORTH_TAGGED, s);
	else if ((status = imap_status_at(text))
	         && (text[strlen(status) + 1] == '[' || at == l->first || is_introduced(p, l, at)))
		imap_reply(p, l, at, status, false, WORTH_BARE, s);
}

static void imap_bracket(const struct pasted *p, const struct line *l, size_t at, struct seen *s)
{
	bool spoken = at == l->first || is_introduced(p, l, at);

	if (imap_code_at(p->text + at, !spoken))
		imap_reply(p, l, at, NULL, false, WORTH_CODE, s);
}

/* -- words that a program says a server said ------------------------------------------------------------------------- */

static void introduced(const struct pasted *p, const struct line *l, size_t at, struct seen *s)
{
	struct slice text = without_tail(slice_upto(slice(p->text + at, l->end - at), LONGEST_REPLY));
	size_t       where;

	if (s->words.worth || text.len < 4 || !is_introduced(p, l, at))
		return;
	s->words = (struct reply){ .worth = 1, .text = arena_copy(p->job, text) };
	s->words_step = stands(p, l->start, l->end, "imap", &where) || stands(p, l->start, l->end, "imaps", &where) ? "explain.imap"
	              : stands(p, l->start, l->end, "smtp", &where) || stands(p, l->start, l->end, "smtps", &where) ? "explain.smtp"
	                                                                                                       : "explain.log";
}

/* -- who speaks ------------------------------------------------------------------------------------------------------ */

#define HOSTS_ASKED 200                 /* names looked up in the table of hosters: the first so many */

static void host_name(const struct pasted *p, const struct line *l, size_t at, struct seen *s)
{
	char   name[256];
	size_t len = 0, dots = 0;

	while (at + len < l->end && (isalnum((unsigned char)p->low[at + len]) || p->low[at + len] == '.' || p->low[at + len] == '-')) {
		dots += p->low[at + len] == '.';
		if (++len == sizeof name)
			return;
	}
	while (len && p->low[at + len - 1] == '.')
		len--;
	if (s->host || dots == 0 || len < 5 || s->hosts_asked >= HOSTS_ASKED || !isalpha((unsigned char)p->low[at + len - 1]))
		return;
	s->hosts_asked++;
	copy_word(name, sizeof name, slice(p->low + at, len));
	if (hoster_by_host(name))
		s->host = arena_str(p->job, name);
}

static void greeting(const struct pasted *p, const struct line *l, size_t at, struct seen *s)
{
	if (!s->greeting && (strncmp(p->text + at, "* OK ", 5) == 0 || strncmp(p->text + at, "220 ", 4) == 0))
		s->greeting = arena_copy(p->job, slice_upto(slice(p->text + at, l->end - at), 300));
}

/* -- one pass over all lines ------------------------------------------------------------------------------------------- */

static void read_line(struct pasted *p, struct line *l, struct seen *s)
{
	bounce_field(p, l, s);
	greeting(p, l, l->first, s);
	imap_utterance(p, l, l->first, s);
	for (size_t i = l->start; i < l->end; i++) {
		char here = p->text[i], before = i > l->start ? p->text[i - 1] : '\n';

		if (isdigit((unsigned char)here))
			smtp_code(p, l, i, s);
		if (here == '[')
			imap_bracket(p, l, i, s);
		if (strchr(" '\"`(", before) && !strchr(" '\"`(", here) && i > l->first) {
			imap_utterance(p, l, i, s);
			introduced(p, l, i, s);
		}
		if (isalnum((unsigned char)here) && !isalnum((unsigned char)before) && before != '.' && before != '-')
			host_name(p, l, i, s);
	}
}

static void read_lines(struct pasted *p, struct seen *s)
{
	for (size_t start = 0; start < p->len;) {
		const char *newline = memchr(p->text + start, '\n', p->len - start);
		struct line l = { .start = start, .end = newline ? (size_t)(newline - p->text) : p->len, .speaks_of_mail = -1 };

		l.first = first_said(p, l.start, l.end);
		read_line(p, &l, s);
		start = l.end + 1;
	}
}

/* -- what logs of other programs say --------------------------------------------------------------------------------- */

static const struct { const char *words, *says; } log_phrases[] = {
	{ "certificate has expired",                            "expired" },
	{ "certificate expired",                                "expired" },
	{ "certificate is expired",                             "expired" },
	{ "sec_error_expired_certificate",                      "expired" },
	{ "certificate is not yet valid",                       "not_yet" },
	{ "certificate not yet valid",                          "not_yet" },
	{ "hostname mismatch",                                  "name" },
	{ "ip address mismatch",                                "name" },
	{ "doesn't match the host",                             "name" },
	{ "does not match hostname",                            "name" },
	{ "does not match target host name",                    "name" },
	{ "no alternative certificate subject name matches",    "name" },
	{ "certificate name mismatch",                          "name" },
	{ "ssl_error_bad_cert_domain",                          "name" },
	{ "self-signed certificate in certificate chain",       "private_root" },
	{ "self signed certificate in certificate chain",       "private_root" },
	{ "self-signed certificate",                            "self_signed" },
	{ "self signed certificate",                            "self_signed" },
	{ "unable to get local issuer certificate",             "no_issuer" },
	{ "unable to get issuer certificate",                   "no_issuer" },
	{ "unable to verify the first certificate",             "no_issuer" },
	{ "unable to find valid certification path",            "no_issuer" },
	{ "certificate signed by unknown authority",            "no_issuer" },
	{ "sec_error_unknown_issuer",                           "no_issuer" },
	{ "certificate revoked",                                "revoked" },
	{ "certificate has been revoked",                       "revoked" },
	{ "ee certificate key too weak",                        "weak" },
	{ "ca certificate key too weak",                        "weak" },
	{ "ca signature digest algorithm too weak",             "weak" },
	{ "wrong version number",                               "no_tls" },
	{ "unexpected tls packet was received",                 "no_tls" },
	{ "tls packet with unexpected length was received",     "no_tls" },
	{ "unsupported protocol",                               "old_tls" },
	{ "alert protocol version",                             "old_tls" },
	{ "ssl_error_unsupported_version",                      "old_tls" },
	{ "alert handshake failure",                            "handshake" },
	{ "name or service not known",                          "no_name" },
	{ "nxdomain",                                           "no_name" },
	{ "nodename nor servname provided",                     "no_name" },
	{ "no such host is known",                              "no_name" },
	{ "no such host",                                       "no_name" },
	{ "could not resolve host",                             "no_name" },
	{ "host not found",                                     "no_name" },
	{ "enotfound",                                          "no_name" },
	{ "unknownhostexception",                               "no_name" },
	{ "temporary failure in name resolution",               "name_service" },
	{ "eai_again",                                          "name_service" },
	{ "servfail",                                           "name_service" },
	{ "connection refused",                                 "refused" },
	{ "actively refused it",                                "refused" },
	{ "econnrefused",                                       "refused" },
	{ "connection timed out",                               "timeout" },
	{ "operation timed out",                                "timeout" },
	{ "etimedout",                                          "timeout" },
	{ "network is unreachable",                             "unreachable" },
	{ "no route to host",                                   "unreachable" },
	{ "enetunreach",                                        "unreachable" },
	{ "ehostunreach",                                       "unreachable" },
	{ "connection reset by peer",                           "reset" },
	{ "econnreset",                                         "reset" },
};

/* The line around a place, for the report to show. */
static struct slice line_around(const struct pasted *p, size_t at)
{
	size_t start = at, end = at;

	while (start > 0 && p->text[start - 1] != '\n' && at - start < 200)
		start--;
	while (end < p->len && p->text[end] != '\n' && end - at < 300)
		end++;
	return slice_trim(slice(p->text + start, end - start));
}

/* -- into the report ------------------------------------------------------------------------------------------------- */

static int begin(struct report *r, const char *id)
{
	return report_begin(r, id, NO_ATTEMPT, r->began_ms);
}

static void note(struct report *r, int step, const char *name, const char *value)
{
	if (value && *value)
		report_fact(r, step, name, slice_str(value));
}

static void about_server(struct report *r, int step, const struct seen *s)
{
	note(r, step, FACT_HOST, s->host);
	note(r, step, FACT_GREETING, s->greeting);
}

static void write_imap(struct report *r, const struct seen *s)
{
	int step;

	if (!s->imap.worth)
		return;
	step = begin(r, "explain.imap");
	about_server(r, step, s);
	note(r, step, FACT_REPLY_STATUS, s->imap.status);
	note(r, step, FACT_REPLY_CODE, s->imap.code);
	note(r, step, FACT_REPLY_TEXT, s->imap.text);
	for (size_t i = 0; i < s->alsos; i++)
		note(r, step, FACT_REPLY_ALSO, s->also[i]);
	report_end(r, step, STEP_FAILED, r->began_ms);
}

/* A bounce that tells of a success has nothing to explain. */
static bool tells_of_success(const struct seen *s)
{
	return s->action && !slice_starts(slice_str(s->action), "failed") && !slice_starts(slice_str(s->action), "delayed");
}

static void write_smtp(struct report *r, const struct seen *s)
{
	int step;

	if (!s->smtp.worth && (!s->status[0] || tells_of_success(s)))
		return;
	step = begin(r, "explain.smtp");
	about_server(r, step, s);
	note(r, step, FACT_SEND_STAGE, s->stage);
	note(r, step, FACT_REPLY_CODE, s->smtp.code);
	note(r, step, FACT_REPLY_ENHANCED, s->smtp.enhanced[0] ? s->smtp.enhanced : s->status);
	note(r, step, FACT_REPLY_TEXT, s->smtp.text);
	report_end(r, step, STEP_FAILED, r->began_ms);
}

static void write_words(struct report *r, const struct seen *s)
{
	int step;

	if (!s->words.worth || s->imap.worth || s->smtp.worth)
		return;
	step = begin(r, s->words_step);
	about_server(r, step, s);
	note(r, step, FACT_REPLY_TEXT, s->words.text);
	report_end(r, step, STEP_FAILED, r->began_ms);
}

static void write_log(struct report *r, const struct pasted *p)
{
	const char *said[COUNT(log_phrases)];
	size_t      count = 0, at;
	int         step = -1;

	for (size_t i = 0; i < COUNT(log_phrases); i++) {
		bool known = false;

		/* "self-signed certificate" stands within "self-signed certificate in certificate chain": the longer came first */
		for (size_t k = 0; k < count; k++)
			known |= strcmp(said[k], log_phrases[i].says) == 0
			      || (strcmp(said[k], "private_root") == 0 && strcmp(log_phrases[i].says, "self_signed") == 0);
		if (known || !stands(p, 0, p->len, log_phrases[i].words, &at))
			continue;
		if (step < 0)
			step = begin(r, "explain.log");
		said[count++] = log_phrases[i].says;
		note(r, step, FACT_LOG_SAYS, log_phrases[i].says);
		report_fact(r, step, FACT_LOG_LINE, line_around(p, at));
	}
	if (step >= 0)
		report_end(r, step, STEP_FAILED, r->began_ms);
}

/* A short text without any sign of who said it may be a server's sentence alone. */
static void write_sentence(struct report *r, const struct pasted *p, const struct seen *s)
{
	size_t lines = 1;
	int    step;

	for (size_t i = 0; i < p->len; i++)
		lines += p->text[i] == '\n';
	if (s->imap.worth || s->smtp.worth || s->words.worth || p->len > 800 || lines > 6)
		return;
	step = begin(r, "explain.words");
	report_fact(r, step, FACT_REPLY_TEXT, slice(p->text, p->len));
	report_end(r, step, STEP_FAILED, r->began_ms);
}

static const char *lower(struct arena *job, const char *text)
{
	char *copy = arena_str(job, text);

	for (char *c = copy; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return copy;
}

/* Other documents' words for a cause: the last column of causes.def. Some have one word for several. */
static void write_aliases(struct report *r, const struct pasted *p)
{
	struct slice whole = slice_trim(slice(p->low, p->len));
	size_t       at;
	int          step = -1, causes = 0;
	bool         is_whole = false;

	while (whole.len && strchr(".!\"'", whole.at[whole.len - 1]))
		whole.len--;
	while (whole.len && strchr("\"'", whole.at[0]))
		whole = slice_from(whole, 1);
	for (unsigned c = CAUSE_NONE + 1; c < CAUSE_COUNT; c++) {
		const struct cause_row *row = cause_row((enum cause)c);
		const char             *alias = lower(p->job, row->alias);

		if (!*alias || !stands(p, 0, p->len, alias, &at))
			continue;
		if (step < 0)
			step = begin(r, "explain.words");
		causes++;
		is_whole |= slice_is(whole, alias);
		note(r, step, FACT_ALIAS, row->id);
	}
	if (step < 0)
		return;
	if (is_whole && causes == 1)
		note(r, step, FACT_ALIAS_WHOLE, "yes");
	report_end(r, step, STEP_FAILED, r->began_ms);
}

void answer_fingerprint(struct slice text, char hex[FINGERPRINT])
{
	char         *norm = must_alloc(text.len + 1);
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned      digest_len = 0;
	size_t        len = 0;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char from = (unsigned char)text.at[i];
		char          c = isspace(from) ? ' ' : isdigit(from) ? '0' : (char)tolower(from);

		if ((c == ' ' || c == '0') && (len == 0 ? c == ' ' : norm[len - 1] == c))
			continue;
		norm[len++] = c;
	}
	while (len && norm[len - 1] == ' ')
		len--;
	hex[0] = '\0';
	if (EVP_Digest(norm, len, digest, &digest_len, EVP_sha256(), NULL))
		for (size_t i = 0; i < 8; i++)
			snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	free(norm);
}

static void write_raw(struct report *r, const struct pasted *p)
{
	int  step = begin(r, "explain.text");
	char hex[17];

	answer_fingerprint(slice(p->low, p->len), hex);
	note(r, step, FACT_FINGERPRINT, hex);
	report_fact(r, step, FACT_REPLY_TEXT, slice_upto(slice(p->text, p->len), 300));
	report_end(r, step, STEP_PASSED, r->began_ms);
}

void explain_facts(struct report *r, const char *text)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct pasted p;
	struct seen   s = { 0 };

	pasted_init(&p, job, slice(text, strnlen(text, EXPLAIN_LONGEST)));
	write_raw(r, &p);
	read_lines(&p, &s);
	smtp_stage(&p, &s);
	postfix_dsn(&p, &s);
	write_imap(r, &s);
	write_smtp(r, &s);
	write_words(r, &s);
	explain_microsoft(r, slice(p.text, p.len));
	explain_google(r, slice(p.text, p.len));
	explain_exchange(r, slice(p.text, p.len));
	explain_caldav(r, slice(p.text, p.len));
	write_log(r, &p);
	write_sentence(r, &p, &s);
	write_aliases(r, &p);
}
