#!/usr/bin/env bash
# Sees to the Debian packages that Python wheels cannot bring; does nothing where they are there already.
set -euo pipefail

python=${PYTHON:-python3.11}
missing=()
PATH=$PATH:/sbin # where ldconfig is, which Debian leaves out for ordinary users
"$python" -c 'import ensurepip' 2>/dev/null || missing+=("$(basename "$python")-venv") # `python -m venv`
ldconfig -p 2>/dev/null | grep -q 'libnuma\.so\.1' || missing+=(libnuma1)            # vLLM's CPU kernels link to it

# vLLM on CPU compiles its sampler while it warms up.
command -v g++ >/dev/null || missing+=(g++)
"$python" -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_paths()["include"] + "/Python.h"))' \
    2>/dev/null || missing+=("$(basename "$python")-dev")

# The tests start clusters of their own; the service that Debian makes and may start is neither used nor needed.
tests=()
command -v postgres >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || tests+=(postgresql)
command -v promtool >/dev/null || tests+=(prometheus)                              # rules, and a Prometheus that scrapes
command -v haproxy >/dev/null || [ -x /usr/sbin/haproxy ] || tests+=(haproxy)       # stands before routers that are rolled

[ $((${#missing[@]} + ${#tests[@]})) -gt 0 ] || exit 0
if [ "$(id -u)" != 0 ]; then
    echo "missing Debian packages; install them with: sudo apt-get install -y ${missing[*]} ${tests[*]}" >&2
    [ ${#missing[@]} = 0 ] || exit 1
    exit 0 # everything but the tests runs without
fi
apt-get update -q
DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" "${tests[@]}"
