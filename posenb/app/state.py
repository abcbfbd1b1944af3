"""The graph of steps that somebody walks from a video to its poses, without any I/O.

Every surface renders this one state: a step is open when what it needs is there, and what is
chosen anew takes with it what followed from the choice before.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from posenb.core import Config
from posenb.errors import InvalidInputError

__all__ = [
    "POOR",
    "QUALITIES",
    "SHARP",
    "Clip",
    "Found",
    "Options",
    "Quality",
    "Step",
    "Trial",
    "Verdict",
    "Walk",
    "choose_model",
    "expect_clip",
    "fail",
    "finish",
    "frames_chosen",
    "go_to",
    "judge",
    "open_steps",
    "seconds_needed",
    "set_options",
    "start",
    "take_clip",
    "take_trial",
]

Quality = Literal["fast", "normal", "exact"]
Seconds = Annotated[float, Field(ge=0)]

QUALITIES: Mapping[Quality, float] = {"fast": 0.3, "normal": 1.0, "exact": 2.0}
"""How much of the time of "normal" the network needs; "fast" sees half the width and height."""

POOR = 0.3
"""Mean likelihood below which a model does not see its animal."""

SHARP = 1920 * 1200
"""Pixels of a frame beyond which it takes long, and more memory than it may."""

_GOOD = 0.6  # from here on it does


class Step(StrEnum):
    """A stop on the way."""

    VIDEO = "video"
    MODEL = "model"
    OPTIONS = "options"
    RUN = "run"
    LOOK = "look"


class Verdict(StrEnum):
    """What the likelihoods of some frames say."""

    GOOD = "good"
    DOUBTFUL = "doubtful"
    POOR = "poor"


@dataclass(frozen=True, slots=True)
class Clip:
    """A video that has arrived and can be read.

    Parameters
    ----------
    name : str
        As its owner calls it; never a path.
    frames : int
    fps : float
    width, height : int
        Pixels.
    seconds : float
        How long it plays.
    size : int
        Bytes.
    missing : int
        Frames that are cut off at its end.
    """

    name: str
    frames: int
    fps: float
    width: int
    height: int
    seconds: float
    size: int
    missing: int = 0


class Options(Config):
    """What can be chosen beside the model.

    Attributes
    ----------
    start : float
        Seconds from the beginning of the video.
    stop : float or None
        Seconds; None goes to the end.
    quality : {"fast", "normal", "exact"}
        "fast" looks at pictures of half the size, "exact" at each frame mirrored too.
    size : float or None
        Length of the animal relative to those that the model learned from; None finds it.
    """

    start: Seconds = 0.0
    stop: Seconds | None = None
    quality: Quality = "normal"
    size: Annotated[float, Field(ge=0.25, le=4)] | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """What a model saw in a few frames.

    Parameters
    ----------
    size : float
        Of the animal, relative to training.
    likelihood : float
        Mean over frames and keypoints, 0 to 1.
    network, rest : float
        Seconds that a frame takes in the network, and in all else: reading and drawing.
    """

    size: float
    likelihood: float
    network: float
    rest: float


@dataclass(frozen=True, slots=True)
class Found:
    """What came out.

    Parameters
    ----------
    frames : int
        Analyzed.
    shares : mapping of str to float
        For each keypoint, in how many of the frames it was found surely, 0 to 1.
    likelihood : float
        Mean over all, 0 to 1.
    size : float
        Of the animal, relative to training.
    files : mapping of str to int
        Bytes of each file to take home, by what it is.
    """

    frames: int
    shares: Mapping[str, float]
    likelihood: float
    size: float
    files: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Walk:
    """Where somebody is on the way, and what has been chosen.

    Parameters
    ----------
    step : Step
    clip : Clip or None
    model : str or None
        Name.
    options : Options
    trial : Trial or None
    found : Found or None
    problem : str
        What went wrong at the last step, in plain words; empty if nothing did.
    expecting : bool
        Whether another video is on its way.
    """

    step: Step = Step.VIDEO
    clip: Clip | None = None
    model: str | None = None
    options: Options = field(default_factory=Options)
    trial: Trial | None = None
    found: Found | None = None
    problem: str = ""
    expecting: bool = False


def open_steps(walk: Walk) -> tuple[Step, ...]:
    """Return the steps that can be gone to; while something is under way only that one."""
    if walk.step is Step.RUN:
        return (Step.RUN,)
    if walk.expecting:
        return (Step.VIDEO,)
    there = {
        Step.VIDEO: True,
        Step.MODEL: walk.clip is not None,
        Step.OPTIONS: walk.clip is not None and walk.model is not None,
        Step.LOOK: walk.found is not None,
    }
    return tuple(step for step, is_open in there.items() if is_open)


def go_to(walk: Walk, step: Step) -> Walk:
    """Go to a step that is open; to any other nothing leads."""
    return replace(walk, step=step, problem="") if step in open_steps(walk) else walk


def expect_clip(walk: Walk, expecting: bool) -> Walk:
    """Wait for a video that is on its way, or no longer; nothing begins meanwhile."""
    return replace(walk, expecting=expecting)


def take_clip(walk: Walk, clip: Clip) -> Walk:
    """Go on with a video; model and quality stay, what was found in another goes."""
    options = Options(quality=walk.options.quality)
    return Walk(Step.MODEL, clip, walk.model, options)


def choose_model(walk: Walk, model: str) -> Walk:
    """Go on with a model.

    Raises
    ------
    InvalidInputError
        If there is no video yet.
    """
    if Step.MODEL not in open_steps(walk):
        raise InvalidInputError("A model looks at a video; there is none yet. Choose one first.")
    same = model == walk.model
    return replace(
        walk,
        step=Step.OPTIONS,
        model=model,
        trial=walk.trial if same else None,
        found=walk.found if same else None,
        problem="",
    )


def set_options(walk: Walk, **changes: object) -> Walk:
    """Change options; what a model saw at another size goes.

    Raises
    ------
    ConfigError
        If one is unknown or out of range.
    InvalidInputError
        If no frame lies between start and stop.
    """
    options = walk.options.replace(**changes)
    trial = walk.trial if options.size == walk.options.size else None
    changed = replace(walk, options=options, trial=trial, problem="")
    if walk.clip is not None and not frames_chosen(changed):
        end = walk.clip.seconds if options.stop is None else options.stop
        raise InvalidInputError(
            f"The part to look at begins before it ends and lies in the video, which has "
            f"{walk.clip.seconds:.1f} s; got {options.start:g} to {end:g} s. Change one of the two."
        )
    return changed


def take_trial(walk: Walk, trial: Trial) -> Walk:
    """Remember what a model saw in a few frames."""
    return replace(walk, trial=trial)


def start(walk: Walk) -> Walk:
    """Begin the work.

    Raises
    ------
    InvalidInputError
        If video or model are missing, or work is under way.
    """
    if Step.OPTIONS not in open_steps(walk):
        raise InvalidInputError(
            "A run needs a video and a model, and one runs at a time. Choose what is missing, or "
            "wait for the other."
        )
    return replace(walk, step=Step.RUN, found=None, problem="")


def finish(walk: Walk, found: Found) -> Walk:
    """Look at what came out."""
    return replace(walk, step=Step.LOOK, found=found, problem="")


def fail(walk: Walk, problem: str) -> Walk:
    """Go back to where it can be tried in another way, and say why."""
    step = Step.OPTIONS if walk.step is Step.RUN else walk.step
    return replace(walk, step=step, problem=problem)


def frames_chosen(walk: Walk) -> int:
    """Return how many frames lie between start and stop."""
    clip = walk.clip
    if clip is None:
        return 0
    stop = clip.seconds if walk.options.stop is None else min(walk.options.stop, clip.seconds)
    return max(0, min(clip.frames, math.ceil((stop - walk.options.start) * clip.fps)))


def seconds_needed(walk: Walk) -> dict[Quality, float]:
    """Return how long the work will take at each quality; nothing before a trial."""
    trial = walk.trial
    if trial is None:
        return {}
    count = frames_chosen(walk)
    return {
        quality: count * (trial.network * times + trial.rest)
        for quality, times in QUALITIES.items()
    }


def judge(likelihood: float) -> Verdict:
    """Say what a mean likelihood means."""
    if likelihood >= _GOOD:
        return Verdict.GOOD
    return Verdict.POOR if likelihood < POOR else Verdict.DOUBTFUL
