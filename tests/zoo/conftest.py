"""A trained and evaluated run, the zoo that it was published to, and a clip."""

import shutil
from pathlib import Path

import pytest
from zoo_models import FACTS, write_run, write_spots

from posenb import storage
from posenb._progress import silent_progress
from posenb.inference import evaluate
from posenb.project import Run
from posenb.zoo import publish


@pytest.fixture(autouse=True)
def own_surroundings(tmp_path_factory, monkeypatch) -> None:
    """Keep the cache away from the user's, and the user's indexes away from the tests."""
    monkeypatch.setenv("POSENB_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setenv("POSENB_ZOO", "")


@pytest.fixture(scope="session")
def run(tmp_path_factory) -> Run:
    run = write_run(tmp_path_factory.mktemp("project") / "spots")
    evaluate(run, figures=False, worst=0, progress=silent_progress)
    return run


@pytest.fixture(scope="session")
def published(run, tmp_path_factory) -> Path:
    """An index with one model, not to be changed."""
    folder = tmp_path_factory.mktemp("zoo") / "index"
    publish(run, folder, name="spots", facts=FACTS, progress=silent_progress)
    return folder


@pytest.fixture
def zoo(published, tmp_path) -> Path:
    """A copy of the index to spoil."""
    return Path(shutil.copytree(published, tmp_path / "zoo"))


@pytest.fixture
def distant(published):
    """The same index where it must be fetched from."""
    url = "memory://zoo"
    storage.remove(url, recursive=True)
    storage.copy_folder(published, url)
    yield url
    storage.remove(url, recursive=True)


@pytest.fixture(scope="session")
def clip(tmp_path_factory) -> Path:
    return write_spots(tmp_path_factory.mktemp("clip") / "spot.mp4")
