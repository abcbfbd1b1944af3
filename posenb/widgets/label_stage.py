"""The canvas of the labeller: image and points in layers, and frames kept ready beside it."""

from __future__ import annotations

from dataclasses import dataclass

from ipycanvas import Canvas, MultiCanvas, hold_canvas
from ipywidgets import Image

from posenb.widgets.label_drawing import edges, marks, paint_points, tone_steps
from posenb.widgets.label_images import Picture
from posenb.widgets.label_state import LabelState

__all__ = ["Stage"]

_SLOTS = 4  # frames in the browser: the current one, its neighbours, the next without labels
_PIXELS_SHOWN = 3.0  # from this many device pixels per image pixel on, pixels have edges
_IMAGE, _POINTS, _HELD = range(3)


@dataclass(eq=False)
class _Slot:
    """A canvas that is never shown and holds one frame, decoded."""

    canvas: Canvas
    image: Image
    frame: int = -1


class Stage:
    """Draws a state on an ipycanvas.

    Its layers are the image, the points and the point that is being dragged. A frame is
    decoded once, into a canvas of its own that is not shown; zooming and panning draw
    from there.

    Parameters
    ----------
    size : (float, float)
        Width and height in CSS pixels.
    """

    def __init__(self, size: tuple[float, float]) -> None:
        self.ratio = 1.0
        self.canvas = MultiCanvas(3, width=round(size[0]), height=round(size[1]))
        self.canvas.layout.width = f"{round(size[0])}px"
        self.canvas.layout.height = "auto"
        self.canvas.layout.max_width = "100%"
        self._slots = [_Slot(Canvas(width=1, height=1), Image(format="png")) for _ in range(_SLOTS)]

    def resize(self, size: tuple[float, float], ratio: float) -> None:
        """Give the canvas another size in CSS pixels, and device pixels per CSS pixel."""
        self.ratio = ratio
        self.canvas.width = round(size[0] * ratio)
        self.canvas.height = round(size[1] * ratio)
        self.canvas.layout.width = f"{round(size[0])}px"

    def holds(self, frame: int) -> bool:
        """Tell whether the browser has the image of a frame."""
        return any(slot.frame == frame for slot in self._slots)

    def load(self, frame: int, picture: Picture, keep: tuple[int, ...] = ()) -> None:
        """Send the image of a frame to the browser, in the place of one that is not to be kept."""
        free = [slot for slot in self._slots if slot.frame not in keep]
        slot = free[0]
        self._slots.remove(slot)
        self._slots.append(slot)
        slot.frame = frame
        slot.canvas.width, slot.canvas.height = picture.size
        slot.image.format = picture.format
        slot.image.value = picture.data
        with hold_canvas():
            slot.canvas.clear()
            slot.canvas.draw_image(slot.image, 0, 0)

    def forget(self) -> None:
        """Know that the browser has no images any more, as after the page was opened anew."""
        for slot in self._slots:
            slot.frame = -1

    def draw_all(self, state: LabelState) -> None:
        """Draw image and points."""
        self._draw(state, (_IMAGE, _POINTS, _HELD))

    def draw_points(self, state: LabelState) -> None:
        """Draw the points anew over the image that is there."""
        self._draw(state, (_POINTS, _HELD))

    def draw_held(self, state: LabelState) -> None:
        """Draw the point that is being dragged, and nothing else."""
        self._draw(state, (_HELD,))

    def _draw(self, state: LabelState, layers: tuple[int, ...]) -> None:
        tones = tone_steps(state.look.brightness, state.look.contrast)
        # Computed before anything is held back: an error while holding would hold for good.
        still = (marks(state), edges(state))
        held = (marks(state, held=True), edges(state, held=True))
        size, ratio = state.look.size, self.ratio
        with hold_canvas():
            if _IMAGE in layers:
                self._draw_image(state, tones)
            if _POINTS in layers:
                paint_points(self.canvas[_POINTS], *still, size, ratio)
            if _HELD in layers:
                paint_points(self.canvas[_HELD], *held, size, ratio)

    def _draw_image(self, state: LabelState, tones: list[tuple[str, str]]) -> None:
        layer = self.canvas[_IMAGE]
        layer.clear()
        slot = next((slot for slot in self._slots if slot.frame == state.frame), None)
        if slot is None:
            return
        view, r = state.viewport, self.ratio
        u, v = (offset * r for offset in view.offset)
        w, h = (side * view.scale * r for side in view.image)
        layer.image_smoothing_enabled = view.scale * r < _PIXELS_SHOWN
        layer.draw_image(slot.canvas, u, v, w, h)
        for operation, colour in tones:
            layer.global_composite_operation = operation
            layer.fill_style = colour
            layer.fill_rect(u, v, w, h)
        layer.global_composite_operation = "source-over"
