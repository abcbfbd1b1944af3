"""Live analysis from the source to the files."""

import json
import logging
import pickle
import signal
import threading
import time

import numpy as np
import pytest

from posenb._progress import silent_progress
from posenb.core import FrameFormat
from posenb.errors import AnalysisError, ConfigError, InvalidInputError, VideoError
from posenb.inference import load_poses
from posenb.live import LiveConfig, LivePredictor, analyze_live
from posenb.video import write_video

VGA = (480, 640)
QUIET = {"progress": silent_progress}


def picture(x, y, shape=VGA, value=255):
    frame = np.zeros((*shape, 3), np.uint8)
    frame[y, x] = value
    return frame


def walk(count, step=3):
    return [picture(100 + step * number, 200 + number) for number in range(count)]


def true(count, step=3):
    return np.array([(100 + step * number, 200 + number) for number in range(count)])


def test_every_pose_is_handed_over_and_kept(brightest):
    handed = []
    found = analyze_live("run", walk(6), handed.append, drop=False, **QUIET)
    np.testing.assert_array_equal(found.poses.positions[:, 0, 1], true(6))
    np.testing.assert_array_equal([each.pose[0, :2] for each in handed], true(6))
    assert [each.frame for each in handed] == list(found.poses.frames) == list(range(6))
    assert (found.dropped, found.errors, len(found)) == (0, 0, 6)
    assert found.forecasts is None


def test_times_stand_in_the_order_in_which_things_happened(brightest):
    found = analyze_live("run", walk(6), lambda _: time.sleep(0.002), drop=False, **QUIET)
    assert found.captured[0] == 0
    assert (np.diff(found.captured) > 0).all()
    for before, after in (("captured", "started"), ("started", "ready"), ("ready", "processed")):
        assert (getattr(found, before) <= getattr(found, after)).all()
    assert (found.processed[:-1] <= found.captured[1:]).all()
    assert (found.processed - found.ready >= 0.002).all()
    np.testing.assert_array_equal(found.latencies, found.ready - found.captured)


def test_the_model_is_warm_before_the_first_frame_is_due(brightest):
    calls = []
    analyze_live("run", walk(2), lambda _: calls.append(len(brightest.calls)), drop=False, **QUIET)
    assert calls == [4, 5]
    assert len(brightest.compiled) == 1


def test_frames_that_came_while_another_was_worked_on_are_left_out_and_counted(brightest):
    first = threading.Event()

    def source():
        yield picture(5, 5)
        first.wait(5)
        for number in range(1, 31):
            yield picture(5 + number, 5)
        time.sleep(0.2)

    def slow(found):
        first.set()
        time.sleep(0.1)

    found = analyze_live("run", source(), slow, **QUIET)
    assert found.poses.frames[-1] == 30
    assert found.dropped == 31 - len(found) > 0
    np.testing.assert_array_equal(found.poses.positions[:, 0, 0, 0], 5 + found.poses.frames)


def test_of_a_file_no_frame_is_left_out(brightest, tmp_path):
    write_video(tmp_path / "clip.mp4", np.stack([picture(5, 5, (48, 64))] * 30), fps=25)
    found = analyze_live("run", str(tmp_path / "clip.mp4"), lambda _: time.sleep(0.005), **QUIET)
    assert (len(found), found.dropped) == (30, 0)


def test_it_ends_after_so_many_poses_or_seconds(brightest):
    assert len(analyze_live("run", walk(6), drop=False, frames=2, **QUIET)) == 2

    def endless():
        while True:
            yield picture(1, 1)

    found = analyze_live("run", endless(), seconds=0.1, **QUIET)
    assert found.captured[-1] < 5


def test_an_interrupt_ends_it_and_keeps_the_poses(brightest):
    def interrupted(found):
        if found.frame == 3:
            signal.raise_signal(signal.SIGINT)

    found = analyze_live("run", walk(6), interrupted, drop=False, **QUIET)
    assert len(found) == 3


