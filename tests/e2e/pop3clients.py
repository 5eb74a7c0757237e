"""Real POP3 clients, in the clear, with STLS and with TLS from the first byte."""
import os, poplib, pty, re, select, shutil, ssl, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

s = Suite(daemons=("smtpd", "pop3d"))
A = "alice@example.org"
home = os.path.join(s.dir, "home")
os.mkdir(home)
CA = certs() + "/ec.crt"
ENV = dict(os.environ, HOME=home, TERM="vt100", LC_ALL="C.UTF-8")
MODES = ("clear", "STLS", "TLS")


def tool(prog, *argv, want=0):
    if not shutil.which(prog):
        skip("no %s here" % prog)
    st, out = run(prog, *argv, env=ENV, cwd=home)
    if st != want:
        raise Fail("%s: status %d\n%s" % (prog, st, out[-1500:]))
    return out


def keep(name, text):
    p = os.path.join(home, name)
    with open(p, "w") as f:
        f.write(text)
    os.chmod(p, 0o600)
    return p


def port(mode):
    return s.ports["pop3s" if mode == "TLS" else "pop3"]


def fill(what, n=3):
    s.empty(A)
    for i in range(n):
        s.send(A, "%s %d." % (what, i), "one\r\n..two\r\n" + "x" * 900 + "\r\n")
    s.wait_mail(A, "Subject: %s " % what, n)


def fetched(mode, text, what, n):
    if isinstance(text, str):
        text = text.encode()
    text = text.replace(b"\r\n", b"\n")
    equal(len(set(re.findall(rb"Subject: %s \d\." % what.encode(), text))), n, "fetched, " + mode)
    check(b"\none\n.two\nxxx" in text, "the text, " + mode)


def gone(mode):
    until("nothing left, " + mode, lambda: not s.messages(A), 5)


@case
def with_curl():
    for mode in MODES:
        fill("curl")
        base = ["-sS", "--cacert", CA, "-u", A + ":" + PASS] + {"STLS": ["--ssl-reqd"]}.get(mode, [])
        base += ["--url", "%s://127.0.0.1:%d/" % ("pop3s" if mode == "TLS" else "pop3", port(mode))]
        equal(len(tool("curl", *base).split()), 6, "LIST")
        texts = [tool("curl", *base[:-1], base[-1] + str(i)) for i in (1, 2, 3)]
        fetched(mode, "".join(texts), "curl", 3)
        for mech in ("PLAIN", "LOGIN"):
            equal(len(tool("curl", *base, "--login-options", "AUTH=" + mech, "-X", "UIDL").split()), 6, mech)
        for i in range(3):
            tool("curl", *base[:-1], base[-1] + "1", "-X", "DELE", "-I")
        gone(mode)


@case
def with_fetchmail():
    for mode in MODES:
        fill("fetchmail")
        got = os.path.join(home, "fetchmail." + mode)
        tls = {"clear": "sslproto ''", "STLS": "sslproto 'tls1.2+' sslcertfile '%s'" % CA,
               "TLS": "ssl sslproto 'auto' sslcertfile '%s'" % CA}[mode]
        rc = 'poll 127.0.0.1 protocol pop3 port %d uidl user "%s" password "%s" %%s %s no sslcertck mda "cat >> %s"\n' % (
            port(mode), A, PASS, tls, got)
        base = ["--nosyslog", "--pidfile", home + "/fm.pid", "-i", home + "/ids." + mode, "-f"]
        tool("fetchmail", *base, keep("fetchmailrc", rc % "keep"))
        fetched(mode, slurp(got), "fetchmail", 3)
        tool("fetchmail", *base, keep("fetchmailrc", rc % "keep"), want=1)     # 1: no new mail
        equal(len(s.messages(A)), 3, "kept")
        tool("fetchmail", *base, keep("fetchmailrc", rc % "fetchall no keep"))
        gone(mode)


@case
def with_getmail():
    """It has no STLS."""
    for mode in ("clear", "TLS"):
        fill("getmail")
        d = os.path.join(home, "getmail." + mode)
        for n in ("", "cur", "new", "tmp", "rc"):
            os.makedirs(os.path.join(d, n))
            shutil.chown(os.path.join(d, n), s.owner)
        text = "[retriever]\ntype = Simple%sRetriever\nserver = 127.0.0.1\nport = %d\nusername = %s\npassword = %s\n" \
               "[destination]\ntype = Maildir\npath = %s/\n%s[options]\nread_all = false\ndelete = %%s\nverbose = 2\n" % (
                   "POP3SSL" if mode == "TLS" else "POP3", port(mode), A, PASS, d,
                   "user = %s\n" % s.owner if ROOT else "")
        rc = keep("getmailrc." + mode, text % "false")
        tool("getmail", "-g", d + "/rc", "-r", rc)

        def there():
            return b"".join(slurp(os.path.join(d, "new", n)) for n in os.listdir(d + "/new"))
        fetched(mode, there(), "getmail", 3)
        equal(len(s.messages(A)), 3, "kept")
        keep("getmailrc." + mode, text % "true")
        tool("getmail", "-g", d + "/rc", "-r", rc)
        equal(len(os.listdir(d + "/new")), 3, "nothing twice")
        gone(mode)


