#!/usr/bin/env python3
"""Mailboxes at Microsoft 365 that Graph tells us of, against the sandbox's cloud: subscribed, told, prolonged, replaced, ended.

    notices.py BUILD [--only REGEX]

The sandbox calls the daemon at its base_url, through a front that speaks TLS for it, as a proxy does. Polls are an hour apart unless a
row says otherwise: what is told in time was told by Graph.
"""
import contextlib
import http.client
import http.server
import json
import os
import re
import signal
import socket
import ssl
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True

import cloud
import daemon
import peers
from peers import hold, until
from rows import Rows, arguments

ANNA, BERT = cloud.ANNA, cloud.BERT
HOOK = "/hooks/microsoft"
WAIT_S, HOUR_S = 20, 3600
row = Rows()


class Front(http.server.ThreadingHTTPServer):
    """TLS in front of the daemon. `deaf`: it answers whatever comes with 502. `heard`: what went through, (path, body); `tokens`: with that."""
    request_queue_size = 100

    def __init__(self, cert, port):
        front = self
        self.deaf, self.heard, self.tokens, self.leads_to = False, [], [], ("127.0.0.1", port)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if front.deaf:
                    self.send_error(502)
                    return
                front.heard.append((self.path, body))
                front.tokens.append(self.headers.get("Authorization"))
                line = http.client.HTTPConnection(*front.leads_to, timeout=20)
                with contextlib.closing(line), contextlib.suppress(OSError):
                    line.request("POST", self.path, body, {name: self.headers[name] for name in ("Content-Type", "Authorization") if name in self.headers})
                    answer = line.getresponse()
                    said = answer.read()
                    self.send_response(answer.status)
                    self.send_header("Content-Type", answer.headers.get("Content-Type", ""))
                    self.send_header("Content-Length", str(len(said)))
                    self.end_headers()
                    self.wfile.write(said)

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*cert)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def handle_error(self, *_):
        pass

    def notices(self):
        return [n for path, body in list(self.heard) if "validationToken" not in path for n in json.loads(body)["value"]]


class Town(peers.Peers):
    def __init__(self, binary):
        super().__init__()
        self.binary = binary
        self.cloud = self.daemon = self.front = None

    def open(self, *faults, poll=HOUR_S, deaf=False, base=None):
        self.shut()
        self.folder_of_row = tempfile.mkdtemp(dir=self.folder)
        place = cloud.Place(os.path.dirname(self.binary), self.folder_of_row)
        self.cloud = cloud.Cloud(place, *(word for f in faults for word in ("--fault", f)))
        with socket.create_server(("127.0.0.1", 0)) as s:
            port = s.getsockname()[1]
        self.front = Front(self.ca.issue("good", "localhost"), port)
        self.front.deaf = deaf
        self.daemon = daemon.Daemon(self.binary, os.path.join(self.folder_of_row, "daemon"), {
            "web.listen": "127.0.0.1:%d" % port, "web.base_url": base or "https://127.0.0.1:%d" % self.front.server_address[1],
            "net.resolver": self.cloud.told["resolver"], "net.ca_file": self.cloud.told["ca_file"], "net.allow": "127.0.0.0/8",
            "net.connect_to": " ".join(self.cloud.told["connect_to"]), "microsoft.client_id": self.cloud.microsoft["client_id"],
            "microsoft.client_secret": self.cloud.microsoft["client_secret"], "watch.graph_poll": str(poll)}).start()

    def shut(self):
        if self.daemon:
            self.daemon.stop()
        if self.front:
            self.front.shutdown()
            self.front.server_close()
        if self.cloud:
            self.cloud.stop()
        self.daemon = self.front = self.cloud = None

    def close(self):
        self.shut()
        super().close()

    def connect(self, n=0):
        grant = self.cloud.grant(n)
        a = self.daemon.api("POST", "/v1/grants", {"address": self.cloud.told["accounts"][n]["address"], "refresh_token": grant["refresh_token"],
                                                  "scope": cloud.SCOPES})
        self.daemon.wait_state(a["id"], "connected", WAIT_S)
        until(lambda: self.figure("mailboxes_parked") >= 1, WAIT_S, "parked")
        return a["id"]

    def told_of(self, count=1):
        until(lambda: self.figure("microsoft_subscriptions") == count, WAIT_S, "%d that are told of" % count)

    def figure(self, name):
        return int(re.search(r"^mailmoor_%s (\d+)$" % name, self.daemon.request("GET", "/metrics").text, re.M)[1])

    def subscriptions(self, n=0):
        answer = self.cloud.graph("/subscriptions", grant=self.cloud.grant(n))
        hold(answer.status == 200, answer)
        return answer.json["value"]

    def asked(self, method, what="/v1.0/subscriptions"):
        return sum(line["method"] == method and line["path"].startswith(what) for line in self.cloud.log())

    def send(self, subject, to=ANNA):
        answer = self.cloud.graph("/me/sendMail", {"message": {"subject": subject, "toRecipients": [{"emailAddress": {"address": to}}]}}, grant=self.cloud.grant(1))
        hold(answer.status == 202, answer)

    def told(self, id):
        return [e["data"]["message"]["subject"] for e in self.daemon.events(type="message.received", account=id) if "message" in e["data"]]

    def wait_told(self, id, subjects, seconds=WAIT_S):
        with contextlib.suppress(peers.Failed):
            until(lambda: len(self.told(id)) >= len(subjects), seconds, "")
        hold(self.told(id) == subjects, "told: %s" % self.told(id))

    def post(self, notices):
        return self.daemon.request("POST", HOOK, {"value": notices}, key="").status


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
    hold(t.told(id) == ["news %d" % n for n in range(4)], t.told(id))
    hold(min(took) < 1 and sorted(took)[1] < 1, "it took %s s" % took)
    print("# told after %s s" % ", ".join("%.2f" % s for s in took), flush=True)
    hold(t.figure("microsoft_notifications_total") >= 4 and t.asked("POST") == 1, "notices: %d" % t.figure("microsoft_notifications_total"))
    # what comes in is known by its proof, and neither that nor any word of it is in the log or in the store as it is
    state = t.front.notices()[0]["clientState"]
    hold(state.count(".") == 2 and id in state, state)
    signature = state.rpartition(".")[2]
    hold(signature not in t.daemon.said(), "in the log")
    for file in t.daemon.state_files():
        with open(file, "rb") as f:
            hold(signature.encode() not in f.read(), "in " + file)


