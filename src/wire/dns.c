#include "wire/dns.h"

#include <ctype.h>
#include <stdio.h>

#define HEADER      12
#define NAME_WIRE   255
#define LABEL_WIRE  63
#define NAME_TEXT   (NAME_WIRE * 4 + 1)      /* every byte as \DDD, and a NUL */
#define TYPE_OPT    41
#define CLASS_IN    1
#define OPTION_EDE  15
#define UDP_PAYLOAD 1232                     /* fits any path unfragmented (the "flag day 2020" value) */

#define FLAG_RESPONSE          0x8000
#define FLAG_OPCODE            0x7800
#define FLAG_TRUNCATED         0x0200
#define FLAG_RECURSION_DESIRED 0x0100
#define FLAG_AUTHENTIC         0x0020
#define FLAG_NO_CHECKING       0x0010

/* -- asking ------------------------------------------------------------------------------------------------------- */

struct query {
	uint8_t bytes[HEADER + NAME_WIRE + 4 + 11];
	size_t  len;
};

static void put8(struct query *q, unsigned n)
{
	q->bytes[q->len++] = (uint8_t)n;
}

static void put16(struct query *q, unsigned n)
{
	put8(q, n >> 8);
	put8(q, n & 0xff);
}

/* One byte of a label, from "x", "\x" or "\DDD" (RFC 1035 §5.1). */
static bool take_byte(const char **text, uint8_t *out)
{
	const char *at = *text;
	unsigned    n;

	if (*at != '\\') {
		*out = (uint8_t)*at;
		*text = at + 1;
		return true;
	}
	at++;
	if (!isdigit((unsigned char)at[0])) {
		*out = (uint8_t)at[0];
		*text = at + 1;
		return at[0] != '\0';
	}
	if (!isdigit((unsigned char)at[1]) || !isdigit((unsigned char)at[2]))
		return false;
	n = (unsigned)(at[0] - '0') * 100 + (unsigned)(at[1] - '0') * 10 + (unsigned)(at[2] - '0');
	*out = (uint8_t)n;
	*text = at + 3;
	return n <= 255;
}

static bool put_label(struct query *q, const char **text, size_t room)
{
	uint8_t *len = &q->bytes[q->len++];

	*len = 0;
	while (**text && **text != '.') {
		uint8_t byte;

		if (*len == LABEL_WIRE || *len + 1u >= room || !take_byte(text, &byte))
			return false;
		put8(q, byte);
		++*len;
	}
	return *len > 0;
}

static bool put_name(struct query *q, const char *name)
{
	size_t end = q->len + NAME_WIRE - 1;      /* one byte is the root's */

	if (strcmp(name, ".") == 0)
		name = "";
	else if (*name == '\0')
		return false;
	while (*name) {
		if (q->len >= end || !put_label(q, &name, end - q->len))
			return false;
		if (*name == '.')
			name++;
	}
	put8(q, 0);
	return true;
}

bool dns_query(struct buffer *out, const char *name, enum dns_type type, bool checking_disabled)
{
	struct query q = { .len = 0 };

	put16(&q, 0);
	/* RFC 6840 §5.7: with AD in the question the resolver says in its answer whether it validated. */
	put16(&q, FLAG_RECURSION_DESIRED | FLAG_AUTHENTIC | (checking_disabled ? FLAG_NO_CHECKING : 0));
	put16(&q, 1);
	put16(&q, 0);
	put16(&q, 0);
	put16(&q, 1);
	if (!put_name(&q, name))
		return false;
	put16(&q, type);
	put16(&q, CLASS_IN);

	put8(&q, 0);
	put16(&q, TYPE_OPT);
	put16(&q, UDP_PAYLOAD);
	put16(&q, 0);
	put16(&q, 0);
	put16(&q, 0);
	return buffer_add(out, slice((const char *)q.bytes, q.len));
}

/* -- reading ------------------------------------------------------------------------------------------------------ */

struct packet {
	const uint8_t *bytes;
	size_t         len;
	size_t         at;         /* never past len                                             */
	struct arena  *into;       /* NULL: the record is checked like any other, but not kept   */
};

static bool take8(struct packet *p, size_t end, unsigned *out)
{
	if (end - p->at < 1)
		return false;
	*out = p->bytes[p->at++];
	return true;
}

static bool take16(struct packet *p, size_t end, unsigned *out)
{
	if (end - p->at < 2)
		return false;
	*out = (unsigned)p->bytes[p->at] << 8 | p->bytes[p->at + 1];
	p->at += 2;
	return true;
}

