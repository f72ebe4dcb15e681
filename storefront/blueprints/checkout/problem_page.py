"""Something is wrong with a parcel: the form, and the photos that were sent with it."""

from __future__ import annotations

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from storefront.aftercare import lists, problems
from storefront.aftercare.problems import MOST_PHOTOS, Report, Reportable
from storefront.blueprints.checkout import bp
from storefront.blueprints.checkout.order_page import own_order, page
from storefront.errors import DomainError, NotFound
from storefront.exports.answer import picture
from storefront.extensions import db
from storefront.form_key import kept_key, new_key
from storefront.people import attempts
from storefront.written import Written


@bp.get("/orders/<number>/parcels/<int:position>/problem")
def new_problem(number: str, position: int) -> ResponseReturnValue:
    """The form, while something may be reported; else the order's page, which says why not."""
    order = own_order(number)
    try:
        found = problems.reportable(order, position)
    except NotFound:
        raise
    except DomainError as refusal:
        return page(order, refusal=str(refusal.message)), refusal.status
    return form_page(number, found, Written(), new_key())


@bp.post("/orders/<number>/parcels/<int:position>/problem")
def report_problem(number: str, position: int) -> ResponseReturnValue:
    """Write it down. Photos are not kept by a refused form: browsers do not send them again by themselves."""
    order = own_order(number)
    attempt = attempts.begin("problem", number, request.remote_addr)
    db.session.commit()
    attempts.check(attempt)
    form = Written(request.form)
    report = _read(form)
    order = own_order(number)
    done = form.done(lambda: problems.report(order, position, report))
    if done is not None:
        return redirect(url_for("checkout.show_order", number=number, _anchor=f"laporan-{done.id}"), 303)
    order = own_order(number)
    if form.refusal:
        return page(order, refusal=form.refusal), form.status
    key = kept_key(report.request_key)
    return form_page(number, problems.reportable(order, position), form, key), form.status


@bp.get("/orders/<number>/problems/<int:problem_id>/photos/<int:position>")
def problem_photo(number: str, problem_id: int, position: int) -> Response:
    """A photo that the shopper sent."""
    problem = lists.of_shopper(problem_id, own_order(number).id)
    return picture(lists.photo_key(problem.id, position))


def _read(form: Written) -> Report:
    quantities = {}
    for name in form.values:
        line = name.removeprefix("quantity-")
        if line != name and line.isdecimal() and len(line) < 19:
            quantities[int(line)] = form.amount(name) if form[name].strip() else 0
    # One more than allowed is read, so that it can be said.
    files = [file.read() for file in request.files.getlist("photos")[: MOST_PHOTOS + 1]]
    return Report(form["kind"], form["words"], quantities, [file for file in files if file], form["request_key"])


def form_page(number: str, found: Reportable, form: Written, key: str) -> str:
    return render_template(
        "checkout/problem.html", number=number, found=found, form=form, request_key=key, most_photos=MOST_PHOTOS
    )
