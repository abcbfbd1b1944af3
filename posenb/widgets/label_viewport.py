"""Which part of an image the canvas shows: an affine map, exact at every zoom."""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["Viewport", "fit", "pan", "resize", "zoom"]

_CLOSEST = 64.0  # screen pixels per image pixel at most
_AT_FIT = 1 + 1e-9


@dataclass(frozen=True, slots=True)
class Viewport:
    """The map between an image and the canvas it is seen on.

    A point x of the image (integers are pixel centres) lies at (x + 0.5) · scale + offset
    on the canvas, whose origin is its upper left corner.

    Parameters
    ----------
    image : (int, int)
        Width and height in pixels.
    canvas : (float, float)
        Width and height in CSS pixels.
    scale : float
        CSS pixels per image pixel.
    offset : (float, float)
        Where the upper left corner of the image lies, in CSS pixels.
    """

    image: tuple[int, int]
    canvas: tuple[float, float]
    scale: float
    offset: tuple[float, float]

    def to_image(self, u: float, v: float) -> tuple[float, float]:
        """Return the image coordinates of a place on the canvas."""
        return (
            (u - self.offset[0]) / self.scale - 0.5,
            (v - self.offset[1]) / self.scale - 0.5,
        )

    def to_canvas(self, x: float, y: float) -> tuple[float, float]:
        """Return the place on the canvas of image coordinates."""
        return (
            (x + 0.5) * self.scale + self.offset[0],
            (y + 0.5) * self.scale + self.offset[1],
        )

    @property
    def magnification(self) -> float:
        """How many times larger than at fit the image is seen."""
        return self.scale / _fit_scale(self.image, self.canvas)


def fit(image: tuple[int, int], canvas: tuple[float, float]) -> Viewport:
    """Return the viewport that shows the whole image in the middle of the canvas."""
    scale = _fit_scale(image, canvas)
    offset = tuple((room - side * scale) / 2 for side, room in zip(image, canvas, strict=True))
    return Viewport(image, canvas, scale, (offset[0], offset[1]))


def zoom(viewport: Viewport, factor: float, u: float, v: float) -> Viewport:
    """Magnify `factor` times around a place on the canvas, which stays where it is.

    The image is never smaller than at fit; back there, it is in the middle again. An
    image pixel is never larger than 64 CSS pixels.

    Parameters
    ----------
    viewport : Viewport
    factor : float
        Above 1 the image becomes larger.
    u, v : float
        CSS pixels.
    """
    whole = _fit_scale(viewport.image, viewport.canvas)
    scale = min(max(viewport.scale * factor, whole), max(_CLOSEST, whole))
    if scale <= whole * _AT_FIT:
        return fit(viewport.image, viewport.canvas)
    ratio = scale / viewport.scale
    offset = (u - (u - viewport.offset[0]) * ratio, v - (v - viewport.offset[1]) * ratio)
    return _kept_near(replace(viewport, scale=scale, offset=offset))


def pan(viewport: Viewport, du: float, dv: float) -> Viewport:
    """Shift the image by CSS pixels; some of it always lies in the middle of the canvas."""
    offset = (viewport.offset[0] + du, viewport.offset[1] + dv)
    return _kept_near(replace(viewport, offset=offset))


def resize(viewport: Viewport, canvas: tuple[float, float]) -> Viewport:
    """Return the viewport for a canvas of another size, with the same part in its middle."""
    if canvas == viewport.canvas:
        return viewport
    if viewport.magnification <= _AT_FIT:
        return fit(viewport.image, canvas)
    x, y = viewport.to_image(viewport.canvas[0] / 2, viewport.canvas[1] / 2)
    scale = viewport.magnification * _fit_scale(viewport.image, canvas)
    offset = (canvas[0] / 2 - (x + 0.5) * scale, canvas[1] / 2 - (y + 0.5) * scale)
    return Viewport(viewport.image, canvas, scale, offset)


def _fit_scale(image: tuple[int, int], canvas: tuple[float, float]) -> float:
    return min(canvas[0] / image[0], canvas[1] / image[1])


def _kept_near(viewport: Viewport) -> Viewport:
    u, v = (
        min(max(offset, room / 2 - side * viewport.scale), room / 2)
        for offset, side, room in zip(viewport.offset, viewport.image, viewport.canvas, strict=True)
    )
    return replace(viewport, offset=(u, v))
