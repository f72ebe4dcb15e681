"""Hashed names follow the content, and references follow the names."""

from __future__ import annotations

from pathlib import Path

import pytest

from storefront.assets import Assets


@pytest.fixture
def assets(tmp_path: Path) -> Assets:
    source = tmp_path / "source"
    for name, content in {
        "css/app.css": '/* what\nfor */@import "base.css"; /**/\n'
        '.a{background:url(../img/a.svg#x)}\n.b{background:url("data:,x")}',
        "css/base.css": "@font-face{src:url('../fonts/f.woff2')}",
        "img/a.svg": "<svg/>",
        "fonts/f.woff2": "font",
        "js/app.js": 'import { a } from "./part.js";\nimport("./part.js");',
        "js/part.js": "export const a = 1;",
    }.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(content)
    made = Assets(source, tmp_path / "target")
    made.build()
    return made


def read(assets: Assets, name: str) -> str:
    return (assets.target / assets.names[name]).read_text()


def test_references_carry_the_hashed_names(assets: Assets) -> None:
    style = read(assets, "css/app.css")
    assert f'@import "./{Path(assets.names["css/base.css"]).name}"' in style
    assert f"url(../{assets.names['img/a.svg']}#x)" in style
    assert 'url("data:,x")' in style
    assert "/*" not in style
    assert read(assets, "js/app.js").count(Path(assets.names["js/part.js"]).name) == 2


def test_a_change_below_changes_every_name_above(assets: Assets) -> None:
    before = dict(assets.names)
    (assets.source / "fonts/f.woff2").write_text("another font")
    assets.build()
    changed = {name for name in before if assets.names[name] != before[name]}
    assert changed == {"fonts/f.woff2", "css/base.css", "css/app.css"}


def test_reference_to_nothing_is_refused(assets: Assets) -> None:
    (assets.source / "css/app.css").write_text("a{background:url(missing.png)}")
    with pytest.raises(ValueError, match=r"missing\.png"):
        assets.build()
