"""Registries of strings: names that resolve to code only when asked for."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from posenb.errors import InvalidInputError, UnknownNameError

__all__ = ["Registry", "unknown_name"]


def unknown_name(kind: str, name: str, known: tuple[str, ...]) -> UnknownNameError:
    """Return the error for a `name` that is not among the `known` ones."""
    near = get_close_matches(name, known, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    listing = ", ".join(known) if known else "none"
    return UnknownNameError(f"No {kind} {name!r}.{hint} Known: {listing}.")


class Registry:
    """Names that resolve lazily to objects.

    Parameters
    ----------
    kind : str
        What is registered, as it should read in an error ("backbone").
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._targets: dict[str, str] = {}

    def add(self, name: str, target: str) -> None:
        """Register `target`, written ``"package.module:attribute"``, as `name`.

        Raises
        ------
        InvalidInputError
            If the name is taken or the target is not written as it must be.
        """
        if name in self._targets:
            raise InvalidInputError(
                f"Each {self.kind} needs a name of its own; {name!r} is already "
                f"{self._targets[name]}. Choose another name."
            )
        if target.count(":") != 1:
            raise InvalidInputError(
                f"A {self.kind} is registered as 'package.module:attribute'; got {target!r}."
            )
        self._targets[name] = target

    def get(self, name: str) -> Any:
        """Import and return what `name` stands for.

        Raises
        ------
        UnknownNameError
            If nothing is registered under `name`.
        """
        if name not in self._targets:
            raise unknown_name(self.kind, name, tuple(self))
        module, attribute = self._targets[name].split(":")
        return getattr(import_module(module), attribute)

    def __contains__(self, name: object) -> bool:
        """Tell whether `name` is registered."""
        return name in self._targets

    def __iter__(self) -> Iterator[str]:
        """Iterate over the registered names in alphabetical order."""
        return iter(sorted(self._targets))

    def __len__(self) -> int:
        """Return the number of registered names."""
        return len(self._targets)
