#!/usr/bin/env python3
"""The sandbox's calendar server, held honest: tsdav, vdirsyncer and curl work with it, who know nothing of us; vdirsyncer also with a real Radicale,
so that what it does is known.

    caldav_cloud.py BUILD [--only REGEX]

The rows of tsdav want Node, and `npm ci` in the build folder as tests/dav says.
"""
import http.client
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import calendars
import peers
import sandboxed
from peers import hold
from rows import Rows, arguments

row = Rows()
HERE = os.path.dirname(os.path.abspath(__file__))
VDIRSYNCER = shutil.which("vdirsyncer") or "/usr/bin/vdirsyncer"
DOMAIN = "contoso.example"
ANNA, HOST = "anna@" + DOMAIN, "dav." + DOMAIN
HOME = "/dav/calendars/anna%40contoso.example/"

# led to where the server is, as a resolver and another port would
LED = """import json, os, socket
places, real = json.loads(os.environ["PLACES"]), socket.getaddrinfo
def getaddrinfo(host, port, *args, **more):
    place = places.get("%s:%s" % (host, port))
    return real(*place, *args, **more) if place else real(host, port, *args, **more)
socket.getaddrinfo = getaddrinfo
"""
PAIR = """[general]
status_path = "{folder}/status"
[pair both]
a = "here"
b = "there"
collections = ["from a", "from b"]
conflict_resolution = "a wins"
[storage here]
type = "filesystem"
path = "{folder}/here"
fileext = ".ics"
[storage there]
type = "caldav"
url = "{url}"
username = "{user}"
password = "{password}"
verify = "{ca}"
"""
EVENT = "\r\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", "BEGIN:VEVENT", "UID:%s", "DTSTAMP:20260101T000000Z", "DTSTART:20300105T100000Z",
                     "DURATION:PT1H", "SUMMARY:%s", "END:VEVENT", "END:VCALENDAR", ""))


def same(got, wanted, what):
    hold(got == wanted, "%s: %s, not %s" % (what, got, wanted))


class Server(sandboxed.Sandbox):
    """The sandbox with calendars, asked without any library that knows them."""

    def __init__(self, t, *options):
        super().__init__(t.binary, t.folder, "--caldav", *options)
        self.host, self.ca, self.url, self.user, self.password = HOST, self.told["ca_file"], "https://%s/" % HOST, ANNA, self.account["password"]

    def map(self):
        return {"%s:%d" % place: there for place, there in self.places.items()}

    def ask(self, method, path, body=b"", **headers):
        address, port = self.places[HOST, 443]
        c = http.client.HTTPSConnection(address, port, timeout=20, context=ssl._create_unverified_context())
        credentials = calendars.basic(self.user, self.password)
        c.request(method, path, body, {"Host": HOST, "Authorization": credentials, **{k.replace("_", "-"): v for k, v in headers.items()}})
        answer = c.getresponse()
        status, fields, body = answer.status, dict(answer.getheaders()), answer.read()
        c.close()
        return status, fields, body


class Place:
    daemon = None

    def __init__(self, build, folder):
        self.binary, self.folder, self.node = os.path.join(build, "mailmoor"), folder, os.path.join(build, "dav-node")
        self.ways = 0

    def tsdav(self, s, *arguments):
        p = subprocess.run(["node", "--require", os.path.join(self.node, "led.cjs"), os.path.join(self.node, "client.mjs"), *arguments], capture_output=True, text=True,
                           timeout=60, cwd=self.node, env={**os.environ, "NODE_EXTRA_CA_CERTS": s.ca, "PLACES": json.dumps(s.map())})
        return p

    def pair(self, url, user, password, ca, places):
        """A folder here and a server there, and vdirsyncer between them."""
        self.ways += 1
        folder = os.path.join(self.folder, "pair%d" % self.ways)
        os.makedirs(os.path.join(folder, "here"))
        calendars.write(folder, {"config": PAIR.format(folder=folder, url=url, user=user, password=password, ca=ca), "sitecustomize.py": LED})

        def run(*command):
            return subprocess.run([VDIRSYNCER, "-c", os.path.join(folder, "config"), *command], capture_output=True, text=True, timeout=60, input="y\n" * 20,
                                  env={**os.environ, "PYTHONPATH": folder, "PLACES": json.dumps(places)})
        return os.path.join(folder, "here"), run


def sync(run):
    p = run("sync")
    hold(p.returncode == 0, "vdirsyncer: %s%s" % (p.stdout, p.stderr))


def titles(folder):
    found = []
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), newline="", encoding="utf-8") as f:
            found += [line[8:] for line in f.read().splitlines() if line.startswith("SUMMARY:")]
    return sorted(found)


