"""A listing on its way to the public: what is missing, asking a curator, taking it back; and its papers."""

from __future__ import annotations

import datetime

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.seller import bp
from storefront.blueprints.seller.review_state import review_of
from storefront.catalogue.models import Product
from storefront.errors import NotFound
from storefront.exports.answer import attachment
from storefront.extensions import db
from storefront.listings import paper_ends, paper_files, review
from storefront.listings.drafts import draft_of, own_draft
from storefront.listings.listing import PAPER_KINDS
from storefront.listings.models import ListingDraft
from storefront.listings.paper_files import Paper
from storefront.listings.scheduled import moment_in
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written


@bp.get("/<code>/listings/<int:draft_id>/review")
@access.rule(Action.LISTINGS_READ)
def listing_review(code: str, draft_id: int) -> ResponseReturnValue:
    """What is missing, and where it stands."""
    return _page(draft_id)


@bp.get("/<code>/listings/<int:draft_id>/<any('submit', 'withdraw'):step>")
@access.rule(Action.LISTINGS_READ)
def after_review_step(code: str, draft_id: int, step: str) -> ResponseReturnValue:
    """The address of a refused step, opened again."""
    return redirect(url_for("seller.listing_review", code=code, draft_id=own_draft(g.facility.id, draft_id).id))


@bp.post("/<code>/listings/<int:draft_id>/submit")
@access.rule(Action.REVIEW_ASK)
def submit_listing(code: str, draft_id: int) -> ResponseReturnValue:
    """*Minta tinjauan*, at once or to be public from a moment on."""
    form = Written(request.form)
    own_draft(g.facility.id, draft_id)
    publish_at = _publish_at(form)
    version = request.form.get("version", 0, type=int)
    person_id = access.person_id()
    act = lambda: review.submit(g.facility.id, draft_id, version, person_id=person_id, publish_at=publish_at)  # noqa: E731
    if form.done(act) is None:
        return _page(draft_id, form), form.status
    flash(_("Terkirim. Kurator meninjaunya; Anda diberi tahu lewat surel."), "ok")
    return redirect(url_for("seller.listing_review", code=code, draft_id=draft_id), 303)


@bp.post("/<code>/listings/<int:draft_id>/withdraw")
@access.rule(Action.REVIEW_ASK)
def withdraw_listing(code: str, draft_id: int) -> ResponseReturnValue:
    """Take it back, to write on."""
    form = Written(request.form)
    version = request.form.get("version", 0, type=int)
    person_id = access.person_id()
    if form.done(lambda: review.withdraw(g.facility.id, draft_id, version, person_id=person_id)) is None:
        return _page(draft_id, form), form.status
    flash(_("Ditarik kembali. Anda dapat mengubahnya lagi."), "ok")
    return redirect(url_for("seller.listing_review", code=code, draft_id=draft_id), 303)


@bp.get("/<code>/listings/<int:draft_id>/papers")
@access.rule(Action.LISTINGS_READ)
def after_paper(code: str, draft_id: int) -> ResponseReturnValue:
    """The address of a refused paper, opened again: papers stand on the review's page."""
    own_draft(g.facility.id, draft_id)
    return redirect(url_for("seller.listing_review", code=code, draft_id=draft_id, _anchor="surat"))


@bp.post("/<code>/listings/<int:draft_id>/papers")
@access.rule(Action.LISTINGS_WRITE)
def put_paper(code: str, draft_id: int) -> ResponseReturnValue:
    """One paper written down, with its file; or taken out."""
    form = Written(request.form)
    version, kind, person_id = request.form.get("version", 0, type=int), form["kind"], access.person_id()
    file = request.files.get("file")
    content = file.read(paper_files.documents.MAX_BYTES + 1) if file else b""
    paper = Paper(kind, form["number"], form["issued_by"], form["valid_until"], content or None)

    def act() -> ListingDraft:
        if form["do"] == "remove":
            return paper_files.take_out(g.facility.id, draft_id, version, kind, person_id=person_id)
        return paper_files.put(g.facility.id, draft_id, version, paper, person_id=person_id)

    if form.done(act) is None:
        return _page(draft_id, paper_form=form), form.status
    flash(_("Surat dihapus dari karya ini.") if form["do"] == "remove" else _("Surat disimpan."), "ok")
    return redirect(url_for("seller.listing_review", code=code, draft_id=draft_id, _anchor="surat"), 303)


@bp.get("/<code>/listings/<int:draft_id>/papers/<paper>")
@access.rule(Action.LISTINGS_READ)
def paper_file(code: str, draft_id: int, paper: str) -> ResponseReturnValue:
    """The file of a paper, to be saved."""
    draft = own_draft(g.facility.id, draft_id)
    key = next((one["document_key"] for one in draft.content["papers"] if one["kind"] == paper), None)
    return attachment(key, f"surat-{paper}-{draft_id}".replace("_", "-"))


@bp.get("/<code>/papers")
@access.rule(Action.LISTINGS_READ)
def papers(code: str) -> ResponseReturnValue:
    """Every paper of the facility's products, the earliest end first."""
    return render_template("seller/papers.html", papers=paper_ends.of_facility(g.facility.id), soon=paper_ends.SOON)


@bp.post("/<code>/papers/<int:product_id>/renew")
@access.rule(Action.LISTINGS_WRITE)
def renew_paper(code: str, product_id: int) -> ResponseReturnValue:
    """To the product's draft, begun if there is none, where the new paper is written down."""
    draft = draft_of(_own_product(product_id), person_id=access.person_id())
    db.session.commit()
    return redirect(url_for("seller.listing_review", code=code, draft_id=draft.id, _anchor="surat"), 303)


def _own_product(product_id: int) -> Product:
    product = db.session.get(Product, product_id)
    if product is None or product.facility_id != g.facility.id:
        raise NotFound()
    return product


def _page(draft_id: int, form: Written | None = None, paper_form: Written | None = None) -> str:
    draft = own_draft(g.facility.id, draft_id)
    return render_template(
        "seller/listing_review.html", review=review_of(draft, form, paper_form), all_kinds=PAPER_KINDS
    )


def _publish_at(form: Written) -> datetime.datetime | None:
    """The moment that was chosen, on the facility's clock; None: as soon as it is let through."""
    if not form["publish_day"].strip():
        return None
    chosen = form.day("publish_day")
    try:
        time = datetime.time.fromisoformat(form["publish_time"].strip() or "08:00")
    except ValueError:
        form.wrong("publish_time", _("Tulis jamnya seperti 08:00."))
        return None
    return moment_in(g.facility.time_zone, chosen, time.replace(tzinfo=None))
