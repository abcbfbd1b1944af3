"""Which run is meant when a run or its project may be named."""

from __future__ import annotations

from collections.abc import Sequence

from posenb import storage
from posenb._names import unknown_name
from posenb.errors import InvalidInputError, ProjectError
from posenb.project import Run, list_runs, open_project

__all__ = ["choose_run", "choose_runs", "choose_training"]


def choose_run(url: str, name: str | None = None) -> Run | str:
    """Return the run that `url` means, or the one of the project there.

    Parameters
    ----------
    url : str
        Folder of a run or of a project, or a ``.keras`` file.
    name : str, optional
        Of a run of the project; without it, its only finished run is taken.

    Returns
    -------
    Run or str
        The URL itself if it is a ``.keras`` file.

    Raises
    ------
    ProjectError
        If there is neither a run nor a project, or not exactly one finished run and
        none is named.
    UnknownNameError
        If the project has no such run.
    InvalidInputError
        If a run is named twice.
    """
    whole = storage.resolve(url)
    run = Run(whole)
    is_run = storage.exists(run.config_url)
    if is_run or whole.endswith(".keras"):
        if name is not None:
            raise InvalidInputError(
                f"Name a run once; {url} is one already and --run says {name!r}. Give the project "
                "instead, or leave out --run."
            )
        return run if is_run else whole
    runs = list_runs(open_project(whole).url)
    if name is not None:
        if name not in (each.name for each in runs):
            raise unknown_name("run", name, tuple(each.name for each in runs))
        return next(each for each in runs if each.name == name)
    finished = [each for each in runs if each.finished]
    if len(finished) == 1:
        return finished[0]
    if finished:
        raise ProjectError(
            f"Say which run is meant; {url} has {len(finished)} finished ones: "
            f"{', '.join(each.name for each in finished)}. Choose with --run NAME."
        )
    going = f" ({', '.join(each.name for each in runs)} did not finish)" if runs else ""
    raise ProjectError(
        f"This needs a finished run; {url} has none{going}. Train first: posenb train {url}"
    )


def choose_training(url: str, name: str | None = None) -> Run:
    """Return the run that `url` means, or the one of the project there that is unfinished.

    Parameters
    ----------
    url : str
        Folder of a run or of a project.
    name : str, optional
        Of a run of the project; without it, its only run is taken, or its only
        unfinished one.

    Raises
    ------
    ProjectError
        If there is neither a run nor a project, or several could be meant.
    UnknownNameError
        If the project has no such run.
    InvalidInputError
        If a run is named twice.
    """
    run = Run(storage.resolve(url))
    if name is not None or storage.exists(run.config_url):
        chosen = choose_run(url, name)
        return chosen if isinstance(chosen, Run) else Run(chosen)
    runs = list_runs(open_project(run.url).url)
    unfinished = [each for each in runs if not each.finished]
    for meant in (unfinished, runs):
        if len(meant) == 1:
            return meant[0]
    if not runs:
        raise ProjectError(
            f"This needs a run; {url} has none. Train first: posenb train {url} --background"
        )
    raise ProjectError(
        f"Say which run is meant; {url} has {', '.join(each.name for each in unfinished or runs)}. "
        "Choose with --run NAME."
    )


def choose_runs(url: str, name: str | None, further: Sequence[str]) -> list[Run | str]:
    """Return the run that `url` and `name` mean, as `choose_run` does, and further ones.

    Parameters
    ----------
    url : str
    name : str, optional
    further : sequence of str
        Names of runs of the same project, paths or URLs.
    """
    first = choose_run(url, name)
    siblings = list_runs(first.project_url) if isinstance(first, Run) else ()
    named = {run.name: run for run in siblings}
    return [first, *(named.get(each) or choose_run(each) for each in further)]
