"""Running a trained model over videos, chunk by chunk."""
