"""The one way to tell somebody something: whichever messenger reaches them takes the letter.

There are e-mail and, for people of facilities, web push. Another (a text message, an approved business account) is one
more class in `MESSENGERS`; who gave only a number that none reaches keeps the order's link themselves (the order page
offers that).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from storefront.mail.push import push
from storefront.mail.transport import Device, Letter, send


@dataclass(frozen=True)
class Recipient:
    """How somebody can be reached: what they gave, nothing else."""

    #: Lower case.
    email: str | None = None
    #: `+62…`
    phone: str | None = None
    #: One of somebody's browsers.
    device: Device | None = None


class Messenger(Protocol):
    """Takes letters to people."""

    name: str

    def reaches(self, recipient: Recipient) -> bool:
        """Whether the recipient gave what this messenger needs."""
        ...

    def send(self, recipient: Recipient, letter: Letter) -> None:
        """Hand the letter over. Raises MailNotTaken when it must be tried again, Unreachable when never."""
        ...


class Email:
    """Letters by e-mail (`mail.transport`)."""

    name = "email"

    def reaches(self, recipient: Recipient) -> bool:
        return bool(recipient.email)

    def send(self, recipient: Recipient, letter: Letter) -> None:
        send(replace(letter, to=recipient.email or ""))


class WebPush:
    """A line on the screen of a device (`mail.push`)."""

    name = "push"

    def reaches(self, recipient: Recipient) -> bool:
        return recipient.device is not None

    def send(self, recipient: Recipient, letter: Letter) -> None:
        assert recipient.device is not None
        push(recipient.device, letter)


#: In the order in which they are tried.
MESSENGERS: list[Messenger] = [Email(), WebPush()]


def messenger_for(recipient: Recipient) -> Messenger | None:
    """The first messenger that reaches somebody; None: nobody does."""
    return next((messenger for messenger in MESSENGERS if messenger.reaches(recipient)), None)


def notify(recipient: Recipient, letter: Letter) -> str | None:
    """Tell somebody; the messenger's name, None when none reaches them. Raises MailNotTaken, Unreachable."""
    messenger = messenger_for(recipient)
    if messenger is None:
        return None
    messenger.send(recipient, letter)
    return messenger.name
