#!/usr/bin/env python3
"""Starts a program as systemd would: with sockets that are open already, and no more than its unit allows.

    confine.py [--sockets NAME:NAME… FD,FD…] [--env NAME=VALUE]… [--root DIR] [--user UID:GID] [--unit FILE] PROGRAM ARG…

Of the unit: LimitNOFILE=, LimitMEMLOCK=, CapabilityBoundingSet= and NoNewPrivileges= (as root), UMask=, and a filter of system calls made of
its SystemCallFilter=, RestrictAddressFamilies= and MemoryDenyWriteExecute= with what `systemd-analyze syscall-filter` knows of the groups,
loaded by libseccomp. All of it holds for this process and whatever it starts.
"""
import ctypes
import errno
import os
import re
import resource
import socket
import subprocess
import sys

FIRST = 3
ALLOW = 0x7fff0000
REFUSE = 0x00050000 | errno.EPERM
NOT_EQUAL, MASKED_EQUAL = 1, 7
PROT_WRITE, PROT_EXEC = 2, 4
PR_CAPBSET_DROP = 24


def groups():
    """{"@name": its system calls and groups}, as systemd knows them."""
    found, name = {}, None
    for line in subprocess.check_output(["systemd-analyze", "syscall-filter"], text=True, stderr=subprocess.DEVNULL).splitlines():
        if line.startswith("@"):
            name = line.strip()
            found[name] = []
        elif name and line.startswith("    ") and not line.strip().startswith("#"):
            found[name].append(line.strip())
        elif not line.startswith(" "):
            name = None if line.strip() else name
    return found


def calls(words, known):
    found = set()
    for word in words:
        found |= calls(known[word], known) if word.startswith("@") else {word}
    return found


def allowed(unit):
    """The unit's lines in their order: the first says what may be, those with ~ what of it may not. @default always may."""
    known, now = groups(), set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", unit, re.M):
        words = line.lstrip("~").split()
        now = now - calls(words, known) if line.startswith("~") else now | calls(words, known)
    return now | calls(["@default"], known)


class Compare(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def make_filter(unit):
    """Made before the root changes, taken as the last thing."""
    lib = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    lib.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(lib.seccomp_init(REFUSE))

    def rule(action, name, *compare):
        number = lib.seccomp_syscall_resolve_name(name.encode())
        array = (Compare * len(compare))(*compare)
        if number >= 0 and lib.seccomp_rule_add_array(context, ctypes.c_uint32(action), number, len(compare), array) not in (0, -errno.EDOM):
            sys.exit("no rule for " + name)

    names = allowed(unit)
    families = re.search(r"^RestrictAddressFamilies=(.*)$", unit, re.M)[1].split()
    no_code = re.search(r"^MemoryDenyWriteExecute=yes$", unit, re.M)
    for name in sorted(names - {"socket", "mmap", "mprotect", "pkey_mprotect"}):
        rule(ALLOW, name)
    for family in families:
        rule(ALLOW, "socket", Compare(0, 4, getattr(socket, family), 0))      # 4: equal
    for name, masks in (("mmap", ((PROT_WRITE, 0), (PROT_WRITE | PROT_EXEC, PROT_WRITE))), ("mprotect", ((PROT_EXEC, 0),))):
        for mask, value in masks if no_code else ((0, 0),):
            rule(ALLOW, name, Compare(2, MASKED_EQUAL, mask, value))
    return lambda: lib.seccomp_load(context) and sys.exit("the filter is not taken")


def size(text):
    return int(text[:-1]) * {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}[text[-1]] if text[-1] in "KMG" else int(text)


def set_limits(unit):
    for word, what in (("LimitNOFILE", resource.RLIMIT_NOFILE), ("LimitMEMLOCK", resource.RLIMIT_MEMLOCK)):
        wanted = size(re.search(r"^%s=(\S+)$" % word, unit, re.M)[1])
        hard = resource.getrlimit(what)[1]
        if os.geteuid() != 0 and hard != resource.RLIM_INFINITY:
            wanted = min(wanted, hard)
        try:
            resource.setrlimit(what, (wanted, wanted))
        except (PermissionError, ValueError):      # where the machine itself allows less
            resource.setrlimit(what, (hard, hard))
    os.umask(int(re.search(r"^UMask=(\d+)$", unit, re.M)[1], 8))


def drop_capabilities():
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/sys/kernel/cap_last_cap") as f:
        last = int(f.read())
    return lambda: [libc.prctl(PR_CAPBSET_DROP, n, 0, 0, 0) for n in range(last + 1)]


def main():
    words = sys.argv[1:]
    root = user = unit = None
    while words[0].startswith("--"):
        kind = words.pop(0)
        if kind == "--sockets":
            names, numbers = words.pop(0), [int(n) for n in words.pop(0).split(",")]
            high = [os.dup2(n, 100 + i) for i, n in enumerate(numbers)]
            for i, n in enumerate(high):
                os.dup2(n, FIRST + i, inheritable=True)
                os.close(n)
            os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(numbers)), "LISTEN_FDNAMES": names}
        elif kind == "--env":
            name, _, value = words.pop(0).partition("=")
            os.environ[name] = value
        elif kind == "--root":
            root = words.pop(0)
        elif kind == "--user":
            user = [int(n) for n in words.pop(0).split(":")]
        elif kind == "--unit":
            with open(words.pop(0), encoding="utf-8") as f:
                unit = f.read()
        else:
            sys.exit(__doc__)
    last = []
    if unit:
        set_limits(unit)
        if os.geteuid() == 0 and re.search(r"^CapabilityBoundingSet=$", unit, re.M):
            last.append(drop_capabilities())
        take_filter = make_filter(unit)
    if root:
        os.chroot(root)
        os.chdir("/")
    for drop in last:
        drop()
    if user:
        os.setgroups([])
        os.setresgid(user[1], user[1], user[1])
        os.setresuid(user[0], user[0], user[0])
    if unit:
        take_filter()
    os.execvp(words[0], words)


if __name__ == "__main__":
    main()
