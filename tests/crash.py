"""crash ROUNDS [CASE ...] - nothing that was acknowledged is lost.

Clients send, append, flag, move and delete while processes are killed or the
file system is shut down under them; afterwards every message that was answered
with 250 or OK has to be there, whole.  A 250 that arrives after the cut does
not count, so a power cut never blames the server for what it could not know.

Cases: roles smtp imap pop3 power.
"""
import collections, contextlib, ctypes, fcntl, os, random, re, shutil, signal
import struct, subprocess, sys, tempfile, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib import *
from crashload import *

POP_USER = "p1@example.org"
RULES = "network here { 127.0.0.0/8 }\npermit here relay\n"
EXTRA = "queue lifetime 1h retry 1s to 2s\nlimit sessions 2000 per address 500\n"
# A deliverer to an mbox and a peer that was cut off may get again what they
# had and nobody had answered for: one batch each.
AGAIN_MAX = 100
SHUTDOWN = 0x8004587d		# EXT4_IOC_SHUTDOWN
NOLOGFLUSH = 2
CLONE_NEWNS = 0x20000
ROLES = ("net", "auth", "signer", "lookup", "dns", "queue", "relay", "deliver")


class Boxes:
    """What lies in the mailboxes: (name, recipient) and how often."""

    def __init__(self, suite, sink):
        self.s, self.sink, self.seen = suite, sink, {}
        self.bad, self.torn = set(), set()

    def look(self):
        got, self.bad = collections.Counter(), set()
        for u in USERS:
            for p in self.s.messages(u):
                # What a power cut left half is written again under its name.
                name = self.seen.get(p)
                if not name:
                    name, whole = identify(slurp(p))
                    if not whole:
                        self.bad.add(p)
                        continue
                    self.seen[p] = name
                got[(name, u)] += 1
        for part in re.split(rb"(?:^|\n)From [^\n]*\n", slurp(self.mbox()))[1:]:
            # An append that was cut off stays in an mbox, the whole behind it.
            name, whole = identify(part)
            if whole:
                got[(name, BOX)] += 1
            else:
                self.torn.add(name)
        for name, n in list(self.sink.got.items()):
            got[(name, RELAYED)] += n
        self.bad.update("relayed %s, %d bytes" % b for b in self.sink.bad)
        return got

    def mbox(self):
        return os.path.join(self.s.dir, "mail/box.example/box.mbox")


# ------------------------------------------------------------ IMAP

def imap_contents(s, user):
    """{box: (uidvalidity, {name: (uid, flagged)})} of a user, and what is damaged."""
    out, bad = {}, []
    with imap_login(s, user) as c:
        for box in ("INBOX", "Box"):
            lines = c.do("SELECT " + box, None)
            if not lines[-1].startswith("t OK"):
                check(box == "Box", "SELECT %s: %r" % (box, lines[-1]))
                continue
            v = re.search(r"UIDVALIDITY (\d+)", "\n".join(lines)).group(1)
            out[box] = v, {}
            if re.search(r"^\* 0 EXISTS", "\n".join(lines), re.M):
                continue
            c.write("t UID FETCH 1:* (UID FLAGS BODY.PEEK[])\r\n")
            while True:
                l = c.line()
                check(l is not None, "FETCH was cut")
                if l.startswith("t "):
                    check(l.startswith("t OK"), l)
                    break
                n = re.search(r"\{(\d+)\}$", l)
                if not n:
                    continue
                name, whole = identify(c.read(int(n.group(1))))
                l += c.line()
                if not whole:
                    bad.append("%s %s %s" % (user, box, name))
                uid = int(re.search(r"UID (\d+)", l).group(1))
                out[box][1].setdefault(name, (uid, "\\Flagged" in l))
    return out, bad


