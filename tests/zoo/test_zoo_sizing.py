"""Finding how large an animal is, without any model."""

import math

import numpy as np
import pytest

from posenb.zoo.sizing import STEPS, Sighting, find_size, see

LENGTH = 100.0


def animal(true: float, tried: list[float] | None = None, peak: float = 0.9):
    """A model that is surest at the true size, and sees it as long as it is."""

    def look(size: float) -> Sighting:
        if tried is not None:
            tried.append(size)
        away = abs(math.log2(size / true))
        return Sighting(max(peak - 0.2 * away, 0.0), true * LENGTH)

    return look


@pytest.mark.parametrize("true", [0.25, 0.5, 1.0, 2.0, 4.0])
def test_the_size_of_which_the_model_is_surest_counts(true):
    assert find_size(animal(true)).value == pytest.approx(true)


@pytest.mark.parametrize("true", [0.6, 0.83, 1.3, 1.7])
def test_a_size_between_two_steps_is_told_by_the_length_of_the_animal(true):
    assert find_size(animal(true), LENGTH).value == pytest.approx(true, rel=0.01)


def test_without_a_known_length_the_nearest_step_counts():
    assert find_size(animal(0.6)).value in STEPS


def test_an_animal_of_about_the_size_of_training_is_taken_for_that():
    assert find_size(animal(1.05), LENGTH).value == 1.0


def test_a_length_is_not_believed_where_the_model_is_less_sure():
    def look(size: float) -> Sighting:
        return Sighting(0.9 if size == 1.0 else 0.5, 1.3 * LENGTH)

    assert find_size(look, LENGTH).value == 1.0


def test_an_animal_as_long_as_in_training_is_of_that_size_though_another_is_hardly_likelier():
    def look(size: float) -> Sighting:
        return Sighting({1.0: 0.66, STEPS[5]: 0.68}.get(size, 0.3), 1.02 * LENGTH)

    assert find_size(look, LENGTH).value == 1.0
    assert find_size(look).value == STEPS[5]


@pytest.mark.parametrize("true", [0.5, 2.0])
def test_an_animal_is_of_the_size_that_its_length_says_though_another_is_hardly_likelier(true):
    def look(size: float) -> Sighting:
        away = abs(math.log2(size / (true * STEPS[5])))  # surest a step too far
        return Sighting(0.85 - 0.02 * away, 0.98 * true * LENGTH)

    assert find_size(look, LENGTH).value == pytest.approx(true)
    assert find_size(look).value == pytest.approx(true * STEPS[5])


def test_an_animal_of_the_right_size_costs_three_looks():
    tried: list[float] = []
    find_size(animal(1.0, tried), LENGTH)
    assert len(tried) == 3


def test_all_steps_are_tried_where_the_model_is_nowhere_sure():
    def look(size: float) -> Sighting:
        return Sighting({1.0: 0.2, 4.0: 0.8}.get(size, 0.1))

    found = find_size(look)
    assert found.value == 4.0
    assert len(found.tried) == len(STEPS)


def test_sizes_that_cannot_be_tried_are_left_out():
    sure = animal(0.5)
    found = find_size(lambda size: sure(size) if size >= 0.7 else None)
    assert found.value == pytest.approx(STEPS[3])
    assert min(found.tried) == pytest.approx(STEPS[3])


def test_what_was_tried_is_told_and_cannot_be_changed():
    found = find_size(animal(1.0))
    assert found.tried[1.0] == found.likelihood == 0.9
    with pytest.raises(TypeError):
        found.tried[1.0] = 0.0  # type: ignore[index]


def test_likelihood_and_length_come_from_the_poses():
    poses = np.array([[[0, 0, 0.9], [30, 40, 0.8]], [[0, 0, 0.9], [60, 80, 0.6]]])
    seen = see(poses)
    assert seen.likelihood == pytest.approx(0.8)
    assert seen.length == pytest.approx(75.0)


def test_unsure_keypoints_do_not_make_an_animal_longer():
    poses = np.array([[[0, 0, 0.9], [30, 40, 0.9], [900, 900, 0.1]]])
    assert see(poses).length == pytest.approx(50.0)


def test_there_is_no_length_where_hardly_anything_is_sure():
    assert math.isnan(see(np.full((2, 3, 3), 0.1)).length)
