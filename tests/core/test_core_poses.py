import pickle
from dataclasses import replace
from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest

import posenb.core.poses
from posenb.core import Poses, Skeleton
from posenb.errors import InvalidInputError

PAIR = Skeleton(("nose", "tail"))


def two_animals(frames=None, fps=10.0):
    positions = np.arange(24.0).reshape(3, 2, 2, 2)
    likelihoods = np.arange(12).reshape(3, 2, 2) / 12
    return Poses(positions, likelihoods, PAIR, frames, ("ann", "bob"), fps, "net", {"model": "x"})


def test_frames_count_from_zero_unless_they_are_given():
    assert two_animals().frames.tolist() == [0, 1, 2]
    assert two_animals([4, 5, 9]).frames.tolist() == [4, 5, 9]


def test_times_are_seconds_from_the_start_of_the_video():
    assert two_animals([0, 5, 20]).times.tolist() == [0, 0.5, 2]


@pytest.mark.parametrize("frames", [[0, 1], [0, 0, 1], [2, 1, 0], [[0], [1], [2]]])
def test_frames_increase_and_there_is_one_for_each_pose(frames):
    with pytest.raises(InvalidInputError, match="3 strictly increasing frame indices"):
        two_animals(frames)


@pytest.mark.parametrize(
    ("positions", "likelihoods"),
    [((3, 2, 2), (3, 1, 2)), ((3, 1, 2, 2), (3, 2)), ((3, 1, 3, 2),) * 2],
)
def test_shapes_must_agree(positions, likelihoods):
    with pytest.raises(InvalidInputError, match="1 individuals and 2 keypoints"):
        Poses(np.zeros(positions), np.zeros(likelihoods), PAIR)


def test_a_spread_has_a_number_for_each_keypoint():
    spread = np.arange(12.0).reshape(3, 2, 2)
    assert replace(two_animals(), spread=spread).spread.tolist() == spread.tolist()
    with pytest.raises(InvalidInputError, match=r"shape of the likelihoods, \(3, 2, 2\)"):
        replace(two_animals(), spread=spread[:2])


def test_a_spread_is_one_more_column_and_without_one_there_is_none():
    spread = np.arange(12.0).reshape(3, 2, 2)
    table = replace(two_animals(), spread=spread).to_dataframe()
    assert table.columns[-1] == "spread"
    row = table.query("frame == 2 and individual == 'bob' and keypoint == 'nose'")
    assert row["spread"].item() == spread[2, 1, 0]
    assert "spread" not in two_animals().to_dataframe()


def test_a_spread_reaches_xarray_under_the_same_axes_as_the_confidence():
    pytest.importorskip("xarray")
    spread = np.arange(12.0).reshape(3, 2, 2)
    dataset = replace(two_animals(), spread=spread).to_xarray()
    assert dataset.spread.dims == dataset.confidence.dims
    assert dataset.spread.to_numpy()[2, 0, 1] == spread[2, 1, 0]
    assert "spread" not in two_animals().to_xarray()


def test_keypoints_of_the_scene_stand_with_the_first_animal():
    scene = Skeleton(("nose", "corner"), unique=("corner",))
    with pytest.raises(InvalidInputError, match="corner have positions for others too"):
        Poses(np.zeros((1, 2, 2, 2)), np.zeros((1, 2, 2)), scene, individuals=("a", "b"))


def test_animals_have_names_of_their_own():
    with pytest.raises(InvalidInputError, match="unique"):
        Poses(np.zeros((1, 2, 2, 2)), np.zeros((1, 2, 2)), PAIR, individuals=("a", "a"))


def test_nobody_can_change_poses_afterwards():
    poses = replace(two_animals(), spread=np.zeros((3, 2, 2)))
    for array in (poses.positions, poses.likelihoods, poses.frames, poses.spread):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    with pytest.raises(TypeError):
        poses.provenance["model"] = "y"


def test_poses_survive_the_journey_to_another_process():
    poses = two_animals([3, 5, 8])
    arrived = pickle.loads(pickle.dumps(poses))
    assert arrived.positions.tolist() == poses.positions.tolist()
    assert arrived.likelihoods.tolist() == poses.likelihoods.tolist()
    assert arrived.frames.tolist() == [3, 5, 8]
    assert dict(arrived.provenance) == {"model": "x"}
    assert (arrived.individuals, arrived.fps, arrived.scorer) == (("ann", "bob"), 10.0, "net")
    assert arrived.url is None
    assert pickle.loads(pickle.dumps(replace(poses, url="gs://lab/a.h5"))).url == "gs://lab/a.h5"


def test_the_tidy_table_puts_each_number_beside_its_names():
    table = two_animals([4, 5, 9]).to_dataframe()
    assert len(table) == 12
    row = table[(table.frame == 9) & (table.individual == "bob") & (table.keypoint == "nose")]
    assert row[["time", "x", "y", "likelihood"]].to_numpy().tolist() == [[0.9, 20, 21, 10 / 12]]


def installed_movement(monkeypatch, number):
    def version(name):
        if number is None:
            raise PackageNotFoundError(name)
        return number

    monkeypatch.setattr(posenb.core.poses, "version", version)


@pytest.mark.parametrize("number", [None, "0.17.0", "0.20.1", "1.0"])
def test_the_dataset_is_laid_out_as_movement_lays_it_out(monkeypatch, number):
    pytest.importorskip("xarray")
    installed_movement(monkeypatch, number)
    dataset = two_animals([0, 10, 20]).to_xarray()
    assert dataset.position.dims == ("time", "space", "keypoint", "individual")
    point = dataset.position.sel(time=2.0, keypoint="tail", individual="bob")
    assert point.values.tolist() == [22, 23]
    confidence = dataset.confidence.sel(time=1.0, keypoint="nose", individual="ann")
    assert confidence.item() == pytest.approx(4 / 12)
    assert dataset.attrs["fps"] == 10


@pytest.mark.parametrize("number", ["0.9.0", "0.16.1"])
def test_an_older_movement_finds_its_older_names(monkeypatch, number):
    pytest.importorskip("xarray")
    installed_movement(monkeypatch, number)
    dataset = two_animals().to_xarray()
    assert dataset.position.dims == ("time", "space", "keypoints", "individuals")
    assert dataset.confidence.dims == ("time", "keypoints", "individuals")


def test_movement_takes_the_dataset_for_its_own():
    validators = pytest.importorskip("movement.validators.datasets")
    validators.ValidPosesInputs.validate(two_animals().to_xarray())


def test_without_a_frame_rate_time_is_counted_in_frames():
    pytest.importorskip("xarray")
    dataset = two_animals([3, 4, 7], fps=float("nan")).to_xarray()
    assert dataset.time.values.tolist() == [3, 4, 7]
    assert dataset.attrs["fps"] is None
    assert dataset.attrs["time_unit"] == "frames"
