"""SciPy in traced functions: what records there, through which names, and what is left alone."""

import importlib.util
import pickle
import subprocess
import sys

import numpy as np
import pytest

from tests.support import CALLS, MODES, check, check_direct, check_second
from tracejit import TracejitWarning, defvjp, jit_grad, primitive
from tracejit.errors import UnsupportedError

pytest.importorskip("scipy")

import scipy
import scipy.special
import scipy.stats
from scipy import special
from scipy.special import gammaln, logsumexp
from scipy.stats import norm

import tracejit.scipy
from tracejit.scipy import special as ours
from tracejit.scipy.special import gammaln as our_gammaln
from tracejit.scipy.special import logsumexp as our_logsumexp
from tracejit.scipy.stats import norm as our_norm

X = np.array([0.4, 1.3, 2.2])
logpdf = norm.logpdf
CENTRE = np.array([0.1, 0.4, 0.2])
FROZEN, SHAPED = norm(CENTRE, scale=1.3), scipy.stats.gamma(1.7, scale=0.4)


class Model:
    def __init__(self):
        self.prior = norm

    def loss(self, x):
        return self.prior.logpdf(x, 0.3).sum()


MODEL = Model()
WAYS = {
    "a package": lambda x: scipy.special.logsumexp(scipy.special.gammaln(x)),
    "a module": lambda x: special.logsumexp(special.gammaln(x)),
    "a function": lambda x: logsumexp(gammaln(x)),
    "an import inside": lambda x: imported(x),
    "a distribution": lambda x: np.sum(norm.logpdf(x, scale=1.3)),
    "a distribution of a package": lambda x: np.sum(scipy.stats.norm.logpdf(x, 0.2)),
    "a method": lambda x: np.sum(logpdf(x)),
    "a frozen distribution": lambda x: np.sum(norm(x[0], scale=x[1]).logpdf(x)),
    "a frozen distribution and a keyword": lambda x: np.sum(norm(x[0], x[1]).logpdf(x=x)),
    "a distribution frozen outside": lambda x: np.sum(FROZEN.logpdf(x) + SHAPED.logpdf(x)),
    "an attribute": lambda x: MODEL.loss(x),
    "our package": lambda x: tracejit.scipy.special.logsumexp(tracejit.scipy.special.gammaln(x)),
    "our module": lambda x: ours.logsumexp(ours.gammaln(x)),
    "our function": lambda x: our_logsumexp(our_gammaln(x)),
    "our distribution": lambda x: np.sum(our_norm.logpdf(x, scale=1.3)),
}


def imported(x):
    from scipy.special import logsumexp as found

    return found(x)


@MODES
@pytest.mark.parametrize("f", WAYS.values(), ids=WAYS)
def test_scipy_records_under_any_name(f, optimize):
    check(f, (X,), (), optimize)


@MODES
def test_lists_of_traced_values_become_arrays(optimize):
    def f(x):
        return logsumexp([x[0], x[1] * x[2], 0.5]) + np.sum(our_gammaln([x[0], 2.0]))

    df = jit_grad(f, optimize=optimize)
    for _ in range(CALLS):
        grad, value = df(X)
        np.testing.assert_allclose(value, logsumexp([0.4, 2.86, 0.5]) + gammaln(0.4), rtol=1e-12)
        weights = special.softmax([0.4, 2.86, 0.5])
        expected = [weights[0] + special.psi(0.4), weights[1] * 2.2, weights[1] * 1.3]
        np.testing.assert_allclose(grad, expected, rtol=1e-12)


@MODES
def test_twins_pass_for_what_they_stand_for(optimize):
    def f(x):
        frozen = norm(x[0], scale=1.3)
        count = isinstance(norm, scipy.stats.rv_continuous) + isinstance(norm, type(FROZEN))
        count += isinstance(frozen, type(FROZEN)) + (type(frozen) is type(FROZEN))
        count += isinstance(FROZEN, scipy.stats.distributions.rv_frozen)
        alike = type(scipy.stats.dirichlet(x)) is type(scipy.stats.dirichlet([1.0, 2.0]))
        return count * x[1] + alike * x[2] + frozen.logpdf(0.3)

    check(f, (X,), (), optimize)


@MODES
def test_tuples_of_traced_values_become_arrays(optimize):
    def f(x):
        mean, cov = (x[0], x[1]), ((2.0, 0.0), (0.0, 1.5))
        density = scipy.stats.multivariate_normal.logpdf((0.1, 0.3), mean, cov)
        return density + logsumexp((x[0], x[2])) + np.sum(gammaln((x[1], 2.0)))

    check(f, (X,), (), optimize)


def test_outside_of_a_trace_functions_are_those_of_scipy():
    assert ours.logsumexp(X) == special.logsumexp(X)
    assert ours.airye is special.airye and "logsumexp" in dir(ours)
    assert our_norm.logpdf(0.3, 0.1) == norm.logpdf(0.3, 0.1)
    assert our_norm(0.1).logpdf(0.3) == norm(0.1).logpdf(0.3)
    assert our_norm.mean(0.5) == 0.5 and our_norm.name == "norm"
    assert pickle.loads(pickle.dumps(ours.logsumexp)) is ours.logsumexp
    with pytest.raises(AttributeError, match="nothing"):
        _ = ours.nothing


