"""What the machine of the books stands on: a small shop, a clock, its notebook, and what must hold after each step."""

from __future__ import annotations

import datetime
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import psycopg
from sqlalchemy import select

from storefront.books.funds import add_fund
from storefront.books.models import FeeBearer
from storefront.books.span import Span, month
from storefront.catalogue.models import Variant
from storefront.days import accounting_day, today
from storefront.errors import DomainError
from storefront.extensions import db
from storefront.facilities.models import Facility, Workshop
from storefront.ledger.models import Fund
from storefront.reports.statement import Connection, statement
from storefront.snapshot import driver_connection
from storefront.verify.everything import INVARIANTS
from storefront.verify.invariant import check
from tests.bookkeeping.notebook import Line, Notebook, Purse, Sale, Shipping
from tests.factories import make_facility, make_person, make_product, make_rule, make_variant, make_workshop
from tests.money_out import LONG_AGO, Books, register_account, register_satker

T = TypeVar("T")
#: Whether something came before or after a comparison with a provider is told by real moments; the machine's own
#: clock runs elsewhere.
KEPT = [one for one in INVARIANTS if one.name != "clearing_known_to_the_provider"]
DAY = datetime.timedelta(days=1)


@dataclass
class Asked:
    """A refund: what of which lines and parcels, as (part, rupiah, pieces) and (part, rupiah)."""

    id: int
    sale: Sale
    lines: list[tuple[Line, int, int]]
    shipping: list[tuple[Shipping, int]]
    state: str
    on: datetime.date
    #: Sent without a second person.
    is_alone: bool = False

    @property
    def amount(self) -> int:
        return sum(part[1] for part in self.lines) + sum(part[1] for part in self.shipping)


@dataclass
class Outgoing:
    """A settlement, deposit or distribution on its way."""

    id: int
    purse: Purse
    amount: int
    state: str = "proposed"
    on: datetime.date = LONG_AGO


@dataclass
class Correction:
    id: int
    day: datetime.date
    legs: list[tuple[str, int]]


@dataclass
class Kept:
    """Facts that are not sums, and so stand in no notebook of sums."""

    sales: list[Sale] = field(default_factory=list)
    refunds: list[Asked] = field(default_factory=list)
    settlements: list[Outgoing] = field(default_factory=list)
    deposits: list[Outgoing] = field(default_factory=list)
    distributions: list[Outgoing] = field(default_factory=list)
    returns: list[Outgoing] = field(default_factory=list)
    #: Payments that pay nothing and have not gone back yet, with their amounts.
    held: list[tuple[str, int]] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)
    closed: list[datetime.date] = field(default_factory=list)


