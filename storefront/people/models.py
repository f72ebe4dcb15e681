"""People who sign in, what they may do, and their sessions."""

from __future__ import annotations

import datetime
import enum

from sqlalchemy import FetchedValue, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.extensions import db


class Role(enum.StrEnum):
    """What a membership makes a person (PRODUCT.md, "Who uses it")."""

    COORDINATOR = "coordinator"
    HEAD = "head"
    FINANCE = "finance"
    CURATOR = "curator"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    CASHIER = "cashier"


class Person(db.Model):  # type: ignore[name-defined]
    """Somebody with an account. Without a membership: a shopper."""

    __tablename__ = "people"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Lower case, unique.
    email: Mapped[str]
    name: Mapped[str]
    password_hash: Mapped[str]
    #: Language of the signed-in faces, `id` or `en`.
    locale: Mapped[str] = mapped_column(default="id")
    is_active: Mapped[bool] = mapped_column(default=True)
    #: Made by the demo; the app refuses to start with one of these when DEMO is off.
    is_demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    #: Since when it is known that they read the address; orders of that address are theirs from then on.
    email_proven_at: Mapped[datetime.datetime | None]

    memberships: Mapped[list[Membership]] = relationship(
        back_populates="person", foreign_keys="Membership.person_id"
    )


class Decision:
    """Columns of what a second person approves, or somebody rejects or takes back."""

    approved_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    approved_at: Mapped[datetime.datetime | None]
    rejected_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    rejected_at: Mapped[datetime.datetime | None]


class Proposal(Decision):
    """Columns of what one person proposes and another decides."""

    proposed_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    proposed_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())


class Membership(db.Model):  # type: ignore[name-defined]
    """A role, for one facility, one exhibition or the whole programme, between two moments."""

    __tablename__ = "memberships"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    role: Mapped[str]
    #: Null for finance and auditors: all facilities.
    facility_id: Mapped[int | None] = mapped_column(ForeignKey("facilities.id"))
    exhibition_id: Mapped[int | None] = mapped_column(ForeignKey("exhibitions.id"))
    valid_from: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    valid_until: Mapped[datetime.datetime | None]
    granted_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))

    person: Mapped[Person] = relationship(back_populates="memberships", foreign_keys=[person_id])


class RoleProposal(Proposal, db.Model):  # type: ignore[name-defined]
    """A role that one administrator proposes and another gives (`people.roles`)."""

    __tablename__ = "role_proposals"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    role: Mapped[str]
    #: Null: the whole programme, or a fair.
    facility_id: Mapped[int | None] = mapped_column(ForeignKey("facilities.id"))
    #: The fair that a cashier sells at.
    exhibition_id: Mapped[int | None] = mapped_column(ForeignKey("exhibitions.id"))
    #: The last day; auditors have one.
    role_until: Mapped[datetime.date | None]
    #: What came of it.
    membership_id: Mapped[int | None] = mapped_column(ForeignKey("memberships.id"))


class Session(db.Model):  # type: ignore[name-defined]
    """One sign-in on one device. Ended by a date in the row, so a copied cookie dies with it."""

    __tablename__ = "sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: SHA-256 of the token in the cookie.
    token_hash: Mapped[bytes]
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    last_seen_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    expires_at: Mapped[datetime.datetime]
    ended_at: Mapped[datetime.datetime | None]
    user_agent: Mapped[str] = mapped_column(default="")
    #: Came by a link that was mailed, not by a password.
    by_link: Mapped[bool] = mapped_column(default=False)
    #: The password was right; it opens nothing but the page that asks for the code.
    waits_for_factor: Mapped[bool] = mapped_column(default=False)
    #: When the code was right.
    factor_at: Mapped[datetime.datetime | None]
    #: When its owner last showed who they are.
    proven_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())

    person: Mapped[Person] = relationship()


class LoginAttempt(db.Model):  # type: ignore[name-defined]
    """One try at a password, an order's token or a PIN; counted over all processes."""

    __tablename__ = "login_attempts"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: One of `attempts.LIMITS`.
    kind: Mapped[str]
    #: Keyed hash of the e-mail, the order number …
    subject: Mapped[bytes]
    #: Keyed hash of the caller's network.
    network: Mapped[bytes]
    at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    succeeded: Mapped[bool]


class MailedLink(db.Model):  # type: ignore[name-defined]
    """A letter with a link that works once, for a short while (`people.links`)."""

    __tablename__ = "mailed_links"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: `sign_in` or `new_email`.
    purpose: Mapped[str]
    #: SHA-256 of the token, which is computed and never kept; None for the moment in which the row is made.
    token_hash: Mapped[bytes | None]
    #: Lower case: where the letter goes.
    email: Mapped[str]
    #: `new_email`: whose address is to change.
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    #: The address before the change, until it has been told.
    former_email: Mapped[str | None]
    #: SHA-256 of what the asking browser keeps in its session.
    browser_hash: Mapped[bytes | None]
    #: A page of ours that it leads to, empty for none.
    back: Mapped[str] = mapped_column(default="")
    locale: Mapped[str]
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    expires_at: Mapped[datetime.datetime]
    sent_at: Mapped[datetime.datetime | None]
    used_at: Mapped[datetime.datetime | None]


class LetterChoice(db.Model):  # type: ignore[name-defined]
    """Whether an address wants a kind of letter (`people.letter_choices`)."""

    __tablename__ = "letter_choices"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Lower case.
    email: Mapped[str]
    kind: Mapped[str]
    wanted: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    changed_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())


class DataRequest(db.Model):  # type: ignore[name-defined]
    """Somebody wants to see or erase what is kept about them (`people.data_requests`)."""

    __tablename__ = "data_requests"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Lower case; None: it concerns one order alone, or is done.
    email: Mapped[str | None]
    # A room above this one has the orders; here it is known that they have ids.
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    locale: Mapped[str]
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    #: The link opens nothing after this.
    expires_at: Mapped[datetime.datetime]
    sent_at: Mapped[datetime.datetime | None]
    #: Erasing was asked for; what is still needed waits.
    erase_at: Mapped[datetime.datetime | None]
    #: Nothing is left.
    erased_at: Mapped[datetime.datetime | None]


class Invitation(db.Model):  # type: ignore[name-defined]
    """Somebody is asked to work here: by a head as coordinator, or by the office in any role (`people.invitations`)."""

    __tablename__ = "invitations"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: None: the whole programme.
    facility_id: Mapped[int | None] = mapped_column(ForeignKey("facilities.id"))
    #: A cashier's fair.
    exhibition_id: Mapped[int | None] = mapped_column(ForeignKey("exhibitions.id"))
    role: Mapped[str] = mapped_column(default="coordinator")
    #: The last day of the role; auditors have one.
    role_until: Mapped[datetime.date | None]
    #: Sent only when a second administrator has agreed.
    by_office: Mapped[bool] = mapped_column(default=False)
    approved_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    approved_at: Mapped[datetime.datetime | None]
    #: Lower case.
    email: Mapped[str]
    name: Mapped[str]
    locale: Mapped[str] = mapped_column(default="id")
    #: SHA-256 of the token, which is computed and never kept; None for the moment in which the row is made.
    token_hash: Mapped[bytes | None]
    invited_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    invited_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    expires_at: Mapped[datetime.datetime]
    accepted_at: Mapped[datetime.datetime | None]
    accepted_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    withdrawn_at: Mapped[datetime.datetime | None]
    withdrawn_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
