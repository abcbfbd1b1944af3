"""Choosing frames by their small pictures: each something else, none twice."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posenb.errors import InvalidInputError
from posenb.extraction import Thumbnails, choose_frames, find_motion

METHODS = ("kmeans", "uniform")
each_method = pytest.mark.parametrize("method", METHODS)


def walk(count=300, seed=0, noise=0.0) -> Thumbnails:
    """A dark square that mostly sits in a corner and sometimes runs about."""
    rng = np.random.default_rng(seed)
    pictures = np.full((count, 18, 24), 200.0)
    place = np.array([2.0, 2.0])
    for n in range(count):
        if n % 50 >= 30:
            place = np.clip(place + rng.uniform(-5, 5, 2), 0, (12, 18))
        y, x = place.astype(int)
        pictures[n, y : y + 6, x : x + 6] = 20
    pictures += rng.normal(0, noise, pictures.shape) if noise else 0
    return Thumbnails(np.arange(count) * 2, np.clip(pictures, 0, 255).astype(np.uint8))


def groups(sizes=(100, 20, 20, 5, 5)) -> Thumbnails:
    """Pictures of as many kinds as there are sizes, with a little noise."""
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 255, (len(sizes), 12, 16))
    pictures = np.repeat(kinds, sizes, axis=0) + rng.normal(0, 2, (sum(sizes), 12, 16))
    return Thumbnails(np.arange(sum(sizes)), np.clip(pictures, 0, 255).astype(np.uint8))


def apart(pictures: np.ndarray) -> np.ndarray:
    rows = pictures.reshape(len(pictures), -1).astype(float)
    distances = np.sqrt(np.square(rows[:, None] - rows[None]).mean(axis=2))
    np.fill_diagonal(distances, np.inf)
    return distances.min(axis=1)


# --- what is chosen ------------------------------------------------------------------


@each_method
def test_as_many_frames_as_wanted_come_in_order_and_from_the_candidates(method):
    shown = walk(noise=2)
    chosen = choose_frames(shown, 12, method)
    assert len(chosen) == 12
    assert (np.diff(chosen) > 0).all()
    assert np.isin(chosen, shown.indices).all()


def test_of_each_kind_of_picture_one_is_taken_however_rare_it_is():
    sizes = (100, 20, 20, 5, 5)
    chosen = choose_frames(groups(sizes), 5)
    assert np.searchsorted(np.cumsum(sizes), chosen, side="right").tolist() == [0, 1, 2, 3, 4]


def test_uniform_takes_one_of_each_stretch_of_time():
    shown = groups((1,) * 60)  # all of them differ
    chosen = choose_frames(shown, 12, "uniform")
    assert (chosen // 5).tolist() == list(range(12))


@pytest.mark.parametrize("seed", range(3))
def test_kmeans_is_more_diverse_than_random_choice(seed):
    shown = walk(seed=seed, noise=2)
    rng = np.random.default_rng(seed)
    random = [
        apart(shown.only(rng.choice(shown.indices, 15, replace=False)).pictures).mean()
        for _ in range(10)
    ]
    found = apart(shown.only(choose_frames(shown, 15, seed=seed)).pictures)
    assert found.mean() > 1.5 * np.mean(random)
    assert found.mean() > max(random)


@each_method
def test_same_seed_same_frames(method):
    shown = walk(noise=2)
    first = choose_frames(shown, 10, method, seed=3)
    assert np.array_equal(first, choose_frames(shown, 10, method, seed=3))


def test_another_seed_gives_other_frames():
    shown = walk(noise=2)
    assert not np.array_equal(
        choose_frames(shown, 10, "uniform", seed=1), choose_frames(shown, 10, "uniform", seed=2)
    )


# --- near-duplicates -----------------------------------------------------------------


@each_method
def test_of_equal_frames_one_is_taken(method):
    same = Thumbnails(np.arange(50), np.full((50, 6, 8), 90))
    assert len(choose_frames(same, 10, method)) == 1


@each_method
def test_frames_that_differ_by_noise_alone_count_as_equal(method):
    rng = np.random.default_rng(0)
    still = 90 + rng.normal(0, 0.35, (50, 24, 32)).round()
    assert len(choose_frames(Thumbnails(np.arange(50), still), 10, method)) == 1


@each_method
def test_all_kinds_are_found_where_there_are_fewer_than_wanted(method):
    assert len(choose_frames(groups((30, 30, 3)), 20, method)) == 3


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    count=st.integers(1, 30),
    method=st.sampled_from(METHODS),
    total=st.integers(1, 60),
)
def test_no_two_chosen_frames_are_alike(seed, count, method, total):
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 255, (rng.integers(1, 12), 4, 5))
    shown = Thumbnails(np.arange(total), kinds[rng.integers(0, len(kinds), total)])
    chosen = choose_frames(shown, count, method, seed=seed)
    assert 1 <= len(chosen) <= min(count, total)
    assert (apart(shown.only(chosen).pictures) > 0.6).all()
    kinds_there = len(np.unique(shown.pictures, axis=0))
    assert len(chosen) <= kinds_there


# --- what was taken before -----------------------------------------------------------


@each_method
@pytest.mark.parametrize("done", [1, 4, 9])
def test_cut_off_and_run_again_the_same_frames_are_chosen(method, done):
    shown = walk(noise=2)
    whole = choose_frames(shown, 10, method)
    rest = choose_frames(shown, 10, method, taken=shown.only(whole[:done]))
    assert rest.tolist() == whole[done:].tolist()


@each_method
def test_more_frames_are_unlike_those_that_were_taken(method):
    shown = walk(noise=2)
    first = choose_frames(shown, 8, method)
    more = choose_frames(shown, 16, method, taken=shown.only(first))
    assert len(more) == 8
    assert not set(first) & set(more)
    both = shown.only(np.concatenate([first, more]))
    assert apart(both.pictures).min() > 5


@each_method
def test_with_enough_taken_nothing_is_chosen(method):
    shown = groups()
    assert len(choose_frames(shown, 3, method, taken=shown.only(np.arange(3)))) == 0


@each_method
def test_what_other_videos_showed_is_not_taken_again(method):
    shown = groups((10, 10, 10))
    chosen = choose_frames(shown, 3, method, unlike=shown.pictures[[0, 25]])
    assert len(chosen) == 1
    assert 10 <= chosen[0] < 20


@each_method
def test_one_candidate_is_enough(method):
    assert choose_frames(Thumbnails([7], np.zeros((1, 2, 2))), 5, method).tolist() == [7]


@each_method
def test_without_candidates_nothing_is_chosen(method):
    assert len(choose_frames(Thumbnails([], np.zeros((0, 2, 2))), 5, method)) == 0


# --- motion --------------------------------------------------------------------------


def test_motion_is_the_mean_change_from_the_picture_before():
    pictures = np.zeros((4, 2, 5), np.uint8)
    pictures[1:, 0, 0] = 255
    pictures[3] = 10
    motion = find_motion(Thumbnails(np.arange(4), pictures))
    assert np.isnan(motion[0])
    assert motion[1:].tolist() == pytest.approx([25.5, 0, (245 + 9 * 10) / 10])


def test_motion_of_one_picture_is_unknown():
    assert np.isnan(find_motion(Thumbnails([3], np.zeros((1, 2, 2))))).all()


# --- rules ---------------------------------------------------------------------------


def test_thumbnails_are_own_and_read_only():
    pictures = np.zeros((2, 3, 4), np.uint8)
    shown = Thumbnails([0, 5], pictures)
    pictures[:] = 9
    assert not shown.pictures.any()
    with pytest.raises(ValueError, match="read-only"):
        shown.pictures[0] = 1


def test_thumbnails_are_selected_and_joined_by_their_frames():
    shown = walk(10)
    left, right = shown.only(np.array([0, 2])), shown.only(np.array([2, 8]))
    assert shown.without(np.array([0, 2, 4])).indices.tolist() == [6, 8, 10, 12, 14, 16, 18]
    joined = left.joined(right)
    assert joined.indices.tolist() == [0, 2, 8]
    assert np.array_equal(joined.pictures, shown.pictures[[0, 1, 4]])


@pytest.mark.parametrize(
    ("indices", "pictures", "text"),
    [
        ([0, 1], np.zeros((3, 2, 2)), "got the shapes"),
        ([0], np.zeros((1, 2)), "got the shapes"),
        ([3, 3], np.zeros((2, 2, 2)), "each frame once"),
        ([3, 1], np.zeros((2, 2, 2)), "in the order of the video"),
    ],
)
def test_thumbnails_that_break_a_rule_are_refused(indices, pictures, text):
    with pytest.raises(InvalidInputError, match=text):
        Thumbnails(indices, pictures)


@pytest.mark.parametrize(("count", "method"), [(0, "kmeans"), (3, "best")])
def test_a_wrong_count_or_method_is_refused(count, method):
    with pytest.raises(InvalidInputError, match="kmeans, uniform"):
        choose_frames(groups(), count, method)


def test_pictures_of_another_shape_cannot_be_compared():
    with pytest.raises(InvalidInputError, match="same shape"):
        choose_frames(groups(), 3, unlike=np.zeros((1, 5, 5), np.uint8))
