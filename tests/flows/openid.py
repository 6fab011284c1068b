#!/usr/bin/env python3
"""Our sign-in against a real OpenID provider, npm's oidc-provider, at the paths where Microsoft's is; Graph takes the tokens it gives.

    openid.py BUILD [--only REGEX]

Wants Node, and `npm ci` in the build folder as tests/openid says. The provider rotates refresh tokens and ends a grant whose old one is
shown again: whoever keeps anything but the newest loses it here.
"""
import base64
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.parse

sys.dont_write_bytecode = True

import daemon
import microsoft
import peers
from peers import hold, until
from rows import Rows, arguments

row = Rows()
HERE = os.path.dirname(os.path.abspath(__file__))
LOGIN, GRAPH = "login.birch.example", "graph.microsoft.com"
TENANT, CLIENT, SECRET = "2c1d7a54-52a6-4f0e-9a3c-0123456789ab", "6b1f5c52-10ad-4b8e-9f2e-c0ffee000001", "heron~Kettle-41"
ANNA, BERT = "anna@birch.example", "bert@birch.example"
LONG_S, SHORT_S = 3600, 200      # the second one is always to be renewed by now
WAIT_S = 20


class Provider:
    """One, running. `told`: all that it told of itself."""

    def __init__(self, node, address, cert, redirect, lasts):
        env = {**os.environ, "ADDRESS": address, "CERT": cert[0], "KEY": cert[1], "LOGIN": LOGIN, "GRAPH": GRAPH, "TENANT": TENANT, "CLIENT": CLIENT,
               "SECRET": SECRET, "REDIRECT": redirect, "LASTS": str(lasts), "PEOPLE": "%s %s" % (ANNA, BERT), "NODE_ENV": "test"}
        self.said = open(os.path.join(os.path.dirname(cert[0]), "provider.err"), "w+")
        self.popen = subprocess.Popen(["node", "provider.mjs"], cwd=node, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.said, text=True)
        self.events = []
        first = self.popen.stdout.readline()
        if not first:
            self.said.seek(0)
            raise peers.Failed("the provider does not start: %s" % self.said.read()[-1500:])
        self.address, self.port = address, json.loads(first)["port"]
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.popen.stdout:
            self.events.append(json.loads(line))

    def count(self, event, **more):
        return sum(e["event"] == event and all(e.get(k) == v for k, v in more.items()) for e in self.events)

    def turn(self):
        """No tokens for now, or again."""
        self.popen.send_signal(signal.SIGUSR2)

    def troubles(self):
        return [e for e in self.events if e["event"] in ("grant.error", "grant.revoked", "server_error", "broken", "graph.refused")]

    def close(self):
        self.popen.terminate()
        self.popen.wait(10)
        self.said.close()


class Town(peers.Peers):
    def __init__(self, binary, node):
        super().__init__()
        self.binary, self.node, self.daemon, self.number = binary, node, None, 0

    def open(self, lasts=LONG_S):
        """A provider and a daemon that is registered there, both new."""
        self.shut()
        self.number += 1
        self.names = peers.Names(self.address())
        with socket.create_server(("127.0.0.1", 0)) as here:
            listen = "127.0.0.1:%d" % here.getsockname()[1]
        self.provider = Provider(self.node, self.address(), self.ca.issue("good", LOGIN, GRAPH), "http://%s%s" % (listen, microsoft.CALLBACK), lasts)
        place = self.provider.address, self.provider.port
        self.names.records |= {(LOGIN, "A"): [place[0]], (GRAPH, "A"): [place[0]], ("birch.example", "MX"): ["10 mx.birch.example"]}
        self.places = {(LOGIN, 443): place, (GRAPH, 443): place}
        self.told = {"ca_file": self.ca.root}
        self.daemon = daemon.Daemon(self.binary, os.path.join(self.folder, "daemon%d" % self.number), {
            **daemon.network(self.names, self.ca, self.places), "web.listen": listen, "web.base_url": "http://" + listen, "watch.graph_poll": "1",
            "watch.grace": "1", "microsoft.client_id": CLIENT, "microsoft.client_secret": SECRET, "microsoft.tenant": TENANT,
            "microsoft.authority": LOGIN}).start()
        return self

    @property
    def cloud(self):
        """As microsoft.Browser looks for it."""
        return self

    def shut(self):
        if self.daemon:
            self.daemon.stop()
            self.provider.close()
            self.names.close()
        self.daemon = None

    def close(self):
        self.shut()
        super().close()

    def accounts(self):
        return self.daemon.api("GET", "/v1/accounts")["items"]

    def settled(self):
        return all(a["state"] != "connecting" for a in self.accounts())

    def link(self):
        return self.daemon.api("POST", "/v1/connect-links", {"lang": "en"})["url"]

    def sign_in(self, who=ANNA, answer="accept"):
        b = microsoft.Browser(self)
        return b, b.press(b.to_microsoft(self.link(), ANNA).says("Who are you?"), account=who, answer=answer)


