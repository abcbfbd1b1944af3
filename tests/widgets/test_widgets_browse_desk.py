"""What the page asks for and is told: poses, exact frames, spots, marks that become images."""

import io
import json
import threading
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from browse_samples import SIZE, make_poses, make_project
from PIL import Image

from posenb import storage
from posenb.core import FrameName, Labels
from posenb.errors import StorageError
from posenb.labels import write_poses
from posenb.plots.packing import pack_poses
from posenb.project import create_project, list_frames, read_image
from posenb.widgets import browse_desk
from posenb.widgets.browse_desk import Desk
from posenb.widgets.browse_opening import (
    Source,
    find_place,
    find_source,
    list_images,
)

VIDEO = "walk"


@pytest.fixture
def project(tmp_path):
    return make_project(tmp_path)


def open_desk(project, poses=None, **more):
    poses = make_poses() if poses is None else poses
    source = find_source(poses, project.video_url(VIDEO))
    return made_desk(poses, source, find_place(poses, source, project), **more)


def made_desk(poses, source, place, label=lambda images: None, on_fault=lambda: None):
    return Desk(poses, source, place, 0.6, label=label, on_fault=on_fault)


@pytest.fixture
def desk(project):
    made = open_desk(project)
    yield made
    made.close()


def take(desk, *frames):
    for frame in frames:
        desk.handle({"do": "mark", "frame": frame})
    desk.handle({"do": "take"})
    return desk.view()


def image_names(project):
    return [frame.image for frame in list_frames(project, VIDEO)]


def label_frame(project, image):
    labels = Labels((FrameName(VIDEO, image),), np.full((1, 1, 2, 2), 9.0), project.skeleton)
    project.save_labels(labels)


# --- what a page is told ------------------------------------------------------------------------


def test_a_page_gets_the_poses_as_the_script_unpacks_them(desk):
    ((told, (data,)),) = desk.handle({"do": "open", "page": "a"})
    assert (told["told"], told["page"]) == ("poses", "a")
    facts, plain = pack_poses(desk.poses)
    assert zlib.decompress(data) == plain
    assert told["facts"]["pack"] == facts
    assert told["facts"]["size"] == list(SIZE)
    assert told["facts"]["count"] == 60
    assert told["facts"]["fps"] == 10
    assert told["facts"]["title"] == "walk.mp4"


def test_a_page_without_a_frame_rate_is_told_so(project):
    ((told, _),) = open_desk(project, make_poses(fps=float("nan"))).handle({"do": "open"})
    assert told["facts"]["fps"] is None


def test_pictures_are_of_exactly_the_frames_that_were_asked_for(project):
    desk = open_desk(project, make_poses(30, frames=np.arange(0, 60, 2)))
    answers = desk.handle({"do": "frames", "page": "a", "rows": [29, 4, 5]})
    assert [told["row"] for told, _ in answers] == [29, 4, 5]
    for told, (data,) in answers:
        with Image.open(io.BytesIO(data)) as picture:
            assert picture.size == SIZE
            assert np.array(picture).mean() == pytest.approx(8 * told["row"], abs=3)


def test_a_frame_that_the_video_lacks_is_told_as_an_error(project):
    desk = open_desk(project, make_poses(80))
    assert "up to frame 79" in desk.source.trouble
    ((told, buffers),) = desk.handle({"do": "frames", "page": "a", "rows": [70]})
    assert buffers == []
    assert "70" in told["error"]


def test_spots_come_as_rows_and_lines(desk):
    likelihoods = np.full((60, 2, 2), 0.9)
    likelihoods[33, 1, 0] = 0.2
    desk.poses = make_poses(individuals=2, likelihoods=likelihoods)
    ask = {"do": "spots", "page": "a", "kind": "unlikely", "cutoff": 0.6, "shown": [True] * 4}
    ((told, _),) = desk.handle(ask)
    assert told["spots"][0] == {"row": 33, "line": 2, "value": pytest.approx(0.2)}
    ((told, _),) = desk.handle({**ask, "shown": [True, True, False, True]})
    assert told["spots"][0]["row"] != 33


# --- marks --------------------------------------------------------------------------------------


def test_marks_are_shown_in_order_and_can_be_taken_away(desk):
    for frame in (40, 7, 12):
        assert desk.handle({"do": "mark", "frame": frame}) == []
    desk.handle({"do": "unmark", "frame": 12})
    marks = desk.view()["marks"]
    assert marks == [{"frame": 7, "state": "marked"}, {"frame": 40, "state": "marked"}]
    assert desk.view()["waiting"] == 2


