"""mailctl who and kick: who is logged in, and the end of it, parked or not."""
import json, os, re, signal, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

s = Suite(daemons=("imapd", "pop3d"), extra="limit sessions 1000 per address 1000")
A, B = "alice@example.org", "bob@example.org"
WORDS = "the administrator has ended this connection"


def imap(user=A, port="imap", idle=False):
    c = s.imap(port)
    c.line()
    c.do('LOGIN %s "%s"' % (user, PASS))
    c.do("SELECT INBOX")
    if idle:
        c.write("i IDLE\r\n")
        check(c.line().startswith("+"), "no IDLE")
    return c


def pop(user=A, port="pop3"):
    c = s.pop3(port)
    c.line()
    c.pop("USER " + user)
    c.pop("PASS " + PASS)
    return c


def who(*words):
    st, out = s.ctl("-j", "who", *words)
    equal(st, 0, out)
    return json.loads(out)


def kick(*words, want=0):
    st, out = s.ctl("-j", "kick", *words)
    equal(st, want, out)
    return json.loads(out)


def sessions(user=A, daemon="imapd"):
    return [p for p in s.role(daemon, "session") if user in title(p)]


def asleep(user=A):
    until("parked", lambda: not sessions(user) and who(user), 15, 0.1)


def nobody():
    until("nobody is there", lambda: not who(), 5, 0.1)


@case
def limits_know_of_them():
    cs = [imap(), imap(port="imaps")]

    def now():
        st, out = s.ctl("-j", "limits")
        equal(st, 0, out)
        table = [d for d in json.loads(out) if d["daemon"] == "imapd"][0]
        return [l["now"] for l in table["limits"] if l["name"] == "sessions"]

    until("told", lambda: now() == [2, 2, 2], 5, 0.2)
    for c in cs:
        c.close()
    until("told again", lambda: now()[0] == 0, 5, 0.2)


@case
def lists_all():
    start = time.time()
    cs = [imap(), imap(port="imaps", idle=True), imap(B), pop(port="pop3s")]
    got = who()
    equal([(w["user"], w["service"], w["tls"], w["connections"]) for w in got],
          [(A, "imap", False, 2), (A, "imap", True, 2), (B, "imap", False, 1), (A, "pop3", True, 1)])
    for w in got:
        equal(w["address"], "127.0.0.1")
        check(abs(w["since"] - start) < 10, w)
        check(0 <= w["idle"] <= 5, w)
        equal(w["state"], "session")
    check(len({w["id"] for w in got}) == 4, "ids: %s" % got)
    st, out = s.ctl("who")
    lines = out.splitlines()
    equal(len(lines), 5, out)
    equal(lines[0].split()[0], "user")
    equal(lines[1].split()[:4], [A, "imap", "127.0.0.1", "no"])
    for words, n in (([A], 3), (["user=a*"], 3), (["service=pop3"], 1), (["address=127.0.0.0/8"], 4), ([A, "service=imap"], 2),
                     (["address=::1"], 0), (["id=" + got[2]["id"]], 1), (["alice"], 0)):
        equal(len(who(*words)), n, " ".join(words))
    for words in (["address=10.0.0.1/8"], ["user="], [""]):
        st, out = s.ctl("who", *words)
        equal(st, 2, out)
    for c in cs:
        c.close()
    nobody()


@case
def idle_and_parked():
    """Parked connections are listed, and a client's silence is counted from its last byte."""
    c, d = imap(idle=True), imap(B)
    asleep()
    w = who(A)[0]
    equal(w["state"], "parked")
    time.sleep(1.1)
    check(who(A)[0]["idle"] > w["idle"], "idle stands still")
    d.do("NOOP")
    until("idle after a command", lambda: who(B)[0]["idle"] <= 1, 3, 0.3)
    c.write("DONE\r\n")
    c.tagged("i")
    v = who(A)[0]
    equal((v["state"], v["id"], v["since"]), ("session", w["id"], w["since"]))
    c.close()
    d.close()
    nobody()


@case
def net_does_not_answer():
    """Nobody waits for a process that hangs."""
    c = imap()
    net = s.role("imapd", "net")[0]
    time.sleep(3)                       # who has just come is known not to be idle
    t = time.monotonic()
    who(A)
    usual = time.monotonic() - t
    time.sleep(1.1)                     # or it is not asked again
    os.kill(net, signal.SIGSTOP)
    try:
        w = who(A)
        equal((len(w), w[0]["idle"]), (1, None))
        time.sleep(1.1)                 # once a second it would be asked again
        t = time.monotonic()
        equal([x["idle"] for x in who(A)], [None])
        check(time.monotonic() - t < 1.5 + 2 * usual, "waited for one that owes an answer")
    finally:
        os.kill(net, signal.SIGCONT)
    until("asked again", lambda: who(A)[0]["idle"] is not None, 5, 0.3)
    c.close()
    nobody()


