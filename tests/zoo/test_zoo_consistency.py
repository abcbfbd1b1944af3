"""How far a model contradicts itself, and where it can be believed."""

import numpy as np
import pytest

from posenb.core import Skeleton
from posenb.zoo.consistency import Glance, believe, glance, judge, moved, strayed

LENGTH = 100.0
PAIRS = Skeleton(("nose", "left_ear", "right_ear"))


def poses(places, likelihood=0.9):
    """Poses of places of shape (..., 2)."""
    places = np.asarray(places, float)
    return np.concatenate([places, np.full((*places.shape[:-1], 1), likelihood)], axis=-1)


def seen(moments=4, keypoints=2, views=3):
    """Return what a model finds that is sure of everything, an animal that walks."""
    places = np.zeros((moments, keypoints, 2))
    places += np.arange(moments)[:, None, None] * 8.0 + np.arange(keypoints)[:, None] * 50
    return Glance(
        np.stack([poses(places)] * views), np.stack([poses(places - 8), poses(places + 8)])
    )


def changed(before, view, moment, keypoint, by):
    """Return it with one point of one view elsewhere, or less likely."""
    views = before.views.copy()
    views[view, moment, keypoint] += by
    return Glance(views, before.beside)


# The measures


def test_a_model_that_is_at_one_with_itself_has_nothing_apart_and_no_jumps():
    found = judge(seen(), LENGTH)
    assert (found.apart, found.jump, found.found) == (0, 0, 1)


def test_the_distance_of_views_is_root_mean_square_around_their_mean():
    apart = changed(seen(views=2), 1, 0, 0, (6, 8, 0)).apart
    assert apart[0, 0] == pytest.approx(5)
    assert apart.sum() == pytest.approx(5)


def test_views_count_up_to_a_tenth_of_an_animal_and_jumps_up_to_half_of_it():
    near, far = (changed(seen(views=2), 1, 0, 0, (by, 0, 0)) for by in (40, 20_000))
    assert judge(near, LENGTH).apart == judge(far, LENGTH).apart == pytest.approx(10 / 8)
    near, far = (changed(seen(), 0, 0, 0, (by, 0, 0)) for by in (60, 20_000))
    assert judge(near, LENGTH).jump == judge(far, LENGTH).jump == pytest.approx(50 / 8)


def test_views_count_for_points_that_are_not_found_and_jumps_do_not():
    unsure = changed(seen(), 0, 1, 1, (30, 0, -0.5))
    found = judge(unsure, LENGTH)
    assert found.apart > 0
    assert found.jump == 0
    assert found.found == pytest.approx(7 / 8)
    assert np.isnan(unsure.jump[1, 1])


def test_a_found_point_that_jumps_the_same_way_in_every_view_is_told_by_its_jump():
    views = seen().views.copy()
    views[:, 2, 0, 0] += 40
    jumpy = Glance(views, seen().beside)
    assert judge(jumpy, LENGTH).apart == 0
    assert judge(jumpy, LENGTH).jump == pytest.approx(40 / 8)


def test_where_nothing_is_found_there_is_no_jump_to_tell():
    views = seen().views.copy()
    views[..., 2] = 0.1
    found = judge(Glance(views, seen().beside), LENGTH)
    assert np.isnan(found.jump)
    assert found.found == 0


def test_a_view_in_which_hardly_anything_is_found_tells_nothing():
    views = seen().views.copy()
    views[1, ..., 2] = 0.1
    views[2, 0, :, 2] = 0.1
    whole = Glance(views, seen().beside)
    assert whole.telling == (0, 2)
    assert whole.of(whole.telling).views.shape[0] == 2


# Belief


def test_only_points_that_are_sure_steady_and_at_one_are_believed():
    before = seen()
    for spoilt in (
        changed(before, 0, 1, 1, (0, 0, -0.5)),
        changed(before, 1, 1, 1, (30, 0, 0)),
        Glance(before.views + np.array([0, 0, 0.0]), before.beside + _at((0, 1, 1), (60, 0, 0))),
        Glance(before.views, before.beside + _at((1, 1, 1), (0, 0, -0.5))),
    ):
        lost = np.argwhere(np.isnan(believe(spoilt, LENGTH)[..., 0])).tolist()
        assert lost == [[1, 1]]


