"""*Kabari saya*: an address that is told once when a variant is back, and then forgotten.

Nobody is written to by a stranger's hand: the first letter only asks, and nothing follows unless its link is used.
The row is the debt, as a row of `messages` is for orders; an address lies nowhere else and goes with the row.
"""

from __future__ import annotations

import datetime
import hmac
from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import RowMapping, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from storefront.catalogue.cards import in_language
from storefront.catalogue.models import StockAlert
from storefront.errors import DomainError, Invalid, NotFound, TooManyRequests
from storefront.extensions import db, defer
from storefront.keyed import in_address, keyed_check
from storefront.mail.address import is_email
from storefront.mail.transport import send
from storefront.mail.write import address_of, letter
from storefront.people import letter_choices
from storefront.people.attempts import keyed_hash, network_of

#: Requests of one network within an hour; letters that one address may be asked by; things that it may wait for.
PER_NETWORK, UNANSWERED, WAITING = 20, 5, 50
#: Somebody who lost the first letter gets another one after so long.
ASK_AGAIN = datetime.timedelta(hours=1)
#: Without their word within this time the address is forgotten; with it, after a year.
UNANSWERED_FOR, KEPT_FOR = datetime.timedelta(days=7), datetime.timedelta(days=365)

#: Variants as alerts need them; `is_there`: there are some, as pages say it.
VARIANTS = """
SELECT v.id, v.sku, v.title AS variant_title, v.title_en AS variant_title_en, p.slug, p.title, p.title_en,
       p.facility_id, v.product_id, v.made_to_order OR COALESCE(s.shown_state, 'sold_out') <> 'sold_out' AS is_there
  FROM variants v
  JOIN products p ON p.id = v.product_id AND p.status = 'published'
  JOIN facilities f ON f.id = p.facility_id AND f.status = 'active'
  LEFT JOIN stock_locations l ON l.facility_id = p.facility_id
  LEFT JOIN stock_levels s ON s.variant_id = v.id AND s.location_id = l.id
 WHERE v.is_active"""
BACK = f"""
SELECT a.id FROM stock_alerts a JOIN ({VARIANTS}) v ON v.id = a.variant_id
 WHERE a.confirmed_at IS NOT NULL AND v.is_there AND product_may_sell(v.product_id, accounting_date(now()))
   AND paused_until(v.facility_id, accounting_date(now())) IS NULL
   AND (CAST(:variant_ids AS bigint[]) IS NULL OR a.variant_id = ANY(:variant_ids))
 ORDER BY a.id"""  # noqa: S608 - both pieces are this file's own


class AlreadyThere(DomainError):
    """It can be bought: there is nothing to wait for."""

    code, status = "already_there", 409
    message = _("Karya ini sudah ada lagi. Kembali ke halamannya dan masukkan ke keranjang.")


def ask(sku: str, email: str, locale: str, *, address: str | None = None, limited: bool = True) -> None:
    """Somebody at the network `address` wants `email` to be told when `sku` is back: queue the letter that asks it.

    The same happens, as far as anybody can see, whether or not the address waits already. Raises NotFound, Invalid
    (`email`), AlreadyThere, TooManyRequests. Never commits.
    """
    email = email.strip().lower()
    variant = _variant("v.sku = :sku", sku=sku.strip().upper()[:40])
    if variant is None:
        raise NotFound()
    if not is_email(email):
        raise Invalid({"email": _("Tulis alamat surel yang lengkap, misalnya nama@contoh.id.")})
    if variant["is_there"] and variant["may_sell"]:
        raise AlreadyThere()
    network = keyed_hash(network_of(address))
    if limited and not _within_limits(email, network):
        return
    forgotten = StockAlert.confirmed_at.is_(None) & (StockAlert.created_at < func.now() - ASK_AGAIN)
    same = (StockAlert.email == email) & (StockAlert.variant_id == variant["id"])
    db.session.execute(delete(StockAlert).where(same, forgotten))
    alert_id = db.session.scalar(
        insert(StockAlert)
        .values(variant_id=variant["id"], email=email, locale=locale, network=network)
        .on_conflict_do_nothing()
        .returning(StockAlert.id)
    )
    if alert_id is not None:
        defer("catalogue.ask_for_word", alert_id=alert_id)


def token(alert: StockAlert) -> str:
    """What opens the alert's page: its number and a keyed check. It ends with the row."""
    return f"{alert.id}-{_check(alert)}"


def find(given: str) -> StockAlert:
    """The alert that a letter's link names. Raises NotFound, also when it has ended."""
    number, _dash, check = given.partition("-")
    known = number.isascii() and number.isdecimal() and len(number) < 19
    alert = db.session.get(StockAlert, int(number)) if known else None
    expected = _check(alert) if alert is not None else "-" * 22
    if not hmac.compare_digest(expected.encode(), check.encode(errors="replace")) or alert is None:
        raise NotFound()
    return alert


def confirm(alert: StockAlert) -> None:
    """They gave their word; if it is back by now they are told at once."""
    letter_choices.choose(alert.email, letter_choices.BACK_IN_STOCK, True)  # what they say last counts
    if alert.confirmed_at is None:
        alert.confirmed_at = db.session.execute(select(func.now())).scalar_one()
        db.session.flush()
        queue_letters([alert.variant_id])


