#!/bin/sh
# run.sh SECONDS [NAME ...] - build each fuzz target and run it so long.
#
# A target may name its sources in a comment "fuzz: lib/a.c lib/b.c"; without
# one it gets all of lib/ that has no main().  Needs clang; seeds are in
# seeds/NAME, a dictionary in NAME.dict.  A finding stays in build/NAME.found.
set -u
cd "$(dirname "$0")/../.."
seconds=${1:-4}
[ $# -gt 0 ] && shift
here=tests/fuzz
build=${FUZZ_BUILD:-$PWD/$here/build}
: "${CLANG:=clang}"
flags="-std=c11 -D_GNU_SOURCE -g -O1 -Ilib -I. -I$build
    -fno-omit-frame-pointer
    -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined
    -Wno-unused-parameter"
libs="-ltls -lssl -lcrypto -levent -lbsd -lunbound -lsqlite3 -lcrypt -lz -lutf8proc -lpthread"

if ! command -v "$CLANG" >/dev/null 2>&1; then
	echo "skip fuzz: no clang here"
	exit 0
fi
mkdir -p "$build/obj" "$build/conf"
[ $# -gt 0 ] || set -- $(ls $here/*.c | sed 's,.*/,,; s,\.c$,,')

# Objects are shared between targets, built anew when a source is newer.
object_of() {
	o=$build/obj/$(echo "$1" | tr / _).o
	[ -f "$o" ] && ! [ "$1" -nt "$o" ] && ! [ "$build/headers" -nt "$o" ]
}

# compile SOURCE ...: what is stale, two at a time.
compile() {
	for src; do
		object_of "$src" || printf '%s\n%s\n' "$src" "$o"
	done | xargs -r -P 2 -n 2 sh -c "$(echo "$CLANG $flags" | tr '\n' ' ')"' \
	    -c "$0" -o "$1"' >>"$build/log" 2>&1
}

# The parser has a copy of its own here, so that the tree need not be built.
byacc -d -o "$build/conf/parse.c" lib/conf/parse.y 2>/dev/null
[ -z "$(find lib -name '*.h' -newer "$build/headers" 2>&1 | head -n 1)" ] ||
    touch "$build/headers"

library() {
	echo "$build/conf/parse.c"
	find lib -name '*.c' ! -path lib/conf/parse.c \
	    ! -path 'lib/daemon/*' ! -path 'lib/privsep/*' \
	    ! -name '*_openbsd.c' ! -name '*_freebsd.c' ! -name '*_none.c' \
	    ! -name '*_kqueue.c'
}

named() {
	sed -n 's,^[ /*]*fuzz:\(.*\)$,\1,p' "$here/$1.c" |
	    sed "s,\*/,,; s,lib/conf/parse\.c,$build/conf/parse.c,"
}

# A target that names no sources gets an archive of all of lib/.
objects() {
	objs=
	for src in $(named "$1"); do
		object_of "$src" || return 1
		objs="$objs $o"
	done
	[ -n "$objs" ] || objs=$build/all.a
}

target() {
	name=$1 dict=
	if ! objects "$name" || ! "$CLANG" $flags "$here/$name.c" $objs $libs \
	    -o "$build/fuzz-$name" >>"$build/log" 2>&1; then
		echo "not ok fuzz/$name: does not build"
		sed 's/^/#   /' "$build/log" | head -n 10
		return
	fi
	[ -f "$here/$name.dict" ] && dict=-dict=$here/$name.dict
	mkdir -p "$build/corpus/$name" "$here/seeds/$name" 2>/dev/null
	if "$build/fuzz-$name" -max_total_time="$seconds" -timeout=10 \
	    -rss_limit_mb=2048 -max_len=16384 -print_final_stats=1 \
	    -artifact_prefix="$build/$name.found." $dict \
	    "$build/corpus/$name" "$here/seeds/$name" >"$build/$name.log" 2>&1; then
		echo "ok fuzz/$name"
		sed -n 's/^stat::number_of_executed_units: */#   runs: /p' \
		    "$build/$name.log"
	else
		echo "not ok fuzz/$name: see $build/$name.log"
		grep -E 'ERROR|SUMMARY|runtime error|Test unit written' \
		    "$build/$name.log" | head -n 5 | sed 's/^/#   /'
	fi
}

# Every second one of them, from the first or the second on.
lane() {
	n=$1
	shift
	for name; do
		n=$((n + 1))
		[ $((n % 2)) -eq 0 ] || target "$name"
	done
}

: >"$build/log"
compile $(library) $(for name; do named "$name"; done)
rm -f "$build/all.a"
ar cr "$build/all.a" $(for src in $(library); do
	object_of "$src" && echo "$o"
done)
lane 0 "$@" >"$build/lane0" &
lane 1 "$@" >"$build/lane1"
wait
cat "$build/lane0" "$build/lane1"
! grep -q '^not ok' "$build/lane0" "$build/lane1"
