"""Trainings in processes of their own: killed, beside each other, on JAX, on several devices."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from made_projects import TINY, dot_picture, run_python, start_python

from posenb import storage
from posenb._progress import silent_progress
from posenb.models import load_predictor
from posenb.project import Project, Run
from posenb.training import train

OPTIONS = {**TINY, "steps": 24, "batch_size": 2, "validate_every": 3}

_TRAIN = """
from posenb._progress import silent_progress
from posenb.training import train
run = train({url!r}, name={name!r}, progress=silent_progress, **{options!r})
print(run.url)
"""


def training(url: str, name: str, **options: object) -> str:
    """Code of a process that trains."""
    return _TRAIN.format(url=url, name=name, options={**OPTIONS, **options})


def run_of(project: Project, name: str) -> Run:
    return Run(storage.join(project.runs_url, name))


def weights_of(run: Run) -> list[np.ndarray]:
    weights: list[np.ndarray] = load_predictor(run.model_url)[0].get_weights()
    return weights


def losses_of(run: Run) -> list[float]:
    rows = storage.read_text(run.history_url).split()[1:]
    return [float(row.split(",")[2]) for row in rows]


def wait_for(path: str, process: subprocess.Popen[str], patience: float = 240) -> None:
    deadline = time.monotonic() + patience
    while not Path(path).exists():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.02)


# Killed


@pytest.fixture(scope="module")
def uninterrupted(project: Project) -> Run:
    return train(project, name="uninterrupted", progress=silent_progress, **OPTIONS)


@pytest.mark.parametrize(
    ("mark", "seconds"),
    [
        ("checkpoint.npz", 0.0),
        pytest.param("config.json", 0.0, marks=pytest.mark.slow),
        pytest.param("checkpoint.npz", 0.7, marks=pytest.mark.slow),
        pytest.param("history.csv", 0.0, marks=pytest.mark.slow),
    ],
)
def test_killed_and_started_again_a_run_gives_the_same_weights(
    project: Project, uninterrupted: Run, mark: str, seconds: float
) -> None:
    name = f"killed {seconds:g} s after {mark}"
    run = run_of(project, name)
    process = start_python(training(project.url, name))
    wait_for(storage.join(run.url, mark), process)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    train(project, name=name, progress=silent_progress, **OPTIONS)
    for one, other in zip(weights_of(run), weights_of(uninterrupted), strict=True):
        np.testing.assert_array_equal(one, other)
    assert losses_of(run) == losses_of(uninterrupted)
    left = {storage.name(url) for url in storage.list_files(run.url)}
    assert left == {storage.name(url) for url in storage.list_files(uninterrupted.url)}


@pytest.mark.slow
def test_of_two_processes_at_one_run_the_second_says_that_it_is_in_use(project: Project) -> None:
    run = run_of(project, "wanted by two")
    first = start_python(training(project.url, "wanted by two", steps=2000, patience=2000))
    try:
        wait_for(run.config_url, first)
        code = training(project.url, "wanted by two", steps=2000, patience=2000)
        second = start_python(code)
        complaints = second.communicate()[1]
        assert second.returncode != 0
        assert "TrainingError: A run is trained by one process at a time" in complaints
    finally:
        first.kill()
        first.communicate()


# On JAX


_POSES = """
import json
import numpy as np
from posenb.models import load_predictor
predictor, _ = load_predictor({model!r})
predictor.compile(jit_compile=False)
frames = np.load({frames!r})
print(json.dumps(np.asarray(predictor.predict_on_batch(frames)).tolist()))
"""


def poses_on(backend: str, model: str, frames: np.ndarray, folder: Path) -> np.ndarray:
    path = folder / "frames.npy"
    np.save(path, frames)
    code = _POSES.format(model=model, frames=str(path))
    return np.array(json.loads(run_python(code, KERAS_BACKEND=backend).splitlines()[-1]))


def test_tensorflow_and_jax_find_the_same_poses(learned_run: Run, tmp_path: Path) -> None:
    pytest.importorskip("jax", reason="JAX is not installed")
    places = [(30.0, 40.0), (61.5, 20.25), (12.0, 66.6), (80.0, 50.0)]
    frames = np.stack([dot_picture(x, y, 77, 91, seed=i) for i, (x, y) in enumerate(places)])
    here, _ = load_predictor(learned_run.model_url)
    wanted = here.predict_on_batch(frames)
    found = poses_on("jax", learned_run.model_url, frames, tmp_path)
    np.testing.assert_allclose(found[..., :2], wanted[..., :2], atol=0.05)
    np.testing.assert_allclose(found[..., 2], wanted[..., 2], atol=1e-3)


@pytest.mark.slow
def test_tensorflow_and_jax_agree_on_a_real_animal(shared_data: Path, tmp_path: Path) -> None:
    pytest.importorskip("jax", reason="JAX is not installed")
    from PIL import Image

    import posenb

    there = posenb.open_project(shared_data / "openfield")
    folder = storage.join(str(tmp_path), "openfield")
    storage.copy_folder(there.url, folder)
    run = train(
        folder,
        name="brief",
        progress=silent_progress,
        **{**TINY, "scale": "auto", "window": "auto", "steps": 60, "batch_size": 4},
    )
    images = sorted(Path(folder, "labeled-data", "m4s1").glob("*.png"))[:8]
    frames = np.stack([np.asarray(Image.open(path).convert("RGB")) for path in images])
    here, _ = load_predictor(run.model_url)
    wanted = here.predict_on_batch(frames)
    found = poses_on("jax", run.model_url, frames, tmp_path)
    np.testing.assert_allclose(found[..., :2], wanted[..., :2], atol=0.05)


_ON_JAX = """
import importlib
import json
import keras
from made_projects import small_network
from posenb import storage
from posenb._progress import silent_progress
module = importlib.import_module("posenb.training.train")
module.build_network = small_network
device = importlib.import_module("posenb.training.device")
run = module.train({url!r}, name={name!r}, progress=silent_progress, **{options!r})
print(json.dumps({{
    "backend": keras.backend.backend(),
    "devices": len(keras.distribution.list_devices()),
    "accelerator": device.accelerator(),
    "distribution": type(device.data_parallel(2)).__name__,
    "url": run.url,
}}))
"""


def train_on_jax(project: Project, name: str, devices: int) -> tuple[Run, dict[str, object]]:
    flags = f"--xla_force_host_platform_device_count={devices}"
    code = _ON_JAX.format(url=project.url, name=name, options=OPTIONS)
    printed = run_python(code, KERAS_BACKEND="jax", XLA_FLAGS=flags, JAX_PLATFORMS="cpu")
    return run_of(project, name), json.loads(printed.splitlines()[-1])


@pytest.fixture(scope="module")
def on_one_device(project: Project) -> tuple[Run, dict[str, object]]:
    """A run trained on JAX, and what it ran on."""
    pytest.importorskip("jax", reason="JAX is not installed")
    return train_on_jax(project, "one device", 1)


def test_jax_trains_without_an_accelerator(
    on_one_device: tuple[Run, dict[str, object]],
) -> None:
    run, facts = on_one_device
    assert (facts["backend"], facts["devices"], facts["accelerator"]) == ("jax", 1, None)
    losses = losses_of(run)
    assert losses[-1] < losses[0]
    assert load_predictor(run.model_url)[1].provenance["backend"] == "jax"


def test_two_devices_train_as_one_does(
    project: Project, on_one_device: tuple[Run, dict[str, object]]
) -> None:
    two, facts = train_on_jax(project, "two devices", 2)
    assert facts["devices"] == 2
    assert facts["distribution"] != "nullcontext"
    np.testing.assert_allclose(losses_of(two), losses_of(on_one_device[0]), rtol=0.02)
