#!/usr/bin/env bash
# Installs Debian packages in an image, from a mirror if APT_MIRROR names one (http://mirror.internal/debian, and beside
# it debian-security), and leaves no lists or archives behind.
#
#   deploy/docker/packages.sh PACKAGE...
#
# Without versions: a mirror keeps the newest alone, so a pinned one is soon not to be had. The base image's tag and
# digest say which Debian it is.
set -euo pipefail

if [ -n "${APT_MIRROR:-}" ]; then
    for sources in /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources; do
        [ ! -e "$sources" ] || sed -i "s|https\?://deb\.debian\.org/debian|$APT_MIRROR|" "$sources"
    done
fi
apt-get update -q
DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
apt-get clean
rm -rf /var/lib/apt/lists/*
