"""The figures of a recording: paths, positions, likelihood, steps."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.text import Text

from posenb.core import Poses, Skeleton
from posenb.errors import InvalidInputError, UnknownNameError
from posenb.plots import plot_likelihood, plot_paths, plot_positions, plot_steps
from posenb.plots.recording import summarise_columns
from posenb.plots.theme import DARK, LIGHT

STRANGE = ("snout", "_hidden", "cost $5 $6", "a_very_long_keypoint_name")
ALL = [plot_paths, plot_positions, plot_likelihood, plot_steps]


@pytest.fixture(autouse=True)
def no_warnings():
    """Clipped layouts, missing letters and empty slices all warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture
def poses():
    """Two animals, sure of everything."""
    rng = np.random.default_rng(1)
    positions = rng.uniform(0, 100, (50, 2, 4, 2))
    likelihoods = rng.uniform(0.6, 1, (50, 2, 4))
    return Poses(positions, likelihoods, Skeleton(STRANGE), individuals=("m1", "_m2"), fps=25)


@pytest.fixture
def walker():
    """One animal of one keypoint that walks to the right, 2 pixels in each frame."""
    x = 2.0 * np.arange(40)
    positions = np.stack([x, np.full(40, 30.0)], axis=-1)[:, None, None]
    return Poses(positions, np.ones((40, 1, 1)), Skeleton(("nose",)), fps=10)


def drawn(figure: Figure) -> np.ndarray:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def written(figure: Figure) -> list[str]:
    texts = figure.findobj(lambda artist: isinstance(artist, Text) and artist.get_visible())
    return [text.get_text() for text in texts if text.get_text().strip()]


def clipped(figure: Figure) -> bool:
    """Tell whether anything leaves the figure."""
    drawn(figure)
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    return not (
        box.x0 > -0.01 and box.y0 > -0.01 and box.x1 < width + 0.01 and box.y1 < height + 0.01
    )


def curves(axes):
    """Lines that connect something, without the dots of lone values and the cut-off."""
    return [line for line in axes.get_lines() if line.get_marker() == "None"]


# --- all of them ---------------------------------------------------------------------


@pytest.mark.parametrize("plot", ALL)
@pytest.mark.parametrize("colour", ["auto", "keypoint", "individual"])
def test_all_names_are_there_as_they_are_and_nothing_is_clipped(plot, poses, colour):
    figure = plot(poses, colour=colour)
    words = " ".join(written(figure))
    expected = ("m1", "_m2") if colour != "keypoint" else (*STRANGE, "m1", "_m2")
    assert all(name in words for name in expected)
    assert not clipped(figure)


@pytest.mark.parametrize("plot", ALL)
def test_a_name_too_long_for_a_legend_is_cut(plot, poses):
    long = Skeleton(("x" * 90, "b", "c", "d"))
    figure = plot(replace(poses, skeleton=long), colour="keypoint")
    assert not clipped(figure)
    assert figure.get_figwidth() < 12


@pytest.mark.parametrize("plot", ALL)
@pytest.mark.parametrize("frames", [0, 1, 2])
@pytest.mark.parametrize("known", [True, False])
def test_next_to_nothing_and_nothing_at_all_are_drawn(plot, frames, known):
    value = 7.0 if known else np.nan
    poses = Poses(
        np.full((frames, 1, 1, 2), value), np.full((frames, 1, 1), value / 7), Skeleton(("nose",))
    )
    figure = plot(poses)
    assert not clipped(figure)
    told = [word for word in written(figure) if word.startswith("no ")]
    assert bool(told) == (not known or frames < (2 if plot is plot_steps else 1))


@pytest.mark.parametrize("plot", ALL)
def test_the_theme_colours_paper_and_letters(plot, poses):
    for name, theme in (("light", LIGHT), ("dark", DARK)):
        figure = plot(poses, theme=name)
        paper = tuple(int(theme.paper[n : n + 2], 16) for n in (1, 3, 5))
        assert tuple(drawn(figure)[0, 0, :3]) == paper
        assert figure.axes[0].xaxis.label.get_color() == theme.ink


@pytest.mark.parametrize("plot", ALL)
def test_an_unknown_keypoint_or_theme_is_refused(plot, poses):
    with pytest.raises(UnknownNameError, match="snout"):
        plot(poses, keypoints=["snoot"])
    with pytest.raises(UnknownNameError, match="light"):
        plot(poses, theme="lihgt")


def test_a_chosen_keypoint_keeps_its_colour(poses):
    whole = curves(plot_positions(poses, colour="keypoint").axes[0])
    (alone, _) = curves(plot_positions(poses, colour="keypoint", keypoints=["_hidden"]).axes[0])
    assert alone.get_color() == whole[1].get_color() != whole[0].get_color()


