"""Poses as lines of text, each as soon as it is there."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from posenb import storage
from posenb.core import ModelDescription, Poses
from posenb.errors import InvalidInputError, StorageError
from posenb.labels import pose_header
from posenb.live.predictor import LivePose

__all__ = ["PoseLines", "growing_table"]


class PoseLines:
    """Lines of a table in DeepLabCut's layout as CSV.

    Parameters
    ----------
    description : ModelDescription
        Of the model that finds the poses.

    Attributes
    ----------
    header : str
        The lines above all others.
    """

    def __init__(self, description: ModelDescription) -> None:
        shape = (0, 1, len(description.keypoints))
        none = Poses(
            np.empty((*shape, 2)),
            np.empty(shape),
            description.skeleton,
            individuals=description.individuals,
            scorer=f"posenb_{description.name}",
        )
        self.header = pose_header(none)

    def __call__(self, found: LivePose) -> str:
        """Return the line of a pose: the frame and x, y, likelihood of each keypoint."""
        return ",".join([str(found.frame), *map(_text, found.pose.ravel().tolist())]) + "\n"


def _text(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.4f}"


@contextmanager
def growing_table(url: storage.Url, lines: PoseLines) -> Iterator[Callable[[LivePose], None]]:
    """Make a ``.csv`` and give what adds a pose to it.

    Each line is one write, so that whatever ends the program, the table holds whole lines
    and can be read.

    Parameters
    ----------
    url : str or PathLike
        A local file that is not there yet: an earlier recording is never written over.
    lines : PoseLines

    Raises
    ------
    InvalidInputError
        If it is not local.
    StorageError
        If something is there, or it cannot be written.
    """
    whole = storage.resolve(url)
    if not storage.is_local(whole):
        raise InvalidInputError(
            f"A table to which poses are added one by one is a local file; got {whole}. Give a "
            "folder instead, whose files are written at the end, or copy the table afterwards."
        )
    path = Path(whole)
    if path.exists():
        raise StorageError(
            f"A recording is never written over an earlier one; {whole} is there already. Choose "
            "another name, or delete it."
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("xb", buffering=0)
    except OSError as error:
        raise _not_written(whole, error) from error
    with file:

        def add(text: str) -> None:
            try:
                file.write(text.encode())
            except OSError as error:
                raise _not_written(whole, error) from error

        add(lines.header)
        yield lambda found: add(lines(found))


def _not_written(url: str, error: OSError) -> StorageError:
    return StorageError(
        f"Poses are added to {url} as they come, which failed ({error}). Make room or choose "
        "another place; what is there already is whole."
    )
