"""OpenVINO on the CPU."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from queue import SimpleQueue
from types import ModuleType
from typing import Any

import numpy as np

from posenb._optional import import_optional
from posenb.inference.runtimes.choice import thread_count
from posenb.inference.runtimes.protocol import Predict, filled

__all__ = ["compile_openvino", "import_openvino", "openvino_precisions", "openvino_software"]

_TELEMETRY = "openvino_telemetry"
_HINTS = {"float32": "f32", "bfloat16": "bf16", "int8": "f32"}


def import_openvino(purpose: str) -> ModuleType:
    """Import OpenVINO without its telemetry.

    As it is imported, OpenVINO tells Google Analytics so, out of a fork of this process: where
    JAX is loaded such a fork may hang. Without the package that does it, OpenVINO is silent.

    Parameters
    ----------
    purpose : str
        What it is needed for, as the start of a sentence.

    Raises
    ------
    MissingPackageError
        If it is not installed.
    """
    loaded = _TELEMETRY in sys.modules
    if not loaded:
        sys.modules[_TELEMETRY] = None  # type: ignore[assignment]  # import says: it is not there
    try:
        return import_optional("openvino", extra="cpu", purpose=purpose)
    finally:
        if not loaded:
            del sys.modules[_TELEMETRY]


@cache
def _core() -> Any:
    return import_openvino("The runtime 'openvino'").Core()


def openvino_precisions() -> tuple[str, ...]:
    """Return in what OpenVINO computes at full speed on this CPU, the fastest first."""
    capable = "BF16" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return ("bfloat16", "float32") if capable else ("float32",)


def openvino_software() -> Mapping[str, str]:
    """Return the version of what computes."""
    openvino = import_openvino("The runtime 'openvino'")
    return {"openvino": openvino.__version__.partition("-")[0]}


class _OpenVinoPredict:
    """A compiled graph; calls from several threads wait for each other."""

    workers = 1

    def __init__(self, compiled: Any, batch_size: int) -> None:
        self._batch_size = batch_size
        self._requests: SimpleQueue[Any] = SimpleQueue()
        for _ in range(self.workers):
            self._requests.put(compiled.create_infer_request())

    def __call__(self, raw: np.ndarray, /) -> np.ndarray:
        """Return the poses of `raw`."""
        whole = np.ascontiguousarray(filled(raw, self._batch_size))
        request = self._requests.get()
        try:
            (poses,) = request.infer([whole], share_inputs=True).values()
            return np.array(poses[: len(raw)])
        finally:
            self._requests.put(request)


def compile_openvino(graph: bytes, batch_size: int, precision: str) -> Predict:
    """Compile a graph from raw frames to poses.

    Parameters
    ----------
    graph : bytes
        From `posenb.graphs.pose_graph`.
    batch_size : int
        The one that the graph is for.
    precision : {"float32", "bfloat16", "int8"}
        The graph itself decides about int8.
    """
    core = _core()
    options = {
        "PERFORMANCE_HINT": "LATENCY",  # all threads work on one batch
        "INFERENCE_PRECISION_HINT": _HINTS[precision],
        "INFERENCE_NUM_THREADS": thread_count(),
    }
    return _OpenVinoPredict(core.compile_model(core.read_model(graph), "CPU", options), batch_size)
