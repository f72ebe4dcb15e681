"""A bucket that speaks as much of S3's protocol as a store of files needs: objects, parts, listing and deleting."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape


class _Bucket(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    objects: dict[str, bytes]
    parts: dict[str, dict[int, bytes]]
    names: Iterator[int]

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def asked(self) -> tuple[str, dict[str, list[str]]]:
        parted = urlsplit(self.path)
        return unquote(parted.path).lstrip("/"), parse_qs(parted.query, keep_blank_values=True)

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(self, status: int, content: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", headers.pop("length", str(len(content))))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def do_PUT(self) -> None:
        key, query = self.asked()
        content = self.body()
        if "partNumber" in query:
            self.parts[query["uploadId"][0]][int(query["partNumber"][0])] = content
        else:
            self.objects[key] = content
        self.answer(200, ETag=f'"{next(self.names)}"')

    def do_POST(self) -> None:
        key, query = self.asked()
        content = self.body()
        if "delete" in query:
            for found in re.findall(rb"<Key>(.*?)</Key>", content):
                self.objects.pop(f"{key}/{unquote(found.decode())}", None)
            self.answer(200, b"<DeleteResult><Deleted><Key>gone</Key></Deleted></DeleteResult>")
        elif "uploads" in query:
            upload = f"u{next(self.names)}"
            self.parts[upload] = {}
            self.answer(200, f"<R><UploadId>{upload}</UploadId></R>".encode())
        else:
            parts = self.parts.pop(query["uploadId"][0])
            self.objects[key] = b"".join(parts[number] for number in sorted(parts))
            self.answer(200, b'<R><ETag>"whole"</ETag></R>')

    def do_DELETE(self) -> None:
        self.objects.pop(self.asked()[0], None)
        self.answer(204)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        key, query = self.asked()
        if "list-type" in query:
            bucket, prefix = key.strip("/"), query.get("prefix", [""])[0]
            found = "".join(
                f"<Contents><Key>{escape(name)}</Key><Size>{len(content)}</Size><ETag>x</ETag>"
                "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
                for path, content in sorted(self.objects.items())
                if (name := path.removeprefix(f"{bucket}/")).startswith(prefix)
            )
            told = f"<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>"
            self.answer(200, told.encode())
        elif key not in self.objects:
            self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        else:
            content, dated = self.objects[key], {"Last_Modified": "Thu, 01 Jan 2026 00:00:00 GMT", "ETag": '"x"'}
            part = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
            if part is None:
                self.answer(200, content, **dated)
            else:
                first, last = int(part[1]), min(int(part[2]), len(content) - 1)
                dated["Content_Range"] = f"bytes {first}-{last}/{len(content)}"
                self.answer(206, content[first : last + 1], **dated)


@contextmanager
def bucket() -> Iterator[tuple[str, dict[str, bytes]]]:
    """Serve a bucket while the block runs: its address, and its objects by `bucket/key`."""
    objects: dict[str, bytes] = {}
    kept = type("Kept", (_Bucket,), {"objects": objects, "parts": {}, "names": itertools.count()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kept)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", objects
    finally:
        server.shutdown()
        server.server_close()
