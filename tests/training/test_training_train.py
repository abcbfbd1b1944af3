"""The verb `train`, on tiny projects."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from made_projects import (
    TINY,
    Killed,
    Recorder,
    dot_picture,
    dot_project,
    small_network,
    use_small_network,
)

from posenb import storage
from posenb._progress import silent_progress
from posenb.core import FrameName, Labels, Split, SplitConfig, TrainConfig
from posenb.errors import ConfigError, LabelError, ModelError, TrainingError, UnknownNameError
from posenb.labels import make_split, write_labels
from posenb.models import load_predictor
from posenb.project import Project, Run, create_project, list_runs, open_run
from posenb.training import frames as frames_module
from posenb.training import train
from posenb.training.checkpoints import read_checkpoint


def tiny(project: Project, name: str | None = None, **options: Any) -> Run:
    options = {"progress": silent_progress, **TINY, **options}
    return train(project, name=name, **options)


def weights_of(run: Run) -> list[np.ndarray]:
    weights: list[np.ndarray] = load_predictor(run.model_url)[0].get_weights()
    return weights


def history_of(run: Run) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(storage.read_text(run.history_url))))


def same_weights(one: Run, other: Run) -> bool:
    return all(
        np.array_equal(a, b) for a, b in zip(weights_of(one), weights_of(other), strict=True)
    )


def cut_off(project: Project, name: str, step: int, **options: Any) -> None:
    """Train until `step` and die there."""
    with pytest.raises(Killed):
        tiny(project, name, progress=Recorder(stop_at=step), **options)


@pytest.fixture
def own_project(tmp_path: Path) -> Project:
    return dot_project(tmp_path / "own")


@pytest.fixture
def every_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a checkpoint after each validation, however long that takes."""
    loop = pytest.importorskip("posenb.training.loop")
    monkeypatch.setattr(loop._Saver, "due", lambda self: True)


# What a finished run is


def test_a_real_backbone_learns_to_find_a_bright_dot(learned_run: Run) -> None:
    errors = [float(row["validation_error"]) for row in history_of(learned_run)]
    assert min(errors) < 8
    predictor, _ = load_predictor(learned_run.model_url)
    for x, y in ((30.0, 40.0), (61.5, 20.25)):
        picture = dot_picture(x, y, 80, 90, seed=99)
        found = predictor.predict_on_batch(picture[None])[0, 0]
        assert np.linalg.norm(found[:2] - [x, y]) < 12


def test_a_finished_run_holds_all_that_it_promises(learned_run: Run) -> None:
    names = {storage.name(url) for url in storage.list_files(learned_run.url)}
    assert {"config.json", "split.json", "history.csv", "model.keras", "model.onnx"} <= names
    assert "checkpoint.npz" not in names
    assert learned_run.finished
    assert learned_run in list_runs(learned_run.project_url)
    assert open_run(learned_run.url) == learned_run


def test_the_learning_curve_has_one_row_a_validation(learned_run: Run) -> None:
    rows = history_of(learned_run)
    assert [int(row["step"]) for row in rows] == [20, 40, 60, 80]
    seconds = [float(row["seconds"]) for row in rows]
    assert seconds == sorted(seconds)
    assert all(float(row["loss"]) >= 0 for row in rows)


def test_the_model_carries_its_story(learned_run: Run, project: Project) -> None:
    _, description = load_predictor(learned_run.model_url)
    assert description.name == learned_run.name
    assert description.keypoints == project.skeleton.keypoints
    assert description.scale == 1.0
    assert description.config == learned_run.config()
    assert description.provenance["train_frames"] == len(learned_run.split().train)
    assert len(description.provenance["labels_sha256"]) == 64
    assert {"posenb", "keras", "numpy"} <= set(description.provenance["versions"])


def test_training_changes_no_label_and_no_image(own_project: Project, small: None) -> None:
    before = {url: storage.digest(url) for url in _labelled_files(own_project)}
    tiny(own_project)
    assert {url: storage.digest(url) for url in _labelled_files(own_project)} == before


def _labelled_files(project: Project) -> list[str]:
    return storage.list_files(storage.join(project.url, "labeled-data"), recursive=True)


# Determinism, cut off and run again


@pytest.fixture(scope="module")
def reference(project: Project, train_module: ModuleType) -> Run:
    """A run that was never stopped, with the small network."""
    with pytest.MonkeyPatch.context() as patch:
        use_small_network(patch, train_module)
        return tiny(project, "reference")


