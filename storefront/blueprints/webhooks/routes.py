"""`/webhooks/<gateway>`: store what is signed, answer at once, handle it later."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.crash_points import reach
from storefront.errors import DomainError, NotFound
from storefront.extensions import csrf, db
from storefront.payments.gateway import BadSignature
from storefront.payments.inbox import receive

blueprint = Blueprint("webhooks", __name__)
csrf.exempt(blueprint)

#: Bytes; providers' events are a few kilobytes.
LARGEST_BODY = 512 * 1024


class NotSigned(DomainError):
    code, status = "bad_signature", 400

    def __init__(self) -> None:
        super().__init__(_("Tanda tangan pesan ini tidak benar atau sudah lewat waktunya."))


@blueprint.post("/webhooks/<gateway_name>")
def take(gateway_name: str) -> ResponseReturnValue:
    """Keep a signed event once; 200 also for one that came before."""
    request.max_content_length = LARGEST_BODY
    try:
        receive(gateway_name, request.headers, request.get_data())
    except LookupError as error:
        raise NotFound() from error
    except BadSignature as error:
        raise NotSigned() from error
    reach("webhook.before_commit")
    db.session.commit()
    reach("webhook.after_commit")
    return {"received": True}
