"""LMTP (RFC 2033): over TCP and a local socket; a reply for each recipient."""
import os, re, smtplib, stat, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

s = Suite(daemons=("smtpd",), start=False)
s.ports["lmtp"] = free_port()
SOCK = os.path.join(s.dir, "lmtp")
GROUP = ' group "mail"' if ROOT else ""
s.configure(extra='masquerade "host1.example.org" as "example.org"\n''listen lmtp on "127.0.0.1" port %d\nlisten lmtp on "%s"%s\n' % (s.ports["lmtp"], SOCK, GROUP))
s.start()
A, B = "alice@example.org", "bob@example.org"


def hello():
    c = s.smtp("lmtp")
    c.expect("220")
    caps = c.cmd("LHLO client.example", "250")
    return c, caps


@case
def greeting():
    c, caps = hello()
    for w in ("PIPELINING", "ENHANCEDSTATUSCODES", "8BITMIME", "CHUNKING", "DSN", "SIZE", "LIMITS"):
        check(w in caps, "%s: %r" % (w, caps))
    check("AUTH" not in caps and "STARTTLS" not in caps, caps)
    c.cmd("EHLO x", "502")
    c.cmd("HELO x", "502")
    c = s.smtp()
    c.expect("220")
    c.cmd("LHLO x", "500")


@case
def one_reply_a_recipient():
    c, _ = hello()
    c.write("MAIL FROM:<x@client.example>\r\nRCPT TO:<%s>\r\nRCPT TO:<nobody@example.org>\r\nRCPT TO:<%s>\r\nDATA\r\n"
            % (A, B))
    for code in ("250", "250", "550", "250", "354"):
        c.expect(code)
    c.write("Subject: by lmtp\r\n\r\nx\r\n.\r\nNOOP\r\n")
    c.expect("250 2.0.0 ")
    c.expect("250 2.0.0 ")
    c.expect("250 2.0.0 ok")
    t = slurp(s.wait_mail(A, "Subject: by lmtp")[0])
    s.wait_mail(B, "Subject: by lmtp")
    check(b" with LMTP " in t, t[:400])


@case
def refused_for_each():
    """What is wrong with the message is said as often; without recipients 503."""
    c, _ = hello()
    c.cmd("MAIL FROM:<x@client.example>", "250")
    c.cmd("DATA", "503")
    c.cmd("RCPT TO:<nobody@example.org>", "550")
    c.cmd("DATA", "503")
    c.cmd("RCPT TO:<%s>" % A, "250")
    c.cmd("RCPT TO:<%s>" % B, "250")
    c.cmd("DATA", "354")
    c.write(b"Subject: nul\r\n\r\na\0b\r\n.\r\n")
    c.expect("550 5.6.0")
    c.expect("550 5.6.0")
    c.cmd("NOOP", "250")


@case
def chunks():
    c, _ = hello()
    c.write("MAIL FROM:<x@client.example>\r\nRCPT TO:<%s>\r\nRCPT TO:<%s>\r\n" % (A, B))
    for i in range(3):
        c.expect("250")
    c.write("BDAT 24\r\nSubject: lmtp chunks\r\n\r\n")
    c.expect("250")
    c.write("BDAT 6 LAST\r\nbody\r\nNOOP\r\n")
    c.expect("250 2.0.0 ")
    c.expect("250 2.0.0 ")
    c.expect("250 2.0.0 ok")


@case
def passes_nothing_on():
    """Not even for those who may relay, and postmaster is here."""
    c, _ = hello()
    c.cmd("MAIL FROM:<x@client.example>", "250")
    c.cmd("RCPT TO:<x@elsewhere.example>", "550")
    c.cmd("RCPT TO:<postmaster@example.org>", "250")
    c.cmd("RSET", "250")
    c.cmd("AUTH PLAIN", "502")


@case
def local_socket():
    st = os.stat(SOCK)
    check(stat.S_ISSOCK(st.st_mode), "no socket")
    equal(stat.S_IMODE(st.st_mode), 0o660 if ROOT else 0o600)
    c = smtplib.LMTP(SOCK)
    c.sendmail("x@client.example", [A, B], "Subject: local lmtp\r\n\r\nx\r\n")
    c.quit()
    t = slurp(s.wait_mail(A, "Subject: local lmtp")[0])
    check(b"(local socket)" in t, t[:400])


@case
def nothing_is_rewritten():
    """It was written elsewhere and comes from another server, if of this machine."""
    for where in (SOCK, "127.0.0.1"):
        s.empty(A)
        c = smtplib.LMTP(where, s.ports["lmtp"])
        c.sendmail("ann@host1.example.org", [A], "From: ann@host1.example.org\r\nTo: bob\r\nSubject: as it is\r\n\r\nx\r\n")
        c.quit()
        t = slurp(s.wait_mail(A, "Subject: as it is")[0])
        for field in (b"Return-Path: <ann@host1.example.org>", b"From: ann@host1.example.org", b"To: bob"):
            check(field in t.splitlines(), "%r of %s: %s" % (field, where, t.decode()))


@case
def python_client_over_tcp():
    c = smtplib.LMTP("127.0.0.1", s.ports["lmtp"])
    bad = c.sendmail("x@client.example", [A, "nobody@example.org"], "Subject: python lmtp\r\n\r\nx\r\n")
    equal(list(bad), ["nobody@example.org"])
    c.quit()
    s.wait_mail(A, "Subject: python lmtp")


@case
def socket_goes_and_comes():
    """A reload keeps it, the end removes it, a left-over is replaced."""
    s.log_mark()
    s.reload()
    until("new processes", lambda: "reload" in s.log_since(), 5)
    until("it answers", lambda: _try(), 5)
    s.stop()
    check(not os.path.exists(SOCK), "it is still there")
    import socket
    x = socket.socket(socket.AF_UNIX)
    x.bind(SOCK)
    x.close()
    s.start()
    check(_try(), "no answer")
    s.stop()
    s.write("lmtp", "precious")
    try:
        s.start()
        check(False, "started over a file")
    except Fail as e:
        check("cannot listen" in str(e) or "started over" not in str(e), str(e))
    equal(slurp(SOCK), b"precious")


def _try():
    try:
        c = smtplib.LMTP(SOCK)
        c.ehlo("x")
        c.quit()
        return True
    except OSError:
        return False


finish()
