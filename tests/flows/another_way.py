#!/usr/bin/env python3
"""A mailbox that is not behind the way that was tried: another way in by one click, a move that is waited for, and what is left at its removal.
Against `mailmoor sandbox --microsoft`, through the pages without scripts and the API.

    another_way.py BUILD [--only REGEX]
"""
import html
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True

import peers
from microsoft import ANNA, Browser, Town, WAIT_S
from peers import hold
from rows import Rows, arguments

row = Rows()
NOT_ENABLED = "graph=MailboxNotEnabledForRESTAPI"
EWS = "https://mail.contoso.example/EWS/Exchange.asmx"


def refused(t, cause, **more):
    """Signs in to what has no mailbox there; (browser, result page, account)."""
    b = Browser(t)
    page = b.sign_in(b.to_microsoft(t.link(**more)))
    a = t.accounts()[0]
    hold(a["cause"] and a["cause"]["id"] == cause, "judged as %s" % a)
    return b, page, a


def way(t, a, provider):
    report = t.daemon.api("GET", "/v1/accounts/%s/report" % a["id"])
    found = [w for w in report.get("ways", ()) if w["provider"] == provider]
    hold(found and found[0]["by"]["value"], "no such way: %s" % report.get("ways"))
    return found[0]


def value_of(page, name):
    field = re.search(r'<input id="%s"[^>]*?(?: value="([^"]*)")' % name, page.text)
    return html.unescape(field[1]) if field else ""


@row
def a_hybrid_mailbox_moves_to_the_exchange_of_the_organisation(t):
    t.open(options=("--exchange", "2016"))
    b, page, before = refused(t, "microsoft.mailbox_on_premises")
    t.daemon.api("PATCH", "/v1/accounts/" + before["id"], {"external_id": "crm-7"})
    hold(before["state"] == "needs_user" and way(t, before, "exchange")["ews_url"] == EWS, "the way: %s" % before)
    form = b.go(page.url.replace("/result", "?way=exchange"))
    hold(value_of(form, "ews_url") == EWS and value_of(form, "address") == ANNA, "the form: %r" % form)
    account = t.cloud.account
    page = b.press(form, address=ANNA, provider="exchange", ews_url=EWS, password=account["password"])
    peers.until(t.settled, WAIT_S, "the verification")
    after = t.accounts()[0]
    hold((after["id"], after["state"], after["provider"]) == (before["id"], "connected", "exchange"), "then: %s" % after)
    hold(after["external_id"] == "crm-7", "external_id: %s" % after)
    types = [e["type"] for e in t.daemon.events()]
    hold(types == ["account.created", "account.failed", "account.connected"], "events: %s" % types)
    for file in t.daemon.state_files():
        with open(file, "rb") as f:
            hold(account["password"].encode() not in f.read(), "the password is in %s" % file)


@row
def mail_that_is_at_google_is_connected_there(t):
    t.open(NOT_ENABLED, "plan=none", "mx=aspmx.l.google.com")
    b, page, a = refused(t, "microsoft.mailbox_not_found", lang="pl")
    hold(way(t, a, "imap")["imap"] == {"host": "imap.gmail.com", "port": 993}, "the way: %s" % way(t, a, "imap"))
    page.says("Połącz z Gmail")
    form = b.go(page.url.replace("/result", "?way=imap"))
    hold((value_of(form, "imap_host"), value_of(form, "smtp_host"), value_of(form, "address")) == ("imap.gmail.com", "smtp.gmail.com", ANNA), "the form: %r" % form)


@row
def what_the_domain_announces_is_a_way(t):
    t.open(NOT_ENABLED, "plan=none", "mx=mx1.birch.example", "imap=imap.contoso.example")
    _, page, a = refused(t, "microsoft.mailbox_not_found", lang="de")
    hold(way(t, a, "imap")["imap"] == {"host": "imap.contoso.example", "port": 993} and "?way=imap" in page.text, "the way: %r" % page)
    # its mail goes to a host that no table knows, and nothing announces IMAP: then none is made up
    t.open(NOT_ENABLED, "plan=none", "mx=mx1.birch.example")
    _, _, a = refused(t, "microsoft.mailbox_not_found")
    report = t.daemon.api("GET", "/v1/accounts/%s/report" % a["id"])
    steps = [s["id"] for s in report["steps"]]
    hold("detect" in steps and steps.count("dns.mx") == 1 and "ways" not in report, "looked for: %s %s" % (steps, report.get("ways")))


