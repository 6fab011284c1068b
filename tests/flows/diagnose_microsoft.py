#!/usr/bin/env python3
"""`mailmoor diagnose --provider microsoft` with a token, against the sandbox's cloud: for each cause its id, how sure, who must act, the values,
the proof; look-alikes side by side; no secret in anything that is printed or kept; and each case comes out the same when it is replayed.

    diagnose_microsoft.py BUILD [--only REGEX]
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import cloud
from cloud import ANNA, BERT, DOMAIN, hold, same
from rows import Rows, arguments

row = Rows()
CONNECTED = ()
ENDED = "token-expired#4"      # the tokens of the four accounts; those that a refresh brings live


class Place(cloud.Place):
    judged_as = frozenset()      # the first cause of each report so far

    settings = ""      # besides the usual ones, of the section microsoft

    def diagnose(self, s, address=ANNA, token=True, *options):
        """(exit status, report) of one, after a look for secrets in all that came out."""
        a = s.told["accounts"][0]
        config, record = os.path.join(self.folder, "mailmoor.conf"), os.path.join(self.folder, "record.json")
        with open(config, "w") as f:
            f.write("[microsoft]\nclient_id = %s\nclient_secret = %s\n%s" % (s.microsoft["client_id"], s.microsoft["client_secret"], self.settings))
        command = [self.binary, "diagnose", address, "--provider=microsoft", "--config=" + config, "--resolver=" + s.told["resolver"], "--ca-file=" + s.told["ca_file"],
                   "--timeout=20", *("--connect-to=" + c for c in s.told["connect_to"]), *(["--token-file=" + a["token_file"]] if token else []), *options]
        p = subprocess.run([*command, "--json", "--record=" + record], capture_output=True, text=True, timeout=60)
        hold(p.stdout.startswith("{"), "no report: %s %s" % (p.stdout[:300], p.stderr[:300]))
        with open(record, encoding="utf-8") as f:
            kept = f.read()
        again = subprocess.run([self.binary, "replay", "--json", record], capture_output=True, text=True, timeout=60)
        os.remove(record)
        hold(again.stdout.startswith("{"), "not replayed: %s" % again.stderr[:300])
        told, retold = json.loads(p.stdout), json.loads(again.stdout)
        self.judged_as |= {c["id"] for c in told["causes"][:1]}
        same((retold["verdict"], retold["causes"]), (told["verdict"], told["causes"]), "replayed")
        g = s.grant()
        for what in ("access_token", "refresh_token", "id_token"):
            for text in (p.stdout, p.stderr, kept):
                hold(what not in g or g[what] not in text, "the %s is in what came out" % what)
        hold(s.microsoft["client_secret"] not in p.stdout + p.stderr + kept, "the secret is in what came out")
        return p.returncode, json.loads(p.stdout)

    def device(self, s, answer="accept", who=ANNA, *options, address=ANNA):
        """(exit status, standard output, standard error, what was shown) of one that signs in on another screen; `answer` None: it is called off."""
        config, record = os.path.join(self.folder, "mailmoor.conf"), os.path.join(self.folder, "record.json")
        with open(config, "w") as f:
            f.write("[microsoft]\nclient_id = %s\nclient_secret = %s\n%s" % (s.microsoft["client_id"], s.microsoft["client_secret"], self.settings))
        command = [self.binary, "diagnose", address, "--device-code", "--config=" + config, "--resolver=" + s.told["resolver"], "--ca-file=" + s.told["ca_file"],
                   "--record=" + record, *("--connect-to=" + c for c in s.told["connect_to"]), *options]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as p:
            shown = ""
            for line in p.stderr if "--json" in options else p.stdout:
                shown += line
                code = re.search(r'^    ([A-Z0-9]+)$|"code":"([A-Z0-9]+)"', line)
                if code:
                    break
            hold(code, "no code is shown: %s" % shown)
            if answer:
                s.post(cloud.DEVICE, "/devicelogin", {"code": code[1] or code[2], "account": who, "answer": answer})
            else:
                p.send_signal(signal.SIGINT)
            out, err = p.communicate(timeout=60)
        with open(record, encoding="utf-8") as f:
            kept = f.read()
        os.remove(record)
        hold(s.microsoft["client_secret"] not in out + err + kept and not re.search(r"DAQABAAE\w|EwB\w{20}|1\.AX\w{20}", out + err + kept), "a secret is in what came out")
        return p.returncode, out, err, shown

    def judged(self, faults, cause, values=None, proof=None, options=(), token=True, left_open=None):
        """`cause`: () for connected, or "ID CERTAINTY WHO"; `left_open`: ids; `proof`: "STEP FACT VALUE", among those given."""
        with self.cloud(*faults, options=options) as s:
            status, report = self.diagnose(s, token=token)
            said = [" ".join((c["id"], c["certainty"], c["who"])) for c in report["causes"]]
            if not cause:
                same((status, report["verdict"], said), (0, "connected", []), faults)
                return s, report
            same((said or ["nothing"])[0], cause, "%s: %s" % (faults, said))
            first = report["causes"][0]
            hold(status != 0 or report["verdict"] == "connected", "the exit status: %d" % status)
            for name, value in (values or {}).items():
                same(first["values"].get(name), value, "%s: value %s" % (faults, name))
            proofs = [" ".join((p["step"], p["fact"], p["value"])) for p in first["proof"]]
            hold(proofs and (not proof or proof in proofs), "%s: proof %s" % (faults, proofs))
            if "proven" in cause:
                same([c["id"] for c in report["causes"][1:] if c["certainty"] != "proven"], [], "%s: proven, and others are open" % (faults,))
            if left_open is not None:
                same({c["id"] for c in report["causes"][1:]}, set(left_open.split()), "%s: left open" % (faults,))
            return s, report


# -- well -----------------------------------------------------------------------------------------------------------------------------------

@row
def a_healthy_mailbox_is_connected(t):
    s, report = t.judged((), CONNECTED)
    same([x["state"] for x in report["steps"] if x["id"].startswith("microsoft.")], ["passed"] * 8 + ["skipped"] * 2, "steps")
    same([line["method"] + " " + line["path"] for line in s.log()], ["GET /v1.0/me", "POST /v1.0/$batch"], "what was asked")


@row
def an_ended_token_is_renewed_once(t):
    s, _ = t.judged((ENDED,), CONNECTED)
    same([line["path"] for line in s.log()], ["/v1.0/me", "/common/oauth2/v2.0/token", "/v1.0/me", "/v1.0/$batch"], "what was asked")
    s, _ = t.judged((ENDED, "aadsts=50173"), "microsoft.sign_in_again proven user")
    same(sum(line["path"].endswith("/token") for line in s.log()), 1, "asked for a token")


@row
def a_link_to_another_host_is_not_followed(t):
    t.judged(("next-elsewhere=graph.contoso.example",), CONNECTED)


# -- the grant: number, cause, what else is open ------------------------------------------------------------------------------------------------

NUMBERS = (
    (50173, "microsoft.sign_in_again proven user", ""), (70008, "microsoft.sign_in_again proven user", ""), (700082, "microsoft.sign_in_again proven user", ""),
    (70043, "microsoft.sign_in_again proven user", ""), (50132, "microsoft.sign_in_again proven user", ""),
    (70000, "microsoft.sign_in_again likely user", "microsoft.app_misregistered"),
    (50072, "microsoft.mfa_required proven user", ""), (50074, "microsoft.mfa_required proven user", ""), (50078, "microsoft.mfa_required proven user", ""),
    (53000, "microsoft.conditional_access proven admin", ""), (53004, "microsoft.conditional_access proven admin", ""),
    (530032, "microsoft.conditional_access likely admin", "microsoft.app_not_allowed"),
    (65001, "microsoft.consent_missing proven user", ""), (65004, "microsoft.consent_declined proven user", ""),
    (90094, "microsoft.admin_approval_required proven admin", ""), (90095, "microsoft.admin_approval_pending proven admin", ""),
    (7000229, "microsoft.admin_approval_required likely admin", "microsoft.app_misregistered"),
    (7000222, "microsoft.app_secret_expired proven operator", ""), (7000215, "microsoft.app_secret_wrong proven operator", ""),
    (700016, "microsoft.app_misregistered proven operator", ""), (50194, "microsoft.app_misregistered proven operator", ""),
    (7000112, "microsoft.app_not_allowed proven admin", ""), (70001, "microsoft.app_not_allowed likely admin", "microsoft.app_misregistered"),
    (90002, "microsoft.tenant_not_found proven user", ""), (50020, "microsoft.account_not_in_tenant proven user", ""),
    (90072, "microsoft.account_not_in_tenant proven user", ""), (50034, "microsoft.account_not_in_tenant likely user", "microsoft.tenant_not_found"),
    (50053, "auth.account_locked likely", None), (50055, "auth.password_expired proven", None), (50057, "auth.account_disabled proven admin", ""),
    (50126, "auth.password_rejected proven user", ""), (90033, "server.unavailable proven nobody", ""), (50196, "throttle.provider likely", None),
)


@row
def the_number_decides_what_a_refused_grant_means(t):
    for some in (NUMBERS[:20], NUMBERS[20:]):
        with t.cloud(ENDED, *("aadsts=%d#1" % number for number, *_ in some)) as s:
            each_in_turn(t, s, some)


def each_in_turn(t, s, numbers):
    for number, cause, left_open in numbers:
        report = t.diagnose(s)[1]
        said = [" ".join((c["id"], c["certainty"], c["who"])) for c in report["causes"]]
        hold(said and said[0].startswith(cause), "%d: %s" % (number, said))
        if left_open is not None:
            same({c["id"] for c in report["causes"][1:]}, set(left_open.split()), "%d: left open" % number)
        same([report["causes"][0]["values"].get(name) for name in ("address", "code")], [ANNA, str(number)], "%d: values" % number)
        proofs = [(p["step"], p["fact"], p["value"]) for p in report["causes"][0]["proof"]]
        hold(("entra.token", "aadsts.number", str(number)) in proofs, "%d: proof %s" % (number, proofs))


@row
def one_word_of_entra_has_four_meanings(t):
    for number, cause in ((50105, "microsoft.user_not_assigned proven admin"), (50076, "microsoft.mfa_required proven user"),
                          (53003, "microsoft.conditional_access proven admin"), (50058, "microsoft.sign_in_again likely user")):
        t.judged((ENDED, "aadsts=%d" % number), cause, values={"address": ANNA}, proof="entra.token aadsts.number %d" % number)


@row
def the_token_endpoint_that_is_not_well_is_no_refusal(t):
    for fault, cause in (("token-throttled=60", "throttle.provider likely nobody"), ("token-unavailable=60", "server.unavailable proven nobody"),
                         ("token-page", "server.unavailable proven nobody")):
        t.judged((ENDED, fault), cause)
    for fault in ("token-throttled=1#1", "token-unavailable=1#1"):
        t.judged((ENDED, fault), CONNECTED)


# -- a code on another screen ------------------------------------------------------------------------------------------------------------------------

SOON = "device-interval=1"


@row
def a_code_that_is_entered_elsewhere_connects(t):
    with t.cloud(SOON, "slow-down#1") as s:
        status, out, err, shown = t.device(s)
        hold(status == 0 and "Connected." in out and not err, "connected: %d %s %s" % (status, out, err))
        hold("    https://microsoft.com/devicelogin\n" in shown and ANNA in shown and max(map(len, shown.splitlines())) <= 80, "shown: %s" % shown)
        paths = [line["path"].rpartition("/")[2] for line in s.log() if line["path"].startswith("/common")]
        same(paths, ["devicecode", "token", "token"], "slower where it is told so")
    with t.cloud(SOON) as s:
        status, out, _, shown = t.device(s, "accept", ANNA, "--json")
        same((status, json.loads(out)["verdict"]), (0, "connected"), "standard output is the report alone")
        same({k: v for k, v in json.loads(shown)["device_code"].items() if k != "code"}, {"address": ANNA, "page": "https://microsoft.com/devicelogin", "expires_in": 900}, "for a script")


@row
def a_code_that_comes_to_nothing_has_a_cause(t):
    for faults, answer, who, cause, step in (((), "cancel", ANNA, "microsoft.consent_declined proven user", "entra.token"),
                                             ((), "accept", BERT, "microsoft.wrong_account proven user", "microsoft.account"),
                                             (("device-aadsts=70020",), "accept", ANNA, "microsoft.sign_in_not_returned likely user", "entra.token"),
                                             (("device-aadsts=53003",), "accept", ANNA, "microsoft.conditional_access proven admin", "entra.token")):
        with t.cloud(SOON, *faults) as s:
            status, out, _, _ = t.device(s, answer, who, "--json")
            first = json.loads(out)["causes"][0]
            same((status, " ".join((first["id"], first["certainty"], first["who"]))), (1, cause), "%s %s" % (faults, answer))
            hold(first["proof"][0]["step"] == step, "proof: %s" % first["proof"])
            t.judged_as |= {first["id"]}
    with t.cloud("aadsts=700016") as s:
        p = t.diagnose(s, ANNA, False, "--device-code")
        same((p[0], p[1]["causes"][0]["id"]), (1, "microsoft.app_misregistered"), "no code at all")


@row
def a_code_that_is_called_off_blames_nobody(t):
    with t.cloud() as s:
        status, out, _, _ = t.device(s, None, ANNA, "--json")
        report = json.loads(out)
        same((status, report["verdict"], report["causes"]), (3, "unfinished", []), "called off")
        same([line["path"] for line in s.log() if line["path"].startswith("/v1.0")], [], "what was asked of Graph")


# -- for the whole organisation, by secret or certificate ------------------------------------------------------------------------------------------

TENANT = "--tenant-access"


@row
def an_app_of_the_organisation_opens_any_mailbox_of_it(t):
    for who in (ANNA, BERT):
        with t.cloud() as s:
            status, report = t.diagnose(s, who, False, TENANT, "--send-test")
            same((status, report["verdict"]), (0, "connected"), who)
            paths = [line["path"] for line in s.log()]
            same(paths[:3], ["/%s/oauth2/v2.0/token" % DOMAIN, "/v1.0/users/%s" % who, "/v1.0/$batch"], "what was asked")
            hold("/v1.0/users/%s/sendMail" % who in paths and not any(p.startswith("/v1.0/me") for p in paths), "paths: %s" % paths)
    with t.cloud("admin-approval") as s:
        status, report = t.diagnose(s, ANNA, False, TENANT)
        same((status, report["causes"][0]["id"]), (1, "microsoft.admin_approval_required"), "not approved")
    with t.cloud() as s:
        same(t.diagnose(s, "nobody@" + DOMAIN, False, TENANT)[1]["causes"][0]["id"], "microsoft.account_not_in_tenant", "nobody of that name")
    with t.cloud("graph=ErrorAccessDenied", "graph-text=[RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings") as s:
        first = t.diagnose(s, ANNA, False, TENANT)[1]["causes"][0]
        hold(first["id"] in ("microsoft.app_not_allowed",) and first["certainty"] == "proven", "a policy: %s" % first["id"])


@row
def a_certificate_stands_for_the_secret(t):
    (ours, key), (theirs, other) = cloud.key_pair(t.folder, "a"), cloud.key_pair(t.folder, "b")
    for certificate, secret, causes in ((ours, key, []), (theirs, other, ["microsoft.app_misregistered"])):
        t.settings = "client_certificate = %s\nclient_key = %s\n" % (certificate, secret)
        try:
            with t.cloud("client-certificate=" + ours, ENDED) as s:
                for token, options in ((False, (TENANT,)), (True, ())):
                    same([c["id"] for c in t.diagnose(s, ANNA, token, *options)[1]["causes"]][:1], causes, "%s %s" % (certificate, options))
                status = t.device(s)[0] if not causes else 0
                same(status, 0, "by device code")
        finally:
            t.settings = ""


@row
def the_doctor_asks_whether_we_are_known_there(t):
    (ours, key), (_, other) = cloud.key_pair(t.folder, "c", 400), cloud.key_pair(t.folder, "d", 10)

    def remarks(s, **settings):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("MAILMOOR_")}
        wish = {"net_resolver": s.told["resolver"], "net_ca_file": s.told["ca_file"], "net_connect_to": " ".join(s.told["connect_to"]), "net_allow": "127.0.0.0/8",
                "microsoft_client_id": s.microsoft["client_id"], "microsoft_client_secret": s.microsoft["client_secret"], **settings}
        p = subprocess.run([t.binary, "doctor", "--json"], capture_output=True, text=True, timeout=60,
                           env={**clean, **{"MAILMOOR_" + k.upper(): v for k, v in wish.items()}, "STATE_DIRECTORY": t.folder})
        hold(s.microsoft["client_secret"] not in p.stdout + p.stderr, "the secret is in what came out")
        return {r["id"].partition(".")[2]: r for r in json.loads(p.stdout)["remarks"] if r["id"].startswith("microsoft")}

    with t.cloud("client-certificate=" + ours) as s:
        for settings, certificate, client in (({}, "skipped", "skipped"), ({"microsoft_tenant": DOMAIN}, "skipped", "passed"),
                                              ({"microsoft_tenant": DOMAIN, "microsoft_client_secret": "x"}, "skipped", "failed"),
                                              ({"microsoft_tenant": "nowhere.example"}, "skipped", "warned"),
                                              ({"microsoft_tenant": DOMAIN, "microsoft_client_certificate": ours, "microsoft_client_key": key}, "passed", "passed"),
                                              ({"microsoft_client_certificate": ours, "microsoft_client_key": other}, "failed", "skipped"),
                                              ({"microsoft_client_certificate": ours}, "failed", "skipped")):
            got = remarks(s, **settings)
            same((got["certificate"]["state"], got["client"]["state"]), (certificate, client), "%s: %s" % (settings, got))
        soon = os.path.join(t.folder, "d.pem")
        got = remarks(s, microsoft_tenant=DOMAIN, microsoft_client_certificate=soon, microsoft_client_key=other)
        same((got["certificate"]["state"], got["client"]["state"]), ("warned", "failed"), "ends soon, and is registered nowhere: %s" % got)
        os.chmod(key, 0o644)
        hold("everybody can read" in remarks(s, microsoft_client_certificate=ours, microsoft_client_key=key)["certificate"]["text"], "a key for everybody")
    with t.cloud("aadsts=7000222") as s:
        hold("expired" in remarks(s, microsoft_tenant=DOMAIN)["client"]["text"], "it has expired")


# -- less than all of it ---------------------------------------------------------------------------------------------------------------------------

@row
def what_may_not_be_done_is_not_asked_for(t):
    asked = {"read": {"Mail.Read", "Calendars.Read", "User.Read"}, "calendar": {"Calendars.Read", "Calendars.ReadWrite", "User.Read"}}
    for rights, scopes in asked.items():
        with t.cloud(SOON) as s:
            status, out, _, _ = t.device(s, "accept", ANNA, "--json", "--rights=" + rights)
            report = json.loads(out)
            same((status, report["verdict"]), (0, "connected"), rights)
            granted = next(f["value"] for x in report["steps"] if x["id"] == "entra.scopes" for f in x["facts"] if f["fact"] == "oauth.scope")
            same(set(granted.split()) - {"openid", "profile", "email"}, scopes, rights)
            steps = {x["id"] for x in report["steps"]}
            same(("microsoft.inbox" in steps, "microsoft.calendar" in steps, "microsoft.send" in steps), (rights == "read", True, False), "looked at")
    with t.cloud("scopes=User.Read,Mail.Read") as s:
        report = t.diagnose(s, ANNA, True, "--rights=read")[1]
        same((report["causes"][0]["id"], report["causes"][0]["values"]["missing"]), ("microsoft.scope_missing", "Calendars.Read"), "missing")


# -- whose account ------------------------------------------------------------------------------------------------------------------------------

@row
def another_account_is_named_and_a_second_address_is_none(t):
    _, report = t.judged(("wrong-account",), "microsoft.wrong_account proven user", proof="microsoft.account account.is_asked no")
    hold(ANNA in report["causes"][0]["why"] and BERT in report["causes"][0]["why"], "both are named: %s" % report["causes"][0]["why"])
    with t.cloud() as s:
        same(t.diagnose(s, "anna.alias@" + DOMAIN)[1]["verdict"], "connected", "an alias is the same account")


@row
def a_sender_that_was_made_up(t):
    t.judged(("personal", "made-up-sender"), "microsoft.foreign_primary_alias proven user", values={"sender": "outlook_0123456789ABCDEF@outlook.com"})
    t.judged(("personal",), CONNECTED)
    t.judged(("made-up-sender",), CONNECTED)


# -- the mailbox: one code, many readings -------------------------------------------------------------------------------------------------------

NOT_ENABLED = "graph=MailboxNotEnabledForRESTAPI"


@row
def a_mailbox_that_is_not_enabled_is_somewhere_or_nowhere(t):
    _, report = t.judged((), "microsoft.mailbox_on_premises proven user", options=("--exchange", "2016"), proof="microsoft.account account.synced yes")
    same(report["causes"][0]["values"].get("right_url"), "https://mail.%s/EWS/Exchange.asmx" % DOMAIN, "where")
    t.judged((NOT_ENABLED, "plan=none", "mx=aspmx.l.google.com"), "microsoft.mailbox_not_found proven user", proof="microsoft.account account.exchange_plan none")
    t.judged((NOT_ENABLED, "plan=none"), "mailbox.no_licence likely admin", left_open="microsoft.mailbox_not_found microsoft.mailbox_on_premises")
    t.judged((NOT_ENABLED, "plan=none", "synced"), "microsoft.mailbox_on_premises likely user", left_open="mailbox.no_licence microsoft.mailbox_migrating microsoft.mailbox_not_found")
    t.judged((NOT_ENABLED, "plan=Enabled"), "microsoft.rest_not_enabled likely admin",
             left_open="microsoft.mailbox_not_found microsoft.mailbox_migrating microsoft.mailbox_on_premises")
    t.judged((NOT_ENABLED, "plan=Suspended"), "mailbox.no_licence likely admin", left_open="microsoft.mailbox_not_found")
    t.judged((NOT_ENABLED, "guest", "plan=none"), "microsoft.account_not_in_tenant likely user", left_open="microsoft.mailbox_not_found mailbox.no_licence")
    t.judged((NOT_ENABLED, "personal"), "microsoft.mailbox_not_found likely user", left_open="microsoft.rest_not_enabled")


@row
def a_shared_component_is_moved_or_elsewhere(t):
    shared = "graph=RESTAPINotEnabledForComponentSharedMailbox"
    t.judged((shared, "personal"), "microsoft.mailbox_migrating likely nobody", left_open="microsoft.rest_not_enabled microsoft.mailbox_not_found")
    t.judged((shared, "plan=Enabled"), "microsoft.rest_not_enabled likely admin", left_open="microsoft.mailbox_not_found microsoft.mailbox_migrating microsoft.mailbox_on_premises")
    t.judged(("graph=ErrorMailboxMoveInProgress",), "mailbox.moving proven nobody")
    t.judged(("graph=BadRequest", "graph-text=No. REST APIs for this mailbox are currently in preview."), "microsoft.mailbox_on_premises likely user",
             left_open="microsoft.mailbox_migrating")


@row
def an_empty_refusal_is_weighed_by_the_plan(t):
    t.judged(("graph=UnknownError", "plan=none"), "microsoft.mailbox_not_found likely user", left_open="mailbox.no_licence microsoft.mailbox_on_premises")
    t.judged(("graph=UnknownError",), "microsoft.mailbox_not_found possible user", left_open="mailbox.no_licence microsoft.sign_in_again")


@row
def a_mailbox_that_may_not_be_read(t):
    for faults, cause in ((("graph=ErrorInvalidLicense",), "mailbox.no_licence proven admin"), (("graph=ErrorAccountDisabled",), "auth.account_disabled proven admin"),
                          (("graph=ErrorOrganizationAccessBlocked",), "auth.login_disabled likely admin"),
                          (("graph=ErrorAccessDenied", "graph-text=Access to OData is disabled."), "microsoft.app_not_allowed likely admin"),
                          (("graph=ErrorAccessDenied", "graph-text=[RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings"), "microsoft.app_not_allowed proven admin"),
                          (("graph=ErrorAccessDenied",), "microsoft.app_not_allowed likely admin"), (("no-calendar",), "calendar.none likely user"),
                          (("graph=ErrorAccessDenied@me/calendar",), "calendar.not_permitted likely")):
        with t.cloud(*faults) as s:
            said = [" ".join((c["id"], c["certainty"], c["who"])) for c in t.diagnose(s)[1]["causes"]]
            hold(said and said[0].startswith(cause), "%s: %s" % (faults, said))


@row
def a_scope_that_is_missing_is_named(t):
    t.judged(("scopes=User.Read,Mail.ReadWrite,Calendars.ReadWrite",), "microsoft.scope_missing proven user", values={"missing": "Mail.Send"})
    t.judged(("scopes=User.Read,Mail.Send,Calendars.ReadWrite",), "microsoft.scope_missing proven user")
    t.judged(("no-refresh-token",), "microsoft.scope_missing proven user", proof="entra.scopes oauth.missing offline_access")


# -- shared mailboxes: info@ is anna's to open, and not bert's ------------------------------------------------------------------------------------

INFO, SHARED = "info@" + DOMAIN, "scopes=User.Read,Mail.ReadWrite,Mail.Send,Calendars.ReadWrite,Mail.ReadWrite.Shared,Mail.Send.Shared,Calendars.ReadWrite.Shared"
AS_ANNA, AS_BERT = "--username=" + ANNA, "--username=" + BERT


def said(report):
    return [" ".join((c["id"], c["certainty"], c["who"])) for c in report["causes"]]


@row
def a_shared_mailbox_is_opened_by_who_may(t):
    with t.cloud(SHARED) as s:
        status, report = t.diagnose(s, INFO, True, AS_ANNA, "--send-test")
        steps = {x["id"]: x["state"] for x in report["steps"]}
        same((status, report["verdict"], said(report)), (0, "connected", []), "connected")
        same([steps[x] for x in ("microsoft.inbox", "microsoft.calendar", "microsoft.send", "send.arrive", "send.copy", "send.remove")], ["passed"] * 6, "steps")
        asked = [line["path"] for line in s.log()]
        hold(asked[0] == "/v1.0/me" and "/v1.0/users/%s/sendMail" % INFO in asked and not any(p.startswith("/v1.0/me/") for p in asked), "what was asked: %s" % asked)
    with t.cloud() as s:
        status, report = t.diagnose(s, INFO, True, AS_ANNA)
        same(said(report)[0], "microsoft.scope_missing proven user", "not asked for others' mail")
        hold("Mail.ReadWrite.Shared" in report["causes"][0]["values"]["missing"], "which: %s" % report["causes"][0]["values"])


@row
def a_shared_mailbox_that_they_may_not_open(t):
    with t.cloud(SHARED) as s:
        status, report = t.diagnose(s, BERT, True, AS_ANNA)
        same((status, said(report)[0]), (1, "mailbox.not_permitted likely admin"), "no right on it")
        first = report["causes"][0]
        same((first["values"]["address"], first["values"]["username"], {c["id"] for c in report["causes"][1:]}), (BERT, ANNA, {"microsoft.app_not_allowed"}), "both are named")
        hold(ANNA in first["why"] and BERT in first["why"], "in the text: %s" % first["why"])
        status, report = t.diagnose(s, "nobody@" + DOMAIN, True, AS_ANNA)
        same(said(report)[0], "microsoft.mailbox_not_found likely user", "nobody has that address")
    with t.cloud(SHARED, "graph=ErrorItemNotFound@mailFolders") as s:
        same(said(t.diagnose(s, INFO, True, AS_ANNA)[1])[0], "mailbox.not_permitted likely admin", "in other words")
    with t.cloud(SHARED, "graph=ErrorSendAsDenied@sendMail") as s:
        first = t.diagnose(s, INFO, True, AS_ANNA, "--send-test")[1]["causes"][0]
        same((first["id"], first["certainty"], first["values"]["sender"], first["values"]["username"]), ("send.as_denied", "proven", INFO, ANNA), "not to send as it")


@row
def somebody_else_signed_in_for_a_shared_mailbox(t):
    with t.cloud(SHARED) as s:
        first = t.diagnose(s, INFO, True, AS_BERT)[1]["causes"][0]
        same((first["id"], first["certainty"], first["values"]["address"], first["values"]["other_account"]), ("microsoft.wrong_account", "proven", BERT, ANNA), "neither")
        hold(not any(line["path"].startswith("/v1.0/users") for line in s.log()), "the mailbox was asked for all the same")
        same(t.diagnose(s, INFO)[1]["causes"][0]["id"], "microsoft.wrong_account", "nobody was to sign in for it")
        same(said(t.diagnose(s, ANNA, True, AS_ANNA)[1]), [], "for oneself")
        for who, options in (("contoso\\anna", ()), (ANNA, (TENANT,))):
            p = subprocess.run([t.binary, "diagnose", INFO, "--provider=microsoft", "--username=" + who, *options], capture_output=True, text=True, timeout=20)
            hold(p.returncode == 2 and "--username" in p.stderr, "wrong usage: %s" % p.stderr)
    with t.cloud("device-interval=1") as s:
        status, out, _, shown = t.device(s, "accept", ANNA, AS_ANNA, "--json", address=INFO)
        granted = [f["value"] for x in json.loads(out)["steps"] if x["id"] == "entra.scopes" for f in x["facts"] if f["fact"] == "oauth.scope"]
        hold(status == 0 and ANNA in shown and granted and "Mail.Send.Shared" in granted[0], "by device code, asked for others' mail: %s %s %s" % (status, granted, shown))
        same((t.device(s, "accept", BERT, AS_ANNA, address=INFO)[0]), 1, "by device code, somebody else")
    with t.cloud(SHARED, ENDED, "aadsts=50057") as s:
        first = t.diagnose(s, INFO, True, AS_ANNA)[1]["causes"][0]
        same((first["id"], first["certainty"], first["values"]["username"]), ("auth.account_disabled", "proven", ANNA), "disabled")
        hold(any("shared mailbox" in x for x in first["fix"]), "what to do: %s" % first)


# -- sending -------------------------------------------------------------------------------------------------------------------------------------

@row
def a_test_message_arrives_or_is_refused(t):
    with t.cloud() as s:
        status, report = t.diagnose(s, ANNA, True, "--send-test")
        steps = {x["id"]: x["state"] for x in report["steps"]}
        same((status, [steps[x] for x in ("microsoft.send", "send.arrive", "send.copy", "send.remove")]), (0, ["passed"] * 4), "sent")
        same(len(s.graph("/me/mailFolders/inbox/messages").json["value"]), 3, "what is left")
    for fault, cause in (("graph=ErrorSendAsDenied@sendMail", "send.as_denied proven admin"), ("graph=ErrorExceededMessageLimit@sendMail", "send.quota_exceeded proven nobody"),
                         ("graph=ErrorAccessDenied@sendMail", "send.as_denied likely admin"), ("ndr", "send.as_denied proven admin")):
        with t.cloud(fault) as s:
            said = [" ".join((c["id"], c["certainty"], c["who"])) for c in t.diagnose(s, ANNA, True, "--send-test")[1]["causes"]]
            same((said or ["nothing"])[0], cause, "%s: %s" % (fault, said))


# -- Graph on a bad day --------------------------------------------------------------------------------------------------------------------------

@row
def what_passes_is_nobodys_fault(t):
    t.judged(("graph=ApplicationThrottled", "graph-retry-after=60"), "throttle.provider proven nobody")
    t.judged(("graph=ApplicationThrottled#4", "graph-retry-after=1"), CONNECTED)
    t.judged(("graph=ServiceUnavailable", "graph-retry-after=60"), "server.unavailable proven nobody")
    t.judged(("graph=MailboxInfoStale", "graph-retry-after=60"), "server.unavailable likely nobody", left_open="mailbox.moving")
    t.judged(("graph-page=504",), "server.unavailable proven nobody")


@row
def a_token_that_graph_does_not_take(t):
    t.judged(("no-refresh-token", "token-expired"), "microsoft.scope_missing proven user", values={"missing": "offline_access"}, left_open="",
             proof="microsoft.account oauth.missing offline_access")
    t.judged(("no-refresh-token", "audience"), "microsoft.app_misregistered likely operator", left_open="microsoft.sign_in_again")
    t.judged(("no-refresh-token", "claims-challenge"), "microsoft.conditional_access likely admin", left_open="microsoft.mfa_required microsoft.sign_in_again")


@row
def without_a_token_only_the_organisation_is_asked_for(t):
    s, report = t.judged(("no-tenant",), "microsoft.tenant_not_found likely user", token=False, left_open="microsoft.account_not_in_tenant")
    same([line["path"] for line in s.log()], ["/%s/v2.0/.well-known/openid-configuration" % DOMAIN], "what was asked")


@row
def the_line_comes_first(t):
    t.judged(("certificate-expired",), "tls.expired likely admin", left_open="operator.clock_wrong tls.handshake_failed")


@row
def no_cause_of_microsofts_is_left_out(t):
    """Each is the verdict of some row above, but for those that only a browser meets: tests/flows/approval.py."""
    rows_of = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "src", "model", "causes.def")
    with open(rows_of, encoding="utf-8") as f:
        known = set(re.findall(r'"(microsoft\.\w+)"', f.read()))
    hold(len(known) > 20, "read: %s" % known)
    if not t.only:
        same(known - t.judged_as, {"microsoft.admin_consent_recorded"}, "never the verdict")


def main():
    args = arguments()
    folder = tempfile.mkdtemp(prefix="diagnose-microsoft-")
    try:
        place = Place(os.path.abspath(args.build), folder)
        place.only = args.only
        return row.run(place, args.only)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
