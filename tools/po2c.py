#!/usr/bin/env python3
"""po2c.py -- the catalogue of texts: from po/*.po to one C file.

    po2c.py --check                        every fault of every po file, as FILE:LINE; exit status 1 when there is one
    po2c.py --out FILE [--depfile FILE]    the C file (src/diagnose/catalogue.c reads it)
    po2c.py --new LANG [--name NAME]       a fresh po/LANG.po, made from po/en.po
    --po FOLDER                            where the po files are, if not beside this folder

po/en.po is the source: there the text is the msgid, and msgctxt is the key. In all others msgid repeats the English
text, so that a translation of a text that has changed since is known to be stale. `msgmerge po/de.po po/en.po` brings
a file up to date and marks what to look at as fuzzy.

A translation that is missing, stale or fuzzy is an error for --check; --out warns and leaves the English text in its
place. Everything else that is wrong stops both.
"""

import argparse
import datetime
import pathlib
import re
import sys
import unicodedata

PLACEHOLDERS = frozenset("""
    address domain host port service given_url right_url right_host right_port names issuer expired_on valid_from
    missing pin provider app_password_url settings_url wait until our_address offered username right_username mx reply
    limit our_clock server_clock recipient sender version tenant app scopes other_account policy code tried fingerprint
    owa_url usual_ports pop_ports
""".split())

TITLE_MOST = 70
STEP_MOST = 24       # the labels stand in one column of the report
FIX_MOST = 6

KEY = re.compile(r"(?:ui|page)/[a-z0-9_.]+|([a-z0-9_]+\.[a-z0-9_]+)/(title|why|why\.plain|fix\.([1-9]))")
PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
CODE = re.compile(r"`([^`]*)`")
URL = re.compile(r"https?://[^\s`<>]+")
# Error numbers, versions and ports: no placeholders, but no translation may change them either.
NUMBER = re.compile(r"AADSTS[0-9]*|[0-9][0-9.]*[0-9]")


class Fault(Exception):
    """The file cannot be read any further."""


class Entry:
    def __init__(self, line):
        self.line = line
        self.notes = []
        self.fuzzy = False
        self.fields = {}

    @property
    def key(self):
        return self.fields.get("msgctxt")

    @property
    def msgid(self):
        return self.fields.get("msgid", "")

    @property
    def msgstr(self):
        return self.fields.get("msgstr", "")


ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}


def unquote(text, where):
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        raise Fault(f"{where}: expected a text in double quotes")
    out, i, inner = [], 0, text[1:-1]
    while i < len(inner):
        c = inner[i]
        if c == '"':
            raise Fault(f"{where}: a double quote inside a text needs a backslash")
        if c == "\\":
            i += 1
            if i == len(inner) or inner[i] not in ESCAPES:
                raise Fault(f"{where}: unknown escape in a text")
            c = ESCAPES[inner[i]]
        out.append(c)
        i += 1
    return "".join(out)


def quote(text):
    names = {char: "\\" + name for name, char in ESCAPES.items()}
    return '"' + "".join(names.get(c, c) for c in text) + '"'


def parse(path):
    """The entries of a po file, the header (msgid "") among them."""
    entries, entry, field = [], None, None
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise Fault(f"{path}:1: not UTF-8: {error}") from error
    for number, line in enumerate(lines, 1):
        line, where = line.strip(), f"{path}:{number}"
        if line.startswith("#~"):
            continue                                     # an entry that is no longer in use
        word = re.match(r'(msgctxt|msgid|msgstr)\s*(".*)$', line)
        if entry and ("msgstr" in entry.fields and (line.startswith("#") or (word and word[1] != "msgstr"))):
            entry = None
        if not line:
            field = None
        elif line.startswith("#"):
            entry = entry or new_entry(entries, number)
            entry.fuzzy = entry.fuzzy or (line.startswith("#,") and "fuzzy" in line)
            if line.startswith("#."):
                entry.notes.append(line)
            field = None
        elif word:
            entry = entry or new_entry(entries, number)
            field = word[1]
            if field in entry.fields:
                raise Fault(f"{where}: a second {field} in one entry")
            if field == "msgctxt":
                entry.line = number
            entry.fields[field] = unquote(word[2], where)
        elif line.startswith('"') and field:
            entry.fields[field] += unquote(line, where)
        else:
            raise Fault(f"{where}: not understood: {line[:60]}")
    entries = [e for e in entries if e.fields]           # comments at the end belong to no entry
    for e in entries:
        if "msgid" not in e.fields or "msgstr" not in e.fields:
            raise Fault(f"{path}:{e.line}: an entry needs msgid and msgstr")
    return entries


