"""A thousand odd messages, read from us and from a Dovecot: whatever differs is explained by an RFC, here."""
import atexit, glob, os, random, re, shutil, socket, subprocess, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

N = int(os.environ.get("IMAPDIFF_MESSAGES", "1000"))
A = "alice@example.org"

# ------------------------------------------------------------ odd messages

# Odd, but what RFC 5322, 2045 to 2047, 2231 and 6532 allow: of the rest no RFC says what it is.
WORDS = ["alpha", "Beta", "gamma ray", "caf\xe9", "\u4f60\u597d", "x" * 70, 'a"b', "a\\b", "Re: re: [l] x", "(c)", "semi;colon", "a,b", "J. R. R."]


def encoded(r, w=None):
    w = w or r.choice(WORDS)
    how = r.randrange(3)
    if how == 0 and w.isascii():
        return w.encode()
    if how == 1:
        return b"=?ISO-8859-1?q?" + b"".join(b"=%02X" % c for c in w.encode("latin-1", "replace")) + b"?="
    return b"=?utf-8?B?" + b64(w).encode() + b"?="


def phrase(r):
    w = r.choice(WORDS)
    if w.isascii() and r.random() < .5:
        return b'"' + re.sub(rb'(["\\])', rb"\\\1", w.encode()) + b'"'
    return encoded(r, w) if not w.isascii() else r.choice([b"Al Bo", b"alpha", b"=?utf-8?q?caf=C3=A9?= x"])


def address(r):
    l = r.choice([b"al", b"b.o", b'"q q"', b"x" * 60, b"a+b", b"o'x"])
    d = r.choice([b"example.org", b"[192.0.2.1]", b"a.b.c"])
    a = l + b"@" + d
    return r.choice([a, b"<" + a + b">", phrase(r) + b" <" + a + b">", phrase(r) + b"\n <" + a + b">",
                     a + b" (Al Bo)", b"Group: " + a + b", b@c.d;", b"empty:;", b"Al Bo <@r.example,@s.example:" + a + b">",
                     b'"a" "b" <' + a + b">"])


def addresses(r):
    return r.choice([b", ", b",\n\t", b" , ", b","]).join(address(r) for _ in range(r.randrange(1, 4)))


DATES = [b"Mon, 7 Feb 1994 21:52:25 -0800 (PST)", b"7 Feb 94 21:52 GMT", b"Thu,  1 Jan 1970 00:00:01 +0000", b"1 Jan 2030 12:00:00 +0530",
         b"Fri, 21 Nov 1997 09(comment):55:06 -0600", b"Sat, 29 Feb 2020 23:59:60 +1400"]
TYPES = [b"text/plain", b"text/plain; charset=utf-8", b"TEXT/HTML; charset=\"iso-8859-1\"", b"text/plain; charset=us-ascii; format=flowed",
         b"application/octet-stream; name=\"a b.bin\"", b"image/png; name*=utf-8''%e2%82%ac.png", b"application/x; name*0=\"ab\"; name*1=\"cd\"",
         b"text/plain (comment); charset=utf-8 (c)", b"message/partial; id=x; number=1", b"text/x-y; a=b; c=d", b"application/x; a=\"b\\\"c\"",
         b"text/plain;\n charset=utf-8", b"text/plain ; charset = utf-8", b"message/delivery-status"]
CTE = [b"7bit", b"8bit", b"base64", b"quoted-printable", b"BASE64", b"base64 (c)", b" 7bit "]


