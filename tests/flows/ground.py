#!/usr/bin/env python3
"""The running daemon when what it stands on gives way: the clock is set, the disk is read-only or full, somebody else holds the database, and
proxies lie about who comes through them, or hang.

    ground.py BUILD [--only REGEX]
"""
import base64
import contextlib
import errno
import hashlib
import hmac
import http.client
import http.server
import json
import mmap
import os
import re
import signal
import smtplib
import socket
import sqlite3
import struct
import subprocess
import sys
import threading
import time
import urllib.parse

sys.dont_write_bytecode = True

import daemon
import peers
import service
from peers import DOMAIN, PASSWORD, hold, until
from rows import Rows, arguments

HOUR, DAY = 3600, 24 * 3600
ASKED_A_DAY = 10              # refused passwords, as serve/state.h has it; the last verification may spend two
PATIENCE_S = 5                # with somebody else's lock, as store/sqlite.c has it
PROXY = "127.77.0.1"          # of ours, trusted
row = Rows()


class Whims:
    """What whims.c reads: by how much the clock is off, and what writing ends with."""

    def __init__(self, path):
        with open(path, "wb") as f:
            f.write(bytes(16))
        self.file = open(path, "r+b")
        self.map = mmap.mmap(self.file.fileno(), 16)
        self.path = path

    def set_clock(self, seconds):
        self.map[0:8] = struct.pack("q", int(seconds * 1e9))

    def writing_ends_with(self, number):
        self.map[8:16] = struct.pack("q", number)

    def close(self):
        self.map.close()
        self.file.close()


class Receiver:
    """Of webhooks; while `well` is false it refuses them."""

    def __init__(self, address):
        self.heard, self.refused, self.well = [], 0, True
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if receiver.well:
                    receiver.heard.append((dict(self.headers.items()), body))
                else:
                    receiver.refused += 1
                self.send_response(200 if receiver.well else 500)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((address, 0), Handler)
        self.url = "http://%s:%d/hook" % self.server.server_address[:2]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def ids(self, account=None):
        events = [json.loads(body) for _, body in self.heard]
        return [e["id"] for e in events if account is None or e["account"] == account]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Ground(service.Town):
    def build(self):
        self.whims = self.stack.add(Whims(os.path.join(self.folder, "whims")))
        super().build()
        self.daemon.stop()
        library = os.path.join(os.path.dirname(self.binary), "tests", "libwhims.so")
        self.daemon.wrapper = ["env", "LD_PRELOAD=" + library, "TEST_WHIMS=" + self.whims.path]
        if peers.has_sanitizer(self.binary):
            self.daemon.wrapper.append("ASAN_OPTIONS=verify_asan_link_order=0:" + os.environ.get("ASAN_OPTIONS", ""))
        self.daemon.settings["web.trusted_proxies"] = PROXY
        self.daemon.start()
        self.receiver = self.stack.add(Receiver(self.here))
        self.hook = self.daemon.api("POST", "/v1/webhooks", {"url": self.receiver.url})
        hold(self.hook["secret"].startswith("whsec_"), "no secret: %s" % self.hook)

    def tidy(self):
        self.whims.set_clock(0)
        self.whims.writing_ends_with(0)
        self.receiver.well = True
        if self.daemon.popen.poll() is None:
            until(self.ready, 15, "ready again")
        super().tidy()

    def ready(self):
        return self.daemon.request("GET", "/readyz", key="").status == 200

    def held(self, *addresses):
        until(lambda: set(addresses) <= service.who(self), 20, "held: %s" % (addresses,))

    def signed_in(self):
        """How often anybody did, and tried to."""
        log = self.dovecot.log()
        return len(re.findall(r"Login: ", log)), log.count("auth failed")

    def jumps(self):
        return [int(n) for n in re.findall(r" clock\.set by_ms=(-?\d+)", self.daemon.said())]

    def set_clock(self, seconds):
        """And until the daemon has noticed."""
        count = len(self.jumps())
        self.whims.set_clock(seconds)
        until(lambda: len(self.jumps()) > count, 5, "it notices that the clock was set")


def path_of(url):
    return urllib.parse.urlsplit(url).path


# -- the clock --------------------------------------------------------------------------------------------------------------------

