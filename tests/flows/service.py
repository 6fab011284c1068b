#!/usr/bin/env python3
"""The daemon with real Dovecot and Postfix: connected, watched, told of, lost, healed, paused, removed.

    service.py BUILD [--only REGEX] [--keep]

One town of servers for all rows; each row has mailboxes of its own.
"""
import imaplib
import os
import re
import smtplib
import socket
import socketserver
import ssl
import sys
import threading
import time

sys.dont_write_bytecode = True

import daemon
import inbound
import peers
from peers import DOMAIN, PASSWORD, hold, until
from rows import Rows, arguments

IMAP_HOST, SMTP_HOST = "imap." + DOMAIN, "smtp." + DOMAIN
BCC_DOMAIN = "bcc.example"
WRONG = "marsh-Lantern-07"
row = Rows()


def free_port(address):
    with socket.socket() as s:
        s.bind((address, 0))
        return s.getsockname()[1]


class Relay:
    """A submission server that names an address in its answer to EHLO; what is sent through it, it brings to the daemon's door with a
    Received line that says where it came from. Without `seen` it takes no sign-in; `refuses` it greets with."""

    def __init__(self, address, cert, name, ehlo, door=None, seen=None, refuses=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*cert)
        self.name, self.ehlo, self.door, self.seen, self.refuses = name, ehlo, door, seen, refuses

        class Handler(socketserver.StreamRequestHandler):
            def setup(handler):
                handler.request = context.wrap_socket(handler.request, server_side=True)
                super().setup()

            def handle(handler):
                self.talk(handler.rfile, handler.wfile)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.server = Server((address, 0), Handler)
        self.address, self.port = self.server.server_address
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def talk(self, lines, out):
        def say(text):
            out.write((text + "\r\n").encode())

        sender = to = None
        say(self.refuses or "220 %s ESMTP" % self.name)
        for line in lines:
            word = line[:4].upper()
            if word == b"EHLO":
                say("250-%s %s" % (self.name, self.ehlo))
                say("250 AUTH PLAIN" if self.seen else "250 SIZE 1000000")
            elif word == b"AUTH":
                say("235 welcome")
            elif word == b"DATA":
                say("354 go on")
                self.forward(sender, to, b"".join(iter(lines.readline, b".\r\n")))
                say("250 taken")
            elif word == b"QUIT":
                return say("221 bye")
            else:
                sender = re.search(rb"<(.*?)>", line)[1].decode() if word == b"MAIL" else sender
                to = re.search(rb"<(.*?)>", line)[1].decode() if word == b"RCPT" else to
                say("250 ok")

    def forward(self, sender, to, message):
        with smtplib.SMTP(*self.door) as s:
            s.sendmail(sender, to, ("Received: from [127.0.0.1] (unknown [%s])\r\n\tby %s with ESMTPSA id 1\r\n" % (self.seen, self.name)).encode() + message)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Town(peers.Peers):
    """Dovecot, Postfix that knows the way to the BCC domain, a name server, and the daemon."""

    def __init__(self, binary):
        super().__init__()
        self.binary = binary

    def build(self):
        self.here, self.mail_at, self.own_at = self.address(), self.address(), self.address()
        self.users = {"ann%d@%s" % (n, DOMAIN): PASSWORD for n in range(1, 40)}
        self.names = self.stack.add(peers.Names(self.here))
        daemon.zone(self.names, self.here)
        cert = self.ca.issue("good", IMAP_HOST, SMTP_HOST)
        self.dovecot_folder = os.path.join(self.folder, "dovecot")
        self.cert = cert
        self.inbound = {"smtp": free_port(self.here), "lmtp": free_port(self.here)}
        self.dovecot = self.start_dovecot(cert)
        if peers.ROOT:
            self.postfix = self.stack.add(peers.Postfix(
                os.path.join(self.folder, "postfix"), self.mail_at, cert, "%s:%d" % (self.here, peers.Dovecot.SASL), self.dovecot.mail,
                self.users, {"well": []}, "transport_maps = inline:{%s=lmtp:inet:%s:%d}\n" % (BCC_DOMAIN, self.here, self.inbound["lmtp"])))
            self.smtp = (self.postfix.address, self.postfix.ports["well"][1])
        else:
            self.smtp = None
        places = {(IMAP_HOST, 993): (self.here, peers.Dovecot.IMAPS), (IMAP_HOST, 143): (self.here, peers.Dovecot.IMAP)}
        if self.smtp:
            places[SMTP_HOST, 465] = self.smtp
        door = (self.here, self.inbound["smtp"])
        relays = {"smtp.ash.example": {"ehlo": "at your service, [8.8.4.4]"},
                  "smtp.elm.example": {"ehlo": "Hello [127.0.0.1] [8.8.4.4]", "door": door, "seen": "9.9.9.9"},
                  "smtp.fir.example": {"ehlo": "Hello", "refuses": "554 5.7.1 your address is blocked"}}
        for name, more in relays.items():
            relay = self.stack.add(Relay(self.here, self.ca.issue("good", name), name, **more))
            self.names.records[name, "A"] = [self.here]
            places[name, 465] = (relay.address, relay.port)
        self.settings = daemon.network(self.names, self.ca, places) | {
            "inbound.listen": "%s:%d lmtp:%s:%d" % (self.here, self.inbound["smtp"], self.here, self.inbound["lmtp"]),
            "inbound.domain": BCC_DOMAIN, "watch.grace": "1"}
        self.daemon = self.stack.add(daemon.Daemon(self.binary, os.path.join(self.folder, "daemon"), self.settings))
        self.daemon.start()
        self.number = 0
        self.made = []

    def start_dovecot(self, cert):
        self.dovecot = self.stack.add(peers.Dovecot(self.dovecot_folder, self.here, cert, self.users))
        return self.dovecot

    def user(self):
        self.number += 1
        return "ann%d@%s" % (self.number, DOMAIN)

    def connect(self, user=None, password=PASSWORD, state="connected"):
        user = user or self.user()
        return self.daemon.wait_state(self.add({"address": user, "password": password}), state)

    def add(self, account):
        self.made.append(self.daemon.api("POST", "/v1/accounts", account)["id"])
        return self.made[-1]

    def tidy(self):
        """What a row leaves must not be part of the next one's outage; its servers are up again."""
        if self.daemon.popen.poll() is None:
            for id in self.made:
                self.daemon.api("DELETE", "/v1/accounts/" + id, expect=(204, 404))
        self.made = []
        if not peers.listens(self.here, peers.Dovecot.IMAPS):
            self.start_dovecot(self.cert)

    def deliver(self, user, subject):
        """By another client, as mail servers do it: Dovecot tells those who wait."""
        context = ssl.create_default_context(cafile=self.ca.root)
        context.check_hostname = False
        with imaplib.IMAP4_SSL(self.here, peers.Dovecot.IMAPS, ssl_context=context) as c:
            c.login(user, PASSWORD)
            c.append("INBOX", None, None, ("From: Bob <bob@oak.example>\r\nTo: <%s>\r\nSubject: %s\r\nMessage-ID: <%s@oak.example>\r\n\r\nHello.\r\n"
                                           % (user, subject, subject.replace(" ", "."))).encode())

    def news(self, id):
        return [e["data"]["message"]["subject"] for e in self.daemon.events(type="message.received", account=id)]

    def wait_news(self, id, subjects, seconds=10):
        try:
            until(lambda: self.news(id) == subjects, seconds, "")
        except peers.Failed:
            raise peers.Failed("told: %s, not %s" % (self.news(id), subjects)) from None



