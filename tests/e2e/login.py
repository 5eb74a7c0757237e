"""Logins: guessing, throttling, caching, and what the log says of it."""
import base64, hashlib, os, re, sys, threading, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

PEOPLE_ = {"u%02d@example.org" % i: "{PLAIN}" + PASS for i in range(20)}
PEOPLE_["slow@example.org"] = "$2b$12$" + crypt.crypt(PASS, "$2b$12$" + "a" * 21 + "u")[7:]
PEOPLE_["sha@example.org"] = "sha512"
# As another server's file has them: base64 of the digest of password and salt, and the salt.
SALTED = ["ssha", "ssha256", "ssha512"]
for salted, digest in zip(SALTED, (hashlib.sha1, hashlib.sha256, hashlib.sha512)):
    PEOPLE_[salted + "@example.org"] = "{%s}" % salted.upper() + base64.b64encode(digest(PASS.encode() + b"salt").digest() + b"salt").decode()
s = Suite(people=dict(PEOPLE, **PEOPLE_))


def imap_try(user, password):
    c = s.imap()
    c.line()
    t = time.monotonic()
    r = c.do('LOGIN %s "%s"' % (user, password), None)[-1]
    c.close()
    return r, time.monotonic() - t


def pop_try(user, password):
    c = s.pop3()
    c.line()
    c.pop("USER " + user)
    r = c.pop("PASS " + password, None)
    c.close()
    return r


def smtp_try(user, password):
    c = s.smtp("submission")
    c.hello()
    r = c.cmd("AUTH PLAIN " + plain(user, password))
    c.close()
    return r


@case
def salted_digests():
    """What comes from another server is verified, and counted by check."""
    for salted in SALTED:
        user = salted + "@example.org"
        check(imap_try(user, PASS)[0].startswith("t OK"), user)
        check(imap_try(user, "wr0ng-secret")[0].startswith("t NO"), user)
        check(pop_try(user, PASS).startswith("+OK"), user)
    out = s.ctl("check")[1]
    check("the passwords of 3 of its users can be guessed quickly" in out, out)


@case
def failures_are_logged():
    """At once, with protocol, address and user; never the password."""
    for fn, daemon, proto in ((imap_try, "imapd", "imap"), (pop_try, "pop3d", "pop3"), (smtp_try, "smtpd", "smtp")):
        s.log_mark()
        fn("u00@example.org", "wr0ng-secret")
        l = s.log_wait(r".*(fail|denied).*u00@example\.org.*", 5).group(0)
        check("127.0.0.1" in l, "no address: " + l)
        check(re.search(r"proto(col)?=|%s" % proto, l), "no protocol: " + l)
        s.log_mark()
        fn("nobody-%s@example.org" % proto, "wr0ng-secret")
        s.log_wait(r"(fail|denied).*nobody-%s" % proto, 5)
    check("wr0ng-secret" not in s.log(), "a password in the log")
    check(PASS not in s.log(), "a password in the log")


@case
def login_is_logged():
    s.log_mark()
    imap_try("u01@example.org", PASS)
    l = s.log_wait(r".*login.*u01@example\.org.*").group(0)
    check("127.0.0.1" in l and "conn=" in l, l)


@case
def newlines_do_not_enter_the_log():
    s.log_mark()
    c = s.imap()
    c.line()
    c.write("a LOGIN {%d}\r\n" % 30)
    c.line()
    c.write("x\r\nNov 21 fake: login: user=bob".ljust(30)[:30] + ' "y"\r\n')
    c.tagged("a")
    c.close()
    smtp_try("a\nfake line\x1b[31m", "x")
    time.sleep(0.5)
    for l in s.log_since().splitlines():
        check(not l.startswith(("Nov 21 fake", "fake line")), "a line of a stranger: " + l)
        check("\x1b" not in l, "an escape in the log")


@case
def guessing_is_throttled():
    """One user: after the limit even the right password is refused; others go on."""
    answers = []
    for i in range(14):
        r = smtp_try("u02@example.org", "guess%d" % i)
        answers.append(r)
    check(all(not (r or "").startswith("235") for r in answers), answers)
    r, _ = imap_try("u03@example.org", PASS)
    check(r.startswith("t OK"), "another user is locked out: " + r)