@row
def many_at_once_are_one_question_or_two(t):
    t.open()
    id = t.connect()
    t.told_of()
    time.sleep(1.5)
    before = t.figure("microsoft_polls_total")
    for n in range(12):
        t.send("news %d" % n)
    t.wait_told(id, ["news %d" % n for n in range(12)])
    until(lambda: len(t.front.notices()) >= 12, WAIT_S, "notices")
    time.sleep(1.5)
    hold(t.figure("microsoft_polls_total") - before <= 6, "%d questions" % (t.figure("microsoft_polls_total") - before))


@row
def a_restart_makes_no_second_one(t):
    t.open()
    id = t.connect()
    t.told_of()
    one = t.subscriptions()
    for how in (signal.SIGTERM, signal.SIGKILL):
        t.daemon.stop(how)
        t.send("while it was away")
        t.daemon.start()
        t.told_of()
        t.send("afterwards")
        until(lambda: t.told(id)[-1:] == ["afterwards"], WAIT_S, "told")
    hold([s["id"] for s in t.subscriptions()] == [s["id"] for s in one] and len(one) == 1, t.subscriptions())
    hold(t.asked("POST") == 1 and t.asked("PATCH") == 0, "asked anew")
    hold(t.told(id) == ["while it was away", "afterwards"] * 2, t.told(id))


@row
def killed_before_it_is_written_down_a_stray_is_nobodys(t):
    t.open("graph-slow=1000")
    id = t.daemon.api("POST", "/v1/grants", {"address": ANNA, "refresh_token": t.cloud.grant()["refresh_token"], "scope": cloud.SCOPES})["id"]
    until(lambda: len(t.front.heard) == 2, WAIT_S, "proven")
    time.sleep(0.3)      # Graph has made it, and says so most of a second later
    t.daemon.stop(signal.SIGKILL)
    t.daemon.start()
    t.daemon.wait_state(id, "connected", WAIT_S)
    t.told_of()
    hold(len(t.subscriptions()) == 2, "no stray: %s" % t.subscriptions())
    time.sleep(1.5)
    before = t.figure("microsoft_notifications_total")
    t.send("afterwards")
    t.wait_told(id, ["afterwards"])
    until(lambda: len(t.front.notices()) >= 2, WAIT_S, "both tell")
    time.sleep(0.5)
    hold({n["subscriptionId"] for n in t.front.notices()} == {s["id"] for s in t.subscriptions()}, t.front.notices())
    hold(t.figure("microsoft_notifications_total") == before + 1, "the stray was listened to")


@row
def it_is_prolonged_in_time(t):
    t.open("subscription-life=8")
    id = t.connect()
    t.told_of()
    one = t.subscriptions()[0]
    until(lambda: t.asked("PATCH") >= 3, 30, "prolonged")
    hold([s["id"] for s in t.subscriptions()] == [one["id"]] and t.asked("POST") == 1, "another one")
    t.send("news")
    t.wait_told(id, ["news"])


@row
def one_that_graph_has_lost_is_replaced_and_nothing_of_it(t):
    t.open("subscription-life=10")
    id = t.connect()
    t.told_of()
    one = t.subscriptions()[0]["id"]
    hold(t.cloud.graph("/subscriptions/" + one, method="DELETE").status == 204, "ended behind our back")
    t.send("meanwhile")
    t.wait_told(id, ["meanwhile"])
    until(lambda: [s["id"] for s in t.subscriptions()] not in ([], [one]), WAIT_S, "replaced")
    t.told_of()
    t.send("afterwards")
    t.wait_told(id, ["meanwhile", "afterwards"])


