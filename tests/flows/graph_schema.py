#!/usr/bin/env python3
"""Every request of ours to Graph against Microsoft's own schema, where that lies beside this folder (../shared/schemas/graph).

    graph_schema.py BUILD [--schemas FOLDER]      "N passed, N failed, N skipped"

What is said is taken from two places, so that nothing escapes: what the sandbox was asked, by all that the program does there, and what
stands in the sources. A name that the schema does not know fails: of a path, of an action, of a property that is selected, expanded,
filtered or ordered by, of a member of a body. What no CSDL has is here in tables (facts M B.2-B.5).
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.parse
import xml.etree.ElementTree as ET
from pathlib import Path

sys.dont_write_bytecode = True

import microsoft
import peers
import sandboxed
from rows import arguments

ROOT = Path(__file__).resolve().parent.parent.parent
EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
# where sources speak to Graph: the client's part, never the sandbox's
SOURCES = ("wire", "provider", "verify", "watch", "detect", "serve", "connect", "cmd", "")
BATCH_MEMBERS = {"id", "method", "url", "headers", "body", "dependsOn", "atomicityGroup"}
OPTIONS = {"$top", "$skip", "$count", "$search", "$skiptoken", "$deltatoken"}      # with a value that names nothing
# options of one path alone, without "$"
OWN_OPTIONS = {"includeHiddenFolders": "mailFolder", "changeType": "message", "startDateTime": "event", "endDateTime": "event"}
WORDS = {"eq", "ne", "gt", "ge", "lt", "le", "and", "or", "not", "in", "any", "all", "true", "false", "null", "asc", "desc", "startswith", "endswith", "contains"}
HOLE = "HOLE"


class Unknown(Exception):
    """A name that the schema does not have."""


def plain(name):
    """Of "Collection(graph.message)": message, True."""
    inner = re.fullmatch(r"Collection\((.*)\)", name)
    return (inner[1] if inner else name).rpartition(".")[2], bool(inner)


class Schema:
    def __init__(self, file):
        top = ET.parse(file).getroot()
        self.types, self.bound, self.container = {}, [], {}
        for kind in ("EntityType", "ComplexType"):
            for t in top.iter(EDM + kind):
                members = {p.get("Name"): p.get("Type") for tag in ("Property", "NavigationProperty") for p in t.findall(EDM + tag)}
                self.types[t.get("Name")] = ((t.get("BaseType") or "").rpartition(".")[2], members)
        for kind in ("Action", "Function"):
            for a in top.iter(EDM + kind):
                parameters = [(p.get("Name"), p.get("Type")) for p in a.findall(EDM + "Parameter")]
                back = a.find(EDM + "ReturnType")
                self.bound.append((a.get("Name"), kind, plain(parameters[0][1]), dict(parameters[1:]), back.get("Type") if back is not None else None))
        for e in top.iter(EDM + "EntityContainer"):
            self.container |= {m.get("Name"): m.get("Type") or "Collection(%s)" % m.get("EntityType") for m in e}

    def member(self, type, name):
        """The type of a property, of the type or of one that it is made from."""
        at = type
        while at:
            if at not in self.types:
                break
            base, members = self.types[at]
            if name in members:
                return members[name]
            at = base
        raise Unknown("%s has no %s" % (type, name))

    def operation(self, type, many, name):
        while True:
            for a in self.bound:
                if a[0] == name.rpartition(".")[2] and a[2] == (type, many):
                    return a
            type = self.types.get(type, ("",))[0]
            if not type:
                return None

    def named(self, type, path):
        """"from/emailAddress/address": the type at its end."""
        for name in path.split("/"):
            full = self.member(type, name)
            type = plain(full)[0]
        return full

    # -- paths

    def walk(self, path):
        """What a path leads to: (type, many, the action at its end or None)."""
        parts = [p for p in re.sub(r"\('([^']*)'\)", r"/\1", path.strip("/")).split("/") if p]
        if not parts or parts[0] not in self.container:
            raise Unknown("nothing is called %s" % (parts[:1] or path))
        full = self.container[parts[0]]
        for n, part in enumerate(parts[1:], 2):
            type, many = plain(full)
            found = self.operation(type, many, part)
            if found:
                if n < len(parts):
                    raise Unknown("%s leads no further" % part)
                return (*(plain(found[4]) if found[4] else (None, False)), found)
            if part == "$value" and not many and n == len(parts) and type in ("message", "attachment"):
                return None, False, None
            if part == "$count" and many and n == len(parts):
                return None, False, None
            full = "graph." + type if many else self.member(type, part)
        return (*plain(full), None)

    # -- options

    def expression(self, type, text):
        """The names in a filter or an order."""
        for name in re.findall(r"[A-Za-z_][\w/]*", re.sub(r"'(?:[^']|'')*'|\d{4}-\d\d-\d\dT[\d:.]+Z?", " ", text)):
            if name not in WORDS:
                self.named(type, name)

    def expand(self, type, text):
        for one in re.findall(r"\w+(?:\((?:[^()]|\([^()]*\))*\))?", text):
            name, _, inner = one.partition("(")
            full = self.member(type, name)
            for option in filter(None, inner[:-1].split(";")):
                self.option(plain(full)[0], *option.split("=", 1))

    def option(self, type, name, value):
        if name == "$select":
            for one in value.split(","):
                self.named(type, one)
        elif name == "$expand":
            self.expand(type, value)
        elif name in ("$filter", "$orderby"):
            self.expression(type, value)
        elif name not in OPTIONS and OWN_OPTIONS.get(name) != type:
            raise Unknown("no option %s of %s" % (name, type))

    # -- bodies

    def body(self, full, value):
        type, many = plain(full)
        if many:
            for one in value:
                self.body("graph." + type, one)
        elif isinstance(value, dict):
            for name, inner in value.items():
                if name.startswith("@odata."):
                    continue
                self.body(self.member(type, name), inner)
        elif type in self.types and value is not None:
            raise Unknown("%s is no %s" % (value, type))

    def parameters(self, operation, value):
        known = {name.lower(): full for name, full in operation[3].items()}
        for name, inner in value.items():
            if name.lower() not in known:
                raise Unknown("%s has no parameter %s" % (operation[0], name))
            self.body(known[name.lower()], inner)

    # -- one request

    def check(self, method, target, body=None):
        """`target` behind the version: "/me?$select=id". Without a method: as far as a path alone tells."""
        path, _, query = target.partition("?")
        if path == "/$batch":
            return self.batch(body)
        type, many, operation = self.walk(urllib.parse.unquote(path))
        if operation and method and (method == "POST") != (operation[1] == "Action"):
            raise Unknown("%s by %s" % (operation[0], method))
        if method == "POST" and not operation and not many:
            raise Unknown("nothing is added to %s" % path)
        for pair in filter(None, query.split("&")):
            name, _, value = pair.partition("=")
            self.option(type, urllib.parse.unquote_plus(name), urllib.parse.unquote_plus(value))
        if isinstance(body, dict) and operation:
            self.parameters(operation, body)
        elif isinstance(body, dict):
            self.body("graph." + type, body)
        return 1

    def batch(self, body):
        count = 1
        for q in (body or {"requests": []})["requests"]:
            if set(q) - BATCH_MEMBERS:
                raise Unknown("a batch has no %s" % (set(q) - BATCH_MEMBERS))
            count += self.check(q["method"], q["url"], q.get("body"))
        return count


# -- what must not pass: a checker that takes everything would prove nothing ----------------------------------------------------------------------

RIGHT = (
    ("GET", "/me?$select=id,mail,proxyAddresses", None), ("GET", "/me/mailFolders('inbox')/messages?$orderby=receivedDateTime desc&$filter=from/emailAddress/address eq 'a b'", None),
    ("GET", "/me/messages?$expand=singleValueExtendedProperties($filter=id eq 'String 0x001A')", None), ("POST", "/me/messages/x/permanentDelete", None),
    ("POST", "/me/sendMail", {"message": {"toRecipients": [{"emailAddress": {"address": "x"}}]}, "saveToSentItems": True}),
    ("POST", "/subscriptions", {"changeType": "created", "clientState": "x"}), ("GET", "/me/calendarView/delta?startDateTime=x&endDateTime=y", None),
)
WRONG = (
    ("GET", "/me?$select=id,mailbox", None), ("GET", "/me?$select=Id", None), ("GET", "/mine", None), ("GET", "/me/inbox", None), ("GET", "/me/mailFolders/inbox/mails", None),
    ("GET", "/me/messages?$orderby=received desc", None), ("GET", "/me/messages?$filter=from/address eq 'x'", None), ("GET", "/me/messages?$expand=properties", None),
    ("GET", "/me/messages?$expand=singleValueExtendedProperties($filter=name eq 'x')", None), ("GET", "/me/messages?$elect=id", None), ("GET", "/me?includeHiddenFolders=true", None),
    ("POST", "/me/messages/x/deleteForGood", None), ("GET", "/me/sendMail", None), ("POST", "/me/mailFolders/inbox/messages/delta", None), ("POST", "/me", {}),
    ("POST", "/me/sendMail", {"message": {"to": "x"}}), ("POST", "/me/sendMail", {"mail": {}}), ("POST", "/subscriptions", {"changeTypes": "created"}),
    ("POST", "/me/messages", {"from": {"address": "x"}}), ("POST", "/me/messages", {"toRecipients": [{"emailAddress": "x"}]}),
    ("POST", "/$batch", {"requests": [{"id": "1", "method": "GET", "url": "/me?$select=name"}]}), ("POST", "/$batch", {"requests": [{"id": "1", "verb": "GET", "url": "/me"}]}),
)


def is_known(schema, question):
    try:
        return bool(schema.check(*question))
    except Unknown:
        return False


# -- what stands in the sources ------------------------------------------------------------------------------------------------------------------

LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')
CONSTANT = re.compile(r'#define\s+(\w+)\s+"((?:[^"\\]|\\.)*)"')


def in_sources():
    """{target: file}, with HOLE where something is put in; constants that stand between literals are put in."""
    files = [f for folder in SOURCES for f in sorted((ROOT / "src" / folder).glob("*.[ch]"))]
    constants = {}
    for f in files:
        constants |= dict(CONSTANT.findall(f.read_text()))
    found = {}
    for f in files:
        for line in f.read_text().replace("\\\n", " ").split("\n"):
            code = re.sub(r"/\*.*?\*/|//.*", "", LITERAL.sub(lambda m: m[0].replace("/*", "\0"), line)).replace("\0", "/*")
            code = re.sub(r'" *(\w+) *(?=")', lambda m: '" "%s" ' % constants[m[1]] if m[1] in constants else m[0], code)
            code = re.sub(r'" *(\w+)\b(?!")', lambda m: '" "%s"' % constants[m[1]] if m[1] in constants else m[0], code)
            for literal in LITERAL.findall(re.sub(r'" +"', "", code)):
                # as somebody may say it: from the version on, or relative to it in a batch
                target = re.fullmatch(r"(?:/v1\.0|https://[^/]*/v1\.0)?(/(?:me|users|subscriptions)(?:[/?(].*)?)", literal)
                if target:
                    # options that are put in whole are seen when they are asked
                    found[re.sub(r"%[sdzu]+", HOLE, target[1]).removesuffix("?" + HOLE)] = f.name
    return found


# -- what is asked ----------------------------------------------------------------------------------------------------------------------------------

def diagnose(binary, s, *more):
    account = s.told["accounts"][0]
    places = [word for pair in s.told["connect_to"] for word in ("--connect-to", pair)]
    subprocess.run([binary, "diagnose", account["address"], "--provider", "microsoft", "--token-file", account["token_file"], "--ca-file", s.told["ca_file"],
                    "--resolver", s.told["resolver"], *places, "--json", *more], capture_output=True, timeout=90, check=False)


def asked(s):
    return [line for line in s.log() if line["host"] == "graph.microsoft.com"]


def by_diagnose(binary, folder):
    """Looked at, and tested with an event, a message that arrives and one that comes back."""
    for fault in ("scopes=User.Read,Mail.ReadWrite,Mail.Send,Calendars.ReadWrite", "ndr"):
        s = sandboxed.Sandbox(binary, tempfile.mkdtemp(dir=folder), "--microsoft", "--fault", fault)
        try:
            diagnose(binary, s)
            diagnose(binary, s, "--send-test", "--calendar-test")
            yield from asked(s)
        finally:
            s.stop()


def by_daemon(binary):
    """Signed in, verified, watched until something new was told."""
    with microsoft.Town(binary, binary) as t:
        t.open()
        b = microsoft.Browser(t)
        b.sign_in(b.to_microsoft(t.link()))
        peers.until(lambda: any("/delta" in line["path"] for line in asked(t.cloud)), 30, "watched")
        yield from asked(t.cloud)


def failures(schema, build):
    binary = os.path.join(build, "mailmoor")
    count, bad, seen = 0, [], set()
    with tempfile.TemporaryDirectory(prefix="graph-schema-") as folder:
        for line in [*by_diagnose(binary, folder), *by_daemon(binary)]:
            target = line["path"].removeprefix("/v1.0") + ("?" + line["query"] if line.get("query") else "")
            seen.add(re.sub(r"[^/]{60,}", "ID", line["path"]))
            try:
                count += schema.check(line["method"], target, json.loads(line["body"]) if line.get("body") else None)
            except Unknown as e:
                bad.append("asked: %s %s %s: %s" % (line["method"], target, line.get("body", ""), e))
    for target, file in in_sources().items():
        try:
            count += schema.check(None, target)
        except Unknown as e:
            bad.append("%s: %s: %s" % (file, target, e))
    # all of what the program does there was done
    for path in ("/v1.0/me", "/v1.0/$batch", "/v1.0/me/sendMail", "/v1.0/me/mailFolders/inbox/messages", "/v1.0/me/mailFolders/inbox/messages/delta",
                 "/v1.0/me/events", "/v1.0/me/calendarView"):
        if path not in seen:
            bad.append("%s was never asked: %s" % (path, sorted(seen)))
    if not any(p.endswith("/$value") for p in seen):
        bad.append("no report was read: %s" % sorted(seen))
    return count, bad


def main():
    o = arguments(schemas={"default": str(ROOT.parent / "shared" / "schemas" / "graph")})
    files = sorted(Path(o.schemas).glob("*.csdl"))
    if not files:
        print("skipped: there is no schema in %s\n0 passed, 0 failed, 1 skipped" % o.schemas)
        return 0
    schema = Schema(files[0])
    bad = ["the checker takes %s %s" % q[:2] for q in WRONG if is_known(schema, q)] + ["the checker refuses %s %s" % q[:2] for q in RIGHT if not is_known(schema, q)]
    count, more = failures(schema, os.path.abspath(o.build))
    bad += more
    for line in bad:
        print("FAILED " + line)
    print("%d passed, %d failed" % (count + len(WRONG) + len(RIGHT) - len(bad), len(bad)))
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
