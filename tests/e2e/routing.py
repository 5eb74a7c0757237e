"""Who may hand us mail and where a recipient goes: lists, forward files, archives, block lists, names."""
import json, os, pwd, re, shutil, socket, ssl, subprocess, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import dns
from lib import *
from peer import Peer

GOOD, LISTED, NONAME, LIAR, SLOW = ("203.0.113.%d" % i for i in (9, 10, 11, 12, 13))
US, LAN = "192.0.2.1", "10.1.2.3"
HERE = dns.own_network(US, LAN, GOOD, LISTED, NONAME, LIAR, SLOW)


def rev(a):
    return ".".join(reversed(a.split(".")))


ZONE = {
    rev(LISTED) + ".bl.lab": {"A": ["127.0.0.4"]},
    rev(NONAME) + ".bl.lab": {"A": ["192.0.2.77"]},
    rev(SLOW) + ".bl.lab": "fail",
    rev(GOOD) + ".in-addr.arpa": {"PTR": ["good.lab"]},
    "good.lab": {"A": [GOOD]},
    rev(LISTED) + ".in-addr.arpa": {"PTR": ["listed.lab"]},
    "listed.lab": {"A": [LISTED]},
    rev(LIAR) + ".in-addr.arpa": {"PTR": ["good.lab"]},
    rev(SLOW) + ".in-addr.arpa": {"PTR": ["fail.lab"]},
    "fail.lab": "fail",
    "mx.lab": {"MX": [(10, "good.lab")]},
}
names = dns.Names(ZONE) if HERE else None

RULES = """
permit localhost relay
reject any dnsbl "bl.lab" = 127.0.0.4/30 "550 5.7.1 listed"
reject any no rdns "550 5.7.25 no name"
reject any helo malformed "550 5.5.2 bad name"
reject any helo ours "550 5.7.1 that is us"
reject any helo unknown "450 4.7.0 unknown name"
permit any recipient { "@backup.lab", "*.backup.lab" } relay
permit authenticated relay
permit any deliver
"""

s = Suite(rules=RULES, start=False, aliases=ALIASES + """
list: :include:{dir}/lists/list, carol
nolist: :include:{dir}/lists/open
gone: :include:{dir}/lists/none
cmd: "|/bin/true"
file: /tmp/x
keep: \\keep
moved: bob, x@never.lab
allmoved: x@never.lab, nobody
half: """ + ", ".join("h%d@else.example" % i for i in range(5000)) + """
most: """ + ", ".join("m%d@else.example" % i for i in range(9990)) + """
members@many.example: """ + ", ".join("m%d" % i for i in range(500)) + """
""", extra="""
domain "arch.example" {{
	users <people>
	aliases <aliases>
	archive "audit@arch.example"
	deliver maildir "{dir}/mail/%d/%n/Maildir" as {owner}
}}
domain "far.example" {{
	users <people>
	archive "audit@arch.example"
	deliver maildir "{dir}/mail/%d/%n/Maildir" as {owner}
}}
domain "forward.example" {{
	users system
	forward "{dir}/sys/%u/.forward"
	deliver maildir "{dir}/sys/%u/Maildir"
}}
domain "many.example" {{
	users <people>
	aliases <aliases>
	forward "{dir}/many/%n/.forward"
	deliver maildir "{dir}/mail/%d/%n/Maildir" as {owner}
}}
relay to "@routed.lab" from "@special.example" via "smtp+notls://127.0.0.1:1"
relay to "@routed.lab" via "smtp+notls://127.0.0.1:2"
relay to "@backup.lab" via "smtp+notls://127.0.0.1:1"
bounce to "@never.lab" "550 5.1.2 never"
""", people=dict(PEOPLE, **{
    "audit@arch.example": "{PLAIN}x", "ann@arch.example": "{PLAIN}x", "ben@arch.example": "{PLAIN}x",
    "fay@far.example": "{PLAIN}x"}, **{"m%d@many.example" % i: "{PLAIN}x" for i in range(500)}))
