"""Analysis of videos: from a trained model and a video to poses, in pieces that last."""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

from posenb import storage
from posenb._progress import Progress, tqdm_progress
from posenb.core import AnalyzeConfig, Poses
from posenb.inference.ensemble import AnyModel, find_models
from posenb.inference.fleet import analyze_on_cluster
from posenb.inference.plan import Plan, make_plan
from posenb.inference.record import current_poses
from posenb.inference.results import begin, finish
from posenb.inference.sizing import out_of_memory
from posenb.inference.target import Target, find_targets
from posenb.inference.variants import Variants
from posenb.inference.work import do_spans
from posenb.project import Run

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["analyze"]

Models = Run | storage.Url | Sequence[Run | storage.Url]


@overload
def analyze(
    run: Models,
    video: storage.Url,
    *,
    config: AnalyzeConfig | None = None,
    output: storage.Url | None = None,
    client: Client | None = None,
    progress: Progress = tqdm_progress,
    **options: Any,
) -> Poses: ...


@overload
def analyze(
    run: Models,
    video: Sequence[storage.Url],
    *,
    config: AnalyzeConfig | None = None,
    output: storage.Url | None = None,
    client: Client | None = None,
    progress: Progress = tqdm_progress,
    **options: Any,
) -> list[Poses]: ...


def analyze(
    run: Models,
    video: storage.Url | Sequence[storage.Url],
    *,
    config: AnalyzeConfig | None = None,
    output: storage.Url | None = None,
    client: Client | None = None,
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
    crop, the batch size, `flip` or `scales` changed, the video is analyzed anew and the
    files of before are replaced.

    Parameters
    ----------
    run : Run, str, PathLike or sequence of them
        A finished run, the folder of one, or a ``.keras`` or ``.onnx`` file. Several are an
        ensemble; see the notes.
    video : str, PathLike or sequence of them
        Name of a video of the project, path or URL.
    config : AnalyzeConfig, optional
        Where neither it nor the options give a crop, the one that the project has for
        the video counts.
    output : str or PathLike, optional
        Folder for the files; with several videos, each gets a folder of its name in it.
        By default ``poses/<video>/<run>/`` in the project (for an ensemble the name is made
        of its models), or, for a model outside any project, ``<video>_poses/`` beside the
        video.
    client : distributed.Client, optional
        A Dask cluster whose workers do the work; see the notes.
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
        If the run is not finished, models of an ensemble have other keypoints than the
        first, the output folder cannot be written or holds the
        poses of another video, the video changes meanwhile, the model is for several
        animals, or the cluster breaks down.
    ConfigError, InvalidInputError
        If an option is unknown, crop or range do not lie in the video, or a model is in an
        ensemble twice.
    UnknownNameError
        If the project has no video of that name.
    VideoError, StorageError
        If the video or a file cannot be read or written, for want of space too.
    ModelError, MissingBackendError
        If the model cannot be loaded.
    MissingPackageError
        If a client is given and Dask is not installed.

    Warns
    -----
    VideoWarning
        If frames of the video are missing or cannot be decoded.

    Notes
    -----
    Decoding, the model and writing go on at the same time, in memory that does not grow
    with the length of the video, apart from its index and the poses themselves. Chunks
    begin at keyframes where the video has them often enough, so that each can be decoded
    by itself.

    With a `client`, each worker fetches what it needs by URL, loads the model once and
    writes its chunks into the output folder; the final files are written here. So model,
    videos and output must lie where all can reach them (a bucket, a shared disk), and the
    same packages must be installed everywhere: workers compute with the runtime and the
    precision that were chosen here. A worker that dies costs the chunks it was at, a few
    hundred frames each, which another one takes over. Where a video has keyframes far
    apart, the chunks between two go to one worker, lest frames be decoded twice.

    Where a device or a resource limit leaves too little memory for a batch, and no
    ``batch_size`` is given, it goes on with batches of half the size. A cluster does not.

    Of an ensemble, each model looks at every frame, which is decoded once. The pose is the
    median over the models, and `Poses.spread` tells how far they are from it in pixels (the
    root mean square of their distances), which is large where they disagree: these are
    frames to look at, or to label. The spread lies in ``poses_spread.h5`` and ``.csv``. The
    models must find the same keypoints; trained from the same labels with different seeds,
    they differ in what is chance. It takes the time of all of them.

    Workers that share a machine should share its cores too: Dask tells each by
    ``OMP_NUM_THREADS`` to use one.

    Examples
    --------
    >>> poses = analyze("gs://lab/reach/runs/first", "m3v1")  # doctest: +SKIP
    >>> poses.to_dataframe()  # doctest: +SKIP
    >>> poses = analyze(["reach/runs/first", "reach/runs/second"], "m3v1")  # doctest: +SKIP
    >>> poses.spread  # doctest: +SKIP
    >>> from distributed import Client  # doctest: +SKIP
    >>> analyze("gs://lab/reach/runs/first", urls, client=Client())  # doctest: +SKIP
    """
    chosen = AnalyzeConfig(**options) if config is None else config.replace(**options)
    model = find_models(
        run,
        runtime=chosen.runtime,
        precision=chosen.precision,
        variants=Variants(chosen.flip, chosen.scales),
    )
    if isinstance(video, str | os.PathLike):
        (target,) = find_targets(model, [video], output, several=False)
        if client is not None:
            return analyze_on_cluster(client, model, [target], chosen, progress)[0]
        return _analyze(model, target, chosen, progress)
    targets = find_targets(model, list(video), output, several=True)
    if client is not None:
        return analyze_on_cluster(client, model, targets, chosen, progress)
    return [_analyze(model, target, chosen, progress) for target in targets]


def _analyze(model: AnyModel, target: Target, config: AnalyzeConfig, progress: Progress) -> Poses:
    """Analyze a video; where memory runs out, with batches of half the size, unless they are given.

    Whoever runs it again after it was stopped finds chunks of the size that went well.
    """
    tried = config
    while True:
        plan = make_plan(model, target, tried)
        size = plan.config.batch_size
        assert isinstance(size, int)
        try:
            return _carry_out(plan, progress)
        except Exception as error:
            if config.batch_size != "auto" or size == 1 or not out_of_memory(error):
                raise
        model.release()
        gc.collect()  # frames of the error's traceback hold batches, in circles with its futures
        tried = config.replace(batch_size=size // 2)


def _carry_out(plan: Plan, progress: Progress) -> Poses:
    poses = current_poses(plan.target.output, plan.key)
    if poses is None:
        spans = begin(plan)
        if spans:
            total = sum(len(chunk) for span in spans for chunk in span)
            with progress(total, f"Analyzing {storage.name(plan.target.url)}", "frame") as bar:
                do_spans(plan.job, spans, plan.model, on_frames=bar.advance)
        poses = finish(plan)
    plan.folder.remove()
    return poses
