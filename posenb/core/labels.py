"""What people clicked: positions of keypoints in named frames."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np

from posenb.core.names import check_name
from posenb.core.skeleton import Skeleton
from posenb.errors import InvalidInputError

__all__ = ["FrameName", "Labels", "Visibility"]


class FrameName(NamedTuple):
    """A labelled image: ``labeled-data/<video>/<image>``.

    `video` is empty where the images lie in ``labeled-data/`` itself.
    """

    video: str
    image: str

    @property
    def number(self) -> int | None:
        """Index of the frame in its video, in which the name of its image ends; else None."""
        match = re.search(r"(\d+)$", PurePosixPath(self.image).stem)
        return int(match[1]) if match else None


class Visibility(IntEnum):
    """What a person said of a keypoint in a frame (COCO's three values)."""

    UNLABELLED = 0
    OCCLUDED = 1
    VISIBLE = 2


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Labelled keypoints of a set of frames.

    Parameters
    ----------
    frames : tuple of FrameName
        N unique frames.
    positions : ndarray, shape (N, I, K, 2)
        x, y in pixels of the image; integers are pixel centres; NaN = no position.
    skeleton : Skeleton
        The K keypoints.
    individuals : tuple of str, optional
        The I animals; one unnamed animal (``("",)``) by default. Keypoints that exist
        once in the scene (``skeleton.unique``) stand with the first.
    visibility : ndarray of uint8, shape (N, I, K), optional
        `Visibility` values. By default a keypoint with a position is visible and
        one without is unlabelled. An occluded keypoint may have a position (a guess
        behind the obstacle) or none, an unlabelled one has none.
    scorer : str, optional
        Who labelled.

    Raises
    ------
    InvalidInputError
        If shapes disagree, frames or individuals repeat or are not named as they must
        be, a position is infinite, visibility and positions contradict each other, or
        another than the first individual has a keypoint that exists once in the scene.
    """

    frames: tuple[FrameName, ...]
    positions: np.ndarray
    skeleton: Skeleton
    individuals: tuple[str, ...] = ("",)
    visibility: np.ndarray | None = None
    scorer: str = "posenb"

    def __post_init__(self) -> None:
        """Normalise dtypes, make the arrays read-only and check the rules."""
        frames = tuple(FrameName(*frame) for frame in self.frames)
        positions = np.array(self.positions, dtype=np.float64)
        expected = (len(frames), len(self.individuals), len(self.skeleton), 2)
        if positions.shape != expected:
            raise InvalidInputError(
                "Label positions have the shape (frames, individuals, keypoints, 2) = "
                f"{expected}; got {positions.shape}."
            )
        _check_frames(frames)
        if len(set(frames)) != len(frames):
            raise InvalidInputError("Each labelled frame appears once; some repeat. Merge them.")
        check_individuals(self.individuals)
        if np.isinf(positions).any():
            raise InvalidInputError(
                "Label positions are numbers, or NaN where there is none; some are infinite."
            )
        positions[np.isnan(positions).any(axis=-1)] = np.nan
        present = ~np.isnan(positions[..., 0])
        if self.visibility is None:
            visibility = np.where(present, Visibility.VISIBLE, Visibility.UNLABELLED)
        else:
            visibility = np.array(self.visibility)
            if visibility.shape != expected[:-1]:
                raise InvalidInputError(
                    f"Visibility has the shape {expected[:-1]}; got {visibility.shape}."
                )
            _check_visibility(visibility, present)
        visibility = visibility.astype(np.uint8)
        once = [self.skeleton.index(name) for name in self.skeleton.unique]
        if visibility[:, 1:, once].any():
            raise InvalidInputError(
                "Keypoints that exist once in the scene stand with the first individual; "
                f"{', '.join(self.skeleton.unique)} are labelled for others too. Move them."
            )
        for array in (positions, visibility):
            array.flags.writeable = False
        object.__setattr__(self, "frames", frames)
        object.__setattr__(self, "individuals", tuple(self.individuals))
        object.__setattr__(self, "positions", positions)
        object.__setattr__(self, "visibility", visibility)

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.frames)

    @property
    def videos(self) -> tuple[str, ...]:
        """Names of the videos the frames come from, in order of appearance."""
        return tuple(dict.fromkeys(frame.video for frame in self.frames))

    def select(self, indices: np.ndarray | list[int] | tuple[int, ...]) -> Labels:
        """Return the labels of the frames at `indices`, in that order."""
        chosen = np.asarray(indices, dtype=np.intp)
        assert self.visibility is not None
        return Labels(
            tuple(self.frames[i] for i in chosen),
            self.positions[chosen],
            self.skeleton,
            self.individuals,
            self.visibility[chosen],
            self.scorer,
        )


def check_individuals(individuals: tuple[str, ...]) -> None:
    """Check the names of the animals.

    Raises
    ------
    InvalidInputError
        If there is none, a name repeats, or a name is not usable.
    """
    names = tuple(individuals)
    for name in names if names != ("",) else ():
        check_name("Individual", name)
    if not names or len(set(names)) != len(names):
        raise InvalidInputError(
            'Individuals are one unnamed animal ("",) or animals of unique, non-empty names; got '
            f"{names}."
        )


def _check_frames(frames: tuple[FrameName, ...]) -> None:
    for video, image in frames:
        check_name("Image", image)
        if video:
            check_name("Video", video)
        if "/" in image or "\\" in video + image or ".." in (image, *video.split("/")):
            raise InvalidInputError(
                "A frame is named by the folder of its video and the file of its image; got "
                f"({video!r}, {image!r})."
            )


def _check_visibility(visibility: np.ndarray, present: np.ndarray) -> None:
    if not np.isin(visibility, tuple(Visibility)).all():
        raise InvalidInputError(
            "Visibility is 0 (unlabelled), 1 (occluded) or 2 (visible); got "
            f"{sorted(set(np.unique(visibility).tolist()) - set(Visibility))}."
        )
    if (visibility[~present] == Visibility.VISIBLE).any():
        raise InvalidInputError(
            "A visible keypoint has a position; some are NaN. Mark them occluded or unlabelled."
        )
    if (visibility[present] == Visibility.UNLABELLED).any():
        raise InvalidInputError(
            "An unlabelled keypoint has no position; some have one. Make it NaN or mark them "
            "occluded or visible."
        )
