"""Variation of training frames, drawn on the host and applied on the device."""