# --- processors ----------------------------------------------------------------------


def fails_twice(found):
    if found.frame in (1, 2):
        raise ZeroDivisionError("no line")


def test_a_processor_that_fails_is_reported_and_the_loop_goes_on(brightest, caplog):
    found = analyze_live("run", walk(5), fails_twice, drop=False, **QUIET)
    assert (len(found), found.errors) == (5, 2)
    (first, total) = caplog.records
    assert (first.levelno, first.exc_info[0]) == (logging.ERROR, ZeroDivisionError)
    assert "frame 1" in first.getMessage()
    assert "failed 2 times" in total.getMessage()


def test_a_processor_that_fails_ends_the_loop_if_asked_and_the_poses_are_kept(brightest, tmp_path):
    with pytest.raises(AnalysisError, match="frame 1 \\(ZeroDivisionError: no line\\)"):
        analyze_live(
            "run", walk(5), fails_twice, drop=False, on_error="raise", output=tmp_path, **QUIET
        )
    assert len(load_poses(tmp_path)) == 1


# --- the crop ------------------------------------------------------------------------


def windows_of(frames, **options):
    return analyze_live("run", frames, drop=False, dynamic_crop=True, **options, **QUIET)


def test_after_a_pose_only_its_surroundings_are_looked_at(brightest):
    found = windows_of(walk(6))
    assert found.windows[0].tolist() == [0, 640, 0, 480]
    widths = found.windows[1:, 1] - found.windows[1:, 0]
    assert (widths == 160).all()
    np.testing.assert_array_equal(found.poses.positions[:, 0, 0], true(6))


def test_all_sizes_are_compiled_before_the_first_frame(brightest):
    seen = []
    analyze_live(
        *("run", walk(6), lambda _: seen.append(len(brightest.compiled))),
        drop=False,
        dynamic_crop=True,
        crop_sizes=(64, 128),
        **QUIET,
    )
    assert set(seen) == {3}
    assert {(f.height, f.width) for f in brightest.compiled} == {(64, 64), (128, 128), VGA}


def test_when_the_animal_is_lost_the_next_frame_is_looked_at_whole(brightest):
    frames = [picture(100, 100)] * 2 + [picture(500, 300)] * 3
    found = windows_of(frames)
    whole = (found.windows[:, 1] == 640).tolist()
    # The third is looked at where it was; it is not there, for the crop is black all over.
    assert whole == [True, False, False, True, False]
    assert found.poses.likelihoods[2, 0, 0] == 0
    np.testing.assert_array_equal(found.poses.positions[3:, 0, 0], [(500, 300)] * 2)


def test_the_whole_frame_is_looked_at_every_so_often(brightest):
    found = windows_of([picture(100, 100)] * 9, look_up=3)
    assert np.flatnonzero(found.windows[:, 1] == 640).tolist() == [0, 4, 8]


def test_an_animal_that_fills_the_frame_is_looked_at_whole(brightest):
    found = windows_of([picture(300, 200)] * 3, margin=300)
    assert (found.windows[:, 1] == 640).all()


def test_unlikely_keypoints_are_not_followed(brightest):
    found = windows_of([picture(100, 100, value=100)] * 3)
    assert (found.windows[:, 1] == 640).all()


# --- the forecast --------------------------------------------------------------------


def test_the_forecast_is_for_the_moment_of_handing_over(brightest):
    model = brightest
    predictor = LivePredictor(
        model, FrameFormat("rgb", *VGA), LiveConfig(forecast=True, smoothing=1.0, lead=0.5)
    )
    start = time.perf_counter()
    for number, frame in enumerate(walk(3)):
        found = predictor(number, start + 0.1 * number, frame.reshape(-1))
    ahead = found.ready - (start + 0.2) + 0.5
    np.testing.assert_allclose(found.forecast, [true(3)[-1] + ahead * np.array([30, 10])] * 2)


