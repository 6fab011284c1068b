"""Real servers for the tests, and the program run against them.

Everything a test starts lives on loopback addresses of this process (127.A.B.x) and in one temporary folder, and is gone at the end
however the end comes about. Dovecot runs as root or as an ordinary account, Postfix only as root. What no real server would ever do
(silence, a reset, a name server that fails) is played by a few lines here.
"""
import atexit
import base64
import concurrent.futures
import contextlib
import datetime
import http.server
import itertools
import json
import os
import re
import shutil
import signal
import socket
import socketserver
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.geteuid() == 0
DOVECOT = "/usr/sbin/dovecot"
POSTFIX = "/usr/sbin/postfix"
POSTFIX_DAEMONS = "/usr/lib/postfix/sbin"
DOMAIN = "birch.example"
PASSWORD = "heron-Kettle-41"
START_S = 15        # a server that does not listen after that never will
STOP_S = 5


class Failed(Exception):
    """What was expected and what was got."""


class Skip(Exception):
    """Why it cannot be tried here."""


def until(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Failed("%s: not within %d s" % (what, seconds))
        time.sleep(0.01)


def listens(address, port):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex((address, port)) == 0


def openssl(*args, **more):
    done = subprocess.run(["openssl", *args], capture_output=True, text=True, **more)
    if done.returncode:
        raise Failed("openssl %s: %s" % (" ".join(args), done.stderr))


# -- certificates -----------------------------------------------------------------------------------------------------------------

DAY = datetime.timedelta(days=1)
CA_CONFIG = """[ca]
default_ca = here
[here]
new_certs_dir = .
database = index
serial = serial
default_md = sha256
policy = any
unique_subject = no
copy_extensions = none
[any]
commonName = supplied
"""
SIGNS = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"


class Authority:
    """A root, an intermediate below it, and certificates of every kind that is wrong in one way."""

    AIA = "http://aia.%s/intermediate.der" % DOMAIN

    def __init__(self, folder):
        self.folder = folder
        self.lock = threading.Lock()
        self.issued = {}
        os.makedirs(folder)
        open(self.path("index"), "w").close()
        for name, text in (("serial", "1000"), ("ca.conf", CA_CONFIG), ("ca.ext", SIGNS)):
            with open(self.path(name), "w") as f:
                f.write(text)
        for name in ("root", "inter", "stranger", "leaf", "self"):
            self.key(name, "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
        self.key("weak", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024")
        for name, subject in (("root", "Birch Test Root"), ("stranger", "Stranger Root")):
            openssl("req", "-x509", "-new", "-key", self.path(name + ".key"), "-days", "3650", "-subj", "/CN=" + subject,
                    "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                    "-out", self.path(name + ".pem"))
        self.sign("inter", "inter", "root", "Birch Test Intermediate", self.path("ca.ext"))
        shutil.copy(self.path("inter.key"), self.path("oldinter.key"))
        self.sign("oldinter", "inter", "root", "Birch Test Intermediate", self.path("ca.ext"), -400, -10)
        openssl("x509", "-in", self.path("inter.pem"), "-outform", "DER", "-out", self.path("inter.der"))

    def path(self, name):
        return os.path.join(self.folder, name)

    @property
    def root(self):
        return self.path("root.pem")

    def key(self, name, *how):
        openssl("genpkey", *how, "-out", self.path(name + ".key"))

    def sign(self, out, key, issuer, subject, extensions, from_days=-30, to_days=300, digest="sha256"):
        now = datetime.datetime.now(datetime.timezone.utc)
        openssl("req", "-new", "-key", self.path(key + ".key"), "-subj", "/CN=" + subject, "-out", self.path(out + ".csr"))
        openssl("ca", "-batch", "-notext", "-config", "ca.conf", "-md", digest, "-in", out + ".csr", "-out", out + ".pem",
                "-cert", issuer + ".pem", "-keyfile", issuer + ".key", "-extfile", extensions,
                "-startdate", (now + from_days * DAY).strftime("%Y%m%d%H%M%SZ"),
                "-enddate", (now + to_days * DAY).strftime("%Y%m%d%H%M%SZ"), cwd=self.folder)

    def issue(self, kind, *names):
        """(certificate file with its chain, key file)"""
        with self.lock:
            if (kind, names) not in self.issued:
                self.issued[kind, names] = self.make(kind, names, "leaf%d" % len(self.issued))
            return self.issued[kind, names]

    def make(self, kind, names, out):
        issuer = {"unknown": "stranger", "unknown_whole": "stranger", "old_intermediate": "oldinter"}.get(kind, "inter")
        key = {"weak": "weak", "self_signed": "self"}.get(kind, "leaf")
        span = {"expired": (-100, -3), "not_yet": (5, 100)}.get(kind, (-30, 300))
        with open(self.path(out + ".ext"), "w") as f:
            f.write("subjectAltName=%s\nextendedKeyUsage=serverAuth\n" % ",".join("DNS:" + n for n in names))
            if kind == "incomplete":
                f.write("authorityInfoAccess=caIssuers;URI:%s\n" % self.AIA)
        if kind == "self_signed":
            openssl("req", "-x509", "-new", "-key", self.path("self.key"), "-days", "300", "-subj", "/CN=" + names[0],
                    "-addext", "subjectAltName=" + ",".join("DNS:" + n for n in names), "-out", self.path(out + ".pem"))
        else:
            self.sign(out, key, issuer, names[0], self.path(out + ".ext"), *span)
        chain = [out] + {"good": ["inter"], "incomplete": [], "unknown": [], "unknown_whole": ["stranger"], "self_signed": [],
                         "old_intermediate": ["oldinter"]}.get(kind, ["inter"])
        with open(self.path(out + ".chain"), "w") as f:
            for part in chain:
                with open(self.path(part + ".pem")) as g:
                    f.write(g.read())
        for name in (out + ".chain", key + ".key"):
            os.chmod(self.path(name), 0o644)     # keys of nothing, readable by the account the server runs under
        return self.path(out + ".chain"), self.path(key + ".key")


# -- name service -----------------------------------------------------------------------------------------------------------------

TYPES = {"A": 1, "CNAME": 5, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33}
RCODES = {"SERVFAIL": 2, "NXDOMAIN": 3, "REFUSED": 5}


def dns_name(name):
    return b"".join(bytes([len(p)]) + p.encode() for p in name.rstrip(".").split(".") if p) + b"\0"


def dns_data(kind, text):
    word = text.split()
    if kind in ("A", "AAAA"):
        return socket.inet_pton(socket.AF_INET if kind == "A" else socket.AF_INET6, text)
    if kind == "MX":
        return struct.pack(">H", int(word[0])) + dns_name(word[1])
    if kind == "SRV":
        return struct.pack(">HHH", *map(int, word[:3])) + dns_name(word[3])
    return dns_name(text)


class Names:
    """A name server for one test, over UDP and TCP. `records` maps (name, type) to texts; (name, "fails") to an rcode, or to
    "silence". A name below which or at which nothing is known does not exist."""

    def __init__(self, address):
        self.records = {}
        self.asked = []
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((address, 0))
        self.address, self.port = self.udp.getsockname()
        self.tcp = socket.create_server((address, self.port))
        threading.Thread(target=self.serve_udp, daemon=True).start()
        threading.Thread(target=self.serve_tcp, daemon=True).start()

    def close(self):
        for s in (self.udp, self.tcp):
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)
            s.close()

    def answer(self, query):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode("latin-1").lower())
            at += 1 + query[at]
        question, kind = query[12:at + 5], struct.unpack(">H", query[at + 1:at + 3])[0]
        name = ".".join(labels)
        self.asked.append(name)
        records = dict(self.records)
        fails = next((v for (n, k), v in records.items() if k == "fails" and (name == n or name.endswith("." + n))), None)
        if fails == "silence":
            return None
        found = [] if fails else [(k, t) for (n, k), texts in records.items() if n == name and TYPES.get(k) == kind for t in texts]
        exists = any(n == name or n.endswith("." + name) for n, _ in records)
        rcode = RCODES[fails] if fails else 0 if exists else RCODES["NXDOMAIN"]
        answer = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", TYPES[k], 1, 60, len(d)) + d for k, d in
                          ((k, dns_data(k, t)) for k, t in found))
        return query[:2] + struct.pack(">HHHHH", 0x8180 | rcode, 1, len(found), 0, 0) + question + answer

    def serve_udp(self):
        with contextlib.suppress(OSError):
            while True:
                query, peer = self.udp.recvfrom(4096)
                with contextlib.suppress(IndexError, struct.error):
                    answer = self.answer(query)
                    if answer:
                        self.udp.sendto(answer, peer)

    def serve_tcp(self):
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self.tcp.accept()
                with peer, contextlib.suppress(OSError, IndexError, struct.error):
                    peer.settimeout(5)
                    size = struct.unpack(">H", peer.recv(2))[0]
                    answer = self.answer(peer.recv(size))
                    if answer:
                        peer.sendall(struct.pack(">H", len(answer)) + answer)


# -- small servers of our own -----------------------------------------------------------------------------------------------------

class Listener:
    """Accepts, and hands each connection to `talk` in a thread. What real servers do not do, and what they do to nobody's order."""

    def __init__(self, address, talk, port=0):
        self.talk = talk
        self.held = []
        self.socket = socket.create_server((address, port), backlog=128)
        self.address, self.port = self.socket.getsockname()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                s, _ = self.socket.accept()
                self.held.append(s)
                threading.Thread(target=self.one, args=(s,), daemon=True).start()

    def one(self, s):
        s.settimeout(30)
        with s, contextlib.suppress(OSError, ssl.SSLError):
            self.talk(s)

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for s in self.held:
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)


