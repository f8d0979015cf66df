"""SciPy's optimisers over nested structures."""

import numpy as np
import pytest

from tracejit.errors import ConfigError, ParameterTypeError
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
               "Nelder-Mead", "SLSQP", "Powell", "TNC", "COBYQA", "trust-exact", None],
)  # fmt: skip
def test_methods(method):
    found = minimize(rosen, {"x": -1.2, "y": 1.0}, method=method, tol=1e-9)
    assert type(found.x["x"]) is float
    np.testing.assert_allclose([found.x["x"], found.x["y"]], 1.0, atol=1e-3)


@pytest.mark.parametrize("method", ["dogleg", "trust-exact"])
def test_hessians_of_structures(method):
    found = minimize(loss, START, (X, Y), method=method, tol=1e-10)
    np.testing.assert_allclose(found.x["w"], TRUE["w"])
    np.testing.assert_allclose(found.x["b"], TRUE["b"])


@pytest.mark.parametrize("method", ["L-BFGS-B", "TNC", "SLSQP", "trust-constr", "Nelder-Mead"])
def test_bounds(method):
    found = minimize(
        lambda p: (p["x"] - 2.0) ** 2 + np.sum((p["y"] + 1.0) ** 2), {"x": 0.5, "y": np.ones(2)},
        method=method, bounds=[(0.0, 1.0), (0.0, None), (None, None)], tol=1e-10,
    )  # fmt: skip
    np.testing.assert_allclose(found.x["x"], 1.0, atol=1e-3)
    np.testing.assert_allclose(found.x["y"], [0.0, -1.0], atol=1e-3)


def test_leaves_of_all_kinds():
    start = {"a": np.zeros((2, 2)), "none": None, "empty": np.zeros((0, 3)), "n": np.array(0.5)}
    target = np.arange(4.0).reshape(2, 2)
    for method in ("BFGS", "trust-exact"):
        f = lambda p, t: np.sum((p["a"] - t) ** 2) + (p["n"] - 3.0) ** 2
        found = minimize(f, start, target, method=method).x
        np.testing.assert_allclose(found["a"], target, atol=1e-6)
        assert found["none"] is None and found["empty"].shape == (0, 3) and found["n"].shape == ()
    found = least_squares(lambda p: {"u": p["a"] - target, "v": (p["n"] - 3.0,)}, start).x
    np.testing.assert_allclose(found["a"], target, atol=1e-6)
    np.testing.assert_allclose(found["n"], 3.0)


def test_derivatives_of_the_users_own():
    seen = []

    def slope(x):
        seen.append(x)
        return 2.0 * (x - 1.0)

    f = lambda p: np.sum((p["w"] - 1.0) ** 2)
    given = {"w": np.zeros(3)}
    np.testing.assert_allclose(minimize(f, given, jac=slope).x["w"], 1.0)
    assert seen
    own = lambda x: 2.0 * np.eye(3)
    np.testing.assert_allclose(minimize(f, given, method="trust-ncg", hess=own).x["w"], 1.0)
    times = lambda x, v: 2.0 * v
    np.testing.assert_allclose(minimize(f, given, method="trust-ncg", hessp=times).x["w"], 1.0)
    found = least_squares(lambda p: p["w"] - 1.0, given, jac="2-point")
    np.testing.assert_allclose(found.x["w"], 1.0)


def test_what_goes_wrong_is_told():
    with np.errstate(all="ignore"):
        found = minimize(lambda p: np.sum(p["w"]) * np.inf, {"w": np.ones(2)})
    assert not found.success and "the value is" in found.message
    assert not minimize(loss, START, (X, Y), method="BFGS", options={"maxiter": 1}).success
    with pytest.raises(RuntimeError, match="mine"):
        minimize(failing, {"w": np.ones(2)})


def failing(p):
    if p["w"][0] < 1.0:
        raise RuntimeError("mine")
    return np.sum(p["w"])


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


@pytest.mark.parametrize("progress", [False, True])
def test_callbacks(progress):
    pytest.importorskip("tqdm")
    results = []

    def callback(intermediate_result):
        results.append(intermediate_result)
        if len(results) == 3:
            raise StopIteration

    start = {"x": -1.2, "y": 1.0}
    found = minimize(rosen, start, method="BFGS", progress=progress, callback=callback)
    assert found.nit == 3 and results[-1].fun == found.fun


def test_a_bar_of_least_squares(capsys):
    pytest.importorskip("tqdm")
    least_squares(lambda p, x, y: x @ p["w"] + p["b"][0] - y, START, (X, Y), progress=True)
    assert "value=" in capsys.readouterr().err


def test_gradients_by_the_function_itself_are_refused():
    with pytest.raises(ConfigError, match="leave jac out"):
        minimize(lambda x: (x**2, 2 * x), 1.0, jac=True)


def test_other_parameters_are_refused():
    for nothing in ({}, {"n": None}):
        with pytest.raises(ParameterTypeError, match="no floats"):
            minimize(lambda p: 1.0, nothing)
    with pytest.raises(ParameterTypeError, match=r'params\["n"\] is int; .*x.astype'):
        minimize(lambda p: p["n"] * 1.0, {"n": 3})
