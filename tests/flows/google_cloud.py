#!/usr/bin/env python3
"""The sandbox's Google, held honest: Google's own client works with it, and each fault is on the wire what its name says.

    google_cloud.py BUILD [--only REGEX]

The rows of Google's client want Node, and `npm ci` in the build folder as tests/google says.
"""
import base64
import contextlib
import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

sys.dont_write_bytecode = True

import cloud
import sandboxed
from cloud import Answer, challenge, same
from peers import hold
from rows import Rows, arguments

row = Rows()
HERE = os.path.dirname(os.path.abspath(__file__))
ACCOUNTS, TOKEN, GMAIL, APIS, USER = "accounts.google.com", "oauth2.googleapis.com", "gmail.googleapis.com", "www.googleapis.com", "openidconnect.googleapis.com"
DOMAIN = "contoso.example"
ANNA, BERT = "anna@" + DOMAIN, "bert@" + DOMAIN
APP = "https://app.contoso.example/callback"
MAIL, AUTH = "https://mail.google.com/", "https://www.googleapis.com/auth/"
SCOPES = "openid email profile %s %scalendar" % (MAIL, AUTH)


def blob_of(url):
    """(code, text, status) in the authError of an address, read by its fields."""
    blob = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["authError"][0]
    data = base64.urlsafe_b64decode(blob + "=" * (-len(blob) % 4))
    found = {}
    at = 0
    while at < len(data):
        field, kind = data[at] >> 3, data[at] & 7
        value, shift, at = 0, 0, at + 1
        while True:
            value |= (data[at] & 0x7f) << shift
            shift, at = shift + 7, at + 1
            if not data[at - 1] & 0x80:
                break
        if kind == 2:
            found[field] = data[at:at + value].decode()
            at += value
        else:
            found[field] = value
    return found[1], found[2], found[4]


class Google(cloud.Cloud):
    """One, asked without any library that knows Google."""

    def __init__(self, place, *options):
        sandboxed.Sandbox.__init__(self, place.binary, place.folder, "--google", "--redirect-uri", APP, *options)
        self.google = self.told["google"]
        self.cookies = cloud.http.cookies.SimpleCookie()

    def _asked(self, method, path, body, host, headers):
        if self.cookies and host == ACCOUNTS:
            headers = (*headers, "Cookie: " + "; ".join("%s=%s" % (k, v.value) for k, v in self.cookies.items()))
        return super()._asked(method, path, body, host, headers)

    def authorize(self, **more):
        wish = {"client_id": self.google["client_id"], "response_type": "code", "redirect_uri": APP, "scope": SCOPES, "state": "s 1&2", "access_type": "offline",
                "code_challenge": challenge(), "code_challenge_method": "S256", **more}
        return self.get(ACCOUNTS, "/o/oauth2/v2/auth?" + urllib.parse.urlencode({k: v for k, v in wish.items() if v is not None}))

    def followed(self, page):
        """As a browser goes on at Google itself."""
        to = urllib.parse.urlsplit(page.headers.get("location", ""))
        return self.get(ACCOUNTS, to.path + "?" + to.query) if to.netloc == ACCOUNTS and "authError" not in to.query else page

    def press(self, page, unticked=(), **choices):
        form = re.search(r'<form method="post" action="([^"]*)"', page.text)
        hold(form, "no form: %s" % page)
        fields = [(n, html.unescape(v)) for n, v in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.text)]
        fields += [("scope", html.unescape(v)) for v in re.findall(r'<input type="checkbox" name="scope" value="([^"]*)" checked>', page.text)
                   if not v.endswith(tuple(unticked))] if unticked else \
            [("scope", html.unescape(v)) for v in re.findall(r'<input type="checkbox" name="scope" value="([^"]*)" checked>', page.text)]
        return self.post(ACCOUNTS, html.unescape(form[1]), urllib.parse.urlencode([*fields, *choices.items()]))

    def sign_in(self, who=ANNA, answer="accept", unticked=(), **more):
        page = self.followed(self.authorize(**more))
        if "Who are you?" in page.text:
            page = self.followed(self.press(page, account=who, next="1"))
        if "Select what" in page.text:
            page = self.press(page, unticked, answer=answer)
        return page

    def token(self, form, **more):
        return self.post(TOKEN, "/token", {"client_id": self.google["client_id"], "client_secret": self.google["client_secret"], **form}, **more)

    def redeem(self, code, **more):
        return self.token({"grant_type": "authorization_code", "code": code, "redirect_uri": APP, "code_verifier": cloud.VERIFIER, **more})

    def grant(self, n=0):
        with open(self.told["accounts"][n]["google_token_file"]) as f:
            return json.load(f)

    def refresh(self, n=0):
        return self.token({"grant_type": "refresh_token", "refresh_token": self.grant(n)["refresh_token"]})

    def ask(self, path, body=None, method=None, grant=None, headers=(), host=None):
        host = host or (APIS if path.startswith("/calendar") else GMAIL)
        data = "" if body is None else body if isinstance(body, str) else json.dumps(body)
        return Answer(*self._asked(method or ("GET" if body is None else "POST"), path, data, host,
                                   ("Authorization: Bearer " + (grant or self.grant())["access_token"], "Content-Type: application/json", *headers)))

    def gmail(self, path, *args, **more):
        return self.ask("/gmail/v1/users/me" + path, *args, **more)

    def dates(self, path, *args, **more):
        return self.ask("/calendar/v3" + path, *args, **more)