for f in ("extra",):
    s.vars[f] = s.vars[f].format(dir=s.dir, owner=s.owner)
s.write("aliases", slurp(s.dir + "/aliases").decode().replace("{dir}", s.dir))
os.mkdir(s.dir + "/lists", 0o755)
os.chmod(s.dir + "/lists", 0o755)
s.write("lists/list", "# members\nalice\nbob@example.org, alice\n")
s.write("lists/open", "alice\n", 0o666)
if not ROOT:
    s.vars["extra"] = re.sub(r'domain "forward.example" {.*?\n}', "", s.vars["extra"], flags=re.S)
if HERE:
    s.vars["listen"] += 'listen smtp on "%s" port 25\n' % US
s.configure()
s.configure(slurp(s.conf).decode().replace("aliases <aliases>", 'aliases <aliases> include "%s/lists"' % s.dir))
s.start("smtpd")


def connect(source, helo="good.lab"):
    """From another address of this machine."""
    c = Line.__new__(Line)
    c.s = socket.create_connection((US, 25), 20, source_address=(source, 0))
    c.buf, c.sni, c.context = b"", "mail.example.org", None
    c.expect("220")
    c.cmd("EHLO " + helo, "250")
    return c


def rcpt(c, to, sender="x@client.example"):
    c.cmd("RSET", "250")
    c.cmd("MAIL FROM:<%s>" % sender, "250")
    return c.cmd("RCPT TO:<%s>" % to)


def check_rcpt(c, to, code, **kw):
    r = rcpt(c, to, **kw)
    check(r.startswith(code), "%s: wanted %s, got %r" % (to, code, r))


@case
def lists():
    """Included lists, and those that must not be used."""
    s.send("list@example.org", "list")
    for u in ("alice", "bob", "carol"):
        equal(len(s.wait_mail(u + "@example.org", "Subject: list")), 1)
    c = s.smtp()
    c.hello()
    for name in ("nolist", "gone", "cmd", "file"):
        check_rcpt(c, name + "@example.org", "451 4.3.5")
    check_rcpt(c, "keep@example.org", "550 5.1.1")
    s.write("lists/list", "dave@box.example\n")
    s.send("list@example.org", "changed")
    until("the list is read anew", lambda: b"Subject: changed" in slurp(s.dir + "/mail/box.example/dave.mbox"))


@case
def list_that_does_not_fit():
    """What a transaction cannot hold is taken back; the archive has its copy, the others theirs."""
    s.ctl("pause", "relay")
    with s.smtp("relayin") as c:
        c.hello()
        c.cmd("MAIL FROM:<x@arch.example>", "250")
        c.cmd("RCPT TO:<half@example.org>", "250")
        c.cmd("RCPT TO:<most@example.org>", "452")
        c.cmd("RCPT TO:<h1@else.example>", "250")
        c.cmd("RCPT TO:<new@else.example>", "250")
        c.cmd("DATA", "354")
        id = queue_id(c.cmd("Subject: half\r\n\r\nx\r\n.", "250"))
    check("nrcpt=5002 " in s.log_wait(r"%s: accepted (.*)" % id).group(1), s.log_tail(3))
    s.wait_mail("audit@arch.example", "Subject: half")
    s.ctl("queue", "delete", id)
    s.ctl("resume", "relay")


@case
def archive():
    """One copy of what is sent and received, whatever the number of recipients; none of the copy."""
    s.send("ann@arch.example", "arch-in")
    s.send(["ann@arch.example", "ben@arch.example", "fay@far.example"], "arch-three")
    s.send("alice@example.org", "arch-out", sender="ann@arch.example")
    s.send("audit@arch.example", "arch-self")
    s.send("alice@example.org", "arch-none")
    s.wait_mail("alice@example.org", "Subject: arch-none")
    for subject in ("arch-in", "arch-three", "arch-out", "arch-self"):
        s.wait_mail("audit@arch.example", "Subject: " + subject)
    time.sleep(0.5)
    for subject in ("arch-in", "arch-three", "arch-out", "arch-self"):
        equal(len(s.wait_mail("audit@arch.example", "Subject: " + subject)), 1, subject)
    equal(len([m for m in s.messages("audit@arch.example") if b"arch-none" in slurp(m)]), 0)
    equal(len(s.wait_mail("ben@arch.example", "arch-three")), 1)


