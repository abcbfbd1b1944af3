import numpy as np
import pytest

from posenb.core import Skeleton
from posenb.errors import LabelError
from posenb.labels._table import Grid, Table, dataframe, from_grid, to_grid

XY = ("x", "y")


def table(*columns, rows=1):
    values = np.arange(rows * len(columns), dtype=float).reshape(rows, len(columns))
    return Table(tuple(columns), np.arange(rows)[:, None], values)


def points(*names, scorer="ann"):
    return [
        (scorer, *(name if isinstance(name, tuple) else (name,)), c) for name in names for c in XY
    ]


def test_columns_in_any_order_are_put_in_order():
    mixed = table(("a", "tail", "y"), ("a", "nose", "x"), ("a", "nose", "y"), ("a", "tail", "x"))
    grid = to_grid(mixed, XY)
    assert grid.skeleton.keypoints == ("tail", "nose")
    assert grid.values[0, 0].tolist() == [[3, 0], [1, 2]]


def test_a_skeleton_chooses_and_orders_keypoints():
    skeleton = Skeleton(("tail", "paw", "nose"))
    grid = to_grid(table(*points("nose", "ear", "tail")), XY, skeleton)
    np.testing.assert_array_equal(grid.values[0, 0], [[4, 5], [np.nan, np.nan], [0, 1]])


def test_keypoints_that_have_nothing_in_common_with_the_skeleton_are_refused():
    with pytest.raises(LabelError, match="none of the keypoints paw; it holds nose, tail"):
        to_grid(table(*points("nose", "tail")), XY, Skeleton(("paw",)))


def test_other_coordinates_are_left_out():
    columns = [("a", "nose", c) for c in ("x", "y", "likelihood")]
    assert to_grid(table(*columns), XY).values.tolist() == [[[[0, 1]]]]


def test_each_keypoint_has_all_coordinates():
    with pytest.raises(LabelError, match="columns x, y, likelihood; nose has x, y"):
        to_grid(table(*points("nose")), ("x", "y", "likelihood"))


def test_animals_need_not_have_the_same_keypoints():
    grid = to_grid(table(*points(("rat", "nose"), ("fly", "wing"))), XY)
    assert grid.individuals == ("rat", "fly")
    assert np.isnan(grid.values[0]).any(axis=-1).tolist() == [[False, True], [True, False]]


def test_keypoints_of_the_scene_come_last_and_stand_with_the_first_animal():
    columns = points(("single", "corner"), ("rat", "nose"), ("fly", "nose"))
    grid = to_grid(table(*columns), XY)
    assert grid.individuals == ("rat", "fly")
    assert grid.skeleton == Skeleton(("nose", "corner"), unique=("corner",))
    assert grid.values[0, 0].tolist() == [[2, 3], [0, 1]]
    assert np.isnan(grid.values[0, 1, 1]).all()


def test_a_scene_without_animals_is_one_individual():
    grid = to_grid(table(*points(("single", "corner"))), XY)
    assert (grid.individuals, grid.skeleton.unique) == (("single",), ())


def test_a_keypoint_cannot_belong_to_the_animals_and_to_the_scene():
    with pytest.raises(LabelError, match="repeated: nose"):
        to_grid(table(*points(("rat", "nose"), ("single", "nose"))), XY)


def test_two_scorers_in_one_table_are_refused():
    with pytest.raises(LabelError, match="one scorer; this one has ann, bob"):
        to_grid(table(*points("nose"), *points("tail", scorer="bob")), XY)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ((), "at least one keypoint"),
        ((("a", "x"),), "columns of 2 levels"),
        ((("a", "k", "x"), ("a", "i", "k", "x")), "columns of 3, 4 levels"),
        ((("a", "k", "x"), ("a", "k", "x")), "a/k/x stands twice"),
    ],
)
def test_columns_that_break_the_layout_are_refused(columns, message):
    with pytest.raises(LabelError, match=message):
        table(*columns)


def test_a_grid_laid_out_and_read_back_is_the_same():
    skeleton = Skeleton(("nose", "corner", "tail"), unique=("corner",))
    values = np.arange(24.0).reshape(2, 2, 3, 2)
    values[:, 1, 1] = np.nan
    laid = from_grid(Grid(values, skeleton, ("rat", "fly"), "ann"), XY, np.arange(2)[:, None])
    assert laid.columns[-1] == ("ann", "single", "corner", "y")
    back = to_grid(laid, XY, skeleton)
    np.testing.assert_array_equal(back.values, values)


def test_no_animal_among_several_may_be_called_single():
    grid = Grid(np.zeros((1, 2, 1, 2)), Skeleton(("nose",)), ("single", "rat"), "ann")
    with pytest.raises(LabelError, match="keeps the name 'single'"):
        from_grid(grid, XY, np.zeros((1, 1), dtype=int))


def test_the_dataframe_has_the_names_that_deeplabcut_looks_for():
    frame = dataframe(table(*points(("rat", "nose"))))
    assert list(frame.columns.names) == ["scorer", "individuals", "bodyparts", "coords"]
    assert frame.index.tolist() == [0]
    rows = np.array([["labeled-data", "m1", "i.png"]], dtype=object)
    labelled = dataframe(Table((("a", "k", "x"),), rows, np.zeros((1, 1))))
    assert labelled.index.tolist() == [("labeled-data", "m1", "i.png")]
    assert list(labelled.index.names) == [None, None, None]
