"""Real mail servers as sender and as receiver: Postfix and Exim, run privately."""
import email.message, glob, os, pwd, shutil, smtplib, subprocess, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

EXIM = next((p for p in ("/usr/sbin/exim4", "/var/tmp/postern-aside/exim4-daemon-light/usr/sbin/exim4")
             if os.path.exists(p)), None)
ANCHOR = os.path.join(TESTS, "bench", "smtp", "anchor-postfix.sh")

# What servers disagree about: dots, long lines, 8 bits, an empty body, no end.
BODIES = {
    "dots": b".\r\n..\r\n.x\r\n\r\n.\r\n",
    "long": b"x" * 990 + b"\r\n" + b"y" * 997 + b"\r\n",
    "8bit": "gr\u00fc\u00df dich\r\n".encode() * 50,
    "empty": b"",
    "big": (b"0123456789abcdef" * 4 + b"\r\n") * 20000,
}


class Postfix:
    """The private Postfix of the benchmarks, with Debian's values."""
    name = "postfix"

    def __init__(self, ours):
        self.dir = tempfile.mkdtemp(prefix="postern-postfix.", dir="/var/tmp")
        os.chmod(self.dir, 0o755)
        self.port = free_port()
        self.sh("init", str(self.port - 25), "default")
        with open(self.dir + "/etc/transport", "w") as f:
            f.write("example.org smtp:[127.0.0.1]:%d\n" % ours)
        subprocess.run(["postmap", "-c", self.dir + "/etc", "hash:%s/etc/transport" % self.dir], check=True)
        with open(self.dir + "/etc/main.cf", "a") as f:
            f.write("\nsmtp_tls_security_level = may\nminimal_backoff_time = 1s\nqueue_run_delay = 1s\n")
        self.sh("reset")
        self.sh("start")
        atexit.register(self.close)
        until("postfix", lambda: connects(self.port), 20, 0.1)

    def sh(self, what, *argv):
        # A file: what stays in the background keeps the descriptor.
        with open(self.dir + "/out", "ab") as f:
            st = subprocess.run(["sh", ANCHOR, what, self.dir] + list(argv), stdin=subprocess.DEVNULL, stdout=f,
                                stderr=f, timeout=60).returncode
        if st != 0:
            raise Fail("postfix %s: %s" % (what, slurp(self.dir + "/out").decode()[-500:]))

    def rcpt(self, n):
        return "u%d@bench.test" % n

    def route(self):
        return 'relay to "bench.test" via "smtp://127.0.0.1:%d"\n' % self.port

    def messages(self, n):
        return [slurp(p) for p in glob.glob("%s/data/mail/u%d/Maildir/new/*" % (self.dir, n))]

    def close(self):
        atexit.unregister(self.close)
        with contextlib.suppress(Fail):
            self.sh("stop")
        if not os.environ.get('KEEP_TEST_DIR'):
            shutil.rmtree(self.dir, ignore_errors=True)


EXIM_CONF = """\
primary_hostname = exim.test
exim_path = {exim}
keep_environment =
spool_directory = {dir}/spool
log_file_path = {dir}/%slog
pid_file_path = {dir}/pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
tls_advertise_hosts = *
tls_certificate = {dir}/tls.crt
tls_privatekey = {dir}/tls.key
tls_on_connect_ports =
acl_smtp_rcpt = ok
acl_smtp_data = ok
accept_8bitmime = true
dsn_advertise_hosts = *
chunking_advertise_hosts = *
message_size_limit = 50M
never_users =
trusted_users = Debian-exim
begin acl
ok:
  accept
begin routers
far:
  driver = manualroute
  domains = example.org
  route_list = * "127.0.0.1::{ours}"
  transport = out
  self = send
near:
  driver = accept
  domains = exim.test
  local_parts = u1 : u2 : u3
  transport = box
begin transports
out:
  driver = smtp
  allow_localhost
  hosts_require_tls = *
  tls_verify_hosts = :
  tls_try_verify_hosts = :
box:
  driver = appendfile
  maildir_format
  directory = {dir}/mail/$local_part_data
  user = Debian-exim
begin retry
* * F,1h,1s
"""


