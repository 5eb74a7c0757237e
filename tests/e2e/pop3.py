"""POP3: RFC 1939 by hand, and its oddities."""
import os, re, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

s = Suite()
A = "alice@example.org"


def fill(n=3):
    s.empty(A)
    for i in range(n):
        s.send(A, "pop%d" % i, "line one\r\n..dotted\r\n" + "x\r\n" * i)
        s.wait_mail(A, "Subject: pop%d" % i)


def login(port="pop3", user=A, password=PASS):
    c = s.pop3(port)
    check(c.line().startswith("+OK"), "no greeting")
    c.pop("USER " + user)
    c.pop("PASS " + password)
    return c


@case
def session():
    fill(3)
    c = login()
    n, size = c.pop("STAT").split()[1:3]
    equal(n, "3")
    c.pop("LIST")
    l = c.multi()
    equal(len(l), 3)
    equal(sum(int(x.split()[1]) for x in l), int(size), "sum of sizes")
    c.pop("UIDL")
    u = c.multi()
    equal(len({x.split()[1] for x in u}), 3)
    for i in range(1, 4):
        c.pop("RETR %d" % i)
        t = c.multi()
        got = "\r\n".join(t) + "\r\n"
        equal(len(got.encode()), int(l[i - 1].split()[1]), "octets of message %d" % i)
        check("Subject: pop%d" % (i - 1) in t and ".dotted" in t, t)
    c.pop("TOP 1 1")
    t = c.multi()
    equal(t[-1], "line one")
    c.pop("TOP 1 0")
    equal(c.multi()[-1], "")
    c.pop("NOOP")
    c.pop("DELE 2")
    equal(c.pop("STAT").split()[1], "2")
    c.pop("RETR 2", "-ERR")
    c.pop("LIST 2", "-ERR")
    c.pop("RSET")
    equal(c.pop("STAT").split()[1], "3")
    c.pop("DELE 1")
    c.pop("QUIT")
    until("gone", lambda: len(s.messages(A)) == 2)
    c = login()
    c.pop("UIDL")
    equal([x.split()[1] for x in c.multi()], [x.split()[1] for x in u[1:]], "UIDs stay")


@case
def no_quit_no_deletion():
    fill(2)
    c = login()
    c.pop("DELE 1")
    c.close()
    time.sleep(0.3)
    equal(len(s.messages(A)), 2)


@case
def numbers():
    fill(1)
    c = login()
    for cmd in ("RETR", "DELE", "LIST", "UIDL", "TOP"):
        for n in ("0", "-1", "2", "4294967296", "4294967297", "18446744073709551617", "99999999999999999999",
                  "1x", "+1", "0x1", "1 2 3", ""):
            if (cmd in ("LIST", "UIDL") and n == ""):
                continue
            line = "%s %s%s" % (cmd, n, " 0" if cmd == "TOP" and n != "1 2 3" else "")
            r = c.pop(line.strip(), "-ERR")
            if r is None:
                c = login()
    equal(c.pop("STAT").split()[1], "1")


@case
def before_login():
    for cmd in ("STAT", "LIST", "RETR 1", "DELE 1", "UIDL", "TOP 1 0", "RSET"):
        c = s.pop3()
        c.line()
        c.pop(cmd, "-ERR")
    c = s.pop3()
    c.line()
    c.pop("PASS x", "-ERR")


@case
def capa():
    c = s.pop3()
    c.line()
    c.pop("CAPA")
    caps = c.multi()
    for w in ("USER", "UIDL", "TOP", "STLS", "RESP-CODES"):
        check(w in caps, "%s: %s" % (w, caps))
    check(any(l.startswith("SASL") and "PLAIN" in l.split() for l in caps), caps)
    c.pop("STLS")
    c.wrap()
    c.pop("CAPA")
    caps = c.multi()
    check("STLS" not in caps, caps)
    c.pop("STLS", "-ERR")
    c.pop("AUTH PLAIN " + plain(A, PASS))
    c.pop("CAPA")
    c.multi()
    c.pop("QUIT")


