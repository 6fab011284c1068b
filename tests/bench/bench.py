#!/usr/bin/env python3
"""What a verdict costs: time against round trips, processor, memory, and the readers against a plain walk.

    bench.py BUILD

Prints measured beside demanded; a number that is not met is no failure of this program (exit status 0), a number that
could not be had is (1). Where the system lets us, all of it happens in a network name space of its own, with a TUN
device as the long path: each packet, TCP's handshake included, takes 50 ms each way. Otherwise a proxy delays what is
said, not the handshake, and one round trip less is counted.
"""
import asyncio
import contextlib
import fcntl
import glob
import grp
import heapq
import json
import multiprocessing
import os
import pwd
import select
import shutil
import signal
import socket
import ssl
import statistics
import struct
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import caldav
import exchange
import gmail
import graph
import serving
import tour

ADDRESS, PASSWORD = "ann@birch.example", "correct-horse-9"
NEAR, FAR, PAGE = "mail.birch.example", "far.birch.example", "www.birch.example"
GRAPH, LOGIN = "graph.microsoft.com", "login.microsoftonline.com"
ONE_WAY = 0.050
TUN_OURS, TUN_THEIRS = "10.99.0.1", "10.99.0.2"
INSIDE = "MAILMOOR_BENCH_INSIDE"
SYSTEM_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


# -- a name space of our own -------------------------------------------------------------------------------------------

def enter_namespace():
    """Starts this program again inside one. Returns when that cannot be, or when we are there."""
    if INSIDE in os.environ:
        return
    forms = [["--net"], ["--user", "--net", "--map-current-user", "--keep-caps"]]
    for form in forms:
        command = ["unshare", *form, "--"]
        try:
            fits = subprocess.run([*command, "ip", "link", "set", "lo", "up"], stderr=subprocess.DEVNULL).returncode == 0
        except FileNotFoundError:
            return
        if fits:
            os.environ[INSIDE] = "1"
            os.execvp(command[0], [*command, sys.executable, *sys.argv])


class LongPath:
    """What is sent to TUN_THEIRS comes back 50 ms later, as if TUN_THEIRS had sent it to us: source and destination
    change places, which leaves every checksum right. So a server on this machine is 50 ms away, each way."""

    def __init__(self):
        self.device = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(self.device, 0x400454CA, struct.pack("16sH22x", b"far", 0x0001 | 0x1000))      # TUNSETIFF, TUN, no header
        for command in (["addr", "add", TUN_OURS + "/24", "dev", "far"], ["link", "set", "far", "up"]):
            subprocess.run(["ip", *command], check=True)
        self.process = multiprocessing.Process(target=self.carry, daemon=True)
        self.process.start()

    def carry(self):
        on_the_way, n = [], 0
        while True:
            wait = max(0, on_the_way[0][0] - time.monotonic()) if on_the_way else None
            if select.select([self.device], [], [], wait)[0]:
                packet, n = os.read(self.device, 65536), n + 1
                if packet[0] >> 4 == 4:
                    turned = packet[:12] + packet[16:20] + packet[12:16] + packet[20:]
                    heapq.heappush(on_the_way, (time.monotonic() + ONE_WAY, n, turned))
            while on_the_way and on_the_way[0][0] <= time.monotonic():
                os.write(self.device, heapq.heappop(on_the_way)[2])

    def close(self):
        self.process.terminate()
        self.process.join()


def long_path():
    if INSIDE not in os.environ:
        return None
    try:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return LongPath()
    except (OSError, subprocess.CalledProcessError):
        return None


# -- servers -----------------------------------------------------------------------------------------------------------

def make_certificates(folder):
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Bench Root", "-days", "2",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=" + NEAR)
    with open(os.path.join(folder, "names"), "w") as f:
        f.write("subjectAltName=DNS:%s,DNS:%s,DNS:%s\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:false\n" % (NEAR, FAR, PAGE))
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", "names", "-out", "server.pem")