class Exim:
    name = "exim"

    def __init__(self, ours):
        self.dir = tempfile.mkdtemp(prefix="postern-exim.", dir="/var/tmp")
        try:
            pwd.getpwnam("Debian-exim")
        except KeyError:
            subprocess.run(["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin",
                            "Debian-exim"], check=True, stderr=subprocess.DEVNULL)
        self.port = free_port()
        for kind in ("crt", "key"):
            shutil.copy("%s/ec2.%s" % (certs(), kind), "%s/tls.%s" % (self.dir, kind))
        with open(self.dir + "/conf", "w") as f:
            f.write(EXIM_CONF.format(dir=self.dir, exim=EXIM, port=self.port, ours=ours))
        for p in [self.dir] + glob.glob(self.dir + "/*"):
            shutil.chown(p, "Debian-exim", "Debian-exim")
        shutil.chown(self.dir + "/conf", "root", "root")
        st, out = run(EXIM, "-C", self.dir + "/conf", "-bd", "-q1s")
        if st != 0:
            raise Fail("exim: " + out)
        atexit.register(self.close)
        until("exim", lambda: connects(self.port), 20, 0.1)

    def rcpt(self, n):
        return "u%d@exim.test" % n

    def route(self):
        return 'relay to "exim.test" via "smtp://127.0.0.1:%d"\n' % self.port

    def messages(self, n):
        return [slurp(p) for p in glob.glob("%s/mail/u%d/new/*" % (self.dir, n))]

    def close(self):
        atexit.unregister(self.close)
        pid = slurp(self.dir + "/pid").decode().strip()
        if pid.isdigit():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGTERM)
            until("exim ends", lambda: not alive(int(pid)), 10)
        shutil.rmtree(self.dir, ignore_errors=True)


def connects(port):
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as c:
            return c.recv(3) == b"220"
    except OSError:
        return False


def text(subject, body):
    return (b"From: <x@client.example>\r\nTo: <list@example.org>\r\nMessage-ID: <%d.%s@client.example>\r\n"
            b"Subject: %s\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
            b"Content-Transfer-Encoding: 8bit\r\n\r\n" % (
                time.time_ns(), subject.encode(), subject.encode()) + body)


def same_body(got, want):
    got = got.replace(b"\r\n", b"\n").split(b"\n\n", 1)[1]
    return got == want.replace(b"\r\n", b"\n")


def arrived(look, subject, body):
    def whole():
        return [m for m in look() if b"Subject: " + subject.encode() + b"\n" in m.replace(b"\r\n", b"\n")]
    m = until("%s arrives" % subject, whole, 30, 0.1)
    equal(len(m), 1, subject + ": copies")
    check(same_body(m[0], body), "%s: the body was changed: %r" % (subject, m[0][-200:]))
    return m[0]


class Pair:
    """Our suite and one of them, which know each other."""

    def __init__(self, cls):
        self.s = Suite(start=False)
        self.peer = cls(self.s.ports["smtp"])
        self.s.configure(rules="permit localhost relay\n", routes=self.peer.route() + "queue retry 1s to 2s\n")
        self.s.start()

    def out(self):
        """We send: several messages, several recipients, over STARTTLS."""
        for what, body in BODIES.items():
            sub = "%s to %s" % (what, self.peer.name)
            with smtplib.SMTP("127.0.0.1", self.s.ports["smtp"], timeout=20) as c:
                c.sendmail("x@client.example", [self.peer.rcpt(1), self.peer.rcpt(2)], text(sub, body), ["BODY=8BITMIME"])
            for n in (1, 2):
                m = arrived(lambda n=n: self.peer.messages(n), sub, body)
        check(b"with esmtps" in m.lower(), "no TLS between the two: %r" % m[:600])

    def back(self):
        """They send to us."""
        self.s.empty("alice@example.org")
        for what, body in BODIES.items():
            sub = "%s from %s" % (what, self.peer.name)
            with smtplib.SMTP("127.0.0.1", self.peer.port, timeout=20) as c:
                c.sendmail("x@client.example", ["alice@example.org", "bob@example.org"], text(sub, body), ["BODY=8BITMIME"])
            for user in ("alice@example.org", "bob@example.org"):
                m = arrived(lambda user=user: [slurp(p) for p in self.s.messages(user)], sub, body)
        check(b"with esmtps" in m.lower(), "no TLS between the two: %r" % m[:600])

    def refusals(self):
        """An unknown user is refused while they talk, and comes back as their bounce, not ours."""
        before = self.s.log().count("bounce")
        with smtplib.SMTP("127.0.0.1", self.peer.port, timeout=20) as c:
            c.sendmail(self.peer.rcpt(3), ["nobody@example.org"], text("to nobody", b"x\r\n"))
        m = until("their bounce", lambda: self.peer.messages(3), 30, 0.1)
        check(b"550" in m[0] and b"5.1.1" in m[0], "our reply is not in it: %r" % m[0][-600:])
        equal(self.s.log().count("bounce"), before, "bounces of our own")

    def close(self):
        self.peer.close()
        self.s.close()


