#!/usr/bin/env python3
"""Servers and people at their worst: whatever they say, or cut, or never say, the program ends in time, with a cause or with
unknown.answer, within bounded memory, and keeps the password to itself.

    faults.py BUILD [--list] [--only REGEX]
"""
import argparse
import base64
import os
import random
import re
import signal
import ssl
import sys
import threading
import time

sys.dont_write_bytecode = True

import peers
import real
from peers import DOMAIN, PASSWORD, hold
from real import IMAP_HOST, SMTP_HOST

USER = "ann@" + DOMAIN
MEMORY_KIB = 64 * 1024
GRACE_S = 2           # beyond --timeout, on a busy machine
AT_ONCE = 3

cases = []


class Row:
    def __init__(self, name, function):
        self.name, self.function = name, function


def row(function):
    cases.append(Row(function.__name__.replace("_", " "), function))
    return function


# -- servers by script ------------------------------------------------------------------------------------------------------------

class Cut(Exception):
    """The connection ends here, by order."""


class Speaker:
    """The server's side of one connection. `budget` is how many bytes may still be said, `slow_s` the pause after each of them;
    `count` gets how many were said before the farewell."""

    def __init__(self, s, budget=None, slow_s=0, count=None):
        self.s, self.budget, self.slow_s, self.count, self.rest = s, budget, slow_s, count, b""
        if budget == 0:
            raise Cut

    def say(self, data):
        data = data.encode() if isinstance(data, str) else data
        part = data if self.budget is None else data[:self.budget]
        for piece in ([part[i:i + 1] for i in range(len(part))] if self.slow_s else [part]):
            self.s.sendall(piece)
            if self.slow_s:
                time.sleep(self.slow_s)
        if self.count is not None:
            self.count.append(len(part))
        if self.budget is not None:
            self.budget -= len(part)
            if self.budget <= 0:
                raise Cut

    def line(self):
        while b"\n" not in self.rest:
            data = self.s.recv(65536)
            if not data:
                raise Cut
            self.rest += data
        line, self.rest = self.rest.split(b"\n", 1)
        return line.rstrip(b"\r").decode("latin-1")

    def tls(self, context):
        self.s = context.wrap_socket(self.s, server_side=True)


IMAP = {
    "greeting": "* OK [CAPABILITY IMAP4rev1 SASL-IR ID AUTH=PLAIN] hi\r\n",
    "plain greeting": "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n",
    "STARTTLS": "{tag} OK go\r\n",
    "CAPABILITY": "* CAPABILITY IMAP4rev1 SASL-IR ID AUTH=PLAIN\r\n{tag} OK\r\n",
    "AUTHENTICATE": "{tag} OK [CAPABILITY IMAP4rev1 ID] in\r\n",
    "LOGIN": "{tag} OK in\r\n",
    "ID": "* ID NIL\r\n{tag} OK\r\n",
    "LIST": "* LIST () \"/\" INBOX\r\n{tag} OK\r\n",
    "EXAMINE": "* 1 EXISTS\r\n{tag} OK [READ-ONLY] open\r\n",
    "UID": "* SEARCH\r\n{tag} OK\r\n",
    "LOGOUT": "* BYE\r\n{tag} OK\r\n",
}
SMTP = {
    "greeting": "220 hi ESMTP\r\n", "plain greeting": "220 hi ESMTP\r\n", "plain EHLO": "250-hi\r\n250 STARTTLS\r\n",
    "STARTTLS": "220 go\r\n", "EHLO": "250-hi\r\n250 AUTH PLAIN\r\n", "AUTH": "235 2.7.0 in\r\n", "MAIL": "250 2.1.0 ok\r\n",
    "RCPT": "250 2.1.5 ok\r\n", "DATA": "354 go on\r\n", ".": "250 2.0.0 taken\r\n", "QUIT": "221 bye\r\n",
}