def types(t, id):
    return [e["type"] for e in t.daemon.events(account=id)]


# -- the rows ---------------------------------------------------------------------------------------------------------------------

@row
def the_first_start_shows_a_key_once(t):
    hold(re.fullmatch(r"mm_\w{32,}", t.daemon.key), "no key: %s" % t.daemon.key)
    hold(t.daemon.request("GET", "/v1/accounts", key="").status == 401, "the API is open")
    hold(t.daemon.request("GET", "/v1/accounts", key="mm_" + "x" * 40).status == 401, "any key will do")
    hold(t.daemon.api("GET", "/v1/accounts")["items"] == [], "accounts at the first start")
    hold(t.daemon.request("GET", "/healthz", key="").status == 200 and t.daemon.request("GET", "/readyz", key="").status == 200, "not ready")


@row
def connects_a_mailbox_and_its_test_message_arrives(t):
    a = t.connect()
    steps = {s["id"]: s["state"] for s in t.daemon.api("GET", "/v1/accounts/%s/report" % a["id"])["steps"]}
    hold(a["cause"] is None, "connected with a cause: %s" % a)
    hold(types(t, a["id"]) == ["account.created", "account.connected"], "events: %s" % types(t, a["id"]))
    if peers.ROOT:
        hold(steps.get("send.arrive") == "passed", "the test message did not arrive at the BCC address: %s" % steps)
        mail = t.daemon.api("GET", "/v1/mail")["items"]
        hold(any(m["envelope_from"] == a["address"] for m in mail), "it is not in the log of mail: %s" % mail)


