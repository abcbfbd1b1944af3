"""Each command calls its verb and shows what came of it."""

import json
import shutil

import pytest

from posenb import storage
from posenb.core import TrainConfig
from posenb.labels import read_poses
from posenb.project import list_runs, open_project, open_run

# --- create --------------------------------------------------------------------------


def test_create_takes_keypoints_one_by_one_and_in_lists(posenb, tmp_path):
    done = posenb("create", tmp_path / "a", "-k", "snout,leftear", "--keypoint", "tailbase")
    assert done.exit_code == 0, done.output
    project = open_project(tmp_path / "a")
    assert project.skeleton.keypoints == ("snout", "leftear", "tailbase")
    assert done.stdout.strip() == project.url
    assert done.stderr == ""


def test_create_takes_everything_the_verb_takes(posenb, tmp_path):
    done = posenb(
        *("create", tmp_path / "a", "--keypoints", "snout,tail-base", "--scorer", "ada"),
        *("--skeleton", "snout-tail-base", "--individuals", "m1,m2", "--name", "reaching"),
        *("--unique-keypoints", "corner"),
    )
    assert done.exit_code == 0, done.output
    project = open_project(tmp_path / "a")
    assert project.skeleton.edge_names == (("snout", "tail-base"),)
    assert project.individuals == ("m1", "m2")
    assert project.skeleton.unique == ("corner",)
    assert (project.scorer, project.name) == ("ada", "reaching")


@pytest.mark.parametrize(
    ("edge", "keypoints"), [("snout", "snout,tail"), ("a-b-c", "a,b-c,a-b,c"), ("a-x-b", "a,b")]
)
def test_an_edge_that_joins_no_two_keypoints_is_refused(posenb, tmp_path, edge, keypoints):
    done = posenb("create", tmp_path / "a", "-k", keypoints, "--skeleton", edge)
    assert done.exit_code == 1
    assert "written a-b" in done.stderr
    assert not (tmp_path / "a").exists()


def test_an_unknown_keypoint_in_an_edge_meets_the_likeliest_one(posenb, tmp_path):
    done = posenb("create", tmp_path / "a", "-k", "snout,tail", "--skeleton", "snout-tial")
    assert done.exit_code == 1
    assert "Did you mean 'tail'?" in done.stderr


def test_create_never_touches_a_project_that_is_there(posenb, project):
    before = project.reload()
    done = posenb("create", project.url, "-k", "other")
    assert done.exit_code == 1
    assert project.reload() == before


def test_create_without_keypoints_is_a_usage_error(posenb, tmp_path):
    done = posenb("create", tmp_path / "a")
    assert done.exit_code == 2
    assert "--keypoints" in done.stderr


# --- open ----------------------------------------------------------------------------


def test_open_shows_what_a_project_holds(posenb, run):
    done = posenb("open", run.project_url)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0].startswith("reach: a posenb project at ")
    rows = {line.split()[0]: line.split()[1:] for line in lines[1:]}
    assert rows["keypoints"] == ["2", "snout,", "tail-base"]
    assert rows["videos"] == ["1", "clip"]
    assert rows["labelled"] == ["8", "frames", "of", "clip"]
    assert rows["runs"] == ["1"]
    assert lines[-1].strip() == "first"


def test_open_shows_individuals_and_an_empty_project(posenb, tmp_path):
    posenb("create", tmp_path / "a", "-k", "snout", "--individuals", "m1,m2")
    text = posenb("open", tmp_path / "a").stdout
    assert "individuals     2  m1, m2" in text
    assert "videos          0" in text
    assert "labelled        0" in text


def test_open_tells_which_run_did_not_finish(posenb, run):
    storage.remove(run.model_url)
    assert "first (not finished)" in posenb("open", run.project_url).stdout


@pytest.mark.parametrize(
    ("folder", "kind"),
    [("openfield", "DeepLabCut"), ("mirror-mouse", "Lightning Pose")],
)
def test_open_shows_real_projects_of_other_programs(posenb, shared_data, folder, kind):
    done = posenb("open", shared_data / folder)
    assert done.exit_code == 0, done.output
    assert f"a {kind} project" in done.stdout


# --- add-videos ----------------------------------------------------------------------


