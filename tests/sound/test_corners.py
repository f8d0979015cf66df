"""Corners of the language and of NumPy where a value can change without the trace noticing.

Sizes that are drawn, identity, hidden state behind slots and descriptors, namespaces that gain
names, opaque code that reads what was written, writes through views and what is left in lists.
"""

import abc
import collections
import dataclasses
import functools
import gc
import operator
import sys
import types
from contextlib import contextmanager

import numpy as np
import pytest

from tests.sound.support import MODES, X, check, module
from tracejit import errors, jit_grad


def calls(count=3):
    for _ in range(count):
        yield None


# -- random numbers -------------------------------------------------------------------------------
def as_many_draws_as_an_argument_says():
    rng = np.random.default_rng(5)

    def f(x, n):
        return np.mean(rng.random(n)) * x[0]

    yield f, lambda: rng.bit_generator.state
    for n in (3, 3, 5, 5, 1, 0):
        yield X, n


def draws_whose_shape_has_an_argument_in_it():
    rng = np.random.default_rng(5)

    def f(x, n):
        return np.mean(rng.random((n, 2))) * x[0]

    yield f, lambda: rng.bit_generator.state
    for n in (3, 3, 5, 5, 1):
        yield X, n


def as_many_draws_as_were_drawn():
    rng = np.random.default_rng(5)

    def f(x):
        n = rng.integers(1, 5)
        return np.mean(rng.random(n)) * x[0]

    yield f, lambda: rng.bit_generator.state
    yield from calls(8)


def as_many_choices_as_were_drawn():
    rng, data = np.random.default_rng(5), np.arange(10.0)

    def f(x):
        n = rng.integers(1, 5)
        return np.mean(rng.choice(data, n)) * x[0]

    yield f, lambda: rng.bit_generator.state
    yield from calls(8)


def as_many_indices_as_were_drawn():
    rng = np.random.default_rng(5)

    def f(x):
        n = rng.integers(0, 5)
        chosen = rng.integers(0, 3, size=n)
        return np.sum(x[chosen])

    yield f, lambda: rng.bit_generator.state
    yield from calls(8)


def as_many_draws_as_a_variable_says():
    """The variable takes so many values that it is no longer a constant of the trace."""
    rng, n = np.random.default_rng(5), 3

    def f(x):
        return np.mean(rng.random(n)) * x[0]

    yield f, lambda: rng.bit_generator.state
    for n in (3, 3, 4, 4, 5, 5, 6, 6, 7, 2):  # noqa: B007
        yield None


def as_many_global_draws_as_an_argument_says():
    def f(x, n):
        return np.mean(np.random.rand(n, 2)) * x[0] + np.mean(np.random.randn(n))

    yield f
    for n in (3, 3, 5, 5, 1):
        yield X, n


def permutations_of_an_arguments_length():
    rng = np.random.default_rng(5)

    def f(x, n):
        return np.mean(rng.permutation(n) * 1.0) * x[0]

    yield f, lambda: rng.bit_generator.state
    for n in (3, 3, 5, 5, 1):
        yield X, n


def which_generator_it_is():
    first, second = np.random.default_rng(1), np.random.default_rng(2)
    box = {"rng": first}

    def f(x):
        return np.sum(x) * (2.0 if box["rng"] is second else 1.0)

    yield f
    yield from calls(2)
    box["rng"] = second
    yield from calls(2)


# -- identity -------------------------------------------------------------------------------------
def captured_arrays_that_become_one():
    config = {"a": np.ones(3), "b": np.full(3, 2.0)}

    def f(x):
        if config["a"] is config["b"]:
            return np.sum(x * 5.0)
        return np.sum(x * config["a"] * config["b"])

    yield f
    yield from calls()
    config["b"] = config["a"]
    yield from calls(2)


