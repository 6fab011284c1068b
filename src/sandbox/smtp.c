/* smtp.c -- a conversation by SMTP submission (RFC 6409, 4954, 3207): who signed in sends as himself, to anybody. */
#include <ctype.h>
#include <stdio.h>
#include <strings.h>
#include <time.h>

#include "base/random.h"
#include "sandbox/ews.h"
#include "sandbox/imap.h"

#define RECIPIENTS 100

struct talk {
	struct imap_caller *caller;
	struct sandbox     *sandbox;
	struct arena       *work;         /* of the command at hand     */
	struct arena       *own;          /* of the message on its way  */
	struct buffer       out;
	const char         *from;
	struct envelope     envelope;
	bool                over, greeted;
};

/* -- answers ------------------------------------------------------------------------------------------------------ */

__attribute__((format(printf, 2, 3)))
static void say(struct talk *t, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	buffer_add_str(&t->out, arena_vprint(t->work, fmt, args));
	va_end(args);
	buffer_add_str(&t->out, "\r\n");
}

static bool flush(struct talk *t)
{
	bool fine = line_say(&t->caller->line, buffer_held(&t->out));

	buffer_clear(&t->out);
	return fine;
}

/* Lines as they stand; behind a 421, and behind a refusal instead of a greeting, nothing comes. */
static void say_ordered(struct talk *t, const char *words)
{
	struct slice rest = slice_str(words);

	t->over |= strncmp(words, "421", 3) == 0;
	while (rest.len) {
		struct slice line = slice_cut(&rest, '\n');

		say(t, "%.*s", (int)line.len, line.at);
	}
}

/* True: it is said. */
static bool ordered(struct talk *t, enum stage stage)
{
	const char *words = words_ordered(t->caller, stage);

	if (words)
		say_ordered(t, words);
	return words != NULL;
}

static void serve(struct talk *t)
{
	orders_serve_host(&t->sandbox->orders, t->caller->host->domain);
	orders_serve(&t->sandbox->orders, t->caller->account ? t->caller->account->mail : NULL);
}

static bool is_ordered_here(struct talk *t, enum order order)
{
	return orders_has(&t->sandbox->orders, order) != NULL;
}

/* -- EHLO --------------------------------------------------------------------------------------------------------- */

static bool offers_tls(struct talk *t)
{
	return !t->caller->line.tls && !is_ordered_here(t, ORDER_NO_STARTTLS);
}

/* " PLAIN LOGIN XOAUTH2"; NULL: none at all. */
static const char *schemes(struct talk *t)
{
	const struct ordered *o = orders_has(&t->sandbox->orders, ORDER_SMTP_SCHEMES);
	char                 *list;

	if (!t->caller->line.tls || is_ordered_here(t, ORDER_SMTP_NO_AUTH))
		return NULL;
	if (!o)
		return t->caller->host->dialect->token_refusal ? " PLAIN LOGIN XOAUTH2" : " PLAIN LOGIN";
	list = arena_print(t->work, " %s", o->value);
	for (char *c = list; *c; c++)
		*c = *c == ',' ? ' ' : *c;
	return list;
}

static void do_ehlo(struct talk *t, struct slice args)
{
	(void)args;
	t->greeted = true;
	say(t, "250-%s", t->caller->host->name[1]);
	say(t, "250-PIPELINING");
	say(t, "250-SIZE %u", LITERAL_LONGEST);
	if (is_ordered_here(t, ORDER_STRIPPED) && !t->caller->line.tls)
		say(t, "250-XXXXXXXA");
	else if (offers_tls(t))
		say(t, "250-STARTTLS");
	if (schemes(t))
		say(t, "250-AUTH%s", schemes(t));
	say(t, "250-ENHANCEDSTATUSCODES");
	say(t, "250 8BITMIME");
}

static void do_helo(struct talk *t, struct slice args)
{
	(void)args;
	t->greeted = true;
	say(t, "250 %s", t->caller->host->name[1]);
}

