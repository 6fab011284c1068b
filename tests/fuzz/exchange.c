/* An Exchange server that says what it likes to a session: sign-in, look, a message, and what becomes of it. The first byte says how the
 * session is meant; of the rest each line is heard in one READ, in which 0x01 stands for an offer, 0x02 for an NTLM challenge, 0x03 for a
 * folder, 0x04 for the token of the message, and a line with 0x05 alone ends the connection. */
#include "verify/exchange_mail.h"

#include <assert.h>
#include <string.h>

#define PASSWORD "hunter22"
#define PASSWORD_BASE64 "aHVudGVyMj"      /* and as Basic says it */

/* From tests/wire/ntlm.c: the least that is a challenge, and "Domain" in it. */
#define CHALLENGE "TlRMTVNTUAACAAAADAAMADgAAAAzgoriASNFZ4mrze8AAAAAAAAAACQAJABEAAAABgBwFwAAAA9TAGUAcgB2AGUAcgACAAwARABvAG0AYQBpAG4AAQAMAFMAZQByAHYAZQByAAAAAAA="

static const char *const words[] = {
	[1] = "HTTP/1.1 401 no\r\nWWW-Authenticate: NTLM\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
	[2] = "HTTP/1.1 401 no\r\nWWW-Authenticate: NTLM " CHALLENGE "\r\nContent-Length: 0\r\n\r\n",
	[3] = "HTTP/1.1 200 OK\r\nContent-Length: 370\r\n\r\n<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" "
	      "xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\"><s:Body><m:GetFolderResponse><m:ResponseMessages>"
	      "<m:GetFolderResponseMessage ResponseClass=\"Success\"><m:ResponseCode>NoError</m:ResponseCode></m:GetFolderResponseMessage></m:ResponseMessages>"
	      "</m:GetFolderResponse></s:Body></s:Envelope>",
};

struct scene {
	struct report          *report;
	struct endpoint         place;
	struct login            login;
	struct exchange_session exchange;
	struct webmail          mail;
	struct slice            left;
	int64_t                 now;
	unsigned                credentials;
	bool                    mailing, opened, looked;
};

static void note_said(struct scene *s, struct line *l)
{
	s->credentials += slice_has(buffer_held(&l->out), "\r\nAuthorization: ");
	buffer_clear(&l->out);
}

static enum came hear(struct scene *s, struct line *l)
{
	struct slice heard = slice_upto(s->left, slice_find(s->left, '\n') + 1);

	note_said(s, l);
	s->left = slice_from(s->left, heard.len);
	if (heard.len == 0 || heard.at[0] == 5)
		return CAME_END;
	for (size_t i = 0; i < heard.len; i++) {
		bool fits = heard.at[i] >= 1 && heard.at[i] <= 3 ? buffer_add_str(&l->in, words[(unsigned char)heard.at[i]])
		          : heard.at[i] == 4 && s->mailing ? buffer_add_str(&l->in, s->mail.message.token)
		                                            : buffer_add(&l->in, slice(heard.at + i, 1));

		if (!fits)
			return CAME_FULL;
	}
	return CAME;
}

static enum came answer(struct scene *s, struct want *w, enum want_kind kind)
{
	assert(w->wait_ms > 0);
	switch (kind) {
	case WANT_CONNECT:
		w->line->open = true;
		return CAME;
	case WANT_TLS:
		*w->tls = (struct tls_answer){ .shook = true, .alert = -1, .verify = "ok", .version = "TLSv1.3" };
		w->line->secure = true;
		return CAME;
	case WANT_TIME:
		s->now += w->wait_ms;
		return CAME;
	default:
		assert(kind == WANT_READ);
		return hear(s, w->line);
	}
}

static enum want_kind step(struct scene *s, unsigned how, struct want *w, struct error *err)
{
	if (!s->opened) {
		PASS(exchange_open_step(&s->exchange, w, err));
		s->opened = true;
	}
	if (!s->looked && s->exchange.inbox_open)
		PASS(exchange_look_step(&s->exchange, w, err));
	s->looked = true;
	if (!s->exchange.inbox_open || !(how & 8))
		return WANT_NOTHING;
	if (!s->mailing)
		webmail_init(&s->mail, &exchange_mail, &s->exchange, s->report, s->exchange.attempt, "ann@birch.example",
		             how & 16 ? "bcc@ash.example" : NULL);
	s->mailing = true;
	return webmail_step(&s->mail, w, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const char *const paths[] = { "/EWS/Exchange.asmx", "/owa/" };
	struct want    w = { .came = CAME_NOTHING };
	struct error   err = { 0 };
	struct scene   s = { .report = report_new("ann@birch.example") };
	enum want_kind kind;

	if (len == 0) {
		report_free(s.report);
		return 0;
	}
	s.place = (struct endpoint){ .service = SERVICE_WEB, .host = "192.0.2.7", .port = 443, .socket = SOCKET_TLS, .source = SOURCE_USER, .path = paths[bytes[0] & 1] };
	s.login = (struct login){ .username = "ann@birch.example", .username_form = "address", .password = PASSWORD, .nonce = "0123456789" };
	s.report->keep_talk = true;
	exchange_session_init(&s.exchange, s.report, &s.place, &s.login, "ann@birch.example", waits_within(30000), 0);
	s.exchange.discovers = bytes[0] & 2;
	s.exchange.others = bytes[0] & 4;
	s.left = slice((const char *)bytes + 1, len - 1);
	for (kind = step(&s, bytes[0], &w, &err); kind > WANT_FAILED; kind = step(&s, bytes[0], &w, &err)) {
		w.came = answer(&s, &w, kind);
		w.now_ms = ++s.now;
	}
	assert(s.report->password_tries <= 1 && (s.credentials || !s.report->password_tries));
	for (size_t i = 0; i < s.report->step_count; i++)
		assert(s.report->step[i].state != STEP_RUNNING);
	/* a server may say what it likes, our password too; what we say is never shown */
	for (size_t i = 0; i < s.report->talk_count; i++)
		assert(s.report->talk[i].from != 'C' || (!strstr(s.report->talk[i].text, PASSWORD) && !strstr(s.report->talk[i].text, PASSWORD_BASE64)));
	if (s.mailing)
		webmail_release(&s.mail);
	exchange_session_release(&s.exchange);
	report_free(s.report);
	return 0;
}
