"""Letters on paper: what Typst has no letter for never keeps a paper from being made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from storefront.exports.typeset import FOREIGN, fitting, typeset

BLANK = '#set document(title: "x")\n#set text(font: "Libertinus Serif")\n#strong(json(bytes(sys.inputs.data)))'


def test_every_letter_that_is_let_through_is_in_a_font(tmp_path: Path) -> None:
    (tmp_path / "blank.typ").write_text(BLANK)
    through = [chr(code) for code in range(32, 0x2FFFF) if not FOREIGN.match(chr(code))]
    # Arabic marks are only ever set on Arabic letters.
    words = " ".join(f"{'م' if 'ً' <= letter <= 'ٕ' else 'a'}{letter}" for letter in through)
    assert fitting(words) == words
    assert len(through) > 1500
    assert typeset(tmp_path / "blank.typ", json.dumps(words), timestamp=0).startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("written", "set_as"),
    [
        ("Ｓａｒｉ ①", "Sari 1"),
        ("👩‍🌾 Sari️", "?? Sari"),
        ("‮Sari\u2028\tW\x07\ud800", "Sari  W"),
        ({"a": ["王", 1, None], "王": True}, {"a": ["?", 1, None], "王": True}),
    ],
)
def test_what_no_font_has_is_a_question_mark(written: object, set_as: object) -> None:
    assert fitting(written) == set_as


def test_a_mark_on_a_letter_of_another_writing_does_not_keep_a_paper_back(tmp_path: Path) -> None:
    (tmp_path / "blank.typ").write_text(BLANK)
    assert typeset(tmp_path / "blank.typ", json.dumps("aً ê"), timestamp=0).startswith(b"%PDF-")
