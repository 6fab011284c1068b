#!/usr/bin/env python3
"""Mailboxes at Google under the daemon's eyes, against the sandbox's Google: connected by a grant, watched, renewed, given back.

    google_kept.py BUILD [--kills 8] [--only REGEX]
"""
import base64
import contextlib
import json
import os
import random
import re
import signal
import socket
import sqlite3
import ssl
import sys
import tempfile
import time
import urllib.parse

sys.dont_write_bytecode = True

import daemon
import peers
import sandboxed
from cloud import Answer
from peers import hold, until
from rows import Rows, arguments

TOKEN, GMAIL, CALENDAR = "oauth2.googleapis.com", "gmail.googleapis.com", "www.googleapis.com"
MAILBOX = "/gmail/v1/users/me"
WAIT_S = 20
row = Rows()


class Google(sandboxed.Sandbox):
    """One, asked without any library that knows Google."""

    def __init__(self, binary, folder, *options):
        super().__init__(binary, folder, "--google", *options)
        self.google = self.told["google"]
        self.account = [a for a in self.told["accounts"] if "google_token_file" in a]

    def address(self, n=0):
        return self.account[n]["address"]

    def grant(self, n=0):
        with open(self.account[n]["google_token_file"]) as f:
            return json.load(f)

    def ask(self, method, host, path, body="", *headers):
        s = socket.create_connection(self.places[host, 443], timeout=20)
        with ssl.create_default_context(cafile=self.told["ca_file"]).wrap_socket(s, server_hostname=host) as s:
            data = body.encode()
            head = ["%s %s HTTP/1.1" % (method, path), "Host: " + host, "Connection: close", "Content-Length: %d" % len(data), *headers]
            s.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + data)
            heard = bytearray()
            with contextlib.suppress(ConnectionError, OSError):
                while more := s.recv(65536):
                    heard += more
        head, _, rest = bytes(heard).partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        return Answer(int(lines[0].split(" ")[1]), [tuple(line.split(": ", 1)) for line in lines[1:]], rest)

    def api(self, host, path, body=None, n=0, method=None):
        answer = self.ask(method or ("GET" if body is None else "POST"), host, path, "" if body is None else json.dumps(body),
                          "Authorization: Bearer " + self.grant(n)["access_token"], "Content-Type: application/json")
        hold(answer.status in (200, 204), answer)
        return answer.json

    def revoke(self, n=0):
        answer = self.ask("POST", TOKEN, "/revoke", urllib.parse.urlencode({"token": self.grant(n)["refresh_token"]}),
                          "Content-Type: application/x-www-form-urlencoded")
        hold(answer.status == 200, answer)

    def asked(self, what, method=None):
        return sum(what in line.get("path", "") and method in (None, line["method"]) for line in self.log())


