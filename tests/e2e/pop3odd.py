"""POP3: what has broken other servers, and what a mailbox or a client may hold."""
import base64, contextlib, os, re, shutil, socket, ssl, subprocess, sys, threading, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

s = Suite(daemons=("smtpd", "pop3d"))
A, B, C = "alice@example.org", "bob@example.org", "carol@example.org"
expected = []                   # in the log, of what was done on purpose
idler = s.pop3()                # it says nothing, to the end


def login(port="pop3", user=A, suite=None):
    c = (suite or s).pop3(port)
    check((c.line() or "").startswith("+OK"), "no greeting")
    c.pop("USER " + user)
    c.pop("PASS " + PASS)
    return c


def login_ok(user, suite=None):
    with (suite or s).pop3() as c:
        if not (c.line() or "").startswith("+OK"):
            return False
        c.pop("USER " + user)
        return c.pop("PASS " + PASS, None).startswith("+OK")


def put(user, name, data, sub="new"):
    """A file that another program put into the Maildir."""
    p = os.path.join(s.maildir(user), sub, name)
    with open(p, "wb") as f:
        f.write(data)
    shutil.chown(p, s.owner, s.owner)


def clear(user=A):
    s.send(user, "the mailbox is there")
    s.wait_mail(user, "the mailbox is there")
    s.empty(user)


def rss(user=A):
    procs = s.role("pop3d", "net") + [x for x in s.role("pop3d", "session") if user in title(x)]
    return max(int(status(p)["VmRSS"].split()[0]) for p in procs)


def text_of(c):
    """A multi-line reply as it came, without the dots."""
    while not (c.buf.endswith(b"\r\n.\r\n") or c.buf == b".\r\n"):
        d = c.s.recv(1 << 20)
        check(d, "closed")
        c.buf += d
    got, c.buf = c.buf[:-3], b""
    return b"\r\n".join(l[1:] if l.startswith(b".") else l for l in got.split(b"\r\n"))


@case
def lines_after_login():
    """Long, endless and dripping lines of a client who is logged in."""
    for n in (512, 1000, 1 << 16, 8 << 20):
        c = login()
        try:
            c.write(b"RETR " + b"1" * n)
            c.write("\r\n")
        except OSError:
            pass
        said = c.rest(3)
        check("+OK" not in said and len(said) < 100, "%d: %r" % (n, said[:200]))
        check(rss() < 60000, "%d bytes: %d kB" % (n, rss()))
        c.close()
    c = login("pop3s")
    for i in range(510):
        c.write("x")
    c.write("\r\n")
    check(c.line().startswith("-ERR"), "510")
    c.pop("NOOP")
    c.pop("QUIT")


@case
def long_lines_by_any_split():
    """A line that is too long ends the connection, in however many pieces it came; the longest one does not."""
    for logged_in in (False, True):
        for n, good in ((512, True), (513, False), (600, False), (1500, False)):
            for cut in (n, 300):
                c = login() if logged_in else s.pop3()
                if not logged_in:
                    c.line()
                line = b"LANG " + b"x" * (n - 7) + b"\r\n"
                c.write(line[:cut])
                if cut < n:
                    time.sleep(0.05)
                    with contextlib.suppress(OSError):
                        c.write(line[cut:])
                with contextlib.suppress(OSError):
                    c.write("CAPA\r\n")
                said = c.rest(1 if good else 5).split("\r\n")
                check(said[0].startswith("-ERR") and ("too long" in said[0]) != good and ("+OK" in said) == good,
                      "%d in pieces of %d, logged in %d: %r" % (n, cut, logged_in, said[:2]))
                c.close()
                if logged_in:
                    until("the maildrop is free", lambda: login_ok(A), 5, 0.1)


@case
def endless_lines_before_login():
    for start in ("USER ", "AUTH PLAIN ", "", "AUTH PLAIN\r\n"):
        c = s.pop3()
        c.line()
        sent = 0
        try:
            c.write(start)
            while sent < 64 << 20 and not c.closed(0):
                c.write(b"A" * 65536)
                sent += 65536
        except OSError:
            pass
        check(sent < 8 << 20, "%d MB of one line were read" % (sent >> 20))
        check(max(int(status(p)["VmRSS"].split()[0]) for p in s.role("pop3d", "net")) < 60000, "memory of net")
        c.close()
    login().close()


