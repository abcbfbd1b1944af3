"""Evaluation of a real run: a small random network over pictures made here."""

import json
import shutil
import warnings
from dataclasses import replace
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from posenb import storage
from posenb._progress import silent_progress
from posenb.core import (
    FrameFormat,
    FrameName,
    Labels,
    ModelConfig,
    ModelDescription,
    Skeleton,
    Split,
    TrainConfig,
)
from posenb.errors import (
    AnalysisError,
    ConfigError,
    LabelError,
    LabelWarning,
    ProjectError,
    StorageError,
)
from posenb.inference import EvaluateConfig, Evaluation, evaluate, quantise
from posenb.inference import evaluation_files as files
from posenb.inference.evaluate import _batches
from posenb.inference.model import Model, find_model
from posenb.inference.variants import Variants
from posenb.labels import labels_digest, write_split
from posenb.project import create_project, open_project, open_run, read_image

NAMES = ("snout", "tail $x$", "_ear")
COUNT = 12
CONFIG = TrainConfig(model=ModelConfig(backbone="mobilenet_v2_035", weights=None, width=8))
SPLIT = Split(
    tuple(FrameName("clip", f"img{n:02d}.png") for n in range(7)),
    tuple(FrameName("clip", f"img{n:02d}.png") for n in range(7, 10)),
    tuple(FrameName("clip", f"img{n:02d}.png") for n in range(10, 12)),
)


def made_labels() -> Labels:
    rng = np.random.default_rng(4)
    positions = rng.uniform(4, 44, (COUNT, 1, 3, 2))
    positions[::3, 0, 1] = np.nan
    frames = (*SPLIT.train, *SPLIT.validation, *SPLIT.test)
    return Labels(frames, positions, Skeleton(NAMES))


def picture(n: int, size: tuple[int, int] = (64, 48)) -> bytes:
    pixels = np.random.default_rng(n).integers(0, 255, (size[1], size[0], 3), np.uint8)
    data = BytesIO()
    Image.fromarray(pixels).save(data, "PNG")
    return data.getvalue()


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    """A model with random weights, and its description."""
    import keras

    from posenb.models import build_network, build_predictor, save_predictor

    keras.utils.set_random_seed(1)
    network = build_network(CONFIG.model, len(NAMES))
    predictor = build_predictor(network, CONFIG.model, 1.0)
    description = ModelDescription(
        name="first",
        keypoints=NAMES,
        edges=((0, 1),),
        scale=1.0,
        config=CONFIG,
        provenance={"labels_sha256": labels_digest(made_labels())},
    )
    path = tmp_path_factory.mktemp("model") / "model.keras"
    save_predictor(path, predictor, description)
    return path


@pytest.fixture(scope="module")
def compiled():
    return {}


@pytest.fixture(autouse=True)
def compile_once(monkeypatch, compiled):
    """Load and compile a model once for all tests: both take seconds."""
    from posenb import models

    load, predict = models.load_predictor, Model.predict

    def load_once(path):
        key = storage.digest(path)
        if key not in compiled:
            compiled[key] = load(path)
        return compiled[key]

    def predict_once(self, *shape):
        key = (self.identity, *shape)
        if key not in compiled:
            compiled[key] = predict(self, *shape)
        return compiled[key]

    monkeypatch.setattr(models, "load_predictor", load_once)
    monkeypatch.setattr(Model, "predict", predict_once)


def make_project(url, model_file, *, finished: bool = True):
    """Make a project with labels, images and one run, and return the run's folder."""
    project = create_project(url, keypoints=NAMES, skeleton=[(NAMES[0], NAMES[1])])
    project.save_labels(made_labels())
    for n, frame in enumerate(made_labels().frames):
        # Three sizes, so that batches of equal size have to be sorted out.
        storage.write_bytes(project.image_url(frame), picture(n, (64, 48 + 32 * (n % 5 == 4))))
    run = storage.join(project.runs_url, "first")
    storage.write_text(storage.join(run, "config.json"), CONFIG.model_dump_json())
    write_split(storage.join(run, "split.json"), SPLIT)
    history = "step,seconds,loss,validation_error\n50,9.5,0.7,21.5\n100,18.0,0.4,9.25\n"
    storage.write_text(storage.join(run, "history.csv"), history)
    if finished:
        storage.copy(model_file, storage.join(run, "model.keras"))
    return run