def silence(s):
    """Says nothing until the other side goes."""
    while s.recv(4096):
        pass


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Hole:
    """A port behind which packets vanish: the queue of the listener is full, so the kernel drops each new SYN."""

    def __init__(self, address):
        self.socket = socket.socket()
        self.socket.bind((address, 0))
        self.socket.listen(0)
        self.address, self.port = self.socket.getsockname()
        self.fillers = []
        for _ in range(4):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex((self.address, self.port))
            self.fillers.append(s)

    def close(self):
        for s in (*self.fillers, self.socket):
            s.close()


def closed_port(address):
    """A port where nothing listens: bound, so that nobody else gets it either."""
    s = socket.socket()
    s.bind((address, 0))
    return s


class Web:
    """Pages on loopback, with or without TLS; `clock_s` is how far its clock is off."""

    def __init__(self, address, pages, cert=None, clock_s=0):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                page = pages.get(self.path.split("?")[0])
                self.send_response(200 if page is not None or self.path == "/" else 404)
                self.send_header("Content-Length", str(len(page or b"")))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(page or b"")

            do_HEAD = do_GET

            def date_time_string(self, timestamp=None):
                return super().date_time_string(time.time() + clock_s)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):      # a peer that goes away in the handshake is its own business
                pass

        self.server = Server((address, 0), Handler)
        self.address, self.port = self.server.server_address
        if cert:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*cert)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


