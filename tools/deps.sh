#!/bin/sh
# Installs what is missing to build, test and run; does nothing, and needs no network, when nothing is missing.
# Why each part is here stands in docs/dependencies.md.
set -eu

packages="gcc libc6-dev meson ninja-build pkg-config python3 python3-yaml openssl ca-certificates
libevent-dev libssl-dev libcurl4-openssl-dev libcjson-dev libxml2-dev libpsl-dev libidn2-dev libthai-dev
libsqlite3-dev libsodium-dev libmicrohttpd-dev libgnutls28-dev libzstd-dev libkrb5-dev libical-dev tzdata libcmocka-dev
dovecot-imapd dovecot-pop3d postfix nginx curl mandoc iproute2 chromium
python3-jsonschema prometheus libxml2-utils python3-exchangelib davmail krb5-kdc krb5-admin-server krb5-user radicale
vdirsyncer sasl2-bin libclamav12 libshp2 libxapian30 libzephyr4"
# Cyrus' own packages exclude Dovecot's: they are unpacked where only the tests look. What it runs on stands above.
cyrus=/usr/local/lib/mailmoor-tests/cyrus
# Node from wherever it is will do
command -v node >/dev/null || packages="$packages nodejs"
command -v npm >/dev/null || packages="$packages npm"
[ "${1:-}" = fuzz ] && packages="$packages clang libclang-rt-14-dev"
[ "${1:-}" = bench ] && packages="$packages wrk nginx"
[ "${1:-}" = lint ] && packages="$packages clang-format clang-tidy"
[ "${1:-}" = deb ] && packages="$packages build-essential debhelper lintian debootstrap systemd"

missing=
for p in $packages; do
	dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null | grep -qx installed || missing="$missing $p"
done
# Node may have come from elsewhere than Debian
command -v node >/dev/null || missing="$missing nodejs"
command -v npm >/dev/null || missing="$missing npm"
unpacked=
[ -x "$cyrus/usr/lib/cyrus/bin/httpd" ] || unpacked="cyrus-common cyrus-imapd cyrus-caldav"
[ -n "$missing$unpacked" ] || exit 0

echo "installing:$missing${unpacked:+ unpacked: $unpacked}"
root=
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || { echo "these packages are missing, and there is neither root nor sudo to install them" >&2; exit 1; }
	root=sudo
fi

# Server packages would start their servers on public ports at once; for the tests they are only files.
guard=/usr/sbin/policy-rc.d
made=
if [ ! -e "$guard" ]; then
	printf '#!/bin/sh\nexit 101\n' | $root tee "$guard" >/dev/null
	$root chmod +x "$guard"
	made=yes
fi
trap '[ -z "$made" ] || $root rm -f "$guard"' EXIT

# shellcheck disable=SC2086
$root env DEBIAN_FRONTEND=noninteractive sh -c '
	apt-get -qq update && { [ $# = 0 ] || apt-get -qq -y --no-install-recommends install "$@" >/dev/null; }' sh $missing
if [ -n "$unpacked" ]; then
	debs=$(mktemp -d)
	# shellcheck disable=SC2086
	(cd "$debs" && apt-get -qq download $unpacked 2>/dev/null)
	$root mkdir -p "$cyrus"
	for deb in "$debs"/*.deb; do $root dpkg -x "$deb" "$cyrus"; done
	rm -r "$debs"
fi
