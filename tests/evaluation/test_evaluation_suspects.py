"""Labels that may be mistakes: made ones with one mistake each, and the real ones."""

import numpy as np
import pytest

from posenb.core import FrameName, Labels, Skeleton
from posenb.errors import InvalidInputError
from posenb.evaluation import find_suspects
from posenb.evaluation.repeats import find_repeats
from posenb.evaluation.shapes import expected_places, fit_pose, mean_shape
from posenb.project import open_project

NAMES = ("snout", "left ear", "right ear", "neck", "tail")
MOUSE = Skeleton.from_names(NAMES, [("neck", "tail")])
SHAPE = np.array([40 + 0j, 20 - 12j, 20 + 12j, 10 + 0j, -60 + 0j])


def turned(shape=SHAPE, count=40, seed=0, noise=1.0):
    """Animals all over a picture, however turned, as complex numbers of shape (N, K)."""
    rng = np.random.default_rng(seed)
    a = rng.uniform(0.8, 1.25, count) * np.exp(2j * np.pi * rng.random(count))
    b = rng.uniform(100, 500, count) + 1j * rng.uniform(100, 500, count)
    shaken = rng.normal(0, noise, (count, len(shape), 2)) @ (1, 1j)
    return a[:, None] * shape + b[:, None] + shaken


def labels_of(points, skeleton=MOUSE, video="m1", individuals=("",)):
    points = np.asarray(points).reshape(-1, len(individuals), len(skeleton))
    frames = tuple(FrameName(video, f"img{n:03d}.png") for n in range(len(points)))
    positions = np.stack([points.real, points.imag], axis=-1)
    return Labels(frames, positions, skeleton, individuals)


def found(labels, *args, **options):
    return [
        (each.frame.image, each.kind, each.keypoints)
        for each in find_suspects(labels, *args, **options)
    ]


# --- the shape of an animal ----------------------------------------------------------


def test_a_shape_is_found_however_animals_lie_and_whatever_is_missing():
    points = turned(noise=0.01)
    points[3, 1] = points[5, 4] = points[7, :3] = np.nan
    points[11, 0] += 300
    shape = mean_shape(points)
    a, b = fit_pose(SHAPE[None], shape)
    assert np.abs(a * shape + b - SHAPE).max() < 0.2


def test_a_shape_is_as_large_as_the_animals():
    shape = mean_shape(turned(count=101, noise=0.01))
    assert np.ptp(np.abs(shape - shape[4])) == pytest.approx(100, rel=0.1)


def test_a_mirrored_animal_is_not_turned_over_to_fit():
    shape = mean_shape(turned(noise=0.01))
    a, b = fit_pose(SHAPE.conj()[None], shape)
    assert np.abs(a * shape + b - SHAPE.conj()).max() > 5


def test_places_are_expected_from_the_others_alone():
    points = turned(count=3, noise=0.0)
    moved = points.copy()
    moved[:, 1] += 50
    places, scale = expected_places(moved, SHAPE, (1,))
    assert np.abs(places[:, 0] - points[:, 1]).max() < 1e-9
    assert scale == pytest.approx(np.abs((points[:, 0] - points[:, 4]) / 100))


def test_two_points_fit_anyhow_and_one_does_not():
    points = turned(count=2, noise=0.0)
    points[0, 2:] = np.nan
    points[1, 1:] = np.nan
    a, _ = fit_pose(points, SHAPE)
    assert np.isnan(a).tolist() == [False, True]


def test_no_animal_with_three_points_gives_no_shape():
    points = turned(count=5)
    points[:, 2:] = np.nan
    assert np.isnan(mean_shape(points)).all()


# --- mistakes ------------------------------------------------------------------------


def test_good_labels_are_not_suspected():
    assert found(labels_of(turned())) == []


def test_swapped_ears_are_named_once():
    points = turned()
    points[7, [1, 2]] = points[7, [2, 1]]
    (suspect,) = find_suspects(labels_of(points))
    assert (suspect.frame.image, suspect.kind) == ("img007.png", "swap")
    assert suspect.keypoints == ("left ear", "right ear")
    assert "left ear and right ear seem swapped" in suspect.reason
    assert suspect.score > 6


@pytest.mark.parametrize("k", range(5))
def test_a_keypoint_far_off_is_named_and_no_other(k):
    points = turned()
    points[4, k] += 45j
    suspects = found(labels_of(points))
    assert suspects == [("img004.png", "shape", (NAMES[k],))]


def test_two_keypoints_far_off_in_one_frame_are_both_named():
    skeleton = Skeleton(tuple("abcdefg"))
    shape = np.array([0, 50, 50j, 50 + 50j, 100, 100j, 100 + 100j])
    points = turned(shape)
    points[9, 2] += 90
    points[9, 5] -= 80j
    suspects = found(labels_of(points, skeleton))
    assert sorted(suspects) == [
        ("img009.png", "shape", ("c",)),
        ("img009.png", "shape", ("f",)),
    ]


def test_the_reason_tells_pixels_and_what_is_usual():
    points = turned(noise=0.5)
    points[4, 0] += 60
    (suspect,) = find_suspects(labels_of(points))
    assert suspect.reason.startswith("snout lies ")
    assert 40 < float(suspect.reason.split()[2]) < 80


