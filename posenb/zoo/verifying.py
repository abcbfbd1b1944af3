"""The verb `zoo.verify`: whether models are what their cards say."""

from __future__ import annotations

from posenb import storage
from posenb._progress import Progress, tqdm_progress
from posenb.errors import PosenbError, ZooError
from posenb.graphs import NetworkFile
from posenb.zoo.card import KERAS, NETWORK, Card
from posenb.zoo.fetching import fetch_member
from posenb.zoo.index import Member, find_member, members
from posenb.zoo.inspecting import check_keras

__all__ = ["verify"]


def verify(
    model: storage.Url | None = None, *, progress: Progress = tqdm_progress
) -> tuple[Card, ...]:
    """Check models from the index down to the last byte.

    Index and card must keep to their layout, card and files have the SHA-256 that is told of
    them, and both model files be readable, hold layers alone and know the keypoints that the
    card tells.

    Parameters
    ----------
    model : str or PathLike, optional
        A name, or the folder of a model; by default all of all known indexes.
    progress : callable, optional
        Makes the progress bar; it counts models.

    Returns
    -------
    tuple of Card
        Of those that were checked.

    Raises
    ------
    ZooError
        If anything is wrong; all of it is named.
    """
    chosen = list(members()) if model is None else [find_member(model)]
    faults = []
    with progress(len(chosen), "Verifying", "model") as bar:
        for member in chosen:
            try:
                _check(member)
            except PosenbError as error:
                faults.append(f"{member.card.name}: {error}")
            bar.advance(1, model=member.card.name)
    if faults:
        raise ZooError(" ".join(faults))
    return tuple(member.card for member in chosen)


def _check(member: Member) -> None:
    folder = fetch_member(member)
    network = NetworkFile.decode((folder / NETWORK).read_bytes(), NETWORK)
    descriptions = {NETWORK: network.description, KERAS: check_keras(folder / KERAS, KERAS)}
    for name, description in descriptions.items():
        if not member.card.agrees_with(description):
            raise ZooError(
                f"A card tells name, keypoints and skeleton of its model; {name} in {member.url} "
                f"is {description.name!r} with {', '.join(description.keypoints)}. Publish the "
                "model again."
            )