@case
def close_notify_in_the_middle():
    """TLS ends in the middle of AUTH, of a command, of a reply; then clear bytes."""
    clear()
    put(A, "1700000001.M1P1.b", b"Subject: x\n\n" + b"0123456789\n" * 200000)
    for before in (["AUTH PLAIN"], ["AUTH LOGIN"], ["USER " + A], ["USER " + A, "PASS " + PASS, "DELE 1"],
                   ["USER " + A, "PASS " + PASS, "DELE 1", "RETR 1"]):
        for tail in (b"QUIT\r\n", b"\0"):
            c = s.pop3("pop3s")
            c.line()
            for l in before:
                c.write(l + "\r\n")
                time.sleep(0.1)
            c.s.settimeout(1)
            try:
                c.write("DE")
                raw = c.s.unwrap()
                raw.sendall(tail)
                got = raw.recv(4096)
                check(b"+OK" not in got, "answered in the clear: %r" % got)
                raw.close()
            except (OSError, ssl.SSLError, ValueError):
                c.close()
            until("the maildrop is free", lambda: login_ok(A), 5, 0.1)
    equal(len(s.messages(A)), 1)


@case
def links_and_other_things():
    """What lies in a Maildir and is no message of its owner is not read, and stops nobody."""
    clear()
    new = os.path.join(s.maildir(A), "new")
    put(A, "1700000001.M1P1.good", b"Subject: good\n\nx\n")
    os.symlink("/etc/passwd", os.path.join(new, "1700000002.M1P1.link"))
    os.symlink("/nowhere", os.path.join(new, "1700000003.M1P1.dangling"))
    os.mkfifo(os.path.join(new, "1700000004.M1P1.fifo"))
    os.mkdir(os.path.join(new, "1700000005.M1P1.dir"))
    sock = socket.socket(socket.AF_UNIX)
    cwd = os.getcwd()
    os.chdir(new)
    sock.bind("1700000006.M1P1.sock")
    os.chdir(cwd)
    for n in os.listdir(new):
        os.chown(os.path.join(new, n), *((os.stat(s.maildir(A)).st_uid,) * 2), follow_symlinks=False)
    try:
        c = login()
        n = int(c.pop("STAT").split()[1])
        good = 0
        for i in range(1, n + 1):
            c.write("RETR %d\r\n" % i)
            l = c.line()
            if l.startswith("+OK"):
                got = text_of(c)
                check(b"root:" not in got, "/etc/passwd was sent")
                good += b"Subject: good" in got
        equal(good, 1)
        c.pop("UIDL")
        c.multi()
        c.pop("QUIT")
    finally:
        sock.close()
        for e in os.scandir(new):
            (os.rmdir if e.is_dir(follow_symlinks=False) else os.unlink)(e.path)


@case
def directories_that_are_links():
    """A Maildir whose cur leads elsewhere is not followed there."""
    clear(C)
    d = s.maildir(C)
    put(B, "1700000009.M1P1.bobs", b"Subject: of bob\n\nsecret\n") if os.path.isdir(s.maildir(B)) else clear(B)
    put(B, "1700000009.M1P1.bobs:2,S", b"Subject: of bob\n\nsecret\n", "cur")
    shutil.rmtree(d + "/cur")
    os.symlink(os.path.join(s.maildir(B), "cur"), d + "/cur")
    try:
        c = s.pop3()
        c.line()
        c.pop("USER " + C)
        if c.pop("PASS " + PASS, None).startswith("+OK"):
            for i in range(1, int(c.pop("STAT").split()[1]) + 1):
                c.write("RETR %d\r\n" % i)
                if c.line().startswith("+OK"):
                    check(b"secret" not in text_of(c), "another's message was sent")
        c.close()
    finally:
        os.unlink(d + "/cur")
        os.mkdir(d + "/cur", 0o700)
        shutil.chown(d + "/cur", s.owner, s.owner)
        s.empty(B)


