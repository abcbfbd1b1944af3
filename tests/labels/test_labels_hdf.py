import contextlib
import hashlib
import pickle
import time

import h5py
import numpy as np
import pandas as pd
import pytest

from posenb.errors import LabelError
from posenb.labels._hdf import KEY, read_hdf, write_hdf
from posenb.labels._table import Table, dataframe


def labelled(rows=3, keypoints=("nose", "tail"), level_names=3):
    columns = tuple(("ann", k, c) for k in keypoints for c in ("x", "y"))
    index = np.array(
        [("labeled-data", "m1", f"img{r}.png")[-level_names:] for r in range(rows)], dtype=object
    ).reshape(rows, level_names)
    values = np.arange(rows * len(columns), dtype=float).reshape(rows, len(columns))
    values[1:, 1] = np.nan
    return Table(columns, index, values)


def predicted(rows=3, keypoints=2):
    columns = tuple(("net", f"k{k}", c) for k in range(keypoints) for c in ("x", "y", "likelihood"))
    values = np.random.default_rng(0).random((rows, len(columns)))
    return Table(columns, np.arange(5, 5 + rows)[:, None], values)


def assert_same(found, expected):
    assert found.columns == expected.columns
    assert found.index.tolist() == expected.index.tolist()
    np.testing.assert_array_equal(found.values, expected.values)


def assert_same_bytes_later(folder, table, *, appendable):
    write_hdf(folder / "a.h5", table, appendable=appendable)
    time.sleep(1.1)  # HDF5 counts whole seconds
    write_hdf(folder / "b.h5", table, appendable=appendable)
    first, second = ((folder / name).read_bytes() for name in ("a.h5", "b.h5"))
    assert hashlib.sha256(first).digest() == hashlib.sha256(second).digest()


@pytest.mark.parametrize("appendable", [True, False])
def test_predictions_come_back(tmp_path, appendable):
    write_hdf(tmp_path / "t.h5", table := predicted(), appendable=appendable)
    assert_same(read_hdf(tmp_path / "t.h5"), table)
    pd.testing.assert_frame_equal(pd.read_hdf(tmp_path / "t.h5"), dataframe(table))


def test_labels_come_back(tmp_path):
    write_hdf(tmp_path / "t.h5", labelled(), appendable=False)
    assert_same(read_hdf(tmp_path / "t.h5"), labelled())
    pd.testing.assert_frame_equal(pd.read_hdf(tmp_path / "t.h5"), dataframe(labelled()))


@pytest.mark.parametrize("layout", ["fixed", "table"])
def test_what_pandas_wrote_under_any_key_is_read(tmp_path, layout):
    table = labelled(level_names=1)
    dataframe(table).to_hdf(tmp_path / "t.h5", key="keypoints", format=layout)
    assert_same(read_hdf(tmp_path / "t.h5"), table)


def test_whole_numbers_beside_fractions_are_read(tmp_path):
    frame = dataframe(labelled())
    frame[("ann", "nose", "x")] = frame[("ann", "nose", "x")].astype(int)
    frame[("ann", "tail", "y")] = frame[("ann", "tail", "y")].astype("float32")
    frame.to_hdf(tmp_path / "t.h5", key=KEY)
    assert_same(read_hdf(tmp_path / "t.h5"), labelled())


@pytest.mark.parametrize("layout", ["fixed", "table"])
def test_compressed_files_are_read(tmp_path, layout):
    table = predicted(100)
    dataframe(table).to_hdf(tmp_path / "t.h5", key=KEY, format=layout, complib="zlib", complevel=5)
    assert_same(read_hdf(tmp_path / "t.h5"), table)


@pytest.mark.parametrize("table", [labelled(0), predicted(0)])
def test_a_table_without_rows_comes_back(tmp_path, table):
    write_hdf(tmp_path / "t.h5", table, appendable=False)
    found = read_hdf(tmp_path / "t.h5")
    assert found.columns == table.columns
    assert found.values.shape == (0, len(table.columns))


def test_names_in_all_scripts_come_back(tmp_path):
    table = labelled(keypoints=("Ohr größer", "耳", "nan", " x ", "ش"))
    write_hdf(tmp_path / "t.h5", table, appendable=False)
    assert_same(read_hdf(tmp_path / "t.h5"), table)


@pytest.mark.parametrize("appendable", [True, False])
def test_the_same_table_gives_the_same_bytes_at_any_time(tmp_path, appendable):
    table = labelled() if not appendable else predicted()
    assert_same_bytes_later(tmp_path, table, appendable=appendable)


