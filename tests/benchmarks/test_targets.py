"""The arithmetic of the targets, on results made up for the purpose."""

import pytest

from benchmarks import targets
from benchmarks.probes import checkpoints
from benchmarks.process import GIVEN_UP
from benchmarks.results import Results
from benchmarks.rounds import QUICK, Timings


def results(**by_case):
    """Make results of given seconds a call, by case and contender, the same in every round."""
    cases = {
        case: Timings(seconds={name: [s, s, s] for name, s in seconds.items()})
        for case, seconds in by_case.items()
    }
    return Results({}, QUICK, cases)


def test_geometric_mean():
    assert targets.geometric_mean({"a": 2.0, "b": 8.0}) == pytest.approx(4.0)


def test_mean_is_over_the_judged_cases_that_were_measured():
    found = results(
        scalar={"tracejit": 1.0, "autograd": 10.0},
        gmm={"tracejit": 1.0, "autograd": 1000.0},
        kalman={"tracejit": 1.0},
        long_chain={"tracejit": 1.0, "autograd": 1.0},
    )
    verdict = targets.mean_at_least("HIPS", ("autograd",), 200)(found)
    assert verdict.met is False
    assert verdict.measured == "100.00 times"
    assert "of 2 of " in verdict.subject
    assert verdict.factor == pytest.approx(0.5)


def test_the_better_of_two_peers_counts():
    found = results(gmm={"tracejit": 1.0, "torch": 5.0, "torch-compile": 0.9})
    verdict = targets.each_at_least("PyTorch", ("torch", "torch-compile"), 1)(found)
    assert verdict.met is False
    assert "gmm 0.90" in verdict.measured
    found = results(gmm={"tracejit": 1.0, "torch": 5.0})
    assert targets.each_at_least("PyTorch", ("torch", "torch-compile"), 1)(found).met


def test_cases_bound_by_products_may_be_near_their_floor():
    judge = targets.each_at_least("JAX", ("jax",), 1, products_limit=0.95)
    slower = {"tracejit": 1.0, "jax": 0.9}
    assert judge(results(mlp_784={**slower, "floor": 0.9})).met
    assert judge(results(mlp_784={**slower, "floor": 0.5})).met is False
    assert judge(results(mlp_784={"tracejit": 1.0, "jax": 0.96, "floor": 0.5})).met
    assert judge(results(gmm={"tracejit": 1.0, "jax": 0.96})).met is False


def test_floors_are_judged_by_kind():
    found = results(
        mlp_784={"tracejit": 1.1, "floor": 1.0}, softmax={"tracejit": 3.0, "floor": 1.0}
    )
    products = targets.near_floor("products", "products", 1.15)(found)
    memory = targets.near_floor("memory", "memory", 1.5)(found)
    assert products.met
    assert memory.met is False
    assert memory.measured == "1 of 1 miss: softmax 3.00"
    assert memory.factor == pytest.approx(0.5)


def test_first_two_calls_may_take_50_ms_more_than_those_of_autograd():
    found = results(gmm={}, scalar={})
    for case, ours in (("gmm", 0.06), ("scalar", 0.08)):
        found.cases[case].starts = {
            "tracejit": {"first_two": ours},
            "autograd": {"first_two": 0.02},
        }
    verdict = targets.first_two_calls(found)
    assert verdict.met is False
    assert "scalar 80.00" in verdict.measured
    assert "gmm" not in verdict.measured


def test_full_speed_has_a_longer_limit_for_long_traces_and_counts_imports_of_the_second_process():
    found = results(gmm={}, rk4={})
    for case, seconds in (("gmm", 2.9), ("rk4", 9.0)):
        start = {"full_speed": seconds, "import": 0.2}
        found.cases[case].starts = {"tracejit": start}
        found.cases[case].cached_starts = {"tracejit": {"full_speed": 0.9, "import": 0.2}}
    assert targets.reaching_full_speed("cold", 3, 10)(found).met
    cached = targets.reaching_full_speed("cached", 1, 2, cached=True)(found)
    assert cached.met is False
    assert cached.measured == "1 of 2 miss: gmm 1.10"


def test_full_speed_is_compared_with_the_start_of_jax():
    found = results(rk4={})
    found.cases["rk4"].starts = {"tracejit": {"full_speed": 3.0}, "jax": {"first_two": 30.0}}
    verdict = targets.sooner_than_jax("rk4")(found)
    assert verdict.met
    assert verdict.factor == pytest.approx(5.0)
    found.cases["rk4"].starts.pop("jax")
    found.cases["rk4"].failures["jax"] = f"not done after 60 s: {GIVEN_UP}"
    verdict = targets.sooner_than_jax("rk4")(found)
    assert verdict.factor == pytest.approx(0.5 * QUICK.limit_seconds / 3.0)
    assert "given up after 60 s" in verdict.subject


def test_what_was_not_measured_is_not_met():
    for verdict in targets.verdicts(Results({}, QUICK)):
        assert verdict.met is None, verdict
        assert verdict.measured == targets.MISSING


def test_memory_probe():
    found = Results({}, QUICK)
    call = {"returned": 1000, "arrays": 1000, "peak": 3000}
    found.probes["memory"] = {"calls": {"a": {"tracejit": call}}, "growth": {"tracejit": 300_000}}
    assert targets.allocation(found).met
    assert targets.growth(found).met is False


def test_memory_of_checkpoints_is_counted_in_roots_of_the_states():
    found = Results({}, QUICK)
    assert targets.checkpointed_share(found) is None
    size = 2.5 * 1000**0.5 * 80_000
    found.probes["checkpoints"] = {"tracejit": {"chain_whole": 8e7, "chain_in_blocks": size}}
    assert targets.checkpointed_share(found) == pytest.approx(2.5)
    lines = checkpoints.describe(found.probes["checkpoints"])
    assert lines[-1] == "| tracejit | 1,000.0 | 79.1 |"


def test_a_figure_may_have_to_be_large():
    found = results(logistic_hessian={"tracejit": 1.0, "jax": 2.5})
    judge = targets.at_least("x", targets.ratio("logistic_hessian", "jax", "tracejit"), 3, "times")
    verdict = judge(found)
    assert verdict.met is False
    assert verdict.factor == pytest.approx(2.5 / 3)
