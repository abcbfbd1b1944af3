"""A project as a folder that DeepLabCut opens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Literal

import yaml

from posenb import storage
from posenb._progress import Progress, tqdm_progress
from posenb.core import FrameName, Labels
from posenb.errors import ProjectError
from posenb.labels import write_labels
from posenb.labels.files import FOLDER
from posenb.project.foreign import CONFIG
from posenb.project.images import IMAGE_SUFFIXES, list_frames
from posenb.project.value import VIDEOS, Project

__all__ = ["to_dlc"]

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def to_dlc(
    project: Project,
    folder: storage.Url,
    *,
    videos: Literal["link", "copy"] = "link",
    progress: Progress = tqdm_progress,
) -> str:
    """Write the project as a folder that DeepLabCut 3 opens.

    It gets all images in the folders of labelled frames, the labels, the videos and a
    ``config.yaml``. That file comes last: cut off, the work can be run again. Marks of
    occluded keypoints have no place in DeepLabCut, whose files hold positions alone;
    they are kept beside in files that it ignores.

    Parameters
    ----------
    project : Project
    folder : str or PathLike
        A local folder without a ``config.yaml``.
    videos : {"link", "copy"}, optional
        Whether local videos become symbolic links or copies in ``videos/``; those in
        the cloud must be copied.
    progress : callable, optional
        Makes the progress bar; it counts folders of frames and videos.

    Returns
    -------
    str
        The ``config.yaml``.

    Raises
    ------
    ProjectError
        If the folder is not local or has a ``config.yaml``, or a video in the cloud
        shall be linked.
    """
    target = _target(folder)
    labels = _labels(project)
    own = set(labels.videos) if labels else set()
    stems = tuple(dict.fromkeys((*project.videos, *sorted(own - {""}))))
    flat = project.name if "" in own else None
    sets: dict[str, dict[str, str]] = {}
    with progress(len(stems) + (flat is not None), "Exporting", "video") as bar:
        for stem in stems:
            _copy_frames(project, target, stem, stem, labels)
            path = _place_video(project, stem, target, copy=videos == "copy")
            sets[path] = {"crop": _crop(project, target, stem)}
            bar.advance(video=stem)
        if flat is not None:
            _copy_frames(project, target, "", flat, labels)
            path = str(target / VIDEOS / f"{flat}.mp4")
            sets[path] = {"crop": _crop(project, target, flat)}
            bar.advance(video=flat)
    text = yaml.safe_dump(_config(project, target, sets), sort_keys=False, allow_unicode=True)
    config_url = storage.join(str(target), CONFIG)
    storage.write_text(config_url, text)
    return config_url


def _target(folder: storage.Url) -> Path:
    if not storage.is_local(folder):
        raise ProjectError(
            f"DeepLabCut works on local folders; got {folder}. Export to a local one."
        )
    target = Path(storage.resolve(folder)).resolve()
    if storage.exists(str(target / CONFIG)):
        raise ProjectError(
            f"A project is exported to a folder without one; {target} has a {CONFIG}. Choose "
            "another folder."
        )
    return target


def _labels(project: Project) -> Labels | None:
    return project.labels() if project.has_labels() else None


def _copy_frames(
    project: Project, target: Path, video: str, stem: str, labels: Labels | None
) -> None:
    """Copy the images of `video` and write its labels, under the name `stem`."""
    chosen = [n for n, frame in enumerate(labels.frames) if frame.video == video] if labels else []
    goal = str(target / FOLDER / stem)
    for frame in list_frames(project, video):
        storage.copy(project.image_url(frame), storage.join(goal, frame.image))
    if labels and chosen:
        part = labels.select(chosen)
        frames = tuple(FrameName(stem, frame.image) for frame in part.frames)
        write_labels(goal, replace(part, frames=frames))


def _place_video(project: Project, stem: str, target: Path, *, copy: bool) -> str:
    """Copy or link a video, and return the path that DeepLabCut shall know it by.

    DeepLabCut finds the labels of a video by its entry, so there is a path even where
    no video is.
    """
    if stem not in project.videos:
        return str(target / VIDEOS / f"{stem}.mp4")
    source = project.video_url(stem)
    path = target / VIDEOS / storage.name(source)
    if path.exists() or not storage.exists(source):
        return str(path)
    if copy:
        storage.copy(source, str(path))
    else:
        _link(source, path)
    return str(path)


def _link(source: str, path: Path) -> None:
    if not storage.is_local(source):
        raise ProjectError(
            f'A video in the cloud cannot be linked; {source} is one. Pass videos="copy".'
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.symlink_to(Path(source).resolve())
    except OSError as error:
        raise ProjectError(
            f'{path} cannot be a link to {source} here ({error}). Pass videos="copy".'
        ) from error


def _crop(project: Project, target: Path, stem: str) -> str:
    from PIL import Image

    from posenb.video import probe

    x1, y1 = 0, 0
    images: Sequence[Path] = sorted((target / FOLDER / stem).glob("*"))
    pictures = [path for path in images if path.suffix.lower() in IMAGE_SUFFIXES]
    if stem in project.crops:
        x1, x2, y1, y2 = project.crops[stem]
    elif pictures:
        with Image.open(pictures[0]) as image:
            x2, y2 = image.size
    elif stem in project.videos and storage.exists(project.video_url(stem)):
        info = probe(project.video_url(stem))
        x2, y2 = info.width, info.height
    else:
        x2, y2 = 640, 480  # DeepLabCut wants an entry, though there is nothing to crop
    return f"{x1}, {x2}, {y1}, {y2}"


def _config(project: Project, target: Path, sets: dict[str, dict[str, str]]) -> dict[str, Any]:
    today = date.today()
    several = project.individuals != ("",)
    skeleton = project.skeleton
    animals: dict[str, Any] = {"bodyparts": list(skeleton.keypoints)}
    if several:
        own = [name for name in skeleton.keypoints if name not in skeleton.unique]
        animals = {
            "individuals": list(project.individuals),
            "uniquebodyparts": list(skeleton.unique),
            "multianimalbodyparts": own,
            "bodyparts": "MULTI!",
        }
    return {
        "Task": project.name,
        "scorer": project.scorer,
        "date": f"{_MONTHS[today.month - 1]}{today.day}",
        "multianimalproject": several,
        "identity": False,
        "project_path": str(target),
        "engine": "pytorch",
        "video_sets": sets,
        **animals,
        "start": 0,
        "stop": 1,
        "numframes2pick": 20,
        "skeleton": [list(edge) for edge in skeleton.edge_names],
        "skeleton_color": "black",
        "pcutoff": 0.6,
        "dotsize": 12,
        "alphavalue": 0.7,
        "colormap": "rainbow",
        "TrainingFraction": [0.95],
        "iteration": 0,
        "default_net_type": "resnet_50",
        "default_augmenter": "multi-animal-imgaug" if several else "default",
        "default_track_method": "ellipse",
        "snapshotindex": -1,
        "detector_snapshotindex": -1,
        "batch_size": 8,
        "detector_batch_size": 1,
        "cropping": False,  # on, DeepLabCut would cut every video to x1 ... y2
        "x1": 0,
        "x2": 640,
        "y1": 277,
        "y2": 624,
        "corner2move2": [50, 50],
        "move2corner": True,
    }
