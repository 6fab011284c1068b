#!/usr/bin/env python3
"""The package on a clean Debian 12: installed, started under its unit's restrictions, looked at by the doctor, upgraded, removed.

    package.py FOLDER-WITH-THE-DEB [--show]

As root, with debootstrap. Everything stands in a folder of its own, in a name space of mounts that ends with this program; packages come from
where this machine's own apt gets them. systemd cannot be the first process there, so the daemon is started as the unit would do it, by
confine.py: its user, no capabilities, no new privileges, its system calls, its limits, a system that is read-only but for its own directory.
--show prints what the doctor says.
"""
import argparse
import contextlib
import glob
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import peers
from peers import hold, until

HERE = os.path.dirname(os.path.abspath(__file__))
CONFINE = os.path.join(HERE, "confine.py")
RELEASE = "bookworm"
INSIDE = "MAILMOOR_PACKAGE_TEST"      # set once we are in a name space of our own
CONF = "/etc/mailmoor/mailmoor.conf"
STATE = "/var/lib/mailmoor"


def sources():
    """(URL of a mirror, lines for sources.list), as this machine's apt has them."""
    said = subprocess.check_output(["apt-get", "indextargets", "--format", "$(ORIGIN)|$(RELEASE)|$(COMPONENT)|$(REPO_URI)", "Identifier: Packages"],
                                   text=True)
    rows = sorted({tuple(line.split("|")) for line in said.splitlines()})
    ours = [r for r in rows if r[0] == "Debian" and r[1].split("-")[0] == RELEASE and r[2] == "main"]
    main = [r[3] for r in ours if r[1] == RELEASE]
    hold(main, "apt of this machine knows no %s" % RELEASE)
    return main[0], "".join("deb %s %s %s\n" % (uri, release, component) for _, release, component, uri in ours)


def run(*words, **more):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL, **more)
    hold(done.returncode == 0, "%s: %d\n%s" % (" ".join(words), done.returncode, done.stdout[-3000:]))
    return done.stdout


