#!/usr/bin/env python3
"""What others see of the running daemon: figures, the stream of events, and whether it is ready.

    observe.py BUILD [--only REGEX]
"""
import json
import os
import re
import resource
import select
import shutil
import socket
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True

import daemon
import peers
from peers import hold, until
from rows import Rows, arguments

HERE = os.path.dirname(os.path.abspath(__file__))
EVENTS = 200
# Dashboards and alerts are built on these: a name or a type that changes breaks them.
METRICS = {
    "mailmoor_accounts": "gauge", "mailmoor_mailboxes_parked": "gauge", "mailmoor_mailboxes_opening": "gauge", "mailmoor_mailboxes_waiting": "gauge",
    "mailmoor_verifications_running": "gauge", "mailmoor_searches_running": "gauge", "mailmoor_connects_total": "counter", "mailmoor_losses_total": "counter",
    "mailmoor_exchange_streams": "gauge", "mailmoor_exchange_notifications_total": "counter", "mailmoor_exchange_polls_total": "counter",
    "mailmoor_exchange_throttled_total": "counter", "mailmoor_microsoft_polls_total": "counter", "mailmoor_microsoft_subscriptions": "gauge",
    "mailmoor_microsoft_notifications_total": "counter", "mailmoor_microsoft_throttled_total": "counter",
    "mailmoor_microsoft_renewed_total": "counter", "mailmoor_google_polls_total": "counter", "mailmoor_google_throttled_total": "counter",
    "mailmoor_google_renewed_total": "counter",
    "mailmoor_messages_total": "counter", "mailmoor_store_writable": "gauge", "mailmoor_store_commits_total": "counter",
    "mailmoor_store_writes_total": "counter", "mailmoor_store_failed_total": "counter", "mailmoor_store_waiting": "gauge",
    "mailmoor_deliveries_waiting": "gauge", "mailmoor_deliveries_given_up": "gauge", "mailmoor_incidents_open": "gauge",
    "mailmoor_http_answers_total": "counter", "mailmoor_http_too_many_total": "counter", "mailmoor_http_refused_connections_total": "counter",
    "mailmoor_http_cut_connections_total": "counter", "mailmoor_http_connections": "gauge", "mailmoor_http_streams": "gauge",
    "mailmoor_start_time_seconds": "gauge"}
row = Rows()


class House(peers.Peers):
    def __init__(self, binary, node):
        super().__init__()
        self.binary, self.node = binary, node

    def build(self):
        here = self.address()
        self.names = self.stack.add(peers.Names(here))
        # a file that may not grow is an error to be told of, and not the end
        self.daemon = self.stack.add(daemon.Daemon(self.binary, os.path.join(self.folder, "daemon"), {"net.resolver": "%s:%d" % (here, self.names.port)},
                                                   wrapper=["sh", "-c", 'trap "" XFSZ; exec "$@"', "sh"])).start()

    def account(self, n):
        id = self.daemon.api("POST", "/v1/accounts", {"address": "ann%d@%s" % (n, peers.DOMAIN), "password": peers.PASSWORD})["id"]
        self.daemon.wait_state(id, ("needs_user", "needs_admin", "waiting"))
        return id

    def metrics(self):
        answer = self.daemon.request("GET", "/metrics")
        hold(answer.status == 200, "/metrics: %d" % answer.status)
        return answer.text


def figure(text, name):
    return float(re.search(r"^%s (\S+)$" % re.escape(name), text, re.M)[1])


@row
def promtool_accepts_the_figures(h):
    h.account(1)
    done = subprocess.run(["promtool", "check", "metrics"], input=h.metrics(), capture_output=True, text=True)
    hold(done.returncode == 0 and not (done.stdout + done.stderr).strip(), "promtool: %d %s%s" % (done.returncode, done.stdout, done.stderr))


