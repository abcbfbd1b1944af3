"""Arrays, sockets and streams as sources of frames."""

import socket
import threading
import time
import warnings

import numpy as np
import pytest

from posenb.errors import InvalidInputError, VideoError, VideoWarning
from posenb.live import send_frame, socket_frames
from posenb.live.newest import in_turn, newest
from posenb.live.sources import open_feed
from posenb.video import open_camera, write_video

RNG = np.random.default_rng(0)
FRAMES = RNG.integers(0, 256, (5, 6, 8, 3), np.uint8)


@pytest.fixture
def serve():
    """Return a function that serves bytes to the one who connects, and tells the address."""
    threads, listeners = [], []

    def start(work):
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def run():
            connection, _ = listener.accept()
            with connection:
                work(connection)

        thread = threading.Thread(target=run, daemon=True)
        threads.append(thread)
        thread.start()
        return listener.getsockname()

    yield start
    for thread, listener in zip(threads, listeners, strict=True):
        thread.join(5)
        listener.close()


# --- arrays --------------------------------------------------------------------------


def test_arrays_of_colour_and_of_grey_are_frames():
    with open_feed(iter(FRAMES)) as feed:
        assert (feed.format.kind, feed.format.height, feed.format.width) == ("rgb", 6, 8)
        np.testing.assert_array_equal(list(feed.frames), FRAMES.reshape(5, -1))
    with open_feed([frame[..., 0] for frame in FRAMES]) as feed:
        assert feed.format.kind == "grey"
        np.testing.assert_array_equal(list(feed.frames), FRAMES[..., 0].reshape(5, -1))


def test_a_frame_that_is_a_view_of_another_one_is_read_as_it_looks():
    turned = [np.ascontiguousarray(frame[..., ::-1])[..., ::-1] for frame in FRAMES]
    with open_feed(turned) as feed:
        np.testing.assert_array_equal(list(feed.frames), FRAMES.reshape(5, -1))


@pytest.mark.parametrize(
    ("frame", "got"),
    [
        (FRAMES[0].astype(float), r"float64 \(6, 8, 3\)"),
        (FRAMES[0][..., :2], r"uint8 \(6, 8, 2\)"),
        (FRAMES[:1], r"uint8 \(1, 6, 8, 3\)"),
        (FRAMES[0][:0], r"uint8 \(0, 8, 3\)"),
        ("frame", "str"),
    ],
)
def test_what_is_no_frame_is_refused(frame, got):
    with pytest.raises(InvalidInputError, match=f"got {got}"), open_feed([frame]):
        pass


def test_a_source_that_gives_nothing_is_refused():
    with pytest.raises(InvalidInputError, match="ended before the first one"), open_feed([]):
        pass


def test_a_frame_of_another_size_is_refused_when_it_comes():
    with open_feed([FRAMES[0], FRAMES[1][:4]]) as feed:
        frames = iter(feed.frames)
        next(frames)
        with pytest.raises(InvalidInputError, match=r"\(6, 8, 3\) as the first; got uint8 \(4, "):
            next(frames)


# --- the newest wins -----------------------------------------------------------------


def test_a_slow_consumer_gets_the_newest_frame_and_the_numbers_tell_what_was_left_out():
    go_on = threading.Event()

    def source():
        yield np.array([0])
        go_on.wait(5)
        yield from (np.array([number]) for number in range(1, 50))

    arrivals = newest(source())
    number, _, frame = next(arrivals)
    assert (number, *frame) == (0, 0)
    go_on.set()
    time.sleep(0.2)
    number, _, frame = next(arrivals)
    assert (number, *frame) == (49, 49)
    assert list(arrivals) == []


def test_frames_are_copied_for_a_source_that_uses_its_array_again():
    array = np.zeros(1)

    def source():
        yield array
        array[:] = 7
        time.sleep(0.1)

    arrivals = newest(source())
    assert next(arrivals)[2] == 0


def test_what_the_source_raises_comes_after_its_last_frame():
    def source():
        yield np.zeros(1)
        raise OSError("unplugged")

    arrivals = newest(source())
    next(arrivals)
    with pytest.raises(OSError, match="unplugged"):
        next(arrivals)


def test_closing_stops_the_source():
    closed = threading.Event()

    def source():
        try:
            while True:
                yield np.zeros(1)
                time.sleep(0.001)
        finally:
            closed.set()

    arrivals = newest(source())
    next(arrivals)
    arrivals.close()
    assert closed.wait(5)


def test_in_turn_nothing_is_drawn_before_it_is_wanted():
    drawn = []

    def source():
        for number in range(3):
            drawn.append(number)
            yield np.array([number])

    arrivals = in_turn(source(), clock=iter([1.5, 2.5, 3.5]).__next__)
    assert [next(arrivals)[:2] for _ in range(2)] == [(0, 1.5), (1, 2.5)]
    assert drawn == [0, 1]


