#!/usr/bin/env python3
"""The sandbox, held honest: clients of Exchange that know nothing of us work with it, and each fault is on the wire what its name says.

    sandbox.py BUILD [--only REGEX]
"""
import contextlib
import datetime
import imaplib
import json
import os
import re
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True

DEBIANS = "/usr/bin/python3"      # knows Debian's packages, which another Python does not
try:
    import exchangelib
except ModuleNotFoundError:
    if os.path.realpath(sys.executable) == os.path.realpath(DEBIANS) or not os.path.exists(DEBIANS):
        raise
    os.execv(DEBIANS, [DEBIANS, *sys.argv])

import sandboxed
from rows import Rows, arguments

row = Rows()
real_getaddrinfo = socket.getaddrinfo
MAIL, AUTO, DOMAIN = "mail.contoso.example", "autodiscover.contoso.example", "contoso.example"
EWS = "/EWS/Exchange.asmx"
OLD = "Exchange2007_SP1"


def hold(fine, what):
    if not fine:
        raise AssertionError(what)


class Sandbox(sandboxed.Sandbox):
    # what is asked without any library of HTTP

    def connect(self, host=MAIL, port=443, tls=True, context=None):
        s = socket.create_connection(self.places[host, port], timeout=20)
        if not tls:
            return s
        return (context or ssl.create_default_context(cafile=self.told["ca_file"])).wrap_socket(s, server_hostname=host)

    def ask(self, method="POST", path=EWS, body="", host=MAIL, headers=(), tls=True, most=1 << 20):
        """(status, reason, headers, body) of one request on a connection of its own; the body as far as it came."""
        with self.connect(host, 443 if tls else 80, tls) as s:
            s.settimeout(2)
            data = body.encode()
            head = ["%s %s HTTP/1.1" % (method, path), "Host: " + host, "Connection: close", "Content-Length: %d" % len(data), "Content-Type: text/xml; charset=utf-8",
                    *headers]
            s.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + data)
            heard = bytearray()
            with contextlib.suppress(TimeoutError, ConnectionError, ssl.SSLError):
                while len(heard) < most and (more := s.recv(65536)):
                    heard += more
        head, _, rest = heard.partition(b"\r\n\r\n")
        lines = bytes(head).decode("latin-1").split("\r\n")
        first = lines[0].split(" ", 2) if lines[0] else ["", "0", ""]
        return int(first[1]), first[2], [tuple(line.split(": ", 1)) for line in lines[1:]], bytes(rest)

    def basic(self, account=None, password=None):
        import base64
        a = account or self.account
        return ("Authorization: Basic " + base64.b64encode(("%s:%s" % (a["login"], password or a["password"])).encode()).decode(),)

    def operation(self, xml, version="Exchange2010_SP1", headers=(), **more):
        return self.ask(body=soap(xml, version), headers=self.basic() + tuple(headers), **more)


def soap(xml, version):
    return ('<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
            'xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages">'
            '<s:Header><t:RequestServerVersion Version="%s"/></s:Header><s:Body>%s</s:Body></s:Envelope>' % (version, xml))


GET_INBOX = ('<m:GetFolder><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape><m:FolderIds><t:DistinguishedFolderId Id="inbox"/></m:FolderIds>'
             '</m:GetFolder>')


def create(subject, to, sender="anna@" + DOMAIN, how="SendAndSaveCopy"):
    return ('<m:CreateItem MessageDisposition="%s"><m:Items><t:Message><t:Subject>%s</t:Subject><t:Body BodyType="Text">x</t:Body><t:ToRecipients><t:Mailbox>'
            '<t:EmailAddress>%s</t:EmailAddress></t:Mailbox></t:ToRecipients><t:From><t:Mailbox><t:EmailAddress>%s</t:EmailAddress></t:Mailbox></t:From></t:Message>'
            '</m:Items></m:CreateItem>' % (how, subject, to, sender))


class Place:
    def __init__(self, build, folder):
        self.binary, self.folder = os.path.join(build, "mailmoor"), folder
        self.daemon = None

    @contextlib.contextmanager
    def sandbox(self, *options):
        s = self.daemon = Sandbox(self.binary, self.folder, *options)
        try:
            yield s
        finally:
            self.counts = s.stop()

    def faulty(self, *faults, exchange="2016"):
        return self.sandbox("--exchange", exchange, *(word for f in faults for word in ("--fault", f)))


# -- exchangelib ------------------------------------------------------------------------------------------------------------------------------

@contextlib.contextmanager
def by_exchangelib(s, scheme, account=None, password=None):
    """Its Account, led to the sandbox by names and authority of its own."""
    def led(host, port, *rest, **more):
        host = host.decode() if isinstance(host, bytes) else host
        return real_getaddrinfo(*s.places.get((host, int(port or 0)), (host, port)), *rest, **more)

    a = account or s.account
    socket.getaddrinfo = led
    os.environ["REQUESTS_CA_BUNDLE"] = s.told["ca_file"]
    try:
        c = exchangelib.Configuration(service_endpoint=s.told["ews_url"], auth_type=scheme, retry_policy=exchangelib.FailFast(),
                                      credentials=exchangelib.Credentials(a["login"], password or a["password"]))
        yield exchangelib.Account(a["address"], config=c, autodiscover=False, access_type=exchangelib.DELEGATE)
    finally:
        socket.getaddrinfo = real_getaddrinfo
        exchangelib.close_connections()
        exchangelib.protocol.CachingProtocol.clear_cache()


