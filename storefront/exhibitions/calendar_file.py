"""A fair as a calendar file (RFC 5545): whole days, so that every phone shows it on its own days."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from urllib.parse import urlsplit

#: Octets of a line before it is folded (RFC 5545, 3.1).
LINE = 75


def calendar_file(
    *,
    uid: str,
    name: str,
    starts_on: datetime.date,
    ends_on: datetime.date,
    place: str,
    about: str,
    url: str,
    changed_at: datetime.datetime,
    shop: str,
    language: str,
) -> str:
    """The file, with one event from its first to its last day inclusive; `uid` tells it from others of this shop."""
    host = urlsplit(url).hostname or "localhost"
    stamp = changed_at.astimezone(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    properties: Sequence[tuple[str, str]] = [
        ("BEGIN", "VCALENDAR"),
        ("VERSION", "2.0"),
        ("PRODID", f"-//{escaped(shop)}//{language.upper()}"),
        ("CALSCALE", "GREGORIAN"),
        ("METHOD", "PUBLISH"),
        ("BEGIN", "VEVENT"),
        ("UID", f"{uid}@{host}"),
        ("DTSTAMP", stamp),
        ("LAST-MODIFIED", stamp),
        ("DTSTART;VALUE=DATE", f"{starts_on:%Y%m%d}"),
        # The end of an event is the first day that it is over.
        ("DTEND;VALUE=DATE", f"{ends_on + datetime.timedelta(days=1):%Y%m%d}"),
        (f"SUMMARY;LANGUAGE={language}", escaped(name)),
        ("LOCATION", escaped(place)),
        (f"DESCRIPTION;LANGUAGE={language}", escaped(about)),
        ("URL", url),
        ("TRANSP", "TRANSPARENT"),
        ("END", "VEVENT"),
        ("END", "VCALENDAR"),
    ]
    return "".join(folded(f"{key}:{value}") + "\r\n" for key, value in properties if value)


def escaped(text: str) -> str:
    """A value of type TEXT: backslash, semicolon, comma and line break as the standard writes them."""
    plain = "".join(one for one in text.replace("\r\n", "\n") if one == "\n" or one.isprintable())
    return plain.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def folded(line: str) -> str:
    """A content line in pieces of at most 75 octets, each but the first after a space; no letter is cut."""
    pieces, piece, size = [], "", 0
    for letter in line:
        width = len(letter.encode())
        if size + width > LINE:
            pieces.append(piece)
            # The space that begins the next piece counts too.
            piece, size = "", 1
        piece, size = piece + letter, size + width
    return "\r\n ".join([*pieces, piece])
