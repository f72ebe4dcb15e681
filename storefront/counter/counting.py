"""The form in which a till is counted: pieces of each banknote and coin, or one sum."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _

from storefront.counter.close import MOST_PIECES, NOTES, close_till
from storefront.counter.models import Till, TillSession
from storefront.written import Written, whole_number


@dataclass(frozen=True)
class Count:
    """What was counted: pieces by value, or (without any) a sum in rupiah."""

    notes: dict[int, int] | None
    counted: int | None


def read(form: Written) -> Count:
    """The count in `form`: fields `n-<value>` for pieces, else `counted`; what cannot be read is said there."""
    notes: dict[int, int] = {}
    for value in NOTES:
        written = form[f"n-{value}"].strip()
        pieces = whole_number(written) if written else 0
        if pieces is None or pieces > MOST_PIECES:
            form.wrong(f"n-{value}", _("Tulis berapa lembar atau keping, angka bulat."))
        elif written:
            notes[value] = pieces
    if not form["counted"].strip():
        if not notes and not form.errors:
            form.wrong("counted", _("Tulis berapa lembar dari tiap uang, atau jumlahnya. Kas kosong: tulis 0."))
        return Count(notes, None)
    return Count(notes or None, form.amount("counted"))


def close(form: Written, till: Till, person_id: int) -> TillSession | None:
    """Close the till's session by the count in `form`, and commit; None where something is to be put right first."""
    count = read(form)
    return form.done(
        lambda: close_till(
            till,
            person_id,
            notes=count.notes,
            counted=count.counted,
            explanation=form["explanation"],
            confirmed=form["confirmed"] == "1",
        )
    )
