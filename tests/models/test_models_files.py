"""One file holds a predictor and its description; nothing else is taken for one."""

from __future__ import annotations

import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keras import ops

from posenb.core import ModelConfig, ModelDescription, TrainConfig
from posenb.errors import ModelError
from posenb.models import (
    build_network,
    build_predictor,
    load_predictor,
    read_description,
    save_predictor,
)

MODEL = ModelConfig(backbone="mobilenet_v2_035", weights=None, width=8)


def describe(**changes: object) -> ModelDescription:
    facts: dict[str, object] = {
        "name": "run",
        "keypoints": ("snout", "tail"),
        "edges": ((0, 1),),
        "scale": 0.5,
        "body_length": 80.0,
        "config": TrainConfig(model=MODEL),
        "provenance": {"labels_sha256": "abc", "versions": {"keras": "3"}},
    }
    return ModelDescription(**(facts | changes))


@pytest.fixture(scope="module")
def predictor() -> keras.Model:
    return build_predictor(build_network(MODEL, keypoints=2), MODEL, scale=0.5)


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory, predictor: keras.Model) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.keras"
    save_predictor(path, predictor, describe())
    return path


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (2, 61, 83, 3), np.uint8)


# The round trip


def test_a_predictor_comes_back_with_the_same_poses(
    model_file: Path, predictor: keras.Model, frames: np.ndarray
) -> None:
    loaded, _ = load_predictor(model_file)
    np.testing.assert_array_equal(
        loaded.predict_on_batch(frames), predictor.predict_on_batch(frames)
    )


def test_the_description_comes_back_as_it_was(model_file: Path) -> None:
    assert read_description(model_file) == load_predictor(model_file)[1] == describe()
    assert describe().skeleton.edge_names == (("snout", "tail"),)


def test_a_predictor_takes_frames_of_any_size_and_number(predictor: keras.Model) -> None:
    for shape in ((1, 32, 32, 3), (3, 65, 41, 3), (2, 7, 200, 3)):
        poses = predictor.predict_on_batch(np.full(shape, 90, np.uint8))
        assert poses.shape == (shape[0], 2, 3)
        assert (poses[..., 0] >= -0.5).all()
        assert (poses[..., 0] <= shape[2] - 0.5).all()
        assert (poses[..., 1] <= shape[1] - 0.5).all()
        assert (poses[..., 2] >= 0).all()
        assert (poses[..., 2] <= 1).all()


class _Finder(keras.layers.Layer):
    """A network that is right: one keypoint at the brightest spot of the image."""

    def call(self, image: object) -> dict[str, object]:
        grey = ops.mean(image, axis=-1, keepdims=True)
        light = ops.maximum(grey, 0.0)
        shape = ops.shape(light)
        x = ops.reshape(ops.arange(shape[2], dtype="float32"), (1, 1, -1, 1))
        y = ops.reshape(ops.arange(shape[1], dtype="float32"), (1, -1, 1, 1))
        total = ops.sum(light, axis=(1, 2), keepdims=True)
        x_mean = ops.sum(light * x, axis=(1, 2), keepdims=True) / total
        y_mean = ops.sum(light * y, axis=(1, 2), keepdims=True) / total
        cell_x, cell_y = x[:, :, ::4] + 1.5, y[:, ::4] + 1.5
        dx, dy = x_mean - cell_x + 0 * cell_y, y_mean - cell_y + 0 * cell_x
        logits = 4 - (dx**2 + dy**2) / 50
        return {"logits": logits, "offsets": ops.concatenate([dx, dy], axis=-1) / 7.2801}

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> dict[str, tuple]:  # type: ignore[type-arg]
        return {"logits": (shape[0], None, None, 1), "offsets": (shape[0], None, None, 2)}


@pytest.mark.parametrize("scale", [0.37, 0.5, 1.0, 1.5])
@pytest.mark.parametrize(("height", "width"), [(96, 128), (95, 131), (77, 61)])
def test_a_bright_spot_comes_back_in_source_pixels(scale: float, height: int, width: int) -> None:
    predictor = build_predictor(_Finder(), MODEL, scale)
    for x, y in ((width / 2 + 0.3, height / 3), (14.0, height - 15.5), (width - 14.25, 13.0)):
        rows, columns = np.mgrid[:height, :width]
        spot = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 4.0**2))
        # Grey 127.5 is zero to the network; only the spot is brighter.
        frame = np.repeat(np.round(127 + 128 * spot)[..., None], 3, axis=-1).astype(np.uint8)
        found = predictor.predict_on_batch(frame[None])[0, 0]
        np.testing.assert_allclose(found[:2], [x, y], atol=0.2)


# What is refused


