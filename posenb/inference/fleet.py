"""Fleets: the chunks of many videos over a Dask cluster; only URLs and keys travel."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from posenb import storage
from posenb._optional import import_optional
from posenb._progress import Progress
from posenb.core import AnalyzeConfig, Poses
from posenb.errors import AnalysisError
from posenb.inference.chunks import ChunkFolder, Span, in_spans
from posenb.inference.ensemble import AnyModel, find_models
from posenb.inference.plan import Plan, make_plan
from posenb.inference.record import current_poses
from posenb.inference.results import begin, finish
from posenb.inference.target import Target
from posenb.inference.variants import Variants
from posenb.inference.work import Job, check_unchanged, do_spans

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["analyze_on_cluster", "spread", "work_on"]

_TURN = threading.Lock()


def analyze_on_cluster(
    client: Client,
    model: AnyModel,
    targets: Sequence[Target],
    config: AnalyzeConfig,
    progress: Progress,
) -> list[Poses]:
    """Let the workers of a cluster analyze videos, span by span.

    They read the videos and write the chunks themselves; a chunk that is finished stays,
    whatever becomes of its worker. The final files are written here, those of each video
    as soon as its chunks are there.

    Parameters
    ----------
    client : distributed.Client
    model : Model or Ensemble
    targets : sequence of Target
    config : AnalyzeConfig
    progress : callable
        Makes the progress bar; it counts the frames of all videos.

    Raises
    ------
    AnalysisError
        If the cluster breaks down, beside all that an analysis without one raises.
    """
    model.description  # noqa: B018  # loaded once, and not by several threads
    plans = list(storage.in_order(lambda target: make_plan(model, target, config), targets))
    found = [current_poses(plan.target.output, plan.key) for plan in plans]
    left = {i: begin(plan) for i, plan in enumerate(plans) if found[i] is None}
    tasks = [(i, span) for i, spans in left.items() for span in spans]
    total = sum(len(chunk) for _, span in tasks for chunk in span)
    waiting = {i: len(spans) for i, spans in left.items()}
    if tasks:
        jobs = [(plans[i].job, span) for i, span in tasks]
        with progress(total, _title(targets), "frame") as bar:
            for number in spread(client, work_on, jobs):
                i, span = tasks[number]
                bar.advance(sum(map(len, span)))
                waiting[i] -= 1
                if not waiting[i]:
                    found[i] = _finish(plans[i])
    return [poses or _finish(plan) for poses, plan in zip(found, plans, strict=True)]


def _title(targets: Sequence[Target]) -> str:
    first = storage.name(targets[0].url)
    return f"Analyzing {first}" + (f" and {len(targets) - 1} more" if len(targets) > 1 else "")


def _finish(plan: Plan) -> Poses:
    poses = finish(plan)
    plan.folder.remove()
    return poses


def spread(
    client: Client, function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]]
) -> Iterator[int]:
    """Call `function` with each of `tasks` on the workers; tell which are done as they are.

    A task whose worker dies is given to another one. The first failure, or an interrupt
    here, cancels all that have not begun.

    Parameters
    ----------
    client : distributed.Client
    function : callable
        Of a module that the workers can import.
    tasks : sequence of tuple
        Its arguments.

    Raises
    ------
    AnalysisError
        If the cluster does not answer any more, or a task took several workers with it.
    """
    distributed = import_optional("distributed", extra="dask", purpose="Analysis on a cluster")
    name = f"posenb-{uuid.uuid4().hex[:8]}"
    keys = [f"{name}-{number}" for number in range(len(tasks))]
    futures = client.map(function, *zip(*tasks, strict=True), key=keys, pure=False)
    numbers = {future.key: number for number, future in enumerate(futures)}
    try:
        for future in distributed.as_completed(futures):
            future.result()
            yield numbers[future.key]
    except (distributed.KilledWorker, distributed.comm.CommClosedError, CancelledError) as error:
        raise AnalysisError(
            f"A cluster must have workers that stay alive; this one gave up ({error}). Their logs "
            "tell more: most often they need more memory, or a smaller batch_size. Run it again: "
            "finished chunks stay."
        ) from error
    finally:
        client.cancel([future for future in futures if not future.done()])


def work_on(job: Job, span: Span) -> None:
    """Compute what is missing of a span; called on a worker.

    A worker loads each model once. Work that another one has done already, before it was
    lost, is not done again.

    Parameters
    ----------
    job : Job
    span : tuple of Chunk

    Raises
    ------
    AnalysisError
        If the video or the model is not the one that was planned for.
    """
    folder = ChunkFolder(job.folder)
    missing = [chunk for chunk in span if folder.find(chunk) is None]
    if missing:
        check_unchanged(job)
        with _TURN:
            model = _model(job.models, job.runtime, job.precision, job.variants, job.identity)
            model.predict(job.frames, job.batch_size, job.crop)  # compiled by one thread for all
        do_spans(job, in_spans(missing, ()), model)


@lru_cache(maxsize=2)
def _model(
    urls: tuple[str, ...], runtime: str, precision: str, variants: Variants, identity: str
) -> AnyModel:
    model = find_models(urls, runtime=runtime, precision=precision, variants=variants)
    if model.identity != identity:
        raise AnalysisError(
            f"All workers must compute with the same model in the same way; {', '.join(urls)} is "
            f"another one here than where the work was planned ({model.identity} instead of "
            f"{identity}). Install the same packages everywhere, or run it again if the model was "
            "replaced."
        )
    return model
