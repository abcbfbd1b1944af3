"""Arrays in one file of NumPy's, read without unpickling anything."""

from __future__ import annotations

import io
import threading
import zipfile
import zlib

import numpy as np

__all__ = ["unpack_arrays"]

# NumPy reads headers with `ast`, of which Python before 3.11.8 bears one user at a time only
# (https://github.com/python/cpython/issues/106905).
_PARSING = threading.Lock()


def unpack_arrays(content: bytes) -> dict[str, np.ndarray]:
    """Return the arrays in the `content` of an ``.npz`` file by their names.

    Threads may call it at the same time, which `numpy.load` does not bear on every Python.

    Raises
    ------
    ValueError
        If it is no such file, is damaged, or holds pickled objects.
    """
    try:
        with _PARSING, np.load(io.BytesIO(content), allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, KeyError, EOFError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"no sound file of arrays ({error})") from error
