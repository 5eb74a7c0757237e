#!/bin/sh
# probe: what this machine has, as assignments for the Makefile.
#
#	CC=... CFLAGS=... sh lib/os/probe.sh > config.mk
#
# Assignments go to stdout, everything else to stderr.  A library or a security
# primitive that is missing ends it with exit 1 and one message that says what
# to install.
#
# Flags are lists of words, to be split:
# shellcheck disable=SC2086,SC2153

CC=${CC:-cc}
PKG_CONFIG=${PKG_CONFIG:-pkg-config}
sys=$(uname -s)
dir=$(mktemp -d "${TMPDIR:-/tmp}/probe.XXXXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT PIPE TERM
missing=

# links FLAGS...: the program in t.c compiles and links
links()
{
	$CC -D_GNU_SOURCE $CFLAGS $LDFLAGS -o "$dir/t" "$dir/t.c" "$@" \
	    >"$dir/log" 2>&1
}

runs()
{
	links "$@" && "$dir/t" >>"$dir/log" 2>&1
}

program()
{
	cat >"$dir/t.c"
}

# pkg WHAT NAME DEFAULT: flags from pkg-config, or the usual ones
pkg()
{
	if $PKG_CONFIG --exists "$2" 2>/dev/null; then
		$PKG_CONFIG "--$1" "$2" | sed 's/ *$//'
	else
		echo "$3"
	fi
}

# library VAR pkg-name -lname header symbol debian openbsd freebsd
library()
{
	libs=$(pkg libs "$2" "$3")
	cflags=$(pkg cflags "$2" "")
	printf '#include <stddef.h>\n#include <stdio.h>\n%s\n%s\n' \
	    "#include <$4>" \
	    "int main(void) { return ((void *)&$5 == NULL); }" | program
	if links $cflags $libs; then
		echo "$1_LIBS=	$libs"
		found="$found $cflags"
		return 0
	fi
	cp "$dir/log" "$dir/log.missing"
	missing="$missing
  $4 ($3): Debian $6, OpenBSD $7, FreeBSD $8"
	return 1
}

# flags VAR FLAG...: the ones that this compiler takes
flags()
{
	var=$1; shift
	ok=
	for f in "$@"; do
		links -Werror $f && ok="$ok $f"
	done
	echo "$var=	${ok# }"
}

program <<'EOF'
int main(void) { return (0); }
EOF
if ! links; then
	cat "$dir/log" >&2
	echo "probe: the compiler ($CC) makes no programs" >&2
	exit 1
fi

echo "# made by lib/os/probe.sh on $sys"
echo "CC=	$CC"

found=
# libbsd is needed where libc has no strlcpy and friends of its own.
case $sys in
Linux)
	library BSD libbsd -lbsd bsd/string.h strlcpy libbsd-dev - -
	;;
*)
	echo "BSD_LIBS="
	;;
esac
library EVENT libevent_core -levent_core event2/event.h event_base_new \
    libevent-dev libevent libevent
library TLS libtls -ltls tls.h tls_init \
    libtls-dev "(base system)" libretls
tls_libs=$libs
library CRYPTO libcrypto -lcrypto openssl/evp.h EVP_DigestInit_ex \
    libssl-dev "(base system)" "(base system)"
crypto_libs=$libs
library UNBOUND libunbound -lunbound unbound.h ub_resolve \
    libunbound-dev libunbound unbound
unbound_libs=$libs
library SQLITE sqlite3 -lsqlite3 sqlite3.h sqlite3_open_v2 \
    libsqlite3-dev sqlite3 sqlite3
library Z zlib -lz zlib.h deflate zlib1g-dev "(base system)" "(base system)"
library UTF8PROC libutf8proc -lutf8proc utf8proc.h utf8proc_totitle \
    libutf8proc-dev utf8proc utf8proc
case $sys in
OpenBSD)
	echo "CRYPT_LIBS="	# crypt_checkpass is in libc
	;;
Linux)
	library CRYPT libcrypt -lcrypt crypt.h crypt_r \
	    libcrypt-dev "(base system)" "(base system)"
	;;
*)
	library CRYPT libcrypt -lcrypt unistd.h crypt - - "(base system)"
	;;
esac
if [ -n "$missing" ]; then
	sed 's/^/probe: /' "$dir/log.missing" | tail -3 >&2
	echo "probe: these libraries are missing, install:$missing" >&2
	exit 1
fi

