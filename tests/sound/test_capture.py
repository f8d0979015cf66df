"""What a function reads from outside is what it is now: rebound, changed in place, deleted, added.

Each scenario changes something between calls; `check` compares every call with plain Python.
Those in COMPILED must be compiled too; the others may run in direct mode.
"""

import enum
import functools
import math
import types
from collections import OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass

import numpy as np
import pytest

from tests.sound.support import MODES, X, check, module
from tracejit import jit_grad

Y = np.array([3.0, -1.0, 0.5])


def twice():
    """Two calls: what changed is noticed, and what was noticed is kept."""
    yield None
    yield None


# -- closure cells --------------------------------------------------------------------------------
def closure_array():
    w = np.ones(3)
    yield lambda x: np.sum(x * w)
    yield from twice()
    w[:] = Y
    yield from twice()
    w[1] += 1.0
    yield None
    w = Y * 2.0
    yield from twice()
    w = w.astype("f4")
    yield from twice()
    w = np.ones((2, 3))
    yield from twice()
    w = np.ones((3, 2)).T
    yield from twice()
    w = np.arange(3)
    yield from twice()
    w = np.array([True, False, True])
    yield from twice()
    w = np.float32(2.0)
    yield from twice()
    w = np.array(2.0)
    yield from twice()
    w = 2.0
    yield from twice()


def closure_array_of_other_memory():
    base = np.arange(12.0)
    w = base[:3]
    yield lambda x: np.sum(x * w)
    yield from twice()
    base += 1.0  # seen through the view
    yield from twice()
    w = base[::2][:3]
    yield from twice()
    w = base[::-1][:3]
    yield from twice()
    w = np.broadcast_to(np.float64(2.0), (3,))
    yield from twice()
    w = base.astype(">f8")[:3]
    yield from twice()


def closure_numbers():
    scale, power = 2.0, 2
    yield lambda x: (np.sum(x**power) * scale, scale * power)
    yield from twice()
    for scale in (3.0, -0.0, math.inf, 1e300, 3.0):  # noqa: B007
        yield None
    for power in (3, 2, 1, 0, 3):  # noqa: B007
        yield None
    scale = 2
    yield from twice()
    scale = True
    yield from twice()
    scale = np.float64(1.5)
    yield from twice()
    scale = np.float32(1.5)
    yield from twice()
    power = 2.0
    yield from twice()


def closure_int_in_a_range():
    count = 2

    def f(x):
        for i in range(count):
            x = np.sin(x) + i
        return np.sum(x)

    yield f
    for count in (2, 2, 3, 0, 3):  # noqa: B007
        yield None


def closure_bool_none_and_text():
    flag, bias, mode = True, None, "sin"

    def f(x):
        y = np.sin(x) if mode == "sin" else np.cos(x) if mode == "cos" else x
        y = y if bias is None else y + bias
        return np.sum(y * y if flag else y)

    yield f
    yield from twice()
    flag = False
    yield from twice()
    bias = 0.5
    yield from twice()
    bias = Y
    yield from twice()
    mode = "cos"
    yield from twice()
    flag, mode, bias = True, "none", None
    yield from twice()


def a_function_by_its_name():
    mode, axes = "sin", (0, -1)

    def f(x):
        return np.sum(getattr(np, mode)(x)) * math.sqrt(len(mode)) + x[axes[1]]

    yield f
    yield from twice()
    mode = "cos"
    yield from twice()
    mode = "tanh"
    axes = (0, 1)
    yield from twice()


def closure_helper():
    scale = 2.0

    def helper(x):
        return x * scale

    yield lambda x: np.sum(helper(x))
    yield from twice()
    scale = 3.0
    yield from twice()
    first = helper

    def helper(x):
        return np.exp(-x)

    yield from twice()
    helper = np.sin
    yield from twice()
    helper = first
    yield from twice()
    helper = lambda x, y=5.0: x + y
    yield from twice()


