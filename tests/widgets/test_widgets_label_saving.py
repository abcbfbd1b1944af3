"""Labels saved in the background, by several people at once, through faults and full disks."""

import threading
import time

import pytest
from label_states import KEYPOINTS, labels_of, made_project

from posenb import labels as labels_room
from posenb.core import FrameName, Visibility
from posenb.errors import StorageError
from posenb.labels import read_labels
from posenb.widgets import label_edits as edits
from posenb.widgets import label_moves as moves
from posenb.widgets import label_saving
from posenb.widgets.label_others import Said
from posenb.widgets.label_saving import Saver
from posenb.widgets.label_state import new_state

FRAMES = tuple(FrameName(video, f"img{n}.png") for video in ("m1", "m2") for n in range(3))


class Person:
    """Someone with a labeller: a state and its saver."""

    def __init__(self, project, frames=FRAMES):
        known = project.labels() if project.has_labels() else labels_of(())
        state = new_state(frames, known)
        self.state = moves.show_image(moves.go_to(state, 0), (200, 100))
        self.saver = Saver(project, self.state, pause=0.01)

    def place(self, frame, keypoint, x, y):
        self.state = moves.choose_cell(moves.go_to(self.state, frame), keypoint)
        self.do(lambda state: edits.place(state, x, y))

    def do(self, step):
        self.state = step(self.state)
        self.saver.submit(self.state)

    def save(self):
        assert self.saver.flush(20)
        return self.adopt()

    def adopt(self):
        self.state, conflicts = self.saver.adopt(self.state)
        return conflicts

    def look(self, frame=0):
        """Look at a table, and wait for it as a page does that goes on asking."""
        self.saver.look(frame)
        until = time.monotonic() + 20
        while self.saver.looking and time.monotonic() < until:
            time.sleep(0.005)
        assert not self.saver.looking
        return self.adopt()


def there(project, frame=0, keypoint=0):
    labels = read_labels(project.labels_url(FRAMES[frame].video), project.skeleton)
    n = labels.frames.index(FRAMES[frame])
    return (*labels.positions[n, 0, keypoint].tolist(), int(labels.visibility[n, 0, keypoint]))


@pytest.fixture
def project(tmp_path):
    return made_project(tmp_path)


def versions(project, video="m1"):
    from pathlib import Path

    folder = Path(project.url) / "labeled-data" / video / ".history"
    return sorted(path for path in folder.glob("*.h5"))


def test_an_edit_is_saved_without_being_asked_for(project):
    ann = Person(project)
    ann.place(0, 1, 12.5, 30.25)
    until = time.monotonic() + 20
    while ann.saver.status.kind != "saved" and time.monotonic() < until:
        time.sleep(0.01)
    assert there(project, 0, 1) == (12.5, 30.25, Visibility.VISIBLE)


def test_saving_does_not_wait_for_the_storage(project, monkeypatch):
    free = threading.Event()
    real = label_saving.save_labels

    def slow(*arguments, **options):
        free.wait(20)
        return real(*arguments, **options)

    monkeypatch.setattr(label_saving, "save_labels", slow)
    ann = Person(project)
    for n in range(3):
        ann.place(n, 0, n, n)  # returns while nothing can be written
    assert ann.saver.status.kind == "waiting"
    free.set()
    ann.save()
    assert [there(project, n)[:2] for n in range(3)] == [(0, 0), (1, 1), (2, 2)]


def test_many_edits_are_few_writings(project, monkeypatch):
    calls = []
    real = label_saving.save_labels

    def counted(*arguments, **options):
        calls.append(arguments[0])
        return real(*arguments, **options)

    monkeypatch.setattr(label_saving, "save_labels", counted)
    ann = Person(project)
    ann.saver._pause = 0.5
    for n in range(40):
        ann.place(n % 3, n % 3, n, n)
    ann.save()
    assert 1 <= len(calls) <= 3


def test_each_video_has_its_own_table_and_untouched_ones_none(project):
    ann = Person(project)
    ann.place(0, 0, 1, 1)
    ann.save()
    assert labels_room.has_labels(project.labels_url("m1"))
    assert not labels_room.has_labels(project.labels_url("m2"))
    ann.place(4, 0, 2, 2)
    ann.save()
    assert there(project, 4)[:2] == (2, 2)


