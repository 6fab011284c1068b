#!/usr/bin/env python3
"""The daemon killed with SIGKILL again and again under load, and nothing lost, doubled or in a wrong state.

    kill9.py BUILD [--rounds 200]

While it is killed and started, three hands keep working: one adds accounts over the API (each with an Idempotency-Key, tried again until it
is answered), one delivers mail to the BCC address (tried again until 250), one appends to watched mailboxes. What was answered counts.
"""
import argparse
import contextlib
import http.client
import os
import random
import signal
import smtplib
import sys
import threading
import time

sys.dont_write_bytecode = True

import peers
import service
from peers import hold, until

WATCHED = 4
TOO_SOON = (OSError, http.client.HTTPException, smtplib.SMTPException)


class Hand(threading.Thread):
    """Does its work over and over until it is told to stop; what it finished is in `done`."""

    def __init__(self, town, work):
        super().__init__(daemon=True)
        self.town, self.work, self.done, self.ended, self.fault = town, work, [], threading.Event(), None

    def run(self):
        n = 0
        while not self.ended.is_set():
            n += 1
            try:
                self.done.append(self.work(self.town, n, self.ended))
            except Exception as e:      # is told at the end: a hand that is off must not go unnoticed
                self.fault = e
                return

    def stop(self):
        self.ended.set()
        self.join(60)
        hold(not self.is_alive(), "it does not stop")
        if self.fault:
            raise self.fault


def until_answered(ended, attempt):
    """The answer, however often the daemon is killed meanwhile; None when it was too late for one."""
    while True:
        with contextlib.suppress(*TOO_SOON):
            return attempt()
        if ended.is_set():
            return None
        time.sleep(0.02)


def add_account(t, n, ended):
    """(address, id); nobody's domain, so that its verification ends by itself."""
    address = "n%d@nowhere%d.invalid" % (n, n % 7)

    def attempt():
        a = t.daemon.request("POST", "/v1/accounts", {"address": address, "password": "x-%d-y" % n}, headers={"Idempotency-Key": "key-%d" % n})
        if a.status in (429, 503):
            raise OSError(a.text)
        hold(a.status == 201, "POST /v1/accounts: %d %s" % (a.status, a.text[:300]))
        return address, a.json["id"]
    return until_answered(ended, attempt)


def send_mail(t, n, ended):
    """The Message-ID."""
    to, id = t.bcc, "<kill9.%d@oak.example>" % n
    data = "From: <bob@oak.example>\r\nTo: <%s>\r\nSubject: mail %d\r\nMessage-ID: %s\r\n\r\nHello.\r\n" % (to, n, id)

    def attempt():
        with smtplib.SMTP(t.here, t.inbound["smtp"], local_hostname="mx.oak.example", timeout=5) as s:
            s.sendmail("bob@oak.example", [to], data.encode())
        return id
    answered = until_answered(ended, attempt)
    time.sleep(0.05)      # below the limit of messages a minute for one token
    return answered


def append(t, n, ended):
    """(user, subject), once Dovecot has it."""
    user = t.watched[n % WATCHED]
    t.deliver(user, "news %d" % n)
    time.sleep(0.02)
    return user, "news %d" % n


def everything(t, path):
    """All items of a list, page by page."""
    items, after = [], None
    while True:
        page = t.daemon.api("GET", path + ("&after=%s" % after if after else ""))
        items += page["items"]
        after = page.get("next")
        if not after:
            return items


def kill_and_start(t, rounds):
    dice = random.Random(rounds)
    for n in range(rounds):
        time.sleep(dice.choice((0.0, 0.01, 0.05, 0.1, 0.2, 0.4)) * dice.random())
        t.daemon.stop(signal.SIGKILL)
        t.daemon.start()
    return rounds