class House:
    def __init__(self, deb, show):
        self.deb, self.show, self.popen = deb, show, None
        # of this process alone, as in peers.py
        self.address = "127.%d.%d.1" % (64 + (os.getpid() >> 8) % 128, os.getpid() % 256)
        self.names = peers.Names(self.address)
        self.root = tempfile.mkdtemp(prefix="mailmoor-root-")
        os.chmod(self.root, 0o755)
        self.key = None

    def at(self, path):
        return self.root + path

    def inside(self, *words, **more):
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", "HOME": "/root"}
        env |= {k: v for k, v in os.environ.items() if k.lower().endswith("_proxy")}
        return run("chroot", self.root, *words, env=env, **more)

    # -- the system ---------------------------------------------------------------------------------------------------------------

    def build(self):
        mirror, lines = sources()
        run("debootstrap", "--variant=minbase", RELEASE, self.root, mirror)
        with open(self.at("/etc/apt/sources.list"), "w") as f:
            f.write(lines)
        for path in glob.glob("/etc/apt/apt.conf.d/*proxy*"):
            shutil.copy(path, self.at("/etc/apt/apt.conf.d/"))
        with contextlib.suppress(FileNotFoundError):
            shutil.copy("/etc/resolv.conf", self.at("/etc/resolv.conf"))
        run("mount", "-t", "proc", "proc", self.at("/proc"))
        self.inside("apt-get", "-qq", "update")

    def install(self, *more):
        shutil.copy(self.deb, self.at("/tmp/mailmoor.deb"))
        return self.inside("apt-get", "-qq", "-y", "--no-install-recommends", *more, "install", "/tmp/mailmoor.deb")

    def user(self):
        return "%s:%s" % tuple(self.inside("id", flag, "mailmoor").strip() for flag in ("-u", "-g"))

    def prepare(self):
        """What systemd does before it starts the unit: StateDirectory=, ProtectSystem=strict, PrivateTmp=."""
        os.makedirs(self.at(STATE), exist_ok=True)
        run("mount", "--bind", self.root, self.root)
        run("mount", "-t", "tmpfs", "-o", "size=2G", "state", self.at(STATE))
        run("mount", "-t", "tmpfs", "-o", "size=16M,mode=1777", "tmp", self.at("/tmp"))
        run("mount", "-t", "proc", "-o", "ro", "proc", self.at("/proc"))
        owner, group = (int(n) for n in self.user().split(":"))
        os.chmod(self.at(STATE), 0o700)
        os.chown(self.at(STATE), owner, group)
        run("mount", "-o", "remount,bind,ro", self.root)

    def writable(self, yes):
        run("mount", "-o", "remount,bind,%s" % ("rw" if yes else "ro"), self.root)

    def set_up(self):
        self.port = free_port(self.address)
        with open(self.at(CONF), encoding="utf-8") as f:
            text = f.read()
        for was, now in (("#listen = 127.0.0.1:8325", "listen = %s:%d" % (self.address, self.port)),
                         ("#resolver =", "resolver = %s:%d" % (self.address, self.names.port))):
            hold(text.count(was + "\n") == 1, "%s has no line %s" % (CONF, was))
            text = text.replace(was + "\n", now + "\n")
        with open(self.at(CONF), "w", encoding="utf-8") as f:
            f.write(text)

    # -- the daemon ---------------------------------------------------------------------------------------------------------------

    def start(self):
        with open(self.at("/lib/systemd/system/mailmoor.service"), encoding="utf-8") as f:
            command = re.search(r"^ExecStart=(.*)$", f.read(), re.M)[1].split()
        self.log = open(os.path.join(self.root + ".log"), "ab+")
        env = {"PATH": "/usr/bin", "LANG": "C.UTF-8", "STATE_DIRECTORY": STATE, "HOME": STATE}
        self.popen = subprocess.Popen([sys.executable, CONFINE, "--root", self.root, "--user", self.user(), "--unit",
                                       self.at("/lib/systemd/system/mailmoor.service"), *command],
                                      stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=env)
        until(self.is_up, 20, "the daemon")

    def is_up(self):
        hold(self.popen.poll() is None, "the daemon ended: " + self.said()[-2000:])
        return peers.listens(self.address, self.port)

    def said(self):
        with open(self.root + ".log", errors="replace") as f:
            return f.read()

    def stop(self):
        if self.popen and self.popen.poll() is None:
            begin = time.monotonic()
            self.popen.send_signal(signal.SIGTERM)
            self.popen.wait(30)
            hold(self.popen.returncode == 0 and time.monotonic() - begin < 10, "it ended with %s after %.1f s: %s" % (
                self.popen.returncode, time.monotonic() - begin, self.said()[-2000:]))
        self.popen = None

    def api(self, method, path, body=None):
        c = http.client.HTTPConnection(self.address, self.port, timeout=20)
        with contextlib.closing(c):
            c.request(method, path, body and json.dumps(body), {"Authorization": "Bearer " + self.key, "Content-Type": "application/json"})
            a = c.getresponse()
            text = a.read()
            hold(a.status < 300, "%s %s: %d %s" % (method, path, a.status, text))
            return json.loads(text) if text else None

    def doctor(self, title, status):
        """As a person would ask: root, in that system, without options. And the same for programs."""
        done = subprocess.run(["chroot", self.root, "/usr/bin/mailmoor", "doctor"], capture_output=True, text=True,
                              env={"LANG": "C.UTF-8", "PATH": os.environ["PATH"]}, timeout=120)
        if self.show:
            print("\n-- %s --\n# mailmoor doctor\n%s(exit status %d)\n" % (title, done.stdout + done.stderr, done.returncode), flush=True)
        hold(done.returncode == status, "%s: status %d\n%s" % (title, done.returncode, done.stdout + done.stderr))
        lines = re.findall(r"^  (passed|warned|failed|skipped) +(\S.{0,16}?)  +(.*)$", done.stdout, re.M)
        hold(len(lines) >= 10 and (status == 0) == (not any(s == "failed" for s, _, _ in lines)), "%s: its lines\n%s" % (title, done.stdout))
        return {label: (state, text) for state, label, text in lines}

    def close(self):
        with contextlib.suppress(Exception):
            if self.popen:
                self.popen.kill()
                self.popen.wait()
        self.names.close()
        # innermost first; the name space would take them away as well, but what is below must be deletable
        for line in reversed(open("/proc/self/mounts").read().splitlines()):
            if line.split()[1].startswith(self.root):
                subprocess.run(["umount", "-l", line.split()[1]], stderr=subprocess.DEVNULL)
        if not any(line.split()[1].startswith(self.root) for line in open("/proc/self/mounts")):
            shutil.rmtree(self.root, ignore_errors=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.root + ".log")


