#!/usr/bin/env python3
"""`mailmoor diagnose` against the sandbox's plain mailboxes: one sandbox has all of them, each with an order of its own for its domain or for
the mailbox alone, and each cause comes out with its id, how sure, and who must act; no password in anything that is printed or kept.

    diagnose_imap.py BUILD [--only REGEX]
"""
import concurrent.futures
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import sandboxed
from peers import hold
from rows import Rows, arguments

row = Rows()
HERE = os.path.dirname(os.path.abspath(__file__))
SECRET = "heron-kettle-4711"
DOMAIN = "birch.example"
SEND = ("--send-test",)

# What is ordered for a mailbox, or for the domain that it has to itself, and what is found; the words are those of mailmoor sandbox --faults.
OF_DOMAINS = (
    ("no-domain", "dns.no_such_domain proven user"),
    ("no-host", "dns.no_such_host proven admin"),
    ("null-mx", "dns.no_mail_service proven user"),
    ("no-mx", "dns.no_mail_service proven user"),
    ("imap-not-offered", "dns.service_not_offered proven admin"),
    ("domain-failure", "dns.failure proven admin"),
    ("domain-silent", "dns.failure proven admin"),
    ("dns-failure", "dns.failure proven admin"),
    ("dns-silent", "dns.failure proven admin"),
    ("refused", "net.refused proven admin"),
    ("vanish", "net.timeout proven admin"),
    ("silent", "net.silent proven admin"),
    ("reset", "net.reset proven admin"),
    ("certificate-inspected", "net.intercepted likely operator"),
    ("certificate-wrong-name", "tls.name_mismatch proven admin"),
    ("certificate-expired", "tls.expired proven admin"),
    ("certificate-not-yet", "tls.not_yet_valid proven admin"),
    ("certificate-self-signed", "tls.self_signed proven admin"),
    ("certificate-other-authority", "tls.unknown_issuer proven admin"),
    ("certificate-no-issuer", "tls.incomplete_chain proven admin"),
    ("certificate-revoked", "tls.revoked proven admin"),
    ("certificate-weak", "tls.weak_certificate proven admin"),
    ("old-tls", "tls.too_old proven admin"),
    ("plain-ports", "tls.plaintext_port proven user"),
    ("tls-ports", "tls.implicit_port proven user"),
    ("no-starttls", "tls.starttls_missing proven admin"),
    ("starttls-stripped", "net.intercepted likely operator"),
    ("client-certificate-wanted", "tls.handshake_failed proven admin"),
    ("speaks=pop3", "server.wrong_protocol proven user"),
    ("speaks=http", "server.wrong_protocol proven user"),
    ("speaks=ssh", "server.wrong_protocol proven user"),
    ("speaks=noise", "server.answer_unreadable proven provider"),
    ("imap-bye", "server.unavailable likely nobody"),
    ("imap-banned", "auth.ip_not_allowed likely admin"),
    ("imap-schemes=XOAUTH2", "auth.oauth_required proven user"),
    ("imap-schemes=GSSAPI", "auth.no_common_scheme proven operator"),
    ("smtp-busy", "server.unavailable likely nobody"),
    ("smtp-banned", "auth.ip_not_allowed likely admin"),
    ("smtp-no-auth", "smtp.auth_not_offered proven user"),
)
OF_MAILBOXES = (
    ("imap-refused", "auth.password_rejected likely user"),
    ("wrong-password", "auth.password_rejected likely user"),
    ("names=bare", "auth.username_form proven user"),
    ("imap-app-password", "auth.app_password_required proven user"),
    ("imap-web-login", "auth.web_login_required proven user"),
    ("imap-unsafe-login", "auth.web_login_required proven user"),
    ("imap-no-basic-auth", "auth.oauth_required proven user"),
    ("imap-too-many-attempts", "auth.too_many_attempts proven nobody"),
    ("imap-account-locked", "auth.account_locked likely user"),
    ("imap-account-disabled", "auth.account_disabled likely user"),
    ("imap-password-expired", "auth.password_expired proven user"),
    ("imap-login-disabled", "auth.login_disabled proven admin"),
    ("imap-not-authorized", "auth.not_authorized proven admin"),
    ("imap-ip-not-allowed", "auth.ip_not_allowed likely admin"),
    ("imap-backend-down", "auth.backend_down proven provider"),
    ("imap-off", "imap.access_off proven user"),
    ("imap-off-zoho", "imap.access_off likely user"),
    ("imap-off-by-admin", "imap.access_off_by_admin proven admin"),
    ("imap-not-connected", "imap.connected_elsewhere_only proven admin"),
    ("imap-too-many-connections", "imap.too_many_connections proven user"),
    ("imap-traffic", "imap.traffic_exceeded proven nobody"),
    ("imap-throttled", "throttle.provider proven nobody"),
    ("imap-tls-required", "tls.required proven user"),
    ("imap-server-bug", "server.unavailable proven provider"),
    ("imap-no-smtp-address", "mailbox.no_smtp_address proven admin"),
    ("imap-no-inbox", "mailbox.not_found proven user"),
    ("imap-no-permission", "mailbox.not_permitted proven admin"),
    ("imap-over-quota", "mailbox.full proven user"),
    ("imap-login=NO [SERVERBUG] of our own", "server.unavailable proven provider"),
    ("smtp-auth-off", "smtp.auth_off proven admin"),
    ("smtp-no-basic-auth", "auth.oauth_required proven user"),
    ("smtp-policy", "microsoft.conditional_access likely admin"),
    ("smtp-app-password", "auth.app_password_required proven user"),
    ("smtp-refused", "auth.password_rejected likely user"),
)
OF_SENDING = (
    ("smtp-send-as", "send.as_denied proven admin"),
    ("smtp-not-owned", "send.as_denied likely admin"),
    ("ndr", "send.as_denied proven admin"),
    ("smtp-sender", "send.sender_rejected likely user"),
    ("smtp-relay", "send.relay_denied proven user"),
    ("smtp-recipient", "send.recipient_rejected proven operator"),
    ("smtp-daily-limit", "send.quota_exceeded proven nobody"),
    ("smtp-blocked", "send.blocked proven provider"),
    ("smtp-spam", "send.blocked likely provider"),
    ("smtp-size", "send.too_large proven user"),
    ("smtp-greylisted", "send.delayed proven nobody"),
    ("smtp-mailbox-full", "mailbox.full proven user"),
    ("smtp-thread-limit", "throttle.provider proven nobody"),
    ("no-delivery", "send.delayed likely nobody"),
)
# A wrong password at large hosts: each refuses it in its own words.
AT_HOSTERS = (
    ("gmail.com", "auth.password_rejected likely user"), ("outlook.com", "auth.oauth_required likely user"),
    ("yahoo.com", "auth.app_password_required likely user"), ("aol.com", "auth.app_password_required likely user"),
    ("icloud.com", "auth.app_password_required likely user"), ("fastmail.com", "auth.app_password_required likely user"),
    ("zoho.com", "auth.password_rejected likely user"), ("gmx.net", "imap.access_off likely user"), ("web.de", "imap.access_off likely user"),
    ("mail.ru", "auth.app_password_required proven user"), ("yandex.com", "imap.access_off likely user"),
    ("qq.com", "auth.app_password_required likely user"), ("163.com", "auth.app_password_required likely user"),
    ("t-online.de", "auth.app_password_required likely user"),
)
# What no sandbox for plain mailboxes can show, and why.
NEVER = {
    "net.unreachable": "a network without a route is this machine's own: tests/flows/faults.py",
    "tls.pin_mismatch": "a pin is the workspace's wish, not the server's doing: tests/flows/security.py",
    "auth.channel_binding_required": "told of Exchange only: tests/flows/diagnose_exchange.py",
    "mailbox.moving": "Exchange and Microsoft say it", "mailbox.no_licence": "Microsoft says it", "mailbox.alias_not_primary": "Exchange and Microsoft say it",
    "send.from_rewritten": "diagnose warns that it came from another sender, and is connected: tests/diagnose/replies.c",
}


