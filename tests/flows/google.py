#!/usr/bin/env python3
"""A mailbox at Gmail or Google Workspace, connected by signing in there: against `mailmoor sandbox --google`, without scripts, and in Chromium.

    google.py BUILD [--sandbox BINARY] [--shots FOLDER] [--only REGEX]

`--sandbox`: whose sandbox it is, where it is not the build's own. The browser's rows want Chromium and `npm ci` in tests/pages.
"""
import html
import json
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import urllib.parse

sys.dont_write_bytecode = True

import daemon
import microsoft
import pages
import peers
import sandboxed
from microsoft import has_browser
from peers import hold
from rows import Rows, arguments

row = Rows()
CALLBACK = "/connect/google/callback"
WAIT_S = 40
AWAY_S = 16 * 60


def title(cause, lang):
    """As the catalogue has it."""
    with open(os.path.join(os.path.dirname(__file__), "..", "..", "po", lang + ".po"), encoding="utf-8") as f:
        entry = re.search(r'msgctxt "%s/title"\nmsgid "(.*)"\nmsgstr "(.*)"' % re.escape(cause), f.read())
    return entry[2] or entry[1]


class Browser(microsoft.Browser):
    def to_google(self, link, address, **fields):
        """As far as "Who are you?", or whatever stands in between."""
        page = self.go(link)
        button = re.search(r'formaction="([^"]*/google)"', page.text)
        hold(button, "no way to Google: %r" % page)
        return self.press(page, to=button[1], address=address, **fields)

    def sign_in(self, page, who, answer="accept", leave_out=()):
        page = self.press(page.says("Who are you?"), account=who, next="1")
        if "wants access" not in page.text:
            return page
        hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page.text)
        boxes = re.findall(r'<input type="checkbox" name="scope" value="([^"]*)"( checked)?', page.text)
        hold(len(boxes) > 1 or not leave_out, "boxes: %s" % boxes)
        fields = [(n, html.unescape(v)) for n, v in hidden] + [("scope", s) for s, ticked in boxes if ticked and not s.endswith(tuple(leave_out) or ("\0",))]
        return self.go(urllib.parse.urljoin(page.url, re.search(r'<form[^>]* action="([^"]*)"', page.text)[1]), fields + [("answer", answer)])


class Town(microsoft.Town):
    def open(self, *faults, closed=False, clock_s=None, **more):
        """A cloud, and a daemon that is registered there; both new. `closed`: the daemon cannot reach Google's sign-in page, browsers can."""
        self.shut()
        place = tempfile.mkdtemp(dir=self.folder)
        self.cloud = sandboxed.Sandbox(self.sandbox, place, "--google", "--listen=" + self.address(), *("--fault=" + f for f in faults))
        for _ in range(2):
            self.address()      # it may have more at the next ones
        with socket.create_server(("127.0.0.1", 0)) as s:
            here = "127.0.0.1:%d" % s.getsockname()[1]
        leads = dict(pair.split("=") for pair in self.cloud.told["connect_to"])
        if closed:
            self.nobody = peers.closed_port("127.0.0.1")
            leads["accounts.google.com:443"] = "%s:%d" % self.nobody.getsockname()
        self.settings = {
            "web.listen": here, "web.base_url": "http://" + here, "net.resolver": self.cloud.told["resolver"], "net.ca_file": self.cloud.told["ca_file"],
            "net.allow": "127.0.0.0/8", "net.connect_to": " ".join("%s=%s" % pair for pair in leads.items()),
            "google.client_id": self.cloud.told["google"]["client_id"], "google.client_secret": self.cloud.told["google"]["client_secret"],
            **{k.replace("__", "."): v for k, v in more.items()}}
        self.whims = os.path.join(place, "whims")
        self.daemon = daemon.Daemon(self.binary, os.path.join(place, "daemon"), self.settings,
                                    self.wrapper(place, clock_s) if clock_s is not None else ()).start()
        self.who = [a["address"] for a in self.cloud.told["accounts"] if a.get("google_token_file")]
        return self

    def forward(self, seconds):
        """The daemon's clock, from now on. See whims.c."""
        with open(self.whims, "r+b") as f:
            f.write(struct.pack("=qq", seconds * 10 ** 9, 0))

    def knocked(self):
        return sum(line["path"].startswith("/o/oauth2/v2/auth") for line in self.cloud.log())

    def no_secret_said(self, browser):
        log = self.daemon.said()
        codes = [urllib.parse.parse_qs(urllib.parse.urlsplit(u).query).get("code", [""])[0] for u in browser.seen if CALLBACK in u]
        secret = self.cloud.told["google"]["client_secret"]
        for word in [c for c in codes if c] + [secret, "code_verifier", "access_token", "refresh_token"]:
            hold(word not in log, "in the log: %s" % word)
            hold(not any(word in u for u in browser.seen if CALLBACK not in u), "in an address: %s" % word)
        for file in self.daemon.state_files():
            with open(file, "rb") as f:
                bytes_ = f.read()
            for word in (b"access_token", b"refresh_token", secret.encode()):
                hold(word not in bytes_, "kept as it is: %s in %s" % (word, file))