def leaf(r):
    h = []
    if r.random() < .9:
        h.append(b"Content-Type: " + r.choice(TYPES))
    if r.random() < .6:
        h.append(b"Content-Transfer-Encoding: " + r.choice(CTE))
    if r.random() < .3:
        h.append(b"Content-Disposition: " + r.choice([b"inline", b"attachment; filename=\"x y\"", b"attachment; filename*=utf-8''%41", b"INLINE; a=b (c)"]))
    for f in (b"Content-ID", b"Content-Description", b"Content-MD5", b"Content-Location"):
        if r.random() < .1:
            h.append(f + b": " + r.choice([b"<x@y>", b"text", b"=?utf-8?q?a?=", b"two\n words"]))
    if r.random() < .1:
        h.append(b"Content-Language: " + r.choice([b"en", b"en, de", b"de-CH-1901"]))
    body = r.choice([b"", b"needle\n", b"no end", b"\n\n", b"a line\n" * r.randrange(1, 9), b"SGVsbG8gbmVlZGxl\n", b"=6Eeedle=\n x\n",
                     b"caf\xc3\xa9\n", b"caf\xe9\n", b"--\n-- \n--x\n", b"From: in@the.body\n\nx\n"])
    return h, body


def entity(r, depth):
    if depth < 4 and r.random() < (.55 if depth == 0 else .3):
        # RFC 2046 5.1.1: no boundary may begin with another's.
        b = r.choice([b"b", b"=_b", b"b b", b"'()+_,-./:=?"]) + b"%d" % depth
        sub = r.choice([b"mixed", b"alternative", b"digest", b"MIXED", b"x-odd", b"signed; micalg=x"])
        body = r.choice([b"", b"preamble\n"])
        for _ in range(r.randrange(1, 4)):
            h, t = entity(r, depth + 1)
            body += b"--" + b + r.choice([b"\n", b" \n"]) + b"".join(x + b"\n" for x in h) + b"\n" + t + r.choice([b"\n", b""])
        body += r.choice([b"--" + b + b"--\n", b"--" + b + b"--\nepilogue\n"])
        return [b"Content-Type: multipart/" + sub + b"; boundary=\"" + b + b"\""], body
    if depth < 4 and r.random() < .12:
        return [b"Content-Type: message/rfc822"], message(r, depth + 1)
    return leaf(r)


# RFC 5256 does not say which of two messages with one Message-ID is meant, nor which link of a loop is left out.
ids = [b"<5@example.org>"]


def earlier(r):
    return r.choice(ids[:-1] or ids) if r.random() < .9 else b"<gone%d@example.org>" % r.randrange(50)


def message(r, depth=0):
    h = []
    for f in (b"From", b"To", b"Cc", b"Bcc", b"Reply-To", b"Sender"):
        if f == b"From" or r.random() < (.9 if f == b"To" else .25):
            h.append(f + b": " + addresses(r))
    if r.random() < .9:
        h.append(b"Subject:" + r.choice([b" ", b"\t", b" \n "]) + encoded(r) + r.choice([b"", b"\n folded", b" "]))
    if True:
        h.append(b"Date: " + r.choice(DATES))
    if r.random() < .9:
        ids.append(b"<%d@example.org>" % len(ids))
        h.append(b"Message-ID: " + ids[-1])
    if r.random() < .4:
        h.append(b"References: " + b" ".join(earlier(r) for _ in range(r.randrange(1, 4))))
    if r.random() < .3:
        h.append(b"In-Reply-To: " + r.choice([earlier(r), b"<5@example.org> (c)"]))
    if r.random() < .1:
        h.append(r.choice([b"X-Long: " + b"y" * 900, b"X-8bit: \xc3\xa4", b"Keywords : x", b"X-Empty: "]))
    h.append(b"MIME-Version: 1.0")
    eh, body = entity(r, depth)
    h += eh
    r.shuffle(h)
    return b"".join(x + b"\n" for x in h) + b"\n" + body


# ------------------------------------------------------------ the other server

CONF = """\
base_dir = {d}/run
state_dir = {d}/state
log_path = {d}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
default_internal_user = {su}
default_login_user = {su}
default_internal_group = {sg}
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:{d}/mail
auth_mechanisms = plain
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
passdb {{
  driver = static
  args = password=x
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={d}
}}
"""


