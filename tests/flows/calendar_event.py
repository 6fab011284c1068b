#!/usr/bin/env python3
"""The test event at Exchange, Microsoft and Google, against `mailmoor sandbox` and a Google that is played: written, moved, read and removed by
`mailmoor diagnose --calendar-test`; each way in which a calendar fails; nothing of it stays, whoever calls it off or dies; and the daemon
writes one when an account is connected, and none at its proof of life.

    calendar_event.py BUILD [--sandbox BINARY] [--only REGEX]
"""
import base64
import contextlib
import http.client
import json
import os
import re
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.dont_write_bytecode = True

import cloud
import diagnose_exchange
import diagnose_google
import microsoft
import peers
import sandboxed
from cloud import ANNA, same
from diagnose_exchange import EWS, HOST, PASSWORD
from peers import hold, until
from rows import Rows, arguments

row = Rows()
WAIT_S = 30
TEST = "--calendar-test"
ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kolkata"]
FIND = """<?xml version="1.0" encoding="utf-8"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"
 xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"><s:Header><t:RequestServerVersion Version="Exchange2010_SP2"/></s:Header>
<s:Body><m:FindItem Traversal="Shallow"><m:ItemShape><t:BaseShape>Default</t:BaseShape></m:ItemShape><m:ParentFolderIds>
<t:DistinguishedFolderId Id="calendar"/><t:DistinguishedFolderId Id="deleteditems"/></m:ParentFolderIds></m:FindItem></s:Body></s:Envelope>"""


class Place:
    daemon = None

    def __init__(self, build, sandbox, folder):
        self.binary, self.folder = os.path.join(build, "mailmoor"), folder
        self.clouds = cloud.Place(os.path.dirname(sandbox), folder)
        self.exchanges = diagnose_exchange.Place(build, folder)
        self.exchanges.sandbox = lambda *options: diagnose_exchange.Sandbox(sandbox, tempfile.mkdtemp(dir=folder), *options)
        self.googles = diagnose_google.Place(build, folder)

    # -- Exchange

    @contextlib.contextmanager
    def exchange(self, *faults, version="2016"):
        s = self.exchanges.sandbox("--exchange", version, *(w for f in faults for w in ("--fault", f)))
        try:
            yield s
        finally:
            s.stop()

    @staticmethod
    def kept_at_exchange(s, password=PASSWORD):
        """The subjects in anna's calendar and her bin."""
        request = urllib.request.Request("https://%s:%d/EWS/Exchange.asmx" % s.places[HOST, 443], FIND.encode(),
                                         {"Host": HOST, "Content-Type": "text/xml; charset=utf-8",
                                          "Authorization": "Basic " + base64.b64encode(("%s:%s" % (ANNA, password)).encode()).decode()})
        context = ssl.create_default_context(cafile=s.told["ca_file"])
        context.check_hostname = False
        return re.findall(r"<t:Subject>([^<]*)", urllib.request.urlopen(request, context=context, timeout=20).read().decode())

    # -- Microsoft

    def token(self, s):
        config = os.path.join(self.folder, "mailmoor.conf")
        with open(config, "w") as f:
            f.write("[microsoft]\nclient_id = %s\nclient_secret = %s\n" % (s.microsoft["client_id"], s.microsoft["client_secret"]))
        return ["--provider=microsoft", "--config=" + config, "--resolver=" + s.told["resolver"], "--ca-file=" + s.told["ca_file"], "--timeout=30",
                *("--connect-to=" + c for c in s.told["connect_to"]), "--token-file=" + s.told["accounts"][0]["token_file"]]

    def at_microsoft(self, s, *options):
        return peers.run(self.binary, ANNA, [*self.token(s), *options], folder=self.folder, secrets=(s.microsoft["client_secret"],))

    @staticmethod
    def kept_at_microsoft(s):
        return [e["subject"] for e in s.graph("/me/events?$top=100").json["value"]] + [e["subject"] for e in s.graph("/me/mailFolders/deleteditems/messages").json["value"]]


    # -- Google

    @contextlib.contextmanager
    def google(self, *faults):
        s = sandboxed.Sandbox(self.clouds.binary, tempfile.mkdtemp(dir=self.folder), "--google", *(w for f in faults for w in ("--fault", f)))
        try:
            yield s
        finally:
            s.stop()

    def google_command(self, s):
        config, told = os.path.join(self.folder, "google.conf"), s.told["google"]
        with open(config, "w") as f:
            f.write("[google]\nclient_id = %s\nclient_secret = %s\n" % (told["client_id"], told["client_secret"]))
        return ["--provider=google", "--config=" + config, "--resolver=" + s.told["resolver"], "--ca-file=" + s.told["ca_file"], "--timeout=30",
                *("--connect-to=" + c for c in s.told["connect_to"]), "--token-file=" + s.told["accounts"][0]["google_token_file"]]

    def at_google(self, s, *options):
        return peers.run(self.binary, ANNA, [*self.google_command(s), *options], folder=self.folder, secrets=(s.told["google"]["client_secret"],))

    @staticmethod
    def kept_at_google(s):
        with open(s.told["accounts"][0]["google_token_file"]) as f:
            token = json.load(f)["access_token"]
        host = "www.googleapis.com"
        line = http.client.HTTPSConnection(host, context=ssl.create_default_context(cafile=s.told["ca_file"]), timeout=20)
        line._create_connection = lambda _, *more: socket.create_connection(s.places[host, 443], 20)
        with contextlib.closing(line):
            line.request("GET", "/calendar/v3/calendars/primary/events?maxResults=100", headers={"Authorization": "Bearer " + token})
            return [e.get("summary") for e in json.loads(line.getresponse().read())["items"]]


