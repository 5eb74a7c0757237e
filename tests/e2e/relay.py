"""Mail for elsewhere: who may, the smart host, retries, bounces, loops."""
import contextlib, email, os, re, socket, socketserver, sys, threading, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *
from peer import Peer

ISP = """\
hostname "mx.isp.example"
postmaster "friend@elsewhere.example"
spool "{dir}/spool"
state "{dir}/run"
log file "{dir}/log"
table people file "{dir}/people"
tls "mx.example.net" cert "{certs}/ec2.crt" key "{certs}/ec2.key"
auth <people>
listen submission on "127.0.0.1" port {port}
domain {{ "elsewhere.example", "bounces.example" }} {{
	users <people>
	deliver maildir "{dir}/mail/%d/%n/Maildir" as {owner}
}}
permit authenticated relay
"""


isp_port = free_port()
good, flaky, hard, evil = Peer(), Peer(), Peer({"RCPT": "550 5.1.1 no such user\r\n"}), Peer()
down_port = free_port()


def start():
    isp = Suite(daemons=("smtpd",), conf=" ", people={"isp@elsewhere.example": "bcrypt",
                "friend@elsewhere.example": "bcrypt"}, system=False, start=False)
    isp.configure(ISP.format(port=isp_port, **isp.vars))
    isp.start()
    routes = """
table secrets file "{dir}/secrets"
relay to "good.example" via "smtp://127.0.0.1:%d"
relay to "flaky.example" via "smtp+notls://127.0.0.1:%d"
relay to "hard.example" via "smtp://127.0.0.1:%d"
relay to "evil.example" via "smtp://127.0.0.1:%d"
relay to "down.example" via "smtp://127.0.0.1:%d"
bounce to "never.example" "550 5.1.2 not from here"
relay any via "smtp://isp@127.0.0.1:%d" auth <secrets>
queue retry 1s to 5s lifetime 1h
""" % (good.port, flaky.port, hard.port, evil.port, down_port, isp_port)
    s = Suite(start=False)
    s.write("secrets", "isp: isp@elsewhere.example:%s\n" % PASS, 0o600)
    s.configure(routes=routes.replace("{dir}", s.dir))
    s.start()
    return s, isp


s, isp = start()


def submit(to, subject, body="hello\r\n", sender="alice@example.org", suite=None):
    c = (suite or s).smtp("submission")
    c.hello()
    c.starttls()
    c.cmd("EHLO laptop.example", "250")
    c.auth()
    c.cmd("MAIL FROM:<%s>" % sender, "250")
    for t in [to] if isinstance(to, str) else to:
        c.cmd("RCPT TO:<%s>" % t, "250")
    c.cmd("DATA", "354")
    c.write("From: alice@example.org\r\nSubject: %s\r\n\r\n" % subject)
    c.write(body)
    c.write(".\r\n")
    r = c.expect("250")
    c.close()
    return queue_id(r)


@case
def smart_host():
    """STARTTLS, AUTH, and the message in the mailbox behind it."""
    qid = submit("friend@elsewhere.example", "to the smart host")
    t = slurp(isp.wait_mail("friend@elsewhere.example", "Subject: to the smart host")[0]).decode()
    check("ESMTPSA" in t, "not with TLS and a login:\n" + t[:800])
    s.log_wait(r"%s: .*friend@elsewhere\.example" % qid)


@case
def several_recipients_one_message():
    submit(["a@good.example", "b@good.example", "c@good.example"], "three")
    until("one message", lambda: any(b"Subject: three" in m for m in good.messages))
    time.sleep(0.3)
    equal(sum(b"Subject: three" in m for m in good.messages), 1, "messages")
    text = b"".join(good.commands)
    for r in (b"a@", b"b@", b"c@"):
        check(b"RCPT TO:<" + r in text, text.decode())


@case
def client_dialogue():
    """What our client says: EHLO with the host name, brackets, QUIT."""
    submit("dialogue@good.example", "dialogue")
    until("the message", lambda: any(b"Subject: dialogue" in m for m in good.messages))
    check(b"EHLO mail.example.org\r\n" in good.commands, good.commands[:3])
    check(any(c.startswith(b"MAIL FROM:<alice@example.org>") for c in good.commands), good.commands)


