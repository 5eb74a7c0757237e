"""Starting, reloading, stopping, what survives a killed process, mailctl, the log."""
import glob, json, os, pwd, re, shutil, signal, socket, subprocess, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

s = Suite()
A = "alice@example.org"
EXAMPLES = os.path.join(TOP, "etc")


@case
def check_and_print():
    """-n of each daemon; what -nv prints reads back as the same."""
    for d in DAEMONS:
        st, out = run(program(d), "-n", "-f", s.conf)
        equal(st, 0, out)
        st, out = run(program(d), "-nv", "-f", s.conf, stderr=subprocess.DEVNULL)
        equal(st, 0, out)
        st, again = run(program(d), "-nv", "-f", s.write("printed.conf", out), stderr=subprocess.DEVNULL)
        equal(st, 0, again)
        equal(again, out, "round trip of " + d)


@case
def all_mistakes_at_once():
    bad = s.write("bad.conf", 'hostname\nlisten smtp on all\nfoo bar\npermit any relay\ndomain "x.example" {\n\tusers <nope>\n}\n')
    for d in DAEMONS:
        st, out = run(program(d), "-n", "-f", bad)
        equal(st, 1, out)
        n = re.findall(r"bad\.conf:(\d+):\d+: .+", out)
        check({"1", "3"} <= set(n) and len(n) >= 3, out)
        st, out = run(program(d), "-f", bad)
        equal(st, 1, "started with a bad file")


@case
def not_built_yet():
    """Each reserved statement is refused by name, never ignored."""
    for line in ('filter spam milter "unix:/x"', 'sign "example.org" selector "s" key "/x"', 'verify spf',
                 'fetch <people> every 5m', 'table t ldap "ldap://x/"', 'table t pgsql "host=x" query "select $1"'):
        p = s.write("later.conf", slurp(s.conf).decode() + line + "\n")
        st, out = run(program("smtpd"), "-n", "-f", p)
        equal(st, 1, line)
        check("not" in out and "yet" in out, "%s: %s" % (line, out))


@case
def test_lines():
    base = slurp(s.conf).decode()
    for line, want in (('test from 203.0.113.9 to "x@elsewhere.net" expect reject', 0),
                       ('test from 203.0.113.9 to "alice@example.org" expect deliver', 0),
                       ('test from 203.0.113.9 auth "alice@example.org" to "x@elsewhere.net" expect relay', 0),
                       ('test from 203.0.113.9 to "x@elsewhere.net" expect relay', 1),
                       ('test from 203.0.113.9 to "nobody@example.org" expect deliver', 1)):
        p = s.write("t.conf", base + line + "\n")
        st, out = run(program("smtpd"), "-n", "-f", p)
        equal(st, want, "%s: %s" % (line, out))
        if want:
            check(re.search(r"t\.conf:\d+", out), out)


@case
def open_relay_is_refused():
    # On loopback alone nobody would be a stranger.
    base = slurp(s.conf).decode() + "listen smtp on all\n"
    for line, want in (("permit any relay", 1), ("permit any relay unsafe", 0),
                       ("network world { 0.0.0.0/0 }\npermit world relay", 1),
                       ("network half { 0.0.0.0/1, 128.0.0.0/1 }\npermit half relay", 1)):
        p = s.write("r.conf", base.replace("permit authenticated relay", line))
        st, out = run(program("smtpd"), "-n", "-f", p)
        equal(st, want, "%s: %s" % (line, out))


@case
def modes_of_files():
    """A secrets file that others may read, a configuration that others may write: refused."""
    os.chmod(s.dir + "/people", 0o644)
    st, out = run(program("smtpd"), "-n", "-f", s.conf)
    os.chmod(s.dir + "/people", 0o640)
    equal(st, 1, "readable passwords: " + out)
    p = s.write("w.conf", slurp(s.conf).decode(), 0o666)
    st, out = run(program("smtpd"), "-n", "-f", p)
    equal(st, 1, "writable configuration: " + out)


@case
def audit_tables():
    """-C of a running daemon: text and JSON; the running processes are there."""
    for d in DAEMONS:
        st, out = run(program(d), "-C", "-f", s.conf)
        equal(st, 0, out[-200:])
        check("AUTH_TRY" in out and "net" in out and "running" in out, out[:500])
        st, out = run(program(d), "-C", "-j", "-f", s.conf)
        t = json.loads(out)
        equal(t["daemon"], d)
        roles = {p["role"] for p in t["processes"]}
        check({r["role"] for r in t["running"]} <= roles | {"parent"}, t["running"])
        check("net" in {r["role"] for r in t["running"]}, t["running"])
        for m in t["messages"]:
            check(m["from"] and m["to"], m)
    st, out = run(program("smtpd"), "-C", "-f", "/nonexistent")
    equal(st, 0, "-C without a configuration")


