"""A role that was taken over: each forged message is refused and contained.

A copy of pop3d runs; then the program is replaced by forge (see forge.c), the
role is killed, and the one that comes instead sends what it may not.
"""
import os, re, shutil, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import lib
from lib import *

FORGE = os.environ.get("FORGE")


class Copy(Suite):
    """A suite of one daemon alone, from programs that can be replaced."""

    def __init__(self, daemon="pop3d"):
        self.bin, self.daemon = None, daemon
        super().__init__(daemons=(daemon,), start=False)
        self.bin = os.path.join(self.dir, daemon)
        os.mkdir(self.bin)
        for f in (daemon, daemon + "-session", "contract.h"):
            shutil.copy(os.path.join(TOP, daemon, f), self.bin)
            if f != "contract.h":
                shutil.copy(os.path.join(TOP, daemon, f), os.path.join(self.bin, f + ".real"))
        lib.program = lambda n: os.path.join(self.bin, n)
        self.start()

    def forge(self, name, role, what):
        self.write(self.daemon + "/forge.conf", "%s %s\n" % (role, what))
        tmp = os.path.join(self.bin, "new")
        shutil.copy(FORGE, tmp)
        os.chmod(tmp, 0o755)
        os.rename(tmp, os.path.join(self.bin, name))

    def greet(self):
        try:
            c = self.pop3()
            l = c.line()
            c.close()
            return l and l.startswith("+OK")
        except OSError:
            return False


if not FORGE or not os.path.exists(FORGE):
    print("skip boundary/forged: forge was not built")
    sys.exit(0)


def net_case(what, killed, words=""):
    """A suite of its own, so that no case waits for another's back-off."""
    s = Copy()
    parent = s.pid("pop3d")
    others = [p for r in ("auth", "signer") for p in s.role("pop3d", r)]
    s.forge("pop3d", "net", what)
    s.log_mark()
    for p in s.role("pop3d", "net"):
        s.kill(p)
    if killed:
        s.log_wait(r"killing net\[\d+\].*%s" % words, 15)
    else:
        time.sleep(3)
        check("killing" not in s.log_since().replace("killing net", ""), s.log_since())
    equal(s.pid("pop3d"), parent, "the parent")
    check(alive(parent), "the parent has gone")
    s.write("pop3d/forge.conf", "none none\n")
    equal([p for p in others if not alive(p)], [], "other roles that died")
    if not killed:
        for p, t in s.children("pop3d").items():
            if p not in others:
                s.kill(p)
    until("service is back", s.greet, 30, 0.1)
    s.close()


for what_, words_ in (("parent-sender", "sender"), ("parent-receiver", "receiver"), ("parent-unknown", "type"),
                      ("parent-length", "length"), ("parent-huge", ""), ("parent-descriptor", "descriptor"),
                      ("parent-string", "string"), ("parent-range", "range"),
                      ("parent-counter", "counts"), ("parent-limit", "reports a limit"), ("auth-type", ""), ("auth-range", ""), ("signer-type", "")):
    @case(name="net " + what_)
    def one(what=what_, words=words_):
        net_case(what, True, words)


@case(name="net blames the parent")
def blame():
    net_case("blame", False)


def session_case(what):
    s = Copy()
    s.forge("pop3d-session", "session", what)
    s.log_mark()
    c = s.pop3()
    c.line()
    c.pop("USER alice@example.org")
    c.write("PASS %s\r\n" % PASS)
    s.log_wait(r"killing session\[\d+\]", 15)
    c.close()
    check(alive(s.pid("pop3d")), "the parent has gone")
    s.write("pop3d/forge.conf", "none none\n")
    d = s.pop3()
    d.line()
    d.pop("USER bob@example.org")
    d.pop("PASS " + PASS)
    d.pop("QUIT")
    s.close()


for what_ in ("parent-sender", "parent-receiver", "parent-unknown", "parent-length", "parent-descriptor"):
    @case(name="session " + what_)
    def two(what=what_):
        session_case(what)


def imap_login(s, user):
    c = s.imap()
    c.line()
    c.write('t LOGIN %s "%s"\r\n' % (user, PASS))
    return c


def imap_session_case(what, words):
    """A session lies about its connection; another user does not notice."""
    s = Copy("imapd")
    other = imap_login(s, "bob@example.org")
    check("OK" in other.tagged("t")[-1], "login")
    s.forge("imapd-session", "session", what)
    s.log_mark()
    c = imap_login(s, "alice@example.org")
    s.log_wait(r"killing session\[\d+\] of alice.*%s" % words, 15)
    check(c.closed(), "the connection stays")
    other.do("NOOP")
    s.close()


for what_, words_ in (("park-other", "not given"), ("park-socket", "not given"), ("park-file", "not given"),
                      ("ended-other", "not given"), ("ended-twice", "not given")):
    @case(name="imap session " + what_)
    def three(what=what_, words=words_):
        imap_session_case(what, words)


def fds(pid):
    return len(os.listdir("/proc/%d/fd" % pid))


@case(name="imap session fills watch")
def fills_watch():
    s = Copy("imapd")
    watch = s.role("imapd", "watch")[0]
    before = fds(watch)
    s.forge("imapd-session", "session", "watch-fill")
    c = imap_login(s, "alice@example.org")
    session = until("session", lambda: s.role("imapd", "forge") or [p for p in s.children("imapd") if "session" in os.readlink("/proc/%d/exe" % p)])
    time.sleep(2)
    check(fds(watch) <= before + 2, "%d directories more" % (fds(watch) - before))
    check(alive(s.pid("imapd")) and session, "the parent")
    c.close()
    s.close()


@case(name="imap watch refuses")
def watch_refuses():
    """A connection that cannot be watched for is not parked, and told all the same."""
    s = Copy("imapd")
    s.forge("imapd", "watch", "unwatched")
    old = s.role("imapd", "watch")
    for p in old:
        s.kill(p)
    until("forged", lambda: [p for p in s.children("imapd") if p not in old and slurp("/proc/%d/cmdline" % p).endswith(b"watch\0")], 20)
    c = imap_login(s, "alice@example.org")
    check("OK" in c.tagged("t")[-1], "login")
    c.do("SELECT INBOX")
    c.write("i IDLE\r\n")
    check(c.line().startswith("+"), "no IDLE")
    time.sleep(5)
    check([p for p, t in s.children("imapd").items() if "session alice" in t], "parked")
    m = s.maildir("alice@example.org")
    with open(m + "/tmp/x", "w") as f:
        f.write("Subject: x\n\nx\n")
    shutil.chown(m + "/tmp/x", s.owner, s.owner)
    os.rename(m + "/tmp/x", m + "/new/1.x")
    equal(c.line(), "* 1 EXISTS")
    c.close()
    s.close()


finish()