def closure_of_a_closure():
    def make(scale):
        def inner(x):
            return x * scale + shift

        def rescale(value):
            nonlocal scale
            scale = value

        return inner, rescale

    shift = 1.0
    inner, rescale = make(2.0)
    yield lambda x: np.sum(inner(x) ** 2)
    yield from twice()
    rescale(3.0)
    yield from twice()
    shift = Y
    yield from twice()
    rescale(Y)
    yield from twice()
    inner, rescale = make(7.0)
    yield from twice()


def closure_deleted():
    scale = 2.0
    yield lambda x: np.sum(x * scale)
    yield from twice()
    del scale
    yield from twice()  # NameError
    scale = 3.0
    yield from twice()


def the_parameter_is_the_captured_array():
    w = Y.copy()
    yield lambda x: np.sum(x * w)
    for _ in range(3):
        yield (w,)
    w *= 2.0
    yield (w,)
    yield (Y,)
    yield (w,)


def two_names_of_one_array():
    a = Y.copy()
    b = a
    yield lambda x: np.sum(x * a + np.sin(x) * b)
    yield from twice()
    a += 1.0
    yield from twice()
    b = Y.copy()
    yield from twice()
    b[0] = 9.0
    yield from twice()


# -- globals, also of other modules, and helpers --------------------------------------------------
GLOBALS = """
import math
import numpy as np

SCALE = 2.0
COUNT = 2
MODE = "sin"
W = np.ones(3)
SETTINGS = {"rate": 0.5, "w": np.ones(3)}

def shifted(x, by=1.0, *, times=1.0):
    return x * times + by

def loss(x):
    y = shifted(x * W) * SCALE
    for _ in range(COUNT):
        y = np.tanh(y)
    y = np.sin(y) if MODE == "sin" else np.cos(y)
    return np.sum(y * SETTINGS["rate"] * SETTINGS["w"]) * abs(SCALE)
"""


def globals_of_another_module():
    m = module(GLOBALS)
    yield m.loss
    yield from twice()
    m.SCALE = 3.0
    yield from twice()
    m.SCALE = -1.5
    yield from twice()
    m.W[:] = Y
    yield from twice()
    m.W = Y * 2.0
    yield from twice()
    m.COUNT = 1
    yield from twice()
    m.MODE = "cos"
    yield from twice()
    m.SETTINGS["rate"] = 0.25
    yield from twice()
    m.SETTINGS["w"][1] = 5.0
    yield from twice()
    m.SETTINGS = {"rate": 1.0, "w": Y}
    yield from twice()


def helper_of_another_module():
    m = module(GLOBALS)
    yield lambda x: np.sum(m.shifted(x) * m.SCALE)
    yield from twice()
    m.SCALE = 4.0
    yield from twice()
    m.shifted = lambda x: x * x
    yield from twice()
    m = module(GLOBALS.replace("+ by", "- by"))
    yield from twice()


def helper_reads_its_own_globals():
    m = module(GLOBALS)
    other = module("from numpy import sum\nSCALE = 10.0\n")
    other.loss = m.loss
    exec("def f(x):\n    return loss(x) * SCALE + sum(x)", vars(other))
    yield other.f
    yield from twice()
    m.SCALE = 0.5
    yield from twice()
    other.SCALE = 20.0
    yield from twice()


def a_global_is_deleted_and_a_builtin_shadowed():
    m = module(GLOBALS)
    yield m.loss
    yield from twice()
    m.abs = lambda value: 7.0
    yield from twice()
    del m.abs
    yield from twice()
    del m.SCALE
    yield from twice()  # NameError
    m.SCALE = 2.0
    yield from twice()


def code_of_a_helper_is_replaced():
    m = module(GLOBALS)
    other = module(GLOBALS.replace("x * times + by", "x * x - by * times"))
    yield m.loss
    yield from twice()
    m.shifted.__code__ = other.shifted.__code__
    yield from twice()
    m.shifted.__defaults__ = (5.0,)
    yield from twice()
    m.shifted.__defaults__ = (Y,)
    yield from twice()
    m.shifted.__kwdefaults__ = {"times": 3.0}
    yield from twice()
    m.shifted.__kwdefaults__["times"] = 4.0
    yield from twice()
    m.shifted.__defaults__ = None
    yield from twice()  # TypeError: by is missing


