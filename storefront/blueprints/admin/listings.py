"""What facilities want to list: the queue, one listing beside its old version, let through or sent back."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.admin import bp, overview
from storefront.blueprints.admin.preview import language_asked, spoken
from storefront.catalogue.models import Product
from storefront.catalogue.product_page import product_page
from storefront.days import today
from storefront.display import format_date, format_datetime
from storefront.errors import NotFound
from storefront.exports.answer import attachment
from storefront.extensions import db
from storefront.keyset import asked_turn
from storefront.languages import locale
from storefront.ledger.shares import money_split
from storefront.ledger.split_rules import Scope, rules_in_force
from storefront.listings import decided, queue, review, versions
from storefront.listings.check import check
from storefront.listings.checklist import checklist, matches
from storefront.listings.models import ListingDraft
from storefront.listings.put_on import put_on
from storefront.listings.queue import Row, Wanted
from storefront.listings.read import listing_of
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written

#: Nothing was said yet of what is only looked at.
NO_VOICES: dict[str, Any] = {"rating": None, "reviews": [], "questions": [], "questions_total": 0, "reviews_total": 0}


@overview.queue(Action.PUBLISH)
def waiting() -> overview.Queue:
    """How many listings wait, and since when."""
    oldest = queue.oldest_waiting()
    note = _("yang tertua sejak %(date)s", date=format_date(oldest)) if oldest else _("tidak ada yang menunggu")
    return overview.Queue(queue.counts()["waiting"], _("karya menunggu tinjauan"), note, url_for("admin.listing_queue"))


@bp.get("/listings")
@access.rule(Action.PUBLISH)
def listing_queue() -> ResponseReturnValue:
    """What waits, what waits for its day, and what was sent back."""
    wanted = asked()
    return render_template(
        "admin/listings.html",
        wanted=wanted,
        found=queue.rows(wanted, asked_turn()),
        counts=queue.counts(),
        facilities=queue.facilities(),
        **_undoable(),
        kept=kept(wanted),
    )


@bp.get("/listings/<int:draft_id>")
@access.rule(Action.PUBLISH)
def listing_item(draft_id: int) -> ResponseReturnValue:
    """One listing: what it says, beside what is public now."""
    return _item(draft_id, Written())


@bp.get("/listings/<int:draft_id>/preview")
@access.rule(Action.PUBLISH)
def preview_listing(draft_id: int) -> ResponseReturnValue:
    """Its page as shoppers will see it: written, looked at, and taken back."""
    draft = _row(draft_id).draft
    language = language_asked(request.args.get("language", ""))
    listing = check(draft.content, draft.photos, facility_id=draft.facility_id, product_id=draft.product_id)
    try:
        product = put_on(listing, draft.facility_id, draft.product_id, None)
        product.sells_unpapered_until = today()
        db.session.flush()
        with spoken(language):
            page = product_page(product.slug, language)
            if page is None:
                raise NotFound()
            shown = page.shown
            scope = Scope(page.facility.id, page.workshop_id, page.commodity_group_id)
            (rule,) = rules_in_force([scope], today())
            money = money_split([(rule, shown.price, shown.material_cost or 0)]) if shown else None
            return render_template("shop/product.html", product=page, money=money, voices=NO_VOICES)
    finally:
        db.session.rollback()


@bp.get("/listings/<int:draft_id>/papers/<paper>")
@access.rule(Action.PUBLISH)
def listing_paper(draft_id: int, paper: str) -> ResponseReturnValue:
    """The file of a paper, to be saved."""
    row = _row(draft_id)
    key = next((one["document_key"] for one in row.draft.content["papers"] if one["kind"] == paper), None)
    return attachment(key, f"surat-{paper}-{row.facility_code}-{draft_id}".replace("_", "-"))


@bp.post("/listings/<int:draft_id>/approve")
@access.rule(Action.PUBLISH)
def approve_listing(draft_id: int) -> ResponseReturnValue:
    """Let it through, and on to the next."""
    form = Written(request.form)
    following = queue.beside(asked(), draft_id)[1]
    published: list[Product | None] = []

    version = request.form.get("version", 0, type=int)

    def act() -> bool:
        published.append(review.approve(draft_id, version, person_id=access.person_id()))
        return True

    if form.done(act) is None:
        return _refused(draft_id, form)
    flash(_("Disetujui dan tayang.") if published[0] else _("Disetujui; tayang pada waktunya."), "ok")
    return _onward(following)


@bp.post("/listings/<int:draft_id>/send-back")
@access.rule(Action.PUBLISH)
def send_listing_back(draft_id: int) -> ResponseReturnValue:
    """Back to the facility, with what was written beside the fields."""
    form = Written(request.form)
    following = queue.beside(asked(), draft_id)[1]
    reasons = {name.removeprefix("reason:"): text for name, text in request.form.items() if name.startswith("reason:")}
    version = request.form.get("version", 0, type=int)
    act = lambda: review.send_back(draft_id, version, reasons, form["note"], person_id=access.person_id())  # noqa: E731
    if form.done(act) is None:
        return _refused(draft_id, form)
    flash(_("Dikembalikan; lapas membaca alasannya."), "ok")
    return _onward(following)


@bp.post("/listings/decisions/<int:decision_id>/undo")
@access.rule(Action.PUBLISH)
def undo_listing_decision(decision_id: int) -> ResponseReturnValue:
    """Take one's own last decision back."""
    form = Written(request.form)
    is_told = bool(decided.told_at([decision_id]))
    draft = form.done(lambda: decided.undo(decision_id, person_id=access.person_id()))
    if draft is None:
        flash(form.refusal, "warn")
        return redirect(url_for("admin.listing_queue"), 303)
    flash(_("Keputusan diurungkan; karya menunggu tinjauan lagi."), "ok")
    if is_told:
        flash(_("Suratnya sudah terkirim sebelum itu."), "warn")
    return redirect(url_for("admin.listing_item", draft_id=draft.id), 303)


