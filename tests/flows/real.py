#!/usr/bin/env python3
"""The program against real Dovecot and Postfix: connected when they are set up well, the right cause when they are not.

    real.py BUILD [--list] [--only REGEX] [--show]

Each row sets servers up in one way and says what the verdict must be: cause, certainty, who must act. --show prints each run.
"""
import argparse
import hashlib
import imaplib
import json
import os
import subprocess
import re
import ssl
import sys
import threading

sys.dont_write_bytecode = True

import peers
from peers import DOMAIN, PASSWORD, Skip, hold

IMAP_HOST, SMTP_HOST = "imap." + DOMAIN, "smtp." + DOMAIN
AT_ONCE = 3
CAUSES_LEAST = 30

cases = []


class Row:
    def __init__(self, function, verdict, cause=None, certainty=None, who=None, step=None, repaired=False):
        self.function, self.verdict, self.cause, self.certainty, self.who = function, verdict, cause, certainty, who
        self.step, self.repaired = step, repaired
        self.name = function.__name__.replace("_", " ")


def connects(**more):
    return lambda f: cases.append(Row(f, "connected", **more))


def fails(cause, certainty, who, step=None, verdict="failed"):
    return lambda f: cases.append(Row(f, verdict, cause, certainty, who, step))


def partly(cause, certainty, who, step=None):
    return fails(cause, certainty, who, step, "partial")


def repaired(cause, who):
    return lambda f: cases.append(Row(f, "connected", cause, "proven", who, repaired=True))


# -- servers that several rows share ----------------------------------------------------------------------------------------------

# Ways of configuring Postfix, each on ports of its own.
VARIANTS = {
    "well": [],
    "no auth": ["smtpd_sasl_auth_enable = no"],
    "gssapi only": ["smtpd_sasl_path = inet:{gssapi}"],
    "other users": ["smtpd_sasl_path = inet:{other}"],
    "short names": ["smtpd_sasl_path = inet:{short}"],
    "backend down": ["smtpd_sasl_path = inet:{down}"],
    "auth service gone": ["smtpd_sasl_path = inet:{gone}"],
    "not as this": ["smtpd_sender_login_maps = static:{{somebody@birch.example}}",
                    "smtpd_sender_restrictions = reject_sender_login_mismatch"],
    "sender refused": ["smtpd_sender_restrictions = check_sender_access,static:{{554 5.7.1 Sender address rejected: not from here}}"],
    "recipient unknown": ["smtpd_recipient_restrictions = check_recipient_access,static:{{550 5.1.1 User unknown}}"],
    "relay": ["smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination"],
    "tiny": ["message_size_limit = 300"],
    "greylisted": ["smtpd_recipient_restrictions = check_recipient_access,static:{{450 4.2.0 Greylisted, try again later}}"],
    "full": ["smtpd_recipient_restrictions = check_policy_service,inet:{quota},permit_sasl_authenticated,reject"],
    "bounces": ["content_filter = error:5.1.1 No such person here"],
    "lost": ["content_filter = discard:lost"],
    "no starttls": ["smtpd_tls_security_level = none"],
    "certificate asked": ["smtpd_tls_security_level = encrypt", "smtpd_tls_req_ccert = yes"],
    "certificate expired": ["smtpd_tls_cert_file = {expired}", "smtpd_tls_key_file = {expired_key}"],
    "closed today": ["smtpd_client_restrictions = check_client_access,static:{{421 4.3.2 Service shutting down, try again later}}",
                     "smtpd_delay_reject = no"],
    "spam": ["smtpd_client_restrictions = check_client_access,static:{{554 5.7.1 Service unavailable; blocked using zen.spamhaus.org}}"],
    "quota": ["smtpd_recipient_restrictions = check_recipient_access,static:{{550 5.4.5 Daily sending quota exceeded}}"],
}

USERS = {"ann%d@%s" % (n, DOMAIN): PASSWORD for n in range(1, 200)}
USERS |= {"bo%d@%s" % (n, DOMAIN): PASSWORD for n in range(1, 9)}
USERS["ann@xn--bcher-kva.example"] = PASSWORD


