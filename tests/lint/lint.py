"""lint - format, layers, sizes, headers, keywords, manuals; a line a check.

Prints "ok lint/NAME" or "not ok lint/NAME: how many" and what they are.
"""
import glob, json, os, re, shutil, subprocess, sys, tempfile
from concurrent.futures import ThreadPoolExecutor

LAYERS = ("os log buf imsg privsep tls net conf smtp imap pop3 mime store sasl table auth "
          "dns rules daemon").split()
PURE = ("smtp", "imap", "pop3", "mime", "sasl")	# bytes in, struct or error out
FILE_MAX, FUNCTION_MAX, HEADER_MAX = 700, 80, 400
FLAGS = ("-std=c11 -D_GNU_SOURCE -Ilib -I. -Wall -Wextra -Werror -Wundef -Wno-unused-parameter "
         "-Wno-unused-macros -Wstrict-prototypes -fsyntax-only -x c").split()

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
C = sorted(p for pat in ("lib/*/*.[ch]", "smtpd/*.[ch]", "imapd/*.[ch]", "pop3d/*.[ch]",
                         "mailctl/*.[ch]", "regress/*.h", "regress/*/*.[ch]", "tests/fuzz/*.c",
                         "tests/boundary/*.c", "tests/stress/*.[ch]") for p in glob.glob(pat)
           if os.path.basename(p) not in ("parse.c", "parse.h") or "lib/conf" not in p)
YACC = glob.glob("lib/conf/*.y")
TEXT = sorted(set(C + YACC + glob.glob("*.5") + glob.glob("*/*.8") + glob.glob("*/*.[158]") +
                  [p for p in ("README", "Makefile", "configure", ".ci/run") if os.path.exists(p)] +
                  [p for p in glob.glob("tests/**/*", recursive=True)
                   if os.path.isfile(p) and re.search(r"\.(sh|py|c)$", p)] +
                  [p for p in glob.glob("etc/**/*", recursive=True) if os.path.isfile(p)]))
PROGRAM_DIRS = ("smtpd", "imapd", "pop3d", "mailctl")
checks = []


def check(fn):
    checks.append(fn)
    return fn


def lines(path):
    with open(path, errors="replace") as f:
        return f.read().split("\n")


def code(path):
    """The text without comments and strings, line for line."""
    t = "\n".join(lines(path))
    t = re.sub(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'',
               lambda m: re.sub(r"[^\n]", " ", m.group(0)), t, flags=re.S)
    return t.split("\n")


@check
def format():
    """KNF as far as a machine can tell without rewriting it."""
    for p in C + YACC:
        off = False
        for n, l in enumerate(lines(p), 1):
            if "clang-format off" in l:
                off = True
            wide = len(l.expandtabs(8))
            if wide > 80:
                yield "%s:%d: %d columns" % (p, n, wide)
            if l.rstrip() != l:
                yield "%s:%d: space at the end of the line" % (p, n)
            if not off and re.match(r" {8}|\t* {1,7}\t", l) and not p.endswith(".y"):
                yield "%s:%d: spaces where a tab is due" % (p, n)
            if "\r" in l:
                yield "%s:%d: carriage return" % (p, n)
        if lines(p)[-1] != "":
            yield "%s: no newline at the end" % p
    for p in C:
        src = code(p)
        for n, l in enumerate(src, 1):
            if re.search(r"\b(if|for|while|switch)\(", l):
                yield "%s:%d: no space after the keyword" % (p, n)
            if re.match(r"(static )?[a-z][\w ]*[\w*] \*?\w+\([^;]*\)$", l) and \
                    n < len(src) and src[n] == "{":
                yield "%s:%d: the return type has a line of its own" % (p, n)
            if re.search(r"\breturn [^(;]", l) and not re.search(r"return \(", l):
                yield "%s:%d: return (value)" % (p, n)


@check
def opening():
    """Every file says first what it is."""
    for p in C:
        if not "\n".join(lines(p)).startswith("/*"):
            yield "%s: no opening comment" % p


@check
def sizes():
    for p in C + YACC:
        n = len(lines(p)) - 1
        if n > FILE_MAX:
            yield "%s: %d lines" % (p, n)
        if p.endswith(".h") and n > HEADER_MAX:
            yield "%s: a header of %d lines" % (p, n)


@check
def functions():
    for p in C:
        start = None
        for n, l in enumerate(code(p), 1):
            if l == "{":
                start = n
            elif l.startswith("}") and start:
                if n - start - 1 > FUNCTION_MAX:
                    yield "%s:%d: a function of %d lines" % (p, start, n - start - 1)
                start = None


