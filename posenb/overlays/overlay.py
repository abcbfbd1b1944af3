"""What is drawn over each frame: trails, skeleton, keypoints and words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.colors import to_rgb

from posenb.core import Poses
from posenb.overlays.canvas import Discs, Drawing, Lines
from posenb.overlays.config import LabelledVideoConfig
from posenb.overlays.lettering import Word
from posenb.overlays.view import View
from posenb.plots.theme import ThemeName, keypoint_colours

__all__ = ["Overlay", "Track", "make_overlay", "make_track"]

_LEVELS = 6  # steps in which a trail fades
_PALEST = 0.12  # opacity of the least likely keypoint
_LEGIBLE = 0.3  # opacity from which on a keypoint is named


@dataclass(frozen=True, slots=True)
class Track:
    """Poses of consecutive frames, those without a pose included, ready to be drawn.

    Parameters
    ----------
    first : int
        Frame of the source at which the arrays begin.
    points : ndarray, shape (T, I, K, 2)
        x, y in pixels of the source; NaN = not drawn.
    opacity : ndarray, shape (T, I, K)
        0 to 1.
    sure : ndarray, shape (T, I, K, 2)
        As `points`, for trails and traces.
    colours : ndarray, shape (I, K, 3)
        Red, green and blue, 0 to 1.
    names : tuple of str
        Of the K keypoints.
    edges : tuple of (int, int)
        Pairs of the K keypoints.
    individuals : tuple of str
    by_individual : bool
        Whether individuals, not keypoints, have colours of their own.
    """

    first: int
    points: np.ndarray
    opacity: np.ndarray
    sure: np.ndarray
    colours: np.ndarray
    names: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]
    individuals: tuple[str, ...]
    by_individual: bool


def make_track(poses: Poses, start: int, stop: int, config: LabelledVideoConfig) -> Track:
    """Take the frames `start` to `stop` of poses, and of these what the options leave.

    Parameters
    ----------
    poses : Poses
    start, stop : int
        Frames of the source, the end excluded; they may reach beyond the poses.
    config : LabelledVideoConfig

    Raises
    ------
    UnknownNameError
        If a keypoint does not exist.
    """
    assert poses.frames is not None
    skeleton = poses.skeleton
    wanted = skeleton.keypoints if config.keypoints is None else config.keypoints
    chosen = [skeleton.index(name) for name in wanted]
    inside = (poses.frames >= start) & (poses.frames < stop)
    rows = poses.frames[inside] - start
    individuals = len(poses.individuals)
    points = np.full((stop - start, individuals, len(chosen), 2), np.nan)
    likely = np.full(points.shape[:-1], np.nan)
    points[rows] = poses.positions[inside][:, :, chosen]
    likely[rows] = poses.likelihoods[inside][:, :, chosen]
    likely = np.where(np.isnan(likely) | (config.likelihood == "ignore"), 1.0, likely)
    sure = np.where((likely >= config.cutoff)[..., None], points, np.nan)
    if config.likelihood == "cutoff":
        points, likely = sure, np.ones_like(likely)
    by_individual = config.colour == "individual" or (config.colour == "auto" and individuals > 1)
    return Track(
        start,
        points,
        np.clip(likely, _PALEST, 1.0),
        sure,
        _colours(individuals, len(skeleton), by_individual, config.theme)[:, chosen],
        tuple(wanted),
        tuple((chosen.index(a), chosen.index(b)) for a, b in skeleton.edges if {a, b} <= {*chosen}),
        poses.individuals,
        by_individual,
    )


def _colours(individuals: int, keypoints: int, by_individual: bool, theme: ThemeName) -> np.ndarray:
    """Return colours, shape (I, K, 3)."""
    names = keypoint_colours(individuals if by_individual else keypoints, theme)
    palette = np.array([to_rgb(name) for name in names])
    shape = (individuals, keypoints, 3)
    return np.broadcast_to(palette[:, None] if by_individual else palette, shape)


@dataclass(frozen=True, slots=True)
class Overlay:
    """Draws a track frame by frame; made by `make_overlay`.

    Parameters
    ----------
    track : Track
    points, sure : ndarray, shape (T, I, K, 2)
        The track's in pixels of the made picture.
    radius : float
        Of a keypoint, pixels of the made picture.
    past, future : int
        Frames over which trails fade.
    skeleton : bool
    names : {"none", "keypoints", "individuals"}
    """

    track: Track
    points: np.ndarray
    sure: np.ndarray
    radius: float
    past: int
    future: int
    skeleton: bool
    names: str

    def drawings(self, frame: int) -> list[Drawing]:
        """Return what is drawn over a frame, one drawing for each individual."""
        at = frame - self.track.first
        return [self._drawing(at, i) for i in range(self.points.shape[1])]

    def words(self, frame: int) -> list[Word]:
        """Return the names in a frame and where they stand."""
        if self.names == "none":
            return []
        at = frame - self.track.first
        words = []
        for i, (points, opacity) in enumerate(
            zip(self.points[at], self.track.opacity[at], strict=True)
        ):
            seen = np.flatnonzero(np.isfinite(points).all(axis=1) & (opacity >= _LEGIBLE))
            if self.names == "keypoints":
                words += self._keypoint_names(points, seen)
            elif len(seen):
                x, y = points[seen][np.argmin(points[seen, 1])].tolist()
                words.append(Word(self.track.individuals[i], x, y - 2 * self.radius - 3, 0.5))
        return words

    def _keypoint_names(self, points: np.ndarray, seen: np.ndarray) -> list[Word]:
        """Name keypoints on the side that looks away from the middle of the animal."""
        words = []
        for k in seen.tolist():
            x, y = (points[k] - points[seen].mean(axis=0)).tolist()
            side = 1 if x >= 0 else -1
            across = points[k, 0] + side * (self.radius + 3)
            down = points[k, 1] + self.radius * (2.2 if y >= 0 else -0.4)
            words.append(Word(self.track.names[k], float(across), float(down), (1 - side) / 2))
        return words

    def _drawing(self, at: int, i: int) -> Drawing:
        lines, colours, widths = self._trails(at, i)
        if self.skeleton:
            self._add_edges(at, i, lines, colours, widths)
        seen = np.isfinite(self.points[at, i]).all(axis=1)
        opacity = self.track.opacity[at, i, seen, None]
        fills = np.concatenate([self.track.colours[i, seen], opacity], axis=1)
        rims = np.concatenate([np.ones((len(fills), 3)), 0.9 * opacity], axis=1)
        discs = Discs(self.points[at, i, seen], fills, rims, self.radius, self.radius * 0.25)
        return Drawing(
            Lines(lines, np.array(colours).reshape(-1, 4), np.array(widths, float)), discs
        )

    def _trails(
        self, at: int, i: int
    ) -> tuple[list[np.ndarray], list[tuple[float, ...]], list[float]]:
        """Return the lines of the trails with their colours and widths, the faintest first."""
        lines: list[np.ndarray] = []
        colours: list[tuple[float, ...]] = []
        widths: list[float] = []
        for begin, end, strength, width in self._stretches:
            stretch = self.sure[at + begin : at + end + 1, i]
            shades = self.track.colours[i].tolist()
            if self.track.by_individual:  # one line with gaps is drawn faster than many
                stretch, shades = _joined(stretch)[:, None], shades[:1]
            for k, colour in enumerate(shades):
                lines.append(stretch[:, k])
                colours.append((*colour, strength))
                widths.append(width)
        return lines, colours, widths

    @property
    def _stretches(self) -> list[tuple[int, int, float, float]]:
        """Begin and end of each stretch of a trail, from now; its opacity and width."""
        found = []
        for reach, strongest, broadest in ((-self.past, 0.75, 1.1), (self.future, 0.4, 0.5)):
            levels = min(_LEVELS, abs(reach))
            borders = np.round(np.linspace(reach, 0, levels + 1)).astype(int).tolist()
            for level in range(levels):
                begin, end = sorted(borders[level : level + 2])
                share = (level + 1) / levels
                width = self.radius * broadest * (0.35 + 0.65 * share)
                found.append((begin, end, strongest * share, width))
        return found

    def _add_edges(
        self,
        at: int,
        i: int,
        lines: list[np.ndarray],
        colours: list[tuple[float, ...]],
        widths: list[float],
    ) -> None:
        core = max(1.0, 0.45 * self.radius)
        colour = self.track.colours[i, 0].tolist() if self.track.by_individual else (1.0, 1.0, 1.0)
        pairs = [self.points[at, i, pair] for pair in map(list, self.track.edges)]
        strengths = [self.track.opacity[at, i, pair].min() for pair in map(list, self.track.edges)]
        lines += pairs * 2
        colours += [(0.0, 0.0, 0.0, 0.35 * strength) for strength in strengths]
        colours += [(*colour, 0.9 * strength) for strength in strengths]
        widths += [core + 1.5] * len(pairs) + [core] * len(pairs)


def _joined(lines: np.ndarray) -> np.ndarray:
    """Return lines, shape (T, K, 2), as one with gaps between them, shape ((T + 1) K, 2)."""
    gaps = np.full((1, *lines.shape[1:]), np.nan)
    return np.concatenate([lines, gaps]).swapaxes(0, 1).reshape(-1, 2)


def make_overlay(track: Track, view: View, fps: float, config: LabelledVideoConfig) -> Overlay:
    """Prepare drawing a track on the pictures of a view.

    Parameters
    ----------
    track : Track
        Reaches as far beyond the frames to draw as the trails do.
    view : View
    fps : float
        Frames of the source in a second.
    config : LabelledVideoConfig
    """
    points = view.place(track.points)
    radius = _radius(points, view.size) if config.radius == "auto" else config.radius
    return Overlay(
        track,
        points,
        view.place(track.sure),
        radius,
        round(config.past * fps),
        round(config.future * fps),
        config.skeleton and bool(track.edges),
        config.names,
    )


def _radius(points: np.ndarray, size: tuple[int, int]) -> float:
    """Choose a radius: about a thirtieth of an animal, within what the picture allows."""
    side = float(np.sqrt(size[0] * size[1]))
    extent = np.fmax.reduce(points, axis=2) - np.fmin.reduce(points, axis=2)
    lengths = np.hypot(*np.moveaxis(extent, -1, 0))
    lengths = lengths[lengths > 0]
    animal = float(np.median(lengths)) if len(lengths) else side / 4
    return max(1.5, float(np.clip(animal / 30, side / 250, side / 90)))
