"""Which frames to look at: pure computation on small images."""
