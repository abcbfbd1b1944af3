"""The picker without a browser: what the page would say comes in, images come out."""

import io
import json
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import posenb as pn
from posenb import storage
from posenb._progress import silent_progress
from posenb.errors import ProjectError, StorageError, UnknownNameError, VideoError
from posenb.project import add_videos, create_project, list_frames
from posenb.video import open_video, write_video
from posenb.widgets.frame_feed import FrameFeed, encode_jpeg


def walking(count=120, seed=0):
    """Frames with a dark square that walks about, and whose grey tells which one it is."""
    rng = np.random.default_rng(seed)
    frames = np.full((count, 64, 96, 3), 190, np.uint8)
    place = np.array([32.0, 48.0])
    for n in range(count):
        place = np.clip(place + rng.uniform(-9, 9, 2), 0, (44, 76))
        y, x = place.astype(int)
        frames[n, y : y + 20, x : x + 20] = 30
        frames[n, :8, :8] = 2 * n
    return frames


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("POSENB_CACHE", str(tmp_path / "cache"))
    for name in ("walk", "run"):
        write_video(tmp_path / f"{name}.mp4", walking(seed=len(name)), fps=10)
    made = create_project(tmp_path / "reach", keypoints=["snout"])
    return add_videos(made, [tmp_path / "walk.mp4", tmp_path / "run.mp4"])


class Page:
    """What the page says, and what it was answered."""

    def __init__(self, project, **options):
        self.view = pn.pick_frames(project, **options)
        self.answers = []
        self.view.send = lambda told, buffers=None: self.answers.append((told, buffers))

    def say(self, do, **more):
        self.answers.clear()
        self.view._handle_custom_msg({"do": do, **more}, [])
        return list(self.answers)

    def look(self, do, **more):
        """Say something that is answered by a frame; return which, and its picture."""
        ((told, (data,)),) = [a for a in self.say(do, **more) if a[0]["kind"] == "frame"]
        return told, np.asarray(Image.open(io.BytesIO(data)))

    def wait(self, until):
        """Tick as the page does until something is so; return all answers meanwhile."""
        collected = []
        for _ in range(400):
            collected += self.say("tick")
            if until():
                return collected
            time.sleep(0.05)
        pytest.fail("it never came")

    @property
    def seen(self):
        return self.view.view


@pytest.fixture
def page(project):
    one = Page(project)
    yield one
    one.view.close()


def grey(picture):
    return picture[2:6, 2:6].mean()


def test_every_frame_is_exactly_the_one_that_was_asked_for(page):
    for n in (0, 57, 56, 55, 54, 119, 3, 2, 60):
        told, picture = page.look("go", frame=n)
        assert told["frame"] == n
        assert grey(picture) == pytest.approx(2 * n, abs=3)
    assert page.look("find", text="0:05.5")[0]["frame"] == 55
    assert page.look("find", text="0:05.5")[0]["time"] == "0:05.50"


def test_the_page_learns_what_there_is(page):
    page.say("hello")
    assert [clip["name"] for clip in page.seen["clips"]] == ["walk", "run"]
    assert (page.seen["count"], page.seen["fps"], page.seen["length"]) == (120, 10, "0:12")
    assert page.seen["there"] == []


def test_how_much_moves_comes_as_soon_as_it_is_known(page):
    answers = page.wait(lambda: not page.seen["busy"])
    (motion,) = [told for told, _ in answers if told["kind"] == "motion"]
    assert 40 < len(motion["frames"]) == len(motion["values"]) <= 120
    assert motion["frames"] == sorted(motion["frames"])
    assert 0 == motion["values"][0] <= max(motion["values"]) == 1
    assert [told["kind"] for told, _ in page.say("hello")] == ["frame", "motion"]


@pytest.mark.parametrize("method", ["kmeans", "uniform"])
def test_what_is_suggested_is_what_extract_frames_would_choose(page, project, method):
    page.say("suggest", count=6, method=method)
    page.wait(lambda: page.seen["suggested"])
    found = page.seen["suggested"]
    frames = pn.extract_frames(project, 6, method, videos="walk", progress=silent_progress)
    assert [int(frame.image[3:-4]) for frame in frames] == found


