#!/usr/bin/env python3
"""Every verdict that Exchange can give, ordered from `mailmoor sandbox` and found by `mailmoor diagnose`: the cause, how sure, who must act, what is named,
by what proof, and how many passwords it cost, as the sandbox counts them. Each case is recorded and comes out the same when it is replayed.

    diagnose_exchange.py BUILD [--only REGEX]
"""
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

sys.dont_write_bytecode = True

import peers
from peers import hold
from rows import arguments
from sandboxed import Sandbox, lmtp

DOMAIN, HOST, OWA, AUTO = "contoso.example", "mail.contoso.example", "owa.contoso.example", "autodiscover.contoso.example"
EWS = "https://%s/EWS/Exchange.asmx" % HOST
ANNA, INFO, SERVICE = "anna@" + DOMAIN, "info@" + DOMAIN, "service@" + DOMAIN
PASSWORD, WRONG = "mailmoor-sandbox", "Kettle-77-is-wrong"
ABROAD = "ann@fabrikam.example"      # an address in another domain than the organisation's own
UNTRUE = "sha256-of-nobody".encode().hex()[:32] * 2
WORKERS = 3

GIVEN = ("--ews", EWS)
FOUND = ("--provider", "exchange")
SENDING = (*GIVEN, "--send-test")
TOKEN = (*GIVEN, "--token-file", "{token}")
BERTS = (*GIVEN, "--username", "CONTOSO\\bert")
ANNAS = (*GIVEN, "--username", "CONTOSO\\anna")
# what a probe asks besides, answered by the sandbox in the place of hosts that have nothing to do with it
CONTROLS = ("--connect-to", "www.google.com:443={auto443}", "--connect-to", "www.wikipedia.org:443={auto443}")
CLOCKS = tuple(word for host in ("www.google.com", "www.wikipedia.org", "www.debian.org", "detectportal.firefox.com")
               for word in ("--connect-to", host + ":80={clock}"))
IN_BETWEEN = ("--connect-to", "www.wikipedia.org:443={mail443}")
QUICK = ("--timeout", "4")
# the names of a world that is larger than the sandbox's own
HERE = ["127.0.0.1"]
WORLD = {(host, "A"): HERE for host in (HOST, "www.google.com", "www.wikipedia.org", "www.debian.org", "detectportal.firefox.com")} | {(DOMAIN, "MX"): ["10 " + HOST]}
FAILING = WORLD | {(HOST, "fails"): "SERVFAIL"}


class Place:
    def __init__(self, build, folder):
        self.binary, self.folder = os.path.join(build, "mailmoor"), folder
        self.token = os.path.join(folder, "token")
        self.addresses = peers.Peers()      # of our own, where no passing connection takes a port
        self.clock = peers.Web(self.addresses.address(), {})      # a server of somebody's, that knows what time it is
        with open(self.token, "w", encoding="utf-8") as f:
            json.dump({"access_token": PASSWORD, "token_type": "Bearer", "expires_in": 3600}, f)

    def sandbox(self, *options):
        return Sandbox(self.binary, tempfile.mkdtemp(dir=self.folder), *options)

    def diagnose(self, s, options, address=ANNA, password=PASSWORD, led=True, names=None):
        """`led`: every name of the organisation's is led to the sandbox; otherwise its name server alone tells where they are, or `names`."""
        at = lambda host, port: "%s:%d" % s.places[host, port]
        known = {"token": self.token, "mail443": at(HOST, 443), "auto443": at(AUTO, 443), "mail80": at(HOST, 80), "clock": "%s:%d" % (self.clock.address, self.clock.port)}
        ways = [word for text in s.told["connect_to"] if led for word in ("--connect-to", text)]
        words = ["--resolver", names or s.told["resolver"], "--ca-file", s.told["ca_file"], *ways, "--timeout", "20", *(word.format(**known) for word in options)]
        return peers.run(self.binary, address, words, None if "--token-file" in options else password, self.folder, secrets=(PASSWORD,), username=address)


def faults_of(faults):
    return [word for f in faults for word in ("--fault", f)]


def no_more_than_two(o, counted):
    hold(counted["refused"] <= 2, "passwords that were refused: %s" % counted)
    hold(o.report["password_tries"] == counted["refused"] or o.report["password_tries"] == 0, "told of %d tries, and there were %s" % (o.report["password_tries"], counted))


def short_evidence(o):
    """Of the steps that did not go well, or of the last ones."""
    steps = o.report["steps"]
    return "\n".join("    %s %s: %s" % (s["state"], s["id"], ", ".join("%s=%s" % (f["fact"], f["value"]) for f in s["facts"]))
                     for s in [s for s in steps if s["state"] == "failed"] or steps[-4:])


