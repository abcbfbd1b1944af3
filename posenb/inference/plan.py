"""What is to be done with a video, found out before anything is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from posenb import storage
from posenb.core import AnalyzeConfig, FrameFormat
from posenb.inference.chunks import Chunk, ChunkFolder, Recipe, Span, in_spans
from posenb.inference.ensemble import AnyModel
from posenb.inference.record import analysis_key
from posenb.inference.sizing import BATCH_SIZES, batch_size_for
from posenb.inference.target import Target, identity, whole_crop, whole_range
from posenb.inference.work import Job
from posenb.video import VideoInfo, open_video

__all__ = ["Plan", "make_plan"]

Crop = tuple[int, int, int, int]


@dataclass(frozen=True)
class Plan:
    """What is to be done with a video, checked against it.

    Parameters
    ----------
    model : Model or Ensemble
    target : Target
        The video and where its poses go.
    config : AnalyzeConfig
        With a batch size in numbers.
    info : VideoInfo
        The facts of the video.
    frames : FrameFormat
        What its raw frames are.
    known : mapping of str to str
        What tells its content from any other; see `identity`.
    mark : str
        Its fingerprint before all this was found out.
    crop : (int, int, int, int)
        x1, x2, y1, y2 in pixels, the ends excluded.
    start, stop : int
        Frames to analyze, `stop` excluded.
    ranges : tuple of (int, int)
        First frame of each chunk and the one after its last.
    """

    model: AnyModel
    target: Target
    config: AnalyzeConfig
    info: VideoInfo
    frames: FrameFormat
    known: Mapping[str, str]
    mark: str
    crop: Crop
    start: int
    stop: int
    ranges: tuple[tuple[int, int], ...]

    @property
    def recipe(self) -> Recipe:
        """All that decides the poses."""
        assert isinstance(self.config.batch_size, int)
        (video,) = self.known.values()
        return Recipe(video, self.model.identity, self.crop, self.config.batch_size)

    @property
    def key(self) -> str:
        """Key of the whole."""
        return self.recipe.key(self.start, self.stop)

    @property
    def folder(self) -> ChunkFolder:
        """Where finished chunks are."""
        return ChunkFolder(storage.join(self.target.output, "chunks"))

    @cached_property
    def chunks(self) -> tuple[Chunk, ...]:
        """The pieces of the work, in order."""
        return self.recipe.chunks(self.ranges)

    def missing(self) -> list[Span]:
        """Return the chunks that are not finished, in spans."""
        sound = self.folder.sound(self.chunks)
        missing = (chunk for chunk in self.chunks if chunk not in sound)
        return in_spans(missing, frozenset(self.info.keyframes.tolist()))

    @property
    def job(self) -> Job:
        """What whoever does the work must know."""
        assert isinstance(self.config.batch_size, int)
        whole = (0, self.frames.width, 0, self.frames.height)
        return Job(
            models=self.model.urls,
            video=self.target.url,
            folder=self.folder.url,
            runtime=self.model.choice.runtime,
            precision=self.model.choice.precision,
            identity=self.model.identity,
            mark=self.mark,
            frames=self.frames,
            crop=None if self.crop == whole else self.crop,
            batch_size=self.config.batch_size,
            variants=self.model.variants,
        )


def make_plan(model: AnyModel, target: Target, config: AnalyzeConfig) -> Plan:
    """Look at a video and find out what is to be done.

    Raises
    ------
    InvalidInputError
        If crop or range do not lie in the video.
    VideoError, StorageError
        If it cannot be read.

    Warns
    -----
    VideoWarning
        If it is cut off.
    """
    mark = storage.fingerprint(target.url)
    with open_video(target.url) as video:
        info, frames = video.info, video.format
        crop = whole_crop(target, config, info)
        start, stop = whole_range(config, info)
        ranges = tuple(video.chunks(config.chunk_size, start, stop))
    known = identity(target.url)
    plan = Plan(model, target, config, info, frames, known, mark, crop, start, stop, ranges)
    if config.batch_size != "auto":
        return plan
    drafts = [_with_batches(plan, size) for size in BATCH_SIZES]
    return _begun(drafts) or _with_batches(plan, _batch_size(plan))


def _with_batches(plan: Plan, size: int) -> Plan:
    return replace(plan, config=plan.config.replace(batch_size=size))


def _begun(drafts: Sequence[Plan]) -> Plan | None:
    """Return the plan that an earlier call finished or began, whatever machine it ran on."""
    finished = analysis_key(drafts[0].target.output)
    there = drafts[0].folder.keys()
    for draft in drafts:
        if draft.key == finished:
            return draft
    counts = [len(there.intersection(each.key for each in draft.chunks)) for draft in drafts]
    return drafts[counts.index(max(counts))] if any(counts) else None


def _batch_size(plan: Plan) -> int:
    x1, x2, y1, y2 = plan.crop
    pixels = (x2 - x1) * (y2 - y1) * plan.model.input_area
    return batch_size_for(plan.frames, round(pixels), accelerated=plan.model.accelerated)
