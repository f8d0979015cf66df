"""Places: steps that are found again, their checks, and the function that reads all of them."""

import warnings

import numpy as np
import pytest

from tests.support import CALLS
from tracejit import TracejitWarning, jit_grad
from tracejit.dag.node import VARIES, Node
from tracejit.dag.op import INPUT
from tracejit.trace import Recorder
from tracejit.trace.places import Place, Places
from tracejit.trace.world import World

SCALE = 2.0
UNUSED = 3.0


def helper(x):
    return x * SCALE


def places_of(*keys, start=None):
    """Places one step from each other, with the steps of entries."""
    places = Places()
    place = places.find(None, "args[{0}]", 0, keys=("p",)) if start is None else start(places)
    for key in keys:
        place = places.find(place, "{p}[{0}]", key, keys=(key,))
    return places, place


def make_input(places, place, value):
    places.make_input(place, Node(INPUT, (), {}, value, None, VARIES))


def read_of(function, *args):
    """The places that recording a call has read."""
    from tracejit.cache import Signature
    from tracejit.joint import run
    from tracejit.outcome import Wanted

    with Recorder(for_compiling=True) as recorder:
        run(recorder, function, Signature(args, (), ("x", "y")), Wanted())
    return recorder.world.places


def names_of(places):
    return [str(place) for place in places._known.values()]


# -- steps ----------------------------------------------------------------------------------------


def test_the_same_step_is_the_same_place():
    places, place = places_of("w", 1)
    root = places.find(None, "args[{0}]", 0, keys=("p",))
    assert places.find(places.find(root, "{p}[{0}]", "w"), "{p}[{0}]", 1) is place
    for other in ("1", True, 1.0, 2):
        assert places.find(places.find(root, "{p}[{0}]", "w"), "{p}[{0}]", other) is not place
    assert places.find(root, "{p}.w") is not places.find(root, "{p}[{0}]", "w")


def test_constants_that_are_no_literals_are_told_apart_by_identity():
    one, two = [1], [1]
    places = Places()
    assert places.find(None, "{0}", one) is places.find(None, "{0}", one)
    assert places.find(None, "{0}", one) is not places.find(None, "{0}", two)


def test_places_say_how_they_are_reached():
    assert str(places_of("w", 1)[1]) == 'p["w"][1]'
    assert str(places_of()[1]) == "p"
    places, place = places_of("layers", 0)
    inside = places.find(place, "{p}.__dict__[{0}]", "w", keys=("w",))
    assert str(inside) == 'p["layers"][0].w' and inside.name == "w"
    assert str(places.find(None, "f")) == "the function"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (lambda m: setattr(m, "power", 3), "m.power"),
        (lambda m: m.table.__setitem__("n", [1, 3]), 'm.table["n"][1]'),
        (lambda m: m.table.pop("b"), "m.table"),
        (lambda m: setattr(m, "w", np.ones((2, 1))), "m.w"),
        (lambda m: setattr(m, "rate", 2), "m.rate"),
        (lambda m: m.table["n"].append(2), 'm.table["n"]'),
    ],
)
def test_misses_tell_what_has_changed(changed, said):
    class Model:
        def __init__(self):
            self.w, self.rate, self.power = np.ones(2), 0.5, 2
            self.table = {"n": [1, 2], "b": None}

    m = Model()
    f = lambda x: np.sum(x**m.power * m.w) * m.rate * m.table["n"][1]
    df = jit_grad(f, audit=False)
    for _ in range(2):
        assert df(np.ones(2))[1] == 2.0
    changed(m)
    assert df(np.ones(2))[1] == f(np.ones(2))
    assert f"miss: {said} has changed" in df.explain()


