# Two commands: `make run` grades the shipped allocators and writes the report,
# `make check` runs every test. `make help` lists the others.

SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
MAKEFLAGS += --no-builtin-rules

CC := gcc
PYTHON := /usr/bin/python3
WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
            -Wcast-align -Wundef -Wformat=2 -Wno-format-nonliteral -Wwrite-strings -Wnull-dereference
WERROR := $(if $(CI),-Werror)
CFLAGS := -std=gnu11 -O2 -g $(WARNINGS) $(WERROR)
CPPFLAGS := -iquote . -iquote driver -MMD -MP
LDLIBS := -lseccomp -ljansson -lconfig -lmd -lz -lm

.PHONY: all run check help clean packages packages-test
all: mdriver runners ## build mdriver and what is linked with a submission

# ---- the supervisor: mdriver.c and every part of driver/ that is not a runner's ----

RUNNER_ONLY := driver/runner.c driver/runner_libc.c driver/runner_peer.c
DRIVER_SOURCES := $(filter-out $(RUNNER_ONLY),$(wildcard driver/*.c))
DRIVER_OBJECTS := $(DRIVER_SOURCES:%.c=build/%.o)

mdriver: build/mdriver.o $(DRIVER_OBJECTS)
	$(CC) $(CFLAGS) -o $@ $^ $(LDLIBS)

build/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# ---- what is linked with a submission: 64- and, where gcc can, 32-bit ----

RUNNER_PARTS := runner memlib runner_libc
RUNNER_CFLAGS := -std=gnu11 -O2 -g -fno-pie -fno-common $(WARNINGS) $(WERROR)
HAVE_M32 := $(shell $(CC) -m32 -static -x c -o /dev/null - <<<'int main(void){return 0;}' 2>/dev/null && echo yes)

.PHONY: runners
runners: $(foreach bits,64 $(if $(HAVE_M32),32),$(RUNNER_PARTS:%=build/runner$(bits)/%.o)) \
         build/peer/replay build/peer/replay_touch

define runner_rules
build/runner$(1)/%.o: driver/%.c
	@mkdir -p $$(@D)
	$$(CC) $$(CPPFLAGS) $$(RUNNER_CFLAGS) -m$(1) -c -o $$@ $$<
build/runner$(1)/%.o: %.c
	@mkdir -p $$(@D)
	$$(CC) $$(CPPFLAGS) $$(RUNNER_CFLAGS) -m$(1) -c -o $$@ $$<
endef
$(eval $(call runner_rules,64))
$(eval $(call runner_rules,32))

# ---- the two commands ----

packages:
	@./install-packages run

packages-test:
	@./install-packages run test

# Recursive, since packages must be there before make looks for what gcc can do.
run: packages ## grade the shipped allocators on the shipped traces, write the report
	@$(MAKE) --no-print-directory all
	@$(MAKE) --no-print-directory report

check: packages-test ## run every test
	@$(MAKE) --no-print-directory all
	@$(MAKE) --no-print-directory check-unit check-fuzz check-sanitized check-lint check-allocators
	@$(MAKE) --no-print-directory -j2 --output-sync=target check-python
	@echo "make check: everything passed"

clean: ## remove all that was built
	rm -rf build mdriver

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

include tests/tests.mk
include tests/fuzz/fuzz.mk
include tests/bench/bench.mk
include allocators/allocators.mk
include plots/plots.mk
include grader/grader.mk

-include $(shell find build -name '*.d' 2>/dev/null)
