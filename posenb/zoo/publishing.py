"""The verb `zoo.publish`: a trained run as a model that others can use."""

from __future__ import annotations

import csv
import datetime
import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from posenb import storage
from posenb._progress import Progress, tqdm_progress
from posenb.core import ModelDescription, Skeleton
from posenb.errors import ZooError
from posenb.graphs import NetworkFile
from posenb.project import Run, open_run
from posenb.zoo.card import (
    CARD,
    KERAS,
    NETWORK,
    PREVIEW,
    Accuracy,
    Card,
    CardFacts,
    FileFact,
)
from posenb.zoo.index import INDEX, Entry, Index, parse_index
from posenb.zoo.packing import pack_keras, pack_network
from posenb.zoo.page import card_page
from posenb.zoo.picture import draw_preview
from posenb.zoo.posture import typical_posture

__all__ = ["lacking_facts", "publish", "write_card"]

PAGE = "README.md"


def publish(
    run: Run | storage.Url,
    url: storage.Url,
    *,
    name: str,
    facts: CardFacts | Mapping[str, Any] | None = None,
    skeleton: tuple[tuple[str, str], ...] | None = None,
    preview: storage.Url | None = None,
    replace: bool = False,
    progress: Progress = tqdm_progress,
) -> Card:
    """Package a trained run and put it into an index, for others to use by its name.

    The model goes to ``<url>/<name>/``: the weights rounded (see `posenb.zoo.packing`), the
    card, a page for people and a picture; ``<url>/index.json``, made or added to, then names
    it. Others use it after ``pn.zoo.add_index(url)``.

    Parameters
    ----------
    run : Run, str or PathLike
        A finished and evaluated run.
    url : str or PathLike
        Folder of the index, in a bucket or on a disk.
    name : str
        Of the model: small letters, digits and underscores.
    facts : CardFacts or mapping
        What a person must say of it: title, species, view, licence, data, limits.
    skeleton : tuple of (str, str), optional
        Pairs of keypoints to join with a line, instead of those of the project.
    preview : str or PathLike, optional
        A small PNG; by default a typical posture is drawn, and no frame is shown.
    replace : bool, optional
        Whether a model of that name may be replaced.
    progress : Progress, optional

    Returns
    -------
    Card

    Raises
    ------
    ZooError
        If the run is not finished, its test frames are not evaluated, something that the card
        needs is missing (all of it is named), or the index has a model of that name.
    StorageError
        If the folder cannot be written.
    """
    run = run if isinstance(run, Run) else open_run(run)
    said = _facts(run, facts)
    where = _Place(storage.resolve(url), name)
    where.check(replace=replace)
    with tempfile.TemporaryDirectory(prefix="posenb-zoo-") as folder:
        files = Path(folder)
        description = _pack(run, files, name, skeleton)
        if preview is None:
            posture = typical_posture(run, description)
            draw_preview(files / PREVIEW, posture, description.skeleton)
        else:
            (files / PREVIEW).write_bytes(storage.read_bytes(preview))
        card = _card(run, said, description, files)
        with progress(len(card.files), "Publishing", "file") as bar:
            for each in card.files:
                storage.copy(files / each, storage.join(where.folder, each))
                bar.advance(1, file=each)
    write_card(where.url, card)
    return card


def write_card(url: storage.Url, card: Card) -> None:
    """Write the card of a model whose files are there, its page and its line in the index.

    Parameters
    ----------
    url : str or PathLike
        Folder of the index, in which the model has a folder of its name.
    card : Card
    """
    content = (card.model_dump_json(indent=1, exclude_none=True) + "\n").encode()
    folder = storage.join(url, card.name)
    storage.write_text(storage.join(folder, PAGE), card_page(card))
    storage.write_bytes(storage.join(folder, CARD), content)
    entry = Entry(folder=card.name, card_sha256=hashlib.sha256(content).hexdigest())
    whole = storage.join(url, INDEX)

    def change(before: bytes | None) -> bytes:
        index = Index() if before is None else parse_index(before, whole)
        models = dict(sorted({**index.models, card.name: entry}.items()))
        return (index.replace(models=models).model_dump_json(indent=1) + "\n").encode()

    storage.update_bytes(whole, change)


def lacking_facts(facts: Mapping[str, Any]) -> dict[str, str]:
    """Return what a card still needs, with a word on what it is."""
    return {name: meaning for name, meaning in _NEEDED.items() if not facts.get(name)}


