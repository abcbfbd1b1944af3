"""Variation of training frames, drawn on the host and applied on the device."""

from posenb.augmentation.variation import Habits, Variation, draw_variation, find_habits

__all__ = ["Habits", "Variation", "draw_variation", "find_habits"]
