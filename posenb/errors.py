"""Every error posenb raises on purpose.

Each message states the rule, what was received and the next step, so that the
text alone is enough to go on.
"""

from __future__ import annotations

__all__ = [
    "AnalysisError",
    "ConfigError",
    "InvalidInputError",
    "LabelError",
    "LabelWarning",
    "MissingBackendError",
    "MissingPackageError",
    "ModelError",
    "PosenbError",
    "ProjectError",
    "StorageError",
    "TrainingError",
    "TrainingStoppedError",
    "TrainingWarning",
    "UnknownNameError",
    "VideoError",
    "VideoWarning",
    "ZooError",
    "ZooWarning",
]


class PosenbError(Exception):
    """Parent of all errors that posenb raises on purpose."""


class InvalidInputError(PosenbError, ValueError):
    """A value breaks a rule of the function or value that received it."""


class UnknownNameError(PosenbError, KeyError):
    """A name is not among the known ones."""

    def __str__(self) -> str:
        """Return the message itself; ``KeyError`` would quote it."""
        return str(self.args[0]) if self.args else ""


class ConfigError(PosenbError, ValueError):
    """A config or manifest holds an unknown key or a value out of range."""


class MissingPackageError(PosenbError, ImportError):
    """An optional package is not installed."""


class MissingBackendError(MissingPackageError):
    """Neither TensorFlow nor JAX is installed, so Keras cannot compute."""


class StorageError(PosenbError, OSError):
    """A file or folder behind a URL cannot be read or written."""


class VideoError(PosenbError):
    """A video cannot be read or written."""


class VideoWarning(UserWarning):
    """A video has moved or frames of it are missing; what is there can be read."""


class LabelError(PosenbError):
    """A label or pose table breaks the layout it must have."""


class LabelWarning(UserWarning):
    """Labels or their images have gone or changed; what is there can be used."""


class ProjectError(PosenbError):
    """A project folder or its manifest is not as it must be."""


class ModelError(PosenbError):
    """A model file or a model description cannot be used."""


class TrainingError(PosenbError):
    """A training run cannot start or go on."""


class TrainingStoppedError(TrainingError):
    """A training stopped because it was asked to; trained again, it goes on."""


class TrainingWarning(UserWarning):
    """A training begins with less than was asked for; it goes on."""


class AnalysisError(PosenbError):
    """A video analysis cannot start or go on."""


class ZooError(PosenbError):
    """A model of the zoo cannot be listed, fetched, checked or published."""


class ZooWarning(UserWarning):
    """A part of the zoo cannot be reached; the rest can be used."""
