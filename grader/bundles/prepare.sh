#!/bin/bash
# prepare.sh CONFIG: makes this machine ready to grade. Run once, as root, while a
# platform builds its image: installs what packages.txt marks `run` and what the
# course needs besides, builds mdriver, and says whether the sandbox stands here.
set -euo pipefail
tree=$(cd "$(dirname "$0")/../.." && pwd)
config=$(realpath "$1")

missing=()
for package in $(awk -F '\t' '$2 == "run" { print $1 }' "$tree/packages.txt") $(cat "$(dirname "$config")/packages"); do
    dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
fi

chmod -R go+rX "$tree" "$(dirname "$config")" # the sandbox reads it as nobody
make -s -j"$(nproc)" -C "$tree" all
cd "$tree"
exec /usr/bin/python3 -m grader.onplatform check "$config"
