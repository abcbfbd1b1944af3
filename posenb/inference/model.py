"""A trained model as analysis sees it: a file with a digest that gives a `Predict`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

import posenb
from posenb import storage
from posenb.core import FrameFormat, ModelDescription
from posenb.errors import AnalysisError
from posenb.inference.runtimes.keras_runtime import compile_keras, keras_software
from posenb.inference.runtimes.protocol import Crop, Predict
from posenb.project import Run, open_run

__all__ = ["Model", "find_model"]


@dataclass(frozen=True)
class Model:
    """A model file; what it holds is loaded once, when it is first needed.

    Parameters
    ----------
    url : str
        The ``.keras`` file.
    run : Run, optional
        The run it belongs to.
    """

    url: str
    run: Run | None = None

    @cached_property
    def path(self) -> Path:
        """Local copy of the file."""
        return storage.cached_copy(self.url)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the file."""
        return storage.digest(self.path)

    @cached_property
    def _loaded(self) -> tuple[Any, ModelDescription]:
        from posenb.models import load_predictor

        return load_predictor(self.path)

    @property
    def description(self) -> ModelDescription:
        """What the model is.

        Raises
        ------
        ModelError
            If the file is no model of posenb's.
        MissingBackendError
            If neither TensorFlow nor JAX is installed.
        AnalysisError
            If the model is for several animals.
        """
        description = self._loaded[1]
        if len(description.individuals) > 1:
            raise AnalysisError(
                "Analysis finds the keypoints of one animal; the model "
                f"{description.name!r} is for {', '.join(description.individuals)}. Train on a "
                "project with one individual."
            )
        return description

    @property
    def identity(self) -> str:
        """All of the model and its runtime that decides poses, as a text."""
        return self.digest

    @property
    def software(self) -> Mapping[str, str]:
        """Versions of the packages that decide the poses."""
        return {
            "posenb": posenb.__version__,
            **keras_software(),
            "numpy": np.__version__,
            "av": version("av"),
        }

    @cached_property
    def _compiled(self) -> dict[tuple[FrameFormat, int, Crop | None], Predict]:
        return {}

    def predict(self, frames: FrameFormat, batch_size: int, crop: Crop | None = None) -> Predict:
        """Return the model compiled for raw frames of one format, once for all videos of it.

        Parameters
        ----------
        frames : FrameFormat
            Their format.
        batch_size : int
            Frames per forward pass. Fewer are filled up, so that there is one shape to
            compile for and the numbers of a frame do not depend on its company.
        crop : (int, int, int, int), optional
            x1, x2, y1, y2 in pixels, the ends excluded: the part to look at. Poses are in
            its pixels.
        """
        key = (frames, batch_size, crop)
        if key not in self._compiled:
            self._compiled[key] = compile_keras(self._loaded[0], frames, batch_size, crop)
        return self._compiled[key]


def find_model(run: Run | storage.Url) -> Model:
    """Find the model that `run` means.

    Parameters
    ----------
    run : Run, str or PathLike
        A run, the folder of one, or a ``.keras`` file. One that lies in the folder of a
        run belongs to it.

    Raises
    ------
    AnalysisError
        If the run has no trained model yet, or there is no such file.
    ProjectError
        If the folder holds no run.
    """
    if isinstance(run, Run):
        return _of_run(run)
    whole = storage.resolve(os.fspath(run))
    if not whole.endswith(".keras"):
        return _of_run(open_run(whole))
    if not storage.exists(whole):
        raise AnalysisError(f"A model is a .keras file; there is none at {whole}. Check the path.")
    owner = Run(storage.parent(whole))
    if storage.exists(owner.config_url) and owner.model_url == whole:
        return Model(whole, owner)
    return Model(whole)


def _of_run(run: Run) -> Model:
    if not run.finished:
        raise AnalysisError(
            f"Analysis needs a trained model; the run {run.name!r} has none yet "
            f"({run.model_url}). Train it to its end, which goes on where it stopped, or choose "
            "another run."
        )
    return Model(run.model_url, run)
