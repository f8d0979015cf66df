"""Small functions for the numba target, each about one thing that kernels may get wrong.

PROGRAMS: by name, a function and sample arguments; the first output is what is differentiated.
"""

import numpy as np

from tracejit import jit_grad


def numbers(*shape, seed=0, scale=1.0):
    return np.random.default_rng(seed).normal(size=shape) * scale


# -- what is read, and when ------------------------------------------------------------------------


def squares(pair):
    return np.asarray(pair) ** 2


gradient_of_squares = jit_grad(squares, partialGrad=True, withForward=False)


def elements_of_results(q, weights):
    """Elements are read of an array whose memory the kernel's next loops would take."""
    first, second = gradient_of_squares(q[0], q[1])
    return first * weights[0] + second * weights[1]


def element_before_overwriting(x, k):
    v1 = x + x
    v2 = np.where(k > v1, k, v1)
    v3 = x.copy()
    last = v3[-1]
    v3 *= 2.0
    v4 = v2 if np.sum(v2) > -99.0 else x
    return 0.1 * np.sum(v3) + 0.3 * np.sum(last) + 0.0 * np.sum(v4)


def element_behind_a_guard(x, z):
    y = np.std(x, axis=-1)
    w = np.zeros(4)
    w[3] = y[3] * 2.0
    v = np.square(y)
    u = np.sin(w) * z if np.sum(z) > -9.0 else z * 0.5 + w
    return 0.4 * np.sum(u), v[0]


def elements_in_a_product(x):
    high, mean = np.max(x, axis=-1), np.mean(x, axis=1)
    y = np.zeros(2)
    y[-1] = mean[-1] * high[-1]
    return 0.2 * np.sum(np.maximum(y, high))


def guarded_by_an_element(x):
    return np.sum(np.sin(x)) if x[0, 0] > -9.0 else np.sum(x)


def one_element(x, w, v):
    """Products and inverses read arrays, also those of one element."""
    y = np.tanh(x)
    return (
        np.sum(y @ w) + np.sum(np.linalg.inv(y * 2.0) * x) + np.linalg.det(np.sin(x))
        + np.tanh(v) @ np.cos(v) + np.sum(np.tanh(v) @ w)
    )  # fmt: skip


def no_elements(x):
    y = np.tanh(x)
    return np.sum(y), y[1:], y[:0], y


def nothing_to_do(x):
    return +x


# -- views that are results, too -------------------------------------------------------------------


def returned_views(x):
    y = np.tanh(x)
    results = y.T, y, y[0], y[:, 1], y[0, 0], y.reshape(-1), x.T, x, y
    return np.sum(y * y), *results


def reversed_result(x):
    y = x.copy()
    y *= 2.0
    z = np.zeros(6)
    z[1:] = np.tanh(y)[:-1]
    v = y[::-1]
    w = v * z + v
    return np.sum(np.where(w == w, w, v)), y[::-1]


def reversed_beside_in_place(x):
    y = np.maximum(x, x)
    z = np.arctan2(np.var(np.arctan2(y, x + 0.3), axis=1), y + 0.3)
    return np.sum(z), y[::-1]


def viewed_in_a_loop(x):
    total = np.sum(x * x, axis=1, keepdims=True)
    y, view = np.zeros((1, 1)), total.T
    for _ in range(12):
        y = np.cos(y) + view
    return np.sum(y), view


def broadcast_gradient(x):
    y = np.sum(x.T, axis=0) * 2.0
    z = np.zeros(3)
    z[1:] = np.tanh(y)[:-1]
    return np.sum(z)


def broadcast_rows(x):
    return np.var(np.sum(np.swapaxes(x, 0, 1), axis=-1, keepdims=True))


def shared_memory(p, a, b):
    """The elements of a view that NumPy makes are read while those that it views are replaced."""
    y = np.logaddexp(a, b)
    z = y + y.reshape(16)[::-1].reshape(4, 4)
    return np.sum(np.logaddexp(z, b)) * p


