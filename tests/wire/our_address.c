#include "wire/our_address.h"

#include <stdlib.h>

#include "base/arena.h"
#include "test.h"

#define US "[127.0.0.1]"

static const char *text_of(bool told, const struct address *a, char text[ADDRESS_TEXT])
{
	return told ? address_text(a, text) : "";
}

static const struct { const char *line, *told; } ehlos[] = {
	{ "smtp.gmail.com at your service, [8.8.4.4]", "8.8.4.4" },
	{ "AM0PR10.outlook.office365.com Hello [8.8.4.4]", "8.8.4.4" },
	{ "mail.birch.example Hello [127.0.0.1] [8.8.4.4]", "8.8.4.4" },                         /* Exim: our name, and our address */
	{ "mail.birch.example Hello host.isp.example [8.8.4.4], pleased to meet you", "8.8.4.4" },
	{ "mx Hello [2a00:1450:4001::1a]", "2a00:1450:4001::1a" },
	{ "mx Hello [IPv6:2a00:1450:4001:0:0:0:0:1A]", "2a00:1450:4001::1a" },
	{ "mx Hello [ipv6:::ffff:8.8.4.4]", "8.8.4.4" },
	{ "mx Hello [8.8.4.4] [8.8.4.4]", "8.8.4.4" },
	{ "[9.9.9.9] Hello [8.8.4.4]", "8.8.4.4" },                                              /* the server's own name is not ours */
	{ "[9.9.9.9]", "" },
	{ "mx Hello [8.8.4.4] and [9.9.9.9]", "" },                                              /* which of them? */
	{ "mx Hello 8.8.4.4", "" },
	{ "mx Hello (8.8.4.4)", "" },
	{ "mx Hello [8.8.4.4", "" },
	{ "mx Hello [8.8.4]", "" },
	{ "mx Hello [8.8.4.4/24]", "" },
	{ "mx Hello [[8.8.4.4]]", "8.8.4.4" },
	{ "mx Hello [mail.example.org] [8.8.4.4]", "8.8.4.4" },
	{ "mx Hello [10.1.2.3]", "" }, { "mx Hello [192.168.1.4]", "" }, { "mx Hello [127.0.0.1]", "" }, { "mx Hello [100.64.0.1]", "" },
	{ "mx Hello [203.0.113.9]", "" }, { "mx Hello [224.0.0.5]", "" }, { "mx Hello [0.0.0.0]", "" }, { "mx Hello [255.255.255.255]", "" },
	{ "mx Hello [::1]", "" }, { "mx Hello [fe80::1]", "" }, { "mx Hello [fd00::1]", "" }, { "mx Hello [IPv6:::ffff:10.0.0.1]", "" },
	{ "mx Hello [ff02::1]", "" }, { "mx Hello [2001:db8::1]", "" },
	{ "mx Hello [2a00:1450:4001:0000:0000:0000:0000:0000:0000:0000:0000:001a]", "" },
	{ "mx", "" }, { "", "" }, { "mx []", "" }, { "mx [IPv6:]", "" }, { "mx ][", "" },
};

TEST(an_answer_to_ehlo)
{
	char           text[ADDRESS_TEXT];
	struct address a;

	for (size_t i = 0; i < COUNT(ehlos); i++) {
		bool told = ehlo_tells_address(slice_str(ehlos[i].line), &a);

		if (strcmp(text_of(told, &a, text), ehlos[i].told) != 0)
			test_fail(__FILE__, __LINE__, "%s: told \"%s\"", ehlos[i].line, text_of(told, &a, text));
	}
}

