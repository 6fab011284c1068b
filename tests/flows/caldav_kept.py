#!/usr/bin/env python3
"""A running daemon that watches calendars: a real Radicale beside a real Dovecot, or alone.

    caldav_kept.py BUILD [--only REGEX]

All of it is on loopback, in one temporary folder.
"""
import contextlib
import html
import os
import re
import subprocess
import sys
import urllib.parse

sys.dont_write_bytecode = True

import caldav
import peers
import service
from peers import DOMAIN, PASSWORD, Skip, hold, until
from rows import Rows, arguments

URL = "https://%s/" % caldav.HOST
OTHER = "lark-Spoon-77"
SOON = 20
row = Rows()
EVENT = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//birch.example//by hand//
BEGIN:VEVENT
UID:{uid}@{domain}
DTSTAMP:20261122T100000Z
DTSTART:20261123T{hour:02d}0000Z
DTEND:20261123T{hour:02d}3000Z
SUMMARY:{title}
{more}END:VEVENT
END:VCALENDAR
"""


class Radicale(caldav.Radicale):
    """One whose people may be given another password, and that may be down for a while at the same place."""

    def people(self, passwords):
        with open(os.path.join(self.folder, "users.new"), "w") as f:
            f.writelines("%s:%s\n" % one for one in passwords.items())
        os.replace(f.name, os.path.join(self.folder, "users"))

    def down(self):
        self.process.close()

    def up(self):
        self.process = peers.Process([caldav.RADICALE, "-C", os.path.join(self.folder, "config")], os.path.join(self.folder, "log"))
        self.process.wait_for(self.address, self.port)


class Town(service.Town):
    def build(self):
        super().build()
        self.daemon.stop()
        self.radicale = self.stack.add(Radicale(os.path.join(self.folder, "radicale"), self.address(), self.ca.issue("good", caldav.HOST), tuple(self.users)))
        self.radicale.people(self.users)
        self.names.records[caldav.HOST, "A"] = [self.radicale.address]
        self.daemon.settings["net.connect_to"] += " %s:443=%s:%d" % (caldav.HOST, self.radicale.address, self.radicale.port)
        self.daemon.settings["watch.caldav_poll"] = "1"
        self.daemon.start()

    def tidy(self):
        super().tidy()
        if not peers.listens(self.radicale.address, self.radicale.port):
            self.radicale.up()
        self.radicale.people(self.users)

    def owner(self, calendar="work"):
        user = self.user()
        self.radicale.calendar(user, calendar)
        return user

    def beside(self, user, state="connected", **more):
        if not self.smtp:
            raise Skip("mail can be sent only as root")
        return self.daemon.wait_state(self.add({"address": user, "password": PASSWORD, "caldav_url": URL, **more}), state)

    def alone(self, user, state="connected", **more):
        return self.daemon.wait_state(self.add({"address": user, "password": PASSWORD, "provider": "caldav", "caldav_url": URL, **more}), state)

    def put(self, user, uid, title, hour=10, calendar="work", more=""):
        """By another client."""
        text = EVENT.format(uid=uid, domain=DOMAIN, title=title, hour=hour, more=more).replace("\n", "\r\n").encode()
        status, _ = self.radicale.ask(user, "PUT", "/%s/%s/%s.ics" % (user, calendar, uid), text, **{"Content-Type": "text/calendar"})
        hold(status in (201, 204), "PUT: %d" % status)

    def delete(self, user, uid, calendar="work"):
        status, _ = self.radicale.ask(user, "DELETE", "/%s/%s/%s.ics" % (user, calendar, uid))
        hold(status in (200, 204), "DELETE: %d" % status)

    def changes(self, id):
        """[(change, name, title)]"""
        return [(e["data"]["entry"]["change"], e["data"]["entry"]["id"].rsplit("/", 1)[1], e["data"]["entry"].get("title"))
                for e in self.daemon.events(type="calendar.changed", account=id)]

    def wait_changes(self, id, wanted, seconds=SOON):
        with contextlib.suppress(peers.Failed):
            until(lambda: self.changes(id) == wanted, seconds, "")
        hold(self.changes(id) == wanted, "told %s, not %s\n%s" % (self.changes(id), wanted, self.daemon.said()[-3000:]))

    def wait_watched(self, count=1):
        until(lambda: service.metric(self, "mailmoor_calendars") == count, SOON, "%d calendars to be watched" % count)

    def settle(self):
        """Until what is there is known: what is made from then on is told."""
        before = service.metric(self, "mailmoor_caldav_polls_total")
        until(lambda: service.metric(self, "mailmoor_caldav_polls_total") > before + 1, SOON, "two turns")


def steps(t, id):
    report = t.daemon.api("GET", "/v1/accounts/%s/report" % id)
    return {s["id"]: s["state"] for s in report["steps"]}


def cause(t, id):
    return (t.daemon.account(id)["cause"] or {}).get("id")


def entries(t, user):
    kept = os.path.join(t.radicale.folder, "data", "collection-root", user)
    return sorted(f for at, _, files in os.walk(kept) for f in files if f.endswith(".ics") and ".Radicale.cache" not in at)


# -- beside a mailbox -------------------------------------------------------------------------------------------------------------

@row
def beside_a_mailbox_tried_with_an_event_of_our_own(t):
    user = t.owner()
    a = t.beside(user)
    hold(a["caldav_url"] == URL and a["provider"] in ("auto", "imap"), str(a))
    hold(steps(t, a["id"]).get("caldav.event") == "passed" and steps(t, a["id"]).get("caldav.remove") == "passed", str(steps(t, a["id"])))
    hold(entries(t, user) == [], "left there: %s" % entries(t, user))


@row
def what_another_client_does_is_told(t):
    user = t.owner()
    t.put(user, "old", "Was there before")
    a = t.beside(user)
    t.wait_watched()
    t.settle()
    t.put(user, "tea", "Tea")
    t.wait_changes(a["id"], [("added", "tea.ics", "Tea")])
    t.put(user, "tea", "Tea later", hour=12)
    told = [("added", "tea.ics", "Tea"), ("changed", "tea.ics", "Tea later")]
    t.wait_changes(a["id"], told)
    t.put(user, "secret", "Surgeon", more="CLASS:PRIVATE\n")
    t.wait_changes(a["id"], told + [("added", "secret.ics", None)])
    t.delete(user, "old")
    t.wait_changes(a["id"], told + [("added", "secret.ics", None), ("removed", "old.ics", None)])
    t.deliver(user, "Mail beside it")
    t.wait_news(a["id"], ["Mail beside it"])


@row
def a_token_that_is_forgotten_loses_and_repeats_nothing(t):
    user = t.owner()
    for uid in ("one", "two", "three"):
        t.put(user, uid, uid)
    a = t.beside(user)
    t.wait_watched()
    t.settle()
    t.radicale.down()
    # what Radicale knows of its own tokens; and what happened while it did not know
    subprocess.run(["find", os.path.join(t.radicale.folder, "data"), "-name", ".Radicale.cache", "-exec", "rm", "-r", "{}", "+"], check=True)
    os.remove(os.path.join(t.radicale.folder, "data", "collection-root", user, "work", "two.ics"))
    t.radicale.up()
    t.put(user, "four", "four")
    until(lambda: len(t.changes(a["id"])) >= 2, 60, "what changed meanwhile")
    hold(sorted(t.changes(a["id"])) == [("added", "four.ics", "four"), ("removed", "two.ics", None)], str(t.changes(a["id"])))
    t.daemon.wait_state(a["id"], "connected", 60)


@row
def its_server_is_down_and_mail_goes_on(t):
    user = t.owner()
    a = t.beside(user)
    t.wait_watched()
    t.radicale.down()
    t.daemon.wait_state(a["id"], "degraded", 90)
    hold(cause(t, a["id"]) in ("net.refused", "server.unavailable"), str(cause(t, a["id"])))
    t.deliver(user, "While it is down")
    t.wait_news(a["id"], ["While it is down"])
    t.radicale.up()
    t.daemon.wait_state(a["id"], "connected", 120)
    t.put(user, "back", "Back again")
    t.wait_changes(a["id"], [("added", "back.ics", "Back again")])
    hold([e["type"] for e in t.daemon.events(account=a["id"]) if e["type"].startswith("account.")][-2:] == ["account.failed", "account.recovered"],
         str(service.types(t, a["id"])))


@row
def its_password_is_changed_and_mail_goes_on(t):
    user = t.owner()
    a = t.beside(user, caldav_username=user, caldav_password=PASSWORD)
    t.wait_watched()
    t.radicale.people(t.users | {user: OTHER})
    t.daemon.wait_state(a["id"], "degraded", SOON)
    hold(cause(t, a["id"]) == "auth.password_rejected", str(cause(t, a["id"])))
    t.deliver(user, "All the same")
    t.wait_news(a["id"], ["All the same"])
    # said once, and not again
    with open(os.path.join(t.radicale.folder, "log")) as f:
        failed = f.read().count("Failed login attempt")
    polls = service.metric(t, "mailmoor_caldav_polls_total")
    hold(service.metric(t, "mailmoor_calendars") == 0 and service.metric(t, "mailmoor_caldav_polls_total") == polls, "it is asked on")
    t.daemon.api("PATCH", "/v1/accounts/" + a["id"], {"caldav_password": OTHER})
    t.daemon.wait_state(a["id"], "connected")
    with open(os.path.join(t.radicale.folder, "log")) as f:
        hold(f.read().count("Failed login attempt") == failed, "said again")
    hold(OTHER not in t.daemon.said(), "the password is in the log")


@row
def a_calendar_that_is_refused_at_first_leaves_the_mail(t):
    user = t.owner()
    a = t.beside(user, "degraded", caldav_username=user, caldav_password="never-Right-1")
    hold(cause(t, a["id"]) == "auth.password_rejected", str(a["cause"]))
    t.deliver(user, "Mail is read")
    t.wait_news(a["id"], ["Mail is read"])
    t.daemon.api("PATCH", "/v1/accounts/" + a["id"], {"caldav_url": None, "caldav_username": None, "caldav_password": None})
    t.daemon.wait_state(a["id"], "connected")
    hold("caldav.login" not in steps(t, a["id"]), "it is asked all the same")


@row
def a_restart_knows_what_was_known(t):
    user = t.owner()
    t.put(user, "old", "Old")
    a = t.beside(user)
    t.wait_watched()
    t.settle()
    t.daemon.stop()
    t.put(user, "new", "New")
    t.delete(user, "old")
    t.daemon.start()
    until(lambda: len(t.changes(a["id"])) >= 2, SOON, "what happened while it was down")
    hold(sorted(t.changes(a["id"])) == [("added", "new.ics", "New"), ("removed", "old.ics", None)], str(t.changes(a["id"])))


# -- alone ------------------------------------------------------------------------------------------------------------------------

@row
def alone(t):
    user = t.owner()
    a = t.alone(user)
    hold(a["provider"] == "caldav" and steps(t, a["id"]).get("caldav.event") == "passed", str(a))
    until(lambda: service.parked(t) == 1, SOON, "it to be parked")
    t.settle()
    t.put(user, "tea", "Tea")
    t.wait_changes(a["id"], [("added", "tea.ics", "Tea")])
    t.radicale.down()
    t.daemon.wait_state(a["id"], "waiting", 60)
    t.radicale.up()
    t.daemon.wait_state(a["id"], "connected", 90)
    t.delete(user, "tea")
    t.wait_changes(a["id"], [("added", "tea.ics", "Tea"), ("removed", "tea.ics", None)])


@row
def alone_refused(t):
    user = t.owner()
    a = t.alone(user, "needs_user", password="never-Right-1")
    hold(cause(t, a["id"]) == "auth.password_rejected", str(a["cause"]))


# -- the connect page -------------------------------------------------------------------------------------------------------------

class Visitor:
    """Somebody with a link and without scripts."""

    def __init__(self, t, address):
        self.daemon = t.daemon
        link = t.daemon.api("POST", "/v1/connect-links", {"address": address})
        self.path = link["url"][link["url"].index("/connect/"):]
        page = self.daemon.request("GET", self.path, key="")
        self.cookie = "; ".join(c.split(";")[0] for c in page.headers.get_all("Set-Cookie"))
        self.form = self.inputs(page.text)

    @staticmethod
    def inputs(page):
        found = {}
        for tag in re.findall(r"<input[^>]*>", page):
            name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
            if name:
                found[name[1]] = html.unescape(value[1]) if value else ""
        return found

    def post(self, where="", **more):
        answer = self.daemon.request("POST", self.path + where, urllib.parse.urlencode(self.form | more), key="", headers={
            "Content-Type": "application/x-www-form-urlencoded", "Cookie": self.cookie, "Origin": "http://%s:%d" % (self.daemon.address, self.daemon.port)})
        return answer


@row
def the_page_finds_the_calendar_and_it_may_be_left_out(t):
    user, other = t.owner(), t.owner()
    t.names.records["_caldavs._tcp." + DOMAIN, "SRV"] = ["0 1 443 " + caldav.HOST]
    try:
        v = Visitor(t, user)
        page = v.post("/find")
        v.form = v.inputs(page.text)
        hold(page.status == 200 and v.form["caldav_url"] == URL + ".well-known/caldav" or v.form["caldav_url"] == URL, str(v.form))
        hold("The calendar at %s is connected as well" % caldav.HOST in page.text, page.text[:3000])
        hold(v.post(password=PASSWORD).status == 303, "not taken")
        a = [a for a in t.daemon.api("GET", "/v1/accounts?search=" + user)["items"]][0]
        t.made.append(a["id"])
        a = t.daemon.wait_state(a["id"], "connected" if t.smtp else ("needs_user", "degraded"))
        hold(a["caldav_url"] and a["caldav_url"].startswith(URL) and steps(t, a["id"]).get("caldav.event") == "passed", str(a))
        w = Visitor(t, other)
        w.form = w.inputs(w.post("/find").text)
        hold(w.post(password=PASSWORD, caldav_url="ftp://nowhere/").status == 422, "taken")
        hold(w.post(password=PASSWORD, caldav_url="").status == 303, "not taken")
        b = [b for b in t.daemon.api("GET", "/v1/accounts?search=" + other)["items"]][0]
        t.made.append(b["id"])
        b = t.daemon.wait_state(b["id"], "connected" if t.smtp else ("needs_user", "degraded"))
        hold(b["caldav_url"] is None and "caldav.login" not in steps(t, b["id"]), str(b))
    finally:
        del t.names.records["_caldavs._tcp." + DOMAIN, "SRV"]


def main():
    o = arguments()
    with Town(os.path.join(os.path.abspath(o.build), "mailmoor")) as t:
        t.build()
        return row.run(t, o.only, Town.tidy)


if __name__ == "__main__":
    sys.exit(main())