def shifted_in_place(x):
    """An array is not moved within its own memory."""
    y = np.cumsum(x)
    z = y + np.concatenate([y[1:], np.full(1, 0.5)])
    return np.sum(np.logaddexp(z, 0.0) ** 2)


# -- places in arrays ------------------------------------------------------------------------------


def shifted(x):
    y = np.tanh(x)
    z = np.zeros(6)
    z[1:4] = y[0:3]
    w = np.zeros(6)
    w[2:] = z[:-2]
    return np.sum(w * x + z * z)


def shifted_sums(x):
    y = x * 1.0
    for k in range(1, 4):
        y[k:] += y[:-k] * 0.5
    return np.sum(y * y), y


def joined(x):
    deviations = np.std(x**2, axis=1)
    return np.sum(np.stack([deviations, np.tanh(deviations)]) ** 2)


def strides(a, b):
    y = a * b
    return np.sum(y * np.sum(y, axis=0)), y


# -- loops -----------------------------------------------------------------------------------------


def fortran_carried(p, x, w):
    h = np.logaddexp(x, 0.0)
    for _ in range(12):
        h = np.tanh(h * w)
    return np.sum(h * x[0]) * p


def fortran_through_numpy(p, x, w):
    h = x
    for _ in range(12):
        h = np.logaddexp(np.tanh(h * w), w)
    return np.sum(h * x[0]) * p, h


def transposed_carried(x, w):
    h = x.T
    for _ in range(12):
        h = np.tanh(h.T * w).T
    return np.sum(h.T * x[0]), h


def exchanged(a, b):
    for _ in range(13):
        a, b = b * 1.1, np.sin(a)
    return np.sum(a * b), a, b


def history(x):
    h = [x]
    for _ in range(12):
        h.append(np.tanh(h[-1] * 1.2))
    return np.sum(np.stack(h) * x), h[3], h[12], h[-2]


def kept_and_collected(p):
    y, z = p[0].copy(), p[0] * 0.3
    for _ in range(12):
        y, z = z * 0.5, np.sin(y + p[1])
    return np.sum(np.tanh(y + z))


def read_backwards_in_a_loop(x):
    """NumPy adds into memory of the loop that a kernel has written to."""
    total = 0.0
    for _ in range(12):
        x = np.tanh(0.3 * x[:, ::-1].T * x + 0.1 * x)
        total = total + np.sum(x * x)
    return total


def rows_replaced_in_a_loop(x, places):
    """NumPy writes to memory of the loop between two kernels that compute into it."""
    for _ in range(12):
        y = x * 0.9
        y[places] = y[places] * 0.5
        x = y @ y * 0.2 + x * 0.3
    return np.sum(x)


def numbers_carried(x):
    total, h = 0.0, x
    for i in range(12):
        h = np.sin(h + i * total * 0.1)
        total = total + np.sum(h * h) * 0.1
    return total, h


def total_in_a_loop(x):
    total, y, z = np.sum(x), x * 0.3, x.copy()
    for _ in range(12):
        y = y * 0.9 + z
        z = np.tanh(y * total)
    return np.sum(z), z.T


def array_in_a_loop(x):
    y = np.tanh(x @ x)
    h = x * 0.5
    for _ in range(12):
        h = np.tanh(y.T @ h)
    return np.sum(h), y


def filtered(a, p):
    total = 0.0
    for _ in range(12):
        p = a @ p @ a.T + np.eye(2)
        s = p + np.eye(2)
        p = p - p @ np.linalg.inv(s) @ p
        total = total + np.log(np.linalg.det(s))
    return total, p


# -- names -----------------------------------------------------------------------------------------


def named_like_parts(far, work, FAR):
    total = far * work
    plus = np.sin(total) + FAR
    exp_f8 = np.exp(plus)
    inf = exp_f8 * 2.0
    i = inf + 1.0
    return np.sum(i)


