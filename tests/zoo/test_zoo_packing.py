"""Smaller model files: the same poses, the same bytes each time."""

import numpy as np
import pytest
from zoo_models import COUNT, KEYPOINTS, spot_at, spot_picture, spot_predictor

from posenb.core import FrameFormat, ModelConfig
from posenb.graphs import NetworkFile, halve_network, pose_graph
from posenb.inference.model import find_model
from posenb.zoo.inspecting import check_keras
from posenb.zoo.packing import pack_keras, pack_network

PICTURES = np.stack([spot_picture(number) for number in range(4)])
TRUE = np.array([spot_at(number) for number in range(4)])


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """A network of real size with random weights, in both forms."""
    from posenb.models import build_network, build_predictor, export_network, save_predictor

    config = ModelConfig(backbone="mobilenet_v2_035", weights=None, width=8)
    predictor = build_predictor(build_network(config, len(KEYPOINTS)), config, 1.0)
    _, described = spot_predictor("before")
    description = described.replace(config=described.config.replace(model=config))
    folder = tmp_path_factory.mktemp("model")
    save_predictor(folder / "model.keras", predictor, description)
    (folder / "model.onnx").write_bytes(export_network(predictor, description).encode())
    return folder, predictor, description.replace(name="after")


def test_a_packed_keras_file_finds_nearly_the_same_and_is_less_than_half_as_large(
    network, tmp_path
):
    from posenb.models import load_predictor

    folder, before, description = network
    target = tmp_path / "model.keras"
    pack_keras(folder / "model.keras", target, description)
    after, told = load_predictor(target)
    assert told == description
    assert target.stat().st_size < 0.6 * (folder / "model.keras").stat().st_size
    maps = [
        model.get_layer("network").predict(PICTURES[..., :3] / 127.5 - 1.0, verbose=0)["logits"]
        for model in (before, after)
    ]
    assert np.abs(maps[0] - maps[1]).max() < 0.05 * np.ptp(maps[0])
    assert check_keras(target, "it") == description


def test_packing_twice_gives_the_same_bytes(network, tmp_path):
    folder, _, description = network
    for name in ("a.keras", "b.keras"):
        pack_keras(folder / "model.keras", tmp_path / name, description)
    assert (tmp_path / "a.keras").read_bytes() == (tmp_path / "b.keras").read_bytes()


def test_weights_keep_eight_significant_bits_and_vectors_all(network, tmp_path):
    from posenb.models import load_predictor

    folder, before, description = network
    pack_keras(folder / "model.keras", tmp_path / "model.keras", description)
    after, _ = load_predictor(tmp_path / "model.keras")
    for old, new in zip(before.get_weights(), after.get_weights(), strict=True):
        if old.ndim > 1:
            assert np.abs(old - new).max() <= np.abs(old).max() / 2**8
            assert not (np.ascontiguousarray(new).view(np.uint32) & 0xFFFF).any()
        else:
            np.testing.assert_array_equal(old, new)


def test_a_graph_of_half_precision_is_half_as_large_and_still_a_valid_file(network):
    import onnx

    folder, _, description = network
    before = (folder / "model.onnx").read_bytes()
    after = pack_network(before, description)
    assert len(after) < 0.65 * len(before)
    found = NetworkFile.decode(after)
    assert found.description == description
    onnx.checker.check_model(
        onnx.load_from_string(pose_graph(found, FrameFormat("rgb", 64, 96), 2))
    )


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_a_graph_of_half_precision_finds_the_same(runtime, network, tmp_path):
    folder, _, description = network
    layout = FrameFormat("rgb", *PICTURES.shape[1:3])
    (tmp_path / "model.onnx").write_bytes(
        pack_network((folder / "model.onnx").read_bytes(), description)
    )
    found = [
        find_model(path / "model.onnx", runtime=runtime, precision="float32").predict(layout, 4)(
            PICTURES.reshape(4, -1)
        )
        for path in (folder, tmp_path)
    ]
    np.testing.assert_allclose(found[0][..., 2], found[1][..., 2], atol=0.01)


def test_weights_too_large_for_half_precision_are_cut_and_not_infinite(network):
    folder, _, description = network
    network_file = NetworkFile.decode((folder / "model.onnx").read_bytes())
    from posenb.graphs import GraphBuilder

    graph = GraphBuilder("large")
    graph.constant(np.full((2, 2), 1e9))
    large = NetworkFile(
        description, network_file.factor, network_file.offset, False, (), tuple(graph.constants)
    )
    (halved,) = halve_network(large, description).constants
    assert np.isfinite(np.frombuffer(halved[-8:], np.float16)).all()


def test_a_packed_model_still_follows_the_spot(run, tmp_path):
    from pathlib import Path

    network_bytes = Path(run.network_url).read_bytes()
    description = NetworkFile.decode(network_bytes).description
    (tmp_path / "model.onnx").write_bytes(pack_network(network_bytes, description))
    predict = find_model(tmp_path / "model.onnx").predict(FrameFormat("rgb", 64, 96), 4)
    found = predict(PICTURES.reshape(4, -1))
    np.testing.assert_allclose(found[:, 0, :2], TRUE, atol=0.2)
    assert len(TRUE) < COUNT
