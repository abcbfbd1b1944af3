"""Model files for the zoo: weights with fewer digits, in less than half the space.

The graph for CPUs keeps 11 significant bits (float16), the ``.keras`` file 8 (bfloat16, still
stored as float32 and compressed, so that Keras reads it as any other file). It is in bfloat16
that CPUs with instructions for it compute anyway. Vectors (biases, batch normalisation) stay as
they are.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np

from posenb.core import ModelDescription
from posenb.graphs import NetworkFile, halve_network

__all__ = ["pack_keras", "pack_network"]

_WEIGHTS, _DESCRIPTION = "model.weights.h5", "posenb.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same file whenever it is packed
_LEVEL = 9


def pack_keras(source: Path, target: Path, description: ModelDescription) -> None:
    """Write a ``.keras`` file anew, smaller.

    Parameters
    ----------
    source, target : Path
        Local files.
    description : ModelDescription
        What the new one tells of itself.
    """
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == _WEIGHTS:
                content = _compressed(content)
            elif name == _DESCRIPTION:
                content = description.model_dump_json(indent=1).encode()
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(info, content, compresslevel=_LEVEL)


def pack_network(source: bytes, description: ModelDescription) -> bytes:
    """Return the bytes of an ``.onnx`` file of posenb's with weights of 16 bits.

    Parameters
    ----------
    source : bytes
        Of the file that training wrote.
    description : ModelDescription
        What the new one tells of itself.
    """
    return halve_network(NetworkFile.decode(source), description).encode()


def _compressed(weights: bytes) -> bytes:
    """Round and compress the arrays of an HDF5 file."""
    import h5py

    target = io.BytesIO()
    with h5py.File(io.BytesIO(weights)) as old, h5py.File(target, "w") as new:

        def take(name: str, item: h5py.Group | h5py.Dataset) -> None:
            if isinstance(item, h5py.Dataset):
                values = item[()]
                if values.ndim > 1 and values.dtype == np.float32:
                    values = _rounded(values)
                    # Bytes of equal weight side by side: those that are all zeros then vanish.
                    how = {"compression": "gzip", "compression_opts": _LEVEL, "shuffle": True}
                else:
                    how = {}
                made = new.create_dataset(name, data=values, **how)
            else:
                made = new.require_group(name)
            for key, value in item.attrs.items():
                made.attrs[key] = value

        old.visititems(take)
    return target.getvalue()


def _rounded(values: np.ndarray) -> np.ndarray:
    """Return the nearest numbers of 8 significant bits, of two the one that ends in a zero."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    up = np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    return ((bits + up) & np.uint32(0xFFFF0000)).view(np.float32)
