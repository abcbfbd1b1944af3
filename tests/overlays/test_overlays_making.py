"""Labelled videos: what is in the file, where it goes, what is refused."""

import threading
from base64 import b64encode
from pathlib import Path

import numpy as np
import pytest

from posenb import storage
from posenb._progress import silent_progress
from posenb.core import Poses, Skeleton
from posenb.errors import AnalysisError, InvalidInputError, LabelError, PosenbError, StorageError
from posenb.inference.record import write_analysis
from posenb.overlays import labelled_video
from posenb.overlays.making import _pictures
from posenb.video import open_video, write_video

WIDTH, HEIGHT, FRAMES, FPS = 96, 64, 30, 25
PLAIN = {
    "stamp": "none",
    "past": 0.0,
    "theme": "dark",
    "radius": 4.0,
    "crf": 5,
    "progress": silent_progress,
}


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("POSENB_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A video that grows brighter by 4 grey levels in each frame."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    frames = (np.full((HEIGHT, WIDTH, 3), 20 + 4 * n, np.uint8) for n in range(FRAMES))
    write_video(path, frames, FPS)
    return path


def track(frames=FRAMES, keypoints=1):
    """One keypoint that moves by 1.3, 0.7 pixels in each frame, and others on a line below."""
    positions = np.zeros((frames, 1, keypoints, 2))
    positions[..., 0] = 20 + 1.3 * np.arange(frames)[:, None, None]
    positions[..., 1] = 15 + 0.7 * np.arange(frames)[:, None, None] + 9 * np.arange(keypoints)
    names = tuple(f"part{k}" for k in range(keypoints))
    return Poses(positions, np.ones((frames, 1, keypoints)), Skeleton(names), fps=FPS)


def frames_of(url):
    with open_video(url) as video:
        return [frame for _, frame in video.read()]


def spot(frame):
    """Where the coloured spot lies in a grey picture."""
    values = frame.astype(float)
    colour = np.clip(values.max(axis=2) - values.min(axis=2) - 25, 0, None)
    rows, columns = np.indices(colour.shape)
    return (columns * colour).sum() / colour.sum(), (rows * colour).sum() / colour.sum()


# --- the file ------------------------------------------------------------------------


def test_each_frame_shows_the_source_and_its_own_poses(clip, tmp_path):
    made = labelled_video(track(), clip, output=tmp_path / "out.mp4", **PLAIN)
    frames = frames_of(made)
    assert len(frames) == FRAMES
    for n, frame in enumerate(frames):
        assert frame[60, 90].mean() == pytest.approx(20 + 4 * n, abs=2)
        assert spot(frame) == pytest.approx((20 + 1.3 * n, 15 + 0.7 * n), abs=0.5)


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.5])
@pytest.mark.parametrize("crop", [None, (10, 70, 4, 44)])
def test_crop_and_scale_move_the_poses_with_the_picture(clip, tmp_path, scale, crop):
    options = {**PLAIN, "radius": 5.0, "scale": scale, "crop": crop, "start": 5, "stop": 9}
    made = labelled_video(track(), clip, output=tmp_path / "out.mp4", **options)
    left, right, top, bottom = crop or (0, WIDTH, 0, HEIGHT)
    frame = frames_of(made)[2]
    assert frame.shape == ((bottom - top) * scale, (right - left) * scale, 3)
    x, y = (20 + 1.3 * 7 - left + 0.5) * scale - 0.5, (15 + 0.7 * 7 - top + 0.5) * scale - 0.5
    assert spot(frame) == pytest.approx((x, y), abs=0.5)


def test_the_file_is_what_browsers_play(clip, tmp_path):
    made = Path(labelled_video(track(), clip, output=tmp_path / "out.mp4", **PLAIN))
    with open_video(made) as video:
        assert (video.codec, video.pixel_format, video.fps) == ("h264", "yuv420p", FPS)
    data = made.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


