#!/usr/bin/env python3
"""Mailboxes at Exchange under the daemon's eyes, against `mailmoor sandbox`: connected, watched, refused, lost and found again, and the connect page.

    exchange.py BUILD [--sandbox BINARY] [--shots FOLDER] [--only REGEX]

`--sandbox`: whose sandbox it is, where it is not the build's own. The page's row wants Chromium and `npm ci` in tests/pages.
"""
import base64
import json
import os
import signal
import ssl
import subprocess
import sys
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
EWS = "https://%s/EWS/Exchange.asmx" % HOST
WAIT_S = 20
row = Rows()

SEND = """<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"
 xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages">
<s:Header><t:RequestServerVersion Version="Exchange2010_SP2"/></s:Header><s:Body><m:CreateItem MessageDisposition="SendAndSaveCopy">
<m:SavedItemFolderId><t:DistinguishedFolderId Id="sentitems"/></m:SavedItemFolderId><m:Items><t:Message><t:MimeContent>%s</t:MimeContent></t:Message>
</m:Items></m:CreateItem></s:Body></s:Envelope>"""
MAIL = "From: Bob <bob@%s>\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <%s@%s>\r\nDate: Sun, 22 Nov 2026 08:00:00 +0000\r\n\r\nHello.\r\n"


class Organisation:
    """A sandbox that is started, ended and started again at one address; its authority is another one each time."""

    def __init__(self, binary, folder, address):
        self.binary, self.folder, self.address = binary, folder, address
        self.popen = None
        self.starts = 0

    def start(self, *options, password=PASSWORD, version="2016"):
        self.stop()
        self.starts += 1
        self.log = os.path.join(self.folder, "sandbox-%d.log" % self.starts)
        users = ["--account=%s@%s:%s" % (u, DOMAIN, p) for u, p in (("ann", password), ("bob", PASSWORD), ("cat", PASSWORD))]
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
        mime = MAIL % (DOMAIN, to, subject, subject.replace(" ", "."), DOMAIN)
        request = urllib.request.Request("https://%s/EWS/Exchange.asmx" % self.address, (SEND % base64.b64encode(mime.encode()).decode()).encode(),
                                         {"Host": HOST, "Content-Type": "text/xml; charset=utf-8",
                                          "Authorization": "Basic " + base64.b64encode(("bob@%s:%s" % (DOMAIN, PASSWORD)).encode()).decode()})
        context = ssl.create_default_context(cadata=self.ca)
        context.check_hostname = False
        answer = urllib.request.urlopen(request, context=context, timeout=10).read().decode()
        hold("NoError" in answer, "not sent: " + answer[:500])


class Town(peers.Peers):
    def __init__(self, binary, sandbox):
        super().__init__()
        self.binary, self.sandbox = binary, sandbox
        self.made = []

    def build(self):
        here = self.address()
        self.address()      # the one behind it is Autodiscover's
        self.names = self.stack.add(peers.Names(self.address()))
        self.names.records |= {(DOMAIN, "MX"): ["10 " + HOST], (HOST, "A"): [here]}
        self.exchange = self.stack.add(Organisation(self.sandbox, self.folder, here))
        settings = {"net.resolver": "%s:%d" % (self.names.address, self.names.port), "net.allow": "127.0.0.0/8", "watch.ews_poll": "1", "watch.grace": "1"}
        self.daemon = self.stack.add(daemon.Daemon(self.binary, os.path.join(self.folder, "daemon"), settings)).start()
        self.open()

    def open(self, *options, **more):
        """The organisation, and its authority laid down by the workspace for its domain."""
        self.exchange.start(*options, **more)
        self.daemon.api("PUT", "/v1/domains/" + DOMAIN, {"ca_pem": self.exchange.ca})

    def connect(self, state="connected", user="ann", password=PASSWORD, **more):
        body = {"address": "%s@%s" % (user, DOMAIN), "password": password, "provider": "exchange", "ews_url": HOST, **more}
        a = self.daemon.api("POST", "/v1/accounts", body)
        self.made.append(a["id"])
        return self.daemon.wait_state(a["id"], state, WAIT_S)

    def parked(self, count=1):
        text = self.daemon.request("GET", "/metrics").text
        return "mailmoor_mailboxes_parked %d\n" % count in text

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
    # and a colleague is shown where that is
    link = t.daemon.api("POST", "/v1/connect-links", {"address": "cat@" + DOMAIN})["url"]
    form = t.daemon.request("GET", link[link.index("/connect"):], key="").text
    hold('value="%s"' % EWS in form, "not filled in: %.300s" % form)


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
