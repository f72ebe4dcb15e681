"""Reports to the office: shown to the address that they were given with, which then is forgotten."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from storefront.cases.models import Case, CaseMessage
from storefront.extensions import db
from storefront.people import personal_data
from storefront.people.personal_data import Subject, Waits


def _cases(who: Subject) -> list[Case]:
    return list(db.session.scalars(select(Case).where(Case.email == who.email).order_by(Case.id))) if who.email else []


@personal_data.holder
class Cases:
    """What was reported stays for whoever is concerned by it; who reported it does not."""

    name = "cases"
    title = _l("Laporan Anda kepada kantor pusat")
    covers = frozenset({"cases.email"})

    def export(self, who: Subject) -> list[dict[str, Any]]:
        return [
            {
                "number": case.number,
                "kind": case.kind,
                "state": case.state,
                "reported_at": case.reported_at.isoformat(),
                "messages": list(
                    db.session.scalars(
                        select(CaseMessage.body)
                        .where(CaseMessage.case_id == case.id, CaseMessage.person_id.is_(None))
                        .order_by(CaseMessage.id)
                    )
                ),
            }
            for case in _cases(who)
        ]

    def waits(self, who: Subject) -> list[Waits]:
        return []

    def forget(self, who: Subject, held: frozenset[int]) -> int:
        gone = _cases(who)
        for case in gone:
            case.email = None
        db.session.flush()
        return len(gone)
