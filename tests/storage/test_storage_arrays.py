"""Arrays come out of a file as they went in, or a plain error does."""

import io
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from posenb.storage import unpack_arrays


def packed(**arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def test_arrays_come_out_as_they_went_in():
    found = unpack_arrays(packed(a=np.arange(6).reshape(2, 3), b="text"))
    assert set(found) == {"a", "b"}
    np.testing.assert_array_equal(found["a"], [[0, 1, 2], [3, 4, 5]])
    assert str(found["b"]) == "text"


def test_many_threads_may_read_at_once():
    contents = [packed(**{f"a{i}": np.full(4, i) for i in range(20)})] * 200
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(unpack_arrays, contents):
            assert [int(found[f"a{i}"][0]) for i in range(20)] == list(range(20))


class Trap:
    def __reduce__(self):
        return print, ("unpickled",)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive",
        b"PK\x03\x04 cut off",
        packed(a=np.zeros(50))[:-40],
        packed(a=np.array([Trap()], object)),
        pickle.dumps(Trap()),
    ],
    ids=["empty", "text", "stub", "cut off", "pickled array", "pickle"],
)
def test_whatever_else_it_is_is_refused_and_nothing_is_run(content, capsys):
    with pytest.raises(ValueError, match=r"\w"):
        unpack_arrays(content)
    assert capsys.readouterr().out == ""


def test_one_array_alone_is_no_archive():
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    with pytest.raises(ValueError, match="no sound file of arrays"):
        unpack_arrays(buffer.getvalue())


def test_a_damaged_byte_is_noticed():
    content = bytearray(packed(a=np.random.default_rng(0).random(2000)))
    content[len(content) // 2] ^= 0xFF
    with pytest.raises(ValueError, match="no sound file of arrays"):
        unpack_arrays(bytes(content))
