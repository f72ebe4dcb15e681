"""What was sold at marketplaces: a file of sales is uploaded, looked at order by order, and booked by a job.

For finance of the whole programme: a file books revenue of many facilities at once and dates it, as payouts and
corrections do; the money comes later to the central office's account.
"""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from storefront.blueprints.finance import bp, steps
from storefront.books import span
from storefront.days import today
from storefront.keyset import asked_turn
from storefront.ledger.balance import balance
from storefront.ledger.book import clearing
from storefront.listing_files.sheet import MOST_BYTES, BadListingFile
from storefront.marketplaces import files, lists, sheet
from storefront.marketplaces.judge import judge
from storefront.pages import page_number
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written

#: Orders of a file on one page, while they are looked at.
SHOWN = 100


@bp.get("/marketplaces")
@access.rule(Action.BOOKS_READ)
def marketplace_list() -> ResponseReturnValue:
    """Marketplaces with what they hold for us, a file to bring, and those that were brought."""
    steps.for_all(Action.BOOKS_READ)
    return _page(Written())


@bp.post("/marketplaces")
@access.rule(Action.BOOKS_WRITE)
def add_marketplace() -> ResponseReturnValue:
    """A further marketplace."""
    steps.for_all(Action.BOOKS_WRITE)
    form = steps.written()
    added = form.done(lambda: files.add(form["name"], person_id=access.person_id()))
    if added is None:
        return _page(form), form.status
    flash(_("%(name)s ditambahkan. Unggah berkas penjualannya.", name=added.name), "ok")
    return redirect(url_for("finance.marketplace_list", marketplace=added.id), 303)


@bp.post("/marketplaces/files")
@access.rule(Action.BOOKS_WRITE)
def upload_marketplace_file() -> ResponseReturnValue:
    """Keep a file and look at it; nothing is booked yet."""
    steps.for_all(Action.BOOKS_WRITE)
    form, sent = steps.written(), request.files.get("file")
    content = sent.read(MOST_BYTES + 1) if sent else b""
    try:
        month = span.parse(form["month"]).first
    except span.BadSpan:
        form.wrong("month", _("Pilih bulan penjualannya."))
        month = today()
    columns = {name: form.line(f"column-{name}") for name in sheet.COLUMNS}
    market = request.form.get("marketplace", type=int) or 0
    try:
        kept = form.done(
            lambda: files.keep(
                market, month, columns, bool(form["fee_of_order"]), content, (sent.filename if sent else "") or "",
                person_id=access.person_id(),
            )
        )  # fmt: skip
    except BadListingFile as refusal:  # while its rows are read
        form.refusal, form.status, kept = str(refusal.message), refusal.status, None
    if kept is None:
        if form.refusal:
            form.errors["file"], form.refusal = form.refusal, ""
        return _page(form), form.status
    return redirect(url_for("finance.marketplace_file", file_id=kept.id), 303)


@bp.get("/marketplaces/files/<int:file_id>")
@access.rule(Action.BOOKS_READ)
def marketplace_file(file_id: int) -> ResponseReturnValue:
    """What each order of a file would book, or has booked."""
    steps.for_all(Action.BOOKS_READ)
    return _file(file_id, Written())


@bp.post("/marketplaces/files/<int:file_id>/book")
@access.rule(Action.BOOKS_WRITE)
def book_marketplace_file(file_id: int) -> ResponseReturnValue:
    """Have its sound orders booked."""
    steps.for_all(Action.BOOKS_WRITE)
    form = steps.written()
    if form.done(lambda: files.begin(file_id, person_id=access.person_id())) is None:
        return _file(file_id, form), form.status
    flash(_("Pesanannya sedang dicatat. Muat ulang halaman ini untuk melihat hasilnya."), "ok")
    return redirect(url_for("finance.marketplace_file", file_id=file_id), 303)


def _page(form: Written) -> str:
    markets = files.all_of_them()
    asked = request.values.get("marketplace", type=int)
    chosen = next((market for market in markets if market.id == asked), markets[0] if markets else None)
    return render_template(
        "finance/marketplaces.html",
        form=form,
        markets=[(market, balance(clearing(market.gateway).code)) for market in markets],
        chosen=chosen,
        columns=[
            (name, known, form[f"column-{name}"] if form.values else (chosen.columns.get(name) if chosen else ""))
            for name, known in sheet.COLUMNS.items()
        ],
        needed=sheet.NEEDED,
        found=lists.files(asked_turn()),
        may_write=steps.may(Action.BOOKS_WRITE),
        month=form["month"] or today().isoformat()[:7],
    )


def _file(file_id: int, form: Written) -> str:
    file, market = files.file_of(file_id)
    verdict = judge(file)
    new = verdict.of("new")
    pages = max(1, -(-len(verdict.orders) // SHOWN))
    page = min(page_number(), pages)
    return render_template(
        "finance/marketplace_file.html",
        file=file,
        market=market,
        verdict=verdict,
        shown=verdict.orders[(page - 1) * SHOWN : page * SHOWN],
        page=page,
        pages=pages,
        booked=lists.booked(file_id, asked_turn()),
        new_total=sum(order.total for order in new),
        new_fees=sum(order.fee for order in new),
        button=ngettext("Catat %(num)d pesanan", "Catat %(num)d pesanan", len(new)),
        form=form,
        may_write=steps.may(Action.BOOKS_WRITE),
    )
