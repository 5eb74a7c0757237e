"""Real clients: curl, swaks, mutt, mbsync, fetchmail, and Python's own."""
import email.message, glob, imaplib, os, poplib, re, shutil, smtplib, ssl, sys, tempfile, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

s = Suite()
A, B = "alice@example.org", "bob@example.org"
work = os.path.join(s.dir, "client")
os.mkdir(work)
CA = certs() + "/ec.crt"
ENV = dict(os.environ, HOME=work, TERM="vt100", LC_ALL="C.UTF-8")


def need(prog):
    if not shutil.which(prog):
        skip("no %s here" % prog)


def client(*argv, want=0, **kw):
    st, out = run(*argv, env=ENV, cwd=work, **kw)
    if want is not None and st != want:
        raise Fail("%s: status %d\n%s" % (argv[0], st, out[-1500:]))
    return out


def url(proto, path="", user=A):
    return "%s://127.0.0.1:%d/%s" % (proto, s.ports[proto], path)


def message(subject, body="hello from a client\n"):
    m = email.message.EmailMessage()
    m["From"], m["To"], m["Subject"] = A, B, subject
    m.set_content(body)
    m.add_attachment(b"\0\1\2\xff" * 5000, maintype="application", subtype="octet-stream", filename="x.bin")
    return m


def file_of(name, text):
    p = os.path.join(work, name)
    with open(p, "w") as f:
        f.write(text)
    os.chmod(p, 0o600)
    return p


# ------------------------------------------------------------ curl

@case
def curl_smtp():
    need("curl")
    p = file_of("m.eml", message("curl smtp").as_string())
    client("curl", "-sS", "--url", "smtp://127.0.0.1:%d/client.example" % s.ports["smtp"], "--mail-from", "x@client.example",
           "--mail-rcpt", B, "-T", p)
    client("curl", "-sS", "--url", "smtp://127.0.0.1:%d/client.example" % s.ports["submission"], "--ssl-reqd",
           "--cacert", CA, "-u", A + ":" + PASS, "--mail-from", A, "--mail-rcpt", B, "-T", p)
    client("curl", "-sS", "--url", "smtps://127.0.0.1:%d/client.example" % s.ports["smtps"], "--cacert", CA,
           "-u", A + ":" + PASS, "--mail-from", A, "--mail-rcpt", B, "-T", p)
    s.wait_mail(B, "Subject: curl smtp", 3)
    client("curl", "-sS", "--url", "smtps://127.0.0.1:%d/x" % s.ports["smtps"], "--cacert", CA,
           "-u", A + ":wrong", "--mail-from", A, "--mail-rcpt", B, "-T", p, want=67)


@case
def curl_imap():
    need("curl")
    s.send(A, "curl imap")
    s.wait_mail(A, "Subject: curl imap")
    for proto, opts in (("imap", ["--ssl-reqd"]), ("imaps", [])):
        base = ["curl", "-sS", "--cacert", CA, "-u", A + ":" + PASS] + opts
        check("INBOX" in client(*base, "--url", url(proto)), "LIST")
        check("EXISTS" in client(*base, "--url", url(proto), "-X", "EXAMINE INBOX"), "EXAMINE")
        out = client(*base, "--url", url(proto, "INBOX?SUBJECT%20curl"))
        n = re.search(r"SEARCH (\d+)", out)
        check(n, "SEARCH: %r" % out)
        check("Subject: curl imap" in client(*base, "--url", url(proto, "INBOX;MAILINDEX=%s" % n.group(1))), "FETCH")
        client(*base, "--url", url(proto, "INBOX"), "-T", file_of("a.eml", "Subject: appended by curl\r\n\r\nx\r\n"))
        client(*base, "--url", url(proto, "INBOX"), "-X", "STORE %s +FLAGS \\Flagged" % n.group(1))
    s.wait_mail(A, "appended by curl", 2)


