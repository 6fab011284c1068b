#!/usr/bin/env python3
"""What the first look at a calendar of 10,000 events costs, at a real Radicale over TLS: each event read into our model, against curl that asks the
same into nothing, and against vdirsyncer.

    caldav.py BUILD [PART...]      parts: sync
"""
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import exchange
from exchange import Unmeasured, used_by

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "flows"))
EVENTS, AT_A_TIME = 10000, 100      # as many as our client asks for in one go
ROUNDS = 5
USER = "ann@birch.example"
PATH = "/ann%40birch.example/work/"
WORDS = "quarterly figures and what follows from them for the meeting on Tuesday invoice reminder release notes travel plan".split()
ZONE = ("BEGIN:VTIMEZONE", "TZID:Europe/Berlin", "BEGIN:DAYLIGHT", "DTSTART:19810329T020000", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200", "TZNAME:CEST",
        "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "END:DAYLIGHT", "BEGIN:STANDARD", "DTSTART:19961027T030000", "TZOFFSETFROM:+0200", "TZOFFSETTO:+0100", "TZNAME:CET",
        "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU", "END:STANDARD", "END:VTIMEZONE")
SYNC = ('<?xml version="1.0" encoding="utf-8"?><d:sync-collection xmlns:d="DAV:"><d:sync-token></d:sync-token><d:sync-level>1</d:sync-level>'
        '<d:prop><d:getetag/></d:prop></d:sync-collection>')
FETCH = ('<?xml version="1.0" encoding="utf-8"?><c:calendar-multiget xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:prop><d:getetag/><c:calendar-data/></d:prop>'
         '%s</c:calendar-multiget>')


def event(n, dice):
    """As programs write them: a text, some guests; one in ten comes again, one in twenty has its zone beside it, which takes Radicale long to read."""
    text = " ".join(dice.choice(WORDS) for _ in range(dice.randrange(2, 30)))
    day, hour = "2026%02d%02d" % (n % 12 + 1, n % 28 + 1), n % 9 + 8
    start, end = ("%s:%sT%02d0000%s" % ((";TZID=Europe/Berlin" if n % 20 == 0 else ""), day, h, "" if n % 20 == 0 else "Z") for h in (hour, hour + 1))
    return "\r\n".join((
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//bench//EN", *(ZONE if n % 20 == 0 else ()), "BEGIN:VEVENT", "UID:bench-%05d" % n, "DTSTAMP:20260101T000000Z",
        "DTSTART" + start, "DTEND" + end,
        *(("RRULE:FREQ=WEEKLY;COUNT=20",) if n % 10 == 0 else ()), "SUMMARY:Event %d %s" % (n, dice.choice(WORDS)), "DESCRIPTION:" + text,
        "ORGANIZER:mailto:ann@birch.example", *("ATTENDEE;PARTSTAT=ACCEPTED:mailto:bob%d@fabrikam.example" % k for k in range(n % 4)),
        "END:VEVENT", "END:VCALENDAR", ""))


class Reading:
    """What bench-caldav says."""

    def __init__(self, command):
        self.wall, _, out = used_by(command)
        events, _, cpu, peak = out.split()
        self.events, self.cpu, self.peak = int(events), int(cpu) / 1e6, int(peak)


