"""The work itself: spans of a video through a model, into files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import numpy as np

from posenb import storage
from posenb.core import FrameFormat
from posenb.errors import AnalysisError, StorageError
from posenb.inference.chunks import Chunk, ChunkFolder, Finished, Span
from posenb.inference.ensemble import AnyModel
from posenb.inference.pipeline import Batch, Read, Ring, ring_size, run_spans
from posenb.inference.sizing import decoders_for
from posenb.inference.variants import Variants
from posenb.video import open_video

__all__ = ["Job", "check_unchanged", "do_spans"]


@dataclass(frozen=True, slots=True)
class Job:
    """All that must be known to work on a video, here or on another machine.

    Parameters
    ----------
    models : tuple of str
        URLs of the model, or of those of an ensemble.
    video, folder : str
        URLs of the video and the folder for finished chunks.
    runtime, precision : str
        What computes, and how exactly.
    identity : str
        Of the model, as in `Model.identity`.
    mark : str
        Fingerprint of the video when the work was planned.
    frames : FrameFormat
        What the video's raw frames are.
    crop : (int, int, int, int) or None
        x1, x2, y1, y2 in pixels, the ends excluded.
    batch_size : int
        Frames per forward pass.
    variants : Variants
        In which forms the model sees every frame.
    """

    models: tuple[str, ...]
    video: str
    folder: str
    runtime: str
    precision: str
    identity: str
    mark: str
    frames: FrameFormat
    crop: tuple[int, int, int, int] | None
    batch_size: int
    variants: Variants


def check_unchanged(job: Job) -> None:
    """Refuse to go on with a video that is not the one that was planned for.

    Raises
    ------
    AnalysisError
        If it changed.
    """
    if storage.fingerprint(job.video) != job.mark:
        raise AnalysisError(
            f"A video must stay as it is while it is analyzed; {job.video} changed. Run it again "
            "when whatever writes it has finished."
        )


def do_spans(
    job: Job,
    spans: Sequence[Span],
    model: AnyModel,
    *,
    on_frames: Callable[[int], None] = lambda _: None,
) -> None:
    """Compute chunks and write each into the job's folder as soon as it is finished.

    Parameters
    ----------
    job : Job
    spans : sequence of tuple of Chunk
        What to do of it.
    model : Model or Ensemble
        The one that the job names.
    on_frames : callable, optional
        Told how many frames more are done.

    Raises
    ------
    AnalysisError
        If the video changes meanwhile, whatever else came of that. What was decoded of it then
        is not written.
    VideoError, StorageError
        If the video cannot be read or a chunk not be written.
    """
    folder = ChunkFolder(job.folder)
    predict = model.predict(job.frames, job.batch_size, job.crop)
    software = model.software
    decoders = min(len(spans), decoders_for(job.frames))

    @contextmanager
    def source() -> Iterator[Read]:
        with open_video(job.video, warn=False) as video:

            def read(chunk: Chunk, take: Callable[[], np.ndarray]) -> Iterator[Batch]:
                return video.raw_batches(job.batch_size, chunk.start, chunk.stop, out=take)

            yield read

    def put(chunk: Chunk, poses: np.ndarray) -> None:
        check_unchanged(job)
        folder.put(chunk, Finished(poses, software))

    try:
        run_spans(
            spans,
            source,
            predict,
            put,
            shape=(len(model.description.keypoints), model.numbers),
            ring=Ring(ring_size(decoders, predict.workers), job.batch_size, job.frames.nbytes),
            decoders=decoders,
            on_frames=on_frames,
        )
    except Exception:
        with suppress(StorageError):
            check_unchanged(job)  # a file that is replaced under a decoder fails in any way
        raise
