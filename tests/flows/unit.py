#!/usr/bin/env python3
"""The daemon as its units run it, behind a real nginx by the configuration that we hand out, and as `mailmoor doctor` sees it.

    unit.py BUILD [--only REGEX]
"""
import argparse
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import time

sys.dont_write_bytecode = True

import daemon
import peers
from peers import DOMAIN, Skip, hold, until

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
DIST = os.path.join(ROOT, "dist")
CONFINE = os.path.join(HERE, "confine.py")
UNIT = os.path.join(DIST, "mailmoor.service")
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
CLIENT = "6b1f5c52-10ad-4b8e-9f2e-c0ffee000001"      # an id of a registration at Microsoft
GOOGLE_CLIENT = "481516234200-mailmoor.apps.googleusercontent.com"
WEB_HOST, MX_HOST, BCC_DOMAIN = "mail." + DOMAIN, "mx." + DOMAIN, "bcc." + DOMAIN
rows = []


def row(f):
    f.name = f.__name__.replace("_", " ")
    rows.append(f)
    return f


def need(*programs):
    for p in programs:
        if not shutil.which(p) and not os.path.exists(p):
            raise Skip("%s is not installed" % p)


class Notes:
    """What the daemon tells systemd."""

    def __init__(self, path):
        self.path, self.said = path, []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.socket.setblocking(False)

    def heard(self, word):
        with contextlib.suppress(BlockingIOError):
            while True:
                self.said.append(self.socket.recv(4096).decode())
        return self.said.count(word)

    def close(self):
        self.socket.close()


class Nginx:
    """By dist/nginx.conf, with only addresses, names and files replaced; each of them has to be there."""

    def __init__(self, folder, address, cert, behind):
        self.address = address
        self.ports = {"http": free_port(address), "https": free_port(address)}
        os.makedirs(os.path.join(folder, "logs"), exist_ok=True)
        with open(os.path.join(DIST, "nginx.conf"), encoding="utf-8") as f:
            text = f.read()
        for was, now, count in (("listen 80;", "listen %s:%d;" % (address, self.ports["http"]), 1), ("listen [::]:80;", "", 1),
                                ("listen 443 ssl http2;", "listen %s:%d ssl http2;" % (address, self.ports["https"]), 1),
                                ("listen [::]:443 ssl http2;", "", 1), ("mail.example.org;", WEB_HOST + ";", 2),
                                ("/etc/letsencrypt/live/mail.example.org/fullchain.pem", cert[0], 1),
                                ("/etc/letsencrypt/live/mail.example.org/privkey.pem", cert[1], 1), ("server 127.0.0.1:8325;", "server %s;" % behind, 1)):
            hold(text.count(was) == count, "dist/nginx.conf has \"%s\" %d times" % (was, text.count(was)))
            text = text.replace(was, now)
        self.folder, self.config = folder, os.path.join(folder, "nginx.conf")
        with open(self.config, "w", encoding="utf-8") as f:
            f.write("%sdaemon off;\nworker_processes 1;\npid %s/pid;\nevents {}\nhttp {\n\taccess_log %s/access;\n%s\n%s}\n" % (
                "user root;\n" if peers.ROOT else "", folder, folder, "".join("\t%s_temp_path %s/%s;\n" % (n, folder, n) for n in (
                    "client_body", "proxy", "fastcgi", "uwsgi", "scgi")), text))
        self.process = None

    def command(self, *more):
        return [NGINX, "-p", self.folder, "-c", self.config, "-e", os.path.join(self.folder, "error"), *more]

    def start(self):
        self.process = peers.Process(self.command(), os.path.join(self.folder, "out"))
        self.process.wait_for(self.address, *self.ports.values())
        return self

    def close(self):
        if self.process:
            self.process.close()


def free_port(address):
    with socket.socket() as s:
        s.bind((address, 0))
        return s.getsockname()[1]


