#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "serve/doctor_parts.h"
#include "serve/inbound_listen.h"

#define EXCHANGERS    3
#define CLOCK_MOST_S  30
#define DATE_LONGEST  40

static const char *host_of_url(const char *url, struct arena *into)
{
	struct http_url u;

	return http_url_parse(slice_str(url), into, &u) ? u.host : NULL;
}

/* -- the name server ---------------------------------------------------------------------------------------------- */

void check_dns(struct doctor *d)
{
	const char       *base = d->settings.value[SETTING_WEB_BASE_URL], *domain = d->settings.value[SETTING_INBOUND_DOMAIN];
	const char       *own = base ? host_of_url(base, d->job) : NULL, *name = own ? own : domain ? domain : ".";
	struct address    literal;
	struct dns_lookup l;

	if (address_parse(name, &literal))
		name = ".";
	dns_lookup_init(&l, d->job, name, strcmp(name, ".") == 0 ? DNS_NS : DNS_A, DOCTOR_WAIT_MS);
	doctor_converse(d, dns_lookup_step, &l, DOCTOR_WAIT_MS + 1000);
	if (l.outcome == DNS_FOUND || l.outcome == DNS_NO_DATA || l.outcome == DNS_NO_NAME)
		doctor_say(d, CHECK_DNS, REMARK_PASSED, NULL, "%s answers within %d ms", l.answer.server[0] ? l.answer.server : "it", l.ms);
	else
		doctor_say(d, CHECK_DNS, REMARK_FAILED, "Look at [net] resolver and /etc/resolv.conf. A resolver of this machine's own (unbound) does best.",
		           "asked for %s: %s", strcmp(name, ".") == 0 ? "the root" : name, dns_words(l.outcome));
	dns_lookup_release(&l);
}

/* -- base_url ----------------------------------------------------------------------------------------------------- */

/* "Sun, 22 Nov 2026 03:00:00 GMT" of the Date field; -1. */
static int64_t date_of(const struct http_answer *answer)
{
	struct slice date;
	char         text[DATE_LONGEST];
	struct tm    tm = { 0 };

	if (!http_header(answer, "Date", &date))
		return -1;
	snprintf(text, sizeof text, "%.*s", (int)date.len, date.at);
	return strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm) ? (int64_t)timegm(&tm) : -1;
}

static void compare_clocks(struct doctor *d, const struct fetch *f)
{
	int64_t theirs = date_of(&f->answer), apart = theirs < 0 ? 0 : theirs - clock_unix_ms() / 1000;

	if (llabs(apart) > CLOCK_MOST_S)
		doctor_say(d, CHECK_CLOCK, REMARK_FAILED, "One of the two is wrong: date -u, and timedatectl on both.",
		           "the server in front of base_url says that it is %lld s %s", (long long)llabs(apart), apart > 0 ? "later" : "earlier");
}

static void say_certificate(struct doctor *d, enum check check, const struct tls_answer *tls, const char *whose)
{
	int days = tls->chain_len ? days_left(&tls->chain[0], clock_unix_ms() / 1000) : 0;

	if (tls->flaws)
		doctor_say(d, check, REMARK_FAILED, "A certificate that everybody trusts, for that name: certbot and others get one for nothing.", "%s: %s", whose,
		           flaw_words(tls, d->job));
	else if (tls->chain_len == 0)
		doctor_say(d, check, REMARK_SKIPPED, NULL, "%s showed none", whose);
	else if (days < DOCTOR_DAYS)
		doctor_say(d, check, REMARK_WARNED, "Whatever renews it has not done so: look at its log.", "%s ends in %d day%s", whose, days, days == 1 ? "" : "s");
	else
		doctor_say(d, check, REMARK_PASSED, NULL, "%s, of %s, good for %d days", whose, tls->chain[0].issuer_name, days);
}

static void say_unreachable(struct doctor *d, const char *base, const struct fetch *f, const struct tls_answer *tls)
{
	const char *why = f->dns != DNS_FOUND ? dns_words(f->dns) : f->came == CAME_TLS_FAILED ? flaw_words(tls, d->job)
	                : f->problem ? f->problem : came_words(f->came);

	doctor_say(d, CHECK_BASE, REMARK_FAILED, f->dns != DNS_FOUND ? "An A or AAAA record for that name." :
	           "The proxy has to listen there (dist/nginx.conf, dist/Caddyfile). Where it cannot be reached from inside, another machine must look.",
	           "%s: %s", base, why);
}

