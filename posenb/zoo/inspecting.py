"""What a ``.keras`` file may hold: the layers that posenb's networks are made of, no code.

Keras's safe mode refuses Python code in lambda layers; ways around it were found more than
once (CVE-2025-1550, CVE-2025-8747, CVE-2025-9906). So the description of the network is read
first as what it is, JSON, and a file that names any class or function beyond a short list never
reaches Keras.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from posenb.core import ModelDescription
from posenb.errors import ZooError

__all__ = ["check_keras"]

_CONFIG, _DESCRIPTION = "config.json", "posenb.json"
_MEMBERS = frozenset({_CONFIG, _DESCRIPTION, "metadata.json", "model.weights.h5"})
_MOST = 16 * 2**20  # bytes of a description; those of the largest backbones have less than 1 MB
_CLASSES = frozenset(
    [
        "Functional",
        "InputLayer",
        "Sequential",
        "Activation",
        "Add",
        "BatchNormalization",
        "Conv2D",
        "Dense",
        "DepthwiseConv2D",
        "Dropout",
        "GlobalAveragePooling2D",
        "LayerNormalization",
        "LayerScale",
        "MaxPooling2D",
        "Multiply",
        "ReLU",
        "Reshape",
        "UpSampling2D",
        "ZeroPadding2D",
        "DecodePeaks",
        "Normalise",
        "PadToMultiple",
        "Resize",
        "ToSource",
        "DTypePolicy",
        "Constant",
        "GlorotUniform",
        "HeNormal",
        "Ones",
        "RandomNormal",
        "VarianceScaling",
        "Zeros",
        "__keras_tensor__",
    ]
)
_MODULES = ("keras", "keras.layers", "keras.initializers", "posenb.models.layers")
_BELOW = "keras.src."  # classes that Keras keeps for itself


def check_keras(path: Path, shown: str) -> ModelDescription:
    """Refuse a ``.keras`` file that holds more than the layers of posenb's networks.

    Nothing of it is executed.

    Parameters
    ----------
    path : Path
    shown : str
        What an error calls it.

    Returns
    -------
    ModelDescription
        What the file tells of itself.

    Raises
    ------
    ZooError
        If it is no such file, or holds anything else.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            strange = sorted(set(archive.namelist()) - _MEMBERS)
            if archive.getinfo(_CONFIG).file_size > _MOST:
                strange.append(f"a {_CONFIG} of {archive.getinfo(_CONFIG).file_size} bytes")
            config = None if strange else json.loads(archive.read(_CONFIG))
            told = archive.read(_DESCRIPTION)
        description = ModelDescription.model_validate_json(told)
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise ZooError(
            f"A model is a .keras file; {shown} is none or is damaged ({error}). Ask whoever "
            "published it."
        ) from error
    strange += dict.fromkeys(name for name in _named(config) if name is not None)
    if strange:
        raise ZooError(
            "A model of the zoo is made of layers that posenb knows, without code or anything "
            f"else; {shown} holds {', '.join(strange[:5])}. It was not loaded. Ask whoever "
            "published it."
        )
    return description


def _named(value: Any) -> Iterator[str | None]:
    """Yield what a description names beyond the list."""
    if isinstance(value, list):
        for each in value:
            yield from _named(each)
    elif isinstance(value, dict):
        if "class_name" in value:
            yield _unknown(value)
        for each in value.values():
            yield from _named(each)


def _unknown(value: dict[str, Any]) -> str | None:
    module, name = value.get("module"), value["class_name"]
    registered = str(value.get("registered_name") or name).rpartition(">")[2]
    ours = module is None or module in _MODULES or str(module).startswith(_BELOW)
    if ours and name in _CLASSES and registered == name:
        return None
    return f"{module}.{name}" if module else str(name)
