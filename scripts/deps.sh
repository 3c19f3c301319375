#!/bin/sh
# deps.sh makes sure that `make check` has what it needs beside Go. What is there already is left
# alone; what is missing is installed by scripts/apt.sh, or named by it where it may not install.
set -eu
cd "$(dirname "$0")/.."

if ! command -v go >/dev/null; then
	echo "Go is missing: see https://go.dev/doc/install; go.mod says which version" >&2
	exit 1
fi

missing=""
need() { # need COMMAND PACKAGE...
	command -v "$1" >/dev/null && return 0
	shift
	missing="$missing $*"
}

need make make
need git git
need curl curl ca-certificates
need node nodejs
need npm npm
need systemd-analyze systemd
[ -x /usr/sbin/nginx ] || need nginx nginx
[ -e /usr/lib/nginx/modules/ngx_http_js_module.so ] || missing="$missing libnginx-mod-http-js"
scripts/exim.sh find >/dev/null || missing="$missing exim4-daemon-light"
scripts/c-compiler.sh || missing="$missing gcc libc6-dev"
scripts/postgres.sh find >/dev/null || missing="$missing postgresql"

# Package names: one word each.
# shellcheck disable=SC2086
scripts/apt.sh $missing