@row
def an_address_of_loopback_is_none_to_be_allowed(t):
    """Postfix names it in its Received line, and the test message that carries it has arrived; nobody could put it on a list."""
    if not peers.ROOT:
        return
    a = t.connect()
    mail = next(m for m in t.daemon.api("GET", "/v1/mail?account=" + a["id"])["items"])
    message = t.daemon.request("GET", "/v1/mail/" + mail["id"], headers={"Accept": "message/rfc822"}).text
    hold(re.search(r"from \[127\.0\.0\.1\] \(\S+ \[127\.", message), "no hop from us in it: %s" % message)
    hold(mail["account"] == a["id"], "it is of nobody: %s" % mail)
    report = t.daemon.api("GET", "/v1/accounts/%s/report" % a["id"])
    hold(not [f for s in report["steps"] for f in s["facts"] if f["fact"] == "our.seen"], "an address of loopback was taken: %s" % report["steps"])
    hold(t.daemon.api("GET", "/v1/overview")["egress"] == [], "it was learnt: %s" % t.daemon.api("GET", "/v1/overview")["egress"])


def egress(t):
    return [(e["address"], e["how"], e["seen_once"], e["hosts"]) for e in t.daemon.api("GET", "/v1/overview")["egress"]]


@row
def our_addresses_are_learnt_and_told(t):
    def through(relay, state):
        user = t.user()
        return t.daemon.wait_state(t.add({"address": user, "password": PASSWORD, "smtp": {"host": relay, "port": 465}}), state)

    through("smtp.ash.example", "degraded")
    hold(egress(t) == [("8.8.4.4", "ehlo", True, ["smtp.ash.example"])], "one server told: %s" % egress(t))
    hold(t.daemon.api("GET", "/v1/workspace")["egress_addresses"] == [], "one server is believed")
    through("smtp.elm.example", "connected")
    hold(egress(t) == [("8.8.4.4", "ehlo", False, ["smtp.ash.example", "smtp.elm.example"]), ("9.9.9.9", "received", True, ["smtp.elm.example"])],
         "two servers told: %s" % egress(t))
    w = t.daemon.api("GET", "/v1/workspace")
    hold(w["egress_addresses"] == ["8.8.4.4"] and w["egress"] == [{"address": "8.8.4.4", "how": "ehlo", "seen_once": False},
                                                                  {"address": "9.9.9.9", "how": "received", "seen_once": True}], "the workspace: %s" % w)
    # who lets only some in is told who we are
    a = through("smtp.fir.example", "degraded")
    cause = t.daemon.api("GET", "/v1/accounts/%s?lang=de" % a["id"])["cause"]
    hold(cause["id"] == "auth.ip_not_allowed" and any("8.8.4.4, 9.9.9.9 (nur von einem Server genannt)" in fix for fix in cause["fix"]), "the cause: %s" % cause)
    said = t.daemon.doctor()
    hold("8.8.4.4 (so say smtp.ash.example and smtp.elm.example), 9.9.9.9 (so says smtp.elm.example alone)" in said["net.addresses"]["text"],
         "the doctor: %s" % said["net.addresses"])
    # what is configured counts, and what is not so is said
    said = t.daemon.doctor({"net.egress_addresses": "192.0.2.1"})["net.addresses"]
    hold(said["state"] == "warned" and "another address than configured: 8.8.4.4 (" in said["text"] and "9.9.9.9" not in said["text"], "the doctor: %s" % said)


@row
def mail_to_the_bcc_address_is_logged(t):
    token = t.daemon.api("GET", "/v1/workspace")["bcc_address"].split("@")[0]
    ids = inbound.over_smtp(t.here, t.inbound["smtp"], BCC_DOMAIN, token)
    kept = {m["id"] for m in t.daemon.api("GET", "/v1/mail?limit=200")["items"]}
    hold(set(ids.values()) <= kept, "answered 250 and not kept: %s" % (set(ids.values()) - kept))
    told = {e["data"].get("mail", e["data"]).get("id") for e in t.daemon.events(type="message.received")}
    hold(set(ids.values()) <= told, "kept and not told: %s" % (set(ids.values()) - told))


