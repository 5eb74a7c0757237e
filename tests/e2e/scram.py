"""SCRAM-SHA-256 in all three daemons: our own client, and those that people use."""
import os, re, shutil, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

PEOPLE_ = {
    "alice@example.org": scram_verifier(PASS),
    "many@example.org": scram_verifier(PASS, 20000, b"another salt"),
    "odd,user=@example.org": scram_verifier(PASS),
    "plain@example.org": "{PLAIN}" + PASS,
    "crypt@example.org": "sha512",
}
s = Suite(people=PEOPLE_, start=False)
s.configure(slurp(s.conf).decode().replace("auth <people>", "auth <people> scram"))
s.start()
A = "alice@example.org"


class Smtp:
    def __init__(self, port="submission"):
        self.c = s.smtp(port)
        self.c.expect("220")
        self.hello = self.c.cmd("EHLO client.example", "250")

    def offers(self):
        return re.search(r"250.AUTH (.*)", self.hello).group(1).split()

    def start(self, initial=None):
        return self.say("AUTH SCRAM-SHA-256" + (" " + initial if initial else ""))

    def say(self, line):
        r = self.c.cmd(line)
        return (r[:3], base64.b64decode(r[4:]).decode() if r.startswith("334") else r) if r else (None, r)

    more, good, bad, stop = "334", "235", "535", "501"


class Imap:
    def __init__(self, port="imap"):
        self.c = s.imap(port)
        self.hello = self.c.line()

    def offers(self):
        return re.findall(r"AUTH=(\S+?)[\] ]", self.hello)

    def start(self, initial=None):
        return self.say("t AUTHENTICATE SCRAM-SHA-256" + (" " + initial if initial else ""))

    def say(self, line):
        self.c.write(line + "\r\n")
        r = self.c.line()
        if r is None:
            return None, r
        return ("+", base64.b64decode(r[2:]).decode()) if r.startswith("+") else (r.split()[1], r)

    more, good, bad, stop = "+", "OK", "NO", "BAD"


class Pop3:
    def __init__(self, port="pop3"):
        self.c = s.pop3(port)
        self.c.line()
        self.c.pop("CAPA")
        self.hello = self.c.multi()

    def offers(self):
        return [l for l in self.hello if l.startswith("SASL ")][0].split()[1:]

    def start(self, initial=None):
        return self.say("AUTH SCRAM-SHA-256" + (" " + initial if initial else ""))

    def say(self, line):
        self.c.write(line + "\r\n")
        r = self.c.line()
        if r is None:
            return None, r
        return ("+", base64.b64decode(r[2:]).decode()) if r.startswith("+ ") or r == "+" else (r.split()[0], r)

    more, good, bad, stop = "+", "+OK", "-ERR", "-ERR"


ALL = (Smtp, Imap, Pop3)


def login(p, user=A, password=PASS, initial=True, gs2="n,,"):
    """The last reply."""
    sc = Scram(user, password, gs2)
    if initial:
        code, text = p.start(b64(sc.first()))
    else:
        code, text = p.start()
        equal((code, text), (p.more, ""), "start")
        code, text = p.say(b64(sc.first()))
    if code != p.more:
        return code, text
    code, text = p.say(b64(sc.final(text)))
    if code != p.more:
        return code, text
    equal(text, sc.want, "the server's proof")
    return p.say("")


@case
def offered():
    """The strongest first, and no -PLUS; in the clear only on loopback, as with PLAIN."""
    for proto in ALL:
        equal(proto().offers(), ["SCRAM-SHA-256", "PLAIN", "LOGIN"], proto.__name__)
        code, text = proto().say(("t AUTHENTICATE" if proto is Imap else "AUTH") + " SCRAM-SHA-256-PLUS")
        check(code in ("504", "NO", "-ERR"), text)


@case
def logs_in():
    for proto in ALL:
        for kw in (dict(), dict(initial=False), dict(gs2="y,,"), dict(user="ALICE@example.NET"),
                   dict(user="many@example.org"), dict(user="odd,user=@example.org"), dict(user="plain@example.org")):
            p = proto()
            code, text = login(p, **kw)
            equal(code, p.good, "%s %r: %s" % (proto.__name__, kw, text))
            p.c.close()
    for proto, port in ((Smtp, "smtps"), (Imap, "imaps"), (Pop3, "pop3s")):
        equal(login(proto(port))[0], proto.good, port)


@case
def login_works():
    """What follows is the user's own mailbox, or a permission to relay."""
    s.send(A, "for scram")
    s.wait_mail(A, "for scram")
    p = Imap()
    login(p)
    check(any("1 EXISTS" in l for l in p.c.do("SELECT INBOX")), "no message")
    p = Pop3()
    login(p)
    check(p.c.pop("STAT").startswith("+OK 1 "), "no message")
    p = Smtp()
    login(p)
    p.c.cmd("MAIL FROM:<%s>" % A, "250")
    p.c.cmd("RCPT TO:<x@else.example>", "250")
    s.log_mark()
    p = Imap()
    login(p, "Alice@example.net")
    s.log_wait(r"login: user=alice@example\.org addr=127\.0\.0\.1")


@case
def nobody_is_told_apart():
    """Wrong password, no such user, another kind of hash: the same to the letter."""
    for n, proto in enumerate(ALL):
        said = set()
        for user in ("many@example.org", "crypt@example.org", "zed%d@example.org" % n):
            p = proto()
            code, text = login(p, user, "wrong%d" % n)
            equal(code, p.bad, user)
            said.add(text)
            s.log_wait(r"authentication failed: user=%s addr=127\.0\.0\.1 proto=%s" % (user.replace(".", r"\."), proto.__name__.lower()))
        equal(len(said), 1, "answers")
    salts = set()
    for proto in ALL:
        sc = Scram("zed@example.org", PASS)
        salts.add(proto().start(b64(sc.first()))[1].split(",", 1)[1])
    equal(len(salts), 1, "a made-up salt differs between daemons")
    s.stop("imapd")
    s.start("imapd")
    salts.add(Imap().start(b64(Scram("zed@example.org", PASS).first()))[1].split(",", 1)[1])
    equal(len(salts), 1, "a made-up salt changes with a restart")
    check(os.stat(s.dir + "/run/decoy.key").st_mode & 0o777 == 0o600, "mode of decoy.key")