class Row:
    """What is ordered (`faults`, of `exchange`), what is asked (`options`), and what must be the answer."""

    def __init__(self, cause, certainty, who, *faults, options=GIVEN, exchange="2016", verdict="failed", tries=0, shown=None, proof=(), beside=(), accounts=(),
                 address=ANNA, password=PASSWORD, led=True, repaired=False, world=None):
        self.cause, self.certainty, self.who, self.faults, self.options, self.exchange = cause, certainty, who, faults, options, exchange
        self.verdict, self.tries, self.shown, self.proof, self.beside = verdict, tries, shown or {}, proof, beside
        self.accounts, self.address, self.password, self.led, self.repaired, self.world = accounts, address, password, led, repaired, world
        self.name = " ".join(filter(None, (cause, exchange if exchange != "2016" else "", *faults, *(options[2:] if options[:2] == GIVEN else options))))

    def run(self, place):
        s = place.sandbox("--exchange", self.exchange, *faults_of(self.faults), *(word for a in self.accounts for word in ("--account", a)))
        names = peers.Names(place.addresses.address()) if self.world else None
        try:
            if names:
                names.records |= self.world
            o = place.diagnose(s, self.options, self.address, self.password, self.led, names and "%s:%d" % (names.address, names.port))
        finally:
            counted = s.stop()
            if names:
                names.close()
        no_more_than_two(o, counted)
        hold(counted["refused"] == self.tries, "passwords that were refused: %d, not %d\n%s" % (counted["refused"], self.tries, s.said()))
        self.judge(o)

    def judge(self, o):
        hold(o.report["causes"], "no cause: %s\n%s" % (o.short(), short_evidence(o)))
        c = o.report["causes"][0]
        got = (o.report["verdict"], c["id"], c["certainty"], c["who"], c.get("repaired", False))
        hold(got == (self.verdict, self.cause, self.certainty, self.who, self.repaired), "%s\n%s" % (o.short(), short_evidence(o)))
        told = " ".join([c["title"], c["why"], *c["fix"]])
        for name, text in self.shown.items():
            hold(text in c["values"].get(name, ""), "%s is %r" % (name, c["values"].get(name)))
            hold(text in told, "%s is not told: %s" % (text, told))
        proof = ["%s %s=%s" % (p["step"], p["fact"], p["value"]) for p in c["proof"]]
        for text in self.proof:
            hold([p for p in proof if text in p], "%s is not in the proof: %s" % (text, proof))
        hold(proof, "no proof")
        doors = {port for s in o.report["steps"] for f in s["facts"] if f["fact"] == "net.tried" for port in re.findall(r"port (\d+)", f["value"])}
        hold(doors <= {"80", "443"}, "it knocked at ports %s" % doors)
        others = {other["id"]: other["certainty"] for other in o.report["causes"][1:]}
        for id in self.beside:
            hold(others.get(id) == "possible", "%s beside it: %s" % (id, others))
        if c["certainty"] == "proven":
            hold(not [id for id, sure in others.items() if sure == "proven"], "more than one is proven: %s" % others)


P, L = "proven", "likely"
OLD = {"version": "2007 SP1 (8.1.436.0)"}
WHICH = ("auth.username_form", "auth.account_locked", "auth.account_disabled", "auth.password_expired")