@case
def only_crlf_leaves():
    """Bare CR and LF, and lines of a dot: outside there is only CRLF, stuffed."""
    submit("wire@good.example", "wire", "a\nb\rc\r\n..\r\n...x\r\n\n.\nd\r\n.e\r\n")
    until("the message", lambda: any(b"Subject: wire" in m for m in good.raw))
    raw = [m for m in good.raw if b"Subject: wire" in m][0]
    equal(re.findall(rb"(?<!\r)\n|\r(?!\n)", raw), [], "bare CR or LF")
    time.sleep(0.3)
    equal(len([m for m in good.raw if b"Subject: wire" in m]), 1, "messages")
    for l in raw.split(b"\r\n"):
        check(not l.startswith(b".") or l.startswith(b".."), "not stuffed: %r" % l)


@case
def big_and_eightbit():
    body = "\u00e4\u20ac" * 30 + "\r\n"
    submit("big@good.example", "bigrelay", body * 8000)
    until("the message", lambda: any(b"Subject: bigrelay" in m for m in good.messages), 20)
    m = [m for m in good.messages if b"Subject: bigrelay" in m][0]
    check(m.endswith((body * 8000).encode()), "not the same bytes")


@case
def retry_after_down():
    """The smart host is down, then up: kept, then sent, once."""
    qid = submit("x@down.example", "patience")
    s.log_wait(r"%s: " % qid)
    time.sleep(1)
    st, out = s.ctl("queue", "list")
    check(st == 0 and qid in out, out)
    up = Peer(port=down_port)
    until("the message", lambda: any(b"Subject: patience" in m for m in up.messages), 20)
    time.sleep(1)
    equal(len(up.messages), 1, "copies")
    up.close()


@case
def retry_after_4xx():
    n = []

    def rcpt():
        n.append(1)
        return "451 4.7.1 grey\r\n" if len(n) == 1 else "250 ok\r\n"
    flaky.replies["RCPT"] = rcpt
    submit("g@flaky.example", "greylisted")
    until("the message", lambda: any(b"Subject: greylisted" in m for m in flaky.messages), 20)
    check(len(n) >= 2, "tries: %d" % len(n))
    flaky.replies["RCPT"] = "250 ok\r\n"


def bounce(qid_subject, rcpt, **kw):
    s.empty("alice@example.org")
    submit(rcpt, qid_subject, **kw)
    return email.message_from_bytes(slurp(s.wait_mail("alice@example.org", rcpt, secs=15)[0]))


@case
def bounce_after_5xx():
    """A delivery status notification as RFC 3464 wants it, to the sender."""
    m = bounce("will bounce", "gone@hard.example", body="secret text\r\n" * 3)
    equal(m["Return-Path"], "<>", "envelope sender")
    equal(m.get_content_type(), "multipart/report")
    equal(m.get_param("report-type"), "delivery-status")
    check(m["Auto-Submitted"] and m["Auto-Submitted"].startswith("auto-"), "Auto-Submitted: %r" % m["Auto-Submitted"])
    check(m["To"] and "alice@example.org" in m["To"], "To: %r" % m["To"])
    for h in ("Date", "Message-ID", "From", "Subject"):
        check(m[h], "no " + h)
    kinds = [p.get_content_type() for p in m.walk()]
    check("message/delivery-status" in kinds, kinds)
    st = [p for p in m.walk() if p.get_content_type() == "message/delivery-status"][0]
    fields = {}
    for part in st.get_payload():
        fields.update({k.lower(): v for k, v in part.items()})
    equal(fields.get("action"), "failed")
    equal(fields.get("status", "")[:2], "5.")
    check("gone@hard.example" in fields.get("final-recipient", ""), fields)
    check("550" in fields.get("diagnostic-code", ""), fields)
    check("reporting-mta" in fields, fields)
    whole = m.as_string()
    check("will bounce" in whole, "the original's header is not there")


@case
def bounce_route():
    """"bounce" in mail.conf: refused while the client is there."""
    c = s.smtp("submission")
    c.hello()
    c.auth()
    c.cmd("MAIL FROM:<alice@example.org>", "250")
    c.cmd("RCPT TO:<x@never.example>", "550 5.1.2 not from here")


@case
def bounce_has_no_bounce():
    """MAIL FROM:<> that fails: nothing is sent to anybody but perhaps the postmaster."""
    s.empty("alice@example.org")
    s.log_mark()
    submit("gone@hard.example", "null sender", sender="")
    s.log_wait(r"gone@hard\.example", 15)
    time.sleep(1.5)
    for p in s.messages("alice@example.org"):
        m = email.message_from_bytes(slurp(p))
        check(m.get_content_type() != "multipart/report", "a bounce of a bounce")