@case
def mailctl():
    for argv, want in ((["check"], 0), (["show", "config"], 0), (["-j", "show", "config"], 0), (["stats"], 0),
                       (["processes"], 0), (["-j", "processes"], 0), (["-j", "stats"], 0), (["queue", "list"], 0),
                       (["-j", "queue", "list"], 0), (["queue", "show", "zzz"], 1), (["queue", "retry"], 0), (["queue"], 2), ([], 2),
                       (["nonsense"], 2), (["who"], 0), (["-j", "who"], 0), (["kick"], 2), (["kick", "nobody"], 1), (["queue", "show"], 2), (["check", "x"], 2), (["-x"], 2),
                       (["user", "list", "x"], 2), (["hash", "-s", "NOPE"], 2), (["report", "2026-13-99"], 1)):
        st, out = s.ctl(*argv)
        equal(st, want, "mailctl %s: %s" % (" ".join(argv), out))
        if "-j" in argv and want == 0 and st == 0:
            json.loads(out)
    st, out = run(program("mailctl"), "-f", "/nonexistent", "check")
    equal(st, 1, out)


@case
def mailctl_hash():
    st, out = run(program("mailctl"), "hash", input=b"pass word\n")
    equal(st, 0, out)
    h = out.strip().splitlines()[-1]
    check(len(h) > 20, out)
    people = slurp(s.dir + "/people").decode() + "hashed@example.org:%s\n" % h
    s.write("people", people, 0o640)

    def ok():
        c = s.imap()
        c.line()
        return c.do('LOGIN hashed@example.org "pass word"', None)[-1].startswith("t OK")
    until("login with the hash", ok, 15, 1)


@case
def mailctl_check_certificate():
    d = s.dir + "/certs"
    os.makedirs(d, exist_ok=True)
    base = slurp(s.conf).decode()
    p = s.write("c.conf", base.replace('cert "%s/ec.crt" key "%s/ec.key"' % (certs(), certs()),
                                       'cert "%s/ec.crt" key "%s/ec2.key"' % (certs(), certs())))
    st, out = run(program("mailctl"), "-f", p, "check")
    check(st == 1 and "is not the certificate's key" in out, out)
    p = s.write("c.conf", base.replace('tls "mail.example.org"', 'tls "other.example.org"').replace(
        'hostname "mail.example.org"', 'hostname "other.example.org"'))
    st, out = run(program("mailctl"), "-f", p, "check")
    check(st == 1 and "not for this name" in out, out)


@case(root=True)
def mailctl_check_owners():
    """Each owner and mode that is wrong: the file, what is wrong, what to do; and nothing else."""
    def found(*more):
        st, out = run(program("mailctl"), "-f", t.conf, "-j", "check", *more, stderr=subprocess.DEVNULL)
        j = json.loads(out)
        equal(st, 0 if j["ok"] else 1, out)
        return [f["text"] for f in j["findings"] if f["kind"] == "mistake"]
    t = Suite(daemons=("smtpd",))
    t.send(A, "large", ("y" * 70 + "\r\n") * 9000)
    t.wait_mail(A, "Subject: large")
    equal(found(), [])
    seg = glob.glob(t.dir + "/spool/journal/*")[0]
    for path, do, undo, want in (
            (seg, lambda p: os.chown(p, 0, 0), None, "belongs to root; chown it to _mailq"),
            (t.dir + "/spool", lambda p: os.chmod(p, 0o755), lambda p: os.chmod(p, 0o700), "chmod 0700 it"),
            (t.dir + "/spool/large", lambda p: os.chown(p, 1, 1), None, "chown it to _mailq"),
            (t.dir + "/spool-handover", lambda p: os.chmod(p, 0o777), lambda p: os.chmod(p, 0o1777), "others may remove"),
            (t.dir + "/run", lambda p: os.chmod(p, 0o777), lambda p: os.chmod(p, 0o755), "chmod go-w it"),
            (t.dir, lambda p: os.chmod(p, 0o777), lambda p: os.chmod(p, 0o755), "in the place of")):
        q = pwd.getpwnam("_mailq")
        do(path)
        got = found()
        check(got and all(g.startswith(path + ": ") and want in g for g in got), (path, got))
        undo(path) if undo else os.chown(path, q.pw_uid, q.pw_gid)
        equal(found(), [], path)
    t.close()


