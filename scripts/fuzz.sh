#!/bin/sh
# fuzz.sh runs every fuzz target for FUZZTIME (10s). A failing input is kept by go under the
# package's testdata/fuzz, to be committed together with the mend.
set -eu
cd "$(dirname "$0")/.."
FUZZTIME=${FUZZTIME:-10s}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM

fuzz() { # fuzz PACKAGE TARGET
	echo "$2 in $1"
	if go test -run '^$' -fuzz "^$2\$" -fuzztime "$FUZZTIME" "$1" >"$work/output" 2>&1; then
		grep '^fuzz: elapsed' "$work/output" | tail -n 1
		return 0
	fi
	# Go before 1.27 may report the end of the time as a failure when a worker is late
	# (https://go.dev/issue/75804). A real failure leaves an input or says something else.
	if ! grep -q 'Failing input' "$work/output" &&
		grep -A 1 -e "^--- FAIL: $2" "$work/output" | grep -q '^    context deadline exceeded$'; then
		echo "the time ended while an input was being tried"
		return 0
	fi
	cat "$work/output"
	return 1
}

folders=$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -r -n 1 dirname | sort -u)
if [ -z "$folders" ]; then
	echo "no package has a fuzz target yet"
	exit 0
fi

failed=""
for folder in $folders; do
	go test -list '^Fuzz' "$folder" >"$work/list" || {
		cat "$work/list"
		failed="$failed $folder"
		continue
	}
	for target in $(grep '^Fuzz' "$work/list"); do
		fuzz "$folder" "$target" || failed="$failed $folder:$target"
	done
done
if [ -n "$failed" ]; then
	echo "failed:$failed"
	exit 1
fi
