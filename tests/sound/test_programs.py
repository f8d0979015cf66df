"""Random programs give what plain Python gives: outputs, state, generators, exceptions, gradients.

A failing program is reduced and printed in full; it is a scenario that test_capture.py and its
like can take as it is.
"""

import itertools

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.sound import lockstep
from tests.sound.programs import program

LARGE = 2_000


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.reuse, Phase.generate],  # check() makes failing programs smaller itself
)
@given(st.integers(0, 2**32), st.integers(1, 10))
def test_random_programs(seed, size):
    failure = lockstep.check(program(seed, size), lockstep.Report())
    if failure is not None:
        pytest.fail(f"seed {seed}, size {size}\n{failure}", pytrace=False)


@pytest.mark.fuzz
def test_many_random_programs(capsys):
    report = lockstep.Report()
    with capsys.disabled():
        lockstep.run(itertools.count(1), lambda: report.counts["programs"] < LARGE, report)
        print(f"\n{report}")
    assert not report.failures


def test_programs_are_reproducible_and_mostly_valid():
    report = lockstep.Report()
    for seed in range(60):
        made = program(seed, 8)
        assert made.source == program(seed, 8).source
        scenario = lockstep.scenario_of(made.source)
        one, two = lockstep.play(scenario), lockstep.play(scenario)
        for a, b in zip(one.calls, two.calls, strict=True):
            assert type(a.outcome) is type(b.outcome)
            if not isinstance(a.outcome, Exception):
                lockstep.same_state(a.outcome, b.outcome, "outputs")
            lockstep.same_state(a.state, b.state, "state")
        report.counts["raised"] += sum(isinstance(c.outcome, Exception) for c in one.calls)
        report.counts["calls"] += len(one.calls)
    assert report.counts["raised"] < 0.2 * report.counts["calls"]