def start_dovecot(folder, listen, port):
    """The real thing, as root with the package's own accounts, otherwise all of it as whoever we are."""
    if not shutil.which("dovecot"):
        return None
    me = pwd.getpwuid(os.geteuid()).pw_name
    root = os.geteuid() == 0
    owner = "nobody" if root else me
    mail = os.path.join(folder, "mail")
    os.makedirs(mail)
    if root:
        shutil.chown(mail, owner)
        os.chmod(folder, 0o755)
    accounts = "" if root else """
default_login_user = {me}
default_internal_user = {me}
default_internal_group = {group}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
""".format(me=me, group=grp.getgrgid(os.getegid()).gr_name)
    with open(os.path.join(folder, "dovecot.conf"), "w") as f:
        f.write("""
base_dir = {d}/run
state_dir = {d}/state
log_path = {d}/dovecot.log
protocols = imap
listen = {listen}
first_valid_uid = 1
mail_uid = {owner}
mail_gid = {group}
mail_location = maildir:{d}/mail/%u
mail_home = {d}/mail/%u.home
ssl = required
ssl_cert = <{d}/server.pem
ssl_key = <{d}/server.key
auth_mechanisms = plain
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={owner} gid={group} home={d}/mail/%u.home allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
  mailbox Sent {{
    special_use = \\Sent
    auto = subscribe
  }}
  mailbox Junk {{
    special_use = \\Junk
    auto = subscribe
  }}
}}
service imap-login {{
  {chroot}
  service_count = 0
  process_min_avail = 1
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
service imap {{
  service_count = 0
  process_min_avail = 1
}}
{accounts}""".format(d=folder, listen=listen, owner=owner, group=grp.getgrgid(pwd.getpwnam(owner).pw_gid).gr_name,
                     password=PASSWORD, port=port, accounts=accounts, chroot="" if root else "chroot ="))
    p = subprocess.Popen(["dovecot", "-F", "-c", os.path.join(folder, "dovecot.conf")], stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)
    end = time.monotonic() + 5
    while time.monotonic() < end and p.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return p
        except OSError:
            select.select([], [], [], 0.02)
    if p.poll() is None:
        p.terminate()
    p.wait()
    return None


class Sandbox:
    """The organisation of `mailmoor sandbox`: where its EWS is, or its Graph, and who signs it."""

    def __init__(self, build, folder, host, *options):
        self.popen = subprocess.Popen([os.path.join(build, "mailmoor"), "sandbox", "--json", "--high-ports", "--domain=birch.example", *options],
                                      stdout=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": folder})
        self.told = json.loads(self.popen.stdout.readline() or "{}")
        self.ca = self.told.get("ca_file")
        self.address = next((p.split("=")[1] for p in self.told.get("connect_to", []) if p.startswith(host + ":443=")), "127.0.0.1:0")

    def stop(self):
        self.popen.send_signal(signal.SIGINT)
        self.popen.communicate()


async def imap(reader, writer):
    """Where there is no Dovecot: as much of IMAP as a verdict asks, answered at once."""
    caps = b"IMAP4rev1 SASL-IR LITERAL+ ID SPECIAL-USE LIST-EXTENDED AUTH=PLAIN"
    writer.write(b"* OK [CAPABILITY %s] ready\r\n" % caps)
    while line := await reader.readline():
        tag, _, rest = line.strip().partition(b" ")
        word = rest.split(b" ")[0].upper()
        if word == b"LIST":
            writer.write(b'* LIST (\\HasNoChildren) "/" INBOX\r\n* LIST (\\HasNoChildren \\Sent) "/" Sent\r\n')
        elif word == b"EXAMINE":
            writer.write(b"* 0 EXISTS\r\n* 0 RECENT\r\n* FLAGS (\\Seen)\r\n* OK [UIDVALIDITY 1] .\r\n* OK [UIDNEXT 1] .\r\n")
        elif word == b"ID":
            writer.write(b"* ID NIL\r\n")
        elif word == b"CAPABILITY":
            writer.write(b"* CAPABILITY " + caps + b"\r\n")
        writer.write(tag + b" OK done\r\n")
        if word == b"LOGOUT":
            break
    writer.close()


async def smtp(reader, writer):
    writer.write(b"220 mail.birch.example ESMTP\r\n")
    while line := await reader.readline():
        word = line.strip().split(b" ")[0].upper()
        if word == b"EHLO":
            writer.write(b"250-mail.birch.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SIZE 52428800\r\n250 AUTH PLAIN LOGIN\r\n")
        elif word == b"AUTH":
            writer.write(b"235 2.7.0 signed in\r\n")
        elif word == b"QUIT":
            writer.write(b"221 2.0.0 bye\r\n")
            break
        else:
            writer.write(b"250 2.0.0 fine\r\n")
    writer.close()


async def page(reader, writer):
    while (await reader.readline()).strip():
        pass
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\nConnection: close\r\n\r\n")
    await writer.drain()
    writer.close()


class Names(asyncio.DatagramProtocol):
    """Answers at once: the hosts above have an address, the domain has an MX, nothing else exists."""

    def __init__(self, far):
        self.address = {NEAR: "127.0.0.1", PAGE: "127.0.0.1", FAR: far}

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, query, peer):
        at, labels = 12, []
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode("latin-1").lower())
            at += 1 + query[at]
        question, kind = query[12:at + 5], struct.unpack_from(">H", query, at + 1)[0]
        name, answer = ".".join(labels), b""
        known = name in self.address or name == "birch.example"
        if kind == 1 and name in self.address:
            answer = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + socket.inet_aton(self.address[name])
        elif kind == 15 and name == "birch.example":
            answer = b"\xc0\x0c" + struct.pack(">HHIHH", 15, 1, 60, 9, 10) + b"\x04mail\xc0\x0c"
        self.transport.sendto(query[:2] + struct.pack(">HHHHH", 0x8180 | (0 if known else 3), 1, bool(answer), 0, 0)
                              + question + answer, peer)