@check
def layers():
    """A folder of lib/ includes only itself and folders above it."""
    for p in C + YACC:
        part = p.split("/")
        for n, l in enumerate(lines(p), 1):
            m = re.match(r'#include "([^"]+)"', l)
            if not m or part[0] != "lib":
                continue
            inc = m.group(1).split("/")
            if len(inc) != 2 or inc[0] not in LAYERS:
                yield "%s:%d: includes %s" % (p, n, m.group(1))
            elif part[1] not in LAYERS:
                yield "%s: folder of no layer" % p
            elif LAYERS.index(inc[0]) > LAYERS.index(part[1]) and \
                    not (p == "lib/privsep/supervise.h"):
                yield "%s:%d: %s is below %s" % (p, n, inc[0], part[1])
    for p in glob.glob("lib/*"):
        if os.path.isdir(p) and os.path.basename(p) not in LAYERS:
            yield "%s: folder of no layer" % p


@check
def pure():
    """Syntax folders know no descriptor, no log and no process."""
    bad = re.compile(r"\b(open|openat|read|write|socket|recv|send|printf|fprintf|syslog|exit|"
                     r"abort|fork|getenv|log_\w+|fatalx?)\s*\(")
    for p in C:
        if p.startswith(tuple("lib/%s/" % d for d in PURE)):
            for n, l in enumerate(code(p), 1):
                if bad.search(l) or re.match(r'#include "(log|net|imsg|privsep)/', l):
                    yield "%s:%d: %s" % (p, n, l.strip())


@check
def library():
    """Library code of lib/ below daemon and privsep does not end a process."""
    for p in C:
        part = p.split("/")
        if part[0] == "lib" and part[1] not in ("privsep", "daemon", "log", "auth", "tls", "imsg",
                                                "net", "os"):
            for n, l in enumerate(code(p), 1):
                if re.search(r"(?<![\w.>])(_?exit|fatalx?|log_(warnx?|info|debug|trace))\s*\(", l):
                    yield "%s:%d: %s" % (p, n, l.strip())


@check
def calls():
    """Calls that have a safer form here."""
    bad = re.compile(r"(?<![\w.>])(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|strncpy|"
                     r"strncat|mktemp|tmpnam|system|popen|rand|srand|alloca|bzero)\s*\(")
    for p in C:
        if p.startswith(("lib/",) + PROGRAM_DIRS):
            for n, l in enumerate(code(p), 1):
                if bad.search(l):
                    yield "%s:%d: %s" % (p, n, l.strip())


@check
def words():
    """Nothing is left for later, and nothing speaks of another place."""
    bad = re.compile(r"\b(T" r"ODO|F" r"IXME|X" r"XX|H" r"ACK)\b|not impl" r"emented")
    for p in TEXT:
        for n, l in enumerate(lines(p), 1):
            if bad.search(l.replace("XX" "XXXX", "")):
                yield "%s:%d: %s" % (p, n, l.strip()[:60])


