"""IMAP: what clients do, and what they must not be able to do."""
import imaplib, os, re, select, sys, threading, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

s = Suite()
A = "alice@example.org"
N = [0]


def login(port="imap", user=A, select=None):
    c = s.imap(port)
    l = c.line()
    check(l.startswith("* OK"), "greeting: %r" % l)
    c.do('LOGIN %s "%s"' % (user, PASS))
    if select:
        c.do("SELECT " + select)
    return c


def fresh():
    """A mailbox of its own for a case, selected."""
    N[0] += 1
    c = login()
    c.do("CREATE box%d" % N[0])
    return c, "box%d" % N[0]


def append(c, box, text, flags=""):
    c.write("a APPEND %s %s{%d}\r\n" % (box, flags + " " if flags else "", len(text)))
    l = c.line()
    if l.startswith("a NO"):            # it need not wait for what it will not have
        return l
    check(l.startswith("+"), "APPEND: %r" % l)
    c.write(text + b"\r\n")
    return c.tagged("a")[-1]


MSG = b"From: a@b.example\r\nTo: c@d.example\r\nSubject: appended\r\nDate: Mon, 1 Jan 2024 00:00:00 +0000\r\n\r\nbody\r\n"


@case
def a_process_without_clients_costs_little():
    """It keeps nothing of a mailbox for who comes back, and then it is the same process."""
    def mapped():
        return [l for l in slurp("/proc/%d/maps" % pid).decode().splitlines() if "postern." in l]
    c = login(select="INBOX")
    pid, = [p for p in s.role("imapd", "session") if A in title(p)]
    check(mapped(), "it has no index")
    c.do("LOGOUT")
    until("the index is given back", lambda: not mapped(), 8)
    c = login(select="INBOX")
    check(mapped(), "it is another process")
    c.do("LOGOUT")


@case
def delivered_then_read():
    s.send(A, "imap one", "text of it\r\n")
    s.wait_mail(A, "Subject: imap one")
    c = login(select="INBOX")
    n = [l for l in c.do("SEARCH SUBJECT \"imap one\"") if l.startswith("* SEARCH")][0].split()[2]
    out = "\n".join(c.do("FETCH %s (FLAGS RFC822.SIZE ENVELOPE BODYSTRUCTURE INTERNALDATE)" % n))
    for w in ("FLAGS", "RFC822.SIZE", '"imap one"', '"TEXT" "PLAIN"', "INTERNALDATE"):
        check(w.lower() in out.lower(), "%s: %s" % (w, out))
    out = "\n".join(c.do("FETCH %s BODY[]" % n))
    check("text of it" in out and "\\Seen" in out, out)
    c.do("STORE %s +FLAGS (\\Deleted)" % n)
    check(any(l.startswith("* %s EXPUNGE" % n) for l in c.do("EXPUNGE")), "no EXPUNGE")
    c.do("LOGOUT")
    until("gone", lambda: not [p for p in s.messages(A) if b"imap one" in slurp(p)])


@case
def flags_are_file_names():
    """Another Maildir program reads what STORE wrote."""
    s.send(A, "flagged")
    s.wait_mail(A, "Subject: flagged")
    c = login(select="INBOX")
    n = c.do('SEARCH SUBJECT flagged')[0].split()[2]
    c.do("STORE %s FLAGS (\\Seen \\Answered \\Flagged $Forwarded)" % n)
    c.do("CLOSE")
    c.do("LOGOUT")

    def look():
        p = [p for p in s.messages(A) if b"Subject: flagged" in slurp(p)]
        return p and "/cur/" in p[0] and {"S", "R", "F"} <= set(p[0].rsplit(":2,", 1)[-1])
    until("flags in the file name", look)


@case
def seen_by_another_program():
    """A file that another program puts in or renames shows up."""
    c, box = fresh()
    md = os.path.join(s.maildir(A), "." + box)
    append(c, box, MSG)
    c.do("SELECT " + box)
    import shutil, glob
    src = (glob.glob(md + "/cur/*") + glob.glob(md + "/new/*"))[0]
    dst = md + "/tmp/1700000000.foreign.host"
    shutil.copy(src, dst)
    shutil.chown(dst, s.owner)
    os.rename(dst, md + "/new/1700000000.foreign.host")
    until("2 EXISTS", lambda: any("2 EXISTS" in l for l in c.do("NOOP")) or
          any("(MESSAGES 2)" in l for l in c.do("STATUS %s (MESSAGES)" % box)))
    p = (glob.glob(md + "/new/1700*") + glob.glob(md + "/cur/1700*"))[0]
    os.rename(p, md + "/cur/1700000000.foreign.host:2,FS")
    until("its flags", lambda: any("\\Flagged" in l for l in c.do("FETCH 2 FLAGS") + c.do("NOOP")))