class Town(peers.Peers):
    def __init__(self, binary):
        super().__init__()
        self.binary = binary
        self.google = self.daemon = None

    def open(self, *faults, poll=1, service=False, who=None, also=(), **more):
        self.shut()
        folder = tempfile.mkdtemp(dir=self.folder)
        self.google = Google(self.binary, folder, *also, *(("--account", who) if who else ()), *(word for f in faults for word in ("--fault", f)))
        self.daemon = daemon.Daemon(self.binary, os.path.join(folder, "daemon"), {
            "net.resolver": self.google.told["resolver"], "net.ca_file": self.google.told["ca_file"], "net.allow": "127.0.0.0/8",
            "net.connect_to": " ".join(self.google.told["connect_to"]), "google.client_id": self.google.google["client_id"],
            "google.client_secret": self.google.google["client_secret"], "watch.gmail_poll": str(poll), "watch.grace": "1",
            **({"google.service_account_file": self.google.google["service_account"]} if service else {}), **more}).start()

    def shut(self):
        if self.daemon:
            self.daemon.stop()
        if self.google:
            self.google.stop()
        self.daemon = self.google = None

    def close(self):
        self.shut()
        super().close()

    def begin(self, n=0):
        grant = self.google.grant(n)
        a = self.daemon.api("POST", "/v1/grants", {"provider": "google", "address": self.google.address(n), "refresh_token": grant["refresh_token"],
                                                  "scope": grant["scope"]})
        hold(a["provider"] == "google", a)
        return a["id"]

    def connect(self, n=0):
        id = self.begin(n)
        a = self.daemon.wait_state(id, "connected", WAIT_S)
        hold(a["cause"] is None, a)
        until(lambda: self.figure("mailboxes_parked") >= 1, WAIT_S, "parked")
        return id

    def figure(self, name):
        return int(re.search(r"^mailmoor_%s (\d+)$" % name, self.daemon.request("GET", "/metrics").text, re.M)[1])

    def cursor(self, id):
        with contextlib.closing(sqlite3.connect(os.path.join(self.daemon.folder, "state", "mailmoor.db"))) as db:
            return json.loads(db.execute("SELECT cursor FROM accounts WHERE id = ?", (id,)).fetchone()[0] or "{}")

    def send(self, subject, n=0):
        """From the second account to the n-th."""
        mail = "From: %s\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <%d@test.example>\r\n\r\nx\r\n" % (
            self.google.address(1), self.google.address(n), subject, random.getrandbits(60))
        self.google.api(GMAIL, MAILBOX + "/messages/send", {"raw": base64.urlsafe_b64encode(mail.encode()).decode()}, n=1)

    def told(self, id):
        return [e["data"]["message"]["subject"] for e in self.daemon.events(type="message.received", account=id) if "message" in e["data"]]

    def wait_told(self, id, subjects, seconds=WAIT_S):
        with contextlib.suppress(peers.Failed):
            until(lambda: len(self.told(id)) >= len(subjects), seconds, "")
        hold(sorted(self.told(id)) == sorted(subjects), "told: %s" % self.told(id))


@row
def connected_by_a_grant_and_told_what_is_new(t):
    t.open()
    id = t.connect()
    for n in range(3):
        t.send("new %d" % n)
    t.wait_told(id, ["new %d" % n for n in range(3)])
    one = t.daemon.events(type="message.received", account=id)[0]["data"]["message"]
    hold(one["from"] == t.google.address(1) and one["to"] == t.google.address(0) and one["message_id"].endswith("@test.example>") and
         abs(one["received"] - time.time()) < 600, one)
    hold(t.figure("google_polls_total") > 0 and t.figure("google_renewed_total") == 1, "renewed %d times" % t.figure("google_renewed_total"))
    secret = t.google.grant()["refresh_token"]
    hold(secret not in t.daemon.said(), "in the log")
    for file in t.daemon.state_files():
        with open(file, "rb") as f:
            hold(secret.encode() not in f.read(), "in " + file)


@row
def a_restart_takes_up_where_it_stopped(t):
    t.open()
    id = t.connect()
    t.send("before")
    t.wait_told(id, ["before"])
    t.daemon.stop()
    t.send("meanwhile")
    t.daemon.start()
    t.wait_told(id, ["before", "meanwhile"])


@row
def renewed_ahead_of_its_end_and_killed_in_between(t):
    """Every token is to be renewed by the next poll; the refresh token stays the one it was, so a kill costs an access token and no mail."""
    t.open("token-life=200")
    id = t.connect()
    before = t.google.asked("/token")
    until(lambda: t.google.asked("/token") > before + 3, WAIT_S, "renewed")
    sent = []
    for n in range(t.kills):
        sent.append("kill %d" % n)
        t.send(sent[-1])
        time.sleep(random.random() * 1.2)
        t.daemon.stop(signal.SIGKILL)
        t.daemon.start()
    t.wait_told(id, sent, 40)
    hold(t.daemon.account(id)["state"] == "connected", t.daemon.account(id))


@row
def a_token_endpoint_that_is_down_ends_nothing(t):
    t.open("token-life=200", "%s/token-unavailable=1#9" % "anna@contoso.example")
    id = t.connect()
    t.send("all the same")
    t.wait_told(id, ["all the same"])


