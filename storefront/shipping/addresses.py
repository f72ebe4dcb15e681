"""What a buyer tells us about where goods go and how to reach them, checked field by field.

Every function returns the value in the form that is kept, or raises `Refused` with a sentence that says
what to write. Texts become one line: what breaks a label, a mail header or a log does not get in.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _

from storefront.errors import Invalid
from storefront.mail.address import is_email

#: Longest texts that fit on a label.
LENGTHS = {"name": 120, "line1": 200, "district": 80, "city": 80, "province": 60}
#: What a card holds.
LONGEST_NOTE, MOST_LINES = 300, 8
ADDRESS_FIELDS = ("line1", "district", "city", "province", "postal_code")
POSTAL_CODE = re.compile(r"[1-9][0-9]{4}")
PHONE_NOISE = re.compile(r"[\s().\-/\u2010-\u2015]+")

MISSING = {
    "name": _("Tulis nama penerima."),
    "line1": _("Tulis nama jalan dan nomor rumah."),
    "district": _("Tulis kecamatannya."),
    "city": _("Tulis kota atau kabupatennya."),
    "province": _("Pilih provinsinya."),
    "postal_code": _("Tulis kode pos, lima angka."),
}


class Refused(ValueError):
    """A field's value cannot be used; `sentence` says to people what to write instead."""

    def __init__(self, sentence: Any) -> None:
        super().__init__(str(sentence))
        self.sentence = sentence


@dataclass(frozen=True)
class DeliveryAddress:
    """An address inside the country, each part one line of text as the buyer wrote it."""

    line1: str
    district: str
    city: str
    province: str
    postal_code: str


def one_line(value: Any, longest: int) -> str:
    """`value` as one clean line of at most `longest` characters.

    Line breaks become spaces; marks that turn the direction of writing are dropped. Raises `Refused` for
    anything but text, for control characters and for broken Unicode.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Refused(_("Isi dengan teks."))
    text = unicodedata.normalize("NFC", " ".join(value.split()))
    text = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Cn", "Co") for letter in text):
        raise Refused(_("Ada huruf yang tidak dapat dibaca. Ketik ulang isian ini."))
    if len(text) > longest:
        raise Refused(_("Terlalu panjang: paling banyak %(count)d huruf.", count=longest))
    return text.strip()


def note(value: Any) -> str | None:
    """A few lines of text as people write them on a card, None when nothing was written. Raises `Refused`."""
    if value is not None and not isinstance(value, str):
        raise Refused(_("Isi dengan teks."))
    lines = [one_line(line, LONGEST_NOTE) for line in (value or "").strip().splitlines()]
    # Several empty lines in a row would only push the rest off the card.
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    if len(text) > LONGEST_NOTE:
        raise Refused(_("Terlalu panjang: paling banyak %(count)d huruf.", count=LONGEST_NOTE))
    if text.count("\n") >= MOST_LINES:
        raise Refused(_("Terlalu banyak baris: paling banyak %(count)d.", count=MOST_LINES))
    return text or None


def required_line(value: Any, field: str) -> str:
    """`one_line` for a field of `LENGTHS` that may not stay empty."""
    text = one_line(value, LENGTHS[field])
    if not text:
        raise Refused(MISSING[field])
    if not any(letter.isalnum() for letter in text):
        raise Refused(_("Isian ini belum berisi huruf atau angka."))
    return text


def postal_code(value: Any) -> str:
    """Five digits, as the Indonesian post uses them. Raises `Refused`."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)[:20]
    text = one_line(value, 20).replace(" ", "")
    if not text:
        raise Refused(MISSING["postal_code"])
    if not POSTAL_CODE.fullmatch(text):
        raise Refused(_("Kode pos terdiri dari lima angka, misalnya 51122."))
    return text


def email_address(value: Any) -> str | None:
    """The e-mail address in small letters, None when nothing was given. Raises `Refused`."""
    text = one_line(value, 400).lower()
    if not text:
        return None
    if not is_email(text):
        raise Refused(_("Alamat surel ini belum lengkap. Contohnya: nama@contoh.id."))
    return text


def required_email(value: Any) -> str:
    """`email_address` for a form that asks for nothing else. Raises Invalid (`email`)."""
    try:
        found = email_address(value)
    except Refused as refused:
        raise Invalid({"email": str(refused.sentence)}) from refused
    if found is None:
        raise Invalid({"email": str(_("Tulis alamat surel Anda."))})
    return found


def phone_number(value: Any) -> str | None:
    """An Indonesian number as `+62…`, None when nothing was given. Raises `Refused`.

    `0812-3456-7890`, `62 812 3456 7890` and `+62 (0) 812 3456 7890` are the same number.
    """
    text = PHONE_NOISE.sub("", one_line(value, 60))
    if not text:
        return None
    digits = text.removeprefix("+")
    if not re.fullmatch(r"[0-9]+", digits):
        raise Refused(_("Tulis nomor dengan angka saja, misalnya 0812 3456 7890."))
    if text.startswith("+") and not digits.startswith("62"):
        raise Refused(_("Tulis nomor Indonesia, yang dimulai dengan 08 atau +62."))
    if digits.startswith("0062"):
        digits = digits[2:]
    if digits.startswith("62"):
        digits = digits[2:].removeprefix("0")
    elif digits.startswith("0"):
        digits = digits[1:]
    elif not digits.startswith("8"):
        raise Refused(_("Tulis nomor Indonesia, yang dimulai dengan 08 atau +62."))
    if not re.fullmatch(r"[1-9][0-9]{7,12}", digits):
        raise Refused(_("Panjang nomor ini belum benar. Contohnya: 0812 3456 7890."))
    return "+62" + digits


def delivery_address(data: Mapping[str, Any]) -> tuple[DeliveryAddress | None, dict[str, Any]]:
    """The address in `data`, and a sentence for each field that is wrong (then the address is None)."""
    values: dict[str, str] = {}
    errors: dict[str, Any] = {}
    for field in ADDRESS_FIELDS:
        given = data.get(field)
        try:
            values[field] = postal_code(given) if field == "postal_code" else required_line(given, field)
        except Refused as refused:
            errors[field] = refused.sentence
    return (None if errors else DeliveryAddress(**values)), errors