def subjects(folder):
    return sorted(i.subject for i in folder.all())


def mail_by_exchangelib(s, scheme):
    from exchangelib import Message
    with by_exchangelib(s, scheme) as a:
        hold({"Inbox", "Sent Items", "Calendar", "Drafts"} <= {f.name for f in a.root.walk()}, "folders: %s" % [f.name for f in a.root.walk()])
        hold(subjects(a.inbox) == ["Invoice 4711", "Welcome", "Ümläut and 日本"], "inbox: %s" % subjects(a.inbox))
        one = a.inbox.get(subject__contains="mläut")
        hold(one.body.strip() == "Grüße aus Köln." and one.sender.email_address == "ben@fabrikam.example", "read: %r" % one)
        hold(list(a.inbox.sync_items()) and not list(a.inbox.sync_items()), "all is told once")
        Message(account=a, folder=a.sent, subject="Tökén", body="Hej ✓", to_recipients=[a.primary_smtp_address]).send_and_save()
        came = [(how, i.subject) for how, i in a.inbox.sync_items()]
        hold(came == [("create", "Tökén")], "after sending: %s" % came)
        hold(subjects(a.sent) == ["Tökén"], "sent: %s" % subjects(a.sent))
        got = a.inbox.get(subject="Tökén")
        hold("Hej ✓" in got.body and b"To:" in got.mime_content, "received: %r" % got.mime_content)
        got.is_read = True
        got.save(update_fields=["is_read"])
        how = [h for h, _ in a.inbox.sync_items()]
        hold(how == ["read_flag_change"], "after reading: %s" % how)
        folder = exchangelib.Folder(parent=a.inbox, name="Projects")
        folder.save()
        got.move(folder)
        hold([h for h, _ in a.inbox.sync_items()] == ["delete"] and folder.all().count() == 1, "after moving")
        folder.delete()
        hold([f.name for f in a.inbox.children] == [], "the folder is gone")


def calendar_by_exchangelib(s, scheme):
    from exchangelib import CalendarItem, EWSDateTime, EWSTimeZone
    zone = EWSTimeZone("Europe/Berlin")
    start = EWSDateTime(2026, 12, 1, 10, 0, tzinfo=zone)
    hour = datetime.timedelta(hours=1)
    with by_exchangelib(s, scheme) as a:
        now = EWSDateTime.now(zone)
        hold([e.subject for e in a.calendar.view(now, now + 72 * hour)] == ["Weekly meeting"], "what is there")
        e = CalendarItem(account=a, folder=a.calendar, subject="Review", location="Köln", start=start, end=start + hour,
                         required_attendees=["bert@" + DOMAIN])
        e.save()
        seen = a.calendar.get(subject="Review")
        hold((seen.start, seen.end, seen.location) == (start, start + hour, "Köln"), "kept: %s" % seen)
        weekly = exchangelib.recurrence.WeeklyPattern(interval=1, weekdays=["Tuesday", "Thursday"])
        again = CalendarItem(account=a, folder=a.calendar, subject="Again", start=start, end=start + hour,
                             recurrence=exchangelib.recurrence.Recurrence(pattern=weekly, boundary=exchangelib.recurrence.NumberedPattern(start=start.date(), number=4)))
        again.save()
        days = [i.start.astimezone(zone).date().isoformat() for i in a.calendar.view(start, start + 24 * 20 * hour) if i.subject == "Again"]
        hold(days == ["2026-12-01", "2026-12-03", "2026-12-08", "2026-12-10"], "occurrences: %s" % days)
        free = list(a.protocol.get_free_busy_info([(a, "Organizer", False)], start, start + 2 * hour, merged_free_busy_interval=60))
        hold(free[0].merged == "20", "free and busy: %s" % free[0].merged)
        e.delete()
        again.delete()


@row
def exchangelib_reads_sends_and_syncs_with_basic_and_ntlm(t):
    for exchange, scheme in (("2010sp2", "basic"), ("2016", "basic"), ("2010sp3", "NTLM"), ("2013", "NTLM"), ("2019", "NTLM"), ("se", "NTLM")):
        with t.sandbox("--exchange", exchange) as s:
            mail_by_exchangelib(s, scheme)
            hold(s.logins("refused") == 0 and s.logins("accepted") > 0, "logins")
            hold({line.get("scheme") for line in s.log()} - {None} == {"Basic" if scheme == "basic" else "NTLM"}, "schemes")


@row
def exchangelib_reads_and_writes_the_calendar(t):
    for exchange, scheme in (("2016", "basic"), ("se", "NTLM")):
        with t.sandbox("--exchange", exchange) as s:
            calendar_by_exchangelib(s, scheme)


@row
def exchangelib_is_told_of_new_mail_by_stream_and_by_asking(t):
    from exchangelib import Message
    with t.sandbox() as s, by_exchangelib(s, "NTLM") as a:
        send = lambda subject: Message(account=a, subject=subject, body="x", to_recipients=[a.primary_smtp_address]).send()
        with a.inbox.streaming_subscription() as id:
            send("one")
            told = next(a.inbox.get_streaming_events(id, connection_timeout=1, max_notifications_returned=1))
            hold([type(e).__name__ for e in told.events] == ["NewMailEvent", "CreatedEvent"], "by stream: %s" % told)
        with a.inbox.pull_subscription() as (id, mark):
            send("two")
            told = next(a.inbox.get_events(id, mark))
            hold([type(e).__name__ for e in told.events] == ["NewMailEvent", "CreatedEvent"], "by asking: %s" % told)


