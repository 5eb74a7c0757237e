"""lib - a mail suite in a temporary directory, and small clients for it.

Suite() makes certificates, users, a mail.conf on free loopback ports, starts
smtpd, imapd and pop3d, and takes everything away again.  As root the daemons
change to their real accounts; else everything has one uid.  Needs nothing but
Python's own library and openssl(1).  TOP in the environment names another
built tree.
"""
import atexit, base64, contextlib, crypt, fcntl, glob, hashlib, hmac, os, pwd, random, re, shutil
import select, signal, socket, ssl, subprocess, sys, tempfile, termios, time

TESTS = os.path.dirname(os.path.abspath(__file__))
TOP = os.environ.get("TOP", os.path.dirname(TESTS))
ROOT = os.geteuid() == 0
ME = pwd.getpwuid(os.geteuid()).pw_name
PASS = "correct horse 7"
DAEMONS = ("smtpd", "imapd", "pop3d")
SYSTEM_USERS = ("postern-t1", "postern-t2")
SYSTEM_HOME = "/var/tmp/postern-test-home"
WAIT = float(os.environ.get("TEST_WAIT", "10"))


class Fail(Exception):
    pass


def program(name):
    folder = name.split("-")[0]
    return os.path.join(TOP, folder, name)


def run(*argv, **kw):
    """A program's end as (status, output with errors)."""
    kw.setdefault("timeout", 60)
    kw.setdefault("stdin", None if "input" in kw else subprocess.DEVNULL)
    if "input" in kw:
        del kw["stdin"]
    kw.setdefault("stderr", subprocess.STDOUT)
    p = subprocess.run(argv, stdout=subprocess.PIPE, **kw)
    return p.returncode, p.stdout.decode("utf-8", "replace")


def on_terminal(argv, secs=20, typed=(), **kw):
    """A program on a pseudo terminal until it ends; what it showed.  typed: what to answer when it has shown a text."""
    typed = list(typed)
    p, out, end = None, b"", time.monotonic() + secs
    fd, tty = os.openpty()
    p = subprocess.Popen(argv, stdin=tty, stdout=tty, stderr=tty, start_new_session=True,
                         preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0), **kw)
    os.close(tty)
    while time.monotonic() < end and p.poll() is None:
        if not select.select([fd], [], [], 0.2)[0]:
            continue
        try:
            out += os.read(fd, 65536)
        except OSError:
            break
        if typed and typed[0][0] in out:
            time.sleep(0.2)
            os.write(fd, typed.pop(0)[1])
    if p.poll() is None:
        p.kill()
    p.wait()
    os.close(fd)
    return re.sub(r"\x1b[\[\(][0-9;?]*[A-Za-z]", " ", out.decode("utf-8", "replace"))


def until(what, fn, secs=None, step=0.02):
    """Call fn until it returns something true; that is returned."""
    end = time.monotonic() + (secs or WAIT)
    while True:
        got = fn()
        if got:
            return got
        if time.monotonic() > end:
            raise Fail("not within %g s: %s" % (secs or WAIT, what))
        time.sleep(step)


_taken = set()


def free_port():
    """A port below the range of client ports, so that no client takes it."""
    for i in range(1000):
        p = random.randrange(12000, 30000)
        if p in _taken:
            continue
        with contextlib.closing(socket.socket()) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", p))
            except OSError:
                continue
        _taken.add(p)
        return p
    raise Fail("no free port")


# ------------------------------------------------------------ system users

def make_system_users():
    """Unix accounts for tests; only as root."""
    made = []
    os.makedirs(SYSTEM_HOME, exist_ok=True)
    os.chmod(SYSTEM_HOME, 0o755)
    for name in SYSTEM_USERS:
        try:
            pwd.getpwnam(name)
        except KeyError:
            home = os.path.join(SYSTEM_HOME, name)
            shutil.rmtree(home, ignore_errors=True)
            subprocess.run(["useradd", "-m", "-d", home, "-s", "/bin/sh", "-p",
                            crypt.crypt(PASS, crypt.mksalt(crypt.METHOD_SHA512, rounds=1000)),
                            name], check=True, stderr=subprocess.DEVNULL)
            made.append(name)
        home = pwd.getpwnam(name).pw_dir
        os.makedirs(home, exist_ok=True)
        shutil.chown(home, name, name)
        os.chmod(home, 0o755)
    return made


