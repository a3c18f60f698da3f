#!/bin/bash
# Builds every allocator as the one file that would be handed in, and drives it through the cases of the harness
# and through the shipped traces, for both alignments, 64-bit and (where gcc can) 32-bit; one of the four builds looks
# for undefined behaviour.
# usage: run.sh [NAME ...]
# environment: SEED; SOAK, the requests of the soak (200,000 if not set).
set -u
cd "$(dirname "$0")/../.." || exit 2
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
flags="-std=gnu11 -O2 -g -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
       -Wpointer-arith -Wcast-align -Wundef -Werror"
parts="harness cases misuse collector"
names=${*:-$(basename -s .c allocators/*.c) $(cd tests/allocators && sed 's/ .*//' variants)}
bits=64
if echo 'int main(void) { return 0; }' | gcc -m32 -x c - -o "$work/probe" 2>/dev/null; then
    bits="64 32"
else
    echo "note: gcc -m32 does not work here (gcc-multilib is not installed): 64-bit builds only"
fi

for b in $bits; do
    gcc $flags -m$b -I. -c memlib.c -o "$work/memlib.$b.o" || exit 1
    for a in 8 16; do
        for part in $parts; do
            gcc $flags -m$b -DMM_ALIGNMENT=$a -I. -c tests/allocators/$part.c -o "$work/$part.$b.$a.o" || exit 1
        done
        [ $b = 64 ] || continue # the parser of traces is the driver's, which is a 64-bit program
        gcc $flags -DMM_ALIGNMENT=$a -I. -Idriver -c tests/allocators/replay.c -o "$work/replay.64.$a.o" || exit 1
    done
done
for part in trace trace_peak; do
    gcc $flags -I. -Idriver -c driver/$part.c -o "$work/$part.o" || exit 1
done
mkdir "$work/traces"
for trace in traces/*.rep traces/*.rep.gz; do
    [ -f "$trace" ] && gzip -dcf "$trace" > "$work/traces/$(basename "$trace" .gz)"
done
[ -n "$(ls "$work/traces")" ] || { echo "FAILED no traces under traces/: 0 passed, 1 failed"; exit 1; }

is_variant() { grep -q "^$1 " tests/allocators/variants; }

build() { # DIR NAME BITS ALIGNMENT: the harness and the replayer
    local source="allocators/$2.c" options="" sanitize="" mm="$1/mm.$3.$4.o" of=".$3.$4.o"
    is_variant "$2" && source=allocators/common/boundary_tags.c options=$(sed -n "s/^$2 //p" tests/allocators/variants)
    [ $3.$4 = 64.8 ] && sanitize="-fsanitize=undefined -fno-sanitize-recover=undefined"
    local objects=("$mm" "$work/memlib.$3.o")
    [ "$2" = gc ] && objects+=("$work/collector$of")
    allocators/amalgamate.py "$source" -o "$1/mm.c" \
        && gcc $flags $options $sanitize -m$3 -DMM_ALIGNMENT=$4 -I. -c "$1/mm.c" -o "$mm" \
        && gcc -m$3 $sanitize "${objects[@]}" "$work"/{harness,cases,misuse}$of -o "$1/harness" \
        && { [ $3 = 32 ] \
            || gcc $sanitize "${objects[@]:0:2}" "$work"/replay$of "$work"/trace{,_peak}.o -o "$1/replay"; }
}

run_one() { # NAME BITS ALIGNMENT: lines that end in `N passed, N failed`
    local dir="$work/$1.$2.$3"
    mkdir "$dir"
    if build "$dir" $1 $2 $3 > "$dir/log" 2>&1; then
        "$dir/harness" "$1" > "$dir/log" 2>&1
        [ $2 = 32 ] || { [ $3 = 8 ] && is_variant "$1"; } || "$dir/replay" "$1" "$work"/traces/* >> "$dir/log" 2>&1
    else
        echo "FAILED $1, alignment $3, $2 bits: does not build: 0 passed, 1 failed" >> "$dir/log"
    fi
    grep -q 'passed, .* failed$' "$dir/log" \
        || echo "FAILED $1, alignment $3, $2 bits: ended early: 0 passed, 1 failed" >> "$dir/log"
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

# A student's mm.c takes the place of ours, and that is no failure; ours out of date is one.
is_ours() {
    head -3 mm.c | grep -q '^ \* A boundary-tag allocator (Knuth' && git diff --quiet HEAD -- mm.c 2>/dev/null
}

if [ $# -eq 0 ]; then
    if allocators/amalgamate.py allocators/common/boundary_tags.c | cmp -s - mm.c; then
        echo "mm.c is the reference in one file: 1 passed, 0 failed"
    elif is_ours; then
        echo "FAILED mm.c is not allocators/common/boundary_tags.c in one file (if you made it yours, never mind:" \
             "these tests are about the shipped allocators; else write it again with: make reference):" \
             "0 passed, 1 failed"
    else
        echo "note: mm.c is your own, which is what it is there for; these tests are about the shipped allocators." \
             "make reference brings the shipped mm.c back, and keeps yours as mm.c.old"
    fi | tee -a "$work/log"
fi
awk '{ for (i = 2; i < NF; i++) { if ($(i + 1) == "passed,") passed += $i; if ($(i + 1) == "failed") failed += $i } }
     END { printf "%d passed, %d failed\n", passed, failed; exit failed || !passed }' "$work/log"