def code_of_the_function_itself_is_replaced():
    def f(x, w=Y, *, shift=1.0):
        return np.sum(x * w) + shift

    yield f
    yield from twice()
    f.__code__ = (lambda x, w, *, shift: np.sum(x - w) * shift).__code__
    yield from twice()
    f.__defaults__ = (Y * 2.0,)
    yield from twice()
    f.__kwdefaults__ = {"shift": 4.0}
    yield from twice()


def attributes_of_a_function():
    def helper(x):
        return x * helper.scale

    def f(x):
        return np.sum(helper(x)) * f.rate

    helper.scale, f.rate = 2.0, 0.5
    yield f
    yield from twice()
    helper.scale = 3.0
    yield from twice()
    helper.scale = Y
    yield from twice()
    f.rate = 0.25
    yield from twice()
    del helper.scale
    yield from twice()  # AttributeError


def default_arguments():
    w = Y.copy()

    def helper(x, by=w):
        return x * by

    def f(x, w=w, scale=2.0):
        return np.sum(helper(x) * w) * scale

    yield f
    yield from twice()
    w[:] = 2.0
    yield from twice()
    yield X, Y
    yield X, Y, 3.0
    yield None


def partials():
    w = Y.copy()

    def f(w, x, scale=1.0, *, shift):
        return np.sum(np.sin(x) * w) * scale + shift

    bound = functools.partial(f, w, shift=0.5)
    yield bound
    yield from twice()
    w *= 2.0
    yield from twice()
    bound.keywords["shift"] = 1.5
    yield from twice()
    bound.keywords["scale"] = 3.0
    yield from twice()
    f.__defaults__ = (9.0,)
    yield from twice()


def a_wrapper_with_other_arguments():
    w = Y.copy()

    def with_weights(f):
        @functools.wraps(f)
        def inner(x, scale, shift):
            return f(w, x) * scale + shift

        return inner

    @with_weights
    def f(w, x):
        return np.sum(np.sin(x) * w)

    yield f
    yield X, 2.0, 1.0
    yield X, 2.0, 1.0
    w[:] = 2.0
    yield X, 2.0, 1.0
    yield X, 3, 0.5


def names_imported_inside():
    m = module(GLOBALS)

    def f(x):
        from math import pi

        import numpy as n

        return n.sum(m.shifted(x)) * pi * m.SCALE

    yield f
    yield from twice()
    m.SCALE = 3.0
    yield from twice()


# -- objects: attributes, classes, methods --------------------------------------------------------
def make_model():
    """A fresh class hierarchy and an instance with a nested one."""

    class Base:
        gain = 2.0

        def scaled(self, x):
            return x * self.gain

        @property
        def norm(self):
            return np.sum(self.w**2)

        @staticmethod
        def bent(x):
            return np.tanh(x)

        @classmethod
        def gained(cls, x):
            return x + cls.gain

    class Layer(Base):
        def __init__(self, w):
            self.w = w

        def scaled(self, x):
            return super().scaled(x) + 1.0

        def __call__(self, x):
            return self.gained(self.bent(self.scaled(x) * self.w))

    class Model:
        def __init__(self):
            self.layers = [Layer(Y.copy()), Layer(np.ones(3))]
            self.w = np.ones(3)
            self.power = 2
            self.rate = 0.5
            self.bias = None

        def loss(self, x):
            y = x * self.w
            for layer in self.layers:
                y = layer(y)
            if self.bias is not None:
                y = y + self.bias
            return np.sum(y**self.power) * self.rate + self.penalty()

        def penalty(self):
            return sum(layer.norm for layer in self.layers) * 0.01

    return Base, Layer, Model, Model()


