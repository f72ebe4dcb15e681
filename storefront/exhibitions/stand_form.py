"""What is typed at a stand or in the store: how many pieces of each work arrived, or go home."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from flask_babel import gettext as _

from storefront.days import today
from storefront.errors import NotFound
from storefront.exhibitions import arrive, give_back, stand
from storefront.exhibitions.arrive import MOST, Counted, What
from storefront.exhibitions.fairs import PiecesRefused, when
from storefront.exhibitions.models import Exhibition, ExhibitionArrival, ExhibitionReturn
from storefront.exhibitions.stand import Line
from storefront.form_key import TOO_OLD, is_key, kept_key
from storefront.written import Written, whole_number

Result = TypeVar("Result")


def shown(fair: Exhibition, form: Written, code: str, page: int) -> dict[str, Any]:
    """What the page of a stand shows: who takes part, and of the facility with this code what is there and moved."""
    taking_part = stand.stands(fair.id)
    chosen = next((one for one in taking_part if one.code == code), None)
    return {
        "fair": fair,
        "when": when(fair, today()),
        "taking_part": taking_part,
        "chosen": chosen,
        "left": stand.left_at_stand(fair.id, chosen.id) if chosen else [],
        "moved": stand.moved(fair.id, facility_id=chosen.id if chosen else None, page=page),
        "form": form,
        "key": kept_key(form["once"]),
    }


def count(
    written: Written, fair: Exhibition, facility_id: int, what: What, number: int, *, person_id: int
) -> ExhibitionArrival | None:
    """Write down what arrived as typed in `a-<sku>` and `why-<sku>`, and commit; None where something is wrong.

    Raises NotFound for what is not there.
    """
    moved = stand.one(fair.id, facility_id, what, number)
    if moved is None:
        raise NotFound()
    counted = {}
    for line in moved.lines:
        arrived = _pieces(written, f"a-{line.sku}", needed=True)
        counted[line.variant_id] = Counted(arrived, written[f"why-{line.sku}"])
    return written.done(
        lambda: _beside(
            "a-",
            moved.lines,
            lambda: arrive.arrive(what, fair, facility_id, number, counted, person_id=person_id),
        )
    )


def pack(written: Written, fair: Exhibition, facility_id: int, *, person_id: int) -> ExhibitionReturn | None:
    """Send home what is typed in `r-<sku>`, and commit; None where something is wrong."""
    lines = stand.left_at_stand(fair.id, facility_id)
    pieces = {line.variant_id: number for line in lines if (number := _pieces(written, f"r-{line.sku}"))}
    known = {f"r-{line.sku}" for line in lines}
    if any(name.startswith("r-") and value and name not in known for name, value in written.values.items()):
        written.wrong("pieces", _("Isi stan sudah berubah. Periksa jumlahnya, lalu catat lagi."))
    if not is_key(written["once"]):
        written.wrong("once", TOO_OLD)
    if not written.errors and not pieces:
        written.wrong("pieces", _("Tulis berapa buah yang pulang di sebelah karyanya."))
    return written.done(
        lambda: _beside(
            "r-",
            lines,
            lambda: give_back.give_back(fair, facility_id, pieces, key=written["once"], person_id=person_id),
        )
    )


def _pieces(written: Written, name: str, *, needed: bool = False) -> int:
    text = written[name].strip()
    number = whole_number(text) if text or needed else 0
    if number is None or number > MOST:
        written.wrong(name, _("Tulis angka dari 0 sampai %(most)d.", most=MOST))
        return 0
    return number


def _beside(prefix: str, lines: Sequence[Line], act: Callable[[], Result]) -> Result:
    try:
        return act()
    except PiecesRefused as refusal:
        skus: Mapping[int, str] = {line.variant_id: line.sku for line in lines}
        refusal.extra["errors"] = {
            f"{prefix}{skus[id_]}": said for id_, said in refusal.sentences.items() if id_ in skus
        }
        raise
