"""Which browsers of somebody's take web push."""

from __future__ import annotations

import base64
import binascii

from flask_babel import lazy_gettext as _
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from storefront.errors import Invalid
from storefront.extensions import db
from storefront.mail.push import is_service
from storefront.notices.models import PushDevice

#: Devices of one person; the oldest gives way.
MOST = 10


def subscribe(person_id: int, endpoint: str, p256dh: str, auth: str, user_agent: str) -> None:
    """A browser of `person_id` takes push from now on; a browser belongs to who was signed in there last.

    Never commits. Raises Invalid for what no browser says.
    """
    if not is_service(endpoint) or len(endpoint) > 1000 or _size(p256dh) != 65 or _size(auth) != 16:
        raise Invalid({"endpoint": _("Peramban ini tidak memberi alamat pemberitahuan yang kami kenal.")})
    values = {"person_id": person_id, "p256dh": p256dh, "auth": auth, "user_agent": user_agent[:300]}
    statement = insert(PushDevice).values(endpoint=endpoint, **values)
    db.session.execute(statement.on_conflict_do_update(index_elements=["endpoint"], set_=values))
    spare = select(PushDevice.id).where(PushDevice.person_id == person_id)
    db.session.execute(
        delete(PushDevice).where(PushDevice.id.in_(spare.order_by(PushDevice.id.desc()).offset(MOST)))
    )


def unsubscribe(person_id: int, device_id: int) -> bool:
    """A device takes push no more; False when it is none of this person's. Never commits."""
    gone = delete(PushDevice).where(PushDevice.id == device_id, PushDevice.person_id == person_id)
    return bool(getattr(db.session.execute(gone), "rowcount", 0))


def devices(person_id: int) -> list[PushDevice]:
    """The devices of somebody that take push, the latest first."""
    query = select(PushDevice).where(PushDevice.person_id == person_id).order_by(PushDevice.id.desc())
    return list(db.session.scalars(query))


def _size(text: str) -> int:
    """How many bytes a base64url text holds; 0 for what is none."""
    if not text.isascii() or len(text) > 120:
        return 0
    try:
        return len(base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)))
    except (binascii.Error, ValueError):
        return 0
