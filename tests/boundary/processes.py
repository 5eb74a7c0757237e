"""The running processes: who they are, what they hold, what they cannot do."""
import glob, os, pwd, re, signal, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

s = Suite()
A, SECRET = "alice@example.org", "Xq7-unmistakable-pass-92"
NETFACING = ("net", "relay", "dns")
EMPTY_ROOT = ("net", "signer", "relay", "dns")
RELAXED = bool(os.environ.get("POSTERN_RELAXED")) or "RELAXED" in run(program("smtpd"), "-C", "-f", "/nonexistent")[1]


def everybody():
    """(daemon, role, pid) of every process but the parents."""
    for d in DAEMONS:
        for pid, t in s.children(d).items():
            m = re.search(r": (\w+)", t)
            yield d, m.group(1) if m else "?", pid


def parents():
    return [(d, s.pid(d)) for d in DAEMONS]


def busy():
    """A delivery and logins, so that per-user processes are there."""
    s.send(A, "boundary")
    if ROOT:
        s.send("postern-t1@sys.example", "boundary")
    s.wait_mail(A, "Subject: boundary")
    c = s.imap("imaps")
    c.line()
    c.do('LOGIN %s "%s"' % (A, PASS))
    c.do("SELECT INBOX")
    p = s.pop3("pop3s")
    p.line()
    p.pop("USER bob@example.org")
    p.pop("PASS " + PASS)
    return c, p


held = busy()


@case
def every_role_is_there():
    want = {"smtpd": "net auth signer lookup dns queue relay deliver", "imapd": "net auth signer watch session",
            "pop3d": "net auth signer session"}
    for d, roles in want.items():
        have = {r for x, r, p in everybody() if x == d}
        check(set(roles.split()) <= have, "%s: %s of %s" % (d, sorted(have), roles))


@case(root=True)
def no_two_roles_share_a_uid():
    """Nor is a uid one of another daemon's role, but for the same role."""
    by = {}
    for d, r, p in everybody():
        uid = status(p)["Uid"].split()
        equal(len(set(uid)), 1, "%s %s: real, effective and saved uid" % (d, r))
        equal(len(set(status(p)["Gid"].split())), 1, "%s %s: gids" % (d, r))
        if r not in ("session", "deliver"):
            by.setdefault(uid[0], set()).add((d + "-net") if r == "net" else r)
    for uid, roles in by.items():
        equal(len(roles), 1, "uid %s is %s" % (uid, sorted(roles)))
    owners = {str(pwd.getpwnam(u).pw_uid) for u in ("vmail",) + SYSTEM_USERS}
    for d, r, p in everybody():
        if r in ("session", "deliver"):
            check(status(p)["Uid"].split()[0] in owners, "%s %s has uid %s" % (d, r, status(p)["Uid"]))


@case(root=True)
def groups():
    """No supplementary group but shadow for auth."""
    import grp
    shadow = str(grp.getgrnam("shadow").gr_gid)
    for d, r, p in everybody():
        g = set(status(p)["Groups"].split()) - {status(p)["Gid"].split()[0]}
        check(g <= ({shadow} if r == "auth" else set()), "%s %s: groups %s" % (d, r, g))


@case
def no_root_no_capability():
    for d, r, p in everybody():
        st = status(p)
        if ROOT:
            check(st["Uid"].split()[0] != "0", "%s %s is root" % (d, r))
        for c in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
            equal(int(st[c], 16), 0, "%s %s: %s" % (d, r, c))
        if ROOT:
            equal(int(st["CapBnd"], 16), 0, "%s %s: CapBnd" % (d, r))


@case
def seccomp_and_no_new_privs():
    if RELAXED:
        skip("built with a relaxed sandbox")
    for d, r, p in everybody():
        st = status(p)
        equal(st["Seccomp"], "2", "%s %s: seccomp" % (d, r))
        equal(st["NoNewPrivs"], "1", "%s %s: no_new_privs" % (d, r))


@case(root=True)
def empty_root():
    if RELAXED:
        skip("built with a relaxed sandbox")
    for d, r, p in everybody():
        if r in EMPTY_ROOT:
            root = "/proc/%d/root" % p
            check(os.readlink(root) != "/", "%s %s sees the whole tree" % (d, r))
            equal(os.listdir(root + "/"), [], "%s %s: its root" % (d, r))
            check(not os.access(root, os.W_OK) or os.stat(root).st_uid == 0, "%s %s: may write its root" % (d, r))


@case
def not_dumpable():
    """/proc/PID of a process that is not dumpable belongs to root."""
    if not ROOT:
        skip("told by the owner of /proc/PID, only as root")
    for d, r, p in everybody():
        equal(os.stat("/proc/%d/mem" % p).st_uid, 0, "%s %s: /proc/%d/mem" % (d, r, p))
        lim = [l for l in slurp("/proc/%d/limits" % p).decode().splitlines() if "core file" in l][0]
        equal(lim.split()[4], "0", "%s %s: core size" % (d, r))


