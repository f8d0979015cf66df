"""Emitted source: golden, deterministic, standing alone, right in tracebacks and under pdb."""

import importlib.util
import os
import subprocess
import sys
import traceback
from pathlib import Path

import numpy as np
import pytest

from tracejit import jit_grad

GOLDEN = Path(__file__).parent / "golden"


def mlp(params, x, y):
    h1 = np.tanh(x @ params["W"][0] + params["b"][0])
    h2 = np.tanh(h1 @ params["W"][1] + params["b"][1])
    y_hat = h2 - np.log(np.sum(np.exp(h2)))
    return -np.sum(y_hat * y)


def mlp_args(dtype=np.float64):
    rng = np.random.default_rng(0)
    params = {
        "W": [rng.standard_normal(s).astype(dtype) for s in ((100, 50), (50, 10))],
        "b": [rng.standard_normal(s).astype(dtype) for s in (50, 10)],
    }
    return params, rng.standard_normal((1, 100)).astype(dtype), np.eye(10, dtype=dtype)[3][None]


def written(x, v):
    z = np.zeros_like(x)
    z[1:3] = x[:2] * v
    z[0] = v
    z[[3]] += 2.0
    return np.sum(z * z)


def numbers(a, b):
    c = a * b + 1
    return c**2 / b


GOLDENS = {
    "mlp": (mlp, mlp_args()),
    "written": (written, (np.arange(4.0), 2.0)),
    "numbers": (numbers, (2.0, 3.0)),
}


