"""Texts that curators and facilities write: they read well, and nothing in them can act."""

from __future__ import annotations

import pytest

from storefront.markdown import to_html


def test_reads_what_people_write() -> None:
    html = to_html("# Judul\n\nSatu *dua* **tiga**.\n\n- a\n- b\n\n> kutipan\n\n| x | y |\n|---|---|\n| 1 | 2 |")
    for part in ("<h2>Judul</h2>", "<em>dua</em>", "<strong>tiga</strong>", "<li>a</li>", "<blockquote>", "<td>1</td>"):
        assert part in html
    assert "<h1" not in html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html;base64,PHN2Zz4=)",
        "[x](vbscript:x)",
        "[x](//evil.test/a)",
        "![x](https://evil.test/a.png)",
        "<javascript:alert(1)>",
        "[x]: javascript:alert(1)\n\n[x]",
    ],
)
def test_nothing_in_it_can_act(text: str) -> None:
    html = to_html(text)
    for bad in ("<script", "<img", 'href="javascript', 'href="data', 'href="vbscript', 'href="//'):
        assert bad not in html.lower()


def test_links_open_safely_and_keep_the_language() -> None:
    html = to_html("[luar](https://contoh.test/a) [dalam](/help) [surat](mailto:a@b.test)", root="/en")
    assert '<a href="https://contoh.test/a" rel="nofollow noopener noreferrer ugc">luar</a>' in html
    assert '<a href="/en/help">dalam</a>' in html
    assert '<a href="mailto:a@b.test">surat</a>' in html
