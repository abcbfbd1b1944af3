"""Frames become images in the project: exact ones, each once, nothing overwritten."""

import os
import re
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from walking_clips import walking

from posenb import storage
from posenb._progress import silent_progress
from posenb.core import FrameName
from posenb.errors import (
    ConfigError,
    InvalidInputError,
    ProjectError,
    StorageError,
    UnknownNameError,
    VideoError,
    VideoWarning,
)
from posenb.extraction import ExtractConfig, extract_frames, look_at_video
from posenb.extraction.looking import find_candidates
from posenb.project import add_videos, list_frames
from posenb.video import VideoReader, open_video, probe

ROOT = Path(__file__).parents[2]
QUIET = {"progress": silent_progress}
each_method = pytest.mark.parametrize("method", ["kmeans", "uniform"])


def images(project, video="walk") -> dict[str, bytes]:
    folder = Path(project.url) / "labeled-data" / video
    found = [path for path in sorted(folder.glob("*")) if not path.name.startswith(".posenb-")]
    return {path.name: path.read_bytes() for path in found}


# --- what is written -----------------------------------------------------------------


@each_method
def test_images_are_the_exact_frames_that_their_names_tell(project, clip, method):
    added = extract_frames(project, 6, method, **QUIET)
    assert len(added) == 6
    with open_video(clip) as video:
        for frame in added:
            index = int(re.fullmatch(r"img(\d{3})\.png", frame.image)[1])  # of 120 frames
            with Image.open(project.image_url(frame)) as image:
                assert np.array_equal(np.array(image), video[index])
    assert list_frames(project, "walk") == added


def test_frames_wait_without_labels(project):
    extract_frames(project, 3, **QUIET)
    assert not project.reload().has_labels()
    assert sorted(images(project)) == [frame.image for frame in list_frames(project, "walk")]


def test_running_it_again_adds_nothing(project):
    first = extract_frames(project, 5, **QUIET)
    before = images(project)
    assert len(first) == 5
    assert extract_frames(project, 5, **QUIET) == ()
    assert images(project) == before


@each_method
def test_asking_for_more_keeps_what_is_there(project, method):
    first = extract_frames(project, 5, method, **QUIET)
    before = images(project)
    more = extract_frames(project, 9, method, **QUIET)
    assert len(more) == 4
    assert not set(first) & set(more)
    assert images(project).items() >= before.items()


def test_an_image_that_lies_there_is_never_overwritten_nor_taken_twice(project, tmp_path):
    chosen = extract_frames(project, 4, **QUIET)
    folder = Path(project.url) / "labeled-data" / "walk"
    for path in folder.iterdir():
        path.unlink()
    (folder / chosen[1].image).write_bytes(b"mine")
    assert set(extract_frames(project, 4, **QUIET)) == {*chosen[:1], *chosen[2:]}
    assert (folder / chosen[1].image).read_bytes() == b"mine"


def test_an_image_that_another_process_writes_meanwhile_is_left_to_it(project, monkeypatch):
    write = storage.write_bytes

    def late(url, data, **options):
        if not storage.exists(url):
            write(url, b"theirs")
        write(url, data, **options)

    monkeypatch.setattr("posenb.storage.write_bytes", late)
    assert extract_frames(project, 3, **QUIET) == ()
    assert set(images(project).values()) == {b"theirs"}


def test_images_of_other_names_count_but_tell_no_frame(project):
    folder = Path(project.url) / "labeled-data" / "walk"
    folder.mkdir(parents=True)
    for name in ("first.png", "img9999.png", "notes.txt"):
        (folder / name).write_bytes(b"x")
    assert len(extract_frames(project, 5, **QUIET)) == 3


def test_a_project_may_be_given_by_its_folder_and_options_one_by_one(project):
    first = extract_frames(project.url, count=2, seed=4, method="uniform", start=60, **QUIET)
    assert all(int(frame.image[3:6]) >= 60 for frame in first)


