"""Measure tracejit against its peers: `python -m benchmarks [--quick] [--case NAME ...]`.

A case (in a file under `cases/`) is a loss, its arguments, and its gradient written by hand. A
contender (a function in `contenders.py`) makes a callable out of a case. A probe (a file under
`probes/`) measures something other than calls. `targets.py` says what is good enough. Adding one of
them touches nothing else.

Every contender of a case runs in a process of its own (`worker.py`, `process.py`), is watched from
its first call to full speed (`start.py`), found right (`check.py`), and timed in turn with the
others (`rounds.py`).
"""