@case(root=True)
def forward():
    """~/.forward is read as the user; what others could have written does not count."""
    t1, t2 = "postern-t1", "postern-t2"
    for u in (t1, t2):           # homes of this run only
        os.makedirs(os.path.join(s.dir, "sys", u))
        shutil.chown(os.path.join(s.dir, "sys", u), u, u)
    home = os.path.join(s.dir, "sys", t1)
    path = os.path.join(home, ".forward")
    s.maildir = lambda u, of=s.maildir: of(u) if "@" in u else os.path.join(s.dir, "sys", u, "Maildir")

    def fresh():
        """What was read counts for ten seconds, but not over a reload."""
        s.log_mark()
        s.reload("smtpd")
        s.log_wait("reloaded, generation")

    def put(text, mode=0o644, owner=t1):
        if os.path.lexists(path):
            os.unlink(path)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)
        shutil.chown(path, owner, owner)
        fresh()

    def goes(subject, to):
        s.send(t1 + "@forward.example", subject)
        for u in to:
            s.wait_mail(u, "Subject: " + subject)
        time.sleep(0.2)
        equal(len([m for m in s.messages(t1) if subject.encode() in slurp(m)]), int(t1 in to), subject)

    try:
        goes("fw-none", [t1])
        put("%s@forward.example, alice@example.org\n" % t2)
        goes("fw-two", [t2, "alice@example.org"])
        put("\\%s\nalice@example.org\n" % t1)
        os.chmod(home, 0o700)
        goes("fw-copy", [t1, "alice@example.org"])
        put("alice@example.org\n", mode=0o666)
        goes("fw-open", [t1])
        s.log_wait("user=%s: forward file may be written by others" % t1)
        put("alice@example.org\n", owner=t2)
        goes("fw-foreign", [t1])
        os.unlink(path)
        os.symlink("/etc/shadow", path)
        fresh()
        goes("fw-link", [t1])
        put("|/bin/touch /tmp/forward-was-run\n")
        c = s.smtp()
        c.hello()
        check_rcpt(c, t1 + "@forward.example", "451 4.3.5")
        check(not os.path.exists("/tmp/forward-was-run"), "a command was run")
        text = slurp(s.conf).decode()
        s.configure(text.replace('sys/%u/.forward"', 'sys/%u/.forward" commands'))
        put('"|/bin/sh -c \'id -u > %s/ran; echo $RECIPIENT >> %s/ran\' $(id)"\n' % (home, home))
        s.send(t1 + "+`id`@forward.example", "fw-command")
        until("the user's command", lambda: os.path.exists(home + "/ran") and slurp(home + "/ran").count(b"\n") == 2)
        equal(slurp(home + "/ran").decode().split(), [str(pwd.getpwnam(t1).pw_uid), t1 + "+_id_@forward.example"])
        s.configure(text)
        put(":include:/etc/shadow\n")
        c = s.smtp()
        c.hello()
        check_rcpt(c, t1 + "@forward.example", "451 4.3.5")
        for pid in s.children("smtpd"):
            check("forward" not in title(pid), "a reader stays: " + title(pid))
    finally:
        if os.path.lexists(path):
            os.unlink(path)


