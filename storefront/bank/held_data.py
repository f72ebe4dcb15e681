"""Accounts that shoppers gave so that their money comes back: shown to their owner, deleted once it has."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from storefront.bank.models import BankReturn, ReturnAccount
from storefront.bank.returns import delete_account
from storefront.extensions import db
from storefront.orders.held_data import order_ids
from storefront.orders.models import Order
from storefront.people import personal_data
from storefront.people.personal_data import Subject, Waits


@personal_data.holder
class ReturnAccounts:
    """Bank accounts of shoppers, while money is on its way to them."""

    name = "return_accounts"
    title = _l("Rekening untuk uang yang kembali")
    covers = frozenset({"return_accounts.bank", "return_accounts.number", "return_accounts.holder"})

    def export(self, who: Subject) -> list[dict[str, Any]]:
        rows = db.session.execute(
            select(ReturnAccount, BankReturn, Order.number)
            .join(BankReturn, BankReturn.id == ReturnAccount.return_id)
            .join(Order, Order.id == BankReturn.order_id)
            .where(BankReturn.order_id.in_(order_ids(who)))
            .order_by(BankReturn.id)
        )
        return [
            {
                "order": number,
                "amount": back.amount,
                "bank": account.bank,
                "number": account.number,
                "holder": account.holder,
                "given_at": account.given_at.isoformat(),
            }
            for account, back, number in rows
        ]

    def waits(self, who: Subject) -> list[Waits]:
        rows = db.session.execute(
            select(BankReturn.order_id, Order.number)
            .join(Order, Order.id == BankReturn.order_id)
            .where(BankReturn.order_id.in_(order_ids(who)), BankReturn.state != "paid")
            .distinct()
        )
        return [
            Waits(_("Uang dari pesanan %(number)s kami kirim ke rekening Anda.", number=number), None, order_id)
            for order_id, number in rows
        ]

    def forget(self, who: Subject, held: frozenset[int]) -> int:
        query = (
            select(ReturnAccount.return_id)
            .join(BankReturn, BankReturn.id == ReturnAccount.return_id)
            .where(BankReturn.order_id.in_(set(order_ids(who)) - held))
        )
        ids = db.session.scalars(query).all()
        for return_id in ids:
            delete_account(return_id)
        return len(ids)