def asked_of(browser):
    return urllib.parse.parse_qs(urllib.parse.urlsplit(next(u for u in reversed(browser.seen) if "/o/oauth2/v2/auth" in u)).query)


@row
def a_person_signs_in_and_is_connected(t):
    t.open()
    b, anna = Browser(t), t.who[0]
    google = b.to_google(t.link(provider="google"), anna)
    asked = asked_of(b)
    hold(asked["code_challenge_method"] == ["S256"] and len(asked["code_challenge"][0]) == 43 and asked["access_type"] == ["offline"], "asked: %s" % asked)
    hold(asked["prompt"] == ["consent select_account"] and "login_hint" not in asked and asked["include_granted_scopes"] == ["true"], "asked: %s" % asked)
    hold([s.rpartition("/")[2] for s in asked["scope"][0].split()] == ["openid", "email", "gmail.modify", "calendar"], "scopes: %s" % asked)
    hold(t.accounts() == [], "kept before anybody signed in")
    result = b.sign_in(google, anna).says(anna)
    hold(result.url.endswith("/result"), "it ended at %r" % result)
    a = t.accounts()
    hold([(x["state"], x["address"], x["provider"], x["rights"]) for x in a] == [("connected", anna, "google", "full")], "connected: %s" % a)
    report = t.daemon.api("GET", "/v1/accounts/%s/report" % a[0]["id"])
    hold({"google.account", "google.mailbox", "google.calendar"} <= {s["id"] for s in report["steps"]}, "steps: %s" % [s["id"] for s in report["steps"]])
    hold([e["type"] for e in t.daemon.events()][:2] == ["account.created", "account.connected"], "events: %s" % [e["type"] for e in t.daemon.events()])
    t.no_secret_said(b)
    # whoever was connected is known there, and need not pick
    b.to_google(t.link(account=a[0]["id"]), anna)
    asked = asked_of(b)
    hold(asked["prompt"] == ["consent"] and asked["login_hint"] == [anna], "once more: %s" % asked)


@row
def a_state_is_good_for_one_time_in_one_browser_at_one_provider(t):
    t.open(microsoft__client_id="6b1f5c52-10ad-4b8e-9f2e-c0ffee000001")
    b, anna = Browser(t), t.who[0]
    b.to_google(t.link(provider="google"), anna)
    state = asked_of(b)["state"][0]
    base = t.settings["web.base_url"]
    back = "?" + urllib.parse.urlencode({"code": "4/0Astolen", "state": state})
    hold(Browser(t).go(base + CALLBACK + back).status == 403, "another browser")
    hold(b.go(base + "/oauth/microsoft/callback" + back).status == 403, "at Microsoft's callback")
    hold(t.accounts() == [] and b.go(base + CALLBACK + back).status == 403, "and it is used up")
    hold(not any(line["path"].startswith("/token") for line in t.cloud.log()), "a code was shown to Google")


