"""Several models as one: the median of their poses and how far they are from each other."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from spots import COUNT, HEIGHT, WIDTH, save_spot_model, spot_picture, spots, write_spots

from posenb import storage
from posenb._progress import silent_progress
from posenb.core import FrameFormat, TrainConfig
from posenb.errors import AnalysisError, InvalidInputError, VideoWarning
from posenb.inference import analyze, load_poses
from posenb.inference.ensemble import Ensemble, EnsemblePredict, agree, find_models
from posenb.inference.model import Model, find_model
from posenb.inference.variants import Variants
from posenb.project import add_videos, create_project, open_run
from posenb.video import VideoReader

RNG = np.random.default_rng(0)
ONNX = {"runtime": "onnxruntime"}
NAMES = ("meta.json", "poses.csv", "poses.h5", "poses_spread.csv", "poses_spread.h5")


@pytest.fixture(scope="session")
def models(tmp_path_factory, spot_model):
    """Three models that find the same spot, with different certainty."""
    folder = tmp_path_factory.mktemp("models")
    more = [save_spot_model(folder / f"{gain}.keras", gain) for gain in (10.0, 15.0)]
    return [spot_model, *more]


def poses(*each):
    """M models, one frame with one keypoint: each x, y, likelihood."""
    return np.array(each, np.float32)[:, None, None]


def one(found):
    return found[0, 0].tolist()


def contents(folder):
    return {
        storage.relative(url, str(folder)): storage.digest(url)
        for url in storage.list_files(folder, recursive=True)
    }


# --- one pose of several -------------------------------------------------------------


def test_models_that_agree_have_no_spread():
    assert one(agree(poses((3, 4, 0.5), (3, 4, 0.7), (3, 4, 0.6)))) == pytest.approx([3, 4, 0.6, 0])


def test_one_that_is_far_off_does_not_move_the_pose_but_widens_the_spread():
    found = agree(poses((10, 20, 0.9), (10, 20, 0.8), (40, 60, 0.7)))
    np.testing.assert_allclose(one(found), [10, 20, 0.8, np.sqrt(2500 / 3)], rtol=1e-6)


def test_two_models_meet_in_the_middle_half_of_their_distance_away():
    found = agree(poses((0, 0, 0.2), (6, 8, 0.6)))
    np.testing.assert_allclose(one(found), [3, 4, 0.4, 5], rtol=1e-6)


def test_the_order_of_models_does_not_matter():
    many = RNG.uniform(0, 90, (4, 5, 3, 3)).astype(np.float32)
    whole = agree(many)
    assert (whole.shape, whole.dtype) == ((5, 3, 4), np.float32)
    np.testing.assert_allclose(agree(many[::-1]), whole, rtol=1e-5)


class Constant:
    """A predict that says the same of every keypoint."""

    def __init__(self, value, workers):
        self.value, self.workers = value, workers

    def __call__(self, raw):
        return np.full((len(raw), 2, 3), self.value, np.float32)


def test_no_more_calls_go_on_at_once_than_each_member_bears():
    predict = EnsemblePredict([Constant(1, 3), Constant(2, 1), Constant(4, 2)])
    assert predict.workers == 1
    assert predict(np.zeros((5, 7), np.uint8))[..., :3].tolist() == np.full((5, 2, 3), 2).tolist()


# --- which models --------------------------------------------------------------------


def test_one_model_is_no_ensemble(spot_model):
    assert isinstance(find_models(spot_model), Model)
    assert find_models([spot_model]) == find_model(spot_model)


def test_the_order_in_which_models_are_named_decides_nothing(models):
    first, second = find_models(models, **ONNX), find_models(models[::-1], **ONNX)
    assert isinstance(first, Ensemble)
    assert first.identity == second.identity
    assert first.name == second.name
    assert first.name.startswith("ensemble_3_")


def test_every_member_and_how_it_computes_make_it_another_ensemble(models):
    made = [
        find_models(models, **ONNX),
        find_models(models[:2], **ONNX),
        find_models(models[1:], **ONNX),
        find_models(models, runtime="keras"),
        find_models(models, variants=Variants(flip=True), **ONNX),
    ]
    assert len({each.identity for each in made}) == 5
    assert len({each.name for each in made}) == 3


def test_members_compute_as_the_first_does(models, tmp_path):
    network = find_model(models[1], **ONNX).network
    (tmp_path / "second.onnx").write_bytes(network.encode())
    found = find_models([tmp_path / "second.onnx", models[0]], **ONNX)
    assert {member.choice.runtime for member in found.members} == {"onnxruntime"}
    with pytest.raises(AnalysisError, match=r"Keras runs \.keras files"):
        find_models([models[0], tmp_path / "second.onnx"], runtime="keras")


def test_no_model_at_all_is_refused():
    with pytest.raises(InvalidInputError, match="got an empty list"):
        find_models([])


def test_a_model_counts_once(models, tmp_path):
    copy = shutil.copy(models[0], tmp_path / "copy.keras")
    with pytest.raises(InvalidInputError, match="same one is there twice"):
        find_models([models[0], models[1], copy])


def renamed(model, folder, **changes):
    """Save a model as an .onnx file with another description."""
    network = find_model(model, **ONNX).network
    described = network.description.replace(**changes)
    path = folder / "other.onnx"
    path.write_bytes(type(network)(described, *list(_parts(network))[1:]).encode())
    return path


def _parts(network):
    return (getattr(network, name) for name in network.__dataclass_fields__)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"keypoints": ("snout", "nose")}, "snout, nose"),
        ({"keypoints": ("tail", "snout")}, "same order"),
        ({"individuals": ("ann",)}, "of the individuals"),
    ],
)
def test_models_of_other_keypoints_are_refused(models, tmp_path, changes, told):
    other = renamed(models[1], tmp_path, **changes)
    with pytest.raises(AnalysisError, match=told):
        find_models([models[0], other], **ONNX)


# --- analysis ------------------------------------------------------------------------


@pytest.fixture
def run_it(models, spot_clip, tmp_path):
    def run(which=models, **options):
        options = {"output": tmp_path / "out", "progress": silent_progress, **ONNX, **options}
        return analyze(which, spot_clip, batch_size=8, **options)

    return run


def test_the_pose_is_the_median_of_what_each_finds_alone(run_it, models, tmp_path):
    alone = [run_it(model, output=tmp_path / f"{n}") for n, model in enumerate(models)]
    found = run_it()
    np.testing.assert_allclose(found.positions[:, 0, 0], spots(), atol=0.5)
    middle = np.median([each.positions for each in alone], axis=0)
    np.testing.assert_allclose(found.positions, middle, atol=1e-4)
    likelihoods = np.median([each.likelihoods for each in alone], axis=0)
    np.testing.assert_allclose(found.likelihoods, likelihoods, atol=1e-6)
    away = np.array([each.positions for each in alone]) - middle
    spread = np.sqrt((away**2).sum(-1).mean(0))
    np.testing.assert_allclose(found.spread, spread, atol=1e-4)


def test_each_frame_is_decoded_once(run_it, monkeypatch):
    asked = []
    whole = VideoReader.raw_batches

    def counting(self, size, start=0, stop=None, **options):
        asked.extend(range(start, stop))
        return whole(self, size, start, stop, **options)

    monkeypatch.setattr(VideoReader, "raw_batches", counting)
    run_it(chunk_size=8)
    assert sorted(asked) == list(range(COUNT))


def test_spread_and_members_are_in_the_files(run_it, models, tmp_path):
    found = run_it()
    assert tuple(sorted(contents(tmp_path / "out"))) == NAMES
    for table in ("", "poses.h5", "poses.csv"):
        back = load_poses(tmp_path / "out" / table)
        np.testing.assert_allclose(back.spread, found.spread, rtol=1e-12)
        assert back.provenance == found.provenance
    assert "spread" in found.to_dataframe()
    told = json.loads((tmp_path / "out" / "meta.json").read_text())["model"]
    assert {each["sha256"] for each in told["members"]} == {
        storage.digest(str(path)) for path in models
    }
    assert found.scorer == f"posenb_{told['description']['name']}"


def test_deeplabcuts_readers_see_three_columns_a_keypoint(run_it, tmp_path):
    found = run_it()
    table = pd.read_hdf(tmp_path / "out" / "poses.h5")
    assert table.columns.get_level_values("coords").unique().tolist() == ["x", "y", "likelihood"]
    x, y, _ = table.to_numpy().reshape(len(table), -1, 3).transpose(2, 0, 1)
    np.testing.assert_array_equal(np.stack([x, y], -1), found.positions[:, 0])


def test_an_analysis_by_one_model_leaves_no_spread_behind(run_it, models, tmp_path):
    run_it()
    assert run_it(models[0]).spread is None
    assert tuple(sorted(contents(tmp_path / "out"))) == ("meta.json", "poses.csv", "poses.h5")


def test_a_changed_spread_is_not_told_with_the_old_story(run_it, tmp_path):
    run_it()
    url = tmp_path / "out" / "poses_spread.h5"
    url.write_bytes(url.read_bytes() + b"x")
    with pytest.raises(AnalysisError, match=r"poses_spread\.h5 has been changed or damaged"):
        load_poses(tmp_path / "out")
    run_it()
    assert load_poses(tmp_path / "out").spread is not None


class Interrupt:
    """A progress bar that stops the work as Ctrl-C would."""

    def __init__(self, after):
        self.after, self.total = after, None

    def __call__(self, total, description, unit="it"):
        self.total = total
        return self

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None

    def advance(self, count=1, **figures):
        self.after -= count
        if self.after < 0:
            raise KeyboardInterrupt


def test_an_ensemble_goes_on_where_it_was_stopped(run_it, models, tmp_path):
    run_it(chunk_size=8)
    whole = contents(tmp_path / "out")
    options = {"output": tmp_path / "again", "chunk_size": 8}
    with pytest.raises(KeyboardInterrupt):
        run_it(progress=Interrupt(20), **options)
    rest = Interrupt(COUNT)
    run_it(models[::-1], progress=rest, **options)
    assert 0 < rest.total < COUNT
    assert contents(tmp_path / "again") == whole


def test_frames_that_cannot_be_decoded_have_no_spread(run_it, tmp_path, monkeypatch):
    frame_of = VideoReader._frame
    monkeypatch.setattr(
        VideoReader, "_frame", lambda self, rank: None if rank == 20 else frame_of(self, rank)
    )
    with pytest.warns(VideoWarning, match="could not be decoded"):
        run_it()
    spread = load_poses(tmp_path / "out").spread
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(spread).all(axis=(1, 2))), [20])


def make_run(project, name, model):
    folder = Path(project.runs_url) / name
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(TrainConfig().model_dump_json())
    shutil.copy(model, folder / "model.keras")
    return open_run(folder)


def test_runs_of_a_project_write_into_it_under_a_name_of_their_own(models, spot_clip, tmp_path):
    project = create_project(tmp_path / "reach", keypoints=["snout", "tail"])
    runs = [make_run(project, f"r{n}", model) for n, model in enumerate(models)]
    add_videos(project, spot_clip, copy=True, progress=silent_progress)
    found = analyze(runs, "spot", stop=8, progress=silent_progress, **ONNX)
    (folder,) = (tmp_path / "reach" / "poses" / "spot").iterdir()
    assert folder.name == find_models(runs, **ONNX).name
    assert found.provenance["video"]["url"] == "videos/spot.mp4"
    told = found.provenance["model"]["members"]
    assert sorted(each["run"] for each in told) == ["r0", "r1", "r2"]


def test_models_of_several_projects_write_beside_the_video(models, tmp_path):
    runs = [
        make_run(create_project(tmp_path / name, keypoints=["snout", "tail"]), "r", model)
        for name, model in zip("ab", models, strict=False)
    ]
    clip = write_spots(tmp_path / "clip.mp4", 8)
    analyze(runs, clip, progress=silent_progress, **ONNX)
    assert tuple(sorted(contents(tmp_path / "clip_poses"))) == NAMES


def test_every_form_of_a_frame_counts_for_each_member(models):
    found = find_models(models, variants=Variants(flip=True), **ONNX)
    raw = np.stack([spot_picture(number).reshape(-1) for number in range(4)])
    poses = found.predict(FrameFormat("rgb", HEIGHT, WIDTH), 4)(raw)
    np.testing.assert_allclose(poses[:, 0, :2], spots(4), atol=1.5)
    assert poses.shape == (4, 2, 4)
