"""Training that begins with a trained model."""

from __future__ import annotations

import hashlib
import random
import shutil
import warnings
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import numpy as np
import pytest
from made_projects import TINY, Killed, Recorder, dot_project, use_small_network

from posenb import storage
from posenb._progress import silent_progress
from posenb.core import Labels, ModelDescription, Skeleton, Split, TrainConfig
from posenb.errors import ModelError, TrainingError, TrainingWarning, UnknownNameError
from posenb.labels import labels_digest
from posenb.models import (
    HEADS,
    build_network,
    build_predictor,
    load_network,
    load_predictor,
    read_description,
    save_predictor,
)
from posenb.project import Project, Run, create_project
from posenb.training import train
from posenb.training.start import Start, find_start, pin_start, take_weights

SHORT = {key: value for key, value in TINY.items() if key not in ("backbone", "weights", "width")}
del SHORT["scale"]


def two_dots(folder: Path, names: tuple[str, str], size: float = 1.0) -> Project:
    """Make a project of two keypoints that lie `size` x 12 pixels apart."""
    source = dot_project(folder / "source", count=8)
    project = create_project(folder / "-".join(names), keypoints=names)
    labels = source.labels()
    for frame in labels.frames:
        storage.copy(source.image_url(frame), project.image_url(frame))
    second = labels.positions + np.array([12 * size, 0])
    positions = np.concatenate([labels.positions, second], axis=2)
    project.save_labels(Labels(labels.frames, positions, project.skeleton))
    return project


def of_network(run: Run) -> Any:
    return load_network(run.model_url)


def head(network: Any, name: str) -> list[np.ndarray]:
    weights: list[np.ndarray] = network.get_layer(name).get_weights()
    return weights


def started(project: Project, start: object, name: str | None = None, **options: Any) -> Run:
    options = {"progress": silent_progress, **SHORT, **options}
    return train(project, name=name, start=start, **options)


