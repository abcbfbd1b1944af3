"""Targets and losses, built from keypoints inside the compiled function."""

from __future__ import annotations

from typing import Any

from keras import ops

from posenb.models.layers import OFFSET_SCALE

__all__ = ["cell_centres", "pose_loss", "scoremap_targets"]

_OFFSET_WEIGHT = 0.5
_EARLY_WEIGHT = 0.25


def cell_centres(height: int, width: int, stride: int) -> Any:
    """Return the pixel positions of map cells, shape (height, width, 2), x before y."""
    x = ops.arange(width, dtype="float32") * stride + (stride - 1) / 2
    y = ops.arange(height, dtype="float32") * stride + (stride - 1) / 2
    return ops.stack(ops.meshgrid(x, y, indexing="xy"), axis=-1)


def scoremap_targets(keypoints: Any, present: Any, centres: Any, radius: float) -> tuple[Any, Any]:
    """Build the scoremaps and offsets that a perfect network would return.

    A Gaussian of standard deviation ``2/3 radius`` stands on every keypoint (the form
    DeepLabCut uses); offsets point from each cell to the keypoint.

    Parameters
    ----------
    keypoints : tensor, shape (B, K, 2)
        x, y in pixels; any finite number where absent.
    present : tensor, shape (B, K)
        1 where the keypoint is in the image, otherwise 0.
    centres : tensor, shape (h, w, 2)
        From `cell_centres`.
    radius : float
        Reach of a keypoint, pixels.

    Returns
    -------
    scores : tensor, shape (B, h, w, K)
        0 to 1.
    offsets : tensor, shape (B, h, w, K, 2)
        In units of `OFFSET_SCALE` pixels.
    """
    difference = keypoints[:, None, None] - centres[None, :, :, None]
    squared = ops.sum(ops.square(difference), axis=-1)
    sigma = 2 / 3 * radius
    scores = ops.exp(-squared / (2 * sigma**2)) * present[:, None, None]
    return scores, difference / OFFSET_SCALE


def pose_loss(
    maps: dict[str, Any],
    keypoints: Any,
    present: Any,
    stride: int,
    radius: float,
    known: Any | None = None,
) -> Any:
    """Score predicted maps against keypoints.

    Cross-entropy of the scoremaps plus a Huber loss of the offsets within `radius` of
    a keypoint, each averaged over the cells that count (after Insafutdinov et al.
    2016 and Mathis et al. 2018), plus the cross-entropy of the early scoremaps where
    there are any.

    Parameters
    ----------
    maps : dict of tensor
        Output of the network for images of the size that `stride` implies.
    keypoints : tensor, shape (B, K, 2)
        Pixels of those images.
    present : tensor, shape (B, K)
        1 where the keypoint is in the image, otherwise 0.
    stride : int
        Pixels per cell of ``logits`` and ``offsets``.
    radius : float
        Reach of a keypoint, pixels.
    known : tensor, shape (B, K), optional
        0 where nobody said whether the keypoint is in the image, so that its scoremap does not
        count; otherwise 1. By default all are known.

    Returns
    -------
    tensor, shape ()
    """
    logits, offsets = maps["logits"], maps["offsets"]
    _, height, width, count = logits.shape
    centres = cell_centres(height, width, stride)
    scores, displacement = scoremap_targets(keypoints, present, centres, radius)
    loss = _cross_entropy(logits, scores, known)
    near = ops.cast(scores > ops.exp(-9 / 8), "float32")
    error = ops.abs(ops.reshape(offsets, (-1, height, width, count, 2)) - displacement)
    huber = ops.where(error < 1, 0.5 * ops.square(error), error - 0.5)
    cells = ops.sum(near) + 1.0
    loss += _OFFSET_WEIGHT * ops.sum(huber * near[..., None]) / cells
    if "early_logits" in maps:
        early = maps["early_logits"]
        coarse = stride * (height // early.shape[1])
        centres = cell_centres(early.shape[1], early.shape[2], coarse)
        reach = max(radius, coarse)
        scores, _ = scoremap_targets(keypoints, present, centres, reach)
        loss += _EARLY_WEIGHT * _cross_entropy(early, scores, known)
    return loss


def _cross_entropy(logits: Any, scores: Any, known: Any | None) -> Any:
    """Return the cross-entropy above the targets' own entropy, per unit of target."""
    cross = ops.softplus(logits) - logits * scores
    safe = ops.clip(scores, 1e-7, 1 - 1e-7)
    entropy = -scores * ops.log(safe) - (1 - scores) * ops.log(1 - safe)
    above = cross - entropy
    if known is not None:
        above = above * known[:, None, None]
    return ops.sum(above) / (ops.sum(scores) + 1.0)
