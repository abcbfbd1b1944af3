"""What is said of a name that nothing bears."""

from __future__ import annotations

from difflib import get_close_matches

from posenb.errors import UnknownNameError

__all__ = ["unknown_name"]


def unknown_name(kind: str, name: str, known: tuple[str, ...]) -> UnknownNameError:
    """Return the error for a `name` that is not among the `known` ones.

    Parameters
    ----------
    kind : str
        What the name should have meant, as it should read in an error ("backbone").
    name : str
    known : tuple of str
        In the order in which they are told.
    """
    near = get_close_matches(name, known, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    listing = ", ".join(known) if known else "none"
    return UnknownNameError(f"No {kind} {name!r}.{hint} Known: {listing}.")
