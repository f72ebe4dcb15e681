"""What people say of a product: beside it, on pages of its own, and the form to ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from storefront.blueprints.shop import bp
from storefront.blueprints.shop.asked import asked_page
from storefront.blueprints.shop.for_one import for_one
from storefront.blueprints.shop.public import plain_url, public_page
from storefront.catalogue.product_page import ProductPage
from storefront.catalogue.rating import Rating
from storefront.enquiries import public as questions
from storefront.enquiries.public import PublicQuestion
from storefront.enquiries.tokens import thread_token
from storefront.enquiries.write import Question, ask, count_message
from storefront.extensions import db, limiter
from storefront.form_key import kept_key
from storefront.languages import locale
from storefront.pages import page_number
from storefront.people import access
from storefront.reviews import public as reviews
from storefront.reviews.public import PublicReview
from storefront.written import Written

#: No person fills it in.
TRAP = "website"


@dataclass(frozen=True)
class Voices:
    """What is said of a product, a few of each."""

    rating: Rating | None
    reviews: Sequence[PublicReview]
    questions: Sequence[PublicQuestion]
    questions_total: int

    @property
    def reviews_total(self) -> int:
        return self.rating.reviews if self.rating else 0

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Voices:
        """From the value of the database's `product_voices`."""
        return cls(
            Rating.of(said["rating"]),
            [PublicReview.of(review) for review in said["reviews"] or []],
            [PublicQuestion.of(question) for question in said["questions"] or []],
            said["questions_total"],
        )


def voices_of(product_id: int, *, reviews_page: int = 0, questions_page: int = 0) -> Voices:
    """One page of what the public reads of a product, from 1; 0: none of the kind."""
    found = func.product_voices(
        product_id,
        reviews.PAGE if reviews_page else 0,
        max(0, reviews_page - 1) * reviews.PAGE,
        questions.PAGE if questions_page else 0,
        max(0, questions_page - 1) * questions.PAGE,
    )
    return Voices.of(db.session.execute(select(found)).scalar_one())


@bp.get("/products/<slug>/reviews")
@public_page()
def product_reviews(slug: str) -> str:
    """All public reviews of a product."""
    return _list("reviews", slug, lambda voices: -(-voices.reviews_total // reviews.PAGE))


@bp.get("/products/<slug>/questions")
@public_page()
def product_questions(slug: str) -> str:
    """All questions about a product that were answered in public."""
    return _list("questions", slug, lambda voices: -(-voices.questions_total // questions.PAGE))


def _list(kind: str, slug: str, count_pages: Callable[[Voices], int]) -> str:
    """The page asked for of what was said, `reviews` or `questions`; one past the end is the last one."""
    product, page = asked_page(slug), page_number()
    found = voices_of(product.id, **{f"{kind}_page": page})
    pages = max(1, count_pages(found))
    if page > pages:
        page, found = pages, voices_of(product.id, **{f"{kind}_page": pages})
    return render_template(
        f"shop/{kind}.html",
        product=product,
        voices=found,
        page=page,
        pages=pages,
        canonical=plain_url(f"shop.product_{kind}", slug=slug, page=page if page > 1 else None),
    )


@bp.get("/products/<slug>/ask")
def ask_form(slug: str) -> ResponseReturnValue:
    """The form to ask."""
    return _form(asked_page(slug), Written({"visibility": "public"}))


@bp.post("/products/<slug>/ask")
@limiter.limit("10 per minute")
def ask_question(slug: str) -> ResponseReturnValue:
    """Ask the facility; on to the thread, whose address alone opens it."""
    product, form = asked_page(slug), Written(request.form)
    if form[TRAP]:
        return redirect(url_for("shop.product", slug=slug, _anchor="tanya"), 303)
    count_message(request.remote_addr)
    who = access.person()
    wish = Question(
        product.id,
        product.facility.id,
        form["body"],
        city=form["city"],
        email=form["email"],
        is_public=form["visibility"] != "private",
        locale=locale(),
        person_id=who.id if who else None,
        request_key=form["request_key"],
    )
    enquiry = form.done(lambda: ask(wish))
    if enquiry is None:
        return _form(product, form)
    return redirect(url_for("questions.show", token=thread_token(enquiry), sent=1), 303)


def _form(product: ProductPage, form: Written) -> Response:
    page = render_template(
        "shop/ask.html",
        product=product,
        form=form,
        action=url_for("shop.ask_question", slug=product.slug),
        back=url_for("shop.product", slug=product.slug),
        city=None,
        request_key=kept_key(form["request_key"]),
        trap=TRAP,
    )
    return for_one(page, form.status)
