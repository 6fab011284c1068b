#!/usr/bin/env python3
"""`mailmoor diagnose` with a token of Google's, against a Google that is played here by its documents (token endpoint, user information, Gmail,
Calendar, and Gmail by IMAP and SMTP with a token): what is asked and where, each cause, and by which way the mailbox is connected in the end.

    diagnose_google.py BUILD [--only REGEX]
"""
import base64
import contextlib
import email
import http.server
import json
import os
import re
import socket
import ssl
import sys
import tempfile
import threading
import time
import urllib.parse

sys.dont_write_bytecode = True

import peers
import played
from peers import Authority, Listener, Names, hold
from rows import Rows, arguments

row = Rows()
ANN, DOMAIN = "ann@birch.example", "birch.example"
APP, SECRET = "4815-birch.apps.example", "GOCSPX-heron-kettle"
OLD, NEW, REFRESH = "ya29.heron-old-token", "ya29.heron-new-token", "1//0heron-refresh"
MAIL, AUTH = "https://mail.google.com/", "https://www.googleapis.com/auth/"
SCOPES = " ".join((MAIL, AUTH + "calendar", AUTH + "userinfo.email", "openid"))
HOSTS = ("oauth2.googleapis.com", "openidconnect.googleapis.com", "gmail.googleapis.com", "www.googleapis.com")
CALENDAR = "/calendar/v3/calendars/primary"
API_OFF = (403, "accessNotConfigured", "Gmail API has not been used in project 4815 before or it is disabled.")


