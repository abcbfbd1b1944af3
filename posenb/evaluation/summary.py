"""What the distances come to: one row a keypoint and one for all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from posenb.errors import InvalidInputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ALL", "check_limits", "pck_column", "summarise"]

ALL = "all"
"""Name of the last row, over all keypoints together."""


def summarise(
    errors: np.ndarray,
    likelihoods: np.ndarray,
    keypoints: Sequence[str],
    *,
    cutoff: float = 0.6,
    pck: Sequence[float] = (5.0, 10.0),
) -> pd.DataFrame:
    """Summarise distances for each keypoint and for all of them.

    Parameters
    ----------
    errors : ndarray, shape (N, I, K)
        Pixels, from `pixel_errors`: NaN where nothing is labelled, infinite where
        nothing was found.
    likelihoods : ndarray, shape (N, I, K)
        0 to 1; NaN counts as not confident.
    keypoints : sequence of str
        The K names.
    cutoff : float, optional
        Predictions with this likelihood or more count as confident.
    pck : sequence of float, optional
        Distances in pixels within which a keypoint counts as correct.

    Returns
    -------
    DataFrame
        One row a keypoint, in order, and last the row "all", which pools the
        labelled keypoints (so that one labelled more often weighs more). Figures
        of which there is nothing to take are NaN. Columns:

        keypoint
            Its name.
        count
            Labelled keypoints.
        missed
            Those of them for which nothing was found. They count in the shares and in
            PCK, and are left out of the distances, which have no value for them.
        mean, median, p95
            Mean, median and 95th percentile of the Euclidean distances, pixels. The
            mean is what DeepLabCut calls "RMSE".
        rmse
            Root of the mean squared Euclidean distance, pixels.
        mean_confident, median_confident, rmse_confident
            The same three of the confident predictions alone, pixels. Read them with
            `share_confident`: leaving out the difficult ones makes any figure better.
        share_confident
            Share of the labelled keypoints with a confident prediction, 0 to 1.
        false_confident
            Share of the keypoints without a label that have a confident prediction
            nevertheless, 0 to 1: false alarms, if whoever labelled left out only what
            could not be seen.
        pck_<d>
            Share of the labelled keypoints found within d pixels (the percentage of
            correct keypoints, as a share), 0 to 1.

    Raises
    ------
    InvalidInputError
        If shapes disagree, or a distance or the cut-off is out of range.
    """
    import pandas as pd

    errors, likelihoods = np.asarray(errors, np.float64), np.asarray(likelihoods, np.float64)
    names = tuple(keypoints)
    if errors.shape != likelihoods.shape or errors.ndim != 3 or errors.shape[2] != len(names):
        raise InvalidInputError(
            "Errors and likelihoods both have the shape (frames, individuals, keypoints), here "
            f"with {len(names)} keypoints; got {errors.shape} and {likelihoods.shape}."
        )
    check_limits(cutoff, pck)
    rows = [
        {"keypoint": name, **_figures(errors[..., k], likelihoods[..., k], cutoff, pck)}
        for k, name in enumerate(names)
    ]
    return pd.DataFrame([*rows, {"keypoint": ALL, **_figures(errors, likelihoods, cutoff, pck)}])


def pck_column(distance: float) -> str:
    """Return the name of the column for keypoints found within `distance` pixels."""
    return f"pck_{distance:g}"


def check_limits(cutoff: float, pck: Sequence[float]) -> None:
    """Check a likelihood cut-off and distances as `summarise` takes them.

    Raises
    ------
    InvalidInputError
        If one is out of range, or distances repeat.
    """
    if not 0 <= cutoff <= 1:
        raise InvalidInputError(
            f"The likelihood cut-off lies between 0 and 1; got {cutoff}. DeepLabCut's is 0.6."
        )
    columns = [pck_column(distance) for distance in pck]
    if not all(np.isfinite(each) and each > 0 for each in pck) or len(set(columns)) < len(columns):
        raise InvalidInputError(
            f"PCK needs different distances above 0 pixels; got {tuple(pck)}. Give for example "
            "(5, 10)."
        )


def _figures(
    errors: np.ndarray, likelihoods: np.ndarray, cutoff: float, pck: Sequence[float]
) -> dict[str, float]:
    labelled = ~np.isnan(errors)
    found = np.isfinite(errors)
    confident = likelihoods >= cutoff
    distances, sure = errors[found], errors[found & confident]
    return {
        "count": int(labelled.sum()),
        "missed": int((labelled & ~found).sum()),
        "mean": _mean(distances),
        "median": _median(distances),
        "p95": float(np.percentile(distances, 95)) if distances.size else np.nan,
        "rmse": float(np.sqrt(_mean(distances**2))),
        "mean_confident": _mean(sure),
        "median_confident": _median(sure),
        "rmse_confident": float(np.sqrt(_mean(sure**2))),
        "share_confident": _mean(confident[labelled]),
        "false_confident": _mean(confident[~labelled]),
        **{pck_column(distance): _mean(errors[labelled] <= distance) for distance in pck},
    }


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else np.nan


def _median(values: np.ndarray) -> float:
    return float(np.median(values)) if values.size else np.nan