async def carry_late(reader, writer, wait):
    """The proxy's one direction: each piece goes on 50 ms after it came."""
    loop = asyncio.get_running_loop()
    try:
        while piece := await reader.read(65536):
            loop.call_later(wait, writer.write, piece)
        loop.call_later(wait, writer.close)
    except ConnectionError:
        writer.close()


def late_proxy(place):
    async def serve(reader, writer):
        there = await asyncio.open_connection(*place.split(":"))
        await asyncio.gather(carry_late(reader, there[1], ONE_WAY), carry_late(there[0], writer, ONE_WAY))
    return serve


def proxy(place):
    """To a server that listens on loopback alone, for those who come by the long path."""
    async def serve(reader, writer):
        there = await asyncio.open_connection(*place.split(":"))
        await asyncio.gather(carry(reader, there[1]), carry(there[0], writer))
    return serve


async def carry(reader, writer):
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(65536):
            writer.write(piece)
    writer.close()


async def serve(folder, address, far, imap_port, sandboxes, tell):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(folder, "server.pem"), os.path.join(folder, "server.key"))
    ports = {"imap": imap_port}

    async def listen(name, handler, tls=context):
        server = await asyncio.start_server(handler, address, 0, ssl=tls)
        ports[name] = server.sockets[0].getsockname()[1]

    loop = asyncio.get_running_loop()
    names, _ = await loop.create_datagram_endpoint(lambda: Names(far), local_addr=("127.0.0.1", 0))
    ports["dns"] = names.get_extra_info("sockname")[1]
    if not imap_port:
        await listen("imap", imap)
    await listen("smtp", smtp)
    await listen("page", page)
    for name in ("imap", "smtp"):
        await listen("late " + name, late_proxy("127.0.0.1:%d" % ports[name]), None)
    for name, place in sandboxes.items():
        await listen(name, proxy(place), None)
        await listen("late " + name, late_proxy(place), None)
    tell.send(ports)
    await asyncio.Event().wait()


def run_servers(*arguments):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(serve(*arguments))


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


# -- measuring ---------------------------------------------------------------------------------------------------------

# What a process inherits at fork counts as its peak: so it is started from the smallest interpreter there is.
LAUNCHER = """
import posix, sys
out = posix.open("/dev/null", posix.O_WRONLY)
for i in range(int(sys.argv[1])):
    pid = posix.posix_spawn(sys.argv[2], sys.argv[2:], posix.environ, file_actions=[(posix.POSIX_SPAWN_DUP2, out, 1)])
    _, status, r = posix.wait4(pid, 0)
    print(status, r.ru_utime + r.ru_stime, r.ru_maxrss, flush=True)
"""


