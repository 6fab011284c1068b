#!/usr/bin/env python3
"""The commands that run the daemon, against a real one with a real Dovecot: account, key, workspace, config, backup, restore, secrets.

    commands.py BUILD [--only REGEX]

The rows share one daemon and go in their order; each has mailboxes of its own.
"""
import contextlib
import json
import os
import pty
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
import unicodedata

sys.dont_write_bytecode = True

import peers
import service
from peers import DOMAIN, PASSWORD, hold, until
from rows import Rows, arguments
from service import WRONG

SILENT = "silent." + DOMAIN
WEB = "web." + DOMAIN
COLUMNS = 80
row = Rows()


def width(line):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


class Said:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    @property
    def all(self):
        return self.out + self.err

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def flat(self):
        return re.sub(r"\s+", " ", self.all)

    def __str__(self):
        return "%s:\n%s%s" % (self.status, self.out, self.err)


class Town(service.Town):
    def build(self):
        super().build()
        self.silence = self.stack.add(peers.Listener(self.address(), peers.silence))
        self.names.records[SILENT, "A"] = [self.silence.address]
        self.daemon.settings["net.connect_to"] += " %s:993=%s:%d" % (SILENT, self.silence.address, self.silence.port)
        self.daemon.stop()
        self.daemon.start()
        self.seen = []      # all that was ever said

    def environment(self, key=None, **more):
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("MAILMOOR_", "SSL_CERT", "LC_", "LANG")) and not k.lower().endswith("_proxy")}
        env = clean | {"LC_ALL": "C.UTF-8", "TZ": "UTC", "STATE_DIRECTORY": os.path.join(self.daemon.folder, "state"),
                       "MAILMOOR_WEB_LISTEN": "%s:%d" % (self.daemon.address, self.daemon.port)}
        if key != "":
            env["MAILMOOR_KEY"] = key or self.daemon.key
        return env | more

    def start_command(self, *words, key=None, stdin="", **env):
        p = subprocess.Popen([self.binary, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             env=self.environment(key, **env))
        p.stdin.write(stdin)
        p.stdin.close()
        p.stdin = None
        return p

    def end_command(self, p, words=()):
        try:
            out, err = p.communicate(timeout=90)
        except subprocess.TimeoutExpired:
            p.kill()
            raise peers.Failed("no end: %s" % (words,)) from None
        said = Said(p.returncode, out, err)
        self.seen.append(said.all)
        if "--json" not in words and words[:1] != ("config",):
            for line in said.all.split("\n"):
                # what has no blank in it (a path, a link) cannot be broken; argp says "Try …" as it likes
                hold(width(line) <= COLUMNS or " " not in line.strip() or line.startswith("Try `"), "%d columns: %s" % (width(line), line))
        return said

    def run(self, *words, **more):
        return self.end_command(self.start_command(*words, **more), words)

    def add(self, user=None, password=PASSWORD, *words):
        return self.run("account", "add", user or self.user(), "--password-file", "-", *words, stdin=password + "\n")


# -- what is wrong before anything is asked ---------------------------------------------------------------------------------------

@row
def wrong_usage(t):
    for words, what in ((["account"], "what is to be done"), (["account", "dance"], "no \"dance\""), (["account", "show"], "which account"),
                        (["account", "list", "x"], "no argument"), (["account", "add", "a@b.example"], "password is needed"),
                        (["account", "show", "x", "--imap", "h"], "takes none"), (["account", "add", "a@b.example", "--imap", "a b"], "not HOST"),
                        (["account", "add", "a@b.example", "--password", WRONG], "command line is not taken"),
                        (["account", "list", "--key", "mm_abc"], "command line is not taken"),
                        (["account", "add", "a@b.example", "--password-file", "-", "--key-file", "-"], "not both"),
                        (["account", "list", "--lang", "xx"], "no language"), (["account", "list", "--config", "/nonexistent"], "cannot be read"),
                        (["key"], "what is to be done"), (["key", "add"], "to be called"), (["key", "add", "x", "--scope", "all"], "no scope"),
                        (["key", "list", "--local"], "takes no"), (["key", "add", "x", "--workspace", "y"], "goes with --local"),
                        (["workspace"], "what is to be done"), (["workspace", "add"], "to be called"), (["workspace", "list", "x"], "no argument"),
                        (["backup"], "which file"), (["restore"], "which file"), (["restore", "a", "b"], "one file"),
                        (["secrets"], "what is to be done"), (["secrets", "show"], "no \"show\""), (["config", "x"], "no argument")):
        said = t.run(*words)
        hold(said.status == 2 and not said.out and what in said.flat, "%s: %s" % (words, said))


@row
def a_key_that_is_none(t):
    hold("API key is needed" in t.run("account", "list", key="").flat, "without a key")
    said = t.run("account", "list", key="mm_" + "x" * 40)
    hold(said.status == 2 and "key" in said.err and not said.out, "a wrong key: %s" % said)
    said = t.run("account", "list", key="hunter2")
    hold(said.status == 2 and "no API key" in said.err and "hunter2" not in said.all, "no key at all: %s" % said)
    file = os.path.join(t.folder, "a-key")
    with open(file, "w") as f:
        f.write(t.daemon.key + "\n")
    hold(t.run("account", "list", "--key-file", file, key="").status == 0, "from a file")
    hold(t.run("account", "list", "--key-file", "-", key="", stdin=t.daemon.key).status == 0, "from standard input")
    hold(t.run("account", "list", "--key-file", "/nonexistent", key="").status == 2, "from nowhere")


@row
def no_daemon(t):
    with contextlib.closing(peers.closed_port(t.here)) as s:
        said = t.run("account", "list", "--url", "http://127.0.0.1:%d" % s.getsockname()[1])
    hold(said.status == 2 and "no daemon answers" in said.flat and "--url" in said.flat, "nobody there: %s" % said)
    said = t.run("account", "list", "--url", "http://10.1.2.3:8325")
    hold(said.status == 2 and "plain http" in said.flat, "plain http to another machine: %s" % said)
    hold("no address of a daemon" in t.run("account", "list", "--url", "localhost:1").flat, "no URL")
    hold(t.run("account", "list", "--url", "http://localhost:%d/" % t.daemon.port).status == (0 if t.daemon.address == "127.0.0.1" else 2), "localhost")
    web = t.stack.add(peers.Web(t.address(), {"/v1/accounts": b"<html>hello</html>"}))
    said = t.run("account", "list", "--url", "http://%s:%d" % (web.address, web.port))
    hold(said.status == 2 and "not as Mailmoor does" in said.flat, "a web server: %s" % said)


@row
def a_key_is_sent_nowhere_else(t):
    heard = []

    def elsewhere(s):
        heard.append(s.recv(4096))

    def leads_away(s):
        s.recv(4096)
        s.sendall(b"HTTP/1.1 307 Go\r\nLocation: http://%s:%d/v1/accounts\r\nContent-Length: 0\r\n\r\n" % (other.address.encode(), other.port))
    other = t.stack.add(peers.Listener(t.address(), elsewhere))
    first = t.stack.add(peers.Listener(t.address(), leads_away))
    said = t.run("account", "list", "--url", "http://%s:%d" % (first.address, first.port))
    hold(said.status == 2 and "leads elsewhere" in said.flat and not heard, "a redirect: %s %s" % (said, heard))


@row
def https_is_verified(t):
    """TLS in front of the daemon, as a proxy does it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*t.ca.issue("good", WEB))

    def relay(s):
        with context.wrap_socket(s, server_side=True) as inner, peers.socket.create_connection((t.daemon.address, t.daemon.port)) as to:
            def back():
                with contextlib.suppress(OSError, ValueError):
                    while data := to.recv(65536):
                        inner.sendall(data)
            threading.Thread(target=back, daemon=True).start()
            while data := inner.recv(65536):
                to.sendall(data)
    front = t.stack.add(peers.Listener(t.address(), relay))
    t.names.records[WEB, "A"] = [front.address]
    url = "https://%s:%d" % (WEB, front.port)
    there = {"MAILMOOR_NET_RESOLVER": "%s:%d" % (t.names.address, t.names.port)}
    hold(t.run("account", "list", "--url", url, MAILMOOR_NET_CA_FILE=t.ca.root, **there).status == 0, "over TLS")
    hold(t.run("account", "list", MAILMOOR_NET_CA_FILE=t.ca.root, MAILMOOR_WEB_BASE_URL=url, **there).status == 0, "by [web] base_url")
    said = t.run("account", "list", "--url", url, **there)
    hold(said.status == 2 and "certificate" in said.flat, "an authority that nobody knows: %s" % said)
    said = t.run("account", "list", "--url", "https://nowhere.%s" % DOMAIN, **there)
    hold(said.status == 2 and "not found" in said.flat, "no such name: %s" % said)


# -- accounts ---------------------------------------------------------------------------------------------------------------------

@row
def an_empty_list(t):
    said = t.run("account", "list")
    hold(said.status == 0 and said.out == "There are no accounts yet.\n" and t.run("account", "list", "--json").json == {"items": []}, "none: %s" % said)


@row
def add_shows_the_checklist_and_connects(t):
    user = t.user()
    said = t.add(user, PASSWORD, "--external-id", "user-17", "--lang", "en")
    hold(said.out.startswith(user + "\n\n"), "its head: %s" % said)
    hold(re.search(r"^  passed +IMAP sign-in", said.out, re.M), "the checklist: %s" % said)
    account = t.run("account", "show", user, "--json").json
    hold(account["external_id"] == "user-17" and account["lang"] == "en" and account["address"] == user, "what was said: %s" % account)
    if peers.ROOT:
        hold(said.status == 0 and said.out.rstrip().split("\n")[-1].startswith("Connected") and not said.err, "the end: %s" % said)
    steps = [line.split()[0] for line in said.out.split("\n") if line.startswith("  ") and line.split()[0] in ("passed", "failed", "skipped", "warned")]
    hold(len(steps) >= 6, "steps: %s" % said)
    said = t.add(user)
    hold(said.status == 2 and "already" in said.flat, "twice: %s" % said)


@row
def add_ends_with_the_cause(t):
    user = t.user()
    said = t.add(user, WRONG)
    hold(said.status == 1 and "likely, for you" in said.out and "The server said" in said.out and "What to do" in said.out and len(re.findall(r"^  failed +IMAP sign-in", said.out, re.M)) == 1, "in English: %s" % said)
    user = t.user()
    said = t.add(user, WRONG, "--lang", "de")
    hold(said.status == 1 and "Was zu tun ist" in said.out, "in German: %s" % said)
    said = t.run("account", "show", user, "--lang", "de")
    hold(said.status == 0 and "needs_user" in said.out and "Was zu tun ist" in said.out, "show: %s" % said)
    said = t.add(t.user(), WRONG, "--json")
    hold(said.status == 1 and said.json["cause"]["id"] == "auth.password_rejected", "as JSON: %s" % said)


@row
def add_what_is_no_address(t):
    said = t.add("ann at home")
    hold(said.status == 1 and "/address" in said.flat, "malformed: %s" % said)
    hold(t.add(t.user(), "").status == 2, "an empty password")
    said = t.run("account", "add", t.user(), "--password-file", "/nonexistent")
    hold(said.status == 2 and "/nonexistent" in said.flat, "no file: %s" % said)


@row
def servers_by_name(t):
    said = t.add(t.user(), PASSWORD, "--imap", "nowhere.%s:143" % DOMAIN, "--username", "somebody")
    hold(said.status == 1, "a server that is not there: %s" % said)
    user = "ann%d@%s" % (t.number, DOMAIN)
    account = t.run("account", "show", user, "--json").json
    hold(account["imap"] == {"host": "nowhere." + DOMAIN, "port": 143} and account["username"] == "somebody", "what was said: %s" % account)
    shown = t.run("account", "show", user)
    hold("nowhere.%s:143" % DOMAIN in shown.out and "somebody" in shown.out, "show: %s" % shown)


@row
def the_list_is_calm(t):
    items = t.run("account", "list", "--json").json["items"]
    said = t.run("account", "list")
    lines = said.out.rstrip().split("\n")
    hold(lines[0].split() == ["ADDRESS", "STATE", "SINCE"] and lines[-1].startswith("%d accounts: " % len(items)), "head and sum: %s" % said)
    for a in items:
        hold(re.search(r"^%s +%s +\d{4}-\d\d-\d\d \d\d:\d\d$" % (re.escape(a["address"]), a["state"]), said.out, re.M), "%s: %s" % (a["address"], said))
        hold(not a["cause"] or a["cause"]["title"][:20] in said.out, "%s: %s" % (a["cause"], said))
    long = "x" * 60 + "@" + "y" * 50 + "." + DOMAIN
    t.add(long, WRONG)
    said = t.run("account", "list")      # its width is looked at by run()
    hold("x" * 40 in said.out and "…" in said.out, "a long address: %s" % said)
    hold(t.run("account", "remove", long).status == 0, "remove it")


@row
def its_whole_life(t):
    user = t.user()
    t.add(user)
    id = t.run("account", "show", user, "--json").json["id"]
    connected = t.daemon.account(id)["state"]
    hold(t.run("account", "show", id, "--json").json["address"] == user, "by its id")
    said = t.run("account", "pause", user)
    hold(said.status == 0 and t.daemon.account(id)["state"] == "paused", "pause: %s" % said)
    said = t.run("account", "verify", user)
    hold(said.status == 2 and "paused" in said.err, "verify what is paused: %s" % said)
    said = t.run("account", "resume", id)
    hold(t.daemon.account(id)["state"] == connected and "IMAP sign-in" in said.out, "resume: %s" % said)
    said = t.run("account", "resume", id)
    hold(said.status == 2 and "not paused" in said.flat, "resume what is not paused: %s" % said)
    said = t.run("account", "verify", user.upper())
    hold(t.daemon.account(id)["state"] == connected and "IMAP sign-in" in said.out, "verify: %s" % said)
    said = t.run("account", "reconnect", id, "--password-file", "-", stdin=WRONG)
    hold(said.status == 1 and t.daemon.account(id)["cause"]["id"] == "auth.password_rejected", "reconnect with a wrong one: %s" % said)
    said = t.run("account", "reconnect", id, "--password-file", "-", stdin=PASSWORD)
    hold(t.daemon.account(id)["state"] == connected and t.daemon.account(id)["id"] == id, "reconnect: %s" % said)
    said = t.run("account", "remove", user)
    hold(said.status == 0 and t.daemon.request("GET", "/v1/accounts/" + id).status == 404, "remove: %s" % said)
    for words in (["show", id], ["show", user], ["pause", "nobody@x.example"], ["remove", "acc_/../keys"], ["show", "acc_%00\x1b[2J"]):
        said = t.run("account", *words)
        hold(said.status == 2 and said.err and "\x1b" not in said.all, "%s: %s" % (words, said))


@row
def called_off_while_it_is_verified(t):
    user = t.user()
    p = t.start_command("account", "add", user, "--password-file", "-", "--imap", SILENT, stdin=PASSWORD)
    until(lambda: any(a["address"] == user for a in t.daemon.api("GET", "/v1/accounts?limit=200")["items"]), 10, "the account")
    until(lambda: t.silence.held, 10, "the daemon connects")
    p.send_signal(signal.SIGINT)
    begin = time.monotonic()
    said = t.end_command(p)
    hold(time.monotonic() - begin < 3, "it took %.1f s" % (time.monotonic() - begin))
    id = re.search(r"account show (acc_\w+)", said.flat)
    hold(said.status == 3 and "goes on" in said.flat and id, "called off: %s" % said)
    hold(t.daemon.account(id[1])["address"] == user, "it is still there")
    t.run("account", "remove", id[1])


def screen(text):
    """What is left of it on a terminal: lines that were written over are gone."""
    lines = [re.split(r"\r\x1b\[K", line)[-1] for line in text.replace("\r\n", "\n").split("\n")]
    return [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in lines]


@row
def on_a_terminal(t):
    ours, theirs = pty.openpty()
    p = subprocess.Popen([t.binary, "account", "add", t.user(), "--password-file", "-"], stdin=subprocess.PIPE, stdout=theirs, stderr=theirs,
                         env=t.environment(TERM="xterm"))
    os.close(theirs)
    p.stdin.write(PASSWORD.encode())
    p.stdin.close()
    text = b""
    with contextlib.suppress(OSError):      # the end of a terminal is an error
        while data := os.read(ours, 4096):
            text += data
    os.close(ours)
    p.wait(30)
    text = text.decode()
    t.seen.append(text)
    shown = screen(text)
    hold("\x1b[32m" in text, "no colour: %r" % text)
    hold("…" in text and not any(line.startswith("  …") for line in shown), "a step under way is written over: %s" % shown)
    hold(any(re.match(r"  passed +IMAP sign-in", line) for line in shown) and all(width(line) <= COLUMNS for line in shown), "the screen: %s" % shown)


# -- keys and workspaces ----------------------------------------------------------------------------------------------------------

# -- what the API says like a command ---------------------------------------------------------------------------------------------

@row
def detection_is_what_diagnose_begins_with(t):
    user = t.user()
    found = t.daemon.api("POST", "/v1/detect", {"address": user}, expect=(200,))
    said = t.run("diagnose", user, "--json", "--timeout", "20", "--resolver", "%s:%d" % (t.names.address, t.names.port)).json
    facts = [{s["id"]: [f for f in s["facts"] if f["fact"] != "auth.sent"] for s in r["steps"] if s["id"] in ("address", "dns.mx", "detect")} for r in (found, said)]
    hold(facts[0] == facts[1] and len(facts[0]) == 3, "not the same: %s, %s" % tuple(facts))
    places = ["%s %s:%d %s %s" % (which, p["host"], p["port"], p["security"], p["source"]) for which in ("imap", "smtp") for p in found[which]]
    told = [f["value"] for f in facts[1]["detect"] if f["fact"] == "detect.candidate"]
    hold(places == told and "imap imap.%s:993 tls srv" % DOMAIN in places, "%s, told: %s" % (places, told))
    hold(all(p["trusted"] for p in found["imap"][:1]) and found["provider"] == "imap" and not found["causes"], "%s" % found)


@row
def detection_says_why_there_is_nothing(t):
    nothing = t.daemon.api("POST", "/v1/detect", {"address": "ann@nowhere.example", "lang": "de"}, expect=(200,))
    said = t.run("diagnose", "ann@nowhere.example", "--json", "--lang", "de", "--resolver", "%s:%d" % (t.names.address, t.names.port)).json
    hold(not nothing["imap"] and not nothing["smtp"] and nothing["causes"] == said["causes"] and said["causes"], "%s, not %s" % (nothing["causes"], said["causes"]))


@row
def an_explanation_is_that_of_the_command(t):
    for text in ("535 5.7.139 Authentication unsuccessful, basic authentication is disabled.", "nobody has ever said this", "one\r\ntwo: a NO [ALERT] \u2026\n"):
        said = t.run("explain", "--json", "--lang", "nl", text).json
        told = t.daemon.api("POST", "/v1/explain", {"text": text, "lang": "nl"}, expect=(200,))
        hold(said == told, "%r: %s, not %s" % (text, told, said))


@row
def keys(t):
    said = t.run("key", "add", "CRM", "--scope", "accounts:read")
    key = said.out.strip()
    hold(said.status == 0 and re.fullmatch(r"mm_[a-z0-9]{40}", key) and "once" in said.err, "add: %s" % said)
    hold(t.run("account", "list", key=key).status == 0, "the new key reads")
    said = t.run("account", "pause", "acc_" + "x" * 22, key=key)
    hold(said.status == 2 and "may not" in said.flat, "the new key does not write: %s" % said)
    said = t.run("key", "add", "more", key=key)
    hold(said.status == 2, "a key gives what it has not: %s" % said)
    listed = t.run("key", "list")
    id = re.search(r"^CRM +(key_\w+)", listed.out, re.M)
    hold(id and "accounts:read" in listed.out and key not in listed.all, "list: %s" % listed)
    hold({k["name"] for k in t.run("key", "list", "--json").json["items"]} >= {"CRM", "first key"}, "as JSON")
    hold(t.run("key", "revoke", id[1]).status == 0, "revoke")
    hold(t.run("account", "list", key=key).status == 2, "a revoked key")
    hold(re.search(r"^CRM .* revoked$", t.run("key", "list").out, re.M), "list after that")
    hold(t.run("key", "revoke", "key_" + "x" * 22).status == 2, "revoke what is not there")
    hold(t.run("key", "add", "J", "--json", "--scope", "admin").json["scopes"] == ["admin"], "add as JSON")


@row
def workspaces(t):
    said = t.run("workspace", "add", "Birch Ltd")
    key = re.search(r"mm_[a-z0-9]{40}", said.out)
    hold(said.status == 0 and key and "@" + service.BCC_DOMAIN in said.out, "add: %s" % said)
    hold(t.run("account", "list", key=key[0]).out.startswith("There are no accounts"), "it is empty")
    said = t.run("workspace", "list")
    hold(said.status == 0 and re.search(r"^Birch Ltd +wsp_", said.out, re.M) and re.search(r"^Mailmoor +wsp_", said.out, re.M), "list: %s" % said)
    hold(len(t.run("workspace", "list", "--json").json["items"]) == 2, "as JSON")
    hold(t.run("workspace", "list", key=key[0]).status == 2, "without the scope")


@row
def a_lost_key(t):
    said = t.run("key", "add", "again", "--local", key="")
    hold(said.status == 2 and "daemon runs" in said.flat and "without --local" in said.flat, "while it runs: %s" % said)
    t.daemon.stop()
    try:
        hold(t.run("account", "list").status == 2, "the daemon is down")
        said = t.run("key", "add", "again", "--local", key="")
        hold(said.status == 2 and "which one" in said.flat, "of which workspace: %s" % said)
        said = t.run("key", "add", "again", "--local", "--workspace", "Mailmoor", key="")
        key = said.out.strip()
        hold(said.status == 0 and re.fullmatch(r"mm_[a-z0-9]{40}", key), "add: %s" % said)
    finally:
        t.daemon.start()
    hold(t.run("workspace", "list", key=key).status == 0, "it may do everything")


# -- the store --------------------------------------------------------------------------------------------------------------------

@row
def backup_and_restore(t):
    file = os.path.join(t.folder, "backup.db")
    user = t.user()
    t.add(user)
    said = t.run("backup", file, key="")
    hold(said.status == 0 and "mailmoor.key" in said.flat and os.stat(file).st_mode & 0o777 == 0o600, "while it runs: %s" % said)
    hold(t.run("backup", file, key="").status == 2, "over one that is there")
    hold(t.run("backup", "/nonexistent/x", key="").status == 2, "nowhere")
    said = t.run("restore", file, key="")
    hold(said.status == 2 and "daemon runs" in said.flat, "restore while it runs: %s" % said)
    t.run("account", "remove", user)
    t.daemon.stop()
    try:
        with open(file, "rb") as f:
            whole = f.read()
        cut = file + ".cut"
        with open(cut, "wb") as f:
            f.write(whole[:len(whole) // 2])
        hold(t.run("restore", cut, key="").status == 2, "half a back-up")
        said = t.run("restore", file, key="")
        hold(said.status == 0 and "before-restore" in said.out, "restore: %s" % said)
        at = os.path.join(t.daemon.folder, "state", "mailmoor.db")
        for f in (at, at + ".before-restore"):
            hold(os.stat(f).st_mode & 0o777 == 0o600, "the mode of " + f)
        said = t.run("restore", file, key="")
        hold(said.status == 2 and "before-restore" in said.flat, "what was kept aside is not overwritten: %s" % said)
    finally:
        t.daemon.start()
    hold(t.run("account", "show", user).status == 0, "the removed account is back")
    t.run("account", "verify", user)
    hold(t.daemon.account(t.run("account", "show", user, "--json").json["id"])["state"] in ("connected", "degraded"), "and its password opens")


@row
def secrets_rotate(t):
    user = t.user()
    t.add(user)
    at = os.path.join(t.daemon.folder, "state", "mailmoor.key")
    with open(at) as f:
        before = f.read()
    said = t.run("secrets", "rotate", key="")
    hold(said.status == 2 and "daemon runs" in said.flat, "while it runs: %s" % said)
    t.daemon.stop()
    try:
        said = t.run("secrets", "rotate", key="")
        with open(at) as f:
            after = f.read()
        hold(said.status == 0 and re.match(r"\d+ secrets? (is|are) sealed", said.out), "rotate: %s" % said)
        hold(len(after.split("\n")) == 2 and after != before and os.stat(at).st_mode & 0o777 == 0o600, "the key file")
        for text in (before, after):
            hold(text.split()[1] not in said.all, "a key is shown")
    finally:
        t.daemon.start()
    t.run("account", "verify", user)
    hold(t.daemon.account(t.run("account", "show", user, "--json").json["id"])["state"] in ("connected", "degraded"), "its password opens")


@row
def config(t):
    file = os.path.join(t.folder, "mailmoor.conf")
    with open(file, "w") as f:
        f.write("[inbound]\ndomain = bcc.example\n[net]\nresolver = 192.0.2.53\n")
    said = t.run("config", "--config", file, MAILMOOR_NET_RESOLVER="192.0.2.54")
    for line in (r"resolver = 192\.0\.2\.54 +; environment", r"domain = bcc\.example +; file", r"size_limit = 26214400 +; default", "; base_url is not set"):
        hold(re.search("^%s$" % line, said.out, re.M), "%s: %s" % (line, said))
    hold(said.status == 0, "it is fine: %s" % said)
    copy = os.path.join(t.folder, "again.conf")
    with open(copy, "w") as f:
        f.write(said.out)
    hold(t.run("config", "--config", copy, "--check").status == 0, "what it prints is a settings file")
    said = t.run("config", "--check", "--config", file)
    hold(said.status == 0 and not said.all, "--check: %s" % said)
    said = t.run("config", "--check", MAILMOOR_WEB_LISTEN="everywhere")
    hold(said.status == 2 and "[web] listen" in said.err and not said.out, "--check of what is wrong: %s" % said)
    said = t.run("config", MAILMOOR_STORE_URL="postgresql://moor:%s@db.example/moor" % WRONG)
    hold(said.status == 2 and WRONG not in said.all and "postgresql://moor:…@db.example/moor" in said.out, "a password in a URL: %s" % said)
    with open(file, "a") as f:
        f.write("colour = blue\n")
    said = t.run("config", "--config", file)
    hold(said.status == 2 and "line 5" in said.err, "a setting that there is not: %s" % said)


@row
def no_secret_was_ever_shown(t):
    for text in t.seen:
        for secret in (PASSWORD, WRONG):
            for shape in peers.renderings(secret, "ann1@" + DOMAIN):
                hold(shape not in text, "a password is in: %s" % text)
        hold(t.daemon.key not in text, "the key is in: %s" % text)
        hold("FAILURE" not in text and "ERROR: " not in text, "a sanitizer speaks: %s" % text)
    hold(len(t.seen) > 60, "only %d were looked at" % len(t.seen))


def main():
    o = arguments()
    with Town(os.path.join(os.path.abspath(o.build), "mailmoor")) as town:
        town.build()
        return row.run(town, o.only)


if __name__ == "__main__":
    sys.exit(main())