def new_entry(entries, line):
    entries.append(Entry(line))
    return entries[-1]


class Catalogue:
    """One po file, its entries by key."""

    def __init__(self, path):
        self.path = path
        self.faults = []         # what must never be built
        self.gaps = []           # what English can stand in for
        self.entries = {}
        self.header = {}
        for entry in parse(path):
            if entry.key is None:
                self.read_header(entry)
            elif not KEY.fullmatch(entry.key):
                self.fault(entry.line, f"no key of the catalogue: {entry.key}")
            elif entry.key in self.entries:
                self.fault(entry.line, f"{entry.key} is here twice, first in line {self.entries[entry.key].line}")
            else:
                self.entries[entry.key] = entry
        self.check_header()

    def fault(self, line, text):
        self.faults.append((line, text))

    def read_header(self, entry):
        if entry.msgid or self.header:
            self.fault(entry.line, "an entry without msgctxt")
            return
        for line in entry.msgstr.split("\n"):
            name, colon, value = line.partition(":")
            if colon:
                self.header[name.strip()] = value.strip()

    def check_header(self):
        tag, changed = self.header.get("Language", ""), self.header.get("PO-Revision-Date", "")
        if tag.replace("_", "-") != self.path.stem.replace("_", "-"):
            self.fault(1, f"the header's Language is “{tag}”, but the file is named {self.path.name}")
        if not self.header.get("X-Language-Name"):
            self.fault(1, "the header needs X-Language-Name: the language's own name for itself")
        if self.header.get("X-Reviewed") not in ("no", "yes"):
            self.fault(1, "the header needs X-Reviewed: yes when a person has reviewed it, else no")
        if not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", changed):
            self.fault(1, "the header needs PO-Revision-Date: YYYY-MM-DD")

    @property
    def tag(self):
        return self.header["Language"].replace("_", "-")

    def check_english(self):
        for key, entry in self.entries.items():
            text = entry.msgid
            if not text:
                self.fault(entry.line, f"{key}: the text is empty")
            if entry.msgstr and entry.msgstr != text:
                self.fault(entry.line, f"{key}: English is in msgid; msgstr stays empty")
            self.check_form(entry, text)
            cause = KEY.fullmatch(key)[1]
            if cause:
                self.check_cause_text(cause, key, entry)
        for cause in {KEY.fullmatch(key)[1] for key in self.entries} - {None}:
            self.check_cause(cause)

    def check_cause_text(self, cause, key, entry):
        names = set(PLACEHOLDER.findall(entry.msgid))
        for name in sorted(names - PLACEHOLDERS):
            self.fault(entry.line, f"{key}: no placeholder is called {{{name}}}")
        if key.endswith("/title"):
            if len(entry.msgid) > TITLE_MOST:
                self.fault(entry.line, f"{key}: {len(entry.msgid)} letters, at most {TITLE_MOST}")
            if names:
                self.fault(entry.line, f"{key}: a title has no placeholders")
        if key.endswith("/why") and names and f"{cause}/why.plain" not in self.entries:
            self.fault(entry.line, f"{key} has placeholders, so {cause}/why.plain is needed")
        if key.endswith("/why.plain") and names:
            self.fault(entry.line, f"{key} is for when a value is not known, so it has no placeholders")

    def check_cause(self, cause):
        steps = [k for k in self.entries if k.startswith(f"{cause}/fix.")]
        for part in ("title", "why"):
            if f"{cause}/{part}" not in self.entries:
                self.fault(1, f"{cause}/{part} is missing")
        if not 1 <= len(steps) <= FIX_MOST:
            self.fault(1, f"{cause}: {len(steps)} steps, not 1 to {FIX_MOST}")
        for n in range(1, len(steps) + 1):
            if f"{cause}/fix.{n}" not in self.entries:
                self.fault(1, f"{cause}/fix.{n} is missing between the other steps")
        if steps and all(PLACEHOLDER.search(self.entries[k].msgid) for k in steps):
            self.fault(self.entries[steps[0]].line, f"{cause}: one step needs to do without placeholders")

    def check_form(self, entry, text):
        """What holds for a text in any language."""
        key = entry.key
        if re.search(r"[{}]", PLACEHOLDER.sub("", text)):
            self.fault(entry.line, f"{key}: a brace that belongs to no placeholder")
        if text.count("`") % 2:
            self.fault(entry.line, f"{key}: a backtick without its partner")
        if text != text.strip():
            self.fault(entry.line, f"{key}: white space at an end of the text")
        if re.search(r"[\x00-\x1f\x7f]", text):
            self.fault(entry.line, f"{key}: a control character in the text")
        if key.startswith("ui/step.") and width(text) > STEP_MOST:
            self.fault(entry.line, f"{key}: {width(text)} letters, at most {STEP_MOST}")

    def check_against(self, english):
        for key, entry in self.entries.items():
            source = english.entries.get(key)
            if source is None:
                self.fault(entry.line, f"{key} is unknown to {english.path.name}")
            elif entry.msgid != source.msgid:
                self.gaps.append((entry.line, key, "is stale: the English text has changed"))
            elif entry.fuzzy:
                self.gaps.append((entry.line, key, "is marked fuzzy"))
            elif not entry.msgstr:
                self.gaps.append((entry.line, key, "is not translated"))
            else:
                self.check_form(entry, entry.msgstr)
                self.compare(entry, "placeholder", PLACEHOLDER.findall)
                self.compare(entry, "URL", urls)
                self.compare(entry, "text in backticks", CODE.findall)
                self.compare(entry, "number", NUMBER.findall, more_is_fine=True)
        for key in english.entries:
            if key not in self.entries:
                self.gaps.append((1, key, "is missing"))

    def compare(self, entry, what, find, more_is_fine=False):
        ours, theirs = set(find(entry.msgid)), set(find(entry.msgstr))
        for lost in sorted(ours - theirs):
            self.fault(entry.line, f"{entry.key}: {what} lost: {lost}")
        for added in sorted(theirs - ours):
            if not more_is_fine:
                self.fault(entry.line, f"{entry.key}: {what} that the English text does not have: {added}")

    def texts(self, keys, english):
        gaps = {key for _, key, _ in self.gaps}
        if self is english:
            return [self.entries[key].msgid for key in keys]
        return [None if key in gaps else self.entries[key].msgstr for key in keys]


