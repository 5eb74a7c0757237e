"""The parameters of DSN and SMTPUTF8 as clients give them."""
import os, re, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

s = Suite(daemons=("smtpd",))
A = "alice@example.org"


def hello():
    c = s.smtp()
    c.hello()
    return c


@case
def mail_parameters():
    for what, code in (("RET=FULL", "250"), ("RET=hdrs", "250"), ("RET=", "501"), ("RET=ALL", "501"), ("RET", "501"),
                       ("RET=FULL RET=FULL", "501"), ("ENVID=QQ314159", "250"), ("ENVID=a+20b", "250"),
                       ("ENVID=" + "e" * 100, "250"), ("ENVID=" + "e" * 101, "501"), ("ENVID=a+2", "501"),
                       ("ENVID=a+0D+0AX-Evil:+20y", "501"), ("ENVID=a+xx", "501"), ("NOTIFY=NEVER", "555"),
                       ("RET=HDRS ENVID=x BODY=8BITMIME SIZE=100", "250")):
        c = hello()
        c.cmd("MAIL FROM:<x@client.example> " + what, code)
        c.close()


@case
def rcpt_parameters():
    c = hello()
    n = 0
    for what, code in (("NOTIFY=NEVER", "250"), ("NOTIFY=SUCCESS,FAILURE,DELAY", "250"), ("notify=delay", "250"),
                       ("NOTIFY=NEVER,DELAY", "501"), ("NOTIFY=", "501"), ("NOTIFY=DELAY,", "501"),
                       ("NOTIFY=SOON", "501"), ("ORCPT=rfc822;bob@client.example", "250"),
                       ("ORCPT=rfc822;a+2Bb@client.example", "250"), ("ORCPT=rfc822", "501"), ("ORCPT=;x", "501"),
                       ("ORCPT=rfc822;x+0D+0Ay", "501"), ("ORCPT=rfc822;" + "o" * 493, "250"),
                       ("ORCPT=rfc822;" + "o" * 494, "501"), ("RET=FULL", "555"), ("SIZE=1", "555"),
                       ("ORCPT=utf-8;\xe4@client.example", "250"), ("ORCPT=rfc822;\xe4@client.example", "501"),
                       ("NOTIFY=SUCCESS ORCPT=rfc822;x@y", "250")):
        if n % 8 == 0:
            c = hello()
            c.cmd("MAIL FROM:<x@client.example>", "250")
        n += 1
        c.write(("RCPT TO:<%s> %s\r\n" % (A, what)).encode())
        c.expect(code)


@case
def utf8_addresses():
    """Only with SMTPUTF8; a domain in UTF-8 is the one of the DNS."""
    c = hello()
    c.write("MAIL FROM:<müller@client.example>\r\n".encode())
    c.expect("553 5.6.7")
    c.cmd("MAIL FROM:<x@client.example>", "250")
    c.write("RCPT TO:<müller@example.org>\r\n".encode())
    c.expect("553 5.6.7")
    c.cmd("RSET", "250")
    c.write("MAIL FROM:<müller@bücher.example> SMTPUTF8\r\n".encode())
    c.expect("250")
    c.write("RCPT TO:<müller@example.org>\r\n".encode())
    c.expect("550")
    c.write(b"RCPT TO:<m\xfcller@example.org>\r\n")
    c.expect("501")
    c.write("RCPT TO:<%s>\r\n" % A)
    c.expect("250")
    c.cmd("DATA", "354")
    c.write("Subject: grüße dsn\r\n\r\nx\r\n.\r\n".encode())
    c.expect("250")
    t = slurp(s.wait_mail(A, "e dsn")[0])
    check(b"with UTF8SMTP " in t, t[:600])
    check("Return-Path: <müller@xn--bcher-kva.example>".encode() in t, t[:300])


@case
def pipelined_with_parameters():
    c = hello()
    c.write("MAIL FROM:<x@client.example> RET=HDRS ENVID=e1\r\nRCPT TO:<%s> NOTIFY=NEVER\r\n"
            "RCPT TO:<bob@example.org> NOTIFY=FAILURE ORCPT=rfc822;b@c\r\nDATA\r\n" % A)
    for code in ("250", "250", "250", "354"):
        c.expect(code)
    c.write("Subject: with parameters\r\n\r\n.\r\n")
    c.expect("250")
    s.wait_mail(A, "Subject: with parameters")
    s.wait_mail("bob@example.org", "Subject: with parameters")


@case
def codes_on_every_reply():
    """RFC 2034: but not in the greeting, after EHLO, 354 and 334."""
    c = s.smtp()
    check(re.match(r"220 \w+\.", c.expect("220")), "greeting")
    for cmd in ("FOO", "MAIL FROM:<x@y>", "EHLO x", "HELP", "VRFY x", "EXPN x", "NOOP", "RSET", "RCPT TO:<x@y>",
                "DATA", "TURN", "MAIL FROM:<x@client.example>", "RCPT TO:<%s>" % A, "RCPT TO:<x@elsewhere.example>",
                "BDAT 0", "DATA", "RSET", "AUTH FOO", "AUTH", "STARTTLS x", "HELO", "QUIT"):
        r = c.cmd(cmd)
        if cmd.startswith("EHLO"):
            continue
        for l in r.split("\n"):
            check(re.match(r"([245])\d\d[ -]\1\.\d{1,3}\.\d{1,3} ", l), "%s: %r" % (cmd, l))


finish()
