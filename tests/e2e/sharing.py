"""Many domains, one host: they share its connections, its limits, and what is known of it."""
import os, signal, ssl, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import dns
from lib import *
from peer import Peer

US, OTHER, A, DEAD, SLOW, LATE, FEW = ("192.0.2.%d" % i for i in (1, 2, 10, 11, 12, 13, 14))
HERE = dns.own_network(US, OTHER, A, DEAD, SLOW, LATE, FEW)
if not HERE:
    print("skip e2e/sharing: only as root")
    sys.exit(0)

ZONE = {"%s.lab" % n: {"A": [a]} for n, a in (("a", A), ("dead", DEAD), ("slow", SLOW), ("late", LATE), ("few", FEW))}
for host, n in (("a", 100), ("dead", 50), ("slow", 150), ("late", 3), ("few", 40)):
    ZONE.update({"%s%d.lab" % (host, i): {"MX": [(10, host + ".lab")]} for i in range(n)})
ZONE.update({"lost%d.lab" % i: None for i in range(2000)})
ZONE["backup.lab"] = {"MX": [(10, "dead.lab"), (20, "a.lab")]}


def slowly():
    time.sleep(0.05)
    return "250 taken\r\n"


def very_slowly():
    time.sleep(0.3)
    return "250 taken\r\n"


class Tired(Peer):
    """Says 421 to the second message of a connection, as some servers do."""

    def serve(self, c):
        seen = []

        def mail(line):
            seen.append(line)
            return "250 ok\r\n" if len(seen) == 1 else "421 4.7.0 enough\r\n"
        self.replies["MAIL"] = mail
        super().serve(c)


class Limited(Peer):
    """One recipient at a time, two messages a connection; then it says end, or nothing and goes."""

    def __init__(self, end, limits):
        super().__init__({"EHLO": "250-peer\r\n250-PIPELINING\r\n250 LIMITS RCPTMAX=1%s\r\n" % limits})
        self.end, self.mails = end, {}

    def say(self, c, word, line=b""):
        n = self.mails[c] = self.mails.get(c, 0) + (word == "MAIL")
        if word == "MAIL" and n > 2:
            if self.end is None:
                raise OSError
            c.sendall(self.end)
        else:
            super().say(c, word, line)


class Crowded(Peer):
    """Takes three connections at a time, and says 421 to any other."""
    refused = 0

    def banner(self):
        if self.open <= 3:
            return "220 peer\r\n"
        self.refused += 1
        return "421 4.7.0 too many connections\r\n"

    def __init__(self, **kw):
        super().__init__({"BANNER": lambda: self.banner(), "DOT": slowly}, **kw)

    def serve(self, c):
        if self.open > 3:
            c.settimeout(1)
        super().serve(c)


tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(certs() + "/ec.crt", certs() + "/ec.key")
one = Peer({"EHLO": "250-peer\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n", "STARTTLS": "220 go\r\n",
            "AUTH": "235 2.7.0 in\r\n", "LHLO": "250 peer\r\n"}, context=tls)
tired, fast = Tired(), Peer()
strict, silent = Limited(b"503 5.5.1 two is the limit\r\n", " MAILMAX=2"), Limited(None, "")
busy = Crowded(context=tls)
busy.replies.update(one.replies, BANNER=busy.replies["BANNER"], DOT=slowly)
few = Crowded(port=25, host=FEW)
a, slow = Peer(port=25, host=A), Peer({"DOT": slowly}, port=25, host=SLOW)
dead = Peer({"BANNER": lambda: None}, port=25, host=DEAD)

ROUTES = (
    ("plain", "smtp+notls://127.0.0.1:{0}"), ("tls", "smtp://127.0.0.1:{0}"), ("lmtp", "lmtp://127.0.0.1:{0}"),
    ("me", "smtp+notls://me@127.0.0.1:{0}\" auth <secrets> \""),
    ("you", "smtp+notls://you@127.0.0.1:{0}\" auth <secrets> \""),
    ("again", "smtp+notls://me@127.0.0.1:{0}\" auth <others> \""))

