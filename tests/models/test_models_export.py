"""Networks as ONNX graphs: every backbone, compared with Keras."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np
import onnx
import openvino
import pytest
from onnx.reference import ReferenceEvaluator

from posenb.core import ModelConfig, ModelDescription, TrainConfig
from posenb.errors import ModelError
from posenb.graphs import NetworkFile
from posenb.models import (
    build_network,
    build_predictor,
    export_network,
)

RNG = np.random.default_rng(0)
# One of each family; the others differ in numbers of channels and layers.
FAMILIES = ("convnext_tiny", "efficientnet_v2_b0", "mobilenet_v2_035", "mobilenet_v3_small")
RESNETS = ("resnet_50", "resnet_50_v2")


def described(config: ModelConfig, scale: float = 1.0) -> ModelDescription:
    keypoints = ("snout", "tail")
    return ModelDescription(
        name="made", keypoints=keypoints, scale=scale, config=TrainConfig(model=config)
    )


def lively(network: keras.Model) -> keras.Model:
    """Change all statistics and biases, which are plain in a network that has not learnt."""
    for layer in network._flatten_layers():
        for weight in layer.weights:
            if weight.path.endswith(("moving_variance", "gamma")):
                weight.assign(RNG.uniform(0.5, 1.5, weight.shape))
            elif len(weight.shape) == 1:
                weight.assign(RNG.normal(0, 0.1, weight.shape))
    return network


def computed(file: NetworkFile, images: np.ndarray) -> list[np.ndarray]:
    core = openvino.Core()
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = core.compile_model(core.read_model(file.encode()), "CPU", exact)
    return list(compiled([images.transpose(0, 3, 1, 2)]).values())


def exported(config: ModelConfig) -> tuple[keras.Model, NetworkFile]:
    network = lively(build_network(config, 2))
    return network, export_network(build_predictor(network, config, 1.0), described(config))


@pytest.mark.parametrize(
    "backbone",
    [
        *FAMILIES,
        *(pytest.param(name, marks=pytest.mark.slow) for name in RESNETS),
    ],
)
def test_maps_are_those_of_keras(backbone):
    config = ModelConfig(backbone=backbone, weights=None, width=8)
    network, file = exported(config)
    model = onnx.load_from_string(file.encode())
    onnx.checker.check_model(model, full_check=True)
    images = RNG.normal(0, 1, (1, 32, 64, 3)).astype(np.float32)
    found = computed(file, images)
    expected = network.predict_on_batch(images)
    for name, maps in zip(("logits", "offsets"), found, strict=True):
        right = np.asarray(expected[name])
        scale = np.abs(right).max()
        assert scale > 0
        np.testing.assert_allclose(maps.transpose(0, 2, 3, 1), right, atol=2e-4 * scale)


@pytest.fixture(scope="module")
def small() -> NetworkFile:
    return exported(ModelConfig(backbone="mobilenet_v2_035", weights=None, width=8))[1]


def test_a_file_is_read_as_it_was_written(small):
    again = NetworkFile.decode(small.encode())
    for field in dataclasses.fields(NetworkFile):
        assert getattr(again, field.name) == getattr(small, field.name)
    assert again.encode() == small.encode()


def test_batch_normalisation_is_part_of_the_convolutions(small):
    model = onnx.load_from_string(small.encode())
    assert {node.op_type for node in model.graph.node} == {
        *("Conv", "Clip", "Add", "Pad", "Relu", "Resize", "Identity")
    }


def test_the_file_tells_what_the_model_is(small):
    model = onnx.load_from_string(small.encode())
    told = {entry.key: entry.value for entry in model.metadata_props}
    description = ModelDescription.model_validate_json(told["posenb_description"])
    assert description.keypoints == ("snout", "tail")
    assert model.producer_name == "posenb"


@pytest.mark.parametrize("at", [0.2, 0.5, 0.9])
def test_a_damaged_file_is_told(small, at):
    data = bytearray(small.encode())
    data[int(at * len(data))] ^= 0xFF
    with pytest.raises(ModelError, match="is not one or is damaged"):
        NetworkFile.decode(bytes(data))


@pytest.mark.parametrize("size", [0, 10, 10_000])
def test_a_file_that_is_cut_off_is_told(small, size):
    with pytest.raises(ModelError, match=r"run\.onnx is not one or is damaged"):
        NetworkFile.decode(small.encode()[:size], "run.onnx")


def test_an_onnx_file_of_someone_else_is_told():
    node = onnx.helper.make_node("Relu", ["x"], ["y"])
    values = [onnx.helper.make_tensor_value_info(n, 1, [1]) for n in "xy"]
    graph = onnx.helper.make_graph([node], "g", values[:1], values[1:])
    with pytest.raises(ModelError, match="posenb model for CPUs"):
        NetworkFile.decode(onnx.helper.make_model(graph).SerializeToString())


def of_layers(*layers: keras.layers.Layer) -> keras.Model:
    image = keras.Input((None, None, 3))
    maps = image
    for layer in layers:
        maps = layer(maps)
    outputs = {
        "logits": keras.layers.Conv2D(2, 1)(maps),
        "offsets": keras.layers.Conv2D(4, 1)(maps),
    }
    return keras.Model(image, outputs)


def test_a_layer_that_is_not_known_is_named_with_the_way_out():
    config = ModelConfig(weights=None)
    predictor = build_predictor(of_layers(keras.layers.PReLU(shared_axes=[1, 2])), config, 1.0)
    with pytest.raises(ModelError, match=r"a PReLU\. Analyze with runtime='keras'"):
        export_network(predictor, described(config))


def test_an_activation_that_is_not_known_is_named():
    config = ModelConfig(weights=None)
    predictor = build_predictor(of_layers(keras.layers.Activation("selu")), config, 1.0)
    with pytest.raises(ModelError, match="activation 'selu'"):
        export_network(predictor, described(config))


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.Activation("hard_sigmoid"),
        keras.layers.Activation("tanh"),
        keras.layers.BatchNormalization(scale=False, center=False),
        keras.layers.Conv2D(5, 3, strides=2, padding="same", activation="sigmoid"),
        keras.layers.Conv2D(5, (3, 5), padding="same", dilation_rate=2, use_bias=False),
        keras.layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2),
        keras.layers.Dense(4, activation="relu"),
        keras.layers.AveragePooling2D(2),
        keras.layers.UpSampling2D(2),
    ],
    ids=lambda layer: layer.name,
)
def test_a_layer_computes_as_in_keras(layer):
    config = ModelConfig(weights=None)
    network = of_layers(layer)
    file = export_network(build_predictor(network, config, 1.0), described(config))
    images = RNG.normal(0, 1, (1, 8, 12, 3)).astype(np.float32)
    evaluator = ReferenceEvaluator(onnx.load_from_string(file.encode()))
    found = evaluator.run(["logits"], {"image": images.transpose(0, 3, 1, 2)})[0]
    expected = np.asarray(network(images)["logits"])
    np.testing.assert_allclose(found.transpose(0, 2, 3, 1), expected, atol=1e-5)


def test_a_convolution_that_others_use_too_keeps_its_own_values():
    config = ModelConfig(weights=None)
    image = keras.Input((None, None, 3))
    maps = keras.layers.Conv2D(4, 1)(image)
    normalised = keras.layers.BatchNormalization(moving_mean_initializer="ones")(maps)
    both = keras.layers.Add()([maps, normalised])
    network = keras.Model(
        image,
        {"logits": keras.layers.Conv2D(2, 1)(both), "offsets": keras.layers.Conv2D(4, 1)(both)},
    )
    file = export_network(build_predictor(network, config, 1.0), described(config))
    images = RNG.normal(0, 1, (1, 4, 4, 3)).astype(np.float32)
    evaluator = ReferenceEvaluator(onnx.load_from_string(file.encode()))
    found = evaluator.run(["logits"], {"image": images.transpose(0, 3, 1, 2)})[0]
    expected = np.asarray(network(images)["logits"])
    np.testing.assert_allclose(found.transpose(0, 2, 3, 1), expected, atol=1e-5)
