#!/usr/bin/env bash
# Takes out of the router's environment what nobody runs in an image: 168 MB become 100.
#
#   deploy/docker/slim.sh /opt/tramontane
#
# Packages' own tests, what only compilers and type checkers read, symbols for debuggers, and the weights of the pocket
# model (its vocabulary stays: routers read it). Not touched: libraries that wheels bring for themselves in *.libs,
# whose headers were rewritten by auditwheel, which strip is known to damage.
set -euo pipefail

site=$(echo "$1"/lib/python3.*/site-packages)
[ -d "$site" ] || { echo "slim: $1 is no virtual environment" >&2; exit 1; }

find "$site" -type d \( -name tests -o -name test -o -path '*/sqlalchemy/testing' \) -prune -exec rm -r {} +
find "$site" -type f \( -name '*.pyi' -o -name '*.pxd' -o -name '*.pyx' -o -name '*.h' -o -name '*.c' -o -name '*.a' \) -delete
find "$site" -type f -name '*.so' -not -path '*.libs/*' -exec strip --strip-unneeded {} +
rm -f "$site/serving/pocket/weights/consolidated.safetensors"
find "$1/bin" -type f -iname 'activate*' -delete