def test_forecasts_are_kept(brightest):
    found = analyze_live("run", walk(5), drop=False, forecast=True, **QUIET)
    assert found.forecasts.shape == (5, 2, 2)
    np.testing.assert_array_equal(found.forecasts[0], [true(1)[0]] * 2)


# --- files ---------------------------------------------------------------------------


def test_what_was_found_becomes_ordinary_files(brightest, tmp_path):
    found = analyze_live("run", walk(6), drop=False, forecast=True, output=tmp_path, **QUIET)
    read = load_poses(tmp_path)
    np.testing.assert_array_equal(read.positions, found.poses.positions)
    assert read.skeleton == brightest.description.skeleton
    assert read.fps == found.poses.fps > 0
    meta = json.loads((tmp_path / "meta.json").read_text())
    assert meta["frames"] == {"poses": 6, "dropped": 0}
    assert meta["config"]["forecast"] is True
    lines = (tmp_path / "live.csv").read_text().splitlines()
    assert lines[0] == (
        "frame,captured,started,ready,processed,x1,x2,y1,y2,snout_x,snout_y,tail_x,tail_y"
    )
    assert len(lines) == 7


def test_frames_left_out_are_missing_from_the_poses_not_renumbered(brightest, tmp_path):
    def source():
        for number in range(20):
            yield picture(number, 0)
            time.sleep(0.01)

    found = analyze_live("run", source(), lambda _: time.sleep(0.04), output=tmp_path, **QUIET)
    read = load_poses(tmp_path)
    np.testing.assert_array_equal(read.frames, found.poses.frames)
    np.testing.assert_array_equal(read.positions[:, 0, 0, 0], read.frames)
    assert read.fps == pytest.approx(found.poses.fps)


def test_a_recording_of_one_frame_has_no_rate(brightest, tmp_path):
    found = analyze_live("run", walk(1), output=tmp_path, **QUIET)
    assert np.isnan(found.poses.fps)
    assert np.isnan(load_poses(tmp_path).fps)


def test_poses_are_written_though_the_source_breaks_off(brightest, tmp_path):
    def source():
        yield from walk(3)
        raise VideoError("The camera broke off.")

    with pytest.raises(VideoError, match="broke off"):
        analyze_live("run", source(), drop=False, output=tmp_path, **QUIET)
    assert len(load_poses(tmp_path)) == 3


def test_poses_can_travel_on(brightest):
    found = analyze_live("run", walk(3), drop=False, **QUIET)
    again = pickle.loads(pickle.dumps(found.poses))
    np.testing.assert_array_equal(again.positions, found.poses.positions)
    assert len(found.poses.to_dataframe()) == 6


# --- mistakes ------------------------------------------------------------------------


def test_a_misspelt_option_is_refused(brightest):
    with pytest.raises(ConfigError, match="'dynamic_corp' is not an option"):
        analyze_live("run", walk(1), dynamic_corp=True)


def test_a_crop_that_does_not_fit_is_refused_before_the_first_frame(brightest):
    with pytest.raises(InvalidInputError, match="got a side of 512"):
        windows_of(walk(1), crop_sizes=(512,))


# --- the real thing ------------------------------------------------------------------


@pytest.mark.slow
def test_a_real_model_follows_a_spot_in_a_stream_whole_and_in_part(spot_file, tmp_path):
    from spots import spots, write_spots

    clip = write_spots(tmp_path / "spot.mp4")
    for crop in (False, True):
        found = analyze_live(
            *(spot_file, str(clip)), drop=False, dynamic_crop=crop, margin=8, **QUIET
        )
        seen = found.poses.likelihoods[:, 0, 0] > 0.9
        np.testing.assert_allclose(found.poses.positions[seen, 0, 0], spots()[seen], atol=0.5)
        # Where the spot jumps, every ten frames, the crop misses it once.
        assert (~seen).sum() == (3 if crop else 0)
        assert (found.windows[1:, 1] - found.windows[1:, 0] < 96).any() == crop
