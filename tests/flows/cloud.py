#!/usr/bin/env python3
"""The sandbox's Microsoft cloud, held honest: Microsoft's own clients work with it, and each fault is on the wire what its name says.

    cloud.py BUILD [--only REGEX]

The rows of Microsoft's clients want Node, and `npm ci` in the build folder as tests/cloud says.
"""
import base64
import contextlib
import hashlib
import html
import http.cookies
import http.server
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

sys.dont_write_bytecode = True

import sandboxed
from peers import hold
from rows import Rows, arguments

row = Rows()
HERE = os.path.dirname(os.path.abspath(__file__))
ENTRA, GRAPH, OUTLOOK, DEVICE = "login.microsoftonline.com", "graph.microsoft.com", "outlook.office365.com", "microsoft.com"
DOMAIN = "contoso.example"
ANNA, BERT = "anna@" + DOMAIN, "bert@" + DOMAIN
APP = "https://app.contoso.example/callback"
SCOPES = "openid profile email offline_access User.Read Mail.ReadWrite Mail.Send Calendars.ReadWrite"
VERIFIER = "a-verifier-of-at-least-forty-three-characters-0123456789"
COMMON = "/common/oauth2/v2.0/"


def challenge(verifier=VERIFIER):
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.body = status, body
        self.headers = {k.lower(): v for k, v in headers}
        self.text = body.decode(errors="replace")
        self.json = None
        with contextlib.suppress(ValueError):
            self.json = json.loads(body)
        to = self.headers.get("location")
        self.back = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(to).query)) if to else {}

    def __repr__(self):
        return "%d %s %.600s" % (self.status, self.headers.get("location", ""), self.text)


class Cloud(sandboxed.Sandbox):
    """One, asked without any library that knows Microsoft."""

    def __init__(self, place, *options):
        super().__init__(place.binary, place.folder, "--microsoft", "--redirect-uri", APP, *options)
        self.microsoft = self.told["microsoft"]
        self.cookies = http.cookies.SimpleCookie()

    def connect(self, host):
        s = socket.create_connection(self.places[host, 443], timeout=20)
        return ssl.create_default_context(cafile=self.told["ca_file"]).wrap_socket(s, server_hostname=host)

    def get(self, host, path, *headers):
        return Answer(*self._asked("GET", path, "", host, headers))

    def post(self, host, path, form, *headers):
        body = form if isinstance(form, str) else urllib.parse.urlencode(form)
        kind = () if any(h.startswith("Content-Type") for h in headers) else ("Content-Type: application/x-www-form-urlencoded",)
        return Answer(*self._asked("POST", path, body, host, (*kind, *headers)))

    def _asked(self, method, path, body, host, headers):
        with self.connect(host) as s:
            s.settimeout(5)
            data = body.encode()
            head = ["%s %s HTTP/1.1" % (method, path), "Host: " + host, "Connection: close", "Content-Length: %d" % len(data), *headers]
            if self.cookies and host == ENTRA:
                head.append("Cookie: " + "; ".join("%s=%s" % (k, v.value) for k, v in self.cookies.items()))
            s.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + data)
            heard = bytearray()
            with contextlib.suppress(ConnectionError, OSError):
                while more := s.recv(65536):
                    heard += more
        head, _, rest = heard.partition(b"\r\n\r\n")
        lines = bytes(head).decode("latin-1").split("\r\n")
        fields = [tuple(line.split(": ", 1)) for line in lines[1:]]
        for name, value in fields:
            if name.lower() == "set-cookie":
                self.cookies.load(value)
        return int(lines[0].split(" ")[1]) if lines[0] else 0, fields, bytes(rest)

    # signing in

    def authorize(self, **more):
        wish = {"client_id": self.microsoft["client_id"], "response_type": "code", "redirect_uri": APP, "scope": SCOPES, "state": "s 1&2",
                "code_challenge": challenge(), "code_challenge_method": "S256", "nonce": "n1", **more}
        return self.get(ENTRA, COMMON + "authorize?" + urllib.parse.urlencode({k: v for k, v in wish.items() if v is not None}))

    def press(self, page, host=ENTRA, **choices):
        form = re.search(r'<form method="post" action="([^"]*)"', page.text)
        hold(form, "no form: %s" % page)
        hidden = {n: html.unescape(v) for n, v in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.text)}
        return self.post(host, html.unescape(form[1]), {**hidden, **choices})

    def sign_in(self, who=ANNA, answer="accept", **more):
        page = self.authorize(**more)
        if "Who are you?" in page.text:
            page = self.press(page, account=who, next="1")
        if "Permissions requested" in page.text:
            page = self.press(page, answer=answer)
        return page

    def token(self, form, tenant="common", **more):
        return self.post(ENTRA, "/%s/oauth2/v2.0/token" % tenant, {"client_id": self.microsoft["client_id"], **form}, **more)

    def redeem(self, code, **more):
        return self.token({"grant_type": "authorization_code", "code": code, "redirect_uri": APP, "code_verifier": VERIFIER,
                           "client_secret": self.microsoft["client_secret"], **more})

    def grant(self, n=0):
        with open(self.told["accounts"][n]["token_file"]) as f:
            return json.load(f)

    def refresh(self, grant, **more):
        return self.token({"grant_type": "refresh_token", "refresh_token": grant["refresh_token"], **more})

    def graph(self, path, body=None, method=None, grant=None, headers=()):
        bearer = "Authorization: Bearer " + (grant or self.grant())["access_token"]
        data = "" if body is None else body if isinstance(body, str) else json.dumps(body)
        kind = () if any(h.startswith("Content-Type") for h in headers) else ("Content-Type: application/json",)
        return Answer(*self._asked(method or ("GET" if body is None else "POST"), "/v1.0" + path, data, GRAPH, (bearer, *kind, *headers)))


