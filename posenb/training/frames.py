"""Labelled frames on their way to the device: fetched in parallel, decoded and scaled once."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from tempfile import TemporaryFile

import numpy as np

from posenb import storage
from posenb._progress import Progress, silent_progress
from posenb.core import FrameName, Labels
from posenb.errors import TrainingError
from posenb.project import Project, read_image

__all__ = ["Frames", "load_frames"]

MEMORY = 2 * 1024**3  # bytes of decoded frames kept in memory; more go to the local disk

Scale = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """Decoded frames at the network's scale, with their keypoints.

    Parameters
    ----------
    names : tuple of FrameName
        N frames.
    images : ndarray of uint8, shape (N, H, W, 3)
        RGB in the upper left corner; in memory, or mapped from the local disk.
    sizes : ndarray of int32, shape (N, 2)
        True height and width of each scaled frame.
    ratios : ndarray of float64, shape (N, 2)
        Scaled pixels per source pixel in x and y.
    keypoints : ndarray of float64, shape (N, K, 2)
        x, y in scaled pixels; NaN = absent.
    """

    names: tuple[FrameName, ...]
    images: np.ndarray
    sizes: np.ndarray
    ratios: np.ndarray
    keypoints: np.ndarray

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.names)


def load_frames(
    project: Project,
    labels: Labels,
    scale: Scale,
    progress: Progress = silent_progress,
    memory: int = MEMORY,
) -> Frames:
    """Fetch, decode and scale the frames of `labels`.

    Parameters
    ----------
    project : Project
    labels : Labels
        Of one animal.
    scale : callable
        From uint8 frames, shape (1, H, W, 3), to uint8 frames at the network's scale.
    progress : Progress, optional
    memory : int, optional
        Bytes of decoded frames kept in memory. More than that are mapped from an
        unnamed file on the local disk, which the system gives back by itself.

    Returns
    -------
    Frames

    Raises
    ------
    LabelError
        If a file is no readable image.
    StorageError
        If an image is gone or cannot be fetched.
    TrainingError
        If neither memory nor the local disk can hold the frames.
    """
    count = len(labels)
    sizes = np.zeros((count, 2), np.int32)
    ratios = np.zeros((count, 2))
    images = np.zeros((count, 0, 0, 3), np.uint8)
    with progress(count, "Reading labelled frames", "frame") as bar:
        for i, image in enumerate(storage.in_order(partial(read_image, project), labels.frames)):
            scaled = scale(image[None])[0]
            sizes[i] = scaled.shape[:2]
            ratios[i] = scaled.shape[1] / image.shape[1], scaled.shape[0] / image.shape[0]
            if (sizes[i] > images.shape[1:3]).any():
                images = _grow(images, np.maximum(sizes[i], images.shape[1:3]), i, memory)
            images[i, : sizes[i, 0], : sizes[i, 1]] = scaled
            bar.advance(1)
    keypoints = (labels.positions[:, 0] + 0.5) * ratios[:, None] - 0.5
    return Frames(labels.frames, images, sizes, ratios, keypoints)


def _grow(images: np.ndarray, size: np.ndarray, filled: int, memory: int) -> np.ndarray:
    """Return room for frames of `size`, holding the `filled` first ones."""
    shape = (len(images), int(size[0]), int(size[1]), 3)
    if int(np.prod(shape)) <= memory:
        larger = np.zeros(shape, np.uint8)
    else:
        folder = storage.cache_folder()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=folder) as file:
                _reserve(file.fileno(), int(np.prod(shape)))
                larger = np.memmap(file, np.uint8, "w+", shape=shape)
        except OSError as error:
            raise TrainingError(
                f"{len(images)} frames of {shape[2]} x {shape[1]} pixels need "
                f"{np.prod(shape) / 1e9:.1f} GB of local disk ({error}). Free some, or point "
                "POSENB_CACHE to a larger disk."
            ) from error
    larger[:filled, : images.shape[1], : images.shape[2]] = images[:filled]
    return larger


def _reserve(file: int, size: int) -> None:
    """Take the space now: a mapped file that meets a full disk later kills the process."""
    if hasattr(os, "posix_fallocate"):  # not on macOS and Windows
        os.posix_fallocate(file, 0, size)