@row
def mail_through_a_postfix_in_front_is_logged(t):
    if not peers.ROOT:
        return
    token = t.daemon.api("GET", "/v1/workspace")["bcc_address"].split("@")[0]
    ids = inbound.over_postfix(t, t.here, t.inbound["lmtp"], BCC_DOMAIN, token)
    kept = {m["id"] for m in t.daemon.api("GET", "/v1/mail?limit=200")["items"]}
    hold(ids and set(ids.values()) <= kept, "sent and not kept: %s" % (set(ids.values()) - kept))


@row
def new_mail_is_told(t):
    user = t.user()
    t.deliver(user, "before the connection")
    a = t.connect(user)
    until(lambda: parked(t) >= 1, 10, "it is held")
    time.sleep(0.2)      # Dovecot's IDLE begins after it has answered
    t.deliver(user, "first")
    t.wait_news(a["id"], ["first"])
    t.deliver(user, "second")
    t.deliver(user, "third")
    t.wait_news(a["id"], ["first", "second", "third"])
    event = t.daemon.events(type="message.received", account=a["id"])[0]
    hold(event["data"]["message"]["from"] == "bob@oak.example" and event["data"]["message"]["size"] > 50, "event: %s" % event)


def metric(t, name):
    return float(re.search(r"^%s (\S+)$" % name, t.daemon.request("GET", "/metrics").text, re.M)[1])


def parked(t):
    return t.daemon.api("GET", "/v1/overview")["keeper"]["parked"]


@row
def an_outage_is_waited_for_and_nothing_is_missed(t):
    user = t.user()
    a = t.connect(user)
    t.dovecot.close()
    t.daemon.wait_state(a["id"], "waiting")
    hold(t.daemon.account(a["id"])["cause"]["id"].startswith(("net.", "server.")), "the cause: %s" % t.daemon.account(a["id"])["cause"])
    t.start_dovecot(t.cert)
    t.deliver(user, "while away")
    t.daemon.wait_state(a["id"], "connected", 20)
    t.wait_news(a["id"], ["while away"])
    hold(types(t, a["id"])[-2:] in (["account.recovered", "message.received"], ["message.received", "account.recovered"]), "events: %s" % types(t, a["id"]))


@row
def many_of_one_host_are_one_incident(t):
    ids = [t.connect()["id"] for _ in range(4)]
    until(lambda: parked(t) >= len(ids), 20, "held")
    before = {id: types(t, id) for id in ids}
    seq = last_seq(t)
    t.dovecot.close()
    for id in ids:
        t.daemon.wait_state(id, "waiting")
    incidents = {t.daemon.account(id)["incident"] for id in ids}
    hold(len(incidents) == 1 and None not in incidents, "not one incident: %s" % incidents)
    opened = [e for e in t.daemon.events(after=seq) if e["type"] == "incident.opened"]
    hold(len(opened) == 1, "told %d times" % len(opened))
    hold([n["id"] for n in t.daemon.api("GET", "/v1/incidents?open=true")["items"]] == list(incidents), "it is not in the list")
    t.start_dovecot(t.cert)
    for id in ids:
        t.daemon.wait_state(id, "connected")
        hold(types(t, id) == before[id], "each was told by itself: %s" % types(t, id))
    closed = [e for e in t.daemon.events(after=seq) if e["type"] == "incident.closed"]
    hold(len(closed) == 1 and closed[0]["data"]["incident"]["id"] in incidents, "closed: %s" % closed)
    hold(t.daemon.api("GET", "/v1/incidents?open=true")["items"] == [], "it is still open")


@row
def a_moment_without_connection_is_not_told(t):
    a = t.connect()
    until(lambda: a["address"] in who(t), 10, "held")
    seq = last_seq(t)
    t.dovecot.close()
    t.start_dovecot(t.cert)
    until(lambda: a["address"] in who(t), 20, "held again")
    hold([e["type"] for e in t.daemon.events(after=seq, account=a["id"]) if "connected" not in e["type"]] == [], "told: %s" % types(t, a["id"]))


def last_seq(t):
    events = t.daemon.events()
    return events[-1]["seq"] if events else 0


@row
def a_wrong_password_is_tried_no_more_and_another_one_heals_it(t):
    user = t.user()
    a = t.connect(user, WRONG, ("needs_user", "needs_admin"))
    hold(a["cause"]["id"] == "auth.password_rejected" and a["cause"]["who"] == "user", "the cause: %s" % a["cause"])
    refused = t.dovecot.log().count("auth failed")
    time.sleep(2)
    hold(t.dovecot.log().count("auth failed") == refused, "it is tried on and on")
    t.daemon.api("POST", "/v1/accounts/%s/reconnect" % a["id"], {"password": PASSWORD})
    b = t.daemon.wait_state(a["id"], "connected")
    hold(b["id"] == a["id"] and b["cause"] is None, "after the right password: %s" % b)


