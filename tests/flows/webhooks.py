#!/usr/bin/env python3
"""Webhooks of a running daemon: heard by the receiver that docs/webhooks.md shows, judged by the official Standard Webhooks library, and
not lost when the daemon is killed.

    webhooks.py BUILD      one line for each fault, then "N passed, N failed"
"""
import contextlib
import http.server
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.dont_write_bytecode = True

from daemon import Daemon
from peers import Failed, Skip, hold, listens, until

ROOT = Path(__file__).resolve().parent.parent.parent
WAIT_S = 20           # the first pause is 5 s


class Receiver:
    """Keeps headers and bodies; one that is closed refuses connections until it is opened again on the same port."""

    def __init__(self):
        self.heard, self.server = [], None
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.url = "http://127.0.0.1:%d/hook" % self.port

    def open(self):
        heard = self.heard

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                heard.append(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        http.server.ThreadingHTTPServer.allow_reuse_address = True
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def close(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()

    def hears(self, count):
        until(lambda: len(self.heard) >= count, WAIT_S, "%d deliveries (%d came)" % (count, len(self.heard)))


@contextlib.contextmanager
def scene(build):
    with tempfile.TemporaryDirectory(prefix="mailmoor-webhooks-") as folder:
        daemon = Daemon(os.path.join(build, "mailmoor"), folder, {"net.allow": "127.0.0.1"}, options=("-v",))
        receiver = Receiver()
        try:
            yield daemon.start(), receiver
            daemon.stop()
        finally:
            receiver.close()
            daemon.close()


def test_event(daemon, hook):
    hold(daemon.api("POST", "/v1/webhooks/%s/test" % hook["id"])["count"] == 1, "the test was not laid")


# -- the official library ------------------------------------------------------------------------------------------------------------

def library(build):
    """Where it is, installed as tests/node/package-lock.json says."""
    place = Path(build, "node")
    if not shutil.which("node") or not shutil.which("npm"):
        raise Skip("there is no Node")
    place.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc", "verify.js"):
        shutil.copy(ROOT / "tests/node" / name, place / name)
    if not (place / "node_modules/standardwebhooks").exists():
        done = subprocess.run(["npm", "ci"], cwd=place, capture_output=True, text=True, timeout=180)
        if done.returncode:
            raise Skip("npm ci: " + (done.stderr.strip().splitlines() or ["?"])[-1])
    return place


def judged(place, secret, headers, body):
    line = json.dumps({"secret": secret, "headers": headers, "body": body}) + "\n"
    done = subprocess.run(["node", "verify.js"], cwd=place, input=line, capture_output=True, text=True, timeout=30, check=True)
    return done.stdout.strip()


def the_official_library_verifies(build):
    place = library(build)
    with scene(build) as (daemon, receiver):
        receiver.open()
        hook = daemon.api("POST", "/v1/webhooks", {"url": receiver.url})
        test_event(daemon, hook)
        receiver.hears(1)
        headers, body = receiver.heard[0]
        hold(judged(place, hook["secret"], headers, body) == "fine webhook.test", "not verified: %s %s" % (headers, body))
        hold(judged(place, hook["secret"], headers, body.replace("webhook.test", "webhook.tesT")).startswith("wrong"), "a changed body is verified")
        hold(judged(place, hook["secret"], {**headers, "webhook-id": "evt_x"}, body).startswith("wrong"), "another id is verified")
        newer = daemon.api("POST", "/v1/webhooks/%s/rotate-secret" % hook["id"])
        test_event(daemon, hook)
        receiver.hears(2)
        headers, body = receiver.heard[1]
        for secret in (hook["secret"], newer["secret"]):
            hold(judged(place, secret, headers, body) == "fine webhook.test", "not verified after the rotation: %s" % headers)
        hold(judged(place, "whsec_" + "A" * 43 + "=", headers, body).startswith("wrong"), "any secret verifies")
        hold(headers["user-agent"].startswith("mailmoor/") and headers["content-type"] == "application/json", "headers: %s" % headers)
        log = daemon.said()
        hold(all(x["secret"][6:] not in log for x in (hook, newer)), "a secret is in the log")
        hold("webhook.sent" in log, "the log does not tell of it")


# -- the receiver of the documentation -------------------------------------------------------------------------------------------------

def the_receiver_of_the_documentation(build):
    text = (ROOT / "docs/webhooks.md").read_text(encoding="utf-8")
    program = re.search(r"```python\n(.*?)```", text, re.S).group(1)
    hold(len(program.splitlines()) <= 22, "it has %d lines" % len(program.splitlines()))
    with scene(build) as (daemon, place):
        hook = daemon.api("POST", "/v1/webhooks", {"url": place.url})
        for secret, word in (("whsec_" + "A" * 43 + "=", "refused"), (hook["secret"], "taken")):
            receiver = subprocess.Popen([sys.executable, "-c", program], text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        env={"PATH": os.environ["PATH"], "SECRET": secret, "PORT": str(place.port)})
            try:
                until(lambda: listens("127.0.0.1", place.port), WAIT_S, "the receiver")
                if word == "refused":
                    test_event(daemon, hook)
                said, name, body = receiver.stdout.readline().split(" ", 2)
                hold(said == word and name.startswith("evt_"), "it says: %s %s" % (said, name))
                body = json.loads(body)
                hold(body["id"] == name and body["type"] == "webhook.test" and body["data"] == {"webhook": hook["id"]}, "the body: %s" % body)
            finally:
                receiver.kill()
                receiver.communicate()
        until(lambda: daemon.api("GET", "/v1/webhooks/%s" % hook["id"])["last_ok"], WAIT_S, "last_ok")
        delivery = daemon.api("GET", "/v1/webhooks/%s/deliveries" % hook["id"])["items"][0]
        hold(delivery["tries"] >= 1 and delivery["delivered"] and delivery["status"] == 200, "the delivery: %s" % delivery)


# -- kill -9, replay --------------------------------------------------------------------------------------------------------------------

def nothing_is_lost_when_it_is_killed(build):
    with scene(build) as (daemon, receiver):
        hook = daemon.api("POST", "/v1/webhooks", {"url": receiver.url})
        for _ in range(5):
            test_event(daemon, hook)
        daemon.stop(signal.SIGKILL)
        daemon.start()
        receiver.open()
        receiver.hears(5)
        seqs = [int(json.loads(body)["seq"]) for _, body in receiver.heard]
        hold(seqs == sorted(seqs) and len(set(seqs)) == 5, "order: %s" % seqs)
        until(lambda: daemon.api("GET", "/v1/webhooks/%s/deliveries" % hook["id"])["items"][0]["delivered"], WAIT_S, "the last one")
        daemon.stop(signal.SIGKILL)
        daemon.start()
        hold(daemon.api("POST", "/v1/webhooks/%s/replay" % hook["id"], {"from": str(seqs[3])})["count"] == 2, "the replay")
        receiver.hears(7)
        hold([int(json.loads(body)["seq"]) for _, body in receiver.heard[5:]] == seqs[3:], "what was replayed")
        hold(receiver.heard[3][1] == receiver.heard[5][1], "the body is another one at the second time")


def main():
    passed = failed = skipped = 0
    for test in (the_official_library_verifies, the_receiver_of_the_documentation, nothing_is_lost_when_it_is_killed):
        began = time.monotonic()
        try:
            test(sys.argv[1])
            passed += 1
            print("%-40s %.1f s" % (test.__name__.replace("_", " "), time.monotonic() - began), flush=True)
        except Skip as e:
            skipped += 1
            print("SKIPPED %s: %s" % (test.__name__, e))
        except (Failed, OSError, KeyError, subprocess.SubprocessError) as e:
            failed += 1
            print("FAILED %s: %s" % (test.__name__, e))
    print("%d passed, %d failed%s" % (passed, failed, ", %d skipped" % skipped if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
