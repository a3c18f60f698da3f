#!/bin/bash
# Run once by Gradescope, when the image is built.
source=${GRADER_PLATFORM_ROOT:-}/autograder/source
exec bash "$source/malloclab/grader/bundles/prepare.sh" "$source/config.json"
