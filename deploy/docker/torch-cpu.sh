#!/usr/bin/env bash
# Installs the CPU build of PyTorch in the way of deploy/setup.sh, which says why it is not in the locks like the rest.
#
#   deploy/docker/torch-cpu.sh PIP CONSTRAINTS        (PIP: the command, options included)
#
# TORCH_INDEX_URL is asked first. Where it does not help, pip's configured sources are asked for the same version.
set -euo pipefail

read -ra pip <<<"$1"
torch=$(sed -n 's/^torch==//p' "$2")
torchvision=$(sed -n 's/^torchvision==//p' "$2")

if ! "${pip[@]}" install --no-deps --timeout 5 --retries 1 --index-url "$TORCH_INDEX_URL" \
    "torch==$torch" "torchvision==$torchvision+cpu"; then
    echo "torch-cpu: $TORCH_INDEX_URL did not help; asking pip's configured sources"
    "${pip[@]}" install --no-deps "torch==$torch"
fi
"${pip[@]}" install --no-deps "torchvision==$torchvision"
