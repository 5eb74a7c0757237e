"""Processes of a user, from their first moment: he cannot trace them, and stopping one stops nobody else."""
import os, pwd, select, shutil, subprocess, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

SEIZE = os.environ.get("SEIZE")
ROUNDS = 20
T1 = "postern-t1"
s = Suite(daemons=("smtpd",), start=False, extra="""
domain "own.example" {{
	users system
	deliver maildir "{dir}/sys/%u/Maildir"
}}
""")
s.vars["extra"] = s.vars["extra"].format(dir=s.dir)
s.configure()
if ROOT:                        # a home of this run only
    os.makedirs(os.path.join(s.dir, "sys", T1))
    shutil.chown(os.path.join(s.dir, "sys", T1), T1, T1)
    s.start()


class Attacker:
    def __init__(self, how):
        p = pwd.getpwnam(T1)
        self.p = subprocess.Popen([SEIZE, how, str(s.pid("smtpd"))], user=p.pw_uid, group=p.pw_gid, extra_groups=[], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        equal(self.p.stdout.readline(), "ready\n")

    def word(self):
        """The first word of the next line that it says within a while."""
        check(select.select([self.p.stdout], [], [], 20)[0], "the attack met no process")
        return self.p.stdout.readline().split()[0]

    def end(self):
        """What it did, a word a process."""
        self.p.stdin.close()
        out = self.p.stdout.read()
        equal(self.p.wait(10), 0, out)
        return [l.split()[0] for l in out.splitlines()]


def started():
    uid = str(pwd.getpwnam(T1).pw_uid)
    return [p for p in s.role("smtpd", "deliver") if status(p).get("Uid", "-").split()[0] == uid]


def without_one():
    for p in started():
        s.kill(p)
    until("no process of the user's", lambda: not started())


@case(root=True)
def nobody_traces_one():
    if not SEIZE:
        skip("seize was not built")
    a = Attacker("trace")
    for i in range(ROUNDS):
        without_one()
        s.log_mark()
        s.send(T1 + "@own.example", "traced %d" % i)
        s.log_wait(r"delivered to=<%s@" % T1, 30)
    did = a.end()
    check(len(did) >= ROUNDS // 2, "the attack met too few: %s" % did)
    equal(did.count("traced"), 0, "processes that their user could trace, of %d" % len(did))


@case(root=True)
def who_stops_one_stops_nobody_else():
    if not SEIZE:
        skip("seize was not built")
    for i in range(4):
        without_one()
        a = Attacker("stop")
        s.log_mark()
        s.send(T1 + "@own.example", "stopped %d" % i)
        equal(a.word(), "stopped")
        began = time.time()
        s.send("alice@example.org", "beside a stopped one %d" % i)
        s.wait_mail("alice@example.org", "Subject: beside a stopped one %d" % i)
        check(s.ctl("processes")[0] == 0, "mailctl processes")
        check(time.time() - began < 2, "the parent waited for a stopped process: %.1f s" % (time.time() - began))
        s.log_wait(r"delivered to=<%s@" % T1, 30)
        a.end()


finish()
