"""Words that mean the same, kept by curators. Who asks for one of a group is shown what any of them finds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.exc import IntegrityError

from storefront.audit.record import dated_at, record
from storefront.catalogue.filters import WORD, Filters, clean
from storefront.catalogue.index_keeper import current
from storefront.catalogue.lost_searches import set_aside
from storefront.catalogue.models import Synonym, SynonymGroup
from storefront.catalogue.search import LONGEST_TERM, ask
from storefront.errors import Invalid, NotFound
from storefront.extensions import db

MOST_TERMS, LONGEST = 12, 40
#: What stands between two terms as curators write them.
BETWEEN = re.compile(r"[,;/\n]")


@dataclass(frozen=True)
class Group:
    """Terms that mean the same, in the order in which they were written."""

    id: int
    terms: tuple[str, ...]
    #: Came with the shop and was not changed since.
    is_ours: bool


@dataclass(frozen=True)
class Meaning:
    """What search makes of one word."""

    asked: str
    #: Another word of the shop, where this one is unknown.
    meant: str
    #: What is looked for as well.
    others: tuple[str, ...]
    #: Products that it finds.
    count: int


def terms_of(written: str) -> tuple[str, ...]:
    """Terms as they are compared: lower case, words with one space between."""
    terms = (" ".join(WORD.findall(clean(part).lower())) for part in BETWEEN.split(written))
    return tuple(dict.fromkeys(term for term in terms if term))


def groups(containing: str = "") -> list[Group]:
    """All groups by their first term; with `containing` those with a term that holds it."""
    in_order = func.array_agg(aggregate_order_by(Synonym.term, Synonym.position, Synonym.term))
    rows = db.session.execute(
        select(SynonymGroup.id, SynonymGroup.changed_by, in_order)
        .join(Synonym, Synonym.group_id == SynonymGroup.id)
        .group_by(SynonymGroup.id)
    )
    found = [Group(group_id, tuple(terms), changed_by is None) for group_id, changed_by, terms in rows]
    part = " ".join(WORD.findall(containing.lower()))
    return sorted(
        (group for group in found if any(part in term for term in group.terms)), key=lambda group: group.terms
    )


def add(written: str, person_id: int) -> int:
    """Make a group of the terms in `written`; returns its id. Raises Invalid for the field `terms`. Never commits."""
    terms = _checked(written)
    group_id = db.session.execute(
        insert(SynonymGroup)
        .values(changed_by=person_id, changed_at=dated_at() or func.now())
        .returning(SynonymGroup.id)
    ).scalar_one()
    _write(group_id, terms)
    record(
        "synonyms.added",
        "synonym_group",
        group_id,
        person_id=person_id,
        details={"after": {"terms": list(terms)}},
    )
    return group_id


def change(group_id: int, written: str, person_id: int) -> tuple[str, ...]:
    """Give a group other terms; returns them as they are compared.

    Raises NotFound, and Invalid for the field `terms`. Never commits.
    """
    before, terms = _own(group_id), _checked(written)
    db.session.execute(delete(Synonym).where(Synonym.group_id == group_id))
    _write(group_id, terms)
    db.session.execute(
        update(SynonymGroup)
        .where(SynonymGroup.id == group_id)
        .values(changed_by=person_id, changed_at=func.now())
    )
    details = {"before": {"terms": list(before)}, "after": {"terms": list(terms)}}
    record("synonyms.changed", "synonym_group", group_id, person_id=person_id, details=details)
    return terms


def remove(group_id: int, person_id: int) -> tuple[str, ...]:
    """Take a group away; returns its terms, so that it can be made again. Raises NotFound. Never commits."""
    terms = _own(group_id)
    db.session.execute(delete(Synonym).where(Synonym.group_id == group_id))
    db.session.execute(delete(SynonymGroup).where(SynonymGroup.id == group_id))
    details = {"before": {"terms": list(terms)}}
    record("synonyms.removed", "synonym_group", group_id, person_id=person_id, details=details)
    return terms


def join(words: str, same_as: str, person_id: int) -> int:
    """Let `words`, which found nothing, mean the same as `same_as`: in its group, or in a new one of the two.

    They no longer wait for a curator. Returns the group's id. Raises Invalid for the field `same_as`. Never commits.
    """
    (term, *others), known = terms_of(words) or ("",), terms_of(same_as)
    if others or not term or len(known) != 1 or known[0] == term:
        raise Invalid({"same_as": _("Tulis satu kata lain yang artinya sama.")})
    group_id = db.session.scalar(select(Synonym.group_id).where(Synonym.term == known[0]))
    try:
        if group_id is None:
            group_id = add(f"{known[0]}, {term}", person_id)
        else:
            change(group_id, ",".join((*_own(group_id), term)), person_id)
    except Invalid as refusal:
        raise Invalid({"same_as": refusal.errors["terms"]}) from None
    set_aside(words, person_id)
    return group_id


def meanings(typed: str) -> tuple[list[Meaning], int]:
    """What search makes of each word of `typed`, and how many products all of them find together."""
    index, words = current()
    question = ask(Filters(q=clean(typed)), index, words)
    if question.found is None:
        return [], 0
    groups_by_term = {term: group.terms for group in groups() for term in group.terms}
    found = [
        Meaning(
            asked,
            hit.meant if hit.anywhere else asked,
            tuple(other for other in groups_by_term.get(hit.meant, ()) if other != hit.meant),
            (hit.anywhere & index.alive).bit_count(),
        )
        for asked, hit in zip(question.found.asked, question.found.hits, strict=True)
    ]
    return found, question.in_words.bit_count()


def _own(group_id: int) -> tuple[str, ...]:
    """The group's terms, held until the transaction ends."""
    group = db.session.scalar(select(SynonymGroup.id).where(SynonymGroup.id == group_id).with_for_update())
    if group is None:
        raise NotFound()
    own = select(Synonym.term).where(Synonym.group_id == group_id).order_by(Synonym.position, Synonym.term)
    return tuple(db.session.scalars(own))


def _checked(written: str) -> tuple[str, ...]:
    terms = terms_of(written)
    if len(terms) < 2:
        raise Invalid({"terms": _("Tulis paling sedikit dua kata, dipisahkan koma.")})
    if len(terms) > MOST_TERMS:
        raise Invalid({"terms": _("Paling banyak %(most)d kata dalam satu kelompok.", most=MOST_TERMS)})
    for term in terms:
        if not 2 <= len(term) <= LONGEST or len(term.split()) > LONGEST_TERM:
            raise Invalid(
                {"terms": _("“%(term)s” terlalu pendek atau terlalu panjang untuk dicari.", term=term)}
            )
    return terms


def _write(group_id: int, terms: Sequence[str]) -> None:
    """Write a group's terms. Raises Invalid when one of them stands in another group, also if only just now."""
    rows = [{"term": term, "group_id": group_id, "position": place} for place, term in enumerate(terms)]
    try:
        with db.session.begin_nested():
            db.session.execute(insert(Synonym), sorted(rows, key=lambda row: str(row["term"])))
    except IntegrityError as error:
        taken = db.session.scalars(
            select(Synonym.term).where(Synonym.term.in_(terms), Synonym.group_id != group_id)
        ).first()
        if taken is None:
            raise
        sentence = _("“%(term)s” sudah ada di kelompok lain. Ubah kelompok itu.", term=taken)
        raise Invalid({"terms": sentence}) from error
