import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_samples import MOUSE, assert_same_labels, changed, one_animal, two_animals

from posenb.core import FrameName, Labels, Skeleton
from posenb.errors import InvalidInputError, LabelError
from posenb.labels import align_labels, join_labels, merge_labels


def point(labels, image, keypoint, individual=0):
    n = [frame.image for frame in labels.frames].index(image)
    return labels.positions[n, individual, labels.skeleton.index(keypoint)].tolist()


def test_new_frames_follow_the_old_ones():
    merged = merge_labels(one_animal("b.png"), one_animal("c.png", "a.png", start=100))
    assert [frame.image for frame in merged.frames] == ["b.png", "c.png", "a.png"]
    assert point(merged, "b.png", "snout") == [0, 0.25]
    assert point(merged, "c.png", "snout") == [100, 100.25]


def test_what_was_said_anew_wins_and_silence_erases_nothing():
    old = one_animal()
    new = changed(one_animal(start=50), {(0, 0, 1): (0,), (1, 0, 0): (1,)})
    merged = merge_labels(old, new)
    assert point(merged, "img1.png", "snout") == [50, 50.25]
    assert point(merged, "img1.png", "left ear") == [0.5, 0.75]
    assert merged.visibility[1, 0].tolist() == [1, 2, 2]
    assert np.isnan(point(merged, "img2.png", "snout")).all()


def test_keypoints_and_edges_of_both_are_kept_in_the_old_order():
    skeleton = Skeleton.from_names(["paw", "tail"], [("paw", "tail")])
    merged = merge_labels(one_animal(), one_animal(skeleton=skeleton, start=9))
    assert merged.skeleton.keypoints == ("snout", "left ear", "tail", "paw")
    assert merged.skeleton.edge_names == (("snout", "tail"), ("paw", "tail"))
    assert point(merged, "img1.png", "paw") == [9, 9.25]
    assert point(merged, "img1.png", "tail") == [9.5, 9.75]
    assert point(merged, "img1.png", "snout") == [0, 0.25]


def test_individuals_of_both_are_kept_in_the_old_order():
    base = two_animals("i.png")
    other = Labels(base.frames, base.positions + 10, base.skeleton, ("rat 2", "fly"))
    merged = merge_labels(base, other)
    assert merged.individuals == ("rat 1", "rat 2", "fly")
    assert point(merged, "i.png", "snout", individual=1) == [10, 10.25]
    assert point(merged, "i.png", "snout", individual=0) == [0, 0.25]


def test_keypoints_of_the_scene_stay_with_the_first_animal():
    base = two_animals("i.png")
    other = Labels(base.frames, base.positions + 10, base.skeleton, ("rat 2", "rat 1"))
    merged = merge_labels(base, other)
    assert merged.individuals == ("rat 1", "rat 2")
    assert point(merged, "i.png", "corner") == [11, 11.25]


def test_the_old_scorer_stays():
    assert merge_labels(one_animal(), one_animal(scorer="bob")).scorer == "ann"


def test_named_and_unnamed_animals_do_not_mix():
    with pytest.raises(LabelError, match="Name the animal"):
        merge_labels(one_animal(), two_animals())


def test_with_a_base_values_left_alone_do_not_overrule_what_others_said():
    base = one_animal()
    there = changed(base, {(0, 0, 0): (2, 70, 70)})
    mine = changed(base, {(0, 0, 1): (2, 80, 80)})
    merged = merge_labels(there, mine, base)
    assert point(merged, "img1.png", "snout") == [70, 70]
    assert point(merged, "img1.png", "left ear") == [80, 80]


def test_with_a_base_a_label_can_be_erased():
    base = one_animal()
    merged = merge_labels(base, changed(base, {(0, 0, 0): (0,)}), base)
    assert merged.visibility[0, 0].tolist() == [0, 2, 2]
    assert np.isnan(point(merged, "img1.png", "snout")).all()


def test_with_a_base_frames_and_keypoints_left_out_are_not_erased():
    base = one_animal()
    part = align_labels(base, base.frames[:1], base.individuals, Skeleton(("tail",)))
    assert_same_labels(merge_labels(base, part, base), base)


def test_with_a_base_new_frames_are_added():
    base = one_animal("img1.png")
    mine = one_animal("img1.png", "img2.png")
    assert_same_labels(merge_labels(base, mine, base), mine)


def test_with_a_base_a_change_of_visibility_alone_counts():
    base = one_animal()
    mine = changed(base, {(0, 0, 0): (1, *base.positions[0, 0, 0])})
    assert merge_labels(base, mine, base).visibility[0, 0, 0] == 1


def test_arguments_stay_as_they_are():
    old, new = one_animal(), one_animal(start=5)
    before = old.positions.copy()
    merge_labels(old, new)
    np.testing.assert_array_equal(old.positions, before)


visibilities = st.lists(st.sampled_from([0, 1, 2]), min_size=6, max_size=6)


def said(visibility, start):
    base = one_animal(start=start)
    seen = np.array(visibility).reshape(2, 1, 3)
    return Labels(
        base.frames,
        np.where(seen[..., None], base.positions, np.nan),
        MOUSE,
        visibility=seen,
        scorer="ann",
    )


@settings(deadline=None)
@given(visibilities, visibilities)
def test_merging_loses_nothing_that_was_said(first, second):
    old, new = said(first, 0), said(second, 100)
    merged = merge_labels(old, new)
    spoken = new.visibility > 0
    np.testing.assert_array_equal(merged.positions[spoken], new.positions[spoken])
    np.testing.assert_array_equal(merged.positions[~spoken], old.positions[~spoken])
    np.testing.assert_array_equal(
        merged.visibility, np.where(spoken, new.visibility, old.visibility)
    )


@settings(deadline=None)
@given(visibilities, visibilities)
def test_with_the_base_itself_there_the_new_labels_result(first, second):
    base, new = said(first, 0), said(second, 100)
    assert_same_labels(merge_labels(base, new, base), new)


@settings(deadline=None)
@given(visibilities)
def test_merging_labels_with_themselves_changes_nothing(visibility):
    labels = said(visibility, 0)
    assert_same_labels(merge_labels(labels, labels), labels)


def test_labels_of_several_videos_are_joined():
    joined = join_labels([two_animals(video="m1"), two_animals(video="m2", start=9)])
    assert joined.videos == ("m1", "m2")
    assert joined.positions[2, 0, 0].tolist() == [9, 9.25]
    with pytest.raises(InvalidInputError, match="some repeat"):
        join_labels([two_animals(), two_animals()])


def test_aligned_labels_have_what_was_asked_for_in_that_order():
    frames = (FrameName("m1", "img2.png"), FrameName("m9", "x.png"))
    aligned = align_labels(one_animal(), frames, ("",), Skeleton(("tail", "paw")))
    assert aligned.frames == frames
    assert aligned.visibility.tolist() == [[[2, 0]], [[0, 0]]]
    assert aligned.positions[0, 0, 0].tolist() == [2.5, 2.75]
