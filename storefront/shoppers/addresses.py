"""A person's saved addresses: a few, one of them preferred. Checked as checkout checks them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import delete, func, select, update

from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.shipping.addresses import (
    ADDRESS_FIELDS,
    Refused,
    delivery_address,
    one_line,
    phone_number,
    required_line,
)
from storefront.shipping.destinations import destination_for
from storefront.shoppers.models import SavedAddress

#: Of one person.
MOST = 20
FIELDS = ("label", "name", "phone", *ADDRESS_FIELDS)
LONGEST_LABEL = 40


class TooManyAddresses(DomainError):
    code, status = "too_many_addresses", 409
    message = _("Anda sudah menyimpan 20 alamat. Hapus satu yang tidak dipakai lagi, lalu simpan yang baru.")


def addresses_of(person_id: int) -> Sequence[SavedAddress]:
    """All of a person, the preferred one first, then the youngest."""
    query = select(SavedAddress).where(SavedAddress.person_id == person_id)
    return db.session.scalars(query.order_by(SavedAddress.is_preferred.desc(), SavedAddress.id.desc())).all()


def own(person_id: int, address_id: int) -> SavedAddress:
    """One of the person's. Raises NotFound, for another's too."""
    query = select(SavedAddress).where(SavedAddress.id == address_id, SavedAddress.person_id == person_id)
    found = db.session.scalar(query)
    if found is None:
        raise NotFound()
    return found


def add(person_id: int, data: Mapping[str, Any], *, preferred: bool = False) -> SavedAddress:
    """Save an address; the first is preferred. The same once more is the one that is there. Never commits.

    Raises Invalid by field, TooManyAddresses.
    """
    values = checked(data)
    _lock(person_id)
    saved = addresses_of(person_id)
    same = next((one for one in saved if all(getattr(one, name) == values[name] for name in FIELDS[1:])), None)
    if same is None:
        if len(saved) >= MOST:
            raise TooManyAddresses()
        same = SavedAddress(person_id=person_id, **values)
        db.session.add(same)
        db.session.flush()
    if preferred or not saved:
        _prefer(same)
    return same


def change(person_id: int, address_id: int, data: Mapping[str, Any], *, preferred: bool = False) -> SavedAddress:
    """Change an address; orders that were sent there keep their own. Never commits. Raises NotFound, Invalid."""
    address = own(person_id, address_id)
    for name, value in checked(data).items():
        setattr(address, name, value)
    db.session.flush()
    if preferred:
        prefer(person_id, address_id)
    return address


def prefer(person_id: int, address_id: int) -> None:
    """From now on this one is offered first. Never commits. Raises NotFound."""
    _lock(person_id)
    _prefer(own(person_id, address_id))


def remove(person_id: int, address_id: int) -> None:
    """Delete an address; of the rest the youngest is preferred when it was. Never commits. Raises NotFound."""
    _lock(person_id)
    address = own(person_id, address_id)
    was_preferred = address.is_preferred
    db.session.delete(address)
    db.session.flush()
    rest = addresses_of(person_id)
    if was_preferred and rest:
        _prefer(rest[0])


def forget(person_id: int) -> int:
    """Delete all of a person; how many."""
    gone = db.session.execute(delete(SavedAddress).where(SavedAddress.person_id == person_id))
    return int(getattr(gone, "rowcount", 0))


def checked(data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an address in the form that is kept. Raises Invalid with a sentence for each that is wrong."""
    address, errors = delivery_address(data)
    values: dict[str, Any] = {}
    for name, read in (
        ("label", lambda value: one_line(value, LONGEST_LABEL)),
        ("name", lambda value: required_line(value, "name")),
        ("phone", phone_number),
    ):
        try:
            values[name] = read(data.get(name))
        except Refused as refused:
            errors[name] = refused.sentence
    if address is not None:
        try:
            destination_for(
                province=address.province,
                city=address.city,
                district=address.district,
                postal_code=address.postal_code,
                field="province",
            )
        except Invalid as refused:
            errors |= refused.errors
    if errors or address is None:
        raise Invalid({name: str(sentence) for name, sentence in errors.items()})
    return values | {name: getattr(address, name) for name in ADDRESS_FIELDS}


def _prefer(address: SavedAddress) -> None:
    others = (SavedAddress.person_id == address.person_id) & (SavedAddress.id != address.id)
    db.session.execute(update(SavedAddress).where(others, SavedAddress.is_preferred).values(is_preferred=False))
    address.is_preferred = True
    db.session.flush()


def _lock(person_id: int) -> None:
    """What changes a person's addresses happens one after the other."""
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"addresses:{person_id}", 0))))