def test_add_videos_adds_each_once(posenb, project, tmp_path):
    clip = project.video_url("clip")
    posenb("create", tmp_path / "a", "-k", "snout")
    first = posenb("add-videos", tmp_path / "a", clip, "--copy", "--crop", "0,32,0,64", "-q")
    second = posenb("add-videos", tmp_path / "a", tmp_path / "a" / "videos" / "*.mp4", "-q")
    assert (first.exit_code, second.exit_code) == (0, 0), first.output + second.output
    assert first.stdout.strip() == "1 added, 1 in all"
    assert second.stdout.strip() == "0 added, 1 in all"
    added = open_project(tmp_path / "a")
    assert added.videos == {"clip": "videos/clip.mp4"}
    assert added.crops == {"clip": (0, 32, 0, 64)}


def test_add_videos_refuses_what_is_no_video(posenb, project, tmp_path):
    (tmp_path / "notes.mp4").write_text("no video")
    done = posenb("add-videos", project.url, tmp_path / "notes.mp4")
    assert done.exit_code == 1
    assert "notes.mp4" in done.stderr
    assert project.reload() == project


# --- train ---------------------------------------------------------------------------


def test_train_passes_its_options_on(run):
    config = run.config()
    assert config.model.backbone == "mobilenet_v2_035"
    assert config.model.weights is None
    assert (config.steps, config.batch_size, config.window, config.scale) == (2, 2, 64, 1.0)
    assert config.split == TrainConfig().split


def test_train_says_where_the_run_is_and_does_not_train_twice(posenb, run):
    before = storage.digest(run.model_url)
    options = ("--backbone", "mobilenet_v2_035", "--weights", "none", "--width", "8")
    sizes = ("--steps", "2", "--batch-size", "2", "--window", "64", "--scale", "1")
    done = posenb("train", run.project_url, "--name", "first", "-q", *options, *sizes)
    assert done.exit_code == 0, done.output
    assert done.stdout.strip() == run.url
    assert storage.digest(run.model_url) == before


@pytest.mark.filterwarnings("ignore::posenb.errors.TrainingWarning")
def test_train_takes_the_split_of_a_file(posenb, run, tmp_path):
    frames = [f"{frame.video}/{frame.image}" for frame in run.split().train]
    parts = {"version": 1, "train": frames[:1], "validation": [], "test": frames[1:]}
    storage.write_text(tmp_path / "split.json", json.dumps(parts))
    options = ("--start", run.url, "--steps", "1", "--batch-size", "1", "--window", "64", "-q")
    split = ("--split-file", tmp_path / "split.json")
    both = posenb("train", run.project_url, "--test-fraction", "0.2", *split, *options)
    assert both.exit_code == 1
    assert "--test-fraction too. Give one of the two" in both.stderr
    done = posenb("train", run.project_url, "--name", "third", *split, *options)
    assert done.exit_code == 0, done.output
    made = open_run(done.stdout.strip()).split()
    assert [made.train, made.test] == [run.split().train[:1], run.split().train[1:]]


@pytest.mark.filterwarnings("ignore::posenb.errors.TrainingWarning")
def test_train_from_another_run_tells_what_was_taken_over(posenb, run):
    options = ("--steps", "1", "--batch-size", "1", "--window", "64", "-q")
    start = ("--start", run.url, "--start-keypoints", "snout=tail-base")
    done = posenb("train", run.project_url, "--name", "second", *start, *options)
    assert done.exit_code == 0, done.output
    assert "from runs/first: snout (its tail-base)" in done.stderr
    second = open_run(done.stdout.strip()).config()
    assert (second.start, second.model.width) == ("runs/first", 8)


def test_train_of_a_project_without_labels_says_what_to_do(posenb, tmp_path):
    posenb("create", tmp_path / "a", "-k", "snout")
    done = posenb("train", tmp_path / "a", "-q")
    assert done.exit_code == 1
    assert "label" in done.stderr
    assert list_runs(tmp_path / "a") == ()


# --- evaluate ------------------------------------------------------------------------


def test_evaluate_shows_the_errors_of_the_projects_only_run(posenb, run):
    done = posenb("evaluate", run.project_url, "--pck", "3,30", "--figures", "false", "-q")
    assert done.exit_code == 0, done.output
    assert "snout" in done.stdout
    assert "pck_30" in done.stdout
    assert done.stdout.splitlines()[-1] == run.evaluation_url
    assert done.stderr == ""


def test_evaluate_refuses_a_cutoff_out_of_range(posenb, run):
    done = posenb("evaluate", run.url, "--cutoff", "1.5", "-q")
    assert done.exit_code == 2
    assert "1.5" in done.stderr


