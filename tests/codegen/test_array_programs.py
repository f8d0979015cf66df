"""Random programs of array operations on the numba target, against direct mode.

A difference counts only if it is larger than what nudged arguments make of direct mode.
"""

import os
import time

import numpy as np
import pytest

from tests.codegen.array_programs import Program
from tests.codegen.test_numba import leaves, scaled
from tracejit import jit_grad
from tracejit.ops.index import like_it

pytest.importorskip("numba")
pytestmark = pytest.mark.filterwarnings("ignore")

ALL = bool(os.environ.get("TRACEJIT_TEST_ALL"))


def nudged(value, single):
    """Change the floats in nested arguments by about as much as rounding does."""
    if isinstance(value, (dict, tuple)):
        changed = [
            nudged(v, single) for v in (value.values() if isinstance(value, dict) else value)
        ]
        return dict(zip(value, changed, strict=True)) if isinstance(value, dict) else tuple(changed)
    few = 1e-5 if single else 1e-12
    if isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.flags.writeable:
        new = like_it(value)
        new *= 1.0 + few * np.random.default_rng(0).normal(size=new.shape).astype(new.dtype)
        return new
    return type(value)(value * (1.0 + few)) if isinstance(value, float) else value


def moved(args, factor):
    arrays, *rest = args
    return {name: scaled(a, factor) for name, a in arrays.items()}, *rest


def difference(actual, expected, single):
    """Say how two results differ, if they do."""
    pairs = [*zip(leaves(actual), leaves(expected), strict=True)]
    for number, (a, e) in enumerate(pairs):
        if type(a) is not type(e) or np.shape(a) != np.shape(e):
            return f"leaf {number}: {type(a)}{np.shape(a)}, direct {type(e)}{np.shape(e)}"
        if getattr(a, "dtype", None) != getattr(e, "dtype", None):
            return f"leaf {number}: {a.dtype}, direct {e.dtype}"
        few = 3e-4 if single else 1e-9
        if not np.allclose(a, e, rtol=few, atol=few / 20, equal_nan=True):
            return f"leaf {number}: {a}, direct {e}"
    return None


def fault(program, backend):
    """Say what goes wrong when a program is called several times, or None."""
    f, args = program.function, program.args
    df = jit_grad(f, audit=False, backend=backend)
    direct = jit_grad(f, optimize=False)
    for factor in (1.0, 1.0, 0.875, 1.0):
        given = moved(args, factor)
        with np.errstate(all="ignore"):
            result, expected = df(*given), direct(*given)
            found = difference(result, expected, program.single)
            if found is None:
                continue
            nearby = direct(*nudged(given, program.single))
            if difference(nearby, expected, program.single) is None:
                return found
    if df.cache_info().direct or "failed" in df.explain():
        return df.explain()
    return None


def check(seed, size, backend):
    program = Program(seed, size)
    found = fault(program, backend)
    assert found is None, f"seed {seed}, size {size}: {found}\n{program.text}"


@pytest.mark.parametrize("seed", range(1, 400 if ALL else 41))
def test_interpreted(interpreted, seed):
    check(seed, 4 + seed % 17, "numpy")


@pytest.mark.fuzz
@pytest.mark.parametrize("seed", range(1000, 1100 if ALL else 1004))
def test_compiled(seed):
    check(seed, 8, "numba")


def long_run(seconds, seed):
    """Compile programs for that long; print what fails, and count."""
    until, count, failed = time.monotonic() + seconds, 0, 0
    while time.monotonic() < until:
        program = Program(seed, 3 + seed % 20)
        try:
            found = fault(program, "numba")
        except Exception as error:
            found = repr(error)
        if found is not None:
            failed += 1
            print(f"seed {seed}, size {3 + seed % 20}: {found}\n{program.text}", flush=True)
        seed, count = seed + 1, count + 1
    print(f"{count} programs, {failed} failed; next seed: {seed}")
    return failed > 0