@row
def only_who_names_the_channel_gets_in_where_that_is_asked(t):
    with t.faulty("channel-binding", exchange="se") as s:
        with by_exchangelib(s, "NTLM") as a:      # requests-ntlm names it
            hold(a.inbox.total_count == 3, "bound")
        where = s.places[MAIL, 443]
        code = subprocess.check_output(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--ntlm", "-u", "%(login)s:%(password)s" % s.account, "--cacert", s.told["ca_file"],
                                        "--connect-to", "%s:443:%s:%d" % (MAIL, *where), "-H", "Content-Type: text/xml", "-d", soap(GET_INBOX, OLD), s.told["ews_url"]])
        hold(code == b"401", "curl, which does not: %s" % code)


# -- DavMail -----------------------------------------------------------------------------------------------------------------------------------

def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def davmail(t, s):
    imap, store = free_port(), os.path.join(t.folder, "trust.p12")
    subprocess.run(["keytool", "-importcert", "-noprompt", "-file", s.told["ca_file"], "-alias", "sandbox", "-keystore", store, "-storepass", "changeit",
                    "-storetype", "PKCS12"], check=True, capture_output=True)
    with open(os.path.join(t.folder, "hosts"), "w") as f:
        f.write("127.0.0.1 %s localhost\n" % MAIL)
    with open(os.path.join(t.folder, "davmail.properties"), "w") as f:
        f.write("davmail.server=true\ndavmail.mode=EWS\ndavmail.url=https://%s:%d/EWS/Exchange.asmx\ndavmail.imapPort=%d\ndavmail.smtpPort=\ndavmail.popPort=\n"
                "davmail.ldapPort=\ndavmail.caldavPort=\ndavmail.bindAddress=127.0.0.1\ndavmail.disableUpdateCheck=true\ndavmail.logFilePath=%s\n"
                % (MAIL, s.places[MAIL, 443][1], imap, os.path.join(t.folder, "davmail.log")))
    with open(os.path.join(t.folder, "davmail.out"), "w") as out:
        java = subprocess.Popen(["java", "-Djava.awt.headless=true", "-Djdk.net.hosts.file=" + os.path.join(t.folder, "hosts"), "-Djavax.net.ssl.trustStore=" + store,
                                 "-Djavax.net.ssl.trustStorePassword=changeit", "-cp", "/usr/share/davmail/davmail.jar:/usr/share/java/*", "davmail.DavGateway",
                                 os.path.join(t.folder, "davmail.properties")], stdout=out, stderr=out)
    try:
        end = time.monotonic() + 40
        while True:
            try:
                line = imaplib.IMAP4("127.0.0.1", imap, timeout=30)
                break
            except ConnectionError:
                hold(java.poll() is None and time.monotonic() < end, "DavMail does not start")
                time.sleep(0.2)
        yield line
    finally:
        java.terminate()
        java.wait(20)


@row
def davmail_serves_a_mailbox_of_it_by_imap(t):
    with t.sandbox() as s, davmail(t, s) as i:
        i.login(s.account["address"], s.account["password"])
        hold(any(b"INBOX" in f for f in i.list()[1]), "folders: %s" % i.list()[1])
        hold(i.select("INBOX") == ("OK", [b"3"]), "the inbox")
        text = i.fetch("1", "(BODY.PEEK[])")[1][0][1]
        hold(b"Subject: Welcome" in text and text.endswith(b"Good to have you here.\r\n"), "a message: %r" % text)
        i.store("1", "+FLAGS", "\\Seen")
        hold(i.search(None, "UNSEEN")[1] == [b"2 3"], "what is unread")
        hold(s.operation(create("By the way", s.account["address"]))[0] == 200, "sent")
        i.noop()
        hold(i.select("INBOX") == ("OK", [b"4"]), "the new one")
        i.store("4", "+FLAGS", "\\Deleted")
        i.expunge()
        hold(i.select("INBOX") == ("OK", [b"3"]), "deleted")
        i.logout()
        hold(s.logins("refused") == 0, "no password was refused")


# -- versions ----------------------------------------------------------------------------------------------------------------------------------

VERSIONS = {      # build, what it takes, what it does not, tells its build before a login
    "2007sp1": ("8.1.436.0", "Exchange2007_SP1", "Exchange2010", False), "2010": ("14.0.722.0", "Exchange2010", "Exchange2010_SP1", False),
    "2010sp1": ("14.1.438.0", "Exchange2010_SP1", "Exchange2010_SP2", False), "2010sp2": ("14.2.328.9", "Exchange2010_SP2", "Exchange2013", False),
    "2010sp3": ("14.3.513.0", "Exchange2010_SP2", "Exchange2013", False), "2013": ("15.0.1497.48", "Exchange2013_SP1", "Exchange2016", True),
    "2016": ("15.1.2507.39", "Exchange2016", "V2018_01_08", True), "2019": ("15.2.1544.4", "Exchange2016", "V2018_01_08", True),
    "se": ("15.2.2562.17", "Exchange2016", "V2018_01_08", True),
}


