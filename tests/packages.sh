#!/bin/sh
# packages.sh KIND ... - install what tests/packages lists for these kinds.
# Only what is missing, only on Debian, and only as root; else it says what
# is missing and exits 1.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

wanted() {
	for kind; do
		sed -n "s/^$kind	//p" "$here/packages"
	done
}

missing() {
	for p in $(wanted "$@"); do
		dpkg-query -W -f '${Status}\n' "$p" 2>/dev/null |
		    grep -q 'ok installed' || echo "$p"
	done
}

if ! command -v dpkg-query >/dev/null 2>&1; then
	echo "not a Debian system: the dependencies are up to you (README)" >&2
	exit 0
fi
need=$(missing "$@")
[ -n "$need" ] || exit 0
if [ "$(id -u)" -ne 0 ]; then
	echo "missing packages:" $need >&2
	echo "run as root: apt-get install" $need >&2
	exit 1
fi
echo "installing" $need
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
# The unquoted list is meant: one word a package.
{ apt-get -q update && apt-get -qy install --no-install-recommends $need; } \
    >"$log" 2>&1 || { cat "$log" >&2; rm -f "$log"; exit 1; }
rm -f "$log"
