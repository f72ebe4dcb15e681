"""The picture that stands for a page where it is shared: 1200 × 630, drawn once for what it shows.

A card's name carries a hash of all that it says, so a card never changes: what is said anew is drawn anew,
under another name. Drawn when it is first asked for, about a fifth of a second, one at a time in a process.
"""

from __future__ import annotations

import hashlib
import io
import math
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from storefront.media.pictures import file_key
from storefront.media.storage import public_files

WIDTH, HEIGHT = 1200, 630
#: Left edge of the picture, and the margin of what is written.
SPLIT, MARGIN = 640, 64
FONT = Path(__file__).resolve().parents[2] / "static/fonts/plus-jakarta-sans-5.3.0.woff2"
#: Part of every name: raise it when cards are drawn in another way.
RECIPE = "1"
PAPER, INK, MUTED, NILA, SOGAN, KUNYIT, WHITE = (
    "#FBF7F0", "#1D1B26", "#625C6A", "#23345F", "#9A4F1C", "#E2A72E", "#FFFFFF",
)  # fmt: skip
TINTS = {"c1": "#F3EADD", "c2": "#E7EBF3", "c3": "#E6F0EA", "c4": "#F6E3D6"}
#: Signs that the font has; any other is left out rather than drawn as a box.
SIGNS = frozenset(
    [*range(0x20, 0x7F), *range(0xA0, 0x100), 0x2013, 0x2014, 0x2018, 0x2019, 0x201C, 0x201D, 0x2026]
)
_drawing = threading.Lock()


@dataclass(frozen=True)
class Card:
    """What a card shows. Nothing on it ages: no price, no stock."""

    title: str
    #: Who made it, and where; or the shop's own line.
    lines: tuple[str, ...]
    shop: str
    #: What is said across the corner, such as DATA CONTOH.
    note: str = ""
    #: Stem of the photo's files, and their widths.
    photo: str = ""
    widths: tuple[int, ...] = ()
    tint: str = "c1"

    @property
    def digest(self) -> str:
        """The hash in its name."""
        said = repr((RECIPE, sorted(asdict(self).items())))
        return hashlib.sha256(said.encode()).hexdigest()[:32]

    @property
    def key(self) -> str:
        """Where its file lies among the public files."""
        return f"share/{self.digest[:2]}/{self.digest[2:]}.jpg"


def card_file(card: Card) -> bytes:
    """The card as JPEG: kept, or drawn and then kept."""
    store = public_files()
    try:
        return store.read(card.key)
    except FileNotFoundError:
        pass
    with _drawing:
        if store.exists(card.key):
            return store.read(card.key)
        content = draw(card, _photo_of(card))
        store.write(card.key, content)
        return content


def _photo_of(card: Card) -> Image.Image | None:
    """The card's photo, decoded; None where there is none, or its file is gone."""
    if not card.photo or not card.widths:
        return None
    width = min((w for w in card.widths if w >= WIDTH - SPLIT), default=card.widths[-1])
    try:
        image = Image.open(io.BytesIO(public_files().read(file_key(card.photo, width, "webp"))))
        return image.convert("RGBA" if "A" in image.getbands() else "RGB")
    except (FileNotFoundError, OSError):
        return None


def draw(card: Card, photo: Image.Image | None) -> bytes:
    """The card as JPEG."""
    image = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    _picture(image, card, photo)
    _mark(image, (MARGIN, MARGIN), 72)
    pen = ImageDraw.Draw(image)
    pen.text((MARGIN + 92, MARGIN + 36), _plain(card.shop), font=_font(34, 800), fill=NILA, anchor="lm")
    lines, font = _fitting(card.title)
    step = round(font.size * 1.16)
    below = [_cut(_plain(line), _font(30, 600)) for line in card.lines]
    top = (HEIGHT + 72 + MARGIN - len(lines) * step - 24 - 42 * len(below)) // 2
    for number, line in enumerate(lines):
        pen.text((MARGIN, top + number * step), line, font=font, fill=INK)
    top += len(lines) * step + 24
    for number, line in enumerate(below):
        pen.text((MARGIN, top + 42 * number), line, font=_font(30, 600), fill=MUTED if number else SOGAN)
    if card.note:
        _note(pen, _plain(card.note))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=84, optimize=True, progressive=True)
    return buffer.getvalue()