@pytest.fixture
def run(tmp_path, model_file):
    return make_project(tmp_path / "project", model_file)


def quiet(run, **options) -> Evaluation:
    return evaluate(run, progress=silent_progress, **{"figures": False, **options})


@pytest.fixture(scope="module")
def whole(tmp_path_factory, model_file):
    """An evaluation with everything; tests only look at it."""
    run = make_project(tmp_path_factory.mktemp("whole") / "project", model_file)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("error", LabelWarning)
        # Untrained networks have no clear peaks, so that rounding would move them.
        return evaluate(run, worst=4, progress=silent_progress, precision="float32")


def test_a_run_that_was_quantised_is_evaluated_in_whole_numbers(run):
    assert quantise(run, frames=2, progress=silent_progress) == open_run(run)
    quiet(run, precision="int8")
    told = json.loads(storage.read_text(storage.join(run, "evaluation", "meta.json")))
    assert told["software"]["precision"] == "int8"


# --- what comes back -----------------------------------------------------------------


def test_train_validation_and_test_stand_side_by_side(whole):
    assert list(whole.table.index) == [*NAMES, "all"]
    assert list(whole.table["mean"].columns) == ["train", "validation", "test"]
    assert whole.table["count", "train"]["snout"] == 7
    assert whole.table["count", "test"]["snout"] == 2


def test_measures_keep_the_order_of_the_summary(whole):
    measures = list(dict.fromkeys(whole.table.columns.get_level_values("measure")))
    assert measures == [*whole.summary.columns.drop(["split", "keypoint"])]


def test_every_keypoint_of_every_frame_is_listed(whole):
    assert len(whole.errors) == COUNT * len(NAMES)
    assert set(whole.errors["frame"]) == {"/".join(frame) for frame in made_labels().frames}
    assert whole.errors.groupby("split")["frame"].nunique().to_dict() == {
        "train": 7,
        "validation": 3,
        "test": 2,
    }


def test_errors_are_distances_from_label_to_prediction(whole):
    known = whole.errors[whole.errors["visibility"] == "visible"]
    distances = np.hypot(known["x"] - known["label_x"], known["y"] - known["label_y"])
    np.testing.assert_allclose(known["error"], distances)
    assert known["error"].notna().all()


def test_labels_stay_with_their_frames(whole):
    first = whole.errors[whole.errors["frame"] == "clip/img03.png"]
    np.testing.assert_allclose(first[["label_x", "label_y"]], made_labels().positions[3, 0])


def test_predictions_are_those_of_the_model_on_that_image(whole, model_file):
    from posenb.models import load_predictor

    project = open_project(storage.parent(storage.parent(storage.parent(whole.url))))
    predictor, _ = load_predictor(model_file)
    for name in ("clip/img04.png", "clip/img11.png"):
        image = read_image(project, FrameName(*name.split("/")))
        expected = np.asarray(predictor.predict_on_batch(image[None]))[0]
        listed = whole.errors[whole.errors["frame"] == name]
        np.testing.assert_allclose(listed[["x", "y", "likelihood"]], expected, atol=1e-3)


def test_the_summary_is_that_of_the_errors(whole):
    test = whole.errors[(whole.errors["split"] == "test") & (whole.errors["keypoint"] == "snout")]
    row = whole.table.loc["snout"]
    assert row["mean", "test"] == pytest.approx(test["error"].mean())
    assert row["median", "test"] == pytest.approx(test["error"].median())
    assert row["rmse", "test"] == pytest.approx(np.sqrt((test["error"] ** 2).mean()))


