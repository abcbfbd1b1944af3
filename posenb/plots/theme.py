"""The one look: colours and letters of every figure and page, light and dark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from posenb._names import unknown_name

__all__ = [
    "DARK",
    "FONT",
    "LIGHT",
    "MONOSPACE",
    "Theme",
    "ThemeName",
    "find_theme",
    "keypoint_colours",
]

ThemeName = Literal["light", "dark"]

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
MONOSPACE = "ui-monospace, 'SF Mono', Menlo, 'DejaVu Sans Mono', monospace"


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours that belong together.

    Parameters
    ----------
    name : {"light", "dark"}
    paper : str
        Background.
    ink : str
        Text and what matters most.
    muted : str
        Secondary text, axes.
    faint : str
        Lines that help the eye.
    raised : str
        Background of controls.
    accent : str
        What is chosen or can be chosen.
    keypoints : tuple of str
        One colour each, in this order; they can be told apart with and without red and
        green cones, and from the paper.
    splits : mapping of str to str
        Colour of each part of a split: the eye goes to the test frames.
    """

    name: ThemeName
    paper: str
    ink: str
    muted: str
    faint: str
    raised: str
    accent: str
    keypoints: tuple[str, ...]
    splits: Mapping[str, str]

    def css(self) -> str:
        """Return the colours as custom properties of CSS: ``--paper: #FFFFFF; ...``."""
        names = ("paper", "ink", "muted", "faint", "raised", "accent")
        return " ".join(f"--{name}: {getattr(self, name)};" for name in names)


# The first six are Okabe and Ito's (2008), less black and yellow. Each further one is the
# farthest from those before it in OKLab, the nearest of three distances counting: as most
# people see them and as people without red or green cones do (Machado et al. 2009).
LIGHT = Theme(
    name="light",
    paper="#FFFFFF",
    ink="#1F2933",
    muted="#5F6B76",
    faint="#E3E7EB",
    raised="#F4F6F8",
    accent="#0072B2",
    keypoints=(
        *("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"),
        *("#691E1E", "#3C0F96", "#78E1B4", "#8778FF", "#963C69", "#874B00"),
        *("#A5B487", "#00D0EC", "#000FFF", "#E10FD2", "#69005A", "#3CD75F"),
        *("#690FC3", "#C31E96"),
    ),
    splits=MappingProxyType({"train": "#8A939C", "validation": "#E69F00", "test": "#0072B2"}),
)

# The same way, with both blues lighter and nothing that has less than 3.6 : 1 against the paper.
DARK = Theme(
    name="dark",
    paper="#14191F",
    ink="#E6EAEE",
    muted="#9AA6B2",
    faint="#2C353F",
    raised="#1E252D",
    accent="#56B4E9",
    keypoints=(
        *("#2F8FD0", "#E69F00", "#009E73", "#CC79A7", "#7CC4EE", "#D55E00"),
        *("#FFFF00", "#F0D287", "#0069FF", "#C3B496", "#FFFFB4", "#78A5FF"),
        *("#876996", "#FF4B69", "#F0C300", "#D2D2C3", "#5A87FF", "#0078C3"),
        *("#C34B3C", "#E1D2FF"),
    ),
    splits=MappingProxyType({"train": "#9AA6B2", "validation": "#E69F00", "test": "#56B4E9"}),
)

_THEMES = {theme.name: theme for theme in (LIGHT, DARK)}


def find_theme(name: str) -> Theme:
    """Return the theme `name`.

    Raises
    ------
    UnknownNameError
        If it is neither ``"light"`` nor ``"dark"``.
    """
    for theme in _THEMES.values():
        if theme.name == name:
            return theme
    raise unknown_name("theme", name, tuple(_THEMES))


def keypoint_colours(count: int, theme: ThemeName = "light") -> list[str]:
    """Return `count` colours, which repeat after twenty."""
    colours = find_theme(theme).keypoints
    return [colours[k % len(colours)] for k in range(count)]
