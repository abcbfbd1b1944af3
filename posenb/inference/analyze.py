"""Analysis of videos: from a trained model and a video to poses, in pieces that last."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np

from posenb import storage
from posenb._progress import Progress, tqdm_progress
from posenb.core import AnalyzeConfig, FrameFormat, Poses
from posenb.errors import AnalysisError, StorageError
from posenb.inference.chunks import Chunk, ChunkFolder, Finished, Recipe, run_chunks
from posenb.inference.model import Model, find_model
from posenb.inference.record import analyzed_video, current_poses, write_analysis
from posenb.inference.target import Target, find_targets, identity, whole_crop, whole_range
from posenb.project import Run
from posenb.video import VideoReader, open_video

__all__ = ["analyze"]

Crop = tuple[int, int, int, int]


@overload
def analyze(
    run: Run | storage.Url,
    video: storage.Url,
    *,
    config: AnalyzeConfig | None = None,
    output: storage.Url | None = None,
    progress: Progress = tqdm_progress,
    **options: Any,
) -> Poses: ...


@overload
def analyze(
    run: Run | storage.Url,
    video: Sequence[storage.Url],
    *,
    config: AnalyzeConfig | None = None,
    output: storage.Url | None = None,
    progress: Progress = tqdm_progress,
    **options: Any,
) -> list[Poses]: ...


def analyze(
    run: Run | storage.Url,
    video: storage.Url | Sequence[storage.Url],
    *,
    config: AnalyzeConfig | None = None,
    output: storage.Url | None = None,
    progress: Progress = tqdm_progress,
    **options: Any,
) -> Poses | list[Poses]:
    """Find the keypoints in every frame of a video, or of several.

    Poses are written as ``poses.h5`` and ``poses.csv``, in the layout that DeepLabCut,
    movement and pandas read, with ``meta.json``, which tells how they came about. Frames
    that cannot be decoded keep their row, with NaN.

    The work is a row of chunks. Each finished one is a file in ``chunks/`` below the
    output folder until the whole is done: kill it anywhere and call it again, and only
    what is missing is computed; the final files are the same to the byte. Calling it
    again when all is done reads the files. If the video, the model, the frame range, the
    crop or the batch size changed, the video is analyzed anew and the files of before are
    replaced.

    Parameters
    ----------
    run : Run, str or PathLike
        A finished run, the folder of one, or a ``.keras`` file.
    video : str, PathLike or sequence of them
        Name of a video of the project, path or URL.
    config : AnalyzeConfig, optional
        Where neither it nor the options give a crop, the one that the project has for
        the video counts.
    output : str or PathLike, optional
        Folder for the files; with several videos, each gets a folder of its name in it.
        By default ``poses/<video>/<run>/`` in the project, or, for a model outside any
        project, ``<video>_poses/`` beside the video.
    progress : callable, optional
        Makes the progress bar; it counts frames.
    **options
        Fields of `AnalyzeConfig`, such as ``batch_size=32``, ``start=100`` or
        ``crop=(0, 320, 0, 240)``.

    Returns
    -------
    Poses or list of Poses
        In pixels of the whole frame; for several videos in their order.

    Raises
    ------
    AnalysisError
        If the run is not finished, the output folder cannot be written or holds the
        poses of another video, the video changes meanwhile, or the model is for several
        animals.
    ConfigError, InvalidInputError
        If an option is unknown, or crop or range do not lie in the video.
    UnknownNameError
        If the project has no video of that name.
    VideoError, StorageError
        If the video or a file cannot be read or written, for want of space too.
    ModelError, MissingBackendError
        If the model cannot be loaded.

    Warns
    -----
    VideoWarning
        If frames of the video are missing or cannot be decoded.

    Examples
    --------
    >>> poses = analyze("gs://lab/reach/runs/first", "m3v1")  # doctest: +SKIP
    >>> poses.to_dataframe()  # doctest: +SKIP
    """
    chosen = AnalyzeConfig(**options) if config is None else config.replace(**options)
    model = find_model(run)
    if isinstance(video, str | os.PathLike):
        (target,) = find_targets(model, [video], output, several=False)
        return _analyze(model, target, chosen, progress)
    targets = find_targets(model, list(video), output, several=True)
    return [_analyze(model, target, chosen, progress) for target in targets]


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be done, checked against the video."""

    model: Model
    target: Target
    config: AnalyzeConfig
    video: VideoReader
    known: dict[str, str]
    crop: Crop
    start: int
    stop: int

    @property
    def recipe(self) -> Recipe:
        (video,) = self.known.values()
        return Recipe(video, self.model.digest, self.crop, self.config.batch_size)

    @property
    def key(self) -> str:
        return self.recipe.key(self.start, self.stop)

    @property
    def chunks(self) -> tuple[Chunk, ...]:
        return self.recipe.chunks(self.start, self.stop, self.config.chunk_size)


