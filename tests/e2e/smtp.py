"""SMTP as strangers speak it: dialogues, limits, and what must not work."""
import os, re, socket, ssl, sys, threading, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

s = Suite(extra="limit message 20m\nlimit recipients 50\n")


@case
def beginners_session():
    """A telnet session of a course book, byte for byte."""
    c = s.smtp()
    c.expect("220 mail.example.org")
    for line, code in (("helo lo", "250"), ("mail from: user@yahoo.com", "250"),
                       ("rcpt to: tester@lt01.am", "250"), ("data", "354")):
        c.cmd(line, code)
    c.write("From: user@yahoo.com\r\nTo: tester@lt01.am\r\n"
            "Date: Mon, 26 Feb 2010 13:12:53 -0800\r\nSubject: beginner\r\n\r\n"
            "Hello world\r\n.\r\n")
    r = c.expect("250")
    c.cmd("quit", "221")
    check(c.closed(), "not closed after quit")
    p = s.wait_mail("tester@lt01.am", "Subject: beginner")[0]
    t = slurp(p)
    check(b"Date: Mon, 26 Feb 2010 13:12:53 -0800" in t, "the Date field was touched")
    check(b"Return-Path: <user@yahoo.com>" in t, "no Return-Path:\n%s" % t.decode())
    check(b"Received: from lo " in t, "no Received:\n%s" % t.decode())
    check(queue_id(r).encode() in t, "the queue id is not in the trace")


@case
def ehlo():
    c = s.smtp()
    caps = c.hello().split("\n")
    words = [l[4:].split()[0] for l in caps[1:]]
    equal(sorted(words), sorted("PIPELINING SIZE 8BITMIME SMTPUTF8 CHUNKING BINARYMIME DSN LIMITS "
                                "ENHANCEDSTATUSCODES STARTTLS AUTH".split()), "on loopback, with a certificate")
    check("250-LIMITS MAILMAX=10000 RCPTMAX=50" in caps, "LIMITS: %r" % caps)
    c.starttls()
    words = [l[4:] for l in c.cmd("EHLO x", "250").split("\n")[1:]]
    check("STARTTLS" not in words, "STARTTLS offered again")
    check("AUTH PLAIN LOGIN" in words, "AUTH: %r" % words)


@case
def recipients():
    """What RCPT says, by address."""
    c = s.smtp()
    c.hello()
    c.cmd("MAIL FROM:<x@client.example>", "250")
    for rcpt, code in (
            ("<alice@example.org>", "250"), ("<ALICE@EXAMPLE.ORG>", "250"),
            ("alice@example.org", "250"), (" <alice@example.org>", "250"),
            ("<alice@example.net>", "250"), ("<alice+tag@example.org>", "250"),
            ("<sales@example.org>", "250"), ("<chain@example.org>", "250"),
            ("<anything@catch.example>", "250"), ("<postmaster>", "250"),
            ("<Postmaster@example.org>", "250"), ("<postmaster@box.example>", "250"),
            ("<nobody@example.org>", "550 5.1.1"), ("<nobody@example.net>", "550 5.1.1"),
            ("<postmaster@elsewhere.example>", "550 5.7.1"),
            ("<x@elsewhere.example>", "550 5.7.1"), ("<loop1@example.org>", "5"),
            ("<>", "501"), ("<@>", "501"), ("<a@b@c>", "501"), ("<alice@>", "501"),
            ("<alice@example.org", "501"), ("<alice@exa mple.org>", "5"),
            ("<\"quo ted\"@example.org>", "550"),
            ("<@relay.example:alice@example.org>", "250"),
            ("<alice@example.org> ORCPT=rfc822;x", "250"), ("<alice@example.org> FOO=1", "555"),
            ("<%s@example.org>" % ("a" * 65), "5"), ("<a@%s>" % ("b" * 256), "5")):
        r = c.cmd("RCPT TO:" + rcpt)
        check(r and r.startswith(code), "RCPT TO:%s: wanted %s, got %r" % (rcpt, code, r))
        if r.startswith("5"):           # the session has a limit of mistakes
            c.cmd("QUIT")
            c.close()
            c = s.smtp()
            c.hello()
            c.cmd("MAIL FROM:<x@client.example>", "250")


