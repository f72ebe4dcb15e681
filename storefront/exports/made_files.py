"""Files that a job makes: asked for in one transaction, made whole or not at all, fetched later by who may see them.

A kind of file is registered with the function that makes it:

    @maker("sales_pack", Action.REVENUE_READ)
    def make(draft: Path, parameters: dict[str, Any], seen: Seen) -> Made:
        ...  # write the file to `draft`, call seen(done, total) as often as you like
        return Made(name="penjualan.zip", mimetype="application/zip", manifest={...})

and asked for by `ask("sales_pack", {...}, person_id=…, title=…)`. A worker's death costs nothing but time: the job is
given back (`jobs.retry_stalled`) and begins again under a new key; an older attempt that wakes changes nothing.
"""

from __future__ import annotations

import datetime
import hashlib
import secrets
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import current_app
from flask_babel import force_locale
from flask_babel import lazy_gettext as _
from sqlalchemy import func, select, text, update

from storefront import crash_points
from storefront.audit.record import record
from storefront.errors import DomainError, Forbidden
from storefront.exports.models import MadeFile
from storefront.extensions import db, defer
from storefront.languages import locale
from storefront.mail.owe import owe_about
from storefront.media.storage import private_files
from storefront.people import policy
from storefront.people.models import Person
from storefront.people.policy import Action, PersonLike

#: The letter that a file is ready, and what it is about.
READY, SUBJECT = "file_ready", "made_file"
#: Days that a file is kept; its row stays.
KEPT_DAYS = 30
#: How often its making is begun before it is given up: what kills a worker four times would do it again.
MOST_ATTEMPTS = 4
#: Seconds between two notes of how far it is.
NOTE_EVERY = 1.0

#: Told how many rows (or pieces) are done, and of how many in all.
Seen = Callable[[int, int], None]


@dataclass(frozen=True)
class Made:
    """What a maker tells of the file that it wrote."""

    #: Under which it is saved: `penjualan-2026-10.csv`.
    name: str
    mimetype: str
    #: `sha256` and `file` are filled in.
    manifest: dict[str, Any]


Maker = Callable[[Path, dict[str, Any], Seen], Made]


@dataclass(frozen=True)
class Kind:
    """A maker, and what its reader must be allowed."""

    make: Maker
    action: Action


#: By kind.
MAKERS: dict[str, Kind] = {}


class GivenUp(DomainError):
    """It was begun often and never ended."""

    code, status = "given_up", 422
    message = _("Berkas gagal dibuat setelah beberapa kali dicoba. Pilih rentang yang lebih pendek, lalu minta lagi.")


def maker(kind: str, action: Action) -> Callable[[Maker], Maker]:
    """Register what makes files of `kind`; whoever fetches one must be allowed `action` for its facilities."""

    def register(make: Maker) -> Maker:
        if kind in MAKERS:
            raise RuntimeError(f"two makers of {kind}")
        MAKERS[kind] = Kind(make, action)
        return make

    return register


def ask(
    kind: str,
    parameters: dict[str, Any],
    *,
    person_id: int,
    title: str,
    facility_ids: frozenset[int] | set[int] | None = None,
    by_letter: bool = False,
) -> MadeFile:
    """Have a file made for a person, in the session's transaction; `parameters` must be JSON. Never commits.

    `facility_ids`: whose figures are in it; None: of all. `by_letter`: they get a link when it is ready.
    """
    MAKERS[kind]  # unknown kinds fail here, not in the worker
    found = MadeFile(
        kind=kind,
        title=title[:200],
        asked_by=person_id,
        language=locale(),
        parameters=parameters,
        by_letter=by_letter,
        facility_ids=None if facility_ids is None else sorted(facility_ids),
        kept_until=_now() + datetime.timedelta(days=KEPT_DAYS),
    )
    db.session.add(found)
    db.session.flush()
    details = {"kind": kind, "title": title[:200], **parameters}
    record("made_file.asked", "made_file", found.id, person_id=person_id, details=details)
    defer("exports.make_file", file_id=found.id, lock=f"made-files:{person_id}")
    return found


def may_fetch(person: PersonLike | None, found: MadeFile) -> bool:
    """Whether a person may see the file: theirs or shared, of a kind and of facilities that they may still read."""
    if person is None or (getattr(person, "id", None) != found.asked_by and found.shared_at is None):
        return False
    return _may_read(person, found)


def _may_read(person: PersonLike, found: MadeFile) -> bool:
    kind = MAKERS.get(found.kind)
    if kind is None:
        return False
    where = policy.reach(person, kind.action, face="finance")
    if found.facility_ids is None:
        return where.everywhere
    return bool(where) and all(one in where for one in found.facility_ids)


