"""What the bank is asked to pay: the form of its files, agreed on long ago, and one file that waits."""

from __future__ import annotations

import datetime

from sqlalchemy import select

from storefront.audit.record import dated
from storefront.bank import payment_files, payment_shapes
from storefront.bank.payment_shape import USUAL
from storefront.books.models import Settlement
from storefront.days import today as accounting_today
from storefront.demo.moments import at, days
from storefront.extensions import db


def add(first: int, second: int, today: datetime.date) -> None:
    """`first` proposes the form and makes the file of the oldest approved settlement; `second` agrees to the form."""
    since = today - days(400)
    with dated(at(since, 10)):
        shape = payment_shapes.propose(USUAL, first)
    with dated(at(since + days(1), 9)):
        payment_shapes.approve(shape.id, second)
    waits = db.session.scalar(
        select(Settlement.id)
        .where(Settlement.state == "approved", Settlement.bank_account_id.is_not(None))
        .order_by(Settlement.id)
        .limit(1)
    )
    if waits is not None:
        with dated(at(today, 0)):
            payment_files.make([waits], [], pay_on=max(today, accounting_today()), person_id=first)