static void do_starttls(struct talk *t, struct slice args)
{
	struct imap_caller *c = t->caller;

	(void)args;
	if (!offers_tls(t) || is_ordered_here(t, ORDER_STRIPPED)) {
		say(t, "502 5.5.1 Error: command not implemented");
		return;
	}
	say(t, "220 2.0.0 Ready to start TLS");
	pthread_mutex_unlock(&t->sandbox->lock);
	line_forget(&c->line);
	t->over = !flush(t) || !line_secure(&c->line, c->host->tls);
	pthread_mutex_lock(&t->sandbox->lock);
	serve(t);
	t->greeted = false;
}

/* -- AUTH --------------------------------------------------------------------------------------------------------- */

static bool ask(struct talk *t, const char *base64, struct slice *out)
{
	bool fine;

	say(t, "334 %s", base64);
	pthread_mutex_unlock(&t->sandbox->lock);
	fine = flush(t) && line_hear(&t->caller->line, t->work, false, out) == HEARD;
	pthread_mutex_lock(&t->sandbox->lock);
	serve(t);
	t->over |= !fine;
	return fine;
}

static void sign_in_with(struct talk *t, const struct credentials *by)
{
	struct imap_caller *c = t->caller;

	account_by_login(c, by->user);
	if (ordered(t, STAGE_SMTP_LOGIN)) {
		t->sandbox->counts.refused++;
		log_talk(c, "login", "refused");
		return;
	}
	c->account = let_in(c, by);
	if (c->account)
		say(t, "235 2.7.0 Authentication successful");
	else
		say_ordered(t, c->host->dialect->smtp_refusal);
}

static bool text_of(struct talk *t, struct slice base64, const char **out)
{
	struct slice bytes;

	if (!base64_read(t->work, slice_trim(base64), &bytes))
		return false;
	*out = arena_copy(t->work, bytes);
	return true;
}

/* One round each for the name and the password; the name may stand in the command. */
static void auth_login(struct talk *t, struct slice said)
{
	struct credentials by = { 0 };

	if (said.len == 0 && !ask(t, "VXNlcm5hbWU6", &said))
		return;
	if (!text_of(t, said, &by.user) || !ask(t, "UGFzc3dvcmQ6", &said) || !text_of(t, said, &by.password)) {
		say(t, "501 5.5.2 Cannot decode");
		return;
	}
	sign_in_with(t, &by);
}

static void auth_plain(struct talk *t, struct slice said)
{
	struct credentials by;

	if (said.len == 0 && !ask(t, "", &said))
		return;
	if (plain_read(t->work, said, &by))
		sign_in_with(t, &by);
	else
		say(t, "501 5.5.2 Cannot decode");
}

static void auth_token(struct talk *t, struct slice said)
{
	struct credentials by;

	if (said.len == 0 && !ask(t, "", &said))
		return;
	if (!t->caller->host->dialect->token_refusal || !xoauth2_read(t->work, said, &by)) {
		say(t, "501 5.5.2 Cannot decode");
		return;
	}
	account_by_login(t->caller, by.user);
	if (ordered(t, STAGE_SMTP_LOGIN))
		return;
	t->caller->account = let_in(t->caller, &by);
	if (t->caller->account)
		say(t, "235 2.7.0 Accepted");
	else if (ask(t, base64_of(t->work, slice_str(token_refusal(t->caller, by.token))), &said))
		say_ordered(t, t->caller->host->dialect->smtp_refusal);
}

static void do_auth(struct talk *t, struct slice args)
{
	static const struct { const char *name; void (*run)(struct talk *, struct slice); } mechanisms[] = {
		{ "PLAIN", auth_plain }, { "LOGIN", auth_login }, { "XOAUTH2", auth_token },
	};
	struct slice rest = slice_trim(args), name = slice_cut(&rest, ' ');
	const char  *offered = schemes(t);

	if (t->caller->account || !offered) {
		say(t, "503 5.5.1 Error: authentication not enabled");
		return;
	}
	for (size_t i = 0; i < COUNT(mechanisms); i++)
		if (slice_is(name, mechanisms[i].name) && slice_has(slice_str(offered), arena_print(t->work, " %s", mechanisms[i].name))) {
			mechanisms[i].run(t, slice_trim(rest));
			return;
		}
	say(t, "504 5.5.4 Unrecognized authentication type");
}

