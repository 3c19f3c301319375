#!/bin/sh
# bench.sh [--quick] [--json] [--rows PATTERN] measures the program against anchors on the same
# machine and prints a table; internal/bench has the rows, docs/bench/README.md their meaning.
#
# `make bench` calls it through `scripts/postgres.sh with`, which provides PostgreSQL; wrk, which
# sends the requests, is installed where it is missing.
set -eu
cd "$(dirname "$0")/.."

command -v wrk >/dev/null || scripts/apt.sh wrk
exec go run ./internal/bench "$@"
