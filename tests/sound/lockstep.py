"""Programs in lockstep: plain Python, compiled, and direct mode, call by call.

`verdict` plays a program in all three, and some compiled with audits as well, and raises Wrong
where they differ: in an output, in the state after a call, in a gradient (against direct mode and
finite differences), or in the exception that comes out. Only clear refusals are allowed, and they
are counted.
"""

from __future__ import annotations

import itertools
import re
import tempfile
import time
import types
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tests.sound.programs import Program, program
from tests.sound.support import (
    Call,
    Play,
    Scenario,
    along,
    assert_kinds,
    leaves,
    play,
    same_state,
    slope_of,
)
from tracejit import config, errors

# What a program may be refused with; anything else that plain Python does not raise is a failure.
REFUSALS = (
    errors.UnsupportedError, errors.LostGradientError, errors.WriteToArgumentError,
    errors.TracejitError,
)  # fmt: skip
MODES = {"compiled": True, "direct": False, "audited": True}
AUDITED = 4  # one program in so many
_folder = tempfile.TemporaryDirectory(prefix="tracejit-programs-")
_count = itertools.count()


class Wrong(AssertionError):
    """A program that does not give what plain Python gives."""


class Invalid(Exception):
    """A program that makes no sense in plain Python."""


class Report:
    """What a run of programs came to."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.failures: list[str] = []

    def __str__(self) -> str:
        c = self.counts
        lines = [
            f"{c['programs']} programs ({c['invalid']} invalid), {c['calls']} calls: "
            f"{c['hits']} hits, {c['misses']} misses, {c['direct']} direct; "
            f"{c['compiled programs']} programs all compiled",
            f"gradients: {c['slopes']} checked by finite differences, {c['kinks']} near a kink",
            f"exceptions of the programs' own: {c['exceptions']}",
        ]
        lines += [f"refused {n} times: {name}" for name, n in self.refused.most_common()]
        return "\n".join([*lines, f"{len(self.failures)} failures"])


def scenario_of(source: str) -> Scenario:
    """The scenario of a module's text; each play executes the module anew, from one real file."""
    path = Path(_folder.name) / f"program_{next(_count)}.py"
    path.write_text(source)
    code = compile(source, str(path), "exec")

    def scenario() -> Iterator[Any]:
        module = types.ModuleType(path.stem)
        module.__file__ = str(path)
        exec(code, vars(module))
        yield from module.scenario()

    scenario.path = path  # type: ignore[attr-defined]
    return scenario


def verdict(made: Program, report: Report, slopes: int = 3) -> None:
    """Compare the modes; raise Wrong or Invalid. slopes: how many calls to differentiate."""
    scenario = scenario_of(made.source)
    with np.errstate(all="ignore"):
        try:
            plain = play(scenario)
        except Exception as error:  # in a change between the calls
            raise Invalid from error
        if any(isinstance(c.outcome, (NameError, SyntaxError)) for c in plain.calls):
            raise Invalid
        modes = list(MODES)[: 2 + (zlib.crc32(made.source.encode()) % AUDITED == 0)]
        played = {mode: _play(scenario, mode) for mode in modes}
        good = {mode: _compare(plain, ours, mode, report) for mode, ours in played.items()}
        _gradients(scenario, plain, played, good, report, slopes)
    scenario.path.unlink()  # type: ignore[attr-defined]
    info = played["compiled"].df.cache_info()
    report.counts["programs"] += 1
    report.counts["calls"] += good["compiled"]
    report.counts["compiled programs"] += info.direct == 0 and good["compiled"] == len(plain.calls)
    for name in ("hits", "misses", "direct"):
        report.counts[name] += getattr(info, name)


def _play(scenario: Scenario, mode: str) -> Play:
    try:
        return play(scenario, MODES[mode], audit=mode == "audited")
    except Exception as error:
        raise Wrong(f"{mode}, between the calls: {error!r}") from error


def _compare(plain: Play, ours: Play, mode: str, report: Report) -> int:
    """Compare outcomes and states; return how many calls could be compared before a refusal."""
    for number, (expected, actual) in enumerate(zip(plain.calls, ours.calls, strict=True)):
        where = f"{mode}, call {number}"
        wrong = isinstance(actual.outcome, Exception)
        if isinstance(expected.outcome, Exception):
            if type(actual.outcome) is not type(expected.outcome):
                if _refused(actual.outcome, mode, report):
                    return number
                raise Wrong(f"{where}: {actual.outcome!r}; plain: {expected.outcome!r}")
            report.counts["exceptions"] += mode == "compiled"
        elif wrong:
            if _refused(actual.outcome, mode, report):
                return number
            raise Wrong(f"{where}: {actual.outcome!r}") from actual.outcome
        else:
            few = 1e-5 if _single(expected) else 1e-8
            _same(actual.outcome, expected.outcome, f"{where}, outputs", True, few)
        _same(actual.state, expected.state, f"{where}, state", False)
    return len(plain.calls)


