"""The store from outside: quotas, special mailboxes, expiry, and Dovecot's files there and back."""
import imaplib, os, shutil, subprocess, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

PEOPLE = dict(PEOPLE, **{"count@example.org": "{PLAIN}" + PASS + "::::::quota=1m messages=3"})
s = Suite(people=PEOPLE, extra='mailbox quota 20k\nmailbox special "Junk" "Trash"\nmailbox expire "Trash" after 1h\n')
A = "alice@example.org"


def login(user=A):
    c = s.imap()
    c.line()
    c.do('LOGIN %s "%s"' % (user, PASS))
    return c


def append(c, box, text):
    c.write("a APPEND %s {%d}\r\n" % (box, len(text)))
    l = c.line()
    if l.startswith("a NO"):
        return l
    c.write(text + b"\r\n")
    return c.tagged("a")[-1]


@case
def special():
    c = login()
    out = "\n".join(c.do('LIST "" "*"'))
    check("\\Junk" in out and "\\Trash" in out, out)
    check("Trash" in "\n".join(c.do('LSUB "" "*"')), "not subscribed")


@case
def quota():
    c = login()
    small = b"Subject: s\r\n\r\n" + b"x" * 4000 + b"\r\n"
    for i in range(4):
        check("OK" in append(c, "INBOX", small), "below the quota")
    check("[OVERQUOTA]" in append(c, "INBOX", small * 2), "above the quota")
    out = "\n".join(c.do("GETQUOTAROOT INBOX"))
    check("STORAGE" in out and " 20)" in out, out)
    c.do("SELECT INBOX")
    c.do("STORE 1:4 +FLAGS (\\Deleted)")
    c.do("EXPUNGE")
    check("OK" in append(c, "INBOX", small), "there is room again")


@case
def quota_of_messages():
    """A limit to their number beside that of their size."""
    c = login("count@example.org")
    text = b"Subject: s\r\n\r\nx\r\n"
    c.do("CREATE Sent") if "Sent" not in "\n".join(c.do('LIST "" "*"')) else None
    for box in ("INBOX", "INBOX", "Sent"):
        check("OK" in append(c, box, text), "below the quota")
    check("[OVERQUOTA]" in append(c, "INBOX", text), "above the quota")
    c.do("SELECT INBOX")
    check("[OVERQUOTA]" in c.do("COPY 1 Sent", "NO")[-1], "copied")
    check("OK" in c.do("MOVE 1 Sent")[-1], "a move takes no room")
    out = "\n".join(c.do("GETQUOTAROOT INBOX"))
    check("(STORAGE 1 1024 MESSAGE 3 3)" in out, out)
    check("QUOTA=RES-MESSAGE" in "\n".join(c.do("CAPABILITY")), "capability")
    with open(os.path.join(s.maildir("count@example.org"), "maildirsize")) as f:
        equal(f.readline(), "1048576S,3C\n")
    c.do("STORE 1 +FLAGS (\\Deleted)")
    c.do("EXPUNGE")
    check("MESSAGE 2 3" in "\n".join(c.do('GETQUOTA ""')), "expunged")
    check("OK" in append(c, "INBOX", text), "there is room again")


@case
def expiry():
    c = login()
    check("OK" in append(c, "Trash", b"Subject: old\r\n\r\nx\r\n"), "append")
    c.do("LOGOUT")
    d = s.maildir(A)
    s.stop("imapd")
    for n in os.listdir(os.path.join(d, ".Trash")):
        if n.startswith("postern."):
            os.unlink(os.path.join(d, ".Trash", n))
    try:
        os.unlink(os.path.join(d, "postern.care"))
    except FileNotFoundError:
        pass
    s.start("imapd")
    c = login()
    c.do("SELECT Trash")
    check(any("Subject: old" in l for l in c.do("FETCH 1 BODY.PEEK[HEADER]")), "young mail stays")
    c.do("LOGOUT")