def same(got, wanted, what):
    hold(got == wanted, "%s: %s" % (what, got))


def label(order):
    return re.sub(r"[^a-z0-9]+", "-", order.lower()).strip("-")[:40].strip("-")


class Place:
    def __init__(self, build, folder):
        self.binary, self.folder = os.path.join(build, "mailmoor"), folder
        self.daemon = None
        self.judged_as = set()

    @contextlib.contextmanager
    def sandbox(self, *options):
        s = self.daemon = sandboxed.Sandbox(self.binary, self.folder, "--imap", *options)
        try:
            yield s
        finally:
            s.stop()

    def diagnose(self, s, address, *options, password=SECRET, timeout=20):
        """(exit status, report) of one, after a look for the password in all that came out."""
        work = tempfile.mkdtemp(dir=self.folder)
        secret, record = os.path.join(work, "password"), os.path.join(work, "record.json")
        with open(secret, "w", encoding="utf-8") as f:
            f.write(password)
        p = subprocess.run([self.binary, "diagnose", address, "--json", "--resolver=" + s.told["resolver"], "--ca-file=" + s.told["ca_file"],
                            "--timeout=%d" % timeout, "--password-file=" + secret, "--record=" + record, *("--connect-to=" + c for c in s.told["connect_to"]), *options],
                           capture_output=True, text=True, timeout=timeout + 60)
        hold(p.stdout.startswith("{"), "no report: %s %s" % (p.stdout[:300], p.stderr[:300]))
        with open(record, encoding="utf-8") as f:
            kept = f.read()
        again = subprocess.run([self.binary, "replay", "--json", record], capture_output=True, text=True, timeout=60)
        told, retold = json.loads(p.stdout), json.loads(again.stdout)
        same((retold["verdict"], retold["causes"]), (told["verdict"], told["causes"]), "%s: replayed" % address)
        hold(password not in p.stdout + p.stderr + kept, "%s: the password is in what came out" % address)
        shutil.rmtree(work)
        return p.returncode, told

    def judged(self, s, address, order, cause, *options, **more):
        """What is wrong, or None."""
        status, report = self.diagnose(s, address, *options, **more)
        said = [" ".join((c["id"], c["certainty"], c["who"])) for c in report["causes"]]
        self.judged_as |= {c["id"] for c in report["causes"][:1]}
        if (said or ["nothing"])[0] != cause:
            return "%s: not %s but %s" % (order, cause, said or report["verdict"])
        if "proven" in cause and [c for c in report["causes"][1:] if c["certainty"] != "proven"]:
            return "%s: proven, and others are open: %s" % (order, said)
        if status == 0 and report["verdict"] != "connected":
            return "%s: exit status 0" % order
        return None

    def all_judged(self, rows, whose, *options, **more):
        """One sandbox for all of these, each with a domain or a mailbox of its own, and nobody in another's way."""
        accounts = {order: "anna@%s.%s" % (label(order), DOMAIN) for order, _ in rows}
        wish = [w for order, address in accounts.items() for w in ("--account", "%s:%s" % (address, SECRET), "--fault", "%s/%s" % (whose(address), order))]
        with self.sandbox("--account", "well@%s:%s" % (DOMAIN, SECRET), *wish) as s, concurrent.futures.ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda r: self.judged(s, accounts[r[0]], *r, *options, **more), rows))
            same((self.diagnose(s, "well@" + DOMAIN)[1]["verdict"]), "connected", "and whoever has no order of his own")
        same([f for f in found if f], [], "found")