def rewritten(model_url: str, path: Path, member: str, content: bytes) -> Path:
    """Copy a model file with another content of one of its members."""
    with zipfile.ZipFile(model_url) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(name, content if name == member else old.read(name))
    return path


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run of a real backbone that knows two keypoints."""
    project = two_dots(tmp_path_factory.mktemp("first"), ("snout", "left_ear"))
    run = Run(storage.join(project.runs_url, "first"))
    config = TrainConfig.from_options(**{**TINY, "scale": 0.75})
    network = build_network(config.model, 2)
    network.set_weights([each + 0.01 for each in network.get_weights()])
    description = ModelDescription(
        name=run.name,
        keypoints=project.skeleton.keypoints,
        scale=0.75,
        body_length=12.0,
        config=config,
    )
    storage.write_text(run.config_url, config.model_dump_json())
    with storage.writing(run.model_url) as path:
        save_predictor(path, build_predictor(network, config.model, 0.75), description)
    return run


def pinned(first: Run, project: Project, **options: Any) -> TrainConfig:
    config = TrainConfig(start=first.url, **options)
    return pin_start(config, project.labels(), project.url)


# What the start decides


def test_shape_scale_and_matched_keypoints_come_from_the_start(first: Run, tmp_path: Path) -> None:
    config = pinned(first, two_dots(tmp_path, ("LeftEar", "tail")))
    assert config.model == first.config().model.replace(weights=None)
    assert config.scale == 0.75
    assert config.start_keypoints == {"LeftEar": "left_ear"}
    assert config.start_sha256 == hashlib.sha256(Path(first.model_url).read_bytes()).hexdigest()
    assert config.start == first.url


def test_what_is_pinned_is_pinned_to_the_same(first: Run, tmp_path: Path) -> None:
    project = two_dots(tmp_path, ("snout", "tail"))
    config = pinned(first, project)
    assert pin_start(config, project.labels(), project.url) == config


def test_a_shape_that_the_options_want_must_be_that_of_the_start(
    first: Run, tmp_path: Path
) -> None:
    project = two_dots(tmp_path, ("snout", "tail"))
    model = {"backbone": "resnet_50", "stride": 8, "weights": "imagenet"}
    with pytest.raises(TrainingError, match="has its shape") as caught:
        pinned(first, project, model=model)
    for part in ("'mobilenet_v2_035' and not 'resnet_50'", "stride is 4 and not 8", "weights"):
        assert part in str(caught.value)
    same = {"backbone": "mobilenet_v2_035", "stride": 4}
    assert pinned(first, project, model=same) == pinned(first, project)


def test_a_scale_that_is_given_counts(first: Run, tmp_path: Path) -> None:
    assert pinned(first, two_dots(tmp_path, ("snout", "left_ear")), scale=0.5).scale == 0.5


@pytest.mark.parametrize(("size", "scale"), [(1.0, 0.75), (1.1, 0.75), (2.0, 0.375), (0.5, 1.5)])
def test_animals_of_another_size_are_shown_as_large_as_the_start_knows_them(
    first: Run, tmp_path: Path, size: float, scale: float
) -> None:
    project = two_dots(tmp_path, ("snout", "left_ear"), size)
    assert pinned(first, project).scale == pytest.approx(scale, rel=0.01)


def test_where_keypoints_are_lacking_their_extent_tells_no_size(first: Run, tmp_path: Path) -> None:
    project = two_dots(tmp_path, ("snout", "tail"), size=3.0)
    assert pinned(first, project).scale == 0.75


# What is taken over


def test_matched_channels_and_all_below_them_are_copied_and_the_others_are_new(
    first: Run, tmp_path: Path
) -> None:
    own = Skeleton(("tail", "Snout"))
    config = pinned(first, two_dots(tmp_path, ("tail", "Snout")))
    network = build_network(config.model, len(own))
    before = {name: [np.array(each) for each in head(network, name)] for name in HEADS}
    start = find_start(first.url, first.project_url)
    take_weights(network, start, config, own)
    learned = of_network(first)
    for layer in network.layers:
        if layer.name not in HEADS:
            theirs = learned.get_layer(layer.name).get_weights()
            assert all(map(np.array_equal, layer.get_weights(), theirs)), layer.name
    for name, each in HEADS.items():
        for now, old, theirs in zip(
            head(network, name), before[name], head(learned, name), strict=True
        ):
            assert np.array_equal(now[..., each:], theirs[..., :each])  # Snout is their first
            assert np.array_equal(now[..., :each], old[..., :each])


def test_the_started_network_finds_what_the_start_finds(first: Run, tmp_path: Path) -> None:
    config = pinned(first, two_dots(tmp_path, ("left ear", "Snout")))
    network = build_network(config.model, 2)
    start = find_start(first.url, first.project_url)
    take_weights(network, start, config, Skeleton(("left ear", "Snout")))
    image = np.random.default_rng(0).normal(size=(1, 64, 64, 3)).astype("float32")
    mine, theirs = (
        {k: keras.ops.convert_to_numpy(v) for k, v in each(image).items()}
        for each in (network, of_network(first))
    )
    assert np.allclose(mine["logits"][..., [1, 0]], theirs["logits"], atol=1e-5)
    assert np.allclose(mine["offsets"][..., [2, 3, 0, 1]], theirs["offsets"], atol=1e-5)


def test_the_users_random_state_is_left_alone(first: Run, tmp_path: Path) -> None:
    config = pinned(first, two_dots(tmp_path, ("snout", "left_ear")))
    network = build_network(config.model, 2)
    random.seed(5)
    wanted = random.random()
    random.seed(5)
    start = find_start(first.url, first.project_url)
    take_weights(network, start, config, Skeleton(("snout", "left_ear")))
    assert random.random() == wanted


# Where it lies


def test_a_run_of_the_same_project_is_told_by_its_path_below_it(first: Run, tmp_path: Path) -> None:
    found = find_start(first.url, first.project_url)
    assert found.told == "runs/first"
    moved = shutil.copytree(first.project_url, tmp_path / "moved")
    again = find_start("runs/first", str(moved))
    assert again.path == moved / "runs" / "first" / "model.keras"
    assert again.sha256 == found.sha256


def test_a_model_file_behind_a_url_is_fetched(first: Run, tmp_path: Path) -> None:
    url = "memory://lab/first.keras"
    storage.copy(first.model_url, url)
    found = find_start(url, str(tmp_path))
    assert (found.told, found.description.name) == (url, "first")


def test_a_model_of_the_zoo_goes_by_its_name_and_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSENB_ZOO", "")
    found = find_start("zoo:mouse_openfield", str(tmp_path))
    assert (found.told, found.description.name) == ("zoo:mouse_openfield", "mouse_openfield")
    folder = found.path.parent
    monkeypatch.chdir(folder.parent)
    by_folder = find_start("zoo:./mouse_openfield", str(tmp_path))
    assert (by_folder.told, by_folder.sha256) == (f"zoo:{folder}", found.sha256)
    with pytest.raises(UnknownNameError, match="Did you mean 'mouse_openfield'"):
        find_start("zoo:mouse_openfeld", str(tmp_path))


def test_a_start_that_is_not_there_is_named_with_the_way_to_one(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"nothing.*zoo:mouse_openfield"):
        find_start("nothing", str(tmp_path))


def test_another_file_than_the_pinned_one_is_refused(first: Run) -> None:
    with pytest.raises(TrainingError, match=r"keeps the model from which it started.*0000"):
        find_start(first.url, first.project_url, "0" * 64)


def test_of_a_start_only_weights_are_read(first: Run, tmp_path: Path) -> None:
    """Layers that would run code are never looked at."""
    altered = rewritten(first.model_url, tmp_path / "altered.keras", "config.json", b"{}")
    predictor, _ = load_predictor(first.model_url)
    assert all(map(np.array_equal, load_network(altered).get_weights(), predictor.get_weights()))


@pytest.mark.filterwarnings("ignore:Skipping nested container")
def test_weights_of_another_network_are_refused(first: Run, tmp_path: Path) -> None:
    told = read_description(first.model_url)
    told = told.replace(config=told.config.replace(model=told.config.model.replace(width=16)))
    content = told.model_dump_json().encode()
    altered = rewritten(first.model_url, tmp_path / "altered.keras", "posenb.json", content)
    start = Start("altered", altered, "", told)
    network = build_network(told.config.model, 2)
    with pytest.raises(ModelError, match="its weights are not those of a mobilenet_v2_035"):
        take_weights(network, start, TrainConfig(start="altered"), Skeleton(("a", "b")))


# The run


@pytest.fixture
def own(tmp_path: Path) -> Project:
    return two_dots(tmp_path, ("Snout", "tail"))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, train_module: ModuleType) -> None:
    """Let `train` and what it starts from be a network of a few layers."""
    use_small_network(monkeypatch, train_module)
    monkeypatch.setattr("posenb.models.files.build_network", train_module.build_network)


@pytest.fixture
def small_first(small: None, tmp_path: Path) -> Run:
    project = two_dots(tmp_path / "base", ("snout", "left_ear"))
    return train(project, name="base", progress=silent_progress, **TINY)


@pytest.mark.filterwarnings("ignore::posenb.errors.TrainingWarning")
def test_cut_off_before_or_after_a_checkpoint_it_ends_the_same(
    own: Project, small_first: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("posenb.training.loop._Saver.due", lambda self: True)
    whole = started(own, small_first, "whole")
    for step in (1, 3, 5):
        name = f"cut at {step}"
        with pytest.raises(Killed):
            started(own, small_first, name, progress=Recorder(stop_at=step))
        again = started(own, small_first, name) if step < 5 else train(own, name=name)
        assert again.config() == whole.config()
        mine, theirs = (load_predictor(r.model_url)[0].get_weights() for r in (again, whole))
        assert all(map(np.array_equal, mine, theirs))


@pytest.mark.filterwarnings("ignore::posenb.errors.TrainingWarning")
def test_a_run_goes_on_from_its_checkpoint_without_its_start(
    own: Project, small_first: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("posenb.training.loop._Saver.due", lambda self: True)
    with pytest.raises(Killed):
        started(own, small_first, "orphan", progress=Recorder(stop_at=3))
    storage.remove(small_first.url, recursive=True)
    assert train(own, name="orphan", progress=silent_progress).finished


@pytest.mark.filterwarnings("ignore::posenb.errors.TrainingWarning")
def test_the_run_and_its_model_tell_what_was_taken_from_where(
    own: Project, small_first: Run
) -> None:
    run = started(own, small_first)
    digest = storage.digest(small_first.model_url)
    assert (run.config().start, run.config().start_sha256) == (small_first.url, digest)
    assert read_description(run.model_url).provenance["start"] == {
        "model": small_first.url,
        "sha256": digest,
        "keypoints": {"Snout": "snout"},
        "new_keypoints": ["tail"],
    }
    assert started(own, small_first) == run
    assert started(own, small_first, steps=4) != run


def test_keypoints_that_begin_from_nothing_are_told(own: Project, small_first: Run) -> None:
    with pytest.warns(TrainingWarning, match=r"1 of the 2 keypoints; tail begins from nothing"):
        started(own, small_first)
    with warnings.catch_warnings():
        warnings.simplefilter("error", TrainingWarning)
        run = started(own, small_first, start_keypoints={"tail": "left_ear"})
    assert run.config().start_keypoints == {"Snout": "snout", "tail": "left_ear"}


@pytest.mark.filterwarnings("ignore::posenb.errors.TrainingWarning")
def test_a_start_that_was_trained_anew_is_another_start(own: Project, small_first: Run) -> None:
    started(own, small_first, "run")
    other = train(
        small_first.project_url, name="other", progress=silent_progress, **{**TINY, "seed": 3}
    )
    storage.copy(other.model_url, small_first.model_url)
    with pytest.raises(TrainingError, match="differs in start_sha256"):
        started(own, small_first, "run")
    assert train(own, name="run").finished  # by its name alone it is what it was


def test_runs_without_a_start_keep_the_names_that_they_had(train_module: ModuleType) -> None:
    config, project = TrainConfig(), Skeleton(("dot",))
    labels = Labels((), np.empty((0, 1, 1, 2)), project)
    split = Split((), ())
    later = {"start", "start_keypoints", "start_sha256", "unlabelled"}
    plain = config.model_dump_json(exclude=later)
    digest = hashlib.sha256(plain.encode())
    digest.update(labels_digest(labels).encode())
    digest.update(repr((split.train, split.validation, split.test)).encode())
    name = train_module._default_name(config, labels, split)
    assert name == f"mobilenet_v2_seed0_{digest.hexdigest()[:8]}"
    other = train_module._default_name(config.replace(unlabelled="unknown"), labels, split)
    assert other != name


def test_a_config_of_before_reads_an_unlabelled_keypoint_as_absent() -> None:
    before = TrainConfig(start="zoo:mouse_openfield", steps=7)
    text = before.model_dump_json(exclude={"unlabelled"})
    assert TrainConfig.model_validate_json(text) == before
    assert before.unlabelled == "absent"