def states(o):
    return o.state(o.report["provider"] + ".calendar_event"), o.state("calendar.remove") if "calendar.remove" in [s["id"] for s in o.report["steps"]] else None


def facts(o, name):
    return [f["value"] for s in o.report["steps"] if s["id"].endswith(".calendar_event") for f in s["facts"] if f["fact"] == name]


def is_well(o):
    hold(o.short() == "connected: -" and states(o) == ("passed", "passed"), o.evidence())
    read = facts(o, "event.read")
    hold([r.split(" ")[0] for r in read] == ZONES and facts(o, "event.listed") == ["yes"] * 3, "read: %s" % read)
    moments = [time.strptime(r.split(" ")[2].rstrip(","), "%Y%m%dT%H%M%SZ") for r in read]
    hold([m.tm_hour * 60 + m.tm_min for m in moments] == [(moments[0].tm_hour + n) % 24 * 60 for n in range(3)], "an hour apart: %s" % read)


def is_not(o, cause, removed=None):
    """`cause`: "ID CERTAINTY WHO"; what was written first, if anything, was `removed`."""
    c = o.report["causes"][0] if o.report["causes"] else {"id": "-", "certainty": "-", "who": "-"}
    hold((o.report["verdict"], " ".join((c["id"], c["certainty"], c["who"]))) == ("partial", cause), "%s\n%s" % (o.short(), o.evidence()))
    same(states(o), ("failed", removed), "steps")


# -- well -------------------------------------------------------------------------------------------------------------------------------------------

@row
def an_event_comes_and_goes_at_exchange(t):
    for version in ("2016", "2010sp2", "se"):
        with t.exchange("schemes=ntlm,basic", version=version) as s:
            before = t.kept_at_exchange(s)
            is_well(t.exchanges.diagnose(s, ("--ews", EWS, TEST)))
            asked = [line.get("operation") for line in s.log()]
            same([asked.count(x) for x in ("CreateItem", "UpdateItem", "DeleteItem")], [1, 2, 1], "%s: %s" % (version, asked))
            same((t.kept_at_exchange(s), "Mailmoor test" in before), (before, False), version)


@row
def an_event_comes_and_goes_at_exchange_online(t):
    with t.exchange(version="online") as s:
        is_well(t.exchanges.diagnose(s, ("--ews", EWS, "--token-file", "{token}", TEST)))
        asked = [line.get("operation") for line in s.log()]
        same([asked.count(x) for x in ("CreateItem", "UpdateItem", "DeleteItem")], [1, 2, 1], asked)


