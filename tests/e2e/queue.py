"""The queue: hold, pause, check, trace, fairness, damage, a disk that is full or read-only."""
import glob, json, os, re, signal, struct, subprocess, sys, threading, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *
from peer import Peer

A, B = "alice@example.org", "bob@example.org"


class Slow(Peer):
    """Takes its time with every message; with permits, one each for the parts of the one for many."""
    permits, mine = None, threading.local()

    def say(self, c, word, line=b""):
        if word == "RCPT":
            self.mine.one = line.startswith(b"RCPT TO:<one@")
        if word == "DOT" and self.permits is None:
            time.sleep(0.25)
        elif word == "DOT" and not self.mine.one:
            self.permits.acquire()
        super().say(c, word, line)


slow, good, breaks = Slow(), Peer(), Peer()
dead = free_port()
ROUTES = """
relay to "slow.example" via "smtp+notls://127.0.0.1:%d"
relay to "good.example" via "smtp+notls://127.0.0.1:%d"
relay to "breaks.example" via "smtp+notls://127.0.0.1:%d"
relay any via "smtp+notls://127.0.0.1:%d"
queue retry 1m to 1h lifetime 1h
""" % (slow.port, good.port, breaks.port, dead)
RULES_LOCAL = "network here { 127.0.0.0/8 }\npermit here relay\n"


def suite(**kw):
    kw.setdefault("routes", ROUTES)
    return Suite(daemons=("smtpd",), rules=RULES_LOCAL, system=False, **kw)


s = suite()


def ctl(*argv, want=0, of=None):
    st, out = (of or s).ctl(*argv)
    equal(st, want, "mailctl %s: %s" % (" ".join(argv), out))
    return out


def listed(*words, of=None):
    return {m["id"]: m for m in json.loads(ctl("-j", "queue", "list", *words, of=of))}


def states(q, of=None):
    m = listed(q, of=of).get(q)
    return {r["to"]: r["state"] for r in m["recipients"]} if m else {}


@case
def hold_and_release():
    """Held over a retry and a restart; what was delivered already is not touched."""
    q = s.send(["x@dead.example", B], "to be held")
    s.wait_mail(B, "Subject: to be held")
    until("blocked", lambda: states(q) == {"x@dead.example": "blocked"})
    equal(json.loads(ctl("-j", "queue", "hold", q))["held"], 1)
    equal(states(q), {"x@dead.example": "held"})
    equal(json.loads(ctl("-j", "queue", "retry", q)), {"retried": 0, "held": 1})
    equal(ctl("queue", "retry", q), "0 messages are tried again, 1 held: release them first\n")
    time.sleep(0.3)
    equal(states(q), {"x@dead.example": "held"}, "after a retry")
    s.stop()
    s.start()
    equal(states(q), {"x@dead.example": "held"}, "after a restart")
    check(q in ctl("queue", "list", "state=held") and q not in ctl("queue", "list", "state=ready"), "the filter")
    ctl("queue", "hold", q, want=1)
    ctl("queue", "release", "all")
    until("tried again", lambda: states(q).get("x@dead.example") == "blocked")
    equal(len(s.messages(B)), 1, "delivered twice")
    ctl("queue", "delete", q)


@case(root=True)
def held_while_asked():
    """One whose way lookup is being asked for is not sent if it is held in the meantime."""
    later = Peer(dict(RCPT="450 4.2.0 later\r\n"))
    t = suite(routes='relay any via "smtp+notls://127.0.0.1:%d"\nqueue retry 10m to 1h\n' % later.port)
    q = t.send("far@later.example", "held while asked")
    until("deferred", lambda: states(q, of=t) == {"far@later.example": "deferred"})
    t.stop()
    t.start()
    said = later.commands[:]
    lookup, = t.role("smtpd", "lookup")
    t.kill(lookup, signal.SIGSTOP)
    try:
        ctl("queue", "retry", q, of=t)
        equal(states(q, of=t), {"far@later.example": "active"})
        ctl("queue", "hold", q, of=t)
    finally:
        t.kill(lookup, signal.SIGCONT)
    until("held", lambda: states(q, of=t) == {"far@later.example": "held"})
    equal(later.commands, said, "what its host was told")
    t.close()