@case
def curl_pop3():
    need("curl")
    s.send(A, "curl pop3")
    s.wait_mail(A, "Subject: curl pop3")
    for proto, opts in (("pop3", ["--ssl-reqd"]), ("pop3s", [])):
        base = ["curl", "-sS", "--cacert", CA, "-u", A + ":" + PASS] + opts
        l = client(*base, "--url", url(proto)).split("\n")
        n = len([x for x in l if x.strip()])
        check(n >= 1, "LIST: %r" % l)
        texts = [client(*base, "--url", url(proto, str(i + 1))) for i in range(n)]
        check(any("Subject: curl pop3" in t for t in texts), "RETR")
        client(*base, "--url", url(proto), "-X", "UIDL")
    client("curl", "-sS", "--cacert", CA, "-u", A + ":" + PASS, "--url", url("pop3s", "1"), "-X", "DELE", "-I")


# ------------------------------------------------------------ swaks

@case
def swaks():
    need("swaks")
    base = ["swaks", "--from", A, "--to", B, "--server", "127.0.0.1", "--helo", "swaks.example"]
    client(*base, "--port", str(s.ports["smtp"]), "--h-Subject", "swaks plain")
    for mech in ("PLAIN", "LOGIN"):
        client(*base, "--port", str(s.ports["submission"]), "--tls", "--auth", mech, "--auth-user", A,
               "--auth-password", PASS, "--h-Subject", "swaks %s." % mech)
        s.wait_mail(B, "swaks %s." % mech)
    client(*base, "--port", str(s.ports["smtps"]), "--tls-on-connect", "--auth", "PLAIN", "--auth-user", A,
           "--auth-password", PASS, "--h-Subject", "swaks smtps")
    s.wait_mail(B, "swaks smtps")
    s.wait_mail(B, "swaks plain")
    out = client(*base, "--port", str(s.ports["submission"]), "--tls", "--auth", "PLAIN", "--auth-user", A,
                 "--auth-password", "wrong", want=28)
    check("535" in out, out[-300:])
    client("swaks", "--pipeline", "--from", A, "--to", B + "," + A, "--server", "127.0.0.1", "--port",
           str(s.ports["smtp"]), "--h-Subject", "swaks pipeline", "--attach", "@" + CA)
    s.wait_mail(A, "swaks pipeline")
    client("swaks", "--from", A, "--to", "nobody@example.org", "--server", "127.0.0.1", "--port",
           str(s.ports["smtp"]), want=24)


# ------------------------------------------------------------ mutt

MUTTRC = """\
set ssl_starttls=yes ssl_force_tls=yes
set certificate_file="{ca}"
set ssl_verify_host=no
set from="{user}" realname="Alice" hostname="example.org"
set smtp_url="{smtp}"
set smtp_pass="{pw}"
set imap_user="{user}" imap_pass="{pw}"
set folder="{imap}" spoolfile="{imap}INBOX"
set record="" postponed="" copy=no confirmappend=no confirmcreate=no delete=yes move=no
set mail_check=1 sleep_time=0 wait_key=no timeout=1 header_cache="" message_cachedir=""
set use_from=yes quit=yes
"""


def muttrc(smtp, imap):
    return file_of("muttrc", MUTTRC.format(ca=CA, user=A, pw=PASS, smtp=smtp, imap=imap))


@case
def mutt_sends():
    need("mutt")
    user = A.replace("@", "%40")
    for name, u in (("smtp", "smtp://%s@127.0.0.1:%d/" % (user, s.ports["submission"])),
                    ("smtps", "smtps://%s@127.0.0.1:%d/" % (user, s.ports["smtps"]))):
        rc = muttrc(u, url("imaps"))
        client("mutt", "-F", rc, "-s", "mutt by " + name, "-a", CA, "--", B, input=b"hello from mutt\n")
        t = slurp(s.wait_mail(B, "mutt by " + name)[0])
        check(b"hello from mutt" in t and b"BEGIN CERTIFICATE" in t or b"multipart/mixed" in t, "the message")


