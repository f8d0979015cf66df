"""Writes into recorded arrays, and what they do to views of the same memory."""

import numpy as np
import pytest

from tests.support import CALLS, MODES, check, spaced
from tracejit import jit_grad

X = spaced(-1.9, 1.7, (4, 3), seed=1)
ROW = spaced(0.4, 2.1, (3,), seed=2)


def view_shows_write(x, y):
    z = x * 1.0
    v = z[1:]
    z[2] = y
    return v * z[1:]


def write_through_view(x, y):
    z = x * 1.0
    v = z[1:]
    v += 1.0
    v[0] *= y
    return z * z


def view_of_a_view(x, y):
    z = x * 1.0
    v = z[1:]
    w = v[:, 1]
    w[:] = 2.0 * w
    v[1] = y
    return z * z + w[0]


def two_views(x, y):
    z = x * 1.0
    odd, first = z[1::2], z[:, 0]
    odd *= 3.0
    first += y[0]
    return z * z + np.sum(odd) * np.sum(first)


def transposed(x, y):
    z = x * 1.0
    t = z.T
    t[0] = y[0]
    z[3] += t[:, 1]
    return z * z + t[1, 2]


def transposed_slices(x, y):
    z = x * 1.0
    t = z[1:].T[::2]
    t += 1.0
    t[0, 1] = y[1]
    return z * z


def reshaped(x, y):
    z = x * 1.0
    flat = z.reshape(-1)
    flat[5:8] = y
    z[0] = flat[9:]
    return z * z + flat[0]


def ravelled(x, y):
    z = x * 1.0
    z.ravel()[3:6] = y
    np.ravel(z)[0] *= 2.0
    return z * z


def new_axis(x, y):
    z = x * 1.0
    v = z[:, None]
    v[:, 0, 1] = y[0]
    z[1] = y
    return z * z + v[1, 0, 2]


def squeezed(x, y):
    z = x[:1] * 1.0
    np.squeeze(z)[1:] = y[1:]
    z[0, 0] = y[2]
    return z * z


def swapped_axes(x, y):
    z = x * 1.0
    z.swapaxes(0, 1)[1] *= y[1]
    np.moveaxis(z, 0, 1)[2] += 1.0
    return z * z


def reversed_view(x, y):
    z = x * 1.0
    v = z[::-1, ::-2]
    v[0] = y[:2]
    return z * z + v[-1, -1]


def chained_index(x, y):
    z = x * 1.0
    z[1:][1][:2] = y[:2]
    return z * z


def fancy_index_copies(x, y):
    z = x * 1.0
    c = z[[0, 1]]
    c[0] = y
    c += 1.0
    return z * z + c[0]


def copies_do_not_alias(x, y):
    z = x * 1.0
    a, b, c = z.copy(), z.flatten(), z + 0.0
    a[0] = y
    b[:3] = y
    z[1] = 0.0
    return z * z + np.sum(a * a) + np.sum(b) + np.sum(c * c)


def reshape_that_copies(x, y):
    z = x * 1.0
    flat = z.T.reshape(-1)  # not a view: z.T is not contiguous
    flat[:3] = y
    z[0] = 2.0
    return z * z + np.sum(flat * flat)


def ravel_that_copies(x, y):
    z = x * 1.0
    flat = z[:, ::2].ravel()
    flat[0] = y[0]
    return z * z + np.sum(flat)


def astype_that_copies_nothing(x, y):
    z = x * 1.0
    w = z.astype(float, copy=False)
    w[0] = y
    return z * z


def astype_that_converts(x, y):
    z = x * 1.0
    w = z.astype(np.float32, copy=False)
    w[0] = 0.5
    return z * z


def whole_views(x, y):
    z = x * 1.0
    z[...][0] = y
    z[:][1] *= 2.0
    z[()][2] += y
    np.expand_dims(z, 0)[0, 3] = 1.5
    return z * z


def own_slices_overlap(x, y):
    z = x * 1.0
    z[1:] += z[:-1]
    z[:-1, 0] = z[1:, 0]
    return z * z * y


def reads_between_writes(x, y):
    z = x * 1.0
    total = np.sum(z)
    z *= 2.0
    total = total + np.sum(z * z)
    z[0] = y
    return total + z