def a_plain_model():
    class Model:
        def __init__(self):
            self.w, self.b, self.steps, self.rate = Y.copy(), np.zeros(3), 2, 0.5

        def forward(self, x):
            for _ in range(self.steps):
                x = np.tanh(x * self.w + self.b)
            return x

        def loss(self, x):
            return np.sum(self.forward(x) ** 2) * self.rate

    m = Model()
    yield m.loss
    yield from twice()
    m.w[:] = 2.0
    yield from twice()
    m.w = X.copy()
    yield from twice()
    m.w -= 0.1 * m.b + 0.2
    yield from twice()
    m.steps = 3
    yield from twice()
    m.rate = 0.25
    yield from twice()


def attributes_of_self():
    *_, m = make_model()
    yield m.loss
    yield from twice()
    m.w[:] = 2.0
    yield from twice()
    m.w = Y
    yield from twice()
    m.rate = 0.25
    yield from twice()
    m.power = 3
    yield from twice()
    m.bias = Y
    yield from twice()
    m.bias = None
    yield from twice()
    m.w = Y.astype("f4")
    yield from twice()
    m.w = np.ones((2, 3))
    yield from twice()
    m.w = np.ones(3)
    yield from twice()


def attributes_of_nested_objects():
    _, Layer, _, m = make_model()
    yield lambda x: m.loss(x) * m.rate
    yield from twice()
    m.layers[1].w = Y
    yield from twice()
    m.layers[0].w[0] = 5.0
    yield from twice()
    m.layers.append(Layer(np.ones(3)))
    yield from twice()
    m.layers.pop(0)
    yield from twice()
    m.layers = []
    yield from twice()
    m.layers = [Layer(Y), Layer(Y), Layer(Y)]
    yield from twice()


def class_attributes_and_methods():
    Base, Layer, Model, m = make_model()
    yield m.loss
    yield from twice()
    Base.gain = 3.0
    yield from twice()
    Layer.gain = 4.0  # before that of the base
    yield from twice()
    m.layers[0].gain = 5.0  # before that of the class
    yield from twice()
    del m.layers[0].gain, Layer.gain
    yield from twice()
    Base.scaled = lambda self, x: x * x
    yield from twice()
    del Layer.scaled
    yield from twice()
    Base.norm = property(lambda self: np.sum(self.w) * 2.0)
    yield from twice()
    Base.bent = staticmethod(np.sin)
    yield from twice()
    Layer.bent = np.cos  # a ufunc is no method
    yield from twice()
    Model.penalty = lambda self: 0.0
    yield from twice()


def attributes_come_and_go():
    class Model:
        limit = 1.0

    m = Model()
    m.w = Y

    def f(x):
        y = x * m.w * m.limit
        if hasattr(m, "bias"):
            y = y + m.bias
        return np.sum(y) * getattr(m, "rate", 2.0)

    yield f
    yield from twice()
    m.bias = 1.0
    yield from twice()
    m.rate = 0.5
    yield from twice()
    del m.bias
    yield from twice()
    m.limit = Y
    yield from twice()
    del m.limit
    yield from twice()
    Model.bias = 3.0
    yield from twice()
    del m.w
    yield from twice()  # AttributeError
    m.w = X
    yield from twice()


def methods_on_an_instance_and_another_class():
    Base, Layer, Model, m = make_model()

    class Other(Model):
        def penalty(self):
            return self.rate * 100.0

    yield lambda x: m.loss(x)
    yield from twice()
    m.penalty = lambda: 42.0
    yield from twice()
    del m.penalty
    yield from twice()
    m.__class__ = Other
    yield from twice()
    m.__dict__ = {**vars(m), "rate": 3.0}
    yield from twice()
    m = Model()
    yield from twice()


def slots_descriptors_and_getattr():
    class Slotted:
        __slots__ = ("w",)

    class Field:
        def __get__(self, instance, owner):
            return instance.__dict__["hidden"] * 2.0

    class Dynamic:
        field = Field()

        def __getattr__(self, name):
            return self.__dict__["table"][name]

    s, d = Slotted(), Dynamic()
    s.w, d.hidden, d.table = Y, 1.0, {"rate": 0.5}
    yield lambda x: np.sum(x * s.w) * d.field + d.rate
    yield from twice()
    s.w = X
    yield from twice()
    d.hidden = 2.0
    yield from twice()
    d.table["rate"] = 1.5
    yield from twice()
    d.rate = 8.0
    yield from twice()


