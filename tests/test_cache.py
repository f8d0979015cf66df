"""Signatures: what makes a new one, what does not, and what is told of misses."""

import numpy as np
import pytest

from tracejit import cache, config, jit_grad
from tracejit.cache import Signature


def key(*values):
    return Signature(values, (), tuple(f"arg_{i}" for i in range(len(values)))).key_with(None)


SAME = [
    (1.0, 2.0),
    (np.float64(1), np.float64(2)),
    (np.ones(3), np.zeros(3)),
    ([1.0, "a"], [2.0, "a"]),
]
OTHER = [
    (1.0, 1),
    (1.0, np.float64(1)),
    (np.ones(3), np.ones(4)),
    (np.ones(3), np.ones(3, np.float32)),
    (np.ones((2, 3)), np.ones((2, 3), order="F")),
    (np.ones((2, 3)), np.ones((4, 6))[::2, ::2]),
    (np.ones(()), np.float64(1)),
    (np.ones(3), np.ones(3, ">f8")),
    (True, False),
    ("a", "b"),
    (None, 1.0),
    ([1.0], (1.0,)),
    ({"a": 1.0, "b": 1.0}, {"b": 1.0, "a": 1.0}),
]


@pytest.mark.parametrize(("a", "b"), SAME, ids=repr)
def test_same_signature(a, b):
    assert key(a) == key(b)


@pytest.mark.parametrize(("a", "b"), OTHER, ids=repr)
def test_other_signature(a, b):
    assert key(a) != key(b)


def test_the_reason_of_a_miss(capsys, monkeypatch):
    monkeypatch.setattr(config.settings, "debug", True)
    df = jit_grad(lambda x: np.sum(x["w"] ** 2))
    df({"w": np.ones((32, 100))})
    df({"w": np.ones((33, 100))})
    text = capsys.readouterr().err
    assert "miss: first call" in text
    assert 'x["w"]: f8[32,100] -> f8[33,100]' in text
    assert 'x["w"]: f8[32,100] -> f8[33,100]' in df.explain()


def test_the_least_recently_used_goes_first():
    entries = cache.Cache(2)
    signatures = [Signature((np.ones(n),), (), ("x",)) for n in range(3)]
    for signature in signatures[:2]:
        entries.store(signature.key_with(None), signature, "kept")
    assert entries.find(signatures[0].key_with(None)) == "kept"
    entries.store(signatures[2].key_with(None), signatures[2], "new")
    assert len(entries) == 2
    assert entries.find(signatures[1].key_with(None)) is None


def test_the_bound_holds_in_use(monkeypatch):
    monkeypatch.setattr(config.settings, "cache_size", 3)
    df = jit_grad(lambda x: np.sum(x**2))
    for n in (1, 2, 3, 4, 5, 5, 1, 1, 1):
        np.testing.assert_array_equal(df(np.ones(n))[0], np.full(n, 2.0))
    assert df.cache_info().size == 3


def test_changing_layouts_and_shapes_in_turn():
    base = np.random.default_rng(0).standard_normal((4, 6))
    df = jit_grad(lambda x: np.sum(np.sin(x) * x.T.T))
    expect = np.cos(base) * base + np.sin(base)
    wide = np.zeros((8, 12))
    wide[::2, ::2] = base
    for _ in range(3):
        for x in (base, np.asfortranarray(base), wide[::2, ::2], base[::-1][::-1]):
            np.testing.assert_allclose(df(x)[0], expect)
    assert df.cache_info().direct == 0


def test_cache_clear():
    df = jit_grad(lambda x: x * x)
    for _ in range(3):
        df(2.0)
    df.cache_clear()
    assert df.cache_info() == (0, 0, 0, 0)
    assert df(3.0) == (6.0, 9.0)
    assert df.cache_info().misses == 1
