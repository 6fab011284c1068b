#!/usr/bin/env python3
"""`mailmoor diagnose --provider caldav` against the sandbox's calendar server: for each cause its id, how sure, who must act, what stays open, the
values and the proof; look-alikes side by side; no password in anything that is printed or kept; and each case comes out the same when it is replayed.

    diagnose_caldav.py BUILD [--only REGEX]
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import cloud
import sandboxed
from peers import hold
from rows import Rows, arguments

row = Rows()
DOMAIN = "contoso.example"
ANNA = "anna@" + DOMAIN
HOST = "dav." + DOMAIN
APP_PASSWORD, WRONG = "kite-fern-moor-wren", "kettle-77-is-wrong"
CONNECTED = ""
TEST = "--calendar-test"


def same(got, wanted, what):
    hold(got == wanted, "%s: %s, not %s" % (what, got, wanted))


class Place:
    daemon = None

    def __init__(self, build, folder):
        self.binary, self.folder = os.path.join(build, "mailmoor"), folder
        self.judged_as = set()

    def command(self, s, address, password, *options):
        file = os.path.join(self.folder, "password")
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
            f.write(password)
        return [self.binary, "diagnose", address, "--provider=caldav", "--password-file=" + file, "--resolver=" + s.told["resolver"],
                "--ca-file=" + s.told["ca_file"], "--timeout=20", *("--connect-to=" + c for c in s.told["connect_to"]), *options]

    def diagnose(self, s, *options, address=ANNA, password=None):
        """(exit status, report) of one, after a look for the password in all that came out, and once more from what was recorded."""
        record = os.path.join(self.folder, "record.json")
        password = password or s.account["password"]
        command = self.command(s, address, password, *options)
        p = subprocess.run([*command, "--json", "--record=" + record], capture_output=True, text=True, timeout=60)
        hold(p.stdout.startswith("{"), "no report: %s %s" % (p.stdout[:300], p.stderr[:300]))
        with open(record, encoding="utf-8") as f:
            kept = f.read()
        again = subprocess.run([self.binary, "replay", "--json", record], capture_output=True, text=True, timeout=60)
        os.remove(record)
        hold(again.stdout.startswith("{"), "not replayed: %s" % again.stderr[:300])
        told, retold = json.loads(p.stdout), json.loads(again.stdout)
        same((retold["verdict"], retold["causes"]), (told["verdict"], told["causes"]), "replayed")
        hold(password not in p.stdout + p.stderr + kept, "the password is in what came out")
        self.judged_as |= {c["id"] for c in told["causes"][:1]}
        return p.returncode, told

    def judged(self, faults, cause, left_open="", options=(), values=None, proof=None, tries=None, password=None, address=ANNA, sandbox=()):
        """`cause`: "ID CERTAINTY WHO", or CONNECTED; `left_open`: ids; `proof`: "STEP FACT VALUE", among those given; `tries`: of the password."""
        s = sandboxed.Sandbox(self.binary, self.folder, "--caldav", *("--fault=" + f for f in faults), *sandbox)
        try:
            status, report = self.diagnose(s, *options, address=address, password=password)
        finally:
            log = s.log()
            s.stop()
        said = [" ".join((c["id"], c["certainty"], c["who"])) for c in report["causes"]]
        if tries is not None:
            same(report["password_tries"], tries, "%s: tries of the password" % (faults,))
        if not cause:
            same((status, report["verdict"], said), (0, "connected", []), faults)
            return report, log
        same((said or ["nothing"])[0], cause, "%s: %s" % (faults, said))
        first = report["causes"][0]
        same({c["id"] for c in report["causes"][1:]}, set(left_open.split()), "%s: left open" % (faults,))
        for name, value in (values or {}).items():
            same(first["values"].get(name), value, "%s: value %s" % (faults, name))
        proofs = [" ".join((p["step"], p["fact"], p["value"])) for p in first["proof"]]
        hold(proofs and (not proof or proof in proofs), "%s: proof %s" % (faults, proofs))
        hold(first["title"] and first["why"] and first["fix"], "%s: texts %s" % (faults, first))
        return report, log


# -- well -----------------------------------------------------------------------------------------------------------------------------------

@row
def a_calendar_that_srv_leads_to_is_connected(t):
    report, log = t.judged((), CONNECTED)
    states = {x["id"]: x["state"] for x in report["steps"]}
    same([states["caldav." + x] for x in ("find", "offer", "login", "calendars", "rights", "event")], ["passed"] * 5 + ["skipped"], "steps")
    hold({line["method"] for line in log} == {"PROPFIND"}, "nothing is written unasked: %s" % log)
    same([line["login"] for line in log][:2], ["none", "accepted"], "asked without credentials first")


@row
def what_people_read_says_nothing_of_mail(t):
    s = sandboxed.Sandbox(t.binary, t.folder, "--caldav")
    try:
        command = t.command(s, ANNA, s.account["password"])
        out = subprocess.run(command, capture_output=True, text=True, timeout=60).stdout
    finally:
        s.stop()
    hold(out.rstrip().endswith("Connected.") and "send" not in out, out)


@row
def what_is_odd_and_not_wrong_is_connected(t):
    for faults in (("caldav-no-srv",), ("caldav-schemes=digest",), ("caldav-schemes=digest-sha256",), ("caldav-schemes=digest-sha256,digest,negotiate,basic",),
                   ("caldav-schemes=digest", "caldav-stale#1"), ("caldav-no-etag",)):
        report, log = t.judged(faults, CONNECTED, options=(TEST,), tries=0)
        same([x["state"] for x in report["steps"] if x["id"] in ("caldav.event", "caldav.remove", "caldav.changes")], ["passed"] * 4, faults)
        same([line["status"] for line in log if line["method"] == "DELETE"], [204], "what was written is removed")


@row
def changes_are_told_whatever_becomes_of_the_token(t):
    for faults, by in ((("caldav-parts=1",), "token"), (("caldav-parts=3", "caldav-many=10"), "token"), (("caldav-token-gone#1",), "token"), (("caldav-no-sync",), None)):
        report, _ = t.judged(faults, CONNECTED, options=(TEST,))
        told = [f["value"] for x in report["steps"] if x["id"] == "caldav.changes" for f in x["facts"] if f["fact"] == "sync.told"]
        same(told, ["changed", "gone"] if by else [], faults)


@row
def a_calendar_of_a_hundred_thousand_events(t):
    report, _ = t.judged(("caldav-many=100000",), CONNECTED, options=(TEST, "--timeout=60"))
    same([x["state"] for x in report["steps"] if x["id"] == "caldav.event"], ["passed"], "the test event")


# -- where it is ----------------------------------------------------------------------------------------------------------------------------

@row
def no_calendars_are_announced(t):
    t.judged(("caldav-hidden",), "caldav.not_found proven user", values={"domain": DOMAIN})
    t.judged(("caldav-not-offered",), "dns.service_not_offered proven admin")
    t.judged((), "caldav.not_found proven user", options=("--caldav", "ftp://" + HOST), proof="caldav.url caldav.url_problem no https address")


@row
def a_web_site_where_calendars_should_be(t):
    t.judged(("caldav-page=404",), "caldav.not_found proven user", values={"host": HOST}, tries=0)
    t.judged(("caldav-page",), "caldav.not_found likely user", "caldav.sign_in_page_in_front net.intercepted", tries=0)
    t.judged(("caldav-page=403",), "caldav.not_found likely user", "auth.ip_not_allowed", tries=0)
    t.judged(("caldav-circle",), "caldav.not_found likely user", "caldav.sign_in_page_in_front", tries=0)
    t.judged(("caldav=404@PROPFIND",), "caldav.not_found likely user", "caldav.sign_in_page_in_front", tries=0)


@row
def a_sign_in_for_people_in_front(t):
    _, log = t.judged(("caldav-sign-in",), "caldav.sign_in_page_in_front proven admin", values={"host": HOST}, tries=0)
    hold(all(line["login"] == "none" and not line["host"].startswith("sso.") for line in log), "the page was asked, or a password was sent: %s" % log)
    t.judged(("caldav-sign-in=page",), "caldav.sign_in_page_in_front likely admin", "caldav.not_found", tries=0)


@row
def another_one_s_host_gets_no_password(t):
    for faults in (("caldav-redirect=https://caldav.fastmail.com/dav/",), ("caldav-home=https://caldav.fastmail.com/dav/calendars/%s/" % ANNA,)):
        with_log = sandboxed.Sandbox(t.binary, t.folder, "--caldav", *("--fault=%s/%s" % (HOST, f) for f in faults))
        try:
            _, report = t.diagnose(with_log)
            log = with_log.log()
        finally:
            with_log.stop()
        hold(report["verdict"] == "unfinished" and [n["kind"] for n in report["needs"]] == ["confirm_host"], "%s: %s %s" % (faults, report["verdict"], report["needs"]))
        hold(all(line["login"] == "none" for line in log if line["host"] == "caldav.fastmail.com"), "%s: %s" % (faults, log))


# -- the sign-in ----------------------------------------------------------------------------------------------------------------------------

ANY_REASON = "auth.username_form auth.app_password_required auth.account_locked auth.account_disabled caldav.sign_in_page_in_front"


@row
def a_refusal_names_no_reason(t):
    t.judged(("wrong-password",), "auth.password_rejected likely user", ANY_REASON, tries=2)
    t.judged(("caldav-app-password",), "auth.password_rejected likely user", ANY_REASON, tries=2)
    t.judged(("caldav-app-password",), CONNECTED, password=APP_PASSWORD, tries=0)
    t.judged(("caldav-schemes=digest",), "auth.password_rejected likely user", ANY_REASON, password=WRONG, tries=2)
    t.judged(("caldav-nobody",), "auth.password_rejected likely user", ANY_REASON, tries=2)


@row
def providers_want_a_password_for_programs(t):
    for address in ("anna@icloud.com", "anna@fastmail.com", "anna@yahoo.com"):
        wished = ("--account=%s:heron-Kettle-41" % address,)
        t.judged((), "auth.app_password_required likely user", "auth.password_rejected", address=address, sandbox=wished, tries=1)
        t.judged((), CONNECTED, address=address, sandbox=wished, password=APP_PASSWORD)


@row
def icloud_s_calendars_are_on_another_host_of_its_own(t):
    _, log = t.judged((), CONNECTED, address="anna@icloud.com", sandbox=("--account=anna@icloud.com:x",), password=APP_PASSWORD, options=(TEST,))
    same({line["host"] for line in log if line["method"] == "PUT"}, {"p42-caldav.icloud.com"}, "where it is written")


@row
def google_takes_no_password(t):
    report, log = t.judged((), "caldav.password_refused proven user", options=("--caldav", "https://apidata.googleusercontent.com/caldav/v2/%s/user" % ANNA), tries=0,
                           proof="caldav.login auth.no_common yes")
    hold(all(line["login"] == "none" for line in log), "a password was sent: %s" % log)
    t.judged((), "caldav.password_refused proven user", address="anna@gmail.com", sandbox=("--account=anna@gmail.com:heron-Kettle-41",), tries=0)
    t.judged(("caldav-schemes=bearer",), "auth.no_common_scheme proven operator", tries=0)
    t.judged(("caldav-schemes=negotiate",), "auth.no_common_scheme proven operator", tries=0)


@row
def a_name_without_the_domain_is_found(t):
    s = sandboxed.Sandbox(t.binary, t.folder, "--caldav", "--fault=names=bare")
    try:
        status, with_bare = t.diagnose(s)
        log = s.log()
    finally:
        s.stop()
    first = with_bare["causes"][0]
    same((status, with_bare["verdict"], first["id"], first["repaired"], first["values"]["right_username"]), (0, "connected", "auth.username_form", True, "anna"), "repaired")
    same(sum(line["login"] == "refused" for line in log), 1, "one refusal")


# -- what may be done -----------------------------------------------------------------------------------------------------------------------

@row
def an_account_without_a_calendar(t):
    t.judged(("no-calendar",), "calendar.none proven user", values={"address": ANNA}, proof="caldav.calendars caldav.calendars 0")
    t.judged(("caldav-only-tasks",), "calendar.none proven user", proof="caldav.calendars caldav.calendars 0")
    t.judged(("caldav-no-home",), "calendar.none likely user", "caldav.not_found")
    t.judged(("bert@%s/no-calendar" % DOMAIN,), CONNECTED)


@row
def a_calendar_that_may_not_be_written_to(t):
    t.judged(("caldav-read-only",), "calendar.not_permitted proven admin", proof="caldav.rights caldav.may_add no")
    t.judged(("calendar-denied",), "calendar.not_permitted proven admin", proof="caldav.calendars dav.condition DAV:need-privileges")
    t.judged(("caldav=403:DAV:need-privileges@PUT",), "calendar.not_permitted proven admin", options=(TEST,))
    t.judged(("caldav=403@PUT",), "calendar.not_permitted likely admin", "auth.app_password_required", options=(TEST,))
    t.judged(("caldav=403@PROPFIND",), "calendar.not_permitted likely admin", "auth.app_password_required auth.login_disabled")


@row
def a_time_zone_that_gets_lost_on_the_way(t):
    for how, cause, left_open in (("unknown", "proven", ""), ("broken", "proven", ""), ("lost", "likely", "server.answer_unreadable"), ("shifted", "likely", "server.answer_unreadable")):
        _, log = t.judged(("caldav-zone=" + how,), "calendar.time_zone_unknown %s nobody" % cause, left_open, options=(TEST,))
        same([line["status"] for line in log if line["method"] == "DELETE"], [204], "%s: the event is removed all the same" % how)
    t.judged(("caldav-zone=unknown",), CONNECTED)


@row
def no_room_for_one_more(t):
    t.judged(("caldav=507:DAV:quota-not-exceeded@PUT",), "mailbox.full proven user", options=(TEST,))
    t.judged(("caldav=507@PUT",), "mailbox.full likely user", "server.unavailable", options=(TEST,))


# -- a bad day ------------------------------------------------------------------------------------------------------------------------------

@row
def what_passes_is_nobodys_fault(t):
    t.judged(("caldav-maintenance",), "server.unavailable proven nobody", tries=0)
    t.judged(("caldav=503", "caldav-retry-after=60"), "server.unavailable proven nobody")
    t.judged(("caldav=503",), "server.unavailable likely nobody", "throttle.provider")
    t.judged(("caldav=429@before", "caldav-retry-after=30"), "throttle.provider proven nobody", tries=0)
    t.judged(("caldav=429",), "throttle.provider likely nobody", "auth.too_many_attempts")
    t.judged(("caldav-page=502",), "server.unavailable proven provider", tries=0)
    t.judged(("caldav-page=500",), "server.unavailable likely provider", "server.answer_unreadable", tries=0)


@row
def answers_that_nobody_can_read(t):
    for faults in (("malformed",), ("entity-bomb",)):
        t.judged(faults, "server.answer_unreadable proven provider")
    t.judged(("cut=300",), "server.unavailable likely nobody", "net.silent")
    # what is gone and there counts as gone
    _, log = t.judged(("caldav-contradiction",), "calendar.none likely user", "caldav.not_found", options=(TEST,))
    hold(not any(line["method"] == "PUT" for line in log), "written: %s" % log)


@row
def the_line_comes_first(t):
    t.judged(("certificate-expired",), "tls.expired likely admin", "operator.clock_wrong tls.handshake_failed", tries=0)
    t.judged(("certificate-wrong-name",), "tls.name_mismatch proven admin", tries=0)


# -- calendars elsewhere: at Exchange and at Microsoft ------------------------------------------------------------------------------------------

@row
def no_calendar_or_none_to_open_at_microsoft(t):
    for fault, cause in (("no-calendar", "calendar.none likely user"), ("graph=ErrorAccessDenied@me/calendar", "calendar.not_permitted likely")):
        s = cloud.Cloud(t, "--fault=" + fault)
        try:
            p = subprocess.run([t.binary, "diagnose", ANNA, "--provider=microsoft", "--json", "--resolver=" + s.told["resolver"], "--ca-file=" + s.told["ca_file"],
                                "--token-file=" + s.told["accounts"][0]["token_file"], *("--connect-to=" + c for c in s.told["connect_to"])],
                               capture_output=True, text=True, timeout=60)
        finally:
            s.stop()
        first = json.loads(p.stdout)["causes"][0]
        hold(" ".join((first["id"], first["certainty"], first["who"])).startswith(cause), "%s: %s" % (fault, first))


@row
def each_mailbox_and_each_domain_has_faults_of_its_own(t):
    """All of them in one sandbox, beside everything else that it plays."""
    at = "%s.birch.example"
    faults = {"portal": ("caldav-sign-in", "", "caldav.sign_in_page_in_front proven"), "hidden": ("caldav-hidden", "", "caldav.not_found proven"),
              "none": ("no-calendar", "anna@", "calendar.none proven"), "read": ("caldav-read-only", "anna@", "calendar.not_permitted proven"),
              "zone": ("caldav-zone=unknown", "anna@", "calendar.time_zone_unknown proven"), "well": None}
    accounts = ["anna@" + at % name for name in faults] + ["anna@gmail.com"]
    orders = ["--fault=%s%s/%s" % (f[1], at % name, f[0]) for name, f in faults.items() if f]
    s = sandboxed.Sandbox(t.binary, t.folder, "--caldav", "--imap", "--microsoft", *("--account=%s:heron-Kettle-41" % a for a in accounts), *orders)
    try:
        for address, wanted in zip(accounts, [f and f[2] for f in faults.values()] + ["caldav.password_refused proven"]):
            _, report = t.diagnose(s, TEST, address=address, password="heron-Kettle-41")
            same([" ".join((c["id"], c["certainty"])) for c in report["causes"]], [wanted] if wanted else [], address)
    finally:
        s.stop()


@row
def no_cause_of_calendars_is_left_out(t):
    """Each is the verdict of some row above."""
    rows_of = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "src", "model", "causes.def")
    with open(rows_of, encoding="utf-8") as f:
        known = set(re.findall(r'"((?:caldav|calendar)\.\w+)"', f.read()))
    hold(len(known) >= 6, "read: %s" % known)
    if not t.only:
        same(known - t.judged_as, set(), "never the verdict")


def main():
    args = arguments()
    folder = tempfile.mkdtemp(prefix="diagnose-caldav-")
    try:
        place = Place(os.path.abspath(args.build), folder)
        place.only = args.only
        return row.run(place, args.only)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
