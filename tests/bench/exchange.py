#!/usr/bin/env python3
"""What reading a mailbox of Exchange costs: 20,000 items in pages of SyncFolderItems, made beforehand and served by nginx, each read
into our model, against curl that fetches the same pages into nothing.

    exchange.py BUILD
"""
import base64
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

ITEMS, PAGE = 20000, 500
ROUNDS = 7
T, M = "http://schemas.microsoft.com/exchange/services/2006/types", "http://schemas.microsoft.com/exchange/services/2006/messages"


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


def page(first, count):
    return ('<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>'
            '<h:ServerVersionInfo MajorVersion="15" MinorVersion="2" MajorBuildNumber="1544" MinorBuildNumber="9" Version="V2017_07_11" xmlns:h="%s" xmlns="%s"/>'
            '</s:Header><s:Body><m:SyncFolderItemsResponse xmlns:m="%s" xmlns:t="%s"><m:ResponseMessages><m:SyncFolderItemsResponseMessage ResponseClass="Success">'
            '<m:ResponseCode>NoError</m:ResponseCode><m:SyncState>%s</m:SyncState><m:IncludesLastItemInRange>%s</m:IncludesLastItemInRange><m:Changes>%s</m:Changes>'
            '</m:SyncFolderItemsResponseMessage></m:ResponseMessages></m:SyncFolderItemsResponse></s:Body></s:Envelope>'
            % (T, T, M, T, "H4sI" + "A" * 400, "true" if first + count >= ITEMS else "false", "".join(item(n) for n in range(first, first + count))))


def certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=bench", "-days", "2",
                    "-addext", "subjectAltName=IP:127.0.0.1"], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def start_nginx(folder, port):
    with open(os.path.join(folder, "nginx.conf"), "w") as f:
        f.write("""worker_processes 1; daemon off; pid {d}/nginx.pid; error_log {d}/error.log;
events {{ worker_connections 64; }}
http {{ access_log off; sendfile on; client_body_temp_path {d}/b; proxy_temp_path {d}/p; fastcgi_temp_path {d}/f; uwsgi_temp_path {d}/u; scgi_temp_path {d}/s;
  types {{ text/xml xml; }}
  server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {d}/cert.pem; ssl_certificate_key {d}/key.pem; root {d}/pages; keepalive_requests 10000; }} }}
""".format(d=folder, port=port))
    nginx = subprocess.Popen(["nginx", "-c", os.path.join(folder, "nginx.conf"), "-e", os.path.join(folder, "error.log")], stderr=subprocess.DEVNULL)
    for _ in range(100):
        if subprocess.run(["curl", "-s", "-o", "/dev/null", "--cacert", os.path.join(folder, "cert.pem"), "https://127.0.0.1:%d/0.xml" % port]).returncode == 0:
            return nginx
        time.sleep(0.05)
    nginx.terminate()
    raise SystemExit("nginx does not answer")


def curl_seconds(folder, port, pages):
    words = ["curl", "-s", "--fail", "--cacert", os.path.join(folder, "cert.pem")]
    for n in range(pages):
        words += ["-o", "/dev/null", "https://127.0.0.1:%d/%d.xml" % (port, n)]
    began = time.monotonic()
    subprocess.run(words, check=True)
    return time.monotonic() - began


def ours_seconds(build, folder, port, pages):
    began = time.monotonic()
    out = subprocess.run([os.path.join(build, "tests", "bench-ews"), str(port), os.path.join(folder, "cert.pem"), str(pages)], check=True, capture_output=True, text=True).stdout.split()
    return time.monotonic() - began, int(out[0]), int(out[2]), int(out[3])


def measure(build):
    """(ratio, CPU microseconds per 1,000 items, peak KiB, bytes of all pages), each the median of ROUNDS in turns."""
    folder = tempfile.mkdtemp(prefix="mailmoor-bench-ews-")
    os.chmod(folder, 0o755)
    try:
        os.makedirs(os.path.join(folder, "pages"))
        certificate(folder)
        sizes = 0
        for n, first in enumerate(range(0, ITEMS, PAGE)):
            text = page(first, PAGE)
            sizes += len(text)
            with open(os.path.join(folder, "pages", "%d.xml" % n), "w") as f:
                f.write(text)
        pages = ITEMS // PAGE
        port = 20000 + os.getpid() % 20000
        nginx = start_nginx(folder, port)
        try:
            rounds = []
            for _ in range(ROUNDS):
                floor = curl_seconds(folder, port, pages)
                seconds, items, cpu, peak = ours_seconds(build, folder, port, pages)
                if items != ITEMS:
                    raise SystemExit("%d items were read, not %d" % (items, ITEMS))
                rounds.append((seconds / floor, seconds, floor, cpu, peak))
            rounds.sort()
            ratio, seconds, floor, cpu, peak = rounds[len(rounds) // 2]
            return ratio, seconds, floor, cpu * 1000 // ITEMS, peak, sizes
        finally:
            nginx.terminate()
            nginx.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    ratio, seconds, floor, cpu, peak, sizes = measure(sys.argv[1])
    print("%d items, %d MB in %d pages, load %.1f" % (ITEMS, sizes // 1000000, ITEMS // PAGE, os.getloadavg()[0]))
    print("ours %.0f ms, curl into nothing %.0f ms: %.2f of at most 1.5" % (seconds * 1000, floor * 1000, ratio))
    print("CPU for 1,000 items %.2f ms; most memory of the process %d KiB" % (cpu / 1000, peak))


if __name__ == "__main__":
    main()
