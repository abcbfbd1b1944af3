"""Notes in the project of files that have begun to arrive, so that they can go on."""

from __future__ import annotations

import hashlib
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from posenb import storage
from posenb.widgets.upload_names import safe_name

__all__ = ["Beginning", "find_beginnings", "forget", "keep"]

_FOLDER = ".posenb-uploads"


def _must_be_safe(name: str) -> str:
    if name != safe_name(name):
        raise ValueError("it is no name of a file")
    return name


class Beginning(BaseModel):
    """What is known of a file of which a part has arrived.

    Attributes
    ----------
    name, size, modified
        By which the browser's file is known again.
    target : str
        File name in the project.
    ticket : str
        With it the storage goes on; see `posenb.storage.grow`.
    position : int
        Bytes that the storage has.
    chain : str
        Of the pieces up to there; see `posenb.widgets.upload_state`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    size: Annotated[int, Field(ge=1)]
    modified: int
    target: Annotated[str, AfterValidator(_must_be_safe)]
    ticket: str
    position: Annotated[int, Field(ge=0)] = 0
    chain: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""

    @property
    def key(self) -> str:
        """The same for the same file of the browser."""
        text = f"{self.name}\n{self.size}\n{self.modified}"
        return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]


def keep(project: str, beginning: Beginning) -> None:
    """Write down how far a file is."""
    storage.write_text(_url(project, beginning.key), beginning.model_dump_json())


def forget(project: str, beginning: Beginning) -> None:
    """Remove the note of a file that has arrived or shall not."""
    storage.remove(_url(project, beginning.key))


def find_beginnings(project: str) -> list[Beginning]:
    """Read all notes; one that cannot be understood counts as none."""
    found: list[Beginning] = []
    for url in storage.list_files(storage.join(project, _FOLDER), "*.json"):
        try:
            found.append(Beginning.model_validate_json(storage.read_bytes(url)))
        except ValidationError:
            continue
    return found


def _url(project: str, key: str) -> str:
    return storage.join(project, _FOLDER, f"{key}.json")