class Place:
    def __init__(self, build, folder):
        self.binary, self.folder, self.node = os.path.join(build, "mailmoor"), folder, os.path.join(build, "cloud")
        self.daemon = None

    @contextlib.contextmanager
    def cloud(self, *faults, options=()):
        s = self.daemon = Cloud(self, *options, *(word for f in faults for word in ("--fault", f)))
        try:
            yield s
        finally:
            s.stop()

    def job(self, s, job, **env):
        """What Microsoft's clients made of it."""
        ca = s.told["ca_file"]
        places = {"%s:%d" % at: place for at, place in s.places.items()}
        p = subprocess.run(["node", "--require", "./led.cjs", "client.mjs", job], cwd=self.node, capture_output=True, text=True, timeout=60,
                           env={**os.environ, "NODE_EXTRA_CA_CERTS": ca, "SANDBOX": json.dumps(s.told), "PLACES": json.dumps(places), "ADDRESS": ANNA, **env})
        hold(p.stdout, "%s: %s" % (job, p.stderr[-1500:]))
        return json.loads(p.stdout)


def same(got, wanted, what):
    hold(got == wanted, "%s: %s" % (what, got))


# -- Microsoft's own clients --------------------------------------------------------------------------------------------------------------

@row
def msal_signs_in_by_code_and_refreshes(t):
    with t.cloud() as s:
        for authority in ("common", "organizations", s.microsoft["tenant"]):
            got = t.job(s, "code", AUTHORITY=authority)
            same((got.get("username"), got.get("tid"), got.get("renewed"), got.get("silent")), (ANNA, s.microsoft["tenant"], True, True), "%s: %s" % (authority, got))
            hold({"Mail.ReadWrite", "Mail.Send"} <= set(got["scopes"]), "scopes: %s" % got)
    with t.cloud() as s:
        got = t.job(s, "declined")
        hold(got["error"] == "access_denied" and "AADSTS65004" in got["error_description"] and got["error_subcode"] == "cancel" and got["state"] == "s3", "declined: %s" % got)


@row
def msal_refuses_what_is_wrong(t):
    for fault, word in (("aadsts=50076", "interaction_required|invalid_grant"), ("aadsts=7000222", "invalid_client"), ("id-token=nonce", "nonce"),
                        ("aadsts=65001", "invalid_grant")):
        with t.cloud(fault) as s:
            got = t.job(s, "code")
            hold("error" in got and re.search(word, "%s %s" % (got["error"], got["text"])), "%s: %s" % (fault, got))


@row
def msal_signs_in_by_device_code_and_as_itself(t):
    with t.cloud("device-interval=1") as s:
        same(t.job(s, "device").get("username"), ANNA, "device")
        same(t.job(s, "itself"), {"type": "Bearer", "inbox": "Inbox"}, "itself")


def key_pair(folder, name, days=30):
    """Files of a certificate that signs itself, and of its key."""
    made = [os.path.join(folder, name + kind) for kind in (".pem", ".key")]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", str(days), "-subj", "/CN=" + name, "-out", made[0], "-keyout", made[1]],
                   check=True, capture_output=True)
    return made


@row
def msal_shows_a_certificate(t):
    (ours, key), (theirs, other) = key_pair(t.folder, "ours"), key_pair(t.folder, "theirs")
    with t.cloud("client-certificate=" + ours) as s:
        same(t.job(s, "certified", CERTIFICATE=ours, KEY=key), {"type": "Bearer"}, "registered")
        for certificate, secret in ((theirs, other), (ours, other)):
            got = t.job(s, "certified", CERTIFICATE=certificate, KEY=secret)
            hold(got.get("error") == "invalid_client" and "700027" in got["text"], "not registered: %s" % got)
    with t.cloud() as s:
        hold("700027" in t.job(s, "certified", CERTIFICATE=ours, KEY=key)["text"], "none is registered")


@row
def the_graph_client_reads_sends_and_moves_mail(t):
    with t.cloud() as s:
        got = t.job(s, "mail")
        same(got, {"mail": ANNA, "plan": "exchange", "first": 3, "pages": 1, "came": [True], "to": True, "found": 2, "attached": True, "removed": ["deleted"],
                   "last": ["as it is"], "sent": ["as it is", True]}, "mail")
        same(t.job(s, "immutable"), {"same": True, "other": True, "read": True}, "immutable ids")
    with t.cloud(options=("--items", "40")) as s:
        got = t.job(s, "mail")
        same((got["first"], got["pages"], got["came"]), (43, 5, [True]), "pages")


@row
def the_graph_client_has_a_calendar_and_batches(t):
    with t.cloud() as s:
        same(t.job(s, "calendar"), {"calendars": ["Calendar"], "days": ["2026-12-01", "2026-12-03", "2026-12-08", "2026-12-10"], "types": ["occurrence"],
                                    "news": ["Review"], "changed": ["Reviewed"], "gone": ["deleted"]}, "calendar")
        same(t.job(s, "batch"), {"order": ["4", "3", "2", "1"], "statuses": {"1": 200, "2": 200, "3": 400, "4": 424}, "many": 400}, "batch")


