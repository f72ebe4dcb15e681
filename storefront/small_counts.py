"""Publish counts of people, and amounts beside them, so that nothing about fewer than five can be worked out.

Whoever reads all our pages, files and permanent links knows every published sum at every day, and may subtract.
So nothing is published but sums of whole *blocks*: a block is made once, holds something about at least five people,
and never changes. A small piece is not published alone: it waits until another arrives and both go out as one
block. Any sum, difference or combination of what is published is one of block totals, so that the parts of a
block stay unknown: see docs/decisions/014-impact.md. Pure functions; they know neither database nor pages.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

#: Counts of people below this are never shown.
SMALLEST = 5
#: A waiting piece joins one that shares its n-th place with it once it has waited for the n-th of these, in days.
PATIENCE = (0, 30, 60, 90)


@dataclass(frozen=True)
class Piece:
    """Something that became known at a moment: a count of people, or an amount that concerns some."""

    id: Hashable
    known_at: datetime.datetime
    value: int
    #: How many people it speaks of: of a count the count itself. Of several together the largest of theirs, since
    #: the same people may be behind two of them.
    people: int
    #: Where it belongs, from the narrowest place to the widest (`PATIENCE`).
    places: tuple[Hashable, ...] = ()
    #: Of how many it is a part, where those are published too: the others must not be fewer than five either.
    wholes: tuple[int, ...] = ()
    #: Takes back the piece of this id.
    undoes: Hashable | None = None
    #: The rows that it was made of.
    rows: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Block:
    """Pieces that are published as one sum, from a moment on."""

    released_at: datetime.datetime
    pieces: tuple[Piece, ...]

    @property
    def value(self) -> int:
        return sum(piece.value for piece in self.pieces)

    @property
    def rows(self) -> tuple[Any, ...]:
        return tuple(row for piece in self.pieces for row in piece.rows)


@dataclass(frozen=True)
class Released:
    """Blocks in the order of their release, and what still waits for company."""

    blocks: tuple[Block, ...]
    waiting: tuple[Piece, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A public sum: of the blocks that lie wholly within what it speaks of."""

    value: int
    #: Whether that is all there is; else something is hidden, or waits.
    is_whole: bool
    #: Whether nothing at all belongs to it.
    is_empty: bool = False

    @property
    def is_hidden(self) -> bool:
        """Whether no number may be shown."""
        return not self.is_empty and self.value < SMALLEST

    def if_whole(self) -> Figure:
        """Itself when nothing of it is missing, else hidden: for a part that would look small beside its whole."""
        return self if self.is_whole else Figure(0, False)


@dataclass
class _State:
    blocks: list[Block] = field(default_factory=list)
    waiting: list[Piece] = field(default_factory=list)
    #: Ids of the pieces that went out alone.
    alone: set[Hashable] = field(default_factory=set)


def release(pieces: Iterable[Piece], *, patience: Sequence[int] = PATIENCE) -> Released:
    """Make blocks of `pieces` in the order in which they became known; of one moment, as they are given.

    What was released at a moment depends on nothing that became known later: the blocks of a longer history begin
    with the blocks of a shorter one.
    """
    state = _State()
    for piece in sorted(pieces, key=lambda piece: piece.known_at):
        if piece.undoes is not None and _forget(state, piece.undoes):
            continue
        _arrive(state, piece, patience)
    return Released(tuple(state.blocks), tuple(state.waiting))


def _forget(state: _State, id: Hashable) -> bool:
    """Let go of a waiting piece that is taken back before anybody saw it."""
    kept = [piece for piece in state.waiting if piece.id != id]
    found = len(kept) < len(state.waiting)
    state.waiting = kept
    return found


def _arrive(state: _State, piece: Piece, patience: Sequence[int]) -> None:
    # What takes back a piece that went out together with others would leave those others alone: it needs company too.
    fits_alone = is_safe([piece]) and (piece.undoes is None or piece.undoes in state.alone)
    # And what takes back a piece that went out alone goes alone as well: everybody knows its value, so whatever went
    # out together with it would be known.
    joins = piece.undoes is None
    company = [other for other in state.waiting if joins and _may_join(other, piece, patience)]
    if company and is_safe([*company, piece]):
        state.waiting = [other for other in state.waiting if other not in company]
        state.blocks.append(Block(piece.known_at, (*company, piece)))
    elif fits_alone:
        state.alone.add(piece.id)
        state.blocks.append(Block(piece.known_at, (piece,)))
    else:
        state.waiting.append(piece)


def is_safe(pieces: Sequence[Piece]) -> bool:
    """Whether the sum of `pieces` tells nothing about fewer than five people."""
    value = sum(piece.value for piece in pieces)
    wholes = (sum(each) for each in zip(*(piece.wholes for piece in pieces), strict=True))
    many = any(piece.people >= SMALLEST for piece in pieces if piece.undoes is None or len(pieces) == 1)
    return many and not any(0 < abs(whole - value) < SMALLEST for whole in wholes)


def _may_join(waiting: Piece, arriving: Piece, patience: Sequence[int]) -> bool:
    waited = arriving.known_at - waiting.known_at
    return any(
        here == there and waited >= datetime.timedelta(days=days)
        for here, there, days in zip(waiting.places, arriving.places, patience, strict=False)
    )


def as_pieces(
    released: Released,
    *,
    value: Callable[[Any], int],
    people: Callable[[Any], int] | None = None,
    wholes: Sequence[Callable[[Any], int]] = (),
) -> list[Piece]:
    """The blocks of one measure as the pieces of another that is a part of it (of participants: those who passed).

    The functions read a row of a piece. So the blocks of the part are made of whole blocks of the whole.
    """
    people = people or value
    alone = {block.pieces[0].id: number for number, block in enumerate(released.blocks) if len(block.pieces) == 1}
    found = []
    for number, block in enumerate(released.blocks):
        undoes = block.pieces[0].undoes if len(block.pieces) == 1 else None
        counts = [people(row) for row in block.rows]
        found.append(
            Piece(
                id=("block", number),
                known_at=block.released_at,
                value=sum(map(value, block.rows)),
                people=max(counts, default=0) if undoes is None else abs(sum(counts)),
                places=_common(block.pieces),
                wholes=tuple(sum(map(whole, block.rows)) for whole in wholes),
                undoes=None if undoes is None else ("block", alone[undoes]),
                rows=block.rows,
            )
        )
    return found


def _common(pieces: Sequence[Piece]) -> tuple[Hashable, ...]:
    """The places that all pieces share; where they do not, one that nothing else has."""
    return tuple(
        places[0] if len(set(places)) == 1 else object()
        for places in zip(*(piece.places for piece in pieces), strict=True)
    )


def figure(released: Released, belongs: Callable[[Any], bool] = lambda row: True) -> Figure:
    """The public sum over the rows that belong to it."""
    value, is_whole, is_empty = 0, True, True
    for block in released.blocks:
        inside = [belongs(row) for row in block.rows]
        if inside and all(inside):
            value += block.value
        elif any(inside):
            is_whole = False
        is_empty = is_empty and not any(inside)
    if any(belongs(row) for piece in released.waiting for row in piece.rows):
        is_whole = is_empty = False
    return Figure(value, is_whole, is_empty)
