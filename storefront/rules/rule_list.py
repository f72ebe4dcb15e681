"""Split rules as pages list them: scope and shares in words, state, who proposed and who approved."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from storefront.books.listed import as_list
from storefront.days import today
from storefront.extensions import db
from storefront.keyset import FIRST, Keyed, Order, Paged, Turn
from storefront.languages import locale
from storefront.ledger.shares import STANDARD_FUNDS

STATES = ("proposed", "in_force", "to_come", "ended", "rejected")

#: Each rule with its names and shares; a list adds what it wants of them.
ROWS = """
    SELECT r.id, r.basis, r.valid_from, r.valid_to, r.source, r.document_key, r.facility_id, r.workshop_id,
           r.commodity_group_id, r.exhibition_id,
           CASE WHEN :english AND r.legal_basis_en <> '' THEN r.legal_basis_en ELSE r.legal_basis END AS legal_basis,
           CASE WHEN r.rejected_at IS NOT NULL THEN 'rejected' WHEN r.approved_at IS NULL THEN 'proposed'
                WHEN r.valid_from > :today THEN 'to_come' WHEN r.valid_to < :today THEN 'ended'
                ELSE 'in_force' END AS state,
           f.code AS facility_code, f.name AS facility_name, w.name AS workshop,
           CASE WHEN :english THEN g.name_en ELSE g.name END AS commodity_group, x.name AS exhibition,
           r.proposed_by, p.name AS proposed_by_name, r.proposed_at, a.name AS approved_by_name, r.approved_at,
           d.name AS rejected_by_name, r.rejected_at, r.rejection_reason,
           (SELECT json_agg(json_build_object('code', u.code, 'basis_points', s.basis_points,
                   'label', CASE WHEN :english THEN u.finance_name_en ELSE u.finance_name END,
                   'fund_id', u.id) ORDER BY s.position)
              FROM split_rule_shares s JOIN funds u ON u.id = s.fund_id WHERE s.split_rule_id = r.id) AS shares
      FROM split_rules r
      LEFT JOIN facilities f ON f.id = r.facility_id
      LEFT JOIN workshops w ON w.id = r.workshop_id
      LEFT JOIN commodity_groups g ON g.id = r.commodity_group_id
      LEFT JOIN exhibitions x ON x.id = r.exhibition_id
      JOIN people p ON p.id = r.proposed_by
      LEFT JOIN people a ON a.id = r.approved_by
      LEFT JOIN people d ON d.id = r.rejected_by"""
USED = text(
    """
    SELECT count(*) AS lines, min(accounting_date(o.placed_at)) AS first, max(accounting_date(o.placed_at)) AS last
      FROM order_lines l JOIN orders o ON o.id = l.order_id WHERE l.split_rule_id = :id"""
)
END = text(
    """
    SELECT e.id, e.last_day, e.reason, e.proposed_by, p.name AS proposed_by_name, e.proposed_at
      FROM split_rule_ends e JOIN people p ON p.id = e.proposed_by
     WHERE e.split_rule_id = :id AND e.approved_at IS NULL AND e.rejected_at IS NULL"""
)


@dataclass(frozen=True)
class ShareRow:
    """A share in the words of finance."""

    code: str
    label: str
    basis_points: int
    fund_id: int

    @property
    def kind(self) -> str:
        """Colour and pattern."""
        return self.code if self.code in STANDARD_FUNDS else "other"

    @property
    def amount(self) -> int:
        """Its width in a bar of ten thousand."""
        return self.basis_points


@dataclass(frozen=True)
class RuleRow:
    """A split rule with the names that belong to it."""

    id: int
    basis: str
    valid_from: datetime.date
    valid_to: datetime.date | None
    source: str
    document_key: str | None
    facility_id: int | None
    workshop_id: int | None
    commodity_group_id: int | None
    exhibition_id: int | None
    #: In the language of the page.
    legal_basis: str
    #: One of STATES.
    state: str
    facility_code: str | None
    facility_name: str | None
    workshop: str | None
    commodity_group: str | None
    exhibition: str | None
    proposed_by: int
    proposed_by_name: str
    proposed_at: datetime.datetime
    approved_by_name: str | None
    approved_at: datetime.datetime | None
    rejected_by_name: str | None
    rejected_at: datetime.datetime | None
    rejection_reason: str
    shares: Sequence[ShareRow]

    def __post_init__(self) -> None:
        rows = [part if isinstance(part, ShareRow) else ShareRow(**part) for part in self.shares or ()]
        object.__setattr__(self, "shares", rows)

    @property
    def is_default(self) -> bool:
        return not any((self.exhibition_id, self.facility_id, self.workshop_id, self.commodity_group_id))


@dataclass(frozen=True)
class RuleUse:
    """How many lines a rule divided, from and to which day."""

    lines: int
    first: datetime.date | None
    last: datetime.date | None


@dataclass(frozen=True)
class RuleEnd:
    """An end that waits for a second person."""

    id: int
    last_day: datetime.date
    reason: str
    proposed_by: int
    proposed_by_name: str
    proposed_at: datetime.datetime


#: Proposals, what is in force or to come, what ended, what was rejected; general rules first, then by facility.
BY_STATE = (
    "(CASE state WHEN 'rejected' THEN 3 WHEN 'ended' THEN 2 WHEN 'proposed' THEN 0 ELSE 1 END)", "bigint"
)  # fmt: skip
RULES = Paged(
    RuleRow,
    f"SELECT *, {{keys}} FROM ({ROWS}) rules",  # noqa: S608  (SQL of our own)
    f"SELECT count(*), 0 FROM ({ROWS}) rules",  # noqa: S608
    {
        "": Order(
            (
                BY_STATE,
                ("COALESCE(facility_name, '')", "text"),
                ("date '2200-01-01' - valid_from", "bigint"),
                ("-id", "bigint"),
            ),
            descending=False,
        )
    },
    {
        # rules of all facilities concern each of them
        "ids": "(facility_id IS NULL OR facility_id = ANY (CAST(:ids AS bigint[])))",
        "code": "facility_code = :code",
        "id": "id = :id",
        "state": "state = :state",
    },
)


def rules(
    facility_ids: Iterable[int] | None, *, state: str | None, facility: str | None, turn: Turn = FIRST
) -> Keyed[RuleRow]:
    """Proposals first, then what is in force; those of some facilities and the general ones, or (None) all."""
    return RULES.page({"ids": as_list(facility_ids), "state": state, "code": facility}, turn, **_values())


def find(rule_id: int, facility_ids: Iterable[int] | None) -> RuleRow | None:
    """One rule, if it concerns one of the facilities."""
    return RULES.one({"ids": as_list(facility_ids), "id": rule_id}, **_values())


def use_of(rule_id: int) -> RuleUse:
    """What the rule has divided so far."""
    return RuleUse(**db.session.execute(USED, {"id": rule_id}).mappings().one())


def end_of(rule_id: int) -> RuleEnd | None:
    """The proposed end that waits, if there is one."""
    row = db.session.execute(END, {"id": rule_id}).mappings().one_or_none()
    return RuleEnd(**row) if row else None


def _values() -> dict[str, Any]:
    return {"today": today(), "english": locale() == "en"}