def usage(command, times):
    """Median CPU in seconds and peak memory in bytes of `times` runs; each must succeed."""
    out = subprocess.check_output([sys.executable, "-I", "-S", "-c", LAUNCHER, str(times), *command], text=True)
    rows = [line.split() for line in out.splitlines()]
    if any(row[0] != "0" for row in rows):
        raise Unmeasured("%s does not succeed" % " ".join(command[:2]))
    return statistics.median(float(r[1]) for r in rows), statistics.median(int(r[2]) for r in rows) * 1024


class Unmeasured(Exception):
    pass


def wall(command):
    began = time.monotonic()
    p = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return time.monotonic() - began, p


def until_first_fact(command):
    """Until the first line of the checklist: behind the address and an empty line."""
    began = time.monotonic()
    p = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    for line in p.stdout:
        if line.startswith(b"  "):
            took = time.monotonic() - began
            break
    else:
        raise Unmeasured("no checklist")
    p.stdout.read()
    p.wait()
    return took


def ms(seconds):
    return "%.0f ms" % (seconds * 1000) if seconds >= 0.01 else "%.1f ms" % (seconds * 1000)


class Table:
    def __init__(self):
        self.unmeasured = 0
        self.title = None
        self.judged = []      # (part, what, measured, demanded, met)

    def row(self, what, measured, demanded="", met=None):
        if met is not None:
            self.judged.append((self.title, what, measured, demanded, met))
        print("  %-52s %10s  %-16s %s" % (what, measured, demanded, "" if met is None else "met" if met else "NOT MET"), flush=True)

    def note(self, text):
        print("      " + text, flush=True)

    def part(self, title, measure, *arguments):
        self.title = title
        print("\n" + title, flush=True)
        try:
            measure(self, *arguments)
        except (Unmeasured, serving.Unmeasured, exchange.Unmeasured, serving.daemon.Failed, OSError, subprocess.CalledProcessError, ValueError) as e:
            self.unmeasured += 1
            self.judged.append((title, "could not be measured", str(e)[:40], "", False))
            print("  could not be measured: %s" % e)

    def summary(self):
        print("\nAll that something is demanded of")
        for title, what, measured, demanded, met in self.judged:
            print("  %-44s %-50s %14s  %-16s %s" % (title[:44], what[:50], measured, demanded, "met" if met else "NOT MET"))
        self.note("%d of %d met; load on this machine at the end: %s, on %d cores" % (
            sum(met for *_, met in self.judged), len(self.judged), " ".join("%.1f" % n for n in os.getloadavg()), os.cpu_count()))


