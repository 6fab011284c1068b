/* Who is in it, and what they have. */
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"
#include "sandbox/imap.h"

struct account *account_by_mail(struct sandbox *s, const char *mail)
{
	if (!*mail)
		return NULL;
	for (size_t i = 0; i < s->account_count; i++) {
		const struct account *a = &s->accounts[i];

		if (strcasecmp(a->mail, mail) == 0 || strcasecmp(a->alias, mail) == 0)
			return &s->accounts[i];
	}
	return NULL;
}

struct account *account_served(struct sandbox *s, struct account *a)
{
	if (a) {
		orders_serve(&s->orders, a->mail);
		dress(s);
	}
	return a;
}

static const char *named(struct arena *arena, const char *sam)
{
	char *name = arena_print(arena, "%s Example", sam);

	if (*name >= 'a' && *name <= 'z')
		*name = (char)(*name - 'a' + 'A');
	return name;
}

static struct account *add_account(struct sandbox *s, const char *mail, const char *password, bool has_mailbox)
{
	struct account *a = &s->accounts[s->account_count];

	a->mail = a->upn = arena_str(s->own, mail);
	a->sam = arena_copy(s->own, slice(mail, strcspn(mail, "@")));
	a->alias = arena_print(s->own, "%s.alias@%s", a->sam, s->plays_imap && imap_has(mail) ? strchr(mail, '@') + 1 : s->domain);
	a->password = arena_str(s->own, password);
	a->display = named(s->own, a->sam);
	if (has_mailbox && !orders_of(&s->orders, a->mail, ORDER_NO_MAILBOX))
		a->mailbox = mailbox_new((unsigned)++s->account_count, a->mail, !orders_of(&s->orders, a->mail, ORDER_NO_CALENDAR));
	else
		s->account_count++;
	return a;
}

static void put_mail(struct sandbox *s, struct account *a, unsigned n, const char *subject, const char *text, int64_t when)
{
	struct arena *work = arena_new();
	char          date[60];
	time_t        t = (time_t)when;
	struct tm     at;
	const char   *mime;

	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", gmtime_r(&t, &at));
	mime = arena_print(work,
	                   "From: \"Ben Baker\" <ben@fabrikam.example>\r\nTo: %s <%s>\r\nSubject: %s\r\nDate: %s\r\nMessage-ID: <%u.%s@fabrikam.example>\r\n"
	                   "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n%s\r\n",
	                   mime_word(work, a->display), a->mail, mime_word(work, subject), date, n, a->sam, text);
	mailbox_add_mail(a->mailbox, mailbox_known(a->mailbox, "inbox"), slice_str(mime), when);
	arena_free(work);
	(void)s;
}

static void put_event(struct account *a, int64_t now)
{
	struct folder *calendar = mailbox_known(a->mailbox, "calendar");
	struct item   *item;

	if (!calendar)
		return;
	item = mailbox_add_event(a->mailbox, calendar, now);
	item->shown.subject = arena_str(item->own, "Weekly meeting");
	item->shown.text = arena_str(item->own, "What was done, what comes.");
	item->event.location = arena_str(item->own, "Room 4");
	item->event.zone = arena_str(item->own, "W. Europe Standard Time");
	item->event.uid = arena_str(item->own, "040000008200E00074C5B7101A82E00800000000A1B2C3D4");
	item->event.start = now - now % 86400 + 86400 + 9 * 3600;      /* tomorrow at nine */
	item->event.end = item->event.start + 3600;
	item->read = true;
}

static void fill(struct sandbox *s, struct account *a, unsigned items)
{
	static const struct { const char *subject, *text; } usual[] = {
		{ "Welcome", "Good to have you here." }, { "Invoice 4711", "To be paid within 14 days." }, { "Ümläut and 日本", "Grüße aus Köln." },
	};
	int64_t now = clock_unix_ms() / 1000;

	if (!a->mailbox)
		return;
	for (unsigned i = 0; i < COUNT(usual); i++)
		put_mail(s, a, i, usual[i].subject, usual[i].text, now - 3600 * (int64_t)(COUNT(usual) - i));
	for (unsigned i = 0; i < items; i++)
		put_mail(s, a, (unsigned)COUNT(usual) + i, "One of many", "A message.", now - items + i);
	put_event(a, now);
}

/* The one that is called service is what it is among the usual people, too. */
static void add_named(struct sandbox *s, const char *address, const char *password)
{
	bool acts = strncmp(address, "service@", strlen("service@")) == 0;

	add_account(s, address, password, !acts)->may_impersonate = acts;
}

bool add_accounts(struct sandbox *s, const struct sandbox_wishes *w, struct error *err)
{
	for (size_t i = 0; i < w->accounts; i++) {
		const char *colon = strchr(w->account[i], ':');

		if (!colon || !memchr(w->account[i], '@', (size_t)(colon - w->account[i])))
			return fail(err, FAULT_MALFORMED, "an account is ADDRESS:PASSWORD, not \"%s\"", w->account[i]);
		add_named(s, arena_copy(s->own, slice(w->account[i], (size_t)(colon - w->account[i]))), colon + 1);
	}
	if (w->accounts == 0 && (s->exchange || s->cloud || !s->plays_imap)) {
		struct account *anna = add_account(s, arena_print(s->own, "anna@%s", s->domain), SANDBOX_PASSWORD, true), *shared;

		add_account(s, arena_print(s->own, "bert@%s", s->domain), SANDBOX_PASSWORD, true);
		shared = add_account(s, arena_print(s->own, "info@%s", s->domain), SANDBOX_PASSWORD, true);
		shared->delegate = anna;
		add_named(s, arena_print(s->own, "service@%s", s->domain), SANDBOX_PASSWORD);
	}
	if (w->accounts == 0 && s->plays_imap) {
		add_account(s, "anna@" IMAP_DOMAIN, SANDBOX_PASSWORD, true);
		add_account(s, "bert@" IMAP_DOMAIN, SANDBOX_PASSWORD, true);
	}
	for (size_t i = 0; i < s->account_count; i++)
		fill(s, &s->accounts[i], i == 0 ? w->items : 0);
	return true;
}
