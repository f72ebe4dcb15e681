"""The form of the bank's payment files: shown with a sample, proposed by one person, approved by another."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront import days
from storefront.bank import payment_lists, payment_shapes
from storefront.bank.payment_shape import (
    MOST_COLUMNS,
    SOURCES,
    USUAL,
    FileColumn,
    Payment,
    Shape,
    checked,
    write,
)
from storefront.blueprints.finance import bp, steps
from storefront.errors import Invalid
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written

#: What a preview pays, so that nobody's account is shown for it.
SAMPLE = (
    Payment("0012300045", "RPL LAPAS CONTOH", "BANK CONTOH", 1_250_000, "PREMI CTH", "PS1", "CTH", "Lapas Contoh"),
    Payment("2220000002", "RPL RUTAN CONTOH", "BANK CONTOH", 75_000, "ONGKOS KIRIM RTN", "PS2", "RTN", "Rutan Contoh"),
)


@bp.get("/payment-files/shape")
@access.rule(Action.BANK_ACCOUNTS_READ)
def payment_shape() -> ResponseReturnValue:
    """The form in force, what waits, and every form before it."""
    steps.for_all(Action.BANK_ACCOUNTS_READ)
    found = payment_shapes.find_in_force()
    return page(Written(), Shape.of(found.shape) if found else USUAL)


@bp.post("/payment-files/shape")
@access.rule(Action.BANK_ACCOUNTS_WRITE)
def propose_payment_shape() -> ResponseReturnValue:
    """Propose another form, or (`preview`) look at it first."""
    steps.for_all(Action.BANK_ACCOUNTS_WRITE)
    form = steps.written()
    wanted = typed(form)
    if request.form.get("act") == "preview":
        try:
            checked(wanted)
        except Invalid as refusal:
            for name, sentence in refusal.errors.items():
                form.wrong(name, sentence)
        return page(form, wanted, previewed=True), form.status
    if form.done(lambda: payment_shapes.propose(wanted, access.person_id())) is None:
        return page(form, wanted), form.status
    flash(_("Bentuk berkas diusulkan. Orang kedua yang menyetujuinya."), "ok")
    return redirect(url_for("finance.payment_shape"), 303)


@bp.post("/payment-files/shapes/<int:shape_id>/approve")
@access.rule(Action.BANK_ACCOUNTS_APPROVE)
def approve_payment_shape(shape_id: int) -> ResponseReturnValue:
    """Agree, as the second person."""
    steps.for_all(Action.BANK_ACCOUNTS_APPROVE)
    form = steps.written()
    done = form.done(lambda: payment_shapes.approve(shape_id, access.person_id()))
    return ended(form, done, _("Bentuk berkas disetujui. Berkas berikutnya ditulis begitu."))


@bp.post("/payment-files/shapes/<int:shape_id>/reject")
@access.rule(Action.BANK_ACCOUNTS_APPROVE)
def reject_payment_shape(shape_id: int) -> ResponseReturnValue:
    """Decide against it, or take one's own proposal back."""
    steps.for_all(Action.BANK_ACCOUNTS_APPROVE)
    form = steps.written()
    done = form.done(lambda: payment_shapes.reject(shape_id, access.person_id()))
    return ended(form, done, _("Usulan ditolak. Bentuk yang berlaku tidak berubah."))


def typed(form: Written) -> Shape:
    """The shape as the form has it; rows without a content are left out."""
    columns = [
        FileColumn(form.line(f"source-{place}"), form.line(f"heading-{place}"), form.line(f"text-{place}"))
        for place in range(MOST_COLUMNS)
    ]
    return Shape(
        columns=tuple(column for column in columns if column.source),
        delimiter=form.line("delimiter"),
        amount=form.line("amount"),
        day=form.line("day"),
        headings=form["headings"] == "1",
        quoted=form["quoted"] == "1",
        first=form.line("first"),
        last=form.line("last"),
    )


def ended(form: Written, done: object, said: str) -> ResponseReturnValue:
    if done is None:
        found = payment_shapes.find_in_force()
        return page(form, Shape.of(found.shape) if found else USUAL), form.status
    flash(said, "ok")
    return redirect(url_for("finance.payment_shape"), 303)


def sample(shape: Shape) -> str:
    """How a file of this shape looks."""
    return write(shape, SAMPLE, own_account="0001112223", pay_on=days.today()).decode()


def page(form: Written, shape: Shape, *, previewed: bool = False) -> str:
    rows = payment_lists.shapes()
    found = payment_shapes.find_in_force()
    return render_template(
        "finance/payment_shape.html",
        form=form,
        shape=shape,
        previewed=previewed,
        shown=sample(shape) if previewed and not form.errors else "",
        sources=SOURCES,
        places=range(MOST_COLUMNS),
        rows=rows,
        in_force=payment_lists.in_force_of(rows, found),
        samples={row.id: sample(Shape.of(row.shape)) for row in rows[:10]},
        me=access.person_id(),
        may_write=steps.may(Action.BANK_ACCOUNTS_WRITE),
        may_approve=steps.may(Action.BANK_ACCOUNTS_APPROVE),
    )
