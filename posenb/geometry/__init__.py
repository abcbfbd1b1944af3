"""Coordinates under resizing, cropping, padding and rotation."""