ROWS = [
    # where it is
    Row("exchange.not_found", P, "user", "autodiscover-off", options=FOUND, led=False, shown={"tried": "autodiscover." + DOMAIN},
        proof=("detect.looked_at=https://autodiscover.contoso.example/autodiscover/autodiscover.json",)),
    Row("exchange.url_malformed", P, "user", options=("--ews", "ftp://mail.contoso.example/EWS"), shown={"given_url": "ftp://mail.contoso.example/EWS"}, proof=("exchange.url_problem",)),
    Row("exchange.url_malformed", P, "user", options=("--ews", "https://"), proof=("exchange.url_problem",)),
    Row("exchange.url_is_webmail", P, "user", options=("--ews", "https://mail.contoso.example/owa"), verdict="connected", repaired=True,
        shown={"given_url": "https://mail.contoso.example/owa", "right_url": EWS}, proof=("page.is=owa",)),
    Row("exchange.url_not_ews", P, "user", options=("--ews", "https://mail.contoso.example/home"), verdict="connected", repaired=True,
        shown={"given_url": "https://mail.contoso.example/home", "right_url": EWS}),
    Row("exchange.url_not_ews", L, "user", "other-page", beside=("exchange.sign_in_page_in_front",), proof=("http.status=200",)),
    Row("exchange.url_not_ews", L, "user", "httpapi-400", beside=("exchange.not_published",), proof=("http.status=400",)),
    Row("exchange.url_not_ews", L, "user", "redirect-circle", beside=("exchange.sign_in_page_in_front",), proof=("http.status=302",)),
    Row("exchange.url_not_ews", L, "user", "redirect=https://else.example/x", proof=("http.status=302",)),
    Row("exchange.sign_in_page_in_front", P, "admin", "tmg-redirect", proof=("page.is=gateway", "exchange.url_is_ews=yes")),
    Row("exchange.sign_in_page_in_front", P, "admin", "tmg-page", proof=("page.is=gateway", "exchange.url_is_ews=yes")),
    Row("exchange.sign_in_page_in_front", P, "admin", "adfs-redirect", proof=("page.is=adfs", "exchange.url_is_ews=yes")),
    Row("exchange.sign_in_page_in_front", L, "admin", "owa-redirect", beside=("exchange.url_is_webmail", "exchange.not_published"), proof=("page.is=owa",)),
    Row("exchange.sign_in_page_in_front", L, "admin", "owa-page", beside=("exchange.url_is_webmail", "exchange.not_published"), proof=("page.is=owa",)),
    Row("exchange.sign_in_page_in_front", L, "admin", "forms-redirect", beside=("exchange.url_is_webmail",), proof=("page.is=forms",)),
    Row("exchange.sign_in_page_in_front", L, "admin", "uag-redirect", proof=("page.",)),
    Row("exchange.sign_in_page_in_front", L, "admin", "uag-error", beside=("exchange.server_fault",), proof=("page.",)),
    Row("exchange.sign_in_page_in_front", L, "admin", "login-timeout", beside=("exchange.url_is_webmail",), proof=("page.is=forms",)),
    Row("exchange.not_published", P, "admin", "not-found", proof=("http.status=404", "probe.webmail probe.result=owa")),
    Row("exchange.not_published", P, "admin", "httpapi-404", proof=("http.status=404", "probe.webmail probe.result=owa")),
    Row("exchange.not_published", L, "admin", "forbidden", beside=("auth.ip_not_allowed",), proof=("http.status=403",)),
    Row("exchange.not_published", L, "admin", "forbidden-ssl", beside=("auth.ip_not_allowed",), proof=("http.status=403",)),

    # versions
    Row("exchange.version_too_old", P, "admin", exchange="2007sp1", shown=OLD, proof=("exchange.era=too_old", "exchange.product=Exchange Server", "8.1.436.0")),
    Row("exchange.version_too_old", P, "admin", "old-schema", exchange="2007sp1", shown=OLD, proof=("exchange.era=too_old", "exchange.product=Exchange Server", "8.1.436.0")),
    Row("exchange.version_too_old", P, "admin", exchange="2010", shown={"version": "2010 (14.0.722.0)"}, proof=("exchange.product=Exchange Server", "14.0.722.0",)),
    Row("exchange.version_too_old", P, "admin", exchange="2010sp1", shown={"version": "2010 SP1 (14.1.438.0)"}, proof=("exchange.product=Exchange Server", "14.1.438.0",)),
    Row("exchange.mailbox_version_too_old", P, "admin", "mailbox-version=2007sp1", shown={"version": "2007 SP1"}, proof=("exchange.era=too_old", "exchange.product=Exchange Server", "8.1.436.0")),
    Row("exchange.mailbox_version_too_old", P, "admin", "mailbox-version=2010sp1", shown={"version": "2010 SP1"}, proof=("exchange.era=too_old", "exchange.product=Exchange Server", "14.1.438.0")),
    Row("exchange.mailbox_version_too_old", L, "admin", "GetFolder:ErrorInvalidSchemaVersionForMailboxVersion", beside=("exchange.wrong_entry_server",)),

    # Microsoft's cloud
    Row("exchange.use_microsoft", P, "user", exchange="online", shown={"address": ANNA}, proof=("exchange.online=yes",)),
    Row("exchange.use_microsoft", P, "user", options=("--ews", "https://outlook.office365.com/EWS/Exchange.asmx"), proof=("exchange.online=yes",)),
    Row("exchange.use_microsoft", P, "user", "autodiscover-no-v2", "autodiscover-address=anna@contoso.mail.onmicrosoft.com", options=FOUND, proof=("exchange.online=yes",)),
    Row("exchange.use_microsoft", P, "user", "autodiscover-no-v2", "autodiscover-url=https://autodiscover-s.outlook.com/autodiscover/autodiscover.xml", options=FOUND,
        proof=("exchange.online=yes",)),
    Row("exchange.use_microsoft", L, "user", "GetFolder:ErrorNonExistentMailbox", "autodiscover-ews=https://outlook.office365.com/EWS/Exchange.asmx", options=GIVEN,
        proof=("ErrorNonExistentMailbox", "online")),
    Row("exchange.not_found", L, "user", "autodiscover-no-v2", "autodiscover-address=anna@fabrikam.example", options=FOUND, proof=("nowhere",), beside=("exchange.server_fault",)),
    Row("exchange.use_microsoft", L, "user", "GetFolder:ErrorNonExistentMailbox=No mailbox with such guid.", proof=("ErrorNonExistentMailbox", "such guid")),
    Row("exchange.online_ews_retired", L, "admin", "forbidden-after", options=TOKEN, exchange="online", beside=("exchange.ews_off",), proof=("http.status=403",)),

    # who may
    Row("exchange.ews_off", L, "admin", "forbidden-after", beside=("auth.ip_not_allowed",), proof=("http.status=403", "auth.credentials=after")),
    Row("exchange.ews_off", L, "admin", "GetFolder:ErrorAccessDenied", beside=("mailbox.not_permitted",), proof=("ErrorAccessDenied",)),
    Row("exchange.ews_off", P, "admin", "no-agents=mailmoor", proof=("http.status=403", "probe.agent probe.result=let in")),
    Row("exchange.ews_off", P, "admin", "agents=Outlook", proof=("probe.agent probe.result=let in",)),
    Row("exchange.impersonation_denied", P, "admin", options=(*BERTS, "--impersonate"), shown={"username": "CONTOSO\\bert", "address": ANNA}, proof=("ErrorImpersonateUserDenied",)),
    Row("exchange.impersonation_denied", L, "admin", "*:ErrorImpersonationFailed", options=(*GIVEN, "--username", "CONTOSO\\service", "--impersonate"), shown={"username": "CONTOSO\\service"},
        beside=("mailbox.not_found",)),
    Row("exchange.wrong_entry_server", P, "admin", "soap-fault=ErrorNoRespondingCASInDestinationSite", shown={"host": HOST}, proof=("ErrorNoRespondingCAS",)),
    Row("exchange.wrong_entry_server", P, "admin", "GetFolder:ErrorWrongServerVersion", shown={"address": ANNA}, proof=("ErrorWrongServerVersion",)),
    Row("exchange.server_fault", P, "admin", "html-500", proof=("http.status=500",)),
    Row("exchange.server_fault", P, "admin", "html-500-after", proof=("http.status=500",)),
    Row("exchange.server_fault", P, "admin", "cas-error=ServerNotFound", proof=("ServerNotFound",)),
    Row("exchange.server_fault", P, "admin", "soap-fault=ErrorInternalServerError", shown={"reply": "An internal server error occurred."}, proof=("ErrorInternalServerError",)),
    Row("exchange.server_fault", P, "admin", "huge-fault=20", proof=("http.status=500",)),
    Row("exchange.server_fault", L, "admin", "autodiscover-no-v2", "autodiscover-error=603", options=FOUND, beside=("exchange.not_found",)),

    # certificates
    Row("tls.name_mismatch", P, "admin", "certificate-wrong-name", shown={"host": HOST, "names": "legacy." + DOMAIN}),
    Row("tls.name_mismatch", P, "admin", "certificate-common-name", shown={"host": HOST}, proof=("tls.",)),
    Row("tls.expired", P, "admin", "certificate-expired", options=(*GIVEN, *CLOCKS), world=WORLD, proof=("tls.flaw=expired", "probe.clock probe.result=right")),
    Row("tls.expired", L, "admin", "certificate-expired", beside=("operator.clock_wrong",), proof=("tls.flaw=expired",)),
    Row("tls.not_yet_valid", P, "admin", "certificate-not-yet", options=(*GIVEN, *CLOCKS), world=WORLD, proof=("tls.flaw=not_yet",)),
    Row("tls.self_signed", P, "admin", "certificate-self-signed", proof=("tls.flaw=self_signed",)),
    Row("tls.unknown_issuer", L, "admin", "certificate-other-authority", shown={"issuer": "Somebody's own authority"}, beside=("net.intercepted",)),
    Row("tls.unknown_issuer", P, "admin", "certificate-other-authority", options=(*GIVEN, "--connect-to", "www.wikipedia.org:443={auto443}"), world=WORLD,
        proof=("probe.intercept probe.result=another issuer",)),
    Row("tls.incomplete_chain", P, "admin", "certificate-no-issuer", shown={"missing": "Mailmoor sandbox intermediate"}, proof=("completes the chain",)),
    Row("tls.weak_certificate", P, "admin", "certificate-weak", proof=("tls.flaw=weak",)),
    Row("tls.pin_mismatch", P, "admin", options=(*GIVEN, "--pin", UNTRUE), proof=("tls.",)),
    Row("tls.too_old", P, "admin", "old-tls", proof=("tls.shook=no", "tls.reason=unsupported protocol")),
    Row("tls.handshake_failed", P, "admin", "forbidden-client-certificate", proof=("403.7",)),

    # the way there
    Row("dns.no_such_host", P, "user", "no-host", led=False, shown={"host": HOST}, proof=("dns.outcome=nxdomain", "endpoint.source=user")),
    Row("dns.no_such_host", P, "admin", "autodiscover-ews=https://gone.contoso.example/EWS/Exchange.asmx", options=FOUND, shown={"host": "gone." + DOMAIN},
        proof=("dns.outcome=nxdomain",)),
    Row("dns.no_such_domain", P, "user", options=FOUND, address="ann@nowhere.example", shown={"domain": "nowhere.example"}, proof=("dns.mx dns.outcome=nxdomain",)),
    Row("dns.failure", P, "admin", led=False, world=FAILING, proof=("dns.outcome=servfail", "probe.dns dns.outcome=found")),
    Row("dns.failure", L, "operator", "dns-failure", led=False, proof=("dns.outcome=servfail",)),
    Row("dns.failure", L, "operator", "dns-silent", options=(*GIVEN, *QUICK), led=False, proof=("dns.outcome=timeout",)),
    Row("net.refused", P, "user", "refused", shown={"host": HOST, "port": "443"}, proof=("net.outcome=refused",)),
    Row("net.timeout", L, "admin", "vanish", options=(*GIVEN, *QUICK), beside=("operator.egress_blocked",), proof=("net.outcome=timeout",)),
    Row("net.timeout", P, "admin", "vanish", options=(*GIVEN, *QUICK, *CONTROLS), world=WORLD, proof=("net.outcome=timeout", "probe.control probe.result=reached")),
    Row("net.silent", P, "admin", "silent", options=(*GIVEN, *QUICK), proof=("net.outcome=timeout",)),
    Row("net.silent", P, "admin", "no-answer", options=(*GIVEN, *QUICK), proof=("net.outcome=timeout",)),
    Row("net.reset", P, "admin", "reset", proof=("net.outcome=reset",)),
    Row("net.reset", L, "admin", "drop", beside=("server.unavailable", "auth.ip_not_allowed"), proof=("net.outcome=closed",)),
    Row("net.intercepted", P, "operator", "certificate-other-authority", options=(*GIVEN, *IN_BETWEEN), world=WORLD, shown={"issuer": "Somebody's own authority"},
        proof=("probe.intercept probe.result=same issuer",)),

    # the server
    Row("server.wrong_protocol", P, "user", options=("--ews", "https://mail.contoso.example:80/EWS/Exchange.asmx", "--connect-to", "mail.contoso.example:80={mail80}"),
        shown={"port": "80"}, proof=("protocol.is=http",)),
    Row("server.unavailable", L, "nobody", "unavailable=7", proof=("http.status=503",)),
    Row("server.unavailable", L, "nobody", "unavailable-after=5", beside=("throttle.provider",), proof=("http.status=503",)),
    Row("server.unavailable", L, "nobody", "bad-gateway", proof=("http.status=502",)),
    Row("server.unavailable", L, "nobody", "gateway-timeout", proof=("http.status=504",)),
    Row("server.unavailable", L, "nobody", "generic-error", beside=("exchange.server_fault",)),
    Row("server.unavailable", P, "nobody", "GetFolder:ErrorMailboxStoreUnavailable", proof=("ErrorMailboxStoreUnavailable",)),
    Row("server.unavailable", P, "nobody", "soap-fault=ErrorInternalServerTransientError", proof=("ErrorInternalServerTransientError",)),
    Row("server.unavailable", L, "nobody", "cut=100", proof=("net.outcome=closed",)),
    Row("server.answer_unreadable", P, "provider", "malformed", proof=("reply.broken",)),
    Row("server.answer_unreadable", P, "provider", "entity-bomb", proof=("reply.broken",)),
    Row("server.answer_unreadable", P, "provider", "charset=utf-16", proof=("reply.broken",)),
    Row("server.answer_unreadable", P, "provider", "endless", proof=("reply.broken",)),
    Row("server.answer_unreadable", P, "provider", "gzip", proof=("reply.broken",)),
    Row("throttle.provider", P, "nobody", "back-off=90000", shown={"until": " UTC"}, proof=("ErrorServerBusy",)),
    Row("throttle.provider", P, "nobody", "soap-fault=ErrorExceededConnectionCount", proof=("ErrorExceededConnectionCount",)),
    Row("unknown.answer", P, "operator", "wrong-namespace"),
    Row("unknown.answer", P, "operator", "GetFolder:ErrorThatIsNew", proof=("ErrorThatIsNew",)),
    Row("unknown.answer", P, "operator", "close-in-login", proof=("auth.credentials=before",)),

    # the sign-in
    Row("auth.password_rejected", L, "user", "wrong-password", tries=1, shown={"username": ANNA}, proof=("http.status=401", "auth.credentials=after"),
        beside=(*WHICH, "auth.app_password_required")),
    Row("auth.password_rejected", L, "user", password=WRONG, exchange="se", tries=1, beside=(*WHICH, "auth.channel_binding_required")),
    Row("auth.password_rejected", L, "user", "schemes=basic", password=WRONG, tries=1, beside=WHICH),
    Row("auth.password_rejected", L, "user", "names=down", tries=1, beside=WHICH),
    Row("auth.password_rejected", L, "user", accounts=(ABROAD + ":" + PASSWORD,), address=ABROAD, password=WRONG, tries=2, beside=WHICH),
    Row("auth.username_form", P, "user", "names=down", accounts=(ABROAD + ":" + PASSWORD,), address=ABROAD, tries=1, verdict="connected", repaired=True,
        shown={"username": ABROAD, "right_username": "CONTOSO\\ann"}, proof=("CONTOSO\\ann",)),
    Row("auth.account_locked", L, "user", "locked=https://contoso.example/unlock", beside=("auth.password_rejected",), proof=("http.status=456",)),
    Row("auth.account_disabled", P, "admin", "soap-fault=ErrorAccountDisabled", proof=("ErrorAccountDisabled",)),
    Row("auth.password_expired", P, "user", "soap-fault=ErrorPasswordExpired", proof=("ErrorPasswordExpired",)),
    Row("auth.password_expired", P, "user", "soap-fault=ErrorPasswordChangeRequired", proof=("ErrorPasswordChangeRequired",)),
    Row("auth.login_disabled", L, "admin", "soap-fault=ErrorOrganizationAccessBlocked", beside=("exchange.ews_off",)),
    Row("auth.not_authorized", L, "admin", "soap-fault=ErrorCallerIsInvalidADAccount", beside=("mailbox.no_smtp_address",)),
    Row("auth.no_common_scheme", P, "operator", "schemes=bearer", shown={"offered": "Bearer"}, proof=("auth.no_common=yes",)),
    Row("auth.no_common_scheme", P, "operator", options=TOKEN, shown={"offered": "NTLM"}, proof=("auth.no_common=yes",)),
    Row("auth.ip_not_allowed", P, "admin", "forbidden-ip", proof=("403.6",)),
    Row("microsoft.sign_in_again", L, "user", "wrong-password", options=TOKEN, exchange="online", tries=1, proof=("http.status=401",)),

    # the mailbox
    Row("mailbox.not_found", P, "user", options=ANNAS, address="nobody@" + DOMAIN, shown={"address": "nobody@" + DOMAIN}, proof=("ErrorNonExistentMailbox",)),
    Row("mailbox.not_found", L, "user", "autodiscover-no-v2", "autodiscover-error=500", options=FOUND, beside=("exchange.not_found",)),
    Row("mailbox.no_smtp_address", L, "admin", "no-mailbox", beside=("mailbox.not_found",), proof=("ErrorMissingEmailAddress",)),
    Row("mailbox.no_smtp_address", L, "admin", address=SERVICE, proof=("ErrorMissingEmailAddress",)),
    Row("mailbox.no_smtp_address", L, "admin", "GetFolder:ErrorMailboxConfiguration", proof=("ErrorMailboxConfiguration",)),
    Row("mailbox.full", P, "user", "quota", options=SENDING, verdict="partial", proof=("ErrorQuotaExceeded",)),
    Row("mailbox.moving", P, "nobody", "GetFolder:ErrorMailboxMoveInProgress", proof=("ErrorMailboxMoveInProgress",)),
    Row("mailbox.not_permitted", L, "admin", options=BERTS, address=INFO, beside=("mailbox.not_found",), proof=("ErrorFolderNotFound",)),
    Row("mailbox.not_permitted", P, "admin", "GetFolder:ErrorAccessDenied", options=ANNAS, address=INFO, proof=("ErrorAccessDenied",)),
    Row("mailbox.no_licence", P, "admin", "GetFolder:ErrorInvalidLicense", proof=("ErrorInvalidLicense",)),
    Row("mailbox.alias_not_primary", P, "user", options=ANNAS, address="anna.alias@" + DOMAIN, shown={"other_account": ANNA}, proof=("ErrorNonPrimarySmtpAddress",)),
    Row("calendar.none", L, "user", "no-calendar", verdict="partial", beside=("calendar.not_permitted",)),
    Row("calendar.not_permitted", P, "admin", "calendar-denied", verdict="partial", proof=("exchange.calendar ews.response_code=ErrorAccessDenied",)),

    # the test message
    Row("send.as_denied", P, "admin", "send-as-denied", options=SENDING, verdict="partial", shown={"sender": ANNA}, proof=("ErrorSendAsDenied",)),
    Row("send.as_denied", P, "admin", "ndr", options=SENDING, verdict="partial", shown={"sender": ANNA}, proof=("5.7.60",)),
    Row("send.as_denied", L, "admin", "CreateItem:ErrorAccessDenied", options=SENDING, verdict="partial", beside=("mailbox.not_permitted",)),
    Row("send.recipient_rejected", P, "operator", "CreateItem:ErrorInvalidRecipients", options=SENDING, verdict="partial", proof=("ErrorInvalidRecipients",)),
    Row("send.quota_exceeded", P, "nobody", "submission-quota", options=SENDING, verdict="partial", proof=("ErrorSubmissionQuotaExceeded",)),
    Row("send.quota_exceeded", P, "nobody", "CreateItem:ErrorExceededMessageLimit", options=SENDING, verdict="partial"),
    Row("send.blocked", P, "provider", "CreateItem:ErrorAccountSuspend", options=SENDING, verdict="partial"),
    Row("send.blocked", P, "provider", "CreateItem:ErrorMessageSubmissionBlocked", options=SENDING, verdict="partial"),
    Row("send.too_large", P, "user", "CreateItem:ErrorMessageSizeExceeded", options=SENDING, verdict="partial"),
    Row("send.delayed", L, "nobody", "no-delivery", options=(*SENDING, *QUICK), verdict="partial", beside=("send.not_received",)),
]

