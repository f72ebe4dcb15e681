"""Saved views: a list as somebody likes to see it, under a name. The address stays the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext, lazy_pgettext
from sqlalchemy import select

from storefront.audit.record import record
from storefront.blueprints.seller import bp
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.notices import saved_views
from storefront.notices.models import SavedView
from storefront.people import access
from storefront.written import Written

#: Lists that keep views, in the order of the menu, with what they are called: each includes `seller/_views.html`.
LISTS = {
    "seller.parcels": lazy_pgettext("many", "Kiriman"),
    "seller.label_batches": lazy_gettext("Lembar label"),
    "seller.problem_list": lazy_gettext("Laporan pembeli"),
    "seller.listings": lazy_pgettext("many", "Karya"),
    "seller.products": lazy_gettext("Karya dan stok"),
    "seller.take_list": lazy_gettext("Hitung stok"),
    "seller.exhibition_list": lazy_pgettext("many", "Pameran"),
    "seller.batch_list": lazy_gettext("Batch makanan"),
    "seller.import_list": lazy_gettext("Impor karya"),
    "seller.training_list": lazy_gettext("Pelatihan"),
    "seller.sales": lazy_gettext("Penjualan"),
    "seller.lines": lazy_gettext("Baris laporan"),
    "seller.money": lazy_gettext("Penyaluran dan setoran"),
    "seller.distribution_list": lazy_gettext("Pembagian premi"),
    "seller.certificate_list": lazy_gettext("Surat keterangan penjualan"),
    "seller.question_list": lazy_pgettext("many", "Pertanyaan"),
    "seller.reply_list": lazy_gettext("Jawaban siap pakai"),
    "seller.review_list": lazy_pgettext("many", "Ulasan"),
}
STEPS = ("rename", "default", "plain", "delete", "restore")


@dataclass(frozen=True)
class Here:
    """What a list shows of its views: those there are, the one that is seen now, and what a new one would keep."""

    views: list[SavedView]
    now: int | None
    query: str


def here(facility_id: int, person_id: int) -> Here | None:
    """The views of the list that is being answered; None where lists keep none."""
    if request.endpoint not in LISTS:
        return None
    own = saved_views.views(person_id, facility_id, request.endpoint)
    query = saved_views.tidy(request.query_string.decode(errors="replace"))
    return Here(own, next((view.id for view in own if view.query == query and query), None), query)


def address(view: SavedView) -> str:
    """The list as this view shows it."""
    return url_for(view.list, code=g.facility.code) + (f"?{view.query}" if view.query else "")


@bp.before_request
def open_with_default() -> ResponseReturnValue | None:
    """A list that is opened without a query shows its default view; its own links are followed as they are."""
    if request.method != "GET" or request.endpoint not in LISTS or request.query_string:
        return None
    if urlsplit(request.headers.get("Referer", "")).path == request.script_root + request.path:
        return None
    query = select(SavedView).where(
        SavedView.person_id == access.person_id(),
        SavedView.facility_id == g.facility.id,
        SavedView.list == request.endpoint,
        SavedView.is_default,
    )
    view = db.session.scalar(query)
    return redirect(address(view)) if view is not None and view.query else None


@bp.get("/<code>/views")
@access.signed_in
def view_list(code: str) -> ResponseReturnValue:
    """All of one's own views of this facility's lists."""
    return _page(Written())


@bp.post("/<code>/views")
@access.signed_in
def save_view(code: str) -> ResponseReturnValue:
    """Keep a list as it is seen now."""
    form = Written(request.form)
    endpoint = form["list"]
    if endpoint not in LISTS or endpoint not in current_app.view_functions:
        raise NotFound()

    def save() -> SavedView:
        view = saved_views.save(access.person_id(), g.facility.id, endpoint, form["name"], form["query"])
        if form["default"]:
            saved_views.set_default(view, True)
        _record("view.saved", view)
        return view

    view = form.done(save)
    if view is None:
        return _page(form), form.status
    flash(_("Tampilan “%(name)s” tersimpan.", name=view.name), "ok")
    return redirect(address(view), 303)


@bp.post("/<code>/views/<int:view_id>/<any(" + ", ".join(STEPS) + "):step>")
@access.signed_in
def change_view(code: str, view_id: int, step: str) -> ResponseReturnValue:
    """Rename, delete or have back one's own view; make it the one that its list opens with, or not."""
    form = Written(request.form)
    view = saved_views.find(access.person_id(), g.facility.id, view_id)
    acts: dict[str, Callable[[], None]] = {
        "rename": lambda: saved_views.rename(view, form["name"]),
        "default": lambda: saved_views.set_default(view, True),
        "plain": lambda: saved_views.set_default(view, False),
        "delete": lambda: saved_views.remove(view),
        "restore": lambda: saved_views.restore(view),
    }

    def act() -> bool:
        acts[step]()
        _record(f"view.{step}", view)
        return True

    if form.done(act) is None:
        return _page(form, view_id), form.status
    said = {
        "rename": _("Nama tampilan diganti."),
        "default": _("Daftarnya sekarang dibuka dengan tampilan ini."),
        "plain": _("Daftarnya dibuka tanpa saringan lagi."),
        "delete": _("Tampilan dihapus. Batalkan di bawah bila keliru."),
        "restore": _("Tampilan kembali."),
    }
    flash(said[step], "ok")
    return redirect(url_for("seller.view_list", code=code, gone=view_id if step == "delete" else None), 303)


def _record(action: str, view: SavedView) -> None:
    details = {"list": view.list, "name": view.name}
    me = access.person_id()
    record(action, "saved_view", view.id, person_id=me, facility_id=g.facility.id, details=details)


def _page(form: Written, wrong: int | None = None) -> str:
    me, gone = access.person_id(), request.args.get("gone", 0, type=int)
    groups = [(LISTS[name], saved_views.views(me, g.facility.id, name)) for name in _used(me)]
    deleted = db.session.get(SavedView, gone) if gone else None
    is_own = deleted is not None and (deleted.person_id, deleted.facility_id) == (me, g.facility.id)
    return render_template(
        "seller/views.html",
        groups=groups,
        address=address,
        form=form,
        wrong=wrong,
        deleted=deleted if deleted is not None and is_own and deleted.deleted_at else None,
    )


def _used(person_id: int) -> list[str]:
    """Lists of which somebody keeps views here, in the order of the menu."""
    query = select(SavedView.list).where(
        SavedView.person_id == person_id,
        SavedView.facility_id == g.facility.id,
        SavedView.deleted_at.is_(None),
    )
    found = set(db.session.scalars(query.distinct()))
    return [name for name in LISTS if name in found and name in current_app.view_functions]
