#!/bin/sh
# bench.sh [arguments of go test] runs every benchmark of the packages that have one.
set -eu
cd "$(dirname "$0")/.."

packages=$(grep -rl --include='*_test.go' '^func Benchmark' . | xargs -r -n 1 dirname | sort -u)
if [ -z "$packages" ]; then
	echo "no package has a benchmark yet"
	exit 0
fi
# The packages are folder names of this repository: one word each.
# shellcheck disable=SC2086
exec go test -run '^$' -bench . -benchmem "$@" $packages
