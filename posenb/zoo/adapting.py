"""The verb `zoo.adapt`: a model taught by itself on a video that it has not seen before."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

import numpy as np

from posenb import storage
from posenb._optional import require_backend
from posenb._progress import Progress, ProgressBar, silent_progress, tqdm_progress
from posenb.core import AnalyzeConfig, FrameFormat, FrameName, Labels, Split, TrainConfig
from posenb.errors import InvalidInputError
from posenb.inference.model import Model, find_model
from posenb.inference.variants import Variants
from posenb.project import Project, Run, add_videos, create_project
from posenb.video import VideoReader, open_video
from posenb.zoo.adaptation import Adaptation, compare
from posenb.zoo.analyze import measure, model_file, sample_frames
from posenb.zoo.card import KERAS, Card, CardFacts, DataSource
from posenb.zoo.consistency import BESIDE, Glance, Look, believe, glance, judge, moved, strayed
from posenb.zoo.fetching import fetch_member
from posenb.zoo.index import Member, find_member
from posenb.zoo.publishing import publish
from posenb.zoo.sizing import STEPS, see

__all__ = ["adapt"]

_EXACT = AnalyzeConfig(precision="float32")  # half precision would be noise in what is compared
_RATE = 1e-4  # a tenth of the usual: what the model knows shall stay
_TAUGHT, _HELD = 48, 24  # frames at most
_BLOCK = (0.4, 0.6)  # of the video: what is held out
_AROUND = (0.35, 0.65)  # of the video: between this and the block nothing is looked at
_SHORTEST = 80  # frames of a video
_LEAST = 8  # frames with believed points; fewer teach nothing
_EVERY = 25  # steps between two places where a training that was stopped goes on
_LESSON = 0.1  # of the frames to learn from: a keypoint believed in fewer is not taught
_WHOLE = 0.5  # of its points a frame must have believed
_AT_ONCE = 8  # moments in memory
_SCORER, _RECORD = "model", "adapting.json"


@dataclass(frozen=True, slots=True)
class _Work:
    """What is adapted to what, and where."""

    member: Member
    given: str
    file: Path
    url: str
    place: str
    size: float
    steps: int
    seed: int
    progress: Progress

    @property
    def card(self) -> Card:
        return self.member.card

    @property
    def name(self) -> str:
        return f"{self.card.name[:55]}_adapted"

    @property
    def start(self) -> str:
        whole = "/" in self.given or os.sep in self.given
        return f"zoo:{self.member.url if whole else self.given}"


def adapt(
    video: storage.Url,
    model: storage.Url,
    *,
    size: float | None = None,
    steps: int = 150,
    seed: int = 0,
    output: storage.Url | None = None,
    progress: Progress = tqdm_progress,
) -> Adaptation:
    """Let a model of the zoo teach itself on one's own video, without labels.

    In 48 frames the model looks at the animal plain, mirrored, smaller, larger, and one frame
    before and after. Points of which it is sure in all of these become labels, and it is trained
    on them for a while at a low rate; of the other points it learns nothing. Then both models
    look at 24 frames out of a part of the video from which none was trained on, the fifth in
    its middle. The adapted one is kept only if there its views lie at least 10 % closer together,
    it finds as many points, they do not jump more from frame to frame, and no keypoint has moved
    by more than 3 % of the animal's length of which the model was sure, or from which it learned
    nothing. Otherwise the model
    stays as it was. **That is consistency and not truth:** look at what it finds, and label some
    frames if it matters.

    Needs TensorFlow or JAX. Stopped and called again, it goes on.

    Parameters
    ----------
    video : str or PathLike
        Path or URL; 80 frames or more.
    model : str or PathLike
        A name, as `posenb.zoo.list` has them, or the folder of a model.
    size : float, optional
        Length of the animal relative to those that the model learned from, 0.25 to 4; found
        by default.
    steps : int
        Of training, each of 4 windows.
    seed : int
        Of the training.
    output : str or PathLike, optional
        Folder for the frames, their labels, the training and the adapted model; by default
        ``<video>_adapted/`` beside the video. Nothing else is written.
    progress : callable, optional
        Makes the progress bars; they count sizes, moments and steps.

    Returns
    -------
    Adaptation
        Its `model` is what to give to `posenb.zoo.analyze` from now on.

    Raises
    ------
    MissingBackendError
        If neither TensorFlow nor JAX is installed.
    InvalidInputError
        If the video is too short, the size out of range, or the folder has an adaptation of
        something else.
    UnknownNameError
        If there is no such model.
    ZooError
        If it was altered.
    ConfigError
        If steps or seed are out of range.
    VideoError, StorageError, TrainingError
        If the video cannot be read, a file not be written, or the run is trained elsewhere.
    """
    require_backend()
    if size is not None and not STEPS[0] <= size <= STEPS[-1]:
        raise InvalidInputError(
            f"The size of the animal is {STEPS[0]:g} to {STEPS[-1]:g} times that of training; got "
            f"{size}. Leave it out to have it found, or scale the video."
        )
    TrainConfig(steps=steps, seed=seed)  # what is out of range is told at once
    member, url = find_member(model), storage.resolve(video)
    place = _place(url) if output is None else storage.resolve(output)
    file = model_file(fetch_member(member), _EXACT)

    def find() -> float:
        if size is not None:
            return size
        return measure(file, sample_frames(url, _EXACT), member.card, _EXACT, progress).value

    with open_video(url, warn=False) as reader:
        taught, held = _choose(reader.info.frame_count)
        facts = {
            "model": member.card_sha256,
            "video": storage.fingerprint(url),
            "size": size,
            "steps": steps,
            "seed": seed,
        }
        found = _begin(place, facts, find)
        work = _Work(member, os.fspath(model), file, url, place, found, steps, seed, progress)
        return _adapt(work, reader, taught, held)


def _adapt(
    work: _Work, reader: VideoReader, taught: Sequence[int], held: Sequence[int]
) -> Adaptation:
    """Measure, teach, measure again, and decide."""
    original = _looking(work.file, work.size)
    first = _glance(work, original, reader, held)
    first, views = first.of(first.telling), first.telling
    length = _length(work.card, work.size, first)
    before = judge(first, length)
    project = _project(work)
    if not project.has_labels():
        seen = _glance(work, original, reader, taught)
        _label(project, reader, taught, believe(seen.of(seen.telling), length))
    labels = project.labels() if project.has_labels() else None
    count = 0 if labels is None else len(labels)
    if labels is None or count < _LEAST:
        return Adaptation(
            model=work.given,
            kept=False,
            reason=(
                f"{work.card.name} stays as it was: in {count} of {len(taught)} frames it is sure "
                f"enough to learn from them, and {_LEAST} are needed. Label some frames, and "
                "train from it."
            ),
            before=before,
            after=None,
            checks=(),
            taught=count,
            held_out=len(held),
            run=None,
        )
    run = _train(project, work)
    last = _glance(work, _looking(_file_of(run), 1.0), reader, held).of(views)
    after = judge(last, length)
    lessons = (~np.isnan(labels.positions[:, 0, :, 0])).sum(axis=0)
    checks = compare(
        before,
        after,
        moved=moved(first, last, length),
        strayed=strayed(first, last, lessons >= _LESSON * len(taught)),
        length=length,
    )
    failed = [each.measure.partition(",")[0] for each in checks if not each.passed]
    if failed:
        kept = work.given
        reason = (
            f"{work.card.name} stays as it was: adapted, it does not pass every check "
            f"({'; '.join(failed)}). If it finds too little, label some frames, and train from it."
        )
    else:
        kept = _publish(work, run, count)
        reason = f"Kept: the adapted model passes every check. It lies in {kept}"
    return Adaptation(
        model=kept,
        kept=not failed,
        reason=reason,
        before=before,
        after=after,
        checks=checks,
        taught=count,
        held_out=len(held),
        run=run,
    )


def _place(url: str) -> str:
    return storage.join(storage.parent(url), f"{PurePosixPath(storage.name(url)).stem}_adapted")


def _begin(place: str, facts: Mapping[str, object], find: Callable[[], float]) -> float:
    """Keep the folder to one adaptation; return the size of the animal, found but once."""
    record = storage.join(place, _RECORD)
    if not storage.exists(record):
        if storage.is_folder(place) and (storage.list_files(place) or storage.list_folders(place)):
            raise InvalidInputError(
                f"An adaptation has a folder of its own; {place} holds something else. Give "
                "another folder as output."
            )
        found = find()
        storage.write_text(record, json.dumps({**facts, "found": found}, indent=1) + "\n")
        return found
    before = json.loads(storage.read_text(record))
    changed = [key for key, value in facts.items() if before[key] != value]
    if changed:
        raise InvalidInputError(
            f"A folder holds one adaptation; that in {place} differs in {', '.join(changed)}. "
            "Give another folder as output, or delete it."
        )
    return float(before["found"])


def _choose(count: int) -> tuple[list[int], list[int]]:
    """Return the frames to learn from, and those of the held-out block in their midst."""
    if count < _SHORTEST:
        raise InvalidInputError(
            f"To learn from a video, and to hold a part of it out, takes {_SHORTEST} frames; it "
            f"has {count}. Give a longer one."
        )
    early, late = (round(share * count) for share in _AROUND)
    first, last = (round(share * count) for share in _BLOCK)
    around = np.array([*range(1, early), *range(late, count - 1)])
    taught = around[np.linspace(0, len(around) - 1, _TAUGHT).round().astype(int)]
    held = np.linspace(first, last - 1, _HELD).round().astype(int)
    return np.unique(taught).tolist(), np.unique(held).tolist()


def _looking(file: Path, size: float) -> Look:
    """Return how a model looks at frames whose animals are of a known size."""

    @cache
    def model(scale: float) -> Model:
        variants = Variants(scales=(scale / size,))
        return find_model(
            file, runtime=_EXACT.runtime, precision=_EXACT.precision, variants=variants
        )

    def look(frames: np.ndarray, scale: float) -> np.ndarray:
        predict = model(scale).predict(FrameFormat("rgb", *frames.shape[1:3]), 1)
        return np.concatenate([predict(frame.reshape(1, -1)) for frame in frames])

    return look


def _glance(work: _Work, look: Look, reader: VideoReader, places: Sequence[int]) -> Glance:
    with work.progress(len(places), "Looking at the video", "moment") as bar:
        return glance(look, _read(reader, places, bar), work.card.pose_skeleton)


def _read(reader: VideoReader, places: Sequence[int], bar: ProgressBar) -> Iterator[np.ndarray]:
    """Yield moments, a few at a time."""
    for start in range(0, len(places), _AT_ONCE):
        some = places[start : start + _AT_ONCE]
        yield np.stack([[reader[place + each] for each in BESIDE] for place in some])
        bar.advance(len(some))


def _length(card: Card, size: float, seen: Glance) -> float:
    """Return the length of the animals, pixels of the frames."""
    if card.body_length is not None:
        return card.body_length * size
    length = see(seen.views[0]).length
    return 1.0 if math.isnan(length) else length  # of one keypoint: nothing is far but a pixel


def _project(work: _Work) -> Project:
    card = work.card
    project = create_project(
        work.place, keypoints=card.keypoints, skeleton=card.skeleton, scorer=_SCORER
    )
    return add_videos(project, work.url, progress=silent_progress)


def _label(
    project: Project, reader: VideoReader, places: Sequence[int], points: np.ndarray
) -> None:
    """Write the frames most of whose points are believed, and these as their labels."""
    from PIL import Image

    rows = np.flatnonzero((~np.isnan(points[..., 0])).mean(axis=1) >= _WHOLE).tolist()
    if not rows:
        return
    (video,) = project.videos
    names = tuple(FrameName(video, f"img{places[row]:06d}.png") for row in rows)
    for row, name in zip(rows, names, strict=True):
        with storage.writing(project.image_url(name)) as path:
            Image.fromarray(reader[places[row]]).save(path, format="png")
    project.save_labels(Labels(names, points[rows][:, None], project.skeleton, scorer=_SCORER))


def _train(project: Project, work: _Work) -> Run:
    from posenb.models import read_description
    from posenb.training import train

    scale = read_description(work.file.with_name(KERAS)).scale / work.size
    return train(
        project,
        name=work.name,
        split=Split(project.labels().frames),
        start=work.start,
        scale=min(round(scale, 4), 4.0),
        learning_rate=_RATE,
        unlabelled="unknown",
        validate_every=_EVERY,
        steps=work.steps,
        seed=work.seed,
        progress=work.progress,
    )


def _file_of(run: Run) -> Path:
    """Return the form of its model that suits the machine; a run calls them as the zoo does."""
    return storage.cached_copy(storage.join(run.url, model_file(Path(), _EXACT).name))


def _publish(work: _Work, run: Run, count: int) -> str:
    """Package the model with the card of the one that it was, and return its folder."""
    card = work.card
    taught = DataSource(
        name="frames of the user's own video, labelled by the model itself",
        licence="that of the video",
        citation=f"posenb.zoo.adapt, from {card.name}",
        used=f"{count} frames",
    )
    told = {name: getattr(card, name) for name in CardFacts.model_fields}
    told |= {
        "title": f"{card.title}, adapted to one video",
        "data": (*card.data, taught),
        "limits": (*card.limits, "Adapted to one video without labels: its error is not known."),
        "held_out": None,
        "recipe": None,
    }
    url = storage.join(work.place, "zoo")
    publish(
        run,
        url,
        name=work.name,
        facts=CardFacts(**told),
        skeleton=card.skeleton,
        replace=True,
        progress=silent_progress,
    )
    return storage.join(url, work.name)
