"""Where a keypoint will be: an alpha-beta filter, carried on at constant velocity."""

from __future__ import annotations

import math

import numpy as np

__all__ = ["Forecaster", "matching_beta"]


def matching_beta(alpha: float) -> float:
    """Return the gain of velocity that goes with a gain of position.

    With theta = sqrt(1 - alpha) it is (1 - theta)^2: the filter then fits a straight line
    to the past, the weights of which fade by theta from frame to frame, and does not swing.

    References
    ----------
    E. Brookner (1998), Tracking and Kalman Filtering Made Easy, section 1.2.6 (critically
    damped g-h filter).
    """
    return (1 - math.sqrt(1 - alpha)) ** 2


class Forecaster:
    """Follows each keypoint with position x and velocity v of its own.

    A sighting z after a time dt moves both by what it surprises::

        r = z - (x + v dt)
        x = x + v dt + alpha r
        v = v + beta r / dt

    and the forecast for a time t after the sighting is x + v t. A keypoint begins with
    the velocity 0, and again after each frame in which it was not seen.

    Parameters
    ----------
    keypoints : int
        K.
    alpha : float
        Above 0 to 1; with 1, positions are taken as they are.
    """

    def __init__(self, keypoints: int, alpha: float) -> None:
        self._alpha, self._beta = alpha, matching_beta(alpha)
        self._positions = np.full((keypoints, 2), np.nan)
        self._velocities = np.zeros((keypoints, 2))
        self._time = math.nan

    def update(self, time: float, positions: np.ndarray, sure: np.ndarray) -> None:
        """Take in what was seen.

        Parameters
        ----------
        time : float
            Seconds, later than that of the last call.
        positions : ndarray, shape (K, 2)
            x, y in pixels.
        sure : ndarray of bool, shape (K,)
            Which keypoints count as seen.
        """
        elapsed = time - self._time
        goes_on = sure & ~np.isnan(self._positions[:, 0]) & (elapsed > 0)
        expected = self._positions + self._velocities * elapsed
        surprise = positions - expected
        on = goes_on[:, None]
        moved = np.where(on, expected + self._alpha * surprise, positions)
        turned = self._velocities + self._beta * surprise / (elapsed if elapsed > 0 else 1.0)
        self._positions = np.where(sure[:, None], moved, np.nan)
        self._velocities = np.where(on, turned, 0.0)
        self._time = time

    def at(self, time: float) -> np.ndarray:
        """Return where the keypoints are expected, shape (K, 2); NaN for those not seen.

        Parameters
        ----------
        time : float
            Seconds, on the same clock as in `update`.
        """
        return self._positions + self._velocities * (time - self._time)
