"""Keras functional networks from frames to poses."""