@row
def a_history_that_is_forgotten_tells_no_old_mail(t):
    t.open("delta-gone#1")
    id = t.connect()
    until(lambda: "mailbox.history_forgotten" in t.daemon.said(), WAIT_S, "forgotten")
    t.send("after")
    t.wait_told(id, ["after"])
    hold(t.daemon.account(id)["state"] == "connected", "connected")


@row
def what_came_while_it_was_forgotten_is_told(t):
    t.open()
    id = t.connect()
    t.send("one")
    t.wait_told(id, ["one"])
    t.daemon.stop()
    t.send("two")
    with contextlib.closing(sqlite3.connect(os.path.join(t.daemon.folder, "state", "mailmoor.db"))) as db, db:
        cursor = json.loads(db.execute("SELECT cursor FROM accounts WHERE id = ?", (id,)).fetchone()[0])
        hold(set(cursor) >= {"history_id", "since"}, cursor)
        cursor["history_id"] = "1"      # long gone
        db.execute("UPDATE accounts SET cursor = ? WHERE id = ?", (json.dumps(cursor), id))
    t.daemon.start()
    t.wait_told(id, ["one", "two"])
    until(lambda: "mailbox.history_forgotten" in t.daemon.said(), WAIT_S, "forgotten")


@row
def what_changes_in_the_calendar_is_told(t):
    """By a sync token, and where that is forgotten by what has changed since; a restart keeps it."""
    t.open()
    id = t.connect()

    def changes():
        return [(e["data"]["entry"]["change"], e["data"]["entry"].get("title")) for e in t.daemon.events(type="calendar.changed", account=id)]
    until(lambda: t.google.asked("/events", "GET") and "syncToken" not in t.daemon.said() and t.cursor(id).get("sync_token"), WAIT_S, "known")
    hold(changes() == [], changes())
    path = "/calendar/v3/calendars/primary/events"
    made = t.google.api(CALENDAR, path, {"summary": "tea", "start": {"dateTime": "2026-11-23T09:00:00Z"}, "end": {"dateTime": "2026-11-23T10:00:00Z"}})
    with contextlib.suppress(peers.Failed):
        until(lambda: changes() == [("added", "tea")], WAIT_S, "added")
    hold(changes() == [("added", "tea")], changes())
    t.daemon.stop()
    t.google.api(CALENDAR, path + "/" + made["id"], {"summary": "coffee"}, method="PATCH")
    t.daemon.start()
    until(lambda: changes()[1:] == [("changed", "coffee")], WAIT_S, "changed")
    t.google.api(CALENDAR, path + "/" + made["id"], method="DELETE")
    until(lambda: [c for c, _ in changes()] == ["added", "changed", "removed"], WAIT_S, "removed")


@row
def who_is_busy_is_left_alone_and_that_is_shown(t):
    t.open("google=userRateLimitExceeded@/history#1")
    id = t.begin()
    a = t.daemon.wait_state(id, "waiting", WAIT_S)
    hold(a["cause"]["id"] == "throttle.provider" and t.figure("google_throttled_total") == 1, a)


@row
def a_grant_that_is_ended_at_google(t):
    t.open()
    id = t.connect()
    t.google.revoke()
    a = t.daemon.wait_state(id, "needs_user", WAIT_S)
    hold(a["cause"]["id"] == "google.sign_in_again", a)


@row
def gmail_is_off(t):
    t.open("google=gmail-off")
    a = t.daemon.wait_state(t.begin(), ("needs_admin", "needs_user"), WAIT_S)
    hold(a["cause"]["id"] == "google.gmail_off" and a["state"] == "needs_admin", a)


@row
def where_its_interface_is_off_gmail_is_held_by_imap(t):
    t.open("google=accessNotConfigured@/gmail/", "token-life=30", who="anna@gmail.com:heron-41", also=("--imap",))
    id = t.begin()
    a = t.daemon.wait_state(id, ("connected", "degraded", "needs_admin", "needs_user"), WAIT_S)
    hold(a["state"] == "connected", a)
    until(lambda: t.figure("mailboxes_parked") >= 1, WAIT_S, "parked")
    before = t.google.asked("/token")
    t.daemon.stop(signal.SIGKILL)      # by now its token has ended, as far as we go
    t.daemon.start()
    until(lambda: t.figure("mailboxes_parked") >= 1, WAIT_S, "parked")
    hold(t.cursor(id).get("uidvalidity") and t.daemon.account(id)["state"] == "connected", t.cursor(id))
    hold(t.google.revoke() is None and t.google.asked("/token") >= before, "asked")
    t.daemon.stop()
    t.daemon.start()
    a = t.daemon.wait_state(id, "needs_user", 60)
    hold(a["cause"]["id"] == "google.sign_in_again", a)