@case
def kick_user():
    """All connections and the process; others stay; the next login works."""
    a, b, p, d = imap(), imap(idle=True), pop(), imap(B)
    old = sessions()
    got = kick(A)
    equal((got["imapd"], got["pop3d"]), ({"connections": 2, "processes": 1}, {"connections": 1, "processes": 1}))
    for c in (a, b):
        equal(c.line(), "* BYE " + WORDS)
        check(c.closed(), "open")
    equal(p.line(), "-ERR [SYS/TEMP] " + WORDS)
    check(p.closed(), "open")
    until("processes end", lambda: not any(alive(x) for x in old) and not sessions(A, "pop3d"), 5)
    d.do("NOOP")
    equal([w["user"] for w in who()], [B])
    imap().close()
    pop().close()
    d.close()
    nobody()
    kick(A)                             # the processes that wait for the next login
    kick(A, want=1)


@case
def kick_parked():
    a, b, d = imap(idle=True), imap(idle=True), imap(B, idle=True)
    asleep()
    asleep(B)
    kick(A)
    for c in (a, b):
        equal(c.line(), "* BYE " + WORDS)
        check(c.closed(), "open")
    equal(sessions(), [], "a process was started for it")
    d.write("DONE\r\n")
    check(d.tagged("i")[-1].startswith("i OK"), "another's")
    d.close()
    nobody()


@case
def kick_one():
    a, b = imap(), imap()
    x, y = who(A)
    old = sessions()
    equal(kick("id=" + x["id"])["imapd"], {"connections": 1, "processes": 0})
    equal(a.line(), "* BYE " + WORDS)
    check(a.closed(), "open")
    b.do("NOOP")
    equal(sessions(), old, "the process")
    equal([w["id"] for w in who()], [y["id"]])
    kick("id=" + x["id"], want=1)
    kick("address=127.0.0.1")
    equal(b.line(), "* BYE " + WORDS)
    a.close()
    b.close()
    nobody()


@case
def kick_busy():
    """Not into the middle of a reply; but a client that does not read goes as well."""
    c = imap()
    c.write("a APPEND INBOX {300000}\r\n")
    c.line()
    c.write(b"Subject: big\r\n\r\n" + b"x" * 78 + b"\r\n" + b"y" * (300000 - 96) + b"\r\n")
    check(c.tagged("a")[-1].startswith("a OK"), "APPEND")
    c.do("SELECT INBOX")
    c.write("f FETCH 1 BODY[]\r\n" * 100)
    start = time.monotonic()
    kick(A)
    rest = c.rest(3)
    check(rest.endswith("* BYE %s\r\n" % WORDS), rest[-300:])
    equal(len(re.findall(r"^\* 1 FETCH", rest, re.M)), len(re.findall("^f OK", rest, re.M)), "answers in part")
    check(c.closed(), "open")
    c = imap()
    c.write("f FETCH 1 BODY[]\r\n" * 100)
    kick(A)
    until("the stuck one goes", lambda: not who(), 15, 0.2)
    c.close()
    p = pop()
    p.write("LIST\r\n" * 10)
    kick(A)
    check(p.closed(), "open")
    nobody()


@case
def too_many_of_one():
    """The login is answered when a user has as many connections as he may."""
    cs = []
    for i in range(256):
        cs.append(imap(idle=i % 2 == 0))
    c = s.imap()
    c.line()
    check("[UNAVAILABLE]" in c.do('LOGIN %s "%s"' % (A, PASS), "NO")[-1], "the 257th")
    c.close()
    imap(B).close()
    kick(A)
    for c in cs:
        check(c.closed(), "open")
    imap().close()
    nobody()


@case
def reload_between():
    """Those of the old generation are seen and ended too."""
    c, d = imap(), imap(idle=True)
    s.log_mark()
    s.reload("imapd")
    s.log_wait("generation 2")
    e = imap()
    equal(len(who(A)), 3)
    got = who(A)
    check(all(w["idle"] is not None for w in got), "idle: %s" % got)
    kick(A)
    for x in (c, d, e):
        until("BYE", lambda: "* BYE" in (x.line() or "* BYE"), 5)
        check(x.closed(), "open")
    nobody()


finish()