def objects_that_become_one():
    class Thing:
        pass

    box = {"a": Thing(), "b": Thing()}

    def f(x):
        return np.sum(x) * (3.0 if box["a"] is box["b"] else 1.0)

    yield f
    yield from calls(2)
    box["b"] = box["a"]
    yield from calls(2)


def objects_that_become_equal():
    """Without an __eq__ of its own, an object equals itself only."""

    class Thing:
        pass

    box = {"a": Thing(), "b": Thing()}

    def f(x):
        return np.sum(x) * (3.0 if box["a"] == box["b"] else 1.0)

    yield f
    yield from calls(2)
    box["b"] = box["a"]
    yield from calls(2)


def lists_that_become_one():
    box = {"a": [1.0], "b": [1.0]}

    def f(x):
        return np.sum(x) * (3.0 if box["a"] is box["b"] else 1.0)

    yield f
    yield from calls(2)
    box["b"] = box["a"]
    yield from calls(2)


def one_number_under_two_names():
    box = {"rate": 0.1}
    box["reference"] = box["rate"]

    def f(x):
        return np.sum(x) * (2.0 if box["rate"] is box["reference"] else 1.0)

    yield f
    yield from calls(2)


def an_object_behind_slots_is_itself():
    class Model:
        pass

    @dataclasses.dataclass(slots=True)
    class Holder:
        model: object

    model = Model()
    holder = Holder(model)

    def f(x):
        return np.sum(x) * (5.0 if holder.model is model else 1.0)

    yield f
    yield from calls(2)


def a_registry_by_id():
    class Model:
        pass

    model = Model()
    registry = {id(model): 7.0}

    def f(x):
        return np.sum(x) * registry.get(id(model), 1.0)

    yield f
    yield from calls(2)


def a_key_that_becomes_a_bool():
    """True equals 1 and hashes alike, and yet it is another key."""
    table = {1: 2.0}

    def f(x):
        return np.sum(x) * table[1] * (2.0 if type(next(iter(table))) is bool else 1.0)

    yield f
    yield from calls(2)
    table.clear()
    table[True] = 2.0
    yield None


# -- types ----------------------------------------------------------------------------------------
def isinstance_behind_slots():
    class Dense:
        def __init__(self, w):
            self.w = w

    class Activation:
        pass

    @dataclasses.dataclass(slots=True)
    class Net:
        layers: list

    net = Net([Dense(2.0), Activation(), Dense(3.0)])

    def f(x):
        for layer in net.layers:
            if isinstance(layer, Dense):
                x = x * layer.w
        return np.sum(x)

    yield f
    yield from calls()


def isinstance_of_a_child_with_slots():
    class Base:
        pass

    class Child(Base):
        __slots__ = ("w",)

    child = Child()

    def f(x):
        return np.sum(x) * (5.0 if isinstance(child, Base) else 1.0)

    yield f
    yield from calls(2)


def isinstance_of_a_registered_class():
    class Base(abc.ABC):  # noqa: B024
        pass

    class Other:
        pass

    Base.register(Other)
    other = Other()

    def f(x):
        return np.sum(x) * (5.0 if isinstance(other, Base) else 1.0)

    yield f
    yield from calls(2)


def isinstance_of_what_a_memo_holds():
    class Linear:
        def __init__(self, w):
            self.w = w

    @functools.lru_cache
    def layer_named(name):
        return Linear(2.0)

    def f(x):
        layer = layer_named("a")
        return np.sum(x) * (layer.w if isinstance(layer, Linear) else 100.0)

    yield f
    yield from calls(2)


def the_class_attribute_of_a_float():
    def f(x):
        return x * (5.0 if x.__class__ is float else 1.0)

    yield f
    yield (2.0,)
    yield (2.0,)


def a_match_by_type():
    def f(x):
        match x:
            case float(v):
                return v * v
            case int(v):
                return v * 3.0
            case _:
                return np.sum(x)

    yield f
    yield (2.0,)
    yield (2.0,)
    yield None