@row
def an_event_comes_and_goes_at_microsoft(t):
    with t.clouds.cloud() as s:
        before = t.kept_at_microsoft(s)
        is_well(t.at_microsoft(s, TEST))
        asked = [line["method"] + " " + line["path"].split("/")[-1] for line in s.log() if "/events" in line["path"]]
        same((asked.count("POST events"), asked.count("POST permanentDelete"), sum(a.startswith("PATCH") for a in asked)), (1, 1, 2), asked)
        same(t.kept_at_microsoft(s), before, "kept")


@row
def an_event_comes_and_goes_at_google(t):
    google, o = t.googles.diagnose(TEST)
    is_well(o)
    same((google.calendar.events, google.calendar.added), ({}, 1), "kept")
    with t.google() as s:
        before = t.kept_at_google(s)
        is_well(t.at_google(s, TEST))
        asked = [line["method"] for line in s.log() if "/calendars/primary/events" in line["path"] and line["method"] != "GET"]
        same((asked, t.kept_at_google(s)), (["POST", "PATCH", "PATCH", "DELETE"], before), "asked, and kept")


@row
def nothing_is_written_unasked(t):
    with t.exchange() as s:
        o = t.exchanges.diagnose(s, ("--ews", EWS))
        hold(states(o) == ("skipped", None) and not {"CreateItem", "DeleteItem"} & {line.get("operation") for line in s.log()}, o.evidence())
    with t.clouds.cloud() as s:
        o = t.at_microsoft(s)
        hold(states(o) == ("skipped", None) and not any("/events" in line["path"] for line in s.log()), o.evidence())
    google, o = t.googles.diagnose()
    hold(states(o) == ("skipped", None) and google.calendar.added == 0, o.evidence())


# -- each way in which it fails ---------------------------------------------------------------------------------------------------------------------------

BERLIN, KOLKATA = "W. Europe Standard Time", "India Standard Time"
EXCHANGE = (
    ("calendar-read-only", "calendar.not_permitted proven admin", None), ("calendar-read-only=ErrorCreateItemAccessDenied", "calendar.not_permitted proven admin", None),
    ("calendar-read-only=ErrorItemNotFound", "calendar.not_permitted likely admin", None),
    ("zone-unknown=" + BERLIN, "calendar.time_zone_unknown proven nobody", None), ("zone-unknown=" + KOLKATA, "calendar.time_zone_unknown proven nobody", "passed"),
    ("zone-ignored", "calendar.time_zone_unknown likely nobody", "passed"), ("CreateItem:ErrorQuotaExceeded", "mailbox.full proven user", None),
    ("CreateItem:ErrorServerBusy", "throttle.provider proven", None),
)
MICROSOFT = (
    ("calendar-read-only", "calendar.not_permitted likely admin", None), ("zone-unknown=" + BERLIN, "calendar.time_zone_unknown proven nobody", None),
    ("zone-unknown=" + KOLKATA, "calendar.time_zone_unknown proven nobody", "passed"), ("zone-ignored", "calendar.time_zone_unknown likely nobody", "passed"),
    ("zone-odd", "calendar.time_zone_unknown proven nobody", "passed"), ("scopes=User.Read,Mail.ReadWrite,Mail.Send,Calendars.Read", "microsoft.scope_missing proven", None),
)
GOOGLE = (
    ((403, "requiredAccessLevel", "You need to have writer access to this calendar."), "calendar.not_permitted proven admin"),
    ((403, "notACalendarUser", "The user must be signed up for Google Calendar."), "google.calendar_off proven admin"),
    ((403, "insufficientPermissions", "Insufficient Permission"), "google.scope_unticked proven"),
    ((404, "notFound", "Not Found"), "calendar.none likely"),
    ((400, "invalid", "Invalid time zone definition for start time."), "calendar.time_zone_unknown likely nobody"),
)


def is_refused(t, o, cause, removed):
    if len(cause.split(" ")) == 2:
        cause = "%s %s" % (cause, o.report["causes"][0]["who"] if o.report["causes"] else "-")
    is_not(o, cause, removed)


@row
def each_refusal_of_exchange_is_named(t):
    for fault, cause, removed in EXCHANGE:
        with t.exchange(fault) as s:
            is_refused(t, t.exchanges.diagnose(s, ("--ews", EWS, TEST)), cause, removed)
            hold("Mailmoor test" not in t.kept_at_exchange(s), "%s: it stays" % fault)


