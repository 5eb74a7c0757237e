#!/bin/sh
# sanitize.sh [PART ...] - the tests under AddressSanitizer and UBSan.
#
# Builds a copy of the tree with clang and without the sandbox's filter, which
# the sanitizers' runtime does not fit into (the processes, their uids and
# their contract stay as they are), and runs tests/run.sh in it; without PART:
# regress and e2e.  A finding is a failure of the case that it happens in: the
# process aborts, and its report is in the log.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d "${TMPDIR:-/tmp}/postern-sanitize.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
chmod 755 "$work"
tar cf - --exclude .git --exclude '*.o' --exclude '*.a' --exclude config.mk \
    . | (cd "$work" && tar xf -)
cd "$work"
: "${MAKE:=make}"
san="-fsanitize=address,undefined -fno-sanitize-recover=undefined"
$MAKE clean >/dev/null
$MAKE -j2 CC=clang CFLAGS="-O1 -g -fno-omit-frame-pointer $san \
-DSANDBOX_TEST_RELAX" LDFLAGS="$san" all >"$work/build.log" 2>&1 &&
    $MAKE -j2 CC=clang CONFIG=config.mk CFLAGS="-O1 -g \
-fno-omit-frame-pointer $san -DSANDBOX_TEST_RELAX" LDFLAGS="$san" \
    regress-programs >>"$work/build.log" 2>&1 || {
	tail -n 20 "$work/build.log"
	exit 1
}
ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0:abort_on_error=1}
UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
POSTERN_RELAXED=1
export ASAN_OPTIONS UBSAN_OPTIONS POSTERN_RELAXED
[ $# -gt 0 ] || set -- regress e2e
sh tests/run.sh "$@"
