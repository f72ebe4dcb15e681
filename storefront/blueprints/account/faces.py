"""Where a person may go: the faces open to them, and addresses that a sign-in may lead back to."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import current_app, request, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException

from storefront.people import policy

#: Face → endpoint of its first page, icon. Shown once the face exists.
FIRST_PAGES = {"seller": "seller.index", "finance": "finance.overview", "admin": "admin.overview"}
ICONS = {"seller": "package", "finance": "receipt", "admin": "building"}
#: Faces that a sign-in may lead back to: pages for people, reached by GET.
BACK_TO = frozenset({"account", "seller", "finance", "admin", "counter", "shop", "cart", "checkout"})
NEVER_BACK_TO = frozenset(
    {"account.login", "account.logout", "account.link_sent", "account.open_link", "account.code", "account.set_up"}
)


def faces_of(person: policy.PersonLike) -> list[dict[str, Any]]:
    """The staff faces open to `person` that this shop has, as links."""
    names = {
        "seller": (_("Kerja lapas"), _("Kiriman, stok, dan hasil penjualan UPT Anda")),
        "finance": (_("Keuangan"), _("Penjualan, pembagian hasil, dan ekspor")),
        "admin": (_("Pusat"), _("UPT, orang, dan pengaturan")),
    }
    held = policy.roles(person)
    return [
        {"url": url_for(endpoint), "label": names[face][0], "note": names[face][1], "icon": ICONS[face]}
        for face, endpoint in FIRST_PAGES.items()
        if endpoint in current_app.view_functions and held & policy.FACES[face]
    ]


def after_sign_in(person: policy.PersonLike, back: str | None) -> str:
    """Where a fresh sign-in leads: back where it was asked for, else to the person's work, else to the account."""
    known = known_address(back)
    if known:
        return known
    faces = faces_of(person)
    return str(faces[0]["url"]) if faces else url_for("account.show")


def known_address(target: str | None) -> str | None:
    """`target` as an address of ours, or None.

    Only the path and query of a page that the shop itself has; never another host, scheme or method.
    """
    if not target or len(target) > 500 or not target.startswith("/") or not target.isprintable():
        return None
    if target.startswith(("//", "/\\")) or "\\" in target:
        return None
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return None
    root, path = "", parts.path
    if path == "/en" or path.startswith("/en/"):
        root, path = "/en", path.removeprefix("/en") or "/"
    try:
        endpoint, _arguments = current_app.url_map.bind(request.host).match(path, method="GET")
    except HTTPException:
        return None  # unknown, or only a redirect to something else
    if endpoint in NEVER_BACK_TO or endpoint.partition(".")[0] not in BACK_TO:
        return None
    return root + path + ("?" + parts.query if parts.query else "")
