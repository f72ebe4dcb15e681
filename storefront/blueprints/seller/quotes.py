"""Quotes of a facility: the list, the one that is being written, what became of the others, and their papers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import flash, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from storefront.blueprints.seller import allowed, bp
from storefront.catalogue.models import Category
from storefront.enquiries.threads import own_thread
from storefront.errors import NotFound
from storefront.exports.quote_pdf import paper_pdf
from storefront.extensions import db
from storefront.facilities.models import Workshop
from storefront.languages import locale
from storefront.orders.models import Parcel
from storefront.pages import page_number
from storefront.people import access
from storefront.people.policy import Action
from storefront.quotes import lists, write
from storefront.quotes.made import listed_works
from storefront.quotes.models import Quote, QuoteState
from storefront.quotes.papers import issue, papers_of
from storefront.quotes.write import MOST_LINES, Draft, LineDraft
from storefront.shipping.models import ShippingMethod
from storefront.written import Written, whole_number

#: Fields of a line, as the form names them (`sku-1` …).
FIELDS = ("sku", "title", "quantity", "price", "lead", "workshop", "category", "material", "weight")
#: A row with none of these was left empty.
TELLS = ("sku", "title", "quantity", "price")
#: Empty rows at the end of the form, and of one that is to hold a long list.
SPARE, MANY_SPARE = 2, 12


@bp.get("/<code>/quotes")
@access.rule(Action.ENQUIRIES_READ)
def quote_list(code: str) -> ResponseReturnValue:
    """The facility's quotes; the address says which."""
    state = request.args.get("state", "")
    state = state if state in list(QuoteState) else ""
    page = lists.of_facility(g.facility.id, state, page_number())
    return render_template("seller/quotes.html", page=page, state=state, states=list(QuoteState))


@bp.post("/<code>/questions/<int:enquiry_id>/quote")
@access.rule(Action.ENQUIRIES_WRITE)
def begin_quote(code: str, enquiry_id: int) -> ResponseReturnValue:
    """Begin a quote for a wish, or go on with the one that is being written. Raises NotFound, NotDraft."""
    enquiry = own_thread(g.facility.id, enquiry_id)
    if enquiry is None or enquiry.kind != "large_order":
        raise NotFound()
    quote = write.begin(enquiry, access.person_id())
    db.session.commit()
    return redirect(url_for("seller.quote", code=code, quote_id=quote.id), 303)


@bp.get("/<code>/quotes/<int:quote_id>")
@access.rule(Action.ENQUIRIES_READ)
def quote(code: str, quote_id: int) -> ResponseReturnValue:
    """One quote: the form while it is a draft, afterwards what became of it. Raises NotFound."""
    found = write.own_quote(g.facility.id, quote_id)
    return _page(found, Written(_values(found)))


@bp.post("/<code>/quotes/<int:quote_id>")
@access.rule(Action.ENQUIRIES_WRITE)
def save_quote(code: str, quote_id: int) -> ResponseReturnValue:
    """Keep what was written, and send it where that was asked for."""
    found = write.own_quote(g.facility.id, quote_id)
    form = Written(_compact(request.form))
    draft = _draft(form)
    sends, who = bool(form["send"]), access.person_id()

    def act() -> Quote:
        kept = write.save(found, draft, who)
        return write.send(kept, who) if sends else kept

    if form.done(act) is None:
        return _page(write.own_quote(g.facility.id, quote_id), form), form.status
    flash(_("Penawaran terkirim kepada pembeli.") if sends else _("Draf tersimpan."), "ok")
    more = MANY_SPARE if form["more"] else None
    return redirect(url_for("seller.quote", code=code, quote_id=quote_id, spare=more), 303)


@bp.post("/<code>/quotes/<int:quote_id>/papers/<key>")
@access.rule(Action.ENQUIRIES_WRITE)
def issue_paper(code: str, quote_id: int, key: str) -> ResponseReturnValue:
    """Give a paper its number. Raises PaperNotDue."""
    found = issue(write.own_quote(g.facility.id, quote_id).id, key, access.person_id())
    db.session.commit()
    flash(_("Surat diterbitkan dengan nomor %(number)s.", number=found.number), "ok")
    return redirect(url_for("seller.quote", code=code, quote_id=quote_id, _anchor="surat"), 303)