def load(path_or_text, tmp_path):
    path = tmp_path / "emitted.py"
    path.write_text(path_or_text)
    spec = importlib.util.spec_from_file_location("emitted", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", GOLDENS)
def test_golden(name):
    """Compare with the golden file; TRACEJIT_GOLDEN=1 writes it."""
    function, args = GOLDENS[name]
    text = jit_grad(function).source(*args)
    path = GOLDEN / f"{name}.py.txt"
    if os.environ.get("TRACEJIT_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


def test_the_module_stands_alone(tmp_path):
    args = mlp_args()
    df = jit_grad(mlp)
    grads, loss = df(*args)
    text = df.source(*args)
    assert "tracejit" not in text
    module = load(text, tmp_path)
    assert module.accepts(*args) and not module.accepts(*mlp_args(np.float32))
    again, value = module.mlp(*args, slots=module.allocate())
    assert value == loss
    for key in ("W", "b"):
        for a, b in zip(grads[key], again[key], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)


def test_the_same_in_every_process(tmp_path):
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from tests.codegen.test_emit import *\n"
        "print(jit_grad(mlp).source(*mlp_args()), end='')"
    )
    root = str(Path(__file__).parents[2])
    texts = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TRACEJIT_CACHE_DIR": str(tmp_path)}
        tmp_path.chmod(0o700)
        texts.add(
            subprocess.check_output(
                [sys.executable, "-c", script, root], env=environment, text=True, cwd=root
            )
        )
    assert texts == {jit_grad(mlp).source(*mlp_args())}


def test_each_line_names_the_users_line():
    lines = jit_grad(mlp).source(*mlp_args()).splitlines()
    here = Path(__file__).read_text().splitlines()
    h1 = next(line for line in lines if line.strip().startswith("h1 = "))
    number = int(h1.rsplit(":", 1)[1])
    assert "h1 = np.tanh" in here[number - 1]
    assert "f8[1,50]" in h1


def test_an_exception_names_the_users_line():
    def f(x):
        return np.sum(np.linalg.inv(x))

    df = jit_grad(f)
    for _ in range(3):
        df(np.eye(2))
    with pytest.raises(np.linalg.LinAlgError) as caught:
        df(np.zeros((2, 2)))
    text = "".join(traceback.format_exception(caught.value))
    assert f"{Path(__file__).name}:" in text and "np.linalg.inv" in text
    assert "= np.linalg.inv(x)" in text  # the emitted line is shown too
    np.testing.assert_allclose(df(np.eye(2))[0], -np.ones((2, 2)))


def test_pdb_can_step_into_the_file(tmp_path):
    args = mlp_args()
    df = jit_grad(mlp)
    for _ in range(2):
        df(*args)
    path = df.explain().split("bytes: ")[1].splitlines()[0]
    text = Path(path).read_text()
    assert text == df.source(*args)


@pytest.mark.parametrize("name", ["np", "s0", "out", "f8", "one", "slots", "sum", "accepts", "c"])
def test_parameter_names_do_not_clash(name):
    namespace = {"numpy": np}
    exec(f"def f({name}, y): return numpy.sum({name} * y) * 1.5", namespace)
    df = jit_grad(namespace["f"])
    for _ in range(3):
        np.testing.assert_array_equal(df(np.ones(2), np.arange(2.0))[0], [0.0, 1.5])
    assert df.cache_info().direct == 0


KEYS = ["a b", "it's", 'say "hi"', "new\nline", "é", "class", 7, "s0"]


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_any_dictionary_key(key):
    df = jit_grad(lambda p: np.sum(p[key] ** 2))
    for value in (1.0, 2.0, 3.0):
        grads, _ = df({key: np.full(2, value)})
        np.testing.assert_array_equal(grads[key], [2 * value] * 2)


CONSTANTS = [1e-300, float("nan"), float("inf"), -float("inf"), -0.0, -2.0, 1e308, 3]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("constant", CONSTANTS, ids=repr)
def test_any_constant(constant):
    namespace = {"np": np, "nan": float("nan"), "inf": float("inf")}
    exec(f"def f(x): return np.sum(x * ({constant!r}) + np.maximum(x, {constant!r}))", namespace)
    df = jit_grad(namespace["f"], audit=False)
    x = np.array([1.0, -1.0])
    for _ in range(3):
        np.testing.assert_array_equal(df(x)[1], namespace["f"](x))


def test_large_constants_are_arguments(tmp_path):
    def f(x):
        return np.sum(x * np.linspace(0.0, 1.0, 1000))

    df = jit_grad(f)
    for _ in range(3):
        np.testing.assert_array_equal(df(np.ones(1000))[0], np.linspace(0.0, 1.0, 1000))
    assert "slots, const_0" in df.source(np.ones(1000))
    assert df.cache_info().direct == 0


def test_ranges_and_identities_are_written_as_such(tmp_path):
    def f(x):
        return np.sum(x * np.arange(1000.0)) + np.sum((np.eye(100) @ x[:100]) ** 2)

    df = jit_grad(f)
    for _ in range(3):
        expect = np.arange(1000.0)
        expect[:100] += 2.0
        np.testing.assert_array_equal(df(np.ones(1000))[0], expect)
    text = df.source(np.ones(1000))
    assert "np.arange(1000, dtype=f8)" in text and "np.eye(100, dtype=f8)" in text
    module = load(text, tmp_path)
    np.testing.assert_array_equal(module.f(np.ones(1000), slots=module.allocate())[0], expect)


def test_a_number_whose_type_changes_is_not_answered_by_compiled_code():
    df = jit_grad(lambda a, b: a**b + 0.0, withGradients=False)
    for _ in range(3):
        assert df(4.0, 2.0) == 16.0
    assert df(-8.0, 1 / 3) == (-8.0) ** (1 / 3)  # complex
    assert df(4.0, 2.0) == 16.0


def test_ten_thousand_statements():
    def f(x):
        for _ in range(5000):
            x = np.sin(x) * 1.01
        return np.sum(x)

    df = jit_grad(f)
    x = np.linspace(-1, 1, 4)
    first, *others = (df(x) for _ in range(3))
    for grads, loss in others:
        np.testing.assert_allclose(grads, first[0], rtol=1e-12)
        assert np.isclose(loss, first[1])
    assert df.cache_info().direct == 0


def test_unpacked_values_get_no_name_of_another():
    def unpacked(x):
        first, second = x
        return first * second

    df = jit_grad(unpacked)
    for _ in range(2):
        df(np.array([2.0, 3.0]))
    source = df.source(np.array([2.0, 3.0]))
    assert "index_0 = x[0]" in source and "index_1 = x[1]" in source
    assert "first" not in source.split("def accepts")[0]


def test_a_ufunc_of_a_python_complex_gives_a_numpy_number():
    """`1j != np.float64(1)` is Python's own comparison: complex takes it for a float."""
    number = np.float64(0.5)
    compiled = jit_grad(
        lambda x, c, r: (np.sum(x), np.not_equal(c, r), np.add(c, r), np.equal(r, c), c != r)
    )
    for _ in range(2):
        found = compiled(np.ones(2), 1j, number)[2:]
    assert [type(part) for part in found] == [np.bool_, np.complex128, np.bool_, bool]
