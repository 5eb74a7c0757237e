"""sendmail, mailq and newaliases: what programs do with them, smtpd up and down."""
import glob, os, pwd, re, shutil, socket, sys, threading, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

SENDMAIL = program("mailctl").replace("mailctl/mailctl", "mailctl/sendmail")
A = "alice@example.org"
RULES_ = """
permit local relay
permit any deliver
"""
s = Suite(daemons=("smtpd",), rules=RULES_, routes='bounce any "550 5.1.1 not sent from here"',
          extra="limit sessions 400 per address 20\n", aliases=ALIASES + "broken: /a/file\n" + ("" if ROOT else "%s: alice\n" % ME))
KEPT = s.dir + "/spool-handover"
T1, T2 = SYSTEM_USERS


def sm(*argv, user=None, text=b"", status=0, env=None):
    """Run sendmail (as user, if we may); its output."""
    cmd = [SENDMAIL, "-C", s.conf] + list(argv)
    if isinstance(text, str):
        text = text.encode()
    kw = {}
    if user and ROOT:
        p = pwd.getpwnam(user)
        kw = dict(user=p.pw_uid, group=p.pw_gid, extra_groups=[])
    got, out = run(*cmd, input=text, env=dict(os.environ, **(env or {})), **kw)
    equal(got, status, "%r: %s" % (argv, out))
    return out


def kept():
    return [p for p in os.listdir(KEPT)]


def mail(subject, user=A, count=1):
    return slurp(s.wait_mail(user, "Subject: " + subject, count)[0]).decode("utf-8", "replace").replace("\r\n", "\n")


def header(text, name):
    m = re.search(r"^%s: (.*)$" % name, text.split("\n\n", 1)[0], re.M)
    return m and m.group(1)


@case
def plain_message():
    sm(A, text="Subject: plain\n\nhello\n")
    m = mail("plain")
    me = pwd.getpwuid(os.getuid())
    check("<%s@example.org>" % me.pw_name in header(m, "From"), m)
    check(header(m, "Date") and header(m, "Message-ID"), m)
    equal(header(m, "Return-Path"), "<%s@example.org>" % me.pw_name)
    check(re.search(r"^Received: by mail\.example\.org \(Postern, from uid %d\)" % os.getuid(), m, re.M), m)
    check(m.endswith("\nhello\n"), m)


@case
def like_cron():
    """No header at all but the one that cron writes, LF, the usual options."""
    sm("-FCronDaemon", "-i", "-odi", "-oem", "-oi", "-t", text="From: \"(Cron Daemon)\" <root>\nTo: alice\nSubject: like cron\n\n.\nout\n")
    m = mail("like cron")
    equal(header(m, "From"), '"(Cron Daemon)" <root@example.org>')
    equal(header(m, "To"), "alice@example.org")
    check(m.endswith("\n.\nout\n"), "a dot ended it in spite of -i")


@case
def recipients_of_the_header():
    sm("-t", "-f", "sender@example.org",
       text="From: x@example.org\nTo: Alice <alice>\nCc: bob@example.org\nBcc: carol@example.org,\n info@catch.example\nSubject: taken\n\nx\n.\nnot this\n")
    for u in (A, "bob@example.org", "carol@example.org", "info@catch.example"):
        m = mail("taken", u)
        check("Bcc" not in m and "carol" not in m.split("\n\n")[0].split("From: x")[1], m)
        check("not this" not in m, "a lone dot does not end it")
        equal(header(m, "Return-Path"), "<sender@example.org>")
    sm("-t", text="Resent-To: bob\nTo: alice\nSubject: resent\nFrom: z@example.org\n\nx\n")
    m = mail("resent", "bob@example.org")
    check(header(m, "Resent-From") and header(m, "Resent-Date") and header(m, "Resent-Message-ID"), m)
    time.sleep(0.5)
    check(not any(b"Subject: resent" in slurp(p) for p in s.messages(A)), "sent again to the first recipient")


