"""crashload - the clients of crash.py: what they sent, and what was promised them.

Every message tells its own name and the sum of its text, so that one which is
found anywhere can be judged.  A promise is noted when its answer is read.
"""
import base64, collections, contextlib, hashlib, os, random, re, socket, ssl
import threading, time

from lib import *

USERS = ["c%d@example.org" % i for i in range(1, 5)]
BOX = "box@box.example"
IMAP_USERS = ["i1@example.org", "i2@example.org", "i3@example.org"]
RELAYED = "far@relay.test"
PLAIN_PASS = "pw"


# ------------------------------------------------------------ messages

class Message:
    """Text that tells its own name and sum."""

    def __init__(self, name, size):
        body = base64.encodebytes(os.urandom(size * 3 // 4 + 1)) + b".a dot\n"
        self.name = name
        self.text = ("From: <x@client.example>\nSubject: %s\nX-Crash-Id: %s\nX-Crash-Sum: %s\n\n" % (
            name, name, digest(body))).encode() + body

    def wire(self):
        return self.text.replace(b"\n", b"\r\n").replace(b"\n.", b"\n..") + b".\r\n"

    def crlf(self):
        return self.text.replace(b"\n", b"\r\n")


def digest(body):
    return hashlib.sha256(body.strip(b"\n")).hexdigest()


def identify(text):
    """The name of a stored message, and whether it is whole."""
    head, _, body = text.replace(b"\r\n", b"\n").partition(b"\n\n")
    n = re.search(rb"^X-Crash-Id: (\S+)$", head, re.M)
    s = re.search(rb"^X-Crash-Sum: (\S+)$", head, re.M)
    if not n or not s:
        return None, False
    return n.group(1).decode(), digest(body) == s.group(1).decode()


class Sink(threading.Thread):
    """The next hop: says 250 to everything and remembers the names; nothing while it is down."""

    def __init__(self, down=False):
        super().__init__(daemon=True)
        self.got, self.bad, self.down = collections.Counter(), [], down
        self.connections, self.errors = 0, []
        self.port = free_port()
        self.l = socket.create_server(("127.0.0.1", self.port), backlog=100)
        self.start()

    def run(self):
        while True:
            try:
                c, _ = self.l.accept()
                threading.Thread(target=self.serve, args=(c,), daemon=True).start()
                self.connections += 1
            except (OSError, RuntimeError) as e:
                if self.l.fileno() == -1:
                    return
                self.errors.append(str(e))
                time.sleep(0.1)

    def state(self):
        return "the peer %s, had %d connections, errors: %s" % (
            "accepts" if self.is_alive() else "has stopped", self.connections, self.errors[:3])

    def serve(self, c):
        with contextlib.suppress(OSError), c, c.makefile("rb") as f:
            c.setsockopt(socket.SOL_TCP, socket.TCP_NODELAY, 1)
            if self.down:
                c.sendall(b"421 down\r\n")
                return
            c.sendall(b"220 sink\r\n")
            for l in f:
                w = l[:4].upper()
                if w == b"EHLO":
                    c.sendall(b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE\r\n")
                elif w == b"DATA":
                    c.sendall(b"354 go\r\n")
                    if not self.data(f):
                        return
                    c.sendall(b"250 taken\r\n")
                elif w == b"QUIT":
                    c.sendall(b"221 bye\r\n")
                    return
                else:
                    c.sendall(b"250 ok\r\n")

    def data(self, f):
        text = []
        for l in f:
            if l == b".\r\n":
                name, whole = identify(b"".join(text))
                self.got[name] += 1
                if not whole:
                    self.bad.append((name, sum(map(len, text))))
                return True
            text.append(l[1:] if l.startswith(b".") else l)
        return False

    def close(self):
        self.l.close()


# ------------------------------------------------------------ SMTP load

class Load:
    """Clients that send until told to stop; what was answered with 250."""

    def __init__(self, suite, clients, count=0, tag="m"):
        self.s, self.count, self.tag = suite, count, tag
        self.lock, self.ending, self.n = threading.Lock(), False, 0
        self.acked, self.sent, self.ids, self.refused = {}, {}, {}, 0
        self.relay = RELAYED
        self.threads = [threading.Thread(target=self.client, daemon=True) for i in range(clients)]
        for t in self.threads:
            t.start()

    def next(self):
        with self.lock:
            if self.ending or self.count and len(self.acked) >= self.count:
                return None
            self.n += 1
            n = self.n
        if n % 10 == 9:
            to = [self.relay]
        elif n % 10 == 8:
            to = [BOX]
        elif n % 10 == 7:
            to = [USERS[n % 4], USERS[(n + 1) % 4], self.relay]
        else:
            to = [USERS[n % 4]]
        size = 300000 if n % 100 == 55 else 20000 if n % 10 == 3 else 2000
        return Message("%s%d" % (self.tag, n), size), to

    def client(self):
        c = None
        while True:
            job = self.next()
            if job is None:
                break
            try:
                if c is None:
                    c = self.s.smtp(timeout=20)
                    c.hello()
                self.send(c, *job)
            except (OSError, Fail, ssl.SSLError):
                if c:
                    c.close()
                c = None
                time.sleep(0.02)
        if c:
            c.close()

    def send(self, c, m, to):
        c.write("MAIL FROM:<x@client.example>\r\n" +
                "".join("RCPT TO:<%s>\r\n" % r for r in to) + "DATA\r\n")
        c.expect("250")
        replies = [c.reply() for r in to]
        if not all(r and r.startswith("250") for r in replies):
            # Part was refused for now: end this transaction.
            self.refused += 1
            raise Fail("refused")
        c.expect("354")
        keys = [(m.name, r) for r in to]
        self.sent[m.name] = keys
        c.write(m.wire())
        r = c.reply()
        if r and r.startswith("250"):
            self.ids[m.name] = r.split()[2]
            self.acked[m.name] = keys
        elif r is None:
            raise Fail("cut")
        else:
            self.refused += 1
            time.sleep(0.02)

    def wait(self, more, secs=30):
        goal = min(len(self.acked) + more, self.count or 1 << 30)
        until("%d messages more are taken" % more, lambda: len(self.acked) >= goal, secs)

    def snapshot(self):
        return dict(self.acked)

    def end(self, secs=30):
        self.ending = True
        for t in self.threads:
            t.join(secs)


# ------------------------------------------------------------ IMAP load

class Item:
    """A message of an IMAP user: where it may be, and whether it is flagged."""

    def __init__(self, message, box):
        self.m, self.box, self.uid = message, box, None
        self.where = {None, box}
        self.flagged = {False}


class Imap(threading.Thread):
    """A session that appends, flags, moves and expunges."""

    def __init__(self, suite, user, tag):
        super().__init__(daemon=True)
        self.s, self.user, self.tag = suite, user, tag
        self.items, self.n, self.done, self.ending, self.why = {}, 0, 0, False, ""
        self.lock = threading.Lock()
        self.validity = {}
        self.start()

    def run(self):
        rnd = random.Random(self.tag)
        try:
            c = imap_login(self.s, self.user)
            with contextlib.suppress(Fail):
                c.do("CREATE Box")
            while not self.ending:
                self.step(c, rnd)
        except (OSError, Fail, ssl.SSLError) as e:
            self.why = str(e)

    def step(self, c, rnd):
        mine = [i for i in self.items.values() if i.uid and i.where == {"INBOX"}]
        what = rnd.random()
        if what < 0.6 or not mine:
            self.append(c, rnd)
            return
        i = rnd.choice(mine)
        c.do("SELECT INBOX")
        if what < 0.75:
            self.change(c, "UID STORE %d +FLAGS (\\Flagged)" % i.uid, i, flagged=True)
        elif what < 0.9:
            self.change(c, "UID MOVE %d Box" % i.uid, i, where="Box")
        else:
            self.change(c, "UID STORE %d +FLAGS.SILENT (\\Deleted)" % i.uid, i)
            self.change(c, "UID EXPUNGE %d" % i.uid, i, where=None)

    def append(self, c, rnd):
        self.n += 1
        m = Message("%s.%d" % (self.tag, self.n), rnd.choice((500, 3000, 3000, 40000)))
        i = self.items[m.name] = Item(m, "INBOX")
        c.write("t APPEND INBOX {%d+}\r\n" % len(m.crlf()))
        c.write(m.crlf() + b"\r\n")
        l = c.tagged("t")[-1]
        if not l.startswith("t OK"):
            raise Fail("APPEND: %r" % l)
        u = re.search(r"APPENDUID (\d+) (\d+)", l)
        with self.lock:
            i.where = {"INBOX"}
            if u:
                self.validity["INBOX"], i.uid = u.group(1), int(u.group(2))
            self.done += 1

    def change(self, c, command, i, **to):
        with self.lock:
            for k, v in to.items():
                getattr(i, k).add(v)
        c.do(command)
        with self.lock:
            for k, v in to.items():
                setattr(i, k, {v})
            self.done += 1

    def snapshot(self):
        with self.lock:
            return [(i.m.name, set(i.where), set(i.flagged), i.uid) for i in self.items.values()]


def imap_login(s, user):
    c = s.imap(timeout=20)
    c.line()
    c.do("LOGIN %s %s" % (user, PLAIN_PASS))
    return c
