"""A model that follows the brightest spot, and a clip with one."""

from pathlib import Path

import pytest
from spots import save_spot_model, write_spots


@pytest.fixture(scope="session")
def spot_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Model that follows the brightest spot."""
    return save_spot_model(tmp_path_factory.mktemp("model") / "spot.keras")


@pytest.fixture(scope="session")
def spot_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clip of 40 frames of 96 x 64 pixels with a spot that moves."""
    return write_spots(tmp_path_factory.mktemp("clip") / "spot.mp4")


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what is cached away from the user's folder."""
    monkeypatch.setenv("POSENB_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