FAMILIES = ("exchange", "tls", "net", "dns", "server", "throttle", "auth", "mailbox", "calendar", "send")
NOT_BY_EWS = {
    "dns.no_mail_service": "asked where mail is to be taken by IMAP; who names Exchange has it",
    "dns.service_not_offered": "said of _imap and _submission",
    "net.address_not_allowed": "who is at the command line may go anywhere; the daemon's guard: flows/security.py",
    "net.unreachable": "a network of our own without a route: flows/faults.py",
    "tls.revoked": "stapled by no IIS of the sandbox's; read by the one TLS that all protocols have: flows/faults.py",
    "tls.plaintext_port": "who speaks first in plain text is another protocol: IMAP's and SMTP's",
    "tls.implicit_port": "STARTTLS",
    "tls.starttls_missing": "STARTTLS",
    "tls.required": "a login over plain text, which EWS is never asked for",
    "auth.oauth_required": "an offer of Bearer alone is auth.no_common_scheme: no password was judged",
    "auth.web_login_required": "a word of IMAP servers",
    "auth.too_many_attempts": "a 401 does not say so",
    "auth.backend_down": "a word of IMAP and SMTP servers; Exchange says 503 or a code",
    "calendar.time_zone_unknown": "of events, which a diagnosis does not read",
    "send.sender_rejected": "SMTP's word; EWS says ErrorSendAsDenied",
    "send.relay_denied": "SMTP's word",
    "send.not_received": "after a minute of waiting: tests/verify/exchange_mail.c, where the clock is a parameter",
    "send.from_rewritten": "the sandbox keeps the sender: tests/verify/exchange_mail.c",
}


