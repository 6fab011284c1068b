/* imap.c -- a conversation by IMAP4rev1 (RFC 3501, with SASL-IR, ID, IDLE, LITERAL+, NAMESPACE, UIDPLUS, MOVE, UNSELECT, SPECIAL-USE). */
#include "sandbox/imap.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include <sys/eventfd.h>

#include "base/clock.h"
#include "sandbox/imap_box.h"
#include "sandbox/imap_fetch.h"
#include "sandbox/text.h"

#define ANSWER_LONGEST (512u << 20)
#define ROUNDS_MOST    100000

struct talk {
	struct imap_caller *caller;
	struct sandbox     *sandbox;
	struct arena       *work;         /* of the command at hand */
	struct buffer       out;
	struct buffer       command;      /* with its literals      */
	struct view         view;
	const char         *tag;
	bool                by_uid, over, read_more;
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

#define done(t, ...) say(t, "%s %s", (t)->tag, arena_print((t)->work, __VA_ARGS__))

static bool flush(struct talk *t)
{
	bool fine = line_say(&t->caller->line, buffer_held(&t->out));

	buffer_clear(&t->out);
	return fine;
}

/* What was ordered in place of an answer: untagged lines first, the last of them tagged. "* BYE …" alone ends it. */
static void say_ordered(struct talk *t, const char *words)
{
	struct slice rest = slice_str(words);

	while (rest.len) {
		struct slice line = slice_cut(&rest, '\n');

		if (slice_starts(line, "* BYE"))
			t->over = true;
		say(t, "%s%.*s", slice_starts(line, "* ") ? "" : arena_print(t->work, "%s ", t->tag), (int)line.len, line.at);
	}
}

static void bad(struct talk *t)
{
	done(t, "BAD Error in IMAP command received by server.");
}

static struct mailbox *box_of(struct talk *t)
{
	return t->caller->account->mailbox;
}

/* In whose name it is asked: from the sign-in on his orders count, before it those of the host. */
static void serve(struct talk *t)
{
	orders_serve_host(&t->sandbox->orders, t->caller->host->domain);
	orders_serve(&t->sandbox->orders, t->caller->account ? t->caller->account->mail : NULL);
}

/* -- what it can -------------------------------------------------------------------------------------------------- */

/* How somebody may sign in. */
static const char *schemes(struct talk *t)
{
	const struct ordered *o = orders_has(&t->sandbox->orders, ORDER_IMAP_SCHEMES);
	const char           *mechanisms = "";
	struct slice          rest;

	if (!t->caller->line.tls)
		return " LOGINDISABLED";
	if (!o)
		return t->caller->host->dialect->token_refusal ? " AUTH=PLAIN AUTH=XOAUTH2" : " AUTH=PLAIN";
	rest = slice_str(o->value);
	while (rest.len) {
		struct slice one = slice_cut(&rest, ',');

		mechanisms = arena_print(t->work, "%s AUTH=%.*s", mechanisms, (int)one.len, one.at);
	}
	return arena_print(t->work, " LOGINDISABLED%s", mechanisms);
}

static bool offers_tls(struct talk *t)
{
	return !t->caller->line.tls && !orders_has(&t->sandbox->orders, ORDER_NO_STARTTLS);
}

static const char *capability(struct talk *t)
{
	const struct dialect *d = t->caller->host->dialect;

	if (t->caller->account)
		return d->after;
	return arena_print(t->work, "%s%s%s", d->before, offers_tls(t) ? " STARTTLS" : "", schemes(t));
}

static void do_capability(struct talk *t, struct slice args)
{
	(void)args;
	say(t, "* CAPABILITY %s", capability(t));
	done(t, "OK Capability completed.");
}

static void do_id(struct talk *t, struct slice args)
{
	(void)args;
	say(t, "* ID %s", t->caller->host->dialect->id);
	done(t, "OK ID completed.");
}

static void do_noop(struct talk *t, struct slice args)
{
	(void)args;
	if (t->view.folder)
		view_news(&t->view, box_of(t), &t->out);
	done(t, "OK NOOP completed.");
}

static void do_logout(struct talk *t, struct slice args)
{
	(void)args;
	say(t, "* BYE Logging out");
	done(t, "OK Logout completed.");
	t->over = true;
}

static void do_enable(struct talk *t, struct slice args)
{
	(void)args;
	say(t, "* ENABLED");
	done(t, "OK Enabled.");
}

static void do_namespace(struct talk *t, struct slice args)
{
	(void)args;
	say(t, "* NAMESPACE ((\"\" \"/\")) NIL NIL");
	done(t, "OK Namespace completed.");
}

/* -- signing in --------------------------------------------------------------------------------------------------- */

/* What is ordered for whom the name names, right password or not; else whether they are right. */
static void sign_in_with(struct talk *t, const struct credentials *by)
{
	struct imap_caller *c = t->caller;
	const char         *words;

	account_by_login(c, by->user);
	words = words_ordered(c, STAGE_LOGIN);
	if (words) {
		t->sandbox->counts.refused++;
		log_talk(c, "login", "refused");
		say_ordered(t, words);
		return;
	}
	c->account = let_in(c, by);
	if (c->account)
		done(t, "OK [CAPABILITY %s] Logged in", capability(t));
	else
		done(t, "%s", c->host->dialect->refusal);
}

static bool may_sign_in(struct talk *t)
{
	if (t->caller->account)
		done(t, "BAD Already logged in.");
	else if (!t->caller->line.tls)
		done(t, "NO [PRIVACYREQUIRED] Cleartext authentication disallowed on non-secure (SSL/TLS) connections.");
	return !t->caller->account && t->caller->line.tls;
}

static void do_login(struct talk *t, struct slice args)
{
	struct slice user, password;

	if (!may_sign_in(t))
		return;
	if (!read_string(t->work, &args, &user) || !read_string(t->work, &args, &password) || !read_end(&args))
		bad(t);
	else if (strstr(capability(t), "LOGINDISABLED"))
		done(t, "NO [AUTHENTICATIONFAILED] LOGIN is disabled.");
	else
		sign_in_with(t, &(struct credentials){ .user = arena_copy(t->work, user), .password = arena_copy(t->work, password) });
}

/* The next line, said by the client when it was asked for one. The lock is given up meanwhile. */
static bool ask(struct talk *t, const char *what, struct slice *out)
{
	bool fine;

	pthread_mutex_unlock(&t->sandbox->lock);
	fine = line_say(&t->caller->line, slice_str(arena_print(t->work, "+ %s\r\n", what))) &&
	       line_hear(&t->caller->line, t->work, false, out) == HEARD;
	pthread_mutex_lock(&t->sandbox->lock);
	serve(t);
	t->over |= !fine;
	return fine;
}

/* A token that is refused gets the reason first, which wants an empty line (facts B.6). */
static void sign_in_by_token(struct talk *t, struct slice said)
{
	struct credentials by;
	struct account    *a;

	if (!t->caller->host->dialect->token_refusal || !xoauth2_read(t->work, said, &by)) {
		done(t, "BAD Invalid SASL argument.");
		return;
	}
	a = account_by_login(t->caller, by.user);
	if (words_ordered(t->caller, STAGE_LOGIN) || !a || !let_in(t->caller, &by)) {
		if (ask(t, base64_of(t->work, slice_str(token_refusal(t->caller, by.token))), &said))
			done(t, "%s", t->caller->host->dialect->refusal);
		return;
	}
	t->caller->account = a;
	done(t, "OK [CAPABILITY %s] Logged in", capability(t));
}

static void do_authenticate(struct talk *t, struct slice args)
{
	struct slice       scheme, said;
	struct credentials by;
	bool               plain, token;

	if (!may_sign_in(t))
		return;
	if (!read_atom(&args, &scheme)) {
		bad(t);
		return;
	}
	plain = slice_is(scheme, "PLAIN");
	token = slice_is(scheme, "XOAUTH2");
	if (!(plain || token) || !slice_has(slice_str(schemes(t)), arena_print(t->work, "AUTH=%s", plain ? "PLAIN" : "XOAUTH2"))) {
		done(t, "NO [CANNOT] Unsupported authentication mechanism.");
		return;
	}
	if (!read_atom(&args, &said) && !ask(t, "", &said))
		return;
	if (slice_is(said, "*"))
		done(t, "BAD Authentication aborted by client.");
	else if (token)
		sign_in_by_token(t, said);
	else if (!plain_read(t->work, said, &by))
		done(t, "NO [AUTHENTICATIONFAILED] Invalid base64 data.");
	else
		sign_in_with(t, &by);
}

static void do_starttls(struct talk *t, struct slice args)
{
	struct imap_caller *c = t->caller;

	(void)args;
	if (!offers_tls(t)) {
		done(t, "BAD TLS is not available.");
		return;
	}
	done(t, "OK Begin TLS negotiation now.");
	pthread_mutex_unlock(&t->sandbox->lock);
	/* what came before may have been anybody's */
	line_forget(&c->line);
	t->over = !flush(t) || !line_secure(&c->line, c->host->tls);
	pthread_mutex_lock(&t->sandbox->lock);
}

/* -- folders ------------------------------------------------------------------------------------------------------ */

static void list_one(struct talk *t, const char *verb, const struct folder *f, const char *name)
{
	const char *use = box_use(f);
	struct buffer line;

	buffer_init(&line, 8192);
	buffer_print(&line, "* %s (%s%s%s) \"/\" \"", verb, box_has_children(box_of(t), f) ? "\\HasChildren" : "\\HasNoChildren", use ? " " : "", use ? use : "");
	for (const char *c = mailbox_name_of(t->work, name); *c; c++)
		buffer_print(&line, "%s%c", *c == '"' || *c == '\\' ? "\\" : "", *c);
	say(t, "%.*s\"", (int)buffer_held(&line).len, buffer_held(&line).at);
	buffer_release(&line);
}

/* The options before the names are passed over: with them or without, all is told. */
static bool pass_brackets(struct slice *args)
{
	int depth = 0;

	if (!read_mark(args, '('))
		return true;
	for (depth = 1; depth > 0;) {
		struct slice word;

		if (read_mark(args, '('))
			depth++;
		else if (read_mark(args, ')'))
			depth--;
		else if (!read_atom(args, &word))
			return false;
	}
	return true;
}

static void list_all(struct talk *t, const char *verb, const char *pattern)
{
	struct mailbox *m = box_of(t);

	for (size_t i = 0; i < m->folders; i++) {
		const char *name = m->folder[i]->gone ? NULL : box_name(t->work, m, m->folder[i]);
		bool        hidden = name && strcmp(name, "INBOX") == 0 && orders_has(&t->sandbox->orders, ORDER_NO_INBOX);

		if (name && !hidden && pattern_fits(pattern, name))
			list_one(t, verb, m->folder[i], name);
	}
}

static void list_as(struct talk *t, const char *verb, struct slice args)
{
	const char  *words = words_ordered(t->caller, STAGE_LIST);
	struct slice reference, pattern;

	if (words) {
		say_ordered(t, words);
		return;
	}
	if (!pass_brackets(&args) || !read_string(t->work, &args, &reference)) {
		bad(t);
		return;
	}
	if (read_mark(&args, '(')) {      /* several patterns: what there is */
		pattern = slice_str("*");
	} else if (!read_string(t->work, &args, &pattern)) {
		bad(t);
		return;
	}
	if (pattern.len == 0)
		say(t, "* %s (\\Noselect) \"/\" \"\"", verb);
	else
		list_all(t, verb, arena_print(t->work, "%s%s", mailbox_name_read(t->work, reference), mailbox_name_read(t->work, pattern)));
	done(t, "OK List completed.");
}

static void do_list(struct talk *t, struct slice args)
{
	list_as(t, "LIST", args);
}

static void do_lsub(struct talk *t, struct slice args)
{
	list_as(t, "LSUB", args);
}

/* NULL: the answer is written. */
static struct folder *folder_named(struct talk *t, struct slice *args)
{
	struct slice   name;
	struct folder *f;