@pytest.mark.browser
def test_a_browser_plays_it(clip, tmp_path, chrome):
    made = Path(labelled_video(track(), clip, output=tmp_path / "out.mp4", **PLAIN))
    page_text = (
        "<video muted autoplay src='data:video/mp4;base64,"
        f"{b64encode(made.read_bytes()).decode()}'></video>"
    )
    page = chrome.new_page()
    kind = 'video/mp4; codecs="avc1.64000a"'
    if not page.evaluate("k => document.createElement('video').canPlayType(k)", kind):
        page.close()
        pytest.skip("this Chromium is built without H.264; the container is tested above")
    page.set_content(page_text)
    page.wait_for_function("document.querySelector('video').ended", timeout=20_000)
    seen = page.evaluate(
        "() => { const v = document.querySelector('video');"
        " return [v.videoWidth, v.videoHeight, v.duration, v.error === null] }"
    )
    page.close()
    assert seen == [WIDTH, HEIGHT, pytest.approx(FRAMES / FPS, abs=0.05), True]


@pytest.mark.parametrize(("speed", "fps", "count"), [(2, 50, 30), (10, 50, 6), (0.2, 10, 60)])
def test_speed_changes_how_long_it_plays(clip, tmp_path, speed, fps, count):
    made = labelled_video(track(), clip, output=tmp_path / "out.mp4", speed=speed, **PLAIN)
    with open_video(made) as video:
        assert (video.fps, len(video)) == (fps, count)
        shown = [float(frame[60, 90].mean() - 20) / 4 for frame in video]
    expected = np.arange(0, FRAMES, 5) if count == 6 else np.repeat(range(FRAMES), count // FRAMES)
    np.testing.assert_allclose(shown, expected, atol=0.5)


def test_traces_stand_beside_or_below(clip, tmp_path):
    options = {**PLAIN, "traces": True, "stop": 3, "output": tmp_path / "out.mp4"}
    beside = frames_of(labelled_video(track(), clip, scale=3, **options))[0]
    assert beside.shape == (192, 3 * WIDTH + 320, 3)
    below = frames_of(labelled_video(track(), clip, crop=(0, 96, 0, 40), scale=4, **options))[0]
    assert below.shape == (160 + 230, 4 * WIDTH, 3)
    with pytest.raises(InvalidInputError, match=r"at least 120 x 120.*96 x 64.*larger scale"):
        labelled_video(track(), clip, **options)


def test_frame_and_time_stand_in_the_corner(clip, tmp_path):
    plain = {**PLAIN, "stop": 2, "output": tmp_path / "out.mp4", "scale": 3}
    without = frames_of(labelled_video(track(), clip, **plain))[1]
    words = {
        stamp: frames_of(labelled_video(track(), clip, **{**plain, "stamp": stamp}))[1]
        for stamp in ("frame", "time", "both")
    }
    corner = np.s_[150:, :150]
    lit = {stamp: (frame[corner] > 180).sum() for stamp, frame in words.items()}
    assert not (without[corner] > 180).any()
    assert min(lit["frame"], lit["time"]) > 0
    assert lit["both"] > max(lit["frame"], lit["time"])


def test_names_and_trails_are_drawn(clip, tmp_path):
    plain = {
        **PLAIN,
        "radius": 3.0,
        "start": 15,
        "stop": 16,
        "output": tmp_path / "out.mp4",
        "scale": 3,
    }
    poses = track(keypoints=2)
    bare = frames_of(labelled_video(poses, clip, **plain))[0].astype(int)
    for options in ({"names": "keypoints"}, {"past": 0.4}, {"future": 0.3}):
        frame = frames_of(labelled_video(poses, clip, **{**plain, **options}))[0]
        assert (abs(frame - bare) > 20).any(axis=2).sum() > 20


# --- odd poses -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "poses",
    [
        Poses(np.full((FRAMES, 1, 2, 2), np.nan), np.zeros((FRAMES, 1, 2)), Skeleton(("a", "b"))),
        Poses(np.full((1, 1, 1, 2), 9.0), np.ones((1, 1, 1)), Skeleton(("a",)), np.array([12])),
        Poses(np.full((2, 1, 1, 2), 1e6), np.ones((2, 1, 1)), Skeleton(("a",)), np.array([3, 9])),
    ],
    ids=["nothing found", "one frame", "far outside"],
)
def test_poses_of_nothing_of_one_frame_and_outside_are_drawn(poses, clip, tmp_path):
    made = labelled_video(
        poses, clip, output=tmp_path / "out.mp4", scale=2, traces=True, progress=silent_progress
    )
    assert len(frames_of(made)) == poses.frames[-1] - poses.frames[0] + 1


