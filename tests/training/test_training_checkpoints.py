"""The state of a training as one file."""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
import pytest

from posenb import storage
from posenb.errors import TrainingError
from posenb.training.checkpoints import Checkpoint, read_checkpoint, write_checkpoint

STATE = (
    np.arange(6, dtype=np.float32).reshape(2, 3),
    np.array(7, np.int32),
    np.array([1, 2], np.uint32),
    np.zeros((0, 4), np.float32),
)
# More than ten, so that names sorted as text would come in another order.
BEST = tuple(np.full((2,), i, np.float32) for i in range(12))
HISTORY = (
    {"step": 50, "seconds": 1.25, "loss": 0.1 + 0.2, "validation_error": 3.5},
    {"step": 100, "seconds": 2.5, "loss": 1e-17, "validation_error": math.nan},
)


@pytest.fixture(params=["local", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "local":
        return str(tmp_path / "run" / "checkpoint.npz")
    return f"memory://checkpoints/{tmp_path.name}/checkpoint.npz"


def test_a_checkpoint_comes_back_bit_by_bit(url: str) -> None:
    write_checkpoint(url, Checkpoint(100, STATE, BEST, HISTORY))
    found = read_checkpoint(url)
    assert found is not None
    assert found.step == 100
    for wanted, got in ((STATE, found.state), (BEST, found.best)):
        assert len(wanted) == len(got)
        for one, other in zip(wanted, got, strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)
    assert found.history[0] == HISTORY[0]
    assert math.isnan(found.history[1]["validation_error"])


def test_no_checkpoint_is_none(url: str) -> None:
    assert read_checkpoint(url) is None


def test_a_later_checkpoint_replaces_the_earlier_one(url: str) -> None:
    write_checkpoint(url, Checkpoint(1, STATE, BEST, ()))
    write_checkpoint(url, Checkpoint(2, STATE[:1], (), ()))
    found = read_checkpoint(url)
    assert found is not None
    assert (found.step, len(found.state), found.best) == (2, 1, ())


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.99])
def test_a_truncated_checkpoint_is_named_with_what_to_do(url: str, share: float) -> None:
    write_checkpoint(url, Checkpoint(100, STATE, BEST, HISTORY))
    whole = storage.read_bytes(url)
    storage.write_bytes(url, whole[: int(share * len(whole))])
    with pytest.raises(TrainingError, match=r"checkpoint\.npz is damaged .*Delete it"):
        read_checkpoint(url)


def test_flipped_bytes_are_noticed(url: str) -> None:
    write_checkpoint(url, Checkpoint(100, STATE, BEST, HISTORY))
    whole = bytearray(storage.read_bytes(url))
    place = bytes(whole).index(STATE[0].tobytes())
    whole[place] ^= 0xFF
    storage.write_bytes(url, bytes(whole))
    with pytest.raises(TrainingError, match="damaged"):
        read_checkpoint(url)


def test_a_foreign_file_is_no_checkpoint(url: str) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, weights=np.zeros(3))
    storage.write_bytes(url, buffer.getvalue())
    with pytest.raises(TrainingError, match="damaged"):
        read_checkpoint(url)


class _Bomb:
    def __reduce__(self) -> tuple[object, ...]:
        return (_explode, ())


def _explode() -> None:
    raise AssertionError("pickled code was run")


def test_pickled_code_is_never_run(url: str) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, facts=np.array('{"step": 1, "history": []}'), state_0=np.array([_Bomb()]))
    storage.write_bytes(url, buffer.getvalue())
    with pytest.raises(TrainingError, match="damaged"):
        read_checkpoint(url)
    storage.write_bytes(url, b"\x80\x04cos\nsystem\n.")
    with pytest.raises(TrainingError, match="damaged"):
        read_checkpoint(url)
