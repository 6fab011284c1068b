#include "model/hosters.h"

#include "test.h"

/* Each exchanger that the facts name (F.5), and what it must not be taken for. */
static const struct { const char *mx, *id; } exchangers[] = {
	{ "aspmx.l.google.com",                          "gmail" },
	{ "alt1.aspmx.l.google.com",                     "gmail" },
	{ "aspmx2.googlemail.com",                       "gmail" },
	{ "smtp.google.com",                             "gmail" },
	{ "gmail-smtp-in.l.google.com",                  "gmail" },
	{ "alt2.gmail-smtp-in.l.google.com",             "gmail" },
	{ "sidekick-engineering.mail.protection.outlook.com", "microsoft" },
	{ "birch-example.a-v1.mx.microsoft",             "microsoft" },
	{ "outlook-com.olc.protection.outlook.com",      "outlook" },
	{ "mta7.am0.yahoodns.net",                       "yahoo" },
	{ "mx-biz.mail.am0.yahoodns.net",                "yahoo" },
	{ "mx-aol.mail.gm0.yahoodns.net",                "aol" },
	{ "mx01.mail.icloud.com",                        "icloud" },
	{ "in1-smtp.messagingengine.com",                "fastmail" },
	{ "mx.zoho.com",                                 "zoho" },
	{ "mx2.zoho.eu",                                 "zoho" },
	{ "mx3.zoho.com.au",                             "zoho" },
	{ "mx.zohocloud.ca",                             "zoho" },
	{ "mx00.emig.gmx.net",                           "gmx" },
	{ "mx-ha02.web.de",                              "webde" },
	{ "mx00.mail.com",                               "mailcom" },
	{ "mx00.ionos.de",                               "ionos" },
	{ "mx01.ionos.co.uk",                            "ionos" },
	{ "mx01.kundenserver.de",                        "ionos" },
	{ "mx00.1and1.com",                              "ionos" },
	{ "mx.1und1.de",                                 "ionos" },
	{ "mxs.mail.ru",                                 "mailru" },
	{ "emx.mail.ru",                                 "mailru" },
	{ "mx.yandex.ru",                                "yandex" },
	{ "mx.yandex.net",                               "yandex" },
	{ "mx3.qq.com",                                  "qq" },
	{ "mxbiz1.qq.com",                               "exmail" },
	{ "mx1.qiye.aliyun.com",                         "aliyun" },
	{ "163mx02.mxmail.netease.com",                  "netease" },
	{ "126mx01.mxmail.netease.com",                  "netease" },
	{ "yeahmx01.mxmail.netease.com",                 "netease" },
	{ "vip163mx01.mxmail.netease.com",               "netease" },
	{ "qiye163mx01.mxmail.netease.com",              "netease_biz" },
	{ "hzmx01.mxmail.netease.com",                   "netease_biz" },
	{ "mx1.mail.ovh.net",                            "ovh" },
	{ "mx4.ovh.net",                                 "ovh" },
	{ "mxplan.ovh.net",                              "ovh" },
	{ "spool.mail.gandi.net",                        "gandi" },
	{ "fb.mail.gandi.net",                           "gandi" },
	{ "smtp.secureserver.net",                       "godaddy" },
	{ "mailstore1.secureserver.net",                 "godaddy" },
	{ "mx1.emailsrvr.com",                           "rackspace" },
	{ "mx2.privateemail.com",                        "privateemail" },
	{ "mx1.hostinger.com",                           "hostinger" },
	{ "mx2.titan.email",                             "titan" },
	{ "mail.protonmail.ch",                          "proton" },
	{ "mailsec.protonmail.ch",                       "proton" },
	{ "mx03.t-online.de",                            "tonline" },
	{ "mxext1.mailbox.org",                          "mailbox_org" },
	{ "mx04.posteo.de",                              "posteo" },
	{ "aspmx1.migadu.com",                           "migadu" },
	{ "mx.purelymail.com",                           "purelymail" },
	{ "smtpin.rzone.de",                             "strato" },
	{ "mail.your-server.de",                         "hetzner" },
	{ "w0123456.kasserver.com",                      "allinkl" },
	{ "mta-gw.infomaniak.ch",                        "infomaniak" },
	{ "mx1.pub.mailpod1-cph3.one.com",               "one" },
	{ "mx2.loopia.se",                               "loopia" },
	{ "mx.simply.com",                               "simply" },
	{ "mx1.comcast.net",                             "comcast" },
	{ "smtp-in.orange.fr",                           "orange" },
	{ "mx1.free.fr",                                 "free_fr" },
	{ "smtp-in.libero.it",                           "libero" },
	{ "mx.wp.pl",                                    "wp" },
	{ "mx.poczta.onet.pl",                           "onet" },
	{ "mx2.seznam.cz",                               "seznam" },
	{ "mx1.naver.com",                               "naver" },
	{ "mx1.tim.it",                                  "tim" },
	{ "mx.rambler.ru",                               "rambler" },
	{ "inbound-smtp.eu-west-1.amazonaws.com",        "workmail" },
	{ "MX01.MAIL.ICLOUD.COM",                        "icloud" },
	/* nobody's */
	{ "mx1.birch.example",                           NULL },
	{ "aspmx.l.google.com.birch.example",            NULL },
	{ "notaspmx.l.google.com",                       NULL },
	{ "protection.outlook.com",                      NULL },
	{ "evilyahoodns.net",                            NULL },
	{ "mail.icloud.com.birch.example",               NULL },
	{ "",                                            NULL },
};