@row
def a_clock_that_jumps_costs_no_login_and_loses_no_mail(t):
    accounts = [t.connect() for _ in range(4)]
    t.held(*(a["address"] for a in accounts))
    logins = t.signed_in()
    told = []
    for n, off in enumerate((3 * HOUR, 3 * DAY, 400 * DAY, 0, -3 * HOUR, -3 * DAY, 0)):
        t.set_clock(off)
        hold(abs(t.jumps()[-1] / 1000 - (off - (told[-1][1] if told else 0))) < 3, "what it says of it: %s" % t.jumps()[-1])
        told.append(("mail %d" % n, off))
        heard = len(t.receiver.heard)
        t.deliver(accounts[0]["address"], "mail %d" % n)
        logins = logins[0] + 1, logins[1]      # by this other client
        t.wait_news(accounts[0]["id"], [s for s, _ in told])
        until(lambda: len(t.receiver.heard) > heard, 10, "the webhook")
        headers, body = t.receiver.heard[-1]
        # of the time that its clock shows, neither of the one when it was started nor of a mixture
        hold(abs(int(headers["webhook-timestamp"]) - (time.time() + off)) < 10, "signed with %s" % headers["webhook-timestamp"])
        signed = ("%s.%s." % (headers["webhook-id"], headers["webhook-timestamp"])).encode() + body
        right = base64.b64encode(hmac.new(base64.b64decode(t.hook["secret"][6:]), signed, hashlib.sha256).digest()).decode()
        hold("v1," + right in headers["webhook-signature"].split(), "the signature")
    time.sleep(2)
    hold(t.signed_in() == logins, "logins: %s, not %s" % (t.signed_in(), logins))
    for a in accounts:
        hold(t.daemon.account(a["id"])["state"] == "connected", "after it: %s" % t.daemon.account(a["id"]))
    t.held(*(a["address"] for a in accounts))
    ids = t.receiver.ids(accounts[0]["id"])
    hold(len(ids) == len(set(ids)), "told twice: %s" % ids)


@row
def no_try_comes_early_or_late_because_the_clock_was_set(t):
    tries = []

    def refuse(s):
        tries.append(time.monotonic())
        s.close()
    down = t.stack.add(peers.Listener(t.address(), refuse))
    t.names.records["down." + DOMAIN, "A"] = [down.address]
    user = t.user()
    id = t.add({"address": user, "password": PASSWORD, "imap": {"host": "down." + DOMAIN, "port": down.port},
                "smtp": {"host": "down." + DOMAIN, "port": down.port}})
    t.daemon.wait_state(id, ("needs_user", "needs_admin", "waiting", "failed"), 20)
    time.sleep(0.5)
    first = tries[-1]
    t.set_clock(DAY)
    time.sleep(5)
    hold(tries[-1] == first, "a day forward: tried %.1f s later, which is too early" % (tries[-1] - first))
    t.set_clock(-DAY)
    # 15 s, a quarter more or less
    until(lambda: tries[-1] > first, 19 - (time.monotonic() - first) + 5, "a try in its time, though the clock went back by two days")
    hold(10 < tries[-1] - first, "after %.1f s" % (tries[-1] - first))


@row
def who_sets_the_clock_gets_no_new_budget_of_passwords(t):
    user = t.user()
    a = t.connect(user, service.WRONG, ("needs_user", "needs_admin"))

    def press(times):
        for n in range(times):
            answer = t.daemon.request("POST", "/v1/accounts/%s/verify" % a["id"])
            hold(answer.status in (200, 409), "answered %d %s" % (answer.status, answer.text))
            t.daemon.wait_state(a["id"], ("needs_user", "needs_admin"), 10)
        return answer.status
    before = t.signed_in()[1]
    press(ASKED_A_DAY)
    spent = t.signed_in()[1]
    hold(press(1) == 409 and t.signed_in()[1] == spent, "one more is tried, though the day's budget is spent")
    hold(t.daemon.request("POST", "/v1/accounts/%s/reconnect" % a["id"], {"password": PASSWORD}).status == 409, "and with another password")
    hold(spent - before <= ASKED_A_DAY + 1, "%d were tried" % (spent - before))
    t.set_clock(2 * DAY)
    hold(press(1) == 409 and t.signed_in()[1] == spent, "two days on by the clock, and tried again")
    t.set_clock(0)
    t.daemon.stop()
    t.daemon.start()
    hold(press(1) == 409 and t.signed_in()[1] == spent, "tried again after a restart")
    hold(t.daemon.account(a["id"])["cause"]["id"] == "auth.password_rejected", "what it shows: %s" % t.daemon.account(a["id"]))