class Place(cloud.Place):
    def __init__(self, build, folder):
        super().__init__(build, folder)
        self.node = os.path.join(build, "google")

    @contextlib.contextmanager
    def google(self, *faults, options=()):
        s = self.daemon = Google(self, *options, *(word for f in faults for word in ("--fault", f)))
        try:
            yield s
        finally:
            s.stop()


# -- Google's own client --------------------------------------------------------------------------------------------------------------------

@row
def googleapis_signs_in_refreshes_and_revokes(t):
    with t.google() as s:
        same(t.job(s, "code"), {"state": "s1", "hd": DOMAIN, "claims": [ANNA, DOMAIN, "https://accounts.google.com"], "told": [ANNA, True], "who": ANNA, "refresh": True,
                                "scope": 6, "renewed": True, "again": [True, False], "silent": True, "nobody": "interaction_required",
                                "revoked": "Token has been expired or revoked.", "dead": "invalid_token"}, "code")


@row
def googleapis_understands_refusals_of_the_sign_in(t):
    with t.google() as s:
        same(t.job(s, "refusals"), {"declined": {"error": "access_denied", "state": "s1"}, "some": False, "one": True, "online": False,
                                    "wrong": "Invalid code verifier.", "missing": "Missing code verifier.", "twice": "Bad Request", "secret": "Unauthorized"}, "refusals")


@row
def googleapis_reads_sends_and_relabels_mail(t):
    with t.google() as s:
        got = t.job(s, "mail")
        same(got.pop("types", got), ["messagesAdded", "messagesAdded", "labelsAdded", "labelsRemoved", "labelsAdded", "labelsRemoved", "messagesDeleted"], "history")
        same(got, {"profile": [ANNA, 3], "labels": 14, "sender": [True, False], "sent": ["INBOX", "SENT", "UNREAD"], "found": [True], "from": True, "text": "Guten Tag.",
                   "file": ["a.bin", "AAECAwQ="], "some": ["Subject"], "whole": True, "thread": True, "moved": [True, False], "trashed": [True, False], "gone": 404,
                   "pages": True, "none": True, "added": 2, "old": "notFound"}, "mail")
    with t.google(options=("--items", "40")) as s:
        same(t.job(s, "pages"), {"ids": 43, "pages": 5}, "pages")


@row
def googleapis_watches_and_batches(t):
    with t.google() as s:
        got = t.job(s, "watch")
        same((got["days"], got["history"], got["other"]["status"]), (7, True, 400), "watch")
        hold("projects/mailmoor-sandbox/topics/*" in got["other"]["text"], "watch: %s" % got)
        same(t.job(s, "batch"), {"statuses": ["200", "200", "200", "404"], "ids": ["response-0", "response-1", "response-2", "response-3"]}, "batch")


