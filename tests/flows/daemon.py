"""A running daemon for the tests: started in a folder of its own, spoken to by its API, stopped whatever happens."""
import contextlib
import http.client
import json
import os
import re
import signal
import subprocess

from peers import DOMAIN, Failed, until

START_S = 20


class Answer:
    def __init__(self, status, headers, text):
        self.status, self.headers, self.text = status, headers, text

    @property
    def json(self):
        return json.loads(self.text)


class Daemon:
    """`settings`: {"web.listen": …}; the store and its key are kept in `folder` from start to start. `wrapper` is what starts it, and
    `descriptors` what it inherits, `options` what its command is given."""

    def __init__(self, binary, folder, settings, wrapper=(), descriptors=(), options=()):
        self.binary, self.folder, self.settings = binary, folder, dict(settings)
        self.wrapper, self.options, self.descriptors = list(wrapper), tuple(options), tuple(descriptors)
        self.settings.setdefault("web.listen", "127.0.0.1:0")
        self.key = self.link = self.popen = None
        self.starts = 0
        os.makedirs(folder, exist_ok=True)

    def environment(self, more=()):
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("MAILMOOR_", "SSL_CERT")) and not k.lower().endswith("_proxy")}
        clean |= {"MAILMOOR_" + k.replace(".", "_").upper(): v for k, v in {**self.settings, **dict(more)}.items()}
        return {**clean, "STATE_DIRECTORY": os.path.join(self.folder, "state")}

    def doctor(self, more=()):
        """What it says of this daemon without asking anybody else, {id: remark}; `more`: settings beside the daemon's."""
        ran = subprocess.run([self.binary, "doctor", "--here", "--json"], stdin=subprocess.DEVNULL, capture_output=True, env=self.environment(more), timeout=60)
        return {r["id"]: r for r in json.loads(ran.stdout)["remarks"]}

    def start(self):
        self.starts += 1
        self.out = os.path.join(self.folder, "out")
        self.log = os.path.join(self.folder, "log")
        with open(self.out, "w") as out, open(self.log, "a") as log:
            self.popen = subprocess.Popen([*self.wrapper, self.binary, "serve", *self.options], stdin=subprocess.DEVNULL, stdout=out, stderr=log,
                                          pass_fds=self.descriptors, env=self.environment())
        until(self.is_up, START_S, "the daemon: " + self.log)
        return self

    def is_up(self):
        with open(self.out) as f:
            said = f.read()
        place = re.search(r"pages and API +(\S+)", said)
        if not place or not said.endswith("\n\n"):
            if self.popen.poll() is not None:
                raise Failed("the daemon ended with %s: %s" % (self.popen.returncode, self.said()[-2000:]))
            return False
        # with a base_url of its own that is what it shows
        address, _, port = (self.settings["web.listen"] if "web.base_url" in self.settings else place[1].partition("//")[2]).rpartition(":")
        self.address, self.port = address, int(port)
        first = re.search(r"first key +(mm_\w+)", said)
        if first:
            self.key = first[1]
            self.link = re.search(r"(/connect/\w+)", said)[1]
        return True

    def said(self):
        with open(self.log, errors="replace") as f:
            return f.read()

    def request(self, method, path, body=None, key=None, headers=None):
        connection = http.client.HTTPConnection(self.address, self.port, timeout=30)
        fields = {"Authorization": "Bearer " + (key or self.key)} if key != "" else {}
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            fields["Content-Type"] = "application/json"
        with contextlib.closing(connection):
            connection.request(method, path, body, {**fields, **(headers or {})})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read().decode(errors="replace"))

    def api(self, method, path, body=None, expect=(200, 201, 202, 204), **more):
        answer = self.request(method, path, body, **more)
        if answer.status not in expect:
            raise Failed("%s %s: %d %s" % (method, path, answer.status, answer.text[:600]))
        return answer.json if answer.text else None

    def account(self, id):
        return self.api("GET", "/v1/accounts/" + id)

    def wait_state(self, id, state, seconds=30):
        """The account once it is in that state (or one of those)."""
        wanted = (state,) if isinstance(state, str) else state
        try:
            until(lambda: self.account(id)["state"] in wanted, seconds, "")
        except Failed:
            raise Failed("not %s within %d s: %s" % (" or ".join(wanted), seconds, self.account(id))) from None
        return self.account(id)

    def events(self, after=0, type=None, account=None):
        found = []
        while True:
            path = "/v1/events?limit=200&after=%s" % after
            path += "&type=" + type if type else ""
            path += "&account=" + account if account else ""
            page = self.api("GET", path)["items"]
            found += page
            if len(page) < 200:
                return found
            after = page[-1]["seq"]

    def stop(self, how=signal.SIGTERM, seconds=15):
        if not self.popen or self.popen.poll() is not None:
            return
        self.popen.send_signal(how)
        try:
            self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            raise Failed("the daemon did not stop within %d s: %s" % (seconds, self.said()[-1500:])) from None
        if how == signal.SIGTERM and self.popen.returncode != 0:
            raise Failed("the daemon ended with %d: %s" % (self.popen.returncode, self.said()[-2000:]))

    def close(self):
        self.stop(signal.SIGKILL)

    def state_files(self):
        at = os.path.join(self.folder, "state")
        return [os.path.join(at, f) for f in os.listdir(at)]


def zone(names, address, domain=DOMAIN):
    """The records by which a domain's mailboxes are found."""
    imap, smtp = "imap." + domain, "smtp." + domain
    names.records |= {
        (domain, "MX"): ["10 mx." + domain], ("mx." + domain, "A"): [address], (imap, "A"): [address], (smtp, "A"): [address],
        ("_imaps._tcp." + domain, "SRV"): ["0 1 993 " + imap], ("_submissions._tcp." + domain, "SRV"): ["0 1 465 " + smtp]}


def network(names, ca, places):
    """Settings that lead to servers of the tests: {(host, port): (address, port)}."""
    return {"net.resolver": "%s:%d" % (names.address, names.port), "net.ca_file": ca.root, "net.allow": "127.0.0.0/8",
            "net.connect_to": " ".join("%s:%d=%s:%d" % (h, p, a, q) for (h, p), (a, q) in places.items())}