@row
def the_graph_client_understands_refusals(t):
    with t.cloud("graph=MailboxNotEnabledForRESTAPI", "no-tenant#1") as s:
        got = t.job(s, "refused", WHERE="/me/mailFolders/inbox")
        same((got.get("code"), got.get("status")), ("MailboxNotEnabledForRESTAPI", 404), got)


# -- Entra --------------------------------------------------------------------------------------------------------------------------------

@row
def tenants_are_told(t):
    known = "/%s/v2.0/.well-known/openid-configuration"
    with t.cloud() as s:
        tenant = s.microsoft["tenant"]
        for asked, issuer in (("common", "{tenantid}"), ("organizations", "{tenantid}"), ("consumers", "9188040d-6c67-4c5b-b112-36a304b66dad"), (tenant, tenant), (DOMAIN, tenant)):
            same(s.get(ENTRA, known % asked).json["issuer"], "https://%s/%s/v2.0" % (ENTRA, issuer), asked)
        a = s.get(ENTRA, known % "fabrikam.example")
        hold(a.status == 400 and a.json["error"] == "invalid_tenant" and a.json["error_description"].startswith("AADSTS90002: "), "unknown: %s" % a)
        key = s.get(ENTRA, "/common/discovery/v2.0/keys").json["keys"][0]
        hold(key["kty"] == "RSA" and key["kid"] and len(base64.urlsafe_b64decode(key["n"] + "==")) == 256, "the key: %s" % key)
        hold("<NameSpaceType>Managed<" in s.get(ENTRA, "/getuserrealm.srf?login=%s&xml=1" % ANNA).text, "realm")
        hold("<NameSpaceType>Unknown<" in s.get(ENTRA, "/getuserrealm.srf?login=a@fabrikam.example&xml=1").text, "realm of others")
        same(s.get(OUTLOOK, "/autodiscover/autodiscover.json?Email=%s&Protocol=Ews" % ANNA).json["Url"], "https://%s/EWS/Exchange.asmx" % OUTLOOK, "v2")
    with t.cloud("no-tenant") as s:
        same(s.get(ENTRA, known % DOMAIN).status, 400, "no-tenant")


def claims(jwt):
    part = jwt.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


@row
def a_code_is_good_once_and_for_who_has_the_verifier(t):
    with t.cloud() as s:
        back = s.sign_in().back
        hold(back["state"] == "s 1&2" and back["session_state"], "back: %s" % back)
        same(s.redeem(back["code"], code_verifier="x" * 43).json["error_codes"], [501481], "verifier")
        same(s.redeem(back["code"], redirect_uri=APP + "x").json["error_codes"], [50011], "redirect_uri")
        a = s.redeem(back["code"], client_secret="wrong")
        same((a.status, a.json["error"], a.json["error_codes"]), (401, "invalid_client", [7000215]), "secret")
        same(s.redeem(back["code"], client_id="0" * 8).json["error_codes"], [700016], "client")
        same(s.token({"grant_type": "authorization_code", "code": back["code"], "redirect_uri": APP, "code_verifier": VERIFIER}).json["error_codes"], [7000218], "no secret")
        same(s.token({"grant_type": "authorization_code", "code": back["code"], "redirect_uri": APP, "code_verifier": VERIFIER,
                      "client_secret": s.microsoft["client_secret"]}, DOMAIN).json["error_codes"], [700005], "tenant")
        g = s.redeem(back["code"]).json
        c = claims(g["id_token"])
        same((c["preferred_username"], c["nonce"], c["aud"], c["iss"]), (ANNA, "n1", s.microsoft["client_id"], "https://%s/%s/v2.0" % (ENTRA, s.microsoft["tenant"])), "claims")
        hold(g["refresh_token"] and "Mail.Send" in g["scope"] and "offline_access" not in g["scope"], "granted: %s" % g["scope"])
        same(s.redeem(back["code"]).json["error_codes"], [54005], "again")
        post = s.sign_in(response_mode="form_post", prompt=None)
        hold('name="code"' in post.text and 'action="%s"' % APP in post.text, "form_post: %s" % post)


@row
def refresh_tokens_rotate_and_the_old_one_lives_on(t):
    with t.cloud() as s:
        first = s.grant()
        second = s.refresh(first).json
        hold(second["refresh_token"] != first["refresh_token"] and s.refresh(first).status == 200, "rotates")
        same(s.refresh(second, scope="Mail.Read").json["error_codes"], [65001], "more than was granted")
        same(s.refresh(second, scope="User.Read").json["scope"], "User.Read", "less than was granted")
        same(s.refresh({"refresh_token": "no"}).json["error_codes"], [70000], "no token")
        same(s.token({"grant_type": "magic"}).json["error"], "unsupported_grant_type", "grant_type")
    with t.cloud("old-refresh-ends") as s:
        first = s.grant()
        same((s.refresh(first).status, s.refresh(first).json["error_codes"]), (200, [50173]), "revoked")
    with t.cloud("token-lost#1", "old-refresh-ends") as s:
        first = s.grant()
        same((s.refresh(first).status, s.refresh(first).json["error_codes"]), (0, [50173]), "lost")