class Town(peers.Peers):
    """The servers that are set up once: a good Dovecot, the auth services that Postfix asks, Postfix in all its ways, two web servers."""

    def __init__(self):
        super().__init__()
        self.place = {name: self.address() for name in ("main", "short", "other", "down", "gssapi", "postfix", "web", "quota", "gone")}

    def good(self, *names):
        return self.ca.issue("good", *(names or (IMAP_HOST, SMTP_HOST)))

    def dovecot(self, name, users, **more):
        return self.once(name, lambda: peers.Dovecot(os.path.join(self.folder, name), self.place[name], self.good(), users, **more))

    def script(self, name, text):
        """What Dovecot asks whether a password is right (the checkpassword interface)."""
        os.makedirs(os.path.dirname(name), exist_ok=True)
        # Written by another process: a file that this one has open is "busy" for who runs it, and stays so in every child
        # that another thread is just forking.
        subprocess.run(["install", "-m", "755", "/dev/stdin", name], input=("#!/bin/sh\n" + text).encode(), check=True)

    def main(self):
        return self.dovecot("main", USERS)

    def down(self):
        self.script(os.path.join(self.folder, "down", "check"), TEMPFAIL)
        return self.dovecot("down", USERS, passdb=CHECKED)

    def short(self):
        return self.dovecot("short", {"ann%d" % n: PASSWORD for n in range(1, 9)})

    def prepare(self, variant):
        """The auth service behind a variant."""
        kept = {"short names": self.short,
                "other users": lambda: self.dovecot("other", {name: "another-Password-8" for name in USERS}),
                "backend down": self.down,
                "gssapi only": lambda: self.dovecot("gssapi", USERS, extra="auth_mechanisms = oauthbearer xoauth2\n", passdb=TOKENS),
                "full": lambda: self.dovecot("quota", USERS, extra=QUOTA, userdb=NO_SPACE)}
        kept.get(variant, lambda: None)()

    def postfix(self):
        if not peers.ROOT:
            raise Skip("Postfix wants root")
        cert = self.good()
        expired = self.ca.issue("expired", SMTP_HOST)
        sasl = {n: "%s:%d" % (self.place[n], peers.Dovecot.SASL) for n in self.place}
        values = {**sasl, "expired": expired[0], "expired_key": expired[1], "quota": "%s:%d" % (self.place["quota"], peers.Dovecot.POLICY)}
        main = self.main()
        return self.once("postfix", lambda: peers.Postfix(
            os.path.join(self.folder, "postfix"), self.place["postfix"], cert, sasl["main"], main.mail, USERS,
            {name: [o.format(**values) for o in options] for name, options in VARIANTS.items()}))

    def web(self):
        with open(self.ca.path("inter.der"), "rb") as f:
            pages = {"/intermediate.der": f.read()}
        return self.once("web", lambda: peers.Web(self.place["web"], pages))

    def elsewhere(self):
        """A well-known web server with a certificate that has nothing to do with ours."""
        return self.once("elsewhere", lambda: peers.Web(self.place["web"], {}, self.good("www.wikipedia.org")))


WELL_KNOWN = ["www.google.com", "www.wikipedia.org", "detectportal.firefox.com", "www.debian.org"]
CONTROLS = [("imap.gmail.com", 993), ("imap.mail.yahoo.com", 993), ("outlook.office365.com", 993), ("outlook.office365.com", 143),
            ("imap.gmx.net", 143),
            ("smtp.gmail.com", 465), ("smtp.mail.yahoo.com", 465), ("smtp.gmail.com", 587), ("smtp.office365.com", 587)]


