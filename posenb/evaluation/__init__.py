"""How far predictions are from labels: arrays in, tables out."""
