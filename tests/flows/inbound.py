"""Mail to the BCC address of a running daemon: from Python's own SMTP client, from raw sockets, and through a real Postfix in front by LMTP.

The functions say under which ids the messages were kept, for the caller to look them up; they raise Failed where an answer is not the
one that was promised.
"""
import contextlib
import os
import re
import smtplib
import socket
import ssl
import subprocess

import peers
from peers import Failed, hold

SENDER = "ann@birch.example"
KEPT = re.compile(r"kept as (msg_[a-z0-9]{22})")
MESSAGE = "From: Ann <%s>\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <%s@birch.example>\r\n%s\r\nHello,\r\n.\r\n..\r\nbye\r\n"


def message(to, name, header=""):
    return (MESSAGE % (SENDER, to, name, name, header)).encode()


def kept(code, text):
    found = KEPT.search(text.decode() if isinstance(text, bytes) else text)
    hold(code == 250 and found, "kept: %s %s" % (code, text))
    return found.group(1)


def expect(answer, code, enhanced):
    hold(answer[0] == code and answer[1].startswith(enhanced.encode()), "not %d %s but %s" % (code, enhanced, answer))


@contextlib.contextmanager
def session(address, port, cafile=None, host=None):
    """Said EHLO, inside TLS where it is offered (and verified where an authority is given)."""
    with smtplib.SMTP(address, port, local_hostname="mx.birch.example", timeout=10) as s:
        s.ehlo()
        if s.has_extn("starttls"):
            context = ssl.create_default_context(cafile=cafile)
            context.check_hostname = bool(cafile)
            if not cafile:
                context.verify_mode = ssl.CERT_NONE
            s._host = host or address
            expect(s.starttls(context=context), 220, "2.0.0")
            s.ehlo()
            hold(not s.has_extn("starttls"), "STARTTLS is offered inside TLS")
        yield s


def send(s, to, data, sender=SENDER, options=()):
    expect(s.mail(sender, options), 250, "2.1.0")
    expect(s.rcpt(to), 250, "2.1.5")
    return kept(*s.data(data))


def raw(address, port, *said):
    """Everything that is answered to these bytes, until the server hangs up."""
    with socket.create_connection((address, port), timeout=10) as s:
        for words in said:
            s.sendall(words)
        s.shutdown(socket.SHUT_WR)
        heard = b""
        while True:
            more = s.recv(4096)
            if not more:
                return heard.decode()
            heard += more


def pipelined(to, text, end=b"\r\n.\r\nQUIT\r\n"):
    return b"EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<%s>\r\nDATA\r\n" % to.encode() + text + end


def over_smtp(address, port, domain, token, cafile=None, host=None):
    """{name: id} of what was kept."""
    to = "%s@%s" % (token, domain)
    ids = {}
    with session(address, port, cafile, host) as s:
        for word in ("pipelining", "8bitmime", "smtputf8", "enhancedstatuscodes", "size", "chunking"):
            hold(s.has_extn(word), "%s is not offered" % word)
        ids["plain"] = send(s, to, message(to, "plain"))
        hold(send(s, to, message(to, "plain")) == ids["plain"], "the same message has two ids")
        ids["tagged"] = send(s, to.replace("@", "+Case.7@"), message(to, "tagged", "X-Mailmoor-Test: tagged1\r\n"))
        ids["bounce"] = send(s, to, message(to, "bounce"), sender="")
        ids["utf8"] = send(s, to, message(to, "utf8") + "Grüße\r\n".encode(), "jürgen@birch.example", ["SMTPUTF8", "BODY=8BITMIME"])
        expect(s.mail(SENDER, ["SIZE=%d" % (int(s.esmtp_features["size"]) + 1)]), 552, "5.3.4")
        expect(s.mail(SENDER), 250, "2.1.0")
        expect(s.rcpt("nobody1@" + domain), 550, "5.1.1")
        expect(s.rcpt(token + "@birch.example"), 550, "5.7.1")
    smuggled = pipelined(to, b"Message-ID: <s@b>\r\n\r\na\n.\r\nMAIL FROM:<evil@b>\r\nRCPT TO:<%s>\r\nDATA\r\nevil" % to.encode())
    heard = raw(address, port, smuggled)
    hold(len(KEPT.findall(heard)) == 1, "smuggled: %s" % heard)
    ids["smuggled"] = KEPT.search(heard).group(1)
    heard = raw(address, port, pipelined(to, b"Message-ID: <gone@b>\r\n\r\nhalf", b""))
    hold(not KEPT.search(heard), "half a message was kept: %s" % heard)
    heard = raw(address, port, b"EHLO a\r\nSTARTTLS\r\nMAIL FROM:<evil@b>\r\n")
    hold("\n220 " not in heard and ("554 5.5.1" in heard or "502 5.5.1" in heard), "injected: %s" % heard)
    return ids


FRONT = """relay_domains = {domain}
relay_recipient_maps =
transport_maps = inline:{{ {{ {domain} = lmtp:inet:[{address}]:{port} }} }}
lmtp_tls_security_level = none
"""
OPEN = ["smtpd_sasl_auth_enable = no", "smtpd_recipient_restrictions = reject_unauth_destination",
        "smtpd_relay_restrictions = reject_unauth_destination"]


def over_postfix(here, address, port, domain, token):
    """`here` is a peers.Peers, the place that is given the daemon's LMTP. {name: id} of what was kept."""
    if not peers.ROOT or not os.path.exists(peers.POSTFIX):
        raise peers.Skip("Postfix runs as root only")
    to, folder = "%s@%s" % (token, domain), os.path.join(here.folder, "front")
    cert = here.ca.issue("good", "mx." + peers.DOMAIN)
    front = peers.Postfix(folder, here.address(), cert, "127.0.0.1:9", folder, (), {"front": OPEN},
                          FRONT.format(domain=domain, address=address, port=port))
    try:
        with smtplib.SMTP(front.address, front.ports["front"][0], timeout=10) as s:
            refused = s.sendmail(SENDER, [to, "nobody2@" + domain], message(to, "through-postfix"))
            hold(not refused, "Postfix refused %s" % refused)
        peers.until(lambda: front.log().count("dsn=") >= 2, 20, "Postfix's delivery")
        log = front.log()
        sent = re.search(r"to=<%s>.* status=sent \((250 2\.0\.0 kept as msg_[a-z0-9]{22})\)" % re.escape(to), log)
        bounced = re.search(r"to=<nobody2@%s>.*dsn=5\.1\.1.* status=bounced" % re.escape(domain), log)
        if not sent or not bounced:
            raise Failed("what Postfix says: " + "".join(x for x in log.splitlines(True) if "lmtp" in x)[-1500:])
        return {"postfix": kept(250, sent.group(1))}
    finally:
        with contextlib.suppress(Failed, subprocess.SubprocessError):
            front.close()
