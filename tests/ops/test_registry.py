"""The registry as a whole: every NumPy function and every op in it has a case."""

import importlib
import pkgutil

import numpy as np
import pytest

import tests.ops
from tests.support import CALLS, MODES, cotangent, on_tuple
from tests.trees import record_forward
from tracejit import jit_grad
from tracejit.dag.op import BY_FUNCTION, BY_NAME, COMPOSITES, MISSING, SCIPY, numpy_path
from tracejit.ops.scipy import load
from tracejit.trace import Recorder

# These work on the cases of all the others.
OTHERS = {__name__, "tests.ops.test_kernels", "tests.ops.test_orders"}
NAMES = (m.name for m in pkgutil.walk_packages(tests.ops.__path__, "tests.ops."))
FAMILIES = [importlib.import_module(n) for n in NAMES if ".test_" in n and n not in OTHERS]
for package in SCIPY:
    load(package)
CASES = [case for family in FAMILIES for case in getattr(family, "CASES", ())]
NOT_RECORDED = {  # arguments of calls; writes to arguments; what passes make
    "guard", "input", "commit", "loop", "part", "pick", "checkpoint", "recomputed", "applied",
}  # fmt: skip


def test_every_numpy_function_has_a_case():
    supported = {numpy_path(f) for f in (*BY_FUNCTION, *COMPOSITES)}
    assert supported == {numpy_path(case.covers) for case in CASES if case.covers}


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore:.*direct mode")
def test_every_op_is_recorded_by_a_case(monkeypatch):
    seen = set()
    record = Recorder.record

    def spy(self, op, *args):
        seen.add(op.name)
        return record(self, op, *args)

    monkeypatch.setattr(Recorder, "record", spy)
    for case in CASES:
        upstream = cotangent(case.f(*case.params, *case.rest))
        jit_grad(on_tuple(case.f), partialGrad=True)(case.params, *case.rest, upstream)
    # Code of libraries and gradient rules call these on traced values; for users they have twins.
    record_forward(lambda x: (np.zeros_like(x), np.ones_like(x)), np.ones(3))
    jit_grad(lambda x: np.sum(STD(x)))(np.ones(3))  # parameters of a df inside get fresh names
    assert set(BY_NAME) - seen == NOT_RECORDED


@pytest.mark.parametrize("op", [pytest.param(op, id=name) for name, op in BY_NAME.items()])
def test_every_op_has_rules_for_its_inputs(op):
    """None says on purpose that the gradient is zero; MISSING for one of several that none is."""
    assert op.vjp is not MISSING
    if isinstance(op.fn, np.ufunc) and op.vjp is not None and not op.variadic:
        assert len(op.vjp) == op.fn.nin
    known = (None, MISSING)
    assert op.vjp is None or callable(op.vjp) or all(r in known or callable(r) for r in op.vjp)


STD, NORM, NORM_3, PROD = (
    jit_grad(lambda x: np.std(x), withForward=False),
    jit_grad(lambda x: np.linalg.norm(x), withForward=False),
    jit_grad(lambda x: np.linalg.norm(x, 3), withForward=False),
    jit_grad(lambda x: np.prod(x), withForward=False),
)
SECOND_AT_KINKS = {
    "std of a constant": (lambda x: np.sum(STD(x) * x), np.full(3, 1.5)),
    "norm at 0": (lambda x: np.sum(NORM(x) * (x + 1.0)), np.zeros(3)),
    "norm of order 3 at 0": (lambda x: np.sum(NORM_3(x) * (x + 1.0)), np.zeros(3)),
    "prod of zeros": (lambda x: np.sum(PROD(x) * (x + 1.0)), np.zeros(3)),
}


@MODES
@pytest.mark.parametrize(("f", "x"), SECOND_AT_KINKS.values(), ids=SECOND_AT_KINKS)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_second_derivatives_at_kinks_are_zero(f, x, optimize):
    df = jit_grad(f, optimize=optimize)
    for _ in range(CALLS):
        grad, value = df(x)
        assert value == 0.0 and grad.tolist() == [0.0, 0.0, 0.0]
    assert not optimize or df.cache_info().direct == 0
