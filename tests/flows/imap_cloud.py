#!/usr/bin/env python3
"""The sandbox's plain mailboxes, held honest: clients of IMAP and SMTP that know nothing of us work with them, and many at a time.

    imap_cloud.py BUILD [--only REGEX]

The rows of Node's clients want Node, and `npm ci` in the build folder as tests/mail says; the others Debian's curl and Python's own libraries.
"""
import base64
import concurrent.futures
import contextlib
import imaplib
import json
import os
import re
import shutil
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

sys.dont_write_bytecode = True

import sandboxed
from peers import hold
from rows import Rows, arguments

row = Rows()
HERE = os.path.dirname(os.path.abspath(__file__))
DOMAIN, HOST = "birch.example", "mail.birch.example"
ANNA, BERT = "anna@" + DOMAIN, "bert@" + DOMAIN


def same(got, wanted, what):
    hold(got == wanted, "%s: %s" % (what, got))


class Mail(sandboxed.Sandbox):
    def __init__(self, place, *options):
        super().__init__(place.binary, place.folder, "--imap", *options)
        self.password = self.account["password"]
        self.tls = ssl.create_default_context(cafile=self.told["ca_file"])

    def line(self, port, host=HOST, tls=None):
        """A connection as it comes, read by line."""
        s = socket.create_connection(self.places[host, port], timeout=10)
        return ((tls or self.tls).wrap_socket(s, server_hostname=host) if port in (993, 465) else s).makefile("rwb", buffering=0)

    def imap(self, user=ANNA, password=None):
        led = self

        class Led(imaplib.IMAP4_SSL):
            def _create_socket(self, timeout):
                return led.tls.wrap_socket(socket.create_connection(led.places[HOST, 993], timeout=10), server_hostname=HOST)
        c = Led(HOST, 993)
        c.login(user, password or self.password)
        return c

    def send(self, to, text, sender=ANNA):
        with smtplib.SMTP(timeout=10) as c:
            c.connect(*self.places[HOST, 587])
            c._host = HOST
            c.starttls(context=self.tls)
            c.login(sender, self.password)
            c.sendmail(sender, to, text)


class Place:
    def __init__(self, build, folder):
        self.binary, self.folder, self.node = os.path.join(build, "mailmoor"), folder, os.path.join(build, "mail")
        self.daemon = None

    @contextlib.contextmanager
    def mail(self, *faults, options=()):
        s = self.daemon = Mail(self, *options, *(word for f in faults for word in ("--fault", f)))
        try:
            yield s
        finally:
            s.stop()

    def job(self, s, job, imap=993, smtp=465, password=None, user=ANNA):
        at = lambda port: json.dumps({"host": s.places[HOST, port][0], "port": s.places[HOST, port][1], "name": HOST, "secure": port in (993, 465)})
        p = subprocess.run(["node", "client.mjs", job], cwd=self.node, capture_output=True, text=True, timeout=60,
                           env={**os.environ, "IMAP": at(imap), "SMTP": at(smtp), "USER": user, "PASSWORD": password or s.password, "CA": s.told["ca_file"]})
        hold(p.stdout, "%s: %s" % (job, p.stderr[-1500:]))
        return json.loads(p.stdout)

    def curl(self, s, url, *options, user=ANNA, password=None):
        host, port = re.match(r"\w+://([^/:]+):(\d+)", url).groups()
        at = "%s:%d" % s.places[host, int(port)]
        return subprocess.run(["curl", "-sS", "--max-time", "20", "--cacert", s.told["ca_file"], "--connect-to", "%s:%s:%s" % (host, port, at),
                               "--user", "%s:%s" % (user, password or s.password), *options, url], capture_output=True, text=True, timeout=40)


# -- Node's clients -------------------------------------------------------------------------------------------------------------------------

@row
def imapflow_reads_moves_and_deletes(t):
    with t.mail() as s:
        for port in (993, 143):
            got = t.job(s, "read", imap=port, user=(ANNA, BERT)[port == 143])
            hold("error" not in got, got)
            same(sorted(map(tuple, got["folders"][:5])), [("Drafts", "\\Drafts"), ("INBOX", "\\Inbox"), ("Junk", "\\Junk"), ("Sent", "\\Sent"), ("Trash", "\\Trash")], "folders")
            same((got["status"]["messages"], got["status"]["unseen"]), (3, 3), "status")
            same([(m["subject"], m["from"], m["type"], m["whole"], m["dated"]) for m in got["seen"]],
                 [(x, "ben@fabrikam.example", "text/plain", True, True) for x in ("Welcome", "Invoice 4711", "Ümläut and 日本")], "messages")
            same((len(got["found"]), got["none"], got["text"].strip(), len(got["flagged"])), (1, [], "Grüße aus Köln.", 1), "searched")
            same((got["put"], got["moved"], got["left"], got["there"]), ("Drafts", 1, 1, True), "moved")


