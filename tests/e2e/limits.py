"""Limits: what a client may cause, 421 with a reason when it is too much, and
listener options: leniency, silence before the greeting, whose sender it is."""
import contextlib, json, os, re, socket, subprocess, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

A, B = "alice@example.org", "bob@example.org"


@contextlib.contextmanager
def suite(*listen, **kw):
    """A smtpd whose listeners are smtp, submission and the given ones: (name, protocol and options)."""
    s = Suite(daemons=("smtpd",), start=False, **kw)
    text = ""
    for name, proto, options in listen:
        s.ports[name] = free_port()
        text += 'listen %s on "127.0.0.1" port %d %s\n' % (proto, s.ports[name], options)
    s.configure(extra=s.vars["extra"] + text)
    s.start()
    try:
        yield s
        log = s.log()
        check(not re.search(r"killed by signal|exited with status|killing ", log), log[-2000:])
    finally:
        s.close()


def message(c, subject, rcpts=(A,), sender="x@client.example", end="250"):
    c.cmd("MAIL FROM:<%s>" % sender, "250")
    for r in rcpts:
        c.cmd("RCPT TO:<%s>" % r, "250")
    c.cmd("DATA", "354")
    c.write("Subject: %s\r\n\r\nx\r\n.\r\n" % subject)
    return c.expect(end)


def limit(s, name, per):
    st, out = run(program("mailctl"), "-f", s.conf, "-j", "limits", stderr=subprocess.DEVNULL)
    for l in json.loads(out)[0]["limits"]:
        if l["name"] == name and l["per"] == per:
            return l
    raise Fail("no limit %s per %s in %s" % (name, per, out))


@case
def of_a_session():
    with suite(extra="limit messages 3 per session\nlimit errors 5 per session\n") as s:
        c = s.smtp()
        check("MAILMAX=3 " in c.hello(), "LIMITS")
        for i in range(3):
            message(c, "session %d" % i)
        c.cmd("MAIL FROM:<x@client.example>", "421 4.7.0")
        check(c.closed(), "too many messages: not closed")
        c = s.smtp()
        c.hello()
        for i in range(5):
            c.cmd("RCPT TO:<x@y>", "503")
        c.expect("421 4.7.0")
        check(c.closed(), "too many errors: not closed")
        c = s.smtp()
        c.hello()
        for i in range(2):
            c.cmd("BLAH", "500")
        c.cmd("NOOP", "250")
        for i in range(2):
            c.cmd("BLAH", "500")
        c.cmd("BLAH", "421")
        check(c.closed(), "unknown commands: not closed")
        c = s.smtp()
        c.hello()
        for i in range(199):
            c.cmd("NOOP", "250")
        c.cmd("NOOP", "421 4.7.0")
        check(c.closed(), "idle commands: not closed")
        until("told", lambda: limit(s, "idle", "session")["reached"] == 1, 5, 0.2)
        equal(limit(s, "messages", "session")["reached"], 1)
        equal(limit(s, "errors", "session")["value"], 5)


@case
def failed_logins():
    with suite(extra="limit errors 100 per session\n") as s:
        c = s.smtp("submission")
        c.hello()
        for i in range(10):
            r = c.auth(user="nobody@example.org", password="wrong", code="")
            if not r.startswith("535"):
                break
        check(r.startswith("421 4.7.0") and i <= 4, "%d: %r" % (i, r))
        check(c.closed(), "not closed")


