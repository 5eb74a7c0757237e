"""IMAP connections without a process: they sleep, wake and have missed nothing."""
import os, re, resource, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

s = Suite(daemons=("smtpd", "imapd"))
A, B = "alice@example.org", "bob@example.org"


def login(user=A, port="imap", select="INBOX"):
    c = s.imap(port)
    c.line()
    c.do('LOGIN %s "%s"' % (user, PASS))
    if select:
        c.do("SELECT " + select)
    return c


def idle(c):
    c.write("i IDLE\r\n")
    check(c.line().startswith("+"), "no IDLE")
    return c


def done(c):
    c.write("DONE\r\n")
    return c.tagged("i")


def processes_of(user):
    return [p for p in s.role("imapd", "session") if user in title(p)]


def asleep(user=A, secs=12):
    until("no process of " + user, lambda: not processes_of(user), secs, 0.05)


def fill(n, user=A):
    s.empty(user)
    for i in range(n):
        s.send(user, "parked %d" % i)
    s.wait_mail(user, "Subject: parked", n)


@case
def sleeps_and_wakes():
    """A byte wakes it, and the command is answered as ever."""
    fill(2)
    for port in ("imap", "imaps"):
        c = idle(login(port=port))
        asleep()
        check(done(c)[-1].startswith("i OK"), "DONE")
        equal(len(processes_of(A)), 1, "processes")
        check("* SEARCH 1 2" in c.do("SEARCH ALL"), "the view")
        idle(c)
        asleep()
        c.write("DONE\r\nx NOOP\r\ny LOGOUT\r\n")
        check(c.tagged("i")[-1].startswith("i OK") and c.tagged("x")[-1].startswith("x OK"), "pipelined")
        check(c.tagged("y")[-1].startswith("y OK"), "LOGOUT")
        c.close()


@case
def told_of_new_mail():
    fill(3)
    c = idle(login())
    asleep()
    for i in range(3):
        start = time.monotonic()
        s.send(A, "news %d" % i)
        equal(c.line(), "* %d EXISTS" % (4 + i))
        check(time.monotonic() - start < 2, "took %.2f s" % (time.monotonic() - start))
        check(c.line().endswith("RECENT"), "RECENT")
        if i != 1:
            asleep()
    check(done(c)[-1].startswith("i OK"), "DONE")
    c.close()


@case
def told_of_all_else():
    """What others did while it slept, in the numbers that it knows."""
    fill(6)
    c = idle(login())
    asleep()
    d = login()
    d.do("STORE 2,4 +FLAGS (\\Deleted)")
    d.do("EXPUNGE")
    d.do("STORE 4 +FLAGS (\\Flagged kw)")
    d.do("LOGOUT")
    seen = []
    until("told", lambda: seen.append(c.line()) or any(re.match(r"\* 4 FETCH .*Flagged", l) for l in seen), 10)
    gone = [l for l in seen if l.endswith("EXPUNGE")]
    equal(gone, ["* 4 EXPUNGE", "* 2 EXPUNGE"])
    done(c)
    check("* SEARCH 1 2 3 4" in c.do("SEARCH ALL"), "the numbers")
    c.close()


@case
def literal_to_come():
    """A process that has a literal to skip does not sleep: the next would take its bytes for commands."""
    c = login(select=None)
    c.write("x FOO {15+}\r\n")
    other = login(B)
    asleep(B, 25)
    c.write("b CREATE evil\r\n\r\ny LIST \"\" *\r\n")
    equal(c.tagged("x"), ["x BAD Unknown command"])
    check("evil" not in str(c.tagged("y")), "it was a command")
    # Nor while it idles.
    idle(c)
    c.write("DONE {6+}\r\n")
    idle(other)
    asleep(B)
    c.write("DONE\r\n\r\ny NOOP\r\n")
    check(c.tagged("y")[0].startswith("i BAD"), "IDLE went on")
    c.close()
    other.close()


@case
def many_of_one_user():
    """All sleep together, and each wakes for itself."""
    fill(1)
    c = login()
    c.do("CREATE Other")
    a, b, d = idle(login()), idle(login(select="Other")), login(select=None)
    c.do("LOGOUT")
    c.close()
    asleep(secs=30)                     # one is not in IDLE
    m = s.maildir(A)
    with open(m + "/.Other/tmp/x", "w") as f:
        f.write("Subject: other\n\nx\n")
    shutil.chown(m + "/.Other/tmp/x", s.owner, s.owner)
    os.rename(m + "/.Other/tmp/x", m + "/.Other/new/1.x")
    equal(b.line(), "* 1 EXISTS")
    a.s.settimeout(0.5)
    try:
        check(not a.line(), "another mailbox's news")
    except OSError:
        pass
    a.s.settimeout(WAIT)
    check(done(a)[-1].startswith("i OK"), "a")
    d.do("SELECT INBOX")
    check("* SEARCH 1" in a.do("SEARCH ALL"), "a's mailbox")
    done(b)
    check(any("Subject: other" in l for l in b.do("FETCH 1 BODY[]")), "b's mailbox")
    for x in (a, b, d):
        x.close()


