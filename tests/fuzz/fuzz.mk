# The parser under libFuzzer: every input of the corpus, then FUZZ_SECONDS of new ones.

FUZZ_SECONDS := 20

.PHONY: check-fuzz

build/fuzz/trace: tests/fuzz/fuzz_trace.c driver/trace.c driver/trace_peak.c driver/trace.h driver/trace_peak.h
	@mkdir -p $(@D)
	clang -std=gnu11 -O1 -g -Wall -Wextra -Werror -fsanitize=fuzzer,address,undefined \
	    -fno-sanitize-recover=undefined -iquote driver -o $@ $(filter %.c,$^)

# What is found stays in build/fuzz: new inputs in found/, failures as crash-*. A failure belongs into the corpus.
check-fuzz: build/fuzz/trace
	@mkdir -p build/fuzz/found
	build/fuzz/trace -runs=0 tests/fuzz/corpus
	build/fuzz/trace -max_total_time=$(FUZZ_SECONDS) -max_len=2048 -timeout=5 -dict=tests/fuzz/trace.dict \
	    -artifact_prefix=build/fuzz/ -verbosity=0 -print_final_stats=1 build/fuzz/found tests/fuzz/corpus
