"""What a function gets for the values that it reads: containers, functions, numbers."""

import functools
import random
import time
import types
import warnings
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque, namedtuple
from enum import IntEnum, IntFlag

import numpy as np
import pytest

from tests.sound.support import check as follow
from tests.support import CALLS, MODES, check, check_direct
from tracejit import TracejitWarning, errors, jit_grad
from tracejit.trace import twins

X = np.array([0.5, 1.25, 2.0])
Y = np.array([3.0, -1.0, 0.5])


def own(v):
    return v * 2.0


class Plain:
    w = Y


# -- containers -----------------------------------------------------------------------------------


def keys_that_are_functions():
    table = {np.sin: 2.0, len: 3.0, own: 4.0, float: 5.0, np.ndarray: 7.0}
    return lambda x: np.sum(x) * table[np.sin] * table[len] * table[own] * table[type(x)]


def keys_that_are_functions_of_arrays():
    table = {np.sin: Y, own: 4.0}
    return lambda x: np.sum(own(x) * table[np.sin]) * table.get(own, 1.0)


def keys_that_are_classes():
    table = {Plain: 2.0}
    return lambda x: np.sum(x) * table[Plain] * table.get(Plain, 1.0)


def keys_that_are_objects():
    key = Plain()
    table = {key: 2.0, Plain(): 3.0}
    return lambda x: np.sum(x) * table[key] * (key in table)


def keys_that_say_when_they_are_equal():
    class Key:
        def __init__(self, number):
            self.number = number

        def __hash__(self):
            return hash(self.number)

        def __eq__(self, other):
            return self.number == other.number

    table = {Key(1): 2.0}
    return lambda x: np.sum(x) * table[Key(1)]


def named_tuples():
    Point = namedtuple("Point", "a b")
    p = Point(Y, 2.0)

    def f(x):
        q = Point(x * p.a, b=p.b)._replace(b=3.0)
        a, b = q
        return np.sum(a) * b * len(q) * p._fields.index("b") + isinstance(q, Point)

    return f


def sets_of_constants():
    chosen, fixed = {1, 2, "a"}, frozenset([1.0, 2.0])
    return lambda x: np.sum(x) * len(chosen | {5}) * sum(fixed) * (1 in chosen) * (3 not in chosen)


def default_dict_inside():
    def f(x):
        found = defaultdict(list)
        for i in range(3):
            found[i % 2].append(x[i])
        return sum(found[0]) * sum(found[1])

    return f


def default_dict_outside():
    found = defaultdict(lambda: 7.0, a=2.0)
    return lambda x: np.sum(x) * found["a"] + found.get("b", 1.0) + found.default_factory()


def ordered_dict():
    table = OrderedDict(b=1.0, a=Y)

    def f(x):
        other = OrderedDict(table)
        other.move_to_end("b")
        return np.sum(x * table["a"]) * (1.0, 2.0)[list(other).index("b")]

    return f


def deque_inside():
    def f(x):
        last = deque(maxlen=2)
        for v in x:
            last.append(v)
        return sum(last)

    return f


def rings():
    held, table = [1.0], {"w": Y}
    held.append(held)
    table["self"] = table
    return lambda x: np.sum(x * table["self"]["self"]["w"]) * held[1][1][0]


def copies():
    import copy

    table = {"w": Y, "n": [1.0, Y]}
    return lambda x: np.sum(x * copy.copy(table)["w"] * copy.deepcopy(table)["n"][1])


def large_arrays():
    w = np.ones(2 * twins.MANY_LEAVES)
    return lambda x: np.sum(x) * w[3]


CONTAINERS = [
    keys_that_are_functions, keys_that_are_functions_of_arrays, keys_that_are_classes,
    keys_that_are_objects, keys_that_say_when_they_are_equal, named_tuples, sets_of_constants,
    default_dict_inside, default_dict_outside, ordered_dict, deque_inside, rings, copies,
    large_arrays,
]  # fmt: skip


# -- functions ------------------------------------------------------------------------------------


def partial_outside():
    g = functools.partial(lambda a, b, x, c=1.0: np.sum(x * a) * b * c, Y, 2.0, c=3.0)
    return lambda x: g(x) * g(x, c=x[0]) + g.args[1] + g.func(1.0, 2.0, x)


def partial_inside():
    def h(a, b):
        return np.sum(a * b)

    return lambda x: functools.partial(h, x)(Y)


