"""`/demo/mail`: the letters of the demo, which nobody else would ever see. Absent when DEMO is off."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from flask import Blueprint, current_app, make_response, render_template
from flask.typing import ResponseReturnValue

from storefront.errors import NotFound
from storefront.mail.transport import mail_folder

bp = Blueprint("mailbox", __name__, url_prefix="/demo/mail")

#: Letters shown at once; the youngest first.
AT_ONCE = 50
NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,150}")


@dataclass(frozen=True)
class Shown:
    """A letter as the page shows it."""

    name: str
    to: str
    subject: str
    date: str
    text: str
    #: The same as a page of its own; None: text alone.
    html: str | None


@bp.before_request
def only_in_the_demo() -> None:
    if not current_app.extensions["settings"].demo:
        raise NotFound()


@bp.get("")
def letters() -> ResponseReturnValue:
    """The youngest letters."""
    files = sorted(mail_folder().glob("*.eml"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    return render_template("mailbox/letters.html", letters=[_read(file) for file in files[:AT_ONCE]])


@bp.get("/<name>")
def letter(name: str) -> ResponseReturnValue:
    """One letter, as it would arrive."""
    file = mail_folder() / f"{name}.eml"
    if not NAME.fullmatch(name) or not file.is_file():
        raise NotFound()
    return render_template("mailbox/letter.html", letter=_read(file))


@bp.get("/<name>/html")
def letter_as_html(name: str) -> ResponseReturnValue:
    """A letter's HTML as a reader of mail shows it: nothing runs, nothing is fetched, styles are its own."""
    file = mail_folder() / f"{name}.eml"
    found = _read(file).html if NAME.fullmatch(name) and file.is_file() else None
    if found is None:
        raise NotFound()
    response = make_response(found)
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; sandbox allow-top-navigation-by-user-activation allow-popups"
    )
    return response


def _read(file: Path) -> Shown:
    message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    plain, html = (message.get_body([kind]) for kind in ("plain", "html"))
    assert plain is not None
    return Shown(
        name=file.stem,
        to=str(message["To"]),
        subject=str(message["Subject"]),
        date=str(message["Date"]),
        text=str(plain.get_content()),
        html=str(html.get_content()) if html is not None else None,
    )