def imap(script=None, tls=None, first=None, **how):
    """A talker for a Listener. `tls` from the first byte, or `first` is the context for STARTTLS. A script's values may be functions."""
    words = {**IMAP, **(script or {})}

    def talk(s):
        p = None
        try:
            p = Speaker(s, **how)
            if tls:
                p.tls(tls)
            p.say(words["plain greeting" if first else "greeting"])
            while True:
                tag, command, *_ = p.line().split(" ") + [""]
                if command == "LOGOUT":
                    p.count = None
                answer = words.get(command.upper(), "{tag} BAD what?\r\n")
                if callable(answer):
                    answer(p, tag)
                elif isinstance(answer, bytes):
                    p.say(answer.replace(b"{tag}", tag.encode()))
                else:
                    p.say(answer.replace("{tag}", tag))
                if command.upper() == "STARTTLS":
                    p.tls(first)
                if command.upper() == "LOGOUT":
                    raise Cut
        except Cut:
            (p.s if p else s).close()
    return talk


def smtp(script=None, tls=None, first=None, **how):
    words = {**SMTP, **(script or {})}

    def talk(s):
        p, private, body = None, not first, False
        try:
            p = Speaker(s, **how)
            if tls:
                p.tls(tls)
            p.say(words["greeting" if private else "plain greeting"])
            while True:
                line = p.line()
                if body and line != ".":
                    continue
                command = "." if body else line.split(" ")[0].upper()
                if command == "QUIT":
                    p.count = None
                answer = words.get(command if private else "plain " + command, words.get(command, "502 5.5.1 what?\r\n"))
                if callable(answer):
                    answer(p, "")
                else:
                    p.say(answer)
                body = command == "DATA" and answer[:3] in ("354", b"354")
                if command == "STARTTLS":
                    p.tls(first)
                    private = True
                if command == "QUIT":
                    raise Cut
        except Cut:
            (p.s if p else s).close()
    return talk


class World:
    """One row's servers and its runs."""

    def __init__(self, town, binary, number):
        self.town, self.binary = town, binary
        self.stack = peers.Stack()
        self.address = town.address()
        self.folder = os.path.join(town.folder, "fault%d" % number)
        os.makedirs(self.folder)
        self.names = self.stack.add(peers.Names(self.address))
        for name in (IMAP_HOST, SMTP_HOST):
            self.names.records[name, "A"] = [self.address]
        self.names.records[DOMAIN, "MX"] = ["10 mx." + DOMAIN]
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(*town.good())
        self.bounded = not peers.has_sanitizer(binary)

    def listen(self, talk):
        return self.stack.add(peers.Listener(self.address, talk))

    def good_imap(self):
        return self.listen(imap(tls=self.tls))

    def good_smtp(self):
        return self.listen(smtp(tls=self.tls))

    def run(self, imap_at=None, smtp_at=None, imap_port=993, smtp_port=465, options=(), timeout=5, address=USER, **more):
        imap_at, smtp_at = imap_at or self.good_imap(), smtp_at or self.good_smtp()
        args = ["--timeout", str(timeout), "--ca-file", self.town.ca.root, "--resolver", "%s:%d" % (self.names.address, self.names.port),
                "--imap", "%s:%d" % (IMAP_HOST, imap_port), "--smtp", "%s:%d" % (SMTP_HOST, smtp_port),
                "--connect-to", "%s:%d=%s:%d" % (IMAP_HOST, imap_port, imap_at.address, imap_at.port),
                "--connect-to", "%s:%d=%s:%d" % (SMTP_HOST, smtp_port, smtp_at.address, smtp_at.port), *options]
        o = peers.run(self.binary, address, args, PASSWORD, self.folder, timeout + 20, **more)
        hold(o.seconds < timeout + GRACE_S + (0 if self.bounded else 5), "it took %.1f s, --timeout was %d" % (o.seconds, timeout))
        hold(not self.bounded or o.memory_kib < MEMORY_KIB, "%d KiB of memory" % o.memory_kib)
        return o

    def fails(self, *causes, verdict="failed", **more):
        o = self.run(**more)
        hold(o.report["verdict"] == verdict, "expected %s, got %s" % (verdict, o.short()))
        hold(not causes or o.cause() in causes, "expected %s, got %s" % (" or ".join(causes), o.short()))
        return o

    def connects(self, **more):
        o = self.run(**more)
        hold(o.report["verdict"] == "connected", "expected connected, got " + o.short())
        return o