/* What goes there leaves this machine for nobody to read. */
static bool is_loopback(const char *host)
{
	struct address a;
	char           text[ADDRESS_TEXT];

	if (!address_parse(host, &a))
		return strcmp(host, "localhost") == 0;
	return a.family == 4 ? a.bytes[0] == 127 : strcmp(address_text(&a, text), "::1") == 0;
}

static void say_base(struct doctor *d, const char *base, const struct fetch *f, enum doctor_who who, const struct tls_answer *tls)
{
	const char *seen = f->answer.status == 502 || f->answer.status == 503 || f->answer.status == 504 ? "a proxy that finds nobody behind it" : "something else";

	switch (who) {
	case WHO_NOBODY_THERE:
		say_unreachable(d, base, f, tls);
		return;
	case WHO_SOMEBODY:
		doctor_say(d, CHECK_BASE, REMARK_FAILED, d->runs ? "The proxy has to pass everything on to [web] listen." : "Start the daemon.",
		           "%s: %s answers, with status %d", base, seen, f->answer.status);
		break;
	case WHO_CANNOT_TELL:
		doctor_say(d, CHECK_BASE, REMARK_WARNED, "See to the key file first.", "%s: a daemon answers; whether it is this one cannot be told without its key file", base);
		break;
	case WHO_THIS_DAEMON:
		if (strncmp(base, "https://", 8) == 0 || is_loopback(f->url.host))
			doctor_say(d, CHECK_BASE, REMARK_PASSED, NULL, "%s leads to this daemon", base);
		else
			doctor_say(d, CHECK_BASE, REMARK_FAILED, "Put a proxy that does TLS in front, and write https:// here.",
			           "%s leads to this daemon, but passwords would be typed into an unprotected page", base);
	}
	compare_clocks(d, f);
}

void check_base(struct doctor *d)
{
	const char       *base = d->settings.value[SETTING_WEB_BASE_URL], *version;
	struct tls_answer tls = { 0 };
	struct fetch      f;
	enum doctor_who   who;

	if (!base) {
		doctor_say(d, CHECK_BASE, REMARK_WARNED, "[web] base_url = https://YOUR.NAME", "not set: links lead to http://%s, where only this machine gets",
		           d->settings.value[SETTING_WEB_LISTEN]);
		return;
	}
	if (!host_of_url(base, d->job)) {
		doctor_say(d, CHECK_BASE, REMARK_FAILED, "[web] base_url = https://YOUR.NAME", "\"%s\" is no URL", base);
		return;
	}
	if (slice_ends(slice_str(base), "/")) {
		doctor_say(d, CHECK_BASE, REMARK_FAILED, "Take the slash at its end away: links are put behind it.", "%s", base);
		return;
	}
	who = doctor_who_answers(d, base, &f, &tls, &version);
	say_base(d, base, &f, who, &tls);
	if (strncmp(base, "https://", 8) == 0 && tls.chain_len)
		say_certificate(d, CHECK_CERTIFICATE, &tls, f.url.host);
	fetch_release(&f);
}

void check_proxy(struct doctor *d)
{
	const char *base = d->settings.value[SETTING_WEB_BASE_URL];

	if (!base || strncmp(base, "https://", 8) != 0)
		doctor_say(d, CHECK_PROXY, REMARK_SKIPPED, NULL, "no proxy does TLS in front, by the settings");
	else if (!d->settings.value[SETTING_WEB_PROXIES])
		doctor_say(d, CHECK_PROXY, REMARK_WARNED, "[web] trusted_proxies = 127.0.0.1, or wherever the proxy connects from",
		           "not set: all visitors look like the proxy, and share the limits of one");
	else
		doctor_say(d, CHECK_PROXY, REMARK_PASSED, NULL, "%s", d->settings.value[SETTING_WEB_PROXIES]);
}

