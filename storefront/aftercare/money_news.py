"""*Kabar karya*: one message says that an order's shares have really moved, with date and NTPN; never a second.

It goes out when all of them have. After sixty days it goes out with what has moved by then, the rest named as on its
way: nobody waits for ever for the slowest. Who does not want it reads the same on the order's page.
"""

from __future__ import annotations

import datetime
from typing import Any

import structlog
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from storefront.aftercare.models import MoneyNews
from storefront.aftercare.money_moved import Share, shares
from storefront.days import accounting_day, begins
from storefront.extensions import db
from storefront.mail.models import Message
from storefront.mail.owe import owe
from storefront.orders.messages import tells
from storefront.orders.models import Order, OrderState

log = structlog.get_logger("storefront.aftercare")

#: Days after payment on which it is told what has moved by then.
PATIENCE = 60
#: Orders paid longer ago are not looked at any more.
FORGOTTEN_AFTER = 150
#: Orders looked at together, so that what is read stays small.
AT_ONCE = 5000


def tell_moved(today: datetime.date | None = None) -> int:
    """Tell of every order whose time has come; how many. Commits after each lot; the same again changes nothing."""
    today = today or accounting_day(db.session.execute(select(func.now())).scalar_one())
    since, last, told = today - datetime.timedelta(days=FORGOTTEN_AFTER), 0, 0
    while True:
        ids = untold(since, last)
        if not ids:
            break
        last = ids[-1]
        for order_id, found in shares(ids, since).items():
            told += tell(order_id, found, today)
        db.session.commit()
    if told:
        log.info("told where the money went", orders=told)
    return told


def news_of(order_id: int) -> tuple[MoneyNews, list[Share]] | None:
    """What was told of an order; None: nothing yet."""
    news = db.session.get(MoneyNews, order_id)
    return (news, [Share.read(kept) for kept in news.shares]) if news else None


def wants_news(order: Order, wanted: bool) -> None:
    """The shopper says whether they want the message. Never commits."""
    order.wants_news = wanted
    db.session.flush()


@tells("money_news")
def of_message(message: Message) -> dict[str, Any]:
    """What the letter speaks of."""
    found = news_of(message.order_id) if message.order_id is not None else None
    assert found is not None
    return {"news": found[0], "shares": found[1]}


def is_due(found: list[Share], paid_on: datetime.date, today: datetime.date) -> bool:
    """Whether it is told today: all has moved, or some has and the patience is over."""
    moved = [share for share in found if share.moved_on]
    if len(moved) == len(found):
        return bool(found)
    return bool(moved) and today >= paid_on + datetime.timedelta(days=PATIENCE)


def untold(since: datetime.date, after: int = 0) -> list[int]:
    """Ids of orders paid since a day that were not told of, from `after` on, so many as are looked at together."""
    query = (
        select(Order.id)
        .outerjoin(MoneyNews, MoneyNews.order_id == Order.id)
        .where(
            Order.state == OrderState.PAID.value,
            Order.paid_at >= begins(since),
            Order.id > after,
            MoneyNews.order_id.is_(None),
        )
        .order_by(Order.id)
        .limit(AT_ONCE)
    )
    return list(db.session.scalars(query))


def tell(
    order_id: int, found: list[Share], today: datetime.date, told_at: datetime.datetime | None = None
) -> bool:
    """Tell of one order if it is due, and say whether it was; history names its own moment. Never commits."""
    order = db.session.get_one(Order, order_id)
    assert order.paid_at is not None
    if not is_due(found, accounting_day(order.paid_at), today):
        return False
    written = db.session.execute(
        upsert(MoneyNews)
        .values(
            order_id=order_id,
            **({"told_at": told_at} if told_at else {}),
            is_whole=all(share.moved_on for share in found),
            shares=[share.written() for share in found],
        )
        .on_conflict_do_nothing(index_elements=["order_id"])
        .returning(MoneyNews.order_id)
    ).scalar()
    if written is None:  # another run was faster
        return False
    if order.wants_news:
        owe("money_news", order_id)
    return True
