"""Indexing in all forms, reading and writing, with its first and second derivatives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.ops.cases import CUBE, EMPTY, MASK, ROW, SMALL, Case, X, orders
from tests.support import MODES, check, numeric, spaced
from tracejit import jit_grad

FEW = np.array([2, 0, 2])
GRID = np.array([[0, 1], [1, 0]])

READS = {
    "row": lambda x: x[1],
    "element": lambda x: x[1, 2, 3],
    "negative": lambda x: x[-1, -2],
    "slice": lambda x: x[:, 1:],
    "steps": lambda x: x[::-1, ::2, 3:0:-2],
    "no elements": lambda x: x[:, 2:1],
    "beyond the end": lambda x: x[:, 1:99],
    "ellipsis": lambda x: x[..., 1],
    "ellipsis between": lambda x: x[1, ..., 1:],
    "only ellipsis": lambda x: x[...] * 2.0,
    "newaxis": lambda x: x[None, :, 1, None],
    "empty tuple": lambda x: x[()] * 2.0,
    "list": lambda x: x[:, [2, 0, 2]],
    "list first": lambda x: x[[1, 0, 1]],
    "two lists": lambda x: x[[1, 0], [2, 2]],
    "lists apart": lambda x: x[[1, 0], :, [2, 2]],
    "list and number": lambda x: x[[1, 0], 1],
    "number and list": lambda x: x[1, :, [0, 3]],
    "list and newaxis": lambda x: x[[1, 0], None, 1:],
    "lists that broadcast": lambda x: x[[[0], [1]], [[2, 0]]],
    "list of masks": lambda x: x[[True, False]],
    "mask of an axis": lambda x: x[:, [True, False, True]],
    "empty list": lambda x: x[:, []],
    "numpy integer": lambda x: x[np.int64(1)],
    "True": lambda x: x[True] * 2.0,
    "tuple in a tuple": lambda x: x[:, (2, 0, 2)],
    "range": lambda x: x[range(1, -1, -1), range(2)],
    "chain": lambda x: x[1][:, 1:][0],
    "of an intermediate": lambda x: (x * x)[0, [1, 1]],
}  # fmt: skip

READS_WITH = {
    "array": (lambda x, i: x[:, i], (FEW,)),
    "grid": (lambda x, i: x[i], (GRID,)),
    "two arrays": (lambda x, i, j: x[i, :, j], (GRID, GRID.T)),
    "array and slice": (lambda x, i: x[1:, i, ::-1], (FEW,)),
    "negative array": (lambda x, i: x[:, i], (-FEW,)),
    "small integers": (lambda x, i: x[:, i], (FEW.astype(np.int8),)),
    "computed array": (lambda x, i: x[:, i + 1], (np.array([0, 1, 0]),)),
    "0d array": (lambda x, i: x[:, i], (np.array(1),)),
    "empty array": (lambda x, i: x[:, i], (np.zeros((2, 0), int),)),
}


MASKS = {  # the shape of the result depends on values
    "mask": (lambda x, m: x[m], MASK),
    "mask and number": (lambda x, m: x[m, 1], MASK),
    "mask and list": (lambda x, m: x[m, [0, 1, 1]], MASK),
    "mask last": (lambda x, m: x[..., m], np.array([True, False, True, True])),
    "mask of all": (lambda x, m: x[m], CUBE > 0),
    "mask of none": (lambda x, m: x[m], CUBE > 99),
    "comparison": (lambda x, m: x[x > 0] * 2.0, 0),
}


def written(write):
    """z = x * 1.0, written to, times numbers that tell the elements apart."""

    def f(x, y):
        z = x * 1.0
        write(z, y)
        return z * z

    return f


def assign(z, y):
    z[1:, :, 0] = y


def assign_broadcast(z, y):
    z[:] = y[:, None]


def assign_list(z, y):
    z[:, [2, 0], 1] = y[:2]


def assign_twice_to_one(z, y):
    z[[0, 0, 0], [1, 2, 1], 3] = y


def assign_number(z, y):
    z[0, 1] = 1.5
    z[1, 1:, 2] = y[0]


def assign_in_turn(z, y):
    z[0, :, 0] = y
    z[0, :, 1] = z[0, :, 0] * z[1, :, 1]
    z[0, 1] = 2.0 * z[1, 0]


def assign_masked(z, y):
    z[1, [True, False, True], 1] = y[1:]


def assign_itself_reversed(z, y):
    z[1] = z[1, ::-1]
    z[0, :, 1] = y


def add_in_place(z, y):
    z[1:, :, 0] += y
    z[0, 0] *= 2.0
    z[0, 1, 1:] -= y
    z[0, 2, 1:] /= y


def add_to_list(z, y):
    z[:, [0, 2], 1] += y[:2]


def add_to_one_twice(z, y):
    z[[0, 0, 1], [1, 1, 1], 3] += y  # the last one counts, as in NumPy


def add_at(z, y):
    np.add.at(z, ([0, 0, 1], [1, 1, 1], 3), y)
    np.subtract.at(z, (slice(None), 2), 2.0)


def fill(z, y):
    z[1].fill(2.5)
    z[0, 0] = y[0]


def written_at_places(x, y, i):
    z = x * 1.0
    z[:, i, 1] = y
    z[1, i] += y[1]
    np.add.at(z, (0, i, 2), y)
    return z * z


WRITES = [
    assign, assign_broadcast, assign_list, assign_twice_to_one, assign_number, assign_in_turn,
    assign_masked, assign_itself_reversed, add_in_place, add_to_list, add_to_one_twice, add_at,
    fill,
]  # fmt: skip

CASES = [
    *(Case(f"read {title}", f, (CUBE,), (), None, True) for title, f in READS.items()),
    *(Case(f"read with {t}", f, (CUBE,), rest, None, True) for t, (f, rest) in READS_WITH.items()),
    *(Case(write.__name__, written(write), (CUBE, ROW), (), None, True) for write in WRITES),
    Case("assign with array", written_at_places, (CUBE, ROW), (np.array([2, 0, 2]),), None, True),
    Case("read f4", lambda x: x[:, [0, 0]] * x[1, 2], (SMALL,)),
    Case("read strided", lambda x: x[1:, [0, 0]], (np.asfortranarray(X),)),
    Case("read empty", lambda x: x[:, 1], (EMPTY,)),
    Case("read 0d", lambda x: x[()] * 2.0, (np.array(1.5),)),
    Case("read 0d array", lambda x: x[...] * 2.0, (np.array(1.5),)),
    Case("item", lambda x: x * (x > 0).item(0, 1), (X,)),
    Case("write f4 into f8", written(lambda z, y: z.__setitem__((0, 0), y)), (X, SMALL[0, 0])),
    Case("write f8 into f4", written(lambda z, y: z.__setitem__(1, y)), (SMALL, SMALL[0])),
]


test_first_order, test_second_order = orders(CASES)


def reading(key):
    """x -> x[key] * 2.0, with the key written out: a tuple of slices is no constant to guard."""
    return eval(f"lambda x: x[{key!r}] * 2.0".replace("Ellipsis", "..."))


@settings(max_examples=30, deadline=None)
@given(st.data(), st.booleans())
def test_any_basic_index(data, optimize):
    shape = data.draw(hnp.array_shapes(max_dims=3, max_side=3))
    key = data.draw(hnp.basic_indices(shape, allow_newaxis=True, max_dims=4))
    check(reading(key), (spaced(-1, 1, shape),), (), optimize)


@settings(max_examples=30, deadline=None)
@given(st.data(), st.booleans())
def test_any_array_index(data, optimize):
    shape = data.draw(hnp.array_shapes(max_dims=3, max_side=3))
    arrays = data.draw(hnp.integer_array_indices(shape))
    f = lambda x, i: x[i] * 2.0
    if len(arrays) > 1:
        f = lambda x, i, j: x[i, j] * 2.0
    check(f, (spaced(-1, 1, shape),), arrays[:2], optimize)


@settings(max_examples=30, deadline=None)
@given(st.data(), st.booleans())
def test_any_write(data, optimize):
    shape = data.draw(hnp.array_shapes(max_dims=2, max_side=3))
    (first, *_) = data.draw(hnp.integer_array_indices(shape, result_shape=st.just((3,))))

    def f(x, y, i):
        z = np.sin(x)
        z[i] = y
        z[i[0]] *= 2.0
        return z * x

    value = spaced(1, 2, (3, *shape[1:]))
    check(f, (spaced(-1, 1, shape), value), (first,), optimize)


@MODES
@pytest.mark.parametrize(("f", "mask"), MASKS.values(), ids=MASKS)
def test_masks_that_are_not_constant(f, mask, optimize):
    check(f, (CUBE,), (mask,), optimize)


@pytest.mark.parametrize(("f", "mask"), MASKS.values(), ids=MASKS)
def test_other_masks_select_others(f, mask):
    df = jit_grad(lambda x, m: np.sum(f(x, m) ** 2))
    for x, m in ((CUBE, mask), (CUBE, mask), (-CUBE, mask), (CUBE, np.logical_not(mask))):
        grad, loss = df(x, m)
        assert loss == np.sum(f(x, m) ** 2)
        expected = numeric(lambda x, m: f(x, m) ** 2, (x,), (m,))
        np.testing.assert_allclose(grad, expected[0], rtol=1e-6, atol=1e-6)
