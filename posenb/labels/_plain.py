"""Plain lists in HDF5 attributes, read without running anything.

PyTables keeps Python lists and tuples (here: the names of columns) in attributes as
pickles, and unpickling a file from elsewhere may run any code. The operations that build
text, numbers, lists and tuples are few; these are carried out here, one by one, and any
other is refused.
"""

from __future__ import annotations

import pickletools
from typing import Any

__all__ = ["read_plain"]

_CONSTANTS = {
    *("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING"),
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "NONE"),
}
_IGNORED = {"PROTO", "FRAME"}
_PUTS = {"PUT", "BINPUT", "LONG_BINPUT"}
_GETS = {"GET", "BINGET", "LONG_BINGET"}
_TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


class _Mark:
    """Where a list or tuple of unknown length begins on the stack."""


def read_plain(data: bytes) -> Any:
    """Return the text, number, list or tuple that `data` describes.

    Raises
    ------
    ValueError
        If `data` is damaged or describes anything else.
    """
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    try:
        for operation, argument, _ in pickletools.genops(data):
            name = operation.name
            if name == "STOP":
                return stack.pop()
            if name in _CONSTANTS:
                stack.append(argument)
            elif name in _PUTS:
                memo[_number(argument)] = stack[-1]
            elif name == "MEMOIZE":
                memo[len(memo)] = stack[-1]
            elif name in _GETS:
                stack.append(memo[_number(argument)])
            elif name not in _IGNORED:
                _build(name, stack)
    except (IndexError, KeyError, AttributeError) as error:
        raise ValueError(f"damaged ({error!r})") from error
    raise ValueError("it ends early")


def _number(argument: Any) -> int:
    return int(argument)


def _build(name: str, stack: list[Any]) -> None:
    if name == "MARK":
        stack.append(_Mark())
    elif name == "EMPTY_LIST":
        stack.append([])
    elif name == "LIST":
        stack.append(_since_mark(stack))
    elif name == "TUPLE":
        stack.append(tuple(_since_mark(stack)))
    elif name in _TUPLES:
        count = _TUPLES[name]
        items = [stack.pop() for _ in range(count)]
        stack.append(tuple(reversed(items)))
    elif name == "APPEND":
        item = stack.pop()
        stack[-1].append(item)
    elif name == "APPENDS":
        items = _since_mark(stack)
        stack[-1].extend(items)
    else:
        raise ValueError(f"it asks for more than plain data ({name})")


def _since_mark(stack: list[Any]) -> list[Any]:
    items: list[Any] = []
    while not isinstance(stack[-1], _Mark):
        items.append(stack.pop())
    stack.pop()
    items.reverse()
    return items
