import contextlib
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posenb.errors import LabelError
from posenb.labels import read_labels
from posenb.labels._csv import read_csv, write_csv
from posenb.labels._table import Table

ONE = """scorer,ann,ann,ann,ann
bodyparts,nose,nose,tail,tail
coords,x,y,x,y
labeled-data/m1/img1.png,1.5,2,,
labeled-data\\m1\\img2.png,3,4,5,6e0
"""
THREE = """scorer,,,ann,ann
bodyparts,,,nose,nose
coords,,,x,y
labeled-data,m1,img1.png,1.5,2
"""
SEVERAL = """scorer,,,ann,ann,ann,ann
individuals,,,rat,rat,single,single
bodyparts,,,nose,nose,corner,corner
coords,,,x,y,x,y
labeled-data,m1,img1.png,1,2,3,4
"""


def written(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_rows_named_by_one_column_are_read_with_either_slash(tmp_path):
    labels = read_labels(written(tmp_path, ONE))
    assert labels.frames == (("m1", "img1.png"), ("m1", "img2.png"))
    expected = [[[1.5, 2], [np.nan, np.nan]], [[3, 4], [5, 6]]]
    np.testing.assert_array_equal(labels.positions[:, 0], expected)


def test_rows_named_by_three_columns_are_read(tmp_path):
    labels = read_labels(written(tmp_path, THREE))
    assert labels.frames == (("m1", "img1.png"),)
    assert labels.positions.tolist() == [[[[1.5, 2]]]]


def test_animals_and_keypoints_of_the_scene_are_read(tmp_path):
    labels = read_labels(written(tmp_path, SEVERAL))
    assert labels.individuals == ("rat",)
    assert labels.skeleton.keypoints == ("nose", "corner")
    assert labels.skeleton.unique == ("corner",)
    assert labels.positions.tolist() == [[[[1, 2], [3, 4]]]]


def test_lightning_pose_images_without_a_video_are_read(tmp_path):
    text = ONE.replace("/m1", "").replace("\\m1", "")
    assert read_labels(written(tmp_path, text)).frames == (("", "img1.png"), ("", "img2.png"))


@pytest.mark.parametrize(
    ("path", "frame"),
    [
        ("labeled-data/a/b/img.png", ("a/b", "img.png")),
        ("/old/machine/labeled-data/m1/img.png", ("m1", "img.png")),
        ("C:\\me\\labeled-data\\m1\\img.png", ("m1", "img.png")),
        ("m1/img.png", ("m1", "img.png")),
        ("img.png", ("", "img.png")),
        ("./labeled-data//m1/img.png", ("m1", "img.png")),
        ("labeled-data/nan/NA", ("nan", "NA")),
        ("labeled-data/001/1", ("001", "1")),
    ],
)
def test_the_frame_is_what_follows_the_labelled_data_folder(tmp_path, path, frame):
    text = ONE.replace("labeled-data/m1/img1.png", path)
    assert read_labels(written(tmp_path, text)).frames[0] == frame


@pytest.mark.parametrize("path", ["labeled-data", "labeled-data/../img.png", "/", ""])
def test_a_row_that_names_no_image_is_refused(tmp_path, path):
    text = ONE.replace("labeled-data/m1/img1.png", path)
    with pytest.raises(LabelError, match=r"table\.csv: A row is named labeled-data"):
        read_labels(written(tmp_path, text))


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_the_files_of_all_systems_are_read(tmp_path, newline, encoding):
    text = ONE.replace("nose", "鼻").replace("\n", newline)
    assert read_labels(written(tmp_path, text, encoding)).skeleton.keypoints == ("鼻", "tail")


def test_blank_lines_and_a_missing_last_newline_do_no_harm(tmp_path):
    assert len(read_labels(written(tmp_path, THREE.strip()))) == 1
    assert len(read_labels(written(tmp_path, THREE + "\n\n"))) == 1


def test_a_table_without_rows_is_read(tmp_path):
    labels = read_labels(written(tmp_path, "\n".join(ONE.splitlines()[:3])))
    assert len(labels) == 0
    assert labels.skeleton.keypoints == ("nose", "tail")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "do not name the same columns"),
        ("a,b\n1,2\n", r"got \['a', 'b'\] in row 1"),
        (ONE.replace(",", ";"), "in row 1"),
        (ONE.replace("bodyparts", "keypoints"), "in row 2"),
        (ONE.replace("coords,x,y,x,y\n", ""), "in row 3"),
        (ONE.replace("coords,x,y,x,y", "coords,x,y,x"), "do not name the same columns"),
        (ONE.replace("coords,x,y,x,y", "coords,,,,"), "do not name the same columns"),
        (ONE.replace("1.5,2,,", "1.5,2,"), "row labeled-data/m1/img1.png has 4 cells, not 5"),
        (ONE.replace("1.5,2,,", "1.5,2,,,"), "has 6 cells, not 5"),
        (ONE.replace("1.5", "left"), "could not convert string to float: 'left'"),
        (ONE[: len(ONE) - 8], "has 3 cells, not 5"),
        (ONE.replace("1.5", '"1.5'), "unexpected end of data"),
    ],
)
def test_a_damaged_table_is_refused_with_what_is_wrong(tmp_path, text, message):
    with pytest.raises(LabelError, match=message):
        read_labels(written(tmp_path, text))


@settings(deadline=None)
@given(st.lists(st.integers(0, len(SEVERAL) - 1), max_size=5), st.text(max_size=3))
def test_a_table_damaged_anywhere_is_read_or_refused(places, noise):
    text = SEVERAL
    for place in places:
        text = text[:place] + noise + text[place + 1 :]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "t.csv")
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        with contextlib.suppress(LabelError):
            read_labels(path)


def test_a_file_in_another_encoding_is_refused(tmp_path):
    with pytest.raises(LabelError, match="utf-8"):
        read_labels(written(tmp_path, ONE.replace("nose", "Öhr"), "latin-1"))


def test_infinite_positions_are_refused(tmp_path):
    with pytest.raises(LabelError, match="infinite"):
        read_labels(written(tmp_path, ONE.replace("1.5", "inf")))


def test_numbers_come_back_to_the_last_digit(tmp_path):
    values = np.array([[0.1 + 0.2, 1e-300], [-1 / 3, np.nan]])
    index = np.array([["labeled-data", "v", "a.png"], ["labeled-data", "v", "b.png"]], dtype=object)
    table = Table((("s", "k", "x"), ("s", "k", "y")), index, values)
    write_csv(tmp_path / "t.csv", table)
    found = read_csv(tmp_path / "t.csv")
    np.testing.assert_array_equal(found.values, values)
    assert found.index.tolist() == index.tolist()


def test_names_with_commas_quotes_and_newlines_come_back(tmp_path):
    odd = 'a "b", c'
    index = np.array([["labeled-data", odd, odd + ".png"]], dtype=object)
    table = Table(((odd, odd, "x"), (odd, odd, "y")), index, np.zeros((1, 2)))
    write_csv(tmp_path / "t.csv", table)
    found = read_csv(tmp_path / "t.csv")
    assert found.columns == table.columns
    assert found.index.tolist() == index.tolist()


def test_lines_end_alike_on_every_system(tmp_path):
    index = np.array([[0]], dtype=np.int64)
    write_csv(tmp_path / "t.csv", Table((("s", "k", "x"),), index, np.ones((1, 1))))
    assert (tmp_path / "t.csv").read_bytes() == b"scorer,s\nbodyparts,k\ncoords,x\n0,1.0\n"
