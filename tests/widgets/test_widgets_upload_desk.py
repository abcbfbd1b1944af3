"""Files arrive whole, once, under their own names, whatever happens on the way."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from upload_pages import Clock, File, Page, chain_of

from posenb import storage
from posenb._progress import silent_progress
from posenb.errors import StorageError
from posenb.project import Project, add_videos, create_project
from posenb.video import write_video
from posenb.widgets.upload_desk import Desk
from posenb.widgets.upload_state import PIECE, Phase

PART = 8 * PIECE


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A tiny video."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    frames = np.random.default_rng(0).integers(0, 255, (4, 32, 48, 3), dtype=np.uint8)
    write_video(path, frames, fps=10)
    return path.read_bytes()


@pytest.fixture(scope="session")
def long_clip(clip: bytes) -> bytes:
    """A video of two whole parts and a piece: players skip what is behind its end."""
    size = 2 * PART + PIECE + 77 - len(clip) - 8
    filling = np.random.default_rng(1).bytes(size)
    return clip + (size + 8).to_bytes(4, "big") + b"free" + filling


STORAGES = ["local", "gs", "s3"]


@pytest.fixture(params=STORAGES)
def project(request: pytest.FixtureRequest, tmp_path) -> Project:
    folder = (
        str(tmp_path)
        if request.param == "local"
        else request.getfixturevalue(f"{request.param}_bucket")
    )
    return create_project(storage.join(folder, "reach"), keypoints=["nose"])


@pytest.fixture
def here(tmp_path) -> Project:
    return create_project(tmp_path / "reach", keypoints=["nose"])


def page_of(project: Project, name: str = "page") -> Page:
    clock = Clock()
    return Page(Desk(project, clock), clock, name)


def stored(project: Project, name: str) -> bytes:
    return storage.read_bytes(storage.join(project.url, "videos", name))


def all_files(project: Project) -> list[str]:
    return [
        storage.relative(url, project.url)
        for url in storage.list_files(project.url, recursive=True)
    ]


# --- the plain way ------------------------------------------------------------------------


def test_a_file_arrives_and_is_added_to_the_project(project, long_clip):
    page = page_of(project)
    (key,) = page.pick(File("m3v1.mp4", long_clip))
    page.run()
    assert page.phase(key) is Phase.DONE
    assert stored(project, "m3v1.mp4") == long_clip
    assert page.desk.project.videos == {"m3v1": "videos/m3v1.mp4"}
    assert page.desk.project == project.reload()
    assert all_files(project) == ["posenb.yaml", "videos/m3v1.mp4"]
    assert page.desk.pictures[key].startswith("data:image/jpeg;base64,")
    assert page.row(key)["facts"].startswith("0.4 s · 4 frames · 10 frames/s · 48 × 32 · 18 MB")


def test_nothing_is_seen_before_the_whole_is_there(here, long_clip):
    page = page_of(here)
    (key,) = page.pick(File("m3v1.mp4", long_clip))
    page.run(most=12)
    assert 0 < page.row(key)["position"] < len(long_clip)
    assert all_files(here) == ["posenb.yaml"]


def test_several_files_arrive_one_after_the_other(here, clip):
    page = page_of(here)
    keys = page.pick(*(File(f"m{n}.mp4", clip) for n in range(3)))
    assert [page.phase(key) for key in keys] == [Phase.SENDING, Phase.WAITING, Phase.WAITING]
    page.run()
    assert [page.phase(key) for key in keys] == [Phase.DONE] * 3
    assert list(here.reload().videos) == ["m0", "m1", "m2"]


def test_what_is_no_video_is_refused_and_leaves_nothing(project):
    page = page_of(project)
    (key,) = page.pick(File("notes.mp4", b"no video at all" * 100))
    page.run()
    assert page.phase(key) is Phase.REFUSED
    assert "notes.mp4" in page.row(key)["message"]
    assert all_files(project) == ["posenb.yaml"]
    assert project.reload().videos == {}


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (File("empty.mp4", b""), "The file is empty."),
        (File("notes.txt", b"words", type="text/plain"), "This is no video but text/plain."),
    ],
)
def test_what_is_plainly_no_video_is_not_even_sent(here, file, reason):
    page = page_of(here)
    (key,) = page.pick(file)
    assert (page.phase(key), page.row(key)["message"]) == (Phase.REFUSED, reason)
    assert page.asked == []


# --- interruptions ------------------------------------------------------------------------


def test_pieces_that_get_lost_come_again(here, long_clip):
    page = page_of(here)
    turn = itertools.count()
    page.spoil = lambda message, data: None if next(turn) % 5 == 3 else data
    (key,) = page.pick(File("m.mp4", long_clip))
    for _ in range(30):
        page.run()
        page.tick(6.0)
    assert page.phase(key) is Phase.DONE
    assert stored(here, "m.mp4") == long_clip


def test_damaged_pieces_come_again(here, long_clip):
    page = page_of(here)
    turn = itertools.count()
    page.spoil = lambda message, data: b"?" + data[1:] if next(turn) % 5 == 1 else data
    (key,) = page.pick(File("m.mp4", long_clip))
    page.run()
    assert page.phase(key) is Phase.DONE
    assert stored(here, "m.mp4") == long_clip


def test_a_file_that_only_comes_damaged_stops_and_can_be_tried_again(here, long_clip):
    page = page_of(here)
    page.spoil = lambda message, data: data[1:]
    (key,) = page.pick(File("m.mp4", long_clip))
    page.run()
    assert page.phase(key) is Phase.FAILED
    assert "damaged 5 times in a row" in page.row(key)["message"]
    page.spoil = lambda message, data: data
    page.say("resume", key=key)
    page.run()
    assert stored(here, "m.mp4") == long_clip


def test_pausing_stops_and_going_on_needs_nothing_twice(here, long_clip):
    page = page_of(here)
    (key,) = page.pick(File("m.mp4", long_clip))
    page.run(most=4)
    page.say("pause", key=key)
    page.run()
    before = page.row(key)["position"]
    assert page.phase(key) is Phase.PAUSED
    assert 0 < before < len(long_clip)
    page.tick(100)
    page.run()
    assert page.row(key)["position"] == before
    page.say("resume", key=key)
    assert "proof" not in page.asked
    page.run()
    assert stored(here, "m.mp4") == long_clip


def test_another_file_goes_on_while_one_is_paused(here, clip, long_clip):
    page = page_of(here)
    first, second = page.pick(File("m1.mp4", long_clip), File("m2.mp4", clip))
    page.run(most=3)
    page.say("pause", key=first)
    page.run()
    assert (page.phase(first), page.phase(second)) == (Phase.PAUSED, Phase.DONE)


def test_after_the_kernel_died_the_same_file_goes_on_where_it_was(project, long_clip):
    page = page_of(project)
    page.pick(File("m.mp4", long_clip))
    page.run(most=12)
    later = page_of(project, "later")
    (row,) = later.desk.view()["rows"]
    assert (row["phase"], row["position"]) == ("missing", PART)
    assert row["amount"] == "8.4 MB of 18 MB"
    (key,) = later.pick(File("m.mp4", long_clip))
    later.run()
    assert later.phase(key) is Phase.DONE
    assert stored(project, "m.mp4") == long_clip
    assert later.asked[0] == "proof"
    assert all_files(project) == ["posenb.yaml", "videos/m.mp4"]
    assert page_of(project).desk.view()["rows"] == []


def test_a_file_that_only_looks_the_same_begins_anew(here, long_clip):
    page = page_of(here)
    page.pick(File("m.mp4", long_clip))
    page.run(most=12)
    other = bytearray(long_clip)
    other[5 * PIECE] ^= 1
    later = page_of(here, "later")
    (key,) = later.pick(File("m.mp4", bytes(other)))
    later.run()
    assert later.phase(key) is Phase.DONE
    assert stored(here, "m.mp4") == bytes(other)


def test_a_file_whose_date_differs_is_another_one(here, long_clip):
    page = page_of(here)
    page.pick(File("m.mp4", long_clip))
    page.run(most=12)
    later = page_of(here, "later")
    (key,) = later.pick(File("m.mp4", long_clip, modified=5))
    assert later.phase(key) is Phase.CLASH
    assert [row["phase"] for row in later.desk.view()["rows"]] == ["missing", "clash"]


def test_a_beginning_whose_bytes_were_swept_away_begins_anew(here, long_clip):
    page = page_of(here)
    page.pick(File("m.mp4", long_clip))
    page.run(most=12)
    (part,) = Path(here.url, "videos").iterdir()
    part.unlink()
    later = page_of(here, "later")
    (key,) = later.pick(File("m.mp4", long_clip))
    later.run()
    assert stored(here, "m.mp4") == long_clip
    assert later.phase(key) is Phase.DONE


def test_a_beginning_can_be_given_up(project, long_clip):
    page = page_of(project)
    page.pick(File("m.mp4", long_clip))
    page.run(most=12)
    later = page_of(project, "later")
    later.say("remove", key=later.desk.view()["rows"][0]["key"])
    assert later.desk.view()["rows"] == []
    assert all_files(project) == ["posenb.yaml"]
    assert page_of(project).desk.view()["rows"] == []


def test_a_page_that_was_loaded_anew_is_asked_to_choose_again(here, long_clip):
    page = page_of(here)
    (key,) = page.pick(File("m.mp4", long_clip))
    page.run(most=12)
    again = Page(page.desk, page.clock, "again")
    again.tick()
    assert page.phase(key) is Phase.SENDING  # the old page may be there still, in another tab
    for _ in range(22):
        again.tick()
    assert page.phase(key) is Phase.MISSING
    (new,) = again.pick(File("m.mp4", long_clip))
    again.run()
    assert again.phase(new) is Phase.DONE
    assert stored(here, "m.mp4") == long_clip


def test_a_page_that_was_only_silent_goes_on_by_itself(here, long_clip):
    page = page_of(here)
    (key,) = page.pick(File("m.mp4", long_clip))
    page.run(most=12)
    page.waiting.clear()
    other = Page(page.desk, page.clock, "other")
    other.tick()
    other.tick(60)
    assert page.phase(key) is Phase.MISSING
    page.tick()
    page.run()
    assert page.phase(key) is Phase.DONE
    assert stored(here, "m.mp4") == long_clip


def test_a_question_that_got_lost_is_put_again(here, long_clip):
    page = page_of(here)
    page.pick(File("m.mp4", long_clip))
    page.run(most=12)
    later = page_of(here, "later")
    (key,) = later.pick(File("m.mp4", long_clip))
    later.waiting.clear()
    later.tick(1)
    assert not later.waiting or all(each["ask"] == "tock" for each in later.waiting)
    later.tick(6, jobs=(key,))
    assert all(each["ask"] == "tock" for each in later.waiting)
    later.tick(6)
    later.run()
    assert later.phase(key) is Phase.DONE


def test_storage_that_fails_stops_the_file_and_keeps_what_was_safe(here, long_clip, monkeypatch):
    page = page_of(here)
    (key,) = page.pick(File("m.mp4", long_clip))
    page.run(most=12)
    real = storage.growing._LocalGrowing.append

    def full(self, data):
        raise StorageError("the disk is full")

    monkeypatch.setattr(storage.growing._LocalGrowing, "append", full)
    page.run()
    assert page.phase(key) is Phase.FAILED
    assert page.row(key)["message"] == "the disk is full"
    monkeypatch.setattr(storage.growing._LocalGrowing, "append", real)
    page.say("resume", key=key)
    page.run()
    assert page.phase(key) is Phase.DONE
    assert stored(here, "m.mp4") == long_clip


def test_a_file_that_the_browser_cannot_read_any_more_says_so(here, long_clip):
    page = page_of(here)
    (key,) = page.pick(File("m.mp4", long_clip))
    page.run(most=3)
    page.say("unreadable", key=key, reason="NotFoundError")
    assert page.phase(key) is Phase.FAILED
    assert "choose it again" in page.row(key)["message"]
    (again,) = page.pick(File("m.mp4", long_clip))
    page.run()
    assert page.phase(again) is Phase.DONE


def test_two_windows_that_send_the_same_file_never_mix_their_pieces(here, long_clip):
    page = page_of(here)
    (key,) = page.pick(File("m.mp4", long_clip))
    page.run(most=9)
    other = page_of(here, "other")
    (there,) = other.pick(File("m.mp4", long_clip))
    other.run(most=9)
    page.run()
    assert page.phase(key) is Phase.FAILED
    assert "Only one window may send 'm.mp4'" in page.row(key)["message"]
    other.run()
    assert other.phase(there) is Phase.DONE
    assert stored(here, "m.mp4") == long_clip
    page.say("resume", key=key)
    page.run()
    assert page.row(key)["message"] == "The same video was here already; nothing was sent."


# --- names --------------------------------------------------------------------------------


def test_the_same_video_is_known_again_and_not_sent(here, long_clip):
    page = page_of(here)
    page.pick(File("m.mp4", long_clip))
    page.run()
    later = page_of(page.desk.project, "later")
    (key,) = later.pick(File("m.mp4", long_clip, modified=9))
    later.run()
    assert later.phase(key) is Phase.DONE
    assert later.row(key)["message"] == "The same video was here already; nothing was sent."
    assert "pieces" not in later.asked
    assert all_files(here) == ["posenb.yaml", "videos/m.mp4"]


def test_another_video_of_the_same_name_asks_for_one_of_its_own(here, clip, long_clip):
    page = page_of(here)
    page.pick(File("m.mp4", clip))
    page.run()
    (key,) = page.pick(File("m.mp4", long_clip))
    page.run()
    row = page.row(key)
    assert (row["phase"], row["offer"]) == ("clash", "m-2.mp4")
    assert "Another video is named m." in row["message"]
    assert stored(here, "m.mp4") == clip
    page.say("rename", key=key, name="../m-2.mp4")
    page.run()
    assert page.phase(key) is Phase.DONE
    assert page.row(key)["original"] == "m.mp4"
    assert stored(here, "m.mp4") == clip
    assert stored(here, "m-2.mp4") == long_clip


def test_a_video_of_the_same_size_but_other_content_is_another_one(here, long_clip):
    page = page_of(here)
    page.pick(File("m.mp4", long_clip))
    page.run()
    other = bytearray(long_clip)
    other[9 * PIECE] ^= 1
    (key,) = page.pick(File("m.mp4", bytes(other), modified=3))
    page.run()
    assert page.phase(key) is Phase.CLASH
    assert stored(here, "m.mp4") == long_clip


def test_a_name_that_differs_only_by_its_ending_is_taken_too(here, clip):
    page = page_of(here)
    page.pick(File("m.mp4", clip))
    page.run()
    (key,) = page.pick(File("m.avi", clip + b"\0"))
    page.run()
    assert (page.phase(key), page.row(key)["offer"]) == (Phase.CLASH, "m-2.avi")


def test_two_files_of_one_name_picked_together_need_two_names(here, clip):
    page = page_of(here)
    first, second = page.pick(File("m.mp4", clip), File("m.mp4", clip + b"\0"))
    page.run()
    assert (page.phase(first), page.phase(second)) == (Phase.DONE, Phase.CLASH)


def test_the_same_file_picked_twice_is_one(here, clip, long_clip):
    page = page_of(here)
    page.pick(File("m.mp4", long_clip))
    page.pick(File("m.mp4", long_clip))
    assert len(page.desk.view()["rows"]) == 1


def test_a_name_that_is_taken_while_the_file_is_on_its_way_is_never_overwritten(
    here, clip, long_clip
):
    page = page_of(here)
    (key,) = page.pick(File("m.mp4", long_clip))
    page.run(most=12)
    storage.write_bytes(storage.join(here.url, "videos/m.mp4"), clip)
    page.run()
    assert page.phase(key) is Phase.FAILED
    assert "Choose another name" in page.row(key)["message"]
    assert stored(here, "m.mp4") == clip
    page.say("resume", key=key)
    page.run()
    assert page.phase(key) is Phase.CLASH
    page.say("rename", key=key, name="other.mp4")
    page.run()
    assert page.phase(key) is Phase.DONE
    assert stored(here, "other.mp4") == long_clip
    assert stored(here, "m.mp4") == clip


@pytest.mark.parametrize(
    "name", ["../../evil.mp4", "/etc/evil.mp4", "a/../evil.mp4", "..\\evil.mp4"]
)
def test_no_name_leads_out_of_the_folder(here, clip, name, tmp_path):
    page = page_of(here)
    page.pick(File(name, clip))
    page.run()
    assert all_files(here) == ["posenb.yaml", "videos/evil.mp4"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["reach"]


# --- what lies elsewhere already ------------------------------------------------------------


def test_videos_are_found_and_added_where_they_lie(here, clip, tmp_path):
    for name in ("m1.mp4", "m2.avi", "notes.txt"):
        storage.write_bytes(tmp_path / "raw" / name, clip)
    page = page_of(here)
    page.say("find", text=f" {tmp_path}/raw ")
    items = page.desk.view()["found"]["items"]
    assert [(item["name"], item["known"]) for item in items] == [
        ("m1.mp4", False),
        ("m2.avi", False),
    ]
    page.say("add", url=items[0]["url"])
    assert page.desk.view()["found"]["items"][0]["known"]
    assert here.reload().videos == {"m1": "../raw/m1.mp4"}
    (row,) = page.desk.view()["rows"]
    assert (row["phase"], row["message"]) == ("done", "Added where it lies.")
    assert page.desk.pictures[row["key"]]


def test_what_cannot_be_added_says_why(here, tmp_path):
    storage.write_bytes(tmp_path / "raw" / "m1.mp4", b"no video")
    page = page_of(here)
    page.say("add", url=str(tmp_path / "raw" / "m1.mp4"))
    (row,) = page.desk.view()["rows"]
    assert row["phase"] == "refused"
    assert "m1.mp4" in row["message"]
    assert storage.exists(tmp_path / "raw" / "m1.mp4")


def test_a_place_without_videos_says_so(here, tmp_path):
    page = page_of(here)
    page.say("find", text=str(tmp_path / "nowhere"))
    assert "Nothing is at" in page.desk.view()["found"]["message"]
    page.say("find", text="  ")
    assert page.desk.view()["found"] is None


def test_a_video_of_another_place_that_is_the_same_is_known(here, clip, tmp_path):
    storage.write_bytes(tmp_path / "raw" / "m1.mp4", clip)
    project = add_videos(here, tmp_path / "raw" / "m1.mp4", progress=silent_progress)
    page = page_of(project)
    (key,) = page.pick(File("m1.mp4", clip))
    page.run()
    assert page.row(key)["message"] == "The same video was here already; nothing was sent."
    assert project.reload().videos == {"m1": "../raw/m1.mp4"}


# --- what no page of today says ---------------------------------------------------------------


@pytest.mark.parametrize("message", [{}, {"do": "dance"}, {"do": "pause", "key": "nobody"}])
def test_what_is_not_understood_changes_nothing(here, message):
    page = page_of(here)
    before = page.desk.view()
    assert page.desk.handle(message) == []
    assert page.desk.view() == before


def test_the_chain_of_the_page_is_that_of_the_kernel(here, long_clip):
    page = page_of(here)
    (key,) = page.pick(File("m.mp4", long_clip))
    page.run(most=12)
    row = page.desk._rows[key]
    assert row.transfer.chain == chain_of(long_clip[: row.transfer.position])
