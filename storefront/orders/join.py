"""Orders placed as a guest become a person's own once it is known that they read the address; never before."""

from __future__ import annotations

from sqlalchemy import select, update

from storefront.audit.record import record
from storefront.extensions import db
from storefront.orders.models import Order, OrderContact
from storefront.people.models import Person


def join_orders(person: Person) -> int:
    """Give the person the orders of their proven address that are nobody's yet; how many. Never commits."""
    if person.email_proven_at is None:
        return 0
    guests = (
        select(Order.id)
        .join(OrderContact, OrderContact.order_id == Order.id)
        .where(OrderContact.email == person.email, Order.person_id.is_(None))
        .order_by(Order.id)
        .with_for_update(of=Order, key_share=True)
    )
    ids = list(db.session.scalars(guests))
    if ids:
        # A lock that was waited for shows the row as it is now: whoever has it by then keeps it.
        nobodys = (Order.id.in_(ids)) & Order.person_id.is_(None)
        db.session.execute(
            update(Order).where(nobodys).values(person_id=person.id).execution_options(synchronize_session=False)
        )
        record("orders.joined", "person", person.id, person_id=person.id, details={"orders": len(ids)})
    return len(ids)


def may_be_kept(order_id: int) -> str | None:
    """The address to which the way into an account goes for an order that is nobody's; None: there is none."""
    return db.session.scalar(
        select(OrderContact.email)
        .join(Order, Order.id == OrderContact.order_id)
        .where(Order.id == order_id, Order.person_id.is_(None), OrderContact.email.is_not(None))
    )