def cached_properties():
    class Model:
        w = Y

        @functools.cached_property
        def half(self):
            return self.w / 2.0

    m = Model()
    yield (lambda x: np.sum(x * m.half)), lambda: dict(vars(m))
    yield from twice()
    m.w = X
    yield from twice()
    del m.half
    yield from twice()


def instances_are_asked_for():
    class Model:
        pass

    class Special(Model):
        pass

    m = Model()
    w = Y

    def f(x, s=1.0):
        y = x * 2.0 if isinstance(m, Special) else x
        y = y * w if isinstance(w, np.ndarray) else y + 1.0
        y = y * 3.0 if isinstance(s, int) else y * s
        y = y if isinstance(x, np.ndarray) else y * 5.0
        return np.sum(y)

    yield f
    yield from twice()
    m = Special()
    yield from twice()
    w = None
    yield from twice()
    w = [1.0]
    yield from twice()
    for s in (2.0, 2, True, np.float64(2.0), np.int64(2), 2.0):
        yield X, s
        yield X, s
    for x in (2.0, np.float64(2.0), np.array(2.0), X.astype("f4"), X):
        yield (x,)
        yield (x,)


def enums():
    class Kind(enum.Enum):
        SUM = 1
        MEAN = 2

    kind = Kind.SUM
    yield lambda x: np.sum(x**2) if kind is Kind.SUM else np.mean(x**2)
    yield from twice()
    kind = Kind.MEAN
    yield from twice()


# -- containers -----------------------------------------------------------------------------------
def captured_dict():
    p = {"w": Y.copy(), "rate": 0.5, "deep": {"b": [np.ones(3), 2.0]}}

    def f(x):
        y = x * p["w"] + p["deep"]["b"][0] * p["deep"]["b"][1]
        if "shift" in p:
            y = y + p["shift"]
        return np.sum(np.sin(y)) * p.get("rate", 3.0) * len(p)

    yield f
    yield from twice()
    p["w"][:] = 2.0
    yield from twice()
    p["w"] = X
    yield from twice()
    p["deep"]["b"][0][1] = 7.0
    yield from twice()
    p["deep"]["b"][1] = 3.0
    yield from twice()
    p["deep"] = {"b": (Y, 1)}
    yield from twice()
    p["shift"] = 1.0
    yield from twice()
    del p["rate"]
    yield from twice()
    p["w"] = p["w"].astype("f4")
    yield from twice()
    p = {"w": Y, "deep": {"b": [Y, Y]}, "rate": 1.0}
    yield from twice()


def captured_list():
    ws = [np.ones(3), Y.copy()]

    def f(x):
        for i, w in enumerate(ws):
            x = np.sin(x * w) + i
        return np.sum(x) + len(ws)

    yield f
    yield from twice()
    ws[0] = Y
    yield from twice()
    ws[1] *= 2.0
    yield from twice()
    ws.append(np.ones(3))
    yield from twice()
    ws.reverse()
    yield from twice()
    del ws[1:]
    yield from twice()
    ws.clear()
    yield from twice()
    ws = (Y, Y)
    yield from twice()


def every_way_to_read_a_dict():
    p = {"b": 2.0, "a": Y.copy()}

    def f(x):
        total = np.sum(x * 0.0)
        for number, (key, value) in enumerate(p.items()):
            total = total + np.sum(x * value) * (number + 1) * len(key)
        for value in p.values():
            total = total + np.sum(value)
        both = {**p, "c": 1.0}
        return total * both["b"] + sum(ord(key) for key in sorted(p)) + len(list(p))

    yield f
    yield from twice()
    p["a"] = X
    yield from twice()
    p["b"] = 3.0
    yield from twice()
    p["b"] = p.pop("b")  # the order changes
    yield from twice()
    p["d"] = 1.0
    yield from twice()


