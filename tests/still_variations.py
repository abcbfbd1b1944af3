"""The variation that varies nothing, from which the tests of two rooms start."""

import numpy as np

from posenb.augmentation import Variation
from posenb.augmentation.variation import PATCHES


def still_variation(sizes: np.ndarray) -> Variation:
    """Show frames as they are, windows lying at the origin."""
    count = len(sizes)
    zero = np.zeros(count, np.float32)
    matrix = np.tile(np.eye(2, 3, dtype=np.float32), (count, 1, 1))
    patches = np.zeros((count, PATCHES, 5), np.float32)
    return Variation(matrix, zero, zero + 1, zero, zero, zero, patches)
