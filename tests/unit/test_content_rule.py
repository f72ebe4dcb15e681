"""What waits for a person, and what may be shown at once."""

from __future__ import annotations

import time

import pytest

from storefront import content_rule

FOUND = [
    ("phone", "Hubungi saya di 0812-3456-7890 ya"),
    ("phone", "wa 081234567890"),
    ("phone", "+62 812 3456 7890"),
    ("phone", "O812 3456 789O"),
    ("phone", "0 8 1 2 3 4 5 6 7 8 9"),
    ("phone", "08l2.3456.7890"),
    ("phone", "\uff10\uff18\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19"),
    ("phone", "081\u200b234\u200b567\u200b890"),
    ("phone", "nol delapan satu dua tiga empat lima enam"),
    ("phone", "(021) 555-12345"),
    ("phone", "WA kami: 5551234"),
    ("phone", "call +628123456789"),
    ("account_number", "Rekening BCA 1234567890"),
    ("account_number", "no. rek 123-456-7890"),
    ("account_number", "1234 5678 9012 3456"),
    ("account_number", "transfer ke rekening kami saja, lebih cepat"),
    ("account_number", "bisa bayar langsung ke DANA"),
    ("account_number", "OVO 0899123"),
    ("email", "tulis ke toko.lapas@example.com"),
    ("email", "toko (at) gmail (dot) com"),
    ("email", "toko at gmail dot com"),
    ("link", "lihat https://contoh.test/bayar"),
    ("link", "bayar di bit.ly/3xYz"),
    ("link", "www . contoh . id"),
    ("link", "ada di tokopedia.com"),
    ("link", "wa.me/62812"),
    ("link", "IG: lapasku"),
    ("link", "cek @lapas_craft"),
    ("inmate_number", "No. Reg. BI 123/2019"),
    ("inmate_number", "nomor register: 45"),
    ("inmate_number", "B.I 1234/2020"),
    ("inmate_number", "BIIa.77/2018"),
    ("inmate_number", "nomor induk 1234"),
    ("inmate_number", "register B.II.a 12/2017"),
    ("offence", "dibuat pelaku pencurian?"),
    ("offence", "Pembuatnya kasus narkoba ya"),
    ("offence", "mantan napi hebat"),
    ("offence", "divonis lima tahun"),
    ("offence", "Is the maker a murderer?"),
    ("offence", "koruptor"),
    ("offence", "made by criminals"),
    ("name", "narapidana bernama budi"),
    ("name", "warga binaan atas nama Siti Aminah"),
    ("name", "Dibuat oleh Joko Susilo"),
    ("name", "buatan Pak Budi"),
    ("name", "Terima kasih, Bu Ratna!"),
    ("name", "nama saya andi"),
    ("name", "made by John Smith"),
    ("name", "napi Slamet"),
    ("name", "Pembuatnya adalah Slamet Riyadi"),
    ("name", "Bagus sekali.\nSalam,\nRudi"),
]  # fmt: skip

FREE = [
    "Apakah ukuran 120 x 60 x 75 cm tersedia?",
    "Harganya Rp 1.250.000 sudah termasuk ongkir?",
    "Saya pesan 24 buah untuk tanggal 24-11-2026, bisa?",
    "Tahun 2019-2024 sudah tiga kali beli.",
    "Pesanan KB-7Q2M-4XPA sudah sampai.",
    "Kode PKL-BATIK-03 warna apa saja?",
    "Sabun sereh ini aman untuk bayi?",
    "Bapak atau Ibu bisa memilih warna lain.",
    "Pak, apakah bisa dibuat lebih tinggi?",
    "Karya warga binaan, rapi sekali.",
    "Pembuatnya adalah warga binaan di bengkel kayu.",
    "Dibuat oleh warga binaan di bengkel kami.",
    "Dibuat oleh tangan terampil, 100 % katun.",
    "Karya warga binaan memang rapi.",
    "Terima kasih. Barangnya bagus, jahitannya rapi.",
    "Bagus.Idenya menarik",
    "Keren. Top! Ke toko lain kalah.",
    "Tahan 12 bulan, berat 1500 gram, isi 250 ml.",
    "Kami kirim Senin sampai Jumat, pukul 08.00-15.00.",
    "Lebar 90 sampai 120, tinggi 75, dalam 45 cm.",
    "Is it safe for food, up to 100 degrees?",
    "Made by hand, it feels sturdy.",
    "Kursinya muat 2-3 orang, beban 150 kg.",
    "Buatan Lapas Pekalongan memang halus.",
    "Harga 485000 atau 1250000 untuk sepasang?",
    "",
]


@pytest.mark.parametrize(("reason", "text"), FOUND)
def test_what_must_wait_is_found_with_its_reason(reason: str, text: str) -> None:
    assert reason in content_rule.reasons(text)


@pytest.mark.parametrize("text", FREE)
def test_what_people_usually_write_is_let_through(text: str) -> None:
    assert content_rule.find(text) == []


def test_reasons_stand_once_each_in_a_fixed_order() -> None:
    assert content_rule.reasons("bit.ly/a", "081234567890 dan 089876543210") == ["phone", "link"]


def test_a_text_is_kept_without_signs_that_nobody_sees() -> None:
    written = " Bagus\u202e sekali\x00\u200b \r\n\r\n\r\n\r\nRapi\ttebal  "
    assert content_rule.clean(written) == "Bagus sekali\n\nRapi tebal"
    assert content_rule.clean("e\u0301") == "é"


def test_a_long_text_takes_no_time() -> None:
    """No pattern may run away on what somebody sends: twice the text, about twice the work."""
    for piece in ("nol ", "a.", "1 ", "a@a", "pak A ", "B.I ", "no reg ", "salam, ", "https : / / "):
        begun = time.process_time()
        content_rule.find(piece * (4000 // len(piece)))
        assert time.process_time() - begun < 2, piece