def accounts_are_right(t, added, connected):
    accounts = {a["id"]: a for a in everything(t, "/v1/accounts?limit=200")}
    addresses = [a["address"] for a in accounts.values()]
    hold(len(addresses) == len(set(addresses)), "an address under two ids")
    for address, id in added:
        hold(id in accounts and accounts[id]["address"] == address, "an account that was answered is lost: %s %s" % (id, address))
    until(lambda: all(t.daemon.account(id)["state"] == "connected" for id in connected), 60, "the watched ones are connected again")

    def settled():
        return not any(a["state"] == "connecting" for a in everything(t, "/v1/accounts?limit=200"))
    until(settled, 60, "every account has a verdict")
    for a in everything(t, "/v1/accounts?limit=200"):
        if a["id"] not in connected:
            hold(a["state"] == "needs_user" and a["cause"]["id"] == "dns.no_such_domain", "a wrong state: %s" % a)


def mail_is_right(t, sent):
    kept = ["<%s>" % (m["message_id"] or "").strip("<>") for m in everything(t, "/v1/mail?limit=200")]
    ours = [m for m in kept if m and m.startswith("<kill9.")]
    hold(len(ours) == len(set(ours)), "a message under two ids")
    hold(set(sent) <= set(ours), "answered 250 and lost: %s" % sorted(set(sent) - set(ours))[:5])


def news_are_right(t, appended):
    def told():
        return sorted(e["data"]["message"]["subject"] for e in t.daemon.events(type="message.received") if "message" in e["data"]
                      and e["data"]["message"].get("subject", "").startswith("news "))
    wanted = sorted(subject for _, subject in appended)
    with contextlib.suppress(peers.Failed):
        until(lambda: told() == wanted, 30, "")
    got = told()
    hold(len(got) == len(set(got)), "a message told twice: %s" % sorted({s for s in got if got.count(s) > 1})[:5])
    hold(got == wanted, "not told: %s" % sorted(set(wanted) - set(got))[:5])


def events_are_right(t):
    events = t.daemon.events()
    ids, seqs = [e["id"] for e in events], [int(e["seq"]) for e in events]
    hold(len(ids) == len(set(ids)), "an event under two numbers")
    hold(seqs == sorted(set(seqs)), "numbers out of order")
    created = [e["account"] for e in events if e["type"] == "account.created"]
    hold(len(created) == len(set(created)), "an account created twice")
    return len(events)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--rounds", type=int, default=200)
    o = parser.parse_args()
    checks = failed = 0
    with service.Town(os.path.join(os.path.abspath(o.build), "mailmoor")) as t:
        t.build()
        t.bcc = t.daemon.api("GET", "/v1/workspace")["bcc_address"]
        t.watched = [t.user() for _ in range(WATCHED)]
        connected = {t.connect(user)["id"] for user in t.watched}
        hands = [Hand(t, work) for work in (add_account, send_mail, append)]
        for h in hands:
            h.start()
        begin = time.monotonic()
        rounds = kill_and_start(t, o.rounds)
        for h in hands:
            h.stop()
        added, sent, appended = ([d for d in h.done if d] for h in hands)
        print("# killed %d times in %.0f s; %d accounts, %d messages to the BCC address, %d in mailboxes" % (
            rounds, time.monotonic() - begin, len(added), len(sent), len(appended)), flush=True)
        for name, check in (("enough was under way", lambda: hold(min(len(added), len(sent), len(appended)) >= o.rounds / 4, "too little load")),
                            ("no account is lost, doubled or in a wrong state", lambda: accounts_are_right(t, added, connected)),
                            ("no mail to the BCC address is lost or doubled", lambda: mail_is_right(t, sent)),
                            ("every new message is told once", lambda: news_are_right(t, appended)),
                            ("events are in order, each once", lambda: events_are_right(t)),
                            ("it stops in order", t.daemon.stop)):
            checks += 1
            try:
                check()
                print("ok " + name, flush=True)
            except Exception as e:
                failed += 1
                print("not ok %s: %s\n%s" % (name, e, t.daemon.said()[-1500:]), flush=True)
    print("%d passed, %d failed" % (checks - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
