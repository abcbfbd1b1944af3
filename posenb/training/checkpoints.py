"""The whole state of a training as one file: arrays and a few numbers, never code."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from posenb import storage
from posenb.errors import TrainingError

__all__ = ["Checkpoint", "read_checkpoint", "write_checkpoint"]


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """Everything from which training goes on as if it had never stopped.

    Parameters
    ----------
    step : int
        Steps done.
    state : tuple of ndarray
        Variables of learner and optimizer, in their order.
    best : tuple of ndarray
        Network weights with the lowest validation error so far.
    history : tuple of dict
        One row a validation.
    """

    step: int
    state: tuple[np.ndarray, ...]
    best: tuple[np.ndarray, ...]
    history: tuple[dict[str, Any], ...]


def write_checkpoint(url: storage.Url, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, whole or not at all."""
    facts = {"step": checkpoint.step, "history": checkpoint.history}
    arrays: dict[str, Any] = {f"state_{i}": array for i, array in enumerate(checkpoint.state)}
    arrays |= {f"best_{i}": array for i, array in enumerate(checkpoint.best)}
    buffer = io.BytesIO()
    np.savez(buffer, facts=np.array(json.dumps(facts)), **arrays)
    storage.write_bytes(url, buffer.getvalue())


def read_checkpoint(url: storage.Url) -> Checkpoint | None:
    """Read a checkpoint; None where there is none.

    Raises
    ------
    TrainingError
        If the file is damaged.
    """
    if not storage.exists(url):
        return None
    try:
        arrays = storage.unpack_arrays(storage.read_bytes(url))
        facts = json.loads(str(arrays["facts"]))
        return Checkpoint(
            facts["step"],
            _numbered(arrays, "state"),
            _numbered(arrays, "best"),
            tuple(facts["history"]),
        )
    except (ValueError, KeyError) as error:
        raise TrainingError(
            f"A checkpoint holds the state of a training; {url} is damaged ({error}). Delete it to "
            "train this run from its beginning."
        ) from error


def _numbered(arrays: dict[str, np.ndarray], prefix: str) -> tuple[np.ndarray, ...]:
    count = sum(name.startswith(f"{prefix}_") for name in arrays)
    return tuple(arrays[f"{prefix}_{i}"] for i in range(count))
