"""The loop that a user walks, in a bucket: labelled frames, training, evaluation, trajectories."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import posenb as pn
from posenb import storage
from posenb._progress import silent_progress

OPTIONS = {
    "backbone": "mobilenet_v2_035",
    "weights": None,
    "width": 8,
    "scale": 0.25,
    "window": 96,
    "steps": 30,
    "validate_every": 15,
    "test_fraction": 0.5,
}


@pytest.mark.slow
def test_the_whole_loop_walks_in_a_bucket(shared_data: Path, gs_bucket: str) -> None:
    url = storage.join(gs_bucket, "openfield")
    storage.copy_folder(shared_data / "openfield", url)
    project = pn.open_project(url)
    assert project.kind == "deeplabcut"

    run = pn.train(project, progress=silent_progress, **OPTIONS)
    assert run.url.startswith(url)
    assert storage.exists(run.model_url)

    table = pn.evaluate(run, worst=1, progress=silent_progress).summary
    means = table[table["keypoint"] == "all"].set_index("split")["mean"]
    assert set(means.index) == {"train", "validation", "test"}
    assert np.isfinite(means).all()

    poses = pn.analyze(run, "m3v1mp4", stop=48, progress=silent_progress)
    folder = project.poses_url("m3v1mp4", run.name)
    names = {storage.name(file) for file in storage.list_files(folder)}
    assert names == {"poses.h5", "poses.csv", "meta.json"}
    again = pn.load_poses(folder)
    np.testing.assert_allclose(again.positions, poses.positions)
    assert again.provenance["model"]["run"] == run.name
    assert pn.train(pn.open_project(url), progress=silent_progress, **OPTIONS) == run
