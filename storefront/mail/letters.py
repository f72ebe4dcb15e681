"""Letters about things that belong to no order: each room writes its own.

    @writes("enquiry_message")
    def letter(message: Message) -> Letter | None: ...

The modules `letters.py` of all rooms are imported at start. None: there is nobody to write to any more.
"""

from __future__ import annotations

from collections.abc import Callable

from storefront.mail.models import Message
from storefront.mail.transport import Letter

Writer = Callable[[Message], Letter | None]
_writers: dict[str, Writer] = {}


def writes(subject_kind: str) -> Callable[[Writer], Writer]:
    """The function writes the letters about things of this kind."""

    def register(writer: Writer) -> Writer:
        _writers[subject_kind] = writer
        return writer

    return register


def letter_about(message: Message) -> Letter | None:
    """The letter that an owed message calls for. Raises RuntimeError when no room knows its kind."""
    writer = _writers.get(message.subject_kind or "")
    if writer is None:
        raise RuntimeError(f"nobody writes letters about {message.subject_kind}")
    return writer(message)


Forgetter = Callable[[Message], None]
_forgetters: dict[str, Forgetter] = {}


def forgets(subject_kind: str) -> Callable[[Forgetter], Forgetter]:
    """The function forgets where a message about things of this kind went, when nobody is there any more."""

    def register(forgetter: Forgetter) -> Forgetter:
        _forgetters[subject_kind] = forgetter
        return forgetter

    return register


def unreachable(message: Message) -> None:
    """Nobody is reached where this message went. Never commits."""
    forgetter = _forgetters.get(message.subject_kind or "")
    if forgetter is not None:
        forgetter(message)