@row
def what_has_expired_stays_so(t):
    cookies = {}

    def state(path):
        answer = t.daemon.request("GET", path, key="", headers={"Cookie": cookies[path]} if path in cookies else {})
        cookies.setdefault(path, (answer.headers["Set-Cookie"] or "").split(";")[0])
        return answer.status
    made = {name: path_of(t.daemon.api("POST", "/v1/connect-links", {"expires_in": 300 if name == "short" else HOUR})["url"]) for name in ("short", "long")}
    hold(state(made["short"]) == 200 and state(made["long"]) == 200, "they do not open")
    t.set_clock(400)
    hold(state(made["short"]) == 410, "expired: %d" % state(made["short"]))
    t.set_clock(-DAY)
    until(lambda: state(made["short"]) == 410, 3, "an expired link stays so when the clock goes back")
    t.daemon.stop()
    t.daemon.start()
    hold(state(made["short"]) == 410, "after a restart it opens again")
    fresh = path_of(t.daemon.api("POST", "/v1/connect-links", {"expires_in": 300})["url"])
    hold(state(fresh) == 200, "a new link does not open after the clock went back")


@row
def a_delivery_waits_no_longer_because_the_clock_went_back(t):
    t.set_clock(2 * DAY)
    t.receiver.well = False
    t.daemon.api("POST", "/v1/webhooks/%s/test" % t.hook["id"])
    until(lambda: t.receiver.refused, 10, "the first try")
    time.sleep(0.5)
    t.receiver.well = True
    heard = len(t.receiver.heard)
    t.set_clock(0)
    until(lambda: len(t.receiver.heard) > heard, 40, "the next try")


@row
def a_store_from_the_future_is_looked_after(t):
    """Started with a clock that is days ahead, then with the right one: nothing waits for those days."""
    t.daemon.stop()
    t.whims.set_clock(5 * DAY)      # certificates are good that long
    t.daemon.start()
    a = t.connect()
    id = t.add({"address": t.user(), "password": PASSWORD, "imap": {"host": "nowhere." + DOMAIN, "port": 1}})
    t.daemon.wait_state(id, ("needs_user", "needs_admin", "waiting"), 30)
    t.daemon.stop()
    t.whims.set_clock(0)
    begun = t.daemon.said().count("verify.begin account=" + id)
    t.daemon.start()
    t.held(a["address"])
    until(lambda: t.daemon.said().count("verify.begin account=" + id) > begun, 20, "the one that failed is tried again")
    hold(t.daemon.account(a["id"])["state"] == "connected", "it is %s" % t.daemon.account(a["id"]))


# -- the database -----------------------------------------------------------------------------------------------------------------

class Load:
    """Accounts added and BCC mail sent by several at a time; what was accepted must be there afterwards."""

    def __init__(self, t):
        self.t, self.ended, self.accounts, self.mails, self.statuses, self.slowest = t, threading.Event(), set(), set(), [], 0
        self.token = t.daemon.api("GET", "/v1/workspace")["bcc_address"]
        self.threads = [threading.Thread(target=f, args=(n,)) for n in range(2) for f in (self.add, self.send)]
        for thread in self.threads:
            thread.start()

    def add(self, n):
        count = 0
        while not self.ended.is_set():
            count += 1
            begin = time.monotonic()
            answer = self.t.daemon.request("POST", "/v1/accounts", {"address": "x%d.%d.%d@nowhere.example" % (id(self) % 10000, n, count), "password": PASSWORD})
            self.slowest = max(self.slowest, time.monotonic() - begin)
            self.statuses.append(answer.status)
            if answer.status == 201:
                self.accounts.add(answer.json["id"])
            time.sleep(0.05)

    def send(self, n):
        count = 0
        while not self.ended.is_set():
            count += 1
            with contextlib.suppress(OSError, smtplib.SMTPException):
                with smtplib.SMTP(self.t.here, self.t.inbound["smtp"], timeout=20, source_address=("127.78.%d.%d" % (n, count % 250 + 1), 0)) as s:
                    subject = "load-%d-%d-%d" % (id(self) % 10000, n, count)
                    s.sendmail("bob@oak.example", [self.token], "Subject: %s\r\n\r\nHello.\r\n" % subject)
                    self.mails.add(subject)
            time.sleep(0.05)

    def end(self):
        self.ended.set()
        for thread in self.threads:
            thread.join()
        return self

    def is_kept(self):
        hold(self.accounts and self.mails, "there was no load: %d, %d" % (len(self.accounts), len(self.mails)))
        known = set(everything(self.t, "/v1/accounts"))
        hold(self.accounts <= known, "accepted and lost: %s" % (self.accounts - known))
        subjects = [m["subject"] for m in everything(self.t, "/v1/mail").values()]
        hold(self.mails <= set(subjects), "accepted and lost: %s" % (self.mails - set(subjects)))
        hold(len([s for s in subjects if s and s in self.mails]) == len(self.mails), "a message is there twice")
        for id in self.accounts:
            self.t.daemon.api("DELETE", "/v1/accounts/" + id)


