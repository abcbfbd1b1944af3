"""Which runtime computes, and how exactly."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from posenb.errors import AnalysisError, MissingBackendError, MissingPackageError
from posenb.inference.limits import usable_cores

__all__ = ["Choice", "accelerated", "choose_runtime", "thread_count"]

_BACKENDS = ("tensorflow", "jax")
# Files that Linux shows for GPUs of NVIDIA and AMD, for those of a Windows host, and for TPUs.
_DEVICES = ("nvidia[0-9]*", "kfd", "dxg", "accel*", "vfio/[0-9]*")
_NO_RUNTIME = (
    'Install one with: pip install "posenb[cpu]"; or "posenb[tensorflow]" or "posenb[jax]" to '
    "analyze with Keras."
)


@dataclass(frozen=True, slots=True)
class Choice:
    """A runtime and a precision.

    Parameters
    ----------
    runtime : {"keras", "openvino", "onnxruntime"}
    precision : {"float32", "bfloat16", "int8"}
    """

    runtime: str
    precision: str

    def __str__(self) -> str:
        """Return both as one text."""
        return f"{self.runtime} {self.precision}"


def choose_runtime(runtime: str, precision: str, *, has_keras: bool, has_int8: bool) -> Choice:
    """Choose what computes, where the user left it open.

    Keras does on a GPU or TPU, and OpenVINO on CPUs, else ONNX Runtime, else Keras.
    Processor time for a frame of 640 x 480 pixels, MobileNetV2 at full scale, on an AMD EPYC
    with AVX-512 (tests/benchmarks/runtimes.py, 2026-11-21): Keras on TensorFlow 73 ms, ONNX
    Runtime 51, OpenVINO 45, and 23 in bfloat16. The error on test frames is the same in both
    (2.01 pixels), so OpenVINO computes so where the CPU does by itself, unless told otherwise.
    Single poses do move: of those with a likelihood above 0.6 on 600 frames, by 0.14 pixels on
    average, 95 of 100 by less than 0.32, and one by 2.1. That comes from the layers at the
    beginning: with the first nine convolutions in float32 it is 0.04, 0.08 and 0.5 (64 frames)
    for a quarter more time, with the heads in float32 no less. int8 takes 15 ms and moves poses
    by 0.4 pixels (error 2.06); it is never chosen by itself.

    Parameters
    ----------
    runtime, precision : str
        As in `posenb.core.AnalyzeConfig`.
    has_keras : bool
        Whether there is a ``.keras`` file of the model, not only an ``.onnx``.
    has_int8 : bool
        Whether there is a quantised one.

    Raises
    ------
    AnalysisError
        If the runtime cannot compute in that precision, or the model is not there in the
        form that it needs.
    MissingPackageError
        If no runtime is installed, or not the one asked for.
    """
    name = _automatic(has_keras) if runtime == "auto" else runtime
    if name == "keras" and not has_keras:
        raise AnalysisError(
            "Keras runs .keras files; of this model there is only an .onnx. Leave the runtime out, "
            "or use 'openvino' or 'onnxruntime'."
        )
    if name != "keras" and find_spec(name) is None:
        raise MissingPackageError(
            f"The runtime {name!r} is not installed. Install it with: "
            f'pip install "posenb[{"cpu" if name == "openvino" else name}]"'
        )
    known = _precisions(name)
    chosen = known[0] if precision == "auto" else precision
    if chosen not in (*known, "int8") or (name == "keras" and chosen == "int8"):
        raise AnalysisError(
            f"The runtime {name!r} computes in {', '.join(known)} here; got precision "
            f"{precision!r}. Leave it out, or choose another runtime."
        )
    if chosen == "int8" and not has_int8:
        raise AnalysisError(
            "int8 needs a model that was quantised on labelled frames, and this one was not. "
            "Quantise the run first: posenb.quantise(run)."
        )
    return Choice(name, chosen)


def _automatic(has_keras: bool) -> str:
    if has_keras and accelerated():
        return "keras"
    for name in ("openvino", "onnxruntime"):
        if find_spec(name) is not None:
            return name
    if has_keras and _installed(_BACKENDS):
        return "keras"
    raise MissingBackendError(
        "Analysis needs OpenVINO, ONNX Runtime, TensorFlow or JAX; none is installed. "
        f"{_NO_RUNTIME}"
    )


def _installed(names: Sequence[str]) -> bool:
    return any(find_spec(name) is not None for name in names)


def accelerated() -> bool:
    """Tell whether Keras has a GPU or TPU to compute on.

    Loading Keras and its backend takes seconds, so without a device file it is not asked
    unless it is loaded already.
    """
    if not _installed(_BACKENDS):
        return False
    if "keras" not in sys.modules and not any(any(Path("/dev").glob(each)) for each in _DEVICES):
        return False
    from posenb.models import accelerator

    return accelerator() is not None


def _precisions(runtime: str) -> tuple[str, ...]:
    """Return in what a runtime can compute on this machine, the best first."""
    if runtime == "openvino":
        from posenb.inference.runtimes.openvino_runtime import openvino_precisions

        return openvino_precisions()
    return ("float32",)


def thread_count() -> int:
    """Return how many threads a CPU runtime should use: the cores that this process may use.

    ``OMP_NUM_THREADS`` limits them; Dask and others that run several processes on a machine
    set that variable.
    """
    told = os.environ.get("OMP_NUM_THREADS", "")
    return int(told) if told.isdecimal() and int(told) > 0 else usable_cores()
