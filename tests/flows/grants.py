#!/usr/bin/env python3
"""Mailboxes at Microsoft 365 under the daemon's eyes, against a stand-in for its token endpoint and Graph: connected by a grant, watched, renewed.

    grants.py BUILD [--accounts 60] [--kills 15] [--renewals 500] [--only REGEX]

The stand-in rotates refresh tokens and takes every one that it ever gave. It is under the real names, by [net] connect_to.
"""
import base64
import contextlib
import datetime
import email
import email.policy
import http.server
import json
import os
import random
import re
import signal
import ssl
import sys
import threading
import time
import urllib.parse

sys.dont_write_bytecode = True

import daemon
import peers
import played
from peers import hold, until
from rows import Rows, arguments

DOMAIN = "birch.example"
LOGIN, GRAPH = "login.microsoftonline.com", "graph.microsoft.com"
APP, SECRET = "6b1f5c52-10ad-4b8e-9f2e-c0ffee000001", "heron~Kettle-41"
SCOPES = "User.Read Mail.ReadWrite Mail.Send Calendars.ReadWrite"
DELTA = "/v1.0/me/mailFolders/inbox/messages/delta"
WAIT_S = 20
LONG_S, SHORT_S = 3600, 200      # the second one is always to be renewed by now
row = Rows()


class User:
    def __init__(self, address, number):
        self.address, self.number = address, number
        self.lock = threading.Lock()
        self.given = 0            # grants; the tokens of the n-th are at-NUMBER-n and rt-NUMBER-n
        self.used = 0             # the newest whose access token Graph has seen
        self.access_from = 0      # access tokens before that one are taken no more
        self.lasts = LONG_S
        self.mails, self.touched = [], []
        self.tests = {}           # test messages, by id
        self.calendar = played.Calendar()
        self.refused = None       # (status, document) of the token endpoint
        self.answers = []         # of the next questions for news: (status, fields, body)
        self.renewals = self.at_once = self.most_at_once = 0
        self.faults = []