def test_suggested_frames_are_taken_dropped_and_written(page, project):
    page.say("suggest", count=5, method="kmeans")
    page.wait(lambda: page.seen["suggested"])
    first, second, *rest = page.seen["suggested"]
    page.say("take", frames=[first])
    page.say("drop", frames=[second])
    page.say("drop_all")
    page.say("go", frame=77)
    page.say("take", frames=[77])
    assert page.seen["taken"] == sorted([first, 77])
    assert list_frames(project, "walk") == ()
    page.say("write")
    names = [frame.image for frame in list_frames(project, "walk")]
    assert names == [f"img{n:03d}.png" for n in sorted([first, 77])]
    with open_video(project.video_url("walk")) as video:
        url = project.image_url(list_frames(project, "walk")[-1])
        assert np.array_equal(np.asarray(Image.open(Path(url))), video[int(names[-1][3:6])])
    assert (page.seen["taken"], page.seen["there"]) == ([], sorted([first, 77]))
    assert "2 frames lie" in page.seen["message"]
    page.say("suggest", count=5, method="kmeans")
    page.wait(lambda: not page.seen["busy"] or page.seen["suggested"])
    assert not {first, second, *rest, 77} & set(page.seen["suggested"])


def test_frames_that_were_extracted_before_are_shown_as_such(project):
    pn.extract_frames(project, 4, videos="walk", progress=silent_progress)
    page = Page(project)
    numbers = [int(frame.image[3:-4]) for frame in list_frames(project, "walk")]
    assert page.seen["there"] == numbers
    page.say("take", frames=numbers)
    assert page.seen["taken"] == []
    page.view.close()


def test_every_question_of_the_clock_is_answered_so_that_none_piles_up(page):
    assert "tock" in [told["kind"] for told, _ in page.say("tick")]


def test_videos_are_changed_and_kept(page):
    page.say("take", frames=[5])
    page.say("clip", clip=1)
    assert (page.seen["current"], page.seen["taken"]) == (1, [])
    page.say("take", frames=[6])
    page.say("clip", clip=0)
    assert page.seen["taken"] == [5]
    assert [clip["taken"] for clip in page.seen["clips"]] == [1, 1]


def test_thumbnails_come_when_they_are_made(page):
    page.say("thumbs", frames=[3, 50])
    answers = page.wait(lambda: not page.seen["busy"])
    small = {
        told["frame"]: Image.open(io.BytesIO(buffers[0]))
        for told, buffers in answers
        if told["kind"] == "thumb"
    }
    assert sorted(small) == [3, 50]
    assert small[50].size == (96, 64)


def test_a_project_of_before_its_videos_were_added_shows_them(tmp_path):
    write_video(tmp_path / "walk.mp4", walking(30), fps=10)
    early = create_project(tmp_path / "reach", keypoints=["snout"])
    add_videos(early, tmp_path / "walk.mp4")
    page = Page(early)
    assert [clip["name"] for clip in page.view.view["clips"]] == ["walk"]
    page.view.close()


def test_the_crop_of_the_project_is_what_is_seen_and_written(tmp_path):
    write_video(tmp_path / "walk.mp4", walking(30), fps=10)
    made = create_project(tmp_path / "reach", keypoints=["snout"])
    project = add_videos(made, tmp_path / "walk.mp4", crop=(16, 80, 8, 40))
    page = Page(project)
    assert page.look("go", frame=7)[1].shape == (32, 64, 3)
    page.say("take", frames=[7])
    page.say("write")
    (frame,) = list_frames(project, "walk")
    assert Image.open(project.image_url(frame)).size == (64, 32)
    page.view.close()