def test_a_table_too_wide_for_the_appendable_format_is_written_all_the_same(tmp_path):
    table = predicted(2, keypoints=3000)
    assert_same_bytes_later(tmp_path, table, appendable=True)
    assert_same(read_hdf(tmp_path / "a.h5"), table)
    pd.testing.assert_frame_equal(pd.read_hdf(tmp_path / "a.h5"), dataframe(table))


@pytest.mark.parametrize("appendable", [True, False])
def test_the_file_names_the_layout_that_older_pandas_look_for(tmp_path, appendable):
    write_hdf(tmp_path / "t.h5", predicted(), appendable=appendable)
    with h5py.File(tmp_path / "t.h5") as file:
        assert file[KEY].attrs["pandas_version"] == b"0.15.2"


class Trap:
    def __reduce__(self):
        return (exec, ("open('trapped', 'w')",))


def test_a_file_whose_column_names_run_code_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_hdf(tmp_path / "t.h5", predicted(), appendable=True)
    with h5py.File(tmp_path / "t.h5", "a") as file:
        file[KEY].attrs["non_index_axes"] = np.bytes_(pickle.dumps(Trap(), 0))
    with pytest.raises(LabelError, match="more than plain data"):
        read_hdf(tmp_path / "t.h5")
    assert not (tmp_path / "trapped").exists()


def test_a_file_with_pickled_cells_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frame = dataframe(labelled()).astype(object)
    frame.iloc[0, 0] = Trap()
    with pytest.warns(pd.errors.PerformanceWarning):
        frame.to_hdf(tmp_path / "t.h5", key=KEY)
    with pytest.raises(LabelError, match=r"pickled objects\?"):
        read_hdf(tmp_path / "t.h5")
    assert not (tmp_path / "trapped").exists()


def test_a_file_that_is_no_hdf5_is_refused_with_a_hint_at_the_csv(tmp_path):
    (tmp_path / "t.h5").write_text("scorer,ann")
    with pytest.raises(LabelError, match=r"cannot be read .*If there is a \.csv beside it"):
        read_hdf(tmp_path / "t.h5")


@pytest.mark.parametrize("appendable", [True, False])
def test_a_file_cut_off_anywhere_is_refused(tmp_path, appendable):
    write_hdf(tmp_path / "t.h5", predicted(200), appendable=appendable)
    whole = (tmp_path / "t.h5").read_bytes()
    for size in (0, 7, 512, len(whole) // 2, len(whole) - 1):
        (tmp_path / "cut.h5").write_bytes(whole[:size])
        with pytest.raises(LabelError):
            read_hdf(tmp_path / "cut.h5")


@pytest.mark.parametrize("appendable", [True, False])
def test_a_file_damaged_anywhere_is_read_or_refused(tmp_path, appendable):
    write_hdf(tmp_path / "t.h5", predicted(), appendable=appendable)
    whole = (tmp_path / "t.h5").read_bytes()
    random = np.random.default_rng(0)
    for _ in range(150):
        damaged = bytearray(whole)
        for place in random.integers(0, len(whole), 20):
            damaged[place] = random.integers(256)
        (tmp_path / "damaged.h5").write_bytes(damaged)
        with contextlib.suppress(LabelError):
            read_hdf(tmp_path / "damaged.h5")


def test_a_file_of_another_program_is_refused(tmp_path):
    with h5py.File(tmp_path / "t.h5", "w") as file:
        file["tracks"] = np.zeros(3)
    with pytest.raises(LabelError, match="one table is expected in the file, none found"):
        read_hdf(tmp_path / "t.h5")


def test_of_several_tables_the_one_with_the_usual_key_is_read(tmp_path):
    write_hdf(tmp_path / "t.h5", table := predicted(), appendable=True)
    dataframe(labelled()).to_hdf(tmp_path / "t.h5", key="other")
    assert_same(read_hdf(tmp_path / "t.h5"), table)


def test_of_several_tables_with_other_keys_none_is_guessed(tmp_path):
    for key in ("one", "two"):
        dataframe(labelled()).to_hdf(tmp_path / "t.h5", key=key)
    with pytest.raises(LabelError, match="one, two found"):
        read_hdf(tmp_path / "t.h5")


def test_a_plain_dataframe_is_no_label_table(tmp_path):
    pd.DataFrame({"x": [1.0]}).to_hdf(tmp_path / "t.h5", key="df")
    with pytest.raises(LabelError, match="columns of 1 levels"):
        read_hdf(tmp_path / "t.h5")


def test_rows_named_by_times_are_refused(tmp_path):
    frame = dataframe(predicted())
    frame.index = pd.date_range("2026-01-01", periods=3)
    frame.to_hdf(tmp_path / "t.h5", key="df")
    with pytest.raises(LabelError, match="whole numbers, not by datetime64"):
        read_hdf(tmp_path / "t.h5")
