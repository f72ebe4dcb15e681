"""What the facility says of itself: its texts, its workshops, its gallery's hours."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.seller import allowed, bp
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.facilities import declaration_lists, gallery_hours
from storefront.facilities.models import Workshop
from storefront.people import access
from storefront.people.policy import Action
from storefront.profiles import write
from storefront.profiles.models import ProfileText
from storefront.profiles.write import Said
from storefront.written import Written

#: What of a text a form shows.
FIELDS = ("name", "about", "about_en", "contact")


@bp.get("/<code>/profile")
@access.rule(Action.LISTINGS_READ)
def profile(code: str) -> ResponseReturnValue:
    """The facility's texts, and the way to all else that it says of itself."""
    return profile_page(Written(_last(write.newest(g.facility.id, None)) or _now(g.facility)))


@bp.post("/<code>/profile")
@access.rule(Action.LISTINGS_WRITE)
def save_profile(code: str) -> ResponseReturnValue:
    """Write about the facility."""
    form = Written(request.form)
    row = form.done(lambda: write.describe(g.facility.id, _said(form), access.person_id()))
    if row is None:
        return profile_page(form), form.status
    return _back(row, url_for("seller.profile", code=code))


@bp.get("/<code>/workshops")
@access.rule(Action.LISTINGS_READ)
def workshop_list(code: str) -> ResponseReturnValue:
    """Each workshop with its declaration, and a form for another one."""
    return list_page(Written())


@bp.post("/<code>/workshops")
@access.rule(Action.LISTINGS_WRITE)
def add_workshop(code: str) -> ResponseReturnValue:
    """Found a workshop."""
    form = Written(request.form)
    workshop = form.done(lambda: write.add_workshop(g.facility.id, _said(form), access.person_id()))
    if workshop is None:
        return list_page(form), form.status
    said = _(
        "Bengkel %(name)s terdaftar. Usulkan pernyataannya: tanpa itu belum dapat berjualan.",
        name=workshop.name,
    )
    flash(said, "ok")
    return redirect(url_for("seller.workshop_list", code=code), 303)


@bp.get("/<code>/workshops/<int:workshop_id>")
@access.rule(Action.LISTINGS_READ)
def workshop_page(code: str, workshop_id: int) -> ResponseReturnValue:
    """What is said of one workshop."""
    workshop = own_workshop(workshop_id)
    return one_page(workshop, Written(_last(write.newest(g.facility.id, workshop_id)) or _now(workshop)))


@bp.post("/<code>/workshops/<int:workshop_id>")
@access.rule(Action.LISTINGS_WRITE)
def save_workshop(code: str, workshop_id: int) -> ResponseReturnValue:
    """Rename it, or write about it."""
    workshop, form = own_workshop(workshop_id), Written(request.form)
    row = form.done(
        lambda: write.describe_workshop(g.facility.id, workshop_id, _said(form), access.person_id())
    )
    if row is None:
        return one_page(workshop, form), form.status
    return _back(row, url_for("seller.workshop_page", code=code, workshop_id=workshop_id))


@bp.get("/<code>/hours")
@access.rule(Action.LISTINGS_READ)
def hours(code: str) -> ResponseReturnValue:
    """When the gallery is open."""
    typed: dict[str, str] = {}
    for day, (opens, closes) in g.facility.gallery_week.items():
        typed |= {f"opens-{day}": opens, f"closes-{day}": closes}
    return hours_page(Written(typed))


@bp.post("/<code>/hours")
@access.rule(Action.LISTINGS_WRITE)
def save_hours(code: str) -> ResponseReturnValue:
    """Open the gallery in these hours."""
    form = Written(request.form)

    def save() -> bool:
        gallery_hours.set_week(g.facility, gallery_hours.read_week(form.values), access.person_id())
        return True

    if form.done(save) is None:
        return hours_page(form), form.status
    flash(_("Jam galeri disimpan."), "ok")
    return redirect(url_for("seller.hours", code=code), 303)


def own_workshop(workshop_id: int) -> Workshop:
    """A workshop of this facility. Raises NotFound for another's."""
    workshop = db.session.get(Workshop, workshop_id)
    if workshop is None or workshop.facility_id != g.facility.id:
        raise NotFound()
    return workshop


def profile_page(form: Written) -> str:
    return render_template(
        "seller/profile.html",
        form=form,
        state=write.state_of(write.newest(g.facility.id, None)),
        workshops=declaration_lists.workshops(g.facility.id),
        hours=gallery_hours.of_facility(g.facility),
        sees_accounts=allowed(Action.BANK_ACCOUNTS_PROPOSE),
        sees_team=allowed(Action.PEOPLE_READ),
    )


def list_page(form: Written) -> str:
    return render_template(
        "seller/workshops.html", form=form, workshops=declaration_lists.workshops(g.facility.id)
    )


def one_page(workshop: Workshop, form: Written) -> str:
    rows = declaration_lists.workshops(g.facility.id)
    return render_template(
        "seller/workshop.html",
        workshop=workshop,
        form=form,
        state=write.state_of(write.newest(g.facility.id, workshop.id)),
        declared=next(row for row in rows if row.id == workshop.id),
    )


def hours_page(form: Written) -> str:
    days = [(day, gallery_hours.day_name(day)) for day in gallery_hours.WEEKDAYS]
    return render_template(
        "seller/hours.html", form=form, days=days, said=gallery_hours.of_facility(g.facility)
    )


def _said(form: Written) -> Said:
    return Said(**{name: form[name] for name in FIELDS})


def _last(row: ProfileText | None) -> dict[str, str] | None:
    """What was written last, whether it shows already or waits; None: nothing yet."""
    return {name: getattr(row, name) for name in FIELDS} if row is not None else None


def _now(thing: object) -> dict[str, str]:
    return {name: getattr(thing, name, "") for name in FIELDS}


def _back(row: ProfileText, address: str) -> ResponseReturnValue:
    if row.is_shown:
        flash(_("Disimpan, dan sudah tampil di toko."), "ok")
    else:
        flash(_("Disimpan. Kurator memeriksanya dahulu; sampai itu teks yang lama tetap tampil."), "warn")
    return redirect(address, 303)