@case
def order_of_commands():
    for cmds in (["MAIL FROM:<a@b.example>", "503"],
                 ["HELO x", "250", "RCPT TO:<alice@example.org>", "503"],
                 ["HELO x", "250", "DATA", "503"],
                 ["HELO x", "250", "MAIL FROM:<a@b.example>", "250", "DATA", "503"],
                 ["HELO x", "250", "MAIL FROM:<a@b.example>", "250", "MAIL FROM:<a@b.example>", "503"],
                 ["HELO x", "250", "MAIL FROM:<a@b.example>", "250", "RCPT TO:<no@example.org>", "550",
                  "DATA", "5"],
                 ["HELO x", "250", "MAIL FROM:<a@b.example>", "250", "RSET", "250", "DATA", "503"],
                 ["HELO", "501"], ["EHLO", "501"], ["NOOP", "250"], ["VRFY alice", "252"],
                 ["EXPN alice", "502"], ["HELP", "214"], ["BDAT 0 LAST", "503"], ["XYZZY", "500"],
                 ["DATA x", "5"], ["QUIT", "221"]):
        c = s.smtp()
        c.expect("220")
        for cmd, code in zip(cmds[::2], cmds[1::2]):
            c.cmd(cmd, code)
        c.close()


@case
def pipelining():
    c = s.smtp()
    c.hello()
    c.write("MAIL FROM:<p@client.example>\r\nRCPT TO:<nobody@example.org>\r\n"
            "RCPT TO:<alice@example.org>\r\nRCPT TO:<x@elsewhere.example>\r\n"
            "RCPT TO:<bob@example.org>\r\nDATA\r\n")
    for code in ("250", "550", "250", "550", "250", "354"):
        c.expect(code)
    c.write("Subject: pipelined\r\n\r\nx\r\n.\r\nRSET\r\nNOOP\r\nQUIT\r\n")
    for code in ("250", "250", "250", "221"):
        c.expect(code)
    s.wait_mail("alice@example.org", "Subject: pipelined")
    s.wait_mail("bob@example.org", "Subject: pipelined")


@case
def two_messages_one_connection():
    c = s.smtp()
    c.hello()
    for i in range(3):
        c.cmd("MAIL FROM:<x@client.example>", "250")
        c.cmd("RCPT TO:<alice@example.org>", "250")
        c.cmd("DATA", "354")
        c.write("Subject: again %d\r\n\r\nx\r\n.\r\n" % i)
        c.expect("250")
    c.cmd("QUIT", "221")
    for i in range(3):
        s.wait_mail("alice@example.org", "Subject: again %d" % i)


@case
def size_limit():
    c = s.smtp()
    caps = c.hello()
    check("SIZE %d" % (20 << 20) in caps, caps)
    c.cmd("MAIL FROM:<x@client.example> SIZE=%d" % (21 << 20), "552 5.3.4")
    c.cmd("MAIL FROM:<x@client.example> SIZE=99999999999999999999", "5")
    c.cmd("MAIL FROM:<x@client.example> SIZE=-1", "501")
    c.cmd("MAIL FROM:<x@client.example> SIZE=", "501")
    c.cmd("MAIL FROM:<x@client.example> SIZE=100 BODY=8BITMIME", "250")