def inv(work):
    far = work @ work
    inv = np.linalg.inv(far + 4.0 * np.eye(2))
    det = np.linalg.det(inv)
    LinAlgError = np.sin(inv * det)
    sin_f8 = np.cos(LinAlgError)
    return np.sum(sin_f8) * det


def plus(plus):
    return np.sum(plus * plus)


# -- values ----------------------------------------------------------------------------------------


def compared_again(a, b, c):
    """A maximum is compared with values that are computed twice: both must round alike."""
    t = a * b
    return np.sum(np.max(t - c * c, axis=1, keepdims=True) * t) + np.max(t + c)


def far_arguments(x):
    y = np.array([1.0, 3e9, -2e8, 5.0, 1e300, 0.0])
    return np.sum(np.sin(x) * np.cos(x * y)), np.sin(y * x)


def ties(x):
    y = np.round(x)
    return (
        np.sum(np.maximum(y, 0.0) * np.minimum(y, 1.0)) + np.max(y * x) + np.sum(np.max(y, axis=0))
        + np.sum(np.abs(y) * x)
    )  # fmt: skip


def mixed(x, s, n, mask, k):
    """float32, a number, integers, bools and float64."""
    y = x * s + n
    z = np.where(mask, y, x * 0.5) * (n == 1)
    return np.sum(z) * s + np.sum(mask * y) + np.sum(x + 1) * 0.5, z, y * k, x * 2.0 + s


def recursion(p, y):
    """The adjoint of what is stacked is an array without axes."""
    v = [np.exp(p[0])]
    for t in range(1, 20):
        v.append(p[1] ** 2 * y[t - 1] + 0.3 * v[-1])
    return np.sum(np.stack(v) ** 2)


def scalar_equations(rates, start, seen):
    """A loop of numbers alone."""
    x, y = start
    total = 0.0
    for t in range(30):
        dx, dy = rates[0] * x - x * y, x * y - rates[1] * y
        x, y = x + 0.01 * dx, y + 0.01 * dy
        total = total + (x - seen[t]) ** 2
    return total


# -- products with kernels of their own ------------------------------------------------------------


def rotated(spin, points, axis):
    """Cross products of one vector with many, with a constant, and of a vector with itself."""
    total = np.sum(np.cross(points, points) * spin)
    for _ in range(12):
        points = points + 0.1 * np.cross(spin, points)
        spin = spin + 0.05 * np.cross(np.array([0.0, 0.6, 0.8]), spin)
    return total + np.sum(np.cross(points.T, axis, axisa=0) ** 2)


def stacks_of_products(a, b):
    """Products of stacks of small matrices: of equal stacks, broadcast, turned, with columns."""
    first = np.tanh(a @ b) + np.swapaxes(a, 1, 2) @ b[0]
    second = np.einsum("bij,bj->bi", first, b[:, :, 0])
    return np.sum(second * np.tanh(second)) + np.sum((a[:, None] @ b[None, :, :, 1:]) ** 2)


def rows_by_rows(x, y):
    """Contractions of axes that both operands have, over the last, the first and two axes."""
    rows = np.einsum("ij,ij->i", np.tanh(x), y)
    columns = np.einsum("ij,ij->j", x, y)
    turned = np.einsum("ij,ij->ji", x, y)
    return np.sum(rows * np.einsum("ij,ji->i", x, turned)) + np.vecdot(columns, columns)