def free_port(address):
    with socket.socket() as s:
        s.bind((address, 0))
        return s.getsockname()[1]


# -- the rows, each behind the one before --------------------------------------------------------------------------------------------

def a_clean_debian_is_made(h):
    h.build()


def the_package_installs(h):
    h.install()
    hold(h.inside("mailmoor", "--version").startswith("mailmoor "), "its version")
    passwd = h.inside("getent", "passwd", "mailmoor")
    hold(":/var/lib/mailmoor:" in passwd and passwd.rstrip().endswith("nologin"), "its user: " + passwd)
    wants = os.listdir(h.at("/etc/systemd/system/multi-user.target.wants"))
    hold("mailmoor.service" in wants, "enabled: %s" % wants)
    sockets = h.at("/etc/systemd/system/sockets.target.wants")
    hold(not os.path.exists(sockets) or not [n for n in os.listdir(sockets) if n.startswith("mailmoor")], "sockets are enabled unasked")
    hold(CONF in h.inside("dpkg-query", "-W", "-f", "${Conffiles}", "mailmoor"), "conffiles")
    hold(not h.inside("dpkg", "--verify", "mailmoor").strip(), "files differ")


def systemd_of_that_debian_takes_the_units(h):
    units = sorted(os.path.basename(p) for p in glob.glob(h.at("/lib/systemd/system/mailmoor*")))
    hold(units == ["mailmoor-inbound.socket", "mailmoor-lmtp.socket", "mailmoor.service", "mailmoor.socket"], "units: %s" % units)
    said = h.inside("systemd-analyze", "verify", "--man=no", *("/lib/systemd/system/" + u for u in units))
    hold(not said.strip(), "verify: " + said)
    score = h.inside("systemd-analyze", "security", "--offline=yes", "--threshold=15", "--no-pager", "/lib/systemd/system/mailmoor.service")
    if h.show:
        print(score.strip().splitlines()[-1])


