"""Figures: that they show the data they were given, whole and legible."""

import io
import warnings

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from posenb.core import Skeleton
from posenb.errors import InvalidInputError
from posenb.labels import read_labels
from posenb.plots import draw_worst_frame, plot_errors, plot_learning_curve
from posenb.plots.sheet import find_field
from posenb.plots.style import SPLIT_COLOURS, keypoint_colours, new_figure, scale_logarithmically

STRANGE = ("snout", "_hidden", "cost $5 $6", "a_very_long_keypoint_name")


@pytest.fixture(autouse=True)
def no_warnings():
    """Clipped layouts, missing letters and empty slices all warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def drawn(figure: Figure) -> np.ndarray:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def written(figure: Figure) -> list[str]:
    """All visible words of a figure that was drawn."""
    texts = figure.findobj(lambda artist: isinstance(artist, Text) and artist.get_visible())
    return [text.get_text() for text in texts if text.get_text().strip()]


def clipped(figure: Figure) -> list[str]:
    """Words that leave the figure."""
    drawn(figure)
    page = figure.bbox.padded(1)
    names = []
    for axes in figure.axes:
        for text in [*axes.texts, axes.title, axes._left_title, axes._right_title]:
            box = text.get_window_extent()
            if text.get_text() and not (page.containsx(box.x0) and page.containsx(box.x1)):
                names.append(text.get_text())
        box = axes.get_tightbbox()
        if axes.axison and not (page.containsx(box.x0) and page.containsx(box.x1)):
            names.append(str(axes))
    return names


def made_errors(keypoints=STRANGE, frames=40, seed=0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    splits = rng.choice(["train", "validation", "test"], frames, p=[0.6, 0.2, 0.2])
    return pd.DataFrame(
        {
            "split": np.repeat(splits, len(keypoints)),
            "keypoint": np.tile(keypoints, frames),
            "error": rng.lognormal(1, 1, frames * len(keypoints)),
            "likelihood": rng.uniform(size=frames * len(keypoints)),
        }
    )


# --- style ---------------------------------------------------------------------------


def test_twenty_keypoints_have_twenty_colours():
    assert len(set(keypoint_colours(20))) == 20
    assert keypoint_colours(23)[20:] == keypoint_colours(3)


def linear(colour: str) -> np.ndarray:
    value = np.array(mpl.colors.to_rgb(colour))
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def oklab(light: np.ndarray) -> np.ndarray:
    """Björn Ottosson's OKLab, times 100, from linear light."""
    first = [[0.41222, 0.53633, 0.05145], [0.2119, 0.6807, 0.1074], [0.0883, 0.28172, 0.62998]]
    then = [[0.21045, 0.79362, -0.00407], [1.978, -2.42859, 0.45059], [0.0259, 0.78277, -0.80868]]
    return 100 * np.array(then) @ np.cbrt(np.array(first) @ np.clip(light, 0, 1))


# Machado et al. 2009, severity 1: no red cones, no green cones.
PROTAN = [[0.15229, 1.05258, -0.20487], [0.1145, 0.78628, 0.09922], [-0.00388, -0.04812, 1.052]]
DEUTAN = [[0.36732, 0.86065, -0.22797], [0.28009, 0.6725, 0.04741], [-0.01182, 0.04294, 0.96888]]


@pytest.mark.parametrize("eye", [np.eye(3), PROTAN, DEUTAN], ids=["usual", "protan", "deutan"])
@pytest.mark.parametrize(("count", "least"), [(6, 7), (20, 3)])
def test_colours_of_keypoints_can_be_told_apart_by_all_eyes(eye, count, least):
    seen = [oklab(np.array(eye) @ linear(colour)) for colour in keypoint_colours(count)]
    nearest = min(np.linalg.norm(a - b) for n, a in enumerate(seen) for b in seen[:n])
    assert nearest > least


@pytest.mark.parametrize("eye", [np.eye(3), PROTAN, DEUTAN], ids=["usual", "protan", "deutan"])
def test_colours_of_splits_can_be_told_apart_by_all_eyes(eye):
    seen = [oklab(np.array(eye) @ linear(colour)) for colour in SPLIT_COLOURS.values()]
    assert min(np.linalg.norm(a - b) for n, a in enumerate(seen) for b in seen[:n]) > 12