s = Suite(daemons=("smtpd",), start=False, rules="permit localhost relay\npermit any deliver\n")
for n in ("secrets", "others"):
    s.write(n, "me: %s:x\nyou: you:y\n" % n, 0o600)
s.configure(routes="".join('table %s file "%s/%s"\n' % (n, s.dir, n) for n in ("secrets", "others")) +
            "".join('relay to "%s.example" via "%s"\n' % (n, u.format(one.port)) for n, u in ROUTES).replace(' ""', "") +
            'relay to { "tired1.example", "tired2.example", "tired3.example" } via "smtp+notls://127.0.0.1:%d"\n' % tired.port +
            'relay to "busy.example" via "smtp+notls://127.0.0.1:%d"\n' % busy.port +
            'relay to "other.example" via "smtp://127.0.0.1:%d"\n' % busy.port +
            'relay to "strict.example" via "smtp+notls://127.0.0.1:%d"\n' % strict.port +
            'relay to "silent.example" via "smtp+notls://127.0.0.1:%d"\n' % silent.port +
            'relay to "fast.example" via "smtp+notls://127.0.0.1:%d"\n' % fast.port +
            'relay to "a99.lab" source %s\nrelay any source %s\nqueue retry 1m to 4h lifetime 1d\n' % (OTHER, US))
names = dns.Names(ZONE)
s.start()


def send(to, subject):
    return s.send(to, subject)


def arrive(peer, subject, count=1, secs=10):
    want = b"Subject: " + subject.encode()
    until("%d of %s, there are %d\n%s%s" % (count, subject, sum(want in m for m in list(peer.messages)),
          s.ctl("queue", "list")[1][-1000:], s.log_tail()),
          lambda: sum(want in m for m in list(peer.messages)) >= count, secs)


def sessions():
    """That relay was asked for since it began."""
    s.log_mark()
    os.kill(s.pid("smtpd"), signal.SIGUSR1)
    return int(s.log_wait(r"relay: stats .*opened=(\d+)").group(1))


@case
def one_after_the_other():
    """Ten domains of one host: one connection."""
    for i in range(10):
        send("x@a%d.lab" % i, "in turn %d" % i)
        arrive(a, "in turn %d" % i)
    equal(a.connections, 1, "connections")


@case
def another_source_is_another_client():
    n = a.connections
    send("x@a1.lab", "from us")
    arrive(a, "from us")
    send("x@a99.lab", "from elsewhere")
    arrive(a, "from elsewhere")
    equal(a.connections, n + 1, "connections")


@case
def all_at_once():
    """Never more connections than one host gets, and nobody is left out."""
    n, before = 150, sessions()
    t = time.monotonic()
    send(["x@slow%d.lab" % i for i in range(n)], "crowd")
    arrive(slow, "crowd", n, 30)
    check(slow.most <= 20, "%d connections at a time" % slow.most)
    check(slow.connections <= 40, "%d connections" % slow.connections)
    took = time.monotonic() - t
    check(took < 9, "who was turned away came when his time was over: %.1f s" % took)
    # Nobody's connection is taken from him while his message is on its way.
    asked = sessions() - before
    check(asked <= 3 * n, "%d sessions" % asked)
    print("# %d domains: %d sessions, %d connections, %d at a time, %.1f s" % (
        n, asked, slow.connections, slow.most, took), flush=True)


@case
def one_destination_grows():
    """Its sessions do not take each other's connections."""
    s.ctl("pause", "relay")
    for i in range(60):
        send("x%d@fast.example" % i, "fast")
    s.ctl("resume", "relay")
    arrive(fast, "fast", 60)
    check(5 < fast.connections <= 20, "%d connections" % fast.connections)


@case
def a_host_that_takes_few_connections():
    """It turns away what is too many; nobody waits for long for that."""
    n = 40
    send(["x@few%d.lab" % i for i in range(n)], "few")
    arrive(few, "few", n, 60)
    check(0 < few.refused <= 8, "%d times refused" % few.refused)
    print("# %d domains, three at a time: %d times refused" % (n, few.refused), flush=True)


