"""One tiny project and one short real run for all tests of this room."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from made_projects import TINY, dot_project, use_small_network

from posenb._progress import silent_progress
from posenb.project import Project, Run


@pytest.fixture(scope="session")
def train_module() -> ModuleType:
    """The module, whose name the verb has taken."""
    return import_module("posenb.training.train")


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Twelve labelled dots; tests that change a project make one of their own."""
    return dot_project(tmp_path_factory.mktemp("dots"), count=12)


@pytest.fixture(scope="session")
def learned_run(project: Project, train_module: ModuleType) -> Run:
    """A finished training of a real backbone, long enough to find the dot."""
    options = {
        **TINY,
        "steps": 80,
        "batch_size": 4,
        "validate_every": 20,
        "learning_rate": 3e-3,
        "radius": 12,
        "rotation": 0,
        "occlusion": 0,
    }
    run: Run = train_module.train(project, name="learned", progress=silent_progress, **options)
    return run


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, train_module: ModuleType) -> None:
    """Let `train` use a network of a few layers."""
    use_small_network(monkeypatch, train_module)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder, which is not there yet."""
    monkeypatch.setenv("POSENB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
