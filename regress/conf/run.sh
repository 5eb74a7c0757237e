#!/bin/sh
#
# run.sh [PROGRAM [TOP]]: each NNN-*.in gives its NNN-*.ok, what loads prints
# as what it was read from, and the examples of the manual and etc/mail.conf
# load.  With "-u" before, the .ok files are written instead of compared.
#
# A first line "# mode NNN" of an .in is the mode that it is read with.

update=0
[ "$1" = -u ] && { update=1; shift; }
here=$(cd "$(dirname "$0")" && pwd) || exit 1
prog=${1:-$here/conf}
top=${2:-$here/../..}
case $prog in /*) ;; *) prog=$(pwd)/$prog ;; esac
tmp=$(mktemp -d "${TMPDIR:-/tmp}/conf.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
failed=0
umask 022
cd "$tmp" || exit 1

ok()
{
	echo "ok $1"
}

not_ok()
{
	echo "not ok $1: $2"
	failed=1
}

# file MODE NAME TEXT
file()
{
	printf '%b' "$3" > "etc/$2" && chmod "$1" "etc/$2"
}

mkdir etc
file 644 aliases 'root: alice\n'
file 640 people 'alice@example.org:{PLAIN}x\n'
file 600 secrets 'isp: user:password\n'
file 644 open-secrets 'isp: user:password\n'
file 666 open-table '10.0.0.0/8\n'
file 600 users.db ''
file 644 cert 'certificate\n'
file 600 key 'key\n'
file 640 key-group 'key\n'
file 644 key-open 'key\n'
file 644 nets '# comment\n10.0.0.0/8\n\n\t!10.9.0.0/16 # not these\n::1'
file 644 nets-bad '10.0.0.0/8\n  banana\n10.0.0.1/8 # bits\n'
printf 'network lab { 10.0.0.0/8 }\ninclude "inc2.conf"' > inc.conf
printf 'listen smtp on all' > inc2.conf
printf 'foo bar\nnetwork q { 10.0.0.0/8\n' > inc-bad.conf
printf 'include "loop.conf"\n' > loop.conf
cp inc2.conf inc-open.conf && chmod 666 inc-open.conf
cp inc2.conf inc-group.conf && chmod 664 inc-group.conf
chmod 644 inc.conf inc2.conf inc-bad.conf loop.conf

# round NAME: what was loaded prints and reads back as the same
round()
{
	if "$prog" -r -D "dir=$tmp/etc" mail.conf > diff; then
		ok "$1 again"
	else
		not_ok "$1 again" "$(head -1 diff)"
	fi
}

for in in "$here"/[0-9][0-9][0-9]-*.in; do
	name=$(basename "$in" .in)
	mode=$(sed -n '1s/^# mode //p' "$in")
	rm -f mail.conf
	cp "$in" mail.conf
	chmod "${mode:-600}" mail.conf
	"$prog" -D "dir=$tmp/etc" mail.conf > raw 2>err
	rc=$?
	sed "s|$tmp|DIR|g" raw > got
	if [ $rc -gt 1 ] || [ -s err ]; then
		not_ok "$name" "exit $rc, $(head -1 err)"
		continue
	fi
	if [ $update = 1 ]; then
		cp got "$here/$name.ok"
	elif ! diff -u "$here/$name.ok" got > diff 2>&1; then
		not_ok "$name" "$(grep '^[-+][^-+]' diff | head -1)"
		continue
	fi
	case $name in
	*-e-*)	want=1 ;;
	*)	want=0 ;;
	esac
	if [ $rc -ne $want ]; then
		not_ok "$name" "exit $rc, want $want"
		continue
	fi
	ok "$name"
	[ $rc -eq 0 ] && round "$name"
done

# load NAME: an example, with its files where ours are
load()
{
	sed -e "s|\"/etc/mail/\([a-z]*\)\"|\"$tmp/etc/\1\"|g" \
	    -e "s|cert \"/[^\"]*\"|cert \"$tmp/etc/cert\"|" \
	    -e "s|key \"/[^\"]*\"|key \"$tmp/etc/key\"|" example > mail.conf
	chmod 600 mail.conf
	if ! "$prog" mail.conf > got 2>&1; then
		not_ok "$1" "$(head -1 got)"
		return
	fi
	if grep '^W' got > diff; then
		not_ok "$1" "$(head -1 diff)"
		return
	fi
	ok "$1"
	round "$1"
}

# The configurations under EXAMPLES of the manual, numbered.
awk '/^\.Sh/ { on = $2 == "EXAMPLES" }
    on && /^\.Bd/ { n++; out = "manual." n; next }
    /^\.Ed/ { out = "" }
    on && out != "" { gsub(/\\e/, "\\"); print > out }' "$top/mail.conf.5"
n=0
for f in manual.*; do
	cp "$f" example
	load "mail.conf.5 example ${f#manual.}"
	n=$((n + 1))
done
[ $n -ge 4 ] || not_ok "mail.conf.5 examples" "only $n of them"
{ echo 'hostname "mx.example.org"'; cat "$top/etc/mail.conf"; } > example
load etc/mail.conf

# Every keyword stands in the manual.
sed -n 's/^	{ "\([a-z0-9]*\)", [A-Z0-9]* },$/\1/p' "$top/lib/conf/lex.c" |
    sort > keywords
tr -cs 'a-z0-9' '\n' < "$top/mail.conf.5" | sort -u > words
missing=$(comm -23 keywords words | tr '\n' ' ')
if [ -s keywords ] && [ -z "$missing" ]; then
	ok "keywords in mail.conf.5"
else
	not_ok "keywords in mail.conf.5" "missing: $missing"
fi

exit $failed
