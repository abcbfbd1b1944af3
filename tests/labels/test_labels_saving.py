import multiprocessing
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from label_samples import MOUSE, assert_same_labels, changed, one_animal

from posenb import storage
from posenb.core import Labels, Skeleton
from posenb.errors import LabelError
from posenb.labels import files, read_labels, save_labels


def versions(folder):
    return sorted(path.name for path in (folder / ".history").glob("*"))


def test_the_first_labels_are_simply_written(tmp_path):
    assert_same_labels(save_labels(tmp_path, one_animal()), one_animal())
    assert_same_labels(read_labels(tmp_path), one_animal())
    assert not (tmp_path / ".history").exists()


def test_labels_are_added_to_what_is_there_and_sorted(tmp_path):
    save_labels(tmp_path, one_animal("b.png", start=5))
    result = save_labels(tmp_path, one_animal("a.png"))
    assert [frame.image for frame in result.frames] == ["a.png", "b.png"]
    assert_same_labels(read_labels(tmp_path), result)


def test_silence_erases_nothing_but_an_erasure_does(tmp_path):
    save_labels(tmp_path, one_animal())
    silent = changed(one_animal(), {(0, 0, 0): (0,)})
    assert_same_labels(save_labels(tmp_path, silent), one_animal())
    assert_same_labels(save_labels(tmp_path, silent, base=one_animal()), silent)
    assert_same_labels(read_labels(tmp_path), silent)


def test_the_previous_version_is_kept_and_can_be_read(tmp_path):
    first = changed(one_animal(), {(0, 0, 0): (1,)})
    save_labels(tmp_path, first)
    save_labels(tmp_path, one_animal(start=50))
    assert versions(tmp_path) == [
        "CollectedData_ann.000001.h5",
        "CollectedData_ann.000001.occluded.json",
    ]
    kept = read_labels(tmp_path / ".history" / "CollectedData_ann.000001.h5")
    assert_same_labels(kept, first)


def test_a_bounded_number_of_versions_is_kept(tmp_path):
    for start in range(6):
        save_labels(tmp_path, one_animal(start=start), keep=3)
    assert versions(tmp_path) == [f"CollectedData_ann.00000{n}.h5" for n in (3, 4, 5)]
    newest = read_labels(tmp_path / ".history" / "CollectedData_ann.000005.h5")
    assert newest.positions[0, 0, 0, 0] == 4


def test_without_a_change_nothing_is_written(tmp_path):
    save_labels(tmp_path, one_animal())
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("Collected*")}
    save_labels(tmp_path, one_animal())
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("Collected*")} == before
    assert not (tmp_path / ".history").exists()


def test_a_table_that_is_csv_alone_gets_its_h5(tmp_path):
    save_labels(tmp_path, one_animal("a.png"))
    (tmp_path / "CollectedData_ann.h5").unlink()
    save_labels(tmp_path, one_animal("b.png", start=5))
    assert len(read_labels(tmp_path / "CollectedData_ann.h5")) == 2
    assert versions(tmp_path) == ["CollectedData_ann.000001.csv"]


def test_keypoints_that_only_the_file_has_stay(tmp_path):
    save_labels(tmp_path, one_animal())
    save_labels(tmp_path, one_animal(start=9, skeleton=Skeleton(("tail",))))
    labels = read_labels(tmp_path)
    assert labels.skeleton.keypoints == MOUSE.keypoints
    assert labels.positions[0, 0, 0].tolist() == [0, 0.25]
    assert labels.positions[0, 0, 2].tolist() == [9, 9.25]


def test_deeplabcut_finds_one_table_and_no_versions(tmp_path):
    for start in range(3):
        save_labels(tmp_path, one_animal(start=start))
    assert [path.name for path in tmp_path.glob("*.h5")] == ["CollectedData_ann.h5"]
    assert [path.name for path in tmp_path.glob("*.csv")] == ["CollectedData_ann.csv"]
    assert not list(tmp_path.glob("*.png"))
    from_h5 = pd.read_hdf(tmp_path / "CollectedData_ann.h5")
    from_csv = pd.read_csv(
        tmp_path / "CollectedData_ann.csv", header=[0, 1, 2], index_col=[0, 1, 2]
    )
    np.testing.assert_array_equal(from_h5.to_numpy(), from_csv.to_numpy())


def test_a_damaged_table_is_left_as_it_is(tmp_path):
    save_labels(tmp_path, one_animal())
    (tmp_path / "CollectedData_ann.h5").write_bytes(b"damaged")
    with pytest.raises(LabelError, match="cannot be read"):
        save_labels(tmp_path, one_animal("other.png"))
    assert (tmp_path / "CollectedData_ann.h5").read_bytes() == b"damaged"


def test_versions_of_other_tables_and_foreign_files_are_left_alone(tmp_path):
    (tmp_path / ".history").mkdir()
    others = ["CollectedData_ann.b.000001.h5", "CollectedData_ann.best.h5", "notes.txt"]
    for name in others:
        (tmp_path / ".history" / name).touch()
    for start in range(4):
        save_labels(tmp_path, one_animal(start=start), keep=1)
    assert versions(tmp_path) == sorted(["CollectedData_ann.000003.h5", *others])