def put_here(folder, name, title):
    with open(os.path.join(folder, name + ".ics"), "w", newline="", encoding="utf-8") as f:
        f.write(EVENT % (name, title))


def go_both_ways(here, run, there):
    """`there`: a server's (title → None), (name, title) and so on; all that two sides can do to each other."""
    put_here(here, "mine", "Mine")
    there.put("yours", "Yours")
    sync(run)
    hold({"Mine", "Yours"} <= set(titles(here)) and {"Mine", "Yours"} <= set(there.titles()), "both have both: %s %s" % (titles(here), there.titles()))
    there.put("yours", "Yours changed")
    put_here(here, "mine", "Mine changed")
    sync(run)
    hold({"Mine changed", "Yours changed"} <= set(titles(here)) and {"Mine changed", "Yours changed"} <= set(there.titles()), "changes: %s" % titles(here))
    there.put("mine", "Changed there")
    put_here(here, "mine", "Changed here")
    sync(run)
    hold("Changed here" in there.titles() and "Changed there" not in there.titles(), "who wins: %s" % there.titles())
    there.drop("yours")
    os.remove(os.path.join(here, "mine.ics"))
    sync(run)
    left = set(titles(here)) | set(there.titles())
    hold(not any(x.startswith(("Yours", "Mine", "Changed")) for x in left), "left: %s" % left)
    sync(run)


class There:
    """A calendar at a server: `ask` as that has it."""

    def __init__(self, ask, path):
        self.ask, self.path = ask, path

    def names(self):
        status, _, body = self.ask("PROPFIND", self.path, calendars.ETAGS, Depth="1", Content_Type="application/xml")
        same(status, 207, "PROPFIND")
        return sorted({part.split(b"</")[0].decode().rsplit("/", 1)[1] for part in body.replace(b"<d:href>", b"<href>").replace(b"<D:href>", b"<href>").split(b"<href>")[1:]} - {""})

    def where(self, uid):
        """An event goes by whatever name it was put there."""
        for name in self.names():
            _, _, body = self.ask("GET", self.path + name)
            if b"UID:%s\r\n" % uid.encode() in body:
                return self.path + name
        return self.path + uid + ".ics"

    def put(self, uid, title):
        status, _, body = self.ask("PUT", self.where(uid), (EVENT % (uid, title)).encode(), Content_Type="text/calendar")
        hold(status in (201, 204), "PUT: %d %s" % (status, body))

    def drop(self, uid):
        status, _, _ = self.ask("DELETE", self.where(uid))
        hold(status in (200, 204), "DELETE: %d" % status)

    def titles(self):
        found = []
        for name in self.names():
            _, _, body = self.ask("GET", self.path + name)
            found += [line[8:] for line in body.decode().split("\r\n") if line.startswith("SUMMARY:")]
        return sorted(found)


# -- tsdav ------------------------------------------------------------------------------------------------------------------------------------

@row
def tsdav_finds_reads_writes_and_follows(t):
    s = Server(t)
    try:
        p = t.tsdav(s, s.url, s.user, s.password)
        hold(p.returncode == 0, "tsdav: %s" % p.stderr[-1500:])
        seen = json.loads(p.stdout)
    finally:
        s.stop()
    same({c["name"]: c["components"] for c in seen["calendars"]}, {"Calendar": ["VEVENT"], "Tasks": ["VTODO"]}, "calendars")
    hold(all(c["ctag"] and c["syncToken"] and "syncCollection" in c["reports"] for c in seen["calendars"]), "what they can: %s" % seen["calendars"])
    same(sorted(line for x in seen["atFirst"] for line in x.split("\r\n") if line.startswith("SUMMARY")), ["SUMMARY:Grüße\\, 日本", "SUMMARY:Weekly meeting"], "at first")
    same((seen["made"], seen["again"], seen["sameUid"], seen["noEvent"]), ([201, True], 412, 409, 403), "writing")
    same((seen["inRange"], seen["outOfRange"]), (True, 0), "by time")
    same((seen["updated"], seen["stale"], seen["now"], seen["isDirty"]), (204, 412, True, True), "over what is there")
    hold([x[0] for x in seen["changes"]] == [207] and seen["changes"][0][1].endswith("/one.ics"), "what changed: %s" % seen["changes"])
    same(seen["removed"], 204, "removed")
    hold([x[0] for x in seen["gone"]] == [404] and seen["gone"][0][1].endswith("/one.ics"), "what is gone: %s" % seen["gone"])
    same(sorted(seen["names"]), ["Calendar", "New one", "Tasks"], "a new calendar")