@case
def bounce_is_escaped():
    """What the other server said is data, whatever it holds."""
    evil.replies["RCPT"] = b"550-first\r\n550-X-Evil: 1\r\n550 \xff\x1b[2Jlast" + b"y" * 300 + b"\r\n"
    m = bounce("evil reply", "gone@evil.example")
    check(m["X-Evil"] is None, "a header was made of a reply")
    raw = m.as_bytes()
    check(b"\x1b" not in raw and b"\0" not in raw, "control bytes in the bounce")
    evil.replies["RCPT"] = "250 ok\r\n"


EVIL = {
    "endless reply": {"EHLO": "250-x\r\n" * 50000},
    "long line": {"EHLO": "250 " + "x" * 65536 + "\r\n"},
    "no line end": {"EHLO": "2" * 100000},
    "no code": {"EHLO": "hello\r\n"},
    "code only": {"MAIL": "250\r\n"},
    "odd code": {"MAIL": "999 x\r\n"},
    "mixed codes": {"MAIL": "250-a\r\n550 b\r\n"},
    "banner 554": {"BANNER": "554 no\r\n"},
    "banner nothing": {"BANNER": None},
    "data refused": {"DATA": "451 later\r\n"},
    "closes after dot": {"DOT": None},
    "newline in text": {"DOT": b"450 a\nb\rc\r\n"},
    "injected behind STARTTLS": {"EHLO": "250-peer\r\n250 STARTTLS\r\n",
                                 "STARTTLS": "220 go\r\n250-peer\r\n250 AUTH PLAIN\r\n250 ok\r\n354 go\r\n250 ok\r\n"},
    "bytes behind": {"BANNER": "220 x\r\n250-injected\r\n250 x\r\n"},
}


@case
def evil_servers():
    """Each is survived; the next message to a good server goes through at once."""
    relay = s.role("smtpd", "relay")
    keep = dict(evil.replies)
    for name, replies in EVIL.items():
        evil.replies = dict(keep, **replies)
        n = len(evil.commands)
        qid = submit("v@evil.example", "evil " + name)
        s.log_wait(r"%s: .*v@evil\.example|%s" % (qid, qid))
        time.sleep(0.2)
        submit("ok@good.example", "after " + name)
        until("good mail behind: " + name,
              lambda: any(b"Subject: after " + name.encode() in m for m in good.messages))
        if "injected" in name:
            # Going on without TLS is right, on a new connection.
            until("STARTTLS is said", lambda: b"STARTTLS\r\n" in evil.commands[n:])
            words = [c.split()[0] for c in evil.commands[n:] if c.split()]
            behind = words[words.index(b"STARTTLS") + 1:]
            behind = behind[:behind.index(b"EHLO")] if b"EHLO" in behind else behind
            check(not {b"MAIL", b"AUTH", b"RCPT", b"DATA"} & set(behind), name + ": believed %s" % behind)
        s.ctl("queue", "delete", qid)
    evil.replies = keep
    equal(s.role("smtpd", "relay"), relay, "the relay process")


@case
def delete_from_queue():
    qid = submit("z@down.example", "to be deleted")
    until("in the list", lambda: qid in s.ctl("queue", "list")[1])
    for words, want in ((["domain=down.example"], True), (["domain=other.example"], False), (["sender=alice@*"], True),
                        (["to=Z@*", "sender=bob@*"], False), (["older=1h"], False), ([qid], True)):
        st, out = s.ctl("queue", "list", *words)
        equal(st, 0, out)
        equal(qid in out, want, "queue list %s" % words)
    for words in (["list", "x"], ["list", "older=soon"], ["delete", ""], ["delete", " "], ["retry", "foo=bar"]):
        equal(s.ctl("queue", *words)[0], 2, "mailctl queue %s" % words)
    until("deleted", lambda: s.ctl("queue", "delete", qid)[0] == 0, 10, 0.3)
    check(qid not in s.ctl("queue", "list")[1], "still there")
    check(s.ctl("queue", "show", qid)[0] == 1, "show of what is not there")
    check(s.ctl("queue", "delete", "nonsense")[0] != 0, "nonsense was deleted")


@case
def password_stays_here():
    """A smart host without TLS that is not on loopback would not get it; the log never has it."""
    check(PASS not in s.log(), "the password is in the log")
    check(PASS not in isp.log(), "the password is in the other's log")


