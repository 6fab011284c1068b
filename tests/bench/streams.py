#!/usr/bin/env python3
"""What a mailbox at Exchange costs the daemon in memory, polled, with a stream, and with one that many share: resident memory with so many of
them, less that with none.

    streams.py BUILD
"""
import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "flows"))

import exchange
import peers
from peers import PASSWORD, until

MANY = 240


class Town(exchange.Town):
    def open(self, *options, **more):
        people = ["--account=p%03d@%s:%s" % (n, exchange.DOMAIN, PASSWORD) for n in range(MANY)]
        people.append("--account=service@%s:%s" % (exchange.DOMAIN, PASSWORD))
        super().open(*people, *options, **more)

    def resident(self):
        """The least within some seconds: what a storm of sign-ins leaves goes back to the system a moment later."""
        end, sizes = time.monotonic() + 15, []
        while time.monotonic() < end:
            sizes.append(self.resident_now())
            time.sleep(0.1)
        return min(sizes)

    def resident_now(self):
        with open("/proc/%d/status" % self.daemon.popen.pid) as f:
            return next(int(line.split()[1]) for line in f if line.startswith("RssAnon"))

    def settle(self, count, streams):
        until(lambda: self.parked(count), 60, "parked: %d" % self.figure("mailboxes_parked"))
        until(lambda: self.figure("exchange_streams") == (count if streams != "off" else 0), 90, "streams")

    def measure(self, count, streams, **more):
        """KiB, after a fresh start with so many; with `more` they are connected anew."""
        self.daemon.stop()
        self.daemon.settings |= {"watch.ews_streaming": "off", "watch.ews_poll": "3600"}
        self.daemon.start()
        if more:
            self.tidy()
        for n in range(count - len(self.made)):
            self.connect(user="p%03d" % n, **more)
        self.daemon.stop()
        self.daemon.settings["watch.ews_streaming"] = streams
        self.daemon.start()
        self.settle(count, streams)
        return self.resident()


def main():
    binary = os.path.join(os.path.abspath(sys.argv[1]), "mailmoor")
    if not peers.ROOT:
        print("streams: left out, port 443 wants root")
        return 0
    with Town(binary, binary) as town:
        town.build()
        service = {"username": "service@" + exchange.DOMAIN, "impersonate": True}
        none, polled, streamed = town.measure(0, "off"), town.measure(MANY, "off"), town.measure(MANY, "on")
        shared = town.measure(MANY, "shared", **service)
    print("memory of each of %d mailboxes at Exchange: polled %.1f KiB, with a stream %.1f KiB, with a shared one %.1f KiB (of %s KiB in all)"
          % (MANY, *((size - none) / MANY for size in (polled, streamed, shared)), "%d, %d, %d and %d" % (none, polled, streamed, shared)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