@row
def a_person_signs_in(t):
    t.open()
    b, page = t.sign_in()
    hold(page.url.endswith("/result"), "it ended at %r" % page)
    asked = urllib.parse.parse_qs(urllib.parse.urlsplit(next(u for u in b.seen if "/authorize?" in u)).query)
    hold(asked["code_challenge_method"] == ["S256"] and asked["prompt"] == ["select_account"] and len(asked["nonce"][0]) >= 32 and asked["state"], "asked: %s" % asked)
    hold([(a["address"], a["state"]) for a in t.accounts()] == [(ANNA, "connected")], "connected: %s" % t.accounts())
    hold(t.provider.count("grant.success", type="authorization_code") == 1 and t.provider.troubles() == [], "the provider: %s" % t.provider.events)


@row
def somebody_else_and_nobody(t):
    t.open()
    t.sign_in(BERT)[1].says(ANNA, BERT)
    hold(t.accounts() == [] and t.daemon.events() == [], "kept: %s" % t.accounts())
    t.sign_in(answer="cancel")
    hold([a["cause"]["id"] for a in t.accounts()] == ["microsoft.consent_declined"], "declined: %s" % t.accounts())


@row
def a_grant_whose_refresh_token_rotates_is_kept(t):
    t.open(SHORT_S)
    t.sign_in()
    renewed = lambda: t.provider.count("grant.success", type="refresh_token")
    until(lambda: renewed() > 3, WAIT_S, "renewed")
    for how in (signal.SIGTERM, signal.SIGKILL):
        # while no answer is under way: one that nobody heard would be the end of any grant here
        away = t.provider.count("turned.away")
        t.provider.turn()
        until(lambda: t.provider.count("turned.away") > away, WAIT_S, "turned away")
        t.daemon.stop(how)
        n = renewed()
        t.provider.turn()
        t.daemon.start()
        until(lambda: renewed() > n + 2, WAIT_S, "renewed after %d" % how)
    hold([a["state"] for a in t.accounts()] == ["connected"], "then: %s" % t.accounts())
    hold(t.provider.troubles() == [], "the provider: %s" % t.provider.troubles())


@row
def an_old_refresh_token_ends_it_for_whoever_keeps_one(t):
    """What the row above rests on: the provider means it."""
    t.open()
    b = microsoft.Browser(t)
    verifier = "a-verifier-of-at-least-forty-three-characters-0123456789"
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    to = t.daemon.settings["web.base_url"] + microsoft.CALLBACK
    wish = {"client_id": CLIENT, "response_type": "code", "redirect_uri": to, "scope": "openid offline_access", "state": "s", "nonce": "n",
            "code_challenge": challenge, "code_challenge_method": "S256"}
    b.press(b.go("https://%s/%s/oauth2/v2.0/authorize?%s" % (LOGIN, TENANT, urllib.parse.urlencode(wish))), account=ANNA, answer="accept")
    code = urllib.parse.parse_qs(urllib.parse.urlsplit(b.seen[-1]).query)["code"][0]

    def token(**form):
        return b.go("https://%s/%s/oauth2/v2.0/token" % (LOGIN, TENANT), {"client_id": CLIENT, "client_secret": SECRET, **form})
    first = json.loads(token(grant_type="authorization_code", code=code, redirect_uri=to, code_verifier=verifier).text)["refresh_token"]
    second = json.loads(token(grant_type="refresh_token", refresh_token=first).text)["refresh_token"]
    hold([token(grant_type="refresh_token", refresh_token=old).status for old in (first, second)] == [400, 400], "it takes an old one")


def prepare_node(place):
    """As the lock file says, with its checksums, in the build folder."""
    os.makedirs(place, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc", "provider.mjs"):
        shutil.copy(os.path.join(HERE, "..", "openid", name), place)
    if not os.path.isdir(os.path.join(place, "node_modules", "oidc-provider")):
        done = subprocess.run(["npm", "ci", "--no-progress"], cwd=place, capture_output=True, text=True)
        hold(done.returncode == 0, "npm ci: " + done.stderr[-1000:])


def main():
    o = arguments()
    build = os.path.abspath(o.build)
    node = os.path.join(build, "openid")
    prepare_node(node)
    with Town(os.path.join(build, "mailmoor"), node) as town:
        return row.run(town, o.only)


if __name__ == "__main__":
    sys.exit(main())
