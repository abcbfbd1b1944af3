"""Packages that are loaded only when something needs them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from tempfile import TemporaryFile
from types import ModuleType

from posenb.errors import MissingBackendError, MissingPackageError

__all__ = ["import_optional", "require_backend", "require_keras"]

_LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
_BACKENDS = ("tensorflow", "jax")


def import_optional(
    module: str, *, extra: str, purpose: str, keep: str | None = None
) -> ModuleType:
    """Import `module`, or say which extra of posenb brings it.

    Parameters
    ----------
    module : str
        Dotted module name.
    extra : str
        Extra of posenb that installs it.
    purpose : str
        What it is needed for, as the start of a sentence ("Reading s3:// URLs").
    keep : str, optional
        Installed package that installing the extra must leave at its version: one that
        is loaded already, so that replacing it would ask for a restart.

    Raises
    ------
    MissingPackageError
        If the module is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        kept = f' "{keep}=={version(keep)}"' if keep else ""
        raise MissingPackageError(
            f"{purpose} needs the package {package!r}, which is not installed "
            f'({error}). Install it with: pip install "posenb[{extra}]"{kept}'
        ) from error


def require_backend() -> str:
    """Return the backend with which Keras will compute, without loading either.

    Keras reads ``KERAS_BACKEND`` when it is first imported. When the variable is
    not set and TensorFlow, Keras's default, is absent but JAX is there (as in
    Colab's TPU image), JAX is chosen.

    Raises
    ------
    MissingBackendError
        If neither TensorFlow nor JAX is installed.
    """
    wanted = os.environ.get("KERAS_BACKEND")
    installed = [name for name in _BACKENDS if find_spec(name) is not None]
    if wanted in _BACKENDS and wanted not in installed:
        raise MissingBackendError(
            f"KERAS_BACKEND asks for {wanted!r}, which is not installed. Install it with: "
            f'pip install "posenb[{wanted}]", or unset KERAS_BACKEND.'
        )
    if not installed:
        raise MissingBackendError(
            "Training and Keras inference need TensorFlow or JAX, and neither is installed. "
            'Install one of the two with: pip install "posenb[tensorflow]" or '
            'pip install "posenb[jax]"'
        )
    return wanted or installed[0]


def require_keras() -> ModuleType:
    """Import Keras with a backend that is installed, as `require_backend` chooses it.

    What TensorFlow writes meanwhile about processors and drivers it has not found is kept from
    the reader: a notebook would show it as a block of errors.

    Raises
    ------
    MissingBackendError
        If neither TensorFlow nor JAX is installed.
    """
    os.environ["KERAS_BACKEND"] = require_backend()
    # TensorFlow obeys once it is loaded. "1", with which it goes on about what processor and
    # drivers lack, is what JAX sets when it is imported, and hardly anybody's own wish.
    if os.environ.get(_LOG_LEVEL, "1") == "1":
        os.environ[_LOG_LEVEL] = "3"
    if "keras" in sys.modules:
        return import_module("keras")
    with _without_stderr():
        return import_module("keras")


@contextmanager
def _without_stderr() -> Iterator[None]:
    """Keep what libraries in C write to stderr, and show it only if an error comes of it."""
    try:
        shown = os.dup(2)
    except OSError:  # there is none, as in a program without a console
        yield
        return
    with TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except BaseException:
            kept.seek(0)
            os.write(shown, kept.read())
            raise
        finally:
            os.dup2(shown, 2)
            os.close(shown)
