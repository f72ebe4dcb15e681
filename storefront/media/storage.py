"""Where files lie: a folder by default, a bucket when `MEDIA_URL` names one.

`s3://bucket/prefix` needs the extra `scale`; its keys come from the environment as usual (`AWS_…`). Public
files (photos) and private ones (exports, uploads) lie below prefixes of their own; only the public one is
ever served by address.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import fsspec
from flask import current_app
from fsspec.spec import AbstractFileSystem

from config import Settings

PUBLIC, PRIVATE = "public", "private"
#: A key: folders and a file name of plain letters; never a dot at the start, so never `..`.
KEY = re.compile(r"(?:[a-z0-9_-]+/)*[a-z0-9_-]+(?:\.[a-z0-9]+)*")


class Store:
    """Files by key below one prefix."""

    def __init__(self, filesystem: AbstractFileSystem, root: str) -> None:
        self.filesystem = filesystem
        self.root = root.rstrip("/")

    @property
    def is_local(self) -> bool:
        """Whether the files lie in a folder of this machine."""
        protocol = self.filesystem.protocol
        return "file" in ((protocol,) if isinstance(protocol, str) else protocol)

    def path(self, key: str) -> str:
        """The path of `key` in the file system. Raises ValueError when it is no key."""
        if not KEY.fullmatch(key) or len(key) > 300:
            raise ValueError("not a key")
        return f"{self.root}/{key}"

    def exists(self, key: str) -> bool:
        return bool(self.filesystem.exists(self.path(key)))

    def read(self, key: str) -> bytes:
        """The content under `key`. Raises FileNotFoundError."""
        content: bytes = self.filesystem.cat_file(self.path(key))
        return content

    def open(self, key: str) -> IO[bytes]:
        """The content under `key` to be read piece by piece; the caller closes it. Raises FileNotFoundError."""
        file: IO[bytes] = self.filesystem.open(self.path(key), "rb")
        return file

    def put_file(self, key: str, source: Path) -> None:
        """Copy the file `source` of this machine to `key`, whole or not at all, a piece at a time."""
        path = self.path(key)
        if not self.is_local:
            self.filesystem.put_file(str(source), path)
            return
        with self._draft(Path(path)) as draft:
            shutil.copyfile(source, draft)

    def write(self, key: str, content: bytes) -> None:
        """Put `content` under `key`, whole or not at all."""
        path = self.path(key)
        if not self.is_local:
            self.filesystem.pipe_file(path, content)  # an object store shows an object only when it is whole
            return
        with self._draft(Path(path)) as draft:
            draft.write_bytes(content)

    @contextmanager
    def _draft(self, target: Path) -> Iterator[Path]:
        """A name beside `target` in our own folder: it gets that name when all is written."""
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.{secrets.token_hex(6)}")
        try:
            yield draft
            draft.chmod(0o644)
            os.replace(draft, target)
        finally:
            draft.unlink(missing_ok=True)

    def below(self, prefix: str) -> list[str]:
        """The keys of all files below a prefix, such as `originals`; none when there is no such prefix."""
        found = self.filesystem.find(self.path(prefix))
        root = str(self.filesystem._strip_protocol(self.root))
        return [path.removeprefix(root).lstrip("/") for path in found]

    def delete(self, key: str) -> None:
        """Remove what lies under `key`, if anything does."""
        if self.exists(key):
            self.filesystem.rm_file(self.path(key))


def open_store(settings: Settings, prefix: str) -> Store:
    """The files below `prefix` of the place that MEDIA_URL names."""
    url = settings.media_url or str(settings.var_dir / "media")
    filesystem: AbstractFileSystem
    root: Any
    # A folder's name is taken as it is: `~`, `*` or `::` in it mean nothing.
    if "://" not in url:
        filesystem, root = fsspec.filesystem("file"), str(Path(url).absolute())
    elif url.startswith("s3://"):
        from obstore.fsspec import FsspecStore

        filesystem, root = FsspecStore("s3"), url.removeprefix("s3://")
    else:
        filesystem, root = fsspec.core.url_to_fs(url)
    return Store(filesystem, f"{str(root).rstrip('/')}/{prefix}")


def public_files() -> Store:
    """Photos: served to anyone under `/media/`."""
    return _of_app(PUBLIC)


def private_files() -> Store:
    """Exports, uploads, documents: never served by address."""
    return _of_app(PRIVATE)


def _of_app(prefix: str) -> Store:
    stores: dict[str, Store] = current_app.extensions.setdefault("media", {})
    if prefix not in stores:
        stores[prefix] = open_store(current_app.extensions["settings"], prefix)
    return stores[prefix]


def media_url(key: str) -> str:
    """The address of the public file `key`."""
    return f"/media/{key}"
