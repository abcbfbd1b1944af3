"""A network that starts from nothing must still pass a signal."""

import keras
import numpy as np
import pytest

from posenb.core import ModelConfig
from posenb.models import build_network, calibrate

CONFIG = ModelConfig(backbone="mobilenet_v2_035", weights=None, width=8)


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, (4, 64, 64, 3)).astype(np.float32)


def batch_norms(network):
    return [
        layer
        for layer in network._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization)
    ]


def deepest(network, images) -> np.ndarray:
    pyramid = network.get_layer(CONFIG.backbone)
    return keras.ops.convert_to_numpy(pyramid(images, training=False)[-1])


def test_a_random_backbone_dies_without_calibration_and_lives_with_it(images):
    network = build_network(CONFIG, 2)
    assert deepest(network, images).std() < 0.01
    calibrate(network, lambda: network(images, training=True))
    assert deepest(network, images).std() > 0.2


def test_the_statistics_are_those_of_the_pass_alone(images):
    network = build_network(CONFIG, 2)
    for _ in range(2):
        calibrate(network, lambda: network(images, training=True))
    first = batch_norms(network)[0]
    convolution = keras.Model(
        network.get_layer(CONFIG.backbone).input, first._inbound_nodes[0].input_tensors[0]
    )
    maps = keras.ops.convert_to_numpy(convolution(images))
    np.testing.assert_allclose(first.moving_mean, maps.mean(axis=(0, 1, 2)), atol=1e-5)
    np.testing.assert_allclose(first.moving_variance, maps.var(axis=(0, 1, 2)), rtol=1e-3)


def test_layers_are_as_before_afterwards(images):
    network = build_network(CONFIG, 2)
    before = [(each.trainable, each.momentum) for each in batch_norms(network)]
    trainable = [variable.path for variable in network.trainable_variables]
    calibrate(network, lambda: network(images, training=True))
    assert [(each.trainable, each.momentum) for each in batch_norms(network)] == before
    assert [variable.path for variable in network.trainable_variables] == trainable
    assert not any(each.trainable for each in batch_norms(network))


def test_layers_are_frozen_again_when_the_pass_fails():
    network = build_network(CONFIG, 2)

    def fail() -> None:
        raise MemoryError

    with pytest.raises(MemoryError):
        calibrate(network, fail)
    assert not any(each.trainable for each in batch_norms(network))


def test_a_network_without_batch_normalisation_stays_as_it_is(images):
    inputs = keras.Input((None, None, 3))
    network = keras.Model(inputs, keras.layers.Conv2D(2, 1)(inputs))
    before = network.get_weights()
    calibrate(network, lambda: network(images, training=True))
    for old, new in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
