"""Variation of training frames, drawn on the host and applied on the device."""

from posenb.augmentation.variation import (
    Habits,
    Variation,
    draw_variation,
    find_habits,
    still_variation,
)

__all__ = ["Habits", "Variation", "draw_variation", "find_habits", "still_variation"]
