"""Faults told to Sentry where `SENTRY_DSN` names one: what went wrong and where in the code, never who was there.

An order's page has its number in its address and its token in the query, a database's error names the row it met:
so of a request its method and path go out, of an exception its kind and its places, of a log line its event.
"""

from __future__ import annotations

from typing import Any

from config import Settings
from storefront.logs import clean

#: Exceptions of these carry rows of the database in their words.
WORDS_OF_ROWS = ("psycopg", "sqlalchemy")


def configure(settings: Settings) -> None:
    """Begin to tell, if an address is set. Needs the extra `scale`."""
    if not settings.sentry_dsn:
        return
    import sentry_sdk

    sentry_sdk.init(
        dsn=settings.sentry_dsn,
        environment="demo" if settings.demo else "shop",
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        before_send=lambda event, _hint: without_people(event),
    )


def without_people(event: Any) -> Any:
    """The event as it may leave the house."""
    asked = event.get("request", {})
    event["request"] = {"method": asked.get("method"), "url": str(asked.get("url", "")).partition("?")[0]}
    for gone in ("user", "breadcrumbs", "extra", "server_name"):
        event.pop(gone, None)
    for fault in event.get("exception", {}).get("values", []):
        of_row = str(fault.get("module") or "").startswith(WORDS_OF_ROWS)
        fault["value"] = "" if of_row else clean(str(fault.get("value", "")))
    if "logentry" in event:
        event["logentry"] = {"message": clean(str(event["logentry"].get("message", "")))[:500]}
    return event
