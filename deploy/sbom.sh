#!/usr/bin/env bash
# Writes what each lock names as a bill of materials (CycloneDX 1.6, JSON): deploy/sbom.sh [FOLDER, default dist/sbom]
# From the locks alone, and the same bytes for the same locks.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=${VENV:-.venv}
folder=${1:-dist/sbom}
mkdir -p "$folder"
for lock in deploy/locks/*.txt; do
    name=$(basename "$lock" .txt)
    # A lock names no package's dependencies, which is warned of.
    "$venv/bin/python" -W ignore::UserWarning -m cyclonedx_py requirements "$lock" --pyproject pyproject.toml --mc-type application \
        --output-reproducible --spec-version 1.6 --output-file "$folder/tramontane-$name.cdx.json"
    echo "$folder/tramontane-$name.cdx.json"
done