class Town(peers.Peers):
    def __init__(self, binary):
        super().__init__()
        self.binary, self.number = binary, 0

    def build(self):
        self.here = self.address()
        self.names = self.stack.add(peers.Names(self.here))
        self.names.records |= {(WEB_HOST, "A"): [self.here], (MX_HOST, "A"): [self.here], (BCC_DOMAIN, "MX"): ["10 " + MX_HOST]}
        self.cert = self.ca.issue("good", WEB_HOST, MX_HOST)

    def daemon(self, settings=None, wrapper=(), descriptors=()):
        self.number += 1
        d = daemon.Daemon(self.binary, os.path.join(self.folder, "daemon%d" % self.number), settings or {}, wrapper, descriptors)
        return self.stack.add(d)

    def listeners(self, *kinds):
        """Listening sockets as systemd would hand them over: [(name, socket)]."""
        return [(k, self.stack.add(socket.create_server((self.here, 0), backlog=200))) for k in kinds]

    def confined(self, sockets=(), unit=True, env=None):
        words = [sys.executable, CONFINE]
        if sockets:
            words += ["--sockets", ":".join(n for n, _ in sockets), ",".join(str(s.fileno()) for _, s in sockets)]
        for name, value in (env or {}).items():
            words += ["--env", "%s=%s" % (name, value)]
        return words + (["--unit", UNIT] if unit else [])


def place(sock):
    return "%s:%d" % sock.getsockname()[:2]


def get(sock, path, seconds=20):
    c = http.client.HTTPConnection(*sock.getsockname()[:2], timeout=seconds)
    with contextlib.closing(c):
        c.request("GET", path)
        a = c.getresponse()
        return a.status, a.read()


# -- units ------------------------------------------------------------------------------------------------------------------------

@row
def units_are_as_systemd_wants_them(t):
    need("systemd-analyze")
    folder = os.path.join(t.folder, "units")
    shutil.copytree(DIST, folder)
    service = os.path.join(folder, "mailmoor.service")
    with open(service, encoding="utf-8") as f:
        text = f.read()
    hold(text.count("ExecStart=/usr/bin/mailmoor serve") == 1, "ExecStart")
    with open(service, "w", encoding="utf-8") as f:
        f.write(text.replace("/usr/bin/mailmoor", t.binary))
    units = sorted(os.path.join(folder, n) for n in os.listdir(folder) if n.endswith((".service", ".socket")))
    said = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True)
    hold(said.returncode == 0 and not said.stderr.strip(), "systemd-analyze verify: " + said.stderr)
    judged = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--threshold=15", service], capture_output=True, text=True)
    hold(judged.returncode == 0, "exposed: " + judged.stdout[-200:] + judged.stderr)
    with open(os.path.join(folder, "mailmoor.service"), "a", encoding="utf-8") as f:
        f.write("[Service]\nProtectSystem=no\nNoNewPrivileges=no\nCapabilityBoundingSet=~\nSystemCallFilter=\nPrivateDevices=no\n")
    loose = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--threshold=15", service], capture_output=True)
    hold(loose.returncode != 0, "it would pass without its restrictions too")


@row
def mailmoor_conf_has_every_setting_and_changes_nothing(t):
    conf = os.path.join(t.folder, "mailmoor.conf")
    subprocess.run([sys.executable, os.path.join(ROOT, "tools", "conf.py"), os.path.join(ROOT, "src/base/settings.def"), conf], check=True)
    with open(conf, encoding="utf-8") as f:
        text = f.read()
    with open(os.path.join(ROOT, "src/base/settings.def"), encoding="utf-8") as f:
        keys = re.findall(r'^SETTING\(\w+,\s*"(\w+)",\s*"(\w+)"', f.read(), re.M)
    hold(re.findall(r"^#(\w+) =", text, re.M) == [k for _, k in keys], "its keys")
    hold(all(line.startswith(("#", "[")) for line in text.splitlines() if line), "a line that does something")
    hold(doctor(t, None, "--config", conf, "--here").remark("settings")["state"] == "passed", "the file as it is")
    defaults = re.sub(r"^#(\w+ = \S.*)$", r"\1", text, flags=re.M)
    hold(defaults != text, "no default")
    with open(conf, "w", encoding="utf-8") as f:
        f.write(defaults)
    hold(doctor(t, None, "--config", conf, "--here").remark("settings")["state"] == "passed", "the file with its defaults")


# -- started by systemd -----------------------------------------------------------------------------------------------------------

