"""What the machine offers, and a random state that is left as it was."""

from __future__ import annotations

import random
from contextlib import nullcontext

import keras
import pytest

from posenb.errors import TrainingWarning
from posenb.training import device
from posenb.training.device import (
    data_parallel,
    policy,
    precision,
    seeded,
)


@pytest.fixture
def having(monkeypatch: pytest.MonkeyPatch) -> object:
    """Pretend to have devices; asking for a kind that is absent fails, as it does on JAX."""

    def have(*devices: str) -> None:
        def list_devices(kind: str | None = None) -> list[str]:
            found = [name for name in devices if kind is None or name.startswith(kind)]
            if not found:
                raise RuntimeError(f"Unknown backend {kind}")
            return found

        monkeypatch.setattr(keras.distribution, "list_devices", list_devices)

    return have


@pytest.mark.parametrize(
    ("wanted", "devices", "name"),
    [
        ("auto", "cpu:0", "float32"),
        ("auto", "gpu:0", "mixed_float16"),
        ("auto", "tpu:0", "mixed_bfloat16"),
        (False, "gpu:0", "float32"),
        (False, "tpu:0", "float32"),
        (True, "cpu:0", "mixed_bfloat16"),
        (True, "gpu:0", "mixed_float16"),
    ],
)
def test_precision_suits_the_device(
    having: object, wanted: bool | str, devices: str, name: str
) -> None:
    having(devices)  # type: ignore[operator]
    assert precision(wanted) == name


def test_a_policy_ends_with_its_block_even_after_an_error() -> None:
    before = keras.config.dtype_policy().name
    seen: list[str] = []

    def fail() -> None:
        with policy("mixed_bfloat16"):
            seen.append(keras.config.dtype_policy().name)
            raise OSError("stop")

    with pytest.raises(OSError, match="stop"):
        fail()
    assert seen == ["mixed_bfloat16"]
    assert keras.config.dtype_policy().name == before


def test_initial_weights_are_decided_by_the_seed_alone() -> None:
    def first_weights(seed: int) -> float:
        with seeded(seed):
            layer = keras.layers.Dense(1)
            layer.build((None, 1))
        return float(layer.kernel.numpy()[0, 0])

    assert first_weights(3) == first_weights(3) != first_weights(4)


def test_seeding_leaves_the_users_random_numbers_as_they_were() -> None:
    random.seed(1)
    wanted = random.random()
    random.seed(1)
    with seeded(7):
        random.random()
    assert random.random() == wanted


def test_a_batch_that_cannot_be_divided_stays_on_one_device(
    having: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device.keras.backend, "backend", lambda: "jax")
    having("gpu:0", "gpu:1", "gpu:2")  # type: ignore[operator]
    with pytest.warns(TrainingWarning, match="1 of 3 devices .* multiple of 3 uses all"):
        assert isinstance(data_parallel(8), nullcontext)
    having("gpu:0")  # type: ignore[operator]
    assert isinstance(data_parallel(8), nullcontext)


@pytest.mark.parametrize(("batch", "used"), [(4, 4), (6, 2), (8, 8), (16, 8)])
def test_as_many_devices_share_a_batch_as_divide_it(
    having: object, monkeypatch: pytest.MonkeyPatch, batch: int, used: int
) -> None:
    shared: list[list[str]] = []

    class Parallel:
        def __init__(self, devices: list[str], **_: object) -> None:
            shared.append(devices)

        def scope(self) -> nullcontext[None]:
            return nullcontext()

    monkeypatch.setattr(device.keras.backend, "backend", lambda: "jax")
    monkeypatch.setattr(device.keras.distribution, "DataParallel", Parallel)
    having(*(f"tpu:{n}" for n in range(8)))  # type: ignore[operator]
    idle = pytest.warns(TrainingWarning, match=f"{used} of 8") if used < 8 else nullcontext()
    with idle:
        data_parallel(batch)
    assert shared == [[f"tpu:{n}" for n in range(used)]]


def test_tensorflow_is_never_distributed_and_says_so(
    having: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device.keras.backend, "backend", lambda: "tensorflow")
    having("gpu:0", "gpu:1")  # type: ignore[operator]
    with pytest.warns(TrainingWarning, match="1 of 2 devices .*KERAS_BACKEND=jax"):
        assert isinstance(data_parallel(8), nullcontext)


def test_one_gpu_beside_the_processor_is_all_there_is(
    having: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device.keras.backend, "backend", lambda: "tensorflow")
    having("cpu:0", "gpu:0")  # type: ignore[operator]
    assert isinstance(data_parallel(8), nullcontext)
