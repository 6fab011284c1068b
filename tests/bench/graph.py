#!/usr/bin/env python3
"""What going through a mailbox at Microsoft 365 costs: the delta of 20,000 messages, its pages made beforehand and served by nginx over TLS, each
message read into our model, against curl that fetches the same pages into nothing and against Microsoft's own client.

And the grants of 10,000 mailboxes that end within one minute, held by the daemon: how they are renewed.

    graph.py BUILD [PART...]      parts: pages client renewals
"""
import base64
import collections
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import exchange
from exchange import Unmeasured, used_by

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "flows"))
HERE_HOST = "127.0.0.1"                      # by number, so that nobody is asked for a name
GRAPH, LOGIN = "graph.microsoft.com", "login.microsoftonline.com"
MESSAGES, FEW, PAGE = 20000, 1000, 250      # as many in a page as the watch asks for
ROUNDS, CLIENT_ROUNDS = 41, 5
GRANTS, GRANTS_MINUTE = 10000, 60
GRANTS_LEFT_S = 480                         # until the first one ends: some are due at once, the last four minutes later
PACE = 50                                   # a second (src/serve/keeper.c)
WORDS = "quarterly figures and what follows from them for the meeting on Tuesday invoice reminder release notes travel plan".split()
FOREIGN = "Größe über Zażółć gęślą jaźń รายงาน 報告書 ☕".split()


