#!/usr/bin/env python3
"""A real calendar server, Radicale, and `mailmoor diagnose` of calendars that are found, signed in to, seen and refused.

    caldav.py BUILD [--only REGEX]

All of it is on loopback, in one temporary folder.
"""
import base64
import http.client
import os
import shutil
import ssl
import subprocess
import sys

sys.dont_write_bytecode = True

import peers
from peers import hold
from rows import Rows, arguments

RADICALE = shutil.which("radicale") or "/usr/bin/radicale"
DOMAIN, HOST = peers.DOMAIN, "cal." + peers.DOMAIN
ANN, BERT, CARL, DORA = ("%s@%s" % (name, DOMAIN) for name in ("ann", "bert", "carl", "dora"))
PASSWORD = peers.PASSWORD
BERTS_NAME = "bert"         # he is known there without the domain
URL = "https://%s/" % HOST
row = Rows()

CONFIG = """[server]
hosts = {address}:{port}
ssl = True
certificate = {cert}
key = {key}
[auth]
type = htpasswd
htpasswd_filename = {folder}/users
htpasswd_encryption = plain
delay = 0
[rights]
type = from_file
file = {folder}/rights
[storage]
filesystem_folder = {folder}/data
"""
# dora may look at hers, and no more
RIGHTS = """[root]
user: .*
collection:
permissions: R
[dora]
user: dora@.*
collection: {user}(/.*)?
permissions: Rr
[owner]
user: .+
collection: {user}
permissions: RW
[calendars]
user: .+
collection: {user}/[^/]+
permissions: rw
"""


class Radicale:
    def __init__(self, folder, address, cert):
        self.folder, self.address = folder, address
        os.makedirs(folder)
        with peers.closed_port(address) as port:
            self.port = port.getsockname()[1]
        for name, text in (("config", CONFIG.format(address=address, port=self.port, cert=cert[0], key=cert[1], folder=folder)), ("rights", RIGHTS),
                           ("users", "".join("%s:%s\n" % (user, PASSWORD) for user in (ANN, BERTS_NAME, CARL, DORA)))):
            with open(os.path.join(folder, name), "w") as f:
                f.write(text)
        self.process = peers.Process([RADICALE, "-C", os.path.join(folder, "config")], os.path.join(folder, "log"))
        self.process.wait_for(address, self.port)

    def ask(self, user, method, path, body=b"", **headers):
        c = http.client.HTTPSConnection(self.address, self.port, timeout=20, context=ssl._create_unverified_context())
        credentials = base64.b64encode(("%s:%s" % (user, PASSWORD)).encode()).decode()
        c.request(method, path, body, {"Authorization": "Basic " + credentials, **headers})
        answer = c.getresponse()
        status, body = answer.status, answer.read()
        c.close()
        return status, body

    def calendar(self, user, name):
        status, _ = self.ask(user, "MKCALENDAR", "/%s/%s/" % (user, name))
        hold(status == 201, "MKCALENDAR for %s: %d" % (user, status))

    def close(self):
        self.process.close()


class Town(peers.Peers):
    daemon = None

    def __init__(self, build):
        super().__init__()
        self.binary = os.path.join(os.path.abspath(build), "mailmoor")

    def build(self):
        self.names = self.stack.add(peers.Names(self.address()))
        self.radicale = self.stack.add(Radicale(os.path.join(self.folder, "radicale"), self.address(), self.ca.issue("good", HOST)))
        self.radicale.calendar(ANN, "work")
        self.radicale.calendar(BERTS_NAME, "home")
        os.makedirs(os.path.join(self.radicale.folder, "data", "collection-root", DORA, "hers"))
        with open(os.path.join(self.radicale.folder, "data", "collection-root", DORA, "hers", ".Radicale.props"), "w") as f:
            f.write('{"tag": "VCALENDAR", "D:displayname": "Hers"}')
        self.names.records |= {(DOMAIN, "MX"): ["10 mx." + DOMAIN], (HOST, "A"): [self.radicale.address]}

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
    read = o.facts("caldav.event", "event.read")
    hold([line.split()[0] for line in read] == ["Europe/Berlin", "America/New_York", "Asia/Kolkata"] and len({line.split()[2] for line in read}) == 3, read)
    hold(o.facts("caldav.changes", "sync.told") == ["changed", "gone"] and o.facts("caldav.changes", "sync.by") == ["token", "token"], o.evidence())
    hold(t.events(ANN) == [], "left behind: %s" % t.events(ANN))


@row
def nothing_is_written_unasked(t):
    o = t.diagnose(ANN, "--caldav", URL)
    hold(o.state("caldav.event") == "skipped" and "caldav.remove" not in [s["id"] for s in o.report["steps"]], o.evidence())


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
    other = t.once("other", lambda: Radicale(os.path.join(t.folder, "other"), t.address(), t.ca.issue("good", "mail." + DOMAIN)))
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
