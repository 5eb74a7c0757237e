"""IMAP's extensions as clients use them: COMPRESS, imaplib, QRESYNC after a break, offlineimap, neomutt, alpine."""
import glob, imaplib, os, re, shutil, sys, zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

A = "alice@example.org"


def login(c):
    c.line()
    c.do('LOGIN %s "%s"' % (A, PASS))
    return c


def append(c, text, flags="", box="INBOX"):
    c.write(("t APPEND %s (%s) {%d+}\r\n" % (box, flags, len(text))).encode() + text + b"\r\n")
    return c.tagged("t")


class Deflated:
    """The connection of c, from here on compressed."""

    def __init__(self, c):
        self.s, self.out, self.inp = c.s, zlib.compressobj(6, zlib.DEFLATED, -15), zlib.decompressobj(-15)
        self.buf, self.wire = b"", 0

    def write(self, data, flush=zlib.Z_SYNC_FLUSH):
        self.s.sendall(self.out.compress(data) + self.out.flush(flush))

    def until(self, tag):
        end = b"\r\n" + tag + b" "
        while end not in b"\r\n" + self.buf or not self.buf.endswith(b"\r\n"):
            d = self.s.recv(65536)
            if not d:
                raise Fail("closed after %r" % self.buf[-200:])
            self.wire += len(d)
            self.buf += self.inp.decompress(d)
        got, self.buf = self.buf, b""
        return got


@case
def compress():
    c = login(s.imap())
    text = b"Subject: compressed\r\n\r\n" + b"the same line again\r\n" * 20000
    append(c, text)
    c.do("COMPRESS DEFLATE")
    z = Deflated(c)
    z.write(b"a COMPRESS DEFLATE\r\nb SELECT INBOX\r\n")
    got = z.until(b"b")
    check(b"a NO [COMPRESSIONACTIVE]" in got and b"b OK" in got, got[-300:])
    z.wire = 0
    z.write(b"c FETCH 1:* BODY.PEEK[]\r\n")
    got = z.until(b"c")
    check(text in got, "the text is not there")
    check(z.wire < len(text) / 20, "%d bytes came for %d" % (z.wire, len(text)))
    # What comes in: in pieces of a byte, and a message.
    data = b"d NOOP\r\n"
    packed = z.out.compress(data) + z.out.flush(zlib.Z_SYNC_FLUSH)
    for i in range(len(packed)):
        c.s.sendall(packed[i:i + 1])
    check(b"d OK" in z.until(b"d"), "bytes one by one")
    z.write(b"e APPEND INBOX {%d+}\r\n" % len(text) + text + b"\r\n")
    check(b"e OK [APPENDUID" in z.until(b"e"), "APPEND")
    z.write(b"f LOGOUT\r\n")
    check(b"* BYE" in z.until(b"f"), "LOGOUT")


@case
def compress_bomb():
    """A gigabyte of zeros in a megabyte; then bytes that are no stream."""
    c = login(s.imap())
    c.do("COMPRESS DEFLATE")
    z = Deflated(c)
    try:
        for _ in range(64):
            z.write(b"\0" * (1 << 24))
        c.rest(3)
    except OSError:
        pass
    c = login(s.imap())
    c.do("COMPRESS DEFLATE")
    c.s.sendall(b"\xff" * 100)
    check(c.closed(5), "garbage is no reason to close?")
    login(s.imap()).do("NOOP")


@case
def binary_append():
    """RFC 3516: what comes as binary is there as it was, and no other literal has a NUL."""
    c = login(s.imap())
    body = b"\x00\x01\n\x02\r\x03\xff\r\n\nend" * 3000
    head = b"MIME-Version: 1.0\r\nContent-Type: a/b\r\nContent-Transfer-Encoding: %s\r\n\r\n"
    c.do("CREATE binary")
    text = head % b"binary" + body
    # Two of one command, and text that comes as one needs no change.
    plain = b"Subject: t\r\n\r\n8 bit \xc3\xa4\r\n"
    c.write(b"t APPEND binary ~{%d+}\r\n" % len(text) + text + b" ~{%d+}\r\n" % len(plain) + plain + b" {%d+}\r\n" % len(plain) + plain + b"\r\n")
    got = c.tagged("t")[-1]
    check(" OK [APPENDUID" in got and got.split("]")[0].endswith(" 1:3"), got)
    c.do("SELECT binary")

    def fetch(n, item):
        c.write("f FETCH %d %s\r\n" % (n, item))
        out = b""
        while b"\r\nf " not in out:
            out += c.s.recv(65536)
        check(b"\r\nf OK" in out, out[-100:])
        return out
    got = fetch(1, "BINARY.PEEK[1]")
    check(b" ~{%d}\r\n%s)" % (len(body), body) in got, got[:200])
    got = fetch(1, "BODY.PEEK[]")
    check(b"Content-Transfer-Encoding: base64\r\n" in got and b"\0" not in got and b"\x80" not in got, got[:300])
    check(b'"base64"' in fetch(1, "BODYSTRUCTURE"), "BODYSTRUCTURE")
    for n in (2, 3):
        check(b"{%d}\r\n%s)" % (len(plain), plain) in fetch(n, "BODY.PEEK[]"), "message %d" % n)
    # Where it cannot be encoded it is not taken.
    signed = b"Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n" + head % b"binary" + body + b"\r\n--b\r\n\r\nx\r\n--b--\r\n"
    for text in (signed, head % b"8bit" + body):
        c.write(b"t APPEND binary ~{%d+}\r\n" % len(text) + text + b"\r\n")
        got = c.tagged("t")[-1]
        check("t NO [UNKNOWN-CTE]" in got, got)
    c.do("STATUS binary (MESSAGES)")
    c.close()


