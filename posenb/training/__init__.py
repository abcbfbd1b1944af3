"""Fine-tuning a network on a project's labelled frames.

Importing this room imports Keras, and says what to install where no backend is.
"""

from posenb._optional import require_keras

require_keras()

from posenb.training.train import train  # noqa: E402

__all__ = ["train"]
