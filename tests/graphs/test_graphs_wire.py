"""Protocol Buffers as ONNX's own reader understands them."""

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx.reference import ReferenceEvaluator

from posenb.graphs import GraphBuilder
from posenb.graphs.wire import field, fields, message, numbers


@given(st.integers(-(2**63), 2**64 - 1), st.integers(1, 1000))
def test_whole_numbers_come_back(value, number):
    assert list(fields(field(number, value))) == [(number, value % 2**64)]


@given(st.lists(st.integers(0, 2**64 - 1)))
def test_packed_numbers_come_back(values):
    ((_, packed),) = fields(field(1, values))
    assert numbers(packed) == values


def test_text_bytes_and_fractions_come_back_as_bytes():
    data = message((1, "häuser"), (2, b"\x00\xff"), (3, 0.5))
    found = dict(fields(data))
    assert found[1] == "häuser".encode()
    assert found[2] == b"\x00\xff"
    assert np.frombuffer(found[3], "<f4")[0] == 0.5


@pytest.mark.parametrize(
    "data", [b"\x0a\x05ab", b"\x08", b"\x08" + b"\xff" * 11, b"\x0b", b"\x0d\x00"]
)
def test_bytes_that_are_no_message_are_refused(data):
    with pytest.raises(ValueError, match=r"cut off|wire type|64 bits"):
        list(fields(data))


def built() -> bytes:
    graph = GraphBuilder("small")
    x = graph.input("x", "float32", ("batch", 2))
    moved = graph.add("Mul", x, graph.constant([[2, 3]]))
    graph.add("Clip", moved, graph.constant(0), graph.constant(10), into="y")
    graph.output("y", "float32", ("batch", 2))
    return graph.encode({"told": "yes", "also": "no"})


def test_a_graph_computes_what_it_was_built_for():
    model = onnx.load_from_string(built())
    onnx.checker.check_model(model, full_check=True)
    (y,) = ReferenceEvaluator(model).run(None, {"x": np.array([[1, 2], [-1, 9]], np.float32)})
    np.testing.assert_array_equal(y, [[2, 6], [0, 10]])


def test_a_graph_carries_what_is_told_of_it():
    model = onnx.load_from_string(built())
    assert {entry.key: entry.value for entry in model.metadata_props} == {
        "told": "yes",
        "also": "no",
    }


@pytest.mark.parametrize("dtype", ["float32", "uint8", "int8", "int32", "int64", "bool"])
@pytest.mark.parametrize("shape", [(), (0,), (2, 3)])
def test_constants_of_all_kinds_and_shapes_arrive(dtype, shape):
    graph = GraphBuilder("kinds")
    values = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    graph.constant(values, dtype)
    (tensor,) = onnx.load_from_string(graph.encode()).graph.initializer
    found = onnx.numpy_helper.to_array(tensor)
    assert (found.dtype, found.shape) == (np.dtype(dtype), shape)
    np.testing.assert_array_equal(found, values.astype(dtype))


def test_attributes_keep_their_kind():
    graph = GraphBuilder("kinds")
    graph.add("Some", "x", whole=-3, part=0.5, text="floor", several=(1, 2))
    (node,) = onnx.load_from_string(graph.encode()).graph.node
    found = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
    assert found == {"whole": -3, "part": 0.5, "text": b"floor", "several": [1, 2]}


def test_the_same_graph_gives_the_same_bytes():
    assert built() == built()
