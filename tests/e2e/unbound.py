"""A real resolver: a validating unbound before an nsd with signed zones, for MX, PTR and block lists."""
import os, re, shutil, socket, subprocess, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import dns
from lib import *
from peer import Peer

US, MX, GOOD, OTHER = "192.0.2.1", "192.0.2.10", "203.0.113.9", "203.0.113.10"
TOOLS = ("unbound", "nsd", "ldns-keygen", "ldns-signzone")
HERE = all(shutil.which(t) for t in TOOLS) and dns.own_network(US, MX, GOOD, OTHER)

ZONE = """\
$ORIGIN {0}.
$TTL 300
@ SOA ns.{0}. admin.{0}. 1 3600 600 86400 300
@ NS ns.{0}.
ns A 127.0.0.2
@ MX 10 mx.{0}.
mx A 192.0.2.10
null MX 0 .
"""

NSD = """\
server:
	ip-address: 127.0.0.2
	port: 53
	username: ""
	chroot: ""
	zonesdir: "{0}"
	pidfile: "{0}/nsd.pid"
	xfrdfile: ""
	zonelistfile: "{0}/zone.list"
	database: ""
	rrl-ratelimit: 0
remote-control:
	control-enable: no
zone:
	name: "signed.lab"
	zonefile: "signed.lab.signed"
zone:
	name: "bogus.lab"
	zonefile: "bogus.lab.signed"
"""

UNBOUND = """\
server:
	interface: 127.0.0.1
	port: 53
	username: ""
	chroot: ""
	directory: "{0}"
	pidfile: "{0}/unbound.pid"
	use-syslog: no
	logfile: "{0}/unbound.log"
	do-not-query-localhost: no
	module-config: "validator iterator"
	trust-anchor-file: "{0}/anchors"
	local-zone: "113.0.203.in-addr.arpa." transparent
	local-data-ptr: "203.0.113.9 good.lab"
	local-zone: "good.lab." static
	local-data: "good.lab. A 203.0.113.9"
	local-zone: "bl.lab." static
	local-data: "10.113.0.203.bl.lab. A 127.0.0.2"
remote-control:
	control-enable: no
stub-zone:
	name: "signed.lab"
	stub-addr: 127.0.0.2
stub-zone:
	name: "bogus.lab"
	stub-addr: 127.0.0.2
"""


def sign(work, zone):
    """Sign a zone; its DS records become trust anchors."""
    with open("%s/%s" % (work, zone), "w") as f:
        f.write(ZONE.format(zone))
    key = subprocess.run(["ldns-keygen", "-a", "ECDSAP256SHA256", "-k", zone], cwd=work, check=True,
                         stdout=subprocess.PIPE, text=True).stdout.strip()
    subprocess.run(["ldns-signzone", "-o", zone, zone, key], cwd=work, check=True)
    with open(work + "/anchors", "a") as f:
        f.write(slurp("%s/%s.ds" % (work, key)).decode())


def resolver():
    work = os.path.join(s.dir, "names")
    os.mkdir(work)
    for z in ("signed.lab", "bogus.lab"):
        sign(work, z)
    # Somebody on the way points the mail elsewhere: the signature is not his.
    p = work + "/bogus.lab.signed"
    text = slurp(p).decode()
    check("192.0.2.10" in text and "10 mx.bogus.lab" in text, "the signed zone: " + text[:500])
    with open(p, "w") as f:
        f.write(text.replace("192.0.2.10", MX).replace("10 mx.bogus.lab", "9 mx.bogus.lab"))
    for name, conf in (("nsd", NSD), ("unbound", UNBOUND)):
        with open("%s/%s.conf" % (work, name), "w") as f:
            f.write(conf.format(work))
        st, out = run(name, "-c", "%s/%s.conf" % (work, name))
        equal(st, 0, name + ": " + out)
    r = s.write("resolv", "nameserver 127.0.0.1\n")
    subprocess.run(["mount", "--bind", r, "/etc/resolv.conf"], check=True)


def stop(name):
    pid = slurp("%s/names/%s.pid" % (s.dir, name)).decode().strip()
    if pid.isdigit():
        s.kill(int(pid), signal.SIGTERM)


if HERE:
    s = Suite(daemons=("smtpd",), start=False)
    s.configure(rules="""
permit localhost relay
reject any dnsbl "bl.lab" "550 5.7.1 listed"
reject any no rdns "550 5.7.25 no name"
permit any deliver
""", routes="relay any source %s\nqueue retry 1s to 2s lifetime 1h\n" % US,
                listen='listen smtp on "127.0.0.1" port %d\nlisten smtp on "%s" port 2525\n' % (s.ports["smtp"], US))
    peer = Peer(port=25, host=MX)
    resolver()
    s.start()
    atexit.register(stop, "nsd")
    atexit.register(stop, "unbound")


def needed():
    if not HERE:
        skip("needs root, and " + ", ".join(TOOLS))


@case(root=True)
def signed_mx():
    """A signed zone says where its mail goes."""
    needed()
    s.send("joe@signed.lab", "to a signed zone", port="smtp")
    until("the mail", lambda: [m for m in peer.messages if b"to a signed zone" in m], 20)


@case(root=True)
def bogus_mx():
    """An answer whose signature is wrong is none: the mail waits."""
    needed()
    s.log_mark()
    qid = s.send("joe@bogus.lab", "to a forged zone")
    s.log_wait(r"bogus\.lab.*(451|no answer)", 20)
    check(not [m for m in peer.messages if b"to a forged zone" in m], "it was sent where the forgery said")
    st, out = s.ctl("queue", "list")
    check(qid in out, "it is not in the queue any more: " + out)
    s.ctl("queue", "delete", qid)


@case(root=True)
def null_mx():
    """A signed "no mail here" is final."""
    needed()
    s.log_mark()
    s.send("joe@null.signed.lab", "to nobody")
    s.log_wait(r"failed to=<joe@null\.signed\.lab>.*5\.1\.10", 20)


def from_address(addr):
    c = Line.__new__(Line)
    c.s = socket.create_connection((US, 2525), WAIT, (addr, 0))
    c.buf, c.sni, c.context = b"", None, None
    c.hello("good.lab")
    c.cmd("MAIL FROM:<x@good.lab>", "250")
    return c.cmd("RCPT TO:<alice@example.org>")


@case(root=True)
def names_of_clients():
    """FCrDNS and a block list, asked of unbound."""
    needed()
    r = from_address(GOOD)
    check(r.startswith("250"), r)
    r = from_address(OTHER)
    check(r.startswith("550 5.7.1 listed"), r)
    r = from_address(MX)
    check(r.startswith("550 5.7.25"), r)


finish()