@row
def names_and_types_are_those_that_were_promised(h):
    text = h.metrics()
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
    hold({k: v for k, v in types.items() if k in METRICS} == METRICS, "missing or other: %s" % {k: (v, types.get(k)) for k, v in METRICS.items() if types.get(k) != v})
    hold(set(re.findall(r"^# HELP (\S+) ", text, re.M)) == set(types), "a figure without help, or without type")
    hold({m for m in re.findall(r"^(\w+)[ {]", text, re.M)} <= set(types), "a sample without type")


@row
def figures_follow_what_happens(h):
    before = h.metrics()
    h.account(2)
    for _ in range(3):
        h.daemon.request("GET", "/v1/accounts/nobody")
    after = h.metrics()
    hold(figure(after, "mailmoor_store_commits_total") > figure(before, "mailmoor_store_commits_total"), "no commits are counted")
    hold(figure(after, 'mailmoor_http_answers_total{class="4xx"}') >= figure(before, 'mailmoor_http_answers_total{class="4xx"}') + 3, "404s are not counted")
    accounts = sum(float(n) for n in re.findall(r"^mailmoor_accounts\{\S*\} (\S+)$", after, re.M))
    hold(accounts == len(h.daemon.api("GET", "/v1/accounts")["items"]), "%d accounts" % accounts)


# -- the stream -------------------------------------------------------------------------------------------------------------------

class Cutter:
    """Stands between a reader and the daemon, and cuts each connection after so many bytes of the answer, wherever that is."""

    def __init__(self, address, to, most):
        self.to, self.most, self.cuts, self.given = to, most, 0, 0
        self.listener = peers.Listener(address, self.talk)
        self.address, self.port = self.listener.address, self.listener.port

    def talk(self, s):
        self.given += 1
        # each time another place
        left = self.most + 37 * self.given if self.most else 1 << 40
        with socket.create_connection(self.to) as up:
            while left > 0:
                for ready in select.select([s, up], [], [])[0]:
                    got = ready.recv(4096)
                    if not got:
                        return
                    if ready is s:
                        up.sendall(got)
                    else:
                        s.sendall(got[:left])
                        left -= len(got)
        self.cuts += 1
        peers.reset(s)

    def close(self):
        self.listener.close()


class Reader:
    def __init__(self, node, place, key, types, last=None):
        self.events, self.said = [], []
        url = "http://%s:%d/v1/events" % place
        self.popen = subprocess.Popen(["node", "events.mjs", url, key, *([str(last)] if last is not None else [])], cwd=node, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True, env={**os.environ, "TYPES": " ".join(types)})
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.popen.stdout:
            said = json.loads(line)
            (self.events if "id" in said else self.said).append(said)

    def is_open(self):
        if self.popen.poll() is not None:
            raise peers.Failed("the reader ended: " + self.popen.stderr.read()[-500:])
        return any("open" in s for s in self.said)

    def close(self):
        self.popen.kill()
        self.popen.wait()


def types_described():
    import yaml
    with open(os.path.join(HERE, "..", "..", "docs", "openapi.yaml")) as f:
        return yaml.safe_load(f)["components"]["schemas"]["EventType"]["enum"]


def make_events(h, id, until_there_are, after):
    """Pauses and resumptions until the number is reached; all that were made."""
    while True:
        made = h.daemon.events(after=after)
        if len(made) >= until_there_are:
            return made
        for _ in range(10):
            h.daemon.api("POST", "/v1/accounts/%s/pause" % id)
            h.daemon.api("POST", "/v1/accounts/%s/resume" % id)


def read_through(h, most, last):
    id = h.account(3 if most else 4)
    seq = h.daemon.events()[-1]["seq"]
    cutter = h.stack.add(Cutter(h.address(), (h.daemon.address, h.daemon.port), most))
    reader = h.stack.add(Reader(h.node, (cutter.address, cutter.port), h.daemon.key, types_described(), seq if last else None))
    until(reader.is_open, 10, "the stream")
    make_events(h, id, EVENTS, seq)
    h.daemon.api("POST", "/v1/accounts/%s/pause" % id)
    # quiet: what was under way has been told
    until(lambda: h.daemon.account(id)["state"] == "paused", 10, "paused")
    made = h.daemon.events(after=seq)
    try:
        until(lambda: len(reader.events) >= len(made) and reader.events[-1]["id"] == made[-1]["seq"], 90, "")
    except peers.Failed:
        raise peers.Failed("%d of %d, %d cuts: %s" % (len(reader.events), len(made), cutter.cuts, reader.said[-3:])) from None
    got = [e["id"] for e in reader.events]
    hold(got == [e["seq"] for e in made], "a gap, a double or another order: %s" % [a for a, b in zip(got, [e["seq"] for e in made]) if a != b][:5])
    hold([e["data"] for e in reader.events] == made and all(e["type"] == e["data"]["type"] for e in reader.events), "the data are not the events")
    reader.close()
    cutter.close()
    return cutter.cuts