# number, status, error, suberror at the token endpoint
NUMBERS = (
    (50173, 400, "invalid_grant", "bad_token"), (700082, 400, "invalid_grant", "bad_token"), (65001, 400, "invalid_grant", "consent_required"),
    (50076, 400, "invalid_grant", "basic_action"), (53003, 400, "invalid_grant", "message_only"), (50105, 400, "interaction_required", None),
    (7000222, 401, "invalid_client", None), (7000112, 400, "unauthorized_client", None), (90002, 400, "invalid_request", None),
    (50055, 400, "invalid_grant", "user_password_expired"), (90033, 500, "server_error", None),
)


@row
def the_token_endpoint_refuses_as_ordered(t):
    with t.cloud(*("aadsts=%d#1" % number for number, *_ in NUMBERS)) as s:
        for number, status, error, suberror in NUMBERS:
            a = s.refresh(s.grant())
            same((a.status, a.json["error"], a.json.get("suberror"), a.json["error_codes"]), (status, error, suberror, [number]), number)
            hold(re.match(r"AADSTS%d: .*\r\nTrace ID: [-0-9a-f]{36}\r\nCorrelation ID: [-0-9a-f]{36}\r\nTimestamp: \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$" % number,
                          a.json["error_description"], re.S), "text: %r" % a.json["error_description"])
            hold(a.json["error_uri"].endswith("code=%d" % number) and ("claims" in a.json) == (number == 50076), "%s" % a)
        same(s.refresh(s.grant()).status, 200, "each of them once")


@row
def what_is_ordered_for_one_mailbox_is_not_anothers(t):
    with t.cloud(ANNA + "/aadsts=50173", BERT + "/personal", BERT + "/graph=ErrorAccessDenied@inbox", BERT + "/authorize-aadsts=50105", DOMAIN + "/mx=mx.elsewhere.example") as s:
        same((s.refresh(s.grant()).status, s.refresh(s.grant(1)).status), (400, 200), "who may refresh")
        same((claims(s.grant()["id_token"])["tid"] == s.microsoft["tenant"], claims(s.grant(1)["id_token"])["tid"]), (True, "9188040d-6c67-4c5b-b112-36a304b66dad"), "where from")
        same([s.graph("/me/mailFolders/inbox", grant=s.grant(n)).status for n in (0, 1)], [200, 403], "whose inbox opens")
        hold("code" in s.sign_in(who=ANNA).back and "50105" in s.sign_in(who=BERT, prompt="select_account").text, "who signs in")


@row
def the_token_endpoint_has_its_bad_days(t):
    for fault, status, retry in (("token-throttled=7", 429, "7"), ("token-unavailable", 503, "1"), ("token-throttled=0", 429, None)):
        with t.cloud(fault) as s:
            a = s.refresh(s.grant())
            same((a.status, a.headers.get("retry-after")), (status, retry), fault)
    with t.cloud("token-page") as s:
        hold(s.refresh(s.grant()).text.startswith("<!DOCTYPE"), "page")
    with t.cloud("token-cut=40") as s:
        same(len(s.refresh(s.grant()).body), 40, "cut")
    with t.cloud("no-refresh-token", "scopes=Mail.Read,User.Read", "token-life=60") as s:
        g = s.grant()
        same((g["scope"], g["expires_in"], "refresh_token" in g), ("Mail.Read User.Read", 60, False), "granted")
    with t.cloud("wrong-account") as s:
        same(claims(s.redeem(s.sign_in(who=ANNA).back["code"]).json["id_token"])["preferred_username"], BERT, "who")
    for flaw, wrong in (("nonce", "nonce"), ("audience", "aud"), ("tenant", "tid"), ("issuer", "iss"), ("expired", "exp")):
        with t.cloud("id-token=" + flaw) as s:
            bad = claims(s.redeem(s.sign_in().back["code"]).json["id_token"])
            right = {"nonce": "n1", "aud": s.microsoft["client_id"], "tid": s.microsoft["tenant"], "iss": "https://%s/%s/v2.0" % (ENTRA, s.microsoft["tenant"])}
            same([k for k, v in right.items() if bad[k] != v] + ["exp"] * (bad["exp"] < time.time()), [wrong], flaw)
    for flaw, alg in (("none", "none"), ("key", "RS256"), ("signature", "RS256")):
        with t.cloud("id-token=" + flaw) as s:
            head = json.loads(base64.urlsafe_b64decode(s.grant()["id_token"].split(".")[0] + "=="))
            kid = s.get(ENTRA, "/common/discovery/v2.0/keys").json["keys"][0]["kid"]
            same((head["alg"], head.get("kid") == kid), (alg, flaw == "signature"), flaw)


