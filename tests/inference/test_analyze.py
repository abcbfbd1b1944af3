"""Analysis from end to end, with a small model that finds a known spot."""

import hashlib
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from spots import (
    COUNT,
    HEIGHT,
    WIDTH,
    save_spot_model,
    spots,
    write_spots,
)

from posenb import storage
from posenb._progress import silent_progress
from posenb.core import AnalyzeConfig, ModelConfig, ModelDescription, TrainConfig
from posenb.errors import (
    AnalysisError,
    ConfigError,
    InvalidInputError,
    MissingBackendError,
    ModelError,
    PosenbError,
    ProjectError,
    StorageError,
    UnknownNameError,
    VideoError,
    VideoWarning,
)
from posenb.inference import analyze, load_poses
from posenb.inference import model as model_module
from posenb.labels import read_poses
from posenb.project import add_videos, create_project, open_run
from posenb.storage.faults import storage_error

FILES = ("meta.json", "poses.csv", "poses.h5")
# With keyframes where x264 sets them, chunks of at most 8 frames begin at 0, 5, 12, 16, 20, 25, 32.
LAST = 8


@pytest.fixture
def run_it(spot_model, spot_clip, tmp_path):
    """Analyze the clip without a bar, into tmp_path/out unless told otherwise."""

    def run(model=spot_model, video=spot_clip, **options):
        options = {"output": tmp_path / "out", "progress": silent_progress, **options}
        return analyze(model, video, **options)

    return run


@pytest.fixture
def project(tmp_path, spot_model, spot_clip):
    """Project with the clip and a finished run."""
    made = create_project(tmp_path / "reach", keypoints=["snout", "tail"])
    make_run(made, "first", spot_model)
    return add_videos(made, spot_clip, copy=True, progress=silent_progress)


def make_run(project, name, model=None):
    folder = Path(project.runs_url) / name
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(TrainConfig().model_dump_json())
    if model is not None:
        shutil.copy(model, folder / "model.keras")
    return open_run(folder)


def contents(folder) -> dict[str, str]:
    return {
        storage.name(url): hashlib.sha256(storage.read_bytes(url)).hexdigest()
        for url in storage.list_files(folder, recursive=True)
    }


def meta_of(folder):
    return json.loads(storage.read_text(storage.join(folder, "meta.json")))


