"""``posenb.yaml``: the facts of a project that no other file holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from posenb import storage
from posenb.core.configs import explain
from posenb.errors import ConfigError, ProjectError
from posenb.project.places import split_climb

__all__ = [
    "MANIFEST",
    "Crop",
    "Kind",
    "Manifest",
    "Video",
    "add_entries",
    "clash",
    "make_manifest",
    "make_video",
    "parse",
    "write_new",
]

MANIFEST = "posenb.yaml"
VERSION: Final = 1
_HEADING = "# A posenb project. Paths are relative to this folder unless they are URLs.\n"

Kind = Literal["posenb", "deeplabcut", "lightning-pose"]
Crop = tuple[int, int, int, int]
Name = Annotated[str, Field(min_length=1, pattern=r'^[^/\\:*?"<>|\x00-\x1f]+$')]


class Video(BaseModel):
    """A video of the project.

    Attributes
    ----------
    path : str
        Relative to the project's folder, from which it may climb at its start
        (``../raw/m1.mp4``), or an absolute path or URL.
    crop : (int, int, int, int) or None
        x1, x2, y1, y2 in pixels of the displayed video, the ends excluded.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Annotated[str, Field(min_length=1)]
    crop: Crop | None = None

    @field_validator("path")
    @classmethod
    def _climbs_only_at_its_start(cls, path: str) -> str:
        # A video is only ever read, and absolute paths may lead anywhere as well. This keeps
        # it plain to see where a path leads, and the rest below the folder it climbed to.
        _, below = split_climb(path)
        if not below or ".." in below.replace("\\", "/").split("/"):
            raise ValueError(
                "a path climbs only at its start, as ../raw/m1.mp4 does: write it in full"
            )
        return path

    @field_validator("crop")
    @classmethod
    def _has_an_area(cls, crop: Crop | None) -> Crop | None:
        if crop is not None and not (0 <= crop[0] < crop[1] and 0 <= crop[2] < crop[3]):
            raise ValueError("a crop is x1, x2, y1, y2 with 0 <= x1 < x2 and 0 <= y1 < y2")
        return crop


class Manifest(BaseModel):
    """Content of ``posenb.yaml``; an unknown key is an error.

    A folder of DeepLabCut or Lightning Pose has a manifest only once a video was added
    to it. That manifest says of which `kind` the folder is and holds the added videos;
    all else stays in the folder's own files, which posenb never rewrites.

    Attributes
    ----------
    version : int
    kind : {"posenb", "deeplabcut", "lightning-pose"}
    name, scorer : str or None
        The task, and who labels; without characters that a file name may not hold.
    keypoints : tuple of str
    skeleton : tuple of (str, str)
        Edges between keypoints.
    unique_keypoints : tuple of str
        Those keypoints that exist once in the scene.
    individuals : tuple of str or None
        Animals, or None for one unnamed animal.
    videos : dict of str to Video
        By the stem of the file name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = VERSION
    kind: Kind = "posenb"
    name: Name | None = None
    scorer: Name | None = None
    keypoints: tuple[str, ...] = ()
    skeleton: tuple[tuple[str, str], ...] = ()
    unique_keypoints: tuple[str, ...] = ()
    individuals: tuple[str, ...] | None = None
    videos: dict[Name, Video] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _facts_stand_in_one_place(self) -> Manifest:
        own = (self.name, self.scorer, self.keypoints)
        if self.kind == "posenb" and not all(own):
            raise ValueError("a project needs a name, a scorer and keypoints")
        foreign = (*own, self.skeleton, self.unique_keypoints, self.individuals)
        if self.kind != "posenb" and any(foreign):
            raise ValueError(f"the facts of a {self.kind} folder stand in its own files")
        return self


def parse(content: bytes, url: str) -> Manifest:
    """Read a manifest.

    Raises
    ------
    ProjectError
        If it is no YAML, of an unknown version, or breaks a rule.
    """
    try:
        found = yaml.safe_load(content)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ProjectError(f"A manifest is a YAML file; {url} is not ({error}).") from error
    if not isinstance(found, dict) or not isinstance(found.get("version"), int):
        raise ProjectError(
            f"A manifest names its version, as in 'version: {VERSION}'; {url} does not."
        )
    if found["version"] != VERSION:
        raise ProjectError(
            f"{url} has version {found['version']}; this posenb knows version {VERSION}. Upgrade "
            "it with: pip install --upgrade posenb"
        )
    try:
        return Manifest.model_validate(found)
    except ValidationError as error:
        raise ProjectError(str(explain(url, error))) from error


def write_new(url: str, manifest: Manifest) -> None:
    """Write the manifest of a project that does not exist yet.

    Raises
    ------
    ProjectError
        If there is one; of two processes that create a project at once, one wins.
    """

    def change(content: bytes | None) -> bytes:
        if content is not None:
            raise ProjectError(
                f"A project is created in a folder without one; there is {url}, made with other "
                "facts. Open it with open_project."
            )
        return _dump(manifest)

    storage.update_bytes(url, change)


def add_entries(
    url: str, kind: Kind, videos: Mapping[str, Video], known: Mapping[str, str]
) -> None:
    """Add `videos` to the manifest at `url`, whatever others have added meanwhile.

    Parameters
    ----------
    url : str
        The manifest, which need not be there.
    kind : {"posenb", "deeplabcut", "lightning-pose"}
        Whose layout the folder has.
    videos : mapping of str to Video
        New entries by name.
    known : mapping of str to str
        Paths by name; an entry may only replace one that has the path known of it.

    Raises
    ------
    ProjectError
        If another video of the same name is there.
    """

    def change(content: bytes | None) -> bytes:
        manifest = Manifest(kind=kind) if content is None else parse(content, url)
        for stem, video in videos.items():
            there = manifest.videos.get(stem, video).path
            if there not in (video.path, known.get(stem)):
                raise ProjectError(clash(stem, there, video.path))
        merged = {**manifest.videos, **videos}
        return _dump(manifest.model_copy(update={"videos": merged}))

    storage.update_bytes(url, change)


def clash(stem: str, there: str, new: str) -> str:
    """Return what to say of two videos with one name."""
    return (
        f"Each video of a project has a name of its own, as its frames and poses lie in a folder "
        f"of that name; {stem!r} is {there} and cannot be {new} too. Rename one of the files."
    )


def make_video(path: str, crop: Crop | None) -> Video:
    """Return a new entry.

    Raises
    ------
    ConfigError
        If the crop has no area.
    """
    try:
        return Video(path=path, crop=crop)
    except ValidationError as error:
        raise ConfigError(str(explain("add_videos", error))) from error


def make_manifest(**facts: object) -> Manifest:
    """Return a new manifest.

    Raises
    ------
    ConfigError
        If a fact breaks a rule.
    """
    try:
        return Manifest.model_validate(facts)
    except ValidationError as error:
        raise ConfigError(str(explain("create_project", error))) from error


def _dump(manifest: Manifest) -> bytes:
    facts = manifest.model_dump(mode="json", exclude_defaults=True)
    whole = {"version": manifest.version, "kind": manifest.kind, **facts}
    text = yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, width=100)
    return (_HEADING + text).encode()