class Ground:
    """An app context and an empty database are the caller's; `owner` reads what was committed."""

    def __init__(self, owner: psycopg.Connection[Any], seen: Counter[str]) -> None:
        self.owner = owner
        #: What happened how often; a machine that never meets a case proves nothing of it.
        self.seen = seen
        self.book = Notebook()
        self.kept = Kept()
        self.chance = random.Random(0)
        self.number = 0
        first = (today().replace(day=1) - 65 * DAY).replace(day=1)
        self.now = datetime.datetime.combine(first, datetime.time(3), datetime.UTC)
        self._open_shop()

    @property
    def day(self) -> datetime.date:
        """The day that it is in the machine's world."""
        return accounting_day(self.now)

    def _open_shop(self) -> None:
        """Three facilities with accounts and goods: at net with a further fund, at profit, all to the state."""
        self.first, self.second = make_person().id, make_person().id
        names = ("name", "name_en", "finance_name", "finance_name_en")
        add_fund(
            code="operating_costs", **{name: f"Operating {name}" for name in names}, person_id=self.first
        )
        make_rule({"premium": 3333, "operating_costs": 1, "working_capital": 3333, "state_revenue": 3333})
        near, far, whole = make_facility("AAA"), make_facility("BBB"), make_facility("CCC")
        make_rule(basis="profit", facility=far)
        make_rule({"state_revenue": 10_000}, facility=whole)
        self.facilities: dict[str, Facility] = {"AAA": near, "BBB": far, "CCC": whole}
        self.workshops: dict[str, Workshop] = {}
        self.variants: list[Variant] = []
        for code, facility in self.facilities.items():
            self.workshops[code] = make_workshop(facility)
            product = make_product(self.workshops[code])
            self.variants += [
                make_variant(product, stock=900, price=70_001, material_cost=20_000),
                # Material beyond the price: under basis profit nothing is left to divide.
                make_variant(product, price=310_007, made_to_order=True, material_cost=310_008),
            ]
        self.funds = {row.code: row.id for row in db.session.execute(select(Fund.code, Fund.id))}
        books = Books(None, self.first, self.second, self.funds, near.id, far.id)  # type: ignore[arg-type]
        self.bank = f"bank:{register_account(books, None, '1110001112')}"
        for number, facility in enumerate(self.facilities.values()):
            register_account(books, facility.id, f"222000{number:04}")
            register_satker(books, facility)
        self.bearer = "operator"
        db.session.commit()

    def let_premium_bear_fees(self) -> None:
        """Instead of the operator, from long ago on."""
        self.bearer = "premium"
        db.session.add(
            FeeBearer(
                valid_from=LONG_AGO, fund_id=self.funds["premium"], proposed_by=self.first,
                approved_by=self.second, approved_at=self.now,
            )
        )  # fmt: skip
        db.session.commit()

    # Means

    def do(self, act: Callable[[], T], *refusals: str | None) -> T | None:
        """Do it and commit. With codes in `refusals` it must be refused with one, and leaves nothing behind."""
        expected = [code for code in refusals if code]
        try:
            found = act()
            db.session.commit()
        except DomainError as refusal:
            db.session.rollback()
            why = f"{refusal.code} {getattr(refusal, 'errors', '')} {getattr(refusal, 'extra', '')}"
            if refusal.code not in expected:
                raise AssertionError(f"refused: {why}, expected {expected}") from refusal
            self.seen[f"refused: {refusal.code}"] += 1
            return None
        assert not expected, f"was not refused with {expected}"
        return found

    def met(self, what: str) -> None:
        """Count one more of what can happen."""
        self.seen[what] += 1

    def pick(self, many: Sequence[T]) -> T:
        """One of them, the newest ones more often: what is old rarely changes any more."""
        return many[-min(len(many), 1 + int(self.chance.expovariate(0.4)))]

    def part_of(self, amount: int, *, beyond: float = 0.0) -> int:
        """All of it, or some; with the chance `beyond`, a rupiah more than there is."""
        if self.chance.random() < beyond:
            return max(1, amount + 1)
        return amount if self.chance.random() < 0.3 else self.chance.randint(0, max(0, amount))

    def is_closed(self, day: datetime.date) -> bool:
        return bool(self.kept.closed) and day <= month(max(self.kept.closed)).last

    # What must hold

    def check(self) -> None:
        """Raise AssertionError unless the database says what the notebook says, and keeps every promise."""
        self.check_balances()
        if any(amount for code, amount in self.book.balances.items() if code.startswith("receivable:")):
            self.met("steps with something to come back")
        self._lines()
        self._statements()
        self._views()
        broken = [finding for finding in check(self.owner, KEPT, shown=3) if not finding.holds]
        assert not broken, [(finding.invariant.name, finding.rows) for finding in broken]

    def check_balances(self) -> None:
        """Each account is the sum of its postings, and each entry balances."""
        rows = self.owner.execute(
            "SELECT a.code, sum(p.amount)::bigint FROM postings p JOIN accounts a ON a.id = p.account_id GROUP BY 1"
        ).fetchall()
        assert some(dict(rows)) == some(self.book.balances)
        unbalanced = "SELECT entry_id FROM postings GROUP BY entry_id HAVING sum(amount) <> 0"
        assert self.owner.execute(unbalanced).fetchall() == []

    def _lines(self) -> None:
        rows = self.owner.execute(
            """SELECT l.id, l.net_amount, s.position, s.amount,
                      COALESCE((SELECT sum(x.amount) FROM refund_shares x
                                 WHERE (x.order_line_id, x.position) = (l.id, s.position)), 0)::bigint
                    + COALESCE((SELECT sum(x.amount) FROM dispute_shares x
                                 WHERE (x.order_line_id, x.position) = (l.id, s.position)), 0)::bigint
                 FROM order_lines l JOIN order_line_shares s ON s.order_line_id = l.id"""
        ).fetchall()
        lines = {line.id: line for sale in self.kept.sales for line in sale.lines}
        assert len(rows) == sum(len(line.shares) for line in lines.values())
        sums: Counter[int] = Counter()
        for line_id, net, position, amount, taken in rows:
            share = next(share for share in lines[line_id].shares if share.position == position)
            assert (lines[line_id].net, share.amount, share.taken) == (net, amount, taken)
            assert 0 <= taken <= amount
            sums[line_id] += amount
        assert all(sums[line.id] == line.net for line in lines.values())

    def _statements(self) -> None:
        """Each month opens with what the month before closed with, and moves what the facts moved."""
        connection = driver_connection(db.session.connection())
        for code, facility in self.facilities.items():
            before: dict[str, int] | None = None
            for span in self._months():
                found = statement(connection, facility.id, span)
                assert before is None or some(found.opening) == before
                before = some(found.closing)
                assert before == some(self.book.owed_on(code, span.last))
                moved = {movement.kind: movement.total for movement in found.movements}
                assert some(moved) == some(self.book.moved(code, span.first, span.last))
                assert found.distributed == self._passed_on(code, span)
            self._cut(connection, code, facility.id)
        db.session.rollback()

    def _cut(self, connection: Connection, code: str, facility_id: int) -> None:
        """Cut on any day, two statements say together what one says, and meet there."""
        begun = next(iter(self._months())).first
        cut = begun + self.chance.randint(0, max(0, (self.day - begun).days - 1)) * DAY
        halves = [Span(begun, cut), Span(cut + DAY, max(cut + DAY, self.day))]
        one, other = (statement(connection, facility_id, span) for span in halves)
        assert some(one.closing) == some(other.opening) == some(self.book.owed_on(code, cut))
        for fund in {*one.closing, *other.closing}:
            steps = [m.amounts.get(fund, 0) for m in (*one.movements, *other.movements)]
            assert one.opening.get(fund, 0) + sum(steps) == other.closing.get(fund, 0)

    def _passed_on(self, code: str, span: Span) -> int:
        return sum(
            one.amount
            for one in self.kept.distributions
            if one.state == "approved" and one.purse[0] == code and span.first <= one.on <= span.last
        )

    def _views(self) -> None:
        """What auditors read: balances as in the notebook, deposits and refunds as the sums of their lines."""
        rows = self.owner.execute("SELECT facility_code, fund, owed FROM reporting.fund_balances").fetchall()
        assert all(owed == self.book.owed((facility, fund)) for facility, fund, owed in rows)
        told = {(facility, fund) for facility, fund, _ in rows}
        known = {
            tuple(c.split(":")[1:]) for c in self.book.balances if c.startswith(("owed:", "receivable:"))
        }
        assert {purse for purse in known if purse[1] != "shipping"} <= told
        apart = self.owner.execute(
            """SELECT 'deposit', deposit_id, amount, lines FROM reporting.deposits LEFT JOIN (
                      SELECT deposit_id, sum(amount) AS lines FROM reporting.deposit_lines GROUP BY 1) l
                USING (deposit_id) WHERE amount IS DISTINCT FROM lines
               UNION ALL
               SELECT 'refund', refund_id, amount, shares FROM reporting.refunds FULL JOIN (
                      SELECT refund_id, line_id, sum(amount) AS shares FROM reporting.refund_shares GROUP BY 1, 2) s
                USING (refund_id, line_id) WHERE amount IS DISTINCT FROM shares"""
        ).fetchall()
        assert apart == []

    def _months(self) -> Iterable[Span]:
        span: Span | None = month(min((day for day, *_ in self.book.moves), default=self.day))
        while span is not None and span.first <= self.day:
            yield span
            span = span.after


def some(amounts: Any) -> dict[str, int]:
    """Without what is zero."""
    return {name: amount for name, amount in amounts.items() if amount}
