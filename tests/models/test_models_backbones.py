"""The contract that every backbone keeps, and where its weights come from."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from posenb.core import ModelConfig
from posenb.errors import ModelError, UnknownNameError
from posenb.models import (
    backbone_names,
    build_backbone,
    build_network,
    build_normalise,
    get_backbone,
)

ROOT = Path(__file__).parents[2]
STRIDES = (4, 8, 16, 32)

_QUICK = {"mobilenet_v2_035", "mobilenet_v3_small", "efficientnet_v2_b0", "resnet_50_v2"}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=() if name in _QUICK else pytest.mark.slow)
        for name in backbone_names()
    ],
)
def backbone(request: pytest.FixtureRequest) -> keras.Model:
    return build_backbone(request.param)


@pytest.fixture(scope="module")
def keras_home() -> Path:
    folder = ROOT.parent / "shared" / "weights" / "keras"
    if not folder.is_dir():
        pytest.skip("ImageNet weights (../shared/weights/keras) are not at hand")
    return folder


def run_python(code: str, **environment: str) -> str:
    """Run `code` in an interpreter of its own, which reads KERAS_HOME anew."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# The contract


def test_maps_come_at_strides_4_8_16_and_32_for_any_multiple_of_32(backbone: keras.Model) -> None:
    for height, width in ((64, 96), (32, 32)):
        maps = backbone(np.zeros((2, height, width, 3), np.float32))
        assert [tuple(one.shape[:3]) for one in maps] == [
            (2, height // stride, width // stride) for stride in STRIDES
        ]


def test_batch_normalisation_is_frozen(backbone: keras.Model) -> None:
    norms = [
        layer
        for layer in backbone._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    assert not any(variable.trainable for layer in norms for variable in layer.variables)
    before = [ops.convert_to_numpy(variable) for layer in norms for variable in layer.variables]
    backbone(np.random.default_rng(0).normal(size=(1, 32, 32, 3)), training=True)
    after = [ops.convert_to_numpy(variable) for layer in norms for variable in layer.variables]
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)


def test_every_map_depends_on_the_image(backbone: keras.Model) -> None:
    rng = np.random.default_rng(0)
    one, other = (backbone(rng.normal(size=(1, 64, 64, 3)).astype(np.float32)) for _ in range(2))
    for a, b in zip(one, other, strict=True):
        assert np.isfinite(ops.convert_to_numpy(a)).all()
        assert ops.convert_to_numpy(ops.max(ops.abs(a - b))) > 0


def test_a_gradient_reaches_the_backbones_first_weights(backbone: keras.Model) -> None:
    if keras.backend.backend() != "tensorflow":
        pytest.skip("gradients are taken with TensorFlow's tape here")
    import tensorflow as tf

    image = np.random.default_rng(0).normal(size=(1, 64, 64, 3)).astype(np.float32)
    first = backbone.trainable_variables[0]
    with tf.GradientTape() as tape:
        loss = sum(tf.reduce_mean(one**2) for one in backbone(image))
    gradient = tape.gradient(loss, first.value)
    assert gradient is not None
    assert np.abs(gradient.numpy()).max() > 0


def test_every_backbone_describes_its_input() -> None:
    for name in backbone_names():
        description = get_backbone(name)
        assert len(description.factor) == len(description.offset) == 3
        assert hasattr(keras.applications, description.application)


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("mobilenet_v2", "mobilenet_v2"),
        ("mobilenet_v3_small", None),
        ("resnet_50", "resnet50"),
        ("resnet_50_v2", "resnet_v2"),
        ("efficientnet_v2_s", None),
    ],
)
def test_pixels_are_normalised_as_keras_does_it(name: str, module: str | None) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (1, 4, 4, 3)).astype(np.float32)
    found = ops.convert_to_numpy(build_normalise(ModelConfig(backbone=name))(pixels))
    if module is None:
        # These applications normalise in a layer of their own, which is left out here.
        description = get_backbone(name)
        application = getattr(keras.applications, description.application)
        whole = application(include_top=False, weights=None, input_shape=(32, 32, 3))
        own = [layer for layer in whole.layers if isinstance(layer, keras.layers.Rescaling)]
        assert len(own) == 1
        expected = ops.convert_to_numpy(own[0](pixels))
    else:
        expected = getattr(keras.applications, module).preprocess_input(pixels.copy())
    np.testing.assert_allclose(found, expected, atol=1e-4)


# Names


def test_an_unknown_backbone_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(UnknownNameError, match=r"Did you mean 'resnet_50'"):
        build_backbone("resnet50")


# Weights


