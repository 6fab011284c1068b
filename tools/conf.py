#!/usr/bin/env python3
"""Makes mailmoor.conf, as a package installs it, of the one table of settings: every setting with its text, all of it commented.

    conf.py settings.def OUT
"""
import re
import sys
import textwrap

ROW = re.compile(r'^SETTING\(\w+,\s*"(\w+)",\s*"(\w+)",\s*(?:NULL|"([^"]*)"),\s*"((?:[^"\\]|\\.)*)"\)\s*$', re.M)
WIDTH = 100
HEAD = """# Mailmoor's settings: see mailmoor.conf(5).
# A line without a value has no default. Variables count more than this file: [web] listen is MAILMOOR_WEB_LISTEN.
# After a change: systemctl restart mailmoor; then ask `mailmoor doctor`.
"""


def main():
    source, out = sys.argv[1:]
    with open(source, encoding="utf-8") as f:
        text = f.read()
    rows = ROW.findall(text)
    if len(rows) != len(re.findall(r"^SETTING\(", text, re.M)):
        sys.exit("%s: a row that cannot be read" % source)
    lines, last = [HEAD], None
    for section, key, otherwise, manual in rows:
        if section != last:
            lines.append("[%s]" % section)
            last = section
        lines += ["# " + line for line in textwrap.wrap(manual.replace('\\"', '"'), WIDTH - 2, break_long_words=False, break_on_hyphens=False)]
        lines.append(("#%s = %s" % (key, otherwise)).rstrip() + "\n")
    with open(out, "w", encoding="utf-8") as f:
        f.write("\n".join(lines).rstrip() + "\n")


if __name__ == "__main__":
    main()
