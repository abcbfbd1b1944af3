"""The notebooks executed whole, as a kernel does: twice, and after everything was killed."""

from __future__ import annotations

import os
import shutil
import signal
import time
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from nbclient.exceptions import CellExecutionError
from notebook_runs import TINY, execute, kill_after, printed, shown, told

import posenb as pn
from posenb import storage
from posenb.jobs import observe
from posenb.labels import read_poses
from posenb.video import open_video, probe, write_video

pytestmark = pytest.mark.slow

WIDGET = "application/vnd.jupyter.widget-view+json"
OWN = "notebooks/own_project.ipynb"
FORMS = "colab/zoo_forms.ipynb"


@pytest.fixture(scope="module", autouse=True)
def own_surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep cache and zoo of whoever runs the tests away from the kernels."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POSENB_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("POSENB_ZOO", "")
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        patch.delenv("KERAS_BACKEND", raising=False)
        yield


def stamps(folder: Path, *names: str) -> dict[Path, int]:
    """When the files of these names below `folder` were written."""
    return {path: path.stat().st_mtime_ns for name in names for path in folder.rglob(name)}


def kill_training(run: pn.Run) -> None:
    """Kill the process that trains in the background, as a machine that is switched off does."""
    deadline = time.monotonic() + 60
    seen = observe(run)
    while seen.record is None:
        assert time.monotonic() < deadline, seen
        time.sleep(0.05)
        seen = observe(run)
    os.kill(seen.record.pid, signal.SIGKILL)
    while observe(run).goes_on:
        assert time.monotonic() < deadline, seen
        with suppress(ChildProcessError):
            os.waitpid(seen.record.pid, os.WNOHANG)
        time.sleep(0.05)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory):
    """The folder and the cells of the first notebook, whose kernel and training were killed once.

    What is trained here serves the other notebooks too.
    """
    folder = tmp_path_factory.mktemp("own")
    kill_after("background=True", OWN, folder, training=TINY)
    (run,) = pn.list_runs(folder / "sample-project")
    kill_training(run)
    return folder, execute(OWN, folder, training=TINY)


@pytest.fixture
def folder(own, tmp_path: Path) -> Path:
    """A folder with the sample and its trained run, but no poses."""
    target = tmp_path / "sample-project"
    shutil.copytree(own[0] / "sample-project", target, ignore=shutil.ignore_patterns("poses"))
    return tmp_path


def test_after_kernel_and_training_were_killed_the_same_run_is_trained_to_its_end(own):
    (run,) = pn.list_runs(own[0] / "sample-project")
    assert run.finished
    assert [row.step for row in observe(run).rows] == [2, 4]
    assert len(pn.load_poses(own[0] / "sample-project" / "poses" / "walk" / run.name)) == 180


@pytest.mark.parametrize(
    "line", ["upload(", "pick_frames(", "pn.label(", "check_labels(", "browse("]
)
def test_each_step_by_hand_shows_its_widget(own, line):
    assert WIDGET in shown(own[1], line)


def test_results_are_shown_as_table_picture_and_page(own):
    assert WIDGET in shown(own[1], "run.watch()")
    assert "text/html" in shown(own[1], "pn.evaluate(run)")
    assert "image/png" in shown(own[1], "plot_errors(")
    assert "text/html" in shown(own[1], "plot_trajectories(")
    (run,) = pn.list_runs(own[0] / "sample-project")
    assert storage.exists(storage.join(run.url, "report.html"))


def test_no_cell_shows_a_warning_or_what_tensorflow_says_to_itself(own):
    assert printed(own[1]) == ""


def test_all_cells_once_more_train_and_analyze_nothing_again(own):
    names = ("model.keras", "history.csv", "poses.h5", "CollectedData_posenb.csv", "walk.mp4")
    before = stamps(own[0], *names)
    assert len(before) == len(names)
    execute(OWN, own[0], training=TINY)
    assert stamps(own[0], *names) == before
    assert len(pn.list_runs(own[0] / "sample-project")) == 1


