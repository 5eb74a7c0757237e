#!/bin/sh
# run.sh - what a reader of the code relies on, checked; see lint.py.
cd "$(dirname "$0")/../.." || exit 1
python=${PYTHON:-/usr/bin/python3}
[ -x "$python" ] || python=python3
PYTHONDONTWRITEBYTECODE=1 exec "$python" -W ignore tests/lint/lint.py "$@"