def test_a_video_that_is_gone_says_so_and_the_others_work(project, tmp_path):
    (tmp_path / "walk.mp4").unlink()
    page = Page(project)
    assert "walk.mp4" in page.seen["fault"]
    assert page.seen["fault"].endswith("add it from where it is now with pn.add_videos.")
    assert page.say("hello") == []
    page.say("suggest", count=3, method="kmeans")
    page.say("thumbs", frames=[1])
    page.say("write")
    page.say("clip", clip=1)
    assert page.seen["fault"] == ""
    assert page.look("go", frame=4)[0]["frame"] == 4
    page.view.close()


def test_a_place_that_nobody_understands_is_explained(page):
    page.say("find", text="soon")
    assert "0:41.5" in page.seen["message"]


def test_names_are_checked(project, tmp_path):
    with pytest.raises(UnknownNameError, match="Did you mean 'walk'"):
        pn.pick_frames(project, videos="wakl")
    with pytest.raises(ProjectError, match=r"pn\.upload"):
        pn.pick_frames(create_project(tmp_path / "empty", keypoints=["snout"]))


def test_only_the_named_videos_are_offered(project):
    page = Page(project.url, videos=["run"])
    assert [clip["name"] for clip in page.seen["clips"]] == ["run"]
    page.view.close()


# --- frames for the browser ----------------------------------------------------------


def test_large_frames_are_shrunk_and_small_ones_stay():
    large = Image.open(io.BytesIO(encode_jpeg(np.zeros((300, 400, 3), np.uint8), 200)))
    small = Image.open(io.BytesIO(encode_jpeg(np.zeros((30, 40, 3), np.uint8), 200)))
    assert (large.size, small.size) == ((200, 150), (40, 30))


def test_going_back_decodes_ahead_and_keeps(project):
    with open_video(project.video_url("walk")) as video:
        feed = FrameFeed(video)
        feed.jpeg(40)
        feed.jpeg(39)
        read = []
        video.read = lambda *span: read.append(span) or iter(())
        for n in range(38, 28, -1):
            assert grey(np.asarray(Image.open(io.BytesIO(feed.jpeg(n))))) == pytest.approx(
                2 * n, abs=3
            )
        assert read == []


def test_a_frame_that_is_not_there_is_an_error(project):
    with open_video(project.video_url("walk")) as video, pytest.raises(VideoError):
        FrameFeed(video).jpeg(120)


def test_what_is_marked_and_not_written_is_there_the_next_time(project):
    one = Page(project)
    one.say("take", frames=[7, 40])
    one.say("clip", clip=1)
    one.say("take", frames=[11])
    one.view.close()
    other = Page(project, videos="walk")
    assert other.seen["taken"] == [7, 40]
    other.say("drop", frames=[40])
    other.say("write")
    other.view.close()
    again = Page(project)
    assert [clip["taken"] for clip in again.seen["clips"]] == [0, 1]
    assert again.seen["there"] == [7]
    again.view.close()


def test_where_marks_cannot_be_kept_it_is_said_and_the_work_goes_on(page, monkeypatch):
    def refuse(*_, **__):
        raise StorageError("the disk is full")

    monkeypatch.setattr(storage, "update_bytes", refuse)
    page.say("take", frames=[7])
    page.wait(lambda: "the disk is full" in page.seen["lost"])
    page.say("take", frames=[8])
    page.say("write")
    assert "2 frames lie" in page.seen["message"]
    monkeypatch.undo()


def test_what_others_marked_meanwhile_or_in_other_words_stays(project):
    one, other = Page(project), Page(project, videos="run")
    one.say("take", frames=[7])
    one.view.close()
    other.say("take", frames=[5])
    storage.update_bytes(
        project.notes_url("picked"), lambda old: old.replace(b"{", b'{"walk/9": "starred",', 1)
    )
    other.view.close()
    other.say("take", frames=[6])  # too late, and no harm
    again = Page(project)
    again.say("drop", frames=[7])
    again.view.close()
    notes = json.loads(storage.read_bytes(project.notes_url("picked")))
    assert notes == {"walk/7": "dropped", "walk/9": "starred", "run/5": "taken"}