def users_lock(how):
    """Runs beside each other share the accounts; the last one takes them away."""
    global _users
    if _users is None:
        _users = open("/var/tmp/postern-test.lock", "w")
    try:
        fcntl.flock(_users, how)
        return True
    except BlockingIOError:
        return False


_users = None


def drop_system_users():
    if not users_lock(fcntl.LOCK_EX | fcntl.LOCK_NB):
        return
    for name in SYSTEM_USERS:
        subprocess.run(["userdel", "-r", name], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    shutil.rmtree(SYSTEM_HOME, ignore_errors=True)


_ready = False


def system_ready():
    """Accounts that the daemons and the tests need, once a program."""
    global _ready
    if _ready or not ROOT:
        return
    _ready = True
    users_lock(fcntl.LOCK_SH)
    with open("/var/tmp/postern-test.make", "w") as f:
        fcntl.flock(f, fcntl.LOCK_EX)       # one of those that begin together
        subprocess.run(["sh", os.path.join(TESTS, "users.sh")], check=True,
                       stdout=subprocess.DEVNULL)
        make_system_users()
    if not os.environ.get("KEEP_TEST_USERS"):
        atexit.register(drop_system_users)


# ------------------------------------------------------------ certificates

_certs = None


def certs():
    """A directory with ec and rsa certificates and keys for the test names."""
    global _certs
    if _certs:
        return _certs
    d = tempfile.mkdtemp(prefix="postern-cert.")
    atexit.register(shutil.rmtree, d, ignore_errors=True)
    os.chmod(d, 0o755)
    for name, host, alg in (
            ("ec", "mail.example.org", ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]),
            ("rsa", "rsa.example.org", ["rsa:2048"]),
            ("ec2", "mx.example.net", ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"])):
        subprocess.run(["openssl", "req", "-x509", "-nodes", "-days", "30", "-newkey"] + alg +
                       ["-keyout", "%s/%s.key" % (d, name), "-out", "%s/%s.crt" % (d, name),
                        "-subj", "/CN=" + host, "-addext",
                        "subjectAltName=DNS:%s,IP:127.0.0.1%s" % (
                            host, ",DNS:localhost" if name == "ec" else "")],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.chmod("%s/%s.key" % (d, name), 0o600)
    _certs = d
    return d


# ------------------------------------------------------------ the suite

CONF = """\
hostname "mail.example.org"
origin "example.org"
postmaster "alice@example.org"
spool "{dir}/spool"
state "{dir}/run"
log file "{log}"{json}

tls "mail.example.org" cert "{certs}/ec.crt" key "{certs}/ec.key"
tls "rsa.example.org" cert "{certs}/rsa.crt" key "{certs}/rsa.key"
tls "mx.example.net" cert "{certs}/ec2.crt" key "{certs}/ec2.key"

table people file "{dir}/people"
table aliases file "{dir}/aliases"

auth <people>
{auth_system}
{listen}

domain "example.org" {{
	alias "example.net"
	users <people>
	aliases <aliases>
	deliver maildir "{dir}/mail/%d/%n/Maildir" as {owner}
}}
domain "catch.example" {{
	users <people>
	catchall "info@catch.example"
	deliver maildir "{dir}/mail/%d/%n/Maildir" as {owner}
}}
domain "lt01.am" {{
	users <people>
	deliver maildir "{dir}/mail/%d/%n/Maildir" as {owner}
}}
domain "box.example" {{
	users <people>
	deliver mbox "{dir}/mail/%d/%n.mbox" as {owner}
}}
{system_domain}
{rules}
{routes}
{extra}
"""

SYSTEM_DOMAIN = """
domain {{ "sys.example", "localhost" }} {{
	users system
	aliases <aliases>
	deliver maildir "~/Maildir"
}}
"""

RULES = """\
permit authenticated relay
permit any deliver
"""

PEOPLE = {
    "alice@example.org": "{PLAIN}" + PASS,
    "bob@example.org": "bcrypt",
    "carol@example.org": "sha512",
    "info@catch.example": "{PLAIN}" + PASS,
    "dave@box.example": "{PLAIN}" + PASS,
    "tester@lt01.am": "{PLAIN}" + PASS,
}

ALIASES = """\
# key: value
root: alice@example.org
sales: alice, bob@example.org
chain: sales
outside: far@elsewhere.example
loop1: loop2
loop2: loop1
t1alias: postern-t1
"""


def hash_of(spec):
    if spec == "bcrypt":
        return crypt.crypt(PASS, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16))
    if spec == "sha512":
        return "{CRYPT}" + crypt.crypt(PASS, crypt.mksalt(crypt.METHOD_SHA512, rounds=1000))
    return spec


class Suite:
    def __init__(self, daemons=DAEMONS, rules=RULES, routes="", extra="", people=None,
                 aliases=ALIASES, listen=None, json=False, conf=None, system=True,
                 dir=None, start=True, path=None, log=None):
        system_ready()
        self.daemons, self.conf_text = daemons, conf
        self.keep = os.environ.get("KEEP_TEST_DIR")
        self.dir = dir or tempfile.mkdtemp(prefix="postern-test.")
        os.chmod(self.dir, 0o755)
        self.owner = "vmail" if ROOT else ME
        self.log_path = log or os.path.join(self.dir, "log")
        self.people = dict(PEOPLE if people is None else people)
        self.ports = {}
        self.started = []
        self.pids = {}
        atexit.register(self.close)
        self.mark = 0
        os.makedirs(os.path.join(self.dir, "mail"), exist_ok=True)
        if ROOT:
            shutil.chown(os.path.join(self.dir, "mail"), "vmail", "vmail")
        for p in ("smtp", "submission", "smtps", "imap", "imaps", "pop3", "pop3s"):
            self.ports[p] = free_port()
        if listen is None:
            listen = "".join('listen %s on "127.0.0.1" port %d\n' % x for x in self.ports.items())
            # What a client may do in the clear anywhere is told by its own listener.
            self.ports["relayin"] = free_port()
            listen += 'listen smtp on "127.0.0.1" port %d tag relayin\n' % self.ports["relayin"]
        self.vars = dict(dir=self.dir, log=self.log_path, certs=certs(), owner=self.owner, listen=listen,
                         rules=rules, routes=routes, extra=extra,
                         json=" json" if json else "",
                         auth_system="auth system" if ROOT and system else "",
                         system_domain=SYSTEM_DOMAIN.format() if ROOT and system else "")
        self.write("people", "".join("%s:%s\n" % (u, hash_of(h)) for u, h in self.people.items()), 0o640)
        self.write("aliases", aliases, 0o644)
        if os.path.exists(self.log_path):
            os.unlink(self.log_path)
        self.configure()
        if start:
            self.start()

    # -- files
    def write(self, name, text, mode=0o644):
        p = os.path.join(self.dir, name)
        fd = os.open(p + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "w") as f:
            f.write(text)
        os.chmod(p + ".new", mode)
        os.rename(p + ".new", p)
        return p

    def configure(self, text=None, **over):
        self.vars.update(over)
        t = text or self.conf_text or CONF
        if text is None:
            t = t.format(**self.vars)
        self.conf = self.write("mail.conf", t)
        return self.conf

    # -- processes
    def start(self, *names):
        for d in names or self.daemons:
            # A file: what stays in the background may keep the descriptor.
            err = os.path.join(self.dir, "start.err")
            with open(err, "ab") as f:
                st = subprocess.run([program(d), "-f", self.conf], stdin=subprocess.DEVNULL,
                                    stdout=f, stderr=f, timeout=60).returncode
            if st != 0:
                raise Fail("%s does not start (%d): %s\n%s" % (
                    d, st, slurp(err).decode("utf-8", "replace"), self.log_tail()))
            if d not in self.started:
                self.started.append(d)
            with open("%s/run/%s.pid" % (self.dir, d)) as f:
                self.pids[d] = int(f.read())

    def pid(self, daemon):
        """The parent that we started (its file may be out of reach by now)."""
        return self.pids.get(daemon)

    def children(self, daemon):
        """Every process of a daemon but its parent: {pid: title}."""
        top, out = self.pid(daemon), {}
        for pid, ppid in processes():
            if ppid == top:
                out[pid] = title(pid)
        return out

    def role(self, daemon, name):
        """Pids of one role, by title."""
        return [p for p, t in self.children(daemon).items()
                if re.search(r": %s\b" % re.escape(name), t)]

    def kill(self, pid, sig=signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sig)

    def stop(self, *names):
        for d in names or list(reversed(self.started)):
            pid = self.pid(d)
            if pid is None or d not in self.started:
                continue
            kids = [pid] + list(self.children(d))
            self.kill(pid, signal.SIGTERM)
            try:
                until("%s stops" % d, lambda: not alive(pid), 20)
            except Fail:
                for p in kids:
                    self.kill(p)
                raise Fail("%s did not stop\n%s" % (d, self.log_tail()))
            finally:
                self.started.remove(d)

    def crash(self):
        """kill -9 of everything."""
        for d in list(self.started):
            pid = self.pid(d)
            if pid is None:
                continue
            kids = list(self.children(d))
            self.kill(pid)
            for p in kids:
                self.kill(p)
            until("gone", lambda: not alive(pid) and not any(alive(k) for k in kids), 10)
            self.started.remove(d)

    def reload(self, daemon="smtpd"):
        os.kill(self.pid(daemon), signal.SIGHUP)

    def close(self):
        atexit.unregister(self.close)
        try:
            self.stop()
        except Fail as e:
            print("# %s" % str(e).splitlines()[0], file=sys.stderr)
        finally:
            self.crash()
            if not self.keep:
                shutil.rmtree(self.dir, ignore_errors=True)
                if ROOT:
                    for u in SYSTEM_USERS:
                        shutil.rmtree(os.path.join(SYSTEM_HOME, u, "Maildir"), ignore_errors=True)

    # -- log
    def log(self):
        try:
            with open(self.log_path, errors="replace") as f:
                return f.read()
        except OSError:
            return ""

    def log_mark(self):
        self.mark = len(self.log())

    def log_since(self):
        return self.log()[self.mark:]

    def log_wait(self, pattern, secs=None):
        return until("log line /%s/ in\n%s" % (pattern, self.log_since()[-2000:]),
                     lambda: re.search(pattern, self.log_since()), secs)

    def log_tail(self, n=15):
        return "".join(l + "\n" for l in self.log().splitlines()[-n:])

    # -- mailboxes
    def maildir(self, user):
        if "@" in user:
            n, d = user.split("@")
            return os.path.join(self.dir, "mail", d, n, "Maildir")
        return os.path.join(pwd.getpwnam(user).pw_dir, "Maildir")

    def messages(self, user):
        out = []
        for sub in ("new", "cur"):
            out += sorted(glob.glob(os.path.join(glob.escape(self.maildir(user)), sub, "*")))
        return out

    def empty(self, user):
        for p in self.messages(user):
            os.unlink(p)

    def wait_mail(self, user, text, count=1, secs=None):
        """The files of a user that hold text, when there are count of them."""
        want = text.encode() if isinstance(text, str) else text

        def look():
            got = [p for p in self.messages(user) if want in slurp(p)]
            return got if len(got) >= count else None
        try:
            return until("%d message(s) with %r for %s" % (count, text, user), look, secs)
        except Fail as e:
            raise Fail("%s\n%s" % (e, self.log_tail()))

    # -- clients
    def smtp(self, port="smtp", **kw):
        return Line("127.0.0.1", self.ports[port], tls=port == "smtps", **kw)

    def imap(self, port="imap", **kw):
        return Line("127.0.0.1", self.ports[port], tls=port == "imaps", **kw)

    def pop3(self, port="pop3", **kw):
        return Line("127.0.0.1", self.ports[port], tls=port == "pop3s", **kw)

    def ctl(self, *argv):
        return run(program("mailctl"), "-f", self.conf, *argv)

    def send(self, to, subject="test", body="hello\r\n", sender="x@client.example", port="smtp", helo="client.example"):
        """Hand over one message; the queue id of the reply."""
        c = self.smtp(port)
        c.expect("220")
        c.cmd("EHLO " + helo, "250")
        c.cmd("MAIL FROM:<%s>" % sender, "250")
        for r in [to] if isinstance(to, str) else to:
            c.cmd("RCPT TO:<%s>" % r, "250")
        c.cmd("DATA", "354")
        c.write("From: <%s>\r\nTo: <list@example.org>\r\nSubject: %s\r\n\r\n%s.\r\n" % (
            sender, subject, body))
        r = c.expect("250")
        c.cmd("QUIT", "221")
        c.close()
        return queue_id(r)


def queue_id(reply):
    m = re.match(r"250 2\.0\.0 (\S+) ", reply)
    if not m:
        raise Fail("no queue id in %r" % reply)
    return m.group(1)


def slurp(path):
    try:
        with open(path, "rb") as f:
            return f.read()
    except OSError:
        return b""


def alive(pid):
    """Is there such a process (a zombie is none)?"""
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def processes():
    for d in glob.glob("/proc/[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            with open(d) as f:
                s = f.read()
            yield int(s.split()[0]), int(s.rsplit(")", 1)[1].split()[1])


def title(pid):
    return slurp("/proc/%d/cmdline" % pid).replace(b"\0", b" ").decode("utf-8", "replace").strip()


def status(pid):
    out = {}
    for l in slurp("/proc/%d/status" % pid).decode().splitlines():
        k, v = l.split(":", 1)
        out[k] = v.strip()
    return out


# ------------------------------------------------------------ a line client

def tls_context(**kw):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname = False
    c.verify_mode = ssl.CERT_NONE
    for k, v in kw.items():
        setattr(c, k, v)
    return c


class Line:
    """A connection on which lines go to and fro; nothing is done unasked."""

    def __init__(self, host, port, tls=False, timeout=None, sni="mail.example.org", context=None, source=None):
        self.s = socket.create_connection((host, port), timeout or WAIT, source and (source, 0))
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buf = b""
        self.sni, self.context = sni, context
        if tls:
            self.wrap()

    def wrap(self):
        self.s = (self.context or tls_context()).wrap_socket(self.s, server_hostname=self.sni)

    def write(self, data):
        if isinstance(data, str):
            data = data.encode("utf-8", "surrogateescape")
        self.s.sendall(data)

    def fill(self):
        try:
            d = self.s.recv(65536)
        except (ConnectionResetError, BrokenPipeError, ssl.SSLError):
            d = b""
        self.buf += d
        return len(d)

    def line(self):
        """One line without its end; None at the end of the connection."""
        while b"\n" not in self.buf:
            if not self.fill():
                if self.buf:
                    l, self.buf = self.buf, b""
                    return l.decode("utf-8", "replace")
                return None
        l, self.buf = self.buf.split(b"\n", 1)
        return l.rstrip(b"\r").decode("utf-8", "replace")

    def read(self, n):
        while len(self.buf) < n and self.fill():
            pass
        d, self.buf = self.buf[:n], self.buf[n:]
        return d

    def rest(self, secs=2):
        """What still comes until the other end closes or is silent."""
        self.s.settimeout(secs)
        with contextlib.suppress(socket.timeout, OSError):
            while self.fill():
                pass
        d, self.buf = self.buf, b""
        return d.decode("utf-8", "replace")

    def closed(self, secs=5):
        """Does the other end close?  What it says before is dropped."""
        self.s.settimeout(secs)
        try:
            while self.fill():
                pass
            return True
        except socket.timeout:
            return False
        except OSError:
            return True

    def reply(self):
        """An SMTP reply, all of its lines joined by newlines."""
        out = []
        while True:
            l = self.line()
            if l is None:
                return "\n".join(out) if out else None
            out.append(l)
            if len(l) < 4 or l[3] != "-":
                return "\n".join(out)

    def expect(self, code):
        r = self.reply()
        if r is None or not r.startswith(code):
            raise Fail("wanted %s, got %r" % (code, r))
        return r

    def cmd(self, text, code=None):
        self.write(text + "\r\n" if isinstance(text, str) else text + b"\r\n")
        return self.expect(code) if code else self.reply()

    def hello(self, helo="client.example"):
        self.expect("220")
        return self.cmd("EHLO " + helo, "250")

    def starttls(self):
        self.cmd("STARTTLS", "220")
        self.wrap()
        return self

    def auth(self, user="alice@example.org", password=PASS, code="235"):
        return self.cmd("AUTH PLAIN " + plain(user, password), code)

    # IMAP
    def tagged(self, tag):
        """Lines up to and with that of the tag."""
        out = []
        while True:
            l = self.line()
            if l is None:
                out.append("")
                return out
            out.append(l)
            if l.startswith(tag + " "):
                return out

    def do(self, text, want="OK", tag="t"):
        self.write("%s %s\r\n" % (tag, text))
        out = self.tagged(tag)
        if want and not out[-1].startswith("%s %s" % (tag, want)):
            raise Fail("%s: wanted %s, got %r" % (text[:60], want, out[-3:]))
        return out

    # POP3
    def pop(self, text, want="+OK"):
        self.write(text + "\r\n")
        l = self.line()
        if want and (l is None or not l.startswith(want)):
            raise Fail("%s: wanted %s, got %r" % (text[:60], want, l))
        return l

    def multi(self):
        out = []
        while True:
            l = self.line()
            if l is None or l == ".":
                return out
            out.append(l[1:] if l.startswith(".") else l)

    def close(self):
        with contextlib.suppress(OSError):
            self.s.close()

    def __enter__(self):
        return self

    def __exit__(self, *a):
        self.close()


def plain(user, password, authz=""):
    return base64.b64encode(("%s\0%s\0%s" % (authz, user, password)).encode()).decode()


class Scram:
    """The client's side of SCRAM-SHA-256 (RFC 7677); messages as text."""

    def __init__(self, user, password, gs2="n,,", nonce="rOprNGfwEbeRWgbNEkqO"):
        self.user = user.replace("=", "=3D").replace(",", "=2C")
        self.password, self.gs2, self.nonce = password, gs2, nonce

    def first(self):
        self.bare = "n=%s,r=%s" % (self.user, self.nonce)
        return self.gs2 + self.bare

    def final(self, server, binding=None):
        self.fields = dict(f.split("=", 1) for f in server.split(","))
        salted = hashlib.pbkdf2_hmac("sha256", self.password.encode(), base64.b64decode(self.fields["s"]), int(self.fields["i"]))
        mac = lambda k, t: hmac.new(k, t.encode() if isinstance(t, str) else t, "sha256").digest()
        key = mac(salted, "Client Key")
        bare = "c=%s,r=%s" % (b64(self.gs2) if binding is None else binding, self.fields["r"])
        text = ",".join((self.bare, server, bare))
        sig = mac(hashlib.sha256(key).digest(), text)
        self.want = "v=" + b64(mac(mac(salted, "Server Key"), text))
        return bare + ",p=" + b64(bytes(a ^ b for a, b in zip(key, sig)))


def scram_verifier(password, iterations=15000, salt=b"0123456789abcdef"):
    """What mailctl hash -s SCRAM-SHA-256 prints."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    key = hmac.new(salted, b"Client Key", "sha256").digest()
    return "{SCRAM-SHA-256}%d,%s,%s,%s" % (iterations, b64(salt), b64(hashlib.sha256(key).digest()),
                                           b64(hmac.new(salted, b"Server Key", "sha256").digest()))


def b64(s):
    return base64.b64encode(s.encode() if isinstance(s, str) else s).decode()


# ------------------------------------------------------------ the runner

_cases = []


class Skip(Exception):
    pass


def case(fn=None, root=False, name=None):
    """Mark a function as a case; root: it can only be run by root."""
    def add(f):
        _cases.append((name or f.__name__, f, root))
        return f
    return add(fn) if fn else add


def skip(why):
    raise Skip(why)


def check(cond, why):
    if not cond:
        raise Fail(why)


def equal(got, want, what=""):
    if got != want:
        raise Fail("%sgot %r, want %r" % (what + ": " if what else "", got, want))


def finish():
    """Run every case: one line each; exit 1 if any failed."""
    prog = os.path.splitext(os.path.relpath(os.path.abspath(sys.argv[0]), TESTS))[0]
    only, bad = sys.argv[1:], 0
    for name, fn, root in _cases:
        if only and not any(re.search(o, name) for o in only):
            continue
        full = "%s/%s" % (prog, name)
        try:
            if root and not ROOT:
                skip("only as root")
            fn()
            print("ok " + full, flush=True)
        except Skip as e:
            print("skip %s: %s" % (full, e), flush=True)
        except KeyboardInterrupt:
            raise
        except BaseException as e:
            bad += 1
            text = "%s: %s" % (type(e).__name__, e) if not isinstance(e, Fail) else str(e)
            if os.environ.get("TEST_TRACE"):
                import traceback
                traceback.print_exc()
            first, *more = text.splitlines() or [""]
            print("not ok %s: %s" % (full, first), flush=True)
            for l in more[:40]:
                print("#   " + l, flush=True)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    if sys.argv[1:] == ["users"]:
        make_system_users()
    elif sys.argv[1:] == ["clean"]:
        drop_system_users()
