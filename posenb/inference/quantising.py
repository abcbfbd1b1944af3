"""The verb `quantise`: a trained network in whole numbers of 8 bits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from posenb import storage
from posenb._optional import import_optional
from posenb._progress import Progress, tqdm_progress
from posenb.core import FrameFormat, FrameName
from posenb.errors import InvalidInputError
from posenb.graphs import NetworkFile, pose_graph, quantise_network, rounded_values
from posenb.inference.model import find_model
from posenb.project import Project, Run, open_project, open_run, read_image

__all__ = ["quantise"]

Range = tuple[float, float]


def quantise(
    run: Run | storage.Url, *, frames: int = 16, progress: Progress = tqdm_progress
) -> Run:
    """Write a second model of a run that computes with whole numbers of 8 bits.

    It is a quarter of the size and several times faster on CPUs (OpenVINO), and less exact: see
    how much with ``evaluate(run, precision="int8")``. How large the values inside the
    network become is seen on frames that trained it. Analyze with
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
        If the run is not finished.
    InvalidInputError
        If `frames` is less than 1.
    MissingPackageError
        If OpenVINO is not installed.
    LabelError, StorageError
        If a training frame cannot be read.
    """
    if frames < 1:
        raise InvalidInputError(f"Quantising needs at least one frame; got frames={frames}.")
    run = run if isinstance(run, Run) else open_run(run)
    model = find_model(run, runtime="openvino", precision="float32")
    network = model.network
    project, names = open_project(run.project_url), run.split().train
    chosen = names[:: max(1, len(names) // frames)][:frames]
    ranges: dict[str, Range] = {}
    with progress(len(chosen), "Quantising", "frame") as bar:
        for found in _looked(network, project, chosen):
            for name, (low, high) in found.items():
                before = ranges.get(name, (low, high))
                ranges[name] = min(low, before[0]), max(high, before[1])
            bar.advance(1)
    storage.write_bytes(run.quantised_url, quantise_network(network, ranges).encode())
    return run


def _looked(
    network: NetworkFile, project: Project, names: tuple[FrameName, ...]
) -> Iterator[dict[str, Range]]:
    """Yield smallest and largest values inside the network, frame by frame."""
    openvino = import_optional("openvino", extra="cpu", purpose="Quantising")
    core = openvino.Core()
    inside = rounded_values(network)
    compiled: dict[FrameFormat, Any] = {}
    for name in names:
        image = read_image(project, name)
        layout = FrameFormat("rgb", *image.shape[:2])
        if layout not in compiled:
            graph = core.read_model(pose_graph(network, layout, 1, also=inside))
            exact = {"INFERENCE_PRECISION_HINT": "f32"}
            compiled = {layout: core.compile_model(graph, "CPU", exact)}
        values = list(compiled[layout](image.reshape(1, -1)).values())[1:]
        yield {
            name: (float(value.min()), float(value.max()))
            for name, value in zip(inside, values, strict=True)
        }
