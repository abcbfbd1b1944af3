"""Short texts on a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

__all__ = ["Word", "write_words"]

Box = tuple[int, int, int, int]  # top, bottom, left, right

_SHIFTS = (0, 1.05, -1.05, 2.1, -2.1)  # where a word looks for room, in heights of letters


@dataclass(frozen=True, slots=True)
class Word:
    """A text in a picture.

    Parameters
    ----------
    text : str
        One line.
    x, y : float
        Where it is anchored, and the line it stands on, in pixels of the picture.
    anchor : float
        Which part of the text stands at `x`: 0 its left end, 1 its right end.
    """

    text: str
    x: float
    y: float
    anchor: float = 0.0


def write_words(picture: np.ndarray, words: Sequence[Word], size: int) -> None:
    """Write white letters with a dark outline into a picture, in place.

    A word that would be cut by the edge moves inwards, one that would cover another moves
    up or down where there is room. One that is anchored outside is left out.

    Parameters
    ----------
    picture : ndarray of uint8, shape (H, W, 3)
        Changed.
    words : sequence of Word
        The first ones choose their place first.
    size : int
        Of the letters, pixels.
    """
    height, width = picture.shape[:2]
    taken: list[Box] = []
    for word in words:
        if 0 <= word.x < width and 0 <= word.y < height + size:
            letters, opacity, left, above = _sprite(word.text, size)
            down, across = opacity.shape[:2]
            column = round(word.x - left - word.anchor * (across - 2 * left))
            column = max(0, min(column, width - across))
            places = [round(word.y) - above + round(shift * size) for shift in _SHIFTS]
            rows = [max(0, min(row, height - down)) for row in places]
            boxes = [(row, row + size, column, column + across) for row in rows]
            box = next((box for box in boxes if not _covers(box, taken)), boxes[0])
            taken.append(box)
            part = picture[box[0] : box[0] + down, column : column + across]
            inside = np.s_[: part.shape[0], : part.shape[1]]
            part[:] = part + (letters[inside] - part) * opacity[inside] + 0.5


def _covers(box: Box, others: Sequence[Box]) -> bool:
    top, bottom, left, right = box
    return any(top < b and bottom > t and left < r and right > x for t, b, x, r in others)


@lru_cache(maxsize=256)
def _sprite(text: str, size: int) -> tuple[np.ndarray, np.ndarray, int, int]:
    """Return grey levels, opacity and where in the sprite the text begins."""
    font, outline = _font(size), max(1, round(size / 9))
    left, top, right, bottom = font.getbbox(text, anchor="ls", stroke_width=outline)
    margin = (1 - int(left), 1 - int(top))
    image = Image.new("LA", (int(right) + margin[0] + 2, int(bottom) + margin[1] + 2), (0, 0))
    ImageDraw.Draw(image).text(
        margin,
        text,
        (255, 255),
        font,
        anchor="ls",
        stroke_width=outline,
        stroke_fill=(20, 170),
    )
    pixels = np.asarray(image, np.float32)
    return pixels[..., :1], pixels[..., 1:] / 255, *margin


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont:
    from matplotlib.font_manager import findfont

    return ImageFont.truetype(findfont("DejaVu Sans"), size)
