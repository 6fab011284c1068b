#include "sandbox/ews.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include <sys/socket.h>

#include "base/random.h"

#define PATIENCE_S 10

/* Without who shall not be seen. */
static struct slice without_bcc(struct arena *arena, struct slice mime)
{
	char  *out = arena_get(arena, mime.len + 1), *at = out;
	bool   head = true, skips = false;

	while (mime.len) {
		size_t end = slice_find(mime, '\n');
		struct slice line = slice_upto(mime, end + 1);

		mime = slice_from(mime, line.len);
		if (slice_trim(line).len == 0)
			head = false;
		if (head && line.at[0] != ' ' && line.at[0] != '\t')
			skips = slice_starts(line, "Bcc:");
		if (head && skips)
			continue;
		memcpy(at, line.at, line.len);
		at += line.len;
	}
	return slice(out, (size_t)(at - out));
}

static void put_into(struct sandbox *s, struct account *a, struct slice mime, const char *class)
{
	struct folder *inbox = mailbox_known(a->mailbox, "inbox");
	struct item   *item = mailbox_add_mail(a->mailbox, inbox, mime, (int64_t)time(NULL));

	if (class)
		item->class = class;
	happened(s, a->mailbox, HAPPENED_NEW_MAIL, (struct entry_id){ a->mailbox->number, item->number, 0, 'i' }, inbox, NULL);
	happened(s, a->mailbox, HAPPENED_CREATED, (struct entry_id){ a->mailbox->number, item->number, 0, 'i' }, inbox, NULL);
}

static void put_report(struct sandbox *s, struct arena *arena, const struct envelope *e, const char *to)
{
	struct account *sender = account_by_mail(s, e->from);
	struct mime     shown;

	if (!sender || !sender->mailbox)
		return;
	mime_read(arena, e->mime, &shown);
	put_into(s, sender, slice_str(arena_print(arena,
	         "From: Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@%s>\r\nTo: <%s>\r\nSubject: Undeliverable: %s\r\n"
	         "Message-ID: <%s@%s>\r\nIn-Reply-To: %s\r\nReferences: %s\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
	         "Content-Type: multipart/report; report-type=delivery-status; boundary=\"b1\"\r\n\r\n"
	         "--b1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nDelivery has failed to these recipients:\r\n\r\n%s\r\n"
	         "You do not have permission to send on behalf of the specified sender.\r\n\r\n"
	         "--b1\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns;%s\r\n\r\nFinal-recipient: RFC822;%s\r\nAction: failed\r\nStatus: 5.7.60\r\n"
	         "Diagnostic-code: smtp;550 5.7.60 SMTP; Client does not have permissions to send as this sender\r\n\r\n--b1--\r\n",
	         s->domain, e->from, shown.subject, random_text(arena, 20), s->dns_host, shown.message_id, shown.message_id, to,
	         s->dns_host, to)),
	         "REPORT.IPM.Note.NDR");
}

/* -- LMTP (RFC 2033) ---------------------------------------------------------------------------------------------- */

static int connect_to(struct arena *arena, const char *place)
{
	const char *colon = strrchr(place, ':');
	struct addrinfo  hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
	struct timeval   patience = { .tv_sec = PATIENCE_S };
	int              fd = -1;

	if (!colon || getaddrinfo(arena_copy(arena, slice(place, (size_t)(colon - place))), colon + 1, &hints, &list) != 0)
		return -1;
	fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	if (connect(fd, list->ai_addr, list->ai_addrlen) != 0) {
		close(fd);
		fd = -1;
	}
	freeaddrinfo(list);
	return fd;
}

/* The reply's first digit; 0: none came. */
static int heard(FILE *line)
{
	char text[1000];

	do
		if (!fgets(text, sizeof text, line))
			return 0;
	while (strlen(text) > 3 && text[3] == '-');
	return text[0] - '0';
}

static void say_dotted(FILE *line, struct slice mime)
{
	while (mime.len) {
		struct slice one = slice_cut(&mime, '\n');

		if (one.len && one.at[one.len - 1] == '\r')
			one.len--;
		fprintf(line, "%s%.*s\r\n", one.len && one.at[0] == '.' ? "." : "", (int)one.len, one.at ? one.at : "");
	}
	fputs(".\r\n", line);
	fflush(line);
}

static void deliver_outside(struct sandbox *s, struct arena *arena, const struct envelope *e, const char *to)
{
	bool  plain = !strpbrk(to, "\r\n<> ") && !strpbrk(e->from, "\r\n<> ");
	int   fd = plain ? connect_to(arena, s->deliver) : -1;
	FILE *line = fd >= 0 ? fdopen(fd, "r+") : NULL;
	bool  fine;

	if (!line)
		return;
	fine = heard(line) == 2;
	fine = fine && fprintf(line, "LHLO %s\r\n", s->dns_host) > 0 && fflush(line) == 0 && heard(line) == 2;
	fine = fine && fprintf(line, "MAIL FROM:<%s>\r\n", e->from) > 0 && fflush(line) == 0 && heard(line) == 2;
	fine = fine && fprintf(line, "RCPT TO:<%s>\r\n", to) > 0 && fflush(line) == 0 && heard(line) == 2;
	fine = fine && fprintf(line, "DATA\r\n") > 0 && fflush(line) == 0 && heard(line) == 3;
	if (fine) {
		say_dotted(line, e->mime);
		fine = heard(line) == 2;
	}
	if (!fine)
		put_report(s, arena, e, to);
	fprintf(line, "QUIT\r\n");
	fclose(line);
}

/* -- all ---------------------------------------------------------------------------------------------------------- */

void deliver(struct sandbox *s, struct arena *arena, const struct envelope *e)
{
	struct envelope clean = *e;

	if (orders_take(&s->orders, ORDER_NO_DELIVERY))
		return;
	clean.mime = without_bcc(arena, e->mime);
	for (size_t i = 0; i < e->count; i++) {
		struct account *a = account_by_mail(s, e->to[i]);

		if (orders_has(&s->orders, ORDER_NDR))
			put_report(s, arena, &clean, e->to[i]);
		else if (a && a->mailbox)
			put_into(s, a, clean.mime, NULL);
		else if (!a && s->deliver)
			deliver_outside(s, arena, &clean, e->to[i]);
	}
}
