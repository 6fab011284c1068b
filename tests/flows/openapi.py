#!/usr/bin/env python3
"""The running daemon against docs/openapi.yaml: what the description says is what is tried, and what comes back is held against it.

    openapi.py BUILD [--only REGEX]

The cases are generated: a new operation, field or parameter in the description is tried without a line here.
"""
import argparse
import contextlib
import copy
import http.client
import itertools
import json
import os
import re
import sys
import time
import urllib.parse

try:
    import re._parser as sre
except ImportError:      # before Python 3.11
    import sre_parse as sre

sys.dont_write_bytecode = True

import jsonschema
import yaml

import daemon
import inbound
import peers
from peers import Failed, hold
from service import free_port

HERE = os.path.dirname(os.path.abspath(__file__))
BCC_DOMAIN = "bcc.example"
METHODS = ("get", "post", "put", "patch", "delete")
PROBLEM = "application/problem+json"
UNREADABLE = "request.malformed"       # the code when no field can be named


class Nothing(Exception):
    """There is nothing of that kind to be tried."""


# -- the description --------------------------------------------------------------------------------------------------------------

class Description:
    def __init__(self, path):
        with open(path) as f:
            self.whole = yaml.safe_load(f)

    def resolve(self, thing):
        while isinstance(thing, dict) and "$ref" in thing:
            more = {k: v for k, v in thing.items() if k != "$ref"}
            at = self.whole
            for part in thing["$ref"][2:].split("/"):
                at = at[part]
            thing = {**at, **more}
        return thing

    def faults(self, schema, value):
        whole = {"allOf": [schema], "components": self.whole["components"]}
        checker = jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker())
        return ["%s: %s" % ("/".join(map(str, e.absolute_path)), e.message[:300]) for e in checker.iter_errors(value)]

    def operations(self):
        for path, item in self.whole["paths"].items():
            for method in METHODS:
                if method in item:
                    yield Operation(self, path, method, item)


class Operation:
    def __init__(self, of, path, method, item):
        said = item[method]
        self.of, self.path, self.method, self.name = of, path, method.upper(), said["operationId"]
        self.parameters = [of.resolve(p) for p in item.get("parameters", []) + said.get("parameters", [])]
        self.responses = {int(k): of.resolve(v) for k, v in said["responses"].items()}
        security = said.get("security", of.whole["security"])
        self.guarded, self.scopes = bool(security), [s for one in security for s in one.get("key", [])]
        self.body = said["requestBody"]["content"]["application/json"]["schema"] if "requestBody" in said else None
        self.good = 204 if 204 in self.responses else min(self.responses)      # 200 beside it: what is said besides, of some

    def named(self, where):
        return [p for p in self.parameters if p["in"] == where]

    def examples(self):
        """Bodies that the description shows; without a body, None."""
        return copy.deepcopy(self.of.resolve(self.body)["examples"]) if self.body else [None]

    def check(self, answer, what, head=False):
        """An answer is one of those that are described, in every part."""
        says = "%s %s, %s: %d %s" % (self.method, self.path, what, answer.status, answer.text[:400])
        hold(answer.status in self.responses, "not a described status: " + says)
        response = self.responses[answer.status]
        for name, header in response.get("headers", {}).items():
            hold(name in answer.headers, "without %s: %s" % (name, says))
            value = answer.headers[name]
            value = int(value) if self.of.resolve(header)["schema"]["type"] == "integer" else value
            hold(not self.of.faults(self.of.resolve(header)["schema"], value), "%s is %s: %s" % (name, value, says))
        if "content" not in response:
            hold(answer.text == "", "a body that is not described: " + says)
            return
        media = answer.headers.get_content_type()
        hold(media in response["content"], "not a described type, %s: %s" % (media, says))
        if not head and media.endswith("json"):
            faults = self.of.faults(response["content"][media]["schema"], answer.json)
            hold(not faults, "%s: %s" % (faults[:3], says))
        elif not head and media != "text/event-stream":
            hold(not self.of.faults(response["content"][media]["schema"], answer.text), "not as described: " + says)
        if media == PROBLEM:
            hold(answer.json["status"] == answer.status, "two statuses: " + says)


