"""`/questions/<token>`: a thread with a facility, for whoever asked. The link alone opens it.

The token is left out of our log (`web.py`), goes to nobody by Referer, and the page is kept by nobody.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import false, select

from storefront.catalogue.models import Product, ProductStatus
from storefront.enquiries.large import MOST_FILES, LargeWish, ask_large
from storefront.enquiries.models import Enquiry
from storefront.enquiries.threads import thread
from storefront.enquiries.tokens import open_thread, thread_token
from storefront.enquiries.write import count_message, write_again
from storefront.errors import NotFound
from storefront.extensions import db, limiter
from storefront.facilities.models import Facility
from storefront.form_key import kept_key, new_key
from storefront.languages import locale
from storefront.media import documents
from storefront.people import access
from storefront.quotes.lists import sent_quotes
from storefront.written import Written

bp = Blueprint("questions", __name__)
#: A field that no person fills in.
TRAP = "website"


@bp.after_request
def personal(response: Response) -> Response:
    """What two people write to each other."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


@bp.get("/questions/<token>")
def show(token: str) -> ResponseReturnValue:
    """The thread, with what still waits of one's own. Raises NotFound for a wrong link."""
    return _page(open_thread(token, request.remote_addr), token, Written())


@bp.post("/questions/<token>")
@limiter.limit("10 per minute")
def write(token: str) -> ResponseReturnValue:
    """The asker writes again."""
    enquiry, form = open_thread(token, request.remote_addr), Written(request.form)
    count_message(request.remote_addr)
    if form.done(lambda: write_again(enquiry, form["body"], form["request_key"])) is None:
        return _page(enquiry, token, form), form.status
    return redirect(url_for("questions.show", token=token, _anchor="akhir"), 303)


@bp.get("/large-order")
def large_form() -> ResponseReturnValue:
    """The form for many pieces, or something made to measure: `?product=` or `?facility=` says where it was pressed."""
    return _large(_asked(), Written())


@bp.post("/large-order")
@limiter.limit("10 per minute")
def send_large() -> ResponseReturnValue:
    """Begin the thread; on to it, whose address alone opens it."""
    about, form = _asked(), Written(request.form)
    if form[TRAP]:
        return redirect(url_for("shop.facility", slug=about.facility_slug), 303)
    count_message(request.remote_addr)
    given = [file for file in request.files.getlist("files") if file.filename]
    who = access.person()
    wish = LargeWish(
        about.facility_id, about.product_id, form["body"], form["email"], form["city"], locale(),
        who.id if who else None,
        [file.read(documents.MAX_BYTES + 1) for file in given[: MOST_FILES + 1]], form["request_key"],
    )  # fmt: skip
    enquiry = form.done(lambda: ask_large(wish))
    if enquiry is None:
        return _large(about, form), form.status
    return redirect(url_for("questions.show", token=thread_token(enquiry), sent=1), 303)


@dataclass(frozen=True)
class About:
    """Where a wish begins: a facility, or one of its works."""

    facility_id: int
    facility_name: str
    facility_slug: str
    product_id: int | None = None
    product_title: str = ""
    product_slug: str = ""


def _asked() -> About:
    """What the address asks about. Raises NotFound for what is not public."""
    values = request.values
    query = select(Facility, Product).where(Facility.status == "active")
    if slug := values.get("product", "")[:200]:
        query = query.join(Product, Product.facility_id == Facility.id).where(
            Product.slug == slug, Product.status == ProductStatus.PUBLISHED.value
        )
    else:
        query = query.outerjoin(Product, false()).where(Facility.slug == values.get("facility", "")[:200])
    row = db.session.execute(query).one_or_none()
    if row is None:
        raise NotFound()
    facility, product = row
    if product is None:
        return About(facility.id, facility.name, facility.slug)
    title = (product.title_en if locale() == "en" else "") or product.title
    return About(facility.id, facility.name, facility.slug, product.id, title, product.slug)


def _large(about: About, form: Written) -> str:
    return render_template(
        "shop/large_order.html",
        about=about,
        form=form,
        request_key=kept_key(form["request_key"]),
        trap=TRAP,
        most_files=MOST_FILES,
    )


def _page(enquiry: Enquiry, token: str, form: Written) -> str:
    return render_template(
        "shop/question.html",
        thread=thread(enquiry, side="asker"),
        token=token,
        form=form,
        request_key=new_key(),
        quotes=sent_quotes(enquiry),
        is_sent=request.args.get("sent") == "1",
    )
