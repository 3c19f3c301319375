#!/bin/sh
# postgres.sh gives the tests a PostgreSQL server of their own.
#
#   postgres.sh with COMMAND...    run COMMAND with ROLLCALL_TEST_POSTGRES set; stop the server after
#   postgres.sh start DIR [PID]    start a server in the new or empty folder DIR and print its URL,
#                                  one line on stdout; with PID, stop it when that process is gone
#   postgres.sh stop DIR           stop that server and remove DIR
#   postgres.sh find               print the folder of the newest installed server's programs
#
# When ROLLCALL_TEST_POSTGRES is set, that server is used and none is started. Otherwise the
# installed programs run, and where there are none scripts/apt.sh installs them. The server
# listens on a free port of 127.0.0.1, has a random password, and never waits for the disk:
# its data lives as long as the tests.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
self="$here/$(basename "$0")"

usage() {
	sed -n 's/^#   //p' "$self" >&2
	exit 2
}

die() {
	echo "postgres.sh: $*" >&2
	exit 1
}

# find_programs prints the folder that holds initdb, pg_ctl and postgres: that of the PATH, else
# the newest of the folders in which packages put them without touching the PATH.
find_programs() {
	for dir in \
		"$(dirname "$(command -v initdb || echo /nowhere/initdb)")" \
		$(ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin \
			/usr/local/opt/postgresql*/bin 2>/dev/null | sort -rV); do
		if [ -x "$dir/initdb" ] && [ -x "$dir/pg_ctl" ] && [ -x "$dir/postgres" ]; then
			echo "$dir"
			return 0
		fi
	done
	return 1
}

# PostgreSQL refuses to run as root; then it runs as this user.
server_user() {
	if id postgres >/dev/null 2>&1; then echo postgres; else echo nobody; fi
}

# as_server runs a command as the user whom the server runs as, in a folder he may enter.
as_server() (
	cd /
	export LC_ALL=C
	if [ "$(id -u)" != 0 ]; then
		exec "$@"
	fi
	user=$(server_user)
	set -- "--reuid=$user" "--regid=$(id -g "$user")" --clear-groups "$@"
	if setpriv "$1" "$2" "$3" true 2>/dev/null; then
		exec setpriv "$@"
	fi
	shift 3
	exec su -s /bin/sh "$user" -- -c 'exec "$0" "$@"' "$@"
)

random_number() { # random_number BELOW
	echo $(($(od -An -N4 -tu4 /dev/urandom) % $1))
}

start() { # start DIR [PID]
	if [ -n "${ROLLCALL_TEST_POSTGRES:-}" ]; then
		echo "$ROLLCALL_TEST_POSTGRES"
		return
	fi
	if ! bin=$(find_programs); then
		"$here/apt.sh" postgresql || die "the tests need PostgreSQL, or ROLLCALL_TEST_POSTGRES=postgres://… of a server that they may use"
		bin=$(find_programs) || die "PostgreSQL was installed, but its programs are not where we looked"
	fi

	mkdir -p "$1"
	dir=$(cd "$1" && pwd)
	[ -z "$(ls -A "$dir")" ] || die "$dir is not empty"
	chmod 711 "$dir"
	: >"$dir/rollcall-postgres" # tells `stop` that this folder may be removed
	mkdir -m 700 "$dir/data"
	password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
	(umask 077 && echo "$password" >"$dir/password")
	if [ "$(id -u)" = 0 ]; then
		user=$(server_user)
		chown "$user" "$dir/data" "$dir/password"
		as_server test -r "$dir/password" || die "the user $user, whom the server runs as, cannot enter $dir; set TMPDIR to a folder such as /tmp"
	fi

	# Names sort by the language's rules in most installations, not by bytes: so do they here,
	# where the server can do it (from version 15 on).
	collation=""
	if "$bin/initdb" --help | grep -q -- --icu-locale; then
		collation="--locale-provider=icu --icu-locale=en-US"
	fi
	# shellcheck disable=SC2086
	as_server "$bin/initdb" -D "$dir/data" -U rollcall --pwfile="$dir/password" --auth=password \
		--encoding=UTF8 --locale=C $collation --no-sync >"$dir/initdb.log" 2>&1 || {
		cat "$dir/initdb.log" >&2
		die "initdb failed"
	}
	rm "$dir/password"

	log="$dir/data/server.log"
	settings="-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200"
	settings="$settings -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
	tries=0
	while :; do
		# Below the range from which systems take ports for outgoing connections.
		port=$((20000 + $(random_number 10000)))
		if as_server "$bin/pg_ctl" -s -w -t 60 -D "$dir/data" -l "$log" -o "-p $port $settings" start >&2; then
			break
		fi
		tries=$((tries + 1))
		if [ $tries = 10 ] || ! grep -q 'could not bind' "$log"; then
			cat "$log" >&2
			die "the server did not start"
		fi
		rm -f "$log"
	done

	if [ -n "${2:-}" ]; then
		nohup "$self" watch "$2" "$dir" >/dev/null 2>&1 </dev/null &
	fi
	echo "postgres://rollcall:$password@127.0.0.1:$port/postgres?sslmode=disable"
}

stop() { # stop DIR
	[ -d "$1" ] || return 0
	if [ ! -f "$1/rollcall-postgres" ]; then
		rmdir "$1" 2>/dev/null || die "$1 was not made by \`postgres.sh start\`: left alone"
		return 0
	fi
	dir=$(cd "$1" && pwd)
	if [ -f "$dir/data/postmaster.pid" ]; then
		# Nothing in it is to be kept, so nothing has to be written first.
		as_server "$(find_programs)/pg_ctl" -s -D "$dir/data" -m immediate stop >&2 || true
	fi
	rm -rf "$dir"
}

# watch stops a server whose owner was killed before it could.
watch() { # watch PID DIR
	while [ -e "$2/rollcall-postgres" ] && kill -0 "$1" 2>/dev/null; do
		sleep 1
	done
	stop "$2"
}

with() { # with COMMAND...
	if [ -z "${ROLLCALL_TEST_POSTGRES:-}" ]; then
		own=$(mktemp -d "${TMPDIR:-/tmp}/rollcall-postgres.XXXXXX")
		trap 'stop "$own"' EXIT
		trap 'exit 129' HUP
		trap 'exit 130' INT
		trap 'exit 143' TERM
		ROLLCALL_TEST_POSTGRES=$(start "$own" $$)
		export ROLLCALL_TEST_POSTGRES
	fi
	"$@"
}

verb=${1:-}
[ $# -gt 0 ] && shift
case "$verb $#" in
"with "[1-9]*) with "$@" ;;
"start 1" | "start 2") start "$@" ;;
"stop 1") stop "$@" ;;
"find 0") find_programs ;;
"watch 2") watch "$@" ;;
*) usage ;;
esac
