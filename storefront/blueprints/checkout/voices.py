"""From the page of an order: ask about what was bought, review what was received."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from storefront import content_rule
from storefront.blueprints.checkout import bp
from storefront.blueprints.checkout.order_page import own_order
from storefront.catalogue.models import Product
from storefront.enquiries.tokens import thread_token
from storefront.enquiries.write import Question, ask, count_message
from storefront.errors import NotFound
from storefront.extensions import db, limiter
from storefront.facilities.models import Facility
from storefront.form_key import kept_key
from storefront.languages import locale
from storefront.media.pictures import BadPicture
from storefront.orders.models import Order, OrderContact, OrderLine, Parcel
from storefront.people import access
from storefront.reviews.lists import photos_of
from storefront.reviews.models import Review
from storefront.reviews.pictures import MOST, Upload
from storefront.reviews.write import own_line, write
from storefront.shipping.shown_city import plain_city
from storefront.written import Written

#: Longest description of a picture.
LONGEST_ALT = 200


@bp.get("/orders/<number>/ask/<int:position>")
def ask_form(number: str, position: int) -> ResponseReturnValue:
    """The form to ask about a line of the order."""
    order = own_order(number)
    contact = db.session.get(OrderContact, order.id)
    values = {"visibility": "private", "email": (contact.email if contact else None) or ""}
    return _ask_page(order, own_line(order, position), Written(values))


@bp.post("/orders/<number>/ask/<int:position>")
@limiter.limit("10 per minute")
def ask_question(number: str, position: int) -> ResponseReturnValue:
    """Ask the facility as who bought it."""
    order = own_order(number)
    line, form = own_line(order, position), Written(request.form)
    count_message(request.remote_addr)
    wish = Question(
        line.product_id,
        line.facility_id,
        form["body"],
        city=_city(order),
        email=form["email"],
        is_public=form["visibility"] == "public",
        locale=locale(),
        order_id=order.id,
        person_id=access.person_id_or_none(),
        is_buyer=order.paid_at is not None,
        request_key=form["request_key"],
    )
    enquiry = form.done(lambda: ask(wish))
    if enquiry is None:
        return _ask_page(order, line, form), form.status
    return redirect(url_for("questions.show", token=thread_token(enquiry), sent=1), 303)


@bp.get("/orders/<number>/parcels/<int:position>/ask")
def ask_of_parcel(number: str, position: int) -> ResponseReturnValue:
    """The form to ask the facility about a parcel."""
    order = own_order(number)
    contact = db.session.get(OrderContact, order.id)
    form = Written({"email": (contact.email if contact else None) or ""})
    return _parcel_page(order, _parcel(order, position), form)


@bp.post("/orders/<number>/parcels/<int:position>/ask")
@limiter.limit("10 per minute")
def ask_about_parcel(number: str, position: int) -> ResponseReturnValue:
    """Ask the facility about a parcel, in private: an order is nobody else's business."""
    order, form = own_order(number), Written(request.form)
    parcel = _parcel(order, position)
    count_message(request.remote_addr)
    wish = Question(
        None,
        parcel.facility_id,
        form["body"],
        city=_city(order),
        email=form["email"],
        is_public=False,
        locale=locale(),
        order_id=order.id,
        parcel_id=parcel.id,
        person_id=access.person_id_or_none(),
        is_buyer=order.paid_at is not None,
        request_key=form["request_key"],
    )
    enquiry = form.done(lambda: ask(wish))
    if enquiry is None:
        return _parcel_page(order, parcel, form), form.status
    return redirect(url_for("questions.show", token=thread_token(enquiry), sent=1), 303)


@bp.get("/orders/<number>/reviews/<int:position>")
def review_form(number: str, position: int) -> ResponseReturnValue:
    """The form to review a line that was received, filled with what was written before."""
    order = own_order(number)
    line = own_line(order, position)
    review = _review(line)
    values = {"stars": str(review.stars), "body": review.body} if review else {}
    return _review_page(order, line, review, Written(values))


@bp.post("/orders/<number>/reviews/<int:position>")
@limiter.limit("10 per minute")
def write_review(number: str, position: int) -> ResponseReturnValue:
    """Write the review, or write it anew. What is wrong stands beside its field."""
    order = own_order(number)
    line, form = own_line(order, position), Written(request.form)
    uploads = _uploads(form)
    stars = int(form["stars"]) if form["stars"] in ("1", "2", "3", "4", "5") else 0
    removed = request.form.getlist("remove", type=int)
    review = form.done(lambda: write(line, stars, form["body"], uploads=uploads, removed=removed))
    if review is None:
        return _review_page(order, line, _review(line), form), form.status
    return redirect(url_for("checkout.show_order", number=number, _anchor=f"karya-{position}"), 303)


def _uploads(form: Written) -> list[Upload]:
    found = []
    for slot in range(1, MOST + 1):
        file = request.files.get(f"photo-{slot}")
        if file is None or not file.filename:
            continue
        alt = content_rule.clean(form[f"alt-{slot}"]).replace("\n", " ")[:LONGEST_ALT]
        try:
            found.append(Upload.of(file.read(), alt))
        except BadPicture as refused:
            form.wrong(f"photo-{slot}", refused.message)
    return found


def _review(line: OrderLine) -> Review | None:
    return db.session.scalar(select(Review).where(Review.order_line_id == line.id))


def _city(order: Order) -> str:
    return plain_city((order.address.city if order.address else None) or "")


def _title(line: OrderLine) -> str:
    return (line.title_en if locale() == "en" else "") or line.title


def _ask_page(order: Order, line: OrderLine, form: Written) -> str:
    product = db.session.get_one(Product, line.product_id)
    return render_template(
        "shop/ask.html",
        product={"title": _title(line), "slug": product.slug, "facility": {"name": line.facility_name}},
        form=form,
        action=url_for("checkout.ask_question", number=order.number, position=line.position),
        back=url_for("checkout.show_order", number=order.number),
        city=_city(order) or _("kota tidak disebut"),
        request_key=kept_key(form["request_key"]),
        trap=None,
    )


def _parcel(order: Order, position: int) -> Parcel:
    found = db.session.scalar(select(Parcel).where(Parcel.order_id == order.id, Parcel.position == position))
    if found is None:
        raise NotFound()
    return found


def _parcel_page(order: Order, parcel: Parcel, form: Written) -> str:
    code = f"{order.number}/{parcel.position}"
    facility = db.session.get_one(Facility, parcel.facility_id)
    return render_template(
        "shop/ask.html",
        product={"title": _("kiriman %(code)s", code=code), "slug": None, "facility": {"name": facility.name}},
        form=form,
        action=url_for("checkout.ask_about_parcel", number=order.number, position=parcel.position),
        back=url_for("checkout.show_order", number=order.number, _anchor=f"parcel-{parcel.position}"),
        city=_city(order) or _("kota tidak disebut"),
        request_key=kept_key(form["request_key"]),
        trap=None,
    )


def _review_page(order: Order, line: OrderLine, review: Review | None, form: Written) -> str:
    photos = photos_of(review.id) if review else []
    return render_template(
        "checkout/review.html",
        number=order.number,
        position=line.position,
        title=_title(line),
        facility_name=line.facility_name,
        review=review,
        photos=photos,
        slots=range(len(photos) + 1, MOST + 1),
        form=form,
    )