def test_no_poses_at_all_are_refused(clip, tmp_path):
    empty = Poses(np.zeros((0, 1, 1, 2)), np.zeros((0, 1, 1)), Skeleton(("a",)))
    with pytest.raises(InvalidInputError, match=r"there are none.*clip.mp4"):
        labelled_video(empty, clip, output=tmp_path / "out.mp4")


def test_poses_of_a_longer_video_are_refused(clip, tmp_path):
    with pytest.raises(InvalidInputError, match=r"0 to 30.*has frames 0 to 29"):
        labelled_video(track(FRAMES + 1), clip, output=tmp_path / "out.mp4")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("crop", [(0, 97, 0, 20), (-1, 20, 0, 20), (20, 20, 0, 10)])
def test_a_crop_outside_the_picture_is_refused(clip, tmp_path, crop):
    with pytest.raises(InvalidInputError, match=r"A crop is x1, x2, y1, y2.*96 x 64"):
        labelled_video(track(), clip, output=tmp_path / "out.mp4", crop=crop)


def test_a_picture_of_no_size_is_refused(clip, tmp_path):
    with pytest.raises(InvalidInputError, match=r"16 to 8192 pixels.*10 x 6"):
        labelled_video(track(), clip, output=tmp_path / "out.mp4", scale=0.1)


class Damaged:
    """A reader of frames of which some cannot be decoded."""

    def __init__(self, *lost):
        self.lost = lost

    def read(self, start, stop, step):
        return ((n, np.full(1, n)) for n in range(start, stop, step) if n not in self.lost)


def test_a_frame_that_cannot_be_decoded_shows_the_one_before():
    shown = [(n, int(f[0])) for n, f in _pictures(Damaged(0, 4, 5, 9), np.arange(10))]
    pictures = [1, 1, 2, 3, 3, 3, 6, 7, 8, 8]
    assert shown == list(enumerate(pictures))
    twice = _pictures(Damaged(4), np.array([2, 2, 4, 4, 6, 6]))
    assert [(n, int(f[0])) for n, f in twice] == [(2, 2), (2, 2), (4, 2), (4, 2), (6, 6), (6, 6)]


# --- where it goes and where the video is --------------------------------------------


@pytest.fixture
def analysis(clip, tmp_path):
    """An analysis of a video in a project, as analyze leaves it."""
    project = tmp_path / "reach"
    (project / "videos").mkdir(parents=True)
    (project / "videos" / "clip.mp4").write_bytes(clip.read_bytes())
    story = {
        "key": "k",
        "video": {"url": "videos/clip.mp4", "fps": FPS},
        "model": {"description": {"keypoints": ["part0"], "edges": []}},
    }
    return write_analysis(str(project / "poses" / "clip" / "first"), track(), story)


def test_an_analysis_knows_its_video_and_takes_the_new_one_beside_it(analysis):
    folder = storage.parent(analysis.url)
    for poses in (analysis, folder, analysis.url):
        made = labelled_video(poses, stop=2, **PLAIN)
        assert made == storage.join(folder, "labelled.mp4")
        assert len(frames_of(made)) == 2
        storage.remove(made)