class Bench:
    def __init__(self, build, folder, ports, path, sandbox, cloud):
        self.program = os.path.join(build, "mailmoor")
        self.sandbox, self.cloud = sandbox, cloud
        self.build, self.folder, self.ports, self.path = build, folder, ports, path
        with open(os.path.join(folder, "password"), "w") as f:
            f.write(PASSWORD + "\n")

    def diagnose(self, far, *more):
        late = "late " if far and not self.path else ""
        host = FAR if far else NEAR
        return [self.program, "diagnose", ADDRESS, "--imap", "%s:%d" % (host, self.ports[late + "imap"]),
                "--smtp", "%s:%d" % (host, self.ports[late + "smtp"]), "--resolver", "127.0.0.1:%d" % self.ports["dns"],
                "--ca-file", os.path.join(self.folder, "ca.pem"), "--password-file", os.path.join(self.folder, "password"), *more]

    def diagnose_exchange(self):
        there = "%s:%d" % ((TUN_THEIRS, self.ports["exchange"]) if self.path else ("127.0.0.1", self.ports["late exchange"]))
        return [self.program, "diagnose", ADDRESS, "--ews", NEAR, "--connect-to", "%s:443=%s" % (NEAR, there), "--resolver",
                "127.0.0.1:%d" % self.ports["dns"], "--ca-file", self.sandbox.ca, "--password-file", os.path.join(self.folder, "password"), "--json"]

    def diagnose_microsoft(self, ended):
        """With a token that is good, or one that has ended and is renewed first."""
        there = "%s:%d" % ((TUN_THEIRS, self.ports["cloud"]) if self.path else ("127.0.0.1", self.ports["late cloud"]))
        told, token, config = self.cloud.told, os.path.join(self.folder, "token.json"), os.path.join(self.folder, "cloud.conf")
        with open(told["accounts"][0]["token_file"], encoding="utf-8") as f:
            grant = json.load(f)
        with open(token, "w", encoding="utf-8") as f:
            json.dump({**grant, "obtained_at": int(time.time()) - (7200 if ended else 0)}, f)
        with open(config, "w", encoding="utf-8") as f:
            f.write("[microsoft]\nclient_id = %(client_id)s\nclient_secret = %(client_secret)s\n" % told["microsoft"])
        return [self.program, "diagnose", told["accounts"][0]["address"], "--provider=microsoft", "--config=" + config, "--token-file=" + token,
                *("--connect-to=%s:443=%s" % (host, there) for host in (GRAPH, LOGIN)), "--resolver", told["resolver"], "--ca-file", self.cloud.ca, "--json"]

    def report(self, far):
        return self.verdict_of(self.diagnose(far, "--json"))

    def verdict_of(self, command):
        took, p = wall(command)
        report = json.loads(p.stdout or b"{}")
        if p.returncode != 0 or report.get("verdict") != "connected":
            raise Unmeasured("the verdict is %s, not connected: %s" % (report.get("verdict"), p.stderr.decode().strip() or
                                                                      [c["id"] for c in report.get("causes", [])]))
        return took, report

    def verdict_time(self, table):
        # TCP, TLS 1.3, greeting, sign-in, look; SMTP is side by side, and its AUTH is asked while IMAP looks
        self.against_trips(table, self.diagnose(True, "--json"), 5 if self.path else 4)

    def exchange_time(self, table):
        # TCP, TLS 1.3, what is offered, NTLM's challenge, the sign-in with the first question: each waits for what the one before
        # said. The folders are asked for behind them, which could be on no other line: NTLM signs in a line, and two tries of a
        # password at once are one too many.
        self.against_trips(table, self.diagnose_exchange(), 5 if self.path else 4)

    def microsoft_time(self, table):
        # TCP, TLS 1.3, whose account it is, and one batch: nobody looks into a mailbox before that
        self.against_trips(table, self.diagnose_microsoft(False), 4 if self.path else 3)

    def microsoft_renewed_time(self, table):
        # TCP, TLS 1.3 and the token, with those of Graph side by side; then as above
        self.against_trips(table, self.diagnose_microsoft(True), 5 if self.path else 4)

    def against_trips(self, table, command, trips):
        floor = trips * 2 * ONE_WAY
        runs = sorted((self.verdict_of(command) for _ in range(5)), key=lambda run: run[0])
        took, report = runs[len(runs) // 2]
        table.row("wall time ÷ %d dependent round trips" % trips, "%.2f" % (took / floor), "at most 1.3", took <= 1.3 * floor)
        table.row("round trips that fit into it", "%.1f" % (took / 2 / ONE_WAY))
        table.note("path: " + ("50 ms each way, TCP's handshake too" if self.path else "a proxy, 50 ms each way, TCP's handshake at once"))
        if took > 1.3 * floor:
            for s in report["steps"]:
                if s["ms"] >= 50:
                    table.note("%-18s %4d ms" % (s["id"], s["ms"]))

    def verdict_cost(self, table):
        self.report(False)
        cpu, memory = usage(self.diagnose(False, "--json"), 15)
        start, start_memory = usage([self.program, "--version"], 15)
        table.row("processor, user and system", ms(cpu), "at most 60 ms", cpu <= 0.060)
        table.row("peak memory", "%.1f MiB" % (memory / 2**20), "at most 24 MiB", memory <= 24 * 2**20)
        table.row("of it: loading and linking (--version)", ms(start))
        table.row("       memory of that", "%.1f MiB" % (start_memory / 2**20))
        handshake = tool(self.build, "bench-handshake")
        out = subprocess.check_output([handshake, NEAR, "127.0.0.1", str(self.ports["page"]), os.path.join(self.folder, "ca.pem")])
        trust, first, more = (int(n) / 1e6 for n in out.split())
        table.row("       the trust store (wall)", ms(trust))
        table.row("       the first TLS connection, with what it loads", ms(first))
        table.row("       each further one", ms(more))

    def first_fact(self, table):
        bundle = os.path.join(self.folder, "bundle.pem")
        with open(bundle, "wb") as out:
            for name in (SYSTEM_BUNDLE, os.path.join(self.folder, "ca.pem")):
                if os.path.exists(name):
                    with open(name, "rb") as f:
                        out.write(f.read())
        curl = ["curl", "-sI", "https://%s:%d/" % (PAGE, self.ports["page"]), "--resolve",
                "%s:%d:127.0.0.1" % (PAGE, self.ports["page"]), "--cacert"]
        rows = {"fact": [], "curl": [], "bare": []}
        for _ in range(11):
            rows["fact"].append(until_first_fact(self.diagnose(False)))
            for name, authorities in (("curl", bundle), ("bare", os.path.join(self.folder, "ca.pem"))):
                took, p = wall([*curl, authorities])
                if p.returncode:
                    raise Unmeasured("curl ends with %d" % p.returncode)
                rows[name].append(took)
        fact, whole, bare = (statistics.median(rows[n]) for n in ("fact", "curl", "bare"))
        table.row("first line with a fact ÷ curl -sI of a page", "%.2f" % (fact / whole), "at most 1", fact <= whole)
        table.row("the same, curl without the system's authorities", "%.2f" % (fact / bare))

    def readers(self, table):
        out = subprocess.check_output([tool(self.build, "bench-readers")], text=True)
        for line in out.splitlines():
            name, times, _ = line.split("\t")
            table.row(name, times)
        table.note("times a walk by memchr() from line end to line end over the same bytes; less is better")


def tool(build, name):
    found = [f for f in glob.glob(os.path.join(build, "**", name), recursive=True) if os.access(f, os.X_OK) and os.path.isfile(f)]
    if not found:
        raise Unmeasured("%s is not built" % name)
    return found[0]


def main():
    if len(sys.argv) != 2:
        print("Usage: bench.py BUILD", file=sys.stderr)
        return 2
    enter_namespace()
    build = os.path.abspath(sys.argv[1])
    os.environ.pop("LC_ALL", None)
    os.environ["LANG"] = "C.UTF-8"
    path = long_path()
    dovecot = servers = sandbox = cloud = None
    with tempfile.TemporaryDirectory(prefix="mailmoor-bench-") as folder:
        try:
            make_certificates(folder)
            port = free_port()
            # all addresses of a name space of our own, otherwise loopback only
            address = "0.0.0.0" if path else "127.0.0.1"
            dovecot = start_dovecot(folder, address, port)
            sandbox = Sandbox(build, folder, NEAR, "--account=%s:%s" % (ADDRESS, PASSWORD))
            cloud = Sandbox(build, folder, GRAPH, "--microsoft")
            ours, theirs = multiprocessing.Pipe()
            servers = multiprocessing.Process(target=run_servers, daemon=True,
                                              args=(folder, address, TUN_THEIRS if path else "127.0.0.1", port if dovecot else 0,
                                                    {"exchange": sandbox.address, "cloud": cloud.address}, theirs))
            servers.start()
            if not ours.poll(10):
                print("the servers do not start", file=sys.stderr)
                return 1
            bench, table = Bench(build, folder, ours.recv(), path, sandbox, cloud), Table()
            print("IMAP is %s, SMTP and HTTPS are this script's" % ("Dovecot" if dovecot else "this script's too"))
            table.part("A verdict over a long path (100 ms there and back)", bench.verdict_time)
            table.part("The same of a mailbox at Exchange", bench.exchange_time)
            table.part("The same of a mailbox at Microsoft 365", bench.microsoft_time)
            table.part("The same with a token that has ended", bench.microsoft_renewed_time)
            table.part("A verdict on a healthy mailbox nearby", bench.verdict_cost)
            table.part("The first fact", bench.first_fact)
            table.part("The demo", tour.measure, os.path.join(build, "mailmoor"))
            table.part("Readers", bench.readers)
            exchange.measure(table, lambda name: tool(build, name), build)
            graph.measure(table, lambda name: tool(build, name), build)
            caldav.measure(table, lambda name: tool(build, name), build)
            gmail.measure(table, lambda name: tool(build, name), build)
            serving.measure(table, lambda name: tool(build, name), build)
            table.summary()
            return 1 if table.unmeasured else 0
        finally:
            if servers:
                servers.terminate()
                servers.join()
            if path:
                path.close()
            if dovecot:
                dovecot.terminate()
                dovecot.wait()
            for each in (sandbox, cloud):
                if each:
                    each.stop()


if __name__ == "__main__":
    sys.exit(main())