def imap_judge(s, what, clients, snaps, power=False):
    """What the clients were promised against what is there."""
    wrong, undone, total = [], [], 0
    found = {u: imap_contents(s, u) for u in {c.user for c in clients}}
    for c, snap in zip(clients, snaps):
        boxes, bad = found[c.user]
        wrong += ["damaged " + b for b in bad]
        for name, where, flagged, uid in snap:
            total += None not in where
            at = [b for b in boxes if name in boxes[b][1]]
            if not at and None not in where:
                wrong.append("lost %s of %s: uid %s, should be in %s" % (name, c.user, uid, sorted(where)))
            elif at and where == {None} or at and not where & set(at):
                # A flush of what was removed is promised for kill -9 only.
                (undone if power else wrong).append("%s of %s is in %s, not in %s" % (name, c.user, at, where))
            elif at and boxes[at[0]][1][name][1] not in flagged:
                (undone if power else wrong).append("flag of %s of %s" % (name, c.user))
            if at == ["INBOX"] and where == {"INBOX"} and uid and \
                    boxes["INBOX"][0] == c.validity.get("INBOX") and boxes["INBOX"][1][name][0] != uid:
                wrong.append("UID of %s of %s: %d was %d" % (
                    name, c.user, boxes["INBOX"][1][name][0], uid))
    check(not wrong, "%s: %d wrong of %d: %s\n%s" % (what, len(wrong), total, wrong[:5], s.log_tail(20)))
    return "%d kept%s" % (total, ", undone: %s" % undone if undone else "")


def imap_clients(s):
    """Three users, one of them with two sessions."""
    return [Imap(s, u, "i%d" % n) for n, u in enumerate(IMAP_USERS + IMAP_USERS[:1])]


# ------------------------------------------------------------ POP3

def pop_fill(s, n=12):
    for i in range(n):
        s.send(POP_USER, body="".join("line %d\r\n" % i for j in range(20)), subject="pop %d" % i)
    until("%d messages" % n, lambda: len(s.messages(POP_USER)) >= n)


def pop_login(s):
    c = s.pop3(timeout=20)
    c.line()
    c.pop("USER " + POP_USER)
    c.pop("PASS " + PLAIN_PASS)
    return c


def pop_uidl(s):
    with pop_login(s) as c:
        c.pop("UIDL")
        out = [l.split()[1] for l in c.multi()]
        c.pop("QUIT")
        return out


# ------------------------------------------------------------ cases

def suite(sink, **kw):
    names = USERS + IMAP_USERS + [POP_USER, BOX]
    return Suite(rules=RULES, extra=EXTRA, people={u: "{PLAIN}" + PLAIN_PASS for u in names},
                 routes='relay to "relay.test" via "smtp+notls://127.0.0.1:%d"\n' % sink.port, **kw)


def gone(pids):
    return not any(alive(p) for p in pids)


def settle(boxes, acked, secs=20):
    """Wait until all that was acknowledged has come, and nothing more comes."""
    keys = [k for ks in acked.values() for k in ks]
    last, total = time.monotonic(), -1
    while True:
        got = boxes.look()
        if sum(got.values()) != total:
            total, last = sum(got.values()), time.monotonic()
        lost = [k for k in keys if k not in got]
        if time.monotonic() - last > (secs if lost else 1):
            return got, lost
        time.sleep(0.2)


def trace(log, queue_id):
    """What the log says of a message, and of each report about it."""
    about = [l for l in log if queue_id in l]
    for l in about:
        report = re.search(r"(\w+): accepted from=<> report=\S+ of=%s " % queue_id, l)
        if report:
            about += [m for m in log if report.group(1) in m and m not in about]
    return about


def why_lost(boxes, load, key, log):
    """What became of a message for somebody, in one line, and what the log says of it."""
    name, to = key
    queue_id = load.ids.get(name, "?")
    about = trace(log, queue_id)
    said = [l for l in about if "to=<%s>" % to in l]
    return "%s for %s: %s; copies of it damaged: %s; reports: %d; last: %s" % (
        name, to, queue_id, [b for b in boxes.bad if name in b] or "none",
        sum(" report=" in l for l in about), said[-1] if said else "never tried"), about


def why_not(boxes, load, lost):
    """What queue, peer and log know of what has not come."""
    status, queue = boxes.s.ctl("queue", "list")
    lines = queue.splitlines()
    log = boxes.s.log().splitlines()
    told = [why_lost(boxes, load, k, log) for k in lost]
    return "\n".join(
        ["%s, %d damaged: %s" % (boxes.sink.state(), len(boxes.sink.bad), boxes.sink.bad[:5])] +
        [t for t, about in told[:20]] + ["all the log has of the first:"] + told[0][1] +
        ["what it has of the spool:"] +
        [l for l in log if re.search("spool|journal|damaged|set aside|cannot be stored|unreachable", l)][-20:] +
        ["the queue (status %d, %d lines):" % (status, len(lines))] + lines[:14] + [boxes.s.log_tail(20)])


