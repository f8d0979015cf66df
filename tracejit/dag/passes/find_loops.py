"""Find loops: which stretches of a trace repeat not only their kinds, but what they read.

Runs of equal kinds (periods.py) enter; leave the iterations in which every operand has one meaning
throughout, and these meanings. An operand is looked at as a column, one entry an iteration: the
number of the node that is read, or -1 for a constant.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..node import Node
from ..periods import Run, Trace, find_runs
from .relations import (
    SMALL,
    Fixed,
    Found,
    Inner,
    Relation,
    Rows,
    Stacked,
    Viewed,
    fitted,
    similar,
    table_of,
    varying,
)  # fmt: skip

LEAST = 8  # iterations of a loop
LEAST_SAVED = 16  # nodes
LAGS = 4
FORBIDDEN = 2**40  # what carrying something on counts, in bytes, that cannot be
WHOLE = 8  # an array is kept whole, instead of a part that is read, up to so many times its size
VIEWS = frozenset(("index", "transpose", "reshape", "broadcast_to"))

Column = Any  # an integer array


def find_loops(trace: Trace) -> Finder:
    """Find the loops of a trace."""
    finder = Finder(trace)
    finder.find(find_runs(trace.kinds, LEAST))
    return finder


class Finder:
    """Finds loops in a trace, from the first to the last node."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.loops: list[Found] = []
        self.owner = np.full(len(trace.nodes), -1, np.int64)  # a node's loop
        self.places = {node: i for i, node in enumerate(trace.nodes) if node is not None}

    def find(self, runs: list[Run]) -> None:
        """Find the loops in runs; where runs overlap, the first of them is preferred."""
        taken = np.zeros(len(self.trace.nodes), bool)
        chosen: list[Run] = []
        for run in runs:
            free = np.flatnonzero(np.diff(taken[run.start : run.start + run.length],
                                          prepend=True, append=True))  # fmt: skip
            for begin, end in free.reshape(-1, 2).tolist():
                if end - begin >= LEAST * run.period and self._is_worth(run):
                    chosen.append(Run(run.start + begin, end - begin, run.period))
            taken[run.start : run.start + run.length] = True
        for run in sorted(chosen, key=lambda run: run.start):
            self._in_run(run, True)

    def _is_worth(self, run: Run) -> bool:
        body = self.trace.nodes[run.start : run.start + run.period]
        computes = any(node is not None and node.op.name not in VIEWS for node in body)
        return computes and run.length - run.period >= LEAST_SAVED

    def _in_run(self, run: Run, whole: bool) -> None:
        """Find the longest loop in a run, and further ones before and behind it."""
        start, period = run.start, run.period
        if whole:
            start += self._phase(run)
        count = (run.length - (start - run.start)) // period
        if whole and self._begins_before(start, period):
            start, count = start - period, count + 1
        if count < LEAST:
            return
        first, last = self._range(self._columns(start, period, count), start, period)
        if last - first < LEAST:
            return
        self._take(Found(start + first * period, period, last - first))
        for begin, end in ((0, first), (last, count)):
            if end - begin >= LEAST:
                part = Run(start + begin * period, (end - begin) * period, period)
                self._in_run(part, False)

    # -- which iterations ------------------------------------------------------------------

    def _columns(self, start: int, period: int, count: int) -> Column:
        first = self.trace.first
        ids = self.trace.operands[first[start] : first[start + period * count]]
        return ids.reshape(count, -1)

    def _phase(self, run: Run) -> int:
        """Choose where iterations begin: where the least is carried on."""
        start, period = run.start, run.period
        count = run.length // period
        columns = self._columns(start, period, count)
        middle = count // 2
        here = columns[middle]
        inner = (here - columns[middle - 1] == period) & (here >= start)
        readers = self._readers(start, period)
        distance = start + middle * period + readers - here
        reach: dict[int, int] = {}  # how far each place is read
        for reader, far in zip(readers[inner].tolist(), distance[inner].tolist(), strict=True):
            place = (reader - far) % period
            reach[place] = max(reach.get(place, 0), far)
        crossing = np.zeros(period)
        for place, far in reach.items():
            node = self.trace.nodes[start + place]
            assert node is not None
            # Several results stay in the iteration of their node.
            weight = FORBIDDEN if node.op.several else 1000 + node.spec.nbytes
            crossing += far // period * weight
            first, rest = place + 1, far % period
            crossing[first : first + rest] += weight
            crossing[: max(first + rest - period, 0)] += weight
        room = run.length - LEAST * period
        return int(np.argmin(crossing[: min(period, room + 1)]))

    def _readers(self, start: int, period: int) -> Column:
        """Say of each column in which place of the body it is read."""
        lengths = np.diff(self.trace.first[start : start + period + 1])
        return np.repeat(np.arange(period), lengths)

    def _begins_before(self, start: int, period: int) -> bool:
        """Tell whether the nodes before are an iteration, too, that begins with constants."""
        if start < period or (self.owner[start - period : start] >= 0).any():
            return False
        for old, new in zip(
            self.trace.nodes[start - period : start],
            self.trace.nodes[start : start + period],
            strict=True,
        ):
            if old is None or new is None or not similar(old, new, self.trace):
                return False
        return True

    def _range(self, columns: Column, start: int, period: int) -> tuple[int, int]:
        """Find the longest stretch of iterations in which all columns keep to one meaning."""
        count = len(columns)
        middle = count // 2
        step = columns[middle] - columns[middle - 1]
        times = np.arange(count)[:, None]
        proper = columns == columns[middle] + (times - middle) * step
        inner = (step == period) & (columns[middle] >= start)
        lags = np.where(inner, middle - (columns[middle] - start) // period, 0)
        if np.any(lags > LAGS):
            return 0, 0
        for number in np.flatnonzero(~inner & (step != 0)).tolist():
            proper[:, number] = self._proper(columns[:, number], start)
        least = np.where(proper, LAGS + 1, lags).min(axis=1, initial=LAGS + 1)
        need = np.where(least <= LAGS, times[:, 0] - least + 1, 0)
        fixed = columns[middle][~inner & (step == 0)]
        begin = max(0, (int(fixed.max(initial=-1)) - start) // period + 1)
        best = (0, 0)
        for end, needed in enumerate(need.tolist(), 1):
            begin = max(begin, needed)
            if end - begin > best[1] - best[0]:
                best = (begin, end)
        return best

    def _proper(self, ids: Column, start: int) -> Any:
        """Tell in which iterations a column of nodes outside goes on as in the middle one."""
        trace, middle = self.trace, len(ids) // 2
        node = int(ids[middle])
        step = node - int(ids[middle - 1])
        if step == 0:
            return ids == node
        if node < 0:
            return np.zeros(len(ids), bool)
        proper = (ids >= 0) & (ids < start)
        if self._is_view(ids[middle - 1 : middle + 1]):
            proper &= trace.kinds[ids] == trace.kinds[node]
            known = np.where(proper, ids, node)
            return proper & self._proper(trace.operands[trace.first[known]], start)
        loop = self._loop_of(node)
        if loop is not None and abs(step) == loop.period:
            expected = node + (np.arange(len(ids)) - middle) * step
            proper &= (ids == expected) & (ids >= loop.start) & (ids < loop.stop)
            place = (node - loop.start) % loop.period
            before = loop.before.get(place)
            carried = self.places[before] if type(before) is Node else -2
            return proper | ((ids == carried) & (expected == loop.start + place - loop.period))
        like = trace.nodes[node]
        assert like is not None
        if (like.spec.nbytes or 8) * len(ids) > SMALL:
            return np.zeros(len(ids), bool)
        nodes = (trace.nodes[i] for i in ids.tolist())
        return proper & np.array([n is not None and n.spec == like.spec for n in nodes])

    def _is_view(self, two: Column) -> bool:
        """Tell whether nodes are to be viewed anew, rather than kept: it costs nothing."""
        node = self.trace.nodes[two[1]]
        assert node is not None
        if node.op.name not in VIEWS or len(node.inputs) > 1 or type(node.inputs[0]) is not Node:
            return False
        if two[0] < 0 or self.trace.kinds[two[0]] != self.trace.kinds[two[1]]:
            return False
        if node.op.name != "index" or self._loop_of(two[1]) is None:
            return True
        viewed = self.trace.operands[self.trace.first[two]]
        base = self.trace.nodes[viewed[1]]
        assert base is not None
        small = base.spec.nbytes <= WHOLE * max(node.spec.nbytes, 8)
        return small or bool(viewed[0] == viewed[1])

    def _loop_of(self, number: int) -> Found | None:
        owner = int(self.owner[number])
        return None if owner < 0 else self.loops[owner]

    # -- what is read ----------------------------------------------------------------------

    def _take(self, loop: Found) -> None:
        """Say what a loop's nodes read; begin an iteration later where the first is special."""
        for _ in range(LAGS):
            if loop.count < LEAST:
                return
            if self._relate_all(loop):
                break
            loop = Found(loop.start + loop.period, loop.period, loop.count - 1)
        else:
            return
        for relation in (r for column in loop.columns for r in column):
            if type(relation) is Inner and relation.lag:
                loop.before.setdefault(relation.place, relation.before[-1])
        self._note_invariant(loop)
        self.owner[loop.start : loop.stop] = len(self.loops)
        self.loops.append(loop)

    def _note_invariant(self, loop: Found) -> None:
        """Find what can be computed before the loop; new arrays stay, for they are written to."""
        for place, column in enumerate(loop.columns):
            node = self.trace.nodes[loop.start + place]
            assert node is not None
            same = (
                type(r) is Fixed or (type(r) is Inner and not r.lag and r.place in loop.invariant)
                for r in column
            )
            if node.operands and place not in loop.numbers and all(same):
                loop.invariant.add(place)

    def _relate_all(self, loop: Found) -> bool:
        trace = self.trace
        columns = iter(self._columns(loop.start, loop.period, loop.count).T)
        for place in range(loop.period):
            members = trace.nodes[loop.start + place : loop.stop : loop.period]
            inputs = [trace.inputs(node) for node in members]  # type: ignore[arg-type]
            relations: list[Relation] = []
            for position in range(len(inputs[0])):
                operands = [given[position] for given in inputs]
                relation = self._relate(next(columns), operands, loop, place)
                if relation is None:
                    return False
                relations.append(relation)
            loop.columns.append(relations)
            if loop.start + place in trace.numbers:
                numbers = self._numbers(range(loop.start + place, loop.stop, loop.period))
                if numbers is not None:
                    vary = varying(members[loop.count // 2], relations[0], numbers)
                    if vary is None:
                        return False
                    loop.numbers[place] = vary
        return True

    def _relate(
        self, ids: Column, operands: list[Any], loop: Found, reader: int
    ) -> Relation | None:
        last, middle = int(ids[-1]), loop.count // 2
        if last >= loop.start:
            place = (last - loop.start) % loop.period
            lag = loop.count - 1 - (last - loop.start) // loop.period
            return self._inner(Inner(place, lag, tuple(operands[:lag])), loop, reader)
        number = int(ids[middle])
        if number < 0:
            return table_of(operands)
        if (ids == number).all():
            return Fixed(operands[0])
        if self._is_view(ids[middle - 1 : middle + 1]):
            below = [self.trace.inputs(n)[0] for n in operands]
            child = self._relate(self.trace.operands[self.trace.first[ids]], below, loop, reader)
            if child is None:
                return None
            node = operands[middle]
            numbers = self._numbers(ids.tolist())
            if numbers is not None:
                numbers = varying(node, child, numbers)
                if numbers is None:
                    return None
            return Viewed(node, child, numbers)
        node = operands[middle]
        earlier, step = self._loop_of(number), number - int(ids[middle - 1])
        if earlier is not None and abs(step) == earlier.period:
            place, step = (number - earlier.start) % earlier.period, step // earlier.period
            if place in earlier.invariant:
                return Fixed(self.trace.nodes[earlier.start + place])
            if node.op.several:
                return None
            first = (number - earlier.start) // earlier.period - step * middle
            return Rows(earlier, place, first, step, node)
        return None if node.op.several else Stacked(operands)

    def _inner(self, relation: Inner, loop: Found, reader: int) -> Inner | None:
        """Give the initial values the type of the later ones; None: they cannot be given."""
        if not relation.lag:
            return relation
        if any(type(v) is Node and self.places[v] >= loop.start for v in relation.before):
            return None
        spec = self.trace.nodes[loop.start + relation.place].spec  # type: ignore[union-attr]
        node = self.trace.nodes[loop.start + reader]
        assert node is not None
        if spec.cls is tuple:
            return None
        before = tuple(fitted(value, spec, node) for value in relation.before)
        fits = all(value is not None for value in before)
        return Inner(relation.place, relation.lag, before) if fits else None

    def _numbers(self, ids: Any) -> Any:
        """The integers in the indices of nodes, a row each; None where all rows are equal."""
        rows = [self.trace.numbers.get(i, ()) for i in ids]
        return None if all(row == rows[0] for row in rows) else rows
