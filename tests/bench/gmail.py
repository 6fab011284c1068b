#!/usr/bin/env python3
"""What reading what is new at Gmail costs: 20,000 messages, the pages of a history and an answer for each message made beforehand and served by nginx
over TLS, each read into our model, against curl that fetches the same into nothing and against Google's own client.

    gmail.py BUILD [PART...]      parts: messages client
"""
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import exchange
import graph
from exchange import Unmeasured, used_by

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "flows"))
HERE_HOST = "127.0.0.1"      # by number, so that nobody is asked for a name
ME = "gmail/v1/users/me"
MESSAGES, FEW, PAGE = 20000, 1000, 100      # as many changes in a page as the watch asks for
ROUNDS, CLIENT_ROUNDS = 5, 3


def id_of(n):
    return "18f%013x" % (n * 7919 + 11)


def message(n, dice):
    """As Gmail writes what we ask for of one."""
    words = [dice.choice(graph.WORDS) for _ in range(dice.randrange(2, 9))]
    if n % 4 == 0:
        words.append(dice.choice(graph.FOREIGN))
    headers = {"From": "Bob Builder <bob%d@fabrikam.example>" % (n % 97), "To": "ann@birch.example", "Subject": " ".join(words),
               "Message-ID": "<%s@mail.fabrikam.example>" % dice.randbytes(16).hex()}
    return json.dumps({"id": id_of(n), "threadId": id_of(n), "labelIds": ["UNREAD", "IMPORTANT", "CATEGORY_PERSONAL", "INBOX"],
                       "snippet": " ".join(dice.choice(graph.WORDS) for _ in range(20)),
                       "payload": {"mimeType": "multipart/alternative", "headers": [{"name": k, "value": v} for k, v in headers.items()]},
                       "sizeEstimate": 4000 + n, "historyId": str(1001 + n), "internalDate": str(1795248000000 + n * 1000)}, indent=1, ensure_ascii=n % 8 == 0)


def page(number, count):
    changes = [{"id": str(1001 + n), "messages": [{"id": id_of(n), "threadId": id_of(n)}],
                "messagesAdded": [{"message": {"id": id_of(n), "threadId": id_of(n), "labelIds": ["UNREAD", "INBOX"]}}]} for n in range(number * PAGE, (number + 1) * PAGE)]
    more = {"nextPageToken": str(number + 1)} if (number + 1) * PAGE < count else {}
    return json.dumps({"history": changes, **more, "historyId": str(2000 + MESSAGES)}, indent=1)


