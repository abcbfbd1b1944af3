"""The card of a model: what it is for, what it learned from and how well it does."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from posenb.core import Config, ModelDescription, Skeleton
from posenb.errors import InvalidInputError, UnknownNameError, ZooError

__all__ = [
    "CARD",
    "KERAS",
    "NETWORK",
    "PREVIEW",
    "Accuracy",
    "Card",
    "CardFacts",
    "DataSource",
    "Digest",
    "FileFact",
    "Name",
    "parse_card",
]

CARD, KERAS, NETWORK, PREVIEW = "card.json", "model.keras", "model.onnx", "preview.png"
"""Names of the files in the folder of a model."""

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,63}$")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
FileName = Literal["model.keras", "model.onnx", "preview.png"]
Text = Annotated[str, Field(min_length=1)]


class DataSource(Config):
    """Labelled data that a model learned from.

    Attributes
    ----------
    name : str
    licence : str
        Of the data.
    citation : str
    url : str or None
        Where they are found.
    used : str or None
        How much of them: frames, recordings.
    """

    name: Text
    licence: Text
    citation: Text
    url: str | None = None
    used: str | None = None


class Accuracy(Config):
    """How far a model is off on frames that it has not learned from.

    Attributes
    ----------
    size : float
        Of the frames, relative to those that were labelled: 0.5 means half the width.
    frames : int
        How many.
    mean, median : float
        Euclidean distances over all labelled keypoints, pixels of the frames at that size.
    of_body : float or None
        The mean as a share of the animal's length.
    found : float or None
        The size that the search for it found; None if the frames were taken as they are.
    """

    size: float = Field(gt=0)
    frames: int = Field(ge=1)
    mean: float = Field(ge=0)
    median: float = Field(ge=0)
    of_body: float | None = Field(default=None, ge=0)
    found: float | None = None


class FileFact(Config):
    """What tells a file from any other.

    Attributes
    ----------
    sha256 : str
    size : int
        Bytes.
    """

    sha256: Digest
    size: int = Field(ge=0)


class CardFacts(Config):
    """What a person must say of a model.

    Attributes
    ----------
    title : str
        As people call it: "Mouse in an open field".
    species : str
        Which animal, with its scientific name.
    view : str
        From where the camera looks, and at what.
    licence : str
        Of the weights, as an SPDX identifier if there is one.
    data : tuple of DataSource
        What it learned from.
    limits : tuple of str
        What it was not tried on, and where it fails; one sentence each.
    held_out : str or None
        Which frames its accuracy was measured on, and how they were chosen.
    summary : str or None
        One sentence for lists.
    recipe : str or None
        Where it is told how the model is made again.
    """

    title: Text
    species: Text
    view: Text
    licence: Text
    data: Annotated[tuple[DataSource, ...], Field(min_length=1)]
    limits: Annotated[tuple[Text, ...], Field(min_length=1)]
    held_out: str | None = None
    summary: str | None = None
    recipe: str | None = None


class Card(CardFacts):
    """A model of the zoo, but for its weights.

    Attributes
    ----------
    version : int
        Of this layout.
    name : str
        Of the model, lower-case.
    keypoints : tuple of str
    skeleton : tuple of (str, str)
        Pairs of keypoints to join with a line.
    body_length : float or None
        Median diagonal of the animals that it learned from, source pixels.
    accuracy : tuple of Accuracy
        On held-out frames; empty if there were none.
    files : dict of str to FileFact
        ``model.keras``, ``model.onnx`` and, if there is a picture, ``preview.png``.
    software : dict of str to str
        Versions of the packages that made it.
    made : str
        Date, year-month-day.
    """

    version: Literal[1] = 1
    name: Name
    keypoints: Annotated[tuple[Text, ...], Field(min_length=1)]
    skeleton: tuple[tuple[str, str], ...] = ()
    body_length: float | None = Field(default=None, gt=0)
    accuracy: tuple[Accuracy, ...] = ()
    files: dict[FileName, FileFact]
    software: dict[str, str] = Field(default_factory=dict)
    made: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]

    @field_validator("files")
    @classmethod
    def _has_the_model(cls, files: dict[str, FileFact]) -> dict[str, FileFact]:
        lacking = [name for name in (KERAS, NETWORK) if name not in files]
        if lacking:
            raise ValueError(f"a model has {KERAS} and {NETWORK}; {', '.join(lacking)} is not told")
        return files

    @model_validator(mode="after")
    def _is_a_skeleton(self) -> Self:
        try:
            _ = self.pose_skeleton
        except (InvalidInputError, UnknownNameError) as error:
            raise ValueError(str(error)) from error
        return self

    @property
    def pose_skeleton(self) -> Skeleton:
        """Keypoints and edges as a `Skeleton`."""
        return Skeleton.from_names(self.keypoints, self.skeleton)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files.values())

    def agrees_with(self, description: ModelDescription) -> bool:
        """Tell whether a model file is what the card says."""
        return (self.name, self.keypoints, self.skeleton) == (
            description.name,
            description.keypoints,
            description.skeleton.edge_names,
        )

    def _repr_markdown_(self) -> str:
        from posenb.zoo.page import card_in_notebook

        return card_in_notebook(self)


def parse_card(content: bytes, url: str) -> Card:
    """Read a card.

    Raises
    ------
    ZooError
        If it is none, or of another version.
    """
    try:
        return Card.model_validate_json(content)
    except ValueError as error:  # ConfigError and pydantic's own are its children
        raise ZooError(
            f"A model of the zoo has a card of layout 1; {url} is none: {error} Upgrade posenb, or "
            "ask whoever published it."
        ) from error
