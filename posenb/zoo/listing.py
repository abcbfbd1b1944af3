"""The verbs that tell what there is."""

from __future__ import annotations

from posenb import storage
from posenb.zoo.card import Card
from posenb.zoo.index import find_member, members

__all__ = ["list_models", "show"]


def list_models() -> tuple[Card, ...]:
    """Return the cards of all models of all known indexes.

    These are the models that came with posenb, and those of the indexes in the environment
    variable ``POSENB_ZOO`` and of `add_index`. Of two models of one name, the first counts.

    Warns
    -----
    ZooWarning
        If an index cannot be read; the models of the others are listed.
    """
    return tuple(member.card for member in members())


def show(model: storage.Url) -> Card:
    """Return the card of a model, which a notebook shows as a page.

    Parameters
    ----------
    model : str or PathLike
        A name, or the folder of a model.

    Raises
    ------
    UnknownNameError
        If no known index has it.
    ZooError
        If index or card are not as they must be.
    """
    return find_member(model).card
