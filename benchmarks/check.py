"""Check that a contender is right before it is timed.

The reference is the gradient written by hand. It is itself compared with central differences of
the loss, so that no contender vouches for itself.
"""

from typing import Any

import numpy as np

from benchmarks.case import Case
from benchmarks.contenders import Step
from benchmarks.tree import leaves, ordered_as, with_leaves

DIFFERENCE = 1e-6  # the step of the central differences
SECOND_DIFFERENCE = 1e-4  # of second differences
DIFFERENCE_TOLERANCE = 1e-3  # finds a wrong formula, forgives float32
DRIVEN_TOLERANCE = 1e-3  # where a minimisation stops depends on the rounding on its way


def check(case: Case, step: Step) -> list[str]:
    """Raise AssertionError if a contender's results are not those of the case.

    Return remarks on those that have another dtype.
    """
    if not case.is_gradient:
        return check_derivative(case, step)
    args = case.data()
    grads, loss = case.by_hand(*args)(*args)
    compare_with_differences(case, args, grads)
    compare(loss, case.loss(*args), "loss by hand")
    found_loss, found_grads = step.read(step.call(*step.args))
    found = leaves(ordered_as(grads, found_grads))
    compare(found_loss, loss, "loss")
    remarks = [other_dtype(found_loss, loss, "loss")]
    for i, (one, other) in enumerate(zip(found, leaves(grads), strict=True)):
        compare(one, other, f"gradient {i}")
        remarks.append(other_dtype(one, other, f"gradient {i}"))
    return [remark for remark in remarks if remark]


def check_derivative(case: Case, step: Step) -> list[str]:
    """Check a contender's derivative that is no gradient, as `check` does."""
    args = case.data()
    by_hand = case.by_hand(*args)(*args)
    compare_derivative_with_differences(case, args, by_hand)
    expected = case.arrays(by_hand)
    found = ordered_as(expected, step.read(step.call(*step.args))[1])
    remarks = []
    for i, (one, other) in enumerate(zip(leaves(found), leaves(expected), strict=True)):
        compare(one, other, f"{case.operator} {i}")
        remarks.append(other_dtype(one, other, f"{case.operator} {i}"))
    return [remark for remark in remarks if remark]


def check_driven(case: Case, step: Step) -> None:
    """Raise AssertionError if the program around the gradient ends elsewhere than by hand."""
    assert case.drive is not None
    params, *rest = case.data()
    by_hand = case.by_hand(params, *rest)
    end = case.drive(lambda at: by_hand(at, *rest)[::-1], params)
    error = np.max(np.abs(step.call(*step.args) - end))
    assert error <= DRIVEN_TOLERANCE, f"ends {error:.3g} away from where it ends by hand"


def other_dtype(found: Any, expected: Any, what: str) -> str:
    """Say so if a result has not the dtype that NumPy gives it."""
    found, expected = np.asarray(found), np.asarray(expected)
    same = found.dtype == expected.dtype
    return "" if same else f"{what} is {found.dtype.name} instead of {expected.dtype.name}"


def compare(found: Any, expected: Any, what: str) -> None:
    """Compare shape and values; the tolerance is half of the digits of the dtype."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, f"{what}: {found.shape} instead of {expected.shape}"
    error = np.max(np.abs(found - expected))
    limit = np.sqrt(np.finfo(expected.dtype).eps) * np.max(np.abs(expected))
    assert error <= limit, f"{what}: off by {error:.3g}, {limit:.3g} is allowed"


def compare_with_differences(case: Case, args: tuple[Any, ...], grads: Any) -> None:
    """Compare gradients, along one random direction, with differences of the loss in float64."""
    params, *rest = (with_leaves(tree, as_float64) for tree in args)
    rng = np.random.default_rng(1)
    direction = [rng.standard_normal(np.shape(leaf)) for leaf in leaves(params)]

    def loss_at(distance: float) -> Any:
        steps = iter(direction)
        return case.loss(with_leaves(params, lambda p: p + distance * next(steps)), *rest)

    slope = (loss_at(DIFFERENCE) - loss_at(-DIFFERENCE)) / (2 * DIFFERENCE)
    pairs = list(zip(leaves(grads), direction, strict=True))
    found = sum(np.sum(g * d) for g, d in pairs)
    scale = np.sqrt(sum(np.sum(np.square(g)) for g, _ in pairs))
    error = abs(found - slope)
    assert error <= DIFFERENCE_TOLERANCE * scale, f"by hand: slope {found}, differences {slope}"


def compare_derivative_with_differences(case: Case, args: tuple[Any, ...], found: Any) -> None:
    """Compare a derivative, along one direction, with first or second differences of the loss."""
    params, *rest = args
    rng = np.random.default_rng(1)
    if case.operator == "hvp":
        *rest, along = rest
    else:
        along = with_leaves(params, lambda leaf: rng.standard_normal(np.shape(leaf)))

    def loss_at(distance: float) -> Any:
        steps = iter(leaves(along))
        return case.loss(with_leaves(params, lambda p: p + distance * next(steps)), *rest)

    if case.operator == "jacobian":
        slope = (loss_at(DIFFERENCE) - loss_at(-DIFFERENCE)) / (2 * DIFFERENCE)
        value = found @ along
    else:
        step = SECOND_DIFFERENCE
        slope = (loss_at(step) - 2 * loss_at(0.0) + loss_at(-step)) / step**2
        product = found if case.operator == "hvp" else found @ along
        value = sum(np.sum(g * d) for g, d in zip(leaves(product), leaves(along), strict=True))
    error, scale = np.max(np.abs(value - slope)), np.max(np.abs(slope))
    assert error <= DIFFERENCE_TOLERANCE * scale, f"by hand: {value}, differences {slope}"


def as_float64(leaf: Any) -> Any:
    """Convert a number or an array to float64."""
    return np.asarray(leaf, dtype=np.float64)[()]
