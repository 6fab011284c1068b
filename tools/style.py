#!/usr/bin/env python3
"""What the look of our C must keep to, as far as a program can judge it without harm.

    style.py FILE …      exit status 1 and one line for each fault

Its own: tabs indent and blanks align behind them, a longest line (rows of tables and texts, which have a string in
them or stand in a test, may be longer), nothing at the end of a line, one line end at the end. clang-format's: whether a blank belongs
between two tokens. Where lines break and what stands in columns is set by hand here (tables, declarations, comments
beside code), so of clang-format's opinion only that is asked.
"""
import re
import subprocess
import sys

COLUMNS = 140


def by_itself(path, text):
    lines = text.split("\n")
    if lines[-1] or text.endswith("\n\n"):
        yield len(lines) - 1, "the file does not end in exactly one line end"
    for number, line in enumerate(lines, 1):
        if line != line.rstrip():
            yield number, "blanks at the end"
        if re.match(r"\t* +\t", line):
            yield number, "blanks before a tab"
        if len(line.expandtabs(8)) > COLUMNS and '"' not in line and not path.startswith("tests/"):
            yield number, "%d columns" % len(line.expandtabs(8))


def gaps(text):
    """Every character that is no white space, the white space before it, and its line."""
    line, gap = 1, ""
    for c in text.replace("\\\n", " \n"):
        if c.isspace():
            gap += c
            line += c == "\n"
        else:
            yield c, gap, line
            gap = ""


def misread(last, c):
    """Where clang-format 14 takes a macro for something else (a label, a product), or knows one way only: for (;; )."""
    return c == ":" or last == "*" or last + c == ";)"


def by_clang_format(path, text):
    theirs = subprocess.run(["clang-format", "--style=file", "--assume-filename=" + path], input=text, text=True,
                            capture_output=True, check=True).stdout
    last = ""
    for (c, gap, line), (d, wanted, _) in zip(gaps(text), gaps(theirs)):
        if c != d:
            yield line, "clang-format reads it otherwise from here on"
            return
        if "\n" not in gap + wanted and bool(gap) != bool(wanted) and not misread(last, c):
            yield line, "%s blank between %s and %s" % ("a needless" if gap else "no", last, c)
        last = c


def main():
    faults = 0
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as f:
            text = f.read()
        for line, what in [*by_itself(path, text), *by_clang_format(path, text)]:
            print("%s:%d: %s" % (path, line, what))
            faults += 1
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