@case
def append_copy_move():
    c, box = fresh()
    c.do("CREATE other%d" % N[0])
    r = append(c, box, MSG, "(\\Seen \\Draft)")
    check(r.startswith("a OK"), r)
    c.do("SELECT " + box)
    check("\\Draft" in "".join(c.do("FETCH 1 FLAGS")), "flags of APPEND")
    c.do("COPY 1 other%d" % N[0])
    check("(MESSAGES 1)" in "".join(c.do("STATUS other%d (MESSAGES)" % N[0])), "not copied")
    c.do("COPY 1 nosuch", "NO")
    c.do("UID STORE 1:* +FLAGS.SILENT (\\Deleted)")
    c.do("EXPUNGE")
    c.do("UID FETCH 1:* FLAGS")


@case
def append_to_nothing():
    c = login()
    c.write("a APPEND nosuch {%d}\r\n" % len(MSG))
    l = c.line()
    if l.startswith("+"):
        c.write(MSG + b"\r\n")
        l = c.tagged("a")[-1]
    check(l.startswith("a NO [TRYCREATE]"), l)
    c.do("NOOP")


@case
def folders():
    c = login()
    for name in ('"with space"', '"a.b"', "Archive", '"T&APw-r"', '"deep/er"'):
        r = c.do("CREATE " + name, None)[-1]
        check(r[:4] in ("t OK", "t NO"), r)
        if r.startswith("t OK"):
            check(any(name.strip('"') in l for l in c.do('LIST "" *')), "LIST does not show " + name)
            c.do("SELECT " + name)
            c.do("SUBSCRIBE " + name)
            check(any(name.strip('"') in l for l in c.do('LSUB "" *')), "LSUB does not show " + name)
            c.do("UNSUBSCRIBE " + name)
            c.do("CLOSE")
            c.do("DELETE " + name)
    c.do("CREATE old")
    append(c, "old", MSG)
    c.do("RENAME old renamed")
    check("(MESSAGES 1)" in "".join(c.do("STATUS renamed (MESSAGES)")), "renamed")
    c.do("SELECT old", "NO")
    c.do("DELETE INBOX", "NO")
    c.do("CREATE INBOX", "NO")
    c.do("DELETE renamed")


@case
def mailbox_names():
    """Paths, dots, control bytes, length: refused, and nothing outside is touched."""
    before = sorted(os.listdir(os.path.dirname(s.maildir(A))))
    c = login()
    for name in ('".."', '"../x"', '"/etc"', '"a/../../b"', '"."', '"./x"', '"&AC8-"', '"&AC4ALg-/x"',
                 '"&"', '"&Jjo"', '"&AAA-"', '""', '"%s"' % ("n" * 300), '"%s"' % ("n/" * 200), '"new"', '"cur"',
                 '"\\""', '"a//b"', '"/a"', '"a/"', '"~root"', '"%s"' % ("x" * 5000), '"a\\\\b"', '"*"', '"%"'):
        for cmd in ("CREATE %s", "SELECT %s", "DELETE %s", "RENAME INBOX %s", "STATUS %s (MESSAGES)"):
            if cmd.startswith("RENAME") and name in ('"new"', '"cur"', '"a/"', '"~root"', '"*"', '"%"'):
                continue
            c.write("t " + cmd % name + "\r\n")
            out = c.tagged("t")
            if out[-1] == "":
                c = login()
            else:
                check(out[-1][:4] in ("t OK", "t NO", "t BA"), out[-1])
    for p, ds, fs in os.walk(s.dir + "/mail"):
        for d in ds:
            check(d not in ("x", "b", "etc"), "made: %s/%s" % (p, d))
    equal(sorted(os.listdir(os.path.dirname(s.maildir(A)))), before, "beside the Maildir")
    c = login(select="inbox")
    c.do("SELECT InBoX")