class Complete:
    name = "every cause that Exchange can give has a row"

    def run(self, place):
        ids = [c["id"] for c in json.loads(subprocess.check_output([place.binary, "causes", "--json"], text=True))]
        first, named = {r.cause for r in ROWS}, {id for r in ROWS for id in (r.cause, *r.beside)}
        hold(first <= set(ids), "no causes: %s" % (first - set(ids)))
        missing = [id for id in ids if id.startswith("exchange.") and id not in first]
        hold(not missing, "without a row: %s" % missing)
        missing = [id for id in ids if id.split(".")[0] in FAMILIES and id not in named and id not in NOT_BY_EWS]
        hold(not missing, "without a row, and without a reason: %s" % missing)
        idle = [id for id in NOT_BY_EWS if id not in ids or id in first]
        hold(not idle, "a reason that nobody needs: %s" % idle)


# -- connected -----------------------------------------------------------------------------------------------------------------------------------------

PRODUCTS = {"2010sp2": "Exchange Server 2010 SP2", "2010sp3": "Exchange Server 2010 SP3", "2013": "Exchange Server 2013", "2016": "Exchange Server 2016",
            "2019": "Exchange Server 2019", "se": "Exchange Server Subscription Edition"}
SEEN = ["exchange.inbox", "exchange.mailbox", "exchange.folders", "exchange.calendar", "exchange.send"]