@case
def list_of_users_who_forward():
    """Their files are read side by side; one who keeps his from being read holds up nobody else's mail."""
    users = 500
    for i in range(users):
        home = "%s/many/m%d" % (s.dir, i)
        os.makedirs(home)
        with open(home + "/.forward", "w") as f:
            f.write("\0" if i == 7 else "alice@example.org, bob@example.org\n")
        os.chmod(home + "/.forward", 0o644)
        shutil.chown(home + "/.forward", s.owner)
    c = s.smtp()
    c.hello()
    check_rcpt(c, "m7@many.example", "451 4.3.0 a forward file cannot be read")
    began = time.time()
    check_rcpt(c, "members@many.example", "250")
    print("# %d forward files: %.1f s" % (users, time.time() - began))

    def readers():
        out = run(program("mailctl"), "-f", s.conf, "-j", "limits", stderr=subprocess.DEVNULL)[1]
        return next(r for r in json.loads(out)[0]["limits"] if r["name"] == "readers")
    until("the processes are counted", lambda: 1 < readers()["top"] <= readers()["value"])
    s.send("members@many.example", "to all members")
    for u in ("alice@example.org", "bob@example.org", "m7@many.example"):
        s.wait_mail(u, "Subject: to all members")


@case(root=True)
def block_list():
    """Listed, listed otherwise, not listed, a list that fails; asked once a connection."""
    if not HERE:
        raise Skip("no network of our own")
    c = connect(LISTED, "listed.lab")
    check_rcpt(c, "alice@example.org", "550 5.7.1 listed")
    check_rcpt(c, "bob@example.org", "550 5.7.1 listed")
    equal(names.asked.count((rev(LISTED) + ".bl.lab", "A")), 1, "questions")
    check_rcpt(connect(GOOD), "alice@example.org", "250")
    check_rcpt(connect(NONAME), "alice@example.org", "550 5.7.25")
    s.log_mark()
    check_rcpt(connect(SLOW), "alice@example.org", "250")
    s.log_wait("dns: no answer for %s" % re.escape(rev(SLOW)))
    # where no rule needs to know, nobody is asked
    n = len(names.asked)
    c = s.smtp()
    c.hello("localhost")
    check_rcpt(c, "alice@example.org", "250")
    check(all("127" not in a for a, k in names.asked[n:]), "asked: %s" % names.asked[n:])


@case(root=True)
def reverse_names():
    if not HERE:
        raise Skip("no network of our own")
    check_rcpt(connect(LIAR), "alice@example.org", "550 5.7.25")
    check_rcpt(connect(GOOD), "alice@example.org", "250")


@case(root=True)
def helo_names():
    if not HERE:
        raise Skip("no network of our own")
    for helo, code in (("good.lab", "250"), ("mx.lab", "250"), ("nobody.lab", "450 4.7.0"), ("localhost", "550 5.5.2"),
                       ("[203.0.113.9]", "250"), ("mail.example.org", "550 5.7.1 that"),
                       ("example.net", "550 5.7.1 that")):
        check_rcpt(connect(GOOD, helo), "alice@example.org", code)


OUT = ("x@elsewhere.lab", "x%elsewhere.lab@example.org", "elsewhere.lab!x@example.org",
       "@example.org:x@elsewhere.lab", "\"x@elsewhere.lab\"@example.org", "x@elsewhere.lab.", "alice@example.org.",
       "x@y@", "x@elsewhere.lab@example.org", "x@[192.0.2.1]", "x@[127.0.0.1]", "x@ex\u0430mple.org",
       "x@xn--exmple-4nf.org", "x@backup.lab.elsewhere.lab", "x@notbackup.lab", "x%backup.lab@elsewhere.lab",
       "x@elsewhere.lab>,<y@example.org", "\"x@backup.lab\"@elsewhere.lab")


@case(root=True)
def open_relay():
    """Nobody outside gets anything relayed, however he spells it; a backup MX takes what it lists."""
    if not HERE:
        raise Skip("no network of our own")
    for sender in ("", "alice@example.org", "x@backup.lab"):
        c = connect(GOOD)
        for to in OUT:
            check_rcpt(c, to, "5", sender=sender)
        for to in ("x@backup.lab", "x@sub.backup.lab", "alice@example.org", "\"alice\"@EXAMPLE.org",
                   "@relay.lab:alice@example.org"):
            check_rcpt(c, to, "250", sender=sender)
        c.close()
    c = s.smtp()
    c.hello("localhost")
    check_rcpt(c, "x@elsewhere.lab", "250")
    check_rcpt(c, "x@elsewhere.lab.", "5")