def asked() -> Wanted:
    """The filters of the address."""
    name = request.args.get("list", "waiting")
    why = request.args.get("why", "")
    return Wanted(
        name if name in queue.LISTS else "waiting",
        why if why in queue.WHYS else "",
        request.args.get("facility", "")[:10],
    )


def kept(wanted: Wanted) -> dict[str, Any]:
    """The filters as they stand in addresses."""
    found = {"list": wanted.list if wanted.list != "waiting" else "", "why": wanted.why, "facility": wanted.facility}
    return {name: value for name, value in found.items() if value}


def _onward(following: int | None) -> ResponseReturnValue:
    if following is None:
        return redirect(url_for("admin.listing_queue", **kept(asked())), 303)
    return redirect(url_for("admin.listing_item", draft_id=following, **kept(asked())), 303)


def _refused(draft_id: int, form: Written) -> ResponseReturnValue:
    """The listing as it is now, with why; or the queue, once it is gone."""
    if queue.row(draft_id) is None:
        flash(form.refusal or _("Karya ini sudah tidak menunggu."), "warn")
        return redirect(url_for("admin.listing_queue", **kept(asked())), 303)
    return _item(draft_id, form), form.status


def _undoable() -> dict[str, Any]:
    """One's own last decisions that can be taken back, and which letters about them have left."""
    found = decided.undoable(access.person_id())
    return {"undoable": found, "told": decided.told_at(decision.id for decision in found)}


def _row(draft_id: int) -> Row:
    row = queue.row(draft_id)
    if row is None:
        raise NotFound()
    return row


def _item(draft_id: int, form: Written) -> str:
    row = _row(draft_id)
    draft: ListingDraft = row.draft
    list_ = checklist(draft, None)
    product = db.session.get(Product, draft.product_id) if draft.product_id else None
    old = listing_of(product) if product and product.status == "published" else None
    before, after = queue.beside(asked(), draft_id)
    return render_template(
        "admin/listing.html",
        row=row,
        list=list_,
        product=product if old else None,
        fields=versions.fields(list_.listing, old) if list_.listing else [],
        photos=versions.photos(list_.listing, old) if list_.listing else [],
        faces={photo.key: photo.faces for photo in draft.photos},
        matches=matches(draft),
        publish_at=format_datetime(draft.publish_at, row.zone) if draft.publish_at else "",
        is_mine=access.person_id() in (draft.submitted_by, draft.changed_by),
        before=before,
        after=after,
        **_undoable(),
        kept=kept(asked()),
        form=form,
        language=locale(),
    )
