"""Certificates of sale for a facility's archive: numbered, with the split and its legal basis, without any buyer."""

from __future__ import annotations

import datetime
import secrets
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import func, select, text

from storefront.days import accounting_day, begins, today
from storefront.errors import DomainError, Invalid, NotFound
from storefront.exports.models import SaleCertificate
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.form_key import TOO_OLD, is_key
from storefront.pages import Paged

PAGE = 20
#: Longest span: a year.
MOST_DAYS = 366
#: Without what is read as something else.
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
SORTS = {"newest": "id DESC", "oldest": "id", "amount": "net_amount DESC, id DESC"}

#: Works as sold, added up; nothing of who bought them.
WORKS = text(
    """
    SELECT sku, max(product) AS title, sum(quantity)::bigint AS pieces, sum(net_amount)::bigint AS net_amount,
           sum(premium)::bigint AS premium, sum(working_capital)::bigint AS working_capital,
           sum(state_revenue)::bigint AS state_revenue, sum(other_shares)::bigint AS other,
           count(*) AS lines, array_agg(DISTINCT split_rule_id) AS rules
      FROM reporting.sales
     WHERE facility_code = :code AND paid_at >= :from AND paid_at < :until
       AND (CAST(:number AS text) IS NULL OR order_number = :number)
     GROUP BY sku ORDER BY max(product), sku"""
)
RULES = text(
    "SELECT id, basis, legal_basis FROM split_rules WHERE id = ANY (CAST(:ids AS bigint[])) ORDER BY id"
)
SHARES = text(
    """SELECT s.split_rule_id, f.code, f.name, s.basis_points FROM split_rule_shares s JOIN funds f ON f.id = s.fund_id
        WHERE s.split_rule_id = ANY (CAST(:ids AS bigint[])) ORDER BY s.split_rule_id, s.position"""
)
REFUNDED = text(
    """SELECT COALESCE(sum(r.amount), 0)::bigint FROM reporting.refunds r
         JOIN reporting.sales s ON s.line_id = r.line_id
        WHERE s.facility_code = :code AND s.paid_at >= :from AND s.paid_at < :until
          AND (CAST(:number AS text) IS NULL OR s.order_number = :number)"""
)
AMOUNTS = ("net_amount", "premium", "working_capital", "state_revenue", "other")


class NothingSold(DomainError):
    """There is nothing to certify."""

    code, status = "nothing_sold", 422
    message = _("Tidak ada penjualan pada pilihan ini. Periksa tanggal atau nomor pesanannya.")


@dataclass(frozen=True)
class Wish:
    """What is to be certified: days inclusive, or one order of any day."""

    first: datetime.date
    last: datetime.date
    order_number: str = ""


class CertificatePage(Paged[SaleCertificate]):
    size = PAGE


def name_of(certificate: SaleCertificate, facility_code: str) -> str:
    """Its number as it is printed: `SKP-PKL-2026-0012`."""
    return f"SKP-{facility_code}-{certificate.year}-{certificate.number:04d}"


def issue(facility: Facility, wish: Wish, *, person_id: int, request_key: str) -> SaleCertificate:
    """Issue one; the same form sent twice gives the one that it made. Never commits.

    Raises Invalid by field (`from`, `to`, `order`), NothingSold.
    """
    if not is_key(request_key):
        raise Invalid({"from": TOO_OLD})
    # One after the other, so that numbers have no gap and no double.
    db.session.execute(select(Facility.id).where(Facility.id == facility.id).with_for_update(key_share=True))
    known = db.session.scalar(select(SaleCertificate).where(SaleCertificate.request_key == request_key))
    if known is not None:
        if known.facility_id != facility.id:
            raise NotFound()
        return known
    first, last, order_id = _span(facility, wish)
    content = content_of(facility, first, last, wish.order_number.strip() or None)
    year = today().year
    used = select(func.max(SaleCertificate.number)).where(
        SaleCertificate.facility_id == facility.id, SaleCertificate.year == year
    )
    made = SaleCertificate(
        facility_id=facility.id, year=year, number=(db.session.scalar(used) or 0) + 1,
        code="".join(secrets.choice(LETTERS) for _each in range(12)), first_day=first, last_day=last,
        order_id=order_id, lines=content["lines"], pieces=content["pieces"],
        net_amount=content["sums"]["net_amount"], content=content, issued_by=person_id, request_key=request_key,
    )  # fmt: skip
    db.session.add(made)
    db.session.flush()
    return made


