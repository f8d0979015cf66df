"""What depends on values for its shape, and NumPy functions that write to their argument."""

import numpy as np
import pytest

from tests.ops.cases import CUBE, MASK, ROW, SMALL, Case, X, orders, over, rows
from tests.support import MODES, numeric, spaced
from tracejit import jit_grad


def writing(write):
    """The function that writes to a recorded array and squares it."""

    def f(x, y):
        z = x * 1.0
        write(z, y)
        return z * z

    return f


FOUND = [
    Case("nonzero", lambda x: x[np.nonzero(x > 0)] ** 2, (X,), (), np.nonzero),
    Case("nonzero of a row", lambda x: x[np.nonzero(x > 1.0)[0]] ** 2, (ROW,), (), np.nonzero),
    Case("flatnonzero", lambda x: x.ravel()[np.flatnonzero(x > 0)] ** 2, (X,), (), np.flatnonzero),
    Case("argwhere", lambda x: x[tuple(np.argwhere(x > 0)[0])] ** 2, (X,), (), np.argwhere),
    Case("where", lambda x: x[np.where(x > 0)] ** 2, (X,), (), np.where),
    Case("mask", lambda x: x[x > 0] ** 2, (X,)),
    Case("mask of rows", lambda x: x[x[:, 0] > 0, 1:] ** 2, (X,)),
    Case("mask written", writing(lambda z, y: z.__setitem__(z > 0, 1.5)), (X, ROW)),
    Case("mask set to a number", writing(lambda z, y: z.__setitem__(z > 0, y[0])), (X, ROW)),
    Case("mask set to some", writing(lambda z, y: z.__setitem__(z > 0, z[z > 0] * 2)), (X, ROW)),
    Case("place by numbers", writing(lambda z, y: np.place(z, z // 1, y[:2])), (X, ROW)),
    Case("place", writing(lambda z, y: np.place(z, z > 0, y[:2])), (X, ROW), (), np.place),
]  # fmt: skip


def mask_augmented(z, y):
    z[z > 0] *= y[0]
    z[:, y > 1.0] += 2.0


PLACES, TWO = np.array([2, 0, -1]), np.array([[0, 2], [1, 1]])


def largest(x):
    return np.argmax(x, axis=1)[:, None]


def scaled(row, factor):
    return np.outer(row, row) * factor


WRITES = {
    "copyto": (np.copyto, lambda z, y: np.copyto(z, y)),
    "copyto where": (np.copyto, lambda z, y: np.copyto(z, y, where=z > 0)),
    "copyto a number": (np.copyto, lambda z, y: np.copyto(z[0], 2.5)),
    "putmask": (np.putmask, lambda z, y: np.putmask(z, z > 0, z * 3.0)),
    "putmask by a number": (np.putmask, lambda z, y: np.putmask(z, z > 0, y[0])),
    "put": (np.put, lambda z, y: np.put(z, [0, 4], y[:2])),
    "put a number": (np.put, lambda z, y: np.put(z, [1, 4], y[0])),
    "putmask repeating": (np.putmask, lambda z, y: np.putmask(z, z > 0, y[:2])),
    "putmask of a row": (np.putmask, lambda z, y: np.putmask(z, MASK, y)),
    "put clipped": (np.put, lambda z, y: np.put(z, [0, -1, 7], y, mode="clip")),
    "put wrapped": (np.put, lambda z, y: np.put(z, [0, -2, 7, 3], y[:2], mode="wrap")),
    "put into a view": (np.put, lambda z, y: np.put(z.T, [0, -2, 3], y)),
    "put of nothing": (np.put, lambda z, y: np.put(z, [], y)),
    "put_along_axis": (
        np.put_along_axis, lambda z, y: np.put_along_axis(z, largest(z), y[0], axis=1)
    ),
    "put_along_axis flat": (
        np.put_along_axis, lambda z, y: np.put_along_axis(z, PLACES, y, axis=None)
    ),
    "fill_diagonal": (np.fill_diagonal, lambda z, y: np.fill_diagonal(z, y[0])),
    "fill_diagonal with a row": (np.fill_diagonal, lambda z, y: np.fill_diagonal(z, y[:2])),
    "fill_diagonal of a tall one": (
        np.fill_diagonal, lambda z, y: np.fill_diagonal(z.reshape(-1, 1), y[0], wrap=True)
    ),
}
TAKING = [
    *rows(
        np.take,
        ("flat", lambda x: np.take(x, [0, 5, 5]) ** 2, (X,)),
        ("along an axis", lambda x, i: np.take(x, i, axis=1) ** 2, (X,), (PLACES,)),
        ("wrapped", lambda x, i: np.take(x, i + 7, axis=1, mode="wrap") ** 2, (X,), (PLACES,)),
        ("clipped", lambda x, i: x.take(i * 2, -1, mode="clip") ** 2, (X,), (PLACES,)),
    ),
    *rows(
        np.take,
        ("one", lambda x: np.take(x, 1) ** 2 + np.take(x, 1, axis=0), (X,)),
        ("of a number", lambda x: np.take(x, [0, -1], axis=0) ** 2, (1.5,)),
        ("of bools", lambda x: np.take(x, [True, False]) ** 2, (X,)),
        ("of f4", lambda x: np.take(x.T, [1, 1, 0], axis=0) ** 2, (SMALL,)),
        ("of complex", lambda x: np.take(x, [1, 1, 0]) ** 2, (X * (1 + 1j),)),
        ("into out", lambda x: np.take(x, [0, 1], out=np.zeros(2)) ** 2, (X,)),
        ("of nothing", lambda x: np.take(x, np.zeros((0, 2), int), axis=1), (X,)),
        second=False,
    ),
    *rows(
        np.take_along_axis,
        ("of the largest", lambda x: np.take_along_axis(x, largest(x), axis=1) ** 2, (X,)),
        ("several", lambda x, i: np.take_along_axis(x, i, axis=1) ** 2, (X,), (TWO,)),
        ("of one row for all", lambda x, i: np.take_along_axis(x, i, 1) ** 2, (X,), (TWO[:1],)),
        ("flat", lambda x: np.take_along_axis(x, PLACES, axis=None) ** 2, (X,)),
    ),
    *rows(
        np.compress,
        ("columns", lambda x: np.compress([True, False, True], x, axis=1) ** 2, (X,)),
        ("where it holds", lambda x: np.compress(x[0] > 0, x, axis=1) ** 2, (X,)),
        ("flat", lambda x: np.compress([True, False, True], x) ** 2, (X,)),
    ),
    *rows(np.extract, ("where it holds", lambda x: np.extract(x > 0, x) ** 2, (X,))),
    *rows(
        np.unravel_index,
        ("of the largest", lambda x: x[np.unravel_index(np.argmax(x), x.shape)] ** 2, (X,)),
        ("in F order", lambda x, i: x[np.unravel_index(i, (2, 3), "F")] ** 2, (X,), (PLACES[:2],)),
        second=False,
    ),
    *rows(
        np.ravel_multi_index,
        ("of places", lambda x, i: x.ravel()[np.ravel_multi_index((i, i), x.shape)], (X,),
         (np.array([0, 1]),)),
        second=False,
    ),
    *rows(
        np.apply_along_axis,
        ("of rows", lambda x: np.apply_along_axis(lambda r: r * r[0], 1, x), (X,)),
        ("of columns", lambda x: np.apply_along_axis(lambda r: np.sum(r**2), 0, x), (X,)),
        ("with arguments", lambda x: np.apply_along_axis(scaled, -1, x, 2.0), (X,)),
    ),
    *rows(
        np.apply_over_axes,
        ("sums", lambda x: np.apply_over_axes(np.sum, x**2, [0, 2]), (CUBE,)),
        second=False,
    ),
]  # fmt: skip
WRITING = [Case(t, writing(w), (X, ROW), (), covers) for t, (covers, w) in WRITES.items()]
CASES = [*FOUND, *TAKING, Case("mask augmented", writing(mask_augmented), (X, ROW)), *WRITING]


test_first_order, test_second_order = orders(CASES)


@over(FOUND)
def test_other_values_select_others(case):
    f = case.f
    df = jit_grad(lambda p: np.sum(f(*p)))
    for seed in range(4):
        params = [spaced(-1.4, 1.9, np.shape(p), seed=seed) for p in case.params]
        grads, value = df(tuple(params))
        assert value == pytest.approx(np.sum(f(*params)), rel=1e-13)
        for grad, expected in zip(grads, numeric(f, params), strict=True):
            np.testing.assert_allclose(grad, expected, rtol=1e-6, atol=1e-6)


@MODES
def test_copyto_that_cannot_cast(optimize):
    def f(x):
        np.copyto((x > 0) * 1, x)

    with pytest.raises(TypeError, match="Cannot cast"):
        jit_grad(f, optimize=optimize)(X)
