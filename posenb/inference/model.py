"""A trained model as analysis sees it: files with a digest that give a `Predict`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

import posenb
from posenb import storage
from posenb.core import FrameFormat, ModelDescription
from posenb.errors import AnalysisError
from posenb.graphs import NetworkFile, pose_graph
from posenb.inference.runtimes import Choice, Crop, Predict, accelerated, choose_runtime
from posenb.inference.runtimes.keras_runtime import compile_keras, keras_software
from posenb.inference.runtimes.onnx_runtime import compile_onnxruntime, onnxruntime_software
from posenb.inference.runtimes.openvino_runtime import compile_openvino, openvino_software
from posenb.inference.variants import Variants, VariedPredict, mirrored_crop
from posenb.project import Run, open_run

__all__ = ["Model", "find_model"]

# Cells of the network's maps within which variants of a frame count as agreeing.
_AGREEMENT = 2
_PLAIN = Variants()
_SUFFIXES = (".keras", ".onnx")


@dataclass(frozen=True)
class Model:
    """A model file; what it holds is loaded once, when it is first needed.

    Parameters
    ----------
    url : str
        The ``.keras`` file, or an ``.onnx`` file that training wrote, for which Keras is
        not needed.
    run : Run, optional
        The run it belongs to.
    runtime, precision : str, optional
        As in `posenb.core.AnalyzeConfig`.
    variants : Variants, optional
        In which forms it sees every frame.
    """

    url: str
    run: Run | None = None
    runtime: str = "auto"
    precision: str = "auto"
    variants: Variants = _PLAIN

    @property
    def urls(self) -> tuple[str, ...]:
        """The file, as the one that there is."""
        return (self.url,)

    @property
    def name(self) -> str:
        """Name of the run, else that in the file."""
        return self.description.name if self.run is None else self.run.name

    @property
    def project_url(self) -> str | None:
        """The project of the run, if it belongs to one."""
        return None if self.run is None else self.run.project_url

    @cached_property
    def path(self) -> Path:
        """Local copy of the file."""
        return storage.cached_copy(self.url)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the file."""
        return storage.digest(self.path)

    @cached_property
    def choice(self) -> Choice:
        """What computes, and how exactly.

        Raises
        ------
        AnalysisError
            If the runtime cannot do what it is asked for.
        MissingPackageError
            If it is not installed.
        """
        quantised = self.run is not None and storage.exists(self.run.quantised_url)
        return choose_runtime(
            self.runtime,
            self.precision,
            has_keras=self.url.endswith(".keras"),
            has_int8=quantised,
        )

    @property
    def accelerated(self) -> bool:
        """Whether it computes on a GPU or TPU."""
        return self.choice.runtime == "keras" and accelerated()

    @property
    def identity(self) -> str:
        """All of the model, its runtime and its variants that decides poses, as a text."""
        if self.choice.precision == "int8":
            assert self.run is not None
            digest = storage.digest(self.run.quantised_url)
        else:
            digest = self.digest
        whole = f"{digest} {self.choice}"
        return whole if self.variants.plain else f"{whole} {self.variants}"

    @cached_property
    def _keras(self) -> tuple[Any, ModelDescription]:
        from posenb.models import load_predictor

        return load_predictor(self.path)

    @cached_property
    def network(self) -> NetworkFile:
        """The network for CPU runtimes: written by training, else made once and kept."""
        if self.choice.precision == "int8":
            assert self.run is not None
            return _read_network(self.run.quantised_url)
        if self.url.endswith(".onnx"):
            return _read_network(self.url)
        if self.run is not None and storage.exists(self.run.network_url):
            return _read_network(self.run.network_url)
        kept = storage.cached_path("exported", f"{self.digest}.onnx")
        if not kept.exists():
            from posenb.models import export_network

            storage.write_bytes(kept, export_network(*self._keras).encode())
        return _read_network(kept)

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
        of_keras = self.choice.runtime == "keras"
        description = self._keras[1] if of_keras else self.network.description
        if len(description.individuals) > 1:
            raise AnalysisError(
                "Analysis finds the keypoints of one animal; the model "
                f"{description.name!r} is for {', '.join(description.individuals)}. Train on a "
                "project with one individual."
            )
        return description

    @property
    def input_area(self) -> float:
        """Pixels that the network sees of a pixel of the source, at the largest size."""
        return (self.description.scale * max(self.variants.scales)) ** 2

    @property
    def numbers(self) -> int:
        """How many numbers there are of each keypoint: x, y and likelihood."""
        return 3

    @property
    def story(self) -> dict[str, Any]:
        """What ``meta.json`` tells of it."""
        return {
            "run": None if self.run is None else self.run.name,
            "sha256": self.digest,
            "description": self.description.model_dump(mode="json"),
        }

    @property
    def software(self) -> Mapping[str, str]:
        """Versions of the packages that decide the poses, and what computed how exactly."""
        runtime = self.choice.runtime
        return {
            "posenb": posenb.__version__,
            "runtime": runtime,
            "precision": self.choice.precision,
            **_SOFTWARE[runtime](),
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

        Raises
        ------
        AnalysisError
            If mirrored frames are asked of a model that does not know them.
        """
        key = (frames, batch_size, crop)
        if key not in self._compiled:
            self._compiled[key] = self._compile(*key)
        return self._compiled[key]

    def release(self) -> None:
        """Let go of what is compiled, and of the memory that it holds."""
        self._compiled.clear()

    def _compile(self, frames: FrameFormat, batch_size: int, crop: Crop | None) -> Predict:
        variants = self.variants
        if variants.plain:
            return self._compile_at(1.0, frames, batch_size, crop)
        mirror = mirrored_crop(crop, frames.width)
        if variants.flip and not self.description.knows_mirrored:
            raise AnalysisError(
                f"flip=True takes the mean with mirrored frames; {self.description.name} does "
                f"not know them: {self._why_not_mirrored()}. Analyze without flip."
            )
        upright = [self._compile_at(each, frames, batch_size, crop) for each in variants.scales]
        mirrored = upright if variants.flip else []
        if mirrored and mirror != crop:
            mirrored = [
                self._compile_at(each, frames, batch_size, mirror) for each in variants.scales
            ]
        description = self.description
        return VariedPredict(
            upright,
            mirrored,
            frames,
            frames.width if crop is None else crop[1] - crop[0],
            description.skeleton.mirror_pairs(),
            _AGREEMENT * description.config.model.stride / description.scale,
        )

    def _why_not_mirrored(self) -> str:
        unpaired = self.description.skeleton.unpaired_sides()
        if unpaired:
            return f"{', '.join(unpaired)} seem to name a side and have no partner"
        return "it was trained on animals that all face one way"

    def _compile_at(
        self, factor: float, frames: FrameFormat, batch_size: int, crop: Crop | None
    ) -> Predict:
        if self.choice.runtime == "keras":
            predictor, description = self._keras
            if factor != 1:
                from posenb.models import rescale_predictor

                predictor = rescale_predictor(predictor, description, factor)
            return compile_keras(predictor, frames, batch_size, crop)
        network = self.network
        described = network.description
        if factor != 1:
            described = described.replace(scale=described.scale * factor)
        graph = pose_graph(replace(network, description=described), frames, batch_size, crop)
        if self.choice.runtime == "openvino":
            return compile_openvino(graph, batch_size, self.choice.precision)
        return compile_onnxruntime(graph, batch_size)


_SOFTWARE = {
    "keras": keras_software,
    "openvino": openvino_software,
    "onnxruntime": onnxruntime_software,
}


def _read_network(url: storage.Url) -> NetworkFile:
    """Read an ``.onnx`` file of posenb's.

    Raises
    ------
    ModelError
        If it is none, or damaged.
    """
    return NetworkFile.decode(storage.read_bytes(url), storage.name(storage.resolve(url)))


def find_model(
    run: Run | storage.Url,
    *,
    runtime: str = "auto",
    precision: str = "auto",
    variants: Variants = _PLAIN,
) -> Model:
    """Find the model that `run` means.

    Parameters
    ----------
    run : Run, str or PathLike
        A run, the folder of one, or a ``.keras`` or ``.onnx`` file. One that lies in the
        folder of a run belongs to it.
    runtime, precision : str, optional
        As in `posenb.core.AnalyzeConfig`.
    variants : Variants, optional
        In which forms it sees every frame.

    Raises
    ------
    AnalysisError
        If the run has no trained model yet, or there is no such file.
    ProjectError
        If the folder holds no run.
    """
    if isinstance(run, Run):
        return _of_run(run, runtime, precision, variants)
    whole = storage.resolve(os.fspath(run))
    if not whole.endswith(_SUFFIXES):
        return _of_run(open_run(whole), runtime, precision, variants)
    if not storage.exists(whole):
        raise AnalysisError(
            f"A model is a {' or '.join(_SUFFIXES)} file; there is none at {whole}. Check the path."
        )
    owner = Run(storage.parent(whole))
    known = whole in (owner.model_url, owner.network_url) and storage.exists(owner.config_url)
    return Model(whole, owner if known else None, runtime, precision, variants)


def _of_run(run: Run, runtime: str, precision: str, variants: Variants) -> Model:
    if not run.finished:
        raise AnalysisError(
            f"Analysis needs a trained model; the run {run.name!r} has none yet "
            f"({run.model_url}). Train it to its end, which goes on where it stopped, or choose "
            "another run."
        )
    return Model(run.model_url, run, runtime, precision, variants)
