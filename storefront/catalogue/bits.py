"""Sets of small whole numbers as the bits of one `int`, and columns of numbers cut into such sets.

A set of 100,000 listings is 12.5 kB. Cutting two of them takes about a microsecond and counting one 15, so
that every filter can be counted exactly. Sets never change once made: many threads may read the same ones.
"""

from __future__ import annotations

import re
import sys
from array import array
from collections.abc import Iterable, Iterator

#: The bits that are set in each byte.
IN_BYTE = tuple(tuple(bit for bit in range(8) if byte >> bit & 1) for byte in range(256))
#: For each bit of a byte: makes of a byte the digit `1` where that bit is set, else `0`.
DIGITS = tuple(bytes(49 if byte >> bit & 1 else 48 for byte in range(256)) for bit in range(8))
SOMETHING = re.compile(rb"[^\x00]")
#: So many members are sorted one by one rather than cut further.
FEW = 512


def of(members: Iterable[int]) -> int:
    """The set of these numbers."""
    marks = bytearray()
    for member in members:
        place = member >> 3
        if place >= len(marks):
            marks.extend(bytes(place + 1 - len(marks) + (len(marks) >> 1)))
        marks[place] |= 1 << (member & 7)
    return int.from_bytes(marks, "little")


def below(size: int) -> int:
    """All numbers from 0 up to `size`, without it."""
    return (1 << size) - 1


def members(bits: int) -> Iterator[int]:
    """The numbers in the set, lowest first."""
    data = bits.to_bytes((bits.bit_length() + 7) // 8, "little")
    for found in SOMETHING.finditer(data):
        place = found.start()
        for bit in IN_BYTE[data[place]]:
            yield place * 8 + bit


def highest(bits: int, skip: int, take: int) -> list[int]:
    """`take` numbers of the set from the highest down, after the `skip` highest."""
    if skip:
        low, high = 0, bits.bit_length()
        while low < high:  # the lowest cut above which there are no more than `skip`
            middle = (low + high) // 2
            if (bits >> middle).bit_count() <= skip:
                high = middle
            else:
                low = middle + 1
        bits &= below(low)
    if take > 64:
        low, high = 0, bits.bit_length()
        while low < high:  # the highest cut above which there are as many as asked for
            middle = (low + high + 1) // 2
            if (bits >> middle).bit_count() >= take:
                low = middle
            else:
                high = middle - 1
        return [low + member for member in members(bits >> low)][: -take - 1 : -1]
    found: list[int] = []
    while bits and len(found) < take:
        top = bits.bit_length() - 1
        found.append(top)
        bits ^= 1 << top
    return found


class Choices:
    """A column with few different values: the set of members for each value."""

    def __init__(self, values: array[int], sets: dict[int, int] | None = None) -> None:
        self.values = values
        self.sets = self._cut() if sets is None else sets

    def _cut(self) -> dict[int, int]:
        marks: dict[int, bytearray] = {}
        size = len(self.values) // 8 + 1
        for slot, value in enumerate(self.values):
            found = marks.get(value)
            if found is None:
                found = marks[value] = bytearray(size)
            found[slot >> 3] |= 1 << (slot & 7)
        return {value: int.from_bytes(found, "little") for value, found in marks.items()}

    def copy(self) -> Choices:
        """One that may be changed without changing this."""
        return Choices(self.values[:], dict(self.sets))

    def put(self, slot: int, value: int) -> None:
        """Give member `slot` another value; the next one in line is added."""
        bit = 1 << slot
        if slot == len(self.values):
            self.values.append(value)
        else:
            self.sets[self.values[slot]] ^= bit
            self.values[slot] = value
        self.sets[value] = self.sets.get(value, 0) | bit

    def any_of(self, values: Iterable[int]) -> int:
        """Members with one of these values."""
        found = 0
        for value in values:
            found |= self.sets.get(value, 0)
        return found

    def tally(self, within: int) -> dict[int, int]:
        """How many members of `within` have each value."""
        counts = dict.fromkeys(self.sets, 0)
        if within.bit_count() <= FEW * 4:
            values = self.values
            for slot in members(within):
                counts[values[slot]] += 1
            return counts
        return {value: (within & members_).bit_count() for value, members_ in self.sets.items()}


class Numbers:
    """A column of numbers from 0, cut by their binary digits: compared and sorted without looking at each."""

    def __init__(self, values: array[int], digits: list[int] | None = None) -> None:
        self.values = values
        self.digits = self._cut() if digits is None else digits

    def _cut(self) -> list[int]:
        width = max(self.values, default=0).bit_length()
        ordered = self.values[:]
        if sys.byteorder == "big":
            ordered.byteswap()
        data, step = ordered.tobytes(), ordered.itemsize
        # A number of 100,000 binary digits, the last member's first.
        return [
            int(data[bit // 8 :: step].translate(DIGITS[bit % 8])[::-1] or b"0", 2) for bit in range(width)
        ]

    def copy(self) -> Numbers:
        """One that may be changed without changing this."""
        return Numbers(self.values[:], list(self.digits))

    def put(self, slot: int, value: int) -> None:
        """Give member `slot` another number; the next one in line is added."""
        bit = 1 << slot
        before = 0
        if slot == len(self.values):
            self.values.append(value)
        else:
            before, self.values[slot] = self.values[slot], value
        self.digits.extend([0] * (value.bit_length() - len(self.digits)))
        for place in range(max(value.bit_length(), before.bit_length())):
            if (value ^ before) >> place & 1:
                self.digits[place] ^= bit

    def at_least(self, within: int, least: int) -> int:
        """Members of `within` with this number or a higher one."""
        if least.bit_length() > len(self.digits):
            return 0
        more, equal = 0, within
        for place in range(len(self.digits) - 1, -1, -1):
            ones = equal & self.digits[place]
            if least >> place & 1:
                equal = ones
            else:
                more |= ones
                equal ^= ones
        return more | equal

    def at_most(self, within: int, most: int) -> int:
        """Members of `within` with this number or a lower one."""
        return within ^ self.at_least(within, most + 1)

    def ordered(self, within: int, skip: int, take: int, *, falling: bool = False) -> list[int]:
        """`take` members of `within` by their numbers, after the first `skip`; equal ones highest member first."""
        found: list[int] = []
        left = [(within, len(self.digits) - 1)]
        while left and len(found) < take:
            part, place = left.pop()
            count = part.bit_count()
            if count <= skip:
                skip -= count
                continue
            if place < 0:
                found += highest(part, skip, take - len(found))
                skip = 0
            elif count <= FEW:
                sign = -1 if falling else 1
                inside = sorted(members(part), key=lambda slot: (sign * self.values[slot], -slot))
                found += inside[skip : skip + take - len(found)]
                skip = 0
            else:
                ones = part & self.digits[place]
                first, second = (ones, part ^ ones) if falling else (part ^ ones, ones)
                left += [(second, place - 1), (first, place - 1)]
        return found