@row
def each_version_is_itself(t):
    for name, (build, takes, refuses, tells) in VERSIONS.items():
        with t.faulty("schemes=basic,ntlm", exchange=name) as s:
            status, _, headers, _ = s.ask(body=soap(GET_INBOX, OLD))
            offers = sorted(v.split()[0] for k, v in headers if k == "WWW-Authenticate")
            hold((status, offers) == (401, ["Basic", "NTLM"]), "%s offers %s" % (name, offers))
            hold(dict(headers).get("X-OWA-Version") == (build if tells else None), "%s: %s" % (name, headers))
            status, _, _, body = s.operation(GET_INBOX, takes)
            told = re.search(rb'MajorVersion="(\d+)" MinorVersion="(\d+)" MajorBuildNumber="(\d+)" MinorBuildNumber="(\d+)"', body)
            hold(status == 200 and b".".join(told.groups()).decode() == build, "%s: %s" % (name, body))
            status, _, _, body = s.operation(GET_INBOX, refuses)
            hold(status == 500 and b">ErrorInvalidServerVersion<" in body, "%s, %s: %s" % (name, refuses, body))


@row
def online_offers_bearer_and_takes_no_password(t):
    with t.sandbox("--exchange", "online") as s:
        status, _, headers, _ = s.ask(body=soap(GET_INBOX, OLD))
        hold(status == 401 and "trusted_issuers=\"00000001-0000-0000-c000-000000000000@*\"" in dict(headers)["WWW-Authenticate"], "offers")
        hold(s.operation(GET_INBOX, OLD)[0] == 401, "a password")
        hold(s.ask(body=soap(GET_INBOX, OLD), headers=("Authorization: Bearer " + s.account["password"],))[0] == 200, "a token")


# -- faults on the wire --------------------------------------------------------------------------------------------------------------------------

# before a login: status, a header and what it has, what the body has
PAGES = [
    ("owa-redirect", 302, ("Location", "/owa/auth/logon.aspx?url="), b""), ("owa-page", 200, ("X-OWA-Version", "15.1."), b"57A118C6-2DA9-419d-BE9A-F92B0F9A418B"),
    ("tmg-redirect", 302, ("Location", "/CookieAuth.dll?GetLogon"), b""), ("tmg-page", 200, ("X-OWA-Version", None), b"57A118C6-2DA9-419d-BE9A-F92B0F9A418B"),
    ("uag-redirect", 302, ("Location", "/InternalSite/InitParams.aspx"), b""), ("uag-error", 302, ("Location", "/internalsite/internalerror.asp"), b""),
    ("adfs-redirect", 302, ("Location", "https://adfs.contoso.example/adfs/ls/?wa=wsignin1.0"), b""), ("forms-redirect", 302, ("Location", "/_forms/"), b""),
    ("login-timeout", 440, ("Server", "IIS"), b"Login Timeout"), ("redirect-circle", 302, ("Location", "https://mail.contoso.example/EWS/Exchange.asmx"), b""),
    ("redirect=https://else.example/x", 302, ("Location", "https://else.example/x"), b""), ("generic-error", 302, ("Location", "/ews/genericerrorpage.htm"), b""),
    ("not-found", 404, ("Server", "IIS"), b""), ("other-page", 200, ("Server", "Apache"), b"bakery"), ("httpapi-404", 404, ("Server", "Microsoft-HTTPAPI/2.0"), b""),
    ("httpapi-400", 400, ("Server", "Microsoft-HTTPAPI/2.0"), b"Invalid Hostname"), ("forbidden", 403, ("WWW-Authenticate", None), b"Access is denied"),
    ("forbidden-ssl", 403, ("Server", "IIS"), b"403.4"), ("forbidden-ip", 403, ("Server", "IIS"), b"403.6"),
    ("forbidden-client-certificate", 403, ("Server", "IIS"), b"403.7"), ("html-500", 500, ("Server", "IIS"), b"Server Error in '/EWS' Application"),
    ("bad-gateway", 502, ("Server", "nginx"), b""), ("unavailable=7", 503, ("Retry-After", "7"), b""), ("gateway-timeout", 504, ("Server", "nginx"), b""),
    ("schemes=negotiate", 401, ("WWW-Authenticate", "Negotiate"), b""), ("schemes=bearer", 401, ("WWW-Authenticate", "Bearer"), b""),
]

# after it
ANSWERS = [
    ("forbidden-after", 403, b"Access is denied"), ("agents=Outlook", 403, b"Access is denied"), ("no-agents=else", 200, b"NoError"), ("html-500-after", 500, b"Server Error in"),
    ("unavailable-after", 503, b""), ("cas-error=NoCas", 500, b""), ("wrong-password", 401, b""), ("names=mail", 401, b""),
    ("back-off=297749", 500, b'<t:Value Name="BackOffMilliseconds">297749</t:Value>'), ("soap-fault=ErrorPasswordExpired", 500, b">ErrorPasswordExpired<"),
    ("mailbox-version=2007sp1", 200, b">ErrorInvalidSchemaVersionForMailboxVersion<"), ("no-mailbox", 200, b">ErrorMissingEmailAddress<"),
    ("GetFolder:ErrorAccessDenied", 200, b"<m:MessageText>Access is denied. Check credentials and try again.</m:MessageText>"), ("GetFolder:ErrorNonExistentMailbox=No mailbox with such guid.", 200, b"<m:MessageText>No mailbox with such guid.<"),
    ("*:ErrorServerBusy", 200, b">ErrorServerBusy<"),
    ("malformed", 200, b"<t:Unclosed>"), ("entity-bomb", 200, b"<!ENTITY g"), ("charset=utf-16", 200, b'encoding="utf-16"'),
    ("wrong-namespace", 200, b"schemas.example.com"), ("cookies", 200, b"NoError"), ("gzip", 200, b"\x1f\x8b\x08"),
]