# -- well -----------------------------------------------------------------------------------------------------------------------------------

@row
def a_mailbox_is_connected_and_its_message_arrives(t):
    with t.sandbox("--account", "anna@%s:%s" % (DOMAIN, SECRET)) as s:
        status, report = t.diagnose(s, "anna@" + DOMAIN, *SEND)
        steps = {x["id"]: x["state"] for x in report["steps"]}
        same((status, report["verdict"], report["causes"], report["provider"]), (0, "connected", [], "imap"), "connected")
        same([steps[x] for x in ("imap.open", "smtp.login", "smtp.send", "send.arrive", "send.copy", "send.remove")], ["passed"] * 6, "steps")
        asked = [(x["protocol"], x["operation"]) for x in s.log()]
        hold(("imap", "EXPUNGE") in asked and ("smtp", "DATA") in asked, "asked: %s" % asked)
    with t.sandbox("--fault", "starttls-only", "--account", "anna@%s:%s" % (DOMAIN, SECRET)) as s:
        report = t.diagnose(s, "anna@" + DOMAIN, *SEND)[1]
        same((report["verdict"], report["causes"]), ("connected", []), "by STARTTLS")
        hold("imap.starttls" in {x["id"] for x in report["steps"]}, "the upgrade")


@row
def a_message_from_another_sender_is_told(t):
    with t.sandbox("--fault", "smtp-rewrites=other@" + DOMAIN, "--account", "anna@%s:%s" % (DOMAIN, SECRET)) as s:
        report = t.diagnose(s, "anna@" + DOMAIN, *SEND)[1]
        arrived = [x for x in report["steps"] if x["id"] == "send.arrive"][0]
        hold(arrived["state"] == "warned" and {"fact": "send.from_seen", "value": "other@" + DOMAIN} in
             [{"fact": f["fact"], "value": f["value"]} for f in arrived["facts"]], "warned: %s" % arrived)


# -- what is ordered ------------------------------------------------------------------------------------------------------------------------

@row
def what_is_wrong_with_a_domain_or_its_host(t):
    t.all_judged(OF_DOMAINS, lambda address: address.split("@")[1])