@row
def a_box_that_was_left_unticked_is_named_and_leads_back(t):
    for left, words, cause in (("calendar", ["Google Calendar: see"], "google.scope_unticked"), ("gmail.modify", ["Gmail: read"], "google.scope_unticked")):
        t.open()
        b, anna = Browser(t), t.who[0]
        page = b.sign_in(b.to_google(t.link(provider="google"), anna), anna, leave_out=[left])
        page.says(title(cause, "en"), *words)
        hold([(a["state"], a["cause"]["id"]) for a in t.accounts()] == [("needs_user", cause)], "kept: %s" % t.accounts())
        # straight back, and this time with all of it
        again = b.press(page, to=re.search(r'action="([^"]*/google)"', page.text)[1])
        b.sign_in(again, anna)
        hold([a["state"] for a in t.accounts()] == ["connected"], "then: %s" % t.accounts())
        t.no_secret_said(b)


@row
def what_is_asked_for_follows_the_link_and_the_settings(t):
    t.open(google__rights="read")
    anna = t.who[0]
    for rights, wish in (("read", {}), ("calendar", {"rights": "calendar"})):
        account = {"account": t.accounts()[0]["id"]} if t.accounts() else {}
        b = Browser(t)
        google = b.to_google(t.link(provider="google", **account, **wish), anna)
        names = [s.rpartition("/")[2] for s in asked_of(b)["scope"][0].split()][2:]
        hold(names == (["gmail.readonly", "calendar.readonly"] if rights == "read" else ["calendar"]), "asked: %s" % names)
        b.sign_in(google, anna)
        hold([(a["state"], a["rights"]) for a in t.accounts()] == [("connected", rights)], "then: %s" % t.accounts())


@row
def another_account_is_told_and_nothing_is_kept(t):
    t.open()
    b, (anna, bert) = Browser(t), t.who[:2]
    page = b.sign_in(b.to_google(t.link(provider="google"), anna), bert).says(title("google.wrong_account", "en"), anna, bert)
    hold(CALLBACK in page.url and t.accounts() == [] and t.daemon.events() == [], "kept: %s" % t.accounts())


@row
def what_google_sends_back_is_told(t):
    for error, cause, state in (("access_denied", "google.consent_declined", "needs_user"), ("admin_policy_enforced", "google.app_blocked_by_admin", "needs_admin"),
                                ("server_error", "server.unavailable", "needs_user"), ("org_internal_x", "unknown.answer", "needs_admin")):
        t.open("google-error=" + error)
        b, anna = Browser(t), t.who[0]
        page = b.sign_in(b.to_google(t.link(provider="google"), anna), anna)
        hold([(a["state"], a["cause"]["id"]) for a in t.accounts()] == [(state, cause)], "%s: %s" % (error, t.accounts()))
        hold(page.url.endswith("/result"), "it ended at %r" % page)


def stuck_at_google(b, t, link, code, address):
    """On Google's own page, which leads nowhere."""
    page = b.sign_in(b.to_google(link, address), address)
    return page.says("Error", code)


def paste(b, link, text):
    asked = b.go(link)
    return b.press(asked, to=re.search(r'action="([^"]*/google/said)"', asked.text)[1], said=text)


@row
def the_address_of_googles_page_says_what_it_was(t):
    for code, cause, state in (("policy_enforced", "google.advanced_protection", "needs_admin"), ("admin_policy_enforced", "google.app_blocked_by_admin", "needs_admin"),
                               ("org_internal", "google.app_not_for_this_account", None), ("access_denied", "google.app_not_for_this_account", None)):
        t.open("google-page=" + code)
        b, anna = Browser(t), t.who[0]
        link = t.link(provider="google")
        page = stuck_at_google(b, t, link, code, anna)
        b.go(link).says("Was something in the way at Google?")
        paste(b, link, "it does not work").says("This text does not say yet what happened.")
        paste(b, link, page.url)
        a = t.accounts()
        hold([x["cause"]["id"] for x in a] == [cause] and (state is None or a[0]["state"] == state), "%s: %s" % (code, a))