@primitive
def largest(x):
    return special.logsumexp(x)


defvjp(largest, lambda g, out, x: g * ours.softmax(x))


@MODES
def test_rules_of_the_user_take_the_namespace(optimize):
    check(largest, (X,), (), optimize)
    check_second(largest, (X,), (), optimize)


@MODES
def test_arrays_from_constants_can_be_written_to(optimize):
    def f(x):
        weights = special.softmax([0.0, 1.0, 2.0])
        weights[0] = x[0]
        return np.sum(weights * x)

    check(f, (X,), (), optimize)


@MODES
def test_what_is_not_declared_is_refused_by_name(optimize):
    for f, name in (
        (lambda x: np.sum(special.airye(x)[0]), r"scipy\.special\.airye"),
        (lambda x: norm.expect(loc=x), r"scipy\.stats\.norm\.expect"),
        (lambda x: our_norm.expect(loc=x), r"scipy\.stats\.norm\.expect"),
    ):
        with pytest.raises(UnsupportedError, match=name):
            jit_grad(f, optimize=optimize)(1.0)


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_what_is_not_declared_answers_in_direct_mode_where_no_gradient_is_lost():
    given = np.array([0.2, 0.7, 0.4])
    check_direct(lambda x: np.sum(x * norm.mean(given)), (X,), "mean() of a distribution is called")
    with pytest.warns(TracejitWarning, match="of a distribution is called"):
        first, second = (jit_grad(lambda x: x * norm.rvs())(1.0)[0] for _ in range(2))
    assert first != second  # drawn at each call


@MODES
@pytest.mark.filterwarnings("ignore::tracejit.TracejitWarning")
def test_what_a_frozen_distribution_says_is_what_it_says_outside(optimize):
    stats = scipy.stats
    says = {
        "draws": lambda: norm(1.0, 0.5).rvs(3, 7),
        "draws of several": lambda: stats.multivariate_normal(np.ones(3), 2.0).rvs(2, 5)[0],
        "moments": lambda: np.array(norm(1.0, 0.5).stats("mvs")),
        "an expectation": lambda: norm(1.0, 0.5).expect(lambda u: u * u, 0.0, 2.0),
        "an interval": lambda: np.sum(norm(1.0, 0.5).interval(0.9)),
        "an attribute": lambda: stats.multivariate_normal(np.ones(3), 2.0).mean,
        "an end": lambda: stats.gamma(1.5, 0.5).a,
        "of one outside": lambda: FROZEN.mean(),
    }
    for title, ask in says.items():
        expected = np.sum(ask() + np.zeros(3))
        df = jit_grad(lambda x, ask=ask: np.sum(x * ask()), optimize=optimize)
        for _ in range(CALLS):
            np.testing.assert_allclose(np.sum(df(X)[0]), expected, rtol=1e-12, err_msg=title)
    with pytest.raises(UnsupportedError, match="mean"):
        jit_grad(lambda x: stats.multivariate_normal(x).mean[0], optimize=optimize)(X)
    with pytest.raises(AttributeError, match="nothing"):
        jit_grad(lambda x: x * norm(1.0).nothing, optimize=optimize)(X)


def test_parameters_of_a_frozen_distribution_are_read_at_every_call():
    centre = np.array([0.1, 0.4, 0.2])
    frozen = norm(centre)
    df = jit_grad(lambda x: np.sum(frozen.logpdf(x)))
    for shift in (0.0, 0.0, 0.5, 1.0):
        centre += shift
        np.testing.assert_allclose(df(X)[0], centre - X, rtol=1e-12)
    assert df.cache_info()[:2] == (3, 1)


def test_emitted_code_imports_what_it_calls(tmp_path):
    df = jit_grad(lambda x: np.sum(special.gammaln(x) * special.zeta(3.0, x)))
    expected = df(X)
    path = tmp_path / "emitted.py"
    path.write_text(df.source(X))
    assert "import scipy.special\n" in path.read_text()
    spec = importlib.util.spec_from_file_location("emitted", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = module.function(X, slots=module.allocate())
    np.testing.assert_array_equal(found[0], expected[0])
    assert found[1] == expected[1]


def test_a_name_of_the_user_is_no_package():
    def f(x, scipy):
        return np.sum(special.gammaln(x) * scipy)

    check(f, (X, X), ())


def test_without_scipy_the_namespace_says_what_to_install():
    code = (
        "import sys; sys.modules['scipy'] = None\n"
        "import tracejit.scipy.special\n"
        "try: tracejit.scipy.special.erf\n"
        "except ImportError as error: print(error)\n"
    )
    said = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert "pip install tracejit[scipy]" in said
