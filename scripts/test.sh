#!/bin/sh
# test.sh [arguments of go test] runs the tests with the race detector and tells how many ran on
# each database. Without arguments it runs all, and then each database has to have some.
#
# `make test` calls it through `scripts/postgres.sh with`, which provides PostgreSQL.
set -eu
cd "$(dirname "$0")/.."

# Who may install what is missing does; anybody else is told by the test that needs it.
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	scripts/deps.sh
fi

if ! scripts/c-compiler.sh; then
	echo "the race detector needs a C compiler; on Debian or Ubuntu run:" >&2
	echo "  sudo apt-get update && sudo apt-get install -y --no-install-recommends gcc libc6-dev" >&2
	exit 1
fi

if [ $# -eq 0 ]; then
	exec scripts/counted.sh -both-databases -- -race ./...
fi
exec scripts/counted.sh -- -race "$@"
