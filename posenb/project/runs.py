"""A run is a folder below a project: everything one training left behind."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from posenb import storage
from posenb.core import Split, TrainConfig
from posenb.errors import ProjectError
from posenb.labels import read_split

if TYPE_CHECKING:
    from posenb import Watch

__all__ = ["Run", "list_runs", "open_run"]


@dataclass(frozen=True, slots=True)
class Run:
    """A training run, finished or not.

    Parameters
    ----------
    url : str
        Its folder, ``<project>/runs/<name>``.
    """

    url: str

    @property
    def name(self) -> str:
        """Name of the run, the last part of its URL."""
        return storage.name(self.url)

    @property
    def project_url(self) -> str:
        """URL of the project the run belongs to."""
        return storage.parent(storage.parent(self.url))

    @property
    def config_url(self) -> str:
        """URL of the config it was started with."""
        return storage.join(self.url, "config.json")

    @property
    def split_url(self) -> str:
        """URL of the split of the labelled frames."""
        return storage.join(self.url, "split.json")

    @property
    def labels_url(self) -> str:
        """URL of the digest of the labels it was started with."""
        return storage.join(self.url, "labels.sha256")

    @property
    def model_url(self) -> str:
        """URL of the trained model; the file is there once training has finished."""
        return storage.join(self.url, "model.keras")

    @property
    def network_url(self) -> str:
        """URL of the trained network for CPU runtimes, which need no Keras."""
        return storage.join(self.url, "model.onnx")

    @property
    def quantised_url(self) -> str:
        """URL of the trained network in whole numbers, once it has been quantised."""
        return storage.join(self.url, "model.int8.onnx")

    @property
    def checkpoint_url(self) -> str:
        """URL of the state from which training goes on; gone once it has finished."""
        return storage.join(self.url, "checkpoint.npz")

    @property
    def history_url(self) -> str:
        """URL of the learning curve, a CSV with one row a validation; it grows in training."""
        return storage.join(self.url, "history.csv")

    @property
    def record_url(self) -> str:
        """URL of what its training last said of itself, a JSON."""
        return storage.join(self.url, "training.json")

    @property
    def stop_url(self) -> str:
        """URL of the request that its training shall stop."""
        return storage.join(self.url, "stop")

    @property
    def lock_url(self) -> str:
        """URL of what a process holds while it trains the run; no file is there."""
        return storage.join(self.url, "training")

    @property
    def evaluation_url(self) -> str:
        """URL of the folder for tables and figures of its evaluation."""
        return storage.join(self.url, "evaluation")

    @property
    def finished(self) -> bool:
        """Whether the trained model is there."""
        return storage.exists(self.model_url)

    def watch(self) -> Watch:
        """Watch its training, as `posenb.watch` does.

        Returns
        -------
        Watch
        """
        import posenb  # whose table of names leads to the rooms above

        return posenb.watch(self)

    def config(self) -> TrainConfig:
        """Read the config the run was started with."""
        values: dict[str, Any] = json.loads(storage.read_text(self.config_url))
        return TrainConfig(**values)

    def split(self) -> Split:
        """Read the split of the labelled frames."""
        return read_split(self.split_url)


def open_run(url: storage.Url) -> Run:
    """Open the run in the folder `url`.

    Raises
    ------
    ProjectError
        If the folder holds no run.
    """
    run = Run(storage.resolve(url))
    if not storage.exists(run.config_url):
        raise ProjectError(
            f"A run is a folder with a config.json; {run.url} has none. Train first, or give the "
            "folder of a run (<project>/runs/<name>)."
        )
    return run


def list_runs(project_url: storage.Url) -> tuple[Run, ...]:
    """Return the runs of a project, in alphabetical order."""
    folders = storage.list_folders(storage.join(storage.resolve(project_url), "runs"))
    runs = (Run(folder) for folder in folders)
    return tuple(run for run in runs if storage.exists(run.config_url))