@case
def mailctl_check_tables():
    """What is wrong in tables: the file, the line, what to do, before somebody's mail waits for it."""
    def found():
        st, out = run(program("mailctl"), "-f", t.conf, "-j", "check", stderr=subprocess.DEVNULL)
        j = json.loads(out)
        equal(st, 0 if j["ok"] else 1, out)
        return [f["text"] for f in j["findings"] if f["kind"] == "mistake"]
    t = Suite(daemons=(), extra="")
    good = slurp(t.dir + "/aliases").decode()
    people = slurp(t.dir + "/people").decode()
    equal(found(), [])
    for line, want in (("sales2 alice", 'is no line "key: value"'), ("none:", "stands for nobody"), ("none", "stands for nobody"),
                       ("prog: |/bin/cat", "starts no commands here"), ("disk: /var/mail/x", "write no files"),
                       ("list: :include:/etc/x", "nothing may be included here"), ("ROOT: bob", "only the first line counts"),
                       ("x@example.net: bob", "with the first name of its domain"),
                       ("x@other.example: bob", "no domain with these aliases has this name"),
                       ("@example.org: bob", "write catchall"), ("*: bob", "write catchall"),
                       ('q: "open', "quotes go in pairs")):
        t.write("aliases", good + line + "\n")
        got = found()
        n = "" if "only the first" in want else ":%d: " % (good.count("\n") + 1)
        check(len(got) == 1 and got[0].startswith(t.dir + "/aliases" + n) and want in got[0], (line, got))
    t.write("aliases", "\ufeff" + good)
    equal(found(), [], "an editor's mark")
    t.write("aliases", good)
    for line, want in (("new@example.org", 'is no line "name:hash"'), ("new@example.org:secret", "knows no such hash"),
                       ("new@example.org:{MD5}abc", "knows no such hash"), ("new@example.org:x:y", "uid is not a number"),
                       ("new@example.org:x:0", "as root"), ("new@example.org:x:::::/sh::quota=5m", "more than eight fields"),
                       ("new@example.org:x::::::quota=lots", "quota is not a size")):
        t.write("people", people + line + "\n", 0o640)
        got = found()
        check(len(got) == 1 and got[0].startswith("%s/people:%d: " % (t.dir, people.count("\n") + 1)) and want in got[0],
              (line, got))
    for word, want, kind in (("userdb_quota_rule=*:storage=2M:messages=9", "write quota=SIZE messages=N", "mistake"),
                             ("quota=1m nologin", "may log in nonetheless", "mistake"),
                             ("allow_nets=10.0.0.0/8,192.0.2.1", "from everywhere", "mistake"),
                             ("qouta=5m", "counts for nothing", "advice"), ("proxy", "counts for nothing", "advice")):
        t.write("people", people + "new@example.org:x::::::%s\n" % word, 0o640)
        got = json.loads(run(program("mailctl"), "-f", t.conf, "-j", "check", stderr=subprocess.DEVNULL)[1])["findings"]
        check(len(got) == 1 and got[0]["kind"] == kind and want in got[0]["text"] and
              got[0]["text"].startswith("%s/people:%d: new@example.org: " % (t.dir, people.count("\n") + 1)), (word, got))
    t.write("people", people + "new@example.org:x::::::quota=1m,messages=5 sender=@a.example\n", 0o640)
    equal(found(), [])
    # Many of them are not worse than one; one that restricts among them is.
    many = people + "".join("u%d@example.org:x::::::proxy\n" % i for i in range(30))
    for last, kinds in (("", {"advice"}), ("new@example.org:x::::::nologin\n", {"advice", "mistake"})):
        t.write("people", many + last, 0o640)
        st, out = run(program("mailctl"), "-f", t.conf, "-j", "check", stderr=subprocess.DEVNULL)
        got = json.loads(out)["findings"]
        equal((st, len(got), {f["kind"] for f in got}), (len(kinds) - 1, 21, kinds), out)
        check("%d more like these" % (10 + (last != "")) in got[-1]["text"], got[-1])
    # Who cannot log in by what is offered.
    t.write("people", "%s:{PLAIN}x\nold@example.org:$6$a$b\nnew@example.org:!\n" % A, 0o640)
    conf = slurp(t.conf).decode()
    check("auth <people>" in conf, conf)
    t.write("mail.conf", conf.replace("auth <people>", "auth <people> scram"))
    st, out = t.ctl("check")
    check(st == 0 and out.count("advice: ") == 1 and "1 of its users, such as old@example.org, " in out and "SCRAM-SHA-256" in out, out)
    t.close()
    secrets = s.write("secrets", "other: user:pw\ntoken: user\n", 0o600)
    base = 'listen smtp on loopback\ntable secrets file "%s"\n' % secrets
    p = s.write("secrets.conf", base + 'relay any via "smtp+tls://isp@mx.example.net" auth <secrets>\n')
    st, out = run(program("mailctl"), "-f", p, "check")
    check(st == 1 and "secrets.conf:3: table secrets has no line" in out, out)
    p = s.write("secrets.conf", base + 'relay any via "smtp+tls://token@mx.example.net" auth <secrets>\n')
    st, out = run(program("mailctl"), "-f", p, "check")
    check(st == 1 and secrets + ".token: No such file" in out, out)
    s.write("secrets.token", "abc\n", 0o600)
    st, out = run(program("mailctl"), "-f", p, "check")
    equal(st, 0, out)
    db = s.write("empty.db", "", 0o600)
    p = s.write("db.conf", 'listen smtp on loopback\ntable u sqlite "%s" query "SELECT * FROM u WHERE name = ?"\nauth <u>\n' % db)
    st, out = run(program("mailctl"), "-f", p, "check")
    check(st == 1 and "db.conf:2: table u: no such table: u" in out, out)