@row
def a_service_account_opens_what_was_delegated_to_it(t):
    t.open("token-life=200", service=True)
    body = {"provider": "google", "address": t.google.address()}
    a = t.daemon.api("POST", "/v1/tenant-accounts", body)
    t.daemon.wait_state(a["id"], "connected", WAIT_S)
    until(lambda: t.figure("mailboxes_parked") >= 1, WAIT_S, "parked")
    t.send("delegated")
    t.wait_told(a["id"], ["delegated"])
    until(lambda: t.figure("google_renewed_total") > 2, WAIT_S, "renewed")
    left = t.daemon.api("DELETE", "/v1/accounts/" + a["id"])["left"]
    hold("admin.google.com" in left[0]["url"] and t.google.asked("/revoke") == 0, left)


@row
def what_was_not_delegated_is_the_administrators(t):
    t.open("google-token=unauthorized_client", service=True)
    a = t.daemon.api("POST", "/v1/tenant-accounts", {"provider": "google", "address": t.google.address()})
    a = t.daemon.wait_state(a["id"], "needs_admin", WAIT_S)
    with open(t.google.google["service_account"]) as f:
        client = json.load(f)["client_id"]
    steps = json.dumps(t.daemon.api("GET", "/v1/accounts/%s/report" % a["id"]))
    hold(a["cause"]["id"] == "google.delegation_denied" and client in steps and "auth/calendar" in steps, a)


@row
def a_mailbox_that_is_none_of_the_workspaces(t):
    t.open(service=True)
    a = t.daemon.api("POST", "/v1/tenant-accounts", {"provider": "google", "address": "nobody@contoso.example"})
    a = t.daemon.wait_state(a["id"], ("needs_user", "needs_admin"), WAIT_S)
    hold(a["cause"]["id"] == "mailbox.not_found", a)
    t.open()
    answer = t.daemon.request("POST", "/v1/tenant-accounts", {"provider": "google", "address": t.google.address()})
    hold(answer.status == 400 and answer.json["pointer"] == "/provider", answer.text)


@row
def a_key_that_everybody_can_read_is_refused(t):
    t.open(service=True)
    t.daemon.stop()
    os.chmod(t.google.google["service_account"], 0o644)
    try:
        t.daemon.start()
        raise peers.Failed("it starts")
    except peers.Failed as e:
        hold("everybody can read" in str(e), e)


@row
def removal_gives_the_grant_back(t):
    t.open()
    id = t.connect()
    removal = t.daemon.api("DELETE", "/v1/accounts/" + id)
    hold("myaccount.google.com/connections" in removal["left"][0]["url"] and "given back" in removal["left"][0]["text"], removal)
    until(lambda: t.google.asked("/revoke", "POST") == 1, WAIT_S, "revoked")
    until(lambda: "grant.revoked" in t.daemon.said(), WAIT_S, "said")
    answer = t.google.ask("POST", TOKEN, "/token", urllib.parse.urlencode({"grant_type": "refresh_token", **{k: t.google.google[k] for k in ("client_id", "client_secret")},
                                                                          "refresh_token": t.google.grant()["refresh_token"]}),
                          "Content-Type: application/x-www-form-urlencoded")
    hold(answer.status == 400 and answer.json["error"] == "invalid_grant", answer)


def main():
    o = arguments(kills={"type": int, "default": 6})
    with Town(os.path.join(os.path.abspath(o.build), "mailmoor")) as town:
        town.kills = o.kills
        return row.run(town, o.only)


if __name__ == "__main__":
    sys.exit(main())