@case
def bytes_survive():
    """CRLF or LF, long lines, 8 bits, dots at line starts, no end of line."""
    body = "\u00e4\u00f6\n..two\n.one\n" + "x" * 900 + "\nlast"
    for end in ("\n", "\r\n"):
        s.empty(A)
        sm("-i", A, text=("Subject: bytes\n\n" + body).replace("\n", end))
        check(mail("bytes").split("\n\n", 1)[1] == body + "\n", "changed")


@case
def refused():
    """Nothing is sent if one recipient is refused; the status says why."""
    out = sm(A, "unknown@example.org", text="Subject: refused\n\nx\n", status=67)
    check("unknown@example.org: 550" in out, out)
    sm("a b", text="x", status=67)
    sm("a@b c\n", text="x", status=64)
    sm(text="x", status=64)
    sm("-t", text="Subject: none\n\nx\n", status=64)
    sm("-bd", status=64)
    sm("-q5m", status=64)
    sm("-f", "a b", A, text="x", status=64)
    sm(A, text="Subject: hops\n" + "Received: by x\n" * 101 + "\nx\n", status=69)
    time.sleep(0.5)
    check(not any(b"Subject: refused" in slurp(p) for p in s.messages(A)), "sent in part")
    equal(kept(), [])


@case
def errors_by_mail():
    """-oem: who gets cron's mail learns of what was not sent."""
    sm("-oem", "-F", "Ann", "unknown@example.org", text="Subject: in vain\n\nx\n", status=67)
    m = mail("Your message could not be sent", A)
    check("550 5.1.1" in m and "\tSubject: in vain" in m, m)
    time.sleep(1)
    s.empty(A)


@case
def other_modes():
    link = os.path.join(s.dir, "newaliases")
    if not os.path.lexists(link):
        os.symlink(SENDMAIL, link)
    st, out = run(link)
    equal(st, 0, out)
    sm("-bi")
    out = sm("-bs", text="EHLO x\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<%s>\r\nDATA\r\nSubject: by bs\r\n\r\nx\r\n.\r\nQUIT\r\n" % A)
    check("221 " in out and out.startswith("220 "), out)
    m = mail("by bs")
    check(header(m, "Date") and header(m, "Message-ID"), m)
    if not ROOT:
        skip("mailq is for root")
    out = sm("-bp")
    check("from=<" in out, out)
    out = sm("-bp", user=T1, status=77)
    check("only root" in out, out)
    sm("-q", user=T1, status=77)
    sm("-q")


@case
def addresses_verified():
    """-bv asks about recipients and sends nothing; the status is that of a message to them."""
    out = sm("-bv", A, "bob@example.org")
    equal(out.splitlines(), ["%s: accepted" % A, "bob@example.org: accepted"])
    out = sm("-bv", "-f", "x@y.example", "unknown@example.org", A, status=67)
    check(out.splitlines()[0].startswith("unknown@example.org: 550 5.1.1") and out.splitlines()[1] == "%s: accepted" % A, out)
    # Too many errors end the connection: who was not asked is not said to be accepted.
    out = sm("-bv", A, *["unknown%d@example.org" % i for i in range(300)], "bob@example.org", status=75).splitlines()
    equal((len(out), out[0]), (302, "%s: accepted" % A))
    check(out[1].startswith("unknown0@example.org: 550 5.1.1") and re.match("bob@example.org: 4", out[-1]), out[-1])
    out = sm("-bv", status=64)
    check("no recipients" in out, out)
    s.stop("smtpd")
    before = len(kept())
    out = sm("-bv", A, status=75)
    equal(len(kept()), before, out)
    s.start("smtpd")


@case
def mailctl_sendmail():
    st, out = run(program("mailctl"), "-f", s.conf, "sendmail", "-i", A, input=b"Subject: by mailctl\n\nx\n")
    equal(st, 0, out)
    mail("by mailctl")