# -- real servers -----------------------------------------------------------------------------------------------------------------

class Process:
    """A server that was started, with all that it started."""

    def __init__(self, args, log, **more):
        self.log = log
        with open(log, "ab") as out:
            self.popen = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, **more)
        self.pid = self.popen.pid

    def wait_for(self, address, *ports):
        def ready():
            if self.popen.poll() is not None:
                raise Failed("%s ended: %s" % (self.popen.args[0], self.said()))
            return all(listens(address, p) for p in ports)
        try:
            until(ready, START_S, self.popen.args[0])
        except BaseException:
            self.close()
            raise

    def said(self):
        with open(self.log, errors="replace") as f:
            return f.read()[-2000:]

    def close(self):
        if self.popen.poll() is None:
            self.popen.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.popen.wait(STOP_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)     # its session holds nothing but what it started
        self.popen.wait()


OWNER = (65534, 65534) if ROOT else (os.getuid(), os.getgid())      # of mailboxes

DOVECOT_CONFIG = """
base_dir = {run}
state_dir = {run}
log_path = {folder}/log
listen = {address}
protocols = {protocols}
instance_name = {name}
first_valid_uid = 1
first_valid_gid = 1
mail_uid = {uid}
mail_gid = {gid}
mail_location = maildir:{mail}/%u
ssl = {ssl}
ssl_cert = <{cert}
ssl_key = <{key}
disable_plaintext_auth = yes
auth_mechanisms = plain login
auth_failure_delay = 0
auth_verbose = yes
namespace inbox {{
  inbox = yes
  mailbox Sent {{
    special_use = \\Sent
    auto = subscribe
  }}
  mailbox Trash {{
    special_use = \\Trash
    auto = subscribe
  }}
  mailbox Junk {{
    special_use = \\Junk
    auto = subscribe
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service anvil {{
  # no waiting after refusals: all tests come from one address
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  inet_listener sasl {{
    port = {sasl}
  }}
}}
"""
DOVECOT_PASSDB = """
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/users
}}
"""
DOVECOT_USERDB = """
userdb {{
  driver = static
  args = allow_all_users=yes uid={uid} gid={gid} home={mail}/%u
}}
"""
DOVECOT_POP3 = """
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
}}
"""
DOVECOT_UNPRIVILEGED = """
default_login_user = {user}
default_internal_user = {user}
default_internal_group = {group}
service imap-login {{
  chroot =
}}
service pop3-login {{
  chroot =
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


class Dovecot:
    IMAP, IMAPS, SASL, POP3, POP3S, POLICY = 10143, 10993, 10026, 10110, 10995, 10040

    def __init__(self, folder, address, cert, users, extra="", passdb=DOVECOT_PASSDB, userdb=DOVECOT_USERDB, mail=None, pop3=False,
                 ssl=True):
        self.folder, self.address = folder, address
        self.mail = mail or os.path.join(folder, "mail")
        os.makedirs(folder, exist_ok=True)
        os.makedirs(self.mail, exist_ok=True)
        os.chmod(folder, 0o755)
        os.chown(self.mail, *OWNER)
        values = {"folder": folder, "address": address, "run": os.path.join(folder, "run"), "mail": self.mail,
                  "uid": OWNER[0], "gid": OWNER[1], "name": os.path.basename(folder), "ssl": "yes" if ssl else "no", "cert": cert[0], "key": cert[1],
                  "protocols": "imap pop3" if pop3 else "imap",
                  "imap": self.IMAP, "imaps": self.IMAPS, "sasl": self.SASL, "pop3": self.POP3, "pop3s": self.POP3S, "policy": self.POLICY}
        if not ROOT:
            import grp
            import pwd
            values |= {"user": pwd.getpwuid(os.getuid()).pw_name, "group": grp.getgrgid(os.getgid()).gr_name}
        text = DOVECOT_CONFIG + passdb + userdb + (DOVECOT_POP3 if pop3 else "") + ("" if ROOT else DOVECOT_UNPRIVILEGED)
        with open(os.path.join(folder, "dovecot.conf"), "w") as f:
            f.write(text.format(**values) + extra.replace("{folder}", folder).replace("{policy}", str(self.POLICY)))
        with open(os.path.join(folder, "users"), "w") as f:
            for name, password in users.items():
                # user:password:uid:gid:gecos:home:shell:extra; a dict brings extra fields
                more = ""
                if isinstance(password, tuple):
                    password, more = password
                f.write("%s:{PLAIN.b64}%s::::::%s\n" % (name, base64.b64encode(password.encode()).decode(), more))
        self.process = Process([DOVECOT, "-F", "-c", os.path.join(folder, "dovecot.conf")], os.path.join(folder, "out"))
        self.process.wait_for(address, self.IMAP, *([self.IMAPS] if ssl else []), *([self.POP3] if pop3 else []))

    def deliver(self, user, size):
        """A message that is there from the start."""
        at = os.path.join(self.mail, user, "cur")
        for path in (os.path.dirname(at), at, os.path.join(self.mail, user, "new"), os.path.join(self.mail, user, "tmp")):
            os.makedirs(path, exist_ok=True)
            os.chown(path, *OWNER)
        name = os.path.join(at, "1700000000.M1P1.peer,S=%d:2,S" % size)
        with open(name, "w") as f:
            f.write("Subject: old\r\n\r\n".ljust(size - 2, "x") + "\r\n")
        os.chown(name, *OWNER)

    def messages(self, user, box=""):
        """The files of a mailbox, whatever their flags."""
        at = os.path.join(self.mail, user, box)
        folders = [os.path.join(at, d) for d in ("new", "cur")]
        return [os.path.join(d, f) for d in folders if os.path.isdir(d) for f in os.listdir(d)]

    def log(self):
        with open(os.path.join(self.folder, "log"), errors="replace") as f:
            return f.read()

    def close(self):
        self.process.close()


POSTFIX_MAIN = """compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/maillog
maillog_file_prefixes = {folder}
myhostname = mx.{domain}
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks =
alias_maps =
local_recipient_maps =
default_transport = error:5.1.2 nothing leaves this machine
relay_transport = error:5.1.2 nothing leaves this machine
virtual_mailbox_domains = {domain}, xn--bcher-kva.example
virtual_mailbox_base = {mail}
virtual_mailbox_maps = texthash:{folder}/boxes
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 100
virtual_transport = virtual
smtpd_tls_cert_file = {cert}
smtpd_tls_key_file = {key}
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_tls_loglevel = 0
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:{sasl}
smtpd_sasl_auth_enable = yes
smtpd_sasl_security_options = noanonymous
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_client_connection_count_limit = 0
smtpd_error_sleep_time = 0
smtpd_peername_lookup = no
message_size_limit = 1000000
"""
POSTFIX_SERVICES = """pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """One instance, with a pair of ports (STARTTLS, TLS) for each way of configuring it; `extra` is the end of main.cf."""

    def __init__(self, folder, address, cert, sasl, mail, users, variants, extra=""):
        self.folder, self.address = folder, address
        self.etc = os.path.join(folder, "etc")
        self.ports = {}
        for name in ("etc", "spool", "data"):
            os.makedirs(os.path.join(folder, name))
        os.chmod(folder, 0o755)
        shutil.chown(os.path.join(folder, "data"), "postfix")
        with open(os.path.join(self.etc, "main.cf"), "w") as f:
            f.write(POSTFIX_MAIN.format(folder=folder, daemons=POSTFIX_DAEMONS, domain=DOMAIN, address=address, mail=mail, uid=OWNER[0],
                                        gid=OWNER[1], cert=cert[0], key=cert[1], sasl=sasl) + extra)
        with open(os.path.join(folder, "boxes"), "w") as f:
            f.writelines("%s %s/\n" % (u, u) for u in users)
        with open(os.path.join(self.etc, "master.cf"), "w") as f:
            for n, (name, options) in enumerate(variants.items()):
                self.ports[name] = (20000 + 2 * n, 20001 + 2 * n)
                for port, wrap in zip(self.ports[name], ("no", "yes")):
                    f.write("%s:%d inet n - n - - smtpd -o smtpd_tls_wrappermode=%s\n" % (address, port, wrap))
                    for option in options:
                        f.write("  -o { %s }\n" % option)
            f.write(POSTFIX_SERVICES)
        self.postfix("start")
        try:
            until(lambda: all(listens(address, p) for p in (20000, 20001 + 2 * len(variants) - 2)), START_S, "postfix")
        except BaseException:
            self.close()
            raise

    def postfix(self, word):
        done = subprocess.run([POSTFIX, "-c", self.etc, word], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise Failed("postfix %s: %s" % (word, self.log()[-600:]))

    def log(self):
        with contextlib.suppress(FileNotFoundError), open(os.path.join(self.folder, "maillog"), errors="replace") as f:
            return f.read()
        return ""

    def close(self):
        self.postfix("stop")


# -- one run of the program -------------------------------------------------------------------------------------------------------

class Outcome:
    """What a run left: its status, its output, its report."""

    def __init__(self, status, out, err, seconds, memory_kib):
        self.status, self.out, self.err, self.seconds, self.memory_kib = status, out, err, seconds, memory_kib
        self.report = None

    def facts(self, step, fact):
        return [f["value"] for s in self.report["steps"] if s["id"] == step for f in s["facts"] if f["fact"] == fact]

    def step(self, name):
        return next((s for s in self.report["steps"] if s["id"] == name), None)

    def state(self, name):
        s = self.step(name)
        return s and s["state"]

    def cause(self, n=0):
        causes = self.report["causes"]
        return causes[n]["id"] if n < len(causes) else None

    def short(self):
        causes = ["%s %s %s%s" % (c["id"], c["certainty"], c["who"], " (repaired)" if c.get("repaired") else "")
                  for c in self.report["causes"]]
        return "%s: %s" % (self.report["verdict"], "; ".join(causes) or "-")

    def evidence(self):
        return "\n".join("    %-8s %s%s" % (s["state"], s["id"], "".join(
            "\n             %s = %s" % (f["fact"], f["value"]) for f in s["facts"])) for s in self.report["steps"])


def own_memory_kib():
    """The peak so far."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as f:
        return int(re.search(r"^VmHWM:\s+(\d+)", f.read(), re.M)[1])


def execute(args, stdin=b"", limit_s=60, env=None, started=None):
    """Runs to the end, which is forced after limit_s. `started` gets the pid, to send it signals."""
    begin = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as given:
        given.write(stdin)
        given.seek(0)
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("MAILMOOR_", "SSL_CERT", "LC_", "LANG"))
                 and not k.lower().endswith("_proxy")}
        own = own_memory_kib()
        p = subprocess.Popen(args, stdin=given, stdout=out, stderr=err, env={**clean, "LC_ALL": "C.UTF-8", **(env or {})})
        late = threading.Event()

        def too_late():
            late.set()
            p.kill()
        timer = threading.Timer(limit_s, too_late)
        timer.start()
        if started:
            started(p)
        _, status, usage = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
        timer.cancel()
        texts = []
        for f in (out, err):
            f.seek(0)
            texts.append(f.read().decode(errors="surrogateescape"))
        # until it is itself a child is as big as we are, and that counts in its peak: below it nothing is known
        outcome = Outcome(p.returncode, *texts, time.monotonic() - begin, usage.ru_maxrss if usage.ru_maxrss > max(own, own_memory_kib()) else 0)
    if late.is_set():
        raise Failed("no end after %d s; it had said: %s%s" % (limit_s, outcome.out[-500:], outcome.err[-500:]))
    return outcome


def renderings(secret, username):
    """The ways a password could be seen somewhere."""
    yield secret
    for prefix in ("", "\0%s\0" % username):
        yield base64.b64encode((prefix + secret).encode(errors="surrogateescape")).decode()
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield secret.replace("\\", "\\\\").replace('"', '\\"')


def hold(condition, text):
    if not condition:
        raise Failed(text)


def check_report(o):
    """The promises of --json, whatever the verdict."""
    hold(o.status in (0, 1, 3), "exit status %s: %s %s" % (o.status, o.out[-600:], o.err[-600:]))
    try:
        o.report = json.loads(o.out)
    except ValueError as e:
        raise Failed("standard output is not one JSON object: %s: %r" % (e, o.out[:300])) from None
    hold(o.err == "", "standard error: " + o.err[:600])
    hold(not BROKEN_UTF8.search(o.out), "standard output is no UTF-8: %r" % BROKEN_UTF8.search(o.out))
    verdict, causes = o.report["verdict"], o.report["causes"]
    fits = {"connected": 0, "unfinished": 3}.get(verdict, 3 if o.cause() == "unknown.answer" else 1)
    hold(o.status == fits, "exit status %d does not fit %s" % (o.status, o.short()))
    hold(o.report["format"] == "mailmoor.report.v1", "format " + str(o.report.get("format")))
    hold(causes or verdict in ("connected", "unfinished"), verdict + " without a cause")
    called_off = any(step.get("why") == "called_off" for step in o.report["steps"])      # nothing is needed but another try
    hold(bool(o.report.get("needs")) == (verdict == "unfinished") or called_off, "needs: %s" % o.report.get("needs"))
    hold(o.report["password_tries"] <= 2, "%d refused logins" % o.report["password_tries"])
    for c in causes:
        hold(c["title"] and c["why"] and c["fix"], "%s without words" % c["id"])
        hold(c["proof"] or c["certainty"] == "possible", "%s without a proof" % c["id"])
        hold(not re.search(r"\{[a-z_]+\}", c["title"] + c["why"] + " ".join(c["fix"])), "%s: a placeholder is left: %s" % (c["id"], c))
    for x in o.report["ruled_out"]:
        hold(x["id"] not in [c["id"] for c in causes], "%s is named and ruled out" % x["id"])
    hold(not [s for s in o.report["steps"] if s["state"] not in ("passed", "failed", "warned", "skipped")], "a step has no end")


def check_secrets(o, record, secrets, username):
    for where, text in (("standard output", o.out), ("standard error", o.err), ("the record", record)):
        for secret in secrets:
            for shape in renderings(secret, username):
                hold(len(shape) < 4 or shape not in text, "a secret is in %s" % where)


def same_verdict(a, b):
    brief = [[(c["id"], c["certainty"], c["who"], c.get("repaired")) for c in r["causes"]] for r in (a, b)]
    return a["verdict"] == b["verdict"] and brief[0] == brief[1] and a.get("needs") == b.get("needs")


def run(binary, address, options, password=None, folder=None, limit_s=60, secrets=(), stdin_password=False, started=None, username=None,
        langs=("en",)):
    """One diagnosis with --json and --record, all promises checked, and its record replayed. The outcome has the report."""
    folder = tempfile.mkdtemp(dir=folder)
    record, args = os.path.join(folder, "record"), [binary, "diagnose", "--json", "--record", os.path.join(folder, "record"), *options]
    stdin = b""
    if password is not None:
        secrets = (password, *secrets)
        if stdin_password:
            args += ["--password-file", "-"]
            stdin = (password + "\n").encode()
        else:
            args += ["--password-file", os.path.join(folder, "password")]
            with open(os.path.join(folder, "password"), "w") as f:
                f.write(password + "\n")
    o = execute([*args, "--", address], stdin, limit_s, started=started)
    check_report(o)
    with open(record, errors="surrogateescape") as f:
        recorded = f.read()
    check_secrets(o, recorded, secrets, username or address)
    again = execute([binary, "replay", "--json", record], limit_s=20)
    check_report(again)
    hold(same_verdict(o.report, again.report) and o.status == again.status,
         "replay says %s where the run said %s" % (again.short(), o.short()))
    for lang in langs:
        check_text(binary, record, lang, o, secrets, username or address)
    o.record = record
    return o


LANGUAGES = ("en", "de", "fi", "nl", "pl", "th")
BROKEN_UTF8 = re.compile(".{0,60}[\udc80-\udcff].{0,20}")
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def check_text(binary, record, lang, o, secrets, username):
    """What a person sees of the same case: calm at 80 columns, and nothing that a terminal would obey."""
    text = execute([binary, "replay", "--lang", lang, record], limit_s=20)
    hold(text.status == o.status and text.err == "", "as text in %s: exit status %s, %s" % (lang, text.status, text.err))
    check_secrets(text, "", secrets, username)
    hold(not BROKEN_UTF8.search(text.out), "as text in %s: no UTF-8: %s" % (lang, BROKEN_UTF8.findall(text.out)))
    hold(not CONTROL.search(text.out), "as text in %s: a control character in %r" % (lang, text.out))
    # a command or a long name is never broken, and Thai signs stand above each other
    wide = [line for line in text.out.split("\n")
            if len(line.rstrip()) > 80 and " -" not in line and " | " not in line and max(map(len, line.split())) < 60]
    hold(not wide or lang == "th", "as text in %s: wider than 80: %s" % (lang, wide[:1]))
    if lang == "en" and o.report["causes"]:
        hold(o.report["causes"][0]["title"] in " ".join(text.out.split()), "the title is missing: " + text.out)


def has_sanitizer(binary):
    with open(binary, "rb") as f:
        return re.search(rb"__[at]san_init", f.read()) is not None


# -- all of it, and its end -------------------------------------------------------------------------------------------------------

class Stack:
    """What must be closed, last things first. Closing goes on when one of them fails."""

    def __init__(self):
        self.things = []
        self.lock = threading.Lock()

    def add(self, thing):
        with self.lock:
            self.things.append(thing)
        return thing

    def close(self):
        while self.things:
            try:
                self.things.pop().close()
            except Exception as e:      # the next must be closed too
                print("closing: %s" % e, file=sys.stderr)


class Peers:
    """The place where servers live. Use it with `with`: nothing is left behind."""

    def __init__(self):
        pid = os.getpid()
        self.block = "127.%d.%d." % (64 + (pid >> 8) % 128, pid % 256)
        self.numbers = itertools.count(1)
        self.lock = threading.RLock()
        self.shared = {}
        self.stack = Stack()
        self.folder = None

    def __enter__(self):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        signal.signal(signal.SIGINT, lambda *_: sys.exit(130))       # a background job of a shell would ignore it
        self.folder = tempfile.mkdtemp(prefix="mailmoor-")
        os.chmod(self.folder, 0o711)
        atexit.register(self.close)
        self.ca = Authority(os.path.join(self.folder, "ca"))
        os.chmod(self.ca.folder, 0o755)
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for number in (signal.SIGINT, signal.SIGTERM):      # who cannot wait leaves servers behind
            with contextlib.suppress(ValueError):
                signal.signal(number, signal.SIG_IGN)
        self.stack.close()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)
        self.folder = None

    def address(self):
        return self.block + str(next(self.numbers) % 254 + 1)

    def once(self, name, make):
        """Something that several tests use, made by the first of them."""
        with self.lock:
            if name not in self.shared:
                try:
                    self.shared[name] = self.stack.add(make())
                except Exception as e:      # the second to ask must not try again on what is half there
                    self.shared[name] = e
            if isinstance(self.shared[name], Exception):
                raise Failed("%s: %s" % (name, self.shared[name]))
            return self.shared[name]


def run_all(cases, one, workers):
    """Runs the cases side by side; prints what failed and the closing line; the exit status."""
    count = {"passed": 0, "failed": 0, "skipped": 0}

    def guarded(case):
        try:
            one(case)
            return "passed", None
        except Skip as e:
            return "skipped", str(e)
        except Failed as e:
            return "failed", str(e)
        except Exception as e:
            return "failed", "%s: %s" % (type(e).__name__, e)
    pool = concurrent.futures.ThreadPoolExecutor(workers)
    try:
        for case, (how, why) in zip(cases, pool.map(guarded, cases)):
            count[how] += 1
            if how == "failed":
                print("failed  %s: %s" % (case.name, why), flush=True)
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
    skipped = ", %d skipped" % count["skipped"] if count["skipped"] else ""
    print("%d passed, %d failed%s" % (count["passed"], count["failed"], skipped), flush=True)
    return 1 if count["failed"] else 0
