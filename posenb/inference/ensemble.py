"""Several models as one: the median of their poses, and how far they are from each other."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from posenb import storage
from posenb.core import FrameFormat, ModelDescription
from posenb.errors import AnalysisError, InvalidInputError
from posenb.inference.model import Model, find_model
from posenb.inference.runtimes import Choice, Crop, Predict
from posenb.inference.variants import Variants
from posenb.project import Run

__all__ = ["AnyModel", "Ensemble", "EnsemblePredict", "agree", "find_models"]

_PLAIN = Variants()


@dataclass(frozen=True)
class Ensemble:
    """Models that look at the same frames; for analysis it is one model.

    Parameters
    ----------
    members : tuple of Model
        Two or more, different, in the order of their digests: so the order in which they
        were named decides nothing. All compute with the same runtime and precision.

    Raises
    ------
    AnalysisError
        If their keypoints, or their order, or their individuals differ.
    """

    members: tuple[Model, ...]

    def __post_init__(self) -> None:
        """Check that they find the same."""
        first, *others = (member.description for member in self.members)
        for other in others:
            if (other.keypoints, other.individuals) != (first.keypoints, first.individuals):
                raise AnalysisError(
                    "The models of an ensemble find the same keypoints in the same order; "
                    f"{first.name!r} finds {', '.join(first.keypoints)} and {other.name!r} "
                    f"{', '.join(other.keypoints)}{_owners(first, other)}. Leave one of them out, "
                    "or train it again on the same project."
                )

    @property
    def urls(self) -> tuple[str, ...]:
        """Files of the members."""
        return tuple(url for member in self.members for url in member.urls)

    @property
    def choice(self) -> Choice:
        """What computes, and how exactly; the same for all."""
        return self.members[0].choice

    @property
    def variants(self) -> Variants:
        """In which forms each of them sees every frame."""
        return self.members[0].variants

    @property
    def accelerated(self) -> bool:
        """Whether they compute on a GPU or TPU."""
        return self.members[0].accelerated

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the digests of all members."""
        return hashlib.sha256("\n".join(each.digest for each in self.members).encode()).hexdigest()

    @property
    def name(self) -> str:
        """A name that changes with the members."""
        return f"ensemble_{len(self.members)}_{self.digest[:8]}"

    @property
    def project_url(self) -> str | None:
        """The project that all members belong to, if there is one."""
        projects = {member.project_url for member in self.members}
        return projects.pop() if len(projects) == 1 else None

    @property
    def identity(self) -> str:
        """All of the members that decides poses, as a text."""
        return f"median of {'; '.join(each.identity for each in self.members)}"

    @property
    def input_area(self) -> float:
        """Pixels that all members together see of a pixel of the source."""
        return sum(member.input_area for member in self.members)

    @cached_property
    def description(self) -> ModelDescription:
        """What they find; the rest is told by each member's own."""
        own = self.members[0].description
        return own.replace(name=self.name, body_length=None, provenance={})

    @property
    def numbers(self) -> int:
        """How many numbers there are of each keypoint: x, y, likelihood and spread."""
        return 4

    @property
    def story(self) -> dict[str, Any]:
        """What ``meta.json`` tells of them."""
        whole = {"run": None, "sha256": self.digest, "combined": "median, spread: RMS distance"}
        described = self.description.model_dump(mode="json")
        return {**whole, "description": described, "members": [each.story for each in self.members]}

    @property
    def software(self) -> Mapping[str, str]:
        """Versions of the packages that decide the poses, and what computed how exactly."""
        return self.members[0].software

    def predict(
        self, frames: FrameFormat, batch_size: int, crop: Crop | None = None
    ) -> EnsemblePredict:
        """Return the members compiled for raw frames of one format, as `Model.predict` does."""
        return EnsemblePredict([each.predict(frames, batch_size, crop) for each in self.members])

    def release(self) -> None:
        """Let go of what the members have compiled, and of the memory that it holds."""
        for each in self.members:
            each.release()


AnyModel = Model | Ensemble
"""What can analyze a video."""


class EnsemblePredict:
    """Poses out of those of several models, and their spread.

    Parameters
    ----------
    members : sequence of Predict
    """

    def __init__(self, members: Sequence[Predict]) -> None:
        self._members = tuple(members)
        self.workers = min(each.workers for each in members)

    def __call__(self, raw: np.ndarray, /) -> np.ndarray:
        """Return x, y, likelihood and spread, shape (B, K, 4)."""
        return agree(np.stack([predict(raw) for predict in self._members]))


def agree(poses: np.ndarray) -> np.ndarray:
    """Make one pose of those that several models found in the same frame.

    x, y and likelihood are each the median over the models, which one that is far off does
    not move (with two models it is their mean). The spread is the root mean square of the
    distances of all of them from that position: where the median hides who disagrees, this
    is what must show it, so it is not a robust measure such as the median distance, which
    stays small as long as most models agree.

    Parameters
    ----------
    poses : ndarray, shape (M, B, K, 3)
        x, y in pixels and likelihood, of M models.

    Returns
    -------
    ndarray, of the same dtype, shape (B, K, 4)
        x, y in pixels, likelihood and spread in pixels.
    """
    middle = np.median(poses, axis=0)
    squares = ((poses[..., :2] - middle[..., :2]) ** 2).sum(axis=-1)
    spread = np.sqrt(squares.mean(axis=0))
    return np.concatenate([middle, spread[..., None]], axis=-1).astype(poses.dtype)


def find_models(
    run: Run | storage.Url | Sequence[Run | storage.Url],
    *,
    runtime: str = "auto",
    precision: str = "auto",
    variants: Variants = _PLAIN,
) -> AnyModel:
    """Find the model that `run` means, or the ensemble of several.

    Parameters
    ----------
    run : Run, str, PathLike or sequence of them
        Each as `find_model` takes it; a sequence of one is that one.
    runtime, precision : str, optional
        As in `posenb.core.AnalyzeConfig`; what the first of them chooses holds for all.
    variants : Variants, optional
        In which forms each sees every frame.

    Raises
    ------
    InvalidInputError
        If there is none, or one is there twice.
    AnalysisError
        If their keypoints differ, or one of them cannot compute as the first does.
    """
    if isinstance(run, Run | str | os.PathLike):
        return find_model(run, runtime=runtime, precision=precision, variants=variants)
    if not run:
        raise InvalidInputError("Analysis needs a model; got an empty list. Name a run.")
    first, *rest = run
    leader = find_model(first, runtime=runtime, precision=precision, variants=variants)
    if not rest:
        return leader
    how = {"runtime": leader.choice.runtime, "precision": leader.choice.precision}
    members = [leader, *(find_model(each, variants=variants, **how) for each in rest)]
    by_digest = {member.digest: member for member in members}
    if len(by_digest) < len(members):
        raise InvalidInputError(
            "Each model of an ensemble counts once; the same one is there twice or more: "
            f"{', '.join(each.url for each in members)}. Name different runs."
        )
    return Ensemble(tuple(by_digest[digest] for digest in sorted(by_digest)))


def _owners(first: ModelDescription, other: ModelDescription) -> str:
    if first.individuals == other.individuals:
        return ""
    return f" (of the individuals {first.individuals} and {other.individuals})"