def every_way_to_read_a_list():
    ws = [1.0, 2.0, 3.0]

    def f(x):
        a, *rest = ws
        y = x * a + sum(rest) + max(ws) + ws[-1] * len([w for w in ws if w > 1.5])
        for w, v in zip(ws, reversed(ws), strict=True):
            y = y * 0.1 + w * v
        return np.sum(y * np.array(ws[:3])) + (2.0 in ws) + ws.index(3.0) + x[len(ws) - 4]

    yield f
    yield from twice()
    ws[0] = 3.0
    yield from twice()
    ws[:] = [5.0, 3.0, 1.0]
    yield from twice()
    ws.append(3.5)
    yield from twice()
    ws.remove(3.0)
    yield from twice()  # ValueError: 3.0 is not in list


def containers_of_other_types():
    Point = namedtuple("Point", "a b")
    ordered, default = OrderedDict(a=1.0), defaultdict(lambda: 2.0)
    point, chosen = Point(Y, 2.0), {1, 2}

    class Config(dict):
        def __getattr__(self, name):
            return self[name]

    config = Config(rate=0.5)

    def f(x):
        y = x * ordered["a"] + default["b"] + point.a * point.b
        return np.sum(y) * len(chosen) * config.rate + (3 in chosen)

    yield f, lambda: dict(default)
    yield from twice()
    ordered["a"] = 2.0
    yield from twice()
    default["b"] = Y
    yield from twice()
    default.clear()
    yield from twice()
    point = Point(X, 3.0)
    yield from twice()
    chosen.add(3)
    yield from twice()
    config["rate"] = 0.75
    yield from twice()


def helpers_in_a_dict():
    table = {"sin": np.sin, "own": lambda x: x * x}
    chosen = "sin"
    yield lambda x: np.sum(table[chosen](x))
    yield from twice()
    chosen = "own"
    yield from twice()
    table["own"] = lambda x: x * 3.0
    yield from twice()
    table = {"own": np.exp}
    yield from twice()


def a_list_that_a_helper_walks_recursively():
    tree = [Y.copy(), [np.ones(3), [2.0]]]

    def total(node, x):
        if isinstance(node, list):
            return sum(total(n, x) for n in node)
        return np.sum(node * x)

    yield lambda x: total(tree, x)
    yield from twice()
    tree[1][1].append(3.0)
    yield from twice()
    tree[1][1][0] = Y
    yield from twice()
    tree[0] = [tree[0]]
    yield from twice()


# -- arguments with classes -----------------------------------------------------------------------
def dataclass_arguments():
    FACTOR = 2.0

    @dataclass
    class Shifted:
        w: np.ndarray
        n: float = 1.0
        shift = 0.5

        def scaled(self):
            return self.w * FACTOR + self.shift

        @property
        def total(self):
            return np.sum(self.scaled()) * self.n

        def __call__(self, x):
            return self.w * x

    yield lambda p, x: p.total + np.sum(p(x))
    yield Shifted(Y, 2.0), X
    yield Shifted(Y, 2.0), X
    FACTOR = 3.0
    yield Shifted(Y, 2.0), X
    yield Shifted(X, 3.0), Y
    Shifted.shift = 1.5
    yield Shifted(X), Y
    yield Shifted(X), Y
    Shifted.scaled = lambda self: self.w * self.w
    yield Shifted(X), Y
    yield Shifted(X), Y
    Shifted.__call__ = lambda self, x: self.w - x
    yield Shifted(X), Y
    yield Shifted(X), Y


def namedtuple_arguments():
    class Point(namedtuple("Point", "a b")):
        extra = 2.0

        def twice(self):
            return self.a * self.extra + self.b

    yield lambda p: np.sum(p.twice() ** 2)
    yield (Point(X, 1.0),)
    yield (Point(X, 1.0),)
    Point.extra = 3.0
    yield (Point(X, 1.0),)
    yield (Point(Y, Y),)
    yield (Point(Y, Y),)
    Point.twice = lambda self: self.a * self.b
    yield (Point(Y, Y),)
    yield (Point(Y, Y),)


