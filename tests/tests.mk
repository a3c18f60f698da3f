# Every test, by kind; included by the Makefile. `make check` runs them all.

SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
# Instrumented code misleads the warning about truncation; the ordinary build has it.
SANITIZED_CFLAGS := -std=gnu11 -O1 -g $(WARNINGS) -Wno-format-truncation $(WERROR) $(SANITIZE)
# mdriver is not dumpable, which the leak checker needs; the unit tests look for leaks.
SANITIZED_RUN := ASAN_OPTIONS=detect_leaks=0:handle_segv=0:handle_sigbus=0:handle_abort=0

.PHONY: check-unit check-fuzz check-sanitized check-lint check-allocators check-python

# ---- unit tests (Check): each tests/unit/test_NAME.c offers NAME_suite() ----

UNIT_SOURCES := $(wildcard tests/unit/test_*.c)
UNIT_NAMES := $(UNIT_SOURCES:tests/unit/test_%.c=%)
UNIT_OBJECTS := $(DRIVER_SOURCES:%.c=build/sanitized/%.o) build/sanitized/memlib.o

build/unit/suites.h: $(UNIT_SOURCES) tests/tests.mk
	@mkdir -p $(@D)
	@{ echo '#include <check.h>'; for n in $(UNIT_NAMES); do echo "Suite *$${n}_suite(void);"; done; \
	   printf '#define SUITES'; for n in $(UNIT_NAMES); do printf ' \\\n    %s_suite,' $$n; done; echo; } > $@

build/sanitized/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(SANITIZED_CFLAGS) $(if $(filter driver/course_find.c,$<),-DPROGRAM_FOLDER='"$(CURDIR)"') -c -o $@ $<

build/unit/%.o: tests/unit/%.c build/unit/suites.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -iquote build/unit $(SANITIZED_CFLAGS) -Wno-strict-prototypes -c -o $@ $<

build/unit/run: build/unit/main.o $(UNIT_SOURCES:tests/unit/%.c=build/unit/%.o) $(UNIT_OBJECTS)
	$(CC) $(SANITIZED_CFLAGS) -o $@ $^ -lcheck -lsubunit -lrt -pthread $(LDLIBS)

check-unit: build/unit/run
	ASAN_OPTIONS=handle_segv=0:handle_sigbus=0 build/unit/run

# ---- the whole driver under sanitizers, on good, broken and hostile input ----

build/sanitized/mdriver: build/sanitized/mdriver.o $(DRIVER_SOURCES:%.c=build/sanitized/%.o)
	$(CC) $(SANITIZED_CFLAGS) -o $@ $^ $(LDLIBS)

check-sanitized: build/sanitized/mdriver
	$(SANITIZED_RUN) $(PYTHON) tests/sanitized.py $<

# ---- static analysis ----

check-lint:
	cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --enable=warning,performance,portability \
	    --suppress=missingIncludeSystem -I. -Idriver -j2 mdriver.c memlib.c $(DRIVER_SOURCES) driver/runner.c \
	    driver/runner_libc.c traces/tools/record.c

# ---- allocators, and everything that is driven from Python ----

check-allocators:
	tests/allocators/run.sh

# A process for each folder: each has a conftest of its own. Two at a time (make check).
PYTHON_AREAS := $(patsubst tests/%,check-python-%,$(sort $(patsubst %/,%,$(dir $(wildcard tests/*/test_*.py)))))

.PHONY: $(PYTHON_AREAS)
check-python: $(PYTHON_AREAS)

$(PYTHON_AREAS): check-python-%:
	$(PYTHON) -m pytest -q tests/$*
