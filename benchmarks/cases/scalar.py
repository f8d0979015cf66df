"""The square of a number: next to no work, so the time is that of calling at all."""

from benchmarks.case import Case, Function


def by_hand(x: float) -> Function:
    """Write the gradient as plain arithmetic."""
    return lambda x: (2.0 * x, x * x)


CASE = Case("x * x on a float", lambda x: x * x, lambda: (1.5,), by_hand)
