#!/bin/bash
# The Debian package, built in a copy of the sources, and judged by lintian: any error or warning fails.
#
#   deb.sh [OUT]      the .deb and what belongs to it go to OUT (build/deb)
set -eu
cd "$(dirname "$0")/.."
tools/deps.sh deb
out=${1:-build/deb}
said=$(dpkg-parsechangelog -S Version)
ours=$(sed -n "s/^ *version: '\(.*\)',/\1/p" meson.build)
[ "$said" = "$ours" ] || { echo "debian/changelog says $said, meson.build $ours" >&2; exit 1; }

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
mkdir "$copy/mailmoor"
# what git knows of, changed or not yet committed included; without git all that is here
if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
	git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' f; do [ ! -e "$f" ] && [ ! -L "$f" ] || printf '%s\0' "$f"; done
else
	find . -path './build*' -prune -o \( -type f -o -type l \) -print0
fi | tar -c --null -T - | tar -x -C "$copy/mailmoor"

# The app is built here, so that the package itself needs neither Node nor network: the source of a release carries it, too.
sh tools/webapp.sh web/app "$copy/webapp" "$copy/app.js"
mkdir -p "$copy/mailmoor/web/app/dist"
cp "$copy/app.js" "$copy/mailmoor/web/app/dist/app.js"

log=$copy/log
(cd "$copy/mailmoor" && dpkg-buildpackage --build=binary --no-sign --jobs="$(nproc)") >"$log" 2>&1 || { tail -40 "$log" >&2; exit 1; }
mkdir -p "$out"
rm -f "$out"/*
cp "$copy"/*.deb "$copy"/*.changes "$copy"/*.buildinfo "$out"

lintian --fail-on error,warning --allow-root "$copy"/*.changes
ls "$out"/*.deb
