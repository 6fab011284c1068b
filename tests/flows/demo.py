#!/usr/bin/env python3
"""`mailmoor demo` as a newcomer sees it: the tour, every link of it in every language, the verdicts behind them, and nothing left behind.

    demo.py BUILD [--only REGEX]
"""
import html
import http.cookiejar
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

sys.dont_write_bytecode = True

from peers import hold
from rows import Rows, arguments

row = Rows()
LANGUAGES = ("en", "de", "fi", "nl", "pl", "th")
MEMORY_MIB = 150
DOORS = {"microsoft": "/demo/at/login.microsoftonline.com", "google": "/demo/at/accounts.google.com"}


def same(got, wanted, what):
    hold(got == wanted, "%s: %r, not %r" % (what, got, wanted))


class Page:
    def __init__(self, url, status, text):
        self.url, self.status, self.text = url, status, text
        lang = re.search(r'<html lang="([a-z]+)"', text)
        self.lang = lang and lang[1]

    def __repr__(self):
        return "%s %s: %s" % (self.status, self.url, re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", self.text))[:500])

    def links(self, pattern):
        return [html.unescape(x) for x in re.findall(r'href="([^"]*)"', self.text) if re.search(pattern, html.unescape(x))]

    def form(self, action=""):
        """The first form that leads there: (method, address, its hidden and filled-in fields)."""
        for attributes, inside in re.findall(r"<form([^>]*)>(.*?)</form>", self.text, re.S):
            to = html.unescape(re.search(r'action="([^"]*)"', attributes)[1])
            if not re.search(action, to):
                continue
            fields = []
            for tag in re.findall(r"<(?:input|button)[^>]*>", inside):
                a = {k: html.unescape(v) for k, v in re.findall(r'([a-z-]+)="([^"]*)"', tag)}
                if "name" in a and (a.get("type") not in ("radio", "checkbox", "submit") or "checked" in tag):
                    fields.append((a["name"], a.get("value", "on")))
            return to, fields
        hold(False, "no form to %s: %s" % (action, self))


class Browser:
    """Follows what a browser without scripts follows."""

    def __init__(self, base):
        self.base = base
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def open(self, to, data=None, referrer=None):
        url = urllib.parse.urljoin(self.base + "/", to)
        hold(url.startswith(self.base + "/"), "out of this machine: %s" % url)
        try:
            asked = urllib.request.Request(url, None if data is None else urllib.parse.urlencode(data).encode(), {"Referer": referrer} if referrer else {})
            with self.opener.open(asked, timeout=40) as a:
                page = Page(a.geturl(), a.status, a.read().decode())
        except urllib.error.HTTPError as e:
            if e.code == 429:      # nobody reads so fast: the daemon says how long to wait
                time.sleep(int(e.headers["Retry-After"]))
                return self.open(to, data, referrer) if e.geturl() == url else self.open(e.geturl())      # behind a redirect: what was sent is done
            page = Page(e.geturl(), e.code, e.read().decode())
        onward = re.search(r'<meta http-equiv="refresh" content="0; url=([^"]*)"', page.text)
        return self.open(html.unescape(onward[1]), referrer=page.url) if onward else page

    def submit(self, page, action="", **more):
        to, fields = page.form(action)
        return self.open(urllib.parse.urljoin(page.url, to), [f for f in fields if f[0] not in more] + list(more.items()))


class Demo:
    def __init__(self, binary, folder, *options):
        self.folder = folder
        self.error = open(os.path.join(folder, "stderr"), "w+")
        began = time.monotonic()
        self.process = subprocess.Popen([binary, "demo", *options], stdout=subprocess.PIPE, stderr=self.error, text=True,
                                        env={**os.environ, "TMPDIR": folder, "MAILMOOR_WEB_LISTEN": "192.0.2.1:1", "HOME": "/nowhere"})
        self.said = ""
        for line in self.process.stdout:
            self.said += line
            if "Ctrl-C" in line:
                break
        url = re.search(r"(http://127\.0\.0\.1:\d+)/demo\S*", self.said)
        hold(url, "it says where it is: %s %s" % (self.said, self.complaints()))
        self.tour, self.base = url[0], url[1]
        self.tour_seconds = None
        self.browser().open("/demo")
        self.tour_seconds = time.monotonic() - began

    def browser(self):
        return Browser(self.base)

    def complaints(self):
        self.error.seek(0)
        return self.error.read()

    def memory_mib(self, which="VmHWM"):
        with open("/proc/%d/status" % self.process.pid) as f:
            return int(re.search(which + r":\s+(\d+) kB", f.read())[1]) / 1024

    def stop(self, how=signal.SIGINT):
        self.process.send_signal(how)
        self.process.stdout.read()
        return self.process.wait(timeout=60)


class Place:
    def __init__(self, build, folder):
        self.binary, self.folder = os.path.join(build, "mailmoor"), folder
        self.demo = Demo(self.binary, folder)
        self.daemon = None

    def patiently(self, look, what):
        end = time.monotonic() + 90
        while time.monotonic() < end:
            got = look()
            if got:
                return got
            time.sleep(0.5)
        hold(False, what)


def mailboxes(page):
    """[(name, what the page says of how far it is)] as the tour lists them."""
    part = page.text[page.text.index('id="mailboxes"'):page.text.index('id="others"')]
    return [(re.search(r"/demo/see/([^?\"]+)", li)[1], re.sub(r"<[^>]+>", " ", li.split('class="state">')[1])) for li in re.findall(r"<li>(.*?)</li>", part, re.S)]


def table():
    """name -> (how, cause or None, provider) of src/cmd/demo.def"""
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "../../src/cmd/demo.def"), encoding="utf-8") as f:
        rows = re.findall(r'^(MAILBOX|MENDED|ACTS|SIGN_IN|GRANTED|DELEGATED)\("([^"]+)",\s*"([^"]+)", "([^"]*)", (NULL|"[^"]*")', f.read(), re.M)
    return {name: (how, None if cause == "NULL" else cause.strip('"'), provider) for how, name, provider, _, cause in rows}


