"""The pages that build trust: a text that comes with the shop, or what curators made of it since."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from storefront import markdown
from storefront.audit.record import record
from storefront.content.models import PageRevision
from storefront.content.operator import placeholders
from storefront.days import accounting_day
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.people.models import Person

DATA = Path(__file__).parent / "data"
#: Each page by its address, `/pages/<slug>`, in the order of the index.
SLUGS = (
    *("how-it-works", "where-the-money-goes", "how-to-shop", "returns"),
    *("privacy", "contact", "media", "terms"),
)
#: When the shipped texts were last looked through.
SHIPPED_ON = datetime.date(2026, 11, 27)
LONGEST = 40_000
PLACEHOLDER = re.compile(r"\{(shop|operator|address|email|phone|domain)\}")
#: What Markdown would take as its own, in a word put into a text.
SPECIAL = re.compile(r"([\\`*_{}\[\]()#+.!|<>~-])")
LATEST = text(
    """SELECT DISTINCT ON (slug) slug, number, title, title_en, body, body_en, changed_at FROM page_revisions
        WHERE CAST(:slug AS text) IS NULL OR slug = :slug ORDER BY slug, number DESC"""
)


class PageChanged(DomainError):
    """Somebody else saved the page since the form was opened."""

    code, status = "page_changed", 409
    message = _l(
        "Halaman ini sudah disimpan orang lain setelah Anda membukanya. Tulisan Anda masih di sini: bandingkan dengan "
        "yang terbaru di riwayat, gabungkan, lalu simpan lagi."
    )


@dataclass(frozen=True)
class Words:
    """A page's text in both languages."""

    title: str
    title_en: str
    body: str
    body_en: str


@dataclass(frozen=True)
class Page:
    """A page as the public reads it, in one language."""

    slug: str
    title: str
    #: Markdown, with its placeholders filled in.
    body: str
    changed_on: datetime.date

    def html(self, root: str) -> Markup:
        """The text as HTML, its headings with anchors; `root` stands before links to our own pages."""
        return markdown.to_html(self.body, root=root, anchors=True)

    @property
    def outline(self) -> list[tuple[str, str]]:
        """Anchor and text of each section."""
        return markdown.outline(self.body)

    @property
    def summary(self) -> str:
        """The first paragraph, as plain words."""
        return markdown.first_words(self.body)


@dataclass(frozen=True)
class Edition:
    """A page as curators see it: its words, and the number that their next saving builds on."""

    slug: str
    number: int
    words: Words
    changed_on: datetime.date


@cache
def shipped(slug: str) -> Words:
    """The text that comes with the shop: of each file the first line is the title."""
    parts: dict[str, tuple[str, str]] = {}
    for language in ("id", "en"):
        title, _line, body = (DATA / f"{slug}.{language}.md").read_text(encoding="utf-8").partition("\n")
        parts[language] = title.strip(), body.strip() + "\n"
    return Words(parts["id"][0], parts["en"][0], parts["id"][1], parts["en"][1])


def page(slug: str, locale: str) -> Page:
    """The page at `/pages/<slug>`. Raises NotFound."""
    return readable(edition(slug), locale)


def edition(slug: str) -> Edition:
    """The page as it is now. Raises NotFound."""
    if slug not in SLUGS:
        raise NotFound()
    return next(found for found in _editions(slug))


def editions() -> list[Edition]:
    """Every page, in the order of the index."""
    return _editions(None)


def _editions(slug: str | None) -> list[Edition]:
    rows = {row.slug: row for row in db.session.execute(LATEST, {"slug": slug})}
    found = []
    for known in SLUGS if slug is None else (slug,):
        row: Any = rows.get(known)
        if row is None:
            found.append(Edition(known, 0, shipped(known), SHIPPED_ON))
        else:
            words = Words(row.title, row.title_en, row.body, row.body_en)
            found.append(Edition(known, row.number, words, accounting_day(row.changed_at)))
    return found


def readable(found: Edition, locale: str) -> Page:
    """An edition in one language, ready to be read."""
    words = found.words
    title, body = (words.title_en, words.body_en) if locale == "en" else (words.title, words.body)
    return Page(found.slug, title, filled(body), found.changed_on)


def filled(body: str) -> str:
    """`{operator}` and the like replaced by what they stand for, as plain words."""
    known = placeholders()
    return PLACEHOLDER.sub(lambda found: SPECIAL.sub(r"\\\1", known[found[1]]), body)


def save(
    slug: str, words: Words, based_on: int, person_id: int, *, restored_from: int | None = None
) -> PageRevision:
    """Save the page anew; `based_on` is the number that the person read.

    Raises NotFound, Invalid, and PageChanged when somebody else has saved it since.
    """
    now = edition(slug)
    _check(words)
    if now.number != based_on:
        raise PageChanged()
    if now.words == words:
        raise Invalid(message=_("Tidak ada yang berubah, jadi tidak ada yang disimpan."))
    values = {
        "slug": slug,
        "number": based_on + 1,
        "title": words.title,
        "title_en": words.title_en,
        "body": words.body,
        "body_en": words.body_en,
        "restored_from": restored_from,
        "changed_by": person_id,
    }
    statement = insert(PageRevision).values(values).on_conflict_do_nothing(index_elements=["slug", "number"])
    revision = db.session.scalar(statement.returning(PageRevision))
    if revision is None:
        raise PageChanged()
    details = {"before": {"number": based_on}, "after": {"number": based_on + 1}}
    record("page.saved", "content_page", slug, person_id=person_id, details=details)
    return revision


def restore(slug: str, number: int, based_on: int, person_id: int) -> PageRevision:
    """Save once more what revision `number` said; 0 is the text that comes with the shop. Raises as `save`."""
    return save(slug, words_of(slug, number), based_on, person_id, restored_from=number)


def words_of(slug: str, number: int) -> Words:
    """What a revision said. Raises NotFound."""
    if slug not in SLUGS:
        raise NotFound()
    if number == 0:
        return shipped(slug)
    query = select(PageRevision).where(PageRevision.slug == slug, PageRevision.number == number)
    row = db.session.scalar(query)
    if row is None:
        raise NotFound()
    return Words(row.title, row.title_en, row.body, row.body_en)


def history(slug: str) -> Sequence[Any]:
    """Every saving of a page with who did it, the latest first."""
    query = (
        select(PageRevision.number, PageRevision.changed_at, PageRevision.restored_from, Person.name)
        .join(Person, Person.id == PageRevision.changed_by)
        .where(PageRevision.slug == slug)
        .order_by(PageRevision.number.desc())
    )
    return db.session.execute(query).all()


def _check(words: Words) -> None:
    errors: dict[str, str] = {}
    for name in ("title", "title_en"):
        if not 3 <= len(getattr(words, name)) <= 120:
            errors[name] = _("Judul terdiri dari 3 sampai 120 huruf, dalam kedua bahasa.")
    for name in ("body", "body_en"):
        if not 1 <= len(getattr(words, name).strip()) <= LONGEST:
            errors[name] = _("Isi halaman tidak boleh kosong, dan paling panjang 40.000 huruf.")
    if errors:
        raise Invalid(errors)