# -- namespaces -----------------------------------------------------------------------------------
def a_global_that_appears():
    m = module(
        "import numpy as np\n"
        "def f(x):\n"
        "    try:\n        s = SCALE\n"
        "    except NameError:\n        s = 1.0\n"
        "    return np.sum(x * s)\n"
    )
    yield m.f
    yield from calls()
    m.SCALE = 3.0
    yield from calls(2)


def a_local_of_the_function_around_that_appears():
    def f(x):
        try:
            s = late
        except NameError:
            s = 1.0
        return np.sum(x) * s

    yield f
    yield from calls(2)
    late = 4.0
    yield from calls(2)


def a_modules_attribute_that_appears():
    settings = types.ModuleType("settings")

    def f(x):
        return np.sum(x * getattr(settings, "SCALE", 1.0))

    yield f
    yield from calls()
    settings.SCALE = 3.0
    yield from calls(2)


def a_modules_attribute_that_is_asked_for():
    settings = types.ModuleType("settings")

    def f(x):
        return np.sum(x * (settings.SCALE if hasattr(settings, "SCALE") else 1.0))

    yield f
    yield from calls()
    settings.SCALE = 3.0
    yield from calls(2)


def a_function_attribute_that_appears():
    def helper(v):
        return v * v

    def f(x):
        return np.sum(helper(x)) * getattr(helper, "scale", 1.0)

    yield f
    yield from calls()
    helper.scale = 3.0
    yield from calls(2)


def a_class_attribute_that_appears():
    class Settings:
        pass

    def f(x):
        return np.sum(x) * getattr(Settings, "scale", 1.0)

    yield f
    yield from calls()
    Settings.scale = 3.0
    yield from calls(2)


def attributes_that_a_module_computes():
    settings, box = types.ModuleType("settings"), [2.0]
    settings.__getattr__ = lambda name: box[0]

    def f(x):
        return np.sum(x * settings.scale)

    yield f
    yield from calls()
    box[0] = 3.0
    yield from calls(2)


def an_entry_of_a_modules_vars():
    settings = types.ModuleType("settings")
    settings.SCALE = 2.0

    def f(x):
        return np.sum(x) * vars(settings)["SCALE"]

    yield f
    yield from calls()
    settings.SCALE = 5.0
    yield from calls(2)


def an_entry_of_a_modules_dict():
    settings = types.ModuleType("settings")
    settings.SCALE = 2.0

    def f(x):
        return np.sum(x) * settings.__dict__.get("SCALE", 1.0)

    yield f
    yield from calls()
    settings.SCALE = 5.0
    yield from calls(2)


def the_floats_of_a_class():
    class Settings:
        rate = 2.0
        decay = 0.5
        name = "settings"

    def f(x):
        return np.sum(x) * sum(v for v in vars(Settings).values() if isinstance(v, float))

    yield f
    yield from calls(2)
    Settings.rate = 7.0
    yield None


def an_entry_of_a_class_dict():
    class Settings:
        rate = 2.0

    def f(x):
        return np.sum(x) * Settings.__dict__.get("rate")

    yield f
    yield from calls(2)
    Settings.rate = 7.0
    yield None


def annotations_that_name_attributes():
    class Settings:
        w: float = 2.0
        b: int = 1

    settings = Settings()

    def f(x):
        return np.sum(x) * sum(getattr(settings, name) for name in Settings.__annotations__)

    yield f
    yield from calls(2)
    Settings.w = 5.0
    yield None
    Settings.__annotations__["c"] = int
    Settings.c = 4
    yield None


def an_import_at_every_call():
    name = "tracejit_tests_imported"
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].W = 2.0

    def f(x):
        import tracejit_tests_imported

        return np.sum(x) * tracejit_tests_imported.W

    try:
        yield f
        yield from calls(2)
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].W = 7.0
        yield from calls(2)
    finally:
        del sys.modules[name]