def _refused(error: Any, mode: str, report: Report) -> bool:
    if type(error) not in REFUSALS:
        return False
    text = str(error).split(" at /")[0]
    report.refused[f"{mode}: {type(error).__name__}: {text[:60]}"] += 1
    return True


def _same(
    actual: Any, expected: Any, where: str, strict: bool, few: float = 1e-8
) -> None:
    try:
        same_state(actual, expected, where, few=few, single=1e-3, strict=strict)
    except AssertionError as error:
        values = f"\n{actual!r}; plain: {expected!r}" if strict else ""  # a state is too much
        raise Wrong(f"{where}: {error}{values}") from None


def _gradients(
    scenario: Scenario, plain: Play, played: dict[str, Play], good: dict[str, int],
    report: Report, slopes: int,
) -> None:  # fmt: skip
    """Compare gradients: with those of the other mode, and with finite differences."""
    for number, call in enumerate(plain.calls):
        modes = [mode for mode in good if number < good[mode]]
        if isinstance(call.outcome, Exception) or not modes:
            continue
        grads = {mode: played[mode].calls[number].grads for mode in modes}
        for mode in modes:
            assert_kinds(grads[mode], call.args[0], f"{mode}, call {number}, gradient kinds")
        single = _single(call)
        for mode in modes:
            if mode != "direct" and "direct" in modes:
                _agree(grads[mode], grads["direct"], single, f"{mode}, call {number}, gradient")
        rounded = single or "f4" in scenario.path.read_text()  # type: ignore[attr-defined]
        if rounded or number % len(plain.calls) >= slopes:
            continue
        one, two = slope_of(scenario, number, 2e-5), slope_of(scenario, number, 1e-5)
        if not abs(one - two) < 1e-5 * (1.0 + abs(one)):  # nan is no number to compare with
            report.counts["kinks"] += 1
            continue
        report.counts["slopes"] += 1
        for mode in modes:
            slope = along(grads[mode], call.args[0])
            if not np.isclose(slope, two, rtol=1e-4, atol=1e-4):
                raise Wrong(f"{mode}, call {number}: slope {slope}, finite differences {two}")


def _agree(compiled: Any, direct: Any, single: bool, where: str) -> None:
    pairs = [(np.asarray(a, float), np.asarray(b, float))
             for a, b in zip(leaves(compiled), leaves(direct), strict=True)]  # fmt: skip
    if not all(np.isfinite(a).all() and np.isfinite(b).all() for a, b in pairs):
        return
    scale = max(1.0, *(float(np.max(np.abs(b), initial=0.0)) for _, b in pairs))
    few = (1e-3 if single else 1e-8) * scale
    for a, b in pairs:
        if not np.allclose(a, b, rtol=0.0, atol=few):
            raise Wrong(f"{where}: {compiled}; direct: {direct}")


def _single(call: Call) -> bool:
    values = [*leaves(call.args[0]), *call.outcome]
    return any(getattr(v, "dtype", None) == np.float32 for v in values)


def check(made: Program, report: Report) -> str | None:
    """Give the failure of a program, reduced and with its text, or None."""
    error = _failure(made, report)
    if error is None:
        return None
    found = True
    while found:
        found = False
        for smaller in made.smaller():
            other = _failure(smaller, Report())
            if other is not None and _kind(other) == _kind(error):
                made, error, found = smaller, other, True
                break
    return f"{made.source}\n{error}"


def _kind(failure: str) -> str:
    """What failed, without the number of the call: programs are made smaller as long as it does."""
    return re.sub(r"\d+", "", failure.partition(":")[0])


def _failure(made: Program, report: Report) -> str | None:
    try:
        verdict(made, report)
    except Invalid:
        report.counts["invalid"] += 1
    except Wrong as wrong:
        return str(wrong)
    except AssertionError as error:
        return f"{type(error).__name__}: {error}"
    return None


def run(seeds: Iterator[int], going: Callable[[], bool], report: Report) -> None:
    """Check a program a seed for as long as `going` says; print each that fails."""
    for seed in seeds:
        if not going():
            return
        try:
            failure = check(program(seed, 1 + seed % 12), report)
        except BaseException:
            print(f"\n# seed {seed}, size {1 + seed % 12}: stopped", flush=True)
            raise
        if failure is not None:
            report.failures.append(failure)
            print(f"\n# seed {seed}, size {1 + seed % 12}\n{failure}\n", flush=True)


def long_run(seconds: float, seed: int) -> int:
    """Check programs for that many seconds; the exit status says whether one failed."""
    report, end = Report(), time.monotonic() + seconds
    with tempfile.TemporaryDirectory(prefix="tracejit-cache-") as folder:
        config.settings.cache_dir = folder
        run(itertools.count(seed * 1_000_000), lambda: time.monotonic() < end, report)
    print(report)
    return 1 if report.failures else 0