@row
def tsdav_is_refused(t):
    for faults in (("wrong-password",), ("caldav-page=404",), ("caldav-sign-in",)):
        s = Server(t, *("--fault=" + f for f in faults))
        try:
            p = t.tsdav(s, s.url, s.user, s.password)
        finally:
            s.stop()
        hold(p.returncode != 0 and "cannot find principalUrl" in p.stderr, "%s: %s %s" % (faults, p.stdout, p.stderr[-600:]))


# -- vdirsyncer -------------------------------------------------------------------------------------------------------------------------------

@row
def vdirsyncer_discovers_and_goes_both_ways(t):
    s = Server(t)
    try:
        here, run = t.pair(s.url, s.user, s.password, s.ca, s.map())
        p = run("discover")
        hold(p.returncode == 0 and sorted(os.listdir(here)) == ["calendar", "tasks"], "discovered: %s %s%s" % (os.listdir(here), p.stdout, p.stderr))
        sync(run)
        same(titles(os.path.join(here, "calendar")), ["Grüße\\, 日本", "Weekly meeting"], "what came")
        go_both_ways(os.path.join(here, "calendar"), run, There(s.ask, HOME + "calendar/"))
        log = s.log()
    finally:
        s.stop()
    hold({"calendar-multiget", "calendar-query"} & {line.get("operation") for line in log} and all(line["status"] < 500 for line in log), "what was asked: %s" % log[-5:])


@row
def vdirsyncer_makes_a_calendar_that_is_only_here(t):
    s = Server(t)
    try:
        here, run = t.pair(s.url, s.user, s.password, s.ca, s.map())
        os.makedirs(os.path.join(here, "fresh"))
        p = run("discover")
        hold(p.returncode == 0, "%s%s" % (p.stdout, p.stderr))
        put_here(os.path.join(here, "fresh"), "first", "The first")
        sync(run)
        same(There(s.ask, HOME + "fresh/").titles(), ["The first"], "there")
    finally:
        s.stop()


@row
def vdirsyncer_is_refused(t):
    s = Server(t, "--fault=wrong-password")
    try:
        p = t.pair(s.url, s.user, s.password, s.ca, s.map())[1]("discover")
        hold(p.returncode != 0 and "401" in p.stdout + p.stderr, "%s%s" % (p.stdout, p.stderr))
    finally:
        s.stop()
    s = Server(t, "--fault=caldav-read-only")
    try:
        here, run = t.pair(s.url, s.user, s.password, s.ca, s.map())
        run("discover")
        put_here(os.path.join(here, "calendar"), "mine", "Mine")
        p = run("sync")
        hold(p.returncode != 0 and "403" in p.stdout + p.stderr, "%s%s" % (p.stdout, p.stderr))
        hold("Mine" not in There(s.ask, HOME + "calendar/").titles(), "it was written")
    finally:
        s.stop()


@row
def vdirsyncer_does_the_same_at_a_real_radicale(t):
    with peers.Peers() as p:
        host, ann = "cal." + peers.DOMAIN, "ann@" + peers.DOMAIN
        r = p.stack.add(calendars.Radicale(os.path.join(p.folder, "radicale"), p.address(), p.ca.issue("good", host), (ann,)))
        r.calendar(ann, "work")
        here, run = t.pair("https://%s/" % host, ann, r.password, p.ca.root, {host + ":443": (r.address, r.port)})
        done = run("discover")
        hold(done.returncode == 0 and os.listdir(here) == ["work"], "discovered: %s%s" % (done.stdout, done.stderr))

        def ask(method, path, body=b"", **headers):
            status, answer = r.ask(ann, method, path, body, **{k.replace("_", "-"): v for k, v in headers.items()})
            return status, {}, answer
        go_both_ways(os.path.join(here, "work"), run, There(ask, "/%s/work/" % ann))


# -- curl: Digest, and what no client does by itself --------------------------------------------------------------------------------------------

def curl(s, *arguments):
    """(status, body)"""
    led = [x for (host, port), (address, at) in s.places.items() for x in ("--connect-to", "%s:%d:%s:%d" % (host, port, address, at))]
    p = subprocess.run(["curl", "-s", "--cacert", s.ca, "-w", "\n%{http_code}", *led, *arguments], capture_output=True, text=True, timeout=30)
    body, _, status = p.stdout.rpartition("\n")
    return int(status), body


