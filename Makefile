# Two commands: `make run` grades the shipped allocators and writes the report,
# `make check` runs every test. `make help` lists the others.

SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

CC := gcc
PYTHON := /usr/bin/python3
WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
            -Wcast-align -Wundef -Wformat=2 -Wno-format-nonliteral -Wwrite-strings -Wnull-dereference
WERROR := $(if $(CI),-Werror)
CFLAGS := -std=gnu11 -O2 -g $(WARNINGS) $(WERROR)
CPPFLAGS := -iquote . -iquote driver
LDLIBS := -lseccomp -ljansson -lconfig -lmd -lz -lm

# ---- the supervisor: mdriver.c and every part of driver/ that is not a runner's ----

RUNNER_ONLY := driver/runner.c driver/runner_libc.c driver/runner_peer.c
DRIVER_SOURCES := $(filter-out $(RUNNER_ONLY),$(wildcard driver/*.c))
DRIVER_OBJECTS := $(DRIVER_SOURCES:%.c=build/%.o)

# ---- what is linked with a submission: 64- and, where gcc can, 32-bit ----

RUNNER_PARTS := runner memlib runner_libc
HAVE_M32 := $(shell $(CC) -m32 -static -x c -o /dev/null - <<<'int main(void){return 0;}' 2>/dev/null && echo yes)
RUNNER_OBJECTS := $(RUNNER_PARTS:%=build/runner64/%.o) $(if $(HAVE_M32),$(RUNNER_PARTS:%=build/runner32/%.o))
RUNNER_CFLAGS := -std=gnu11 -O2 -g -fno-pie -fno-common $(WARNINGS) $(WERROR)

.PHONY: all run check clean help
all: mdriver $(RUNNER_OBJECTS) build/peer/replay build/peer/replay_touch

mdriver: build/mdriver.o $(DRIVER_OBJECTS)
	$(CC) $(CFLAGS) -o $@ $^ $(LDLIBS)

build/mdriver.o build/driver/%.o: CPPFLAGS += -MMD -MP

build/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

define runner_rules
build/runner$(1)/%.o: driver/%.c
	@mkdir -p $$(@D)
	$$(CC) $$(CPPFLAGS) -MMD -MP $$(RUNNER_CFLAGS) -m$(1) -c -o $$@ $$<
build/runner$(1)/memlib.o: memlib.c
	@mkdir -p $$(@D)
	$$(CC) $$(CPPFLAGS) -MMD -MP $$(RUNNER_CFLAGS) -m$(1) -c -o $$@ $$<
endef
$(eval $(call runner_rules,64))
$(eval $(call runner_rules,32))

-include $(wildcard build/*.d build/driver/*.d build/runner64/*.d build/runner32/*.d)

clean:
	rm -rf build mdriver

include tests/bench/bench.mk