static bool take32(struct packet *p, size_t end, uint32_t *out)
{
	unsigned high, low;

	if (end - p->at < 4 || !take16(p, end, &high) || !take16(p, end, &low))
		return false;
	*out = (uint32_t)high << 16 | low;
	return true;
}

static size_t add_label(char *text, size_t len, const uint8_t *label, size_t count)
{
	if (len)
		text[len++] = '.';
	for (size_t i = 0; i < count; i++) {
		uint8_t byte = label[i];

		if (byte > ' ' && byte < 0x7f && byte != '.' && byte != '\\')
			text[len++] = (char)(byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte);
		else
			len += (size_t)snprintf(text + len, 5, "\\%03u", byte);
	}
	return len;
}

/* The name at p->at, whose part in this place ends before `end`. Invariant: a pointer leads to before the fragment it
 * stands in, so each jump moves backwards and there can be no ring. */
static bool take_name(struct packet *p, size_t end, char text[NAME_TEXT])
{
	size_t pos = p->at, fragment = p->at, behind = 0, wire = 1, len = 0;

	for (;;) {
		uint8_t byte;

		if (pos >= end)
			return false;
		byte = p->bytes[pos++];
		if (byte == 0)
			break;
		if (byte >= 0xc0) {
			size_t target;

			if (pos >= end)
				return false;
			target = (size_t)(byte & 0x3f) << 8 | p->bytes[pos++];
			if (target < HEADER || target >= fragment)
				return false;
			if (behind == 0)
				behind = pos;
			pos = fragment = target;
			end = p->len;
			continue;
		}
		wire += byte + 1u;
		if (byte > LABEL_WIRE || byte > end - pos || wire > NAME_WIRE)
			return false;
		len = add_label(text, len, p->bytes + pos, byte);
		pos += byte;
	}
	text[len] = '\0';
	p->at = behind ? behind : pos;
	return true;
}

static const char *keep(const struct packet *p, const char *text)
{
	return p->into ? arena_str(p->into, text) : NULL;
}

static bool read_target(struct packet *p, size_t end, struct dns_record *out)
{
	char name[NAME_TEXT];

	if (!take_name(p, end, name))
		return false;
	out->target = keep(p, name);
	return true;
}

static bool read_mx(struct packet *p, size_t end, struct dns_record *out)
{
	unsigned preference;

	if (!take16(p, end, &preference))
		return false;
	out->preference = (uint16_t)preference;
	return read_target(p, end, out);
}

static bool read_srv(struct packet *p, size_t end, struct dns_record *out)
{
	unsigned priority, weight, port;

	if (!take16(p, end, &priority) || !take16(p, end, &weight) || !take16(p, end, &port))
		return false;
	out->preference = (uint16_t)priority;
	out->weight = (uint16_t)weight;
	out->port = (uint16_t)port;
	return read_target(p, end, out);
}

static bool read_soa(struct packet *p, size_t end, struct dns_record *out)
{
	char mailbox[NAME_TEXT];

	if (!read_target(p, end, out) || !take_name(p, end, mailbox) || end - p->at != 20)
		return false;
	p->at = end;
	return true;
}

static bool read_address(struct packet *p, size_t end, uint8_t family, size_t size, struct dns_record *out)
{
	if (end - p->at != size)
		return false;
	out->address.family = family;
	memcpy(out->address.bytes, p->bytes + p->at, size);
	p->at = end;
	return true;
}

static bool read_a(struct packet *p, size_t end, struct dns_record *out)
{
	return read_address(p, end, 4, 4, out);
}

static bool read_aaaa(struct packet *p, size_t end, struct dns_record *out)
{
	return read_address(p, end, 6, 16, out);
}

static bool read_txt(struct packet *p, size_t end, struct dns_record *out)
{
	char  *text = p->into ? arena_get(p->into, end - p->at + 1) : NULL;
	size_t len = 0;

	if (p->at == end)         /* RFC 1035 §3.3.14: one string at least */
		return false;
	while (p->at < end) {
		unsigned count;

		if (!take8(p, end, &count) || count > end - p->at)
			return false;
		if (text)
			memcpy(text + len, p->bytes + p->at, count);
		len += count;
		p->at += count;
	}
	out->text = slice(text, text ? len : 0);
	return true;
}

static const struct rdata {
	enum dns_type type;
	bool        (*read)(struct packet *, size_t end, struct dns_record *);
} known[] = {
	{ DNS_A,     read_a      },
	{ DNS_NS,    read_target },
	{ DNS_CNAME, read_target },
	{ DNS_SOA,   read_soa    },
	{ DNS_PTR,   read_target },
	{ DNS_MX,    read_mx     },
	{ DNS_TXT,   read_txt    },
	{ DNS_AAAA,  read_aaaa   },
	{ DNS_SRV,   read_srv    },
};