def test_deleting_hiding_and_undoing_reach_the_table(project):
    ann = Person(project)
    ann.place(0, 0, 1, 1)
    ann.place(0, 1, 2, 2)
    ann.save()
    ann.do(lambda state: edits.mark_occluded(moves.choose_cell(state, 0)))
    ann.do(lambda state: edits.delete_point(moves.choose_cell(state, 1)))
    ann.save()
    assert there(project)[2] == Visibility.OCCLUDED
    assert there(project, 0, 1)[2] == Visibility.UNLABELLED
    ann.do(edits.undo)
    ann.do(edits.undo)
    ann.save()
    assert there(project)[2] == Visibility.VISIBLE
    assert there(project, 0, 1)[:2] == (2, 2)


def test_two_people_lose_nothing(project):
    ann, bea = Person(project), Person(project)
    for n in range(3):
        ann.place(n, 0, n, 1)
        bea.place(n, 1, n, 2)
        bea.place(3 + n, 0, n, 3)
    assert ann.save() == ()
    assert bea.save() == ()
    for n in range(3):
        assert there(project, n, 0)[:2] == (n, 1)
        assert there(project, n, 1)[:2] == (n, 2)
        assert there(project, 3 + n, 0)[:2] == (n, 3)


def test_labels_of_others_show_up_with_the_next_saving_and_stay(project):
    ann, bea = Person(project), Person(project)
    ann.place(0, 0, 10, 10)
    ann.save()
    bea.place(0, 1, 20, 20)
    bea.save()
    assert bea.state.points[0].positions[0, 0].tolist() == [10, 10]
    bea.place(1, 1, 30, 30)  # what came from Ann is not taken for a change of Bea's
    ann.do(lambda state: edits.nudge(moves.choose_cell(moves.go_to(state, 0), 0), 5, 0))
    ann.save()
    bea.save()
    assert there(project)[:2] == (15, 10)
    assert bea.state.points[0].positions[0, 0].tolist() == [15, 10]


def test_the_same_point_changed_by_two_is_a_conflict_and_both_values_stay(project):
    ann, bea = Person(project), Person(project)
    ann.place(0, 0, 10, 10)
    ann.save()
    bea.place(0, 0, 90, 90)
    (conflict,) = bea.save()
    assert (conflict.frame, conflict.cell) == (FRAMES[0], (0, 0))
    assert conflict.theirs == conflict.lost == Said((10, 10), Visibility.VISIBLE)
    assert conflict.mine == Said((90, 90), Visibility.VISIBLE)
    assert there(project)[:2] == (90, 90)  # who saves last
    kept = read_labels(versions(project)[-1])
    assert kept.positions[0, 0, 0].tolist() == [10, 10]
    bea.do(lambda state: edits.take_back(state, conflict.frame, {conflict.cell: conflict.lost}))
    assert bea.save() == ()
    assert there(project)[:2] == (10, 10)


def test_the_same_value_from_two_is_no_conflict(project):
    ann, bea = Person(project), Person(project)
    ann.place(0, 0, 10, 10)
    ann.save()
    bea.place(0, 0, 10, 10)
    assert bea.save() == ()


def test_one_erases_what_another_moved(project):
    ann = Person(project)
    ann.place(0, 0, 10, 10)
    ann.save()
    bea = Person(project)
    ann.do(lambda state: edits.nudge(moves.choose_cell(state, 0), 1, 0))
    ann.save()
    bea.do(lambda state: edits.delete_point(moves.choose_cell(state, 0)))
    (conflict,) = bea.save()
    assert conflict.theirs.position == (11, 10)
    assert there(project)[2] == Visibility.UNLABELLED


@pytest.fixture
def at_once(monkeypatch):
    """Tables may be looked at again right after they were read."""
    monkeypatch.setattr(label_saving, "_RECENT", 0.0)


def test_labels_of_others_show_up_by_looking(project, at_once):
    ann, bea = Person(project), Person(project)
    assert bea.look() == ()  # there is no table yet
    ann.place(0, 0, 10, 10)
    ann.place(4, 1, 20, 20)
    ann.save()
    assert bea.look(2) == ()
    assert bea.state.points[0].positions[0, 0].tolist() == [10, 10]
    assert not bea.state.points[4].said.any()  # which is another table
    assert bea.look(4) == ()
    assert bea.state.points[4].positions[0, 1].tolist() == [20, 20]
    assert bea.saver.status.kind == "saved"  # what came is no change of Bea's
    assert not bea.state.past