@row
def each_refusal_of_microsoft_is_named(t):
    for fault, cause, removed in MICROSOFT:
        with t.clouds.cloud(fault) as s:
            is_refused(t, t.at_microsoft(s, TEST), cause, removed)
            hold("Mailmoor test" not in t.kept_at_microsoft(s), "%s: it stays" % fault)


@row
def each_refusal_of_google_is_named(t):
    for how, cause in GOOGLE:
        google, o = t.googles.diagnose(TEST, refuses={"/calendars/primary/events": how})
        is_refused(t, o, cause, None)
        same(google.calendar.added, 0, "written")
    for word, cause in (("requiredAccessLevel@/events", "calendar.not_permitted proven admin"), ("notACalendarUser@/events", "google.calendar_off proven admin")):
        with t.google("google=" + word) as s:
            is_refused(t, t.at_google(s, TEST), cause, None)


@row
def what_cannot_be_removed_is_told(t):
    with t.exchange("DeleteItem:ErrorAccessDenied") as s:
        o = t.exchanges.diagnose(s, ("--ews", EWS, TEST))
        hold(o.short() == "connected: -" and states(o) == ("passed", "warned"), o.evidence())


@row
def where_nothing_is_removed_for_good_it_goes_to_the_bin(t):
    with t.clouds.cloud("graph=BadRequest:400@permanentDelete") as s:
        is_well(t.at_microsoft(s, TEST))
        hold("Mailmoor test" not in [e["subject"] for e in s.graph("/me/events?$top=100").json["value"]], "it stays")


# -- called off, killed -------------------------------------------------------------------------------------------------------------------------------------