@case
def programs_are_missing():
    """A daemon that could start none of its users' processes does not start."""
    alone = os.path.join(s.dir, "smtpd-alone")
    shutil.copy(program("smtpd"), alone)
    if os.path.exists("/usr/local/libexec/postern/smtpd-deliver"):
        skip("there is an installation")
    st, out = run(alone, "-d", "-f", s.conf)
    check(st == 1 and "smtpd-deliver: run \"make install\"" in out, out)


@case
def a_test_fails():
    """check, reload and the log name the test line, as -n does."""
    t = Suite(daemons=("smtpd",), extra="")
    conf = slurp(t.conf).decode()
    t.write("mail.conf", conf + 'test from 203.0.113.9 to "x@else.example" expect relay\n')
    want = "%s:%d:1: test: expected relay, but it is reject" % (t.conf, conf.count("\n") + 1)
    st, out = t.ctl("check")
    check(st == 1 and want in out, out)
    st, out = run(program("mailctl"), "-f", t.conf, "-j", "check", stderr=subprocess.DEVNULL)
    check(st == 1 and want in json.loads(out)["findings"][0]["text"], out)
    st, out = t.ctl("reload")
    check(st == 1 and want in out and "reloading" not in out, out)
    os.kill(int(slurp(t.dir + "/run/smtpd.pid")), signal.SIGHUP)
    until("the log says it", lambda: want in t.log() and "the old configuration stays" in t.log())
    t.write("mail.conf", conf)
    st, out = t.ctl("reload")
    equal(st, 0, out)
    t.close()


@case
def report_without_a_file():
    """Where syslog writes no file, as systemd's journal does, it is said what to do."""
    p = s.write("syslog.conf", "listen smtp on loopback\n")
    if os.path.exists("/var/log/mail.log"):
        skip("there is a log")
    st, out = run(program("mailctl"), "-f", p, "report")
    check(st == 1 and "journalctl -t smtpd" in out and "mailctl report -" in out, out)


@case
def install_elsewhere():
    """Programs that look for each other in another place than where they would be put are not installed there."""
    def install(**env):
        return run("sh", os.path.join(TOP, "etc/install.sh"), "install", env=dict(os.environ, DESTDIR=os.path.join(s.dir, "dest"), **env))
    st, out = install(PREFIX="/opt/elsewhere")
    check(st == 1 and "run make clean and make PREFIX=/opt/elsewhere" in out, out)
    st, out = install(SYSCONFDIR="/opt/etc")
    check(st == 1 and "SYSCONFDIR=/opt/etc" in out, out)
    check(not os.path.exists(os.path.join(s.dir, "dest")), "nothing was put there")
    st, out = install()
    equal(st, 0, out)
    shutil.rmtree(os.path.join(s.dir, "dest"))


@case
def mailbox_is_a_link_to_nothing():
    """It is there and cannot be reached: that is told as well, and nobody dies of it."""
    t = Suite(daemons=("smtpd", "imapd"), extra="")
    home = os.path.dirname(t.maildir(A))
    os.makedirs(home, exist_ok=True)
    if os.path.isdir(t.maildir(A)):
        shutil.rmtree(t.maildir(A))
    if ROOT:
        shutil.chown(home, t.owner, t.owner)
    os.symlink("/nonexistent/place", t.maildir(A))
    t.send(A, "nowhere")
    until("the queue knows", lambda: "451 4.3.0 the mailbox cannot be made" in t.ctl("queue", "list")[1], 5)
    with t.imap() as c:
        c.expect("* OK")
        c.write('a LOGIN %s "%s"\r\n' % (A, PASS))
        equal(c.line(), "a NO [UNAVAILABLE] Mailbox cannot be opened")
    check("%s: uid " % t.maildir(A) in t.log() and not re.search("exited with status|died", t.log()), t.log_tail())
    os.unlink(t.maildir(A))
    until("no deliverer is left", lambda: not t.role("smtpd", "deliver"), 5)
    t.ctl("queue", "retry")
    t.wait_mail(A, "Subject: nowhere")
    t.close()