def a_name_that_can_be_imported_later():
    name = "tracejit_tests_grows"
    sys.modules[name] = types.ModuleType(name)

    def f(x):
        try:
            from tracejit_tests_grows import S
        except ImportError:
            S = 1.0
        return np.sum(x) * S

    try:
        yield f
        yield from calls(2)
        sys.modules[name].S = 5.0
        yield None
    finally:
        del sys.modules[name]


def a_module_that_can_be_imported_later():
    name = "tracejit_tests_appears"

    def f(x):
        try:
            from tracejit_tests_appears import S
        except ImportError:
            S = 1.0
        return np.sum(x) * S

    try:
        yield f
        yield from calls(2)
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].S = 5.0
        yield from calls(2)
    finally:
        sys.modules.pop(name, None)


# -- globals read in methods that are called from outside -----------------------------------------
METHODS = """
import enum
import functools
from typing import NamedTuple

import numpy as np

GAIN = 2.0


class Point(NamedTuple):
    w: float

    def scaled(self, x):
        return np.sum(x) * self.w * GAIN


class Kind(enum.Enum):
    PLAIN = "plain"

    def scaled(self, x):
        return np.sum(x) * GAIN


class Action(enum.Enum):
    SCALE = functools.partial(lambda x: np.sum(x) * GAIN)

    def __call__(self, x):
        return self.value(x)


class Done(Exception):
    def __init__(self, v):
        self.v = v * GAIN


point = Point(2.0)


def method_of_a_named_tuple(x):
    return point.scaled(x)


def method_of_an_enum(x):
    return Kind.PLAIN.scaled(x)


def enum_that_is_called(x):
    return Action.SCALE(x)


def body_of_an_exception(x):
    try:
        raise Done(1.0)
    except Done as done:
        return np.sum(x) * done.v
"""


def gain_of(name, in_file=True):
    """Make a scenario: a function of METHODS, as a module from a file or as text that is run."""

    def scenario():
        if in_file:
            m = module(METHODS)
        else:
            m = types.ModuleType("user")
            exec(METHODS, vars(m))
        yield getattr(m, name)
        yield from calls(2)
        m.GAIN = 5.0
        yield from calls(2)

    scenario.__name__ = name if in_file else f"{name}_without_a_file"
    return scenario


def a_list_in_an_enum():
    m = module("import enum\nclass Table(enum.Enum):\n    W = [1.0, 2.0, 3.0]\n")

    def f(x):
        return np.sum(x * np.array(m.Table.W.value))

    yield f
    yield from calls()
    m.Table.W.value[0] = 50.0
    yield from calls(2)


def a_class_attribute_of_an_exception():
    class Stop(Exception):
        limit = 2.0

    def f(x):
        return np.sum(x) * Stop.limit

    yield f
    yield from calls(2)
    Stop.limit = 5.0
    yield None


# -- writes to attributes -------------------------------------------------------------------------
def a_class_attribute_that_counts():
    class Counter:
        n = 0

    def f(x):
        Counter.n += 1
        return np.sum(x) * Counter.n

    yield f, lambda: Counter.n
    yield from calls()


def a_class_attribute_that_a_method_counts():
    class Counter:
        n = 0

        def scaled(self, x):
            type(self).n += 1
            return np.sum(x) * self.n

    counter = Counter()

    def f(x):
        return counter.scaled(x)

    yield f, lambda: Counter.n
    yield from calls()


def a_class_attribute_that_a_classmethod_counts():
    class Counter:
        n = 0

        @classmethod
        def scaled(cls, x):
            cls.n += 1
            return np.sum(x) * cls.n

    def f(x):
        return Counter.scaled(x)

    yield f, lambda: Counter.n
    yield from calls()


def written_in_the_dict_read_as_an_attribute():
    class Model:
        def __init__(self):
            self.scale = 1.0

    model = Model()

    def f(x):
        model.__dict__.update(scale=model.scale + 1.0)
        return np.sum(x) * model.scale

    yield f, lambda: model.scale
    yield from calls()