@pytest.fixture(scope="module")
def headless() -> keras.Model:
    return keras.applications.MobileNetV2(
        include_top=False, weights=None, alpha=0.35, input_shape=(None, None, 3)
    )


@pytest.mark.parametrize("file", ["own.weights.h5", "whole.keras"])
def test_weights_come_from_a_file(tmp_path: Path, headless: keras.Model, file: str) -> None:
    if file.endswith(".keras"):
        headless.save(tmp_path / file)
    else:
        headless.save_weights(tmp_path / file)
    loaded = build_backbone("mobilenet_v2_035", tmp_path / file)
    fresh = build_backbone("mobilenet_v2_035")
    wanted = headless.get_weights()
    for one, other in zip(loaded.get_weights(), wanted, strict=True):
        np.testing.assert_array_equal(one, other)
    assert any((a != b).any() for a, b in zip(fresh.get_weights(), wanted, strict=True))


@pytest.mark.parametrize("case", ["absent", "of another network", "no weights at all"])
def test_weights_that_cannot_be_loaded_are_named(
    tmp_path: Path, headless: keras.Model, case: str
) -> None:
    path = tmp_path / "some.weights.h5"
    if case == "of another network":
        headless.save_weights(path)
    elif case == "no weights at all":
        path.write_text("hello")
    with pytest.raises(ModelError, match=r"some\.weights\.h5.*'mobilenet_v2_050'"):
        build_backbone("mobilenet_v2_050", path)


def test_imagenet_weights_load_offline_from_keras_home(keras_home: Path) -> None:
    code = """
import numpy as np
from posenb.models import build_backbone
maps = build_backbone("mobilenet_v2", "imagenet")(np.zeros((1, 64, 64, 3), "float32"))
fresh = build_backbone("mobilenet_v2")(np.zeros((1, 64, 64, 3), "float32"))
print(float(abs(np.asarray(maps[-1]) - np.asarray(fresh[-1])).max()) > 1e-3)
"""
    nowhere = "http://127.0.0.1:9"
    found = run_python(
        "import warnings; warnings.simplefilter('error', UserWarning)" + code,
        KERAS_HOME=str(keras_home),
        https_proxy=nowhere,
        http_proxy=nowhere,
    )
    assert found.split()[-1] == "True"


def test_imagenet_weights_that_cannot_be_fetched_end_in_a_model_error(tmp_path: Path) -> None:
    code = """
from posenb.errors import ModelError
from posenb.models import build_backbone
try:
    build_backbone("mobilenet_v2_035", "imagenet")
except ModelError as error:
    print(error)
"""
    nowhere = "http://127.0.0.1:9"
    found = run_python(code, KERAS_HOME=str(tmp_path), https_proxy=nowhere, HTTPS_PROXY=nowhere)
    assert "KERAS_HOME" in found
    assert "weights=None" in found


def test_a_mistake_of_the_program_is_not_taken_for_missing_weights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(**options: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(keras.applications, "MobileNetV2", broken)
    with pytest.raises(RuntimeError, match="out of memory"):
        build_backbone("mobilenet_v2")


# The network around a backbone


@pytest.mark.parametrize("stride", [4, 8])
@pytest.mark.parametrize("intermediate", [True, False])
def test_a_network_returns_maps_at_its_stride(stride: int, intermediate: bool) -> None:
    config = ModelConfig(
        backbone="mobilenet_v2_035",
        weights=None,
        stride=stride,
        width=8,
        intermediate_supervision=intermediate,
    )
    maps = build_network(config, keypoints=3)(np.zeros((2, 64, 96, 3), np.float32))
    shapes = {name: tuple(one.shape) for name, one in maps.items()}
    expected = {
        "logits": (2, 64 // stride, 96 // stride, 3),
        "offsets": (2, 64 // stride, 96 // stride, 6),
    }
    if intermediate:
        expected["early_logits"] = (2, 4, 6, 3)
    assert shapes == expected


def test_before_training_keypoints_are_thought_rare() -> None:
    config = ModelConfig(backbone="mobilenet_v2_035", weights=None, width=8)
    maps = build_network(config, keypoints=2)(np.zeros((1, 64, 64, 3), np.float32))
    assert ops.convert_to_numpy(ops.sigmoid(maps["logits"])).mean() < 0.1


def test_layers_keep_their_names_between_builds() -> None:
    config = ModelConfig(backbone="mobilenet_v2_035", weights=None, width=8)
    names = [[layer.name for layer in build_network(config, 2).layers] for _ in range(2)]
    assert names[0] == names[1]
    assert {"logits", "offsets", "early_logits"} <= set(names[0])