def test_marked_frames_become_images_of_exactly_those_frames(desk, project):
    view = take(desk, 40, 7)
    assert image_names(project) == ["img07.png", "img40.png"]
    assert read_image(project, FrameName(VIDEO, "img40.png")).mean() == pytest.approx(160, abs=3)
    assert view["message"].startswith("2 frames were added to labeled-data/walk/")
    assert [mark["state"] for mark in view["marks"]] == ["image", "image"]
    assert view["waiting"] == 0
    assert not view["bad"]


def test_taking_again_adds_only_what_is_new(desk, project):
    take(desk, 7)
    path = Path(project.image_url(FrameName(VIDEO, "img07.png")))
    before = path.stat().st_mtime_ns
    view = take(desk, 9)
    assert view["message"].startswith("1 frame was added")
    assert path.stat().st_mtime_ns == before


def test_an_image_with_other_digits_counts_as_that_frame(desk, project):
    folder = Path(project.url) / "labeled-data" / VIDEO
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", SIZE).save(folder / "img0007.png")
    view = take(desk, 7)
    assert image_names(project) == ["img0007.png"]
    assert view["message"].startswith("0 frames were added")


def test_labels_stay_as_they_are_and_their_frames_are_known(desk, project):
    take(desk, 7, 40)
    label_frame(project, "img07.png")
    table = Path(project.labels_url(VIDEO) + ".csv").read_bytes()
    view = take(desk, 41)
    states = {mark["frame"]: mark["state"] for mark in view["marks"]}
    assert states == {7: "labelled", 40: "image", 41: "image"}
    assert (view["labelled"], view["images"]) == ([7], [40, 41])
    assert Path(project.labels_url(VIDEO) + ".csv").read_bytes() == table


def test_a_frame_that_cannot_be_read_does_not_keep_others_back(project):
    desk = open_desk(project, make_poses(80))
    view = take(desk, 7, 70)
    assert image_names(project) == ["img07.png"]
    assert view["bad"]
    assert "70" in view["message"]
    assert "1 frame was added" in view["message"]


def test_a_folder_that_cannot_be_written_is_told(desk, project, monkeypatch):
    def broken(*_):
        raise StorageError("The disk is full.")

    monkeypatch.setattr(browse_desk, "write_frame", broken)
    view = take(desk, 7)
    assert (view["message"], view["bad"]) == ("The disk is full.", True)
    assert view["waiting"] == 1


def test_a_table_that_cannot_be_read_is_told_and_left_alone(project):
    take(open_desk(project), 7)
    label_frame(project, "img07.png")
    for suffix in (".csv", ".h5"):
        Path(project.labels_url(VIDEO) + suffix).write_bytes(b"rubbish")
    view = open_desk(project).view()
    assert view["bad"]
    assert "walk" in view["message"]


def test_cropped_images_are_cut_as_those_of_the_project_are(project):
    cropped = replace(project, crops={VIDEO: (8, 40, 4, 28)})
    desk = open_desk(cropped)
    take(desk, 7)
    assert read_image(cropped, FrameName(VIDEO, "img07.png")).shape == (24, 32, 3)


# --- labelling ----------------------------------------------------------------------------------


def test_to_label_frames_those_that_wait_are_taken_first(project):
    asked = []
    desk = open_desk(project, label=asked.append)
    take(desk, 40)
    desk.handle({"do": "mark", "frame": 7})
    desk.handle({"do": "label"})
    assert asked == [(FrameName(VIDEO, "img07.png"), FrameName(VIDEO, "img40.png"))]
    assert desk.view()["message"] == "1 frame was added to labeled-data/walk/."
    desk.handle({"do": "label"})
    assert len(asked) == 2
    assert desk.view()["message"] == ""


def test_frames_that_are_labelled_already_are_labelled_again(project):
    asked = []
    desk = open_desk(project, label=asked.append)
    take(desk, 7)
    label_frame(project, "img07.png")
    again = open_desk(project, label=asked.append)
    assert again.view()["marks"] == []
    again.handle({"do": "mark", "frame": 7})
    again.handle({"do": "label"})
    assert asked == [(FrameName(VIDEO, "img07.png"),)]


def test_without_a_mark_or_a_project_there_is_nothing_to_label(desk, project):
    def label(_):
        raise AssertionError

    open_desk(project, label=label).handle({"do": "label"})
    poses = make_poses()
    lost = made_desk(poses, Source("x"), find_place(poses, Source("x"), None), label)
    lost.handle({"do": "mark", "frame": 7})
    lost.handle({"do": "label"})
    assert lost.view()["bad"]
    assert lost.notes is None


def test_what_keeps_the_labeller_from_opening_is_told(project):
    def broken(_):
        raise StorageError("The table is damaged.")

    desk = open_desk(project, label=broken)
    desk.handle({"do": "mark", "frame": 7})
    desk.handle({"do": "label"})
    assert (desk.view()["message"], desk.view()["bad"]) == ("The table is damaged.", True)


# --- what is kept -------------------------------------------------------------------------------


