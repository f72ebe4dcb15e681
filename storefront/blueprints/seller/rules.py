"""The split rules that the facility's sales follow, to read: its own and the general ones, with their decrees."""

from __future__ import annotations

from flask import g, render_template
from flask.typing import ResponseReturnValue

from storefront.blueprints.seller import bp
from storefront.errors import NotFound
from storefront.exports.answer import attachment
from storefront.keyset import asked_turn
from storefront.people import access
from storefront.people.policy import Action
from storefront.rules import facility_rules


@bp.get("/<code>/rules")
@access.rule(Action.RULES_READ)
def rule_list(code: str) -> ResponseReturnValue:
    """Which rule divides what today, then all rules that this facility has had or will have."""
    return render_template(
        "seller/rules.html",
        found=facility_rules.rules(g.facility.id, asked_turn()),
        dividing=facility_rules.dividing(g.facility.id),
    )


@bp.get("/<code>/rules/<int:rule_id>/document")
@access.rule(Action.RULES_READ)
def rule_document(code: str, rule_id: int) -> ResponseReturnValue:
    """The decree of a rule that concerns this facility, as a file to keep."""
    row = facility_rules.find(g.facility.id, rule_id)
    if row is None:
        raise NotFound()
    return attachment(row.document_key, f"aturan-{row.id}")
