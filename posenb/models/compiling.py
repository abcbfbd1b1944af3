"""How Keras should compile a model on the machine at hand."""

from __future__ import annotations

import keras

__all__ = ["accelerator", "jit_compile"]


def accelerator() -> str | None:
    """Return "gpu" or "tpu" where the backend sees one, otherwise None."""
    # Asked for a kind of device it has no driver for, JAX raises; so ask for what there is.
    devices = keras.distribution.list_devices()
    for kind in ("tpu", "gpu"):
        if any(device.startswith(kind) for device in devices):
            return kind
    return None


def jit_compile() -> bool | str:
    """Return what `compile` should be told.

    XLA ruins depthwise convolutions on CPUs, so TensorFlow goes without it there; JAX
    has nothing else, and is slower still when it runs eagerly.
    """
    plain = accelerator() is None and keras.backend.backend() == "tensorflow"
    return False if plain else "auto"
