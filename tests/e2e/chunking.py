"""BDAT: chunks in every order, cut anywhere, refused, and never read as commands."""
import os, re, ssl, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

s = Suite(daemons=("smtpd",), extra="limit message 3m\n")
A = "alice@example.org"
START = "MAIL FROM:<x@client.example>%s\r\nRCPT TO:<" + A + ">\r\n"


def session(params="", port="smtp"):
    c = s.smtp(port)
    c.hello()
    c.write(START % params)
    c.expect("250")
    c.expect("250")
    return c


def chunk(c, data, last=False, code="250"):
    data = data.encode() if isinstance(data, str) else data
    c.write(b"BDAT %d%s\r\n" % (len(data), b" LAST" if last else b"") + data)
    return c.expect(code)


def arrived(subject):
    return slurp(s.wait_mail(A, "Subject: " + subject)[0]).replace(b"\r\n", b"\n")


@case
def one_chunk():
    c = session()
    chunk(c, "Subject: one chunk\r\n\r\n.\r\n..\r\nbody\r\n", True, "250 2.0.0")
    check(arrived("one chunk").endswith(b"\n\n.\n..\nbody\n"), "dots are data")
    c.cmd("NOOP", "250")


@case
def many_chunks():
    """Cut at every byte; CR and LF in different chunks."""
    text = "Subject: many chunks\r\nX: y\r\n\r\na\r\nb\r\n"
    c = session()
    for ch in text:
        chunk(c, ch)
    chunk(c, "", True, "250 2.0.0")
    check(arrived("many chunks").endswith(b"X: y\n\na\nb\n"), "text")


@case
def all_at_once():
    """MAIL, RCPT, chunks and QUIT in one segment (RFC 3030 4.2)."""
    c = s.smtp()
    c.hello()
    a, b = "Subject: in one go\r\n\r\n", "body\r\n"
    c.write(START % "" + "BDAT %d\r\n%sBDAT %d LAST\r\n%sNOOP\r\nQUIT\r\n" % (len(a), a, len(b), b))
    for code in ("250 2.1.0", "250 2.1.5", "250 2.0.0", "250 2.0.0", "250 2.0.0", "221"):
        c.expect(code)
    arrived("in one go")


@case
def split_segments():
    text = "Subject: split\r\n\r\nRSET\r\nQUIT\r\n"
    line = "BDAT %d LAST\r\n" % len(text)
    for cut in range(1, len(line + text), 3):
        c = session()
        t = line + text
        c.write(t[:cut])
        time.sleep(0.01)
        c.write(t[cut:])
        c.expect("250 2.0.0")
        c.cmd("NOOP", "250")
        c.close()