@row
def googleapis_has_a_calendar_and_follows_it(t):
    with t.google() as s:
        got = t.job(s, "calendar")
        bad = got.pop("bad", got)
        same((bad["status"], bad["reason"]), (410, "fullSyncRequired"), "sync token")
        same(got, {"list": [[ANNA, True, "owner"]], "zone": "Europe/Berlin", "first": True, "start": {"dateTime": "2026-12-01T04:00:00+01:00", "timeZone": "Asia/Bangkok"},
                   "twice": "duplicate", "series": ["RRULE:FREQ=DAILY;COUNT=3"], "day": {"date": "2026-12-05"},
                   "there": {"dateTime": "2026-11-30T22:00:00-05:00", "timeZone": "Asia/Bangkok"},
                   "single": ["2026-12-01T04:00:00+01:00", "2026-12-02T09:00:00+01:00", "2026-12-03T09:00:00+01:00", "2026-12-04T09:00:00+01:00", "2026-12-05"], "of": True,
                   "mine": ["kettle0001"], "pages": [2, 2], "patched": "Each day", "clash": 412, "news": [["Each day", "confirmed"], [None, "cancelled"]], "none": 0,
                   "busy": [{"start": "2026-12-02T08:00:00Z", "end": "2026-12-02T08:30:00Z"}], "nobody": "notFound", "mixed": 400, "gone": 410}, "calendar")


@row
def googleapis_is_let_in_by_delegation(t):
    with t.google() as s:
        got = t.job(s, "service")
        same((got["profile"], got["calendars"], got["nobody"]["description"], got["scope"]["reason"], got["itself"]["reason"], got["itself"]["status"]),
             (ANNA, 1, "Invalid email or User ID", "invalid_scope", "failedPrecondition", 400), "service")
    for word, status, error in (("unauthorized_client", 401, "unauthorized_client"), ("not-authorized", 403, "access_denied")):
        with t.google("google-token=" + word) as s:
            got = t.job(s, "service")
            hold(error in json.dumps(got), "%s: %s" % (word, got))


@row
def googleapis_understands_refusals(t):
    profile, events = "https://gmail.googleapis.com/gmail/v1/users/me/profile", "https://www.googleapis.com/calendar/v3/calendars/primary/events"
    for fault, where, status, reason in (("google=accessNotConfigured", profile, 403, "accessNotConfigured"), ("google=notACalendarUser", events, 403, "notACalendarUser"),
                                         ("google=tooManyRequests", profile, 429, "rateLimitExceeded"), ("google=gmail-off", profile, 400, "failedPrecondition"),
                                         ("no-calendar", events, 403, "notACalendarUser"), ("no-mailbox", profile, 400, "failedPrecondition")):
        with t.google(fault) as s:
            got = t.job(s, "refused", WHERE=where)
            same((got["status"], got["reason"]), (status, reason), "%s: %s" % (fault, got))
    with t.google() as s:
        got = t.job(s, "refused", WHERE=profile, SCOPES="openid email " + AUTH + "calendar")
        same((got["status"], got["reason"]), (403, "insufficientPermissions"), "scope: %s" % got)
        hold("insufficient_scope" in got["challenge"], "challenge: %s" % got)


# -- the sign-in ------------------------------------------------------------------------------------------------------------------------------

@row
def a_registration_is_tested_without_anybody(t):
    with t.google() as s:
        to = s.authorize().headers["location"]
        hold(to.startswith("https://accounts.google.com/v3/signin/identifier?"), "accepted: %s" % to)
        for change, code, status, text in (({"client_id": "x"}, "invalid_client", 401, "The OAuth client was not found."),
                                           ({"redirect_uri": APP + "/"}, "redirect_uri_mismatch", 400, "register the redirect URI"),
                                           ({"scope": SCOPES + " " + AUTH + "nonsense"}, "invalid_scope", 400, "invalid=[%snonsense]" % AUTH),
                                           ({"response_type": None}, "invalid_request", 400, "response_type"),
                                           ({"redirect_uri": "urn:ietf:wg:oauth:2.0:oob"}, "invalid_request", 400, "keeping apps secure")):
            page = s.authorize(**change)
            hold(page.status == 302 and page.headers["location"].startswith("https://accounts.google.com/signin/oauth/error?authError="), "%s: %s" % (code, page))
            got = blob_of(page.headers["location"])
            hold((got[0], got[2]) == (code, status) and text in got[1], "%s: %s" % (code, got))
            to = urllib.parse.urlsplit(page.headers["location"])
            hold("Error %d: %s" % (status, code) in s.get(ACCOUNTS, to.path + "?" + to.query).text, "page of %s" % code)


PAGES = (("policy_enforced", 400), ("admin_policy_enforced", 400), ("access_not_configured", 400), ("org_internal", 403), ("access_denied", 403),
         ("rate_limit_exceeded", 403))


