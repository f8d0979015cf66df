"""Contractions of the same axes become products and sums; what NumPy does better stays."""

import numpy as np
import pytest

from tests.trees import record_forward
from tracejit.codegen.spread import spread_contractions
from tracejit.dag.evaluate import evaluate
from tracejit.dag.verify import verify

A, B = np.arange(12.0).reshape(3, 4), np.linspace(-1.0, 2.0, 12).reshape(3, 4)
SINGLE = A.astype("f4")

CASES = {
    "rows": (lambda x, y: np.einsum("ij,ij->i", x, y), (A, B), "multiply sum"),
    "columns": (lambda x, y: np.einsum("ij,ij->j", x, y), (A, B), "multiply sum"),
    "with a constant": (lambda x: np.einsum("ij,ij->i", x, B), (A,), "multiply sum"),
    "single": (lambda x: np.einsum("ij,ij->i", x, x), (SINGLE,), "multiply sum"),
    "two axes": (lambda x, y: np.einsum("kij,kij->k", x[None], y[None]), (A, B),
                 "index index multiply sum"),
    "other axes": (lambda x, y: np.einsum("ij,ji->i", x, y), (A, B.T), "einsum"),
    "another order": (lambda x, y: np.einsum("kij,kij->jk", x[None], y[None]), (A, B),
                      "index index einsum"),
    "of two types": (lambda x, y: np.einsum("ij,ij->i", x, y), (A, SINGLE), "astype multiply sum"),
    "complex": (lambda x, y: np.einsum("ij,ij->i", x, y), (A + 1j, B + 0j), "einsum"),
    "integers": (lambda x: np.einsum("ij,ij->i", x, x), (A.astype(int),), "einsum"),
    "empty": (lambda x: np.einsum("ij,ij->i", x, x), (A[:0],), "einsum"),
}  # fmt: skip


@pytest.mark.parametrize(("function", "values", "ops"), CASES.values(), ids=CASES)
def test_contractions(function, values, ops):
    graph = record_forward(function, *values)
    spread = verify(spread_contractions(graph))
    assert " ".join(node.op.name for node in spread.nodes) == ops
    (result,), (expected,) = evaluate(spread, values), evaluate(graph, values)
    np.testing.assert_allclose(result, expected, rtol=1e-6)
    assert result.dtype == expected.dtype
