"""Refuse words that look like a person or a person's number, where only counts and public bodies belong.

What it can tell: long numbers (NIK 16 digits, telephone, registration numbers), e-mail addresses, what announces
a person ("a.n.", "bin", "Sdr.", "tahanan no. …"), two words beginning with capitals of which one is among the given
names that are common in Indonesia (`given_names.txt`), and two such names in any letters. What it cannot: a rare name,
one name in small letters among other words, or a nickname; and it takes some bodies that are named after a person for
one, unless they begin with what they are ("Yayasan …", "PT …"). So a second person reads every record before it counts,
and no page or export shows a field that could hold a name without that reading.
"""

from __future__ import annotations

import itertools
import re
from functools import cache
from pathlib import Path

from flask_babel import gettext as _

NAMES = Path(__file__).with_name("given_names.txt")
#: Words by which a body says what it is; what follows may sound like a person.
BODIES = frozenset((
    "akademi", "asosiasi", "badan", "balai", "bank", "bbplk", "bbpvp", "blk", "bpvp", "bpom", "bumn", "bumd",
    "dinas", "direktorat", "disnaker", "disperindag", "gerakan", "himpunan", "institut", "kanwil", "kelompok",
    "kementerian", "kemenaker", "kemenperin", "koperasi", "kpu", "lapas", "lembaga", "lkp", "lpk", "lsp",
    "pemda", "pemerintah", "pemkab", "pemkot", "perkumpulan", "persatuan", "perum", "perusahaan", "politeknik",
    "poltek", "pondok", "pt", "cv", "ud", "pusat", "rumah", "rutan", "sekolah", "smk", "universitas", "upt",
    "usaha", "yayasan", "bnsp", "bdi",
))  # fmt: skip
#: Digits of one number however they are divided: dots, blanks and dashes do not hide it.
NUMBER = re.compile(r"\d(?:[ .\-]?\d)*")
ANNOUNCED = re.compile(
    r"\b(a\s*\.?\s*n\s*\.|atas nama|alias|bin|binti|almarhum|sdr[i.]?|saudara|saudari|nama\s*:|nik|no\.?\s*reg\w*|"
    r"nomor registrasi|b\.?\s?[i1]+[ab]?\s*[./]?\s*\d+|tahanan|narapidana|napi)(?=\W|$)",
    re.IGNORECASE,
)
ADDRESS = re.compile(r"\S@\S|(?<!\w)@\w{3,}|https?:|www\.", re.IGNORECASE)
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


@cache
def given_names() -> frozenset[str]:
    """Given names that are common in Indonesia, in small letters."""
    return frozenset(NAMES.read_text(encoding="utf-8").split())


def looks_like_a_person(text: str, *, digits: int = 5) -> str | None:
    """Why `text` may hold a person, as a sentence for whoever wrote it; None when nothing speaks for it.

    `digits` in one number, or more, are taken for a number of a person.
    """
    if any(len(re.sub(r"\D", "", found)) >= digits for found in NUMBER.findall(text)):
        return _("Di sini ada nomor panjang. Jangan tulis nomor orang; yang dicatat hanya jumlah.")
    if ADDRESS.search(text):
        return _("Di sini ada alamat surel atau tautan. Tulis nama lembaga atau keterampilannya saja.")
    if ANNOUNCED.search(text) or _has_name(text):
        return _(
            "Ini terbaca seperti nama orang. Tidak ada nama yang dicatat di sini. Bila ini nama lembaga, awali "
            "dengan jenisnya, misalnya “Yayasan …” atau “PT …”."
        )
    return None


def looks_like_a_number_of_a_person(batch: str) -> str | None:
    """Why a batch number may be a person's number or name instead; None when nothing speaks for it."""
    if len(re.sub(r"\D", "", batch)) >= 14 or re.search(r"\d{9}", batch):
        return _("Nomor ini terlalu panjang untuk nomor batch sertifikat. Jangan tulis nomor orang.")
    if set(re.split(r"[^a-z]+", batch.lower())) & given_names():
        return _("Ini terbaca seperti nama orang. Tulis nomor batch sertifikatnya, misalnya LSP/2026/014.")
    return None


def _has_name(text: str) -> bool:
    words = WORD.findall(text)
    if words and words[0].lower() in BODIES:
        return False
    names = given_names()
    pairs = itertools.pairwise(words)
    for a, b in pairs:
        known = (a.lower() in names) + (b.lower() in names)
        if known == 2 or (known and a[0].isupper() and b[0].isupper()):
            return True
    return len(words) == 1 and words[0].lower() in names