def test_a_deeplabcut_project_is_opened_trained_compared_and_read_back(folder):
    pn.to_dlc(pn.open_project(folder / "sample-project"), folder / "sample-dlc")
    shutil.copytree(folder / "sample-project" / "runs", folder / "sample-dlc" / "runs")
    before = stamps(folder / "sample-dlc", "model.keras", "config.yaml", "CollectedData_posenb.h5")
    assert len(before) == 3
    done = execute("notebooks/from_deeplabcut.ipynb", folder, training=TINY)
    assert stamps(folder / "sample-dlc", "model.keras", "config.yaml", "*_posenb.h5") == before
    assert "text/html" in shown(done, "list_runs(")
    (table,) = (folder / "sample-dlc" / "poses").rglob("poses.h5")
    assert len(read_poses(table)) == 180


@pytest.fixture(scope="module")
def openfield_clip(shared_data, tmp_path_factory) -> Path:
    """Two seconds of a real mouse."""
    path = tmp_path_factory.mktemp("real") / "m3v1mp4.mp4"
    with open_video(shared_data / "openfield" / "videos" / path.name) as video:
        write_video(path, (frame for _, frame in video.read(0, 60)), fps=video.info.fps)
    return path


def test_a_real_mouse_is_found_by_a_model_of_the_zoo(openfield_clip, tmp_path):
    project = pn.create_project(tmp_path / "zoo-project", keypoints=["any"])
    pn.add_videos(project, openfield_clip)
    done = execute("notebooks/zoo.ipynb", tmp_path, own_videos=True)
    assert "text/html" in shown(done, "plot_trajectories(")
    poses = pn.load_poses(openfield_clip.parent / "m3v1mp4_poses" / "mouse_openfield")
    assert len(poses) == 60
    assert (poses.likelihoods > 0.6).mean() > 0.9
    assert 0.8 < poses.provenance["zoo"]["size"]["value"] < 1.25
    assert probe(storage.join(storage.parent(poses.url), "labelled.mp4")).frame_count == 60


def test_a_real_deeplabcut_project_is_trained_on_and_analyzed(
    openfield_clip, shared_data, tmp_path
):
    source, project = shared_data / "openfield", tmp_path / "openfield"
    frames = project / "labeled-data" / "m4s1"
    frames.mkdir(parents=True)
    (project / "videos").mkdir()
    shutil.copy(source / "config.yaml", project)
    shutil.copy(openfield_clip, project / "videos")
    for table in (source / "labeled-data" / "m4s1").glob("*.csv"):
        head, rows = table.read_text().splitlines()[:3], table.read_text().splitlines()[3:15]
        (frames / table.name).write_text("\n".join([*head, *rows]) + "\n")
        for row in rows:
            name = Path(row.split(",")[0]).name
            shutil.copy(source / "labeled-data" / "m4s1" / name, frames)
    config = (project / "config.yaml").read_bytes()
    done = execute("notebooks/from_deeplabcut.ipynb", tmp_path, folder=str(project), training=TINY)
    assert (project / "config.yaml").read_bytes() == config
    assert len(pn.open_project(project).labels()) == 12
    assert "text/html" in shown(done, "evaluation = ")
    (table,) = (project / "poses" / "m3v1mp4").rglob("poses.h5")
    assert len(read_poses(table)) == 60
    assert printed(done) == ""


def test_a_bucket_holds_the_whole_project(folder, gs_bucket):
    url = f"{gs_bucket}/posenb-sample"
    storage.copy_folder(folder / "sample-project", url)
    (folder / "sample-project").rename(folder / "away")
    done = execute("notebooks/cloud_bucket.ipynb", folder, bucket=gs_bucket, training=TINY)
    assert WIDGET in shown(done, "pn.watch(")
    (run,) = pn.list_runs(url)
    assert len(pn.load_poses(pn.open_project(url).poses_url("walk", run.name))) == 180
    assert [path.name for path in folder.iterdir()] == ["away"]  # nothing came to lie here


