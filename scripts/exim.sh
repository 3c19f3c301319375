#!/bin/sh
# exim.sh find prints the path of Exim, the mail server that tests send letters to. Where there
# is none, scripts/apt.sh installs it, unless that would push another mail server off this
# machine. The tests start it with a configuration of their own; no mail leaves the machine.
set -eu

here=$(cd "$(dirname "$0")" && pwd)

find_exim() {
	for name in exim4 exim /usr/sbin/exim4 /usr/sbin/exim; do
		command -v "$name" && return 0
	done
	return 1
}

[ "${1:-}" = find ] || {
	sed -n 's/^# //p' "$0" >&2
	exit 2
}
find_exim && exit 0
if [ -e /usr/sbin/sendmail ]; then
	echo "exim.sh: this machine has another mail server, which Debian's exim4-daemon-light would replace" >&2
	exit 1
fi
"$here/apt.sh" exim4-daemon-light
find_exim