class Google:
    """One account. `refuses`: path to (status, reason, text); `live`: the tokens that are taken; `log`: "HOST METHOD PATH"."""

    def __init__(self, address, cert, account=ANN, mailbox=ANN, refuses=None, live=(OLD, NEW), refresh=None, imap=True):
        self.account, self.mailbox, self.refuses, self.live, self.refresh, self.imap = account, mailbox, refuses or {}, live, refresh, imap
        self.log, self.sent, self.messages = [], [], {}
        self.calendar = played.Calendar()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*cert)
        google = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                google.log.append("%s %s %s" % (self.headers["Host"], self.command, self.path.split("?")[0]))
                status, answer = google.answer(self.headers["Host"], self.command, self.path, self.headers.get("Authorization"), body)
                data = json.dumps(answer).encode() if answer is not None else b""
                self.send_response(status)
                self.send_header("Content-Type", "application/json; charset=UTF-8")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_POST = do_PATCH = do_DELETE = do_GET

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):      # a peer that goes away is its own business
                pass

        self.web = Server((address, 0), Handler)
        self.web.socket = self.context.wrap_socket(self.web.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.web.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.imapd, self.smtpd = (Listener(address, talk) for talk in (self.talk_imap, self.talk_smtp))

    def close(self):
        self.web.shutdown()
        self.web.server_close()
        self.imapd.close()
        self.smtpd.close()

    def places(self):
        web = ["%s:443=%s:%d" % (h, *self.web.server_address) for h in HOSTS]
        return [*web, "imap.gmail.com:993=%s:%d" % (self.imapd.address, self.imapd.port), "smtp.gmail.com:465=%s:%d" % (self.smtpd.address, self.smtpd.port)]

    # -- web -----------------------------------------------------------------------------------------------------------------------------

    @staticmethod
    def error(status, reason, text):
        return status, {"error": {"code": status, "message": text, "errors": [{"domain": "global", "reason": reason, "message": text}], "status": "X"}}

    def token(self, body):
        form = dict(urllib.parse.parse_qsl(body.decode()))
        if (form.get("client_id"), form.get("client_secret")) != (APP, SECRET):
            return 401, {"error": "invalid_client", "error_description": "Unauthorized"}
        if self.refresh or form.get("refresh_token") != REFRESH:
            return 400, self.refresh or {"error": "invalid_grant", "error_description": "Bad Request"}
        return 200, {"access_token": NEW, "expires_in": 3599, "scope": SCOPES, "token_type": "Bearer"}

    def answer(self, host, method, whole, bearer, body):
        path = urllib.parse.urlsplit(whole).path
        if host == HOSTS[0] and path == "/token" and not bearer:
            return self.token(body)
        if not bearer or bearer.split(" ", 1)[1] not in self.live:
            return self.error(401, "authError", "Invalid Credentials")
        for part, how in self.refuses.items():
            if part in path:
                return self.error(*how)
        if host == HOSTS[1] and path == "/v1/userinfo":
            return 200, {"sub": "1081516234", "email": self.account, "email_verified": True}
        if host == HOSTS[3] and path == "/calendar/v3/users/me/calendarList":
            return 200, {"items": [{"id": self.account, "primary": True, "timeZone": "Europe/Helsinki", "accessRole": "owner"}]}
        if host == HOSTS[3] and path.startswith(CALENDAR):
            return self.calendar.google(method, whole[len(CALENDAR):], body) or (404, None)
        if host == HOSTS[2] and path.startswith("/gmail/v1/users/me/"):
            return self.gmail(method, path[len("/gmail/v1/users/me/"):], body)
        return 404, None

    def gmail(self, method, path, body):
        if path == "profile":
            return 200, {"emailAddress": self.mailbox, "messagesTotal": len(self.messages), "threadsTotal": 0, "historyId": "98765"}
        if path == "labels":
            return 200, {"labels": [{"id": n, "name": n, "type": "system"} for n in ("INBOX", "SENT", "SPAM")]}
        if path == "settings/sendAs":
            return 200, {"sendAs": [{"sendAsEmail": self.mailbox, "isPrimary": True, "isDefault": True}]}
        if path == "messages/send" and method == "POST":
            raw = json.loads(body)["raw"]
            self.sent.append(base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4)))
            self.messages["18c%d" % len(self.sent)] = self.sent[-1]
            return 200, {"id": "18c%d" % len(self.sent), "labelIds": ["SENT", "INBOX"]}
        if path == "messages":
            return 200, {"messages": [{"id": i, "threadId": i} for i in self.messages]} if self.messages else {"resultSizeEstimate": 0}
        found = re.match(r"messages/([^/]+)$", path)
        if not found or found[1] not in self.messages:
            return self.error(404, "notFound", "Requested entity was not found.")
        if method == "DELETE":
            del self.messages[found[1]]
            return 204, None
        headers = email.message_from_bytes(self.messages[found[1]]).items()
        return 200, {"id": found[1], "payload": {"headers": [{"name": k, "value": v} for k, v in headers]}}

    # -- mail: no more of the protocols than a sign-in and a look ---------------------------------------------------------------------------

    def signed_in(self, blob, who):
        said = base64.b64decode(blob).decode()
        self.log.append("%s sign-in" % who)
        return self.imap and said.split(",")[1 if said.startswith("n,") else 0].split("\1")[0] in ("a=" + self.account, "user=" + self.account) \
            and any("\1auth=Bearer %s\1\1" % t in said for t in self.live)

    def talk_imap(self, s):
        with self.context.wrap_socket(s, server_side=True) as line, line.makefile("rwb") as f:
            def say(text):
                f.write(text.encode() + b"\r\n")
                f.flush()
            say("* OK Gimap ready for requests from 127.0.0.1")
            for words in f:
                tag, verb, *rest = words.decode().split(" ", 2)
                rest = rest[0].strip() if rest else ""
                verb = verb.strip().upper()
                if verb == "AUTHENTICATE":
                    if not self.signed_in(rest.split(" ")[1], "imap"):
                        say("+ " + base64.b64encode(b'{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}').decode())
                        f.readline()
                        say(tag + " NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)")
                        continue
                elif verb == "CAPABILITY":
                    say("* CAPABILITY IMAP4rev1 UNSELECT IDLE NAMESPACE ID X-GM-EXT-1 SASL-IR AUTH=XOAUTH2 AUTH=OAUTHBEARER")
                elif verb == "LIST":
                    say('* LIST (\\HasNoChildren) "/" "INBOX"')
                    say('* LIST (\\HasNoChildren \\Sent) "/" "[Gmail]/Sent Mail"')
                elif verb in ("EXAMINE", "SELECT"):
                    for text in ("* 3 EXISTS", "* OK [UIDVALIDITY 1] x", "* OK [UIDNEXT 4] x"):
                        say(text)
                elif verb == "LOGOUT":
                    say("* BYE")
                say(tag + " OK done")

    def talk_smtp(self, s):
        with self.context.wrap_socket(s, server_side=True) as line, line.makefile("rwb") as f:
            def say(text):
                f.write(text.encode() + b"\r\n")
                f.flush()
            say("220 smtp.gmail.com ESMTP - gsmtp")
            for words in f:
                verb, *rest = words.decode().strip().split(" ")
                if verb.upper() == "EHLO":
                    say("250-smtp.gmail.com at your service, [127.0.0.1]\r\n250-SIZE 35882577\r\n250 AUTH XOAUTH2 OAUTHBEARER")
                elif verb.upper() == "AUTH":
                    if self.signed_in(rest[1], "smtp"):
                        say("235 2.7.0 Accepted")
                    else:
                        say("334 eyJzdGF0dXMiOiI0MDAifQ==")
                        f.readline()
                        say("535-5.7.8 Username and Password not accepted. - gsmtp\r\n535 5.7.8 - gsmtp")
                else:
                    say("221 bye" if verb.upper() == "QUIT" else "250 2.0.0 OK")


