#!/usr/bin/env python3
"""Real calendar servers, Radicale and Cyrus, and `mailmoor diagnose` of calendars that are found, signed in to, seen and refused.

    caldav.py BUILD [--only REGEX]

All of it is on loopback, in one temporary folder.
"""
import os
import subprocess
import sys

sys.dont_write_bytecode = True

import calendars
import peers
from calendars import RADICALE, Radicale
from peers import hold
from rows import Rows, arguments

DOMAIN, HOST = peers.DOMAIN, "cal." + peers.DOMAIN
CYRUS = "imap." + peers.DOMAIN
ANN, BERT, CARL, DORA = ("%s@%s" % (name, DOMAIN) for name in ("ann", "bert", "carl", "dora"))
PASSWORD = peers.PASSWORD
BERTS_NAME = "bert"         # he is known there without the domain
URL = "https://%s/" % HOST
row = Rows()

class Town(peers.Peers):
    daemon = None

    def __init__(self, build):
        super().__init__()
        self.binary = os.path.join(os.path.abspath(build), "mailmoor")

    def build(self):
        self.names = self.stack.add(peers.Names(self.address()))
        self.radicale = self.stack.add(Radicale(os.path.join(self.folder, "radicale"), self.address(), self.ca.issue("good", HOST), (ANN, BERTS_NAME, CARL, DORA)))
        self.radicale.calendar(ANN, "work")
        self.radicale.calendar(BERTS_NAME, "home")
        os.makedirs(os.path.join(self.radicale.folder, "data", "collection-root", DORA, "hers"))
        with open(os.path.join(self.radicale.folder, "data", "collection-root", DORA, "hers", ".Radicale.props"), "w") as f:
            f.write('{"tag": "VCALENDAR", "D:displayname": "Hers"}')
        self.names.records |= {(DOMAIN, "MX"): ["10 mx." + DOMAIN], (HOST, "A"): [self.radicale.address]}

    def cyrus(self):
        """Started when it is wanted; and what to tell the program to find it."""
        cyrus = self.once("cyrus", lambda: calendars.Cyrus(os.path.join(self.folder, "cyrus"), self.address(), self.ca.issue("good", CYRUS), (ANN,)))
        self.names.records[CYRUS, "A"] = [cyrus.address]
        return cyrus, ("--caldav", CYRUS, "--connect-to", "%s:443=%s:%d" % (CYRUS, cyrus.address, cyrus.port))

    def diagnose(self, address, *options, password=PASSWORD):
        words = ["--resolver", "%s:%d" % (self.names.address, self.names.port), "--ca-file", self.ca.root, "--connect-to",
                 "%s:443=%s:%d" % (HOST, self.radicale.address, self.radicale.port), "--provider", "caldav", "--timeout", "20", *options]
        return peers.run(self.binary, address, words, password, self.folder, langs=peers.LANGUAGES)

    def events(self, user):
        """What is kept there; of what is gone Radicale's cache remembers the name."""
        kept = os.path.join(self.radicale.folder, "data", "collection-root", user)
        return [f for at, _, files in os.walk(kept) for f in files if f.endswith(".ics") and ".Radicale.cache" not in at]


# -- it works ---------------------------------------------------------------------------------------------------------------------

@row
def calendars_by_the_name_of_their_host(t):
    o = t.diagnose(ANN, "--caldav", HOST)
    hold(o.short() == "connected: -" and o.facts("caldav.calendars", "caldav.calendars") == ["1"], o.short())
    hold(o.facts("caldav.rights", "caldav.may_add") == ["yes"], o.evidence())


@row
def calendars_by_a_url_that_is_the_calendar_itself(t):
    o = t.diagnose(ANN, "--caldav", URL + "ann%40" + DOMAIN + "/work/")
    hold(o.short() == "connected: -" and o.facts("caldav.calendars", "caldav.calendars") == ["1"], o.evidence())


@row
def calendars_that_the_domain_announces(t):
    t.names.records["_caldavs._tcp." + DOMAIN, "SRV"] = ["0 1 443 " + HOST]
    try:
        o = t.diagnose(ANN)
    finally:
        del t.names.records["_caldavs._tcp." + DOMAIN, "SRV"]
    hold(o.short() == "connected: -" and o.facts("caldav.resolve", "endpoint.source") == ["srv"], o.evidence())


@row
def a_name_without_the_domain_is_found(t):
    o = t.diagnose(BERT, "--caldav", URL)
    hold(o.short() == "connected: auth.username_form proven user (repaired)" and o.report["password_tries"] == 1, o.evidence())


@row
def what_it_answers_is_fine_without_a_password_too(t):
    o = t.diagnose(ANN, "--caldav", URL, password=None)
    hold(o.report["verdict"] == "unfinished" and o.report["needs"] == [{"kind": "password", "value": ""}], o.short())


