"""The life of a registered account, of whatever kind: proposed, approved or rejected, in force, ended.

One person proposes each step and another approves it. A new account ends the one before it on the day before its
first, so on any day at most one of an owner is in force; none ends before the last day on which money moved there.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, or_, select

from storefront.audit.record import record
from storefront.books.connect_models import ConnectedAccount
from storefront.books.four_eyes import Decided, moment, require_second
from storefront.books.models import BankAccount
from storefront.display import format_date
from storefront.errors import Invalid, NotFound
from storefront.extensions import db
from storefront.ledger.balance import lock_accounts

A = TypeVar("A", BankAccount, ConnectedAccount)
Facts = dict[str, str | None]
ONE_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Register(Generic[A]):
    """What the accounts of one kind have of their own; the steps are the same."""

    model: type[A]
    #: In the audit trail, such as `bank_account`.
    noun: str
    #: Accounts of the same owner.
    of_owner: Callable[[A], ColumnElement[bool]]
    #: What whoever decides on an account holds, so that two are decided one after the other.
    lock: Callable[[A], str]
    #: The last day on which money moved there, if any did after the day that is given.
    used_after: Callable[[A, datetime.date], datetime.date | None]
    #: What an account is, for the audit trail; never its whole number.
    facts: Callable[[A], Facts]
    #: Sentences: another one begins too late to be ended; money moved there on a day.
    in_the_way: Callable[[A], str]
    still_used: Callable[[datetime.date], str]

    def propose(self, account: A, person_id: int, at: datetime.datetime | None) -> A:
        """Write an account down; it counts once somebody else has approved it."""
        account.proposed_by, account.proposed_at = person_id, moment(at)
        db.session.add(account)
        db.session.flush()
        self._record(account, "proposed", person_id)
        return account

    def approve(
        self,
        account_id: int,
        person_id: int,
        at: datetime.datetime | None,
        check: Callable[[A], None] = lambda account: None,
    ) -> A:
        """A second person registers the account, which ends the one before it; `check` may refuse it first.

        Raises FourEyes, Decided, NotFound, and Invalid when its days overlap with another's.
        """
        account = self._waiting(account_id)
        require_second(account.proposed_by, person_id)
        lock_accounts([self.lock(account)])
        check(account)
        self._make_room(account, person_id)
        account.approved_by, account.approved_at = person_id, moment(at)
        db.session.flush()
        self._record(account, "approved", person_id)
        return account

    def reject(self, account_id: int, person_id: int) -> A:
        """Decide against an account that waits. Who proposed it may take it back. Raises Decided, NotFound."""
        account = self._waiting(account_id)
        account.rejected_by, account.rejected_at = person_id, moment(None)
        db.session.flush()
        self._record(account, "rejected", person_id)
        return account

    def propose_end(self, account_id: int, last_day: datetime.date, person_id: int) -> A:
        """Name the last day of a registered account. Raises Invalid, Decided, NotFound."""
        account = self._registered(account_id)
        if last_day < account.valid_from:
            raise Invalid({"end_on": _("Hari terakhir tidak bisa sebelum hari pertama.")})
        if account.valid_to is not None and last_day >= account.valid_to:
            raise Invalid(
                {"end_on": _("Rekening ini sudah berakhir pada %(day)s.", day=format_date(account.valid_to))}
            )
        self._refuse_if_used_after(account, last_day, "end_on")
        before = self._facts(account)
        account.end_on, account.end_proposed_by, account.end_approved_by = last_day, person_id, None
        db.session.flush()
        self._record(account, "end_proposed", person_id, before)
        return account

    def approve_end(self, account_id: int, person_id: int) -> A:
        """A second person agrees that the account ends. Raises FourEyes, Decided, Invalid, NotFound."""
        account = self._registered(account_id)
        if account.end_on is None or (account.valid_to is not None and account.end_on >= account.valid_to):
            raise Decided()
        require_second(account.end_proposed_by, person_id)
        lock_accounts([self.lock(account)])
        self._refuse_if_used_after(account, account.end_on, "end_on")
        before = self._facts(account)
        account.valid_to, account.end_approved_by = account.end_on, person_id
        db.session.flush()
        self._record(account, "ended", person_id, before)
        return account

    def _make_room(self, account: A, person_id: int) -> None:
        """End the account before this one on the day before it; refuse what would still overlap."""
        model, last = self.model, account.valid_to or datetime.date.max
        others = db.session.scalars(
            select(model).where(
                self.of_owner(account),
                model.approved_at.is_not(None),
                model.valid_from <= last,
                or_(model.valid_to.is_(None), model.valid_to >= account.valid_from),
            )
        )
        for other in others:
            if other.valid_from >= account.valid_from:
                raise Invalid({"valid_from": self.in_the_way(other)})
            last_day = account.valid_from - ONE_DAY
            self._refuse_if_used_after(other, last_day, "valid_from")
            before = self._facts(other)
            other.valid_to = last_day
            self._record(other, "ended", person_id, before)
        # Before the new one counts: the two must never overlap, not even in between.
        db.session.flush()

    def _refuse_if_used_after(self, account: A, last_day: datetime.date, field: str) -> None:
        latest = self.used_after(account, last_day)
        if latest is not None:
            raise Invalid({field: self.still_used(latest)})

    def _locked(self, account_id: int) -> A:
        account = db.session.get(self.model, account_id, with_for_update=True, populate_existing=True)
        if account is None:
            raise NotFound()
        return account

    def _waiting(self, account_id: int) -> A:
        account = self._locked(account_id)
        if account.approved_at is not None or account.rejected_at is not None:
            raise Decided()
        return account

    def _registered(self, account_id: int) -> A:
        account = self._locked(account_id)
        if account.approved_at is None or account.end_approved_by is not None:
            raise Decided()
        return account

    def _facts(self, account: A) -> Facts:
        days = {name: getattr(account, name) for name in ("valid_from", "valid_to", "end_on")}
        return {
            **self.facts(account),
            "permission_letter": account.permission_letter,
            **{name: day.isoformat() if day else None for name, day in days.items()},
        }

    def _record(self, account: A, what: str, person_id: int, before: Facts | None = None) -> None:
        """Write a step to the audit trail; `before` are the account's facts before one that changed it."""
        record(
            f"{self.noun}.{what}",
            self.noun,
            account.id,
            person_id=person_id,
            facility_id=account.facility_id,
            details={"before": before, "after": self._facts(account)},
        )
