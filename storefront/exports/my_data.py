"""All that is held about somebody, in a ZIP: `data.json` for programs, `data.html` to read, and their photos."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from flask import render_template

from storefront.display import language
from storefront.exports.manifest import demo_note
from storefront.people import personal_data
from storefront.people.personal_data import Subject


def zip_of(who: Subject) -> bytes:
    """The file. What it holds is one person's, so it is made in memory."""
    found = personal_data.export(who)
    told: dict[str, Any] = {"note": demo_note(), "data": found}
    rooms = [(personal_data.HOLDERS[name].title, records) for name, records in found.items()]
    page = render_template("checkout/data_file.html", rooms=rooms, demo=demo_note(), language=language())
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("data.json", json.dumps(told, ensure_ascii=False, indent=2))
        file.writestr("data.html", page)
        for name, content in personal_data.files(who):
            file.writestr(name, content)
    return buffer.getvalue()