@row
def what_stands_in_front_of_ews_is_as_ordered(t):
    for fault, status, (name, value), text in PAGES:
        with t.faulty(fault) as s:
            got = s.ask(body=soap(GET_INBOX, OLD))
            header = dict(got[2]).get(name)
            hold(got[0] == status, "%s: %s %s" % (fault, got[0], got[2]))
            hold(header is None if value is None else value in (header or ""), "%s: %s is %s" % (fault, name, header))
            hold(text in got[3], "%s: %r" % (fault, got[3]))
            hold(s.logins("none") == 1, fault)


@row
def what_ews_answers_is_as_ordered(t):
    for fault, status, text in ANSWERS:
        with t.faulty(fault) as s:
            got = s.operation(GET_INBOX)
            hold(got[0] == status and text in got[3], "%s: %s %r" % (fault, got[0], got[3][:600]))


@row
def a_locked_account_has_its_address_in_the_reason(t):
    with t.faulty("locked=https://contoso.example/unlock") as s:
        hold(s.ask(body="x")[:2] == (456, "This account is locked. Visit https://contoso.example/unlock to unlock it."), "456")


@row
def what_was_ordered_so_many_times_ends_then(t):
    with t.faulty("GetFolder:ErrorMailboxMoveInProgress#2") as s:
        hold([b"NoError" in s.operation(GET_INBOX)[3] for _ in range(3)] == [False, False, True], "twice")


@row
def what_is_ordered_for_one_mailbox_is_not_anothers(t):
    anna, bert = "anna@" + DOMAIN, "bert@" + DOMAIN
    with t.faulty(anna + "/GetFolder:ErrorAccessDenied", bert + "/wrong-password", bert + "/autodiscover-error=603", "owa.%s/unavailable=7" % DOMAIN) as s:
        own, other = s.operation(GET_INBOX), s.ask(body=soap(GET_INBOX, OLD), headers=s.basic(s.told["accounts"][1]))
        hold(own[0] == 200 and b"ErrorAccessDenied" in own[3] and other[0] == 401, "%s, %s" % (own, other))
        hold(b"<ErrorCode>603" not in pox(s)[3], "anna is found")
        hold(s.operation(GET_INBOX, host="owa." + DOMAIN)[0] == 503 and s.operation(GET_INBOX)[0] == 200, "the host")


@row
def a_mailbox_with_orders_of_its_own_has_a_host_of_its_own(t):
    orders = ("owa@%s/owa-redirect", "old@%s/version=2007sp1", "late@%s/certificate-expired", "shut@%s/refused", "lost@%s/no-host", "well@%s/slow=1")
    accounts = [word for o in ("anna@%s", *orders) for word in ("--account", (o % DOMAIN).split("/")[0] + ":secret")]
    with t.sandbox("--exchange", "2016", *accounts, *(word for o in orders for word in ("--fault", o % DOMAIN))) as s:
        url = lambda who: json.loads(s.ask("GET", "/autodiscover/autodiscover.json?Email=%s@%s&Protocol=Ews" % (who, DOMAIN), host=AUTO)[3])["Url"]
        hold(url("anna") == s.told["ews_url"] and url("owa") == "https://owa.%s%s" % (DOMAIN, EWS), "where they are: %s" % url("owa"))
        hold(s.ask(body="x", host="owa." + DOMAIN)[0] == 302 and s.ask(body="x")[0] == 401 and s.ask(body="x", host="well." + DOMAIN)[0] == 401, "before anybody signs in")
        old = dict(s.ask(body="x", host="old." + DOMAIN)[2])
        hold(old["Server"] == "Microsoft-IIS/6.0" and dict(s.ask(body="x")[2])["Server"] != old["Server"], "a version of its own: %s" % old)
        try:
            s.connect("late." + DOMAIN).close()
            hold(False, "a certificate that ended is good")
        except ssl.SSLCertVerificationError as e:
            hold("expired" in str(e), "%s" % e)
        try:
            s.connect("shut." + DOMAIN)
            hold(False, "somebody is there")
        except ConnectionRefusedError:
            pass
        hold(("lost." + DOMAIN, 443) not in s.places and resolve(s, "lost." + DOMAIN, 1)[0] == 3 and resolve(s, "late." + DOMAIN, 1)[0] == 0, "names")


@row
def answers_that_break_break(t):
    with t.faulty("cut=100") as s:
        status, _, headers, body = s.operation(GET_INBOX)
        hold(status == 200 and len(body) == 100 < int(dict(headers)["Content-Length"]), "cut: %d" % len(body))
    with t.faulty("drop") as s:
        hold(s.operation(GET_INBOX)[0] == 0, "drop")
    with t.faulty("endless") as s:
        hold(len(s.operation(GET_INBOX, most=5 << 20)[3]) > 4 << 20, "endless")
    with t.faulty("no-answer") as s:
        hold(s.operation(GET_INBOX)[0] == 0, "no answer")
    with t.faulty("huge-fault=20") as s:
        hold(len(s.operation(GET_INBOX, most=64 << 20)[3]) > 20 << 20, "huge")
    with t.faulty("slow=700") as s:
        began = time.monotonic()
        s.operation(GET_INBOX)
        hold(0.7 <= time.monotonic() - began < 5, "slow")
    with t.faulty("gzip") as s:
        import gzip
        body = s.operation(GET_INBOX)[3]
        hold(b"NoError" in gzip.decompress(body), "packed")
    with t.faulty("close-in-login") as s:
        import base64
        hello = base64.b64encode(b"NTLMSSP\0" + struct.pack("<II", 1, 0xa2088207) + bytes(16)).decode()
        got = s.ask(headers=("Authorization: NTLM " + hello,))
        hold(got[0] == 401 and dict(got[2])["Connection"] == "close" and dict(got[2])["WWW-Authenticate"].startswith("NTLM TlRMTVNTUAAC"), got[2])


