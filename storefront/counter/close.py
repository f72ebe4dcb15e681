"""Count a till and close its session: by banknote and coin, with every difference explained."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import func, select

from storefront.audit.record import dated_at, record
from storefront.counter.models import SUMS, CounterConflict, Till, TillSession
from storefront.counter.tills import TillClosed
from storefront.errors import DomainError, Invalid
from storefront.extensions import db
from storefront.money import format_rupiah

#: Rupiah notes and coins in use, the largest first.
NOTES = (100_000, 75_000, 50_000, 20_000, 10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50)
MOST_PIECES = 100_000
LEAST_EXPLANATION, MOST_EXPLANATION = 5, 500


class StillOpen(DomainError):
    """Something is not finished: baskets on phones, or sales that wait for a decision. It closes once confirmed."""

    code, status = "open_baskets", 409

    def __init__(self, baskets: Sequence[str], conflicts: int) -> None:
        parts = []
        if baskets:
            parts.append(
                ngettext(
                    "Masih ada %(num)d keranjang terbuka: %(names)s.",
                    "Masih ada %(num)d keranjang terbuka: %(names)s.",
                    len(baskets),
                    names=", ".join(baskets),
                )
            )
        if conflicts:
            parts.append(
                ngettext(
                    "%(num)d penjualan tanpa sambungan masih menunggu keputusan.",
                    "%(num)d penjualan tanpa sambungan masih menunggu keputusan.",
                    conflicts,
                )
            )
        parts.append(_("Selesaikan dahulu, atau tutup kas sekarang juga."))
        super().__init__(" ".join(parts), extra={"open_baskets": list(baskets), "conflicts": conflicts})


def close_till(
    till: Till,
    person_id: int,
    *,
    notes: Mapping[int, int] | None = None,
    counted: int | None = None,
    explanation: str = "",
    open_baskets: Sequence[str] = (),
    confirmed: bool = False,
    at: datetime.datetime | None = None,
) -> TillSession:
    """Close the till's open session with what was counted: pieces by value (`notes`), or one sum. Never commits.

    Waits for sales that are being written down. Raises TillClosed; StillOpen unless `confirmed`; Invalid, also where
    a difference is not explained.
    """
    session = db.session.scalar(
        select(TillSession)
        .where(TillSession.till_id == till.id, TillSession.closed_at.is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if session is None:
        raise TillClosed()
    undecided, undecided_total = waiting(session.id)
    if (open_baskets or undecided) and not confirmed:
        raise StillOpen(open_baskets, undecided)
    total = _total(notes, counted)
    expected = expected_now(session) + undecided_total
    explanation = explanation.strip()
    if len(explanation) > MOST_EXPLANATION:
        raise Invalid({"explanation": _("Penjelasan paling panjang 500 huruf.")})
    if total != expected and len(explanation) < LEAST_EXPLANATION:
        raise Invalid({"explanation": _unexplained(total - expected, expected)})
    # After it waited for sales: none of them lies after the closing.
    closed_at = at or dated_at() or db.session.execute(select(func.clock_timestamp())).scalar_one()
    closed_at = max(closed_at, session.opened_at)  # clocks of two machines
    session.closed_at, session.closed_by, session.counted, session.expected = closed_at, person_id, total, expected
    session.notes = {str(value): pieces for value, pieces in notes.items() if pieces} if notes is not None else None
    session.explanation = explanation
    db.session.flush()
    after = {"counted": total, "expected": expected, "difference": total - expected, "explanation": explanation}
    record("till.closed", "till_session", session.id, person_id=person_id, details={"before": None, "after": after})
    return session


def expected_now(session: TillSession) -> int:
    """Rupiah that the books say lie in the till of a session: its float and its cash sales less what went back."""
    sales = db.session.execute(select(SUMS.c.cash_sales).where(SUMS.c.session_id == session.id)).scalar_one()
    return session.opening_float + int(sales)


def waiting(session_id: int) -> tuple[int, int]:
    """Sales of a session that wait for a decision, and what their buyers paid: it lies in the till."""
    rows = select(func.count(), func.coalesce(func.sum(CounterConflict.total), 0)).where(
        CounterConflict.session_id == session_id, CounterConflict.settled.is_(None)
    )
    count, total = db.session.execute(rows).one()
    return count, int(total)


def _total(notes: Mapping[int, int] | None, counted: int | None) -> int:
    if notes is None:
        if counted is None or not 0 <= counted <= 1_000_000_000:
            raise Invalid({"counted": _("Tulis jumlah uang yang dihitung, dalam rupiah bulat.")})
        return counted
    wrong = {
        f"n-{value}": _("Tulis berapa lembar atau keping, angka bulat.")
        for value, pieces in notes.items()
        if value not in NOTES or not 0 <= pieces <= MOST_PIECES
    }
    if wrong:
        raise Invalid(wrong)
    total = sum(value * pieces for value, pieces in notes.items())
    if counted is not None and counted != total:
        raise Invalid({"counted": _("Jumlahnya tidak sama dengan uang yang ditulis per lembar.")})
    return total


def _unexplained(difference: int, expected: int) -> str:
    if difference < 0:
        return _(
            "Kurang %(amount)s dari %(expected)s yang seharusnya ada. Hitung ulang, atau jelaskan sebabnya.",
            amount=format_rupiah(-difference),
            expected=format_rupiah(expected),
        )
    return _(
        "Lebih %(amount)s dari %(expected)s yang seharusnya ada. Hitung ulang, atau jelaskan sebabnya.",
        amount=format_rupiah(difference),
        expected=format_rupiah(expected),
    )
