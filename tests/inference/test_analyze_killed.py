"""SIGKILL at random moments, on the real clip, with a real (untrained) network."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from posenb.core import ModelConfig, ModelDescription, TrainConfig

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def tiny_network(tmp_path_factory):
    """MobileNetV2 with 0.35 of its width and random weights, at a quarter of the size."""
    import keras

    from posenb.models import build_network, build_predictor, save_predictor

    keras.utils.set_random_seed(0)
    config = TrainConfig(model=ModelConfig(backbone="mobilenet_v2_035", weights=None, width=8))
    description = ModelDescription(name="tiny", keypoints=("a", "b"), scale=0.25, config=config)
    path = tmp_path_factory.mktemp("tiny") / "tiny.keras"
    network = build_network(config.model, 2, None)
    save_predictor(path, build_predictor(network, config.model, 0.25), description)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_killed_at_random_moments_and_resumed_the_final_files_are_the_same(
    tiny_network, shared_data, workers
):
    video = shared_data / "openfield/videos/m3v1mp4.mp4"
    script = BENCHMARKS / "kill_and_resume.py"
    if workers:
        pytest.importorskip("distributed", reason="the extra dask is not installed")
        options = ("--kills", "2", "--stop", "400", "--seed", "1", "--workers", "2")
    else:
        options = ("--kills", "4", "--stop", "600", "--seed", "3")
    done = subprocess.run(
        [
            *(sys.executable, str(script), str(tiny_network), str(video)),
            *("--chunk-size", "20", *options),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" same\n") == 3
    assert "NO" not in done.stdout
    assert int(re.search(r"(\d+) kills", done.stdout)[1]) >= 2
    assert "left beside the files: nothing" in done.stdout


@pytest.mark.slow
def test_the_benchmark_of_analysis_measures_all_it_names(tiny_network, shared_data):
    video = shared_data / "openfield/videos/m3v1mp4.mp4"
    options = ("--stop", "64", "--seconds", "1", "--rounds", "1")
    done = subprocess.run(
        [
            *(sys.executable, str(BENCHMARKS / "analysis.py")),
            *(str(tiny_network), str(video), *options),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(re.findall(r"\s\d+\.\d+ *$", done.stdout, re.MULTILINE)) == 13