@case
def literals_before_login():
    """RFC 7888: 4096 before the login; many, huge, slow: bounded."""
    for text, want in (("a LOGIN {5+}\r\nalice {3+}\r\nxyz\r\n", None), ("a LOGIN {4294967296}\r\n", "BAD"),
                       ("a LOGIN {99999999999999999999}\r\n", "BAD"), ("a LOGIN {5000+}\r\n" + "x" * 5000 + " y\r\n", "BAD"),
                       ("a LOGIN {-1}\r\n", "BAD"), ("a LOGIN {}\r\n", "BAD"), ("a LOGIN {1", None),
                       ("a LOGIN {1x}\r\n", "BAD"), ("a NOOP " + "{1+}\r\nx" * 3000 + "\r\n", "BAD")):
        c = s.imap()
        c.line()
        try:
            c.write(text)
        except OSError:
            pass
        r = c.rest(0.5)
        if want:
            check(want in r or r == "" or "BYE" in r, "%r: %r" % (text[:30], r))
        check("a OK" not in r, "%r was obeyed" % text[:30])
        c.close()
    c = s.imap()
    c.line()
    c.write("a LOGIN {%d}\r\n" % len(A))
    check(c.line().startswith("+"), "no continuation")
    c.write(A + " {%d}\r\n" % len(PASS))
    check(c.line().startswith("+"), "no continuation")
    c.write(PASS + "\r\n")
    check(c.tagged("a")[-1].startswith("a OK"), "a login by literals")


@case
def nesting():
    """Brackets without end, each kind by itself, before and after the login."""
    net = s.role("imapd", "net")
    for login_first in (False, True):
        for ch in "([{\"":
            for n in (100, 10000, 100000):
                c = login() if login_first else s.imap()
                if not login_first:
                    c.line()
                try:
                    c.write("x NOOP " + ch * n + "\r\n")
                    c.write("x SEARCH " + ch * n + "\r\n")
                except OSError:
                    pass
                r = c.rest(0.2)
                check("x OK" not in r, "%s x %d: %r" % (ch, n, r[:200]))
                c.close()
    equal(s.role("imapd", "net"), net, "net processes")
    c = login(select="INBOX")
    c.do("SEARCH " + "NOT " * 20 + "SEEN", None)
    c.do("SEARCH " + "(" * 30 + "SEEN" + ")" * 30, None)


@case
def truncated_commands():
    """Every command cut off at every byte, then the connection closed."""
    for text in (b'a LOGIN "al\\"ice" {3}\r\n', b"a AUTHENTICATE PLAIN AGEAYg==\r\n", b"a ID (\"name\" NIL)\r\n",
                 b"a FETCH 1:*,3 (BODY.PEEK[HEADER.FIELDS (SUBJECT)]<0.10>)\r\n",
                 b'a SEARCH OR (SUBJECT "x" NOT SEEN) UID 1:*\r\n'):
        for i in range(0, len(text), 2):
            c = s.imap()
            c.line()
            c.write(text[:i])
            c.close()
    login().do("LOGOUT")


@case
def bad_syntax():
    c = login(select="INBOX")
    for cmd in ("FETCH", "FETCH 0 FLAGS", "FETCH 1: FLAGS", "FETCH 1:2:3 FLAGS", "FETCH 4294967296 FLAGS",
                "FETCH 1 (", "FETCH 1 BODY[", "FETCH 1 BODY[]<", "FETCH 1 BODY[]<0>", "FETCH 1 BODY[0]", "FETCH 1 BODY[1.MIM]",
                "STORE 1 FLAGS", "STORE 1 FLAGS (\\Foo", "STORE 1 XFLAGS ()", "SEARCH", "SEARCH CHARSET", "SEARCH SINCE x",
                "SEARCH 0", "UID", "UID FETCH", "UID NOOP", "COPY 1", "SELECT", "STATUS INBOX", "STATUS INBOX ()",
                "STATUS INBOX (FOO)", "LIST", "APPEND", "APPEND INBOX", "XYZZY", "RENAME a", "ENABLE", "(", "\"", "%", "* OK"):
        c.write("b%s %s\r\n" % ("x", cmd))
        out = c.tagged("bx")
        check(out[-1].startswith("bx BAD") or out[-1].startswith("bx NO") or out[-1] == "", "%s: %r" % (cmd, out[-1]))
        if out[-1] == "":
            c = login(select="INBOX")
    c.do("NOOP")


