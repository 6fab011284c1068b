#!/bin/bash
# Feeds each fuzz target with whatever libFuzzer can think of, two targets at a time.
#
#   fuzz.sh [TARGET] [SECONDS]     all of tests/fuzz, 180 s each, unless said otherwise
#
# What was found interesting stays in build-fuzz/corpus and is where the next run begins; what went wrong is kept in
# build-fuzz/findings. Exit status: 0 nothing found, 1 something was found, 2 wrong usage or no build.
set -u
cd "$(dirname "$0")/.." || exit 2

only=${1:-}
seconds=${2:-180}
out=build-fuzz
clang=${CLANG:-clang}
# everything that does no input and output of its own
folders="base model wire provider detect verify diagnose sandbox"

die() { echo "fuzz.sh: $*" >&2; exit 2; }

[[ $seconds =~ ^[1-9][0-9]*$ ]] || die "\"$seconds\" is no number of seconds"
targets=()
for file in tests/fuzz/*.c; do
	name=$(basename "$file" .c)
	[ -n "$only" ] && [ "$only" != "$name" ] || targets+=("$name")
done
[ ${#targets[@]} -gt 0 ] || die "there is no target \"$only\"; there are: $(cd tests/fuzz && echo *.c | sed 's/\.c//g')"

tools/deps.sh fuzz || exit 2
mkdir -p $out/{objects,bin,corpus,findings,log} || exit 2

# -- build ------------------------------------------------------------------------------------------------------------

cat >$out/flags <<-EOF
	-std=gnu17 -D_GNU_SOURCE -DMAILMOOR_VERSION=\"fuzz\" -Isrc $(pkg-config --cflags libxml-2.0 libcjson libical)
	-g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
EOF
libs="$(pkg-config --libs libxml-2.0 openssl libcjson libpsl libidn2 libical) -lm"
newest=$(find src tests/fuzz \( -name '*.h' -o -name '*.def' \) -printf '%T@ %p\n' | sort -n | tail -1 | cut -d' ' -f2-)

stale() { [ ! -e "$1" ] || [ "$2" -nt "$1" ] || [ "$newest" -nt "$1" ]; }

[ -z "$(find po tools/po2c.py -newer $out/catalogue_data.c -print -quit 2>&1)" ] ||
	python3 tools/po2c.py --po po --out $out/catalogue_data.c --depfile $out/catalogue_data.d || die "the catalogue does not build"
sources=$out/catalogue_data.c
for folder in $folders; do
	sources="$sources $(ls src/"$folder"/*.c)"
done

objects=
compile=()
for source in $sources; do
	object=$out/objects/$(tr / _ <<<"${source#src/}").o
	objects="$objects $object"
	stale "$object" "$source" && compile+=("$object" "$source")
done
[ ${#compile[@]} = 0 ] || printf '%s\n' "${compile[@]}" |
	xargs -P2 -n2 sh -c "$clang @$out/flags -fsanitize=fuzzer-no-link -c \$1 -o \$0" || die "the sources do not build"
if [ ${#compile[@]} -gt 0 ] || [ ! -e $out/all.a ]; then
	# an archive, so that each target takes only what it needs
	rm -f $out/all.a
	# shellcheck disable=SC2086
	ar rcs $out/all.a $objects || exit 2
fi

for name in "${targets[@]}"; do
	program=$out/bin/$name
	if stale "$program" "tests/fuzz/$name.c" || [ $out/all.a -nt "$program" ]; then
		# shellcheck disable=SC2086
		$clang @$out/flags -fsanitize=fuzzer -o "$program" "tests/fuzz/$name.c" $out/all.a $libs || die "$name does not build"
	fi
done

# -- run --------------------------------------------------------------------------------------------------------------

# Longer than what the parser's own limits let through is only slower.
longest() {
	case $1 in
	mailaddress)     echo 700 ;;
	dns | sandbox_names) echo 2048 ;;
	sasl | smtp | sandbox_ntlm) echo 4096 ;;
	*)               echo 8192 ;;
	esac
}

# The line for one target; 1 when something was found.
tell() {
	local name=$1 status=$2 log=$out/log/$1 runs kept
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	kept=$(find $out/findings -name "$name-*" -newer "$log.begin" | sort | tr '\n' ' ')
	if [ "$status" = 0 ] && [ -z "$kept" ]; then
		printf '%-14s %12s runs %6s s   nothing found\n' "$name" "${runs:-?}" "$(($(date +%s) - $(stat -c %Y "$log.begin")))"
		return 0
	fi
	printf '%-14s %12s runs %6s s   FOUND  %s(the whole story: %s)\n' "$name" "${runs:-?}" \
		"$(($(date +%s) - $(stat -c %Y "$log.begin")))" "$kept" "$log"
	grep -m1 -E 'ERROR: |runtime error: |Assertion ' "$log" | sed 's/^/    /'
	return 1
}

fuzz() {
	local name=$1 seeds=()
	[ -d "tests/fuzz/seeds/$name" ] && seeds=("tests/fuzz/seeds/$name")
	mkdir -p "$out/corpus/$name"
	touch "$out/log/$name.begin"
	UBSAN_OPTIONS=print_stacktrace=1 exec "$out/bin/$name" -max_total_time="$seconds" -max_len="$(longest "$name")" -timeout=10 \
		-rss_limit_mb=1024 -report_slow_units=60 -print_final_stats=1 -artifact_prefix="$out/findings/$name-" \
		"$out/corpus/$name" "${seeds[@]}" >"$out/log/$name" 2>&1
}

declare -A running=()
found=0

one_ended() {
	local pid status
	wait -n -p pid "${!running[@]}"
	status=$?
	tell "${running[$pid]}" $status || found=1
	unset "running[$pid]"
}

called_off() {
	trap - INT TERM
	[ ${#running[@]} = 0 ] || kill "${!running[@]}" 2>/dev/null
	wait
	echo "called off"
	exit 130
}
trap called_off INT TERM

for name in "${targets[@]}"; do
	[ ${#running[@]} -lt 2 ] || one_ended
	fuzz "$name" &
	running[$!]=$name
done
while [ ${#running[@]} -gt 0 ]; do
	one_ended
done
exit $found