@row
def an_expired_certificate_is_told_and_heals_by_itself(t):
    user = t.user()
    a = t.connect(user)
    t.dovecot.close()
    t.start_dovecot(t.ca.issue("expired", IMAP_HOST))
    t.daemon.api("POST", "/v1/accounts/%s/verify" % a["id"])
    b = t.daemon.wait_state(a["id"], ("needs_admin", "waiting"))
    hold(b["cause"]["id"] == "tls.expired" and b["cause"]["who"] == "admin" and b["state"] == "needs_admin", "the verdict: %s" % b)
    hold("account.needs_admin" in types(t, a["id"]), "events: %s" % types(t, a["id"]))
    t.dovecot.close()
    t.start_dovecot(t.cert)
    t.daemon.wait_state(a["id"], "connected", 40)


@row
def a_domains_own_authority_and_key_are_trusted(t):
    """Refused; its authority is put and it heals; another key is pinned and it is refused; the right one, and even an expired certificate will do."""
    user, other, host = t.user(), t.user(), "private." + DOMAIN
    address, folder, domain = t.address(), os.path.join(t.folder, "private"), "/v1/domains/" + DOMAIN
    servers = {"imap": {"host": host, "port": 993}}
    cert = t.ca.issue("unknown", host)
    server = peers.Dovecot(folder, address, cert, {user: PASSWORD, other: PASSWORD})
    try:
        t.daemon.stop()
        t.daemon.settings["net.connect_to"] += " %s:993=%s:%d" % (host, address, peers.Dovecot.IMAPS)
        t.names.records[host, "A"] = [address]
        t.daemon.start()
        t.daemon.api("PUT", domain, servers)
        id = t.add({"address": user, "password": PASSWORD})
        a = t.daemon.wait_state(id, ("needs_admin", "waiting"))
        hold(a["cause"]["id"] == "tls.unknown_issuer" and a["imap"]["host"] == host, "before: %s" % a)
        with open(t.ca.path("stranger.pem")) as f:
            authority = f.read()
        t.daemon.api("PUT", domain, servers | {"ca_pem": authority})
        t.daemon.wait_state(id, "connected", 10)
        until(lambda: user in who(t, folder), 10, "held by the private Dovecot: %s" % who(t, folder))
        hold(fact(t, id, "imap.tls", "tls.trusted_by") == "own_ca", "the report does not say by whose word")
        pin = fact(t, id, "imap.tls", "tls.pin")
        # a lost line comes back by the same word
        server.close()
        server = peers.Dovecot(folder, address, cert, {user: PASSWORD, other: PASSWORD})
        until(lambda: user in who(t, folder), 30, "held again by the private Dovecot")
        # and another key is refused though the authority vouches for it
        t.daemon.api("PUT", domain, servers | {"ca_pem": authority, "pin": "0" * 64})
        t.daemon.api("POST", "/v1/accounts/%s/verify" % id)
        a = t.daemon.wait_state(id, ("needs_admin", "waiting"))
        hold(a["cause"]["id"] == "tls.pin_mismatch" and a["cause"]["certainty"] == "proven" and a["state"] == "needs_admin", "the verdict: %s" % a)
        server.close()
        server = peers.Dovecot(folder, address, t.ca.issue("expired", "elsewhere." + DOMAIN), {user: PASSWORD, other: PASSWORD})
        t.daemon.api("PUT", domain, servers | {"pin": pin})
        t.daemon.wait_state(id, "connected", 10)
        hold(fact(t, id, "imap.tls", "tls.trusted_by") == "own_pin", "the report does not say by whose word")
        # nothing of it stays once it is taken away
        t.daemon.api("DELETE", domain)
        b = t.daemon.wait_state(t.add({"address": other, "password": PASSWORD, "imap": servers["imap"]}), ("needs_admin", "waiting"))
        hold(b["cause"]["id"] in ("tls.expired", "tls.name_mismatch"), "without: %s" % b)
    finally:
        t.daemon.request("DELETE", domain)
        server.close()