class Case:
    """One row's world: its name server, its servers, and where the names lead."""

    def __init__(self, row, town, binary, number):
        self.row, self.town, self.binary = row, town, binary
        self.folder = os.path.join(town.folder, "case%d" % number)
        self.address = town.address()
        self.stack = peers.Stack()
        self.user = "ann%d@%s" % (number, DOMAIN)
        self.places = {}
        self.outcome = None
        os.makedirs(self.folder)
        os.chmod(self.folder, 0o755)
        self.names = self.stack.add(peers.Names(self.address))
        self.zone(DOMAIN)
        for name in WELL_KNOWN + [h for h, _ in CONTROLS] + ["aia." + DOMAIN]:
            self.names.records[name, "A"] = [self.address]
        for name in WELL_KNOWN + ["aia." + DOMAIN]:
            self.places[name, 80] = (town.web().address, town.web().port)
        self.places["www.wikipedia.org", 443] = (town.elsewhere().address, town.elsewhere().port)

    def zone(self, domain, imap=IMAP_HOST, smtp=SMTP_HOST):
        self.names.records |= {
            (domain, "MX"): ["10 mx." + domain], ("mx." + domain, "A"): [self.address],
            (imap, "A"): [self.address], (smtp, "A"): [self.address],
            ("_imaps._tcp." + domain, "SRV"): ["0 1 993 " + imap], ("_submissions._tcp." + domain, "SRV"): ["0 1 465 " + smtp]}

    def lead(self, host, port, server, to_port=None):
        """host:port is there: a server of ours, or an address."""
        self.places[host, port] = (server, to_port) if isinstance(server, str) else (server.address, to_port or server.port)

    def imap_at(self, dovecot):
        self.lead(IMAP_HOST, 993, dovecot.address, dovecot.IMAPS)
        self.lead(IMAP_HOST, 143, dovecot.address, dovecot.IMAP)
        return dovecot

    def main(self):
        return self.imap_at(self.town.main())

    def dovecot(self, cert=None, users=None, **more):
        """A Dovecot of this row alone."""
        users = users or {self.user: PASSWORD}
        return self.imap_at(self.stack.add(peers.Dovecot(os.path.join(self.folder, "dovecot"), self.address, cert or self.town.good(),
                                                         users, **more)))

    def checked(self, script):
        """A Dovecot whose passwords a script checks."""
        self.town.script(os.path.join(self.folder, "dovecot", "check"), script)
        return self.dovecot(passdb=CHECKED)

    def certificate(self, kind, *names):
        return self.dovecot(cert=self.town.ca.issue(kind, *(names or (IMAP_HOST,))))

    def smtp(self, variant="well"):
        postfix = self.town.postfix()
        self.town.prepare(variant)
        for port, to in zip((587, 465), postfix.ports[variant]):
            self.lead(SMTP_HOST, port, postfix.address, to)

    def both(self, variant="well"):
        self.main()
        self.smtp(variant)

    def any_smtp(self):
        """Some SMTP server, where the verdict is about IMAP."""
        if peers.ROOT:
            self.smtp()
        else:
            closed = self.stack.add(peers.closed_port(self.address))
            self.lead(SMTP_HOST, 465, *closed.getsockname())

    def diagnose(self, *options, address=None, password=PASSWORD, timeout=20, names=True, **more):
        if (SMTP_HOST, 465) not in self.places and (SMTP_HOST, 587) not in self.places:
            self.any_smtp()
        args = ["--timeout", str(timeout), "--ca-file", self.town.ca.root, "--resolver", "%s:%d" % (self.names.address, self.names.port)]
        for (host, port), (to, to_port) in self.places.items():
            args += ["--connect-to", "%s:%d=%s:%d" % (host, port, to, to_port)]
        self.outcome = peers.run(self.binary, address or self.user, [*args, *options], password, self.folder, timeout + 15,
                                 langs=peers.LANGUAGES, **more)
        return self.outcome

    def judge(self):
        o, row = self.outcome, self.row
        hold(o.report["verdict"] == row.verdict, "expected %s, got %s" % (row.verdict, o.short()))
        if not row.cause:
            hold(not o.report["causes"], "no cause expected, got " + o.short())
            return
        hold(o.cause() == row.cause, "expected %s, got %s" % (row.cause, o.short()))
        first = o.report["causes"][0]
        hold((first["certainty"], first["who"]) == (row.certainty, row.who), "expected %s %s, got %s" % (row.certainty, row.who, o.short()))
        hold(bool(first.get("repaired")) == row.repaired, "repaired: " + o.short())
        hold(not row.step or first["step"] == row.step, "the step is %s" % first["step"])


# -- connected --------------------------------------------------------------------------------------------------------------------

def sent_and_gone(t, o):
    hold(o.state("send.arrive") == "passed", "send.arrive is %s" % o.step("send.arrive"))
    hold(o.state("send.remove") == "passed", "send.remove is %s" % o.step("send.remove"))
    left = t.town.main().messages(t.user)
    hold(not left, "left in the mailbox: %s" % left)
    hold("status=sent" in t.town.postfix().log(), "Postfix delivered nothing")


@connects()
def found_by_srv_and_tls(t):
    t.both()
    sent_and_gone(t, t.diagnose("--send-test"))


@connects()
def named_and_starttls(t):
    t.both()
    o = t.diagnose("--send-test", "--imap", IMAP_HOST + ":143", "--smtp", SMTP_HOST + ":587")
    sent_and_gone(t, o)
    hold(o.state("imap.starttls") == "passed" and o.state("smtp.starttls") == "passed", "STARTTLS did not pass")


@connects()
def without_a_test_message(t):
    t.both()
    o = t.diagnose()
    hold(not t.town.main().messages(t.user) and o.state("smtp.send") in (None, "skipped"), "something was sent")


@connects()
def sent_to_somebody_else(t):
    t.both()
    t.diagnose("--send-test=bo1@" + DOMAIN)
    peers.until(lambda: t.town.main().messages("bo1@" + DOMAIN), 10, "the message at bo1")
    hold(not t.town.main().messages(t.user), "something is left")


@connects()
def found_by_autoconfig(t):
    t.both()
    for service in ("_imaps", "_submissions"):
        del t.names.records["%s._tcp.%s" % (service, DOMAIN), "SRV"]
    t.names.records["autoconfig." + DOMAIN, "A"] = [t.address]
    page = """<clientConfig version="1.1"><emailProvider id="%s"><domain>%s</domain><displayName>Birch</displayName>
<incomingServer type="imap"><hostname>%s</hostname><port>143</port><socketType>STARTTLS</socketType>
<username>%%EMAILADDRESS%%</username><authentication>password-cleartext</authentication></incomingServer>
<outgoingServer type="smtp"><hostname>%s</hostname><port>587</port><socketType>STARTTLS</socketType>
<username>%%EMAILADDRESS%%</username><authentication>password-cleartext</authentication></outgoingServer>
</emailProvider></clientConfig>""" % (DOMAIN, DOMAIN, IMAP_HOST, SMTP_HOST)
    web = t.stack.add(peers.Web(t.address, {"/mail/config-v1.1.xml": page.encode()}, t.town.good("autoconfig." + DOMAIN)))
    t.lead("autoconfig." + DOMAIN, 443, web)
    o = t.diagnose()
    hold(o.facts("imap.resolve", "endpoint.source") == ["autoconfig"], str(o.step("imap.resolve")))