@row
def what_an_account_may_not_ends_on_googles_own_page(t):
    for code, status in PAGES:
        with t.google("google-page=" + code) as s:
            hold("/v3/signin/" in s.authorize().headers["location"], "%s: before the sign-in" % code)
            got = blob_of(s.sign_in().headers["location"])
            same((got[0], got[2]), (code, status), code)
    for code in ("deleted_client", "disabled_client", "disallowed_useragent", "restricted_client"):
        with t.google("google-page=" + code) as s:
            same(blob_of(s.authorize().headers["location"])[0], code, code)
    with t.google(BERT + "/google-page=policy_enforced") as s:
        hold("code" in s.sign_in().back, "anna's")
        s.cookies.clear()
        same(blob_of(s.sign_in(BERT).headers["location"])[0], "policy_enforced", "bert's")
    with t.google("google-error=admin_policy_enforced") as s:
        same(s.sign_in().back, {"error": "admin_policy_enforced", "state": "s 1&2"}, "sent back")


@row
def boxes_may_be_left_unticked(t):
    with t.google() as s:
        page = s.followed(s.press(s.followed(s.authorize()), account=ANNA, next="1"))
        same(re.findall(r'type="checkbox" name="scope" value="([^"]*)" checked', page.text), [MAIL, AUTH + "calendar"], "boxes")
        got = s.redeem(s.sign_in(unticked=("calendar",), prompt="consent").back["code"]).json
        same(got["scope"], "openid %suserinfo.email %suserinfo.profile %s" % (AUTH, AUTH, MAIL), "granted")
        same(s.sign_in(prompt="consent", answer="cancel").back["error"], "access_denied", "declined")
        more = s.redeem(s.sign_in(scope=AUTH + "calendar", include_granted_scopes="true", prompt="consent").back["code"]).json
        hold(MAIL in more["scope"] and AUTH + "calendar" in more["scope"], "incremental: %s" % more)
    with t.google("google-unticked=calendar") as s:
        hold(AUTH + "calendar" not in s.grant()["scope"] and MAIL in s.grant()["scope"], "the token file: %s" % s.grant()["scope"])
        hold(AUTH + "calendar" not in s.redeem(s.sign_in().back["code"]).json["scope"], "and who signs in")


@row
def somebody_else_may_be_signed_in(t):
    with t.google("session=" + BERT) as s:
        hold("Who are you?" in s.followed(s.authorize(login_hint=ANNA)).text, "another one is asked for")
        got = s.redeem(s.sign_in(login_hint=None).back["code"]).json
        same(cloud.claims(got["id_token"])["email"], BERT, "who")
    with t.google("wrong-account") as s:
        same(cloud.claims(s.redeem(s.sign_in().back["code"]).json["id_token"])["email"], BERT, "ordered")
        same(s.ask("/v1/userinfo", host=USER).json["email"], BERT, "the token file's")


# -- the token endpoint -------------------------------------------------------------------------------------------------------------------------

WORDS = (("expired", 400, "invalid_grant", "expired or revoked"), ("invalid_rapt", 400, "invalid_grant", "invalid_rapt"), ("account-deleted", 400, "invalid_grant", "deleted"),
         ("policy_enforced", 400, "policy_enforced", "Advanced Protection"), ("admin_policy_enforced", 400, "admin_policy_enforced", "restricted"),
         ("invalid_client", 401, "invalid_client", "not found"), ("wrong-secret", 401, "invalid_client", "Unauthorized"), ("deleted_client", 401, "deleted_client", "deleted"),
         ("unauthorized_client", 401, "unauthorized_client", "unauthorized to retrieve"), ("rate_limit_exceeded", 403, "rate_limit_exceeded", ""),
         ("internal_failure", 500, "internal_failure", ""))


@row
def the_token_endpoint_refuses_as_ordered(t):
    with t.google(*("google-token=%s#1" % word for word, *_ in WORDS)) as s:
        for word, status, error, text in WORDS:
            a = s.refresh()
            same((a.status, a.json["error"]), (status, error), word)
            hold(text in a.json.get("error_description", ""), "%s: %s" % (word, a))
            hold(("error_subtype" in a.json) == (word == "invalid_rapt"), "%s: %s" % (word, a))
        same(s.refresh().status, 200, "each of them once")
    with t.google(BERT + "/google-token=expired") as s:
        same([s.refresh(n).status for n in (0, 1)], [200, 400], "of one alone")


