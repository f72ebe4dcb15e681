"""What each facility is owed, by fund, and the postings behind each balance."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from storefront.blueprints.finance import bp, reach
from storefront.books import owed
from storefront.errors import NotFound
from storefront.keyset import asked_turn
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import days_between


@bp.get("/owed")
@access.rule(Action.REVENUE_READ)
def balances() -> ResponseReturnValue:
    """Balances of all facilities, by fund."""
    rows = owed.balances(reach())
    columns = [name for name in owed.COLUMNS if name != "other" or any(name in row.amounts for row in rows)]
    totals = {name: sum(row.amounts.get(name, (None, 0))[1] for row in rows) for name in columns}
    return render_template("finance/owed.html", rows=rows, columns=columns, totals=totals)


@bp.get("/accounts/<account>")
@access.rule(Action.REVENUE_READ)
def account(account: str) -> ResponseReturnValue:
    """The postings of one account, the latest first, of all days or of some."""
    first, last, errors = days_between(request.args)
    found = owed.account_page(account, first=first, last=last, turn=asked_turn())
    ids = reach()
    # Accounts of no facility (gateways, money to return) are the whole programme's.
    if found is None or not (ids is None or found.facility_id in ids):
        raise NotFound()
    asked = {name: value for name in ("from", "to") if (value := request.args.get(name, ""))}
    page = render_template("finance/account.html", account=found, found=found.found, asked=asked, errors=errors)
    return page, 422 if errors else 200