@case
def time_limits():
    """Bytes that drip keep no session, no command and no message alive."""
    with suite(extra="limit time 2s per command\nlimit time 3s per message\nlimit time 5s per session\n") as s:
        drip, data, idle, busy = (s.smtp() for i in range(4))
        for c in (data, busy):
            c.hello()
        drip.expect("220")
        idle.expect("220")
        data.write("MAIL FROM:<x@client.example>\r\nRCPT TO:<%s>\r\nDATA\r\n" % A)
        for code in ("250", "250", "354"):
            data.expect(code)
        start, ended = time.monotonic(), {}
        while time.monotonic() - start < 12 and len(ended) < 4:
            for name, c, text in (("drip", drip, "E"), ("data", data, "x"), ("idle", idle, ""), ("busy", busy, "NOOP\r\n")):
                if name in ended:
                    continue
                with contextlib.suppress(OSError):
                    c.write(text)
                c.s.settimeout(0.02)
                with contextlib.suppress(OSError, socket.timeout):
                    got = c.s.recv(4096)
                    if b"421 4.4.2" in got:
                        ended[name] = time.monotonic() - start
            time.sleep(0.3)
        equal(sorted(ended), ["busy", "data", "drip", "idle"], "who was ended: %r" % ended)
        check(1 < ended["drip"] < 6 and 1 < ended["idle"] < 6, "%r" % ended)
        check(2 < ended["data"] < 8 and 4 < ended["busy"] < 10, "%r" % ended)
        told = [l for l in s.log().splitlines() if "421 4.4.2" in l and "net: " in l]
        check(len(told) == 4 and all("hung up: addr=127.0.0.1 conn=" in l for l in told), "a line each: %r" % told)
        s.send(A, "after slow ones")


@case
def rate_of_an_address():
    """Messages count, and every ten recipients; over all connections."""
    with suite(extra="limit rate 5/1h per address\n") as s:
        for i in range(3):
            c = s.smtp()
            c.hello()
            message(c, "rate %d" % i)
            c.close()
        c = s.smtp()
        c.hello()
        c.cmd("MAIL FROM:<x@client.example>", "250")
        for i in range(20):
            c.cmd("RCPT TO:<%s>" % A, "250")
        c.cmd("RCPT TO:<%s>" % A, "452 4.5.3")
        c.cmd("DATA", "354")
        c.write("Subject: many\r\n\r\n.\r\n")
        c.expect("250")
        c.cmd("MAIL FROM:<x@client.example>", "421 4.7.0")
        check(c.closed(), "not closed")
        until("told", lambda: limit(s, "rate", "address")["reached"] >= 2, 5, 0.2)
        check(re.search(r'net: hung up: addr=127.0.0.1 conn=\d+ reply="421 4.7.0 too many messages from your address', s.log()), s.log_tail())
        c = s.smtp()
        c.hello()
        c.cmd("QUIT", "221")
        check(c.closed(), "not closed")
        check('reply="221' not in s.log(), "whoever goes is told of: " + s.log_tail())
        c = s.smtp("submission")        # who logs in does not suffer from it
        c.hello()
        c.auth()
        message(c, "logged in", sender=A)


@case
def rate_of_a_network():
    with suite(extra="limit rate 3/1h per network\n") as s:
        for i in range(4):
            c = Line("127.0.0.1", s.ports["smtp"])
            c.close()
            k = socket.create_connection(("127.0.0.1", s.ports["smtp"]), 5, ("127.0.0.%d" % (10 + i), 0))
            k.recv(100)
            k.sendall(b"EHLO x\r\n")
            time.sleep(0.1)
            k.recv(1000)
            k.sendall(b"MAIL FROM:<x@client.example>\r\n")
            r = k.recv(100)
            check(r.startswith(b"250" if i < 3 else b"421 4.7.0"), "%d: %r" % (i, r))
            k.close()


@case
def rate_of_a_user():
    """Over connections and listeners, for the user and nobody else."""
    with suite(extra="limit rate 4/1h per user\n") as s:
        for i, port in enumerate(("submission", "smtp", "smtps", "submission")):
            c = s.smtp(port)
            c.hello()
            c.auth()
            message(c, "user %d" % i, sender=A)
            c.close()
        c = s.smtp("submission")
        c.hello()
        c.auth()
        c.cmd("MAIL FROM:<%s>" % A, "421 4.7.0")
        check(c.closed(), "not closed")
        c = s.smtp("submission")
        c.hello()
        c.auth()
        c.write("MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nQUIT\r\n" % (A, A))
        c.expect("421 4.7.0")
        check(c.closed() and not c.buf, "said after the last reply: %r" % c.buf)
        c = s.smtp("submission")
        c.hello()
        c.auth(user=B)
        message(c, "another user", sender=B)
        until("told", lambda: limit(s, "rate", "user")["reached"] == 2, 5, 0.2)
        s.send(A, "a stranger")


