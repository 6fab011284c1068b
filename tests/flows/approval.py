#!/usr/bin/env python3
"""A mailbox at Microsoft 365 that only an administrator can let in: the whole way, against `mailmoor sandbox --microsoft`, in Chromium and without.

    approval.py BUILD [--sandbox BINARY] [--shots FOLDER] [--only REGEX]
"""
import html
import json
import os
import re
import sys
import time
import urllib.parse

sys.dont_write_bytecode = True

import microsoft
import pages
import peers
from microsoft import ANNA, BERT, ENTRA, INFO, Browser
from peers import hold
from rows import Rows

row = Rows()
WORDS = {
    "pl": ("Aplikację musi najpierw zatwierdzić administrator.", "Czy coś przeszkodziło na stronie Microsoft?", "Zatwierdzono. Skrzynka"),
    "nl": ("Een beheerder moet de app eerst goedkeuren.", "Stond er bij Microsoft iets in de weg?", "Goedgekeurd. Het postvak"),
}


def types(t):
    return [e["type"] for e in t.daemon.events()]


def stopped_at_microsoft(b, link):
    """On Microsoft's own page, which leads nowhere."""
    return b.press(b.to_microsoft(link), account=ANNA, next="1").says("Need admin approval")


def handed_over(b, link):
    page = b.go(link + "/administrator")
    return html.unescape(re.search(r"http://[^<\s]*/admin/[^<\s]*", page.text)[0])


def consent_url(page):
    return html.unescape(re.search(r'class="button" href="(https://[^"]*adminconsent[^"]*)"', page.text)[1])


def decided(admin, page, answer="accept"):
    return admin.press(admin.go(consent_url(page)), answer=answer, account=BERT)


@row
def a_shared_mailbox_is_approved_with_the_rights_to_what_is_shared(t):
    t.open("admin-approval")
    b, admin = Browser(t), Browser(t)
    link = t.link()
    stuck = b.press(b.to_microsoft(link, INFO, username=ANNA), account=ANNA, next="1").says("Need admin approval")
    asked = b.go(link)
    b.press(asked, to=re.search(r'action="([^"]*/microsoft/said)"', asked.text)[1], said=html.unescape(re.sub(r"<[^>]*>", "\n", stuck.text)))
    hold([(a["address"], a["username"], a["state"]) for a in t.accounts()] == [(INFO, ANNA, "needs_admin")], "pasted: %s" % t.accounts())
    page = admin.go(handed_over(b, link)).says("Mail.ReadWrite.Shared")
    wished = urllib.parse.parse_qs(urllib.parse.urlsplit(consent_url(page)).query)["scope"][0].split()
    hold({"https://graph.microsoft.com/" + s for s in ("Mail.ReadWrite.Shared", "Mail.Send.Shared", "Calendars.ReadWrite.Shared")} <= set(wished), "asked: %s" % wished)
    decided(admin, page).says("Approved.")
    b.go(link + "/result").says("Your mailbox is connected.")
    silent = [u for u in b.seen if "prompt=none" in u]
    hold(len(silent) == 1 and "login_hint=anna" in silent[0] and "Mail.Send.Shared" in silent[0], "silently: %s" % silent)
    hold([(a["address"], a["username"], a["state"]) for a in t.accounts()] == [(INFO, ANNA, "connected")], "connected: %s" % t.accounts())


@row
def pasted_approved_and_connected(t):
    t.open("admin-approval")
    b, admin = Browser(t), Browser(t)
    link = t.link()
    stuck = stopped_at_microsoft(b, link)
    asked = b.go(link).says("Was something in the way at Microsoft?", "An administrator has to approve the app first.")
    said = re.sub(r"<[^>]*>", "\n", stuck.text)
    result = b.press(asked, to=re.search(r'action="([^"]*/microsoft/said)"', asked.text)[1], said=html.unescape(said))
    hold(result.url.endswith("/result"), "it ended at %r" % result)
    a = t.accounts()[0]
    hold((a["state"], a["cause"]["id"], a["cause"]["certainty"]) == ("needs_admin", "microsoft.admin_approval_required", "proven"), "pasted: %s" % a)
    page = admin.go(handed_over(b, link))
    # the tenant's own id was looked for, never "common"
    tenant, client = t.cloud.told["microsoft"]["tenant"], t.cloud.told["microsoft"]["client_id"]
    url = urllib.parse.urlsplit(consent_url(page))
    query = urllib.parse.parse_qs(url.query)
    hold(url.netloc == ENTRA and url.path == "/%s/v2.0/adminconsent" % tenant and query["client_id"] == [client] and query["redirect_uri"][0].endswith(microsoft.CALLBACK), "the URL: %s" % url.geturl())
    hold("https://graph.microsoft.com/Mail.ReadWrite" in query["scope"][0].split() and len(query["state"][0]) > 40, "asked: %s" % query)
    page.says("Connect-MgGraph -TenantId '%s'" % tenant, "Remove-MgOauth2PermissionGrant", "This way does not work for this app")
    decided(admin, page).says("Approved. The mailbox is connected by itself")
    hold(t.accounts()[0]["cause"]["id"] == "microsoft.admin_consent_recorded" and types(t)[-1] == "account.approved", "recorded: %s %s" % (t.accounts(), types(t)))
    # the person's page loads itself again, and that is all
    b.go(link + "/result").says("Your mailbox is connected.")
    hold([(a["address"], a["state"]) for a in t.accounts()] == [(ANNA, "connected")], "connected: %s" % t.accounts())
    silent = [u for u in b.seen if "prompt=none" in u]
    hold(len(silent) == 1 and "login_hint=anna" in silent[0], "silently: %s" % silent)
    admin.go(page.url).says("There is nothing to do any more.")
    t.no_secret_said(b)