@row
def nothing_is_offered_on_no_evidence(t):
    t.open(NOT_ENABLED, "plan=Enabled")
    _, page, a = refused(t, "microsoft.rest_not_enabled")
    report = t.daemon.api("GET", "/v1/accounts/%s/report" % a["id"])
    hold("ways" not in report and "?way=" not in page.text, "offered: %s" % report.get("ways"))


@row
def what_is_at_microsoft_after_all_is_signed_in_to_there(t):
    t.open()
    b, link = Browser(t), t.link()
    form = b.go(link)
    page = b.press(form, address=ANNA, provider="exchange", password="a password that nobody needs")
    peers.until(t.settled, WAIT_S, "the verification")
    before = t.accounts()[0]
    hold((before["cause"] or {}).get("id") == "exchange.use_microsoft" and way(t, before, "microsoft"), "judged as %s" % before)
    page = b.go(link + "/result")
    page = b.press(page, to=re.search(r'action="([^"]*/microsoft)"', page.text)[1])
    b.sign_in(page)
    after = t.accounts()
    hold([(a["id"], a["state"], a["provider"]) for a in after] == [(before["id"], "connected", "microsoft")], "then: %s" % after)


@row
def a_mailbox_on_its_way_is_waited_for(t):
    """Nobody is asked for anything, it is tried again by itself, and told when it has arrived."""
    for cause, faults in (("microsoft.mailbox_migrating", ("personal", "graph=RESTAPINotEnabledForComponentSharedMailbox@mailFolders/inbox#1")),
                          ("mailbox.moving", ("graph=ErrorMailboxMoveInProgress@mailFolders/inbox#1",))):
        t.open(*faults)
        _, page, a = refused(t, cause)
        hold(a["state"] == "waiting" and a["cause"]["who"] == "nobody" and a["next_try"], "it waits: %s" % a)
        hold('/microsoft"' not in page.text and "?way=" not in page.text, "asked to do something: %r" % page)
        peers.until(lambda: t.accounts()[0]["state"] == "connected", 60, "the second try")
        after = t.accounts()[0]
        hold((after["id"], after["cause"]) == (a["id"], None), "then: %s" % after)
        types = [e["type"] for e in t.daemon.events()]
        hold(types[:3] == ["account.created", "account.failed", "account.connected"], "events: %s" % types)


@row
def what_stays_at_microsoft_is_told_when_an_account_is_removed(t):
    for faults, page in ((("personal",), "https://account.live.com/consent/Manage"), ((), "https://myapps.microsoft.com")):
        t.open(*faults)
        b = Browser(t)
        b.sign_in(b.to_microsoft(t.link()))
        a = t.accounts()[0]
        if not faults:
            p = subprocess.run([t.binary, "account", "remove", ANNA, "--lang=pl", "--url=http://%s:%d" % (t.daemon.address, t.daemon.port), "--key-file=-"],
                               input=t.daemon.key, capture_output=True, text=True, timeout=30)
            hold(p.returncode == 0 and page in p.stdout and "Nasz dostęp" in p.stdout and t.accounts() == [], "said: %s %s" % (p.stdout, p.stderr))
            continue
        gone = t.daemon.api("DELETE", "/v1/accounts/" + a["id"] + "?lang=fi", expect=(200,))
        hold([x["url"] for x in gone["left"]] == [page] and page in gone["left"][0]["text"] and "Microsoft" in gone["left"][0]["text"], "left: %s" % gone)
        hold(t.accounts() == [], "still there: %s" % t.accounts())
        t.no_secret_said(b)


def main():
    o = arguments()
    binary = os.path.join(os.path.abspath(o.build), "mailmoor")
    with Town(binary, binary) as town:
        return row.run(town, o.only)


if __name__ == "__main__":
    sys.exit(main())
