"""A problem is answered: by its facility in time, by the office after that. Accepted, it becomes a refund.

The facility's yes asks finance for the refund, as everything a facility asks for; the office's own is decided there
(`refunds/refunds.py`: above a limit by two). Each answer is final; of two at once the second is refused.
"""

from __future__ import annotations

import datetime
from typing import Any

import structlog
from flask_babel import gettext as _
from sqlalchemy import func, select

from storefront import content_rule
from storefront.aftercare.models import Problem, ProblemKind, ProblemState
from storefront.audit.record import dated_at, record
from storefront.days import accounting_day
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.mail.models import Message
from storefront.mail.owe import owe
from storefront.orders.messages import tells
from storefront.orders.models import Order, Parcel, ParcelLine
from storefront.refunds.refund_parts import LineWish
from storefront.refunds.refundable import Refundable, refundable
from storefront.refunds.refunds import OF_A_PROBLEM, propose

log = structlog.get_logger("storefront.aftercare")

#: Why the money goes back, in the words of refunds.
REASONS = {
    ProblemKind.DAMAGED: "damaged",
    ProblemKind.WRONG: "returned",
    ProblemKind.MISSING: "cannot_fulfil",
    ProblemKind.NOT_AS_DESCRIBED: "returned",
    ProblemKind.NOT_ARRIVED: "lost",
}
SHORTEST, LONGEST = 10, 1000


class ProblemAnswered(DomainError):
    """Somebody was faster, or it is the office's by now."""

    code, status = "problem_answered", 409

    def __init__(self) -> None:
        super().__init__(
            _("Laporan ini sudah dijawab atau sudah diteruskan. Muat ulang halaman untuk melihat keadaannya.")
        )


def accept(
    problem_id: int, *, person_id: int, facility_id: int | None, answer: str = "", at: datetime.datetime | None = None
) -> Problem:
    """Say yes: all reported pieces go back, and their shipping when nothing else of the parcel is left.

    `facility_id` is the facility that answers, None for the office. Never commits. Raises ProblemAnswered, NotFound,
    Invalid (`answer`), and what a refund may raise (Disputed, nothing left).
    """
    problem = _locked(problem_id, facility_id)
    answer = _answer(answer, needed=False)
    order = db.session.get_one(Order, problem.order_id)
    left = refundable(order)
    if left is None:
        raise NotFound()
    refund = propose(
        order.id,
        [LineWish(line.order_line_id, line.quantity, parcel_id=problem.parcel_id) for line in problem.lines],
        shipping=_shipping(problem, left),
        reason=REASONS[ProblemKind(problem.kind)],
        note=_("Laporan pembeli nomor %(number)d.", number=problem.id),
        person_id=person_id,
        may_decide=facility_id is None,
        facility_ids=None if facility_id is None else [facility_id],
        request_key=f"{OF_A_PROBLEM}{problem.id:012d}",
        at=at,
    )
    _close(problem, ProblemState.ACCEPTED, person_id, answer, refund_id=refund.id, at=at)
    return problem


def refuse(
    problem_id: int, *, person_id: int, facility_id: int | None, answer: str, at: datetime.datetime | None = None
) -> Problem:
    """Say no, with the reason that the shopper reads. Raises as `accept` does."""
    problem = _locked(problem_id, facility_id)
    _close(problem, ProblemState.REFUSED, person_id, _answer(answer, needed=True), at=at)
    return problem


def hand_over_overdue(now: datetime.datetime | None = None) -> int:
    """Give the office what its facility has not answered in time, and tell the shopper; how many. Commits each."""
    now = now or db.session.execute(select(func.now())).scalar_one()
    overdue = select(Problem.id).where(
        Problem.state == ProblemState.OPEN.value, Problem.answer_by < accounting_day(now)
    )
    done = 0
    for problem_id in db.session.scalars(overdue.order_by(Problem.id)).all():
        problem = db.session.get_one(Problem, problem_id, with_for_update=True, populate_existing=True)
        if problem.state != ProblemState.OPEN:  # answered at the last moment
            db.session.rollback()
            continue
        hand_over(problem, now)
        db.session.commit()
        done += 1
    if done:
        log.info("problems handed over to the office", problems=done)
    return done


def hand_over(problem: Problem, now: datetime.datetime) -> None:
    """It is the office's from now on. The row is locked; never commits."""
    problem.state, problem.handed_over_at = ProblemState.HANDED_OVER.value, now
    db.session.flush()
    _record(problem, "handed_over", None, was="open")
    owe("problem_handed_over", problem.order_id, key=f"problem:{problem.id}:handed_over")


@tells("problem_reported", "problem_handed_over", "problem_accepted", "problem_refused")
def of_message(message: Message) -> dict[str, Any]:
    """The problem that a letter speaks of; its key names it."""
    return {"problem": db.session.get_one(Problem, int(message.key.split(":")[1]))}


def _locked(problem_id: int, facility_id: int | None) -> Problem:
    """The problem, its answerer's to answer now."""
    problem = db.session.get(Problem, problem_id, with_for_update=True, populate_existing=True)
    if problem is None or facility_id not in (None, problem.facility_id):
        raise NotFound()
    if problem.state != (ProblemState.HANDED_OVER if facility_id is None else ProblemState.OPEN):
        raise ProblemAnswered()
    return problem


def _shipping(problem: Problem, left: Refundable) -> dict[int, int]:
    """The parcel's shipping, where every piece of it goes back."""
    wanted = {line.order_line_id: line.quantity for line in problem.lines}
    parts = db.session.scalars(select(ParcelLine).where(ParcelLine.parcel_id == problem.parcel_id)).all()
    whole = all(wanted.get(part.order_line_id, 0) >= part.quantity for part in parts)
    amount = left.parcels[problem.parcel_id].amount
    is_pickup = db.session.get_one(Parcel, problem.parcel_id).is_pickup
    return {problem.parcel_id: amount} if whole and amount and not is_pickup else {}


def _answer(text: str, *, needed: bool) -> str:
    answer = content_rule.clean(text)
    if (needed and len(answer) < SHORTEST) or len(answer) > LONGEST:
        raise Invalid({"answer": _("Tulis alasannya untuk pembeli, 10 sampai 1.000 huruf.")})
    return answer


def _close(
    problem: Problem,
    to: ProblemState,
    person_id: int,
    answer: str,
    *,
    refund_id: int | None = None,
    at: datetime.datetime | None = None,
) -> None:
    was, moment = problem.state, at or dated_at() or db.session.execute(select(func.now())).scalar_one()
    problem.state, problem.answer, problem.answered_by = to.value, answer, person_id
    problem.refund_id, problem.answered_at = refund_id, moment
    db.session.flush()
    _record(problem, to.value, person_id, was=was)
    owe(f"problem_{to.value}", problem.order_id, key=f"problem:{problem.id}:{to.value}")


def _record(problem: Problem, what: str, person_id: int | None, *, was: str) -> None:
    record(
        f"problem.{what}",
        "problem",
        problem.id,
        person_id=person_id,
        facility_id=problem.facility_id,
        details={"before": {"state": was}, "after": {"state": problem.state}, "refund": problem.refund_id},
    )
