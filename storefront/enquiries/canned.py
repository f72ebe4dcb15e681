"""Answers that a facility keeps ready, in both languages: chosen, changed as needed, and then sent like any other."""

from __future__ import annotations

import datetime

from flask_babel import lazy_gettext as _
from sqlalchemy import Select, func, or_, select

from storefront import content_rule
from storefront.enquiries.models import CannedReply
from storefront.enquiries.write import LONGEST_ANSWER
from storefront.errors import Invalid, NotFound
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.pages import Paged

#: Of one facility, so that the list beside an answer stays short.
MOST, LONGEST_NAME, PAGE = 60, 60, 20


class ReplyPage(Paged[CannedReply]):
    size = PAGE


def replies(facility_id: int) -> list[CannedReply]:
    """All of the facility's, by name."""
    return list(db.session.scalars(_living(facility_id).order_by(func.lower(CannedReply.name))))


def listing(facility_id: int, q: str = "", sort: str = "name", page: int = 1) -> ReplyPage:
    """A page of them: those with `q` in name or text, by `name` or the latest `changed` first."""
    query = _living(facility_id)
    if words := q.strip()[:100]:
        query = query.where(
            or_(
                *(column.icontains(words, autoescape=True) for column in (CannedReply.name, CannedReply.body))
            )
        )
    total = db.session.scalar(select(func.count()).select_from(query.subquery())) or 0
    by_name = (func.lower(CannedReply.name),)
    order = (CannedReply.changed_at.desc(), CannedReply.id.desc()) if sort == "changed" else by_name
    found = db.session.scalars(query.order_by(*order).offset((page - 1) * PAGE).limit(PAGE)).all()
    return ReplyPage(found, total, page)


def find(facility_id: int, reply_id: int) -> CannedReply:
    """The facility's own, a deleted one too. Raises NotFound."""
    found = db.session.get(CannedReply, reply_id)
    if found is None or found.facility_id != facility_id:
        raise NotFound()
    return found


def text_for(reply: CannedReply, locale: str) -> str:
    """Its text for who writes in `locale`."""
    return (reply.body_en if locale == "en" else "") or reply.body


def save(
    facility_id: int, name: str, body: str, body_en: str, *, person_id: int, reply: CannedReply | None = None
) -> CannedReply:
    """Keep a new answer, or `reply` anew. Never commits. Raises Invalid with a sentence for each field."""
    name, errors = " ".join(name.split()), {}
    texts = {"body": content_rule.clean(body), "body_en": content_rule.clean(body_en)}
    if not name or len(name) > LONGEST_NAME:
        errors["name"] = _("Beri nama yang pendek, paling panjang %(most)d huruf.", most=LONGEST_NAME)
    if not texts["body"]:
        errors["body"] = _("Tulis jawabannya dalam bahasa Indonesia.")
    for field, written in texts.items():
        if len(written) > LONGEST_ANSWER:
            errors[field] = _("Paling panjang %(most)d huruf. Persingkat dulu.", most=LONGEST_ANSWER)
    # One after the other, so that no name is given twice.
    db.session.execute(select(Facility.id).where(Facility.id == facility_id).with_for_update(key_share=True))
    own = replies(facility_id)
    if any(other.name.lower() == name.lower() for other in own if reply is None or other.id != reply.id):
        errors["name"] = _("Sudah ada jawaban dengan nama ini. Pilih nama lain.")
    if reply is None and len(own) >= MOST:
        errors["name"] = _("Paling banyak %(most)d jawaban. Hapus satu dulu.", most=MOST)
    if errors:
        raise Invalid(errors)
    kept = reply or CannedReply(facility_id=facility_id)
    kept.name, kept.body, kept.body_en = name, texts["body"], texts["body_en"]
    kept.changed_by, kept.changed_at, kept.deleted_at = person_id, datetime.datetime.now(datetime.UTC), None
    db.session.add(kept)
    db.session.flush()
    return kept


def remove(reply: CannedReply, person_id: int) -> None:
    """Delete it; what was answered with it stays. Never commits."""
    reply.deleted_at, reply.changed_by = datetime.datetime.now(datetime.UTC), person_id
    db.session.flush()


def restore(reply: CannedReply, person_id: int) -> None:
    """Have it back. Never commits. Raises Invalid when its name was given to another meanwhile."""
    save(reply.facility_id, reply.name, reply.body, reply.body_en, person_id=person_id, reply=reply)


def _living(facility_id: int) -> Select[CannedReply]:
    return select(CannedReply).where(CannedReply.facility_id == facility_id, CannedReply.deleted_at.is_(None))
