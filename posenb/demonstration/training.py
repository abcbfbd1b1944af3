"""The verb `demo_training`: from labels to trajectories, offline, on two cores, in minutes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from posenb import storage
from posenb._progress import Progress, tqdm_progress
from posenb.core import Poses, TrainConfig
from posenb.demonstration.animal import SKELETON, true_poses, walk
from posenb.demonstration.sample import CLIP, EVERY, FPS, FRAMES, add_clip, label_frames
from posenb.errors import ProjectError
from posenb.labels import write_poses
from posenb.project import Project, Run, create_project, open_project
from posenb.project.manifest import MANIFEST

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TrainingDemo", "demo_training"]


@dataclass(frozen=True, slots=True, eq=False)
class TrainingDemo:
    """What the demonstration left behind.

    Parameters
    ----------
    project : Project
    run : Run
        The training.
    truth, poses : Poses
        Where the mouse was, and where it was found.
    errors : DataFrame
        Distances between the two in the frames without labels, pixels; one row a
        keypoint and one for all.
    page_url : str
        The report, which shows it all.
    """

    project: Project
    run: Run
    truth: Poses
    poses: Poses
    errors: pd.DataFrame
    page_url: str

    @property
    def error(self) -> float:
        """Mean distance over all keypoints, pixels."""
        return float(self.errors["mean"].iloc[-1])

    def __repr__(self) -> str:
        """Tell the error and where to look."""
        return (
            f"Mean error on the frames without labels: {self.error:.2f} px\n"
            f"Look at it:  {self.page_url}\n"
            f"All files:   {self.project.url}"
        )


def demo_training(
    folder: storage.Url = "posenb-demo-training",
    *,
    seed: int = 0,
    steps: int = 1200,
    progress: Progress = tqdm_progress,
) -> TrainingDemo:
    """Make a video of a walking mouse, label some frames, train, analyze and compare.

    Nothing is downloaded: the network starts from random weights. Stopped and run again,
    it goes on where it was; run again after that, it only evaluates and writes the report anew.

    Parameters
    ----------
    folder : str or PathLike, optional
        Becomes a project with the page ``report.html``.
    seed : int, optional
        Decides how the mouse walks and how training goes.
    steps : int, optional
        Training steps. With fewer it is quicker and less exact.
    progress : callable, optional
        Makes the progress bars.

    Returns
    -------
    TrainingDemo

    Raises
    ------
    ProjectError
        If the folder holds another project.
    """
    from posenb.inference import analyze, evaluate
    from posenb.training import train

    project = _project(folder, seed)
    motion = walk(FRAMES, seed)
    truth = true_poses(motion, FPS)
    project = add_clip(project, motion, seed, progress)
    labelled = np.arange(0, FRAMES, EVERY)
    label_frames(project, truth, labelled)
    run = train(project, _config(seed, steps), progress=progress)
    evaluate(run, worst=3, progress=progress)
    poses = analyze(run, CLIP, progress=progress)
    errors = _errors(poses, truth, labelled)
    page_url = storage.join(project.url, "report.html")
    found = TrainingDemo(project, run, truth, poses, errors, page_url)
    _write_report(found, len(labelled), progress)
    return found


def _config(seed: int, steps: int) -> TrainConfig:
    """Return what trains a small network from nothing in about a minute."""
    return TrainConfig.from_options(
        backbone="mobilenet_v2_035",
        weights=None,
        width=32,
        test_fraction=0.0,
        steps=steps,
        learning_rate=4e-3,
        validate_every=100,
        seed=seed,
    )


def _project(folder: storage.Url, seed: int) -> Project:
    name = f"posenb demo {seed}"
    url = storage.resolve(folder)
    if not storage.exists(storage.join(url, MANIFEST)):
        return create_project(
            url, keypoints=SKELETON.keypoints, skeleton=SKELETON.edge_names, name=name
        )
    project = open_project(url)
    if (project.name, project.skeleton) != (name, SKELETON):
        raise ProjectError(
            f"The demo with seed {seed} needs a folder of its own; {url} holds the project "
            f"{project.name!r}. Choose another folder."
        )
    return project


def _errors(poses: Poses, truth: Poses, labelled: np.ndarray) -> pd.DataFrame:
    from posenb.evaluation import pixel_errors, summarise

    unseen = np.setdiff1d(np.arange(len(truth)), labelled)
    distances = pixel_errors(poses.positions[unseen], truth.positions[unseen])
    return summarise(distances, poses.likelihoods[unseen], truth.skeleton.keypoints)


def _write_report(found: TrainingDemo, labelled: int, progress: Progress) -> None:
    from posenb.reports.making import Look, write_report
    from posenb.reports.recordings import Truth

    project, run = found.project, found.run
    write_poses(storage.join(project.url, "truth"), found.truth)
    unseen = len(found.truth) - labelled
    truth = Truth(
        found.truth,
        found.errors,
        title=f"{found.error:.1f} px from the truth",
        lead=(
            f"A made mouse walks for {len(found.truth)} frames. {labelled} of them were labelled, "
            "a network was trained on those, and it then found the mouse in all. On the "
            f"{unseen} frames that it was never shown, its keypoints lie {found.error:.1f} px from "
            "the truth on average."
        ),
        where=f"On the {unseen} frames without labels.",
        files={
            "Project": project.url,
            "Video": project.video_url(CLIP),
            "Labels": f"{project.labels_url(CLIP)}.h5",
            "Model": run.model_url,
            "Evaluation": run.evaluation_url,
            "Trajectories": storage.join(project.poses_url(CLIP, run.name), "poses.csv"),
            "Truth": storage.join(project.url, "truth.csv"),
        },
    )
    write_report(found.poses, found.page_url, Look(), progress, truth)
