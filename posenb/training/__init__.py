"""Fine-tuning a network on a project's labelled frames."""

from posenb.training.train import train

__all__ = ["train"]
