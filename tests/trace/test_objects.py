"""Twins of classes and objects: what the function sees of them is what plain Python shows."""

import abc
import copy
import enum
import functools
import types
import typing
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from tests.sound.support import check as follow
from tests.support import CALLS, MODES, assert_same, check, check_direct
from tracejit import jit_grad

X = np.array([0.5, 1.25, 2.0])
Y = np.array([3.0, -1.0, 0.5])


class Base:
    """A class with most of what a class can have."""

    gain = 2.0

    def __init__(self, w):
        self.w = w

    @property
    def scaled(self):
        return self.w * self.gain

    @scaled.setter
    def scaled(self, value):
        self.w = value / self.gain

    @staticmethod
    def squared(v):
        return v * v

    @classmethod
    def gained(cls, v):
        return cls.gain * v

    def moved(self, v):
        return v + 1.0

    def __call__(self, v):
        return self.moved(v) * self.scaled

    def __getattr__(self, name):
        if name == "extra":
            return 5.0
        raise AttributeError(name)

    def __getitem__(self, i):
        return self.w[i]

    def __len__(self):
        return len(self.w)

    def __add__(self, other):
        return type(self)(self.w + other.w)

    def __neg__(self):
        return Base(-self.w)

    def __matmul__(self, other):
        return np.sum(self.w * other)

    def __eq__(self, other):
        return isinstance(other, Base)

    __hash__ = None

    def __contains__(self, v):
        return v == 3

    def __iter__(self):
        return iter(self.w)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False

    def __repr__(self):
        return f"Base({len(self.w)})"


class Derived(Base):
    gain = 3.0

    def moved(self, v):
        return super().moved(v) * 2.0

    @classmethod
    def gained(cls, v):
        return super().gained(v) + 1.0


class Abstract(abc.ABC):
    @abc.abstractmethod
    def go(self, x): ...

    def twice(self, x):
        return self.go(x) * 2.0


class Concrete(Abstract):
    def go(self, x):
        return np.sum(x * x)


class Left(Base):
    def moved(self, v):
        return super().moved(v) * 2.0


class Right(Base):
    def moved(self, v):
        return super().moved(v) + v


class Diamond(Left, Right):
    def moved(self, v):
        return super().moved(v) * 3.0


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self, a, b):
        self.a, self.b = a, b

    def prod(self):
        return np.sum(self.a * self.b)


class Field:
    def __set_name__(self, owner, name):
        self.name = "_" + name

    def __get__(self, instance, owner):
        return self if instance is None else getattr(instance, self.name) * 2.0

    def __set__(self, instance, value):
        setattr(instance, self.name, value)


class Described:
    w = Field()

    def __init__(self, w):
        self.w = w


class Made:
    def __new__(cls, w):
        made = object.__new__(cls)
        made.k = 2.0
        return made

    def __init__(self, w):
        self.w = w


class Kind(enum.Enum):
    A = 1
    B = 2.5

    @property
    def double(self):
        return self.value * 2


class Bits(enum.Flag):
    P = 1
    Q = 2


@dataclass
class Net:
    a: object
    b: float = 2.0
    seen: list = field(default_factory=list)

    def total(self):
        return np.sum(self.a) * self.b


@dataclass(frozen=True)
class Frozen:
    a: object

    @property
    def squared(self):
        return self.a**2


A, B, D = Base(Y), Derived(Y * 2.0), Diamond(Y)


def operators(x):
    c = A + B(x) * 0.0 if False else A + Base(x)
    c.scaled = x * 2.0
    total = np.sum(A(x) + B(x) + c.scaled) + A.extra + B.extra + c[0] + len(c) + (-A)[1] * x[0]
    for v in B:
        total = total + v * x[0]
    with B as same:
        total = total + same.w[1] * x[1]
    return total * 2.0 + (A @ x) if 3 in B and A == B and B != 3 else total


def methods(x):
    return np.sum(Base.squared(x)) + B.gained(x[0]) + Derived.gained(x[1]) + Base.gained(x[2])


def names(x):
    return np.sum(x) * len(repr(A)) + len(str(B)) + len(type(B).__name__ + Derived.__qualname__)


