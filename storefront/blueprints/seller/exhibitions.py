"""Exhibitions: which ones the facility takes part in, what it plans to bring, and what goes to the stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from storefront.blueprints.seller import allowed, bp, shelf_asked
from storefront.days import today
from storefront.errors import NotFound
from storefront.exhibitions import brought, fairs, plan, send, stand
from storefront.exhibitions.arrive import What
from storefront.exhibitions.brought import Row, Wanted
from storefront.exhibitions.fairs import PiecesRefused, When
from storefront.exhibitions.models import Exhibition
from storefront.extensions import db
from storefront.form_key import TOO_OLD, is_key, kept_key
from storefront.orders import at_stand
from storefront.pages import page_number
from storefront.people import access
from storefront.people.policy import Action
from storefront.stock import shelf
from storefront.written import Written, whole_number

Result = TypeVar("Result")
#: What the address of a fair's page may carry.
NAMES = ("show", "workshop", "q", "sort", "page")
#: Most rows that a form may name.
MOST = 1000


@bp.get("/<code>/exhibitions")
@access.rule(Action.EXHIBITIONS_READ)
def exhibition_list(code: str) -> ResponseReturnValue:
    """The fairs that the facility takes part in: running, coming, past."""
    asked = request.args.get("when", "")
    return render_template(
        "seller/exhibitions.html",
        found=fairs.fairs(g.facility.id, today(), asked, page_number()),
        when=asked if asked in set(When) else "",
    )


@bp.get("/<code>/exhibitions/<slug>")
@access.rule(Action.EXHIBITIONS_READ)
def exhibition(code: str, slug: str) -> ResponseReturnValue:
    """One fair: what to send, the plan, and what was sent."""
    return fair_page(fairs.find(g.facility.id, slug))


@bp.post("/<code>/exhibitions/<slug>/plan")
@access.rule(Action.EXHIBITIONS_BRING)
def plan_pieces(code: str, slug: str) -> ResponseReturnValue:
    """Write down how many pieces of each variant shall be brought; only what was changed is written."""
    fair, written = fairs.find(g.facility.id, slug), Written(request.form)
    rows = _named(fair, "p-", changed=True)
    changes = {}
    for sku, row in rows.items():
        pieces = _pieces(written, f"p-{sku}")
        changes[row.variant_id] = plan.Change(whole_number(written[f"was-{sku}"] or "0") or 0, pieces)
    done = written.done(
        _beside("p-", rows, lambda: plan.set_plan(fair, g.facility.id, changes, person_id=access.person_id()))
    )
    if done is None:
        return fair_page(fairs.find(g.facility.id, slug), planned=written), written.status
    flash(
        ngettext("Rencana %(num)d karya disimpan.", "Rencana %(num)d karya disimpan.", done)
        if done
        else _("Rencananya tidak berubah."),
        "ok" if done else "info",
    )
    return redirect(_address(code, slug) + "#rencana", 303)


@bp.post("/<code>/exhibitions/<slug>/send")
@access.rule(Action.EXHIBITIONS_BRING)
def send_pieces(code: str, slug: str) -> ResponseReturnValue:
    """Move pieces from the store to the stand, all or nothing. Sent twice, the same form moves them once."""
    fair, written = fairs.find(g.facility.id, slug), Written(request.form)
    rows = _named(fair, "n-")
    pieces = {row.variant_id: number for sku, row in rows.items() if (number := _pieces(written, f"n-{sku}"))}
    if not is_key(written["once"]):
        written.wrong("once", TOO_OLD)
    if not written.errors and not pieces:
        written.wrong("pieces", _("Tulis berapa buah yang dikirim di sebelah karyanya."))
    key, me = written["once"], access.person_id()
    sent = written.done(
        _beside("n-", rows, lambda: send.send(fair, g.facility.id, pieces, key=key, person_id=me))
    )
    if sent is None:
        return fair_page(fairs.find(g.facility.id, slug), sent=written), written.status
    words = _("Pengiriman nomor %(number)d tercatat: isinya sekarang di stan.", number=sent.number)
    flash(words, "ok")
    return redirect(_address(code, slug) + "#terkirim", 303)


@bp.post("/<code>/exhibitions/<slug>/sendings/<int:number>/undo")
@access.rule(Action.EXHIBITIONS_BRING)
def undo_sending(code: str, slug: str, number: int) -> ResponseReturnValue:
    """Take all pieces of a sending back into the store."""
    fair = fairs.find(g.facility.id, slug)
    try:
        done = send.call_back(fair, g.facility.id, number, person_id=access.person_id())
        db.session.commit()
    except send.GoneFromStand as refusal:
        db.session.rollback()
        flash(str(refusal.message), "bad")
    else:
        flash(
            _("Pengiriman nomor %(number)d dibatalkan: isinya kembali ke gudang.", number=number)
            if done
            else _("Pengiriman ini sudah dibatalkan sebelumnya."),
            "ok" if done else "info",
        )
    return redirect(_address(code, slug) + "#terkirim", 303)


def _named(fair: Exhibition, prefix: str, *, changed: bool = False) -> dict[str, Row]:
    """Rows beside which something is written, by SKU; with `changed` only where it is not what stood there.

    Raises NotFound for a SKU that is not the facility's, as if it did not exist.
    """
    skus = []
    for name, value in list(request.form.items())[: 3 * MOST]:
        sku, text = name.removeprefix(prefix), value.strip()
        if sku == name or not (text or changed):
            continue
        if not changed or (text or "0") != (request.form.get(f"was-{sku}", "").strip() or "0"):
            skus.append(sku)
    rows = brought.own(fair.id, g.facility.id, skus[:MOST]) if skus else {}
    if any(sku not in rows for sku in skus):
        raise NotFound()
    return rows


def _pieces(written: Written, name: str) -> int:
    text = written[name].strip()
    number = whole_number(text) if text else 0
    if number is None or number > plan.MOST:
        written.wrong(name, _("Tulis angka dari 0 sampai %(most)d.", most=plan.MOST))
        return 0
    return number


def _beside(prefix: str, rows: Mapping[str, Row], act: Callable[[], Result]) -> Callable[[], Result]:
    """`act`, with what it refuses said beside the field of the variant."""

    def acted() -> Result:
        try:
            return act()
        except PiecesRefused as refusal:
            skus = {row.variant_id: sku for sku, row in rows.items()}
            refusal.extra["errors"] = {
                f"{prefix}{skus[id_]}": said for id_, said in refusal.sentences.items()
            }
            raise

    return acted


def _kept() -> dict[str, Any]:
    """Filters of the plan, from the address or the form that was sent from there; nothing empty in it."""
    asked = request.values
    return {
        name: asked[name][:100] for name in NAMES if asked.get(name) and (name, asked[name]) != ("page", "1")
    }


def _asked(kept: Mapping[str, str], when: When) -> tuple[Wanted, str, int]:
    """Which rows of the plan, by what they are sorted, and which page; what is not understood does not narrow."""
    # Of a fair that is over only what was meant for it.
    show = kept.get("show", "") or ("planned" if when is When.PAST else "")
    shelf_wanted = shelf_asked.wanted(kept)
    wanted = Wanted(show if show in brought.SHOWN else "", shelf_wanted.workshop, shelf_wanted.q)
    sort = kept.get("sort", "")
    return wanted, sort if sort in brought.SORTS else "", shelf_asked.page(kept)


def _address(code: str, slug: str) -> str:
    return url_for("seller.exhibition", code=code, slug=slug, **_kept())


def fair_page(
    fair: Exhibition,
    *,
    planned: Written | None = None,
    sent: Written | None = None,
    stand_form: Written | None = None,
) -> str:
    """A fair's page; a refused form keeps what was written, whatever the filters show."""
    kept, facility_id, when = _kept(), g.facility.id, fairs.when(fair, today())
    wanted, sort, page = _asked(kept, when)
    found = brought.rows(fair.id, facility_id, wanted, sort, page)
    return render_template(
        "seller/exhibition.html",
        fair=fair,
        when=when,
        days_left=(fair.starts_on - today()).days,
        may_bring=allowed(Action.EXHIBITIONS_BRING) and when is not When.PAST,
        may_undo=allowed(Action.EXHIBITIONS_BRING),
        found=found,
        wanted=wanted,
        sort=sort,
        kept=kept,
        workshops=shelf.workshops(facility_id),
        sums=brought.sums(fair.id, facility_id),
        to_send=_with_written(fair, "n-", brought.to_send(fair.id, facility_id), sent),
        rows=_with_written(fair, "p-", found.rows, planned),
        sendings=brought.sendings(fair.id, facility_id),
        counted={one.number: one for one in stand.moved(fair.id, facility_id=facility_id, what=What.SENDING).rows},
        returns=stand.moved(fair.id, facility_id=facility_id, what=What.RETURN),
        left=stand.left_at_stand(fair.id, facility_id),
        stand_form=stand_form,
        planned=planned or Written(),
        sent=sent,
        key=kept_key(sent["once"] if sent else ""),
        return_key=kept_key(stand_form["once"] if stand_form else ""),
        ordered=at_stand.of_facility(fair.id, facility_id),
    )


def _with_written(fair: Exhibition, prefix: str, rows: Any, written: Written | None) -> list[Row]:
    """`rows`, and those beside which something was wrong and that are no longer among them."""
    shown = {row.sku for row in rows}
    missing = [
        name.removeprefix(prefix) for name in (written.errors if written else {}) if name.startswith(prefix)
    ]
    missing = [sku for sku in missing if sku not in shown]
    more = brought.own(fair.id, g.facility.id, missing) if missing else {}
    return [*rows, *more.values()]