@connects()
def the_second_server_announced_is_well(t):
    """The first is silent: it costs its own time, not the second one's."""
    t.both()
    silent = "old." + DOMAIN
    t.names.records[silent, "A"] = [t.address]
    t.names.records["_imaps._tcp." + DOMAIN, "SRV"] = ["0 1 993 " + silent, "10 1 993 " + IMAP_HOST]
    t.lead(silent, 993, t.stack.add(peers.Hole(t.address)))
    o = t.diagnose(timeout=9)
    hold(o.step("probe.control") is None, "it was asked about the silent one first")


@connects()
def password_from_standard_input(t):
    t.both()
    t.diagnose(stdin_password=True)


@connects()
def internationalised_domain(t):
    t.both()
    t.zone("xn--bcher-kva.example", "imap.xn--bcher-kva.example", "smtp.xn--bcher-kva.example")
    cert = t.town.good("imap.xn--bcher-kva.example")
    dovecot = t.dovecot(cert, users=USERS)
    t.lead("imap.xn--bcher-kva.example", 993, dovecot.address, dovecot.IMAPS)
    t.diagnose("--smtp", SMTP_HOST + ":465", address="ann@bücher.example")


def mechanism(name, dovecot_name, hashed=None):
    def row(t):
        passdb = peers.DOVECOT_PASSDB
        t.dovecot(extra="auth_mechanisms = %s\n" % dovecot_name, passdb=passdb)
        t.smtp()
        o = t.diagnose()
        hold(o.facts("imap.login", "auth.mechanism") == [name], str(o.step("imap.login")))
    row.__name__ = "sign-in by " + name
    connects()(row)


mechanism("PLAIN", "plain")
mechanism("LOGIN", "login")
mechanism("SCRAM-SHA-256", "scram-sha-256")
mechanism("CRAM-MD5", "cram-md5")


def odd_password(name, password):
    def row(t):
        t.dovecot(users={t.user: password})
        o = t.diagnose(password=password)
        hold(o.state("imap.login") == "passed", str(o.step("imap.login")))
    row.__name__ = "password with " + name
    # Postfix knows another one: only IMAP is of interest here
    cases.append(Row(row, None))


odd_password("umlauts", "Pässwörd→€ 木")
odd_password("quotes and backslashes", 'a"b\\c"\\"d\\\\')
odd_password("blanks at both ends", "  two blanks  ")
odd_password("200 letters", "x1" * 100)


@repaired("auth.username_form", "user")
def names_without_domain(t):
    t.user = "ann1@" + DOMAIN
    t.imap_at(t.town.short())
    t.smtp("short names")
    t.diagnose(username="ann1")


@repaired("auth.username_form", "user")
def names_with_domain(t):
    t.both()
    t.diagnose("--username", t.user.split("@")[0])


# -- unfinished -------------------------------------------------------------------------------------------------------------------

def unfinished(kind):
    def wrap(f):
        def row(t):
            f(t)
            hold(kind in [n["kind"] for n in t.outcome.report["needs"]], "needs %s" % t.outcome.report["needs"])
        row.__name__ = f.__name__
        cases.append(Row(row, "unfinished"))
    return wrap


@unfinished("password")
def without_a_password(t):
    t.both()
    t.diagnose(password=None)


@unfinished("confirm_host")
def a_guessed_host_gets_no_password(t):
    t.both()
    for service in ("_imaps", "_submissions"):
        del t.names.records["%s._tcp.%s" % (service, DOMAIN), "SRV"]
    o = t.diagnose()
    hold(not o.facts("imap.login", "auth.mechanism"), "a password was sent to a guessed host")
    hold(t.user not in t.town.main().log(), "Dovecot heard of a sign-in")


# -- address and name service -----------------------------------------------------------------------------------------------------

@fails("address.malformed", "proven", "user", "address")
def no_address(t):
    t.diagnose(address="ann at birch.example")


@fails("dns.no_such_domain", "proven", "user", "dns.mx")
def domain_does_not_exist(t):
    t.diagnose(address="ann@brich.example")


@fails("dns.no_such_host", "proven", "user", "imap.resolve")
def host_named_does_not_exist(t):
    t.diagnose("--imap", "imop." + DOMAIN)


@fails("dns.no_such_host", "proven", "admin", "imap.resolve")
def host_announced_does_not_exist(t):
    t.names.records["_imaps._tcp." + DOMAIN, "SRV"] = ["0 1 993 gone." + DOMAIN]
    t.diagnose()


