#!/bin/sh
# demo.sh - build the suite and show it at work on loopback ports.
#
# As root it first installs what is missing from Debian and adds the system
# accounts; as an ordinary user it takes what is there and runs the same
# processes with one uid.
set -eu
cd "$(dirname "$0")/.."
sh tests/packages.sh build demo
${MAKE:-make} all
if [ "$(id -u)" -eq 0 ]; then
	sh tests/users.sh
fi
python=/usr/bin/python3
[ -x "$python" ] || python=python3
PYTHONDONTWRITEBYTECODE=1 exec "$python" -W ignore tests/demo.py
