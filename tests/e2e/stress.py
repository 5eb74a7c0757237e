"""Many IMAP clients in the same mailboxes, each answer against a model; a few seconds of "make stress".

STRESS_SECONDS, STRESS_CONNS, STRESS_USERS and STRESS_SEED say how much of it, and what.
"""
import os, subprocess, sys, tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

SECONDS = os.environ.get("STRESS_SECONDS") or "4"
CONNS = os.environ.get("STRESS_CONNS") or "10"
USERS = int(os.environ.get("STRESS_USERS") or "2")
SEED = os.environ.get("STRESS_SEED") or str(int(time.time()))

s = Suite(daemons=("imapd",), people={"u%04d@example.org" % i: "{PLAIN}" + PASS for i in range(1, USERS + 1)},
          extra="limit sessions 2000 per address 2000\n", aliases="root: u0001@example.org\n", system=False)


@case
def stress():
    binary = os.path.join(s.dir, "stress")
    status, out = run("sh", os.path.join(TESTS, "stress", "build.sh"), binary)
    check(status == 0, "does not build: " + out)
    status, out = run(binary, *os.environ.get("STRESS_FLAGS", "").split(), "-c", CONNS, "-n", str(USERS), "-t", SECONDS, "-s", SEED, "-p", PASS, "127.0.0.1",
                      str(s.ports["imap"]), "u%04d@example.org", timeout=float(SECONDS) + 120)
    print("".join("# %s\n" % l.lstrip("# ") for l in out.splitlines()), end="")
    check(status == 0, "seed %s" % SEED)
    # Nobody broke down on the way.
    bad = [l for l in s.log().splitlines() if re.search(r"killed by signal|exited with status|killing ", l)]
    check(not bad, "\n".join(bad))


finish()
