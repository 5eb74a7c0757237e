"""Mail that leaves: MX records, LMTP, what a peer takes and does not take, logins with tokens."""
import base64, email, os, re, socket, sys, threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import dns
from lib import *
from peer import Peer

US, A, B, C = "192.0.2.1", "192.0.2.10", "192.0.2.11", "192.0.2.12"
A6 = "2001:db8::10"
HERE = dns.own_network(US, A, B, C, A6)

ZONE = {
    "two.lab": {"MX": [(20, "b.lab"), (10, "dead.lab")]},
    "dead.lab": {"A": ["192.0.2.13"]},
    "a.lab": {"A": [A], "AAAA": [A6]},
    "b.lab": {"A": [B]},
    "implicit.lab": {"A": [A]},
    "alias.lab": {"CNAME": ["two.lab"]},
    "null.lab": {"MX": [(0, ".")]},
    "loop.lab": {"MX": [(5, "mail.example.org"), (10, "b.lab")]},
    "better.lab": {"MX": [(10, "mail.example.org"), (5, "b.lab")]},
    "mail.example.org": {"A": [US]},
    "ourselves.lab": {"MX": [(5, "other-name-of.us"), (10, "b.lab")]},
    "other-name-of.us": {"A": [US]},
    "beside.lab": {"MX": [(10, "c.lab")]},
    "door.lab": {"MX": [(10, "localhost.lab")]},
    "localhost.lab": {"A": ["127.0.0.1"]},
    "fail.lab": "fail",
    "nobody.lab": {"MX": [(10, "nowhere.lab")]},
    "c.lab": {"A": [C]},
    "many.lab": {"MX": [(i, "h%d.lab" % i) for i in range(12)]},
}
ZONE.update({"even%d.lab" % i: {"MX": [(10, "a.lab"), (10, "b.lab"), (10, "c.lab")]} for i in range(40)})
ZONE.update({"h%d.lab" % i: {"A": ["192.0.2.%d" % (100 + i)]} for i in range(12)})

full = {"full@tcp.lab": "552 5.2.2 full\r\n", "later@tcp.lab": "450 4.2.0 later\r\n"}


def per_recipient(line):
    return full.get(line.decode().split("<")[1].split(">")[0], "250 2.0.0 stored\r\n")


EIGHT = "250-peer\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
seven = Peer({"EHLO": "250-peer\r\n250-PIPELINING\r\n250 SIZE 100000\r\n"})
binary = Peer({"EHLO": "250-peer\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-BINARYMIME\r\n250-CHUNKING\r\n"
               "250-SMTPUTF8\r\n250 DSN\r\n", "BDAT": "250 2.0.0 taken\r\n"})
eight = Peer()
few = Peer({"EHLO": "250-peer\r\n250-PIPELINING\r\n250 LIMITS RCPTMAX=2\r\n"})
tcp = Peer({"LHLO": EIGHT, "DOT": per_recipient})
tokens = []
gmail = Peer({"EHLO": "250-peer\r\n250 AUTH XOAUTH2 PLAIN\r\n",
              "AUTH": lambda l: (tokens.append(base64.b64decode(l.split()[2])), "235 2.7.0 in\r\n")[1]})
closed = Peer({"EHLO": "250-peer\r\n250 AUTH PLAIN\r\n", "AUTH": "535 5.7.8 no\r\n"})

s = Suite(start=False)
sock = os.path.join(s.dir, "lmtp.sock")
os.chmod(s.dir, 0o755)
unix = Peer({"LHLO": EIGHT}, path=sock)
s.write("people", slurp(s.dir + "/people").decode() + "".join("%s:{PLAIN}x\n" % u for u in (
    "joe@unix.lab", "joe@tcp.lab", "full@tcp.lab", "later@tcp.lab")), 0o640)