@fails("dns.no_mail_service", "proven", "user", "dns.mx")
def null_mx(t):
    t.names.records[DOMAIN, "MX"] = ["0 ."]
    for service in ("_imaps", "_submissions"):
        del t.names.records["%s._tcp.%s" % (service, DOMAIN), "SRV"]
    t.diagnose()


@fails("dns.service_not_offered", "proven", "admin", "detect")
def srv_says_no(t):
    for service in ("_imaps", "_imap"):
        t.names.records["%s._tcp.%s" % (service, DOMAIN), "SRV"] = ["0 0 0 ."]
    t.diagnose()


@fails("dns.failure", "proven", "admin")
def their_name_server_fails(t):
    t.names.records[DOMAIN, "fails"] = "SERVFAIL"
    t.diagnose()


@fails("dns.failure", "proven", "operator")
def our_resolver_refuses(t):
    t.names.records["example", "fails"] = "REFUSED"
    t.diagnose()


# -- the way there ----------------------------------------------------------------------------------------------------------------

@fails("net.refused", "proven", "user", "imap.connect")
def nothing_listens_where_named(t):
    t.lead(IMAP_HOST, 993, *t.stack.add(peers.closed_port(t.address)).getsockname())
    t.diagnose("--imap", IMAP_HOST)


@fails("net.refused", "proven", "admin", "imap.connect")
def nothing_listens_where_announced(t):
    t.lead(IMAP_HOST, 993, *t.stack.add(peers.closed_port(t.address)).getsockname())
    t.diagnose()


@fails("net.timeout", "proven", "admin", "imap.connect")
def packets_vanish_there_only(t):
    t.lead(IMAP_HOST, 993, t.stack.add(peers.Hole(t.address)))
    t.diagnose("--imap", IMAP_HOST, "--smtp", SMTP_HOST, timeout=9)


@fails("operator.egress_blocked", "proven", "operator")
def packets_vanish_everywhere(t):
    hole = t.stack.add(peers.Hole(t.address))
    t.lead(IMAP_HOST, 993, hole)
    for host, port in CONTROLS:
        if port == 993:
            t.lead(host, port, hole)
    t.diagnose("--imap", IMAP_HOST, "--smtp", SMTP_HOST, timeout=9)


@fails("net.silent", "proven", "admin")
def nothing_is_ever_said(t):
    t.lead(IMAP_HOST, 143, t.stack.add(peers.Listener(t.address, peers.silence)))
    t.diagnose("--imap", IMAP_HOST + ":143", "--smtp", SMTP_HOST, timeout=9)


@fails("net.reset", "proven", "admin")
def cut_before_the_greeting(t):
    t.lead(IMAP_HOST, 143, t.stack.add(peers.Listener(t.address, peers.reset)))
    t.diagnose("--imap", IMAP_HOST + ":143")


@fails("net.address_not_allowed", "proven", "operator", "imap.connect")
def loopback_forbidden(t):
    t.dovecot()
    config = os.path.join(t.folder, "mailmoor.conf")
    with open(config, "w") as f:
        f.write("[net]\nallow = 10.9.0.0/16\n")
    t.places = {}
    t.lead(SMTP_HOST, 587, "127.0.0.1", 9)
    t.diagnose("--config", config)


@fails("server.wrong_protocol", "proven", "user")
def pop3_where_imap_was_named(t):
    d = t.dovecot(pop3=True)
    t.lead(IMAP_HOST, 995, d.address, d.POP3S)
    t.diagnose("--imap", IMAP_HOST + ":995")


@fails("server.wrong_protocol", "proven", "user")
def smtp_where_imap_was_named(t):
    t.smtp()
    t.lead(IMAP_HOST, 465, *t.places[SMTP_HOST, 465])
    p = t.town.postfix()
    t.names.records[SMTP_HOST, "A"] = [t.address]
    t.lead(SMTP_HOST, 465, p.address, p.ports["well"][1])
    t.diagnose("--imap", SMTP_HOST + ":465")


@fails("server.wrong_protocol", "proven", "user")
def web_where_imap_was_named(t):
    t.lead(IMAP_HOST, 8080, t.stack.add(peers.Web(t.address, {})))
    t.diagnose("--imap", IMAP_HOST + ":8080")


@fails("net.silent", "proven", "admin")
def https_where_imap_was_named(t):
    """It waits for us to speak first, as silent as any other."""
    t.lead(IMAP_HOST, 443, t.stack.add(peers.Web(t.address, {}, t.town.good())))
    t.diagnose("--imap", IMAP_HOST + ":443", timeout=9)


# -- TLS --------------------------------------------------------------------------------------------------------------------------

@fails("tls.expired", "proven", "admin", "imap.tls")
def certificate_expired(t):
    t.certificate("expired")
    t.diagnose()


@fails("tls.not_yet_valid", "proven", "admin", "imap.tls")
def certificate_not_yet_valid(t):
    t.certificate("not_yet")
    t.diagnose()