def _span(facility: Facility, wish: Wish) -> tuple[datetime.date, datetime.date, int | None]:
    if number := wish.order_number.strip():
        query = text(
            """SELECT o.id, o.paid_at FROM orders o JOIN order_lines l ON l.order_id = o.id
                WHERE o.number = :number AND o.state = 'paid' AND l.facility_id = :facility LIMIT 1"""
        )
        row = db.session.execute(query, {"number": number, "facility": facility.id}).one_or_none()
        if row is None:
            raise Invalid(
                {"order": _("Tidak ada penjualan UPT ini dengan nomor pesanan itu. Periksa nomornya.")}
            )
        day = accounting_day(row.paid_at)
        return day, day, row.id
    if wish.last < wish.first:
        raise Invalid({"to": _("Hari terakhir tidak boleh sebelum hari pertama.")})
    if (wish.last - wish.first).days >= MOST_DAYS:
        raise Invalid({"to": _("Paling lama satu tahun. Buat satu surat untuk setiap tahun.")})
    if wish.last > today():
        raise Invalid({"to": _("Hari terakhir belum tiba. Pilih sampai hari ini.")})
    return wish.first, wish.last, None


def content_of(
    facility: Facility, first: datetime.date, last: datetime.date, number: str | None
) -> dict[str, Any]:
    """All figures of a certificate, as they are known now. Raises NothingSold."""
    until = begins(last + datetime.timedelta(days=1))
    values = {"code": facility.code, "from": begins(first), "until": until, "number": number}
    works = [dict(row) for row in db.session.execute(WORKS, values).mappings()]
    if not works:
        raise NothingSold()
    ids = sorted({rule for work in works for rule in work.pop("rules")})
    shares: dict[int, list[list[Any]]] = {}
    for row in db.session.execute(SHARES, {"ids": ids}):
        shares.setdefault(row.split_rule_id, []).append([row.code, row.name, row.basis_points])
    return {
        "facility": facility.name,
        "code": facility.code,
        "city": facility.city,
        "order": number,
        "lines": sum(work["lines"] for work in works),
        "pieces": sum(work["pieces"] for work in works),
        "sums": {name: sum(work[name] for work in works) for name in AMOUNTS},
        "works": works,
        "rules": [
            {
                "id": row.id,
                "basis": row.basis,
                "legal_basis": row.legal_basis,
                "shares": shares.get(row.id, []),
            }
            for row in db.session.execute(RULES, {"ids": ids})
        ],
        "refunded": int(db.session.execute(REFUNDED, values).scalar_one()),
    }


def listing(
    facility_id: int, *, year: int | None = None, sort: str = "newest", page: int = 1
) -> CertificatePage:
    """A page of a facility's certificates."""
    query = select(SaleCertificate).where(SaleCertificate.facility_id == facility_id)
    if year is not None:
        query = query.where(SaleCertificate.year == year)
    total = db.session.scalar(select(func.count()).select_from(query.subquery())) or 0
    order = text(SORTS.get(sort, SORTS["newest"]))
    rows = db.session.scalars(query.order_by(order).offset((page - 1) * PAGE).limit(PAGE)).all()
    return CertificatePage(rows, total, page)


def years(facility_id: int) -> list[int]:
    """The years in which the facility issued some, the latest first."""
    query = select(SaleCertificate.year).where(SaleCertificate.facility_id == facility_id).distinct()
    return list(db.session.scalars(query.order_by(SaleCertificate.year.desc())))


def find(facility_id: int, certificate_id: int) -> SaleCertificate:
    """The facility's own. Raises NotFound."""
    found = db.session.get(SaleCertificate, certificate_id)
    if found is None or found.facility_id != facility_id:
        raise NotFound()
    return found


def by_code(code: str) -> SaleCertificate:
    """The one whose paper says this code. Raises NotFound."""
    plain = code.strip().upper().replace("-", "").replace(" ", "")
    found = db.session.scalar(select(SaleCertificate).where(SaleCertificate.code == plain))
    if found is None:
        raise NotFound()
    return found
