"""How much is done at a time on the machine at hand: frames in a batch, decoders."""

from __future__ import annotations

from posenb.core import FrameFormat
from posenb.inference.limits import memory_free, memory_limit, usable_cores
from posenb.inference.pipeline import ring_size

__all__ = ["BATCH_SIZES", "batch_size_for", "decoders_for", "out_of_memory", "usable_memory"]

BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64)
"""What `batch_size_for` chooses from."""

# On a CPU a batch saves nothing but the calls: beyond this its layers only leave the cache.
_MOST_ON_CPU = 16
# Nor more of the network's input pixels: of 3840 x 2160, 16 frames at a time took thrice as long
# each as one by one, and 5.8 GB.
_MOST_PIXELS_ON_CPU = _MOST_ON_CPU * 1920 * 1080
# Bytes that the widest layers of the backbones keep alive for each pixel of the network's
# input: MobileNetV2's expansion to 96 channels at half the size, twice, and its like.
_BYTES_PER_PIXEL = 400
# The rest is for the packages, the decoder's own frames and whoever else uses the machine.
_SHARE = 0.25
_MOST_DECODERS = 4
# What TensorFlow, JAX, OpenVINO and ONNX Runtime say where they get no memory, each in an error of
# a class of its own: on GPUs and TPUs, and on CPUs where a resource limit holds.
_NO_MEMORY = ("RESOURCE_EXHAUSTED", "OOM when allocating", "Failed to allocate", "bad_alloc")


def usable_memory() -> int:
    """Return the bytes of memory that the rule of `batch_size_for` starts from.

    That is all that this process may ever use, so that the same machine gives the same
    number each time; but where less than half of it is free now, twice what is.
    """
    return min(memory_limit(), 2 * memory_free())


def batch_size_for(
    frames: FrameFormat, input_pixels: int, *, accelerated: bool, memory: int | None = None
) -> int:
    """Choose how many frames go through the model at a time.

    It is the largest power of two, up to 16 on a CPU (fewer where the network sees more than
    1920 x 1080 pixels) and 64 on a GPU or TPU, with which the batches under way and the layers
    of the network fit into a quarter of the memory: some 400 bytes a pixel of the network's
    input, and each raw frame five times. A GPU is taken to have as much memory as the machine
    around it, up to 16 GiB.

    Parameters
    ----------
    frames : FrameFormat
        Of the raw frames.
    input_pixels : int
        Of what the network sees: after cropping and scaling.
    accelerated : bool
        Whether a GPU or TPU computes.
    memory : int, optional
        Bytes, by default `usable_memory`.
    """
    limit = usable_memory() if memory is None else memory
    if accelerated:
        limit = min(limit, 16 * 2**30)
    each = ring_size(1, 2) * frames.nbytes + _BYTES_PER_PIXEL * input_pixels
    most = min(_MOST_ON_CPU, _MOST_PIXELS_ON_CPU // input_pixels)
    fitting = min(int(_SHARE * limit / each), BATCH_SIZES[-1] if accelerated else most)
    return max(size for size in BATCH_SIZES if size <= max(fitting, 1))


def decoders_for(frames: FrameFormat) -> int:
    """Choose how many spans of a video are decoded at the same time.

    One decoder keeps all cores busy by itself, with threads of its own. But where frames
    must be converted to RGB on the way, its one thread for that holds everything up.
    """
    return min(_MOST_DECODERS, usable_cores()) if frames.kind == "rgb" else 1


def out_of_memory(error: Exception) -> bool:
    """Tell whether an error says that there was too little memory for a batch.

    A process that the system kills for want of memory raises none.
    """
    return isinstance(error, MemoryError) or any(each in str(error) for each in _NO_MEMORY)
