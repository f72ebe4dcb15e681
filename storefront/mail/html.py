"""A letter's text in the frame of a letter in HTML: for those that need no tables of their own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Block:
    """A paragraph of a letter, line by line; or the link that is its button."""

    lines: tuple[str, ...]
    is_link: bool = False
    #: Its lines are a list: each began with two spaces.
    is_list: bool = False


def blocks(text: str, link: str) -> list[Block]:
    """The paragraphs of a letter's text, without its foot, which the frame has itself."""
    body = text.partition("\n--\n")[0]
    found = []
    for part in body.split("\n\n"):
        lines = [line.rstrip() for line in part.strip("\n").split("\n") if line.strip()]
        if lines and lines[-1].strip() == link:  # words that lead to the link stand before the button
            if lines[:-1]:
                found.append(_block(lines[:-1]))
            found.append(Block((link,), is_link=True))
        elif lines:
            found.append(_block(lines))
    return found


def _block(lines: list[str]) -> Block:
    is_list = all(line.startswith("  ") for line in lines)
    return Block(tuple(line.strip() for line in lines), is_list=is_list)