class Connected:
    """A version that can be connected: all of it is looked at, and the test message really goes and comes."""

    def __init__(self, exchange, *faults, options=SENDING, scheme="NTLM", address=ANNA):
        self.exchange, self.faults, self.options, self.scheme, self.address = exchange, faults, options, scheme, address
        self.name = " ".join(("connected:", exchange, *faults, *options[2:]))

    def run(self, place):
        s = place.sandbox("--exchange", self.exchange, *faults_of(self.faults))
        try:
            o = place.diagnose(s, self.options, self.address)
            asked = [line.get("operation") for line in s.log()]
        finally:
            counted = s.stop()
        no_more_than_two(o, counted)
        hold(o.report["verdict"] == "connected" and not o.report["causes"] and counted["refused"] == 0, "%s %s\n%s" % (o.short(), counted, short_evidence(o)))
        hold([o.state(id) for id in SEEN] == ["passed"] * len(SEEN), short_evidence(o))
        hold(set(o.facts("exchange.login", "auth.mechanism")) == {self.scheme}, short_evidence(o))
        if self.exchange in PRODUCTS:
            hold(o.facts("exchange.version", "exchange.product")[0].startswith(PRODUCTS[self.exchange]), short_evidence(o))
        # it came, there is a copy of it, and nothing of it is left
        hold((o.facts("send.arrive", "send.found"), o.facts("send.arrive", "send.folder"), o.facts("send.copy", "send.copy"), o.state("send.remove"))
             == (["yes"], ["inbox"], ["yes"], "passed"), short_evidence(o))
        hold(asked.count("CreateItem") == 1 and asked.count("DeleteItem") == 1, "asked: %s" % asked)