@row
def it_runs_with_the_system_calls_of_its_unit(t):
    need("systemd-analyze")
    if peers.has_sanitizer(t.binary):
        raise Skip("a sanitizer needs more system calls than the unit allows")
    sockets = t.listeners("web", "inbound", "lmtp")
    d = t.daemon({"inbound.domain": BCC_DOMAIN, "inbound.certificate_file": t.cert[0], "inbound.key_file": t.cert[1],
                  "net.resolver": "%s:%d" % (t.here, t.names.port)}, t.confined(sockets), [s.fileno() for _, s in sockets])
    d.start()
    hold("%s:%d" % (d.address, d.port) == place(sockets[0][1]), "it listens at %s:%d" % (d.address, d.port))
    with open("/proc/%d/status" % d.popen.pid) as f:
        hold("Seccomp:\t2" in f.read(), "no filter is in force")
    token = bcc_of(d)
    with smtplib.SMTP(*sockets[1][1].getsockname(), timeout=20) as s:
        context = ssl.create_default_context(cafile=t.ca.root)
        s._host = MX_HOST
        s.starttls(context=context)
        hold(s.sendmail("ann@oak.example", [token], "From: a\r\nSubject: by smtp\r\n\r\nhi\r\n") == {}, "refused")
    with smtplib.LMTP(*sockets[2][1].getsockname()) as s:
        hold(s.sendmail("ann@oak.example", [token], "From: a\r\nSubject: by lmtp\r\n\r\nhi\r\n") == {}, "refused")
    hold({m["subject"] for m in d.api("GET", "/v1/mail")["items"]} == {"by smtp", "by lmtp"}, "what came: %s" % d.api("GET", "/v1/mail"))
    # a verification needs names, TLS, threads
    id = d.api("POST", "/v1/accounts", {"address": "ann@nowhere.example", "password": peers.PASSWORD})["id"]
    a = d.wait_state(id, ("needs_user", "needs_admin", "waiting"))
    hold(a["cause"] is not None, "no verdict: %s" % a)
    d.stop()


def bcc_of(d):
    return d.api("GET", "/v1/workspace")["bcc_address"]


@row
def it_tells_systemd_how_it_is(t):
    notes = t.stack.add(Notes(os.path.join(t.folder, "notify")))
    env = {"NOTIFY_SOCKET": notes.path, "WATCHDOG_USEC": "300000"}
    d = t.daemon({}, t.confined(unit=False, env=env)).start()
    until(lambda: notes.heard("WATCHDOG=1") >= 3, 10, "the watchdog's third word")
    hold(notes.said[0] == "READY=1", "the first word is %s" % notes.said)
    os.kill(d.popen.pid, signal.SIGSTOP)
    before = notes.heard("WATCHDOG=1")
    time.sleep(0.5)
    hold(notes.heard("WATCHDOG=1") == before, "a stopped process cannot be well")
    os.kill(d.popen.pid, signal.SIGCONT)
    until(lambda: notes.heard("WATCHDOG=1") > before, 10, "well again")
    d.stop()
    hold(notes.heard("STOPPING=1") == 1 and notes.said[-1] == "STOPPING=1", "the last words: %s" % notes.said[-3:])


@row
def nobody_is_refused_while_it_restarts(t):
    sockets = t.listeners("web", "inbound")
    d = t.daemon({"inbound.domain": BCC_DOMAIN}, t.confined(sockets, unit=False), [s.fileno() for _, s in sockets]).start()
    to = bcc_of(d)
    d.stop()
    web = [socket.create_connection(sockets[0][1].getsockname(), timeout=30) for _ in range(20)]
    for s in web:
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    mail = socket.create_connection(sockets[1][1].getsockname(), timeout=30)
    d.start()
    for s in web:
        with s:
            hold(s.recv(12) == b"HTTP/1.1 200", "a request that waited has no answer")
    with smtplib.SMTP() as s:
        s.sock, s._host = mail, "a"
        hold(s.getreply()[0] == 220, "no greeting for who waited")
        hold(s.sendmail("ann@oak.example", [to], "From: a\r\nSubject: waited\r\n\r\nhi\r\n") == {}, "refused")
    hold([m["subject"] for m in d.api("GET", "/v1/mail")["items"]] == ["waited"], "what came")
    d.stop()