@case
def too_old_while_down():
    """What became too old while we were down, or by a clock set right, is tried once more before it fails."""
    later = Peer(dict(RCPT=lambda l: "450 4.2.0 later\r\n" if not up or b"never@" in l else "250 ok\r\n"))
    up = []
    t = suite(routes='relay to "dead.example" via "smtp+notls://127.0.0.1:%d"\nrelay any via "smtp+notls://127.0.0.1:%d"\n'
              "queue retry 10m to 1h lifetime 6s\n" % (dead, later.port))
    ctl("pause", "relay", of=t)
    q = t.send("paused@later.example", "paused")
    until("older than it may be", lambda: re.search("age=([7-9]|[0-9]{2,})s", ctl("queue", "show", q, of=t)), 20)
    equal(states(q, of=t), {"paused@later.example": "ready"})
    ctl("queue", "delete", q, of=t)
    ctl("resume", "relay", of=t)
    for to in ("one@later.example", "never@later.example", "far@dead.example"):
        t.send(to, to)
    until("tried", lambda: t.log().count("deferred to=<") == 2 and "put off" in t.log())
    t.stop()
    end = time.time() + 7
    until("a lifetime", lambda: time.time() > end, 20, 0.1)
    up.append(1)
    t.log_mark()
    t.start()
    t.log_wait("delivered to=<one@later.example>", 20)
    t.log_wait(r"failed to=<never@later.example>.*4\.4\.7 .*450 4\.2\.0", 20)
    t.log_wait(r"failed to=<far@dead.example>.*4\.4\.7 .*refused", 20)
    check("failed to=<one@" not in t.log(), "not tried")
    t.close()


@case
def many_ids():
    ids = [s.send("x%d@dead.example" % i, "many") for i in range(90)]
    equal(len(listed("to=x*@dead.example")), 90)
    ctl("queue", "hold", *ids)
    equal(len(listed("state=held")), 90)
    ctl("queue", "delete", *ids)
    equal(listed(), {})
    ctl("queue", "delete", ids[0], want=1)


@case
def cat_and_show():
    q = s.send("x@dead.example", "to be read", "a line\r\n..dot\r\n")
    out = ctl("queue", "cat", q)
    check("Subject: to be read" in out and "\na line" in out and "\n.dot" in out, out)
    m = json.loads(ctl("-j", "queue", "show", q))
    equal((m["id"], m["sender"], m["recipients"][0]["to"]), (q, "x@client.example", "x@dead.example"))
    ctl("queue", "cat", "00000000000", want=1)
    ctl("queue", "cat", "nonsense", want=1)
    equal(run(program("mailctl"), "-f", s.conf, "queue", "cat", "00000000000", stderr=subprocess.DEVNULL), (1, ""),
          "what is no message is not among the text of messages")
    big = s.send("x@dead.example", "large", "0123456789" * 70 + "\r\n" + ("y" * 70 + "\r\n") * 9000)
    check(ctl("queue", "cat", big).count("y" * 70) == 9000, "the text of a large one")
    ctl("queue", "delete", q, big)


