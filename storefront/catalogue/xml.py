"""Text for XML files."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

#: What XML 1.0 cannot hold in any form.
FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    """`text` as the content of an element or of an attribute in double quotes."""
    return escape(FORBIDDEN.sub("", text), {'"': "&quot;"})


def element(name: str, text: object) -> str:
    """`<name>text</name>`, escaped."""
    return f"<{name}>{xml_text(str(text))}</{name}>"
