"""What shoppers wrote and photographed after the sale."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, select

from storefront.aftercare.models import Problem, ProblemPhoto, ThankYou
from storefront.aftercare.problems import WAITING
from storefront.extensions import db
from storefront.media.storage import private_files
from storefront.moderation import queue as moderation
from storefront.orders.held_data import order_ids
from storefront.orders.models import Order
from storefront.people import personal_data
from storefront.people.personal_data import Subject, Waits


def _problems(who: Subject) -> list[Problem]:
    return list(
        db.session.scalars(
            select(Problem)
            .where(Problem.order_id.in_(order_ids(who)), Problem.erased_at.is_(None))
            .order_by(Problem.id)
        )
    )


@personal_data.holder
class Problems:
    """Reports with their words and photos. What was decided stays, without them."""

    name = "problems"
    title = _l("Laporan masalah")
    covers = frozenset({"problems.words", "problem_photos.key"})

    def export(self, who: Subject) -> list[dict[str, Any]]:
        return [
            {
                "number": problem.id,
                "kind": problem.kind,
                "words": problem.words,
                "state": problem.state,
                "reported_at": problem.reported_at.isoformat(),
                "answer": problem.answer,
                "photos": [_name(photo) for photo in problem.photos],
            }
            for problem in _problems(who)
        ]

    def files(self, who: Subject) -> Iterator[tuple[str, bytes]]:
        for problem in _problems(who):
            for photo in problem.photos:
                yield _name(photo), private_files().read(photo.key)

    def waits(self, who: Subject) -> list[Waits]:
        return [
            Waits(_("Laporan nomor %(number)d sedang dijawab.", number=problem.id), problem.answer_by, problem.order_id)
            for problem in _problems(who)
            if problem.state in WAITING
        ]

    def forget(self, who: Subject, held: frozenset[int]) -> int:
        gone = [problem for problem in _problems(who) if problem.order_id not in held]
        now = db.session.execute(select(func.now())).scalar_one()
        for problem in gone:
            for photo in problem.photos:
                private_files().delete(photo.key)
            db.session.execute(delete(ProblemPhoto).where(ProblemPhoto.problem_id == problem.id))
            problem.words, problem.erased_at = None, now
        db.session.flush()
        db.session.expire_all()
        return len(gone)


@personal_data.holder
class ThankYous:
    """Thanks to workshops. Their words go; that there was one stays."""

    name = "thank_yous"
    title = _l("Ucapan terima kasih")
    covers = frozenset({"thank_yous.words", "thank_yous.city"})

    def export(self, who: Subject) -> list[dict[str, Any]]:
        rows = db.session.execute(
            select(ThankYou, Order.number)
            .join(Order, Order.id == ThankYou.order_id)
            .where(ThankYou.order_id.in_(order_ids(who)), ThankYou.erased_at.is_(None))
        )
        return [
            {
                "order": number,
                "words": thanks.words,
                "city": thanks.city,
                "passed_on": thanks.is_shown,
                "written_at": thanks.written_at.isoformat(),
            }
            for thanks, number in rows
        ]

    def waits(self, who: Subject) -> list[Waits]:
        return []

    def forget(self, who: Subject, held: frozenset[int]) -> int:
        query = select(ThankYou).where(ThankYou.order_id.in_(order_ids(who)), ThankYou.erased_at.is_(None))
        gone = [thanks for thanks in db.session.scalars(query) if thanks.order_id not in held]
        now = db.session.execute(select(func.now())).scalar_one()
        for thanks in gone:
            thanks.words, thanks.city, thanks.is_shown, thanks.erased_at = None, "", False, now
            moderation.withdraw("thank_you", thanks.id)
        db.session.flush()
        return len(gone)


def _name(photo: ProblemPhoto) -> str:
    return f"photos/problem-{photo.problem_id}-{photo.position}.jpg"
