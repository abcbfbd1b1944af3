"""The page of the demo: what it shows is what it was given."""

import base64
import io
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from posenb.core import Poses, Skeleton
from posenb.plots.demo_page import demo_page, plot_paths, plot_traces
from posenb.plots.style import keypoint_colours

NAMES = ("snout", "ear <left>", "tail")
COUNT = 20


def some_poses(seed: int, likelihood: float) -> Poses:
    generator = np.random.default_rng(seed)
    positions = generator.uniform(5, 40, (COUNT, 1, 3, 2))
    likelihoods = np.full((COUNT, 1, 3), likelihood)
    return Poses(positions, likelihoods, Skeleton(NAMES), fps=10.0)


@pytest.fixture
def truth() -> Poses:
    return some_poses(0, 1.0)


@pytest.fixture
def found() -> Poses:
    return some_poses(1, 0.8)


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)


@pytest.fixture
def errors() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "keypoint": [*NAMES, "all"],
            "mean": [1.25, 2.0, 3.0, 2.04],
            "median": [1.0, 2.0, 3.0, 2.0],
            "p95": [4.0, 5.0, 6.0, 5.5],
        }
    )


@pytest.fixture
def page(image, found, truth, errors) -> str:
    files = {"Video": "/a/<b>/clip.mp4", "Model": "gs://lab/model.keras"}
    return demo_page(image, found, truth, errors, labelled=4, files=files)


class Text(HTMLParser):
    """The words of a page, and the tags that were opened and not closed."""

    VOID = frozenset({"meta", "link", "br", "img"})

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
        if self.open[-1:] not in (["script"], ["style"]):
            self.words += data.split()


def words_of(page: str) -> str:
    text = Text()
    text.feed(page)
    assert text.open == []
    return " ".join(text.words)


def test_the_page_tells_the_error_and_how_it_was_measured(page):
    words = words_of(page)
    assert "2.0 px from the truth" in words
    assert "4 of them were labelled" in words
    assert "On the 16 frames" in words


def test_the_table_has_a_row_for_each_keypoint_and_one_for_all(page):
    words = words_of(page)
    assert "snout 1.2 1.0 4.0" in words
    assert "all 2.0 2.0 5.5" in words


def test_names_and_paths_are_text_and_never_markup(page):
    assert "<left>" not in page.replace("\\u003cleft\\u003e", "").partition("Plotly")[0]
    assert "ear <left>" in words_of(page)
    assert "/a/<b>/clip.mp4" in words_of(page)
    assert "<b>" not in page.partition("What lies where")[2]


def test_the_page_brings_its_plotting_code_once(page):
    assert page.count("plotly.js v") == 1


def curves(figure) -> list:
    return [trace for trace in figure.data if trace.type == "scatter"]


def test_paths_lie_where_the_poses_are(image, found, truth):
    figure = plot_paths(image, found, truth)
    assert len(curves(figure)) == 6
    for k, name in enumerate(NAMES):
        true_line, line = curves(figure)[2 * k : 2 * k + 2]
        np.testing.assert_allclose(true_line.x, truth.positions[:, 0, k, 0], atol=1e-3)
        np.testing.assert_allclose(true_line.y, truth.positions[:, 0, k, 1], atol=1e-3)
        np.testing.assert_allclose(line.x, found.positions[:, 0, k, 0], atol=1e-3)
        assert line.name == line.legendgroup == name
        assert true_line.line.width > line.line.width


def test_the_frame_lies_below_the_paths_pixel_on_pixel(image, found, truth):
    layout = plot_paths(image, found, truth).layout
    (picture,) = layout.images
    assert (picture.x, picture.y, picture.sizex, picture.sizey) == (-0.5, -0.5, 64, 48)
    assert picture.layer == "below"
    assert tuple(layout.xaxis.range) == (-0.5, 63.5)
    assert tuple(layout.yaxis.range) == (47.5, -0.5)
    data = base64.b64decode(picture.source.partition(",")[2])
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), image)


def test_only_the_first_and_the_last_keypoint_are_shown_at_first(image, found, truth):
    shown = [trace.visible for trace in curves(plot_paths(image, found, truth))]
    assert shown == [True, True, "legendonly", "legendonly", True, True]


def test_traces_run_through_time(found, truth):
    figure = plot_traces(found, truth)
    assert len(curves(figure)) == 3 * 5
    x_true, x_found, y_true, y_found, likelihood = curves(figure)[:5]
    np.testing.assert_allclose(x_true.x, np.arange(COUNT) / 10)
    np.testing.assert_allclose(x_true.y, truth.positions[:, 0, 0, 0], atol=1e-3)
    np.testing.assert_allclose(y_found.y, found.positions[:, 0, 0, 1], atol=1e-3)
    np.testing.assert_allclose(likelihood.y, 0.8)
    assert [each.yaxis for each in (x_true, x_found, y_true, y_found, likelihood)] == [
        *("y", "y", "y2", "y2", "y3")
    ]


def test_a_keypoint_keeps_its_colour_everywhere(image, found, truth):
    for figure in (plot_paths(image, found, truth), plot_traces(found, truth)):
        for name, colour in zip(NAMES, keypoint_colours(3), strict=True):
            thin = [t for t in curves(figure) if t.name == name and t.line.width < 2]
            assert {trace.line.color for trace in thin} == {colour}


def test_each_keypoint_has_one_entry_in_a_legend(image, found, truth):
    for figure in (plot_paths(image, found, truth), plot_traces(found, truth)):
        assert [t.name for t in curves(figure) if t.showlegend is not False] == list(NAMES)


def test_what_was_not_found_is_a_gap(truth):
    positions = truth.positions.copy()
    positions[5] = np.nan
    found = Poses(positions, truth.likelihoods, truth.skeleton, fps=10.0)
    assert np.isnan(np.asarray(curves(plot_traces(found, truth))[1].y, float)[5])
