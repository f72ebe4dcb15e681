"""Places where a drill ends the process by SIGKILL, to see that nothing is lost and nothing happens twice.

`STOREFRONT_CRASH_AT=<name>` in a process's environment chooses one. Without it a place costs one comparison.
"""

from __future__ import annotations

import os
import signal
from types import MappingProxyType

#: Every place, and what has been done when a process dies there.
POINTS = MappingProxyType(
    {
        "checkout.before_commit": "the order is written and not committed",
        "checkout.after_commit": "the order is committed, nobody was answered, no provider asked",
        "payment.after_provider": "the provider has a payment page, we have not noted it",
        "payment.after_commit": "the payment page is noted, nobody was answered",
        "webhook.before_commit": "an event is stored and not committed",
        "webhook.after_commit": "an event is committed and not answered",
        "delivery.after_answer": "the shop has taken an event, its sender has not noted it",
        "event.before_commit": "an event is handled and not committed",
        "event.after_commit": "an event is handled, its job is not finished",
        "message.before_send": "a letter is written and not sent",
        "message.after_send": "a letter is sent, we have not noted it",
        "expiry.after_provider": "the payment pages are closed, the order is not ended",
        "expiry.before_commit": "the order is ended and not committed",
        "expiry.after_commit": "the order is ended, its job is not finished",
        "refund.after_provider": "the provider gives money back, we have not noted it",
        "refund.after_commit": "the refund is noted, its job is not finished",
        "transfer.after_provider": "a facility has its transfer, we have not noted it",
        "transfer.after_commit": "a transfer is noted, its job is not finished",
        "reversal.after_provider": "a part of a transfer is back, we have not noted it",
        "reconcile.after_events": "missed events are kept and handled, the provider's books are not looked at",
        "reconcile.after_lines": "the provider's lines are kept, none is led to an entry",
        "reconcile.between_days": "some days are compared, others not",
        "import.before_commit": "a product of an import is stored and not committed",
        "import.after_commit": "a product of an import is stored, the next is not begun",
        "told.before_post": "an attempt to tell another system is noted and not made",
        "told.after_post": "another system was told, we have not noted it",
        "export.half_written": "half of an export lies in its draft",
        "export.between_files": "an export has its name, its manifest not yet",
        "made_file.stored": "a file that was asked for is stored, its row does not say so yet",
    }
)

#: The place where this process ends; None: nowhere.
chosen = os.environ.get("STOREFRONT_CRASH_AT")


def reach(point: str) -> None:
    """End this process at once if `point` is the chosen place: no handler, no rollback, no goodbye."""
    if point == chosen:
        end()


def end() -> None:
    """What dying is; a drill within one process puts its own in this place."""
    os.kill(os.getpid(), signal.SIGKILL)
