"""The one look: what themes promise, and that figures keep to them."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from posenb.errors import UnknownNameError
from posenb.plots import plot_errors, plot_learning_curve
from posenb.plots.style import figure_bytes, new_figure, theme_of
from posenb.plots.theme import DARK, LIGHT, find_theme, keypoint_colours

THEMES = [LIGHT, DARK]


def luminance(colour: str) -> float:
    value = np.array(mpl.colors.to_rgb(colour))
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(a: str, b: str) -> float:
    """WCAG 2's ratio, from 1 to 21."""
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize(("role", "least"), [("ink", 7), ("muted", 4.5), ("accent", 4.5)])
@pytest.mark.parametrize("ground", ["paper", "raised"])
def test_letters_can_be_read(theme, role, least, ground):
    assert contrast(getattr(theme, role), getattr(theme, ground)) >= least


def test_keypoints_of_the_dark_theme_stand_out_from_its_paper():
    assert min(contrast(colour, DARK.paper) for colour in DARK.keypoints) > 3


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_each_theme_has_twenty_colours_for_keypoints(theme):
    assert len(set(keypoint_colours(20, theme.name))) == 20
    assert keypoint_colours(22, theme.name)[20:] == keypoint_colours(2, theme.name)


def test_themes_tell_the_same_things():
    assert LIGHT.splits.keys() == DARK.splits.keys()
    assert "--paper: #FFFFFF;" in LIGHT.css()


def test_a_misspelt_theme_is_met_with_the_likeliest_one():
    with pytest.raises(UnknownNameError, match="Did you mean 'dark'"):
        find_theme("drak")


def history() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "step": [100, 200],
            "seconds": [1.0, 2.0],
            "loss": [1.0, 0.5],
            "validation_error": [9.0, 4.0],
        }
    )


def errors() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "split": ["train", "test"] * 3,
            "keypoint": ["snout"] * 6,
            "error": [1.0, 2, 3, 4, 5, 6],
            "likelihood": 0.9,
        }
    )


@pytest.mark.parametrize(
    "figure",
    [plot_learning_curve(history(), theme="dark"), plot_errors(errors(), theme="dark", human=2.7)],
    ids=["learning", "errors"],
)
def test_a_dark_figure_is_dark_throughout(figure):
    assert theme_of(figure) is DARK
    assert mpl.colors.to_hex(figure.get_facecolor()).upper() == DARK.paper
    for axes in figure.axes:
        assert mpl.colors.to_hex(axes.get_facecolor()).upper() == DARK.paper
        assert mpl.colors.to_hex(axes.yaxis.label.get_color()).upper() == DARK.ink
        for line in axes.get_lines():
            assert contrast(mpl.colors.to_hex(line.get_color()), DARK.paper) > 1.2


def some_figure():
    figure = new_figure(2, 1)
    figure.text(0.1, 0.5, "likelihood")
    return figure


def test_letters_of_vector_figures_stay_letters():
    assert b">likelihood</text>" in figure_bytes(some_figure(), "svg")
    assert b"/FontFile2" in figure_bytes(some_figure(), "pdf") or b"/TrueType" in figure_bytes(
        some_figure(), "pdf"
    )


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_the_same_figure_gives_the_same_bytes(kind):
    assert figure_bytes(some_figure(), kind) == figure_bytes(some_figure(), kind)


def test_saving_a_figure_leaves_the_settings_as_they_were():
    before = dict(mpl.rcParams)
    figure_bytes(some_figure(), "svg")
    assert dict(mpl.rcParams) == before
