"""What shows posenb at work on a made video: a model of the zoo, or the loop with training."""

from posenb.demonstration.finding import Demo, demo
from posenb.demonstration.sample import sample_project
from posenb.demonstration.training import TrainingDemo, demo_training

__all__ = ["Demo", "TrainingDemo", "demo", "demo_training", "sample_project"]
