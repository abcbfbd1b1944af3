"""What a report tells below the recordings: how exact, how learned, how made."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from posenb import plots
from posenb.reports.recordings import Recording, Truth
from posenb.reports.runs import RunStory
from posenb.reports.tables import (
    data_url,
    definitions,
    flat,
    number,
    percent,
    plural,
    table,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["files_section", "headline", "recording_sections", "run_sections", "truth_section"]

_PARTS = {  # the most telling first
    "test": "frames kept aside for testing",
    "validation": "validation frames, which chose the best step of the training",
    "train": "frames it was trained on, which says little about others",
}
_MEASURES = {"mean": "mean", "median": "median", "p95": "95 % below"}


def headline(story: RunStory) -> str:
    """Return how exact a run is, in a sentence; empty if it was not evaluated."""
    part = _judge(story)
    if story.evaluation is None or part is None:
        return ""
    row = _of(story.evaluation.summary, part).iloc[-1]
    errors = story.evaluation.errors
    count = errors.loc[errors["split"] == part, "frame"].nunique()
    return (
        f"On {count} {_PARTS[part]}, keypoints lie {number(row['mean'])} px from their labels "
        f"on average; half of them lie within {number(row['median'])} px."
    )


def run_sections(story: RunStory, model: str | None) -> list[str]:
    """Return the sections about a run.

    Parameters
    ----------
    story : RunStory
    model : str or None
        SHA-256 of the model that found the poses of the report, if any.
    """
    return [*_exactness(story, model), *_worst(story), *_learning(story)]


def truth_section(truth: Truth) -> str:
    """Return how far the poses of a video are from what is known of it."""
    note = f'<p class="note">{html.escape(truth.where)}</p>'
    errors = f'<div class="narrow">{_error_table(truth.errors, {})}</div>'
    return _section("How far from the truth, in pixels", note + errors)


def files_section(truth: Truth) -> str:
    """Return what was left where."""
    return _section("What lies where", definitions(truth.files))


def recording_sections(recordings: Sequence[Recording]) -> list[str]:
    """Return how the poses came about; of several recordings that of each."""
    several = len(recordings) > 1
    return [
        _made(recording, f' data-recording="{n}"' if several else "")
        for n, recording in enumerate(recordings, 1)
    ]


def _section(title: str, content: str, more: str = "") -> str:
    return f'<section class="told"{more}><h2>{html.escape(title)}</h2>{content}</section>'


def _judge(story: RunStory) -> str | None:
    """Return the most telling part of the split that was evaluated."""
    if story.evaluation is None:
        return None
    there = set(story.evaluation.summary["split"])
    return next((part for part in _PARTS if part in there), None)


def _of(summary: pd.DataFrame, part: str) -> pd.DataFrame:
    return summary[summary["split"] == part]


def _exactness(story: RunStory, model: str | None) -> list[str]:
    title = "How exact it is"
    part = _judge(story)
    if story.evaluation is None or part is None:
        words = (
            "The run has not been evaluated yet. To compare it with its labels: "
            f"posenb evaluate {story.run.url}"
        )
        return [_section(title, f'<p class="note">{html.escape(words)}</p>')]
    evaluation = story.evaluation
    others = {
        each: _of(evaluation.summary, each)["mean"].tolist()
        for each in _PARTS
        if each != part and each in set(evaluation.summary["split"])
    }
    note = f"Distance between prediction and label in pixels, on {_PARTS[part]}."
    if model is not None and story.judged.get("model_sha256") != model:
        note += " The run was trained anew or evaluated with another model than found the poses."
    figure = ""
    if np.isfinite(evaluation.errors["error"]).any():
        figure = _figure(
            "How the distances are spread",
            {
                theme: plots.plot_errors(evaluation.errors, cutoff=evaluation.cutoff, theme=theme)
                for theme in ("light", "dark")
            },
        )
    told = _error_table(_of(evaluation.summary, part), others)
    content = f'<p class="note">{html.escape(note)}</p><div class="pair">{told}{figure}</div>'
    return [_section(title, content)]


def _error_table(errors: pd.DataFrame, others: Mapping[str, Sequence[float]]) -> str:
    """Return distances of one part, and the means of others."""
    shares = [name for name in errors.columns if name.startswith("pck_")]
    head = [
        "keypoint",
        *_MEASURES.values(),
        *(f"within {name.removeprefix('pck_')} px" for name in shares),
        *(f"mean, {part}" for part in others),
    ]
    means = zip(*others.values(), strict=True) if others else ((),) * len(errors)
    rows = [
        [
            html.escape(str(row["keypoint"])),
            *(number(row[name]) for name in _MEASURES),
            *(percent(row[name]) for name in shares),
            *map(number, more),
        ]
        for (_, row), more in zip(errors.iterrows(), means, strict=True)
    ]
    return f'<div class="scroll">{table(head, rows, last=True)}</div>'


def _figure(words: str, themes: Mapping[Literal["light", "dark"], Figure]) -> str:
    """Return a figure of which the page shows the one of its theme."""
    from posenb.plots.style import figure_bytes

    pictures = "".join(
        f'<img class="of-{theme}" alt="{html.escape(words)}" '
        f'src="{data_url("image/svg+xml", figure_bytes(figure, "svg"))}">'
        for theme, figure in themes.items()
    )
    return f"<figure>{pictures}</figure>"


def _worst(story: RunStory) -> list[str]:
    if not story.pictures:
        return []
    pictures = "".join(
        f'<button type="button"><img alt="{html.escape(each.name)}" '
        f'src="{data_url("image/webp", each.data)}"></button>'
        for each in story.pictures
    )
    words = "The labelled frames with the largest mean distance. Click to enlarge."
    note = f'<p class="note">{words}</p>'
    return [_section("Where it is worst", f'{note}<div class="pictures">{pictures}</div>')]


def _learning(story: RunStory) -> list[str]:
    config = story.config
    split = ", ".join(f"{count} {part}" for part, count in story.frames.items() if count)
    facts = {
        "Run": story.run.name,
        "Network": f"{config.model.backbone}, {config.model.weights or 'random'} weights",
        "Labelled frames": split or "unknown",
    }
    if len(story.history):
        facts["Steps"] = f"{story.history['step'].max():.0f}"
    else:
        facts["Steps"] = f"none of {config.steps} has been recorded yet"
    settings = flat(config.model_dump(mode="json"))
    told = definitions(facts) + _folded("All settings of the training", settings)
    figure = ""
    if len(story.history):
        figure = _figure(
            "Learning curve",
            {
                theme: plots.plot_learning_curve(story.history, theme=theme)
                for theme in ("light", "dark")
            },
        )
    return [_section("How it learned", f'<div class="pair"><div>{told}</div>{figure}</div>')]


def _folded(title: str, values: Mapping[str, str]) -> str:
    return f"<details><summary>{html.escape(title)}</summary>{definitions(values)}</details>"


def _made(recording: Recording, more: str) -> str:
    title = "How the poses were made"
    story = recording.poses.provenance
    if not story:
        words = "These poses do not tell how they were made: there is no meta.json beside them."
        return _section(title, f'<p class="note">{words}</p>', more)
    facts = {name: value for name, value in _facts(story).items() if value}
    frames = story.get("frames", {})
    settings = {
        **flat(story.get("config", {})),
        **flat({"frames": frames, "crop": story.get("crop")}),
    }
    content = definitions(facts) + _folded("All settings of the analysis", settings)
    return _section(title, content, more)


def _facts(story: Mapping[str, Any]) -> dict[str, str]:
    """Return what `meta.json` tells that a reader looks for first."""
    video, model = story.get("video", {}), story.get("model", {})
    software = story.get("software", [])
    versions = [", ".join(f"{name} {value}" for name, value in each.items()) for each in software]
    size = f"{video['width']} × {video['height']} pixels, " if "width" in video else ""
    count = video.get("frame_count")
    undecodable = story.get("frames", {}).get("undecodable", 0)
    return {
        "Video": str(video.get("url", "")),
        "Its content": _content(video),
        "Its pictures": f"{size}{plural(count, 'frame')}" if isinstance(count, int) else "",
        "Not decodable": plural(undecodable, "frame") if undecodable else "",
        "Run": str(model.get("run") or ""),
        "Model": f"SHA-256 {model['sha256']}" if "sha256" in model else "",
        "Software": "; ".join(versions),
    }


def _content(video: Mapping[str, Any]) -> str:
    if "sha256" in video:
        return f"SHA-256 {video['sha256']}"
    return f"fingerprint {video['fingerprint']}" if "fingerprint" in video else ""
