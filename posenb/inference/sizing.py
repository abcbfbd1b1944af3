"""How much is done at a time on the machine at hand: frames in a batch, decoders."""

from __future__ import annotations

import os
from pathlib import Path

from posenb.core import FrameFormat
from posenb.inference.pipeline import ring_size

__all__ = ["BATCH_SIZES", "batch_size_for", "decoders_for", "memory_limit", "usable_cores"]

BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64)
"""What `batch_size_for` chooses from."""

# On a CPU a batch saves nothing but the calls: beyond this its layers only leave the cache.
_MOST_ON_CPU = 16
# Bytes that the widest layers of the backbones keep alive for each pixel of the network's
# input: MobileNetV2's expansion to 96 channels at half the size, twice, and its like.
_BYTES_PER_PIXEL = 400
# The rest is for the packages, the decoder's own frames and whoever else uses the machine.
_SHARE = 0.25
_UNKNOWN_MEMORY = 8 * 2**30
_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
_MOST_DECODERS = 4


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_limit() -> int:
    """Return the bytes of memory that this process may ever use.

    That is what the machine has, or what a container (a control group) is allowed. What
    is free at the moment does not count, so that the same machine gives the same number.
    """
    limits = [_UNKNOWN_MEMORY]
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for path in _LIMITS:
        if path.is_file() and (text := path.read_text().strip()).isdigit():
            limits.append(int(text))
    return min(limits)


def batch_size_for(
    frames: FrameFormat, input_pixels: int, *, accelerated: bool, memory: int | None = None
) -> int:
    """Choose how many frames go through the model at a time.

    It is the largest power of two, up to 16 on a CPU and 64 on a GPU or TPU, with which
    the batches under way and the layers of the network fit into a quarter of the memory:
    some 400 bytes a pixel of the network's input, and each raw frame five times. A GPU is
    taken to have as much memory as the machine around it, up to 16 GiB.

    Parameters
    ----------
    frames : FrameFormat
        Of the raw frames.
    input_pixels : int
        Of what the network sees: after cropping and scaling.
    accelerated : bool
        Whether a GPU or TPU computes.
    memory : int, optional
        Bytes, by default `memory_limit`.
    """
    limit = memory_limit() if memory is None else memory
    if accelerated:
        limit = min(limit, 16 * 2**30)
    each = ring_size(1, 2) * frames.nbytes + _BYTES_PER_PIXEL * input_pixels
    fitting = min(int(_SHARE * limit / each), BATCH_SIZES[-1] if accelerated else _MOST_ON_CPU)
    return max(size for size in BATCH_SIZES if size <= max(fitting, 1))


def decoders_for(frames: FrameFormat) -> int:
    """Choose how many spans of a video are decoded at the same time.

    One decoder keeps all cores busy by itself, with threads of its own. But where frames
    must be converted to RGB on the way, its one thread for that holds everything up.
    """
    return min(_MOST_DECODERS, usable_cores()) if frames.kind == "rgb" else 1