def written_as_an_attribute_read_in_the_dict():
    class Model:
        def __init__(self):
            self.scale = 1.0

    model = Model()

    def f(x):
        model.scale = model.scale + 1.0
        return np.sum(x) * vars(model)["scale"]

    yield f, lambda: model.scale
    yield from calls()


def a_class_that_lists_its_instances():
    class Model:
        def __init__(self):
            Model.made.append(self)

    Model.made = []

    def f(x):
        Model()
        return np.sum(x) * len(Model.made)

    yield f, lambda: [type(m) is Model for m in Model.made]
    yield from calls()


def a_finalizer():
    """It runs when the user's object goes, not when one that stood for it does."""
    closed = []

    class Resource:
        def __init__(self):
            self.w = 2.0

        def __del__(self):
            closed.append(1)

    resource = Resource()

    def observe():
        gc.collect()
        return list(closed), resource.w

    yield (lambda x: np.sum(x) * resource.w), observe
    yield from calls()


def a_flag_that_a_context_manager_sets():
    m = module("""
from contextlib import contextmanager

import numpy as np

TRAIN = True


@contextmanager
def evaluation():
    global TRAIN
    TRAIN = False
    try:
        yield
    finally:
        TRAIN = True


def model(x):
    return np.sum(x * 2.0) if TRAIN else np.sum(x * 10.0)


def f(x):
    a = model(x)
    with evaluation():
        b = model(x)
    return a + b
""")
    yield m.f, lambda: m.TRAIN
    yield from calls()


def an_attribute_that_a_context_manager_sets():
    class Model:
        def __init__(self):
            self.training = True

        def __call__(self, x):
            return np.sum(x * 2.0) if self.training else np.sum(x * 10.0)

    model = Model()

    @contextmanager
    def evaluation():
        model.training = False
        yield
        model.training = True

    def f(x):
        a = model(x)
        with evaluation():
            b = model(x)
        return a + b

    yield f, lambda: model.training
    yield from calls()


# -- code that is not looked into, and what it reads ----------------------------------------------
def a_stack_of_scopes():
    stack = []

    @contextmanager
    def scope(s):
        stack.append(s)
        try:
            yield
        finally:
            stack.pop()

    def current():
        return stack[-1] if stack else 1.0

    def f(x):
        with scope(3.0):
            a = np.sum(x) * current()
        return a + np.sum(x) * current()

    yield f, lambda: stack
    yield from calls(2)


def a_method_behind_slots_reads_an_array():
    weights = np.ones(3)

    class Layer:
        __slots__ = ()

        def total(self):
            return weights.sum()

    layer = Layer()

    def f(x):
        weights[:] = weights * 2.0
        return np.sum(x) * layer.total()

    yield f, lambda: weights
    yield from calls(2)


def a_method_behind_slots_reads_a_list():
    history = [1.0]

    class Log:
        __slots__ = ()

        def mean(self):
            return sum(history) / len(history)

    log = Log()

    def f(x):
        history.append(4.0)
        return np.sum(x) * log.mean()

    yield f, lambda: history
    yield from calls(2)


def a_method_behind_slots_appends():
    history = [1.0]

    class Log:
        __slots__ = ()

        def add(self):
            history.append(9.0)

    log = Log()

    def f(x):
        history.append(4.0)
        log.add()
        return np.sum(x) * sum(history)

    yield f, lambda: history
    yield from calls(2)


def a_vectorized_function_reads_a_list():
    table = [1.0, 2.0, 3.0]
    looked_up = np.vectorize(lambda i: table[i])

    def f(x):
        return np.sum(x * looked_up(np.arange(3)))

    yield f
    yield from calls()
    table[0] = 100.0
    yield from calls(2)


def a_methodcaller_holds_an_array():
    weights = np.ones(3)
    dot = operator.methodcaller("dot", weights)

    def f(x):
        return dot(x)

    yield f
    yield from calls()
    weights[0] = 100.0
    yield from calls(2)


