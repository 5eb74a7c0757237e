"""Many IMAP clients in the same mailboxes, each answer against a model; a few seconds of "make stress".

STRESS_SECONDS, STRESS_CONNS, STRESS_USERS and STRESS_SEED say how much of it, and what.
"""
import os, poplib, sys, threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

SECONDS = os.environ.get("STRESS_SECONDS") or "4"
CONNS = os.environ.get("STRESS_CONNS") or "10"
USERS = int(os.environ.get("STRESS_USERS") or "2")
SEED = os.environ.get("STRESS_SEED") or str(int(time.time()))

s = Suite(people={"u%04d@example.org" % i: "{PLAIN}" + PASS for i in range(1, USERS + 1)},
          extra="limit sessions 2000 per address 2000\n", aliases="root: u0001@example.org\n", system=False)


def others(stop, tally):
    """Mail comes in, and is read by POP3, in the same INBOX."""
    while not stop.is_set():
        n = tally["sent"] % USERS + 1
        s.send("u%04d@example.org" % n, "delivered", "while others are at work\r\n")
        tally["sent"] += 1
        p = poplib.POP3("127.0.0.1", s.ports["pop3"], timeout=20)
        p.user("u%04d@example.org" % n)
        p.pass_(PASS)
        for i in range(1, min(p.stat()[0], 5) + 1):
            try:
                check(b"Subject:" in b"".join(p.retr(i)[1]), "RETR %d" % i)
                tally["read"] += 1
            except poplib.error_proto:
                tally["gone"] += 1
        p.quit()


@case
def stress():
    binary = os.path.join(s.dir, "stress")
    status, out = run("sh", os.path.join(TESTS, "stress", "build.sh"), binary)
    check(status == 0, "does not build: " + out)
    stop, tally, failed = threading.Event(), dict(sent=0, read=0, gone=0), []

    def beside():
        try:
            others(stop, tally)
        except Exception as e:
            failed.append(repr(e))
    t = threading.Thread(target=beside)
    t.start()
    status, out = run(binary, *os.environ.get("STRESS_FLAGS", "").split(), "-c", CONNS, "-n", str(USERS), "-t", SECONDS, "-s", SEED, "-p", PASS, "127.0.0.1",
                      str(s.ports["imap"]), "u%04d@example.org", timeout=float(SECONDS) + 120)
    print("".join("# %s\n" % l.lstrip("# ") for l in out.splitlines()), end="")
    stop.set()
    t.join()
    print("# %(sent)d delivered, %(read)d read with POP3, %(gone)d were gone" % tally)
    check(status == 0, "seed %s" % SEED)
    check(not failed and tally["sent"] > 0 and tally["read"] > 0, "%s %s" % (failed, tally))
    # Nobody broke down on the way.
    bad = [l for l in s.log().splitlines() if re.search(r"killed by signal|exited with status|killing ", l)]
    check(not bad, "\n".join(bad))


finish()