@row
def a_browser_is_sent_back_or_stays_with_microsoft(t):
    with t.cloud() as s:
        for more, text in (({"client_id": "nobody"}, "AADSTS700016"), ({"redirect_uri": None}, "AADSTS900971"), ({"redirect_uri": "app"}, "AADSTS50011"),
                           ({"redirect_uri": APP + "/"}, "AADSTS50011"), ({"redirect_uri": APP.upper()}, "AADSTS50011"),
                           ({"redirect_uri": "http://localhost.fabrikam.example/"}, "AADSTS50011"), ({"redirect_uri": "https://fabrikam.example/"}, "AADSTS50011")):
            a = s.authorize(**more)
            hold(a.status == 200 and text in a.text and not a.back, "%s: %s" % (more, a))
        hold("Who are you?" in s.authorize(redirect_uri="http://localhost:4711/back").text, "this machine needs no registration")
        a = s.get(ENTRA, "/organizations/v2.0/adminconsent?" + urllib.parse.urlencode({"client_id": s.microsoft["client_id"], "redirect_uri": "https://fabrikam.example/", "scope": "x"}))
        hold("AADSTS50011" in a.text and not a.back, "an administrator: %s" % a)
        for more, error in (({"prompt": "admin_consent"}, "invalid_request"), ({"response_type": "token"}, "unsupported_response_type"), ({"scope": "Mail.Sent"}, "invalid_scope"),
                            ({"prompt": "none"}, "login_required")):
            a = s.authorize(**more)
            hold(a.status == 302 and a.back["error"] == error and a.back["state"] == "s 1&2", "%s: %s" % (more, a))
    numbers = ((50105, None), (90094, None), (90095, None), (53003, None), (50076, "interaction_required"), (65004, "access_denied"), (50058, "login_required"),
               (700016, None), (90072, "interaction_required"))
    with t.cloud(*("authorize-aadsts=%d#1" % number for number, _ in numbers)) as s:
        for number, error in numbers:
            a = s.sign_in()
            text = "AADSTS%d: " % number
            hold(a.back["error"] == error and a.back["error_description"].startswith(text) if error else a.status == 200 and text in a.text and "Correlation Id:" in a.text,
                 "%d: %s" % (number, a))
            if number == 65004:
                same(a.back["error_subcode"], "cancel", "subcode")
    # the same without a page: then it is told
    with t.cloud("authorize-aadsts=50105", "session=" + ANNA) as s:
        a = s.authorize(prompt="none")
        hold(a.back["error"] == "interaction_required" and "AADSTS50105" in a.back["error_description"], "prompt=none: %s" % a)


@row
def whoever_is_signed_in_is_not_asked_unless_that_is_wished(t):
    with t.cloud("session=" + BERT) as s:
        first = s.authorize()
        hold("Permissions requested" in first.text and BERT in first.text, "consent: %s" % first)
        same(claims(s.redeem(s.press(first, answer="accept").back["code"]).json["id_token"])["preferred_username"], BERT, "who")
        hold(s.authorize().back.get("code"), "silently")
        hold("Who are you?" in s.authorize(prompt="select_account").text and "Who are you?" in s.authorize(login_hint=ANNA).text, "asked")
        hold('value="%s" checked' % ANNA in s.authorize(login_hint=ANNA).text, "the hint")


@row
def administrators_consent_in_all_their_ways(t):
    def decide(s, answer, path="/organizations/v2.0/adminconsent", scope=True):
        wish = {"client_id": s.microsoft["client_id"], "redirect_uri": APP, "state": "a1", **({"scope": "https://graph.microsoft.com/.default"} if scope else {})}
        page = s.get(ENTRA, path + "?" + urllib.parse.urlencode(wish))
        return page if page.back or "<form" not in page.text else s.press(page, answer=answer, account=ANNA)
    with t.cloud("admin-approval") as s:
        hold("Need admin approval" in s.sign_in().text and "AADSTS90094" in s.sign_in().text, "before")
        hold(decide(s, "accept", "/common/v2.0/adminconsent").back["error"] == "invalid_request", "not at common")
        a = decide(s, "accept")
        same(a.back, {"admin_consent": "True", "tenant": s.microsoft["tenant"], "scope": "https://graph.microsoft.com/.default", "state": "a1"}, "accepted")
        hold(s.sign_in().back.get("code"), "after")
    with t.cloud() as s:
        a = decide(s, "cancel")
        hold(a.back["error"] == "access_denied" and a.back["admin_consent"] == "True" and "AADSTS65004" in a.back["error_description"] and "tenant" not in a.back, "cancelled: %s" % a)
        a = decide(s, "cancel", "/%s/adminconsent" % DOMAIN, False)
        same((a.back["error"], a.back["error_description"]), ("permission_denied", "The admin canceled the request"), "v1")
        same(decide(s, "accept", "/common/adminconsent", False).back["admin_consent"], "True", "v1")
    for how, answer, wanted in (("documented", "cancel", "consent_required"), ("other-directory", "accept", "access_denied")):
        with t.cloud("admin-consent=" + how) as s:
            same(decide(s, answer).back["error"], wanted, how)
    with t.cloud("admin-consent=unregistered", "admin-approval") as s:
        hold("AADSTS50011" in decide(s, "accept").text and s.sign_in().back.get("code"), "an error is shown, and all the same it is stored")


@row
def devices_sign_in_by_a_code(t):
    grant = "urn:ietf:params:oauth:grant-type:device_code"
    with t.cloud("slow-down#1") as s:
        d = s.post(ENTRA, COMMON + "devicecode", {"client_id": s.microsoft["client_id"], "scope": SCOPES}).json
        same((d["verification_uri"], d["expires_in"], d["interval"]), ("https://microsoft.com/devicelogin", 900, 5), "told")
        ask = lambda: s.token({"grant_type": grant, "device_code": d["device_code"]})
        same([ask().json["error"], ask().json["error"]], ["slow_down", "authorization_pending"], "waits")
        same(s.token({"grant_type": grant, "device_code": "x"}).json["error"], "bad_verification_code", "no code")
        page = s.get(DEVICE, "/devicelogin")
        hold("didn't work" in s.press(page, DEVICE, code="WRONG", account=ANNA, answer="accept").text, "wrong code")
        s.press(page, DEVICE, code=d["user_code"], account=BERT, answer="accept")
        same(claims(ask().json["id_token"])["preferred_username"], BERT, "who")
        d = s.post(ENTRA, COMMON + "devicecode", {"client_id": s.microsoft["client_id"], "scope": SCOPES}).json
        s.press(page, DEVICE, code=d["user_code"], account=BERT, answer="cancel")
        same(ask().json["error"], "authorization_declined", "declined")


