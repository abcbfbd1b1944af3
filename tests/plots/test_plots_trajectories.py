"""Trajectories without a browser: the text of the page, and the plain figure of plotly."""

import html
import json
import re

import numpy as np
import pytest

from posenb.core import Poses, Skeleton
from posenb.errors import InvalidInputError, UnknownNameError
from posenb.plots.theme import DARK, keypoint_colours
from posenb.plots.trajectories import notebook_frame, trajectories_page
from posenb.plots.trajectories_figure import trajectories_figure

COUNT = 30


@pytest.fixture
def poses() -> Poses:
    rng = np.random.default_rng(0)
    positions = rng.uniform(5, 60, (COUNT, 2, 3, 2))
    likelihoods = rng.uniform(0.7, 1, (COUNT, 2, 3))
    likelihoods[4] = 0.1
    likelihoods[5] = np.nan
    skeleton = Skeleton(("snout", "<img src=x>", "tail"), ((0, 2),))
    return Poses(positions, likelihoods, skeleton, individuals=("a", "b"), fps=10.0)


@pytest.fixture
def image() -> np.ndarray:
    return np.full((48, 64, 3), 90, np.uint8)


def facts_of(page: str) -> dict:
    found = re.search(r'id="facts-data">(.*?)</script>', page)
    assert found is not None
    return json.loads(found[1])


# --- the page ------------------------------------------------------------------------


def test_the_page_tells_the_browser_what_it_needs(poses, image):
    facts = facts_of(trajectories_page(poses, image=image, cutoff=0.3))
    assert facts["count"] == COUNT
    assert facts["keypoints"] == list(poses.skeleton.keypoints)
    assert facts["individuals"] == ["a", "b"]
    assert facts["edges"] == [[0, 2]]
    assert (facts["fps"], facts["cutoff"]) == (10.0, 0.3)
    assert (facts["image"]["width"], facts["image"]["height"]) == (64, 48)
    assert facts["themes"]["dark"]["keypoints"] == list(DARK.keypoints)


def test_the_page_names_nothing_outside_itself(poses, image):
    page = trajectories_page(poses, image=image)
    outside = re.findall(r"""(?:src|href)=["'](?!data:)[^"']+""", page)
    assert outside == []
    assert "https://" not in page


def test_no_name_can_end_a_block_of_the_page(poses):
    page = trajectories_page(poses, title="</title><script>alert(1)</script>")
    assert "<img" not in page
    assert "alert(1)</script>" not in page


def test_the_code_of_plotly_is_there_once_and_packed(poses):
    page = trajectories_page(poses)
    assert page.count('id="plotly-code"') == 1
    assert len(page) < 2_500_000


def test_an_unknown_frame_rate_is_told(poses):
    from dataclasses import replace

    page = trajectories_page(replace(poses, fps=float("nan")))
    assert facts_of(page)["fps"] is None
    assert "frame rate unknown" in page


def test_a_great_frame_is_shrunk_and_keeps_its_measures(poses):
    page = trajectories_page(poses, image=np.zeros((3000, 4000, 3), np.uint8))
    image = facts_of(page)["image"]
    assert (image["width"], image["height"]) == (4000, 3000)
    assert len(image["source"]) < 30_000


@pytest.mark.parametrize("cutoff", [-0.1, 1.1, float("nan")])
def test_a_cutoff_is_a_likelihood(poses, cutoff):
    for draw in (trajectories_page, trajectories_figure):
        with pytest.raises(InvalidInputError, match="A cut-off is a likelihood from 0 to 1"):
            draw(poses, cutoff=cutoff)


def test_an_unknown_theme_is_named(poses):
    for draw in (trajectories_page, trajectories_figure):
        with pytest.raises(UnknownNameError, match="No theme 'sepia'"):
            draw(poses, theme="sepia")


@pytest.mark.parametrize("shape", [(48, 64), (48, 64, 4), (0, 64, 3)])
def test_a_frame_is_a_picture(poses, shape):
    with pytest.raises(InvalidInputError, match="A frame is an array of uint8"):
        trajectories_page(poses, image=np.zeros(shape, np.uint8))


def test_a_notebook_gets_the_whole_page_as_one_attribute(poses):
    page = trajectories_page(poses)
    frame = notebook_frame(page, 500)
    (inner,) = re.findall(r'srcdoc="([^"]*)"', frame)
    assert html.unescape(inner) == page
    assert "height: 500px" in frame


# --- the plain figure ----------------------------------------------------------------


def test_each_keypoint_of_each_individual_has_four_curves_and_one_name(poses):
    figure = trajectories_figure(poses)
    assert len(figure.data) == 2 * 3 * 4
    shown = [trace.name for trace in figure.data if trace.showlegend]
    assert shown == [f"{i}: {k}" for i in "ab" for k in poses.skeleton.keypoints]
    for name in shown:
        assert {t.legendgroup for t in figure.data if t.name == name} == {name}


def test_curves_hold_the_data(poses):
    path, x, y, likelihood = trajectories_figure(poses, cutoff=0).data[:4]
    np.testing.assert_allclose(np.asarray(path.x, float), poses.positions[:, 0, 0, 0])
    np.testing.assert_allclose(np.asarray(path.y, float), poses.positions[:, 0, 0, 1])
    np.testing.assert_allclose(np.asarray(x.x, float), poses.times)
    np.testing.assert_allclose(np.asarray(y.y, float), poses.positions[:, 0, 0, 1])
    np.testing.assert_allclose(np.asarray(likelihood.y, float), poses.likelihoods[:, 0, 0])


def test_below_the_cutoff_is_a_gap_and_without_likelihood_is_none(poses):
    for trace in trajectories_figure(poses, cutoff=0.6).data[:3]:
        values = np.asarray(trace.y, float)
        assert np.isnan(values[4])
        assert not np.isnan(values[5])


def test_individuals_have_lines_of_their_own_and_keypoints_colours(poses):
    figure = trajectories_figure(poses, theme="dark")
    dashes = {trace.name[0]: trace.line.dash for trace in figure.data}
    assert dashes == {"a": "solid", "b": "dash"}
    colours = [trace.line.color for trace in figure.data[:12:4]]
    assert colours == keypoint_colours(3, "dark")
    assert figure.layout.paper_bgcolor == DARK.paper


def test_the_frame_lies_below_the_paths_pixel_on_pixel(poses, image):
    layout = trajectories_figure(poses, image=image).layout
    (picture,) = layout.images
    assert (picture.x, picture.y, picture.sizex, picture.sizey) == (-0.5, -0.5, 64, 48)
    assert tuple(layout.xaxis.range) == (-0.5, 63.5)
    assert tuple(layout.yaxis.range) == (47.5, -0.5)


def test_panels_against_time_zoom_together(poses):
    layout = trajectories_figure(poses).layout
    assert {layout.xaxis2.matches, layout.xaxis3.matches} == {"x4"}
    assert layout.yaxis.autorange == layout.yaxis3.autorange == "reversed"


def test_long_lines_are_drawn_by_the_graphics_card():
    long = Poses(np.zeros((10_001, 1, 1, 2)), np.ones((10_001, 1, 1)), Skeleton(("a",)), fps=30)
    assert {trace.type for trace in trajectories_figure(long).data} == {"scattergl"}


def test_a_plain_figure_of_nothing_can_be_made():
    empty = Poses(np.zeros((0, 1, 1, 2)), np.zeros((0, 1, 1)), Skeleton(("a",)))
    assert len(trajectories_figure(empty).to_json()) > 0