def test_a_limb_of_odd_length_is_found_where_there_is_no_shape():
    pair = Skeleton.from_names(["neck", "tail"])
    points = turned(SHAPE[3:])
    points[12, 1] = points[12, 0] + 4 * (points[12, 1] - points[12, 0])
    (suspect,) = [s for s in find_suspects(labels_of(points, pair)) if s.kind == "limb"]
    assert (suspect.frame.image, suspect.keypoints) == ("img012.png", ("neck", "tail"))
    assert "px apart; usual are" in suspect.reason


def test_a_fixed_animal_has_fixed_places_and_one_that_walks_has_none():
    one = Skeleton(("pupil",))
    rng = np.random.default_rng(1)
    still = 80 + 60j + rng.normal(0, 2, (40, 1, 2)) @ (1, 1j)
    still[30] = 0
    (suspect,) = find_suspects(labels_of(still, one))
    assert (suspect.kind, suspect.frame.image) == ("place", "img030.png")
    assert "at 0, 0" in suspect.reason
    walking = rng.uniform(0, 500, (40, 1, 2)) @ (1, 1j)
    assert found(labels_of(walking, one)) == []


def test_what_exists_once_in_the_scene_is_judged_by_its_place_alone():
    skeleton = Skeleton.from_names([*NAMES, "corner"], unique=["corner"])
    points = np.c_[turned(), np.full(40, 10 + 10j)]
    points[3, 5] = 300 + 10j
    suspects = found(labels_of(points, skeleton))
    assert suspects == [("img003.png", "place", ("corner",))]


def test_each_of_several_animals_is_judged_and_named():
    both = np.stack([turned(seed=1), turned(seed=2)], axis=1)
    both[6, 1, 4] += 200
    (suspect,) = find_suspects(labels_of(both, individuals=("rat 1", "rat 2")))
    assert (suspect.individual, suspect.keypoints) == ("rat 2", ("tail",))


def test_too_few_frames_tell_nothing():
    points = turned(count=9)
    points[2, 0] += 400
    assert found(labels_of(points)) == []


@pytest.mark.parametrize("labels", [labels_of(np.empty((0, 5))), labels_of(turned() * np.nan)])
def test_without_labels_nothing_is_found(labels):
    assert find_suspects(labels) == ()


def test_the_worst_comes_first_and_a_lower_cutoff_finds_more():
    points = turned()
    points[4, 0] += 20
    points[8, 0] += 90
    many = find_suspects(labels_of(points), cutoff=4.0)
    assert many[0].frame.image == "img008.png"
    assert [each.score for each in many] == sorted((each.score for each in many), reverse=True)
    assert len(many) > len(find_suspects(labels_of(points), cutoff=40.0))


@pytest.mark.parametrize("options", [{"cutoff": 0.0}, {"pictures": np.zeros((2, 4, 4), np.uint8)}])
def test_what_makes_no_sense_is_refused(options):
    with pytest.raises(InvalidInputError, match="one picture for each frame"):
        find_suspects(labels_of(turned()), **options)


# --- repeats -------------------------------------------------------------------------


def pictures(count=40):
    return np.random.default_rng(0).integers(0, 255, (count, 6, 8), np.uint8)


def test_copied_labels_are_found():
    points = turned()
    points[20] = points[19]
    (suspect,) = find_suspects(labels_of(points), pictures())
    assert (suspect.frame.image, suspect.kind) == ("img020.png", "copy")
    assert suspect.other == FrameName("m1", "img019.png")
    assert "exactly those of img019.png" in suspect.reason


def test_an_image_that_comes_twice_is_found_and_how_its_labels_differ():
    points, looks = turned(), pictures()
    points[20] = points[3] + 5
    looks[20] = looks[3]
    looks[20, 0, 0] ^= 1
    (suspect,) = find_suspects(labels_of(points), looks)
    assert (suspect.frame.image, suspect.kind) == ("img020.png", "twin")
    assert "nearly that of img003.png; their labels differ by up to 5 px" in suspect.reason


def test_frames_of_other_videos_repeat_nothing():
    labels = labels_of(turned(count=2)[[0, 0]])
    apart = Labels((FrameName("a", "img.png"), FrameName("b", "img.png")), labels.positions, MOUSE)
    assert list(find_repeats(apart, pictures(2)[[0, 0]])) == []


def test_unlabelled_frames_are_no_copies_of_each_other():
    assert list(find_repeats(labels_of(np.full((3, 5), np.nan)), pictures(3))) == []


# --- real labels ---------------------------------------------------------------------


def test_the_swapped_ears_of_the_open_field_stand_first(shared_data):
    suspects = find_suspects(open_project(shared_data / "openfield").labels())
    first = suspects[0]
    assert (first.frame.image, first.kind) == ("img0102.png", "swap")
    assert first.keypoints == ("leftear", "rightear")
    assert [each.kind for each in suspects].count("swap") == 1
    # The others are true: the mouse turns its head aside, and ears seem to lie at the snout.
    assert {each.keypoints for each in suspects[1:]} == {("snout",)}
    assert len(suspects) < 10


def test_real_labels_of_two_views_hold_next_to_nothing(shared_data):
    suspects = find_suspects(open_project(shared_data / "mirror-mouse").labels())
    assert [(each.frame.image, each.kind) for each in suspects] == [("img01.png", "place")]
