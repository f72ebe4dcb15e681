"""Which letters somebody wants, beside those about an order's own steps, which always go out.

Whatever sends such a letter asks `may_tell` and puts `unsubscribe_link` into it: one press ends that kind for that
address, without an account. The link names a row here, never the address.
"""

from __future__ import annotations

import hmac

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from storefront.errors import NotFound
from storefront.extensions import db
from storefront.keyed import in_address, keyed_check
from storefront.mail.write import address_of
from storefront.people.models import LetterChoice
from storefront.people.sign_in import normal_email

#: Kinds of letters that one may choose; each is wanted until somebody says no.
MONEY_NEWS, BACK_IN_STOCK = "money_news", "back_in_stock"
KINDS = (MONEY_NEWS, BACK_IN_STOCK)


def may_tell(email: str, kind: str) -> bool:
    """Whether a letter of this kind may go to an address; kinds not in `KINDS` belong to an order or a question."""
    if kind not in KINDS:
        return True
    query = select(LetterChoice.wanted).where(LetterChoice.email == normal_email(email), LetterChoice.kind == kind)
    return db.session.scalar(query) is not False


def choices(email: str) -> dict[str, bool]:
    """What an address wants, by kind."""
    query = select(LetterChoice.kind, LetterChoice.wanted).where(LetterChoice.email == normal_email(email))
    said = {row.kind: row.wanted for row in db.session.execute(query)}
    return {kind: said.get(kind, True) for kind in KINDS}


def choose(email: str, kind: str, wanted: bool) -> None:
    """An address wants a kind of letter, or does not. Never commits."""
    statement = insert(LetterChoice).values(email=normal_email(email), kind=kind, wanted=wanted)
    statement = statement.on_conflict_do_update(
        index_elements=["email", "kind"], set_={"wanted": wanted, "changed_at": func.now()}
    )
    db.session.execute(statement)


def unsubscribe_link(email: str, kind: str, locale: str) -> str:
    """The whole address of the page, and of the one press, that ends a kind of letter. Commits, as a letter follows."""
    values = {"email": normal_email(email), "kind": kind}
    db.session.execute(insert(LetterChoice).values(values).on_conflict_do_nothing())
    db.session.commit()
    row = db.session.scalars(select(LetterChoice).filter_by(**values)).one()
    return address_of(f"/letters/{token(row)}", locale)


def token(row: LetterChoice) -> str:
    """What opens a choice: its number and a keyed check. It ends with the row."""
    check = keyed_check("storefront letter choice", f"{row.id}|{row.created_at.timestamp()}")[:16]
    return f"{row.id}-{in_address(check)}"


def find(given: str) -> LetterChoice:
    """The choice that a letter's link names. Raises NotFound."""
    number = given.partition("-")[0]
    known = number.isascii() and number.isdecimal() and len(number) < 19
    row = db.session.get(LetterChoice, int(number)) if known else None
    if row is None or not hmac.compare_digest(token(row).encode(), given.encode(errors="replace")):
        raise NotFound()
    return row


def move(former: str, email: str) -> None:
    """What an address did not want, its owner's new one does not want either. Never commits."""
    for kind, wanted in choices(former).items():
        if not wanted:
            choose(email, kind, False)
    forget(former)


def forget(email: str) -> int:
    """Delete what an address chose; how many kinds."""
    gone = db.session.execute(delete(LetterChoice).where(LetterChoice.email == normal_email(email)))
    return int(getattr(gone, "rowcount", 0))
