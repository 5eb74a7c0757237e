"""mailctl user, mailbox, quota and index: as the owner, on files that are anybody's."""
import json, os, re, shutil, subprocess, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

s = Suite()
A = "alice@example.org"
MBOX = ("From a Mon Jan  1 00:00:00 2024\nFrom: Ann <a@b.example>\nSubject: hello\n\nbody one\n\n"
        "From b Mon Jan  1 00:00:00 2024\nFrom: Bob <b@b.example>\nSubject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\n"
        "Status: RO\n\nbody with a zebra\n\n")


def ctl(*argv, want=0, **kw):
    st, out = s.ctl(*argv, **kw) if not kw else run(program("mailctl"), "-f", s.conf, *argv, **kw)
    equal(st, want, "%s: %s" % (" ".join(argv), out))
    return out


@case
def users():
    ctl("user", "add", "new@example.org", input=b"secret\n")
    check("new@example.org" in ctl("user", "list"), "not in the list")
    ctl("user", "add", "new@example.org", input=b"secret\n", want=1)
    ctl("user", "add", "x:y@example.org", input=b"secret\n", want=1)
    ctl("user", "add", "x@elsewhere.example", input=b"secret\n", want=1)
    ctl("user", "quota", "new@example.org", "5m")
    ctl("user", "quota", "new@example.org", "lots", want=1)
    ctl("user", "quota", "new@example.org", "5m", "6", "things", want=1)
    ctl("user", "quota", "new@example.org", "many", "messages", want=1)

    def extra():
        text = slurp(os.path.join(s.dir, "people")).decode()
        return [l for l in text.splitlines() if l.startswith("new@")][0].split(":")[7:]
    ctl("user", "quota", "new@example.org", "2m", "50", "messages")
    equal(extra(), ["quota=2m messages=50"])
    ctl("user", "quota", A, "2m", "50", "messages")
    ctl("mailbox", "create", A, "Any")
    check("limit=2097152 messages=0 limit_messages=50" in ctl("quota", A), "mailctl quota")
    check('"limit_messages": 50' in ctl("-j", "quota", A), "as JSON")
    ctl("mailbox", "delete", A, "Any")
    ctl("user", "quota", A, "none")
    ctl("user", "quota", "new@example.org", "60", "messages")
    equal(extra(), ["messages=60"])
    ctl("user", "quota", "new@example.org", "none")
    equal(extra(), [])
    ctl("user", "quota", "new@example.org", "5m")
    ctl("user", "password", "-s", "SCRAM-SHA-256", "new@example.org", input=b"other\n")
    line = [l for l in slurp(os.path.join(s.dir, "people")).decode().splitlines() if l.startswith("new@")][0]
    check("{SCRAM-SHA-256}" in line and line.endswith("quota=5m"), line)

    def login():
        c = s.imap()
        c.line()
        c.write('t LOGIN new@example.org "other"\r\n')
        return "OK" in c.tagged("t")[-1]
    until("login with the new password", login, 10, 0.3)
    # What is offered to all is what new ones get.
    p = s.write("scram.conf", re.sub(r"(?m)^auth <people>$", "auth <people> scram", slurp(s.conf).decode()))
    for argv, want in ((["password"], "{SCRAM-SHA-256}"), (["password", "-s", "SHA512-CRYPT"], "$6$")):
        st, out = run(program("mailctl"), "-f", p, "user", *argv, "new@example.org", input=b"third\n")
        equal(st, 0, out)
        line = [l for l in slurp(os.path.join(s.dir, "people")).decode().splitlines() if l.startswith("new@")][0]
        check(want in line, line)
    ctl("user", "delete", "new@example.org")
    check("new@example.org" not in ctl("user", "list"), "still in the list")
    ctl("user", "delete", "new@example.org", want=1)


