"""Labels drawn over their frames, to see what is wrong with them."""

from __future__ import annotations

import errno
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from posenb import storage
from posenb._names import unknown_name
from posenb._progress import Progress, tqdm_progress
from posenb.core import FrameName, Labels, Visibility
from posenb.errors import LabelError, LabelWarning, StorageError
from posenb.plots.label_page import Tile, label_page
from posenb.project import Project, open_project, read_image

__all__ = ["LabelPage", "chosen_labels", "draw_label_page"]

FOLDER = "check-labels"
PAGE = "index.html"


@dataclass(frozen=True, slots=True)
class LabelPage:
    """What `draw_label_page` wrote.

    Parameters
    ----------
    page : str
        The page to open in a browser.
    pictures : tuple of str
        One for each labelled frame, in the order of the page.
    """

    page: str
    pictures: tuple[str, ...]


def draw_label_page(
    project: Project | storage.Url,
    *,
    videos: str | Sequence[str] | None = None,
    output: storage.Url | None = None,
    zoom: bool = True,
    notes: Mapping[FrameName, str] | None = None,
    progress: Progress = tqdm_progress,
) -> LabelPage:
    """Draw the labels over their frames: a picture of each and a page to flip through them.

    Each picture tells keypoints apart by colour, individuals by shape, and shows which
    keypoints are occluded, not labelled, or outside the image. Pictures of before are
    replaced.

    Parameters
    ----------
    project : Project, str or PathLike
        The project or its folder.
    videos : str or sequence of str, optional
        Whose frames; by default all that are labelled.
    output : str or PathLike, optional
        Folder for the files; ``check-labels/`` in the project by default.
    zoom : bool, optional
        Show the part of each frame where the labels lie at large.
    notes : mapping of FrameName to str, optional
        What is to say of frames on the page.
    progress : callable, optional
        Makes the progress bar; it counts frames.

    Returns
    -------
    LabelPage
        ``<output>/index.html`` and the pictures, ``<output>/<video>/<image>``.

    Raises
    ------
    LabelError
        If there are no labels, or none of the images can be read.
    UnknownNameError
        If no frame of a video is labelled.
    StorageError
        If the folder cannot be written.

    Warns
    -----
    LabelWarning
        If images are gone or damaged; the others are drawn.

    Examples
    --------
    >>> draw_label_page("gs://lab/reach").page  # doctest: +SKIP
    'gs://lab/reach/check-labels/index.html'
    """
    home = project if isinstance(project, Project) else open_project(project)
    labels = chosen_labels(home.labels(), (videos,) if isinstance(videos, str) else videos)
    folder = storage.join(home.url, FOLDER) if output is None else storage.resolve(output)
    tiles: list[Tile] = []
    lost: list[str] = []
    images = storage.in_order(partial(_read, home), labels.frames)
    with progress(len(labels), "Drawing labels", "frame") as bar:
        for n, image in enumerate(images):
            frame = labels.frames[n]
            if image is None:
                lost.append(home.image_url(frame))
            else:
                tile = _draw(labels, n, image, folder, zoom)
                said = ((notes or {}).get(frame, ""), tile.note)
                tiles.append(tile._replace(note=" ".join(filter(None, said))))
            bar.advance()
    if lost:
        gone = (
            f"{len(lost)} of {len(labels)} labelled images are gone or damaged and are left out "
            f"(the first is {lost[0]}). Put them back, or delete their labels."
        )
        if not tiles:
            raise LabelError(gone)
        warnings.warn(gone, LabelWarning, stacklevel=2)
    page = storage.join(folder, PAGE)
    storage.write_text(page, label_page(f"Labels of {home.name}", _summary(labels), tiles))
    return LabelPage(page, tuple(storage.join(folder, tile.path) for tile in tiles))


def chosen_labels(labels: Labels, videos: Sequence[str] | None) -> Labels:
    """Return the labels of some videos, or of all.

    Raises
    ------
    UnknownNameError
        If no frame of a video is labelled.
    LabelError
        If nothing is left.
    """
    if videos is None:
        chosen = labels
    else:
        for video in videos:
            if video not in labels.videos:
                raise unknown_name("video with labels", video, labels.videos)
        chosen = labels.select([n for n, f in enumerate(labels.frames) if f.video in videos])
    if not len(chosen):
        raise LabelError("Labels are checked where there are some; the tables hold no frame.")
    return chosen


def _read(project: Project, frame: FrameName) -> np.ndarray | None:
    try:
        return read_image(project, frame)
    except (LabelError, StorageError) as error:
        if isinstance(error, StorageError) and error.errno != errno.ENOENT:
            raise
        return None


def _draw(labels: Labels, n: int, image: np.ndarray, folder: str, zoom: bool) -> Tile:
    """Write the picture of frame `n`."""
    from posenb.plots.labels import draw_labels, find_signs
    from posenb.plots.style import figure_bytes

    assert labels.visibility is not None
    frame = labels.frames[n]
    name = "/".join(part for part in frame if part)
    figure = draw_labels(
        *(image, labels.positions[n], labels.visibility[n], labels.skeleton),
        individuals=labels.individuals,
        title=name,
        zoom=zoom,
    )
    path = name if name.lower().endswith(".png") else f"{name}.png"
    storage.write_bytes(storage.join(folder, path), figure_bytes(figure, "png"))
    signs = find_signs(labels.positions[n], labels.visibility[n], labels.skeleton, image.shape[:2])
    said = {"missing": "not labelled", "outside": "outside the image"}
    counts = {text: int((signs == sign).sum()) for sign, text in said.items()}
    note = ", ".join(f"{count} {text}" for text, count in counts.items() if count)
    return Tile(path, frame.video, frame.image, note)


def _summary(labels: Labels) -> str:
    assert labels.visibility is not None
    given = int((labels.visibility != Visibility.UNLABELLED).sum())
    occluded = int((labels.visibility == Visibility.OCCLUDED).sum())
    frames = "1 frame" if len(labels) == 1 else f"{len(labels)} frames"
    return f"{frames}, {given} keypoints" + (f", {occluded} of them occluded" if occluded else "")