def test_a_figure_shows_itself_in_a_notebook():
    data = new_figure(2, 1)._repr_png_()
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (300, 150)


def test_no_figure_touches_pyplot_or_the_settings(monkeypatch):
    import sys

    before = dict(mpl.rcParams)
    loaded = "matplotlib.pyplot" in sys.modules
    drawn(plot_errors(made_errors()))
    assert dict(mpl.rcParams) == before
    assert ("matplotlib.pyplot" in sys.modules) == loaded


@pytest.mark.parametrize("values", [(0.1, 1000), (3, 3), (2.1, 4.9), (0.011, 0.012), (1e-6, 1e6)])
def test_a_logarithmic_axis_shows_its_values_and_at_least_one_number(values):
    axes = new_figure(3, 2).subplots()
    scale_logarithmically(axes.xaxis, np.array(values, float))
    low, high = axes.get_xlim()
    assert low < min(values) <= max(values) < high
    assert 1 <= len(axes.get_xticks()) <= 16


# --- errors --------------------------------------------------------------------------


def test_every_keypoint_has_a_row_under_its_own_name():
    figure = plot_errors(made_errors())
    labels = [label.get_text() for label in figure.axes[1].get_yticklabels()]
    assert labels == list(STRANGE)


def test_the_legend_counts_the_keypoints_of_each_split():
    errors = made_errors()
    counts = errors["split"].value_counts()
    said = written(plot_errors(errors, cutoff=0.6, human=2.69))
    for split in SPLIT_COLOURS:
        assert f"{split} ({counts[split]})" in said
    assert {"median", "likelihood below 0.6", "two people (2.69 px)"} <= set(said)


def test_every_labelled_keypoint_is_a_dot():
    errors = made_errors()
    errors.loc[:4, "error"] = np.nan
    dots = sum(
        len(c.get_offsets())
        for c in plot_errors(errors).axes[1].collections
        if c.get_offsets().shape[0] and type(c).__name__ == "PathCollection"
    )
    assert dots == len(errors) - 5


def test_unsure_predictions_are_open_circles():
    errors = made_errors()
    figure = plot_errors(errors, cutoff=0.5)
    collections = [c for c in figure.axes[1].collections if type(c).__name__ == "PathCollection"]
    open_ones = sum(len(c.get_offsets()) for c in collections if not len(c.get_facecolor()))
    assert open_ones == (errors["likelihood"] < 0.5).sum()


