#!/usr/bin/env python3
"""The running daemon among people who mean ill: forms, links, addresses, headers, servers that lie, clients that are slow.

    security.py BUILD [--only REGEX]
"""
import contextlib
import html
import http.client
import os
import re
import resource
import socket
import ssl
import sys
import time
import urllib.parse

sys.dont_write_bytecode = True

import daemon
import peers
from peers import DOMAIN, PASSWORD, hold, until
from rows import Rows, arguments

MARKUP = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&"
SLOW = 1000
OUTSIDE = "192.88.99.77"      # of nobody: no route leads there any more (RFC 7526)
LOGFMT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [a-z_.]+( [a-z_]+=([A-Za-z0-9._:/@+\-{}\[\]]+|\"([ !#-\[\]-~]|\\[\\\"n]|\\x[0-9a-f]{2})*\"(\.\.\.)?))*")
row = Rows()


class Browser:
    """What a browser keeps and sends; each has a client address of its own."""

    def __init__(self, h):
        self.h, self.cookie, self.source = h, None, h.source()

    def request(self, method, path, form=None, headers=None):
        fields = {"Cookie": self.cookie} if self.cookie else {}
        body = None
        if form is not None:
            body = urllib.parse.urlencode(form)
            fields["Content-Type"] = "application/x-www-form-urlencoded"
        c = http.client.HTTPConnection(self.h.daemon.address, self.h.daemon.port, timeout=20, source_address=(self.source, 0))
        with contextlib.closing(c):
            c.request(method, path, body, {k: v for k, v in {**fields, **(headers or {})}.items() if v is not None})
            r = c.getresponse()
            answer = daemon.Answer(r.status, r.headers, r.read().decode())
        for cookie in answer.headers.get_all("Set-Cookie", []):
            if cookie.startswith("mm_browser="):
                self.cookie = cookie.split(";")[0]
        return answer

    def open(self, path):
        """The page and the token of its form."""
        page = self.request("GET", path)
        token = re.search(r'name="csrf" value="([^"]*)"', page.text)
        return page, html.unescape(token[1]) if token else None


class Turning(peers.Names):
    """A name server whose answers change from question to question: `turns` maps a name to its addresses, one after the other."""

    def __init__(self, address):
        self.turns, self.told = {}, []
        super().__init__(address)

    def answer(self, query):
        for name, addresses in self.turns.items():
            if peers.dns_name(name) + b"\0\1" in query.lower():
                self.told.append(addresses[len(self.told) % len(addresses)])
                self.records[name, "A"] = self.told[-1:]
        return super().answer(query)


class House(peers.Peers):
    def __init__(self, binary):
        super().__init__()
        self.binary, self.sources, self.users = binary, 0, 0

    def build(self):
        self.here = self.address()
        self.names = self.stack.add(Turning(self.here))
        self.target = self.address()
        self.hits = []
        # where a daemon must not go: it stands for whatever listens inside
        self.inside = self.stack.add(peers.Listener(self.target, lambda s: self.hits.append(s.getpeername())))
        self.port = self.inside.port
        self.stack.add(peers.Listener("127.0.0.1", self.inside.talk, self.port))
        # a server outside, by the operator's own word, that sends whoever fetches from it on to the inside
        self.door = self.stack.add(peers.Listener(self.address(), self.lead_inside))
        self.lying = self.address()
        self.cert = self.ca.issue("good", "imap." + DOMAIN, "smtp." + DOMAIN)
        self.liar = self.stack.add(peers.Listener(self.lying, self.lie))
        self.settings = {"net.resolver": "%s:%d" % (self.here, self.names.port), "net.ca_file": self.ca.root,
                         "net.connect_to": "autoconfig.door.example:80=%s:%d" % (self.door.address, self.door.port)}
        self.daemon = self.stack.add(daemon.Daemon(self.binary, os.path.join(self.folder, "daemon"), self.settings)).start()

    def lead_inside(self, s):
        s.recv(4096)
        s.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://in.evil.example:%d/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % self.port)

    def lie(self, s):
        """An IMAP server that answers with markup, wherever it has words of its own."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.cert)
        with context.wrap_socket(s, server_side=True) as t:
            lines = t.makefile("rwb")
            lines.write(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR ID] %s\r\n" % MARKUP.encode())
            lines.flush()
            for line in lines:
                tag, word = (line.split() + [b"", b""])[:2]
                if word.upper() == b"CAPABILITY":
                    lines.write(b"* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR ID\r\n" + tag + b" OK done\r\n")
                elif word.upper() == b"ID":
                    lines.write(b'* ID ("name" "%s")\r\n' % MARKUP.replace('"', "").encode() + tag + b" OK done\r\n")
                else:
                    lines.write(tag + b" NO [ALERT] %s\r\n" % MARKUP.encode())
                lines.flush()

    def source(self):
        self.sources += 1
        return "127.201.%d.%d" % (self.sources // 250, self.sources % 250 + 1)

    def user(self):
        self.users += 1
        return "ann%d@%s" % (self.users, DOMAIN)

    def link(self, **more):
        return urllib.parse.urlsplit(self.daemon.api("POST", "/v1/connect-links", more)["url"]).path

    def account(self, expect=(201,), **more):
        return self.daemon.api("POST", "/v1/accounts", {"address": self.user(), "password": PASSWORD, **more}, expect=expect)

    def settled(self, **more):
        return self.daemon.wait_state(self.account(**more)["id"], ("needs_user", "needs_admin", "waiting", "connected", "degraded"), 60)

    def restart(self, more=None):
        self.daemon.stop()
        self.daemon.settings = {"web.listen": "127.0.0.1:0", **self.settings, **(more or {})}
        self.daemon.start()


# -- forms and links --------------------------------------------------------------------------------------------------------------

def forms(h):
    """(path, fields) of every form there is, and the browser it was opened in."""
    b = Browser(h)
    connect = h.link()
    page, token = b.open(connect)
    hold(page.status == 200 and token, "the connect page: %d" % page.status)
    yield b, connect, token, {"address": h.user(), "password": PASSWORD}
    admin = h.link(kind="admin", account=h.settled()["id"])
    page, token = b.open(admin)
    hold(page.status == 200 and token, "the administrator's page: %d" % page.status)
    yield b, admin, token, {}


@row
def forms_are_taken_only_from_our_own_pages(h):
    for b, path, token, fields in forms(h):
        stranger = Browser(h)
        _, foreign = stranger.open(h.link())
        ours = "http://%s:%d" % (h.daemon.address, h.daemon.port)
        bad = {
            "no token": (fields, {}), "an empty token": ({**fields, "csrf": ""}, {}), "another browser's token": ({**fields, "csrf": foreign}, {}),
            "a cut token": ({**fields, "csrf": token[:-1]}, {}), "a long token": ({**fields, "csrf": token + "A"}, {}),
            "a foreign Origin": ({**fields, "csrf": token}, {"Origin": "https://evil.example"}),
            "Origin: null": ({**fields, "csrf": token}, {"Origin": "null"}),
            "an Origin like ours": ({**fields, "csrf": token}, {"Origin": ours + ".evil.example"}),
            "ours by another scheme": ({**fields, "csrf": token}, {"Origin": ours.replace("http:", "https:")}),
            "cross-site": ({**fields, "csrf": token}, {"Sec-Fetch-Site": "cross-site"}),
            "same-site": ({**fields, "csrf": token}, {"Sec-Fetch-Site": "same-site"}),
            "no cookie": ({**fields, "csrf": token}, {"Cookie": None}), "another cookie": ({**fields, "csrf": token}, {"Cookie": stranger.cookie})}
        for name, (form, headers) in bad.items():
            answer = b.request("POST", path, form, headers)
            hold(answer.status == 403 and "Location" not in answer.headers, "%s, %s: %d" % (path[:9], name, answer.status))
        answer = b.request("POST", path, {**fields, "csrf": token}, {"Origin": ours, "Sec-Fetch-Site": "same-origin"})
        hold(answer.status == 303, "%s, all as it should be: %d %s" % (path[:9], answer.status, answer.text[:200]))


@row
def a_link_belongs_to_the_browser_that_opened_it(h):
    path, first, second = h.link(), Browser(h), Browser(h)
    looks = Browser(h)
    hold(looks.request("HEAD", path).status == 200, "HEAD")
    hold(first.open(path)[0].status == 200, "the first browser")
    page, token = second.open(path)
    hold(page.status == 403 and token is None, "the second browser: %d" % page.status)
    for more in ("/progress", "/progress.json", "/result", "/administrator"):
        hold(second.request("GET", path + more).status == 403, "the second browser, %s" % more)
    _, other = second.open(h.link())
    hold(second.request("POST", path, {"csrf": other, "address": h.user(), "password": PASSWORD}).status == 403, "the second browser's form")


@row
def a_link_cannot_be_replayed(h):
    path, b = h.link(), Browser(h)
    _, token = b.open(path)
    form = {"csrf": token, "address": h.user(), "password": PASSWORD}
    hold(b.request("POST", path, form).status == 303, "the first time")
    again = b.request("POST", path, {**form, "address": h.user()})
    hold(again.status == 422, "for another mailbox: %d" % again.status)
    stranger = Browser(h)
    hold(stranger.request("GET", path).status == 410, "a used link in another browser")


@row
def made_up_links_lead_nowhere(h):
    connect, account = h.link(), h.settled()["id"]
    admin = h.link(kind="admin", account=account)
    b = Browser(h)
    path = h.link()
    _, token = b.open(path)
    b.request("POST", path, {"csrf": token, "address": h.user(), "password": PASSWORD})
    until(lambda: b.request("GET", path + "/result").status == 200, 30, "the result")
    handed = urllib.parse.urlsplit(re.search(r"http://[^\s\"<]+/admin/[^\s\"<]+", html.unescape(b.request("GET", path + "/administrator").text))[0]).path
    hold(Browser(h).request("GET", handed).status == 200, "the signed link")
    seconds, id, signature = handed.split("/")[-1].split(".")
    flipped = signature[:5] + ("A" if signature[5] != "A" else "B") + signature[6:]
    made_up = ["%d.%s.%s" % (int(seconds) + 1, id, signature), "%s.%s.%s" % (seconds, account, signature), "%s.%s.%s" % (seconds, id, flipped),
               "%s.%s.%s" % (seconds, id, signature[:-1]), "%s.%s." % (seconds, id), "%s.%s" % (seconds, id), "0%s.%s.%s" % (seconds, id, signature), "..", ".", "99999999999999999999.%s.%s" % (id, signature),
               "%s.%s.%s.x" % (seconds, id, signature), "%s..%s" % (seconds, signature), "x" * 3000, "%00", "%ff"]
    for text in made_up:
        for more in ("", "/state.json"):
            answer = Browser(h).request("GET", "/admin/" + text + more)
            hold(answer.status in (400, 404) and DOMAIN not in answer.text, "%s: %d" % (text[:60], answer.status))
    for path, other in ((connect, "/admin/"), (admin, "/connect/")):
        word = path.split("/")[-1]
        for text in (word[:-1], word + "x", word.upper(), word[1:], "x" * len(word)):
            hold(Browser(h).request("GET", path.replace(word, text)).status == 404, "cut: " + text)
        hold(Browser(h).request("GET", other + word).status == 404, "a link of one kind is one of the other")


@row
def links_end(h):
    path = h.link(expires_in=300)
    b = Browser(h)
    _, token = b.open(path)
    fresh = h.link(expires_in=300)
    h.daemon.stop()
    import sqlite3
    with contextlib.closing(sqlite3.connect(os.path.join(h.daemon.folder, "state", "mailmoor.db"))) as db:
        db.execute("UPDATE links SET expires = expires - 301000")        # what five minutes do
        db.commit()
    h.daemon.start()
    hold(b.request("GET", path).status == 410 and Browser(h).request("GET", fresh).status == 410, "an expired link opens")
    hold(b.request("POST", path, {"csrf": token, "address": h.user(), "password": PASSWORD}).status == 410, "an expired link connects")


# -- where the daemon may be sent -------------------------------------------------------------------------------------------------

def notations(address):
    a, b, c, d = map(int, address.split("."))
    whole = a << 24 | b << 16 | c << 8 | d
    return [address, str(whole), hex(whole), "0%o" % whole, ".".join("0%o" % n for n in (a, b, c, d)), ".".join(map(hex, (a, b, c, d))), "%d.%d" % (a, whole & 0xffffff),
            "%d.%d.%d" % (a, b, c << 8 | d), "::ffff:" + address, "[::ffff:%s]" % address, "[%s]" % address, "::" + address, "64:ff9b::" + address, "::ffff:%x:%x" % (whole >> 16, whole & 0xffff), address + ".",
            "0%d.%d.%d.%d" % (a, b, c, d), "2002:%x:%x::" % (whole >> 16, whole & 0xffff)]


INSIDE = ["127.0.0.1", "localhost", "0.0.0.0", "0", "127.1", "::1", "[::1]", "::", "169.254.169.254", "fe80::1", "fd00::1", "fd00:ec2::254", "10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1",
          "metadata.google.internal", "localhost.localdomain", "224.0.0.1", "255.255.255.255", "192.0.2.1", "１２７.0.0.1", "127。0。0。1", "ⓛocalhost"]


@row
def nothing_inside_is_connected_to(h):
    """Whatever notation: refused at once, or verified without a connection."""
    h.hits.clear()
    ids = []
    # a name that leads inside, directly and by another name, and one that leads to both
    h.names.records |= {("in.evil.example", "A"): [h.target], ("in6.evil.example", "AAAA"): ["::ffff:" + h.target], ("mixed.evil.example", "A"): ["127.0.0.1", h.target],
                        ("localhost", "A"): [h.target], ("localhost.localdomain", "A"): [h.target], ("metadata.google.internal", "A"): [h.target], ("0", "A"): [h.target]}
    hosts = notations(h.target) + INSIDE + ["in.evil.example", "in6.evil.example", "mixed.evil.example"]
    for n, host in enumerate(hosts):
        for which in (("imap", "smtp") if n < 3 or "evil" in host else ("imap",)):
            other = "smtp" if which == "imap" else "imap"
            made = h.account((201, 400), **{which: {"host": host, "port": h.port}, other: {"host": host, "port": h.port}})
            if "id" in made:
                ids.append((host, made["id"]))
    for host, id in ids:
        state = h.daemon.wait_state(id, ("needs_user", "needs_admin", "waiting", "connected", "degraded"), 60)
        hold(state["state"] != "connected", "%s: %s" % (host, state))
    hold(not h.hits, "the daemon connected %d times to what is inside" % len(h.hits))


@row
def what_a_form_says_leads_nowhere_inside(h):
    h.hits.clear()
    for host in (h.target, "in.evil.example", "::ffff:" + h.target):
        path, b = h.link(), Browser(h)
        _, token = b.open(path)
        form = {"csrf": token, "address": h.user(), "password": PASSWORD}
        form |= {"imap_host": host, "imap_port": str(h.port), "smtp_host": host, "smtp_port": str(h.port)}
        answer = b.request("POST", path, form)
        hold(answer.status in (303, 422), "%s: %d" % (host, answer.status))
        if answer.status == 303:
            until(lambda: b.request("GET", path + "/result").status == 200, 30, "the result")
    hold(not h.hits, "connected %d times" % len(h.hits))


@row
def what_dns_says_leads_nowhere_inside(h):
    """The address' own domain names servers inside: SRV, MX, autoconfig."""
    h.hits.clear()
    h.names.records |= {("evil2.example", "MX"): ["10 in.evil.example"], ("evil2.example", "A"): [h.target], ("autoconfig.evil2.example", "A"): [h.target], ("imap.evil2.example", "A"): [h.target],
                        ("_imaps._tcp.evil2.example", "SRV"): ["0 1 %d in.evil.example" % h.port], ("_submissions._tcp.evil2.example", "SRV"): ["0 1 %d in.evil.example" % h.port]}
    id = h.daemon.api("POST", "/v1/accounts", {"address": "ann@evil2.example", "password": PASSWORD})["id"]
    h.daemon.wait_state(id, ("needs_user", "needs_admin", "waiting"), 60)
    hold(not h.hits, "connected %d times" % len(h.hits))


def detect(h, *more):
    """How often the door was opened meanwhile."""
    h.names.records |= {("in.evil.example", "A"): [h.target], ("door.example", "MX"): ["10 in.evil.example"], ("autoconfig.door.example", "A"): [OUTSIDE]}
    before = len(h.door.held)
    for body in ({"address": "ann@door.example"}, *more):
        answer = h.daemon.request("POST", "/v1/detect", body)
        hold(answer.status == 200, "%s: %d %s" % (body, answer.status, answer.text[:200]))
    return len(h.door.held) - before


@row
def no_detection_leads_inside(h):
    """Neither to what an address or its domain names, nor where a document sends us on."""
    h.hits.clear()
    named = {"host": h.target, "port": h.port}
    opened = detect(h, {"address": "ann@[%s]" % h.target}, {"address": "ann@door.example", "imap": named, "smtp": named}, {"address": "ann@evil2.example"})
    hold(opened, "nobody was asked for a document")
    hold(not h.hits, "connected %d times" % len(h.hits))


@row
def a_name_that_changes_between_check_and_use_leads_nowhere_inside(h):
    """Each answer of the name server is another one than the one before; one of them must not be used, whenever it comes."""
    h.hits.clear()
    turn_names(h)
    for _ in range(6):
        h.settled(imap={"host": "rebind.evil.example", "port": h.port}, smtp={"host": "rebind.evil.example", "port": h.port})
    h.names.turns.clear()
    hold({h.target, OUTSIDE} <= set(h.names.told), "it was told only %s" % h.names.told)
    hold(not h.hits, "connected %d times" % len(h.hits))


def turn_names(h):
    h.names.told.clear()
    h.names.turns["rebind.evil.example"] = [OUTSIDE, h.target]


def tell_webhooks(h, hosts):
    """How many of them took an event; all were tried when this returns."""
    hooks = []
    for host in hosts:
        host = "[%s]" % host if ":" in host and not host.startswith("[") else host
        for scheme in ("http", "https"):
            answer = h.daemon.request("POST", "/v1/webhooks", {"url": "%s://%s:%d/" % (scheme, host, h.port), "types": ["webhook.test"]})
            hold(answer.status in (201, 400), "%s: %d %s" % (host, answer.status, answer.text[:200]))
            if answer.status == 201:
                hooks.append(answer.json["id"])
                h.daemon.api("POST", "/v1/webhooks/%s/test" % hooks[-1])
        if len(hooks) > 40:
            end_webhooks(h, hooks)
    end_webhooks(h, hooks)


def end_webhooks(h, hooks):
    """Deleted when each was tried once; there may be fifty."""
    for id in hooks:
        until(lambda: any(d["tries"] or d["delivered"] or d["given_up"] for d in h.daemon.api("GET", "/v1/webhooks/%s/deliveries" % id)["items"]), 40, "tried: " + id)
        h.daemon.api("DELETE", "/v1/webhooks/" + id)
    hooks.clear()


@row
def no_webhook_leads_inside(h):
    h.hits.clear()
    tell_webhooks(h, notations(h.target) + ["127.0.0.1", "localhost", "0.0.0.0", "127.1", "in.evil.example", "in6.evil.example", "mixed.evil.example"])
    hold(not h.hits, "connected %d times" % len(h.hits))


@row
def the_target_can_be_reached_when_it_is_allowed(h):
    """So that the rows above can fail: with net.allow the same host is connected to."""
    h.hits.clear()
    h.restart({"net.allow": "127.0.0.0/8"})
    turn_names(h)
    for host in (h.target, "in.evil.example", "rebind.evil.example", "rebind.evil.example"):
        before = len(h.hits)
        h.settled(imap={"host": host, "port": h.port}, smtp={"host": host, "port": h.port})
        hold(len(h.hits) > before or host[0] == "r", "no connection to " + host)
    hold(h.target in h.names.told, "it was told only %s" % h.names.told)
    h.names.turns.clear()
    before = len(h.hits)
    id = h.daemon.api("POST", "/v1/accounts", {"address": "eve@evil2.example", "password": PASSWORD})["id"]
    h.daemon.wait_state(id, ("needs_user", "needs_admin", "waiting"), 60)
    hold(len(h.hits) > before, "no connection to what DNS says")
    before = len(h.hits)
    hold(detect(h) and len(h.hits) > before, "no connection to where a document leads")
    before = len(h.hits)
    tell_webhooks(h, [h.target])
    hold(len(h.hits) > before, "no connection to a webhook")
    h.restart()


# -- what is shown and logged -----------------------------------------------------------------------------------------------------

@row
def markup_of_others_is_shown_as_text(h):
    h.names.records |= {("imap." + DOMAIN, "A"): [h.lying], ("smtp." + DOMAIN, "A"): [h.lying]}
    h.restart({"net.allow": "127.0.0.0/8"})
    key = h.daemon.api("POST", "/v1/workspaces", {"name": MARKUP[:100]})["key"]
    link = h.daemon.api("POST", "/v1/connect-links", {}, key=key)["url"]
    path, b = urllib.parse.urlsplit(link).path, Browser(h)
    page, token = b.open(path)
    server = {"imap_host": "imap." + DOMAIN, "imap_port": str(h.liar.port), "smtp_host": "smtp." + DOMAIN, "smtp_port": str(h.liar.port)}
    form = {"csrf": token, "address": h.user(), "password": PASSWORD, **server}
    wrong = b.request("POST", path, {**form, "address": MARKUP, "username": MARKUP, "imap_host": MARKUP, "imap_port": MARKUP})
    answer = b.request("POST", path, {**form, "username": MARKUP})
    hold(answer.status == 303, "%d %s" % (answer.status, answer.text[:200]))
    until(lambda: b.request("GET", path + "/result").status == 200, 60, "the result")
    result = b.request("GET", path + "/result")
    handover = b.request("GET", path + "/administrator")
    admin = Browser(h).request("GET", urllib.parse.urlsplit(re.search(r"http://[^\s\"<]+/admin/[^\s\"<]+", html.unescape(handover.text))[0]).path)
    form_again = b.request("GET", path)
    pages = {"the form": page, "the form with faults": wrong, "the result": result, "the handover": handover, "the administrator's page": admin, "the form again": form_again}
    seen = 0
    for name, page in pages.items():
        hold("alert(1)</script>" not in page.text and "<img src=x" not in page.text, "markup in %s" % name)
        hold("script-src" in page.headers["Content-Security-Policy"] or "default-src 'self'" in page.headers["Content-Security-Policy"], "no policy on %s" % name)
        seen += "&lt;script&gt;alert(1)" in page.text
    hold(seen >= 3, "the markup is shown on %d pages only: nothing was tried" % seen)
    h.restart()


@row
def no_text_makes_a_header(h):
    breaks = ["\r\nX-Evil: 1", "\nX-Evil: 1", "\rX-Evil: 1", "%0d%0aX-Evil: 1", "\u2028X-Evil: 1", "\u560d\u560aX-Evil: 1", "\0X-Evil: 1"]
    for text in breaks:
        quoted = urllib.parse.quote(text)
        for path in ("/help/x" + quoted, "/connect/x" + quoted, "/v1/accounts/x" + quoted, "/v1/accounts?search=" + quoted, "/help/auth.password_rejected?lang=de" + quoted):
            answer = Browser(h).request("GET", path)
            hold("X-Evil" not in answer.headers and answer.status < 500, "%s: %d" % (path, answer.status))
        for field, value in (("external_id", text), ("username", text), ("address", "a%s@birch.example" % text), ("lang", "de" + text)):
            answer = h.daemon.request("POST", "/v1/accounts", {"address": h.user(), "password": PASSWORD, field: value})
            hold("X-Evil" not in answer.headers and answer.status < 500, "%s: %d" % (field, answer.status))
        answer = h.daemon.request("POST", "/v1/connect-links", {"return_url": "https://crm.example/" + text})
        hold(answer.status == 400 or text[0] > "\x7f" or text[0] == "%" or text.isprintable(), "return_url %r: %d" % (text, answer.status))
    with socket.create_connection((h.daemon.address, h.daemon.port)) as s:
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: a\rX-Evil: 1\r\nConnection: close\r\n\r\n")
        hold(b" 400 " in s.recv(4096).split(b"\r\n")[0], "a bare CR in a header")


@row
def every_line_of_the_log_is_one(h):
    dirty = "a\x1b[31m\x07\x7f\x80\xff\" level=error x=\\"
    for path in ("/help/%0a%0dx", "/connect/%1b%5b31m", "/admin/a%22%20b%3dc", "/v1/accounts/acc_%22%20status%3d200", "/v1/accounts/acc_%c2%85x", "/connect/acc_" + "x" * 3000):
        for headers in ({"User-Agent": dirty.encode("latin-1")}, {"X-Forwarded-For": dirty.encode("latin-1")}, {"Referer": dirty.encode("latin-1")}):
            with contextlib.suppress(ConnectionError, http.client.HTTPException, ValueError):
                Browser(h).request("GET", path, headers=headers)
            with contextlib.suppress(ConnectionError, http.client.HTTPException):
                h.daemon.request("DELETE", path, headers={"Idempotency-Key": "x"})
    for bytes_ in (b"G\x1bET /\x1b[31m HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /a\" b=c\\ HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", b"\0" * 50 + b"\r\n\r\n", b"X\"=\\ / HTTP/1.1\r\nHost: x\r\n\r\n"):
        with contextlib.suppress(OSError), socket.create_connection((h.daemon.address, h.daemon.port), timeout=2) as s:
            s.sendall(bytes_)
            s.shutdown(socket.SHUT_WR)
            while s.recv(4096):
                pass
    h.account((201, 400), username="x\u2028level=error\u0085\u202e")
    with open(h.daemon.log, "rb") as f:
        lines = f.read().split(b"\n")
    hold(len(lines) > 20 and lines.pop() == b"", "the last line has no end")
    for line in lines:
        hold(LOGFMT.fullmatch(line.decode("latin-1")), "not one line of the log: %r" % line[:300])
    text = b"\n".join(lines).decode("latin-1")
    hold(PASSWORD not in text and not re.search(r"/connect/[a-z0-9]{20}", text), "a secret is in the log")


# -- too much, too slow -----------------------------------------------------------------------------------------------------------

def memory_kib(h):
    with open("/proc/%d/status" % h.daemon.popen.pid) as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1])