def test_mean_median_and_rmse_stand_in_the_file_with_and_without_the_cut_off(whole):
    header = storage.read_text(storage.join(whole.url, "summary.csv")).splitlines()[0].split(",")
    names = {"mean", "median", "rmse"}
    assert names | {f"{name}_confident" for name in names} <= set(header)


def test_it_shows_itself_as_text(whole):
    text = repr(whole)
    assert text.startswith("Evaluation of first: 7 train, 3 validation, 2 test frames")
    assert "likelihood of 0.6 or more" in text
    assert "rmse" in text
    assert "false_confident" not in text


def test_it_shows_itself_in_a_notebook_with_names_as_they_are(whole):
    page = whole._repr_html_()
    assert "<table" in page
    assert "tail $x$" in page
    strange = replace(whole, summary=whole.summary.replace("snout", "<b>snout</b>"))
    assert "<b>snout" not in strange._repr_html_()


def test_a_notebook_shows_the_measures_that_fit_its_width_and_names_where_all_are(whole):
    page = whole._repr_html_()
    for measure, there in (("mean", 1), ("median", 1), ("share_confident", 1), ("rmse", 0)):
        assert f">{measure}<" in page if there else measure not in page
    assert "evaluation.table" in page


def test_a_notebook_tells_of_keypoints_that_were_not_found_at_all(whole):
    assert ">missed<" not in replace(whole, summary=whole.summary.assign(missed=0))._repr_html_()
    assert ">missed<" in replace(whole, summary=whole.summary.assign(missed=1))._repr_html_()


# --- what is written -----------------------------------------------------------------


def test_the_tables_can_be_read_again(whole):
    summary = pd.read_csv(storage.join(whole.url, "summary.csv"))
    pd.testing.assert_frame_equal(summary, whole.summary, check_dtype=False, atol=1e-4)
    errors = pd.read_csv(storage.join(whole.url, "errors.csv"), keep_default_na=False)
    assert list(errors.columns) == list(whole.errors.columns)
    assert len(errors) == len(whole.errors)


def test_the_files_tell_how_they_came_about(whole, model_file):
    told = json.loads(storage.read_text(storage.join(whole.url, "meta.json")))
    assert told["run"] == "first"
    assert told["model_sha256"] == storage.digest(model_file)
    assert (told["cutoff"], told["pck"]) == (0.6, [5.0, 10.0])
    assert told["frames"] == COUNT
    assert {"posenb", "runtime", "precision"} <= told["software"].keys()


def test_figures_and_worst_frames_are_written(whole):
    names = [storage.name(url) for url in storage.list_files(whole.url)]
    assert {"errors.png", "errors.svg", "learning_curve.png"} <= set(names)
    pictures = storage.list_files(storage.join(whole.url, "worst"), "*.png")
    assert len(pictures) == 4
    for url in pictures:
        with Image.open(url) as image:
            assert min(image.size) > 300


def test_pictures_are_named_by_rank_part_and_frame_the_worst_first(whole):
    means = whole.errors.groupby(["split", "frame"], sort=False)["error"].mean()
    (part, frame) = means.idxmax()
    first = storage.list_files(storage.join(whole.url, "worst"))[0]
    expected = f"01_{part}_{frame.replace('/', '_')}"
    assert storage.name(first) == expected


def test_without_figures_no_picture_is_left_of_before(run):
    quiet(run, figures=True, worst=1)
    assert storage.exists(storage.join(run, "evaluation", "errors.png"))
    quiet(run)
    names = [storage.name(url) for url in storage.list_files(storage.join(run, "evaluation"))]
    assert {"errors.csv", "summary.csv", "meta.json"} <= set(names)
    assert "errors.png" not in names
    assert not storage.exists(storage.join(run, "evaluation", "worst"))


def test_worst_frames_of_before_do_not_stay(run):
    quiet(run, figures=True, worst=3)
    quiet(run, figures=True, worst=1)
    assert len(storage.list_files(storage.join(run, "evaluation", "worst"))) == 1


def test_what_others_put_beside_stays(run):
    note = storage.join(run, "evaluation", "note.txt")
    storage.write_text(note, "mine")
    quiet(run)
    assert storage.read_text(note) == "mine"