def decorated():
    def twice(g):
        @functools.wraps(g)
        def inner(*args, **kwargs):
            return g(*args, **kwargs) * 2.0

        return inner

    @twice
    def h(x, *, k=1.0):
        return np.sum(x) * k

    return lambda x: h(x, k=3.0) + h(x) + len(h.__name__) + h.__wrapped__(x)


def functions_inside_functions():
    def f(x):
        factor = 1.0

        def grow():
            nonlocal factor
            factor = factor * x[0]

        def inner(y):
            return y * x

        grow(), grow()
        return sum(np.sum(inner(y)) for y in [x, x + 1.0]) * factor

    return f


def recursion():
    def factorial(n):
        return 1.0 if n <= 0 else n * factorial(n - 1)

    return lambda x: np.sum(x) * factorial(4)


def generators():
    def doubled(x):
        for v in x:
            yield v * 2.0

    return lambda x: sum(doubled(x)) + sum(v * v for v in x) + sum([a * b for a, b in zip(x, Y)])  # noqa: B905


def attributes_that_are_read():
    def h(x):
        return x * h.scale

    h.scale = 3.0
    return lambda x: np.sum(h(x)) * h.scale


def bound_methods():
    class Model:
        def __init__(self):
            self.w = Y

        def loss(self, x):
            return np.sum(x * self.w)

    loss = Model().loss
    return lambda x: loss(x) * loss.__self__.w[0]


def exceptions():
    class OwnError(ValueError):
        def __init__(self, value):
            super().__init__("own")
            self.value = value

    def fails(x):
        raise OwnError(x * 2.0)

    def f(x):
        try:
            fails(x)
        except OwnError as error:
            return np.sum(error.value) * len(error.args[0])

    return f


def star_arguments():
    def g(*args, **kwargs):
        return sum(args) * kwargs["z"]

    def f(x):
        first, *rest = x
        return g(first, *rest, **{"z": 2.0})

    return f


FUNCTIONS = [
    partial_outside, partial_inside, decorated, functions_inside_functions, recursion, generators,
    attributes_that_are_read, bound_methods, exceptions, star_arguments,
]  # fmt: skip


# -- numbers, texts, enumerations -----------------------------------------------------------------


class Count(IntEnum):
    THREE = 3


class Bits(IntFlag):
    P = 1
    Q = 2


def members_as_numbers():
    return lambda x: np.sum(x**Count.THREE) * Count.THREE + np.sum(np.where(x > 1.0, x, Bits.Q))


def members_as_counts():
    return lambda x: np.sum(np.ones(Count.THREE) * x[: Count.THREE]) * x[Count.THREE - 1]


def texts():
    name = "sin"
    return lambda x: np.sum(getattr(np, name)(x)) * len(f"{name}{x.shape}".format())


def scalars():
    a, b, c = np.float32(2.0), np.int64(3), np.bool_(True)
    return lambda x: np.sum(x * a) * b if c else x[0]


NUMBERS = [members_as_numbers, members_as_counts, texts, scalars]


@MODES
@pytest.mark.parametrize("make", CONTAINERS + FUNCTIONS + NUMBERS, ids=lambda f: f.__name__)
def test_values_and_gradients(make, optimize):
    check(make(), (X,), (), optimize)


# -- what is handed out as it is ------------------------------------------------------------------
KEY = Plain()


class Table(dict):
    pass


class Row(list):
    pass


HOLDERS = {
    "set": {KEY}, "frozenset": frozenset([KEY]), "deque": deque([KEY]), "Row": Row([KEY]),
    "Table": Table({KEY: 1.0}), "Counter": Counter([KEY]), "ChainMap": ChainMap({KEY: 1.0}),
    "mappingproxy": types.MappingProxyType({KEY: 1.0}), "set of functions": {own},
    "frozenset of classes": frozenset([Plain]), "set of sets": {frozenset([own])},
}  # fmt: skip


@MODES
@pytest.mark.parametrize("name", HOLDERS)
@pytest.mark.filterwarnings("ignore::tracejit.TracejitWarning")
def test_members_of_containers_are_found(name, optimize):
    """What a container that is handed out as it is holds, is what the function has."""
    holder = HOLDERS[name]

    def f(x):
        inside = (KEY in holder) + 2 * (own in holder) + 4 * (Plain in holder)
        return np.sum(x) * (inside + 8 * (frozenset([own]) in holder))

    df = jit_grad(f, optimize=optimize)
    for _ in range(CALLS):
        grad, value = df(X)
        assert value == f(X) != 0.0
        np.testing.assert_array_equal(grad, np.full(3, f(X) / np.sum(X)))


