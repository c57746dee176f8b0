#!/bin/sh
# As the official image: protected mode is off, /data belongs to the user, root steps down.
set -e
if [ "$1" = valkey-server ]; then shift; set -- valkey-server --protected-mode no "$@"; fi
if [ "$(id -u)" = 0 ]; then
    chown -R valkey /data
    exec setpriv --reuid=valkey --regid=valkey --init-groups "$@"
fi
exec "$@"