s.write("secrets", "gmail: me@gmail.example\nplain: me:secret\n", 0o600)
s.write("secrets.gmail", "first.token\n", 0o600)
s.configure(routes="""
table secrets file "{0}/secrets"
domain {{ "unix.lab", "unix.example" }} {{
	users <people>
	deliver lmtp "{0}/lmtp.sock"
}}
domain "tcp.lab" {{
	users <people>
	deliver lmtp "127.0.0.1:{1}"
}}
domain "gone.lab" {{
	users <people>
	deliver lmtp "{0}/nothing.sock"
}}
relay to "lmtp.example" via "lmtp://127.0.0.1:{1}"
relay to "seven.example" via "smtp://127.0.0.1:{2}"
relay to "binary.example" via "smtp://127.0.0.1:{3}"
relay to "eight.example" via "smtp://127.0.0.1:{4}"
relay to "few.example" via "smtp://127.0.0.1:{5}"
relay to "gmail.example" via "smtp+notls://gmail@127.0.0.1:{6}" auth <secrets>
relay to "closed.example" via "smtp+notls://plain@127.0.0.1:{8}" auth <secrets>
relay to {{ "ourselves.lab", "beside.lab" }}
relay any source {7}
queue retry 1s to 5s lifetime 1h
""".format(s.dir, tcp.port, seven.port, binary.port, eight.port, few.port, gmail.port, US, closed.port))
if HERE:
    names = dns.Names(ZONE)
    at = {h: Peer({"BANNER": "220 mail.example.org ESMTP\r\n"} if h == US else {}, port=25, host=h) for h in (US, A, B, C, A6)}
s.start()


def submit(to, subject, body="hello\r\n", params="", rparams="", sender="alice@example.org", head=""):
    c = s.smtp("submission")
    c.hello()
    c.starttls()
    c.cmd("EHLO laptop.example", "250")
    c.auth()
    c.cmd("MAIL FROM:<%s>%s" % (sender, params), "250")
    for t in [to] if isinstance(to, str) else to:
        c.cmd("RCPT TO:<%s>%s" % (t, rparams), "250")
    c.cmd("DATA", "354")
    c.write("From: alice@example.org\r\nSubject: %s\r\n%s\r\n" % (subject, head))
    c.write(body)
    c.write(".\r\n")
    r = c.expect("250")
    c.close()
    return queue_id(r)


def arrives(peer, subject, secs=None):
    want = b"Subject: " + subject.encode()
    return until("%s at %s\n%s" % (subject, peer.path or peer.port, s.log_tail()),
                 lambda: [m for m in peer.messages if want in m], secs)[0]


def returned(to, subject, pattern, **kw):
    """The sender is told, with this diagnostic."""
    s.empty("alice@example.org")
    submit(to, subject, **kw)
    t = slurp(s.wait_mail("alice@example.org", to, secs=15)[0]).decode()
    check(re.search(pattern, t), "%r is not in\n%s" % (pattern, t))


# ------------------------------------------------------------ MX

