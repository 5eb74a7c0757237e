#!/bin/sh
# postern.sh init DIR [PORTBASE] - describe smtpd for the bench: DIR/server.ini.
# postern.sh start|stop|reset DIR - what that description calls.
#
# Ten users with a uid each, the same routes as the other server.  TOP names
# another built tree.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
: "${TOP:=$(cd "$here/../../.." && pwd)}"
what=$1 dir=$2 base=${3:-30600}

init() {
	mkdir -p "$dir"
	chmod 755 "$dir"
	[ -f "$dir/key.pem" ] || openssl req -x509 -newkey ec \
	    -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$dir/key.pem" \
	    -out "$dir/cert.pem" -days 365 -subj /CN=bench.test 2>/dev/null
	chmod 600 "$dir/key.pem"
	pass=$(openssl passwd -6 -salt 'rounds=1000$bench' secret)
	: >"$dir/people"
	chmod 640 "$dir/people"
	i=1
	while [ $i -le 10 ]; do
		echo "u$i@bench.test:$pass:$((6100 + i)):$((6100 + i))"
		i=$((i + 1))
	done >"$dir/people"
	cat >"$dir/mail.conf" <<E
hostname "bench.test"
postmaster "u1@bench.test"
spool "$dir/data/spool"
state "$dir/run"
log file "$dir/log"
table people file "$dir/people"
tls "bench.test" cert "$dir/cert.pem" key "$dir/key.pem"
auth <people>
listen smtp       on "127.0.0.1" port $((base + 25))
listen submission on "127.0.0.1" port $((base + 87))
domain "bench.test" {
	users <people>
	deliver maildir "$dir/data/mail/%n/Maildir" as vmail
}
network here { 127.0.0.0/8 }
permit here relay
permit authenticated relay
relay to "relay.test" via "smtp+notls://127.0.0.1:31025"
relay to "dead.test"  via "smtp+notls://127.0.0.1:31099"
limit sessions 10000 per address 10000
E
	cat >"$dir/server.ini" <<E
[server]
name = postern
start = TOP=$TOP sh $here/postern.sh start $dir
stop = TOP=$TOP sh $here/postern.sh stop $dir
reset = TOP=$TOP sh $here/postern.sh reset $dir
pidfile = $dir/run/smtpd.pid
host = 127.0.0.1
smtp_port = $((base + 25))
submission_port = $((base + 87))
rcpt = u%d@bench.test
users = 10
maildir = $dir/data/mail/u%d/Maildir
data_dir = $dir/data
relay_rcpt = r%d@relay.test
relay_port = 31025
dead_rcpt = d%d@dead.test
auth = u1@bench.test:secret
E
	echo "$dir/server.ini"
}

reset() {
	rm -rf "$dir/data/spool" "$dir/data/mail" "$dir/log"
	mkdir -p "$dir/data/mail"
	chmod 755 "$dir/data" "$dir/data/mail"
	i=1
	while [ $i -le 10 ]; do
		m=$dir/data/mail/u$i
		mkdir -p "$m/Maildir/new" "$m/Maildir/cur" "$m/Maildir/tmp"
		chmod 700 "$m/Maildir" "$m/Maildir"/*
		chown -R $((6100 + i)):$((6100 + i)) "$m"
		i=$((i + 1))
	done
}

case $what in
init)	init ;;
start)	ulimit -n "$(ulimit -Hn)"
	"$TOP/smtpd/smtpd" -f "$dir/mail.conf" >"$dir/err" 2>&1 ;;
stop)	kill "$(cat "$dir/run/smtpd.pid")" ;;
reset)	reset ;;
*)	echo "usage: postern.sh init|start|stop|reset DIR [PORTBASE]" >&2
	exit 2 ;;
esac