@case
def sessions_of_a_network():
    with suite(extra="limit sessions 500 per address 3 per network 8\n") as s:
        held = []

        def one(addr):
            k = socket.create_connection(("127.0.0.1", s.ports["smtp"]), 5, (addr, 0))
            held.append(k)
            return k.recv(200).decode()
        for i in range(3):
            check(one("127.0.0.9").startswith("220"), "the %d. of an address" % i)
        check("your address" in one("127.0.0.9"), "a fourth of one address")
        for i in range(5):
            check(one("127.0.0.%d" % (20 + i)).startswith("220"), "the %d. of the network" % i)
        check("your network" in one("127.0.0.99"), "a ninth of one network")
        check(one("127.0.1.9").startswith("220"), "another network")
        l = until("told", lambda: (lambda l: l if l["reached"] else None)(limit(s, "sessions", "network")), 5, 0.2)
        equal((l["value"], l["top"], l["reached"]), (8, 8, 1))
        for k in held:
            k.close()
        until("room again", lambda: one("127.0.0.9").startswith("220"), 5, 0.1)


@case
def flood_of_strangers():
    """They take every place; who logs in gets one, and keeps it."""
    with suite(extra="limit sessions 20 per address 20 per network 20\n") as s:
        u = s.smtp("submission")
        u.hello()
        u.auth()
        held = []
        for i in range(40):
            k = socket.create_connection(("127.0.0.1", s.ports["smtp"]), 5, ("127.0.%d.1" % (i + 1), 0))
            k.settimeout(5)
            if i % 2:
                k.recv(200)
                with contextlib.suppress(OSError):
                    k.sendall(b"EHLO x\r\nMAIL FROM:<x@client.example>\r\n")
            held.append(k)
        time.sleep(0.3)
        k = socket.create_connection(("127.0.0.1", s.ports["smtp"]), 5, ("127.0.99.1", 0))
        check(k.recv(200).startswith(b"421 4.3.2"), "a stranger found room")
        message(u, "through the flood", sender=A)
        for i in range(5):
            c = s.smtp("submission")
            c.hello()
            c.auth()
            message(c, "in the flood %d" % i, sender=A)
            held.append(c)
        u.cmd("NOOP", "250")
        for h in held:
            h.close()


@case
def table_of_limits():
    with suite(extra="limit rate 7/1m per user\nlimit sessions 100 per address 50\n") as s:
        c = [s.smtp() for i in range(4)]
        for x in c:
            x.expect("220")
        until("told", lambda: limit(s, "sessions", "daemon")["now"] == 4, 5, 0.2)
        st, out = s.ctl("limits")
        check(re.search(r"^sessions +daemon +100 +4/4 +0 ", out, re.M), out)
        check(re.search(r"^rate +user +7/60s ", out, re.M), out)
        check(re.search(r"^rate +address +none ", out, re.M), out)
        for x in c:
            x.close()
        until("told", lambda: limit(s, "sessions", "daemon")["now"] == 0, 5, 0.2)
        equal(limit(s, "sessions", "daemon")["top"], 4)


@case
def pregreet():
    with suite(("careful", "smtp", "pregreet 1s")) as s:
        c = s.smtp("careful")
        t = time.monotonic()
        c.expect("220")
        check(0.8 < time.monotonic() - t < 5, "it came after %g s" % (time.monotonic() - t))
        c.cmd("EHLO x", "250")
        message(c, "was silent")
        for text in ("EHLO x\r\n", "GET / HTTP/1.0\r\n\r\n", "x", "\r\n"):
            c = s.smtp("careful")
            c.write(text)
            r = c.reply()
            check(r and r.startswith("554 5.5.1"), "%r: %r" % (text, r))
            check(c.closed(), "not closed")
        c = s.smtp("careful")
        c.close()
        t = time.monotonic()
        s.smtp().expect("220")
        check(time.monotonic() - t < 0.5, "another listener waits too")
        check("talks before the greeting" in s.log(), "no line in the log")


