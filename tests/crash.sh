#!/bin/sh
# crash.sh [ROUNDS [CASE ...]] - what was acknowledged survives kill -9 and a
# power cut.  Every round kills everything at a random moment under load; the
# roles in turn and the power cut come with every fifth round, so that 50
# rounds are 50 crashes and 10 power cuts.  Prints a line a case.
cd "$(dirname "$0")/.." || exit 1
: "${PYTHON:=/usr/bin/python3}"
[ -x "$PYTHON" ] || PYTHON=python3
PYTHONDONTWRITEBYTECODE=1 PYTHONWARNINGS=ignore
export PYTHONDONTWRITEBYTECODE PYTHONWARNINGS
exec "$PYTHON" tests/crash.py "$@"