def types_of_objects(x):
    made = Derived(x)
    asked = (
        isinstance(B, Base), issubclass(Derived, Base), type(B) is Derived, type(made) is Derived,
        made.__class__ is Derived, type(B) in (Base, Derived), type(A) in {Base: 1},
        type(made) is type(B), not isinstance(A, Derived), callable(A), isinstance(A, object),
    )  # fmt: skip
    return np.sum(made.w) * sum(2**i for i, yes in enumerate(asked) if yes)


def attributes(x):
    try:
        A.nothing  # noqa: B018
    except AttributeError:
        x = x * 2.0
    found = getattr(A, "nothing", 2.0) + hasattr(B, "w") + 2.0 * hasattr(B, "nothing")
    return np.sum(x) * found + sum(np.sum(x * v) for v in vars(A).values()) + len(A.__dict__)


def diamonds(x):
    return np.sum(D(x)) + np.sum(Diamond(x)(x))


def abstract(x):
    return Concrete().twice(x) * isinstance(Concrete(), Abstract)


def abstract_classes_have_no_objects(x):
    try:
        Abstract()
    except TypeError:
        return np.sum(x)


def slots_inside(x):
    p = Slotted(x, Y)
    p.b = p.b * 2.0
    return p.prod()


def descriptors(x):
    return np.sum(x * DESCRIBED.w) + np.sum(Described(x).w)


def made_by_new(x):
    return np.sum(Made(x).w) * Made(x).k


def enums(x):
    members = len(list(Kind)) * (Bits.P in (Bits.P | Bits.Q)) * isinstance(Kind.A, Kind)
    return np.sum(x) * Kind.A.value * Kind["B"].double * Kind(1).value * members


def dataclasses_inside(x):
    p = Net(x * 2.0)
    p.seen.append(x[0])
    q, r = replace(p, b=3.0), Frozen(x)
    return p.total() + q.total() + np.sum(r.squared) + q.seen[0] + (p.b == 2.0) + (p == p)


def classes_inside(x):
    class Inner(Base):
        k = 2.0

        def moved(self, v):
            return super().moved(v) * self.k

    return np.sum(Inner(x)(x)) + isinstance(Inner(x), Base)


def rings(x):
    return np.sum(x * RING.other.other.w) * (RING.other.other is RING) * (RING in [RING])


def matched(x):
    match Net(Y):
        case Net(a=a, b=2.0):
            x = x * a
        case _:
            x = x * 0.0
    match {"k": 2}:
        case {"k": v}:
            return np.sum(x) * v


DESCRIBED = Described(Y)
RING, OTHER = types.new_class("Ring")(), types.new_class("Ring")()
RING.other, OTHER.other, RING.w = OTHER, RING, Y

COMPILED = [
    operators, methods, names, types_of_objects, attributes, diamonds, abstract,
    abstract_classes_have_no_objects, slots_inside, descriptors, made_by_new, enums,
    dataclasses_inside, classes_inside, rings, matched,
]  # fmt: skip