@case
def lenient_lf():
    with suite(("old", "smtp", "lenient lf")) as s:
        c = s.smtp("old")               # a client whose lines all end in LF
        c.expect("220")
        for cmd, code in (("EHLO x", "250"), ("MAIL FROM:<x@client.example>", "250"), ("RCPT TO:<%s>" % A, "250"),
                          ("DATA", "354")):
            c.write(cmd + "\n")
            c.expect(code)
        c.write("Subject: only lf\n\n..\nbody\n.\nQUIT\n")
        c.expect("250 2.0.0")
        c.expect("221")
        t = slurp(s.wait_mail(A, "Subject: only lf")[0]).replace(b"\r\n", b"\n")
        check(t.endswith(b"\n\n.\nbody\n"), "%r" % t[-50:])

        # One CR in such a message, and nobody could be sure of its end.
        for text in ("Subject: x\n\na\r\n.\r\n", "Subject: x\n\na\rb\n.\n", "Subject: x\r\n\nb\n.\n"):
            c = s.smtp("old")
            c.expect("220")
            c.write("EHLO x\nMAIL FROM:<x@client.example>\nRCPT TO:<%s>\nDATA\n" % A)
            for code in ("250", "250", "250", "354"):
                c.expect(code)
            c.write(text)
            c.expect("550 5.6.0")
            check(c.closed(), "%r: not closed" % text)

        # Whoever says commands with CRLF ends his messages so: nothing else does.
        s.empty(B)
        inner = "MAIL FROM:<e@client.example>\r\nRCPT TO:<%s>\r\nDATA\r\nSubject: smuggled\r\n\r\n" % B
        for term in ("\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r"):
            for data in ("DATA\r\n", "DATA\n"):
                c = s.smtp("old")
                c.expect("220")
                c.write("EHLO x\r\nMAIL FROM:<x@client.example>\nRCPT TO:<%s>\r\n%s" % (A, data))
                for code in ("250", "250", "250", "354"):
                    c.expect(code)
                c.write("Subject: outer\r\n\r\nx" + term + inner + "\r\n.\r\n")
                r = c.rest(0.3)
                equal(r.count("250 2.0.0"), 1, "%r %r: %r" % (term, data, r))
                c.close()
        time.sleep(0.2)
        equal(s.messages(B), [], "smuggled")
        c = s.smtp()                    # other listeners are strict
        c.expect("220")
        c.write("EHLO x\n")
        c.expect("500")


@case
def lenient_helo():
    with suite(("old", "smtp", "lenient helo")) as s:
        for helo, code in (("my_pc", "250"), ("-x-", "250"), ("a..b", "250"), ("x<y", "501"), ("", "501"),
                           ("a b", "501"), ("y" * 300, "501")):
            c = s.smtp("old")
            c.expect("220")
            c.cmd("HELO " + helo, code)
        c = s.smtp("old")
        c.expect("220")
        message(c, "no helo at all")
        t = slurp(s.wait_mail(A, "Subject: no helo at all")[0])
        check(b"from unknown (" in t, t[:300])
        c = s.smtp()
        c.expect("220")
        c.cmd("MAIL FROM:<x@client.example>", "503")
        c.cmd("HELO a..b", "501")


@case
def hide_client():
    with suite(("quiet", "submission", "hide client")) as s:
        for port, hidden in (("quiet", True), ("submission", False)):
            c = s.smtp(port)
            c.hello("secret.lan.example")
            c.auth()
            message(c, "hidden on " + port, sender=A)
            t = slurp(s.wait_mail(A, "Subject: hidden on " + port)[0])
            equal(b"secret.lan" in t or b"127.0.0.1" in t, not hidden, t[:500].decode())
            check(b"Received: by mail.example.org (Postern) with ESMTPA id" in t or not hidden, t[:500])


PEOPLE_SENDER = dict(PEOPLE)
PEOPLE_SENDER["carol@example.org"] = "{PLAIN}" + PASS + ":::::::quota=1g sender=@club.example,sender=boss@else.example"