@row
def it_stops_within_ten_seconds_whoever_hangs_on(t):
    port = free_port(t.here)
    d = t.daemon({"inbound.listen": "%s:%d" % (t.here, port), "inbound.domain": BCC_DOMAIN}).start()
    held = [socket.create_connection((d.address, d.port)) for _ in range(3)]
    held[0].sendall(b"POST /v1/accounts HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n")
    held[1].sendall(b"GET /v1/events HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\nAuthorization: Bearer %s\r\n\r\n" % d.key.encode())
    hold(held[1].recv(12) == b"HTTP/1.1 200", "the stream")
    held += [socket.create_connection((t.here, port)) for _ in range(2)]
    held[4].sendall(b"EHLO a\r\nMAIL FROM:<a@b>\r\n")
    begin = time.monotonic()
    d.stop(seconds=20)
    hold(time.monotonic() - begin < 10, "it took %.1f s" % (time.monotonic() - begin))
    for s in held:
        s.close()


# -- behind nginx -----------------------------------------------------------------------------------------------------------------

class Front:
    """A daemon with everything that there is to set, and nginx in front."""

    def __init__(self, t, cert=None, **more):
        need(NGINX)
        self.t, self.mail = t, {"smtp": free_port(t.here), "lmtp": free_port(t.here)}
        self.web = "%s:%d" % (t.here, free_port(t.here))
        self.nginx = t.stack.add(Nginx(os.path.join(t.folder, "nginx%d" % t.number), t.here, cert or t.cert, self.web))
        places = {(WEB_HOST, 443): (t.here, self.nginx.ports["https"]), (MX_HOST, 25): (t.here, self.mail["smtp"])}
        self.settings = daemon.network(t.names, t.ca, places) | {
            "web.listen": self.web, "web.base_url": "https://" + WEB_HOST, "web.trusted_proxies": "127.0.0.0/8", "inbound.domain": BCC_DOMAIN,
            "inbound.listen": "%s:%d lmtp:%s:%d" % (t.here, self.mail["smtp"], t.here, self.mail["lmtp"]),
            "inbound.certificate_file": t.cert[0], "inbound.key_file": t.cert[1]} | more
        self.settings = {k: v for k, v in self.settings.items() if v}
        self.daemon = t.daemon(self.settings)
        self.nginx.start()

    def start(self):
        self.daemon.start()
        return self

    def https(self):
        context = ssl.create_default_context(cafile=self.t.ca.root)
        raw = socket.create_connection((self.t.here, self.nginx.ports["https"]), timeout=20)
        c = http.client.HTTPSConnection(WEB_HOST, timeout=20)
        c.sock = context.wrap_socket(raw, server_hostname=WEB_HOST)
        return c

    def ask(self, method, path, body=None, **headers):
        with contextlib.closing(self.https()) as c:
            c.request(method, path, body, headers)
            a = c.getresponse()
            return a.status, a.headers, a.read()


@row
def nginx_takes_the_configuration_and_passes_on(t):
    f = Front(t)
    said = subprocess.run(f.nginx.command("-t"), capture_output=True, text=True)
    hold(said.returncode == 0 and "warn" not in said.stderr, "nginx -t: " + said.stderr)
    f.start()
    with contextlib.closing(http.client.HTTPConnection(t.here, f.nginx.ports["http"], timeout=20)) as c:
        c.request("GET", "/healthz", headers={"Host": WEB_HOST})
        a = c.getresponse()
        hold(a.status == 308 and a.getheader("Location") == "https://%s/healthz" % WEB_HOST, "plain http: %d" % a.status)
    status, headers, body = f.ask("GET", "/healthz")
    hold(status == 200 and body == b"ok\n" and headers["Strict-Transport-Security"], "through nginx: %d %s %s" % (status, headers, body))
    key = {"Authorization": "Bearer " + f.daemon.key}
    hold(f.ask("GET", "/metrics", **key)[0] in (200, 403), "/metrics")
    hold(f.ask("POST", "/v1/accounts", b"x" * (300 * 1024), **key)[0] == 413, "300 KiB are taken")
    # what a client says of itself does not get through: its wrong keys count for its address, not for those that it makes up
    statuses = {f.ask("GET", "/v1/accounts", **{"Authorization": "Bearer mm_wrong%034d" % n, "X-Forwarded-For": "192.0.2.%d" % n})[0]
                for n in range(60)}
    hold(429 in statuses, "60 wrong keys under 60 invented addresses: %s" % statuses)


