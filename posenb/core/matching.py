"""Which keypoints of two skeletons are the same, told by their names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from posenb._names import unknown_name
from posenb.errors import InvalidInputError

__all__ = ["match_keypoints"]

_UNSPOKEN = re.compile(r"[\W_]+")


def match_keypoints(
    own: Sequence[str],
    known: Sequence[str],
    given: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, str]:
    """Find the keypoints that two skeletons have in common.

    Names match that are the same but for upper and lower case, blanks and punctuation:
    ``left_ear`` and ``LeftEar``. Nothing else is guessed: ``ear_l`` is not taken for
    ``leftear``, nor ``ear1`` for either; such pairs have to be `given`. Where several names of
    one skeleton read alike, only those match that are written the same.

    Parameters
    ----------
    own : sequence of str
        Names to look for.
    known : sequence of str
        Names among which they are looked for.
    given : mapping of str to str, optional
        Known names by own ones; they go before what is found.

    Returns
    -------
    dict of str to str
        Known names by own ones, in the order of `own`; no name stands twice on either side.

    Raises
    ------
    UnknownNameError
        If `given` names a keypoint that does not exist.
    InvalidInputError
        If it gives one known keypoint to two own ones.
    """
    for mine, theirs in given.items():
        if mine not in own:
            raise unknown_name("keypoint", mine, tuple(own))
        if theirs not in known:
            raise unknown_name("keypoint", theirs, tuple(known))
    twice = sorted({name for name in given.values() if list(given.values()).count(name) > 1})
    if twice:
        raise InvalidInputError(
            f"A keypoint stands for one other; {', '.join(twice)} is given to several. Give each "
            "to one of them."
        )
    free = [name for name in known if name not in given.values()]
    asking = [name for name in own if name not in given]
    found = {name: name for name in asking if name in free}
    left = [name for name in free if name not in found]
    for name in asking:
        like = [each for each in left if _read(each) == _read(name)]
        rivals = [each for each in asking if _read(each) == _read(name)]
        if name not in found and len(like) == len(rivals) == 1:
            found[name] = like[0]
    return {name: given.get(name) or found[name] for name in own if name in given or name in found}


def _read(name: str) -> str:
    return _UNSPOKEN.sub("", name).casefold()