/* -- one message -------------------------------------------------------------------------------------------------- */

static void forget(struct talk *t)
{
	arena_free(t->own);
	t->own = arena_new();
	t->from = NULL;
	t->envelope = (struct envelope){ 0 };
}

/* "FROM:<anna@birch.example> SIZE=…" */
static const char *path_of(struct talk *t, struct slice args, const char *verb)
{
	args = slice_trim(args);
	if (!slice_starts(args, verb))
		return NULL;
	args = slice_trim(slice_from(args, strlen(verb)));
	if (args.len == 0 || args.at[0] != '<' || slice_find(args, '>') == args.len)
		return NULL;
	return arena_copy(t->own, slice_upto(slice_from(args, 1), slice_find(args, '>') - 1));
}

static void do_mail(struct talk *t, struct slice args)
{
	const char *from;

	forget(t);
	from = path_of(t, args, "FROM:");
	if (!t->caller->account)
		say(t, "530 5.7.0 Authentication required");
	else if (!from)
		say(t, "501 5.5.4 Syntax: MAIL FROM:<address>");
	else if (!ordered(t, STAGE_MAIL)) {
		const struct account *owner = account_by_mail(t->sandbox, from);

		if (*from && owner != t->caller->account && (!owner || owner->delegate != t->caller->account)) {
			say(t, "553 5.7.1 <%s>: Sender address rejected: not owned by user %s", from, t->caller->account->mail);
			return;
		}
		t->from = t->envelope.from = from;
		say(t, "250 2.1.0 Ok");
	}
}

static void do_rcpt(struct talk *t, struct slice args)
{
	const char *to = path_of(t, args, "TO:");

	if (!t->from)
		say(t, "503 5.5.1 Error: need MAIL command");
	else if (!to || !*to || !strchr(to, '@'))
		say(t, "501 5.1.3 Bad recipient address syntax");
	else if (t->envelope.count == RECIPIENTS)
		say(t, "452 4.5.3 Too many recipients");
	else if (!ordered(t, STAGE_RCPT)) {
		if (imap_has(to) && !account_by_mail(t->sandbox, to)) {
			say(t, "550 5.1.1 <%s>: Recipient address rejected: User unknown in virtual mailbox table", to);
			return;
		}
		t->envelope.to[t->envelope.count++] = to;
		say(t, "250 2.1.5 Ok");
	}
}

static bool hear_message(struct talk *t, struct buffer *out)
{
	struct slice line;
	bool         fits = true;

	for (;;) {
		CLEANUP(arena) struct arena *work = arena_new();

		if (line_hear(&t->caller->line, work, false, &line) != HEARD)
			return false;
		if (slice_is(line, "."))
			return fits;
		if (line.len && line.at[0] == '.')
			line = slice_from(line, 1);
		fits = fits && buffer_add(out, line) && buffer_add_str(out, "\r\n");
	}
}

/* The header's own From, where another is ordered in its place. */
static struct slice rewritten(struct talk *t, struct slice mime, const char *as)
{
	size_t at = 0;

	while (at < mime.len) {
		struct slice line = slice_upto(slice_from(mime, at), slice_find(slice_from(mime, at), '\n') + 1);

		if (slice_trim(line).len == 0)
			break;
		if (slice_starts(line, "From:")) {
			const char *whole = arena_print(t->own, "%.*sFrom: <%s>\r\n%.*s", (int)at, mime.at, as, (int)(mime.len - at - line.len), line.at + line.len);

			return slice_str(whole);
		}
		at += line.len;
	}
	return mime;
}

static struct slice stamped(struct talk *t, struct slice mime)
{
	char      date[60];
	time_t    now = time(NULL);
	struct tm at;
	const char *head;
	char       *whole;

	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", gmtime_r(&now, &at));
	head = arena_print(t->own, "Received: from sandbox ([127.0.0.1]) by %s with ESMTPSA id %s; %s\r\n", t->caller->host->name[1],
	                   random_text(t->own, 12), date);
	whole = arena_get(t->own, strlen(head) + mime.len + 1);
	memcpy(whole, head, strlen(head));
	memcpy(whole + strlen(head), mime.at, mime.len);
	return slice(whole, strlen(head) + mime.len);
}