def coefficients_of_a_poly1d():
    p = np.poly1d([1.0, 2.0])

    def f(x):
        return np.sum(x) * p(2.0)

    yield f
    yield from calls()
    p[0] = 100.0
    yield from calls(2)


def coefficients_of_a_polynomial():
    p = np.polynomial.Polynomial([1.0, 2.0])

    def f(x):
        return np.sum(x) * p(2.0)

    yield f
    yield from calls()
    p.coef[0] = 100.0
    yield from calls(2)


def a_df_bound_to_an_object():
    class Model:
        def __init__(self):
            self.w = 2.0

        @jit_grad
        def loss(self, x):
            return np.sum(x * x) * self.w

    model = Model()
    bound = model.loss

    def f(x):
        grad, loss = bound(x)
        return np.sum(grad) * loss

    yield f
    yield from calls(2)
    model.w = 7.0
    yield None


def an_attribute_of_a_df():
    inner = jit_grad(lambda x: np.sum(x * x), audit=False)
    inner.scale = 2.0

    def f(x):
        return np.sum(x) * inner.scale

    yield f
    yield from calls()
    inner.scale = 5.0
    yield None


# -- writes to arrays -----------------------------------------------------------------------------
def reshaped_copies_of_strided_arrays():
    """Reshaping every other row copies, so that a write there does not come through."""
    c = np.arange(12.0).reshape(4, 3)[::2]

    def f(x):
        c[0] = c[0] + 1.0
        c.reshape(-1)[0] = 77.0
        return np.sum(c @ x)

    yield f, lambda: c
    yield from calls(2)


def arguments_of_other_strides():
    """Where reshaping gives a view, the argument is written to; where it copies, it is not."""

    def f(x, a):
        a[0] += 1.0
        a.reshape(-1)[0] = 77.0
        a.ravel()[1] = 78.0
        return np.sum(a @ x)

    strided = np.arange(36.0).reshape(6, 6)[::2, ::2]
    fortran = np.asfortranarray(np.arange(9.0).reshape(3, 3))
    yield f, lambda: (strided, fortran)
    for a in (strided, strided, fortran, fortran):
        yield X, a


def writes_in_fortran_order():
    b = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    c = np.arange(12.0).reshape(4, 3)[::2]

    def f(x):
        b[:, 1] = x[0] * 0.0 + 3.0
        c[0] += b[1]
        b.T[0] *= 2.0
        c.reshape(-1)[0] = 77.0
        return np.sum(b @ x) + np.sum(c @ x)

    yield f, lambda: (b, c)
    yield from calls()


def a_write_before_a_singular_matrix():
    buffer, eye = np.zeros(3), np.eye(2)

    def f(x, m):
        buffer[:] = m[0, 0]
        return np.sum(x) * np.sum(np.linalg.inv(m))

    yield f, lambda: buffer
    for m in (eye, eye, eye, np.full((2, 2), 7.0), eye * 3.0):
        yield X, m


def a_write_before_a_division_by_zero():
    buffer = np.zeros(3)

    def f(x, d):
        buffer[:] += 1.0
        return np.sum(x) * (1.0 / d)

    yield f, lambda: buffer
    for d in (2.0, 2.0, 2.0, 0.0, 2.0):
        yield X, d


# -- what is kept ---------------------------------------------------------------------------------
# The state names the types: the first call leaves np.float64, and so must every other one.
def losses_in_a_deque():
    history = collections.deque(maxlen=3)

    def f(x):
        loss = np.sum(x * x)
        history.append(loss)
        return loss * sum(history) / len(history)

    yield f, lambda: [(type(v).__name__, float(v)) for v in history]
    yield None
    yield (X * 2.0,)