def titles(browser, lang):
    """cause -> its title in that language, from the help pages' index."""
    page = browser.open("/help?lang=" + lang)
    return {id: html.unescape(title) for id, title in re.findall(r'href="/help/([a-z_.]+)\?lang=[a-z]+">([^<]*)<', page.text)}


# -- what it is ---------------------------------------------------------------------------------------------------------------------------------

@row
def it_says_what_it_is_and_where(t):
    lines = t.demo.said.splitlines()
    hold(max(map(len, lines)) <= 80 and t.demo.tour.endswith("/demo") and "Ctrl-C ends it." in lines, "said: %s" % t.demo.said)
    page = t.demo.browser().open("/")
    hold(page.status == 200 and page.url.endswith("/demo"), "the tour is in front: %s" % page)


@row
def it_lists_every_statement_and_every_mailbox(t):
    page = t.demo.browser().open("/demo?lang=en")
    same(re.findall(r'<li id="(S\d+)"', page.text), ["S%d" % n for n in range(1, 43)], "statements")
    same({name for name, _ in mailboxes(page)}, set(table()), "mailboxes")
    for n in range(1, 43):
        part = re.search(r'<li id="S%d">(.*?)</li>\s*(?=<li id="S|</ol>)' % n, page.text, re.S)[1]
        hold(re.search(r'href="/(demo|help)/', part), "S%d leads nowhere" % n)
    beside = re.findall(r'<span id="(N\d+)"', page.text)
    hold(beside and len(set(beside)) == len(beside), "what neighbouring pages say stands once: %s" % beside)


@row
def every_cause_is_shown_or_said_not_to_be(t):
    browser = t.demo.browser()
    page = browser.open("/demo?lang=en")
    others = set(re.findall(r'/help/([a-z_.]+)\?', page.text[page.text.index('id="others"'):]))
    shown = {cause for _, cause, _ in table().values() if cause}
    same(others | shown, set(titles(browser, "en")), "all causes")
    same(others & shown, set(), "both")


# -- every mailbox, by our own flow -----------------------------------------------------------------------------------------------------------------

def settled(t):
    """Once each that needs nobody has been verified."""
    wanted = sum(how != "SIGN_IN" for how, _, _ in table().values())
    return t.patiently(lambda: (lambda p: p if sum("verified" in s and "being" not in s for _, s in mailboxes(p)) >= wanted else None)(t.demo.browser().open("/demo?lang=en")),
                       "not all of them were verified: %s" % t.demo.browser().open("/demo?lang=en"))


@row
def each_is_found_as_the_tour_says(t):
    page = settled(t)
    astray = [(name, state.split()) for name, state in mailboxes(page) if table()[name][0] != "SIGN_IN" and state.split() != ["verified"]]
    same(astray, [], "found otherwise")