def judge(what, boxes, load, acked, kills=1):
    got, lost = settle(boxes, acked)
    own = {k: n for k, n in got.items() if k[1] in USERS}
    twice = [k for k, n in own.items() if n > 1]
    again = sum(n - 1 for k, n in got.items() if n > 1 and k not in own)
    foreign = [k for k in got if k[0] not in load.sent]
    check(not lost, "%s: lost %d of %d: %s\n%s" % (what, len(lost), len(acked), lost[:5], lost and why_not(boxes, load, lost)))
    check(not boxes.bad, "%s: damaged: %s" % (what, sorted(boxes.bad)[:5]))
    check(not twice, "%s: twice in a Maildir: %s" % (what, twice[:5]))
    check(again <= AGAIN_MAX * kills, "%s: %d again elsewhere" % (what, again))
    check(len(boxes.torn) <= AGAIN_MAX * kills, "%s: %d torn in the mbox" % (what, len(boxes.torn)))
    died = re.search(r"\S+ was killed by signal (?!9\b)\d+", boxes.s.log())
    check(not died, "%s: %s" % (what, died and died.group(0)))
    check(not foreign, "%s: never sent: %s" % (what, foreign[:5]))
    torn = ", %d torn in the mbox" % len(boxes.torn) if boxes.torn else ""
    return "%d acknowledged, none lost, %d again%s" % (len(acked), again, torn)


def probe(s, boxes, load, role):
    """A login over TLS, a message for here and one for elsewhere: all works again."""
    names = []

    def send():
        m = Message("after-%s.%d" % (role, len(names)), 1000)
        names.append(m.name)
        load.sent[m.name] = []
        with contextlib.suppress(OSError, Fail), s.smtp(timeout=5) as c:
            c.hello()
            c.starttls()
            c.cmd("EHLO again", "250")
            c.auth(USERS[0], PLAIN_PASS)
            c.write("MAIL FROM:<>\r\nRCPT TO:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n" % (USERS[0], RELAYED))
            for code in ("250", "250", "250", "354"):
                c.expect(code)
            c.write(m.wire())
            c.expect("250")
            return True
    until("service after %s" % role, send, 15, 0.1)
    for to in (USERS[0], RELAYED):
        until("%s has mail after %s\n%s" % (to, role, s.log_tail()),
              lambda: boxes.look()[(names[-1], to)], 15, 0.1)


def kill_role(s, role):
    if role == "parent":
        kids = list(s.children("smtpd"))
        s.kill(s.pid("smtpd"))
        until("all end with their parent", lambda: gone(kids), 10)
        s.started.remove("smtpd")
        s.start("smtpd")
        return
    pids = s.role("smtpd", role)
    check(pids, "no process %s: %s" % (role, s.children("smtpd")))
    for p in pids:
        s.kill(p)
    if role == "deliver":
        return              # started when there is mail: the probe sees to that
    until("%s is started again\n%s" % (role, s.log_tail()),
          lambda: [p for p in s.role("smtpd", role) if p not in pids], 15)


def roles(n):
    """Each process of smtpd in turn, during a stream of 2,000 messages."""
    with contextlib.closing(Sink()) as sink, contextlib.closing(suite(sink, daemons=("smtpd",))) as s:
        boxes, back = Boxes(s, sink), []
        load = Load(s, 8, 2000)
        for role in ROLES + ("parent",):
            load.wait(150)
            t = time.monotonic()
            kill_role(s, role)
            probe(s, boxes, load, role)
            back.append("%s %.1f s" % (role, time.monotonic() - t))
        load.wait(2000, 60)
        load.end()
        return "%s; back: %s" % (judge("roles", boxes, load, load.snapshot(), len(ROLES) + 1), ", ".join(back))


def smtp(n):
    """All of smtpd at a random moment."""
    with contextlib.closing(Sink()) as sink, contextlib.closing(suite(sink, daemons=("smtpd",))) as s:
        boxes, load = Boxes(s, sink), Load(s, 8, tag="s%d." % n)
        time.sleep(random.uniform(0.2, 1.2))
        s.crash()
        load.end()
        s.start("smtpd")
        return judge("kill", boxes, load, load.snapshot())


