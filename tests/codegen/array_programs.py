"""Random programs of array operations as source text: elementwise, reductions, products, loops.

`Program(seed, size)` always makes the same one: a function of a dict of arrays, and arguments of
many shapes, dtypes and layouts in memory. Statements are tried as they are made, and those that
raise or give large numbers are left out, so every program is one that NumPy runs.

    python -m tests.codegen.array_programs SECONDS SEED    a long run; prints what fails
"""

import linecache
import random

import numpy as np

SHAPES = [
    (3, 4),
    (4,),
    (3, 1),
    (1, 4),
    (3,),
    (4, 4),
    (2, 3, 4),
    (1, 1),
    (1,),
    (4, 3),
    (6,),
    (2, 1, 4),
]
LAYOUTS = {
    "C": lambda a: a,
    "Fortran": np.asfortranarray,
    "strided": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "reversed": lambda a: np.ascontiguousarray(a[::-1])[::-1],
    "broadcast": lambda a: np.broadcast_to(a[:1], a.shape),
}
UNARY = [
    "np.tanh({a})", "np.sin({a})", "np.cos({a})", "np.exp(-np.abs({a}))", "{a} ** 2", "-{a}",
    "+{a}",
    "np.sqrt(np.abs({a}) + 0.5)", "np.log1p(np.abs({a}))", "np.exp(np.tanh({a}))", "np.sign({a})",
    "np.log(1.5 + np.abs({a}))", "np.arctan({a})", "{a} ** 3", "np.floor({a})", "np.copy({a})",
    "(np.abs({a}) + 0.1) ** 1.5", "np.expm1(np.tanh({a}))", "np.logaddexp({a}, 0.0)",
    "np.clip({a}, -1, 1)", "1.0 / (1.0 + np.exp(-{a}))", "{a} * {c}", "{a} - {c}",
]  # fmt: skip
BINARY = [
    "{a} + {b}", "{a} - {b}", "{a} * {b}", "{a} / (2.0 + np.abs({b}))", "np.maximum({a}, {b})",
    "np.minimum({a}, {b})", "np.hypot({a}, {b})", "np.arctan2({a}, {b} + 0.3)", "{a} * {b} + {a}",
    "np.where({a} > {b}, {a}, {b})", "np.where({a} < {b}, {a}, 0.0)", "{a} * ({b} > 0)",
    "np.fmax({a}, {b})", "np.remainder({a}, 2.0 + np.abs({b}))", "np.where(mask, {a}, {c})",
    "(0.3 + np.abs({a})) ** {b}", "{a} * mask", "{a} * n", "n / ({a} * {a} + 1)",
]  # fmt: skip
REDUCED = [
    "np.{r}({a}, axis={x})", "np.{r}({a}, axis={x}, keepdims=True)",
    "{a} - np.{r}({a}, axis={x}, keepdims=True)",
    "np.exp({a} - np.max({a}, axis={x}, keepdims=True))",
    "{a} / (1.0 + np.abs(np.{r}({a}, axis={x}, keepdims=True)))", "np.linalg.norm({a}, axis=-1)",
]  # fmt: skip
MOVED = [
    "{a}[{k}]", "{a}[{k}]", "{a}.T", "{a}.reshape(-1)", "{a}[..., None]", "np.squeeze({a})",
    "np.expand_dims({a}, 0)", "{a}.reshape(2, -1)", "np.swapaxes({a}, 0, -1)", "{a}.T[::-1]",
    "np.broadcast_to({a}, (2, *{a}.shape))", "np.concatenate([{a}, {a} * 0.5])", "np.cumsum({a})",
    "np.concatenate([{a}[1:], {a}[:1]])", "np.stack([{a}, np.tanh({a})])", "{a}[[0]]",
    "np.outer({a}, {a}[:1])", "np.stack([{a}, {a}], axis=-1)", "{a}.astype('f4')",
    "{a}.astype('f8')",
    "np.full({a}.shape, 0.25) * {a}", "{a} @ {b}", "np.tanh({a} @ {b}.T)", "{a} @ {a}.T",
    "np.linalg.inv({a} * 0.2 + np.eye(len({a})))", "np.linalg.det({a} * 0.2 + np.eye(len({a})))",
]  # fmt: skip
WRITTEN = [
    "{v} = np.zeros({a}.shape)\n{v}[{k}] = {a}[{k}] * 2.0", "{v} = {a} * 1.0\n{v}[{k}] += {c}",
    "{v} = np.tanh({a})\n{v}[1:] += {v}[:-1] * 0.5", "{v} = np.tanh({a})\n{v}[:-1] = {v}[1:] * 1.0",
    "{v} = {a} * 0.5\n{v} += {a}\n{v}[{k}] *= 0.5", "{v} = {a}.copy()\nw{v} = {v}[{k}]\n{v} *= 2.0",
    "{v} = np.sin({b}) * {a} if np.sum({a}) > 0.2 else {a} * 0.5 + {b}",
]  # fmt: skip
LOOP = "{v} = {s}\ny = {a} * 0.3\nt = {u}\nh = []\nfor k in range({m}):\n    {body}\n{v} = {end}"
STARTS, TOTALS = (
    ["{a}", "{a} * 1.0", "{a}.copy()", "np.zeros({a}.shape)"],
    ["0.5", "np.sum({a}) * 0.01"],
)
BODIES = [
    "{v} = np.tanh({v} * {b} + {a})", "{v} = {v}[::-1] * 0.5 + np.sin({v}) * {b}",
    "{v}, y = y * 0.5, np.sin({v} + {b})", "{v} = np.tanh({v} + k * 0.1) * {a}",
    "{v} = {v} - np.mean({v}, axis=-1, keepdims=True) * 0.1\n    {v} = np.cos({v}) + {b}",
    "y = y * 0.9 + {v}\n    {v} = np.tanh(y * {b})", "{v} = {v}.T * 0.5 + {a}",
    "t = t + np.sum({v}) * 0.1\n    {v} = np.tanh({v} * {b} + t)",
    "{v} = np.logaddexp({v} * 0.5, {b}) * 0.3", "h.append({v})\n    {v} = np.sin({v}) * {a}",
    "{v} = np.where({v} > 0, {v} * 0.5, np.sin({v}) + {b})", "{v} = np.tanh({v} @ {a} + {b})",
    "{v} = np.linalg.inv({v} * 0.1 + np.eye(len({v}))) * 0.5 + {a} * 0.1",
]  # fmt: skip
ENDS = ["{v}", "{v} + y", "{v} * t", "sum(h) * 0.1 + {v}", "h[3] + h[-1] + {v}"]
CONSTANTS = ["0.5", "2.0", "-1.5", "1", "3", "0.1", "np.float64(0.3)", "0.0"]
KEYS = [":", "1:", ":-1", "::-1", "::2", "0", "-1", "0:1", "None", "..."]
OUTPUTS = ["{a}", "{a}", "{a}.T", "{a}[::-1]", "{a}[0]", "{a}.reshape(-1)", "{a}[:1]"]