def test_a_table_is_read_when_it_changed_and_only_then(project, at_once, monkeypatch):
    calls = []
    real = label_saving.read_labels
    monkeypatch.setattr(label_saving, "read_labels", lambda url: calls.append(url) or real(url))
    ann, bea = Person(project), Person(project)
    ann.place(0, 0, 10, 10)
    ann.save()
    for _ in range(3):
        bea.look()
    assert len(calls) == 1
    ann.do(lambda state: edits.mark_occluded(moves.choose_cell(state, 0)))  # beside the table
    ann.save()
    bea.look()
    assert len(calls) == 2
    assert bea.state.points[0].visibility[0, 0] == Visibility.OCCLUDED


def test_who_has_just_saved_or_looked_does_not_look(project, monkeypatch):
    calls = []
    monkeypatch.setattr(label_saving, "read_labels", calls.append)
    ann = Person(project)
    ann.place(0, 0, 10, 10)
    ann.save()
    ann.saver.look(0)
    assert not ann.saver.looking
    assert calls == []


def test_what_was_saved_comes_back_from_a_look_as_it_is(project, at_once):
    ann = Person(project)
    ann.place(0, 0, 1 / 3, 70.123456789012345)
    ann.do(edits.mark_absent)
    ann.place(1, 2, 0.1 + 0.2, 1e-7)
    ann.do(lambda state: edits.mark_occluded(moves.choose_cell(state, 2)))
    ann.save()
    before = ann.state
    assert ann.look() == ()
    assert ann.state.points == before.points  # the very same


def test_who_saved_a_point_is_told_that_another_changed_it(project, at_once):
    ann, bea = Person(project), Person(project)
    ann.place(0, 0, 10, 10)
    ann.save()
    bea.look()
    bea.do(lambda state: edits.nudge(moves.choose_cell(moves.go_to(state, 0), 0), 5, 0))
    assert bea.save() == ()  # Bea saw Ann's and corrected it
    (conflict,) = ann.look()
    assert not conflict.mine_stands
    assert conflict.lost == Said((10, 10), Visibility.VISIBLE)
    assert conflict.theirs == Said((15, 10), Visibility.VISIBLE)
    assert ann.look() == ()
    ann.do(lambda state: edits.take_back(state, conflict.frame, {conflict.cell: conflict.lost}))
    ann.save()
    assert there(project)[:2] == (10, 10)
    (back,) = bea.look()
    assert back.theirs.position == (10, 10)


def test_a_point_that_another_deleted_is_told_as_well(project, at_once):
    ann, bea = Person(project), Person(project)
    ann.place(0, 0, 10, 10)
    ann.save()
    bea.look()
    bea.do(lambda state: edits.delete_point(moves.choose_cell(moves.go_to(state, 0), 0)))
    bea.save()
    (conflict,) = ann.look()
    assert conflict.theirs == Said(None, Visibility.UNLABELLED)
    assert not ann.state.here.said.any()


def test_points_that_were_not_saved_here_may_change_without_a_word(project, at_once):
    ann = Person(project)
    ann.place(0, 0, 10, 10)
    ann.place(0, 1, 20, 20)
    ann.do(lambda state: edits.delete_point(moves.choose_cell(moves.go_to(state, 0), 1)))
    ann.save()
    bea = Person(project)  # knows Ann's labels from the start
    ann.do(lambda state: edits.nudge(moves.choose_cell(state, 0), 1, 0))
    ann.save()
    bea.place(0, 1, 33, 33)  # where Ann says nothing any more
    assert bea.save() == ()
    assert bea.state.points[0].positions[0, 0].tolist() == [11, 10]
    assert ann.look() == ()
    assert ann.state.points[0].positions[0, 1].tolist() == [33, 33]


def test_undo_does_not_erase_what_another_put_there(project):
    ann, bea = Person(project), Person(project)
    ann.place(0, 0, 10, 10)
    ann.save()
    bea.place(0, 0, 90, 90)
    bea.save()
    ann.place(0, 1, 20, 20)
    assert len(ann.save()) == 1
    ann.do(edits.undo)
    ann.do(edits.undo)
    assert "somebody else changed snout" in ann.state.message
    ann.save()
    assert there(project)[:2] == (90, 90)
    assert there(project, 0, 1)[2] == Visibility.UNLABELLED


def test_news_wait_while_the_same_point_is_being_changed(project, at_once):
    ann, bea = Person(project), Person(project)
    ann.place(0, 0, 10, 10)
    ann.place(1, 0, 40, 40)
    ann.save()
    bea.saver._save_all = lambda: None  # what Bea does is not saved yet
    bea.place(0, 0, 90, 90)
    bea.look()
    assert bea.state.points[0].positions[0, 0].tolist() == [90, 90]
    assert bea.state.points[1].positions[0, 0].tolist() == [40, 40]
    bea.do(edits.undo)
    bea.adopt()
    assert bea.state.points[0].positions[0, 0].tolist() == [10, 10]