@row
def a_calendar_beside_a_mailbox_and_one_alone_are_connected(t):
    settled(t)
    browser = t.demo.browser()
    mailbox, calendar = (browser.open("/demo/see/%s?lang=en" % name) for name in ("mail-and-calendar", "calendar"))
    for page, steps in ((mailbox, ("IMAP sign-in", "test message", "calendar sign-in", "test event")), (calendar, ("calendar sign-in", "test event"))):
        for step in steps:
            hold('<li class="passed"><span class="label">%s<' % step in page.text, "%s: %s" % (step, page))
    hold("Your mailbox is connected." in mailbox.text and "BCC" in mailbox.text, mailbox)
    hold("Your calendar is connected." in calendar.text and "BCC" not in calendar.text, "nobody is told of mail: %s" % calendar)
    page = browser.open("/demo/see/calendar-time-zone?lang=en")
    hold("The calendar can be read." in page.text and "Mail can be read." not in page.text, page)


@row
def each_page_names_its_cause_in_each_language(t):
    settled(t)
    for lang in LANGUAGES:
        browser = t.demo.browser()
        title = titles(browser, lang)
        tour = browser.open("/demo?lang=" + lang)
        same(tour.lang, lang, "the tour's language")
        for name, (how, cause, _) in table().items():
            if how == "SIGN_IN":
                continue
            page = browser.open("/demo/see/%s?lang=%s" % (name, lang))
            hold(page.status == 200 and page.lang == lang and page.url.split("?")[0].endswith("/result"), "%s in %s: %s" % (name, lang, page))
            if cause:
                hold(title[cause] in html.unescape(page.text), "%s in %s names %s: %s" % (name, lang, title[cause], page))


# -- signing in ---------------------------------------------------------------------------------------------------------------------------------------

def sign_in(browser, name, lang):
    """From the tour's link to the verdict: the connect page, the played page, back."""
    page = browser.open("/demo/see/%s?lang=%s" % (name, lang))
    hold(page.status == 200 and page.lang == lang and "/connect/" in page.url, "the connect page: %s" % page)
    provider = table()[name][2]
    page = browser.submit(page, r"^/connect/[^/]+$", provider=provider)
    if DOORS[provider] + "/signin/oauth/error" in page.url:
        return page
    hold(DOORS[provider] in page.url and 'class="plays"' in page.text and 'lang="%s"' % lang in page.text, "the played page: %s" % page)
    page = browser.submit(page, r"/(login|identifier)$", next="1")
    if re.search(r'action="[^"]*/consent"', page.text):
        page = browser.submit(page, r"/consent$", answer="accept")
    return page


def paste(browser, page):
    """Where the played page keeps whoever is there: its words are brought back by hand."""
    address = html.unescape(re.search(r'<code class="copy"[^>]*>([^<]*)<', page.text)[1])
    words = address if "authError" in address else html.unescape(re.sub(r"<[^>]+>", " ", page.text.split("<main>")[1]))
    back = page.links("^/connect/")
    hold(back, "the way back: %s" % page)
    return browser.submit(browser.open(back[0]), r"/said$", said=words)


def verdict(t, browser, page):
    """The result, once there is one."""
    def look():
        now = browser.open(page.url)
        return now if now.url.split("?")[0].endswith("/result") else None
    return look() or t.patiently(look, "no result: %s" % page)


@row
def who_signs_in_is_connected(t):
    for name, address in (("anna", "anna@contoso.example"), ("gmail", "gmail@tailspin.example")):
        browser = t.demo.browser()
        page = verdict(t, browser, sign_in(browser, name, "en"))
        hold(address in page.text and page.lang == "en", "connected: %s" % page)
        states = dict(mailboxes(browser.open("/demo?lang=en")))
        same(states[name].split(), ["verified"], "the tour knows")


@row
def each_sign_in_ends_as_the_tour_says_in_each_language(t):
    for name, (how, cause, _) in table().items():
        if how != "SIGN_IN" or not cause:
            continue
        for lang in LANGUAGES:
            browser = t.demo.browser()
            page = sign_in(browser, name, lang)
            title = titles(browser, lang)[cause]
            if "/demo/at/" in page.url:
                page = paste(browser, page)
            if title not in html.unescape(page.text):
                page = verdict(t, browser, page)
            hold(page.lang == lang and title in html.unescape(page.text), "%s in %s names %s: %s" % (name, lang, title, page))


