"""Trajectories: where every keypoint was in every analyzed frame, and how sure the model is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from posenb.core.labels import check_individuals
from posenb.core.skeleton import Skeleton
from posenb.errors import InvalidInputError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["Poses"]

_SINGULAR_SINCE = (0, 17)  # https://github.com/neuroinformatics-unit/movement/pull/973


@dataclass(frozen=True, slots=True, eq=False)
class Poses:
    """Poses of one video.

    Parameters
    ----------
    positions : ndarray, shape (T, I, K, 2)
        x, y in pixels of the source video as displayed (rotation applied, crops
        undone); integers are pixel centres; NaN = not found.
    likelihoods : ndarray, shape (T, I, K)
        0 to 1; NaN where nothing was predicted.
    skeleton : Skeleton
        The K keypoints.
    frames : ndarray of int, shape (T,), optional
        Strictly increasing frame indices in the video; 0 to T-1 by default.
    individuals : tuple of str, optional
        The I animals; one unnamed animal (``("",)``) by default. Keypoints that exist
        once in the scene (``skeleton.unique``) stand with the first.
    fps : float, optional
        Frames per second of the video; NaN where unknown.
    scorer : str, optional
        Name of the model that made the poses.
    provenance : mapping, optional
        Whatever tells how the poses came about (digests, config, versions, video).
    url : str, optional
        The table that they were read from or written to, if any.
    spread : ndarray, shape (T, I, K), optional
        How far the models of an ensemble are from each other, pixels: the root mean square
        of their distances from `positions`. None unless several models looked.

    Raises
    ------
    InvalidInputError
        If shapes disagree, the frames do not increase, individuals repeat, or another
        than the first individual has a keypoint that exists once in the scene.
    """

    positions: np.ndarray
    likelihoods: np.ndarray
    skeleton: Skeleton
    frames: np.ndarray | None = None
    individuals: tuple[str, ...] = ("",)
    fps: float = float("nan")
    scorer: str = "posenb"
    provenance: Mapping[str, Any] = field(default_factory=dict)
    url: str | None = None
    spread: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Normalise dtypes, make the arrays read-only and check the rules."""
        positions = np.array(self.positions, dtype=np.float64)
        likelihoods = np.array(self.likelihoods, dtype=np.float64)
        count = positions.shape[0] if positions.ndim == 4 else -1
        expected = (count, len(self.individuals), len(self.skeleton), 2)
        if positions.shape != expected or likelihoods.shape != expected[:-1]:
            raise InvalidInputError(
                "Poses have positions of shape (frames, individuals, keypoints, 2) and "
                f"likelihoods of shape (frames, individuals, keypoints), here with "
                f"{len(self.individuals)} individuals and {len(self.skeleton)} keypoints; got "
                f"{positions.shape} and {likelihoods.shape}."
            )
        spread = None if self.spread is None else np.array(self.spread, dtype=np.float64)
        if spread is not None and spread.shape != likelihoods.shape:
            raise InvalidInputError(
                f"A spread has the shape of the likelihoods, {likelihoods.shape}; got "
                f"{spread.shape}. Cut both alike, or leave it out: spread=None."
            )
        check_individuals(self.individuals)
        once = [self.skeleton.index(name) for name in self.skeleton.unique]
        if not np.isnan(positions[:, 1:, once]).all():
            raise InvalidInputError(
                "Keypoints that exist once in the scene stand with the first individual; "
                f"{', '.join(self.skeleton.unique)} have positions for others too. Move them."
            )
        frames = np.arange(count) if self.frames is None else np.array(self.frames)
        if frames.shape != (count,) or (np.diff(frames) <= 0).any():
            raise InvalidInputError(
                f"Poses need {count} strictly increasing frame indices; got an array of shape "
                f"{frames.shape}."
            )
        frames = frames.astype(np.int64)
        for array in (positions, likelihoods, frames, spread):
            if array is not None:
                array.flags.writeable = False
        object.__setattr__(self, "positions", positions)
        object.__setattr__(self, "likelihoods", likelihoods)
        object.__setattr__(self, "frames", frames)
        object.__setattr__(self, "spread", spread)
        object.__setattr__(self, "individuals", tuple(self.individuals))
        object.__setattr__(self, "fps", float(self.fps))
        object.__setattr__(self, "provenance", MappingProxyType(dict(self.provenance)))

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes as the arguments of the constructor."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return (Poses, tuple({**values, "provenance": dict(self.provenance)}.values()))

    def __len__(self) -> int:
        """Return the number of frames."""
        return int(self.positions.shape[0])

    @property
    def times(self) -> np.ndarray:
        """Seconds from the first frame of the video, shape (T,)."""
        assert self.frames is not None
        return self.frames / self.fps

    def to_dataframe(self) -> pd.DataFrame:
        """Return a tidy table, one row for each frame, individual and keypoint.

        Returns
        -------
        DataFrame
            Columns ``frame, time, individual, keypoint, x, y, likelihood``: time in
            seconds, x and y in pixels; for poses of an ensemble also ``spread``. The wide
            layout of DeepLabCut is what lies in the files beside the video.
        """
        import pandas as pd

        assert self.frames is not None
        count, individuals, keypoints = self.likelihoods.shape
        table = pd.DataFrame(
            {
                "frame": np.repeat(self.frames, individuals * keypoints),
                "time": np.repeat(self.times, individuals * keypoints),
                "individual": np.tile(np.repeat(self.individuals, keypoints), count),
                "keypoint": np.tile(self.skeleton.keypoints, count * individuals),
                "x": self.positions[..., 0].ravel(),
                "y": self.positions[..., 1].ravel(),
                "likelihood": self.likelihoods.ravel(),
            }
        )
        return table if self.spread is None else table.assign(spread=self.spread.ravel())

    def to_xarray(self) -> xr.Dataset:
        """Return a dataset laid out as the package movement lays out its poses.

        Returns
        -------
        Dataset
            ``position (time, space, keypoint, individual)`` in pixels and
            ``confidence (time, keypoint, individual)``, for poses of an ensemble also
            ``spread``, laid out likewise; ``time`` in seconds, or in
            frames where the frame rate is unknown. movement called the dimensions
            ``keypoints`` and ``individuals`` before its version 0.17; where such a
            version is installed, so are these.

        Raises
        ------
        MissingPackageError
            If xarray is not installed.
        """
        from posenb._optional import import_optional

        keypoint, individual = _movement_dimensions()
        xarray = import_optional("xarray", extra="xarray", purpose="Poses.to_xarray")
        known = np.isfinite(self.fps)
        names = [name or f"individual_{i}" for i, name in enumerate(self.individuals)]
        axes = ("time", keypoint, individual)
        variables = {
            "position": (
                ("time", "space", keypoint, individual),
                self.positions.transpose(0, 3, 2, 1),
            ),
            "confidence": (axes, self.likelihoods.transpose(0, 2, 1)),
        }
        if self.spread is not None:
            variables["spread"] = (axes, self.spread.transpose(0, 2, 1))
        dataset: xr.Dataset = xarray.Dataset(
            variables,
            coords={
                "time": self.times if known else self.frames,
                "space": ["x", "y"],
                keypoint: list(self.skeleton.keypoints),
                individual: names,
            },
            attrs={
                "fps": self.fps if known else None,
                "time_unit": "seconds" if known else "frames",
                "source_software": "posenb",
                "ds_type": "poses",
            },
        )
        return dataset


def _movement_dimensions() -> tuple[str, str]:
    """Return what the installed movement, or the newest one, calls its dimensions."""
    try:
        installed = version("movement")
    except PackageNotFoundError:
        return "keypoint", "individual"
    numbers = tuple(int(part) for part in re.findall(r"\d+", installed)[:2])
    if numbers < _SINGULAR_SINCE:
        return "keypoints", "individuals"
    return "keypoint", "individual"
