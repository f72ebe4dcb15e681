"""*Di mana pesanan saya*: whoever has lost the link has it mailed again."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from storefront.blueprints.checkout import bp
from storefront.orders.find_again import ask_for_link
from storefront.written import Written


@bp.get("/orders")
def find_order() -> ResponseReturnValue:
    """The form; after it was sent the same answer for every number."""
    return page(Written(), is_sent=request.args.get("sent") == "1")


@bp.post("/orders")
def send_link() -> ResponseReturnValue:
    """Have the link mailed, if there is such an order."""
    form = Written(request.form)

    def ask() -> bool:
        ask_for_link(form.line("number"), form.line("contact"), request.remote_addr)
        return True

    if not form.done(ask):
        return page(form), form.status
    return redirect(url_for("checkout.find_order", sent=1), 303)


def page(form: Written, *, is_sent: bool = False) -> str:
    return render_template("checkout/find_order.html", form=form, is_sent=is_sent)