class Place:
    daemon = None

    def __init__(self, build, folder):
        self.binary, self.folder = os.path.join(build, "mailmoor"), folder
        self.authority = Authority(os.path.join(folder, "ca"))
        self.cert = self.authority.issue("good", *HOSTS, "imap.gmail.com", "smtp.gmail.com")
        self.address = "127.%d.%d.1" % (100 + os.getpid() % 100, os.getpid() // 100 % 250)
        self.names = Names(self.address)
        for host in (*HOSTS, "imap.gmail.com", "smtp.gmail.com"):
            self.names.records[host, "A"] = [self.address]
        for domain in (DOMAIN, "gmail.com"):
            self.names.records[domain, "MX"] = ["1 aspmx.l.google.com"]

    def diagnose(self, *options, provider="google", scope=SCOPES, ended=False, days=0, address=ANN, app=SECRET, **how):
        """(Google, outcome): with a token of an hour, that has `ended` or was granted so many `days` ago."""
        token, config = os.path.join(self.folder, "token"), os.path.join(self.folder, "conf")
        with open(token, "w") as f:
            json.dump({"access_token": OLD, "refresh_token": REFRESH, "scope": scope, "expires_in": 3599,
                       "obtained_at": int(time.time()) - days * 86400 - (7200 if ended else 0)}, f)
        with open(config, "w") as f:
            f.write("[google]\nclient_id = %s\nclient_secret = %s\n" % (APP, app))
        with contextlib.closing(Google(self.address, self.cert, **how)) as google:
            o = peers.run(self.binary, address, ["--config=" + config, "--token-file=" + token, "--resolver=%s:%d" % (self.names.address, self.names.port),
                          "--ca-file=" + self.authority.root, "--timeout=20", *(["--provider=" + provider] if provider else []),
                          *("--connect-to=" + p for p in google.places()), *options], folder=self.folder, secrets=(OLD, NEW, REFRESH, SECRET))
        return google, o


def is_said(o, expected):
    hold(o.short() == expected, "%s, not %s\n%s" % (o.short(), expected, o.evidence()))


def is_asked(google, *expected):
    said = [re.sub(r"\S+ (\S+ )(/gmail/v1/users/me|/calendar/v3)?/", r"\1/", line) for line in google.log]
    hold(sorted(said) == sorted(expected), "%s was asked, not %s" % (said, list(expected)))


LOOK = ("GET /labels", "GET /settings/sendAs", "GET /users/me/calendarList")


# -- well -----------------------------------------------------------------------------------------------------------------------------------

@row
def a_healthy_mailbox_is_connected(t):
    google, o = t.diagnose()
    is_said(o, "connected: -")
    is_asked(google, "GET /profile", *LOOK)
    hold(o.facts("google.calendar", "calendar.role") == ["owner"] and o.facts("google.labels", "imap.folders") == ["3"], o.evidence())


@row
def by_itself_where_the_mail_goes_to_google(t):
    google, o = t.diagnose(provider=None)
    is_said(o, "connected: -")
    hold(o.report["provider"] == "google" and not any("sign-in" in line for line in google.log), o.evidence())


@row
def a_token_for_imap_alone_leads_to_imap(t):
    google, o = t.diagnose(provider=None, scope=MAIL, address="ann@gmail.com", account="ann@gmail.com")
    is_said(o, "connected: -")
    is_asked(google, "imap sign-in", "smtp sign-in")
    hold(o.report["provider"] == "imap", o.report["provider"])


@row
def an_ended_token_is_renewed_once(t):
    google, o = t.diagnose(ended=True, live=(NEW,))
    is_said(o, "connected: -")
    is_asked(google, "POST /token", "GET /profile", *LOOK)
    google, o = t.diagnose(live=(NEW,))
    is_said(o, "connected: -")
    is_asked(google, "GET /profile", "POST /token", "GET /profile", *LOOK)


@row
def the_test_message_comes_and_goes(t):
    google, o = t.diagnose("--send-test")
    is_said(o, "connected: -")
    hold(len(google.sent) == 1 and not google.messages, "left: %s" % google.messages)
    hold(o.facts("send.arrive", "send.folder") == ["inbox"] and o.facts("send.copy", "send.copy") == ["yes"], o.evidence())


# -- not well -------------------------------------------------------------------------------------------------------------------------------

CAUSES = (
    ("another account", dict(account="bob@birch.example", mailbox="bob@birch.example"), "failed: google.wrong_account proven user"),
    ("Gmail off", dict(refuses={"/profile": (400, "failedPrecondition", "Mail service not enabled")}), "failed: google.gmail_off proven admin"),
    ("calendar off", dict(refuses={"/calendar": (403, "notACalendarUser", "The user must be signed up for Google Calendar.")}), "partial: google.calendar_off proven admin"),
    ("administrator", dict(refuses={"/profile": (403, "domainPolicy", "The domain administrators have disabled Gmail apps.")}), "failed: google.app_blocked_by_admin proven admin"),
    ("calendar's box", dict(scope=MAIL + " openid " + AUTH + "userinfo.email", refuses={"/calendar": (403, "insufficientPermissions", "x")}), "partial: google.scope_unticked proven user"),
    ("mail's box", dict(scope=AUTH + "calendar openid", refuses={"/gmail": (403, "insufficientPermissions", "x")}), "failed: google.scope_unticked proven user"),
    ("too fast", dict(refuses={"/profile": (403, "userRateLimitExceeded", "x")}), "failed: throttle.provider proven nobody"),
    ("down", dict(refuses={"/profile": (500, "backendError", "x")}), "failed: server.unavailable proven nobody"),
    ("our secret", dict(ended=True, app="other"), "failed: google.app_misregistered proven operator"),
    ("a session's end", dict(ended=True, refresh={"error": "invalid_grant", "error_description": "reauth related error (invalid_rapt)", "error_subtype": "invalid_rapt"}), "failed: google.reauth_policy proven admin"),
    ("protected", dict(ended=True, refresh={"error": "policy_enforced"}), "failed: google.advanced_protection proven admin"),
    ("blocked", dict(ended=True, refresh={"error": "admin_policy_enforced"}), "failed: google.app_blocked_by_admin proven admin"),
    ("delegation", dict(ended=True, refresh={"error": "unauthorized_client", "error_description": "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested."}),
     "failed: google.delegation_denied proven admin"),
    ("ended early", dict(days=2, refresh={"error": "invalid_grant", "error_description": "Token has been expired or revoked."}), "failed: google.sign_in_again proven user"),
    ("ended on its eighth day", dict(days=7, refresh={"error": "invalid_grant", "error_description": "Token has been expired or revoked."}), "failed: google.testing_grant_ended likely operator; google.sign_in_again possible user"),
)


@row
def every_cause_that_a_token_can_lead_to(t):
    for name, how, expected in CAUSES:
        _, o = t.diagnose(**how)
        hold(o.short() == expected, "%s: %s, not %s\n%s" % (name, o.short(), expected, o.evidence()))


# -- by IMAP instead -----------------------------------------------------------------------------------------------------------------------

@row
def where_its_interface_is_off_gmail_is_read_by_imap(t):
    google, o = t.diagnose(refuses={"/gmail": API_OFF})
    is_said(o, "connected: google.app_misregistered proven operator (repaired)")
    is_asked(google, "GET /profile", "GET /v1/userinfo", "imap sign-in", "smtp sign-in")
    hold(o.report["provider"] == "imap" and o.facts("imap.resolve", "endpoint.host") == ["imap.gmail.com"], o.evidence())
    google, o = t.diagnose(refuses={"/gmail": API_OFF}, provider=None, live=(NEW,))
    is_said(o, "connected: google.app_misregistered proven operator (repaired)")


@row
def it_is_not_tried_without_the_right_to_it(t):
    google, o = t.diagnose(refuses={"/gmail": API_OFF}, scope=SCOPES.replace(MAIL, AUTH + "gmail.modify"))
    is_said(o, "failed: google.app_misregistered proven operator")
    is_asked(google, "GET /profile", "GET /v1/userinfo")


@row
def where_imap_is_off_as_well_the_first_cause_stands(t):
    google, o = t.diagnose(refuses={"/gmail": API_OFF}, imap=False)
    hold(o.short().startswith("failed: google.app_misregistered proven operator"), o.short() + "\n" + o.evidence())
    hold(sum("sign-in" in line for line in google.log) == 1, google.log)


def main():
    args = arguments()
    with tempfile.TemporaryDirectory() as folder:
        place = Place(os.path.abspath(args.build), folder)
        return row.run(place, args.only)


if __name__ == "__main__":
    sys.exit(main())
