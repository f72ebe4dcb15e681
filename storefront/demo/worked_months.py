"""Finance at work: payouts, deposits, settlements, premium passed on, and the months closed.

In the first days of each of the last three months everything of the month before is passed on, then that month
is closed; the last month is left for whoever tries the shop. Everything goes through the real rules, in the
order of its days.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Iterator, Sequence

from sqlalchemy import text

from storefront.audit.record import dated
from storefront.books import deposit, deposit_paid, distribute, payouts, settle, settle_paid
from storefront.books.models import Deposit, PeriodCheck
from storefront.books.settle import Wish
from storefront.books.settle_paid import Paid
from storefront.books.span import Span
from storefront.books.span import month as whole_month
from storefront.closing import close
from storefront.closing.checklist import content, first_month
from storefront.demo.compared import compare_until
from storefront.demo.disputed import Disputes
from storefront.demo.given_back import GivenBack
from storefront.demo.moments import at, days
from storefront.demo.put_right import PutRight
from storefront.demo.treasury import WITHOUT_ACCOUNT
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.money import split
from storefront.snapshot import driver_connection
from storefront.verify.everything import INVARIANTS
from storefront.verify.invariant import check

MONDAY = 0
#: Never yet deposited when the last month was closed, and when the demo is opened.
FORGOTTEN = ("KLD",)
LATE = ("KLD", "CKR", "TLI")
#: Deposits under way when the demo is opened: agreed on, and with a billing code too.
AGREED, BILLED, PROPOSED = "PKL", "TGR", "BJB"
#: Facilities whose record of premium passed on waits for its head; and whose settlements wait.
WAITING = "PKL"
#: Less is not worth a transfer.
LEAST = 10_000

#: What each facility was owed at the end of a day, by fund, unless some of it went back to buyers since; shipping
#: has no fund.
OWED = text(
    """
    SELECT a.facility_id, a.fund_id, u.code AS fund,
           least(COALESCE(-sum(p.amount) FILTER (WHERE p.effective_date <= :until), 0),
                 -sum(p.amount))::bigint AS amount
      FROM accounts a JOIN postings p ON p.account_id = a.id LEFT JOIN funds u ON u.id = a.fund_id
     WHERE a.facility_id IS NOT NULL
     GROUP BY a.facility_id, a.fund_id, u.code ORDER BY a.facility_id, a.fund_id"""
)
CLEARING = text(
    """SELECT COALESCE(sum(p.amount), 0)::bigint FROM postings p JOIN accounts a ON a.id = p.account_id
        WHERE a.code = 'clearing:sandbox' AND p.effective_date <= :until"""
)


Act = Callable[[datetime.datetime], None]


def worked_months(today: datetime.date) -> tuple[Span, Span, Span]:
    """The three months before this one, the oldest first."""
    last = whole_month(today).before
    assert last is not None
    middle = last.before
    assert middle is not None
    early = middle.before
    assert early is not None
    return early, middle, last


class WorkedMonths:
    """`first` of finance proposes and pays, `second` approves; ids of people by facility code beside them."""

    def __init__(
        self,
        facilities: dict[str, Facility],
        workshops: dict[str, list[int]],
        first: int,
        second: int,
        *,
        coordinators: dict[str, int],
        heads: dict[str, int],
        today: datetime.date,
        seed: str,
    ) -> None:
        self.codes = {facility.id: code for code, facility in facilities.items()}
        self.ids = {code: facility.id for code, facility in facilities.items()}
        self.workshops = workshops
        self.first, self.second = first, second
        self.coordinators, self.heads = coordinators, heads
        self.today = today
        #: Facilities with an account to send money to.
        self.settled = [code for code in sorted(facilities) if code not in WITHOUT_ACCOUNT]
        self.seed = seed
        self.rng = random.Random(f"{seed}:finance")
        self.months = worked_months(today)

    def write(self) -> None:
        """All of it, in the order of its days; nothing where nothing was sold."""
        if first_month() is None:
            return
        calendar = [*self._calendar(), *self._given_back(), *self._put_right()]
        for moment, act in sorted(calendar, key=lambda entry: entry[0]):
            with dated(moment):
                act(moment)

    def _given_back(self) -> Iterator[tuple[datetime.datetime, Act]]:
        """Disputes and refunds; no order has both."""
        disputes = Disputes(self.months, self.today, self.seed)
        yield from disputes.acts()
        refunds = GivenBack(self.first, self.second, self.seed, disputes.order_ids)
        for wish in refunds.wishes(list(self.months)):
            yield wish.at, lambda _moment, wish=wish: refunds.give(wish)  # type: ignore[misc]
        yield at(self.today - days(4), 11), lambda _moment: refunds.fail(self.today)
        yield at(self.today - days(4), 15), lambda _moment: refunds.refuse(self.today, self.coordinators)
        yield at(self.today - days(1), 10), lambda _moment: refunds.leave(self.today, self.coordinators)

    def _put_right(self) -> Iterator[tuple[datetime.datetime, Act]]:
        return PutRight(
            self.months,
            self.ids,
            self.first,
            self.second,
            coordinators=self.coordinators,
            workshops=self.workshops,
            today=self.today,
            redo=self._deposit,
        ).acts()

    def _calendar(self) -> Iterator[tuple[datetime.datetime, Act]]:
        day = first_month()
        assert day is not None
        while (day := day + days(1)) <= self.today - days(2):
            # A weekly payout lately, a monthly one before.
            if day.weekday() == MONDAY and (day >= self.months[0].first or day.day <= 7):
                yield at(day, 8), self._receive_payout
        for span in self.months:
            until = span.first - days(1)
            skipped = FORGOTTEN if span is self.months[-1] else ()
            yield at(span.first + days(3), 9), self._depositing(until, skipped)
            yield at(span.first + days(5), 9), self._settling(until)
            yield at(span.first + days(8), 9), self._passing_on
            # One check of everything, at the last of them: were anything broken, nothing of the demo would stay.
            yield at(span.first + days(11), 9), self._closing(until, are_checked=span is self.months[-1])
        under_way = (*LATE, AGREED, BILLED, PROPOSED)
        yield at(self.today - days(5), 9), self._depositing(self.today - days(6), under_way)
        yield at(self.today - days(2), 9), self._leave_work

    # Each act takes the moment at which it begins.

    def _receive_payout(self, moment: datetime.datetime) -> None:
        """What the provider held at the end of the day before."""
        day = moment.date()
        held = db.session.execute(CLEARING, {"until": day - days(1)}).scalar_one()
        if held > 0:
            reference = f"po_{self.rng.randbytes(8).hex()}"
            payouts.record_payout(
                gateway="sandbox",
                reference=reference,
                amount=held,
                arrived_on=day,
                person_id=self.first,
                at=moment,
            )

    def _depositing(self, until: datetime.date, skipped: Sequence[str]) -> Act:
        def act(moment: datetime.datetime) -> None:
            for facility_id, code in sorted(self.codes.items()):
                if code not in skipped:
                    self._deposit(facility_id, until, moment)

        return act

    def _deposit(
        self, facility_id: int, until: datetime.date, moment: datetime.datetime, steps: int = 4
    ) -> None:
        """Propose, approve, write the billing code down, and have it paid the next day; or the first `steps`."""
        hour = datetime.timedelta(hours=1)
        try:
            found = deposit.propose(facility_id, person_id=self.first, until=until, at=moment)
        except deposit.NothingToDeposit:
            return
        if steps > 1:
            with dated(moment + 2 * hour):
                deposit.approve(found.id, self.second, at=moment + 2 * hour)
        if steps > 2:
            code = f"8202{self.rng.randrange(10**11):011}"
            with dated(moment + 4 * hour):
                deposit.set_billing_code(found.id, code, moment + days(7), self.first)
        if steps > 3:
            self._pay_deposit(found, moment + days(1) + hour)

    def _pay_deposit(self, found: Deposit, moment: datetime.datetime) -> None:
        with dated(moment):
            deposit_paid.mark_paid(
                found.id,
                ntpn=self.rng.randbytes(8).hex().upper(),
                ntb=f"{self.rng.randrange(10**12):012}",
                paid_on=moment.date(),
                booked_on=moment.date() + days(1),
                person_id=self.first,
                at=moment,
            )

    def _settling(self, until: datetime.date) -> Act:
        """Premium, working capital and shipping of all facilities with an account."""

        def act(moment: datetime.datetime) -> None:
            wishes = self._owed(until, self.settled)
            if not wishes:
                return
            found = settle.propose(wishes, person_id=self.first, at=moment)
            agreed, paid_at = moment + datetime.timedelta(hours=5), moment + days(1)
            with dated(agreed):
                settle.approve([one.id for one in found], self.second, at=agreed)
            rows = [Paid(one.id, f"TRF{paid_at:%y%m%d}{one.id:06}", paid_at.date()) for one in found]
            with dated(paid_at):
                settle_paid.mark_many_paid(rows, self.first, at=paid_at)

        return act

    def _owed(self, until: datetime.date, codes: Sequence[str]) -> list[Wish]:
        ids = {self.ids[code] for code in codes if code in self.ids}
        return [
            Wish(row.facility_id, row.fund_id, row.amount)
            for row in db.session.execute(OWED, {"until": until})
            if row.facility_id in ids and row.fund != "state_revenue" and row.amount >= LEAST
        ]

    def _passing_on(self, moment: datetime.datetime) -> None:
        """Facilities with a demo coordinator write down what premium they passed on, some to each workshop."""
        for code, coordinator in sorted(self.coordinators.items()):
            left = distribute.left_to_pass_on(self.ids[code]) // 1000 * 1000
            workshops = self.workshops[code]
            is_last = moment.date() > self.months[-1].first
            parts = split(left // 1000, [self.rng.randrange(1, 5) for _ in workshops])
            for workshop_id, thousands in zip(workshops, parts, strict=True):
                if not thousands:
                    continue
                record = distribute.enter(
                    self.ids[code],
                    workshop_id=workshop_id,
                    distributed_on=moment.date(),
                    people=self.rng.randrange(5, 15),
                    amount=thousands * 1000,
                    person_id=coordinator,
                    at=moment,
                )
                if not (is_last and code == WAITING):
                    agreed = moment + days(1)
                    with dated(agreed):
                        distribute.approve(record.id, self.heads.get(code, self.second), at=agreed)

    def _closing(self, until: datetime.date, are_checked: bool) -> Act:
        """Every month still open up to `until`, in order. Raises RuntimeError when a promise is broken."""

        def act(moment: datetime.datetime) -> None:
            compare_until(until, moment)
            if are_checked:
                _check()
            span = self._first_open()
            while span.last <= until:
                self._close(span, moment)
                following = span.after
                assert following is not None
                span = following

        return act

    @staticmethod
    def _first_open() -> Span:
        closed = db.session.execute(text("SELECT max(month) FROM periods")).scalar_one()
        first = first_month()
        assert first is not None
        following = whole_month(closed).after if closed else whole_month(first)
        assert following is not None
        return following

    def _close(self, span: Span, moment: datetime.datetime) -> None:
        checked = moment - datetime.timedelta(minutes=20)
        db.session.add(
            PeriodCheck(
                month=span.first, asked_at=checked, asked_by=self.first,
                finished_at=checked + datetime.timedelta(seconds=4), content=content(span.first), broken=[],
            )
        )  # fmt: skip
        db.session.flush()
        close.close(span.first, self.first, are_named=True, at=moment)

    def _leave_work(self, moment: datetime.datetime) -> None:
        """Steps that wait for a second person, a billing code or the bank when the demo is opened."""
        until = moment.date() - days(1)
        for code, steps in ((PROPOSED, 1), (AGREED, 2), (BILLED, 3)):
            if code in self.ids:
                self._deposit(self.ids[code], until, moment, steps)
        wishes = self._owed(until, (WAITING, "PLP"))
        if wishes:
            found = settle.propose(wishes, person_id=self.first, at=moment)
            agreed = moment + datetime.timedelta(hours=5)
            own = [one.id for one in found if self.codes[one.facility_id] != WAITING]
            if own:
                with dated(agreed):
                    settle.approve(own, self.second, at=agreed)


def _check() -> None:
    found = check(driver_connection(db.session.connection()), INVARIANTS, shown=3)
    broken = [(finding.invariant.name, finding.rows) for finding in found if not finding.holds]
    if broken:
        raise RuntimeError(f"the demo's books do not hold: {broken}")