def an_object_as_an_argument():
    class Settings:
        pass

    def f(x, settings):
        return np.sum(x * settings.w) * settings.rate

    one, two = Settings(), Settings()
    one.w, one.rate, two.w, two.rate = Y.copy(), 2.0, X.copy(), 3
    yield f
    yield X, one
    yield X, one
    yield X, two
    yield X, two
    one.rate = 5.0
    yield X, one
    one.w = Y * 2.0
    yield X, one
    yield X, two
    one.w[0] = -3.0
    yield X, one
    yield X, two


def a_callable_as_an_argument():
    scale = 2.0

    def one(x):
        return x * scale

    yield lambda x, g: np.sum(g(x) ** 2)
    yield X, one
    yield X, one
    yield X, np.sin
    yield X, np.sin
    scale = 3.0
    yield X, one
    yield X, lambda x: x - scale
    yield X, lambda x: x + scale


# Of all of these the contract says that they compile.
COMPILED = [
    closure_array, closure_array_of_other_memory, closure_numbers, closure_int_in_a_range,
    closure_bool_none_and_text, closure_helper, closure_of_a_closure,
    the_parameter_is_the_captured_array, two_names_of_one_array,
    globals_of_another_module, helper_of_another_module, helper_reads_its_own_globals,
    a_plain_model, attributes_of_self, attributes_of_nested_objects, captured_dict, captured_list,
    default_arguments,
]  # fmt: skip
OTHERS = [
    a_function_by_its_name, closure_deleted, a_global_is_deleted_and_a_builtin_shadowed,
    code_of_a_helper_is_replaced, a_wrapper_with_other_arguments,
    code_of_the_function_itself_is_replaced, attributes_of_a_function, partials,
    names_imported_inside, class_attributes_and_methods, attributes_come_and_go,
    methods_on_an_instance_and_another_class, slots_descriptors_and_getattr, cached_properties,
    instances_are_asked_for, enums, every_way_to_read_a_dict, every_way_to_read_a_list,
    containers_of_other_types, helpers_in_a_dict, a_list_that_a_helper_walks_recursively,
    dataclass_arguments, namedtuple_arguments, an_object_as_an_argument, a_callable_as_an_argument,
]  # fmt: skip
by_name = {"ids": lambda scenario: scenario.__name__}


@MODES
@pytest.mark.parametrize("scenario", COMPILED + OTHERS, **by_name)
def test_what_is_captured_is_followed(scenario, optimize):
    check(scenario, optimize)


@pytest.mark.parametrize("scenario", COMPILED, **by_name)
def test_what_is_captured_is_compiled(scenario):
    check(scenario, compiled=True)


# -- what costs a new recording -------------------------------------------------------------------
ANNEALED = np.linspace(1.0, 0.1, 30).tolist()
TEMPERATURE = 1.0


def annealed_closure():
    scale = 0.0
    yield lambda x: np.sum(np.tanh(x * scale)) * scale
    for scale in ANNEALED:  # noqa: B007
        yield None


def annealed_global():
    m = module("import numpy as np\nT = 1.0\ndef f(x):\n    return np.sum(np.exp(-x / T))\n")
    yield m.f
    for value in ANNEALED:
        m.T = value
        yield None


def annealed_argument():
    yield lambda x, t: np.sum(np.exp(-x / t)) + t
    for value in ANNEALED:
        yield X, value


def annealed_keyword():
    def f(x, *, t=1.0):
        return np.sum(np.exp(-x / t)) + t

    yield lambda x, t: f(x, t=t)
    for value in ANNEALED:
        yield X, value


def annealed_attribute():
    *_, m = make_model()
    yield m.loss
    for m.rate in ANNEALED:
        yield None


def annealed_entry():
    state = {"t": [1.0, None]}
    yield lambda x: np.sum(x * state["t"][0])
    for value in ANNEALED:
        state["t"][0] = value
        yield None


