"""What the machine offers to Keras: kind of device, precision, several devices at once."""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import keras

from posenb.errors import TrainingWarning
from posenb.models import accelerator

__all__ = ["data_parallel", "policy", "precision", "seeded"]


def precision(wanted: bool | str) -> str:
    """Return the dtype policy for `TrainConfig.mixed_precision`.

    GPUs compute in float16 (with loss scaling, which Keras adds), because older ones
    such as Colab's T4 are slow in bfloat16; TPUs compute in bfloat16.
    """
    kind = accelerator()
    if wanted is False or (wanted == "auto" and kind is None):
        return "float32"
    return "mixed_float16" if kind == "gpu" else "mixed_bfloat16"


@contextmanager
def policy(name: str) -> Iterator[None]:
    """Build layers under a dtype policy, and restore the one before."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Make unseeded initialisers repeatable without touching the user's random state.

    Keras draws their seeds from Python's `random`.
    """
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)


def data_parallel(batch_size: int) -> Any:
    """Return a context in which batches are shared by the accelerators.

    Only Keras on JAX distributes this way, and each device must get as many frames as any
    other; so as many devices are used as divide the batch.

    Warns
    -----
    TrainingWarning
        If some devices are left idle.
    """
    on_jax = keras.backend.backend() == "jax"
    # TensorFlow lists the processor beside its GPUs.
    kind = None if on_jax else accelerator() or "cpu"
    devices = keras.distribution.list_devices(kind)
    used = math.gcd(batch_size, len(devices)) if on_jax else 1
    if used < len(devices):
        cure = (
            f"A batch_size that is a multiple of {len(devices)} uses all"
            if on_jax
            else "Keras on JAX (KERAS_BACKEND=jax) uses several"
        )
        warnings.warn(
            f"{used} of {len(devices)} devices can share a batch of {batch_size}, the others are "
            f"idle. {cure}.",
            TrainingWarning,
            stacklevel=3,
        )
    if used == 1:
        return nullcontext()
    return keras.distribution.DataParallel(devices=devices[:used], auto_shard_dataset=False).scope()