def _at(place, by):
    change = np.zeros((2, 4, 2, 3))
    change[place] = by
    return change


def test_what_is_believed_is_the_mean_of_the_views():
    before = seen(views=2)
    found = believe(changed(before, 1, 0, 0, (4, 2, 0)), LENGTH)
    np.testing.assert_allclose(found[0, 0], before.views[0, 0, 0, :2] + (2, 1))


# Drift


def test_a_model_that_moves_one_sure_keypoint_is_found_out():
    before = seen()
    after = Glance(before.views + np.array([[6.0, 0, 0], [0, 0, 0]]), before.beside)
    assert moved(before, after, LENGTH) == pytest.approx(6)
    assert moved(before, before, LENGTH) == 0


def test_points_of_which_it_was_not_sure_may_move():
    views = seen().views.copy()
    views[0, :, 1, 2] = 0.3
    before = Glance(views, seen().beside)
    after = Glance(views + np.array([[0.0, 0, 0], [60, 0, 0]]), seen().beside)
    assert moved(before, after, LENGTH) == 0
    views = views.copy()
    views[0, ..., 2] = 0.3
    assert np.isnan(moved(Glance(views, seen().beside), after, LENGTH))


def test_a_keypoint_that_was_not_taught_must_stay_however_unsure_it_was():
    before = changed(seen(), 0, 0, 1, (0, 0, -0.8))
    after = Glance(before.views + np.array([[20.0, 0, 0], [0, 9, 0]]), before.beside)
    assert strayed(before, after, np.array([True, False])) == pytest.approx(9)
    assert strayed(before, after, np.array([False, False])) == pytest.approx(20)
    assert strayed(before, after, np.array([True, True])) == 0
    once = changed(before, 0, 0, 1, (90, 0, 0))
    assert strayed(before, once, np.array([True, False])) == 0


# The views


def look_at_brightest(frames, scale):
    """Find one bright pixel; the ears of a mirrored animal are exchanged as they would be."""
    rows, columns = zip(*(np.argwhere(frame[..., 0] == 255)[0] for frame in frames), strict=True)
    places = np.stack([columns, rows], axis=-1).astype(float)[:, None]
    return poses(places + np.array([[0, 0], [-2, 0], [3, 0]]))


def bright_moments(count, width=40):
    frames = np.zeros((count, 3, 20, width, 3), np.uint8)
    for moment in range(count):
        for beside in range(3):
            frames[moment, beside, 5, 10 + moment + beside] = 255
    return frames


def test_views_come_back_into_the_frame_with_left_and_right_in_their_places():
    found = glance(look_at_brightest, [bright_moments(2), bright_moments(1)], PAIRS)
    assert found.views.shape == (4, 3, 3, 3)
    assert found.beside.shape == (2, 3, 3, 3)
    np.testing.assert_array_equal(found.views[0, 0, :, 0], [11, 9, 14])
    # Mirrored it sees left at -2 and right at +3 of the mirrored nose.
    np.testing.assert_array_equal(found.views[1, 0, :, 0], [11, 8, 13])
    np.testing.assert_array_equal(found.beside[:, 0, 0, 0], [10, 12])


def test_the_frames_are_shown_smaller_and_larger():
    shown = []

    def look(frames, scale):
        shown.append(scale)
        return look_at_brightest(frames, scale)

    glance(look, [bright_moments(1)], PAIRS)
    assert shown.count(1.0) == 4  # plain, mirrored, before and after
    assert min(shown) < 1 < max(shown)


def test_where_a_side_has_no_partner_no_mirrored_view_is_taken():
    lone = Skeleton(("nose", "left ear", "other"))
    found = glance(look_at_brightest, [bright_moments(2)], lone)
    assert len(found.views) == 3
