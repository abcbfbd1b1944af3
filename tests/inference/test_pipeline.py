"""The pipeline: decoding, predicting and writing at once, without any model or video."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import pairwise

import numpy as np
import pytest

from posenb.errors import StorageError, VideoError
from posenb.inference.chunks import Recipe, in_spans
from posenb.inference.pipeline import Ring, ring_size, run_spans

RECIPE = Recipe("video", "model", (0, 8, 0, 6), 4)
K, SIZE, NBYTES = 3, 4, 6


def chunks_of(start, stop, size):
    borders = [*range(start, stop, size), stop]
    return RECIPE.chunks(pairwise(borders))


def frames_of(chunk, take, lost=()):
    """Batches whose frames tell their own index."""
    kept = [index for index in range(chunk.start, chunk.stop) if index not in lost]
    for i in range(0, len(kept), SIZE):
        indices = np.array(kept[i : i + SIZE])
        frames = take()[: len(indices)]
        frames[...] = indices[:, None]
        yield indices, frames


class See:
    """Tells the index of each frame as the x of all keypoints; counts calls under way."""

    def __init__(self, workers=1, look=lambda frames: None):
        self.workers = workers
        self.look = look
        self.now = self.most = 0
        self.turn = threading.Lock()

    def __call__(self, frames):
        with self.turn:
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            self.look(frames)
            poses = np.zeros((len(frames), K, 3), np.float32)
            poses[..., 0] = frames[:, :1]
            return poses
        finally:
            with self.turn:
                self.now -= 1


def collect(chunks, read=frames_of, predict=None, put=None, done=None, **options):
    """Run the pipeline, each chunk a span of its own; return the poses."""
    done = {} if done is None else done
    predict = predict or See()
    decoders = options.get("decoders", 1)
    ring = options.pop("ring", None) or Ring(ring_size(decoders, predict.workers), SIZE, NBYTES)
    spans = in_spans(chunks, range(10**6))

    @contextmanager
    def source():
        yield read

    put = put or done.__setitem__
    run_spans(spans, source, predict, put, shape=(K, 3), ring=ring, **options)
    return done


each_crew = pytest.mark.parametrize(
    ("decoders", "workers"), [(1, 1), (1, 2), (3, 1), (3, 2)], ids=str
)


@each_crew
def test_every_frame_of_every_chunk_is_predicted_in_its_row(decoders, workers):
    chunks = chunks_of(3, 200, 5)
    done = collect(chunks, predict=See(workers), decoders=decoders)
    assert set(done) == set(chunks)
    together = np.concatenate([done[chunk] for chunk in chunks])
    np.testing.assert_array_equal(together[:, 0, 0], np.arange(3, 200))
    assert together.shape == (197, K, 3)


def test_with_one_decoder_and_one_call_at_a_time_chunks_are_finished_in_order():
    chunks = chunks_of(0, 200, 5)
    assert list(collect(chunks)) == list(chunks)


@each_crew
def test_batches_that_are_held_up_spoil_no_others(decoders, workers):
    """Arrays are used again at once, so a batch that came back too early would show."""

    def dawdle(frames):
        before = frames.copy()
        time.sleep(0.001 * (int(frames[0, 0]) % 5))
        assert np.array_equal(frames, before)

    chunks = chunks_of(0, 120, 7)
    done = collect(chunks, predict=See(workers, dawdle), decoders=decoders)
    together = np.concatenate([done[chunk] for chunk in chunks])
    np.testing.assert_array_equal(together[:, 0, 0], np.arange(120))


def test_frames_that_cannot_be_decoded_keep_their_row_with_nan():
    chunks = chunks_of(0, 10, 5)
    done = collect(chunks, read=partial(frames_of, lost={0, 3, 9}))
    x = np.concatenate([done[chunk] for chunk in chunks])[:, 0, 0]
    np.testing.assert_array_equal(x, [np.nan, 1, 2, np.nan, 4, 5, 6, 7, 8, np.nan])


def test_a_chunk_without_one_decodable_frame_is_finished_too():
    chunks = chunks_of(0, 15, 5)
    done = collect(chunks, read=partial(frames_of, lost=set(range(5, 10))))
    assert np.isnan(done[chunks[1]]).all()
    assert done[chunks[1]].shape == (5, K, 3)
    assert not np.isnan(done[chunks[2]]).any()


def test_progress_counts_each_frame_once_whether_it_decodes_or_not():
    steps = []
    read = partial(frames_of, lost={1, 5, 6, 7, 8, 9})
    collect(chunks_of(0, 15, 5), read=read, on_frames=steps.append)
    assert sum(steps) == 15


def test_no_chunks_are_no_work():
    assert collect([]) == {}


def test_the_chunks_of_a_span_are_decoded_by_one_decoder_in_order():
    seen = {}

    def read(chunk, take):
        seen.setdefault(threading.current_thread().name, []).append(chunk.start)
        time.sleep(0.002)
        yield from frames_of(chunk, take)

    @contextmanager
    def source():
        yield read

    spans = in_spans(chunks_of(0, 120, 10), {0, 40, 80})
    assert [len(span) for span in spans] == [4, 4, 4]
    done = {}
    ring = Ring(9, SIZE, NBYTES)
    options = {"shape": (K, 3), "ring": ring, "decoders": 3}
    run_spans(spans, source, See(2), done.__setitem__, **options)
    assert len(done) == 12
    runs = [start for starts in seen.values() for start in starts]
    for first in (0, 40, 80):
        at = runs.index(first)
        assert runs[at : at + 4] == [first, first + 10, first + 20, first + 30]


def test_as_many_calls_are_under_way_as_the_runtime_likes_and_no_more():
    together = threading.Barrier(3, timeout=20)
    predict = See(3, lambda frames: together.wait())
    collect(chunks_of(0, 24 * SIZE, 2 * SIZE), predict=predict)
    assert predict.most == 3


# --- failures ------------------------------------------------------------------------


def from_frame(first, error):
    def look(frames):
        if frames[0, 0] >= first:
            raise error

    return look


def test_what_was_finished_before_a_failure_is_kept():
    chunks, done = chunks_of(0, 20, 5), {}
    with pytest.raises(KeyboardInterrupt):
        collect(chunks, predict=See(1, from_frame(12, KeyboardInterrupt)), done=done)
    assert list(done) == list(chunks[:2])


@each_crew
def test_a_failure_of_the_model_is_raised_and_no_torn_chunk_is_written(decoders, workers):
    chunks, done = chunks_of(0, 200, 7), {}
    predict = See(workers, from_frame(100, ZeroDivisionError("model")))
    with pytest.raises(ZeroDivisionError, match="model"):
        collect(chunks, predict=predict, done=done, decoders=decoders)
    for chunk, poses in done.items():
        np.testing.assert_array_equal(poses[:, 0, 0], np.arange(chunk.start, chunk.stop))


def test_a_failure_to_decode_is_raised_and_what_was_finished_is_kept():
    chunks, done = chunks_of(0, 20, 5), {}

    def read(chunk, take):
        if chunk.start == 10:
            raise VideoError("damaged")
        yield from frames_of(chunk, take)

    with pytest.raises(VideoError, match="damaged"):
        collect(chunks, read=read, done=done, predict=See(1, lambda frames: time.sleep(0.01)))
    assert list(done) == list(chunks[:2])


def test_a_failure_to_open_the_video_is_raised():
    @contextmanager
    def source():
        raise VideoError("gone")
        yield

    spans = in_spans(chunks_of(0, 20, 5), range(100))
    for decoders in (1, 3):
        options = {"ring": Ring(4, SIZE, NBYTES), "decoders": decoders}
        with pytest.raises(VideoError, match="gone"):
            run_spans(spans, source, See(), lambda *_: None, shape=(K, 3), **options)


@pytest.mark.parametrize("last", [False, True])
def test_a_failure_to_write_is_raised(last):
    chunks = chunks_of(0, 20, 5)

    def put(chunk, poses):
        if chunk == chunks[-1 if last else 0]:
            raise StorageError("disk full")

    with pytest.raises(StorageError, match="disk full"):
        collect(chunks, put=put)


def test_an_interrupt_while_the_progress_is_told_ends_the_work_and_keeps_what_is_whole():
    chunks, done = chunks_of(0, 200, 5), {}
    steps = []

    def interrupt(count):
        steps.append(count)
        if sum(steps) > 12:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        collect(chunks, done=done, on_frames=interrupt)
    assert list(done) == list(chunks[:2])


@pytest.mark.parametrize("fault", ["none", "model", "decoder", "disk", "interrupt"])
@each_crew
def test_no_thread_is_left_behind(fault, decoders, workers):
    def fail(*_):
        raise ZeroDivisionError

    def broken(chunk, take):
        yield from frames_of(chunk, take)
        fail()

    options = {
        "none": {},
        "model": {"predict": See(workers, fail)},
        "decoder": {"read": broken},
        "disk": {"put": fail},
        "interrupt": {"on_frames": fail},
    }[fault]
    before = threading.active_count()
    options = {"predict": See(workers), "decoders": decoders, **options}
    try:
        collect(chunks_of(0, 200, 5), **options)
    except ZeroDivisionError:
        assert fault != "none"
    else:
        assert fault == "none"
    assert threading.active_count() == before


# --- back-pressure -------------------------------------------------------------------


def test_a_slow_model_holds_the_decoder_back():
    """Memory is constant: no more batches are decoded ahead than the ring has arrays."""
    drawn, seen, most = 0, 0, 0

    def read(chunk, take):
        nonlocal drawn
        for batch in frames_of(chunk, take):
            drawn += 1
            yield batch

    def slow(frames):
        nonlocal seen, most
        time.sleep(0.002)
        most = max(most, drawn - seen)
        seen += 1

    collect(chunks_of(0, 240, 8), read=read, predict=See(1, slow), ring=Ring(3, SIZE, NBYTES))
    assert drawn == seen == 60
    assert 2 <= most <= 3


def test_a_slow_disk_holds_the_model_back():
    written, most = 0, 0

    def put(chunk, poses):
        nonlocal written
        time.sleep(0.005)
        written += 1

    def fast(frames):
        nonlocal most
        most = max(most, int(frames[0, 0]) // SIZE - written)

    # One being written, one waiting, one in the making, and what the ring holds.
    collect(chunks_of(0, 240, SIZE), predict=See(1, fast), put=put, ring=Ring(2, SIZE, NBYTES))
    assert written == 60
    assert most <= 5


def test_the_same_few_arrays_go_round():
    arrays = set()
    collect(
        chunks_of(0, 240, 8),
        predict=See(2, lambda frames: arrays.add(frames.ctypes.data)),
        ring=Ring(ring_size(1, 2), SIZE, NBYTES),
    )
    assert len(arrays) <= ring_size(1, 2)


def test_a_ring_of_one_array_is_enough():
    chunks = chunks_of(0, 60, 7)
    done = collect(chunks, predict=See(2), decoders=3, ring=Ring(1, SIZE, NBYTES))
    assert set(done) == set(chunks)


def test_a_ring_that_was_stopped_ends_all_who_wait():
    ring = Ring(1, SIZE, NBYTES)
    assert ring.take().shape == (SIZE, NBYTES)
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(ring.take) for _ in range(3)]
        ring.stop()
        assert all(each.exception(timeout=20) is not None for each in waiting)
