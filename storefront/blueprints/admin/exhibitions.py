"""Exhibitions: which fairs there are, who takes part and sells there, what the public reads of them."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from storefront.blueprints.admin import allowed, bp
from storefront.blueprints.admin.overview import Queue, queue
from storefront.days import today
from storefront.errors import NotFound
from storefront.exhibitions import cashiers, public, stand, write
from storefront.exhibitions import fairs as fair_days
from storefront.exhibitions.models import Exhibition
from storefront.exhibitions.write import Data, Page
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.languages import locale
from storefront.media import pictures
from storefront.pages import page_number
from storefront.people import access, office_invitations
from storefront.people.models import Invitation
from storefront.people.policy import Action
from storefront.web import takes_up_to
from storefront.written import Written

#: A form with one picture.
LARGEST_BODY = pictures.MAX_BYTES + 1024 * 1024


@queue(Action.PEOPLE_WRITE)
def cashiers_waiting() -> Queue:
    """Cashiers whom a second administrator must name."""
    waiting = cashiers.waiting()
    address = url_for("admin.exhibition", slug=waiting[0][0]) + "#kasir" if waiting else ""
    return Queue(
        sum(count for _slug, count in waiting),
        _("kasir pameran menunggu administrator kedua"),
        _("Satu administrator mengusulkan, yang lain menunjuk."),
        address or url_for("admin.exhibition_list"),
    )


@bp.get("/exhibitions")
@access.rule(Action.EXHIBITIONS_READ)
def exhibition_list() -> ResponseReturnValue:
    """Every fair: running, coming, past."""
    asked = request.args.get("when", "")
    asked = asked if asked in set(fair_days.When) else ""
    return render_template(
        "admin/exhibitions.html",
        found=public.fair_list(today(), locale(), asked, page_number()),
        when=asked,
        may_write=allowed(Action.EXHIBITIONS_WRITE),
    )


@bp.get("/exhibitions/new")
@access.rule(Action.EXHIBITIONS_WRITE)
def new_exhibition() -> ResponseReturnValue:
    """The form for a fair that is not there yet."""
    return render_template("admin/exhibition_new.html", form=Written())


@bp.post("/exhibitions/new")
@access.rule(Action.EXHIBITIONS_WRITE)
def open_exhibition() -> ResponseReturnValue:
    """Open it."""
    form, me = Written(request.form), access.person_id()
    fair = form.done(lambda: write.create(form["slug"], Data.read(form.values), person_id=me))
    if fair is None:
        return render_template("admin/exhibition_new.html", form=form), form.status
    return _back(fair.slug, "", _("Pameran dibuka. Pilih pesertanya, lalu tulis halamannya untuk umum."))


@bp.get("/exhibitions/<slug>")
@access.rule(Action.EXHIBITIONS_READ)
def exhibition(slug: str) -> ResponseReturnValue:
    """One fair: its data, who takes part, who sells there, and its public page."""
    return _page(write.find(slug), Written())


@bp.post("/exhibitions/<slug>")
@access.rule(Action.EXHIBITIONS_WRITE)
def change_exhibition(slug: str) -> ResponseReturnValue:
    """Say something else of it."""
    fair, form, me = write.find(slug), Written(request.form), access.person_id()
    if form.done(lambda: (write.change(fair, Data.read(form.values), person_id=me),)) is None:
        return _page(write.find(slug), form), form.status
    return _back(slug, "#data", _("Disimpan."))


@bp.post("/exhibitions/<slug>/page")
@access.rule(Action.EXHIBITION_PAGES)
@takes_up_to(LARGEST_BODY)
def write_exhibition_page(slug: str) -> ResponseReturnValue:
    """Write what the public reads of it."""
    fair, form, me = write.find(slug), Written(request.form), access.person_id()
    file = request.files.get("picture")
    picture = file.read(pictures.MAX_BYTES + 1) if file is not None and file.filename else None

    def act() -> bool:
        write.change_page(
            fair,
            Page.read(form.values),
            picture=picture,
            alt=form["alt"],
            alt_en=form["alt_en"],
            remove=form["remove"] == "1",
            person_id=me,
        )
        return True

    if form.done(act) is None:
        return _page(write.find(slug), form), form.status
    return _back(slug, "#halaman", _("Halamannya disimpan dan langsung tampil."))


@bp.post("/exhibitions/<slug>/facilities")
@access.rule(Action.EXHIBITIONS_WRITE)
def set_participants(slug: str) -> ResponseReturnValue:
    """Say which facilities take part."""
    fair, form, me = write.find(slug), Written(request.form), access.person_id()
    was, wanted = (
        {int(one) for one in request.form.getlist(name) if one.isdecimal() and len(one) < 12}
        for name in ("was", "facility")
    )
    done = form.done(lambda: write.take_part(fair, was, wanted, person_id=me))
    if done is None:
        return _page(write.find(slug), form, wanted), form.status
    come, go = done
    said = ngettext("%(num)d UPT bertambah", "%(num)d UPT bertambah", come)
    return _back(slug, "#peserta", said + ", " + ngettext("%(num)d keluar.", "%(num)d keluar.", go))


@bp.post("/exhibitions/<slug>/cashiers")
@access.rule(Action.PEOPLE_WRITE)
def propose_cashier(slug: str) -> ResponseReturnValue:
    """Propose that somebody sells here, or is invited to."""
    fair, form, me = write.find(slug), Written(request.form), access.person_id()
    done = form.done(
        lambda: cashiers.propose(fair, form["email"], form.line("cashier_name"), person_id=me, locale=locale())
    )
    if done is None:
        return _page(write.find(slug), form), form.status
    if isinstance(done, Invitation):
        said = _("Diusulkan. Undangan dikirim begitu administrator lain menyetujuinya di halaman ini.")
        return _back(slug, "#kasir", said)
    return _back(slug, "#kasir", _("Diusulkan. Administrator lain menunjuknya di halaman ini."))


@bp.post("/exhibitions/<slug>/cashiers/invitations/<int:invitation_id>/<any('approve', 'withdraw'):step>")
@access.rule(Action.PEOPLE_WRITE)
def decide_cashier_invitation(slug: str, invitation_id: int, step: str) -> ResponseReturnValue:
    """The second administrator agrees and the letter goes, or the invitation is taken back. Raises NotFound."""
    fair, form, me = write.find(slug), Written(request.form), access.person_id()
    if invitation_id not in {one.id for one in office_invitations.waiting(fair.id)}:
        raise NotFound()
    act = office_invitations.approve if step == "approve" else office_invitations.withdraw
    if form.done(lambda: act(invitation_id, me)) is None:
        return _page(write.find(slug), form), form.status
    said = _("Undangan dikirim. Tugasnya mulai begitu diterima, paling awal hari pertama pameran.")
    return _back(slug, "#kasir", said if step == "approve" else _("Undangan ditarik."))


@bp.post("/exhibitions/<slug>/cashiers/proposals/<int:proposal_id>/<any('approve', 'reject'):step>")
@access.rule(Action.PEOPLE_WRITE)
def decide_cashier(slug: str, proposal_id: int, step: str) -> ResponseReturnValue:
    """The second administrator names the cashier, or somebody says no."""
    fair, form, me = write.find(slug), Written(request.form), access.person_id()
    if step == "approve":
        done: object = form.done(lambda: cashiers.approve(fair, proposal_id, person_id=me))
        said = _("Ditunjuk. Mulai hari pertama pameran, orangnya melihat halaman kasirnya.")
    else:
        done = form.done(lambda: cashiers.reject(fair, proposal_id, person_id=me))
        said = _("Orang ini tidak ditunjuk.")
    return _back(slug, "#kasir", said) if done else (_page(write.find(slug), form), form.status)


@bp.post("/exhibitions/<slug>/cashiers/<int:membership_id>/end")
@access.rule(Action.PEOPLE_WRITE)
def end_cashier(slug: str, membership_id: int) -> ResponseReturnValue:
    """A cashier sells here no more."""
    fair, form, me = write.find(slug), Written(request.form), access.person_id()
    if form.done(lambda: cashiers.end(fair, membership_id, person_id=me)) is None:
        return _page(write.find(slug), form), form.status
    return _back(slug, "#kasir", _("Diakhiri, dan semua sesi masuknya ditutup."))


def _back(slug: str, anchor: str, said: str) -> ResponseReturnValue:
    flash(said, "ok")
    return redirect(url_for("admin.exhibition", slug=slug) + anchor, 303)


def _page(fair: Exhibition, form: Written, wanted: set[int] | None = None) -> str:
    taking_part = stand.stands(fair.id)
    chosen = {one.id for one in taking_part}
    may_write = allowed(Action.EXHIBITIONS_WRITE)
    offices: dict[str, list[tuple[int, str]]] = {}
    if may_write:
        rows = db.session.query(Facility.id, Facility.name, Facility.regional_office).filter(
            (Facility.status == "active") | Facility.id.in_(chosen)
        )
        for id_, name, office in rows.order_by(Facility.regional_office, Facility.name):
            offices.setdefault(office, []).append((id_, name))
    return render_template(
        "admin/exhibition.html",
        fair=fair,
        when=fair_days.when(fair, today()),
        data=Data.of(fair),
        taking_part=taking_part,
        offices=offices,
        was=chosen,
        wanted=chosen if wanted is None else wanted,
        named=cashiers.named(fair),
        proposed=cashiers.proposed(fair),
        invited=office_invitations.waiting(fair.id),
        form=form,
        me=access.person_id(),
        may_write=may_write,
        may_name=allowed(Action.PEOPLE_WRITE),
        may_write_page=allowed(Action.EXHIBITION_PAGES),
    )
