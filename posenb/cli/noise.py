"""What other packages say on a terminal, kept from it: the command line shows its own."""

from __future__ import annotations

import os
import sys
import warnings

from posenb.errors import LabelWarning, TrainingWarning, VideoWarning, ZooWarning

__all__ = ["debugging", "show_only_own"]


def debugging() -> bool:
    """Tell whether ``POSENB_DEBUG`` asks for tracebacks and everything else."""
    return os.environ.get("POSENB_DEBUG", "") not in ("", "0")


def show_only_own() -> None:
    """Show posenb's own messages on stderr and nothing else, for the life of the process.

    Of warnings, only posenb's are shown, as one line each. TensorFlow, CUDA and FFmpeg
    write to the file descriptor of stderr behind Python's back, partly before any
    variable can stop them; it leads nowhere from here on, while Python keeps a copy.
    """
    warnings.simplefilter("ignore")
    for own in (LabelWarning, TrainingWarning, VideoWarning, ZooWarning):
        warnings.simplefilter("always", own)
    warnings.showwarning = _show_warning
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    sys.stderr = os.fdopen(kept, "w", buffering=1, encoding=sys.stderr.encoding, errors="replace")


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    text = " ".join(str(message).split())
    sys.stderr.write(f"posenb: warning: {text}\n")