@case
def size_limit_in_data():
    """A client that did not say: the whole message is read, then refused."""
    c = s.smtp()
    c.hello()
    c.cmd("MAIL FROM:<x@client.example>", "250")
    c.cmd("RCPT TO:<alice@example.org>", "250")
    c.cmd("DATA", "354")
    line = b"x" * 998 + b"\r\n"
    try:
        for i in range(21 * 1049 // 100):
            c.write(line * 100)
        c.write(b".\r\n")
    except OSError:
        pass
    r = c.reply()
    check(r is None or r.startswith("552"), "got %r" % r)


@case
def parameters():
    for what, code in (("BODY=7BIT", "250"), ("BODY=8BITMIME", "250"), ("body=8bitmime", "250"),
                       ("BODY=", "5"), ("BODY=X", "5"), ("BODY", "5"), ("AUTH=<>", "250"),
                       ("AUTH=alice@example.org", "250"), ("AUTH=a+3Db@example.org", "250"),
                       ("AUTH=" + "a" * 600, "50"), ("FOO=1", "555"), ("FOO", "555"), ("=1", "5"),
                       ("SIZE=1 SIZE=2", "501"), ("SMTPUTF8", "250"), ("RET=HDRS", "250"),
                       ('X="y', "5")):
        c = s.smtp()
        c.hello()
        c.cmd("MAIL FROM:<x@client.example> " + what, code)
        c.close()


@case
def ten_thousand_parameters():
    c = s.smtp()
    c.hello()
    c.write("MAIL FROM:<x@client.example>" + " A=1" * 10000 + "\r\n")
    r = c.reply()
    check(r is None or r[0] == "5", "got %r" % r)
    s.send("alice@example.org", "after parameters")


@case
def long_lines():
    """Lines of every size before and after the login: bounded, then 500 and the end."""
    for n, login in ((512, False), (1000, False), (65536, False), (4 << 20, False), (65536, True),
                     (4 << 20, True)):
        c = s.smtp()
        c.hello()
        if login:
            c.auth()
        try:
            c.write(b"NOOP " + b"x" * n + b"\r\n")
        except OSError:
            pass                        # it has hung up meanwhile
        r = c.reply()
        check(r is None or r[:3] in ("250", "500"), "%d: got %r" % (n, r))
        if n > 10000:
            check(r is None or r.startswith("500"), "%d: got %r" % (n, r))
            check(c.closed(), "%d: not closed" % n)
        c.close()
    net = s.role("smtpd", "net")
    for p in net:
        check(int(status(p)["VmRSS"].split()[0]) < 100000, "net grew to %s" % status(p)["VmRSS"])


@case
def long_line_in_text():
    """RFC 5321 4.5.3.1.6 is a limit of senders: a long line is taken as it is."""
    s.send("alice@example.org", "longline", "y" * 100000 + "\r\nend\r\n")
    t = slurp(s.wait_mail("alice@example.org", "Subject: longline")[0])
    check(b"y" * 100000 in t.replace(b"\n", b"").replace(b"\r", b""), "the line was cut")


@case
def bare_lf_command():
    c = s.smtp()
    c.expect("220")
    c.write("EHLO x\n")
    r = c.rest(1)
    check("250" not in r, "a command that ends in LF was obeyed: %r" % r)


@case
def control_bytes():
    """Local parts with every byte: never a crash, never a shell, never a header."""
    c = None
    n = 0
    for b in range(1, 256):
        if bytes([b]) in b"\r\n":
            continue
        if n % 8 == 0:
            if c:
                c.close()
            c = s.smtp()
            c.hello()
        n += 1
        c.write(b"MAIL FROM:<a" + bytes([b]) + b"b@client.example>\r\n")
        r = c.reply()
        if r is None:                   # hung up: allowed
            n = 0
            continue
        c.cmd("RSET")
    for evil in ("<;id;>", "<${run{/bin/id}}@x.example>", "<`id`@x.example>", "<|/bin/sh@x.example>",
                 "<a\\@b@x.example>", '<"a\\"b"@x.example>'):
        c = s.smtp()
        c.hello()
        c.cmd("MAIL FROM:" + evil)
        c.cmd("RCPT TO:" + evil)
        c.close()
    s.send("alice@example.org", "after bytes")
    s.wait_mail("alice@example.org", "Subject: after bytes")


PSEUDO = [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r\n\0.\r\n", b"\n.\r", b"\r.\n",
          b"\r.\r\n", b"\r\r\n.\r\r\n", b"\n\n.\r\n", b"\r\n.\0\r\n", b"\r\n .\r\n", b"\r\n. \r\n"]
INNER = (b"MAIL FROM:<evil@client.example>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n"
         b"Subject: smuggled\r\n\r\n%s\r\n.\r\n")


def smuggle(term, how, tag):
    c = s.smtp()
    c.hello()
    c.cmd("MAIL FROM:<x@client.example>", "250")
    c.cmd("RCPT TO:<alice@example.org>", "250")
    c.cmd("DATA", "354")
    head = b"Subject: outer\r\nX-Tag: " + tag + b"\r\n\r\nbody"
    tail = INNER % tag
    try:
        if how == "whole":
            c.write(head + term + tail)
        elif how == "after":
            c.write(head + term)
            time.sleep(0.15)
            c.write(tail)
        elif how == "bytes":
            c.write(head)
            for b in term + tail[:12]:
                c.write(bytes([b]))
                time.sleep(0.002)
            c.write(tail[12:])
    except OSError:
        pass
    r = [l for l in c.rest(0.6).splitlines()]
    c.close()
    good = [l for l in r if l.startswith("250 2.0.0")]
    check(len(good) <= 1, "%r %s: %d messages taken: %r" % (term, how, len(good), r))
    check(len(good) == 1 or (r and r[0][0] in "45") or not r, "%r %s: %r" % (term, how, r))
    check(not any(l.startswith("354") for l in r), "%r %s: a second DATA: %r" % (term, how, r))
    return len(good)


@case
def smuggling():
    """Pseudo-terminators: one message or a refusal, however the bytes arrive."""
    s.empty("bob@example.org")
    want = 0
    for i, term in enumerate(PSEUDO):
        for how in ("whole", "after", "bytes"):
            want += smuggle(term, how, b"tag-%d-%s" % (i, how.encode()))
    until("%d outer messages" % want, lambda: sum(
        b"Subject: outer" in slurp(p) for p in s.messages("alice@example.org")) == want)
    time.sleep(0.3)
    equal(s.messages("bob@example.org"), [], "mail for the smuggled recipient")
    for p in s.messages("alice@example.org"):
        t = slurp(p)
        if b"Subject: outer" in t:
            check(t.count(b"\r") in (0, t.count(b"\r\n")), "a bare CR is left in %s" % p)


@case
def smuggling_every_split():
    """The real end and the worst pretender, split at each byte."""
    for term in (b"\r\n.\n", b"\n.\r\n"):
        text = b"Subject: outer2\r\n\r\nbody" + term + INNER % b"x"
        start = text.index(term) - 2
        for cut in range(start, start + len(term) + 6):
            c = s.smtp()
            c.hello()
            c.cmd("MAIL FROM:<x@client.example>", "250")
            c.cmd("RCPT TO:<alice@example.org>", "250")
            c.cmd("DATA", "354")
            c.write(text[:cut])
            time.sleep(0.02)
            c.write(text[cut:])
            r = c.rest(0.3)
            equal(r.count("250 2.0.0"), 1, "split at %d: %r" % (cut, r))
            c.close()
    equal([p for p in s.messages("bob@example.org") if b"smuggled" in slurp(p)[:200]], [])


@case
def dots():
    """Transparency: RFC 5321 4.5.2."""
    s.send("alice@example.org", "dots", "..one\r\n...two\r\n..\r\nend\r\n")
    t = slurp(s.wait_mail("alice@example.org", "Subject: dots")[0]).replace(b"\r\n", b"\n")
    check(b"\n.one\n..two\n.\nend\n" in t, "got %r" % t[-60:])


@case
def nul_is_refused():
    c = s.smtp()
    c.hello()
    c.cmd("MAIL FROM:<x@client.example>", "250")
    c.cmd("RCPT TO:<alice@example.org>", "250")
    c.cmd("DATA", "354")
    c.write(b"Subject: nul\r\n\r\na\0b\r\n.\r\n")
    c.expect("550")


@case
def starttls_injection():
    """Plain text behind STARTTLS is not obeyed inside TLS."""
    for later in (False, True):
        c = s.smtp()
        c.hello()
        if later:
            c.write("STARTTLS\r\n")
            time.sleep(0.2)
            c.expect("220")
            c.write("RSET\r\nNOOP\r\n")
            time.sleep(0.2)
        else:
            c.write("STARTTLS\r\nRSET\r\nNOOP\r\nMAIL FROM:<a@b.example>\r\n")
            c.expect("220")
            check(c.buf == b"", "an answer in the clear: %r" % c.buf)
        try:
            c.wrap()
        except (OSError, ssl.SSLError):
            continue                    # it has closed the connection: good
        try:
            c.write("EHLO inside\r\n")
            r = c.reply()
        except OSError:
            continue
        check(r is None or r.startswith("250-mail.example.org"), "an answer to injected text: %r" % r)


@case
def starttls_forgets():
    """What was said before TLS is forgotten (RFC 3207 4.2)."""
    c = s.smtp()
    c.hello()
    c.cmd("MAIL FROM:<a@b.example>", "250")
    c.cmd("RCPT TO:<alice@example.org>", "250")
    r = c.cmd("STARTTLS")
    if r.startswith("220"):
        c.wrap()
        c.cmd("DATA", "503")
        c.cmd("MAIL FROM:<a@b.example>", "503")
    c = s.smtp()
    c.hello()
    c.starttls()
    c.cmd("STARTTLS", "503")


@case
def auth_parsing():
    """Bad base64 of every length, cancels, half exchanges; others are not concerned."""
    other = s.smtp()
    other.hello()
    good = plain("alice@example.org", PASS)
    bad = [good[:n] for n in range(1, len(good), 3)] + ["=", "====", "!!!!", "AA==AA==", "A" * 600,
           b64("\0"), b64("\0\0"), b64("\0\0\0"), b64("x\0alice@example.org\0" + PASS),
           b64("\0" + "u" * 300 + "\0p"), b64("\0u\0" + "p" * 300), b64(b"\0\xff\xfe\0p")]
    for i, b in enumerate(bad):
        if i % 3 == 0:
            c = s.smtp("submission")
            c.hello()
        r = c.cmd("AUTH PLAIN " + b)
        check(r is None or r[:3] in ("500", "501", "535", "421"), "AUTH PLAIN %s: %r" % (b[:30], r))
        if r is None or r.startswith("421"):
            c = s.smtp("submission")
            c.hello()
    c = s.smtp("submission")
    c.hello()
    c.cmd("AUTH PLAIN", "334")
    c.cmd("*", "501")
    c.cmd("AUTH LOGIN", "334")
    c.cmd("*", "501")
    c.cmd("AUTH LOGIN", "334 VXNlcm5hbWU6")
    c.cmd(b64("alice@example.org"), "334 UGFzc3dvcmQ6")
    c.cmd(b64(PASS), "235")
    c.cmd("AUTH PLAIN " + good, "503")
    c = s.smtp("submission")
    c.hello()
    for mech, code in (("CRAM-MD5", "504"), ("", "501"), ("X" * 300, "50"), ("PLAIN x y", "501")):
        c.cmd("AUTH " + mech, code)
    c = s.smtp("submission")
    c.hello()
    c.cmd("AUTH LOGIN " + b64("alice@example.org"), "334")
    c.close()                           # in the middle
    other.cmd("NOOP", "250")
    c = s.smtp("submission")
    c.hello()
    c.auth()


@case
def require_auth():
    c = s.smtp("submission")
    c.hello()
    c.cmd("MAIL FROM:<a@b.example>", "530 5.7.0")
    c.starttls()
    c.cmd("EHLO x", "250")
    c.cmd("MAIL FROM:<a@b.example>", "530 5.7.0")
    c.auth(password="wrong", code="535 5.7.8")
    c.auth(user="nobody@example.org", code="535 5.7.8")
    c.auth()
    c.cmd("MAIL FROM:<alice@example.org>", "250")


@case
def whole_domains():
    """RFC 6409 4.2: what is submitted names domains of several labels, or ours."""
    c = s.smtp("submission")
    c.hello()
    c.starttls()
    c.cmd("EHLO x", "250")
    c.auth()
    c.cmd("MAIL FROM:<alice@box>", "554 5.1.8")
    c.cmd("MAIL FROM:<alice@example.org>", "250")
    c.cmd("RCPT TO:<bob@box>", "554 5.1.2")
    c.cmd("RCPT TO:<bob>", "250")
    c.cmd("RCPT TO:<bob@example.org>", "250")
    c.close()
    c = s.smtp()
    c.hello()
    c.cmd("MAIL FROM:<alice@box>", "250")


@case
def too_many_recipients():
    c = s.smtp()
    c.hello()
    c.cmd("MAIL FROM:<x@client.example>", "250")
    for i in range(50):
        c.cmd("RCPT TO:<alice@example.org>", "250")
    c.cmd("RCPT TO:<alice@example.org>", "452 4.5.3")
    c.cmd("DATA", "354")
    c.write("Subject: once\r\n\r\n.\r\n")
    c.expect("250")
    time.sleep(0.5)
    equal(len(s.wait_mail("alice@example.org", "Subject: once")), 1, "one recipient, named often")


@case
def too_many_in_one_go():
    """The limit holds for those too that come before the others are answered."""
    for n in (50, 70):
        c = s.smtp()
        c.hello()
        c.write("MAIL FROM:<x@client.example>\r\n" + "RCPT TO:<alice@example.org>\r\n" * n)
        c.expect("250")
        codes = [c.reply()[:9] for _ in range(n)]
        equal(codes, ["250 2.1.5"] * 50 + ["452 4.5.3"] * (n - 50))
        c.close()


@case
def http_is_refused():
    for verb in ("GET / HTTP/1.0", "POST / HTTP/1.1", "CONNECT x:25 HTTP/1.1"):
        c = s.smtp()
        c.expect("220")
        c.cmd(verb)
        check(c.closed(), "%s: not closed at once" % verb)
    c = s.smtp()
    c.expect("220")
    for i in range(10):
        if c.cmd("BLAH%d" % i) is None:
            break
    check(c.closed(), "unknown commands do not end")


@case
def slow_and_many():
    """Clients that drip or say nothing do not keep others out."""
    slow = []
    for i in range(30):
        c = s.smtp()
        c.write("EH")
        slow.append(c)
    t = time.monotonic()
    s.send("alice@example.org", "beside slow ones")
    check(time.monotonic() - t < 2, "a good client had to wait")
    s.wait_mail("alice@example.org", "Subject: beside slow ones")
    for c in slow:
        c.close()


@case
def disconnect_anywhere():
    """A client that goes at any point leaves nothing behind."""
    before = len(s.messages("alice@example.org"))
    steps = ["EHLO x\r\n", "MAIL FROM:<x@client.example>\r\n", "RCPT TO:<alice@example.org>\r\n", "DATA\r\n",
             "Subject: half\r\n\r\nhalf a message"]
    for n in range(len(steps) + 1):
        c = s.smtp()
        c.expect("220")
        for i, t in enumerate(steps[:n]):
            c.write(t)
            if i < 4:
                c.reply()
        c.close()
    time.sleep(0.5)
    equal(len(s.messages("alice@example.org")), before, "messages")


@case
def concurrent():
    """Ten clients at once; every message arrives once."""
    errors = []

    def work(k):
        try:
            for i in range(10):
                s.send("carol@example.org", "par-%d-%d." % (k, i))
        except Exception as e:
            errors.append(str(e))
    ts = [threading.Thread(target=work, args=(k,)) for k in range(10)]
    [t.start() for t in ts]
    [t.join() for t in ts]
    equal(errors, [])
    s.wait_mail("carol@example.org", "Subject: par-", 100, 20)
    time.sleep(0.3)
    equal(len(s.messages("carol@example.org")), 100)


@case
def still_the_same_processes():
    """Nothing of the above has killed anybody."""
    text = s.log()
    check(not re.search(r"killed by signal|exited with status|killing ", text),
          "\n".join(l for l in text.splitlines() if re.search(r"signal|exited|killing", l)))


finish()
