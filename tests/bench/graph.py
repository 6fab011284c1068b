#!/usr/bin/env python3
"""What going through a mailbox at Microsoft 365 costs: the delta of 20,000 messages, its pages made beforehand and served by nginx over TLS, each
message read into our model, against curl that fetches the same pages into nothing and against Microsoft's own client.

    graph.py BUILD [PART...]      parts: pages client
"""
import base64
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import exchange
from exchange import Unmeasured, used_by

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "flows"))
HOST = "graph.microsoft.com"
MESSAGES, FEW, PAGE = 20000, 1000, 250      # as many in a page as the watch asks for
ROUNDS, CLIENT_ROUNDS = 41, 5
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
        HOST, leads[0], HOST, leads[1], ",".join(message(n, dice) for n in range(first, last)))


class Reading:
    """What bench-graph says."""

    def __init__(self, command):
        self.wall, _, out = used_by(command)
        messages, _, cpu, peak = out.split()
        self.messages, self.cpu, self.peak = int(messages), int(cpu) / 1e6, int(peak)


class Bench(exchange.Bench):
    def __init__(self, tool, build, folder):
        super().__init__(tool, build, folder)
        self.graph_reader, self.build = tool("bench-graph"), build

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
        curl = ["curl", "-s", "--fail", "--cacert", self.ca, "--connect-to", "%s:443:127.0.0.1:%d" % (HOST, self.port)]
        for n in range(count):
            curl += ["-o", "/dev/null", "https://%s/v1.0/delta/%d.json" % (HOST, n)]
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
        env = {**os.environ, "NODE_EXTRA_CA_CERTS": self.ca, "PLACES": json.dumps({HOST + ":443": ["127.0.0.1", self.port]})}
        pairs = []
        with self.nginx():
            for _ in range(CLIENT_ROUNDS):
                out = subprocess.run(["node", "--require", "./led.cjs", "graph.mjs", "https://%s/v1.0/delta/0.json" % HOST], cwd=place, env=env, check=True,
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


PARTS = {"pages": "A mailbox of 20,000 messages through Graph", "client": "The same beside Microsoft's own client"}


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