@case
def sasl():
    c = s.pop3()
    c.line()
    c.write("AUTH PLAIN\r\n")
    check(c.line().startswith("+ "), "no challenge")
    c.pop("*", "-ERR")
    c.pop("AUTH PLAIN !!!", "-ERR")
    c.pop("AUTH FOO", "-ERR")
    c.pop("AUTH PLAIN " + plain(A, PASS))


@case
def stls_injection():
    for later in (False, True):
        c = s.pop3()
        c.line()
        c.write("STLS\r\n" if later else "STLS\r\nCAPA\r\nNOOP\r\n")
        check(c.line().startswith("+OK"), "STLS")
        if later:
            c.write("CAPA\r\n")
            time.sleep(0.2)
        check(c.buf == b"", "answered in the clear: %r" % c.buf)
        try:
            c.wrap()
            c.write("QUIT\r\n")
            l = c.line()
        except OSError:
            continue
        check(l is None or l.startswith("+OK"), l)
        check(c.closed(2), "more came than the answer to QUIT")


@case
def stls_forgets():
    """A name given before TLS is no name inside it."""
    c = s.pop3()
    c.line()
    c.pop("USER " + A)
    c.pop("STLS")
    c.wrap()
    c.pop("PASS " + PASS, "-ERR")


@case
def other_protocols():
    """HTTP is turned away at once, other strangers after three commands."""
    for verb in ("GET / HTTP/1.0", "POST / HTTP/1.1"):
        c = s.pop3()
        c.line()
        c.write(verb + "\r\n")
        check(c.closed(3), "%s: not closed" % verb)
    c = s.pop3()
    c.line()
    c.write("BLAH\r\n" * 5)
    check(c.closed(3), "unknown commands do not end")


@case
def wrong_password():
    for user, password in ((A, "wrong"), ("nobody@example.org", PASS), (A, ""), ("", PASS)):
        c = s.pop3()
        c.line()
        if c.pop("USER " + user, None).startswith("+OK"):
            c.pop("PASS " + password, "-ERR")
        c.close()
    login().close()


@case
def long_and_odd_lines():
    for data in (b"USER " + b"x" * 600 + b"\r\n", b"USER " + b"x" * 100000 + b"\r\n", b"\0\0\0\r\n", b"\r\n" * 50,
                 b"USER a\0b\r\n", b"GET / HTTP/1.0\r\n\r\n"):
        c = s.pop3()
        c.line()
        try:
            c.write(data)
        except OSError:
            pass
        check("+OK" not in c.rest(0.4), "%r was obeyed" % data[:20])
        c.close()
    login().close()


@case
def maildrop_lock():
    """A second session of the same maildrop is told so, or sees it as it is; nothing breaks."""
    fill(1)
    c = login()
    d = s.pop3()
    d.line()
    d.pop("USER " + A)
    r = d.pop("PASS " + PASS, None)
    check(r.startswith(("-ERR [IN-USE]", "+OK")), r)
    c.pop("DELE 1")
    c.pop("QUIT")
    d.close()


@case
def big_message():
    s.empty(A)
    s.send(A, "bigpop", "0123456789abcdef\r\n" * 60000)
    s.wait_mail(A, "Subject: bigpop")
    c = login("pop3s")
    c.pop("RETR 1")
    equal(sum(l == "0123456789abcdef" for l in c.multi()), 60000)


@case
def process_of_the_user():
    """After the login the connection's work is done by a process of the mailbox's owner."""
    c = login()
    p = s.role("pop3d", "session")
    equal(len(p), 1, "sessions")
    import pwd
    equal(status(p[0])["Uid"].split()[0], str(pwd.getpwnam(s.owner).pw_uid), "uid")
    check(A in title(p[0]), title(p[0]))
    c.pop("QUIT")


@case
def still_the_same_processes():
    text = s.log()
    check(not re.search(r"killed by signal|exited with status|killing ", text),
          "\n".join(l for l in text.splitlines() if re.search(r"signal|exited|killing", l)))


finish()
