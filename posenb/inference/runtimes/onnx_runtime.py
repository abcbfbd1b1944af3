"""ONNX Runtime on the CPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from posenb._optional import import_optional
from posenb.graphs.poses import POSES, RAW
from posenb.inference.runtimes.choice import thread_count
from posenb.inference.runtimes.protocol import Predict, filled

__all__ = ["compile_onnxruntime", "onnxruntime_software"]


@dataclass(frozen=True, slots=True)
class _OnnxPredict:
    """A session of ONNX Runtime, which several threads may use."""

    session: Any
    batch_size: int
    workers: int = 1

    def __call__(self, raw: np.ndarray, /) -> np.ndarray:
        """Return the poses of `raw`."""
        whole = np.ascontiguousarray(filled(raw, self.batch_size))
        (poses,) = self.session.run([POSES], {RAW: whole})
        return np.asarray(poses[: len(raw)])


def onnxruntime_software() -> Mapping[str, str]:
    """Return the version of what computes."""
    import onnxruntime

    return {"onnxruntime": onnxruntime.__version__}


def compile_onnxruntime(graph: bytes, batch_size: int) -> Predict:
    """Compile a graph from raw frames to poses.

    Parameters
    ----------
    graph : bytes
        From `posenb.graphs.pose_graph`.
    batch_size : int
        The one that the graph is for.
    """
    onnxruntime = import_optional(
        "onnxruntime", extra="onnxruntime", purpose="The runtime 'onnxruntime'"
    )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = thread_count()
    # Threads that spin between operators take the cores from the decoder.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    return _OnnxPredict(session, batch_size)