@row
def what_graph_says_of_its_life_is_heeded(t):
    t.open("lifecycle=reauthorizationRequired#1")
    t.connect()
    t.told_of()
    until(lambda: t.asked("PATCH") == 1, WAIT_S, "prolonged")
    hold(t.asked("POST") == 1, "another one")
    t.open("lifecycle=subscriptionRemoved#1")
    id = t.connect()
    until(lambda: t.asked("POST") == 2, WAIT_S, "replaced")
    t.told_of()
    t.send("news")
    t.wait_told(id, ["news"])
    t.open("lifecycle=missed#1")
    t.connect()
    t.told_of()
    until(lambda: t.figure("microsoft_polls_total") >= 3, WAIT_S, "asked again")
    hold(t.asked("POST") == 1 and t.asked("PATCH") == 0, "it stands")


@row
def where_nobody_reaches_us_it_is_polled_and_said_once(t):
    t.open(poll=1, deaf=True)
    id = t.connect()
    t.send("news")
    t.wait_told(id, ["news"])
    until(lambda: t.figure("microsoft_polls_total") > 5, WAIT_S, "polled")
    hold(t.figure("microsoft_subscriptions") == 0 and t.subscriptions() == [] and t.daemon.account(id)["state"] == "connected", t.daemon.account(id))
    said = [line for line in t.daemon.said().split("\n") if "mailbox.untold" in line]
    hold(len(said) == 1 and "ValidationError" in said[0] and t.asked("POST") == 1, said)


@row
def where_graph_refuses_it_is_polled(t):
    t.open("graph=ExtensionError:403@subscriptions", poll=1)
    id = t.connect()
    t.send("news")
    t.wait_told(id, ["news"])
    until(lambda: t.figure("microsoft_polls_total") > 5, WAIT_S, "polled")
    hold(t.asked("POST") == 1 and t.daemon.said().count("mailbox.untold") == 1 and t.daemon.account(id)["state"] == "connected", "asked %d times" % t.asked("POST"))


@row
def without_https_none_is_asked_for(t):
    t.open(poll=1, base="http://127.0.0.1:1")
    id = t.connect()
    t.send("news")
    t.wait_told(id, ["news"])
    hold(t.asked("POST") == 0, "asked for")


@row
def who_moves_is_told_at_the_new_place(t):
    t.open()
    id = t.connect()
    t.told_of()
    one = t.subscriptions()
    t.daemon.stop()
    t.daemon.settings["web.base_url"] = "https://localhost:%d" % t.front.server_address[1]
    t.daemon.start()
    t.told_of()
    two = t.subscriptions()
    hold(len(two) == 1 and two[0]["id"] != one[0]["id"] and two[0]["notificationUrl"] == t.daemon.settings["web.base_url"] + HOOK, two)
    t.send("news")
    t.wait_told(id, ["news"])
    t.daemon.stop()
    t.daemon.settings["web.base_url"] = "http://127.0.0.1:1"
    t.daemon.start()
    until(lambda: t.subscriptions() == [], WAIT_S, "ended")
    hold(t.figure("microsoft_subscriptions") == 0, "told of")


@row
def what_is_forged_is_let_be(t):
    t.open()
    id = t.connect()
    t.told_of()
    t.send("news")
    t.wait_told(id, ["news"])
    time.sleep(1.5)
    true = t.front.notices()[0]
    before = t.figure("microsoft_polls_total"), t.figure("microsoft_notifications_total")
    state = true["clientState"]
    forged = [state[:-1] + ("0" if state[-1] != "0" else "1"), "x" + state[1:], state.rpartition(".")[0], "guess", "." * 128]
    for s in forged:
        hold(t.post([{**true, "clientState": s}, {**true, "clientState": s, "lifecycleEvent": "subscriptionRemoved"}]) == 202, s)
    hold(t.post([{**true, "subscriptionId": "11111111-2222-3333-4444-555555555555", "lifecycleEvent": "subscriptionRemoved"}]) == 202, "another id")
    time.sleep(1.5)
    hold((t.figure("microsoft_polls_total"), t.figure("microsoft_notifications_total")) == before and t.asked("POST") == 1, "somebody listened")
    # whoever has overheard one has a poll of it, and no more
    hold(t.post([true]) == 202, "replayed")
    until(lambda: t.figure("microsoft_polls_total") == before[0] + 1, WAIT_S, "asked")


@row
def who_is_gone_is_told_of_no_more(t):
    t.open()
    id = t.connect()
    t.told_of()
    t.daemon.api("POST", "/v1/accounts/%s/pause" % id)
    until(lambda: t.subscriptions() == [], WAIT_S, "ended")
    t.told_of(0)
    t.daemon.api("POST", "/v1/accounts/%s/resume" % id)
    t.told_of()
    hold(len(t.subscriptions()) == 1, t.subscriptions())
    t.send("news")
    t.wait_told(id, ["news"])
    t.daemon.api("DELETE", "/v1/accounts/" + id)
    until(lambda: t.subscriptions() == [], WAIT_S, "ended")
    t.told_of(0)


def main():
    o = arguments()
    with Town(os.path.join(os.path.abspath(o.build), "mailmoor")) as town:
        return row.run(town, o.only)


if __name__ == "__main__":
    sys.exit(main())
