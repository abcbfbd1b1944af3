"""Where a widget is shown, and what that place needs first."""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib import import_module

__all__ = ["enable_widgets", "in_colab"]


def in_colab() -> bool:
    """Tell whether this kernel is one of Google Colab's."""
    return "google.colab" in sys.modules


@lru_cache(maxsize=1)
def enable_widgets() -> None:
    """Let the notebook show widgets that do not come with it; called before each, done once.

    Colab shows them only after its manager of custom widgets was switched on. Other
    notebooks need nothing.
    """
    if in_colab():
        import_module("google.colab.output").enable_custom_widget_manager()