class Dovecot:
    def __init__(self, d, mail):
        self.d = d
        os.makedirs(d + "/run")
        self.port = free_port()
        shutil.copytree(mail, d + "/mail")
        st = os.stat(mail)
        run("chown", "-R", "%d:%d" % (st.st_uid, st.st_gid), d + "/mail")
        os.chmod(d, 0o755)
        with open(d + "/dovecot.conf", "w") as f:
            f.write(CONF.format(d=d, su="dovenull", sg="dovenull", port=self.port, uid=st.st_uid, gid=st.st_gid))
        self.p = subprocess.Popen(["dovecot", "-F", "-c", d + "/dovecot.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until("dovecot listens", lambda: self.up() or self.p.poll() is not None)
        if self.p.poll() is not None:
            raise Fail("dovecot does not start")

    def up(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def stop(self):
        self.p.terminate()
        self.p.wait()


# ------------------------------------------------------------ a client that reads lists

class Client:
    def __init__(self, port, user, password):
        self.f = socket.create_connection(("127.0.0.1", port), 60).makefile("rwb")
        self.f.readline()
        self.n = 0
        self.do('LOGIN "%s" "%s"' % (user, password))

    def response(self):
        """One response with its literals, as bytes and a list of literals."""
        out = []
        while True:
            l = self.f.readline()
            if not l:
                raise Fail("the server closed")
            m = re.search(rb"~?\{(\d+)\}\r\n$", l)
            if not m:
                out.append(l.rstrip(b"\r\n"))
                return out
            out.append(l[:m.start()])
            out.append(("lit", self.f.read(int(m.group(1)))))

    def do(self, cmd):
        self.n += 1
        tag = b"t%d" % self.n
        self.f.write(tag + b" " + cmd.encode() + b"\r\n")
        self.f.flush()
        got = []
        while True:
            r = self.response()
            if r[0].startswith(tag + b" "):
                return got, r[0][len(tag) + 1:]
            got.append(r)


TOKEN = re.compile(rb'\s*(?:(\()|(\))|"((?:[^"\\]|\\.)*)"|((?:[A-Z0-9.]*\[[^\]]*\](?:<\d+>)?)|[^\s()"]+))')


def parse(resp):
    """Nested lists of bytes; None is NIL, strings begin with '='."""
    stack = [[]]
    for piece in resp:
        if isinstance(piece, tuple):
            stack[-1].append(b"=" + piece[1])
            continue
        i = 0
        while i < len(piece):
            m = TOKEN.match(piece, i)
            if not m:
                break
            i = m.end()
            if m.group(1):
                stack.append([])
            elif m.group(2):
                l = stack.pop()
                stack[-1].append(l)
            elif m.group(3) is not None:
                stack[-1].append(b"=" + re.sub(rb"\\(.)", rb"\1", m.group(3)))
            else:
                stack[-1].append(None if m.group(4).upper() == b"NIL" else m.group(4))
    return stack[0]


def fetch(c, seqs, items):
    got, ok = c.do("FETCH %s (%s)" % (seqs, items))
    out = {}
    for r in got:
        p = parse(r)
        if len(p) >= 4 and p[2] == b"FETCH":
            l = p[3]
            out[int(p[1])] = dict(zip(l[::2], l[1::2]))
    return out


# ------------------------------------------------------------ both

def fill():
    """The same files for both, from a fixed seed."""
    r = random.Random(9051)
    for d in ("", "/cur", "/new", "/tmp"):
        os.makedirs(box + d, mode=0o700, exist_ok=True)
        run("chown", "--reference=" + s.dir + "/mail", os.path.dirname(box), box, box + d)
    owner = os.stat(box)
    for i in range(N):
        p = "%s/cur/%d.M%dP1.odd:2,%s" % (box, 1700000000 + i, i, r.choice(["", "S", "F", "RS", "T"]))
        with open(p, "wb") as f:
            f.write(message(r))
        os.utime(p, (1700000000 + 3600 * i, 1700000000 + 3600 * i))
        os.chown(p, owner.st_uid, owner.st_gid)


def apart(x, y):
    """The two where they begin to differ."""
    i = next((i for i, (a, b) in enumerate(zip(x, y)) if a != b), 0)
    return x[max(0, i - 120):i + 120], y[max(0, i - 120):i + 120]


# ------------------------------------------------------------ what may differ

def language(v):
    """RFC 3501 7.4.2: one language is a string or a list of one."""
    if isinstance(v, list):
        if len(v) == 1 and isinstance(v[0], bytes) and v[0] in (b"=en", b"=de-CH-1901"):
            return v[0]
        return [language(x) for x in v]
    return v


def spaces(v):
    """RFC 5322 2.2.3: how much white space unfolding leaves at a fold is not told."""
    if isinstance(v, list):
        return [spaces(x) for x in v]
    return re.sub(rb"[ \t]+", b" ", v) if isinstance(v, bytes) else v


def default_charset(v):
    """RFC 2045 5.2: the default of text/plain may be spelled or not."""
    if not isinstance(v, list):
        return v
    v = [default_charset(x) for x in v]
    for i in range(0, len(v) - 1):
        if v[i] == b"=charset" and v[i + 1] == b"=us-ascii":
            return (v[:i] + v[i + 2:]) or None
    return v


def boundary_line(v):
    """RFC 2046 5.1.1: the line end before a boundary is the boundary's, also behind an inner one and in a message without a body."""
    if isinstance(v, list):
        v = [boundary_line(x) for x in v]
        if v[:2] == [b"=message", b"=rfc822"] and len(v) > 9 and not any(v[7]):
            v[6:10] = [b"a header that has not ended"]
        elif v[:2] == [b"=message", b"=rfc822"] and len(v) > 9:
            v[6] = v[9] = b"with or without its last line end"
    return v


def recent(v):
    """RFC 3501 2.3.2: what is in cur has been seen by some session; Dovecot counts its own."""
    return [x for x in v if x != b"\\Recent"] if isinstance(v, list) else v


def no_part(v):
    """RFC 3501 6.4.5: a part that there is not is NIL or empty."""
    return b"=" if v is None else v


EXPLAINED = [language, spaces, default_charset, boundary_line, recent, no_part]
ITEMS = ["ENVELOPE", "BODYSTRUCTURE", "BODY", "RFC822.SIZE", "INTERNALDATE", "FLAGS", "BODY.PEEK[]", "BODY.PEEK[HEADER]", "BODY.PEEK[TEXT]",
         "BODY.PEEK[1]", "BODY.PEEK[1.MIME]", "BODY.PEEK[2]", "BODY.PEEK[1.1]", "BODY.PEEK[1.2.MIME]", "BODY.PEEK[1.HEADER]",
         "BODY.PEEK[1.TEXT]", "BODY.PEEK[2.1.1]", "BODY.PEEK[HEADER.FIELDS (SUBJECT TO X-8BIT)]", "BODY.PEEK[HEADER.FIELDS.NOT (FROM DATE)]",
         "BODY.PEEK[]<10.20>", "BODY.PEEK[TEXT]<0.7>", "BODY.PEEK[1]<3.9999>", "RFC822.HEADER"]
SEARCHES = ["ALL", "SEEN", "UNSEEN", "FLAGGED", "ANSWERED NOT SEEN", "BODY needle", "TEXT needle", "SUBJECT caf", "SUBJECT \"\"",
            "FROM example.org", "TO q", "CC x", "HEADER X-Empty \"\"", "HEADER Message-ID 7@", "BEFORE 20-Nov-2023", "SINCE 1-Dec-2023",
            "ON 15-Nov-2023", "SENTBEFORE 1-Jan-1995", "SENTON 7-Feb-1994", "SENTSINCE 1-Jan-2000", "LARGER 400", "SMALLER 300",
            "OR FROM al TO b.o", "NOT (SEEN OR FLAGGED SEEN)", "UID 5:20", "3,7:9 SEEN", "BODY hello", "BODY preamble", "TEXT epilogue",
            "TEXT \"a line\"", "BCC org", "KEYWORD x", "UNKEYWORD x", "HEADER Subject \"re: [l]\""]
SORTS = ["ARRIVAL", "DATE", "SIZE", "REVERSE DATE", "FROM", "TO", "CC", "SUBJECT", "SUBJECT DATE", "REVERSE SIZE ARRIVAL"]


def same(ours, theirs):
    for item, x in ours.items():
        y = theirs.get(item)
        # RFC 3501 6.4.5: only a multipart, or a message with one, has parts; Dovecot also answers for others.
        if x is None and re.match(rb"BODY\[[12]\.", item):
            continue
        for f in EXPLAINED:
            if x != y:
                x, y = f(x), f(y)
        # The same as in boundary_line().
        if x != y and not (isinstance(x, bytes) and y == x + b"\r\n"):
            return False
    return sorted(ours) == sorted(theirs)


def compare_items(item):
    bad = []
    for lo in range(1, N + 1, 100):
        x, y = (fetch(c, "%d:%d" % (lo, lo + 99), item) for c in (us, them))
        equal(sorted(x), sorted(y), "messages that answer")
        bad += [(q, x[q], y[q]) for q in sorted(x) if not same(x[q], y[q])]
    if bad:
        raise Fail("%d differ; %d: ours %s, theirs %s" % (len(bad), bad[0][0], *apart(repr(bad[0][1]), repr(bad[0][2]))))


def numbers(c, cmd):
    got, _ = c.do(cmd)
    for r in got:
        if r[0].split()[1] in (b"SEARCH", b"SORT"):
            return [int(n) for n in r[0].split()[2:]]
    raise Fail("no answer to " + cmd)


def in_digest(q):
    """RFC 2046 5.1.5: a digest's part is a message; a line of its header that is no field (RFC 5322 2.2) is not searched."""
    return b"multipart/digest" in slurp(odd[q - 1])


def compare_numbers(cmd):
    x, y = numbers(us, cmd), numbers(them, cmd)
    if " TEXT " in cmd:
        y = [q for q in y if q in x or not in_digest(q)]
    if x != y:
        only = sorted(set(x) ^ set(y))
        i = next((i for i, (a, b) in enumerate(zip(x, y)) if a != b), -1)
        raise Fail("%d and %d; only in one: %s; first at %d: ours %s, theirs %s" % (len(x), len(y), only[:9], i, x[i:i + 5], y[i:i + 5]))


def thread(c, how):
    got, _ = c.do("THREAD %s UTF-8 ALL" % how)
    return got[0][0].decode()[len("* THREAD "):]


@case
def fetch_is_the_same():
    bad = []
    for item in ITEMS:
        try:
            compare_items(item)
        except Fail as e:
            bad.append("%s: %s" % (item, e))
    if bad:
        raise Fail("\n".join(bad))


@case
def search_is_the_same():
    bad = []
    for q in ["SEARCH " + x for x in SEARCHES] + ["UID SEARCH " + x for x in SEARCHES[:5]] + ["SORT (%s) UTF-8 ALL" % x for x in SORTS]:
        try:
            compare_numbers(q)
        except Fail as e:
            bad.append("%s: %s" % (q, e))
    if bad:
        raise Fail("\n".join(bad))


@case
def thread_is_the_same():
    for how in ("REFERENCES", "ORDEREDSUBJECT"):
        equal(thread(us, how), thread(them, how), how)


if not ROOT or not shutil.which("dovecot"):
    print("skip e2e/imapdiff: needs root and Debian's dovecot-imapd")
    sys.exit(0)
s = Suite(daemons=["imapd"])
box = s.maildir(A)
fill()
odd = sorted(glob.glob(box + "/cur/*"), key=lambda p: int(os.path.basename(p).split(".")[0]))
other = os.path.join(s.dir, "dovecot")
os.mkdir(other, 0o755)
dovecot = Dovecot(other, box)
atexit.register(dovecot.stop)
us, them = Client(s.ports["imap"], A, PASS), Client(dovecot.port, "x", "x")
us.do("SELECT INBOX")
them.do("SELECT INBOX")
finish()