def test_the_same_evaluation_gives_the_same_tables(run, whole):
    again = quiet(run, precision="float32")
    pd.testing.assert_frame_equal(again.errors, whole.errors)


def test_a_run_without_history_has_no_learning_curve(run):
    storage.remove(storage.join(run, "history.csv"))
    evaluation = quiet(run, figures=True, worst=0)
    assert not storage.exists(storage.join(evaluation.url, "learning_curve.png"))
    assert storage.exists(storage.join(evaluation.url, "errors.png"))


def test_a_history_without_rows_has_no_learning_curve(run):
    storage.write_text(storage.join(run, "history.csv"), "step,seconds,loss,validation_error\n")
    evaluation = quiet(run, figures=True, worst=0)
    assert not storage.exists(storage.join(evaluation.url, "learning_curve.png"))


def test_a_failing_disk_leaves_the_tables_of_before_whole(run, monkeypatch):
    before = quiet(run)
    kept = storage.read_text(storage.join(before.url, "summary.csv"))

    def fail(url, text):
        raise StorageError("The disk is full.")

    monkeypatch.setattr(files.storage, "write_text", fail)
    with pytest.raises(StorageError, match="full"):
        quiet(run)
    monkeypatch.undo()
    assert storage.read_text(storage.join(before.url, "summary.csv")) == kept


def test_tables_of_two_evaluations_are_not_told_to_be_of_one(run, monkeypatch):
    before = quiet(run)
    write = storage.write_text

    def fail(url, text):
        if url.endswith("summary.csv"):
            raise StorageError("The disk is full.")
        write(url, text)

    monkeypatch.setattr(files.storage, "write_text", fail)
    with pytest.raises(StorageError, match="full"):
        quiet(run)
    assert not storage.exists(storage.join(before.url, "meta.json"))


# --- which run, which options --------------------------------------------------------


def test_a_run_is_given_as_a_run_or_its_folder(run):
    assert quiet(open_run(run)).url == quiet(run).url == storage.join(run, "evaluation")


def test_frames_can_be_looked_at_in_several_forms_as_an_analysis_does(run):
    options = {"precision": "float32", "runtime": "onnxruntime"}
    varied = quiet(run, flip=True, scales=(1.0, 1.5), **options)
    told = json.loads(storage.read_text(storage.join(varied.url, "meta.json")))
    assert (told["flip"], told["scales"]) == (True, [1.0, 1.5])
    model = find_model(run, variants=Variants(True, (1.0, 1.5)), **options)
    frame = SPLIT.test[0]
    image = read_image(project_of(run), frame)
    predict = model.predict(FrameFormat("rgb", *image.shape[:2]), 8)
    expected = predict(image.reshape(1, -1))[0]
    rows = varied.errors[varied.errors["frame"] == "/".join(filter(None, frame))]
    np.testing.assert_allclose(rows[["x", "y"]], expected[:, :2], atol=1e-3)
    plain = quiet(run, **options)
    assert not np.allclose(varied.errors["x"], plain.errors["x"])


def test_a_config_may_be_given_as_a_whole(run):
    evaluation = quiet(run, config=EvaluateConfig(cutoff=0.0, pck=(2.5,)))
    assert evaluation.cutoff == 0
    assert "pck_2.5" in evaluation.summary.columns


def test_the_cut_off_and_distances_can_be_chosen(run):
    evaluation = quiet(run, cutoff=0.0, pck=(2.5,))
    assert "pck_2.5" in evaluation.summary.columns
    assert "pck_5" not in evaluation.summary.columns
    assert (evaluation.summary["share_confident"] == 1).all()
    assert evaluation.table["false_confident", "train"]["tail $x$"] == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cutoff": 1.5}, r"cutoff: .* less than or equal to 1 \(got 1.5\)"),
        ({"pck": (0,)}, r"pck.0: .* greater than 0 \(got 0\)"),
        ({"pck": (3, 3)}, "each distance stands once"),
        ({"worst": -1}, r"worst: .* greater than or equal to 0 \(got -1\)"),
        ({"scales": ()}, "scales: .* at least 1 item"),
        ({"flipped": True}, "'flipped' is not an option"),
    ],
)
def test_options_out_of_range_are_refused_before_anything_is_read(tmp_path, options, message):
    with pytest.raises(ConfigError, match=message):
        quiet(tmp_path / "nowhere", **options)


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(ProjectError, match=r"config\.json"):
        quiet(tmp_path)


