"""Reports to senders: failure, delay, success, relayed, expanded; what is asked for, and no more."""
import email, email.policy, json, os, re, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *
from peer import Peer

A, B, C = "alice@example.org", "bob@example.org", "carol@example.org"
D = "info@catch.example"
hard = Peer({"RCPT": "550 5.1.1 no such user\r\n"})
plain, knows = Peer(), Peer({"EHLO": "250-peer\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 DSN\r\n"})
soft = Peer({"RCPT": "450 4.2.1 not now\r\n"})
ROUTES = """
relay to "hard.example" via "smtp+notls://127.0.0.1:%d"
relay to "plain.example" via "smtp+notls://127.0.0.1:%d"
relay to "knows.example" via "smtp+notls://127.0.0.1:%d"
relay to "soft.example" via "smtp+notls://127.0.0.1:%d"
relay any via "smtp+notls://127.0.0.1:%d"
""" % (hard.port, plain.port, knows.port, soft.port, free_port())
RULES_LOCAL = "network here { 127.0.0.0/8 }\npermit here relay\n"
POST = "carol@example.org"


def suite(times):
    t = Suite(daemons=("smtpd",), rules=RULES_LOCAL, routes=ROUTES + times, system=False, start=False)
    t.write("aliases", ALIASES + "both: info@catch.example, dave@box.example\n"
            "half: bob, Ghost@example.net, wraith+x\nghosts: ghost, wraith\n"
            "news: bob, r@knows.example, r@hard.example, ghost\nowner-news: %s\nplans: bob, news\n" % D)
    t.configure(text=slurp(t.conf).decode().replace('postmaster "alice@example.org"', 'postmaster "%s"' % POST))
    t.start()
    return t


s = suite("queue retry 1m to 1h lifetime 1h\n")


def send(rcpts, subject, mail="", body="body\r\n", sender=A, of=None):
    """rcpts: addresses, or (address, parameters); the queue id."""
    c = (of or s).smtp()
    c.hello()
    c.cmd("MAIL FROM:<%s> %s" % (sender, mail), "250")
    for r in rcpts:
        a, params = (r, "") if isinstance(r, str) else r
        c.cmd("RCPT TO:<%s> %s" % (a, params), "250")
    c.cmd("DATA", "354")
    c.write("From: <x@client.example>\r\nMessage-ID: <%s@client.example>\r\nSubject: %s\r\n\r\n%s.\r\n" % (
        subject.replace(" ", "-"), subject, body))
    q = queue_id(c.expect("250"))
    c.close()
    return q


class Report:
    def __init__(self, path):
        self.m = email.message_from_bytes(slurp(path), policy=email.policy.compat32)
        equal(self.m.get_content_type(), "multipart/report")
        parts = self.m.get_payload()
        equal(len(parts), 3, "parts")
        self.text, self.status, self.returned = parts
        blocks = self.status.get_payload()
        if isinstance(blocks, str):     # global-delivery-status is not parsed for us
            raw = blocks.encode("utf-8", "surrogateescape")
            blocks = [email.message_from_bytes(b) for b in raw.strip().replace(b"\r\n", b"\n").split(b"\n\n")]
        self.message = blocks[0]
        self.rcpts = {b["Final-Recipient"].split(";", 1)[1].strip(): b for b in blocks[1:] if b["Final-Recipient"]}


def reports(user=A, of=None):
    return [p for p in (of or s).messages(user) if b"multipart/report" in slurp(p)]


def report(user=A, of=None, secs=15):
    """The only one that there is."""
    until("a report", lambda: reports(user, of), secs)
    time.sleep(0.3)
    got = reports(user, of)
    equal(len(got), 1, "reports")
    return Report(got[0])


def none(qid, what, of=None):
    t = of or s
    until("over", lambda: qid not in t.ctl("queue", "list")[1])
    time.sleep(1.3)
    equal(len(reports(of=of)), 0, what)