def test_a_lambda_layer_is_refused(tmp_path: Path) -> None:
    image = keras.Input((None, None, 3), dtype="uint8")
    model = keras.Model(image, keras.layers.Lambda(lambda x: x)(image))
    save_predictor(tmp_path / "code.keras", model, describe())
    with pytest.raises(ModelError, match=r"code\.keras could not be loaded in Keras's safe mode"):
        load_predictor(tmp_path / "code.keras")


def test_a_model_whose_layers_another_keras_described_is_built_anew(
    tmp_path: Path, model_file: Path, frames: np.ndarray
) -> None:
    def add_an_option(config: bytes) -> bytes:
        return config.replace(b'"momentum":', b'"renorm_of_tomorrow": false, "momentum":')

    path = _altered(model_file, tmp_path / "newer.keras", "config.json", add_an_option)
    with pytest.raises(TypeError, match="renorm_of_tomorrow"):
        keras.saving.load_model(path, compile=False)
    before, _ = load_predictor(model_file)
    after, description = load_predictor(path)
    assert description == describe()
    np.testing.assert_allclose(
        ops.convert_to_numpy(after(frames)), ops.convert_to_numpy(before(frames)), atol=1e-3
    )


def test_weights_of_another_network_are_not_forced_into_one(
    tmp_path: Path, model_file: Path
) -> None:
    def add_an_option(config: bytes) -> bytes:
        return config.replace(b'"momentum":', b'"renorm_of_tomorrow": false, "momentum":')

    path = _altered(model_file, tmp_path / "a.keras", "config.json", add_an_option)
    wider = describe(config=TrainConfig(model=MODEL.replace(width=16)))
    path = _altered(
        path, tmp_path / "b.keras", "posenb.json", lambda _: wider.model_dump_json().encode()
    )
    with pytest.raises(ModelError, match="Nor are its weights"):
        load_predictor(path)


def test_a_class_from_outside_keras_and_posenb_is_refused(tmp_path: Path, model_file: Path) -> None:
    def point_elsewhere(config: bytes) -> bytes:
        return config.replace(
            b'"module": "keras.layers", "class_name": "InputLayer"',
            b'"module": "os", "class_name": "system"',
        )

    path = _altered(model_file, tmp_path / "code.keras", "config.json", point_elsewhere)
    with pytest.raises(ModelError):
        load_predictor(path)


def test_a_model_of_another_program_is_refused(tmp_path: Path, predictor: keras.Model) -> None:
    predictor.save(tmp_path / "plain.keras")
    with pytest.raises(ModelError, match=r"holds posenb\.json; plain\.keras is not one"):
        load_predictor(tmp_path / "plain.keras")


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89HDF\r\n\x1a\n" + bytes(100)])
def test_any_other_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.keras"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="Train it again or fetch it again"):
        load_predictor(path)


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"gone\.keras"):
        load_predictor(tmp_path / "gone.keras")


def test_a_description_with_an_unknown_key_is_refused(tmp_path: Path, model_file: Path) -> None:
    path = _altered(
        model_file,
        tmp_path / "newer.keras",
        "posenb.json",
        lambda text: text.replace(b'"name"', b'"colour": 1, "name"', 1),
    )
    with pytest.raises(ModelError, match="colour"):
        read_description(path)


@pytest.mark.parametrize("member", ["config.json", "model.weights.h5"])
def test_a_file_without_one_of_its_parts_is_refused(
    tmp_path: Path, model_file: Path, member: str
) -> None:
    path = _altered(model_file, tmp_path / "less.keras", member, lambda content: None)
    with pytest.raises(ModelError, match=r"less\.keras"):
        load_predictor(path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(tmp_path: Path, model_file: Path, share: float) -> None:
    whole = model_file.read_bytes()
    path = tmp_path / "cut.keras"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ModelError, match=r"cut\.keras is not one or is damaged"):
        load_predictor(path)


@given(
    place=st.floats(0, 1, exclude_max=True), length=st.integers(1, 2000), seed=st.integers(0, 99)
)
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_damaged_file_loads_unharmed_or_not_at_all(
    tmp_path: Path,
    model_file: Path,
    predictor: keras.Model,
    place: float,
    length: int,
    seed: int,
) -> None:
    content = bytearray(model_file.read_bytes())
    start = int(place * len(content))
    noise = np.random.default_rng(seed).integers(0, 256, length, np.uint8).tobytes()
    content[start : start + length] = noise[: len(content) - start]
    path = tmp_path / "damaged.keras"
    path.write_bytes(content)
    try:
        loaded, description = load_predictor(path)
    except ModelError:
        return
    assert description == describe()
    for one, other in zip(loaded.get_weights(), predictor.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def _altered(source: Path, target: Path, member: str, change: object) -> Path:
    """Copy a model file with one member changed, or left out where `change` gives None."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        assert member in old.namelist()
        for name in old.namelist():
            content: bytes | None = old.read(name)
            if name == member:
                before, content = content, change(content)  # type: ignore[operator]
                assert content != before
            if content is not None:
                new.writestr(name, content)
    return target
