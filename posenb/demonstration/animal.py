"""A mouse that never lived: it walks through an arena, and where it is, is known exactly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from posenb.core import Poses, Skeleton

__all__ = ["SIZE", "SKELETON", "Walk", "draw_frames", "true_poses", "walk"]

SIZE = (256, 192)  # width and height of a frame, pixels
SKELETON = Skeleton.from_names(
    ["snout", "leftear", "rightear", "centre", "tailbase", "tailtip"],
    [
        ("snout", "leftear"),
        ("snout", "rightear"),
        ("leftear", "centre"),
        ("rightear", "centre"),
        ("centre", "tailbase"),
        ("tailbase", "tailtip"),
    ],
)

# Lengths in pixels, angles in radians.
_HEAD, _REAR = 27.0, 26.0  # from the centre to the snout and to the tail base
_EAR, _EAR_ANGLE = 16.0, 0.66  # from the centre to an ear
_TAIL, _LINKS = 42.0, 6  # length of the tail and number of its straight pieces
_WALL = 9.0  # pixels from the edge of the frame to the floor of the arena
_CLEAR = 40.0  # the body's middle stays so far from the edge
_SPEED = 2.2  # pixels a frame, give or take four fifths
_FUR = np.array([74.0, 62.0, 55.0])
_SKIN = np.array([176.0, 132.0, 124.0])
_FLOOR = np.array([197.0, 190.0, 176.0])
_NOISE = 4.0  # grey levels: what a camera adds


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """How the mouse moved, T frames long.

    Parameters
    ----------
    centre : ndarray, shape (T, 2)
        x, y of the middle of the body, pixels; integers are pixel centres.
    heading, neck, rump : ndarray, shape (T,)
        Direction of walking, and how far head and rear are turned out of it, radians.
    tail : ndarray, shape (T, L)
        Direction of each straight piece of the tail, radians, from the base on.
    stride : ndarray, shape (T,)
        Phase of the steps, radians.
    """

    centre: np.ndarray
    heading: np.ndarray
    neck: np.ndarray
    rump: np.ndarray
    tail: np.ndarray
    stride: np.ndarray

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.centre)


def walk(count: int, seed: int) -> Walk:
    """Let the mouse walk for `count` frames; the same seed gives the same walk.

    The direction drifts at random and turns back before a wall; the rear follows the
    head with delay, and each piece of the tail follows the one before it and swings
    with the steps.
    """
    generator = np.random.default_rng(seed)
    turn = _smooth(generator.normal(size=count), 9) * 0.045
    pace = _SPEED * (1 + 0.8 * np.tanh(_smooth(generator.normal(size=count), 12)))
    middle = (np.array(SIZE) - 1) / 2
    room = middle - _CLEAR
    centre, heading = np.empty((count, 2)), np.empty(count)
    place, angle = middle + generator.uniform(-20, 20, 2), generator.uniform(-np.pi, np.pi)
    for t in range(count):
        inward = middle - place
        closeness = np.clip(2 * np.abs(inward / room).max() - 1, 0, 1)  # 0 in the open
        off = _wrapped(np.arctan2(inward[1], inward[0]) - angle)
        angle += turn[t] + 0.14 * closeness * np.clip(off, -1, 1)
        step = pace[t] * np.array([np.cos(angle), np.sin(angle)])
        place = np.clip(place + step, middle - room, middle + room)
        centre[t], heading[t] = place, angle
    stride = np.cumsum(0.1 + 0.17 * pace)
    neck = 0.3 * np.tanh(_smooth(generator.normal(size=count), 6)) + 0.06 * np.sin(stride)
    rump = _delayed(heading, 5) - heading + 0.08 * np.sin(stride + 1)
    tail = np.empty((count, _LINKS))
    behind = heading + rump + np.pi
    for link in range(_LINKS):
        swing = 0.1 * (link + 1) * np.sin(0.7 * stride - 0.6 * link)
        tail[:, link] = _delayed(behind, 3 * link) + swing
    return Walk(centre, heading, neck, rump, tail, stride)


def true_poses(motion: Walk, fps: float) -> Poses:
    """Return where the keypoints are: the truth that predictions are held against."""
    front = motion.heading + motion.neck
    base = motion.centre - _REAR * _unit(motion.heading + motion.rump)
    points = [
        motion.centre + _HEAD * _unit(front),
        motion.centre + _EAR * _unit(front - _EAR_ANGLE),
        motion.centre + _EAR * _unit(front + _EAR_ANGLE),
        motion.centre,
        base,
        _tail(motion, base)[:, -1],
    ]
    positions = np.stack(points, axis=1)[:, None]
    return Poses(positions, np.ones(positions.shape[:-1]), SKELETON, fps=fps, scorer="truth")


def draw_frames(motion: Walk, seed: int) -> Iterator[np.ndarray]:
    """Yield the frames of a walk, uint8 RGB of shape (H, W, 3), seen from above."""
    generator = np.random.default_rng([seed, 1])
    floor = _floor(generator)
    poses = true_poses(motion, fps=1.0).positions[:, 0]
    tails = _tail(motion, poses[:, 4])
    for t in range(len(motion)):
        image = floor.copy()
        _paint_mouse(image, motion, t, poses[t], tails[t])
        image += generator.normal(scale=_NOISE, size=image.shape[:2])[..., None]
        yield np.clip(np.round(image), 0, 255).astype(np.uint8)


def _paint_mouse(
    image: np.ndarray, motion: Walk, t: int, points: np.ndarray, tail: np.ndarray
) -> None:
    """Paint one mouse into `image`, from the tail below to the ears on top."""
    snout, left, right, centre, base, _ = points
    heading = motion.heading[t]
    for start, end, width in zip(tail, tail[1:], np.linspace(3.2, 1.3, _LINKS), strict=False):
        _stroke(image, start, end, (width, width), _SKIN)
    for side, ahead, phase in ((-1, 1, 0.0), (1, 1, np.pi), (-1, -1, np.pi), (1, -1, 0.0)):
        reach = ahead * 13 + 5 * np.sin(motion.stride[t] + phase)
        foot = centre + reach * _unit(heading) + side * 13 * _unit(heading + np.pi / 2)
        _stroke(image, foot, foot + 4 * _unit(heading), (2.6, 2.0), _SKIN)
    rear, chest = (base * 2 + centre) / 3, (centre * 2 + snout) / 3
    _stroke(image, base, rear, (6.0, 13.0), _FUR)
    _stroke(image, rear, chest, (14.0, 10.5), _FUR)
    _stroke(image, chest, snout, (10.5, 3.4), _FUR)
    _stroke(image, rear, chest, (6.0, 3.0), _FUR * 1.25)  # light falls on the back
    for ear in (left, right):
        _stroke(image, ear, ear, (5.2, 5.2), _FUR * 0.75)
        _stroke(image, ear, ear, (3.4, 3.4), _SKIN)
    _stroke(image, snout, snout, (2.0, 2.0), _SKIN * 0.8)


def _stroke(
    image: np.ndarray,
    start: np.ndarray,
    end: np.ndarray,
    widths: tuple[float, float],
    colour: np.ndarray,
) -> None:
    """Paint a line whose half width goes from one of `widths` to the other, softly edged."""
    reach = max(widths) + 2
    low = np.maximum(np.floor(np.minimum(start, end) - reach), 0).astype(int)
    high = np.ceil(np.maximum(start, end) + reach).astype(int) + 1
    part = image[low[1] : high[1], low[0] : high[0]]
    y, x = np.mgrid[low[1] : low[1] + part.shape[0], low[0] : low[0] + part.shape[1]]
    along = end - start
    offset = np.stack([x, y], axis=-1) - start
    share = np.clip(offset @ along / max(float(along @ along), 1e-9), 0, 1)
    distance = np.linalg.norm(offset - share[..., None] * along, axis=-1)
    width = widths[0] + share * (widths[1] - widths[0])
    cover = np.clip(width - distance + 0.5, 0, 1)[..., None]
    part += cover * (colour - part)


def _floor(generator: np.random.Generator) -> np.ndarray:
    """Return an arena strewn with bedding, shape (H, W, 3)."""
    width, height = SIZE
    coarse = _blurred(generator.normal(size=(height, width)), 8)
    fine = _blurred(generator.normal(size=(height, width)), 1)
    floor = _FLOOR + (11 * coarse + 9 * fine)[..., None]
    y, x = np.mgrid[:height, :width]
    edge = np.minimum.reduce([x, y, width - 1 - x, height - 1 - y])
    floor[edge < _WALL - 3] *= 0.55
    return np.asarray(floor)


def _tail(motion: Walk, base: np.ndarray) -> np.ndarray:
    """Return the joints of the tail, shape (T, L + 1, 2), from its base to its tip."""
    pieces = _TAIL / _LINKS * _unit(motion.tail)
    joints = np.concatenate([base[:, None], base[:, None] + np.cumsum(pieces, axis=1)], axis=1)
    inside: np.ndarray = np.clip(joints, _WALL, np.array(SIZE) - 1 - _WALL)
    return inside  # the tail bends where a wall is


def _unit(angle: np.ndarray) -> np.ndarray:
    pair: np.ndarray = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    return pair


def _wrapped(angle: float) -> float:
    return float((angle + np.pi) % (2 * np.pi) - np.pi)


def _smooth(values: np.ndarray, sigma: float) -> np.ndarray:
    """Smooth noise by a Gaussian of `sigma` frames, and keep its variance."""
    reach = np.arange(-int(4 * sigma), int(4 * sigma) + 1)
    kernel = np.exp(-(reach**2) / (2 * sigma**2))
    padded = np.pad(values, len(reach) // 2, mode="wrap" if len(values) > len(reach) else "reflect")
    return np.convolve(padded, kernel / np.linalg.norm(kernel), mode="valid")


def _delayed(values: np.ndarray, frames: int) -> np.ndarray:
    """Return the mean over the last `frames` + 1 values, as one that follows would."""
    padded = np.concatenate([np.full(frames, values[0]), values])
    return np.convolve(padded, np.full(frames + 1, 1 / (frames + 1)), mode="valid")


def _blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    return np.apply_along_axis(_smooth, 0, np.apply_along_axis(_smooth, 1, image, sigma), sigma)