@case
def routes():
    """By recipient, by sender; what is bounced is refused at once."""
    c = s.smtp()
    c.hello("localhost")
    check_rcpt(c, "x@never.lab", "550 5.1.2 never")
    s.send("a@routed.lab", "routed", sender="x@special.example", helo="localhost")
    s.send("b@routed.lab", "routed", sender="x@other.example", helo="localhost")

    def tried():
        text = s.log()
        return "127.0.0.1:1" in text or re.search(r"port 1\b|:1[: ]", text)
    until("both were tried", lambda: s.ctl("queue", "list")[1].count("routed.lab") >= 2)
    text = s.ctl("queue", "list")[1]
    check("a@routed.lab" in text and "b@routed.lab" in text, text)


@case
def refused_member():
    """The others of a list get the mail, the sender a report of it; a list of such only is refused."""
    with s.smtp() as c:
        c.hello()
        check_rcpt(c, "allmoved@example.org", "550 5.1.2 never")
    s.send("moved@example.org", "one has moved", sender="carol@example.org")
    s.wait_mail("bob@example.org", "Subject: one has moved")
    report = slurp(s.wait_mail("carol@example.org", "Auto-Submitted")[0]).decode()
    told = re.findall(r"(?m)^(?:Final-Recipient|Diagnostic-Code): .*; *(.*?)\r?$", report)
    equal(told, ["x@never.lab", "550 5.1.2 never"], report)
    check("delivered to=<x@never.lab>" not in s.log(), "it was sent")


@case
def null_client():
    """The null client of the manual, with this server as its smart host; masquerading and origin."""
    n = Suite(daemons=("smtpd",), start=False)
    n.write("secrets", "isp: alice@example.org:%s\n" % PASS, 0o600)
    n.configure("""
hostname "web7.corp.example"
origin "corp.example"
spool "{d}/spool"
state "{d}/run"
log file "{d}/log"
table secrets file "{d}/secrets"
listen smtp on "127.0.0.1" port {p}
permit local relay
permit localhost relay
masquerade {{ "web7.corp.example", "*.lab.corp.example" }} as "corp.example"
relay any via "smtp://isp@127.0.0.1:{hub}" auth <secrets>
""".format(d=n.dir, p=n.ports["smtp"], hub=s.ports["submission"]))
    n.start()

    def submit(sender, head, subject):
        c = n.smtp()
        c.hello("web7.corp.example")
        c.cmd("MAIL FROM:<%s>" % sender, "250")
        c.cmd("RCPT TO:<alice@example.org>", "250")
        c.cmd("DATA", "354")
        c.write(head + "Subject: %s\r\n\r\nFrom: web7@web7.corp.example\r\n.\r\n" % subject)
        c.expect("250")
        return slurp(s.wait_mail("alice@example.org", "Subject: " + subject)[0]).decode()

    text = submit("root", "From: root\r\nTo: alice@example.org,\r\n\tBob <bob>\r\n", "null-bare")
    check("Return-Path: <root@corp.example>" in text, text)
    check(re.search(r"^From: root@corp.example\r?$", text, re.M), text)
    check(re.search(r"^\tBob <bob@corp.example>\r?$", text, re.M), text)
    text = submit("cron@web7.corp.example", "From: \"Cron, a job\" <cron@web7.corp.example>\r\n"
                  "Reply-To: ops@a.lab.corp.example\r\nX-Host: root@web7.corp.example\r\n", "null-masq")
    check("Return-Path: <cron@corp.example>" in text, text)
    check('From: "Cron, a job" <cron@corp.example>' in text, text)
    check("Reply-To: ops@corp.example" in text and "X-Host: root@web7.corp.example" in text, text)
    check(re.search(r"^From: web7@web7.corp.example\r?$", text, re.M), "the body was changed: " + text)
    equal(n.ctl("prove")[0], 0)
    n.close()
    # What is relayed for others stays as it is: it comes from another machine.
    if HERE:
        c = connect(GOOD)
        c.cmd("MAIL FROM:<x@client.example>", "250")
        c.cmd("RCPT TO:<alice@example.org>", "250")
        c.cmd("DATA", "354")
        c.write("From: bare\r\nSubject: foreign\r\n\r\n.\r\n")
        c.expect("250")
        text = slurp(s.wait_mail("alice@example.org", "Subject: foreign")[0]).decode()
        check(re.search(r"^From: bare\r?$", text, re.M), text)