@row
def refused_in_each_form_and_then_approved(t):
    for order, answer, says in ((None, "cancel", "Cancel was chosen"), ("admin-consent=documented", "cancel", "Cancel was chosen"),
                                ("admin-consent=other-directory", "accept", "belongs to another organisation")):
        t.open("admin-approval", *([order] if order else []))
        b, admin = Browser(t), Browser(t)
        link = t.link()
        page = stopped_at_microsoft(b, link)
        b.go(html.unescape(re.search(r'id="returnLink" href="([^"]*)"', page.text)[1])).says("An administrator has to approve the app first.")
        page = admin.go(handed_over(b, link))
        decided(admin, page, answer).says("It has not been approved.", says)
        hold(t.accounts()[0]["cause"]["id"] == "microsoft.admin_approval_required" and "account.approved" not in types(t), "refused: %s" % t.accounts())
        if not order:
            decided(admin, admin.go(page.url)).says("Approved.")
            # whoever closed the page comes with the link
            b.go(link).says("Your mailbox is connected.")


@row
def recorded_though_microsofts_page_shows_an_error(t):
    t.open("admin-approval", "admin-consent=unregistered")
    b, admin = Browser(t), Browser(t)
    link = t.link()
    page = stopped_at_microsoft(b, link)
    b.go(html.unescape(re.search(r'id="returnLink" href="([^"]*)"', page.text)[1]))
    page = admin.go(handed_over(b, link))
    decided(admin, page).says("AADSTS50011")
    # nothing came back: whether it counts the person's own browser finds out
    admin.press(admin.go(page.url))
    b.go(link + "/result").says("Your mailbox is connected.")


@row
def assignment_is_required_after_the_approval(t):
    t.open("admin-approval", "assignment#1")
    b, admin = Browser(t), Browser(t)
    link = t.link("nl")
    page = stopped_at_microsoft(b, link)
    b.go(html.unescape(re.search(r'id="returnLink" href="([^"]*)"', page.text)[1]))
    page = admin.go(handed_over(b, link))
    decided(admin, page)
    b.go(link + "/result")
    hold(t.accounts()[0]["cause"]["id"] == "microsoft.user_not_assigned", "then: %s" % t.accounts())
    page = admin.go(page.url).says("New-MgServicePrincipalAppRoleAssignedTo", ANNA)
    # they are assigned; nothing tells us but the administrator
    admin.press(page)
    b.go(link + "/result")
    hold([a["state"] for a in t.accounts()] == ["connected"], "connected: %s" % t.accounts())


@row
def nobody_is_signed_in_any_more(t):
    t.open("admin-approval")
    b, admin = Browser(t), Browser(t)
    link = t.link()
    page = stopped_at_microsoft(b, link)
    b.go(html.unescape(re.search(r'id="returnLink" href="([^"]*)"', page.text)[1]))
    decided(admin, admin.go(handed_over(b, link)))
    b.jars.pop(ENTRA)
    page = b.go(link + "/result").says("Sign in once more")
    hold(t.accounts()[0]["cause"]["id"] == "microsoft.admin_consent_recorded", "it stays: %s" % t.accounts())
    b.sign_in(b.press(page)).says("Your mailbox is connected.")


def in_chromium(t, name, lang, **order):
    places = ["MAP %s:%d %s:%d" % (*k, *v) for k, v in t.cloud.places.items()]
    status, out, err = pages.node("approval.mjs", t.link(lang), json.dumps({
        "lang": lang, "rules": ",".join(places), "address": ANNA, "shots": os.path.join(t.shots, name) if t.shots else None, **order}))
    hold(status == 0, "the journey ended: %s %s" % (out[-500:], err[-1500:]))
    seen = json.loads(out)
    hold(not seen["faults"] and seen["lang"] == lang, "the browser says: %s" % seen)
    return seen


@row
def chromium_finishes_by_itself_once_it_is_approved(t):
    for lang, more in (("pl", {}), ("nl", {"width": 390, "dark": True, "answers": ["cancel", "accept"]}), ("nl", {"script": False, "back": "link"})) if microsoft.has_browser() else ():
        t.open("admin-approval")
        began = time.monotonic()
        seen = in_chromium(t, "approval-%s-%s" % (lang, "plain" if "script" in more else more.get("width", "")), lang, **more)
        print("    # %s: %.1f s" % (lang, time.monotonic() - began))
        title, away, approved = WORDS[lang]
        hold(title in seen["said"] and title in seen["admin"] and approved in seen["approved"], "said: %s" % seen)
        hold(seen["asked"] is None or away in seen["asked"], "asked: %s" % seen)
        hold(t.cloud.told["microsoft"]["tenant"] in seen["admin"] and (seen["refused"] is None) == ("answers" not in more), "admin: %s" % seen)
        hold(seen["url"].endswith("/result") and ANNA in seen["text"], "seen: %s" % seen)
        hold([a["state"] for a in t.accounts()] == ["connected"], "connected: %s" % t.accounts())


if __name__ == "__main__":
    sys.exit(microsoft.main(row))
