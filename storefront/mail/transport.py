"""Hand a letter over: to a mail server (MAIL_URL=smtp://…), or to a folder where the demo reads it."""

from __future__ import annotations

import os
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, formataddr, localtime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from flask import current_app

TIMEOUT = 20


class MailNotTaken(Exception):
    """The mail server did not take the letter; it is sent again later."""


class Unreachable(Exception):
    """Nobody is reached there any more: what was told about them can be forgotten."""


@dataclass(frozen=True)
class Device:
    """A browser that takes web push: where its maker takes messages for it, and the keys that only it can open."""

    endpoint: str
    p256dh: str
    auth: str


@dataclass(frozen=True)
class Letter:
    """One message, ready to go. `key` becomes its Message-ID: sent twice, it is still one letter."""

    key: str
    #: Filled in by the messenger that takes it.
    to: str
    subject: str
    text: str
    #: The same for readers that show it; None: the text alone.
    html: str | None = None
    #: Where one press, by a mail program too, ends letters of this kind; None: they belong to an order or a question.
    unsubscribe: str | None = None
    #: For messengers that show a line and open a page: that page's address, and the device that shows it.
    page: str = ""
    device: Device | None = None


def send(letter: Letter) -> None:
    """Deliver a letter. Raises MailNotTaken when the server refuses or cannot be reached."""
    settings = current_app.extensions["settings"]
    address = urlsplit(settings.mail_url or "")
    message = _message(letter, settings.shop_name, urlsplit(settings.base_url).hostname or "localhost")
    if address.scheme in ("smtp", "smtps"):
        _send_smtp(message, address.geturl())
    else:
        _write(message, Path(settings.mail_url) if settings.mail_url else mail_folder(), letter.key)


def mail_folder() -> Path:
    """Where letters lie while no mail server is set."""
    return Path(current_app.extensions["settings"].var_dir) / "mail"


def _message(letter: Letter, shop_name: str, host: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = formataddr((_one_line(shop_name), f"noreply@{host}"))
    message["To"] = _one_line(letter.to)
    message["Subject"] = _one_line(letter.subject)
    message["Date"] = format_datetime(localtime())
    message["Message-ID"] = f"<{letter.key.replace(':', '.')}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    if letter.unsubscribe is not None:  # RFC 8058
        message["List-Unsubscribe"] = f"<{letter.unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(letter.text)
    if letter.html is not None:
        message.add_alternative(letter.html, subtype="html")
    return message


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _send_smtp(message: EmailMessage, url: str) -> None:
    address = urlsplit(url)
    port = address.port or (465 if address.scheme == "smtps" else 587)
    try:
        if address.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                address.hostname or "", port, timeout=TIMEOUT, context=ssl.create_default_context()
            )
        else:
            server = smtplib.SMTP(address.hostname or "", port, timeout=TIMEOUT)
        with server:
            if address.scheme == "smtp" and server.has_extn("starttls"):
                server.starttls(context=ssl.create_default_context())
            if address.username:
                server.login(unquote(address.username), unquote(address.password or ""))
            server.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        raise MailNotTaken(f"{type(error).__name__}") from error


def _write(message: EmailMessage, folder: Path, key: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    name = "".join(sign if sign.isalnum() or sign in "-_" else "." for sign in key)
    draft = folder / f".{name}.{os.getpid()}"
    draft.write_bytes(message.as_bytes())
    draft.replace(folder / f"{name}.eml")