/* -- mail --------------------------------------------------------------------------------------------------------- */

static const char *knock_words(const struct knock *k)
{
	if (k->dns != DNS_FOUND)
		return dns_words(k->dns);
	if (k->came != CAME)
		return came_words(k->came);
	return k->greeting ? k->greeting : "connected, but no mail server speaks there";
}

static bool knock_is_mail(const struct knock *k)
{
	return k->came == CAME && k->greeting && k->code / 100 == 2;
}

/* One of [inbound] listen. */
static void check_door(struct doctor *d, const char *text)
{
	struct inbound_place place;
	struct knock         k;
	char                 host[ADDRESS_TEXT];
	bool                 any = true;

	if (!inbound_place_parse(text, &place)) {
		doctor_say(d, CHECK_MAIL_DOOR, REMARK_FAILED, "[inbound] listen = 127.0.0.1:2525 lmtp:127.0.0.1:2424, for example", "\"%s\" is no place to listen", text);
		return;
	}
	for (size_t i = 0; i < (place.address.family == 4 ? 4 : 16); i++)
		any = any && place.address.bytes[i] == 0;
	if (any)
		address_parse(place.address.family == 4 ? "127.0.0.1" : "::1", &place.address);
	knock_init(&k, d->job, address_text(&place.address, host), place.port, true);
	k.lmtp = place.lmtp;
	doctor_knock(d, &k, 1);
	if (knock_is_mail(&k))
		doctor_say(d, CHECK_MAIL_DOOR, REMARK_PASSED, NULL, "%s: %s", text, k.greeting);
	else
		doctor_say(d, CHECK_MAIL_DOOR, REMARK_FAILED, d->runs ? "Restart the daemon; a port below 1024 comes from mailmoor-inbound.socket." :
		           "Start the daemon.", "%s: %s", text, knock_words(&k));
	knock_release(&k);
}

static void check_doors(struct doctor *d)
{
	struct slice rest = slice_str(d->settings.value[SETTING_INBOUND_LISTEN]);

	if (rest.len == 0 && d->answered)
		doctor_say(d, CHECK_MAIL_DOOR, d->takes_mail ? REMARK_PASSED : REMARK_FAILED,
		           d->takes_mail ? NULL : "systemctl enable --now mailmoor-inbound.socket (SMTP, port 25) or mailmoor-lmtp.socket, or set [inbound] listen",
		           d->takes_mail ? "the daemon has it from systemd" : "the daemon takes no mail, though it has a domain for it");
	else if (rest.len == 0)
		doctor_say(d, CHECK_MAIL_DOOR, REMARK_SKIPPED, NULL, "[inbound] listen is not set, and the daemon could not be asked whether it has one from systemd");
	while (rest.len) {
		struct slice word = slice_trim(slice_cut(&rest, ' '));

		if (word.len)
			check_door(d, arena_copy(d->job, word));
	}
}

/* Where mail for the domain goes: its MX, or its own address. 0 with the reason said. */
static size_t find_exchangers(struct doctor *d, const char *domain, struct knock out[EXCHANGERS])
{
	struct dns_lookup l;
	size_t            count = 0;

	dns_lookup_init(&l, d->job, domain, DNS_MX, DOCTOR_WAIT_MS);
	doctor_converse(d, dns_lookup_step, &l, DOCTOR_WAIT_MS + 1000);
	if (l.outcome == DNS_FOUND && l.record[0].target[0] == '\0')
		doctor_say(d, CHECK_MAIL_DOMAIN, REMARK_FAILED, "An MX record that leads here.", "%s: \"MX 0 .\" says that it takes no mail", domain);
	else if (l.outcome == DNS_FOUND)
		while (count < l.count && count < EXCHANGERS) {
			knock_init(&out[count], d->job, l.record[count].target, 25, true);
			count++;
		}
	else if (l.outcome == DNS_NO_DATA)
		knock_init(&out[count++], d->job, domain, 25, true);
	else
		doctor_say(d, CHECK_MAIL_DOMAIN, REMARK_FAILED, "An MX record for that domain, which names this machine.", "%s: %s", domain, dns_words(l.outcome));
	dns_lookup_release(&l);
	return count;
}

