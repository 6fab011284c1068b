#!/bin/bash
# What can be said about the sources without running them: layers, look, and what clang-tidy suspects.
#
#   lint.sh [BUILD]      exit status 1 when there is anything to say
set -u
cd "$(dirname "$0")/.." || exit 2
build=${1:-build}
fine=0

tools/deps.sh lint || exit 2
[ -e "$build/compile_commands.json" ] || meson setup "$build" >/dev/null || exit 2
# some sources and headers are made by the build
ninja -C "$build" --quiet mailmoor || exit 2

python3 tools/layers.py || fine=1
find src tests -name '*.[ch]' -print0 | sort -z | xargs -0 python3 tools/style.py || fine=1

# only the sources that the build knows, two at a time; its "N warnings generated" are about what .clang-tidy leaves out
find src -name '*.c' -print0 | sort -z |
	xargs -0 -P2 -n4 clang-tidy -p "$build" --quiet 2> >(grep -vE '^[0-9]+ warnings? (generated|treated)' >&2) || fine=1

[ $fine = 0 ] && echo "nothing to say"
exit $fine
