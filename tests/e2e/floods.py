"""Floods: connections, a full disk, mail that goes round; service goes on."""
import contextlib, os, re, shutil, socket, subprocess, sys, tempfile, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

A = "alice@example.org"


def still_there(s):
    text = s.log()
    check(not re.search(r"killed by signal|exited with status|killing ", text),
          "\n".join(l for l in text.splitlines() if re.search(r"signal|exited|killing", l)))


@case
def connections_of_one_address():
    """The limit of an address is told, and is free again when they go."""
    s = Suite(extra="limit sessions 500 per address 10\n")
    for port, greeting in (("smtp", "220"), ("imap", "* OK"), ("pop3", "+OK")):
        held = []
        for i in range(10):
            c = Line("127.0.0.1", s.ports[port])
            check((c.line() or "").startswith(greeting), "%s: connection %d" % (port, i))
            held.append(c)
        c = Line("127.0.0.1", s.ports[port])
        l = c.line()
        check(l is None or not l.startswith(greeting), "%s: one too many was let in: %r" % (port, l))
        c.close()
        for c in held:
            c.close()

        def free():
            c = Line("127.0.0.1", s.ports[port])
            l = c.line()
            c.close()
            return l and l.startswith(greeting)
        until("%s: room again" % port, free, 5, 0.1)
    still_there(s)
    s.close()


@case
def all_places_taken():
    """Strangers take every place: who is logged in keeps his, a new user gets one."""
    s = Suite(extra="limit sessions 30 per address 5\n")
    c = s.imap()
    c.line()
    c.do('LOGIN %s "%s"' % (A, PASS))
    c.do("SELECT INBOX")
    held = []
    for i in range(60):
        with contextlib.suppress(OSError):
            held.append(socket.create_connection(("127.0.0.1", s.ports["imap"]), 5,
                                                 ("127.0.1.%d" % (i + 1), 0)))
    time.sleep(0.3)
    c.do("NOOP")
    d = s.imap()
    check((d.line() or "").startswith("* OK"), "no place for a new client")
    d.do('LOGIN bob@example.org "%s"' % PASS)
    c.do("NOOP")
    for h in held:
        h.close()
    still_there(s)
    s.close()


@case
def many_sessions():
    """A thousand SMTP sessions at once, and mail beside them."""
    import resource
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) +
                       resource.getrlimit(resource.RLIMIT_NOFILE)[1:])
    s = Suite(daemons=("smtpd",), extra="limit sessions 2000 per address 2000\n")
    held = []
    for i in range(1000):
        c = s.smtp()
        c.expect("220")
        held.append(c)
    rss = sum(int(status(p)["VmRSS"].split()[0]) for p in s.role("smtpd", "net"))
    s.send(A, "beside a thousand")
    s.wait_mail(A, "beside a thousand")
    for c in held:
        c.close()
    check(rss < 200000, "net needs %d kB" % rss)
    until("they are gone", lambda: len([f for p in s.role("smtpd", "net") for f in os.listdir("/proc/%d/fd" % p)]) < 100
          if ROOT else True, 10)
    still_there(s)
    s.close()


@case(root=True)
def disk_full():
    """No room: 452, nothing half written, nothing lost; then room again."""
    d = tempfile.mkdtemp(prefix="postern-full.")
    os.chmod(d, 0o755)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=120m,mode=755", "none", d],
                      stderr=subprocess.DEVNULL).returncode != 0:
        os.rmdir(d)
        skip("no tmpfs can be mounted here")
    try:
        # The mailboxes stay outside: it is the spool that gets full.
        s = Suite(daemons=("smtpd",), start=False)
        s.configure(slurp(s.conf).decode().replace('spool "%s/spool"' % s.dir, 'spool "%s/spool"' % d))
        s.start()
        s.send(A, "before it is full")
        s.wait_mail(A, "before it is full")
        with open(d + "/ballast", "wb", 0) as f, contextlib.suppress(OSError):
            while True:
                f.write(b"x" * 65536)
        codes = []
        for i in range(6):
            c = s.smtp()
            c.hello()
            c.cmd("MAIL FROM:<x@client.example>")
            c.cmd("RCPT TO:<%s>" % A)
            r = c.cmd("DATA")
            if r.startswith("354"):
                try:
                    c.write("Subject: while full %d\r\n\r\n" % i + "0123456789abcdef\r\n" * 60000 + ".\r\n")
                    r = c.reply() or "closed"
                except OSError:
                    r = "closed"
            codes.append(r)
            c.close()
        check(any(r.startswith("4") for r in codes), "nothing was refused: %s" % codes)
        check(all(r[0] in "24" for r in codes), "%s" % codes)
        taken = [i for i, r in enumerate(codes) if r.startswith("250")]
        os.unlink(d + "/ballast")
        until("room again", lambda: _try_send(s), 15, 0.5)
        s.wait_mail(A, "after it was full")
        for i in taken:
            s.wait_mail(A, "Subject: while full %d" % i, secs=15)
        for p in s.messages(A):
            t = slurp(p)
            check(b"while full" not in t[:2000] or t.rstrip().endswith(b"0123456789abcdef"), "half a message: " + p)
        equal(len([p for p in s.messages(A) if b"Subject: while full" in slurp(p)[:2000]]), len(taken), "messages")
        still_there(s)
        s.close()
    finally:
        s.crash()
        until("unmounted", lambda: subprocess.run(["umount", d], stderr=subprocess.DEVNULL).returncode == 0, 10, 0.2)
        os.rmdir(d)


