"""Keras on its backend: TensorFlow or JAX, on whatever device that finds."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from posenb.core import FrameFormat
from posenb.inference.runtimes.protocol import Crop, Predict, filled

__all__ = ["KerasPredict", "compile_keras", "keras_software"]


@dataclass(frozen=True, slots=True)
class KerasPredict:
    """A Keras model from raw frames to poses.

    Parameters
    ----------
    model : keras.Model
        Compiled.
    batch_size : int
        Its only shape; fewer frames are filled up.
    workers : int, optional
        Calls that may be under way at once.
    """

    model: Any
    batch_size: int
    workers: int = 1

    def __call__(self, raw: np.ndarray, /) -> np.ndarray:
        """Return the poses of `raw`."""
        poses: np.ndarray = self.model.predict_on_batch(filled(raw, self.batch_size))
        return poses[: len(raw)]


def compile_keras(
    predictor: Any, frames: FrameFormat, batch_size: int, crop: Crop | None
) -> Predict:
    """Put the conversion to RGB before a predictor and compile the whole.

    Parameters
    ----------
    predictor : keras.Model
        From `posenb.models.load_predictor`.
    frames : FrameFormat
    batch_size : int
    crop : (int, int, int, int), optional
    """
    import keras

    from posenb.models import ToRGB, jit_compile

    raw = keras.Input((frames.nbytes,), dtype="uint8", name="raw")
    model = keras.Model(raw, predictor(ToRGB(frames, crop)(raw)))
    model.compile(jit_compile=jit_compile())
    return KerasPredict(model, batch_size)


def keras_software() -> Mapping[str, str]:
    """Return the versions of what computes."""
    import keras

    backend = keras.backend.backend()
    return {
        "keras": keras.__version__,
        "backend": backend,
        backend: sys.modules[backend].__version__,
    }