@case
def python_imaplib():
    m = imaplib.IMAP4("127.0.0.1", s.ports["imap"])
    m.login(A, PASS)
    check(m.enable("UTF8=ACCEPT")[0] == "OK", "enable")
    check(m.create('"Entw\u00fcrfe"')[0] == "OK", "create")
    check("Entw\u00fcrfe".encode() in b"".join(m.list()[1]), "list")
    # Its append() writes UTF8's parentheses into the message.
    append(login(s.imap()), "Subject: \u00e4\r\n\r\nx\r\n".encode(), box="Entw&APw-rfe")
    check(m.select('"Entw\u00fcrfe"')[1] == [b"1"], "select")
    equal(m.sort("(DATE)", "UTF-8", "ALL")[1], [b"1"], "sort")
    equal(m.thread("REFERENCES", "UTF-8", "ALL")[1], [b"(1)"], "thread")
    equal(m.uid("SEARCH", "SUBJECT", b'"\xc3\x84"')[1], [b"1"], "search")
    check(b"FETCH" not in m.fetch("1", "(UID MODSEQ PREVIEW EMAILID)")[1][0], "fetch")
    check(m.getquotaroot("INBOX")[0] == "OK", "quota")
    m.logout()


@case
def qresync_after_a_break():
    """What changed while a client was away is told in one SELECT, and no more."""
    c = login(s.imap())
    c.do("CREATE away")
    for i in range(50):
        append(c, b"Subject: %d\r\n\r\nx\r\n" % i, box="away")
    c.do("ENABLE QRESYNC")
    got = "\n".join(c.do("SELECT away"))
    validity, modseq = (int(re.search(w + r" (\d+)", got).group(1)) for w in ("UIDVALIDITY", "HIGHESTMODSEQ"))
    c.do("UNSELECT")
    o = login(s.imap())
    o.do("SELECT away")
    o.do("STORE 3,5 +FLAGS (\\Deleted)")
    o.do("STORE 7 +FLAGS (\\Flagged)")
    o.do("EXPUNGE")
    append(o, b"Subject: new\r\n\r\nx\r\n", box="away")
    got = c.do("SELECT away (QRESYNC (%d %d 1:50))" % (validity, modseq))
    text = "\n".join(got)
    check("* VANISHED (EARLIER) 3,5" in text, text)
    fetched = [l for l in got if " FETCH " in l]
    check(len(fetched) == 1 and "UID 7" in fetched[0] and "\\Flagged" in fetched[0], fetched)
    got = c.do("SELECT away (QRESYNC (%d %d))" % (validity + 1, modseq))
    check("VANISHED" not in "\n".join(got) and "FETCH" not in "\n".join(got), "another validity: nothing is told")


# ------------------------------------------------------------ clients

work = None
ENV = dict(os.environ, TERM="vt100", LC_ALL="C.UTF-8")


def need(prog):
    if not shutil.which(prog):
        skip("no %s here" % prog)


def file_of(name, text):
    p = os.path.join(work, name)
    with open(p, "w") as f:
        f.write(text)
    os.chmod(p, 0o600)
    return p


OFFLINEIMAP = """\
[general]
accounts = a
metadata = {work}/offline
ui = quiet
[Account a]
localrepository = here
remoterepository = there
[Repository here]
type = Maildir
localfolders = {work}/offmail
[Repository there]
type = IMAP
remotehost = 127.0.0.1
remoteport = {port}
remoteuser = {user}
remotepass = {pw}
ssl = no
starttls = no
auth_mechanisms = PLAIN, LOGIN
folderfilter = lambda f: f in ("INBOX", "off")
"""