@check
def headers():
    """A header compiles alone; one that exports has one .c or is a table."""
    hs = [p for p in C if p.endswith(".h") and not p.startswith(("tests/",))]

    def compiles(p):
        folder = os.path.dirname(p)
        r = subprocess.run(["cc"] + FLAGS + ["-I" + folder, "-include", p, "/dev/null"],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return p, r.returncode, r.stdout
    with ThreadPoolExecutor(2) as pool:
        for p, rc, out in pool.map(compiles, hs):
            text = "\n".join(lines(p))
            if rc != 0:
                yield "%s: does not compile alone: %s" % (p, out.strip().split("\n")[0])
            if not re.search(r"^#ifndef (\w+_H)\n#define \1$", text, re.M) and \
                    len(lines(p)) > 3:
                yield "%s: no include guard" % p


def keyword_table():
    t = "\n".join(lines("lib/conf/lex.c"))
    m = re.search(r"keywords\[\] = \{(.*?)\n\};", t, re.S)
    return set(re.findall(r'\{ "(\w+)",', m.group(1)))


@check
def keywords():
    """Every word of the parser is in the manual, and the reverse."""
    if not os.path.exists("mail.conf.5"):
        yield "mail.conf.5 is missing"
        return
    man = lines("mail.conf.5")
    shown = set()
    for l in man:
        if re.match(r"\.(It|Ic|Cm|Op|Oo|Xo|Pq|No|Ns|Brq|Bro|Sx)\b", l):
            for m in re.finditer(r"\b(?:Ic|Cm)((?: [^A-Z\s]\S*)+)", l):
                shown |= set(re.findall(r"[a-z][a-z0-9]*", m.group(1)))
    all_words = set(re.findall(r"[a-z][a-z0-9]*", "\n".join(man)))
    table = keyword_table()
    for w in sorted(table - all_words):
        yield "%s: in the parser, not in mail.conf.5" % w
    other = set("s m h d w k g u n smtp tls notls lmtp example".split())
    for w in sorted(shown - table - other):
        yield "%s: in mail.conf.5, not in the parser" % w


def pages():
    return sorted(glob.glob("*.5") + glob.glob("*/*.8") + glob.glob("*/*.1"))


@check
def manuals():
    """The pages are there and mandoc finds nothing to say."""
    for p in ("mail.conf.5", "smtpd/smtpd.8", "imapd/imapd.8", "pop3d/pop3d.8",
              "mailctl/mailctl.8"):
        if not os.path.exists(p):
            yield "%s is missing" % p
    if not shutil.which("mandoc"):
        return
    for p in pages():
        r = subprocess.run(["mandoc", "-T", "lint", "-W", "style", p], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True)
        for l in r.stdout.splitlines():
            # References to pages of this project that are not installed yet.
            if "outdated mandoc.db" not in l and "referenced manual not found" not in l and \
                    "lacks RCS ident" not in l and "Mdocdate" not in l:
                yield l


@check
def processes():
    """PROCESSES of each daemon's page lists the role table as -C prints it."""
    for d in ("smtpd", "imapd", "pop3d"):
        prog, page = "%s/%s" % (d, d), "%s/%s.8" % (d, d)
        if not os.path.exists(prog) or not os.path.exists(page):
            continue
        r = subprocess.run([prog, "-C", "-j", "-f", "/nonexistent"], stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL)
        try:
            table = json.loads(r.stdout)["processes"]
        except (ValueError, KeyError):
            yield "%s -C -j: not the JSON that was expected" % prog
            continue
        text = "\n".join(lines(page))
        m = re.search(r"^\.Sh PROCESSES$(.*?)^\.Sh ", text, re.S | re.M)
        if not m:
            yield "%s: no PROCESSES section" % page
            continue
        rows = [[c.strip() for c in r.split(" Ta ")]
                for r in re.findall(r"^\.It (\w+ Ta .*)$", m.group(1), re.M)]
        want = {p["role"]: p for p in table}
        for role in sorted(set(want) - {r[0] for r in rows}):
            yield "%s: %s is not in the table" % (page, role)
        for r in rows:
            if r[0] == "parent" or r[0].startswith("Sy"):
                continue
            if r[0] not in want:
                yield "%s: describes %s, which there is not" % (page, r[0])
                continue
            w = want[r[0]]
            user = w["user"] if w["user"].startswith("_") else r[1]
            if r[1:] != [user, w["chroot"], w["promises"]]:
                yield "%s: %s is %s | %s | %s" % (page, r[0], user, w["chroot"], w["promises"])


@check
def shell():
    """Shell files parse, and are POSIX as far as dash can tell."""
    for p in TEXT:
        if p.endswith(".sh") or p == ".ci/run":
            r = subprocess.run(["sh", "-n", p], stderr=subprocess.PIPE, text=True)
            if r.returncode != 0:
                yield "%s: %s" % (p, r.stderr.strip())


def cases_of(path):
    """Names of the cases of a Python file of tests/."""
    return set(re.findall(r"^@case.*\n(?:@.*\n)*def (\w+)", "\n".join(lines(path)), re.M))


@check
def incidents():
    """tests/incidents names cases that exist, and some for each class."""
    crash = set(re.findall(r"^Cases: (.*)\.$", "\n".join(lines("tests/crash.py")), re.M)[0].split())
    known = {}
    for n, l in enumerate(lines("tests/incidents"), 1):
        if not l or l.startswith("#"):
            continue
        what, _, names = l.partition(": ")
        if not names.split():
            yield "tests/incidents:%d: no case for %s" % (n, what)
        for name in names.split():
            part, _, case = name.rpartition("/")
            path = "tests/%s.py" % part
            if name.startswith(("regress/", "tests/")):
                found = os.path.exists(name)
            elif part == "crash":
                found = case in crash
            else:
                if path not in known:
                    known[path] = cases_of(path) if os.path.exists(path) else set()
                found = case in known[path]
            if not found:
                yield "tests/incidents:%d: there is no %s" % (n, name)


def main():
    bad = 0
    for fn in checks:
        if sys.argv[1:] and fn.__name__ not in sys.argv[1:]:
            continue
        found = list(fn())
        if not found:
            print("ok lint/" + fn.__name__)
            continue
        bad = 1
        print("not ok lint/%s: %d" % (fn.__name__, len(found)))
        for f in found[:60]:
            print("#   " + f)
    return bad


sys.exit(main())
