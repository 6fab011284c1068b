#!/usr/bin/env python3
"""The pictures of `mailmoor demo` in docs/: the tour, and six causes in six languages. Wants Chromium.

    demo_shots.py BUILD [FOLDER]
"""
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

CAUSES = (("en", "ews-off"), ("de", "certificate-other-name"), ("fi", "exchange-2007"), ("nl", "no-starttls"), ("pl", "firewall"), ("th", "app-password"))
WIDTH, HEIGHT, PATIENCE_S = 820, 900, 90


def shoot(url, file, folder, width=WIDTH, height=HEIGHT):
    subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--user-data-dir=" + os.path.join(folder, "browser"),
                    "--window-size=%d,%d" % (width, height), "--screenshot=" + file, url], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)


def settle(base):
    """Until each that needs nobody has been verified."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        with urllib.request.urlopen(base + "/demo?lang=en") as a:
            if b"being verified" not in a.read():
                return
        time.sleep(1)
    sys.exit("they are still being verified")


def main():
    build, out = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2] if len(sys.argv) > 2 else "docs")
    with tempfile.TemporaryDirectory() as folder, \
            subprocess.Popen([os.path.join(build, "mailmoor"), "demo"], stdout=subprocess.PIPE, text=True) as demo:
        try:
            base = next(m[1] for m in (re.search(r"(http://\S+)/demo", line) for line in demo.stdout) if m)
            settle(base)
            shoot(base + "/demo?lang=en", os.path.join(out, "demo-tour.png"), folder)
            shoot(base + "/demo?lang=th", os.path.join(out, "demo-tour-phone.png"), folder, 500, 1000)
            for lang, name in CAUSES:
                shoot("%s/demo/see/%s?lang=%s" % (base, name, lang), os.path.join(out, "demo-%s-%s.png" % (name, lang)), folder)
        finally:
            demo.send_signal(signal.SIGINT)
            demo.stdout.read()


if __name__ == "__main__":
    main()
