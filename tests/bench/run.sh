#!/bin/sh
# run.sh - a short comparison, as root: smtpd with Postfix, imapd and pop3d with
# Dovecot where these are installed, else our own figures alone.
#
# Quote ratios of one run and CPU per operation, never a rate alone.  The full
# series are in the README files of smtp/ and imap/.
set -eu
cd "$(dirname "$0")"
[ "$(id -u)" -eq 0 ] || { echo "bench: as root (cgroups, uids)" >&2; exit 1; }
sh ../users.sh
work=$(mktemp -d /var/tmp/postern-bench.XXXXXX)
chmod 755 "$work"
leave() {
	sh imap/postern.sh stop "$work/imap-a" 2>/dev/null || true
	[ ! -f "$work/imap-b/run/master.pid" ] ||
	    kill "$(cat "$work/imap-b/run/master.pid")" 2>/dev/null || true
	sleep 1
	rm -rf "$work"
}
trap leave EXIT
trap 'exit 1' HUP INT TERM
SMTPBENCH_BUILD=$work/build
export SMTPBENCH_BUILD PYTHONDONTWRITEBYTECODE=1

echo "smtp"
inis=$(sh smtp/postern.sh init "$work/smtp-a")
if command -v postfix >/dev/null; then
	inis="$(sh smtp/anchor-postfix.sh init "$work/smtp-b") $inis"
fi
python3 smtp/compare $inis -m core,latency,relay -r "${ROUNDS:-1}" -s "${SCALE:-0.5}"
python3 smtp/durability "$work/smtp-a/server.ini" -m power -r 1

echo "imap, pop3"
cc -O2 -w -o "$work/mailbench" imap/mailbench.c -lssl -lcrypto -lpthread
python3 imap/mkmail.py corpus "$work/corpus" 10000
for s in a b; do
	python3 imap/mkmail.py tree "$work/corpus" "$work/imap-$s/mail/{user}/Maildir" u%04d \
	    --uid 5000 --gid 5000 --nidle 500 >/dev/null
done
sh imap/postern.sh "$work/imap-a" 21000
ini=
if command -v dovecot >/dev/null; then
	sh imap/anchor-dovecot.sh "$work/imap-b" tuned 22000
	ini=$work/imap-b/server.ini
fi
python3 imap/compare.py --bench "$work/mailbench" -n 1 -d 2 \
    -k '^(login|pop3_session|webmail|warm_10k|append_c|store_c1$)' \
    $ini "$work/imap-a/server.ini"