@fails("operator.clock_wrong", "proven", "operator")
def our_clock_is_behind(t):
    t.certificate("not_yet")
    ahead = t.stack.add(peers.Web(t.address, {}, clock_s=20 * 86400))
    for name in WELL_KNOWN:
        t.lead(name, 80, ahead)
    t.diagnose()


@fails("tls.expired", "proven", "admin", "imap.tls")
def intermediate_expired(t):
    t.certificate("old_intermediate")
    o = t.diagnose()
    hold(o.facts("imap.tls", "tls.expired_name") == ["Birch Test Intermediate"], str(o.step("imap.tls")))


@fails("tls.self_signed", "proven", "admin", "imap.tls")
def certificate_self_signed(t):
    t.certificate("self_signed")
    t.diagnose()


def pin_of(t, name):
    out = t.town.ca.path(name + ".spki")
    peers.openssl("pkey", "-in", t.town.ca.path(name + ".key"), "-pubout", "-outform", "DER", "-out", out)
    with open(out, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


@connects()
def expired_and_its_key_pinned(t):
    t.both()
    t.certificate("expired")
    o = t.diagnose("--pin", pin_of(t, "leaf"))
    hold(o.facts("imap.tls", "tls.trusted_by") == ["own_pin"] and o.facts("imap.tls", "tls.pin") == [pin_of(t, "leaf")], str(o.step("imap.tls")))


@fails("tls.pin_mismatch", "proven", "admin", "imap.tls")
def another_key_than_the_pinned_one(t):
    t.both()
    t.diagnose("--pin", pin_of(t, "self"))


@fails("tls.name_mismatch", "proven", "admin", "imap.tls")
def certificate_for_another_name(t):
    t.certificate("good", "mail." + DOMAIN, "www." + DOMAIN)
    t.names.records["mail." + DOMAIN, "A"] = [t.address]
    o = t.diagnose()
    hold("mail." + DOMAIN in json.dumps(o.report["causes"][0]["fix"]), "the fix names no better host: %s" % o.report["causes"][0]["fix"])


@fails("tls.unknown_issuer", "proven", "admin", "imap.tls")
def issuer_unknown(t):
    t.certificate("unknown_whole")
    t.diagnose()


@fails("tls.unknown_issuer", "likely", "admin", "imap.tls")
def issuer_unknown_and_not_sent(t):
    t.certificate("unknown")
    t.diagnose()


@fails("net.intercepted", "proven", "operator", "imap.tls")
def one_issuer_for_all_hosts(t):
    t.certificate("unknown_whole")
    t.lead("www.wikipedia.org", 443, t.stack.add(peers.Web(t.address, {}, t.town.ca.issue("unknown_whole", "www.wikipedia.org"))))
    t.diagnose()


@fails("tls.incomplete_chain", "proven", "admin", "imap.tls")
def intermediate_not_sent(t):
    t.certificate("incomplete")
    t.diagnose()


@fails("tls.weak_certificate", "proven", "admin", "imap.tls")
def key_of_1024_bits(t):
    t.dovecot(cert=t.town.ca.issue("weak", IMAP_HOST), extra="ssl_cipher_list = ALL:@SECLEVEL=0\nssl_min_protocol = TLSv1\n")
    t.diagnose()


@fails("tls.too_old", "proven", "admin", "imap.tls")
def only_tls_1_1(t):
    conf = os.path.join(t.folder, "openssl.cnf")
    with open(conf, "w") as f:
        f.write("openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nMaxProtocol = TLSv1.1\nMinProtocol = TLSv1\n"
                "CipherString = DEFAULT:@SECLEVEL=0\n")
    os.chmod(conf, 0o644)
    t.dovecot(extra="import_environment = OPENSSL_CONF=%s\nssl_min_protocol = TLSv1\nssl_cipher_list = ALL:@SECLEVEL=0\n" % conf)
    t.diagnose()


@partly("tls.handshake_failed", "proven", "admin")
def client_certificate_wanted_by_postfix(t):
    t.both("certificate asked")
    t.diagnose("--smtp", SMTP_HOST + ":465")


@fails("tls.handshake_failed", "proven", "admin")
def client_certificate_wanted_in_the_handshake(t):
    cert = t.town.good()
    server = t.stack.add(peers.Process(["openssl", "s_server", "-accept", "%s:10993" % t.address, "-cert", cert[0], "-key", cert[1],
                                        "-cert_chain", cert[0], "-Verify", "1", "-CAfile", t.town.ca.root, "-quiet"],
                                       os.path.join(t.folder, "s_server")))
    server.wait_for(t.address, 10993)
    t.lead(IMAP_HOST, 993, t.address, 10993)
    t.diagnose()


@fails("tls.plaintext_port", "proven", "user", "imap.tls")
def tls_spoken_to_the_plain_port(t):
    d = t.dovecot()
    t.lead(IMAP_HOST, 1143, d.address, d.IMAP)
    t.diagnose("--imap", IMAP_HOST + ":1143", timeout=12)


@fails("tls.implicit_port", "proven", "user")
def plain_text_spoken_to_the_tls_port(t):
    d = t.dovecot()
    t.lead(IMAP_HOST, 143, d.address, d.IMAPS)
    t.diagnose("--imap", IMAP_HOST + ":143", "--smtp", SMTP_HOST, timeout=12)


@fails("tls.starttls_missing", "proven", "admin", "imap.starttls")
def imap_without_starttls(t):
    t.dovecot(ssl=False)
    t.diagnose("--imap", IMAP_HOST + ":143")


@partly("tls.starttls_missing", "proven", "admin", "smtp.starttls")
def smtp_without_starttls(t):
    t.both("no starttls")
    t.diagnose("--smtp", SMTP_HOST + ":587")


@partly("tls.expired", "proven", "admin", "smtp.tls")
def smtp_certificate_expired(t):
    t.both("certificate expired")
    t.diagnose()


# -- signing in -------------------------------------------------------------------------------------------------------------------

TEMPFAIL = "exit 111\n"
CHECKED = """
passdb {{
  driver = checkpassword
  args = {folder}/check
}}
"""
TOKENS = """
passdb {{
  driver = static
  args = nopassword=yes
  mechanisms = oauthbearer xoauth2
}}
"""
QUOTA = """
mail_plugins = quota
plugin {
  quota = maildir:User quota
  quota_status_success = DUNNO
  quota_status_nouser = DUNNO
  quota_status_overquota = "552 5.2.2 Mailbox is full"
}
service quota-status {
  executable = quota-status -p postfix
  client_limit = 1
  inet_listener {
    port = {policy}
  }
}
"""
NO_SPACE = """
userdb {{
  driver = static
  args = allow_all_users=yes uid={uid} gid={gid} home={mail}/%u quota_rule=*:bytes=1
}}
"""


@fails("auth.password_rejected", "likely", "user", "imap.login")
def wrong_password(t):
    t.both()
    o = t.diagnose(password="wrong-Heron-42")
    hold(o.report["password_tries"] == 2, "%d tries" % o.report["password_tries"])
    hold(o.state("smtp.login") == "skipped", "SMTP was asked after a refusal")


@fails("auth.backend_down", "proven", "provider", "imap.login")
def password_database_gone(t):
    t.checked(TEMPFAIL)
    t.diagnose()


def login_with_reason(name, reason, cause, certainty, who):
    def row(t):
        t.checked('export USER EXTRA="nologin reason" nologin=y reason="%s"\nexec "$1"\n' % reason)
        t.diagnose()
    row.__name__ = name
    fails(cause, certainty, who, "imap.login")(row)


login_with_reason("password expired", "Your password has expired, please change it", "auth.password_expired", "proven", "user")
login_with_reason("account disabled", "This account is disabled", "auth.account_disabled", "likely", "user")
login_with_reason("reason nobody knows", "Come back after the full moon", "auth.login_disabled", "proven", "admin")


def account_field(name, field, cause, certainty, who):
    def row(t):
        t.dovecot(users={t.user: (PASSWORD, field)})
        t.diagnose()
    row.__name__ = name
    fails(cause, certainty, who, "imap.login")(row)


account_field("login switched off", "nologin=y reason=Switched_off", "auth.login_disabled", "proven", "admin")
account_field("other addresses only", "allow_nets=192.0.2.0/24", "auth.password_rejected", "likely", "user")


@fails("auth.password_rejected", "likely", "user", "imap.login")
def no_such_user(t):
    t.both()
    t.diagnose(address="nobody@" + DOMAIN)


@fails("auth.oauth_required", "proven", "user", "imap.login")
def tokens_only(t):
    t.dovecot(extra="auth_mechanisms = oauthbearer xoauth2\n", passdb=TOKENS)
    t.diagnose()


@fails("auth.no_common_scheme", "proven", "operator", "imap.login")
def token_for_a_password_server(t):
    t.main()
    token = os.path.join(t.folder, "token")
    with open(token, "w") as f:
        json.dump({"access_token": "ya29.heron-token-77", "token_type": "Bearer", "expires_in": 3600}, f)
    t.diagnose("--token-file", token, password=None, secrets=("ya29.heron-token-77",))


@fails("imap.too_many_connections", "proven", "user", "imap.login")
def one_connection_only(t):
    d = t.dovecot(extra="protocol imap {\n  mail_max_userip_connections = 1\n}\n")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    other = imaplib.IMAP4_SSL(d.address, d.IMAPS, ssl_context=context)
    other.login(t.user, PASSWORD)
    try:
        t.diagnose()
    finally:
        other.logout()


@fails("server.unavailable", "proven", "provider", "imap.open")
def mailbox_cannot_be_opened(t):
    t.dovecot(userdb=peers.DOVECOT_USERDB.replace("home=", "mail=maildir:/proc/none home="))
    t.diagnose()


@fails("server.unavailable", "likely", "nobody", "imap.login")
def user_database_gone(t):
    t.dovecot(userdb="\nuserdb {{\n  driver = passwd-file\n  args = {folder}/gone/users\n}}\n")
    t.diagnose()


# -- SMTP alone -------------------------------------------------------------------------------------------------------------------

@partly("auth.password_rejected", "likely", "user", "smtp.login")
def smtp_knows_another_password(t):
    t.both("other users")
    t.diagnose()


@partly("auth.password_rejected", "likely", "user", "smtp.login")
def smtp_hides_that_it_cannot_check_passwords(t):
    """Postfix says 535 "(reason unavailable)" where Dovecot told it that it could not look: nobody outside can know."""
    t.both("backend down")
    t.diagnose()


@partly("net.reset", "likely", "admin")
def smtp_without_its_auth_service(t):
    """Postfix dies of it before it has greeted."""
    t.both("auth service gone")
    t.diagnose(timeout=12)


@partly("smtp.auth_not_offered", "proven", "user", "smtp.login")
def smtp_offers_no_sign_in(t):
    t.both("no auth")
    t.diagnose()


@partly("auth.oauth_required", "proven", "user", "smtp.login")
def smtp_wants_tokens(t):
    t.both("gssapi only")
    t.diagnose()


@partly("net.refused", "proven", "admin", "smtp.connect")
def smtp_refused(t):
    t.main()
    t.lead(SMTP_HOST, 465, *t.stack.add(peers.closed_port(t.address)).getsockname())
    t.diagnose()


@partly("server.unavailable", "likely", "nobody", "smtp.greeting")
def smtp_closed_today(t):
    t.both("closed today")
    t.diagnose()


@partly("server.wrong_protocol", "proven", "user")
def imap_where_smtp_was_named(t):
    d = t.main()
    t.lead(SMTP_HOST, 465, d.address, d.IMAPS)
    t.diagnose("--smtp", SMTP_HOST + ":465")


# -- sending ----------------------------------------------------------------------------------------------------------------------

def sends(variant, cause, certainty, who, to="", timeout=20, step="smtp.send"):
    def row(t):
        t.both(variant)
        if variant == "full":
            t.town.shared["quota"].deliver(t.user, 900)
        t.diagnose("--send-test" + to, timeout=timeout)
    row.__name__ = "sending: " + variant
    partly(cause, certainty, who, step)(row)


sends("not as this", "send.as_denied", "likely", "admin")
sends("sender refused", "send.sender_rejected", "likely", "user")
sends("recipient unknown", "send.recipient_rejected", "proven", "operator")
sends("relay", "send.relay_denied", "proven", "user", to="=ann@elsewhere.example")
sends("tiny", "send.too_large", "proven", "user")
sends("greylisted", "send.delayed", "proven", "nobody")
sends("full", "mailbox.full", "proven", "user")
sends("lost", "send.delayed", "likely", "nobody", timeout=8, step="send.arrive")
sends("bounces", "send.recipient_rejected", "proven", "operator", step="send.bounce")
sends("spam", "send.blocked", "likely", "provider")
sends("quota", "send.quota_exceeded", "proven", "nobody")


# -- the text ---------------------------------------------------------------------------------------------------------------------

@fails("tls.expired", "proven", "admin", "imap.tls")
def no_line_of_the_text_ends_with_a_blank(t):
    """At the 81st column it would make an empty line of its own."""
    t.certificate("expired")
    text = peers.execute([t.binary, "replay", "-v", t.diagnose().record]).out
    blank = [line for line in text.split("\n") if line != line.rstrip()]
    hold(not blank, "%d lines, the first is %r" % (len(blank), blank[:1]))


# -- running them -----------------------------------------------------------------------------------------------------------------

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--show", action="store_true")
    o = parser.parse_args()
    chosen = [c for c in cases if re.search(o.only, c.name)]
    if o.list:
        for c in chosen:
            print("%-44s %-12s %s" % (c.name, c.verdict, " ".join(filter(None, (c.cause, c.certainty, c.who)))))
        return 0
    binary = os.path.join(os.path.abspath(o.build), "mailmoor")
    said = threading.Lock()
    with Town() as town:
        def one(row):
            t = Case(row, town, binary, cases.index(row) + 10)
            try:
                row.function(t)
                if row.verdict:
                    t.judge()
            finally:
                t.stack.close()
                if o.show and t.outcome:
                    with said:
                        print("== %s: %s\n%s" % (row.name, t.outcome.short() if t.outcome.report else t.outcome.err,
                                                 t.outcome.evidence() if t.outcome.report else ""), flush=True)
        status = peers.run_all(chosen, one, AT_ONCE)
        if not o.only and peers.ROOT:
            hold(len({c.cause for c in chosen if c.cause}) >= CAUSES_LEAST, "fewer than %d causes" % CAUSES_LEAST)
        return status


if __name__ == "__main__":
    sys.exit(main())
