#!/bin/sh
# check.sh runs everything that CI runs. All steps run, also after one that failed; the end names
# those that failed. Each can be run alone as it stands here.
#
# `make check` calls it through `scripts/postgres.sh with`, which provides PostgreSQL.
set -eu
cd "$(dirname "$0")/.."

report=""
failed=""
step() { # step NAME COMMAND...
	name=$1
	shift
	printf '\n== %s\n' "$name"
	began=$(date +%s)
	verdict=ok
	"$@" </dev/null || {
		verdict=FAILED
		failed="$failed, $name"
		echo "make check: the step \"$name\" failed"
	}
	report="$report$(printf '%-7s %4d s  %s' "$verdict" $(($(date +%s) - began)) "$name")
"
}

scripts_parse() {
	for script in scripts/*.sh; do
		sh -n "$script" || return 1
	done
	bash -n .ci/run
}

vet() {
	go vet ./... && go vet -tags long ./...
}

# The tag adds the long tests to all others.
static_analysis() {
	go tool staticcheck -tags long ./...
}

# Dex has a module of its own, so that what it requires stays out of ours; tests of
# cmd/rollcall run it.
# other_modules checks those that have a go.mod of their own.
other_modules() {
	for module in dexclient composecheck; do
		(cd internal/testkit/$module && go vet ./... && go build -o /dev/null ./...) || return 1
	done
}

long_tests() {
	scripts/counted.sh -allow-none -- -tags long -run Long ./...
}

step "format" scripts/format.sh -l
step "scripts parse" scripts_parse
step "modules as published" go mod verify
step "go.mod is tidy" go mod tidy -diff
step "vet" vet
step "static analysis" static_analysis
step "vulnerabilities" scripts/vuln.sh
step "other modules" other_modules
step "fuzzing" scripts/fuzz.sh
step "long tests" long_tests
step "tests" scripts/test.sh

printf '\n%s' "$report"
if [ -n "$failed" ]; then
	echo "make check failed: ${failed#, }"
	exit 1
fi