@case
def bytes_after_login():
    c, box = fresh()
    for t in (b"Subject: x\r\n\r\nno end", b"", b"\r\n", b"\n\n", b"a" * 70000, b"X: " + b"y" * 70000 + b"\r\n\r\n",
              bytes(range(1, 256)), b"Subject: =?utf-8?q?=ff=fe?=\r\n\r\n\xff"):
        r = append(c, box, t)
        check(r.startswith(("a OK", "a NO", "a BAD")), "%r: %s" % (t[:20], r))
    c.do("SELECT " + box)
    c.do("FETCH 1:* (ENVELOPE BODYSTRUCTURE RFC822.SIZE FLAGS)")
    c.do("FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]")


@case
def bombs():
    """Headers and parts by the hundred thousand: answered, in time, by a process that is still there."""
    c, box = fresh()
    bombs = [b"To: " + b"a@b.example, " * 60000 + b"c@d.example\r\n\r\nx\r\n",
             b"".join(b"X-%d: y\r\n" % i for i in range(100000)) + b"\r\nx\r\n",
             b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--a\r\n\r\nx\r\n" * 100000 + b"--a--\r\n",
             b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(10000)),
             b"Content-Type: message/rfc822\r\n\r\n" * 10000,
             b"Content-Type: text/plain" + b"".join(b";\r\n a*%d=b" % i for i in range(100000)) + b"\r\n\r\nx\r\n"]
    for b in bombs:
        r = append(c, box, b)
        check(r.startswith("a OK"), r)
    c.do("SELECT " + box)
    t = time.monotonic()
    for i in range(1, len(bombs) + 1):
        c.do("FETCH %d (ENVELOPE BODYSTRUCTURE)" % i)
        c.do("FETCH %d (RFC822.SIZE FLAGS)" % i)
    check(time.monotonic() - t < 15, "%.1f s" % (time.monotonic() - t))


@case
def starttls_injection():
    for later in (False, True):
        c = s.imap()
        c.line()
        c.write("a STARTTLS\r\n" if later else "a STARTTLS\r\nb NOOP\r\nc CAPABILITY\r\n")
        check(c.line().startswith("a OK"), "STARTTLS")
        if later:
            c.write("b NOOP\r\n")
            time.sleep(0.2)
        check(c.buf == b"", "answered in the clear: %r" % c.buf)
        try:
            c.wrap()
            c.write("z NOOP\r\n")
            l = c.line()
        except OSError:
            continue
        check(l is None or l.startswith("z OK"), "got %r" % l)


@case
def other_protocols():
    """HTTP is turned away at once, other strangers after three commands."""
    for verb in ("GET / HTTP/1.0", "POST / HTTP/1.1", "EHLO x"):
        c = s.imap()
        c.line()
        c.write(verb + "\r\n")
        check(c.closed(3), "%s: not closed" % verb)
    c = s.imap()
    c.line()
    c.write("a BLAH\r\n" * 5)
    check(c.closed(3), "unknown commands do not end")


@case
def commands_before_login():
    """A stranger does not hold up others with commands that cost him nothing."""
    c = s.imap()
    c.line()
    c.write("a NOOP\r\n" * 1000)
    got = c.rest().splitlines()
    check(len(got) == 101 and got[-1].startswith("* BYE"), "%d lines, %r" % (len(got), got[-1:]))
    c = s.imap()
    c.line()
    for i in range(98):
        c.do("NOOP")
    c.do('LOGIN %s "%s"' % (A, PASS))
    for i in range(200):
        c.do("NOOP")


@case
def starttls_forgets():
    """Half an exchange before TLS is none inside it."""
    c = s.imap()
    c.line()
    c.do("STARTTLS")
    c.wrap()
    c.do("STARTTLS", "BAD")
    c = s.imap()
    c.line()
    c.do("ID (\"name\" \"before\")")
    c.do("STARTTLS")
    c.wrap()
    c.do("SELECT INBOX", None)
    c.do('LOGIN %s "%s"' % (A, PASS))


