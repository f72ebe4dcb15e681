"""What the public sees of stock and price follows the facts; a purchase does not wait for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from storefront.catalogue import version
from storefront.catalogue.models import Listing, Product, Variant
from storefront.catalogue.shown_state import FEW, refresh_shown_state
from storefront.stock import levels
from storefront.stock.adjust import move
from storefront.stock.levels import store_location_id
from tests.factories import make_order, make_product, make_rule, make_variant

pytestmark = pytest.mark.usefixtures("db_session")


def listing(product: Product, session: Session) -> Listing | None:
    return session.scalar(
        select(Listing).where(Listing.product_id == product.id).execution_options(populate_existing=True)
    )


def state(product: Product, session: Session) -> str | None:
    found = listing(product, session)
    return found.state if found else None


def take(variant: Variant, product: Product, quantity: int, session: Session) -> None:
    move(variant.id, store_location_id(product.facility_id), quantity, "correction")
    session.commit()


def test_a_product_is_listed_once_it_is_published_and_has_a_variant(db_session: Session) -> None:
    product = make_product(status="draft", published_at=None)
    make_variant(product, price=80_000)
    make_variant(product, price=120_000)
    assert listing(product, db_session) is None
    db_session.execute(text("UPDATE products SET status = 'published', published_at = now()"))
    found = listing(product, db_session)
    assert found is not None
    assert (found.price_from, found.price_to) == (80_000, 120_000)
    db_session.execute(text("UPDATE variants SET is_active = false"))
    assert listing(product, db_session) is None


def test_a_new_price_is_listed_at_once(db_session: Session) -> None:
    product = make_product()
    make_variant(product, price=80_000)
    db_session.execute(text("UPDATE variants SET price = 95000"))
    found = listing(product, db_session)
    assert found is not None
    assert found.price_from == 95_000


def test_the_best_of_all_variants_is_shown(db_session: Session) -> None:
    product = make_product()
    empty = make_variant(product, stock=0)
    refresh_shown_state(None)
    assert state(product, db_session) == "sold_out"
    make_variant(product, made_to_order=True, lead_time_days=9)
    assert state(product, db_session) == "made_to_order"
    take(empty, product, 2, db_session)
    refresh_shown_state([empty.id])
    assert state(product, db_session) == "few_left"
    take(empty, product, 20, db_session)
    refresh_shown_state([empty.id])
    assert state(product, db_session) == "ready"


def test_a_sale_that_empties_the_shelf_shows_after_its_job(
    db_session: Session, run_jobs: Callable[[], None]
) -> None:
    make_rule()
    product = make_product()
    variant = make_variant(product, stock=FEW + 2)
    db_session.commit()
    run_jobs()
    assert state(product, db_session) == "ready"
    before = version.read()

    make_order((variant, 1))
    db_session.commit()
    run_jobs()
    assert state(product, db_session) == "ready"
    assert version.read() == before  # nothing that is shown has changed

    make_order((variant, 2))
    db_session.commit()
    assert version.read() == before  # never within the purchase
    run_jobs()
    assert state(product, db_session) == "few_left"
    assert version.read() != before

    make_order((variant, 2))
    db_session.commit()
    run_jobs()
    assert state(product, db_session) == "sold_out"


def test_pages_and_stock_agree_on_how_few_is_few() -> None:
    assert FEW == levels.FEW


def test_one_transaction_raises_the_version_once(db_session: Session) -> None:
    before = version.read()
    product = make_product()
    make_variant(product)
    make_variant(product)
    db_session.commit()
    assert version.read().number == before.number + 1


def test_the_web_cannot_write_listings(db_session: Session) -> None:
    make_variant(make_product())
    with pytest.raises(Exception, match="permission denied"):
        db_session.execute(text("UPDATE listings SET price_from = 1"))
