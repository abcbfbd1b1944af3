"""The commands that choose frames and show what was labelled in them."""

from pathlib import Path

import pytest

from posenb.project import list_frames


def test_extract_frames_adds_what_is_missing(posenb, project):
    # Eight images lie there already.
    done = posenb("extract-frames", project.url, "--count", "8", "-q")
    assert (done.exit_code, done.stdout.strip()) == (0, "0 frames added"), done.output
    Path(project.image_url(list_frames(project, "clip")[3])).unlink()
    done = posenb("extract-frames", project.url, "--count", "8", "--method", "uniform", "-q")
    assert (done.exit_code, done.stdout.strip()) == (0, "1 frame added"), done.output
    assert len(list_frames(project, "clip")) == 8


def test_extract_frames_passes_its_options_on(posenb, project):
    for frame in list_frames(project, "clip"):
        Path(project.image_url(frame)).unlink()
    options = ("--videos", "clip", "--start", "2", "--stop", "5", "--crop", "0,32,0,16")
    done = posenb("extract-frames", project.url, "--count", "2", *options, "-q")
    assert done.exit_code == 0, done.output
    names = [frame.image for frame in list_frames(project, "clip")]
    assert len(names) == 2
    assert set(names) <= {"img2.png", "img3.png", "img4.png"}


@pytest.mark.parametrize("command", ["extract-frames", "check-labels"])
def test_a_misspelt_video_meets_the_likeliest_one(posenb, project, command):
    done = posenb(command, project.url, "--video", "clib", "-q")
    assert done.exit_code == 1
    assert "Did you mean 'clip'?" in done.stderr


def test_check_labels_says_where_the_page_is(posenb, project, tmp_path):
    done = posenb("check-labels", project.url, "--output", tmp_path / "out", "--no-zoom", "-q")
    assert done.exit_code == 0, done.output
    assert Path(done.stdout.strip()) == tmp_path / "out" / "index.html"
    assert len(list((tmp_path / "out" / "clip").glob("*.png"))) == 8
    assert done.stderr == ""
