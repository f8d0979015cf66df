"""Random programs as source text: a function, the state around it, and calls with changes between.

A program is a module with a generator function `scenario` (see support.py): it yields the function
and one that shows its state, then, again and again, the arguments of a call; between the calls it
rebinds closures, globals and attributes, and writes to captured arrays. `program(seed, size)`
always gives the same one. A program can lose any statement and is then still a program, unless
plain Python raises NameError.

    python -m tests.sound.programs SECONDS SEED      a long run; prints what fails, and a report
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, replace

# What programs may be about, and how often.
FEATURES = {
    "capture": 0.6, "control": 0.6, "helpers": 0.5, "writes": 0.5, "state": 0.35, "random": 0.35,
    "models": 0.3, "effects": 0.12, "exotic": 0.3, "raising": 0.12, "wide": 0.4,
}  # fmt: skip

# Expressions by what they give: v (3,), m (2, 3), s a number, i an integer, b a truth value,
# e an empty array, z a 0-d array. A letter in braces is another expression.
EXPRESSIONS = {
    "v": {
        "plain": [
            "np.sin({v})", "np.tanh({v} + {v})", "({v} * {s})", "({v} - {v})",
            "({v} / (2.0 + {v} * {v}))", "{m}[0]", "{m}[1, ::-1]", "{m}.sum(axis=0)",
            "np.mean({m}, axis=0)", "np.where({v} > {s}, {v}, {v} * 0.5)", "np.maximum({v}, {s})",
            "np.concatenate([{v}[1:], {v}[:1]])", "{v}[[2, 0, 0]]", "{v}[::-1]",
            "np.stack([{s}, {s}, {s}])", "np.array([{s}, {s}, 0.5])", "{v}.copy()",
            "(np.zeros(3) + {s})", "(np.ones_like({v}) * {s})", "(np.arange(3.0) * {s})",
            "(np.linspace(0.0, 1.0, 3) * {v})", "np.clip({v}, -1.5, 1.5)", "np.abs({v})",
            "np.cumsum({v}) * 0.5", "({m} @ {v})[[0, 1, 0]]", "({v} ** 2)", "np.roll3({v})",
            "(np.broadcast_to({s}, (3,)) * {v})", "sum([{v}, {v}])", "np.minimum({v}, {v})",
        ],
        "capture": ["(w * {v})", "box['w']", "ws[0]", "(GW + {v})", "np.tanh(mat[count % 2])",
                    "box['deep'][0]", "base[1:4]", "base[i0 : i0 + 3]"],
        "control": ["({v} if {b} else {v})", "{v}[{i} % 3] * {v}", "{m}[{i} % 2]"],
        "helpers": ["helper({v})", "shift({v})", "bend({v})", "bend({v}, {s})", "table['f']({v})"],
        "models": ["model.apply({v})", "model.w", "(model.half * {v})", "model.parts[0]"],
        "wide": [
            "np.sort({v})", "np.roll({v}, {i})", "np.cumprod({v})", "np.diff({v}, prepend={s})",
            "np.pad({v}, 1, mode='edge')[:3]", "np.fft.irfft(np.fft.rfft({v}), 3)",
            "np.abs(np.fft.fft({v} + 1j * {v}))", "np.modf({v})[0]", "np.divmod({v}, 0.75)[1]",
            "np.linalg.eigvalsh({m}.T @ {m})", "np.einsum('ij,j->i', {m}.T @ {m}, {v})",
            "np.take({v}, [{i} % 3, 0, 1])", "np.repeat({v}, {i} % 2 + 1)[:3]",
            "np.linalg.solve({m}.T @ {m} + 2.0 * np.eye(3), {v})", "np.median({m}, axis=0)",
            "np.quantile({m}, 0.3, axis=0)", "np.maximum.accumulate({v})", "np.tile({v}, 2)[2:5]",
            "np.real(({v} + {s} * 1j) ** 2)", "np.choose([{i} % 2, 0, 1], [{v}, {v}])",
            "np.split({v}, [1])[1][[0, 1, 0]]", "np.append({v}[:2], {s})",
            "np.insert({v}, 1, {s})[:3]",
            "np.delete(np.append({v}, {s}), {i} % 3)", "np.interp({v}, [-1.0, 0.0, 1.0], {v})",
            "np.select([{v} > 0.5, {v} > 0.0], [{v}, {v} * 2.0], {s})", "np.flip({v})",
            "np.linalg.svd({m})[1][[0, 1, 0]]", "np.linalg.qr({m}.T)[1][0, [0, 1, 1]]",
            "np.convolve({v}, {v}, 'same')", "np.extract({v} > -9.0, {v})", "np.gradient({v})",
            "np.apply_along_axis(np.sum, 0, {m})", "np.unique({v})[[0, 0, -1]]",
        ],
        "random": ["(rng.random(3) * {v})", "(np.random.standard_normal(3) * 0.1 + {v})",
                   "np.where(rng.random(3) < 0.5, {v}, 0.0)", "{v}[rng.permutation(3)]",
                   "rng.normal(0.0, 0.5, size=3)"],
        "exotic": ["{v}.astype('f4')", "(np.float32(0.5) * {v})", "np.array({v})",
                   "np.full(3, {s})", "np.concatenate([{v}, {e}])", "({z} * {v})",
                   "np.array([v * 2.0 for v in x])", "np.squeeze({v}[None])"],
    },
    "m": {
        "plain": ["({m} * {s})", "np.tanh({m} + {v})", "np.stack([{v}, {v}])", "{m}[::-1]",
                  "np.outer({v}[:2], {v})", "({m} - {m}.mean(axis=1, keepdims=True))",
                  "np.vstack2({v}, {v})", "({m}.T @ {m})[:2]", "np.array([[1.0, 2.0, 3.0]] * 2)"],
        "capture": ["(mat * {s})", "(mat + {m})"],
        "random": ["rng.standard_normal((2, 3))"],
        "wide": ["np.sort({m}, axis=0)", "np.tile({v}, (2, 1))", "np.cumsum({m}, axis=1)",
                 "np.kron({v}[:2], {v}).reshape(2, 3)", "np.vstack([{v}, {v}])", "np.flip({m}, 1)",
                 "np.linalg.pinv({m}).T", "np.real({m} * (1 + 1j))", "np.pad({m}, 1)[1:3, 0:3]",
                 "np.take_along_axis({m}, np.argsort({m}, axis=1), 1)", "np.roll({m}, 1, axis=0)"],
        "helpers": ["shift({m})"],
    },
    "s": {
        "plain": ["np.sum({v})", "np.mean({m})", "{v}[0]", "{v}[-1]", "({v} @ {v})", "np.max({v})",
                  "({s} + {s})", "({s} * 0.5)", "np.tanh({s})", "({s} - {s})", "abs({s})",
                  "np.linalg.norm({v})", "sum({v})", "{m}[1, 2]", "(-{s})", "np.float64(0.5)"],
        "capture": ["scale", "GS", "box['rate']", "ws[-1][0]", "(scale * {s})", "half_of(1.5)"],
        "control": ["({s} if {b} else {s})", "{v}[{i} % 3]", "max({s}, {s})", "min({s}, 1.0)",
                    "np.sum({v}[{v} > {s}])", "float({i})"],
        "models": ["model.rate", "model.total({v})"],
        "wide": ["np.median({v})", "np.linalg.slogdet({m} @ {m}.T + np.eye(2))[1]", "np.ptp({v})",
                 "np.quantile({v}, 0.25)", "divmod({s}, 0.7)[1]", "np.trapezoid({v})",
                 "np.linalg.norm({m}, 2)", "np.prod({v})", "np.interp({s}, [0.0, 1.0], [1.0, 3.0])",
                 "(({s} + 0.5j) * 1j).real", "np.einsum('ij,ij', {m}, {m})",
                 "np.logaddexp.reduce({v})"],
        "random": ["rng.random()", "np.random.normal()", "rng.uniform(0.5, 1.5)"],
        "exotic": ["math.tanh({s})", "math.exp(-0.5)", "np.sum({e})", "{z}[()]", "np.sum({z})",
                   "np.sum(x).item()", "float(np.sum(x))", "(1.0 / {s})", "np.float32({s})"],
    },
    "i": {
        "plain": ["len({v})", "({i} + 1)", "2", "n", "n"],
        "capture": ["count", "GN", "len(ws)", "len(box)"],
        "control": ["np.argmax({v})", "int(np.sum(np.abs(x)))", "np.count_nonzero({v} > 0.0)",
                    "int({b})"],
        "models": ["model.n"],
        "random": ["rng.integers(3)", "np.random.randint(3)"],
    },
    "b": {
        "plain": ["np.sum({v}) > {s}", "{s} > {s}", "np.any({v} > 1.0)", "np.all({v} < 1.0)",
                  "{i} % 2 == 0", "np.sum(x) > 0.0", "{s} < 0.25", "n in (1, 2)", "n > 1",
                  "isinstance(s, float)", "x[0] < x[1]"],
        "capture": ["flag", "mode == 'a'", "'k' in box", "(flag and {s} > 0.0)", "bias is None"],
        "models": ["model.on", "hasattr(model, 'extra')"],
        "random": ["rng.random() < 0.5"],
        "exotic": ["(not np.isfinite({s}))", "0.5 in x", "len({v}[{v} > 0.0]) > 1"],
    },
    "e": {"plain": ["np.zeros(0)", "{v}[:0]", "{v}[3:]"]},
    "z": {"plain": ["np.array(0.5)", "np.array({s})", "np.sum({m}, keepdims=True)[0, 0, ...]"]},
}  # fmt: skip

# Statements: V, M, S, Z are local variables (Z is an array made inside), @ is another statement.
STATEMENTS = {
    "plain": [
        "{V} = {v}", "{V} = {V} * 0.5 + {v}", "{S} = {s}", "{M} = {m}", "new v = {v}",
        "new s = {s}", "new m = {m}", "{V}, {S} = {v}, {s}",
        "{V} = np.stack([r * {s} for r in {m}])[0]",
    ],
    "helpers": ["def local(v, k={s}):\n    return np.sin(v) * k + {s}\n{V} = local({v})",
                "{V} = (lambda v: v * {s})({v})", "{V} = pick({v}, 1.5)"],
    "control": [
        "if {b}:\n    @\nelse:\n    @", "if {b}:\n    @\n    @", "if {b}:\n    @\nelif {b}:\n    @",
        "for _ in range({i} % 4):\n    @", "for k in range(3):\n    {S} = {S} + {v}[k] * k",
        "for r in {m}:\n    {V} = np.tanh({V} + r)",
        "k = 0\nwhile np.sum({V}) > 1.0 and k < 5:\n    {V} = {V} * 0.5\n    k += 1",
        "for k, r in enumerate({v}):\n    if r > {s}:\n        {S} = {S} + r * k\n        break",
        "for k in range(3):\n    if {v}[k] < 0.0:\n        continue\n    @",
        "if {b}:\n    return {s} * 0.1 + {S}, {v}",
    ],
    "writes": [
        "{Z}[0] = {s}", "{Z}[{i} % 3] = {s}", "{Z}[:] = {v}", "{Z}[1:] += {v}[1:]", "{Z} += {v}",
        "{Z}[::-1][0] = {s}", "{Z} *= 0.5", "np.add.at({Z}, [0, 0, 2], {v})",
        "np.multiply({v}, {s}, out={Z})", "{Z}[{Z} > 0.5] = 0.5", "view = {Z}[1:]\nview *= {s}",
        "for k in range(3):\n    {Z}[k] = {v}[k] * (k + 1)", "{Z}[[0, 2]] = {v}[:2]",
        "{V} = {Z}", "{V} = {Z}[::-1]", "{Z} = np.zeros(3)", "{Z} = {Z} + {v}", "{Z}.fill({s})",
        "grid = np.zeros((2, 3))\ngrid[0] = {v}\ngrid[:, 1] -= {s}\n{M} = grid * 1.0",
        "{Z}.sort()", "np.put({Z}, [0, {i} % 3], {s})", "{Z}.flat[1] = {s}", "np.copyto({Z}, {v})",
        "np.place({Z}, {Z} > 0.0, [{s}, 0.5])", "np.cumsum({v}, out={Z})", "{Z}.real[1:] = {v}[1:]",
        "p, q = np.split({Z}, [1])\np += np.sum(q) * 0.5\nq *= 0.5",
        "np.maximum.at({Z}, [0, 1], {s})",
        "c = {v} + 1j * {Z}\nc.real[...] *= {s}\nc.imag = {v}\n{V} = np.abs(c)",
        "square = {m}.T @ {m}\nnp.fill_diagonal(square, {v})\n{V} = square[1]",
        "{Z}[1] = {Z}[0] * {Z}[2]", "{Z} -= {Z}[::-1]", "{Z} = np.zeros(3, 'f4')",
        "{Z} = np.empty(3)\n{Z}[...] = 0.5", "{Z} = np.array([{s}, 0.0, {s}])",
    ],
    "state": [
        "buf[0] = {s}", "buf[:] += 0.1 * {v}", "buf[:] *= 0.9", "row[:2] += {v}[:2] * 0.1",
        "box['mean'][:] = 0.9 * box['mean'] + 0.1 * {v}", "box['mean'] *= 0.5", "{V} = buf * 1.0",
        "counts[{i} % 4] += 1", "np.add.at(buf, [0, 2], {s} * 0.1)", "GW[1] = 0.5 * np.tanh({s})",
        "{S} = {S} + np.sum(buf)", "{V} = {V} + row[:3]", "np.tanh(buf, out=buf)",
        "buf.sort()", "np.put(buf, [0, 1], {v}[:2])", "np.fill_diagonal(grid0, {s})",
        "buf.flat[1] = {s}",
        "np.copyto(buf, {v})", "np.putmask(buf, buf > 0.2, {v})", "np.cumsum({v}, out=buf)",
        "zbuf.real[:] = {v}", "zbuf.imag = buf", "zbuf *= 1j", "{V} = np.abs(zbuf) + {v}",
        "p, q = np.split(buf, [1])\np += {s} * 0.1\nq *= 0.5", "zbuf[0] = {s} + 0.5j",
        "{V} = buf[::-1]", "buf[{i} % 3] = {s} * 0.5", "{S} = {S} + counts[1]",
    ],
    "models": ["{V} = model.apply({V})", "{S} = {S} * model.rate", "model.w *= 0.95"],
    "effects": [
        "hist.append({s})", "box['last'] = {s}", "model.n += 1", "total = total + {s}",
        "hist.append({v})", "{S} = {S} + total * 0.1", "{S} = {S} + len(hist)", "model.seen = {v}",
        "{S} = {S} + hist[-1] if hist and type(hist[-1]) is float else {S}", "ticks += 1",
        "{S} = {S} + next(numbers)", "box.setdefault('k', 0.5)", "del ws[1:]", "ws.append({v})",
    ],
    "random": ["rng.random(2)", "{V} = {V} * (rng.random(3) < 0.7)", "np.random.random()",
               "own = np.random.default_rng(5)\n{V} = {V} + own.random(3)"],
    "raising": [
        "if {b}:\n    raise ValueError('mine')", "assert {s} < 5.0, 'too large'",
        "{S} = {S} * ws[{i}][0]", "{S} = {S} / float(n)",
        "try:\n    {S} = {S} + 1.0 / n\nexcept ZeroDivisionError:\n    {S} = {s}",
        "try:\n    {V} = {V} + ws[{i}]\nexcept IndexError:\n    @",
    ],
}  # fmt: skip

# What happens between two calls.
CHANGES = {
    "capture": [
        "scale = {c}", "w = w * 0.5", "w[:] = [{c}, {c}, {c}]", "w[1] += 0.25", "count += 1",
        "flag = not flag", "mode = 'b' if mode == 'a' else 'a'", "GS = {c}", "GN += 1",
        "GW = GW * 0.5", "GW[:] = {c}", "box['w'] = np.array([{c}, {c}, {c}])", "box['rate'] = {c}",
        "box['k'] = 1.0", "box['deep'][0] = w * 2.0", "ws[0] = ws[0] + 0.1", "ws.reverse()",
        "ws.append(np.ones(3))", "w = w.astype('f4')", "mat = mat[::-1]", "base[2] = {c}",
        "base = base[::2].repeat(2)", "i0 = 1 - i0", "bias = 1.0", "w = ws[0]", "scale = 2",
        "scale = np.float64({c})", "mat = np.asfortranarray(mat)",
    ],
    "helpers": [
        "helper = np.cos", "helper = lambda v: v * {c}", "table['f'] = shift", "half = {c}",
        "bend.__defaults__ = ({c},)", "shift.__code__ = (lambda v: v * 0.75 + GW).__code__",
    ],
    "models": [
        "model.rate = {c}", "model.w = w * {c}", "model.on = not model.on", "model.n += 1",
        "Model.gain = {c}", "model.extra = 1.0", "model = Model()", "model.parts[0] = w",
        "Model.apply = lambda self, v: v * self.w", "model.gain = {c}", "model.w[0] = {c}",
    ],
    "random": ["np.random.seed({n})", "rng = np.random.default_rng({n})", "rng.random({n})",
               "rng.bit_generator.state = start"],
    "state": ["buf[:] = {c}", "buf = buf * 0.5", "box['mean'] = np.zeros(3)", "buf = buf.copy()",
              "row = grid0[0]", "counts[:] = 0"],
    "effects": ["hist.clear()", "total = 0.0", "ticks = 0"],
}  # fmt: skip

TEMPLATE = '''\
import math
import numpy as np

GS, GN, GW = 0.5, 1, np.array([0.5, -0.25, 1.0])

def shift(v):
    return np.tanh(v * GS) + GW

def bend(v, k=0.5):
    if np.sum(v) > GS:
        return v * k
    return shift(v) - k

def pick(v, limit):
    total = 0.0
    for item in v:
        total = total + item
        if total > limit:
            return v * 0.5
    return v + total

class Base:
    gain = 1.5

    @property
    def half(self):
        return self.w * 0.5

class Model(Base):
    def __init__(self):
        self.w, self.rate, self.n, self.on = np.array([1.0, -0.5, 0.25]), 0.75, 2, True
        self.parts = [np.array([0.25, 0.5, 0.75])]

    def apply(self, v):
        return np.tanh(v * self.w) * self.gain

    def total(self, v):
        return np.sum(self.apply(v)) * self.rate if self.on else np.sum(v)

def scenario():
    global GS, GN, GW
    scale, count, flag, mode, bias, half, i0 = 0.8, 1, True, "a", None, 0.5, 0
    w, base = np.array([0.3, -0.7, 1.1]), np.arange(5.0) * 0.3
    mat = np.arange(6.0).reshape(2, 3) * 0.2
    box = {"w": np.array([0.1, 0.2, 0.3]), "rate": 0.4, "deep": [np.ones(3)], "mean": np.zeros(3)}
    ws, hist, total, ticks, numbers = [np.ones(3), w * 2.0], [], 0.0, 0, iter(range(1000))
    model, rng, counts = Model(), np.random.default_rng(4), np.zeros(4, int)
    start = rng.bit_generator.state
    grid0 = np.zeros((2, 4))
    buf, row, zbuf = np.array([0.1, 0.2, 0.3]), grid0[1], np.array([0.1, 0.2j, 0.3 - 0.1j])

    def half_of(value):
        return value * half

    def helper(v):
        return np.sin(v) * scale + half_of(v)

    table = {"f": helper}

    def f(p, x, n, s):
        nonlocal total, ticks
        v0, m0, s0, z0 = x * p["a"], p["m"] * 1.0, np.sum(p["a"]) * p["s"], np.zeros(3)
@BODY@
        return @RESULT@

    def observe():
        return [scale, count, flag, w, mat, base, box, ws, hist, total, ticks, vars(model), counts,
                buf, zbuf, grid0, GS, GN, GW, rng.bit_generator.state]

    yield f, observe
@CALLS@
'''

BEGIN = {"V": ["v0"], "M": ["m0"], "S": ["s0"], "Z": ["z0"]}
ATOMS = {
    "v": ["x", "p['a']", "v0"], "m": ["p['m']", "m0"], "s": ["s", "p['s']", "s0"], "i": ["n"],
    "b": ["n > 1"], "e": ["np.zeros(0)"], "z": ["np.array(0.5)"],
}  # fmt: skip
SHORT = {"np.roll3({v})": "np.concatenate([{v}[2:], {v}[:2]])",
         "np.vstack2({v}, {v})": "np.concatenate([{v}[None], {v}[None] * 0.5])"}  # fmt: skip


@dataclass(frozen=True)
class Program:
    """The parts of a program: statements of f, its outputs, and calls with changes before them."""

    body: tuple[str, ...]
    outputs: tuple[str, ...]
    calls: tuple[str, ...]

    @property
    def source(self) -> str:
        """The text of the module."""
        body = "\n".join(_indented(part, 8) for part in self.body) or "        pass"
        calls = "\n".join(_indented(part, 4) for part in self.calls)
        text = TEMPLATE.replace("@BODY@", body).replace("@RESULT@", ", ".join(self.outputs))
        return text.replace("@CALLS@", calls)

    def smaller(self) -> list[Program]:
        """List the programs that lack one part of this one: a statement, an output, a call."""
        fewer = [replace(self, body=_without(self.body, n)) for n in range(len(self.body))]
        fewer += [replace(self, calls=_without(self.calls, n)) for n in range(len(self.calls))]
        outputs = range(1, len(self.outputs))
        fewer += [replace(self, outputs=_without(self.outputs, n)) for n in outputs]
        for number, call in enumerate(self.calls):
            lines = tuple(call.split("\n"))
            for n in range(len(lines) - 1):  # the last one is the call
                calls = list(self.calls)
                calls[number] = "\n".join(_without(lines, n))
                fewer.append(replace(self, calls=tuple(calls)))
        return fewer


def program(seed: int, size: int) -> Program:
    """Make a program of that many statements."""
    return _Maker(random.Random(seed)).program(size)


class _Maker:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.features = ["plain", *(f for f, often in FEATURES.items() if rng.random() < often)]
        self.atoms = {kind: list(names) for kind, names in ATOMS.items()}
        self.places = {kind: list(names) for kind, names in BEGIN.items()}
        self.count = 0

    def program(self, size: int) -> Program:
        if "writes" in self.features:
            self.atoms["v"].append("z0")
        body = [self.statement() for _ in range(size)]
        names = [n for kind in "VMS" for n in self.places[kind]] + ["z0"]
        total = " + ".join(f"{k + 1}.0 * np.sum({n})" for k, n in enumerate(names))
        outputs = (f"0.1 * ({total})", *self.rng.sample(names, min(3, len(names))))
        return Program(tuple(body), outputs, tuple(self.calls()))

    def table(self, tables: dict[str, list[str]]) -> list[str]:
        """The templates of one of the features; plain ones are as likely as all the others."""
        present = [tables[f] for f in self.features if f in tables]
        return self.rng.choice(present)

    def expression(self, kind: str, depth: int) -> str:
        if depth <= 0 or self.rng.random() < 0.3:
            return self.rng.choice(self.atoms[kind])
        template = self.rng.choice(self.table(EXPRESSIONS[kind]))
        return self.fill(SHORT.get(template, template), depth - 1)

    def fill(self, template: str, depth: int) -> str:
        same: dict[str, str] = {}  # a place named twice in a statement is one place

        def hole(match: re.Match[str]) -> str:
            kind = match[1]
            if kind in BEGIN:
                return same.setdefault(kind, self.rng.choice(self.places[kind]))
            return self.expression(kind, depth)

        return re.sub(r"\{(\w)\}", hole, template)

    def statement(self, depth: int = 2) -> str:
        template = self.rng.choice(self.table(STATEMENTS))
        nested = "@" in template or "return" in template or "raise" in template
        if depth < 2 and (nested or template.startswith("new")):
            template = self.rng.choice(["{V} = {v}", "{S} = {s}", "{V} = {V} + {v}"])
        if template.startswith("new"):
            kind, self.count = template[4], self.count + 1
            name = f"{kind}{self.count}"
            line = f"{name} = {self.fill(template[8:], depth)}"
            self.atoms[kind].append(name)
            self.places[kind.upper()].append(name)
            return line
        lines = []
        for line in self.fill(template, depth).split("\n"):
            indent = line[: len(line) - len(line.lstrip())]
            if line.strip() == "@":
                line = _indented(self.statement(depth - 1), len(indent))
            lines.append(line)
        return "\n".join(lines)

    def calls(self) -> list[str]:
        single = "exotic" in self.features and self.rng.random() < 0.3
        dtype = ', "f4"' if single else ""
        known: list[str] = []
        parts = []
        for number in range(6):
            changes = ""
            while number > 1 and self.rng.random() < 0.4:
                tables = [CHANGES[f] for f in self.features if f in CHANGES]
                if not tables:
                    break
                line = self.rng.choice(self.rng.choice(tables))
                line = re.sub(r"\{c\}", lambda _: self.number(), line)
                changes += line.replace("{n}", str(self.rng.randrange(5))) + "\n"
            if known and self.rng.random() < 0.4:
                arguments = self.rng.choice(known)
            else:
                v, m, x = (self.numbers(k) for k in (3, 6, 3))
                s = self.rng.choice([self.number(), self.number(), "2", "0.0"])
                arguments = (
                    f'{{"a": np.array({v}{dtype}), "m": np.array({m}{dtype}).reshape(2, 3), '
                    f'"s": {self.number()}}}, np.array({x}), {self.rng.randrange(4)}, {s}'
                )
                known.append(arguments)
            parts.append(f"{changes}yield {arguments}")
        return parts

    def number(self) -> str:
        return f"{self.rng.uniform(-1.5, 1.5):.3f}"

    def numbers(self, count: int) -> str:
        return "[" + ", ".join(self.number() for _ in range(count)) + "]"


def _indented(text: str, spaces: int) -> str:
    return "\n".join(" " * spaces + line for line in text.split("\n"))


def _without(parts: tuple[str, ...], number: int) -> tuple[str, ...]:
    return parts[:number] + parts[number + 1 :]


if __name__ == "__main__":
    import sys

    from tests.sound import lockstep

    sys.exit(lockstep.long_run(float(sys.argv[1]), int(sys.argv[2])))
