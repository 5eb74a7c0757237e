#!/bin/sh
# run.sh - the walls between the processes: the contract as such, then the
# running daemons.
set -u
cd "$(dirname "$0")/../.."
python=${PYTHON:-/usr/bin/python3}
[ -x "$python" ] || python=python3
work=$(mktemp -d "${TMPDIR:-/tmp}/postern-forge.XXXXXX")
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT
status=0
if "${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 -g -Wall -Ilib -I. \
    tests/boundary/forge.c lib/imsg/contract.c smtpd/contract.c \
    imapd/contract.c pop3d/contract.c -o "$work/forge" -lbsd
then
	"$work/forge" || status=1
else
	echo "not ok boundary/forge: does not build"
	status=1
fi
FORGE=$work/forge SEIZE=
if [ "$(uname)" = Linux ]; then
	if "${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 -Wall \
	    tests/boundary/seize.c -o "$work/seize"
	then
		SEIZE=$work/seize
	else
		echo "not ok boundary/seize: does not build"
		status=1
	fi
fi
export FORGE SEIZE
for p in tests/boundary/*.py; do
	PYTHONDONTWRITEBYTECODE=1 "$python" -W ignore "$p" || status=1
done
exit $status
