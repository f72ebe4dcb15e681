"""How an export's command ends when it cannot do what it was asked."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import click

from storefront.errors import DomainError
from storefront.snapshot import database_needed


@contextmanager
def spoken() -> Iterator[None]:
    """A refusal is its sentence and exit code 1, a database that is away exit code 2; never a traceback.

    SIGTERM ends through the usual clean-up, so that no draft stays behind.
    """
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        with database_needed():
            yield
    except DomainError as error:
        errors = getattr(error, "errors", None) or {}
        raise click.ClickException(" ".join(map(str, errors.values())) or str(error.message)) from None
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop(signum: int, frame: FrameType | None) -> None:
    sys.exit(128 + signum)
