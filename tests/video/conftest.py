"""What all tests of video share."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def index_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Fresh cache folder for each test, and where the indices of videos lie in it."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("POSENB_CACHE", str(folder))
    return folder / "video-index"