@case(root=True)
def who_it_was():
    """The uid is the kernel's word, whatever -f says."""
    uid = pwd.getpwnam(T1).pw_uid
    s.log_mark()
    sm("-f", "boss@example.org", A, user=T1, text="Subject: whose\n\nx\n")
    m = mail("whose")
    check("(Postern, from uid %d)" % uid in m, m)
    equal(header(m, "Return-Path"), "<boss@example.org>")
    s.log_wait(r"user=%s\b" % T1)


@case
def with_the_server_down():
    """Kept, durable, sent once it is up again; refused recipients are told."""
    s.stop("smtpd")
    sm("-i", A, text="Subject: kept\n\n.\nbody\n")
    sm("-f", A, "bob@example.org", "unknown@example.org", text="Subject: in part\n\nx\n")
    equal(len(kept()), 2)
    for n in kept():
        st = os.stat(os.path.join(KEPT, n))
        equal(st.st_mode & 0o7777, 0o600)
        check(n.startswith("%d." % st.st_uid), n)
        if ROOT:
            equal(st.st_uid, pwd.getpwnam("_mailsub").pw_uid)
    out = sm("-bs", text="", status=75)
    check(out.startswith("421"), out)
    s.start("smtpd")
    m = mail("kept")
    check(m.endswith("\n.\nbody\n"), m)
    mail("in part", "bob@example.org")
    notice = mail("Your message could not be sent")
    check("unknown@example.org\n" in notice and "550" in notice and "\tSubject: in part" in notice, notice)
    until("nothing is kept", lambda: not kept())
    time.sleep(0.3)
    equal(len([p for p in s.messages(A) if b"Subject: kept" in slurp(p)]), 1, "sent twice")


@case(root=True)
def two_users():
    """Nobody sees, reads, replaces or removes what another has kept."""
    s.stop("smtpd")
    try:
        sm(A, user=T1, text="Subject: of t1\n\nsecret\n")
        sm(A, user=T2, text="Subject: of t2\n\nx\n")
        names = kept()
        equal(len(names), 2)
        equal(os.stat(KEPT).st_mode & 0o7777, 0o1733)
        p2 = pwd.getpwnam(T2)
        theirs = [n for n in names if n.startswith("%d." % pwd.getpwnam(T1).pw_uid)][0]
        for cmd in (["ls", KEPT], ["cat", KEPT + "/" + theirs], ["rm", "-f", KEPT + "/" + theirs],
                    ["mv", KEPT + "/" + theirs, KEPT + "/x"], ["ln", KEPT + "/" + theirs, KEPT + "/y"]):
            st, out = run(*cmd, user=p2.pw_uid, group=p2.pw_gid, extra_groups=[])
            check(st != 0, "%r worked: %s" % (cmd, out))
    finally:
        s.start("smtpd")
    check("(Postern, from uid %d)" % pwd.getpwnam(T1).pw_uid in mail("of t1"), "whose")
    check("(Postern, from uid %d)" % pwd.getpwnam(T2).pw_uid in mail("of t2"), "whose")


@case(root=True)
def hostile_files():
    """Links, directories, names of others, nonsense: left alone, and the others' mail goes on."""
    p1 = pwd.getpwnam(T1)
    me = dict(user=p1.pw_uid, group=p1.pw_gid, extra_groups=[])
    s.stop("smtpd")
    bad = os.path.join(s.dir, "victim")
    with open(bad, "w") as f:
        f.write("postern 1 5\nhello")
    script = ("cd %s; mkdir %d.0000000000000001; ln -s %s %d.0000000000000002; mkfifo %d.0000000000000003;"
              "echo x > 0.0000000000000004; echo nonsense > %d.0000000000000005; touch %d.0000000000000006;"
              "i=0; while [ $i -lt 300 ]; do echo x > %d.00000000000001$(printf %%02x $i | tail -c2); i=$((i+1)); done; true"
              % (KEPT, p1.pw_uid, bad, p1.pw_uid, p1.pw_uid, p1.pw_uid, p1.pw_uid, p1.pw_uid))
    st, out = run("sh", "-c", script, **me)
    equal(st, 0, out)
    sm(A, user=T2, text="Subject: beside the hostile\n\nx\n")
    s.start("smtpd")
    mail("beside the hostile")
    check(os.path.exists(bad), "a foreign file was removed")
    check(s.role("smtpd", "net") and s.role("smtpd", "queue"), "a role has gone")
    for n in os.listdir(KEPT):
        q = os.path.join(KEPT, n)
        os.rmdir(q) if os.path.isdir(q) and not os.path.islink(q) else os.unlink(q)


