"""Who bears the provider's fees from a day on: proposed by finance, approved by an administrator."""

from __future__ import annotations

import datetime

from flask_babel import gettext as _
from sqlalchemy import select

from storefront.audit.record import record
from storefront.books.four_eyes import moment, require_second, undecided
from storefront.books.models import FeeBearer
from storefront.days import today
from storefront.display import format_date
from storefront.errors import DomainError, Invalid
from storefront.extensions import db
from storefront.ledger import fee_bearers
from storefront.ledger.models import Fund
from storefront.ledger.split_rules import change_rules

SHORTEST_BASIS = 5
ONE_DAY = datetime.timedelta(days=1)


def propose(*, fund_id: int | None, valid_from: datetime.date, legal_basis: str, person_id: int) -> FeeBearer:
    """Write a bearer down (`fund_id` None: the operator); it counts once an administrator has approved it.

    It starts tomorrow at the earliest, so that no fee changes its bearer afterwards. The state's revenue
    bears fees only with a legal basis. Raises Invalid, by field.
    """
    errors = {}
    fund = db.session.get(Fund, fund_id) if fund_id is not None else None
    if fund_id is not None and fund is None:
        errors["fund"] = _("Pilih siapa yang menanggung.")
    if len(legal_basis.strip()) > 1000:
        errors["legal_basis"] = _("Dasar hukum paling panjang 1.000 huruf.")
    if fund is not None and fund.code == "state_revenue" and len(legal_basis.strip()) < SHORTEST_BASIS:
        errors["legal_basis"] = _(
            "Biaya hanya boleh mengurangi PNBP bila ada dasar hukumnya. Tulis dasar hukum itu."
        )
    refused = _day_refused(valid_from)
    if refused:
        errors["valid_from"] = refused
    if errors:
        raise Invalid(errors)
    bearer = FeeBearer(
        fund_id=fund_id,
        valid_from=valid_from,
        legal_basis=legal_basis.strip(),
        proposed_by=person_id,
        proposed_at=moment(None),
    )
    db.session.add(bearer)
    db.session.flush()
    _record(bearer, "proposed", person_id)
    return bearer


def approve(bearer_id: int, person_id: int) -> FeeBearer:
    """A second person agrees. Raises FourEyes, Decided, NotFound, or says why its day cannot be kept."""
    change_rules()
    bearer = undecided(FeeBearer, bearer_id)
    require_second(bearer.proposed_by, person_id)
    refused = _day_refused(bearer.valid_from)
    if refused:
        raise DomainError(refused, code="day_refused", status=409)
    bearer.approved_by, bearer.approved_at = person_id, moment(None)
    db.session.flush()
    _record(bearer, "approved", person_id)
    return bearer


def reject(bearer_id: int, person_id: int) -> FeeBearer:
    """Decide against a proposal, or take one's own back. Raises Decided, NotFound."""
    bearer = undecided(FeeBearer, bearer_id)
    bearer.rejected_by, bearer.rejected_at = person_id, moment(None)
    db.session.flush()
    _record(bearer, "rejected", person_id)
    return bearer


def _day_refused(day: datetime.date) -> str | None:
    if day <= today():
        return str(_("Penanggung biaya berganti paling cepat besok. Pilih tanggal sesudah hari ini."))
    taken = db.session.scalar(
        select(FeeBearer.id).where(FeeBearer.valid_from == day, FeeBearer.approved_at.is_not(None))
    )
    if taken is not None:
        return str(
            _(
                "Sudah ada penanggung biaya yang berlaku mulai %(day)s. Pilih tanggal lain.",
                day=format_date(day),
            )
        )
    return None



def _record(bearer: FeeBearer, what: str, person_id: int) -> None:
    fund = db.session.get(Fund, bearer.fund_id) if bearer.fund_id is not None else None
    record(
        f"fee_bearer.{what}",
        "fee_bearer",
        bearer.id,
        person_id=person_id,
        details={
            "before": {"bearer": fee_bearers.bearer_on(bearer.valid_from - ONE_DAY)},
            "after": {"bearer": fund.code if fund else fee_bearers.OPERATOR},
            "valid_from": bearer.valid_from.isoformat(),
            "legal_basis": bearer.legal_basis,
        },
    )
