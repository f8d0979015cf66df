"""The scalar mathematics of emitted loops against NumPy's ufuncs, over 32k elements.

In one process, in turns; beside the times, how long Numba takes longer to compile a loop that calls
the function than one that does not. Run as a script, it writes its values as JSON.
"""

import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from benchmarks.process import ROOT
from benchmarks.rounds import Effort
from tracejit.codegen.library import source_of

TITLE = "Scalar mathematics in loops"
CONTENDERS = ("tracejit",)
ELEMENTS = 32768
COMPILES = 3
# The arguments of each, and what NumPy has instead.
FUNCTIONS = {
    "exp": ((-8.0, 8.0), np.exp),
    "expm1": ((-8.0, 8.0), np.expm1),
    "log": ((0.01, 20.0), np.log),
    "log1p": ((-0.9, 20.0), np.log1p),
    "tanh": ((-8.0, 8.0), np.tanh),
    "sigmoid": ((-8.0, 8.0), None),
    "softplus": ((-8.0, 8.0), lambda x, out: np.logaddexp(0.0, x, out=out)),
    "sqrt": ((0.0, 20.0), np.sqrt),
    "erf": ((-3.0, 3.0), None),
    "sin": ((-8.0, 8.0), np.sin),
    "cos": ((-8.0, 8.0), np.cos),
    "pow": ((0.01, 20.0), np.power),
}
DTYPES = {"f8": np.float64, "f4": np.float32}
LOOP = """
def loop({parameters}, out):
    for i in range(out.size):
        out[i] = {value}
"""


def measure(effort: Effort) -> dict[str, Any]:
    """Measure in a process of its own; nothing without Numba."""
    if importlib.util.find_spec("numba") is None:
        return {}
    command = [sys.executable, "-m", __name__, str(effort.rounds)]
    values: dict[str, Any] = json.loads(subprocess.check_output(command, cwd=ROOT, text=True))
    return values


def compile_loop(value: str, names: list[str], kind: str) -> tuple[Callable[..., None], float]:
    """Compile a loop over arrays; give the seconds, too."""
    from numba import njit

    array = ", ".join([f"{kind}[::1]"] * (len(names) + 1))
    function = value.partition("(")[0]
    needed = source_of([function]) if function.endswith(kind) else ""
    text = needed + LOOP.format(parameters=", ".join(names), value=value)
    scope: dict[str, Any] = {"np": np, "njit": njit}
    started = time.process_time()
    exec(text, scope)
    loop = njit(f"void({array})", error_model="numpy", fastmath={"contract"})(scope["loop"])
    return loop, time.process_time() - started


def seconds_for(function: Callable[..., object], arrays: list[Any]) -> float:
    """Time one call."""
    started = time.perf_counter()
    function(*arrays)
    return time.perf_counter() - started


def measure_function(name: str, kind: str, rounds: int) -> dict[str, float | None]:
    """Time a function and NumPy's in turns: nanoseconds an element, milliseconds to compile."""
    (low, high), ufunc = FUNCTIONS[name]
    rng = np.random.default_rng(0)
    names = ["x", "y"] if name == "pow" else ["x"]
    arrays = [rng.uniform(low, high, ELEMENTS).astype(DTYPES[kind])]
    if name == "pow":
        arrays.append(rng.uniform(-3.0, 3.0, ELEMENTS).astype(DTYPES[kind]))
    arrays.append(np.empty_like(arrays[0]))
    value = f"{name}_{kind}({', '.join(f'{letter}[i]' for letter in names)})"
    with_it, without = [], []
    for _ in range(COMPILES):
        without.append(compile_loop("x[i] + x[i]", names, kind)[1])
        loop, seconds = compile_loop(value, names, kind)
        with_it.append(seconds)
    ours, numpys = [], []
    for _ in range(8 * rounds):
        ours.append(seconds_for(loop, arrays))
        if ufunc:
            numpys.append(seconds_for(ufunc, arrays))
    return {
        "ours": 1e9 * median(ours) / ELEMENTS,
        "numpy": 1e9 * median(numpys) / ELEMENTS if ufunc else None,
        "compile": 1e3 * (median(with_it) - median(without)),
    }


def describe(values: dict[str, Any]) -> list[str]:
    """Tabulate nanoseconds an element."""
    if not values:
        return ["Numba is not installed."]
    lines = [
        f"Nanoseconds an element over {ELEMENTS} elements, medians; what compiling takes longer.",
        "",
        "| function | tracejit | NumPy | ratio | compiling, ms |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, found in values.items():
        numpys = f"{found['numpy']:.2f}" if found["numpy"] else ""
        ratio = f"{found['numpy'] / found['ours']:.2f}" if found["numpy"] else ""
        lines.append(
            f"| {name} | {found['ours']:.2f} | {numpys} | {ratio} | {found['compile']:.0f} |"
        )
    return lines


def main() -> None:
    """Measure all functions and write the values."""
    rounds = int(sys.argv[1])
    compile_loop("x[i] + x[i]", ["x"], "f8")
    values = {
        f"{name} {kind}": measure_function(name, kind, rounds)
        for kind in DTYPES
        for name in FUNCTIONS
    }
    print(json.dumps(values))


if __name__ == "__main__":
    main()