@row
def what_is_said_at_a_sign_in(t):
    t.all_judged(OF_MAILBOXES, lambda address: address)


@row
def what_becomes_of_a_message(t):
    t.all_judged(OF_SENDING, lambda address: address, *SEND)


@row
def a_message_that_never_comes(t):
    with t.sandbox("--fault", "no-delivery", "--account", "anna@%s:%s" % (DOMAIN, SECRET)) as s:
        same(t.judged(s, "anna@" + DOMAIN, "no-delivery", "send.not_received likely admin", *SEND, timeout=75), None, "in a minute")


@row
def an_address_that_is_none(t):
    with t.sandbox() as s:
        same(t.judged(s, "anna..birch@" + DOMAIN, "", "address.malformed proven user"), None, "the address")
        same(t.judged(s, "anna@nowhere.example", "", "dns.no_such_domain proven user"), None, "a domain that nobody ordered")


@row
def what_is_wrong_with_the_network(t):
    account = ("--account", "anna@%s:%s" % (DOMAIN, SECRET))
    for orders, cause in ((("captive",), "net.intercepted proven operator"), (("egress-blocked",), "operator.egress_blocked proven operator"),
                          (("clock=-400", "certificate-expired"), "operator.clock_wrong proven operator"),
                          (("clock=2000", "certificate-not-yet"), "operator.clock_wrong proven operator")):
        with t.sandbox(*account, *(w for o in orders for w in ("--fault", o))) as s:
            same(t.judged(s, "anna@" + DOMAIN, orders, cause), None, orders)
    allowed = os.path.join(t.folder, "allowed.conf")
    with open(allowed, "w", encoding="utf-8") as f:
        f.write("[net]\nallow = 127.0.0.0/8\n")
    with t.sandbox(*account, "--fault", "private-address") as s:
        same(t.judged(s, "anna@" + DOMAIN, "private-address", "net.address_not_allowed proven operator", "--config=" + allowed), None, "not allowed")


@row
def a_wrong_password_at_a_large_host(t):
    wish = [w for domain, _ in AT_HOSTERS for w in ("--account", "anna@%s:%s" % (domain, SECRET))]
    with t.sandbox(*wish, "--account", "gone@gmail.com:" + SECRET, "--fault", "gone@gmail.com/imap-gmail-off") as s, concurrent.futures.ThreadPoolExecutor(4) as pool:
        named = ("--provider=imap",)
        found = list(pool.map(lambda r: t.judged(s, "anna@" + r[0], r[0], r[1], *named, password="not-this-one"), AT_HOSTERS))
        same([f for f in found if f], [], "found")
        well = [t.diagnose(s, "anna@" + domain, *named)[1] for domain, _ in AT_HOSTERS]
        # nobody knows for certain where NetEase sends from
        same([(r["address"], r["verdict"]) for r in well if r["verdict"] != "connected"], [("anna@163.com", "unfinished")], "with the right one")
        same(t.judged(s, "gone@gmail.com", "imap-gmail-off", "google.gmail_off proven admin", *named), None, "Gmail is off")


@row
def the_manual_says_the_same(t):
    with open(os.path.join(HERE, "..", "..", "man", "mailmoor-sandbox.1"), encoding="utf-8") as f:
        written = set(re.findall(r"^\.It Ql (\S+) Ta Ql (\S+)$", f.read(), re.M))
    proved = {(order, cause.split()[0]) for order, cause in OF_DOMAINS + OF_MAILBOXES + OF_SENDING if " " not in order}
    same((sorted(proved - written), {order for order, _ in written - proved}), ([], {"captive", "egress-blocked", "clock=hours", "private-address"}), "written and proved")


@row
def no_cause_of_a_plain_mailbox_is_left_out(t):
    """Each is the verdict of some row above, but for those that a server of plain mailboxes cannot bring about."""
    rows_of = os.path.join(HERE, "..", "..", "src", "model", "causes.def")
    with open(rows_of, encoding="utf-8") as f:
        known = set(re.findall(r'"((?:address|dns|net|tls|server|throttle|auth|imap|smtp|mailbox|send)\.\w+)"', f.read()))
    hold(len(known) > 60, "read: %s" % known)
    if not t.only:
        same(known - t.judged_as, set(NEVER), "never the verdict")


def main():
    args = arguments()
    folder = tempfile.mkdtemp(prefix="diagnose-imap-")
    try:
        place = Place(os.path.abspath(args.build), folder)
        place.only = args.only
        return row.run(place, args.only)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