@case
def names_for_a_terminal():
    """What a stranger calls himself, and what mailctl shows an administrator of it."""
    name = "x\u202em\u00fcller@client.example"
    ctl("pause", "deliver")
    c = s.smtp()
    c.expect("220")
    c.write(b"EHLO \x1b[2J\xff\r\n")
    c.reply()
    c.cmd("EHLO client.example", "250")
    c.write(("MAIL FROM:<%s> SMTPUTF8\r\n" % name).encode())
    c.expect("250")
    c.cmd("RCPT TO:<%s>" % A, "250")
    c.cmd("DATA", "354")
    c.write(b"Message-ID: <\x1b[2J\xff@x>\r\nSubject: x\r\n\r\nx\r\n.\r\n")
    q = re.search(r"2\.0\.0 (\S+) ", str(c.expect("250"))).group(1)
    for bad in (b"\x1b[2J", b"\xff", b"\xc2\x9b2J"):
        c.write(b"MAIL FROM:<" + bad + b"@client.example> SMTPUTF8\r\n")
        check(not str(c.reply()).startswith("250"), "%r is a sender" % bad)
    c.close()

    def raw(*argv):
        p = subprocess.run([program("mailctl"), "-f", s.conf] + list(argv), stdout=subprocess.PIPE, check=True)
        text = p.stdout.decode("utf-8")          # it is UTF-8 whatever came
        check(not re.search("[\0-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text), "%r" % text)
        return text

    for argv in (["queue", "list"], ["queue", "show", q], ["trace", q], ["stats"], ["processes"]):
        raw(*argv)
        json.loads(raw("-j", *argv))
    check("from=<x?m\u00fcller@client.example>" in raw("queue", "list"), raw("queue", "list"))
    equal(json.loads(raw("-j", "queue", "show", q))["sender"], name)
    ctl("resume", "deliver")
    until("delivered", lambda: q not in listed(), 10, 0.1)
    s.empty(A)


@case
def paused():
    """accept: 451 at MAIL; deliver and relay: kept; all of it over a restart."""
    ctl("pause", "nothing", want=2)
    for what in ("accept", "deliver", "relay"):
        ctl("pause", what)
    s.stop()
    s.start()
    c = s.smtp()
    c.hello()
    c.cmd("MAIL FROM:<a@b.example>", "451")
    c.close()
    t = json.loads(ctl("-j", "stats"))["queue"]
    equal((t["accept"], t["relay"], t["deliver"]), (False, False, False))
    ctl("resume", "accept")
    q = s.send([A, "p@good.example"], "paused")
    time.sleep(0.6)
    equal(set(states(q).values()), {"ready"})
    check(not any(b"Subject: paused" in m for m in good.messages) and not s.messages(A), "sent while paused")
    ctl("resume", "deliver")
    s.wait_mail(A, "Subject: paused")
    check(not any(b"Subject: paused" in m for m in good.messages), "relayed while paused")
    ctl("resume", "relay")
    until("relayed", lambda: any(b"Subject: paused" in m for m in good.messages))
    until("empty", lambda: not listed())


@case
def trace_and_report():
    q = s.send([B, "t@good.example"], "to be traced")
    s.wait_mail(B, "Subject: to be traced")
    until("over", lambda: len(json.loads(ctl("-j", "trace", q))["history"]) == 2)
    t = json.loads(ctl("-j", "trace", q))
    equal({h["to"]: h["via"] for h in t["history"]}, {B: "local", "t@good.example": "127.0.0.1"})
    equal(t["queue"], [])
    check(any(h["id"] == q for h in json.loads(ctl("-j", "trace", "t@GOOD.*"))["history"]), "by pattern")
    g = s.send("sales@example.org", "by another name")
    until("over", lambda: len(json.loads(ctl("-j", "trace", g))["history"]) == 2)
    t = json.loads(ctl("-j", "trace", "SALES@example.org"))
    equal({h["to"]: h["orig"] for h in t["history"]}, {A: "sales@example.org", B: "sales@example.org"})
    check("to=<%s> orig=<sales@example.org>" % A in ctl("trace", g), "as text")
    check("delivered to=<%s> from=<x@client.example> orig=<sales@example.org> via=" % A in s.log(), "in the log")
    check(not re.search(r"to=<t@good.example> [^\n]*orig=", s.log()), "what was named itself needs no more")
    d = s.send("x@dead.example", "waits")
    t = json.loads(ctl("-j", "trace", "x@client.example"))
    check(d in [m["id"] for m in t["queue"]] and q in [h["id"] for h in t["history"]], t)
    r = json.loads(ctl("-j", "report", "today"))
    check(r["received"] > 90 and r["delivered"] >= 2 and r["senders"][0]["name"] == "x@client.example", r)
    equal(json.loads(ctl("-j", "report", s.log_path))["received"], r["received"], "the file whole")
    check("bob@example.org" in ctl("report", "today"), "as text")
    equal(json.loads(ctl("-j", "report", "2001-01-01"))["received"], 0)
    ctl("report", "/nonexistent", want=1)
    ctl("queue", "delete", d)
    until("its line", lambda: "%s: deleted to=<x@dead.example> from=<x@client.example> via=" % d in s.log())
    equal([h["what"] for h in json.loads(ctl("-j", "trace", d))["history"]], ["deleted"])


@case
def fair():
    """A message for nine hundred does not hold up one for a single recipient to the same host."""
    slow.permits = threading.Semaphore(0)
    big = s.send(["m%d@slow.example" % i for i in range(900)], "for many")
    until("under way", lambda: len(slow.raw) > 0)
    s.send("one@slow.example", "for one")
    slow.permits.release(4)             # of nine parts, one answer each
    until("the single one", lambda: any(b"Subject: for one" in m for m in slow.messages))
    slow.permits.release(9)
    until("the rest", lambda: not listed(big), 30)
    slow.permits = None
    n = sum(c.startswith(b"RCPT TO:<m") for c in slow.commands)
    equal(n, 900, "recipients")


@case
def broken_off():
    """A message that ends sessions waits for itself; the next one to the host goes on at once."""
    state = {"n": 0}

    def dot():
        state["n"] += 1
        return None if state["n"] == 1 else "250 taken\r\n"
    breaks.replies["DOT"] = dot
    q = s.send("first@breaks.example", "poison")
    until("deferred", lambda: states(q).get("first@breaks.example") == "deferred")
    s.send("second@breaks.example", "harmless")
    until("the next", lambda: any(b"Subject: harmless" in m for m in breaks.messages), 5)
    equal(states(q), {"first@breaks.example": "deferred"})
    ctl("queue", "retry", q)
    until("gone", lambda: not listed(q))


@case
def stopped_in_the_middle():
    """What was under way when we stopped is tried at once after the start."""
    slow.messages.clear()
    q = s.send("s@slow.example", "interrupted")
    until("under way", lambda: any(b"s@slow.example" in c for c in slow.commands))
    s.crash()
    s.start()
    until("sent at once", lambda: any(b"Subject: interrupted" in m for m in slow.messages), 8)
    until("gone", lambda: not listed(q))


@case
def stopped_after_delivery():
    """What a stop finds in a mailbox and not yet synced is not delivered again, though its reader removed it."""
    for n in range(5):
        q = s.send(B, "stopped %d" % n)
        os.unlink(s.wait_mail(B, "Subject: stopped %d" % n)[0])
        s.stop()
        s.start()
        equal(states(q), {}, "in the queue after the start")
        check(not [p for p in s.messages(B) if b"Subject: stopped" in slurp(p)], "delivered again")


def segments(spool):
    return sorted(p for p in glob.glob(spool + "/journal/*") if "spare" not in p)


@case
def damage():
    """A damaged record is told of and set aside; the others are delivered."""
    t = suite(routes=ROUTES)
    ctl("pause", "deliver", of=t)
    ids = [t.send(A, "damaged %d" % i, "body-%d\r\n" % i) for i in range(5)]
    big = [t.send(A, "large %d" % i, ("z" * 70 + "\r\n") * 5000) for i in range(2)]
    ctl("queue", "check", of=t)
    t.stop()
    out = ctl("queue", "check", of=t)
    check("7 messages for 7 recipients" in out and "sound" in out, out)
    seg = segments(t.dir + "/spool")[-1]
    data = bytearray(slurp(seg))
    at = data.index(b"Subject: damaged 2")
    head = data.rindex(b"QS1P", 0, at)
    data[head + 60] ^= 0xff
    with open(seg, "r+b") as f:
        f.write(data)
    with open(t.dir + "/spool/large/" + big[0], "r+b") as f:
        f.truncate(1000)
    out = ctl("queue", "check", want=1, of=t)
    check("DAMAGED" in out and big[0] in out, out)
    equal(json.loads(t.ctl("-j", "queue", "check")[1])["sound"], False)
    t.start()
    t.log_wait(r"segment .* damaged records; a copy is in damaged")
    ctl("resume", "deliver", of=t)
    for i in (0, 1, 3, 4):
        t.wait_mail(A, "body-%d" % i)
    t.wait_mail(A, "Subject: large 1")
    t.log_wait(r"%s: failed .*554 5\.3\.0" % big[0])
    check(os.path.exists(t.dir + "/spool/damaged/" + big[0]), "the damaged file is not kept")
    equal(len(t.wait_mail(A, "body-")), 4)
    out = ctl("queue", "check", want=1, of=t)
    check("set aside" in out, out)
    t.close()


@case
def cut():
    """What was never answered for does not come back, however often we start; of what was its sender is told."""
    t = suite(routes=ROUTES)
    ctl("pause", "deliver", of=t)
    told, torn = (t.send(A, n, "body-%s\r\n" % n, sender=B) for n in ("told", "torn"))
    t.crash()
    seg = segments(t.dir + "/spool")[-1]
    data = bytearray(slurp(seg))
    for n in (b"body-told", b"body-torn"):
        data[data.index(n)] ^= 0xff
    with open(seg, "r+b") as f:
        f.write(data)
    for i in range(4):
        t.start()
        ids = [id for id in (told, torn) if id in ctl("queue", "list", of=t)]
        equal(ids, [told], "in the queue, start %d" % i)
        t.send(A, "start %d" % i)
        t.crash()
    t.start()
    ctl("resume", "deliver", of=t)
    t.wait_mail(B, "damaged on our disk")
    t.wait_mail(A, "Subject: start", 4)
    check(torn + ": failed" not in t.log(), t.log_tail())
    t.close()


@case
def has_become_a_list():
    """An address of the outside that a reload makes a list of ours goes to all members, once to each."""
    t = suite(routes='relay to "later.example" via "smtp+notls://127.0.0.1:%d"\n' % free_port())
    t.send("list@later.example", "small", sender="carol@example.org")
    t.send(["list@later.example", B], "twice")
    t.send("list@later.example", "large", ("z" * 70 + "\r\n") * 5000)
    until("all wait", lambda: ctl("queue", "list", of=t).count("list@later.example") == 3)
    t.wait_mail(B, "Subject: twice")
    t.write("later", "list: %s, %s, gone@later.example, x@refused.example\n" % (A, B))
    t.configure(routes='bounce to "refused.example" "550 5.7.1 not there"\ntable later file "%s/later"\n' % t.dir +
                'domain "later.example" {\n\tusers <people>\n\taliases <later>\n\tdeliver maildir "%s/mail/%%d/%%n" as %s\n}\n' % (
                    t.dir, t.owner))
    t.reload()
    for what in ("small", "large", "twice"):
        for who in (A, B):
            equal(len(t.wait_mail(who, "Subject: " + what)), 1, "%s for %s" % (what, who))
    for what in ("gone@later.example", "550 5.7.1 not there"):
        t.wait_mail("carol@example.org", what)
    until("nothing is left", lambda: "later.example" not in ctl("queue", "list", of=t))
    until("no file is left", lambda: not os.listdir(t.dir + "/spool/large"))
    ctl("queue", "check", of=t)
    t.stop()
    t.start()
    equal(len(t.wait_mail(B, "Subject: twice")), 1)
    t.close()


def mounted(size, inodes=None):
    """A small spool of its own; the suite that has it."""
    t = suite(start=False)
    spool = t.dir + "/spool"
    os.makedirs(spool, exist_ok=True)
    opt = "size=%s,mode=0700" % size + (",nr_inodes=%d" % inodes if inodes else "")
    subprocess.run(["mount", "-t", "tmpfs", "-o", opt, "none", spool], check=True)
    t.start()
    return t, spool


def unmount(t, spool):
    t.stop()
    subprocess.run(["umount", "-l", spool], check=True)
    t.close()


def refused(t):
    c = t.smtp()
    c.hello()
    r = c.cmd("MAIL FROM:<a@b.example>")
    c.close()
    return r.startswith("452")


@case(root=True)
def disk_full():
    """452 at MAIL, what was accepted is delivered, and it goes on without a restart."""
    t, spool = mounted("150m")
    ctl("pause", "deliver", of=t)
    ids = [t.send(A, "before %d" % i, "x" * 70 + "\r\n") for i in range(20)]
    with open(spool + "/filler", "wb") as f:
        try:
            while True:
                f.write(b"\0" * (1 << 20))
        except OSError:
            pass
    until("452 at MAIL", lambda: refused(t))
    check("full" in t.log_since(), "nothing in the log")
    ctl("resume", "deliver", of=t)
    until("delivered with a full disk", lambda: len(t.messages(A)) == 20)
    os.unlink(spool + "/filler")
    until("accepts again", lambda: not refused(t))
    t.send(A, "after")
    t.wait_mail(A, "Subject: after")
    equal(len(t.messages(A)), 21)
    out = ctl("queue", "check", of=t)
    check("sound" in out, out)
    unmount(t, spool)


@case(root=True)
def no_more_files():
    t, spool = mounted("150m", 400)
    t.send(A, "before")
    n = 0
    try:
        while True:
            open(spool + "/f%d" % n, "w").close()
            n += 1
    except OSError:
        pass
    until("452 at MAIL", lambda: refused(t))
    for i in range(n):
        os.unlink(spool + "/f%d" % i)
    until("accepts again", lambda: not refused(t))
    t.send(A, "after", ("z" * 70 + "\r\n") * 5000)
    t.wait_mail(A, "Subject: after")
    t.wait_mail(A, "Subject: before")
    unmount(t, spool)


@case(root=True)
def read_only():
    """The file system becomes read-only under the queue, and writable again."""
    t, spool = mounted("150m")
    ctl("pause", "deliver", of=t)
    t.send(A, "before")

    def remount(how):
        return subprocess.run(["mount", "-o", "remount," + how, spool], stderr=subprocess.DEVNULL).returncode == 0
    until("nothing is open for writing", lambda: remount("ro"), 15, 0.5)
    until("452 at MAIL", lambda: refused(t))
    check("read-only" in t.log_since(), "nothing in the log")
    equal(t.ctl("resume", "deliver")[0], 1, "resume on a read-only disk")
    check(remount("rw"), "remount")
    until("accepts again", lambda: not refused(t))
    ctl("resume", "deliver", of=t)
    t.send(A, "after")
    for x in ("before", "after"):
        t.wait_mail(A, "Subject: " + x)
    check("sound" in ctl("queue", "check", of=t), "the spool")
    unmount(t, spool)


def served(t, spool, subject, already):
    """It refuses until the spool can be written, and then does all without a restart."""
    until("452 at MAIL", lambda: refused(t))
    t.log_wait("no mail is accepted: 452 4.3.1 the disk is read-only")
    equal(t.ctl("-j", "stats")[0], 0)
    st, out = t.ctl("queue", "list")
    check(st == 1 and "not open" in out, out)
    pids = t.role("smtpd", "queue")
    equal(len(t.messages(A)), already, "delivered before it could be noted")
    subprocess.run(["mount", "-o", "remount,rw", spool], check=True)
    until("accepts", lambda: not refused(t))
    t.send(A, subject)
    t.wait_mail(A, "Subject: " + subject)
    equal(t.role("smtpd", "queue"), pids, "the queue was restarted")
    check("sound" in ctl("queue", "check", of=t), "the spool")


@case(root=True)
def started_read_only():
    """smtpd starts with a read-only spool, an empty one and one with mail in it."""
    t, spool = mounted("150m")
    t.stop()
    for n in os.listdir(spool):
        shutil.rmtree(spool + "/" + n, ignore_errors=True)
        if os.path.exists(spool + "/" + n):
            os.unlink(spool + "/" + n)
    subprocess.run(["mount", "-o", "remount,ro", spool], check=True)
    t.start()
    served(t, spool, "first", 0)
    ctl("pause", "deliver", of=t)
    t.send(A, "kept")
    t.stop()
    os.unlink(spool + "/paused.deliver")
    t.log_mark()
    subprocess.run(["mount", "-o", "remount,ro", spool], check=True)
    t.start()
    served(t, spool, "second", 1)
    t.wait_mail(A, "Subject: kept")
    equal(sorted(re.findall(rb"Subject: (\w+)", b"".join(slurp(p) for p in t.messages(A)))), [b"first", b"kept", b"second"])
    unmount(t, spool)


finish()
