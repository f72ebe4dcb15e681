"""*Ke mana uang Anda* for a cart: how its goods would be divided if they were paid today."""

from __future__ import annotations

from storefront.cart.view import CartView
from storefront.days import today
from storefront.ledger.shares import MoneySplit, money_split
from storefront.ledger.split_rules import Scope, rules_in_force


def money_of(view: CartView) -> MoneySplit | None:
    """The division of all goods on sale, by the rules in force today; None for an empty cart."""
    if not view.lines:
        return None
    scopes = [Scope(line.facility_id, line.workshop_id, line.commodity_group_id) for line in view.lines]
    rules = rules_in_force(scopes, today())
    return money_split(
        (rule, line.amount, (line.material_cost or 0) * line.quantity)
        for rule, line in zip(rules, view.lines, strict=True)
    )
