"""The verb `quantise`: a trained network in whole numbers of 8 bits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from posenb import storage
from posenb._progress import Progress, tqdm_progress
from posenb.core import FrameFormat
from posenb.errors import AnalysisError, InvalidInputError
from posenb.graphs import NetworkFile, pose_graph, quantise_network, rounded_values
from posenb.inference.model import find_model
from posenb.inference.runtimes.openvino_runtime import import_openvino
from posenb.project import Run, open_project, open_run, read_image

__all__ = ["quantise", "value_ranges"]

Range = tuple[float, float]


def quantise(
    run: Run | storage.Url, *, frames: int = 16, progress: Progress = tqdm_progress
) -> Run:
    """Write a second model of a run that computes with whole numbers of 8 bits.

    It is a quarter of the size, takes a third of the time of float32 (OpenVINO on a CPU),
    and is less exact: see how much with ``evaluate(run, precision="int8")``. How large the
    values inside the network become is seen on frames that trained it. Analyze with
    ``analyze(run, video, precision="int8")``.

    Parameters
    ----------
    run : Run, str or PathLike
        A finished run or its folder.
    frames : int, optional
        Training frames to look at.
    progress : Progress, optional

    Returns
    -------
    Run
        With ``model.int8.onnx`` in its folder.

    Raises
    ------
    AnalysisError
        If the run is not finished, or no frame trained it.
    InvalidInputError
        If `frames` is less than 1.
    MissingPackageError
        If OpenVINO is not installed.
    LabelError, StorageError
        If a training frame cannot be read.
    """
    if frames < 1:
        raise InvalidInputError(
            f"Quantising looks at least at one frame; got frames={frames}. Give a larger number."
        )
    run = run if isinstance(run, Run) else open_run(run)
    model = find_model(run, runtime="openvino", precision="float32")
    names = run.split().train
    if not names:
        raise AnalysisError(
            f"Quantising looks at training frames; the run {run.name!r} has none. Train again."
        )
    network = model.network
    project = open_project(run.project_url)
    chosen = names[:: max(1, len(names) // frames)][:frames]
    with progress(len(chosen), "Quantising", "frame") as bar:

        def images() -> Iterator[np.ndarray]:
            for name in chosen:
                yield read_image(project, name)
                bar.advance(1)

        ranges = value_ranges(network, images())
    storage.write_bytes(run.quantised_url, quantise_network(network, ranges).encode())
    return run


def value_ranges(network: NetworkFile, images: Iterable[np.ndarray]) -> dict[str, Range]:
    """Return smallest and largest of each of the `rounded_values` over some images.

    Parameters
    ----------
    network : NetworkFile
    images : iterable of ndarray of uint8, shape (H, W, 3)
        RGB.
    """
    core = import_openvino("Quantising").Core()
    inside = rounded_values(network)
    layout: FrameFormat | None = None
    compiled: Any = None
    ranges: dict[str, Range] = {}
    for image in images:
        if layout != (own := FrameFormat("rgb", *image.shape[:2])):
            graph = core.read_model(pose_graph(network, own, 1, also=inside))
            layout = own
            compiled = core.compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        values = list(compiled(image.reshape(1, -1)).values())[1:]
        for name, value in zip(inside, values, strict=True):
            low, high = ranges.get(name, (np.inf, -np.inf))
            ranges[name] = min(low, float(value.min())), max(high, float(value.max()))
    return ranges