def test_a_look_that_fails_is_tried_again_and_disturbs_no_saving(project, at_once, monkeypatch):
    ann, bea = Person(project), Person(project)
    ann.place(0, 0, 10, 10)
    ann.save()
    real = label_saving.read_labels

    def down(url):
        raise StorageError("The bucket is down. Wait.")

    monkeypatch.setattr(label_saving, "read_labels", down)
    assert bea.look() == ()
    assert bea.saver.status.kind == "saved"
    monkeypatch.setattr(label_saving, "read_labels", real)
    bea.look()
    assert bea.state.points[0].said.any()


def test_looking_waits_for_nothing_and_ends_with_the_work(project, at_once, monkeypatch):
    free = threading.Event()
    monkeypatch.setattr(label_saving, "read_labels", lambda url: free.wait(20) and labels_of(()))
    ann = Person(project)
    ann.place(0, 0, 1, 1)
    ann.save()
    ann.saver.look(0)  # returns while nothing can be read
    assert ann.saver.looking
    free.set()
    assert ann.saver.close()
    ann.saver.look(0)
    assert not ann.saver.looking


def test_clicks_do_not_push_older_versions_out(project):
    ann = Person(project)
    for n in range(6):
        ann.place(n % 3, n % 3, n, n)
        ann.save()
    assert len(versions(project)) == 0  # all of it was Ann's own
    bea = Person(project)
    for n in range(4):
        bea.place(0, 0, n, n)
        bea.save()
    assert len(versions(project)) == 1  # as Bea found it


def test_edits_while_saving_are_saved_too(project, monkeypatch):
    begun, free = threading.Event(), threading.Event()
    real = label_saving.save_labels

    def slow(*arguments, **options):
        begun.set()
        free.wait(20)
        return real(*arguments, **options)

    monkeypatch.setattr(label_saving, "save_labels", slow)
    ann = Person(project)
    ann.place(0, 0, 1, 1)
    assert begun.wait(20)
    ann.place(0, 0, 2, 2)
    ann.place(0, 1, 3, 3)
    free.set()
    ann.save()
    assert there(project)[:2] == (2, 2)
    assert there(project, 0, 1)[:2] == (3, 3)
    assert ann.saver.status.kind == "saved"


@pytest.mark.parametrize(
    "fault", [StorageError("The bucket is down. Wait."), OSError("disk full"), ValueError("odd")]
)
def test_what_cannot_be_saved_is_told_kept_and_tried_again(project, monkeypatch, fault):
    real = label_saving.save_labels
    down = True

    def faulty(*arguments, **options):
        if down:
            raise fault
        return real(*arguments, **options)

    monkeypatch.setattr(label_saving, "save_labels", faulty)
    monkeypatch.setattr(label_saving, "_RETRY", (0.05, 0.1))
    ann = Person(project)
    ann.place(0, 0, 1, 1)
    assert not ann.saver.flush(20)
    status = ann.saver.status
    assert status.kind == "failed"
    assert str(fault) in status.error
    down = False
    until = time.monotonic() + 20
    while ann.saver.status.kind != "saved" and time.monotonic() < until:
        time.sleep(0.02)  # without any further edit
    assert there(project)[:2] == (1, 1)
    assert ann.saver.status.kind == "saved"


def test_when_all_is_saved_nothing_is_written(project):
    ann = Person(project)
    ann.place(0, 0, 1, 1)
    ann.do(edits.undo)
    assert ann.save() == ()
    ann.saver.submit(ann.state)
    assert ann.saver.close()


def test_a_table_of_all_videos_is_saved_as_one(tmp_path):
    from posenb.labels import write_labels
    from posenb.project import open_project

    images = tuple(FrameName("", f"img{n}.png") for n in range(2))
    (tmp_path / "labeled-data").mkdir()
    first = labels_of(images)
    write_labels(tmp_path / "CollectedData.csv", first)
    project = open_project(tmp_path)
    ann = Person(project, images)
    ann.place(1, 2, 7, 8)
    ann.save()
    found = read_labels(tmp_path / "CollectedData.csv")
    assert found.positions[1, 0, found.skeleton.index(KEYPOINTS[2])].tolist() == [7, 8]
