"""Markerless pose estimation that lives in the notebook and the cloud."""
