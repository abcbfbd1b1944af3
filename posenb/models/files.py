"""One `.keras` file holds a predictor and its description."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import keras

from posenb.core import ModelDescription
from posenb.errors import ConfigError, ModelError, UnknownNameError
from posenb.models.network import build_network, build_predictor

__all__ = ["load_network", "load_predictor", "read_description", "save_predictor"]

_MEMBER = "posenb.json"
_FOREIGN_OPTION = "keyword argument"  # in what Keras says of options that it does not know
# What zipfile, json, h5py and Keras raise for files that are absent, cut off, altered or foreign.
_DAMAGE = (
    *(OSError, EOFError, ValueError, TypeError, KeyError, AttributeError, NotImplementedError),
    *(zipfile.BadZipFile, zlib.error),
)


def save_predictor(path: str | Path, predictor: keras.Model, description: ModelDescription) -> None:
    """Write a predictor and its description as one local ``.keras`` file.

    Parameters
    ----------
    path : str or Path
        Ends in ``.keras``.
    predictor : keras.Model
        From `build_predictor`.
    description : ModelDescription
    """
    predictor.save(path)
    # Keras reads the members it knows and lets others be.
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(_MEMBER, description.model_dump_json(indent=1))


def read_description(path: str | Path) -> ModelDescription:
    """Read the description out of a local model file.

    Raises
    ------
    ModelError
        If the file is no model of posenb's, or is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return ModelDescription.model_validate_json(archive.read(_MEMBER))
    except (*_DAMAGE, ConfigError) as error:
        raise ModelError(
            f"A posenb model is a .keras file that holds {_MEMBER}; {Path(path).name} is not one "
            f"or is damaged ({error}). Train it again or fetch it again."
        ) from error


def load_predictor(path: str | Path) -> tuple[keras.Model, ModelDescription]:
    """Load a predictor and its description from a local ``.keras`` file, in safe mode.

    Keras describes layers with options that earlier versions do not know. Where the
    installed one cannot read the description, the network that it was is built anew and
    the weights alone are read.

    Returns
    -------
    predictor : keras.Model
        From uint8 RGB frames, shape (B, H, W, 3), to poses, shape (B, K, 3).
    description : ModelDescription

    Raises
    ------
    ModelError
        If the file is no model of posenb's, is damaged, or holds code.
    """
    description = read_description(path)
    try:
        predictor = keras.saving.load_model(path, compile=False, safe_mode=True)
    except _DAMAGE as error:
        if _FOREIGN_OPTION not in str(error):
            raise _unreadable(path, str(error)) from error
        predictor = _rebuilt(path, description, error)
    return predictor, description


def load_network(path: str | Path) -> keras.Model:
    """Read only the weights of a local ``.keras`` file, into a network that is built anew.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    keras.Model
        What `build_network` returned when it was trained.

    Raises
    ------
    ModelError
        If the file is no model of posenb's, is damaged, or holds other weights than those of
        the network that it tells of.
    """
    description = read_description(path)
    try:
        return _built(path, description)[0]
    except (*_DAMAGE, UnknownNameError) as error:
        reason = f"its weights are not {_those(description)} ({error})"
        raise _unreadable(path, reason) from error


def _rebuilt(path: str | Path, description: ModelDescription, error: Exception) -> keras.Model:
    try:
        return _built(path, description)[1]
    except (*_DAMAGE, UnknownNameError) as second:
        reason = f"{error}. Nor are its weights {_those(description)} ({second})"
        raise _unreadable(path, reason) from error


def _built(path: str | Path, description: ModelDescription) -> tuple[keras.Model, keras.Model]:
    """Build network and predictor as described, with the weights of the file."""
    config = description.config.model
    network = build_network(config, len(description.keypoints))
    predictor = build_predictor(network, config, description.scale)
    predictor.load_weights(path)
    return network, predictor


def _those(description: ModelDescription) -> str:
    return f"those of a {description.config.model.backbone} network"


def _unreadable(path: str | Path, reason: str) -> ModelError:
    return ModelError(
        f"The model {Path(path).name} could not be loaded in Keras's safe mode: {reason}. "
        "Train it again or fetch it again."
    )
