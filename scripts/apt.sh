#!/bin/sh
# apt.sh PACKAGE... installs Debian packages: as root on Debian and its kin. Anywhere else it
# prints the line to run and fails. All of its output goes to stderr.
set -eu
[ $# -gt 0 ] || exit 0
exec >&2

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
	echo "missing on this machine: $*"
	echo "on Debian or Ubuntu run:"
	echo "  sudo apt-get update && sudo apt-get install -y --no-install-recommends $*"
	exit 1
fi

# Several test processes may arrive here at once; apt itself waits for dpkg, but not for its lists.
if command -v flock >/dev/null; then
	exec 9</var/lib/apt
	flock 9
fi

# Debian's PostgreSQL would make and start a server for the whole machine. We want the binaries
# only; the next person who installs a server is to get Debian's usual one.
no_cluster=/etc/postgresql-common/createcluster.d/rollcall-tests.conf
# Nor are installed servers (nginx, exim) to be started: the tests start their own.
policy=/usr/sbin/policy-rc.d made_policy=
trap 'rm -f "$no_cluster" $made_policy' EXIT
[ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' >"$policy"; chmod 755 "$policy"; made_policy=$policy; }
trap 'exit 1' HUP INT TERM
mkdir -p "$(dirname "$no_cluster")"
echo "create_main_cluster = false" >"$no_cluster"

echo "installing: $*"
export DEBIAN_FRONTEND=noninteractive
apt-get -q update </dev/null
apt-get -q install -y --no-install-recommends -o DPkg::Lock::Timeout=600 "$@" </dev/null