# -- well, for comparison ---------------------------------------------------------------------------------------------------------

@row
def the_scripts_themselves_are_well(w):
    w.connects()
    w.connects(imap_at=w.listen(imap(first=w.tls)), smtp_at=w.listen(smtp(first=w.tls)), imap_port=143, smtp_port=587)


@row
def a_byte_at_a_time(w):
    w.connects(imap_at=w.listen(imap(tls=w.tls, slow_s=0.001)), smtp_at=w.listen(smtp(tls=w.tls, slow_s=0.001)), timeout=10)


# -- cut everywhere ---------------------------------------------------------------------------------------------------------------

def cut_everywhere(name, talker, verdict, where, how, script=None, options=(), **more):
    """The connection ends after each count of bytes in turn: never before all was said may the verdict be good."""
    def f(w):
        def run(**limits):
            listener = w.listen(talker(script, **{k: w.tls for k in how}, **limits))
            try:
                return w.run(options=options, **{where: listener}, **more)
            finally:
                listener.close()
        count = []
        o = run(count=count)
        hold(o.report["verdict"] == "connected", "uncut: " + o.short())
        hold(sum(count) > 40, "only %d bytes to cut" % sum(count))
        for budget in range(sum(count)):
            o = run(budget=budget)
            hold(o.report["verdict"] == verdict, "cut after %d of %d bytes: expected %s, got %s" % (budget, sum(count), verdict, o.short()))
    cases.append(Row("cut at every byte: " + name, f))


SHORT = {"greeting": "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\r\n", "AUTHENTICATE": "{tag} OK [CAPABILITY IMAP4rev1 ID] in\r\n"}
cut_everywhere("IMAP over TLS", imap, "failed", "imap_at", ("tls",), SHORT)
cut_everywhere("IMAP with STARTTLS", imap, "failed", "imap_at", ("first",), {**SHORT, "ID": "{tag} OK\r\n"}, imap_port=143)
cut_everywhere("SMTP over TLS", smtp, "partial", "smtp_at", ("tls",))
cut_everywhere("SMTP with STARTTLS", smtp, "partial", "smtp_at", ("first",), smtp_port=587)


