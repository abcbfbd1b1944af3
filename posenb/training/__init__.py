"""Fine-tuning a network on a project's labelled frames."""
