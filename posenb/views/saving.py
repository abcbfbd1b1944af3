"""The verb `plot`: all there is to see of poses, as files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from posenb import storage
from posenb._names import unknown_name
from posenb.core import Poses
from posenb.errors import InvalidInputError
from posenb.inference import load_poses
from posenb.plots.theme import ThemeName
from posenb.views.trajectories import plot_trajectories

__all__ = ["Format", "plot"]

Format = Literal["png", "svg", "pdf"]
FORMATS: tuple[Format, ...] = ("png", "svg", "pdf")


def plot(
    poses: Poses | storage.Url,
    *,
    video: storage.Url | None = None,
    output: storage.Url | None = None,
    cutoff: float = 0.6,
    keypoints: Sequence[str] | None = None,
    formats: Sequence[str] = ("png", "pdf"),
    theme: ThemeName = "light",
) -> str:
    """Write the page of trajectories and the figures of poses into a folder.

    The page is ``trajectories.html``, as `plot_trajectories` makes it; the figures are
    ``paths``, ``positions``, ``likelihood`` and ``steps``, in each format.

    Parameters
    ----------
    poses : Poses, str or PathLike
        Or the folder or table they lie in, as `load_poses` takes it.
    video : str or PathLike, optional
        The video they belong to; by default the one that they were found in.
    output : str or PathLike, optional
        The folder; by default ``plots`` beside the poses.
    cutoff : float, optional
        Points of a smaller likelihood are not shown.
    keypoints : sequence of str, optional
        Those to show; all by default.
    formats : sequence of {"png", "svg", "pdf"}, optional
        Of the figures; the letters of SVG and PDF stay letters.
    theme : {"light", "dark"}, optional
        The colours.

    Returns
    -------
    str
        URL of the folder.

    Raises
    ------
    InvalidInputError
        If the poses lie in no file and no folder is given, or `cutoff` is no likelihood.
    UnknownNameError
        If a format, a keypoint or the theme does not exist.
    LabelError, AnalysisError
        If there are no poses at the URL, or they cannot be read.
    VideoError, StorageError
        If a video that was asked for cannot be read, or a file cannot be written.

    Examples
    --------
    >>> plot("reach/poses/m3v1/first")  # doctest: +SKIP
    """
    from posenb.plots import plot_likelihood, plot_paths, plot_positions, plot_steps
    from posenb.plots.style import figure_bytes

    kinds = [_format(kind) for kind in formats]
    known = poses if isinstance(poses, Poses) else load_poses(poses)
    folder = _folder(known, output)
    page = plot_trajectories(known, video=video, cutoff=cutoff, keypoints=keypoints, theme=theme)
    figures = {
        "paths": plot_paths(known, page.image, cutoff=cutoff, keypoints=keypoints, theme=theme),
        "positions": plot_positions(known, cutoff=cutoff, keypoints=keypoints, theme=theme),
        "likelihood": plot_likelihood(known, cutoff=cutoff, keypoints=keypoints, theme=theme),
        "steps": plot_steps(known, cutoff=cutoff, keypoints=keypoints, theme=theme),
    }
    for name, figure in figures.items():
        for kind in kinds:
            storage.write_bytes(storage.join(folder, f"{name}.{kind}"), figure_bytes(figure, kind))
    page.save(storage.join(folder, "trajectories.html"))
    return folder


def _format(name: str) -> Format:
    for known in FORMATS:
        if known == name:
            return known
    raise unknown_name("format", name, FORMATS)


def _folder(poses: Poses, output: storage.Url | None) -> str:
    if output is not None:
        return storage.resolve(output)
    if poses.url is None:
        raise InvalidInputError(
            "Plots go beside the poses; these lie in no file. Say where to: plot(..., "
            "output='/a/folder')."
        )
    return storage.join(storage.parent(poses.url), "plots")
