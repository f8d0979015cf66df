"""A polynomial of a number: next to no work, so the time is that of calling at all."""

from benchmarks.case import Case, Function


def loss(x: float) -> float:
    return x**2 + x


def by_hand(x: float) -> Function:
    """Write the gradient as plain arithmetic."""
    return lambda x: (2.0 * x + 1.0, x * x + x)


CASES = (Case("scalar", "x**2 + x on a number", loss, lambda: (1.5,), by_hand),)