def test_options_come_in_a_config_too(project):
    config = ExtractConfig(count=3, start=10, stop=40)
    added = extract_frames(project, config=config, **QUIET)
    assert [frame.image for frame in added] == sorted(frame.image for frame in added)
    assert all(10 <= int(frame.image[3:6]) < 40 for frame in added)


# --- crops ---------------------------------------------------------------------------


def test_the_crop_of_the_project_cuts_the_images(project, clip):
    cropped = add_videos(project, clip, crop=(20, 70, 10, 60))
    (frame,) = extract_frames(cropped, 1, **QUIET)
    with open_video(clip) as video, Image.open(project.image_url(frame)) as image:
        assert np.array_equal(np.array(image), video[int(frame.image[3:6])][10:60, 20:70])


def test_a_crop_that_is_given_goes_before_that_of_the_project(project, clip):
    cropped = add_videos(project, clip, crop=(20, 70, 10, 60))
    (frame,) = extract_frames(cropped, 1, crop=(0, 10, 0, 12), **QUIET)
    with Image.open(project.image_url(frame)) as image:
        assert image.size == (10, 12)


def test_a_crop_beyond_the_picture_is_refused_before_anything_is_written(project):
    with pytest.raises(InvalidInputError, match="96 x 64 pixels"):
        extract_frames(project, crop=(0, 200, 0, 10), **QUIET)
    assert images(project) == {}


def test_only_what_the_crop_shows_makes_frames_differ(make):
    frames = np.full((40, 64, 96, 3), 120, np.uint8)
    frames[:, :, 48:] = np.arange(0, 200, 5, dtype=np.uint8)[:, None, None, None]
    project = make(half=frames)
    with pytest.warns(VideoWarning, match="only 1 differ"):
        assert len(extract_frames(project, 4, crop=(0, 40, 0, 64), **QUIET)) == 1


# --- several videos ------------------------------------------------------------------


def test_every_video_gets_its_frames(make):
    project = make(one=walking(seed=1), two=walking(80, seed=2))
    added = extract_frames(project, 3, **QUIET)
    assert [frame.video for frame in added] == ["one"] * 3 + ["two"] * 3


def test_only_the_named_videos_get_frames(make):
    project = make(one=walking(40), two=walking(40, seed=2), three=walking(40, seed=3))
    assert {f.video for f in extract_frames(project, 2, videos="two", **QUIET)} == {"two"}
    named = extract_frames(project, 2, videos=["three", "one", "three"], **QUIET)
    assert [frame.video for frame in named] == ["three"] * 2 + ["one"] * 2


def test_what_one_video_showed_is_not_taken_from_the_next(make):
    project = make(one=walking(40), same=walking(40))
    with pytest.warns(VideoWarning) as caught:
        added = extract_frames(project, 40, **QUIET)
    assert "40 frames of same were wanted, but only" in str(caught[-1].message)
    assert len([frame for frame in added if frame.video == "same"]) <= 2


def test_what_lies_there_of_one_video_is_not_taken_from_the_next(make):
    project = make(one=walking(40), same=walking(40))
    first = extract_frames(project, 8, videos="same", **QUIET)
    then = extract_frames(project, 8, **QUIET)
    assert {frame.video for frame in then} == {"one"}
    assert not {frame.image for frame in first} & {frame.image for frame in then}


# --- odd videos ----------------------------------------------------------------------


def test_a_video_of_one_frame_gives_it(make):
    with pytest.warns(VideoWarning, match="20 frames of single were wanted, but only 1 "):
        added = extract_frames(make(single=walking(1)), **QUIET)
    assert added == (FrameName("single", "img0.png"),)


@each_method
def test_a_video_shorter_than_wanted_gives_what_it_has(make, method):
    project = make(brief=walking(7))
    with pytest.warns(VideoWarning, match="30 frames of brief were wanted"):
        added = extract_frames(project, 30, method, **QUIET)
    assert 4 <= len(added) <= 7


@each_method
def test_a_still_video_gives_one_frame_and_a_warning(make, method):
    project = make(still=np.full((50, 48, 64, 3), 77, np.uint8))
    with pytest.warns(VideoWarning, match="near-duplicates"):
        assert len(extract_frames(project, 5, method, **QUIET)) == 1


