#!/bin/sh
# users.sh - add the system accounts that are missing (as root).
#
# One account a role, none with a shell, a password or a home to write to.
# _mailauth is also in the group that may read the password hashes (Linux:
# shadow; OpenBSD: _shadow).  vmail owns the mailboxes of virtual users.
set -eu

accounts="_smtpd _imapd _pop3d _mailauth _mailkey _maillook _maildns _mailq
    _mailout _mailsub _mailwatch"
empty=/var/empty

[ "$(id -u)" -eq 0 ] || { echo "users.sh: run me as root" >&2; exit 1; }

add_linux() {
	getent group "$1" >/dev/null || groupadd --system "$1"
	getent passwd "$1" >/dev/null || useradd --system --no-create-home \
	    --gid "$1" --home-dir "$2" --shell /usr/sbin/nologin \
	    --comment "Postern" "$1"
}

add_freebsd() {
	pw groupshow "$1" >/dev/null 2>&1 || pw groupadd "$1"
	pw usershow "$1" >/dev/null 2>&1 || pw useradd "$1" -g "$1" -d "$2" \
	    -s /usr/sbin/nologin -c "Postern" -w no
}

add_openbsd() {
	groupinfo -e "$1" || groupadd "$1"
	userinfo -e "$1" || useradd -g "$1" -d "$2" -s /sbin/nologin \
	    -c "Postern" -L daemon "$1"
}

case $(uname -s) in
Linux)	os=linux ;;
FreeBSD) os=freebsd ;;
OpenBSD) os=openbsd ;;
*)	echo "users.sh: no recipe for $(uname -s); add:" $accounts vmail >&2
	exit 1 ;;
esac

# The empty root of the processes that need no file.
[ -d "$empty" ] || mkdir -m 0555 "$empty"

for a in $accounts; do
	"add_$os" "$a" "$empty"
done
"add_$os" vmail /var/mail
case $os in
linux)	id -nG _mailauth | tr ' ' '\n' | grep -qx shadow ||
	    usermod -a -G shadow _mailauth ;;
openbsd) id -nG _mailauth | tr ' ' '\n' | grep -qx _shadow ||
	    usermod -G _shadow _mailauth ;;
esac
