"""Chunks: keys and files, without any model or video."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest

from posenb import storage
from posenb.errors import AnalysisError, StorageError, VideoError
from posenb.inference.ahead import ahead
from posenb.inference.chunks import Chunk, ChunkFolder, Finished, Recipe, in_spans

RECIPE = Recipe("video", "model", (0, 8, 0, 6), 4)
SOFTWARE = {"posenb": "1", "keras": "3"}
K = 3


def some_poses(chunk=None, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(5 if chunk is None else len(chunk), K, 3)).astype(np.float32)


# --- keys ----------------------------------------------------------------------------


def test_chunks_have_the_ranges_that_are_given():
    chunks = RECIPE.chunks([(3, 8), (8, 13), (13, 15)])
    assert [(each.start, each.stop) for each in chunks] == [(3, 8), (8, 13), (13, 15)]
    assert [len(each) for each in chunks] == [5, 5, 2]


def test_a_span_ends_where_decoding_can_start_or_a_chunk_is_missing():
    borders = [0, 5, 10, 14, 20, 25]
    chunks = RECIPE.chunks(pairwise(borders))
    spans = [[each.start for each in span] for span in in_spans(chunks, {0, 10})]
    assert spans == [[0, 5], [10, 14, 20]]
    without = [chunk for chunk in chunks if chunk.start != 14]
    spans = [[each.start for each in span] for span in in_spans(without, {0, 10})]
    assert spans == [[0, 5], [10], [20]]
    assert in_spans([], {0}) == []


def test_the_same_facts_give_the_same_key_in_every_process():
    key = Recipe("v", "m", (0, 8, 0, 6), 4).key(0, 5)
    assert key == "592fd1360264b63f01569665f893a76c14fe221695b6ea09500dac7156ee6efa"


@pytest.mark.parametrize(
    "other",
    [
        Recipe("other", "model", (0, 8, 0, 6), 4),
        Recipe("video", "other", (0, 8, 0, 6), 4),
        Recipe("video", "model", (0, 7, 0, 6), 4),
        Recipe("video", "model", (0, 8, 0, 6), 5),
        Recipe("model", "video", (0, 8, 0, 6), 4),
    ],
)
def test_a_change_of_any_fact_changes_all_keys(other):
    ranges = [(0, 5), (5, 10), (10, 13)]
    mine, others = RECIPE.chunks(ranges), other.chunks(ranges)
    assert not {each.key for each in mine} & {each.key for each in others}


def test_each_range_has_a_key_of_its_own():
    keys = [RECIPE.key(a, b) for a in range(12) for b in range(a + 1, 13)]
    assert len(set(keys)) == len(keys)


# --- files ---------------------------------------------------------------------------


@pytest.fixture(params=["local", "memory"])
def folder(request, tmp_path):
    url = str(tmp_path) if request.param == "local" else f"memory://{tmp_path.name}"
    yield ChunkFolder(storage.join(url, "chunks"))
    storage.remove(url, recursive=True)


def test_a_chunk_comes_back_as_it_was_put(folder):
    chunk = Chunk("a" * 64, 3, 8)
    poses = some_poses(chunk)
    poses[2] = np.nan
    folder.put(chunk, Finished(poses, SOFTWARE))
    (back,) = folder.read([chunk])
    np.testing.assert_array_equal(back.poses, poses)
    assert back.poses.dtype == np.float32
    assert back.software == SOFTWARE


def test_only_the_chunks_that_are_there_are_read(folder):
    there, absent = Chunk("a" * 64, 0, 5), Chunk("b" * 64, 5, 10)
    folder.put(there, Finished(some_poses(there), SOFTWARE))
    assert folder.sound([there, absent]) == {there}
    assert folder.keys() == {there.key}
    with pytest.raises(AnalysisError, match=r"frames 5 to 9 is not, or is damaged .* Run it again"):
        list(folder.read([there, absent]))


def test_a_folder_that_is_not_there_holds_no_chunks(folder):
    assert folder.sound(RECIPE.chunks([(0, 5), (5, 10)])) == set()
    assert folder.keys() == set()


def test_many_threads_read_chunks_at_once(tmp_path):
    folder = ChunkFolder(tmp_path)
    chunks = RECIPE.chunks((n, n + 2) for n in range(0, 120, 2))
    for chunk in chunks:
        folder.put(chunk, Finished(some_poses(chunk), SOFTWARE))
    with ThreadPoolExecutor(4) as pool:
        assert all(found == set(chunks) for found in pool.map(folder.sound, [chunks] * 4))


def test_numpy_reads_a_chunk_by_itself(tmp_path):
    folder = ChunkFolder(tmp_path)
    chunk = Chunk("a" * 64, 0, 5)
    folder.put(chunk, Finished(some_poses(chunk), SOFTWARE))
    with np.load(tmp_path / f"{chunk.key}.npz", allow_pickle=False) as kept:
        np.testing.assert_array_equal(kept["poses"], some_poses(chunk))


def test_a_chunk_with_any_damaged_byte_is_not_taken(tmp_path):
    folder = ChunkFolder(tmp_path)
    chunk = Chunk("a" * 64, 0, 5)
    folder.put(chunk, Finished(some_poses(chunk), SOFTWARE))
    path = tmp_path / f"{chunk.key}.npz"
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[place] ^= 0x40
        path.write_bytes(damaged)
        assert folder.sound([chunk]) == set(), place


@pytest.mark.parametrize("length", [0, 1, 31, 32, 33, 500, -1])
def test_a_chunk_that_was_cut_off_is_not_taken(tmp_path, length):
    folder = ChunkFolder(tmp_path)
    chunk = Chunk("a" * 64, 0, 5)
    folder.put(chunk, Finished(some_poses(chunk), SOFTWARE))
    path = tmp_path / f"{chunk.key}.npz"
    path.write_bytes(path.read_bytes()[:length])
    assert folder.sound([chunk]) == set()


def test_a_chunk_under_the_name_of_another_is_not_taken(tmp_path):
    folder = ChunkFolder(tmp_path)
    mine, other = Chunk("a" * 64, 0, 5), Chunk("b" * 64, 5, 10)
    folder.put(mine, Finished(some_poses(mine), SOFTWARE))
    shutil.copy(tmp_path / f"{mine.key}.npz", tmp_path / f"{other.key}.npz")
    assert folder.sound([mine, other]) == {mine}


def test_removing_takes_the_chunks_of_earlier_configs_along(folder):
    for key in "ab":
        folder.put(Chunk(key * 64, 0, 5), Finished(some_poses(), SOFTWARE))
    folder.remove()
    assert not storage.exists(folder.url)
    folder.remove()


def test_a_folder_that_can_be_written_is_left_as_it_was(folder):
    folder.put(Chunk("a" * 64, 0, 5), Finished(some_poses(), SOFTWARE))
    before = storage.list_files(folder.url)
    folder.check_writable()
    assert storage.list_files(folder.url) == before


def test_a_folder_that_cannot_be_written_is_found_out_before_the_work(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        ChunkFolder(tmp_path / "file" / "chunks").check_writable()


# --- drawing ahead -------------------------------------------------------------------


def test_items_come_in_order_and_all_of_them():
    assert list(ahead(iter(range(50)), 3)) == list(range(50))
    assert list(ahead(iter(()), 3)) == []


def test_items_that_are_none_or_false_are_items():
    assert list(ahead(iter([None, 0, False, ()]), 2)) == [None, 0, False, ()]


def test_a_producers_error_comes_where_its_item_would_have_come():
    def broken():
        yield 1
        yield 2
        raise VideoError("the third")

    items = ahead(broken(), 2)
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(VideoError, match="the third"):
        next(items)


def test_closing_stops_the_producer():
    drawn = []
    items = ahead((drawn.append(n) for n in range(1000)), 2)
    next(items)
    items.close()
    assert len(drawn) <= 4