@case
def capability():
    c = s.imap()
    l = c.line()
    check("IMAP4rev1" in l, l)
    caps = c.do("CAPABILITY")[0].split()
    for w in ("STARTTLS", "AUTH=PLAIN", "IMAP4rev1", "LITERAL-", "SASL-IR", "ID"):
        check(w in caps, "%s: %s" % (w, caps))
    c.do("STARTTLS")
    c.wrap()
    caps = c.do("CAPABILITY")[0].split()
    check("STARTTLS" not in caps and "LOGINDISABLED" not in caps, caps)
    c.do("AUTHENTICATE PLAIN " + plain(A, PASS))
    c.do("SELECT INBOX")
    c.do('ID ("name" "test")')


@case
def before_login():
    for cmd in ("SELECT INBOX", "LIST \"\" *", "FETCH 1 FLAGS", "CREATE x", "IDLE", "STATUS INBOX (MESSAGES)"):
        c = s.imap()
        c.line()
        r = c.do(cmd, None)[-1]
        check(r.startswith(("t BAD", "t NO")), "%s: %r" % (cmd, r))


@case
def wrong_login():
    for user, password in ((A, "wrong"), ("nobody@example.org", PASS), ("", ""), (A + "\\\"", PASS)):
        c = s.imap()
        c.line()
        r = c.do('LOGIN "%s" "%s"' % (user, password), None)[-1]
        check(r.startswith(("t NO", "t BAD")), r)
        c.close()


@case
def idle():
    """A delivery and a flag of another session are told at once."""
    c = login(select="INBOX")
    caps = c.do("CAPABILITY")[0]
    if "IDLE" not in caps.split():
        skip("no IDLE here")
    c.write("i IDLE\r\n")
    check(c.line().startswith("+"), "no continuation")
    t = time.monotonic()
    s.send(A, "during idle")
    while True:
        l = c.line()
        check(l is not None, "closed")
        if "EXISTS" in l:
            break
    check(time.monotonic() - t < 3, "%.1f s" % (time.monotonic() - t))
    c.write("DONE\r\n")
    c.tagged("i")


@case
def two_sessions_one_user():
    """They see each other's changes, and share one process."""
    c, box = fresh()
    d = login()
    append(c, box, MSG)
    c.do("SELECT " + box)
    d.do("SELECT " + box)
    c.do("STORE 1 +FLAGS (\\Flagged)")
    check("\\Flagged" in "".join(d.do("FETCH 1 FLAGS") + d.do("NOOP")), "not seen")
    append(d, box, MSG)
    check(any("2 EXISTS" in l for l in c.do("NOOP")), "no EXISTS")
    c.do("STORE 1:2 +FLAGS (\\Deleted)")
    c.do("EXPUNGE")
    check(sum("EXPUNGE" in l for l in d.do("NOOP")) == 2, "no EXPUNGE")
    equal(len([p for p in s.role("imapd", "session") if A in title(p)]), 1, "processes of one user")


@case
def search_takes_turns():
    """Many keys on few messages: the user's other connections go on meanwhile."""
    c, box = fresh()
    text = b"Subject: " + b"a" * 600 + b"\r\n\r\nx\r\n"
    c.write("a APPEND %s" % box)
    for i in range(300):
        c.write(b" {%d+}\r\n%s" % (len(text), text))
    c.write("\r\n")
    check(c.tagged("a")[-1].startswith("a OK"), "APPEND")
    c.do("SELECT " + box)
    c.do("SEARCH SUBJECT b")
    d = login()
    c.write("x SEARCH %s\r\n" % " ".join(["NOT SUBJECT b"] * 500))
    for i in range(3):
        d.do("NOOP")
    check(not select.select([c.s], [], [], 0)[0], "it was waited for")
    check(c.tagged("x")[-1].startswith("x OK"), "SEARCH")


