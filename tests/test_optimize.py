"""SciPy's optimisers over nested structures."""

import numpy as np
import pytest

from tracejit.errors import ParameterTypeError
from tracejit.optimize import least_squares, minimize

pytest.importorskip("scipy")
X = np.random.default_rng(0).normal(size=(40, 3))
TRUE = {"w": np.array([1.0, -2.0, 0.5]), "b": [0.25]}
Y = X @ TRUE["w"] + TRUE["b"][0]
START = {"w": np.zeros(3), "b": [0.0]}


def loss(p, x, y):
    return np.mean((x @ p["w"] + p["b"][0] - y) ** 2)


def rosen(p):
    x = np.stack([p["x"], p["y"]])
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


@pytest.mark.parametrize(
    "method", ["L-BFGS-B", "BFGS", "CG", "Newton-CG", "trust-ncg", "trust-krylov", "trust-constr",
               "Nelder-Mead", "SLSQP"],
)  # fmt: skip
def test_methods(method):
    found = minimize(rosen, {"x": -1.2, "y": 1.0}, method=method, tol=1e-9)
    assert type(found.x["x"]) is float
    np.testing.assert_allclose([found.x["x"], found.x["y"]], 1.0, atol=1e-3)


def test_nested_parameters_and_further_arguments():
    found = minimize(loss, START, (X, Y), tol=1e-12)
    np.testing.assert_allclose(found.x["w"], TRUE["w"], atol=1e-4)
    np.testing.assert_allclose(found.x["b"], TRUE["b"], atol=1e-4)
    np.testing.assert_allclose(found.jac["w"], 0.0, atol=1e-4)
    assert START["b"] == [0.0]


def test_single_precision_stays():
    start = {"w": np.zeros(3, np.float32), "b": [0.0]}
    found = minimize(loss, start, (X.astype(np.float32), Y.astype(np.float32)))
    assert found.x["w"].dtype == np.float32
    np.testing.assert_allclose(found.x["w"], TRUE["w"], atol=1e-2)


def test_least_squares():
    found = least_squares(lambda p, x, y: x @ p["w"] + p["b"][0] - y, START, (X, Y))
    np.testing.assert_allclose(found.x["w"], TRUE["w"])
    np.testing.assert_allclose(found.x["b"], TRUE["b"])


def test_a_bar_on_request(capsys):
    pytest.importorskip("tqdm")
    seen = []
    minimize(rosen, {"x": -1.2, "y": 1.0}, method="BFGS", progress=True, callback=seen.append)
    assert len(seen) > 5 and "step" in capsys.readouterr().err


def test_other_parameters_are_refused():
    with pytest.raises(ParameterTypeError, match=r'params\["n"\] is a int'):
        minimize(lambda p: p["n"] * 1.0, {"n": 3})