def pair(cls):
    p = Pair(cls)
    try:
        p.out()
        p.back()
        p.refusals()
    finally:
        p.close()


DOVECOT = """\
protocols = lmtp
base_dir = {dir}/run
state_dir = {dir}/run
log_path = {dir}/log
ssl = no
hostname = dovecot.test
postmaster_address = postmaster@dovecot.test
mail_location = maildir:{dir}/mail/%n
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid=vmail gid=vmail home={dir}/mail/%n
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {port}
  }}
  unix_listener {dir}/lmtp.sock {{
    mode = 0666
  }}
}}
"""


@case(root=True)
def dovecot_lmtp():
    """Our mail into a Dovecot's mailboxes, over an address and over a socket."""
    if not shutil.which("dovecot") or not os.path.exists("/usr/lib/dovecot/lmtp"):
        skip("no Dovecot with LMTP here")
    d = tempfile.mkdtemp(prefix="postern-dovecot.", dir="/var/tmp")
    os.chmod(d, 0o755)
    os.mkdir(d + "/mail")
    shutil.chown(d + "/mail", "vmail", "vmail")
    port = free_port()
    with open(d + "/conf", "w") as f:
        f.write(DOVECOT.format(dir=d, port=port))
    with open(d + "/out", "ab") as f:
        equal(subprocess.run(["dovecot", "-c", d + "/conf"], stdin=subprocess.DEVNULL, stdout=f, stderr=f).returncode,
              0, slurp(d + "/out"))
    s = None
    try:
        until("dovecot", lambda: connects(port), 20, 0.1)
        s = Suite(daemons=("smtpd",), start=False)
        s.write("people", slurp(s.dir + "/people").decode() + "".join(
            "%s:{PLAIN}x\n" % u for u in ("tina@tcp.test", "uma@unix.test", "udo@unix.test")), 0o640)
        s.configure(extra="".join('domain "%s" {\n\tusers <people>\n\tdeliver lmtp "%s"\n}\n' % x for x in (
            ("tcp.test", "127.0.0.1:%d" % port), ("unix.test", d + "/lmtp.sock"))))
        s.start()
        for what, body in BODIES.items():
            for to in (["tina@tcp.test"], ["uma@unix.test", "udo@unix.test"]):
                sub = "%s to %s" % (what, to[0])
                with smtplib.SMTP("127.0.0.1", s.ports["smtp"], timeout=20) as c:
                    c.sendmail("x@client.example", to, text(sub, body), ["BODY=8BITMIME"])
                for u in to:
                    arrived(lambda u=u: [slurp(p) for p in glob.glob("%s/mail/%s/new/*" % (d, u.split("@")[0]))],
                            sub, body)
    finally:
        if s:
            s.close()
        pid = slurp(d + "/run/master.pid").decode().strip()
        if pid.isdigit():
            os.kill(int(pid), signal.SIGTERM)
        shutil.rmtree(d, ignore_errors=True)


@case(root=True)
def postfix():
    if not shutil.which("postfix"):
        skip("no Postfix here")
    pair(Postfix)


@case(root=True)
def exim():
    if EXIM is None:
        skip("no Exim here")
    pair(Exim)


finish()
