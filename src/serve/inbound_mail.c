#include "serve/inbound_mail.h"

#include <sodium.h>
#include <time.h>

#include "wire/header.h"

#define LONGEST_TEST 64

static const char id_kind[] = "msg_";
/* Of INBOUND_ID length; never kept, since each copy puts its own in its place. */
static const char no_id[] = "msg_0000000000000000000000";

_Static_assert(sizeof no_id == INBOUND_ID + 1, "an id's length");

/* -- our Received line -------------------------------------------------------------------------------------------- */

static const char *date(struct arena *into, int64_t unix_s)
{
	time_t    when = (time_t)unix_s;
	struct tm tm = { 0 };
	char      text[64];

	gmtime_r(&when, &tm);
	strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S +0000", &tm);
	return arena_str(into, text);
}

const char *inbound_received(struct arena *into, const char *name, const struct address *peer, const char *host, const char *protocol,
                             int64_t now_unix, size_t *id_at)
{
	char        text[ADDRESS_TEXT];
	const char *before = arena_print(into, "Received: from %s ([%s%s])\r\n\tby %s with %s id ", name, peer->family == 6 ? "IPv6:" : "",
	                                 address_text(peer, text), host, protocol);

	*id_at = strlen(before);
	return arena_print(into, "%s%s;\r\n\t%s\r\n", before, no_id, date(into, now_unix));
}

struct slice inbound_mail_bytes(struct inbound_mail *m, const struct inbound_copy *copy)
{
	memcpy(m->bytes + m->id_at, copy->id, INBOUND_ID);
	return slice(m->bytes, m->len);
}

/* -- what is read from the header --------------------------------------------------------------------------------- */

/* Without the < > of a Message-ID. */
static const char *bare(struct slice body, struct arena *into)
{
	body = slice_trim(body);
	if (body.len > 2 && body.at[0] == '<' && body.at[body.len - 1] == '>')
		body = slice(body.at + 1, body.len - 2);
	return header_text(body, into);
}

static const char *token(struct slice body, struct arena *into)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	const char *text = arena_copy(into, slice_trim(body));
	size_t      len = strlen(text);

	return len && len <= LONGEST_TEST && strspn(text, allowed) == len ? text : NULL;
}

void inbound_mail_read(struct inbound_mail *m, struct slice message, struct arena *into)
{
	const struct {
		const char  *name;
		const char **value;
		const char *(*read)(struct slice, struct arena *);
	} wanted[] = {
		{ "From", &m->from, header_text },
		{ "From", &m->author, header_address },
		{ "Subject", &m->subject, header_text },
		{ "Message-ID", &m->message_id, bare },
		{ HEADER_TEST, &m->test_token, token },
	};
	struct header_field field;

	m->hops = 0;
	for (size_t i = 0; i < COUNT(wanted); i++)
		*wanted[i].value = NULL;
	while (header_next(&message, &field)) {
		m->hops += slice_is(field.name, "Received");
		for (size_t i = 0; i < COUNT(wanted); i++)
			if (!*wanted[i].value && slice_is(field.name, wanted[i].name))
				*wanted[i].value = wanted[i].read(slice_upto(field.body, INBOUND_FIELD), into);
	}
}

/* -- which message it is ------------------------------------------------------------------------------------------ */

/* What a hop adds or writes anew each time it tries. */
static const char *const hop_fields[] = {
	"Received", "X-Received", "Return-Path", "Delivered-To", "X-Original-To", "Received-SPF", "Authentication-Results",
	"ARC-Seal", "ARC-Message-Signature", "ARC-Authentication-Results", "DKIM-Signature", "X-Google-DKIM-Signature",
	"X-Google-Smtp-Source", "X-Gm-Message-State",
};

static bool is_of_a_hop(struct slice name)
{
	for (size_t i = 0; i < COUNT(hop_fields); i++)
		if (slice_is(name, hop_fields[i]))
			return true;
	return false;
}

static void add(crypto_hash_sha256_state *hash, struct slice s)
{
	crypto_hash_sha256_update(hash, (const unsigned char *)s.at, s.len);
}

/* With its end, so that two do not read like another two. */
static void add_part(crypto_hash_sha256_state *hash, struct slice s)
{
	add(hash, s);
	crypto_hash_sha256_update(hash, (const unsigned char *)"\n", 1);
}

static void add_without_hops(crypto_hash_sha256_state *hash, struct slice message)
{
	struct header_field field;

	while (header_next(&message, &field))
		if (!is_of_a_hop(field.name)) {
			add_part(hash, field.name);
			add_part(hash, field.body);
		}
	add_part(hash, slice(NULL, 0));
	add(hash, message);
}

void inbound_mail_id(struct slice message, const char *workspace, char out[INBOUND_ID + 1])
{
	static const char        letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	crypto_hash_sha256_state hash;
	unsigned char            sum[crypto_hash_sha256_BYTES];
	struct slice             message_id;
	size_t                   n = sizeof id_kind - 1;

	crypto_hash_sha256_init(&hash);
	add_part(&hash, slice_str(workspace));
	if (header_find(message, "Message-ID", &message_id) && slice_trim(message_id).len)
		add_without_hops(&hash, message);
	else
		add(&hash, message);
	crypto_hash_sha256_final(&hash, sum);
	memcpy(out, id_kind, n);
	for (size_t i = 0; n < INBOUND_ID; i++)
		out[n++] = letters[sum[i] % (sizeof letters - 1)];
	out[n] = '\0';
}
