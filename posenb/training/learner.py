"""The compiled training step: raw frames and keypoints in, loss out."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from posenb.augmentation import Variation
from posenb.augmentation.layers import VaryFrames, vary_keypoints
from posenb.core import Skeleton, TrainConfig
from posenb.models import build_normalise, pose_loss

__all__ = ["Learner", "mirror_order"]


def mirror_order(skeleton: Skeleton) -> list[int]:
    """Return which keypoint stands in each channel of a mirrored image."""
    order = list(range(len(skeleton)))
    for a, b in skeleton.mirror_pairs():
        order[a], order[b] = b, a
    return order


class Learner(keras.Model):
    """Network and everything that happens around it in a training step.

    Cutting, varying and normalising the windows, building targets and scoring the maps
    all run in the compiled step, so that the host only copies bytes.

    Parameters
    ----------
    network : keras.Model
        What `posenb.models.build_network` returned.
    config : TrainConfig
    skeleton : Skeleton
    window : int
        Side of the training windows, pixels.
    radius : float
        Reach of a keypoint's target, pixels.
    """

    def __init__(
        self,
        network: keras.Model,
        config: TrainConfig,
        skeleton: Skeleton,
        *,
        window: int,
        radius: float,
    ) -> None:
        # Cast to half precision on the way in, keypoints would be pixels off.
        super().__init__(name="learner", autocast=False)
        self.network = network
        self.vary = VaryFrames(window, seed=config.seed, name="vary")
        self.normalise = build_normalise(config.model)
        self._window = window
        self._order = mirror_order(skeleton)
        self._stride = config.model.stride
        self._radius = radius
        self._all_known = config.unlabelled == "absent"

    def call(self, batch: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Return the network's maps and the keypoints they should show.

        Where a keypoint without a label is not known, ``known`` tells of which ones it is.

        `batch` holds ``frames`` (B, H, W, 3) uint8, ``sizes`` (B, 2), ``keypoints``
        (B, K, 2), ``present`` (B, K) and the fields of `Variation`.
        """
        variation = Variation(*(batch[name] for name in Variation._fields))
        windows = self.vary(batch["frames"], batch["sizes"], variation)
        maps = self.network(self.normalise(windows), training=training)
        keypoints, present = vary_keypoints(
            batch["keypoints"],
            batch["present"],
            variation.matrix,
            variation.mirrored,
            self._order,
            self._window,
        )
        shown = {**maps, "keypoints": keypoints, "present": present}
        if self._all_known:
            return shown
        # One that was labelled and lies outside of the window is known not to be in it.
        labelled, mirrored = batch["present"], variation.mirrored[:, None] > 0.5
        known = ops.where(mirrored, ops.take(labelled, self._order, axis=1), labelled)
        return {**shown, "known": known}

    def compute_loss(
        self,
        x: Any,  # noqa: ARG002 - Keras decides the signature
        y: Any,  # noqa: ARG002
        y_pred: dict[str, Any],
        *_: Any,
        **__: Any,
    ) -> Any:
        """Score the maps against the keypoints of the same windows."""
        maps = {k: ops.cast(v, "float32") for k, v in y_pred.items()}
        keypoints, present = maps.pop("keypoints"), maps.pop("present")
        known = maps.pop("known", None)
        return pose_loss(maps, keypoints, present, self._stride, self._radius, known)
