"""Networks as ONNX graphs, written and completed without Keras or any runtime.

ONNX files are Protocol Buffers of few kinds of messages, so the few lines of `wire` do
without the package onnx, which Colab's images lack.
"""

from posenb.graphs.builder import GraphBuilder
from posenb.graphs.halving import halve_network
from posenb.graphs.network import NetworkFile
from posenb.graphs.poses import pose_graph
from posenb.graphs.quantising import quantise_network, rounded_values

__all__ = [
    "GraphBuilder",
    "NetworkFile",
    "halve_network",
    "pose_graph",
    "quantise_network",
    "rounded_values",
]
