#!/usr/bin/env python3
"""Settings › General › Email and the operator's page in a real browser, with the daemon and real mail servers behind.

    settings.py BUILD [--shots FOLDER]

Needs Chromium and what `npm ci` puts into tests/pages; says so and is skipped where one of them is missing.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True

import service

PAGES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "pages")


def link(town, kind):
    url = town.daemon.api("POST", "/v1/connect-links", {"kind": kind})["url"]
    return "http://%s:%d/%s" % (town.daemon.address, town.daemon.port, "/".join(url.split("/")[-2:]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--shots", default="")
    o = parser.parse_args()
    chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    if not shutil.which("node") or not os.path.exists(chromium) or not os.path.isdir(os.path.join(PAGES, "node_modules")):
        print("ok 1 - settings # SKIP no browser, or no `npm ci` in tests/pages\n1..1")
        return 0
    with service.Town(os.path.join(os.path.abspath(o.build), "mailmoor")) as town:
        town.build()
        fine = [town.connect()["address"] for _ in range(2)]
        wrong = town.connect(password=service.WRONG, state=("needs_user", "needs_admin"))["address"]
        given = {"settings": link(town, "settings"), "operator": link(town, "operator"), "fine": fine, "wrong": wrong, "shots": o.shots}
        return subprocess.run(["node", os.path.join(PAGES, "settings.mjs"), json.dumps(given)], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