def dovecot_conf(d):
    me = "vmail"
    open(os.path.join(d, "dovecot.conf"), "w").write("""base_dir = %s/run
log_path = %s/dovecot.log
mail_location = maildir:%s
mail_uid = %s
mail_gid = %s
first_valid_uid = 1
default_internal_user = %s
default_login_user = %s
ssl = no
protocols = imap
""" % (d, d, s.maildir("bob@example.org"), me, me, me, me))
    return os.path.join(d, "dovecot.conf")


class Preauth(imaplib.IMAP4_stream):
    pass


def dovecot(d):
    """Dovecot's imap on the same Maildir, talked to over a pipe."""
    prog = "/usr/lib/dovecot/imap"
    return imaplib.IMAP4_stream("exec env USER=vmail HOME=%s setpriv --reuid vmail --regid vmail --clear-groups "
                                "%s -c %s 2>%s/err" % (d, prog, dovecot_conf(d), d))


def look(c, seqs="1:*"):
    out = {}
    for l in c.fetch(seqs, "(UID FLAGS)")[1]:
        w = l.decode()
        uid = re.search(r"UID (\d+)", w).group(1)
        out[int(uid)] = set(re.search(r"FLAGS \(([^)]*)\)", w).group(1).split()) - {"\\Recent"}
    return out


@case(root=True)
def dovecot_there_and_back():
    if not os.path.exists("/usr/lib/dovecot/imap"):
        skip("no Dovecot here")
    b = "bob@example.org"
    d = os.path.join(s.dir, "dove")
    os.makedirs(os.path.join(d, "run"))
    run("chown", "-R", "vmail", d)
    for i in range(3):
        s.send(b, "mail %d" % i, "x\r\n")
        s.wait_mail(b, "Subject: mail %d" % i)
    # First Dovecot's: UIDs above 1, flags, a keyword.
    c = dovecot(d)
    c.select("INBOX")
    c.append("INBOX", "(\\Seen)", None, b"Subject: gone\r\n\r\nx\r\n")
    c.store("1", "+FLAGS", "(\\Deleted)")
    c.expunge()
    c.append("INBOX", "(\\Flagged)", None, b"Subject: four\r\n\r\nx\r\n")
    c.select("INBOX")
    c.store("2", "+FLAGS", "(\\Answered Important)")
    validity, before = c.untagged_responses["UIDVALIDITY"][-1], look(c)
    c.logout()
    shutil.rmtree(os.path.join(s.dir, "none"), ignore_errors=True)
    s.stop("imapd", "smtpd")
    for n in os.listdir(s.maildir(b)):
        if n.startswith("postern."):
            os.unlink(os.path.join(s.maildir(b), n))
    s.start("imapd", "smtpd")
    # Then ours.
    o = imaplib.IMAP4("127.0.0.1", s.ports["imap"])
    o.login(b, PASS)
    o.select("INBOX")
    equal(o.untagged_responses["UIDVALIDITY"][-1], validity, "UIDVALIDITY adopted")
    equal(look(o), before, "UIDs, flags and keywords adopted")
    o.append("INBOX", "(\\Draft)", None, b"Subject: five\r\n\r\nx\r\n")
    o.store("1", "+FLAGS", "(\\Flagged Other)")
    o.store("3", "+FLAGS", "(\\Deleted)")
    o.expunge()
    o.select("INBOX")
    mine = look(o)
    o.logout()
    s.stop("imapd")
    # And back.
    c = dovecot(d)
    c.select("INBOX")
    equal(c.untagged_responses["UIDVALIDITY"][-1], validity, "UIDVALIDITY back")
    equal(look(c), mine, "UIDs, flags and keywords back")
    c.append("INBOX", None, None, b"Subject: six\r\n\r\nx\r\n")
    c.select("INBOX")
    theirs = look(c)
    c.logout()
    s.start("imapd")
    o = imaplib.IMAP4("127.0.0.1", s.ports["imap"])
    o.login(b, PASS)
    o.select("INBOX")
    equal(look(o), theirs, "and to us again")
    o.logout()


finish()
