"""The form of a split rule: percentages and scopes as people write them, as a draft."""

from __future__ import annotations

import re
from dataclasses import replace

from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.datastructures import FileStorage

from storefront.books import proof
from storefront.errors import Invalid
from storefront.extensions import db
from storefront.ledger.models import Fund
from storefront.rules.rule_changes import MOST_SHARES, RuleDraft, check
from storefront.rules.rule_list import RuleRow
from storefront.written import Written

#: Shares that the form has room for, and those that it shows at once.
MOST, LESS = MOST_SHARES, 4
PERCENT = re.compile(r"(\d{1,3})(?:[.,](\d{1,2}))?\s*%?")


def basis_points(text: str) -> int | None:
    """`50`, `33,33` or `33.3 %` in basis points; None for anything else."""
    found = PERCENT.fullmatch(text.strip())
    return int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0")) if found else None


def percent_text(points: int) -> str:
    """Basis points as they are written into the form."""
    whole, rest = divmod(points, 100)
    return f"{whole},{rest:02d}".rstrip("0") if rest else str(whole)


def draft_of(form: Written) -> RuleDraft:
    """What was written, as a draft; what cannot be read stands in `form.errors`."""
    shares = []
    for number in range(1, MOST + 1):
        fund, share = form[f"fund-{number}"].strip(), form[f"percent-{number}"].strip()
        if not fund and not share:
            continue
        points = basis_points(share)
        if points is None:
            form.wrong(f"percent-{number}", _("Tulis persennya seperti 50 atau 33,33."))
        elif not fund.isdecimal():
            form.wrong(f"fund-{number}", _("Pilih dananya."))
        else:
            shares.append((int(fund[:18]), points))
    return RuleDraft(
        basis=form["basis"],
        valid_from=form.day("valid_from"),
        valid_to=form.day_or_none("valid_to"),
        legal_basis=form.line("legal_basis"),
        legal_basis_en=form.line("legal_basis_en"),
        source=form.line("source"),
        shares=shares,
        exhibition_id=_id(form, "exhibition_id"),
        facility_id=_id(form, "facility_id"),
        workshop_id=_id(form, "workshop_id"),
        commodity_group_id=_id(form, "commodity_group_id"),
    )


def with_document(draft: RuleDraft, file: FileStorage | None) -> RuleDraft:
    """The draft with its decree kept, once everything else of it is right. Raises Invalid, BadProof."""
    errors = check(draft)
    if errors:
        raise Invalid(errors)
    content = file.read(proof.MAX_BYTES + 1) if file else b""
    return replace(draft, document_key=proof.keep("rules", content)) if content else draft


def blank_from(row: RuleRow | None) -> dict[str, str]:
    """What the form begins with: nothing, or the rule that the new one shall follow."""
    if row is None:
        return {"basis": "net"}
    values = {"basis": row.basis, "legal_basis": "", "legal_basis_en": ""}
    for name in ("exhibition_id", "facility_id", "workshop_id", "commodity_group_id"):
        values[name] = str(getattr(row, name) or "")
    for number, share in enumerate(row.shares, start=1):
        values |= {
            f"fund-{number}": str(share.fund_id),
            f"percent-{number}": percent_text(share.basis_points),
        }
    return values


def words_of(english: bool) -> list[tuple[int, str]]:
    """Funds to choose from, in the words of finance."""
    funds = db.session.scalars(select(Fund).order_by(Fund.position, Fund.id))
    return [(fund.id, fund.finance_name_en if english else fund.finance_name) for fund in funds]


def _id(form: Written, name: str) -> int | None:
    text = form[name].strip()
    if text and not text.isdecimal():
        form.wrong(name, _("Pilih dari daftar."))
        return None
    return int(text[:18]) if text else None
