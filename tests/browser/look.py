"""What must be true of every page, whoever looks at it and on whatever screen."""

from __future__ import annotations

import re
import warnings
from functools import cache
from pathlib import Path
from typing import Any

from tests.browser.shop import LiveShop
from tests.browser.visitor import Visitor

AXE = (Path(__file__).parent / "vendor" / "axe-4.14.1.min.js").read_text()
MARK = "DATA CONTOH – angka rekaan"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
#: Rows and cards of one list come from one loop: the first of them stand for all.
RUN_AXE = """([tags, colours]) => axe.run({
    include: ['html'], exclude: ['tbody > tr:nth-child(n+7)', '.grid > li:nth-child(n+5)'],
}, {
    runOnly: {type: 'tag', values: tags}, rules: {'color-contrast': {enabled: colours}},
    resultTypes: ['violations'], preload: false, elementRef: false,
}).then(found => found.violations.map(
    v => `${v.id}: ${v.help}: ` + v.nodes.slice(0, 3).map(n => `${n.target} ${n.html.slice(0, 120)}`).join(' | ')
))"""

#: How far the page can be moved sideways, and what sticks out.
SIDEWAYS = """() => {
    const width = document.documentElement.clientWidth, all = document.documentElement.scrollWidth;
    if (all <= width) return null;
    const out = [...document.body.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right > width + 1);
    return `${all} px wide on ${width} px: ` + out.slice(-3).map(e => e.outerHTML.slice(0, 100)).join(' | ');
}"""

#: Words that people can read or hear, apart from those marked as another language.
READABLE = """() => {
    const found = [];
    const other = `[lang]:not([lang="${document.documentElement.lang}"]), script, style, .letters`;
    const seen = node => node.checkVisibility({visibilityProperty: true}) && !node.closest(other);
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    for (let node = walker.currentNode; node; node = walker.nextNode()) {
        if (node.nodeType === Node.TEXT_NODE) {
            if (node.data.trim() && seen(node.parentElement)) found.push(node.data);
        } else if (seen(node)) {
            for (const name of ['aria-label', 'alt', 'placeholder', 'title', 'data-label'])
                if (node.getAttribute(name)) found.push(node.getAttribute(name));
        }
    }
    return [document.title, ...found];
}"""

#: All of it in one question: each costs a way to the browser and back.
SEEN = f"""english => ({{
    sideways: ({SIDEWAYS})(), language: document.documentElement.lang, text: document.body.innerText,
    readable: english ? ({READABLE})() : [], axe: 'axe' in window,
}})"""

#: Frequent Indonesian words that are no English ones.
INDONESIAN = set(
    re.findall(
        r"\w+",
        """dan yang untuk dengan atau ini itu tidak belum sudah akan dari pada oleh adalah anda kami kita juga
    hanya bisa dapat setiap semua lain lainnya tiap jika bila agar supaya seperti sampai menurut karena
    pesanan keranjang kirim kiriman dikirim bayar dibayar pembayaran lihat karya harga jumlah ongkos alamat
    nama surel masuk keluar cari habis sisa buah bulan tahun hari penjualan pembeli bengkel lapas rutan stok
    kurir resi dikemas siap diambil terima diterima upah premi modal kerja negara bahan bagian persen ubah
    simpan batalkan kembali halaman bantuan akun""",
    )
)


def faults(visitor: Visitor, status: int, with_axe: bool = True, colours: bool = True) -> list[str]:
    """All that is wrong with the page shown, one sentence each; `with_axe` asks axe too, `colours` for contrast too.

    What is wrong is wrong twice: a page may turn or ask for something while it is judged.
    """
    known = f"status of {status} "  # a browser reports an error page as an error
    found = [line for line in visitor.trouble if status == 200 or known not in line]
    visitor.trouble.clear()
    wrong = judged(visitor, with_axe, colours)
    return found + (lasting(wrong, judged(visitor, with_axe, colours)) if wrong else [])


def lasting(first: list[str], second: list[str]) -> list[str]:
    """Of what was wrong with a page at first what is still so; the rest is told as a warning.

    Faults are the same when they begin alike: numbers and keys in them may differ from look to look.
    """
    again = {kind_of(fault) for fault in second}
    for fault in first:
        if kind_of(fault) not in again:
            warnings.warn(f"seen once and not again: {fault}", stacklevel=2)
    return [fault for fault in first if kind_of(fault) in again]


def kind_of(fault: str) -> str:
    """What a fault is about, without where it is."""
    return ":".join(re.sub(r"\d+|“.*", "", fault).split(":")[:2])