class Cloud:
    """Both hosts on one port."""

    def __init__(self, address, cert):
        self.users, self.lock = {}, threading.Lock()
        cloud = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, status, document, **fields):
                body = document if isinstance(document, bytes) else json.dumps(document).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **fields}.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                cloud.graph(self, None)

            def do_PATCH(self):
                self.do_POST()

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                if self.headers["Host"] == LOGIN:
                    cloud.token(self, body)
                else:
                    cloud.graph(self, body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 200

            def handle_error(self, *_):      # who is killed in the midst of an answer says nothing
                pass

        self.server = Server((address, 0), Handler)
        self.address, self.port = self.server.server_address
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*cert)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def add(self, address):
        with self.lock:
            u = self.users[address] = User(address, len(self.users))
            self.users[u.number] = u
        return u

    @staticmethod
    def grant(u):
        """The next one, by whoever holds the lock."""
        u.given += 1
        return {"token_type": "Bearer", "scope": SCOPES, "expires_in": u.lasts, "access_token": "at-%d-%d" % (u.number, u.given),
                "refresh_token": "rt-%d-%d" % (u.number, u.given)}

    def token(self, h, body):
        form = dict(urllib.parse.parse_qsl(body))
        found = re.fullmatch(r"rt-(\d+)-(\d+)", form.get("refresh_token", ""))
        if not found or form.get("client_id") != APP or form.get("client_secret") != SECRET or form.get("grant_type") != "refresh_token":
            return h.answer(400, {"error": "invalid_request", "error_codes": [900144]})
        u, n = self.users[int(found[1])], int(found[2])
        with u.lock:
            u.renewals += 1
            u.at_once += 1
            u.most_at_once = max(u.most_at_once, u.at_once)
            if n < u.used:
                u.faults.append("renewed from %d, and %d had been used" % (n, u.used))
        time.sleep(random.random() * 0.02)
        with u.lock:
            u.at_once -= 1
            answer = u.refused or (200, self.grant(u))
        time.sleep(random.random() * 0.02)
        return h.answer(*answer)

    def graph(self, h, body):
        found = re.fullmatch(r"Bearer at-(\d+)-(\d+)", h.headers.get("Authorization", ""))
        u, n = (self.users[int(found[1])], int(found[2])) if found else (None, 0)
        if not u or n < u.access_from or n > u.given:
            return h.answer(401, {"error": {"code": "InvalidAuthenticationToken", "message": "x"}})
        with u.lock:
            u.used = max(u.used, n)
        if h.path.startswith("/v1.0/me?"):
            return h.answer(200, {"id": "0d7f2f9a-46f1-4b2b-9a4a-%012d" % u.number, "mail": u.address, "userPrincipalName": u.address})
        with u.lock:
            dated = u.calendar.graph(h.command, h.path[len("/v1.0/me"):], h.headers.get("Prefer", ""), body) if h.path.startswith("/v1.0/me/") else None
        if dated:
            return h.answer(dated[0], b"" if dated[1] is None else dated[1])
        if h.path == "/v1.0/me/sendMail":
            mail = email.message_from_bytes(base64.b64decode(body), policy=email.policy.default)
            u.tests["test-%d" % len(u.tests)] = {"subject": mail["Subject"], "from": {"emailAddress": {"address": u.address}}}
            return h.answer(202, b"")
        if h.path.startswith("/v1.0/me/mailFolders/") and not h.path.startswith(DELTA):
            return h.answer(200, {"value": [{"id": id, **m} for id, m in u.tests.items()] if "/inbox/" in h.path else []})
        if body and "permanentDelete" in body:
            for q in json.loads(body)["requests"]:
                u.tests.pop(q["url"].split("/")[3], None)
            return h.answer(200, {"responses": [{"id": q["id"], "status": 204} for q in json.loads(body)["requests"]]})
        if body:
            values = [{"id": "inbox"}, {"value": [{"id": "inbox"}]}, {"id": "calendar"}, {"value": []}]
            return h.answer(200, {"responses": [{"id": q["id"], "status": 200, "body": v} for q, v in zip(json.loads(body)["requests"], values)]})
        with u.lock:
            return h.answer(*self.delta(u, h))

    @staticmethod
    def delta(u, h):
        prefer = h.headers.get("Prefer", "")
        size = re.search(r"odata\.maxpagesize=(\d+)", prefer)
        if not size or 'IdType="ImmutableId"' not in prefer:
            u.faults.append("asked without " + prefer)
        if u.answers:
            status, code = u.answers.pop(0)
            return status, {"error": {"code": code, "message": "x"}}
        at, _, token = h.path.partition("?")
        begin, touched, upto, upto_touched = map(int, token.partition("=")[2].split(".")) if "token=" in token else (0, 0, len(u.mails), 0)
        if at != DELTA or ("token=" not in token and token != "$select=subject,from,internetMessageId,receivedDateTime"):
            return 400, {"error": {"code": "BadRequest", "message": h.path}}
        if token.startswith("$deltatoken"):
            upto, upto_touched = len(u.mails), len(u.touched)
        until_here = min(upto, begin + min(int(size[1]), 3))
        items = [{**m, "@odata.etag": "x"} for m in u.mails[begin:until_here] + [u.mails[i] for i in u.touched[touched:upto_touched]]]
        place = "%d.%d.%d.%d" % (until_here, upto_touched, upto, upto_touched)
        link = "https://%s%s?$%s=%s" % (GRAPH, DELTA, "skiptoken" if until_here < upto else "deltatoken", place)
        return 200, {"value": items, "@odata.nextLink" if until_here < upto else "@odata.deltaLink": link}

    def deliver(self, u, subject, ago_s=0):
        received = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=ago_s)
        with u.lock:
            n = len(u.mails)
            u.mails.append({"id": "AAkALgAA-%d-%d-%s" % (u.number, n, "x" * 60), "subject": subject, "internetMessageId": "<%d.%d@oak.example>" % (u.number, n),
                            "receivedDateTime": received.strftime("%Y-%m-%dT%H:%M:%SZ"), "from": {"emailAddress": {"name": "Bob", "address": "bob@oak.example"}}})


class Town(peers.Peers):
    def __init__(self, binary):
        super().__init__()
        self.binary, self.daemon, self.made, self.number = binary, None, [], 0

    def build(self):
        self.names = self.stack.add(peers.Names(self.address()))
        self.cloud = self.stack.add(Cloud(self.address(), self.ca.issue("good", LOGIN, GRAPH)))
        self.names.records |= {(DOMAIN, "MX"): ["10 mx." + DOMAIN], (LOGIN, "A"): [self.cloud.address], (GRAPH, "A"): [self.cloud.address]}
        place = (self.cloud.address, self.cloud.port)
        settings = daemon.network(self.names, self.ca, {(LOGIN, 443): place, (GRAPH, 443): place})
        settings |= {"watch.graph_poll": "1", "watch.grace": "1", "microsoft.client_id": APP, "microsoft.client_secret": SECRET}
        self.daemon = self.stack.add(daemon.Daemon(self.binary, os.path.join(self.folder, "daemon"), settings)).start()

    def user(self):
        self.number += 1
        return self.cloud.add("ann%d@%s" % (self.number, DOMAIN))

    def connect(self, u, state="connected"):
        with u.lock:
            refresh = self.cloud.grant(u)["refresh_token"]
        a = self.daemon.api("POST", "/v1/grants", {"address": u.address, "refresh_token": refresh, "scope": SCOPES})
        self.made.append(a["id"])
        return self.daemon.wait_state(a["id"], state, WAIT_S) if state else a

    def figure(self, name):
        return int(re.search(r"^mailmoor_%s (\d+)$" % name, self.daemon.request("GET", "/metrics").text, re.M)[1])

    def parked(self, count=1):
        return self.figure("mailboxes_parked") >= count

    def told(self, id):
        return [e["data"]["message"]["subject"] for e in self.daemon.events(type="message.received", account=id) if "message" in e["data"]]

    def wait_told(self, id, subjects, seconds=WAIT_S):
        with contextlib.suppress(peers.Failed):
            until(lambda: len(self.told(id)) >= len(subjects), seconds, "")
        hold(sorted(self.told(id)) == sorted(subjects), "told: %s" % self.told(id))

    def tidy(self):
        for id in self.made:
            with contextlib.suppress(peers.Failed):
                self.daemon.api("DELETE", "/v1/accounts/" + id)
        self.made = []