RELAY = [  # address, may a stranger say it?
    "x@elsewhere.example", "x%elsewhere.example@example.org", "@example.org:x@elsewhere.example",
    "@example.org,@example.net:x@elsewhere.example", '"x@elsewhere.example"@example.org',
    '"x%elsewhere.example"@example.org', "x@elsewhere.example.", "x@example.org@elsewhere.example",
    "x@elsewhere.example@example.org", "elsewhere.example!x@example.org", "elsewhere.example!x",
    "x@[127.0.0.1]", "x@[192.0.2.1]", "x@exam\u0440le.org", "x@xn--exmple-4nf.org", "x@.example.org",
    "x@sub.example.org", "x@example.org.elsewhere.example", "x@EXAMPLE.ORG.", "x@localhost.elsewhere.example",
    "<x@elsewhere.example>", "x@elsewhere.example,alice@example.org", "x%elsewhere.example",
    "postmaster@elsewhere.example", "x@example.org\\@elsewhere.example"]


@case
def open_relay():
    """A stranger's recipients: none is accepted, none leaves."""
    n = len(good.messages), len(isp.messages("friend@elsewhere.example"))
    for sender in ("x@client.example", "alice@example.org", "", "postmaster@example.org"):
        for a in RELAY:
            c = s.smtp()
            c.hello()
            c.cmd("MAIL FROM:<%s>" % sender, "250")
            r = c.cmd("RCPT TO:<%s>" % a)
            check(r is None or r[0] in "45", "MAIL FROM:<%s> RCPT TO:<%s>: %r" % (sender, a, r))
            c.close()
    equal((len(good.messages), len(isp.messages("friend@elsewhere.example"))), n, "messages that left")


@case
def relay_after_login_only():
    c = s.smtp()
    c.hello()
    c.cmd("MAIL FROM:<alice@example.org>", "250")
    c.cmd("RCPT TO:<x@elsewhere.example>", "550 5.7.1")
    c.cmd("RSET", "250")
    c.auth()
    c.cmd("MAIL FROM:<alice@example.org>", "250")
    c.cmd("RCPT TO:<x@elsewhere.example>", "250")
    c.cmd("RCPT TO:<nobody@example.org>", "550 5.1.1")
    c.close()


@case
def loop_by_received():
    """A hundred Received fields pass, many more are a loop; one hop more is counted each time."""
    head = "".join("Received: from a by b; Mon, 1 Jan 2024 00:00:%02d +0000\r\n" % (i % 60) for i in range(99))
    for n, code in ((99, "250"), (400, "554")):
        c = s.smtp()
        c.hello()
        c.cmd("MAIL FROM:<x@client.example>", "250")
        c.cmd("RCPT TO:<bob@example.org>", "250")
        c.cmd("DATA", "354")
        c.write(head if n == 99 else head * 5)
        c.write("Subject: hops %d\r\n\r\nx\r\n.\r\n" % n)
        c.expect(code)


@case
def loop_by_delivered_to():
    """The same recipient for the second time: a loop at once, and one notice."""
    s.empty("alice@example.org")
    c = s.smtp()
    c.hello()
    c.cmd("MAIL FROM:<alice@example.org>", "250")
    c.cmd("RCPT TO:<bob@example.org>", "250")
    c.cmd("DATA", "354")
    c.write("Delivered-To: bob@example.org\r\nSubject: looped\r\n\r\nx\r\n.\r\n")
    r = c.reply()
    if r.startswith("250"):
        m = email.message_from_bytes(slurp(s.wait_mail("alice@example.org", "bob@example.org", secs=15)[0]))
        equal(m.get_content_type(), "multipart/report")
    else:
        equal(r[0], "5")
    time.sleep(0.5)
    check(not [p for p in s.messages("bob@example.org") if b"Subject: looped" in slurp(p)], "delivered")


@case
def outside_alias():
    """An alias to an outside address leaves with the sender's name."""
    s.send("outside@example.org", "to the outside")
    isp_says = until("a try", lambda: "far@elsewhere.example" in s.log())
    check(isp_says, "")


@case
def still_the_same_processes():
    for x in (s, isp):
        text = x.log()
        check(not re.search(r"killed by signal|exited with status|killing ", text),
              "\n".join(l for l in text.splitlines() if re.search(r"signal|exited|killing", l)))


finish()
