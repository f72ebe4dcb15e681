"""Funds are data: beyond the three that the shop is shipped with, finance adds what its rules need."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flask_babel import gettext as _
from sqlalchemy import func, select

from storefront.audit.record import record
from storefront.errors import Invalid
from storefront.extensions import db
from storefront.ledger.models import Fund

CODE = re.compile(r"[a-z_]{3,40}")
#: Words that stand for something else where funds are named.
TAKEN = frozenset({"shipping", "material", "other", "operator"})
LONGEST_NAME = 60
NAMES = ("name", "name_en", "finance_name", "finance_name_en")


def funds() -> Sequence[Fund]:
    """All funds in their order."""
    return db.session.scalars(select(Fund).order_by(Fund.position, Fund.id)).all()


def add_fund(
    *, code: str, name: str, name_en: str, finance_name: str, finance_name_en: str, person_id: int
) -> Fund:
    """Add a fund that rules may give shares to; it stays for ever. Raises Invalid, by field. Never commits.

    `name` is what shoppers read (*Upah pembuat*), `finance_name` what finance reads (*Premi*).
    """
    given = {
        "name": name,
        "name_en": name_en,
        "finance_name": finance_name,
        "finance_name_en": finance_name_en,
    }
    errors = {
        field: _("Tulis namanya, 3 sampai 60 huruf.")
        for field in NAMES
        if not 3 <= len(given[field]) <= LONGEST_NAME
    }
    if not CODE.fullmatch(code):
        errors["code"] = _("Kode terdiri dari 3 sampai 40 huruf kecil tanpa spasi, misalnya operating_costs.")
    elif code in TAKEN or db.session.scalar(select(Fund.id).where(Fund.code == code)) is not None:
        errors["code"] = _("Kode ini sudah dipakai. Pilih kode lain.")
    for field in NAMES:
        same = select(Fund.id).where(func.lower(getattr(Fund, field)) == given[field].lower())
        if field not in errors and db.session.scalar(same) is not None:
            errors[field] = _("Nama ini sudah dipakai dana lain.")
    if errors:
        raise Invalid(errors)
    last = db.session.scalar(select(func.max(Fund.position))) or 0
    fund = Fund(code=code, position=last + 1, **given)
    db.session.add(fund)
    db.session.flush()
    record("fund.added", "fund", fund.code, person_id=person_id, details={"after": given})
    return fund
