"""Certificates of sale for the archive: issued by the coordinator, printed whenever they are wanted."""

from __future__ import annotations

from flask import Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront import days
from storefront.audit.record import record
from storefront.blueprints.seller import allowed, bp
from storefront.exports import certificates
from storefront.exports.certificate_pdf import certificate_pdf
from storefront.exports.certificates import Wish
from storefront.exports.models import SaleCertificate
from storefront.form_key import kept_key
from storefront.pages import page_number
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written


@bp.get("/<code>/certificates")
@access.rule(Action.REVENUE_READ)
def certificate_list(code: str) -> ResponseReturnValue:
    """What was issued, and the form for a new one; `order` fills in one sale."""
    first = days.today().replace(day=1)
    values = {
        "from": first.isoformat(),
        "to": days.today().isoformat(),
        "order": request.args.get("order", "")[:40],
    }
    return _page(Written(values))


@bp.post("/<code>/certificates")
@access.rule(Action.CERTIFICATES_ISSUE)
def issue_certificate(code: str) -> ResponseReturnValue:
    """Issue one."""
    form = Written(request.form)
    number = form.line("order")
    today = days.today()
    wish = Wish(today, today, number) if number else Wish(form.day("from"), form.day("to"))

    def issue() -> SaleCertificate:
        me = access.person_id()
        made = certificates.issue(g.facility, wish, person_id=me, request_key=form["request_key"])
        details = {"number": certificates.name_of(made, code), "amount": made.net_amount}
        subject = ("sale_certificate", made.id)
        record("certificate.issued", *subject, person_id=me, facility_id=g.facility.id, details=details)
        return made

    made = form.done(issue)
    if made is None:
        return _page(form), form.status
    flash(_("Surat %(number)s diterbitkan.", number=certificates.name_of(made, code)), "ok")
    return redirect(url_for("seller.certificate_list", code=code), 303)


@bp.get("/<code>/certificates/<int:certificate_id>/pdf")
@access.rule(Action.REVENUE_READ)
def certificate_file(code: str, certificate_id: int) -> ResponseReturnValue:
    """The paper. Raises NotFound for another facility's."""
    found = certificates.find(g.facility.id, certificate_id)
    response = Response(certificate_pdf(found), mimetype="application/pdf")
    name = certificates.name_of(found, code).lower()
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.pdf"'
    return response


def _page(form: Written) -> str:
    year, sort = request.args.get("year", type=int), request.args.get("sort", "")
    sort = sort if sort in certificates.SORTS else "newest"
    return render_template(
        "seller/certificates.html",
        found=certificates.listing(g.facility.id, year=year, sort=sort, page=page_number()),
        years=certificates.years(g.facility.id),
        year=year,
        sort=sort,
        name_of=certificates.name_of,
        form=form,
        request_key=kept_key(form["request_key"]),
        may_issue=allowed(Action.CERTIFICATES_ISSUE),
    )