@case
def limit_is_shared_by_listeners():
    """Guesses on submission count for smtps."""
    for i in range(12):
        smtp_try("u04@example.org", "guess%d" % i)
    c = s.smtp("smtps")
    c.hello()
    r = c.cmd("AUTH PLAIN " + plain("u04@example.org", PASS))
    check(r is None or not r.startswith("235"), "the right password still opens: %r" % r)


@case
def the_same_wrong_password():
    """A client that was not told of a change counts once."""
    for i in range(12):
        check(not smtp_try("u05@example.org", "old password").startswith("235"), "logged in")
    check(smtp_try("u05@example.org", PASS).startswith("235"), "locked out by its own phone")


@case
def unknown_users_cost_the_same():
    """The time of a refusal does not say whether there is such a user."""
    def median(user):
        ts = []
        for i in range(5):
            ts.append(imap_try(user % i, "x%d" % i)[1])
        return sorted(ts)[2]
    imap_try("u19@example.org", PASS)
    known, unknown = median("u1%d@example.org"), median("u9%d@example.org")
    check(abs(known - unknown) < 0.5, "known %.3f s, unknown %.3f s" % (known, unknown))


@case
def one_login_does_not_delay_another():
    """While dear hashes are computed, a cheap login and a NOOP answer."""
    c = s.imap()
    c.line()
    stop = time.monotonic() + 3
    ts = [threading.Thread(target=lambda k=k: smtp_try("slow@example.org", "guess%d" % k)) for k in range(6)]
    [t.start() for t in ts]
    worst = 0
    while time.monotonic() < stop:
        t = time.monotonic()
        c.do("NOOP")
        worst = max(worst, time.monotonic() - t)
        time.sleep(0.05)
    [t.join() for t in ts]
    check(worst < 0.5, "NOOP took %.2f s" % worst)


@case
def cached():
    """The tenth connection of a client does not cost another bcrypt."""
    check(imap_try("slow@example.org", PASS)[0].startswith("t OK"), "no login")
    t = time.monotonic()
    for i in range(10):
        r, d = imap_try("slow@example.org", PASS)
        check(r.startswith("t OK"), r)
    took = time.monotonic() - t
    check(took < 1.5, "ten logins took %.2f s" % took)
    r, _ = imap_try("slow@example.org", "wrong")
    check(not r.startswith("t OK"), "the cache lets anything in")


@case
def cache_forgets_a_changed_password():
    check(imap_try("u06@example.org", PASS)[0].startswith("t OK"), "no login")
    people = slurp(s.dir + "/people").decode()
    s.write("people", people.replace("u06@example.org:{PLAIN}" + PASS, "u06@example.org:{PLAIN}changed"), 0o640)
    until("the new password", lambda: imap_try("u06@example.org", "changed")[0].startswith("t OK"), 15, 1)
    check(not imap_try("u06@example.org", PASS)[0].startswith("t OK"), "the old password still opens")


@case
def hashes():
    for u in ("bob@example.org", "carol@example.org", "sha@example.org"):
        check(imap_try(u, PASS)[0].startswith("t OK"), u)
        check(not imap_try(u, PASS + "x")[0].startswith("t OK"), u + " with another")
        check(not imap_try(u, "")[0].startswith("t OK"), u + " with none")


@case
def no_login_in_the_clear():
    """Not on loopback: neither offered nor taken (tested with an address of this machine)."""
    st, out = run("hostname", "-I")
    addr = [a for a in out.split() if ":" not in a and not a.startswith("127.")]
    if not addr:
        skip("no address but loopback")
    p = {k: free_port() for k in ("submission", "imap", "pop3")}
    t = Suite(listen="".join('listen %s on "%s" port %d\n' % (k, addr[0], v) for k, v in p.items()))
    c = Line(addr[0], p["submission"])
    caps = c.hello()
    check("AUTH" not in caps, caps)
    c.cmd("AUTH PLAIN " + plain("alice@example.org", PASS), "538 5.7.11")
    c = Line(addr[0], p["imap"])
    check("LOGINDISABLED" in c.line(), "offered")
    c.do('LOGIN alice@example.org "%s"' % PASS, "NO")
    c.do("AUTHENTICATE PLAIN " + plain("alice@example.org", PASS), "NO")
    c = Line(addr[0], p["pop3"])
    c.line()
    c.pop("CAPA")
    check(not any(l.startswith(("USER", "SASL")) for l in c.multi()), "offered")
    c.pop("USER alice@example.org", "-ERR")
    t.close()


finish()
