#!/usr/bin/env python3
"""Mailboxes at Exchange under the daemon's eyes, against `mailmoor sandbox`: connected, watched, refused, lost and found again, and the connect page.

    exchange.py BUILD [--sandbox BINARY] [--shots FOLDER] [--only REGEX]

`--sandbox`: whose sandbox it is, where it is not the build's own. The page's row wants Chromium and `npm ci` in tests/pages.
"""
import base64
import contextlib
import datetime
import json
import os
import re
import shlex
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request

sys.dont_write_bytecode = True

import daemon
import pages
import peers
from peers import PASSWORD, hold, until
from rows import Rows, arguments
from service import WRONG

DOMAIN = "birch.example"
HOST = "mail." + DOMAIN
OAK = "oak.example"
EWS = "https://%s/EWS/Exchange.asmx" % HOST
ORGANISATIONS = "mailmoor-sandbox"      # the password of the sandbox's own people
WAIT_S = 20
row = Rows()

SEND = """<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"
 xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages">
<s:Header><t:RequestServerVersion Version="Exchange2010_SP2"/></s:Header><s:Body><m:CreateItem MessageDisposition="SendAndSaveCopy">
<m:SavedItemFolderId><t:DistinguishedFolderId Id="sentitems"/></m:SavedItemFolderId><m:Items><t:Message><t:MimeContent>%s</t:MimeContent></t:Message>
</m:Items></m:CreateItem></s:Body></s:Envelope>"""
MAIL = "From: Bob <%s@%s>\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <%s@%s>\r\nDate: Sun, 22 Nov 2026 08:00:00 +0000\r\n\r\nHello.\r\n"