# --- sockets -------------------------------------------------------------------------


def test_frames_travel_through_a_socket(serve):
    address = serve(lambda connection: [send_frame(connection, frame) for frame in FRAMES])
    np.testing.assert_array_equal(list(socket_frames(address)), FRAMES)


def test_grey_frames_arrive_in_colour(serve):
    address = serve(lambda connection: send_frame(connection, FRAMES[0, ..., 0]))
    (frame,) = socket_frames(address)
    np.testing.assert_array_equal(frame, np.repeat(FRAMES[0, ..., :1], 3, axis=2))


@pytest.mark.parametrize("kept", [3, 8, 100])
def test_a_connection_that_ends_within_a_frame_gives_the_whole_ones(serve, kept):
    def work(connection):
        send_frame(connection, FRAMES[0])
        whole = FRAMES[1].tobytes()
        connection.sendall(((6).to_bytes(4, "big") + (8).to_bytes(4, "big") + whole)[:kept])

    frames = socket_frames(serve(work))
    np.testing.assert_array_equal(next(frames), FRAMES[0])
    with pytest.warns(VideoWarning, match="closed within a frame"):
        assert list(frames) == []


@pytest.mark.parametrize("head", [b"HTTP/1.1", bytes(8), b"\xff" * 8])
def test_what_does_not_begin_like_a_frame_is_refused_before_memory_is_taken(serve, head):
    frames = socket_frames(serve(lambda connection: connection.sendall(head)))
    with pytest.raises(VideoError, match="begins with its height and width"):
        next(frames)


def test_nobody_listening_is_told():
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = free.getsockname()
    with pytest.raises(VideoError, match=r"the one to 127\.0\.0\.1:\d+ failed"):
        next(socket_frames(address))


def test_silence_ends_the_wait_if_one_wants_it_to(serve):
    frames = socket_frames(serve(lambda connection: connection.recv(1)), timeout=0.1)
    with pytest.raises(VideoError, match="timed out"):
        next(frames)
    frames.close()


# --- cameras, as far as a machine without one goes -----------------------------------


def test_pictures_that_ffmpeg_makes_up_come_as_from_a_camera():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with open_camera("lavfi:color=red:size=64x48,format=rgb24") as camera:
            frames = iter(camera)
            assert (camera.format.kind, camera.format.height, camera.format.width) == (
                "rgb",
                48,
                64,
            )
            first, second = next(frames), next(frames)
            assert first is not second
            assert first.reshape(48, 64, 3)[5, 5].tolist() == pytest.approx([253, 0, 0], abs=5)


def test_a_stream_ends_with_its_last_frame(tmp_path):
    path = tmp_path / "five.mp4"
    write_video(path, RNG.integers(0, 256, (5, 32, 48, 3), np.uint8), fps=25)
    with open_camera(str(path)) as camera:
        frames = list(camera)
    assert len(frames) == 5
    assert {len(frame) for frame in frames} == {camera.format.nbytes}


def test_frames_of_a_file_wait_and_those_of_a_stream_do_not(tmp_path):
    path = tmp_path / "five.mp4"
    write_video(path, RNG.integers(0, 256, (5, 32, 48, 3), np.uint8), fps=25)
    with open_feed(str(path)) as feed:
        assert feed.waits
        assert len(list(feed.frames)) == 5
    with open_feed("lavfi:testsrc=size=64x48:rate=20:duration=0.1") as feed:
        assert not feed.waits


@pytest.mark.parametrize(("system", "name"), [("linux", "/dev/video77"), ("darwin", "camera:77")])
@pytest.mark.parametrize("source", [77, "77"])
def test_a_camera_may_be_named_by_its_number(monkeypatch, system, name, source):
    monkeypatch.setattr("sys.platform", system)
    asked = []

    def no_camera(named):
        asked.append(named)
        raise VideoError("none here")

    monkeypatch.setattr("posenb.live.sources.open_camera", no_camera)
    with pytest.raises(VideoError, match="none here"), open_feed(source):
        pass
    assert asked == [name]


@pytest.mark.parametrize("source", ["/dev/video77", "v4l2:/dev/video77", "no such file.mp4"])
def test_a_camera_that_is_not_there_is_told(source):
    with pytest.raises(VideoError, match=f"{source} cannot be opened"):
        open_camera(source)


def test_a_stream_without_pictures_is_refused():
    with pytest.raises(VideoError, match="holds audio"):
        open_camera("lavfi:sine=duration=1")


def test_a_camera_that_is_closed_while_it_is_read_ends_with_the_next_frame():
    camera = open_camera("lavfi:testsrc=size=64x48:rate=20,realtime")
    frames = iter(camera)
    next(frames)
    got = []
    thread = threading.Thread(target=lambda: got.extend(frames))
    thread.start()
    time.sleep(0.12)
    camera.close()
    thread.join(5)
    assert not thread.is_alive()