def imap(n):
    """All of imapd at a random moment: what was answered with OK stays so."""
    with contextlib.closing(Sink()) as sink, contextlib.closing(suite(sink, daemons=("imapd",))) as s:
        clients = imap_clients(s)
        time.sleep(random.uniform(0.3, 1.2))
        s.crash()
        for c in clients:
            c.join(30)
        check(all(c.done for c in clients), "a client did nothing: %s" % [c.why for c in clients])
        s.start("imapd")
        return imap_judge(s, "kill", clients, [c.snapshot() for c in clients])


def pop3(n):
    """DELE is nothing without QUIT, and for ever with it."""
    with contextlib.closing(Sink()) as sink, contextlib.closing(suite(sink, daemons=("smtpd", "pop3d"))) as s:
        pop_fill(s)
        first = pop_uidl(s)
        equal(len(set(first)), 12, "messages")
        for how in ("close", "crash"):
            c = pop_login(s)
            for i in range(1, 6):
                c.pop("DELE %d" % i)
            if how == "crash":
                s.crash()
                s.start("smtpd", "pop3d")
            c.close()
            until("the maildrop is free", lambda: pop_try(s), 5, 0.1)
            equal(pop_uidl(s), first, how)
        c = pop_login(s)
        for i in range(1, 6):
            c.pop("DELE %d" % i)
        c.pop("QUIT")
        s.crash()
        s.start("smtpd", "pop3d")
        equal(pop_uidl(s), first[5:], "after QUIT and kill -9")
        for spread in (0, 0.002, 0.005, 0.01, 0.02):
            # What is delivered again after the kill would be there among the next.
            until("an empty queue", lambda: s.ctl("-j", "queue", "list")[1].split() == ["[", "]"] or
                  s.ctl("-j", "queue", "list")[1].strip() == "[]", 20)
            s.empty(POP_USER)
            pop_fill(s, 40)
            before = pop_uidl(s)
            c = pop_login(s)
            for i in range(1, 31):
                c.pop("DELE %d" % i)
            c.write("QUIT\r\n")
            time.sleep(random.uniform(0, spread))
            s.crash()
            said = c.line()
            s.start("smtpd", "pop3d")
            left = pop_uidl(s)
            check(left == before[30:] or (left == before and not said),
                  "kill -9 within QUIT: all or nothing; %d of 40 left, said %r" % (len(left), said))
            equal(len(s.messages(POP_USER)), len(left), "files")
        done = [pop_kill_session(s, i) for i in range(20)]
        return "12 messages; a session killed within QUIT: %d of %d had deleted" % (sum(done), len(done))


def pop_kill_session(s, n):
    """The user's process alone, at some moment of QUIT: was it done?"""
    s.empty(POP_USER)
    for i in range(40):
        p = os.path.join(s.maildir(POP_USER), "new", "17000%05d.M%dP1.k" % (n, i))
        with open(p, "w") as f:
            f.write("Subject: k%d\n\nx\n" % i)
        if ROOT:
            shutil.chown(p, s.owner, s.owner)
    before = pop_uidl(s)
    equal(len(before), 40, "messages")
    c = pop_login(s)
    pids = [p for p in s.role("pop3d", "session") if POP_USER in title(p)]
    c.write("".join("DELE %d\r\n" % i for i in range(1, 31)))
    for i in range(30):
        check(c.line().startswith("+OK"), "DELE")
    c.write("QUIT\r\n")
    time.sleep(random.uniform(0, 0.0005 * n))
    for p in pids:
        s.kill(p)
    said = c.line()
    until("the maildrop is free", lambda: pop_try(s), 5, 0.1)
    left = pop_uidl(s)
    check(left == before[30:] or (left == before and not said),
          "a session killed within QUIT: all or nothing; %d of 40 left, said %r" % (len(left), said))
    equal(len(s.messages(POP_USER)), len(left), "files")
    return left != before


def pop_try(s):
    with contextlib.suppress(Fail):
        return pop_uidl(s)


# ------------------------------------------------------------ the power cut

