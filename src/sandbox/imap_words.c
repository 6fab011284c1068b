#include "sandbox/imap_words.h"

#include <strings.h>

#include "base/arena.h"



#define PLAIN_BEFORE "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+"
#define PLAIN_AFTER  "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ NAMESPACE UIDPLUS MOVE UNSELECT CHILDREN LIST-EXTENDED SPECIAL-USE"
#define SMALL        "IMAP4rev1 ID IDLE LITERAL+ NAMESPACE UIDPLUS MOVE UNSELECT CHILDREN"

static const struct dialect dialects[] = {
	{ NULL, NULL, NULL, NULL, "Dovecot (Debian) ready.", "(\"name\" \"Dovecot\")", PLAIN_BEFORE, PLAIN_AFTER,
	  "NO [AUTHENTICATIONFAILED] Authentication failed.", "ESMTP Postfix (Debian/GNU)", "535 5.7.8 Error: authentication failed: (reason unavailable)",
	  "{\"status\":\"invalid_token\"}", false },
	{ "gmail.com googlemail.com", "gmail-smtp-in.l.google.com", "imap.gmail.com", "smtp.gmail.com",
	  "Gimap ready for requests from 127.0.0.1 c0a8mb12345", "(\"name\" \"GImap\" \"vendor\" \"Google, Inc.\")",
	  "IMAP4rev1 UNSELECT IDLE NAMESPACE ID XLIST CHILDREN XYZZY SASL-IR",
	  "IMAP4rev1 UNSELECT IDLE NAMESPACE ID CHILDREN UIDPLUS ENABLE MOVE LIST-EXTENDED LITERAL- SPECIAL-USE APPENDLIMIT=35651584",
	  "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)", "ESMTP a640c23a62f3a-gsmtp",
	  "535-5.7.8 Username and Password not accepted. For more information, go to\n535 5.7.8  https://support.google.com/mail/?p=BadCredentials a640c23a62f3a-gsmtp",
	  "{\"status\":\"401\",\"schemes\":\"bearer mac\",\"scope\":\"https://mail.google.com/\"}", false },
	{ "outlook.com hotmail.com live.com", "outlook-com.olc.protection.outlook.com", "outlook.office365.com", "smtp-mail.outlook.com",
	  "The Microsoft Exchange IMAP4 service is ready. [QQBNADAAUABSADAANAA=]", "(\"name\" \"Microsoft.Exchange.Imap4.Imap4Server\" \"version\" \"15.20\")",
	  "IMAP4 IMAP4rev1 SASL-IR UIDPLUS MOVE ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+",
	  "IMAP4 IMAP4rev1 SASL-IR UIDPLUS MOVE ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+",
	  "NO LOGIN failed.", "Microsoft ESMTP MAIL Service ready", "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.",
	  "{\"status\":\"401\"}", false },
	{ "yahoo.com ymail.com rocketmail.com", "mta5.am0.yahoodns.net", "imap.mail.yahoo.com", "smtp.mail.yahoo.com",
	  "IMAP4rev1 Hello", "(\"vendor\" \"Yahoo! Inc.\")",
	  "IMAP4rev1 SASL-IR ID MOVE NAMESPACE", "IMAP4rev1 ID MOVE NAMESPACE UIDPLUS LITERAL+ CHILDREN UNSELECT IDLE SPECIAL-USE LIST-EXTENDED APPENDLIMIT=41697280",
	  "NO [AUTHENTICATIONFAILED] LOGIN Invalid credentials", "ESMTP ready", "535 5.7.0 (#AUTH005) Too many bad auth attempts.",
	  "{\"status\":\"401\"}", false },
	{ "aol.com aim.com", "mx-aol.mail.gm0.yahoodns.net", "imap.aol.com", "smtp.aol.com",
	  "IMAP4rev1 Hello", "(\"vendor\" \"Yahoo! Inc.\")",
	  "IMAP4rev1 SASL-IR ID MOVE NAMESPACE", SMALL,
	  "NO [AUTHENTICATIONFAILED] LOGIN Invalid credentials", "ESMTP ready", "535 5.7.0 (#AUTH005) Too many bad auth attempts.",
	  NULL, false },
	{ "icloud.com me.com mac.com", "mx01.mail.icloud.com", "imap.mail.me.com", "smtp.mail.me.com",
	  "iCloud IMAP ready", "(\"name\" \"iCloud\")", "IMAP4 IMAP4rev1 SASL-IR ID", SMALL " SASL-IR",
	  "NO [AUTHENTICATIONFAILED] Authentication failed", "iCloud SMTP", "535 5.7.8 Error: authentication failed", NULL, true },
	{ "fastmail.com fastmail.fm", "in1-smtp.messagingengine.com", "imap.fastmail.com", "smtp.fastmail.com",
	  "IMAP4 ready", "(\"name\" \"Cyrus IMAPD\")", "IMAP4rev1 LITERAL+ ID ENABLE SASL-IR", SMALL " SPECIAL-USE LIST-EXTENDED SASL-IR",
	  "NO Incorrect username, password or access token.", "ESMTP ready",
	  "535 5.7.0 Incorrect username, password or access token.", NULL, false },
	{ "zoho.com zohomail.com", "mx.zoho.com", "imap.zoho.com", "smtp.zoho.com",
	  "Zoho Mail IMAP4rev1 Server", "(\"name\" \"Zoho\")", "IMAP4rev1 ID SASL-IR", SMALL " SASL-IR",
	  "NO [AUTHENTICATIONFAILED] Invalid credentials(Failure)", "SMTP Server ready", "535 Authentication Failed", NULL, false },
	{ "gmx.net gmx.de gmx.at gmx.ch", "mx00.emig.gmx.net", "imap.gmx.net", "mail.gmx.net",
	  "IMAP server ready H migmx", "(\"name\" \"GMX\")", "IMAP4rev1 LITERAL+ SASL-IR", SMALL " SASL-IR",
	  "NO authentication failed", "(mrgmx) Nemesis ESMTP Service ready", "535 Authentication credentials invalid", NULL, false },
	{ "web.de", "mx-ha02.web.de", "imap.web.de", "smtp.web.de",
	  "IMAP server ready H mieue", "(\"name\" \"WEB.DE\")", "IMAP4rev1 LITERAL+ SASL-IR", SMALL " SASL-IR",
	  "NO authentication failed", "(mrweb) Nemesis ESMTP Service ready", "535 Authentication credentials invalid", NULL, false },
	{ "mail.ru inbox.ru list.ru bk.ru", "mxs.mail.ru", "imap.mail.ru", "smtp.mail.ru",
	  "Welcome", "(\"name\" \"Mail.Ru\")", "IMAP4rev1 ID SASL-IR LITERAL+", SMALL " SASL-IR",
	  "NO [AUTHENTICATIONFAILED] NEOBHODIM parol prilozheniya https://help.mail.ru/mail/security/protection/external / Application password is REQUIRED",
	  "ESMTP ready",
	  "535 5.7.0 NEOBHODIM parol prilozheniya https://help.mail.ru/mail/security/protection/external / Application password is REQUIRED", NULL, false },
	{ "yandex.com yandex.ru ya.ru", "mx.yandex.ru", "imap.yandex.com", "smtp.yandex.com",
	  "Yandex IMAP4rev1 at sandbox ready to talk with 127.0.0.1", "(\"name\" \"Yandex\")", "IMAP4rev1 CHILDREN UNSELECT LITERAL+ NAMESPACE UIDPLUS ENABLE ID IDLE MOVE SASL-IR",
	  SMALL " SASL-IR", "NO [AUTHENTICATIONFAILED] LOGIN invalid credentials or IMAP is disabled sc=Abc1dEf2_1234", "ESMTP (Want to use Yandex.Mail for your domain?)",
	  "535 5.7.8 Error: authentication failed: Invalid user or password!", "{\"status\":\"401\"}", false },
	{ "qq.com foxmail.com", "mx1.qq.com", "imap.qq.com", "smtp.qq.com",
	  "QQMail XMIMAP4Server ready", "(\"name\" \"QQMail\")",
	  "IMAP4 IMAP4rev1 ID NAMESPACE SASL-IR", SMALL,
	  "NO Login fail. Account is abnormal, service is not open, password is incorrect, login frequency limited, or system is busy. "
	  "More information at https://help.mail.qq.com/detail/108/1023",
	  "newxmesmtplogicsvrszc5 QQ Mail Server.",
	  "535 Login fail. Account is abnormal, service is not open, password is incorrect, login frequency limited, or system is busy.", NULL, false },
	{ "163.com", "163mx01.mxmail.netease.com", "imap.163.com", "smtp.163.com",
	  "Coremail System IMap Server Ready(163com[0123456789abcdef])", "(\"name\" \"Coremail Imap\" \"vendor\" \"Mailtech\")",
	  "IMAP4rev1 ID LITERAL+ SASL-IR", "IMAP4rev1 SPECIAL-USE ID LITERAL+ UIDPLUS",
	  "NO LOGIN Login error or password error", "Anti-spam GT for Coremail System", "535 Error: authentication failed", NULL, false },
	{ "t-online.de", "mx00.t-online.de", "secureimap.t-online.de", "securesmtp.t-online.de",
	  "Telekom IMAP ready", "(\"name\" \"Telekom\")", "IMAP4rev1 ID SASL-IR LITERAL+", SMALL " SASL-IR",
	  "NO [AUTHENTICATIONFAILED] Login failed", "T-Online ESMTP receiver ready", "535 5.7.8 Authentication failed", NULL, false },
};

static const struct dialect *own_of(const char *domain)
{
	for (size_t i = 1; i < COUNT(dialects); i++) {
		struct slice rest = slice_str(dialects[i].domains);

		while (rest.len)
			if (slice_is(slice_cut(&rest, ' '), domain))
				return &dialects[i];
	}
	return NULL;
}

const struct dialect *dialect_of(const char *domain)
{
	const struct dialect *own = own_of(domain);

	return own ? own : &dialects[0];
}

bool dialect_is_own(const char *domain)
{
	return own_of(domain) != NULL;
}

const struct dialect *dialect_at(size_t n)
{
	return n < COUNT(dialects) ? &dialects[n] : NULL;
}
