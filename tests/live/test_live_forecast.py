"""Forecasting at constant velocity."""

import numpy as np
import pytest

from posenb.live import Forecaster
from posenb.live.forecast import matching_beta

SURE = np.array([True])


def run(forecaster, positions, step=0.1):
    for number, position in enumerate(positions):
        forecaster.update(number * step, np.array([position], float), SURE)
    return (len(positions) - 1) * step


@pytest.mark.parametrize("alpha", [0.3, 0.6, 0.9, 1.0])
def test_what_moves_evenly_is_met_where_it_will_be(alpha):
    forecaster = Forecaster(1, alpha)
    last = run(forecaster, [(3 + 2 * n, 50 - n) for n in range(200)])
    np.testing.assert_allclose(forecaster.at(last + 0.25), [[3 + 2 * 201.5, 50 - 201.5]], atol=1e-3)


def test_what_stands_still_stays():
    forecaster = Forecaster(1, 0.9)
    last = run(forecaster, [(7, 8)] * 4)
    np.testing.assert_array_equal(forecaster.at(last + 5), [[7, 8]])


def test_the_first_sighting_is_taken_as_it_is_and_moves_nowhere():
    forecaster = Forecaster(1, 0.5)
    run(forecaster, [(7, 8)])
    np.testing.assert_array_equal(forecaster.at(1.0), [[7, 8]])


def test_noise_is_smoothed_the_more_the_less_new_positions_count():
    noise = np.random.default_rng(0).normal(size=(400, 2))
    errors = []
    for alpha in (0.2, 0.5, 1.0):
        forecaster, found = Forecaster(1, alpha), []
        for number, position in enumerate(noise):
            forecaster.update(number * 0.1, position[None], SURE)
            found.append(forecaster.at(number * 0.1 + 0.05)[0])
        errors.append(np.std(found))
    assert errors == sorted(errors)


def test_what_is_not_seen_is_not_forecast_and_begins_anew():
    forecaster = Forecaster(2, 1.0)
    both = np.array([True, True])
    for number in range(3):
        forecaster.update(number, np.full((2, 2), 10.0 * number), both)
    forecaster.update(3, np.array([[30.0, 30], [np.nan, np.nan]]), np.array([True, False]))
    assert np.isnan(forecaster.at(4)[1]).all()
    np.testing.assert_allclose(forecaster.at(4)[0], [40, 40])
    forecaster.update(4, np.array([[40.0, 40], [5, 5]]), both)
    np.testing.assert_allclose(forecaster.at(5), [[50, 50], [5, 5]])


def test_uneven_times_between_frames_do_not_matter():
    forecaster = Forecaster(1, 1.0)
    for time in (0.0, 0.01, 0.2, 0.21, 0.5):
        forecaster.update(time, np.array([[100 * time, 0]]), SURE)
    np.testing.assert_allclose(forecaster.at(0.6), [[60, 0]])


def test_two_frames_at_the_same_moment_give_no_endless_speed():
    forecaster = Forecaster(1, 1.0)
    forecaster.update(1.0, np.array([[1.0, 1]]), SURE)
    forecaster.update(1.0, np.array([[9.0, 9]]), SURE)
    np.testing.assert_array_equal(forecaster.at(2.0), [[9, 9]])


def test_the_gains_match_as_critical_damping_asks():
    assert matching_beta(1.0) == pytest.approx(1.0)
    assert matching_beta(0.75) == pytest.approx(0.25)
