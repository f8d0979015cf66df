"""Products, inverses and factorisations of small matrices, to be called from compiled loops.

Arrays of one dtype, float32 or float64, go in, in any memory layout; all but `det` write to `out`,
which shares no memory with the rest. They compute in that dtype. Rows that are contiguous are read
fastest. `solve`, `inv` and `cholesky` return whether they succeeded: where not, NumPy raises
LinAlgError. NaN is never a reason to fail. Elimination pivots as LAPACK does (Golub and Van Loan,
Matrix Computations, 3.4). Vectors are matrices of one row: x @ b is `matmul`, b @ x `matmul_nt`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


def plus(total: Any, term: Any) -> Any:
    """Add to a sum whose terms may be added in any order, so that its loop can be vectorised."""
    return total + term


def minor(a: Any, b: Any, c: Any, d: Any) -> Any:
    """Compute a * b - c * d, which is 0 where the products are equal."""
    return a * b - c * d


def matmul(a: Array, b: Array, out: Array) -> None:
    """Compute out = a @ b; rows of `a` need not be contiguous."""
    inner, columns = b.shape
    first = inner % 4
    for i in range(a.shape[0]):
        for j in range(columns):
            out[i, j] = 0.0
        for k in range(first):
            x0 = a[i, k]
            for j in range(columns):
                out[i, j] += x0 * b[k, j]
        # Four rows of `b` at a time: `out` is read and written a quarter as often.
        for k in range(first, inner, 4):
            x0 = a[i, k]
            x1 = a[i, k + 1]
            x2 = a[i, k + 2]
            x3 = a[i, k + 3]
            for j in range(columns):
                low = x0 * b[k, j] + x1 * b[k + 1, j]
                out[i, j] += low + (x2 * b[k + 2, j] + x3 * b[k + 3, j])


def fixed_matmul(a: Array, b: Array, out: Array, rows: int, inner: int, columns: int) -> None:
    """Compute out = a @ b where it is called, with sizes that the caller has as literals."""
    for i in range(rows):
        for j in range(columns):
            total = a[i, 0] * b[0, j]
            for k in range(1, inner):
                total += a[i, k] * b[k, j]
            out[i, j] = total


def matmul_nt(a: Array, b: Array, out: Array) -> None:
    """Compute out = a @ b.T, from the rows of both."""
    rows, inner = b.shape
    first = rows % 4
    zero = a.dtype.type(0)
    for i in range(a.shape[0]):
        for j in range(first):
            s0 = zero
            for k in range(inner):
                s0 = plus(s0, a[i, k] * b[j, k])
            out[i, j] = s0
        # Four rows of `b` at a time: `a` is read a quarter as often.
        for j in range(first, rows, 4):
            s0 = s1 = s2 = s3 = zero
            for k in range(inner):
                x = a[i, k]
                s0 = plus(s0, x * b[j, k])
                s1 = plus(s1, x * b[j + 1, k])
                s2 = plus(s2, x * b[j + 2, k])
                s3 = plus(s3, x * b[j + 3, k])
            out[i, j] = s0
            out[i, j + 1] = s1
            out[i, j + 2] = s2
            out[i, j + 3] = s3


def outer(x: Array, y: Array, out: Array) -> None:
    """Compute out = x @ y for one column x and one row y."""
    for i in range(x.shape[0]):
        factor = x[i, 0]
        for j in range(y.shape[1]):
            out[i, j] = factor * y[0, j]


def eliminate(lu: Array, out: Array) -> int:
    """Solve lu @ x = out in place; return the sign of the permutation of rows, or 0 if singular.

    `lu` becomes its upper triangular factor, `out` the solution. Pivots are the largest by
    magnitude, NaN before all.
    """
    n, columns = out.shape
    sign = 1
    for k in range(n):
        p = k
        for i in range(k + 1, n):
            if abs(lu[i, k]) > abs(lu[p, k]) or lu[i, k] != lu[i, k]:
                p = i
        pivot = lu[p, k]
        if pivot == 0.0:
            return 0
        if p != k:
            sign = -sign
            for j in range(k, n):
                kept = lu[k, j]
                lu[k, j] = lu[p, j]
                lu[p, j] = kept
            for j in range(columns):
                kept = out[k, j]
                out[k, j] = out[p, j]
                out[p, j] = kept
        for i in range(k + 1, n):
            factor = lu[i, k] / pivot
            for j in range(k + 1, n):
                lu[i, j] -= factor * lu[k, j]
            for j in range(columns):
                out[i, j] -= factor * out[k, j]
    for k in range(n - 1, -1, -1):
        pivot = lu[k, k]
        for j in range(columns):
            out[k, j] /= pivot
        for i in range(k):
            factor = lu[i, k]
            for j in range(columns):
                out[i, j] -= factor * out[k, j]
    return sign


def solve(a: Array, b: Array, lu: Array, out: Array) -> bool:
    """Solve a @ out = b for a square matrix a and a matrix b; `lu` is of a's shape, for work."""
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            lu[i, j] = a[i, j]
        for j in range(b.shape[1]):
            out[i, j] = b[i, j]
    return eliminate(lu, out) != 0


def inv(a: Array, lu: Array, out: Array) -> bool:
    """Compute the inverse of a square matrix; `lu` is of its shape, for work."""
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            lu[i, j] = a[i, j]
            out[i, j] = 1.0 if i == j else 0.0
    return eliminate(lu, out) != 0


def det(a: Array, lu: Array) -> Any:
    """Compute the determinant of a square matrix; `lu` is of its shape, for work."""
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            lu[i, j] = a[i, j]
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
