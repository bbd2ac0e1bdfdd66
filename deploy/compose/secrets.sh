#!/usr/bin/env bash
# Makes up the secrets of deploy/compose.yaml, once: what is there is kept. Prints nothing secret.
#
#   deploy/compose/secrets.sh [FOLDER]          (default: secrets, beside this file)
#
# Containers run as users that the host does not know, so each file can be read by all; the folder can be entered by its
# owner alone, which keeps the machine's other users out.
set -euo pipefail

folder=${1:-$(dirname "$0")/secrets}
umask 077
mkdir -p "$folder"

hex() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; } # 256 random bits
keep() {                                               # NAME VALUE
    if [ ! -s "$folder/$1" ]; then
        printf '%s' "$2" >"$folder/.$1"
        chmod 0444 "$folder/.$1"
        mv "$folder/.$1" "$folder/$1"
        echo "made $folder/$1"
    fi
}

keep api-key "sk-or-v1-$(hex)"
keep management-key "sk-or-v1-$(hex)"
keep ray-token "$(hex)"
keep postgres-password "$(hex)"
keep database-url "postgresql://tramontane:$(cat "$folder/postgres-password")@postgres:5432/tramontane"
keep grafana-password "$(hex)"