def it_starts_under_its_restrictions(h):
    h.set_up()
    h.prepare()
    h.start()
    until(lambda: "first key" in h.said(), 10, "the first key")
    h.key = re.search(r"first key +(mm_\w+)", h.said())[1]
    with open("/proc/%d/status" % h.popen.pid) as f:
        status = {name: value.strip() for name, _, value in (line.partition(":") for line in f)}
    hold(status["Uid"].split()[0] == h.user().split(":")[0] and int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
         and status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", "its rights: %s" % status)
    hold({"mailmoor.db", "mailmoor.key"} <= set(os.listdir(h.at(STATE))), "its directory")
    for path, _, files in os.walk(h.at(STATE)):
        for name in files:
            st = os.stat(os.path.join(path, name))
            hold(st.st_mode & 0o077 == 0, "%s may be read by others" % name)
    h.api("POST", "/v1/accounts", {"address": "ann@nowhere.example", "password": peers.PASSWORD})


def the_doctor_finds_it_well(h):
    d = h.doctor("all is well", 0)
    hold(d["settings"] == ("passed", CONF) and "as mailmoor" in d["rights"][1], "%s" % d)
    hold(d["daemon"][0] == "passed" and "process %d" % h.popen.pid in d["daemon"][1], "%s" % (d["daemon"],))
    for label in ("state directory", "free disk", "key file", "store", "sealed secrets", "open files", "locked memory", "name server"):
        hold(d[label][0] == "passed", "%s: %s" % (label, d[label]))
    hold("1 account;" in d["store"][1], "%s" % (d["store"],))
    hold(d["base_url"][0] == "warned", "%s" % (d["base_url"],))


def the_doctor_sees_a_key_that_others_may_read(h):
    os.chmod(h.at(STATE + "/mailmoor.key"), 0o644)
    d = h.doctor("key file with mode 0644", 1)
    hold(d["key file"][0] == "failed" and "0644" in d["key file"][1], "%s" % (d["key file"],))
    os.chmod(h.at(STATE + "/mailmoor.key"), 0o600)


def the_doctor_sees_a_disk_that_is_nearly_full(h):
    run("mount", "-o", "remount,size=90M", h.at(STATE))
    d = h.doctor("a state directory of 90 MiB", 1)
    hold(d["free disk"][0] == "failed" and "MiB left" in d["free disk"][1], "%s" % (d["free disk"],))
    run("mount", "-o", "remount,size=600M", h.at(STATE))
    hold(h.doctor("a state directory of 600 MiB", 0)["free disk"][0] == "warned", "600 MiB")
    run("mount", "-o", "remount,size=2G", h.at(STATE))


def the_daemons_user_backs_up_as_the_page_says(h):
    with open(os.path.join(os.path.dirname(os.path.dirname(HERE)), "docs", "operating.md"), encoding="utf-8") as f:
        command = re.search(r"^ +(runuser -u mailmoor -- mailmoor backup .*)$", f.read(), re.M)[1].split()
    h.inside(*command)
    st = os.stat(h.at(command[-1]))
    hold(st.st_size > 50000 and st.st_mode & 0o777 == 0o600, "the back-up: %d bytes, mode %o" % (st.st_size, st.st_mode))


def the_doctor_sees_that_it_does_not_run(h):
    h.stop()
    d = h.doctor("daemon stopped", 1)
    hold(d["daemon"][0] == "failed" and "does not run" in d["daemon"][1] and "read through, and whole" in d["store"][1], "%s" % d)


def an_upgrade_keeps_settings_and_accounts(h):
    h.writable(True)
    h.install("--reinstall")
    h.writable(False)
    with open(h.at(CONF), encoding="utf-8") as f:
        hold("\nlisten = %s:%d\n" % (h.address, h.port) in f.read(), "the settings are gone")
    h.start()
    hold([a["address"] for a in h.api("GET", "/v1/accounts")["items"]] == ["ann@nowhere.example"], "the account is gone")
    hold(h.doctor("after the upgrade", 0)["sealed secrets"][0] == "passed", "its secrets")


def purged_it_leaves_the_accounts(h):
    h.stop()
    h.writable(True)
    said = h.inside("apt-get", "-y", "purge", "mailmoor")
    hold("/var/lib/mailmoor" in said and os.path.exists(h.at(STATE + "/mailmoor.key")), "what it says: " + said[-500:])
    hold(not os.path.exists(h.at("/usr/bin/mailmoor")) and not os.path.exists(h.at(CONF)), "files are left")


ROWS = [a_clean_debian_is_made, the_package_installs, systemd_of_that_debian_takes_the_units, it_starts_under_its_restrictions,
        the_doctor_finds_it_well, the_doctor_sees_a_key_that_others_may_read, the_doctor_sees_a_disk_that_is_nearly_full,
        the_daemons_user_backs_up_as_the_page_says, the_doctor_sees_that_it_does_not_run, an_upgrade_keeps_settings_and_accounts,
        purged_it_leaves_the_accounts]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--show", action="store_true")
    o = parser.parse_args()
    if not peers.ROOT or not shutil.which("debootstrap"):
        print("skipped: it takes root and debootstrap\n0 passed, 0 failed, %d skipped" % len(ROWS))
        return 0
    if INSIDE not in os.environ:
        os.execvpe("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv], {**os.environ, INSIDE: "yes"})
    debs = glob.glob(os.path.join(o.folder, "mailmoor_*.deb"))
    if len(debs) != 1:
        sys.exit("%s: %d packages" % (o.folder, len(debs)))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    house, passed = House(debs[0], o.show), 0
    with contextlib.closing(house):
        for row in ROWS:
            begin = time.monotonic()
            try:
                row(house)
            except Exception as e:
                print("not ok %s: %s: %s\n%s" % (row.__name__.replace("_", " "), type(e).__name__, e,
                                                  house.said()[-1500:] if house.popen else ""))
                print("%d passed, 1 failed, %d skipped" % (passed, len(ROWS) - passed - 1))
                return 1
            passed += 1
            print("ok %s (%.1f s)" % (row.__name__.replace("_", " "), time.monotonic() - begin), flush=True)
    print("%d passed, 0 failed" % passed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