@row
def a_test_event_is_read_back_in_three_zones_and_removed(t):
    o = t.diagnose(ANN, "--caldav", URL, "--calendar-test")
    hold(o.short() == "connected: -" and o.state("caldav.event") == "passed" and o.state("caldav.remove") == "passed", o.evidence())
    read_in_zones(o)
    hold(o.facts("caldav.changes", "sync.told") == ["changed", "gone"] and o.facts("caldav.changes", "sync.by") == ["token", "token"], o.evidence())
    hold(t.events(ANN) == [], "left behind: %s" % t.events(ANN))


@row
def nothing_is_written_unasked(t):
    o = t.diagnose(ANN, "--caldav", URL)
    hold(o.state("caldav.event") == "skipped" and "caldav.remove" not in [s["id"] for s in o.report["steps"]], o.evidence())


def read_in_zones(o):
    read = o.facts("caldav.event", "event.read")
    hold([line.split()[0] for line in read] == ["Europe/Berlin", "America/New_York", "Asia/Kolkata"] and len({line.split()[2] for line in read}) == 3, read)


# -- at Cyrus -----------------------------------------------------------------------------------------------------------------------

@row
def cyrus_is_found_by_its_host_and_has_a_calendar(t):
    _, there = t.cyrus()
    o = t.diagnose(ANN, *there)
    hold(o.short() == "connected: -" and int(o.facts("caldav.calendars", "caldav.calendars")[0]) >= 1, o.evidence())
    hold(o.facts("caldav.calendars", "caldav.home") == ["https://%s/dav/calendars/user/ann/" % CYRUS], o.evidence())


@row
def a_test_event_goes_round_at_cyrus_and_its_changes_are_told(t):
    cyrus, there = t.cyrus()
    o = t.diagnose(ANN, *there, "--calendar-test")
    hold(o.short() == "connected: -" and o.state("caldav.event") == "passed" and o.state("caldav.remove") == "passed", o.evidence())
    read_in_zones(o)
    hold(o.facts("caldav.changes", "sync.told") == ["changed", "gone"] and o.facts("caldav.changes", "sync.by") == ["token", "token"], o.evidence())
    status, left = cyrus.ask(ANN, "PROPFIND", "/dav/calendars/user/%s/Default/" % ANN.split("@")[0], calendars.ETAGS, **{"Depth": "1", "Content-Type": "application/xml"})
    hold(status == 207 and b".ics" not in left, "left behind: %d %s" % (status, left))


@row
def cyrus_refuses_a_wrong_password(t):
    _, there = t.cyrus()
    o = t.diagnose(ANN, *there, password="Kettle-77-is-wrong")
    hold(o.short().startswith("failed: auth.password_rejected likely user") and o.report["password_tries"] in (1, 2), o.evidence())


# -- it does not ------------------------------------------------------------------------------------------------------------------

@row
def a_wrong_password(t):
    o = t.diagnose(ANN, "--caldav", URL, password="Kettle-77-is-wrong")
    hold(o.short().startswith("failed: auth.password_rejected likely user") and o.report["password_tries"] == 2, o.evidence())


@row
def an_account_without_a_calendar(t):
    o = t.diagnose(CARL, "--caldav", URL)
    hold(o.short() == "failed: calendar.none proven user", o.evidence())


@row
def a_calendar_that_may_only_be_read(t):
    o = t.diagnose(DORA, "--caldav", URL)
    hold(o.short() == "partial: calendar.not_permitted proven admin", o.evidence())


@row
def a_path_that_is_wrong_is_put_right(t):
    o = t.diagnose(ANN, "--caldav", URL + "no/such/place/")
    hold(o.short() == "connected: -", o.evidence())


@row
def nobody_s_domain_has_calendars(t):
    o = t.diagnose(ANN)
    hold(o.short().startswith("failed: caldav.not_found") and "caldav.resolve" not in [s["id"] for s in o.report["steps"]], o.evidence())


@row
def another_one_s_certificate(t):
    other = t.once("other", lambda: Radicale(os.path.join(t.folder, "other"), t.address(), t.ca.issue("good", "mail." + DOMAIN), (ANN,)))
    t.names.records["dav." + DOMAIN, "A"] = [other.address]
    o = t.diagnose(ANN, "--caldav", "https://dav.%s:%d/" % (DOMAIN, other.port))
    hold(o.short() == "failed: tls.name_mismatch proven admin" and o.report["password_tries"] == 0, o.evidence())
    hold(o.facts("address", "auth.sent") == ["no"], o.evidence())


def main():
    o = arguments()
    if subprocess.run([RADICALE, "--version"], capture_output=True, check=False).returncode:
        print("no Radicale")
        return 1
    with Town(o.build) as t:
        t.build()
        return row.run(t, o.only)


if __name__ == "__main__":
    sys.exit(main())
