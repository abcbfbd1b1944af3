"""Poses of an analysis as files, written and read without any model or video."""

import json
from dataclasses import replace

import numpy as np
import pytest

from posenb import storage
from posenb.core import Poses, Skeleton
from posenb.errors import AnalysisError, LabelError
from posenb.inference import load_poses
from posenb.inference.record import current_poses, write_analysis
from posenb.labels import write_poses

SKELETON = Skeleton(("snout", "tail"), ((0, 1),))


@pytest.fixture
def poses():
    rng = np.random.default_rng(0)
    positions, likelihoods = rng.uniform(0, 90, (6, 1, 2, 2)), rng.uniform(size=(6, 1, 2))
    positions[2] = likelihoods[2] = np.nan
    return Poses(positions, likelihoods, SKELETON, np.arange(4, 10), fps=29.97, scorer="posenb_a")


@pytest.fixture
def story():
    return {
        "key": "k",
        "video": {"url": "videos/clip.mp4", "fps": 29.97},
        "model": {"description": {"keypoints": ["snout", "tail"], "edges": [[0, 1]]}},
    }


@pytest.fixture(params=["local", "memory"])
def folder(request, tmp_path):
    url = str(tmp_path / "out") if request.param == "local" else f"memory://{tmp_path.name}"
    yield url
    storage.remove(url, recursive=True)


def same(a: Poses, b: Poses) -> bool:
    arrays = all(
        np.array_equal(getattr(a, name), getattr(b, name), equal_nan=True)
        for name in ("positions", "likelihoods", "frames")
    )
    facts = all(
        getattr(a, name) == getattr(b, name)
        for name in ("skeleton", "individuals", "fps", "scorer", "provenance")
    )
    return arrays and facts


def test_poses_come_back_with_all_that_the_table_does_not_hold(folder, poses, story):
    written = write_analysis(folder, poses, story)
    back = load_poses(folder)
    assert same(written, back)
    assert back.fps == 29.97
    assert back.skeleton.edges == ((0, 1),)
    assert back.provenance["video"]["url"] == "videos/clip.mp4"
    assert same(replace(back, provenance={}), poses)
    assert written.url == back.url == storage.join(folder, "poses.h5")


@pytest.mark.parametrize("name", ["poses.h5", "poses.csv"])
def test_a_table_of_an_analysis_may_be_named_itself(folder, poses, story, name):
    written = write_analysis(folder, poses, story)
    back = load_poses(storage.join(folder, name))
    assert same(back, written)
    assert back.url == storage.join(folder, name)


def test_a_table_from_elsewhere_is_read_without_provenance(folder, poses):
    write_poses(storage.join(folder, "clipDLC_resnet50"), poses)
    for url in ("clipDLC_resnet50.h5", "clipDLC_resnet50.csv", "clipDLC_resnet50"):
        back = load_poses(storage.join(folder, url))
        assert dict(back.provenance) == {}
        assert np.isnan(back.fps)


def test_another_table_beside_an_analysis_gets_none_of_its_provenance(folder, poses, story):
    write_analysis(folder, poses, story)
    write_poses(storage.join(folder, "filtered"), poses)
    assert dict(load_poses(storage.join(folder, "filtered.h5")).provenance) == {}


def test_a_meta_of_another_program_is_left_alone(folder, poses):
    write_poses(storage.join(folder, "poses"), poses)
    for text in ('{"creator": "somebody"}', "[1, 2]", "3"):
        storage.write_text(storage.join(folder, "meta.json"), text)
        assert dict(load_poses(folder).provenance) == {}


def test_a_table_that_was_changed_since_is_not_told_with_the_old_story(folder, poses, story):
    write_analysis(folder, poses, story)
    write_poses(storage.join(folder, "poses"), replace(poses, scorer="other"))
    with pytest.raises(AnalysisError, match="has been changed or damaged since"):
        load_poses(folder)


def test_a_damaged_meta_says_so(folder, poses, story):
    write_analysis(folder, poses, story)
    storage.write_text(storage.join(folder, "meta.json"), '{"schema": 1,')
    with pytest.raises(AnalysisError, match=r"cannot be read .* Analyze the video again"):
        load_poses(folder)


def test_a_meta_of_a_later_version_says_to_update(folder, poses, story):
    write_analysis(folder, poses, story)
    url = storage.join(folder, "meta.json")
    meta = json.loads(storage.read_text(url))
    storage.write_text(url, json.dumps({**meta, "schema": 2}))
    with pytest.raises(AnalysisError, match="Update posenb"):
        load_poses(folder)


def test_a_folder_without_poses_says_so(tmp_path):
    with pytest.raises(LabelError, match="No poses at"):
        load_poses(tmp_path)


def test_the_same_poses_and_story_give_the_same_bytes(tmp_path, poses, story):
    for name in "ab":
        write_analysis(str(tmp_path / name), poses, story)
    for name in ("meta.json", "poses.h5", "poses.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_meta_is_plain_json_that_people_can_read(tmp_path, poses, story):
    write_analysis(str(tmp_path), poses, {**story, "scorer": "Müller"})
    text = (tmp_path / "meta.json").read_text("utf-8")
    assert "Müller" in text
    assert text.startswith('{\n "schema": 1,\n')


def test_the_poses_of_a_key_are_current_only_while_all_files_are_whole(folder, poses, story):
    assert current_poses(folder, "k") is None
    written = write_analysis(folder, poses, story)
    assert same(current_poses(folder, "k"), written)
    assert current_poses(folder, "other") is None
    for name in ("poses.h5", "poses.csv", "meta.json"):
        url = storage.join(folder, name)
        content = storage.read_bytes(url)
        storage.write_bytes(url, content[:-9])
        assert current_poses(folder, "k") is None
        storage.remove(url)
        assert current_poses(folder, "k") is None
        storage.write_bytes(url, content)
        assert current_poses(folder, "k") is not None


def test_what_was_made_of_other_poses_goes_and_all_else_stays(folder, poses, story):
    names = ("labelled.mp4", "report.html", "notes.txt")
    write_analysis(folder, poses, story)
    for name in names:
        storage.write_text(storage.join(folder, name), "x")
    write_analysis(folder, poses, {**story, "key": "l"})
    assert all(storage.exists(storage.join(folder, name)) for name in names)
    write_analysis(folder, replace(poses, positions=poses.positions + 1), story)
    there = [name for name in names if storage.exists(storage.join(folder, name))]
    assert there == ["notes.txt"]
