"""Making projects and opening them, wherever they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from posenb import storage
from posenb.core import Skeleton
from posenb.core.labels import check_individuals
from posenb.errors import InvalidInputError, ProjectError, UnknownNameError
from posenb.labels.files import FOLDER
from posenb.project.foreign import CONFIG, open_deeplabcut, open_lightning
from posenb.project.manifest import MANIFEST, Manifest, Video, make_manifest, parse, write_new
from posenb.project.value import Project

__all__ = ["create_project", "open_project"]


def create_project(
    url: storage.Url,
    *,
    keypoints: Sequence[str],
    skeleton: Sequence[tuple[str, str]] = (),
    individuals: Sequence[str] | None = None,
    unique_keypoints: Sequence[str] = (),
    scorer: str | None = None,
    name: str | None = None,
) -> Project:
    """Create a project in a folder.

    Called again with the same arguments, it opens the project with all that it holds by
    then, so that a notebook runs again from its top.

    Parameters
    ----------
    url : str or PathLike
        The folder, which need not exist; its last part should say what is studied.
    keypoints : sequence of str
        Body parts to track.
    skeleton : sequence of (str, str), optional
        Pairs of keypoints to join with a line.
    individuals : sequence of str, optional
        Names of the animals if there are several.
    unique_keypoints : sequence of str, optional
        Keypoints beside those in `keypoints` that exist once in the scene, such as the
        corners of a box.
    scorer : str, optional
        Who labels; ``"posenb"`` by default.
    name : str, optional
        The task; by default the name of the folder.

    Raises
    ------
    ProjectError
        If the folder holds another project.
    InvalidInputError, UnknownNameError, ConfigError
        If names repeat, are empty or not usable, or an edge names no keypoint.
    """
    whole = storage.resolve(url)
    everything = (*keypoints, *(each for each in unique_keypoints if each not in keypoints))
    value = Skeleton.from_names(everything, tuple(skeleton), tuple(unique_keypoints))
    if individuals is not None:
        check_individuals(tuple(individuals))
    manifest = make_manifest(
        name=name or storage.name(whole),
        scorer=scorer or "posenb",
        keypoints=value.keypoints,
        skeleton=value.edge_names,
        unique_keypoints=value.unique,
        individuals=None if individuals is None else tuple(individuals),
    )
    for foreign in (open_deeplabcut, open_lightning):
        if foreign(whole) is not None:
            raise ProjectError(
                f"A project is created in a folder without one; {whole} holds one of another "
                "program. Open it with open_project, which leaves its files as they are."
            )
    manifest_url = storage.join(whole, MANIFEST)
    if storage.exists(manifest_url):
        there = parse(storage.read_bytes(manifest_url), manifest_url)
        if there.model_copy(update={"videos": {}}) == manifest:
            return _own(whole, there)
    write_new(manifest_url, manifest)
    return _own(whole, manifest)


def open_project(url: storage.Url) -> Project:
    """Open a project: posenb's own, DeepLabCut's or Lightning Pose's.

    Nothing is written. In a folder of another program posenb works beside that
    program's files: runs and poses in ``runs/`` and ``poses/``, labels in its layout, what
    people marked in ``notes/``, added videos in ``posenb.yaml``.

    Parameters
    ----------
    url : str or PathLike
        The folder, or the ``posenb.yaml`` or ``config.yaml`` in it.

    Raises
    ------
    ProjectError
        If there is no project, or its files are not as they must be.
    """
    whole = storage.resolve(url)
    if storage.name(whole) in (MANIFEST, CONFIG):
        whole = storage.parent(whole)
    manifest_url = storage.join(whole, MANIFEST)
    manifest = None
    if storage.exists(manifest_url):
        manifest = parse(storage.read_bytes(manifest_url), manifest_url)
        if manifest.kind == "posenb":
            return _own(whole, manifest)
    project = open_deeplabcut(whole) or open_lightning(whole)
    if project is None:
        raise ProjectError(
            f"No project at {whole}: looked for {MANIFEST}, a {CONFIG} of DeepLabCut, and a "
            f"CollectedData.csv beside {FOLDER}/ as in Lightning Pose. Check the path, or make a "
            "project there with create_project."
        )
    return project if manifest is None else _with_videos(project, manifest.videos)


def _own(url: str, manifest: Manifest) -> Project:
    assert manifest.name is not None
    assert manifest.scorer is not None
    try:
        skeleton = Skeleton.from_names(
            manifest.keypoints, manifest.skeleton, manifest.unique_keypoints
        )
        individuals = ("",) if manifest.individuals is None else manifest.individuals
        check_individuals(individuals)
    except (InvalidInputError, UnknownNameError) as error:
        raise ProjectError(f"{storage.join(url, MANIFEST)}: {error}") from error
    project = Project(url, "posenb", manifest.name, manifest.scorer, skeleton, individuals)
    return _with_videos(project, manifest.videos)


def _with_videos(project: Project, videos: Mapping[str, Video]) -> Project:
    crops = {stem: video.crop for stem, video in videos.items() if video.crop is not None}
    return replace(
        project,
        videos={**project.videos, **{stem: video.path for stem, video in videos.items()}},
        crops={**project.crops, **crops},
    )
