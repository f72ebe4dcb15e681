"""Which language a page speaks: Indonesian at the plain address, English at `/en` + the same address.

There is no negotiation by header or cookie, so every address has one content and can be cached. A WSGI
middleware moves `/en` from the path to SCRIPT_NAME; each route is written once, and `url_for` keeps the
language by itself.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations
from flask import Flask, g, has_request_context, request
from flask_babel import Domain, get_locale
from flask_login import current_user

from storefront.extensions import babel

LOCALES = {"id": "Bahasa Indonesia", "en": "English"}
DEFAULT = "id"
#: Addresses that speak no language: `/en` before them is part of the path and leads nowhere.
WITHOUT_LANGUAGE = ("static", "media", "api", "webhooks", "sandbox", "healthz", "readyz", "metrics")
#: Faces for people who have signed in. They follow the person's own setting, are never cached, and so their
#: forms can carry Flask-WTF's token as well.
PERSONAL_FACES = frozenset({"seller", "finance", "admin", "account", "counter"})
TRANSLATIONS = Path(__file__).parent / "translations"


class LanguagePrefix:
    """WSGI middleware: takes a leading `/en` off the path and notes the language in the environment."""

    def __init__(self, application: WSGIApplication) -> None:
        self.application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["storefront.locale"] = DEFAULT
        path = environ.get("PATH_INFO", "")
        first, _, rest = path.removeprefix("/").partition("/")
        if first == "en" and rest.partition("/")[0] not in WITHOUT_LANGUAGE:
            environ["storefront.locale"] = "en"
            environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + "/en"
            environ["PATH_INFO"] = "/" + rest
        return self.application(environ, start_response)


def locale() -> str:
    """The language of this request (`id` or `en`); Indonesian outside a request."""
    if not has_request_context():
        return DEFAULT
    if spoken := g.get("spoken"):  # a preview, in the language of its readers
        return str(spoken)
    chosen = request.environ.get("storefront.locale", DEFAULT)
    if chosen == DEFAULT and request.blueprint in PERSONAL_FACES and current_user:
        preferred = getattr(current_user, "locale", None)
        return preferred if preferred in LOCALES else chosen
    return chosen


def alternate_url(language: str) -> str:
    """The address of the same page in `language`, path and query only."""
    path = request.path if language == DEFAULT else "/en" + request.path
    root = request.script_root.removesuffix("/en") if request.environ.get("storefront.locale") == "en" else ""
    query = request.query_string.decode("latin-1")
    return root + path + ("?" + query if query else "")


def compile_translations(folder: Path = TRANSLATIONS) -> None:
    """Write each `.mo` that is missing or older than its `.po`; several processes may do so at once."""
    for source in folder.glob("*/LC_MESSAGES/*.po"):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        with source.open("rb") as file:
            catalogue = read_po(file, locale=source.parent.parent.name)
        descriptor, draft = tempfile.mkstemp(dir=target.parent, prefix=".mo-")
        with os.fdopen(descriptor, "wb") as file:
            write_mo(file, catalogue)
        os.chmod(draft, 0o644)
        os.replace(draft, target)


class KeptTranslations(Domain):
    """Flask-Babel's domain, which for each word writes out the locale's name to find its translations.

    A page has hundreds of words, so this asks for the language alone, which makes each a third cheaper.
    """

    by_language: dict[str, NullTranslations] = {}

    def get_translations(self) -> NullTranslations:
        locale = get_locale()
        if locale is None:
            return NullTranslations()
        found = self.by_language.get(locale.language)
        if found is None:
            found = self.by_language[locale.language] = super().get_translations()
        return found


def init_app(app: Flask) -> None:
    """Bind Babel, the path prefix and the template helpers."""
    compile_translations()
    app.config.setdefault("BABEL_TRANSLATION_DIRECTORIES", str(TRANSLATIONS))
    app.config["BABEL_DEFAULT_LOCALE"] = DEFAULT
    babel.init_app(app, locale_selector=locale)
    kept = KeptTranslations()
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext=lambda word: kept.get_translations().ugettext(word),
        ngettext=lambda one, many, count: kept.get_translations().ungettext(one, many, count),
        pgettext=lambda context, word: kept.get_translations().upgettext(context, word),
        npgettext=lambda context, one, many, count: kept.get_translations().unpgettext(context, one, many, count),
        newstyle=True,
    )
    app.wsgi_app = LanguagePrefix(app.wsgi_app)  # type: ignore[method-assign]
    helpers: dict[str, Callable[..., Any]] = {"alternate_url": alternate_url, "locale": locale}
    app.jinja_env.globals.update(helpers)
