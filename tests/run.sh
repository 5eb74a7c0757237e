#!/bin/sh
# run.sh [PART ...] - run the tests; ends with the line "N passed, N failed".
#
# Parts: regress e2e boundary crash fuzz lint; without any, all of them.  Or one
# program: e2e/NAME, regress/FOLDER/NAME.
# Everything that is run prints "ok NAME", "not ok NAME: why" or "skip NAME:
# why", a line a case; a program that ends badly without having said so counts
# as one failure.  FUZZ_SECONDS and CRASH_ROUNDS say how much of those.
set -u
cd "$(dirname "$0")/.."
: "${FUZZ_SECONDS:=4}" "${CRASH_ROUNDS:=1}" "${PYTHON:=/usr/bin/python3}"
[ -x "$PYTHON" ] || PYTHON=python3
PYTHONDONTWRITEBYTECODE=1 PYTHONWARNINGS=ignore
export PYTHONDONTWRITEBYTECODE PYTHONWARNINGS
work=$(mktemp -d "${TMPDIR:-/tmp}/postern-run.XXXXXX")
all=$work/all
: >"$all"
root=
if [ "$(id -u)" -eq 0 ]; then
	root=yes
	KEEP_TEST_USERS=1
	export KEEP_TEST_USERS
	sh tests/users.sh || exit 1
fi
leave() {
	if [ -n "$root" ]; then
		"$PYTHON" tests/lib.py clean
	fi
	rm -rf "$work"
}
trap 'leave; trap - EXIT; exit 1' HUP INT TERM
trap leave EXIT

# one NAME COMMAND ...: run it, show what failed, keep its lines.
lane=$work
one() {
	name=$1
	shift
	[ -t 1 ] && printf '\r\033[K%s' "$name"
	began=$(date +%s)
	timeout -k 10 "${LIMIT:-300}" "$@" >"$lane/out" 2>"$lane/err" </dev/null
	status=$?
	echo "$(($(date +%s) - began)) $name" >>"$work/seconds"
	grep -E '^(ok|not ok|skip) ' "$lane/out" >"$lane/lines"
	if [ "$status" -ne 0 ] && ! grep -q '^not ok ' "$lane/lines"; then
		echo "not ok $name: status $status" >>"$lane/lines"
	fi
	[ -t 1 ] && printf '\r\033[K'
	if grep -q '^not ok ' "$lane/lines"; then
		grep -E '^(not ok |#)' "$lane/out"
		grep -E "^not ok $name: status" "$lane/lines"
		tail -n 20 "$lane/err" | sed 's/^/#   /'
	fi
	grep '^skip ' "$lane/lines"
	cat "$lane/lines" >>"$all"
}

# two FUNCTION: it runs twice at a time; whatever they "take" is run by one.
two() {
	for n in 1 2; do
		(
			trap - EXIT
			lane=$work/lane$n
			mkdir -p "$lane"
			"$1"
		) &
	done
	wait
}

take() {
	mkdir "$work/taken.$(echo "$1" | tr / .)" 2>/dev/null
}

regress_programs() {
	for src in regress/*/*.c; do
		p=${src%.c}
		# The program of a run.sh is named after its folder.
		[ -f "${p%/*}/run.sh" ] && [ "${p##*/}" = "$(basename "${p%/*}")" ] &&
		    continue
		[ -x "$p" ] && take "$p" && one "$p" "./$p"
	done
	for p in regress/*/run.sh; do
		[ -f "$p" ] && take "$p" && one "$p" sh "$p"
	done
}

e2e_programs() {
	for p in tests/e2e/*.py; do
		take "$p" && one "$p" "$PYTHON" "$p"
	done
}

part_regress() {
	two regress_programs
}

part_e2e() {
	two e2e_programs
}

part_boundary() {
	one tests/boundary sh tests/boundary/run.sh
}

part_crash() {
	[ "$CRASH_ROUNDS" -eq 0 ] || one tests/crash sh tests/crash.sh "$CRASH_ROUNDS"
}

part_fuzz() {
	[ "$FUZZ_SECONDS" -eq 0 ] ||
	    LIMIT=1200 one tests/fuzz sh tests/fuzz/run.sh "$FUZZ_SECONDS"
}

part_lint() {
	one tests/lint sh tests/lint/run.sh
}

[ $# -gt 0 ] || set -- regress lint e2e boundary fuzz crash
for part; do
	case $part in
	regress|e2e|boundary|crash|fuzz|lint) "part_$part" ;;
	e2e/*)	one "tests/$part" "$PYTHON" "tests/$part.py" ;;
	regress/*) one "$part" "./$part" ;;
	*)	echo "run.sh: no part $part" >&2; exit 2 ;;
	esac
done

passed=$(grep -c '^ok ' "$all")
failed=$(grep -c '^not ok ' "$all")
skipped=$(grep -c '^skip ' "$all")
[ "$skipped" -eq 0 ] || echo "$skipped skipped"
if [ "$failed" -gt 0 ]; then
	echo "failed:"
	sed -n 's/^not ok \([^:]*\).*/	\1/p' "$all"
fi
echo "the longest, in seconds:" $(sort -rn "$work/seconds" | head -n 12 |
    sed 's/\([0-9]*\) \(.*\)/\2 \1,/') "all $(awk '{ n += $1 } END { print n }' "$work/seconds")"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