class CountingProgress:
    """Counts frames, and can stop the work as Ctrl+C would."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.stop_after = stop_after
        self.totals: list[int | None] = []
        self.texts: list[str] = []
        self.done = 0

    def __call__(self, total, description, unit="it"):
        self.totals.append(total)
        self.texts.append(f"{description} {unit}")
        return self

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None

    def advance(self, count=1, **figures):
        self.done += count
        if self.stop_after is not None and self.done > self.stop_after:
            raise KeyboardInterrupt


# --- what comes out ------------------------------------------------------------------


def test_the_spot_is_found_in_every_frame(run_it):
    poses = run_it()
    assert poses.positions.shape == (COUNT, 1, 2, 2)
    np.testing.assert_allclose(poses.positions[:, 0, 0], spots(), atol=0.5)
    assert (poses.likelihoods > 0.9).all()
    assert poses.skeleton.keypoints == ("snout", "tail")
    assert poses.skeleton.edges == ((0, 1),)
    assert poses.scorer == "posenb_spot"
    assert poses.fps == 25


def test_three_files_are_written_and_nothing_else_is_left(run_it, tmp_path):
    run_it()
    assert tuple(sorted(path.name for path in (tmp_path / "out").iterdir())) == FILES


def test_poses_become_a_dataframe_and_a_dataset(run_it):
    poses = run_it()
    table = poses.to_dataframe()
    assert len(table) == COUNT * 2
    assert table.query("keypoint == 'snout' and frame == 25").time.item() == 1.0
    dataset = poses.to_xarray()
    assert dataset.position.shape == (COUNT, 2, 2, 1)
    np.testing.assert_array_equal(dataset.position.values[:, 0, 1, 0], poses.positions[:, 0, 1, 0])
    assert dataset.time.values[-1] == (COUNT - 1) / 25


def test_pandas_alone_reads_the_tables(run_it, tmp_path):
    poses = run_it()
    table = pd.read_hdf(tmp_path / "out/poses.h5")
    assert list(table.columns.names) == ["scorer", "bodyparts", "coords"]
    np.testing.assert_array_equal(table[("posenb_spot", "tail", "y")], poses.positions[:, 0, 1, 1])
    text = pd.read_csv(tmp_path / "out/poses.csv", header=[0, 1, 2], index_col=0)
    np.testing.assert_allclose(text.to_numpy(), table.to_numpy(), rtol=1e-12)


@pytest.mark.parametrize("name", ["poses.h5", "poses.csv"])
def test_movement_reads_the_tables(run_it, tmp_path, name):
    loading = pytest.importorskip("movement.io.load_poses")
    poses = run_it()
    dataset = loading.from_dlc_file(str(tmp_path / "out" / name), fps=25)
    mine = poses.to_xarray()
    np.testing.assert_allclose(
        np.asarray(dataset.position).squeeze(), np.asarray(mine.position).squeeze(), rtol=1e-6
    )
    assert list(dataset.position.dims[:2]) == ["time", "space"]


def test_meta_tells_how_the_poses_came_about(run_it, spot_model, spot_clip, tmp_path):
    poses = run_it(batch_size=8)
    meta = meta_of(tmp_path / "out")
    assert dict(poses.provenance) == meta
    assert meta["schema"] == 1
    assert meta["model"]["sha256"] == hashlib.sha256(spot_model.read_bytes()).hexdigest()
    assert meta["model"]["description"]["provenance"] == {"labels": "none"}
    assert meta["model"]["run"] is None
    assert meta["config"] == AnalyzeConfig(batch_size=8).model_dump(mode="json")
    assert meta["crop"] == [0, WIDTH, 0, HEIGHT]
    assert meta["frames"] == {"start": 0, "stop": COUNT, "undecodable": 0}
    video = meta["video"]
    assert video["sha256"] == hashlib.sha256(spot_clip.read_bytes()).hexdigest()
    assert (video["width"], video["height"], video["fps"]) == (WIDTH, HEIGHT, 25)
    assert (video["frame_count"], video["missing_frames"]) == (COUNT, 0)
    (software,) = meta["software"]
    of_runtime = {"runtime", "precision", software["runtime"]}
    assert {"posenb", "numpy", "av"} | of_runtime == set(software)
    for name in ("poses.h5", "poses.csv"):
        content = (tmp_path / "out" / name).read_bytes()
        assert meta["files"][name] == hashlib.sha256(content).hexdigest()


def test_the_same_analysis_gives_the_same_bytes(run_it, tmp_path):
    run_it(output=tmp_path / "a")
    run_it(output=tmp_path / "b")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_the_batch_size_and_the_chunk_size_change_no_pose_by_a_thousandth_of_a_pixel(
    run_it, tmp_path
):
    base = run_it(batch_size=16, chunk_size=500)
    for i, (batch, chunk) in enumerate([(1, 500), (7, 9), (64, 13)]):
        other = run_it(batch_size=batch, chunk_size=chunk, output=tmp_path / str(i))
        np.testing.assert_allclose(other.positions, base.positions, atol=1e-3)


# --- crop and range ------------------------------------------------------------------


def test_cropped_coordinates_come_back_in_the_whole_frame(run_it):
    whole = run_it()
    inside = run_it(crop=(4, 92, 8, 60))
    np.testing.assert_allclose(inside.positions, whole.positions, atol=0.5)
    assert inside.provenance["crop"] == [4, 92, 8, 60]


def test_nothing_outside_the_crop_is_found(run_it):
    x1, x2, y1, y2 = crop = (60, 96, 0, 20)
    poses = run_it(crop=crop)
    x, y = poses.positions[:, 0, 0].T
    assert ((x >= x1 - 0.5) & (x <= x2 - 0.5) & (y >= y1 - 0.5) & (y <= y2 - 0.5)).all()


@pytest.mark.parametrize(
    "crop",
    [
        (0, 97, 0, 64),
        (0, 96, 0, 65),
        (-1, 50, 0, 10),
        (50, 50, 0, 10),
        (60, 50, 0, 10),
        (0, 9, 9, 3),
    ],
)
def test_a_crop_outside_the_picture_is_refused(run_it, crop):
    with pytest.raises(InvalidInputError, match=r"is 96 x 64 pixels\. Give another crop"):
        run_it(crop=crop)


def test_a_range_keeps_the_frames_numbers(run_it, tmp_path):
    poses = run_it(start=7, stop=30, chunk_size=6)
    np.testing.assert_array_equal(poses.frames, np.arange(7, 30))
    np.testing.assert_allclose(poses.positions[:, 0, 0], spots()[7:30], atol=0.5)
    np.testing.assert_array_equal(read_poses(tmp_path / "out/poses.h5").frames, poses.frames)


@pytest.mark.parametrize(("start", "stop"), [(40, None), (10, 10), (20, 10), (0, 41), (500, 600)])
def test_a_range_outside_the_video_is_refused(run_it, start, stop):
    with pytest.raises(InvalidInputError, match=r"which has 40 frames\. Give another range"):
        run_it(start=start, stop=stop)


def test_the_last_frame_alone_can_be_analyzed(run_it):
    poses = run_it(start=COUNT - 1)
    np.testing.assert_allclose(poses.positions[:, 0, 0], spots()[-1:], atol=0.5)


def test_an_unknown_option_is_refused(run_it):
    with pytest.raises(ConfigError, match="'bach_size' is not an option"):
        run_it(bach_size=3)


def test_options_change_a_config(run_it):
    poses = run_it(config=AnalyzeConfig(start=5, batch_size=4), start=10)
    assert poses.frames[0] == 10
    assert poses.provenance["config"]["batch_size"] == 4


# --- interrupted and run again -------------------------------------------------------


def test_interrupted_anywhere_and_run_again_the_files_are_the_same(run_it, tmp_path):
    options = {"chunk_size": 5, "batch_size": 4}
    run_it(output=tmp_path / "whole", **options)
    rng = np.random.default_rng(1)
    kept = []
    for _ in range(4):
        stop = int(rng.integers(4, 9))
        with pytest.raises(KeyboardInterrupt):
            run_it(progress=CountingProgress(stop_after=stop), **options)
        kept.append(len(list((tmp_path / "out/chunks").iterdir())))
        assert not (tmp_path / "out/meta.json").exists()
    assert kept == sorted(kept)
    assert kept[0] < kept[-1]
    run_it(**options)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_finished_chunks_are_never_computed_again(run_it):
    counted = []
    with pytest.raises(KeyboardInterrupt):
        run_it(chunk_size=8, batch_size=8, progress=CountingProgress(stop_after=23))
    progress = CountingProgress()
    run_it(chunk_size=8, batch_size=8, progress=progress)
    counted.append(progress.totals)
    assert progress.done == progress.totals[0] == COUNT - 20


def test_a_finished_analysis_returns_at_once_from_its_files(run_it, tmp_path, monkeypatch):
    first = run_it()
    before = contents(tmp_path / "out")
    monkeypatch.setattr(model_module.Model, "predict", None)
    monkeypatch.setattr("posenb.models.load_predictor", None)
    progress = CountingProgress()
    again = run_it(progress=progress)
    assert progress.totals == []
    assert contents(tmp_path / "out") == before
    for name in ("positions", "likelihoods", "frames"):
        np.testing.assert_array_equal(getattr(again, name), getattr(first, name))
    for name in ("skeleton", "individuals", "fps", "scorer", "provenance"):
        assert getattr(again, name) == getattr(first, name)


def test_a_finished_analysis_is_found_whatever_the_chunk_size(run_it):
    run_it(chunk_size=7)
    progress = CountingProgress()
    run_it(chunk_size=9, progress=progress)
    assert progress.totals == []


def test_a_kill_between_the_last_chunk_and_the_files_costs_no_chunk(run_it, tmp_path, monkeypatch):
    run_it(output=tmp_path / "whole", chunk_size=7)
    with monkeypatch.context() as patch:
        patch.setattr("posenb.inference.results.write_analysis", _killed)
        with pytest.raises(KeyboardInterrupt):
            run_it(chunk_size=7)
    progress = CountingProgress()
    run_it(chunk_size=7, progress=progress)
    assert progress.totals == []
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


@pytest.mark.parametrize("step", ["poses.csv", "poses.h5", "meta.json"])
def test_a_kill_while_a_file_is_written_changes_nothing_in_the_end(
    run_it, tmp_path, monkeypatch, step
):
    run_it(output=tmp_path / "whole")
    run_it(crop=(0, 50, 0, 50))  # an earlier analysis that is being replaced
    publish = storage.local.LocalStore.publish

    def publish_until(self, source, url, *, exclusive):
        if url.endswith(step):
            raise KeyboardInterrupt
        publish(self, source, url, exclusive=exclusive)

    with monkeypatch.context() as patch:
        patch.setattr(storage.local.LocalStore, "publish", publish_until)
        with pytest.raises(KeyboardInterrupt):
            run_it()
    assert not (tmp_path / "out/meta.json").exists()
    progress = CountingProgress()
    run_it(progress=progress)
    assert progress.totals == []
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def _killed(*_):
    raise KeyboardInterrupt


def test_a_damaged_chunk_is_computed_again_and_only_that(run_it, tmp_path):
    run_it(output=tmp_path / "whole", chunk_size=8)
    with pytest.raises(KeyboardInterrupt):
        run_it(chunk_size=8, batch_size=16, progress=CountingProgress(stop_after=39))
    chunks = sorted((tmp_path / "out/chunks").glob("*.npz"))
    with np.load(chunks[1], allow_pickle=False) as kept:
        frames = len(kept["poses"])
    damaged = bytearray(chunks[1].read_bytes())
    damaged[300] ^= 1
    chunks[1].write_bytes(damaged)
    progress = CountingProgress()
    run_it(chunk_size=8, progress=progress)
    assert progress.totals == [frames + LAST]
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_a_damaged_table_is_made_again(run_it, tmp_path):
    run_it()
    before = contents(tmp_path / "out")
    for name in ("poses.h5", "poses.csv"):
        path = tmp_path / "out" / name
        path.write_bytes(path.read_bytes()[:-100])
        run_it()
        assert contents(tmp_path / "out") == before


def test_a_damaged_meta_is_made_again(run_it, tmp_path):
    run_it()
    before = contents(tmp_path / "out")
    (tmp_path / "out/meta.json").write_text('{"schema": 1, "key"')
    run_it()
    assert contents(tmp_path / "out") == before


def test_another_config_analyzes_anew_and_clears_chunks_of_before(run_it, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run_it(chunk_size=8, progress=CountingProgress(stop_after=20))
    assert list((tmp_path / "out/chunks").iterdir())
    progress = CountingProgress()
    run_it(chunk_size=8, batch_size=4, progress=progress)
    assert progress.totals == [COUNT]
    assert tuple(sorted(path.name for path in (tmp_path / "out").iterdir())) == FILES


def test_another_model_analyzes_anew(run_it, tmp_path):
    first = run_it()
    other = save_spot_model(tmp_path / "other.keras", gain=-20.0)
    second = run_it(other)
    assert not np.allclose(first.positions, second.positions)
    assert meta_of(tmp_path / "out")["model"]["sha256"] == storage.digest(other)


def test_another_video_under_the_same_name_is_analyzed_anew(run_it, tmp_path):
    video = write_spots(tmp_path / "clip.mp4", 20)
    assert len(run_it(video=video)) == 20
    write_spots(video, 30)
    assert len(run_it(video=video)) == 30


def test_a_copy_of_the_video_elsewhere_is_the_same_video(run_it, spot_clip, tmp_path):
    run_it()
    copy = tmp_path / "elsewhere" / "copy.mp4"
    copy.parent.mkdir()
    shutil.copy(spot_clip, copy)
    progress = CountingProgress()
    run_it(video=copy, progress=progress)
    assert progress.totals == []


def test_packages_that_changed_between_two_sittings_are_both_told(run_it, tmp_path, monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        run_it(chunk_size=8, batch_size=8, progress=CountingProgress(stop_after=23))
    monkeypatch.setattr("posenb.__version__", "99")
    run_it(chunk_size=8, batch_size=8)
    versions = [each["posenb"] for each in meta_of(tmp_path / "out")["software"]]
    assert len(versions) == 2
    assert versions[1] == "99"


def test_a_video_that_changes_while_it_is_analyzed_is_refused(run_it, tmp_path):
    video = write_spots(tmp_path / "growing.mp4")

    class Growing(CountingProgress):
        def advance(self, count=1, **figures):
            with video.open("ab") as stream:
                stream.write(b"more")

    with pytest.raises(AnalysisError, match=r"growing.mp4 changed. Run it again when"):
        run_it(video=video, progress=Growing())
    assert not (tmp_path / "out/meta.json").exists()


def test_a_video_replaced_under_its_decoder_is_refused_for_that_and_not_for_what_came_of_it(
    run_it, tmp_path, monkeypatch
):
    video = write_spots(tmp_path / "growing.mp4")

    def replaced(*_, **__):
        video.write_bytes(b"no video any more")
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr("posenb.inference.work.open_video", replaced)
    with pytest.raises(AnalysisError, match=r"growing.mp4 changed. Run it again when"):
        run_it(video=video)


# --- videos as they are --------------------------------------------------------------


def test_a_truncated_video_is_analyzed_up_to_its_last_whole_frame(run_it, spot_clip, tmp_path):
    video = tmp_path / "cut.mp4"
    content = spot_clip.read_bytes()
    video.write_bytes(content[: int(len(content) * 0.8)])
    with pytest.warns(VideoWarning, match="are missing"):
        poses = run_it(video=video)
    count = len(poses)
    assert 10 < count < COUNT
    np.testing.assert_allclose(poses.positions[:, 0, 0], spots(count), atol=0.5)
    told = poses.provenance["video"]
    assert (told["frame_count"], told["missing_frames"]) == (count, COUNT - count)
    with pytest.warns(VideoWarning, match="are missing"):
        assert len(run_it(video=video, stop=COUNT)) == count
    with (
        pytest.warns(VideoWarning, match="are missing"),
        pytest.raises(InvalidInputError, match=f"of which the last {COUNT - count} are missing"),
    ):
        run_it(video=video, start=count)


def test_frames_that_cannot_be_decoded_keep_their_row(run_it, tmp_path, monkeypatch):
    from posenb.video import VideoReader

    frame_of = VideoReader._frame
    monkeypatch.setattr(
        VideoReader, "_frame", lambda self, rank: None if rank in (3, 20) else frame_of(self, rank)
    )
    with pytest.warns(VideoWarning, match="could not be decoded"):
        poses = run_it()
    assert len(poses) == COUNT
    gone = np.isnan(poses.likelihoods).all(axis=(1, 2))
    np.testing.assert_array_equal(np.flatnonzero(gone), [3, 20])
    np.testing.assert_allclose(poses.positions[~gone, 0, 0], spots()[~gone], atol=0.5)
    assert poses.provenance["frames"]["undecodable"] == 2
    assert np.isnan(load_poses(tmp_path / "out").positions[3]).all()


def test_a_file_that_is_no_video_is_refused(run_it, tmp_path):
    (tmp_path / "notes.mp4").write_text("no video")
    with pytest.raises(VideoError):
        run_it(video=tmp_path / "notes.mp4")


def test_a_video_that_is_not_there_is_refused(run_it, tmp_path):
    with pytest.raises(StorageError, match=r"absent\.mp4"):
        run_it(video=tmp_path / "absent.mp4")


# --- where things lie ----------------------------------------------------------------


def test_in_a_project_poses_lie_below_video_and_run(project):
    run = open_run(f"{project.runs_url}/first")
    poses = analyze(run, "spot", progress=silent_progress)
    folder = project.poses_url("spot", "first")
    assert tuple(sorted(contents(folder))) == FILES
    assert poses.provenance["video"]["url"] == "videos/spot.mp4"
    assert poses.provenance["model"]["run"] == "first"


def test_a_run_is_meant_by_itself_its_folder_or_its_model_file(project):
    url = f"{project.runs_url}/first"
    analyze(open_run(url), "spot", progress=silent_progress)
    for same in (url, f"{url}/", f"{url}/model.keras", Path(url)):
        progress = CountingProgress()
        analyze(same, "spot", progress=progress)
        assert progress.totals == []


def test_a_video_of_the_project_is_meant_by_its_name_or_its_path(project):
    run = f"{project.runs_url}/first"
    analyze(run, "spot", progress=silent_progress)
    progress = CountingProgress()
    analyze(run, project.video_url("spot"), progress=progress)
    assert progress.totals == []


def test_a_video_outside_the_project_is_named_by_its_url(project, tmp_path):
    video = write_spots(tmp_path / "other.mp4", 12)
    poses = analyze(f"{project.runs_url}/first", video, progress=silent_progress)
    assert poses.provenance["video"]["url"] == str(video)
    assert tuple(sorted(contents(project.poses_url("other", "first")))) == FILES


def test_the_crop_of_the_project_counts_unless_another_is_given(project, tmp_path):
    video = write_spots(tmp_path / "other.mp4", 12)
    cropped = add_videos(project, video, crop=(0, 80, 0, 60), progress=silent_progress)
    run = f"{cropped.runs_url}/first"
    poses = analyze(run, "other", progress=silent_progress)
    assert poses.provenance["crop"] == [0, 80, 0, 60]
    whole = analyze(run, "other", crop=(0, WIDTH, 0, HEIGHT), progress=silent_progress)
    assert whole.provenance["crop"] == [0, WIDTH, 0, HEIGHT]


def test_without_a_project_poses_lie_beside_the_video(spot_model, tmp_path):
    video = write_spots(tmp_path / "clip.mp4", 12)
    analyze(spot_model, video, progress=silent_progress)
    assert tuple(sorted(contents(tmp_path / "clip_poses"))) == FILES


def test_several_videos_give_their_poses_in_order(project, tmp_path):
    first, second = (write_spots(tmp_path / f"{n}.mp4", n) for n in (20, 10))
    found = analyze(f"{project.runs_url}/first", [first, second], progress=silent_progress)
    assert [len(poses) for poses in found] == [20, 10]


def test_videos_of_one_size_share_a_compiled_model(project, tmp_path, monkeypatch):
    made, predict = [], model_module.Model.predict

    def note(self, *shape):
        made.append(predict(self, *shape))
        return made[-1]

    monkeypatch.setattr(model_module.Model, "predict", note)
    videos = [write_spots(tmp_path / f"{n}.mp4", 10) for n in range(3)]
    analyze(f"{project.runs_url}/first", videos, batch_size=4, progress=silent_progress)
    assert len(made) == 3
    assert len({id(each) for each in made}) == 1


def test_several_videos_get_folders_of_their_own_in_the_output(run_it, tmp_path):
    videos = [write_spots(tmp_path / f"{n}.mp4", n) for n in (12, 10)]
    run_it(video=videos)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["10", "12"]


def test_the_poses_of_another_video_of_that_name_are_not_replaced(project, tmp_path):
    run = f"{project.runs_url}/first"
    for day, count in (("monday", 12), ("tuesday", 10)):
        (tmp_path / day).mkdir()
        write_spots(tmp_path / day / "clip.mp4", count)
    analyze(run, tmp_path / "monday/clip.mp4", progress=silent_progress)
    before = contents(project.poses_url("clip", "first"))
    with pytest.raises(AnalysisError, match=r"has those of .*monday/clip\.mp4.*output="):
        analyze(run, tmp_path / "tuesday/clip.mp4", progress=silent_progress)
    assert contents(project.poses_url("clip", "first")) == before
    out = tmp_path / "out"
    assert len(analyze(run, tmp_path / "tuesday/clip.mp4", output=out, progress=silent_progress))
    (tmp_path / "monday/clip.mp4").rename(tmp_path / "clip.mp4")  # the same one, elsewhere
    analyze(run, tmp_path / "clip.mp4", batch_size=4, progress=silent_progress)


def test_two_videos_of_one_name_are_refused_before_any_work(run_it, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    videos = [write_spots(tmp_path / folder / "clip.mp4", 10) for folder in "ab"]
    with pytest.raises(AnalysisError, match="Analyze them one by one"):
        run_it(video=videos)
    assert not (tmp_path / "out").exists()


def test_a_model_is_loaded_once_for_all_videos(run_it, tmp_path, monkeypatch):
    from posenb import models

    loaded = []
    load = models.load_predictor
    monkeypatch.setattr(models, "load_predictor", lambda path: loaded.append(path) or load(path))
    videos = [write_spots(tmp_path / f"{n}.mp4", n) for n in (12, 10)]
    run_it(video=videos, runtime="keras")
    assert len(loaded) == 1


def test_everything_may_lie_in_memory(spot_model, spot_clip):
    storage.copy(spot_model, "memory://lab/spot.keras")
    storage.copy(spot_clip, "memory://lab/clip.mp4")
    with pytest.raises(KeyboardInterrupt):
        analyze(
            "memory://lab/spot.keras",
            "memory://lab/clip.mp4",
            chunk_size=8,
            batch_size=8,
            progress=CountingProgress(stop_after=20),
        )
    assert len(storage.list_files("memory://lab/clip_poses/chunks")) == 4
    poses = analyze(
        "memory://lab/spot.keras",
        "memory://lab/clip.mp4",
        chunk_size=8,
        batch_size=8,
        progress=silent_progress,
    )
    np.testing.assert_allclose(poses.positions[:, 0, 0], spots(), atol=0.5)
    assert tuple(contents("memory://lab/clip_poses")) == FILES
    assert "fingerprint" in poses.provenance["video"]


def test_everything_may_lie_in_a_bucket(gs_bucket, spot_model, spot_clip):
    model, video = f"{gs_bucket}/spot.keras", f"{gs_bucket}/clip.mp4"
    storage.copy(spot_model, model)
    storage.copy(spot_clip, video)
    with pytest.raises(KeyboardInterrupt):
        analyze(model, video, chunk_size=8, progress=CountingProgress(stop_after=30))
    poses = analyze(model, video, chunk_size=8, progress=silent_progress)
    assert tuple(contents(f"{gs_bucket}/clip_poses")) == FILES
    back = load_poses(f"{gs_bucket}/clip_poses")
    np.testing.assert_array_equal(back.positions, poses.positions)
    progress = CountingProgress()
    analyze(model, video, chunk_size=8, progress=progress)
    assert progress.totals == []


def test_requests_that_fail_now_and_then_change_nothing(
    gs_server, gs_bucket, spot_model, spot_clip
):
    output = f"{gs_bucket}/out"
    with gs_server.failing("503", "drop", every=7):
        analyze(spot_model, spot_clip, output=output, chunk_size=8, progress=silent_progress)
    assert gs_server.faults == 0
    assert tuple(contents(output)) == FILES


# --- what cannot be ------------------------------------------------------------------


def test_a_run_that_is_not_finished_is_refused(project):
    run = make_run(project, "second")
    with pytest.raises(AnalysisError, match="run 'second' has none yet"):
        analyze(run, "spot")


def test_a_folder_that_is_no_run_is_refused(tmp_path, spot_clip):
    with pytest.raises(ProjectError, match="A run is a folder"):
        analyze(tmp_path, spot_clip)


def test_a_model_file_that_is_not_there_is_refused(tmp_path, spot_clip):
    with pytest.raises(AnalysisError, match="there is none at"):
        analyze(tmp_path / "absent.keras", spot_clip)


def test_a_damaged_model_file_is_refused(run_it, tmp_path):
    (tmp_path / "bad.keras").write_text("no model")
    with pytest.raises(ModelError):
        run_it(tmp_path / "bad.keras")


def test_a_model_for_several_animals_is_refused(run_it, tmp_path):
    model = save_spot_model(tmp_path / "two.keras", individuals=("a", "b"))
    with pytest.raises(AnalysisError, match="keypoints of one animal"):
        run_it(model)


def test_a_misspelt_video_of_the_project_is_met_with_the_likeliest_one(project):
    with pytest.raises(UnknownNameError, match=r"No video 'spto'\. Did you mean 'spot'\?"):
        analyze(f"{project.runs_url}/first", "spto")


def test_a_folder_that_cannot_be_written_says_to_name_another(project, monkeypatch):
    def refuse(url, data, *, exclusive=False):
        raise storage_error("Writing", str(url), PermissionError("Read-only file system"))

    monkeypatch.setattr(storage, "write_bytes", refuse)
    with pytest.raises(AnalysisError, match=r"cannot be written .* output='/a/folder/of/yours'"):
        analyze(f"{project.runs_url}/first", "spot", progress=silent_progress)


def test_a_full_disk_says_so_and_keeps_what_is_finished(run_it, tmp_path, monkeypatch):
    write = storage.write_bytes
    written = []

    def fill(url, data, *, exclusive=False):
        if len(written) == 3:
            raise storage_error("Writing", str(url), OSError(28, "No space left on device"))
        written.append(url)
        write(url, data, exclusive=exclusive)

    with monkeypatch.context() as patch:
        patch.setattr(storage, "write_bytes", fill)
        with pytest.raises(StorageError, match="Free some space"):
            run_it(chunk_size=8, batch_size=8)
    progress = CountingProgress()
    run_it(chunk_size=8, batch_size=8, progress=progress)
    assert progress.totals == [COUNT - 12]


def test_without_keras_backend_it_says_what_to_install(run_it, monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setattr("posenb._optional.find_spec", lambda name: None)
    for name in [each for each in sys.modules if each.startswith("posenb.models")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingBackendError, match="TensorFlow or JAX"):
        run_it()


def test_all_errors_are_posenbs(run_it, tmp_path):
    for wrong in ({"video": tmp_path}, {"video": "http://"}, {"model": tmp_path / "x.keras"}):
        with pytest.raises(PosenbError):
            run_it(**wrong)


# --- progress ------------------------------------------------------------------------


def test_progress_counts_the_frames_that_are_left(run_it):
    progress = CountingProgress()
    run_it(progress=progress)
    assert progress.totals == [COUNT]
    assert progress.done == COUNT
    assert progress.texts == ["Analyzing spot.mp4 frame"]


# --- the real network ----------------------------------------------------------------


@pytest.mark.slow
def test_a_network_with_depthwise_convolutions_is_analyzed_the_same_in_pieces(
    run_it, tmp_path, shared_data
):
    import keras

    from posenb.models import build_network, build_predictor, save_predictor

    keras.utils.set_random_seed(0)
    config = TrainConfig(model=ModelConfig(backbone="mobilenet_v2_035", weights=None, width=8))
    description = ModelDescription(name="tiny", keypoints=("a", "b"), scale=0.25, config=config)
    network = build_network(config.model, 2, None)
    model = tmp_path / "tiny.keras"
    save_predictor(model, build_predictor(network, config.model, 0.25), description)
    video = shared_data / "openfield/videos/m3v1mp4.mp4"
    options = {"video": video, "start": 100, "stop": 190, "chunk_size": 20, "batch_size": 8}
    run_it(model, output=tmp_path / "whole", **options)
    with pytest.raises(KeyboardInterrupt):
        run_it(model, progress=CountingProgress(stop_after=50), **options)
    run_it(model, **options)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
