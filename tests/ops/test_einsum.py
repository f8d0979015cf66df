"""np.einsum in all its forms, and np.vecdot, which is written with it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ops.cases import CUBE, ROW, SMALL, Case, X, orders, rows
from tests.support import MODES, assert_same, check, spaced
from tracejit import jit_grad


def in_einsum(subscripts, **options):
    """np.einsum with fixed subscripts."""
    return lambda *arrays: np.einsum(subscripts, *arrays, **options)


def samples(*shapes, dtype=float):
    """Arrays of these shapes."""
    return tuple(spaced(-1.3, 1.6, shape, dtype, seed) for seed, shape in enumerate(shapes))


CONTRACTIONS = [
    ("ij->ji", (2, 3)), ("ij->j", (2, 3)), ("ijk->", (2, 3, 2)), ("ba", (2, 3)), ("->", ()),
    ("ii", (3, 3)), ("ii->i", (3, 3)), ("iij->ji", (3, 3, 2)), ("iji->j", (2, 3, 2)),
    ("iijj->ij", (2, 2, 3, 3)), ("ijij->", (2, 3, 2, 3)), ("ii,i", (3, 3), (3,)),
    ("ij,jk", (2, 3), (3, 4)), ("ij,jk->ki", (2, 3), (3, 4)), ("ji,kj->ik", (3, 2), (4, 3)),
    ("ij,j", (2, 3), (3,)), ("i,ij", (2,), (2, 3)), ("i,i", (3,), (3,)), ("i,i->i", (3,), (3,)),
    ("i,j->ij", (3,), (2,)), ("i,j->ji", (3,), (2,)), ("i,j->", (3,), (2,)),
    ("ij,k->k", (2, 2), (3,)), ("ij,ij->i", (2, 3), (2, 3)), ("ij,ji->", (2, 3), (3, 2)),
    ("ij,ij->", (2, 3), (2, 3)), ("ij,ij->ji", (2, 3), (2, 3)), (",i", (), (3,)), (",", (), ()),
    ("bij,bjk->bik", (2, 3, 2), (2, 2, 3)), ("bij,bjk->bki", (2, 3, 2), (2, 2, 3)),
    ("bij,bkj->ibk", (2, 3, 2), (2, 2, 2)), ("ijb,jkb->ikb", (3, 2, 2), (2, 3, 2)),
    ("bj,bjk->bk", (2, 3), (2, 3, 2)), ("bqhd,bkhd->bhqk", (2, 2, 3, 2), (2, 3, 3, 2)),
    ("ijk,ijl->kl", (2, 3, 2), (2, 3, 2)), ("ijk,jil->kl", (2, 3, 2), (3, 2, 2)),
    ("abc,cd->abd", (2, 2, 3), (3, 2)), ("aij,bij->ab", (2, 2, 2), (3, 2, 2)),
    ("...ij,...jk->...ik", (2, 2, 3), (3, 2)), ("...i,...i", (2, 3), (2, 3)),
    ("i...->...i", (2, 3, 2)), ("...,...", (2, 1), (3,)), ("...i->i...", (2, 1, 3)),
    ("ij...,jk...->ik...", (2, 3, 2), (3, 2, 1)), ("i...,i...->...", (2, 3), (2,)),
    ("ij,jk->ik", (2, 1), (3, 2)), ("ii,i->i", (2, 2), (1,)), ("i,i->", (1,), (4,)),
    ("i->", (0,)), ("ij,jk->ik", (2, 0), (0, 3)), ("ij,ij->i", (0, 2), (0, 2)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)), ("i,ij,j", (2,), (2, 3), (3,)),
    ("ij,ik,il->jkl", (2, 2), (2, 3), (2, 2)), ("a,b,c->abc", (2,), (2,), (2,)),
    ("ijk,jl,kl->il", (2, 3, 2), (3, 2), (2, 2)), ("i,i,i->i", (3,), (3,), (3,)),
    ("ea,fb,abcd,gc->efg", (2, 2), (2, 3), (2, 3, 2, 2), (2, 2)),
]  # fmt: skip


def _written_to(a, b):
    """Writes through two views that np.einsum gives."""
    z = np.zeros((3, 3))
    np.einsum("ii->i", z)[:] = a
    np.einsum("ij->ji", z)[0, 1] = b[0] * 2.0
    return z @ z * b


def _scaled_in_place(a, b):
    z = a * 1.0
    diagonal = np.einsum("ii->i", z)
    diagonal *= b
    z[0, 0] = b[1]
    return diagonal * z


CASES = [
    *(
        Case(f"einsum {text} {shapes}", in_einsum(text), samples(*shapes), (), np.einsum, True)
        for text, *shapes in CONTRACTIONS
    ),
    *(
        Case(f"einsum complex {text}", in_einsum(text), samples(*shapes, dtype=complex), (),
             np.einsum, True)
        for text, *shapes in (
            ("ij,jk", (2, 3), (3, 2)), ("ij,ij->i", (2, 3), (2, 3)), ("iij->j", (2, 2, 3)),
            ("i,ij,j", (2,), (2, 3), (3,)),
        )
    ),
    *(
        Case(f"einsum f4 {text}", in_einsum(text), samples(*shapes, dtype=np.float32), (),
             np.einsum)
        for text, *shapes in (
            ("ij,jk", (2, 3), (3, 2)), ("ij,ij->i", (2, 3), (2, 3)), ("ij->i", (2, 3)),
        )
    ),
    *rows(
        np.einsum,
        ("sublists", lambda a, b: np.einsum(a, [0, 1], b, [1, 2]), samples((2, 3), (3, 2))),
        ("sublists and output", lambda a, b: np.einsum(a, [0, 1], b, [1, 2], [2, 0]),
         samples((2, 3), (3, 2))),
        ("sublists with ellipsis", lambda a, b: np.einsum(a, [..., 1], b, [1, 2]),
         samples((2, 3), (3, 2))),
        ("spaces", in_einsum(" ij , jk -> ik "), samples((2, 3), (3, 2))),
        ("real and complex", in_einsum("ij,j"), (X, samples((3,), dtype=complex)[0])),
        ("f4 and f8", in_einsum("ij,kj->i"), (SMALL, X)),
        ("integers", in_einsum("ij,jk"), (X,), (np.arange(6).reshape(3, 2),)),
        ("list", lambda a: np.einsum("i,i->i", a, [1, 2, 3]), (ROW,)),
        ("float", lambda a: np.einsum(",i->i", a, [1, 2, 3]), (2.5,)),
        ("strided", in_einsum("ij,ij->j"), (CUBE[0, :, ::2], CUBE[1, ::-1, ::2])),
        ("fortran", in_einsum("ij,ik->jk"), (np.asfortranarray(X), X)),
        ("the same twice", lambda a: np.einsum("ij,kj->ik", a, a), (X,)),
        ("in the order given",
         in_einsum("ij,jk,kl", optimize=["einsum_path", (0, 1), (0, 1)]),
         samples((2, 3), (3, 2), (2, 2))),
        ("all at once", in_einsum("ij,jk,kl", optimize=["einsum_path", (0, 1, 2)]),
         samples((2, 3), (3, 2), (2, 2))),
        ("greedy", in_einsum("ij,jk,kl", optimize="greedy"), samples((2, 3), (3, 2), (2, 2))),
        ("with a limit", in_einsum("ij,jk,kl", optimize=("optimal", 4)),
         samples((2, 3), (3, 2), (2, 2))),
        ("dtype", in_einsum("ij->i", dtype=np.float64), (SMALL,)),
        ("order", in_einsum("ij,jk", order="F"), samples((2, 3), (3, 2))),
        ("written to", _written_to, samples((3,), (3,))),
        ("scaled in place", _scaled_in_place, samples((3, 3), (3,))),
    ),
    *rows(
        np.vecdot,
        ("1d", np.vecdot, samples((3,), (3,))),
        ("broadcast", np.vecdot, samples((2, 1, 3), (2, 3))),
        ("complex", np.vecdot, samples((2, 3), (3,), dtype=complex)),
        ("axis", lambda a, b: np.vecdot(a, b, axis=0), samples((3, 2), (3, 2))),
        ("axes", lambda a, b: np.vecdot(a, b, axes=[0, 1]), samples((3, 2), (2, 3))),
    ),
    *rows(
        np.linalg.vecdot,
        ("axis", lambda a, b: np.linalg.vecdot(a, b, axis=0), samples((3, 2), (3, 2))),
    ),
]  # fmt: skip

test_first_order, test_second_order = orders(CASES)


@st.composite
def contractions(draw):
    """Subscripts of one to three operands, labels repeated as they come, and shapes for them."""
    lengths = dict(zip("ijkl", draw(st.tuples(*[st.integers(1, 3)] * 4)), strict=True))
    labels = draw(st.lists(st.text("ijkl", max_size=3), min_size=1, max_size=3))
    output = "".join(draw(st.permutations(sorted(set("".join(labels))))))
    output = output[: draw(st.integers(0, min(len(output), 3)))]
    shapes = [tuple(lengths[i] for i in operand) for operand in labels]
    return f"{','.join(labels)}->{output}", shapes


@settings(max_examples=40, deadline=None)
@given(contractions(), st.booleans())
def test_any_contraction(contraction, optimize):
    text, shapes = contraction
    check(in_einsum(text), samples(*shapes), (), optimize)


INTEGERS = np.arange(6).reshape(2, 3)


@MODES
@pytest.mark.parametrize("text", ["ij,ij->i", "ij,kj->ik", "ij,ij->", "ij,kl->", "ij->", "ij->ji"])
@pytest.mark.parametrize("dtype", ["i4", "i1", "u1", "?", "f2"])
def test_other_numbers_are_multiplied_and_summed_as_in_numpy(text, dtype, optimize):
    arrays = [INTEGERS.astype(dtype)] * (text.count(",") + 1)
    f = lambda x, *n: (np.sum(x * np.einsum(text, *n)), np.einsum(text, *n))
    _, _, value = jit_grad(f, optimize=optimize)(1.5, *arrays)
    assert_same(value, np.einsum(text, *arrays))


WRONG = {
    "output that is nowhere": ("ij,jk->iq", (2, 3), (3, 4)),
    "output twice": ("ij->ii", (2, 3)),
    "no letter": ("i$,i", (2, 3), (3,)),
    "too few operands": ("ij,j,k", (2, 3), (3,)),
    "too many operands": ("ij", (2, 3), (3,)),
    "no ellipsis in the output": ("...i->i", (2, 3)),
    "other lengths": ("ij,jk", (2, 3), (4, 2)),
    "diagonal of a rectangle": ("ii", (2, 3)),
    "too many labels": ("ijk", (2, 3)),
    "too few labels": ("i", (2, 3)),
}


@MODES
@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_errors_are_numpys(wrong, optimize):
    text, *shapes = wrong
    arrays = samples(*shapes)
    with pytest.raises(ValueError) as plain:  # noqa: PT011  (its text is compared below)
        np.einsum(text, *arrays)
    with pytest.raises(ValueError) as traced:  # noqa: PT011
        jit_grad(lambda a: np.sum(np.einsum(text, *a)), optimize=optimize)(arrays)
    assert str(traced.value) == str(plain.value)


@MODES
def test_a_conversion_that_is_not_safe_is_refused(optimize):
    df = jit_grad(lambda a: np.sum(np.einsum("ij->i", a, dtype="f4")), optimize=optimize)
    with pytest.raises(TypeError, match="according to the rule 'safe'"):
        df(X)


def called(f, *arrays):
    """The names of the ops that a function of arrays is recorded as, views aside."""
    graph = jit_grad(f, withGradients=False).graph(*arrays)
    views = {"input", "transpose", "reshape", "sum"}
    return [node.op.name for node in graph.nodes if node.op.name not in views]


@pytest.mark.parametrize(
    ("text", "shapes", "ops"),
    [
        ("ij,jk", [(2, 3), (3, 4)], ["matmul"]),
        ("bqhd,bkhd->bhqk", [(2, 2, 3, 2), (2, 3, 3, 2)], ["matmul"]),
        ("ij,ij->i", [(2, 3), (2, 3)], ["einsum"]),
        ("i,j->ij", [(2,), (3,)], ["multiply"]),
        ("ij,jk,kl", [(2, 30), (30, 40), (40, 2)], ["matmul", "matmul"]),
    ],
)
def test_contractions_are_written_as_products_where_they_are(text, shapes, ops):
    assert called(lambda *a: np.sum(np.einsum(text, *a)), *samples(*shapes)) == ops


def test_the_order_of_a_chain_takes_few_operations():
    text, shapes = "ij,jk,k->i", [(40, 30), (30, 20), (20,)]
    graph = jit_grad(lambda *a: np.sum(np.einsum(text, *a)), withGradients=False).graph(
        *samples(*shapes)
    )
    products = [node.spec.shape for node in graph.nodes if node.op.name == "matmul"]
    assert products == [(30,), (40,)]


@MODES
def test_operands_in_lists(optimize):
    check(lambda x, y: np.einsum("i,i", [x, y], [y, 2.0]), (1.5, 0.5), (), optimize)
