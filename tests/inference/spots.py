"""A model that follows the brightest spot, and clips with one."""

from pathlib import Path

import numpy as np

from posenb.core import ModelConfig, ModelDescription, TrainConfig
from posenb.video import write_video

WIDTH, HEIGHT, COUNT = 96, 64, 40
SPOT = 4  # side of the spot, as large as a cell of the model's maps


def spot_at(number: int) -> tuple[float, float]:
    """Centre of the spot in a frame, pixels."""
    column, row = 2 + number % 20, 3 + number % 10
    return column * SPOT + (SPOT - 1) / 2, row * SPOT + (SPOT - 1) / 2


def spot_picture(number: int) -> np.ndarray:
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    x, y = (int(value - (SPOT - 1) / 2) for value in spot_at(number))
    picture[y : y + SPOT, x : x + SPOT] = 255
    return picture


def spots(count: int = COUNT) -> np.ndarray:
    """True centres, shape (count, 2)."""
    return np.array([spot_at(number) for number in range(count)])


def write_spots(path: Path, count: int = COUNT) -> Path:
    write_video(path, (spot_picture(number) for number in range(count)), fps=25)
    return path


def save_spot_model(path: Path, gain: float = 20.0, individuals: tuple[str, ...] = ("",)) -> Path:
    """Save a predictor whose likeliest place is the brightest cell, for two keypoints alike."""
    import keras

    from posenb.models import build_predictor, save_predictor

    image = keras.Input((None, None, 3))
    cells = {"kernel_size": SPOT, "strides": SPOT, "use_bias": False}
    brightness = keras.initializers.Constant(gain / (3 * SPOT**2))
    outputs = {
        "logits": keras.layers.Conv2D(2, kernel_initializer=brightness, **cells)(image),
        "offsets": keras.layers.Conv2D(4, kernel_initializer="zeros", **cells)(image),
    }
    config = TrainConfig(model=ModelConfig(weights=None))
    description = ModelDescription(
        name="spot",
        keypoints=("snout", "tail"),
        edges=((0, 1),),
        individuals=individuals,
        scale=1.0,
        config=config,
        provenance={"labels": "none"},
    )
    predictor = build_predictor(keras.Model(image, outputs), config.model, 1.0)
    save_predictor(path, predictor, description)
    return path
