"""TLS: versions, key types, names, tickets; and what is no TLS."""
import os, re, socket, ssl, subprocess, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

s = Suite()
V = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def context(version):
    c = tls_context()
    c.minimum_version = c.maximum_version = V[version]
    return c


def subject(der):
    p = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-subject", "-text"], input=der,
                       stdout=subprocess.PIPE)
    return p.stdout.decode()


@case
def versions_keys_names():
    """TLS 1.2 and 1.3 with ECDSA and RSA, chosen by name, on each TLS socket."""
    for port in ("smtps", "imaps", "pop3s"):
        for version in V:
            for sni, name, alg in (("mail.example.org", "mail.example.org", "id-ecPublicKey"),
                                   ("rsa.example.org", "rsa.example.org", "rsaEncryption"),
                                   ("mx.example.net", "mx.example.net", "id-ecPublicKey"),
                                   ("unknown.example", "mail.example.org", "id-ecPublicKey"),
                                   (None, "mail.example.org", "id-ecPublicKey")):
                c = Line("127.0.0.1", s.ports[port])
                c.s = context(version).wrap_socket(c.s, server_hostname=sni)
                equal(c.s.version(), "TLSv" + version)
                text = subject(c.s.getpeercert(True))
                check("CN = " + name in text and alg in text, "%s %s %s: %s" % (port, version, sni, text[:60]))
                check(c.line() is not None, "no greeting")
                c.close()


@case
def starttls_versions():
    for version in V:
        for sni in ("mail.example.org", "rsa.example.org"):
            c = s.smtp(sni=sni, context=context(version))
            c.hello()
            c.starttls()
            c.cmd("EHLO x", "250")
            c = s.imap(sni=sni, context=context(version))
            c.line()
            c.do("STARTTLS")
            c.wrap()
            c.do("NOOP")
            c = s.pop3(sni=sni, context=context(version))
            c.line()
            c.pop("STLS")
            c.wrap()
            c.pop("CAPA")


@case
def old_versions():
    """TLS 1.1 and below are refused, and so are weak ciphers."""
    for opts in (["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], ["-tls1", "-cipher", "ALL:@SECLEVEL=0"],
                 ["-tls1_2", "-cipher", "RC4:3DES:NULL:EXPORT:aNULL:@SECLEVEL=0"]):
        st, out = run("openssl", "s_client", "-connect", "127.0.0.1:%d" % s.ports["imaps"], *opts, input=b"")
        check("Cipher is (NONE)" in out or "no protocols available" in out or "no cipher" in out or
              "alert" in out, "%s: %s" % (opts, out[-400:]))
        check("* OK" not in out, "a greeting with " + opts[0])


@case
def resumption():
    """A session ticket is taken back, on the same and on another connection."""
    for version in V:
        ctx = context(version)
        sess, reused = None, []
        for i in range(4):
            raw = socket.create_connection(("127.0.0.1", s.ports["imaps"]), 5)
            c = ctx.wrap_socket(raw, server_hostname="mail.example.org", session=sess)
            c.recv(500)
            c.sendall(b"a NOOP\r\n")
            c.recv(500)
            reused.append(c.session_reused)
            sess = c.session
            c.close()
        check(any(reused[1:]), "TLS %s: never resumed" % version)


@case
def clear_bytes_on_a_tls_port():
    for port in ("smtps", "imaps", "pop3s"):
        c = Line("127.0.0.1", s.ports[port])
        c.write("EHLO x\r\nQUIT\r\n")
        r = c.rest(2)
        check("220" not in r and "OK" not in r, "%s answered: %r" % (port, r))
        c.close()


@case
def handshakes_that_stop():
    """Half a handshake, garbage, a close: others go on."""
    held = []
    for i in range(40):
        c = Line("127.0.0.1", s.ports["imaps"])
        c.write([b"\x16\x03\x01\x02\x00\x01", b"\x16\x03\x01\xff\xff" + b"x" * 1000, b"", b"\x80\x2e\x01"][i % 4])
        (held.append if i % 2 else lambda x: x.close())(c)
    c = s.imap("imaps")
    check(c.line().startswith("* OK"), "no greeting")
    for c in held:
        c.close()


@case
def close_notify_in_the_middle():
    """TLS ends in the middle of DATA, AUTH, a literal; then clear bytes."""
    for proto, before in (("smtps", ["EHLO x", "AUTH LOGIN"]), ("smtps", ["EHLO x", "AUTH PLAIN " + plain("alice@example.org", PASS),
                          "MAIL FROM:<alice@example.org>", "RCPT TO:<alice@example.org>", "DATA"]), ("imaps", ["a LOGIN {5}"])):
        c = Line("127.0.0.1", s.ports[proto], tls=True)
        c.line()
        for l in before:
            c.write(l + "\r\n")
            time.sleep(0.05)
        c.s.settimeout(1)
        try:
            raw = c.s.unwrap()
            raw.sendall(b"clear\r\n.\r\n")
            raw.close()
        except (OSError, ssl.SSLError, ValueError):
            c.close()
    time.sleep(0.2)
    s.send("alice@example.org", "after close_notify")
    s.wait_mail("alice@example.org", "after close_notify")


@case
def alpn():
    """A client that wants another protocol does not get ours (ALPACA)."""
    for port, proto in (("imaps", "http/1.1"), ("smtps", "h2"), ("pop3s", "ftp")):
        ctx = tls_context()
        ctx.set_alpn_protocols([proto])
        try:
            c = Line("127.0.0.1", s.ports[port], tls=True, context=ctx)
            got = c.s.selected_alpn_protocol()
            check(got != proto, "%s agreed to %s" % (port, got))
        except (OSError, ssl.SSLError):
            pass


@case
def many_names():
    """Names that nobody has: no growth."""
    net = s.role("imapd", "net")
    before = sum(int(status(p)["VmRSS"].split()[0]) for p in net)
    for i in range(400):
        try:
            c = Line("127.0.0.1", s.ports["imaps"], tls=True, sni="n%d.%s.example" % (i, "x" * 50))
            c.close()
        except (OSError, ssl.SSLError):
            pass
    after = sum(int(status(p)["VmRSS"].split()[0]) for p in net)
    # A sanitizer keeps what was freed for a while.
    most = 400000 if os.environ.get("POSTERN_RELAXED") else 8000
    check(after - before < most, "from %d to %d kB" % (before, after))


@case
def signer_restarts():
    """The signer is killed: handshakes work again within seconds, the others' sessions go on."""
    c = s.imap("imaps")
    c.line()
    c.do('LOGIN alice@example.org "%s"' % PASS)
    for p in s.role("smtpd", "signer"):
        s.kill(p)

    def hello():
        try:
            d = s.smtp("smtps")
            d.expect("220")
            return True
        except (OSError, ssl.SSLError, Fail):
            return False
    until("a handshake", hello, 15, 0.2)
    c.do("NOOP")


finish()
