"""Bringing the files of a model here: whole, as the card knows them, and without code in them."""

from __future__ import annotations

from pathlib import Path

from posenb import storage
from posenb.errors import ZooError
from posenb.zoo.card import KERAS, FileFact
from posenb.zoo.index import Member, find_member
from posenb.zoo.inspecting import check_keras

__all__ = ["fetch", "fetch_member"]


def fetch(model: storage.Url) -> Path:
    """Bring a model here, or find it where it is.

    Each file must have the SHA-256 that the card knows, and the card the one that the index
    knows, each time they are used; the ``.keras`` file may hold layers alone. What breaks
    these rules is not kept. Killed at any moment and called again, it fetches what is
    missing. A model that lies on this machine stays where it is.

    Parameters
    ----------
    model : str or PathLike
        A name, or the folder of a model.

    Returns
    -------
    Path
        Folder with ``model.keras``, ``model.onnx`` and, if there is one, ``preview.png``.

    Raises
    ------
    UnknownNameError
        If no known index has it.
    ZooError
        If index, card or a file were altered, or the model file holds more than layers.
    StorageError
        If it cannot be reached, and is not here yet.
    """
    return fetch_member(find_member(model))


def fetch_member(member: Member) -> Path:
    """Bring the files of a model here that was found before."""
    if storage.is_local(member.url):
        for name, fact in member.card.files.items():
            url = storage.join(member.url, name)
            if not storage.exists(url):
                raise ZooError(
                    f"A model has all files that its card tells of; {url} is not there. Publish "
                    "the model again, or install posenb again if it came with it."
                )
            _check(Path(url), fact, url)
        return Path(member.url)
    folder = storage.cached_path("zoo", f"{member.card.name}-{member.card_sha256[:16]}")
    for name, fact in member.card.files.items():
        _bring(storage.join(member.url, name), folder / name, fact)
    return folder


def _bring(url: str, path: Path, fact: FileFact) -> None:
    if path.is_file() and _is(path, fact):
        return
    size = storage.size(url)
    if size != fact.size:
        raise _altered(url, f"{size} bytes instead of {fact.size}")
    with storage.writing(path) as staged:  # an error within leaves nothing behind
        storage.copy(url, staged)
        _check(staged, fact, url)


def _check(path: Path, fact: FileFact, url: str) -> None:
    if not _is(path, fact):
        raise _altered(url, "another SHA-256")
    if path.name == KERAS:
        check_keras(path, url)


def _is(path: Path, fact: FileFact) -> bool:
    return path.stat().st_size == fact.size and storage.digest(path) == fact.sha256


def _altered(url: str, how: str) -> ZooError:
    return ZooError(
        f"A file of a model must be the one that its card tells of; {url} has {how}: it was "
        "altered, or damaged on its way. Nothing of it is used. Try again, or ask whoever "
        "published it."
    )
