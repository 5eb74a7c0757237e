"""Where a message goes: aliases, mailboxes, modes, sizes, and what is not lost."""
import email, email.utils, glob, os, pwd, re, shutil, stat, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

PIPE = """\
#!/bin/sh
case "$EXTENSION" in
busy) echo try later; exit 75;;
full) echo "5.2.2 no room"; exit 1;;
slow) sleep 3;;
esac
{ env | sort; echo "ARGS: $*"; pwd; id -u; umask; cat; } >> "$(dirname "$0")/mail/pipe.out"
"""
s = Suite(extra="limit message 30m\n", start=False)
script = s.write("script", PIPE, 0o755)
s.write("people", slurp(s.dir + "/people").decode() + "".join(
    "%s@pipe.example:{PLAIN}x::::%s\n" % (u, s.dir + "/mail") for u in ("eve", "o'neil")) +
    "fay@quota.example:{PLAIN}%s\ngil@quota.example:{PLAIN}x\nhal@quota.example:{PLAIN}x::::::quota=300k\n"
    "ida@quota.example:{PLAIN}x::::::quota=1m,messages=5\n"
    "joe@kept.example:{PLAIN}x\nkim@kept.example:{PLAIN}x\n" % PASS, 0o640)
s.configure(extra="""limit message 30m
domain "pipe.example" {{
	users <people>
	deliver pipe "{dir}/script '%%n of %%d' %%u" as {owner}
}}
domain "quota.example" {{
	users <people>
	deliver maildir "{dir}/mail/%d/%n/Maildir" as {owner}
	quota 100k
}}
domain "kept.example" {{
	users <people>
	archive "info@catch.example"
	deliver maildir "{dir}/mail/%d/%n/Maildir" as {owner}
	quota 20k
}}
queue retry 1s to 5s
""".format(**s.vars).replace("%%", "%"))
s.start()

# A command of an alias: every argument on a line of its own, and what it was told.
ARGV = """\
#!/bin/sh
out="$1"; shift
{ for a; do echo "[$a]"; done; echo "uid=$(id -u) home=$HOME"; env | sort; cat; } >> "$out"
"""


def arrives(rcpt, users, subject, box=None):
    s.send(rcpt, subject)
    for u in users:
        s.wait_mail(u, "Subject: " + subject)


@case
def addresses():
    """Aliases, groups, chains, a second name of the domain, subaddresses, a catch-all."""
    for i, (rcpt, users) in enumerate((
            ("alice@example.org", ["alice@example.org"]),
            ("Alice@EXAMPLE.org", ["alice@example.org"]),
            ("bob@example.net", ["bob@example.org"]),
            ("bob+detail@example.org", ["bob@example.org"]),
            ("sales@example.org", ["alice@example.org", "bob@example.org"]),
            ("chain@example.net", ["alice@example.org", "bob@example.org"]),
            ("whoever@catch.example", ["info@catch.example"]),
            ("info@catch.example", ["info@catch.example"]),
            ("postmaster", ["alice@example.org"]),
            ("postmaster@catch.example", ["alice@example.org"]),
            ("root@example.org", ["alice@example.org"]))):
        arrives(rcpt, users, "addr%d." % i)


@case
def one_copy_each():
    """Named twice, and by an alias: one copy."""
    s.send(["alice@example.org", "sales@example.org", "alice@example.net"], "onecopy")
    s.wait_mail("bob@example.org", "Subject: onecopy")
    s.wait_mail("alice@example.org", "Subject: onecopy")
    time.sleep(0.3)
    equal(len(s.wait_mail("alice@example.org", "Subject: onecopy")), 1)


