#!/bin/sh
# /usr/local/sbin/storefront-backup: one backup, whole or not at all. storefront-backup.service runs it.
# The database first, then the files: a photo's file is there before its row and never changes, so whatever the
# database names is in the copy of the files.
set -eu
umask 077
target=${BACKUP_DIR:-/var/backups/storefront}
media=${BACKUP_MEDIA:-/var/lib/storefront/media}
days=${BACKUP_DAYS:-35}
name=$(date -u +%Y-%m-%dT%H%M%SZ)
draft=$target/.$name

mkdir "$draft"
trap 'rm -rf "$draft"' EXIT
pg_dump --no-password --format=custom --file="$draft/database.dump"
pg_restore --list "$draft/database.dump" > /dev/null
if [ -d "$media" ]; then
    # Files that have not changed are the same file in all backups, and take no further space.
    before=$target/latest/media
    [ -d "$before" ] || before=
    rsync --archive ${before:+--link-dest="$before"} "$media/" "$draft/media/"
fi
(cd "$draft" && find . -type f ! -name SHA256SUMS -print0 | sort -z | xargs -0 sha256sum > SHA256SUMS)
sync
mv "$draft" "$target/$name"
ln -sfn "$name" "$target/latest"
find "$target" -mindepth 1 -maxdepth 1 -type d -name '20*' -mtime "+$days" -exec rm -rf {} +
echo "$target/$name: $(du -sh "$target/$name" | cut -f1)"
# The page *Sistem* says when the last one ended.
psql --no-password --quiet --set=note="$target/$name: $(du -sh "$target/$name" | cut -f1)" <<'SQL' || echo "not written down: is the schema of this release there?"
INSERT INTO upkeep (kind, note) VALUES ('backup', left(:'note', 300));
SQL