@case
def search_memory():
    """Many who search large messages at a time: between its turns none holds one."""
    c, box = fresh()
    text = b"Subject: large\r\n" + b"X-A: b\r\n" * 200000 + b"\r\n" + (b"x" * 998 + b"\r\n") * 60000 + b"needle\r\n"
    for i in range(2):
        check(append(c, box, text).startswith("a OK"), "APPEND")
    several = [login(select=box) for i in range(14)]
    for d in several:
        d.write("x SEARCH BODY needle\r\n")
    for d in several:
        equal(d.tagged("x"), ["* SEARCH 1 2", "x OK SEARCH completed"])
    # Nor do many sections of one of these messages hold up the others.
    c.do("SELECT " + box)
    c.write("x FETCH 1 (%s)\r\n" % " ".join("BODY.PEEK[HEADER.FIELDS (X-%d)]" % i for i in range(128)))
    for d in several[:3]:
        d.do("NOOP")
    while select.select([c.s], [], [], 0)[0] and c.fill():
        pass
    check(b"\nx OK" not in c.buf, "it was waited for")
    c.tagged("x")
    # Nor does one of many keys on one of these messages hold up the others.
    c.do("SELECT " + box)
    c.write("x SEARCH OR BODY none %s NOT OR BODY needle SUBJECT none\r\ny SEARCH 2 BODY needle NOT BODY none\r\n" % " ".join(
        ["NOT BODY none"] * 20))
    for d in several[:3]:
        d.do("NOOP")
    check(not select.select([c.s], [], [], 0)[0], "it was waited for")
    equal(c.tagged("x"), ["* SEARCH", "x OK SEARCH completed"])
    equal(c.tagged("y"), ["* SEARCH 2", "y OK SEARCH completed"])
    c.do("DELETE " + box)


@case
def many_at_once():
    errors = []

    def work(k):
        try:
            for i in range(5):
                c = login("imaps", ("alice", "bob", "carol")[k % 3] + "@example.org", "INBOX")
                c.do("NOOP")
                c.do("LOGOUT")
                c.close()
        except Exception as e:
            errors.append(str(e))
    ts = [threading.Thread(target=work, args=(k,)) for k in range(12)]
    [t.start() for t in ts]
    [t.join() for t in ts]
    equal(errors, [])


@case
def uids_stay():
    c, box = fresh()
    for i in range(5):
        append(c, box, MSG)
    out = c.do("SELECT " + box)
    v = re.search(r"UIDVALIDITY (\d+)", "\n".join(out)).group(1)
    c.do("STORE 2,4 +FLAGS (\\Deleted)")
    c.do("EXPUNGE")
    uids = re.findall(r"UID (\d+)", "\n".join(c.do("FETCH 1:* UID")))
    c.do("LOGOUT")
    for p in s.role("imapd", "session"):
        s.kill(p)
    time.sleep(0.3)
    c = login()
    out = c.do("SELECT " + box)
    equal(re.search(r"UIDVALIDITY (\d+)", "\n".join(out)).group(1), v)
    equal(re.findall(r"UID (\d+)", "\n".join(c.do("FETCH 1:* UID"))), uids)


@case
def big():
    c, box = fresh()
    text = MSG + b"0123456789\r\n" * 100000
    check(append(c, box, text).startswith("a OK"), "APPEND")
    c.do("SELECT " + box)
    c.write("f FETCH 1 BODY.PEEK[]\r\n")
    l = c.line()
    n = int(re.search(r"\{(\d+)\}$", l).group(1))
    equal(n, len(text))
    check(c.read(n) == text, "not the same bytes")
    c.tagged("f")
    c.write("f FETCH 1 BODY.PEEK[]<100.50>\r\n")
    l = c.line()
    equal(c.read(int(re.search(r"\{(\d+)\}$", l).group(1))), text[100:150])
    c.tagged("f")


@case
def client_goes_in_the_middle():
    """A client that leaves while a big message is on its way."""
    c, box = fresh()
    append(c, box, MSG + b"0123456789\r\n" * 200000)
    for i in range(5):
        d = login(select=box)
        d.write("f FETCH 1 BODY.PEEK[]\r\n")
        d.line()
        d.close()
    c.do("SELECT " + box)


@case
def only_own_mailbox():
    """A session cannot reach another user's mail."""
    import glob
    c = login(user="bob@example.org")
    for name in ("../../alice/Maildir", "~alice@example.org", "/" + s.maildir(A)):
        for cmd in ('SELECT "%s"', 'LIST "" "%s"', 'CREATE "%s"'):
            out = c.do(cmd % name, None)
            check(not any("alice" in l and l.startswith("* LIST") for l in out), out)
    p = [p for p in s.role("imapd", "session") if "bob" in title(p)][0]
    check(not [f for f in glob.glob("/proc/%d/fd/*" % p) if "alice" in (os.readlink(f) if os.path.islink(f) else "")],
          "a descriptor of another's mailbox")


@case
def still_the_same_processes():
    text = s.log()
    check(not re.search(r"killed by signal (?!9)|exited with status|killing ", text),
          "\n".join(l for l in text.splitlines() if re.search(r"signal|exited|killing", l)))


finish()
