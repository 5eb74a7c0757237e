#!/bin/sh
# packages.sh KIND ... - install what tests/packages lists for these kinds.
# Only what is missing, only on Debian, and only as root; else it says what
# is missing and exits 1.  What is of the kind "aside" is unpacked into ASIDE
# instead, for a test to use: a system has room for one mail server only.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
: "${ASIDE:=/var/tmp/postern-aside}"

wanted() {
	for kind; do
		sed -n "s/^$kind	//p" "$here/packages"
	done
}

# Of all kinds but "aside".
missing() {
	for p in $(for kind; do
		[ "$kind" = aside ] || wanted "$kind"
	done); do
		dpkg-query -W -f '${Status}\n' "$p" 2>/dev/null |
		    grep -q 'ok installed' || echo "$p"
	done
}

install() {
	need=$(missing "$@")
	[ -n "$need" ] || return 0
	if [ "$(id -u)" -ne 0 ]; then
		echo "missing packages:" $need >&2
		echo "run as root: apt-get install" $need >&2
		exit 1
	fi
	echo "installing" $need
	export DEBIAN_FRONTEND=noninteractive
	log=$(mktemp)
	# A mail server that is installed for the tests is not to be started.
	policy=/usr/sbin/policy-rc.d
	if [ -e $policy ]; then
		policy=
	else
		printf '#!/bin/sh\nexit 101\n' >$policy
		chmod 755 $policy
	fi
	# The unquoted list is meant: one word a package.
	{ apt-get -q update &&
	    apt-get -qy install --no-install-recommends $need; } \
	    >"$log" 2>&1 && bad= || bad=yes
	[ -z "$policy" ] || rm -f $policy
	[ -z "$bad" ] || { cat "$log" >&2; rm -f "$log"; exit 1; }
	rm -f "$log"
}

# A test that needs it skips where this did not work.
unpack() {
	for p in $(wanted aside); do
		[ ! -e "$ASIDE/$p" ] || continue
		dir=$(mktemp -d)
		mkdir -p "$ASIDE"
		if (cd "$dir" && apt-get -q download "$p" &&
		    dpkg -x ./*.deb root) >/dev/null 2>&1 &&
		    mv "$dir/root" "$ASIDE/$p"; then
			echo "unpacked $p into $ASIDE"
		else
			echo "$p cannot be unpacked" >&2
		fi
		rm -rf "$dir"
	done
}

if ! command -v dpkg-query >/dev/null 2>&1; then
	echo "not a Debian system: the dependencies are up to you (README)" >&2
	exit 0
fi
install "$@"
for kind; do
	[ "$kind" != aside ] || unpack
done