def test_an_unfinished_run_says_what_to_do(tmp_path, model_file):
    run = make_project(tmp_path / "project", model_file, finished=False)
    with pytest.raises(AnalysisError, match=r"'first' has no model yet.*Train it to its end"):
        quiet(run)


def test_a_model_of_several_animals_is_refused(run, tmp_path, model_file):
    from posenb.models import load_predictor, save_predictor

    predictor, description = load_predictor(model_file)
    several = description.replace(individuals=("a", "b"))
    save_predictor(tmp_path / "model.keras", predictor, several)
    storage.copy(tmp_path / "model.keras", storage.join(run, "model.keras"))
    with pytest.raises(AnalysisError, match="a, b"):
        quiet(run)


def test_progress_reaches_the_number_of_frames(run):
    moved = []

    class Bar:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def advance(self, count=1, **figures):
            moved.append((self.name, count))

    def progress(total, description, unit="it"):
        bar = Bar()
        bar.name = f"{description} {total}"
        return bar

    evaluate(run, worst=2, progress=progress)
    assert sum(count for name, count in moved if name == "Evaluating 12") == 12
    assert sum(count for name, count in moved if name == "Drawing the worst frames 2") == 2


# --- labels and images that changed --------------------------------------------------


def project_of(run):
    return open_project(storage.parent(storage.parent(run)))


def test_frames_that_are_no_longer_labelled_are_left_out_and_named(run):
    project = project_of(run)
    labels = project.labels()
    gone = labels.frames.index(FrameName("clip", "img10.png"))
    positions = labels.positions.copy()
    positions[gone] = np.nan
    project.save_labels(replace(labels, positions=positions, visibility=None), base=labels)
    with pytest.warns(LabelWarning, match=r"1 of the 12 frames.*no longer labelled.*img10\.png"):
        evaluation = quiet(run)
    assert "clip/img10.png" not in set(evaluation.errors["frame"])
    assert evaluation.table["count", "test"]["snout"] == 1


def test_a_deleted_table_of_labels_is_an_error(run):
    storage.remove(storage.join(project_of(run).url, "labeled-data"), recursive=True)
    with pytest.raises(LabelError, match="No labels"):
        quiet(run)


def test_labels_that_are_all_gone_are_an_error(run):
    others = tuple(FrameName("clip", f"other{n}.png") for n in range(COUNT))
    project = project_of(run)
    storage.remove(storage.join(project.url, "labeled-data"), recursive=True)
    project.save_labels(replace(made_labels(), frames=others))
    with pytest.raises(LabelError, match="None of the 12 frames of the run 'first' is labelled"):
        quiet(run)


def test_labels_corrected_after_training_are_used_and_pointed_out(run):
    project = project_of(run)
    labels = project.labels()
    positions = labels.positions.copy()
    positions[0, 0, 0] = (1, 2)
    project.save_labels(replace(labels, positions=positions, visibility=None))
    with pytest.warns(LabelWarning, match="Labels have changed since 'first' was trained"):
        evaluation = quiet(run)
    first = evaluation.errors[
        (evaluation.errors["frame"] == "/".join(labels.frames[0]))
        & (evaluation.errors["keypoint"] == "snout")
    ]
    assert first[["label_x", "label_y"]].to_numpy().tolist() == [[1, 2]]


def test_frames_labelled_since_are_neither_evaluated_nor_complained_about(run):
    project = project_of(run)
    more = Labels((FrameName("clip", "new.png"),), np.full((1, 1, 3, 2), 9.0), Skeleton(NAMES))
    project.save_labels(more)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("default", category=DeprecationWarning)
        evaluation = quiet(run)
    assert len(evaluation.errors) == COUNT * len(NAMES)


