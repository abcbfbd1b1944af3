"""Short texts on a picture."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from matplotlib.font_manager import findfont
from PIL import Image, ImageDraw, ImageFont

__all__ = ["write"]


def write(
    picture: np.ndarray, text: str, x: float, y: float, size: int, anchor: float = 0.0
) -> None:
    """Write white letters with a dark outline into a picture, in place.

    Parameters
    ----------
    picture : ndarray of uint8, shape (H, W, 3)
        Changed; what lies outside of it is left out.
    text : str
        One line.
    x, y : float
        Where the text is anchored, and the line it stands on, pixels.
    size : int
        Of the letters, pixels.
    anchor : float, default 0
        Which part of the text stands at `x`: 0 its left end, 1 its right end.
    """
    letters, opacity, left, above = _sprite(text, size)
    height, width = opacity.shape[:2]
    column, row = round(x - left - anchor * (width - 2 * left)), round(y) - above
    top, bottom = max(row, 0), min(row + height, picture.shape[0])
    first, last = max(column, 0), min(column + width, picture.shape[1])
    if top >= bottom or first >= last:
        return
    inside = np.s_[top - row : bottom - row, first - column : last - column]
    part = picture[top:bottom, first:last]
    part[:] = part + (letters[inside] - part) * opacity[inside] + 0.5


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
    return ImageFont.truetype(findfont("DejaVu Sans"), size)