@row
def events_leave_nginx_at_once(t):
    f = Front(t).start()
    key = {"Authorization": "Bearer " + f.daemon.key}
    with contextlib.closing(f.https()) as c:
        c.request("GET", "/v1/events", headers={**key, "Accept": "text/event-stream"})
        a = c.getresponse()
        hold(a.status == 200, "the stream: %d" % a.status)
        made = f.ask("POST", "/v1/accounts", json.dumps({"address": "ann@nowhere.example", "password": peers.PASSWORD}),
                     **key, **{"Content-Type": "application/json"})
        hold(made[0] in (201, 202), "%d %s" % (made[0], made[2]))
        begin, heard = time.monotonic(), b""
        while b"account.created" not in heard:
            heard += a.read1(4096)
        hold(time.monotonic() - begin < 3, "the event took %.1f s" % (time.monotonic() - begin))


# -- the doctor -------------------------------------------------------------------------------------------------------------------

class Said:
    def __init__(self, status, out, err):
        self.status, self.err, self.json = status, err, json.loads(out)

    def all(self, id):
        return [r for r in self.json["remarks"] if r["id"] == id]

    def remark(self, id):
        found = self.all(id)
        hold(len(found) == 1, "%s: %d remarks in %s" % (id, len(found), self.json))
        return found[0]

    def worst(self):
        return [r for r in self.json["remarks"] if r["state"] in ("failed", "warned") and r["id"] != "clock"]


def doctor(t, front, *options, settings=None, state=None):
    env = {k: v for k, v in os.environ.items() if not k.startswith("MAILMOOR_")}
    env |= {"MAILMOOR_" + k.replace(".", "_").upper(): v for k, v in (settings or (front.settings if front else {})).items()}
    env["STATE_DIRECTORY"] = state or (os.path.join(front.daemon.folder, "state") if front else os.path.join(t.folder, "no-state"))
    done = subprocess.run([t.binary, "doctor", "--json", *options], capture_output=True, text=True, env=env, timeout=120)
    said = Said(done.returncode, done.stdout, done.stderr)
    hold(said.json["fine"] == (done.returncode == 0) == (not any(r["state"] == "failed" for r in said.json["remarks"])),
         "status %d and %s" % (done.returncode, said.json))
    return said


def expect(said, id, state, *words):
    r = said.remark(id)
    hold(r["state"] == state and all(w in r["text"] for w in words), "%s is not %s with %s: %s" % (id, state, words, r))
    hold(state in ("passed", "skipped") or r.get("advice") or id == "net.egress", "no advice: %s" % r)
    return r


@row
def the_doctor_finds_a_good_house_good(t):
    f = Front(t).start()
    d = f.daemon
    id = d.api("POST", "/v1/accounts", {"address": "ann@nowhere.example", "password": peers.PASSWORD})["id"]
    d.wait_state(id, ("needs_user", "needs_admin", "waiting"))
    del t.names.asked[:]
    said = doctor(t, f)
    tolerated = {"limit.memory"} if peers.has_sanitizer(t.binary) else set()      # it makes mlock() do nothing
    hold({r["id"] for r in said.worst()} <= tolerated, "not well: %s" % said.worst())
    for id, *words in (("settings",), ("state.directory", "0700"), ("state.disk", "iB left"), ("store", "1 account;", "in use"), ("key.file", "0600"),
                       ("key.opens", "1, and"), ("daemon", "version", str(d.popen.pid)), ("limit.files", "for the daemon"),
                       *([] if tolerated else [("limit.memory", "KiB")]),
                       ("net.dns", t.here), ("web.base_url", "leads to this daemon"), ("web.certificate", WEB_HOST, "days"), ("web.proxies",),
                       ("inbound.domain", MX_HOST, "a listener of ours"), ("inbound.starttls", MX_HOST)):
        expect(said, id, "passed", *words)
    doors = said.all("inbound.listen")
    hold([x["state"] for x in doors] == ["passed"] * 2 and "LMTP" in doors[1]["text"], "doors: %s" % doors)
    expect(said, "net.egress", "skipped")
    expect(said, "microsoft", "skipped", "client_id")
    expect(said, "microsoft.publisher", "skipped")
    hold(t.names.asked and set(t.names.asked) <= {WEB_HOST, MX_HOST, BCC_DOMAIN}, "it asks for %s" % t.names.asked)
    # and in words for people
    env = {**os.environ, "STATE_DIRECTORY": os.path.join(d.folder, "state")} | {
        "MAILMOOR_" + k.replace(".", "_").upper(): v for k, v in f.settings.items()}
    text = subprocess.run([t.binary, "doctor"], capture_output=True, text=True, env=env, timeout=120)
    hold(text.returncode == 0 and re.search(r"^  passed   base_url +https://", text.stdout, re.M), text.stdout)
    f.daemon.stop()
    f.nginx.close()