def fact(t, id, step, name):
    """Of the last report of an account."""
    report = t.daemon.api("GET", "/v1/accounts/%s/report" % id)
    return next((f["value"] for s in report["steps"] if s["id"] == step for f in s["facts"] if f["fact"] == name), None)


@row
def no_starttls_is_told(t):
    user = t.user()
    address = t.address()
    bare = peers.Dovecot(os.path.join(t.folder, "bare"), address, t.cert, {user: PASSWORD}, ssl=False)
    try:
        t.daemon.stop()
        t.daemon.settings["net.connect_to"] += " bare.%s:143=%s:%d" % (DOMAIN, address, peers.Dovecot.IMAP)
        t.names.records["bare." + DOMAIN, "A"] = [address]
        t.daemon.start()
        id = t.add({"address": user, "password": PASSWORD, "imap": {"host": "bare." + DOMAIN, "port": 143}})
        a = t.daemon.wait_state(id, ("needs_admin", "needs_user"))
        hold(a["cause"]["id"] == "tls.starttls_missing", "the cause: %s" % a["cause"])
    finally:
        bare.close()


@row
def paused_resumed_removed(t):
    user = t.user()
    a = t.connect(user)
    until(lambda: user in who(t), 10, "held by Dovecot: %s" % who(t))
    t.daemon.api("POST", "/v1/accounts/%s/pause" % a["id"])
    until(lambda: user not in who(t), 10, "let go: %s" % who(t))
    t.deliver(user, "while paused")
    t.daemon.api("POST", "/v1/accounts/%s/resume" % a["id"])
    t.daemon.wait_state(a["id"], "connected")
    t.wait_news(a["id"], ["while paused"])
    t.daemon.api("DELETE", "/v1/accounts/" + a["id"])
    until(lambda: user not in who(t), 10, "let go: %s" % who(t))
    hold(t.daemon.request("GET", "/v1/accounts/" + a["id"]).status in (404, 410), "it is still there")
    b = t.connect(user)
    hold(b["id"] != a["id"], "a removed id is used again")


def who(t, folder=None):
    import subprocess
    done = subprocess.run(["doveadm", "-c", os.path.join(folder or t.dovecot_folder, "dovecot.conf"), "who", "-1"], capture_output=True, text=True)
    return {line.split()[0] for line in done.stdout.split("\n")[1:] if line.split()}


@row
def a_restart_takes_up_where_it_stopped(t):
    user = t.user()
    a = t.connect(user)
    before = types(t, a["id"])
    t.daemon.stop()
    t.deliver(user, "while stopped")
    t.daemon.start()
    t.wait_news(a["id"], ["while stopped"])
    hold(types(t, a["id"]) == before + ["message.received"], "events: %s" % types(t, a["id"]))


@row
def mailboxes_come_back_after_kill(t):
    ids = [t.connect()["id"] for _ in range(6)]
    until(lambda: parked(t) >= 6, 20, "held")
    import signal
    t.daemon.stop(signal.SIGKILL)
    t.daemon.start()
    for id in ids:
        hold(t.daemon.account(id)["state"] == "connected", "after kill -9: %s" % t.daemon.account(id))
    until(lambda: parked(t) >= 6, 20, "held again")
    until(lambda: 1 <= metric(t, "mailmoor_mailboxes_opening_most") <= 100 and metric(t, "mailmoor_mailboxes_opening") == 0, 5,
          "how many were opened at once is told")


@row
def no_password_is_anywhere(t):
    texts = {"the log": t.daemon.said(), "its output": open(t.daemon.out).read()}
    for f in t.daemon.state_files():
        with open(f, "rb") as b:
            texts[f] = b.read().decode("latin-1")
    for where, text in texts.items():
        for secret in (PASSWORD, WRONG):
            for shape in peers.renderings(secret, "ann1@" + DOMAIN):
                hold(shape not in text, "a password is in " + where)
    for f in t.daemon.state_files():
        hold(os.stat(f).st_mode & 0o077 == 0, "%s may be read by others" % f)


@row
def it_stops_at_once_when_asked(t):
    begin = time.monotonic()
    t.daemon.stop()
    hold(time.monotonic() - begin < 6, "it took %.1f s" % (time.monotonic() - begin))
    hold("FAILURE" not in t.daemon.said() and "ERROR: " not in t.daemon.said(), "a sanitizer speaks")


def main():
    o = arguments()
    with Town(os.path.join(os.path.abspath(o.build), "mailmoor")) as town:
        town.build()
        return row.run(town, o.only, Town.tidy)


if __name__ == "__main__":
    sys.exit(main())
