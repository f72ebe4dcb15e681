"""Papers of a draft: number, issuer, last day and file, kept one at a time."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from flask_babel import gettext as _

from storefront.audit.record import record
from storefront.errors import Invalid
from storefront.listings.check_words import PAPER_NUMBERS
from storefront.listings.drafts import OPEN, DraftMoved, DraftWaits, own_draft, touched
from storefront.listings.listing import PAPER_KINDS
from storefront.listings.models import ListingDraft
from storefront.listings.needs import WITH_EXPIRY
from storefront.media import documents
from storefront.media.storage import private_files
from storefront.written import day, one_line


@dataclass(frozen=True)
class Paper:
    """What was written of a paper, as typed; `content`: its file, None where none came along."""

    kind: str
    number: str = ""
    issued_by: str = ""
    valid_until: str = ""
    content: bytes | None = None


def put(facility_id: int, draft_id: int, version: int, paper: Paper, *, person_id: int) -> ListingDraft:
    """Write a paper into a draft; halal and not halal take each other's place. Never commits.

    Raises NotFound, DraftWaits, DraftMoved, and Invalid by field: `kind`, `number`, `valid_until`, `file`.
    """
    draft = _open(facility_id, draft_id, version)
    errors = _wrong(paper)
    key = None
    if not errors and paper.content is not None and paper.kind != "not_halal":
        key = _kept(paper.content)
    if errors:
        raise Invalid(errors)
    others = {"halal": "not_halal", "not_halal": "halal"}
    dropped = {paper.kind, others.get(paper.kind, paper.kind)}
    before = {row["kind"]: row for row in draft.content["papers"]}
    row = {
        "kind": paper.kind,
        "number": one_line(paper.number).upper() if paper.kind != "not_halal" else "",
        "issued_by": one_line(paper.issued_by)[:120],
        "valid_until": str(day(paper.valid_until) or ""),
        "document_key": key or before.get(paper.kind, {}).get("document_key"),
    }
    rows = [one for kind, one in before.items() if kind not in dropped]
    _write(draft, [*rows, row], person_id)
    _note("put", draft, paper.kind, person_id, has_file=row["document_key"] is not None)
    return draft


def take_out(facility_id: int, draft_id: int, version: int, kind: str, *, person_id: int) -> ListingDraft:
    """The claim is not made any more. Never commits. Raises NotFound, DraftWaits, DraftMoved."""
    draft = _open(facility_id, draft_id, version)
    rows = [row for row in draft.content["papers"] if row["kind"] != kind]
    if len(rows) < len(draft.content["papers"]):
        _write(draft, rows, person_id)
        _note("taken_out", draft, kind, person_id)
    return draft


def _open(facility_id: int, draft_id: int, version: int) -> ListingDraft:
    draft = own_draft(facility_id, draft_id, lock=True)
    if draft.state not in OPEN:
        raise DraftWaits()
    if draft.version != version:
        raise DraftMoved(draft)
    return draft


def _write(draft: ListingDraft, rows: list[dict[str, object]], person_id: int) -> None:
    draft.content = {**draft.content, "papers": rows}
    touched(draft, person_id)


def _wrong(paper: Paper) -> dict[str, str]:
    if paper.kind not in PAPER_KINDS:
        return {"kind": _("Pilih jenis suratnya.")}
    errors = {}
    if paper.kind != "not_halal" and not PAPER_NUMBERS[paper.kind].fullmatch(one_line(paper.number).upper()):
        errors["number"] = _("Nomor ini belum lengkap. Salin persis seperti di suratnya.")
    if paper.valid_until.strip() and day(paper.valid_until) is None:
        errors["valid_until"] = _("Tulis tanggalnya seperti 2026-11-30.")
    elif paper.kind in WITH_EXPIRY and not paper.valid_until.strip():
        errors["valid_until"] = _("Tulis sampai kapan surat ini berlaku.")
    return errors


def _kept(content: bytes) -> str:
    """The key of a file that was checked and put away. Raises Invalid (`file`)."""
    try:
        extension, clean = documents.checked(content)
    except documents.BadDocument as refusal:
        raise Invalid({"file": str(refusal.message)}) from refusal
    key = f"papers/{secrets.token_hex(16)}.{extension}"
    private_files().write(key, clean)
    return key


def _note(act: str, draft: ListingDraft, kind: str, person_id: int, **details: object) -> None:
    record(
        f"listing_paper.{act}",
        "listing_draft",
        draft.id,
        person_id=person_id,
        facility_id=draft.facility_id,
        details={"kind": kind, **details},
    )