class Organisation:
    """A sandbox that is started, ended and started again at one address; its authority is another one each time."""

    def __init__(self, binary, folder, address):
        self.binary, self.folder, self.address = binary, folder, address
        self.popen = None
        self.starts = 0

    def start(self, *options, password=PASSWORD, version="2016", usual=False):
        """`usual`: with the sandbox's own people, of whom anna opens info's mailbox, and service acts for everybody."""
        self.stop()
        self.usual = usual
        self.starts += 1
        self.log = os.path.join(self.folder, "sandbox-%d.log" % self.starts)
        users = [] if usual else ["--account=%s@%s:%s" % (u, DOMAIN, p) for u, p in (("ann", password), ("bob", PASSWORD), ("cat", PASSWORD))]
        self.popen = subprocess.Popen([self.binary, "sandbox", "--json", "--domain=" + DOMAIN, "--listen=" + self.address, "--exchange=" + version,
                                       "--log=" + self.log, *users, *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.is_as = json.loads(self.popen.stdout.readline())
        with open(self.is_as["ca_file"]) as f:
            self.ca = f.read()
        return self

    def stop(self):
        """What it counted; its own words are the last line."""
        if not self.popen:
            return None
        self.popen.send_signal(signal.SIGINT)
        said = self.popen.communicate(timeout=10)[0]
        self.popen = None
        return json.loads(said.strip().split("\n")[-1])

    close = stop

    def send(self, to, subject):
        by, password = ("bert", ORGANISATIONS) if self.usual else ("bob", PASSWORD)
        mime = MAIL % (by, DOMAIN, to, subject, subject.replace(" ", "."), DOMAIN)
        request = urllib.request.Request("https://%s/EWS/Exchange.asmx" % self.address, (SEND % base64.b64encode(mime.encode()).decode()).encode(),
                                         {"Host": HOST, "Content-Type": "text/xml; charset=utf-8",
                                          "Authorization": "Basic " + base64.b64encode(("%s@%s:%s" % (by, DOMAIN, password)).encode()).decode()})
        context = ssl.create_default_context(cadata=self.ca)
        context.check_hostname = False
        answer = urllib.request.urlopen(request, context=context, timeout=10).read().decode()
        hold("NoError" in answer, "not sent: " + answer[:500])


class Wire:
    """Between the daemon and the organisation, where it is cut."""

    def __init__(self, address, to):
        self.address, self.to = address, to
        self.pairs = []
        self.listener = socket.create_server((address, 443))
        threading.Thread(target=self.take, daemon=True).start()

    def take(self):
        with contextlib.suppress(OSError):
            while True:
                near = self.listener.accept()[0]
                far = socket.create_connection((self.to, 443), 10)
                far.settimeout(None)
                self.pairs.append((near, far))
                for a, b in ((near, far), (far, near)):
                    threading.Thread(target=self.carry, args=(a, b), daemon=True).start()

    @staticmethod
    def carry(a, b):
        with contextlib.suppress(OSError):
            while some := a.recv(65536):
                b.sendall(some)
            b.shutdown(socket.SHUT_WR)

    def lies(self, town):
        """From here on it is where the name leads."""
        town.names.records[(HOST, "A")] = [self.address]

    def cut(self, meanwhile):
        """All that stands; and what happens before anything can be opened again."""
        pairs, self.pairs = self.pairs, []
        for near, far in pairs:
            with contextlib.suppress(OSError):
                far.shutdown(socket.SHUT_RDWR)
        meanwhile()
        for near, far in pairs:
            with contextlib.suppress(OSError):
                near.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.listener.close()
        self.cut(lambda: None)


class Town(peers.Peers):
    def __init__(self, binary, sandbox):
        super().__init__()
        self.binary, self.sandbox = binary, sandbox
        self.made = []

    def build(self):
        here = self.pair()
        self.discovers = self.address_behind
        self.names = self.stack.add(peers.Names(self.address()))
        self.names.records |= {(DOMAIN, "MX"): ["10 " + HOST], (HOST, "A"): [here]}
        self.exchange = self.stack.add(Organisation(self.sandbox, self.folder, here))
        settings = {"net.resolver": "%s:%d" % (self.names.address, self.names.port), "net.allow": "127.0.0.0/8", "watch.ews_poll": "1", "watch.grace": "1"}
        self.daemon = self.stack.add(daemon.Daemon(self.binary, os.path.join(self.folder, "daemon"), settings)).start()
        self.wire = self.stack.add(Wire(self.address(), here))
        self.open()

    def open(self, *options, **more):
        """The organisation, and its authority laid down by the workspace for its domain."""
        self.exchange.start(*options, **more)
        self.daemon.api("PUT", "/v1/domains/" + DOMAIN, {"ca_pem": self.exchange.ca})

    def connect(self, state="connected", user="ann", password=PASSWORD, **more):
        body = {"address": "%s@%s" % (user, DOMAIN), "password": password, "provider": "exchange", "ews_url": HOST, **more}
        a = self.daemon.api("POST", "/v1/accounts", {name: value for name, value in body.items() if value is not None})
        self.made.append(a["id"])
        return self.daemon.wait_state(a["id"], state, WAIT_S)

    def pair(self):
        """An address for a sandbox: the one behind it is Autodiscover's."""
        here, self.address_behind = self.address(), self.address()
        return here

    @contextlib.contextmanager
    def announced(self):
        """The organisation's Autodiscover is in the DNS, and another domain's IMAP."""
        before = dict(self.names.records)
        self.names.records |= {("autodiscover." + DOMAIN, "A"): [self.discovers], ("_imaps._tcp." + OAK, "SRV"): ["0 1 993 imap." + OAK],
                               ("_submissions._tcp." + OAK, "SRV"): ["0 1 465 smtp." + OAK], (OAK, "MX"): ["10 mx." + OAK]}
        try:
            yield
        finally:
            self.names.records = before

    def parked(self, count=1):
        return self.figure("mailboxes_parked") == count

    def figure(self, name):
        return int(re.search(r"^mailmoor_%s (\d+)$" % name, self.daemon.request("GET", "/metrics").text, re.M)[1])

    def streams(self, which, poll=None):
        """The daemon anew, with streams (None: as it comes) or without, and with polls too seldom to be of help."""
        self.daemon.stop()
        self.daemon.settings.pop("watch.ews_streaming", None)
        if which:
            self.daemon.settings["watch.ews_streaming"] = which
        self.daemon.settings["watch.ews_poll"] = poll or ("1" if which == "off" else "3600")
        self.daemon.start()

    def asked(self, operation):
        with open(self.exchange.log) as f:
            return sum(json.loads(line).get("operation") == operation for line in f)

    def form(self, url):
        """Sends what is filled in on a connect page to one of its addresses, as its script does; says the JSON that comes back."""
        path = url[url.index("/connect"):]
        page = self.daemon.request("GET", path, key="")
        cookie = page.headers["Set-Cookie"].split(";")[0]
        csrf = page.text.split('name="csrf" value="')[1].split('"')[0]

        def send(tail, **fields):
            return json.loads(self.daemon.request("POST", "%s/%s" % (path, tail), urllib.parse.urlencode({"csrf": csrf, **fields}).encode(), key="",
                                                  headers={"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}).text)
        return send

    def told(self, id):
        return [e["data"]["message"] for e in self.daemon.events(type="message.received", account=id)]

    def tidy(self):
        for id in self.made:
            self.daemon.api("DELETE", "/v1/accounts/" + id, expect=(204, 404))
        self.made.clear()


@row
def it_is_connected_by_whatever_is_called_the_url(t):
    for n, (given, kept) in enumerate(((HOST, EWS), (EWS, EWS), ("https://%s/owa" % HOST, "https://%s/owa" % HOST))):
        a = t.connect(ews_url=given)
        hold(a["ews_url"] == kept, "kept as %s" % a["ews_url"])
        report = t.daemon.api("GET", "/v1/accounts/%s/report" % a["id"])
        hold(report["verdict"] == "connected" and report["provider"] == "exchange", "the report: %.600s" % report)
        hold([c["id"] for c in report["causes"]] == ["exchange.url_is_webmail"] * (n == 2), "the causes: %s" % report["causes"])
        t.tidy()


@row
def new_mail_is_told_once_and_old_mail_never(t):
    t.exchange.send("ann@" + DOMAIN, "long ago")
    a = t.connect()
    until(t.parked, WAIT_S, "parked")
    for subject in ("first", "second"):
        t.exchange.send("ann@" + DOMAIN, subject)
        until(lambda: subject in [m.get("subject") for m in t.told(a["id"])], WAIT_S, subject)
    t.daemon.stop()
    t.exchange.send("ann@" + DOMAIN, "while nobody looked")
    t.daemon.start()
    until(lambda: len(t.told(a["id"])) > 2, WAIT_S, "what came meanwhile")
    told = t.told(a["id"])
    hold([m["subject"] for m in told] == ["first", "second", "while nobody looked"], "told: %s" % told)
    hold(all(m["from"] == "bob@" + DOMAIN and m["to"] == "ann@" + DOMAIN and m["message_id"] and m["size"] and m["received"] for m in told), "of them: %s" % told)


@row
def a_password_that_is_changed_ends_the_tries(t):
    a = t.connect()
    until(t.parked, WAIT_S, "parked")
    t.open(password="Changed-Kettle-77")
    b = t.daemon.wait_state(a["id"], ("needs_user", "needs_admin"), WAIT_S)
    hold(b["cause"]["id"] == "auth.password_rejected", "the cause: %s" % b["cause"])
    counted = t.exchange.stop()
    hold(1 <= counted["refused"] <= 2, "tried on: %s" % counted)
    t.open(password="Changed-Kettle-77")
    t.daemon.api("POST", "/v1/accounts/%s/reconnect" % a["id"], {"password": "Changed-Kettle-77"})
    t.daemon.wait_state(a["id"], "connected", WAIT_S)
    t.open()


@row
def an_outage_is_waited_for_and_heals(t):
    a = t.connect()
    until(t.parked, WAIT_S, "parked")
    t.exchange.stop()
    t.daemon.wait_state(a["id"], "waiting", WAIT_S)
    t.open()      # with nothing in its mailboxes: the sync state means nothing there
    t.daemon.wait_state(a["id"], "connected", 60)
    until(t.parked, WAIT_S, "parked again")
    t.exchange.send("ann@" + DOMAIN, "after it")
    until(lambda: [m["subject"] for m in t.told(a["id"])] == ["after it"], WAIT_S, "news: %s" % t.told(a["id"]))


@row
def a_wrong_password_is_tried_twice_at_most(t):
    t.open()
    a = t.connect(("needs_user", "needs_admin"), password=WRONG)
    hold(a["cause"]["id"] == "auth.password_rejected", "the cause: %s" % a["cause"])
    counted = t.exchange.stop()
    hold(1 <= counted["refused"] <= 2, "tries: %s" % counted)
    t.open()


@row
def every_version_that_can_be_connected_is(t):
    for version in ("2010sp2", "2013", "2019", "se"):
        t.open(version=version)
        a = t.connect()
        until(t.parked, WAIT_S, "parked at " + version)
        hold(t.daemon.account(a["id"])["state"] == "connected", version)
        t.tidy()
    t.open()


@row
def the_page_takes_it_in_finnish_and_puts_the_url_right(t):
    if not os.path.isdir(os.path.join(pages.HERE, "node_modules")):
        print("    # left out: no `npm ci` in tests/pages")
        return
    url = t.daemon.api("POST", "/v1/connect-links", {"lang": "fi", "address": "ann@" + DOMAIN})["url"]
    seen = pages.Walk(t, t.shots).journey("exchange", url, "fi", address="ann@" + DOMAIN, password=PASSWORD, ews_url="https://%s/owa" % HOST,
                                          repair=True, script=False)
    a = t.daemon.api("GET", "/v1/accounts?search=ann@" + DOMAIN)["items"][0]
    t.made.append(a["id"])
    hold("Käytä tätä osoitetta" in seen["before"] and "Käytä tätä osoitetta" not in seen["text"], "the repair: %.800s … %.800s" % (seen["before"], seen["text"]))
    hold(a["state"] == "connected" and a["ews_url"] == EWS, "the account: %s" % a)
    t.tidy()
    url = t.daemon.api("POST", "/v1/connect-links", {"lang": "fi"})["url"]
    seen = pages.Walk(t, t.shots).journey("exchange-phone-dark", url, "fi", address="bob@" + DOMAIN, password=PASSWORD, ews_url="https://%s/owa" % HOST,
                                          width=390, dark=True)
    hold("Käytä tätä osoitetta" in seen["text"], "the repair: %.800s" % seen["text"])
    t.made.append(t.daemon.api("GET", "/v1/accounts?search=bob@" + DOMAIN)["items"][0]["id"])
    # and a colleague is shown where that is
    link = t.daemon.api("POST", "/v1/connect-links", {"address": "cat@" + DOMAIN})["url"]
    form = t.daemon.request("GET", link[link.index("/connect"):], key="").text
    hold('value="%s"' % EWS in form, "not filled in: %.300s" % form)


@row
def only_its_domain_trusts_what_is_laid_down_for_it(t):
    with t.announced():      # Autodiscover has a certificate of that authority as well
        a = t.connect(ews_url=None)
    hold(a["cause"] is None, "the cause: %s" % a["cause"])
    t.tidy()
    t.daemon.api("PUT", "/v1/domains/" + DOMAIN, {})
    a = t.connect(("needs_admin", "needs_user", "waiting"))
    hold(a["cause"]["id"].startswith("tls."), "the cause: %s" % a["cause"])
    t.daemon.api("PUT", "/v1/domains/" + OAK, {"ca_pem": t.exchange.ca})
    hold(t.daemon.account(a["id"])["state"] != "connected", "another domain's authority")
    t.daemon.api("PUT", "/v1/domains/" + DOMAIN, {"ca_pem": t.exchange.ca})
    t.daemon.wait_state(a["id"], "connected", WAIT_S)
    t.daemon.api("DELETE", "/v1/domains/" + OAK, expect=(204,))


@row
def a_domain_is_laid_down_one_way(t):
    answer = t.daemon.api("PUT", "/v1/domains/" + OAK, {"ews_url": HOST, "imap": {"host": "imap." + OAK}}, expect=(400,))
    hold(answer["pointer"] == "/ews_url" and "Either" in answer["title"], "said: %s" % answer)


@row
def what_autodiscover_tells_is_found_for_the_person(t):
    with t.announced():
        found = t.daemon.api("POST", "/v1/detect", {"address": "ann@" + OAK})
        hold(found["ews_url"] is None and found["imap"][0]["host"] == "imap." + OAK, "IMAP: %s" % found)
        found = t.daemon.api("POST", "/v1/detect", {"address": "ann@" + DOMAIN})
        hold(found["provider"] == "exchange" and found["ews_url"] == EWS, "Exchange: %s" % found)
        named = t.daemon.api("POST", "/v1/detect", {"address": "ann@" + DOMAIN, "provider": "exchange"})
        hold(named["ews_url"] == EWS and not named["imap"], "asked for: %s" % named)
        before = len(open(t.exchange.log).read())
        t.daemon.api("POST", "/v1/detect", {"address": "ann@" + DOMAIN})
        asked = [json.loads(line) for line in open(t.exchange.log).read()[before:].splitlines()]
        hold(asked and all(a["login"] in ("none", "challenged") for a in asked), "with credentials: %s" % asked)


def of_every_run(text):
    """Without what differs from one run to the next: addresses on loopback, how long it took, and which of two searches ends first."""
    lines = re.sub(r"127(?:\.\d+){3}, \d+ ms", "127.0.0.1, 0 ms", text).split("\n")
    searches = [n for n, line in enumerate(lines) if re.match(r"  passed   (?:who takes its mail|Exchange server|where to connect) ", line)]
    for n, line in zip(searches, sorted(lines[n] for n in searches)):
        lines[n] = line
    return lines


@row
def the_transcripts_are_what_is_printed(t):
    text = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "transcripts.md"), encoding="utf-8").read()
    shown = re.findall(r"^```\n\$ mailmoor (diagnose \w+@contoso\.example .*)\n([^`]*)^```$", text, re.M)
    hold(len(shown) >= 3, "%d transcripts of Exchange" % len(shown))
    files = {"secret": "mailmoor-sandbox\n", "wrong": "heron-kettle\n"}
    for name, password in files.items():
        with open(os.path.join(t.folder, name), "w", encoding="utf-8") as f:
            f.write(password)
    popen = subprocess.Popen([t.sandbox, "sandbox", "--json", "--listen=" + t.pair()], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        s = json.loads(popen.stdout.readline())
        for words, wanted in shown:
            said = subprocess.run([t.binary, *shlex.split(words), "--resolver", s["resolver"], "--ca-file", s["ca_file"]], cwd=t.folder, text=True,
                                  stdin=subprocess.DEVNULL, capture_output=True, env={"LANG": "C.UTF-8"}, timeout=60, check=False).stdout
            hold(of_every_run(said) == of_every_run(wanted), "mailmoor %s prints\n%s" % (words, said))
    finally:
        popen.send_signal(signal.SIGINT)
        popen.communicate(timeout=10)


@row
def the_page_fills_in_what_is_found(t):
    if not os.path.isdir(os.path.join(pages.HERE, "node_modules")):
        print("    # left out: no `npm ci` in tests/pages")
        return
    walk = pages.Walk(t, t.shots)
    link = lambda **more: t.daemon.api("POST", "/v1/connect-links", {"lang": "fi", **more})["url"]
    with t.announced():
        for n, (user, order) in enumerate((("ann", {}), ("bob", {"find": True, "script": False}), ("cat", {"fixed": True}))):
            address = "%s@%s" % (user, DOMAIN)
            url = link(address=address) if order.pop("fixed", False) else link()
            seen = walk.journey("found-%d" % n, url, "fi", address=address, password=PASSWORD, found="#ews_url", **order)
            found = seen["found"]
            hold(found["ews_url"] == EWS and found["provider"] == "exchange" and found["hints"] == 2, "found: %s" % found)
            hold("Löytyi valmiiksi: %s." % HOST in found["said"] and found["address"] == address, "said: %s" % found)
            a = t.daemon.api("GET", "/v1/accounts?search=" + address)["items"][0]
            t.made.append(a["id"])
            hold(a["state"] == "connected" and a["provider"] == "exchange" and a["ews_url"] is None, "left to the search: %s" % a)
            t.tidy()
        # of a colleague nothing is known any more; a domain that announces IMAP; what was typed stays
        form = t.form(link())
        answer = form("find.json", address="ann@" + OAK)
        hold(answer["fields"] == {"imap_host": "imap." + OAK, "imap_port": "993", "smtp_host": "smtp." + OAK, "smtp_port": "465"}, "IMAP: %s" % answer)
        answer = form("find.json", address="ann@" + DOMAIN, ews_url="mail.elsewhere.example")
        hold(answer == {"fields": {}, "status": ""}, "over what was typed: %s" % answer)


# -- others' mailboxes, and streams ------------------------------------------------------------------------------------------------

OTHERS = (("by a service account that acts for it", {"user": "bert", "username": "service@" + DOMAIN, "impersonate": True}),
          ("shared, by a delegate", {"user": "info", "username": "anna@" + DOMAIN}),
          ("its owner's", {"user": "anna"}))


def json_time(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def told_once(t, subjects, accounts, seconds=WAIT_S):
    """Each to each, in order, and nothing besides."""
    for subject in subjects:
        for user in accounts:
            t.exchange.send("%s@%s" % (user, DOMAIN), subject)
        for user, a in accounts.items():
            until(lambda: subject in [m["subject"] for m in t.told(a["id"])], seconds, "%s, to %s" % (subject, user))


def tells(t, accounts):
    return {user: [m["subject"] for m in t.told(a["id"])] for user, a in accounts.items()}


def connect_others(t):
    t.open(usual=True)
    accounts = {more["user"]: t.connect(password=ORGANISATIONS, **more) for _, more in OTHERS}
    until(lambda: t.parked(len(accounts)), WAIT_S, "parked")
    return accounts


@row
def others_mailboxes_are_watched_by_polls(t):
    t.streams("off")
    accounts = connect_others(t)
    told_once(t, ("one", "two"), accounts)
    hold(t.figure("exchange_streams") == 0 and t.figure("exchange_polls_total") > 6 and t.asked("Subscribe") == 0, "polled")
    hold(all(s == ["one", "two"] for s in tells(t, accounts).values()), "told: %s" % tells(t, accounts))


@row
def and_by_streams(t):
    t.streams("on")
    accounts = connect_others(t)
    until(lambda: t.figure("exchange_streams") == 3, WAIT_S, "streams: %d" % t.figure("exchange_streams"))
    polls = t.figure("exchange_polls_total")
    told_once(t, ("one", "two"), accounts, 3)
    hold(t.figure("exchange_notifications_total") >= 6 and t.figure("exchange_polls_total") > polls, "counted")
    hold(all(s == ["one", "two"] for s in tells(t, accounts).values()), "told: %s" % tells(t, accounts))
    hold(t.asked("Subscribe") == 3 and t.asked("GetStreamingEvents") == 3, "asked more than once")


@row
def a_stream_that_is_killed_is_opened_again_and_nothing_is_lost(t):
    t.wire.lies(t)
    t.open()
    t.streams("on")
    a = {"ann": t.connect()}
    until(lambda: t.figure("exchange_streams") == 1, WAIT_S, "a stream")
    told_once(t, ("before",), a)
    for n in range(2):
        t.wire.cut(lambda: t.exchange.send("ann@" + DOMAIN, "meanwhile %d" % n))
        until(lambda: "meanwhile %d" % n in [m["subject"] for m in t.told(a["ann"]["id"])], WAIT_S, "meanwhile %d" % n)
        until(lambda: t.figure("exchange_streams") == 1 and t.asked("GetStreamingEvents") > n + 1, 45, "opened again")
    told_once(t, ("after",), a, 3)
    hold(tells(t, a)["ann"] == ["before", "meanwhile 0", "meanwhile 1", "after"], "told: %s" % tells(t, a))


@row
def a_server_that_is_busy_is_left_alone_and_that_is_shown(t):
    t.streams("off")
    a = t.connect()
    until(t.parked, WAIT_S, "parked")
    t.open("--fault=SyncFolderItems:ErrorServerBusy")
    b = t.daemon.wait_state(a["id"], "waiting", WAIT_S)
    left = json_time(b["next_try"]) - time.time()
    hold(b["cause"]["id"] == "throttle.provider" and 280 < left <= 301, "shown: %s, %d s" % (b, left))
    hold(t.figure("exchange_throttled_total") == 1 and t.asked("SyncFolderItems") == 1, "asked again")
    t.open()
    t.daemon.api("POST", "/v1/accounts/%s/reconnect" % a["id"], {"password": PASSWORD})
    t.daemon.wait_state(a["id"], "connected", WAIT_S)


@row
def a_server_that_allows_no_streams_is_polled(t):
    t.streams("on", poll="1")
    for code in ("ErrorInvalidServerVersion", "ErrorExceededSubscriptionCount"):
        t.open("--fault=Subscribe:" + code)
        a = {"ann": t.connect()}
        until(t.parked, WAIT_S, "parked")
        told_once(t, ("one", "two"), a)
        hold(t.figure("exchange_streams") == 0 and t.asked("Subscribe") == 1, "asked: %d" % t.asked("Subscribe"))
        hold('"why":"%s"' % code in t.daemon.said().replace(" ", "") or code in t.daemon.said(), "not said")
        t.tidy()


# -- many over one stream ----------------------------------------------------------------------------------------------------------

LOOPS = min(os.cpu_count(), 16)      # each has a stream of its own
MANY = 3 * LOOPS + 2


def crew(t, *options):
    """So many mailboxes that a service account acts for, connected, and the daemon started anew so that they come together."""
    t.open(*("--account=p%d@%s:%s" % (n, DOMAIN, PASSWORD) for n in range(MANY)), "--account=service@%s:%s" % (DOMAIN, PASSWORD), *options)
    t.streams(None)
    accounts = {"p%d" % n: t.connect(user="p%d" % n, username="service@" + DOMAIN, impersonate=True) for n in range(MANY - 1)}
    t.daemon.stop()
    t.before = t.asked("GetStreamingEvents"), t.asked("Subscribe")
    t.daemon.start()
    all_streamed(t, len(accounts))
    return accounts


def all_streamed(t, count, seconds=WAIT_S):
    until(lambda: t.figure("exchange_streams") == count, seconds, "streams: %d of %d" % (t.figure("exchange_streams"), count))


def sent_and_told(t, subject, accounts, seconds=5):
    for user in accounts:
        t.exchange.send("%s@%s" % (user, DOMAIN), subject)
    for user, a in accounts.items():
        until(lambda: subject in [m["subject"] for m in t.told(a["id"])], seconds, "%s, to %s" % (subject, user))


@row
def a_service_accounts_mailboxes_share_a_stream(t):
    accounts = crew(t)
    sent_and_told(t, "one", accounts)
    sent_and_told(t, "two", accounts)
    hold(all(s == ["one", "two"] for s in tells(t, accounts).values()), "told: %s" % tells(t, accounts))
    opened, subscribed = t.asked("GetStreamingEvents") - t.before[0], t.asked("Subscribe") - t.before[1]
    hold(1 <= opened <= LOOPS < len(accounts) == subscribed, "%d streams of %d subscriptions for %d mailboxes" % (opened, subscribed, len(accounts)))
    hold(t.figure("exchange_notifications_total") >= 2 * len(accounts), "notifications")


@row
def some_go_and_come_and_the_others_are_told_on(t):
    accounts = crew(t)
    gone = accounts.pop("p0")
    t.daemon.api("DELETE", "/v1/accounts/" + gone["id"], expect=(204,))
    all_streamed(t, len(accounts))
    sent_and_told(t, "without it", {**accounts})
    opened = t.asked("GetStreamingEvents")
    last = "p%d" % (MANY - 1)
    accounts[last] = t.connect(user=last, username="service@" + DOMAIN, impersonate=True)
    all_streamed(t, len(accounts), 60)
    hold(t.asked("GetStreamingEvents") == opened + 1, "opened again: %d times" % (t.asked("GetStreamingEvents") - opened))
    sent_and_told(t, "with another", accounts)
    hold(all(s == ["without it", "with another"][u == last:] for u, s in tells(t, accounts).items()), "told: %s" % tells(t, accounts))
    hold(t.told(gone["id"]) == [], "of who has gone: %s" % t.told(gone["id"]))


@row
def a_shared_stream_that_is_killed_is_opened_again_and_nothing_is_lost(t):
    t.wire.lies(t)
    accounts = crew(t)
    sent_and_told(t, "before", accounts)

    def meanwhile():
        for user in accounts:
            t.exchange.send("%s@%s" % (user, DOMAIN), "meanwhile")

    t.wire.cut(meanwhile)
    for a in accounts.values():
        until(lambda: "meanwhile" in [m["subject"] for m in t.told(a["id"])], WAIT_S, "meanwhile")
    all_streamed(t, len(accounts), 60)
    until(lambda: t.asked("GetStreamingEvents") - t.before[0] > 1, 45, "opened again")
    sent_and_told(t, "after", accounts)
    hold(all(s == ["before", "meanwhile", "after"] for s in tells(t, accounts).values()), "told: %s" % tells(t, accounts))


@row
def and_where_none_is_allowed_they_are_polled(t):
    t.open("--fault=Subscribe:ErrorExceededSubscriptionCount", usual=True)
    t.streams(None, poll="1")
    a = {"bert": t.connect(user="bert", username="service@" + DOMAIN, password=ORGANISATIONS, impersonate=True)}
    until(t.parked, WAIT_S, "parked")
    told_once(t, ("one", "two"), {"bert": a["bert"]})
    hold(t.figure("exchange_streams") == 0 and t.asked("Subscribe") == 1, "asked: %d" % t.asked("Subscribe"))


def main():
    o = arguments(sandbox={"default": ""}, shots={"help": "folder for screenshots"})
    binary = os.path.join(os.path.abspath(o.build), "mailmoor")
    sandbox = os.path.abspath(o.sandbox) if o.sandbox else binary
    if not peers.ROOT or subprocess.run([sandbox, "sandbox", "--help"], capture_output=True, check=False).returncode != 0:
        print("1..0 # SKIP %s\n0 passed, 0 failed, 1 skipped" % ("no sandbox in this build" if peers.ROOT else "port 443 wants root"))
        return 0
    with Town(binary, sandbox) as town:
        town.shots = os.path.abspath(o.shots) if o.shots else None
        town.build()
        return row.run(town, o.only, lambda t: t.tidy())


if __name__ == "__main__":
    sys.exit(main())
