# Benchmarks and the runners of real allocators; included by the Makefile.

BENCH_FLAGS := -std=gnu11 -O2 -g -Wall -Wextra -iquote . -iquote driver
BENCH_PARTS := check check_claims check_words private_memory plain_text timing process \
               confine confine_valgrind shadow record verdict trace trace_file trace_peak
BENCH_SOURCES := $(BENCH_PARTS:%=driver/%.c)
RUNNER_SOURCES := driver/runner.c memlib.c

PEER_RUNNERS := build/peer/replay build/peer/replay_touch

build/peer/replay: $(RUNNER_SOURCES) driver/runner_peer.c driver/wire.h
	@mkdir -p $(@D)
	$(CC) $(BENCH_FLAGS) -fno-plt -o $@ $(RUNNER_SOURCES) driver/runner_peer.c

build/peer/replay_touch: $(RUNNER_SOURCES) driver/runner_peer.c driver/wire.h
	@mkdir -p $(@D)
	$(CC) $(BENCH_FLAGS) -DTOUCH -fno-plt -o $@ $(RUNNER_SOURCES) driver/runner_peer.c

build/bench/micro: tests/bench/micro.c $(BENCH_SOURCES) $(wildcard driver/*.h)
	@mkdir -p $(@D)
	$(CC) $(BENCH_FLAGS) -o $@ $< $(BENCH_SOURCES) -lseccomp -lz -lm

build/bench/runner: mm.c $(RUNNER_SOURCES) driver/runner_libc.c $(wildcard driver/*.h)
	@mkdir -p $(@D)
	$(CC) $(BENCH_FLAGS) -fno-pie -fno-common -c -o $@.mm.o mm.c
	objcopy --rename-section .data=mm_data --rename-section .bss=mm_bss $@.mm.o
	$(CC) $(BENCH_FLAGS) -static -no-pie -o $@ $(RUNNER_SOURCES) driver/runner_libc.c $@.mm.o

.PHONY: bench bench-driver repeatability bench-doc champion-doc

bench-driver: build/bench/micro build/bench/runner ## what the driver itself costs
	build/bench/micro build/bench/runner

bench: mdriver $(PEER_RUNNERS) bench-driver ## the same, and shipped allocators beside real ones
	/usr/bin/python3 tests/bench/allocators.py

repeatability: mdriver ## how far the index of one file moves, idle and under load
	/usr/bin/python3 tests/bench/repeatability.py

# Measures, and writes the figures into docs/TIMING.md.
bench-doc: mdriver $(PEER_RUNNERS) build/bench/micro build/bench/runner ## all of these, written into docs/TIMING.md
	/usr/bin/python3 tests/bench/document.py

champion-doc: mdriver $(PEER_RUNNERS) ## the champion beside libc and mimalloc, written into docs/CHAMPION.md
	/usr/bin/python3 tests/bench/champion_doc.py