def test_a_video_that_is_gone_is_missed_by_name(analysis):
    project = storage.parent(storage.parent(storage.parent(storage.parent(analysis.url))))
    storage.remove(storage.join(project, "videos/clip.mp4"))
    with pytest.raises(AnalysisError, match=r"videos/clip.mp4, is not there any more. Name it"):
        labelled_video(analysis)
    with pytest.raises(StorageError, match=r"nowhere.mp4"):
        labelled_video(analysis, storage.join(project, "nowhere.mp4"))


def test_poses_that_tell_no_video_need_one_and_lie_beside_it(clip, tmp_path):
    with pytest.raises(AnalysisError, match=r"is not told. Name it"):
        labelled_video(track())
    own = tmp_path / "own.mp4"
    own.write_bytes(clip.read_bytes())
    made = labelled_video(track(), own, stop=2, **PLAIN)
    assert made == str(tmp_path / "own_labelled.mp4")


def test_a_folder_takes_it_under_the_name_of_the_video(clip, tmp_path):
    assert labelled_video(track(), clip, output=tmp_path, stop=2, **PLAIN) == str(
        tmp_path / "clip_labelled.mp4"
    )
    url = f"memory://{tmp_path.name}/new/"
    made = labelled_video(track(), clip, output=url, stop=2, **PLAIN)
    assert made == f"{url}clip_labelled.mp4"
    assert len(frames_of(made)) == 2


def test_the_source_is_never_replaced(clip, tmp_path):
    own = tmp_path / "own.mp4"
    own.write_bytes(clip.read_bytes())
    for output in (own, tmp_path / "out.avi"):
        with pytest.raises(InvalidInputError, match=r"a new file that ends in .mp4"):
            labelled_video(track(), own, output=output)
    assert own.read_bytes() == clip.read_bytes()


def test_poses_that_are_not_there_are_missed(tmp_path):
    with pytest.raises(LabelError, match="No poses"):
        labelled_video(tmp_path)


def test_a_place_that_cannot_be_written_is_told(clip):
    with pytest.raises(PosenbError, match=r"/proc/out\.mp4"):
        labelled_video(track(), clip, output="/proc/out.mp4")


class Stopped:
    """A progress bar at which somebody presses Ctrl-C."""

    def __init__(self, total, description, unit="it"):
        self.left = 5

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None

    def advance(self, count=1, **figures):
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


def test_what_is_stopped_leaves_the_video_of_before_and_no_thread(clip, tmp_path):
    target = tmp_path / "out.mp4"
    target.write_bytes(b"the one of before")
    with pytest.raises(KeyboardInterrupt):
        labelled_video(track(), clip, output=target, **{**PLAIN, "progress": Stopped})
    assert target.read_bytes() == b"the one of before"
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]
    assert not [each for each in threading.enumerate() if each.name.startswith("posenb")]


def test_an_error_while_drawing_is_raised_and_leaves_nothing(clip, tmp_path, monkeypatch):
    def fail(*_):
        raise ArithmeticError("no ink")

    monkeypatch.setattr("posenb.overlays.making.write_words", fail)
    with pytest.raises(ArithmeticError, match="no ink"):
        labelled_video(track(), clip, output=tmp_path / "out.mp4", **PLAIN)
    assert list(tmp_path.iterdir()) == []


# --- real clips ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("openfield/videos/m3v1mp4.mp4", (640, 480)),
        ("mirror-mouse/videos/test_vid.mp4", (396, 406)),
        ("flies/clip.mp4", (1024, 1024)),
    ],
)
def test_real_clips_are_drawn_upon(shared_data, tmp_path, name, size):
    poses = track(6, keypoints=5)
    made = labelled_video(
        poses, shared_data / name, output=tmp_path / "out.mp4", progress=silent_progress
    )
    with open_video(made) as video:
        assert (video.width, video.height) == size
        assert 1 <= len(video) <= 6
