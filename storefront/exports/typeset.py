"""Set a Typst template with data: `python typeset.py TEMPLATE TIMESTAMP`, JSON on stdin, the PDF on stdout.

Run as a program of its own by `typeset()`. Typst keeps what it has set in memory for as long as the process
lives, some hundred megabytes after a long statement; a process that ends gives them back, and one that
takes too long can be ended. It imports nothing of the shop, so that it starts in a tenth of a second.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

#: Longest that one document may take, in seconds.
PATIENCE = 60.0


class CannotTypeset(RuntimeError):
    """Typst refused the template with these data: a fault of ours."""


def typeset(template: Path, data: str, *, timestamp: int, patience: float = PATIENCE) -> bytes:
    """The PDF of `template` with `data` (JSON) as its input `data`; the same for the same `timestamp`.

    Fonts are those inside Typst alone, so that every machine sets the same. Every document is accessible by the
    standard PDF/UA-1, or is not made. Raises CannotTypeset.
    """
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


def main() -> None:
    """What the program does."""
    import typst

    template = Path(sys.argv[1])
    pdf = typst.compile(
        str(template),
        root=str(template.parent),
        format="pdf",
        ignore_system_fonts=True,
        sys_inputs={"data": sys.stdin.buffer.read().decode()},
        timestamp=int(sys.argv[2]),
        # Tagged for screen readers (PDF/UA-1): Typst refuses a document without title, language and order of headings.
        pdf_standards="ua-1",
    )
    assert isinstance(pdf, bytes)
    sys.stdout.buffer.write(pdf)


if __name__ == "__main__":
    main()
