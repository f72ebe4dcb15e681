"""Set a Typst template with data: `python typeset.py TEMPLATE TIMESTAMP`, JSON on stdin, the PDF on stdout.

Run as a program of its own by `typeset()`. Typst keeps what it has set in memory for as long as the process
lives, some hundred megabytes after a long statement; a process that ends gives them back, and one that
takes too long can be ended. It imports nothing of the shop, so that it starts in a tenth of a second.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any

#: Longest that one document may take, in seconds.
PATIENCE = 60.0


#: Letters that no font inside Typst has: these have Latin, Greek, Cyrillic and Arabic letters, and the usual signs. A
#: document with another one would not be made at all.
FOREIGN = re.compile(
    r"[^\n -~\u00a0-\u02af\u0300-\u034e\u0350-\u036f\u0374-\u0377\u037a-\u037f\u0384-\u038a\u038c\u038e-\u03a1"
    r"\u03a3-\u03ce\u03d0-\u03e1\u03f0-\u0477\u047c-\u047f\u048c-\u04c4\u04c7-\u04c8\u04cb-\u04cc\u04cf-\u04f9"
    r"\u060c\u061b\u061f\u0621-\u063a\u0640-\u0655\u0660-\u066d\u067e-\u0680\u0686-\u0687\u0698\u06a4\u06a9\u06af"
    r"\u06be\u06cc\u06f0-\u06f9\u1e00-\u1eff\u2010-\u2027\u2030-\u2037\u2039-\u203f\u20a0-\u20b5\u20b8-\u20ba\u20bd"
    r"\u20bf\u2116\u2122\u2190-\u2199\u2212\u2248\u2260\u2264-\u2265\u2500-\u2600\u2605\u2660-\u2667]"
)
#: What every font has, for a document that Typst refuses all the same.
PLAIN = re.compile(r"[^\n -~\u00a0-\u024f\u2013-\u2014\u2018-\u201d\u2022\u2026]")
NOT_DISPLAYED = "could not be displayed"


class CannotTypeset(RuntimeError):
    """Typst refused the template with these data: a fault of ours."""


def typeset(template: Path, data: str, *, timestamp: int, patience: float = PATIENCE) -> bytes:
    """The PDF of `template` with `data` (JSON) as its input `data`; the same for the same `timestamp`.

    Fonts are those inside Typst alone, so that every machine sets the same; a letter that none of them has is shown
    as `fitting` says. Every document is accessible by the standard PDF/UA-1, or is not made. Raises CannotTypeset.
    """
    data = json.dumps(fitting(json.loads(data)), ensure_ascii=False)
    command = [sys.executable, __file__, str(template), str(timestamp)]
    try:
        done = subprocess.run(
            command, input=data.encode(), capture_output=True, timeout=patience, check=False
        )
    except subprocess.TimeoutExpired:
        raise CannotTypeset(f"{template.name} took longer than {patience} seconds") from None
    if done.returncode != 0:
        raise CannotTypeset(done.stderr.decode(errors="replace")[-2000:])
    return done.stdout


def fitting(data: Any, foreign: re.Pattern[str] = FOREIGN) -> Any:
    """The same with `?` for every letter that is `foreign`, in all texts within.

    One that is another way of writing letters that there are becomes those; marks that only turn the writing, or join
    signs, are left out.
    """
    if isinstance(data, str):
        return foreign.sub(lambda found: _instead(found[0], foreign), data)
    if isinstance(data, dict):
        return {name: fitting(value, foreign) for name, value in data.items()}
    return [fitting(value, foreign) for value in data] if isinstance(data, list) else data


def _instead(letter: str, foreign: re.Pattern[str]) -> str:
    if letter.isspace():
        return " "
    if not letter.isprintable() or unicodedata.category(letter) == "Mn":
        return ""
    usual = unicodedata.normalize("NFKC", letter)
    return usual if not foreign.search(usual) else "?"


def main() -> None:
    """What the program does."""
    import typst

    data = sys.stdin.buffer.read().decode()
    try:
        pdf = _set(data)
    except typst.TypstError as refusal:
        if NOT_DISPLAYED not in str(refusal):
            raise
        pdf = _set(json.dumps(fitting(json.loads(data), PLAIN), ensure_ascii=False))
    sys.stdout.buffer.write(pdf)


def _set(data: str) -> bytes:
    import typst

    template = Path(sys.argv[1])
    pdf = typst.compile(
        str(template),
        root=str(template.parent),
        format="pdf",
        ignore_system_fonts=True,
        sys_inputs={"data": data},
        timestamp=int(sys.argv[2]),
        # Tagged for screen readers (PDF/UA-1): Typst refuses a document without title, language and order of headings.
        pdf_standards="ua-1",
    )
    assert isinstance(pdf, bytes)
    return pdf


if __name__ == "__main__":
    main()