@case(root=True)
def more_users_than_places():
    """Whoever always has something to send takes no place from others: all of them come before the next round."""
    s.stop("smtpd")
    s.empty(A)
    users = 150
    for i in range(users):
        for n, to in enumerate(("broken@example.org", A)):
            text = "sender u%d@example.org\nrcpt %s\norigin example.org\ntext 0 22\nSubject: turn %4d\n\nx\n" % (i, to, i)
            name = "%s/%d.%016x" % (KEPT, 20000 + i, n)
            with open(name, "w") as f:
                f.write("postern 1 %d\n%s" % (len(text), text))
            os.chown(name, 20000 + i, 20000)
            os.chmod(name, 0o600)
    s.start("smtpd")
    until("everybody had a turn", lambda: len(s.messages(A)) >= users, 40, 0.2)
    until("what smtpd wants later stays", lambda: len(kept()) == users)
    for n in kept():
        os.unlink(os.path.join(KEPT, n))


def local():
    c = socket.socket(socket.AF_UNIX)
    c.settimeout(10)
    c.connect(s.dir + "/run/submit.sock")
    return c


@case
def hostile_bytes():
    """Any bytes, half a command, silence, a thousand connections: the service goes on."""
    for data in (b"\0" * 100, b"\xff" * 70000, b"EHLO", b"MAIL FROM:<a@b>\r\nRCPT", b"GET / HTTP/1.0\r\n\r\n",
                 b"EHLO x\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\nhalf", b"\r\n" * 5000):
        c = local()
        try:
            c.sendall(data)
        except OSError:
            pass
        c.close()
    held = []
    for i in range(1000):
        try:
            held.append(local())
        except OSError:
            break
    full = sum(1 for c in held if c.recv(200).startswith(b"421"))
    check(full >= len(held) - 20 - 5, "%d of %d were let in" % (len(held) - full, len(held)))
    # one more of this user waits in the hand-over directory; strangers are served
    s.send(A, "beside the flood")
    mail("beside the flood")
    if ROOT:
        sm(A, user=T1, text="Subject: another user\n\nx\n")
        mail("another user")
    for c in held:
        c.close()
    until("a place is free", lambda: local().recv(200).startswith(b"220"))
    sm(A, text="Subject: after the flood\n\nx\n")
    mail("after the flood")
    for n in kept():
        os.unlink(os.path.join(KEPT, n))


@case
def without_a_permit():
    """local is a source of its own; without a rule it relays nothing."""
    s2 = Suite(daemons=("smtpd",), rules="permit any deliver\n", start=False)
    s2.start()
    try:
        st, out = run(SENDMAIL, "-C", s2.conf, "x@else.example", input=b"Subject: x\n\nx\n")
        equal(st, 67, out)
        st, out = run(SENDMAIL, "-C", s2.conf, "-i", A, input=b"Subject: own\n\nx\n")
        equal(st, 0, out)
        s2.wait_mail(A, "Subject: own")
    finally:
        s2.close()