def broken_off(command, is_there, how):
    """Started, and ended so once it `is_there`."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as p:
        until(is_there, WAIT_S, "under way")
        p.send_signal(how)
        out, err = p.communicate(timeout=30)
    return p.returncode, out, err


@row
def called_off_in_the_middle_it_leaves_nothing(t):
    with t.clouds.cloud("graph-slow=400") as s:
        command = [t.binary, "diagnose", ANNA, *t.token(s), TEST, "--json"]
        for last in ("POST", "PATCH"):
            before = len(s.log())
            status, out, err = broken_off(command, lambda: any(line["method"] == last and "/events" in line["path"] for line in s.log()[before:]), signal.SIGINT)
            o = json.loads(out)
            told = {x["id"]: x["state"] for x in o["steps"]}
            same((o["verdict"], told["microsoft.calendar_event"], told["calendar.remove"]), ("unfinished", "skipped", "passed"), err)
            same(t.kept_at_microsoft(s).count("Mailmoor test"), 0, "kept after %s" % last)
    with t.google("google-slow=400") as s:
        command = [t.binary, "diagnose", ANNA, *t.google_command(s), TEST, "--json"]
        for last in ("POST", "PATCH"):
            before = len(s.log())
            broken_off(command, lambda: any(line["method"] == last and "/events" in line["path"] for line in s.log()[before:]), signal.SIGINT)
            same(t.kept_at_google(s).count("Mailmoor test"), 0, "kept after %s" % last)
    with t.exchange("slow=300") as s:
        ways = [w for c in s.told["connect_to"] for w in ("--connect-to", c)]
        secret = os.path.join(t.folder, "secret")
        with open(secret, "w") as f:
            f.write(PASSWORD)
        command = [t.binary, "diagnose", ANNA, "--ews", EWS, "--password-file", secret, "--resolver", s.told["resolver"], "--ca-file", s.told["ca_file"], *ways, TEST, "--json"]
        for last in ("CreateItem", "UpdateItem"):
            before = len(s.log())
            broken_off(command, lambda: any(line.get("operation") == last for line in s.log()[before:]), signal.SIGINT)
            same(t.kept_at_exchange(s).count("Mailmoor test"), 0, "kept after %s" % last)


@row
def what_a_dead_test_left_goes_with_the_next(t):
    with t.clouds.cloud("graph-slow=300#12") as s:
        s.graph("/me/events", {"subject": "Mailmoor test", "start": {"dateTime": "2026-11-23T09:00:00", "timeZone": "UTC"}, "end": {"dateTime": "2026-11-23T10:00:00", "timeZone": "UTC"}})
        status, _, _ = broken_off([t.binary, "diagnose", ANNA, *t.token(s), TEST], lambda: any(line["method"] == "PATCH" for line in s.log()), signal.SIGKILL)
        same((status, t.kept_at_microsoft(s).count("Mailmoor test")), (-signal.SIGKILL, 2), "left, beside one of anna's own")
        o = t.at_microsoft(s, TEST)
        is_well(o)
        same((facts(o, "event.earlier"), t.kept_at_microsoft(s).count("Mailmoor test")), (["1"], 1), "only ours goes")


# -- the daemon -----------------------------------------------------------------------------------------------------------------------------------------------

def due_now(town):
    """Its next look at each account is due at once."""
    town.daemon.stop()
    for file in town.daemon.state_files():
        if file.endswith(".db"):
            with contextlib.closing(sqlite3.connect(file)) as store, store:
                store.execute("UPDATE accounts SET next_try = 1000")
    town.daemon.start()


def written(t):
    return sum(line["method"] == "POST" and line["path"] == "/v1.0/me/events" for line in t.cloud.log())


@row
def the_daemon_writes_one_when_an_account_is_connected_and_none_later(t):
    with microsoft.Town(t.binary, t.clouds.binary) as town:
        town.open(watch__graph_poll="1")
        b = microsoft.Browser(town)
        b.sign_in(b.to_microsoft(town.link())).says(ANNA)
        a = town.daemon.wait_state(town.accounts()[0]["id"], "connected", WAIT_S)
        report = town.daemon.api("GET", "/v1/accounts/%s/report" % a["id"])
        told = {x["id"]: x["state"] for x in report["steps"]}
        same((told["microsoft.calendar_event"], told["calendar.remove"], written(town)), ("passed", "passed", 1), "when it was connected")
        same(sum(line["path"].endswith("/permanentDelete") for line in town.cloud.log()), 1, "removed")
        looks = sum(line["path"] == "/v1.0/$batch" for line in town.cloud.log())
        due_now(town)
        until(lambda: sum(line["path"] == "/v1.0/$batch" for line in town.cloud.log()) > looks, WAIT_S, "the proof of life")
        until(lambda: "microsoft.calendar_event" in {x["id"] for x in town.daemon.api("GET", "/v1/accounts/%s/report" % a["id"])["steps"] if x["state"] == "skipped"}, WAIT_S, "its report")
        same((written(town), town.daemon.account(a["id"])["state"]), (1, "connected"), "then")


@row
def the_daemon_writes_nothing_where_it_may_only_read(t):
    with microsoft.Town(t.binary, t.clouds.binary) as town:
        for rights, count in (("read", 0), ("calendar", 1)):
            town.open(microsoft__rights=rights)
            b = microsoft.Browser(town)
            b.sign_in(b.to_microsoft(town.link()))
            town.daemon.wait_state(town.accounts()[0]["id"], "connected", WAIT_S)
            same(written(town), count, rights)


@row
def a_calendar_that_is_closed_is_looked_at_again_by_writing(t):
    with microsoft.Town(t.binary, t.clouds.binary) as town:
        town.open("calendar-read-only#1")
        b = microsoft.Browser(town)
        b.sign_in(b.to_microsoft(town.link()))
        a = town.daemon.wait_state(town.accounts()[0]["id"], ("degraded", "connected"), WAIT_S)
        same((a["state"], a["cause"] and a["cause"]["id"], written(town)), ("degraded", "calendar.not_permitted", 1), "told")
        due_now(town)
        town.daemon.wait_state(a["id"], "connected", WAIT_S)
        same(written(town), 2, "written again")


def main():
    a = arguments(sandbox={"help": "whose sandbox it is"})
    build = os.path.abspath(a.build)
    sandbox = os.path.abspath(a.sandbox) if a.sandbox else os.path.join(build, "mailmoor")
    with tempfile.TemporaryDirectory(prefix="calendar-event-") as folder:
        return row.run(Place(build, sandbox, folder), a.only)


if __name__ == "__main__":
    sys.exit(main())
