"""Facts, food, papers and sizes of a listing as typed, in columns of a file: read from there, compared, written in.

A cell of facts or of rows of sizes holds a line for each: `Bahan: katun`, `Lebar dada: 50; 52`. What separates is
written with a backslash where it belongs to a text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from storefront.listing_files.columns import BY_KEY
from storefront.listings.typed import FACT_TEXTS, FOOD_TEXTS, PAPER_TEXTS
from storefront.written import one_line

#: What a fact is called whose line has no heading.
LABELS = {"material": ("Bahan", "Material"), "care": ("Perawatan", "Care")}
#: A line in English of what has none.
NONE = "-"
SIZE_TEXTS = ("title", "title_en", "note", "note_en")


def standing(content: Mapping[str, Any], column: str) -> str | bool:
    """What a listing as typed holds in a column."""
    where = BY_KEY[column].part
    if where[0] == "facts":
        return _facts_text(content["facts"], where[1], column.endswith("_en"))
    if where[0] == "food":
        return str((content["food"] or {}).get(where[1], ""))
    if where[0] == "sizes":
        return _sizes_text(content["sizes"], where[1])
    paper = _paper(content["papers"], where[1])
    return (
        paper is not None if where == ("papers", "not_halal") else str((paper or {}).get(where[-1], "") or "")
    )


def plain(column: str, text: str) -> str:
    """One way of writing the texts that have lines or lists within."""
    where = BY_KEY[column].part
    if where[0] == "facts":
        english = column.endswith("_en")
        return _fact_lines(_read_facts(text, where[1], english), english)
    if where == ("sizes", "rows"):
        return _row_lines(*_read_rows(text))
    if where[0] == "sizes" and where[1].startswith("columns"):
        return _joined(_split_list(text))
    return one_line(text).upper() if where[-1] == "number" else one_line(text)


def write(content: dict[str, Any], column: str, value: str | bool) -> None:
    """Let a listing as typed say `value` in a column."""
    where, text = BY_KEY[column].part, str(value)
    if where[0] == "facts":
        _write_facts(content, where[1], text, column.endswith("_en"))
    elif where[0] == "food":
        food = {**dict.fromkeys(FOOD_TEXTS, ""), **(content["food"] or {}), where[1]: text}
        content["food"] = food if any(food.values()) else None
    elif where[0] == "sizes":
        _write_sizes(content, where[1], text)
    else:
        _write_paper(content, where, value)


# Facts.


def _facts_text(facts: Sequence[Mapping[str, str]], kind: str, english: bool) -> str:
    names = ("label_en", "value_en") if english else ("label", "value")
    pairs = [(one_line(fact[names[0]]), one_line(fact[names[1]])) for fact in facts if fact["kind"] == kind]
    return _fact_lines(pairs, english)


def _fact_lines(pairs: Sequence[tuple[str, str]], english: bool) -> str:
    """Lines of facts; those in English stand for those above them, so that none is left out but at the end."""
    lines = [f"{_escaped(label, ':')}: {value}" if label or value else NONE for label, value in pairs]
    while lines and lines[-1] == NONE:
        lines.pop()
    return "\n".join(lines if english else [line for line in lines if line != NONE])


def _read_facts(text: str, kind: str, english: bool) -> list[tuple[str, str]]:
    """Label and value of each line."""
    pairs = []
    for line in map(one_line, text.split("\n")):
        if line == NONE:
            pairs.append(("", ""))
        elif line:
            parts = _split(line, ":", 1)
            label = _unescaped(parts[0]) if len(parts) == 2 else LABELS.get(kind, ("", ""))[english]
            pairs.append((label, parts[-1].strip()))
    return pairs


def _write_facts(content: dict[str, Any], kind: str, text: str, english: bool) -> None:
    """Facts of one kind; the others stay where they stand, and so does the English of those that do not change."""
    pairs = _read_facts(text, kind, english)
    old = [fact for fact in content["facts"] if fact["kind"] == kind]
    new = []
    if english:
        padded = [*pairs, *[("", "")] * len(old)]
        new = [
            {**fact, "label_en": label, "value_en": value}
            for fact, (label, value) in zip(old, padded, strict=False)
        ]
    else:
        there = {(one_line(fact["label"]), one_line(fact["value"])): fact for fact in old}
        for label, value in pairs:
            blank = {**dict.fromkeys(FACT_TEXTS, ""), "kind": kind, "label": label, "value": value}
            new.append({**blank, **there.get((label, value), {})})
    facts, waiting = [], iter(new)
    for fact in content["facts"]:
        replaced = next(waiting, None) if fact["kind"] == kind else fact
        facts += [replaced] if replaced else []
    content["facts"] = [*facts, *waiting]


# Sizes.


def _sizes_text(sizes: Mapping[str, Any] | None, name: str) -> str:
    if sizes is None:
        return ""
    if name == "rows":
        return _row_lines(sizes["rows"], sizes["cells"])
    return _joined(sizes[name]) if name.startswith("columns") else str(sizes[name])


def _row_lines(rows: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    return "\n".join(
        f"{_escaped(one_line(row), ':')}: {_joined(line)}".rstrip()
        for row, line in zip(rows, cells, strict=True)
    )


def _read_rows(text: str) -> tuple[list[str], list[list[str]]]:
    rows, cells = [], []
    for line in filter(None, map(one_line, text.split("\n"))):
        head, *rest = _split(line, ":", 1)
        rows.append(_unescaped(head))
        cells.append(_split_list(rest[0]) if rest else [])
    return rows, cells


def _write_sizes(content: dict[str, Any], name: str, text: str) -> None:
    blank = {**dict.fromkeys(SIZE_TEXTS, ""), "columns": [], "columns_en": [], "rows": [], "cells": []}
    sizes = {**blank, **(content["sizes"] or {})}
    if name == "rows":
        sizes["rows"], sizes["cells"] = _read_rows(text)
    elif name.startswith("columns"):
        if name == "columns" and len(_split_list(text)) != len(sizes["columns_en"]):
            sizes["columns_en"] = []
        sizes[name] = _split_list(text)
    else:
        sizes[name] = text
    content["sizes"] = sizes if any(sizes.values()) else None


# Papers.


def _paper(papers: Sequence[Mapping[str, Any]], kind: str) -> Mapping[str, Any] | None:
    return next((paper for paper in papers if paper["kind"] == kind), None)


def _write_paper(content: dict[str, Any], where: Sequence[str], value: str | bool) -> None:
    kind = where[1]
    others = [paper for paper in content["papers"] if paper["kind"] != kind]
    paper = {
        **dict.fromkeys(PAPER_TEXTS, ""),
        "document_key": None,
        **(_paper(content["papers"], kind) or {}),
    }
    paper["kind"] = kind
    if kind != "not_halal":
        paper[where[2]] = str(value)
    is_said = bool(value) if kind == "not_halal" else any(paper[name] for name in PAPER_TEXTS[1:])
    if is_said and _paper(content["papers"], kind):
        content["papers"] = [paper if one["kind"] == kind else one for one in content["papers"]]
    else:
        content["papers"] = [*others, paper] if is_said else others


# Texts within a cell.


def _split(text: str, sign: str, most: int = 0) -> list[str]:
    """Parts between signs that have no backslash before them; at most `most` splits, 0: all."""
    parts = re.findall(rf"((?:\\.|[^\\{sign}]|\\$)*)({sign}|$)", text)
    texts: list[str] = []
    for place, (part, ended) in enumerate(parts):
        if most and place == most:
            texts.append("".join(piece + end for piece, end in parts[place:]))
            break
        texts.append(part)
        if not ended:
            break
    return texts


def _split_list(text: str) -> list[str]:
    """Texts between semicolons, without the empty ones at the end."""
    texts = [_unescaped(part) for part in _split(one_line(text), ";")]
    while texts and not texts[-1]:
        texts.pop()
    return texts


def _joined(texts: Sequence[str]) -> str:
    parts = [_escaped(one_line(text), ";") for text in texts]
    while parts and not parts[-1]:
        parts.pop()
    return "; ".join(parts)


def _escaped(text: str, sign: str) -> str:
    return text.replace("\\", "\\\\").replace(sign, f"\\{sign}")


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text.strip()).strip()