@row
def huge_bodies_are_not_held(h):
    before = memory_kib(h)
    lines = []
    for how in (b"Content-Length: 1000000000", b"Transfer-Encoding: chunked"):
        for n in range(20):
            s = socket.create_connection((h.daemon.address, h.daemon.port), timeout=5, source_address=(h.source(), 0))
            lines.append(s)
            head = b"POST /v1/accounts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n%s\r\n\r\n" % (h.daemon.key.encode(), how)
            with contextlib.suppress(OSError):
                s.sendall(head)
                for _ in range(40):
                    s.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
    hold(memory_kib(h) - before < 40 * 1024, "%d KiB more" % (memory_kib(h) - before))
    for s in lines:
        with contextlib.suppress(OSError):
            said = s.recv(4096)
            hold(not said or b" 413 " in said.split(b"\r\n")[0], "answered: %r" % said[:80])
        s.close()
    hold(h.daemon.request("GET", "/healthz", key="").status == 200, "not healthy")


@row
def a_thousand_slow_clients_keep_nobody_waiting(h):
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(limit[0], min(limit[1], 4096)), limit[1]))
    before = memory_kib(h)
    clients = []
    starts = [b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: ", b"POST /v1/accounts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2000\r\nAuthorization: Bearer %s\r\n\r\n{" % h.daemon.key.encode(), b"G", b""]
    worst = 0
    try:
        for n in range(SLOW):
            s = socket.create_connection((h.daemon.address, h.daemon.port), timeout=5, source_address=("127.202.%d.%d" % (n // 100, n % 100 + 1), 0))
            s.sendall(starts[n % len(starts)])
            clients.append(s)
        for turn in range(4):
            for s in clients:
                with contextlib.suppress(OSError):
                    s.sendall(b"a")
            begin = time.monotonic()
            hold(Browser(h).request("GET", "/healthz").status == 200, "not healthy")
            hold(h.daemon.request("GET", "/v1/accounts").status == 200, "no answer to who has a key")
            worst = max(worst, time.monotonic() - begin)
        hold(worst < 2, "/healthz took %.1f s" % worst)
        # libmicrohttpd's pool of each connection is the most of it
        hold(memory_kib(h) - before < 100 * 1024, "%d KiB more" % (memory_kib(h) - before))
        # they are cut, however busily they drip
        until(lambda: figure(h, "mailmoor_http_connections") < 50, 60, "the slow are gone")
    finally:
        for s in clients:
            s.close()


def figure(h, name):
    return float(re.search(r"^%s (\S+)$" % name, h.daemon.request("GET", "/metrics").text, re.M)[1])


@row
def one_address_cannot_have_all_connections(h):
    source = h.source()
    clients, refused = [], 0
    for _ in range(400):
        s = socket.create_connection((h.daemon.address, h.daemon.port), timeout=5, source_address=(source, 0))
        clients.append(s)
    time.sleep(0.5)
    for s in clients:
        s.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            try:
                refused += s.recv(1) == b""
            except ConnectionError:
                refused += 1
    for s in clients:
        s.close()
    hold(100 <= refused <= 200, "%d of 400 were refused" % refused)


@row
def who_lies_about_his_address_is_not_believed(h):
    source = h.source()

    def guess(n):
        c = http.client.HTTPConnection(h.daemon.address, h.daemon.port, timeout=10, source_address=(source, 0))
        with contextlib.closing(c):
            c.request("GET", "/v1/accounts", headers={"Authorization": "Bearer mm_" + "x" * 40, "X-Forwarded-For": "203.0.113.%d" % n, "Forwarded": "for=203.0.113.%d" % n, "X-Real-IP": "203.0.113.%d" % n,
                                                      "X-Forwarded-Proto": "https"})
            return c.getresponse()
    answers = [guess(n) for n in range(60)]
    hold(any(a.status == 429 for a in answers), "sixty guesses, each as another client")
    hold(all("Strict-Transport-Security" not in a.headers for a in answers), "believed about https")
    hold("client=203.0.113." not in h.daemon.said(), "the lie is in the log")
    hold(h.daemon.request("GET", "/v1/accounts").status == 200, "others suffer")


@row
def the_daemon_is_still_the_same(h):
    hold(h.daemon.popen.poll() is None and h.daemon.request("GET", "/readyz", key="").status == 200, "it is not")
    hold("ERROR: " not in h.daemon.said() and "runtime error" not in h.daemon.said(), "a sanitizer speaks")


def main():
    o = arguments()
    with House(os.path.join(os.path.abspath(o.build), "mailmoor")) as h:
        h.build()
        return row.run(h, o.only)


if __name__ == "__main__":
    sys.exit(main())
