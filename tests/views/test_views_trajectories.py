"""plot_trajectories and plot: from poses, wherever they lie, to something to look at."""

import json
from dataclasses import replace

import numpy as np
import pytest

import posenb as pn
from posenb.core import Poses, Skeleton
from posenb.errors import (
    InvalidInputError,
    LabelError,
    PosenbError,
    StorageError,
    UnknownNameError,
    VideoError,
)
from posenb.labels import write_poses
from posenb.video import FrameIndexError, write_video
from posenb.views import plot, plot_trajectories

COUNT = 12


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "clip.mp4"
    frames = np.full((COUNT, 48, 64, 3), 20, np.uint8)
    frames += (np.arange(COUNT, dtype=np.uint8) * 15)[:, None, None, None]
    write_video(path, frames, fps=25)
    return path


def some_poses(**more) -> Poses:
    rng = np.random.default_rng(0)
    skeleton = Skeleton(("snout", "ear", "tail"), ((0, 1), (0, 2)))
    positions = rng.uniform(5, 40, (COUNT, 1, 3, 2))
    return Poses(positions, np.full((COUNT, 1, 3), 0.9), skeleton, fps=25.0, **more)


@pytest.fixture
def found(clip) -> Poses:
    """Poses that tell which video they were found in."""
    return some_poses(provenance={"video": {"url": str(clip)}})


def brightness(image) -> float:
    return float(np.mean(image))


def test_the_first_frame_of_the_video_lies_below(found):
    view = plot_trajectories(found)
    assert view.image.shape == (48, 64, 3)
    assert brightness(view.image) == pytest.approx(20, abs=3)
    assert (view.title, view.note) == ("clip.mp4", "over frame 0 of clip.mp4")


def test_another_frame_may_lie_below(found):
    view = plot_trajectories(found, frame=10)
    assert brightness(view.image) == pytest.approx(170, abs=3)
    assert view.note == "over frame 10 of clip.mp4"


def test_the_first_analyzed_frame_counts_as_the_first(found):
    view = plot_trajectories(replace(found, frames=np.arange(6, 6 + COUNT)))
    assert view.note == "over frame 6 of clip.mp4"


def test_poses_of_no_video_lie_on_plain_paper():
    view = plot_trajectories(some_poses())
    assert view.image is None
    assert view.note == "The video is not at hand."
    assert "The video is not at hand." in view.to_html()


def test_a_video_that_has_gone_is_told_and_no_error(found, tmp_path):
    gone = {"video": {"url": str(tmp_path / "gone.mp4")}}
    view = plot_trajectories(replace(found, provenance=gone))
    assert (view.image, view.title) == (None, "gone.mp4")