def clean(*users):
    for u in users or (A, B, C, D):
        s.empty(u)


@case
def failure():
    """One report for two recipients, with what the client gave for them; the whole text goes back."""
    clean()
    send([("x@hard.example", "ORCPT=rfc822;Orig+2Bx@hard.example"), "y@hard.example"], "fails", "ENVID=E+3D7")
    r = report()
    m = r.m
    equal((m["Auto-Submitted"], m["To"], m["In-Reply-To"]), ("auto-replied", "<%s>" % A, "<fails@client.example>"))
    equal(m["Return-Path"], "<>")
    equal(set(r.rcpts), {"x@hard.example", "y@hard.example"})
    equal(r.message["Original-Envelope-Id"], "E=7")
    check(r.message["Reporting-MTA"] == "dns; mail.example.org" and r.message["Arrival-Date"], r.message)
    x, y = r.rcpts["x@hard.example"], r.rcpts["y@hard.example"]
    equal((x["Action"], x["Status"], x["Remote-MTA"], x["Original-Recipient"]),
          ("failed", "5.1.1", "dns; 127.0.0.1", "rfc822; Orig+x@hard.example"))
    equal(y["Original-Recipient"], None, "not given by the client")
    check(x["Diagnostic-Code"].startswith("smtp; 550 5.1.1") and x["Last-Attempt-Date"], x)
    equal(r.returned.get_content_type(), "message/rfc822")
    check("body" in r.returned.as_string(), "the text")


@case
def headers_only():
    clean()
    send(["x@hard.example"], "short", "RET=HDRS")
    r = report()
    equal(r.returned.get_content_type(), "text/rfc822-headers")
    check("Subject: short" in r.returned.as_string() and "body" not in r.returned.as_string(), "not the header only")
    clean()
    send(["x@hard.example"], "long", "RET=FULL", body=("z" * 70 + "\r\n") * 1000)
    equal(report().returned.get_content_type(), "text/rfc822-headers", "above a size")


@case
def never():
    clean()
    none(send([("x@hard.example", "NOTIFY=NEVER"), ("y@hard.example", "NOTIFY=SUCCESS,DELAY")], "never"), "not wanted")
    none(send(["x@hard.example"], "null", sender=""), "the null path")


@case
def success():
    """delivered, relayed to a server without DSN; one that has it reports itself."""
    clean()
    send([(B, "NOTIFY=SUCCESS"), ("p@plain.example", "NOTIFY=SUCCESS,FAILURE"),
          ("k@knows.example", "NOTIFY=SUCCESS ORCPT=rfc822;k@x")], "succeeds", "RET=FULL ENVID=E1")
    r = report()
    equal({a: (b["Action"], b["Status"]) for a, b in r.rcpts.items()},
          {B: ("delivered", "2.0.0"), "p@plain.example": ("relayed", "2.0.0")})
    equal(r.returned.get_content_type(), "text/rfc822-headers", "RET is for failures")
    said = b"".join(knows.commands).decode()
    check(re.search(r"MAIL FROM:<%s>.* RET=FULL.* ENVID=E1|MAIL FROM:<%s>.* ENVID=E1.* RET=FULL" % (A, A), said), said)
    check("NOTIFY=SUCCESS" in said and "ORCPT=rfc822;k@x" in said, said)
    check(b"NOTIFY" not in b"".join(plain.commands), "to a server without DSN")