def run(file_id: int) -> None:
    """Make the file, whole or not at all; anything but a DomainError is raised to be tried again. Commits."""
    begun = _begin(file_id)
    if begun is None:
        return
    found, key, attempt = begun
    kind, parameters, language = MAKERS[found.kind], dict(found.parameters), found.language
    person = db.session.get_one(Person, found.asked_by)
    allowed = _may_read(person, found)
    db.session.commit()
    folder = current_app.extensions["settings"].var_dir
    folder.mkdir(parents=True, exist_ok=True)
    with force_locale(language), tempfile.TemporaryDirectory(dir=folder, prefix="made-") as private:
        draft = Path(private) / "file"
        try:
            if not allowed:
                raise Forbidden()
            made = kind.make(draft, parameters, _Progress(file_id, attempt))
        except DomainError as error:
            db.session.rollback()
            _fail(file_id, attempt, error)
            return
        db.session.rollback()
        with draft.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        size = draft.stat().st_size
        private_files().put_file(key, draft)
        crash_points.reach("made_file.stored")
        _finish(file_id, attempt, key, made, size, sha256)


def _begin(file_id: int) -> tuple[MadeFile, str, int] | None:
    """Begin an attempt under a new key; None when there is nothing to make. Commits."""
    found = db.session.get(MadeFile, file_id, with_for_update=True, populate_existing=True)
    if found is None or found.state in ("ready", "failed"):
        db.session.rollback()
        return None
    if found.attempt >= MOST_ATTEMPTS:
        attempt, language = found.attempt, found.language
        db.session.rollback()
        with force_locale(language):
            _fail(file_id, attempt, GivenUp())
        return None
    if found.file_key is not None:
        private_files().delete(found.file_key)
    key = f"made/{secrets.token_hex(24)}/file"
    found.file_key, found.state, found.attempt = key, "making", found.attempt + 1
    found.begun_at, found.rows_done, found.rows_total = _now(), 0, None
    attempt = found.attempt
    db.session.commit()
    return found, key, attempt


def _finish(file_id: int, attempt: int, key: str, made: Made, size: int, sha256: str) -> None:
    """It is whole: say so, unless a later attempt has taken over. Commits."""
    manifest = made.manifest | {"file": made.name, "sha256": sha256}
    done = db.session.execute(
        update(MadeFile)
        .where(MadeFile.id == file_id, MadeFile.attempt == attempt, MadeFile.state == "making")
        .values(
            state="ready",
            ended_at=func.clock_timestamp(),
            file_name=made.name,
            mimetype=made.mimetype,
            bytes=size,
            sha256=sha256,
            manifest=manifest,
            rows_done=func.coalesce(MadeFile.rows_total, MadeFile.rows_done),
        )
        .returning(MadeFile.by_letter)
    ).scalar()
    if done:
        owe_about(READY, SUBJECT, file_id)
    db.session.commit()
    if done is None:
        private_files().delete(key)


def _fail(file_id: int, attempt: int, error: DomainError) -> None:
    """It cannot be made, and why. Commits."""
    key = db.session.execute(
        update(MadeFile)
        .where(MadeFile.id == file_id, MadeFile.attempt == attempt, MadeFile.state.in_(("waiting", "making")))
        .values(
            state="failed", ended_at=func.clock_timestamp(), error_code=error.code, error=str(error.message)
        )
        .returning(MadeFile.file_key)
    ).scalar()
    if key is not None:
        private_files().delete(key)
    db.session.commit()


class _Progress:
    """Notes how far an attempt is, on a connection of its own, about once a second."""

    def __init__(self, file_id: int, attempt: int) -> None:
        self.file_id, self.attempt, self.noted = file_id, attempt, 0.0

    def __call__(self, done: int, total: int) -> None:
        if time.monotonic() - self.noted < NOTE_EVERY:
            return
        self.noted = time.monotonic()
        note = text(
            "UPDATE made_files SET rows_done = :done, rows_total = :total"
            " WHERE id = :id AND attempt = :attempt AND state = 'making'"
        )
        with db.engine.begin() as connection:
            values = {"done": done, "total": total, "id": self.file_id, "attempt": self.attempt}
            connection.execute(note, values)


def forget() -> None:
    """Delete files that were kept their time; their rows stay. Commits, one at a time."""
    while True:
        found = db.session.scalar(
            select(MadeFile)
            .where(
                MadeFile.file_key.is_not(None),
                MadeFile.kept_until < func.now(),
                MadeFile.state.in_(("ready", "failed")),
            )
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if found is None:
            db.session.rollback()
            return
        private_files().delete(found.file_key or "")
        found.file_key = None
        db.session.commit()


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
