#!/bin/sh
# install.sh install|uninstall - with PREFIX, SYSCONFDIR and DESTDIR.
#
# Installs programs, manuals, start scripts of this system, and a sample
# mail.conf beside the real one, which is never touched.  The per-user
# programs go to PREFIX/libexec/postern, where the daemons look for them.
set -eu
umask 022
: "${PREFIX:=/usr/local}" "${SYSCONFDIR:=/etc}" "${DESTDIR:=}"
cd "$(dirname "$0")/.."
sbin=$DESTDIR$PREFIX/sbin
bin=$DESTDIR$PREFIX/bin
libexec=$DESTDIR$PREFIX/libexec/postern
man=$DESTDIR$PREFIX/share/man
mail=$DESTDIR$SYSCONFDIR/mail
units=$DESTDIR$PREFIX/lib/systemd/system
sysusers=$DESTDIR$PREFIX/lib/sysusers.d
daemons="smtpd imapd pop3d"
peruser="smtpd/smtpd-deliver smtpd/smtpd-pipe smtpd/smtpd-submit
    imapd/imapd-session pop3d/pop3d-session"

# A build that skips the sandbox must never serve anybody.
refuse_relaxed() {
	for p in smtpd/smtpd imapd/imapd pop3d/pop3d $peruser; do
		if grep -q 'built with SANDBOX_TEST_RELAX' "$p"; then
			echo "install: $p was built without its sandbox, for" \
			    "tests only; run make clean and make" >&2
			exit 1
		fi
	done
}

# The paths are built in.
refuse_elsewhere() {
	if ! grep -qF "$PREFIX/libexec/postern" smtpd/smtpd ||
	    ! grep -qF "$SYSCONFDIR/mail/mail.conf" smtpd/smtpd; then
		echo "install: these programs were built for other" \
		    "directories; run make clean and make PREFIX=$PREFIX" \
		    "SYSCONFDIR=$SYSCONFDIR" >&2
		exit 1
	fi
}

put() {
	mode=$1 from=$2 to=$3
	mkdir -p "$(dirname "$to")"
	cp "$from" "$to.new"
	chmod "$mode" "$to.new"
	mv "$to.new" "$to"
	echo "$to"
}

link() {
	mkdir -p "$(dirname "$2")"
	ln -sf "$1" "$2"
	echo "$2"
}

# Paths in start scripts are those of this installation.
put_script() {
	mkdir -p "$(dirname "$3")"
	sed "s|/usr/local/sbin|$PREFIX/sbin|g; s|/etc/mail|$SYSCONFDIR/mail|g" \
	    "$2" >"$3.new"
	chmod "$1" "$3.new"
	mv "$3.new" "$3"
	echo "$3"
}

do_install() {
	refuse_relaxed
	refuse_elsewhere
	for d in $daemons; do
		put 755 "$d/$d" "$sbin/$d"
		put 644 "$d/$d.8" "$man/man8/$d.8"
		case $(uname -s) in
		Linux)
			put_script 644 "etc/systemd/$d.service" \
			    "$units/$d.service" ;;
		*)
			put_script 755 "etc/rc.d/$d" \
			    "$DESTDIR$SYSCONFDIR/rc.d/$d" ;;
		esac
	done
	for p in $peruser; do
		# Not to be read: a process of such a file is not dumpable
		# from its first instruction on, not even by its user.
		put 711 "$p" "$libexec/$(basename "$p")"
	done
	put 755 mailctl/mailctl "$sbin/mailctl"
	put 644 mailctl/mailctl.8 "$man/man8/mailctl.8"
	# Programs look for it in /usr/sbin: see sendmail.8.
	link ../sbin/mailctl "$sbin/sendmail"
	link ../sbin/mailctl "$bin/mailq"
	link ../sbin/mailctl "$bin/newaliases"
	put 644 mailctl/sendmail.8 "$man/man8/sendmail.8"
	put 644 mail.conf.5 "$man/man5/mail.conf.5"
	put 644 etc/mail.conf "$mail/mail.conf.sample"
	if [ "$(uname -s)" = Linux ]; then
		put 644 etc/postern.sysusers "$sysusers/postern.conf"
	fi
	if [ ! -e "$mail/mail.conf" ]; then
		echo "write $SYSCONFDIR/mail/mail.conf; mail.conf.sample shows how"
	fi
	echo "\"make users\" adds the system accounts"
}

do_uninstall() {
	for d in $daemons; do
		rm -f "$sbin/$d" "$man/man8/$d.8" "$units/$d.service"
		[ "$(uname -s)" = Linux ] || rm -f "$DESTDIR$SYSCONFDIR/rc.d/$d"
	done
	for p in $peruser; do
		rm -f "$libexec/$(basename "$p")"
	done
	rmdir "$libexec" 2>/dev/null || :
	rm -f "$sbin/sendmail" "$bin/mailq" "$bin/newaliases" \
	    "$man/man8/sendmail.8"
	rm -f "$sbin/mailctl" "$man/man8/mailctl.8" "$man/man5/mail.conf.5" \
	    "$mail/mail.conf.sample" "$sysusers/postern.conf"
	echo "removed; mail.conf, spool, mailboxes and accounts stay"
}

case ${1:-} in
install) do_install ;;
uninstall) do_uninstall ;;
*) echo "usage: install.sh install|uninstall" >&2; exit 2 ;;
esac
