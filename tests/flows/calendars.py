"""Real calendar servers for the tests: Radicale, and Cyrus with its CalDAV, each on loopback with a folder of its own."""
import base64
import http.client
import imaplib
import os
import pwd
import shutil
import ssl
import subprocess

import peers
from peers import hold

RADICALE = shutil.which("radicale") or "/usr/bin/radicale"
# its packages exclude Dovecot's, so that tools/deps.sh only unpacks them
CYRUS = "/usr/local/lib/mailmoor-tests/cyrus"
SASLPASSWD = shutil.which("saslpasswd2") or "/usr/sbin/saslpasswd2"

RADICALE_CONFIG = """[server]
hosts = {address}:{port}
ssl = True
certificate = {cert}
key = {key}
max_connections = 20
[auth]
type = htpasswd
htpasswd_filename = {folder}/users
htpasswd_encryption = plain
delay = 0
[rights]
type = from_file
file = {folder}/rights
[storage]
filesystem_folder = {folder}/data
"""
# dora may look at hers, and no more
RIGHTS = """[root]
user: .*
collection:
permissions: R
[dora]
user: dora@.*
collection: {user}(/.*)?
permissions: Rr
[owner]
user: .+
collection: {user}
permissions: RW
[calendars]
user: .+
collection: {user}/[^/]+
permissions: rw
"""
CYRUS_CONFIG = """servername: {domain}
configdirectory: {folder}/conf
partition-default: {folder}/spool
defaultpartition: default
sievedir: {folder}/sieve
cyrus_user: {user}
cyrus_group: {group}
admins: cyrus
virtdomains: userid
defaultdomain: {domain}
unixhierarchysep: yes
altnamespace: yes
allowplaintext: yes
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {folder}/sasldb2
sasl_mech_list: PLAIN
tls_server_cert: {cert}
tls_server_key: {key}
httpmodules: caldav
caldav_realm: {domain}
caldav_allowscheduling: on
autocreate_quota: 0
autocreate_post: yes
idlesocket: {folder}/run/idle
notifysocket: {folder}/run/notify
lmtpsocket: {folder}/run/lmtp
proc_path: {folder}/run/proc
mboxname_lockpath: {folder}/run/lock
duplicate_db_path: {folder}/run/deliver.db
statuscache_db_path: {folder}/run/statuscache.db
"""
CYRUS_SERVICES = """START {{
  recover cmd="{bin}/ctl_cyrusdb -C {folder}/imapd.conf -r"
}}
SERVICES {{
  https cmd="{bin}/httpd -C {folder}/imapd.conf -s" listen="{address}:{port}" prefork=1
  imap cmd="{bin}/imapd -C {folder}/imapd.conf" listen="{address}:{imap}" prefork=0
}}
EVENTS {{
  checkpoint cmd="{bin}/ctl_cyrusdb -C {folder}/imapd.conf -c" period=30
}}
"""

ETAGS = b'<d:propfind xmlns:d="DAV:"><d:prop><d:getetag/></d:prop></d:propfind>'


def basic(user, password):
    return "Basic " + base64.b64encode(("%s:%s" % (user, password)).encode()).decode()


def write(folder, files):
    for name, text in files.items():
        with open(os.path.join(folder, name), "w") as f:
            f.write(text)


class Calendars:
    """What both have: an address, and questions as anybody asks them."""

    def __init__(self, folder, address, password=peers.PASSWORD):
        self.folder, self.address, self.password = folder, address, password
        os.makedirs(folder)
        with peers.closed_port(address) as port:
            self.port = port.getsockname()[1]

    def ask(self, user, method, path, body=b"", **headers):
        c = http.client.HTTPSConnection(self.address, self.port, timeout=20, context=ssl._create_unverified_context())
        c.request(method, path, body, {"Authorization": basic(user, self.password), **headers})
        answer = c.getresponse()
        status, body = answer.status, answer.read()
        c.close()
        return status, body

    def calendar(self, user, name):
        status, _ = self.ask(user, "MKCALENDAR", "/%s/%s/" % (user, name))
        hold(status == 201, "MKCALENDAR for %s: %d" % (user, status))

    def close(self):
        self.process.close()


class Radicale(Calendars):
    def __init__(self, folder, address, cert, users):
        super().__init__(folder, address)
        write(folder, {"config": RADICALE_CONFIG.format(address=address, port=self.port, cert=cert[0], key=cert[1], folder=folder), "rights": RIGHTS,
                       "users": "".join("%s:%s\n" % (user, self.password) for user in users)})
        self.process = peers.Process([RADICALE, "-C", os.path.join(folder, "config")], os.path.join(folder, "log"))
        self.process.wait_for(address, self.port)


class Cyrus(Calendars):
    """Whoever signs in for the first time has a calendar from then on. It runs as nobody where it is started by root."""

    def __init__(self, folder, address, cert, users):
        super().__init__(folder, address)
        with peers.closed_port(address) as port:
            self.imap = port.getsockname()[1]
        account = pwd.getpwuid(peers.OWNER[0])
        self.root, self.group = CYRUS, subprocess.run(["id", "-gn", account.pw_name], capture_output=True, text=True, check=True).stdout.strip()
        names = {"folder": folder, "address": address, "port": self.port, "imap": self.imap, "cert": cert[0], "key": cert[1], "domain": peers.DOMAIN,
                 "user": account.pw_name, "group": self.group, "bin": self.root + "/usr/lib/cyrus/bin"}
        write(folder, {"imapd.conf": CYRUS_CONFIG.format(**names), "cyrus.conf": CYRUS_SERVICES.format(**names)})
        for name in ("conf", "conf/db", "conf/socket", "spool", "sieve", "run", "run/proc", "run/lock"):
            os.makedirs(os.path.join(folder, name))
        for user in users:
            subprocess.run([SASLPASSWD, "-p", "-c", "-f", os.path.join(folder, "sasldb2"), "-u", peers.DOMAIN, user.split("@")[0]], input=self.password.encode(), check=True)
        if peers.ROOT:
            for at, _, files in os.walk(folder):
                for one in [at, *(os.path.join(at, f) for f in files)]:
                    os.chown(one, *peers.OWNER)
        libraries = self.root + "/usr/lib/" + os.uname().machine + "-linux-gnu"
        self.process = peers.Process([names["bin"] + "/master", "-C", folder + "/imapd.conf", "-M", folder + "/cyrus.conf", "-D", "-p", folder + "/run/pid"],
                                     os.path.join(folder, "log"), env={**os.environ, "LD_LIBRARY_PATH": libraries, "CYRUS_VERBOSE": "0"})
        self.process.wait_for(address, self.port, self.imap)
        for user in users:
            with imaplib.IMAP4(address, self.imap) as line:      # who was never there has no mailbox, and so no calendar
                line.login(user, self.password)
