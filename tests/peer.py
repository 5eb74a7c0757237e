"""peer - servers that mail is sent to, as the tests want them."""
import contextlib, os, socket, threading

from lib import free_port


class Peer(threading.Thread):
    """A server that says what it is told: for each command word, a reply.

    path: a local socket; context: TLS after STARTTLS.  A reply may be a
    function of the command line.
    """

    def __init__(self, replies=None, port=None, path=None, context=None, host="127.0.0.1"):
        super().__init__(daemon=True)
        self.replies = dict(EHLO="250-peer\r\n250-PIPELINING\r\n250 8BITMIME\r\n", HELO="250 peer\r\n",
                            MAIL="250 ok\r\n", RCPT="250 ok\r\n", DATA="354 go\r\n", DOT="250 taken\r\n",
                            QUIT="221 bye\r\n", RSET="250 ok\r\n", BANNER="220 peer\r\n")
        self.replies["LHLO"] = self.replies["EHLO"]
        self.replies.update(replies or {})
        self.messages, self.commands, self.raw, self.connections = [], [], [], 0
        self.open, self.most = 0, 0         # connections at a time
        self.context, self.lmtp, self.port, self.path = context, False, None, path
        if path:
            self.l = socket.socket(socket.AF_UNIX)
            self.l.bind(path)
            os.chmod(path, 0o777)
        else:
            self.port = port or free_port()
            self.l = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
            self.l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.l.bind((host, self.port))
        self.l.listen(20)
        self.start()

    def run(self):
        while True:
            try:
                c, _ = self.l.accept()
            except OSError:
                return
            self.connections += 1
            self.open += 1
            self.most = max(self.most, self.open)
            threading.Thread(target=self.serve, args=(c,), daemon=True).start()

    def say(self, c, word, line=b""):
        r = self.replies.get(word, "500 what\r\n")
        if callable(r):
            r = r(line) if r.__code__.co_argcount else r()
        if r is None:
            raise OSError
        c.sendall(r.encode("latin-1") if isinstance(r, str) else r)

    def content(self, c, f, rcpts):
        """Lines up to the dot, then a reply, for LMTP one a recipient."""
        text = []
        while True:
            l = f.readline(1 << 20)
            if not l:
                return False
            if l == b".\r\n":
                break
            text.append(l)
        self.raw.append(b"".join(text))
        for r in rcpts if self.lmtp else [b""]:
            self.say(c, "DOT", r)
        self.messages.append(b"".join(l[1:] if l.startswith(b".") else l for l in text))
        return True

    def serve(self, c):
        try:
            f, rcpts = c.makefile("rb"), []
            self.say(c, "BANNER")
            while True:
                l = f.readline(1 << 20)
                if not l:
                    return
                self.commands.append(l)
                word = l.split()[0].decode("latin-1").upper() if l.split() else ""
                self.lmtp |= word == "LHLO"
                if word == "BDAT":
                    self.messages.append(f.read(int(l.split()[1])))
                self.say(c, word, l)
                if word == "MAIL":
                    rcpts = []
                if word == "RCPT" and "550" not in str(self.replies["RCPT"]):
                    rcpts.append(l)
                if word == "STARTTLS" and self.context:
                    c = self.context.wrap_socket(c, server_side=True)
                    f = c.makefile("rb")
                if word == "DATA" and str(self.replies["DATA"]).startswith("354"):
                    if not self.content(c, f, rcpts):
                        return
                if word == "QUIT":
                    return
        except OSError:
            pass
        finally:
            self.open -= 1
            c.close()

    def close(self):
        with contextlib.suppress(OSError):
            self.l.shutdown(socket.SHUT_RDWR)   # wakes accept()
        self.l.close()