def urls(text):
    return [url.rstrip(".,;:)") for url in URL.findall(text)]


def width(text):
    """Columns on a terminal: marks above and below stand in the letter's own, wide letters take two."""
    shown = [c for c in text if unicodedata.category(c) not in ("Mn", "Me", "Cf")]
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in shown)


def load(folder):
    """English first, the others by tag."""
    source = folder / "en.po"
    if not source.is_file():
        raise Fault(f"{source}:1: there is no English source")
    english = Catalogue(source)
    others = [Catalogue(path) for path in sorted(folder.glob("*.po")) if path != source]
    english.check_english()
    for other in others:
        other.check_against(english)
    return english, others


def report(catalogues, gaps_are_errors):
    """Print what is wrong; the number of errors."""
    errors = 0
    for c in catalogues:
        lines = [(line, "", text) for line, text in c.faults]
        mark = "" if gaps_are_errors else "warning: English stands in: "
        lines += [(line, mark, f"{key} {text}") for line, key, text in c.gaps]
        errors += len(c.faults) + (len(c.gaps) if gaps_are_errors else 0)
        for line, warning, text in sorted(lines):
            print(f"{c.path}:{line}: {warning}{text}", file=sys.stderr)
    return errors


def c_string(text):
    if text is None:
        return "NULL"
    out = quote(text)
    return out.replace("?", "\\?")           # or two of them might begin a trigraph


