"""Which of many small pictures to take: arrays in, indices out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from posenb.errors import InvalidInputError

if TYPE_CHECKING:
    from posenb.extraction.config import Method

__all__ = ["Thumbnails", "choose_frames", "find_motion"]

# Two pictures are near-duplicates if their root mean square difference is below this share
# of what frames of the video differ by on average, or below a number of grey levels. In a
# real clip (flies/single_fly) a fly that sits still differs by up to 0.56 levels (99 % of
# pairs within 5 s) from nothing but noise. A fifth of the usual difference is reached in a
# tenth of a second by a walking mouse (openfield), in about half a second by walking flies.
_ALIKE, _NOISE = 0.2, 0.6


@dataclass(frozen=True, slots=True, eq=False)
class Thumbnails:
    """Small grey pictures of some frames of one video.

    Parameters
    ----------
    indices : ndarray of int64, shape (N,)
        Which frames, ascending.
    pictures : ndarray of uint8, shape (N, h, w)
        Mean brightness, as `posenb.video.read_thumbnails` gives it.

    Raises
    ------
    InvalidInputError
        If shapes disagree or the indices do not ascend.
    """

    indices: np.ndarray
    pictures: np.ndarray

    def __post_init__(self) -> None:
        """Make own read-only arrays and check the rules."""
        indices = np.array(self.indices, np.int64)
        pictures = np.array(self.pictures, np.uint8)
        if indices.ndim != 1 or pictures.ndim != 3 or len(indices) != len(pictures):
            raise InvalidInputError(
                "Thumbnails are N indices and N pictures of shape (h, w); got the shapes "
                f"{indices.shape} and {pictures.shape}."
            )
        if (np.diff(indices) <= 0).any():
            raise InvalidInputError("Thumbnails come in the order of the video, each frame once.")
        for name, array in (("indices", indices), ("pictures", pictures)):
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.indices)

    def only(self, indices: np.ndarray) -> Thumbnails:
        """Return the pictures of those frames that are among `indices`."""
        kept = np.isin(self.indices, indices)
        return Thumbnails(self.indices[kept], self.pictures[kept])

    def without(self, indices: np.ndarray) -> Thumbnails:
        """Return the pictures of all other frames."""
        return self.only(np.setdiff1d(self.indices, indices))

    def joined(self, others: Thumbnails) -> Thumbnails:
        """Return the pictures of these frames and of those of `others` that are not among them."""
        indices, which = np.unique(np.r_[self.indices, others.indices], return_index=True)
        pictures = [each.pictures for each in (self, others) if len(each)] or [self.pictures]
        return Thumbnails(indices, np.concatenate(pictures)[which])


def find_motion(thumbnails: Thumbnails) -> np.ndarray:
    """Tell how much each small picture differs from the one before.

    Returns
    -------
    ndarray of float64, shape (N,)
        Mean absolute difference in grey levels of 255; NaN for the first picture.
    """
    motion = np.full(len(thumbnails), np.nan)
    pictures = thumbnails.pictures.astype(np.int16)
    motion[1:] = np.abs(np.diff(pictures, axis=0)).mean(axis=(1, 2))
    return motion


def choose_frames(
    thumbnails: Thumbnails,
    count: int,
    method: Method = "kmeans",
    *,
    seed: int = 0,
    taken: Thumbnails | None = None,
    unlike: np.ndarray | None = None,
) -> np.ndarray:
    """Choose frames that show as much as possible of what there is, none of them twice.

    The candidates are divided into `count` groups. "kmeans" does it by how they look
    (mini-batch k-means on the pictures) and prefers of each group the frame nearest to
    its centre. "uniform" divides the time evenly and prefers a frame at random. A group
    that holds a frame taken before gives none. Near-duplicates of chosen, taken and
    unlike frames are passed over; where a group has nothing else, the frames that are
    the farthest from all of these fill up.

    Near-duplicates differ, as the root mean square over pixels, by less than a fifth of
    what two candidates differ by on average, or by less than 0.6 grey levels of 255.

    Parameters
    ----------
    thumbnails : Thumbnails
        The N candidates.
    count : int
        Wanted number of frames, those counting that were taken before.
    method : {"kmeans", "uniform"}, optional
    seed : int, optional
        Same input and seed, same choice.
    taken : Thumbnails, optional
        Frames of this video that were taken before.
    unlike : ndarray of uint8, shape (M, h, w), optional
        Further pictures that the chosen ones must not resemble, such as those taken
        from other videos.

    Returns
    -------
    ndarray of int64, shape (up to `count` less those taken,)
        Indices of frames, ascending; fewer where there are not enough that differ.

    Raises
    ------
    InvalidInputError
        If `count` is not positive, or the method is unknown.
    """
    if count < 1 or method not in _GROUPINGS:
        raise InvalidInputError(
            f"Frames are chosen by a count of at least 1 and one of {', '.join(_GROUPINGS)}; got "
            f"{count} and {method!r}."
        )
    before = thumbnails.only(np.empty(0)) if taken is None else taken
    candidates = thumbnails.without(before.indices)
    wanted = min(count - len(before), len(candidates))
    if wanted < 1:
        return np.empty(0, np.int64)
    rows = _rows(candidates.pictures)
    nearest = np.full(len(rows), np.inf)
    for pictures in (before.pictures, () if unlike is None else unlike):
        for picture in pictures:
            if picture.shape != thumbnails.pictures.shape[1:]:
                raise InvalidInputError(
                    "Pictures are compared with candidates of the same shape; got "
                    f"{picture.shape} and {thumbnails.pictures.shape[1:]}. Make them alike."
                )
            row = picture.reshape(-1).astype(np.float32)
            np.minimum(nearest, _distances(rows, row), out=nearest)
    groups = [
        np.searchsorted(candidates.indices, group[np.isin(group, candidates.indices)])
        for group in _GROUPINGS[method](thumbnails, before, count, seed)
    ]
    picked = _pick(rows, groups, nearest, wanted, _least_distance(thumbnails))
    return np.sort(candidates.indices[picked])


def _pick(
    rows: np.ndarray, groups: list[np.ndarray], nearest: np.ndarray, wanted: int, least: float
) -> list[int]:
    """Take one row of each group, then any, none within `least` of another or `nearest` to it."""
    picked: list[int] = []
    while len(picked) < wanted:
        offers = [group[nearest[group] > least] for group in groups]
        groups = [group for group, offer in zip(groups, offers, strict=True) if len(offer)]
        firsts = np.array([offer[0] for offer in offers if len(offer)], np.intp)
        if len(firsts):
            best = int(nearest[firsts].argmax())
            chosen = int(firsts[best])
            groups.pop(best)
        else:
            chosen = int(nearest.argmax())
            if not nearest[chosen] > least:
                break
        picked.append(chosen)
        nearest = np.minimum(nearest, _distances(rows, rows[chosen]))
    return picked


def _by_look(candidates: Thumbnails, taken: Thumbnails, count: int, seed: int) -> list[np.ndarray]:
    """Group frames that look alike, the most typical first, where nothing was taken."""
    from sklearn.cluster import MiniBatchKMeans

    rows = _rows(candidates.pictures)
    distinct = len(np.unique(candidates.pictures.reshape(rows.shape), axis=0))
    clusters = MiniBatchKMeans(
        min(count, distinct), random_state=seed, batch_size=1024, n_init=3
    ).fit(rows)
    away = clusters.transform(rows)
    group_of = away.argmin(axis=1)
    occupied = set(clusters.predict(_rows(taken.pictures))) if len(taken) else set()
    groups = []
    for group in range(away.shape[1]):
        members = np.flatnonzero(group_of == group)
        members = members[np.argsort(away[members, group], kind="stable")]
        if group not in occupied and len(members):
            groups.append(candidates.indices[members])
    return groups


def _by_time(candidates: Thumbnails, taken: Thumbnails, count: int, seed: int) -> list[np.ndarray]:
    """Divide the candidates into equal stretches, each shuffled, where nothing was taken."""
    rng = np.random.default_rng(seed)
    parts = np.array_split(candidates.indices, count)
    stretches = [each[rng.permutation(len(each))] for each in parts]
    starts = np.array([each.min() for each in stretches if len(each)])
    occupied = set(np.searchsorted(starts, taken.indices, side="right") - 1)
    return [each for n, each in enumerate(stretches) if n not in occupied and len(each)]


_GROUPINGS = {"kmeans": _by_look, "uniform": _by_time}


def _rows(pictures: np.ndarray) -> np.ndarray:
    return pictures.reshape(len(pictures), -1).astype(np.float32)


def _distances(rows: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Return the root mean square difference of each of `rows` from `row`, grey levels."""
    return np.asarray(np.sqrt(np.square(rows - row).mean(axis=1)))


def _least_distance(thumbnails: Thumbnails) -> float:
    """Return the distance below which two pictures are near-duplicates."""
    # Two frames at random differ, squared and on average, by twice the variance.
    usual = np.sqrt(2 * thumbnails.pictures.var(axis=0).mean())
    return max(_NOISE, _ALIKE * float(usual))