def test_a_video_that_cannot_be_read_is_told_and_no_error(found, tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    broken = {"video": {"url": str(tmp_path / "broken.mp4")}}
    view = plot_trajectories(replace(found, provenance=broken))
    assert view.note == "Frame 0 of broken.mp4 cannot be read."


def test_a_video_that_was_asked_for_must_be_there(found, tmp_path):
    with pytest.raises(StorageError, match=r"gone\.mp4"):
        plot_trajectories(found, video=tmp_path / "gone.mp4")


def test_a_frame_that_was_asked_for_must_be_there(found):
    with pytest.raises(FrameIndexError, match="got 99"):
        plot_trajectories(found, frame=99)
    with pytest.raises(VideoError, match="Say where it lies"):
        plot_trajectories(some_poses(), frame=0)


def test_a_video_may_be_named(clip):
    assert plot_trajectories(some_poses(), video=clip).note == "over frame 0 of clip.mp4"


def test_poses_are_read_from_where_they_lie(tmp_path):
    url = write_poses(f"{tmp_path}/", some_poses())
    for where in (tmp_path, url):
        view = plot_trajectories(where)
        np.testing.assert_allclose(view.poses.positions, some_poses().positions)
        assert view.title == "poses.h5"


def test_where_no_poses_lie_the_error_says_so(tmp_path):
    with pytest.raises(LabelError, match="Analyze the video first"):
        plot_trajectories(tmp_path)


def test_only_the_named_keypoints_are_shown(found):
    view = plot_trajectories(found, keypoints=["tail", "snout"])
    assert view.poses.skeleton.keypoints == ("tail", "snout")
    assert view.poses.skeleton.edge_names == (("snout", "tail"),)
    np.testing.assert_array_equal(view.poses.positions, found.positions[:, :, [2, 0]])


def test_a_misspelt_keypoint_is_met_with_the_likeliest_one(found):
    with pytest.raises(UnknownNameError, match="Did you mean 'snout'"):
        plot_trajectories(found, keypoints=["snot"])


@pytest.mark.parametrize("keypoints", [[], "snout"])
def test_keypoints_are_a_list_of_names(found, keypoints):
    with pytest.raises(InvalidInputError, match="a list of at least one name"):
        plot_trajectories(found, keypoints=keypoints)


@pytest.mark.parametrize("wrong", [{"cutoff": 7}, {"theme": "sepia"}])
def test_wrong_options_are_refused_before_anything_is_read(tmp_path, wrong):
    with pytest.raises(PosenbError, match=r"cut-off|theme"):
        plot_trajectories(tmp_path / "nothing", **wrong)


def test_it_shows_itself_in_a_notebook(found):
    view = plot_trajectories(found)
    assert view._repr_html_().startswith("<iframe srcdoc=")
    assert "clip.mp4" in repr(view)


def test_it_is_saved_as_a_page(found, tmp_path):
    where = plot_trajectories(found, theme="dark").save(tmp_path / "deep" / "view.html")
    text = (tmp_path / "deep" / "view.html").read_text("utf-8")
    assert where == str(tmp_path / "deep" / "view.html")
    assert text.startswith("<!DOCTYPE html>")
    assert 'data-theme="dark"' in text


def test_it_is_saved_under_a_url():
    where = plot_trajectories(some_poses()).save("memory://views/one.html")
    from posenb import storage

    assert storage.read_text(where).endswith("</html>\n")


def test_it_is_saved_as_nothing_but_a_page(found, tmp_path):
    with pytest.raises(InvalidInputError, match=r"ends in \.html"):
        plot_trajectories(found).save(tmp_path / "view.png")


def test_the_same_poses_give_the_same_page(found):
    assert plot_trajectories(found).to_html() == plot_trajectories(found).to_html()


def test_the_plain_figure_has_the_same_frame_and_title(found):
    figure = plot_trajectories(found, cutoff=0.95).to_plotly()
    assert figure.layout.title.text == "clip.mp4"
    assert len(figure.layout.images) == 1
    assert np.isnan(np.asarray(figure.data[0].x, float)).all()


def test_the_verbs_are_public():
    assert pn.plot_trajectories is plot_trajectories
    assert pn.plot is plot


# --- all of it as files --------------------------------------------------------------


@pytest.fixture(scope="module")
def plotted(tmp_path_factory, clip):
    folder = tmp_path_factory.mktemp("poses")
    url = write_poses(f"{folder}/", some_poses())
    return folder, plot(url, video=clip, formats=["svg", "png"], theme="dark")


def test_plots_lie_beside_the_poses(plotted):
    folder, made = plotted
    assert made == str(folder / "plots")
    names = {path.name for path in (folder / "plots").iterdir()}
    figures = {"paths", "positions", "likelihood", "steps"}
    assert names == {"trajectories.html"} | {f"{n}.{f}" for n in figures for f in ("svg", "png")}


def test_plots_have_the_theme_and_letters_that_stay_letters(plotted):
    text = (plotted[0] / "plots" / "positions.svg").read_text("utf-8")
    assert "#14191f" in text.lower()
    assert "snout</text>" in text


def test_a_misspelt_format_is_met_with_the_likeliest_one(tmp_path):
    with pytest.raises(UnknownNameError, match="Did you mean 'svg'"):
        plot(some_poses(), output=tmp_path, formats=["svgz"])
    assert list(tmp_path.iterdir()) == []


def test_poses_that_lie_nowhere_need_a_folder():
    with pytest.raises(InvalidInputError, match="Say where to"):
        plot(some_poses())


@pytest.mark.parametrize(
    "poses",
    [
        Poses(np.zeros((0, 1, 1, 2)), np.zeros((0, 1, 1)), Skeleton(("a",))),
        Poses(np.full((4, 1, 2, 2), np.nan), np.full((4, 1, 2), np.nan), Skeleton(("a", "b"))),
        Poses(np.ones((1, 1, 1, 2)), np.ones((1, 1, 1)), Skeleton(("a",)), fps=30),
    ],
    ids=["empty", "all-nan", "one-frame"],
)
def test_hardly_any_data_is_plotted(poses, tmp_path):
    plot(poses, output=tmp_path, formats=["svg"])
    assert len(list(tmp_path.iterdir())) == 5


def test_a_folder_that_cannot_be_written_is_named(found, tmp_path):
    (tmp_path / "taken").write_text("a file, no folder")
    with pytest.raises(StorageError, match="taken"):
        plot(found, output=tmp_path / "taken", formats=[])


def test_provenance_of_other_makes_is_no_trouble():
    odd = some_poses(provenance={"video": "clip", "note": json.dumps([1])})
    assert plot_trajectories(odd).image is None
