#!/usr/bin/env python3
"""Runs every test of a build folder and says at the end how many there were.

    test.py BUILD

A program of C tests speaks TAP and counts each of its cases; a script counts its own and closes with "N passed, N failed".
Failing output is shown whole. The last line is the sum. Those that do not mind company (is_parallel) run two at a time, the others alone.
"""
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import time

CLOSING = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.M)
SUPPRESSIONS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "tsan.supp")
TAP = re.compile(r"^(not )?ok\b(.*)$", re.M)


def count(output, status):
    """passed, failed, skipped"""
    closing = CLOSING.findall(output)
    if closing:
        return tuple(int(n or 0) for n in closing[-1])
    points = TAP.findall(output)
    if not points:
        return (0, 1, 0) if status else (1, 0, 0)
    skipped = sum("# SKIP" in rest for _, rest in points)      # cmocka writes "not ok 3 # SKIP"
    failed = sum(bool(bad) for bad, rest in points if "# SKIP" not in rest)
    return len(points) - failed - skipped, failed, skipped


def run(test, build):
    env = {"TSAN_OPTIONS": "suppressions=" + SUPPRESSIONS, **os.environ, **test.get("env", {})}
    try:
        p = subprocess.run(test["cmd"], cwd=test.get("workdir") or build, env=env, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=test["timeout"] or 1200)
        return p.stdout.decode(errors="replace"), p.returncode
    except subprocess.TimeoutExpired as e:
        return (e.stdout or b"").decode(errors="replace") + "\nno end after %d s" % e.timeout, 1


def timed(test, build):
    start = time.monotonic()
    return test, *run(test, build), time.monotonic() - start


def all_of(tests, build):
    """Each as it ends: first those that do not mind company, side by side, then each of the others."""
    alone = [t for t in tests if not t["is_parallel"]]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        yield from (f.result() for f in concurrent.futures.as_completed([pool.submit(timed, t, build) for t in tests if t["is_parallel"]]))
    yield from (timed(t, build) for t in alone)


def main():
    build = sys.argv[1]
    tests = json.loads(subprocess.check_output(["meson", "introspect", "--tests", build]))
    total = [0, 0, 0]
    for test, output, status, took in all_of(tests, build):
        passed, failed, skipped = count(output, status)
        if status and not failed:
            failed = 1
        total = [total[0] + passed, total[1] + failed, total[2] + skipped]
        if failed:
            print(output.rstrip())
        print("%-28s %4d passed, %d failed%s  %.1f s" % (test["name"], passed, failed, ", %d skipped" % skipped if skipped else "", took), flush=True)
    if total[2]:
        print("%d were skipped" % total[2])
    print("%d passed, %d failed" % (total[0], total[1]))
    return 1 if total[1] or not total[0] else 0


if __name__ == "__main__":
    sys.exit(main())