# --- analyze -------------------------------------------------------------------------


def test_analyze_writes_poses_into_the_project_and_says_where(posenb, run):
    done = posenb("analyze", run.url, "clip", "--batch-size", "4", "--stop", "6", "-q")
    assert done.exit_code == 0, done.output
    folder = open_project(run.project_url).poses_url("clip", "first")
    assert done.stdout.strip() == folder
    assert len(read_poses(folder)) == 6


def test_analyze_takes_several_videos_and_a_folder(posenb, run, tmp_path):
    clip = open_project(run.project_url).video_url("clip")
    shutil.copy(clip, tmp_path / "other.mp4")
    done = posenb(
        *("analyze", run.project_url, "clip", tmp_path / "other.mp4"),
        *("--output", tmp_path / "out", "-q"),
    )
    assert done.exit_code == 0, done.output
    assert done.stdout.split() == [str(tmp_path / "out" / n) for n in ("clip", "other")]
    for name in ("clip", "other"):
        assert (
            json.loads((tmp_path / "out" / name / "meta.json").read_text())["frames"]["stop"] == 8
        )


def test_analyze_takes_a_model_file_outside_any_project(posenb, run, tmp_path):
    model = tmp_path / "first.keras"
    shutil.copy(run.model_url, model)
    clip = shutil.copy(open_project(run.project_url).video_url("clip"), tmp_path / "clip.mp4")
    done = posenb("analyze", model, clip, "-q")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "clip_poses" / "poses.h5").exists()


def test_further_runs_make_it_an_ensemble(posenb, run, small, tmp_path):
    other = tmp_path / "elsewhere" / "runs" / "first"
    shutil.copytree(run.url, other)
    train = ("train", run.project_url, "--name", "second", "--seed", "1", "--quiet", *small)
    assert posenb(*train).exit_code == 0
    done = posenb("analyze", run.url, "clip", "--with", "second", "--quiet")
    assert done.exit_code == 0, done.output
    assert "/poses/clip/ensemble_2_" in done.stdout
    assert read_poses(done.stdout.strip()).spread.shape == (8, 1, 2)
    clip = open_project(run.project_url).video_url("clip")
    done = posenb("analyze", run.project_url, clip, "--run", "second", "--with", other, "-q")
    assert done.stdout.strip().endswith("clip_poses")  # models of two projects
    twice = posenb("analyze", run.url, "clip", "--with", "first", "--quiet")
    assert twice.exit_code == 1
    assert "same one is there twice" in twice.stderr


def test_analyze_meets_a_misspelt_video_with_the_likeliest_one(posenb, run):
    done = posenb("analyze", run.url, "clib", "-q")
    assert done.exit_code == 1
    assert "Did you mean 'clip'?" in done.stderr


# --- which run -----------------------------------------------------------------------


@pytest.fixture
def two_runs(run):
    shutil.copytree(run.url, run.url.replace("first", "second"))
    return run.project_url


def test_of_several_runs_one_must_be_named(posenb, two_runs):
    done = posenb("evaluate", two_runs, "-q")
    assert done.exit_code == 1
    assert "first, second" in done.stderr
    assert "--run" in done.stderr


def test_a_run_is_named_with_run(posenb, two_runs):
    done = posenb("evaluate", two_runs, "--run", "second", "--figures", "false", "-q")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[-1] == open_run(f"{two_runs}/runs/second").evaluation_url


def test_a_misspelt_run_meets_the_likeliest_one(posenb, two_runs):
    done = posenb("analyze", two_runs, "clip", "--run", "secnd", "-q")
    assert done.exit_code == 1
    assert "Did you mean 'second'?" in done.stderr


def test_a_run_is_named_only_once(posenb, run):
    done = posenb("evaluate", run.url, "--run", "first")
    assert done.exit_code == 1
    assert "Name a run once" in done.stderr


def test_without_a_finished_run_training_comes_first(posenb, run):
    storage.remove(run.model_url)
    done = posenb("evaluate", run.project_url)
    assert done.exit_code == 1
    assert "first did not finish" in done.stderr
    assert "posenb train" in done.stderr


def test_where_there_is_nothing_the_message_says_what_was_looked_for(posenb, tmp_path):
    done = posenb("analyze", tmp_path / "nowhere", "clip")
    assert done.exit_code == 1
    assert "No project at" in done.stderr
