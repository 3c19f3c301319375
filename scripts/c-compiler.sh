#!/bin/sh
# c-compiler.sh succeeds when a C program compiles and links here, as the race detector needs.
# A compiler without its headers, as Debian's gcc without libc6-dev, is not enough.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/probe.c" <<'C'
#include <stdlib.h>
int main(void) { return EXIT_SUCCESS; }
C
# CC may hold arguments after the compiler's name.
# shellcheck disable=SC2046
$(go env CC) -o "$work/probe" "$work/probe.c" 2>/dev/null
