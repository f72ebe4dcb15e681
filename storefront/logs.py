"""Logs: one JSON line for each event, carrying the request id that the error page shows.

Secrets and personal data stay out: tokens in query strings are blanked, request bodies are never logged.
"""

from __future__ import annotations

import logging
import logging.config
import re
import sys

import structlog

SECRET_QUERY = re.compile(r"((?:token|key|secret|password|signature)=)[^&\s\"']+", re.IGNORECASE)
DATABASE_PASSWORD = re.compile(r"(postgres(?:ql)?(?:\+psycopg)?://[^:/@\s]+):[^@\s]+@")

_SHARED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def clean(text: str) -> str:
    """`text` without the secrets that a query string or a database address may carry."""
    return DATABASE_PASSWORD.sub(r"\1:***@", SECRET_QUERY.sub(r"\1***", text))


def _without_secrets(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {key: clean(value) if isinstance(value, str) else value for key, value in event.items()}


def configure(level: int = logging.INFO) -> None:
    """Send structlog and the standard library's logging to stderr as JSON lines."""
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _without_secrets,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    for old in [h for h in root.handlers if getattr(h, "of_storefront", False)]:
        root.removeHandler(old)
    handler.of_storefront = True  # type: ignore[attr-defined]
    root.addHandler(handler)
    root.setLevel(level)
    # Every job would otherwise be two lines; its failures are logged at ERROR.
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
