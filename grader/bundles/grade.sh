#!/bin/bash
# grade.sh PLATFORM BUNDLE: grades the one submission that lies where PLATFORM puts
# it. BUNDLE holds config.json, version and malloclab/; an image with the same
# version in /opt/malloclab has it built already.
platform=$1
bundle=$(cd "$2" && pwd)
tree=$bundle/malloclab
if cmp -s "$bundle/version" /opt/malloclab/version; then
    tree=/opt/malloclab/malloclab
fi
PYTHONPATH=$tree exec /usr/bin/python3 -m grader.onplatform "$platform" "$bundle/config.json"