if HERE:
    @case
    def mx_by_preference():
        """The best one is dead: the next one gets it; a CNAME is followed."""
        for to in ("x@two.lab", "x@alias.lab"):
            submit(to, "mx " + to)
            arrives(at[B], "mx " + to)

    @case
    def mx_implicit():
        submit("x@implicit.lab", "implicit")
        arrives(at[A], "implicit")

    @case
    def mx_equal_ones_take_turns():
        """Of three with one preference none is left out, over forty domains."""
        submit(["x@even%d.lab" % i for i in range(40)], "even")
        until("all of them", lambda: sum(b"even" in m for h in (A, B, C, A6) for m in at[h].messages) == 40, 20)
        for hosts in ((A, A6), (B,), (C,)):
            check(any(b"even" in m for h in hosts for m in at[h].messages), "nothing at %s" % hosts[0])

    @case
    def mx_null():
        returned("x@null.lab", "null mx", r"5\.1\.10")

    @case
    def mx_loops():
        """We are the best one: nobody else is tried.  We are the second: the first is."""
        n = len(at[B].messages)
        returned("x@loop.lab", "mx loop", r"5\.4\.6")
        returned("x@door.lab", "our door", r"5\.4\.6")
        returned("x@ourselves.lab", "our address", r"5\.4\.6")
        equal(len(at[B].messages), n, "messages at the worse one")
        equal(at[US].messages, [], "messages to ourselves")
        submit("x@better.lab", "better")
        arrives(at[B], "better")

    @case
    def mx_beside_us():
        """Another server on another address of this machine, to which the kernel connects from that address, is not us."""
        submit("x@beside.lab", "beside")
        arrives(at[C], "beside", 10)

    @case
    def mx_not_there():
        returned("x@unknown.lab", "no domain", r"5\.1\.2")
        returned("x@nobody.lab", "no host", r"5\.4\.4")

    @case
    def mx_no_answer():
        """SERVFAIL is no verdict: it waits, and goes when the answer comes."""
        s.log_mark()
        qid = submit("x@fail.lab", "servfail")
        s.log_wait(r"4\.4\.3")
        check(qid in s.ctl("queue", "list")[1], "not in the queue")
        names.zone["fail.lab"] = {"A": [A]}
        s.ctl("queue", "delete", qid)

    @case
    def mx_many():
        """Of twelve dead hosts ten are tried."""
        s.log_mark()
        qid = submit("x@many.lab", "many")
        s.log_wait(r"many\.lab: put off|" + qid + ".*many", 20)
        asked = {n for n, k in names.asked if n.startswith("h") and n.endswith(".lab")}
        equal(len(asked), 10, "hosts asked for")
        s.ctl("queue", "delete", qid)


# ------------------------------------------------------------ LMTP

@case
def lmtp_unix():
    """A local socket, that only the parent can reach; the domain's first name."""
    for i, to in enumerate(("joe@unix.lab", "joe@unix.example", "joe+detail@unix.lab")):
        s.send(to, "unix%d" % i)
        arrives(unix, "unix%d" % i)
    text = b"".join(unix.commands)
    check(b"LHLO mail.example.org\r\n" in text, text)
    equal(re.findall(rb"RCPT TO:<(\S+)>", text), [b"joe@unix.lab", b"joe@unix.lab", b"joe+detail@unix.lab"])


@case
def lmtp_unknown_user():
    c = s.smtp()
    c.hello()
    c.cmd("MAIL FROM:<x@client.example>", "250")
    c.cmd("RCPT TO:<nobody@unix.lab>", "550 5.1.1")
    c.close()


@case
def lmtp_each_recipient():
    """One takes it, one is full, one later: each has its own reply."""
    s.empty("alice@example.org")
    qid = s.send(["joe@tcp.lab", "full@tcp.lab", "later@tcp.lab"], "each", sender="alice@example.org")
    arrives(tcp, "each")
    t = slurp(s.wait_mail("alice@example.org", "full@tcp.lab")[0]).decode()
    check("5.2.2" in t and "joe@tcp.lab" not in t, t)
    check("later@tcp.lab" in s.ctl("queue", "show", qid)[1], "not waiting")
    del full["later@tcp.lab"]
    s.ctl("queue", "retry")
    until("it is gone", lambda: qid not in s.ctl("queue", "list")[1])


@case
def lmtp_route():
    submit("any@lmtp.example", "lmtp route")
    arrives(tcp, "lmtp route")


@case
def lmtp_socket_comes_later():
    s.log_mark()
    s.write("people", slurp(s.dir + "/people").decode() + "joe@gone.lab:{PLAIN}x\n", 0o640)
    c = s.smtp()
    c.hello()
    c.cmd("MAIL FROM:<x@client.example>", "250")
    until("the new user", lambda: c.cmd("RCPT TO:<joe@gone.lab>").startswith("250"), 15, 1)
    c.close()
    s.send("joe@gone.lab", "patience")
    s.log_wait(r"nothing\.sock.*(No such file|put off)")
    late = Peer({"LHLO": EIGHT}, path=os.path.join(s.dir, "nothing.sock"))
    arrives(late, "patience", 20)
    late.close()