@case
def sent_in_parts():
    """Who has got it with one part does not get it again with each try of another."""
    s2 = Suite(daemons=("smtpd",), rules=RULES_, extra="limit recipients 2\n", aliases=ALIASES + "broken: /a/file\n", start=False)
    s2.start()
    try:
        s2.stop("smtpd")
        st, out = run(SENDMAIL, "-C", s2.conf, A, "bob@example.org", "unknown@example.org", "broken@example.org",
                      input=b"Subject: parts\n\nx\n")
        equal(st, 0, out)
        there = s2.dir + "/spool-handover/"
        first = os.listdir(there)
        s2.start("smtpd")
        until("the rest is kept anew", lambda: len(os.listdir(there)) == 1 and os.listdir(there) != first)
        text = slurp(there + os.listdir(there)[0]).decode()
        equal(re.findall(r"^rcpt (\S+)$", text, re.M), ["unknown@example.org", "broken@example.org"])
        s2.stop("smtpd")
        s2.start("smtpd")
        until("another try", lambda: len(re.findall("later: 451", s2.log())) == 2)
        for user in (A, "bob@example.org"):
            equal(len([p for p in s2.messages(user) if b"Subject: parts" in slurp(p)]), 1, "sent twice")
    finally:
        s2.close()


def have(tool):
    path = shutil.which(tool)
    if path is None:
        skip("no " + tool)
    return path


@case
def git_send_email():
    have("git")
    repo = os.path.join(s.dir, "repo")
    env = dict(os.environ, HOME=s.dir, GIT_CONFIG_NOSYSTEM="1", GIT_AUTHOR_NAME="Ann", GIT_AUTHOR_EMAIL="ann@example.org",
               GIT_COMMITTER_NAME="Ann", GIT_COMMITTER_EMAIL="ann@example.org")
    st, out = run("git", "init", "-q", repo, env=env)
    equal(st, 0, out)
    for c in (["commit", "-q", "--allow-empty", "-m", "none"], ["commit", "-q", "--allow-empty", "-m", "by git"]):
        st, out = run("git", "-C", repo, *c, env=env)
        equal(st, 0, out)
    st, out = run("git", "-C", repo, "format-patch", "--always", "-1", "-o", repo, env=env)
    equal(st, 0, out)
    wrap = s.write("git-sendmail", '#!/bin/sh\nexec %s -C %s "$@"\n' % (SENDMAIL, s.conf), 0o755)
    st, out = run("git", "-C", repo, "send-email", "--quiet", "--confirm=never", "--suppress-cc=all", "--smtp-server=" + wrap, "--to=" + A,
                  "--from=ann@example.org", *glob.glob(repo + "/*.patch"), env=env)
    if "not a git command" in out:
        skip("no git send-email")
    equal(st, 0, out)
    mail("[PATCH] by git")


@case
def mutt():
    have("mutt")
    st, out = run("mutt", "-F", "/dev/null", "-e", "set sendmail='%s -C %s -oem -oi'; set from=ann@example.org; set use_envelope_from"
                  % (SENDMAIL, s.conf), "-s", "by mutt", A, input=b"hello\n", env=dict(os.environ, HOME=s.dir))
    equal(st, 0, out)
    equal(header(mail("by mutt"), "Return-Path"), "<ann@example.org>")


@case
def mailx():
    """bsd-mailx or s-nail, with sendmail set."""
    tool = shutil.which("s-nail") or shutil.which("bsd-mailx") or have("mailx")
    wrap = s.write("mailx-sendmail", '#!/bin/sh\nexec %s -C %s "$@"\n' % (SENDMAIL, s.conf), 0o755)
    rc = s.write("mailrc", "set sendmail=%s\n" % wrap)
    st, out = run(tool, "-s", "by mailx", A, input=b"hello\n", env=dict(os.environ, HOME=s.dir, MAILRC=rc, LOGNAME=ME, USER=ME))
    equal(st, 0, out)
    mail("by mailx")


@case
def php():
    have("php")
    st, out = run("php", "-n", "-d", "sendmail_path=%s -C %s -t -i" % (SENDMAIL, s.conf), "-r",
                  "exit(mail('%s', 'by php', \"hello\\n\", \"From: ann@example.org\\r\\nBcc: bob@example.org\") ? 0 : 1);" % A)
    equal(st, 0, out)
    mail("by php")
    check("Bcc" not in mail("by php", "bob@example.org"), "Bcc is told")


finish()
