# Manual pages, and the figures in docs/GRADING.md; included by the Makefile.

CLASSIC := $(wildcard ../shared/traces/classic)
SIZING_TRACES := $(if $(CLASSIC),-t $(CLASSIC) --document "the classic set",--document "the shipped traces")

.PHONY: man bench-grader
man: mdriver ## manual pages of mdriver and the grader into build/man (needs help2man)
	$(PYTHON) -m grader.man build/man

bench-grader: mdriver ## 500 submissions; writes the sizing into docs/GRADING.md
	$(PYTHON) tests/bench/grader_batch.py $(SIZING_TRACES)