@row
def the_doctor_tells_what_is_wrong(t):
    f = Front(t).start()
    d, state = f.daemon, os.path.join(f.daemon.folder, "state")
    key = os.path.join(state, "mailmoor.key")
    d.api("POST", "/v1/accounts", {"address": "ann@nowhere.example", "password": peers.PASSWORD})

    os.chmod(key, 0o644)
    said = doctor(t, f)
    hold("chmod 600" in expect(said, "key.file", "failed", "0644")["advice"], "advice")
    expect(said, "key.opens", "skipped")
    expect(said, "web.base_url", "warned", "cannot be told")
    os.chmod(key, 0o600)

    os.chmod(state, 0o755)
    expect(doctor(t, f, "--here"), "state.directory", "failed", "0755")
    os.chmod(state, 0o700)

    os.rename(key, key + ".away")
    expect(doctor(t, f, "--here"), "key.file", "failed", "is not there")
    with open(key, "w") as k:
        os.chmod(key, 0o600)
        k.write("kother AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")
    said = doctor(t, f)
    expect(said, "key.opens", "failed", "1 of 1")
    expect(said, "daemon", "failed", "not the daemon with this key file")
    expect(said, "web.base_url", "failed", "something else answers")
    os.replace(key + ".away", key)

    for change, id, state_of, words in (
            ({"web.base_url": None}, "web.base_url", "warned", "not set"), ({"web.base_url": "mail.example"}, "web.base_url", "failed", "no URL"),
            ({"web.base_url": "https://%s/" % WEB_HOST}, "web.base_url", "failed", WEB_HOST),
            ({"web.base_url": "https://nobody." + DOMAIN}, "web.base_url", "failed", "no such name"),
            ({"web.base_url": "http://" + f.web}, "web.base_url", "passed", "leads to"),
            ({"web.trusted_proxies": None}, "web.proxies", "warned", "not set"), ({"inbound.domain": "gone." + DOMAIN}, "inbound.domain", "failed", "no such name"),
            ({"net.resolver": "%s:9" % t.here}, "net.dns", "failed", "asked for"), ({"inbound.domain": None}, "inbound.domain", "skipped", "none is set"),
            ({"web.listen": "%s:9" % t.here}, "daemon", "failed", "nobody answers at"), ({"net.resolver": "x"}, "settings", "failed", "resolver"),
            ({"microsoft.client_id": "Mailmoor"}, "microsoft", "failed", "no id"), ({"microsoft.client_id": CLIENT}, "microsoft", "warned", "no client_secret"),
            ({"microsoft.client_id": CLIENT, "web.base_url": "http://" + WEB_HOST}, "microsoft", "failed", "https only"),
            ({"microsoft.client_id": CLIENT, "microsoft.client_secret": "x"}, "microsoft", "passed", WEB_HOST + "/oauth/microsoft/callback"),
            ({"google.client_id": CLIENT}, "google", "failed", "none of Google's"), ({"google.client_id": GOOGLE_CLIENT}, "google", "warned", "no client_secret"),
            ({"google.client_id": GOOGLE_CLIENT, "google.client_secret": "x", "web.base_url": "http://" + WEB_HOST}, "google", "failed", "https only"),
            ({"google.client_id": GOOGLE_CLIENT, "google.client_secret": "x"}, "google", "passed", WEB_HOST + "/connect/google/callback"),
            ({"inbound.listen": None}, "inbound.listen", "passed", "from systemd")):
        said = doctor(t, f, settings={k: v for k, v in {**f.settings, **change}.items() if v})
        expect(said, id, state_of, words)

    pages = t.stack.add(peers.Web(t.here, {"/healthz": b"ok\n"}, t.cert, clock_s=-120))
    elsewhere = {**f.settings, "net.connect_to": "%s:443=%s:%d" % (WEB_HOST, t.here, pages.port)}
    said = doctor(t, f, settings=elsewhere)
    expect(said, "web.base_url", "failed", "something else")
    late = [r for r in said.all("clock") if r["state"] == "failed"]
    hold(late and "earlier" in late[0]["text"], "a clock that is two minutes late: %s" % said.all("clock"))
    expired = t.stack.add(peers.Web(t.here, {}, t.ca.issue("expired", WEB_HOST)))
    said = doctor(t, f, settings={**f.settings, "net.connect_to": "%s:443=%s:%d" % (WEB_HOST, t.here, expired.port)})
    expect(said, "web.base_url", "failed", "has ended")
    expect(said, "web.certificate", "failed", "has ended")

    postfix = peers.Listener(t.here, lambda s: (s.sendall(b"220 mx.oak.example ESMTP Postfix\r\n"), s.recv(99), s.sendall(b"250 mx.oak.example\r\n"), s.recv(99)))
    t.stack.add(postfix)
    said = doctor(t, f, settings={**f.settings, "net.connect_to": "%s:25=%s:%d" % (MX_HOST, t.here, postfix.port)})
    expect(said, "inbound.domain", "passed", "a mail server", "Postfix")
    expect(said, "inbound.starttls", "warned", "offers none")

    said = doctor(t, f, "--egress", MX_HOST)
    hold(len(said.all("net.egress")) == 5 and all(r["state"] == "warned" for r in said.all("net.egress") if "port 25" not in r["text"]),
         "egress: %s" % said.all("net.egress"))

    d.stop()
    said = doctor(t, f)
    hold("systemctl start" in expect(said, "daemon", "failed", "does not run")["advice"], "advice")
    expect(said, "store", "passed", "read through, and whole")
    hold(expect(said, "web.base_url", "failed", "proxy")["advice"] == "Start the daemon.", "advice")
    with open(os.path.join(state, "mailmoor.db"), "r+b") as b:
        b.seek(4096)
        b.write(os.urandom(8192))
    expect(doctor(t, f, "--here"), "store", "failed")