def prints(x):
    print(end="")
    return np.sum(x)


def asks_the_clock(x):
    return np.sum(x) + 0.0 * time.time()


def draws_with_the_library(x):
    return np.sum(x) * min(1.0, 2.0 + random.random())


def writes_a_global(x):
    global LAST
    LAST = x
    return np.sum(x)


def evaluates(x):
    return eval("np.sum(x) * 2.0", {"np": np, "x": x})


def looks_at_globals(x):
    return globals()["np"].sum(x) * 2.0


def looks_at_locals(x):
    y = 2.0
    return np.sum(x) * locals()["y"]


def nested_reflection(x):
    def inner():
        return globals()["np"]

    return inner().sum(x)


LONG_LIST = [1.0] * (twins.MANY_LEAVES + 1)
LONG_DICT = dict.fromkeys(range(twins.MANY_LEAVES + 1), Y)
MANY = [[1.0, Y] for _ in range(twins.MANY_LEAVES // 2)]
COUNTER = Counter("abca")
DEQUE, RECENT = deque([1.0, Y]), deque(maxlen=2)


def adds_to_a_deque(x):
    RECENT.append(float(np.sum(x)))
    return np.sum(x) * 2.0


@MODES
def test_deques_are_followed(optimize):
    check(lambda x: np.sum(x * DEQUE[1]) * DEQUE[0] + len(DEQUE), (X,), (), optimize)


GROWING = defaultdict(float)


class Half(float):
    pass


def adds_to_a_default_dict(x):
    GROWING.clear()
    return np.sum(x) + GROWING["a"]


@functools.lru_cache
def doubled(n):
    return n * 2.0


HALF = Half(0.5)
JOIN = ", ".join
DIRECT = [
    (prints, "print() is called"),
    (asks_the_clock, "the module time is used"),
    (draws_with_the_library, "the module random is used"),
    (writes_a_global, "the global LAST is written"),
    (evaluates, "evaluates uses eval()"),
    (looks_at_globals, "looks_at_globals uses globals()"),
    (looks_at_locals, "looks_at_locals uses locals()"),
    (nested_reflection, "nested_reflection uses globals()"),
    (lambda x: np.sum(x) * LONG_LIST[3], "more than 10000 entries"),
    (lambda x: np.sum(x * LONG_DICT[3]), "more than 10000 entries"),
    (lambda x: np.sum(x * MANY[3][1]), "more than 10000 entries"),
    (lambda x: np.sum(x) * COUNTER["a"], "COUNTER is a Counter"),
    (adds_to_a_deque, "RECENT is changed"),
    (adds_to_a_default_dict, "GROWING is changed"),
    (lambda x: np.sum(x) * doubled(3), "doubled is a _lru_cache_wrapper"),
    (lambda x: np.sum(x) * HALF, "HALF is a Half"),
    (lambda x: np.sum(x) * len(JOIN("ab")), "JOIN is join()"),
    (lambda x: np.sum(x) + 0 * id(x), "id() is called"),
]


@MODES
@pytest.mark.parametrize(("f", "said"), DIRECT, ids=[said for _, said in DIRECT])
def test_the_rest_runs_in_direct_mode_said_once(f, said, optimize):
    try:
        check_direct(f, (X,), said, optimize)
    finally:
        globals().pop("LAST", None)


def test_the_reason_names_the_line():
    def f(x):
        y = x * 2.0
        return np.sum(y) * LONG_LIST[0]

    with pytest.warns(TracejitWarning) as caught:
        jit_grad(f)(X)
    assert f"test_twins.py:{f.__code__.co_firstlineno + 2}" in str(caught[0].message)
    assert caught[0].filename == __file__


@MODES
def test_calls_of_other_libraries_get_plain_numbers(optimize):
    """An integer that int() made is one for C code, which sees no more of a traced one."""
    import json

    f = lambda x: np.sum(x) * len(json.dumps({"n": int(x[0] * 2.0)}))
    df = jit_grad(f, optimize=optimize)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TracejitWarning)
        for _ in range(CALLS):
            assert df(X)[1] == f(X)


# -- after the call -------------------------------------------------------------------------------


@MODES
@pytest.mark.filterwarnings("ignore::tracejit.TracejitWarning")
def test_functions_that_outlive_the_call(optimize):
    kept, scale = [], 2.0

    def f(x):
        factor = 3.0

        def later(v):
            return own(v) * scale * factor + np.sum(x)

        kept.append(later)
        return np.sum(later(x))

    df = jit_grad(f, optimize=optimize)
    expected = f(X)
    kept.clear()
    for _ in range(CALLS):
        assert df(X)[1] == expected
    assert len(kept) == CALLS
    for later in kept:
        result = later(1.0)
        assert type(result) is np.float64 and result == 12.0 + np.sum(X)
    assert jit_grad(kept[0])(1.0)[0] == 12.0


@MODES
@pytest.mark.filterwarnings("ignore::tracejit.TracejitWarning")
def test_functions_that_outlive_the_call_see_later_changes(optimize, monkeypatch):
    kept, scale = [], 2.0

    def f(x):
        kept.append(lambda v: own(v) * scale)
        return np.sum(x)

    jit_grad(f, optimize=optimize)(X)
    monkeypatch.setitem(globals(), "own", lambda v: v * 7.0)
    assert kept[0](1.0) == 14.0
    scale = 5.0
    assert kept[0](1.0) == 35.0


@MODES
@pytest.mark.filterwarnings("ignore::tracejit.TracejitWarning")
def test_twins_that_outlive_the_call(optimize):
    kept = {}

    def f(x):
        kept["table"], kept["own"], kept["np"] = TABLE, own, np
        kept["class"], kept["x"], kept["made"] = Plain, x, [x * 2.0, {"a": x[0]}]
        return np.sum(x)

    df = jit_grad(f, optimize=optimize)
    for _ in range(CALLS):
        kept.clear()
        df(X)
        assert kept["table"] is TABLE and kept["own"] is own and kept["class"] is Plain
        assert kept["np"].zeros(2).tolist() == [0.0, 0.0]
        assert type(kept["x"]) is np.ndarray and type(kept["made"][0]) is np.ndarray
        assert type(kept["made"][1]["a"]) is np.float64


TABLE = {"w": Y, "n": [1.0]}


@MODES
def test_a_failed_call_carries_its_changes_over(optimize):
    def scenario():
        table = {"n": 0.0, "seen": []}

        def f(x):
            table["n"] = table["n"] + 1.0
            table["seen"].append(x[0])
            if table["n"] > 2.0:
                raise RuntimeError("three")
            return np.sum(x) * table["n"]

        yield f, lambda: table
        for _ in range(4):
            yield None

    follow(scenario, optimize)


@MODES
def test_strict_mode_refuses_what_is_opaque(optimize, monkeypatch):
    from tracejit import config

    monkeypatch.setattr(config.settings, "strict", True)
    df = jit_grad(prints, optimize=optimize)
    if optimize:
        with pytest.raises(errors.FallbackError, match=r"print\(\) is called at .*test_twins\.py"):
            df(X)
    else:
        assert df(X)[1] == np.sum(X)


CONTROL_FLOW = [
    (lambda a: a * 2.0 if a > 1.0 else a * 3.0, (2.0,), 4.0),
    (lambda a, n: sum(a for _ in range(n)), (2.0, 3), 6.0),
    (lambda x, k: x[k] * 1.0 if k in (0, 1) else x[0], (np.arange(3.0), 1), 1.0),
    (lambda x: np.sum(x[x > 0.5]), (np.arange(3.0),), 3.0),
    (lambda x, n: np.sum(x[:n]), (np.arange(3.0), 2), 1.0),
    (lambda x: float(f"{x.shape[0]}") * np.sum(x), (np.arange(3.0),), 9.0),
    (lambda x: max(x[0], x[1]), (np.arange(3.0),), 1.0),
    (lambda x: x * len({x}), (1.5,), 1.5),
]


@pytest.mark.parametrize(("f", "args", "value"), CONTROL_FLOW)
def test_control_flow_on_values(f, args, value):
    df = jit_grad(f, audit=False)
    for _ in range(CALLS):
        assert df(*args)[1] == value
    assert df.cache_info().direct == 0
