"""An evaluation as a value and as files."""

from __future__ import annotations

import html
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from posenb import storage
from posenb._progress import Progress
from posenb.core import Labels
from posenb.evaluation import pixel_errors, worst_frames
from posenb.project import Project, Run, read_image

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["Evaluation", "write_evaluation", "write_pictures"]

_NARROW = ("mean", "median", "share_confident")
_BRIEF = ("count", "mean", "median", "rmse", "mean_confident")


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """How far a run's predictions are from the labels.

    Parameters
    ----------
    url : str
        Folder of the tables and figures.
    summary : DataFrame
        One row for each part of the split and keypoint, and one for all keypoints:
        ``split`` and the columns of `posenb.evaluation.summarise`.
    errors : DataFrame
        One row for each frame, individual and keypoint, as
        `posenb.evaluation.tabulate_errors` gives them.
    cutoff : float
        Predictions of this likelihood or more count as confident.
    """

    url: str
    summary: pd.DataFrame
    errors: pd.DataFrame
    cutoff: float

    @property
    def table(self) -> pd.DataFrame:
        """The summary with train, validation and test side by side.

        One row a keypoint; the columns are pairs of measure and part of the split, such
        as ``table["mean", "test"]``.
        """
        import pandas as pd

        parts = list(dict.fromkeys(self.summary["split"]))
        tables = [
            self.summary[self.summary["split"] == part].drop(columns="split").set_index("keypoint")
            for part in parts
        ]
        wide = pd.concat(tables, axis=1, keys=parts, names=["split", "measure"])
        order = [(measure, part) for measure in tables[0].columns for part in parts]
        table: pd.DataFrame = wide.swaplevel(axis=1)[order]
        return table

    def __repr__(self) -> str:
        """Return the most important columns as text."""
        table = self.table
        measures = table.columns.get_level_values("measure")
        chosen = [name in _BRIEF or name.startswith("pck_") for name in measures]
        text = table.loc[:, chosen].to_string(float_format="{:.2f}".format)
        return f"{self._caption()}\n{text}"

    def _repr_html_(self) -> str:
        """Return what fits the width of a page; `table` has all."""
        chosen = [*_NARROW, *(["missed"] if self.summary["missed"].any() else [])]
        table = self.table[chosen].to_html(float_format="{:.2f}".format, na_rep="–", border=0)
        return (
            f"<p>{html.escape(self._caption())}; more measures: <code>evaluation.table</code></p>"
            f'<div style="overflow-x: auto; max-width: 100%">{table}</div>'
        )

    def _caption(self) -> str:
        counts = self.errors.groupby("split", sort=False)["frame"].nunique()
        parts = dict.fromkeys(self.summary["split"])
        frames = ", ".join(f"{counts[part]} {part}" for part in parts)
        return (
            f"Evaluation of {storage.name(storage.parent(self.url))}: {frames} frames; distances "
            f"in pixels; confident: likelihood of {self.cutoff:g} or more"
        )


def write_evaluation(evaluation: Evaluation, story: Mapping[str, object]) -> None:
    """Write the tables of an evaluation and remove the pictures of an earlier one.

    Until ``meta.json`` is there, the tables may be of two evaluations.

    Parameters
    ----------
    evaluation : Evaluation
    story : mapping
        How it came about; becomes ``meta.json``.
    """
    folder = evaluation.url
    for name in ("meta.json", "errors.png", "errors.svg", "worst"):
        storage.remove(storage.join(folder, name), recursive=True)
    for name, table in (("errors.csv", evaluation.errors), ("summary.csv", evaluation.summary)):
        text = table.to_csv(index=False, float_format="%.4f", lineterminator="\n")
        storage.write_text(storage.join(folder, name), text)
    text = json.dumps(story, indent=1, ensure_ascii=False)
    storage.write_text(storage.join(folder, "meta.json"), text + "\n")


def write_pictures(
    evaluation: Evaluation,
    run: Run,
    project: Project,
    labels: Labels,
    found: np.ndarray,
    *,
    worst: int,
    progress: Progress,
) -> None:
    """Draw an evaluation: its errors, the learning curve of the run, its worst frames.

    Parameters
    ----------
    evaluation : Evaluation
    run : Run
    project : Project
    labels : Labels
        N frames, I individuals, K keypoints.
    found : ndarray, shape (N, I, K, 3)
        x, y in pixels and likelihood.
    worst : int
        How many frames to draw.
    progress : Progress
    """
    from posenb.plots import draw_worst_frame, plot_errors, plot_learning_curve

    folder = evaluation.url
    if np.isfinite(evaluation.errors["error"]).any():
        figure = plot_errors(evaluation.errors, cutoff=evaluation.cutoff)
        _save(storage.join(folder, "errors.png"), figure)
        _save(storage.join(folder, "errors.svg"), figure)
    history = _read_history(run)
    if len(history):
        _save(storage.join(folder, "learning_curve.png"), plot_learning_curve(history))
    errors = pixel_errors(found[..., :2], labels.positions)
    parts = evaluation.errors.groupby("frame", sort=False)["split"].first()
    chosen = worst_frames(errors, worst)
    with progress(len(chosen), "Drawing the worst frames", "frame") as bar:
        for rank, n in enumerate(chosen, 1):
            frame = labels.frames[n]
            part = parts["/".join(filter(None, frame))]
            mean = float(errors[n][~np.isnan(errors[n])].mean())
            figure = draw_worst_frame(
                read_image(project, frame),
                labels.positions[n],
                found[n, ..., :2],
                found[n, ..., 2],
                labels.skeleton,
                " · ".join((part, *filter(None, frame), f"mean {mean:.1f} px")),
            )
            stem = "_".join((part, frame.video.replace("/", "_"), PurePosixPath(frame.image).stem))
            _save(storage.join(folder, "worst", f"{rank:02d}_{stem}.png"), figure)
            bar.advance()


def _save(url: str, figure: Figure) -> None:
    # A date would make two drawings of the same data differ.
    metadata = {"Date": None} if url.endswith(".svg") else None
    with storage.writing(url) as path:
        figure.savefig(path, metadata=metadata)


def _read_history(run: Run) -> pd.DataFrame:
    import pandas as pd

    if not storage.exists(run.history_url):
        return pd.DataFrame()
    return pd.read_csv(io.StringIO(storage.read_text(run.history_url)))