# -- Graph --------------------------------------------------------------------------------------------------------------------------------

@row
def only_a_token_of_its_own_opens_graph(t):
    bad = lambda s, header: Answer(*s._asked("GET", "/v1.0/me", "", GRAPH, header))
    with t.cloud() as s:
        for header, text in (((), "Access token is empty."), (("Authorization: Bearer x",), "CompactToken parsing failed")):
            a = bad(s, header)
            hold(a.status == 401 and a.json["error"]["code"] == "InvalidAuthenticationToken" and text in a.json["error"]["message"] and a.headers["www-authenticate"].startswith("Bearer "), "%s" % a)
        a = s.graph("/me?$select=mail,onPremisesSyncEnabled")
        hold(a.json == {"@odata.context": a.json["@odata.context"], "id": a.json["id"], "mail": ANNA, "onPremisesSyncEnabled": None} and a.headers["request-id"], "me: %s" % a)
        hold("assignedPlans" not in s.graph("/me").json, "plans only when they are asked for")
        same((s.graph("/users/%s/messages" % BERT).status, s.graph("/users/info@%s/messages" % DOMAIN).status, s.graph("/users/x@y.example/messages").json["error"]["code"]),
             (403, 403, "ErrorInvalidUser"), "mailboxes of others")
        same((s.graph("/me/messages/x").json["error"]["code"], s.graph("/nothing").status, s.graph("/me/messages", method="PUT").status), ("ErrorInvalidIdMalformed", 400, 400), "paths")
    for fault, text in (("token-expired", "expired"), ("audience", "Invalid audience"), ("claims-challenge", "TokenIssuedBeforeRevocationTimestamp")):
        with t.cloud(fault) as s:
            a = s.graph("/me")
            hold(a.status == 401 and text in a.json["error"]["message"] and ("claims=" in a.headers["www-authenticate"]) == (fault == "claims-challenge"), "%s: %s" % (fault, a))
    with t.cloud("scopes=User.Read,Mail.ReadWrite.Shared,Mail.Send.Shared") as s:
        info = "/users/info@%s" % DOMAIN
        to = lambda sender: {"message": {"subject": "x", "from": {"emailAddress": {"address": sender}}, "toRecipients": [{"emailAddress": {"address": ANNA}}]}}
        same([s.graph(p).status for p in (info + "/messages", "/users/%s/messages" % BERT, info + "/calendar", "/me/messages")], [200, 403, 403, 403], "as a delegate")
        same([s.graph(info + "/sendMail", to(x)).status for x in ("info@" + DOMAIN, BERT)], [202, 403], "sent out of it")
    with t.cloud("scopes=User.Read,Mail.Read") as s:
        same([s.graph(p).status for p in ("/me", "/me/messages", "/me/calendar")] + [s.graph("/me/sendMail", {}).json["error"]["code"]], [200, 200, 403, "ErrorAccessDenied"], "scopes")


@row
def the_directory_says_what_was_ordered(t):
    for fault, path, wanted in (("plan=Suspended", ("assignedPlans", 0, "capabilityStatus"), "Suspended"), ("plan=none", ("assignedPlans", 0, "service"), "AADPremiumService"),
                                ("synced", ("onPremisesSyncEnabled",), True), ("guest", ("userType",), "Guest"), ("made-up-sender", ("mail",), "outlook_0123456789ABCDEF@outlook.com")):
        with t.cloud(fault) as s:
            got = s.graph("/me?$select=mail,assignedPlans,onPremisesSyncEnabled,userType").json
            for step in path:
                got = got[step]
            same(got, wanted, fault)
    with t.cloud("personal") as s:
        hold(re.fullmatch("[0-9a-f]{16}", s.graph("/me").json["id"]) and s.grant()["access_token"].startswith("EwB"), "personal")
        same(claims(s.grant()["id_token"])["tid"], "9188040d-6c67-4c5b-b112-36a304b66dad", "tid")


@row
def graph_refuses_as_ordered_and_where(t):
    for fault, path, status, code in (("graph=MailboxNotEnabledForRESTAPI", "/me/messages", 404, "MailboxNotEnabledForRESTAPI"),
                                      ("graph=MailboxNotEnabledForRESTAPI:401", "/me/mailFolders/inbox", 401, "MailboxNotEnabledForRESTAPI"),
                                      ("graph=UnknownError", "/me/messages", 401, "UnknownError"), ("graph=ErrorAccessDenied@calendar", "/me/calendar", 403, "ErrorAccessDenied"),
                                      ("graph=generalException@*", "/me", 500, "generalException"), ("no-mailbox", "/me/messages", 404, "MailboxNotEnabledForRESTAPI")):
        with t.cloud(fault) as s:
            a = s.graph(path)
            same((a.status, a.json["error"]["code"]), (status, code), fault)
            hold(a.json["error"]["innerError"]["request-id"], "inner: %s" % a)
            if "@" not in fault:
                same(s.graph("/me").status, 200, "of the account nothing is refused")
    with t.cloud("graph=ApplicationThrottled#1", "graph-retry-after=3", "graph-text=Own words") as s:
        a = s.graph("/me/messages")
        same((a.status, a.headers["retry-after"], a.json["error"]["message"], s.graph("/me/messages").status), (429, "3", "Own words", 200), "throttled")
    with t.cloud("graph=ErrorQuotaExceeded@inbox", "graph-retry-after=9") as s:
        got = {r["id"]: r for r in s.graph("/$batch", {"requests": [{"id": "1", "method": "GET", "url": "/me/mailFolders/inbox"}, {"id": "2", "method": "GET", "url": "/me"}]}).json["responses"]}
        same((got["1"]["status"], got["1"]["headers"]["Retry-After"], got["2"]["status"]), (507, "9", 200), "in a batch")
    with t.cloud("graph-page=503#1", "graph-cut=12") as s:
        hold(s.graph("/me").text.startswith("<!DOCTYPE") and len(s.graph("/me").body) == 12, "no JSON")


