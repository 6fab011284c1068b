#!/usr/bin/env python3
"""Every cause that Google can give, ordered from the sandbox: `mailmoor diagnose --provider google` with a token, and `mailmoor explain` for what
a person pastes of one of Google's own pages. No secret in anything that is printed or kept; each case comes out the same when it is replayed.

    google_causes.py BUILD [--only REGEX]

What only a browser brings (declined, never came back) is ordered where people sign in: google.py.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import google_cloud
from google_cloud import AUTH, MAIL, hold, same
from rows import Rows, arguments

row = Rows()
ENDED = "token-expired#4"      # the tokens of the four accounts; those that a refresh brings live
NOBODY, USER, ADMIN, OPERATOR = ("proven " + who for who in ("nobody", "user", "admin", "operator"))
BROWSERS = {"google.consent_declined", "google.sign_in_not_returned"}      # google.py has a browser


class Place(google_cloud.Place):
    seen = frozenset()      # ids of first causes so far

    def diagnose(self, s, *options):
        """(exit status, report) of one, after a look for secrets in all that came out."""
        a = s.told["accounts"][0]
        config, record = os.path.join(self.folder, "mailmoor.conf"), os.path.join(self.folder, "record.json")
        with open(config, "w") as f:
            f.write("[google]\nclient_id = %s\nclient_secret = %s\n" % (s.google["client_id"], s.google["client_secret"]))
        p = subprocess.run([self.binary, "diagnose", a["address"], "--provider=google", "--config=" + config, "--token-file=" + a["google_token_file"],
                            "--resolver=" + s.told["resolver"], "--ca-file=" + s.told["ca_file"], "--timeout=20",
                            *("--connect-to=" + c for c in s.told["connect_to"]), "--json", "--record=" + record, *options],
                           capture_output=True, text=True, timeout=60)
        hold(p.stdout.startswith("{"), "no report: %s %s" % (p.stdout[:300], p.stderr[:300]))
        with open(record, encoding="utf-8") as f:
            kept = f.read()
        again = subprocess.run([self.binary, "replay", "--json", record], capture_output=True, text=True, timeout=60)
        os.remove(record)
        hold(again.stdout.startswith("{"), "not replayed: %s" % again.stderr[:300])
        told, retold = json.loads(p.stdout), json.loads(again.stdout)
        same((retold["verdict"], retold["causes"]), (told["verdict"], told["causes"]), "replayed")
        secrets = [s.google["client_secret"], *(v for k, v in s.grant().items() if k.endswith("_token"))]
        hold(not any(x in text for x in secrets for text in (p.stdout, p.stderr, kept)), "a secret is in what came out")
        return p.returncode, told

    def judged(self, faults, expected, *options):
        """`expected`: "VERDICT: ID CERTAINTY WHO" of the first cause, or "connected"."""
        with self.google(*faults) as s:
            status, report = self.diagnose(s, *options)
            causes = [" ".join((c["id"], c["certainty"], c["who"])) for c in report["causes"]]
            self.seen |= {c["id"] for c in report["causes"][:1]}
            same(report["verdict"] + "".join(": " + c for c in causes[:1]), expected, "%s: %s" % (faults, causes))
            hold((status == 0) == (report["verdict"] == "connected"), "the exit status: %d" % status)
            if causes and " proven " in causes[0]:
                same([c for c in causes[1:] if " proven " not in c], [], "%s: proven, and others are open" % (faults,))
            return s, report

    def explained(self, text):
        """The first cause of a pasted text."""
        p = subprocess.run([self.binary, "explain", "--json", text], capture_output=True, text=True, timeout=60)
        hold(p.stdout.startswith("{"), "no report: %s %s" % (p.stdout[:300], p.stderr[:300]))
        causes = json.loads(p.stdout)["causes"]
        self.seen |= {c["id"] for c in causes[:1]}
        return causes[0]["id"] + " " + causes[0]["certainty"] if causes else "nothing"


# -- well -----------------------------------------------------------------------------------------------------------------------------------

@row
def a_healthy_mailbox_is_connected(t):
    s, report = t.judged((), "connected")
    same(sorted(line["path"].rsplit("/", 1)[1] for line in s.log()), ["calendarList", "labels", "profile", "sendAs"], "what was asked")
    hold(all(x["state"] != "failed" for x in report["steps"]), report["steps"])


@row
def the_test_message_comes_and_goes(t):
    with t.google() as s:
        _, report = t.diagnose(s, "--send-test")
        same(report["verdict"], "connected", report["causes"])
        same(s.gmail("/messages?labelIds=SENT&includeSpamTrash=true").json.get("messages"), None, "left")


@row
def an_ended_token_is_renewed_once(t):
    s, _ = t.judged((ENDED,), "connected")
    same(sum(line["path"] == "/token" for line in s.log()), 1, "asked for a token")


@row
def what_passes_soon_is_waited_for(t):
    for fault in ("google=tooManyRequests@profile#1", "google=unavailable@profile#1", "google=unavailable@calendarList#1"):
        t.judged((fault, "google-retry-after=1"), "connected")


# -- not well: what is ordered, and what comes of it -----------------------------------------------------------------------------------------

CAUSES = (
    ((ENDED, "google-token=policy_enforced"), "failed: google.advanced_protection " + ADMIN),
    ((ENDED, "google-token=admin_policy_enforced"), "failed: google.app_blocked_by_admin " + ADMIN),
    (("google=domainPolicy",), "failed: google.app_blocked_by_admin " + ADMIN),
    (("google=contextAware",), "failed: google.app_blocked_by_admin likely admin"),
    (("google-unticked=calendar",), "partial: google.scope_unticked " + USER),
    (("google-unticked=" + MAIL,), "failed: google.scope_unticked " + USER),
    (("google=insufficientPermissions@calendar",), "partial: google.scope_unticked " + USER),
    (("wrong-account",), "failed: google.wrong_account " + USER),
    (("google=gmail-off",), "failed: google.gmail_off " + ADMIN),
    (("no-mailbox",), "failed: google.gmail_off " + ADMIN),
    (("google=notACalendarUser",), "partial: google.calendar_off " + ADMIN),
    (("no-calendar",), "partial: google.calendar_off " + ADMIN),
    ((ENDED, "google-token=expired", "google-age=2"), "failed: google.sign_in_again " + USER),
    ((ENDED, "google-token=expired", "google-age=30"), "failed: google.sign_in_again likely user"),
    ((ENDED, "google-token=expired", "google-age=7"), "failed: google.testing_grant_ended likely operator"),
    ((ENDED, "google-token=invalid_rapt"), "failed: google.reauth_policy " + ADMIN),
    ((ENDED, "google-token=rapt_required"), "failed: google.reauth_policy " + ADMIN),
    ((ENDED, "google-token=wrong-secret"), "failed: google.app_misregistered " + OPERATOR),
    ((ENDED, "google-token=deleted_client"), "failed: google.app_misregistered " + OPERATOR),
    (("google=accessNotConfigured@calendar",), "partial: google.app_misregistered " + OPERATOR),
    ((ENDED, "google-token=unauthorized_client"), "failed: google.delegation_denied " + ADMIN),
    ((ENDED, "google-token=not-authorized"), "failed: google.delegation_denied " + ADMIN),
    (("google=delegationDenied",), "failed: google.delegation_denied likely admin"),
    ((ENDED, "google-token=account-disabled"), "failed: auth.account_disabled proven user"),
    (("google=userRateLimitExceeded",), "failed: throttle.provider " + NOBODY),
    (("google=tooManyRequests",), "failed: throttle.provider " + NOBODY),
    (("google=backendError",), "failed: server.unavailable " + NOBODY),
    (("google=unavailable",), "failed: server.unavailable " + NOBODY),
    ((ENDED, "token-unavailable"), "failed: server.unavailable " + NOBODY),
    ((ENDED, "google-token=rate_limit_exceeded"), "failed: throttle.provider " + NOBODY),
    (("google-html",), "failed: server.unavailable " + NOBODY),
)


@row
def each_cause_that_a_token_can_lead_to(t):
    for faults, expected in CAUSES:
        t.judged(faults, expected)


@row
def an_order_for_one_mailbox_is_nobody_elses(t):
    t.judged((google_cloud.BERT + "/google=gmail-off",), "connected")
    t.judged((google_cloud.ANNA + "/google=gmail-off",), "failed: google.gmail_off " + ADMIN)


@row
def the_interface_that_is_off_is_not_the_end_of_the_causes(t):
    """There is no Gmail by IMAP in this sandbox: what stopped it first still stands."""
    with t.google("google=accessNotConfigured") as s:
        _, report = t.diagnose(s, "--timeout=5")
        same((report["verdict"], report["causes"][0]["id"]), ("failed", "google.app_misregistered"), report["causes"])
        t.seen |= {"google.app_misregistered"}


# -- Google's own pages, pasted ---------------------------------------------------------------------------------------------------------------

PAGES = (
    ("policy_enforced", "google.advanced_protection proven"), ("admin_policy_enforced", "google.app_blocked_by_admin likely"),
    ("access_not_configured", "google.app_blocked_by_admin proven"), ("org_internal", "google.app_not_for_this_account proven"),
    ("access_denied", "google.app_not_for_this_account proven"), ("rate_limit_exceeded", "throttle.provider likely"),
    ("redirect_uri_mismatch", "google.app_misregistered proven"), ("invalid_client", "google.app_misregistered proven"),
    ("deleted_client", "google.app_misregistered proven"), ("disabled_client", "google.app_misregistered proven"),
    ("restricted_client", "google.app_misregistered proven"), ("invalid_request", "google.app_misregistered likely"),
)


@row
def the_address_of_googles_page_names_its_cause(t):
    for code, expected in PAGES:
        with t.google("google-page=" + code) as s:
            page = s.sign_in()
            to = page.headers["location"]
            same(google_cloud.blob_of(to)[0], code, "the page")
            same(t.explained(to), expected, "its address: %s" % code)
            shown = s.get(google_cloud.ACCOUNTS, to.split(google_cloud.ACCOUNTS, 1)[1])
            text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", shown.text))
            same(t.explained(text), expected, "its text: %s" % code)


@row
def no_cause_of_googles_was_forgotten(t):
    """Those of the catalogue, but for the ones that only a browser tells."""
    listed = subprocess.run([t.binary, "causes"], capture_output=True, text=True, timeout=20).stdout
    wanted = set(re.findall(r"^\s*(google\.[a-z_]+)\b", listed, re.M))
    hold(len(wanted) >= 14, "the catalogue: %s" % wanted)
    same(sorted(wanted - t.seen - BROWSERS), [], "never ordered")


def main():
    args = arguments()
    with tempfile.TemporaryDirectory(prefix="google-causes-") as folder:
        return row.run(Place(os.path.abspath(args.build), folder), args.only)


if __name__ == "__main__":
    sys.exit(main())