@case
def names_that_inject():
    """Quotes, patterns, paths and what is not text, as a name and as a password: nobody is logged in."""
    odd = [b"'", b"' or 1=1 --", b"\" or \"\"=\"", b"*)(uid=*))(|(uid=*", b"%", b"*", b"a*", b"alice@example.org%", b"../alice",
           b"alice@example.org/../bob@example.org", b"alice@example.org\tx", b"alice@@example.org", b"@example.org", b"@",
           b"alice@", b"ALICE@example.org\x7f", b"\xff\xfe", b"alice\xc0\xaf@example.org", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
           b"alice@example.org ", b" alice@example.org", b"${alice}", b"$(id)", b"`id`", b"|id", b"a:b:c", b"root", b"a" * 300]
    t, told = Suite(daemons=("pop3d",)), 0
    try:
        for i, name in enumerate(odd):
            for user, password in ((name, PASS.encode()), (b"nobody%d@example.org" % i, name)):
                # Each from an address of its own: nobody is refused for the others' failures.
                c = t.pop3(source="127.0.3.%d" % (i + 1))
                c.line()
                c.write(b"USER " + user + b"\r\n")
                if (c.line() or "").startswith("+OK"):
                    c.write(b"PASS " + password + b"\r\n")
                    l = c.line()
                    check(l and l.startswith("-ERR"), "%r %r: %r" % (user, password, l))
                    told += "wrong user" in l
                c.close()
            c = t.pop3(source="127.0.3.%d" % (i + 1))
            c.line()
            c.write(b"AUTH PLAIN " + base64.b64encode(b"\0" + name + b"\0" + PASS.encode()) + b"\r\n")
            l = c.line()
            check(l and l.startswith("-ERR"), "AUTH %r: %r" % (name, l))
            c.close()
        check(told > len(odd), "only %d were looked up" % told)
        login("pop3", A, t).close()
    finally:
        t.close()


@case
def odd_messages():
    """NUL, no header, no end, nothing at all: LIST says what RETR sends."""
    clear()
    texts = [b"", b"\n", b"x", b"\0", b"Subject: nul\n\na\0b\n\0", b"Subject: cr\r\rbody\r", b"\n.\n..\n.\r\n.", b"\r\n",
             b"Subject: long\n\n" + b"y" * 1000001, b"." * 70000, b"Subject: \xff\xfe\n\n\xff\n", b"A: b\r\n\r\n" + b"\r" * 9999 + b"\n"]
    for i, t in enumerate(texts):
        put(A, "17000000%02d.M1P1.odd" % i, t)
    for rounds in range(2):
        c = login()
        c.pop("LIST")
        sizes = [int(l.split()[1]) for l in c.multi()]
        equal(len(sizes), len(texts))
        for i, size in enumerate(sizes):
            c.write("RETR %d\r\n" % (i + 1))
            equal(c.line(), "+OK %d octets" % size)
            equal(len(text_of(c)), size, "octets of %r" % texts[i][:30])
            c.write("TOP %d 4294967295\r\n" % (i + 1))
            c.line()
            text_of(c)
        c.pop("QUIT")
    s.empty(A)


@case
def numbers_without_holes():
    """A message that cannot be read takes no number: clients ask for 1 to what STAT says (RFC 1939 5)."""
    if not ROOT:
        skip("only root can hide a file from the mailbox's owner and put it back")
    clear()
    for i in range(4):
        put(A, "1700000%03d.M1P1.n" % i, b"Subject: n%d\n\nx\n" % i)
    hidden = os.path.join(s.maildir(A), "new", "1700000000.M1P1.n")
    os.chown(hidden, 0, 0)
    os.chmod(hidden, 0)
    c = login()
    n = int(c.pop("STAT").split()[1])
    equal(n, 3)
    for what in ("LIST", "UIDL"):
        c.pop(what)
        equal([l.split()[0] for l in c.multi()], ["1", "2", "3"])
    for i in (1, 2, 3):
        size = int(c.pop("LIST %d" % i).split()[2])
        c.write("RETR %d\r\n" % i)
        equal(c.line(), "+OK %d octets" % size)
        got = text_of(c)
        check(b"Subject: n%d" % i in got and len(got) == size, got)
    c.pop("RETR 4", "-ERR")
    c.pop("DELE 2")
    c.pop("QUIT")
    equal(sorted(re.findall(r"n\d", slurp(p).decode())[0] for p in s.messages(A)), ["n0", "n1", "n3"])
    s.empty(A)