@case
def sqlite_users():
    """A table in SQLite; what a stranger writes is never part of the query."""
    import sqlite3
    db = os.path.join(s.dir, "users.db")
    with sqlite3.connect(db) as q:
        q.execute("create table users (name text primary key, hash text)")
        q.executemany("insert into users values (?, ?)", [("eve@sq.example", "{PLAIN}" + PASS), ("o'hara@sq.example", "{PLAIN}x")])
    os.chmod(db, 0o640)
    t = Suite(extra="""
table squsers sqlite "%s" query "SELECT name, hash FROM users WHERE name = ?"
auth <squsers>
domain "sq.example" {
	users <squsers>
	deliver maildir "{dir}/mail/%%d/%%n/Maildir" as {owner}
}
""".replace("{owner}", s.owner) % db, start=False)
    t.configure(slurp(t.conf).decode().replace("{dir}", t.dir))
    t.start()
    c = t.smtp()
    c.hello()
    c.cmd("MAIL FROM:<x@client.example>", "250")
    for rcpt, code in (("eve@sq.example", "250"), ("o'hara@sq.example", "250"), ("nobody@sq.example", "550"), ("%@sq.example", "550"),
                       ("'@sq.example", "550"), ("x'or'1'='1@sq.example", "550"), ("\"' OR 1=1 --\"@sq.example", "550"),
                       ("*)(uid=*@sq.example", "5"), ("eve\\@sq.example", "5")):
        r = c.cmd("RCPT TO:<%s>" % rcpt)
        check(r.startswith(code), "%s: %r" % (rcpt, r))
    t.send("eve@sq.example", "by sqlite")
    t.wait_mail("eve@sq.example", "by sqlite")
    i = t.imap()
    i.line()
    i.do('LOGIN "\' OR 1=1 --" "x"', "NO")
    i.do('LOGIN eve@sq.example "%s"' % PASS)
    i.do("SELECT INBOX")
    t.close()


@case
def mailbox_that_was_replaced():
    """Moved away, restored or removed while its process is there: mail goes to the mailbox that is there now."""
    who, box = "gil@quota.example", s.maildir("gil@quota.example")
    arrives(who, [who], "before")
    os.rename(box, box + ".old")
    arrives(who, [who], "moved")
    equal(len(s.messages(who)), 1, "in the new one")
    old = [p for sub in ("new", "cur") for p in os.listdir(os.path.join(box + ".old", sub))]
    equal(len(old), 1, "in the old one")
    shutil.rmtree(box)
    arrives(who, [who], "removed")
    shutil.rmtree(box)
    os.rename(box + ".old", box)
    arrives(who, [who], "restored")
    s.wait_mail(who, "Subject: before")
    s.empty(who)


@case
def mailbox_that_cannot_be_written():
    """The log says where it is; once that is mended the mail is there."""
    who, new = "gil@quota.example", s.maildir("gil@quota.example") + "/new"
    arrives(who, [who], "writable")
    os.chmod(new, 0o500)
    s.log_mark()
    s.send(who, "not writable")
    s.log_wait(r"user=gil@quota\.example: \S*/gil/Maildir: read-only", 5)
    os.chmod(new, 0o700)
    s.wait_mail(who, "Subject: not writable")
    s.empty(who)


@case
def maildir_modes():
    """The file is the owner's, for him alone, and in new/ with the queue id in its name."""
    qid = s.send("alice@example.org", "modes")
    p = s.wait_mail("alice@example.org", "Subject: modes")[0]
    st = os.stat(p)
    equal(stat.S_IMODE(st.st_mode), 0o600, "mode")
    equal(st.st_nlink, 1, "links")
    equal(st.st_uid, pwd.getpwnam(s.owner).pw_uid, "owner")
    check("/new/" in p, p)
    check(qid in p, "%s is not in %s" % (qid, p))
    equal(os.listdir(os.path.join(s.maildir("alice@example.org"), "tmp")), [], "left in tmp")
    for d in ("", "new", "cur", "tmp"):
        st = os.stat(os.path.join(s.maildir("alice@example.org"), d))
        equal(stat.S_IMODE(st.st_mode), 0o700, "mode of Maildir/" + d)


@case(root=True)
def system_user():
    """A Unix account: by its own uid, in its own home."""
    for u in SYSTEM_USERS:
        s.send(u + "@sys.example", "unix")
        p = s.wait_mail(u, "Subject: unix")[0]
        st = os.stat(p)
        equal((st.st_uid, st.st_gid), (pwd.getpwnam(u).pw_uid, pwd.getpwnam(u).pw_gid), "owner")
        equal(stat.S_IMODE(st.st_mode), 0o600, "mode")
    s.send("t1alias@sys.example", "unix alias")
    s.wait_mail("postern-t1", "Subject: unix alias")


@case(root=True)
def never_as_root():
    """root has no mailbox: its mail goes to the alias, and nothing is written as uid 0."""
    s.send("root@sys.example", "for root")
    c = s.smtp()
    c.hello()
    c.cmd("MAIL FROM:<x@client.example>", "250")
    for u in ("daemon", "bin", "_mailq"):
        c.cmd("RCPT TO:<%s@sys.example>" % u)
    c.close()
    for u in ("/root/Maildir", "/usr/sbin/Maildir"):
        check(not os.path.exists(u), u + " was made")


