"""What the page of the browser asks for, and what it is told: no widget, no pixels on a screen."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from posenb.core import FrameName, Poses
from posenb.errors import PosenbError, VideoError
from posenb.extraction import find_crop, write_frame
from posenb.plots.packing import pack_poses
from posenb.plots.theme import DARK, LIGHT
from posenb.widgets.browse_opening import Place, Source, list_images
from posenb.widgets.browse_state import (
    BrowseState,
    Spot,
    chosen,
    find_spots,
    mark,
    take_in,
    to_notes,
    unmark,
    waiting,
    with_notes,
)
from posenb.widgets.frame_feed import FrameFeed
from posenb.widgets.notes import Notes

__all__ = ["Answer", "Desk"]

Answer = tuple[dict[str, Any], list[bytes]]


class Desk:
    """Answers a page that browses poses.

    Parameters
    ----------
    poses : Poses
    source : Source
        Their video.
    place : Place
        Where frames go that are to be labelled.
    cutoff : float
        Least likelihood that is shown at first.
    label : callable
        Called with the images that are to be labelled.
    on_fault : callable
        Called, from another thread, when marks cannot be kept, or can again.
    """

    def __init__(
        self,
        poses: Poses,
        source: Source,
        place: Place,
        cutoff: float,
        *,
        label: Callable[[tuple[FrameName, ...]], None],
        on_fault: Callable[[], None],
    ) -> None:
        self.poses = poses
        self.source = source
        self.place = place
        self.state = BrowseState()
        self._cutoff = cutoff
        self._feed = None if source.video is None else FrameFeed(source.video)
        self._label = label
        self._message = ("", False)
        self.reload()
        self.notes: Notes | None = None
        if place.project is not None and not place.trouble:
            self.notes = Notes(place.project.notes_url("relabel"), on_fault)
            assert poses.frames is not None
            frames = frozenset(poses.frames.tolist())
            self.state = with_notes(self.state, self.notes.found, place.video, frames)

    def handle(self, message: Mapping[str, Any]) -> list[Answer]:
        """Do what a page asks for and return what it is to be told.

        Parameters
        ----------
        message : mapping
            ``do`` and what belongs to it; ``page`` comes back with each answer, so that
            one of several pages knows its own.
        """
        page = message.get("page")
        match message.get("do"):
            case "open":
                facts, data = self._opening()
                return [({"told": "poses", "page": page, **facts}, [data])]
            case "frames":
                return [self._frame(page, int(row)) for row in message["rows"]]
            case "spots":
                return [({"told": "spots", "page": page, **self._spots(message)}, [])]
            case "mark":
                self._change(mark(self.state, int(message["frame"])))
            case "unmark":
                self._change(unmark(self.state, int(message["frame"])))
            case "take":
                self._take()
            case "label":
                self._label_marked()
        return []

    def view(self) -> dict[str, Any]:
        """Return what every page shows of marks and project."""
        state, place = self.state, self.place
        text, bad = self._message
        lost = "" if self.notes is None else self.notes.fault
        return {
            "marks": [{"frame": n, "state": self._state_of(n)} for n in sorted(state.marked)],
            "labelled": sorted(state.labelled),
            "images": sorted(state.images.keys() - state.labelled),
            "waiting": len(waiting(state)),
            "project": "" if place.project is None else place.project.name,
            "refusal": place.trouble,
            "message": " ".join(filter(None, (text, lost))),
            "bad": bad or bool(lost),
        }

    def close(self) -> None:
        """Release the video, once the marks are kept."""
        if self.notes is not None:
            self.notes.close()
        if self.source.video is not None:
            self.source.video.close()

    def _opening(self) -> tuple[dict[str, Any], bytes]:
        poses, video = self.poses, self.source.video
        assert poses.frames is not None
        pack, data = pack_poses(poses)
        timed = bool(np.isfinite(poses.fps) and poses.fps > 0)
        facts = {
            "title": self.source.title,
            "trouble": self.source.trouble,
            "size": None if video is None else [video.width, video.height],
            "count": len(poses),
            "start": int(poses.frames[0]),
            "pack": pack,
            "fps": poses.fps if timed else None,
            "keypoints": poses.skeleton.keypoints,
            "individuals": poses.individuals,
            "edges": poses.skeleton.edges,
            "cutoff": self._cutoff,
            "themes": [
                {name: getattr(theme, name) for name in ("paper", "keypoints")}
                for theme in (LIGHT, DARK)
            ],
        }
        return {"facts": facts}, zlib.compress(data, 6)

    def _frame(self, page: Any, row: int) -> Answer:
        assert self.poses.frames is not None
        answer = {"told": "frame", "page": page, "row": row}
        try:
            if self._feed is None:
                raise VideoError(self.source.trouble)
            return answer, [self._feed.jpeg(int(self.poses.frames[row]))]
        except (PosenbError, IndexError) as error:
            return {**answer, "error": str(error)}, []

    def _spots(self, message: Mapping[str, Any]) -> dict[str, Any]:
        kind = message["kind"]
        shape = self.poses.likelihoods.shape[1:]
        shown = np.array(message["shown"], bool).reshape(shape)
        spots = find_spots(self.poses, kind, cutoff=float(message["cutoff"]), shown=shown)
        return {"kind": kind, "spots": [self._told(spot) for spot in spots]}

    def _told(self, spot: Spot) -> dict[str, Any]:
        line = spot.individual * len(self.poses.skeleton) + spot.keypoint
        return {"row": spot.row, "line": line, "value": spot.value}

    def _state_of(self, frame: int) -> str:
        if frame in self.state.labelled:
            return "labelled"
        return "image" if frame in self.state.images else "marked"

    def reload(self) -> None:
        """Look what lies in the project by now."""
        if self.place.project is None or self.place.trouble:
            return
        try:
            images, labelled = list_images(self.place.project, self.place.video)
        except PosenbError as error:
            self._message = (str(error), True)
            return
        self.state = take_in(self.state, images, labelled)

    def _change(self, state: BrowseState) -> None:
        """Mark otherwise than before, and keep that for the next time."""
        video = self.place.video
        before, after = to_notes(self.state, video), to_notes(state, video)
        self.state = state
        if self.notes is not None:
            gone: dict[str, str | None] = dict.fromkeys(before.keys() - after.keys())
            self.notes.change(gone | {key: after[key] for key in after.keys() - before.keys()})

    def _take(self) -> None:
        """Write the marked frames as images; what lies there already stays as it is."""
        project, video = self.place.project, self.source.video
        if project is None or video is None or self.place.trouble:
            self._message = (self.place.trouble, True)
            return
        self.reload()  # what others did meanwhile
        added, lost = 0, list[str]()
        try:
            crop = find_crop(project, self.place.video, video.info)
            for frame in waiting(self.state):
                try:
                    added += write_frame(project, self.place.video, video, frame, crop) is not None
                except VideoError as error:
                    lost.append(str(error))
        except PosenbError as error:
            self.reload()
            self._message = (str(error), True)
            return
        self.reload()
        frames = "1 frame was" if added == 1 else f"{added} frames were"
        taken = f"{frames} added to labeled-data/{self.place.video}/."
        self._message = (" ".join([*lost, taken]), bool(lost))

    def _label_marked(self) -> None:
        """Take the marked frames and label them, with these poses as a start."""
        self._message = ("", False)
        self.reload()
        if waiting(self.state):
            self._take()
        images = chosen(self.state)
        if not images or self.place.trouble:
            return
        try:
            self._label(images)
        except PosenbError as error:
            self._message = (str(error), True)
