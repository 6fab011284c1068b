#!/usr/bin/env python3
"""Signing in at Exchange by Kerberos: a KDC of MIT's with a realm of its own, `mailmoor sandbox` with the keys of its service, and `mailmoor diagnose`.

    kerberos.py BUILD [--only REGEX]

All of it is on loopback, in one temporary folder; nothing of this machine's Kerberos is read.
"""
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True

import peers
from ground import Whims
from peers import hold, until
from rows import Rows, arguments

DOMAIN, REALM = "contoso.example", "CONTOSO.EXAMPLE"
HOST = "mail." + DOMAIN
EWS = "https://%s/EWS/Exchange.asmx" % HOST
ANNA = "anna@" + DOMAIN
LIMIT_S = 8                 # --timeout of a run whose KDC is silent
AHEAD_S = 20 * 60          # a clock that is off: more than the five minutes that Kerberos takes
SHORT_S = 2                 # the life of a ticket that is to be at its end
row = Rows()

CONFIG = """[libdefaults]
    default_realm = {realm}
    dns_lookup_kdc = false
    dns_lookup_realm = false
    {more}
[realms]
    {realm} = {{
        {kdc}
    }}
[domain_realm]
    .{domain} = {realm}
"""
KDC_CONFIG = """[kdcdefaults]
    kdc_listen = {address}:{port}
    kdc_tcp_listen = {address}:{port}
[realms]
    {realm} = {{
        database_name = {folder}/principal
        key_stash_file = {folder}/stash
        acl_file = {folder}/acl
        default_principal_flags = +preauth
    }}
[logging]
    kdc = FILE:{folder}/kdc.log
"""


class Kdc:
    """A key distribution centre: anna, bert and service with keys of their own, and EWS's host as a service."""

    def __init__(self, folder, address):
        self.folder, self.address = folder, address
        os.makedirs(folder, mode=0o700)
        port = peers.closed_port(address)
        self.port = port.getsockname()[1]
        port.close()
        self.config = self.write("krb5.conf", CONFIG.format(realm=REALM, domain=DOMAIN, more="", kdc="kdc = %s:%d" % (address, self.port)))
        self.profile = self.write("kdc.conf", KDC_CONFIG.format(realm=REALM, address=address, port=self.port, folder=folder))
        self.env = {**os.environ, "KRB5_CONFIG": self.config, "KRB5_KDC_PROFILE": self.profile, "KRB5CCNAME": os.path.join(folder, "nobody"),
                    "KRB5_CLIENT_KTNAME": os.path.join(folder, "nokeys"), "KRB5_KTNAME": os.path.join(folder, "nokeys"), "KRB5RCACHENAME": "none:"}
        self.tool("kdb5_util", "create", "-s", "-P", "of-the-realm", "-r", REALM)
        for name in ("anna", "bert", "service", "HTTP/" + HOST):
            self.admin("addprinc -randkey " + name)
            self.admin("ktadd -norandkey -k %s %s" % (self.keys(name), name))
        self.popen = None
        self.start()

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as f:
            f.write(text)
        return path

    def keys(self, name):
        return os.path.join(self.folder, name.replace("/", "-") + ".keytab")

    def tool(self, *args):
        done = subprocess.run([peers.shutil.which(args[0], path=os.environ["PATH"] + ":/usr/sbin:/sbin"), *args[1:]], env=self.env, capture_output=True,
                              text=True, timeout=30, stdin=subprocess.DEVNULL)
        hold(done.returncode == 0 and "failed" not in done.stderr, "%s: %s%s" % (args, done.stdout, done.stderr))
        return done.stdout

    def admin(self, what):
        return self.tool("kadmin.local", "-r", REALM, "-q", what)

    def start(self):
        self.popen = subprocess.Popen(["/usr/sbin/krb5kdc", "-n", "-r", REALM], env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL)
        until(lambda: peers.listens(self.address, self.port), peers.START_S, "the KDC listens")

    def stop(self):
        if self.popen:
            self.popen.terminate()
            self.popen.wait(timeout=10)
        self.popen = None

    close = stop

    def ticket(self, name, *options, user=None):
        """A cache with a ticket of `user`, got with his key."""
        cache = os.path.join(self.folder, name)
        self.tool("kinit", "-c", cache, "-k", "-t", self.keys(user or name), *options, user or name)
        return cache