def test_scorers_with_odd_names_have_versions_too(tmp_path):
    for start in range(3):
        save_labels(tmp_path, one_animal(start=start, scorer="[a] m.ath*is?"), keep=1)
    assert versions(tmp_path) == ["CollectedData_[a] m.ath*is?.000002.h5"]


@pytest.mark.parametrize("name", ["mine.h5", "mine.csv", "CollectedData_bob", "CollectedData.csv"])
def test_a_table_of_any_name_is_added_to(tmp_path, name):
    save_labels(tmp_path / name, one_animal("a.png"))
    merged = save_labels(tmp_path / name, one_animal("b.png", start=5))
    assert len(merged) == 2
    assert_same_labels(read_labels(tmp_path / name), merged)


@pytest.mark.parametrize("step", ["write_occlusion", "write_hdf", "write_csv"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_cut_off_anywhere_the_labels_are_those_before_or_after(tmp_path, monkeypatch, step, moment):
    before = changed(one_animal(), {(0, 0, 0): (1,), (0, 0, 1): (1, 3, 4)})
    after = changed(one_animal(start=50), {(0, 0, 2): (1,), (1, 0, 0): (1, 5, 6)})
    save_labels(tmp_path, before)
    real = getattr(files, step)

    def cut(*args, **kwargs):
        if moment == "after":
            real(*args, **kwargs)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(files, step, cut)
        with pytest.raises(KeyboardInterrupt):
            save_labels(tmp_path, after)
    h5_is_written = step == "write_csv"  # within `writing`, what is cut off is not published
    assert_same_labels(read_labels(tmp_path), after if h5_is_written else before)
    save_labels(tmp_path, after)
    assert_same_labels(read_labels(tmp_path), after)


def save_many(url, images, keypoint, start):
    """Save one label at a time, as a person who clicks does."""
    for n, image in enumerate(images):
        positions = np.full((1, 1, 1, 2), start + n, dtype=float)
        labels = Labels((("m1", image),), positions, Skeleton((keypoint,)), scorer="ann")
        save_labels(url, labels)


def run_at_once(*jobs):
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=save_many, args=job) for job in jobs]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * len(processes)


def assert_nothing_lost_between_processes(url, count):
    images = [f"img{n}.png" for n in range(count)]
    run_at_once(
        (url, images, "snout", 100),
        (url, images[::-1], "tail", 200),
        (url, [f"other{n}.png" for n in range(count)], "snout", 300),
    )
    labels = read_labels(url)
    assert len(labels) == 2 * count
    for n in range(count):
        row = labels.frames.index(("m1", f"img{n}.png"))
        by_name = dict(zip(labels.skeleton.keypoints, labels.positions[row, 0, :, 0], strict=True))
        assert by_name == {"snout": 100 + n, "tail": 200 + count - 1 - n}
        other = labels.frames.index(("m1", f"other{n}.png"))
        assert labels.positions[other, 0, labels.skeleton.index("snout"), 0] == 300 + n


CLICKING = """
import sys, itertools, numpy as np
from posenb.core import Labels, Skeleton
from posenb.labels import save_labels
for n in itertools.count(int(sys.argv[2])):
    labels = Labels((("m1", f"img{n:04d}.png"),), np.full((1, 1, 1, 2), n), Skeleton(("k",)))
    save_labels(sys.argv[1], labels)
    print(n, flush=True)
"""


@pytest.mark.slow
def test_killed_at_any_moment_no_saved_label_is_lost(tmp_path):
    saved = []
    for patience in (0.01, 0.02, 0.035, 0.055):
        command = [sys.executable, "-c", CLICKING, str(tmp_path), str(len(saved) + 100)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as person:
            saved += [int(person.stdout.readline()), int(person.stdout.readline())]
            time.sleep(patience)
            person.kill()
            saved += [int(line) for line in person.stdout]
        labels = read_labels(tmp_path)
        there = dict(zip(labels.frames, labels.positions[:, 0, 0, 0].tolist(), strict=True))
        for n in saved:
            assert there[("m1", f"img{n:04d}.png")] == n


@pytest.mark.slow
def test_processes_that_save_at_once_lose_nothing(tmp_path):
    assert_nothing_lost_between_processes(str(tmp_path), 5)


@pytest.mark.slow
def test_processes_that_save_in_the_cloud_at_once_lose_nothing(gs_bucket):
    url = storage.join(gs_bucket, "labeled-data/m1")
    assert_nothing_lost_between_processes(url, 2)


def test_what_is_there_is_kept_only_where_it_is_worth_it(tmp_path):
    save_labels(tmp_path, one_animal())
    seen = []

    def worth_keeping(old):
        seen.append(old.positions.tolist())
        return len(seen) == 2

    for start in (100.0, 200.0, 300.0):
        save_labels(tmp_path, one_animal(start=start), worth_keeping=worth_keeping)
    assert seen == [one_animal(start=start).positions.tolist() for start in (0.0, 100.0, 200.0)]
    (kept,) = (tmp_path / ".history").glob("*.h5")
    assert read_labels(kept).positions.tolist() == one_animal(start=100.0).positions.tolist()