def test_the_same_seed_gives_the_same_weights(
    project: Project, reference: Run, small: None
) -> None:
    assert same_weights(tiny(project, "again"), reference)


def test_another_seed_gives_other_weights(project: Project, reference: Run, small: None) -> None:
    assert not same_weights(tiny(project, "other seed", seed=1), reference)


@pytest.mark.parametrize("step", [1, 2, 3, 5, 6])
def test_cut_off_anywhere_a_run_ends_as_if_it_had_never_stopped(
    project: Project, reference: Run, small: None, every_checkpoint: None, step: int
) -> None:
    name = f"cut off at {step}"
    cut_off(project, name, step)
    assert not Run(storage.join(project.runs_url, name)).finished
    run = tiny(project, name)
    assert same_weights(run, reference)
    rows, wanted = history_of(run), history_of(reference)
    for key in ("step", "loss", "validation_error"):
        assert [row[key] for row in rows] == [row[key] for row in wanted]


def test_cut_off_again_and_again_it_still_arrives(
    project: Project, reference: Run, small: None, every_checkpoint: None
) -> None:
    for step in (2, 3, 5):
        cut_off(project, "stumbling", step)
    assert same_weights(tiny(project, "stumbling"), reference)


def test_what_is_done_is_not_done_again(
    project: Project, small: None, every_checkpoint: None
) -> None:
    cut_off(project, "continued", 5)
    progress = Recorder()
    tiny(project, "continued", progress=progress)
    assert progress.initial == 4  # the last validation before step 5; not counted as speed
    assert {count for kind, count, _ in progress.advances if kind == "Training"} == {1}
    assert progress.done == TINY["steps"]