@row
def passwords_are_counted(t):
    with t.sandbox() as s:
        for password in ("wrong", "again", s.account["password"]):
            s.ask(body=soap(GET_INBOX, OLD), headers=s.basic(password=password))
        hold((s.logins("refused"), s.logins("accepted")) == (2, 1), "in the log")
    hold(t.counts == {"requests": 3, "accepted": 1, "refused": 2}, "at the end: %s" % t.counts)


@row
def certificates_have_the_flaw_that_was_ordered(t):
    for flaw, says in (("expired", "expired"), ("not-yet", "not yet valid"), ("wrong-name", "Hostname mismatch"), ("common-name", "Hostname mismatch"),
                       ("self-signed", "self-signed certificate"), ("other-authority", "self-signed certificate in certificate chain"),
                       ("no-issuer", "unable to get local issuer"), ("weak", "EE certificate key too weak")):
        with t.faulty("certificate-" + flaw) as s:
            context = ssl.create_default_context(cafile=s.told["ca_file"])
            context.hostname_checks_common_name = False      # as everybody else does
            try:
                s.connect(context=context).close()
                said = "nothing"
            except ssl.SSLCertVerificationError as e:
                said = e.verify_message
            hold(says in said, "%s: %s" % (flaw, said))
            s.connect(AUTO).close()      # that of the other host is good


@row
def the_intermediate_that_is_not_sent_is_where_the_certificate_says(t):
    with t.faulty("certificate-no-issuer") as s:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with s.connect(context=context) as line:
            leaf = line.getpeercert(True)
        hold(b"http://%s/issuer.cer" % MAIL.encode() in leaf, "where it is")
        status, _, headers, issuer = s.ask("GET", "/issuer.cer", tls=False)
        hold(status == 200 and dict(headers)["Content-Type"] == "application/pkix-cert", "%s %s" % (status, headers))
        context = ssl.create_default_context(cafile=s.told["ca_file"])
        context.load_verify_locations(cadata=issuer)
        s.connect(context=context).close()


@row
def lines_come_to_what_was_ordered(t):
    with t.faulty("refused") as s:
        with contextlib.suppress(ConnectionRefusedError):
            s.connect()
            hold(False, "taken")
    with t.faulty("vanish") as s:
        with contextlib.suppress(TimeoutError):
            socket.create_connection(s.places[MAIL, 443], timeout=1.5).close()
            hold(False, "taken")
    with t.faulty("reset") as s:
        with contextlib.suppress(ConnectionResetError, ssl.SSLEOFError):
            s.connect()
            hold(False, "taken")
    with t.faulty("silent") as s:
        with s.connect(tls=False) as line:
            line.settimeout(0.5)
            line.sendall(b"\x16\x03\x01")
            with contextlib.suppress(TimeoutError):
                hold(False, "said %r" % line.recv(10))
    with t.faulty("old-tls") as s:
        with contextlib.suppress(ssl.SSLError):
            s.connect()
            hold(False, "shook hands")


# -- names, Autodiscover -----------------------------------------------------------------------------------------------------------------------------

def resolve(s, name, kind, tcp=False):
    """(code, number of answers, the whole)"""
    query = struct.pack(">6H", 4711, 0x100, 1, 0, 0, 0) + b"".join(bytes([len(p)]) + p.encode() for p in name.split(".")) + b"\0" + struct.pack(">HH", kind, 1)
    address, port = s.told["resolver"].rsplit(":", 1)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as line:
        line.settimeout(1)
        line.connect((address, int(port)))
        line.sendall(struct.pack(">H", len(query)) + query if tcp else query)
        got = line.recv(4096)[2 if tcp else 0:]
    hold(got[:2] == query[:2], "the question's number")
    return got[3] & 15, struct.unpack(">H", got[6:8])[0], got


A, MX, TXT, SRV = 1, 15, 16, 33


@row
def names_are_answered_and_no_others(t):
    with t.sandbox() as s:
        for tcp in (False, True):
            code, count, got = resolve(s, MAIL, A, tcp)
            hold((code, count, got[-4:]) == (0, 1, socket.inet_aton("127.0.0.1")), "A: %s" % got)
        hold(resolve(s, MAIL.upper(), A)[:2] == (0, 1) and resolve(s, MAIL, 28)[:2] == (0, 0), "in capitals; no AAAA")
        hold(b"\x04mail\x07contoso" in resolve(s, DOMAIN, MX)[2] and b"v=spf1" in resolve(s, DOMAIN, TXT)[2], "MX, TXT")
        hold(resolve(s, "nobody." + DOMAIN, A)[0] == 3 and resolve(s, "example.com", A)[0] == 3, "what is not there")
    with t.faulty("dns-failure", "autodiscover-srv") as s:
        hold(resolve(s, MAIL, A)[0] == 2 and resolve(s, "_autodiscover._tcp." + DOMAIN, SRV)[1] == 1 and resolve(s, AUTO, A)[0] == 3, "SERVFAIL, SRV")
    with t.faulty("no-host") as s:
        hold(resolve(s, MAIL, A)[0] == 3, "NXDOMAIN")
    with t.faulty("dns-silent") as s, contextlib.suppress(TimeoutError):
        hold(not resolve(s, MAIL, A), "silence")