def _analyze(model: Model, target: Target, config: AnalyzeConfig, progress: Progress) -> Poses:
    mark = storage.fingerprint(target.url)
    with open_video(target.url) as video:
        crop = whole_crop(target, config, video.info)
        start, stop = whole_range(config, video.info)
        plan = _Plan(model, target, config, video, identity(target.url), crop, start, stop)
        folder = ChunkFolder(storage.join(target.output, "chunks"))
        poses = current_poses(target.output, plan.key)
        if poses is None:
            _check_same_video(plan)
            finished = _finish(plan, folder, progress)
            if storage.fingerprint(target.url) != mark:
                raise AnalysisError(
                    f"A video must stay as it is while it is analyzed; {target.url} changed. "
                    "Run it again when whatever writes it has finished."
                )
            made = _merge(plan, finished)
            poses = write_analysis(target.output, made, _story(plan, made, finished))
    folder.remove()
    return poses


def _finish(plan: _Plan, folder: ChunkFolder, progress: Progress) -> list[Finished]:
    """Compute the chunks that `folder` lacks; return all in order."""
    finished = folder.get_all(plan.chunks)
    missing = [chunk for chunk in plan.chunks if chunk not in finished]
    if missing:
        keypoints = len(plan.model.description.keypoints)
        _check_writable(folder, plan.target)
        x1, x2, y1, y2 = plan.crop
        size = plan.config.batch_size
        predict = plan.model.predict(FrameFormat("rgb", y2 - y1, x2 - x1), size)
        software = plan.model.software

        def read(chunk: Chunk) -> Iterator[tuple[np.ndarray, np.ndarray]]:
            for indices, frames in plan.video.batches(size, chunk.start, chunk.stop):
                yield indices, frames[:, y1:y2, x1:x2].reshape(len(frames), -1)

        def put(chunk: Chunk, poses: np.ndarray) -> None:
            finished[chunk] = Finished(poses, software)
            folder.put(chunk, finished[chunk])

        total = sum(map(len, missing))
        with progress(total, f"Analyzing {storage.name(plan.target.url)}", "frame") as bar:
            run_chunks(missing, read, predict, put, keypoints=keypoints, on_frames=bar.advance)
    return [finished[chunk] for chunk in plan.chunks]


def _check_same_video(plan: _Plan) -> None:
    """Refuse to replace the poses of another video, which may well bear the same name."""
    before = analyzed_video(plan.target.output)
    if before is None or before.get("url") == plan.target.shown:
        return
    if not plan.known.items() <= before.items():  # or the same one has moved
        raise AnalysisError(
            f"A folder holds the poses of one video; {plan.target.output} has those of "
            f"{before.get('url')}, and {plan.target.shown} is another one. Give it a folder of "
            "its own: analyze(..., output='/a/folder/of/yours'); or delete the one of before."
        )


def _check_writable(folder: ChunkFolder, target: Target) -> None:
    try:
        folder.check_writable()
    except StorageError as error:
        if error.errno != errno.EACCES:
            raise
        raise AnalysisError(
            f"Analysis writes its files into a folder; {target.output} cannot be written "
            f"({error}). Choose another one: analyze(..., output='/a/folder/of/yours')."
        ) from error


def _merge(plan: _Plan, finished: Sequence[Finished]) -> Poses:
    poses = np.concatenate([each.poses for each in finished]).astype(np.float64)[:, None]
    description = plan.model.description
    return Poses(
        poses[..., :2] + (plan.crop[0], plan.crop[2]),
        poses[..., 2],
        description.skeleton,
        np.arange(plan.start, plan.stop),
        description.individuals,
        fps=plan.video.fps,
        scorer=f"posenb_{description.name}",
    )


def _story(plan: _Plan, poses: Poses, finished: Sequence[Finished]) -> dict[str, Any]:
    """Tell how the poses came about, without anything that differs from run to run."""
    run, info = plan.model.run, plan.video.info
    software: list[Mapping[str, str]] = []
    for each in finished:  # several if packages changed between two sittings
        if each.software not in software:
            software.append(each.software)
    undecodable = int(np.isnan(poses.likelihoods).all(axis=(1, 2)).sum())
    return {
        "key": plan.key,
        "scorer": poses.scorer,
        "frames": {"start": plan.start, "stop": plan.stop, "undecodable": undecodable},
        "crop": plan.crop,
        "config": plan.config.model_dump(mode="json"),
        "video": {
            "url": plan.target.shown,
            **plan.known,
            "fps": info.fps,
            "frame_count": info.frame_count,
            "missing_frames": info.missing_frames,
            "width": info.width,
            "height": info.height,
        },
        "model": {
            "run": None if run is None else run.name,
            "sha256": plan.model.digest,
            "description": plan.model.description.model_dump(mode="json"),
        },
        "software": software,
    }
