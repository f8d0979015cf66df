"""Random programs of all of NumPy: compiled against plain Python, direct mode, finite differences.

On both targets, the numba one interpreted. A difference counts only if it is larger than what
nudged arguments make of the same function.

    python -m tests.codegen.test_wide_programs SECONDS SEED    a long run; prints what fails
"""

import os
import sys
import time

import numpy as np
import pytest

pytest.importorskip("scipy")
pytest.importorskip("numba")

from tests.codegen.test_array_programs import difference
from tests.codegen.wide_programs import WideProgram, changed
from tracejit import jit_grad

pytestmark = pytest.mark.filterwarnings("ignore")

ALL = bool(os.environ.get("TRACEJIT_TEST_ALL"))


def directions(arrays):
    """Which way each array goes when a slope is measured."""
    rng = np.random.default_rng(3)
    found = {}
    for name, a in arrays.items():
        numbers = rng.normal(size=np.shape(a))
        found[name] = numbers + 1j * rng.normal(size=np.shape(a)) if np.iscomplexobj(a) else numbers
    return found


def nudged(program, args):
    """Change the arrays and numbers by about as much as rounding does."""
    few, rng = 1e-5 if program.single else 1e-12, np.random.default_rng(0)
    change = lambda v: v * (1.0 + few * rng.normal(size=np.shape(v)))
    return {name: changed(a, change) for name, a in args[0].items()}, *args[1:]


def slope(function, args, step):
    """The slope of a function's first output along `directions`, and how far it bends there."""
    arrays, *rest = args
    along = directions(arrays)

    def value(far):
        there = {
            name: changed(a, lambda v, n=name: v + far * along[n]) for name, a in arrays.items()
        }
        found = function(there, *rest)
        return float(np.real(found[0] if type(found) is tuple else found))

    above, here, below = value(step), value(0.0), value(-step)
    return (above - below) / (2 * step), (above + below - 2 * here) / step


def wrong_slope(function, args, grads):
    """Say how gradients differ from finite differences, where the function is smooth."""
    try:
        (one, _), (two, bend) = (slope(function, args, step) for step in (2e-5, 1e-5))
    except (ValueError, np.linalg.LinAlgError):
        return None
    scale = 1.0 + abs(one)
    if not (abs(one - two) < 1e-5 * scale and abs(bend) < 1e-2 * scale):  # a kink
        return None
    along = directions(args[0])
    ours = sum(float(np.sum(np.real(g * along[name]))) for name, g in grads.items())
    return None if np.isclose(ours, two, rtol=3e-4, atol=3e-4) else f"slope {ours}, found {two}"


def compare(program, what, actual, expected, again):
    """Raise unless two results are equal, up to what rounding makes of the expected one."""
    found = difference(actual, expected, program.single)
    if found is None:
        return
    with np.errstate(all="ignore"):
        nearby = again()
    assert difference(nearby, expected, program.single), f"{what}: {found}"


def play(program, backend):
    """Call a program several times and compare everything."""
    f = on_outputs(program.function)
    df, direct = jit_grad(f, audit=False, backend=backend), jit_grad(f, optimize=False)
    for number in (0, 0, 1, 2, 3, 0):
        args = program.changed_args(number)
        with np.errstate(all="ignore"):
            try:
                plain = f(*args)
            except (ValueError, IndexError, np.linalg.LinAlgError) as error:  # for these values
                with pytest.raises(type(error)):
                    df(*args)
                continue
            (grads, *outputs), (expected, *others) = df(*args), direct(*args)
        again = lambda args=args: f(*nudged(program, args))
        compare(program, f"direct call {number}", tuple(others), plain, again)
        compare(program, f"compiled call {number}", tuple(outputs), plain, again)
        compare(program, f"gradients of call {number}", grads, expected,
                lambda args=args: direct(*nudged(program, args))[0])  # fmt: skip
        found = None if program.single or number else wrong_slope(f, args, expected)
        assert found is None, f"call {number}: {found}"
    assert not df.cache_info().direct and "failed" not in df.explain(), df.explain()


def on_outputs(function):
    """Let a function of one output return a tuple, too."""

    def outputs(p, mask, n):
        found = function(p, mask, n)
        return found if type(found) is tuple else (found,)

    return outputs


def play_twice(program):
    """Compare the gradient of a weighted sum of gradients with direct mode's, and its slope."""
    weights = directions(program.args[0])

    def weighted(first):
        def total(p, mask, n):
            grads = first(p, mask, n)
            return sum(np.sum(np.real(grads[name] * weights[name])) for name in weights)

        return total

    f = program.function
    plain = weighted(jit_grad(f, optimize=False, withForward=False))
    df = jit_grad(weighted(jit_grad(f, withForward=False)), audit=False, backend="numpy")
    direct = jit_grad(plain, optimize=False)
    for number in (0, 0, 2):
        args = program.changed_args(number)
        with np.errstate(all="ignore"):
            try:
                expected = direct(*args)
            except (ValueError, IndexError, np.linalg.LinAlgError):
                continue
            actual = df(*args)
        compare(program, f"call {number}", actual, expected,
                lambda args=args: direct(*nudged(program, args)))  # fmt: skip
        found = None if program.single or number else wrong_slope(plain, args, expected[0])
        assert found is None, f"call {number}: {found}"


def check(seed, size, play, *more):
    program = WideProgram(seed, size)
    try:
        play(program, *more)
    except Exception as error:
        raise AssertionError(f"seed {seed}, size {size}: {error!r}\n{program.text}") from error


@pytest.mark.parametrize("seed", range(1, 300 if ALL else 13))
def test_on_numpy(seed):
    check(seed, 3 + seed % 9, play, "numpy")


@pytest.mark.parametrize("seed", range(1000, 1300 if ALL else 1012))
def test_interpreted(interpreted, seed):
    check(seed, 3 + seed % 9, play, "numpy")


@pytest.mark.parametrize("seed", range(2000, 2300 if ALL else 2012))
def test_gradients_of_gradients(seed):
    check(seed, 2 + seed % 4, play_twice)


@pytest.mark.fuzz
@pytest.mark.parametrize("seed", range(3000, 3050 if ALL else 3002))
def test_compiled(seed):
    check(seed, 4, play, "numba")


def long_run(seconds, seed):
    """Try programs for that long; print what fails, and count."""
    until, count, failed = time.monotonic() + seconds, 0, 0
    while time.monotonic() < until:
        for size, *how in ((2 + seed % 12, play, "numpy"), (2 + seed % 4, play_twice)):
            try:
                check(seed, size, *how)
            except AssertionError as error:
                failed += 1
                print(error, flush=True)
        seed, count = seed + 1, count + 1
    print(f"{count} programs, {failed} failed; next seed: {seed}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(long_run(float(sys.argv[1]), int(sys.argv[2])))