@row
def cut_at_every_byte_of_sending(w):
    answers = [SMTP[k] for k in ("greeting", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", ".")]
    for budget in range(sum(map(len, answers[:3])), sum(map(len, answers))):
        listener = w.listen(smtp(tls=w.tls, budget=budget))
        # a cut after the message was said leaves open whether it was taken: then it is looked for, until the time is up
        o = w.run(smtp_at=listener, options=("--send-test=bo@" + DOMAIN,), timeout=2)
        listener.close()
        hold(o.report["verdict"] == "partial", "cut after %d bytes: %s" % (budget, o.short()))


@row
def cut_by_a_reset(w):
    for command in ("greeting", "AUTHENTICATE", "ID", "EXAMINE"):
        def cut(p, tag):
            peers.reset(p.s)
            raise Cut
        script = {command: cut} if command != "greeting" else {}
        talk = imap(script, tls=w.tls) if script else peers.reset
        w.fails(imap_at=w.listen(talk))


# -- silence ----------------------------------------------------------------------------------------------------------------------

@row
def silence_after_each_command(w):
    def hang(p, tag):
        peers.silence(p.s)
        raise Cut
    for command in ("AUTHENTICATE", "ID", "LIST", "EXAMINE"):
        w.fails(imap_at=w.listen(imap({command: hang}, tls=w.tls)), timeout=2)
    for command in ("EHLO", "AUTH"):
        w.fails(verdict="partial", smtp_at=w.listen(smtp({command: hang}, tls=w.tls)), timeout=2)


@row
def silence_in_the_handshake(w):
    w.fails("net.silent", imap_at=w.listen(peers.silence), timeout=2)


@row
def hanging_at_the_end(w):
    def hang(p, tag):
        peers.silence(p.s)
        raise Cut
    o = w.connects(imap_at=w.listen(imap({"LOGOUT": hang}, tls=w.tls)), smtp_at=w.listen(smtp({"QUIT": hang}, tls=w.tls)), timeout=10)
    hold(o.seconds < 5, "it waited %.1f s for a farewell" % o.seconds)


# -- too much, and nonsense -------------------------------------------------------------------------------------------------------

def forever(piece, before=b""):
    def say(p, tag):
        p.say(before.replace(b"{tag}", tag.encode()))
        while True:
            p.say(piece)
    return say


A64K = b"A" * 65536
FLOODS = {
    "an endless line": {"AUTHENTICATE": forever(A64K)},
    "endless untagged answers": {"EXAMINE": forever(b"* 1 EXISTS\r\n" * 4000)},
    "endless folders": {"LIST": forever(b'* LIST (\\Sent) "/" "' + b"x" * 200 + b'"\r\n' * 200)},
    "endless challenges": {"AUTHENTICATE": forever(b"+ \r\n" * 4000)},
    "endless empty lines": {"EXAMINE": forever(b"\r\n" * 20000)},
    "a literal of 2 GiB": {"LIST": forever(A64K, b'* LIST () "/" {2147483648}\r\n')},
    "a literal of 2^64": {"LIST": forever(A64K, b'* LIST () "/" {18446744073709551617}\r\n')},
    "many literals": {"LIST": forever(b'* LIST () "/" {60000}\r\n' + b"y" * 60000 + b"\r\n")},
    "deep parentheses": {"LIST": b"* LIST " + b"(" * 7000 + b"\r\n{tag} OK\r\n"},
    "NULs": {"ID": b"* ID (\0\0\0)\r\n{tag} OK\r\n", "EXAMINE": b"\0" * 100 + b"\r\n{tag} OK\r\n"},
}
SMTP_FLOODS = {
    "an endless line": {"EHLO": forever(A64K)},
    "an endless reply": {"EHLO": forever(b"250-SIZE 1\r\n" * 4000)},
    "endless challenges": {"AUTH": forever(b"334 \r\n" * 4000)},
}


def flood(name, f):
    f.__name__ = "flood: " + name
    cases.append(Row(f.__name__, f))


for flood_name, flood_script in FLOODS.items():
    flood("IMAP, " + flood_name, lambda w, script=flood_script: not_well(w, imap_at=w.listen(imap(script, tls=w.tls))))
for flood_name, flood_script in SMTP_FLOODS.items():
    flood("SMTP, " + flood_name, lambda w, script=flood_script: not_well(w, smtp_at=w.listen(smtp(script, tls=w.tls))))


def not_well(w, **more):
    o = w.run(timeout=4, **more)
    if o.report["verdict"] == "connected":      # nonsense that may be read over; a flood may not
        hold(o.seconds < 3, "connected after %.1f s of it" % o.seconds)


@row
def dribbling_for_ever(w):
    def dribble(p, tag):
        p.slow_s = 0.05
        p.say(A64K)
    w.fails(imap_at=w.listen(imap({"AUTHENTICATE": dribble}, tls=w.tls)), timeout=3)
    w.fails(verdict="partial", smtp_at=w.listen(smtp({"EHLO": dribble}, tls=w.tls)), timeout=3)


@row
def garbage(w):
    dice = random.Random(5)
    for n in range(12):
        noise = dice.randbytes(dice.choice((1, 30, 3000))) + b"\r\n"
        for port in (993, 143):
            w.fails(imap_at=w.listen(lambda s, noise=noise: (s.sendall(noise), peers.silence(s))), imap_port=port, timeout=2)
        w.fails(imap_at=w.listen(imap({"greeting": noise}, tls=w.tls)), timeout=2)
        w.fails(imap_at=w.listen(imap({"AUTHENTICATE": noise + b"{tag} NO \xff\xfe\r\n"}, tls=w.tls)), timeout=2)


@row
def escape_sequences_never_reach_the_terminal(w):
    evil = "\x1b]0;owned\x07\x1b[31m\u009b31mred"
    imap_at = w.listen(imap({"AUTHENTICATE": ("{tag} NO [ALERT] %s\r\n" % evil).encode()}, tls=w.tls))
    args = [w.binary, "diagnose", "--timeout", "5", "--ca-file", w.town.ca.root, "--resolver", "%s:%d" % (w.names.address, w.names.port),
            "--imap", IMAP_HOST, "--connect-to", "%s:993=%s:%d" % (IMAP_HOST, imap_at.address, imap_at.port),
            "--smtp", SMTP_HOST, "--connect-to", "%s:465=%s:9" % (SMTP_HOST, w.address), "-v", "--password-file", "-", "--", USER]
    o = peers.execute(args, (PASSWORD + "\n").encode(), 20)
    hold(o.status in (1, 3), "exit status %s: %s" % (o.status, o.err))
    hold("owned" in o.out, "the server's words are not shown: " + o.out)
    hold(not peers.CONTROL.search(o.out + o.err), "a control character in %r" % o.out)
    hold(PASSWORD not in o.out + o.err, "the password is shown")


# -- tricks -----------------------------------------------------------------------------------------------------------------------

def never_signs_in(w, o, service="imap"):
    hold(not o.facts(service + ".login", "auth.mechanism"), "credentials were said")


@row
def starttls_stripped(w):
    greeting = "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n"
    o = w.fails("tls.starttls_missing", imap_at=w.listen(imap({"plain greeting": greeting}, first=w.tls)), imap_port=143)
    never_signs_in(w, o)
    o = w.fails("net.intercepted", verdict="partial", smtp_port=587,
                smtp_at=w.listen(smtp({"plain EHLO": "250-hi\r\n250 XXXXXXXA\r\n"}, first=w.tls)))
    never_signs_in(w, o, "smtp")


@row
def starttls_with_more_behind_it(w):
    o = w.fails("net.intercepted", imap_port=143,
                imap_at=w.listen(imap({"STARTTLS": "{tag} OK go\r\n* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN]\r\n"}, first=w.tls)))
    never_signs_in(w, o)
    o = w.fails("net.intercepted", verdict="partial", smtp_port=587,
                smtp_at=w.listen(smtp({"STARTTLS": "220 go\r\n250 AUTH PLAIN\r\n"}, first=w.tls)))
    never_signs_in(w, o, "smtp")


@row
def signed_in_before_tls(w):
    o = w.fails("net.intercepted", imap_at=w.listen(imap({"plain greeting": "* PREAUTH welcome\r\n"}, first=w.tls)), imap_port=143)
    never_signs_in(w, o)


@row
def sent_elsewhere_by_a_referral(w):
    asked = []
    elsewhere = w.listen(lambda s: asked.append(s))
    there = "[REFERRAL imap://%s:%d/] go there\r\n" % (elsewhere.address, elsewhere.port)
    for script in ({"AUTHENTICATE": "{tag} NO " + there}, {"greeting": "* BYE " + there}):
        w.fails(imap_at=w.listen(imap(script, tls=w.tls)))
    hold(not asked, "it went there")


@row
def a_server_that_does_not_know_the_password(w):
    """SCRAM lets us see that: an OK without the server's signature is no sign-in."""
    greeting = "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=SCRAM-SHA-256] hi\r\n"

    def pretend(p, tag):
        p.say("+ %s\r\n" % base64.b64encode(b"r=x,s=QUJD,i=4096").decode())
        p.line()
        p.say("%s OK in\r\n" % tag)
    for answer in ("{tag} OK in\r\n", pretend):
        w.fails(imap_at=w.listen(imap({"greeting": greeting, "AUTHENTICATE": answer}, tls=w.tls)))


@row
def a_server_that_says_the_password_back(w):
    def echo(p, tag):
        both = base64.b64encode(("\0%s\0%s" % (USER, PASSWORD)).encode()).decode()
        p.say("%s NO [AUTHENTICATIONFAILED] wrong password %s for %s (%s)\r\n" % (tag, PASSWORD, USER, both))
    w.fails(imap_at=w.listen(imap({"AUTHENTICATE": echo}, tls=w.tls)))      # run() looks for it everywhere

    def echo_smtp(p, tag):
        p.say("535-5.7.8 your password\r\n535 5.7.8 %s is wrong\r\n" % PASSWORD)
    w.fails(verdict="partial", smtp_at=w.listen(smtp({"AUTH": echo_smtp}, tls=w.tls)))


# -- addresses --------------------------------------------------------------------------------------------------------------------

def address(name, text, *verdicts, cause=None):
    def f(w):
        args = ["--timeout", "5", "--resolver", "%s:%d" % (w.names.address, w.names.port)]
        o = peers.run(w.binary, text, args, PASSWORD, w.folder, 20)
        hold(o.report["verdict"] in verdicts, "got " + o.short())
        hold(not cause or o.cause() == cause, "expected %s, got %s" % (cause, o.short()))
        hold(o.seconds < 5 + GRACE_S, "%.1f s" % o.seconds)
    cases.append(Row("address: " + name, f))


for address_name, address_text in (
        ("empty", ""),
        ("an at sign alone", "@"),
        ("no local part", "@birch.example"),
        ("no domain", "ann@"),
        ("two at signs", "a@b@birch.example"),
        ("a line break", "ann\r\nRCPT TO:<x@y>@birch.example"),
        ("control characters", "a\x01\x1b[31m@birch.example"),
        ("64 KiB", "a" * 65536 + "@birch.example"),
        ("64 KiB of domain", "a@" + "b." * 32768 + "example"),
        ("a label of 64", "a@" + "b" * 64 + ".example"),
        ("a blank inside", "a nn@birch.example"),
        ("not UTF-8", os.fsdecode(b"\xff\xfe@birch.example")),
        ("a quote left open", '"ann@birch.example'),
        ("a wrong literal", "ann@[300.1.2.3]"),
        ("dots", "..@birch.example"),
        ("local part of 65", "a" * 65 + "@birch.example")):
    address(address_name, address_text, "failed", cause="address.malformed")
address("IDN", "ann@b\u00fccher.example", "failed", cause="dns.no_such_domain")
address("quoted local part", '"ann b"@birch.example', "unfinished", "failed")
address("UTF-8 local part", "\u00e4nn@birch.example", "unfinished", "failed")
address("literal, IPv4", "ann@[127.0.0.9]", "failed", "unfinished")
address("literal, IPv6", "ann@[IPv6:::1]", "failed", "unfinished")


# -- called off -------------------------------------------------------------------------------------------------------------------

def interrupted(number, after_s):
    def started(p):
        threading.Timer(after_s, lambda: p.poll() is None and p.send_signal(number)).start()
    return started


@row
def interrupted_in_the_middle(w):
    for number in (signal.SIGINT, signal.SIGTERM):
        begin = time.monotonic()
        w.fails(imap_at=w.listen(peers.silence), timeout=30, started=interrupted(number, 0.3))
        hold(time.monotonic() - begin < 7, "it went on for %.1f s" % (time.monotonic() - begin))


@row
def interrupted_while_sending_leaves_nothing(w):
    """With the real servers: whenever it is called off, the test message is gone afterwards."""
    t = real.Case(real.Row(lambda t: None, None), w.town, w.binary, 190)
    try:
        t.both()
        for n in range(8):
            t.diagnose("--send-test", started=interrupted(signal.SIGINT, 0.05 + 0.06 * n))
            peers.until(lambda: not os.listdir(os.path.join(w.town.postfix().folder, "spool", "active"))
                        and not os.listdir(os.path.join(w.town.postfix().folder, "spool", "incoming")), 10, "an empty queue")
            left = t.town.main().messages(t.user)
            hold(not left, "left in the mailbox after %.2f s: %s" % (0.05 + 0.06 * n, left))
    finally:
        t.stack.close()


# -- running them -----------------------------------------------------------------------------------------------------------------

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--only", default="")
    o = parser.parse_args()
    chosen = [c for c in cases if re.search(o.only, c.name)]
    if o.list:
        print("\n".join(c.name for c in chosen))
        return 0
    binary = os.path.join(os.path.abspath(o.build), "mailmoor")
    with real.Town() as town:
        def one(case):
            w = World(town, binary, cases.index(case))
            try:
                case.function(w)
            finally:
                w.stack.close()
        return peers.run_all(chosen, one, AT_ONCE)


if __name__ == "__main__":
    sys.exit(main())