# --- against time --------------------------------------------------------------------


def test_positions_stand_against_seconds(poses):
    figure = plot_positions(poses)
    assert [axes.get_ylabel() for axes in figure.axes] == ["x (px)", "y (px, down)"]
    assert figure.axes[1].get_xlabel() == "time (s)"
    line = curves(figure.axes[0])[0]
    assert line.get_xdata()[-1] == pytest.approx(49 / 25)
    np.testing.assert_array_equal(line.get_ydata(), poses.positions[:, 0, 0, 0])


@pytest.mark.parametrize(("plot", "panel"), [(plot_positions, 1), (plot_likelihood, 0)])
def test_without_a_frame_rate_time_is_counted_in_frames(poses, plot, panel):
    figure = plot(replace(poses, fps=float("nan")))
    assert figure.axes[panel].get_xlabel() == "frame"
    assert curves(figure.axes[0])[0].get_xdata()[-1] == 49


def test_y_points_down_as_in_images(poses):
    for axes in (plot_positions(poses).axes[1], plot_paths(poses).axes[0]):
        low, high = axes.get_ylim()
        assert low > high


def test_positions_below_the_cutoff_are_gaps_and_a_lone_value_is_a_dot(walker):
    likelihoods = np.full((40, 1, 1), 0.2)
    likelihoods[[7, 20, 21]] = 0.9
    figure = plot_positions(replace(walker, likelihoods=likelihoods), cutoff=0.5)
    line, dots = figure.axes[0].get_lines()
    assert np.flatnonzero(np.isfinite(line.get_ydata())).tolist() == [7, 20, 21]
    assert dots.get_ydata().tolist() == [14.0]


def test_labels_without_any_likelihood_count_as_sure(walker):
    labels = replace(walker, likelihoods=np.full((40, 1, 1), np.nan))
    line = plot_positions(labels).axes[0].get_lines()[0]
    np.testing.assert_array_equal(line.get_ydata(), walker.positions[:, 0, 0, 0])


def long_recording(frames=30_000):
    rng = np.random.default_rng(0)
    positions = rng.normal(100, 5, (frames, 1, 1, 2))
    positions[12_345, 0, 0] = 900
    likelihoods = rng.uniform(0.9, 1, (frames, 1, 1))
    likelihoods[777] = 0.01
    return Poses(positions, likelihoods, Skeleton(("nose",)), fps=30)


def test_a_long_recording_is_drawn_with_few_points_and_no_peak_is_lost():
    figure = plot_positions(long_recording())
    line, *_ = figure.axes[0].get_lines()
    assert len(line.get_xdata()) <= 800
    assert abs(np.median(line.get_ydata()) - 100) < 1
    (band,) = figure.axes[0].collections
    assert band.get_paths()[0].vertices[:, 1].max() == 900
    (band,) = plot_likelihood(long_recording()).axes[0].collections
    assert band.get_paths()[0].vertices[:, 1].min() == 0.01


def test_columns_summarise_all_frames_and_keep_gaps():
    values = np.arange(1000.0)
    values[300:500] = np.nan
    values[801] = np.nan
    times, low, middle, high = summarise_columns(np.arange(1000.0), values, 100)
    assert len(times) == 100
    assert times[0] == 4.5
    assert (low[0], middle[0], high[0]) == (0, 4, 9)
    assert np.flatnonzero(np.isnan(middle)).tolist() == list(range(30, 50))
    assert (low[80], high[80]) == (800, 809)


@pytest.mark.parametrize("frames", [1, 7, 99, 100, 101])
def test_columns_need_not_divide_the_frames(frames):
    _, low, _, high = summarise_columns(np.arange(frames), np.arange(frames), 10)
    assert (low.min(), high.max()) == (0, frames - 1)
    assert len(low) <= 10


# --- likelihood ----------------------------------------------------------------------


def test_the_legend_tells_how_many_frames_are_below_the_cutoff(walker):
    likelihoods = np.ones((40, 1, 1))
    likelihoods[:3] = 0.3
    likelihoods[3] = np.nan
    figure = plot_likelihood(replace(walker, likelihoods=likelihoods), cutoff=0.5)
    assert {"nose   10 %", "below 0.5"} <= set(written(figure))
    assert any(set(line.get_ydata()) == {0.5} for line in figure.axes[0].get_lines())


def test_the_distribution_is_cumulative(walker):
    likelihoods = np.linspace(0.0, 1, 40)[:, None, None]
    shares = plot_likelihood(replace(walker, likelihoods=likelihoods)).axes[1]
    line = shares.get_lines()[0]
    np.testing.assert_allclose(line.get_xdata(), np.arange(1, 41) / 40)
    np.testing.assert_allclose(line.get_ydata(), np.linspace(0, 1, 40))


