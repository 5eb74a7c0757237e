#!/bin/sh
# postern.sh DIR PORTBASE [NUSERS] - start imapd and pop3d over DIR/mail and
# write DIR/server.ini for compare.py, the way anchor-dovecot.sh does.
# PORTBASE +1 imap +2 imaps +3 pop3 +4 pop3s.  TOP names another built tree.
# postern.sh stop DIR - end them.
# postern.sh cold DIR USER - end the user's sessions that stay for the next
# login, so that nobody has the mailbox open.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
: "${TOP:=$(cd "$here/../../.." && pwd)}" "${MAILUID:=5000}"

# The pids of one user's sessions among the children of our two parents.
sessions() {
	for d in imapd pop3d; do
		ps -o pid= -o args= --ppid "$(cat "$1/run/$d.pid")" |
		    awk -v u="$2" '$3 == "session" && ($4 == u ||
		    index($4, u "@") == 1) { print $1 }'
	done
}

case $1 in
stop)	kill $(cat "$2/run/imapd.pid" "$2/run/pop3d.pid")
	exit ;;
cold)	pids=$(sessions "$2" "$3")
	[ -n "$pids" ] || exit 0
	kill $pids
	for i in 1 2 3 4 5 6 7 8 9 10; do
		[ -n "$(sessions "$2" "$3")" ] || exit 0
		sleep 0.2
	done
	exit 1 ;;
esac
dir=$1 base=$2 nusers=${3:-2100}
mkdir -p "$dir/mail"
chmod 755 "$dir"
chown "$MAILUID:$MAILUID" "$dir/mail"
: >"$dir/people"
chmod 640 "$dir/people"
i=1
while [ $i -le "$nusers" ]; do
	printf 'u%04d:{PLAIN}pw:%s:%s\n' $i "$MAILUID" "$MAILUID"
	i=$((i + 1))
done >"$dir/people"
[ -f "$dir/key.pem" ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
	-nodes -keyout "$dir/key.pem" -out "$dir/cert.pem" -days 365 -subj /CN=localhost 2>/dev/null
chmod 600 "$dir/key.pem"
cat >"$dir/mail.conf" <<E
hostname "localhost"
postmaster "u0001@bench.test"
spool "$dir/spool"
state "$dir/run"
log file "$dir/log"
table people file "$dir/people"
tls "localhost" cert "$dir/cert.pem" key "$dir/key.pem"
auth <people>
listen imap  on "127.0.0.1" port $((base + 1))
listen imaps on "127.0.0.1" port $((base + 2))
listen pop3  on "127.0.0.1" port $((base + 3))
listen pop3s on "127.0.0.1" port $((base + 4))
domain "bench.test" {
	users <people>
	deliver maildir "$dir/mail/%n/Maildir" as vmail
}
limit sessions 20000 per address 20000
E
ulimit -n "$(ulimit -Hn)"
for d in imapd pop3d; do
	"$TOP/$d/$d" -f "$dir/mail.conf" >"$dir/$d.err" 2>&1 ||
	    { cat "$dir/$d.err" "$dir/log" >&2; exit 1; }
done
cat >"$dir/server.ini" <<E
[server]
name = postern
host = 127.0.0.1
imap = $((base + 1))
imaps = $((base + 2))
pop3 = $((base + 3))
pop3s = $((base + 4))
user = u%04d
password = pw
rootpid = $(cat "$dir/run/imapd.pid"),$(cat "$dir/run/pop3d.pid")
maildir = $dir/mail/{user}/Maildir
uid = $MAILUID
gid = $MAILUID
cold_cmd = sh $here/postern.sh cold $dir {user}
E
echo "started: $dir/server.ini"