static const struct rdata *rdata_of(unsigned type)
{
	for (size_t i = 0; i < COUNT(known); i++)
		if (known[i].type == type)
			return &known[i];
	return NULL;
}

/* What all records have in common (RFC 1035 §3.2.1); the packet then stands at the rdata. */
struct head {
	char     owner[NAME_TEXT];
	unsigned type, class;
	uint32_t ttl;
	size_t   end;
};

static bool take_head(struct packet *p, struct head *out)
{
	unsigned len;

	if (!take_name(p, p->len, out->owner) || !take16(p, p->len, &out->type) || !take16(p, p->len, &out->class) ||
	    !take32(p, p->len, &out->ttl) || !take16(p, p->len, &len) || len > p->len - p->at)
		return false;
	out->end = p->at + len;
	return true;
}

static bool take_question(struct packet *p)
{
	char     name[NAME_TEXT];
	unsigned type, class;

	return take_name(p, p->len, name) && take16(p, p->len, &type) && take16(p, p->len, &class);
}

static bool take_answer(struct packet *p, struct arena *into, struct dns_message *m)
{
	const struct rdata *rdata;
	struct dns_record   record = { 0 };
	struct head         h;

	if (!take_head(p, &h))
		return false;
	rdata = h.class == CLASS_IN ? rdata_of(h.type) : NULL;
	if (!rdata) {
		p->at = h.end;
		return true;
	}
	p->into = m->answer_count < DNS_ANSWERS ? into : NULL;
	if (!rdata->read(p, h.end, &record) || p->at != h.end)
		return false;
	if (p->into) {
		record.owner = keep(p, h.owner);
		record.type = rdata->type;
		record.ttl = h.ttl;
		m->answer[m->answer_count++] = record;
	}
	return true;
}

static bool take_options(struct packet *p, size_t end, struct dns_message *m)
{
	while (p->at < end) {
		unsigned code, len;

		if (!take16(p, end, &code) || !take16(p, end, &len) || len > end - p->at)
			return false;
		if (code == OPTION_EDE) {
			if (len < 2)
				return false;
			if (m->extended < 0)      /* the first is the one the resolver puts first */
				m->extended = p->bytes[p->at] << 8 | p->bytes[p->at + 1];
		}
		p->at += len;
	}
	return true;
}

static bool take_additional(struct packet *p, bool *seen_opt, struct dns_message *m)
{
	struct head h;

	if (!take_head(p, &h))
		return false;
	if (h.type != TYPE_OPT) {
		p->at = h.end;
		return true;
	}
	if (*seen_opt || h.owner[0] != '\0')      /* RFC 6891 §6.1.1 */
		return false;
	*seen_opt = true;
	m->rcode |= (int)(h.ttl >> 24) << 4;      /* §6.1.3: the upper eight bits of the code */
	return take_options(p, h.end, m);
}

static bool skip_record(struct packet *p)
{
	struct head h;

	if (!take_head(p, &h))
		return false;
	p->at = h.end;
	return true;
}

bool dns_message(struct slice bytes, struct arena *into, struct dns_message *out)
{
	struct packet      p = { .bytes = (const uint8_t *)bytes.at, .len = bytes.len };
	struct dns_message m = { .extended = -1 };
	unsigned           id, flags, questions, answers, authorities, additionals;
	bool               seen_opt = false;

	if (!take16(&p, p.len, &id) || !take16(&p, p.len, &flags) || !take16(&p, p.len, &questions) ||
	    !take16(&p, p.len, &answers) || !take16(&p, p.len, &authorities) || !take16(&p, p.len, &additionals))
		return false;
	/* What is truncated here was so by TCP too: half a list is none. */
	if (!(flags & FLAG_RESPONSE) || (flags & (FLAG_OPCODE | FLAG_TRUNCATED)))
		return false;
	m.rcode = (int)(flags & 0x0f);
	m.authentic = (flags & FLAG_AUTHENTIC) != 0;
	if (answers)
		m.answer = arena_get(into, (answers < DNS_ANSWERS ? answers : DNS_ANSWERS) * sizeof *m.answer);

	while (questions--)
		if (!take_question(&p))
			return false;
	while (answers--)
		if (!take_answer(&p, into, &m))
			return false;
	while (authorities--)
		if (!skip_record(&p))
			return false;
	while (additionals--)
		if (!take_additional(&p, &seen_opt, &m))
			return false;
	*out = m;
	return true;
}