@row
def before_the_first_start_nothing_is_wrong(t):
    said = doctor(t, None, "--here")
    hold(not said.worst() and said.status == 0, "%s" % said.worst())
    for id in ("state.directory", "store", "key.file", "daemon"):
        expect(said, id, "skipped")
    hold(not os.path.exists(os.path.join(t.folder, "no-state")), "looking has made something")


@row
def who_has_no_key_learns_nothing_from_healthz(t):
    d = t.daemon().start()
    for ask in ("", "?ask=", "?ask=" + "a" * 24, "?ask=" + "a" * 24 + "0" * 64, "?ask=" + "%00" * 90, "?ask=" + "a" * 300):
        a = d.request("GET", "/healthz" + ask, key="")
        hold((a.status, a.text) in ((200, "ok\n"), (400, a.text)) and "0.1" not in a.text, "%s: %d %s" % (ask, a.status, a.text))
    d.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--only", default="")
    o = parser.parse_args()
    count = {"passed": 0, "failed": 0, "skipped": 0}
    with Town(os.path.join(os.path.abspath(o.build), "mailmoor")) as town:
        town.build()
        for r in (r for r in rows if re.search(o.only, r.name)):
            begin = time.monotonic()
            try:
                r(town)
                count["passed"] += 1
                print("ok %s (%.1f s)" % (r.name, time.monotonic() - begin), flush=True)
            except Skip as e:
                count["skipped"] += 1
                print("skipped %s: %s" % (r.name, e), flush=True)
            except Exception as e:
                count["failed"] += 1
                print("not ok %s: %s: %s" % (r.name, type(e).__name__, e), flush=True)
    print("%d passed, %d failed%s" % (count["passed"], count["failed"], ", %d skipped" % count["skipped"] if count["skipped"] else ""))
    return 1 if count["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