def judged(visitor: Visitor, with_axe: bool, colours: bool) -> list[str]:
    """What is wrong with the page as it is now."""
    page = visitor.page
    visitor.still()
    found = []
    seen = page.evaluate(SEEN, visitor.language == "en")
    if seen["sideways"]:
        found.append(f"moves sideways: {seen['sideways']}")
    if seen["language"] != visitor.language:
        found.append(f"is marked as {seen['language']}")
    if visitor.says(MARK) not in seen["text"]:
        found.append("does not say that its data are invented")
    if words := indonesian_words(visitor.shop, seen["readable"]):
        found.append(f"Indonesian on an English page: {'; '.join(words)}")
    if with_axe:
        if not seen["axe"]:
            page.evaluate(AXE)  # unlike a script tag, not bound by the page's policy
        found += page.evaluate(RUN_AXE, [RULES, colours])
    return found


def indonesian_words(shop: LiveShop, texts: list[str]) -> list[str]:
    """Those of `texts` with Indonesian words that are nobody's name and no product's text."""
    found = _foreign(shop, texts)
    if found:
        own_names.cache_clear()  # somebody may have written something since they were read
        found = _foreign(shop, texts)
    return found


def _foreign(shop: LiveShop, texts: list[str]) -> list[str]:
    found = []
    for text in dict.fromkeys(" ".join(text.split()) for text in texts):
        rest = re.sub(r"\S+@\S+|\{\w+\}", " ", text)
        if not indonesian(rest):
            continue
        for name in own_names(shop):
            if name in rest:
                rest = rest.replace(name, " ")
        if words := indonesian(rest):
            found.append(f"“{text[:80]}” ({', '.join(sorted(words))})")
    return found


def indonesian(text: str) -> set[str]:
    """The words of `text` that are frequent Indonesian ones."""
    return INDONESIAN & set(re.findall(r"[a-z]+", text.lower()))


@cache
def own_names(shop: LiveShop) -> tuple[str, ...]:
    """What the demo's shop, its places and its goods are called and what people wrote, the longest first."""
    columns = [
        "name FROM facilities", "address FROM facilities", "gallery_hours FROM facilities",
        "legal_basis FROM split_rules", "name FROM workshops", "title FROM products", "title FROM variants",
        "description FROM products", "name FROM people", "name FROM provinces", "city FROM facilities",
        "title FROM order_lines", "variant_title FROM order_lines", "workshop_name FROM order_lines",
        "name FROM exhibitions", "venue FROM exhibitions", "note FROM stock_movements", "name FROM order_contacts",
        "note FROM refunds", "failure FROM refunds", "legal_basis FROM deposit_deadlines",
        "legal_basis FROM fee_bearers", "holder FROM bank_accounts", "reason FROM corrections",
        "description FROM bank_lines", "set_aside_reason FROM bank_lines", "holder FROM return_accounts",
        "said #>> '{}' FROM audit_events, jsonb_path_query(details, 'strict $.**') said",
        "subject_id FROM audit_events",
        "said #>> '{}' FROM listing_drafts, jsonb_path_query(content, 'strict $.**') said",
        "said #>> '{}' FROM listing_drafts, jsonb_path_query(reasons, 'strict $.**') said",
        "note FROM listing_drafts", "alt FROM draft_photos",
        "words FROM thank_yous", "words FROM problems", "answer FROM problems",
        "slug FROM facilities", "body FROM case_messages", "name FROM operators", "legal_basis FROM operators",
        "name FROM cities", "gift_note FROM order_notes", "note FROM order_notes",
        "name FROM saved_views", "file_name FROM listing_imports", "title FROM made_files", "name FROM export_presets",
        "code FROM accounts", "name FROM marketplace_files", "skill FROM training_programmes",
        "partner FROM training_programmes", "scheme FROM training_programmes", "theme FROM exhibitions",
        "about FROM exhibitions", "hours FROM exhibitions",
        "line1 FROM order_addresses", "district FROM order_addresses", "city FROM order_addresses",
    ]  # fmt: skip
    names: set[Any] = {
        "Karya Binaan",
        "Kementerian Imigrasi dan Pemasyarakatan",
        "Keputusan Menteri Kehakiman M.01-PP.02.01 Tahun 1990",
        "Direktorat Jenderal Perlindungan Konsumen dan Tertib Niaga",
        # What an exhibition's address may be.
        "pameran-karya-binaan-2027",
    }
    for column in columns:
        rows = shop.rows(f"SELECT DISTINCT {column.replace(' FROM', ' AS name FROM', 1)}")
        names |= {" ".join(str(row["name"]).split()) for row in rows}
    return tuple(sorted(names - {"", "None"}, key=len, reverse=True))
