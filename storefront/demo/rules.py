"""The split rules of split_rules.csv, proposed by finance and approved by the administrator."""

from __future__ import annotations

import datetime

from sqlalchemy import select

from storefront.demo import files
from storefront.demo.moments import at, days
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.ledger.models import Fund, SplitRule, SplitRuleShare
from storefront.people.models import Person

FUNDS = ("premium", "working_capital", "state_revenue")


def add(facilities: dict[str, Facility], people: dict[str, Person], today: datetime.date) -> None:
    """Add exactly the rules of the file; an empty facility is the default for all."""
    funds = {row.code: row.id for row in db.session.execute(select(Fund.code, Fund.id))}
    for row in files.rows("split_rules.csv"):
        rule = SplitRule(
            facility_id=facilities[row["facility"]].id if row["facility"] else None,
            basis=row["basis"],
            valid_from=datetime.date.fromisoformat(row["valid_from"]),
            legal_basis=row["legal_basis"],
            legal_basis_en=row["legal_basis_en"],
            source=row["source"],
            proposed_by=people["finance@demo.test"].id,
            proposed_at=at(today - days(870), 10),
            approved_by=people["admin@demo.test"].id,
            approved_at=at(today - days(869), 14),
        )
        db.session.add(rule)
        db.session.flush()
        for position, fund in enumerate(FUNDS, start=1):
            if int(row[fund]):
                db.session.add(
                    SplitRuleShare(
                        split_rule_id=rule.id,
                        position=position,
                        fund_id=funds[fund],
                        basis_points=int(row[fund]),
                    )
                )
        db.session.flush()