@row
def nodemailer_sends_and_imapflow_is_told(t):
    with t.mail() as s:
        for imap, smtp in ((993, 465), (143, 587)):
            got = t.job(s, "send", imap, smtp)
            hold("error" not in got, got)
            same((got["accepted"], got["response"][:3], got["news"][1] - got["news"][0], got["subject"]), ([ANNA], "250", 1, "sent by nodemailer"), "sent")
            same(got["parts"], [["1.1", "text/plain"], ["1.2", "text/html"], ["2", "text/plain"]], "its parts")
            hold("Grüße aus Köln.\n.a dot in front" in got["plain"].replace("\r", ""), "its text: %s" % got)


@row
def both_understand_refusals(t):
    with t.mail() as s:
        got = t.job(s, "refused", password="not-this-one")
        same((got["opened"]["failed"], got["opened"]["code"], got["sent"]["code"], got["sent"]["number"]), (True, "AUTHENTICATIONFAILED", "EAUTH", 535), got)
    with t.mail(ANNA + "/imap-over-quota", ANNA + "/smtp-daily-limit") as s:
        hold("550 5.4.5" in t.job(s, "refused")["sent"]["response"], "sent")
        same(t.job(s, "refused", user=BERT), {"opened": None, "sent": None}, "nobody else's")


# -- Debian's curl --------------------------------------------------------------------------------------------------------------------------

@row
def curl_reads_and_sends(t):
    with t.mail() as s:
        p = t.curl(s, "imaps://%s:993/INBOX;UID=*" % HOST)
        hold(p.returncode == 0 and "Subject: =?UTF-8?" in p.stdout, "the last message: %s %s" % (p.stdout, p.stderr))
        p = t.curl(s, "imaps://%s:993/INBOX" % HOST, "--request", "SEARCH SUBJECT Invoice")
        hold(re.search(r"^\* SEARCH 2\s*$", p.stdout, re.M), "searched: %s %s" % (p.stdout, p.stderr))
        p = t.curl(s, "imap://%s:143/" % HOST, "--ssl-reqd")
        hold(p.returncode == 0 and '"/" "INBOX"' in p.stdout, "by STARTTLS: %s %s" % (p.stdout, p.stderr))
        letter = os.path.join(t.folder, "letter")
        with open(letter, "w", encoding="utf-8") as f:
            f.write("From: %s\r\nTo: %s\r\nSubject: by curl\r\n\r\n.dot\r\n" % (ANNA, BERT))
        for url, more in (("smtps://%s:465" % HOST, ()), ("smtp://%s:587" % HOST, ("--ssl-reqd",))):
            p = t.curl(s, url, *more, "--mail-from", ANNA, "--mail-rcpt", BERT, "--upload-file", letter)
            same((p.returncode, p.stderr), (0, ""), url)
        p = t.curl(s, "imaps://%s:993/INBOX;UID=*" % HOST, user=BERT)
        hold("Subject: by curl" in p.stdout and "\r\n\r\n.dot\r\n" in p.stdout.replace("\n", "\r\n").replace("\r\r", "\r"), "it came: %r" % p.stdout)
        same(t.curl(s, "imaps://%s:993/" % HOST, password="no").returncode, 67, "a wrong password")
        p = t.curl(s, "smtps://%s:465" % HOST, "--mail-from", BERT, "--mail-rcpt", BERT, "--upload-file", letter)
        hold(p.returncode == 55 and "553" in p.stderr, "as somebody else: %s" % p.stderr)


# -- Python's own, and by hand --------------------------------------------------------------------------------------------------------------