def message(n, dice):
    """As Graph writes the properties that we ask for: ids and etags of their length, some texts in other letters, escaped or not."""
    id_ = "AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A" + base64.urlsafe_b64encode(dice.randbytes(57)).decode() + "AAA%05dAA=" % n
    words = [dice.choice(WORDS) for _ in range(dice.randrange(2, 9))]
    if n % 4 == 0:
        words.append(dice.choice(FOREIGN))
    text = json.dumps({
        "@odata.type": "#microsoft.graph.message", "@odata.etag": 'W/"CQAAABYAAAD%s"' % base64.b64encode(dice.randbytes(24)).decode(),
        "receivedDateTime": "2026-11-%02dT%02d:%02d:%02dZ" % (n % 28 + 1, n % 24, n // 60 % 60, n % 60),
        "internetMessageId": "<%s@mail.fabrikam.example>" % dice.randbytes(16).hex(), "subject": " ".join(words), "id": id_,
        "from": {"emailAddress": {"name": "Bob Builder", "address": "bob%d@fabrikam.example" % (n % 97)}},
    }, separators=(",", ":"), ensure_ascii=n % 8 == 0)
    return text


def page(number, first, last, dice):
    leads = ("deltaLink", "next") if last == MESSAGES else ("nextLink", "%d.json" % (number + 1))
    return '{"@odata.context":"https://%s/v1.0/$metadata#Collection(message)","@odata.%s":"https://%s/v1.0/delta/%s","value":[%s]}' % (
        GRAPH, leads[0], HERE_HOST, leads[1], ",".join(message(n, dice) for n in range(first, last)))


class Reading:
    """What bench-graph says."""

    def __init__(self, command):
        self.wall, _, out = used_by(command)
        messages, _, cpu, peak = out.split()
        self.messages, self.cpu, self.peak = int(messages), int(cpu) / 1e6, int(peak)


class Bench(exchange.Bench):
    def __init__(self, tool, build, folder):
        super().__init__(tool, build, folder)
        self.graph_reader, self.filler, self.build = tool("bench-graph"), tool("bench-fill"), build

    def make(self):
        """The pages, and who the account belongs to, which is asked first. The bytes of the pages."""
        dice = random.Random(5)
        root = os.path.join(self.folder, "pages", "v1.0")
        os.makedirs(os.path.join(root, "delta"), exist_ok=True)
        with open(os.path.join(root, "me"), "w") as f:
            f.write('{"id":"0d7f2f9a-46f1-4b2b-9a4a-6a2c5f3b7700","mail":"ann@birch.example"}')
        size = 0
        for number, first in enumerate(range(0, MESSAGES, PAGE)):
            with open(os.path.join(root, "delta", "%d.json" % number), "w", encoding="utf-8") as f:
                f.write(page(number, first, first + PAGE, dice))
            size += os.path.getsize(f.name)
        # for who asks whether it is up
        self.write("0.xml", "")
        return size

    def few(self):
        """The same mailbox, of few messages only."""
        last = os.path.join(self.folder, "pages", "v1.0", "delta", "%d.json" % (FEW // PAGE - 1))
        with open(last, encoding="utf-8") as f:
            whole = f.read()
        with open(last, "w", encoding="utf-8") as f:
            f.write(whole.replace("@odata.nextLink", "@odata.deltaLink", 1))
        readings = [self.read_all() for _ in range(5)]
        with open(last, "w", encoding="utf-8") as f:
            f.write(whole)
        return readings

    def read_all(self):
        return Reading([self.graph_reader, str(self.port), self.ca])

    def pages(self, table):
        """One curl, one line that stays, the same pages; nginx on both sides the same one. In turns, so that both have the same weather."""
        size, count = self.make(), MESSAGES // PAGE
        curl = ["curl", "-s", "--fail", "--cacert", self.ca, "--connect-to", "%s:443:127.0.0.1:%d" % (HERE_HOST, self.port)]
        for n in range(count):
            curl += ["-o", "/dev/null", "https://%s/v1.0/delta/%d.json" % (HERE_HOST, n)]
        with self.nginx():
            rounds = [(used_by(curl), self.read_all()) for _ in range(ROUNDS)]
            few = self.few()
        if any(ours.messages != MESSAGES for _, ours in rounds) or any(r.messages != FEW for r in few):
            raise Unmeasured("%d messages were read, not %d; %d, not %d" % (rounds[0][1].messages, MESSAGES, few[0].messages, FEW))
        ratio = statistics.median(ours.wall / theirs[0] for theirs, ours in rounds)
        cpu, peak = (statistics.median(getattr(ours, what) for _, ours in rounds) for what in ("cpu", "peak"))
        few_cpu, few_peak = (statistics.median(getattr(r, what) for r in few) for what in ("cpu", "peak"))
        table.row("time ÷ curl's into nothing", "%.2f" % ratio, "at most 1.5", ratio <= 1.5)
        table.row("       ours", "%.0f ms" % (1000 * statistics.median(ours.wall for _, ours in rounds)))
        table.row("       curl's", "%.0f ms" % (1000 * statistics.median(theirs[0] for theirs, _ in rounds)))
        table.row("processor for 1,000 messages, start of the program and all", "%.2f ms" % (cpu * 1e6 / MESSAGES))
        table.row("       each 1,000 more", "%.2f ms" % ((cpu - few_cpu) * 1e6 / (MESSAGES - FEW)))
        table.row("processor ÷ curl's", "%.2f" % statistics.median(ours.cpu / theirs[1] for theirs, ours in rounds))
        table.row("peak memory, %d messages" % MESSAGES, "%.1f MiB" % (peak / 1024))
        table.row("       more than for %d" % FEW, "%d KiB" % (peak - few_peak), "a page, %d KiB" % (size // count // 1024),
                  peak - few_peak <= size / count / 1024)
        table.note("%d messages, %.1f MB in %d pages, TLS; median of %d pairs in turns" % (MESSAGES, size / 1e6, count, ROUNDS))

    def client(self, table):
        """Microsoft's own for JavaScript, with its PageIterator; of its time the start is not counted, of ours it is."""
        import cloud
        import peers
        place = os.path.join(self.build, "cloud")
        try:
            cloud.prepare_node(place)
        except peers.Failed as e:
            raise Unmeasured(str(e)) from e
        with open(os.path.join(HERE, "graph.mjs")) as f, open(os.path.join(place, "graph.mjs"), "w") as copy:
            copy.write(f.read())
        self.make()
        env = {**os.environ, "NODE_EXTRA_CA_CERTS": self.ca, "PLACES": json.dumps({HERE_HOST + ":443": ["127.0.0.1", self.port]})}
        pairs = []
        with self.nginx():
            for _ in range(CLIENT_ROUNDS):
                out = subprocess.run(["node", "--require", "./led.cjs", "graph.mjs", "https://%s/v1.0/delta/0.json" % HERE_HOST], cwd=place, env=env, check=True,
                                     capture_output=True, text=True).stdout
                pairs.append((json.loads(out), self.read_all()))
        if any(theirs["messages"] != MESSAGES or ours.messages != MESSAGES for theirs, ours in pairs):
            raise Unmeasured("%s messages" % pairs[0][0]["messages"])
        ratio = statistics.median(theirs["seconds"] / ours.wall for theirs, ours in pairs)
        table.row("times as fast as Microsoft's client for JavaScript", "%.1f" % ratio, "more than 1", ratio > 1)
        table.row("       its time", "%.0f ms" % (1000 * statistics.median(theirs["seconds"] for theirs, _ in pairs)))
        table.row("       its processor for 1,000 messages", "%.2f ms" % (statistics.median(theirs["cpu"] for theirs, _ in pairs) * 1e6 / MESSAGES))
        table.row("       its peak memory", "%.0f MiB" % (statistics.median(theirs["peak"] for theirs, _ in pairs) / 1024))
        table.note("the same pages; of its time the start is not counted, of ours it is; median of %d pairs in turns" % CLIENT_ROUNDS)


    # -- renewals -----------------------------------------------------------------------------------------------------------------

    def authority(self):
        """Token endpoint and Graph of empty inboxes, with a line in the log for each renewal: when, and of which grant."""
        here = os.path.join(self.folder, "authority")
        os.makedirs(here)
        exchange.certificate(self.folder)
        with open(os.path.join(here, "conf"), "w") as f:
            f.write(AUTHORITY.format(d=here, ca=self.folder, port=self.port, inner=self.port + 1))
        return here, subprocess.Popen(["nginx", "-c", os.path.join(here, "conf"), "-e", os.path.join(here, "error.log")], stderr=subprocess.DEVNULL)

    def renewals(self, table):
        import daemon
        import peers
        here, nginx = self.authority()
        place, names = "127.0.0.1:%d" % self.port, peers.Names("127.0.0.1")
        names.records |= {(GRAPH, "A"): ["127.0.0.1"], (LOGIN, "A"): ["127.0.0.1"]}
        d = daemon.Daemon(self.mailmoor, os.path.join(self.folder, "daemon"), {
            "net.ca_file": self.ca, "net.allow": "127.0.0.0/8", "net.connect_to": "%s:443=%s %s:443=%s" % (GRAPH, place, LOGIN, place),
            "net.resolver": "127.0.0.1:%d" % names.port, "microsoft.client_id": "bench", "microsoft.client_secret": "bench"})
        try:
            d.start()
            d.stop()
            ends = int(time.time()) + GRANTS_LEFT_S
            subprocess.run([self.filler, os.path.join(d.folder, "state"), str(GRANTS), str(ends)], check=True, stdout=subprocess.DEVNULL)
            began = time.time()
            d.start()
            renewed = self.wait_renewed(d, os.path.join(here, "renewals"), ends + GRANTS_MINUTE)
            peak = daemon_peak(d.popen.pid)
        finally:
            d.close()
            names.close()
            nginx.terminate()
            nginx.wait()
        if len({n for _, n in renewed}) < GRANTS:
            raise Unmeasured("%d of %d grants were renewed" % (len({n for _, n in renewed}), GRANTS))
        late = sum(at >= ends + GRANTS_MINUTE * n // GRANTS for at, n in renewed)
        left = min(ends + GRANTS_MINUTE * n // GRANTS - at for at, n in renewed)
        ten = most_within(renewed, 10)
        table.row("renewed after their end", "%d of %d" % (late, GRANTS), "none", late == 0)
        table.row("       the least that one had left", "%.0f s" % left)
        table.row("renewals, of each grant", "%.2f" % (len(renewed) / GRANTS), "1", len(renewed) == GRANTS)
        table.row("most in any ten seconds", "%d" % ten, "at most %d" % (10 * PACE * 1.05), ten <= 10 * PACE * 1.05)
        table.row("       in any one second", "%d" % most_within(renewed, 1))
        table.row("       from the first to the last", "%.0f s" % (renewed[-1][0] - renewed[0][0]))
        table.row("peak memory of the daemon", "%.0f MiB" % (peak / 1024))
        table.note("%d a second are let go, evenly; what a busy machine holds up then comes together: that is the twentieth allowed for" % PACE)
        table.note("all %d end within a minute, the first of them %d s after the daemon was started; counted where nginx answers" % (GRANTS, ends - began))

    @staticmethod
    def wait_renewed(d, log, until):
        """[(when, which)], by time."""
        while True:
            time.sleep(2)
            if d.popen.poll() is not None:
                raise Unmeasured("the daemon ended")
            with open(log) as f:
                found = sorted((float(m[1]), int(m[2])) for m in re.finditer(r"^([0-9.]+) .*?refresh_token=rt-(\d+)\b", f.read(), re.M))
            if len(found) >= GRANTS or time.time() > until:
                return found


def most_within(renewed, seconds):
    window, most = collections.deque(), 0
    for at, _ in renewed:
        window.append(at)
        while window[0] <= at - seconds:
            window.popleft()
        most = max(most, len(window))
    return most


def daemon_peak(pid):
    with open("/proc/%d/status" % pid) as f:
        return int(re.search(r"^VmHWM:\s+(\d+)", f.read(), re.M)[1])


# What is granted says whose it is: that of rt-7 is at-7-new, so that Graph can tell whose account a token is.
AUTHORITY = """worker_processes 1; daemon off; pid {d}/nginx.pid; error_log {d}/error.log; worker_rlimit_nofile 16384;
events {{ worker_connections 8192; }}
http {{ log_format renewal '$msec $request_body'; access_log off;
  client_body_temp_path {d}/b; proxy_temp_path {d}/p; fastcgi_temp_path {d}/f; uwsgi_temp_path {d}/u; scgi_temp_path {d}/s;
  client_body_buffer_size 16k; default_type application/json; keepalive_requests 100000;
  map $request_body $whose {{ ~refresh_token=rt-(?<a>[0-9]+) $a; }}
  map $http_authorization $user {{ ~at-(?<b>[0-9]+) $b; }}
  server {{ listen 127.0.0.1:{port} ssl backlog=4096; ssl_certificate {ca}/cert.pem; ssl_certificate_key {ca}/key.pem; ssl_session_cache shared:s:32m;
    location / {{ return 404; }}
    location ~ /oauth2/v2.0/token$ {{ access_log {d}/renewals renewal; proxy_set_header X-Whose $whose; proxy_pass http://127.0.0.1:{inner}; }}
    location = /v1.0/me {{ return 200 '{{"id":"0d7f2f9a-46f1-4b2b-9a4a-6a2c5f3b7700","mail":"user$user@bench.example"}}'; }}
    location = /v1.0/delta {{ return 200 '{{"value":[],"@odata.deltaLink":"https://graph.microsoft.com/v1.0/delta"}}'; }} }}
  server {{ listen 127.0.0.1:{inner};
    location / {{ return 200 '{{"token_type":"Bearer","scope":"User.Read Mail.ReadWrite Mail.Send Calendars.ReadWrite","expires_in":3599,
"access_token":"at-$http_x_whose-new","refresh_token":"rt-$http_x_whose-new"}}'; }} }}
}}
"""

PARTS = {"pages": "A mailbox of 20,000 messages through Graph", "client": "The same beside Microsoft's own client",
         "renewals": "Grants of %d mailboxes that end within one minute" % GRANTS}


def measure(table, tool, build, chosen=()):
    with tempfile.TemporaryDirectory(prefix="mailmoor-bench-graph-") as folder:
        os.chmod(folder, 0o755)      # nginx's workers are somebody else
        bench = Bench(tool, build, folder)
        for name, title in PARTS.items():
            if not chosen or name in chosen:
                table.part(title, getattr(bench, name))
                table.note("load on this machine: %s" % " ".join("%.1f" % n for n in os.getloadavg()))


def main():
    import bench
    build = os.path.abspath(sys.argv[1])
    table = bench.Table()
    measure(table, lambda name: bench.tool(build, name), build, sys.argv[2:])
    table.summary()
    return 1 if table.unmeasured else 0


if __name__ == "__main__":
    import graph      # the one that bench.py includes
    sys.exit(graph.main())