class Bench(exchange.Bench):
    # which page it is stands in the query
    served = "default_type application/json; location = /%s/history { try_files /history/page$arg_pageToken.json =404; }" % ME

    def __init__(self, tool, build, folder):
        super().__init__(tool, build, folder)
        self.gmail_reader, self.build = tool("bench-gmail"), build

    def make(self):
        """The messages; their bytes."""
        dice, root = random.Random(5), os.path.join(self.folder, "pages")
        os.makedirs(os.path.join(root, ME, "messages"), exist_ok=True)
        os.makedirs(os.path.join(root, "history"), exist_ok=True)
        size = 0
        for n in range(MESSAGES):
            with open(os.path.join(root, ME, "messages", id_of(n)), "w", encoding="utf-8") as f:
                size += f.write(message(n, dice))
        self.write("0.xml", "")      # for who asks whether it is up
        self.write(ME + "/profile", '{"emailAddress":"ann@birch.example","messagesTotal":%d,"threadsTotal":1,"historyId":"1000"}' % MESSAGES)
        return size

    def history(self, count):
        """Of so many of them."""
        for number in range(count // PAGE):
            self.write("history/page%s.json" % (number or ""), page(number, count))

    def curl(self, count):
        """One, over one line that stays: the same questions in the same order."""
        base = "https://%s:%d/%s" % (HERE_HOST, self.port, ME)
        urls = []
        for number in range(count // PAGE):
            urls.append("%s/history?startHistoryId=1000&pageToken=%s" % (base, number or ""))
            urls += ["%s/messages/%s?format=metadata" % (base, id_of(n)) for n in range(number * PAGE, (number + 1) * PAGE)]
        asks = os.path.join(self.folder, "curl.conf")
        with open(asks, "w") as f:
            f.writelines('url = "%s"\noutput = "/dev/null"\n' % u for u in urls)
        return ["curl", "-s", "--fail", "--cacert", self.ca, "-K", asks]

    def read_all(self):
        return graph.Reading([self.gmail_reader, str(self.port), self.ca])

    def messages(self, table):
        """nginx on both sides the same one. In turns, so that both have the same weather."""
        size = self.make()
        with self.nginx():
            self.history(FEW)
            few = [self.read_all() for _ in range(5)]
            self.history(MESSAGES)
            curl = self.curl(MESSAGES)
            rounds = [(used_by(curl), self.read_all()) for _ in range(ROUNDS)]
        if any(ours.messages != MESSAGES for _, ours in rounds) or any(r.messages != FEW for r in few):
            raise Unmeasured("%d messages were read, not %d; %d, not %d" % (rounds[0][1].messages, MESSAGES, few[0].messages, FEW))
        ratio = statistics.median(ours.wall / theirs[0] for theirs, ours in rounds)
        cpu, few_cpu = (statistics.median(r.cpu for r in readings) for readings in ([ours for _, ours in rounds], few))
        peak, few_peak = (statistics.median(r.peak for r in readings) for readings in ([ours for _, ours in rounds], few))
        table.row("time ÷ curl's into nothing", "%.2f" % ratio, "at most 1.5", ratio <= 1.5)
        table.row("       ours", "%.0f ms" % (1000 * statistics.median(ours.wall for _, ours in rounds)))
        table.row("       curl's", "%.0f ms" % (1000 * statistics.median(theirs[0] for theirs, _ in rounds)))
        table.row("processor for each 1,000 messages", "%.2f ms" % ((cpu - few_cpu) * 1e6 / (MESSAGES - FEW)))
        table.row("processor ÷ curl's", "%.2f" % statistics.median(ours.cpu / theirs[1] for theirs, ours in rounds))
        table.row("peak memory, %d messages" % MESSAGES, "%.1f MiB" % (peak / 1024))
        table.row("       more than for %d" % FEW, "%d KiB" % (peak - few_peak))
        table.note("%d messages, %.1f MB, each by a question of its own, TLS; median of %d pairs in turns" % (MESSAGES, size / 1e6, ROUNDS))

    def client(self, table):
        """Google's own for JavaScript; of its time the start is not counted, of ours it is."""
        import google_cloud
        import peers
        place = os.path.join(self.build, "google")
        try:
            google_cloud.prepare_node(place)
        except peers.Failed as e:
            raise Unmeasured(str(e)) from e
        with open(os.path.join(HERE, "gmail.mjs")) as f, open(os.path.join(place, "gmail.mjs"), "w") as copy:
            copy.write(f.read())
        self.make()
        self.history(MESSAGES)
        env, pairs = {**os.environ, "NODE_EXTRA_CA_CERTS": self.ca}, []
        with self.nginx():
            for _ in range(CLIENT_ROUNDS):
                out = subprocess.run(["node", "gmail.mjs", "https://%s:%d/" % (HERE_HOST, self.port)], cwd=place, env=env, check=True, capture_output=True, text=True).stdout
                pairs.append((json.loads(out), self.read_all()))
        if any(theirs["messages"] != MESSAGES or ours.messages != MESSAGES for theirs, ours in pairs):
            raise Unmeasured("%s messages" % pairs[0][0]["messages"])
        ratio = statistics.median(theirs["seconds"] / ours.wall for theirs, ours in pairs)
        table.row("times as fast as Google's client for JavaScript", "%.1f" % ratio, "more than 1", ratio > 1)
        table.row("       its time", "%.0f ms" % (1000 * statistics.median(theirs["seconds"] for theirs, _ in pairs)))
        table.row("       its processor for 1,000 messages", "%.2f ms" % (statistics.median(theirs["cpu"] for theirs, _ in pairs) * 1e6 / MESSAGES))
        table.row("       its peak memory", "%.0f MiB" % (statistics.median(theirs["peak"] for theirs, _ in pairs) / 1024))
        table.note("the same messages; of its time the start is not counted, of ours it is; median of %d pairs in turns" % CLIENT_ROUNDS)


PARTS = {"messages": "20,000 new messages at Gmail", "client": "The same beside Google's own client"}


def measure(table, tool, build, chosen=()):
    with tempfile.TemporaryDirectory(prefix="mailmoor-bench-gmail-") as folder:
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
    import gmail      # the one that bench.py includes
    sys.exit(gmail.main())