@row
def the_token_endpoint_has_its_bad_days(t):
    for fault, status, retry in (("token-throttled=7", 429, "7"), ("token-unavailable", 503, "1")):
        with t.google(fault) as s:
            a = s.refresh()
            same((a.status, a.headers.get("retry-after")), (status, retry), fault)
    with t.google("token-page") as s:
        hold(s.refresh().text.startswith("<!DOCTYPE"), "page")
    with t.google("token-cut=40") as s:
        same(len(s.refresh().body), 40, "cut")
    with t.google("token-lost#1") as s:
        same((s.refresh().status, s.refresh().status), (0, 200), "lost, and nothing with it")
    with t.google("token-life=60", "no-refresh-token", "google-age=8") as s:
        g = s.grant()
        same((g["expires_in"], "refresh_token" in g), (60, False), "granted")
        same([round((time.time() - at) / 86400) for at in (g["obtained_at"], cloud.claims(g["id_token"])["iat"])], [8, 8], "agreed then")
    with t.google() as s:
        g = s.grant()
        hold("refresh_token" not in s.refresh().json, "it stays the same one")
        same(s.gmail("/profile").status, 200, "before")
        same(s.post(TOKEN, "/revoke", {"token": g["access_token"]}).status, 200, "revoked")
        same((s.gmail("/profile").status, s.refresh().json["error"], s.post(TOKEN, "/revoke", {"token": g["access_token"]}).json["error"]), (401, "invalid_grant", "invalid_token"), "all of it")


# -- the interfaces -----------------------------------------------------------------------------------------------------------------------------

