"""Networks with weights of 16 bits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from posenb.core import ModelDescription
from posenb.graphs.builder import TYPES, GraphBuilder
from posenb.graphs.network import NetworkFile
from posenb.graphs.quantising import read_constant

__all__ = ["halve_network"]


def halve_network(network: NetworkFile, description: ModelDescription) -> NetworkFile:
    """Store the weights of a network as float16; everything is computed as before.

    A Cast after each makes it float32 again, which runtimes do once, when they load it.

    Parameters
    ----------
    network : NetworkFile
        Of float32 weights.
    description : ModelDescription
        What the new one tells of itself.

    Returns
    -------
    NetworkFile
    """
    graph = GraphBuilder("half")
    kept = []
    largest = np.finfo(np.float16).max
    for data in network.constants:
        name, values = read_constant(data)
        if values.dtype != np.float32 or values.ndim < 2:
            kept.append(data)
            continue
        half = graph.constant(values.clip(-largest, largest), "float16")
        graph.add("Cast", half, into=name, to=TYPES["float32"])
    nodes, constants = (*graph.nodes, *network.nodes), (*kept, *graph.constants)
    return replace(network, description=description, nodes=nodes, constants=constants)
