#!/bin/sh
# format.sh -l lists the Go files that gofmt would change, and fails if there are any;
# format.sh -w changes them. Files under testdata are left as they are.
set -eu
cd "$(dirname "$0")/.."

go_files() {
	find . \( -name .git -o -name node_modules -o -name testdata -o -name bin \) -prune -o -type f -name '*.go' -print0
}

case "${1:-}" in
-w)
	go_files | xargs -0 gofmt -l -w
	;;
-l)
	unformatted=$(go_files | xargs -0 gofmt -l)
	[ -z "$unformatted" ] && exit 0
	echo "these files are not formatted; \`make fmt\` does it:"
	echo "$unformatted"
	exit 1
	;;
*)
	echo "usage: scripts/format.sh -l | -w" >&2
	exit 2
	;;
esac