@case(root=True)
def mailbox_cannot_be_made():
    """The log names the directory and who would have to make it, clients and the queue are told, and once it is mended it works."""
    closed = os.path.join(s.dir, "closed")
    os.mkdir(closed, 0o755)
    t = Suite(extra='domain "closed.example" {\n\tusers <people>\n\tdeliver maildir "%s/%%d/%%n" as %s\n}\n' %
              (closed, "vmail"), people={A: "{PLAIN}x", "x@closed.example": "{PLAIN}x"})
    t.send("x@closed.example", "nowhere")
    line = until("its line", lambda: re.search(r"deliver: .*closed.*", t.log()))[0]
    equal(line, "deliver: %s/closed.example: uid %d cannot make it: Permission denied" % (closed, pwd.getpwnam("vmail").pw_uid))
    st, out = t.ctl("check")
    check(st == 0 and "advice: %s: vmail, as whom " % closed in out and out.count("advice") == 1, out)
    until("the queue knows", lambda: "451 4.3.0 the mailbox cannot be made" in t.ctl("queue", "list")[1])

    def logged_in():
        c, p = t.imap(), t.pop3()
        c.expect("* OK"), p.expect("+OK")
        c.write('a LOGIN x@closed.example x\r\n'), p.write("USER x@closed.example\r\nPASS x\r\n")
        p.expect("+OK")
        told = c.line(), p.line()
        c.close(), p.close()
        return told
    equal(logged_in(), ("a NO [UNAVAILABLE] Mailbox cannot be opened", "-ERR [SYS/TEMP] the mailbox cannot be opened"))
    check("died" not in t.log(), t.log_tail())
    shutil.chown(closed, "vmail")
    until("it can be made now", lambda: [x[:4] for x in logged_in()] == ["a OK", "+OK "], 5)
    until("no deliverer waits for a mailbox that it cannot reach", lambda: not t.role("smtpd", "deliver"), 5)
    t.ctl("queue", "retry")
    until("delivered", lambda: "delivered to=<x@closed.example>" in t.log(), 5)
    t.close()
    p = s.write("nowhere.conf", slurp(s.conf).decode().replace('state "', 'state "%s/no' % s.dir))
    st, out = run(program("mailctl"), "-f", p, "check")
    check(st == 1 and "does not exist, so " in out and "cannot be made; mkdir it" in out, out)


@case
def mailctl_check_without_network():
    """check dns where there is no network says so soon."""
    if not ROOT:
        skip("only as root")
    t0 = time.monotonic()
    st, out = run("unshare", "-n", program("mailctl"), "-f", s.conf, "check", "dns")
    check(st == 0 and "advice: dns: not checked" in out, out)
    check(time.monotonic() - t0 < 5, "it took %.1f s" % (time.monotonic() - t0))


def greeting():
    try:
        return s.smtp().expect("220")
    except (OSError, Fail):
        return ""


@case
def reload_broken():
    """A broken file changes nothing, and the log says what is wrong."""
    good = slurp(s.conf).decode()
    c, i = s.smtp(), s.imap()
    c.hello()
    i.line()
    i.do('LOGIN %s "%s"' % (A, PASS))
    before = {d: set(s.children(d)) for d in DAEMONS}
    s.write("mail.conf", good + "nonsense here\n")
    for d in DAEMONS:
        s.log_mark()
        s.reload(d)
        s.log_wait(r"mail\.conf:\d+:\d+: ")
        s.log_wait("the old configuration stays")
    for d in DAEMONS:
        roles = {p for p in before[d] if "session" not in title(p)}
        check(roles <= set(s.children(d)), d + ": processes were replaced")
    c.cmd("NOOP", "250")
    i.do("NOOP")
    s.write("mail.conf", good)


@case
def reload_good():
    """A new configuration: new connections see it, old ones finish."""
    good = slurp(s.conf).decode()
    c, i, p = s.smtp(), s.imap("imaps"), s.pop3()
    c.hello()
    c.cmd("MAIL FROM:<x@client.example>", "250")
    i.line()
    i.do('LOGIN %s "%s"' % (A, PASS))
    i.do("SELECT INBOX")
    p.line()
    s.write("mail.conf", good + 'banner "new.example.org ESMTP"\n')
    for d in DAEMONS:
        s.log_mark()
        s.reload(d)
    until("the new banner", lambda: "new.example.org" in greeting(), 15)
    c.cmd("RCPT TO:<%s>" % A, "250")
    c.cmd("DATA", "354")
    c.write("Subject: over a reload\r\n\r\nx\r\n.\r\n")
    c.expect("250")
    c.cmd("QUIT", "221")
    s.wait_mail(A, "Subject: over a reload")
    i.do("NOOP")
    i.do("FETCH 1:* FLAGS", None)
    i.do("LOGOUT")
    p.pop("USER " + A)
    p.pop("PASS " + PASS)
    p.pop("STAT")
    p.pop("QUIT")
    st, out = s.ctl("reload")
    equal(st, 0, out)
    s.write("mail.conf", good)
    time.sleep(1)
    s.ctl("reload")
    until("the old banner", lambda: greeting() and "new.example.org" not in greeting(), 15)


