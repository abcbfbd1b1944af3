"""What every runtime promises, and how one is chosen."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from spots import HEIGHT, WIDTH, save_spot_model, spot_at, spot_picture

from posenb import storage
from posenb._progress import silent_progress
from posenb.core import FrameFormat, ModelConfig, ModelDescription, Split, TrainConfig
from posenb.errors import (
    AnalysisError,
    InvalidInputError,
    MissingBackendError,
    MissingPackageError,
    ModelError,
)
from posenb.inference import quantise
from posenb.inference.model import Model, find_model
from posenb.inference.runtimes import choice as choice_module
from posenb.inference.runtimes import choose_runtime
from posenb.inference.runtimes.choice import thread_count
from posenb.labels import write_split
from posenb.models import build_network, build_predictor, load_predictor, save_predictor
from posenb.project import Run, create_project

RGB = FrameFormat("rgb", HEIGHT, WIDTH)
FRAMES = np.stack([spot_picture(number) for number in range(6)])
RAW = FRAMES.reshape(len(FRAMES), -1)
MEMBERS = [
    ("keras", "float32"),
    ("onnxruntime", "float32"),
    ("openvino", "float32"),
    ("openvino", "bfloat16"),
]
EXACT = MEMBERS[1:3]
each = pytest.mark.parametrize(("runtime", "precision"), MEMBERS, ids=" ".join)
each_exact = pytest.mark.parametrize(("runtime", "precision"), EXACT, ids=" ".join)


def found(path: Path | str, runtime: str, precision: str) -> Model:
    """Return the model, unless this machine cannot compute so."""
    model = find_model(path, runtime=runtime, precision=precision)
    try:
        model.choice  # noqa: B018
    except AnalysisError:
        if precision == "bfloat16":
            pytest.skip("this CPU does not multiply in bfloat16")
        raise
    return model


# --- the contract --------------------------------------------------------------------


@each
def test_the_spot_is_found(spot_model, runtime, precision):
    poses = found(spot_model, runtime, precision).predict(RGB, 4)(RAW[:4])
    assert (poses.shape, poses.dtype) == ((4, 2, 3), np.float32)
    for number, pose in enumerate(poses):
        np.testing.assert_allclose(pose[:, :2], [spot_at(number)] * 2, atol=0.3)
    assert (poses[..., 2] > 0.9).all()


@each
def test_a_frame_gets_the_same_numbers_in_any_company(spot_model, runtime, precision):
    predict = found(spot_model, runtime, precision).predict(RGB, 4)
    whole = predict(RAW[:4])
    np.testing.assert_array_equal(predict(RAW[1:3]), whole[1:3])
    np.testing.assert_array_equal(predict(RAW[:4]), whole)


@each
def test_poses_are_the_callers_own(spot_model, runtime, precision):
    predict = found(spot_model, runtime, precision).predict(RGB, 2)
    first = predict(RAW[:2])
    kept = first.copy()
    predict(RAW[2:4])
    np.testing.assert_array_equal(first, kept)


@each
def test_rows_of_a_larger_buffer_may_be_given(spot_model, runtime, precision):
    predict = found(spot_model, runtime, precision).predict(RGB, 2)
    buffer = np.zeros((4, RGB.nbytes + 5), np.uint8)
    buffer[:, : RGB.nbytes] = RAW[:4]
    before = buffer.copy()
    np.testing.assert_array_equal(predict(buffer[1:3, : RGB.nbytes]), predict(RAW[1:3]))
    np.testing.assert_array_equal(buffer, before)


@each
def test_a_crop_is_looked_at_alone_and_poses_are_in_its_pixels(spot_model, runtime, precision):
    crop = (4, 84, 4, 60)  # on the grid of the model's cells
    predict = found(spot_model, runtime, precision).predict(RGB, 2, crop)
    for number, pose in enumerate(predict(RAW[2:4]), start=2):
        x, y = spot_at(number)
        np.testing.assert_allclose(pose[:, :2], [(x - 4, y - 4)] * 2, atol=0.3)


@each
def test_the_story_names_the_runtime_and_its_version(spot_model, runtime, precision):
    told = found(spot_model, runtime, precision).software
    assert (told["runtime"], told["precision"]) == (runtime, precision)
    assert told[runtime][0].isdigit()


@each
def test_several_threads_may_call(spot_model, runtime, precision):
    from concurrent.futures import ThreadPoolExecutor

    predict = found(spot_model, runtime, precision).predict(RGB, 2)
    right = [predict(RAW[n : n + 2]) for n in range(0, 6, 2)]
    with ThreadPoolExecutor(3) as pool:
        for _ in range(3):
            got = list(pool.map(lambda n: predict(RAW[n : n + 2]), range(0, 6, 2)))
            np.testing.assert_array_equal(got, right)


# --- the same poses as Keras ---------------------------------------------------------


@pytest.fixture(scope="module")
def trained_like(tmp_path_factory):
    """A run with lively random weights, so that maps have clear peaks, at a scale of 0.4."""
    keras.utils.set_random_seed(3)
    config = TrainConfig(model=ModelConfig(backbone="mobilenet_v2_035", weights=None, width=16))
    project = create_project(
        str(tmp_path_factory.mktemp("runs") / "project"), keypoints=["a", "b", "c"]
    )
    run = Run(storage.join(project.runs_url, "lively"))
    network = build_network(config.model, 3)
    for name in ("logits", "offsets"):
        layer = network.get_layer(name)
        layer.kernel.assign(np.random.default_rng(1).normal(0, 0.5, layer.kernel.shape))
    description = ModelDescription(
        name="lively", keypoints=("a", "b", "c"), scale=0.4, config=config
    )
    storage.write_text(run.config_url, config.model_dump_json())
    write_split(run.split_url, Split(()))
    with storage.writing(run.model_url) as path:
        save_predictor(path, build_predictor(network, config.model, 0.4), description)
    return run


def noise(layout: FrameFormat, count: int = 3) -> np.ndarray:
    """Pictures of coarse random patches."""
    random = np.random.default_rng(5)
    parts = []
    for height, width in layout.planes:
        coarse = random.integers(16, 236, (count, -(-height // 8), -(-width // 8)), np.uint8)
        parts.append(coarse.repeat(8, 1).repeat(8, 2)[:, :height, :width].reshape(count, -1))
    return np.concatenate(parts, axis=1)


CROP = (7, 94, 3, 80)
FORMATS = [
    (FrameFormat("rgb", 100, 141), None),
    (FrameFormat("grey", 96, 160, full_range=True), CROP),
    (FrameFormat("yuv420", 101, 141, "bt709"), None),
    (FrameFormat("yuv420", 100, 140), CROP),
    (FrameFormat("yuv422", 96, 161), CROP),
    (FrameFormat("yuv444", 100, 140, full_range=True), None),
]


@pytest.mark.parametrize(("layout", "crop"), FORMATS, ids=lambda value: getattr(value, "kind", ""))
def test_poses_are_those_of_keras(trained_like, layout, crop):
    raw = noise(layout)
    right = find_model(trained_like, runtime="keras").predict(layout, 3, crop)(raw)
    for runtime, precision in EXACT:
        poses = find_model(trained_like, runtime=runtime, precision=precision)
        np.testing.assert_allclose(poses.predict(layout, 3, crop)(raw), right, atol=0.02)


@each_exact
def test_a_frame_smaller_than_a_cell_of_the_deepest_map_will_do(trained_like, runtime, precision):
    layout = FrameFormat("rgb", 9, 7)
    right = find_model(trained_like, runtime="keras").predict(layout, 1)(noise(layout, 1))
    model = find_model(trained_like, runtime=runtime, precision=precision)
    np.testing.assert_allclose(model.predict(layout, 1)(noise(layout, 1)), right, atol=0.02)


@each_exact
@pytest.mark.parametrize("scale", [0.5, 1.5])
def test_scales_that_halve_or_enlarge_are_undone(tmp_path, runtime, precision, scale):
    path = save_spot_model(tmp_path / "spot.keras")
    predictor, description = load_predictor(path)
    network = next(layer for layer in predictor.layers if isinstance(layer, keras.Model))
    changed = description.replace(scale=scale)
    save_predictor(path, build_predictor(network, changed.config.model, scale), changed)
    right = find_model(path, runtime="keras").predict(RGB, 2)(RAW[:2])
    poses = find_model(path, runtime=runtime, precision=precision).predict(RGB, 2)(RAW[:2])
    np.testing.assert_allclose(poses, right, atol=1e-3)


@pytest.mark.slow
def test_keras_on_jax_finds_the_same_and_exports_the_same(spot_model):
    from posenb.models import export_network

    code = (
        "import hashlib, sys, numpy as np\n"
        "sys.path.insert(0, sys.argv[2])\n"
        "from spots import HEIGHT, WIDTH, spot_picture\n"
        "from posenb.core import FrameFormat\n"
        "from posenb.inference.model import find_model\n"
        "from posenb.models import export_network, load_predictor\n"
        "raw = np.stack([spot_picture(n) for n in range(2)]).reshape(2, -1)\n"
        "model = find_model(sys.argv[1], runtime='keras')\n"
        "poses = model.predict(FrameFormat('rgb', HEIGHT, WIDTH), 2)(raw)\n"
        "data = export_network(*load_predictor(sys.argv[1])).encode()\n"
        "print(model.software['backend'], hashlib.sha256(data).hexdigest(), *poses.ravel())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(spot_model), str(Path(__file__).parent)],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    backend, digest, *numbers = done.stdout.split()
    assert backend == "jax"
    data = export_network(*load_predictor(spot_model)).encode()
    assert digest == hashlib.sha256(data).hexdigest()
    right = find_model(spot_model, runtime="keras").predict(RGB, 2)(RAW[:2])
    np.testing.assert_allclose([float(n) for n in numbers], right.ravel(), atol=1e-3)


# --- files ---------------------------------------------------------------------------


def test_a_network_that_training_wrote_is_taken_as_it_is(trained_like, tmp_path, monkeypatch):
    from posenb.models import export_network

    predictor, description = load_predictor(trained_like.model_url)
    url = str(tmp_path / "model.onnx")
    storage.write_bytes(url, export_network(predictor, description).encode())
    monkeypatch.setattr("posenb.models.load_predictor", None)
    model = find_model(url, runtime="openvino")
    assert model.description == description
    assert model.digest == storage.digest(url)
    assert model.predict(RGB, 1)(RAW[:1]).shape == (1, 3, 3)


def test_an_onnx_model_needs_neither_keras_nor_its_backends(trained_like, tmp_path):
    from posenb.models import export_network

    url = str(tmp_path / "model.onnx")
    storage.write_bytes(url, export_network(*load_predictor(trained_like.model_url)).encode())
    code = (
        "import sys, numpy\n"
        "for name in ('keras', 'tensorflow', 'jax'): sys.modules[name] = None\n"
        "from posenb.core import FrameFormat\n"
        "from posenb.inference.model import find_model\n"
        f"for runtime in ('auto', 'openvino', 'onnxruntime'):\n"
        f"    model = find_model({url!r}, runtime=runtime)\n"
        "    predict = model.predict(FrameFormat('yuv420', 64, 96), 2)\n"
        "    poses = predict(numpy.zeros((2, 9216), 'u1'))\n"
        "    print(model.choice.runtime, poses.shape)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    names = ("openvino", "openvino", "onnxruntime")
    assert done.stdout.splitlines() == [f"{name} (2, 3, 3)" for name in names]


def test_openvino_is_loaded_without_a_fork_and_without_telling_anybody():
    code = (
        "import sys\n"
        "asked = ('os.fork', 'socket.getaddrinfo')\n"
        "sys.addaudithook(lambda event, _: event in asked and print(event))\n"
        "from posenb.inference.runtimes.openvino_runtime import import_openvino\n"
        "print(import_openvino('A test').__name__)\n"
        "assert 'openvino_telemetry' not in sys.modules\n"
    )  # whatever it sends out of a thread is sent before the process ends
    surroundings = {key: value for key, value in os.environ.items() if key != "CI"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=surroundings, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "openvino\n"), done.stderr


def test_a_damaged_network_is_told(trained_like, tmp_path):
    url = str(tmp_path / "model.onnx")
    storage.write_bytes(url, b"not an ONNX file")
    with pytest.raises(ModelError, match=r"model\.onnx is not one or is damaged"):
        find_model(url).description  # noqa: B018


def test_keras_does_not_run_onnx_files(tmp_path):
    storage.write_bytes(str(tmp_path / "model.onnx"), b"")
    with pytest.raises(AnalysisError, match=r"there is only an \.onnx"):
        find_model(str(tmp_path / "model.onnx"), runtime="keras").choice  # noqa: B018


def test_the_identity_tells_runtimes_and_precisions_apart(spot_model):
    told = {find_model(spot_model, runtime=r, precision=p).identity for r, p in MEMBERS[:3]}
    assert len(told) == 3
    assert {text.split(" ")[0] for text in told} == {storage.digest(spot_model)}


# --- int8 ----------------------------------------------------------------------------


def test_int8_before_quantising_says_what_to_do(trained_like):
    with pytest.raises(AnalysisError, match=r"Quantise the run first: posenb\.quantise\(run\)"):
        find_model(trained_like, precision="int8").choice  # noqa: B018


def test_a_quantised_network_is_smaller_and_nearly_as_exact(trained_like, tmp_path):
    from posenb.graphs import quantise_network, rounded_values
    from posenb.inference.quantising import value_ranges

    model = find_model(trained_like, runtime="openvino", precision="float32")
    layout = FrameFormat("rgb", 100, 140)
    images = noise(layout, 4).reshape(4, 100, 140, 3)
    ranges = value_ranges(model.network, iter(images))
    assert ranges.keys() == set(rounded_values(model.network))
    made = quantise_network(model.network, ranges)
    assert len(made.encode()) < 0.45 * len(model.network.encode())
    run = Run(str(tmp_path / "run"))
    storage.copy(trained_like.model_url, run.model_url)
    storage.copy(trained_like.config_url, run.config_url)
    storage.write_bytes(run.quantised_url, made.encode())
    raw = images.reshape(4, -1)
    exact = model.predict(layout, 4)(raw)
    for runtime in ("openvino", "onnxruntime"):
        rough = find_model(run, runtime=runtime, precision="int8")
        assert str(rough.choice) == f"{runtime} int8"
        poses = rough.predict(layout, 4)(raw)
        assert np.abs(poses[..., 2] - exact[..., 2]).mean() < 0.1
        assert not np.array_equal(poses, exact)
        near = np.linalg.norm(poses[..., :2] - exact[..., :2], axis=-1) < 5
        assert near.mean() > 0.6  # a few peaks of random maps have rivals


@pytest.mark.parametrize("frames", [0, -1])
def test_quantising_needs_a_frame(trained_like, frames):
    with pytest.raises(InvalidInputError, match="at least at one frame"):
        quantise(trained_like, frames=frames, progress=silent_progress)


def test_quantising_a_run_without_training_frames_is_refused(trained_like):
    with pytest.raises(AnalysisError, match="training frames"):
        quantise(trained_like, progress=silent_progress)


# --- choosing ------------------------------------------------------------------------


@pytest.fixture
def machine(monkeypatch):
    """Pretend what is installed, and whether there is a GPU."""

    def pretend(*installed, gpu=False, bfloat16=False):
        monkeypatch.setattr(choice_module, "find_spec", lambda name: name in installed or None)
        monkeypatch.setattr(choice_module, "accelerated", lambda: gpu)
        precisions = ("bfloat16", "float32") if bfloat16 else ("float32",)
        monkeypatch.setattr(
            "posenb.inference.runtimes.openvino_runtime.openvino_precisions", lambda: precisions
        )

    return pretend


def chosen(runtime="auto", precision="auto", *, has_keras=True, has_int8=False) -> str:
    return str(choose_runtime(runtime, precision, has_keras=has_keras, has_int8=has_int8))


@pytest.mark.parametrize(
    ("installed", "gpu", "right"),
    [
        (("tensorflow", "openvino", "onnxruntime"), True, "keras float32"),
        (("tensorflow", "openvino", "onnxruntime"), False, "openvino float32"),
        (("jax", "onnxruntime"), False, "onnxruntime float32"),
        (("jax",), False, "keras float32"),
        (("openvino",), False, "openvino float32"),
    ],
)
def test_the_best_that_is_there_is_chosen(machine, installed, gpu, right):
    machine(*installed, gpu=gpu)
    assert chosen() == right


def test_openvino_computes_in_bfloat16_where_the_cpu_does(machine):
    machine("openvino", bfloat16=True)
    assert chosen() == "openvino bfloat16"
    assert chosen(precision="float32") == "openvino float32"


def test_int8_is_only_taken_when_asked_for(machine):
    machine("openvino")
    assert chosen(has_int8=True) == "openvino float32"
    assert chosen(precision="int8", has_int8=True) == "openvino int8"


def test_without_any_runtime_the_extras_are_named(machine):
    machine()
    with pytest.raises(MissingBackendError, match=r'pip install "posenb\[cpu\]"'):
        chosen()


def test_an_onnx_model_does_not_fall_back_on_keras(machine):
    machine("tensorflow", gpu=True)
    with pytest.raises(MissingBackendError, match="none is installed"):
        chosen(has_keras=False)


@pytest.mark.parametrize(
    ("runtime", "extra"), [("openvino", "cpu"), ("onnxruntime", "onnxruntime")]
)
def test_a_runtime_that_is_not_installed_is_met_with_its_extra(machine, runtime, extra):
    machine("tensorflow")
    with pytest.raises(MissingPackageError, match=rf"posenb\[{extra}\]"):
        chosen(runtime)


@pytest.mark.parametrize("runtime", ["keras", "onnxruntime"])
def test_a_precision_that_a_runtime_lacks_is_refused(machine, runtime):
    machine("tensorflow", "onnxruntime")
    with pytest.raises(AnalysisError, match="computes in float32 here; got precision 'bfloat16'"):
        chosen(runtime, "bfloat16")


def test_without_a_device_file_keras_is_not_loaded_to_look_for_gpus(monkeypatch):
    monkeypatch.setattr(choice_module, "_DEVICES", ("no-such-device",))
    monkeypatch.delitem(sys.modules, "keras")
    monkeypatch.setattr("posenb.models.accelerator", lambda: pytest.fail("asked Keras"))
    assert not choice_module.accelerated()


@pytest.mark.parametrize(("told", "right"), [("1", 1), ("3", 3)])
def test_threads_are_limited_as_for_openmp(monkeypatch, told, right):
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert thread_count() == right


@pytest.mark.parametrize("told", ["", "0", "many", "-2"])
def test_a_limit_that_is_no_number_is_none(monkeypatch, told):
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert thread_count() >= 1