	if (!read_string(t->work, args, &name)) {
		bad(t);
		return NULL;
	}
	f = box_find(box_of(t), mailbox_name_read(t->work, name));
	if (f && strcmp(box_name(t->work, box_of(t), f), "INBOX") == 0 && orders_has(&t->sandbox->orders, ORDER_NO_INBOX))
		f = NULL;
	if (!f)
		done(t, "NO [NONEXISTENT] Mailbox doesn't exist: %.*s", (int)name.len, name.at);
	return f;
}

static unsigned validity_of(const struct folder *f)
{
	return 1700000000u + f->number;
}

static size_t first_unseen(const struct view *v)
{
	for (size_t i = 0; i < v->count; i++)
		if (!(v->seen[i].marks & MARK_SEEN))
			return i + 1;
	return 0;
}

static void unwatch(struct talk *t)
{
	view_close(&t->view);
	t->caller->watched = NULL;
}

static void open_as(struct talk *t, struct slice args, bool read_only)
{
	const char    *words = words_ordered(t->caller, STAGE_OPEN);
	struct folder *f;

	unwatch(t);
	if (words) {
		say_ordered(t, words);
		return;
	}
	f = folder_named(t, &args);
	if (!f)
		return;
	view_open(&t->view, box_of(t), f, read_only);
	t->caller->watched = box_of(t);
	say(t, "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)");
	say(t, "* OK [PERMANENTFLAGS (%s)] Flags.", read_only ? "" : "\\Answered \\Flagged \\Deleted \\Seen \\Draft");
	say(t, "* %zu EXISTS", t->view.count);
	say(t, "* 0 RECENT");
	if (first_unseen(&t->view))
		say(t, "* OK [UNSEEN %zu] First unseen.", first_unseen(&t->view));
	say(t, "* OK [UIDVALIDITY %u] UIDs valid", validity_of(f));
	say(t, "* OK [UIDNEXT %u] Predicted next UID", box_of(t)->last_number + 1);
	done(t, read_only ? "OK [READ-ONLY] Examine completed." : "OK [READ-WRITE] Select completed.");
}

static void do_select(struct talk *t, struct slice args)
{
	open_as(t, args, false);
}

static void do_examine(struct talk *t, struct slice args)
{
	open_as(t, args, true);
}

static unsigned long long bytes_in(const struct mailbox *m, const struct folder *f)
{
	unsigned long long n = 0;

	for (const struct item *i = m->first; i; i = i->next)
		n += i->folder == f ? i->mime.len : 0;
	return n;
}

static void do_status(struct talk *t, struct slice args)
{
	struct slice   rest = args, name, word;
	struct folder *f = folder_named(t, &args);
	struct mailbox *m = box_of(t);
	const char    *told = "";

	if (!f)
		return;
	read_string(t->work, &rest, &name);
	if (!read_mark(&args, '(')) {
		bad(t);
		return;
	}
	while (read_atom(&args, &word)) {
		unsigned long long n = slice_is(word, "MESSAGES") ? mailbox_count(m, f, false) : slice_is(word, "UNSEEN") ? mailbox_count(m, f, true)
		                     : slice_is(word, "UIDNEXT") ? m->last_number + 1 : slice_is(word, "UIDVALIDITY") ? validity_of(f)
		                     : slice_is(word, "SIZE") ? bytes_in(m, f) : 0;

		told = arena_print(t->work, "%s%s%.*s %llu", told, *told ? " " : "", (int)word.len, word.at, n);
	}
	say(t, "* STATUS \"%s\" (%s)", mailbox_name_of(t->work, box_name(t->work, m, f)), told);
	done(t, "OK Status completed.");
}

static void do_create(struct talk *t, struct slice args)
{
	struct slice name;

	if (!read_string(t->work, &args, &name))
		bad(t);
	else if (box_make(box_of(t), mailbox_name_read(t->work, name)))
		done(t, "OK Create completed.");
	else
		done(t, "NO [ALREADYEXISTS] Mailbox already exists");
}

static void do_delete(struct talk *t, struct slice args)
{
	struct folder *f = folder_named(t, &args);

	if (!f)
		return;
	if (f->known) {
		done(t, "NO [CANNOT] That mailbox stays.");
		return;
	}
	mailbox_drop_folder(box_of(t), f);
	done(t, "OK Delete completed.");
}

static void do_subscribe(struct talk *t, struct slice args)
{
	if (folder_named(t, &args))
		done(t, "OK Subscribe completed.");
}

/* -- messages ----------------------------------------------------------------------------------------------------- */

/* Those of the view that a set names: NULL in the row for the others. False: the answer is written. */
static bool chosen(struct talk *t, struct slice *args, struct item ***out)
{
	struct slice      text;
	struct number_set set;
	const struct view *v = &t->view;
	uint32_t          last = t->by_uid ? (v->count ? v->seen[v->count - 1].uid : 0) : (uint32_t)v->count;

	if (!read_atom(args, &text) || !set_read(text, last, &set)) {
		bad(t);
		return false;
	}
	*out = view_items(t->work, v, box_of(t));
	for (size_t i = 0; i < v->count; i++)
		if (!set_has(&set, t->by_uid ? v->seen[i].uid : (uint32_t)i + 1))
			(*out)[i] = NULL;
	return true;
}

static void tell_flags(struct talk *t, size_t n, const struct item *i)
{
	char text[80];

	t->view.seen[n].marks = marks_of(i);
	say(t, "* %zu FETCH (%sFLAGS (%s))", n + 1, t->by_uid ? arena_print(t->work, "UID %u ", i->number) : "", marks_text(marks_of(i), text));
}

/* Who reads a body has seen the message; that is told with it, as most servers do. */
static void tell_seen(struct talk *t, const struct fetch *wish, size_t n, struct item *i)
{
	char text[80];

	if (!wish->sets_seen || t->view.read_only || i->read)
		return;
	marks_set(box_of(t), i, marks_of(i) | MARK_SEEN);
	t->view.seen[n].marks = marks_of(i);
	imap_stir(t->sandbox, box_of(t));
	if (!wish->has_flags)
		buffer_print(&t->out, "FLAGS (%s) ", marks_text(marks_of(i), text));
}

static void do_fetch(struct talk *t, struct slice args)
{
	struct item **all;
	struct fetch  wish;

	if (!chosen(t, &args, &all))
		return;
	if (!fetch_read(&args, &wish)) {
		bad(t);
		return;
	}
	if (t->by_uid && !wish.has_uid && wish.count < FETCH_ITEMS)
		wish.item[wish.count++].name = slice_str("UID"), wish.item[wish.count - 1].has_section = false;
	for (size_t i = 0; i < t->view.count; i++) {
		CLEANUP(arena) struct arena *work = arena_new();

		if (!all[i])
			continue;
		buffer_print(&t->out, "* %zu FETCH (", i + 1);
		tell_seen(t, &wish, i, all[i]);
		if (!fetch_add(&t->out, &wish, work, all[i])) {
			buffer_add_str(&t->out, ")\r\n");
			bad(t);
			return;
		}
		buffer_add_str(&t->out, ")\r\n");
	}
	done(t, "OK Fetch completed.");
}

static void do_search(struct talk *t, struct slice args)
{
	struct item **all = view_items(t->work, &t->view, box_of(t));
	struct slice  word, rest = args;
	bool          wrong = false;

	if (read_atom(&rest, &word) && slice_is(word, "CHARSET") && read_string(t->work, &rest, &word))
		args = rest;
	buffer_add_str(&t->out, "* SEARCH");
	for (size_t i = 0; i < t->view.count && !wrong; i++) {
		CLEANUP(arena) struct arena *work = arena_new();
		struct search_of s = { work, all[i], (uint32_t)i + 1, (uint32_t)t->view.count, t->view.seen[t->view.count - 1].uid };

		rest = args;
		if (all[i] && search_fits(&rest, &s, 0, &wrong))
			buffer_print(&t->out, " %u", t->by_uid ? all[i]->number : (unsigned)i + 1);
	}
	buffer_add_str(&t->out, "\r\n");
	if (wrong)
		done(t, "BAD Unknown search key");
	else
		done(t, "OK Search completed.");
}

static void do_store(struct talk *t, struct slice args)
{
	struct item **all;
	struct slice  how;
	unsigned      marks;
	bool          silent;

	if (!chosen(t, &args, &all))
		return;
	if (!read_atom(&args, &how) || !marks_read(&args, &marks)) {
		bad(t);
		return;
	}
	if (t->view.read_only) {
		done(t, "NO [READ-ONLY] Mailbox is read-only");
		return;
	}
	silent = slice_ends(how, ".SILENT");
	for (size_t i = 0; i < t->view.count; i++) {
		unsigned before = all[i] ? marks_of(all[i]) : 0;

		if (!all[i])
			continue;
		marks_set(box_of(t), all[i], slice_starts(how, "+") ? before | marks : slice_starts(how, "-") ? before & ~marks : marks);
		t->view.seen[i].marks = marks_of(all[i]);
		if (!silent)
			tell_flags(t, i, all[i]);
	}
	imap_stir(t->sandbox, box_of(t));
	done(t, "OK Store completed.");
}

/* Where the message goes, in every way that somebody may be told of it. */
static struct item *put_mail(struct talk *t, struct folder *to, struct slice mime, int64_t when, unsigned marks)
{
	struct item *i = mailbox_add_mail(box_of(t), to, mime, when);