@case
def no_password_without_verified_tls():
    """Whatever a server offers: without TLS, with that of somebody else, with SCRAM taken out of its list."""
    if not HERE:
        skip("only as root")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certs() + "/ec.crt", certs() + "/ec.key")

    def offer(*words):
        return "250-peer\r\n" + "".join("250-%s\r\n" % w for w in words) + "250 8BITMIME\r\n"
    peers = [Peer({"EHLO": offer("AUTH PLAIN"), "AUTH": "235 in\r\n"}, host=US),
             Peer({"EHLO": offer("AUTH SCRAM-SHA-256 PLAIN"), "AUTH": "535 5.7.8 no\r\n"}, host=US),
             Peer({"EHLO": offer("STARTTLS", "AUTH PLAIN"), "STARTTLS": "220 go\r\n", "AUTH": "235 in\r\n"}, host=US,
                  context=tls)]
    t = Suite(daemons=("smtpd",), start=False, rules="permit any deliver\npermit localhost relay\n",
              extra="".join('relay to "@p%d.lab" via "smtp+tls://isp@%s:%d" auth <secrets>\n' % (i, US, p.port)
                            for i, p in enumerate(peers)) + 'table secrets file "{dir}/secrets"\n')
    t.vars["extra"] = t.vars["extra"].format(dir=t.dir)
    t.write("secrets", "isp: bob:sesame\n", 0o600)
    t.configure()
    st, out = run(program("smtpd"), "-n", "-f", t.write("open.conf", slurp(t.conf).decode().replace("smtp+tls", "smtp")))
    check(st == 1 and "without a verified certificate" in out, out)
    t.start()
    for i in range(len(peers)):
        t.send("x@p%d.lab" % i, "outwards")
    until("none is good enough", lambda: len(re.findall(r"put off.*: 454 4\.7\.[45] ", t.log())) == len(peers))
    for p in peers:
        check(p.connections > 0 and not any(l.upper().startswith(b"AUTH") for l in p.commands), p.commands)
        check(not p.messages, "sent without a login")
    t.close()


@case
def checked_dns():
    """mailctl check dns: what the name system says of us and of our domains is advice."""
    if not HERE:
        skip("only as root")
    p = s.write("dns.conf", slurp(s.conf).decode() + """
domain { "well.lab", "other.lab", "bare.lab", "null.lab", "nobody.lab", "fail.lab" } {
	users <people>
	deliver maildir "%s/mail/%%d/%%n/Maildir" as %s
}
""" % (s.dir, "vmail" if ROOT else ME))

    def advice():
        st, out = run(program("mailctl"), "-f", p, "-j", "check", "dns", stderr=subprocess.DEVNULL)
        check("findings" in out, run(program("mailctl"), "-f", p, "check")[1])
        return sorted(f["text"] for f in json.loads(out)["findings"] if f["text"].startswith("dns: "))
    ZONE["mail.example.org"] = {"A": [US, LISTED]}
    ZONE[rev(US) + ".in-addr.arpa"] = {"PTR": ["mail.example.org"]}
    ZONE["well.lab"] = {"MX": [(10, "mail.example.org")]}
    ZONE["other.lab"] = {"MX": [(10, "good.lab")]}
    ZONE["bare.lab"] = {"A": [US]}
    ZONE["null.lab"] = {"MX": [(0, ".")]}
    got = advice()
    for text in ("dns: %s: its name is listed.lab and not mail.example.org; " % LISTED, "dns: other.lab: its mail goes to good.lab and not",
                 "dns: null.lab: its MX says that it takes no mail", "dns: nobody.lab: has neither MX nor address"):
        equal(len([g for g in got if g.startswith(text)]), 1, text + " in %r" % got)
    check(any(re.match("dns: 1 of [0-9]+ questions", g) for g in got), "fail.lab: %r" % got)
    check(not any(w in g.split(";")[0] for g in got for w in ("well.lab", "bare.lab", "localhost", US)), got)
    del ZONE["mail.example.org"]
    check(any(g.startswith("dns: mail.example.org: has no address") for g in advice()), advice())


