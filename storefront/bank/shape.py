"""How a bank writes its CSV: which column holds what. Guessed for a first file, then kept for the account."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from flask_babel import gettext as _

from storefront.bank.dates import ORDERS
from storefront.bank.text import Row
from storefront.errors import Invalid

#: How the column of amounts says which way the money went.
STYLES = ("two_columns", "signed", "marked")
#: Rows among which the header is looked for.
HEADER_WITHIN = 40
MOST_TEXTS = 4

DAY_WORDS = ("tanggal", "tgl", "date", "posting", "waktu")
TEXT_WORDS = ("keterangan", "uraian", "description", "deskripsi", "transaksi", "remark", "berita", "details")
REFERENCE_WORDS = ("no. ref", "no ref", "reference", "referensi", "journal", "jurnal", "nomor transaksi")
OUT_WORDS = ("debet", "debit", "keluar", "withdrawal")
IN_WORDS = ("kredit", "credit", "masuk", "deposit")
AMOUNT_WORDS = ("jumlah", "amount", "nominal", "mutasi", "nilai")
MARK_WORDS = ("db/cr", "d/k", "d/c", "db/kr", "cr/db", "dk", "tipe", "jenis", "type")
BALANCE_WORDS = ("saldo", "balance")


@dataclass(frozen=True)
class Shape:
    """Columns by their names in the header; `#3` is the third column, where it has no name.

    `style` says how amounts are written: money out and in each in a column (`out`, `into`), one column with a
    sign or a mark behind the number (`amount`), or one with the mark in a column of its own (`amount`, `mark`).
    """

    day: str = ""
    texts: tuple[str, ...] = ()
    style: str = "two_columns"
    out: str = ""
    into: str = ""
    amount: str = ""
    mark: str = ""
    reference: str = ""
    balance: str = ""
    day_order: str = "dmy"

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Shape:
        """The shape as it was kept."""
        return cls(**{**kept, "texts": tuple(kept.get("texts", ()))})

    def kept(self) -> dict[str, Any]:
        """The shape as it is kept."""
        return asdict(self) | {"texts": list(self.texts)}

    @property
    def columns(self) -> list[str]:
        """The columns without which nothing can be read."""
        amounts = {
            "two_columns": [self.out, self.into],
            "signed": [self.amount],
            "marked": [self.amount, self.mark],
        }[self.style]
        return [self.day, *self.texts, *amounts, *(name for name in (self.reference, self.balance) if name)]


def names_of(header: Sequence[str]) -> list[str]:
    """A name for each column of a header: its own, numbered where it is there twice, `#3` where it has none."""
    names: list[str] = []
    for place, cell in enumerate(header, start=1):
        name = " ".join(cell.split())[:60] or f"#{place}"
        names.append(name if name not in names else f"{name} #{place}")
    return names


def find_header(rows: Sequence[Row], shape: Shape | None = None) -> int | None:
    """The place of the row that names the columns; None when there is none.

    With a shape it is the first that has all of its columns, else the first that speaks of days and money.
    """
    for place, row in enumerate(rows[:HEADER_WITHIN]):
        if shape is not None:
            known = names_of(row.cells)
            if all(name in known for name in shape.columns if not name.startswith("#")):
                named = any(not name.startswith("#") for name in shape.columns)
                return place if named else None
        elif len(row.cells) >= 3 and _has(row.cells, DAY_WORDS) and _has(row.cells, _MONEY_WORDS):
            return place
    return None


def guess(header: Sequence[str]) -> Shape:
    """What the columns of a header most likely hold; fields stay empty where nothing fits."""
    names = names_of(header)
    left = dict.fromkeys(names)

    def take(words: Sequence[str]) -> str:
        # The first word that fits any column, so that "Tanggal Transaksi" is a day before it is a text.
        for word in words:
            for name in left:
                if word in name.lower():
                    del left[name]
                    return name
        return ""

    shape = Shape(day=take(DAY_WORDS), balance=take(BALANCE_WORDS))
    # A second day is the value date: never a text.
    for name in [name for name in left if any(word in name.lower() for word in ("date", "tanggal", "tgl"))]:
        del left[name]
    both = next((name for name in left if _has([name], OUT_WORDS) and _has([name], IN_WORDS)), "")
    left.pop(both, None)
    out, into = take(OUT_WORDS), take(IN_WORDS)
    if out and into:
        shape = replace(shape, style="two_columns", out=out, into=into)
    else:
        mark = both or take(MARK_WORDS)
        amount = take(AMOUNT_WORDS) or out or into
        # A mark that has no name stands right behind the amount.
        behind = names.index(amount) + 1 if amount in names else len(names)
        if not mark and behind < len(names) and names[behind] == f"#{behind + 1}":
            mark = names[behind]
            left.pop(mark, None)
        shape = replace(shape, style="marked" if mark else "signed", amount=amount, mark=mark)
    reference = take(REFERENCE_WORDS)
    texts = [name for name in left if any(word in name.lower() for word in TEXT_WORDS)]
    return replace(shape, reference=reference, texts=tuple(texts[:MOST_TEXTS]))


def checked(shape: Shape, names: Sequence[str]) -> Shape:
    """The shape, if a file with columns of these names can be read by it. Raises Invalid, by field."""
    errors: dict[str, Any] = {}
    if shape.style not in STYLES:
        errors["style"] = _("Pilih cara bank menulis uang masuk dan keluar.")
    if shape.day_order not in ORDERS:
        errors["day_order"] = _("Pilih susunan tanggalnya.")
    needed = {"two_columns": ("out", "into"), "signed": ("amount",), "marked": ("amount", "mark")}
    for name in ("day", *needed.get(shape.style, ())):
        if getattr(shape, name) not in names:
            errors[name] = _("Pilih kolomnya.")
    for name in ("reference", "balance"):
        if getattr(shape, name) and getattr(shape, name) not in names:
            errors[name] = _("Pilih kolomnya, atau kosongkan.")
    if not shape.texts or not set(shape.texts) <= set(names) or len(shape.texts) > MOST_TEXTS:
        errors["texts"] = _("Pilih satu sampai %(most)d kolom keterangan.", most=MOST_TEXTS)
    if errors:
        raise Invalid(errors)
    used = [name for name in shape.columns if name]
    twice = next((name for name in used if used.count(name) > 1), None)
    if twice:
        raise Invalid({"day": _("Kolom %(name)s dipakai dua kali.", name=twice)})
    kept = needed[shape.style]
    return replace(
        shape,
        out=shape.out if "out" in kept else "",
        into=shape.into if "into" in kept else "",
        amount=shape.amount if "amount" in kept else "",
        mark=shape.mark if "mark" in kept else "",
    )


_MONEY_WORDS = (*OUT_WORDS, *IN_WORDS, *AMOUNT_WORDS)


def _has(cells: Sequence[str], words: Sequence[str]) -> bool:
    return any(re.search(rf"\b{re.escape(word)}", cell.lower()) for cell in cells for word in words)
