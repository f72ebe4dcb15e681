"""The pages that build trust: read, edited, previewed, and put back to what they were."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.admin import bp
from storefront.blueprints.admin.preview import language_asked, spoken
from storefront.content import pages
from storefront.content.pages import Edition, Words
from storefront.days import today
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written

FIELDS = ("title", "title_en", "body", "body_en")


@bp.get("/pages")
@access.rule(Action.PAGES_WRITE)
def page_list() -> ResponseReturnValue:
    """Every page, and when it was changed."""
    return render_template("admin/pages.html", editions=pages.editions())


@bp.get("/pages/<slug>")
@access.rule(Action.PAGES_WRITE)
def page_form(slug: str) -> ResponseReturnValue:
    """A page's text in both languages, with its history."""
    now = pages.edition(slug)
    return _form(now, Written({**vars(now.words), "based_on": str(now.number)}))


@bp.post("/pages/<slug>")
@access.rule(Action.PAGES_WRITE)
def save_page(slug: str) -> ResponseReturnValue:
    """Save it; the public reads it at once."""
    form, now = Written(request.form), pages.edition(slug)
    words, based_on = _words(form), _number(form["based_on"])
    done = form.done(lambda: pages.save(slug, words, based_on, access.person_id()))
    if done is None:
        # What was typed builds on the newest from now on: the person has been told.
        form.values = {**form.values, "based_on": str(pages.edition(slug).number)}
        return _form(now if form.status != 409 else pages.edition(slug), form), form.status
    flash(_("Disimpan. Pengunjung membacanya mulai sekarang."), "ok")
    return redirect(url_for("admin.page_form", slug=slug), 303)


@bp.post("/pages/<slug>/preview")
@access.rule(Action.PAGES_WRITE)
def preview_page(slug: str) -> ResponseReturnValue:
    """What was typed, as the public would read it; nothing is saved."""
    pages.edition(slug)
    form = Written(request.form)
    language = language_asked(form["language"])
    with spoken(language):
        edition = Edition(slug, 0, _words(form), today())
        return _shown(edition, language, _("Pratinjau: belum disimpan, hanya Anda yang melihatnya."))


@bp.get("/pages/<slug>/revisions/<int:number>")
@access.rule(Action.PAGES_WRITE)
def page_revision(slug: str, number: int) -> ResponseReturnValue:
    """A page as it once was; 0 is the text that comes with the shop."""
    language = language_asked(request.args.get("language", ""))
    words = pages.words_of(slug, number)
    with spoken(language):
        said = _("Beginilah halaman ini pada versi %(number)s.", number=number)
        return _shown(Edition(slug, number, words, today()), language, said)


@bp.post("/pages/<slug>/restore")
@access.rule(Action.PAGES_WRITE)
def restore_page(slug: str) -> ResponseReturnValue:
    """Say again what an earlier version said, as a new version."""
    form = Written(request.form)
    number, based_on = _number(form["number"]), _number(form["based_on"])
    done = form.done(lambda: pages.restore(slug, number, based_on, access.person_id()))
    said = _("Halaman kembali seperti versi itu. Yang tadi tetap ada di riwayat.")
    flash(said if done else form.refusal, "ok" if done else "bad")
    return redirect(url_for("admin.page_form", slug=slug), 303)


def _words(form: Written) -> Words:
    return Words(
        form.line("title"), form.line("title_en"), _plain(form["body"]), _plain(form["body_en"])
    )


def _plain(body: str) -> str:
    return "\n".join(line.rstrip() for line in body.replace("\0", "").splitlines()).strip() + "\n"


def _number(written: str) -> int:
    return int(written) if written.isdecimal() and len(written) < 9 else -1


def _form(now: Edition, form: Written) -> str:
    return render_template("admin/page.html", page=now, form=form, history=pages.history(now.slug))


def _shown(edition: Edition, language: str, said: str) -> str:
    found = pages.readable(edition, language)
    root = "/en" if language == "en" else ""
    return render_template("shop/page.html", page=found, html=found.html(root), preview=said)
