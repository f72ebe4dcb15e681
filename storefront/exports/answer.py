"""What a page answers when a file is wanted."""

from __future__ import annotations

import datetime
import io
from collections.abc import Callable
from typing import Any

import psycopg
from flask import Response, request

from storefront.books import proof
from storefront.books.span import Span
from storefront.errors import Invalid, NotFound
from storefront.exports import statement_table, written_table
from storefront.exports.download import Download, Part
from storefront.exports.formats import Format
from storefront.exports.manifest import demo_note
from storefront.exports.moment import parse_moment, settle
from storefront.exports.statement_pdf import paper
from storefront.exports.table import Table
from storefront.extensions import db
from storefront.media.storage import private_files

#: Endings of a statement's files.
STATEMENT_FORMS = ("pdf", "xlsx", "csv", "jsonl")


def answer(download: Download) -> Response:
    """The answer that a browser saves as a file."""
    response = Response(download.blocks, content_type=download.mimetype)
    response.headers["Content-Disposition"] = f'attachment; filename="{download.name}"'
    response.headers["X-Accel-Buffering"] = "no"  # a proxy passes the pieces on as they come
    return response


def attachment(key: str | None, name: str) -> Response:
    """A private paper (`books.proof`) to be saved as `name` with the ending of `key`: never shown inside the shop.

    Raises NotFound when there is none.
    """
    try:
        content, mimetype = proof.read(key) if key else (None, None)
    except FileNotFoundError:
        content = None
    if key is None or content is None:
        raise NotFound()
    response = Response(content, mimetype=mimetype)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{key.rpartition(".")[2]}"'
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def picture(key: str) -> Response:
    """A private photo, shown in a page to whoever may see it: kept by nobody, and it can only be a picture.

    Raises NotFound when the file is gone.
    """
    try:
        content = private_files().read(key)
    except FileNotFoundError:
        raise NotFound() from None
    response = Response(content, mimetype="image/jpeg")
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def asked_part() -> Part:
    """What of an export this request wants (`part`). Raises Invalid."""
    try:
        return Part(request.args.get("part", "file"))
    except ValueError:
        raise Invalid() from None


def asked_moment() -> datetime.datetime:
    """The moment that this request names (`as_of`), or now, once all before it is written.

    The caller has ended its own transaction. Raises BadMoment, StillWriting.
    """
    asked = request.args.get("as_of", "")
    return settle(db.engine, parse_moment(asked) if asked else None)


def statement_file(facility_id: int, span: Span, form: str) -> Download:
    """The statement of a facility as `form` (one of `STATEMENT_FORMS`), as this request asks for it.

    The caller has ended its own transaction. Raises what `asked_moment` and `written_table.download` raise.
    """
    part, moment = asked_part(), asked_moment()
    with statement_table.opened(db.engine, facility_id, span, moment) as source:
        if form == "pdf":
            pdf, found = paper(source, note=demo_note())
            return written_table.parted(io.BytesIO(pdf), found, "application/pdf", moment, part)
        made = statement_table.table(source)
        return written_table.download(source.connection, made, Format(form), part, note=demo_note())


def table_file(make: Callable[[psycopg.Connection[Any], datetime.datetime], Table], form: str) -> Download:
    """The table that `make(connection, moment)` gives, as this request asks for it. Raises as above."""
    try:
        wanted = Format(form)
    except ValueError:
        raise Invalid() from None
    part, moment = asked_part(), asked_moment()
    return written_table.download_made(
        db.engine, lambda connection: make(connection, moment), wanted, part, note=demo_note()
    )