TEST(hosters_are_known_by_their_mx)
{
	for (size_t i = 0; i < COUNT(exchangers); i++) {
		const struct hoster *h = hoster_by_mx(exchangers[i].mx);

		EXPECT_ROW((h != NULL) == (exchangers[i].id != NULL), exchangers[i].mx);
		if (h)
			EXPECT_TEXT(h->id, exchangers[i].id);
	}
}

/* The article's own two examples: one is Microsoft 365, the other is not. */
TEST(hosters_tell_microsoft_from_others_by_mx)
{
	EXPECT_TEXT(hoster_by_mx("sidekick-engineering.mail.protection.outlook.com")->provider, "microsoft");
	EXPECT_TEXT(hoster_by_domain("mac.com")->id, "icloud");
	EXPECT_TEXT(hoster_by_mx("mx02.mail.icloud.com")->provider, "imap");
}

static const struct { const char *domain, *id, *imap; } domains[] = {
	{ "gmail.com",       "gmail",   "imap.gmail.com" },
	{ "googlemail.com",  "gmail",   "imap.gmail.com" },
	{ "hotmail.co.uk",   "outlook", "outlook.office365.com" },
	{ "yahoo.fr",        "yahoo",   "imap.mail.yahoo.com" },
	{ "aol.com",         "aol",     "imap.aol.com" },
	{ "me.com",          "icloud",  "imap.mail.me.com" },
	{ "zoho.eu",         "zoho",    "imap.zoho.eu" },
	{ "gmx.at",          "gmx",     "imap.gmx.net" },
	{ "126.com",         "netease", "imap.126.com" },
	{ "foxmail.com",     "qq",      "imap.qq.com" },
	{ "t-online.de",     "tonline", "secureimap.t-online.de" },
	{ "proton.me",       "proton",  NULL },
	{ "yahoo.co.jp",     NULL,      NULL },        /* another company, another service */
	{ "notgmail.com",    NULL,      NULL },
	{ "mail.gmail.com",  NULL,      NULL },
	{ "birch.example",   NULL,      NULL },
};

TEST(hosters_are_known_by_their_domain)
{
	for (size_t i = 0; i < COUNT(domains); i++) {
		const struct hoster *h = hoster_by_domain(domains[i].domain);

		EXPECT_ROW((h != NULL) == (domains[i].id != NULL), domains[i].domain);
		if (!h)
			continue;
		EXPECT_TEXT(h->id, domains[i].id);
		EXPECT_ROW((h->server[SERVICE_IMAP].host != NULL) == (domains[i].imap != NULL), domains[i].domain);
		if (domains[i].imap)
			EXPECT_TEXT(h->server[SERVICE_IMAP].host, domains[i].imap);
	}
}

TEST(hosters_lead_an_organisation_to_its_own_data_centre)
{
	EXPECT_TEXT(hoster_by_mx("mx.zoho.eu")->server[SERVICE_IMAP].host, "imappro.zoho.eu");
	EXPECT_TEXT(hoster_by_mx("mx.zoho.com.au")->server[SERVICE_SMTP].host, "smtppro.zoho.com.au");
	EXPECT_TEXT(hoster_by_mx("yeahmx01.mxmail.netease.com")->server[SERVICE_IMAP].host, "imap.yeah.net");
}

static bool is_https(const char *url)
{
	return !url || strncmp(url, "https://", 8) == 0;
}

/* Every row is fit for use, and what it says of itself leads back to it. */
TEST(hosters_rows_hold_together)
{
	const struct hoster *h;

	for (size_t i = 0; (h = hoster_at(i)); i++) {
		EXPECT(h->id && *h->id && h->name && h->provider);
		EXPECT_ROW(strcmp(h->provider, "imap") == 0 || strcmp(h->provider, "microsoft") == 0 || strcmp(h->provider, "google") == 0, h->id);
		EXPECT_ROW(h->mx || h->domains, h->id);
		EXPECT_ROW(is_https(h->app_password_url) && is_https(h->settings_url) && is_https(h->help_url), h->id);
		EXPECT_TEXT(hoster_find(h->id)->id, h->id);
		for (int s = 0; s < SERVICES; s++) {
			const struct hoster_server *server = &h->server[s];

			if (!server->host)
				continue;
			EXPECT_ROW(server->port == (s == SERVICE_IMAP ? 993 : server->socket == SOCKET_TLS ? 465 : 587), h->id);
			EXPECT_ROW(hoster_by_host(server->host) != NULL, server->host);
			/* the one host that two services share */
			if (strcmp(server->host, "outlook.office365.com") != 0)
				EXPECT_TEXT(hoster_by_host(server->host)->id, h->id);
		}
	}
	EXPECT(hoster_find("nobody") == NULL);
}