@case
def member_that_does_not_exist():
    """The others get it, the sender hears of that member alone; only an address without any good one is refused."""
    clean()
    c = s.smtp()
    c.hello()
    c.cmd("MAIL FROM:<%s>" % A, "250")
    c.cmd("RCPT TO:<ghosts@example.org>", "550 5.1.1 <ghost@example.org>")
    c.cmd("RCPT TO:<ghost@example.org>", "550 5.1.1")
    c.close()
    send([("half@example.org", "ORCPT=rfc822;Half@example.org")], "half a list")
    equal(len(s.wait_mail(B, "Subject: half a list")), 1)
    r = report()
    equal(set(r.rcpts), {"Ghost@example.net", "wraith+x@example.org"})
    for b in r.rcpts.values():
        equal((b["Action"], b["Status"], b["Original-Recipient"]), ("failed", "5.1.1", "rfc822; Half@example.org"))
        check(b["Diagnostic-Code"].endswith("; 550 5.1.1 no such user here"), b)
    clean()
    q = send(["half@example.org"], "half and null", sender="")
    s.wait_mail(B, "Subject: half and null")
    none(q, "the null path")
    st, out = s.ctl("explain", "from", "127.0.0.1", "to", "half@example.org")
    equal(st, 0, out)
    check("  Ghost@example.net (alias) -> no account ghost of example.org: the sender is told\n" in out, out)
    check(out.rstrip().endswith("deliver"), out)


@case
def expanded():
    """The members get it, and are not told of one by one."""
    clean()
    send([("sales@example.org", "NOTIFY=SUCCESS,FAILURE"), ("both@example.org", "NOTIFY=SUCCESS")], "for a list", sender=C)
    r = report(C)
    equal({a: b["Action"] for a, b in r.rcpts.items()}, {"sales@example.org": "expanded", "both@example.org": "expanded"})
    for u in (A, B):
        s.wait_mail(u, "Subject: for a list")


@case
def list_with_an_owner():
    """RFC 5321 3.9.2, RFC 3461 5.2.7.1: what comes back goes to him; the sender is told that the list has it."""
    clean()
    OWNER = "owner-news@example.org"
    knows.commands.clear()
    send([("news@example.org", "NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;list")], "to a list", mail="RET=HDRS ENVID=QQ1")
    m = slurp(s.wait_mail(B, "Subject: to a list")[0])
    check(m.startswith(b"Return-Path: <%s>" % OWNER.encode()), m[:80])
    r = report()
    equal({a: b["Action"] for a, b in r.rcpts.items()}, {"news@example.org": "delivered"})
    equal((r.message["Original-Envelope-Id"], r.rcpts["news@example.org"]["Original-Recipient"]), ("QQ1", "rfc822; list"))
    until("two reports", lambda: sum(len(Report(p).rcpts) for p in reports(D)) == 2)
    told = {a: b for p in reports(D) for a, b in Report(p).rcpts.items()}
    equal({a: b["Action"] for a, b in told.items()}, {"ghost@example.org": "failed", "r@hard.example": "failed"})
    for p in reports(D):
        r = Report(p)
        equal((r.m["To"], r.message["Original-Envelope-Id"]), ("<%s>" % OWNER, None))
        check(b"body" in r.returned.as_bytes(), "all of it")
    check(b"MAIL FROM:<%s>" % OWNER.encode() in b"\n".join(knows.commands), knows.commands)
    check(not any(w in c for c in knows.commands for w in (b"ENVID", b"RET=", b"NOTIFY", b"ORCPT")), knows.commands)
    equal(len(reports()), 1, "reports to the sender")
    until("nothing is left", lambda: json.loads(s.ctl("-j", "queue", "list")[1]) == [])
    st, out = s.ctl("explain", "from", "127.0.0.1", "sender", A, "to", "news@example.org")
    check("ghost of example.org: %s is told" % OWNER in out and "account bob@example.org of example.org, return path %s" % OWNER in out, out)


