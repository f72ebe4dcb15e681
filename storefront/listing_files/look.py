"""What is said of the rows of one product once they are written into its listing: faults beside their cells, and
what its category still asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _

from storefront.days import today
from storefront.errors import Invalid
from storefront.listing_files.columns import BY_KEY, ENGLISH_OF
from storefront.listing_files.content import standing
from storefront.listing_files.current import Current
from storefront.listing_files.rows import FileRow, Plan
from storefront.listings.check import check
from storefront.listings.listing import MOST_FACTS, Listing
from storefront.listings.needs import missing
from storefront.listings.typed import MOST_COLUMNS, MOST_ROWS

Place = tuple[int | None, str]


@dataclass
class Written:
    """A listing as typed in which the rows are written, and where they were."""

    plan: Plan
    now: Current
    work: dict[str, Any]
    #: Slot (None: the product's) and column → the row that says it, and what it says.
    touched: dict[Place, FileRow] = field(default_factory=dict)
    values: dict[Place, str | bool] = field(default_factory=dict)
    #: Its new variants, by slot.
    added: set[int] = field(default_factory=set)

    def row_of(self, slot: int) -> FileRow:
        """The row of a variant."""
        rows = (row for (place, _column), row in self.touched.items() if place == slot)
        return next(rows, self.plan.rows[0])

    def row_for(self, slot: int | None, column: str) -> FileRow | None:
        """The row beside whose cell something is said; None when the rows do not concern that place."""
        if slot is not None and slot in self.added:
            return self.row_of(slot)
        if (slot, column) in self.touched:
            return self.touched[slot, column]
        group = BY_KEY[column].part[:1] if column in BY_KEY else ()
        if group in (("food",), ("sizes",)):  # a table or a pack of food that is begun is to be whole
            of_group = (
                row
                for (_slot, other), row in self.touched.items()
                if other and BY_KEY[other].part[:1] == group
            )
            return next(of_group, self.plan.rows[0] if self.plan.is_new else None)
        return self.plan.rows[0] if slot is None and self.plan.is_new else None


def look_over(written: Written) -> None:
    """Note what the check of a listing says of the places that the rows concern, and what is still asked for."""
    plan, now = written.plan, written.now
    if plan.is_new and not written.added:
        return  # each row names a SKU that is not here: that says it all
    _too_much(written)
    product_id = plan.product.id if plan.product else None
    try:
        listing = check(
            written.work, None, facility_id=now.facility_id, product_id=product_id, known=now.known
        )
    except Invalid as refusal:
        for name, text in refusal.errors.items():
            slot, column = _place(name, written.work)
            if (row := written.row_for(slot, column)) is not None:
                row.wrong(column, str(text))
    else:
        if plan.edits and not plan.has_fault:
            _still_asked(written, listing)


#: Names of a listing's fields that are columns with another name.
_FIELDS = {"options": "value1", "variants": "is_active", "sizes": "sizes_rows"}


def _place(name: str, work: Mapping[str, Any]) -> Place:
    """Slot and column of a field as `check` and `missing` name it."""
    first, *rest = name.split(".")
    if first == "variants" and len(rest) == 2:
        return int(rest[0]), _FIELDS.get(rest[1], rest[1])
    if first == "facts":
        return None, work["facts"][int(rest[0])]["kind"] if rest[0].isdecimal() else rest[0]
    if first == "food":
        return None, f"food_{rest[0]}"
    if first == "papers":
        return None, "not_halal" if rest[0] == "not_halal" else f"{rest[0]}_number"
    return None, _FIELDS.get(name, name)


def _too_much(written: Written) -> None:
    """What would be lost between a cell and the listing: said beside the cell instead."""
    edited = {(edit.slot, edit.column) for edit in written.plan.edits}
    for (slot, column), value in written.values.items():
        if (slot, column) not in edited:
            continue
        row, longest = written.touched[slot, column], BY_KEY[column].longest
        if isinstance(value, str) and longest and len(value) > longest:
            row.wrong(column, _("Paling panjang %(letters)d huruf.", letters=longest))
        elif column in ENGLISH_OF.values() and value != standing(written.work, slot, column):
            row.wrong(
                column, _("Ini lebih banyak daripada yang berbahasa Indonesia. Samakan jumlah dan urutannya.")
            )
    facts, sizes = written.work["facts"], written.work["sizes"]
    for fact in facts:
        of_kind = ENGLISH_OF.get(fact["kind"])
        if of_kind and (len(fact["label_en"]) > 60 or len(fact["value_en"]) > 400):
            _say(written, of_kind, _("Judulnya paling panjang 60 huruf, isinya 400 huruf."))
    if len(facts) > MOST_FACTS:
        for column in ("detail", "care", "material"):
            _say(written, column, _("Satu karya memuat paling banyak %(most)d keterangan.", most=MOST_FACTS))
    if sizes is None:
        return
    if len(sizes["columns"]) > MOST_COLUMNS:
        _say(
            written,
            "sizes_columns",
            _("Tabel ukuran memuat paling banyak %(most)d kolom.", most=MOST_COLUMNS),
        )
    if len(sizes["rows"]) > MOST_ROWS:
        _say(written, "sizes_rows", _("Tabel ukuran memuat paling banyak %(most)d baris.", most=MOST_ROWS))
    if any(len(cells) > len(sizes["columns"]) for cells in sizes["cells"]):
        _say(written, "sizes_rows", _("Ada baris ukuran yang isinya lebih banyak daripada kolomnya."))
    if len(sizes["columns_en"]) not in (0, len(sizes["columns"])):
        _say(written, "sizes_columns_en", _("Samakan jumlahnya dengan kolom yang berbahasa Indonesia."))
    if not sizes["columns"] and not sizes["rows"]:
        _say(written, "sizes_columns", _("Isi judul setiap baris dan kolom pada tabel ukuran."))


def _say(written: Written, column: str, sentence: str) -> None:
    """Something wrong with a column that rows of the product fill."""
    if (None, column) in written.touched:
        written.touched[None, column].wrong(column, sentence)
    elif BY_KEY[column].part[0] == "sizes" and (row := written.row_for(None, column)):
        row.wrong(column, sentence)


def _still_asked(written: Written, listing: Listing) -> None:
    """Remarks on what keeps the listing from a curator, though not from a draft."""
    asked = written.now.known.asked
    told = missing(
        listing,
        today(),
        needs=asked.needs.get(listing.category_id, ()),
        has_sizes=listing.category_id in asked.with_sizes,
    )
    for paper in listing.papers:
        if paper.kind != "not_halal" and paper.document_key is None:
            told[f"papers.{paper.kind}"] = _(
                "Berkas suratnya belum ada. Unggah di halaman karya sebelum mengirimnya ke kurator."
            )
    for name, text in told.items():
        _slot, column = _place(name, written.work)
        row = written.row_for(None, column) or written.plan.rows[0]
        row.remarks.append({"column": column, "text": str(text)})