@case
def with_mpop():
    for mode in MODES:
        fill("mpop")
        d = os.path.join(home, "mpop." + mode)
        for n in ("", "cur", "new", "tmp"):
            os.makedirs(os.path.join(d, n))
        base = ["--file=", "--host=127.0.0.1", "--port=%d" % port(mode), "--user=" + A,
                "--passwordeval=echo '%s'" % PASS, "--uidls-file=%s/uidls.%s" % (home, mode), "--delivery=maildir," + d,
                "--auth=plain"]
        if mode == "clear":
            base += ["--tls=off"]
        else:
            base += ["--tls=on", "--tls-trust-file=" + CA, "--tls-starttls=" + ("on" if mode == "STLS" else "off"),
                     "--tls-certcheck=off", "--tls-trust-file="]
        tool("mpop", *base, "--keep=on")
        fetched(mode, b"".join(slurp(os.path.join(d, "new", n)) for n in os.listdir(d + "/new")), "mpop", 3)
        tool("mpop", *base, "--keep=on")
        equal(len(os.listdir(d + "/new")), 3, "nothing twice")
        tool("mpop", *base, "--keep=off", "--only-new=off")
        gone(mode)


def on_terminal(argv, secs=20):
    """A program on a pseudo terminal until it ends; what it showed."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(home)
        os.execvpe(argv[0], argv, ENV)
    out, end, done = b"", time.monotonic() + secs, False
    while not done and time.monotonic() < end:
        if select.select([fd], [], [], 0.2)[0]:
            try:
                out += os.read(fd, 65536)
            except OSError:
                pass
        done = os.waitpid(pid, os.WNOHANG)[0] != 0
    if not done:
        s.kill(pid)
        os.waitpid(pid, 0)
    os.close(fd)
    return out.decode("utf-8", "replace")


@case
def with_mutt():
    if not shutil.which("mutt"):
        skip("no mutt here")
    for mode in MODES:
        fill("mutt")
        box = os.path.join(home, "mutt." + mode)
        spool = "%s://%s@127.0.0.1:%d/" % ("pops" if mode == "TLS" else "pop", A.replace("@", "%40"), port(mode))
        rc = keep("muttrc", 'set ssl_starttls=%s ssl_force_tls=%s certificate_file="%s" ssl_verify_host=no\n'
                  'set pop_pass="%s" spoolfile="%s" folder="%s" confirmappend=no confirmcreate=no delete=yes\n'
                  'set move=no sleep_time=0 wait_key=no quit=yes header_cache="" message_cachedir=""\n' % (
                      "yes" if mode == "STLS" else "no", "no" if mode == "clear" else "yes", CA, PASS, spool, home))
        push = "<tag-pattern>~A<enter><tag-prefix><save-message>%s<enter><sync-mailbox><quit>" % box
        out = on_terminal(["mutt", "-F", rc, "-e", 'push "%s"' % push])
        try:
            fetched(mode, slurp(box), "mutt", 3)
            gone(mode)
        except Fail as e:
            raise Fail("%s\n%s" % (e, re.sub(r"\x1b[\[\(][0-9;?]*[A-Za-z]", " ", out)[-1500:]))


@case
def with_poplib():
    for mode in MODES:
        fill("poplib")
        context = ssl.create_default_context(cafile=CA)
        if mode == "TLS":
            c = poplib.POP3_SSL("127.0.0.1", port(mode), context=context)
        else:
            c = poplib.POP3("127.0.0.1", port(mode))
        if mode == "STLS":
            c.stls(context)
        check("UTF8" in c.capa() and "LANG" in c.capa(), "CAPA")
        c.utf8()
        c.user(A)
        c.pass_(PASS)
        n, size = c.stat()
        equal(sum(int(x.split()[1]) for x in c.list()[1]), size)
        texts = [b"\n".join(c.retr(i + 1)[1]) for i in range(n)]
        fetched(mode, b"\n".join(texts), "poplib", 3)
        equal(len(c.top(1, 1)[1][-1]), 3, "TOP")
        c.dele(1)
        c.rset()
        for i in range(n):
            c.dele(i + 1)
        c.quit()
        gone(mode)


@case
def alpn():
    """The name of the protocol is taken, another one is refused."""
    for name, good in (("pop3", True), ("http/1.1", False), ("imap", False)):
        ctx = tls_context()
        ctx.set_alpn_protocols([name])
        try:
            c = s.pop3("pop3s", context=ctx)
            said = c.line()
        except OSError:
            said = None
        equal(bool(said and said.startswith("+OK")), good, name)


finish()
