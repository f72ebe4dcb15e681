"""What each word finds, read from the full-text index when somebody first asks for it and then kept.

A word's hits follow what changes in the catalogue, so that each is read once in the life of a process: a word
that a tenth of 100,000 products hold takes some 50 ms then, and nothing worth naming afterwards.
"""

from __future__ import annotations

import threading
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from storefront.catalogue.listing_index import ListingIndex, unpacked
from storefront.extensions import db

#: Words that one process remembers; at 100,000 listings each of them holds 40 kB at most.
MOST = 400
#: Beyond so many comparisons of a word with a product it is quicker to read the words anew when they are asked for.
MOST_COMPARED = 20_000
#: What stands before a question among the words: no word begins so.
QUERY = "?"
#: Words that say nothing of what is looked for.
NOISE = frozenset(
    {
        *("atau", "dan", "dari", "dengan", "di", "ini", "itu", "ke", "pada", "untuk", "utk", "yang", "yg"),
        *("a", "an", "and", "for", "from", "in", "of", "or", "the", "to", "with"),
    }
)

READ = text(
    """SELECT a.word, h.meant, CAST(h.whole AS text) AS whole, CAST(h.starts AS text) AS starts,
              h.whole_ids, h.title_ids, h.all_ids
         FROM unnest(CAST(:words AS text[])) a (word), word_hits(a.word) h"""
)
READ_QUERY = text(
    """SELECT :query AS meant, CAST(asked.query AS text) AS whole, CAST(asked.query AS text) AS starts,
              NULL AS whole_ids, NULL AS title_ids,
              (SELECT string_agg(int8send(p.id), '') FROM products p
                WHERE p.status = 'published' AND p.search @@ asked.query) AS all_ids
         FROM (SELECT to_tsquery('simple', :query) AS query) asked"""
)
COMPARE = text(
    """SELECT w.word,
              string_agg(int8send(p.id), '') FILTER (WHERE p.title @@ w.whole) AS whole_ids,
              string_agg(int8send(p.id), '') FILTER (WHERE p.title @@ w.starts) AS title_ids,
              string_agg(int8send(p.id), '') AS all_ids
         FROM (SELECT a.word, CAST(a.whole AS tsquery) AS whole, CAST(a.starts AS tsquery) AS starts
                 FROM unnest(CAST(:words AS text[]), CAST(:whole AS text[]), CAST(:starts AS text[]))
                      a (word, whole, starts)) w
         JOIN (SELECT id, search, ts_filter(search, '{a,b}') AS title FROM products
                WHERE id = ANY (CAST(:ids AS bigint[])) AND status = 'published') p ON p.search @@ w.starts
        GROUP BY w.word"""
)


@dataclass(frozen=True)
class WordHits:
    """What one word finds."""

    #: The word that was really looked for: another one where this one is unknown and that one is near.
    meant: str
    #: As PostgreSQL writes the questions: its forms and synonyms, and also what begins with it.
    whole: str
    starts: str
    #: Members with the word in their title, with a word there that begins so, and with either anywhere.
    in_title: int
    in_title_begun: int
    anywhere: int


class KnownWords:
    """The words that were asked for lately; safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._words: OrderedDict[str, WordHits] = OrderedDict()

    def hits(self, words: Sequence[str], index: ListingIndex) -> list[WordHits]:
        """What each word finds among the listings of `index`. One statement for those not met before."""
        with self._lock:
            found = {word: self._words[word] for word in words if word in self._words}
            for word in found:
                self._words.move_to_end(word)
        unknown = list(dict.fromkeys(word for word in words if word not in found))
        if unknown:
            read = {row.word: _hits(row, index) for row in db.session.execute(READ, {"words": unknown})}
            found |= read
            with self._lock:
                self._words |= read
                while len(self._words) > MOST:
                    self._words.popitem(last=False)
        return [found[word] for word in words]

    def of_query(self, query: str, index: ListingIndex) -> int:
        """Members that answer a tsquery (`simple`), read once and followed as words are."""
        key = QUERY + query
        with self._lock:
            hits = self._words.get(key)
            if hits is not None:
                self._words.move_to_end(key)
        if hits is None:
            hits = _hits(db.session.execute(READ_QUERY, {"query": query}).one(), index)
            with self._lock:
                self._words[key] = hits
        return hits.anywhere

    def followed(self, older: ListingIndex, newer: ListingIndex, changed: array[int]) -> KnownWords:
        """The same words for a newer state of the list, where the products `changed` may have other words."""
        result = KnownWords()
        with self._lock:
            # A word that found nothing may be near another one now.
            words = OrderedDict(
                (word, hits) for word, hits in self._words.items() if hits.anywhere or word.startswith(QUERY)
            )
        if older.names.synonyms != newer.names.synonyms or len(words) * len(changed) > MOST_COMPARED:
            return result
        result._words = _compared(words, newer, changed) if changed and words else words
        return result


def _hits(row: object, index: ListingIndex) -> WordHits:
    sets = [
        index.members(unpacked("q", getattr(row, name))) for name in ("whole_ids", "title_ids", "all_ids")
    ]
    return WordHits(row.meant or row.word, row.whole, row.starts, *sets)  # type: ignore[attr-defined]


def _compared(
    words: OrderedDict[str, WordHits], index: ListingIndex, changed: array[int]
) -> OrderedDict[str, WordHits]:
    """`words` with the products `changed` taken out of all of them, and into those that find them now."""
    old = index.members(changed)
    rows = db.session.execute(
        COMPARE,
        {
            "words": list(words),
            "whole": [hits.whole for hits in words.values()],
            "starts": [hits.starts for hits in words.values()],
            "ids": changed.tolist(),
        },
    )
    now = {row.word: row for row in rows}
    result: OrderedDict[str, WordHits] = OrderedDict()
    for word, hits in words.items():
        sets = [hits.in_title & ~old, hits.in_title_begun & ~old, hits.anywhere & ~old]
        if row := now.get(word):
            ids = [unpacked("q", data) for data in (row.whole_ids, row.title_ids, row.all_ids)]
            sets = [kept | index.members(found) for kept, found in zip(sets, ids, strict=True)]
        result[word] = WordHits(hits.meant, hits.whole, hits.starts, *sets)
    return result
