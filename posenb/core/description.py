"""What a trained model is, apart from its weights: it travels inside the model file."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from posenb.core.configs import Config, TrainConfig
from posenb.core.skeleton import Skeleton

__all__ = ["ModelDescription"]


class ModelDescription(Config):
    """Facts of a trained model.

    Attributes
    ----------
    name : str
        Name of the run or zoo model; becomes the scorer of the poses it makes.
    keypoints : tuple of str
    edges : tuple of (int, int)
    individuals : tuple of str
    scale : float
        Network input pixels per source pixel.
    body_length : float or None
        Median diagonal of the labelled animals, source pixels.
    config : TrainConfig
    mirrored : bool or None
        Whether training showed it mirrored animals; None where nobody kept it.
    provenance : dict
        Versions, digest of the labels, where the weights came from.
    """

    name: str
    keypoints: tuple[str, ...]
    edges: tuple[tuple[int, int], ...] = ()
    individuals: tuple[str, ...] = ("",)
    scale: float
    body_length: float | None = None
    config: TrainConfig
    mirrored: bool | None = None
    provenance: dict[str, Any] = Field(default_factory=dict)

    @property
    def knows_mirrored(self) -> bool:
        """Whether poses of a mirrored frame can be trusted and brought back."""
        return self.mirrored is not False and not self.skeleton.unpaired_sides()

    @property
    def skeleton(self) -> Skeleton:
        """Keypoints and edges as a `Skeleton`."""
        return Skeleton(self.keypoints, self.edges)