def c_file(english, others):
    keys = sorted(english.entries)           # by code point, as strcmp() does
    all_of_them = [english] + others
    out = ["/* Made from po/ by tools/po2c.py; whatever is changed here is lost. */",
           '#include "diagnose/catalogue.h"', ""]
    out += ["const char *const catalogue_keys[] = {"] + [f"\t{c_string(key)}," for key in keys] + ["};"]
    out += [f"const size_t catalogue_key_count = {len(keys)};", ""]
    for n, c in enumerate(all_of_them):
        out += [f"static const char *const texts_{n}[] = {{    /* {c.tag} */"]
        out += [f"\t{c_string(text)}," for text in c.texts(keys, english)] + ["};", ""]
    out += ["const struct catalogue catalogues[] = {"]
    for n, c in enumerate(all_of_them):
        fields = ", ".join(c_string(f) for f in (c.tag, c.header["X-Language-Name"], c.header["PO-Revision-Date"][:10]))
        reviewed = "true" if c.header["X-Reviewed"] == "yes" else "false"
        out += [f"\t{{ {{ {fields}, {reviewed} }}, texts_{n} }},"]
    out += ["};", f"const size_t catalogue_count = {len(all_of_them)};", ""]
    return "\n".join(out)


def new_file(folder, tag, name):
    if not re.fullmatch(r"[a-z]{2,3}([-_][A-Za-z0-9]+)*", tag):
        raise Fault(f"{folder}: not a language tag: {tag}")
    path = folder / f"{tag}.po"
    if path.exists():
        raise Fault(f"{path}:1: is there already")
    english, _ = load(folder)
    out = ['msgid ""', 'msgstr ""']
    out += [quote(line + "\n") for line in (
        "Project-Id-Version: mailmoor", f"Language: {tag}", f"X-Language-Name: {name}", "X-Reviewed: no",
        f"PO-Revision-Date: {datetime.date.today().isoformat()}", "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=UTF-8", "Content-Transfer-Encoding: 8bit")]
    for key, entry in english.entries.items():
        out += ["", *entry.notes, f"msgctxt {quote(key)}", f"msgid {quote(entry.msgid)}", 'msgstr ""']
    path.write_text("\n".join(out) + "\n", encoding="utf-8")


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--po", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent / "po")
    words.add_argument("--name", default="")
    words.add_argument("--depfile", type=pathlib.Path)
    what = words.add_mutually_exclusive_group(required=True)
    what.add_argument("--check", action="store_true")
    what.add_argument("--out", type=pathlib.Path)
    what.add_argument("--new", metavar="LANG")
    args = words.parse_args()

    try:
        if args.new:
            new_file(args.po, args.new, args.name)
            return 0
        english, others = load(args.po)
    except Fault as fault:
        print(fault, file=sys.stderr)
        return 1
    if report([english] + others, gaps_are_errors=args.check):
        return 1
    if args.out:
        args.out.write_text(c_file(english, others), encoding="utf-8")
        if args.depfile:
            # The folder too: a language is added by adding a file.
            needed = [args.po, english.path] + [c.path for c in others]
            args.depfile.write_text(f"{args.out}: " + " ".join(str(p).replace(" ", "\\ ") for p in needed) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
