#!/bin/sh
#
# run.sh: the messages of each daemon as -C prints them are what is kept here,
# so that who widens a boundary has to change a line of an .contract file.
# With "-u" the files are written instead of compared.

here=$(cd "$(dirname "$0")" && pwd) || exit 1
top=$here/../..
tmp=$(mktemp -d "${TMPDIR:-/tmp}/contract.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
failed=0

for daemon in smtpd imapd pop3d; do
	"$top/$daemon/$daemon" -C 2>"$tmp/err" |
	    sed '1,/^messages$/d' >"$tmp/got"
	if [ "$1" = -u ]; then
		cp "$tmp/got" "$here/$daemon.contract"
	elif [ ! -s "$tmp/got" ]; then
		echo "not ok $daemon.contract: $(head -1 "$tmp/err")"
		failed=1
	elif diff -u "$here/$daemon.contract" "$tmp/got" >"$tmp/diff"; then
		echo "ok $daemon.contract"
	else
		echo "not ok $daemon.contract:" \
		    "$(grep '^[-+][^-+]' "$tmp/diff" | head -1)"
		grep '^[-+][^-+]' "$tmp/diff" | sed 's/^/# /'
		failed=1
	fi
done
exit $failed