def test_a_keypoint_the_project_no_longer_has_is_left_out(run):
    project = project_of(run)
    manifest = storage.join(project.url, "posenb.yaml")
    text = storage.read_text(manifest)
    storage.write_text(manifest, text.replace("- _ear\n", ""))
    with pytest.warns(LabelWarning, match="keypoints of the project have changed.*_ear"):
        evaluation = quiet(run)
    assert list(evaluation.table.index) == ["snout", "tail $x$", "all"]


def test_frames_that_went_together_with_a_keypoint_are_named_too(run):
    project = project_of(run)
    labels = project.labels()
    kept = [n for n, frame in enumerate(labels.frames) if frame.image != "img10.png"]
    storage.remove(storage.join(project.url, "labeled-data", "clip", "CollectedData_posenb.h5"))
    storage.remove(storage.join(project.url, "labeled-data", "clip", "CollectedData_posenb.csv"))
    project.save_labels(labels.select(kept))
    manifest = storage.join(project.url, "posenb.yaml")
    storage.write_text(manifest, storage.read_text(manifest).replace("- _ear\n", ""))
    with pytest.warns(LabelWarning) as told:
        quiet(run)
    text = " ".join(str(each.message) for each in told if each.category is LabelWarning)
    assert "keypoints of the project have changed" in text
    assert "img10.png" in text


def test_a_keypoint_added_since_is_pointed_out(run):
    project = project_of(run)
    manifest = storage.join(project.url, "posenb.yaml")
    text = storage.read_text(manifest)
    storage.write_text(manifest, text.replace("- _ear\n", "- _ear\n- hip\n"))
    with pytest.warns(LabelWarning, match=r"have changed.*\(hip\).*Train again"):
        evaluation = quiet(run)
    assert list(evaluation.table.index) == [*NAMES, "all"]


@pytest.mark.parametrize("content", [None, b"", b"not a picture", picture(3)[:200]])
def test_an_image_that_cannot_be_read_is_left_out_and_named(run, content):
    url = project_of(run).image_url(FrameName("clip", "img05.png"))
    storage.remove(url) if content is None else storage.write_bytes(url, content)
    with pytest.warns(LabelWarning, match=r"images of 1 of 12 frames.*clip/img05\.png.*first:"):
        evaluation = quiet(run)
    assert "clip/img05.png" not in set(evaluation.errors["frame"])
    assert len(evaluation.errors) == (COUNT - 1) * len(NAMES)
    told = json.loads(storage.read_text(storage.join(evaluation.url, "meta.json")))
    assert list(told["left_out"]) == ["clip/img05.png"]


def test_without_any_image_there_is_an_error_that_names_one(run):
    for url in storage.list_files(project_of(run).url, "*.png", recursive=True):
        storage.remove(url)
    with pytest.raises(LabelError, match=r"none of 12 could be read.*img00\.png"):
        quiet(run)


def test_a_storage_that_fails_is_not_taken_for_missing_images(run, monkeypatch):
    from posenb.project import images

    def fail(url, *_):
        raise StorageError(13, "no access")

    monkeypatch.setattr(images.storage, "read_bytes", fail)
    with pytest.raises(StorageError, match="no access"):
        quiet(run)


@pytest.mark.slow
def test_a_run_just_trained_has_the_labels_it_learnt_from(tmp_path, model_file):
    from posenb.training import train

    project = project_of(make_project(tmp_path / "project", model_file))
    blank = Labels(
        (FrameName("clip", "blank.png"),), np.full((1, 1, 3, 2), np.nan), Skeleton(NAMES)
    )
    project.save_labels(blank)
    config = CONFIG.replace(steps=1, batch_size=2, window=64, scale=1.0)
    run = train(project, config, name="trained", progress=silent_progress)
    with warnings.catch_warnings():
        warnings.simplefilter("error", LabelWarning)
        evaluation = evaluate(run, progress=silent_progress)
    assert storage.exists(storage.join(evaluation.url, "learning_curve.png"))
    assert set(evaluation.summary["split"]) >= {"train", "validation"}


