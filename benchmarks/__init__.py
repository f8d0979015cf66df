"""Measure tracejit against its peers: `python -m benchmarks [--quick] [--only NAME ...]`.

A case (a file under `cases/`) is a loss, its arguments, and its gradient written by hand. A
contender (a function in `contenders.py`) makes a callable out of a case. A probe (a file under
`probes/`) measures something other than the steady state. `targets.py` says what is good enough.
Adding one of them touches nothing else.

Every contender of a case runs in a process of its own (`worker.py`, `process.py`) and is timed in
turn with the others (`rounds.py`), after its results were found right (`check.py`).
"""