def test_a_cluster_analyzes(folder):
    done = execute("notebooks/cluster.ipynb", folder, training=TINY, workers=1)
    assert "image/png" in shown(done, "plot_positions(")
    (table,) = (folder / "sample-project" / "poses").rglob("poses.h5")
    assert len(read_poses(table)) == 180


@pytest.mark.parametrize("name", ["own_project_gpu", "tpu"])
def test_what_is_meant_for_colab_runs_here_too_and_trains_nothing_again(folder, name, monkeypatch):
    before = stamps(folder, "model.keras")
    done = execute(f"colab/{name}.ipynb", folder, training=TINY)
    assert stamps(folder, "model.keras") == before
    assert printed(done) == ""
    assert "text/html" in shown(done, "plot_trajectories(")
    assert len(list(folder.rglob("report.html"))) >= 1


def test_without_a_video_it_stops_and_says_what_to_do(tmp_path):
    with pytest.raises(CellExecutionError, match="There is no video yet: drop one into the field"):
        execute("notebooks/zoo.ipynb", tmp_path, own_videos=True)


def test_the_forms_without_a_video_say_in_each_step_what_to_do_and_show_the_models(tmp_path):
    done = execute(FORMS, tmp_path, own_video=True)
    assert WIDGET in shown(done, "forms.video(")
    for step in ("models", "options", "find"):
        assert "There is no video yet: drop one into the field" in told(done, f"forms.{step}(")
    assert "* mouse_openfield: Mouse in an open field" in told(done, "forms.models(")
    for step in ("watch", "trajectories", "take_home"):
        assert "Nothing has been found yet. Run step 5" in told(done, f"forms.{step}(")


def test_a_model_of_the_zoo_finds_the_made_mouse_and_not_twice(folder):
    done = execute("notebooks/zoo.ipynb", folder)
    assert "text/html" in shown(done, "plot_trajectories(")
    assert WIDGET in shown(done, "pn.upload(")
    assert "text/html" in shown(done, "pn.labelled_video(")
    (place,) = folder.rglob("walk_poses")
    poses = pn.load_poses(place / "mouse_openfield")
    assert poses.provenance["zoo"]["model"] == "mouse_openfield"
    assert poses.skeleton.keypoints == ("snout", "leftear", "rightear", "tailbase")
    before = stamps(place, "poses.h5")
    pn.zoo.analyze(pn.open_project(folder / "sample-project").video_url("walk"), "mouse_openfield")
    assert stamps(place, "poses.h5") == before


def test_the_forms_find_the_made_mouse_show_it_and_pack_it_and_nothing_twice(tmp_path):
    options = {"to_second": 2, "quality": "fast"}
    done = execute(FORMS, tmp_path, **options)
    assert "180 frames" in told(done, "forms.video(")
    assert "data:image/png;base64" in told(done, "forms.models(", "text/html")
    assert "sees its animal" in told(done, "forms.options(")
    assert "snout: found in" in told(done, "forms.find(")
    assert "data:video/mp4" in told(done, "forms.watch(", "text/html")
    assert "Trajectories of walk.mp4" in told(done, "forms.trajectories(")
    assert "posenb-results.zip" in told(done, "forms.take_home(")
    (place,) = tmp_path.rglob("walk_poses")
    assert len(pn.load_poses(place / "mouse_openfield")) == 60
    with zipfile.ZipFile(place / "mouse_openfield" / "posenb-results.zip") as archive:
        assert not [name for name in archive.namelist() if "chunks" in name]
    names = ("poses.h5", "labelled.mp4", "report.html", "posenb-results.zip")
    before = stamps(place, *names)
    assert len(before) == len(names)
    execute(FORMS, tmp_path, **options)
    assert stamps(place, *names) == before