@row
def an_administrator_trusts_the_app_and_the_person_signs_in_once_more(t):
    t.open("google-page=admin_policy_enforced#1")
    b, admin, anna = Browser(t), Browser(t), t.who[0]
    link = t.link(provider="google")
    result = paste(b, link, stuck_at_google(b, t, link, "admin_policy_enforced", anna).url).says("you sign in once more")
    handed = b.go(link + "/administrator")
    page = admin.go(html.unescape(re.search(r"http://[^<\s]*/admin/[^<\s]*", handed.text)[0]))
    page.says(t.cloud.told["google"]["client_id"], "https://www.googleapis.com/auth/gmail.modify", "API controls", anna)
    hold("admin.google.com" in page.text, "no console: %r" % page)
    admin.press(page).says("Approved.")
    result = b.go(link + "/result").says("Your administrator has done their part.")
    b.sign_in(b.press(result, to=re.search(r'action="([^"]*/google)"', result.text)[1]), anna)
    hold([a["state"] for a in t.accounts()] == ["connected"], "then: %s" % t.accounts())


@row
def nobody_came_back(t):
    t.open(clock_s=0)
    b, anna = Browser(t), t.who[0]
    link = t.link(provider="google")
    b.to_google(link, anna)
    t.forward(AWAY_S)
    peers.until(t.accounts, WAIT_S, "that somebody is missed")
    hold([(a["state"], a["cause"]["id"], a["provider"]) for a in t.accounts()] == [("needs_user", "google.sign_in_not_returned", "google")], "then: %s" % t.accounts())
    b.go(link + "/result").says("What does Google's page say?")
    b.go(link).says(title("google.app_blocked_by_admin", "en"))


@row
def a_registration_that_google_does_not_know_is_the_operators_matter(t):
    for fault, code in (({"google__client_id": "1-gone.apps.googleusercontent.com"}, "invalid_client"), ("google-page=redirect_uri_mismatch", "redirect_uri_mismatch"),
                        ("google-page=deleted_client", "deleted_client")):
        t.open(*([fault] if isinstance(fault, str) else []), **(fault if isinstance(fault, dict) else {}))
        anna = t.who[0]
        for _ in range(2):
            b = Browser(t)
            page = b.to_google(t.link(provider="google"), anna)
            hold(page.status == 503, "sent there: %r" % page)
            page.says(title("google.app_misregistered", "en"))
            hold(not any("accounts.google.com" in u for u in b.seen), "sent there: %s" % b.seen)
        hold(t.knocked() == 1, "asked once a minute: %d" % t.knocked())
        hold(t.accounts() == [] and t.daemon.events() == [], "kept: %s" % t.accounts())
        hold("signin.misregistered" in t.daemon.said() and "code=" + code in t.daemon.said(), "the log: %s" % t.daemon.said()[-800:])


@row
def that_google_does_not_answer_keeps_nobody_away(t):
    t.open(closed=True)
    b, anna = Browser(t), t.who[0]
    b.sign_in(b.to_google(t.link(provider="google"), anna), anna)
    hold([a["state"] for a in t.accounts()] == ["connected"], "connected: %s" % t.accounts())


@row
def the_sign_in_page_is_asked_once_for_many(t):
    t.open()
    for who in t.who[:2]:
        b = Browser(t)
        b.sign_in(b.to_google(t.link(provider="google"), who), who)
    hold([a["state"] for a in t.accounts()] == ["connected"] * 2, "connected: %s" % t.accounts())
    knocks = [line for line in t.cloud.log() if line["path"].startswith("/o/oauth2/v2/auth")]
    hold(len(knocks) == 3, "one of ours, two of theirs: %s" % knocks)


@row
def the_doctor_asks_the_sign_in_page(t):
    t.open()
    for change, state, words in (({}, "passed", "knows it"), ({"google.client_id": "1-gone.apps.googleusercontent.com"}, "failed", "invalid_client"),
                                 ({"net.connect_to": "accounts.google.com:443=127.0.0.1:9"}, "warned", "did not say"), ({"google.client_id": ""}, "skipped", "none")):
        env = t.daemon.environment({}) | {"MAILMOOR_" + k.replace(".", "_").upper(): v for k, v in {**t.settings, **change}.items()}
        ran = subprocess.run([t.binary, "doctor", "--json"], capture_output=True, text=True, timeout=120, env=env, check=False)
        remarks = [r for r in json.loads(ran.stdout)["remarks"] if r["id"] == "google.client"]
        hold(len(remarks) == 1 and remarks[0]["state"] == state and words in remarks[0]["text"], "%s: %s %s" % (change, remarks, ran.stderr[-300:]))