def test_curves_end_at_the_share_that_was_found():
    errors = made_errors(frames=50).assign(split="test")
    errors.loc[: len(errors) // 4 - 1, "error"] = np.inf
    figure = plot_errors(errors)
    (curve,) = figure.axes[0].get_lines()
    assert curve.get_ydata()[-1] == pytest.approx(0.75)
    assert "test (200, 50 missed)" in written(figure)


def test_the_median_is_where_it_belongs():
    errors = pd.DataFrame(
        {"split": "test", "keypoint": "a", "error": [1.0, 2.0, 9.0], "likelihood": 1.0}
    )
    lines = [
        c for c in plot_errors(errors).axes[1].collections if type(c).__name__ == "LineCollection"
    ]
    assert [line.get_segments()[0][0][0] for line in lines] == [2]


@pytest.mark.parametrize(
    "errors",
    [
        made_errors(frames=1),
        made_errors(keypoints=("a",), frames=2),
        made_errors().assign(split="test"),
        made_errors().assign(error=0.0),
        made_errors().assign(error=3.0),
        made_errors(keypoints=tuple(f"keypoint_{n}" for n in range(24)), frames=10),
    ],
    ids=["one frame", "one keypoint", "no train", "perfect", "all equal", "many keypoints"],
)
def test_figures_of_all_kinds_of_errors_hold_all_their_text(errors):
    assert not clipped(plot_errors(errors, cutoff=0.6))


def test_a_figure_of_many_errors_stays_small_as_svg(tmp_path):
    plot_errors(made_errors(keypoints=("a",), frames=9000)).savefig(tmp_path / "errors.svg")
    assert (tmp_path / "errors.svg").stat().st_size < 2e6


def test_the_same_errors_give_the_same_picture():
    assert (drawn(plot_errors(made_errors())) == drawn(plot_errors(made_errors()))).all()


def test_errors_without_a_column_are_refused():
    with pytest.raises(InvalidInputError, match="likelihood is missing"):
        plot_errors(made_errors().drop(columns="likelihood"))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_errors_without_a_distance_are_refused(value):
    with pytest.raises(InvalidInputError, match="there are none"):
        plot_errors(made_errors().assign(error=value))


# --- learning curve ------------------------------------------------------------------


@pytest.fixture
def history():
    return pd.DataFrame(
        {
            "step": [50, 100, 150],
            "seconds": [30.0, 60.0, 250.0],
            "loss": [0.5, 0.2, 0.1],
            "validation_error": [9.0, 3.25, 4.0],
        }
    )


def test_the_best_step_is_named(history):
    figure = plot_learning_curve(history)
    assert not clipped(figure)
    assert "best: 3.25 px at step 100" in written(figure)
    assert "150 steps in 4 min" in written(figure)


def test_curves_hold_the_history(history):
    error, loss = plot_learning_curve(history).axes
    assert error.get_lines()[0].get_ydata().tolist() == [9.0, 3.25, 4.0]
    assert loss.get_lines()[0].get_xdata().tolist() == [50, 100, 150]


def test_without_validation_there_is_only_the_loss(history):
    figure = plot_learning_curve(history.assign(validation_error=np.nan))
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss"]
    assert not clipped(figure)


@pytest.mark.parametrize("loss", [[1.0, 0.1, 0.001], [0.0, 0.0, 0.0], [2.0, np.nan, 1.0]])
def test_losses_of_all_sizes_are_drawn(history, loss):
    assert not clipped(plot_learning_curve(history.assign(loss=loss)))


def test_one_validation_is_a_curve_too(history):
    assert not clipped(plot_learning_curve(history[:1]))


@pytest.mark.parametrize(
    ("seconds", "text"), [(7, "7 s"), (99, "99 s"), (600, "10 min"), (9000, "2.5 h")]
)
def test_durations_are_told_in_units_people_use(history, seconds, text):
    assert f"150 steps in {text}" in written(plot_learning_curve(history.assign(seconds=seconds)))


def test_a_history_without_rows_or_columns_is_refused(history):
    with pytest.raises(InvalidInputError, match="got 0 rows"):
        plot_learning_curve(history[:0])
    with pytest.raises(InvalidInputError, match="got 3 rows and the columns step"):
        plot_learning_curve(history[["step"]])


# --- worst frames --------------------------------------------------------------------


@pytest.fixture
def skeleton():
    return Skeleton(STRANGE, ((0, 1), (1, 2)))


def frame_of(skeleton, image=None, labelled=None, predicted=None, likelihood=None, title="frame"):
    rng = np.random.default_rng(2)
    image = rng.integers(0, 255, (120, 160, 3), np.uint8) if image is None else image
    labelled = rng.uniform(30, 90, (1, len(skeleton), 2)) if labelled is None else labelled
    predicted = labelled + 3 if predicted is None else predicted
    likelihood = np.full(labelled.shape[:2], 0.75) if likelihood is None else likelihood
    return draw_worst_frame(image, labelled, predicted, likelihood, skeleton, title)


def test_the_table_beside_names_distance_and_likelihood(skeleton):
    figure = frame_of(skeleton)
    assert not clipped(figure)
    said = written(figure)
    assert set(STRANGE) <= set(said)
    assert said.count("4.2") == said.count("0.75") == len(skeleton)


def test_a_label_lies_on_its_pixel(skeleton):
    """A cross on a black pixel in a white picture, found again in what was drawn."""
    image = np.full((120, 160, 3), 255, np.uint8)
    image[70, 50] = 0
    points = np.full((1, len(skeleton), 2), np.nan)
    points[0, 0] = (50, 70)
    figure = frame_of(skeleton, image, np.full_like(points, np.nan), points)
    axes = figure.axes[0]
    pixels = drawn(figure)
    x, y = axes.transData.transform((50, 70)).round().astype(int)
    assert pixels[len(pixels) - 1 - y, x, :3].max() < 90


def test_labels_are_crosses_and_predictions_dots(skeleton):
    lines = frame_of(skeleton).axes[0].get_lines()
    markers = [line.get_marker() for line in lines]
    assert markers.count("+") == markers.count("o") == len(skeleton)


def test_an_unlabelled_prediction_is_an_open_circle_and_has_no_distance(skeleton):
    labelled = np.random.default_rng(3).uniform(30, 90, (1, 4, 2))
    predicted = labelled.copy()
    labelled[0, 2] = np.nan
    figure = frame_of(skeleton, None, labelled, predicted)
    dots = [line for line in figure.axes[0].get_lines() if line.get_marker() == "o"]
    assert [line.get_markerfacecolor() for line in dots].count("none") == 1
    assert "–" in written(figure)


def test_a_prediction_that_was_not_found_leaves_its_label(skeleton):
    labelled = np.random.default_rng(3).uniform(30, 90, (1, 4, 2))
    predicted = labelled.copy()
    predicted[0, 1] = np.nan
    likelihood = np.array([[0.9, np.nan, 0.9, 0.9]])
    figure = frame_of(skeleton, None, labelled, predicted, likelihood)
    assert written(figure).count("–") == 2


def test_several_animals_are_numbered(skeleton):
    labelled = np.random.default_rng(3).uniform(30, 90, (2, 4, 2))
    figure = frame_of(skeleton, None, labelled)
    assert {"1: snout", "2: snout"} <= set(written(figure))
    assert not clipped(figure)


def test_long_names_and_titles_still_fit():
    skeleton = Skeleton(("k" * 60, "b"))
    figure = frame_of(skeleton, title="video_" * 40 + "img.png")
    assert not clipped(figure)
    (title,) = figure.texts
    assert title.get_window_extent().x1 <= figure.bbox.x1
    assert "k" * 27 + "…" in written(figure)


def test_a_grey_image_is_drawn_grey(skeleton):
    figure = frame_of(skeleton, np.full((60, 80), 128, np.uint8))
    shown = figure.axes[0].get_images()[0]
    assert shown.to_rgba(np.array([[128]]))[0, 0, :3] == pytest.approx(128 / 255, abs=0.01)


@pytest.mark.parametrize("size", [(20, 400), (400, 20), (8, 8), (1024, 1024)])
def test_images_of_all_shapes_are_drawn(skeleton, size):
    labelled = np.full((1, 4, 2), min(size) / 2) + np.arange(4)[:, None]
    figure = frame_of(skeleton, np.zeros((*size, 3), np.uint8), labelled)
    assert not clipped(figure)
    pixels = drawn(figure)
    assert 250 < pixels.shape[0] < 4000
    assert 250 < pixels.shape[1] < 4000


def test_the_part_shown_holds_all_points_and_stays_inside():
    points = np.array([[100.0, 200.0], [180.0, 220.0]])
    left, right, top, bottom = find_field((480, 640), points)
    assert left < 100
    assert right > 180
    assert top < 200
    assert bottom > 220
    assert right - left >= 160
    assert left >= -0.5
    assert right <= 639.5


def test_the_whole_image_is_shown_where_nothing_is_known():
    assert find_field((48, 64), np.full((2, 2), np.nan)) == (-0.5, 63.5, -0.5, 47.5)


def test_points_outside_do_not_move_the_part_outside():
    left, right, top, bottom = find_field((48, 64), np.array([[-500.0, 20.0], [900.0, 20.0]]))
    assert (left, right) == (-0.5, 63.5)
    assert -0.5 <= top < bottom <= 47.5


def test_what_does_not_fit_together_is_refused(skeleton):
    with pytest.raises(InvalidInputError, match=r"with 4 keypoints here; got \(120, 160, 3\)"):
        frame_of(skeleton, labelled=np.zeros((1, 3, 2)))
    with pytest.raises(InvalidInputError, match="likelihoods"):
        frame_of(skeleton, likelihood=np.zeros((2, 4)))


def test_real_frames_are_drawn(shared_data):
    folder = shared_data / "openfield" / "labeled-data" / "m4s1"
    labels = read_labels(folder)
    image = np.asarray(Image.open(folder / labels.frames[0].image).convert("RGB"))
    position = labels.positions[0]
    figure = draw_worst_frame(
        image, position, position + 2, np.full(position.shape[:2], 0.9), labels.skeleton, "m4s1"
    )
    assert not clipped(figure)
    assert len(figure.axes) == 3  # picture, table, and where in the frame it is
