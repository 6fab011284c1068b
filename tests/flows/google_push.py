#!/usr/bin/env python3
"""Mailboxes at Gmail that Google tells us of by Cloud Pub/Sub, against the sandbox's Google: watched, told, renewed, ended; and who is not believed.

    google_push.py BUILD [--only REGEX]

The sandbox pushes to the daemon's base_url, through a front that speaks TLS for it, as a proxy does. Polls are an hour apart unless a row
says otherwise: what is told in time was pushed.
"""
import base64
import json
import os
import signal
import socket
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import daemon
import google_kept
import notices
from google_kept import MAILBOX, WAIT_S
from peers import hold, until
from rows import Rows, arguments

HOOK = "/hooks/google"
HOUR_S = 3600
row = Rows()


class Town(google_kept.Town):
    def __init__(self, binary):
        super().__init__(binary)
        self.front = None

    def open(self, *faults, poll=HOUR_S, base=None, **more):
        self.shut()
        folder = tempfile.mkdtemp(dir=self.folder)
        with socket.create_server(("127.0.0.1", 0)) as s:
            port = s.getsockname()[1]
        self.front = notices.Front(self.ca.issue("good", "localhost"), port)
        here = "https://127.0.0.1:%d" % self.front.server_address[1]
        self.google = google_kept.Google(self.binary, folder, "--push-to", here + HOOK, *(word for f in faults for word in ("--fault", f)))
        self.daemon = daemon.Daemon(self.binary, os.path.join(folder, "daemon"), {
            "web.listen": "127.0.0.1:%d" % port, "web.base_url": base or here,
            "net.resolver": self.google.told["resolver"], "net.ca_file": self.google.told["ca_file"], "net.allow": "127.0.0.0/8",
            "net.connect_to": " ".join(self.google.told["connect_to"]), "google.client_id": self.google.google["client_id"],
            "google.client_secret": self.google.google["client_secret"], "google.pubsub_topic": self.google.google["pubsub_topic"],
            "google.pubsub_account": self.google.google["pubsub_account"], "watch.gmail_poll": str(poll), **more}).start()

    def shut(self):
        super().shut()
        if self.front:
            self.front.shutdown()
            self.front.server_close()
        self.front = None

    def told_of(self, count=1):
        until(lambda: self.figure("google_watches") == count, WAIT_S, "%d that are told of" % count)

    def watches(self):
        return self.asked(MAILBOX + "/watch")

    def asked(self, what):
        return self.google.asked(what)

    def post(self, body, token):
        return self.daemon.request("POST", HOOK, body, key=token.removeprefix("Bearer ") if token else "").status


@row
def a_message_is_told_within_a_second(t):
    t.open()
    id = t.connect()
    t.told_of()
    took = []
    for n in range(4):
        time.sleep(1.2)
        begin = time.monotonic()
        t.send("news %d" % n)
        until(lambda n=n: len(t.told(id)) == n + 1, WAIT_S, "told")
        took.append(time.monotonic() - begin)
    t.wait_told(id, ["news %d" % n for n in range(4)])
    hold(min(took) < 1 and sorted(took)[1] < 1, "it took %s s" % took)
    print("# told after %s s" % ", ".join("%.2f" % s for s in took), flush=True)
    hold(t.figure("google_pushes_total") >= 4 and t.figure("google_pushes_refused_total") == 0 and t.watches() == 1, "pushes: %d" % t.figure("google_pushes_total"))
    hold(t.front.tokens[0].rpartition(".")[2] not in t.daemon.said(), "in the log")


@row
def meanwhile_the_inbox_is_left_alone_and_the_calendar_is_not(t):
    t.open(poll=1)
    t.connect()
    t.told_of()
    time.sleep(1)
    inbox, dates = t.asked("/history"), t.asked("/events")
    until(lambda: t.asked("/events") >= dates + 2, 20, "the calendar")
    hold(t.asked("/history") == inbox, "the inbox was asked %d times" % (t.asked("/history") - inbox))


@row
def a_restart_needs_no_second_watch(t):
    t.open()
    id = t.connect()
    t.told_of()
    t.send("first")
    t.wait_told(id, ["first"])
    for how in (signal.SIGTERM, signal.SIGKILL):
        t.daemon.stop(how)
        t.daemon.start()
        t.daemon.wait_state(id, "connected", WAIT_S)
        t.told_of()
    hold(t.watches() == 1, "asked for %d times" % t.watches())
    t.send("afterwards")
    t.wait_told(id, ["first", "afterwards"])


@row
def it_is_renewed_in_time(t):
    t.open("subscription-life=8")
    id = t.connect()
    t.told_of()
    until(lambda: t.watches() >= 3, 30, "renewed")
    t.send("news")
    t.wait_told(id, ["news"])


@row
def what_google_has_not_signed_for_us_is_let_be(t):
    for wrong in ("audience", "account", "expired", "issuer", "signature", "unverified", "none"):
        t.open("push-token=" + wrong)
        id = t.connect()
        t.told_of()
        polls = t.figure("google_polls_total")
        t.send("news")
        until(lambda: t.figure("google_pushes_refused_total") >= 1, WAIT_S, wrong)
        time.sleep(1.2)
        hold(t.told(id) == [] and t.figure("google_pushes_total") == 0 and t.figure("google_polls_total") == polls, "%s: somebody listened" % wrong)
        # that Google has signed what is not for us is the operator's to know, once; anybody can come with nothing
        said = t.daemon.said().count("google.push_refused")
        hold(said == (wrong not in ("signature", "none")), "%s: said %d times" % (wrong, said))