@row
def a_stock_reader_gets_every_event_once(h):
    hold(read_through(h, 0, False) == 0, "cut")


@row
def a_reader_that_is_cut_resumes_without_gap_or_double(h):
    cuts = read_through(h, 14000, True)
    hold(cuts >= 4, "cut only %d times" % cuts)


@row
def a_reader_that_went_gets_what_it_missed(h):
    seq = h.daemon.events()[-1]["seq"]
    id = h.account(5)
    made = make_events(h, id, 20, seq)
    reader = h.stack.add(Reader(h.node, (h.daemon.address, h.daemon.port), h.daemon.key, types_described(), seq))
    until(lambda: len(reader.events) >= len(made), 20, "what was missed")
    hold([e["id"] for e in reader.events][:len(made)] == [e["seq"] for e in made], "not what was missed")
    reader.close()
    # long before the next comment is due: a reader that comes again and again must not use up its places
    until(lambda: figure(h.metrics(), "mailmoor_http_streams") == 0, 5, "no stream is left")


# -- ready ------------------------------------------------------------------------------------------------------------------------

def ready(h):
    return h.daemon.request("GET", "/readyz", key="")


@row
def it_is_not_ready_while_nothing_can_be_kept_and_heals_by_itself(h):
    hold(ready(h).status == 200, "not ready at first")
    pid = h.daemon.popen.pid
    usual = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, usual[1]))
    try:
        refused = h.daemon.request("POST", "/v1/workspaces", {"name": "Nowhere"})
        hold(refused.status == 503 and refused.headers.get_content_type() == "application/problem+json", "%d %s" % (refused.status, refused.text))
        answer = ready(h)
        hold(answer.status == 503 and "store" in answer.text, "%d %s" % (answer.status, answer.text))
        hold(h.daemon.request("GET", "/healthz", key="").status == 200, "it does not live")
        hold(h.daemon.request("GET", "/v1/workspaces").status == 200, "what is kept cannot be read")
        hold(figure(h.metrics(), "mailmoor_store_writable") == 0, "the figure says it is writable")
        time.sleep(1.2)      # whatever looks after it has looked
        hold(ready(h).status == 503, "ready, and nothing can be kept")
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, usual)
    # nobody writes: whoever asks /readyz sends no requests until it is
    until(lambda: ready(h).status == 200, 10, "ready again")
    hold("Nowhere" not in [w["name"] for w in h.daemon.api("GET", "/v1/workspaces")["items"]], "what was refused is there")
    h.daemon.api("POST", "/v1/workspaces", {"name": "Somewhere"})


def prepare_node(place):
    """As the lock file says, with its checksums, in the build folder."""
    os.makedirs(place, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc", "events.mjs"):
        shutil.copy(os.path.join(HERE, "..", "node", name), place)
    if not os.path.isdir(os.path.join(place, "node_modules", "eventsource")):
        done = subprocess.run(["npm", "ci", "--no-progress"], cwd=place, capture_output=True, text=True)
        hold(done.returncode == 0, "npm ci: " + done.stderr[-1000:])


def main():
    o = arguments()
    node = os.path.join(os.path.abspath(o.build), "node")
    prepare_node(node)
    with House(os.path.join(os.path.abspath(o.build), "mailmoor"), node) as h:
        h.build()
        return row.run(h, o.only)


if __name__ == "__main__":
    sys.exit(main())