@case
def mutt_reads():
    """Open the INBOX, read, flag, move to a folder, delete."""
    need("mutt")
    c = s.imap()
    c.line()
    c.do('LOGIN %s "%s"' % (A, PASS))
    c.do("CREATE muttbox")
    s.empty(A)
    for i in (1, 2, 3):
        s.send(A, "for mutt %d" % i)
        s.wait_mail(A, "Subject: for mutt %d" % i)
    rc = muttrc("", url("imaps"))
    push = "<search>for mutt 1<enter><flag-message>" \
           "<first-entry><search>for mutt 2<enter><save-message>=muttbox<enter>" \
           "<first-entry><search>for mutt 3<enter><delete-message><sync-mailbox><quit>"
    out = on_terminal(["mutt", "-F", rc, "-e", 'push "%s"' % push], env=ENV, cwd=work)
    c.do("SELECT INBOX")

    def state():
        c.do("NOOP")
        left = [p for p in s.messages(A)]
        return len(left) == 1 and b"for mutt 1" in slurp(left[0]) and left[0].rsplit(":2,")[-1].count("F")
    try:
        until("flagged, moved, deleted", state, 5)
    except Fail as e:
        raise Fail("%s: %s\n%s" % (e, s.messages(A), out[-1500:]))
    check("(MESSAGES 1)" in "".join(c.do("STATUS muttbox (MESSAGES)")), "not in muttbox")


# ------------------------------------------------------------ mbsync

MBSYNC = """\
IMAPAccount test
Host localhost
Port {port}
User {user}
Pass "{pw}"
SSLType {ssl}
CertificateFile {ca}

IMAPStore remote
Account test

MaildirStore local
Path {work}/local/
Inbox {work}/local/INBOX
SubFolders Verbatim

Channel test
Far :remote:
Near :local:
Patterns *
Create Both
Expunge Both
SyncState *
"""


@case
def mbsync():
    """Both ways: what is here goes there, flags and deletions too."""
    need("mbsync")
    s.empty(A)
    for i in range(5):
        s.send(A, "sync %d." % i)
        s.wait_mail(A, "Subject: sync %d." % i)
    os.makedirs(work + "/local", exist_ok=True)
    for ssl_type, proto in (("STARTTLS", "imap"), ("IMAPS", "imaps")):
        rc = file_of("mbsyncrc", MBSYNC.format(port=s.ports[proto], user=A, pw=PASS, ssl=ssl_type, ca=CA, work=work))
        out = client("mbsync", "-c", rc, "-a")
    inbox = work + "/local/INBOX"
    got = glob.glob(inbox + "/new/*") + glob.glob(inbox + "/cur/*")
    check(sum(b"Subject: sync" in slurp(p) for p in got) == 5, "pulled %d\n%s" % (len(got), out))
    # here: flag one, delete one, add one
    one = [p for p in got if b"sync 0." in slurp(p)][0]
    base = os.path.basename(one).split(":")[0]
    os.rename(one, "%s/cur/%s:2,FS" % (inbox, base))
    os.unlink([p for p in got if b"sync 1." in slurp(p)][0])
    with open(inbox + "/new/1234567890.local.here", "w") as f:
        f.write("From: me@example.org\nSubject: made here\n\nx\n")
    out = client("mbsync", "-c", rc, "-a")
    until("changes on the server", lambda: [p for p in s.messages(A) if b"made here" in slurp(p)] and
          not [p for p in s.messages(A) if b"sync 1." in slurp(p)] and
          [p for p in s.messages(A) if b"sync 0." in slurp(p) and "F" in p.rsplit(":2,")[-1]], 5)
    # there: one more, one read, one folder
    c = s.imap()
    c.line()
    c.do('LOGIN %s "%s"' % (A, PASS))
    c.do("CREATE fromserver")
    c.do("SELECT INBOX")
    n = c.do('SEARCH SUBJECT "sync 2."')[0].split()[2]
    c.do("COPY %s fromserver" % n)
    c.do("STORE %s +FLAGS (\\Seen \\Answered)" % n)
    s.send(A, "sync 9.")
    s.wait_mail(A, "sync 9.")
    client("mbsync", "-c", rc, "-a")
    here = glob.glob(inbox + "/new/*") + glob.glob(inbox + "/cur/*")
    check([p for p in here if b"sync 9." in slurp(p)], "the new one did not come")
    check([p for p in here if b"sync 2." in slurp(p) and "R" in p.rsplit(":2,")[-1]], "the flag did not come")
    check(glob.glob(work + "/local/fromserver/*/*"), "the folder did not come")
    before = sorted(here)
    out = client("mbsync", "-c", rc, "-a")
    equal(sorted(glob.glob(inbox + "/new/*") + glob.glob(inbox + "/cur/*")), before, "a sync of nothing changed something")


