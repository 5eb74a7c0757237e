#!/bin/sh
# run.sh - the stress test of tests/e2e/stress.py, as long as STRESS_SECONDS.
set -eu
cd "$(dirname "$0")/../.."
python=${PYTHON:-/usr/bin/python3}
[ -x "$python" ] || python=python3
PYTHONDONTWRITEBYTECODE=1 exec "$python" -W ignore tests/e2e/stress.py
