"""Products, inverses and factorisations of small matrices, to be called from compiled loops.

Arrays of one dtype, float32 or float64, go in, in any memory layout; all but `det` write to `out`,
which shares no memory with the rest. They compute in that dtype. Rows that are contiguous are read
fastest. `solve`, `inv` and `cholesky` return whether they succeeded: where not, NumPy raises
LinAlgError. NaN is never a reason to fail. Elimination pivots as LAPACK does (Golub and Van Loan,
Matrix Computations, 3.4).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


def plus(total: Any, term: Any) -> Any:
    """Add to a sum whose terms may be added in any order, so that its loop can be vectorised."""
    return total + term


def vecmat(x: Array, b: Array, out: Array) -> None:
    """Compute out = x @ b for a vector x and a matrix b."""
    inner, columns = b.shape
    first = inner % 4
    for j in range(columns):
        out[j] = 0.0
    for k in range(first):
        x0 = x[k]
        for j in range(columns):
            out[j] += x0 * b[k, j]
    # Four rows at a time: `out` is read and written a quarter as often.
    for k in range(first, inner, 4):
        x0 = x[k]
        x1 = x[k + 1]
        x2 = x[k + 2]
        x3 = x[k + 3]
        for j in range(columns):
            low = x0 * b[k, j] + x1 * b[k + 1, j]
            out[j] += low + (x2 * b[k + 2, j] + x3 * b[k + 3, j])


def matvec(a: Array, x: Array, out: Array) -> None:
    """Compute out = a @ x for a matrix a and a vector x."""
    rows, inner = a.shape
    first = rows % 4
    zero = a.dtype.type(0)
    for i in range(first):
        s0 = zero
        for k in range(inner):
            s0 = plus(s0, a[i, k] * x[k])
        out[i] = s0
    # Four sums at a time: x is read a quarter as often.
    for i in range(first, rows, 4):
        s0 = s1 = s2 = s3 = zero
        for k in range(inner):
            y = x[k]
            s0 = plus(s0, a[i, k] * y)
            s1 = plus(s1, a[i + 1, k] * y)
            s2 = plus(s2, a[i + 2, k] * y)
            s3 = plus(s3, a[i + 3, k] * y)
        out[i] = s0
        out[i + 1] = s1
        out[i + 2] = s2
        out[i + 3] = s3


def outer(x: Array, y: Array, out: Array) -> None:
    """Compute out[i, j] = x[i] * y[j]."""
    for i in range(x.shape[0]):
        s = x[i]
        for j in range(y.shape[0]):
            out[i, j] = s * y[j]


def matmul(a: Array, b: Array, out: Array) -> None:
    """Compute out = a @ b; rows of `a` need not be contiguous."""
    for i in range(a.shape[0]):
        vecmat(a[i], b, out[i])


def matmul_nt(a: Array, b: Array, out: Array) -> None:
    """Compute out = a @ b.T, from the rows of both."""
    for i in range(a.shape[0]):
        matvec(b, a[i], out[i])


def eliminate(lu: Array, out: Array) -> int:
    """Take `lu` to its upper factor and `out` along; return the sign of the permutation, or 0.

    Pivots are the largest by magnitude, NaN before all; 0 says that one was zero.
    """
    n, columns = out.shape
    sign = 1
    for k in range(n):
        p = k
        for i in range(k + 1, n):
            if abs(lu[i, k]) > abs(lu[p, k]) or lu[i, k] != lu[i, k]:
                p = i
        if lu[p, k] == 0.0:
            return 0
        if p != k:
            sign = -sign
            for j in range(k, n):
                lu[k, j], lu[p, j] = lu[p, j], lu[k, j]
            for j in range(columns):
                out[k, j], out[p, j] = out[p, j], out[k, j]
        for i in range(k + 1, n):
            factor = lu[i, k] / lu[k, k]
            for j in range(k + 1, n):
                lu[i, j] -= factor * lu[k, j]
            for j in range(columns):
                out[i, j] -= factor * out[k, j]
    return sign


def substitute(lu: Array, out: Array) -> None:
    """Solve the upper triangular system that `eliminate` left."""
    n, columns = out.shape
    for i in range(n - 1, -1, -1):
        for k in range(i + 1, n):
            factor = lu[i, k]
            for j in range(columns):
                out[i, j] -= factor * out[k, j]
        pivot = lu[i, i]
        for j in range(columns):
            out[i, j] /= pivot


def solve(a: Array, b: Array, out: Array) -> bool:
    """Solve a @ out = b for a square matrix a and a matrix b."""
    rows, columns = b.shape
    for i in range(rows):
        for j in range(columns):
            out[i, j] = b[i, j]
    lu = a.copy()
    if eliminate(lu, out) == 0:
        return False
    substitute(lu, out)
    return True


def inv(a: Array, out: Array) -> bool:
    """Compute the inverse of a square matrix."""
    n = a.shape[0]
    for i in range(n):
        for j in range(n):
            out[i, j] = 1.0 if i == j else 0.0
    lu = a.copy()
    if eliminate(lu, out) == 0:
        return False
    substitute(lu, out)
    return True


def det(a: Array) -> Any:
    """Compute the determinant of a square matrix; a singular one has 0."""
    lu = a.copy()
    sign = eliminate(lu, lu[:, :0])
    if sign == 0:
        return a.dtype.type(0)
    product = float(sign)
    in_range = True
    logarithms = 0.0
    for k in range(a.shape[0]):
        pivot = float(lu[k, k])
        product *= pivot
        in_range = in_range and 1e-280 < abs(product) < 1e280
        logarithms += np.log(abs(pivot))
        if pivot < 0.0:
            sign = -sign
    # A product that left the range on its way is told by the logarithms, as NumPy does always.
    return a.dtype.type(product if in_range else sign * np.exp(logarithms))


def cholesky(a: Array, out: Array) -> bool:
    """Compute the lower factor of a symmetric matrix, of which the lower half is read."""
    n = a.shape[0]
    for i in range(n):
        for j in range(i + 1, n):
            out[i, j] = 0.0
        for j in range(i + 1):
            s = a[i, j]
            for k in range(j):
                s -= out[i, k] * out[j, k]
            if i > j:
                out[i, j] = s / out[j, j]
            elif s <= 0.0:
                return False
            else:
                out[i, i] = np.sqrt(s)
    return True
