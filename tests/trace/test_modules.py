"""What a function gets for modules, for what is imported from them, and for built-in names."""

import functools
import itertools
import math
import operator
from math import sin

import numpy as np
import pytest
from numpy import add, ndarray, zeros
from numpy import sum as total

from tests.sound.support import check as follow
from tests.sound.support import module
from tests.support import CALLS, MODES, check, check_direct
from tracejit import jit_grad

X = np.array([0.5, 1.25, 2.0])
Y = np.array([3.0, -1.0, 0.5])
RNG = np.random.default_rng(5)


def imported_by_name(x):
    z = zeros(3)
    z[1] = x[1]
    return total(add(z, 1.0) * x) * sin(x[0]) * isinstance(z, ndarray)


def imported_inside(x):
    import math as m
    from math import pi as half_a_turn

    import numpy as n
    from numpy import zeros as blank
    from numpy.linalg import norm

    z = blank(3)
    z[:] = x
    return n.sum(z) * m.exp(m.sin(x[0])) * half_a_turn + norm(x)


def imported_modules_of_users(x):
    import tests.support as support
    from tests.support import spaced

    return np.sum(x * spaced(0.0, 1.0, (3,))) * support.CALLS


def types_that_make_numbers(x):
    made = float(x[0]) * int(2.7) + float("2") * int("11", 2) * bool(x[1]) + 0.0 + 0
    return made * x[2] * float.fromhex("0x1p3") * int.from_bytes(b"a", "big")


def types_that_are_asked_for(x):
    asked = (
        isinstance(x, np.ndarray), type(x) is np.ndarray, type(x[0]) is np.float64,
        isinstance(x[0], float), isinstance(x[0], int | np.floating), float is float,
        type(float(x[0])) is float, int is int, {int: 0, float: 1}[float],
        issubclass(bool, int), isinstance(float, type), type(int) is type, float in (float, int),
        bool is bool, isinstance(x.shape[0], int), type(type(x)) is type,
    )  # fmt: skip
    return np.sum(x) * sum(2**i for i, yes in enumerate(asked) if yes)


def dtypes(x):
    same = (x.dtype == float) * (x.dtype == np.dtype(float)) * np.issubdtype(x.dtype, float)
    return np.sum(x.astype(float) + np.zeros(3, float) + np.ones(3, dtype=int)) * same


def pure_modules(x):
    added = functools.reduce(operator.add, x) + operator.mul(x[0], x[1])
    shape = operator.attrgetter("shape")({"x": x}["x"])
    running = sum(itertools.accumulate(x)) + max(itertools.chain(x, Y))
    return added + running * shape[0] + operator.itemgetter("w")({"w": x})[1]


def parts_of_numpy(x):
    y = np.linalg.norm(x) * np.pi + np.sum(x[:, np.newaxis] * np.fft.fftfreq(3))
    return y * np.finfo(x.dtype).bits * np.iinfo(int).bits * np.float32(2.0) + np.sum(x[np.s_[1:]])


def grids(x):
    grid = np.mgrid[0:3] + np.meshgrid(np.arange(3.0), np.arange(2.0))[0][0] + np.r_[1.0, 2.0, 3.0]
    return np.sum(x * grid) + sum(v * i[0] for i, v in np.ndenumerate(np.ones(3))) * x[0]


def vectorized(x):
    return np.sum(x * np.vectorize(lambda v: v * 2.0)(np.arange(3.0))) * len(map_of(x))


def map_of(x):
    return [*map(float, x), *filter(None, [1, 0])]


COMPILED = [
    imported_by_name, imported_inside, imported_modules_of_users, types_that_make_numbers,
    types_that_are_asked_for, dtypes, pure_modules, parts_of_numpy, grids, vectorized,
]  # fmt: skip


@MODES
@pytest.mark.parametrize("f", COMPILED, ids=lambda f: f.__name__)
def test_values_and_gradients(f, optimize):
    check(f, (X,), (), optimize)


@MODES
def test_other_names_under_the_names_of_numpy(optimize):
    """A name is what it is bound to, not what it is called."""

    def scenario():
        m = module(
            "import numpy as np\nimport numpy\nfrom math import sin\n"
            "def f(x):\n    return np.sum(x) * sin(x[0]) * abs(-2.0)\n"
        )
        yield m.f
        yield None
        yield None
        m.sin = m.np.cos
        yield None
        yield None
        m.abs = lambda v: 7.0
        yield None
        m.np = module("def sum(x):\n    return x[0] * 3.0\n")
        yield None
        yield None
        m.np.sum = m.numpy.max
        yield None
        yield None
        del m.abs
        yield None

    df = follow(scenario, optimize)
    assert not optimize or df.cache_info().direct == 0


@MODES
def test_modules_are_written_to(optimize):
    def scenario():
        m = module("import numpy as np\ncount = 0\n")

        def f(x):
            m.count += 1
            m.last = x * 2.0
            return np.sum(m.last) * m.count

        yield f, lambda: (m.count, getattr(m, "last", None))
        for _ in range(3):
            yield None

    follow(scenario, optimize)


@MODES
def test_bound_methods_of_generators(optimize):
    def scenario():
        rng, old = np.random.default_rng(3), np.random.RandomState(4)
        draw, legacy, table = rng.normal, old.uniform, {"draw": rng.standard_normal}

        def f(x):
            noise = draw(1.0, 2.0, size=3) + table["draw"](3)
            return np.sum(x * noise) * legacy(1.0, 2.0)

        yield f, lambda: (rng.bit_generator.state, old.get_state()[2])
        for _ in range(4):
            yield None
        draw = np.random.default_rng(7).uniform
        yield None
        yield None

    df = follow(scenario, optimize)
    assert not optimize or df.cache_info().direct == 0


@MODES
def test_generators_are_what_they_are(optimize):
    def f(x):
        asked = (isinstance(RNG, np.random.Generator), type(RNG) is np.random.Generator,
                 isinstance(np.random.default_rng(0), np.random.Generator),
                 hasattr(RNG, "normal"), not hasattr(RNG, "nothing"))  # fmt: skip
        return np.sum(x) * sum(2**i for i, yes in enumerate(asked) if yes)

    check(f, (X,), (), optimize)


def sets_the_seed(x):
    np.random.seed(3)
    return np.sum(x * np.random.random(3))


def shuffles(x):
    order = np.arange(1)
    RNG.shuffle(order)
    return np.sum(x) + order[0]


def iterates(x):
    return sum(float(v) for v in np.nditer(np.ones(3))) * x[0]


def looks_around(x):
    return np.sum(x) + 0 * len(dir())


def uses_files(x):
    import os.path

    return np.sum(x) * len(os.path.join("a", "b"))


DIRECT = [
    (sets_the_seed, "np.random.seed is used"),
    (shuffles, ".shuffle of a random generator is used"),
    (iterates, "numpy.nditer is used"),
    (looks_around, "dir() is called"),
    (uses_files, "the module os is used"),
]


@MODES
@pytest.mark.parametrize(("f", "said"), DIRECT, ids=[said for _, said in DIRECT])
def test_what_does_more_than_compute_runs_in_direct_mode(f, said, optimize):
    check_direct(f, (X,), said, optimize)


def test_the_real_modules_stay_as_they_are():
    kept = dict(vars(np)), dict(vars(math)), dict(vars(np.random))
    df = jit_grad(imported_inside)
    for _ in range(CALLS):
        df(X)
    for module_, before in zip((np, math, np.random), kept, strict=True):
        assert all(vars(module_)[name] is value for name, value in before.items())
