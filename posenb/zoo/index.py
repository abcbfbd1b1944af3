"""Which models there are: the bundled index, and further ones behind URLs."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

import posenb
from posenb import storage
from posenb._names import unknown_name
from posenb.core import Config
from posenb.errors import StorageError, ZooError, ZooWarning
from posenb.zoo.card import CARD, Card, Digest, Name, parse_card

__all__ = [
    "INDEX",
    "VARIABLE",
    "Entry",
    "Index",
    "Member",
    "add_index",
    "bundled_index",
    "find_member",
    "indexes",
    "members",
    "parse_index",
]

INDEX = "index.json"
VARIABLE = "POSENB_ZOO"
_BELOW = r"^\w[\w.\-]*(/\w[\w.\-]*)*$"  # no part is absolute or begins with a dot


class Entry(Config):
    """Where a model lies.

    Attributes
    ----------
    folder : str
        Below that of the index.
    card_sha256 : str
        Of its card, which in turn knows that of each file.
    """

    folder: Annotated[str, Field(pattern=_BELOW)]
    card_sha256: Digest


class Index(Config):
    """Content of an ``index.json``.

    Attributes
    ----------
    version : int
        Of this layout.
    models : dict of str to Entry
        By name.
    """

    version: Literal[1] = 1
    models: dict[Name, Entry] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Member:
    """A model of an index.

    Parameters
    ----------
    url : str
        Its folder.
    card : Card
    card_sha256 : str
        Of the bytes of its card.
    """

    url: str
    card: Card
    card_sha256: str


def bundled_index() -> str:
    """Return the URL of the index that came with posenb."""
    room, house = Path(__file__).parent, Path(posenb.__file__).parent
    places = (room / "bundled" / INDEX, house.parent / "model_zoo" / INDEX)  # wheel, checkout
    return str(next((place for place in places if place.is_file()), places[0]))


def add_index(url: storage.Url) -> None:
    """Add the models of another index to those that are known in this process.

    To have it always, set the environment variable ``POSENB_ZOO`` to the URLs of indexes,
    divided by blanks; this function adds to that variable.

    Parameters
    ----------
    url : str or PathLike
        An ``index.json``, or the folder that holds one, on any file system.

    Raises
    ------
    ZooError
        If it is no index.
    StorageError
        If it cannot be reached.
    """
    whole = _index_url(url)
    parse_index(storage.read_bytes(whole), whole)
    if whole not in indexes():
        os.environ[VARIABLE] = f"{os.environ.get(VARIABLE, '')} {whole.replace(' ', '%20')}".strip()


def indexes() -> tuple[str, ...]:
    """Return the URLs of all known indexes, the bundled one first."""
    further = (each.replace("%20", " ") for each in os.environ.get(VARIABLE, "").split())
    return (bundled_index(), *dict.fromkeys(_index_url(each) for each in further))


def members() -> Iterator[Member]:
    """Go through the models of all known indexes, each name once.

    Warns
    -----
    ZooWarning
        If an index or a card cannot be read; the others are given.
    """
    seen: set[str] = set()
    for url in indexes():
        try:
            index = _read_index(url)
            names = [name for name in index.models if name not in seen]
            found = list(storage.in_order(lambda name: _member(url, name, index), names))  # noqa: B023
        except (StorageError, ZooError) as error:
            warnings.warn(f"Models of {url} are left out: {error}", ZooWarning, stacklevel=3)
            continue
        seen.update(names)
        yield from found


def find_member(model: storage.Url) -> Member:
    """Find the model that `model` means.

    Parameters
    ----------
    model : str or PathLike
        A name, looked up in the bundled index first, or the folder of a model.

    Raises
    ------
    UnknownNameError
        If no known index has it.
    ZooError
        If an index or card is not as it must be, or has been altered.
    StorageError
        If an index cannot be reached and none before it has the model.
    """
    text = os.fspath(model)
    if "/" in text or os.sep in text:
        folder = storage.resolve(text)
        content = storage.read_bytes(storage.join(folder, CARD))
        return _made(folder, content)
    known: list[str] = []
    for url in indexes():
        index = _read_index(url)
        if text in index.models:
            return _member(url, text, index)
        known += index.models
    raise unknown_name("model of the zoo", text, tuple(known))


def parse_index(content: bytes, url: str) -> Index:
    """Read an index.

    Raises
    ------
    ZooError
        If it is none, of another version, or points outside its folder.
    """
    try:
        return Index.model_validate_json(content)
    except ValueError as error:  # ConfigError and pydantic's own are its children
        raise ZooError(
            f"An index of models has layout 1 and names folders below its own; {url} does not: "
            f"{error} Ask whoever published it, or upgrade posenb."
        ) from error


def _index_url(url: storage.Url) -> str:
    whole = storage.resolve(url)
    return whole if whole.endswith(".json") else storage.join(whole, INDEX)


def _read_index(url: str) -> Index:
    return parse_index(_kept(url), url)


def _member(index_url: str, name: str, index: Index) -> Member:
    entry = index.models[name]
    folder = storage.join(storage.parent(index_url), entry.folder)
    url = storage.join(folder, CARD)
    content = _kept(url, entry.card_sha256)
    member = _made(folder, content)
    if member.card_sha256 != entry.card_sha256:
        raise ZooError(
            f"The index knows the SHA-256 of each card; {url} has another one: it was altered, or "
            "the index is older. Nothing of it is used. Try again later, or ask whoever published "
            "it."
        )
    if member.card.name != name:
        raise ZooError(
            f"A card bears the name by which the index knows the model, {name!r}; {url} is about "
            f"{member.card.name!r}. Ask whoever published it."
        )
    return member


def _made(folder: str, content: bytes) -> Member:
    card = parse_card(content, storage.join(folder, CARD))
    return Member(folder, card, hashlib.sha256(content).hexdigest())


def _kept(url: str, digest: str | None = None) -> bytes:
    """Return a small file, or the copy of before where it cannot be reached.

    With its digest known, a copy is as good as the file.
    """
    if storage.is_local(url):
        return storage.read_bytes(url)
    key = hashlib.sha256(url.encode()).hexdigest()[:32]
    place = ("zoo", "cards", key)
    copy = storage.cached_path(*place)
    if digest is not None and copy.is_file():
        content = copy.read_bytes()
        if hashlib.sha256(content).hexdigest() == digest:
            return content
    try:
        content = storage.read_bytes(url)
    except StorageError as error:
        if not copy.is_file() or digest is not None:
            raise
        warnings.warn(
            f"{url} cannot be reached ({error}); what it said the last time counts.",
            ZooWarning,
            stacklevel=2,
        )
        return copy.read_bytes()
    if not copy.is_file() or copy.read_bytes() != content:
        storage.write_bytes(storage.cache_folder().joinpath(*place), content)
    return content
