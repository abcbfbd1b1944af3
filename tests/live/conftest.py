"""A spot that moves, a model that finds it, and one that costs nothing."""

import sys
from pathlib import Path

import numpy as np
import pytest

from posenb.core import ModelConfig, ModelDescription, TrainConfig

sys.path.append(str(Path(__file__).parents[1] / "inference"))


class Brightest:
    """A model without a network: both keypoints are where the frame is brightest.

    It keeps what it was compiled and called for.
    """

    run = None
    digest = "0" * 64
    software = {"numpy": np.__version__}  # noqa: RUF012
    description = ModelDescription(
        name="brightest",
        keypoints=("snout", "tail"),
        edges=((0, 1),),
        scale=1.0,
        config=TrainConfig(model=ModelConfig(weights=None)),
    )

    story = {  # noqa: RUF012
        "run": None,
        "sha256": digest,
        "description": description.model_dump(mode="json"),
    }

    def __init__(self):
        self.compiled, self.calls = [], []

    def predict(self, frames, batch_size, crop=None):
        assert (batch_size, crop) == (1, None)
        self.compiled.append(frames)

        def call(raw):
            assert raw.shape == (1, frames.nbytes)
            self.calls.append(frames)
            shape = (frames.height, frames.width)
            luma = raw[0, : shape[0] * shape[1]].reshape(shape)
            if frames.kind == "rgb":
                luma = raw.reshape(*shape, 3)[..., 0]
            rows, columns = np.nonzero(luma == luma.max())
            value = [columns.mean(), rows.mean(), luma.max() / 255]
            return np.array([[value, value]], np.float32)

        call.workers = 1
        return call


@pytest.fixture
def brightest(monkeypatch) -> Brightest:
    """Whatever run is asked for, it is this model."""
    model = Brightest()
    monkeypatch.setattr("posenb.live.loop.find_model", lambda run, **options: model)
    return model


@pytest.fixture(scope="session")
def spot_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Model file that follows the brightest spot, for one of the real runtimes."""
    from spots import save_spot_model

    return save_spot_model(tmp_path_factory.mktemp("model") / "spot.keras")
