#!/bin/sh
# counted.sh [flags of testcount] -- [arguments of go test] runs go test and tells its result
# through scripts/testcount. Nothing is taken from go's cache of results: it knows nothing of
# what tests start (binaries, servers, node).
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM

flags=""
while [ "$1" != -- ]; do
	flags="$flags $1"
	shift
done
shift

go build -o "$work/testcount" ./scripts/testcount
# sh knows only the last status of a pipe: go's own goes through a file. It may differ: go can
# fail before it has a test to tell of.
echo 1 >"$work/status"
counted=0
# The flags are words of this repository's scripts.
# shellcheck disable=SC2086
{
	status=0
	go test -json -count=1 -timeout=20m "$@" || status=$?
	echo $status >"$work/status"
} | "$work/testcount" $flags || counted=$?
[ $counted = 0 ] || exit $counted
exit "$(cat "$work/status")"
