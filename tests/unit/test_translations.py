"""Every sentence of the code has its English one, and the catalogue holds no other."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
CATALOGUE = ROOT / "storefront" / "translations" / "en" / "LC_MESSAGES" / "messages.po"
#: As in CONTRIBUTING's command.
KEYWORDS = {**DEFAULT_KEYWORDS, "lazy_gettext": None, "_l": None}
PLACEHOLDER = re.compile(r"%\([a-z_0-9]+\)[sd]|%%")
MARKUP = re.compile(r"<[^>]*>|&[a-z#0-9]+;")

Key = tuple[str | None, str]


def _key(message: Message) -> Key:
    return message.context, _forms(message.id)[0]


def _forms(text: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    return (text or "",) if text is None or isinstance(text, str) else tuple(text)


def _shape(text: str) -> tuple[Counter[str], Counter[str], bool, bool, int]:
    """What a translation must share with its original: placeholders, markup, space at the edges, lines."""
    placeholders, markup = Counter(PLACEHOLDER.findall(text)), Counter(MARKUP.findall(text))
    return placeholders, markup, text[:1].isspace(), text[-1:].isspace(), text.count("\n")


def _is_source(folder: str) -> bool:
    path = Path(folder).relative_to(ROOT)
    return path.name != "__pycache__" and path.parts[0] in ("storefront", "templates")


@pytest.fixture(scope="module")
def source() -> Catalog:
    """What the code and the templates say, extracted anew."""
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    catalogue = Catalog()
    for path, line, text, _comments, context in extract_from_dir(
        ROOT, methods, options, keywords=KEYWORDS, directory_filter=_is_source
    ):
        catalogue.add(text, locations=[(path, line)], context=context)
    return catalogue


@pytest.fixture(scope="module")
def english() -> Catalog:
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="en")


def _messages(catalogue: Catalog) -> Iterator[Message]:
    return (message for message in catalogue if message.id)


def test_every_sentence_has_an_english_one(source: Catalog, english: Catalog) -> None:
    told = {_key(message): message for message in _messages(english)}
    missing = []
    for message in _messages(source):
        translated = told.get(_key(message))
        whole = (
            translated is not None
            and not translated.fuzzy
            and len(_forms(translated.string)) == (2 if message.pluralizable else 1)
            and all(form.strip() for form in _forms(translated.string))
        )
        if not whole:
            missing.append((*_key(message), message.locations))
    assert not missing


def test_the_catalogue_holds_nothing_that_is_no_longer_said(source: Catalog, english: Catalog) -> None:
    said = {_key(message) for message in _messages(source)}
    assert [_key(message) for message in _messages(english) if _key(message) not in said] == []
    assert not english.obsolete


def test_english_keeps_placeholders_markup_and_edges(english: Catalog) -> None:
    pairs = [(_forms(m.id)[0], form) for m in _messages(english) for form in _forms(m.string)]
    assert [pair for pair in pairs if _shape(pair[0]) != _shape(pair[1])] == []


def test_the_catalogue_tells_nothing_of_who_made_it_or_where(english: Catalog) -> None:
    text = CATALOGUE.read_text(encoding="utf-8")
    assert english.num_plurals == 2
    assert "\n#: " not in text
    assert "\n#~ " not in text
    assert not re.search(r"(POT-Creation-Date|PO-Revision-Date|Last-Translator|Generated-By)", text)
