"""The wire format of Protocol Buffers, as far as ONNX uses it.

A message is a row of fields, each a key (number and wire type) and a value: a varint, 4
or 8 bytes, or a length and as many bytes. See protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

__all__ = ["Value", "field", "fields", "message", "numbers"]

Value = int | float | str | bytes | Sequence[int]
"""What a field may hold; bytes stand for text, arrays and messages alike."""

_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1  # negative numbers count from the other end
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number: int, value: Value) -> bytes:
    """Encode one field; sequences of whole numbers are packed."""
    if isinstance(value, int):
        return _varint(number << 3 | _VARINT) + _varint(value)
    if isinstance(value, float):
        return _varint(number << 3 | _FOUR) + struct.pack("<f", value)
    if isinstance(value, str):
        content = value.encode()
    elif isinstance(value, bytes):
        content = value
    else:
        content = b"".join(map(_varint, value))
    return _varint(number << 3 | _BYTES) + _varint(len(content)) + content


def message(*parts: tuple[int, Value]) -> bytes:
    """Encode a message of fields, given as pairs of number and value."""
    return b"".join(field(number, value) for number, value in parts)


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Go through the fields of a message: their numbers and values.

    Values are whole numbers, or the bytes of everything else.

    Raises
    ------
    ValueError
        If the bytes are no message.
    """
    at = 0
    while at < len(data):
        key, at = _read_varint(data, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _read_varint(data, at)
            yield key >> 3, value
            continue
        if kind == _BYTES:
            length, at = _read_varint(data, at)
        elif kind in (_FOUR, _EIGHT):
            length = 4 if kind == _FOUR else 8
        else:
            raise ValueError(f"a field of unknown wire type {kind}")
        if at + length > len(data):
            raise ValueError("a field is cut off")
        yield key >> 3, data[at : at + length]
        at += length


def numbers(packed: int | bytes) -> list[int]:
    """Return the whole numbers of a packed field."""
    assert isinstance(packed, bytes)
    found, at = [], 0
    while at < len(packed):
        value, at = _read_varint(packed, at)
        found.append(value)
    return found


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise ValueError("a number is cut off")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number has more than 64 bits")