def stop(alert: StockAlert) -> None:
    """They do not want to be told (any more): the address goes."""
    db.session.delete(alert)
    db.session.flush()


def forget(email: str) -> int:
    """Delete all that waits under an address; returns how many."""
    return _deleted(StockAlert.email == email.strip().lower())


def forget_old() -> int:
    """Delete what was never confirmed, and what has waited for a year; returns how many."""
    unanswered = StockAlert.confirmed_at.is_(None) & (StockAlert.created_at < func.now() - UNANSWERED_FOR)
    return _deleted(unanswered | (StockAlert.created_at < func.now() - KEPT_FOR))


def queue_letters(variant_ids: Sequence[int] | None) -> int:
    """Queue a letter for everybody who waits for one of these variants (None: any) that is back. Never commits."""
    ids = db.session.scalars(
        text(BACK), {"variant_ids": None if variant_ids is None else list(variant_ids)}
    ).all()
    for alert_id in ids:
        lock = f"alert:{alert_id}"
        defer("catalogue.tell_back", options={"lock": lock, "queueing_lock": lock}, alert_id=alert_id)
    return len(ids)


def ask_for_word(alert_id: int) -> None:
    """Send the letter that asks whether they want to be told; commits. Raises MailNotTaken."""
    alert = db.session.get(StockAlert, alert_id)
    if alert is None or alert.asked_at is not None:
        return
    if not letter_choices.may_tell(alert.email, letter_choices.BACK_IN_STOCK):
        stop(alert)
        db.session.commit()
        return
    _send("alert_confirm", f"alert:{alert_id}:ask", alert)
    alert = db.session.get(StockAlert, alert_id, with_for_update=True, populate_existing=True)
    if alert is not None:
        alert.asked_at = db.session.execute(select(func.now())).scalar_one()
    db.session.commit()


def tell_back(alert_id: int) -> None:
    """Say that it is back and forget the address; commits. Says nothing when it is gone again. Raises MailNotTaken."""
    alert = db.session.get(StockAlert, alert_id)
    back = alert is not None and alert_id in db.session.scalars(text(BACK), {"variant_ids": [alert.variant_id]}).all()
    if alert is None or not back:
        db.session.rollback()
        return
    if not letter_choices.may_tell(alert.email, letter_choices.BACK_IN_STOCK):
        stop(alert)
        db.session.commit()
        return
    _send("alert_back", f"alert:{alert_id}:back", alert)
    _deleted(StockAlert.id == alert_id)
    db.session.commit()


def _send(kind: str, key: str, alert: StockAlert) -> None:
    """Send a letter about an alert, outside any transaction."""
    variant = _variant("v.id = :id", id=alert.variant_id)
    locale, to, page = alert.locale, alert.email, address_of(f"/notify/{token(alert)}", alert.locale)
    written = None
    if variant is not None:
        product = address_of(f"/products/{variant['slug']}?sku={variant['sku']}", locale)
        known = {"title": title_of(variant, locale), "product": product, "page": page}
        end = letter_choices.unsubscribe_link(to, letter_choices.BACK_IN_STOCK, locale)
        written = letter(kind, key, to, locale, **known, unsubscribe=end)
    db.session.rollback()
    if written is not None:
        send(written)


def title_of(variant: Any, locale: str) -> str:
    """`Baju koko, L`."""
    return ", ".join(filter(None, (in_language(variant, name, locale) for name in ("title", "variant_title"))))


def variant_of(alert: StockAlert) -> RowMapping | None:
    """What an alert waits for; None while the public does not see it."""
    return _variant("v.id = :id", id=alert.variant_id)


def _variant(which: str, **known: Any) -> RowMapping | None:
    may_sell = """product_may_sell(v.product_id, accounting_date(now()))
        AND paused_until(v.facility_id, accounting_date(now())) IS NULL AS may_sell"""
    query = f"SELECT v.*, {may_sell} FROM ({VARIANTS}) v WHERE {which}"  # noqa: S608 - this file's own pieces
    return db.session.execute(text(query), known).mappings().one_or_none()


def _within_limits(email: str, network: bytes) -> bool:
    """Whether a letter may go to this address. Raises TooManyRequests for a network that asks too often.

    Those for one address wait for each other, so that the limit holds.
    """
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("alert:" + email, 0))))
    lately = StockAlert.created_at > func.now() - datetime.timedelta(hours=1)
    from_network, unanswered, all_ = db.session.execute(
        select(
            select(func.count()).where(StockAlert.network == network, lately).scalar_subquery(),
            select(func.count()).where(StockAlert.email == email, StockAlert.confirmed_at.is_(None)).scalar_subquery(),
            select(func.count()).where(StockAlert.email == email).scalar_subquery(),
        )
    ).one()
    if from_network >= PER_NETWORK:
        raise TooManyRequests()
    return bool(unanswered < UNANSWERED and all_ < WAITING)


def _check(alert: StockAlert) -> str:
    """128 bits over what the row is; another row under the same number would have another."""
    said = f"{alert.id}|{alert.variant_id}|{alert.email}|{alert.created_at.timestamp()}"
    return in_address(keyed_check("storefront stock alert", said)[:16])


def _deleted(condition: Any) -> int:
    return db.session.execute(delete(StockAlert).where(condition)).rowcount  # type: ignore[attr-defined]
