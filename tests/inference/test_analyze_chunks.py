"""Chunks: keys, files and the runner, without any model or video."""

import shutil
import threading
import time

import numpy as np
import pytest

from posenb import storage
from posenb.errors import StorageError, VideoError
from posenb.inference.ahead import ahead
from posenb.inference.chunks import Chunk, ChunkFolder, Finished, Recipe, run_chunks

RECIPE = Recipe("video", "model", (0, 8, 0, 6), 4)
SOFTWARE = {"posenb": "1", "keras": "3"}
K = 3


def frames_of(chunk, size=4, lost=()):
    """Batches whose frames tell their own index."""
    kept = [index for index in range(chunk.start, chunk.stop) if index not in lost]
    for i in range(0, len(kept), size):
        indices = np.array(kept[i : i + size])
        yield indices, np.zeros((len(indices), 6, 8, 3), np.uint8) + indices[:, None, None, None]


def see(frames):
    """Tell the index of each frame as the x of all keypoints."""
    poses = np.zeros((len(frames), K, 3), np.float32)
    poses[..., 0] = frames[:, 0, 0, :1]
    return poses


def collect(chunks, **options):
    done = {}
    read = options.pop("read", frames_of)
    predict = options.pop("predict", see)
    run_chunks(chunks, read, predict, done.__setitem__, keypoints=K, **options)
    return done


def some_poses(chunk=None, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(5 if chunk is None else len(chunk), K, 3)).astype(np.float32)


# --- keys ----------------------------------------------------------------------------


def test_chunks_cover_the_range_without_overlap_and_the_last_is_shorter():
    chunks = RECIPE.chunks(3, 20, 5)
    assert [(each.start, each.stop) for each in chunks] == [(3, 8), (8, 13), (13, 18), (18, 20)]
    assert [len(each) for each in chunks] == [5, 5, 5, 2]


def test_the_same_facts_give_the_same_key_in_every_process():
    key = Recipe("v", "m", (0, 8, 0, 6), 4).key(0, 5)
    assert key == "7b1c37d62711d34411331cdfe09cf3e35d375b96f309a61190573211af063ffa"


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
    mine, others = RECIPE.chunks(0, 20, 5), other.chunks(0, 20, 5)
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
    back = folder.get_all([chunk])[chunk]
    np.testing.assert_array_equal(back.poses, poses)
    assert back.poses.dtype == np.float32
    assert back.software == SOFTWARE


def test_only_the_chunks_that_are_there_are_read(folder):
    there, absent = Chunk("a" * 64, 0, 5), Chunk("b" * 64, 5, 10)
    folder.put(there, Finished(some_poses(there), SOFTWARE))
    assert set(folder.get_all([there, absent])) == {there}


def test_a_folder_that_is_not_there_holds_no_chunks(folder):
    assert folder.get_all(RECIPE.chunks(0, 10, 5)) == {}


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
        assert folder.get_all([chunk]) == {}, place


@pytest.mark.parametrize("length", [0, 1, 31, 32, 33, 500, -1])
def test_a_chunk_that_was_cut_off_is_not_taken(tmp_path, length):
    folder = ChunkFolder(tmp_path)
    chunk = Chunk("a" * 64, 0, 5)
    folder.put(chunk, Finished(some_poses(chunk), SOFTWARE))
    path = tmp_path / f"{chunk.key}.npz"
    path.write_bytes(path.read_bytes()[:length])
    assert folder.get_all([chunk]) == {}


def test_a_chunk_under_the_name_of_another_is_not_taken(tmp_path):
    folder = ChunkFolder(tmp_path)
    mine, other = Chunk("a" * 64, 0, 5), Chunk("b" * 64, 5, 10)
    folder.put(mine, Finished(some_poses(mine), SOFTWARE))
    shutil.copy(tmp_path / f"{mine.key}.npz", tmp_path / f"{other.key}.npz")
    assert set(folder.get_all([mine, other])) == {mine}


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


# --- the runner ----------------------------------------------------------------------


def test_every_frame_of_every_chunk_is_predicted_in_its_row():
    chunks = RECIPE.chunks(3, 20, 5)
    done = collect(chunks)
    assert list(done) == list(chunks)
    together = np.concatenate([done[chunk] for chunk in chunks])
    np.testing.assert_array_equal(together[:, 0, 0], np.arange(3, 20))
    assert together.shape == (17, K, 3)