/* Our own listener greets as the domain itself, "220 DOMAIN ESMTP"; whoever else answers is named as he calls himself. */
static bool greets_as_we_do(const struct knock *k, const char *domain)
{
	struct slice rest = slice_str(k->greeting), name = slice_cut(&rest, ' ');

	return slice_is(name, domain) && slice_is(rest, "ESMTP");
}

static void say_exchanger(struct doctor *d, const char *domain, const struct knock *k)
{
	char at[ADDRESS_TEXT];

	if (!knock_is_mail(k))
		doctor_say(d, CHECK_MAIL_DOMAIN, REMARK_FAILED, "Port 25 of that host has to be open from everywhere and lead to mailmoor-inbound.socket or to a mail "
		           "server. Some networks let nobody out to port 25: then look from outside.", "%s leads to %s: %s", domain, k->host, knock_words(k));
	else
		doctor_say(d, CHECK_MAIL_DOMAIN, REMARK_PASSED, NULL, "%s leads to %s (%s): %s, \"%s\"", domain, k->host, address_text(&k->address, at),
		           greets_as_we_do(k, domain) ? "a listener of ours" : "a mail server", k->greeting);
}

static void say_starttls(struct doctor *d, const struct knock *k)
{
	if (!knock_is_mail(k) && !k->offers_tls)
		return;
	if (!k->offers_tls)
		doctor_say(d, CHECK_MAIL_TLS, REMARK_WARNED, "[inbound] certificate_file and key_file", "%s offers none: mail comes over lines that anybody may read", k->host);
	else if (k->tls.chain_len)
		say_certificate(d, CHECK_MAIL_TLS, &k->tls, k->host);
	else
		doctor_say(d, CHECK_MAIL_TLS, REMARK_FAILED, "Look at its log.", "%s offers it, but: %s", k->host, flaw_words(&k->tls, d->job));
}

void check_mail(struct doctor *d)
{
	const char  *domain = d->settings.value[SETTING_INBOUND_DOMAIN];
	struct knock k[EXCHANGERS];
	size_t       count;

	if (!domain) {
		doctor_say(d, CHECK_MAIL_DOMAIN, REMARK_SKIPPED, NULL, "none is set: test messages go from a mailbox to itself");
		return;
	}
	check_doors(d);
	count = find_exchangers(d, domain, k);
	doctor_knock(d, k, count);
	for (size_t i = 0; i < count; i++) {
		say_exchanger(d, domain, &k[i]);
		say_starttls(d, &k[i]);
		knock_release(&k[i]);
	}
}

/* -- what may leave ----------------------------------------------------------------------------------------------- */

static void say_egress(struct doctor *d, struct knock *k, size_t count)
{
	doctor_knock(d, k, count);
	for (size_t i = 0; i < count; i++) {
		if (k[i].came == CAME)
			doctor_say(d, CHECK_EGRESS, REMARK_PASSED, NULL, "%s, port %u", k[i].host, k[i].port);
		else
			doctor_say(d, CHECK_EGRESS, REMARK_WARNED, "If it is so for every host, a firewall between here and there lets nobody out to that port.",
			           "%s, port %u: %s%s", k[i].host, k[i].port, knock_words(&k[i]),
			           k[i].came == CAME_REFUSED ? ", by the host or by a firewall before it" : "");
		knock_release(&k[i]);
	}
}

void check_egress(struct doctor *d)
{
	static const uint16_t ports[] = { 443, 993, 465, 587, 25 };
	struct knock          k[COUNT(ports) > DOCTOR_HOSTS ? COUNT(ports) : DOCTOR_HOSTS];
	size_t                count = 0;

	if (d->wishes->egress)
		for (; count < COUNT(ports); count++)
			knock_init(&k[count], d->job, d->wishes->egress, ports[count], false);
	else
		for (; count < d->hosts; count++)
			knock_init(&k[count], d->job, d->host[count].host, d->host[count].port, false);
	if (count)
		say_egress(d, k, count);
	else
		doctor_say(d, CHECK_EGRESS, REMARK_SKIPPED, NULL, "nobody to knock at: no account is connected, and no --egress HOST is named");
}
