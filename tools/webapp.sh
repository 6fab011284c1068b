#!/bin/sh
# The pages that need scripts, as one file. Sources that carry web/app/dist (a release's do) need neither Node nor network; otherwise
# it is built in a copy inside the build folder, from exactly the packages that package-lock.json names.
#
#   webapp.sh web/app WORK OUT
set -eu
app=$1 work=$2 out=$3

if [ -e "$app/dist/app.js" ]; then
	cp "$app/dist/app.js" "$out"
	exit 0
fi
command -v npm >/dev/null || { echo "webapp.sh: npm is missing; tools/deps.sh installs it" >&2; exit 1; }
mkdir -p "$work"
rm -rf "$work/src" "$work/dist"
cp -R "$app/src" "$app/package.json" "$app/package-lock.json" "$app/.npmrc" "$app/tsconfig.json" "$app/vite.config.js" "$work/"
cd "$work"
# what is there already for this very lock file stays
if ! cmp -s package-lock.json installed.json; then
	npm ci --no-audit --no-fund --loglevel=error >npm.log 2>&1 || { tail -20 npm.log >&2; exit 1; }
	cp package-lock.json installed.json
fi
npm run --silent build >build.log 2>&1 || { cat build.log >&2; exit 1; }
cd - >/dev/null
cp "$work/dist/app.js" "$out"