def pox(s, address="anna@" + DOMAIN, host=AUTO):
    body = ('<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request><EMailAddress>%s</EMailAddress>'
            '<AcceptableResponseSchema>x</AcceptableResponseSchema></Request></Autodiscover>' % address)
    return s.ask(path="/autodiscover/autodiscover.xml", host=host, body=body, headers=s.basic())


JSON = "/autodiscover/autodiscover.json?Email=anna@contoso.example&Protocol=%s"


@row
def autodiscover_answers_as_ordered(t):
    with t.sandbox() as s:
        v2 = lambda path: s.ask("GET", path, host=AUTO)
        hold(json.loads(v2(JSON % "Ews")[3]) == {"Protocol": "Ews", "Url": s.told["ews_url"]}, "v2")
        hold(v2("/autodiscover/autodiscover.json/v1.0/anna@contoso.example?Protocol=Ews")[0] == 200 and v2(JSON % "Smoke")[0] == 404, "other forms")
        hold(b"<EwsUrl>%s</EwsUrl>" % s.told["ews_url"].encode() in pox(s)[3], "POX")
        hold(b"<ErrorCode>500</ErrorCode>" in pox(s, "nobody@" + DOMAIN)[3], "nobody")
        hold(s.ask("GET", "/autodiscover/autodiscover.xml", host=DOMAIN)[0] == 404, "the bare domain is somebody else's")
        hold(s.ask("POST", "/autodiscover/autodiscover.xml", host=AUTO)[0] == 401, "POX asks who it is")
    for fault, text in (("autodiscover-error=603", b"<ErrorCode>603<"), ("autodiscover-address=b@x.example", b"<RedirectAddr>b@x.example<"),
                        ("autodiscover-url=https://x.example/a", b"<RedirectUrl>https://x.example/a<"), ("autodiscover-ews=https://y.example/e", b"<EwsUrl>https://y.example/e<")):
        with t.faulty(fault) as s:
            hold(text in pox(s)[3], fault)
    with t.faulty("autodiscover-http") as s:
        hold(dict(s.ask("GET", "/autodiscover/autodiscover.xml", host=AUTO, tls=False)[2])["Location"] == "https://%s/autodiscover/autodiscover.xml" % MAIL, "http")
    with t.faulty("autodiscover-no-v2") as s:
        hold(s.ask("GET", JSON % "Ews", host=AUTO)[0] == 404, "no v2")


# -- mail --------------------------------------------------------------------------------------------------------------------------------------

def inbox(s):
    return re.findall(rb"<t:ItemClass>(.*?)</t:ItemClass><t:Subject>(.*?)</t:Subject>", s.operation(
        '<m:FindItem Traversal="Shallow"><m:ItemShape><t:BaseShape>AllProperties</t:BaseShape></m:ItemShape><m:ParentFolderIds><t:DistinguishedFolderId Id="inbox"/>'
        '</m:ParentFolderIds></m:FindItem>')[3])


@row
def mail_that_is_not_to_be_sent_is_not(t):
    me = "anna@" + DOMAIN
    with t.sandbox() as s:
        hold(b">ErrorSendAsDenied<" in s.operation(create("x", me, "bert@" + DOMAIN))[3], "as somebody else")
        hold(b">NoError<" in s.operation(create("x", me, "info@" + DOMAIN))[3] and len(inbox(s)) == 4, "as the shared mailbox")
    with t.faulty("send-as-denied") as s:
        hold(b">ErrorSendAsDenied<" in s.operation(create("x", me))[3] and len(inbox(s)) == 3, "denied")
    with t.faulty("quota") as s:
        hold(b">ErrorQuotaExceeded<" in s.operation(create("x", me))[3], "quota")
    with t.faulty("no-delivery") as s:
        hold(b">NoError<" in s.operation(create("x", me))[3] and len(inbox(s)) == 3, "it vanishes")
    with t.faulty("ndr") as s:
        s.operation(create("x", me))
        hold((b"REPORT.IPM.Note.NDR", b"Undeliverable: x") in inbox(s), "the report: %s" % inbox(s))
    with t.faulty("no-calendar") as s:
        hold(b">ErrorFolderNotFound<" in s.operation(GET_INBOX.replace("inbox", "calendar"))[3], "no calendar")
    with t.faulty("calendar-denied") as s:
        hold(b">ErrorAccessDenied<" in s.operation(GET_INBOX.replace("inbox", "calendar"))[3] and b">NoError<" in s.operation(GET_INBOX)[3], "a closed calendar")


@row
def mail_to_others_goes_out_by_lmtp_where_that_is_wished(t):
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=sandboxed.lmtp, args=(listener, heard), daemon=True)
        thread.start()
        with t.sandbox("--deliver", "127.0.0.1:%d" % listener.getsockname()[1]) as s:
            hold(b">NoError<" in s.operation(create("outside", "you@fabrikam.example"))[3], "sent")
            thread.join(5)
    hold(b"MAIL FROM:<anna@contoso.example>\r\n" in heard and b"RCPT TO:<you@fabrikam.example>\r\n" in heard and b"Subject: outside\r\n" in heard, "heard: %s" % heard)