static const struct { const char *mx; bool filter; } filtered[] = {
	{ "mxa-00123.gslb.pphosted.com",         true },
	{ "mx1-eu1.ppe-hosted.com",              true },
	{ "eu-smtp-inbound-1.mimecast.com",      true },
	{ "d123.ess.barracudanetworks.com",      true },
	{ "cluster1.eu.messagelabs.com",         true },
	{ "mx1.hc123-45.eu.iphmx.com",           true },
	{ "birch.in.tmes.trendmicro.eu",         true },
	{ "mx.spamexperts.com",                  true },
	{ "mx-01.hornetsecurity.com",            true },
	{ "route1.mx.cloudflare.net",            true },
	{ "mx1.improvmx.com",                    true },
	{ "mx1.forwardemail.net",                true },
	{ "eforward3.registrar-servers.com",     true },
	{ "mx1.birch.example",                   false },
	{ "birch-example.mail.protection.outlook.com", false },
	{ "pphosted.com.birch.example",          false },
};

TEST(hosters_filters_are_no_hosts)
{
	for (size_t i = 0; i < COUNT(filtered); i++) {
		EXPECT_ROW(mx_is_filter(filtered[i].mx) == filtered[i].filter, filtered[i].mx);
		if (filtered[i].filter)
			EXPECT_ROW(!hoster_by_mx(filtered[i].mx), filtered[i].mx);
	}
}

static const struct { const char *host, *greeting, *id_response, *family; } speakers[] = {
	{ "imap.gmail.com",        "* OK Gimap ready for requests from 192.0.2.1 x", NULL, "gmail" },
	{ "outlook.office365.com", "* OK The Microsoft Exchange IMAP4 service is ready. [QQ==]", NULL, "microsoft" },
	{ "smtp-mail.outlook.com", NULL, NULL, "outlook" },
	{ "smtp.office365.com",    NULL, NULL, "microsoft" },
	{ "imap.qiye.163.com",     NULL, NULL, "netease_biz" },
	{ "imap.163.com",          "* OK Coremail System IMap Server Ready(163com[1])", NULL, "netease" },
	{ "imap.exmail.qq.com",    NULL, NULL, "exmail" },
	{ "imap.qq.com",           NULL, NULL, "qq" },
	{ "mail.birch.example",    "* OK The Microsoft Exchange IMAP4 service is ready.", NULL, "exchange" },
	{ "mail.birch.example",    "* OK [CAPABILITY IMAP4rev1 SASL-IR] Dovecot (Debian) ready.", NULL, "dovecot" },
	{ "mail.birch.example",    "* OK birch Cyrus IMAP 3.6.1 server ready", NULL, "cyrus" },
	{ "mail.birch.example",    "* OK [CAPABILITY IMAP4rev1] Courier-IMAP ready. Copyright 1998-2021", NULL, "courier" },
	{ "mail.birch.example",    "* OK Coremail System IMap Server Ready", NULL, "coremail" },
	{ "mail.birch.example",    "* OK mail.birch.example Zimbra IMAP4rev1 server ready", NULL, "zimbra" },
	{ "mail.birch.example",    "* OK mail.birch.example GroupWise IMAP4rev1 Server Ready", NULL, "groupwise" },
	{ "mail.birch.example",    "* OK Kerio Connect 9.4 IMAP4rev1 server ready", NULL, "kerio" },
	{ "mail.birch.example",    "* OK birch.example IMAP4rev1 MDaemon 23.0 ready", NULL, "mdaemon" },
	{ "mail.birch.example",    "* OK IMAPrev1", NULL, "hmail" },
	{ "mail.birch.example",    "* OK ready", "(\"name\" \"Dovecot\")", "dovecot" },
	{ "mail.birch.example",    "* OK ready", "(\"name\" \"Cyrus IMAPD\" \"version\" \"3.6.1\")", "cyrus" },
	{ "mail.birch.example",    "* OK ready", NULL, "" },
	{ NULL,                    NULL, NULL, "" },
	{ NULL,                    "* OK Gimap ready for requests", NULL, "gmail" },
	{ "imap.gmail.com.birch.example", NULL, NULL, "" },
};

TEST(server_family_is_host_then_greeting_then_id)
{
	for (size_t i = 0; i < COUNT(speakers); i++)
		EXPECT_TEXT(server_family(speakers[i].host, speakers[i].greeting, speakers[i].id_response), speakers[i].family);
}

/* A row that says where CalDAV is has that host among its own: advice for its app passwords depends on it. */
TEST(hosters_calendars_are_theirs)
{
	size_t rows = 0;

	for (const struct hoster *h; (h = hoster_at(rows)); rows++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct slice                 rest = slice_str(h->caldav);
		const char                  *host;

		if (!h->caldav)
			continue;
		EXPECT_ROW(slice_starts(rest, "https://"), h->id);
		rest = slice_from(rest, strlen("https://"));
		host = arena_copy(job, slice_upto(rest, strcspn(rest.at, ":/")));
		EXPECT_ROW(hoster_by_host(host) == h, h->id);
	}
}
