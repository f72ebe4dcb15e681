"""What people of a facility keep and are told, for tests."""

from __future__ import annotations

import secrets
from typing import Any

from storefront.days import today
from storefront.enquiries import canned
from storefront.exports import certificates
from storefront.exports.certificates import Wish
from storefront.facilities.models import Facility
from storefront.form_key import new_key
from tests.factories import make_person


def kept_reply(facility: Facility, name: str = "", body: str = "Bisa, dalam satu minggu.", english: str = "") -> int:
    """An answer that the facility keeps ready; its id."""
    name = name or f"Jawaban {secrets.token_hex(3)}"
    return canned.save(facility.id, name, body, english, person_id=make_person().id).id


def notices_of(facility: Facility) -> dict[str, Any]:
    """Parts of addresses that name something of this facility's own: it has sold something today."""
    wish = Wish(today().replace(day=1), today())
    certificate = certificates.issue(facility, wish, person_id=make_person().id, request_key=new_key())
    return {"reply_id": kept_reply(facility), "certificate_id": certificate.id}