def _try_send(s):
    try:
        return s.send(A, "after it was full", "x\r\n" * 200000)
    except (Fail, OSError):
        return None


@case(root=True)
def mailbox_full():
    """The mailbox's file system is full: the message waits, and arrives whole."""
    d = tempfile.mkdtemp(prefix="postern-full.")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=755", "none", d],
                      stderr=subprocess.DEVNULL).returncode != 0:
        os.rmdir(d)
        skip("no tmpfs can be mounted here")
    try:
        shutil.chown(d, "vmail", "vmail")
        s = Suite(daemons=("smtpd",), start=False, extra="queue retry 1s to 2s\n")
        s.configure(slurp(s.conf).decode().replace('maildir "%s/mail/' % s.dir, 'maildir "%s/' % d))
        s.maildir = lambda u: os.path.join(d, u.split("@")[1], u.split("@")[0], "Maildir")
        s.start()
        s.send(A, "small one")
        s.wait_mail(A, "small one")
        with open(d + "/ballast", "wb", 0) as f, contextlib.suppress(OSError):
            while True:
                f.write(b"x" * 4096)
        qid = s.send(A, "must wait", "0123456789abcdef\r\n" * 20000)
        time.sleep(2)
        check(qid in s.ctl("queue", "list")[1], "not in the queue:\n" + s.log_tail())
        check(not [p for p in s.messages(A) if b"must wait" in slurp(p)], "delivered in part")
        os.unlink(d + "/ballast")
        t = slurp(s.wait_mail(A, "Subject: must wait", secs=20)[0])
        equal(t.count(b"0123456789abcdef"), 20000)
        equal(os.listdir(s.maildir(A) + "/tmp"), [], "left in tmp")
        still_there(s)
        s.close()
    finally:
        s.crash()
        until("unmounted", lambda: subprocess.run(["umount", d], stderr=subprocess.DEVNULL).returncode == 0, 10, 0.2)
        os.rmdir(d)


@case
def round_and_round():
    """A sends to B, B sends to A: it ends, with one notice to the sender."""
    pa, pb = free_port(), free_port()
    a = Suite(daemons=("smtpd",), start=False, system=False)
    b = Suite(daemons=("smtpd",), start=False, system=False)
    for x, me, other, mine, port in ((a, "a.example", "b.example", pa, pb), (b, "b.example", "a.example", pb, pa)):
        x.configure('''hostname "mx.%s"
postmaster "alice@example.org"
spool "%s/spool"
state "%s/run"
log file "%s/log"
table people file "%s/people"
table fwd { loop = "loop@%s" }
listen smtp on "127.0.0.1" port %d
domain "%s" {
	users <people>
	aliases <fwd>
	deliver maildir "%s/mail/%%d/%%n/Maildir" as %s
}
domain "example.org" {
	users <people>
	deliver maildir "%s/mail/%%d/%%n/Maildir" as %s
}
network here { 127.0.0.0/8 }
permit here relay
relay to "%s" via "smtp+notls://127.0.0.1:%d"
''' % (me, x.dir, x.dir, x.dir, x.dir, other, mine, me, x.dir, x.owner, x.dir, x.owner, other, port))
        x.ports["smtp"] = mine
        x.start()
    a.send("loop@a.example", "round and round", sender=A)

    def notices():
        return [p for x in (a, b) for p in x.messages(A)]
    until("a notice", notices, 30)
    time.sleep(2)
    equal(len(notices()), 1, "notices")
    check(b"multipart/report" in slurp(notices()[0]), "what came is no bounce")
    for x in (a, b):
        until("an empty queue", lambda: x.ctl("queue", "list")[1].strip() == "", 10)
        still_there(x)
        x.close()


finish()