@row
def imaplib_and_smtplib_agree(t):
    with t.mail() as s:
        c = s.imap()
        same(c.select("INBOX")[1], [b"3"], "selected")
        s.send([ANNA], "Subject: one more\r\n\r\nText.\r\n")
        same((c.noop()[0], c.response("EXISTS")[1][-1]), ("OK", b"4"), "told at NOOP")
        same(c.uid("STORE", "1:*", "+FLAGS", "(\\Deleted)")[0], "OK", "marked")
        same((len(c.expunge()[1]), c.search(None, "ALL")[1]), (4, [b""]), "expunged")
        same(c.create('"R&AOQ-ume"')[0], "OK", "created")
        hold(any(b'"R&AOQ-ume"' in x for x in c.list()[1]), "listed")
        c.logout()


@row
def mail_for_outside_goes_by_lmtp(t):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        heard = []
        thread = threading.Thread(target=sandboxed.lmtp, args=(listener, heard), daemon=True)
        thread.start()
        with t.mail(options=("--deliver", "127.0.0.1:%d" % listener.getsockname()[1])) as s:
            s.send(["dora@fabrikam.example"], "Subject: outside\r\nBcc: bert@x.example\r\n\r\n..two dots\r\n")
        thread.join(10)
        said = b"".join(heard)
        hold(b"RCPT TO:<dora@fabrikam.example>" in said and b"Subject: outside" in said and b"Bcc" not in said and b"\n...two dots" in said, "LMTP: %s" % said)


@row
def nothing_is_said_in_the_clear(t):
    with t.mail() as s:
        with s.line(143) as line:
            hold(b"STARTTLS" in (greeting := line.readline()) and b"LOGINDISABLED" in greeting and b"AUTH=" not in greeting, "greeting: %s" % greeting)
            line.write(b"a LOGIN %s x\r\n" % ANNA.encode())
            hold(b"PRIVACYREQUIRED" in line.readline(), "LOGIN without TLS")
        with s.line(587) as line:
            line.readline()
            line.write(b"EHLO x\r\n")
            said = b""
            while not said.split(b"\r\n")[-2:][0].startswith(b"250 "):
                said += line.readline()
            hold(b"STARTTLS" in said and b"AUTH" not in said, "EHLO: %s" % said)
            line.write(b"MAIL FROM:<%s>\r\n" % ANNA.encode())
            hold(line.readline().startswith(b"530"), "MAIL without a sign-in")


@row
def what_is_no_imap_is_refused(t):
    with t.mail() as s, s.line(993) as line:
        line.readline()
        for said, answer in ((b"\r\n", b"* BAD"), (b"a\r\n", b"a BAD"), (b"a SELECT INBOX\r\n", b"a BAD"), (b"a FETCH 1 ALL\r\n", b"a BAD"),
                             (b"a AUTHENTICATE CRAM-MD5\r\n", b"a NO"), (b"a AUTHENTICATE PLAIN =\r\n", b"a NO"), (b"a LOGIN \"x\r\n", b"a BAD"),
                             (b"a LOGIN {3+}\r\nabc {2+}\r\nxy\r\n", b"a NO"), (b"a \xff\xfe\r\n", b"a BAD")):
            line.write(said)
            heard = line.readline()
            hold(heard.startswith(answer), "%s: %s" % (said, heard))
        plain = base64.b64encode(("\0%s\0%s" % (ANNA, s.password)).encode())
        line.write(b"b AUTHENTICATE PLAIN\r\n")
        hold(line.readline().startswith(b"+"), "asked")
        line.write(plain + b"\r\n")
        hold(line.readline().startswith(b"b OK"), "signed in")
        for said, answer in ((b"c SELECT nowhere\r\n", b"c NO [NONEXISTENT]"), (b"c LIST \"\r\n", b"c BAD"), (b"c APPEND INBOX {99999999}\r\n", b"")):
            line.write(said)
            heard = line.readline()
            hold(heard.startswith(answer) and (answer or not heard), "%s: %s" % (said, heard))


@row
def many_at_a_time(t):
    with t.mail(options=("--items", "300")) as s:
        def one(n):
            c = s.imap((ANNA, BERT)[n % 2])
            c.select("INBOX", readonly=n % 3 == 0)
            got = c.fetch("1:*", "(UID FLAGS ENVELOPE BODYSTRUCTURE BODY.PEEK[])")[1]
            if n % 4 == 0:
                s.send([ANNA, BERT], "Subject: many\r\n\r\nText.\r\n")
            c.append("Sent", "", None, b"Subject: copy\r\n\r\nText.\r\n")
            c.logout()
            return len([x for x in got if isinstance(x, tuple)])
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            counts = list(pool.map(one, range(36)))
        hold(all(n >= (303 if i % 2 == 0 else 3) for i, n in enumerate(counts)), "each saw all: %s" % counts)
        c = s.imap()
        same((c.select("INBOX")[1], c.select("Sent")[1]), ([b"%d" % (303 + 9)], [b"18"]), "nothing is lost")
        c.logout()
        # ended with somebody at the door, and somebody idle
        idle, mute = s.line(993), s.line(143)
        idle.readline()
    same((idle.readline(), mute.readline()[:4]), (b"", b"* OK"), "it ends all the same")