def own_mounts():
    """
    What is mounted from now on nobody else sees.  Who made a namespace beside
    us would keep the file system that was shut down, and the next mount of the
    same image would be that one.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)


class Disk:
    """A small ext4 of its own that can be cut off without its journal."""

    def __init__(self):
        self.top = tempfile.mkdtemp(prefix="postern-disk.")
        os.chmod(self.top, 0o755)
        self.image, self.dir = self.top + "/image", self.top + "/mnt"
        os.mkdir(self.dir)
        with open(self.image, "wb") as f:
            f.truncate(512 << 20)
        try:
            subprocess.run(["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0", self.image], check=True)
            self.mount()
        except (OSError, subprocess.CalledProcessError) as e:
            shutil.rmtree(self.top, ignore_errors=True)
            raise Skip("no loop mount: %s" % e)

    def mount(self):
        # A long commit interval: what nobody synced is not saved by chance.
        subprocess.run(["mount", "-o", "loop,commit=300", self.image, self.dir], check=True)

    def umount(self):
        def go():
            return subprocess.run(["umount", self.dir], stderr=subprocess.DEVNULL).returncode == 0
        until("umount", go, 15, 0.1)

    def cut(self):
        fd = os.open(self.dir, os.O_RDONLY)
        fcntl.ioctl(fd, SHUTDOWN, struct.pack("I", NOLOGFLUSH))
        os.close(fd)

    def close(self):
        with contextlib.suppress(Fail):
            self.umount()
        shutil.rmtree(self.top, ignore_errors=True)


def merge(before, after):
    """What was promised before the cut, and what was asked for from then on."""
    later = {name: (where, flagged) for name, where, flagged, uid in after}
    return [(name, where | later[name][0], flagged | later[name][1], uid)
            for name, where, flagged, uid in before]


def power(n):
    """
    The file system stops at a random moment, without its journal.  In every
    other round the next hop is down until then, so that all for it waits.
    """
    if not ROOT:
        skip("only root can mount")
    with contextlib.closing(Disk()) as disk, contextlib.closing(Sink(down=n % 2 == 0)) as sink:
        os.mkdir(disk.dir + "/s")
        # The log is not cut: it tells what became of what is missing.
        with contextlib.closing(suite(sink, dir=disk.dir + "/s", log=disk.top + "/log")) as s:
            boxes = Boxes(s, sink)
            pop_fill(s)
            os.sync()
            first = pop_uidl(s)
            load, clients = Load(s, 6, tag="w%d." % n), imap_clients(s)
            c = pop_login(s)
            c.pop("DELE 1")
            pids = [p for d in DAEMONS for p in [s.pid(d)] + list(s.children(d))]
            time.sleep(random.uniform(0.4, 1.5))
            pids += [p for d in DAEMONS for p in s.children(d) if p not in pids]
            acked, snaps = load.snapshot(), [i.snapshot() for i in clients]
            disk.cut()
            load.ending = True
            for p in pids + [p for d in DAEMONS for p in s.children(d)]:
                s.kill(p)
            s.started.clear()
            until("gone", lambda: gone(pids), 15)
            load.end()
            for i in clients:
                i.join(30)
            snaps = [merge(a, i.snapshot()) for a, i in zip(snaps, clients)]
            c.close()
            until("umount", lambda: disk.umount() or True)
            disk.mount()
            sink.down = False
            s.start()
            text = judge("power", boxes, load, acked)
            text += "; imap " + imap_judge(s, "power", clients, snaps, power=True)
            check(set(first) <= set(pop_uidl(s)), "DELE without QUIT")
            return text


# ------------------------------------------------------------ the rounds

def one(case, n):
    name = "crash/%s.%d" % (case.__name__, n)
    t = time.monotonic()
    try:
        print("ok %s: %s (%.1f s)" % (name, case(n), time.monotonic() - t), flush=True)
    except Skip as e:
        print("skip %s: %s" % (name, e), flush=True)
    except (Fail, OSError, subprocess.SubprocessError) as e:
        first, *more = (str(e) or type(e).__name__).splitlines()
        print("not ok %s: %s" % (name, first), flush=True)
        for l in more[:120]:
            print("#   " + l, flush=True)
        return 1
    return 0


def main():
    # Nothing is to stay behind: what is registered for the end is done.
    signal.signal(signal.SIGTERM, lambda n, f: sys.exit(1))
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    wanted, bad = sys.argv[2:], 0
    if ROOT:
        own_mounts()
    for n in range(rounds):
        for case in (roles, smtp, imap, pop3, power):
            if wanted and case.__name__ not in wanted:
                continue
            if case in (roles, pop3, power) and n % 5 and not wanted:
                continue
            bad += one(case, n + 1)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