def test_odd_sizes_and_uneven_times_are_taken_as_they_are(tmp_path, make):
    path = tmp_path / "odd.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 61, 47, "bgr0"
        stream.codec_context.time_base = Fraction(1, 1000)
        for n, picture in enumerate(walking(30, (61, 47))):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="bgr0")
            frame.pts, frame.time_base = n * n * 7, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    project = make(path)
    for frame in extract_frames(project, 5, **QUIET):
        with open_video(path) as video, Image.open(project.image_url(frame)) as image:
            assert image.size == (61, 47)
            assert np.array_equal(np.array(image), video[int(frame.image[3:5])])


def test_a_video_that_is_cut_off_gives_frames_of_what_is_there(tmp_path, clip, make):
    data = clip.read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(data[: int(len(data) * 0.6)])
    with pytest.warns(VideoWarning, match="are missing"):
        count = probe(path).frame_count
    with pytest.warns(VideoWarning, match="are missing"):
        project = make(path)
    with pytest.warns(VideoWarning, match="are missing"):
        added = extract_frames(project, 5, **QUIET)
    assert len(added) == 5
    assert all(int(frame.image[3:-4]) < count for frame in added)


def test_in_place_of_a_damaged_frame_another_is_taken(project, monkeypatch):
    read = VideoReader.__getitem__
    damaged: list[int] = []

    def fails(video, index):
        if len(damaged) < 2 or index in damaged:
            damaged.append(index)
            raise VideoError("damaged")
        return read(video, index)

    monkeypatch.setattr(VideoReader, "__getitem__", fails)
    added = extract_frames(project, 6, **QUIET)
    assert len(added) == 6
    assert not {int(frame.image[3:6]) for frame in added} & set(damaged)


# --- what goes wrong -----------------------------------------------------------------


def test_a_project_without_videos_says_what_to_do(tmp_path):
    from posenb.project import create_project

    with pytest.raises(ProjectError, match="add_videos"):
        extract_frames(create_project(tmp_path, keypoints=["snout"]), **QUIET)


def test_videos_that_were_added_meanwhile_count(tmp_path, clip):
    from posenb.project import add_videos, create_project

    early = create_project(tmp_path / "reach", keypoints=["snout"])
    add_videos(early, clip)
    assert len(extract_frames(early, 2, **QUIET)) == 2


def test_a_video_that_is_gone_is_named_before_anything_is_written(make, tmp_path):
    project = make(here=walking(20), gone=walking(20))
    (tmp_path / "raw" / "gone.mp4").unlink()
    with pytest.raises(ProjectError, match=r"gone\.mp4.*videos=\[\.\.\.\]"):
        extract_frames(project, 2, **QUIET)
    assert images(project, "here") == {}
    assert len(extract_frames(project, 2, videos=["here"], **QUIET)) == 2


def test_a_video_that_moved_is_mended_as_the_error_says(make, tmp_path):
    from posenb.project import add_videos

    project = make(moved=walking(20))
    (tmp_path / "raw" / "moved.mp4").rename(tmp_path / "moved.mp4")
    with pytest.raises(ProjectError, match="from where they are now with add_videos"):
        extract_frames(project, 2, **QUIET)
    with pytest.warns(VideoWarning, match="is gone"):
        add_videos(project, tmp_path / "moved.mp4", **QUIET)
    assert len(extract_frames(project, 2, **QUIET)) == 2


def test_a_misspelt_video_meets_the_likeliest_one(project):
    with pytest.raises(UnknownNameError, match="Did you mean 'walk'"):
        extract_frames(project, videos="wall", **QUIET)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"cuont": 3}, ConfigError, "cuont"),
        ({"count": 0}, ConfigError, "count"),
        ({"method": "best"}, ConfigError, "method"),
        ({"start": 120}, InvalidInputError, "which has 120 frames"),
        ({"start": 30, "stop": 30}, InvalidInputError, "start < stop"),
    ],
)
def test_wrong_options_are_refused(project, options, error, text):
    with pytest.raises(error, match=text):
        extract_frames(project, **options, **QUIET)
    assert images(project) == {}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_project_is_a_plain_error(project):
    Path(project.url).chmod(0o500)
    with pytest.raises(StorageError):
        extract_frames(project, 2, **QUIET)


