#!/bin/sh
# anchor-postfix.sh init DIR [PORTBASE] [tuned|default] - a private Postfix to
# compare with: DIR/server.ini.  start|stop|reset DIR are called by it.
#
# tuned: no delays, more processes and concurrency, no names looked up; virtual(8)
# delivers to Maildirs with a uid per user.  default: Debian's values apart
# from paths, ports, maps and routes.  Nothing outside DIR is touched.  AUTH
# is asked of a private Dovecot where there is one, else left out.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
what=$1 dir=$2 base=${3:-30800} variant=${4:-tuned}

init() {
	command -v postfix >/dev/null || { echo "no postfix here" >&2; exit 1; }
	mkdir -p "$dir/etc" "$dir/lib"
	chmod 755 "$dir" "$dir/etc"
	chown postfix "$dir/lib"
	[ -f "$dir/key.pem" ] || openssl req -x509 -newkey ec \
	    -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$dir/key.pem" \
	    -out "$dir/cert.pem" -days 365 -subj /CN=bench.test 2>/dev/null
	chmod 600 "$dir/key.pem"
	: >"$dir/etc/boxes"
	: >"$dir/etc/uids"
	i=1
	while [ $i -le 10 ]; do
		echo "u$i@bench.test u$i/Maildir/" >>"$dir/etc/boxes"
		echo "u$i@bench.test $((6000 + i))" >>"$dir/etc/uids"
		i=$((i + 1))
	done
	printf 'relay.test smtp:[127.0.0.1]:31025\ndead.test smtp:[127.0.0.1]:31099\n' \
	    >"$dir/etc/transport"
	cat >"$dir/etc/main.cf" <<E
compatibility_level = 3.6
queue_directory = $dir/data/queue
data_directory = $dir/lib
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = bench.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = bench.test
virtual_mailbox_base = $dir/data/mail
virtual_mailbox_maps = hash:$dir/etc/boxes
virtual_uid_maps = hash:$dir/etc/uids
virtual_gid_maps = hash:$dir/etc/uids
transport_maps = hash:$dir/etc/transport
smtpd_tls_cert_file = $dir/cert.pem
smtpd_tls_key_file = $dir/key.pem
smtpd_tls_security_level = may
smtpd_relay_restrictions = permit_mynetworks, reject
maillog_file_prefixes = $dir
maillog_file = $dir/log
E
	auth=
	if command -v dovecot >/dev/null; then
		auth="auth = u1@bench.test:secret"
		dovecot_conf
		cat >>"$dir/etc/main.cf" <<E
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:$((base + 88))
smtpd_sasl_security_options = noanonymous
E
	fi
	smtpd=- virtual=-
	if [ "$variant" = tuned ]; then
		smtpd=6000 virtual=20
		cat >>"$dir/etc/main.cf" <<E
in_flow_delay = 0
default_process_limit = 200
default_destination_concurrency_limit = 50
initial_destination_concurrency = 20
qmgr_message_active_limit = 60000
qmgr_message_recipient_limit = 60000
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
E
	fi
	cat >"$dir/etc/master.cf" <<E
127.0.0.1:$((base + 25)) inet n - n - $smtpd smtpd
127.0.0.1:$((base + 87)) inet n - n - $smtpd smtpd
pickup    unix n - n 60 1 pickup
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
tlsmgr    unix - - n 1000? 1 tlsmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
verify    unix - - n - 1 verify
flush     unix n - n 1000? 0 flush
smtp      unix - - n - - smtp
relay     unix - - n - - smtp
error     unix - - n - - error
retry     unix - - n - - error
discard   unix - - n - - discard
virtual   unix - n n - $virtual virtual
anvil     unix - - n - 1 anvil
scache    unix - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
E
	for m in boxes uids transport; do
		postmap -c "$dir/etc" "hash:$dir/etc/$m"
	done
	cat >"$dir/server.ini" <<E
[server]
name = postfix-$variant
start = sh $here/anchor-postfix.sh start $dir
stop = sh $here/anchor-postfix.sh stop $dir
reset = sh $here/anchor-postfix.sh reset $dir
flush = postfix -c $dir/etc flush
pidfile = $dir/data/queue/pid/master.pid
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
$auth
E
	echo "$dir/server.ini"
}

# Only the answering of "is this the password?"; the same hash as ours.
dovecot_conf() {
	mkdir -p "$dir/auth"
	echo "u1@bench.test:{CRYPT}$(openssl passwd -6 -salt 'rounds=1000$bench' secret)" \
	    >"$dir/auth/passwd"
	chmod 644 "$dir/auth/passwd"
	cat >"$dir/auth/dovecot.conf" <<E
protocols =
base_dir = $dir/auth/run
state_dir = $dir/auth/run
log_path = $dir/auth/log
ssl = no
auth_cache_size = 16M
passdb {
  driver = passwd-file
  args = $dir/auth/passwd
}
userdb {
  driver = static
  args = uid=6000 gid=6000 home=/nonexistent
}
service auth {
  inet_listener {
    address = 127.0.0.1
    port = $((base + 88))
  }
}
E
}

reset() {
	rm -rf "$dir/data/queue" "$dir/data/mail"
	mkdir -p "$dir/data/queue" "$dir/data/mail"
	chmod 755 "$dir/data" "$dir/data/mail" "$dir/data/queue"
	i=1
	while [ $i -le 10 ]; do
		m=$dir/data/mail/u$i
		mkdir -p "$m/Maildir/new" "$m/Maildir/cur" "$m/Maildir/tmp"
		chown -R $((6000 + i)):$((6000 + i)) "$m"
		i=$((i + 1))
	done
}

case $what in
init)	init ;;
start)	ulimit -n "$(ulimit -Hn)"
	[ ! -d "$dir/auth" ] || dovecot -c "$dir/auth/dovecot.conf"
	# The queue's folders are made by "check".
	postfix -c "$dir/etc" check && postfix -c "$dir/etc" start ;;
stop)	if [ -f "$dir/auth/run/master.pid" ]; then
		kill "$(cat "$dir/auth/run/master.pid")"
	fi
	postfix -c "$dir/etc" stop ;;
reset)	reset ;;
*)	echo "usage: anchor-postfix.sh init|start|stop|reset DIR [PORTBASE] [VARIANT]" >&2
	exit 2 ;;
esac
