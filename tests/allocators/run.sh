#!/bin/bash
# Builds every allocator as the one file that would be handed in, and drives it through the harness, for
# both alignments, 64-bit and (where gcc can) 32-bit. usage: run.sh [NAME ...]; environment: SEED, SOAK.
set -u
cd "$(dirname "$0")/../.." || exit 2
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
flags="-std=gnu11 -O2 -g -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
       -Wpointer-arith -Wcast-align -Wundef -Werror"
names=${*:-$(basename -s .c allocators/*.c)}
bits=64
if echo 'int main(void) { return 0; }' | gcc -m32 -x c - -o "$work/probe" 2>/dev/null; then
    bits="64 32"
else
    echo "note: gcc -m32 does not work here (gcc-multilib is not installed): 64-bit builds only"
fi

for b in $bits; do
    gcc $flags -m$b -I. -c memlib.c -o "$work/memlib.$b.o" || exit 1
    for a in 8 16; do
        for part in harness cases misuse collector; do
            gcc $flags -m$b -DMM_ALIGNMENT=$a -I. -c tests/allocators/$part.c -o "$work/$part.$b.$a.o" || exit 1
        done
    done
done

run_one() { # NAME BITS ALIGNMENT: one line at the end that ends in `N passed, N failed`
    local dir="$work/$1.$2.$3" objects=("$work/memlib.$2.o" "$work"/{harness,cases,misuse}.$2.$3.o)
    [ "$1" = gc ] && objects+=("$work/collector.$2.$3.o")
    mkdir "$dir"
    allocators/amalgamate.py "allocators/$1.c" -o "$dir/mm.c" \
        && gcc $flags -m$2 -DMM_ALIGNMENT=$3 -I. "$dir/mm.c" "${objects[@]}" -o "$dir/harness" \
        && "$dir/harness" "$1" > "$dir/log" 2>&1
    [ -s "$dir/log" ] || echo "FAILED $1, alignment $3, $2 bits: does not build: 0 passed, 1 failed" > "$dir/log"
    cat "$dir/log"
}

for name in $names; do
    for b in $bits; do
        run_one "$name" $b 8 > "$work/log.8" &
        run_one "$name" $b 16 > "$work/log.16"
        wait
        cat "$work/log.8" "$work/log.16"
    done
done | tee "$work/log"

if [ $# -eq 0 ]; then
    if allocators/amalgamate.py allocators/common/boundary_tags.c | cmp -s - mm.c; then
        echo "mm.c is the reference in one file: 1 passed, 0 failed"
    else
        echo "FAILED mm.c is not allocators/common/boundary_tags.c in one file (your own file there? else: make mm.c):" \
             "0 passed, 1 failed"
    fi | tee -a "$work/log"
fi
awk '{ for (i = 2; i < NF; i++) { if ($(i + 1) == "passed,") passed += $i; if ($(i + 1) == "failed") failed += $i } }
     END { printf "%d passed, %d failed\n", passed, failed; exit failed || !passed }' "$work/log"