# ------------------------------------------------------------ fetchmail

@case
def fetchmail():
    """POP3 and IMAP, keeping and not."""
    need("fetchmail")
    for proto in ("pop3", "imap"):
        s.empty(B)
        for i in range(3):
            s.send(B, "fetch %s %d." % (proto, i))
            s.wait_mail(B, "fetch %s %d." % (proto, i))
        got = os.path.join(work, "got." + proto)
        opts = "ssl sslproto 'auto' sslcertfile '%s' no sslcertck" % CA
        rc = 'poll 127.0.0.1 protocol %s port %d user "%s" password "%s" %%s %s mda "cat >> %s"\n' % (
            proto, s.ports[proto + "s"], B, PASS, opts, got)
        base = ["fetchmail", "--nosyslog", "-v", "--pidfile", work + "/fm.pid", "-i", work + "/fetchids." + proto]
        client(*base, "-f", file_of("fetchmailrc", rc % "keep"))
        equal(slurp(got).count(b"Subject: fetch"), 3, "fetched, %s keep" % proto)
        equal(len(s.messages(B)), 3, "kept")
        client(*base, "-f", file_of("fetchmailrc", rc % "fetchall no keep"))
        until("nothing kept", lambda: not s.messages(B), 5)
        equal(slurp(got).count(b"Subject: fetch"), 6, "fetched, %s no keep" % proto)


@case
def fetchmail_starttls():
    need("fetchmail")
    for proto in ("pop3", "imap"):
        s.empty(B)
        s.send(B, "fetch tls " + proto)
        s.wait_mail(B, "fetch tls " + proto)
        got = os.path.join(work, "got2." + proto)
        rc = file_of("fetchmailrc", 'poll 127.0.0.1 protocol %s port %d user "%s" password "%s" no keep fetchall '
                     "sslproto 'tls1.2+' sslcertfile '%s' no sslcertck mda \"cat >> %s\"\n" % (
                         proto, s.ports[proto], B, PASS, CA, got))
        client("fetchmail", "--nosyslog", "--pidfile", work + "/fm.pid", "-i", work + "/ids2", "-f", rc)
        check(b"fetch tls " + proto.encode() in slurp(got), "not fetched")


# ------------------------------------------------------------ Python

def context():
    c = ssl.create_default_context(cafile=CA)
    return c


@case
def python_smtplib():
    m = message("by smtplib")
    with smtplib.SMTP("127.0.0.1", s.ports["submission"]) as c:
        c.starttls(context=context())
        c.login(A, PASS)
        c.send_message(m)
        c.send_message(m)
    with smtplib.SMTP_SSL("127.0.0.1", s.ports["smtps"], context=context()) as c:
        c.login(A, PASS)
        equal(c.send_message(m, to_addrs=[B, "nobody@example.org"])["nobody@example.org"][0], 550)
    s.wait_mail(B, "by smtplib", 3)
    with smtplib.SMTP("127.0.0.1", s.ports["smtp"]) as c:
        c.ehlo()
        equal(c.verify(B)[0], 252)
        equal(c.noop()[0], 250)
        try:
            c.sendmail("x@client.example", ["x@elsewhere.example"], b"x")
            raise Fail("relayed")
        except smtplib.SMTPRecipientsRefused:
            pass