_NEEDED = {
    "title": 'as people call it, such as "Mouse in an open field"',
    "species": 'which animal, such as "mouse (Mus musculus)"',
    "view": 'from where the camera looks, such as "from above, arena 40 cm wide"',
    "licence": "of the weights, such as CC-BY-4.0",
    "data": "what it learned from: name, licence and citation of each data set",
    "limits": "what it was not tried on, a sentence each",
}


@dataclass(frozen=True, slots=True)
class _Place:
    url: str
    name: str

    @property
    def folder(self) -> str:
        return storage.join(self.url, self.name)

    def check(self, *, replace: bool) -> None:
        try:
            Index(models={self.name: Entry(folder=self.name, card_sha256="0" * 64)})
        except ValueError as error:
            raise ZooError(
                "The name of a model is made of small letters, digits and underscores; got "
                f"{self.name!r}. Choose another one."
            ) from error
        whole = storage.join(self.url, INDEX)
        there = (
            storage.exists(whole)
            and self.name in parse_index(storage.read_bytes(whole), whole).models
        )
        if there and not replace:
            raise ZooError(
                f"A model that others use is not replaced by accident; {whole} has a model "
                f"{self.name!r}. Choose another name, or say replace=True."
            )


def _facts(run: Run, facts: CardFacts | Mapping[str, Any] | None) -> CardFacts:
    """Return what a person said of the model, if it is all."""
    if isinstance(facts, CardFacts):
        lacking = {}
    else:
        facts = {} if facts is None else facts
        lacking = lacking_facts(facts)
    if not run.finished:
        lacking["run"] = "train it to its end"
    elif run.split().test and not storage.exists(_summary_url(run)):
        lacking["accuracy"] = f"evaluate the run first: posenb.evaluate({run.url!r})"
    if lacking:
        listing = "; ".join(f"{name} ({meaning})" for name, meaning in lacking.items())
        raise ZooError(
            f"Others must know what they use; the card of {run.name!r} still lacks: {listing}. "
            "Give them as facts={...}."
        )
    return facts if isinstance(facts, CardFacts) else CardFacts(**facts)


def _pack(
    run: Run, folder: Path, name: str, skeleton: tuple[tuple[str, str], ...] | None
) -> ModelDescription:
    network = storage.read_bytes(run.network_url)
    before = NetworkFile.decode(network).description
    if len(before.individuals) > 1:
        raise ZooError(
            f"The zoo has models of one animal; {run.name!r} is for "
            f"{', '.join(before.individuals)}. Train on a project with one individual."
        )
    edges = before.edges
    if skeleton is not None:
        edges = Skeleton.from_names(before.keypoints, skeleton).edges
    description = before.replace(name=name, edges=edges)
    with storage.reading(run.model_url) as path:
        pack_keras(path, folder / KERAS, description)
    (folder / NETWORK).write_bytes(pack_network(network, description))
    return description


def _card(run: Run, facts: CardFacts, description: ModelDescription, folder: Path) -> Card:
    files = {
        name: FileFact(sha256=storage.digest(folder / name), size=(folder / name).stat().st_size)
        for name in (KERAS, NETWORK, PREVIEW)
    }
    versions: dict[str, str] = description.provenance.get("versions", {})
    try:
        return Card(
            **facts.model_dump(),
            name=description.name,
            keypoints=description.keypoints,
            skeleton=description.skeleton.edge_names,
            body_length=description.body_length,
            accuracy=_accuracy(run, description),
            files=files,
            software=versions,
            made=datetime.datetime.now(datetime.UTC).date().isoformat(),
        )
    except ValidationError as error:
        raise ZooError(f"The card of {run.name!r} breaks a rule: {error}") from error


def _accuracy(run: Run, description: ModelDescription) -> tuple[Accuracy, ...]:
    """Return what the evaluation of the run says of its test frames."""
    if not run.split().test:
        return ()
    rows = csv.DictReader(storage.read_text(_summary_url(run)).splitlines())
    whole = next(row for row in rows if row["split"] == "test" and row["keypoint"] == "all")
    mean, length = float(whole["mean"]), description.body_length
    return (
        Accuracy(
            size=1.0,
            frames=len(run.split().test),
            mean=round(mean, 3),
            median=round(float(whole["median"]), 3),
            of_body=None if length is None else round(mean / length, 4),
        ),
    )


def _summary_url(run: Run) -> str:
    return storage.join(run.evaluation_url, "summary.csv")