class Delivered:
    """To a BCC address elsewhere the message is sent once, as from the mailbox, and it leaves the organisation with its token."""

    def __init__(self, exchange):
        self.exchange = exchange
        self.name = "delivered: %s, to an address elsewhere" % exchange

    def run(self, place):
        heard = []
        with socket.create_server(("127.0.0.1", 0)) as listener:
            taker = threading.Thread(target=lmtp, args=(listener, heard), daemon=True)
            taker.start()
            s = place.sandbox("--exchange", self.exchange, "--deliver", "127.0.0.1:%d" % listener.getsockname()[1])
            try:
                o = place.diagnose(s, (*GIVEN, "--send-test=bcc@fabrikam.example"))
                taker.join(5)
            finally:
                s.stop()
        said = b"".join(heard).decode()
        hold(o.report["verdict"] == "connected" and o.step("send.arrive")["why"] == "not_checked_here", "%s\n%s" % (o.short(), short_evidence(o)))
        hold("MAIL FROM:<%s>" % ANNA in said and said.count("RCPT TO:<bcc@fabrikam.example>") == 1, "left: %s" % said)
        hold(re.search(r"^Subject: Mailmoor test [a-z0-9]{16}\r$", said, re.M) and "From: <%s>" % ANNA in said.replace("From: " + ANNA, "From: <%s>" % ANNA), "left: %s" % said)