def an_entry_of_a_dict_with_attributes():
    class Config(dict):
        __getattr__ = dict.__getitem__

    config = Config(w=2.0, a=np.ones(3))

    def f(x):
        loss = np.sum(x * config.a) * config.w
        config["last"] = loss
        return loss

    yield f, lambda: {k: type(v).__name__ for k, v in config.items()}
    yield from calls(2)
    config["w"] = 3.0
    yield None


def a_loss_in_a_slot():
    @dataclasses.dataclass(slots=True)
    class Holder:
        last: object = 0.0

    holder = Holder()

    def f(x):
        holder.last = np.sum(x * x)
        return holder.last

    yield f, lambda: (type(holder.last).__name__, float(holder.last))
    yield from calls(2)


def losses_in_a_list_in_a_slot():
    @dataclasses.dataclass(slots=True)
    class Holder:
        history: list

    holder = Holder([])

    def f(x):
        loss = np.sum(x * x)
        holder.history.append(loss)
        return loss

    yield f, lambda: [type(v).__name__ for v in holder.history]
    yield from calls(2)


def running_mean_in_a_slot():
    class Norm:
        __slots__ = ("mean",)

        def __init__(self):
            self.mean = np.zeros(3)

        def __call__(self, x, batch):
            self.mean = 0.9 * self.mean + 0.1 * batch.mean(axis=0)
            return x * self.mean

    norm, batch = Norm(), np.ones((4, 3))

    def f(x, batch):
        return np.sum(norm(x, batch))

    yield f, lambda: (type(norm.mean).__name__, np.asarray(norm.mean))
    yield X, batch
    yield X, batch * 2.0


def insertions_into_a_long_list():
    history = [0.5] * 2000

    def f(x):
        loss = np.sum(x)
        history.insert(0, loss)
        history[5] = loss
        return loss

    yield f, lambda: [type(v).__name__ for v in history[:8]]
    yield from calls(2)


DRAWS = [
    as_many_draws_as_an_argument_says, draws_whose_shape_has_an_argument_in_it,
    as_many_draws_as_were_drawn, as_many_choices_as_were_drawn, as_many_indices_as_were_drawn,
    as_many_draws_as_a_variable_says, as_many_global_draws_as_an_argument_says,
    permutations_of_an_arguments_length, which_generator_it_is,
]  # fmt: skip
IDENTITY = [
    captured_arrays_that_become_one, objects_that_become_one, objects_that_become_equal,
    lists_that_become_one, one_number_under_two_names, an_object_behind_slots_is_itself,
    a_registry_by_id, a_key_that_becomes_a_bool,
]  # fmt: skip
TYPES = [
    isinstance_behind_slots, isinstance_of_a_child_with_slots, isinstance_of_a_registered_class,
    isinstance_of_what_a_memo_holds, the_class_attribute_of_a_float, a_match_by_type,
]  # fmt: skip
NAMESPACES = [
    a_global_that_appears, a_local_of_the_function_around_that_appears,
    a_modules_attribute_that_appears, a_modules_attribute_that_is_asked_for,
    a_function_attribute_that_appears, a_class_attribute_that_appears,
    attributes_that_a_module_computes, an_entry_of_a_modules_vars, an_entry_of_a_modules_dict,
    the_floats_of_a_class, an_entry_of_a_class_dict, annotations_that_name_attributes,
    an_import_at_every_call, a_name_that_can_be_imported_later,
    a_module_that_can_be_imported_later,
]  # fmt: skip
GLOBALS = [
    *(
        gain_of(name, in_file)
        for name in (
            "method_of_a_named_tuple", "method_of_an_enum", "enum_that_is_called",
            "body_of_an_exception",
        )
        for in_file in (True, False)
    ),
    a_list_in_an_enum, a_class_attribute_of_an_exception,
]  # fmt: skip
ATTRIBUTES = [
    a_class_attribute_that_counts, a_class_attribute_that_a_method_counts,
    a_class_attribute_that_a_classmethod_counts, written_in_the_dict_read_as_an_attribute,
    written_as_an_attribute_read_in_the_dict, a_class_that_lists_its_instances, a_finalizer,
    a_flag_that_a_context_manager_sets, an_attribute_that_a_context_manager_sets,
]  # fmt: skip
OPAQUE = [
    a_stack_of_scopes, a_method_behind_slots_reads_an_array, a_method_behind_slots_reads_a_list,
    a_method_behind_slots_appends, a_vectorized_function_reads_a_list,
    a_methodcaller_holds_an_array, coefficients_of_a_poly1d, coefficients_of_a_polynomial,
    a_df_bound_to_an_object, an_attribute_of_a_df,
]  # fmt: skip
WRITES = [
    reshaped_copies_of_strided_arrays, arguments_of_other_strides, writes_in_fortran_order,
    a_write_before_a_singular_matrix, a_write_before_a_division_by_zero,
]  # fmt: skip
KEPT = [
    losses_in_a_deque, an_entry_of_a_dict_with_attributes, a_loss_in_a_slot,
    losses_in_a_list_in_a_slot, running_mean_in_a_slot, insertions_into_a_long_list,
]  # fmt: skip
SCENARIOS = (
    DRAWS + IDENTITY + TYPES + NAMESPACES + GLOBALS + ATTRIBUTES + OPAQUE + WRITES + KEPT
)  # fmt: skip
by_name = {"ids": lambda scenario: scenario.__name__}