KILLED = """
import sys, time
import posenb.storage as storage
from posenb.extraction import extract_frames
write = storage.write_bytes
def slow(*args, **options):
    time.sleep(0.2)
    write(*args, **options)
storage.write_bytes = slow
extract_frames(sys.argv[1], 12)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_killed_anywhere_only_whole_images_are_there_and_it_goes_on(project):
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, project.url], stderr=subprocess.DEVNULL, cwd=ROOT
    )
    deadline = time.monotonic() + 120
    while (
        len(list_frames(project, "walk")) < 3
        and child.poll() is None
        and time.monotonic() < deadline
    ):
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    before = images(project)
    assert 3 <= len(before) < 12
    for name in before:
        with Image.open(project.image_url(FrameName("walk", name))) as image:
            image.load()
    extract_frames(project, 12, **QUIET)
    after = images(project)
    assert len(list_frames(project, "walk")) == 12
    assert after.items() >= before.items()
    # The same as if it had never been killed.
    for path in (Path(project.url) / "labeled-data" / "walk").glob("*.png"):
        path.unlink()
    extract_frames(project, 12, **QUIET)
    assert images(project).keys() == after.keys()


# --- where to look -------------------------------------------------------------------


def long_video(count=108_000, keys=200):
    from types import SimpleNamespace

    return SimpleNamespace(frame_count=count, keyframes=np.arange(0, count, keys), url="long.mp4")


def test_of_an_hour_only_the_beginnings_of_all_groups_are_looked_at():
    ranks = find_candidates(long_video(), ExtractConfig())
    assert len(ranks) == 2000
    assert (np.diff(ranks) > 0).all()
    assert (ranks % 200 < 38).all()  # so that 20,000 frames are decoded, not 108,000
    assert len(set(ranks // 200)) == 540


def test_where_keyframes_are_rare_all_of_the_video_is_looked_at():
    ranks = find_candidates(long_video(keys=50_000), ExtractConfig())
    assert len(ranks) == 2000
    assert np.diff(ranks).max() <= 55


def test_where_every_frame_is_a_keyframe_few_are_looked_at():
    ranks = find_candidates(long_video(keys=1), ExtractConfig())
    assert len(ranks) == 2000
    assert np.diff(ranks).max() <= 55


def test_uniform_looks_at_three_frames_of_each_stretch():
    ranks = find_candidates(long_video(), ExtractConfig(method="uniform", count=10))
    assert np.bincount(ranks // 10_800).tolist() == [3] * 10


def test_for_many_frames_there_are_ten_times_as_many_candidates():
    assert len(find_candidates(long_video(), ExtractConfig(count=500))) == 5000


@pytest.mark.slow
def test_on_a_real_clip_kmeans_is_more_diverse_than_random(shared_data):
    with open_video(shared_data / "openfield" / "videos" / "m3v1mp4.mp4") as video:
        from posenb.extraction import choose_frames

        shown = look_at_video(video, find_candidates(video.info, ExtractConfig(candidates=400)))
        chosen = choose_frames(shown, 20)
        rng = np.random.default_rng(0)
        random = [np.sort(rng.choice(len(video), 20, replace=False)) for _ in range(3)]
        # In larger pictures than those that were grouped.
        figures = [spread(look_at_video(video, each, width=64).pictures) for each in random]
        mean, least = spread(look_at_video(video, chosen, width=64).pictures)
    assert mean > 1.2 * np.mean([figure[0] for figure in figures])
    assert least > 5


def spread(pictures: np.ndarray) -> tuple[float, float]:
    rows = pictures.reshape(len(pictures), -1).astype(float)
    apart = np.sqrt(np.square(rows[:, None] - rows[None]).mean(axis=2))
    np.fill_diagonal(apart, np.inf)
    return float(apart.min(axis=1).mean()), float(apart.min())
