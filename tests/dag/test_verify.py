"""verify finds what a wrong pass would leave behind."""

from dataclasses import replace

import numpy as np
import pytest

from tracejit import jit_grad
from tracejit.dag.verify import verify
from tracejit.errors import GraphError


@pytest.fixture
def graph():
    return jit_grad(lambda x: np.sum(np.sin(x) ** 2)).graph(np.ones(3))


def test_a_good_graph_passes(graph):
    assert verify(graph) is graph


def test_order(graph):
    with pytest.raises(GraphError, match="does not stand before"):
        verify(replace(graph, nodes=graph.nodes[::-1]))


def test_twice(graph):
    with pytest.raises(GraphError, match="twice"):
        verify(replace(graph, nodes=(*graph.nodes, graph.nodes[0])))


def test_missing_output(graph):
    with pytest.raises(GraphError, match="missing"):
        verify(replace(graph, nodes=()))


def test_missing_input(graph):
    with pytest.raises(GraphError, match="does not stand before"):
        verify(replace(graph, inputs=()))