REASONS = (("gmail-off", "gmail", 400, "failedPrecondition", "FAILED_PRECONDITION", None), ("domainPolicy", "gmail", 403, "domainPolicy", "PERMISSION_DENIED", None),
           ("accessNotConfigured", "gmail", 403, "accessNotConfigured", "PERMISSION_DENIED", "SERVICE_DISABLED"),
           ("insufficientPermissions", "gmail", 403, "insufficientPermissions", "PERMISSION_DENIED", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"),
           ("userRateLimitExceeded", "gmail", 403, "userRateLimitExceeded", "PERMISSION_DENIED", "RATE_LIMIT_EXCEEDED"),
           ("tooManyRequests", "gmail", 429, "rateLimitExceeded", "RESOURCE_EXHAUSTED", None), ("delegationDenied", "gmail", 403, "delegationDenied", "PERMISSION_DENIED", None),
           ("backendError", "gmail", 500, "backendError", "INTERNAL", None), ("unavailable", "dates", 503, "backendError", "UNAVAILABLE", None),
           ("notACalendarUser", "dates", 403, "notACalendarUser", None, None), ("accessNotConfigured@calendar", "dates", 403, "accessNotConfigured", "PERMISSION_DENIED", "SERVICE_DISABLED"))


@row
def the_interfaces_refuse_as_ordered(t):
    for word, which, status, reason, name, info in REASONS:
        with t.google("google=" + word, "google-retry-after=9") as s:
            a = s.gmail("/profile") if which == "gmail" else s.dates("/users/me/calendarList")
            e = a.json["error"]
            same((a.status, e["code"], e["errors"][0]["reason"], e.get("status")), (status, status, reason, name), word)
            same(e["details"][0]["reason"] if "details" in e else None, info, word)
            same(a.headers["retry-after"], "9", word)
            if "accessNotConfigured" in word:
                hold(re.search(r"%s API has not been used in project \d+ before" % ("Gmail" if which == "gmail" else "Google Calendar"), e["message"]), e["message"])
    with t.google("google=rateLimitExceeded@history", "delta-gone") as s:
        same((s.gmail("/profile").status, s.gmail("/history?startHistoryId=1000").status), (200, 403), "the path")
    with t.google("delta-gone#2") as s:
        same((s.gmail("/history?startHistoryId=1000").status, s.gmail("/history?startHistoryId=1000").status), (404, 404), "history")
        same(s.gmail("/history?startHistoryId=1000").status, 200, "and then not")
    with t.google("google-html=502#1", "google-cut=30#1") as s:
        hold(s.gmail("/profile").text.startswith("<!DOCTYPE"), "page")
        same((len(s.gmail("/profile").body), s.gmail("/profile").status), (30, 200), "cut")
    with t.google() as s:
        a = s.gmail("/profile", grant={"access_token": "ya29.no"})
        same((a.status, a.json["error"]["status"], "invalid_token" in a.headers["www-authenticate"]), (401, "UNAUTHENTICATED", True), "no token")
        same(s.ask("/gmail/v1/users/%s/profile" % BERT).json["error"]["message"], "Delegation denied for " + ANNA, "another's")
        same(s.ask("/gmail/v1/users/%s/profile" % ANNA).json["emailAddress"], ANNA, "one's own")


def message(to, subject="Tea"):
    return base64.urlsafe_b64encode(("To: %s\r\nBcc: %s\r\nSubject: %s\r\n\r\nGood day.\r\n" % (to, BERT, subject)).encode()).decode()


@row
def mail_goes_where_it_should(t):
    with t.google() as s:
        got = s.gmail("/messages/send", {"raw": message("ann@elsewhere.example")}).json
        same(got["labelIds"], ["SENT"], "sent")
        bert = s.grant(1)
        there = s.gmail("/messages?labelIds=INBOX&q=subject:tea", grant=bert).json["messages"]
        raw = base64.urlsafe_b64decode(s.gmail("/messages/%s?format=raw" % there[0]["id"], grant=bert).json["raw"])
        hold(b"Bcc" not in raw and b"From: Anna Example <%s>" % ANNA.encode() in raw, "as it arrives: %s" % raw)
        same(s.gmail("/history?startHistoryId=1000&historyTypes=messageAdded", grant=bert).json["history"][0]["messagesAdded"][0]["message"]["labelIds"], ["INBOX", "UNREAD"], "told")
        same(s.gmail("/messages/send", {"raw": base64.urlsafe_b64encode(b"Subject: x\r\n\r\n").decode()}).json["error"]["message"], "Recipient address required", "nobody")
    with t.google("no-delivery") as s:
        same(s.gmail("/messages/send", {"raw": message(ANNA)}).json["labelIds"], ["SENT"], "it never arrives")
        same(s.gmail("/messages?labelIds=INBOX&q=tea").json.get("messages"), None, "nor later")


@row
def mail_to_others_goes_to_lmtp(t):
    listener, heard = cloud.socket.create_server(("127.0.0.1", 0)), []
    thread = threading.Thread(target=sandboxed.lmtp, args=(listener, heard), daemon=True)
    thread.start()
    with t.google(options=("--deliver", "127.0.0.1:%d" % listener.getsockname()[1])) as s:
        same(s.gmail("/messages/send", {"raw": message("ann@elsewhere.example")}).status, 200, "sent")
        thread.join(timeout=20)
    text = b"".join(heard)
    hold(b"RCPT TO:<ann@elsewhere.example>" in text and b"Bcc" not in text and b"Good day." in text, text)


@row
def all_of_them_may_be_played_at_once(t):
    with t.google(options=("--microsoft", "--exchange", "2016", "--google-domain", "birch.example", "--account", "anna@contoso.example:x", "--account", "ann@birch.example:x")) as s:
        hold(s.told["microsoft"]["client_id"] and s.told["google"]["client_id"] and "Exchange" in s.told["version"], s.told)
        same([("token_file" in a, "google_token_file" in a) for a in s.told["accounts"]], [(True, False), (True, True)], "whose")
        hold("anna@contoso" not in s.followed(s.authorize()).text, "who may sign in")
        same(s.gmail("/profile", grant=s.grant(1)).json["emailAddress"], "ann@birch.example", "Gmail")
        with open(s.told["accounts"][0]["token_file"]) as f:
            same(s.graph("/me", grant=json.load(f)).json["mail"], ANNA, "Graph")
        same(s.get("mail." + DOMAIN, "/EWS/Exchange.asmx").status, 401, "Exchange")


# -- -------------------------------------------------------------------------------------------------------------------------------------

def prepare_node(place):
    """As the lock file says, with its checksums, in the build folder."""
    os.makedirs(place, exist_ok=True)
    for name in ("google/package.json", "google/package-lock.json", "google/.npmrc", "google/client.mjs", "cloud/led.cjs"):
        shutil.copy(os.path.join(HERE, "..", name), place)
    if not os.path.isdir(os.path.join(place, "node_modules", "googleapis")):
        done = subprocess.run(["npm", "ci", "--no-progress"], cwd=place, capture_output=True, text=True)
        hold(done.returncode == 0, "npm ci: " + done.stderr[-1000:])


def main():
    args = arguments()
    build = os.path.abspath(args.build)
    folder = tempfile.mkdtemp(prefix="google-flow-")
    try:
        place = Place(build, folder)
        prepare_node(place.node)
        return row.run(place, args.only)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