def test_a_constant_that_keeps_changing_ends_in_direct_mode():
    mode = "0"
    df = jit_grad(lambda x: np.sum(x) * float(mode), audit=False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for value in range(40):
            mode = str(value)
            assert df(np.ones(2))[1] == 2.0 * value
    assert len(caught) == 1 and issubclass(caught[0].category, TracejitWarning)
    assert "mode, which it reads, keeps changing" in str(caught[0].message)
    assert 0 < df.cache_info().direct < 40


def test_an_integer_that_changes_often_becomes_an_input():
    count = 0

    def f(x):
        for _ in range(count % 2):
            x = x * 2.0
        return np.sum(x) * count

    df = jit_grad(f, audit=False)
    for count in range(40):  # noqa: B007
        assert df(np.ones(2))[1] == f(np.ones(2))
    assert df.cache_info().direct == 0 and df.cache_info().misses < 8


# -- checks and the reader ------------------------------------------------------------------------


def test_the_reader_gives_the_inputs_in_order():
    places, place = places_of("w")
    other = places.find(places.find(None, "f"), "{p}.scale")
    make_input(places, other, 3.0)
    make_input(places, place, 2.0)
    read = places.reader()
    helper.scale = 5.0
    try:
        assert read(helper, ({"w": 4.0},)) == (5.0, 4.0)
    finally:
        del helper.scale
    assert read(helper, ({"w": 4.0},)) is None  # no attribute


@pytest.mark.parametrize("args", [({},), (None,), (), ([],), ({"w": None},)])
def test_what_is_not_there_any_more_fails(args):
    places, place = places_of("w", 0)
    make_input(places, place, 1.0)
    assert places.reader()(None, args) is None
    assert places.reader()(None, ({"w": [7.0]},)) == (7.0,)


def test_checks_over_constants():
    places, place = places_of("w")
    kept = object()
    place.require("{v} is {0}", kept)
    place.require("{v} is {0}", kept)  # is there already
    place.require("type({v}) is {0} and {v} != {1}", object, "}{")
    assert len(place.checks) == 2
    read = places.reader()
    assert read(None, ({"w": kept},)) == () and read(None, ({"w": object()},)) is None


def test_the_first_place_that_changed():
    places, place = places_of("w", 1)
    place.require("{v} == {0}", 3)
    middle = place.parent
    middle.require("len({v}) == {0}", 2)
    assert places.changed(None, ({"w": [1, 3]},)) is None
    assert places.changed(None, ({"w": [1, 4]},)) is place
    assert places.changed(None, ({"w": [1]},)) is middle
    assert places.changed(None, ({"w": [1, 3, 3]},)) is middle
    assert places.changed(None, ({},)) is middle  # that cannot be read


ARRAYS = {
    "C": np.ones((3, 2)),
    "F": np.asfortranarray(np.ones((3, 2))),
    "strided": np.ones((6, 4))[::2, ::2],
    "broadcast": np.broadcast_to(1.0, (3, 2)),
    "f4": np.ones((3, 2), "f4"),
    "big endian": np.ones((3, 2), ">f8"),
    "other shape": np.ones((2, 3)),
    "flat": np.ones(6),
    "number": np.float64(1.0),
    "list": [[1.0] * 2] * 3,
}


@pytest.mark.parametrize("recorded", [k for k, v in ARRAYS.items() if type(v) is np.ndarray])
def test_arrays_are_told_apart_as_in_a_signature(recorded):
    places, place = places_of()
    place.require_array(ARRAYS[recorded])
    read = places.reader()
    accepted = [k for k, v in ARRAYS.items() if read(None, (v,)) is not None]
    assert accepted == [recorded]


def test_an_alias_is_checked():
    a, b = np.ones(2), np.ones(2)
    table = {"a": a, "b": a}
    df = jit_grad(lambda x: np.sum(x * table["a"] * table["b"]), audit=False)
    for _ in range(CALLS):
        assert df(np.ones(2))[1] == 2.0
    table["b"] = b  # equal, but another one
    b[:] = 3.0
    for _ in range(CALLS):
        assert df(np.ones(2))[1] == 6.0
    table["a"] = b
    for _ in range(CALLS):
        assert df(np.ones(2))[1] == 18.0
    a[:] = 7.0  # nobody reads it now
    assert df(np.ones(2))[1] == 18.0
    assert df.cache_info().direct == 0


def test_the_same_value_has_the_same_twin():
    held = [1.0, {"a": np.ones(2)}]
    with Recorder(for_compiling=True) as recorder:
        recorder.world = world = World(recorder, following=True)
        one = world.hand_out(held, world.constant(held, "one"))
        place = world.step(world.constant(world, "w"), "{p}.held", keys=("held",))
        assert world.hand_out(held, place) is one
        assert [check for check, _ in place.checks] == ["{v} is {0}"]
        assert world.plain(one) is held and world.plain([one, 1])[0] is held
        world.close()


# -- places of several recordings -----------------------------------------------------------------


def test_including_the_places_of_another_recording():
    places, first = places_of("w")
    first.require("{v} > {0}", 1)
    make_input(places, first, 1.0)
    others, second = places_of("w")
    second.require("{v} < {0}", 5)
    third = others.find(second.parent, "{p}[{0}]", "b", keys=("b",))
    make_input(others, second, 1.0)
    make_input(others, third, 2.0)
    places.include(others)
    read = places.reader()
    assert read(None, ({"w": 3, "b": 8},)) == (3, 8)
    for w in (0, 1, 5, 6):
        assert read(None, ({"w": w, "b": 8},)) is None
    assert read(None, ({"w": 3},)) is None
    assert third.parent is first.parent  # one step is one place
    assert others.node_of(first) is second.node and Places().node_of(first) is None
    assert [str(p) for p in places.inputs] == ['p["w"]', 'p["b"]']
    places.include(others)
    assert len(places.inputs) == 2


def test_places_of_another_recording_that_were_read_in_another_order():
    places, w = places_of("w")
    b = places.find(w.parent, "{p}[{0}]", "b", keys=("b",))
    others, second = places_of("b")
    first = others.find(second.parent, "{p}[{0}]", "w", keys=("w",))
    others.require_of_both(second, first, "{v} is not {0}")
    assert first.checks and not second.checks  # the later one has it
    places.include(others)
    read = places.reader()
    one, two = object(), object()
    assert b.checks and not w.checks
    assert read(None, ({"w": one, "b": two},)) == ()
    assert read(None, ({"w": one, "b": one},)) is None


def test_what_another_branch_reads_is_followed_too():
    table = {"low": 2.0, "high": np.ones(2)}
    f = lambda x: np.sum(x * table["high"]) if np.sum(x) > 0 else np.sum(x) * table["low"]
    df = jit_grad(f, audit=False)
    for x in (np.ones(2), -np.ones(2)) * 2:
        assert df(x)[1] == f(x)
    for table["low"], table["high"] in ((3.0, np.full(2, 5.0)), (4.0, np.ones(2))):
        for x in (np.ones(2), -np.ones(2)):
            grad, value = df(x)
            assert value == f(x)
            np.testing.assert_array_equal(grad, table["high"] if x[0] > 0 else [table["low"]] * 2)
    assert df.cache_info().direct == 0 and df.cache_info().misses == 2


def test_globals_are_places_only_where_they_are_read():
    table = {"used": 1.0}

    def f(x):
        return UNUSED if x is None else np.sum(helper(x)) * table["used"]

    places = read_of(f, np.ones(2))
    names = {name.split(".")[-1] for name in names_of(places)}
    assert {"the function", "table", "SCALE", "helper", "np"} <= names and "UNUSED" not in names
    assert [str(p) for p in places.inputs] == ["SCALE", 'table["used"]'][::-1]


def test_a_place_keeps_what_it_compares_alive():
    """The identity of something that is gone could be that of something new."""
    places = Places()
    place = places.find(None, "args[0]")
    place.require("{v} is {0}", [1])
    read = places.reader()
    assert read(None, ([1],)) is None
    assert isinstance(place, Place) and place.checks[0][1][0] == [1]