def test_float16_keeps_its_loss_scale_when_cut_off(
    project: Project,
    small: None,
    every_checkpoint: None,
    train_module: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(train_module, "precision", lambda wanted: "mixed_float16")
    whole = tiny(project, "half")
    cut_off(project, "half cut off", 3)
    kept = read_checkpoint(Run(storage.join(project.runs_url, "half cut off")).checkpoint_url)
    assert kept is not None
    scalars = [float(array) for array in kept.state if array.shape == ()]
    assert any(scale >= 256 and np.log2(scale) % 1 == 0 for scale in scalars), scalars
    assert same_weights(tiny(project, "half cut off"), whole)


def test_a_finished_run_is_returned_at_once(
    project: Project, reference: Run, train_module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(train_module, "build_network", never)
    monkeypatch.setattr(frames_module, "read_image", never)
    assert tiny(project, "reference") == reference


def test_a_checkpoint_that_a_kill_left_beside_the_model_goes(
    own_project: Project, small: None
) -> None:
    run = tiny(own_project, "run")
    storage.write_bytes(run.checkpoint_url, b"left behind")
    assert tiny(own_project, "run") == run
    assert not storage.exists(run.checkpoint_url)


def test_the_same_call_is_the_same_run_without_a_name(own_project: Project, small: None) -> None:
    assert tiny(own_project) == tiny(own_project)
    assert tiny(own_project, steps=4) != tiny(own_project)
    assert len(list_runs(own_project.url)) == 2


def test_a_damaged_checkpoint_is_named(project: Project, small: None) -> None:
    cut_off(project, "damaged", 3)
    url = Run(storage.join(project.runs_url, "damaged")).checkpoint_url
    storage.write_bytes(url, b"PK\x03\x04 and then nothing")
    with pytest.raises(TrainingError, match=r"checkpoint\.npz is damaged"):
        tiny(project, "damaged")


def test_a_checkpoint_of_another_network_is_refused(
    project: Project,
    small: None,
    every_checkpoint: None,
    monkeypatch: pytest.MonkeyPatch,
    train_module: ModuleType,
) -> None:
    cut_off(project, "other network", 3)
    monkeypatch.setattr(
        train_module, "build_network", lambda config, count, weights=None: small_network(config, 7)
    )
    with pytest.raises(TrainingError, match="of another network"):
        tiny(project, "other network")


# What a run is started with


def test_another_config_under_the_same_name_is_refused(project: Project, reference: Run) -> None:
    with pytest.raises(TrainingError, match=r"differs in steps.*Choose another name"):
        tiny(project, "reference", steps=7)


def test_another_config_is_refused_for_an_unfinished_run_too(project: Project, small: None) -> None:
    cut_off(project, "half way", 3)
    with pytest.raises(TrainingError, match=r"differs in (\w+, )*seed"):
        tiny(project, "half way", seed=3, zoom=0.5)


def test_labels_that_went_while_a_run_was_cut_off_are_named(tmp_path: Path, small: None) -> None:
    project = dot_project(tmp_path / "own")
    cut_off(project, "run", 3)
    gone = Run(storage.join(project.runs_url, "run")).split().train[0]
    labels = project.labels()
    rest = labels.select([i for i, frame in enumerate(labels.frames) if frame != gone])
    write_labels(project.labels_url("clip"), rest)
    with pytest.raises(TrainingError, match=rf"{gone.image} and 0 more are not"):
        tiny(project, "run")


def test_changed_labels_are_another_run(tmp_path: Path, small: None) -> None:
    project = dot_project(tmp_path / "own")
    before = tiny(project)
    labels = project.labels()
    write_labels(
        project.labels_url("clip"),
        Labels(labels.frames, np.array(labels.positions) + 1, labels.skeleton),
    )
    assert tiny(project) != before


def test_a_given_split_decides_what_trains(
    tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = dot_project(tmp_path / "own")
    frames = project.labels().frames
    split = Split(frames[:5], frames[5:7], frames[7:])
    fetched: list[FrameName] = []
    fetch = frames_module.read_image

    def spy(project: Project, frame: FrameName) -> np.ndarray:
        fetched.append(frame)
        return fetch(project, frame)

    monkeypatch.setattr(frames_module, "read_image", spy)
    run = tiny(project, "given", split=split)
    assert run.split() == split
    assert sorted(fetched) == sorted((*split.train, *split.validation))  # the test ones never


@pytest.mark.parametrize("finished", [True, False])
def test_another_split_under_the_same_name_is_refused(
    own_project: Project, small: None, finished: bool
) -> None:
    frames = own_project.labels().frames
    split = Split(frames[:5], frames[5:7], frames[7:])
    if finished:
        tiny(own_project, "split", split=split, steps=2)
    else:
        cut_off(own_project, "split", 1, split=split, steps=2)
    with pytest.raises(TrainingError, match="'split' has another"):
        tiny(own_project, "split", split=Split(frames[:6], frames[6:7], frames[7:]), steps=2)
    assert tiny(own_project, "split", steps=2).split() == split  # none given: its own


def test_how_frames_are_drawn_may_be_given_in_place_of_which(
    own_project: Project, small: None
) -> None:
    drawn = SplitConfig(test_fraction=0.5, seed=3)
    options = {k: v for k, v in TINY.items() if k not in SplitConfig.model_fields} | {"steps": 2}
    run = train(own_project, split=drawn, progress=silent_progress, **options)
    assert run.config().split == drawn
    assert run.split() == make_split(own_project.labels(), drawn)


def test_frames_labelled_since_leave_a_run_with_its_split(tmp_path: Path, small: None) -> None:
    project = dot_project(tmp_path / "own")
    cut_off(project, "run", 1)
    run = Run(storage.join(project.runs_url, "run"))
    split, labels = run.split(), project.labels()
    new = FrameName("clip", "new.png")
    storage.copy(project.image_url(labels.frames[0]), project.image_url(new))
    project.save_labels(Labels((new,), labels.positions[:1], labels.skeleton))
    assert tiny(project, "run").split() == split


def test_without_validation_frames_the_last_weights_are_kept(
    own_project: Project, small: None
) -> None:
    progress = Recorder()
    run = tiny(own_project, validation_fraction=0, progress=progress)
    assert set(progress.advances[-1][2]) == {"frames/s", "loss"}  # no error of "nan px"
    rows = history_of(run)
    assert [int(row["step"]) for row in rows] == [2, 4, 6]
    assert all(row["validation_error"] == "nan" for row in rows)
    assert run.split().validation == ()


def test_the_weights_of_the_best_validation_are_kept(
    own_project: Project, small: None, train_module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[np.ndarray]] = []
    errors = iter([5.0, 1.0, 3.0])

    def scripted(network: Any, *_: object) -> Any:
        def validate() -> float:
            seen.append(network.get_weights())
            return next(errors)

        return validate

    monkeypatch.setattr(train_module, "_validator", scripted)
    kept = weights_of(tiny(own_project))
    assert all(np.array_equal(a, b) for a, b in zip(kept, seen[1], strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(kept, seen[2], strict=True))


def test_training_stops_when_validation_no_longer_improves(
    own_project: Project, small: None, train_module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = iter([5.0, 6.0, 7.0, 8.0, 9.0])
    monkeypatch.setattr(train_module, "_validator", lambda *_: lambda: next(errors))
    run = tiny(own_project, steps=10, patience=2)
    assert [float(row["validation_error"]) for row in history_of(run)] == [5.0, 6.0, 7.0]
    assert run.finished


def test_weights_at_a_url_are_fetched_for_the_backbone(
    own_project: Project, train_module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[object] = []

    def build(config: Any, keypoints: int, weights: object = None) -> Any:
        given.append(weights)
        return small_network(config, keypoints)

    url = "memory://weights/backbone.weights.h5"
    storage.write_bytes(url, b"the weights")
    monkeypatch.setattr(train_module, "build_network", build)
    tiny(own_project, weights=url)
    assert Path(str(given[0])).read_bytes() == b"the weights"
    assert Path(str(given[0])).name == "backbone.weights.h5"
    assert given[1:] == [None]  # the network that goes into the file needs none


def test_weights_that_are_none_end_in_a_model_error(own_project: Project, tmp_path: Path) -> None:
    path = tmp_path / "some.weights.h5"
    path.write_text("hello")
    with pytest.raises(ModelError, match=r"some\.weights\.h5"):
        tiny(own_project, weights=str(path))


# What is refused


def test_a_config_and_options_together_are_refused(project: Project) -> None:
    with pytest.raises(TrainingError, match=r"got both \(steps\)"):
        train(project, TrainConfig(), steps=3)


def test_an_unknown_option_is_answered_with_the_nearest(project: Project) -> None:
    with pytest.raises(ConfigError, match=r"Did you mean 'learning_rate'"):
        tiny(project, learning_rat=1)


def test_an_unlabelled_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="No labels"):
        tiny(create_project(str(tmp_path / "empty"), keypoints=("dot",)))


def test_training_frames_without_a_keypoint_are_refused(tmp_path: Path, small: None) -> None:
    project = dot_project(tmp_path / "own")
    labels = project.labels()
    positions = np.array(labels.positions)
    positions[:5] = np.nan
    visibility = np.where(np.isnan(positions[..., 0]), 1, 2)  # said to be hidden: labelled
    write_labels(
        project.labels_url("clip"),
        Labels(labels.frames, positions, labels.skeleton, visibility=visibility),
    )
    split = Split(labels.frames[:5], labels.frames[5:])
    with pytest.raises(TrainingError, match="the training frames have none"):
        tiny(project, split=split)
    assert list_runs(project.url) == ()


def test_a_run_that_cannot_begin_leaves_nothing_behind(own_project: Project, small: None) -> None:
    frames = own_project.labels().frames
    unlabelled = FrameName("clip", "absent.png")
    with pytest.raises(TrainingError, match=r"must be labelled; clip/absent\.png and 0 more"):
        tiny(own_project, "run", split=Split(frames[:5], (unlabelled,)))
    with pytest.raises(UnknownNameError, match=r"Did you mean 'mobilenet_v2_035'"):
        tiny(own_project, "run", backbone="mobilenet_v2_35")
    assert list_runs(own_project.url) == ()
    assert tiny(own_project, "run").finished  # under the same name


def test_several_animals_are_refused_by_name(tmp_path: Path) -> None:
    project = create_project(
        str(tmp_path / "two"), keypoints=("dot",), individuals=("anna", "berta")
    )
    positions = np.full((1, 2, 1, 2), 5.0)
    frames = (FrameName("clip", "img.png"),)
    project.save_labels(Labels(frames, positions, project.skeleton, ("anna", "berta")))
    with pytest.raises(TrainingError, match=r"names? 2 \(anna, berta\)"):
        tiny(project)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_loss_that_is_no_number_ends_in_an_error(own_project: Project, small: None) -> None:
    with pytest.raises(TrainingError, match=r"The loss must stay a number.*Lower learning_rate"):
        tiny(own_project, "explodes", learning_rate=1e38)
    assert not Run(storage.join(own_project.runs_url, "explodes")).finished


def test_a_damaged_image_is_named_before_training(tmp_path: Path, small: None) -> None:
    project = dot_project(tmp_path / "own")
    for frame in project.labels().frames:
        storage.write_text(project.image_url(frame), "no image")
    with pytest.raises(LabelError, match=r"img\d+\.png is not"):
        tiny(project)


def test_a_run_in_use_is_refused(own_project: Project, small: None) -> None:
    cut_off(own_project, "busy", 1)
    run = Run(storage.join(own_project.runs_url, "busy"))
    with (
        storage.lock(storage.join(run.url, "training")),
        pytest.raises(TrainingError, match="'busy' is not free"),
    ):
        tiny(own_project, "busy")
    assert tiny(own_project, "busy").finished


def test_a_run_finished_while_waiting_for_it_is_not_trained_again(
    own_project: Project, small: None, train_module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tiny(own_project, "raced")
    answers = iter([False])  # at the first look the other process was not done yet

    class Raced(Run):
        __slots__ = ()

        @property
        def finished(self) -> bool:
            return next(answers, True)

    monkeypatch.setattr(train_module, "Run", Raced)
    monkeypatch.setattr(train_module, "_fit", lambda *_: pytest.fail("trained again"))
    assert tiny(own_project, "raced").url == run.url


# Sizes and precision


def test_windows_may_be_larger_than_the_frames(tmp_path: Path, small: None) -> None:
    project = dot_project(tmp_path / "own", smallest=24, largest=40)
    assert tiny(project, window=128, scale=0.5).finished


def test_scale_and_window_are_chosen_where_none_is_given(own_project: Project, small: None) -> None:
    run = tiny(own_project, scale="auto", window="auto", steps=1)
    _, description = load_predictor(run.model_url)
    assert 0 < description.scale <= 1
    assert description.body_length is None  # one keypoint has no extent


def test_mixed_precision_trains_and_leaves_a_float32_model(
    own_project: Project, small: None
) -> None:
    import keras

    before = keras.config.dtype_policy().name
    run = tiny(own_project, mixed_precision=True)
    assert keras.config.dtype_policy().name == before
    assert {array.dtype for array in weights_of(run)} == {np.dtype(np.float32)}
    assert all(np.isfinite(array).all() for array in weights_of(run))


def test_training_leaves_the_users_random_state_alone(own_project: Project, small: None) -> None:
    import random

    random.seed(5)
    np.random.seed(5)  # noqa: NPY002 - the global state is what must not change
    wanted = random.random(), np.random.random()  # noqa: NPY002
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    tiny(own_project)
    assert (random.random(), np.random.random()) == wanted  # noqa: NPY002


# Progress


def test_progress_tells_the_figures(own_project: Project, small: None) -> None:
    progress = Recorder()
    run = tiny(own_project, progress=progress)
    assert ("Training", "step") in {(text, unit) for _, text, unit in progress.bars}
    assert (len(run.split().train), "Reading labelled frames", "frame") in progress.bars
    assert progress.done == TINY["steps"]
    last = progress.advances[-1][2]
    assert set(last) == {"frames/s", "loss", "validation"}
    row = history_of(run)[-2]  # the latest validation before the last step
    assert last["loss"] == f"{float(row['loss']):.4f}"
    assert last["validation"] == f"{float(row['validation_error']):.2f} px"
    assert float(last["frames/s"]) >= 0


# Where a project may lie


@pytest.mark.parametrize("where", ["memory", "gs"])
def test_a_project_behind_a_url_trains_and_continues(
    request: pytest.FixtureRequest, where: str, tmp_path: Path, small: None, every_checkpoint: None
) -> None:
    bucket = request.getfixturevalue("gs_bucket") if where == "gs" else "memory://"
    project = dot_project(storage.join(bucket, tmp_path.name), count=8)
    cut_off(project, "run", 5)
    run = tiny(project, "run")
    assert run.finished
    assert run.url.startswith(where)
    with storage.reading(run.model_url) as path:
        predictor, _ = load_predictor(path)
    assert predictor.predict_on_batch(np.zeros((1, 40, 50, 3), np.uint8)).shape == (1, 1, 3)
    assert not storage.exists(run.checkpoint_url)


def test_a_project_is_trained_by_its_url(own_project: Project, small: None) -> None:
    assert train(own_project.url, name="by url", progress=silent_progress, **TINY).finished


def test_a_finished_run_is_not_passed_off_as_trained_on_later_labels(
    tmp_path: Path, small: None
) -> None:
    project = dot_project(tmp_path / "own")
    tiny(project, "first")
    labels = project.labels()
    moved = Labels(labels.frames, labels.positions + 1, labels.skeleton, scorer=labels.scorer)
    project.save_labels(moved)
    with pytest.raises(TrainingError, match=r"labels have changed since .* another name"):
        tiny(project, "first")


def test_frames_of_other_sizes_are_validated_as_they_are(train_module: ModuleType) -> None:
    sizes = np.array([[9, 9], [4, 4], [9, 9], [9, 9]])
    batches = [list(part) for part in train_module._batches_of_one_size(sizes, 2)]
    assert batches == [[1], [0, 2], [3]]
