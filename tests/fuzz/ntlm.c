#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "wire/ntlm.h"

/* Whatever a server sends as its CHALLENGE: texts are texts, and what answers it has its fields within itself. */
static void check_answer(struct slice m)
{
	static const size_t fields[] = { 12, 20, 28, 36, 44, 52 };

	assert(m.len >= 88 && memcmp(m.at, "NTLMSSP\0\3\0\0\0", 12) == 0);
	for (size_t i = 0; i < COUNT(fields); i++) {
		const unsigned char *f = (const unsigned char *)m.at + fields[i];
		size_t               len = (size_t)(f[0] | f[1] << 8), offset = (size_t)(f[4] | f[5] << 8 | f[6] << 16);

		assert(f[7] == 0 && offset >= 88 && offset + len <= m.len);
	}
}

static void check_text(const char *text)
{
	for (; text && *text; text++)
		assert((unsigned char)*text >= 0x20 && *text != 0x7F);
}

static bool challenge_of(struct slice message, struct arena *job, struct ntlm_challenge *c)
{
	struct error err = { 0 };

	if (ntlm_challenge_read(message, job, c, &err))
		return true;
	assert(err.fault == FAULT_BROKEN && *err.text);
	return false;
}

static void meet(struct slice message, bool bound)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct ntlm_login     login = { .domain = "D", .user = "u", .password = "secret", .target = bound ? "HTTP/x" : NULL };
	struct ntlm_challenge c;
	struct buffer         negotiate, out;
	struct error          err = { 0 };

	if (!challenge_of(message, job, &c))
		return;
	check_text(c.netbios_computer), check_text(c.netbios_domain), check_text(c.dns_computer), check_text(c.dns_domain);
	check_text(c.dns_forest), check_text(c.version);
	assert(!c.target_info.at || (c.target_info.at >= message.at && c.target_info.at + c.target_info.len <= message.at + message.len));
	buffer_init(&negotiate, 100);
	buffer_init(&out, 100000);
	ntlm_negotiate(&negotiate);
	if (bound)
		login.binding = slice_str("0123456789abcdef0123456789abcdef");
	if (ntlm_authenticate(&login, &c, buffer_held(&negotiate), message, &out, &err))
		check_answer(buffer_held(&out));
	else
		assert(err.fault == FAULT_NOT_OFFERED);
	buffer_release(&negotiate);
	buffer_release(&out);
}

/* The rest as it is, and behind the head of a message that is one: most inputs would not get that far. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char head[] = "NTLMSSP\0\2\0\0";
	struct slice      rest;
	char             *message;

	if (size < 1)
		return 0;
	rest = slice((const char *)data + 1, size - 1);
	meet(rest, data[0] & 1);
	message = malloc(sizeof head + rest.len);
	memcpy(message, head, sizeof head);
	memcpy(message + sizeof head, rest.at, rest.len);
	meet(slice(message, sizeof head + rest.len), data[0] & 1);
	free(message);
	return 0;
}