# Handled exceptions, descriptors that set, and what looks at namespaces and types.
NOT_COMPILED = {
    abstract_classes_have_no_objects, descriptors, types_of_objects, attributes, matched,
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*direct mode")
@MODES
@pytest.mark.parametrize("f", COMPILED, ids=lambda f: f.__name__)
def test_values_and_gradients(f, optimize):
    if f in NOT_COMPILED and optimize:
        assert jit_grad(f)(X)[1] == f(X)
    else:
        check(f, (X,), (), optimize)


LOOKS = {
    "mro": lambda: [c.__name__ for c in Derived.__mro__],
    "mro of an object": lambda: [c.__name__ for c in type(B).__mro__],
    "bases": lambda: [c.__name__ for c in Derived.__bases__],
    "a base": lambda: Derived.__bases__[0] is Base,
    "module": lambda: (B.__module__, type(A).__module__, Base.__module__),
    "doc": lambda: (A.__doc__, Base.__doc__),
    "method": lambda: (A.moved.__name__, Base.moved.__name__, Base.gained.__func__.__name__),
    "text": lambda: f"{type(A)} {Base}",
    "names": lambda: (sorted(vars(A)), "gain" in vars(Base), hasattr(Base, "gain")),
}


@MODES
@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
@pytest.mark.filterwarnings("ignore::tracejit.TracejitWarning")
def test_looking_at_classes(look, optimize):
    df = jit_grad(lambda x: (np.sum(x), repr(look())), optimize=optimize)
    for _ in range(CALLS):
        assert df(X)[2] == repr(look())


@MODES
def test_copies_of_objects(optimize):
    def f(x):
        twin = copy.copy(NET)
        twin.b = 3.0
        return np.sum(x * twin.a) * twin.b * NET.b + np.sum(copy.deepcopy(NET).a * x)

    df = jit_grad(f, optimize=optimize)
    for _ in range(CALLS):
        grad, value = df(X)
        np.testing.assert_allclose(value, f(X))
        np.testing.assert_allclose(grad, 7.0 * Y)
    assert NET.b == 2.0


NET = Net(Y)


@MODES
def test_objects_that_are_returned(optimize):
    f = lambda x: (np.sum(x), Net(x * 2.0, np.sum(x)), {"a": Frozen(x)})
    df = jit_grad(f, optimize=optimize)
    for _ in range(CALLS):
        grad, loss, net, table = df(X)
        assert loss == np.sum(X) and grad.tolist() == [1.0, 1.0, 1.0]
        assert type(net) is Net and type(table["a"]) is Frozen
        assert_same((net.a, net.b, net.seen), (X * 2.0, np.sum(X), []))
        assert_same(table["a"].squared, X**2)
        assert net.total() == np.sum(X * 2.0) * np.sum(X)


@MODES
def test_an_object_is_written_to(optimize):
    class Model:
        def __init__(self):
            self.n, self.w, self.history = 0, np.ones(3), []

    def scenario():
        m = Model()

        def f(x):
            m.n += 1
            m.last = x * m.w
            m.history.append(np.sum(m.last))
            return np.sum(m.last) * m.n

        yield f, lambda: dict(vars(m))
        for _ in range(4):
            yield None

    follow(scenario, optimize)


class Cached:
    def __init__(self):
        self.w = Y

    @functools.cached_property
    def total(self):
        return np.sum(self.w)


class Meta(type):
    def __len__(cls):
        return 3


class WithMeta(metaclass=Meta):
    w = Y


class Registered:
    known = []  # noqa: RUF012

    def __init_subclass__(cls):
        Registered.known.append(cls)


class Child(Registered):
    w = Y


class Point(typing.NamedTuple):
    a: object
    b: float = 2.0

    def prod(self):
        return self.a * self.b


CACHED, WITH_META, CHILD, SLOTTED = Cached(), WithMeta(), Child(), Slotted(Y, X)
SPACE, POINT = types.SimpleNamespace(w=Y), Point(Y)
DIRECT = [
    (lambda x: np.sum(x) * CACHED.total, "CACHED is a Cached"),
    (lambda x: np.sum(x * WITH_META.w), "WITH_META is a WithMeta"),
    (lambda x: np.sum(x) * len(WithMeta), "WithMeta is the class WithMeta"),
    (lambda x: np.sum(x * CHILD.w) * len(Registered.known), "CHILD is a Child"),
    (lambda x: np.sum(x * SLOTTED.a), "SLOTTED is a Slotted"),
    (lambda x: np.sum(x * SPACE.w), "SPACE is a SimpleNamespace"),
    (lambda x: np.sum(x * POINT.prod()), "POINT is a Point"),
]


@MODES
@pytest.mark.parametrize(("f", "said"), DIRECT, ids=[said for _, said in DIRECT])
def test_what_cannot_be_followed_runs_in_direct_mode(f, said, optimize):
    check_direct(f, (X,), said, optimize)
    assert Registered.known == [Child]


@pytest.mark.parametrize("optimize", [True, False])
def test_abstract_classes_answer_during_and_after_a_call(optimize):
    class Shape(abc.ABC):
        @abc.abstractmethod
        def area(self, x): ...

    class Square(Shape):
        def area(self, x):
            return np.sum(x * x)

    class Other:
        pass

    def function(x):
        known = isinstance(Square(), Shape) and not isinstance(Other(), Shape)
        return Square().area(x) if known and not issubclass(Other, Shape) else 0.0

    df = jit_grad(function, optimize=optimize)
    twins = [jit_grad(lambda x: function(x), optimize=optimize)(np.ones(2)) for _ in range(8)]
    assert all(np.array_equal(grads, [2.0, 2.0]) for grads, _ in twins)
    assert np.array_equal(df(np.ones(2))[0], [2.0, 2.0])
    for number in range(30):
        assert not isinstance(type(f"New{number}", (), {})(), Shape)
        assert isinstance(type(f"More{number}", (Square,), {})(), Shape)