@case
def explained():
    """mailctl explain says what the server does, and prove that it is no open relay."""

    st, out = s.ctl("explain", "from", "127.0.0.1", "to", "list@example.org")
    equal(st, 0, out)
    check("permit localhost relay\n\tmatches and decides" in out, out)
    check("list@example.org\n  dave@box.example (alias) -> account dave@box.example of box.example\n" in out, out)
    check(out.rstrip().endswith("deliver"), out)
    st, out = s.ctl("-j", "explain", "from", "127.0.0.1", "sender", "ann@arch.example", "to", "x@backup.lab")
    j = json.loads(out)
    equal((j["result"], j["archives"]), ("relay", ["audit@arch.example"]))
    check("no TLS" in j["addresses"][0]["goes"], out)
    equal(s.ctl("prove"), (0, "no rule relays for a stranger\n"))
    equal(s.ctl("explain", "to", "x@y.example")[0], 2)
    if not HERE:
        return
    for a, helo, want in ((LISTED, "listed.lab", "550 5.7.1 listed"), (NONAME, "good.lab", "550 5.7.25"),
                          (GOOD, "nobody.lab", "450 4.7.0"), (GOOD, "good.lab", None)):
        st, out = s.ctl("-j", "explain", "from", a, "helo", helo, "to", "alice@example.org")
        j = json.loads(out)
        equal(j["reply"] and j["reply"][:len(want or "")], want, out)
    for to in OUT:
        st, out = s.ctl("-j", "explain", "from", GOOD, "helo", "good.lab", "to", to)
        check(st != 0 or json.loads(out)["result"] == "reject", "%s: %s" % (to, out))


@case
def proof_before_use():
    """A rule that lets somebody relay is refused by -n and at a reload, with him as a witness that explain confirms."""
    text = slurp(s.conf).decode()
    s.write("bad.conf", text.replace("permit authenticated relay",
                                     "network half { 128.0.0.0/1 }\npermit half sender \"@x.lab\" relay"), 0o644)
    bad = os.path.join(s.dir, "bad.conf")
    st, out = run(program("smtpd"), "-n", "-f", bad)
    equal(st, 1, out)
    m = re.search(r"bad.conf:(\d+):\d+: this rule relays for strangers", out)
    check(m, out)
    st, out = run(program("mailctl"), "-f", bad, "prove")
    equal(st, 1, out)
    m = re.search(r"mailctl (explain .*)", out)
    check("if its address has a name" in out and "its HELO name is known" in out, out)
    argv = [w.strip('"').replace("client.stranger.invalid", "good.lab") for w in m.group(1).split()]
    st, out = run(program("mailctl"), "-f", bad, *argv)
    if HERE:
        check('permit half sender "@x.lab" relay\n\tmatches and decides' in out and out.endswith("relay\n"), out)
    s.log_mark()
    good = s.conf
    s.write("mail.conf", slurp(bad).decode(), 0o644)
    s.reload("smtpd")
    s.log_wait("does not pass its checks")
    check(re.search(r"mail.conf:\d+:\d+: this rule relays for strangers", s.log_since()), s.log_tail())
    s.write("mail.conf", text, 0o644)
    equal(good, s.conf)


@case
def still_the_same_processes():
    text = s.log()
    check(not re.search(r"killed by signal|exited with status|killing ", text),
          "\n".join(l for l in text.splitlines() if re.search(r"signal|exited|killing", l)))


finish()
