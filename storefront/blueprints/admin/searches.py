"""What shoppers looked for and did not find."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.admin import bp, overview
from storefront.catalogue import lost_searches, synonyms
from storefront.keyset import asked_turn
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written

PAGE_SIZE = 50


@overview.queue(Action.PAGES_WRITE)
def lost_words() -> overview.Queue:
    """Words that found nothing and that nobody has looked at."""
    return overview.Queue(
        count=lost_searches.waiting(),
        label=_("Pencarian tanpa hasil"),
        note=_("kata dalam %(days)d hari terakhir", days=lost_searches.SHOWN_DAYS),
        url=url_for("admin.lost_searches"),
    )


@bp.get("/searches", endpoint="lost_searches")
@access.rule(Action.PAGES_WRITE)
def searches() -> ResponseReturnValue:
    """The words, the most frequent first."""
    return _page(Written())


@bp.post("/searches", endpoint="decide_search")
@access.rule(Action.PAGES_WRITE)
def decide() -> ResponseReturnValue:
    """Make a synonym out of the words, or set them aside (`aside`)."""
    person_id, form = access.person_id(), Written(request.form)
    words = form["words"]
    if form["aside"]:
        form.done(lambda: lost_searches.set_aside(words, person_id))
        flash(_("“%(words)s” tidak ditampilkan lagi.", words=words), "ok")
    elif form.done(lambda: synonyms.join(words, form["same_as"], person_id)) is None:
        return _page(form), form.status
    else:
        flash(
            _("“%(words)s” kini dicari sebagai “%(other)s”.", words=words, other=form.line("same_as")), "ok"
        )
    return redirect(url_for("admin.lost_searches"), 303)


def _page(form: Written) -> str:
    return render_template(
        "admin/searches.html",
        form=form,
        found=lost_searches.lost_words(PAGE_SIZE, asked_turn()),
        days=lost_searches.SHOWN_DAYS,
        page_url=lambda newer, older: url_for("admin.lost_searches", newer=newer, older=older),
    )