@case
def binding():
    """c= must be the header of the first message; -PLUS is not accepted."""
    for proto in ALL:
        for binding in ("", "biw", b64("y,,"), b64("n,,x"), b64("p=tls-unique,,")):
            p = proto()
            sc = Scram("plain@example.org", PASS)
            code, text = p.start(b64(sc.first()))
            code, text = p.say(b64(sc.final(text, binding)))
            equal(code, p.bad, "%s c=%s: %s" % (proto.__name__, binding, text))
            p.c.close()
            p = proto()
            equal(login(p, "plain@example.org")[0], p.good, "after it")
        p = proto()
        code, text = p.start(b64("p=tls-exporter,,n=alice,r=abc"))
        equal(code, p.bad, text)


@case
def spoiled():
    """Cancelled, no base64, too long, out of order: this exchange ends and no other."""
    for proto in ALL:
        other = proto()
        sc = Scram("many@example.org", PASS)
        other_first = other.start(b64(sc.first()))[1]
        for lines in (["*"], ["!!!"], ["abc"], [b64("\0\0")], [""], [b64("x" * 760)],
                      [b64("n,,n=alice,r=abc"), "*"], [b64("n,,n=alice,r=abc"), "!"], [b64("n,,n=alice,r=abc"), ""]):
            p = proto()
            code, text = p.start()
            for l in lines:
                code, text = p.say(l)
            check(code in (p.stop, p.bad, "500", "501"), "%s %r: %s %s" % (proto.__name__, lines, code, text))
            p.c.close()
        p = proto()
        p.start()
        p.c.write("A" * 70000 + "\r\n")
        check(p.c.closed(), "an endless line is still read")
        for i in range(20):
            p = proto()
            p.start(b64("n,,n=alice,r=abc"))
            p.c.close()
        # the first one is still where it was
        code, text = other.say(b64(sc.final(other_first)))
        equal((code, text), (other.more, sc.want), "another session")
        equal(other.say("")[0], other.good, "another session")
    for d in ("smtpd", "imapd", "pop3d"):
        check(len(s.role(d, "auth")) == 1, "auth of " + d)


@case
def cancelled_after_the_proof():
    """The client saw a server that it does not trust: nobody is logged in."""
    for proto in ALL:
        p = proto()
        sc = Scram(A, PASS)
        code, text = p.start(b64(sc.first()))
        equal(p.say(b64(sc.final(text)))[0], p.more)
        equal(p.say("*")[0], p.stop)
        p.c.close()


@case
def only_where_users_have_keys():
    """Where no auth line says so SCRAM is not offered."""
    s2 = Suite(daemons=("smtpd",))
    try:
        c = s2.smtp("submission")
        r = c.hello()
        check("AUTH PLAIN LOGIN" in r and "SCRAM" not in r, r)
        c.cmd("AUTH SCRAM-SHA-256", "504")
        check(not os.path.exists(s2.dir + "/run/decoy.key"), "a key for nothing")
    finally:
        s2.close()


def have(tool):
    if shutil.which(tool) is None:
        skip("no " + tool)


@case
def gsasl():
    have("gsasl")
    for proto, port in (("--imap", "imap"), ("--smtp", "submission")):
        st, out = run("gsasl", proto, "--connect", "127.0.0.1:%d" % s.ports[port], "--mechanism", "SCRAM-SHA-256",
                      "--authentication-id", A, "--authorization-id", A, "--password", PASS, "--no-starttls", "--no-cb",
                      "--application-data", input=b"", timeout=20)
        check("Client authentication finished (server trusted)" in out, port + ": " + out[-800:])


@case
def msmtp():
    have("msmtp")
    st, out = run("msmtp", "--version")
    if "scram-sha-256" not in out.lower():
        skip("this msmtp speaks no SCRAM-SHA-256")
    conf = s.write("msmtprc", "account default\nhost 127.0.0.1\nport %d\ntls on\ntls_starttls off\ntls_certcheck off\n"
                   "auth scram-sha-256\nuser %s\npassword %s\nfrom %s\n" % (s.ports["smtps"], A, PASS, A), 0o600)
    st, out = run("msmtp", "-C", conf, A, input=b"Subject: by msmtp\n\nhello\n")
    equal(st, 0, out)
    s.wait_mail(A, "by msmtp")


@case
def mpop():
    have("mpop")
    st, out = run("mpop", "--version")
    if "scram-sha-256" not in out.lower():
        skip("this mpop speaks no SCRAM-SHA-256")
    box = os.path.join(s.dir, "mpop.box")
    conf = s.write("mpoprc", "account default\nhost 127.0.0.1\nport %d\ntls on\ntls_starttls off\ntls_certcheck off\n"
                   "auth scram-sha-256\nuser %s\npassword %s\ndelivery mbox %s\nuidls_file %s\nkeep on\n" % (
                       s.ports["pop3s"], A, PASS, box, box + ".uidls"), 0o600)
    s.send(A, "for mpop")
    s.wait_mail(A, "for mpop")
    st, out = run("mpop", "-C", conf, "-q")
    equal(st, 0, out)
    check(b"for mpop" in slurp(box), "not fetched")


finish()