@row
def connected_by_a_grant_and_told_what_is_new(t):
    u = t.user()
    for n in range(7):
        t.cloud.deliver(u, "old %d" % n, 3600)
    a = t.connect(u)
    hold(a["provider"] == "microsoft" and a["cause"] is None, a)
    until(t.parked, WAIT_S, "parked")
    for n in range(5):
        t.cloud.deliver(u, "new %d" % n)
    with u.lock:
        u.touched.append(2)      # an old one is read
    t.wait_told(a["id"], ["new %d" % n for n in range(5)])
    with u.lock:
        u.touched += [8, 9]      # and two that were told
    t.cloud.deliver(u, "new 5")
    t.wait_told(a["id"], ["new %d" % n for n in range(6)])
    one = [e for e in t.daemon.events(type="message.received", account=a["id"])][0]["data"]["message"]
    hold(one["from"] == "bob@oak.example" and one["message_id"].endswith("@oak.example>") and one["received"] > time.time() - 600, one)
    hold(u.faults == [] and u.renewals == 1, "%s, renewed %d times" % (u.faults, u.renewals))


@row
def a_restart_takes_up_where_it_stopped(t):
    u = t.user()
    a = t.connect(u)
    until(t.parked, WAIT_S, "parked")
    t.cloud.deliver(u, "before")
    t.wait_told(a["id"], ["before"])
    t.daemon.stop()
    t.cloud.deliver(u, "meanwhile")
    t.daemon.start()
    t.wait_told(a["id"], ["before", "meanwhile"])
    hold(u.renewals == 1 and u.faults == [], "renewed %d times: %s" % (u.renewals, u.faults))


@row
def a_grant_is_renewed_ahead_of_its_end_and_by_one_at_a_time(t):
    u = t.user()
    u.lasts = SHORT_S
    before = t.figure("microsoft_renewed_total")
    a = t.connect(u)
    until(lambda: u.renewals > 4, WAIT_S, "renewed")
    hold(t.figure("microsoft_renewed_total") >= before + 4 and u.most_at_once == 1, "%d at once" % u.most_at_once)
    # the authority is down, and there is time
    u.refused = (503, {"error": "temporarily_unavailable", "error_codes": [90033]})
    n = u.renewals
    until(lambda: u.renewals > n + 2, WAIT_S, "tried")
    t.cloud.deliver(u, "all the same")
    t.wait_told(a["id"], ["all the same"])
    hold(t.daemon.account(a["id"])["state"] == "connected" and u.faults == [], u.faults)


@row
def a_delta_that_is_forgotten_tells_no_old_mail(t):
    u = t.user()
    for n in range(4):
        t.cloud.deliver(u, "old %d" % n, 3600)
    a = t.connect(u)
    until(t.parked, WAIT_S, "parked")
    t.cloud.deliver(u, "one")
    t.wait_told(a["id"], ["one"])
    with u.lock:
        u.answers.append((410, "SyncStateNotFound"))
    t.cloud.deliver(u, "two")
    t.wait_told(a["id"], ["one", "two"])
    until(lambda: "mailbox.delta_forgotten" in t.daemon.said(), WAIT_S, "said")


@row
def who_is_busy_is_left_alone_and_that_is_shown(t):
    u = t.user()
    a = t.connect(u)
    until(t.parked, WAIT_S, "parked")
    before = t.figure("microsoft_throttled_total")
    with u.lock:
        u.answers.append((429, "ApplicationThrottled"))
    b = t.daemon.wait_state(a["id"], "waiting", WAIT_S)
    left = datetime.datetime.fromisoformat(b["next_try"].replace("Z", "+00:00")).timestamp() - time.time()
    hold(b["cause"]["id"] == "throttle.provider" and 100 < left <= 121, "shown: %s, %d s" % (b, left))
    hold(t.figure("microsoft_throttled_total") == before + 1 and not u.answers, "counted")