@case
def offlineimap():
    """Both ways: messages, flags and deletions."""
    need("offlineimap")
    c = login(s.imap())
    c.do("CREATE off")
    for i in range(5):
        append(c, b"Subject: off %d.\r\n\r\nx\r\n" % i, box="off")
    rc = file_of("offlineimaprc", OFFLINEIMAP.format(work=work, port=s.ports["imap"], user=A, pw=PASS))

    def sync():
        st, out = run("offlineimap", "-c", rc, "-o", env=ENV, cwd=work)
        check(st == 0, "status %d\n%s" % (st, out[-1500:]))
    sync()
    here = glob.glob(work + "/offmail/off/*/*")
    equal(len(here), 5, "pulled")
    one = [p for p in here if b"off 0." in slurp(p)][0]
    os.rename(one, "%s/offmail/off/cur/%sF" % (work, os.path.basename(one) if ":2," in one else os.path.basename(one) + ":2,"))
    os.unlink([p for p in here if b"off 1." in slurp(p)][0])
    with open(work + "/offmail/off/new/1234567890.here.local", "w") as f:
        f.write("From: me@example.org\nSubject: made here\n\nx\n")
    c.do("SELECT off")
    c.do("STORE 3 +FLAGS (\\Answered)")
    sync()
    got = "\n".join(c.do("NOOP") + c.do("FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])"))
    check("made here" in got and "off 1." not in got.split("made here")[-1], got)
    equal([n for n in c.do("SEARCH FLAGGED SUBJECT {6+}\r\noff 0.") if "SEARCH" in n][0].split()[2:], ["1"], "the flag")
    check(any("R" in p.rsplit(":2,")[-1] for p in glob.glob(work + "/offmail/off/*/*") if b"off 2." in slurp(p)), "the flag from there")


@case
def neomutt():
    """With a cache, CONDSTORE and QRESYNC: read, flag, leave, come back."""
    need("neomutt")
    c = login(s.imap())
    c.do("CREATE neo")
    for i in range(3):
        append(c, b"From: x@example.org\r\nSubject: neo %d.\r\n\r\nx\r\n" % i, box="neo")
    rc = file_of("neomuttrc", """\
set ssl_starttls=no ssl_force_tls=no
set imap_user="%s" imap_pass="%s" folder="imap://127.0.0.1:%d/" spoolfile="+neo"
set imap_condstore=yes imap_qresync=yes header_cache="%s/neocache"
set sleep_time=0 wait_key=no quit=yes delete=yes move=no timeout=1 mail_check=1
""" % (A, PASS, s.ports["imap"], work))
    os.makedirs(work + "/neocache", exist_ok=True)
    out = on_terminal(["neomutt", "-n", "-F", rc, "-e", 'push "<search>neo 1<enter><flag-message><sync-mailbox><quit>"'], env=ENV, cwd=work)
    c.do("SELECT neo")
    until("flagged", lambda: "2" in [l for l in c.do("SEARCH FLAGGED") if "SEARCH" in l][0].split()[2:], 5)
    c.do("STORE 1 +FLAGS (\\Deleted)")
    c.do("EXPUNGE")
    append(c, b"From: x@example.org\r\nSubject: neo 9.\r\n\r\nx\r\n", box="neo")
    out = on_terminal(["neomutt", "-n", "-F", rc, "-e", 'push "<search>neo 9<enter><delete-message><sync-mailbox><quit>"'], env=ENV, cwd=work)
    until("deleted", lambda: "(MESSAGES 2)" in "".join(c.do("STATUS neo (MESSAGES)")), 5)


@case
def alpine():
    """Opens the folder, sorts it on the server, and leaves."""
    need("alpine")
    c = login(s.imap())
    c.do("CREATE pine")
    for i in range(3):
        append(c, b"From: x@example.org\r\nSubject: pine %d.\r\n\r\nx\r\n" % i, box="pine")
    rc = file_of("pinerc", "user-domain=example.org\ninbox-path={127.0.0.1:%d/novalidate-cert/notls/user=%s}pine\n"
                 "feature-list=quit-without-confirm,quell-user-lookup-in-passwd-file\nsort-key=Subject/Reverse\npersonal-name=A\nlast-version-used=6.26x\n" % (s.ports["imap"], A))
    out = on_terminal(["alpine", "-p", rc, "-i"], 15, [(b"PASSWORD:", PASS.encode() + b"\r"), (b"[Yes]", b"n"),
                                                                (b"pine 0.", b"qy")],
                      env=ENV, cwd=work)
    check("pine 2." in out, out[-1500:])


s = Suite(daemons=["imapd"])
work = os.path.join(s.dir, "client")
os.mkdir(work)
ENV["HOME"] = work
finish()
