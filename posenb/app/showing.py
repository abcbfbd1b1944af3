"""What a page shows of the state: plain values and words, which every surface can render."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from posenb.app.runner import STAGES, Outcome
from posenb.app.state import (
    SHARP,
    Clip,
    Found,
    Step,
    Trial,
    Verdict,
    Walk,
    frames_chosen,
    judge,
    open_steps,
    seconds_needed,
)
from posenb.app.words import say_length
from posenb.app.work import Job
from posenb.widgets.quantities import say_bytes, say_seconds
from posenb.zoo import Card

__all__ = ["TITLES", "show_walk", "tell_outcome"]

TITLES = {
    Step.VIDEO: "Video",
    Step.MODEL: "Model",
    Step.OPTIONS: "Options",
    Step.RUN: "Run",
    Step.LOOK: "Look",
}

_LONG = 10 * 60.0  # seconds of work from which on a shorter way is offered
_FILES = {
    "all": "Everything (.zip)",
    "video": "Labelled video (.mp4)",
    "table": "Positions (.csv)",
    "report": "Report (.html)",
}


def show_walk(walk: Walk, cards: Mapping[str, Card], job: Job | None, now: float) -> dict[str, Any]:
    """Return what there is to show.

    Parameters
    ----------
    walk : Walk
    cards : mapping of str to Card
        The models that can be chosen, by name.
    job : Job or None
        Of the run that is under way.
    now : float
        Seconds on the clock of the job.

    Returns
    -------
    dict
        Values that JSON knows.
    """
    at = open_steps(walk)
    return {
        "step": walk.step.value,
        "steps": [
            {"name": step.value, "title": title, "open": step in at}
            for step, title in TITLES.items()
        ],
        "clip": None if walk.clip is None else _clip(walk.clip),
        "models": [_card(card) for card in cards.values()],
        "model": walk.model,
        "options": walk.options.model_dump(),
        "frames": frames_chosen(walk),
        "trial": None if walk.trial is None else _trial(walk, walk.trial),
        "job": None if job is None else _job(job, now),
        "found": None if walk.found is None else _found(walk.found),
    }


def tell_outcome(outcome: Outcome) -> str:
    """Say what a run has found and made, as lines of text.

    Parameters
    ----------
    outcome : Outcome
    """
    shown = _found(outcome.found)
    table = outcome.summary
    width = max(len("body part"), *map(len, table["keypoint"]))
    lines = [f"{'body part':<{width}}  {'found':>6}  {'likelihood':>10}"]
    lines += [
        f"{row.keypoint:<{width}}  {row.found:>6.0%}  {row.likelihood:>10.2f}"
        for row in table.itertuples()
    ]
    head = f"{shown['frames']} frames, {shown['share']} of the body found surely; the animal is"
    return "\n".join(
        [
            f"{head} {shown['size']}.",
            shown["says"],
            "",
            *lines,
            "",
            *(f"{file['title']:<24}{outcome.files[file['what']]}" for file in shown["files"]),
        ]
    )


def _clip(clip: Clip) -> dict[str, Any]:
    facts = [
        say_seconds(clip.seconds),
        f"{clip.frames:,} frames",
        f"{clip.fps:.4g} frames/s",
        f"{clip.width} × {clip.height}",
        say_bytes(clip.size),
    ]
    notes = []
    if clip.missing:
        notes.append(
            f"The file is cut off: {clip.missing:,} frames at its end are missing. What is there "
            "can be used."
        )
    if clip.width * clip.height > SHARP:
        notes.append(
            f"{clip.width} × {clip.height} pixels are many: it takes longer, and the labelled "
            "video will have 1920 at most. The next steps say how long, and offer shorter ways."
        )
    return {
        "name": clip.name,
        "facts": " · ".join(facts),
        "seconds": round(clip.seconds, 2),
        "notes": notes,
    }


def _card(card: Card) -> dict[str, Any]:
    exact = next((row for row in card.accuracy if row.size == 1), None)
    return {
        "name": card.name,
        "title": card.title,
        "species": card.species,
        "view": card.view,
        "summary": card.summary or "",
        "keypoints": list(card.keypoints),
        "limits": list(card.limits),
        "exact": ""
        if exact is None or exact.of_body is None
        else f"{100 * exact.of_body:.1f} % of its length, on held-out frames",
        "licence": card.licence,
    }


def _trial(walk: Walk, trial: Trial) -> dict[str, Any]:
    needed = seconds_needed(walk)
    verdict = judge(trial.likelihood)
    says, advice = {
        Verdict.GOOD: ("The model sees its animal in this video.", ""),
        Verdict.DOUBTFUL: (
            "The model is not sure of what it sees in this video.",
            "Look closely at what comes out, or try another model.",
        ),
        Verdict.POOR: (
            "The model hardly sees its animal in this video.",
            "Is it the right one? Step 2 has others. A small animal: cut the video around it.",
        ),
    }[verdict]
    shorter = ""
    if needed[walk.options.quality] > _LONG:
        shorter = "To have it sooner, take a part of the video, or “Fast”."
    return {
        "verdict": verdict.value,
        "says": says,
        "advice": advice,
        "likelihood": f"{100 * trial.likelihood:.0f} %",
        "size": "" if verdict is Verdict.POOR else _size(trial.size),
        "needed": {name: say_length(each) for name, each in needed.items()},
        "shorter": shorter,
    }


def _job(job: Job, now: float) -> dict[str, Any]:
    left = job.seconds_left(now)
    count = f"{job.done:,} of {job.total:,} {job.unit}s" if job.total else ""
    words = [count, "" if left is None else f"{say_length(left)} left"]
    return {
        "stages": list(STAGES),
        "stage": job.stage,
        "share": job.share,
        "words": " · ".join(word for word in words if word),
    }


def _found(found: Found) -> dict[str, Any]:
    share = sum(found.shares.values()) / max(1, len(found.shares))
    verdict = judge(found.likelihood)
    worst = min(found.shares, key=lambda name: found.shares[name])
    if verdict is Verdict.POOR:
        says = (
            "The model hardly found its animal: there is none in this video, or it looks unlike "
            "those that the model knows. Do not use these numbers; try another model or video."
        )
    elif verdict is Verdict.DOUBTFUL:
        says = "The model was often not sure. Look at the video before you trust the numbers."
    else:
        says = "The model was sure. Still look at the video before you trust the numbers."
        if found.shares[worst] < 0.8 * share:
            says = (
                f"The model was sure of most of the body, least of {worst}. Look at the video "
                "before you trust the numbers."
            )
    return {
        "verdict": verdict.value,
        "share": f"{100 * share:.0f} %",
        "frames": f"{found.frames:,}",
        "says": says,
        "size": _size(found.size),
        "files": [
            {"what": what, "title": title, "size": say_bytes(found.files[what])}
            for what, title in _FILES.items()
            if what in found.files
        ],
    }


def _size(size: float) -> str:
    if 0.95 <= size <= 1.05:
        return "as large as those that the model learned from"
    return f"{size:.2g} times as large as those that the model learned from"
