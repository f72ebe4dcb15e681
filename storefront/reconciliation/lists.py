"""Reconciliation as pages show it: months and days, differences with both sides, runs."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from sqlalchemy import text

from storefront.books.standing import Standing
from storefront.extensions import db
from storefront.keyset import FIRST, Keyed, Order, Paged, Turn

DIFFERENCE_STATES = ("open", "proposed", "settled", "explained", "gone")

DIFFERENCE_ROWS = """
    SELECT d.id, d.gateway, d.day, d.what, d.theirs, d.ours, d.state, d.found_at, d.run_id, d.correction_id,
           d.refund_id, d.reason, d.closed_at, p.name AS closed_by_name, l.id AS line_id, l.reference, l.kind, l.at,
           l.description, l.payout_reference, e.source, o.number AS order_number, {keys}
      FROM reconciliation_differences d
      LEFT JOIN provider_lines l ON l.id = d.line_id
      LEFT JOIN journal_entries e ON e.id = d.entry_id
      LEFT JOIN payments y ON y.id = l.payment_id
      LEFT JOIN orders o ON o.id = COALESCE(y.order_id, e.order_id)
      LEFT JOIN people p ON p.id = d.closed_by"""
COUNTS = text(
    """
    SELECT state, count(*) AS number FROM reconciliation_differences
     WHERE (CAST(:gateway AS text) IS NULL OR gateway = CAST(:gateway AS text)) GROUP BY state"""
)
OPEN = text(
    """SELECT count(*), sum(COALESCE(theirs, 0) - COALESCE(ours, 0))::bigint, accounting_date(min(found_at))
         FROM reconciliation_differences WHERE state IN ('open', 'proposed')"""
)
RUN_ROWS = """
    SELECT r.id, r.gateway, r.first_day, r.last_day, r.state, r.step, r.asked_at, r.started_at, r.finished_at,
           r.days_done, r.events, r.lines, r.healed, r.found, r.error, p.name AS asked_by_name, {keys}
      FROM reconciliation_runs r LEFT JOIN people p ON p.id = r.asked_by"""
MONTHS = text(
    """
    SELECT date_trunc('month', day)::date AS month, count(*) AS days,
           count(*) FILTER (WHERE r.is_final) AS reconciled, COALESCE(sum(r.lines), 0)::bigint AS lines,
           COALESCE(sum(r.theirs), 0)::bigint AS theirs, COALESCE(sum(r.ours), 0)::bigint AS ours,
           COALESCE(sum(d.number), 0)::bigint AS differences
      FROM (SELECT day::date FROM generate_series(CAST(:first AS date), CAST(:last AS date), interval '1 day') day) d0
      LEFT JOIN (SELECT * FROM reconciled_days WHERE gateway = :gateway) r USING (day)
      LEFT JOIN (SELECT day, count(*) AS number FROM reconciliation_differences
                  WHERE gateway = :gateway AND state IN ('open', 'proposed') GROUP BY day) d USING (day)
     GROUP BY 1 ORDER BY 1 DESC"""
)
DAYS = text(
    """
    SELECT day, r.compared_at, COALESCE(r.is_final, false) AS is_final, COALESCE(r.lines, 0) AS lines,
           COALESCE(r.theirs, 0)::bigint AS theirs, COALESCE(r.ours, 0)::bigint AS ours,
           COALESCE(d.number, 0) AS differences
      FROM (SELECT day::date FROM generate_series(CAST(:first AS date), CAST(:last AS date), interval '1 day') day) d0
      LEFT JOIN (SELECT * FROM reconciled_days WHERE gateway = :gateway) r USING (day)
      LEFT JOIN (SELECT day, count(*) AS number FROM reconciliation_differences
                  WHERE gateway = :gateway AND state IN ('open', 'proposed') GROUP BY day) d USING (day)
     ORDER BY day DESC"""
)
KINDS = text(
    """
    SELECT CASE m.what WHEN 'fee' THEN 'fee' ELSE m.kind END AS kind, count(*) AS number,
           sum(m.theirs)::bigint AS theirs, COALESCE(sum(m.ours), 0)::bigint AS ours
      FROM provider_line_matches m WHERE m.gateway = :gateway AND m.day = :day GROUP BY 1 ORDER BY 1"""
)
LINE_ROWS = """
    SELECT m.line_id, m.kind, m.what, m.theirs, m.ours, l.reference, l.at, l.description, e.source,
           o.number AS order_number, d.id AS difference_id, d.state AS difference_state, {keys}
      FROM provider_line_matches m
      JOIN provider_lines l ON l.id = m.line_id
      LEFT JOIN journal_entries e ON e.id = m.entry_id
      LEFT JOIN payments y ON y.id = l.payment_id
      LEFT JOIN orders o ON o.id = y.order_id
      LEFT JOIN reconciliation_differences d ON d.line_id = m.line_id AND d.what = m.what AND d.state <> 'gone'"""


@dataclass(frozen=True)
class DifferenceRow:
    """Where a provider and our books do not say the same, with both sides in rupiah."""

    id: int
    gateway: str
    day: datetime.date
    #: `amount` or `fee` of a provider's line, or an `entry` of ours.
    what: str
    theirs: int | None
    ours: int | None
    state: str
    found_at: datetime.datetime
    run_id: int
    correction_id: int | None
    refund_id: int | None
    reason: str | None
    closed_at: datetime.datetime | None
    closed_by_name: str | None
    line_id: int | None
    #: The provider's id of its line.
    reference: str | None
    kind: str | None
    at: datetime.datetime | None
    description: str | None
    payout_reference: str | None
    #: The source of our entry.
    source: str | None
    order_number: str | None

    @property
    def amount(self) -> int:
        """What our books lack."""
        return (self.theirs or 0) - (self.ours or 0)

    @property
    def about(self) -> str:
        """What it is about: a kind of line, `fee`, or `entry`."""
        return "fee" if self.what == "fee" else self.kind or "entry"


@dataclass(frozen=True)
class RunRow:
    """A run: how far it is, and what came of it."""

    id: int
    gateway: str
    first_day: datetime.date
    last_day: datetime.date
    state: str
    step: str
    asked_at: datetime.datetime
    started_at: datetime.datetime | None
    finished_at: datetime.datetime | None
    days_done: int
    events: int
    lines: int
    healed: int
    found: int
    error: str | None
    asked_by_name: str | None

    @property
    def days(self) -> int:
        return (self.last_day - self.first_day).days + 1

    @property
    def is_under_way(self) -> bool:
        return self.state in ("waiting", "running")


@dataclass(frozen=True)
class MonthRow:
    """A month as far as it is compared; rupiah."""

    month: datetime.date
    days: int
    reconciled: int
    lines: int
    theirs: int
    ours: int
    differences: int


@dataclass(frozen=True)
class DayRow:
    """A day, compared or not."""

    day: datetime.date
    compared_at: datetime.datetime | None
    #: Compared after it was over.
    is_final: bool
    lines: int
    theirs: int
    ours: int
    differences: int


@dataclass(frozen=True)
class KindRow:
    """One kind of movement on a day: how many lines, and both sides."""

    kind: str
    number: int
    theirs: int
    ours: int


@dataclass(frozen=True)
class LineRow:
    """A provider's line (or its fee) and our entry for it."""

    line_id: int
    kind: str
    what: str
    theirs: int
    ours: int | None
    reference: str
    at: datetime.datetime
    description: str
    source: str | None
    order_number: str | None
    difference_id: int | None
    difference_state: str | None


