"""The training loop: fit, validate, checkpoint, again."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from posenb._progress import Progress
from posenb.core import TrainConfig
from posenb.errors import TrainingError, TrainingStoppedError
from posenb.models import jit_compile
from posenb.training.batches import Batch, prefetch
from posenb.training.checkpoints import Checkpoint
from posenb.training.learner import Learner

__all__ = ["Outcome", "make_optimizer", "train_learner"]

_CLIP = 1.0
_FIRST_RATE = 0.05  # share of the peak rate at which warm-up starts


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What training came to.

    Parameters
    ----------
    weights : tuple of ndarray
        Network weights with the lowest validation error.
    history : tuple of dict
        One row a validation: step, seconds, loss, validation_error.
    """

    weights: tuple[np.ndarray, ...]
    history: tuple[dict[str, Any], ...]


def make_optimizer(config: TrainConfig) -> keras.optimizers.Optimizer:
    """Return AdamW with linear warm-up and cosine decay to zero."""
    warmup = round(config.warmup * config.steps)
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=config.learning_rate * _FIRST_RATE,
        decay_steps=max(1, config.steps - warmup),
        warmup_target=config.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    if not warmup:
        schedule.initial_learning_rate = config.learning_rate
    optimizer = keras.optimizers.AdamW(
        schedule, weight_decay=config.weight_decay, global_clipnorm=_CLIP
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


@dataclass(slots=True, eq=False)
class _Best:
    """The lowest validation error so far and the weights that had it."""

    error: float = math.inf
    weights: tuple[np.ndarray, ...] = ()
    since: int = 0

    def update(self, error: float, weights: Callable[[], tuple[np.ndarray, ...]]) -> None:
        # Without validation frames the error is NaN, and the latest weights are the best.
        if error < self.error or math.isnan(error):
            self.error, self.weights, self.since = error, weights(), 0
        else:
            self.since += 1


@dataclass(slots=True, eq=False)
class _Saver:
    """Keeps the time spent on checkpoints below a tenth of the whole."""

    keep: Callable[[Checkpoint], None]
    step: int
    cost: float = 0.0
    last: float = field(default_factory=time.monotonic)

    def due(self) -> bool:
        return time.monotonic() - self.last >= 9 * self.cost

    def save(self, checkpoint: Checkpoint) -> None:
        start = time.monotonic()
        self.keep(checkpoint)
        self.last = time.monotonic()
        self.cost = self.last - start
        self.step = checkpoint.step


def train_learner(
    learner: Learner,
    batch_at: Callable[[int], Batch],
    validate: Callable[[], float],
    config: TrainConfig,
    *,
    checkpoint: Checkpoint | None,
    save: Callable[[Checkpoint], None],
    tell: Callable[[Sequence[dict[str, Any]]], bool],
    progress: Progress,
) -> Outcome:
    """Train until the steps are done or validation stops improving.

    Parameters
    ----------
    learner : Learner
    batch_at : callable
        The batch of a step.
    validate : callable
        Mean error of the present weights on the validation frames, source pixels.
    config : TrainConfig
    checkpoint : Checkpoint or None
        Where to go on from.
    save : callable
        Keeps a checkpoint. It is called after validations, as often as a tenth of the
        time allows, and where training is asked to stop.
    tell : callable
        Receives the history so far, before the first step and after each validation,
        and returns whether to stop there.
    progress : Progress

    Returns
    -------
    Outcome

    Raises
    ------
    TrainingError
        If the loss is no longer a number, or the checkpoint is of another network.
    TrainingStoppedError
        If `tell` said so before the work was done; a checkpoint is written.
    """
    learner.compile(optimizer=make_optimizer(config), jit_compile=jit_compile())
    # In float16 Keras has wrapped the optimizer by now; its loss scale is state as well.
    learner.optimizer.build(learner.trainable_variables)
    variables = [*learner.variables, *learner.optimizer.variables]
    step, history, best = 0, [], _Best()
    if checkpoint is not None:
        _assign(variables, checkpoint.state)
        step, history = checkpoint.step, list(checkpoint.history)
        best = _best_of(history, checkpoint.best)
    seconds = history[-1]["seconds"] if history else 0.0
    saver = _Saver(save, step)
    with progress(config.steps, "Training", "step", step) as bar:
        while step < config.steps and best.since < config.patience:
            if tell(history):
                if step > saver.step:
                    saver.save(_checkpoint(step, variables, best, history))
                raise TrainingStoppedError(
                    f"Stopped after {step} of {config.steps} steps, as was asked for. Train again "
                    "under the same name, and it goes on from there."
                )
            start = time.monotonic()
            stop = min(step + config.validate_every, config.steps)
            loss = _fit(learner, batch_at, step, stop, on_step=_Advance(bar, config, history))
            error = validate()
            step, seconds = stop, seconds + time.monotonic() - start
            row = {"step": step, "seconds": round(seconds, 2)}
            history.append({**row, "loss": loss, "validation_error": error})
            best.update(error, lambda: _values(learner.network.weights))
            if saver.due():
                saver.save(_checkpoint(step, variables, best, history))
    return Outcome(best.weights or _values(learner.network.weights), tuple(history))


class _Advance(keras.callbacks.Callback):
    """Moves the bar by one a step and shows the latest figures beside it."""

    def __init__(self, bar: Any, config: TrainConfig, history: Sequence[dict[str, Any]]) -> None:
        super().__init__()
        self._bar = bar
        self._batch_size = config.batch_size
        self._history = history
        self._start = time.monotonic()
        self._steps = 0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Advance the bar."""
        self._steps += 1
        rate = self._steps * self._batch_size / (time.monotonic() - self._start)
        figures = {"frames/s": f"{rate:.0f}"}
        if self._history:
            figures["loss"] = f"{self._history[-1]['loss']:.4f}"
            error = self._history[-1]["validation_error"]
            if not math.isnan(error):  # there are validation frames
                figures["validation"] = f"{error:.2f} px"
        self._bar.advance(1, **figures)


def _fit(
    learner: Learner,
    batch_at: Callable[[int], Batch],
    start: int,
    stop: int,
    on_step: keras.callbacks.Callback,
) -> float:
    result = learner.fit(
        prefetch(batch_at, start, stop),
        steps_per_epoch=stop - start,
        verbose=0,
        shuffle=False,
        callbacks=[on_step],
    )
    loss = float(result.history["loss"][0])
    if not math.isfinite(loss):
        raise TrainingError(
            f"The loss must stay a number; by step {stop} it is {loss}. Lower learning_rate, or "
            "set mixed_precision=False."
        )
    return loss


def _checkpoint(
    step: int, variables: Sequence[Any], best: _Best, history: Sequence[dict[str, Any]]
) -> Checkpoint:
    return Checkpoint(step, _values(variables), best.weights, tuple(history))


def _best_of(history: list[dict[str, Any]], weights: tuple[np.ndarray, ...]) -> _Best:
    best = _Best()
    for row in history:
        best.update(row["validation_error"], lambda: weights)
    return best


def _values(variables: Sequence[Any]) -> tuple[np.ndarray, ...]:
    return tuple(keras.ops.convert_to_numpy(variable) for variable in variables)


def _assign(variables: Sequence[Any], values: Sequence[np.ndarray]) -> None:
    shapes = [tuple(v.shape) for v in variables]
    if shapes != [v.shape for v in values]:
        raise TrainingError(
            "A checkpoint goes on with the network it was made of; this one is of another network "
            "or another version of Keras. Give the run another name, or delete its checkpoint.npz."
        )
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