@row
def every_other_link_of_the_tour_leads_somewhere_in_each_language(t):
    for lang in LANGUAGES:
        browser = t.demo.browser()
        tour = browser.open("/demo?lang=" + lang)
        for to in sorted(set(tour.links("^/(help/|demo/settings)"))):
            page = browser.open(to)
            hold(page.status == 200 and page.lang == lang, "%s in %s: %s" % (to, lang, page))
        hold(not tour.links("^https?:"), "links out of this machine: %s" % tour.links("^https?:"))


@row
def the_page_of_all_mailboxes_opens(t):
    page = t.demo.browser().open("/demo/settings?lang=fi")
    hold(page.status == 200 and "/settings/" in page.url and page.lang == "fi", "settings: %s" % page)


@row
def an_administrator_approves_and_the_person_goes_on(t):
    browser, admin = t.demo.browser(), t.demo.browser()
    page = paste(browser, sign_in(browser, "approved-then-assign", "en"))
    page = browser.open(page.links("/administrator$")[0])
    handed = re.search(r"%s/admin/[^\s\"<&]+" % re.escape(t.demo.base), html.unescape(page.text))
    hold(handed, "a link for the administrator: %s" % page)
    page = admin.open(handed[0])
    door = page.links("^/demo/at/login.microsoftonline.com/.*adminconsent")
    hold(door and "https://login.microsoftonline.com/" in page.text, "the button leads through the door, the address is the real one: %s" % page)
    page = admin.submit(admin.open(door[0], referrer=page.url), "", answer="accept")
    hold(page.url.startswith(t.demo.base) and "/demo/at/" not in page.url and page.status == 200, "approved: %s" % page)
    page = browser.open("/demo/see/approved-then-assign?lang=en")      # by itself, without a page
    hold(titles(browser, "en")["microsoft.user_not_assigned"] in page.text, "users are still to be assigned: %s" % page)


@row
def nobody_else_is_let_through_a_door(t):
    browser = t.demo.browser()
    for to in ("/demo/at/example.org/", "/demo/at/127.0.0.1/x", "/demo/at/login.microsoftonline.com@example.org/x", "/demo/see/nobody"):
        page = browser.open(to)
        hold(page.url.endswith("/demo") or page.status in (400, 404), "%s: %s" % (to, page))


@row
def the_daemon_itself_has_none_of_it(t):
    with tempfile.TemporaryDirectory(prefix="mailmoor-") as state:
        daemon = subprocess.Popen([t.binary, "serve"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                  env={"STATE_DIRECTORY": state, "PATH": os.environ["PATH"], "MAILMOOR_WEB_LISTEN": "127.0.0.1:0"})
        try:
            base = next(m[0] for m in (re.search(r"http://127\.0\.0\.1:\d+", line) for line in daemon.stdout) if m)
            for path in ("/demo", "/demo/see/exchange", "/demo/at/login.microsoftonline.com/common/login"):
                same(Browser(base).open(path).status, 404, path)
        finally:
            daemon.terminate()
            daemon.communicate(timeout=30)


# -- how much, and what is left -----------------------------------------------------------------------------------------------------------------------

@row
def it_needs_little(t):
    settled(t)
    hold(t.demo.memory_mib() < MEMORY_MIB, "%.0f MiB" % t.demo.memory_mib())


@row
def nothing_is_left_behind(t):
    for how in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        folder = tempfile.mkdtemp(dir=t.folder)
        demo = Demo(t.binary, folder)
        hold(demo.base != t.demo.base, "two at once have ports of their own")
        demo.browser().open("/demo/see/exchange?lang=en")
        same((demo.stop(how), demo.complaints()), (0, ""), "ended by %s" % how.name)
        same(os.listdir(folder), ["stderr"], "left by %s" % how.name)
        demo.error.close()


@row
def wrong_usage_is_told(t):
    for options in (("--port", "x"), ("--lang", "xx"), ("more",)):
        p = subprocess.run([t.binary, "demo", *options], capture_output=True, text=True, timeout=20)
        hold(p.returncode == 2 and p.stderr and not p.stdout, "%s: %s" % (options, p))
    p = subprocess.run([t.binary, "demo", "--port", t.demo.base.rsplit(":", 1)[1]], capture_output=True, text=True, timeout=20, env={**os.environ, "TMPDIR": t.folder})
    hold(p.returncode == 2 and "mailmoor demo: " in p.stderr, "a port that is taken: %s" % p)


def main():
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="mailmoor-") as folder:
        place = Place(os.path.abspath(options.build), folder)
        try:
            failed = row.run(place, options.only)
        finally:
            if place.demo.process.poll() is None:
                place.demo.stop()
    return failed


if __name__ == "__main__":
    sys.exit(main())