@case
def trace():
    qid = s.send("bob@example.org", "trace", sender="who@client.example", helo="my.client.example")
    t = slurp(s.wait_mail("bob@example.org", "Subject: trace")[0]).decode()
    m = email.message_from_string(t)
    equal(m["Return-Path"], "<who@client.example>")
    check("bob@example.org" in m["Delivered-To"], "Delivered-To: %r" % m["Delivered-To"])
    r = m["Received"]
    for w in ("from my.client.example", "127.0.0.1", "by mail.example.org", "ESMTP", qid):
        check(w in r, "%r is not in Received: %s" % (w, r))
    date = email.utils.parsedate_to_datetime(r.rsplit(";", 1)[1].strip())
    check(abs(date.timestamp() - time.time()) < 60, "date: %s" % date)


@case
def trace_of_tls_and_login():
    c = s.smtp("submission")
    c.hello()
    c.starttls()
    c.cmd("EHLO laptop", "250")
    c.auth()
    c.cmd("MAIL FROM:<alice@example.org>", "250")
    c.cmd("RCPT TO:<bob@example.org>", "250")
    c.cmd("DATA", "354")
    c.write("Subject: trace2\r\n\r\nx\r\n.\r\n")
    c.expect("250")
    t = slurp(s.wait_mail("bob@example.org", "Subject: trace2")[0]).decode()
    check("ESMTPSA" in t, t[:600])
    check(PASS not in t, "the password is in the message")


@case
def missing_fields():
    """Submission adds Date and Message-ID; smtp leaves the message alone."""
    for port, want in (("smtp", False), ("submission", True)):
        c = s.smtp(port)
        c.hello()
        if want:
            c.auth()
        c.cmd("MAIL FROM:<alice@example.org>", "250")
        c.cmd("RCPT TO:<bob@example.org>", "250")
        c.cmd("DATA", "354")
        c.write("Subject: fields-%s\r\n\r\nx\r\n.\r\n" % port)
        c.expect("250")
        m = email.message_from_bytes(slurp(s.wait_mail("bob@example.org", "Subject: fields-" + port)[0]))
        if want:
            check(m["Date"] and m["Message-ID"], "not added: Date %r, Message-ID %r" % (m["Date"], m["Message-ID"]))
        else:
            check(not m["Message-ID"], "a Message-ID was added")


def body_of(path):
    t = slurp(path).replace(b"\r\n", b"\n")
    return t[t.index(b"\n\n") + 2:]


