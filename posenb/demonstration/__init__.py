"""A walk through the whole loop on a video made for it, of which the truth is known."""

from posenb.demonstration.sample import sample_project
from posenb.demonstration.workflow import Demo, demo

__all__ = ["Demo", "demo", "sample_project"]