def weights_in_place():
    w = np.ones(3)
    yield lambda x: np.sum(np.sin(x * w))
    for value in ANNEALED:
        w[:] = value
        yield None


def weights_rebound():
    *_, m = make_model()
    yield m.loss
    for value in ANNEALED:
        m.w = np.full(3, value)
        yield None


@pytest.mark.parametrize(
    "scenario",
    [annealed_closure, annealed_global, annealed_argument, annealed_keyword, annealed_attribute,
     annealed_entry, weights_in_place, weights_rebound],
    **by_name,
)  # fmt: skip
def test_changed_values_cost_no_new_recording(scenario):
    df = check(scenario, compiled=True)
    assert df.cache_info().misses == 1, df.explain()


# -- decorated methods, and functions that share code ---------------------------------------------
@MODES
def test_decorated_methods_follow_their_instance(optimize):
    class Model:
        factor = 1.0

        def __init__(self, w, power):
            self.w, self.power = w, power

        @jit_grad(optimize=optimize, audit=False)
        def loss(self, p, x):
            return np.sum((p * x * self.w) ** self.power) * self.factor

    a, b = Model(Y.copy(), 2), Model(X.copy(), 1)
    models = [a, a, b, b, a]

    def verify(m):
        grad, value = m.loss(np.ones(3), X)
        base = X * m.w
        np.testing.assert_allclose(value, np.sum(base**m.power) * m.factor)
        np.testing.assert_allclose(grad, m.power * base**m.power * m.factor)

    for m in models:
        verify(m)
    a.w = Y * 2.0
    b.w[0] = -4.0
    for m in models:
        verify(m)
    Model.factor = 3.0
    b.power = 3
    for m in models:
        verify(m)


@MODES
def test_closures_of_one_code_are_apart(optimize):
    def make(w, scale):
        return lambda x: np.sum(x * w) * scale

    made = [make(Y * k, float(k)) for k in (1, 2, 3)]
    dfs = [jit_grad(f, optimize=optimize, audit=False) for f in made]
    for _ in range(3):
        for k, df in enumerate(dfs, 1):
            np.testing.assert_allclose(df(X)[0], Y * k * k)


@MODES
def test_equal_lambdas_of_two_modules_are_apart(optimize):
    source = "import numpy as np\nSCALE = 1.0\nf = lambda x: np.sum(x) * SCALE\n"
    space = [types.ModuleType(name) for name in ("one", "two")]
    for number, m in enumerate(space, 1):
        exec(compile(source, "same.py", "exec"), vars(m))
        m.SCALE = float(number)
    assert space[0].f.__code__ == space[1].f.__code__
    for _ in range(3):
        for number, m in enumerate(space, 1):
            df = jit_grad(m.f, optimize=optimize, audit=False)
            np.testing.assert_array_equal(df(X)[0], np.full(3, float(number)))


@MODES
def test_a_captured_array_has_no_part_in_the_gradient(optimize):
    w = Y.copy()
    df = jit_grad(lambda x: np.sum(x * w), optimize=optimize, audit=False)
    for _ in range(3):
        grad, _ = df(w)  # the parameter and the captured array are one object
        np.testing.assert_array_equal(grad, Y)
        assert not np.may_share_memory(grad, w)


@MODES
def test_a_captured_array_that_is_returned_is_fresh(optimize):
    w, table = Y.copy(), {"w": X.copy()}
    df = jit_grad(lambda x: (np.sum(x), w, table["w"], w[1:]), optimize=optimize, audit=False)
    kept = []
    for number in range(4):
        w[0] = number
        _, _, *outputs = df(X)
        kept.append(outputs)
        np.testing.assert_array_equal(outputs[0], w)
        for output in outputs:
            assert not any(np.may_share_memory(output, a) for a in (w, table["w"]))
            output += 100.0  # must change nothing but itself
        np.testing.assert_array_equal(w[1:], Y[1:])
        np.testing.assert_array_equal(table["w"], X)
    assert [k[0][0] for k in kept] == [100.0, 101.0, 102.0, 103.0]