@case
def sizes():
    """Empty to 10 MB, around the limit between journal and spool file."""
    for n in (0, 1, 1000, 65536, 262000, 262144, 263000, 300000, 1 << 20, 10 << 20):
        body = ("".join("%07d\r\n" % i for i in range(n // 9 + 1)))[:n]
        body = body[:body.rfind("\n") + 1] if "\n" in body else ""
        tag = "size-%d-" % n
        s.send("carol@example.org", tag, body)
        p = s.wait_mail("carol@example.org", "Subject: " + tag, secs=20)[0]
        equal(len(body_of(p)), len(body.replace("\r\n", "\n")), "size %d" % n)
        check(body_of(p) == body.replace("\r\n", "\n").encode(), "size %d: not the same bytes" % n)
        os.unlink(p)


@case
def bytes_as_sent():
    """8-bit text is not touched."""
    body = bytes(b for b in range(1, 256) if b not in (10, 13)) + b"\r\n\xff\xfe\xe4\r\n"
    c = s.smtp()
    c.hello()
    c.cmd("MAIL FROM:<x@client.example> BODY=8BITMIME", "250")
    c.cmd("RCPT TO:<carol@example.org>", "250")
    c.cmd("DATA", "354")
    c.write(b"Subject: eightbit\r\n\r\n" + body + b".\r\n")
    c.expect("250")
    p = s.wait_mail("carol@example.org", "Subject: eightbit")[0]
    equal(body_of(p), body.replace(b"\r\n", b"\n"))


@case
def no_header_no_body():
    """What is no message at all is delivered as it is."""
    for i, text in enumerate((b"just a line\r\n", b"\r\nonly a body mark%d\r\n", b"Subject: nobody\r\n",
                              b": empty name\r\n\r\nx\r\n", b"Subject\r\n\r\nx\r\n")):
        c = s.smtp()
        c.hello()
        c.cmd("MAIL FROM:<x@client.example>", "250")
        c.cmd("RCPT TO:<carol@example.org>", "250")
        n = len(s.messages("carol@example.org"))
        c.cmd("DATA", "354")
        c.write(text + b".\r\n")
        c.expect("250")
        until("message %d" % i, lambda: len(s.messages("carol@example.org")) > n)


@case
def mbox():
    """From lines, quoting, lock, mode."""
    s.send("dave@box.example", "mbox1", "one\r\nFrom the start\r\n>From twice\r\n")
    s.send("dave@box.example", "mbox2", "two\r\n")
    p = os.path.join(s.dir, "mail/box.example/dave.mbox")
    until("two messages", lambda: b"mbox2" in slurp(p) and b"mbox1" in slurp(p))
    t = slurp(p)
    st = os.stat(p)
    equal(stat.S_IMODE(st.st_mode), 0o600, "mode")
    equal(st.st_uid, pwd.getpwnam(s.owner).pw_uid, "owner")
    equal(len(re.findall(rb"^From \S+ \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}$", t, re.M)), 2, t[:300])
    check(b"\n>From the start\n" in t, t.decode())
    import mailbox
    box = mailbox.mbox(p)
    equal(len(box), 2, "messages that Python sees")
    equal([p for p in os.listdir(os.path.dirname(p)) if "lock" in p], [], "a lock was left")
    st, out = s.ctl("mailbox", "create", "dave@box.example", "Sent")
    check(st == 1 and "an mbox has no other mailboxes" in out, out)


def piped(text):
    p = os.path.join(s.dir, "mail/pipe.out")
    until("%r in what the command wrote" % text, lambda: text in slurp(p).decode())
    t = slurp(p).decode()
    os.unlink(p)
    return t


@case
def pipe():
    """The command's words, environment, directory, uid; the message with LF."""
    qid = s.send("eve+tag@pipe.example", "piped", "..x\r\nlast\r\n", sender="who`id`|x@client.example")
    t = piped("last\n")
    for l in ("ARGS: eve of pipe.example eve@pipe.example", "SENDER=who_id__x@client.example",
              "RECIPIENT=eve+tag@pipe.example", "EXTENSION=tag", "LOCAL=eve+tag", "DOMAIN=pipe.example",
              "USER=eve@pipe.example", "HOME=" + s.dir + "/mail", "QUEUEID=" + qid + ".0", s.dir + "/mail",
              str(pwd.getpwnam(s.owner).pw_uid), "0077", "Return-Path: <who`id`|x@client.example>",
              "Delivered-To: eve+tag@pipe.example", "Subject: piped", ".x"):
        check(l in t.split("\n"), "%r is not in\n%s" % (l, t))
    check("\r" not in t, "CR")
    names = {l.split("=")[0] for l in t.split("ARGS:")[0].splitlines()}
    equal(names - {"PWD", "_", "OLDPWD", "SHLVL"}, set(
        "PATH LANG SHELL HOME USER LOGNAME SENDER RECIPIENT ORIGINAL_RECIPIENT QUEUEID DOMAIN LOCAL EXTENSION".split()))


@case
def pipe_says_later():
    s.log_mark()
    qid = s.send("eve+busy@pipe.example", "busy")
    s.log_wait(r"%s: .*451 4\.3\.0 the command says: try later" % qid)
    check(qid in s.ctl("queue", "list")[1], "not waiting")
    s.ctl("queue", "delete", qid)


@case
def pipe_says_no():
    """The sender is told what the command said."""
    s.empty("alice@example.org")
    s.send("eve+full@pipe.example", "full", sender="alice@example.org")
    t = slurp(s.wait_mail("alice@example.org", "eve+full@pipe.example")[0]).decode()
    check("5.2.2 no room" in t, t)


@case
def pipe_process():
    """It runs as the recipient, starts nothing when idle, and holds up nobody else."""
    start = time.time()
    s.send("eve+slow@pipe.example", "slow")
    s.send("alice@example.org", "meanwhile")
    s.wait_mail("alice@example.org", "Subject: meanwhile")
    check(time.time() - start < 2, "held up")
    pids = s.role("smtpd", "pipe")
    equal(len(pids), 1, "processes")
    equal(status(pids[0])["Uid"].split()[0], str(pwd.getpwnam(s.owner).pw_uid), "uid")
    piped("Subject: slow")


@case(root=True)
def alias_commands():
    """Where the domain says so: argv as it stands, no shell, its own account; else 451; gone meanwhile: 550."""
    out, who = s.dir + "/cmd/out", "postern-t1"
    os.mkdir(s.dir + "/cmd")
    shutil.chown(s.dir + "/cmd", who)
    t = Suite(daemons=("smtpd",), start=False, aliases="""
run: "|{d}/cmd.sh {o} $(id) `id` ; 'a, b' | & > /tmp/alias-shell \\\\ %u", bob
later: "|{d}/cmd.sh {o} once"
""".format(d=s.dir, o=out), extra="""
table closed {{ run = "|{d}/cmd.sh {o} never" }}
domain "closed.example" {{ aliases <closed> }}
queue retry 1s to 2s
""".format(d=s.dir, o=out))
    s.write("cmd.sh", ARGV, 0o755)
    t.configure(slurp(t.conf).decode().replace("aliases <aliases>", "aliases <aliases> commands as " + who, 1))
    st, said = run(program("smtpd"), "-n", "-f", t.conf)
    check(st == 0 and "mail to run waits, its alias names a command" in said, said)
    t.start()
    try:
        t.send("run+x`id`$y|z@example.org", "shell?", sender="a`id`|b@client.example")
        t.wait_mail("bob@example.org", "Subject: shell?")
        until("it ran", lambda: os.path.exists(out) and "Subject: shell?" in slurp(out).decode())
        got = slurp(out).decode().split("\n")
        equal([l for l in got if l.startswith("[")], ["[$(id)]", "[`id`]", "[;]", "[a, b]", "[|]", "[&]", "[>]",
              "[/tmp/alias-shell]", "[ %u]"])
        pw = pwd.getpwnam(who)
        for l in ("uid=%d home=%s" % (pw.pw_uid, pw.pw_dir), "USER=" + who, "SENDER=a_id__b@client.example",
                  "RECIPIENT=run+x_id__y_z@example.org"):
            check(l in got, "%r is not in %r" % (l, got))
        check(not os.path.exists("/tmp/alias-shell"), "a shell was there")
        st, said = t.ctl("explain", "from", "203.0.113.9", "to", "later@example.org")
        check("|%s/cmd.sh %s once (alias, a command that runs as %s)" % (s.dir, out, who) in said, said)
        c = t.smtp()
        c.hello()
        c.cmd("MAIL FROM:<x@client.example>", "250")
        check(c.cmd("RCPT TO:<run@closed.example>").startswith("451 4.3.5"), "not permitted, and taken")
        t.ctl("pause", "deliver")
        t.send("later@example.org", "gone", sender="alice@example.org")
        t.write("aliases", "later: bob\n")
        time.sleep(2.2)          # what was read of a table counts for two seconds
        t.log_mark()
        t.ctl("resume", "deliver")
        t.log_wait("550 5.1.1 the address starts this command no more")
        time.sleep(0.3)
        check("once" not in slurp(out).decode(), "it ran")
    finally:
        t.close()


@case
def original_recipient():
    """Through an alias: both addresses; without one there is no X-Original-To."""
    s.send("sales@example.org", "two addresses")
    m = email.message_from_bytes(slurp(s.wait_mail("bob@example.org", "Subject: two addresses")[0]))
    equal((m["X-Original-To"], m["Delivered-To"]), ("sales@example.org", "bob@example.org"))
    s.send("bob@example.org", "one address")
    m = email.message_from_bytes(slurp(s.wait_mail("bob@example.org", "Subject: one address")[0]))
    equal((m["X-Original-To"], m["Delivered-To"]), (None, "bob@example.org"))


def rcpt(who, size=""):
    c = s.smtp()
    c.hello()
    c.cmd("MAIL FROM:<x@client.example>" + size, "250")
    r = c.cmd("RCPT TO:<%s>" % who)
    c.close()
    return r


def kilobytes(n):
    return ("x" * 62 + "\r\n") * 16 * n


@case
def quota_with_archive():
    """Full is refused, copy for the archive or not; the others and the archive get the mail."""
    joe, kim, info = "joe@kept.example", "kim@kept.example", "info@catch.example"
    s.send(joe, "kept1", kilobytes(18))
    s.wait_mail(joe, "Subject: kept1")
    until("what does not fit is refused", lambda: rcpt(joe, " SIZE=5000").startswith("552 5.2.2"), 5)
    c = s.smtp()
    c.hello()
    c.cmd("MAIL FROM:<x@client.example> SIZE=5000", "250")
    c.cmd("RCPT TO:<%s>" % joe, "552 5.2.2")
    c.cmd("DATA", "554")
    c.cmd("RCPT TO:<%s>" % kim, "250")
    c.cmd("DATA", "354")
    c.write("Subject: kept2\r\n\r\nx\r\n.\r\n")
    c.expect("250")
    for who in (kim, info):
        equal(len(s.wait_mail(who, "Subject: kept2")), 1, who)
    equal(len([m for m in s.messages(joe) if b"Subject: kept2" in slurp(m)]), 0, "what joe has")


@case
def quota():
    """Warned at 80 and 95 %, refused at RCPT when full, taken again when there is room."""
    fay = "fay@quota.example"
    s.send(fay, "quota1", kilobytes(70))
    s.wait_mail(fay, "Subject: quota1")
    s.send(fay, "quota2", kilobytes(13))
    s.wait_mail(fay, "more than 80 %")
    s.send(fay, "quota3", kilobytes(14))
    m = email.message_from_bytes(slurp(s.wait_mail(fay, "more than 95 %")[0]))
    equal((m["Auto-Submitted"], m["Return-Path"], m["To"]), ("auto-generated", "<>", "<%s>" % fay))
    check(m["Date"] and m["Message-ID"], "no Date or Message-ID")
    held = re.search(r"holds (\d+) of 100 kilobytes", m.get_payload())
    check(held and 95 <= int(held[1]) <= 100, m.get_payload())
    until("what does not fit is refused", lambda: rcpt(fay, " SIZE=50000").startswith("552 5.2.2"), 5)
    check(rcpt(fay, " SIZE=500").startswith("250"), "a small one is refused")
    check(rcpt("postmaster@quota.example").startswith("250"), "postmaster")
    s.empty("alice@example.org")
    s.send(fay, "too much", kilobytes(50), sender="alice@example.org")
    t = slurp(s.wait_mail("alice@example.org", fay)[0]).decode()
    check("5.2.2" in t and "mailbox is full" in t, t)
    equal(len(s.wait_mail(fay, "more than 95 %")), 1, "told once")
    s.start("imapd") if "imapd" not in s.started else None
    c = s.imap()
    c.expect("*")
    c.write('a LOGIN %s "%s"\r\nb SELECT INBOX\r\nc STORE 1 +FLAGS.SILENT (\\Deleted)\r\nd EXPUNGE\r\n' % (fay, PASS))
    while not c.line().startswith("d OK"):
        pass
    c.close()
    time.sleep(21)
    r = rcpt(fay, " SIZE=50000")
    check(r.startswith("452 4.2.2"), "not asked again: " + r)
    until("there is room", lambda: rcpt(fay, " SIZE=50000").startswith("250"), 5)
    s.send(fay, "room again", kilobytes(50))
    s.wait_mail(fay, "Subject: room again")


@case
def quota_of_what_comes():
    """What cannot fit is refused before it comes, with what comes elsewhere counted."""
    s.start("imapd") if "imapd" not in s.started else None

    def login():
        c = s.imap()
        c.expect("*")
        c.do('LOGIN hal@quota.example "%s"' % "x")
        return c

    def announce(c, size, what="a APPEND INBOX "):
        c.write("%s{%d}\r\n" % (what, size))
        return c.line()
    c, d = login(), login()
    check(announce(c, 700000).startswith("a NO [OVERQUOTA]"), "too large")
    check(announce(c, 400000).startswith("+"), "it may fit")
    check(announce(d, 400000).startswith("a NO [OVERQUOTA]"), "both do not fit")
    c.close()
    until("the other one went", lambda: announce(d, 400000).startswith("+"), 5)
    text = b"Subject: several\r\n\r\n" + b"x" * 150000 + b"\r\n"
    d.close()
    c = login()
    for i in range(4):
        check(until("room", lambda: announce(c, len(text), "" if i else "a APPEND INBOX ")).startswith("+"), i)
        c.write(text + b" ")
    check(announce(c, len(text), "").startswith("a NO [OVERQUOTA]"), "five of 150 KB")
    c.do("LOGOUT")
    equal(s.messages("hal@quota.example"), [], "what is there")


@case
def quota_over_a_restart():
    """Who was full is not taken for empty when smtpd starts again; a file that is damaged is only forgotten."""
    gil = "gil@quota.example"
    s.send(gil, "most of it", kilobytes(90))
    s.wait_mail(gil, "Subject: most of it")
    until("what does not fit is refused", lambda: rcpt(gil, " SIZE=50000").startswith("552 5.2.2"), 5)
    s.stop("smtpd")
    s.start("smtpd")
    r = rcpt(gil, " SIZE=50000")
    check(r.startswith("452 4.2.2"), "after a restart: " + r)
    check(rcpt(gil, " SIZE=500").startswith("250"), "a small one is refused")
    until("it was asked", lambda: rcpt(gil, " SIZE=50000").startswith("552 5.2.2"), 5)
    s.stop("smtpd")
    with open(s.dir + "/spool/quotas", "r+b") as f:
        f.seek(20)
        was = f.read(1)
        f.seek(20)
        f.write(b"8" if was == b"9" else b"9")
    s.log_mark()
    s.start("smtpd")
    check("quotas: damaged" in s.log_since(), s.log_since())
    check(rcpt(gil, " SIZE=50000").startswith("250"), "believed")
    s.empty(gil)


@case
def quota_of_messages():
    """A limit to their number: warned, refused at RCPT; what was on its way is returned."""
    ida = "ida@quota.example"
    for i in range(4):
        s.send(ida, "number %d" % i)
        s.wait_mail(ida, "Subject: number %d" % i)
    t = slurp(s.wait_mail(ida, "more than 80 %")[0]).decode()
    check("holds 4 of 5 messages" in t, t)
    until("the sixth is refused", lambda: rcpt(ida).startswith("552 5.2.2"), 5)
    equal(len(s.messages(ida)), 5)
    out = s.ctl("quota", ida)[1]
    check("messages=5 limit_messages=5" in out and "limit=1048576" in out, out)
    os.unlink(s.messages(ida)[0])
    os.unlink(os.path.join(s.maildir(ida), "maildirsize"))
    until("there is room", lambda: rcpt(ida).startswith("250"), 30)


@case
def quota_of_a_user():
    """A user's own wins; one that is not known yet is returned, with the sender told."""
    hal, gil = "hal@quota.example", "gil@quota.example"
    s.send(hal, "own quota", kilobytes(200))
    s.wait_mail(hal, "Subject: own quota")
    s.empty("alice@example.org")
    s.send(gil, "at once", kilobytes(200), sender="alice@example.org")
    t = slurp(s.wait_mail("alice@example.org", gil)[0]).decode()
    check("5.2.2" in t, t)
    equal(s.messages(gil), [], "delivered")


@case
def mbox_lock_of_the_dead():
    """A deliverer that was killed with the lock in its hand: nobody waits."""
    p = os.path.join(s.dir, "mail/box.example/dave.mbox")
    s.send("dave@box.example", "first for the lock")
    until("the first", lambda: b"first for the lock" in slurp(p))
    with open(p + ".lock", "w") as f:
        f.write("%d\n%s\n" % (os.getpid(), os.uname().nodename))
    if ROOT:
        shutil.chown(p + ".lock", s.owner)
    start = time.time()
    s.send("dave@box.example", "after the lock")
    until("the second", lambda: b"after the lock" in slurp(p))
    check(time.time() - start < 2, "it waited")


@case(root=True)
def symlinks_are_not_followed():
    """A mailbox that its owner made point elsewhere."""
    import subprocess
    u = "postern-t2"
    md = s.maildir(u)
    target = os.path.join(s.dir, "target")
    os.makedirs(target, exist_ok=True)
    for sub in ("new", "cur", "tmp"):
        os.makedirs(os.path.join(target, sub), exist_ok=True)
    for root_, ds, fs in os.walk(target):
        shutil.chown(root_, "vmail", "vmail")
        os.chmod(root_, 0o777)
    shutil.rmtree(md, ignore_errors=True)
    subprocess.run(["runuser", "-u", u, "--", "ln", "-s", target, md], check=True)
    s.send(u + "@sys.example", "symlinked")
    time.sleep(1)
    try:
        equal(os.listdir(os.path.join(target, "new")), [], "delivered through the link")
    finally:
        os.unlink(md)


@case(root=True)
def mbox_symlink():
    """An mbox that its owner made a link to a file of root."""
    target = s.write("roots-file", "root's\n", 0o600)
    box = os.path.join(s.dir, "mail/box.example/linked.mbox")
    os.makedirs(os.path.dirname(box), exist_ok=True)
    shutil.chown(os.path.dirname(box), s.owner)
    os.symlink(target, box)
    people = slurp(s.dir + "/people").decode()
    s.write("people", people + "linked@box.example:{PLAIN}x\n", 0o640)

    def known():
        c = s.smtp()
        c.hello()
        c.cmd("MAIL FROM:<x@client.example>", "250")
        return c.cmd("RCPT TO:<linked@box.example>").startswith("250")
    until("the new user", known, 15, 1)
    s.send("linked@box.example", "through a link")
    time.sleep(1)
    equal(slurp(target), b"root's\n", "the file behind the link")
    os.unlink(box)
    for l in s.ctl("queue", "list")[1].splitlines():
        if "linked@" not in l and l[:1] != " ":
            s.ctl("queue", "delete", l.split()[0])


@case
def tempfail_then_delivered():
    """A mailbox that cannot be written now: kept, tried again, delivered."""
    md = os.path.dirname(os.path.dirname(s.maildir("tester@lt01.am")))
    shutil.rmtree(md, ignore_errors=True)
    with open(md, "w"):
        pass
    qid = s.send("tester@lt01.am", "patience")
    s.log_wait(r"%s: " % qid)
    time.sleep(0.5)
    os.unlink(md)
    st, out = s.ctl("queue", "list")
    equal(st, 0, out)
    check(qid in out, "not in the queue: %s" % out)
    st, out = s.ctl("queue", "show", qid)
    check(st == 0 and "tester@lt01.am" in out, out)
    st, out = s.ctl("queue", "retry")
    equal(st, 0, out)
    s.wait_mail("tester@lt01.am", "Subject: patience")
    until("empty queue", lambda: qid not in s.ctl("queue", "list")[1])


@case
def logged():
    """One line for the final state of each recipient, with the queue id."""
    s.log_mark()
    qid = s.send(["alice@example.org", "bob@example.org"], "logged")
    s.wait_mail("bob@example.org", "Subject: logged")
    s.log_wait(r"%s: .*bob@example\.org" % qid)
    time.sleep(0.3)
    final = [l for l in s.log_since().splitlines() if qid + ": " in l and "delivered" in l]
    equal(len(final), 2, "final lines: %s" % final)
    for l in final:
        check(re.search(r"(to|rcpt)=<?(alice|bob)@example\.org", l), l)


@case
def spool_gets_empty():
    """When all is delivered nothing is left, in the queue or among the spool files."""
    until("empty queue", lambda: s.ctl("queue", "list")[1].strip() == "" or
          "0 " in s.ctl("queue", "list")[1], 15)
    big = [p for p in glob.glob(s.dir + "/spool/**/*", recursive=True)
           if os.path.isfile(p) and "journal" not in p and ".seg" not in p]
    check(len(big) <= 2, "left: %s" % big)


@case
def still_the_same_processes():
    text = s.log()
    check(not re.search(r"killed by signal|exited with status|killing ", text),
          "\n".join(l for l in text.splitlines() if re.search(r"signal|exited|killing", l)))


@case
def pipe_process_dies():
    """One that is killed, at work or at rest: the queue goes on, and the message is tried again."""
    queue = s.role("smtpd", "queue")
    s.log_mark()
    qid = s.send("eve+slow@pipe.example", "killed at work")
    until("at work", lambda: s.role("smtpd", "pipe"))
    for p in s.role("smtpd", "pipe"):
        s.kill(p)
    s.log_wait("the delivery process has died")
    piped("Subject: killed at work")
    until("done", lambda: qid not in s.ctl("queue", "list")[1])
    for p in s.role("smtpd", "pipe"):
        s.kill(p)
    s.send("eve@pipe.example", "killed at rest")
    piped("Subject: killed at rest")
    equal(s.role("smtpd", "queue"), queue, "the queue was restarted")


finish()