FDS = [re.compile(x) for x in (r"^socket:\[\d+\]$", r"^pipe:\[\d+\]$", r"^anon_inode:\[?(eventpoll|eventfd|timerfd|signalfd)\]?$",
                               r"^/memfd:", r"^/dev/null$", r"^/(dev/)?(u?random)$")]
INOTIFY = re.compile(r"^anon_inode:\[?inotify\]?$")


@case
def descriptors():
    """Sockets, pipes, anonymous files, the log; and what a role is for."""
    for d, r, p in everybody():
        owner = {"queue": s.dir + "/spool", "deliver": s.dir + "/mail", "session": s.dir + "/mail", "auth": s.dir,
                 "lookup": s.dir}.get(r)
        for f in glob.glob("/proc/%d/fd/*" % p):
            try:
                to = os.readlink(f)
            except OSError:
                continue
            n = os.path.basename(f)
            if any(x.match(to) for x in FDS) or to.split(" ")[0] == s.log_path:
                continue
            if n == "2" and to.endswith("start.err"):
                continue
            if r in ("session", "watch", "deliver") and INOTIFY.match(to):
                continue
            if owner and to.startswith(owner):
                continue
            if r in ("session", "deliver") and (to.startswith(SYSTEM_HOME)):
                continue
            raise Fail("%s %s: descriptor %s is %s" % (d, r, n, to))
        if r in EMPTY_ROOT or r == "net":
            for f in glob.glob("/proc/%d/fd/*" % p):
                to = os.readlink(f) if os.path.islink(f) else ""
                check(not to.endswith((".key", ".crt", "people", "mail.conf")), "%s %s holds %s" % (d, r, to))


@case
def own_mailbox_only():
    """A per-user process has descriptors of its own mailbox only."""
    for d, r, p in everybody():
        if r in ("session", "deliver"):
            t = title(p)
            user = re.search(r"(?:session|deliver) (\S+)", t)
            check(user, t)
            name = user.group(1).split("@")[0]
            for f in glob.glob("/proc/%d/fd/*" % p):
                to = os.readlink(f) if os.path.islink(f) else ""
                if to.startswith(s.dir + "/mail/"):
                    check(name in to.split("/"), "%s of %s holds %s" % (r, name, to))


@case
def environment():
    for d, r, p in everybody():
        env = [e.split(b"=")[0].decode() for e in slurp("/proc/%d/environ" % p).split(b"\0") if b"=" in e]
        check(set(env) <= {"PATH", "LANG", "TZ", "SPT_NOENV"} or len(env) <= 3, "%s %s: %s" % (d, r, env))


@case
def signals_and_limits():
    for d, r, p in everybody():
        st = status(p)
        # watch reads its two from a descriptor (os/os.h).
        mine = {signal.SIGIO, signal.SIGRTMIN + 5} if r == "watch" else set()
        equal(int(st["SigBlk"], 16), sum(1 << (n - 1) for n in mine), "%s %s: blocked signals" % (d, r))
        equal(st["Umask"], "0077", "%s %s: umask" % (d, r))
        lim = {l[:26].strip(): l[26:].split() for l in slurp("/proc/%d/limits" % p).decode().splitlines()}
        check(lim["Max open files"][0] != "unlimited" and int(lim["Max open files"][1]) <= 65536,
              "%s %s: open files %s" % (d, r, lim["Max open files"]))
        if r not in ("auth", "queue", "net"):
            check(lim["Max processes"][0] != "unlimited" or r == "?", "%s %s: processes %s" % (d, r, lim["Max processes"]))


@case
def parents_listen_to_nobody():
    """The parent holds the listening sockets but no connection of a stranger."""
    c = s.smtp()
    c.expect("220")
    inodes = set()
    for d, p in parents():
        for f in glob.glob("/proc/%d/fd/*" % p):
            m = re.match(r"socket:\[(\d+)\]", os.readlink(f) if os.path.islink(f) else "")
            if m:
                inodes.add(m.group(1))
    for l in slurp("/proc/net/tcp").decode().splitlines()[1:]:
        w = l.split()
        if w[3] == "01":                # ESTABLISHED
            check(w[9] not in inodes, "a parent holds the connection " + l)


# ------------------------------------------------------------ memory

