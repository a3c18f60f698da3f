# Allocators as single files, and the table that compares them; included by the Makefile.

SHIPPED := $(sort $(basename $(notdir $(wildcard allocators/*.c))))
ALLOCATOR_PARTS := $(wildcard allocators/*/*.[ch]) allocators/amalgamate.py

.PHONY: submission table

submission: ## make submission ALLOC=tlsf: that allocator as one file, as it would be handed in
	@$(if $(filter $(ALLOC),$(SHIPPED)),,echo "make submission ALLOC=NAME; there are: $(SHIPPED)" >&2; exit 2)
	@$(MAKE) --no-print-directory build/submission/$(ALLOC)/mm.c
	@echo build/submission/$(ALLOC)/mm.c

build/submission/%/mm.c: allocators/%.c $(ALLOCATOR_PARTS)
	@mkdir -p $(@D)
	@allocators/amalgamate.py $< -o $@

# mm.c is a student's to replace: nothing writes it but this, when asked for by name.
.PHONY: reference
reference: ## write the shipped mm.c again; what is there becomes mm.c.old
	@mkdir -p build
	@allocators/amalgamate.py allocators/common/boundary_tags.c -o build/reference.c
	@if [ -f mm.c ] && ! cmp -s mm.c build/reference.c; then mv mm.c mm.c.old; echo "your mm.c is now mm.c.old"; fi
	@cp build/reference.c mm.c

.PHONY: soak
soak: ## ten million requests for each allocator, in all builds: minutes
	SOAK=10000000 tests/allocators/run.sh

table: mdriver runners ## measure the shipped allocators, write allocators/README.md's table
	$(PYTHON) tests/bench/table.py