class Program:
    """A function `f(p, mask, n)` of a dict of arrays, its text, and sample arguments."""

    def __init__(self, seed, size):
        self.rng = random.Random(seed)
        single = self.rng.random() < 0.25
        arrays = {f"a{i}": self._array("f4" if single else "f8") for i in range(3)}
        arrays["s"] = self.rng.choice([0.7, np.float64(0.4), np.float32(-0.6)])
        shape = self.rng.choice(SHAPES)
        mask, n = self._array("f8", shape) > 0, (self._array("f8", shape) * 3).astype(int)
        self.args = arrays, mask, n
        self.known = {"np": np, "mask": mask, "n": n, **arrays}
        self.names, self.lines = list(arrays), []
        self._grow(f"<program {seed} {size}>", size, {"np": np})
        self.single = single or "f4" in self.text or type(arrays["s"]) is np.float32

    def _grow(self, title, size, scope):
        """Add statements, and make a function of them in a scope."""
        for _ in range(size * 6):
            if len(self.lines) < size:
                self._try(self._statement())
        self.text = self._text()
        linecache.cache[title] = (len(self.text), None, self.text.splitlines(True), title)
        exec(compile(self.text, title, "exec"), scope)
        self.function = scope["f"]

    def _array(self, dtype, shape=None):
        numbers = np.random.default_rng(self.rng.randrange(10**9)).normal(
            size=shape or self.rng.choice(SHAPES)
        )
        layout = self.rng.choice(["C", "C", "C", *LAYOUTS])
        return LAYOUTS[layout](numbers.astype(dtype))

    def _pick(self, like=None):
        """Choose a variable, mostly one of the last, or one that broadcasts with `like`."""
        names = self.names[-4:] if self.rng.random() < 0.7 else self.names
        if like is not None:
            names = [n for n in self.names if _fits(self.known[n], self.known[like])]
        return self.rng.choice(names)

    def _statement(self):
        rng, v = self.rng, f"v{len(self.lines)}"
        a = self._pick()
        given = {
            "v": v, "a": a, "b": self._pick(a), "c": rng.choice(CONSTANTS),
            "k": ", ".join(rng.choices(KEYS, k=rng.choice([1, 1, 2]))), "x": rng.choice(
                ["None", "0", "-1", "1", "(0, 1)", "()"]),
            "r": rng.choice(["sum", "sum", "mean", "max", "min", "prod", "std", "var"]),
            "m": rng.choice([9, 12, 13]),
        }  # fmt: skip
        kind = rng.choice([UNARY, UNARY, BINARY, BINARY, REDUCED, MOVED, MOVED, WRITTEN, BODIES])
        template = rng.choice(kind)
        if kind is WRITTEN:
            return v, template.format(**given)
        if kind is not BODIES:
            return v, f"{v} = {template.format(**given)}"
        parts = {"body": template, "s": rng.choice(STARTS), "u": rng.choice(TOTALS)}
        parts["end"] = rng.choice(ENDS[3:] if "append" in template else ENDS[:3])
        return v, LOOP.format(**given, **{k: text.format(**given) for k, text in parts.items()})

    def _try(self, statement):
        name, text = statement
        scope = {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in self.known.items()}
        try:
            with np.errstate(all="ignore"):
                exec(text, scope)
        except (ValueError, IndexError, TypeError, AttributeError, np.linalg.LinAlgError):
            return
        value = scope[name]
        if not isinstance(value, (np.ndarray, np.floating)) or value.dtype.kind != "f":
            return
        if not 0 < value.size < 400 or not np.isfinite(value).all() or np.abs(value).max() > 50:
            return
        self.known[name] = value
        self.names.append(name)
        self.lines.append(text)

    def _total(self):
        read = self.rng.sample(self.names, min(len(self.names), 5))
        return " + ".join(f"0.{i + 1} * np.sum({name})" for i, name in enumerate(read))

    def _text(self):
        rng, outputs = self.rng, [self._total()]
        for name in rng.sample(self.names, min(len(self.names), 3)):
            plain = np.ndim(self.known[name]) == 0
            outputs.append(name if plain else rng.choice(OUTPUTS).format(a=name))
        arguments = [f"{name} = p[{name!r}]" for name in self.args[0]]
        lines = [line for text in (*arguments, *self.lines) for line in text.split("\n")]
        body = "\n".join(f"    {line}" for line in lines)
        return f"def f(p, mask, n):\n{body}\n    return {', '.join(outputs)}\n"


def _fits(value, other):
    try:
        return np.broadcast_shapes(np.shape(value), np.shape(other)) in (
            np.shape(value),
            np.shape(other),
        )
    except ValueError:
        return False


if __name__ == "__main__":
    import sys

    from tests.codegen import test_array_programs

    sys.exit(test_array_programs.long_run(float(sys.argv[1]), int(sys.argv[2])))
