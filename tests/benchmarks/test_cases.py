"""Every case's gradients agree: tracejit's, direct mode's, by hand, and finite differences."""

import numpy as np
import pytest

import tracejit
from benchmarks import case as cases
from benchmarks.check import (
    as_float64,
    check,
    check_driven,
    compare,
    compare_derivative_with_differences,
    compare_with_differences,
)
from benchmarks.contenders import CONTENDERS, driven
from benchmarks.tree import leaves, with_leaves

OURS = ("tracejit", "tracejit-direct", "numpy")
STEP = 1e-5


GRADIENTS = [name for name in cases.names() if cases.load(name).is_gradient]
OTHERS = [name for name in cases.names() if name not in GRADIENTS]


def step_of(contender, case):
    return CONTENDERS[contender].prepare(case, case.data())


@pytest.fixture(params=cases.names())
def case(request):
    return cases.load(request.param)


def test_ours_and_by_hand_agree(case):
    for name in OURS:
        if lacking := CONTENDERS[name].lacks(case):
            assert case.name == "sparse_hessian", lacking
            continue
        step = step_of(name, case)
        step.call(*step.args)  # the second call is the compiled one
        assert check(case, step) == []


@pytest.mark.parametrize("name", [n for n in cases.names() if cases.load(n).tuned])
def test_tuned_and_by_hand_agree(name):
    case = cases.load(name)
    assert check(case, step_of("numpy-tuned", case)) == []


@pytest.mark.parametrize("name", GRADIENTS)
def test_by_hand_agrees_with_differences_in_a_coordinate_of_each_array(name):
    case = cases.load(name)
    args = case.data()
    grads, _ = case.by_hand(*args)(*args)
    params, *rest = (with_leaves(tree, lambda leaf: np.array(as_float64(leaf))) for tree in args)
    rng = np.random.default_rng(2)
    for leaf, grad in zip(leaves(params), leaves(grads), strict=True):
        at = np.unravel_index(rng.integers(leaf.size), leaf.shape)
        before = leaf[at]
        losses = []
        for value in (before + STEP, before - STEP):
            leaf[at] = value
            losses.append(case.loss(params, *rest))
        leaf[at] = before
        slope = (losses[0] - losses[1]) / (2 * STEP)
        assert abs(slope - np.asarray(grad)[at]) <= 1e-4 * np.max(np.abs(grad)) + 1e-9


@pytest.mark.parametrize("name", [n for n in cases.names() if cases.load(n).drive])
def test_programs_around_a_gradient_end_where_they_should(name):
    case = cases.load(name)
    check_driven(case, driven(case.drive, step_of("tracejit", case)))


@pytest.mark.parametrize("name", [n for n in cases.names() if cases.load(n).floor])
def test_floors_do_something(name):
    cases.load(name).floor.prepare()()


@pytest.mark.parametrize("peer", ["autograd", "jax", "jax-device", "torch"])
@pytest.mark.parametrize("name", ["readme_network", "gmm", "softmax", "scalar", "kalman", *OTHERS])
def test_peers_agree(peer, name):
    pytest.importorskip(CONTENDERS[peer].package)
    case = cases.load(name)
    if lacking := CONTENDERS[peer].lacks(case):
        assert name == "sparse_hessian", lacking
        return
    check(case, step_of(peer, case))


def test_a_wrong_gradient_is_found():
    case = cases.load("rosenbrock")
    args = case.data()
    grads, loss = case.by_hand(*args)(*args)
    compare_with_differences(case, args, grads)
    wrong = grads.copy()
    wrong[7] += 1e-3 * np.max(np.abs(grads))
    with pytest.raises(AssertionError, match="off by"):
        compare(wrong, grads, "gradient")
    with pytest.raises(AssertionError, match="slope"):
        compare_with_differences(case, args, 1.01 * grads)
    with pytest.raises(AssertionError, match="instead of"):
        compare(grads[:-1], grads, "gradient")


@pytest.mark.parametrize("name", OTHERS)
def test_a_wrong_derivative_is_found(name):
    case = cases.load(name)
    args = case.data()
    derivative = case.by_hand(*args)(*args)
    compare_derivative_with_differences(case, args, derivative)
    if case.operator == "hvp":
        wrong = with_leaves(derivative, lambda leaf: 1.01 * leaf)
    else:
        wrong = 1.01 * derivative
    with pytest.raises(AssertionError, match="by hand"):
        compare_derivative_with_differences(case, args, wrong)


def test_a_checkpoint_is_that_of_the_contender():
    case = cases.load("chain_in_blocks")
    step = step_of("tracejit-direct", case)
    assert step.call.__wrapped__.__globals__["checkpoint"] is tracejit.checkpoint
    assert case.loss.__globals__["checkpoint"] is not tracejit.checkpoint


def test_the_gradient_beside_a_product_with_the_hessian_is_that_of_its_loss():
    case = cases.load("readme_hvp")
    assert CONTENDERS["tracejit-gradient"].lacks(cases.load("readme_network"))
    step = step_of("tracejit-gradient", case)
    gradient = cases.load("readme_network")
    expected, _ = gradient.by_hand(*case.data()[:-1])(*case.data()[:-1])
    for one, other in zip(leaves(step.call(*step.args)), leaves(expected), strict=True):
        compare(one, other, "gradient")