def everything(t, path):
    found, after = {}, None
    while True:
        page = t.daemon.api("GET", path + "?limit=200" + ("&after=" + urllib.parse.quote(after) if after else ""))
        found |= {item["id"]: item for item in page["items"]}
        after = page.get("next")
        if not after:
            return found


@contextlib.contextmanager
def somebody_elses_lock(t):
    with contextlib.closing(sqlite3.connect(os.path.join(t.daemon.folder, "state", "mailmoor.db"), timeout=20, isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            db.execute("ROLLBACK")


def lines_of(t, what):
    return [line for line in t.daemon.said().split("\n") if " %s " % what in line or line.endswith(" " + what)]


def survives(t, trouble, seconds, why):
    """Under load, while a mailbox gets mail: refused in time and said so, whole again by itself, and nothing that was accepted is lost."""
    a = t.connect()
    t.held(a["address"])
    said, again = len(lines_of(t, "store.unwritable")), len(lines_of(t, "store.writable"))
    load = Load(t)
    time.sleep(0.5)
    try:
        with trouble:
            end = time.monotonic() + seconds
            t.deliver(a["address"], "meanwhile")
            until(lambda: not t.ready(), PATIENCE_S + 4, "/readyz says that nothing can be kept")
            time.sleep(max(0, end - time.monotonic()))
            hold(not t.ready() and t.daemon.request("GET", "/healthz", key="").status == 200, "it runs, and is not ready")
            begin = time.monotonic()
            hold(t.daemon.request("GET", "/v1/accounts?limit=1").status == 200 and time.monotonic() - begin < 2, "what is only read waits")
            answer = t.daemon.request("POST", "/v1/accounts", {"address": t.user(), "password": PASSWORD})
            hold(answer.status == 503 and answer.headers["Retry-After"], "answered %d %s" % (answer.status, answer.text))
        until(t.ready, 8, "ready again, by itself")
        time.sleep(0.5)
    finally:
        load.end()
    hold(503 in load.statuses and set(load.statuses) <= {201, 503, 429}, "answers: %s" % set(load.statuses))
    hold(load.slowest < 3 * PATIENCE_S, "one was answered after %.1f s" % load.slowest)
    hold(len(lines_of(t, "store.unwritable")) > said and why in lines_of(t, "store.unwritable")[said], "the log: %s" % lines_of(t, "store.unwritable")[said:])
    hold(len(lines_of(t, "store.writable")) > again, "the log does not say that it is over")
    t.wait_news(a["id"], ["meanwhile"], 60)
    load.is_kept()


@row
def a_database_that_is_locked_for_a_moment_is_waited_for(t):
    with somebody_elses_lock(t):
        answers = []
        asks = threading.Thread(target=lambda: answers.append(t.daemon.request("POST", "/v1/connect-links", {}).status))
        asks.start()
        time.sleep(2)
        hold(not answers, "answered while locked: %s" % answers)
        hold(t.daemon.request("GET", "/v1/accounts?limit=1").status == 200, "what is only read waits")
    asks.join(5)
    hold(answers == [201] and t.ready(), "answered: %s" % answers)


@row
def a_database_that_is_locked_for_long_is_said_and_waited_for(t):
    survives(t, somebody_elses_lock(t), 10 + PATIENCE_S, "locked")


@contextlib.contextmanager
def ill(t, number):
    t.whims.writing_ends_with(number)
    try:
        yield
    finally:
        t.whims.writing_ends_with(0)


@row
def a_disk_that_became_read_only_is_said_and_waited_for(t):
    survives(t, ill(t, errno.EROFS), 6, "")


@row
def a_disk_that_breaks_is_said_and_waited_for(t):
    survives(t, ill(t, errno.EIO), 6, "")


@contextlib.contextmanager
def full(folder):
    """A real one: a file that takes all there is."""
    ballast = os.path.join(folder, "ballast")
    try:
        with open(ballast, "wb", buffering=0) as f, contextlib.suppress(OSError):
            for size in (1 << 16, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while True:
                        f.write(b"x" * size)
        yield
    finally:
        os.unlink(ballast)


@row
def a_disk_that_is_full_is_said_and_waited_for(t):
    state = os.path.join(t.daemon.folder, "state")
    t.daemon.stop()
    os.rename(state, state + ".aside")
    os.mkdir(state, 0o700)
    mounted = peers.ROOT and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24M,mode=700", "tmpfs", state], stderr=subprocess.DEVNULL).returncode == 0
    subprocess.run(["cp", "-a", state + ".aside/.", state], check=True)
    try:
        t.daemon.start()
        if mounted:
            survives(t, full(state), 6, "full")
        else:
            survives(t, ill(t, errno.ENOSPC), 6, "full")
        t.daemon.stop()
        with contextlib.closing(sqlite3.connect(os.path.join(state, "mailmoor.db"))) as db:
            hold(db.execute("PRAGMA integrity_check").fetchone()[0] == "ok", "it is damaged")
    finally:
        t.daemon.stop(signal.SIGKILL)
        subprocess.run(["cp", "-a", state + "/.", state + ".aside"], check=True)
        if mounted:
            subprocess.run(["umount", state], check=True)
        peers.shutil.rmtree(state)
        os.rename(state + ".aside", state)
        t.daemon.start()


# -- proxies ----------------------------------------------------------------------------------------------------------------------

def through_proxy(t, head, path="/v1/accounts", seconds=10, source=PROXY):
    """What our proxy passes on: the lines as they are. (status, whole answer); None for a connection that was closed without one."""
    with socket.create_connection((t.daemon.address, t.daemon.port), timeout=seconds, source_address=(source, 0)) as s:
        with contextlib.suppress(ConnectionError):
            s.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" % path.encode() + head + b"\r\n")
        said = b""
        with contextlib.suppress(ConnectionError):
            while piece := s.recv(65536):
                said += piece
    return (int(said.split(b" ")[1]) if said else None), said


def wrong_key(n=0):
    return b"Authorization: Bearer mm_%040d\r\n" % n


def in_the_log(t, head, source=PROXY):
    """As whom it has a change that came with these lines."""
    key = b"Authorization: Bearer " + t.daemon.key.encode() + b"\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    with socket.create_connection((t.daemon.address, t.daemon.port), timeout=10, source_address=(source, 0)) as s:
        s.sendall(b"POST /v1/connect-links HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + head + key)
        said = b""
        while piece := s.recv(65536):
            said += piece
    hold(said.startswith(b"HTTP/1.1 201 "), "answered: %r" % said[:60])
    id = re.search(rb"X-Request-Id: (\w+)", said)[1].decode()
    until(lambda: "request=" + id in t.daemon.said(), 5, "the log")
    return re.search(r"request=%s .* client=(\S+)" % id, t.daemon.said())[1]


@row
def what_a_client_made_up_in_front_of_our_proxy_counts_for_nothing(t):
    """The proxy adds the true client at the end, to the client's own line or as one below it."""
    for n, (form, client) in enumerate(((b"X-Forwarded-For: 203.0.113.%d, %s\r\n", b"198.51.100.1"), (b"X-Forwarded-For: 203.0.113.%d\r\nX-Forwarded-For: %s\r\n", b"198.51.100.2"),
                                       (b"Forwarded: for=203.0.113.%d\r\nX-Real-IP: 203.0.113.9\r\nX-Forwarded-For: %s\r\n", b"198.51.100.3"))):
        statuses = [through_proxy(t, form % (k, client) + wrong_key(k))[0] for k in range(60)]
        hold(429 in statuses and set(statuses) <= {401, 429}, "%r: 60 wrong keys as 60 clients: %s" % (form, set(statuses)))
        hold(in_the_log(t, form % (1, client)) == client.decode(), "%r: the true client is not in the log" % form)
    hold("client=203.0.113." not in t.daemon.said(), "what was made up is in the log")
    hold(through_proxy(t, b"X-Forwarded-For: 198.51.100.9\r\n" + wrong_key())[0] == 401, "others suffer for it")


@row
def who_is_no_proxy_of_ours_is_who_he_is(t):
    source = "127.77.9.9"
    statuses = [through_proxy(t, b"X-Forwarded-For: 203.0.114.%d\r\nForwarded: for=203.0.114.%d\r\n" % (k, k) + wrong_key(k), source=source)[0] for k in range(60)]
    hold(429 in statuses, "60 wrong keys as 60 clients: %s" % set(statuses))
    hold(in_the_log(t, b"X-Forwarded-For: 203.0.114.1\r\n", source) == source and "client=203.0.114." not in t.daemon.said(), "the log believes it")


@row
def nonsense_from_a_proxy_is_bounded(t):
    nonsense = [b"X-Forwarded-For: " + text + b"\r\n" for text in (
        b"", b",", b"," * 4000, b"unknown", b"_hidden", b"1.2.3.4.5", b"[::1", b"::ffff:1.2.3.4, \xff\xfe", b"1" * 4000, b"198.51.100.4:99999999999",
        b"198.51.100.5, " * 400 + b"x", b"%0d%0aX: y", b"0x7f000001", b"\x01\x1b[31m", b"127.77.0.1, " * 400)]
    nonsense += [b"X-Forwarded-For: 198.51.100.6\r\n" * 150, b"X-Forwarded-For: " + b"9" * 65536 + b"\r\n", (b"X-Forwarded-For: " + b"198.51.100.7," * 100 + b"\r\n") * 50,
                 b"X-Forwarded-Proto: " + b"https," * 1000 + b"\r\n"]
    for head in nonsense:
        begin = time.monotonic()
        status, _ = through_proxy(t, head, "/healthz")
        hold(status in (200, 400, 431, None) and time.monotonic() - begin < 2, "%r…: %s after %.1f s" % (head[:60], status, time.monotonic() - begin))
    for line in t.daemon.said().split("\n"):
        hold(len(line) < 2100 and all(" " <= c for c in line), "the log: %r" % line[:200])
    hold(t.ready(), "it is not ready")


@row
def proxies_that_hang_keep_nobody_waiting(t):
    """In the middle of the request, of its body, and of the answer, which is not read."""
    starts = (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 198.51.100.%d\r\nX-A: ",
              b"POST /v1/accounts HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 198.51.100.%%d\r\nContent-Type: application/json\r\nContent-Length: 2000\r\nAuthorization: Bearer %s\r\n\r\n{" % t.daemon.key.encode(),
              b"GET /openapi.json HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 198.51.100.%d\r\n\r\n" * 4)
    clients = []
    try:
        for n in range(300):
            s = socket.socket()
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.settimeout(5)
            s.bind((PROXY, 0))
            s.connect((t.daemon.address, t.daemon.port))
            start = starts[n % len(starts)]
            s.sendall(start % ((n % 250,) * start.count(b"%d")))
            clients.append(s)
        worst = 0
        for _ in range(5):
            begin = time.monotonic()
            hold(t.daemon.request("GET", "/healthz", key="").status == 200 and t.daemon.request("GET", "/v1/accounts?limit=1").status == 200, "no answer")
            worst = max(worst, time.monotonic() - begin)
        hold(worst < 2, "answered after %.1f s" % worst)
        until(lambda: service.metric(t, "mailmoor_http_connections") < 20, 90, "those who hang are cut off")
    finally:
        for s in clients:
            s.close()


@row
def the_daemon_is_still_the_same(t):
    hold(t.daemon.popen.poll() is None and t.ready(), "it is not")
    hold("ERROR: " not in t.daemon.said() and "runtime error" not in t.daemon.said(), "a sanitizer speaks")


def main():
    o = arguments()
    with Ground(os.path.join(os.path.abspath(o.build), "mailmoor")) as t:
        t.build()
        return row.run(t, o.only, Ground.tidy)


if __name__ == "__main__":
    sys.exit(main())