@MODES
@pytest.mark.parametrize("scenario", SCENARIOS, **by_name)
def test_corners_are_those_of_plain_python(scenario, optimize):
    check(scenario, optimize)


# -- what cannot be told is refused ---------------------------------------------------------------
# Each gives a function, the arguments of a call that is answered and those of one that is not.
def one_array_as_two_arguments():
    def f(a, b):
        return np.sum(a * 5.0) if a is b else np.sum(a * b)

    return f, (X, X.copy()), (X, X)


def a_captured_array_as_argument():
    w = X.copy()

    def f(a):
        return np.sum(a * 5.0) if a is w else np.sum(a)

    return f, (X,), (w,)


def tied_weights():
    def f(p, x):
        return np.sum(p["encode"] @ x) * (2.0 if p["encode"] is p["decode"] else 1.0)

    w = np.ones((3, 3))
    return f, ({"encode": w, "decode": w.copy()}, X), ({"encode": w, "decode": w}, X)


def a_kernel_of_one_array():
    def kernel(a, b=None):
        if b is None:
            b = a
        k = np.exp(-((a[:, None] - b[None]) ** 2))
        return k + np.eye(len(a)) if a is b else k

    def f(x, t):
        return np.sum(kernel(x, t)) + np.sum(kernel(x))

    return f, (X, X + 1.0), (X, X)


SAME = [
    one_array_as_two_arguments, a_captured_array_as_argument, tied_weights, a_kernel_of_one_array
]  # fmt: skip


@MODES
@pytest.mark.filterwarnings("ignore::tracejit.TracejitWarning")
@pytest.mark.parametrize("case", SAME, **by_name)
def test_is_on_an_array_that_is_given_twice(case, optimize):
    f, answered, refused = case()
    df = jit_grad(f, optimize=optimize)
    for _ in range(3):
        assert np.isclose(df(*answered)[1], f(*answered))
    for _ in range(2):
        with pytest.raises(errors.UnsupportedError, match="`is`"):
            df(*refused)
    assert np.isclose(df(*answered)[1], f(*answered))


@MODES
@pytest.mark.filterwarnings("ignore::tracejit.TracejitWarning")
def test_a_memo_of_traced_numbers(optimize):
    @functools.lru_cache
    def squared(v):
        return v * v

    df = jit_grad(lambda x: squared(x) * 3.0, optimize=optimize)
    for x in (2.0, 2.0, 3.0):
        with pytest.raises(errors.LostGradientError, match="hash"):
            df(x)
