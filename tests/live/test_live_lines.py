"""Poses as lines of a table that grows while they come."""

import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from posenb._progress import silent_progress
from posenb.errors import InvalidInputError, StorageError
from posenb.inference import load_poses
from posenb.live import LivePose, PoseLines, analyze_live

QUIET = {"progress": silent_progress, "drop": False}


def spots(count):
    frames = np.zeros((count, 48, 64, 3), np.uint8)
    for number, frame in enumerate(frames):
        frame[10 + number, 20] = 255
    return list(frames)


def pose(number, *values):
    array = np.array(values, np.float32).reshape(-1, 3)
    return LivePose(number, 0.0, 0.0, 0.0, array, None, (0, 64, 0, 48))


def test_a_line_has_the_frame_and_three_numbers_a_keypoint(brightest):
    lines = PoseLines(brightest.description)
    assert lines(pose(7, 1.5, 2, 0.25, np.nan, np.nan, 0)) == ("7,1.5000,2.0000,0.2500,,,0.0000\n")
    assert lines.header.splitlines() == [
        "scorer" + ",posenb_brightest" * 6,
        "bodyparts" + ",snout" * 3 + ",tail" * 3,
        "coords" + ",x,y,likelihood" * 2,
    ]


def test_an_animal_with_a_name_has_a_row_for_it(brightest):
    described = brightest.description.replace(individuals=("ann",))
    assert PoseLines(described).header.splitlines()[1] == "individuals" + ",ann" * 6


def test_the_table_is_read_as_poses(brightest, tmp_path):
    found = analyze_live("run", spots(6), output=tmp_path / "new" / "poses.csv", **QUIET)
    back = load_poses(tmp_path / "new" / "poses.csv")
    np.testing.assert_allclose(back.positions, found.poses.positions, atol=1e-4)
    np.testing.assert_allclose(back.likelihoods, found.poses.likelihoods, atol=1e-4)
    assert back.scorer == found.poses.scorer
    table = pd.read_csv(tmp_path / "new" / "poses.csv", header=[0, 1, 2], index_col=0)
    assert table.index.tolist() == list(range(6))
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["poses.csv"]


def test_each_pose_is_there_before_the_next_is_looked_for(brightest, tmp_path):
    path, seen = tmp_path / "poses.csv", []

    def look(found):
        seen.append(len(path.read_text().splitlines()))

    analyze_live("run", spots(4), look, output=path, **QUIET)
    assert seen == [3, 4, 5, 6]
    assert len(path.read_text().splitlines()) == 7


def test_an_interrupt_leaves_whole_lines(brightest, tmp_path):
    def interrupted(found):
        if found.frame == 3:
            signal.raise_signal(signal.SIGINT)

    found = analyze_live("run", spots(6), interrupted, output=tmp_path / "poses.csv", **QUIET)
    back = load_poses(tmp_path / "poses.csv")
    assert back.frames.tolist() == found.poses.frames.tolist() == [0, 1, 2]


def test_an_earlier_recording_is_never_written_over(brightest, tmp_path):
    path = tmp_path / "poses.csv"
    analyze_live("run", spots(2), output=path, **QUIET)
    before = path.read_bytes()
    with pytest.raises(StorageError, match=r"poses\.csv is there already"):
        analyze_live("run", spots(3), output=path, **QUIET)
    assert path.read_bytes() == before


def test_a_table_in_a_bucket_cannot_grow(brightest):
    with pytest.raises(InvalidInputError, match="Give a folder instead"):
        analyze_live("run", spots(2), output="memory://live/poses.csv", **QUIET)


def test_a_folder_that_cannot_be_made_is_told(brightest, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="Make room or choose another place"):
        analyze_live("run", spots(2), output=tmp_path / "file" / "poses.csv", **QUIET)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_told(brightest, monkeypatch, tmp_path):
    open_file = Path.open
    monkeypatch.setattr(
        Path, "open", lambda self, mode, **how: open_file(Path("/dev/full"), "wb", **how)
    )
    with pytest.raises(StorageError, match="No space left"):
        analyze_live("run", spots(2), output=tmp_path / "poses.csv", **QUIET)


def test_what_was_found_is_told_on_one_line(brightest):
    text = repr(analyze_live("run", spots(6), **QUIET))
    assert text.startswith("6 poses in ")
    assert "0 frames left out; from frame to pose" in text
    assert "ms (p99)" in text
