"""How the bytes of a raw frame are laid out, and what colours they mean."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from posenb._names import unknown_name
from posenb.errors import InvalidInputError

__all__ = ["FrameFormat", "FrameKind", "FrameMatrix"]

FrameKind = Literal["rgb", "grey", "yuv420", "yuv422", "yuv444"]
FrameMatrix = Literal["bt601", "bt709", "bt2020"]

# Share of red and of blue in the luma: Rec. ITU-R BT.601, BT.709, BT.2020 (constant matrix).
_LUMA: dict[str, tuple[float, float]] = {
    "bt601": (0.299, 0.114),
    "bt709": (0.2126, 0.0722),
    "bt2020": (0.2627, 0.0593),
}
# Pixels that share one value of chroma, down and across.
_SHARED: dict[str, tuple[int, int]] = {"yuv420": (2, 2), "yuv422": (1, 2), "yuv444": (1, 1)}


@dataclass(frozen=True, slots=True)
class FrameFormat:
    """Layout of raw frames, the form in which they travel from the decoder to the model.

    A batch of raw frames is a uint8 array of shape (B, `nbytes`). A row holds the planes
    of one frame one after the other, each row by row without padding: Y, U, V for the
    "yuv" kinds, Y alone for "grey"; for "rgb", the only packed kind, red, green and blue
    of each pixel in turn.

    Parameters
    ----------
    kind : {"rgb", "grey", "yuv420", "yuv422", "yuv444"}
        "yuv420" has one U and one V for 2 x 2 pixels, "yuv422" for 1 x 2 (side by side),
        "yuv444" for each pixel. Where a size is odd, the last ones serve fewer pixels.
    height, width : int
        Pixels of the frame.
    matrix : {"bt601", "bt709", "bt2020"}, optional
        Which standard the Y, U and V follow; of no account for "rgb" and "grey".
    full_range : bool, optional
        Whether Y, U and V use all of 0 to 255 ("JPEG" range), instead of 16 to 235 for Y
        and 16 to 240 for U and V ("MPEG" range). Of no account for "rgb".

    Raises
    ------
    UnknownNameError
        If there is no such kind or matrix.
    InvalidInputError
        If a size is less than one pixel.

    Notes
    -----
    With kr and kb the shares of red and blue in the luma, and kg = 1 - kr - kb, colours
    0 to 255 are ::

        R = y + 2 (1 - kr) v
        G = y - 2 (1 - kb) kb / kg u - 2 (1 - kr) kr / kg v
        B = y + 2 (1 - kb) u

    cut to 0 to 255, where in the full range y = Y, u = U - 128, v = V - 128, and
    otherwise y = 255 (Y - 16) / 219, u = 255 (U - 128) / 224, v = 255 (V - 128) / 224.
    """

    kind: FrameKind
    height: int
    width: int
    matrix: FrameMatrix = "bt601"
    full_range: bool = False

    def __post_init__(self) -> None:
        """Check the names and the size."""
        for what, name, known in (
            ("kind of frames", self.kind, get_args(FrameKind)),
            ("colour matrix", self.matrix, get_args(FrameMatrix)),
        ):
            if name not in known:
                raise unknown_name(what, name, known)
        if self.height < 1 or self.width < 1:
            raise InvalidInputError(
                "A frame is at least one pixel high and wide; got height "
                f"{self.height} and width {self.width}. Give the size of the video."
            )

    @property
    def planes(self) -> tuple[tuple[int, int], ...]:
        """Height and width of each plane in bytes, in their order."""
        if self.kind == "rgb":
            return ((self.height, 3 * self.width),)
        luma = (self.height, self.width)
        if self.kind == "grey":
            return (luma,)
        down, across = self.shared
        chroma = (-(-self.height // down), -(-self.width // across))
        return (luma, chroma, chroma)

    @property
    def shared(self) -> tuple[int, int]:
        """Pixels down and across that share one value of chroma."""
        return _SHARED.get(self.kind, (1, 1))

    @property
    def nbytes(self) -> int:
        """Bytes of one frame."""
        return sum(math.prod(plane) for plane in self.planes)

    @property
    def to_rgb(self) -> tuple[tuple[float, float, float, float], ...]:
        """Rows for red, green and blue: factors of Y, U and V, and what is added.

        For "rgb" the factors are those of red, green and blue; for "grey" those of U and
        V are 0.
        """
        if self.kind == "rgb":
            return ((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0))
        luma, chroma, black = (1.0, 1.0, 0) if self.full_range else (255 / 219, 255 / 224, 16)
        kr, kb = _LUMA[self.matrix]
        kg = 1 - kr - kb
        blue, red = 2 * (1 - kb) * chroma, 2 * (1 - kr) * chroma
        mixtures = ((0.0, red), (-blue * kb / kg, -red * kr / kg), (blue, 0.0))
        if self.kind == "grey":
            mixtures = ((0.0, 0.0),) * 3
        return tuple((luma, u, v, -black * luma - 128 * (u + v)) for u, v in mixtures)
