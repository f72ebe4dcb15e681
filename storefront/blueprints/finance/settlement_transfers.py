"""What finance does about a settlement's transfers that the provider refused, or did not take back."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.finance import bp, steps
from storefront.blueprints.finance.settlements import own, page
from storefront.books import transfer_back, transfer_list, transfer_send
from storefront.errors import NotFound
from storefront.people import access
from storefront.people.policy import Action


@bp.post("/settlements/<int:settlement_id>/transfers/<int:part_id>/retry")
@access.rule(Action.SETTLEMENTS_WRITE)
def retry_transfer(settlement_id: int, part_id: int) -> ResponseReturnValue:
    """Ask once more for a transfer that was refused."""
    _require_transfer(settlement_id, part_id)
    said = _("Transfer dicoba lagi.")
    return _done(settlement_id, lambda: transfer_send.try_again(part_id, access.person_id()), said)


@bp.post("/settlements/<int:settlement_id>/transfers/<int:part_id>/drop")
@access.rule(Action.SETTLEMENTS_WRITE)
def drop_transfer(settlement_id: int, part_id: int) -> ResponseReturnValue:
    """Leave a transfer that was refused: its money stays owed."""
    _require_transfer(settlement_id, part_id)
    said = _("Transfer dibatalkan. Uangnya tetap terutang dan dapat diusulkan lagi.")
    return _done(settlement_id, lambda: transfer_send.drop(part_id, access.person_id()), said)


@bp.post("/settlements/<int:settlement_id>/transfers/<int:part_id>/take-back")
@access.rule(Action.SETTLEMENTS_WRITE)
def retry_reversal(settlement_id: int, part_id: int) -> ResponseReturnValue:
    """Ask once more for a part that was not taken back; `part_id` is the reversal's."""
    row = own(settlement_id, Action.SETTLEMENTS_WRITE)
    if part_id not in {back.id for one in transfer_list.of_settlement(row.id) for back in one.reversals}:
        raise NotFound()
    said = _("Penarikan kembali dicoba lagi.")
    return _done(settlement_id, lambda: transfer_back.try_again(part_id, access.person_id()), said)


def _require_transfer(settlement_id: int, transfer_id: int) -> None:
    row = own(settlement_id, Action.SETTLEMENTS_WRITE)
    if transfer_id not in {one.id for one in transfer_list.of_settlement(row.id)}:
        raise NotFound()


def _done(settlement_id: int, act: Callable[[], object], said: str) -> ResponseReturnValue:
    form = steps.written()
    if form.done(act) is None:
        return page(own(settlement_id, Action.SETTLEMENTS_READ), form), form.status
    flash(said, "ok")
    return redirect(url_for("finance.settlement", settlement_id=settlement_id), 303)
