"""What went wrong and was put right: payments undone and made again, corrections, what a second person refused."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Sequence

from sqlalchemy import select, text

from storefront.books import (
    bank_accounts,
    corrections,
    deposit_paid,
    distribute,
    fee_bearing,
    settle,
    settle_paid,
)
from storefront.books.models import Deposit, Settlement
from storefront.books.span import Span
from storefront.demo.moments import at, days
from storefront.extensions import db
from storefront.ledger.book import bank, books_difference
from storefront.ledger.models import Fund

Act = Callable[[datetime.datetime], None]
#: A facility whose deposit got the number of another slip.
WRONG_NUMBER = "BKT"
MONTHLY_CHARGE = 6_500

#: Working capital that was sent in some days, the least first.
SENT = text(
    """SELECT s.id FROM settlements s JOIN funds u ON u.id = s.fund_id AND u.code = 'working_capital'
        WHERE s.state = 'paid' AND s.paid_on BETWEEN :first AND :last ORDER BY s.amount, s.id LIMIT 1"""
)


class PutRight:
    """`first` of finance proposes, `second` decides; `redo` deposits for a facility again."""

    def __init__(
        self,
        months: Sequence[Span],
        ids: dict[str, int],
        first: int,
        second: int,
        *,
        coordinators: dict[str, int],
        workshops: dict[str, list[int]],
        today: datetime.date,
        redo: Callable[[int, datetime.date, datetime.datetime], None],
    ) -> None:
        self.months, self.ids, self.today = months, ids, today
        self.first, self.second, self.redo = first, second, redo
        self.coordinators, self.workshops = coordinators, workshops

    def acts(self) -> Iterator[tuple[datetime.datetime, Act]]:
        """Everything, with its moments; after the deposits and settlements of the same month."""
        early, middle, last = self.months
        yield at(early.first + days(6), 14), self._undo_deposit
        yield at(middle.first + days(8), 8), self._take_record_back
        yield at(middle.first + days(8), 14), self._undo_settlement
        for span in (early, middle):
            yield from self._correction(span, self._agree)
        yield from self._correction(last, self._refuse)
        yield at(self.today - days(3), 10), self._charge
        yield at(self.today - days(2), 16), self._refuse_settlement
        yield at(self.today - days(6), 10), self._other_bearer

    def _correction(self, span: Span, decide: Act) -> Iterator[tuple[datetime.datetime, Act]]:
        yield at(span.first + days(7), 10), self._charge
        yield at(span.first + days(7), 15), decide

    def _charge(self, moment: datetime.datetime) -> None:
        """The bank took its monthly charge from the central account."""
        day = moment.date()
        account = bank(bank_accounts.in_force(None, day).id).code
        corrections.propose(
            reason="Biaya administrasi rekening pusat bulan lalu, menurut rekening koran bank.",
            effective_date=day,
            legs=[(books_difference().code, MONTHLY_CHARGE), (account, -MONTHLY_CHARGE)],
            person_id=self.first,
        )

    def _agree(self, moment: datetime.datetime) -> None:
        corrections.approve(self._waiting(), self.second)

    def _refuse(self, moment: datetime.datetime) -> None:
        corrections.reject(self._waiting(), self.second)

    @staticmethod
    def _waiting() -> int:
        query = text("SELECT id FROM corrections WHERE state = 'proposed' ORDER BY id DESC LIMIT 1")
        return int(db.session.execute(query).scalar_one())

    def _undo_deposit(self, moment: datetime.datetime) -> None:
        """A deposit written down with the number of another slip is undone and written down again."""
        facility = self.ids.get(WRONG_NUMBER)
        query = select(Deposit).where(Deposit.facility_id == facility, Deposit.state == "paid")
        wrong = db.session.scalar(query.order_by(Deposit.id.desc()).limit(1))
        if facility is None or wrong is None:
            return
        reason = "NTPN yang dicatat milik slip setoran lain; dicatat ulang dari bukti yang benar."
        deposit_paid.reverse(wrong.id, on=moment.date(), reason=reason, person_id=self.second, at=moment)
        self.redo(facility, moment.date() - days(1), moment)

    def _undo_settlement(self, moment: datetime.datetime) -> None:
        """The bank sent working capital back; the next month's settlement pays it again."""
        sent = db.session.scalars(SENT, vars(self.months[1])).first()
        if sent is not None:
            reason = "Bank mengembalikan kiriman: nama pemilik rekening tidak cocok."
            settle_paid.reverse(sent, on=moment.date(), reason=reason, person_id=self.second, at=moment)

    def _refuse_settlement(self, moment: datetime.datetime) -> None:
        """One of those that wait is refused; others go on waiting."""
        waiting = select(Settlement.id).where(Settlement.state == "proposed").order_by(Settlement.id)
        found = db.session.scalars(waiting).all()
        if len(found) > 1:
            settle.reject(found[-1], self.second, "Tunggu sampai pengembalian dana pesanan terakhir selesai.")

    def _take_record_back(self, moment: datetime.datetime) -> None:
        """A coordinator wrote premium down that was not passed on yet, and took the record back."""
        for code, coordinator in sorted(self.coordinators.items()):
            amount = distribute.left_to_pass_on(self.ids[code]) // 2000 * 1000
            if amount:
                record = distribute.enter(
                    self.ids[code],
                    workshop_id=self.workshops[code][0],
                    distributed_on=moment.date(),
                    people=6,
                    amount=amount,
                    person_id=coordinator,
                )
                distribute.reject(record.id, coordinator)
                return

    def _other_bearer(self, moment: datetime.datetime) -> None:
        """Finance proposes that working capital bears the provider's fees; an administrator has not decided."""
        fund = db.session.scalars(select(Fund.id).where(Fund.code == "working_capital")).one()
        fee_bearing.propose(
            fund_id=fund,
            valid_from=(self.today + days(40)).replace(day=1),
            legal_basis="Rancangan keputusan pimpinan tentang biaya penyedia pembayaran (contoh)",
            person_id=self.first,
        )