def rebinding_is_not_writing(x, y):
    z = x * 1.0
    v = z[0]
    z = z + 1.0
    v += y
    return z * v


def running_recurrence(x, y):
    z = x * 1.0
    for i in range(1, 4):
        z[i] = np.sin(z[i - 1]) * y + z[i]
    return z


def zeros_like_filled(x, y):
    z = np.zeros_like(x)
    z[0] = y
    z[1:, 0] = x[1:, 0] * y[0]
    return z * z


def built_by_elements(x, y):
    z = np.zeros_like(y)
    for i in range(3):
        z[i] = x[i, i] * y[i]
    return z * y


def swapped_rows(x, y):
    z = x * 1.0
    z[0], z[1] = z[1] * 1.0, z[0] * 1.0
    z[[2, 3]] = z[[3, 2]]
    return z * y


def add_view_to_itself(x, y):
    z = x * 1.0
    z += z.sum(axis=0)
    z -= z[0]
    return z * y


def written_array_returned_before(x, y):
    z = x * 1.0
    w = z
    w[0] = y
    return z * w


def assigned(x, y):
    z = np.zeros(3)
    z[0] = y[0]
    return z * y


def assigned_slices(x, y):
    z, w = np.empty(3), np.arange(12.0).reshape(4, 3)
    z[:] = y
    w[1:, :2] = x[1:, 1:]
    return z * w * y


def added_in_place(x, y):
    z, w = np.zeros((4, 3)), np.full(3, 0.5)
    z += x
    w *= y[0]
    z -= w
    return z * z


def out_of_ufuncs(x, y):
    z, s = np.zeros(3), np.zeros(())
    np.sin(y, out=z)
    np.sum(y, axis=0, out=s)
    np.multiply(y, 2.0, out=z, where=[True, False, True])
    return z * z * s


def added_at(x, y):
    z = np.ones(3)
    np.add.at(z, [0, 0, 1], y)
    return z * y


def filled_copied_put(x, y):
    z, w, v = np.zeros(3), np.ones((4, 3)), np.eye(3)
    z.fill(y[1])
    np.copyto(w, x)
    np.put(v, [0, 4], y[:2])
    return (w * z) @ v


def lists_of_elements(x, y):
    z = np.array([[y[0], 1.0], [y[1] * y[2], x[0, 0]]])
    z[1] *= y[0]
    return z * z


def made_in_a_helper(x, y):
    z = blank((4, 3))
    for i in range(4):
        z[i] = x[i] * y
    return z * x


def blank(shape):
    return np.zeros(shape)


WRITES = [
    view_shows_write, write_through_view, view_of_a_view, two_views, transposed,
    transposed_slices, reshaped, ravelled, new_axis, squeezed, swapped_axes, reversed_view,
    chained_index, fancy_index_copies, copies_do_not_alias, reshape_that_copies,
    ravel_that_copies, astype_that_copies_nothing, astype_that_converts, whole_views,
    own_slices_overlap, reads_between_writes, rebinding_is_not_writing,
    running_recurrence, zeros_like_filled, built_by_elements, swapped_rows, add_view_to_itself,
    written_array_returned_before, assigned, assigned_slices, added_in_place, out_of_ufuncs,
    added_at, filled_copied_put, lists_of_elements, made_in_a_helper,
]  # fmt: skip


@MODES
@pytest.mark.parametrize("f", WRITES, ids=lambda f: f.__name__)
def test_writes_and_views(f, optimize):
    check(f, (X, ROW), (), optimize)


@MODES
def test_returned_arrays_are_not_written_later(optimize):
    def f(x):
        z = x * 1.0
        before = z * 1.0
        v = z[1:]
        z[1] = 0.0
        return np.sum(z * z), before, z, v, z[0]

    df = jit_grad(f, optimize=optimize)
    for _ in range(CALLS):
        grad, loss, before, z, v, first = df(X)
        expected = f(X)
        np.testing.assert_array_equal(before, X)
        for got, want in zip((loss, before, z, v, first), expected, strict=True):
            np.testing.assert_array_equal(got, want)
        z[:] = 99.0  # the results are the caller's own
        np.testing.assert_array_equal(v, expected[3])
        np.testing.assert_array_equal(grad[1], np.zeros(3))
