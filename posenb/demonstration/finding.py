"""The verb `demo`: from nothing to trajectories, offline, on two cores, within a minute."""

from __future__ import annotations

from dataclasses import dataclass

from posenb import storage, zoo
from posenb._progress import Progress, tqdm_progress
from posenb.core import Poses
from posenb.demonstration.animal import walk
from posenb.demonstration.sample import CLIP, FRAMES, draw_clip
from posenb.errors import InvalidInputError
from posenb.reports.making import Look, write_report

__all__ = ["Demo", "demo"]

MODEL = "mouse_openfield"
_VIDEO, _POSES, _PAGE = f"{CLIP}.mp4", f"{CLIP}_poses", "report.html"
_LEAD = (
    f"A made mouse, and where {MODEL} found it: a model of the zoo, which learned from recordings "
    "of a real one. Nothing was labelled and nothing trained."
)
_SURE = 0.6  # the likelihood from which on plots show a keypoint


@dataclass(frozen=True, slots=True, eq=False)
class Demo:
    """What the demonstration left behind.

    Parameters
    ----------
    folder : str
        Holds the video, the poses and the page.
    poses : Poses
        Where the model found the mouse.
    page_url : str
        The report, which shows it all.
    """

    folder: str
    poses: Poses
    page_url: str

    @property
    def found(self) -> float:
        """Share of the keypoints with a likelihood of at least 0.6."""
        return float((self.poses.likelihoods >= _SURE).mean())

    def __repr__(self) -> str:
        """Tell what was found, where to look and how to go on."""
        size = self.poses.provenance["zoo"]["size"]["value"]
        return (
            f"{MODEL} found {self.found:.0%} of the keypoints in {len(self.poses)} frames of a\n"
            f"made mouse, which is {size:.2g} times as long as those it learned from.\n"
            f"Look at it:      {self.page_url}\n"
            f"All files:       {self.folder}\n"
            f"Your own video:  posenb zoo run {MODEL} VIDEO"
        )


def demo(folder: storage.Url = "posenb-demo", *, progress: Progress = tqdm_progress) -> Demo:
    """Make a video of a walking mouse and let a model of the zoo find it.

    Nothing is downloaded, labelled or trained, and of the extras ``cpu`` is enough. Stopped
    and run again, it goes on where it was; run again after that, it only writes the report
    anew. `demo_training` walks the other way, from labels to a network of one's own.

    Parameters
    ----------
    folder : str or PathLike, optional
        For the video ``walk.mp4``, the poses and the page ``report.html``.
    progress : callable, optional
        Makes the progress bars.

    Returns
    -------
    Demo

    Raises
    ------
    InvalidInputError
        If the folder holds something else.
    """
    place = storage.resolve(folder)
    _check_own(place)
    video = storage.join(place, _VIDEO)
    draw_clip(video, walk(FRAMES, 0), 0, progress)
    poses = zoo.analyze(video, MODEL, output=storage.join(place, _POSES), progress=progress)
    page_url = write_report(poses, storage.join(place, _PAGE), Look(lead=_LEAD), progress)
    return Demo(place, poses, page_url)


def _check_own(place: str) -> None:
    if not storage.is_folder(place):
        return
    there = {storage.name(url) for url in storage.list_files(place)}
    there |= {storage.name(url) for url in storage.list_folders(place)}
    if there and not {_VIDEO} <= there <= {_VIDEO, _POSES, _PAGE}:
        raise InvalidInputError(
            f"The demo needs a folder of its own; {place} holds other things. Name another folder, "
            "which need not be there."
        )