@row
def it_is_played_beside_the_others(t):
    with t.mail(options=("--microsoft", "--exchange", "2016")) as s:
        same({a["address"].split("@")[1] for a in s.told["accounts"]}, {"contoso.example", DOMAIN}, "accounts")
        hold(("graph.microsoft.com", 443) in s.places and ("mail.contoso.example", 443) in s.places and (HOST, 993) in s.places, "places: %s" % s.places)
        c = s.imap(password=s.told["accounts"][-1]["password"])
        same(c.select("INBOX")[1], [b"3"], "IMAP")
        c.logout()


def xoauth2(address, token):
    return base64.b64encode(("user=%s\1auth=Bearer %s\1\1" % (address, token)).encode())


@row
def gmail_is_opened_by_imap_with_a_token(t):
    gmail = "ann@gmail.com"
    for faults, reason in (((), None), (("google-unticked=https://mail.google.com/",), b'"status":"403"')):
        with t.mail(*faults, options=("--google", "--account", gmail + ":x", "--account", "bea@gmail.com:x")) as s:
            tokens = []
            for a in s.told["accounts"]:
                with open(a["google_token_file"], encoding="utf-8") as f:
                    tokens.append(json.load(f)["access_token"])
            # as it is, somebody else's, made up
            for token, why in ((tokens[0], reason), (tokens[1], reason or b'"status":"401"'), ("ya29.made-up", b'"status":"401"')):
                for port, host, ask in ((993, "imap.gmail.com", b"a AUTHENTICATE XOAUTH2 %s\r\n"), (465, "smtp.gmail.com", b"AUTH XOAUTH2 %s\r\n")):
                    with s.line(port, host) as line:
                        line.readline()
                        line.write(ask % xoauth2(gmail, token))
                        heard = line.readline()
                        if why:
                            hold(why in base64.b64decode(heard.split(b" ", 1)[1]), "%s: %s" % (host, heard))
                            line.write(b"\r\n")
                            heard = line.readline()
                        wanted = (b"a NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)", b"535-5.7.8 ") if why else (b"a OK ", b"235 ")
                        hold(heard.startswith(wanted[port == 465]), "%s: %s" % (host, heard))
    # and so does the program, where Gmail's interface is off
    with t.mail("google=accessNotConfigured", options=("--google", "--account", gmail + ":x")) as s:
        config = os.path.join(t.folder, "google.conf")
        with open(config, "w", encoding="utf-8") as f:
            f.write("[google]\nclient_id = %(client_id)s\nclient_secret = %(client_secret)s\n" % s.told["google"])
        p = subprocess.run([t.binary, "diagnose", gmail, "--json", "--config=" + config, "--resolver=" + s.told["resolver"], "--ca-file=" + s.told["ca_file"],
                            "--token-file=" + s.account["google_token_file"], *("--connect-to=" + c for c in s.told["connect_to"])], capture_output=True, text=True, timeout=60)
        told = json.loads(p.stdout)
        same((told["verdict"], told["provider"], [c["id"] for c in told["causes"]]), ("connected", "imap", ["google.app_misregistered"]), "instead")


def prepare_node(place):
    """As the lock file says, with its checksums, in the build folder."""
    os.makedirs(place, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc", "client.mjs"):
        shutil.copy(os.path.join(HERE, "..", "mail", name), place)
    if not os.path.isdir(os.path.join(place, "node_modules", "imapflow")):
        done = subprocess.run(["npm", "ci", "--no-progress"], cwd=place, capture_output=True, text=True)
        hold(done.returncode == 0, "npm ci: " + done.stderr[-1000:])


def main():
    args = arguments()
    build = os.path.abspath(args.build)
    folder = tempfile.mkdtemp(prefix="imap-cloud-")
    try:
        place = Place(build, folder)
        prepare_node(place.node)
        return row.run(place, args.only)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
