"""A wish for many pieces, or for something made to measure: a private thread, with drawings and lists beside it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from flask_babel import lazy_gettext as _
from sqlalchemy import delete, select

from storefront.enquiries.models import Enquiry, EnquiryFile
from storefront.enquiries.write import began_by, begin_thread, checked
from storefront.errors import Invalid, NotFound
from storefront.extensions import db
from storefront.mail.address import is_email
from storefront.media import documents
from storefront.media.storage import private_files
from storefront.shipping.shown_city import plain_city

LONGEST, MOST_FILES = 2000, 4


@dataclass(frozen=True)
class LargeWish:
    """What somebody would like to have made, from the page of a work or of a facility."""

    facility_id: int
    product_id: int | None
    body: str
    email: str
    city: str = ""
    locale: str = "id"
    person_id: int | None = None
    files: Sequence[bytes] = ()
    request_key: str = ""


def ask_large(wish: LargeWish) -> Enquiry:
    """Begin the thread; the same form sent twice gives the thread that it began. Never commits. Raises Invalid."""
    body, errors = checked(wish.body, LONGEST, wish.request_key)
    city, email = plain_city(wish.city), wish.email.strip().lower()
    if wish.city.strip() and not city:
        errors["city"] = _("Tulis nama kota atau kabupaten saja, tanpa angka.")
    if not is_email(email):
        errors["email"] = _("Tulis alamat surel seperti nama@contoh.id: ke sana penawarannya dikirim.")
    papers: list[tuple[str, bytes]] = []
    if len(wish.files) > MOST_FILES:
        errors["files"] = _("Paling banyak %(most)s berkas.", most=MOST_FILES)
    elif not errors:  # decoding costs: only when the rest is right
        for content in wish.files:
            try:
                papers.append(documents.checked(content))
            except documents.BadDocument as refusal:
                errors["files"] = refusal.message
    if errors:
        raise Invalid(errors)
    if (known := began_by(wish.request_key)) is not None:
        return known
    enquiry = Enquiry(
        kind="large_order", facility_id=wish.facility_id, product_id=wish.product_id, person_id=wish.person_id,
        is_public=False, city=city, locale=wish.locale,
    )  # fmt: skip
    begin_thread(enquiry, body, wish.request_key, city=city, email=email)
    for extension, content in papers:
        key = f"enquiries/{secrets.token_hex(16)}.{extension}"
        private_files().write(key, content)
        db.session.add(EnquiryFile(enquiry_id=enquiry.id, key=key, size=len(content)))
    db.session.flush()
    return enquiry


def files_of(enquiry_id: int) -> tuple[tuple[int, str], ...]:
    """Ids and extensions of what came with a wish."""
    rows = db.session.execute(
        select(EnquiryFile.id, EnquiryFile.key).where(EnquiryFile.enquiry_id == enquiry_id).order_by(EnquiryFile.id)
    )
    return tuple((file_id, PurePosixPath(key).suffix[1:]) for file_id, key in rows)


def file(enquiry_id: int, file_id: int) -> tuple[bytes, str, str]:
    """Content, type and name of one of them. Raises NotFound."""
    found = db.session.get(EnquiryFile, file_id)
    if found is None or found.enquiry_id != enquiry_id:
        raise NotFound()
    extension = PurePosixPath(found.key).suffix[1:]
    return private_files().read(found.key), documents.TYPES[extension], f"{enquiry_id}-{file_id}.{extension}"


def drop_files(enquiry_id: int) -> None:
    """Delete what came with a wish. Never commits."""
    for key in db.session.scalars(
        delete(EnquiryFile).where(EnquiryFile.enquiry_id == enquiry_id).returning(EnquiryFile.key)
    ):
        private_files().delete(key)
