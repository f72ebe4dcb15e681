"""What happens to carts when their owner signs in, or brings one along from another device.

Nothing disappears: what lies in both adds up as far as there is stock, what has no room is put by, and all of it is
told with the cart (`Cart.news`) until its owner has read it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert

from storefront.cart import carts, kept, lines, own_holds
from storefront.cart.lines import MOST_PIECES
from storefront.cart.models import Cart, CartLine, KeptLine
from storefront.catalogue.models import Variant
from storefront.extensions import db


@dataclass(frozen=True)
class News:
    """What happened to one SKU when carts were put together.

    `kind`: `joined` (it lay in the other cart alone), `added` (in both: it adds up), `capped` (it would, but there are
    not as many), `raised` (to the other cart's number) or `saved` (the cart is full: put by for later).
    """

    kind: str
    sku: str
    #: Pieces that lay here, in the other cart, and that lie here now.
    here: int
    other: int
    now: int


def merge_into(person_id: int, token: str | None) -> None:
    """Give the guest's open cart `token` to the person, with what lay in their other open carts.

    Of what lies in several the pieces add up within stock; the others are gone then, so that signing in twice changes
    nothing. A cart that is ordered, unknown or somebody else's is left alone, but for what was put by beside it.
    Never commits.
    """
    guest = carts.current(token, person_id) if token else None
    if guest is None or guest.token_hash != carts.token_hash(token or ""):
        _bring_saved(person_id, token)
        return
    # Of two devices that sign in at once the second sees what the first has made.
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"carts of {person_id}", 0))))
    query = select(Cart.id).where(Cart.person_id == person_id, Cart.order_id.is_(None), Cart.id != guest.id)
    locked = _locked([guest.id, *db.session.scalars(query)])
    own_cart = locked.get(guest.id)
    if own_cart is None or own_cart.order_id is not None or own_cart.person_id not in (None, person_id):
        return
    others = [cart_id for cart_id, cart in locked.items() if cart.order_id is None and cart_id != guest.id]
    if others:
        own = own_holds.pieces_of(own_holds.of_person(person_id))
        tell(guest.id, [_put(guest.id, line, own, adds=True) for line in _lines_of(others, guest.id)])
        kept.gather(guest.id, others)
        own_cart.place = next(filter(None, (locked[each].place for each in (guest.id, *others))), None)
        db.session.execute(delete(Cart).where(Cart.id.in_(others)))
    own_cart.person_id = person_id
    carts.touch(guest.id)


def bring(source: int, target: int, own: Mapping[int, int]) -> None:
    """Have in the cart `target` what lies in `source` and beside it, which stays as it is. Twice is once.

    Of what lies in both the larger number counts. Never commits. Raises `CartClosed`.
    """
    carts.lock_open(target)
    tell(target, [_put(target, line, own, adds=False) for line in _lines_of([source], target)])
    fields = (KeptLine.variant_id, KeptLine.shelf, KeptLine.quantity, KeptLine.unit_price_shown, KeptLine.added_at)
    saved = select(literal(target), *fields).where(KeptLine.cart_id == source, KeptLine.shelf == "saved")
    columns = ["cart_id", *(field.key for field in fields)]
    db.session.execute(insert(KeptLine).from_select(columns, saved).on_conflict_do_nothing())
    carts.touch(target)


def tell(cart_id: int, news: Sequence[News | None]) -> None:
    """Keep what happened with the cart, after what has not been read yet."""
    found = [asdict(each) for each in news if each is not None]
    if not found:
        return
    before = db.session.scalar(select(Cart.news).where(Cart.id == cart_id)) or []
    skus = {each["sku"] for each in found}
    said = [*(each for each in before if each["sku"] not in skus), *found]
    db.session.execute(update(Cart).where(Cart.id == cart_id).values(news=said))


def understood(cart_id: int) -> None:
    """It has been read."""
    db.session.execute(update(Cart).where(Cart.id == cart_id).values(news=None))


def _locked(cart_ids: Sequence[int]) -> dict[int, Cart]:
    """Those of the carts that are still there, locked in one order for all that lock several."""
    query = select(Cart).where(Cart.id.in_(cart_ids)).order_by(Cart.id).with_for_update()
    return {cart.id: cart for cart in db.session.scalars(query.execution_options(populate_existing=True))}


def _bring_saved(person_id: int, token: str | None) -> None:
    """What a guest has put by beside a cart that became an order is the person's from now on."""
    before = kept.carts_of(None, token, None)
    if not before:
        return
    cart = carts.current(None, person_id)
    cart_id = cart.id if cart is not None else carts.create(person_id)[0].id
    carts.lock(cart_id)
    kept.gather(cart_id, before)


def _lines_of(sources: Sequence[int], target: int) -> Sequence[Any]:
    """What lies in `sources`, the oldest first, beside what lies in `target` of the same."""
    newest = aggregate_order_by(CartLine.unit_price_shown, CartLine.added_at.desc())
    there = select(CartLine).where(CartLine.cart_id == target).subquery()
    return db.session.execute(
        select(
            Variant,
            func.least(func.sum(CartLine.quantity), MOST_PIECES).label("quantity"),
            func.array_agg(newest)[1].label("price"),
            func.max(CartLine.added_at).label("added_at"),
            func.coalesce(func.max(there.c.quantity), 0).label("there"),
            func.max(there.c.added_at).label("there_at"),
            func.max(there.c.unit_price_shown).label("there_price"),
        )
        .join(Variant, Variant.id == CartLine.variant_id)
        .outerjoin(there, there.c.variant_id == CartLine.variant_id)
        .where(CartLine.cart_id.in_(sources))
        .group_by(Variant.id)
        .order_by(func.min(CartLine.added_at), Variant.id)
    ).all()


def _put(target: int, line: Any, own: Mapping[int, int], *, adds: bool) -> News | None:
    """Put one line of the other carts into the target; what happened, None when nothing did."""
    there, other, sku = int(line.there), int(line.quantity), line.Variant.sku
    kind, now = ("added", there + other) if adds else ("raised", max(there, other))
    if not there:
        kind, now = "joined", other
        if lines.is_full(target):
            _keep(KeptLine, target, line, other, shelf="saved")
            return News("saved", sku, 0, other, other)
    elif adds:
        # Never fewer than one of the carts asked for, whose line says so.
        most = min(MOST_PIECES, max(lines.pieces_for(line.Variant, own), there, other))
        if now > most:
            kind, now = "capped", most
    if now == there and kind == "raised":
        return None
    _keep(CartLine, target, line, now)
    return News(kind, sku, there, other, now)


def _keep(source: Any, target: int, line: Any, quantity: int, **more: Any) -> None:
    """Write the line with the price that was seen last."""
    is_newer = line.there_at is None or line.added_at > line.there_at
    values = {"quantity": quantity, "unit_price_shown": line.price if is_newer else line.there_price}
    statement = insert(source).values(
        cart_id=target, variant_id=line.Variant.id, added_at=line.added_at, **values, **more
    )
    keys = ["cart_id", "variant_id", *more]
    db.session.execute(statement.on_conflict_do_update(index_elements=keys, set_=values))