@case
def reload_then_killed():
    """What an old connection works with is started again for it."""
    c = s.smtp("submission")
    c.hello()
    c.starttls()
    c.cmd("EHLO client.example", "250")
    old = {r: set(s.role("smtpd", r)) for r in ("auth", "lookup", "signer")}
    s.log_mark()
    s.reload()
    s.log_wait("reloaded, generation")
    for pids in old.values():
        for p in pids:
            s.kill(p)
    s.log_wait("(?s)starting auth again.*starting|starting .*starting auth again")
    until("a login on the old connection", lambda: c.cmd("AUTH PLAIN " + plain(A, PASS)).startswith("235"), 10, 0.3)
    c.cmd("MAIL FROM:<%s>" % A, "250")
    c.cmd("RCPT TO:<%s>" % A, "250")
    c.cmd("DATA", "354")
    c.write("Subject: by an old connection\r\n\r\nx\r\n.\r\n")
    c.expect("250")
    c.cmd("QUIT", "221")
    s.wait_mail(A, "Subject: by an old connection")


@case
def reload_many_times():
    """No process and no descriptor is left over."""
    def settle():
        """Until the old generations have gone."""
        n = len(s.children("smtpd"))
        for i in range(40):
            time.sleep(0.25)
            m = len(s.children("smtpd"))
            if m == n and i > 8:
                return m
            n = m
        return n
    until("quiet", lambda: settle() < 14, 30)
    fds = len(os.listdir("/proc/%d/fd" % s.pid("smtpd")))
    kids = settle()
    for i in range(5):
        s.log_mark()
        s.reload()
        time.sleep(0.8)
    s.send(A, "after reloads")
    s.wait_mail(A, "Subject: after reloads")
    until("as many processes as before", lambda: len(s.children("smtpd")) <= kids + 1, 75, 0.5)
    check(len(os.listdir("/proc/%d/fd" % s.pid("smtpd"))) <= fds + 3, "descriptors: %d, then %d" % (
        fds, len(os.listdir("/proc/%d/fd" % s.pid("smtpd")))))


@case
def killed_roles_come_back():
    """kill -9 of each role of each daemon: started again, and mail flows."""
    for d in DAEMONS:
        for role in sorted({re.search(r": (\w+)", t).group(1) for t in s.children(d).values() if ": " in t} - {"session", "deliver"}):
            pids = s.role(d, role)
            s.log_mark()
            for p in pids:
                s.kill(p)
            until("%s %s again" % (d, role), lambda: set(s.role(d, role)) - set(pids), 20)

            def works():
                try:
                    if d == "smtpd":
                        s.send(A, "killed-" + role)
                    else:
                        c = s.imap() if d == "imapd" else s.pop3()
                        c.line()
                        if d == "imapd":
                            c.do('LOGIN %s "%s"' % (A, PASS))
                        else:
                            c.pop("USER " + A)
                            c.pop("PASS " + PASS)
                        c.close()
                    return True
                except (OSError, Fail, AttributeError):
                    return False
            until("%s works after %s was killed" % (d, role), works, 20, 0.2)
            if d == "smtpd":
                s.wait_mail(A, "Subject: killed-" + role, secs=20)
            check(re.search(r"%s\[\d+\] was killed by signal 9" % role, s.log_since()), "not in the log: " + role)


@case
def parent_killed():
    """kill -9 of a parent: no child outlives it; a new start takes over."""
    kids = list(s.children("pop3d"))
    s.kill(s.pid("pop3d"))
    until("no child is left", lambda: not any(alive(k) for k in kids), 10)
    s.start("pop3d")
    c = s.pop3()
    check(c.line().startswith("+OK"), "no greeting")


@case
def second_start_is_refused():
    st, out = run(program("smtpd"), "-f", s.conf)
    equal(st, 1, "a second smtpd started")
    check("already running" in out + s.log_tail(), out + s.log_tail())
    check(greeting(), "the first one is gone")


