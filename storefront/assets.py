"""Static files under names that carry a hash of their content, so that browsers may keep them for ever.

`static/css/app.css` is served as `/static/css/app.0d3c5f1a2b.css`. References inside style sheets
(`url(…)`, `@import`) and modules (`import "./x.js"`) follow. The hashed copies and their brotli and gzip
siblings are built once under `var/static` and shared by all processes.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import posixpath
import re
import tempfile
import time
from pathlib import Path
from wsgiref.headers import Headers

import brotli
from flask import Flask
from whitenoise import WhiteNoise

COMPRESSED = {".css", ".js", ".mjs", ".svg", ".json", ".txt", ".webmanifest", ".html", ".xml", ".map"}
#: Hashed copies of earlier versions stay this long for pages that were loaded before an update.
KEEP_SECONDS = 7 * 24 * 3600
CSS_REFERENCE = re.compile(r"""(url\(\s*['"]?|@import\s+['"])([^'")]+)""")
CSS_COMMENT = re.compile(rb"\s*/\*.*?\*/", re.S)
JS_REFERENCE = re.compile(r"""((?:\bfrom|\bimport)\s*\(?\s*['"])(\.{1,2}/[^'"]+)""")


class Assets:
    """The hashed copies of one folder of static files."""

    def __init__(self, source: Path, target: Path) -> None:
        self.source = source
        self.target = target
        self.names: dict[str, str] = {}
        self._contents: dict[str, bytes] = {}
        self._stamp: tuple[int, int] | None = None

    def build(self) -> None:
        """Make what is missing. Safe when several processes do it at the same moment."""
        self.names.clear()
        for path in sorted(self.source.rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                self._hashed(path.relative_to(self.source).as_posix(), ())
        self._contents.clear()
        self._forget_old()

    def refresh(self) -> None:
        """Build again if a source file changed: for work on styles, not for production."""
        files = [path.stat().st_mtime_ns for path in self.source.rglob("*") if path.is_file()]
        stamp = (len(files), max(files, default=0))
        if stamp != self._stamp:
            self._stamp = stamp
            self.build()

    def url(self, name: str) -> str:
        """The address of the static file `name`, as `css/app.css`. Raises KeyError if there is none."""
        return "/static/" + self.names[name]

    def text(self, name: str) -> str:
        """The source of the static file `name`, for what is served under an address of its own."""
        return (self.source / name).read_text()

    def _hashed(self, name: str, above: tuple[str, ...]) -> str:
        """Make the hashed copy of `name` and of all it refers to; return the hashed name."""
        if name in self.names:
            return self.names[name]
        content = (self.source / name).read_bytes()
        pattern = {".css": CSS_REFERENCE, ".js": JS_REFERENCE, ".mjs": JS_REFERENCE}.get(Path(name).suffix)
        if pattern is not None:
            content = self._follow(name, content.decode(), pattern, (*above, name)).encode()
        stem, suffix = posixpath.splitext(name)
        if suffix == ".css":
            content = CSS_COMMENT.sub(b"", content)  # for people; a phone need not fetch them
        self.names[name] = f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}{suffix}"
        self._write(self.target / self.names[name], content, suffix)
        return self.names[name]

    def _follow(self, name: str, text: str, pattern: re.Pattern[str], above: tuple[str, ...]) -> str:
        def replace(match: re.Match[str]) -> str:
            reference, mark, fragment = match[2].partition("#")
            if ":" in reference or reference.startswith("/") or not reference:
                return match[0]
            wanted = posixpath.normpath(posixpath.join(posixpath.dirname(name), reference))
            if wanted in above or not (self.source / wanted).is_file():
                raise ValueError(
                    f"static/{name} refers to {reference}, which is missing or refers back to it"
                )
            hashed = self._hashed(wanted, above)
            relative = posixpath.relpath(hashed, posixpath.dirname(name) or ".")
            relative = relative if relative.startswith(".") else "./" + relative
            return match[1] + relative + mark + fragment

        return pattern.sub(replace, text)

    def _write(self, path: Path, content: bytes, suffix: str) -> None:
        if path.exists():
            os.utime(path)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        if suffix in COMPRESSED and len(content) > 200:
            # The siblings first: once the file itself exists, the set is complete.
            self._place(path.with_name(path.name + ".br"), brotli.compress(content, quality=9))
            self._place(path.with_name(path.name + ".gz"), gzip.compress(content, 9, mtime=0))
        self._place(path, content)

    def _place(self, path: Path, content: bytes) -> None:
        """Write `path` whole or not at all; drafts lie outside the folder that is served."""
        drafts = self.target.with_name(self.target.name + "-drafts")
        drafts.mkdir(parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(dir=drafts)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.chmod(draft, 0o644)
        os.replace(draft, path)

    def _forget_old(self) -> None:
        current = set(self.names.values())
        limit = time.time() - KEEP_SECONDS
        for path in self.target.rglob("*"):
            name = path.relative_to(self.target).as_posix().removesuffix(".br").removesuffix(".gz")
            if path.is_file() and name not in current and path.stat().st_mtime < limit:
                path.unlink(missing_ok=True)


def _headers(headers: Headers, path: str, url: str) -> None:
    # A year, as the contract promises; whitenoise's own default is ten.
    headers["Cache-Control"] = "public, max-age=31536000, immutable"
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"


def init_app(app: Flask, var_dir: Path) -> None:
    """Build the hashed files and serve them at `/static/`; `asset('css/app.css')` in templates."""
    source = Path(app.root_path).parent / "static"
    assets = Assets(source, var_dir / "static")
    assets.target.mkdir(parents=True, exist_ok=True)
    assets.refresh()

    def asset(name: str) -> str:
        if app.debug:
            assets.refresh()
        return assets.url(name)

    app.jinja_env.globals["asset"] = asset
    app.extensions["assets"] = assets
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
        app.wsgi_app,
        root=assets.target,
        prefix="/static/",
        autorefresh=app.debug,
        immutable_file_test=lambda path, url: True,
        allow_all_origins=False,
        add_headers_function=_headers,
    )