# libunbound with libevent: without it the dns process would need threads.
program <<'EOF'
#include <stddef.h>
#include <unbound.h>
#include <unbound-event.h>
int main(void) { return ((void *)&ub_ctx_create_event == NULL); }
EOF
if ! links $found $unbound_libs; then
	echo "probe: libunbound has no ub_ctx_create_event()" \
	    "(unbound-event.h): build it with --with-libevent" \
	    "--enable-event-api; Debian's libunbound-dev has it" >&2
	exit 1
fi

# Private keys stay in the signer because net can be given a fake one.
program <<'EOF'
#include <stddef.h>
struct tls_config;
void tls_config_use_fake_private_key(struct tls_config *);
int main(void) { return ((void *)&tls_config_use_fake_private_key == NULL); }
EOF
if ! links $found $tls_libs $crypto_libs; then
	echo "probe: libtls has no tls_config_use_fake_private_key():" \
	    "the network processes would have to hold private keys." \
	    "Use LibreSSL's libtls or libretls 3.5 or later" \
	    "(Debian: libtls-dev)" >&2
	exit 1
fi

# What sandbox_enter() is made of.
case $sys in
Linux)
	program <<'EOF'
#include <linux/seccomp.h>
#include <linux/filter.h>
#include <linux/audit.h>
#include <sys/syscall.h>
#include <sys/mman.h>
int main(void)
{
	return (SYS_seccomp + SYS_getrandom + SYS_memfd_create +
	    SYS_copy_file_range + (int)MFD_ALLOW_SEALING == 0 ||
	    SECCOMP_RET_KILL_PROCESS == 0 ||
	    SECCOMP_FILTER_FLAG_TSYNC == 0);
}
EOF
	if ! links; then
		cat "$dir/log" >&2
		echo "probe: the kernel's headers have no seccomp filters:" \
		    "install linux-libc-dev of Linux 5.10 or later" >&2
		exit 1
	fi
	;;
esac

program <<'EOF'
int main(void) { return (0); }
EOF
flags HARDEN_CFLAGS -fstack-protector-strong -fstack-clash-protection \
    -fcf-protection -mbranch-protection=standard -fPIE \
    -fno-strict-overflow
# FORTIFY_SOURCE warns without optimization and cannot be set twice.
case "$CFLAGS" in
*_FORTIFY_SOURCE* | *-fsanitize* | *-O0*)
	;;
*)
	if links -Werror -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2; then
		echo "HARDEN_CPPFLAGS=	-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"
	fi
	;;
esac
flags HARDEN_LDFLAGS "-fPIE -pie" "-Wl,-z,relro,-z,now" "-Wl,-z,noexecstack"

# Session processes are small if they are static; position independent still.
program <<'EOF'
#include <event2/event.h>
#ifdef __linux__
#include <bsd/string.h>
#else
#include <string.h>
#endif
int main(void)
{
	struct event_base *b;
	char s[4];

	strlcpy(s, "x", sizeof(s));
	if ((b = event_base_new()) == NULL)
		return (1);
	event_base_free(b);
	return (0);
}
EOF
static_libs="-levent_core"
if [ "$sys" = Linux ]; then
	static_libs="-levent_core -lbsd -lmd"
fi
case "$CFLAGS$LDFLAGS" in
*-fsanitize*)
	static_ok=0
	;;
*)
	static_ok=0
	for f in -static-pie "-static -pie"; do
		if runs -fPIE $f $static_libs; then
			static_ok=1
			break
		fi
	done
	;;
esac
# libevent's resolver is linked in and never called (the sandbox has no socket
# for it); glibc's linker would warn of it at each build.
if [ $static_ok = 1 ] && runs -fPIE $f -Wl,--no-warnings $static_libs; then
	f="$f -Wl,--no-warnings"
fi
if [ $static_ok = 1 ]; then
	echo "STATIC_LDFLAGS=	$f"
	echo "STATIC_LIBS=	$static_libs"
else
	echo "STATIC_LDFLAGS="
	echo "STATIC_LIBS="
fi

# Any yacc: the grammar is written for byacc and bison alike.
printf '%%%%\ns:;\n%%%%\n' >"$dir/t.y"
yacc=
for y in "${YACC:-byacc}" byacc yacc "bison -y"; do
	if (cd "$dir" && $y -d t.y) >/dev/null 2>&1 &&
	    [ -s "$dir/y.tab.c" ]; then
		yacc=$y
		break
	fi
done
if [ -z "$yacc" ]; then
	echo "probe: no yacc found, install byacc or bison" >&2
	exit 1
fi
echo "YACC=	$yacc"
echo "PKG_CFLAGS=" $found
exit 0
