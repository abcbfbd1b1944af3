import os
from pathlib import Path

import pytest

from posenb.project.places import locate, split_climb, write_path


def touched(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return str(path)


@pytest.mark.parametrize(
    ("video", "path"),
    [
        ("reach/videos/m1.mp4", "videos/m1.mp4"),
        ("m1.mp4", "../m1.mp4"),
        ("raw/day 1/m1.mp4", "../raw/day 1/m1.mp4"),
        ("../shelf/m1.mp4", "../../shelf/m1.mp4"),
    ],
)
def test_a_path_is_written_from_the_project_and_leads_back(tmp_path, video, path):
    url = os.path.normpath(touched(tmp_path / "lab" / video))
    folder = str(tmp_path / "lab" / "reach")
    assert write_path(url, folder) == path
    assert locate(folder, path) == url


@pytest.mark.parametrize(
    ("url", "folder"),
    [
        ("/data/m1.mp4", "/home/ann/reach"),  # the root is all that they share
        ("gs://lab/raw/m1.mp4", "gs://lab/reach"),
        ("gs://lab/a/raw/m1.mp4", "gs://lab/a/reach"),  # leads there from everywhere
        ("/data/m1.mp4", "gs://lab/reach"),
        ("https://lab.org/m1.mp4", "/home/ann/reach"),
    ],
)
def test_what_shares_no_folder_is_named_in_full(url, folder):
    assert write_path(url, folder) == url


def test_a_bucket_holds_its_project_by_a_relative_path():
    assert write_path("gs://lab/reach/videos/m1.mp4", "gs://lab/reach") == "videos/m1.mp4"


@pytest.mark.parametrize("mounted", ["reach", "raw"])
def test_across_a_mounted_drive_a_video_is_named_in_full(tmp_path, monkeypatch, mounted):
    url, folder = touched(tmp_path / "raw" / "day1" / "m1.mp4"), str(tmp_path / "reach" / "a")
    Path(folder).mkdir(parents=True)
    assert write_path(url, folder) == "../../raw/day1/m1.mp4"
    monkeypatch.setattr(os.path, "ismount", lambda path: path == str(tmp_path / mounted))
    assert write_path(url, folder) == url
    monkeypatch.setattr(os.path, "ismount", lambda path: path == str(tmp_path))
    assert write_path(url, folder) == "../../raw/day1/m1.mp4"  # both lie on it


@pytest.fixture
def linked(tmp_path):
    """A project reached by a link from a folder that does not hold its videos."""
    touched(tmp_path / "lab" / "raw" / "m1.mp4")
    (tmp_path / "lab" / "reach").mkdir()
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "reach").symlink_to(tmp_path / "lab" / "reach")
    return tmp_path


def test_a_project_opened_by_a_link_finds_the_videos_beside_it(linked):
    found = locate(str(linked / "home" / "reach"), "../raw/m1.mp4")
    assert found == os.path.realpath(linked / "lab" / "raw" / "m1.mp4")


def test_a_path_that_only_holds_by_way_of_a_link_is_not_written(linked):
    url = touched(linked / "home" / "raw" / "m2.mp4")
    assert write_path(url, str(linked / "home" / "reach")) == url


def test_a_whole_folder_behind_a_link_keeps_its_relative_paths(tmp_path):
    touched(tmp_path / "disk" / "raw" / "m1.mp4")
    (tmp_path / "disk" / "reach").mkdir()
    (tmp_path / "lab").symlink_to(tmp_path / "disk")
    url, folder = str(tmp_path / "lab" / "raw" / "m1.mp4"), str(tmp_path / "lab" / "reach")
    assert write_path(url, folder) == "../raw/m1.mp4"
    assert locate(folder, "../raw/m1.mp4") == url


def test_a_path_never_climbs_out_of_its_bucket():
    assert locate("gs://lab/a/reach", "../raw/m1.mp4") == "gs://lab/a/raw/m1.mp4"
    assert locate("gs://lab/reach", "../../../m1.mp4") == "gs://lab/m1.mp4"


@pytest.mark.parametrize(
    ("path", "parts"),
    [("a.mp4", (0, "a.mp4")), ("../../a/b.mp4", (2, "a/b.mp4")), ("..a/b", (0, "..a/b"))],
)
def test_only_the_start_of_a_path_climbs(path, parts):
    assert split_climb(path) == parts