def key_patterns():
    """The secret numbers of the keys, as they may lie in memory, and the PEM text."""
    d, out = certs(), {}
    for name in ("ec", "rsa"):
        pem = slurp("%s/%s.key" % (d, name)).decode()
        out[name + " PEM"] = [l.encode() for l in pem.splitlines() if len(l) == 64 and "-" not in l][1:2] or \
            [pem.splitlines()[1].encode()[20:60]]
        st, text = run("openssl", "pkey", "-in", "%s/%s.key" % (d, name), "-noout", "-text")
        fields = {"ec": ["priv"], "rsa": ["prime1", "prime2", "privateExponent"]}[name]
        for f in fields:
            m = re.search(r"^%s:\n((?:    .*\n)+)" % f, text, re.M)
            raw = bytes(int(x, 16) for x in re.sub(r"\s", "", m.group(1)).strip(":").split(":"))
            raw = raw.lstrip(b"\0")[-32:] if name == "ec" else raw.lstrip(b"\0")[:64]
            out["%s %s" % (name, f)] = [raw]
            whole = bytes(int(x, 16) for x in re.sub(r"\s", "", m.group(1)).strip(":").split(":")).lstrip(b"\0")
            out["%s %s limbs" % (name, f)] = [whole[::-1][:64]]
    return out


def memory(pid):
    with open("/proc/%d/maps" % pid) as maps, open("/proc/%d/mem" % pid, "rb", 0) as mem:
        for l in maps:
            w = l.split()
            if "r" not in w[1] or "[v" in l:
                continue
            lo, hi = (int(x, 16) for x in w[0].split("-"))
            try:
                mem.seek(lo)
                yield mem.read(hi - lo)
            except (OSError, ValueError, OverflowError):
                pass


def search(pid, patterns):
    found = set()
    for part in memory(pid):
        for name, alts in patterns.items():
            if any(a in part for a in alts):
                found.add(name)
    return found


@case(root=True)
def keys_are_in_signer_only():
    pats = key_patterns()
    # Handshakes with each kind of key first, so that it has been used.
    for d in ("smtps", "imaps", "pop3s"):
        for sni in ("mail.example.org", "rsa.example.org"):
            c = Line("127.0.0.1", s.ports[d], tls=True, sni=sni)
            c.line()
            c.close()
    for d, r, p in everybody():
        got = search(p, pats)
        if r == "signer":
            check(any(g.startswith("ec") for g in got) and any(g.startswith("rsa") for g in got),
                  "%s signer: the search found only %s: it proves nothing" % (d, sorted(got)))
        else:
            equal(sorted(got), [], "%s %s holds key material" % (d, r))
    for d, p in parents():
        equal(sorted(search(p, pats)), [], "the parent of %s still holds key material" % d)


@case(root=True)
def passwords_are_gone():
    """After a login the password is in no process that talks to the network."""
    people = slurp(s.dir + "/people").decode()
    people += "secret@example.org:%s\n" % crypt.crypt(SECRET, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16))
    s.write("people", people, 0o640)

    def login():
        c = s.imap("imaps")
        c.line()
        ok = c.do('LOGIN secret@example.org "%s"' % SECRET, None)[-1].startswith("t OK")
        return c if ok else None
    c = until("the new user", login, 15, 1)
    d = s.smtp("smtps")
    d.hello()
    d.auth("secret@example.org", SECRET)
    p = s.pop3("pop3s")
    p.line()
    p.pop("USER secret@example.org")
    p.pop("PASS " + SECRET)
    q = s.smtp("submission")
    q.hello()
    q.cmd("AUTH LOGIN", "334")
    q.cmd(b64("secret@example.org"), "334")
    q.cmd(b64(SECRET), "235")
    c.do("NOOP")
    time.sleep(0.3)
    pats = {"the password": [SECRET.encode()], "base64 of it": [b64(SECRET).encode()],
            "base64 of PLAIN": [plain("secret@example.org", SECRET).encode()[8:60]]}
    for x, r, pid in everybody():
        if r in ("net", "relay", "dns", "session", "signer", "deliver"):
            equal(sorted(search(pid, pats)), [], "%s %s" % (x, r))
    for x, pid in parents():
        equal(sorted(search(pid, pats)), [], "parent of " + x)


@case
def no_shared_memory():
    """No writable mapping is shared between two processes but files of its own."""
    seen = {}
    for d, r, p in everybody():
        for l in slurp("/proc/%d/maps" % p).decode("utf-8", "replace").splitlines():
            w = l.split(None, 5)
            if "s" in w[1] and "w" in w[1] and w[4] != "0":
                seen.setdefault((w[3], w[4]), set()).add((d, r, p))
    for k, ps in seen.items():
        check(len(ps) == 1 or {r for d, r, p in ps} <= {"session", "deliver"}, "%s is shared by %s" % (k, ps))


@case
def sandboxes_named_in_the_audit():
    if RELAXED:
        skip("built with a relaxed sandbox")
    import json
    for d in DAEMONS:
        t = json.loads(run(program(d), "-C", "-j", "-f", s.conf)[1])
        for r in t["running"]:
            check("syscalls" in r["sandbox"], "%s %s: %s" % (d, r["role"], r["sandbox"]))
            if ROOT and r["role"] != "parent":
                check("uid" in r["sandbox"], "%s %s: %s" % (d, r["role"], r["sandbox"]))


finish()
