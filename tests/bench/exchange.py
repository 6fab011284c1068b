#!/usr/bin/env python3
"""What reading a mailbox of Exchange costs: 20,000 items in pages of SyncFolderItems, made beforehand and served by nginx, each read
into our model, against curl that fetches the same pages into nothing; a live server of ours, against python3-exchangelib; a message of 100 MiB.

    exchange.py BUILD [PART...]      parts: pages library message
"""
import base64
import contextlib
import json
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import types

sys.dont_write_bytecode = True

HERE = os.path.dirname(os.path.abspath(__file__))
DEBIANS = "/usr/bin/python3"      # knows Debian's packages, which another Python does not
ITEMS, FEW, PAGE = 20000, 1000, 500
LIVE = 5000                       # items in the sandbox
BIG = 100 << 20
ROUNDS = 41
T, M = "http://schemas.microsoft.com/exchange/services/2006/types", "http://schemas.microsoft.com/exchange/services/2006/messages"


class Unmeasured(Exception):
    pass


def item(n):
    """As Exchange answers the properties that we ask for: ids of that length, a folder's id in each."""
    id_ = base64.b64encode(b"\0\0\1\4" + b"bench-store-guid-0123456789abcdef" * 3 + b"%09d" % n).decode()
    folder = base64.b64encode(b"\0\0\1\4" + b"bench-store-guid-0123456789abcdef" * 2 + b"inbox-fold").decode()
    return ('<t:Create><t:Message><t:ItemId Id="%s" ChangeKey="CQAAABYAAAD%08d"/><t:ParentFolderId Id="%s" ChangeKey="AQAAAA=="/>'
            '<t:ItemClass>IPM.Note</t:ItemClass><t:Subject>Re: The quarterly figures &amp; what follows, part %d</t:Subject>'
            '<t:DateTimeReceived>2026-11-%02dT08:%02d:%02dZ</t:DateTimeReceived><t:Size>%d</t:Size><t:DateTimeSent>2026-11-20T08:00:00Z</t:DateTimeSent>'
            '<t:HasAttachments>false</t:HasAttachments><t:From><t:Mailbox><t:Name>Bob Builder</t:Name><t:EmailAddress>bob%d@fabrikam.example</t:EmailAddress>'
            '<t:RoutingType>SMTP</t:RoutingType></t:Mailbox></t:From><t:InternetMessageId>&lt;m%d@fabrikam.example&gt;</t:InternetMessageId>'
            '<t:IsRead>true</t:IsRead></t:Message></t:Create>' % (id_, n, folder, n, n % 28 + 1, n // 60 % 60, n % 60, 4000 + n % 5000, n % 97, n))


def envelope(operation, inside):
    return ('<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>'
            '<h:ServerVersionInfo MajorVersion="15" MinorVersion="2" MajorBuildNumber="1544" MinorBuildNumber="9" Version="V2017_07_11" xmlns:h="%s" xmlns="%s"/>'
            '</s:Header><s:Body><m:%sResponse xmlns:m="%s" xmlns:t="%s"><m:ResponseMessages><m:%sResponseMessage ResponseClass="Success">'
            '<m:ResponseCode>NoError</m:ResponseCode>%s</m:%sResponseMessage></m:ResponseMessages></m:%sResponse></s:Body></s:Envelope>'
            % (T, T, operation, M, T, operation, inside, operation, operation))


def page(first, count):
    return envelope("SyncFolderItems", '<m:SyncState>%s</m:SyncState><m:IncludesLastItemInRange>%s</m:IncludesLastItemInRange><m:Changes>%s</m:Changes>'
                    % ("H4sI" + "A" * 400, "true" if first + count >= ITEMS else "false", "".join(item(n) for n in range(first, first + count))))


def write_message(path, size):
    """An answer to GetItem whose MimeContent is that long: of every byte, so that nothing about it is easy."""
    before, after = envelope("GetItem", '<m:Items><t:Message><t:MimeContent CharacterSet="UTF-8">|</t:MimeContent><t:ItemId Id="AAAA" ChangeKey="BB"/>'
                                        '</t:Message></m:Items>').split("|")
    block = base64.b64encode(bytes(range(256)) * 3 * 64)
    with open(path, "wb") as f:
        f.write(before.encode())
        for _ in range(size // (256 * 3 * 64)):
            f.write(block)
        f.write(after.encode())


def certificate(folder):
    """For the servers of graph.py as well."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=bench", "-days", "2",
                    "-addext", "subjectAltName=IP:127.0.0.1,DNS:graph.microsoft.com,DNS:login.microsoftonline.com"], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def start_nginx(folder, port, more=""):
    """`more`: of its configuration, inside of the server."""
    with open(os.path.join(folder, "nginx.conf"), "w") as f:
        f.write("""worker_processes 1; daemon off; pid {d}/nginx.pid; error_log {d}/error.log;
events {{ worker_connections 64; }}
http {{ access_log off; sendfile on; client_body_temp_path {d}/b; proxy_temp_path {d}/p; fastcgi_temp_path {d}/f; uwsgi_temp_path {d}/u; scgi_temp_path {d}/s;
  types {{ text/xml xml; application/json json; }}
  server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {d}/cert.pem; ssl_certificate_key {d}/key.pem; root {d}/pages; keepalive_requests 10000;
    error_page 405 =200 $uri; {more} }} }}
""".format(d=folder, port=port, more=more))
    nginx = subprocess.Popen(["nginx", "-c", os.path.join(folder, "nginx.conf"), "-e", os.path.join(folder, "error.log")], stderr=subprocess.DEVNULL)
    for _ in range(100):
        if subprocess.run(["curl", "-s", "-o", "/dev/null", "--cacert", os.path.join(folder, "cert.pem"), "https://127.0.0.1:%d/0.xml" % port]).returncode == 0:
            return nginx
        time.sleep(0.05)
    nginx.terminate()
    nginx.wait()
    raise Unmeasured("nginx does not answer")


def used_by(command):
    """(wall clock, user and system seconds, what it said)."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, out


class Reading:
    """What bench-ews says."""

    def __init__(self, command):
        self.wall, _, out = used_by(command)
        items, mime, _, cpu, peak = out.split()
        self.items, self.mime, self.cpu, self.peak = int(items), int(mime), int(cpu) / 1e6, int(peak)


class Bench:
    def __init__(self, tool, build, folder):
        self.reader, self.mailmoor, self.folder = tool("bench-ews"), os.path.join(build, "mailmoor"), folder
        self.ca = os.path.join(folder, "cert.pem")
        self.port = 20000 + os.getpid() % 20000

    served = ""      # of nginx's configuration, besides

    @contextlib.contextmanager
    def nginx(self):
        if not shutil.which("nginx"):
            raise Unmeasured("there is no nginx")
        os.makedirs(os.path.join(self.folder, "pages"), exist_ok=True)
        if not os.path.exists(self.ca):
            certificate(self.folder)
        nginx = start_nginx(self.folder, self.port, self.served)
        try:
            yield
        finally:
            nginx.terminate()
            nginx.wait()

    def write(self, name, text):
        with open(os.path.join(self.folder, "pages", name), "w") as f:
            return f.write(text)

    def read(self, *words):
        return Reading([self.reader, str(self.port), self.ca, *map(str, words)])

    def pages(self, table):
        """One curl, one line that stays, the same pages; nginx on both sides the same one. In turns, so that both have the same weather."""
        os.makedirs(os.path.join(self.folder, "pages"), exist_ok=True)
        sizes = sum(self.write("%d.xml" % n, page(first, PAGE)) for n, first in enumerate(range(0, ITEMS, PAGE)))
        count = ITEMS // PAGE
        curl = ["curl", "-s", "--fail", "--cacert", self.ca]
        for n in range(count):
            curl += ["-o", "/dev/null", "https://127.0.0.1:%d/%d.xml" % (self.port, n)]
        rounds = []
        with self.nginx():
            for _ in range(ROUNDS):
                rounds.append((used_by(curl), self.read("pages", count)))
            few = [self.read("pages", FEW // PAGE) for _ in range(5)]
        if any(ours.items != ITEMS for _, ours in rounds):
            raise Unmeasured("%d items were read, not %d" % (rounds[0][1].items, ITEMS))
        ratio = statistics.median(ours.wall / theirs[0] for theirs, ours in rounds)
        cpu = statistics.median(ours.cpu for _, ours in rounds)
        peak = statistics.median(ours.peak for _, ours in rounds)
        few_cpu, few_peak = (statistics.median(getattr(r, what) for r in few) for what in ("cpu", "peak"))
        table.row("time ÷ curl's into nothing", "%.2f" % ratio, "at most 1.5", ratio <= 1.5)
        table.row("       ours", "%.0f ms" % (1000 * statistics.median(ours.wall for _, ours in rounds)))
        table.row("       curl's", "%.0f ms" % (1000 * statistics.median(theirs[0] for theirs, _ in rounds)))
        table.row("processor for 1,000 items, start of the program and all", "%.2f ms" % (cpu * 1e6 / ITEMS))
        table.row("       each 1,000 more", "%.2f ms" % ((cpu - few_cpu) * 1e6 / (ITEMS - FEW)))
        table.row("processor ÷ curl's", "%.2f" % statistics.median(ours.cpu / theirs[1] for theirs, ours in rounds))
        table.row("peak memory, %d items" % ITEMS, "%.1f MiB" % (peak / 1024))
        table.row("       more than for %d" % FEW, "%d KiB" % (peak - few_peak), "a page, %d KiB" % (sizes // count // 1024), peak - few_peak <= sizes / count / 1024)
        table.note("%d items, %.1f MB in %d pages, TLS; median of %d pairs in turns" % (ITEMS, sizes / 1e6, count, ROUNDS))

    def library(self, table):
        sandbox = subprocess.Popen([self.mailmoor, "sandbox", "--json", "--high-ports", "--items=%d" % LIVE], stdout=subprocess.PIPE, text=True,
                                   env={**os.environ, "TMPDIR": self.folder})
        try:
            told = json.loads(sandbox.stdout.readline())
            host = told["ews_url"].split("/")[2]
            port = [p.rsplit(":", 1)[1] for p in told["connect_to"] if p.startswith(host + ":443=")][0]
            a = told["accounts"][0]
            ours = [Reading([self.reader, port, told["ca_file"], "mailbox", host, a["login"], a["password"]]) for _ in range(3)]
            theirs = json.loads(subprocess.run([DEBIANS, os.path.abspath(__file__), "--theirs", json.dumps(told)], check=True, capture_output=True, text=True).stdout)
        finally:
            sandbox.send_signal(signal.SIGINT)
            sandbox.communicate()
        items = ours[0].items
        if items < LIVE or theirs["items"] != items:
            raise Unmeasured("%d items, and %d by exchangelib" % (items, theirs["items"]))
        wall = statistics.median(r.wall for r in ours)
        table.row("items a second", "%.0f" % (items / wall))
        table.row("exchangelib's", "%.0f" % (items / theirs["seconds"]))
        table.row("ratio", "%.1f" % (theirs["seconds"] / wall), "at least 5", theirs["seconds"] >= 5 * wall)
        table.row("processor for 1,000 items", "%.2f ms" % (statistics.median(r.cpu for r in ours) * 1e6 / items))
        table.note("an inbox of the sandbox with %d items; of exchangelib's time neither its start nor its sign-in is counted, of ours both" % items)

    def message(self, table):
        os.makedirs(os.path.join(self.folder, "pages"), exist_ok=True)
        sizes = {"small.xml": 256 * 3 * 64, "big.xml": BIG // (256 * 3 * 64) * 256 * 3 * 64}
        for name, size in sizes.items():
            write_message(os.path.join(self.folder, "pages", name), size)
        # its own first answer is asked for when nginx is up
        self.write("0.xml", page(0, 1))
        with self.nginx():
            runs = {name: [self.read("message", name) for _ in range(3)] for name in sizes}
        if any(r.mime != sizes[name] for name, all_of_it in runs.items() for r in all_of_it):
            raise Unmeasured("not all of it was read")
        grows = statistics.median(r.peak for r in runs["big.xml"]) - statistics.median(r.peak for r in runs["small.xml"])
        took = statistics.median(r.wall for r in runs["big.xml"])
        table.row("memory that it takes", "%d KiB" % grows, "under 4 MiB", grows < 4096)
        table.row("decoded, a second", "%.0f MiB" % (sizes["big.xml"] / took / 2**20))
        table.note("%.0f MiB as MimeContent of one answer, by TLS; peak of the process, less that with a message of 48 KiB" % (sizes["big.xml"] / 2**20))


PARTS = {"pages": "Reading a mailbox of Exchange", "library": "The same of a live server, beside exchangelib", "message": "A message of 100 MiB from Exchange"}


def measure(table, tool, build, chosen=()):
    with tempfile.TemporaryDirectory(prefix="mailmoor-bench-ews-") as folder:
        os.chmod(folder, 0o755)      # nginx's workers are somebody else
        bench = Bench(tool, build, folder)
        for name, title in PARTS.items():
            if not chosen or name in chosen:
                table.part(title, getattr(bench, name))
                table.note("load on this machine: %s" % " ".join("%.1f" % n for n in os.getloadavg()))


def read_by_exchangelib(told):
    """As many properties as we ask for, in pages of the same size."""
    sys.path.insert(0, os.path.join(HERE, "..", "flows"))
    import sandbox
    split = [place.split("=") for place in told["connect_to"]]
    places = {(host.rsplit(":", 1)[0], int(host.rsplit(":", 1)[1])): (to.rsplit(":", 1)[0], int(to.rsplit(":", 1)[1])) for host, to in split}
    s = types.SimpleNamespace(told=told, places=places, account=told["accounts"][0])
    fields = ["parent_folder_id", "item_class", "subject", "datetime_received", "size", "datetime_sent", "has_attachments", "author", "message_id", "is_read"]
    with sandbox.by_exchangelib(s, sandbox.exchangelib.BASIC) as a:
        inbox = a.inbox
        inbox.refresh()
        began = time.monotonic()
        items = sum(1 for _ in inbox.sync_items(only_fields=fields, max_changes_returned=PAGE))
        return {"items": items, "seconds": time.monotonic() - began}


def main():
    if sys.argv[1] == "--theirs":
        print(json.dumps(read_by_exchangelib(json.loads(sys.argv[2]))))
        return 0
    import bench
    build = os.path.abspath(sys.argv[1])
    table = bench.Table()
    measure(table, lambda name: bench.tool(build, name), build, sys.argv[2:])
    table.summary()
    return 1 if table.unmeasured else 0


if __name__ == "__main__":
    import exchange      # the one that bench.py includes
    sys.exit(exchange.main())