def test_frames_that_cannot_be_decoded_keep_their_row_with_nan():
    chunks = RECIPE.chunks(0, 10, 5)
    done = collect(chunks, read=lambda chunk: frames_of(chunk, lost={0, 3, 9}))
    x = np.concatenate([done[chunk] for chunk in chunks])[:, 0, 0]
    np.testing.assert_array_equal(x, [np.nan, 1, 2, np.nan, 4, 5, 6, 7, 8, np.nan])


def test_a_chunk_without_one_decodable_frame_is_finished_too():
    chunks = RECIPE.chunks(0, 15, 5)
    done = collect(chunks, read=lambda chunk: frames_of(chunk, lost=set(range(5, 10))))
    assert np.isnan(done[chunks[1]]).all()
    assert done[chunks[1]].shape == (5, K, 3)
    assert not np.isnan(done[chunks[2]]).any()


def test_progress_counts_each_frame_once_whether_it_decodes_or_not():
    steps = []
    collect(
        RECIPE.chunks(0, 15, 5),
        read=lambda chunk: frames_of(chunk, lost={1, 5, 6, 7, 8, 9}),
        on_frames=steps.append,
    )
    assert sum(steps) == 15


def test_no_chunks_are_no_work():
    assert collect([]) == {}


def test_what_was_finished_before_a_failure_is_kept():
    chunks = RECIPE.chunks(0, 20, 5)

    def fail(frames):
        if frames[0, 0, 0, 0] >= 12:
            raise KeyboardInterrupt
        return see(frames)

    done = {}
    with pytest.raises(KeyboardInterrupt):
        run_chunks(chunks, frames_of, fail, done.__setitem__, keypoints=K)
    assert list(done) == list(chunks[:2])


def test_a_failure_to_decode_is_raised_and_what_was_finished_is_kept():
    chunks = RECIPE.chunks(0, 20, 5)

    def read(chunk):
        if chunk.start == 10:
            raise VideoError("damaged")
        yield from frames_of(chunk)

    done = {}
    with pytest.raises(VideoError, match="damaged"):
        run_chunks(chunks, read, see, done.__setitem__, keypoints=K)
    assert list(done) == list(chunks[:2])


@pytest.mark.parametrize("last", [False, True])
def test_a_failure_to_write_is_raised(last):
    chunks = RECIPE.chunks(0, 20, 5)

    def put(chunk, poses):
        if chunk == chunks[-1 if last else 0]:
            raise StorageError("disk full")

    with pytest.raises(StorageError, match="disk full"):
        run_chunks(chunks, frames_of, see, put, keypoints=K)


def test_no_thread_is_left_behind():
    before = threading.active_count()
    collect(RECIPE.chunks(0, 20, 5))
    with pytest.raises(ZeroDivisionError):
        collect(RECIPE.chunks(0, 20, 5), predict=lambda frames: 1 / 0)
    assert threading.active_count() == before


def test_a_slow_model_holds_the_decoder_back():
    """Memory is constant: at most two batches wait, one is decoded, one predicted."""
    drawn, seen, most = 0, 0, 0

    def read(chunk):
        nonlocal drawn
        for batch in frames_of(chunk, size=1):
            drawn += 1
            yield batch

    def slow(frames):
        nonlocal seen, most
        time.sleep(0.002)
        most = max(most, drawn - seen)
        seen += 1
        return see(frames)

    collect(RECIPE.chunks(0, 100, 10), read=read, predict=slow)
    assert drawn == seen == 100
    assert most <= 3


def test_a_slow_disk_holds_the_model_back():
    written, most = 0, 0

    def put(chunk, poses):
        nonlocal written
        time.sleep(0.005)
        written += 1

    def fast(frames):
        nonlocal most
        most = max(most, int(frames[0, 0, 0, 0]) // 2 - written)
        return see(frames)

    chunks = RECIPE.chunks(0, 40, 2)
    run_chunks(chunks, frames_of, fast, put, keypoints=K)
    assert written == 20
    assert most <= 2


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