@bp.get("/<code>/quotes/<int:quote_id>/papers/<key>")
@access.rule(Action.ENQUIRIES_READ)
def quote_paper(code: str, quote_id: int, key: str) -> ResponseReturnValue:
    """A paper that was issued, as PDF. Raises NotFound for any other."""
    own = write.own_quote(g.facility.id, quote_id)
    found = next((paper for paper in papers_of(own) if paper.key == key and paper.number), None)
    if found is None:
        raise NotFound()
    response = make_response(paper_pdf(own, found))
    response.mimetype = "application/pdf"
    response.headers["Content-Disposition"] = f'inline; filename="{found.number.replace("/", "-")}.pdf"'
    return response


def _compact(form: Mapping[str, str]) -> dict[str, str]:
    """What was written, its rows numbered without a gap: empty ones are left out."""
    values = {name: value for name, value in form.items() if "-" not in name}
    row = 0
    for number in range(1, MOST_LINES + MANY_SPARE + 1):
        if any(form.get(f"{name}-{number}", "").strip() for name in TELLS):
            row += 1
            values |= {f"{name}-{row}": form.get(f"{name}-{number}", "") for name in FIELDS}
    return values | {"rows": str(row)}


def _draft(form: Written) -> Draft:
    percent = whole_number(form["deposit"]) or 0
    return Draft(
        [_line(form, row) for row in range(1, int(form["rows"]) + 1)],
        form.day("valid_until"),
        whole_number(form["method"]) or 0,
        percent * 100,
        form.amount("first_days"),
        form.amount("rest_days"),
        form.amount("shipping_amount") if form["shipping_amount"].strip() else 0,
        form["notes"],
    )


def _line(form: Written, row: int) -> LineDraft:
    def number(name: str) -> int | None:
        return whole_number(form[f"{name}-{row}"])

    return LineDraft(
        # What is no number is out of bounds, and said at its field.
        number("quantity") or 0,
        number("price") or 0,
        form[f"sku-{row}"],
        -1 if form[f"lead-{row}"].strip() and number("lead") is None else number("lead"),
        form[f"title-{row}"],
        number("workshop"),
        number("category"),
        number("material"),
        number("weight"),
    )


def _values(found: Quote) -> dict[str, Any]:
    """A draft as its form shows it."""
    skus = write.skus_of(found)
    values: dict[str, Any] = {
        "rows": len(found.lines),
        "valid_until": found.valid_until.isoformat(),
        "method": found.method_id,
        "deposit": found.deposit_bp // 100,
        "first_days": found.first_days,
        "rest_days": found.rest_days,
        "shipping_amount": found.shipping_amount or "",
        "notes": found.notes,
    }
    for row, line in enumerate(found.lines, start=1):
        values |= {
            f"sku-{row}": skus.get(line.variant_id or 0, ""),
            f"title-{row}": "" if line.variant_id else line.title,
            f"quantity-{row}": line.quantity,
            f"price-{row}": line.unit_price,
            f"lead-{row}": line.lead_time_days or "",
            f"workshop-{row}": line.workshop_id,
            f"category-{row}": line.category_id or "",
            f"material-{row}": line.material_cost if line.material_cost is not None else "",
            f"weight-{row}": line.weight_g or "",
        }
    return values


def _spare(form: Written) -> int:
    return MANY_SPARE if form["more"] or request.args.get("spare") == str(MANY_SPARE) else SPARE


def _page(found: Quote, form: Written) -> str:
    view = lists.quote_view(found)
    english = locale() == "en"
    parcels: Sequence[Parcel] = []
    if view.order:
        parcels = db.session.scalars(
            select(Parcel)
            .where(Parcel.order_id == view.order.id, Parcel.merged_at.is_(None))
            .order_by(Parcel.position)
        ).all()
    values: dict[str, Any] = {}
    if found.state == QuoteState.DRAFT:
        categories = db.session.scalars(select(Category).order_by(Category.position, Category.name)).all()
        methods = db.session.scalars(
            select(ShippingMethod)
            .where(ShippingMethod.is_active, ShippingMethod.kind != "stand")
            .order_by(ShippingMethod.position)
        ).all()
        workshops = select(Workshop.id, Workshop.name).where(Workshop.facility_id == found.facility_id)
        values = {
            "works": [(sku, f"{sku} · {name}") for sku, name in listed_works(found.facility_id)],
            "categories": [(one.id, one.name_en if english else one.name) for one in categories],
            "methods": [(one.id, one.named(locale())) for one in methods],
            "most_lines": MOST_LINES,
            "workshops": [tuple(row) for row in db.session.execute(workshops.order_by(Workshop.name))],
            "rows": min(int(form["rows"] or 0) + _spare(form), MOST_LINES),
        }
    return render_template(
        "seller/quote.html",
        view=view,
        form=form,
        papers=papers_of(found),
        parcels=parcels,
        may_write=allowed(Action.ENQUIRIES_WRITE),
        **values,
    )
