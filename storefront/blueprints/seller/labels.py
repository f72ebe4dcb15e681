"""Address labels: gathered into a batch, printed, printed once more with a reason. Each print is written down."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.seller import bp
from storefront.blueprints.seller.parcel_filters import asked, kept
from storefront.blueprints.seller.parcel_papers import chosen, pdf_answer
from storefront.blueprints.seller.parcel_queue import queue_page, ticked
from storefront.exports import papers
from storefront.extensions import db
from storefront.form_key import kept_key, new_key
from storefront.orders import labels
from storefront.orders.label_models import LabelBatch
from storefront.orders.labels import BatchWaits, PrintedBefore
from storefront.pages import page_number
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written


@bp.get("/<code>/labels")
@access.rule(Action.BUYERS_READ)
def label_batches(code: str) -> ResponseReturnValue:
    """Who printed which labels when."""
    rows, pages = labels.batches(g.facility.id, page_number())
    return render_template("seller/label_batches.html", rows=rows, page=page_number(), pages=pages)


@bp.post("/<code>/labels")
@access.rule(Action.PARCELS_WRITE)
def make_labels(code: str) -> ResponseReturnValue:
    """Gather the ticked parcels, or all of the filter, into a batch."""
    form = Written(dict(request.form))
    ids = chosen(asked()) if form["all"] else ticked()
    if not ids:
        form.wrong("parcels", _("Centang dahulu kirimannya."))
    refusal: list[BatchWaits | PrintedBefore] = []

    def gather() -> LabelBatch:
        try:
            key, again = form["request_key"], bool(form["again"])
            return labels.make_batch(g.facility.id, ids, form["label_size"], access.person_id(), key, again=again)
        except (BatchWaits, PrintedBefore) as error:
            refusal.append(error)
            raise

    batch = form.done(gather)
    if batch is None:
        if refusal and isinstance(refusal[0], BatchWaits):
            flash(str(refusal[0].message), "warn")
            return redirect(url_for("seller.label_batch", code=code, labels_id=refusal[0].batch_id), 303)
        form.values = {**form.values, "again_asked": refusal}
        return queue_page(form, ids), form.status
    return redirect(url_for("seller.label_batch", code=code, labels_id=batch.id), 303)


@bp.get("/<code>/labels/<int:labels_id>")
@access.rule(Action.BUYERS_READ)
def label_batch(code: str, labels_id: int) -> ResponseReturnValue:
    """One batch: its parcels, its prints, and the button."""
    return batch_page(labels_id, Written())


@bp.post("/<code>/labels/<int:labels_id>/print")
@access.rule(Action.PARCELS_WRITE)
def print_labels(code: str, labels_id: int) -> ResponseReturnValue:
    """The PDF, with a line in the history for it."""
    form = Written(dict(request.form))
    done = form.done(
        lambda: labels.print_batch(g.facility.id, labels_id, access.person_id(), form["request_key"], form["reason"])
    )
    if done is None:
        return batch_page(labels_id, form), form.status
    sheets = [sheet for sheet in labels.sheets(g.facility.id, done.id, with_buyer=True) if sheet.buyer]
    if not sheets:
        flash(_("Tidak satu pun kiriman di kumpulan ini masih memerlukan label."), "info")
        return redirect(url_for("seller.label_batch", code=code, labels_id=labels_id), 303)
    pdf = papers.labels_pdf(g.facility, sheets, done.size)
    db.session.commit()
    return pdf_answer(pdf, f"label-{code}-{labels_id}.pdf")


@bp.post("/<code>/labels/<int:labels_id>/give-up")
@access.rule(Action.PARCELS_WRITE)
def give_up_labels(code: str, labels_id: int) -> ResponseReturnValue:
    """Let a batch go that was not printed."""
    labels.give_up(g.facility.id, labels_id, access.person_id())
    db.session.commit()
    flash(_("Kumpulan label dilepaskan. Tidak ada yang tercetak."), "ok")
    return redirect(url_for("seller.parcels", code=code, **kept()), 303)


def batch_page(labels_id: int, form: Written) -> str:
    batch = labels.own_batch(g.facility.id, labels_id)
    prints = labels.prints(batch.id)
    return render_template(
        "seller/label_batch.html",
        batch=batch,
        sheets=labels.sheets(g.facility.id, batch.id, with_buyer=False),
        prints=prints,
        reasons=labels.REASONS,
        form=form,
        request_key=kept_key(form["request_key"]) if not prints else new_key(),
    )