DIFFERENCES = Paged(
    DifferenceRow,
    DIFFERENCE_ROWS,
    """SELECT count(*), sum(COALESCE(d.theirs, 0) - COALESCE(d.ours, 0))::bigint FROM reconciliation_differences d""",
    {
        "": Order(
            (
                ("(d.state = 'open')", "boolean"),
                ("(d.state = 'proposed')", "boolean"),
                ("d.day", "date"),
                ("d.id", "bigint"),
            )
        )
    },
    {
        "gateway": "d.gateway = :gateway",
        "state": "d.state = :state",
        "id": "d.id = :id",
        "first": "d.day >= :first",
        "last": "d.day <= :last",
    },
)
RUNS = Paged(
    RunRow,
    RUN_ROWS,
    "SELECT count(*), 0 FROM reconciliation_runs r",
    {"": Order((("r.id", "bigint"),))},
    {"gateway": "r.gateway = :gateway", "id": "r.id = :id"},
)
LINES = Paged(
    LineRow,
    LINE_ROWS,
    "SELECT count(*), sum(m.theirs)::bigint FROM provider_line_matches m",
    {
        "": Order(
            (
                ("COALESCE(m.theirs = m.ours, false)", "boolean"),
                ("l.at", "timestamptz"),
                ("m.line_id", "bigint"),
                ("m.what", "text"),
            ),
            descending=False,
        )
    },
    {"gateway": "m.gateway = :gateway", "day": "m.day = :day"},
)


def differences(
    *,
    gateway: str | None = None,
    state: str | None = None,
    first: datetime.date | None = None,
    last: datetime.date | None = None,
    turn: Turn = FIRST,
) -> Keyed[DifferenceRow]:
    """Differences, open ones first; their amount is what our books lack by all of them."""
    return DIFFERENCES.page({"gateway": gateway, "state": state, "first": first, "last": last}, turn)


def difference(difference_id: int) -> DifferenceRow | None:
    """One difference."""
    return DIFFERENCES.one({"id": difference_id})


def counts(gateway: str | None) -> dict[str, int]:
    """How many differences there are in each state."""
    found = {row.state: row.number for row in db.session.execute(COUNTS, {"gateway": gateway})}
    return dict.fromkeys(DIFFERENCE_STATES, 0) | found


def open_differences() -> Standing:
    """The differences that nobody has settled or set aside; what our books lack by all of them."""
    return Standing(*db.session.execute(OPEN).one())


def runs(gateway: str | None = None, turn: Turn = FIRST) -> Keyed[RunRow]:
    """Runs, the latest first."""
    return RUNS.page({"gateway": gateway}, turn)


def run(run_id: int) -> RunRow | None:
    """One run."""
    return RUNS.one({"id": run_id})


def months(gateway: str, first: datetime.date, last: datetime.date) -> list[MonthRow]:
    """The months of a gateway from its first use to `last`, the latest first."""
    values = {"gateway": gateway, "first": first, "last": last}
    return [MonthRow(**row) for row in db.session.execute(MONTHS, values).mappings()]


def days(gateway: str, first: datetime.date, last: datetime.date) -> list[DayRow]:
    """The days `first` to `last`, the latest first."""
    values = {"gateway": gateway, "first": first, "last": last}
    return [DayRow(**row) for row in db.session.execute(DAYS, values).mappings()]


def kinds(gateway: str, day: datetime.date) -> list[KindRow]:
    """What moved a gateway's balance on a day, by kind."""
    found = db.session.execute(KINDS, {"gateway": gateway, "day": day}).mappings()
    return [KindRow(**row) for row in found]


def lines(gateway: str, day: datetime.date, turn: Turn = FIRST) -> Keyed[LineRow]:
    """The provider's lines of a day beside our entries, those that differ first."""
    return LINES.page({"gateway": gateway, "day": day}, turn)