def _picture(image: Image.Image, card: Card, photo: Image.Image | None) -> None:
    """The right half: a photograph fills it, a cut-out lies on its ground, without either the kawung."""
    width = WIDTH - SPLIT
    ground = TINTS.get(card.tint, PAPER) if photo is not None else NILA
    image.paste(ground, (SPLIT, 0, WIDTH, HEIGHT))
    if photo is None:
        for x in range(SPLIT, WIDTH, 112):
            for y in range(-8, HEIGHT, 112):
                _petals(image, (x, y), 112, ("#2E4277", "#2E4277"))
        return
    if photo.mode == "RGBA":
        photo.thumbnail((round(width * 0.78), round(HEIGHT * 0.78)), Image.Resampling.LANCZOS)
        at = (SPLIT + (width - photo.width) // 2, (HEIGHT - photo.height) // 2)
        image.paste(photo, at, photo)
        return
    scale = max(width / photo.width, HEIGHT / photo.height)
    photo = photo.resize(
        (math.ceil(photo.width * scale), math.ceil(photo.height * scale)), Image.Resampling.LANCZOS
    )
    left, top = (photo.width - width) // 2, (photo.height - HEIGHT) // 2
    image.paste(photo.crop((left, top, left + width, top + HEIGHT)), (SPLIT, 0))


def _mark(image: Image.Image, at: tuple[int, int], size: int) -> None:
    """The shop's mark, as static/icons/mark.svg has it."""
    large = Image.new("L", (size * 4, size * 4), 0)
    ImageDraw.Draw(large).rounded_rectangle((0, 0, size * 4 - 1, size * 4 - 1), size * 4 * 9 / 32, fill=255)
    image.paste(NILA, at, large.resize((size, size), Image.Resampling.LANCZOS))
    _petals(image, at, size, (KUNYIT, WHITE))


def _petals(image: Image.Image, at: tuple[int, int], size: int, colours: tuple[str, str]) -> None:
    """The four petals of a kawung in a square of `size` pixels; the first colour runs from top left to bottom right."""
    unit = size * 4 / 32
    for x, y, turn, colour in (
        (10.2, 10.2, 45, colours[0]), (21.8, 21.8, 45, colours[0]),
        (21.8, 10.2, -45, colours[1]), (10.2, 21.8, -45, colours[1]),
    ):  # fmt: skip
        mask = Image.new("L", (size * 4, size * 4), 0)
        angle = math.radians(turn)
        points = []
        for step in range(64):
            t = 2 * math.pi * step / 64
            along, across = 7 * math.cos(t), 3.7 * math.sin(t)
            points.append(
                (
                    (x + along * math.cos(angle) - across * math.sin(angle)) * unit,
                    (y + along * math.sin(angle) + across * math.cos(angle)) * unit,
                )
            )
        ImageDraw.Draw(mask).polygon(points, fill=255)
        image.paste(colour, at, mask.resize((size, size), Image.Resampling.LANCZOS))


def _note(pen: ImageDraw.ImageDraw, note: str) -> None:
    font = _font(26, 800)
    width = pen.textlength(note, font=font)
    box = (WIDTH - width - 76, HEIGHT - 84, WIDTH - 32, HEIGHT - 32)
    pen.rounded_rectangle(box, 26, fill=KUNYIT)
    pen.text(((box[0] + box[2]) / 2, (box[1] + box[3]) / 2), note, font=font, fill="#2A1B00", anchor="mm")


def _font(size: int, weight: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(str(FONT), size)
    font.set_variation_by_axes([weight])
    return font


def _plain(text: str) -> str:
    return " ".join("".join(sign for sign in text if ord(sign) in SIGNS).split())


def _fitting(title: str) -> tuple[list[str], ImageFont.FreeTypeFont]:
    """The title in at most four lines, as large as it may be; what is longer still is cut."""
    words = _plain(title).split()
    for size in (68, 60, 52, 44):
        font = _font(size, 800)
        lines = _lines(words, font)
        if len(lines) <= (3 if size > 44 else 4) and all(_fits(line, font) for line in lines):
            return lines, font
    lines = lines[:4]
    return [_cut(line if n < 3 else f"{line}…", font) for n, line in enumerate(lines)], font


def _lines(words: list[str], font: ImageFont.FreeTypeFont) -> list[str]:
    lines: list[str] = []
    for word in words:
        if lines and _fits(f"{lines[-1]} {word}", font):
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _fits(text: str, font: ImageFont.FreeTypeFont) -> bool:
    return font.getlength(text) <= SPLIT - MARGIN - 40


def _cut(text: str, font: ImageFont.FreeTypeFont) -> str:
    if _fits(text, font):
        return text
    while text and not _fits(text + "…", font):
        text = text[:-1]
    return text.rstrip(" ,.–-") + "…"
