"""Which machines get XLA."""

from __future__ import annotations

import keras
import pytest

from posenb.models import accelerator, jit_compile


@pytest.mark.parametrize(
    ("backend", "devices", "jit"),
    [
        ("tensorflow", ["cpu:0"], False),
        ("tensorflow", ["gpu:0"], "auto"),
        ("jax", ["cpu:0"], "auto"),  # without jit, JAX runs one operation after the other
        ("jax", ["tpu:0", "tpu:1"], "auto"),
    ],
)
def test_tensorflow_on_a_cpu_alone_is_kept_from_xla(
    monkeypatch: pytest.MonkeyPatch, backend: str, devices: list[str], jit: bool | str
) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: devices)
    assert jit_compile() == jit


@pytest.mark.parametrize(
    ("devices", "kind"),
    [(["cpu:0"], None), (["gpu:0", "gpu:1"], "gpu"), (["tpu:0"], "tpu")],
)
def test_an_accelerator_is_a_gpu_or_a_tpu(
    monkeypatch: pytest.MonkeyPatch, devices: list[str], kind: str | None
) -> None:
    def list_devices(wanted: str | None = None) -> list[str]:
        if wanted is not None:  # JAX refuses to be asked for a kind that it has no driver for
            raise RuntimeError(f"Unknown backend {wanted}")
        return devices

    monkeypatch.setattr(keras.distribution, "list_devices", list_devices)
    assert accelerator() == kind
