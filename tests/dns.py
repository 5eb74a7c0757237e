"""dns - a name server of a few names, and a network of our own to have it on.

Names are answered from a dictionary {name: {type: [value, ...]}}; what is not
in it does not exist.  A value of MX is (preference, host).  The name's value
may be "fail" (SERVFAIL) or None (no answer).
"""
import ipaddress, os, socket, struct, subprocess, sys, threading

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28}
NAMES = {v: k for k, v in TYPES.items()}


def own_network(*addresses):
    """Run again as root of a network of its own: port 25 and 53 are free there."""
    if os.geteuid() != 0:
        return False
    if not os.environ.get("POSTERN_OWN_NETWORK"):
        os.environ["POSTERN_OWN_NETWORK"] = "1"
        os.execvp("unshare", ["unshare", "-mn", "--propagation", "private", sys.executable] + sys.argv)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for a in addresses:
        more = ["nodad"] if ":" in a else []
        subprocess.run(["ip", "addr", "add", a + ("/128" if ":" in a else "/32"), "dev", "lo"] + more, check=True)
    return True


def wire_name(name):
    return b"".join(bytes([len(l)]) + l.encode() for l in name.strip(".").split(".") if l) + b"\0"


def data(kind, v):
    if kind == "MX":
        return struct.pack(">H", v[0]) + wire_name(v[1])
    if kind in ("A", "AAAA"):
        return ipaddress.ip_address(v).packed
    if kind == "TXT":
        return bytes([len(v)]) + v.encode()
    return wire_name(v)


class Names(threading.Thread):
    """Answers on 127.0.0.1, port 53 unless told; asked[] is what was asked."""

    def __init__(self, zone, port=53, resolv=True):
        super().__init__(daemon=True)
        self.zone, self.asked = zone, []
        self.s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.s.bind(("127.0.0.1", port))
        if resolv:
            p = "/run/postern-resolv.%d" % os.getpid()
            with open(p, "w") as f:
                f.write("nameserver 127.0.0.1\n")
            subprocess.run(["mount", "--bind", p, "/etc/resolv.conf"], check=True)
            os.unlink(p)
        self.start()

    def run(self):
        while True:
            q, peer = self.s.recvfrom(4096)
            a = self.answer(q)
            if a:
                self.s.sendto(a, peer)

    def answer(self, q):
        labels, i = [], 12
        while q[i]:
            labels.append(q[i + 1:i + 1 + q[i]].decode("latin-1").lower())
            i += 1 + q[i]
        kind = NAMES.get(struct.unpack(">H", q[i + 1:i + 3])[0], "?")
        name = ".".join(labels)
        self.asked.append((name, kind))
        rec = self.zone.get(name, {})
        if rec is None:
            return None
        rcode, values = 0, []
        if rec == "fail":
            rcode = 2
        elif not rec and not any(n.endswith("." + name) for n in self.zone) and name:
            rcode = 3
        else:
            values = [(name, kind, v) for v in rec.get(kind, [])]
            if not values and "CNAME" in rec:
                to = rec["CNAME"][0]
                values = [(name, "CNAME", to)] + [(to, kind, v) for v in self.zone.get(to, {}).get(kind, [])]
        out = q[:2] + struct.pack(">HHHHH", 0x8180 | rcode, 1, len(values), 0, 0) + q[12:i + 5]
        for n, k, v in values:
            d = data(k, v)
            out += wire_name(n) + struct.pack(">HHIH", TYPES[k], 1, 300, len(d)) + d
        return out
