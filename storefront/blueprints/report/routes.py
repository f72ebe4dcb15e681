"""The form, what comes after it, and the case for whoever holds its code."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config import Settings
from storefront.blueprints.report import bp, cookie
from storefront.cases import code, lists, report
from storefront.cases.models import Case
from storefront.cases.report import KINDS, Report, TooManyReports
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.form_key import kept_key
from storefront.languages import locale
from storefront.media import documents
from storefront.written import Written


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


@bp.after_request
def keep_to_oneself(response: Response) -> Response:
    """What is written here is for one person: nobody keeps it, and no other site learns where one was."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "same-origin"
    return response


@bp.get("")
def form() -> ResponseReturnValue:
    """What to report; `?about=` is the page it was pressed on."""
    return _form(Written({"about": report.page_path(request.args.get("about", ""))}))


@bp.post("")
def send() -> ResponseReturnValue:
    """Open a case, and say its number and code at once: cookies may be off."""
    written = Written(request.form)
    try:
        report.count_try(request.remote_addr)
    except TooManyReports as many:
        written.refusal, written.status = str(many.message), many.status
        return _form(written), written.status
    draft = Report(
        written["kind"], written["body"], written["about"], written.line("email"), _files(), written["form_key"]
    )
    case = written.done(lambda: report.report(draft, locale()))
    if case is None:
        return _form(written), written.status
    response = make_response(_page(case, Written(), fresh=True), 201)
    cookie.remember(response, _settings(), case.number, code.plain(code.secret_code(case)))
    return response


@bp.post("/read")
def read() -> ResponseReturnValue:
    """Number and code, written down before, open the case."""
    written = Written(request.form)
    try:
        case = code.open_case(written["number"], written["code"], request.remote_addr)
    except NotFound:
        written.wrong("code", _("Nomor dan kode ini tidak cocok. Periksa keduanya, lalu coba lagi."))
        return _form(written), 422
    return _enter(case)


@bp.get("/<number>")
def case(number: str) -> ResponseReturnValue:
    """The case, for whoever holds its code: in a letter's link, or in the cookie that the link leaves."""
    if given := request.args.get("code"):
        try:
            return _enter(code.open_case(number, given, request.remote_addr))
        except NotFound:
            return _ask_for_code(number), 404
    found = _opened(number)
    return (_ask_for_code(number), 404) if found is None else _page(found, Written())


@bp.post("/<number>")
def add(number: str) -> ResponseReturnValue:
    """Whoever reported writes more."""
    found = _opened(number)
    if found is None:
        return _ask_for_code(number), 404
    written = Written(request.form)
    try:
        report.count_try(request.remote_addr)
    except TooManyReports as many:
        written.refusal, written.status = str(many.message), many.status
        return _page(found, written), written.status
    files, case_id = _files(), found.id
    if written.done(lambda: report.add(case_id, written["body"], files)) is None:
        return _page(db.session.get_one(Case, case_id), written), written.status
    return redirect(url_for("report.case", number=number) + "#terakhir", 303)


@bp.post("/<number>/forget")
def forget(number: str) -> ResponseReturnValue:
    """Take the code out of this browser."""
    response = make_response(redirect(url_for("report.form"), 303))
    cookie.forget(response, _settings())
    return response


def _files() -> list[bytes]:
    """What was uploaded, each a little beyond the limit at most."""
    given = [file for file in request.files.getlist("files") if file.filename]
    return [file.read(documents.MAX_BYTES + 1) for file in given[: report.MOST_FILES + 1]]


def _opened(number: str) -> Case | None:
    """The case that this browser may see."""
    held = cookie.code_for(request, _settings(), number)
    if not held:
        return None
    try:
        return code.find(number, held)
    except NotFound:
        return None


def _enter(found: Case) -> Response:
    response = make_response(redirect(url_for("report.case", number=found.number), 303))
    cookie.remember(response, _settings(), found.number, code.plain(code.secret_code(found)))
    return response


def _form(written: Written) -> str:
    return render_template(
        "report/form.html",
        form=written,
        kinds=KINDS,
        form_key=kept_key(written["form_key"]),
        files_lost=bool(written.status >= 400 and any(f.filename for f in request.files.getlist("files"))),
    )


def _ask_for_code(number: str) -> str:
    return _form(Written({"number": number[:20]}))


def _page(found: Case, written: Written, fresh: bool = False) -> str:
    values: dict[str, Any] = {
        "case": found,
        "code": code.secret_code(found),
        "thread": lists.thread(found.id),
        "form": written,
        "fresh": fresh,
    }
    return render_template("report/case.html", **values)
