"""Tills: opened with a float, counted and closed; by the phone's page (JSON) or by a form."""

from __future__ import annotations

from flask import g, jsonify, request
from flask.typing import ResponseReturnValue

from storefront.blueprints.counter import bp
from storefront.blueprints.counter.sales import body, rfc3339, till_answer
from storefront.counter import close, tills
from storefront.errors import DomainError, Invalid
from storefront.extensions import db
from storefront.people import access


@bp.post("/<slug>/tills")
@access.signed_in
def open_till(slug: str) -> ResponseReturnValue:
    """Open a till by `till` (its id or name) with `opening_float` rupiah."""
    data = body()
    named, opening = data.get("till", data.get("name")), data.get("opening_float", 0)
    if type(named) not in (int, str) or type(opening) is not int:
        raise Invalid({"till": "Pilih kasnya.", "opening_float": "Uang awal."})
    try:
        session = tills.open_till(g.exhibition, named, opening, access.person_id())
        db.session.commit()
    except DomainError:
        db.session.rollback()
        raise
    found = next(till for till in tills.tills(g.exhibition.id) if till.id == session.till_id)
    return jsonify(till=till_answer(found)), 201


@bp.post("/<slug>/tills/<int:till_id>/close")
@access.signed_in
def close_till(slug: str, till_id: int) -> ResponseReturnValue:
    """Close it with `notes` (pieces by value) or `counted`; 409 `open_baskets` until `confirmed`."""
    data = body()
    till = tills.the_till(g.exhibition.id, till_id)
    try:
        session = close.close_till(
            till,
            access.person_id(),
            notes=_notes(data.get("notes")),
            counted=data.get("counted") if type(data.get("counted")) is int else None,
            explanation=str(data.get("explanation") or ""),
            open_baskets=[str(name)[:60] for name in _list(data.get("open_baskets"))],
            confirmed=data.get("confirmed") is True,
        )
        db.session.commit()
    except DomainError:
        db.session.rollback()
        raise
    assert session.closed_at is not None and session.counted is not None and session.expected is not None
    return jsonify(
        session={
            "id": session.id,
            "closed_at": rfc3339(session.closed_at),
            "counted": session.counted,
            "expected": session.expected,
            "difference": session.counted - session.expected,
        }
    )


def _list(value: object) -> list[object]:
    return value[:50] if isinstance(value, list) else []


def _notes(value: object) -> dict[int, int] | None:
    if not isinstance(value, dict):
        return None
    if not all(str(key).isdecimal() and type(pieces) is int for key, pieces in value.items()):
        raise Invalid({"notes": "Lembar"})
    return {int(key): pieces for key, pieces in value.items()}
