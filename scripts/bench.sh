#!/bin/sh
# bench.sh [--quick] [--json] [--rows PATTERN] measures the program against anchors on the same
# machine and prints a table; internal/bench has the rows, docs/bench/README.md their meaning.
#
# `make bench` calls it through `scripts/postgres.sh with`, which provides PostgreSQL. What sends the
# requests (wrk, curl, ldapsearch) and what is compared with (slapd) is installed where it is missing.
set -eu
cd "$(dirname "$0")/.."

missing=""
command -v wrk >/dev/null || missing="$missing wrk"
command -v curl >/dev/null || missing="$missing curl"
command -v ldapsearch >/dev/null || missing="$missing ldap-utils"
[ -x /usr/sbin/slapd ] || command -v slapd >/dev/null || missing="$missing slapd"
# Package names: one word each.
# shellcheck disable=SC2086
scripts/apt.sh $missing
exec go run ./internal/bench "$@"
