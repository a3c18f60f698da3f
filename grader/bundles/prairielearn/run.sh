#!/bin/bash
# Run by PrairieLearn for every submission: the entrypoint of the external grader.
root=${GRADER_PLATFORM_ROOT:-}/grade
results=$root/results/results.json
bash "$root/serverFilesCourse/malloclab/malloclab/grader/bundles/grade.sh" prairielearn \
     "$root/serverFilesCourse/malloclab"
if [ ! -s "$results" ]; then
    mkdir -p "${results%/*}"
    cat "$root/serverFilesCourse/malloclab/fallback.json" > "$results"
fi