class Bench:
    def __init__(self, tool, build, folder):
        self.reader, self.build, self.folder = tool("bench-caldav"), build, folder

    def server(self):
        """With the events as files, which it reads, and keeps what it made of them, when they are asked for the first time."""
        import calendars
        exchange.certificate(self.folder)
        self.ca = os.path.join(self.folder, "cert.pem")
        server = calendars.Radicale(os.path.join(self.folder, "radicale"), "127.0.0.1", (self.ca, os.path.join(self.folder, "key.pem")), (USER,))
        server.calendar(USER, "work")
        dice, size = random.Random(7), 0
        there = os.path.join(server.folder, "data", "collection-root", USER, "work")
        for n in range(EVENTS):
            text = event(n, dice)
            size += len(text)
            with open(os.path.join(there, "bench-%05d.ics" % n), "w", newline="", encoding="utf-8") as f:
                f.write(text)
        return server, size

    def curl(self, server):
        """One curl, one after the other what our client asks: for all there is, then a hundred at a time."""
        names = ["%sbench-%05d.ics" % (PATH, n) for n in range(EVENTS)]
        bodies = [("0", SYNC)] + [("1", FETCH % "".join("<d:href>%s</d:href>" % x for x in names[at:at + AT_A_TIME])) for at in range(0, EVENTS, AT_A_TIME)]
        words = []
        for n, (depth, body) in enumerate(bodies):
            file = os.path.join(self.folder, "body%d" % n)
            with open(file, "w") as f:
                f.write(body)
            words += [*(["--next"] if n else []), "-s", "--fail", "--cacert", self.ca, "-u", "%s:%s" % (USER, server.password), "-X", "REPORT", "-H", "Depth: " + depth,
                      "-H", "Content-Type: application/xml; charset=utf-8", "-H", "Expect:", "--data-binary", "@" + file, "-o", "/dev/null",
                      "https://127.0.0.1:%d%s" % (server.port, PATH)]
        return ["curl", *words]

    def vdirsyncer(self, server):
        """(wall clock, processor) of its first sync, into a folder of files."""
        import caldav_cloud
        place = caldav_cloud.Place(self.build, self.folder)
        here, run = place.pair("https://127.0.0.1:%d/" % server.port, USER, server.password, self.ca, {})
        if run("discover").returncode:
            raise Unmeasured("vdirsyncer does not find the calendar")
        config = os.path.join(os.path.dirname(here), "config")
        wall, cpu, _ = used_by([caldav_cloud.VDIRSYNCER, "-c", config, "sync"])
        got = len(os.listdir(os.path.join(here, "work")))
        if got != EVENTS:
            raise Unmeasured("vdirsyncer got %d events" % got)
        return wall, cpu

    def sync(self, table):
        server, size = self.server()
        try:
            ours = [self.reader, str(server.port), self.ca, USER, server.password, PATH]
            curl = self.curl(server)
            used_by(curl)      # what it makes of the files the first time is no matter of ours
            begun = used(server.process.pid)
            rounds = [(used_by(curl), Reading(ours)) for _ in range(ROUNDS)]
            served = (used(server.process.pid) - begun) / ROUNDS / 2
            theirs, their_cpu = self.vdirsyncer(server)
        finally:
            server.close()
        if any(r.events != EVENTS for _, r in rounds):
            raise Unmeasured("%d events were read" % rounds[0][1].events)
        wall, cpu, peak = (statistics.median(getattr(r, what) for _, r in rounds) for what in ("wall", "cpu", "peak"))
        ratio = statistics.median(r.wall / c[0] for c, r in rounds)
        curls, curl_cpu = (statistics.median(c[n] for c, _ in rounds) for n in (0, 1))
        table.row("time ÷ curl's into nothing", "%.2f" % ratio, "at most 1.5", ratio <= 1.5)
        table.row("       ours", "%.2f s" % wall)
        table.row("       curl's", "%.2f s" % curls)
        table.row("       of it Radicale's own processor, each time", "%.2f s" % served)
        table.row("times as fast as vdirsyncer", "%.1f" % (theirs / wall), "at least 3", theirs / wall >= 3)
        table.row("       its time", "%.2f s" % theirs)
        table.row("processor for 1,000 events", "%.2f ms" % (cpu * 1e6 / EVENTS))
        table.row("       curl's", "%.2f ms" % (curl_cpu * 1e6 / EVENTS))
        table.row("       vdirsyncer's", "%.2f ms" % (their_cpu * 1e6 / EVENTS))
        table.row("times less processor than vdirsyncer", "%.1f" % (their_cpu / cpu))
        table.row("peak memory", "%.1f MiB" % (peak / 1024))
        table.note("%d events, %.1f MB, TLS, a connection for each of %d requests; median of %d pairs in turns, vdirsyncer once" % (
            EVENTS, size / 1e6, EVENTS // AT_A_TIME + 1, ROUNDS))


def used(pid):
    """Processor seconds of a process so far."""
    with open("/proc/%d/stat" % pid) as f:
        fields = re.sub(r"^.*\) ", "", f.read()).split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


PARTS = {"sync": "Calendar of %d events at a real Radicale" % EVENTS}


def measure(table, tool, build, chosen=()):
    # in memory, where that is to be had: Radicale would wait for a disk at each event that it has read for the first time
    with tempfile.TemporaryDirectory(prefix="mailmoor-bench-caldav-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:
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
    sys.exit(main())