@case
def only_headers_are_read():
    """What a header becomes in ASCII is found out without reading the text behind it."""
    if not ROOT:
        skip("only root sees what a process read")
    clear()
    put(A, "1700000001.M1P1.long", b"Subject: f\xc3\xbcr\n\n" + b"0123456789abcde\n" * (32 << 16))
    login().close()
    p = until("the session", lambda: [x for x in s.role("pop3d", "session") if A in title(x)])[0]

    def read_so_far():
        return int(re.search(rb"rchar: (\d+)", slurp("/proc/%d/io" % p)).group(1))
    before = read_so_far()
    c = login()
    size = int(c.pop("LIST 1").split()[2])
    check(read_so_far() - before < 1 << 20, "%d bytes were read" % (read_so_far() - before))
    c.write("RETR 1\r\n")
    equal(c.line(), "+OK %d octets" % size)
    equal(len(text_of(c)), size)
    c.pop("QUIT")
    s.empty(A)


@case(root=True)
def full_disk_is_emptied():
    """When there is no room for a byte, what was fetched can still be deleted."""
    user = "full@example.org"
    t = Suite(daemons=("pop3d",), people=dict(PEOPLE, **{user: "{PLAIN}" + PASS}))
    home = os.path.dirname(t.maildir(user))
    os.makedirs(home)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=755", "none", home], stderr=subprocess.DEVNULL).returncode != 0:
        t.close()
        skip("no tmpfs can be mounted here")
    try:
        for n in ("", "cur", "new", "tmp"):
            os.makedirs(os.path.join(t.maildir(user), n), 0o700, exist_ok=True)
        for i in range(40):
            with open(os.path.join(t.maildir(user), "new", "17000000%02d.M1P1.f" % i), "wb") as f:
                f.write(b"Subject: f%d\n\nx\n" % i)
        for d, _, names in os.walk(home):
            for n in [""] + names:
                shutil.chown(os.path.join(d, n), t.owner, t.owner)
        login(user=user, suite=t).pop("QUIT")
        with open(home + "/ballast", "wb", 0) as f, contextlib.suppress(OSError):
            while True:
                f.write(b"x" * 512)
        c = login(user=user, suite=t)
        equal(c.pop("STAT").split()[1], "40")
        for i in range(1, 40):
            c.write("RETR %d\r\n" % i)
            check(c.line().startswith("+OK"), "RETR")
            text_of(c)
            c.pop("DELE %d" % i)
        c.pop("QUIT")
        equal([b"Subject: f39\n" in slurp(p) for p in t.messages(user)], [True])
        check(not os.path.exists(t.maildir(user) + "/postern.expunge"), "the list of what went is left")
    finally:
        t.close()
        subprocess.run(["umount", "-l", home])


@case
def maildir_is_restored():
    """Another Maildir, or none, where the last client's was: his process does not hand out the old one."""
    clear()
    put(A, "1700000001.M1P1.old", b"Subject: old\n\nx\n")
    login().pop("QUIT")
    d = s.maildir(A)
    os.rename(d, d + ".away")
    for n in ("", "cur", "new", "tmp"):
        os.mkdir(os.path.join(d, n), 0o700)
        shutil.chown(os.path.join(d, n), s.owner, s.owner)
    put(A, "1700000002.M1P1.restored", b"Subject: restored\n\nx\n")

    def first():
        with s.pop3() as c:
            c.line()
            c.pop("USER " + A)
            if not c.pop("PASS " + PASS, None).startswith("+OK"):
                return None
            c.pop("TOP 1 0")
            return text_of(c).split(b"\r\n")[0]
    got = first()
    check(got in (None, b"Subject: restored"), got)
    equal(got or first(), b"Subject: restored")
    shutil.rmtree(d)
    login_ok(A)
    check(login_ok(A), "no Maildir is made where one was removed")
    shutil.rmtree(d)
    os.rename(d + ".away", d)
    s.empty(A)
    login_ok(A)