@case
def check_sender():
    with suite(("own", "submission", "check sender"), people=PEOPLE_SENDER) as s:
        for user, sender, code in (
                (A, A, "250"), (A, "ALICE@Example.org", "250"), (A, "alice@example.net", "250"),
                (A, "alice+list@example.org", "250"), (A, "sales@example.org", "250"), (A, "chain@example.org", "250"),
                (A, "", "250"), (A, B, "553 5.7.1"), (A, "nobody@example.org", "553 5.7.1"),
                (A, "alice@elsewhere.example", "553 5.7.1"), (A, "x@client.example", "553 5.7.1"),
                (A, "tester@lt01.am", "553 5.7.1"), (B, "sales@example.org", "250"), (B, "root@example.org", "553 5.7.1"),
                (A, "root@example.org", "250"), ("carol@example.org", "any@club.example", "250"),
                ("carol@example.org", "boss@else.example", "250"), ("carol@example.org", "x@else.example", "553 5.7.1"),
                ("carol@example.org", "x@sub.club.example", "553 5.7.1"),
                ("info@catch.example", "whatever@catch.example", "250")):
            c = s.smtp("own")
            c.hello()
            c.auth(user=user)
            c.cmd("MAIL FROM:<%s>" % sender, "250")
            r = c.cmd("RCPT TO:<%s>" % A)
            check(r.startswith(code), "%s as %s: wanted %s, got %r" % (user, sender, code, r))
            c.close()
        c = s.smtp("submission")        # without the option nobody asks
        c.hello()
        c.auth()
        message(c, "other sender", sender="x@client.example")


@case(root=True)
def commands_have_their_share():
    """Commands that hang, of many users or of one, leave processes to the mailboxes; all of them run in the end."""
    users = ["u%d@hang.example" % i for i in range(210)]
    aliases = ["hang%d@example.org" % i for i in range(25)]
    who = "postern-t1"
    s = Suite(daemons=("smtpd",), start=False, people=dict(PEOPLE, **{u: "{PLAIN}x" for u in users}))
    gate, out, script = s.dir + "/gate", s.dir + "/out", s.dir + "/hang"
    os.mkfifo(gate)
    os.chmod(gate, 0o644)
    open(out, "w").close()
    os.chmod(out, 0o666)
    s.write("hang", "#!/bin/sh\necho began >> %s\nread x < %s\necho $RECIPIENT >> %s\n" % (out, gate, out), 0o755)
    s.write("aliases", ALIASES + "".join('%s: "|%s"\n' % (a.split("@")[0], script) for a in aliases))
    s.configure(extra="limit recipients 1000\n" + """
domain "hang.example" {
	users <people>
	deliver pipe "%s" as %s
}
""" % (script, s.owner))
    s.configure(slurp(s.conf).decode().replace("aliases <aliases>", "aliases <aliases> commands as " + who, 1))
    s.start()

    def runs():
        return slurp(out).decode().count("began")
    try:
        s.send(aliases, "hangs")
        until("those of one account", lambda: runs() == 20)
        s.send(A, "beside one account")
        s.wait_mail(A, "Subject: beside one account")
        s.send(users, "hangs too")
        until("its share", lambda: runs() == 100, 60)
        s.send([A, B], "beside many")
        for u in (A, B):
            s.wait_mail(u, "Subject: beside many")
        equal(runs(), 100, "commands at once")
        until("told", lambda: (limit(s, "commands", "daemon")["now"], limit(s, "commands", "daemon")["value"]) == (100, 100))
        equal(limit(s, "commands", "user")["value"], 20)
        check(limit(s, "commands", "user")["reached"] >= 5 and limit(s, "commands", "daemon")["reached"] >= 100, "reached")

        def done():
            with contextlib.suppress(OSError):          # nobody reads at this moment
                os.close(os.open(gate, os.O_WRONLY | os.O_NONBLOCK))
            return set(users + aliases) <= set(slurp(out).decode().split())
        until("all in the end", done, 60, 0.1)
        equal(runs(), len(users) + len(aliases), "each once")
    finally:
        for i in range(50):
            with contextlib.suppress(OSError):
                os.close(os.open(gate, os.O_WRONLY | os.O_NONBLOCK))
        s.close()


finish()
