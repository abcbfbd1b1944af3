"""Small made clips for the tests of frame extraction."""

import numpy as np


def walking(count=120, size=(96, 64), seed=0) -> np.ndarray:
    """Frames with a dark square that never stands where it stood before for long."""
    rng = np.random.default_rng(seed)
    width, height = size
    frames = np.full((count, height, width, 3), 190, np.uint8)
    place = np.array([height / 2, width / 2])
    for n in range(count):
        place = np.clip(place + rng.uniform(-9, 9, 2), 0, (height - 20, width - 20))
        y, x = place.astype(int)
        frames[n, y : y + 20, x : x + 20] = 30
    return frames