@case
def what_was_enabled():
    fill(3)
    c = login(select=None)
    c.do("ENABLE QRESYNC")
    c.do("SELECT INBOX")
    idle(c)
    asleep()
    d = login()
    d.do("STORE 2 +FLAGS (\\Deleted)")
    d.do("EXPUNGE")
    d.close()
    seen = []
    until("told", lambda: seen.append(c.line()) or seen[-1].startswith("* VANISHED"), 10)
    check(not any("EXPUNGE" in l for l in seen), seen)
    done(c)
    c.do("EXAMINE INBOX")
    idle(c)
    asleep()
    done(c)
    c.do("STORE 1 +FLAGS (\\Seen)", "NO")
    c.close()


@case
def nobody_gets_anothers():
    """Users wake in any order; each sees his own."""
    users = [A, B, "carol@example.org"]
    for u in users:
        s.empty(u)
        s.send(u, "only for " + u)
        s.wait_mail(u, "only for " + u)
    cs = [(u, idle(login(u))) for u in users for i in range(4)]
    for u in users:
        asleep(u)
    random.shuffle(cs)
    for u, c in cs:
        check(done(c)[-1].startswith("i OK"), "DONE")
        t = "\n".join(c.do("FETCH 1 BODY[HEADER]"))
        check("only for " + u in t, "%s sees %s" % (u, t))
        c.close()


@case
def goes_while_asleep():
    """A client that leaves wakes nobody; what it held is free."""
    fill(1)
    cs = [idle(login()) for i in range(5)]
    asleep()
    before = fds()
    for c in cs:
        c.close()
    until("descriptors are free", lambda: fds() <= before - 5, 5)
    equal(processes_of(A), [], "processes")


def fds():
    return len(os.listdir("/proc/%d/fd" % s.pid("imapd")))


@case
def mailbox_is_gone():
    """What cannot be resumed is told, not guessed."""
    fill(2)
    c = login()
    c.do("CREATE Gone")
    c.do("SELECT Gone")
    idle(c)
    asleep()
    shutil.rmtree(s.maildir(A) + "/.Gone")
    c.write("DONE\r\n")
    check(c.line().startswith("* BYE"), "no BYE")
    check(c.closed(), "open")
    login().close()


@case
def watch_dies():
    """Its work is done by the next one."""
    fill(1)
    c = idle(login())
    asleep()
    for p in s.role("imapd", "watch"):
        s.kill(p)
    until("another watch", lambda: s.role("imapd", "watch"), 20)
    time.sleep(6)
    s.send(A, "after the watch")
    equal(c.line(), "* 2 EXISTS")
    c.close()


@case
def compressed_stays():
    """What has state that cannot be put aside keeps its process."""
    c = login()
    c.do("SEARCH RETURN (SAVE) ALL")
    idle(c)
    time.sleep(5)
    equal(len(processes_of(A)), 1, "processes")
    done(c)
    c.do("FETCH $ (UID)")
    c.close()


@case(root=True)
def no_room():
    """Who cannot be parked stays with his session, is told of mail and not cut off."""
    fill(1)
    parent, old = s.pid("imapd"), resource.prlimit(s.pid("imapd"), resource.RLIMIT_NOFILE)
    resource.prlimit(parent, resource.RLIMIT_NOFILE, (100, old[1]))
    try:
        c = idle(login())
        time.sleep(5)
        equal(len(processes_of(A)), 1, "processes")
        s.send(A, "no room")
        equal(c.line(), "* 2 EXISTS")
        c.line()
        check(done(c)[-1].startswith("i OK"), "DONE")
        c.close()
    finally:
        resource.prlimit(parent, resource.RLIMIT_NOFILE, old)
        s.ctl("kick", A)                # the process would not try again soon
        until("it ends", lambda: not processes_of(A))


@case
def lower_limit():
    """A reload with a smaller limit cuts nobody off."""
    fill(1)
    cs = [idle(login()) for i in range(6)]
    asleep()
    s.log_mark()
    s.configure(extra="limit sessions 3")
    s.reload("imapd")
    s.log_wait("reloaded, generation")
    for c in cs:
        done(c)
        idle(c)
    asleep()
    s.send(A, "smaller")
    for c in cs:
        equal(c.line(), "* 2 EXISTS")
        c.line()
        check(done(c)[-1].startswith("i OK"), "DONE")
        c.close()
    s.ctl("kick", A)                    # it would wait for another login of its own generation
    until("it ends", lambda: not processes_of(A))
    s.log_mark()
    s.configure(extra="")
    s.reload("imapd")
    s.log_wait("reloaded, generation")


@case
def reload_while_asleep():
    fill(1)
    c = idle(login())
    asleep()
    s.log_mark()
    s.reload("imapd")
    s.log_wait("reloaded, generation")
    s.send(A, "after the reload")
    equal(c.line(), "* 2 EXISTS")
    done(c)
    c.close()


finish()
