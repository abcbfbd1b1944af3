"""A project on one screen."""

from __future__ import annotations

from posenb.project import Project, list_runs

__all__ = ["summarise"]

_KINDS = {"posenb": "posenb", "deeplabcut": "DeepLabCut", "lightning-pose": "Lightning Pose"}


def summarise(project: Project) -> str:
    """Tell what a project holds, as lines of text.

    Raises
    ------
    LabelError
        If its labels cannot be read.
    """
    lines = [
        f"{project.name}: a {_KINDS[project.kind]} project at {project.url}",
        _row("keypoints", len(project.skeleton), project.skeleton.keypoints),
    ]
    if project.individuals != ("",):
        lines.append(_row("individuals", len(project.individuals), project.individuals))
    lines += [
        _row("videos", len(project.videos), tuple(project.videos)),
        _row("labelled", *_labelled(project)),
    ]
    runs = list_runs(project.url)
    lines.append(_row("runs", len(runs), ()))
    lines += [f"    {run.name}{'' if run.finished else ' (not finished)'}" for run in runs]
    return "\n".join(lines)


def _row(what: str, count: int, names: tuple[str, ...]) -> str:
    return f"  {what:<12}{count:>5}  {', '.join(names)}".rstrip()


def _labelled(project: Project) -> tuple[int, tuple[str, ...]]:
    if not project.has_labels():
        return 0, ()
    labels = project.labels()
    return len(labels), (f"frames of {', '.join(labels.videos)}",)
