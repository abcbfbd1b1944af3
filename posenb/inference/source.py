"""Which video poses belong to."""

from __future__ import annotations

from posenb import storage
from posenb.core import Poses

__all__ = ["source_video"]


def source_video(poses: Poses) -> str | None:
    """Return the URL of the video that `poses` were found in.

    An analysis names a video of its project by the path below the project's folder; that
    is looked for in the folders above the poses.

    Parameters
    ----------
    poses : Poses
        Of an analysis; others do not tell their video.

    Returns
    -------
    str or None
        None if the poses do not tell, or there is no such video any more.
    """
    told = poses.provenance.get("video")
    shown = told.get("url") if isinstance(told, dict) else None
    if not isinstance(shown, str):
        return None
    whole = storage.resolve(shown)
    if whole == shown:
        return whole if storage.exists(whole) else None
    folder = None if poses.url is None else storage.parent(poses.url)
    while folder is not None:
        url = storage.join(folder, shown)
        if storage.exists(url):
            return url
        above = storage.parent(folder)
        folder = above if above != folder else None
    return None