@case
def one_message_two_return_paths():
    """To a host that gets it from the sender and from a list: a transaction each; after a restart too."""
    clean()
    knows.commands.clear()
    s.ctl("pause", "relay")
    send([("plans@example.org", ""), ("other@knows.example", "NOTIFY=SUCCESS")], "two paths", mail="ENVID=QQ2")
    s.stop()
    s.start()
    s.ctl("resume", "relay")
    until("both", lambda: sum(c.startswith(b"RCPT") for c in list(knows.commands)) == 2)
    mails = sorted(c for c in knows.commands if c.startswith(b"MAIL"))
    equal([b"ENVID" in c for c in mails], [True, False])
    check(mails[1].startswith(b"MAIL FROM:<owner-news@example.org>"), mails)
    until("the owner", lambda: any("r@hard.example" in Report(p).rcpts for p in reports(D)))
    equal(reports(), [])


@case
def null_path_to_a_list():
    clean()
    q = send(["news@example.org"], "a report to a list", sender="")
    m = slurp(s.wait_mail(B, "Subject: a report to a list")[0])
    check(m.startswith(b"Return-Path: <>"), m[:80])
    none(q, "the null path")
    equal(reports(D), [])


@case
def double_bounce():
    """A report that fails goes to the postmaster, once."""
    clean()
    send(["x@hard.example"], "twice", sender="nobody@hard.example")
    r = report(POST)
    equal(set(r.rcpts), {"nobody@hard.example"})
    equal(r.m["To"], "<%s>" % POST)
    time.sleep(1.5)
    equal(len(reports(POST)), 1, "once")
    equal(json.loads(s.ctl("-j", "queue", "list")[1]), [])


@case
def international():
    """RFC 6533: mail with SMTPUTF8 that the next host cannot take."""
    clean()
    c = s.smtp()
    c.hello()
    c.cmd("MAIL FROM:<%s> SMTPUTF8 BODY=8BITMIME" % A, "250")
    c.cmd("RCPT TO:<j\u00fcrgen@plain.example>", "250")
    c.cmd("DATA", "354")
    c.write("From: <x@client.example>\r\nSubject: gr\u00fc\u00dfe\r\n\r\nbody\r\n.\r\n")
    c.expect("250")
    r = report()
    equal(r.status.get_content_type(), "message/global-delivery-status")
    equal(r.m.get_param("report-type"), "global-delivery-status")
    equal(r.returned.get_content_type(), "message/global")
    check("utf-8; j\u00fcrgen@plain.example".encode() in slurp(reports()[0]), "the recipient")


@case
def limited():
    """A forged sender is not flooded: fifty an hour, and the rest waits."""
    clean()
    c = s.smtp()
    c.hello()
    for i in range(60):
        c.cmd("MAIL FROM:<%s>" % B, "250")
        c.cmd("RCPT TO:<f%d@hard.example>" % i, "250")
        c.cmd("DATA", "354")
        c.write("Subject: %d\r\n\r\nbody\r\n.\r\n" % i)
        c.expect("250")
    until("reports", lambda: len(reports(B)) >= 50, 20)
    time.sleep(2)
    check(len(reports(B)) <= 51, "%d reports" % len(reports(B)))
    check(len(json.loads(s.ctl("-j", "queue", "list", "sender=bob*")[1])) >= 9, "the others do not wait")
    s.ctl("queue", "delete", "all")


@case
def delay_and_expiry():
    """A warning once, to who wants it; then a failure that says so."""
    t = suite("queue retry 1s to 1s lifetime 8s warn after 2s\n")
    send(["d@soft.example", ("q@soft.example", "NOTIFY=FAILURE")], "delayed", of=t)
    r = report(of=t)
    equal({a: (b["Action"], b["Status"]) for a, b in r.rcpts.items()}, {"d@soft.example": ("delayed", "4.2.1")})
    check(r.rcpts["d@soft.example"]["Will-Retry-Until"], "until when")
    t.empty(A)
    r = report(of=t, secs=25)
    equal({a: (b["Action"], b["Status"]) for a, b in r.rcpts.items()},
          {"d@soft.example": ("failed", "4.4.7"), "q@soft.example": ("failed", "4.4.7")})
    until("nothing is left", lambda: t.ctl("queue", "list")[1] == "")
    t.close()


finish()