# ------------------------------------------------------------ what a peer takes

@case
def eight_bits_to_seven():
    """Quoted-printable for the one, as it is for the other."""
    body = "gr\u00fc\u00df\r\nx.dot\r\n" + "\u00e4" * 200 + "\r\n"
    head = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
    submit(["x@seven.example", "x@eight.example"], "bits", body, " BODY=8BITMIME", head=head)
    for peer in (seven, eight):
        raw = arrives(peer, "bits")
        m = email.message_from_bytes(raw)
        equal(m.get_payload(decode=True).replace(b"\r\n", b"\n"), body.replace("\r\n", "\n").encode(), "the text")
        equal(all(b < 128 for b in raw), peer is seven, "7 bits")
    check(any(b"BODY=8BITMIME" in l for l in eight.commands), eight.commands)
    check(not any(b"BODY=" in l for l in seven.commands), seven.commands)


@case
def eight_bits_that_cannot():
    returned("x@seven.example", "raw \u00e4", r"5\.6\.3", params=" BODY=8BITMIME")
    returned("x@seven.example", "big", r"5\.3\.4", body="x" * 70 + "\r\n" + ("y" * 70 + "\r\n") * 2000)


@case
def few_recipients_at_a_time():
    to = ["u%d@few.example" % i for i in range(5)]
    submit(to, "few")
    until("three transactions", lambda: sum(b"Subject: few" in m for m in few.messages) == 3)
    got = re.findall(rb"RCPT TO:<(\S+)>", b"".join(few.commands))
    equal(sorted(got), sorted(t.encode() for t in to))
    check(few.connections <= 2, "connections: %d" % few.connections)


@case
def token_from_a_file():
    """XOAUTH2; the token is read again for each login."""
    for i, token in enumerate(("first.token", "second.token")):
        s.write("secrets.gmail", token + "\n", 0o600)
        submit("x@gmail.example", "token%d" % i)
        arrives(gmail, "token%d" % i)
        until("the end of the session", lambda: gmail.open == 0, 20)
    equal(tokens, [b"user=me@gmail.example\1auth=Bearer %s\1\1" % t for t in (b"first.token", b"second.token")])
    check("token" not in s.log().replace("token0", "").replace("token1", "").replace("secrets.gmail", ""),
          "the token is in the log")


@case
def token_that_others_read():
    s.log_mark()
    s.write("secrets.gmail", "third.token\n", 0o644)
    qid = submit("x@gmail.example", "open token")
    s.log_wait(r"secrets\.gmail: a token must be")
    check(not any(b"open token" in m for m in gmail.messages), "it was used")
    s.ctl("queue", "delete", qid)


@case
def login_refused():
    """Each failure may count for the lock of an account: one a try, however many messages wait."""
    s.log_mark()
    s.ctl("pause", "relay")
    for i in range(3):
        submit("x@closed.example", "refused%d" % i)
    equal(closed.connections, 0)
    s.ctl("resume", "relay")
    s.log_wait(r"queue: 127\.0\.0\.1: put off, \d recipients wait, next try in \ds: 454 4\.7\.8 .* refuses our login: 535 5\.7\.8")
    s.ctl("pause", "relay")

    def logins():
        return sum(c.startswith(b"AUTH PLAIN") for c in closed.commands)
    until("one login a try", lambda: logins() == len(re.findall(r": put off, .*refuses our login", s.log_since())), 5)
    s.ctl("queue", "delete", "domain=closed.example")
    s.ctl("resume", "relay")


@case
def still_the_same_processes():
    text = re.sub(r".*relay.*", "", s.log())
    check(not re.search(r"killed by signal|exited with status|killing ", text),
          "\n".join(l for l in text.splitlines() if re.search(r"signal|exited|killing", l)))


finish()
