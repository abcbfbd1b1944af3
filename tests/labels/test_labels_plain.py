import contextlib
import os
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posenb.labels._plain import read_plain

plain = st.recursive(
    st.text(st.characters(exclude_categories=["Cs"])) | st.integers() | st.none(),
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple),
    max_leaves=20,
)


@given(plain, st.integers(0, pickle.HIGHEST_PROTOCOL))
def test_plain_data_of_any_protocol_is_read(value, protocol):
    assert read_plain(pickle.dumps(value, protocol)) == value


def test_what_is_named_twice_is_the_same_both_times():
    column = ("scorer", "nose", "x")
    assert read_plain(pickle.dumps([column, column], 0)) == [column, column]


def test_lists_written_by_python_2_are_read():
    assert read_plain(b"(lp0\n(L1L\n(lp1\n(VPranav\np2\nVx\np4\ntp5\natp6\na.") == [
        (1, [("Pranav", "x")])
    ]


class Trap:
    def __reduce__(self):
        return (os.mkdir, ("trapped",))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_runs_code_is_refused_and_runs_nothing(protocol, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="more than plain data"):
        read_plain(pickle.dumps([("a", "b"), Trap()], protocol))
    assert not (tmp_path / "trapped").exists()


@pytest.mark.parametrize("value", [{"a": 1}, {1, 2}, 1.5, b"x", True, frozenset()])
def test_anything_but_text_numbers_lists_and_tuples_is_refused(value):
    with pytest.raises(ValueError, match="more than plain data"):
        read_plain(pickle.dumps([value], pickle.HIGHEST_PROTOCOL))


@given(st.binary())
def test_any_bytes_are_either_plain_data_or_refused(data):
    with contextlib.suppress(ValueError):
        read_plain(data)


@given(plain, st.data())
def test_cut_off_data_is_refused(value, data):
    whole = pickle.dumps(value, 2)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(ValueError):
        read_plain(whole[:cut])
