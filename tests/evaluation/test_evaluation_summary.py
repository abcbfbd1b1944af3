"""The figures of a summary, against ones worked out by hand."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from posenb.errors import InvalidInputError
from posenb.evaluation import check_limits, pck_column, summarise

NAN, INF = np.nan, np.inf


@pytest.fixture(autouse=True)
def no_warnings():
    """Any warning, numpy's on empty slices above all, fails the test."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def column(*values) -> np.ndarray:
    """Values of one keypoint of one animal, frame by frame."""
    return np.array(values, dtype=float)[:, None, None]


def figures(errors, likelihoods=None, **options):
    """The row of the only keypoint."""
    sure = np.ones_like(errors) if likelihoods is None else likelihoods
    return summarise(errors, sure, ["snout"], **options).iloc[0]


def test_distances_are_summed_up_as_named():
    row = figures(column(1, 2, 3, 10))
    assert row["count"] == 4
    assert row["mean"] == 4
    assert row["median"] == 2.5
    assert row["rmse"] == pytest.approx(np.sqrt(114 / 4))
    assert row["p95"] == pytest.approx(np.percentile([1, 2, 3, 10], 95))


def test_rmse_is_not_the_mean():
    row = figures(column(0, 10))
    assert (row["mean"], row["rmse"]) == (5, pytest.approx(np.sqrt(50)))


def test_what_is_not_labelled_does_not_count():
    row = figures(column(1, NAN, 3))
    assert (row["count"], row["mean"]) == (2, 2)


def test_figures_of_confident_predictions_leave_out_the_others():
    row = figures(column(1, 2, 6, 50), column(0.9, 0.7, 0.6, 0.59))
    assert (row["mean_confident"], row["median_confident"]) == (3, 2)
    assert row["rmse_confident"] == pytest.approx(np.sqrt(41 / 3))
    assert row["share_confident"] == 0.75
    assert (row["mean"], row["median"]) == (14.75, 4)
    assert row["rmse"] == pytest.approx(np.sqrt(2541 / 4))


def test_where_all_are_confident_the_cut_off_changes_no_figure():
    row = figures(column(1, 2, 6, INF))
    for name in ("mean", "median", "rmse"):
        assert row[f"{name}_confident"] == row[name]


def test_where_none_is_confident_there_are_no_such_figures():
    row = figures(column(1, 2), column(0.1, 0.5))
    assert row[["mean_confident", "median_confident", "rmse_confident"]].isna().all()
    assert (row["mean"], row["share_confident"]) == (1.5, 0)


def test_the_cut_off_can_be_moved():
    row = figures(column(1, 3, 50), column(0.9, 0.6, 0.5), cutoff=0.5)
    assert (row["mean_confident"], row["share_confident"]) == (18, 1)


def test_a_likelihood_that_is_missing_is_not_confident():
    row = figures(column(1, 3), column(0.9, NAN))
    assert (row["mean_confident"], row["share_confident"]) == (1, 0.5)


def test_confidence_where_nothing_is_labelled_is_false():
    row = figures(column(1, NAN, NAN, NAN), column(0.9, 0.95, 0.1, 0.6))
    assert row["false_confident"] == pytest.approx(2 / 3)
    assert row["share_confident"] == 1


def test_where_all_is_labelled_nothing_can_be_falsely_confident():
    assert np.isnan(figures(column(1, 2))["false_confident"])


def test_pck_is_the_share_within_a_distance_the_distance_included():
    row = figures(column(1, 5, 5.01, 10, 11))
    assert row["pck_5"] == pytest.approx(2 / 5)
    assert row["pck_10"] == pytest.approx(4 / 5)


def test_distances_of_pck_name_their_columns():
    table = summarise(column(1), column(1), ["snout"], pck=(2.5, 20))
    assert [name for name in table.columns if name.startswith("pck")] == ["pck_2.5", "pck_20"]
    assert pck_column(5.0) == "pck_5"


def test_without_distances_there_is_no_pck():
    assert not [n for n in summarise(column(1), column(1), ["a"], pck=()) if n.startswith("pck")]