@case
def whoever_cannot_share_gets_a_turn():
    """Its protection is another, and the host takes no more connections: one of the others makes room."""
    n = 160
    s.ctl("pause", "relay")
    for i in range(n):
        send("x%d@busy.example" % i, "busy")
    # However slow we are, they are not through before the other one is there.
    busy.replies["DOT"] = very_slowly
    s.ctl("resume", "relay")
    until("crowded", lambda: busy.refused > 0 and len(busy.messages) > 10)
    send("x@other.example", "not shared")
    arrive(busy, "not shared", secs=70)
    before = len(busy.messages)
    check(before < n * 3 // 4, "%d of %d before it" % (before, n))
    busy.replies["DOT"] = slowly
    arrive(busy, "busy", n, 30)
    print("# %d of %d came before it, %d connections" % (before, n, busy.connections), flush=True)


@case
def other_terms_other_connection():
    """Another protocol, protection, user or password: nothing is shared."""
    for i, (name, url) in enumerate(ROUTES):
        send("x@%s.example" % name, "terms %s" % name)
        arrive(one, "terms %s" % name)
        equal(one.connections, i + 1, "connections after " + name)
    n = sum(b"AUTH" in l for l in one.commands)
    equal(n, 3, "logins")


@case
def a_server_that_takes_one_message():
    """It says 421 to the next one, which is not at fault and goes at once."""
    for i in range(1, 4):
        send("x@tired%d.example" % i, "tired %d" % i)
        arrive(tired, "tired %d" % i, secs=5)
    equal(tired.connections, 3, "connections")


@case
def recipients_that_need_several_connections():
    """What a server takes of a message on a connection is not all: the rest goes at once on the next."""
    for name, peer in (("strict", strict), ("silent", silent)):
        send(["x%d@%s.example" % (i, name) for i in range(7)], name)
        arrive(peer, name, 7, 10)
        rcpts = sorted(l for l in peer.commands if l.startswith(b"RCPT"))
        equal(len(set(rcpts)), 7, "recipients")
        equal(len(peer.messages), 7, "messages")
        check(peer.connections <= 5, "%d connections" % peer.connections)


@case
def dead_for_all():
    """Fifty domains of a host that lets nobody in: a few attempts; the others know."""
    n = 50
    send(["x@dead%d.lab" % i for i in range(n)], "dead")
    until("all wait\n" + s.log_tail(), lambda: s.ctl("queue", "list")[1].count("blocked  x@dead") == n, 10)
    check(dead.connections <= 3, "%d connections" % dead.connections)
    # A message with another host has no time to lose.
    send("x@backup.lab", "second host")
    arrive(a, "second host", secs=5)
    check(dead.connections <= 3, "%d connections" % dead.connections)
    n0 = dead.connections
    s.ctl("queue", "retry", "to=x@dead7.lab")
    until("the administrator's try", lambda: dead.connections == n0 + 1)
    dead.replies["BANNER"] = "220 peer\r\n"
    s.ctl("queue", "retry")
    arrive(dead, "dead", n, 20)


@case
def dead_for_its_time_only():
    """Refused; there after a while: its next try is its own."""
    s.configure(routes=s.vars["routes"].replace("retry 1m to", "retry 2s to"))
    s.log_mark()
    s.reload()
    s.log_wait("reloaded")
    send(["x@late%d.lab" % i for i in range(3)], "late")
    until("all wait", lambda: s.ctl("queue", "list")[1].count("blocked  x@late") == 3)
    late = Peer(port=25, host=LATE)
    arrive(late, "late", 3, 15)


@case
def more_destinations_than_sessions():
    """Two thousand whose names nobody answers for: mail that can go does not wait behind them."""
    for i in range(0, 2000, 500):
        send(["x@lost%d.lab" % j for j in range(i, i + 500)], "lost")
    until("the first are asked for", lambda: ("lost0.lab", "MX") in names.asked)
    for i in range(4):
        send("bob@example.org", "local %d" % i)
        s.wait_mail("bob@example.org", "local %d" % i, secs=5)


@case
def still_the_same_processes():
    check("killed by signal" not in s.log() and "bad message" not in s.log(), s.log_tail())


finish()