def test_frames_without_a_prediction_count_in_the_distribution_as_below_all(walker):
    likelihoods = np.full((40, 1, 1), 0.8)
    likelihoods[:10] = np.nan
    shares = plot_likelihood(replace(walker, likelihoods=likelihoods)).axes[1]
    assert shares.get_lines()[0].get_xdata()[0] == pytest.approx(11 / 40)


# --- paths ---------------------------------------------------------------------------


def paths_of(figure):
    (lines,) = (each for each in figure.axes[0].collections if isinstance(each, LineCollection))
    return [path.vertices for path in lines.get_paths()]


def test_paths_lie_where_the_animal_went_over_the_frame(walker):
    frame = np.full((60, 90, 3), 200, np.uint8)
    figure = plot_paths(walker, frame)
    (image,) = figure.axes[0].get_images()
    assert tuple(image.get_extent()) == (-0.5, 89.5, 59.5, -0.5)
    assert figure.axes[0].get_aspect() == 1
    (path,) = paths_of(figure)
    np.testing.assert_array_equal(path, walker.positions[:, 0, 0])


def test_a_line_of_the_path_is_seen_where_it_is(walker):
    figure = plot_paths(walker, np.full((60, 90), 255, np.uint8))
    pixels = drawn(figure)[..., :3].astype(int)
    ((column, row),) = figure.axes[0].transData.transform([(40.0, 30.0)])
    blue = pixels[len(pixels) - round(row) - 1, round(column)]
    assert blue[2] - blue[0] > 80


def test_no_line_crosses_a_gap(walker):
    positions = walker.positions.copy()
    positions[10:20] = np.nan
    (path,) = paths_of(plot_paths(replace(walker, positions=positions)))
    assert np.isnan(path).any(axis=1).sum() == 1


def test_long_paths_are_drawn_in_pieces_that_take_turns():
    rng = np.random.default_rng(0)
    positions = rng.uniform(0, 500, (3000, 1, 2, 2))
    poses = Poses(positions, np.ones((3000, 1, 2)), Skeleton(("a", "b")))
    lines = plot_paths(poses).axes[0].collections[0]
    assert len(lines.get_segments()) == 16
    colours = lines.get_colors()[:, :3]
    assert (colours[0] != colours[1]).any()
    np.testing.assert_array_equal(colours[0], colours[2])
    short = plot_paths(replace(poses, frames=None), keypoints=["a"]).axes[0].collections[0]
    assert lines.get_alpha() <= short.get_alpha()


def test_an_animal_that_sits_still_costs_no_points(walker):
    positions = np.repeat(walker.positions, 50, axis=0)
    poses = Poses(positions, np.ones((2000, 1, 1)), walker.skeleton)
    assert sum(map(len, paths_of(plot_paths(poses)))) <= 60


def test_something_that_is_no_picture_is_refused(walker):
    with pytest.raises(InvalidInputError, match=r"\(H, W, 3\).*\(5,\)"):
        plot_paths(walker, np.zeros(5, np.uint8))


# --- steps ---------------------------------------------------------------------------


def counted(figure):
    """Edges and counts of the histograms."""
    return [patch.get_data() for patch in figure.axes[0].patches]


def test_all_steps_are_counted_and_the_median_is_told(walker):
    figure = plot_steps(walker)
    ((counts, edges, _),) = counted(figure)
    (place,) = np.flatnonzero(counts)
    assert counts[place] == 39
    assert edges[place] <= 2 <= edges[place + 1]
    assert "nose   2 px" in written(figure)


def test_a_jump_is_seen_and_named(walker):
    positions = walker.positions.copy()
    positions[25:] += 300
    figure = plot_steps(replace(walker, positions=positions))
    ((counts, edges, _),) = counted(figure)
    assert counts[-1] == 1
    assert edges[-1] > 424
    assert figure.axes[0].get_ylim()[0] < 1
    (told,) = (word for word in written(figure) if word.startswith("longest"))
    assert told.startswith("longest: 426 px (nose, frame 25), 2 px")


def test_steps_across_a_gap_do_not_count(walker):
    frames = np.arange(40)
    frames[20:] += 5
    assert counted(plot_steps(replace(walker, frames=frames)))[0].values.sum() == 38
    likelihoods = np.ones((40, 1, 1))
    likelihoods[10] = 0.1
    assert counted(plot_steps(replace(walker, likelihoods=likelihoods)))[0].values.sum() == 37


def test_an_animal_that_sits_still_makes_steps_of_no_length(walker):
    still = replace(walker, positions=np.full((40, 1, 1, 2), 5.0))
    figure = plot_steps(still)
    assert counted(figure)[0].values.sum() == 39
    drawn(figure)
    assert "≤ 0.01" in written(figure)
