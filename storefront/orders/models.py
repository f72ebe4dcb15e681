"""Orders, lines as sold, shares, instalments, parcels, and the buyer's data apart from them."""

from __future__ import annotations

import datetime
import enum

from sqlalchemy import FetchedValue, ForeignKey, ForeignKeyConstraint, Integer, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.extensions import db
from storefront.orders import label_models  # noqa: F401 - made known with the others
from storefront.orders.batch_models import ParcelBatch  # noqa: F401 - the room's models come together


class OrderState(enum.StrEnum):
    """What the order row knows. The status people see is derived (view `order_status`)."""

    AWAITING_PAYMENT = "awaiting_payment"
    PAID = "paid"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class ParcelState(enum.StrEnum):
    """The life of a parcel; allowed steps stand in the table `parcel_transitions`."""

    WAITING = "waiting"
    TO_PACK = "to_pack"
    PACKED = "packed"
    SHIPPED = "shipped"
    READY = "ready"
    RECEIVED = "received"
    RETURNED = "returned"
    CANCELLED = "cancelled"


class Channel(enum.StrEnum):
    ONLINE = "online"
    COUNTER = "counter"
    QUOTE = "quote"
    MARKETPLACE = "marketplace"


class Order(db.Model):  # type: ignore[name-defined]
    """What one shopper bought at once, from one or several facilities."""

    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: For people: `KB-7Q2M-4XPA`, random.
    number: Mapped[str]
    #: Raised to revoke every link given out.
    token_version: Mapped[int] = mapped_column(SmallInteger, default=1)
    channel: Mapped[str]
    exhibition_id: Mapped[int | None] = mapped_column(ForeignKey("exhibitions.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    locale: Mapped[str]
    state: Mapped[str] = mapped_column(default=OrderState.AWAITING_PAYMENT.value)
    items_total: Mapped[int]
    shipping_total: Mapped[int]
    total: Mapped[int] = mapped_column(server_default=FetchedValue())
    placed_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    #: The hold on the pieces ends here.
    expires_at: Mapped[datetime.datetime]
    #: When its shopper had the hold extended; never a second time.
    hold_extended_at: Mapped[datetime.datetime | None]
    paid_at: Mapped[datetime.datetime | None]
    closed_at: Mapped[datetime.datetime | None]
    #: One letter when its shares have really moved; the shopper may say no.
    wants_news: Mapped[bool] = mapped_column(default=True)

    lines: Mapped[list[OrderLine]] = relationship(order_by="OrderLine.position", back_populates="order")
    parcels: Mapped[list[Parcel]] = relationship(order_by="Parcel.position", back_populates="order")
    instalments: Mapped[list[Instalment]] = relationship(order_by="Instalment.position")
    contact: Mapped[OrderContact | None] = relationship()
    address: Mapped[OrderAddress | None] = relationship()
    note: Mapped[OrderNote | None] = relationship()


class OrderLine(db.Model):  # type: ignore[name-defined]
    """A line as sold: never changed, whatever is edited later."""

    __tablename__ = "order_lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    position: Mapped[int] = mapped_column(Integer)
    variant_id: Mapped[int] = mapped_column(ForeignKey("variants.id"))
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    #: Where the pieces come from; None: made to order.
    location_id: Mapped[int | None] = mapped_column(ForeignKey("stock_locations.id"))
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    workshop_id: Mapped[int] = mapped_column(ForeignKey("workshops.id"))
    #: As it was: a rule may name it, and the product may move to another group.
    commodity_group_id: Mapped[int | None] = mapped_column(ForeignKey("commodity_groups.id"))
    split_rule_id: Mapped[int] = mapped_column(ForeignKey("split_rules.id"))
    #: Its product's, and its facility's region, when it was placed: the database writes both down.
    category_id: Mapped[int] = mapped_column(ForeignKey("categories.id"), server_default=FetchedValue())
    regional_office: Mapped[str] = mapped_column(server_default=FetchedValue())
    sku: Mapped[str]
    title: Mapped[str]
    title_en: Mapped[str]
    variant_title: Mapped[str] = mapped_column(default="")
    variant_title_en: Mapped[str] = mapped_column(default="")
    facility_code: Mapped[str]
    facility_name: Mapped[str]
    workshop_name: Mapped[str]
    quantity: Mapped[int] = mapped_column(Integer)
    unit_price: Mapped[int]
    net_amount: Mapped[int]
    #: Of the whole line.
    material_cost: Mapped[int]
    #: Of one piece.
    weight_g: Mapped[int] = mapped_column(Integer)
    lead_time_days: Mapped[int | None] = mapped_column(Integer)
    split_basis: Mapped[str]

    order: Mapped[Order] = relationship(back_populates="lines")
    shares: Mapped[list[OrderLineShare]] = relationship(order_by="OrderLineShare.position")


class OrderLineShare(db.Model):  # type: ignore[name-defined]
    """What a line gives to a fund, by the rule in force when it was placed."""

    __tablename__ = "order_line_shares"

    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_lines.id"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    fund_id: Mapped[int] = mapped_column(ForeignKey("funds.id"))
    #: None for material cost, which no rule's share divides.
    basis_points: Mapped[int | None] = mapped_column(Integer)
    amount: Mapped[int]
    is_material: Mapped[bool] = mapped_column(default=False)


class Instalment(db.Model):  # type: ignore[name-defined]
    """A part of the total that is paid by one payment; ordinary orders have one."""

    __tablename__ = "instalments"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    position: Mapped[int] = mapped_column(SmallInteger, default=1)
    amount: Mapped[int]
    due_at: Mapped[datetime.datetime]


class Parcel(db.Model):  # type: ignore[name-defined]
    """What one facility packs and sends (or lays ready) at once."""

    __tablename__ = "parcels"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    position: Mapped[int] = mapped_column(Integer)
    method_id: Mapped[int] = mapped_column(ForeignKey("shipping_methods.id"))
    is_pickup: Mapped[bool]
    shipping_amount: Mapped[int]
    #: What it would have cost, where its facility bears it; then nothing is charged.
    shipping_waived: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(default=ParcelState.WAITING.value)
    #: The day by which it is promised to leave; set when the order is paid.
    ready_by: Mapped[datetime.date | None]
    #: On the road, as quoted.
    days_min: Mapped[int] = mapped_column(Integer)
    days_max: Mapped[int] = mapped_column(Integer)
    courier: Mapped[str | None]
    tracking: Mapped[str | None]
    packed_at: Mapped[datetime.datetime | None]
    shipped_at: Mapped[datetime.datetime | None]
    received_at: Mapped[datetime.datetime | None]
    #: Nobody confirmed it: the time in which it must have arrived has passed.
    received_by_itself: Mapped[bool] = mapped_column(default=False)
    #: The parcel that its pieces lay in before; its shipping was paid with that one.
    split_from: Mapped[int | None] = mapped_column(ForeignKey("parcels.id"))
    #: When its pieces went back there: it holds nothing and nobody sees it any more.
    merged_at: Mapped[datetime.datetime | None]
    #: Of the form that split it off.
    split_key: Mapped[str | None]
    #: The fair at whose stand it is collected; then `is_pickup`.
    exhibition_id: Mapped[int | None] = mapped_column(ForeignKey("exhibitions.id"))
    #: On its way to that stand since.
    left_at: Mapped[datetime.datetime | None]

    order: Mapped[Order] = relationship(back_populates="parcels")
    lines: Mapped[list[ParcelLine]] = relationship()


class ParcelLine(db.Model):  # type: ignore[name-defined]
    """Pieces of an order line that lie in a parcel."""

    __tablename__ = "parcel_lines"

    parcel_id: Mapped[int] = mapped_column(ForeignKey("parcels.id"), primary_key=True)
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_lines.id"), primary_key=True)
    quantity: Mapped[int] = mapped_column(Integer)

    line: Mapped[OrderLine] = relationship()


class RefundPieces(db.Model):  # type: ignore[name-defined]
    """Which pieces of which parcel a refund speaks of; the database writes it."""

    __tablename__ = "refund_pieces"
    __table_args__ = (
        ForeignKeyConstraint(["refund_id", "order_line_id"], ["refund_lines.refund_id", "refund_lines.order_line_id"]),
    )

    refund_id: Mapped[int] = mapped_column(ForeignKey("refunds.id"), primary_key=True)
    order_line_id: Mapped[int] = mapped_column(primary_key=True)
    parcel_id: Mapped[int] = mapped_column(ForeignKey("parcels.id"), primary_key=True)
    quantity: Mapped[int] = mapped_column(Integer)


class ParcelReturn(db.Model):  # type: ignore[name-defined]
    """What came back of a parcel at one time."""

    __tablename__ = "parcel_returns"

    id: Mapped[int] = mapped_column(primary_key=True)
    parcel_id: Mapped[int] = mapped_column(ForeignKey("parcels.id"))
    returned_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    noted_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    note: Mapped[str] = mapped_column(default="")
    #: Of the form that was sent.
    request_key: Mapped[str]

    lines: Mapped[list[ParcelReturnLine]] = relationship()


class ParcelReturnLine(db.Model):  # type: ignore[name-defined]
    """Pieces of a line that came back: on the shelf again, or written off."""

    __tablename__ = "parcel_return_lines"

    return_id: Mapped[int] = mapped_column(ForeignKey("parcel_returns.id"), primary_key=True)
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_lines.id"), primary_key=True)
    restock: Mapped[int] = mapped_column(Integer)
    write_off: Mapped[int] = mapped_column(Integer)


class OrderContact(db.Model):  # type: ignore[name-defined]
    """How to reach the buyer; missing for a walk-in, erasable."""

    __tablename__ = "order_contacts"

    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    name: Mapped[str | None]
    #: Lower case.
    email: Mapped[str | None]
    #: `+62…`
    phone: Mapped[str | None]
    #: Keyed hash of the buyer's network, for the limit on unpaid orders.
    network: Mapped[bytes | None]
    erased_at: Mapped[datetime.datetime | None]


class OrderAddress(db.Model):  # type: ignore[name-defined]
    """Where the parcels go; missing when everything is collected, erasable."""

    __tablename__ = "order_addresses"

    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    line1: Mapped[str | None]
    district: Mapped[str | None]
    city: Mapped[str | None]
    province: Mapped[str | None]
    postal_code: Mapped[str | None]
    erased_at: Mapped[datetime.datetime | None]


class OrderNote(db.Model):  # type: ignore[name-defined]
    """What the buyer wrote to whoever receives the goods, and to whoever sends them; erasable."""

    __tablename__ = "order_notes"

    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    #: Printed on a card that lies in the parcel.
    gift_note: Mapped[str | None]
    #: For the office and the courier.
    note: Mapped[str | None]
    erased_at: Mapped[datetime.datetime | None]


class IdempotencyKey(db.Model):  # type: ignore[name-defined]
    """The answer to a key: written in the placing transaction, so a second call waits for the first."""

    __tablename__ = "idempotency_keys"

    #: What the key is unique in, such as `cart:12`.
    scope: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    #: SHA-256 of the canonical request.
    request_hash: Mapped[bytes]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())


class OrderHold(db.Model):  # type: ignore[name-defined]
    """From a day on: how long an unpaid order holds its pieces; without a row, as its gateway says."""

    __tablename__ = "order_holds"

    valid_from: Mapped[datetime.date] = mapped_column(primary_key=True)
    #: Paid on a provider's page.
    page_minutes: Mapped[int] = mapped_column(Integer)
    #: Paid by bank transfer.
    transfer_days: Mapped[int] = mapped_column(Integer)
    legal_basis: Mapped[str]


class ReportWindow(db.Model):  # type: ignore[name-defined]
    """From a day on: how long a problem may be reported, and what follows from silence."""

    __tablename__ = "report_windows"

    valid_from: Mapped[datetime.date] = mapped_column(primary_key=True)
    #: From receipt, and never fewer working days than `working_days`.
    days: Mapped[int] = mapped_column(Integer)
    working_days: Mapped[int] = mapped_column(Integer)
    #: Working days in which the facility answers.
    answer_days: Mapped[int] = mapped_column(Integer)
    #: Days beyond the longest time on the road, after which a parcel counts as received.
    received_after: Mapped[int] = mapped_column(Integer)
    legal_basis: Mapped[str]