FORTRAN = [np.asfortranarray(numbers(3, 4, scale=scale)) for scale in (1.0, 0.3)]
SINGLE = numbers(2, 3).astype("f4")
PROGRAMS = {
    "elements of results": (elements_of_results, ((0.3, 1.4), np.array([0.9, 1.4])), (2.3, 1.1)),
    "element before overwriting": (element_before_overwriting, numbers(3), np.array([[0.3]])),
    "element behind a guard": (element_behind_a_guard, numbers(4, 4), np.array(0.6)),
    "elements in a product": (elements_in_a_product, numbers(2, 3)),
    "guarded by an element": (guarded_by_an_element, numbers(3, 4)),
    "one element": (one_element, np.array([[0.3]]), numbers(1, 3), np.array([0.4])),
    "no elements": (no_elements, np.array([0.3])),
    "nothing to do": (nothing_to_do, 0.5),
    "returned views": (returned_views, numbers(3, 4)),
    "returned views, Fortran": (returned_views, np.asfortranarray(numbers(3, 4))),
    "reversed result": (reversed_result, np.broadcast_to(0.4, (6,))),
    "reversed beside in place": (reversed_beside_in_place, numbers(4, 4)),
    "viewed in a loop": (viewed_in_a_loop, numbers(1, 2)),
    "broadcast gradient": (broadcast_gradient, numbers(3, 4)),
    "broadcast rows": (broadcast_rows, numbers(3, 4)),
    "shared memory": (shared_memory, 0.5, numbers(4, 4), numbers(4, 4, seed=1)),
    "shifted in place": (shifted_in_place, numbers(6)),
    "shifted": (shifted, numbers(6)),
    "shifted sums": (shifted_sums, numbers(6)),
    "joined": (joined, numbers(3, 4)),
    "strides": (strides, numbers(6, 8)[::-2, ::-2], np.broadcast_to(numbers(4), (3, 4))),
    "Fortran carried": (fortran_carried, 0.5, *FORTRAN),
    "Fortran through NumPy": (fortran_through_numpy, 0.5, *FORTRAN),
    "transposed carried": (transposed_carried, numbers(3, 8)[:, ::2], numbers(3, 4, scale=0.3)),
    "exchanged": (exchanged, numbers(3), numbers(3, seed=1)),
    "history": (history, numbers(3)),
    "kept and collected": (kept_and_collected, (numbers(3, 4), numbers(4))),
    "read backwards in a loop": (read_backwards_in_a_loop, numbers(4, 4)),
    "rows replaced in a loop": (rows_replaced_in_a_loop, numbers(3, 3), np.array([0, 2])),
    "numbers carried": (numbers_carried, numbers(3)),
    "total in a loop": (total_in_a_loop, numbers(2, 3)),
    "array in a loop": (array_in_a_loop, numbers(3, 3)),
    "filtered": (filtered, numbers(2, 2, scale=0.3), np.eye(2)),
    "named like parts": (named_like_parts, numbers(3), numbers(3, seed=1), numbers(3, seed=2)),
    "recursion": (recursion, numbers(3), numbers(30)),
    "scalar equations": (scalar_equations, numbers(2), np.array([1.0, 0.5]), numbers(30)),
    "rotated": (rotated, numbers(3), numbers(4, 3), numbers(3, seed=1)),
    "stacks of products": (stacks_of_products, numbers(4, 3, 3), numbers(4, 3, 3, seed=1)),
    "rows by rows": (rows_by_rows, numbers(4, 3), numbers(4, 3, seed=1)),
    "rows by rows, single": (rows_by_rows, SINGLE, numbers(2, 3, seed=1)),
    "inv": (inv, numbers(2, 2)),
    "plus": (plus, numbers(3)),
    "compared again": (compared_again, *(numbers(8, 33, seed=k) for k in range(3))),
    "far arguments": (far_arguments, numbers(6)),
    "ties": (ties, np.array([[1.2, -0.4, 0.7], [0.9, 1.6, 2.2]])),
    "mixed": (mixed, SINGLE, 0.7, np.array([1, 2, 1]), SINGLE > 0.0, numbers(3)),
    "mixed with a f4": (mixed, SINGLE, np.float32(0.7), np.array([1, 2, 1]), SINGLE > 0, SINGLE),
}  # fmt: skip
