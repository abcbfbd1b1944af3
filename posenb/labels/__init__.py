"""Label and pose tables in DeepLabCut's layout, visibility, merging and splits."""