	marks_set(box_of(t), i, marks);
	return i;
}

static void do_append(struct talk *t, struct slice args)
{
	struct folder *f = folder_named(t, &args);
	struct slice   mime = { 0 }, date, peek;
	unsigned       marks = 0;
	int64_t        when = clock_unix_ms() / 1000;
	struct item   *i;

	if (!f)
		return;
	peek = args;
	if (read_mark(&peek, '(') && !marks_read(&args, &marks)) {
		bad(t);
		return;
	}
	if (slice_trim(args).len && slice_trim(args).at[0] == '"' && read_string(t->work, &args, &date))
		stamp_read(date, &when);
	if (!read_string(t->work, &args, &mime) || !read_end(&args)) {
		bad(t);
		return;
	}
	i = put_mail(t, f, mime, when, marks);
	imap_stir(t->sandbox, box_of(t));
	done(t, "OK [APPENDUID %u %u] Append completed.", validity_of(f), i->number);
}

static void copy_to(struct talk *t, struct slice args, bool moves)
{
	struct item  **all;
	struct folder *to;
	const char    *from_uids = "", *to_uids = "";

	if (!chosen(t, &args, &all) || !(to = folder_named(t, &args)))
		return;
	for (size_t i = 0; i < t->view.count; i++) {
		struct item *copy;

		if (!all[i])
			continue;
		copy = put_mail(t, to, all[i]->mime, all[i]->received, marks_of(all[i]));
		from_uids = arena_print(t->work, "%s%s%u", from_uids, *from_uids ? "," : "", all[i]->number);
		to_uids = arena_print(t->work, "%s%s%u", to_uids, *to_uids ? "," : "", copy->number);
		if (moves)
			mailbox_drop(box_of(t), all[i]);
	}
	if (moves) {
		if (*from_uids)
			say(t, "* OK [COPYUID %u %s %s] Moved UIDs.", validity_of(to), from_uids, to_uids);
		view_news(&t->view, box_of(t), &t->out);
		done(t, "OK Move completed.");
	} else if (*from_uids) {
		done(t, "OK [COPYUID %u %s %s] Copy completed.", validity_of(to), from_uids, to_uids);
	} else {
		done(t, "OK No messages found.");
	}
	imap_stir(t->sandbox, box_of(t));
}

static void do_copy(struct talk *t, struct slice args)
{
	copy_to(t, args, false);
}

static void do_move(struct talk *t, struct slice args)
{
	copy_to(t, args, true);
}

static void expunge(struct talk *t, const struct number_set *only)
{
	struct item **all = view_items(t->work, &t->view, box_of(t));

	for (size_t i = 0; i < t->view.count; i++)
		if (all[i] && (marks_of(all[i]) & MARK_DELETED) && (!only || set_has(only, all[i]->number)))
			mailbox_drop(box_of(t), all[i]);
	imap_stir(t->sandbox, box_of(t));
}

static void do_expunge(struct talk *t, struct slice args)
{
	struct number_set set;
	struct slice      text;

	if (t->view.read_only) {
		done(t, "NO [READ-ONLY] Mailbox is read-only");
		return;
	}
	if (t->by_uid && (!read_atom(&args, &text) || !set_read(text, box_of(t)->last_number, &set))) {
		bad(t);
		return;
	}
	expunge(t, t->by_uid ? &set : NULL);
	view_news(&t->view, box_of(t), &t->out);
	done(t, "OK Expunge completed.");
}

static void do_close(struct talk *t, struct slice args)
{
	(void)args;
	if (!t->view.read_only)
		expunge(t, NULL);
	unwatch(t);
	done(t, "OK Close completed.");
}

static void do_unselect(struct talk *t, struct slice args)
{
	(void)args;
	unwatch(t);
	done(t, "OK Unselect completed.");
}

/* -- IDLE --------------------------------------------------------------------------------------------------------- */

static void do_idle(struct talk *t, struct slice args)
{
	enum heard   heard;
	struct slice line;

	(void)args;
	say(t, "+ idling");
	do {
		bool fine;

		if (t->view.folder)
			view_news(&t->view, box_of(t), &t->out);
		pthread_mutex_unlock(&t->sandbox->lock);
		fine = flush(t);
		heard = fine ? line_hear(&t->caller->line, t->work, true, &line) : HEARD_END;
		pthread_mutex_lock(&t->sandbox->lock);
	} while (heard == HEARD_STIR);
	if (heard == HEARD_END)
		t->over = true;
	else if (slice_is(slice_trim(line), "DONE"))
		done(t, "OK Idle completed.");
	else
		done(t, "BAD Expected DONE.");
}

/* -- commands ----------------------------------------------------------------------------------------------------- */

enum needs { NEEDS_NOTHING, NEEDS_LOGIN, NEEDS_FOLDER };

static const struct { const char *name; enum needs needs; bool by_uid; void (*run)(struct talk *, struct slice); } commands[] = {
	{ "CAPABILITY",   NEEDS_NOTHING, false, do_capability }, { "NOOP",      NEEDS_NOTHING, false, do_noop },
	{ "LOGOUT",       NEEDS_NOTHING, false, do_logout },     { "ID",        NEEDS_NOTHING, false, do_id },
	{ "STARTTLS",     NEEDS_NOTHING, false, do_starttls },   { "LOGIN",     NEEDS_NOTHING, false, do_login },
	{ "AUTHENTICATE", NEEDS_NOTHING, false, do_authenticate },
	{ "ENABLE",       NEEDS_LOGIN,   false, do_enable },     { "NAMESPACE", NEEDS_LOGIN,   false, do_namespace },
	{ "LIST",         NEEDS_LOGIN,   false, do_list },       { "LSUB",      NEEDS_LOGIN,   false, do_lsub },
	{ "SELECT",       NEEDS_LOGIN,   false, do_select },     { "EXAMINE",   NEEDS_LOGIN,   false, do_examine },
	{ "STATUS",       NEEDS_LOGIN,   false, do_status },     { "CREATE",    NEEDS_LOGIN,   false, do_create },
	{ "DELETE",       NEEDS_LOGIN,   false, do_delete },     { "SUBSCRIBE", NEEDS_LOGIN,   false, do_subscribe },
	{ "UNSUBSCRIBE",  NEEDS_LOGIN,   false, do_subscribe },  { "APPEND",    NEEDS_LOGIN,   false, do_append },
	{ "IDLE",         NEEDS_LOGIN,   false, do_idle },
	{ "FETCH",        NEEDS_FOLDER,  true,  do_fetch },      { "SEARCH",    NEEDS_FOLDER,  true,  do_search },
	{ "STORE",        NEEDS_FOLDER,  true,  do_store },      { "COPY",      NEEDS_FOLDER,  true,  do_copy },
	{ "MOVE",         NEEDS_FOLDER,  true,  do_move },       { "EXPUNGE",   NEEDS_FOLDER,  true,  do_expunge },
	{ "CHECK",        NEEDS_FOLDER,  false, do_noop },       { "CLOSE",     NEEDS_FOLDER,  false, do_close },
	{ "UNSELECT",     NEEDS_FOLDER,  false, do_unselect },
};

static void run(struct talk *t, struct slice name, struct slice args)
{
	struct imap_caller *c = t->caller;

	t->by_uid = slice_is(name, "UID");
	if (t->by_uid && !read_atom(&args, &name)) {
		bad(t);
		return;
	}
	for (size_t i = 0; i < COUNT(commands); i++) {
		if (!slice_is(name, commands[i].name) || (t->by_uid && !commands[i].by_uid))
			continue;
		if (commands[i].run != do_login && commands[i].run != do_authenticate)
			log_talk(c, arena_copy(t->work, name), "none");
		if ((commands[i].needs != NEEDS_NOTHING && !c->account) || (commands[i].needs == NEEDS_FOLDER && !t->view.folder))
			done(t, c->account ? "BAD No mailbox selected." : "BAD Please login first.");
		else
			commands[i].run(t, args);
		return;
	}
	bad(t);
}

/* One command with all its literals, in `command`. False: nobody is there any more. */
static bool hear(struct talk *t)
{
	struct imap_line *l = &t->caller->line;
	struct slice      line;
	size_t            size;
	bool              waits;

	buffer_clear(&t->command);
	for (;;) {
		if (line_hear(l, t->work, false, &line) != HEARD || !buffer_add(&t->command, line))
			return false;
		if (!literal_announced(line, &size, &waits))
			return true;
		if (size > LITERAL_LONGEST)
			return false;
		if ((waits && !line_say(l, slice_str("+ OK\r\n"))) || !buffer_add_str(&t->command, "\r\n") || !line_hear_bytes(l, size, &t->command))
			return false;
	}
}

static void obey(struct talk *t)
{
	struct slice rest = buffer_held(&t->command), tag, name;

	pthread_mutex_lock(&t->sandbox->lock);
	serve(t);
	if (!read_atom(&rest, &tag)) {
		say(t, "* BAD Error in IMAP command received by server.");
	} else {
		t->tag = arena_copy(t->work, slice_upto(tag, 200));
		if (read_atom(&rest, &name))
			run(t, name, rest);
		else
			bad(t);
	}
	pthread_mutex_unlock(&t->sandbox->lock);
}

/* -- the conversation --------------------------------------------------------------------------------------------- */

static bool greet(struct talk *t)
{
	struct imap_caller *c = t->caller;
	const char         *words;

	pthread_mutex_lock(&t->sandbox->lock);
	serve(t);
	words = words_ordered(c, STAGE_GREETING);
	log_talk(c, "connect", "none");
	t->tag = "*";
	if (words) {
		say_ordered(t, words);
		t->over = true;
	} else {
		say(t, "* OK [CAPABILITY %s] %s", capability(t), c->host->dialect->greeting);
	}
	pthread_mutex_unlock(&t->sandbox->lock);
	return flush(t) && !t->over;
}

void imap_talk(struct imap_caller *c)
{
	struct talk t = { .caller = c, .sandbox = c->imap->sandbox, .work = arena_new() };
	bool        fine;

	c->line.stir = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	buffer_init(&t.out, ANSWER_LONGEST);
	buffer_init(&t.command, LITERAL_LONGEST + LINE_LONGEST);
	fine = greet(&t);
	while (fine && !t.over) {
		arena_free(t.work);
		t.work = arena_new();
		fine = hear(&t);
		if (fine)
			obey(&t);
		fine = flush(&t) && fine;
	}
	pthread_mutex_lock(&t.sandbox->lock);
	c->watched = NULL;
	close(c->line.stir);
	c->line.stir = -1;
	pthread_mutex_unlock(&t.sandbox->lock);
	view_close(&t.view);
	buffer_release(&t.out);
	buffer_release(&t.command);
	arena_free(t.work);
}