class Realm(peers.Peers):
    daemon = None

    def __init__(self, build):
        super().__init__()
        self.binary = os.path.join(os.path.abspath(build), "mailmoor")

    def build(self):
        self.kdc = self.stack.add(Kdc(os.path.join(self.folder, "kdc"), self.address()))
        self.cache = self.kdc.ticket("anna")

    @contextlib.contextmanager
    def sandbox(self, *options, keytab=True, env=None):
        here = self.address()
        self.address()      # the one behind it is Autodiscover's
        log = os.path.join(self.folder, "sandbox.log")
        with contextlib.suppress(FileNotFoundError):
            os.remove(log)
        keys = ["--keytab", self.kdc.keys("HTTP/" + HOST)] if keytab else []
        popen = subprocess.Popen([self.binary, "sandbox", "--json", "--high-ports", "--listen", here, "--log", log, *keys, *options], env={**self.kdc.env, **(env or {})},
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            line = popen.stdout.readline()
            hold(line, "no sandbox: %s" % ("" if line else popen.stderr.read()))
            self.told = json.loads(line)
            yield self
        finally:
            popen.send_signal(signal.SIGINT)
            out, err = popen.communicate(timeout=30)
            with open(log) as f:
                self.log = [json.loads(line) for line in f]
        hold(popen.returncode == 0 and "ERROR: " not in err, err)
        self.counts = json.loads(out.splitlines()[-1])

    def diagnose(self, *options, address=ANNA, timeout=30, env=None, url=EWS):
        """(exit status, the report, seconds)"""
        begun = time.monotonic()
        network = ["--resolver", self.told["resolver"], "--ca-file", self.told["ca_file"]]
        for place in self.told["connect_to"]:
            network += ["--connect-to", place]
        self.record = os.path.join(self.folder, "record")
        done = subprocess.run([self.binary, "diagnose", address, "--json", "--lang", "en", *(["--ews", url] if url else []), "--timeout", str(timeout), "--record", self.record,
                               *network, *options], env={**self.kdc.env, **(env or {})}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        hold(done.stdout and "ERROR: " not in done.stderr and "WARNING: " not in done.stderr, "%s: %d %s" % (options, done.returncode, done.stderr))
        return done.returncode, json.loads(done.stdout), time.monotonic() - begun

    def signs_in(self, *options, user="anna", **more):
        status, o, _ = self.diagnose(*options, **more)
        hold(status == 0 and o["verdict"] == "connected", "not connected: %.3000s" % json.dumps(o))
        told = facts(o)
        hold(told.get("auth.mechanism") == "Kerberos" and told.get("auth.by") == "ticket" and told.get("kerberos.principal") == "%s@%s" % (user, REALM)
             and told.get("kerberos.server_proven") == "yes" and told.get("auth.channel_binding") == "sent", "how: %s" % told)
        return told

    def fails(self, *options, ticket, cause=None, exit=None, **more):
        status, o, seconds = self.diagnose(*options, **more)
        told = facts(o)
        ids = [c["id"] for c in o["causes"]]
        hold(status != 0 and o["verdict"] != "connected", "connected: %s" % told)
        hold(told.get("kerberos.ticket") == ticket, "the trouble is %s (%s), not %s" % (told.get("kerberos.ticket"), told.get("kerberos.text"), ticket))
        hold(cause is None or ids[:1] == [cause], "the causes: %s" % o["causes"])
        hold(all(c["certainty"] == "possible" for c in o["causes"] if c["id"] != "unknown.answer"), "too sure: %s" % o["causes"])
        return o, told, seconds


def facts(o):
    """Of exchange.login, the last one."""
    told = {}
    for step in o["steps"]:
        if step["id"] == "exchange.login":
            told = {**told, **{f["fact"]: f["value"] for f in step["facts"]}}
    return told


# -- it works ---------------------------------------------------------------------------------------------------------------------

@row
def a_ticket_out_of_a_cache_signs_in_and_the_server_proves_itself(t):
    with t.sandbox():
        t.signs_in("--ticket-cache", t.cache)
    logins = [r for r in t.log if r["login"] == "accepted"]
    hold([(r["scheme"], r["user"]) for r in logins] == [("Negotiate", "anna@" + REALM)], "the logins: %s" % logins)
    hold(t.counts["refused"] == 0 and not any(r.get("scheme") not in (None, "Negotiate") for r in t.log), "more was said: %s" % t.log)
    with open(t.record) as f:
        hold("Negotiate YI" not in f.read(), "our word, with the ticket, stands in the record")


@row
def the_cache_of_the_environment_is_the_usual_one(t):
    with t.sandbox():
        t.signs_in("--kerberos", env={"KRB5CCNAME": "FILE:" + t.cache})


@row
def a_keytab_signs_in_whatever_the_name_is_written_like(t):
    for name in (None, "anna", ANNA, "anna@" + REALM, "CONTOSO\\anna"):
        with t.sandbox():
            t.signs_in("--keytab", t.kdc.keys("anna"), *(["--username", name] if name else []))


@row
def a_service_account_acts_for_a_mailbox(t):
    with t.sandbox():
        t.signs_in("--keytab", t.kdc.keys("service"), "--username", "service@" + DOMAIN, "--impersonate", user="service")


@row
def every_version_takes_it(t):
    for version in ("2010sp2", "2013", "2019", "se"):
        with t.sandbox("--exchange", version):
            t.signs_in("--ticket-cache", t.cache)


@row
def it_is_found_by_autodiscover_and_signed_in_there_too(t):
    t.kdc.admin("addprinc -randkey HTTP/autodiscover." + DOMAIN)
    t.kdc.admin("ktadd -norandkey -k %s HTTP/autodiscover.%s" % (t.kdc.keys("HTTP/" + HOST), DOMAIN))
    with t.sandbox():
        t.signs_in("--ticket-cache", t.cache, url=None)
    hold(sum(r["login"] == "accepted" for r in t.log) >= 1, "the logins: %s" % t.log)


@row
def a_server_that_wants_it_with_each_request_gets_it(t):
    with t.sandbox("--fault", "kerberos-each"):
        t.signs_in("--ticket-cache", t.cache, "--send-test")      # the sign-in alone is one request
    hold(sum(r["login"] == "accepted" for r in t.log) > 3, "the logins: %s" % t.log)


@row
def it_is_bound_to_the_channel(t):
    with t.sandbox("--fault", "channel-binding=require"):
        t.signs_in("--ticket-cache", t.cache)


# -- it does not ------------------------------------------------------------------------------------------------------------------

@row
def bound_to_another_channel_it_is_refused(t):
    with t.sandbox("--exchange", "se", "--fault", "channel-binding=proxy"):
        status, o, _ = t.diagnose("--ticket-cache", t.cache)
        told = facts(o)
        hold(status == 1 and told["http.status"] == "401" and told["auth.credentials"] == "after", "told: %s" % told)
        hold([(c["id"], c["certainty"]) for c in o["causes"]][:1] == [("auth.channel_binding_required", "possible")], "the causes: %s" % o["causes"])
    hold(t.counts["refused"] == 1, "tries: %s" % t.counts)


@row
def a_server_that_proves_itself_not_at_all_or_wrongly_is_not_believed(t):
    for how in ("none", "wrong"):
        with t.sandbox("--fault", "kerberos-answer=" + how):
            o, told, _ = t.fails("--ticket-cache", t.cache, ticket="unproven", cause="unknown.answer")
            hold("kerberos.server_proven" not in told, "proven: %s" % told)
        hold(sum(r["login"] in ("accepted", "kept") for r in t.log) == 1, "it went on asking: %s" % t.log)


@row
def without_a_ticket_nothing_is_said(t):
    for options in (["--kerberos"], ["--keytab", t.kdc.keys("bert")], ["--ticket-cache", t.kdc.config]):
        with t.sandbox():
            t.fails(*options, ticket="none", cause="unknown.answer")
        hold(not any(r.get("scheme") for r in t.log), "said: %s" % t.log)


@row
def a_ticket_at_its_end_is_called_that(t):
    cache = t.kdc.ticket("short", "-l", "%ds" % SHORT_S, user="anna")
    until(lambda: "yes" in subprocess.run(["sh", "-c", "klist -s -c %s || echo yes" % cache], env=t.kdc.env, capture_output=True, text=True).stdout,
          SHORT_S + 10, "its end")
    with t.sandbox():
        t.fails("--ticket-cache", cache, ticket="expired", cause="unknown.answer")


@row
def a_service_that_the_kdc_does_not_know(t):
    with t.sandbox("--domain", "other.example", "--account", "anna@other.example:x"):
        t.fails("--ticket-cache", t.cache, ticket="no_service", cause="unknown.answer", address="anna@other.example",
                url="https://mail.other.example/EWS/Exchange.asmx")
    hold(not any(r.get("scheme") for r in t.log), "said: %s" % t.log)


@row
def a_user_that_the_kdc_does_not_know_and_a_key_that_is_not_his(t):
    t.kdc.admin("addprinc -randkey gone")
    t.kdc.admin("ktadd -k %s gone" % t.kdc.keys("gone"))
    with t.sandbox():
        t.kdc.admin("change_password -randkey gone")
        t.fails("--keytab", t.kdc.keys("gone"), "--username", "gone", ticket="key_refused", cause="auth.password_rejected")
        t.kdc.admin("delete_principal -force gone")
        t.fails("--keytab", t.kdc.keys("gone"), "--username", "gone", ticket="no_user", cause="auth.password_rejected")


@row
def a_kdc_that_is_down_or_silent_is_not_waited_for_beyond_the_time(t):
    hole = t.stack.add(peers.Hole(t.address()))
    port = peers.closed_port(t.address())
    for n, (address, number) in enumerate((port.getsockname(), (hole.address, hole.port))):
        config = t.kdc.write("krb5-%d.conf" % n, CONFIG.format(realm=REALM, domain=DOMAIN, more="udp_preference_limit = 1", kdc="kdc = %s:%d" % (address, number)))
        with t.sandbox():
            o, told, seconds = t.fails("--keytab", t.kdc.keys("anna"), ticket="kdc_silent", cause="unknown.answer", timeout=LIMIT_S, env={"KRB5_CONFIG": config})
            hold(seconds < (LIMIT_S + 3 if n else 3), "it took %.1f s" % seconds)
        hold(not any(r.get("scheme") for r in t.log), "said: %s" % t.log)
    port.close()


@row
def a_clock_that_is_off_is_told(t):
    """First the server's, whose own word it is; then ours, which the KDC does not take where nobody corrects it by the KDC's."""
    whims = t.stack.add(Whims(os.path.join(t.folder, "whims")))
    whims.set_clock(AHEAD_S)
    library = os.path.join(os.path.dirname(t.binary), "tests", "libwhims.so")
    off = {"LD_PRELOAD": library, "TEST_WHIMS": whims.path, "ASAN_OPTIONS": "verify_asan_link_order=0"}
    with t.sandbox(env=off):
        o, told, _ = t.fails("--ticket-cache", t.cache, ticket="clock", cause="operator.clock_wrong")
        hold(told["http.status"] == "401" and told["auth.credentials"] == "after", "told: %s" % told)
    config = t.kdc.write("krb5-clock.conf", CONFIG.format(realm=REALM, domain=DOMAIN, more="kdc_timesync = 0", kdc="kdc = %s:%d" % (t.kdc.address, t.kdc.port)))
    with t.sandbox():
        t.fails("--keytab", t.kdc.keys("anna"), ticket="clock", cause="operator.clock_wrong", env={**off, "KRB5_CONFIG": config})


@row
def a_server_without_the_key_refuses(t):
    t.kdc.admin("ktadd -k %s HTTP/%s" % (os.path.join(t.kdc.folder, "new"), HOST))      # another key from here on
    cache = t.kdc.ticket("later", user="anna")
    with t.sandbox():
        status, o, _ = t.diagnose("--ticket-cache", cache)
        hold(status != 0 and [c["id"] for c in o["causes"]][:1] == ["unknown.answer"], "the causes: %s" % o["causes"])
    os.replace(os.path.join(t.kdc.folder, "new"), t.kdc.keys("HTTP/" + HOST))


@row
def kerberos_is_chosen_instead_of_a_password(t):
    secret = os.path.join(t.folder, "password")
    with open(secret, "w") as f:
        f.write("x")
    with t.sandbox("--fault", "schemes=ntlm,basic"):
        status, o, _ = t.diagnose("--ticket-cache", t.cache)
        hold([(c["id"], c["certainty"]) for c in o["causes"]] == [("auth.no_common_scheme", "proven")], "the causes: %s" % o["causes"])
    hold(not any(r.get("scheme") for r in t.log), "said: %s" % t.log)
    readable = os.path.join(t.folder, "readable")
    with open(t.kdc.keys("anna"), "rb") as keys, open(readable, "wb") as f:
        f.write(keys.read())
    os.chmod(readable, 0o644)
    for options in (["--ticket-cache", t.kdc.keys("no-such")], ["--keytab", t.kdc.keys("no-such")], ["--keytab", readable],
                    ["--kerberos", "--password-file", secret], ["--keytab", "x", "--ticket-cache", "y"], ["--kerberos", "--provider", "imap"]):
        done = subprocess.run([t.binary, "diagnose", ANNA, *options], env=t.kdc.env, capture_output=True, text=True, timeout=20)
        hold(done.returncode == 2 and done.stderr, "%s: %d %s" % (options, done.returncode, done.stderr))


def main():
    args = arguments()
    with Realm(args.build) as t:
        t.build()
        return row.run(t, args.only)


if __name__ == "__main__":
    sys.exit(main())
