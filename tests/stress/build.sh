#!/bin/sh
# build.sh PROGRAM - build the stress test.
set -eu
cd "$(dirname "$0")"
# The flags are words:
# shellcheck disable=SC2086
exec ${CC:-cc} -std=c11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Wshadow \
    -Wno-unused-parameter ${WERROR:-} -o "$1" ./*.c