@case
def exact_size():
    """RFC 1870 6.1: a size that was promised holds, whatever we add to the message."""
    head, most = "Subject: exact\r\nFrom: ann\r\nTo: bob, carol\r\n\r\n", 3 << 20
    fits = (head + ("x" * 78 + "\r\n") * (most // 80))[:most - 2] + "\r\n"
    for text, code in ((fits, "250 2.0.0"), ("X: y\r\n" + fits, "552 5.3.4")):
        for half in (0, len(text) // 2):
            c = s.smtp("submission")
            c.hello()
            c.starttls()
            c.cmd("EHLO client.example", "250")
            c.auth()
            c.write(START % " SIZE=%d" % most)
            c.expect("250")
            c.expect("250")
            if half:
                chunk(c, text[:half])
                chunk(c, text[half:], True, code)
            else:
                c.cmd("DATA", "354")
                c.write(text + ".\r\n")
                c.expect(code)
            c.close()
    check(b"To: bob@example.org, carol@example.org" in arrived("exact"), "nothing was completed")


@case
def no_line_end_at_the_end():
    c = session()
    chunk(c, "Subject: no end\r\n\r\nlast line", True)
    check(arrived("no end").endswith(b"\nlast line\n"), "line end")


@case
def bare_line_ends_are_data():
    """What is stored has no bare CR, and nothing of it is a command or an end."""
    s.empty("bob@example.org")
    evil = "MAIL FROM:<e@client.example>\r\nRCPT TO:<bob@example.org>\r\nBDAT 3 LAST\r\nabc"
    for i, term in enumerate(("\n.\n", "\r\n.\n", "\r.\r", "\n.\r\n", "\r\n.\r\n", "\r\n.\r", "\n")):
        c = session()
        chunk(c, "Subject: bare %d.\r\n\r\nx%s%s" % (i, term, evil), True, "250 2.0.0")
        r = c.cmd("QUIT")
        check(r.startswith("221"), "%r: %r" % (term, r))
        t = slurp(s.wait_mail(A, "Subject: bare %d." % i)[0])
        check(t.count(b"\r") in (0, t.count(b"\r\n")), "a bare CR is left after %r" % term)
        check(b"RCPT TO:<bob" in t, "text is missing")
    time.sleep(0.2)
    equal(s.messages("bob@example.org"), [])


@case
def order():
    """What may not come, with the chunk's bytes never taken for commands."""
    c = s.smtp()
    c.hello()
    chunk(c, "QUIT\r\n", True, "503")
    c.cmd("MAIL FROM:<x@client.example>", "250")
    chunk(c, "QUIT\r\n", False, "503")
    c.cmd("RCPT TO:<nobody@example.org>", "550")
    chunk(c, "QUIT\r\n", True, "554")
    c.cmd("RCPT TO:<%s>" % A, "250")
    chunk(c, "Subject: order\r\n")
    c.cmd("RCPT TO:<bob@example.org>", "503")
    c.cmd("MAIL FROM:<y@client.example>", "503")
    c.cmd("DATA", "503")
    c.cmd("NOOP", "250")
    chunk(c, "\r\nbody\r\n", True, "250 2.0.0")
    chunk(c, "QUIT\r\n", True, "503")               # LAST twice
    arrived("order")


@case
def reset_between():
    c = session()
    chunk(c, "Subject: forgotten chunk\r\n")
    c.cmd("RSET", "250")
    chunk(c, "QUIT\r\n", True, "503")
    c.write(START % "")
    c.expect("250")
    c.expect("250")
    chunk(c, "Subject: after reset\r\n\r\n", True, "250 2.0.0")
    check(b"forgotten" not in arrived("after reset"), "chunks of before")
    c = session()
    chunk(c, "Subject: hello\r\n")
    c.cmd("EHLO again", "250")
    chunk(c, "x", True, "503")


@case
def after_data():
    c = session()
    c.cmd("DATA", "354")
    c.write("Subject: by data\r\n\r\nBDAT 3 LAST\r\nabc\r\n.\r\n")
    c.expect("250 2.0.0")
    chunk(c, "RSET\r\n", True, "503")
    check(b"BDAT 3 LAST" in arrived("by data"), "text")


@case
def empty_ones():
    c = session()
    chunk(c, "")
    chunk(c, "")
    chunk(c, "Subject: empty chunks\r\n\r\n")
    chunk(c, "")
    chunk(c, "", True, "250 2.0.0")
    arrived("empty chunks")
    c = session()
    chunk(c, "", True, "250 2.0.0")                 # a message of no octets


@case
def malformed():
    """Where the length cannot be told the session ends."""
    for arg in ("", "-1", "-1 LAST", "+1", "1x", "LAST", "99999999999999999999", "1 FIRST", "0x10", "1 LAST LAST"):
        c = session()
        c.write("BDAT %s\r\nRSET\r\n" % arg)
        c.expect("501")
        check(c.closed(), "BDAT %s: not closed" % arg)


@case
def too_big():
    """Refused; a chunk that nobody would wait for ends the session."""
    c = session()
    chunk(c, b"x" * (4 << 20), False, "552 5.3.4")
    chunk(c, b"QUIT\r\n", True, "503")
    c.cmd("NOOP", "250")
    c = session()
    for i in range(3):
        chunk(c, (b"y" * 998 + b"\r\n") * 1000)
    chunk(c, (b"y" * 998 + b"\r\n") * 1000, False, "552 5.3.4")
    c.cmd("NOOP", "250")
    c = session()
    c.write("BDAT 18446744073709551615 LAST\r\nQUIT\r\n")
    c.expect("552 5.3.4")
    check(c.closed(), "not closed")


@case
def large_ones():
    """Over the size from which queue gives a file, in one chunk and in many."""
    body = "0123456789abcdef" * 61 + "\r\n"
    for name, step in (("large in one", 1 << 30), ("large in many", 30000), ("large in some", 300000)):
        text = "Subject: %s\r\n\r\n" % name + body * 2500
        c = session()
        for i in range(0, len(text), step):
            chunk(c, text[i:i + step])
        chunk(c, "", True, "250 2.0.0")
        equal(arrived(name).count(b"0123456789abcdef"), 61 * 2500, name)


@case
def binary():
    """BINARYMIME needs BDAT, and nothing of it is changed."""
    c = session(" BODY=BINARYMIME")
    c.cmd("DATA", "503")
    head = "Subject: binary\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n" \
           "Content-Transfer-Encoding: binary\r\n\r\n"
    data = bytes(range(256)) * 4
    chunk(c, head)
    chunk(c, data[:100])
    chunk(c, data[100:], True, "250 2.0.0")
    t = slurp(s.wait_mail(A, "Subject: binary")[0])
    check(data in t, "it was changed: %r" % t[-1100:])
    c = session(" BODY=BINARYMIME")
    chunk(c, "Subject: only text\r\n\r\nbody\r\n", True, "250 2.0.0")
    arrived("only text")
    c = session(" BODY=8BITMIME")
    chunk(c, b"Subject: nul\r\n\r\na\0b\r\n", True, "550 5.6.0")


@case
def submission_fields():
    """Date and Message-ID are added to chunks as to DATA."""
    c = s.smtp("submission")
    c.hello()
    c.auth()
    c.write(START % "")
    c.expect("250")
    c.expect("250")
    chunk(c, "Subject: added\r\n\r")
    chunk(c, "\nbody\r\n", True, "250 2.0.0")
    t = arrived("added")
    head = t.split(b"\n\n")[0]
    check(b"\nDate: " in head and b"\nMessage-ID: <" in head, "%r" % head)


@case
def close_in_the_middle():
    """The end of TLS in a chunk is the end (Dead.Letter); others go on."""
    for clear in (False, True):
        c = s.smtp()
        c.hello()
        c.starttls()
        c.cmd("EHLO x", "250")
        c.write(START % "")
        c.expect("250")
        c.expect("250")
        c.write("BDAT 100000 LAST\r\nSubject: half a chunk\r\n")
        time.sleep(0.05)
        if clear:
            raw = c.s
            try:
                raw.unwrap().sendall(b"x" * 200 + b"\r\nQUIT\r\n")
            except (OSError, ssl.SSLError, ValueError):
                pass
        c.close()
    s.send(A, "after half a chunk")
    s.wait_mail(A, "Subject: after half a chunk")
    equal([p for p in s.messages(A) if b"Subject: half a chunk" in slurp(p)[:800]], [])


@case
def still_the_same_processes():
    text = s.log()
    check(not re.search(r"killed by signal|exited with status|killing ", text), text[-2000:])


finish()
