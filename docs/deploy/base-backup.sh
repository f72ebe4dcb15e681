#!/bin/sh
# /usr/local/sbin/storefront-base-backup: a copy of PostgreSQL's own files, from which the archived WAL leads to any
# later moment. storefront-base-backup.service runs it as postgres.
set -eu
umask 077
target=${BASE_DIR:-/var/backups/storefront-base}
wal=${WAL_DIR:-/var/backups/storefront-wal}
keep=${BASE_KEEP:-3}
name=$(date -u +%Y-%m-%dT%H%M%SZ)

rm -rf "$target"/.20*
pg_basebackup --pgdata="$target/.$name" --format=tar --gzip --checkpoint=fast
mv "$target/.$name" "$target/$name"
find "$target" -mindepth 1 -maxdepth 1 -name '20*' | sort | head -n "-$keep" | xargs -r rm -rf
# Each base backup leaves one mark in the archive; WAL before the oldest that is kept leads nowhere.
oldest=$(find "$wal" -maxdepth 1 -name '*.backup' | sort | tail -n "$keep" | head -n 1)
[ -z "$oldest" ] || pg_archivecleanup "$wal" "$(basename "$oldest")"
echo "$target/$name: $(du -sh "$target/$name" | cut -f1), WAL $(du -sh "$wal" | cut -f1)"