@row
def curl_signs_in_by_digest(t):
    for scheme in ("digest", "digest-sha256", "digest-sha256,digest"):
        s = Server(t, "--fault=caldav-schemes=" + scheme)
        try:
            who = ("-X", "PROPFIND", "-H", "Depth: 0", s.url + "dav/")
            same(curl(s, "--digest", "-u", "%s:%s" % (s.user, s.password), *who)[0], 207, scheme)
            same(curl(s, "--digest", "-u", "%s:%s" % (s.user, "wrong"), *who)[0], 401, scheme + ", wrong")
            same(curl(s, "--basic", "-u", "%s:%s" % (s.user, s.password), *who)[0], 401, scheme + " by Basic")
        finally:
            s.stop()


@row
def busy_times_are_told(t):
    s = Server(t)
    try:
        path = HOME + "calendar/"
        for uid, title in (("one", "One"), ("two", "Two")):
            There(s.ask, path).put(uid, title)
        body = b'<c:free-busy-query xmlns:c="urn:ietf:params:xml:ns:caldav"><c:time-range start="20300105T000000Z" end="20300106T000000Z"/></c:free-busy-query>'
        status, fields, answer = s.ask("REPORT", path, body, Depth="1", Content_Type="application/xml")
        same((status, fields["Content-Type"].split(";")[0]), (200, "text/calendar"), "the answer")
        same([line for line in answer.decode().split("\r\n") if line.startswith("FREEBUSY")], ["FREEBUSY;FBTYPE=BUSY:20300105T100000Z/20300105T110000Z"], "two at a time are one")
    finally:
        s.stop()


@row
def what_may_not_stand_there_is_refused(t):
    s = Server(t)
    try:
        path = HOME + "calendar/x.ics"
        for text, condition in ((EVENT % ("x", "X\r\nMETHOD:REQUEST"), "201"), ((EVENT % ("x", "X")).replace("VERSION:2.0", "VERSION:2.0\r\nMETHOD:REQUEST"), "valid-calendar-object-resource"),
                                ((EVENT % ("x", "X")).replace("VEVENT", "VTODO"), "supported-calendar-component"), ("nothing", "valid-calendar-data"),
                                ((EVENT % ("x", "X")).replace("BEGIN:VEVENT", "BEGIN:VTIMEZONE\r\nTZID:Bomb\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0000\r\n"
                                                              "TZOFFSETTO:+0000\r\nRRULE:FREQ=SECONDLY\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT"), "valid-calendar-data")):
            status, _, body = s.ask("PUT", path, text.encode(), Content_Type="text/calendar")
            hold(condition in body.decode() + str(status), "%s: %d %s" % (condition, status, body))
            s.ask("DELETE", path)
        for body, wanted in ((b"<!DOCTYPE x [<!ENTITY a \"b\">]><d:propfind xmlns:d=\"DAV:\"/>", 400), (b"<d:propfind", 400)):
            same(s.ask("PROPFIND", "/dav/", body, Depth="0", Content_Type="application/xml")[0], wanted, body)
        same(s.ask("PROPFIND", "/dav/calendars/bert%40contoso.example/", calendars.ETAGS, Depth="0")[0], 404, "another one's")
        bomb = (EVENT % ("bomb", "Bomb")).replace("DURATION:PT1H", "DURATION:PT1H\r\nRRULE:FREQ=SECONDLY")
        same(s.ask("PUT", HOME + "calendar/bomb.ics", bomb.encode(), Content_Type="text/calendar")[0], 201, "an event that comes every second")
        query = (b'<c:calendar-query xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:d="DAV:"><d:prop><d:getetag/></d:prop><c:filter><c:comp-filter name="VCALENDAR">'
                 b'<c:comp-filter name="VEVENT"><c:time-range start="20300105T000000Z" end="20400106T000000Z"/></c:comp-filter></c:comp-filter></c:filter></c:calendar-query>')
        status, _, body = s.ask("REPORT", HOME + "calendar/", query, Depth="1", Content_Type="application/xml")
        hold(status == 207 and b"bomb.ics" in body, "%d %s" % (status, body[:300]))
    finally:
        s.stop()


def prepare_node(place):
    """As the lock file says, with its checksums, in the build folder."""
    os.makedirs(place, exist_ok=True)
    for folder, names in (("dav", ("package.json", "package-lock.json", ".npmrc", "client.mjs")), ("cloud", ("led.cjs",))):
        for name in names:
            shutil.copy(os.path.join(HERE, "..", folder, name), place)
    if not os.path.isdir(os.path.join(place, "node_modules", "tsdav")):
        done = subprocess.run(["npm", "ci", "--no-progress"], cwd=place, capture_output=True, text=True)
        hold(done.returncode == 0, "npm ci: " + done.stderr[-1000:])


def main():
    args = arguments()
    folder = tempfile.mkdtemp(prefix="caldav-cloud-")
    try:
        place = Place(os.path.abspath(args.build), folder)
        prepare_node(place.node)
        return row.run(place, args.only)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