def kept(project):
    path = Path(project.notes_url("relabel"))
    return json.loads(path.read_bytes()) if path.exists() else {}


def test_marks_are_kept_until_their_frames_are_labelled(project):
    desk = open_desk(project)
    for frame in (40, 7, 12):
        desk.handle({"do": "mark", "frame": frame})
    desk.handle({"do": "unmark", "frame": 12})
    desk.handle({"do": "take"})
    desk.close()
    assert kept(project) == {"walk/40": "new", "walk/7": "new"}
    label_frame(project, "img07.png")
    again = open_desk(project)
    assert [mark["frame"] for mark in again.view()["marks"]] == [40]
    again.handle({"do": "mark", "frame": 7})  # its labels are to be better
    again.close()
    assert kept(project)["walk/7"] == "again"
    assert [mark["frame"] for mark in open_desk(project).view()["marks"]] == [7, 40]


def test_marks_of_other_videos_and_of_frames_without_poses_stay_in_the_file(project):
    notes = {"run/3": "new", "walk/7": "new", "walk/59": "new", "walk/x": "new", "walk/8": "?"}
    storage.write_bytes(project.notes_url("relabel"), json.dumps(notes).encode())
    desk = open_desk(project, make_poses(30))
    assert [mark["frame"] for mark in desk.view()["marks"]] == [7]
    desk.handle({"do": "mark", "frame": 9})
    desk.handle({"do": "unmark", "frame": 7})
    desk.close()
    del notes["walk/7"]
    assert kept(project) == {**notes, "walk/9": "new"}


def test_marks_that_cannot_be_kept_are_told(project, monkeypatch):
    def broken(*_):
        raise StorageError("The disk is full.")

    told = threading.Event()
    desk = open_desk(project, on_fault=told.set)
    monkeypatch.setattr(storage, "update_bytes", broken)
    desk.handle({"do": "mark", "frame": 7})
    assert told.wait(20)
    view = desk.view()
    assert (view["message"].endswith("The disk is full."), view["bad"]) == (True, True)
    desk.close()


# --- where video and project are ----------------------------------------------------------------


def test_the_project_is_found_above_the_poses(project):
    folder = project.poses_url(VIDEO, "first")
    poses = replace(make_poses(), url=write_poses(storage.join(folder, "poses"), make_poses()))
    source = find_source(poses, project.video_url(VIDEO))
    place = find_place(poses, source, None)
    assert (place.project.url, place.video) == (project.url, VIDEO)
    view = take(made_desk(poses, source, place), 3)
    assert view["message"] == "1 frame was added to labeled-data/walk/."


def test_poses_that_lie_nowhere_have_no_project_and_say_so(project):
    poses = make_poses()
    place = find_place(poses, Source("x"), None)
    assert place.project is None
    assert "project=project" in place.trouble
    view = take(made_desk(poses, Source("x", trouble="gone"), place), 3)
    assert view["bad"]
    assert view["refusal"] == view["message"] == place.trouble


def test_a_video_that_the_project_lacks_is_told(project, tmp_path):
    other = create_project(tmp_path / "other", keypoints=["nose", "tail"])
    source = find_source(make_poses(), project.video_url(VIDEO))
    assert "add_videos" in find_place(make_poses(), source, other).trouble


def test_a_copy_of_a_video_counts_as_the_one_of_its_name(project, tmp_path):
    copy = tmp_path / "elsewhere"
    copy.mkdir()
    (copy / "walk.mp4").write_bytes(Path(project.video_url(VIDEO)).read_bytes())
    source = find_source(make_poses(), copy / "walk.mp4")
    assert find_place(make_poses(), source, project).video == VIDEO


def test_without_a_video_points_are_shown_and_nothing_is_taken(project):
    poses = make_poses()
    source = find_source(poses, None)
    assert source.video is None
    place = find_place(poses, source, project)
    desk = made_desk(poses, source, place)
    ((told, _),) = desk.handle({"do": "open"})
    assert told["facts"]["size"] is None
    assert "pn.browse(poses, video)" in told["facts"]["trouble"]
    ((told, _),) = desk.handle({"do": "frames", "rows": [3]})
    assert "not at hand" in told["error"]
    assert "Without the video" in take(desk, 3)["message"]


def test_a_video_that_was_found_but_is_damaged_is_told(project, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    poses = make_poses(provenance={"video": {"url": str(broken)}})
    source = find_source(poses, None)
    assert source.video is None
    assert source.trouble.startswith("The video cannot be read")
    assert source.title == "broken.mp4"


def test_images_that_no_frame_is_known_of_are_left_out(project):
    folder = Path(project.url) / "labeled-data" / VIDEO
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", SIZE).save(folder / "portrait.png")
    assert list_images(project, VIDEO) == ({}, frozenset())
