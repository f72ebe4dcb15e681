"""The split rules that one facility's sales follow: approved ones, and what each divides today."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from storefront.days import today
from storefront.extensions import db
from storefront.keyset import FIRST, Keyed, Order, Paged, Turn
from storefront.languages import locale
from storefront.ledger.split_rules import Scope, rules_in_force
from storefront.rules.rule_list import ROWS, RuleRow

#: Its own rules, and the general ones that can reach its goods: never another facility's, never proposals.
OWN = """
     WHERE r.approved_at IS NOT NULL
       AND (r.facility_id = :facility
            OR (r.facility_id IS NULL
                AND (r.commodity_group_id IS NULL
                     OR EXISTS (SELECT FROM products o WHERE o.facility_id = :facility
                                   AND o.commodity_group_id = r.commodity_group_id))))"""
#: What is in force first, then what is to come and what ended; the narrowest scope first.
NARROWEST = Order(
    (
        ("(CASE state WHEN 'ended' THEN 2 WHEN 'to_come' THEN 1 ELSE 0 END)", "bigint"),
        ("(exhibition_id IS NULL)", "boolean"),
        ("(facility_id IS NULL)", "boolean"),
        ("(workshop_id IS NULL)", "boolean"),
        ("(commodity_group_id IS NULL)", "boolean"),
        ("date '2200-01-01' - valid_from", "bigint"),
        ("-id", "bigint"),
    ),
    descending=False,
)
LIST = Paged(
    RuleRow,
    f"SELECT *, {{keys}} FROM ({ROWS}{OWN}) rules",  # noqa: S608  (SQL of our own)
    f"SELECT count(*), 0 FROM ({ROWS}{OWN}) rules",  # noqa: S608
    {"": NARROWEST},
    {"id": "id = :id"},
)
#: What a rule can name of the facility's goods on sale.
GOODS = text(
    """
    SELECT DISTINCT w.id AS workshop_id, w.name AS workshop, p.commodity_group_id,
           CASE WHEN :english THEN g.name_en ELSE g.name END AS commodity_group
      FROM products p JOIN workshops w ON w.id = p.workshop_id
      LEFT JOIN commodity_groups g ON g.id = p.commodity_group_id
     WHERE p.facility_id = :facility AND p.status = 'published'
     ORDER BY workshop, commodity_group"""
)
FAIRS = text(
    f"""
    SELECT DISTINCT exhibition_id FROM split_rules r {OWN} AND r.exhibition_id IS NOT NULL
       AND r.valid_from <= :today AND (r.valid_to IS NULL OR r.valid_to >= :today)"""  # noqa: S608
)


@dataclass(frozen=True)
class Goods:
    """Goods on sale that one rule divides: a workshop's, of one commodity group or of none."""

    workshop: str
    commodity_group: str | None


@dataclass(frozen=True)
class Dividing:
    """Which rule divides which goods today, by the rule's id."""

    goods: dict[int, tuple[Goods, ...]]
    #: How many kinds of goods are on sale.
    kinds: int

    def by(self, rule_id: int) -> Sequence[Goods]:
        """What the rule divides; nothing while a narrower one wins everywhere."""
        return self.goods.get(rule_id, ())

    def is_all(self, rule_id: int) -> bool:
        """Whether everything that the facility sells is divided by this rule."""
        return len(self.by(rule_id)) == self.kinds > 0


def rules(facility_id: int, turn: Turn = FIRST) -> Keyed[RuleRow]:
    """The rules that the facility's sales follow, followed, or will follow: those in force first."""
    return LIST.page({}, turn, **_values(facility_id))


def find(facility_id: int, rule_id: int) -> RuleRow | None:
    """One of them."""
    return LIST.one({"id": rule_id}, **_values(facility_id))


def dividing(facility_id: int) -> Dividing:
    """What each rule in force divides today, in the store and at fairs with rules of their own."""
    on_sale = db.session.execute(GOODS, _values(facility_id)).all()
    scopes = [Scope(facility_id, row.workshop_id, row.commodity_group_id) for row in on_sale]
    goods = [Goods(row.workshop, row.commodity_group) for row in on_sale]
    found: dict[int, list[Goods]] = {}
    for place in (None, *_fairs(facility_id)):
        for rule_id, kind in zip(_narrowest(scopes, place), goods, strict=True):
            if kind not in found.setdefault(rule_id, []):
                found[rule_id].append(kind)
    return Dividing({rule_id: tuple(kinds) for rule_id, kinds in found.items()}, len(goods))


def _narrowest(scopes: Sequence[Scope], exhibition_id: int | None) -> Iterable[int]:
    return [rule.id for rule in rules_in_force(scopes, today(), exhibition_id)] if scopes else []


def _fairs(facility_id: int) -> list[int]:
    return list(db.session.scalars(FAIRS, _values(facility_id)))


def _values(facility_id: int) -> dict[str, Any]:
    return {"facility": facility_id, "today": today(), "english": locale() == "en"}
