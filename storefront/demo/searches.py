"""What shoppers looked for in vain during the last weeks, and the words that a curator has taught the shop."""

from __future__ import annotations

import datetime
import random
from collections import Counter

from storefront.audit.record import dated
from storefront.catalogue import lost_searches, synonyms
from storefront.demo.moments import at, days

#: Searches without results and about how often each is made in a week.
LOST = {
    "payung lipat": 5, "kaos couple": 4, "rak sepatu": 4, "helm": 3, "mukena anak": 3, "guci besar": 2,
    "seprai": 2, "sajadah": 6, "blangkon": 2, "celengan": 3, "kandang burung": 1, "gitar akustik": 1,
}  # fmt: skip
WEEKS = 4
#: What the curator has made of words like these.
TAUGHT = ("miniatur, replika, diorama", "keranjang, bakul, besek", "gantungan kunci, keychain")


def add(curator_id: int, today: datetime.date, seed: str) -> None:
    """Add both. Never commits."""
    rng = random.Random(f"{seed}:searches")
    for back in range(WEEKS * 7, 0, -1):
        counts = {words: sum(rng.random() < weekly / 7 for _ in range(2)) for words, weekly in LOST.items()}
        if found := Counter({words: times for words, times in counts.items() if times}):
            lost_searches.write(found, today - days(back))
    for number, terms in enumerate(TAUGHT):
        with dated(at(today - days(20 - 3 * number), 10)):
            known = {term for group in synonyms.groups() for term in group.terms}
            free = [term for term in synonyms.terms_of(terms) if term not in known]
            if len(free) > 1:
                synonyms.add(", ".join(free), curator_id)
