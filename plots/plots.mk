# The report that `make run` ends with, and the pictures in docs/; included by the Makefile.

.PHONY: report pictures

# An allocator that fails is a result, not a reason to write no report: only usage (2) and faults of ours (5) end it.
report: mdriver runners ## grade the shipped allocators and write build/report/index.html
	@rm -rf build/events
	@./mdriver --json build/result.json --events build/events $$(./mdriver --list); status=$$?; \
	    case $$status in 0|1|3|4) ;; *) exit $$status ;; esac
	@$(PYTHON) -m grader report --result build/result.json --events build/events -o build/report

pictures: mdriver runners $(PEER_RUNNERS) ## measure the shipped allocators and redraw docs/pictures
	$(PYTHON) plots/pictures.py
