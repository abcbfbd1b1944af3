"""Any labels and poses that the values allow survive the files."""

import tempfile

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from label_samples import assert_same_labels, assert_same_poses

from posenb.core import FrameName, Labels, Poses, Skeleton
from posenb.labels import read_labels, read_poses, write_labels, write_poses

text = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)
names = text.filter(str.strip)
file_names = names.filter(
    lambda s: not set(s) & set("/\\") and s not in (".", "..", "labeled-data")
)
numbers = st.floats(allow_nan=False, allow_infinity=False) | st.just(np.nan)


@st.composite
def skeletons(draw, *, scene):
    keypoints = draw(st.lists(names, min_size=1, max_size=4, unique=True))
    first_unique = draw(st.integers(1, len(keypoints))) if scene else len(keypoints)
    return Skeleton(tuple(keypoints), unique=tuple(keypoints[first_unique:]))


@st.composite
def animals(draw):
    individuals = draw(
        st.just(("",))
        | st.lists(names.filter(lambda n: n != "single"), min_size=1, max_size=3, unique=True)
    )
    return tuple(individuals), draw(skeletons(scene=tuple(individuals) != ("",)))


def arrays(draw, shape):
    flat = draw(st.lists(numbers, min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))
    return np.array(flat, dtype=float).reshape(shape)


def without_doubles(values, skeleton):
    values[:, 1:, [skeleton.index(name) for name in skeleton.unique]] = np.nan
    return values


@st.composite
def any_labels(draw):
    individuals, skeleton = draw(animals())
    frames = draw(
        st.lists(st.tuples(st.just("") | file_names, file_names), max_size=4, unique=True)
    )
    shape = (len(frames), len(individuals), len(skeleton))
    positions = without_doubles(arrays(draw, (*shape, 2)), skeleton)
    present = ~np.isnan(positions).any(axis=-1)
    occluded = np.array(draw(st.lists(st.booleans(), min_size=present.size, max_size=present.size)))
    occluded = occluded.reshape(shape).astype(bool)
    occluded[:, 1:, [skeleton.index(name) for name in skeleton.unique]] = False
    visibility = np.where(occluded, 1, np.where(present, 2, 0))
    scorer = draw(file_names)
    return Labels(
        tuple(FrameName(*f) for f in frames), positions, skeleton, individuals, visibility, scorer
    )


@st.composite
def any_poses(draw):
    individuals, skeleton = draw(animals())
    frames = sorted(draw(st.sets(st.integers(0, 2**40), max_size=4)))
    shape = (len(frames), len(individuals), len(skeleton))
    positions = without_doubles(arrays(draw, (*shape, 2)), skeleton)
    likelihoods = without_doubles(arrays(draw, shape), skeleton)
    return Poses(positions, likelihoods, skeleton, frames, individuals, scorer=draw(names))


@settings(max_examples=60, deadline=None)
@given(any_labels(), st.sampled_from([".h5", ".csv"]))
def test_any_labels_survive_both_files(labels, suffix):
    with tempfile.TemporaryDirectory() as folder:
        write_labels(f"{folder}/table.h5", labels)
        found = read_labels(f"{folder}/table{suffix}", labels.skeleton)
        assert_same_labels(found, labels)


@settings(max_examples=60, deadline=None)
@given(any_poses(), st.sampled_from([".h5", ".csv"]))
def test_any_poses_survive_both_files(poses, suffix):
    with tempfile.TemporaryDirectory() as folder:
        write_poses(f"{folder}/table", poses)
        assert_same_poses(read_poses(f"{folder}/table{suffix}"), poses)
