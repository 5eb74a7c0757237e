"""Clients of one INBOX beside another Maildir program and mailctl: what each believes is what is there."""
import os, random, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

SEEDS = (os.environ.get("BESIDE_SEED") or "4 22 24 41 43").split()
STEPS = int(os.environ.get("BESIDE_STEPS") or "150")
s = Suite()
U = "alice@example.org"
DIR = s.maildir(U)


class Client:
    """What a client believes: UIDs by number (None: not asked yet) and flags by UID."""

    def __init__(self, qresync):
        self.c = s.imap()
        self.c.line()
        self.c.do('LOGIN %s "%s"' % (U, PASS))
        if qresync:
            self.c.do("ENABLE QRESYNC")
        self.uids, self.flags = [], {}
        self.do("SELECT INBOX")
        self.do("FETCH 1:* (UID FLAGS)", want=None)

    def do(self, text, want="OK"):
        out = self.c.do(text, want=None)
        if out[-1] == "":
            raise EOFError(text)
        for l in out:
            self.hear(l)
        check(want is None or out[-1].startswith("t " + want), "%s: %s" % (text, out[-1]))
        return out[-1]

    def hear(self, l):
        m = re.match(r"\* (\d+) EXISTS", l)
        if m:
            check(int(m.group(1)) >= len(self.uids), "fewer: " + l)
            self.uids += [None] * (int(m.group(1)) - len(self.uids))
        m = re.match(r"\* (\d+) EXPUNGE", l)
        if m:
            check(0 < int(m.group(1)) <= len(self.uids), "no such number: " + l)
            self.flags.pop(self.uids.pop(int(m.group(1)) - 1), None)
        m = re.match(r"\* VANISHED ([\d:,]+)", l)
        for r in m.group(1).split(",") if m else []:
            a, b = (r.split(":") * 2)[:2]
            for u in range(min(int(a), int(b)), max(int(a), int(b)) + 1):
                check(u in self.uids or None in self.uids, "vanished %d: not here" % u)
                if u not in self.uids:
                    # One that it has not asked for, behind those with smaller UIDs.
                    after = max([k for k, x in enumerate(self.uids) if x is not None and x < u] or [-1])
                    self.uids.pop(self.uids.index(None, after + 1))
                    continue
                if u in self.uids:
                    self.uids.remove(u)
                    self.flags.pop(u, None)
        m = re.match(r"\* (\d+) FETCH \(UID (\d+) FLAGS \(([^)]*)\)", l)
        if m:
            n, u = int(m.group(1)), int(m.group(2))
            check(0 < n <= len(self.uids), "no such number: " + l)
            check(self.uids[n - 1] in (None, u), "%s: was %s" % (l, self.uids[n - 1]))
            self.uids[n - 1] = u
            self.flags[u] = sorted(set(m.group(3).split()) - {"\\Recent"})
        m = re.match(r"\* (\d+) FETCH \(FLAGS \(([^)]*)\)", l)
        if m and self.uids[int(m.group(1)) - 1] is not None:
            self.flags[self.uids[int(m.group(1)) - 1]] = sorted(set(m.group(2).split()) - {"\\Recent"})

    def settle(self):
        self.do("NOOP")
        if None in self.uids:
            self.do("FETCH %d:* (UID FLAGS)" % (self.uids.index(None) + 1))
            self.do("NOOP")
        return self.uids, self.flags


def names(sub):
    return [os.path.join(DIR, sub, n) for n in os.listdir(os.path.join(DIR, sub))]


def foreign(rnd, n):
    """As another Maildir program does it."""
    kind = rnd.choice(["deliver", "flag", "delete", "new"])
    files = names("cur")
    if kind == "deliver" or not files:
        path = os.path.join(DIR, "tmp", "%d.M%dP9.other" % (time.time(), n))
        with open(path, "w") as f:
            f.write("Subject: foreign %d\n\nbody\n" % n)
        os.rename(path, path.replace("/Maildir/tmp/", "/Maildir/%s/" % rnd.choice(["new", "cur"])))
        return
    path = rnd.choice(files)
    try:
        if kind == "delete":
            os.unlink(path)
        elif kind == "flag":
            base = path.split(":")[0]
            os.rename(path, base + ":2," + "".join(sorted(rnd.sample("FRS", rnd.randint(0, 3)))))
        elif kind == "new":
            for p in names("new"):
                os.rename(p, p.replace("/Maildir/new/", "/Maildir/cur/") + ":2,")
    except FileNotFoundError:
        pass


def command(rnd, c):
    n = len(c.uids)
    pick = lambda: rnd.randint(1, n) if n else 1
    text = rnd.choice([
        "NOOP", "FETCH 1:* (UID FLAGS)", "STORE %d +FLAGS (\\Deleted)" % pick(), "EXPUNGE",
        "STORE %d FLAGS (\\Seen kw%d)" % (pick(), rnd.randint(1, 3)), "UID STORE 1:* -FLAGS (\\Flagged)",
        "COPY %d INBOX" % pick(), "STORE 1:* +FLAGS.SILENT (\\Answered)", "UID SEARCH FLAGGED", "CHECK"])
    if ".SILENT" in text:
        c.do(text, want=None)
        c.do("FETCH 1:* (UID FLAGS)", want=None)
    else:
        c.do(text, want=None)


def beside(seed):
    rnd = random.Random(seed)
    there = len(s.messages(U))
    for i in range(5):
        s.send(U, "m%d" % i, "x\r\n")
    until("delivered", lambda: len(s.messages(U)) == there + 5, 20, 0.1)
    clients = [Client(i % 2) for i in range(3)]
    cut = 0
    for n in range(STEPS):
        what = rnd.choice(["foreign"] * 4 + ["command"] * 8 + ["rebuild", "verify", "expunge", "cut", "look"])
        i = rnd.randrange(len(clients))
        try:
            if what == "foreign":
                foreign(rnd, n)
            elif what == "command":
                command(rnd, clients[i])
            elif what == "cut":
                path = os.path.join(DIR, "postern.index")
                os.truncate(path, rnd.randrange(os.path.getsize(path)))
                cut += 1
            elif what in ("rebuild", "verify"):
                s.ctl("mailbox", what, U, "INBOX")
            elif what == "expunge":
                s.ctl("mailbox", "expunge", U, "INBOX", "flagged")
            if what == "look" or n == STEPS - 1:
                fresh = Client(0)
                want = fresh.settle()
                fresh.c.close()
                for j, c in enumerate(clients):
                    i = j
                    equal(c.settle(), want, "seed %s, step %d, client %d" % (seed, n, j))
        except EOFError as e:
            # Only who cannot be told the truth is told to go.
            check(cut > 0, "cut off at step %d: %s" % (n, e))
            clients[i] = Client(rnd.randrange(2))
    bad = [l for l in s.log().splitlines() if re.search(r"killed by signal|exited with status", l)]
    check(not bad, bad[:3])
    for c in clients:
        c.c.close()


@case
def each_seed():
    for seed in SEEDS:
        beside(seed)


finish()