@row
def four_requests_of_a_mailbox_at_a_time(t):
    with t.cloud("graph-slow=700") as s:
        grant, got = s.grant(), []
        threads = [threading.Thread(target=lambda: got.append(s.graph("/me/messages", grant=grant))) for _ in range(6)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        same(sorted(a.status for a in got), [200] * 4 + [429] * 2, "statuses")
        hold(all("MailboxConcurrency" in a.json["error"]["message"] for a in got if a.status == 429), "words")


@row
def messages_are_found_as_asked(t):
    with t.cloud(options=("--items", "5")) as s:
        ask = lambda **q: s.graph("/me/mailFolders('inbox')/messages?" + urllib.parse.urlencode({"$" + k: v for k, v in q.items()}))
        page = ask(top=3, select="subject", count="true").json
        same((len(page["value"]), page["@odata.count"], set(page["value"][0])), (3, 8, {"@odata.etag", "id", "subject"}), "a page")
        rest = s.graph(page["@odata.nextLink"].removeprefix("https://graph.microsoft.com/v1.0")).json
        hold(len(rest["value"]) == 3 and not {m["id"] for m in rest["value"]} & {m["id"] for m in page["value"]}, "the next")
        same([m["subject"] for m in ask(filter="contains(subject,'nvoice') and isRead eq false").json["value"]], ["Invoice 4711"], "filtered")
        same(ask(filter="isRead eq false", orderby="receivedDateTime desc").json["error"]["code"], "InefficientFilter", "ordered by what is not filtered")
        times = [m["receivedDateTime"] for m in ask(orderby="receivedDateTime asc").json["value"]]
        hold(times == sorted(times), "upwards")
        one = ask(top=1).json["value"][0]
        mime = s.graph("/me/messages/%s/$value" % one["id"])
        hold(mime.headers["content-type"] == "text/plain" and mime.text.startswith("From: ") and s.graph("/me/messages/%s" % one["id"]).json["body"]["content"], "its text")
    with t.cloud("next-elsewhere=graph.evil.example", options=("--items", "20")) as s:
        hold(s.graph("/me/messages").json["@odata.nextLink"].startswith("https://graph.evil.example/v1.0/me/messages?"), "astray")
    with t.cloud("delta-gone#1") as s:
        link = s.graph("/me/mailFolders/inbox/messages/delta").json["@odata.deltaLink"].removeprefix("https://graph.microsoft.com/v1.0")
        a = s.graph(link)
        same((a.status, a.json["error"]["code"], s.graph(link).json["value"]), (410, "SyncStateNotFound", []), "gone, then there")
        same(s.graph("/me/mailFolders/inbox/messages/delta?$deltatoken=x").status, 410, "no token")


@row
def mail_is_sent_or_not(t):
    send = lambda s, sender=ANNA, to=ANNA: s.graph("/me/sendMail", {"message": {"subject": "x", "from": {"emailAddress": {"address": sender}}, "toRecipients": [{"emailAddress": {"address": to}}]}})
    inbox = lambda s: [m["subject"] for m in s.graph("/me/mailFolders/inbox/messages").json["value"]]
    with t.cloud() as s:
        same((send(s, BERT).json["error"]["code"], send(s, "info@" + DOMAIN).status, inbox(s).count("x")), ("ErrorSendAsDenied", 202, 1), "as somebody else")
        same(s.graph("/me/sendMail", {"message": {"subject": "x"}}).json["error"]["code"], "ErrorInvalidRecipients", "to nobody")
        same(s.graph("/me/sendMail", "no base64!", headers=("Content-Type: text/plain",)).json["error"]["code"], "ErrorMimeContentInvalidBase64String", "no MIME")
        draft = s.graph("/me/messages", {"subject": "draft", "toRecipients": [{"emailAddress": {"address": ANNA}}]}, headers=('Prefer: IdType="ImmutableId"',)).json
        same(s.graph("/me/messages/%s/send" % draft["id"], "").status, 202, "a draft")
        same(s.graph("/me/messages/%s" % draft["id"]).json["isDraft"], False, "its immutable id lives on")
    with t.cloud("ndr") as s:
        same((send(s).status, "Undeliverable: x" in inbox(s)), (202, True), "the report")
    with t.cloud("no-delivery") as s:
        same((send(s).status, inbox(s).count("x")), (202, 0), "it vanishes")
    with t.cloud("graph=ErrorSendAsDenied@sendMail") as s:
        same((send(s).status, s.graph("/me/messages").status), (403, 200), "by order")


class Listener(http.server.ThreadingHTTPServer):
    """Takes notices, after it has proved itself."""

    def __init__(self, proves=True):
        heard = self.heard = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if not query:
                    heard.append((self.path, json.loads(body)["value"][0]))
                self.send_response(200 if query else 202)
                self.send_header("Content-Type", "text/plain")
                self.end_headers()
                self.wfile.write((query["validationToken"] if proves else "no").encode() if query else b"")

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = "http://127.0.0.1:%d" % self.server_address[1]

    def wait(self, count):
        end = time.monotonic() + 10
        while len(self.heard) < count and time.monotonic() < end:
            time.sleep(0.02)
        hold(len(self.heard) >= count, "%d notices of %d" % (len(self.heard), count))
        return self.heard[count - 1]


def wish(listener, **more):
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    return {"changeType": "created,updated,deleted", "notificationUrl": listener.url + "/n", "lifecycleNotificationUrl": listener.url + "/l",
            "resource": "/me/mailFolders('inbox')/messages", "expirationDateTime": until, "clientState": "s3cret", **more}


@row
def subscribers_are_told(t):
    with t.cloud() as s, Listener() as on, Listener(False) as deaf:
        same(s.graph("/subscriptions", wish(deaf)).json["error"]["code"], "ValidationError", "who does not prove itself")
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        same(s.graph("/subscriptions", wish(on, notificationUrl="http://127.0.0.1:%d/" % port)).json["error"]["code"], "ValidationError", "nobody")
        sub = s.graph("/subscriptions", wish(on)).json
        s.graph("/me/sendMail", {"message": {"subject": "news", "toRecipients": [{"emailAddress": {"address": ANNA}}]}})
        path, n = on.wait(1)
        newest = s.graph("/me/mailFolders/inbox/messages?$top=1").json["value"][0]
        same((path, n["subscriptionId"], n["changeType"], n["clientState"], n["resourceData"]["id"], n["tenantId"]),
             ("/n", sub["id"], "created", "s3cret", newest["id"], s.microsoft["tenant"]), "the notice")
        s.graph("/me/messages/%s" % newest["id"], {"isRead": True}, "PATCH")
        s.graph("/me/messages/%s" % newest["id"], method="DELETE")
        same([on.wait(k)[1]["changeType"] for k in (2, 3)], ["updated", "deleted"], "what came then")
        later = s.graph("/subscriptions/" + sub["id"], {"expirationDateTime": "2126-01-01T00:00:00Z"}, "PATCH").json["expirationDateTime"]
        hold(sub["expirationDateTime"] < later < "2126", "renewed, and no longer than may be: %s" % later)
        same(len(s.graph("/subscriptions").json["value"]), 1, "listed")
        same((s.graph("/subscriptions/" + sub["id"], method="DELETE").status, s.graph("/subscriptions/" + sub["id"], {}, "PATCH").json["error"]["code"]), (204, "ResourceNotFound"), "gone")
    with t.cloud("lifecycle=reauthorizationRequired", "no-notices") as s, Listener() as on:
        s.graph("/subscriptions", wish(on))
        path, n = on.wait(1)
        same((path, n["lifecycleEvent"]), ("/l", "reauthorizationRequired"), "its life")
    with t.cloud("subscription-life=1") as s, Listener() as on:
        sub = s.graph("/subscriptions", wish(on)).json
        end = time.monotonic() + 10
        while s.graph("/subscriptions/" + sub["id"]).status == 200 and time.monotonic() < end:
            time.sleep(0.1)
        same(s.graph("/subscriptions/" + sub["id"]).status, 404, "it ran out")


@row
def a_hybrid_organisation_has_both(t):
    with t.cloud(options=("--exchange", "2016")) as s:
        me = s.graph("/me?$select=onPremisesSyncEnabled,assignedPlans").json
        same((me["onPremisesSyncEnabled"], [p["service"] for p in me["assignedPlans"]]), (True, ["AADPremiumService"]), "known in the cloud")
        same(s.graph("/me/mailFolders/inbox").json["error"]["code"], "MailboxNotEnabledForRESTAPI", "no mailbox there")
        a = s.get(OUTLOOK, "/autodiscover/autodiscover.json?Email=%s&Protocol=Ews" % ANNA)
        hold(a.headers["location"].startswith("https://autodiscover.%s/" % DOMAIN), "v2: %s" % a)
        a = s.get("autodiscover." + DOMAIN, "/autodiscover/autodiscover.json?Email=%s&Protocol=Ews" % ANNA)
        same(a.json["Url"], "https://mail.%s/EWS/Exchange.asmx" % DOMAIN, "on premises")
        same(s.post("mail." + DOMAIN, "/EWS/Exchange.asmx", "").status, 401, "Exchange answers")


# -- -------------------------------------------------------------------------------------------------------------------------------------

def prepare_node(place):
    """As the lock file says, with its checksums, in the build folder."""
    os.makedirs(place, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc", "client.mjs", "led.cjs"):
        shutil.copy(os.path.join(HERE, "..", "cloud", name), place)
    if not os.path.isdir(os.path.join(place, "node_modules", "@azure", "msal-node")):
        done = subprocess.run(["npm", "ci", "--no-progress"], cwd=place, capture_output=True, text=True)
        hold(done.returncode == 0, "npm ci: " + done.stderr[-1000:])


def main():
    args = arguments()
    build = os.path.abspath(args.build)
    folder = tempfile.mkdtemp(prefix="cloud-flow-")
    try:
        place = Place(build, folder)
        prepare_node(place.node)
        return row.run(place, args.only)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
