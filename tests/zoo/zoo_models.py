"""A model that follows the brightest spot as a run, and what a card of it needs."""

from pathlib import Path

import numpy as np
from PIL import Image

from posenb import storage
from posenb.core import FrameName, Labels, ModelConfig, ModelDescription, Split, TrainConfig
from posenb.labels import write_split
from posenb.project import Run, create_project
from posenb.video import write_video

WIDTH, HEIGHT, COUNT = 96, 64, 24
SPOT = 4  # side of the spot, as large as a cell of the model's maps
ASIDE = 0.03  # how far the last keypoint is from the others, in the network's unit of 7.28 pixels
KEYPOINTS, EDGES = ("snout", "ear", "tail"), ((0, 1), (1, 2))

FACTS = {
    "title": "A bright spot",
    "species": "spot (Macula lucens)",
    "view": "from above",
    "licence": "CC0-1.0",
    "data": [{"name": "spots", "licence": "CC0-1.0", "citation": "Nobody (2026)."}],
    "limits": ["It knows one spot."],
    "held_out": "One frame.",
}


def spot_at(number: int) -> tuple[float, float]:
    """Centre of the spot in a frame, pixels."""
    column, row = 2 + number % 20, 3 + number % 10
    return column * SPOT + (SPOT - 1) / 2, row * SPOT + (SPOT - 1) / 2


def spot_picture(number: int) -> np.ndarray:
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    x, y = (int(value - (SPOT - 1) / 2) for value in spot_at(number))
    picture[y : y + SPOT, x : x + SPOT] = 255
    return picture


def write_spots(path: Path, count: int = COUNT) -> Path:
    write_video(path, (spot_picture(number) for number in range(count)), fps=25)
    return path


def spot_network(config: object = None, keypoints: int = len(KEYPOINTS), weights: object = None):
    """Return a network whose likeliest cell is the brightest one, for all keypoints."""
    import keras

    image = keras.Input((None, None, 3), name="image")
    cells = {"kernel_size": SPOT, "strides": SPOT, "use_bias": True}
    brightness = keras.initializers.Constant(20 / (3 * SPOT**2))
    logits = keras.layers.Conv2D(keypoints, name="logits", kernel_initializer=brightness, **cells)
    # The last one a little to the right: an animal has a length.
    beside = keras.initializers.Constant([0.0] * (2 * keypoints - 2) + [ASIDE, 0.0])
    offsets = keras.layers.Conv2D(
        2 * keypoints,
        name="offsets",
        kernel_initializer="zeros",
        bias_initializer=beside,
        **cells,
    )
    outputs = {"logits": logits(image), "offsets": offsets(image)}
    return keras.Model(image, outputs)


def spot_predictor(name: str, individuals: tuple[str, ...] = ("",)):
    """Return a predictor of that network, and what it is."""
    from posenb.models import build_predictor

    config = TrainConfig(model=ModelConfig(weights=None))
    description = ModelDescription(
        name=name,
        keypoints=KEYPOINTS,
        edges=EDGES,
        individuals=individuals,
        scale=1.0,
        body_length=20.0,
        config=config,
        provenance={"versions": {"posenb": "0"}},
    )
    predictor = build_predictor(spot_network(), config.model, 1.0)
    return predictor, description


def write_run(folder: Path, individuals: tuple[str, ...] = ("",)) -> Run:
    """Write a project with a finished run, as training leaves it."""
    from posenb.models import export_network, save_predictor

    edges = [(KEYPOINTS[a], KEYPOINTS[b]) for a, b in EDGES]
    project = create_project(folder, keypoints=KEYPOINTS, skeleton=edges)
    names = tuple(FrameName("clip", f"img{number}.png") for number in range(4))
    for number, name in enumerate(names):
        with storage.writing(project.image_url(name)) as path:
            Image.fromarray(spot_picture(number)).save(path, format="png")
    places = np.array([[spot_at(n)] * len(KEYPOINTS) for n in range(4)])
    places += [[0.5, 0.0], [0.0, 0.0], [0.0, 0.5]]
    project.save_labels(Labels(names, places[:, None], project.skeleton))
    run = Run(storage.join(project.runs_url, "spots"))
    predictor, description = spot_predictor(run.name, individuals)
    write_split(run.split_url, Split(names[:2], names[2:3], names[3:]))
    storage.write_text(run.config_url, description.config.model_dump_json())
    storage.write_bytes(run.network_url, export_network(predictor, description).encode())
    with storage.writing(run.model_url) as path:
        save_predictor(path, predictor, description)
    return run


def altered(data: bytes, place: int) -> bytes:
    """Return data of which one byte is another."""
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
