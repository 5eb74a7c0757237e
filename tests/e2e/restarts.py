"""A role that is not there, or is being replaced: mail waits for it, and not for its own next try."""
import contextlib, ctypes, os, re, signal, subprocess, sys, threading, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import dns
from lib import *
from peer import Peer

US, A = "192.0.2.1", "192.0.2.10"
HERE = dns.own_network(US, A)
ZONE = {"mx.lab": {"A": [A]}, "silent.lab": None}
SOON = 5			# far less than any time that is waited for

far = Peer()
smart = Peer({"EHLO": "250-peer\r\n250 AUTH PLAIN\r\n", "AUTH": "235 2.7.0 in\r\n"})
s = Suite(daemons=("smtpd",), start=False, rules="permit localhost relay\npermit any deliver\n")
unix = Peer(path=os.path.join(s.dir, "lmtp.sock"))
s.write("people", slurp(s.dir + "/people").decode() + "joe@unix.lab:{PLAIN}x\n", 0o640)
s.write("secrets", "me: me:secret\n", 0o600)
s.configure(routes="""
table secrets file "{0}/secrets"
domain "unix.lab" {{
	users <people>
	deliver lmtp "{0}/lmtp.sock"
}}
relay to "far.example" via "smtp+notls://127.0.0.1:{1}"
relay to "smart.example" via "smtp+notls://me@127.0.0.1:{2}" auth <secrets>
relay any source {3}
queue retry 5m to 4h lifetime 1d
""".format(s.dir, far.port, smart.port, US))
if HERE:
    names = dns.Names(ZONE)
    mx = Peer(port=25, host=A)
s.start()


def arrive(peer, subject, count=1, secs=SOON):
    want = b"Subject: " + subject.encode()
    until("%d of %s\n%s%s" % (count, subject, s.ctl("queue", "list")[1][-1000:], s.log_tail()),
          lambda: sum(want in m for m in list(peer.messages)) >= count, secs)


@contextlib.contextmanager
def stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        s.kill(pid, signal.SIGCONT)


def one(role):
    return until("one process " + role, lambda: len(s.role("smtpd", role)) == 1 and s.role("smtpd", role))[0]


def kill(role):
    """kill -9, and wait for the next one."""
    old = one(role)
    s.log_mark()
    s.kill(old)
    return until(role + " again", lambda: [p for p in s.role("smtpd", role) if p != old])[0]


@contextlib.contextmanager
def questions(subject, n):
    """n messages for far.example that queue has from its spool; lookup, which is asked where they go, is stopped."""
    s.ctl("pause", "relay")
    for i in range(n):
        s.send("x%d@far.example" % i, subject)
    with stopped(one("lookup")):
        kill("queue")
        until("the spool is read\n%s%s" % (s.ctl("queue", "list")[1][-600:], s.log_tail()), lambda: s.ctl("queue", "list")[1].count("far.example") >= n)
        s.ctl("resume", "relay")
        until("the questions", lambda: "active" in s.ctl("queue", "list")[1])
        yield


@case
def lookup_dies_with_questions():
    with questions("unanswered", 120):
        kill("lookup")
    arrive(far, "unanswered", 120)


@case
def lookup_dies_unnoticed():
    """queue hears of the new one first, of the old one's end after it."""
    with questions("unnoticed", 20), stopped(one("queue")):
        # The parent's channel is the first that has something to say.
        os.kill(s.pid("smtpd"), signal.SIGUSR1)
        time.sleep(0.2)
        kill("lookup")
    arrive(far, "unnoticed", 20)


@case
def lookup_dies_while_a_password_is_asked_for():
    s.ctl("pause", "relay")
    s.send("x@smart.example", "password")
    with stopped(one("lookup")):
        s.ctl("resume", "relay")
        until("EHLO", lambda: any(b"EHLO" in l for l in smart.commands))
        time.sleep(0.3)
        kill("lookup")
    arrive(smart, "password")


def say_nonsense(role, to):
    """Through the channel that a role has to another one."""
    ours, theirs = one(role), one(to)
    held = {}		# (own inode, the peer's) of each socket, by process
    for l in subprocess.run(["ss", "-xpnH"], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines():
        inode, peer = [int(n) for n in re.findall(r"\*? (\d+)(?= )", l)][-2:]
        for pid, fd in re.findall(r"pid=(\d+),fd=(\d+)", l):
            held.setdefault(int(pid), {})[inode] = (peer, int(fd))
    fd = [fd for peer, fd in held[ours].values() if peer in held[theirs]][0]
    libc = ctypes.CDLL(None, use_errno=True)
    p = os.pidfd_open(ours)
    got = libc.syscall(438, p, fd, 0)	# pidfd_getfd
    check(got != -1, "pidfd_getfd: " + os.strerror(ctypes.get_errno()))
    os.write(got, b"\xff" * 64)
    os.close(got)
    os.close(p)


if HERE:
    @case
    def dns_dies_with_questions():
        s.send("x@silent.lab", "silent")
        until("the question", lambda: ("silent.lab", "MX") in names.asked)
        names.zone["silent.lab"] = {"MX": [(10, "mx.lab")]}
        kill("dns")
        arrive(mx, "silent")

    @case
    def a_channel_that_is_closed_for_nonsense():
        """Whoever is not believed about the other gets a new one."""
        pids = [one("relay"), one("dns")]
        s.log_mark()
        say_nonsense("relay", "dns")
        s.log_wait("dns complains about relay")
        names.zone["after.lab"] = {"MX": [(10, "mx.lab")]}
        s.send("x@after.lab", "after nonsense")
        arrive(mx, "after nonsense")
        equal([one("relay"), one("dns")], pids, "processes")


@case
def relay_dies():
    s.ctl("pause", "relay")
    for i in range(20):
        s.send("x%d@far.example" % i, "relayed")
    s.ctl("resume", "relay")
    kill("relay")
    arrive(far, "relayed", 20)


@case
def reload_that_takes_long():
    """The new processes are there and not in force: what they cannot do yet the old ones do."""
    old = set(s.role("smtpd", "signer"))
    s.log_mark()
    s.reload()
    new = until("the new signer", lambda: set(s.role("smtpd", "signer")) - old, step=0.001).pop()
    with stopped(new):
        time.sleep(1)
        s.send("joe@unix.lab", "by socket")
        s.send("bob@example.org", "by hand")
        time.sleep(0.5)
    s.log_wait("reloaded, generation")
    arrive(unix, "by socket")
    s.wait_mail("bob@example.org", "by hand", secs=SOON)


finish()