@case
def many_at_once():
    """Two that change the table at once do not undo each other's work."""
    ps = [subprocess.Popen([program("mailctl"), "-f", s.conf, "user", "add", "u%d@example.org" % i],
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for i in range(6)]
    for p in ps:
        p.communicate(b"secret\n")
        equal(p.returncode, 0, "user add")
    equal(ctl("user", "list", "@example.net"), ctl("user", "list", "@example.org"), "by another name of the domain")
    equal(ctl("user", "list", "@box.example").split(), ["dave@box.example"], "of one domain")
    out = ctl("user", "list")
    for i in range(6):
        check("u%d@example.org" % i in out, "u%d is lost" % i)


@case
def mailboxes():
    s.send(A, "first", "to be there\r\n")
    s.wait_mail(A, "Subject: first")
    mbox = s.write("in.mbox", MBOX)
    ctl("mailbox", "create", A, "Work/Sub", "Größe")
    ctl("mailbox", "create", A, "../x", want=1)
    check("2 messages" in ctl("mailbox", "import", A, mbox, "Work"), "import")
    equal(sorted(json.loads(ctl("-j", "mailbox", "list", A))), ["Größe", "INBOX", "Work", "Work/Sub"])
    check("messages=2 unseen=1" in ctl("mailbox", "status", A, "Work"), "status")
    for f, want in (("subject=grüße", "2"), ("text=ZEBRA", "2"), ("from=ann", "1"), ("unseen", "1"),
                    ("uid=1:*", "1 2"), ("larger=1m", ""), ("newer=1h", "1 2"), ("older=1h", "")):
        equal(" ".join(ctl("mailbox", "search", A, "Work", f).split()), want, f)
    ctl("mailbox", "search", A, "Work", "colour=red", want=2)
    check("body one" in ctl("mailbox", "fetch", A, "Work", "1"), "fetch")
    ctl("mailbox", "fetch", A, "Work", "9", want=1)
    ctl("mailbox", "copy", A, "Work", "Größe", "seen")
    check("messages=1" in ctl("mailbox", "status", A, "Größe"), "copy")
    before = ctl("mailbox", "status", A, "Work")
    ctl("mailbox", "rebuild", A, "Work")
    equal(ctl("mailbox", "status", A, "Work").split(" highest")[0], before.split(" highest")[0], "rebuild")
    check("0 bad" in ctl("mailbox", "verify", A), "verify")
    ctl("index", A)
    for what in (["mailbox", "verify"], ["index"]):
        got = [json.loads(l) for l in ctl("-j", *what, A).splitlines()]
        check({"mailbox", "messages", "bad"} == set(got[0]) and got[0]["bad"] == 0, got)
    check("limit=0" in ctl("quota", A), "quota")
    equal(ctl("mailbox", "export", A, "Work", "-", stderr=subprocess.DEVNULL).count("\nSubject: "), 2)
    ctl("mailbox", "expunge", A, "Work", "from=ann")
    check("messages=1" in ctl("mailbox", "status", A, "Work"), "expunge")
    ctl("mailbox", "rename", A, "Work", "Old")
    ctl("mailbox", "delete", A, "Old/Sub")
    check("Work" not in ctl("mailbox", "list", A), "rename")
    ctl("mailbox", "list", "nobody@example.org", want=1)


@case(root=True)
def as_the_owner():
    """What is made belongs to the owner, and a link leads nowhere."""
    ctl("mailbox", "create", A, "Owned")
    d = os.path.join(s.maildir(A), ".Owned")
    for top, dirs, files in os.walk(d):
        for n in dirs + files:
            equal(os.stat(os.path.join(top, n)).st_uid, os.stat(s.maildir(A)).st_uid, n)
    target = os.path.join(s.dir, "secret")
    os.makedirs(os.path.join(target, "cur"))
    os.symlink(target, os.path.join(s.maildir(A), ".Link"))
    ctl("mailbox", "status", A, "Link", want=1)
    check(not os.path.exists(os.path.join(target, "postern.index")), "followed a link")
    src = os.path.join(s.dir, "private")
    os.makedirs(os.path.join(src, "cur"), 0o700)
    os.chmod(src, 0o700)
    ctl("mailbox", "import", A, src, "Stolen", want=1)
    os.chmod(src, 0o755)
    ctl("mailbox", "import", A, src, "Half", want=1)


@case(root=True)
def maildir_in_and_out():
    src, out = os.path.join(s.dir, "home"), os.path.join(s.dir, "out")
    for sub in ("cur", "new", "tmp", ".Sent/cur", ".Sent/new", ".Sent/tmp"):
        os.makedirs(os.path.join(src, "Maildir", sub))
    m = os.path.join(src, "Maildir")
    open(os.path.join(m, "cur", "1700000000.x.host:2,FSa"), "w").write("Subject: one\n\nx\n")
    open(os.path.join(m, "new", "1700000001.x.host"), "w").write("Subject: two\n\ny\n")
    open(os.path.join(m, ".Sent", "cur", "1700000002.x.host:2,S"), "w").write("Subject: three\n\nz\n")
    open(os.path.join(m, "dovecot-keywords"), "w").write("0 Important\n")
    os.mkfifo(os.path.join(m, "cur", "1700000003.x.host:2,"))
    run("chown", "-R", "vmail", src)
    os.makedirs(out)
    shutil.chown(out, "vmail")
    b = "bob@example.org"
    ctl("mailbox", "import", b, src)
    check("messages=2 unseen=1" in ctl("mailbox", "status", b, "INBOX"), "INBOX")
    check("messages=1" in ctl("mailbox", "status", b, "Sent"), "Sent")
    c = s.imap()
    c.line()
    c.do('LOGIN %s "%s"' % (b, PASS))
    c.do("SELECT INBOX")
    check(any("Important" in l and "\\Flagged" in l for l in c.do("FETCH 1 FLAGS")), "flags and keywords")
    ctl("mailbox", "export", b, "INBOX", out, stderr=subprocess.DEVNULL)
    equal(len(os.listdir(os.path.join(out, "cur"))), 2, "exported")


@case(root=True)
def pop3_ids_go_along():
    """What POP3 clients know messages by is exported, too."""
    b, out = "bob@example.org", os.path.join(s.dir, "with-ids")
    d = s.maildir(b)
    shutil.rmtree(d, ignore_errors=True)
    os.makedirs(os.path.join(d, "cur"), 0o700)
    for n in ("1700000001", "1700000002"):
        open(os.path.join(d, "cur", n + ".x.host:2,"), "w").write("Subject: x\n\ny\n")
    open(os.path.join(d, "dovecot-uidlist"), "w").write("3 V1234567890 N9\n4 Psome,id W30 :1700000001.x.host\n7 :1700000002.x.host\n")
    run("chown", "-R", "vmail", d)
    os.makedirs(out)
    shutil.chown(out, "vmail")
    ctl("mailbox", "export", b, "INBOX", out)
    got = slurp(os.path.join(out, "dovecot-uidlist")).decode().splitlines()
    equal([re.sub(r"(W\d+ |:.*)", "", l).strip() for l in got], ["3 V1234567890 N9", "4 Psome,id", "7"])
    shutil.rmtree(d)


def view(user, mailbox):
    """All that a client would notice: {uid: (flags, date, size, text)} and the numbers of the mailbox."""
    c = s.imap()
    c.line()
    c.do('LOGIN %s "%s"' % (user, PASS))
    out = c.do('EXAMINE "%s"' % mailbox)
    numbers = re.findall(r"\[(UIDVALIDITY \d+|UIDNEXT \d+)\]", "\n".join(out))
    equal(len(numbers), 2, out)
    got = {}
    for l in c.do("FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE PREVIEW)"):
        m = re.match(r"\* \d+ FETCH \(UID (\d+) FLAGS \(([^)]*)\) (.*)\)$", l)
        if m:
            got[int(m.group(1))] = (sorted(set(m.group(2).split()) - {"\\Recent"}), m.group(3))
    c.close()
    return numbers, got


def fill_to_move(user):
    """Gaps in the UIDs, flags, keywords, dates, folders."""
    c = s.imap()
    c.line()
    c.do('LOGIN %s "%s"' % (user, PASS))
    c.do("CREATE Work/Sub")
    for box in ("INBOX", "Work/Sub"):
        for i in range(8):
            text = "Subject: move %d\r\nFrom: a@b.example\r\n\r\nbody %d\r\nFrom here on\r\n" % (i, i)
            flags = ["", "\\Seen", "\\Flagged Important", "\\Answered \\Draft", "$Forwarded Other \\Deleted"][i % 5]
            c.write('a APPEND "%s" (%s) "0%d-Jan-2020 12:00:00 +0000" {%d}\r\n' % (box, flags, i + 1, len(text)))
            check(c.line().startswith("+"), "literal")
            c.write(text + "\r\n")
            check(c.tagged("a")[-1].startswith("a OK"), "APPEND")
        c.do('SELECT "%s"' % box)
        c.do("UID STORE 2,3,7:8 +FLAGS (\\Deleted)")
        c.do("UID EXPUNGE 2,3,8")
    c.do("CREATE Gesendet (USE (\\Sent \\Archive))")
    c.do("CREATE Quiet")
    for name in ("INBOX", "Work/Sub", "Gesendet", "Gone/&AOQ-"):
        c.do('SUBSCRIBE "%s"' % name)
    c.close()


def boxes(user):
    """The mailboxes, with what they are for and whether they are subscribed."""
    c = s.imap()
    c.line()
    c.do('LOGIN %s "%s"' % (user, PASS))
    out = sorted(l for l in c.do('LIST (SUBSCRIBED) "" "*" RETURN (SPECIAL-USE)') + c.do('LIST "" "*" RETURN (SUBSCRIBED SPECIAL-USE)') if l.startswith("* LIST"))
    c.close()
    return out


@case(root=True)
def moved_to_another_account():
    """What is exported and imported has its UIDs, UIDVALIDITY, keywords and dates: clients notice nothing."""
    b = "info@catch.example"
    fill_to_move(b)
    want = {m: view(b, m) for m in ("INBOX", "Work/Sub")}
    check(any("Other" in f for f, x in want["INBOX"][1].values()), want)
    out = os.path.join(s.dir, "moving")
    os.makedirs(out)
    shutil.chown(out, "vmail")
    ctl("mailbox", "export", b, out)
    ctl("mailbox", "export", b, out, want=1)            # not into other mail
    check("File exists" in run(program("mailctl"), "-f", s.conf, "mailbox", "export", b, out)[1], "why")
    st, told = run(program("mailctl"), "-f", s.conf, "mailbox", "export", b, out + ".none")
    check(st == 1 and "is no directory" in told and not os.path.exists(out + ".none"), told)
    to = "tester@lt01.am"
    check("5 messages, UIDs kept" in ctl("mailbox", "import", to, out), "kept")
    for m in want:
        equal(view(to, m), want[m], m)
    equal(boxes(to), boxes(b))
    told = "\n".join(boxes(to))
    check("\\Archive \\Sent" in told and "Gone" in told, told)
    check(not any("Subscribed" in l and "Quiet" in l for l in boxes(to)), told)
    s.empty(to)
    closed = os.path.join(s.dir, "closed-home")
    os.makedirs(closed + "/Maildir/cur", 0o755)
    os.chmod(closed + "/Maildir", 0o700)
    st, told = run(program("mailctl"), "-f", s.conf, "mailbox", "import", to, closed)
    check(st == 1 and "Maildir: Permission denied" in told, told)
    # As an mbox, which has one mailbox and to whole seconds its dates.
    mbox = os.path.join(s.dir, "moving.mbox")
    ctl("mailbox", "export", b, "Work/Sub", mbox)
    check("X-IMAPbase" in slurp(mbox).decode() and "X-Keywords: $Forwarded Other" in slurp(mbox).decode(), slurp(mbox).decode()[:600])
    check("UIDs kept" in ctl("mailbox", "import", to, mbox, "FromMbox"), "kept")
    equal(view(to, "FromMbox")[0], want["Work/Sub"][0])
    equal({u: f for u, (f, x) in view(to, "FromMbox")[1].items()}, {u: f for u, (f, x) in want["Work/Sub"][1].items()})
    equal([x.split("RFC822")[0] for f, x in view(to, "FromMbox")[1].values()],
          [x.split("RFC822")[0] for f, x in want["Work/Sub"][1].values()])
    # Our own Maildir says it too, and where mail is already, UIDs are new.
    check("UIDs kept" in ctl("mailbox", "import", to, os.path.join(s.maildir(b), ".Work.Sub"), "Again"), "our names")
    numbers, got = view(to, "Again")
    equal((numbers[0], got), (want["Work/Sub"][0][0], want["Work/Sub"][1]))
    # Names do not tell of the last one, which has gone: nobody gets its UID.
    check(int(numbers[1].split()[1]) >= int(want["Work/Sub"][0][1].split()[1]), numbers)
    check("UIDs kept" not in ctl("mailbox", "import", to, mbox, "Again"), "into other mail")
    equal(len(view(to, "Again")[1]), 10)
    # New mail goes on behind, and the index can be lost.
    ctl("mailbox", "rebuild", to, "Work/Sub")
    equal(view(to, "Work/Sub"), want["Work/Sub"])


finish()