@case
def python_imaplib():
    s.empty(A)
    s.send(A, "for imaplib")
    s.wait_mail(A, "for imaplib")
    for make in (lambda: imaplib.IMAP4("127.0.0.1", s.ports["imap"]),
                 lambda: imaplib.IMAP4_SSL("127.0.0.1", s.ports["imaps"], ssl_context=context())):
        c = make()
        if not isinstance(c, imaplib.IMAP4_SSL):
            c.starttls(context())
        c.login(A, PASS)
        typ, n = c.select()
        equal(typ, "OK")
        typ, d = c.search(None, "SUBJECT", '"for imaplib"')
        num = d[0].split()[0]
        typ, d = c.fetch(num, "(FLAGS BODY.PEEK[])")
        check(b"Subject: for imaplib" in d[0][1], d)
        c.store(num, "+FLAGS", "\\Flagged")
        c.create("plib")
        c.append("plib", "(\\Seen)", imaplib.Time2Internaldate(time.time()), b"Subject: put\r\n\r\nx\r\n")
        c.copy(num, "plib")
        typ, d = c.status("plib", "(MESSAGES UIDNEXT)")
        check(b"MESSAGES 2" in d[0], d)
        typ, d = c.list()
        check(any(b"plib" in l for l in d), d)
        c.uid("FETCH", "1:*", "(UID FLAGS)")
        equal(c.delete("plib")[0], "OK")
        c.close()
        equal(c.logout()[0], "BYE")
    c = imaplib.IMAP4("127.0.0.1", s.ports["imap"])
    try:
        c.login(A, "wrong")
        raise Fail("logged in")
    except imaplib.IMAP4.error:
        pass


@case
def python_poplib():
    s.empty(A)
    for i in range(3):
        s.send(A, "for poplib %d" % i)
        s.wait_mail(A, "for poplib %d" % i)
    c = poplib.POP3_SSL("127.0.0.1", s.ports["pop3s"], context=context())
    c.user(A)
    c.pass_(PASS)
    equal(c.stat()[0], 3)
    equal(len(c.list()[1]), 3)
    equal(len(c.uidl()[1]), 3)
    check(b"Subject: for poplib 0" in c.retr(1)[1], "RETR")
    check(c.top(1, 0)[1], "TOP")
    c.dele(1)
    c.quit()
    until("two left", lambda: len(s.messages(A)) == 2)
    c = poplib.POP3("127.0.0.1", s.ports["pop3"])
    check("UIDL" in c.capa(), c.capa())
    c.stls(context())
    c.user(A)
    c.pass_(PASS)
    equal(c.stat()[0], 2)
    c.quit()
    c = poplib.POP3("127.0.0.1", s.ports["pop3"])
    c.user(A)
    try:
        c.pass_("wrong")
        raise Fail("logged in")
    except poplib.error_proto:
        pass


@case(root=True)
def unix_account():
    """System users log in with their Unix password and read their own Maildir."""
    u = "postern-t1"
    s.send(u + "@sys.example", "unix login")
    s.wait_mail(u, "unix login")
    c = imaplib.IMAP4_SSL("127.0.0.1", s.ports["imaps"], ssl_context=context())
    c.login(u, PASS)
    equal(c.select()[0], "OK")
    check(c.search(None, "SUBJECT", '"unix login"')[1][0], "not found")
    p = [p for p in s.role("imapd", "session") if u in title(p)]
    import pwd
    equal(status(p[0])["Uid"].split()[0], str(pwd.getpwnam(u).pw_uid), "uid of the session")
    c.logout()
    c = poplib.POP3_SSL("127.0.0.1", s.ports["pop3s"], context=context())
    c.user(u)
    c.pass_(PASS)
    check(c.stat()[0] >= 1, "STAT")
    c.quit()
    with smtplib.SMTP_SSL("127.0.0.1", s.ports["smtps"], context=context()) as c:
        c.login(u, PASS)


@case
def still_the_same_processes():
    text = s.log()
    check(not re.search(r"killed by signal|exited with status|killing ", text),
          "\n".join(l for l in text.splitlines() if re.search(r"signal|exited|killing", l)))


finish()