static void take_message(struct talk *t, struct slice mime)
{
	const struct ordered *o = orders_has(&t->sandbox->orders, ORDER_SMTP_REWRITES);

	if (o)
		mime = rewritten(t, mime, o->value);
	t->envelope.mime = stamped(t, mime);
	deliver(t->sandbox, t->own, &t->envelope);
	say(t, "250 2.0.0 Ok: queued as %s", random_text(t->work, 10));
}

static void do_data(struct talk *t, struct slice args)
{
	struct buffer mime;
	bool          fine;

	(void)args;
	if (t->envelope.count == 0) {
		say(t, "503 5.5.1 Error: need RCPT command");
		return;
	}
	buffer_init(&mime, LITERAL_LONGEST);
	say(t, "354 End data with <CR><LF>.<CR><LF>");
	pthread_mutex_unlock(&t->sandbox->lock);
	fine = flush(t) && hear_message(t, &mime);
	pthread_mutex_lock(&t->sandbox->lock);
	serve(t);
	t->over |= !fine;
	if (fine && !ordered(t, STAGE_DATA))
		take_message(t, buffer_held(&mime));
	buffer_release(&mime);
	forget(t);
}

/* -- the rest ------------------------------------------------------------------------------------------------------ */

static void do_reset(struct talk *t, struct slice args)
{
	(void)args;
	forget(t);
	say(t, "250 2.0.0 Ok");
}

static void do_noop(struct talk *t, struct slice args)
{
	(void)args;
	say(t, "250 2.0.0 Ok");
}

static void do_quit(struct talk *t, struct slice args)
{
	(void)args;
	say(t, "221 2.0.0 Bye");
	t->over = true;
}

static const struct { const char *name; void (*run)(struct talk *, struct slice); } commands[] = {
	{ "EHLO", do_ehlo }, { "HELO", do_helo }, { "STARTTLS", do_starttls }, { "AUTH", do_auth }, { "MAIL", do_mail }, { "RCPT", do_rcpt },
	{ "DATA", do_data }, { "RSET", do_reset }, { "NOOP", do_noop }, { "QUIT", do_quit },
};

static void obey(struct talk *t, struct slice line)
{
	struct slice rest = line, name = slice_cut(&rest, ' ');

	pthread_mutex_lock(&t->sandbox->lock);
	serve(t);
	for (size_t i = 0; i < COUNT(commands); i++)
		if (slice_is(name, commands[i].name)) {
			if (commands[i].run != do_auth)
				log_talk(t->caller, commands[i].name, "none");
			commands[i].run(t, rest);
			pthread_mutex_unlock(&t->sandbox->lock);
			return;
		}
	say(t, "500 5.5.2 Error: bad syntax");
	pthread_mutex_unlock(&t->sandbox->lock);
}

static bool greet(struct talk *t)
{
	pthread_mutex_lock(&t->sandbox->lock);
	serve(t);
	log_talk(t->caller, "connect", "none");
	if (ordered(t, STAGE_SMTP_GREETING))
		t->over = true;
	else
		say(t, "220 %s %s", t->caller->host->name[1], t->caller->host->dialect->banner);
	pthread_mutex_unlock(&t->sandbox->lock);
	return flush(t) && !t->over;
}

void smtp_talk(struct imap_caller *c)
{
	struct talk  t = { .caller = c, .sandbox = c->imap->sandbox, .work = arena_new(), .own = arena_new() };
	struct slice line;
	bool         fine;

	buffer_init(&t.out, 1u << 20);
	fine = greet(&t);
	while (fine && !t.over) {
		arena_free(t.work);
		t.work = arena_new();
		fine = line_hear(&c->line, t.work, false, &line) == HEARD;
		if (fine)
			obey(&t, line);
		fine = flush(&t) && fine;
	}
	buffer_release(&t.out);
	arena_free(t.work);
	arena_free(t.own);
}
