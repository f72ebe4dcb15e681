"""Files as several Indonesian banks offer them, with invented movements. All tell of the same four lines."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

ACCOUNT = "1110001112"
#: Day, hundredths, a word of the text.
LINES = [
    (datetime.date(2026, 11, 2), 15_000_000, "SARI"),
    (datetime.date(2026, 11, 2), -85_000_000, "PENYALURAN"),
    (datetime.date(2026, 11, 3), 123_456_700, "BUDI"),
    (datetime.date(2026, 11, 4), 100, "UJI"),
]
OPENING, CLOSING = 200_000_000, 200_000_000 + sum(amount for _, amount, _ in LINES)

#: Amounts with a mark in a nameless column, days without a year, balances in rows around the table.
MARKED = """\
No. rekening : 1110001112
Nama : RPL CONTOH
Periode : 01/11/2026 - 30/11/2026
Kode Mata Uang : IDR

Tanggal Transaksi,Keterangan,Cabang,Jumlah,,Saldo
'02/11,TRSF E-BANKING CR 0211/FTSCY KBT4KQ7M SARI,'0000,"150,000.00",CR,"2,150,000.00"
'02/11,TRSF E-BANKING DB PENYALURAN PKL,'0000,"850,000.00",DB,"1,300,000.00"
'03/11,SETORAN BUDI,'0111,"1,234,567.00",CR,"2,534,567.00"
'04/11,UJI COBA,'0000,"1.00",CR,"2,534,568.00"
PEND,TRSF E-BANKING CR 0511,'0000,"5,000.00",CR,
Saldo Awal : 2000000.00
Kredit : 1384568.00
Debet : 850000.00
Saldo Akhir : 2534568.00
"""
#: Semicolons, two columns, two texts of one name, points for thousands; the newest line first.
TWO_COLUMNS = """\
Account No;Date;Val. Date;Description;Description;Reference No.;Debit;Credit;Balance
1110001112;04/11/26;04/11/26;UJI COBA;;FT0004;-;1,00;2.534.568,00
1110001112;03/11/26;03/11/26;SETORAN;BUDI;FT0003;;1.234.567,00;2.534.567,00
1110001112;02/11/26;02/11/26;TRANSFER KELUAR;PENYALURAN PKL;FT0002;850.000,00;0,00;1.300.000,00
1110001112;02/11/26;02/11/26;TRANSFER MASUK;KBT4KQ7M SARI;FT0001;0,00;150.000,00;2.150.000,00
"""
#: One signed column, tabs, days with a time, months by name.
SIGNED = (
    "Tanggal\tUraian\tNominal\n"
    "02 Nov 2026 08:15:00\tSARI – transfer\t150.000\n"
    "02 Nov 2026 09:00:00\tPENYALURAN PKL\t-850.000\n"
    "03 Nop 2026 10.30\tBUDI\t1.234.567\n"
    "04 November 2026\tUJI COBA\t1\n"
)
#: The mark in a column that says so, American days.
MARK_COLUMN = """\
Posting Date,Effective Date,Branch,Journal,Transaction Description,Amount,DB/CR,Balance
11/02/2026 08.15.00,11/02/2026,0001,998877,TRANSFER DARI SARI,150000.00,K,2150000.00
11/02/2026 09.00.00,11/02/2026,0001,998878,PENYALURAN PKL,850000.00,D,1300000.00
11/03/2026 10.00.00,11/03/2026,0001,998879,BUDI,1234567.00,K,2534567.00
11/04/2026 11.00.00,11/04/2026,0001,998880,UJI COBA,1.00,K,2534568.00
"""
#: No header at all.
BARE = """\
2026-11-02;150000,00;C;TRANSFER SARI
2026-11-02;850000,00;D;PENYALURAN PKL
2026-11-03;1234567,00;C;BUDI
2026-11-04;1,00;C;UJI COBA
"""
MT940 = """\
{1:F01CONTIDJAXXX0000000000}{2:I940CONTIDJAXXXXN}{4:
:20:STMT261104
:25:CONTIDJA/1110001112
:28C:00211/001
:60F:C261101IDR2000000,00
:61:2611021102C150000,00NTRFNONREF//FT0001
:86:TRANSFER DARI SARI
KBT4KQ7M UNTUK BATIK
:61:2611021102D850000,00NTRFPENYALURAN//FT0002
:86:?00TRANSFER?20PENYALURAN PKL
:61:2611031103C1234567,00NTRFNONREF//FT0003
:86:BUDI
:61:2611041104C1,NTRFNONREF
:86:UJI COBA
:62F:C261104IDR2534568,00
:86:TERIMA KASIH
-}
"""


@dataclass(frozen=True)
class Movement:
    """A line of a made-up statement; whole rupiah."""

    day: datetime.date
    amount: int
    text: str
    reference: str = ""


def csv_of(*movements: Movement, opening: int = 0, account: str = ACCOUNT) -> bytes:
    """A CSV with semicolons and running balances, in the shape of `TWO_COLUMNS`."""
    rows = ["Account No;Date;Description;Reference No.;Debit;Credit;Balance"]
    balance = opening
    for line in movements:
        balance += line.amount
        out, into = (-line.amount, 0) if line.amount < 0 else (0, line.amount)
        rows.append(
            f"{account};{line.day:%d/%m/%Y};{line.text};{line.reference};{out},00;{into},00;{balance},00"
        )
    return "\n".join(rows).encode() + b"\n"


def mt940_of(*movements: Movement, opening: int = 0, account: str = ACCOUNT) -> bytes:
    """The same as an MT940 statement."""
    first, last = movements[0].day, movements[-1].day

    def balance(amount: int, day: datetime.date) -> str:
        return f"{'D' if amount < 0 else 'C'}{day:%y%m%d}IDR{abs(amount)},00"

    rows = [":20:STMT", f":25:{account}", ":28C:1/1", f":60F:{balance(opening, first)}"]
    for line in movements:
        mark = "D" if line.amount < 0 else "C"
        rows.append(
            f":61:{line.day:%y%m%d%m%d}{mark}{abs(line.amount)},00NTRFNONREF//{line.reference or 'NONREF'}"
        )
        rows.append(f":86:{line.text}")
    rows.append(f":62F:{balance(opening + sum(line.amount for line in movements), last)}")
    return "\r\n".join(rows).encode() + b"\r\n-\r\n"