@case
def mime_bombs():
    """Ten thousand parts within each other, a hundred thousand beside each other, and as many parameters."""
    clear()
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (i, i) for i in range(10000))
    put(A, "1700000001.M1P1.deep", deep)
    put(A, "1700000002.M1P1.wide", b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 100000 + b"--b--\n")
    put(A, "1700000003.M1P1.params", b"Content-Type: text/plain" + b"".join(b";\n a*%d*=x" % i for i in range(100000)) + b"\n\nx\n")
    start = time.monotonic()
    c = login()
    for i in (1, 2, 3):
        size = int(c.pop("LIST %d" % i).split()[2])
        c.pop("UIDL %d" % i)
        c.write("TOP %d 5\r\n" % i)
        c.line()
        text_of(c)
        c.write("RETR %d\r\n" % i)
        c.line()
        equal(len(text_of(c)), size)
    took = time.monotonic() - start
    check(took < 30, "%.1f s" % took)
    check(rss() < 100000, "%d kB" % rss())
    c.pop("QUIT")
    s.empty(A)


@case
def everybody_gets_his_own():
    """Logins of three users at once, again and again: nobody sees another's mail."""
    users, wrong = (A, B, C), []
    for u in users:
        clear(u)
        put(u, "1700000001.M1P1.own", b"Subject: own of " + u.encode() + b"\n\nx\n")

    def run(u, port):
        for i in range(15):
            try:
                with s.pop3(port) as c:
                    c.line()
                    c.pop("USER " + u)
                    l = c.pop("PASS " + PASS, None)
                    if "[IN-USE]" in l:
                        continue
                    c.write("RETR 1\r\n")
                    if not c.line().startswith("+OK") or b"own of " + u.encode() not in text_of(c):
                        wrong.append(u)
                    c.pop("QUIT")
            except Exception as e:
                wrong.append("%s: %s" % (u, e))
    threads = [threading.Thread(target=run, args=(u, p)) for u in users for p in ("pop3", "pop3s")]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    check(not wrong, wrong[:3])
    for u in users:
        s.empty(u)


@case
def session_dies():
    """The user's process is killed in the middle: the client is cut off, nothing is deleted, the next login works."""
    clear()
    for i in range(3):
        put(A, "170000000%d.M1P1.k" % i, b"Subject: k\n\nx\n")
    for port in ("pop3", "pop3s"):
        c = login(port)
        c.pop("DELE 1")
        for p in [x for x in s.role("pop3d", "session") if A in title(x)]:
            s.kill(p)
        check(c.closed(5), "still connected")
        until("service", lambda: login_ok(A), 10, 0.1)
        equal(len(s.messages(A)), 3)
    expected.append(r"session\[\d+\] of \S+ was killed by signal 9")
    s.empty(A)


@case
def places_of_an_address():
    """Who is logged in counts, wherever his connection is; his place is free when he goes."""
    t = Suite(daemons=("pop3d",), extra="limit sessions 100 per address 3\n")
    try:
        held = [login("pop3", u, t) for u in (A, B)] + [login("pop3s", C, t)]
        with t.pop3() as c:
            l = c.line()
            check(l is None or l.startswith("-ERR"), "one too many was let in: %r" % l)
        held[0].pop("QUIT")
        until("room again", lambda: login_ok(A, t), 5, 0.1)
        held[1].close()
        until("and again", lambda: login_ok(B, t), 5, 0.1)
        for c in held:
            c.close()
    finally:
        t.close()


@case
def strangers_take_all_places():
    """Who is logged in keeps his place, and a new user gets one."""
    t = Suite(daemons=("pop3d",), extra="limit sessions 30 per address 5\n")
    held = []
    try:
        c, d = login("pop3", A, t), login("pop3s", B, t)
        for i in range(60):
            try:
                held.append(socket.create_connection(("127.0.0.1", t.ports["pop3"]), 5, ("127.0.1.%d" % (i + 1), 0)))
            except OSError:
                pass
        c.pop("NOOP")
        d.pop("NOOP")
        login("pop3", C, t).close()
        c.pop("QUIT")
        d.pop("QUIT")
    finally:
        for h in held:
            h.close()
        t.close()


@case
def timeout_without_a_word():
    """Who does not log in is cut off without a reply, which could be taken for that to a command (RFC 1939 3)."""
    check((idler.line() or "").startswith("+OK"), "no greeting")
    idler.s.settimeout(70)
    l = idler.line()
    check(l is None, l)


@case
def still_the_same_processes():
    bad = [l for l in s.log().splitlines() if re.search(r"killed by signal|exited with status|killing ", l) and
           not any(re.search(e, l) for e in expected)]
    check(not bad, "\n".join(bad))


finish()
