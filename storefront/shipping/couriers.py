"""Where a parcel can be followed: the tracking pages of couriers, by the name that the facility wrote.

Only addresses of this table are ever linked, and a number goes into one only as plain letters and figures: what a
facility types can lead nowhere else. A courier's page may want the number typed again; it stands beside the link.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from urllib.parse import quote

#: By the name in small letters and figures alone; `{number}` is the tracking number.
PAGES = MappingProxyType(
    {
        "jne": "https://www.jne.co.id/tracking-package?awb={number}",
        "jtexpress": "https://jet.co.id/track?awb={number}",
        "jt": "https://jet.co.id/track?awb={number}",
        "jnt": "https://jet.co.id/track?awb={number}",
        "posindonesia": "https://www.posindonesia.co.id/id/tracking/{number}",
        "pos": "https://www.posindonesia.co.id/id/tracking/{number}",
        "sicepat": "https://www.sicepat.com/checkAwb?awb={number}",
        "tiki": "https://www.tiki.id/id/track?connote={number}",
        "anteraja": "https://anteraja.id/tracking/{number}",
        "lionparcel": "https://lionparcel.com/track/stt?q={number}",
        "wahana": "https://www.wahana.com/lacak-kiriman?resi={number}",
        "ninjaxpress": "https://www.ninjaxpress.co/id-id/tracking?id={number}",
        "ninjavan": "https://www.ninjaxpress.co/id-id/tracking?id={number}",
        "idexpress": "https://idexpress.com/lacak-paket?awb={number}",
        "spxexpress": "https://spx.co.id/track?{number}",
        "shopeexpress": "https://spx.co.id/track?{number}",
        "sapexpress": "https://www.sapx.id/tracking?awb={number}",
    }
)
NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9./-]{4,39}")


def tracking_url(courier: str | None, number: str | None) -> str | None:
    """The courier's page for a tracking number; None for a courier we do not know, or what is no number."""
    if not courier or not number:
        return None
    page = PAGES.get(re.sub(r"[^a-z0-9]", "", courier.casefold()))
    if page is None or not NUMBER.fullmatch(number.strip()):
        return None
    return page.format(number=quote(number.strip(), safe=""))