def in_chromium(t, name, lang, link=None, **order):
    places = ["MAP %s:%d %s:%d" % (*k, *v) for k, v in t.cloud.places.items()]
    status, out, err = pages.node("google.mjs", link or t.link(lang, provider="google"), json.dumps({
        "lang": lang, "rules": ",".join(places), "address": t.who[0], "shots": os.path.join(t.shots, "google-" + name) if t.shots else None, **order}))
    hold(status == 0, "the journey ended: %s %s" % (out[-500:], err[-1500:]))
    seen = json.loads(out)
    hold(not seen["faults"] and seen["lang"] == lang, "the browser says: %s" % seen)
    return seen


@row
def chromium_connects_in_thai_and_in_german(t):
    for name, lang, more in (("th", "th", {}), ("th-plain", "th", {"script": False}), ("de-phone", "de", {"width": 390, "dark": True})) if has_browser() else ():
        t.open()
        seen = in_chromium(t, name, lang, **more)
        hold(seen["url"].endswith("/result") and t.who[0] in seen["text"], "seen: %s" % seen)
        hold([a["state"] for a in t.accounts()] == ["connected"], "connected: %s" % t.accounts())


@row
def chromium_leaves_a_box_empty_and_goes_back(t):
    for name, lang, more in (("unticked-th", "th", {"width": 390}), ("unticked-de", "de", {"dark": True, "script": False})) if has_browser() else ():
        t.open()
        seen = in_chromium(t, name, lang, leaveOut="calendar", **more)
        hold(title("google.scope_unticked", lang) in seen["said"], "said: %s" % seen)
        hold([a["state"] for a in t.accounts()] == ["connected"], "connected: %s" % t.accounts())


@row
def chromium_pastes_the_address_of_googles_page(t):
    for name, lang, code, cause, more in (("protection-th", "th", "policy_enforced", "google.advanced_protection", {}),
                                          ("blocked-th", "th", "admin_policy_enforced", "google.app_blocked_by_admin", {"width": 390, "dark": True}),
                                          ("blocked-de", "de", "admin_policy_enforced", "google.app_blocked_by_admin", {"script": False})) if has_browser() else ():
        t.open("google-page=%s#1" % code)
        seen = in_chromium(t, name, lang, **more)
        hold(title(cause, lang) in seen["said"] and title("google.app_misregistered", lang) in seen["asked"], "said: %s" % seen)
        hold(t.cloud.told["google"]["client_id"] in seen["admin"] and "https://www.googleapis.com/auth/gmail.modify" in seen["admin"], "admin: %s" % seen)
        hold([a["state"] for a in t.accounts()] == ["connected"], "connected: %s" % t.accounts())


@row
def chromium_takes_the_wrong_account_declines_and_is_not_sent(t):
    for name, cause, faults, more in (("wrong-th", "google.wrong_account", (), {"who": 1}), ("declined-th", "google.consent_declined", (), {"answer": "cancel"}),
                                      ("misregistered-th", "google.app_misregistered", ("google-page=redirect_uri_mismatch",), {})) if has_browser() else ():
        t.open(*faults)
        more = {k: t.who[v] if k == "who" else v for k, v in more.items()}
        seen = in_chromium(t, name, "th", **more)
        hold(title(cause, "th") in seen["text"] and seen["status"] == (503 if faults else 200), "%s: %s" % (name, seen))
        hold([a["cause"]["id"] for a in t.accounts()] == ([cause] if "answer" in more else []), "%s: %s" % (name, t.accounts()))


def main(rows=row):
    o = arguments(sandbox={"default": ""}, shots={"help": "folder for screenshots"})
    binary = os.path.join(os.path.abspath(o.build), "mailmoor")
    sandbox = os.path.abspath(o.sandbox) if o.sandbox else binary
    told = subprocess.run([sandbox, "sandbox", "--help"], capture_output=True, text=True, check=False)
    if "--google" not in told.stdout:
        print("1..0 # SKIP no Google in this build's sandbox\n0 passed, 0 failed, 1 skipped")
        return 0
    with Town(binary, sandbox) as town:
        town.shots = os.path.abspath(o.shots) if o.shots else None
        return rows.run(town, o.only)


if __name__ == "__main__":
    sys.exit(main())