# --- splits of every kind ------------------------------------------------------------


def test_a_run_without_test_frames_shows_the_parts_it_has(run):
    write_split(storage.join(run, "split.json"), Split(SPLIT.train, SPLIT.validation))
    with pytest.warns(LabelWarning, match="changed"):  # the digest is of all twelve
        evaluation = quiet(run, figures=True, worst=1)
    assert list(evaluation.table["mean"].columns) == ["train", "validation"]
    assert "test" not in repr(evaluation)


def test_one_test_frame_and_a_keypoint_without_labels_make_no_noise(run):
    project = project_of(run)
    storage.remove(storage.join(project.url, "labeled-data", "clip", "CollectedData_posenb.h5"))
    storage.remove(storage.join(project.url, "labeled-data", "clip", "CollectedData_posenb.csv"))
    labels = made_labels()
    positions = labels.positions.copy()
    positions[:, :, 2] = np.nan
    project.save_labels(replace(labels, positions=positions, visibility=None))
    write_split(storage.join(run, "split.json"), Split(labels.frames[:11], (), labels.frames[11:]))
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("ignore", LabelWarning)
        evaluation = quiet(run, figures=True, worst=1)
    assert evaluation.table["count", "test"]["_ear"] == 0
    assert np.isnan(evaluation.table["mean", "train"]["_ear"])
    assert evaluation.table["count", "test"]["snout"] == 1


def test_images_of_equal_size_share_a_batch_and_few_wait():
    drawn = 0

    def images():
        nonlocal drawn
        for n in range(70):
            drawn += 1
            yield n, np.zeros((4, 4 + n % 7, 3), np.uint8)

    seen = []
    for indices, batch in _batches(images()):
        assert len({n % 7 for n in indices}) == 1
        assert batch.shape == (len(indices), 4, 4 + indices[0] % 7, 3)
        seen += indices
        assert drawn - len(seen) <= 32
    assert sorted(seen) == list(range(70))


# --- wherever the project lies -------------------------------------------------------


def test_a_project_in_memory_is_evaluated_like_a_local_one(
    tmp_path, model_file, whole, monkeypatch
):
    monkeypatch.setenv("POSENB_CACHE", str(tmp_path / "cache"))
    folder = f"memory://{tmp_path.name}/project"
    run = make_project(folder, model_file)
    evaluation = quiet(run, figures=True, worst=2, precision="float32")
    pd.testing.assert_frame_equal(evaluation.errors, whole.errors)
    assert evaluation.url == f"{folder}/runs/first/evaluation"
    assert len(storage.list_files(storage.join(evaluation.url, "worst"))) == 2
    storage.remove(folder, recursive=True)


def test_a_moved_project_keeps_its_runs(run, tmp_path):
    moved = tmp_path / "elsewhere"
    shutil.move(project_of(run).url, moved)
    evaluation = quiet(moved / "runs" / "first")
    assert evaluation.url.startswith(str(moved))


# --- one image -----------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P"])
def test_images_of_every_kind_become_rgb(run, mode):
    project = project_of(run)
    frame = FrameName("clip", "img00.png")
    data = BytesIO()
    Image.new("RGB", (5, 4), (255, 0, 0)).convert(mode).save(data, "PNG")
    storage.write_bytes(project.image_url(frame), data.getvalue())
    image = read_image(project, frame)
    assert image.shape == (4, 5, 3)
    assert image.dtype == np.uint8
    assert image[0, 0].tolist() == ([76, 76, 76] if mode == "L" else [255, 0, 0])


def test_a_damaged_image_is_named(run):
    project = project_of(run)
    frame = FrameName("clip", "img00.png")
    storage.write_bytes(project.image_url(frame), b"no image")
    with pytest.raises(LabelError, match=r"img00\.png is not.*Extract the frame again"):
        read_image(project, frame)
