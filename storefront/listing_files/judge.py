"""What the rows of one product would do: a verdict for each row, and the plan that stores them all or none."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _

from storefront.listing_files.columns import ALT_BREAK, BY_KEY, ENGLISH_OF, PHOTO_BREAK
from storefront.listing_files.content import (
    APART,
    AT_ONCE,
    LISTS,
    Edit,
    meaning,
    shown,
    standing,
    write,
)
from storefront.listing_files.current import Current
from storefront.listing_files.look import Written, look_over
from storefront.listing_files.rows import FileRow, NamedPhoto, Plan
from storefront.listings.drafts import OPEN
from storefront.listings.listing import MOST_PHOTOS, MOST_VARIANTS
from storefront.listings.typed import blank
from storefront.written import one_line, whole_number


class _Judgement:
    """The rows of one product before what is listed, drafted, or nothing."""

    def __init__(self, rows: Sequence[FileRow], now: Current) -> None:
        self.rows, self.now, self.words = rows, now, now.words
        self.plan = Plan(rows)
        self.find_target()
        plan = self.plan
        seen = plan.draft or (plan.product.draft if plan.product else None)
        listed = plan.product.content if plan.product else None
        self.listed: Mapping[str, Any] | None = listed
        #: What the edits are written into.
        self.work: dict[str, Any] = copy.deepcopy(
            seen.content if seen else listed or {**blank(), "variants": []}
        )
        self.before = copy.deepcopy(self.work)
        self.written = Written(self.plan, now, self.work)
        self.added, self.touched = self.written.added, self.written.touched
        #: What was typed for the product as a whole, and by which row.
        self.said: dict[str, tuple[str | bool, FileRow]] = {}

    def find_target(self) -> None:
        """The product that a SKU or the key names; else the draft; else nothing, and it is new."""
        now, plan = self.now, self.plan
        for row in self.rows:
            if row.sku in now.own:
                plan.product = now.products[now.own[row.sku][0]]
                return
        for row in self.rows:
            if row.key in now.slugs:
                plan.product = now.products[now.slugs[row.key]]
                return
        for row in self.rows:
            if draft := now.drafts_by_sku.get(row.sku) or now.drafts_by_key.get(row.key):
                plan.draft = draft
                return

    def run(self) -> Plan:
        if len(self.rows) > MOST_VARIANTS:
            self.rows[-1].wrong("key", _("Satu karya memuat paling banyak 60 varian."))
        for row in self.rows:
            self.of_product(row)
        for row in self.rows:
            self.of_variant(row)
        write(self.work, self.plan.edits)
        self.english()
        look_over(self.written)
        self.photos()
        self.conclude()
        return self.plan

    def of_product(self, row: FileRow) -> None:
        """What a row says of the product as a whole; the rows of one product say the same."""
        for column, cell in row.values.items():
            if not BY_KEY[column].of_product or column in APART:
                continue
            value = self.read(row, column, cell)
            if value is None:
                continue
            earlier, first = self.said.setdefault(column, (value, row))
            if earlier != value:
                row.wrong(
                    column,
                    _(
                        "Baris ini menulis lain daripada baris %(row)d, padahal karyanya sama.",
                        row=first.number,
                    ),
                )
            elif first is row:
                self.put(row, None, column, value)

    def of_variant(self, row: FileRow) -> None:
        slot, variant_id = self.slot_of(row)
        if slot is None:
            return
        for column, cell in row.values.items():
            if BY_KEY[column].of_product or column in APART:
                continue
            value = self.read(row, column, cell)
            if value is None:
                continue
            if variant_id is not None and column in AT_ONCE:
                self.at_once(row, slot, variant_id, column, str(value))
            elif column != "sku" or variant_id is None:
                self.put(row, slot, column, value)

    def read(self, row: FileRow, column: str, cell: str) -> str | bool | None:
        value = meaning(column, cell, self.words)
        if value is None:
            row.wrong(column, self.unknown(column, cell))
        return value

    def unknown(self, column: str, cell: str) -> str:
        if column in LISTS:
            return _(
                "“%(cell)s” tidak ada dalam daftar. Salin dari lembar Pilihan pada templat.", cell=cell[:60]
            )
        if column == "food_net_unit":
            return _("Tulis g, ml, atau pcs.")
        if BY_KEY[column].is_day:
            return _("Tulis tanggalnya seperti 2026-11-30.")
        return _("Tulis ya atau tidak.")

    def slot_of(self, row: FileRow) -> tuple[int | None, int | None]:
        """Where the row's variant stands among those of the work, and its id when it is listed."""
        variants = self.work["variants"]
        if row.sku and row.sku in self.now.own:
            product_id, variant_id = self.now.own[row.sku]
            assert self.plan.product is not None
            if product_id != self.plan.product.id:
                row.wrong("sku", _("SKU ini milik karya lain. Periksa kode karyanya."))
                return None, None
            return self.listed_slot(row, variant_id)
        if row.sku and row.sku in self.now.known.variants:
            row.wrong("sku", self.no_such_sku(row))
            return None, None
        if row.sku:
            for slot, variant in enumerate(variants):
                if not variant["id"] and one_line(variant["sku"]).upper() == row.sku:
                    return slot, None
            if not self.may_be_new(row):
                row.wrong("sku", self.no_such_sku(row))
                return None, None
            return self.new_slot()
        return self.by_options(row)

    def no_such_sku(self, row: FileRow) -> str:
        return _(
            "SKU %(sku)s tidak ada di karya UPT ini. Untuk karya baru, kosongkan SKU dan isi nama, bengkel, kategori,"
            " harga, dan berat.",
            sku=row.sku[:40],
        )

    def may_be_new(self, row: FileRow) -> bool:
        """Whether a row with an unknown SKU means a new variant: it says more than what it would change."""
        return not self.plan.is_new or "title" in self.said or "weight" in row.values

    def by_options(self, row: FileRow) -> tuple[int | None, int | None]:
        """The variant with the row's options; the only one when nothing tells them apart; else a new one."""
        values = [self.said_or_standing(row, column) for column in ("value1", "value2")]
        taken = {slot for slot, _column in self.touched if slot is not None}
        for slot, variant in enumerate(self.work["variants"]):
            stands = [one_line(value).casefold() for value in [*variant["options"], "", ""][:2]]
            if slot not in taken and stands == values:
                return (slot, None) if not variant["id"] else self.listed_slot(row, int(variant["id"]))
        return self.new_slot()

    def said_or_standing(self, row: FileRow, column: str) -> str:
        return one_line(row.values.get(column, "")).casefold()

    def listed_slot(self, row: FileRow, variant_id: int) -> tuple[int | None, int | None]:
        for slot, variant in enumerate(self.work["variants"]):
            if variant["id"] == str(variant_id):
                if (slot, "") in self.touched:
                    row.wrong(
                        "sku", _("Varian ini sudah ada di baris %(row)d.", row=self.touched[slot, ""].number)
                    )
                    return None, None
                self.touched[slot, ""] = row
                return slot, variant_id
        row.wrong("sku", _("Varian ini dihapus dalam usulan yang sedang ditulis. Selesaikan usulannya dulu."))
        return None, None

    def new_slot(self) -> tuple[int, None]:
        slot = max(len(self.work["variants"]), max(self.added, default=-1) + 1)
        self.added.add(slot)
        self.plan.edits.append(Edit(slot, "is_active", True))
        return slot, None

    def put(self, row: FileRow, slot: int | None, column: str, value: str | bool) -> None:
        """Plan an edit, unless that is what is listed or drafted already."""
        self.touched[slot, column] = row
        self.written.values[slot, column] = value
        if slot is not None:
            self.touched.setdefault((slot, ""), row)
        if slot in self.added:
            if value != "":
                self.plan.edits.append(Edit(slot, column, value))
                self.change(row, column, "", value, at_once=False)
            return
        old = standing(self.before, slot, column)
        listed = self.listed_value(slot, column)
        if value not in (old, listed):
            self.plan.edits.append(Edit(slot, column, value))
            self.change(row, column, old, value, at_once=False)

    def listed_value(self, slot: int | None, column: str) -> str | bool | None:
        """What is listed in that place; None where nothing is."""
        if self.listed is None:
            return None
        if slot is None:
            return standing(self.listed, None, column)
        variant_id = self.before["variants"][slot]["id"]
        for place, variant in enumerate(self.listed["variants"]):
            if variant["id"] == variant_id:
                return standing(self.listed, place, column)
        return None

    def at_once(self, row: FileRow, slot: int, variant_id: int, column: str, value: str) -> None:
        """Plan what changes at once on a listed variant."""
        product = self.plan.product
        assert product is not None
        place = product.variant_ids.index(variant_id)
        listed, old = product.content["variants"][place], standing(product.content, place, column)
        self.touched[slot, column] = row
        if column in ("lead_time", "capacity") and not listed["made_to_order"]:
            return self.put(row, slot, column, value)
        if column == "stock" and listed["made_to_order"]:
            row.wrong(column, _("Varian ini dibuat sesuai pesanan, jadi stoknya tidak dihitung. Kosongkan."))
            return None
        if value == old:
            return None
        # So that the check of the whole sees it; of a published product a proposal never brings it back.
        self.work["variants"][slot][column] = value
        held = product.stock[variant_id][1]
        number = whole_number(value)
        if column == "stock" and number is not None and number < held:
            row.wrong(
                column,
                _(
                    "Paling sedikit %(held)d: sebanyak itu sedang dipegang pesanan yang belum dibayar.",
                    held=held,
                ),
            )
        if column == "stock" and value == "":
            row.wrong(column, _("Tulis 0 bila stoknya habis."))
        self.plan.at_once.setdefault(row.number, (variant_id, {}))[1][column] = number
        self.change(row, column, old, value, at_once=True)
        return None

    def change(self, row: FileRow, column: str, old: str | bool, new: str | bool, *, at_once: bool) -> None:
        told = {
            "column": column,
            "old": shown(column, old, self.words),
            "new": shown(column, new, self.words),
        }
        row.changes.append({**told, "at_once": at_once})

    def english(self) -> None:
        """English that hangs on a text which is written anew: as the file says it, else told as gone."""
        for edit in list(self.plan.edits):
            column = ENGLISH_OF.get(edit.column)
            place = (edit.slot, column or "")
            if column is None or edit.slot in self.added or self.plan.is_new:
                continue
            old, new = standing(self.before, edit.slot, column), standing(self.work, edit.slot, column)
            said = self.written.values.get(place)
            if said is None and old != new:
                self.change(self.touched[edit.slot, edit.column], column, old, new, at_once=False)
            elif said is not None and said != new:
                again = Edit(edit.slot, column, said)
                self.plan.edits.append(again)
                write(self.work, [again])

    def photos(self) -> None:
        """Photos that the rows name; a missing one costs no row."""
        seen: set[str] = set()
        for row in self.rows:
            alts, alts_en = (
                [one_line(alt)[:250] for alt in row.values.get(column, "").split(ALT_BREAK)]
                for column in ("alts", "alts_en")
            )
            names = [name for name in map(one_line, row.values.get("photos", "").split(PHOTO_BREAK)) if name]
            for place, name in enumerate(names):
                if name.casefold() in seen:
                    continue
                seen.add(name.casefold())
                fault = self.now.photos.fault(name)
                if not fault and len(self.plan.photos) >= MOST_PHOTOS:
                    fault = _("Satu karya memuat paling banyak 12 foto. Hapus salah satu dulu.")
                if fault:
                    row.pictures.append({"name": name, "text": fault})
                    continue
                alt, alt_en = (said[place] if place < len(said) else "" for said in (alts, alts_en))
                self.plan.photos.append(NamedPhoto(name, alt, alt_en, row.number))
                row.changes.append({"column": "photos", "old": "", "new": name, "at_once": False})

    def conclude(self) -> None:
        """Verdicts; a fault in one row costs all rows of its product."""
        draft = self.plan.draft or (self.plan.product.draft if self.plan.product else None)
        proposes = self.plan.edits or self.plan.photos
        if draft and draft.state not in OPEN and proposes:
            told = next(row for row in self.rows if any(not change["at_once"] for change in row.changes))
            told.wrong("key", _("Karya ini sedang menunggu kurator. Tarik kembali dulu untuk mengubahnya."))
        added = {id(self.written.row_of(slot)) for slot in self.added}
        for row in self.rows:
            row.verdict = (
                "new" if self.plan.is_new or id(row) in added else "change" if row.changes else "same"
            )
        cause = next((row for row in self.rows if row.faults), None)
        for row in self.rows if cause else ():
            row.verdict = "fault"
            if not row.faults and cause:
                row.wrong(
                    "key",
                    _(
                        "Baris %(row)d dari karya yang sama bermasalah, jadi karya ini tidak disimpan.",
                        row=cause.number,
                    ),
                )


def judge(rows: Sequence[FileRow], now: Current) -> Plan:
    """Judge the rows of one product; their verdicts, changes and faults are written into them."""
    return _Judgement(rows, now).run()