class Unfinished:
    name = "without a password it ends before the sign-in, and says what is needed"

    def run(self, place):
        s = place.sandbox()
        try:
            o = place.diagnose(s, GIVEN, password=None)
        finally:
            counted = s.stop()
        hold(o.report["verdict"] == "unfinished" and [n["kind"] for n in o.report["needs"]] == ["password"], o.short())
        hold(counted == {"requests": 1, "accepted": 0, "refused": 0} and "Negotiate NTLM Basic" in o.facts("exchange.offer", "auth.offered"), "%s\n%s" % (counted, short_evidence(o)))


# -- recorded ------------------------------------------------------------------------------------------------------------------------------------------

class Recorded:
    name = "a case that failed is recorded, and judged again when the server is gone"

    def run(self, place):
        s = place.sandbox(*faults_of(["back-off=90000"]))
        try:
            o = place.diagnose(s, GIVEN)
        finally:
            s.stop()
        again = peers.execute([place.binary, "replay", "--json", o.record])
        report = json.loads(again.out)
        for part in ("verdict", "causes", "ruled_out", "steps", "password_tries"):
            hold(report[part] == o.report[part], "%s: %s, and before %s" % (part, report[part], o.report[part]))
        hold(again.status == o.status and report["causes"][0]["id"] == "throttle.provider", again.short() if again.report else again.out)
        with open(o.record, encoding="utf-8") as f:
            talk = [text for _, _, _, text in json.load(f)["talk"]]
        hold([t for t in talk if "POST /EWS/Exchange.asmx HTTP/1.1" in t and "with credentials" in t] and not [t for t in talk if "Authorization:" in t], "the talk: %s" % talk)
        fault = [t for t in talk if "<s:Fault>" in t or ":Fault>" in t]
        hold(len(fault) == 1 and "BackOffMilliseconds" in fault[0], "the talk: %s" % talk)
        # and what stands there can be pasted
        told = json.loads(peers.execute([place.binary, "explain", "--json", "-"], fault[0].encode()).out)
        hold(told["causes"][0]["id"] == "throttle.provider" and told["causes"][0]["values"]["wait"] == "90 s", "explained: %s" % told["causes"])


class Passing:
    """A fault that is over within a moment fails nothing, and costs no password that is refused."""

    def __init__(self, *faults):
        self.faults = faults
        self.name = "passing: " + " ".join(faults)

    def run(self, place):
        s = place.sandbox(*faults_of(self.faults))
        try:
            o = place.diagnose(s, GIVEN)
        finally:
            counted = s.stop()
        hold(o.report["verdict"] == "connected" and not o.report["causes"], "%s\n%s" % (o.short(), short_evidence(o)))
        hold(counted["refused"] == 0 and counted["accepted"] <= 2, "%s" % counted)
        hold([x["state"] for x in o.report["steps"] if x["id"].startswith("exchange.")].count("failed") == 1, short_evidence(o))


CASES = [
    *(Passing(fault) for fault in ("unavailable=1#1", "unavailable-after=1#1", "back-off=700#1", "drop#1")),
    Complete(), Unfinished(), Recorded(),
    *(Connected(exchange) for exchange in PRODUCTS),
    *(Delivered(exchange) for exchange in PRODUCTS),
    Connected("online", options=(*TOKEN, "--send-test"), scheme="Bearer"),
    Connected("2016", "bearer", options=(*TOKEN, "--send-test"), scheme="Bearer"),
    Connected("2016", "schemes=basic", scheme="Basic"),
    Connected("se", "channel-binding=require"),
    Connected("2010sp2", "page-on-challenge"),
    Connected("2016", "slow=100", "cookies"),
    Connected("2016", options=(*FOUND, "--send-test")),
    Connected("2016", "autodiscover-no-v2", options=(*FOUND, "--send-test")),
    Connected("2016", "autodiscover-srv", options=(*FOUND, "--send-test")),
    Connected("2016", options=("--ews", HOST, "--send-test")),
    Connected("2016", options=(*SENDING, "--username", "CONTOSO\\service", "--impersonate")),
    Connected("2016", options=(*SENDING, "--username", "CONTOSO\\anna"), address=INFO),
    *ROWS,
]


def main():
    o = arguments()
    folder = tempfile.mkdtemp(prefix="mailmoor-rows-")
    try:
        place = Place(os.path.abspath(o.build), folder)
        try:
            return peers.run_all([c for c in CASES if re.search(o.only, c.name)], lambda case: case.run(place), WORKERS)
        finally:
            place.clock.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