@row
def an_outage_of_the_authority_ends_nothing(t):
    u = t.user()
    a = t.connect(u)
    until(t.parked, WAIT_S, "parked")
    u.refused = (503, {"error": "temporarily_unavailable", "error_codes": [90033]})
    u.access_from = u.given + 1
    b = t.daemon.wait_state(a["id"], "waiting", 40)
    hold(b["cause"]["id"] == "server.unavailable", b)
    u.refused = None
    t.cloud.deliver(u, "over")
    t.daemon.wait_state(a["id"], "connected", 40)
    t.wait_told(a["id"], ["over"])


@row
def a_grant_that_was_taken_back_ends_the_tries(t):
    u = t.user()
    a = t.connect(u)
    until(t.parked, WAIT_S, "parked")
    u.refused = (400, {"error": "invalid_grant", "error_description": "AADSTS50173: x", "error_codes": [50173]})
    u.access_from = u.given + 1
    b = t.daemon.wait_state(a["id"], "needs_user", WAIT_S)
    hold(b["cause"]["id"] == "microsoft.sign_in_again" and b["cause"]["certainty"] == "proven" and b["next_try"] is None, b)
    n = u.renewals
    time.sleep(3)
    hold(u.renewals == n, "tried again")
    answer = t.daemon.request("POST", "/v1/accounts/%s/reconnect" % a["id"], {"password": "x"})
    hold(answer.status == 409, "a password for a grant: %d" % answer.status)


@row
def what_an_administrator_mends_is_found_by_itself(t):
    u = t.user()
    a = t.connect(u)
    until(t.parked, WAIT_S, "parked")
    u.refused = (400, {"error": "interaction_required", "error_description": "AADSTS53003: x", "error_codes": [53003]})
    u.access_from = u.given + 1
    b = t.daemon.wait_state(a["id"], "needs_admin", WAIT_S)
    hold(b["cause"]["id"] == "microsoft.conditional_access" and b["next_try"], b)
    u.refused = None
    t.daemon.wait_state(a["id"], "connected", 60)


@row
def killed_while_grants_are_renewed_no_account_loses_its_grant(t):
    users = [t.user() for _ in range(t.accounts)]
    for u in users:
        u.lasts = SHORT_S
    ids = [t.connect(u, None)["id"] for u in users]
    for id in ids:
        t.daemon.wait_state(id, "connected", 60)
    until(lambda: t.parked(len(ids)), 60, "parked: what comes from here on is news")
    dice = random.Random(t.kills)
    for _ in range(t.kills):
        time.sleep(0.3 + 1.5 * dice.random())
        t.daemon.stop(signal.SIGKILL)
        t.daemon.start()
    renewed = sum(u.renewals for u in users)
    t.daemon.stop(signal.SIGKILL)
    for u in users:
        u.lasts = LONG_S
        u.access_from = u.given + 1      # from here on what is stored has to be good for a new one
    t.daemon.start()
    for u in users:
        t.cloud.deliver(u, "after")
    for id in ids:
        t.daemon.wait_state(id, "connected", 60)
    for id in ids:
        t.wait_told(id, ["after"], 60)
    hold(renewed >= t.renewals, "only %d renewals" % renewed)
    hold(not any(u.faults for u in users), [f for u in users for f in u.faults][:5])
    print("# killed %d times during %d renewals of %d accounts" % (t.kills + 1, renewed, t.accounts), flush=True)


@row
def no_token_is_anywhere(t):
    said = t.daemon.said()
    hold(not re.search(r"\b[ar]t-\d+-\d+\b", said) and SECRET not in said, "in the log")
    t.daemon.stop()
    for file in t.daemon.state_files():
        with open(file, "rb") as f:
            held = f.read()
        hold(not re.search(rb"\b[ar]t-\d+-\d+\b", held) and SECRET.encode() not in held, "in " + os.path.basename(file))


def main():
    o = arguments(accounts={"type": int, "default": 60}, kills={"type": int, "default": 15}, renewals={"type": int, "default": 500})
    with Town(os.path.join(os.path.abspath(o.build), "mailmoor")) as town:
        town.accounts, town.kills, town.renewals = o.accounts, o.kills, o.renewals
        town.build()
        return row.run(town, o.only, lambda t: t.tidy())


if __name__ == "__main__":
    sys.exit(main())
