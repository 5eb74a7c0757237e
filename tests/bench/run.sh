#!/bin/sh
# run.sh [-s SCALE] [-r ROUNDS] [-n] [GROUP ...] - compare with the anchors.
#
# smtpd with Postfix, imapd and pop3d with Dovecot, from Debian's packages,
# which are installed where they are missing (-n: only our own figures).  The
# servers take turns on the same work.  Without groups a short run of some
# eight minutes.  As root: cgroups, uids, and a file system for "power".
#
# Groups: core latency relay sessions syscalls idle dead big startup accept
# (smtp), power, imap, pop3, cold, imapidle, imapidle2000.
set -eu
cd "$(dirname "$0")"
: "${TOP:=$(cd ../.. && pwd)}"
scale=0.3 rounds=1 anchors=yes
while getopts s:r:n o; do
	case $o in
	s)	scale=$OPTARG ;;
	r)	rounds=$OPTARG ;;
	n)	anchors= ;;
	*)	sed -n 's/^# //p' "$0" | head -1 >&2; exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || set -- core latency relay sessions syscalls power imap pop3
[ "$(id -u)" -eq 0 ] || { echo "bench: as root (cgroups, uids)" >&2; exit 1; }
[ -x "$TOP/smtpd/smtpd" ] || { echo "bench: make first" >&2; exit 1; }

smtp= power= mail= nidle=500
for g; do
	case $g in
	core|latency|relay|sessions|syscalls|idle|dead|big|startup|accept)
		smtp=${smtp:+$smtp,}$g ;;
	power)	power=yes ;;
	imap)	mail="$mail|login|webmail|warm_10k|search_10k|append_c|store_c1\$|bulk" ;;
	pop3)	mail="$mail|pop3" ;;
	cold)	mail="$mail|cold_1" ;;
	imapidle) mail="$mail|idle_500" ;;
	imapidle2000) mail="$mail|idle_2000|idle_tls_2000" nidle=2000 ;;
	*)	echo "bench: no group $g" >&2; exit 2 ;;
	esac
done
sh ../users.sh
[ -z "$anchors" ] || sh ../packages.sh bench peer

work=$(mktemp -d /var/tmp/postern-bench.XXXXXX)
chmod 755 "$work"
leave() {
	trap '' HUP INT TERM
	for pid in "$work"/imap-*/run/*.pid; do
		[ ! -f "$pid" ] || kill "$(cat "$pid")" 2>/dev/null || true
	done
	sleep 1
	rm -rf "$work"
}
trap leave EXIT
trap 'exit 1' HUP INT TERM
SMTPBENCH_BUILD=$work/build TMPDIR=$work PYTHONDONTWRITEBYTECODE=1
export TOP SMTPBENCH_BUILD TMPDIR PYTHONDONTWRITEBYTECODE
bad=0

if [ -n "$smtp$power" ]; then
	ours=$(sh smtp/postern.sh init "$work/smtp-a")
	theirs=
	[ -z "$anchors" ] || theirs=$(sh smtp/anchor-postfix.sh init "$work/smtp-b")
	[ -z "$smtp" ] || python3 smtp/compare $theirs "$ours" -m "$smtp" \
	    -r "$rounds" -s "$scale" || bad=1
	[ -z "$power" ] || python3 smtp/durability "$ours" -m power -r "$rounds" ||
	    bad=1
fi

if [ -n "$mail" ]; then
	cc -O2 -w -o "$work/mailbench" imap/mailbench.c -lssl -lcrypto -lpthread
	python3 imap/mkmail.py corpus "$work/corpus" 10000
	theirs=
	for s in a ${anchors:+b}; do
		python3 imap/mkmail.py tree "$work/corpus" \
		    "$work/imap-$s/mail/{user}/Maildir" u%04d --uid 5000 \
		    --gid 5000 --nidle $nidle >/dev/null
	done
	sh imap/postern.sh "$work/imap-a" 31200
	if [ -n "$anchors" ]; then
		sh imap/anchor-dovecot.sh "$work/imap-b" tuned 31300
		theirs=$work/imap-b/server.ini
	fi
	python3 imap/compare.py --bench "$work/mailbench" -n "$rounds" -d 2 \
	    -k "^(${mail#|})" -x '100k' $theirs "$work/imap-a/server.ini" || bad=1
fi
exit $bad
