#!/usr/bin/env python3
"""What the daemon costs: a mailbox that waits, all of them lost at once, new mail until it is told, an answer of the API.

    serving.py BUILD [PART …]       parts: idle (with the storm) dovecot news copies api outbox parked store; all without

The far side is bench-imapd, the floor bench-bare: both are programs of our own that share nothing with what is measured. Each
figure stands beside its floor from the same run, and what is compared is the ratio.
"""
import contextlib
import os
import re
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "flows"))

import daemon

HOST, PASSWORD = "imap.bench.example", "correct-horse-9"
MANY, SOME = 10000, 1000
FEW, BASE = 300, 60      # real mailboxes: so many more than the base, since what a daemon needs once is no part of the figure
CALM_S, NEWS_S = 20, 20
TOLD = 300
BEHIND = "paced, 1,000 a second: not kept after it"
API_S = 6


class Unmeasured(Exception):
    pass


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def make_certificates(folder):
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Bench Root",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    openssl("req", "-x509", *key, "-keyout", "server.key", "-out", "server.pem", "-subj", "/CN=" + HOST, "-CA", "ca.pem", "-CAkey", "ca.key",
            "-addext", "subjectAltName=DNS:" + HOST, "-addext", "basicConstraints=critical,CA:FALSE")


class FarSide:
    """bench-imapd: started, asked, killed, started again on the same ports."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.imap, self.dns, self.http = free_port(), free_port(), free_port()
        self.popen = None

    def start(self, tickets=True):
        command = [self.program, str(self.imap), str(self.dns), str(self.http), os.path.join(self.folder, "server.pem"),
                   os.path.join(self.folder, "server.key"), PASSWORD]
        self.popen = subprocess.Popen(command + ([] if tickets else ["no-tickets"]), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.popen.stdout.readline() != "ready\n":
            raise Unmeasured("bench-imapd does not start")

    def ask(self, line):
        self.popen.stdin.write(line + "\n")
        self.popen.stdin.flush()
        return self.popen.stdout.readline()

    def count(self):
        return dict(zip(("held", "idling", "unfinished", "handshakes", "resumed"), map(int, self.ask("count").split())))

    def wait_idling(self, n, seconds, alive=lambda: True):
        """Until n mailboxes idle; (seconds that took, most unfinished at once, handshakes, resumed)."""
        began, most, made, resumed = time.monotonic(), 0, 0, 0
        while True:
            c = self.count()
            most, made, resumed = max(most, c["unfinished"]), made + c["handshakes"], resumed + c["resumed"]
            if c["idling"] >= n:
                return time.monotonic() - began, most, made, resumed
            if time.monotonic() > began + seconds or not alive():
                raise Unmeasured("%d of %d mailboxes idle after %d s" % (c["idling"], n, time.monotonic() - began))
            time.sleep(0.02)

    def kill(self):
        if self.popen:
            self.popen.kill()
            self.popen.wait()
            self.popen.stdin.close()
            self.popen.stdout.close()
            self.popen = None


def resident(pid):
    with open("/proc/%d/smaps_rollup" % pid) as f:
        return int(re.search(r"^Rss: +(\d+) kB", f.read(), re.M)[1]) * 1024


def cpu(pid):
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def kib(n):
    return "%.1f KiB" % (n / 1024)


def tail(sorted_list, share):
    return sorted_list[min(len(sorted_list) - 1, int(share * len(sorted_list)))]


class Service:
    def __init__(self, tools, build, folder, stack):
        self.tools, self.build, self.folder, self.stack = tools, build, folder, stack
        make_certificates(folder)
        self.ca = os.path.join(folder, "ca.pem")
        self.far = FarSide(tools("bench-imapd"), folder)
        stack.callback(self.far.kill)
        self.stores = 0

    def settings(self, port=None):
        return {"net.resolver": "127.0.0.1:%d" % self.far.dns, "net.ca_file": self.ca, "net.allow": "127.0.0.0/8",
                "net.connect_to": "%s:993=127.0.0.1:%d" % (HOST, port or self.far.imap)}

    @contextlib.contextmanager
    def daemon(self, accounts, wrapper=(), port=None):
        """A daemon whose store has that many connected accounts; it has not been started with them."""
        self.stores += 1
        d = daemon.Daemon(os.path.join(self.build, "mailmoor"), os.path.join(self.folder, "daemon%d" % self.stores), self.settings(port), wrapper)
        try:
            d.start()
            d.api("GET", "/v1/overview")
            time.sleep(0.5)
            d.empty = resident(d.popen.pid)
            d.stop()
            out = subprocess.check_output([self.tools("bench-fill"), os.path.join(d.folder, "state"), str(accounts)], text=True)
            d.some_account = out.strip()
            yield d
        finally:
            d.close()

    def bare(self, what, count, flight, how, *more):
        p = subprocess.Popen([self.tools("bench-bare"), what, str(self.far.imap), self.ca, str(count), str(flight), how, *more],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = p.stdout.readline().split()
        if len(line) != 4:
            p.kill()
            p.wait()
            raise Unmeasured("bench-bare ends early")
        return p, dict(zip(("seconds", "bytes", "cpu_us", "resumed"), map(float, line)))

    @staticmethod
    def end(p):
        p.stdin.close()
        p.wait()
        p.stdout.close()

    # -- idle, and lost -----------------------------------------------------------------------------------------------------------

    def hold(self, table, tickets, target, and_storm):
        self.far.start(tickets)
        how = "quick" if tickets else "full"
        with self.daemon(MANY) as d:
            d.start()
            took, _, _, resumed = self.far.wait_idling(MANY, 150, lambda: d.popen.poll() is None)
            time.sleep(2)
            each = (resident(d.popen.pid) - d.empty) / MANY
            words = "tickets" if tickets else "no tickets"
            table.row("memory of each of %d, %s" % (MANY, words), kib(each), "at most %d KiB" % target, each <= target * 1024)
            if tickets:
                was = cpu(d.popen.pid)
                time.sleep(CALM_S)
                share = (cpu(d.popen.pid) - was) / CALM_S
                table.row("processor over %d s of silence, of one core" % CALM_S, "%.2f %%" % (share * 100), "under 1 %", share < 0.01)
            table.note("all parked %.1f s after the start, %d sessions resumed" % (took, resumed))
            storm = self.storm(table, d) if and_storm else None
        self.far.kill()
        self.far.start(tickets)
        p, floor = self.bare("hold", MANY, storm["flight"] if storm else 100, how)
        table.row("the floor: a bare program, the same connections", kib(floor["bytes"]))
        self.end(p)
        self.far.kill()
        if storm:
            table.part("All %d lost at once, and back" % MANY, self.compare_storm, storm, floor)

    def storm(self, table, d):
        self.far.count()
        before = cpu(d.popen.pid)
        self.far.kill()
        self.far.start()
        took, unfinished, made, resumed = self.far.wait_idling(MANY, 150, lambda: d.popen.poll() is None)
        metrics = d.request("GET", "/metrics").text
        flight = int(re.search(r"^mailmoor_mailboxes_opening_most (\d+)$", metrics, re.M)[1])
        return {"took": took, "unfinished": unfinished, "made": made, "resumed": resumed, "flight": flight,
                "cpu_us": (cpu(d.popen.pid) - before) * 1e6 / MANY, "after": resident(d.popen.pid) - d.empty}

    def compare_storm(self, table, s, floor):
        table.row("seconds until all are back", "%.1f" % s["took"])
        table.row("a bare program: the same handshakes and logins", "%.1f" % floor["seconds"])
        table.row("ratio", "%.2f" % (s["took"] / floor["seconds"]), "at most 3", s["took"] <= 3 * floor["seconds"])
        table.row("largest number in flight (turnstile; server's view)", "%d; %d" % (s["flight"], s["unfinished"]))
        table.row("connections made for %d mailboxes" % MANY, "%d" % s["made"])
        table.row("processor for each, daemon; bare", "%.0f; %.0f us" % (s["cpu_us"], floor["cpu_us"]))
        table.row("memory of each afterwards", kib(s["after"] / MANY))
        table.note("%d of the daemon's and %d of the bare program's sessions were resumed; %d in flight both" % (s["resumed"], floor["resumed"], s["flight"]))

    def idle(self, table):
        self.hold(table, True, 20, True)
        self.hold(table, False, 36, False)

    # -- the same with a real server ----------------------------------------------------------------------------------------------

    def grown(self, accounts, port):
        """Resident memory of a daemon that holds so many, and how many are held by the server's own word."""
        with self.daemon(accounts, port=port) as d:
            d.start()
            end = time.monotonic() + 60
            while d.api("GET", "/v1/overview")["keeper"]["parked"] < accounts:
                if time.monotonic() > end or d.popen.poll() is not None:
                    raise Unmeasured("not all of %d mailboxes are held" % accounts)
                time.sleep(0.1)
            time.sleep(2)
            return resident(d.popen.pid)

    def dovecot(self, table):
        import bench
        here, port = os.path.join(self.folder, "dovecot"), free_port()
        os.makedirs(here)
        for name in ("server.pem", "server.key"):
            shutil.copy(os.path.join(self.folder, name), here)
        os.chmod(self.folder, 0o755)
        self.far.start()
        p = bench.start_dovecot(here, "127.0.0.1", port)
        if not p:
            raise Unmeasured("there is no Dovecot")
        try:
            real = (self.grown(BASE + FEW, port) - self.grown(BASE, port)) / FEW
        finally:
            p.terminate()
            p.wait()
        ours = (self.grown(BASE + FEW, None) - self.grown(BASE, None)) / FEW
        table.row("memory of each of %d, Dovecot; our test server" % FEW, "%.1f; %s" % (real / 1024, kib(ours)))
        table.row("ratio", "%.2f" % (real / ours), "at most 1.1", real <= 1.1 * ours)
        table.note("growth from %d mailboxes to %d, over TLS, idling; with so few, what the store and the heap" % (BASE, BASE + FEW))
        table.note("keep anyhow weighs most: with %d of them it is no more than the first part says" % MANY)

    # -- news ---------------------------------------------------------------------------------------------------------------------

    def announce(self):
        """A message for each mailbox, spread evenly; the microseconds until each was heard of."""
        began = time.monotonic()
        for i in range(SOME):
            time.sleep(max(0, began + i * NEWS_S / SOME - time.monotonic()))
            self.far.ask("deliver user%d@bench.example 1" % i)
        heard, end = [], time.monotonic() + 15
        while len(heard) < SOME and time.monotonic() < end:
            time.sleep(0.2)
            heard += map(int, self.far.ask("heard").split())
        return sorted(heard)

    def news(self, table):
        self.far.start()
        with self.daemon(SOME) as d:
            d.start()
            self.far.wait_idling(SOME, 60, lambda: d.popen.poll() is None)
            d.api("POST", "/v1/webhooks", {"url": "http://127.0.0.1:%d/hook" % self.far.http, "types": ["message.received"]})
            ours = self.announce()
        self.far.kill()
        self.far.start()
        p, _ = self.bare("news", SOME, 50, "quick", str(self.far.http), os.path.join(self.folder, "bare.log"))
        bare = self.announce()
        self.end(p)
        self.far.kill()
        if len(ours) < SOME or len(bare) < SOME:
            raise Unmeasured("of %d messages the daemon told %d, the bare program %d" % (SOME, len(ours), len(bare)))
        for name, share, target in (("median", 0.5, 3), ("99 of 100", 0.99, 10)):
            a, b = tail(ours, share), tail(bare, share)
            table.row("%s: daemon; bare" % name, "%.2f; %.2f ms" % (a / 1000, b / 1000))
            table.row("%s, ratio" % name, "%.2f" % (a / b), "at most %d" % target, a <= target * b)
        table.note("from the announcement's write until the POST is whole at the receiver")
        table.note("%d mailboxes, a message each within %d s; both have the disk keep it first" % (SOME, NEWS_S))

    # -- what one message moves ------------------------------------------------------------------------------------------------------

    def copies(self, table):
        """Counted by a library below the daemon, see copies.c; what it does without news in the same time is taken off."""
        path = os.path.join(self.folder, "counts")
        with open(path, "wb") as f:
            f.write(bytes(8 * 5))

        def counts():
            with open(path, "rb") as f:
                return struct.unpack("5q", f.read(40))

        def over(seconds, what):
            before = counts()
            what()
            time.sleep(seconds)
            return [b - a for a, b in zip(before, counts())]

        def tell():
            for i in range(TOLD):
                self.far.ask("deliver user%d@bench.example 1" % i)
                time.sleep(0.01)
        self.far.start()
        wrapper = ["env", "LD_PRELOAD=" + os.path.join(os.path.dirname(self.tools("bench-bare")), "libcopies.so"), "BENCH_COPIES=" + path]
        with self.daemon(TOLD, wrapper) as d:
            d.start()
            self.far.wait_idling(TOLD, 60, lambda: d.popen.poll() is None)
            d.api("POST", "/v1/webhooks", {"url": "http://127.0.0.1:%d/hook" % self.far.http, "types": ["message.received"]})
            tell()      # the first of each: connections, statements, caches
            time.sleep(3)
            self.far.ask("heard")
            silence = over(TOLD * 0.01 + 3, lambda: None)
            news = over(3, tell)
            heard = len(self.far.ask("heard").split())
        self.far.kill()
        if heard != TOLD:
            raise Unmeasured("of %d messages %d were told" % (TOLD, heard))
        moved, moves, taken, given, kept = ((n - s) / TOLD for n, s in zip(news, silence))
        table.row("bytes copied for each, by memcpy and the like", "%.0f" % moved)
        table.row("   in so many copies", "%.0f" % moves)
        table.row("bytes read from and written to sockets for each", "%.0f; %.0f" % (taken, given))
        table.row("bytes written into the store for each", "%.0f" % kept)
        table.row("bytes copied ÷ bytes that came, went or were kept", "%.1f" % (moved / (taken + given + kept)))
        table.note("%d messages, one every 10 ms, from TLS to the webhook; libraries included, copies that the compiler made into moves not" % TOLD)

    # -- tools that print their own lines ----------------------------------------------------------------------------------------------

    def lines(self, name):
        out = subprocess.check_output([self.tools(name)], text=True)
        return [line.split("\t") for line in out.splitlines()]

    def outbox(self, table):
        found = self.lines("bench-outbox")
        for what, figure, *_ in found:
            if what.startswith("deliveries a second"):
                table.row(what, figure, "at least 1000", float(figure) >= 1000)
            elif what.startswith(BEHIND):
                table.row(what, figure, "none", int(figure) == 0)
            else:
                table.row(what, figure)
        if not any(line[0].startswith(BEHIND) for line in found):
            raise Unmeasured("bench-outbox does not say what is behind")

    def parked(self, table):
        for (line,) in self.lines("bench-park"):
            table.note(line)
        table.note("a connection inside TLS alone, without account and mailbox, beside a bare program that holds the same")

    def store(self, table):
        for line in self.lines("bench-store"):
            table.row(line[0], line[1])
        table.note("a second; with fsync on each commit")

    # -- the API --------------------------------------------------------------------------------------------------------------------

    def nginx(self):
        if not shutil.which("nginx"):
            raise Unmeasured("there is no nginx")
        here, port = os.path.join(self.folder, "nginx"), free_port()
        os.makedirs(here)
        with open(os.path.join(here, "conf"), "w") as f:
            f.write("daemon off; worker_processes 1; pid %s/pid; error_log %s/error.log;\nevents { worker_connections 512; }\n"
                    "http { access_log off; keepalive_requests 100000000; client_body_temp_path %s/b; proxy_temp_path %s/p; fastcgi_temp_path %s/f;\n"
                    "uwsgi_temp_path %s/u; scgi_temp_path %s/s;\nserver { listen 127.0.0.1:%d; location / { default_type application/json; return 200 '%s'; } } }\n"
                    % (here, here, here, here, here, here, here, port, "x" * 500))
        p = subprocess.Popen(["taskset", "-c", "0", "nginx", "-c", os.path.join(here, "conf"), "-p", here], stderr=subprocess.DEVNULL)
        self.stack.callback(lambda: (p.terminate(), p.wait()))
        for _ in range(100):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                return port
            time.sleep(0.05)
        raise Unmeasured("nginx does not start")

    @staticmethod
    def load(port, path, *headers):
        if not shutil.which("wrk"):
            raise Unmeasured("there is no wrk")
        more = [word for h in headers for word in ("-H", h)]
        core = "1" if os.cpu_count() > 1 else "0"
        out = subprocess.check_output(["taskset", "-c", core, "wrk", "-t1", "-c32", "-d%ds" % API_S, *more, "http://127.0.0.1:%d%s" % (port, path)], text=True)
        if "Non-2xx" in out or "Socket errors" in out:
            raise Unmeasured("not all were answered: " + out)
        return float(re.search(r"Requests/sec: +([0-9.]+)", out)[1])

    def api(self, table):
        self.far.start()
        with self.daemon(SOME, ["taskset", "-c", "0"]) as d:
            d.start()
            self.far.wait_idling(SOME, 60, lambda: d.popen.poll() is None)
            path, key = "/v1/accounts/" + d.some_account, "Authorization: Bearer " + d.key
            nginx = self.nginx()
            length = len(d.request("GET", path).text)
            pairs = [(self.load(d.port, path, key), self.load(nginx, "/")) for _ in range(3)]
        self.far.kill()
        ours, theirs = (statistics.median(p[i] for p in pairs) for i in (0, 1))
        ratio = statistics.median(a / b for a, b in pairs)
        table.row("GET of an account (%d bytes), a second, one core" % length, "%.0f" % ours)
        table.row("nginx, 500 bytes that never change, one core", "%.0f" % theirs)
        table.row("ratio", "%.2f" % ratio, "at least 0.3", ratio >= 0.3)
        table.note("32 connections that stay, the load on another core; median of three pairs")


PARTS = {"idle": "%d mailboxes that wait" % MANY, "dovecot": "%d mailboxes of a real Dovecot" % FEW, "news": "New mail, until it is told",
         "copies": "What one message moves", "api": "The API", "outbox": "The outbox of webhooks", "parked": "A connection that waits, and nothing else",
         "store": "The store"}


def measure(table, tools, build, chosen=()):
    """All parts, each on daemons and far sides of its own."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="mailmoor-bench-"))
        service = Service(tools, build, folder, stack)
        for name, title in PARTS.items():
            if not chosen or name in chosen:
                try:
                    table.part(title, getattr(service, name))
                finally:
                    service.far.kill()
                table.note("load on this machine: %s" % " ".join("%.1f" % n for n in os.getloadavg()))


def main():
    import bench
    build = os.path.abspath(sys.argv[1])
    table = bench.Table()
    measure(table, lambda name: bench.tool(build, name), build, sys.argv[2:])
    table.summary()
    return 1 if table.unmeasured else 0


if __name__ == "__main__":
    import serving      # the one that bench.py includes
    sys.exit(serving.main())