@case
def stop_in_order():
    """SIGTERM: connections are told, nothing is left, the exit is quick."""
    c = s.imap()
    c.line()
    kids = list(s.children("imapd"))
    t = time.monotonic()
    s.stop("imapd")
    check(time.monotonic() - t < 12, "took %.1f s" % (time.monotonic() - t))
    until("all gone", lambda: not any(alive(k) for k in kids), 3)
    s.start("imapd")


@case
def control_socket_is_private():
    """All but that of local submission, where it is SMTP that is spoken."""
    socks = set(glob.glob(s.dir + "/run/*.sock"))
    submit = s.dir + "/run/submit.sock"
    equal(os.stat(submit).st_mode & 0o777, 0o666, submit)
    for p in socks - {submit}:
        equal(os.stat(p).st_mode & 0o777, 0o600, p)
    if ROOT:
        for n in socks - {submit}:
            st, out = run("runuser", "-u", "nobody", "--", "/usr/bin/python3", "-c",
                          "import socket; socket.socket(socket.AF_UNIX).connect(%r)" % n)
            check(st != 0, "nobody may connect to " + n)


@case
def control_socket_garbage():
    """Any bytes, half headers, a hundred connections: the request is closed, services stay."""
    socks = glob.glob(s.dir + "/run/*.sock")
    check(len(socks) >= 4, "sockets: %s" % socks)
    s.log_mark()
    for path in socks:
        for data in (b"", b"\0", b"\xff" * 16, os.urandom(4096), b"A" * 100000, b"\x00\x00\x01\x00" * 4,
                     b"\x10\0\0\0" + b"\0" * 12, b"\x40\x04\0\0" + b"\x16\0\0\0" + b"\xff" * 1100):
            c = socket.socket(socket.AF_UNIX)
            c.settimeout(5)
            c.connect(path)
            try:
                c.sendall(data)
                c.shutdown(socket.SHUT_WR)
                while c.recv(65536):
                    pass
            except OSError:
                pass
            c.close()
        held = []
        for i in range(100):
            c = socket.socket(socket.AF_UNIX)
            c.setblocking(False)
            try:
                c.connect(path)
            except OSError:
                pass
            held.append(c)
        for c in held:
            c.close()
    s.send(A, "after garbage")
    s.wait_mail(A, "Subject: after garbage")
    until("answers again", lambda: s.ctl("stats")[0] == 0, 5)
    check(not re.search(r"killed by signal|exited with status|killing ", s.log_since()), s.log_since()[-2000:])


@case
def json_log():
    t = Suite(daemons=("smtpd",), json=True)
    qid = t.send(A, "json")
    t.wait_mail(A, "Subject: json")
    t.log_wait("delivered")
    for l in t.log().splitlines():
        o = json.loads(l)
        check(isinstance(o, dict), l)
    check(qid in t.log(), "no queue id")
    t.close()


@case
def log_lines_have_the_connection():
    """Every line about a connection has its id."""
    s.log_mark()
    c = s.smtp("submission")
    c.hello()
    c.auth()
    c.auth(code="503")
    c.cmd("QUIT", "221")
    time.sleep(0.3)
    mine = [l for l in s.log_since().splitlines() if "addr=127.0.0.1" in l]
    for l in mine:
        check("conn=" in l, l)
    check(mine, "no line at all:\n" + s.log_since())


@case
def statistics():
    s.log_mark()
    for d in DAEMONS:
        os.kill(s.pid(d), signal.SIGUSR1)
    for d in DAEMONS:
        s.log_wait(r"%s.*(connections|accepted|logins|messages)" % d)


def counts(t, daemon):
    """What mailctl stats says of a daemon: name or "name kind" to (total, now)."""
    st, out = t.ctl("-j", "stats")
    equal(st, 0, out)
    d = [d for d in json.loads(out)["daemons"] if d["daemon"] == daemon][0]
    return {(c["name"] + " " + c["kind"]).strip(): (c["total"], c.get("now")) for c in d["counters"]}