@row
def what_is_forged_is_let_be(t):
    t.open()
    id = t.connect()
    t.told_of()
    t.send("news")
    t.wait_told(id, ["news"])
    time.sleep(1.5)
    token, body = t.front.tokens[0], json.loads(t.front.heard[0][1])
    before = t.figure("google_polls_total"), t.figure("google_pushes_total")
    head, claims, signature = token.split(".")
    said = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    other = base64.urlsafe_b64encode(json.dumps({**said, "exp": said["exp"] + 1}).encode()).decode().rstrip("=")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    for forged in (None, "Bearer x", "Bearer mm_guess", "Bearer .." , "Bearer " + "A" * 3000, ".".join((head, other, signature)),
                   ".".join((head, claims, signature[:-8] + "AAAAAAAA")), "Bearer %s.%s." % (unsigned, claims)):
        hold(t.post(body, forged) == 401, forged)
    # proven, and of nobody whom we know, or nothing that Gmail says
    stranger = base64.b64encode(b'{"emailAddress":"nobody@elsewhere.example","historyId":"7"}').decode()
    hold(t.post({**body, "message": {**body["message"], "data": stranger}}, token) == 200, "a stranger's")
    for broken in ({}, {"message": {}}, {"message": {"data": "?"}}):
        hold(t.post(broken, token) == 400, broken)
    time.sleep(1.5)
    hold((t.figure("google_polls_total"), t.figure("google_pushes_total")) == before, "somebody listened")
    # whoever has overheard one has a poll of it, and no more
    hold(t.post(body, token) == 200, "replayed")
    until(lambda: t.figure("google_polls_total") == before[0] + 1, WAIT_S, "asked")


@row
def where_the_topic_is_refused_it_is_polled_and_said_once(t):
    for word in ("forbidden", "notFound", "invalidArgument"):
        t.open("google=%s@/watch" % word, poll=1)
        id = t.connect()
        t.send("news")
        t.wait_told(id, ["news"])
        until(lambda: t.figure("google_polls_total") > 5, WAIT_S, "polled")
        hold(t.figure("google_watches") == 0 and t.watches() == 1 and t.daemon.account(id)["state"] == "connected", "asked %d times" % t.watches())
        said = [line for line in t.daemon.said().split("\n") if "mailbox.untold" in line]
        hold(len(said) == 1 and t.google.google["pubsub_topic"] in said[0], said)


@row
def a_gmail_that_is_busy_with_that_is_polled(t):
    t.open("google=unavailable@/watch", poll=1)
    id = t.connect()
    t.send("news")
    t.wait_told(id, ["news"])
    until(lambda: t.figure("google_polls_total") > 3, WAIT_S, "polled")
    hold(t.watches() == 1 and t.daemon.account(id)["state"] == "connected", "asked %d times" % t.watches())


@row
def without_https_none_is_asked_for(t):
    t.open(poll=1, base="http://127.0.0.1:1")
    id = t.connect()
    t.send("news")
    t.wait_told(id, ["news"])
    hold(t.watches() == 0 and t.post({}, None) == 404, "asked for")


@row
def who_is_gone_is_told_of_no_more(t):
    t.open()
    id = t.connect()
    t.told_of()
    t.daemon.api("POST", "/v1/accounts/%s/pause" % id)
    until(lambda: t.asked(MAILBOX + "/stop") == 1, WAIT_S, "ended")
    t.told_of(0)
    t.daemon.api("POST", "/v1/accounts/%s/resume" % id)
    t.told_of()
    t.send("news")
    t.wait_told(id, ["news"])
    t.daemon.api("DELETE", "/v1/accounts/" + id)
    until(lambda: t.asked(MAILBOX + "/stop") == 2 and t.asked("/revoke") == 1, WAIT_S, "ended")
    t.told_of(0)


@row
def who_wants_it_no_more_ends_it(t):
    t.open(poll=1)
    id = t.connect()
    t.told_of()
    t.daemon.stop()
    for name in ("google.pubsub_topic", "google.pubsub_account"):
        t.daemon.settings.pop(name)
    t.daemon.start()
    until(lambda: t.asked(MAILBOX + "/stop") == 1, WAIT_S, "ended")
    t.send("news")
    t.wait_told(id, ["news"])
    hold(t.figure("google_watches") == 0 and t.watches() == 1 and "watch" not in t.cursor(id), "still told of")


@row
def many_at_once_are_one_question_or_two(t):
    t.open()
    id = t.connect()
    t.told_of()
    time.sleep(1.5)
    before = t.figure("google_polls_total")
    for n in range(12):
        t.send("news %d" % n)
    t.wait_told(id, ["news %d" % n for n in range(12)])
    until(lambda: t.figure("google_pushes_total") >= 12, WAIT_S, "pushes")
    time.sleep(1.5)
    hold(t.figure("google_polls_total") - before <= 6, "%d questions" % (t.figure("google_polls_total") - before))


def main():
    o = arguments()
    with Town(os.path.join(os.path.abspath(o.build), "mailmoor")) as town:
        return row.run(town, o.only)


if __name__ == "__main__":
    sys.exit(main())