static const struct { const char *header, *told; } received[] = {
	/* -- as they are written */
	{ "Received: from [127.0.0.1] (unknown [8.8.4.4])\r\n\t(using TLSv1.3 with cipher X (256/256 bits))\r\n\t(No client certificate requested)\r\n"
	  "\tby mx.birch.example (Postfix) with ESMTPSA id 4711\r\n", "8.8.4.4" },
	{ "Received: from [127.0.0.1] (host-8-8-4-4.isp.example. [8.8.4.4])\r\n by smtp.gmail.com with ESMTPSA id x.7\r\n", "8.8.4.4" },
	{ "Received: from [127.0.0.1] (8.8.4.4) by AM0PR08.eurprd08.prod.outlook.com (2603:10a6::1) with Microsoft SMTP Server id 15\r\n", "8.8.4.4" },
	{ "Received: from [8.8.4.4] (helo=[127.0.0.1])\r\n\tby mx.birch.example with esmtpsa (Exim 4.96)\r\n", "8.8.4.4" },
	{ "Received: from [8.8.4.4] (port=4711 helo=[127.0.0.1])\r\n\tby mx.birch.example with esmtpsa (Exim 4.96)\r\n", "8.8.4.4" },
	{ "Received: from host.isp.example ([8.8.4.4]:4711 helo=[127.0.0.1])\r\n\tby mx.birch.example with esmtpsa\r\n", "8.8.4.4" },
	{ "Received: from unknown (HELO [127.0.0.1]) (8.8.4.4)\r\n  by mx.birch.example with SMTP; 22 Nov 2026 08:00:00 -0000\r\n", "8.8.4.4" },
	{ "Received: from [127.0.0.1] ([IPv6:2a00:1450:4001::1a]) by mx.birch.example\r\n", "2a00:1450:4001::1a" },
	{ "received:FROM [127.0.0.1]([8.8.4.4])BY mx\r\n", "8.8.4.4" },
	/* -- on top of it what later hosts wrote, which is not about us */
	{ "Received: from out.birch.example (out.birch.example [9.9.9.9]) by in.example.org\r\n"
	  "Received: from localhost (localhost [127.0.0.1]) by out.birch.example\r\n"
	  "Subject: x\r\n"
	  "Received: from [127.0.0.1] (unknown [8.8.4.4]) by out.birch.example\r\n", "8.8.4.4" },
	/* -- and below it what somebody may have made up */
	{ "Received: from [127.0.0.1] (unknown [8.8.4.4]) by mx\r\nReceived: from [127.0.0.1] (unknown [9.9.9.9]) by mx\r\n", "8.8.4.4" },
	/* -- a hop within the house of somebody who hides us */
	{ "Received: from out.birch.example (out.birch.example [9.9.9.9]) by in.example.org\r\n", "" },
	{ "Received: from [127.0.0.1] (localhost [127.0.0.1]) by mx\r\n", "" },
	{ "Received: from [127.0.0.1] (unknown [10.0.0.7]) by mx\r\n", "" },
	/* -- what the client said is no proof of anything */
	{ "Received: from [8.8.4.4] (unknown [10.0.0.7]) by mx\r\n", "" },
	{ "Received: from [127.0.0.1] by mx\r\n", "" },
	{ "Received: from [127.0.0.1] (helo=[8.8.4.4]) by mx\r\n", "" },
	{ "Received: from [127.0.0.1] (unknown [8.8.4.4] [9.9.9.9]) by mx\r\n", "" },
	/* -- not to be read */
	{ "Received: from [127.0.0.1] (unknown [8.8.4.4])\r\n", "" },
	{ "Received: from [127.0.0.1] (unknown [8.8.4.4] by mx\r\n", "" },
	{ "Received: from [127.0.0.1] (unknown \\(\\[8.8.4.4) by mx\r\n", "" },
	{ "Received: from [127.0.0.1] (a \\) [8.8.4.4]) by mx\r\n", "8.8.4.4" },
	{ "Received: by mx (unknown [8.8.4.4]) from [127.0.0.1]\r\n", "" },
	{ "X-Received: from [127.0.0.1] (unknown [8.8.4.4]) by mx\r\n", "" },
	{ "Subject: x\r\n\r\nReceived: from [127.0.0.1] (unknown [8.8.4.4]) by mx\r\n", "" },       /* the body */
	{ "Received: (qmail 4711 invoked by uid 0)\r\n", "" }, { "Received:\r\n", "" }, { "", "" },
};

TEST(a_received_line)
{
	char           text[ADDRESS_TEXT];
	struct address a;

	for (size_t i = 0; i < COUNT(received); i++) {
		bool told = received_tells_address(slice_str(received[i].header), US, &a);

		if (strcmp(text_of(told, &a, text), received[i].told) != 0)
			test_fail(__FILE__, __LINE__, "%s: told \"%s\"", received[i].header, text_of(told, &a, text));
	}
}

/* The last byte before the end of the heap's block, for the address sanitizer; what is told is told or not, never another one. */
static void cut(const char *whole, const char *told, bool (*reads)(struct slice, struct address *))
{
	for (size_t len = 0; len <= strlen(whole); len++) {
		char          *part = malloc(len + !len);
		char           text[ADDRESS_TEXT];
		struct address a;

		memcpy(part, whole, len);
		if (reads(slice(part, len), &a) && strcmp(address_text(&a, text), told) != 0 && *told)
			test_fail(__FILE__, __LINE__, "%.*s: told %s", (int)len, part, text);
		free(part);
	}
}

static bool read_received(struct slice s, struct address *out)
{
	return received_tells_address(s, US, out);
}

TEST(cut_at_every_byte)
{
	for (size_t i = 0; i < COUNT(ehlos); i++)
		cut(ehlos[i].line, ehlos[i].told, ehlo_tells_address);
	for (size_t i = 0; i < COUNT(received); i++)
		cut(received[i].header, received[i].told, read_received);
}
