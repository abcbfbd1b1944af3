"""How people say sizes and lengths of time."""

from __future__ import annotations

__all__ = ["say_bytes", "say_seconds"]


def say_bytes(count: float) -> str:
    """Return a number of bytes as people say it: 1.24 GB, 52 MB, 3 kB."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            value = count / size
            return f"{value:.{2 if unit == 'GB' else 1 if value < 10 else 0}f} {unit}"
    return f"{count:.0f} bytes"


def say_seconds(seconds: float) -> str:
    """Return a length of time as people say it: 1 h 05 min, 2 min 03 s, 45 s."""
    if seconds < 10:
        return f"{seconds:.2g} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