@row
def a_stream_has_several_envelopes_and_signs_of_life(t):
    with t.sandbox("--heartbeat", "200") as s:
        kinds = "<t:EventTypes><t:EventType>NewMailEvent</t:EventType></t:EventTypes>"
        id = re.search(rb"SubscriptionId>(.*?)<", s.operation('<m:Subscribe><m:StreamingSubscriptionRequest SubscribeToAllFolders="true">%s</m:StreamingSubscriptionRequest>'
                                                              '</m:Subscribe>' % kinds)[3])[1].decode()
        said = []
        ask = lambda: said.append(s.operation("<m:GetStreamingEvents><m:SubscriptionIds><t:SubscriptionId>%s</t:SubscriptionId></m:SubscriptionIds>"
                                              "<m:ConnectionTimeout>1</m:ConnectionTimeout></m:GetStreamingEvents>" % id))
        thread = threading.Thread(target=ask)
        thread.start()
        time.sleep(0.6)      # long enough for two signs of life
        s.operation(create("now", "anna@" + DOMAIN))
        time.sleep(0.3)
        s.operation("<m:Unsubscribe><m:SubscriptionId>%s</m:SubscriptionId></m:Unsubscribe>" % id)
        thread.join(10)
        body = said[0][3]
        hold(body.count(b"<?xml") >= 4 and body.count(b"<t:NewMailEvent>") == 1 and body.count(b">OK<") >= 2, "said: %s" % body)
        hold(body.index(b">OK<") < body.index(b"<t:NewMailEvent>") < body.index(b">Closed<"), "in this order: %s" % body)


@row
def pages_of_many_items_are_told_in_order_and_once(t):
    with t.sandbox("--items", "1200") as s:
        state, seen, pages = "", [], 0
        while True:
            body = s.operation('<m:SyncFolderItems><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape><m:SyncFolderId><t:DistinguishedFolderId Id="inbox"/>'
                               '</m:SyncFolderId>%s<m:MaxChangesReturned>512</m:MaxChangesReturned></m:SyncFolderItems>'
                               % (state and "<m:SyncState>%s</m:SyncState>" % state))[3].decode()
            seen += re.findall(r'<t:ItemId Id="(.*?)"', body)
            state = re.search(r"<m:SyncState>(.*?)<", body)[1]
            pages += 1
            if "<m:IncludesLastItemInRange>true" in body:
                break
        hold((pages, len(seen), len(set(seen))) == (3, 1203, 1203), "%d pages, %d items" % (pages, len(seen)))
        wrong = s.operation('<m:SyncFolderItems><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape><m:SyncFolderId><t:DistinguishedFolderId Id="drafts"/>'
                            '</m:SyncFolderId><m:SyncState>%s</m:SyncState><m:MaxChangesReturned>512</m:MaxChangesReturned></m:SyncFolderItems>' % state)[3]
        hold(b">ErrorInvalidSyncStateData<" in wrong, "a state of another folder")


# -- itself ------------------------------------------------------------------------------------------------------------------------------------

@row
def it_leaves_nothing_behind(t):
    with t.sandbox() as s:
        file = s.told["ca_file"]
        hold(os.path.exists(file), "the authority's file")
    hold(not os.path.exists(os.path.dirname(file)), "its folder")
    kept = os.path.join(t.folder, "kept.pem")
    with t.sandbox("--ca-file-out", kept) as s:
        hold(s.told["ca_file"] == kept, "where it was asked for")
    hold(os.path.exists(kept), "and stays")


# In a network of its own, where forty ports may be had and every other pair is somebody's at the second address.
CROWDED = """
import os, socket, subprocess, sys
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
with open("/proc/sys/net/ipv4/ip_local_port_range", "w") as f:
    f.write("40000 40039")
held = []
for port in [p for p in range(40000, 40040) if p % 4 < 2]:
    held.append(socket.socket())
    held[-1].bind(("127.0.0.2", port))
    held[-1].listen()
for _ in range(6):
    p = subprocess.Popen([sys.argv[1], "sandbox", "--json", "--high-ports"], stdout=subprocess.PIPE)
    line = p.stdout.readline()
    p.terminate()
    p.communicate()
    if not line:
        sys.exit("it found no ports")
"""


@row
def ports_that_are_taken_at_one_address_are_passed_over(t):
    alone = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]
    if subprocess.run([*alone, "true"], capture_output=True).returncode != 0:
        print("# skipped: no network of our own is allowed here")
        return
    p = subprocess.run([*alone, sys.executable, "-c", CROWDED, t.binary], capture_output=True, text=True, timeout=60, env={**os.environ, "TMPDIR": t.folder})
    hold(p.returncode == 0, p.stderr)


@row
def wishes_that_make_no_sense_are_told(t):
    for options in (["--fault", "no-such"], ["--fault", "redirect"], ["--fault", "owa-page=1"], ["--exchange", "2003"], ["--listen", "192.0.2.1"], ["--account", "x"],
                    ["--fault", "schemes=magic"]):
        p = subprocess.run([t.binary, "sandbox", "--high-ports", *options], capture_output=True, text=True, timeout=20)
        hold(p.returncode == 2 and p.stderr.strip(), "%s: %d %s" % (options, p.returncode, p.stderr))
    listed = subprocess.check_output([t.binary, "sandbox", "--faults"], text=True)
    for fault in [f for f, *_ in PAGES + ANSWERS] + ["locked", "cut", "drop"]:
        hold(":" in fault or re.search(r"^  %s\b" % re.escape(fault.split("=")[0]), listed, re.M), "%s is not listed" % fault)


def main():
    args = arguments()
    folder = tempfile.mkdtemp(prefix="sandbox-flow-")
    try:
        return row.run(Place(os.path.abspath(args.build), folder), args.only)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