# -- values -----------------------------------------------------------------------------------------------------------------------

def fitting(pattern):
    """A text that a pattern allows; the shortest."""
    def said(parsed):
        out = ""
        for op, arg in parsed:
            name = str(op)
            if name == "LITERAL":
                out += chr(arg)
            elif name in ("MAX_REPEAT", "MIN_REPEAT"):
                out += said(arg[2]) * arg[0]
            elif name == "SUBPATTERN":
                out += said(arg[3])
            elif name == "BRANCH":
                out += said(arg[1][0])
            elif name == "IN":
                out += one_of(arg)
            elif name in ("NOT_LITERAL", "ANY"):
                out += "a"
        return out

    def one_of(arg):
        first, value = str(arg[0][0]), arg[0][1]
        return "a" if first == "NEGATE" else chr(value if first == "LITERAL" else value[0])
    return said(sre.parse(pattern))


def too_deep(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value


NASTY = [None, True, False, 0, -1, 1.5, 1e308, 10 ** 400, -10 ** 30, "", " ", "x", "0", "true", "null", "ä" * 40, "a\0b", "\0", "\ud800", "\udc00x", "a\r\nB: c", "\u202e",
         "<script>alert(1)</script>", "'; DROP TABLE accounts; --", "../../etc/passwd", "%s%n%s", [], {}, [[]], [None], [{}], ["x"], {"x": {}}, {"host": None},
         "x" * 5000, "\U0001f600" * 100]
DEEP = too_deep(900)


def values_for(d, schema):
    """Texts and numbers at the bounds of a schema and a step beyond, all of its words, and what is never right."""
    found = list(NASTY) + [DEEP]
    for part in [schema] + schema.get("anyOf", []):
        part = d.resolve(part)
        least, most = part.get("minLength", 0), part.get("maxLength")
        base = fitting(part["pattern"]) if "pattern" in part else "a"
        found += [base, base + "!", "!" + base, base.upper() + " ", base + "\n"]
        if most:
            found += [base.ljust(most, "a"), base.ljust(most + 1, "a"), "é" * most, "é" * (most + 1), "a" * max(least - 1, 0)]
        found += part.get("enum", []) + [str(w).upper() for w in part.get("enum", [])] + [str(w) + "\0" for w in part.get("enum", [])]
        for bound in ("minimum", "maximum"):
            if bound in part:
                found += [part[bound], part[bound] - 1, part[bound] + 1, str(part[bound]), part[bound] + 0.5]
        if part.get("type") == "array" or "array" in part.get("type", []):
            items = d.resolve(part["items"])
            words = items.get("enum", ["x"])
            found += [words[:1], words[:1] * (part.get("maxItems", 100) + 1), [words[0], 7], [words[0], None], words, ["x" * 300], [words[0] + "\0"]]
    return found


def fields_of(d, schema, path=()):
    """((names …), schema of the member) for every member of an object, and of the objects in it."""
    schema = d.resolve(schema)
    for part in [schema] + [d.resolve(p) for p in schema.get("anyOf", [])]:
        for name, member in part.get("properties", {}).items():
            yield path + (name,), d.resolve(member)
            yield from fields_of(d, member, path + (name,))


def objects_of(d, schema, path=()):
    """((names …), its schema) of every object in a body."""
    for part in [d.resolve(schema)] + [d.resolve(p) for p in d.resolve(schema).get("anyOf", [])]:
        if "properties" in part:
            yield path, part
            for name, member in part["properties"].items():
                yield from objects_of(d, member, path + (name,))


def with_object(d, schema, body, path):
    """The body with every object on the way to `path`; returns the innermost. They are as their schemas' examples."""
    at, schema = body, d.resolve(schema)
    for name in path:
        member = d.resolve(schema["properties"][name])
        member = next((d.resolve(p) for p in member.get("anyOf", []) if "properties" in d.resolve(p)), member)
        if not isinstance(at.get(name), dict):
            at[name] = copy.deepcopy(member["examples"][0])
        at, schema = at[name], member
    return at


def pointer(path):
    return "".join("/" + p.replace("~", "~0").replace("/", "~1") for p in path)


# -- the daemon -------------------------------------------------------------------------------------------------------------------

class House(peers.Peers):
    def __init__(self, binary, description):
        super().__init__()
        self.binary, self.d = binary, description
        self.operations = list(description.operations())
        self.lines = {}
        self.count = itertools.count(1)
        self.sources = itertools.count(0)

    def build(self):
        self.here = self.address()
        self.names = self.stack.add(peers.Names(self.here))
        port = free_port(self.here)
        settings = {"net.resolver": "%s:%d" % (self.here, self.names.port), "inbound.listen": "%s:%d" % (self.here, port), "inbound.domain": BCC_DOMAIN}
        self.daemon = self.stack.add(daemon.Daemon(self.binary, os.path.join(self.folder, "daemon"), settings)).start()
        token = self.daemon.api("GET", "/v1/workspace")["bcc_address"].split("@")[0]
        inbound.over_smtp(self.here, port, BCC_DOMAIN, token)
        self.other = self.daemon.api("POST", "/v1/workspaces", {"name": "Other"})["key"]
        self.narrow = {}
        for scope in self.d.whole["components"]["schemas"]["Scope"]["enum"]:
            self.narrow[scope] = self.daemon.api("POST", "/v1/keys", {"name": scope, "scopes": [scope]})["key"]
        self.made = {}

    def source(self):
        """Another client each time: the limits for one of them are not what is tried here."""
        n = next(self.sources)
        return "127.%d.%d.%d" % (200 + n // 62500 % 50, n // 250 % 250, n % 250 + 1)

    def send(self, method, path, body=None, key=None, headers=None, raw=None, source=None):
        """By a connection that stays. `raw`: the bytes of the body as they are."""
        fields = {"Authorization": "Bearer " + (key or self.daemon.key)} if key != "" else {}
        if raw is None and body is not None:
            raw = json.dumps(body).encode()
            fields["Content-Type"] = "application/json"
        fields |= headers or {}
        line = None if source else self.lines.pop("kept", None)
        for again in (True, False):
            fresh = line is None
            line = line or http.client.HTTPConnection(self.daemon.address, self.daemon.port, timeout=30, source_address=source and (source, 0))
            try:
                line.request(method, path, raw, {k: v for k, v in fields.items() if v is not None})
                answer = line.getresponse()
                stream = answer.headers.get_content_type() == "text/event-stream"
                text = "" if stream else answer.read().decode()
                break
            except (ConnectionError, http.client.BadStatusLine):
                line.close()
                line = None
                if fresh or not again:
                    raise Failed("%s %s: no answer" % (method, path)) from None
        if stream or source or answer.will_close:
            line.close()
        else:
            self.lines["kept"] = line
        return daemon.Answer(answer.status, answer.headers, text)

    def ready(self):
        answer = self.send("GET", "/readyz", key="", source=self.source())
        hold(answer.status == 200, "not ready any more: %d %s" % (answer.status, answer.text))

    def unique(self, body):
        """Two accounts have two addresses: a body of the description, made new."""
        if isinstance(body, dict) and "address" in body and body.keys() & {"password", "refresh_token", "rights"}:
            body["address"] = "ann%d@birch.example" % next(self.count)
        return body

    def collection(self, path):
        """The operation that makes what the {id} of a path names."""
        at = path[:path.index("/{")]
        return next((o for o in self.operations if o.path == at and o.method == "POST"), None)

    def make(self, path):
        """The value of the path's parameter, of a new thing of that kind where things can be made."""
        maker = self.collection(path)
        if maker:
            made = self.daemon.api(maker.method, maker.path, self.unique(maker.examples()[0]))
            if made.get("state") == "connecting":
                self.daemon.wait_state(made["id"], ("needs_user", "needs_admin", "waiting"))
            return made["id"]
        itself = next((o for o in self.operations if o.path == path and o.method == "PUT"), None)
        if itself:
            value = "d%d.birch.example" % next(self.count)
            self.daemon.api("PUT", path.replace("{%s}" % itself.named("path")[0]["name"], value), itself.examples()[0])
            return value
        return self.daemon.api("GET", path[:path.index("/{")])["items"][0]["id"]

    def place(self, o, new=True):
        """A path of an operation that leads to something."""
        if "/{" not in o.path:
            return o.path
        if new or o.path not in self.made:
            self.made[o.path] = self.make(o.path)
            # "when it is not paused": 409 is what it says otherwise
            if o.name == "resumeAccount":
                self.daemon.api("POST", "/v1/accounts/%s/pause" % self.made[o.path])
        return re.sub(r"\{\w+\}", self.made[o.path], o.path)


rows = []


def row(f):
    f.name = f.__name__.replace("_", " ")
    rows.append(f)
    return f


# -- what is right ----------------------------------------------------------------------------------------------------------------

@row
def answers_as_described(h, o):
    for body in o.examples():
        for media in o.responses[o.good].get("content", {"": 0}):
            answer = h.send(o.method, h.place(o), h.unique(body), headers={"Accept": media} if media else {})
            hold(answer.status == o.good, "%s: %d %s" % (o.name, answer.status, answer.text[:400]))
            hold(not media or answer.headers.get_content_type() == media, "asked for %s, got %s" % (media, answer.headers["Content-Type"]))
            o.check(answer, "as in the example")


@row
def answers_every_parameter(h, o):
    queries = o.named("query")
    if not queries:
        raise Nothing
    for p in queries:
        schema = h.d.resolve(p["schema"])
        for value in [*schema.get("examples", []), *schema.get("enum", []), *([schema["minimum"], schema["maximum"]] if "minimum" in schema else [])]:
            if h.d.faults(schema, value):
                continue
            path = h.place(o, new=o.method != "GET") + "?" + urllib.parse.urlencode({p["name"]: value})
            answer = h.send(o.method, path, h.unique(o.examples()[0]))
            o.check(answer, path)
            hold(answer.status == o.good, "%s: %d %s" % (path, answer.status, answer.text[:300]))


@row
def unknown_parameters_change_nothing(h, o):
    answer = h.send(o.method, h.place(o) + "?unheard-of=1&unheard-of=2", h.unique(o.examples()[0]))
    hold(answer.status == o.good, "%d %s" % (answer.status, answer.text[:300]))
    o.check(answer, "with an unknown parameter")


@row
def head_is_get_without_a_body(h, o):
    if o.method != "GET":
        raise Nothing
    answer = h.send("HEAD", h.place(o, new=False))
    hold(answer.status == o.good and answer.text == "", "%d %s" % (answer.status, answer.text[:100]))
    o.check(answer, "HEAD", head=True)


@row
def the_same_key_gets_the_same_answer(h, o):
    if not any(p["name"] == "Idempotency-Key" for p in o.named("header")):
        raise Nothing
    key = {"Idempotency-Key": "of-%s-%d" % (o.name, next(h.count))}
    path, body = h.place(o), h.unique(o.examples()[0])
    first = h.send(o.method, path, body, headers=key)
    again = h.send(o.method, path, body, headers=key)
    hold(first.status == o.good, "%d %s" % (first.status, first.text[:300]))
    hold((again.status, again.text) == (first.status, first.text), "another answer: %d %s, not %d %s" % (again.status, again.text[:200], first.status, first.text[:200]))
    other = h.place(o)
    if other == path or o.body:
        body = {**(body or {}), **{k: v for k, v in (h.unique(copy.deepcopy(body)) or {}).items()}}
    if other != path:
        o.check(reused := h.send(o.method, other, body, headers=key), "the key with another request")
        hold(reused.status == 422, "the key with another request: %d" % reused.status)
    for value in ("a b", "x" * 201, "ä".encode().decode("latin-1"), "\t"):
        answer = h.send(o.method, path, body, headers={"Idempotency-Key": value})
        o.check(answer, "Idempotency-Key: %r" % value)
        hold(answer.status == 400 or value.strip() == "", "Idempotency-Key %r: %d" % (value, answer.status))


# -- what is wrong ----------------------------------------------------------------------------------------------------------------

def refused(h, o, answer, at, what, unreadable=False):
    """A problem document that names the field."""
    says = "%s: %d %s" % (what, answer.status, answer.text[:300])
    if answer.status == 413 and answer.json["code"] == "request.too_big":        # escaped, the value is more than a body may be
        return
    hold(answer.status in (400, 422), "taken or failed: " + says)
    o.check(answer, what)
    said = answer.json
    if unreadable and said["code"] == UNREADABLE:
        return
    hold("pointer" in said, "no pointer: " + says)
    hold(said["pointer"] == at or said["pointer"].startswith(at + "/"), "another pointer than %r: %s" % (at, says))


def hard_to_read(value):
    """What JSON's readers may refuse before there is a field: they are free to, and never to fail."""
    text = json.dumps(value, ensure_ascii=False)
    return "\\u0000" in text or any(0xd800 <= ord(c) < 0xe000 for c in text) or value is DEEP or (isinstance(value, int) and abs(value) > 1 << 63)


@row
def every_field_refuses_what_it_must(h, o):
    if not o.body:
        raise Nothing
    path = h.place(o)
    for names, schema in fields_of(h.d, o.body):
        for value in values_for(h.d, schema):
            body = h.unique(o.examples()[0])
            with_object(h.d, o.body, body, names[:-1])[names[-1]] = value
            answer = h.send(o.method, path, body)
            what = "%s = %.80r" % (pointer(names), value)
            hold(answer.status < 500, "%s: %d %s" % (what, answer.status, answer.text[:300]))
            if value is DEEP or h.d.faults(schema, value) or hard_to_read(value):
                refused(h, o, answer, pointer(names), what, hard_to_read(value))
            else:
                o.check(answer, what)
        h.ready()


@row
def every_object_has_what_it_must_and_no_more(h, o):
    if not o.body:
        raise Nothing
    path = h.place(o)
    for names, schema in objects_of(h.d, o.body):
        for extra in ("unheard-of", "__proto__", "a/b~c", "", "ä", "x" * 1000):
            body = h.unique(o.examples()[0])
            with_object(h.d, o.body, body, names)[extra] = 1
            answer = h.send(o.method, path, body)
            refused(h, o, answer, pointer(names + (extra,)) if len(extra) < 100 else "", "a member %.20r" % extra)
        for required in schema.get("required", []):
            body = h.unique(o.examples()[0])
            del with_object(h.d, o.body, body, names)[required]
            refused(h, o, h.send(o.method, path, body), pointer(names + (required,)), "without " + required)
        for known in schema["properties"]:
            text = '{"%s": 1, "%s": 1}' % (known, known)
            hold(h.send(o.method, path, raw=text.encode(), headers={"Content-Type": "application/json"}).status == 400, "twice the same member: " + known)
    h.ready()


@row
def every_body_that_is_none_is_refused(h, o):
    if not o.body:
        raise Nothing
    path, good = h.place(o), json.dumps(h.unique(o.examples()[0])).encode()
    json_type = {"Content-Type": "application/json"}
    bad = [b"", b" ", b"{", good[:-1], good + b"x", good + good, b"[]", b"null", b"1", b'"x"', b"[" * 5000, b'{"a":' * 5000, good.decode().encode("utf-16"), b"\xff\xfe" + good,
           good.replace(b'": "', b'": "\xff\xc0\x80', 1) if b'": "' in good else b"\xff", b"{'a': 1}", good.replace(b"{", b"{\0", 1), b"NaN", b"{\"a\": 01}"]
    for text in bad:
        answer = h.send(o.method, path, raw=text, headers=json_type)
        hold(answer.status in (400, 415), "%r: %d %s" % (text[:60], answer.status, answer.text[:200]))
        o.check(answer, repr(text[:60]))
    for kind in (None, "text/plain", "application/x-www-form-urlencoded", "application/jsonx", "text/html; a=application/json"):
        answer = h.send(o.method, path, raw=good, headers={"Content-Type": kind})
        hold(answer.status == 415, "%s: %d" % (kind, answer.status))
        o.check(answer, str(kind))
    answer = h.send(o.method, path, raw=b'{"a": "' + b"x" * 300000 + b'"}', headers=json_type)
    hold(answer.status == 413, "300 kB: %d" % answer.status)
    o.check(answer, "300 kB")
    h.ready()


@row
def every_parameter_refuses_what_it_must(h, o):
    queries = o.named("query")
    if not queries:
        raise Nothing
    place = h.place(o, new=o.method != "GET")
    for p in queries:
        schema = h.d.resolve(p["schema"])
        for value in values_for(h.d, schema):
            if isinstance(value, (list, dict, bool)) or value is None:
                continue
            text = value if isinstance(value, str) else repr(value)[:1000]
            if any(0xd800 <= ord(c) < 0xe000 for c in text):
                continue
            real = int(text) if schema.get("type") == "integer" and re.fullmatch(r"-?[0-9]{1,400}", text) else text
            answer = h.send(o.method, place + "?" + urllib.parse.urlencode({p["name"]: text}), h.unique(o.examples()[0]))
            what = "?%s=%.60r" % (p["name"], text)
            hold(answer.status < 500, "%s: %d %s" % (what, answer.status, answer.text[:200]))
            if answer.status == 414:
                continue
            # "else of Accept-Language, else English"; and what describes no refusal refuses nothing
            if p["name"] == "lang" or 400 not in o.responses:
                unread = any(c < " " or c == "\x7f" for c in text)
                hold(answer.status in (o.good, 409, *([400] if unread else [])), "%s: %d %s" % (what, answer.status, answer.text[:200]))
            elif h.d.faults(schema, real):
                refused(h, o, answer, p["name"], what, True)
            else:
                o.check(answer, what)
        for text in ("%", "%zz", "%00", "%ff", "%c0%80"):
            answer = h.send(o.method, "%s?%s=%s" % (place, p["name"], text), h.unique(o.examples()[0]))
            hold(answer.status < 500, "%s=%s: %d" % (p["name"], text, answer.status))
    h.ready()


@row
def every_path_leads_somewhere_or_nowhere(h, o):
    if "/{" not in o.path:
        raise Nothing
    right = h.place(o, new=False)
    value = right.split("/")[o.path.split("/").index(next(p for p in o.path.split("/") if p.startswith("{")))]
    wrong = [value[:-1] + ("0" if value[-1] != "0" else "1"), value[:-1], value + "x", value.upper(), "x", "acc_" + "0" * 22, "%00", value + "%00", "%ff", "..", "%2e%2e%2f", "%", "%zz",
             "x" * 300, "x" * 5000, "%20", urllib.parse.quote("'; --"), "*", "null", "-1"]
    for text in wrong:
        answer = h.send(o.method, re.sub(r"\{\w+\}", lambda _: text, o.path), o.examples()[0])
        what = "%s for the id" % text[:40]
        named_by_us = any("pattern" in h.d.resolve(p["schema"]) for p in o.named("path"))
        hold(answer.status in (400, 404, 414, *([] if named_by_us else [o.good])), "%s: %d %s" % (what, answer.status, answer.text[:200]))
        hold(answer.status < 400 or answer.headers.get_content_type() == PROBLEM, "%s: %d, %s" % (what, answer.status, answer.headers["Content-Type"]))
    h.ready()


# -- who may ----------------------------------------------------------------------------------------------------------------------

@row
def nobody_without_a_key(h, o):
    if not o.guarded:
        hold(h.send(o.method, o.path, key="", source=h.source()).status == o.good, "a key is wanted")
        return
    right = h.daemon.key
    wrong = ["", "mm_" + "x" * 40, right[:-1], right + "x", right.upper(), "mm_", "x" * 5000, right[3:], right + " x", "%s,%s" % (right, right)]
    path = h.place(o, new=False)
    for key in wrong:
        answer = h.send(o.method, path, o.examples()[0], key=key, source=h.source())
        hold(answer.status == 401, "with %.50r: %d %s" % (key, answer.status, answer.text[:200]))
        o.check(answer, "with %.50r" % key)
    for scheme in ("Basic bW06", "bearer", right, "Bearer", "Token " + right):
        answer = h.send(o.method, path, o.examples()[0], key="", headers={"Authorization": scheme}, source=h.source())
        hold(answer.status == 401, "with %.30r: %d" % (scheme, answer.status))


@row
def nobody_with_too_little_scope(h, o):
    if not o.scopes:
        raise Nothing
    meant = {"operator": set(h.narrow), "admin": set(h.narrow) - {"operator"}}
    path = h.place(o, new=False)
    tried = 0
    for scope, key in h.narrow.items():
        if set(o.scopes) <= meant.get(scope, {scope}):
            continue
        answer = h.send(o.method, path, h.unique(o.examples()[0]), key=key)
        hold(answer.status == 403, "with %s: %d %s" % (scope, answer.status, answer.text[:200]))
        o.check(answer, "with " + scope)
        tried += 1
    hold(tried, "every scope does")


@row
def enough_scope_is_enough(h, o):
    if not o.scopes:
        raise Nothing
    hold(len(o.scopes) == 1, "more than one scope")
    answer = h.send(o.method, h.place(o), h.unique(o.examples()[0]), key=h.narrow[o.scopes[0]])
    hold(answer.status == o.good, "with %s: %d %s" % (o.scopes, answer.status, answer.text[:200]))


@row
def nothing_of_another_workspace(h, o):
    if "/{" not in o.path:
        raise Nothing
    if o.method == "PUT":
        return
    answer = h.send(o.method, h.place(o), o.examples()[0], key=h.other)
    hold(answer.status == 404, "%d %s" % (answer.status, answer.text[:200]))
    o.check(answer, "of another workspace")


@row
def other_methods_are_refused(h, o):
    described = {p.method for p in h.operations if p.path == o.path}
    allowed = described | ({"HEAD"} if "GET" in described else set())
    for method in [m.upper() for m in METHODS] + ["OPTIONS", "TRACE", "PROPFIND"]:
        if method in described:
            continue
        answer = h.send(method, h.place(o, new=False), source=h.source())
        hold(answer.status == 405, "%s: %d %s" % (method, answer.status, answer.text[:200]))
        hold({m.strip() for m in answer.headers["Allow"].split(",")} == allowed, "%s: Allow: %s, not %s" % (method, answer.headers["Allow"], allowed))
    for path in (h.place(o, new=False) + "/", h.place(o, new=False) + "/x/y"):
        hold(h.send(o.method, path, source=h.source()).status == 404, "%s is somewhere" % path)


@row
def nothing_failed(h, o):
    """After all of the above: no answer of it was a failure of ours, and the daemon is the same process."""
    hold(h.daemon.popen.poll() is None, "the daemon has ended")
    bad = [line for line in h.daemon.said().split("\n") if re.search(r" status=5\d\d |ERROR: |runtime error|FAILURE", line)]
    hold(not bad, "in its log: %s" % bad[:3])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--only", default="")
    a = parser.parse_args()
    passed = failed = 0
    description = Description(os.path.join(HERE, "..", "..", "docs", "openapi.yaml"))
    with House(os.path.join(os.path.abspath(a.build), "mailmoor"), description) as h:
        h.build()
        for o in h.operations:
            for r in rows:
                name = "%s: %s" % (o.name, r.name)
                if not re.search(a.only, name):
                    continue
                begin = time.monotonic()
                try:
                    r(h, o)
                    passed += 1
                    print("ok %s (%.1f s)" % (name, time.monotonic() - begin), flush=True)
                except Nothing:
                    pass
                except Exception as e:
                    failed += 1
                    print("not ok %s: %s: %s" % (name, type(e).__name__, e), flush=True)
                    with contextlib.suppress(Exception):
                        if h.daemon.popen.poll() is not None:
                            h.lines.clear()
                            h.daemon.start()
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