def test_a_missed_keypoint_counts_in_shares_and_not_in_distances():
    row = figures(column(2, 4, INF, INF), column(0.9, 0.9, 0.9, 0.1))
    assert (row["count"], row["missed"]) == (4, 2)
    assert (row["mean"], row["median"], row["mean_confident"]) == (3, 3, 3)
    assert row["pck_5"] == 0.5
    assert row["share_confident"] == 0.75


def test_a_keypoint_nobody_labelled_has_no_figures():
    row = figures(column(NAN, NAN), column(0.9, 0.1))
    assert (row["count"], row["missed"], row["false_confident"]) == (0, 0, 0.5)
    names = ["mean", "median", "p95", "rmse", "share_confident", "pck_5"]
    names += ["mean_confident", "median_confident", "rmse_confident"]
    assert row[names].isna().all()


def test_no_frames_give_a_table_without_figures():
    table = summarise(np.zeros((0, 1, 2)), np.zeros((0, 1, 2)), ["a", "b"])
    assert table["count"].tolist() == [0, 0, 0]
    assert table["mean"].isna().all()


def test_one_frame_is_enough():
    row = figures(column(3))
    assert (row["mean"], row["median"], row["rmse"], row["p95"]) == (3, 3, 3, 3)


def test_all_keypoints_are_pooled_so_that_those_labelled_more_often_weigh_more():
    errors = np.stack([column(1, 1, 1), column(7, NAN, NAN)], axis=-1)[..., 0, :]
    table = summarise(errors, np.ones_like(errors), ["often", "rare"])
    assert table["keypoint"].tolist() == ["often", "rare", "all"]
    assert table["mean"].tolist() == [1, 7, 2.5]
    assert table["count"].tolist() == [3, 1, 4]


def test_individuals_are_pooled():
    errors = np.array([[[1.0], [3.0]]])
    assert summarise(errors, np.ones_like(errors), ["snout"])["mean"].tolist() == [2, 2]


def test_a_keypoint_called_all_stands_before_the_row_of_all():
    errors = np.array([[[1.0, 3.0]]])
    table = summarise(errors, np.ones_like(errors), ["all", "b"])
    assert table["mean"].tolist() == [1, 3, 2]


def test_counts_are_whole_numbers():
    table = summarise(column(1, NAN), column(1, 1), ["snout"])
    assert table["count"].dtype.kind == table["missed"].dtype.kind == "i"


@given(
    arrays(float, (6, 2, 3), elements=st.sampled_from([NAN, INF, 0.0, 1.0, 4.0, 30.0])),
    arrays(float, (6, 2, 3), elements=st.floats(0, 1)),
)
def test_figures_stay_within_their_bounds(errors, likelihoods):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = summarise(errors, likelihoods, ["a", "b", "c"])
    shares = ["share_confident", "false_confident", "pck_5", "pck_10"]
    for name in shares:
        assert table[name].dropna().between(0, 1).all()
    known = table.dropna(subset=["mean"])
    assert (known["rmse"] >= known["mean"] - 1e-9).all()
    assert (known["p95"] >= known["median"]).all()
    sure = table.dropna(subset=["mean_confident"])
    assert (sure["rmse_confident"] >= sure["mean_confident"] - 1e-9).all()
    assert (table["pck_10"].fillna(0) >= table["pck_5"].fillna(0)).all()
    assert table["count"].iloc[-1] == table["count"].iloc[:-1].sum()


# --- what is refused -----------------------------------------------------------------


def test_shapes_must_agree():
    with pytest.raises(InvalidInputError, match=r"with 2 keypoints; got \(2, 1, 1\)"):
        summarise(column(1, 2), column(1, 2), ["a", "b"])
    with pytest.raises(InvalidInputError, match="got"):
        summarise(column(1, 2), column(1), ["a"])


@pytest.mark.parametrize("cutoff", [-0.1, 1.1, NAN])
def test_the_cut_off_is_a_likelihood(cutoff):
    with pytest.raises(InvalidInputError, match="between 0 and 1; got"):
        check_limits(cutoff, (5,))


@pytest.mark.parametrize("pck", [(0,), (-1, 5), (INF,), (NAN,), (5, 5.0)])
def test_distances_of_pck_are_positive_and_different(pck):
    with pytest.raises(InvalidInputError, match="different distances above 0 pixels"):
        check_limits(0.6, pck)
