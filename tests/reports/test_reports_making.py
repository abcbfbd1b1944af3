"""The verb report: what stands on the page, and what it does without."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from made_analyses import (
    FPS,
    FRAMES,
    MODEL,
    SKELETON,
    VIDEO,
    facts_of,
    made_poses,
    make_project,
    story,
    without_evaluation,
    write_clip,
    write_judgement,
)

import posenb as pn
from posenb import storage
from posenb._progress import silent_progress
from posenb.core import Poses
from posenb.errors import (
    ConfigError,
    InvalidInputError,
    LabelError,
    PosenbError,
    StorageError,
    UnknownNameError,
)
from posenb.inference.record import write_analysis
from posenb.reports import clip as clip_module
from posenb.reports import recordings, report

QUIET = {"progress": silent_progress}


class Words(HTMLParser):
    """The words of a page, and the tags that were opened and not closed."""

    VOID = frozenset({"meta", "link", "br", "img", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"script", "style"} & {*self.open[-1:]}:
            self.words += data.split()


def words_of(url: str | Path) -> str:
    text = Words()
    text.feed(storage.read_text(url))
    assert text.open == []
    return " ".join(text.words)


@pytest.fixture
def project(tmp_path) -> Path:
    return make_project(tmp_path / "reach")


@pytest.fixture
def analysis(project) -> Path:
    return project / "poses" / "clip" / "first"


@pytest.fixture
def no_clip(monkeypatch):
    """Fails the test if a clip is made."""

    def never(*_: object, **__: object) -> None:
        raise AssertionError("the work began")

    monkeypatch.setattr(recordings, "make_clip", never)


# --- what stands on the page ---------------------------------------------------------


def test_the_report_lies_beside_the_poses_and_is_one_file(made_once):
    assert made_once.name == "report.html"
    names = {path.name for path in made_once.parent.iterdir()}
    assert names == {"poses.h5", "poses.csv", "meta.json", "report.html"}


def test_it_begins_with_how_exact_the_run_is_on_frames_it_never_saw(made_once):
    words = words_of(made_once)
    assert "clip.mp4 40 frames · 3 keypoints · 20 frames/s" in words
    assert (
        "On 2 frames kept aside for testing, keypoints lie 3.3 px from their labels on average; "
        "half of them lie within 3.0 px."
    ) in words


def test_it_tells_how_surely_each_keypoint_was_found(made_once):
    words = words_of(made_once)
    assert "snout 100 % – 0.5 px 0:00.0" in words
    assert "ear <left> 100 % – 12.0 px 0:01.8" in words
    assert "tail 38 % 1.2 s 0:00.2" in words


def test_the_table_of_errors_has_a_row_for_each_keypoint_and_one_for_all(made_once):
    words = words_of(made_once)
    assert "mean, validation mean, train" in words
    assert "snout 2.0 2.0 2.0 100 % 100 % 1.0 1.0" in words
    assert "all 3.3 3.0 5.0 100 % 100 % 2.3 2.3" in words


def test_it_tells_how_everything_was_made(made_once):
    words = words_of(made_once)
    for fact in (MODEL, VIDEO, "videos/clip.mp4", "posenb 0.1.0, numpy 2.1", "96 × 64 pixels"):
        assert fact in words
    assert "Labelled frames 3 train, 1 validation, 2 test" in words
    assert "model.backbone mobilenet_v2" in words
    assert "batch_size 16" in words


def test_settings_are_folded_away(made_once):
    text = made_once.read_text()
    assert len(re.findall(r"<details><summary>All settings of the (training|analysis)", text)) == 2


def test_learning_curve_errors_and_worst_frames_are_there_in_both_themes(made_once):
    text = made_once.read_text()
    for theme in ("light", "dark"):
        assert (
            len(re.findall(f'<img class="of-{theme}" alt="[^"]+" src="data:image/svg', text)) == 2
        )
    assert re.findall(r'<img alt="(test clip_img\d)" src="data:image/webp', text) == [
        "test clip_img0",
        "test clip_img1",
    ]


def test_names_are_text_and_never_markup(made_once):
    assert "<left>" not in made_once.read_text()


def test_the_page_forbids_itself_the_network_and_brings_its_code_once(made_once):
    text = made_once.read_text()
    assert "default-src 'none'" in text
    assert not re.findall(r"(?:src|href)=\"(?!data:)[^\"]", text)
    assert text.count('id="plotly-code"') == 1


def test_the_clip_tells_which_frame_each_of_its_pictures_shows(made_once):
    facts = facts_of(made_once.read_text(), "clip-facts")
    assert facts == {"fps": FPS, "frames": list(range(FRAMES))}


def test_the_same_poses_give_the_same_report(project, analysis):
    (project / "videos" / "clip.mp4").unlink()  # x264 and swscale may differ in a bit
    first = Path(report(analysis, **QUIET)).read_bytes()
    assert Path(report(analysis, **QUIET)).read_bytes() == first


# --- what is asked for ---------------------------------------------------------------


def test_poses_may_be_given_as_such_as_folder_or_as_table(project, analysis, tmp_path):
    (project / "videos" / "clip.mp4").unlink()
    pages = [
        report(source, output=tmp_path / f"{n}.html", **QUIET)
        for n, source in enumerate([pn.load_poses(analysis), analysis, analysis / "poses.h5"])
    ]
    assert len({storage.read_text(page) for page in pages}) == 1


def test_the_clip_is_the_range_that_is_asked_for(analysis):
    page = storage.read_text(report(analysis, start=5, stop="1.5s", **QUIET))
    assert facts_of(page, "clip-facts")["frames"] == list(range(5, 30))
    assert "0:00.2 to 0:01.5 of 0:02.0" in page


def test_a_long_video_shows_its_first_minute(analysis, monkeypatch):
    monkeypatch.setattr(clip_module, "_SECONDS", 1.0)
    page = storage.read_text(report(analysis, **QUIET))
    assert facts_of(page, "clip-facts")["frames"] == list(range(FPS))


def test_the_least_likelihood_decides_what_counts_as_found(analysis):
    words = words_of(report(analysis, cutoff=0.05, **QUIET))
    assert "likelihood of 0.05 or more" in words
    assert "tail 100 % –" in words


def test_a_chosen_theme_does_not_ask_the_browser(analysis):
    page = storage.read_text(report(analysis, theme="dark", **QUIET))
    assert '<html lang="en" data-theme="dark">' in page
    assert "prefers-color-scheme" not in page


def test_a_folder_takes_the_report(analysis, tmp_path):
    (tmp_path / "out").mkdir()
    assert report(analysis, output=tmp_path / "out", **QUIET) == str(tmp_path / "out/report.html")


# --- runs ----------------------------------------------------------------------------


def test_a_run_shows_the_videos_that_it_has_analyzed(made_of_two):
    assert made_of_two.name == "report.html"
    assert made_of_two.parent.name == "first"
    text = made_of_two.read_text()
    assert text.count('<template class="recording">') == text.count('id="clip-data"') == 2
    assert text.count('id="plotly-code"') == 1
    assert words_of(made_of_two).startswith("first first Video one.mp4 two.mp4")


def test_a_run_without_analyses_still_tells_of_itself(project):
    storage.remove(str(project / "poses"), recursive=True)
    run = pn.open_run(project / "runs" / "first")
    page = report(run, **QUIET)
    words = words_of(page)
    assert "No video has been analyzed yet. To do so: posenb analyze" in words
    assert "How exact it is" in words
    assert "plotly-code" not in storage.read_text(page)


def test_a_run_that_has_not_finished_says_so(project):
    run = pn.open_run(project / "runs" / "first")
    for url in (str(project / "poses"), run.model_url, run.history_url, run.evaluation_url):
        storage.remove(url, recursive=True)
    words = words_of(report(run, **QUIET))
    assert "The training has not finished yet." in words
    assert "none of 300 has been recorded yet" in words


def test_a_range_for_several_videos_is_refused(made_of_two):
    with pytest.raises(InvalidInputError, match=r"given for the poses of one video.*those of 2"):
        report(made_of_two.parent, stop=5, **QUIET)


# --- what is missing -----------------------------------------------------------------


def test_without_an_evaluation_the_command_for_it_is_named(project, analysis):
    without_evaluation(project)
    words = words_of(report(analysis, **QUIET))
    assert f"posenb evaluate {project / 'runs' / 'first'}" in words
    assert "keypoints lie" not in words


def test_without_test_frames_it_says_what_the_others_are_worth(project, analysis):
    run = pn.open_run(project / "runs" / "first")
    write_judgement(run, ("train", "validation"))
    assert "On 2 validation frames, which chose the best step" in words_of(
        report(analysis, **QUIET)
    )
    write_judgement(run, ("train",))
    assert "which says little about others" in words_of(report(analysis, **QUIET))


def test_poses_of_another_model_than_was_evaluated_are_told(project):
    told = story()
    told["model"] = {**told["model"], "sha256": "00"}
    folder = project / "poses" / "clip" / "first"
    write_analysis(str(folder), made_poses(), told)
    assert "evaluated with another model" in words_of(report(folder, **QUIET))


def test_a_video_that_is_gone_leaves_the_trajectories(project, analysis):
    (project / "videos" / "clip.mp4").unlink()
    page = report(analysis, **QUIET)
    assert "The video is not at hand, so there is no clip." in words_of(page)
    assert 'id="clip-data"' not in storage.read_text(page)
    assert 'id="poses-data"' in storage.read_text(page)


def test_a_video_that_is_damaged_leaves_the_trajectories(project, analysis):
    (project / "videos" / "clip.mp4").write_bytes(b"no video")
    assert "The video cannot be read, so there is no clip." in words_of(report(analysis, **QUIET))


def test_a_video_that_was_asked_for_must_be_there(analysis, tmp_path):
    with pytest.raises(StorageError, match=r"gone\.mp4"):
        report(analysis, video=tmp_path / "gone.mp4", **QUIET)


def test_poses_without_a_story_say_so_and_lie_beside_their_video(tmp_path):
    clip = write_clip(tmp_path / "own.mp4")
    page = report(made_poses(), video=clip, **QUIET)
    assert page == str(tmp_path / "own_report.html")
    assert "do not tell how they were made" in words_of(page)


def test_poses_from_nowhere_need_a_place(no_clip):
    with pytest.raises(InvalidInputError, match=r"Say where to: report\(..., output="):
        report(made_poses(), **QUIET)


@pytest.mark.parametrize(
    "poses",
    [
        made_poses(frames=1),
        replace(made_poses(), positions=np.full((FRAMES, 1, 3, 2), np.nan)),
        replace(made_poses(), likelihoods=np.full((FRAMES, 1, 3), np.nan)),
        replace(made_poses(), fps=np.nan),
        Poses(np.zeros((0, 1, 3, 2)), np.zeros((0, 1, 3)), SKELETON),
        Poses(np.zeros((FRAMES, 2, 3, 2)), np.ones((FRAMES, 2, 3)), SKELETON, None, ("a", "b")),
    ],
    ids=["one frame", "nothing found", "no likelihood", "no rate", "no frame", "two animals"],
)
def test_sparse_poses_give_a_sensible_page(poses, tmp_path, opened):
    clip = write_clip(tmp_path / "own.mp4")
    page = report(poses, video=clip, **QUIET)
    words = words_of(page)
    assert ("so there is no clip" in words) == (len(poses) == 0)
    assert "nan" not in words.lower().split()
    opened(Path(page))


# --- errors come before the work -----------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"cutoff": 1.5}, InvalidInputError, "A cut-off is a likelihood from 0 to 1"),
        ({"theme": "drak"}, UnknownNameError, "Did you mean 'dark'"),
        ({"start": "soon"}, ConfigError, "start"),
        ({"output": "report.pdf"}, InvalidInputError, "name ends in .html"),
    ],
)
def test_bad_options_are_refused_before_the_work(analysis, no_clip, options, error, message):
    with pytest.raises(error, match=message):
        report(analysis, **options, **QUIET)


def test_a_range_outside_the_video_is_refused(analysis):
    with pytest.raises(InvalidInputError, match="0 <= start < stop <= number of frames"):
        report(analysis, start=500, **QUIET)
    assert not (analysis / "report.html").exists()


def test_a_place_that_cannot_be_written_is_found_out_before_the_work(analysis, tmp_path, no_clip):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(PosenbError):
        report(analysis, output=tmp_path / "file" / "report.html", **QUIET)


def test_where_there_is_nothing_it_says_so(tmp_path):
    with pytest.raises(LabelError):
        report(tmp_path, **QUIET)


def test_trying_whether_it_can_be_written_leaves_nothing_behind(analysis, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    before = {path.name for path in analysis.iterdir()}
    monkeypatch.setattr(recordings, "make_clip", broken)
    with pytest.raises(KeyboardInterrupt):
        report(analysis, **QUIET)
    assert {path.name for path in analysis.iterdir()} == before
