"""One run, whoever asks for it: a video, a model and options in; poses and what shows them out.

The page, the forms of a notebook and the command line all go through here, and differ only in
what they show while it goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

from posenb import storage
from posenb._progress import Progress, tqdm_progress
from posenb.app import engine, results
from posenb.app.results import TAKEN_HOME, Part
from posenb.app.state import Found, Options
from posenb.app.visit import Visit
from posenb.core import Poses

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PARTS", "STAGES", "Order", "Outcome", "run"]

PARTS: tuple[Part, ...] = get_args(Part)

STAGES = (
    "Getting ready",
    "Finding the animal in every frame",
    "Drawing the labelled video",
    "Writing the report and the tables",
)
_FIND, _DRAW, _TELL = 1, 2, 3
_SHARE_OF_VIDEO = 3  # the labelled video, its copy in the archive and all else


@dataclass(frozen=True, slots=True)
class Order:
    """What shall be found in which video, and what shall be made of it.

    Parameters
    ----------
    video : str
        Path or URL.
    model : str
        Name, or the folder of a model.
    options : Options
    name : str
        What the video is called in what is made; by default as its file.
    parts : tuple of {"report", "video", "table", "all"}
        What shall be made of the poses; "all" is the archive, which holds what else there is.
    further : mapping
        Other options of `posenb.zoo.analyze`, which count before `options`.
    """

    video: str
    model: str
    options: Options = field(default_factory=Options)
    name: str = ""
    parts: tuple[Part, ...] = PARTS
    further: Mapping[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What the video is called."""
        return self.name or storage.name(self.video)


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What came out of a run.

    Parameters
    ----------
    poses : Poses
    folder : str
        Where all files are.
    files : mapping of {"report", "video", "table", "all"} to str
        URLs of what was made of the poses.
    found : Found
        What is to be said of them.
    """

    poses: Poses
    folder: str
    files: Mapping[str, str]
    found: Found

    @property
    def summary(self) -> pd.DataFrame:
        """For each keypoint, in which share of the frames it was found, and how surely."""
        return results.summarise_poses(self.poses)


def _plain(stage: int) -> Progress:
    del stage  # its bars say what they count
    return tqdm_progress


def run(
    order: Order,
    progress: Callable[[int], Progress] = _plain,
    visit: Visit | None = None,
) -> Outcome:
    """Find the animal, draw it, tell of it and pack everything.

    Stopped anywhere and run again, it goes on with the frames that are missing. What was drawn
    and packed of the same poses before is not made again.

    Parameters
    ----------
    order : Order
    progress : callable, optional
        Makes, of the place of a stage in `STAGES`, what makes its bars.
    visit : Visit, optional
        Whose limits count; by default only the disk's.

    Raises
    ------
    PosenbError
        As `posenb.zoo.analyze`, `posenb.labelled_video` and `posenb.report`.
    """
    poses = engine.analyze_clip(
        order.video, order.model, order.options, progress(_FIND), **order.further
    )
    assert poses.url is not None
    folder = storage.parent(poses.url)
    if not results.is_packed(poses, order.title, order.parts, folder):
        _make(order, poses, folder, progress, visit)
    files: dict[str, str] = {part: storage.join(folder, TAKEN_HOME[part]) for part in order.parts}
    return Outcome(poses, folder, files, results.found_in(poses, files))


def _make(
    order: Order,
    poses: Poses,
    folder: str,
    progress: Callable[[int], Progress],
    visit: Visit | None,
) -> None:
    """Make what is wanted of the poses, the archive last."""
    bars = progress(_DRAW)
    if "video" in order.parts:
        room = None if visit is None else visit.room() // _SHARE_OF_VIDEO
        results.draw_clip(poses, order.video, folder, room, bars)
    bars = progress(_TELL)
    if "report" in order.parts:
        results.write_page(poses, order.video, order.title, folder, bars)
    if "table" in order.parts:
        results.write_table(poses, folder)
    if "all" in order.parts:
        if visit is not None and "video" in order.parts:
            drawn = storage.size(storage.join(folder, TAKEN_HOME["video"]))
            visit.check_room(drawn, "the archive")
        results.pack(poses, order.title, order.model, folder)