@case
def counters():
    """mailctl stats of all three daemons: each thing that a client does is one more, and a reload takes nothing away."""
    t = Suite()
    c = t.smtp("submission")
    c.hello()
    c.starttls()
    c.cmd("EHLO client.example", "250")
    c.auth(password="wrong", code="535")
    c.auth()
    until("one is here", lambda: counts(t, "smtpd")["connections"] == (1, 1))
    c.cmd("QUIT", "221")
    c.close()
    c = t.smtp()
    c.hello()
    c.cmd("MAIL FROM:<x@client.example>", "250")
    c.cmd("RCPT TO:<nobody@example.org>", "550")
    c.cmd("RCPT TO:<x@elsewhere.example>", "550")
    c.cmd("RCPT TO:<%s>" % A, "250")
    c.cmd("FROB", "500")
    c.close()
    t.send(A, "counted")
    want = {"connections": (3, 0), "tls": (1, None), "login plain": (1, None), "login-bad plain": (1, None),
            "messages": (1, None), "refused address": (1, None), "refused policy": (1, None),
            "refused protocol": (1, None), "rules": (1, None)}
    until("counted", lambda: {k: counts(t, "smtpd")[k] for k in want} == want)
    t.wait_mail(A, "Subject: counted")
    check(counts(t, "smtpd")["processes"][0] >= 1, "no deliverer")
    q = json.loads(t.ctl("-j", "stats")[1])["queue"]["total"]
    equal((q["accepted"], q["delivered"]), (1, 1))
    c = t.imap()
    c.line()
    c.do('LOGIN %s wrong' % A, "NO")
    c.do('LOGIN %s "%s"' % (A, PASS))
    until("a session", lambda: counts(t, "imapd")["processes"] == (1, 1))
    c.close()
    c = t.pop3()
    c.line()
    c.pop("USER " + A)
    c.pop("PASS " + PASS)
    c.pop("QUIT")
    for d in ("imapd", "pop3d"):
        until(d, lambda: counts(t, d)["connections"] == (1, 0) and counts(t, d)["login command"][0] == 1)
    equal(counts(t, "imapd")["login-bad command"][0], 1)
    t.reload()
    equal({k: counts(t, "smtpd")[k] for k in want}, want, "after a reload")
    out = t.ctl("stats")[1]
    check(re.search(r"^login +plain +1 +- ", out, re.M) and re.search(r"^delivered +1 +1$", out, re.M), out)
    t.close()


@case
def log_file_is_private():
    check(os.stat(s.log_path).st_mode & 0o007 == 0, "others may read the log: %o" % os.stat(s.log_path).st_mode)


@case
def crash_loop_backs_off():
    """A role that dies again and again is started with growing delays."""
    t = Suite(daemons=("pop3d",))
    starts = set()
    end = time.monotonic() + 6
    while time.monotonic() < end:
        for p in t.role("pop3d", "auth"):
            starts.add(p)
            t.kill(p)
        time.sleep(0.02)
    check(1 < len(starts) < 40, "%d starts in 6 s" % len(starts))
    check(alive(t.pid("pop3d")), "the parent gave up")
    until("back again", lambda: t.role("pop3d", "auth"), 60)
    t.close()


@case
def foreground():
    """-d: stays, logs to standard error, ends on SIGINT."""
    t = Suite(daemons=("pop3d",), start=False)
    p = subprocess.Popen([program("pop3d"), "-d", "-v", "-f", t.conf], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    try:
        def up():
            try:
                return t.pop3().line().startswith("+OK")
            except (OSError, AttributeError):
                return False
        until("serving", up)
        check(p.poll() is None, "it went away")
    finally:
        p.send_signal(signal.SIGINT)
        err = p.communicate(timeout=20)[1].decode()
    equal(p.returncode, 0, err[-300:])
    check("pop3d" in err, err[:200])
    t.close()


@case
def the_samples():
    """etc/mail.conf and the examples of the manual load (paths apart)."""
    p = os.path.join(TOP, "etc/mail.conf")
    if not os.path.exists(p):
        raise Fail("no etc/mail.conf")
    text = slurp(p).decode()
    text = re.sub(r'cert "[^"]*"', 'cert "%s/ec.crt"' % certs(), text)
    text = re.sub(r'key "[^"]*"', 'key "%s/ec.key"' % certs(), text)
    text = re.sub(r'file "/etc/mail/(\w+)"', 'file "%s/people"' % s.dir, text)
    q = s.write("sample.conf", text)
    st, out = run(program("smtpd"), "-n", "-f", q)
    equal(st, 0, out)


@case
def who_was_refused():
    """A line about a refusal says who wanted what, also where the reply does not."""
    at = len(s.log())
    c = s.smtp()
    c.expect("220")
    c.cmd("EHLO refused.example", "250")
    c.cmd("MAIL FROM:<one@client.example>", "250")
    c.cmd("RCPT TO:<nobody@example.org>", "550")
    line = until("a line", lambda: re.search(r"lookup: refused: rcpt (.*)", s.log()[at:]))[1]
    check(re.match(r"addr=127\.0\.0\.1 conn=\d+ helo=refused\.example to=<nobody@example\.org> from=<one@client\.example> ", line), line)
    check(" reply=\"550 5.1.1 " in line, line)
    c.close()
    equal(s.log()[at:].count("refused: rcpt"), 1, "one line is enough")
    n = json.loads(s.ctl("-j", "report", s.log_path)[1])["refused"]
    check(n > 0, "they are counted")


finish()
